"""A profile as an input: what each item may decide about a device, over all bases of both values."""

from pathlib import Path

import msgspec
import pytest

from swapproto.compat import (
    REQUIREMENTS,
    Declared,
    Descriptor,
    Device,
    Outcome,
    Requirement,
    Standing,
    Verdict,
    check,
    conforms,
    load_scenario,
)
from swapproto.compat.conform import weigh
from swapproto.compat.descriptor import Value
from swapproto.compat.keys import CHARGING, KEYS, VEHICLE, Form
from swapproto.compat.load import parse_descriptor
from swapproto.compat.requirement import BUSES
from swapproto.compat.rules.model import How
from swapproto.compat.words import Words
from swapproto.messages.catalog import SETS
from swapproto.profile import KEYS as ITEMS
from swapproto.profile import Governs, Leaf, Profile, in_text, load
from swapproto.profile.values import Scalar, parse_measure, parse_outline, parse_quantity, parse_range
from swapproto.profile.values import Value as ItemValue
from swapproto.provenance import Basis, Source
from swapproto_conformance.cases import CASES

PILOT = load_scenario()
OVERLAY = Path(__file__).parents[2] / "examples" / "overlay" / "lab-overlay.toml"
JIANGSU = "cn-js-hdt-2022"
ASKED = pytest.mark.parametrize("asked", REQUIREMENTS, ids=[each.id for each in REQUIREMENTS])
FITTING = pytest.mark.parametrize("fitting", [True, False], ids=["fitting", "clashing"])
SPEAKS = {VEHICLE: ("pack-can-d0f3",), CHARGING: ("gbt27930-2015",), "": ()}
UNITS = {
    "mass": "t",
    "voltage": "V",
    "energy": "kWh",
    "bit rate": "kbit/s",
    "temperature": "degC",
    "current": "A",
}
FULL = [(Basis.STATED, 0), (Basis.REPORTED, 2), (Basis.OBSERVED, 2)]
PASS_ONLY = [(Basis.REPORTED, 1), (Basis.OBSERVED, 1), (Basis.DERIVED, 0)]
NOTHING = [(Basis.ASSUMED, 0), (Basis.UNSET, 0)]


def declared(device: Descriptor) -> Descriptor:
    values = {
        key: msgspec.structs.replace(value, standing=Standing.DECLARED, supposed=False)
        for key, value in device.values.items()
    }
    return msgspec.structs.replace(device, values=values)


TRIO = {
    each.kind: each
    for each in (
        declared(PILOT["a-282"]),
        declared(PILOT["zhenjiang-dagang"]),
        declared(PILOT["nanjing-tractor"]),
    )
}


def changed(device: Descriptor, key: str, *value: Scalar) -> Descriptor:
    text = in_text(value)
    new = msgspec.structs.replace(device[key], value=value, text=Words(text, text))
    return msgspec.structs.replace(device, values={**device.values, key: new})


def values(asked: Requirement, *, fitting: bool) -> tuple[Value, ItemValue]:
    """What a device has, and what a profile asks that it meets, or does not."""
    key = KEYS[asked.device][asked.key]
    unit = UNITS.get(key.dimension, "")
    has: Scalar
    match key.form:
        case Form.NAMES:
            has, other, *_ = key.known or ("x", "y")
            return (has,), has if fitting else other
        case Form.COUNT | Form.COUNTS:
            return (5,), parse_quantity("5" if fitting else "6", "number")
        case Form.ADDRESS:
            return (5,), 5 if fitting else 6
        case Form.OUTLINE:
            has = parse_outline("1 m x 2 m x 3 m")
            return (has,), has if fitting else parse_outline("1 m x 2001 mm x 3 m")
        case Form.QUANTITY | Form.QUANTITIES:
            return (parse_quantity(f"7 {unit}"),), parse_quantity(f"{7 if fitting else 8} {unit}")
        case Form.RANGE:
            has = parse_range(f"100 {unit} .. 200 {unit}")
            if asked.item.name == "pack.maximum_voltage":
                clash = "199 V" if asked.device is Device.PACK else "201 V"
                return (has,), parse_quantity("200 V" if fitting else clash)
            return (has,), has if fitting else parse_range(f"100 {unit} .. 201 {unit}")


def leaf(key: str, value: ItemValue, basis: Basis, witnesses: int) -> Leaf:
    value = None if basis is Basis.UNSET else value
    return Leaf(
        key=key,
        value=value,
        text=in_text(value),
        source=Source("a text, 4.1", basis, witnesses, "so it is"),
        file="p.toml",
        line=7,
        profile="p",
        at="text 4.1",
    )


def profile(*leaves: Leaf, messages: tuple[str, ...] = ()) -> Profile:
    return Profile(
        id="p",
        title="P",
        scope="s",
        file="p.toml",
        messages=messages,
        leaves={each.key: each for each in leaves},
    )


def speaking(asked: Requirement, *leaves: Leaf) -> Profile:
    return profile(*leaves, messages=SPEAKS[KEYS[asked.device][asked.key].bus])


def given(asked: Requirement, value: Value, standing: Standing, witnesses: int = 0) -> Declared:
    declared_value = TRIO[asked.device][asked.key]
    there = None if standing is Standing.UNSET else value
    return msgspec.structs.replace(declared_value, value=there, standing=standing, witnesses=witnesses)


DEVICE_BASES = [(Standing.DECLARED, 0)] + [
    (Standing(basis.value), witnesses) for basis, witnesses in (*FULL, *PASS_ONLY, *NOTHING)
]


@ASKED
@FITTING
def test_every_item_over_all_bases_of_both_values(asked: Requirement, fitting: bool) -> None:
    has, admitted = values(asked, fitting=fitting)
    for basis, witnesses in (*FULL, *PASS_ONLY, *NOTHING):
        item = leaf(asked.item.name, admitted, basis, witnesses)
        for standing, count in DEVICE_BASES:
            result = weigh(asked, given(asked, has, standing, count), speaking(asked, item))
            names = {basis.value, standing.value}
            strong = (basis, witnesses) in FULL and (
                standing is Standing.DECLARED or (Basis(standing.value), count) in FULL
            )
            if names & {"assumed", "unset"}:
                assert result.outcome is Outcome.UNKNOWN
                assert not result.finding
            elif fitting:
                assert result.outcome is Outcome.HOLDS
            elif strong:
                assert result.outcome is Outcome.VIOLATED
            else:
                assert result.outcome is Outcome.UNKNOWN
                assert result.finding
            assert bool(result.settles) is (result.outcome is Outcome.UNKNOWN)
            for part in (asked.item.name, "a text, 4.1", "p.toml:7"):
                assert part in result.reason.en
                assert part in result.reason.zh


@ASKED
@pytest.mark.parametrize(("basis", "witnesses"), NOTHING)
@FITTING
def test_no_assumed_or_unset_item_makes_an_answer(
    asked: Requirement, basis: Basis, witnesses: int, fitting: bool
) -> None:
    assert check(*TRIO.values()).verdict is Verdict.COMPATIBLE
    _, admitted = values(asked, fitting=fitting)
    weak = speaking(asked, leaf(asked.item.name, admitted, basis, witnesses))
    answer = check(*TRIO.values(), profile=weak)
    assert answer.verdict is Verdict.UNKNOWN
    assert {each.rule for each in answer.reasons} <= set(REQUIREMENTS)
    assert (How.TEXT, f"p {asked.item.name}") in [(each.how, each.what) for each in answer.settles]


def test_requirements_are_every_item_with_a_counterpart_that_governs_the_device() -> None:
    assert {(each.device, each.key) for each in REQUIREMENTS} == {
        (kind, name)
        for kind, keys in KEYS.items()
        for name, key in keys.items()
        if key.item is not None and Governs(kind.value) in ITEMS[key.item].governs
    }
    assert len({each.id for each in REQUIREMENTS}) == len(REQUIREMENTS)
    assert {case for each in REQUIREMENTS for case in each.cases} <= {each.id for each in CASES}


def test_every_message_set_has_its_bus() -> None:
    assert set(BUSES) == set(SETS)


def test_items_on_which_a_profile_is_silent_are_not_asked() -> None:
    one = profile(leaf("pack.mass", parse_measure(".. 9 t"), Basis.STATED, 0))
    for kind, device in TRIO.items():
        assert [each.rule.id.partition(":")[0] for each in conforms(device, one)] == ["pack.mass"], kind
    assert not conforms(TRIO[Device.PACK], profile())


PACK = """schema = 1
[descriptor]
kind = "pack"
id = "x-1"
[mechanical]
outline = "{}"
"""


@pytest.mark.parametrize(
    ("outline", "with_overlay"),
    [
        ("1111 mm x 2222 mm x 3333 mm", Outcome.HOLDS),
        ("1.111 m x 222.2 cm x 3.333 m", Outcome.HOLDS),
        ("1110 mm x 2222 mm x 3333 mm", Outcome.VIOLATED),
    ],
)
def test_a_laboratory_s_value_decides_where_the_shipped_profile_cannot(
    outline: str, with_overlay: Outcome
) -> None:
    pack = parse_descriptor(PACK.format(outline), "x.toml")
    found = {each.rule.id: each for each in conforms(pack, load(OVERLAY))}["pack.outline:pack.outline"]
    assert found.outcome is with_overlay
    value = load(OVERLAY).leaf("pack.outline")
    for part in ("pack.outline", "1111 mm x 2222 mm x 3333 mm", ", 0.1;", f"{OVERLAY}:{value.line}"):
        assert part in found.reason.en
    without = {each.rule.id: each for each in conforms(pack, load(JIANGSU))}["pack.outline:pack.outline"]
    assert without.outcome is Outcome.UNKNOWN
    assert "the text is not public" in without.reason.en
    assert f"swapproto profile why {JIANGSU} pack.outline" in without.settles[0].text.en
    station = TRIO[Device.STATION]
    whole = changed(TRIO[Device.PACK], "mechanical.outline", *(pack["mechanical.outline"].value or ()))
    wide = changed(station, "mechanical.room", parse_outline("9 m x 9 m x 9 m"))
    refused = check(whole, wide, profile=profile(value)).verdict is Verdict.INCOMPATIBLE
    assert refused is (with_overlay is Outcome.VIOLATED)


def result_of(device: Descriptor, key: str, *leaves: Leaf, messages: tuple[str, ...] = ()) -> Outcome:
    found = conforms(device, profile(*leaves, messages=messages))
    return next(each for each in found if isinstance(each.rule, Requirement) and each.rule.key == key).outcome


@pytest.mark.parametrize(
    ("kind", "key", "has", "item", "admitted", "outcome"),
    [
        (Device.STATION, "mechanical.mass_limit", "4 t", "pack.mass", ".. 4000 kg", Outcome.HOLDS),
        (Device.STATION, "mechanical.mass_limit", "5 t", "pack.mass", ".. 4000 kg", Outcome.HOLDS),
        (Device.STATION, "mechanical.mass_limit", "3 t", "pack.mass", ".. 4000 kg", Outcome.VIOLATED),
        (Device.STATION, "mechanical.mass_limit", "3 t", "pack.mass", "2 t ..", Outcome.UNKNOWN),
        (Device.STATION, "mechanical.mass_limit", "3 t", "pack.mass", ["2 t", "4 t"], Outcome.UNKNOWN),
        (Device.STATION, "mechanical.mass_limit", "3 t", "pack.mass", ["2 t", "3 t"], Outcome.HOLDS),
        (Device.PACK, "mechanical.mass", "3 t", "pack.mass", ["2 t", "3 t"], Outcome.HOLDS),
        (Device.PACK, "mechanical.mass", "2.5 t", "pack.mass", ["2 t", "3 t"], Outcome.VIOLATED),
        (Device.PACK, "mechanical.mass", "2.5 t", "pack.mass", "2 t .. 3 t", Outcome.HOLDS),
        (
            Device.STATION,
            "electrical.voltage_range",
            "200 V .. 1000 V",
            "station.voltage_range",
            "400 V .. 800 V",
            Outcome.HOLDS,
        ),
        (
            Device.STATION,
            "electrical.voltage_range",
            "500 V .. 1000 V",
            "station.voltage_range",
            "400 V .. 800 V",
            Outcome.VIOLATED,
        ),
        (
            Device.PACK,
            "electrical.voltage_range",
            "500 V .. 700 V",
            "pack.maximum_voltage",
            "750 V",
            Outcome.HOLDS,
        ),
        (
            Device.TRUCK,
            "electrical.voltage_range",
            "500 V .. 700 V",
            "pack.maximum_voltage",
            "750 V",
            Outcome.VIOLATED,
        ),
    ],
)
def test_limits_room_and_ranges_have_to_suffice(
    kind: Device, key: str, has: str, item: str, admitted: object, outcome: Outcome
) -> None:
    device = changed(TRIO[kind], key, parse_measure(has))
    assert result_of(device, key, leaf(item, ITEMS[item].parse(admitted), Basis.STATED, 0)) is outcome


@pytest.mark.parametrize(
    ("basis", "width", "outcome"),
    [
        (Basis.STATED, "2005 mm", Outcome.HOLDS),
        (Basis.STATED, "2006 mm", Outcome.VIOLATED),
        (Basis.ASSUMED, "2005 mm", Outcome.UNKNOWN),
        (Basis.ASSUMED, "2006 mm", Outcome.VIOLATED),
        (Basis.UNSET, "2005 mm", Outcome.VIOLATED),
        (Basis.UNSET, "2000 mm", Outcome.HOLDS),
    ],
)
def test_a_tolerance_widens_the_outline_by_its_own_basis(basis: Basis, width: str, outcome: Outcome) -> None:
    exact = leaf("pack.outline", parse_outline("1 m x 2 m x 3 m"), Basis.STATED, 0)
    tolerance = leaf("pack.outline_tolerance", parse_quantity("5 mm"), basis, 0)
    pack = changed(TRIO[Device.PACK], "mechanical.outline", parse_outline(f"1 m x {width} x 3 m"))
    assert result_of(pack, "mechanical.outline", exact, tolerance) is outcome


@pytest.mark.parametrize(
    ("messages", "vehicle", "charging"),
    [
        (("pack-can-d0f3",), Outcome.VIOLATED, None),
        (("gbt27930-2015",), None, Outcome.HOLDS),
        ((), Outcome.UNKNOWN, Outcome.HOLDS),
        (("pack-can-d0f3", "gbt27930-2015"), Outcome.UNKNOWN, Outcome.HOLDS),
    ],
)
def test_a_bit_rate_is_that_of_the_bus_whose_messages_the_profile_speaks(
    messages: tuple[str, ...], vehicle: Outcome | None, charging: Outcome | None
) -> None:
    pack = changed(TRIO[Device.PACK], "protocol.vehicle_bit_rate", parse_quantity("500 kbit/s"))
    rate = leaf("bus.bit_rate", parse_quantity("250 kbit/s"), Basis.STATED, 0)
    found = {each.inputs[0].key: each for each in conforms(pack, profile(rate, messages=messages))}
    outcomes = {key: each.outcome for key, each in found.items()}
    assert outcomes.get("protocol.vehicle_bit_rate") is vehicle
    assert outcomes.get("protocol.charging_bit_rate") is charging
    if vehicle is Outcome.UNKNOWN:
        assert "of which CAN" in found["protocol.vehicle_bit_rate"].reason.en


def test_loops_are_all_on_the_pack_and_some_of_them_at_the_others() -> None:
    both = leaf("connector.loops", ("charge", "discharge"), Basis.STATED, 0)
    for kind, outcome in (
        (Device.PACK, Outcome.VIOLATED),
        (Device.STATION, Outcome.HOLDS),
        (Device.TRUCK, Outcome.HOLDS),
    ):
        device = changed(TRIO[kind], "electrical.loops", "charge")
        assert result_of(device, "electrical.loops", both) is outcome


def test_a_name_that_descriptors_do_not_have_and_kindred_editions_cannot_be_told() -> None:
    pack = changed(TRIO[Device.PACK], "protocol.charging", "gbt27930-2023a")
    for text in ("GB/T 27930, some edition", "gbt27930-2015"):
        assert result_of(pack, "protocol.charging", leaf("protocol.charging", text, Basis.STATED, 0)) is (
            Outcome.UNKNOWN
        )


def test_a_violated_handling_leaves_the_others_without_a_say() -> None:
    other = profile(
        leaf("swap.handling", "bottom", Basis.STATED, 0),
        leaf("pack.mass", parse_measure(".. 1 kg"), Basis.STATED, 0),
    )
    answer = check(*TRIO.values(), profile=other)
    assert answer.verdict is Verdict.INCOMPATIBLE
    assert {each.rule.id for each in answer.reasons} == {
        "swap.handling:pack.handling",
        "swap.handling:truck.handling",
        "swap.handling:station.handling",
    }
