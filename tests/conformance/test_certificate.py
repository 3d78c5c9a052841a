"""The certificate: what it holds, and that nothing in it can change unseen."""

import base64
import hashlib
import json
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any, Literal

import jsonschema
import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]  # re-exported unmarked
from typer.testing import CliRunner

from swapproto.atomic import FileError
from swapproto_conformance import dsse
from swapproto_conformance.cert_cli import cert
from swapproto_conformance.certificate import Statement, Verification, certify, verify
from swapproto_conformance.dsse import PublicKey, SigningKey
from swapproto_conformance.results import (
    Bench,
    CaseResult,
    Device,
    NotSelected,
    RunInfo,
    RunResult,
    Standard,
    canonical,
    finish,
)
from swapproto_conformance.schemas import SCHEMAS
from swapproto_conformance.verdict import Finding, Verdict

TRACE = b"(0.000000) can0 1826F456#010203\n"
KEY = SigningKey.demonstration()
OTHER = SigningKey.demonstration()
RUN = RunInfo(
    suite_version="0.1.0",
    kind="self-test",
    created="2026-01-02T03:04:05Z",
    profile="gbt27930-2015",
    standards=(Standard(name="GB/T 27930-2015", state="withdrawn 2024-04-01"),),
    devices=(Device(role="charger", name="reference", link="virtual:bus", description="built in"),),
    bench=Bench(name="virtual bus", stamp_resolution_us=1),
    seeds={"jitter": 7},
    not_selected=(NotSelected(id="X/9", title="nine", reason="needs another bench"),),
)


def case(
    id_: str, verdict: Verdict, *beneath: Verdict, role: Literal["charger", "pair"] = "charger"
) -> CaseResult:
    findings = tuple(
        Finding(
            requirement_id=f"A/{number}/x",
            outcome=each,
            verdict=each,
            expected="a",
            observed="b",
            examined=1,
        )
        for number, each in enumerate(beneath)
    )
    return CaseResult(
        id=id_,
        title="one",
        role=role,
        polarity="positive",
        phase="handshake",
        verdict=verdict,
        reason="because",
        findings=findings,
        trace_file=f"traces/{id_}.log",
        trace_sha256=hashlib.sha256(TRACE + id_.encode()).hexdigest(),
    )


RESULT = finish(
    RUN,
    [
        *(case(f"C-{verdict.value}", verdict, verdict) for verdict in Verdict),
        case("C-1", Verdict.PASS, Verdict.PASS),
    ],
    [case("P-1", Verdict.PASS, Verdict.PASS, role="pair")],
    ["one report was not written"],
)
NAMES = [each.id for each in RESULT.cases + RESULT.interoperation]
CONTENT = certify(RESULT, KEY)


@pytest.fixture
def report(tmp_path: Path) -> Path:
    (tmp_path / "traces").mkdir()
    for name in NAMES:
        (tmp_path / "traces" / f"{name}.log").write_bytes(TRACE + name.encode())
    (tmp_path / "certificate.json").write_bytes(CONTENT)
    return tmp_path / "certificate.json"


def payload(content: bytes = CONTENT) -> Any:
    return json.loads(base64.b64decode(json.loads(content)["payload"]))


def resealed(change: Callable[[Any], object], key: SigningKey = KEY) -> bytes:
    """The certificate with a changed statement, signed again: what a dishonest tool could write."""
    statement = payload()
    change(statement)
    text = json.dumps(statement, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return dsse.seal(text.encode(), key)


def checked(path: Path, content: bytes) -> Verification:
    path.write_bytes(content)
    return verify(path)


def test_a_certificate_holds(report: Path) -> None:
    found = verify(report)
    assert found.ok
    assert found.signed_by == "key inside the file"
    assert (found.traces_checked, found.traces_missing) == (len(NAMES), ())
    certificate = found.certificate
    assert certificate is not None
    assert (certificate.kind, certificate.key.key_class) == ("self-test", "demonstration")
    assert [(each.id, each.verdict, each.trace_sha256) for each in certificate.cases] == [
        (each.id, each.verdict, each.trace_sha256) for each in RESULT.cases
    ]
    assert [each.id for each in certificate.interoperation] == ["P-1"]
    assert certificate.not_selected == RUN.not_selected
    assert certificate.counts == RESULT.counts
    assert (certificate.verdict, certificate.exit_code) == (Verdict.ERROR, 1)


def test_the_statement_is_in_toto_with_the_device_as_subject() -> None:
    statement = payload()
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "urn:swapproto:conformance-certificate:v1"
    described = hashlib.sha256(canonical(RUN.devices[0])).hexdigest()
    assert statement["subject"] == [{"name": "charger/reference", "digest": {"sha256": described}}]
    schema = json.loads(SCHEMAS["certificate-v1.schema.json"])
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(statement)


def test_signing_the_same_run_twice_gives_the_same_bytes() -> None:
    assert certify(RESULT, KEY) == CONTENT


def test_securesystemslib_verifies_the_envelope() -> None:
    envelope = Envelope.from_dict(json.loads(CONTENT))
    keyid = KEY.public.keyid
    key = SSlibKey(keyid, "ed25519", "ed25519", {"public": KEY.public.raw.hex()})
    assert envelope.verify([key], 1) == {keyid: key}
    wrong = SSlibKey(keyid, "ed25519", "ed25519", {"public": OTHER.public.raw.hex()})
    with pytest.raises(VerificationError):
        envelope.verify([wrong], 1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(st.integers(0, len(CONTENT) - 1), st.integers(1, 255))
def test_every_change_of_a_byte_is_rejected(report: Path, place: int, flip: int) -> None:
    changed = bytearray(CONTENT)
    changed[place] ^= flip
    found = checked(report, bytes(changed))
    assert len(found.problems) == 1
    assert found.certificate is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(st.integers(0, len(CONTENT) - 1) | st.just(len(CONTENT) - 1))
def test_truncated_files_are_rejected(report: Path, length: int) -> None:
    assert not checked(report, CONTENT[:length]).ok


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(
    st.binary()
    | st.recursive(
        st.none() | st.text() | st.integers(),
        lambda x: (
            st.lists(x)
            | st.dictionaries(
                st.sampled_from(["payload", "payloadType", "signatures", "keyid", "sig", "x"]), x
            )
        ),
    ).map(lambda x: json.dumps(x).encode())
)
def test_garbage_is_rejected(report: Path, content: bytes) -> None:
    assert not checked(report, content).ok


def test_deep_garbage_is_rejected(report: Path) -> None:
    for content in (
        b"[" * 200_000,
        b'{"payload":' * 50_000,
        b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ):
        assert not checked(report, content).ok


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"\n", b"", "not written as it was issued"),
        (b'{"payload":', b'{"payload":"","payload":', "not written as it was issued"),
        (b'"signatures":[', b'"signatures":[{"keyid":"","sig":""},', "expected one signature, found 2"),
        (b"in-toto+json", b"other+json", "payload type is 'application/vnd.other+json'"),
        (b'"sig":"', b'"sig":"!', "signature is damaged"),
        (b'{"payload":"', b'{"payload":"=', "payload is damaged"),
        (b'"payloadType"', b'"unknown":1,"payloadType"', "unknown field"),
    ],
)
def test_damage_is_named(report: Path, old: bytes, new: bytes, reason: str) -> None:
    assert old in CONTENT
    (problem,) = checked(report, CONTENT.replace(old, new)).problems
    assert reason in problem


def test_spare_bits_of_base64_are_not_free() -> None:
    content = dsse.seal(b"ab", KEY)
    assert b'"YWI="' in content
    with pytest.raises(dsse.Malformed, match="canonical"):
        dsse.open_envelope(content.replace(b'"YWI="', b'"YWJ="'))


def statement_with(text: bytes) -> bytes:
    return dsse.seal(text, KEY)


def test_the_payload_must_be_canonical(report: Path) -> None:
    text = canonical(msgspec.json.decode(json.dumps(payload()).encode(), type=Statement))
    assert checked(report, statement_with(text)).ok
    for changed in (
        text + b" ",
        text.replace(b'"kind":"self-test"', b'"kind":"certification","kind":"self-test"'),
        text.replace(b'"verdict":"inconclusive"', b'"verdict":"splendid"'),
        json.dumps(payload()).encode(),
    ):
        assert changed != text
        (problem,) = checked(report, statement_with(changed)).problems
        assert "canonical" in problem


Change = Callable[[Any], object]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda s: s["predicate"]["cases"].pop(), "the counts are not those of the cases"),
        (lambda s: s["predicate"]["interoperation"].pop(), "the counts are not those of the cases"),
        (lambda s: s["predicate"]["counts"].update(failed=0), "the counts are not those of the cases"),
        (lambda s: s["predicate"].update(verdict="pass"), "the verdict pass is not that of the cases"),
        (lambda s: s["predicate"].update(exit_code=0), "the exit code 0 does not follow"),
        (lambda s: s["predicate"].update(kind="certification"), "the meaning is not that of a certification"),
        (lambda s: s["subject"][0].update(name="charger/other"), "the subjects are not the devices"),
        (lambda s: s["predicate"]["devices"][0].update(name="other"), "the subjects are not the devices"),
        (lambda s: (s["subject"].clear(), s["predicate"]["devices"].clear()), "no device is named"),
        (lambda s: s["predicate"]["cases"][3].update(verdict="pass"), "C-fail is pass, yet found fail"),
        (lambda s: s["predicate"]["cases"][1].update(requirements=[]), "yet no requirement was found so"),
        (lambda s: s["predicate"]["cases"][1].update(id="C-1"), "case C-1 stands 2 times"),
        (lambda s: s["predicate"]["cases"][1].update(trace_sha256=None), "C-pass is pass without a trace"),
        (lambda s: s["predicate"]["cases"][1].update(trace_file=None), "a digest without trace"),
        (lambda s: s["predicate"]["cases"][1].update(trace_file="../x"), "outside of the report"),
        (lambda s: s["predicate"]["cases"][1].update(trace_file="/etc/passwd"), "outside of the report"),
        (lambda s: s["predicate"].update(counts=None), "no certificate of this version"),
        (lambda s: s["predicate"].pop("not_selected"), "no certificate of this version"),
        (lambda s: s["predicate"]["key"].update(keyid="0" * 64), "identifier is not that of the key"),
        (lambda s: s["predicate"]["key"].update(public_key="0" * 60), "no certificate of this version"),
        (lambda s: s.update(predicateType="https://in-toto.io/attestation/test-result/v0.1"), "this version"),
        (lambda s: s["predicate"]["bench"].update(stamp_resolution_us=0.5), "no certificate of this version"),
    ],
)
def test_a_signed_contradiction_is_found(report: Path, change: Change, reason: str) -> None:
    found = checked(report, resealed(change))
    assert not found.ok
    assert any(reason in problem for problem in found.problems), found.problems


def test_content_of_another_key_is_rejected(report: Path) -> None:
    (problem,) = checked(report, resealed(lambda _: None, OTHER)).problems
    assert "identifier" in problem


def test_a_trusted_key_says_who_signed(report: Path) -> None:
    found = verify(report, trusted_key=KEY.public)
    assert (found.ok, found.signed_by) == (True, "trusted key")
    refused = verify(report, trusted_key=OTHER.public)
    assert not refused.ok
    assert refused.certificate is None
    assert OTHER.public.keyid in refused.problems[0]


def test_traces_are_compared(report: Path) -> None:
    (report.parent / "traces" / "C-1.log").write_bytes(TRACE)
    (report.parent / "traces" / "P-1.log").unlink()
    found = verify(report)
    (problem,) = found.problems
    assert "trace of C-1" in problem
    assert found.traces_missing == ("traces/P-1.log",)
    assert found.traces_checked == len(NAMES) - 1


def test_a_trace_name_that_no_file_can_have_is_missing(report: Path) -> None:
    name = "x" * 5000
    found = checked(report, resealed(lambda s: s["predicate"]["cases"][1].update(trace_file=name)))
    assert (found.problems, found.traces_missing) == ((), (name,))


def test_traces_elsewhere_and_flat(report: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    alone = tmp_path_factory.mktemp("alone") / "certificate.json"
    alone.write_bytes(CONTENT)
    lonely = verify(alone)
    assert (lonely.ok, lonely.traces_checked, len(lonely.traces_missing)) == (True, 0, len(NAMES))
    for place in (report.parent, report.parent / "traces"):
        assert verify(alone, traces_dir=place).traces_checked == len(NAMES)


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (finish(RUN, [msgspec.structs.replace(RESULT.cases[1], trace_sha256=None)]), "without a trace"),
        (finish(RUN, [case("C-1", Verdict.PASS, Verdict.FAIL)]), "yet found fail"),
        (finish(RUN, [case("C-1", Verdict.PASS)]), "no requirement"),
        (finish(msgspec.structs.replace(RUN, created="today"), []), "does not match|regex|created"),
        (finish(msgspec.structs.replace(RUN, devices=()), []), "no device"),
    ],
)
def test_what_does_not_hold_is_not_signed(result: RunResult, reason: str) -> None:
    with pytest.raises(FileError, match=reason):
        certify(result, KEY)


def test_every_mix_of_verdicts_can_be_certified(tmp_path: Path) -> None:
    for first, second in product(Verdict, repeat=2):
        cases = [case("C-1", first, first), case("C-2", Verdict.ERROR, second)]
        assert checked(tmp_path / "c.json", certify(finish(RUN, cases), KEY)).problems == ()


def test_keys_are_kept_as_pem(tmp_path: Path) -> None:
    OTHER.save(tmp_path / "key.pem")
    OTHER.public.save(tmp_path / "pub.pem")
    loaded = SigningKey.load(tmp_path / "key.pem")
    assert (loaded.key_class, OTHER.key_class) == ("operator", "demonstration")
    assert PublicKey.load(tmp_path / "pub.pem").keyid == loaded.public.keyid == OTHER.public.keyid
    assert loaded.sign(b"x") == OTHER.sign(b"x")
    found = checked(tmp_path / "c.json", certify(RESULT, loaded)).certificate
    assert found is not None
    assert found.key.key_class == "operator"


def test_unusable_keys_are_named(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    curve = ec.generate_private_key(ec.SECP256R1())
    sealed = curve.private_bytes(pem, pkcs8, serialization.BestAvailableEncryption(b"secret"))
    plain = curve.private_bytes(pem, pkcs8, serialization.NoEncryption())
    public = curve.public_key().public_bytes(pem, spki)
    for content, of_private, of_public in (
        (b"rubbish", "no private key", "no public key"),
        (sealed, "encrypted", "is a private key"),
        (plain, "not Ed25519", "is a private key"),
        (public, "no private key", "not Ed25519"),
    ):
        path.write_bytes(content)
        with pytest.raises(FileError, match=of_private):
            SigningKey.load(path)
        with pytest.raises(FileError, match=of_public):
            PublicKey.load(path)


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(cert, ["verify", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


def test_cli_prints_what_was_certified(report: Path) -> None:
    code, text = run(report)
    assert code == 0
    assert text.startswith(f"{report}: VALID\n")
    for part in (
        "self-test. Devices of the suite itself were judged; this proves nothing about any product.",
        "charger reference (virtual:bus) built in",
        "GB/T 27930-2015: withdrawn 2024-04-01",
        "demonstration key, made for this run",
        "proves integrity, not who signed",
        "6: 2 pass, 1 inconclusive, 1 fail, 1 error, 1 not applicable",
        "evidence for neither device alone",
        "7 checked, 0 not found",
        "one report was not written",
    ):
        assert part in text
    assert "\x1b" not in text


def test_cli_trusted_key_and_traces(report: Path, tmp_path: Path) -> None:
    KEY.public.save(tmp_path / "pub.pem")
    OTHER.public.save(tmp_path / "other.pem")
    code, text = run(report, "--key", tmp_path / "pub.pem", "--traces", tmp_path / "traces")
    assert (code, "by the given key" in text) == (0, True)
    code, text = run(report, "--key", tmp_path / "other.pem")
    assert (code, "NOT VALID" in text) == (1, True)
    (tmp_path / "traces" / "C-1.log").unlink()
    code, text = run(report)
    assert (code, "not checked  traces/C-1.log is not there" in text) == (0, True)
    (tmp_path / "traces" / "C-1.log").write_bytes(b"")
    code, text = run(report)
    assert (code, "its SHA-256 differs" in text) == (1, True)


def test_cli_bad_arguments(report: Path, tmp_path: Path) -> None:
    (tmp_path / "rubbish.pem").write_bytes(b"rubbish")
    for arguments in (
        [tmp_path / "none.json"],
        [tmp_path],
        [report, "--key", tmp_path / "none.pem"],
        [report, "--key", tmp_path / "rubbish.pem"],
        [report, "--traces", tmp_path / "none"],
    ):
        code, text = run(*arguments)
        assert (code, text.startswith("error: ")) == (4, True)


def test_cli_damaged_file(report: Path) -> None:
    for content in (b"", b"\x00\xff", CONTENT[:-40], CONTENT + CONTENT):
        report.write_bytes(content)
        code, text = run(report)
        assert (code, "NOT VALID" in text, "problem" in text) == (1, True, True)


def test_cli_shows_no_control_characters(tmp_path: Path) -> None:
    evil = Device(role="charger", name="x\x1b[2J\n  signature   holds", link="virtual:bus")
    path = tmp_path / "c.json"
    path.write_bytes(certify(finish(msgspec.structs.replace(RUN, devices=(evil,)), RESULT.cases), KEY))
    code, text = run(path)
    assert (code, "\x1b" in text) == (0, False)
    assert "x\\x1b[2J\\n  signature" in text
