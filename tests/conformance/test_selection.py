"""Which devices and cases a run takes."""

import pytest

from swapproto.messages.gbt27930 import Party
from swapproto_conformance.cases import CASES
from swapproto_conformance.devices import REFERENCE
from swapproto_conformance.selection import SelectionError, select, under_test

CHARGER = under_test(Party.CHARGER, REFERENCE)
PACK = under_test(Party.BMS, REFERENCE)
NEEDS = {case.id for case in CASES if case.needs}


def test_by_default_all_that_this_bench_can_decide() -> None:
    chosen = select([CHARGER, PACK], ())
    assert {case.id for case in chosen.cases} == {case.id for case in CASES} - NEEDS
    assert {each.id for each in chosen.left_out} == NEEDS
    assert all(each.reason.startswith("needs ") for each in chosen.left_out)
    assert chosen.pair


def test_one_device_gets_the_cases_of_its_role_and_no_pair() -> None:
    chosen = select([PACK], ())
    assert {case.iut for case in chosen.cases} == {Party.BMS}
    assert not chosen.pair


def test_a_pattern_takes_nothing_that_needs_more_than_the_bench() -> None:
    chosen = select([CHARGER], ["charger.end.*"])
    assert {case.id for case in chosen.cases} == {
        case.id for case in CASES if case.id.startswith("charger.end.")
    } - NEEDS
    assert not chosen.pair


@pytest.mark.parametrize("name", ["charger.end.current-falls", "DP.3004", "DP.3005"])
def test_its_whole_name_takes_it(name: str) -> None:
    (case,) = select([CHARGER], [name]).cases
    assert case.needs


@pytest.mark.parametrize(
    "patterns",
    [
        ["nothing"],
        ["charger.charging.ccs", "charger.charging.ccs2"],
        ["pack.*"],
        ["DP.2002*"],
        ["pair.charge"],
    ],
)
def test_a_name_that_fits_nothing_is_an_error(patterns: list[str]) -> None:
    with pytest.raises(SelectionError, match="fits"):
        select([CHARGER], patterns)


def test_an_overlap_counts_once_and_keeps_the_order_of_the_suite() -> None:
    chosen = select([CHARGER, PACK], ["pack.end.*", "pack.end.bst", "charger.charging.ccs", "pair.*"])
    assert [case.id for case in chosen.cases] == [
        "charger.charging.ccs",
        *(case.id for case in CASES if case.id.startswith("pack.end.")),
    ]
    assert chosen.pair


def test_an_unknown_device_is_told_of_its_neighbours() -> None:
    with pytest.raises(SelectionError, match="mutant:ccs-slow"):
        under_test(Party.CHARGER, "mutant:ccs-slov")
    with pytest.raises(SelectionError, match="reference"):
        under_test(Party.BMS, "")
    with pytest.raises(SelectionError, match="no BMS"):
        under_test(Party.BMS, "mutant:ccs-slow")
    assert under_test(Party.BMS, "can:virtual:x").built_in is None
