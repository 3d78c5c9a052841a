"""Values at the edges of each field, and payloads to put them into."""

from collections.abc import Iterator
from datetime import datetime
from typing import TypeAlias

from swapproto.wire.fields import BcdTime, Raw, Text
from swapproto.wire.layout import Field, Layout
from swapproto.wire.message import Message
from swapproto.wire.values import write_time

Bits: TypeAlias = tuple[str, int]
"""What a case is about, and the raw value of the field."""

_MOMENT = write_time(datetime(2024, 2, 29, 23, 59, 58))  # noqa: DTZ001  (the wire knows no zone)
_MOST_CODES = 32


def base(cls: type[Message]) -> bytes:
    """A payload of the fixed part about which nothing is odd: a recorded one, else one that is made."""
    layout = cls.layout
    for vector in cls.VECTORS:
        if layout.tail is None and len(vector.data) == layout.length and not cls.read(vector.data).deviations:
            return vector.data
    return made(layout)


def made(layout: Layout) -> bytes:
    """The first edge of every field."""
    payload = bytearray((b"\xff" if layout.reserved_bit else b"\x00") * layout.length)
    for field in layout.fields:
        field.insert(payload, next(edges(field))[1])
    return bytes(payload)


def with_raw(payload: bytes, field: Field, raw: int) -> bytes:
    changed = bytearray(payload)
    field.insert(changed, raw)
    return bytes(changed)


def edges(field: Field) -> Iterator[Bits]:
    """Raw values that mean something, then "absent", then those that mean nothing."""
    match field.marker:
        case Text(size=size, pad=pad):
            yield from ((about, _whole(raw)) for about, raw in _texts(size, pad))
        case Raw():
            size = field.bits // 8
            yield "counting bytes", _whole(bytes(range(1, size + 1)))
            yield "zeros", 0
        case BcdTime():
            yield "a leap day", _whole(_MOMENT)
            yield "hour 24", _whole(_MOMENT[:2] + b"\x24" + _MOMENT[3:])
            yield "day 30 of February", _whole(_MOMENT[:3] + b"\x30" + _MOMENT[4:])
            yield "a digit beyond 9", _whole(b"\x5a" + _MOMENT[1:])
        case _:
            yield from _numbers(field)
            return
    if field.optional:
        yield "absent", field.mask


def _numbers(field: Field) -> Iterator[Bits]:
    if field.code is None:
        yield "lowest", field.raw_low
        yield "highest", field.raw_high
    else:
        for member in list(field.code)[:_MOST_CODES]:
            if member.value <= field.raw_high:
                yield member.label, member.value
    if field.absent is not None:
        yield "absent", field.absent
    if field.code is not None:
        known = {member.value for member in field.code}
        unknown = next((raw for raw in range(field.raw_high + 1) if raw not in known), None)
        if unknown is not None:
            yield "code without a meaning", unknown
        return
    below, above = field.raw_low - 1, field.raw_high + 1
    if below >= field.raw_floor and below != field.absent:
        yield "below the lowest", below
    if above - field.raw_floor <= field.mask and above != field.absent:
        yield "above the highest", above


def _texts(size: int, pad: int) -> Iterator[tuple[str, bytes]]:
    letters = bytes(ord("A") + number % 26 for number in range(size))
    yield "full", letters
    yield "empty", bytes([pad]) * size
    if size > 1:
        yield "filled up with the pad byte", letters[: size // 2].ljust(size, bytes([pad]))
        yield "filled up with NUL", letters[: size // 2].ljust(size, b"\x00")
        yield "filled up with blanks", letters[: size // 2].ljust(size)
    yield "not ASCII", b"\xc3" + letters[1:]


def _whole(raw: bytes) -> int:
    return int.from_bytes(raw, "little")
