"""The decision rule for times."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from swapproto_conformance.decision import Limit, decide
from swapproto_conformance.verdict import Verdict

PASS, OPEN, FAIL = Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL
CCS = Limit(50_000, 5_000)
WAIT = Limit(5_000_000, 500_000, early=False)
REPORT = Limit(5_000_000, 500_000, slack=1_000_000)

TIMES = st.integers(0, 200_000_000)
UNCERTAIN = st.integers(0, 60_000_000)
LIMITS = st.builds(
    Limit,
    st.integers(1, 60_000_000),
    st.integers(0, 60_000_000),
    st.booleans(),
    st.integers(0, 60_000_000),
)


@pytest.mark.parametrize(
    ("limit", "measured", "uncertainty", "verdict"),
    [
        (CCS, 50_000, 0, PASS),
        (CCS, 45_000, 0, PASS),
        (CCS, 55_000, 0, PASS),
        (CCS, 55_001, 0, OPEN),
        (CCS, 44_999, 0, OPEN),
        (CCS, 75_000, 0, OPEN),
        (CCS, 75_001, 0, FAIL),
        (CCS, 24_999, 0, FAIL),
        (CCS, 0, 0, FAIL),
        # The guard band: what the bench cannot tell, it does not decide.
        (CCS, 53_000, 2_000, PASS),
        (CCS, 53_001, 2_000, OPEN),
        (CCS, 50_000, 5_001, OPEN),
        (CCS, 77_000, 2_000, OPEN),
        (CCS, 77_001, 2_000, FAIL),
        # One-sided: sooner is never wrong, however coarse the bench.
        (WAIT, 0, 0, PASS),
        (WAIT, 100_000, 600_000, PASS),
        (WAIT, 5_500_000, 0, PASS),
        (WAIT, 5_500_001, 0, OPEN),
        (WAIT, 7_500_000, 0, OPEN),
        (WAIT, 7_500_001, 0, FAIL),
        # Slack lengthens a wait and never shortens it.
        (REPORT, 6_500_000, 0, PASS),
        (REPORT, 6_500_001, 0, OPEN),
        (REPORT, 8_500_001, 0, FAIL),
        (REPORT, 4_500_000, 0, PASS),
        (REPORT, 4_499_999, 0, OPEN),
        (REPORT, 2_499_999, 0, FAIL),
    ],
)
def test_table(limit: Limit, measured: int, uncertainty: int, verdict: Verdict) -> None:
    assert decide(measured, limit, uncertainty)[0] is verdict


@given(LIMITS, TIMES, UNCERTAIN)
def test_a_pass_needs_no_reason_and_all_else_has_one(limit: Limit, measured: int, uncertainty: int) -> None:
    verdict, reason = decide(measured, limit, uncertainty)
    assert (verdict is PASS) == (reason == "")
    assert verdict in (PASS, OPEN, FAIL)


@given(LIMITS, st.integers(0, 60_000_000), UNCERTAIN)
def test_without_slack_both_sides_count_alike(limit: Limit, off: int, uncertainty: int) -> None:
    assume(off <= limit.nominal)
    two_sided = Limit(limit.nominal, limit.tolerance)
    late = decide(limit.nominal + off, two_sided, uncertainty)[0]
    assert decide(limit.nominal - off, two_sided, uncertainty)[0] is late


@given(LIMITS, TIMES, TIMES, UNCERTAIN)
def test_farther_is_never_better(limit: Limit, one: int, other: int, uncertainty: int) -> None:
    longest = limit.nominal + limit.slack
    near, far = sorted((longest + one, longest + other))
    assert decide(near, limit, uncertainty)[0].rank <= decide(far, limit, uncertainty)[0].rank
    soon, sooner = max(0, limit.nominal - one), max(0, limit.nominal - other)
    worst, best = sorted((soon, sooner))
    if limit.early:
        assert decide(best, limit, uncertainty)[0].rank <= decide(worst, limit, uncertainty)[0].rank


@given(LIMITS, TIMES, TIMES, UNCERTAIN)
def test_where_sooner_is_allowed_it_is_never_worse(limit: Limit, one: int, other: int, u: int) -> None:
    one_sided = Limit(limit.nominal, limit.tolerance, False, limit.slack)
    sooner, later = sorted((one, other))
    assert decide(sooner, one_sided, u)[0].rank <= decide(later, one_sided, u)[0].rank


@given(LIMITS, TIMES, UNCERTAIN, UNCERTAIN)
def test_uncertainty_decides_nothing(limit: Limit, measured: int, one: int, other: int) -> None:
    less, more = sorted((one, other))
    coarse = decide(measured, limit, more)[0]
    assert coarse is OPEN or coarse is decide(measured, limit, less)[0]


@given(LIMITS, TIMES)
def test_a_perfect_bench_has_no_guard_band(limit: Limit, measured: int) -> None:
    late = measured - limit.nominal - limit.slack
    distance = max(late, limit.nominal - measured) if limit.early else late
    assert (decide(measured, limit, 0)[0] is PASS) == (distance <= limit.tolerance)


def test_the_reason_names_what_is_too_coarse() -> None:
    assert "±6 ms" in decide(50_000, CCS, 6_000)[1]
    assert "beyond the tolerance" in decide(60_000, CCS, 0)[1]


def test_a_limit_says_what_it_is() -> None:
    assert str(CCS) == "at 50 ms (tolerance 5 ms)"
    assert str(WAIT) == "within 5000 ms (tolerance 500 ms)"
    assert "up to 1000 ms more" in str(REPORT)
