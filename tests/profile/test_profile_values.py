from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swapproto.profile import (
    KEYS,
    BadValue,
    Outline,
    Quantity,
    Range,
    admits,
    in_text,
    key_of,
    parse_measure,
    parse_outline,
    parse_quantity,
    parse_range,
)
from swapproto.profile.keys import SECTIONS, UnknownKey, governing
from swapproto.profile.kinds import Form, Governs, Listing
from swapproto.profile.values import DIMENSIONS, units_in


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3.2 t", "3200 kg"), ("2.4 m", "2400 mm"), ("1 s", "1000 ms"), ("141 kWh", "141000 Wh"),
        ("250 kbit/s", "250000 bit/s"), ("0.6 m3/h", "10 L/min"), ("2 cycles", "2 cycle"), ("60V", "60 V"),
    ],
)  # fmt: skip
def test_the_same_in_two_units(one: str, other: str) -> None:
    left, right = parse_quantity(one), parse_quantity(other)
    assert left == right
    assert hash(left) == hash(right)
    assert left.to(right.unit) == right.magnitude
    assert left <= right <= left
    assert not left < right
    assert not left > right


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3), st.sampled_from(DIMENSIONS), st.data())
def test_what_is_written_is_read(number: Decimal, dimension: str, data: st.DataObject) -> None:
    unit = data.draw(st.sampled_from(units_in(dimension)))
    quantity = Quantity(number, unit)
    read = parse_quantity(str(quantity), dimension)
    assert (read, read.unit, read.dimension) == (quantity, unit, dimension)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("3.2", "has no unit; those of mass: g, kg, t"),
        ("3.2 lb", "is not known; those of mass: g, kg, t"),
        ("3.2 V", "is one of voltage; those of mass: g, kg, t"),
        ("heavy", "no number with a unit; the units are: g, kg, t"),
        ("3,2 t", "no number with a unit"),
        ("", "no number with a unit"),
        ("1e3 kg", "no number with a unit"),
    ],
)
def test_a_bad_quantity_names_the_units(text: str, said: str) -> None:
    with pytest.raises(BadValue, match=said):
        parse_quantity(text, "mass")


def test_quantities_of_two_dimensions_have_no_order() -> None:
    with pytest.raises(BadValue, match="cannot be compared"):
        assert parse_quantity("1 V") < parse_quantity("1 A")
    with pytest.raises(BadValue, match="cannot be given in A"):
        parse_quantity("1 V").to("A")
    assert parse_quantity("1 V") != parse_quantity("1 A")
    assert parse_quantity("1 V") != "1 V"


def test_ranges() -> None:
    whole = parse_range("400 V .. 0.8 kV")
    assert (whole.low, whole.high) == (parse_quantity("400 V"), parse_quantity("800 V"))
    assert parse_quantity("400 V") in whole
    assert parse_quantity("801 V") not in whole
    assert parse_range(".. 5 min") == Range(None, parse_quantity("300 s"))
    assert str(parse_range("60 V ..")) == "60 V .."
    for text in ("..", "5 V .. 4 V", "5 V .. 6 A", "5 .. 6 V"):
        with pytest.raises(BadValue):
            parse_range(text, *(() if "A" in text else ("voltage",)))


def test_outlines() -> None:
    outline = parse_outline("2.4 m x 1200 mm x 0.9 m")
    assert outline == Outline(*(parse_quantity(side) for side in ("2400 mm", "1.2 m", "90 cm")))
    assert str(outline) == "2.4 m x 1200 mm x 0.9 m"
    for text in ("2.4 m x 1.2 m", "1 m x 1 m x 1 kg", "1 x 1 x 1 m"):
        with pytest.raises(BadValue):
            parse_outline(text)


@pytest.mark.parametrize(
    ("allowed", "offered", "fits"),
    [
        ("400 V .. 800 V", "600 V", True), ("400 V .. 800 V", "900 V", False), ("60 V ..", "61 V", True),
        ("400 V .. 800 V", "500 V .. 700 V", True), ("400 V .. 800 V", "500 V ..", False),
        ("400 V ..", "500 V ..", True), ("600 V", "0.6 kV", True), ("600 V", "600 V .. 700 V", False),
    ],
)  # fmt: skip
def test_what_a_value_admits(allowed: str, offered: str, *, fits: bool) -> None:
    value, given_ = parse_measure(allowed), parse_measure(offered)
    assert admits(value, given_) is fits
    assert admits((parse_quantity("1 V"), value), given_) is fits
    assert not admits(None, given_)


def test_keys_are_complete_and_consistent() -> None:
    for name, key in KEYS.items():
        assert name == f"{key.section}.{key.item}"
        assert all((key.title, key.title_zh, key.governs, key.kind, key.sample))
        assert (key.form is Form.QUANTITY) == bool(key.dimensions)
        assert (key.form is Form.WORD) == bool(key.words)
        assert set(key.dimensions) <= set(DIMENSIONS)
    assert set(SECTIONS) == {
        "pack", "vehicle", "station", "connector", "thermal", "bus", "protocol", "swap", "safety",
        "identity", "emergency_pack",
    }  # fmt: skip
    assert {key for part in Governs for key in governing(part)} == set(KEYS.values())


def test_an_unknown_key_has_near_matches() -> None:
    with pytest.raises(UnknownKey, match=r"near: .*pack\.outline"):
        key_of("pack.outlin")


def values(key: str, *good: object) -> list[object]:
    return [KEYS[key].parse(each) for each in good]


def test_every_form_reads_its_values() -> None:
    assert values("pack.guide_pins", 4, "4") == [parse_quantity("4", "number")] * 2
    assert values("identity.pack_code_length", "24 .. 27")[0] == parse_range("24 .. 27", "number")
    assert values("bus.address_bms", "0xF3", 243, "243") == [0xF3] * 3
    assert values("swap.type", "top-hoist", ["top-hoist", "side"]) == ["top-hoist", ("top-hoist", "side")]
    assert values("swap.sequence", ["a", "b", "a"]) == [("a", "b", "a")]
    assert in_text(KEYS["bus.address_bms"].parse([0xF3, "0x1"])) == "0xF3, 0x01"
    assert in_text(None) == "unset"


@pytest.mark.parametrize(
    ("key", "raw"),
    [
        ("pack.guide_pins", 4.0),
        ("pack.guide_pins", "4.5"),
        ("pack.guide_pins", True),
        ("pack.guide_pins", -4),
        ("bus.address_bms", "0x1F3"),
        ("bus.address_bms", 256),
        ("bus.address_bms", "F3"),
        ("swap.type", "top hoist"),
        ("pack.mass", 3200),
        ("pack.mass", "3200"),
        ("pack.mass", []),
        ("pack.mass", ["1 t", "1000 kg"]),
        ("pack.chemistry", " "),
        ("pack.chemistry", ["LFP", ["NMC"]]),
        ("pack.outline", {"length": 1}),
    ],
)
def test_every_form_refuses_the_others(key: str, raw: object) -> None:
    with pytest.raises(BadValue):
        KEYS[key].parse(raw)


@pytest.mark.parametrize("name", [each.name for each in KEYS.values() if each.form is Form.QUANTITY])
def test_a_quantity_is_above_zero_unless_it_is_a_temperature_or_an_offset(name: str) -> None:
    key = KEYS[name]
    unit = units_in(key.dimensions[0])[0]
    signed = "temperature" in key.dimensions or name.endswith("_offset")
    for text in (f"-3 {unit}", f"0 {unit}", f"-1 {unit} .. 2 {unit}", f".. 0 {unit}"):
        if signed:
            assert key.parse(text) == parse_measure(text)
        else:
            with pytest.raises(BadValue, match="zero"):
                key.parse(text)
    assert key.parse(f"0 {unit} .. 2 {unit}") == parse_measure(f"0 {unit} .. 2 {unit}")


def test_no_side_of_an_outline_is_zero_or_less() -> None:
    for text in ("0 m x 1 m x 1 m", "1 m x -1 m x 1 m"):
        with pytest.raises(BadValue, match="not above zero"):
            parse_outline(text)


def test_only_steps_have_an_order() -> None:
    bits, steps = KEYS["bus.bit_rate"], KEYS["swap.sequence"]
    assert bits.same(bits.parse(["250 kbit/s", "500 kbit/s"]), bits.parse(["500 kbit/s", "250000 bit/s"]))
    assert steps.listing is Listing.STEPS
    assert not steps.same(steps.parse(["a", "b"]), steps.parse(["b", "a"]))
