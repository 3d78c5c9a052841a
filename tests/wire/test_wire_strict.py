"""What does not fit is a CodecError that names the field; nothing else ever comes out of encode."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from swapproto.errors import CodecError
from swapproto.messages.catalog import EDITIONS
from swapproto.messages.gbt27930 import (
    BCL,
    BCS,
    BMT,
    BMV,
    BRM,
    BSM,
    BSP,
    BST,
    CRM,
    CTS,
    DM1,
    CellVoltage,
    ChargeMode,
    Edition,
    Reached,
    Recognition,
)
from swapproto.wire.examine import split_tail
from swapproto.wire.fields import BcdTime, Choice, Integer, Raw, Text
from swapproto.wire.layout import Field
from swapproto.wire.message import Group
from swapproto.wire.reading import DeviationKind

UNIQUE = {
    message: f"{message.__name__}-{edition.value[:4]}"
    for edition, messages in sorted(EDITIONS.items(), key=lambda pair: pair[0] is Edition.GBT_2015)
    for message in messages
}
FIELDS = {f"{name}.{field.name}": (cls, field) for cls, name in UNIQUE.items() for field in cls.layout.fields}
every_field = pytest.mark.parametrize(("cls", "field"), list(FIELDS.values()), ids=list(FIELDS))


class Anything:
    """Of no kind that a field could take."""

    def __repr__(self) -> str:
        return "Anything()"


def some(field: Field) -> object:
    match field.marker:
        case Text():
            return "A"
        case BcdTime():
            return datetime(2015, 5, 16, 8, 24, 36)  # noqa: DTZ001
        case Choice():
            return next(iter(field.code or ()))
        case Integer():
            return field.to_physical(field.raw_low)
        case _:
            return bytes(field.bits // 8)


def sample(cls: type[Group]) -> Group:
    return cls(**{field.name: some(field) for field in cls.layout.fields})


def unfit(field: Field) -> list[object]:
    """Values that the field has to refuse."""
    wrong: list[object] = [Anything(), (), {}, 1j, [1]]
    match field.marker:
        case Integer():
            wrong += ["1", b"1", float("nan"), float("inf"), float("-inf"), 1e300, 10**400, -(10**400)]
            wrong += [Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity")]
            wrong += [field.to_physical(field.raw_low - 1), field.to_physical(field.raw_high + 1)]
            wrong += [] if field.absent is None else [field.to_physical(field.absent)]
            wrong += [field.raw_low + 0.5, float(field.to_physical(field.raw_low))] if field.integral else []
        case Choice():
            wrong += ["NO", b"1", 0.0, 1.5, float("nan"), -1, 1 << field.bits, 10**30]
            wrong += [] if field.absent is None else [field.absent]
        case Text(size=size):
            wrong += ["A" * (size + 1), "ä", "电池", b"A", 5, 5.0, float("nan")]
        case BcdTime():
            wrong += ["2015-05-16", 5, b"1234567", date(2015, 5, 16)]
        case Raw(size=size):
            wrong += [b"", bytes((size or 0) + 1), "A" * (size or 0), size]
    return wrong if field.optional else [*wrong, None]


@every_field
def test_every_value_that_does_not_fit_is_an_error_that_names_the_field(
    cls: type[Group], field: Field
) -> None:
    message = sample(cls)
    assert message.encode()
    for value in unfit(field):
        with pytest.raises(CodecError) as error:
            replace(message, **{field.name: value}).encode()
        caught = error.value
        assert (caught.message, caught.field, caught.offset) == (cls.__name__, field.name, field.span[0])
        assert caught.reason
        assert f"{cls.__name__}.{field.name} (byte {field.span[0] + 1}): " in str(caught)


@every_field
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_whatever_the_value_is_it_is_written_and_read_or_refused(
    cls: type[Group], field: Field, data: st.DataObject
) -> None:
    numbers = st.integers() | st.floats() | st.decimals() | st.fractions() | st.booleans()
    anything = numbers | st.text(max_size=20) | st.binary(max_size=20) | st.datetimes() | st.none()
    value: Any = data.draw(anything)
    message = replace(sample(cls), **{field.name: value})
    try:
        written = message.encode()
    except CodecError as error:
        assert error.field == field.name  # noqa: PT017  (either way is right, this one names the field)
        return
    assert len(written) == cls.layout.length
    assert {each.kind for each in cls.read(written).deviations} <= {DeviationKind.UNKNOWN, DeviationKind.TEXT}
    back = getattr(cls.decode(written), field.name)
    if isinstance(field.marker, Integer) and value is not None and back is not None:
        step = field.to_physical(1) - field.to_physical(0)
        assert abs(Decimal(back) - Decimal(float(value))) <= Decimal(step) / 2 + Decimal("1e-6")


def cells(count: int) -> tuple[CellVoltage, ...]:
    return (CellVoltage(voltage=3.3, group=1),) * count


@pytest.mark.parametrize(
    ("message", "field", "offset", "reason"),
    [
        (BMV(cells=cells(257)), "cells", 0, "257 items; at most 256 are defined"),
        (
            BMV(cells=(*cells(3), CellVoltage(voltage=24.01, group=1))),
            "cells[3].voltage",
            6,
            "24.01 V is outside",
        ),
        (
            BMV(cells=(*cells(2), CellVoltage(voltage=1.0, group=16))),
            "cells[2].group",
            5,
            "16 is outside 0 to 15",
        ),
        (BMV(cells=(*cells(1), "AB")), "cells[1]", 2, "a CellVoltage is expected, not 'AB'"),  # type: ignore[arg-type]
        (BMV(cells=(BST(),)), "cells[0]", 0, "a CellVoltage is expected, not BST"),  # type: ignore[arg-type]
        (BMV(cells="AB"), "cells", 0, "a tuple is expected"),  # type: ignore[arg-type]
        (BMV(cells=None), "cells", 0, "a tuple is expected"),  # type: ignore[arg-type]
        (BMT(temperatures=(20, 201)), "temperatures[1]", 1, "201 degC is outside -50 to 200 degC"),
        (BMT(temperatures=(20.0,)), "temperatures[0]", 0, "a whole number is expected"),  # type: ignore[arg-type]
        (BMT(temperatures=(None,)), "temperatures[0]", 0, "a number is expected"),  # type: ignore[arg-type]
        (BMT(temperatures=b"AB"), "temperatures", 0, "a tuple is expected"),  # type: ignore[arg-type]
        (BMT(temperatures=(20,) * 129), "temperatures", 0, "129 items; at most 128 are defined"),
        (BSP(values=(1,) * 17), "values", 0, "17 items"),
        (BSP(values=(256,)), "values[0]", 0, "256 is outside 0 to 255"),
        (DM1(payload=bytes(1786)), "payload", 0, "up to 1785 bytes are expected"),
        (DM1(payload="AB"), "payload", 0, "up to 1785 bytes are expected, not 'AB'"),  # type: ignore[arg-type]
        (DM1(payload=5), "payload", 0, "up to 1785 bytes are expected, not 5"),  # type: ignore[arg-type]
    ],
)
def test_tails_are_as_strict(message: Any, field: str, offset: int, reason: str) -> None:
    with pytest.raises(CodecError) as error:
        message.encode()
    assert (error.value.field, error.value.offset) == (field, offset)
    assert reason in error.value.reason


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (
            BCL(voltage=6553.6, current=0.0, mode=ChargeMode.CONSTANT_CURRENT),
            "BCL.voltage (byte 1): 6553.6 V is outside 0.0 to 6553.5 V",
        ),
        (
            BCL(voltage=1.0, current=-400.1, mode=ChargeMode.CONSTANT_CURRENT),
            "BCL.current (byte 3): -400.1 A is outside -400.0 to 6153.5 A",
        ),
        (
            CRM(result=Recognition.RECOGNISED, charger_number=1, region="1234"),
            "CRM.region (byte 6): 4 characters; at most 3 fit",
        ),
    ],
)
def test_the_text_of_an_error_says_where_what_and_how_much(message: Any, text: str) -> None:
    with pytest.raises(CodecError) as error:
        message.encode()
    assert str(error.value) == text
    assert error.value.__context__ is None


def test_numbers_of_other_kinds_are_taken() -> None:
    exact = BCL(voltage=Decimal("750.3"), current=-3, mode=2)  # type: ignore[arg-type]
    assert exact.encode() == BCL(voltage=750.3, current=-3.0, mode=ChargeMode.CONSTANT_CURRENT).encode()


def test_a_code_without_a_meaning_survives() -> None:
    message = BCL.decode(bytes.fromhex("52 17 82 0F 09"))
    assert (message.mode, message.mode.known, message.mode.label) == (9, False, "unknown 9")
    assert message.encode() == bytes.fromhex("52 17 82 0F 09")
    (odd,) = BCL.read(bytes.fromhex("52 17 82 0F 09")).deviations
    assert str(odd) == "mode (byte 5): 0x09 has no meaning in ChargeMode"


@pytest.mark.parametrize("state", range(4))
def test_all_four_states_of_two_bits_are_kept(state: int) -> None:
    message = BST.decode(bytes([0xFC | state, 0, 0, 0xF0]))
    assert message.soc_target == state
    assert message.soc_target.known == (state < 3)
    assert BST(soc_target=Reached(state)).encode()[0] & 3 == state


def test_absent_fields_are_ones() -> None:
    least = {"version_minor": 1, "version_major": 1, "rated_capacity": 1.0, "rated_voltage": 1.0}
    message = BRM.decode(bytes.fromhex("01 01 00 03 0A 00 0A 00"))
    assert {name: getattr(message, name) for name in least} == least
    assert message.encode() == bytes.fromhex("01 01 00 03 0A 00 0A 00") + b"\xff" * 41
    assert CTS().encode() == b"\xff" * 7


@pytest.mark.parametrize(
    ("cls", "payload", "kinds", "text"),
    [
        (BCL, "52 17 82 0F 02 FF FF FF", ["PADDED"], "byte 6: padded from 5 to 8 bytes with ones"),
        (BCL, "52 17 82 0F 02 00 00 00", ["PADDED"], "byte 6: padded from 5 to 8 bytes with 00 00 00"),
        (BCL, "52 17 82 0F 02 FF", ["TOO_LONG"], "byte 6: 6 bytes; 5 are defined"),
        (BSM, "42 4B 01 4A 1B 00 10", ["RESERVED"], "byte 7: reserved bits 7, 8 not one in 10"),
        (BSM, "42 4B 01 4A 1B 00 50", ["RESERVED"], "byte 7: reserved bit 8 not one in 50"),
        (
            CRM,
            "AA 01 00 00 00",
            ["SHORT"],
            "byte 6: 5 bytes instead of 8; what is missing is taken as absent",
        ),
        (CRM, "AA 01 00 00 00 C4 31 32", ["TEXT"], "region (byte 6): C4 31 32 is not ASCII"),
        (
            CTS,
            "36 24 08 16 13 15 20",
            ["TIME"],
            "time (byte 1): 36 24 08 16 13 15 20 is not a date and time in BCD",
        ),
        (
            CTS,
            "00 00 24 16 05 15 20",
            ["TIME"],
            "time (byte 1): 00 00 24 16 05 15 20 is not a date and time in BCD",
        ),
        (
            CTS,
            "36 24 0A 16 05 15 20",
            ["TIME"],
            "time (byte 1): 36 24 0A 16 05 15 20 is not a date and time in BCD",
        ),
        (BCS, "C5 0E A0 0F 4C 61 65 00 00", ["RANGE"], "soc (byte 7): 101 % is outside 0 to 100 %"),
    ],
)
def test_each_deviation_says_what_and_where(
    cls: type[Group], payload: str, kinds: list[str], text: str
) -> None:
    reading = cls.read(bytes.fromhex(payload))
    assert reading.message is not None
    assert [each.kind.name for each in reading.deviations] == kinds
    assert str(reading.deviations[0]) == text


HALF = bytes.fromhex("4F 11")


@pytest.mark.parametrize(
    ("cls", "payload", "count", "kinds"),
    [
        (BMV, b"", 0, []),
        (BMV, HALF * 4, 4, []),
        (BMV, HALF * 3 + b"\xff\xff", 3, ["PADDED"]),
        (BMV, HALF * 5 + b"\x4f", 5, ["ITEMS"]),
        (BMV, HALF * 5 + b"\xff", 5, ["ITEMS"]),
        (BMV, HALF * 100 + b"\xff\xff" * 26, 100, ["PADDED"]),
        (BMV, b"\xff\xff" * 126, 0, ["PADDED"]),
        (BMV, HALF * 2 + b"\xff\xff" + HALF, 4, ["RANGE"]),
        (BMV, HALF * 256, 256, []),
        (BMV, HALF * 257, 257, ["ITEMS"]),
        (BMT, b"\x0a" * 5 + b"\xff" * 3, 5, ["PADDED"]),
        (BMT, b"\x0a\xfb\x0a", 3, ["RANGE"]),
        (BMT, b"\x0a" * 129, 129, ["ITEMS"]),
        (BSP, b"\xff" * 16, 16, []),
        (BSP, bytes(17), 17, ["ITEMS"]),
    ],
)
def test_tails_as_devices_send_them(cls: type[Group], payload: bytes, count: int, kinds: list[str]) -> None:
    reading = cls.read(payload)
    assert reading.message is not None
    assert len(getattr(reading.message, cls.layout.names[-1])) == count
    assert [each.kind.name for each in reading.deviations] == kinds


def test_eight_bytes_with_half_an_item_of_ones_are_a_padded_frame() -> None:
    tail = BMV.layout.tail
    assert tail is not None
    shifted = replace(tail, offset=1)
    body, odd = split_tail(shifted, b"\x00" + HALF * 3 + b"\xff")
    assert (body, [each.kind for each in odd]) == (HALF * 3, [DeviationKind.PADDED])
