"""The certificate: an in-toto Statement on the devices under test that names every case, signed in DSSE."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Literal, TypeAlias

import msgspec

from swapproto.atomic import FileError, read_bounded
from swapproto_conformance import dsse
from swapproto_conformance.dsse import KeyClass, PublicKey, SigningKey
from swapproto_conformance.requirement import Role
from swapproto_conformance.results import (
    MEANING,
    Bench,
    CaseResult,
    Counts,
    Device,
    Kind,
    NotSelected,
    RunResult,
    Sha256,
    Standard,
    Timestamp,
    canonical,
    count,
    exit_code,
)
from swapproto_conformance.verdict import Verdict, join


class _Record(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    pass


class RequirementVerdict(_Record, frozen=True, kw_only=True):
    """What a case found about one requirement."""

    id: str
    verdict: Verdict


class CertifiedCase(_Record, frozen=True, kw_only=True):
    """A case as certified: its verdict and the digest of the trace that the verdict rests on."""

    id: str
    title: str
    role: Role | Literal["pair"]
    polarity: Literal["positive", "negative"]
    verdict: Verdict
    reason: str
    requirements: tuple[RequirementVerdict, ...]
    trace_file: str | None
    trace_sha256: Sha256 | None

    @property
    def failed(self) -> bool:
        """Whether there is a fail here, also one beneath an ERROR."""
        return Verdict.FAIL in (self.verdict, *(each.verdict for each in self.requirements))


class KeyInfo(_Record, frozen=True, kw_only=True):
    """The key that signed, so that integrity can be checked with the file alone."""

    key_class: KeyClass
    algorithm: Literal["ed25519"] = "ed25519"
    keyid: Sha256
    """SHA-256 of the raw public key."""
    public_key: Sha256
    """The 32 raw bytes in hex."""


class Certificate(_Record, frozen=True, kw_only=True):
    """The predicate: one run, with every case that ran and every one that did not."""

    kind: Kind
    meaning: str
    suite: Literal["swapproto"] = "swapproto"
    suite_version: str
    created: Timestamp
    profile: str
    standards: tuple[Standard, ...]
    devices: tuple[Device, ...]
    subject_digest: Literal["SHA-256 of the canonical JSON of the device's entry in devices"] = (
        "SHA-256 of the canonical JSON of the device's entry in devices"
    )
    """What the digest of a subject is of: the description, since a device itself has no bytes to hash."""
    bench: Bench
    seeds: dict[str, int]
    cases: tuple[CertifiedCase, ...]
    interoperation: tuple[CertifiedCase, ...]
    not_selected: tuple[NotSelected, ...]
    problems: tuple[str, ...]
    counts: Counts
    interoperation_counts: Counts
    verdict: Verdict
    """The worst of the cases."""
    exit_code: int
    """What the run ended with, inconclusive cases counted as such."""
    key: KeyInfo


class Subject(_Record, frozen=True):
    """An in-toto resource descriptor."""

    name: str
    digest: dict[str, Sha256]


class Statement(
    _Record, frozen=True, kw_only=True, rename={"type": "_type", "predicate_type": "predicateType"}
):
    """An in-toto Statement, version 1."""

    type: Literal["https://in-toto.io/Statement/v1"] = "https://in-toto.io/Statement/v1"
    subject: tuple[Subject, ...]
    predicate_type: Literal["urn:swapproto:conformance-certificate:v1"] = (
        "urn:swapproto:conformance-certificate:v1"
    )
    predicate: Certificate


def certify(result: RunResult, key: SigningKey) -> bytes:
    """The content of certificate.json; FileError if `verify` would find fault with it."""
    certificate = _certificate(result, key)
    statement = Statement(subject=_subjects(certificate.devices), predicate=certificate)
    payload = canonical(statement)
    try:
        msgspec.json.decode(payload, type=Statement)
    except msgspec.ValidationError as error:
        raise FileError("certificate", f"the run cannot be certified: {error}") from error
    if faults := list(_contradictions(statement)):
        raise FileError("certificate", f"the run cannot be certified: {'; '.join(faults)}")
    return dsse.seal(payload, key)


def _certificate(result: RunResult, key: SigningKey) -> Certificate:
    run = result.run
    return Certificate(
        kind=run.kind,
        meaning=MEANING[run.kind],
        suite_version=run.suite_version,
        created=run.created,
        profile=run.profile,
        standards=run.standards,
        devices=run.devices,
        bench=run.bench,
        seeds=run.seeds,
        cases=tuple(map(_certified, result.cases)),
        interoperation=tuple(map(_certified, result.interoperation)),
        not_selected=run.not_selected,
        problems=result.problems,
        counts=result.counts,
        interoperation_counts=result.interoperation_counts,
        verdict=join(*(case.verdict for case in result.cases)),
        exit_code=result.exit_code(),
        key=KeyInfo(key_class=key.key_class, keyid=key.public.keyid, public_key=key.public.raw.hex()),
    )


def _certified(case: CaseResult) -> CertifiedCase:
    by_id: dict[str, Verdict] = {}
    for finding in case.findings:
        earlier = by_id.get(finding.requirement_id, Verdict.NOT_APPLICABLE)
        by_id[finding.requirement_id] = join(earlier, finding.verdict)
    return CertifiedCase(
        id=case.id,
        title=case.title,
        role=case.role,
        polarity=case.polarity,
        verdict=case.verdict,
        reason=case.reason,
        requirements=tuple(RequirementVerdict(id=id_, verdict=verdict) for id_, verdict in by_id.items()),
        trace_file=case.trace_file,
        trace_sha256=case.trace_sha256,
    )


def _subjects(devices: Sequence[Device]) -> tuple[Subject, ...]:
    return tuple(
        Subject(f"{device.role}/{device.name}", {"sha256": hashlib.sha256(canonical(device)).hexdigest()})
        for device in devices
    )


def _contradictions(statement: Statement) -> Iterator[str]:
    """Where a statement disagrees with itself."""
    certificate = statement.predicate
    cases, pairs = certificate.cases, certificate.interoperation
    if not certificate.devices:
        yield "no device is named"
    if statement.subject != _subjects(certificate.devices):
        yield "the subjects are not the devices that the certificate describes"
    if certificate.counts != count(cases) or certificate.interoperation_counts != count(pairs):
        yield "the counts are not those of the cases"
    if certificate.verdict is not join(*(case.verdict for case in cases)):
        yield f"the verdict {certificate.verdict.text} is not that of the cases"
    expected = exit_code(cases + pairs, problems=len(certificate.problems))
    if certificate.exit_code != expected:
        yield f"the exit code {certificate.exit_code} does not follow from the cases, which give {expected}"
    if certificate.meaning != MEANING[certificate.kind]:
        yield f"the meaning is not that of a {certificate.kind}"
    for case_id, times in Counter(case.id for case in cases + pairs).items():
        if times > 1:
            yield f"case {case_id} stands {times} times"
    for case in cases + pairs:
        yield from _case_contradictions(case)


def _case_contradictions(case: CertifiedCase) -> Iterator[str]:
    found = [each.verdict for each in case.requirements]
    if join(case.verdict, *found) is not case.verdict:
        yield f"case {case.id} is {case.verdict.text}, yet found {join(*found).text}"
    decided = case.verdict in (Verdict.PASS, Verdict.FAIL)
    if decided and case.verdict not in found:
        yield f"case {case.id} is {case.verdict.text}, yet no requirement was found so"
    if decided and case.trace_sha256 is None:
        yield f"case {case.id} is {case.verdict.text} without a trace"
    if (case.trace_file is None) != (case.trace_sha256 is None):
        yield f"case {case.id} names a trace without digest, or a digest without trace"
    if case.trace_file is not None and not _stays_below(case.trace_file):
        yield f"case {case.id} names a trace outside of the report: {case.trace_file!r}"


def _stays_below(name: str) -> bool:
    path = PurePosixPath(name)
    return (
        bool(path.parts)
        and not path.is_absolute()
        and ".." not in path.parts
        and not set(name) & set("\\:\0")
    )


SignedBy: TypeAlias = Literal["trusted key", "key inside the file"]


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What checking a certificate gave."""

    problems: tuple[str, ...] = ()
    """Each of these makes the certificate worthless."""
    certificate: Certificate | None = None
    """The content, None unless the signature holds."""
    signed_by: SignedBy | None = None
    """A key inside the file proves that nothing changed since it was signed, not who signed."""
    traces_checked: int = 0
    traces_missing: tuple[str, ...] = ()
    """Trace files that are not there and so were not checked."""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong; traces that are not there are not looked at."""
        return not self.problems


def verify(
    path: Path, *, trusted_key: PublicKey | None = None, traces_dir: Path | None = None
) -> Verification:
    """Check signature, form, consistency, and the traces in `traces_dir` or else beside the file.

    FileError only where there is no readable file; whatever is wrong with its content is a problem.
    """
    content = read_bounded(path)
    try:
        opened = dsse.open_envelope(content)
        statement = _read_statement(opened.payload)
        key = PublicKey(bytes.fromhex(statement.predicate.key.public_key))
    except dsse.Malformed as error:
        return Verification(problems=(str(error),))
    except ValueError as error:
        return Verification(problems=(f"the public key inside is none: {error}",))
    certificate = statement.predicate
    if not key.keyid == certificate.key.keyid == opened.keyid:
        return Verification(problems=("the key's identifier is not that of the key",))
    if trusted_key is not None and trusted_key.raw != key.raw:
        wrong = f"signed with key {key.keyid}, not with the given one, {trusted_key.keyid}"
        return Verification(problems=(wrong,))
    if not key.has_signed(opened.signed, opened.signature):
        return Verification(problems=("the signature does not fit: the content was changed after signing",))
    traces = _Traces(traces_dir or path.parent)
    problems = list(_contradictions(statement))
    for case in certificate.cases + certificate.interoperation:
        problems.extend(traces.check(case))
    return Verification(
        problems=tuple(problems),
        certificate=certificate,
        signed_by="key inside the file" if trusted_key is None else "trusted key",
        traces_checked=traces.checked,
        traces_missing=tuple(traces.missing),
    )


def _read_statement(payload: bytes) -> Statement:
    try:
        statement = msgspec.json.decode(payload, type=Statement)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise dsse.Malformed(f"the payload is no certificate of this version: {error}") from error
    if canonical(statement) != payload:
        raise dsse.Malformed(
            "the payload is not canonical JSON: a key stands twice, is unknown or out of order"
        )
    return statement


class _Traces:
    """Compares trace files with their digests; the directory holds them as named, or flat."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.checked = 0
        self.missing: list[str] = []

    def check(self, case: CertifiedCase) -> Iterator[str]:
        """What is wrong with a case's trace; one that is missing is noted apart."""
        if case.trace_file is None or not _stays_below(case.trace_file):
            return
        path = self._find(PurePosixPath(case.trace_file))
        if path is None:
            self.missing.append(case.trace_file)
            return
        try:
            digest = hashlib.sha256(read_bounded(path, limit=1 << 30)).hexdigest()
        except FileError as error:
            yield f"the trace of {case.id}: {error}"
            return
        self.checked += 1
        if digest != case.trace_sha256:
            yield f"the trace of {case.id}, {path}, is not the one that was judged: its SHA-256 differs"

    def _find(self, name: PurePosixPath) -> Path | None:
        for place in (self._directory / name, self._directory / name.name):
            try:
                if place.is_file():
                    return place
            except OSError:
                continue
        return None
