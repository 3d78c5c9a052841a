"""The finished run: what results.json holds and what every report is made from."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal, Protocol, TypeAlias

import msgspec

from swapproto.atomic import FileError, read_bounded
from swapproto_conformance.requirement import Requirement, Role
from swapproto_conformance.verdict import Finding, Verdict

Kind: TypeAlias = Literal["certification", "self-test", "interoperation"]
FailOn: TypeAlias = Literal["inconclusive", "fail"]
Sha256: TypeAlias = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", max_length=64)]
Timestamp: TypeAlias = Annotated[
    str, msgspec.Meta(pattern=r"^[0-9]{4}(-[0-9]{2}){2}T([0-9]{2}:){2}[0-9]{2}(\.[0-9]+)?Z$", max_length=30)
]
"""RFC 3339 in UTC."""

MEANING: dict[Kind, str] = {
    "certification": "Each device was judged alone against the tester.",
    "self-test": "Devices of the suite itself were judged; this proves nothing about any product.",
    "interoperation": "Devices were run against each other; this is evidence for neither of them alone.",
}
"""What a run of this kind says, for every report to print."""


class _Record(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    pass


class Standard(_Record, frozen=True, kw_only=True):
    """A document behind the profile."""

    name: str
    state: str
    """Its standing in words, such as "withdrawn 2024-04-01"."""


class Device(_Record, frozen=True, kw_only=True):
    """A device under test, as named by whoever ran the suite."""

    role: Role
    name: str
    link: str
    description: str = ""


class Bench(_Record, frozen=True, kw_only=True):
    """What the run was measured with."""

    name: str
    stamp_resolution_us: int
    lateness_us: int | None = None
    """Worst lateness of the tester's own frames, None where it was not measured."""


class NotSelected(_Record, frozen=True, kw_only=True):
    """A case that was left out, and why."""

    id: str
    title: str
    reason: str


class CaseHead(_Record, frozen=True, kw_only=True):
    """What is known of a case before it runs."""

    id: str
    title: str
    role: Role | Literal["pair"]
    polarity: Literal["positive", "negative"]
    phase: str
    labels: tuple[str, ...] = ()
    """Names that others give to the same test, such as GB/T 34658 ids."""


class CaseResult(CaseHead, frozen=True, kw_only=True):
    """A case that ran. Under the verdict ERROR its findings, and any fail among them, stay listed."""

    verdict: Verdict
    reason: str
    findings: tuple[Finding, ...] = ()
    stimulus: tuple[str, ...] = ()
    """What the tester did, one line a step."""
    trace_file: str | None = None
    """Relative to the report, with forward slashes."""
    trace_sha256: Sha256 | None = None
    duration_us: int = 0
    """On the bench's clock, which may be virtual."""

    @property
    def failed(self) -> bool:
        """Whether there is a fail here, also one beneath an ERROR."""
        return self.verdict is Verdict.FAIL or any(each.verdict is Verdict.FAIL for each in self.findings)


class RunInfo(_Record, frozen=True, kw_only=True):
    """All that is known of a run before its first case."""

    suite_version: str
    kind: Kind
    created: Timestamp
    profile: str
    standards: tuple[Standard, ...]
    devices: tuple[Device, ...]
    bench: Bench
    seeds: dict[str, int] = {}
    requirements: tuple[Requirement, ...] = ()
    not_selected: tuple[NotSelected, ...] = ()


class Counts(_Record, frozen=True, kw_only=True):
    """Cases by verdict; the five add up to the total."""

    total: int
    passed: int
    inconclusive: int
    failed: int
    errors: int
    not_applicable: int
    failed_under_error: int
    """Cases with verdict ERROR that hold a fail; they are among the errors."""


class Judged(Protocol):
    """What counting needs of a case."""

    @property
    def verdict(self) -> Verdict: ...

    @property
    def failed(self) -> bool: ...


def count(cases: Iterable[Judged]) -> Counts:
    """The only place where cases are counted, so that all reports agree."""
    cases = list(cases)
    by = Counter(case.verdict for case in cases)
    return Counts(
        total=len(cases),
        passed=by[Verdict.PASS],
        inconclusive=by[Verdict.INCONCLUSIVE],
        failed=by[Verdict.FAIL],
        errors=by[Verdict.ERROR],
        not_applicable=by[Verdict.NOT_APPLICABLE],
        failed_under_error=sum(case.verdict is Verdict.ERROR and case.failed for case in cases),
    )


def exit_code(cases: Sequence[Judged], *, problems: int = 0, fail_on: FailOn = "inconclusive") -> int:
    """4 nothing selected; 1 any fail, also under an ERROR; 3 any harness error; 2 any inconclusive; else 0.

    `problems` counts harness problems outside the cases. With `fail_on="fail"` inconclusive cases give 0.
    """
    counts = count(cases)
    if counts.failed or counts.failed_under_error:
        return 1
    if counts.errors or problems:
        return 3
    if not cases:
        return 4
    return 2 if counts.inconclusive and fail_on == "inconclusive" else 0


class RunResult(_Record, frozen=True, kw_only=True):
    """A finished run. `cases` judge devices; pairs stand apart and are evidence for neither device."""

    schema: Literal["urn:swapproto:results:v1"] = "urn:swapproto:results:v1"
    run: RunInfo
    cases: tuple[CaseResult, ...]
    interoperation: tuple[CaseResult, ...] = ()
    problems: tuple[str, ...] = ()
    """What went wrong in the harness outside of any case."""
    counts: Counts
    interoperation_counts: Counts

    def exit_code(self, fail_on: FailOn = "inconclusive", later_problems: int = 0) -> int:
        """Over cases and pairs alike; `later_problems` came up after the result was put together."""
        judged = self.cases + self.interoperation
        return exit_code(judged, problems=len(self.problems) + later_problems, fail_on=fail_on)


def finish(
    run: RunInfo,
    cases: Sequence[CaseResult],
    interoperation: Sequence[CaseResult] = (),
    problems: Sequence[str] = (),
) -> RunResult:
    """A result whose counts follow from its cases."""
    return RunResult(
        run=run,
        cases=tuple(cases),
        interoperation=tuple(interoperation),
        problems=tuple(problems),
        counts=count(cases),
        interoperation_counts=count(interoperation),
    )


def canonical(value: msgspec.Struct) -> bytes:
    """JSON with sorted keys and no spaces; reproducible, since the structs of this suite hold no floats."""
    return msgspec.json.encode(value, order="sorted")


def encode_results(result: RunResult) -> bytes:
    """The content of results.json: sorted keys, indented for reading."""
    return msgspec.json.format(canonical(result), indent=2) + b"\n"


def decode_results(content: bytes, path: str = "results.json") -> RunResult:
    """The run back from its JSON. Counts are counted anew, and a verdict that is not known becomes ERROR."""
    try:
        result = msgspec.json.decode(content, type=RunResult)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FileError(path, f"is no results file of this version: {error}") from error
    return finish(result.run, result.cases, result.interoperation, result.problems)


def read_results(path: Path) -> RunResult:
    """Read a results.json; FileError if it cannot be used."""
    return decode_results(read_bounded(path), str(path))
