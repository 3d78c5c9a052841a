"""What a tolerant look at a payload yields."""

from enum import Enum
from typing import Generic, TypeVar

import msgspec

from swapproto.errors import CodecError

M = TypeVar("M")


class DeviationKind(Enum):
    """How a payload can depart from its layout and still be read."""

    PADDED = "padded"
    TOO_LONG = "too long"
    SHORT = "optional tail absent"
    RESERVED = "reserved bits not ones"
    RANGE = "out of range"
    UNKNOWN = "value without a meaning"
    TEXT = "not ASCII"
    TIME = "not a date and time"
    ITEMS = "broken repetition"


class Deviation(msgspec.Struct, frozen=True, gc=False):
    """One departure; ``offset`` is the zero-based byte at which it begins."""

    kind: DeviationKind
    field: str | None
    offset: int
    reason: str

    def __str__(self) -> str:
        where = f"byte {self.offset + 1}" if self.field is None else f"{self.field} (byte {self.offset + 1})"
        return f"{where}: {self.reason}"


class Reading(msgspec.Struct, Generic[M], frozen=True, gc=False):
    """The message or None, with what was odd about it; ``error`` is set exactly where message is None."""

    message: M | None
    deviations: tuple[Deviation, ...] = ()
    error: CodecError | None = None
