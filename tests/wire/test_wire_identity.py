"""Raw to physical to raw is the identity, and a physical value is the double nearest to the decimal."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swapproto.errors import CodecError
from swapproto.messages.catalog import EDITIONS
from swapproto.messages.gbt27930 import BCL, BMT, BSP, CellVoltage, ChargeMode, Edition
from swapproto.wire.fields import BcdTime, Integer, Text
from swapproto.wire.layout import Field
from swapproto.wire.message import Group

UNIQUE: dict[type[Group], str] = {
    message: f"{message.__name__}-{edition.value[:4]}"
    for edition, messages in sorted(EDITIONS.items(), key=lambda pair: pair[0] is Edition.GBT_2015)
    for message in messages
} | {CellVoltage: "CellVoltage"}
NUMERIC = {
    f"{name}.{field.name}": (cls, field)
    for cls, name in UNIQUE.items()
    for field in cls.layout.fields
    if isinstance(field.marker, Integer) or field.code is not None
}
ITEMS = [
    tail.item.fields[0]
    for cls in (BMT, BSP)
    if (tail := cls.layout.tail) is not None and tail.item is not None
]
every_numeric_field = pytest.mark.parametrize(("cls", "field"), list(NUMERIC.values()), ids=list(NUMERIC))


def raws(field: Field) -> range:
    return range(-(1 << field.bits - 1), 1 << field.bits - 1) if field.signed else range(1 << field.bits)


def exactly(field: Field) -> Callable[[int], float]:
    """Raw to physical in decimals, rounded once."""
    marker = field.marker
    scale, offset = (marker.scale, marker.offset) if isinstance(marker, Integer) else (1, 0)
    times, plus = Decimal(str(scale)), Decimal(str(offset))
    return lambda raw: float(raw * times + plus)


def some(field: Field) -> object:
    """A value that fits, whatever the field is."""
    match field.marker:
        case Text(size=size):
            return "A" * size
        case BcdTime():
            return datetime(2015, 5, 16, 8, 24, 36)  # noqa: DTZ001
        case _ if field.code is not None:
            return next(iter(field.code))
        case Integer():
            return field.to_physical(field.raw_low)
        case _:
            return bytes(field.bits // 8)


@pytest.mark.parametrize(
    "field", [*(field for _, field in NUMERIC.values()), *ITEMS], ids=[*NUMERIC, "BMT", "BSP"]
)
def test_field_arithmetic_is_exact_for_every_raw_value(field: Field) -> None:
    nearest = exactly(field)
    values = raws(field)
    if len(values) > 0x10000:
        values = values[:: len(values) // 0x1000 - 1]
    wrong = [raw for raw in values if (p := field.to_physical(raw)) != nearest(raw) or field.to_raw(p) != raw]
    assert wrong == []
    assert type(field.to_physical(0)) is (int if field.integral else float)


@every_numeric_field
def test_every_raw_value_in_range_survives_the_message(cls: type[Group], field: Field) -> None:
    nearest = exactly(field)
    message = cls(**{each.name: some(each) for each in cls.layout.fields})
    length = cls.layout.length
    cleared = bytearray(message.encode())
    field.insert(cleared, 0)
    base = int.from_bytes(cleared, "little")
    assert field.order == "little"
    values = range(field.raw_low, field.raw_high + 1)
    if len(values) > 0x10000:
        values = values[:: len(values) // 0x1000 - 1]
    wrong = []
    for raw in values:
        payload = (base | raw << field.start).to_bytes(length, "little")
        decoded = cls.decode(payload)
        if getattr(decoded, field.name) != nearest(raw) or decoded.encode() != payload:
            wrong.append(raw)
    assert wrong == []


@every_numeric_field
def test_a_raw_value_out_of_range_is_read_and_cannot_be_written(cls: type[Group], field: Field) -> None:
    nearest = exactly(field)
    edges = {field.raw_low - 1, field.raw_high + 1, raws(field)[0], raws(field)[-1]}
    outside = [raw for raw in edges if raw in raws(field) and not field.raw_low <= raw <= field.raw_high]
    message = cls(**{each.name: some(each) for each in cls.layout.fields})
    for raw in outside:
        if raw == field.absent:
            continue
        payload = bytearray(message.encode())
        field.insert(payload, raw)
        reading = cls.read(bytes(payload))
        assert reading.message is not None
        assert getattr(reading.message, field.name) == nearest(raw)
        assert [deviation.field for deviation in reading.deviations] == [field.name]
        with pytest.raises(CodecError) as error:
            reading.message.encode()
        assert error.value.field == field.name


WIDE = {name: pair for name, pair in NUMERIC.items() if pair[1].bits > 16}


@pytest.mark.parametrize(("cls", "field"), list(WIDE.values()), ids=list(WIDE))
@given(data=st.data())
def test_wide_fields_by_sample(cls: type[Group], field: Field, data: st.DataObject) -> None:
    nearest = exactly(field)
    edges = [field.raw_low, field.raw_low + 1, field.raw_high - 1, field.raw_high]
    raw = data.draw(st.sampled_from(edges) | st.integers(field.raw_low, field.raw_high))
    assert field.to_raw(field.to_physical(raw)) == raw
    assert field.to_physical(raw) == nearest(raw)
    values: dict[str, Any] = {each.name: some(each) for each in cls.layout.fields}
    message = cls(**values | {field.name: field.to_physical(raw)})
    assert cls.decode(message.encode()) == message
    assert field.extract(message.encode()) == raw


def test_the_example_of_binary_fractions() -> None:
    payload = BCL(voltage=750.3, current=-3.3, mode=ChargeMode.CONSTANT_CURRENT).encode()
    assert repr(BCL.decode(payload).voltage) == "750.3"
    assert repr(BCL.decode(payload).current) == "-3.3"


@given(st.floats(0, 6553.5))
def test_a_value_between_two_raw_values_goes_to_the_nearest(voltage: float) -> None:
    back = BCL.decode(BCL(voltage=voltage, current=0.0, mode=ChargeMode.CONSTANT_VOLTAGE).encode()).voltage
    assert abs(Decimal(back) - Decimal(voltage)) <= Decimal("0.0500000000001")
