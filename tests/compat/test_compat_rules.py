"""The rules one by one: what they weigh, and what they may never decide."""

from itertools import product

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swapproto.compat import RULES, Descriptor, Outcome, Rule, Standing, Verdict, check, load_scenario
from swapproto.compat.answer import NoSuchPair
from swapproto.compat.descriptor import Declared, Device, Value
from swapproto.compat.keys import KEYS, Form
from swapproto.compat.requirement import REQUIREMENTS
from swapproto.compat.rules import judge
from swapproto.compat.rules.model import How
from swapproto.compat.words import Words
from swapproto.profile import KEYS as ITEMS
from swapproto.profile.values import parse_outline, parse_quantity, parse_range
from swapproto_conformance.cases import CASES

PILOT = load_scenario()
RULE = pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])
SIDE = pytest.mark.parametrize("side", [0, 1])
FITTING = pytest.mark.parametrize("fitting", [True, False], ids=["fitting", "clashing"])


def resting_on(value: Declared, standing: Standing, witnesses: int = 0) -> Declared:
    return msgspec.structs.replace(value, standing=standing, witnesses=witnesses, supposed=False)


def unset(value: Declared) -> Declared:
    return msgspec.structs.replace(
        value, value=None, text=Words("", ""), standing=Standing.UNSET, witnesses=0, why="nobody says"
    )


def declared(device: Descriptor) -> Descriptor:
    values = {key: resting_on(value, Standing.DECLARED) for key, value in device.values.items()}
    return msgspec.structs.replace(device, values=values)


def changed(device: Descriptor, *values: Declared) -> Descriptor:
    return msgspec.structs.replace(device, values={**device.values, **{value.key: value for value in values}})


TRIO = {
    each.kind: each
    for each in (
        declared(PILOT["a-282"]),
        declared(PILOT["zhenjiang-dagang"]),
        declared(PILOT["nanjing-tractor"]),
    )
}


def clash(rule: Rule) -> Value:
    """A first input that no device of the trio can meet."""
    key = KEYS[rule.inputs[0].device][rule.inputs[0].key]
    match key.form:
        case Form.NAMES:
            return ("gbt27930-2011",) if rule.inputs[0].key == "protocol.charging" else ("none of theirs",)
        case Form.COUNT | Form.COUNTS | Form.ADDRESS:
            return (99,)
        case Form.OUTLINE:
            return (parse_outline("9 m x 9 m x 9 m"),)
        case Form.RANGE:
            return (parse_range("1 V .. 9 kV"),)
        case Form.QUANTITIES:
            unit = {"voltage": "V", "energy": "kWh", "bit rate": "kbit/s", "temperature": "degC"}
            return (parse_quantity(f"7 {unit[key.dimension]}"),)
        case Form.QUANTITY:
            least = {
                "electrical.charge_current": "1 A",
                "mechanical.mass": "90 t",
                "mechanical.height": "90 m",
            }
            return (parse_quantity(least[rule.inputs[0].key]),)


def inputs(rule: Rule, *, fitting: bool = True) -> tuple[Declared, Declared]:
    one, other = (TRIO[each.device][each.key] for each in rule.inputs)
    return (one if fitting else msgspec.structs.replace(one, value=clash(rule))), other


@RULE
def test_every_rule_can_hold_and_can_refuse(rule: Rule) -> None:
    assert judge(rule, *inputs(rule)).outcome is Outcome.HOLDS
    refused = judge(rule, *inputs(rule, fitting=False))
    assert refused.outcome is Outcome.VIOLATED
    assert refused.reason.en
    assert refused.reason.zh
    assert not refused.settles


@RULE
@SIDE
@FITTING
def test_what_rests_on_an_assumed_value_is_unknown(rule: Rule, side: int, fitting: bool) -> None:
    pair = list(inputs(rule, fitting=fitting))
    pair[side] = resting_on(pair[side], Standing.ASSUMED)
    result = judge(rule, *pair)
    assert result.outcome is Outcome.UNKNOWN
    assert not result.finding
    assert pair[side].title.en in result.reason.en
    assert (How.VALUE, f"{pair[side].device} {pair[side].key}") in [(s.how, s.what) for s in result.settles]


@RULE
@SIDE
@FITTING
@pytest.mark.parametrize("supposed", [False, True])
def test_what_rests_on_an_unset_value_is_unknown(
    rule: Rule, side: int, fitting: bool, supposed: bool
) -> None:
    pair = [msgspec.structs.replace(each, supposed=supposed) for each in inputs(rule, fitting=fitting)]
    pair[side] = unset(pair[side])
    result = judge(rule, *pair)
    assert result.outcome is Outcome.UNKNOWN
    assert "nobody says" in result.reason.en
    hows = [each.how for each in result.settles]
    assert How.VALUE in hows
    assert (How.CASE in hows) is bool(rule.cases)
    assert (How.TEXT in hows) is (rule.clause is not None and not rule.clause.leaf.is_set)


@RULE
@SIDE
@pytest.mark.parametrize("standing", [Standing.ASSUMED, Standing.UNSET])
def test_no_such_value_makes_an_answer(rule: Rule, side: int, standing: Standing) -> None:
    where = rule.inputs[side]
    value = TRIO[where.device][where.key]
    weak = unset(value) if standing is Standing.UNSET else resting_on(value, standing)
    devices = TRIO | {where.device: changed(TRIO[where.device], weak)}
    answer = check(*devices.values())
    assert answer.verdict is Verdict.UNKNOWN
    assert rule in [each.rule for each in answer.reasons]
    assert any(weak in each.inputs for each in answer.reasons)


@RULE
@SIDE
@pytest.mark.parametrize(
    ("standing", "witnesses", "decides"),
    [
        (Standing.STATED, 0, True),
        (Standing.REPORTED, 2, True),
        (Standing.OBSERVED, 2, True),
        (Standing.REPORTED, 1, False),
        (Standing.OBSERVED, 1, False),
        (Standing.DERIVED, 0, False),
    ],
)
def test_a_single_witness_can_let_a_rule_hold_and_not_refuse(
    rule: Rule, side: int, standing: Standing, witnesses: int, decides: bool
) -> None:
    for fitting in (True, False):
        pair = list(inputs(rule, fitting=fitting))
        pair[side] = resting_on(pair[side], standing, witnesses)
        result = judge(rule, *pair)
        if fitting:
            assert result.outcome is Outcome.HOLDS
        else:
            assert result.outcome is (Outcome.VIOLATED if decides else Outcome.UNKNOWN)
            assert result.finding is not decides
            assert bool(result.settles) is not decides


@RULE
def test_where_a_rule_points_there_is_something(rule: Rule) -> None:
    known = {each.id for each in CASES}
    assert set(rule.cases) <= known
    for each in rule.inputs:
        assert each.key in KEYS[each.device]
    assert rule.id.startswith("-".join(each.value for each in rule.pair))
    if rule.clause is not None:
        assert rule.clause.leaf.key == rule.clause.key


def test_rules_have_names_of_their_own_and_leave_no_value_out() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    asked = {(each.device, each.key) for rule in RULES for each in rule.inputs}
    asked |= {(each.device, each.key) for each in REQUIREMENTS}
    assert asked == {(kind, key) for kind, keys in KEYS.items() for key in keys}
    assert {key.item for keys in KEYS.values() for key in keys.values() if key.item} <= set(ITEMS)


def test_handling_is_asked_first_and_alone_where_it_is_violated() -> None:
    bottom = declared(PILOT["p-car"])
    answer = check(bottom, TRIO[Device.STATION], TRIO[Device.TRUCK])
    assert answer.verdict is Verdict.INCOMPATIBLE
    assert {each.rule.id for each in answer.results} == {
        "pack-station.handling",
        "pack-truck.handling",
        "truck-station.handling",
    }
    assert {each.rule.title.en for each in answer.reasons} == {"handling"}


def test_an_unknown_handling_leaves_the_others_their_say() -> None:
    pack = changed(declared(PILOT["e-heavy"]), unset(TRIO[Device.PACK]["mechanical.handling"]))
    answer = check(pack, TRIO[Device.STATION])
    assert answer.verdict is Verdict.INCOMPATIBLE
    assert [each.rule.id for each in answer.reasons] == ["pack-station.mass"]


def test_editions_of_which_only_a_run_can_tell() -> None:
    answer = check(declared(PILOT["d-282"]), TRIO[Device.STATION])
    assert answer.verdict is Verdict.UNKNOWN
    assert {each.how for each in answer.settles} == {How.CASE}
    assert "charger.charging.ccs" in {each.what for each in answer.settles}


@pytest.mark.parametrize(("pack", "refused"), [("500 V .. 730 V", False), ("100 V .. 730 V", True)])
def test_ranges_lie_in_one_another(pack: str, refused: bool) -> None:
    narrow = msgspec.structs.replace(
        TRIO[Device.PACK]["electrical.voltage_range"], value=(parse_range(pack),)
    )
    answer = check(changed(TRIO[Device.PACK], narrow), TRIO[Device.STATION])
    assert (answer.verdict is Verdict.INCOMPATIBLE) is refused


@pytest.mark.parametrize(
    ("outline", "sides"),
    [
        ("1.3 m x 2.5 m x 2.2 m", ""),
        ("1301 mm x 2.5 m x 2.2 m", "length"),
        ("1.3 m x 2501 mm x 2.2 m", "width"),
        ("1.3 m x 2.5 m x 2201 mm", "height"),
        ("1.4 m x 2.6 m x 2.3 m", "length width height"),
    ],
)
def test_each_side_that_is_too_long_is_named(outline: str, sides: str) -> None:
    given_outline = msgspec.structs.replace(
        TRIO[Device.PACK]["mechanical.outline"], value=(parse_outline(outline),)
    )
    answer = check(changed(TRIO[Device.PACK], given_outline), TRIO[Device.STATION])
    text = " ".join(each.reason.en for each in answer.reasons)
    assert [side for side in ("length", "width", "height") if side in text] == sides.split()


def test_two_of_a_kind_do_not_meet() -> None:
    with pytest.raises(NoSuchPair, match="a-282"):
        check(PILOT["a-282"], PILOT["b-282"])
    with pytest.raises(NoSuchPair):
        check(PILOT["a-282"])


PARTIES = [
    (declared(pack), declared(station), declared(truck))
    for pack, station, truck in product(
        PILOT.packs,
        (PILOT["zhenjiang-dagang"], PILOT["wuxi-2"], PILOT["danyang-1"]),
        (PILOT["nanjing-tractor"], PILOT["car"]),
    )
]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_learning_a_value_never_turns_an_answer_into_its_contrary(data: st.DataObject) -> None:
    full = data.draw(st.sampled_from(PARTIES))
    forgotten: list[Descriptor] = []
    for device in full:
        keys = data.draw(st.sets(st.sampled_from(sorted(device.values)), max_size=4))
        forgotten.append(changed(device, *(unset(device[key]) for key in keys)))
    before, after = check(*forgotten), check(*full)
    assert before.verdict in (Verdict.UNKNOWN, after.verdict)


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(PARTIES), st.permutations([0, 1, 2]))
def test_the_order_of_the_devices_means_nothing(
    party: tuple[Descriptor, Descriptor, Descriptor], order: list[int]
) -> None:
    there = check(*(party[place] for place in order))
    here = check(*party)
    assert (there.verdict, there.results) == (here.verdict, here.results)


@pytest.mark.parametrize(
    ("key", "value", "refused"),
    [
        ("mechanical.mass", "4.0 t", False),
        ("mechanical.mass", "4000 kg", False),
        ("mechanical.mass", "4001 kg", True),
        ("electrical.charge_current", "10 A", False),
        ("electrical.charge_current", "9.9 A", True),
    ],
)
def test_a_limit_itself_is_allowed(key: str, value: str, refused: bool) -> None:
    edge = msgspec.structs.replace(TRIO[Device.PACK][key], value=(parse_quantity(value),))
    answer = check(changed(TRIO[Device.PACK], edge), TRIO[Device.STATION])
    assert (answer.verdict is Verdict.INCOMPATIBLE) is refused
