"""The laws of the verdict."""

from itertools import product

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swapproto.provenance import Basis, Weight, weight
from swapproto_conformance.verdict import (
    NOTHING_EXAMINED,
    Conclusion,
    Finding,
    Verdict,
    ceiling,
    conclude,
    join,
    weigh,
)

verdicts = st.sampled_from(Verdict)
bases = st.sampled_from(Basis)
findings = st.builds(
    Finding,
    requirement_id=st.sampled_from(["A/1/x", "A/1/y"]),
    outcome=verdicts,
    verdict=verdicts,
    expected=st.just("a"),
    observed=st.just("b"),
    reason=st.sampled_from(["", "late"]),
    examined=st.integers(-1, 2),
)


def finding(verdict: Verdict, examined: int = 1, reason: str = "") -> Finding:
    return Finding(
        requirement_id="A/1/x",
        outcome=verdict,
        verdict=verdict,
        expected="within 50 ms",
        observed="70 ms",
        reason=reason,
        examined=examined,
    )


def test_join_over_all_triples() -> None:
    for a, b, c in product(Verdict, repeat=3):
        assert join(a, join(b, c)) is join(join(a, b), c) is join(a, b, c)
        assert join(a, b) is join(b, a)
        assert join(a, a) is a
        assert join(a, Verdict.NOT_APPLICABLE) is a
        assert join(a, b) in (a, b)


def test_the_order() -> None:
    worse = [Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL, Verdict.ERROR]
    for i, j in product(range(4), repeat=2):
        assert join(worse[i], worse[j]) is worse[max(i, j)]
    assert join() is Verdict.NOT_APPLICABLE


@given(st.lists(verdicts), st.lists(verdicts))
def test_join_is_a_fold(left: list[Verdict], right: list[Verdict]) -> None:
    assert join(*left, *right) is join(join(*left), join(*right))


def test_verdicts_do_not_compare_as_text() -> None:
    with pytest.raises(TypeError):
        sorted(Verdict)  # type: ignore[type-var]  # that it raises is the point


@given(st.text())
def test_an_unknown_status_is_an_error(text: str) -> None:
    known = {verdict.value for verdict in Verdict}
    read = msgspec.json.decode(msgspec.json.encode(text), type=Verdict)
    assert read is (Verdict(text) if text in known else Verdict.ERROR)


@pytest.mark.parametrize(
    ("basis", "witnesses", "expected"),
    [
        *((Basis.STATED, n, Weight.FULL) for n in range(4)),
        *((basis, n, Weight.NONE) for basis in (Basis.ASSUMED, Basis.UNSET) for n in range(4)),
        *((Basis.DERIVED, n, Weight.PASS_ONLY) for n in range(4)),
        *((basis, 0, Weight.NONE) for basis in (Basis.REPORTED, Basis.OBSERVED)),
        *((basis, 1, Weight.PASS_ONLY) for basis in (Basis.REPORTED, Basis.OBSERVED)),
        *((basis, n, Weight.FULL) for basis in (Basis.REPORTED, Basis.OBSERVED) for n in (2, 3)),
    ],
)
def test_weight_over_the_product(basis: Basis, witnesses: int, expected: Weight) -> None:
    assert weight(basis, witnesses) is expected
    passes = expected is not Weight.NONE
    fails = expected is Weight.FULL
    inconclusive = Verdict.INCONCLUSIVE
    assert weigh(Verdict.PASS, basis, witnesses) is (Verdict.PASS if passes else inconclusive)
    assert weigh(Verdict.FAIL, basis, witnesses) is (Verdict.FAIL if fails else inconclusive)
    assert ceiling(basis, witnesses) is (Verdict.FAIL if fails else inconclusive)
    for untouched in (Verdict.NOT_APPLICABLE, inconclusive, Verdict.ERROR):
        assert weigh(untouched, basis, witnesses) is untouched


@given(verdicts, bases, st.integers(-3, 5))
def test_weighing_never_accuses_and_settles_at_once(outcome: Verdict, basis: Basis, witnesses: int) -> None:
    weighed = weigh(outcome, basis, witnesses)
    assert weighed in (outcome, Verdict.INCONCLUSIVE)
    assert weigh(weighed, basis, witnesses) is weighed
    if outcome is not Verdict.PASS:
        assert weighed.rank <= outcome.rank
    if witnesses <= 0 and basis is not Basis.STATED:
        assert weighed is not Verdict.FAIL


@given(st.lists(findings), st.none() | st.integers(-1, 3))
def test_conclude_is_never_flattering(found: list[Finding], examined: int | None) -> None:
    verdict, reason = conclude(found, examined)
    total = sum(each.examined for each in found) if examined is None else examined
    assert reason
    assert verdict.rank >= join(*(each.verdict for each in found)).rank
    if verdict is Verdict.PASS:
        assert total > 0
        assert all(each.verdict in (Verdict.PASS, Verdict.NOT_APPLICABLE) for each in found)
        assert all(each.examined > 0 for each in found if each.verdict is Verdict.PASS)
    if verdict in (Verdict.FAIL, Verdict.ERROR):
        assert verdict in [each.verdict for each in found]
    if not found:
        assert verdict is Verdict.INCONCLUSIVE


@given(st.lists(findings))
def test_a_harness_fault_is_an_error_whatever_was_found(found: list[Finding]) -> None:
    assert conclude(found, error="the link closed") == (Verdict.ERROR, "the link closed")


@pytest.mark.parametrize(
    ("found", "examined", "expected"),
    [
        ([], None, Conclusion(Verdict.INCONCLUSIVE, NOTHING_EXAMINED)),
        ([], 5, Conclusion(Verdict.INCONCLUSIVE, NOTHING_EXAMINED)),
        ([finding(Verdict.PASS)], 0, Conclusion(Verdict.INCONCLUSIVE, NOTHING_EXAMINED)),
        ([finding(Verdict.PASS, 0)], 3, Conclusion(Verdict.INCONCLUSIVE, f"A/1/x: {NOTHING_EXAMINED}")),
        ([finding(Verdict.PASS)], None, Conclusion(Verdict.PASS, "the requirement held")),
        ([finding(Verdict.PASS, 1, "60 of 60")], None, Conclusion(Verdict.PASS, "60 of 60")),
        ([finding(Verdict.PASS)] * 2, None, Conclusion(Verdict.PASS, "2 findings held")),
        (
            [finding(Verdict.PASS), finding(Verdict.FAIL), finding(Verdict.FAIL)],
            None,
            Conclusion(Verdict.FAIL, "A/1/x: expected within 50 ms; observed 70 ms (and 1 more)"),
        ),
        (
            [finding(Verdict.NOT_APPLICABLE, 0, "no DC output")],
            None,
            Conclusion(Verdict.NOT_APPLICABLE, "A/1/x: no DC output"),
        ),
    ],
)
def test_conclusions(found: list[Finding], examined: int | None, expected: Conclusion) -> None:
    assert conclude(found, examined) == expected
