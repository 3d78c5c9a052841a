"""junit.xml keeps failure, error and skipped apart."""

import xml.etree.ElementTree as ET
from itertools import combinations_with_replacement

import pytest
from hypothesis import given
from hypothesis import strategies as st
from junitparser import JUnitXml

from swapproto_conformance.junit import printable, to_junit
from swapproto_conformance.results import (
    Bench,
    CaseResult,
    Device,
    RunInfo,
    RunResult,
    Standard,
    count,
    finish,
)
from swapproto_conformance.verdict import Finding, Verdict

RUN = RunInfo(
    suite_version="0.1.0",
    kind="self-test",
    created="2026-01-02T03:04:05Z",
    profile="example",
    standards=(Standard(name="GB/T 27930-2015", state="withdrawn 2024-04-01"),),
    devices=(Device(role="bms", name="reference", link="virtual:bus"),),
    bench=Bench(name="bench", stamp_resolution_us=1),
)


def case(verdict: Verdict, *beneath: Verdict, reason: str = "because", id_: str = "X/1") -> CaseResult:
    findings = tuple(
        Finding(
            requirement_id="A/1/x", outcome=each, verdict=each, expected="50 ms", observed="70 ms", examined=1
        )
        for each in beneath
    )
    return CaseResult(
        id=id_,
        title="one",
        role="bms",
        polarity="positive",
        phase="handshake",
        verdict=verdict,
        reason=reason,
        findings=findings,
        duration_us=1_250_000,
    )


ERROR_OVER_FAIL = case(Verdict.ERROR, Verdict.PASS, Verdict.FAIL, reason="the link closed")
ALL_CASES = [*(case(verdict, verdict) for verdict in Verdict), ERROR_OVER_FAIL]


def parsed(result: RunResult) -> JUnitXml:
    return JUnitXml.fromstring(to_junit(result))


@pytest.mark.parametrize(
    ("ran", "expected"),
    [
        (ALL_CASES[0], [("skipped", "not applicable: because")]),
        (ALL_CASES[1], []),
        (ALL_CASES[2], [("skipped", "inconclusive: because")]),
        (ALL_CASES[3], [("failure", "because")]),
        (ALL_CASES[4], [("error", "because")]),
        (ERROR_OVER_FAIL, [("failure", "A/1/x"), ("error", "the link closed")]),
    ],
)
def test_each_verdict_has_its_element(ran: CaseResult, expected: list[tuple[str, str]]) -> None:
    (suite,) = parsed(finish(RUN, [ran]))
    (element,) = suite
    found = [(each.tag, each.get("message")) for each in element._elem]
    assert found == expected
    assert (element.name, element.classname, element.time) == ("X/1 one", "bms", 1.25)


def test_totals_are_those_of_the_run() -> None:
    for size in range(4):
        for cases in combinations_with_replacement(ALL_CASES, size):
            xml = parsed(finish(RUN, cases))
            counts = count(cases)
            claimed = (xml.tests, xml.failures, xml.errors, xml.skipped)
            assert claimed == (
                counts.total,
                counts.failed + counts.failed_under_error,
                counts.errors,
                counts.inconclusive + counts.not_applicable,
            )
            xml.update_statistics()  # type: ignore[no-untyped-call]  # junitparser has no hints here
            assert (xml.tests, xml.failures, xml.errors, xml.skipped) == claimed


def test_a_failure_tells_requirement_expected_and_observed() -> None:
    (suite,) = parsed(finish(RUN, [case(Verdict.FAIL, Verdict.PASS, Verdict.FAIL)]))
    (element,) = suite
    (failure,) = element.result
    assert failure.text == "A/1/x: fail\n  expected 50 ms\n  observed 70 ms"


def test_a_self_test_says_so_and_standards_have_their_state() -> None:
    (suite,) = parsed(finish(RUN, [case(Verdict.PASS)]))
    properties = {each.name: each.value for each in suite.properties()}  # type: ignore[no-untyped-call]  # as above
    assert properties["kind"].startswith("self-test: ")
    assert properties["GB/T 27930-2015"] == "withdrawn 2024-04-01"


def test_pairs_and_harness_problems_stand_apart() -> None:
    xml = parsed(finish(RUN, [case(Verdict.PASS)], [case(Verdict.FAIL)], ["the page was not written"]))
    assert [(each.name, each.tests, each.failures, each.errors) for each in xml] == [
        ("bms", 1, 0, 0),
        ("interoperation", 1, 1, 0),
        ("harness", 1, 0, 1),
    ]
    assert (xml.tests, xml.failures, xml.errors) == (3, 1, 1)


@given(st.text(st.characters() | st.characters(categories=["Cs", "Cc", "Cf"]) | st.sampled_from('\ufffe<&"')))
def test_any_text_makes_valid_xml(text: str) -> None:
    ran = case(Verdict.FAIL, Verdict.FAIL, reason=text, id_=text)
    root = ET.fromstring(to_junit(finish(RUN, [ran], [], [text])))
    failure = root.find(".//failure")
    assert failure is not None
    assert failure.get("message") == printable(text)


def test_control_characters_stay_visible() -> None:
    assert printable("a\x1b[2Jb\x00\ud800\u202e电\n") == "a\\x1b[2Jb\\x00\\ud800\\u202e电\n"
