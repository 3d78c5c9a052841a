"""results.json, the counts and the exit code."""

import json
from collections.abc import Iterator
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Literal, get_args

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import swapproto_conformance.schemas
from swapproto.atomic import FileError
from swapproto_conformance.results import (
    MEANING,
    Bench,
    CaseResult,
    Counts,
    Device,
    FailOn,
    Kind,
    NotSelected,
    RunInfo,
    RunResult,
    Standard,
    canonical,
    count,
    decode_results,
    encode_results,
    exit_code,
    finish,
    read_results,
)
from swapproto_conformance.schemas import SCHEMAS
from swapproto_conformance.verdict import Finding, Verdict

RUN = RunInfo(
    suite_version="0.1.0",
    kind="self-test",
    created="2026-01-02T03:04:05Z",
    profile="gbt27930-2015",
    standards=(Standard(name="GB/T 27930-2015", state="withdrawn 2024-04-01"),),
    devices=(Device(role="charger", name="reference", link="virtual:bus"),),
    bench=Bench(name="virtual bus", stamp_resolution_us=1),
    seeds={"jitter": 7, "bus": 1},
    not_selected=(NotSelected(id="X/9", title="nine", reason="needs another bench"),),
)


def finding(verdict: Verdict) -> Finding:
    return Finding(
        requirement_id="A/1/x", outcome=verdict, verdict=verdict, expected="a", observed="b", examined=1
    )


def case(
    verdict: Verdict, *beneath: Verdict, id_: str = "X/1", role: Literal["charger", "pair"] = "charger"
) -> CaseResult:
    return CaseResult(
        id=id_,
        title="one",
        role=role,
        polarity="positive",
        phase="handshake",
        verdict=verdict,
        reason="because",
        findings=tuple(map(finding, beneath)),
        duration_us=1_250_000,
    )


ERROR_OVER_FAIL = case(Verdict.ERROR, Verdict.PASS, Verdict.FAIL)
ALL_CASES = [*(case(verdict) for verdict in Verdict), ERROR_OVER_FAIL]


def expected_exit(cases: tuple[CaseResult, ...], problems: int, fail_on: FailOn) -> int:
    shown = {each.verdict for each in cases}
    table = [
        (1, Verdict.FAIL in shown or ERROR_OVER_FAIL in cases),
        (3, Verdict.ERROR in shown or problems > 0),
        (4, not cases),
        (2, Verdict.INCONCLUSIVE in shown and fail_on == "inconclusive"),
        (0, True),
    ]
    return next(code for code, applies in table if applies)


def products() -> Iterator[tuple[tuple[CaseResult, ...], int, FailOn]]:
    for size in range(4):
        for cases in combinations_with_replacement(ALL_CASES, size):
            for problems in (0, 1):
                for fail_on in get_args(FailOn):
                    yield cases, problems, fail_on


def test_exit_codes_over_the_product() -> None:
    codes = set()
    for cases, problems, fail_on in products():
        expected = expected_exit(cases, problems, fail_on)
        codes.add(expected)
        assert exit_code(cases, problems=problems, fail_on=fail_on) == expected
        assert exit_code(cases[::-1], problems=problems, fail_on=fail_on) == expected
    assert codes == {0, 1, 2, 3, 4}


def test_exit_code_of_single_cases() -> None:
    codes = {each.verdict: exit_code([each]) for each in ALL_CASES[:-1]}
    assert codes == {
        Verdict.NOT_APPLICABLE: 0,
        Verdict.PASS: 0,
        Verdict.INCONCLUSIVE: 2,
        Verdict.FAIL: 1,
        Verdict.ERROR: 3,
    }
    assert exit_code([ERROR_OVER_FAIL]) == 1
    assert exit_code([case(Verdict.INCONCLUSIVE)], fail_on="fail") == 0


def test_pairs_and_problems_reach_the_exit_code() -> None:
    passed = case(Verdict.PASS)
    assert finish(RUN, [passed]).exit_code() == 0
    assert finish(RUN, [passed], [case(Verdict.FAIL, role="pair")]).exit_code() == 1
    assert finish(RUN, [passed], problems=["page not written"]).exit_code() == 3
    assert finish(RUN, [passed]).exit_code(later_problems=1) == 3
    assert finish(RUN, []).exit_code() == 4


@given(st.lists(st.sampled_from(ALL_CASES)))
def test_counts_add_up(cases: list[CaseResult]) -> None:
    counts = count(cases)
    by_verdict = [
        counts.passed,
        counts.inconclusive,
        counts.failed,
        counts.errors,
        counts.not_applicable,
    ]
    assert sum(by_verdict) == counts.total == len(cases)
    assert counts.failed_under_error == cases.count(ERROR_OVER_FAIL)


def result() -> RunResult:
    cases = [case(verdict, verdict, id_=f"X/{number}") for number, verdict in enumerate(Verdict)]
    return finish(RUN, cases, [case(Verdict.PASS, id_="P/1", role="pair")], ["one problem"])


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_bytes(encode_results(result()))
    assert read_results(path) == result()
    assert encode_results(read_results(path)) == path.read_bytes()


def test_keys_are_sorted_and_there_are_no_floats() -> None:
    def refuse(text: str) -> float:
        raise AssertionError(text)

    content = encode_results(result())
    loaded = json.loads(content, parse_float=refuse)
    assert json.dumps(loaded, sort_keys=True, separators=(",", ":")).encode() == canonical(result())
    assert list(loaded["run"]["seeds"]) == ["bus", "jitter"]


def test_an_unknown_verdict_becomes_an_error_and_is_counted_so() -> None:
    content = encode_results(result()).replace(b'"verdict": "pass"', b'"verdict": "forced_to_pass"')
    read = decode_results(content)
    assert Verdict.PASS not in [each.verdict for each in read.cases + read.interoperation]
    assert (read.counts.passed, read.counts.errors) == (0, 2)
    assert read.interoperation_counts == Counts(
        total=1, passed=0, inconclusive=0, failed=0, errors=1, not_applicable=0, failed_under_error=0
    )


def test_claimed_counts_are_not_believed() -> None:
    content = encode_results(result()).replace(b'"passed": 1', b'"passed": 31')
    assert b'"passed": 31' in content
    assert decode_results(content) == result()


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"\xff", b'{"schema": "urn:swapproto:results:v2"}', b"[" * 100_000],
)
def test_what_is_no_result_is_refused(content: bytes) -> None:
    with pytest.raises(FileError, match=r"^x\.json: is no results file of this version"):
        decode_results(content, "x.json")


def test_null_is_no_verdict() -> None:
    content = encode_results(result()).replace(b'"verdict": "pass"', b'"verdict": null')
    with pytest.raises(FileError, match="null"):
        decode_results(content)


def test_every_kind_has_a_meaning() -> None:
    assert set(MEANING) == set(get_args(Kind))


@pytest.mark.parametrize("name", list(SCHEMAS))
def test_committed_schemas_are_fresh(name: str) -> None:
    folder = Path(swapproto_conformance.schemas.__path__[0])
    assert (folder / name).read_bytes() == SCHEMAS[name], "run: python -m swapproto_conformance.schemas"


def test_results_keep_to_the_schema() -> None:
    schema = json.loads(SCHEMAS["results-v1.schema.json"])
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    good = json.loads(encode_results(result()))
    validator.validate(good)
    good["cases"][0]["verdict"] = "great"
    assert not validator.is_valid(good)
    late = msgspec.structs.replace(RUN, created="2026-01-02 03:04")
    assert not validator.is_valid(json.loads(encode_results(finish(late, []))))
