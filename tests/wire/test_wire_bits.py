"""Integers of every width at every place in both byte orders, against bits taken one by one."""

from decimal import Decimal
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swapproto.errors import CodecError
from swapproto.wire.fields import Code, Integer, Order, S, State, U
from swapproto.wire.message import Group, GroupMeta
from swapproto.wire.reading import DeviationKind
from swapproto.wire.reference import parse

Place = tuple[int, int]


def places(at: Place, bits: int, order: Order) -> list[Place]:
    """Byte and bit, from zero, of each bit of a field, the lowest first."""
    byte, bit = at
    if order == "little":
        return [(byte + (bit + n) // 8, (bit + n) % 8) for n in range(bits)]
    found = []
    for _ in range(bits):
        found.append((byte, bit))
        byte, bit = (byte, bit - 1) if bit else (byte + 1, 7)
    return found[::-1]


def naive_read(payload: bytes, where: list[Place], signed: bool) -> int:
    value = sum((payload[byte] >> bit & 1) << weight for weight, (byte, bit) in enumerate(where))
    return value - (1 << len(where)) if signed and value >> (len(where) - 1) else value


def naive_write(payload: bytearray, where: list[Place], value: int) -> None:
    for weight, (byte, bit) in enumerate(where):
        payload[byte] = payload[byte] & ~(1 << bit) | (value >> weight & 1) << bit


def declare(name: str, **fields: Any) -> type[Group]:
    namespace = {"__annotations__": fields, "__module__": __name__, "__qualname__": name}
    return GroupMeta(name, (Group,), namespace)


def interesting(bits: int, signed: bool) -> set[int]:
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    pattern = 0x5A3C96E1 & (1 << bits) - 1
    return {
        low,
        low + (low < high),
        high,
        high - (low < high),
        pattern - (1 << bits if pattern > high else 0),
    }


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("bits", range(1, 33))
def test_every_width_at_every_bit(bits: int, order: Order, signed: bool) -> None:
    for byte in (0, 2):
        for bit in range(8):
            marker = Integer(bits=bits, at=byte + 1 + (bit + 1) / 10, order=order, signed=signed)
            cls = declare("Sample", value=Annotated[int, marker])
            where = places((byte, bit), bits, order)
            size = max(place[0] for place in where) + 1
            assert cls.layout.length == size
            for value in interesting(bits, signed):
                payload = bytearray(b"\xff" * size)
                naive_write(payload, where, value)
                message: Any = cls.decode(bytes(payload))
                assert message.value == value == naive_read(bytes(payload), where, signed)
                assert message.encode() == payload
                assert parse(cls, bytes(payload)).values == {"value": value}
            reading = cls.read(bytes(size))
            reserved = {each.offset for each in reading.deviations if each.kind is DeviationKind.RESERVED}
            covered = {n: sum(place[0] == n for place in where) for n in range(size)}
            assert reserved == {n for n, count in covered.items() if count < 8}
            for beyond in (1 << bits, -(1 << bits) if signed else -1):
                with pytest.raises(CodecError, match=r"Sample\.value"):
                    cls(value=beyond).encode()


@st.composite
def declarations(draw: st.DrawFn) -> tuple[type[Group], dict[str, list[Place]], dict[str, bool]]:
    """Fields one behind the other with gaps between, each run of whole bytes in one byte order."""
    fields: dict[str, Any] = {}
    where: dict[str, list[Place]] = {}
    signs: dict[str, bool] = {}
    start = 0
    for _ in range(draw(st.integers(1, 3))):
        order: Order = draw(st.sampled_from(["little", "big"]))
        cursor = 0
        for _ in range(draw(st.integers(1, 4))):
            cursor += draw(st.sampled_from([0, 0, 0, 1, 3, 8]))
            bits, signed, name = draw(st.integers(1, 32)), draw(st.booleans()), f"f{len(fields)}"
            byte, bit = divmod(cursor, 8)
            at = (start + byte, bit if order == "little" else 7 - bit)
            fields[name] = Annotated[
                int, Integer(bits=bits, at=at[0] + 1 + (at[1] + 1) / 10, order=order, signed=signed)
            ]
            where[name], signs[name] = places(at, bits, order), signed
            cursor += bits
        start += -(-cursor // 8)
    return declare("Mixed", **fields), where, signs


@settings(max_examples=150, deadline=None)
@given(declared=declarations(), data=st.data())
def test_neighbours_do_not_touch_each_other(
    declared: tuple[type[Group], dict[str, list[Place]], dict[str, bool]], data: st.DataObject
) -> None:
    cls, where, signs = declared
    size = cls.layout.length
    payload = data.draw(st.binary(min_size=size, max_size=size))
    expected = {name: naive_read(payload, bits, signs[name]) for name, bits in where.items()}
    message: Any = cls.decode(payload)
    assert {name: getattr(message, name) for name in where} == expected == parse(cls, payload).values
    canonical = bytearray(b"\xff" * size)
    for name, bits in where.items():
        naive_write(canonical, bits, expected[name])
    assert message.encode() == canonical
    assert cls.read(bytes(canonical)).deviations == ()
    odd = {each.offset for each in cls.read(payload).deviations}
    assert odd == {n for n in range(size) if payload[n] != canonical[n]}


SCALES = [1, 0.1, 0.05, 0.03125, 0.5, 0.001, 0.4, 1e-6, 2.5, 4, 0.004]
OFFSETS = [0, -400, -273.15, 0.5, -1000, 40, -0.05, 1985]


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
def test_every_scale_and_offset_goes_there_and_back(scale: float, offset: float, signed: bool) -> None:
    marker = (S if signed else U)(14, at=1, scale=scale, offset=offset)
    cls = declare("Scaled", value=Annotated[float, marker])
    times, plus = Decimal(str(scale)), Decimal(str(offset))
    field = cls.layout.field("value")
    for raw in range(field.raw_low, field.raw_high + 1, 3):
        payload = ((raw & 0x3FFF) | 0xC000).to_bytes(2, "little")
        message: Any = cls.decode(payload)
        assert message.value == float(raw * times + plus)
        assert message.encode() == payload
        assert field.to_raw(message.value) == raw == field.extract(payload)


def test_two_enumerations_of_one_name_stay_apart() -> None:
    class Level(Code):
        HIGH = 1

    first = Level

    class Level(Code):  # type: ignore[no-redef]
        LOW = 1

    cls = declare("Twins", a=Annotated[first, State(at=1.1)], b=Annotated[Level, State(at=1.3)])
    message: Any = cls.decode(b"\xf5")
    assert (message.a.name, message.b.name) == ("HIGH", "LOW")
