"""Markers for ``typing.Annotated`` that say how a field stands on the wire.

``at`` is byte.bit counted from one, as the standards' tables count: ``at=6.3`` is byte 6, bit 3.
It names the lowest bit of a little-endian field and the highest bit of a Motorola field; without
it a field follows its predecessor. Bits that no field claims are reserved: sent as ones, or as zeros
where the class says ``reserved_bit=0``.
"""

from enum import IntEnum
from typing import Any, Literal, Self, TypeAlias

import msgspec

from swapproto.provenance import Source
from swapproto.wire.values import BLANKS

Order: TypeAlias = Literal["little", "big"]


class Code(IntEnum):
    """An enumeration that keeps values it has no name for: ``ChargeMode(9).known`` is False."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, int) or value < 0:
            return None
        member = int.__new__(cls, value)
        member._name_ = f"UNKNOWN_{value}"
        member._value_ = value
        return member

    @property
    def known(self) -> bool:
        return self._name_ in type(self).__members__

    @property
    def label(self) -> str:
        """The name as people read it, with the number where there is no name."""
        return self._name_.lower().replace("_", " ")


class Marker(msgspec.Struct, frozen=True, kw_only=True):
    """What all markers share: the place, the SPN, and a source where it differs from the message's."""

    at: float | None = None
    spn: int | None = None
    source: Source | None = None
    note: str = ""


class Integer(Marker, frozen=True):
    """An integer of 1 to 32 bits; physical = raw * scale + offset, limits in physical units."""

    bits: int
    scale: float = 1
    offset: float = 0
    unit: str = ""
    low: float | None = None
    high: float | None = None
    absent: int | None = None
    """Raw value that means "no value"; all ones for an optional field unless said otherwise."""
    order: Order = "little"
    signed: bool = False


def U(bits: int, **keys: Any) -> Integer:  # noqa: N802
    """An unsigned integer; the keywords are those of Integer."""
    return Integer(bits=bits, **keys)


def S(bits: int, **keys: Any) -> Integer:  # noqa: N802
    """A signed integer, two's complement; the keywords are those of Integer."""
    return Integer(bits=bits, signed=True, **keys)


class Choice(Marker, frozen=True):
    """A value of the Code enumeration that the annotation names."""

    bits: int = 8
    order: Order = "little"


def State(**keys: Any) -> Choice:  # noqa: N802
    """A 2-bit state, with its "untrusted" among the members of its enumeration."""
    return Choice(bits=2, **keys)


class Text(Marker, frozen=True):
    """ASCII, filled up with the pad byte; bytes that are no ASCII survive as surrogate escapes."""

    size: int
    pad: int = 0xFF

    @property
    def blanks(self) -> bytes:
        """Bytes that fill text up: the pad, and what devices use in its place (FF, NUL, blank)."""
        return bytes(sorted({self.pad, *BLANKS}))


class Raw(Marker, frozen=True):
    """Bytes whose meaning is not ours to know; size None takes the rest of the payload."""

    size: int | None = None
    unit: str = ""


class BcdTime(Marker, frozen=True):
    """Seven bytes of packed BCD: second, minute, hour, day, month, year low, year high; local time."""

    size: int = 7


class Repeat(Marker, frozen=True, kw_only=True):
    """Items up to the end of the payload: groups of the annotated class, or integers as ``item`` says."""

    item: Integer | None = None
    max_items: int
    item_name: str = "item"
    first_spn: int | None = None
