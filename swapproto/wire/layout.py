"""An annotated class, read into a Layout: where each field stands and what its raw value means."""

from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import Annotated, Any, ClassVar, TypeAlias, get_args, get_origin, get_type_hints

import msgspec

from swapproto.wire.fields import BcdTime, Choice, Code, Integer, Marker, Order, Raw, Repeat, Text

Value: TypeAlias = object


class LayoutError(TypeError):
    """A declaration that makes no layout: the class and field are named."""


class Field(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One field of fixed place: bits on the wire and the exact arithmetic to its physical value."""

    name: str
    marker: Marker
    start: int
    """Lowest bit counted from bit 1 of byte 1 as zero; for Motorola the bit of the field's highest bit."""
    bits: int
    order: Order = "little"
    optional: bool = False
    absent: int | None = None
    code: type[Code] | None = None
    numerator: int = 1
    denominator: int = 1
    shift: int = 0
    """physical = (raw * numerator + shift) / denominator, in integers up to the one division."""
    raw_low: int = 0
    raw_high: int = 0

    @property
    def integral(self) -> bool:
        return self.denominator == 1

    @property
    def signed(self) -> bool:
        return isinstance(self.marker, Integer) and self.marker.signed

    @property
    def unit(self) -> str:
        return getattr(self.marker, "unit", "")

    @cached_property
    def span(self) -> tuple[int, int]:
        """First and last byte, zero-based."""
        if self.order == "little":
            return self.start // 8, (self.start + self.bits - 1) // 8
        first = self.start // 8
        return first, (first * 8 + (7 - self.start % 8) + self.bits - 1) // 8

    @cached_property
    def low_bit(self) -> int:
        """Shift that brings the field's lowest bit to bit 0 of the integer that its span makes."""
        first, last = self.span
        if self.order == "little":
            return self.start - first * 8
        return (last - first + 1) * 8 - (7 - self.start % 8) - self.bits

    @property
    def mask(self) -> int:
        return (1 << self.bits) - 1

    @property
    def place(self) -> str:
        """The position in the standards' way: byte.bit from one, or bytes where they are whole."""
        first, last = self.span
        if self.bits % 8 == 0 and self.low_bit == 0:
            return f"{first + 1}" if first == last else f"{first + 1}-{last + 1}"
        return f"{self.start // 8 + 1}.{self.start % 8 + 1}"

    def to_physical(self, raw: int) -> float | int:
        """The double nearest to the decimal raw * scale + offset, an int where scale and offset are whole."""
        scaled = raw * self.numerator + self.shift
        return scaled if self.denominator == 1 else scaled / self.denominator

    def to_raw(self, value: float) -> int:
        """The nearest raw value, limits unchecked; a whole-number field wants a whole number."""
        if self.denominator == 1 and self.numerator == 1:
            if value != int(value):
                raise ValueError("whole number expected")
            return int(value) - self.shift
        return round(Fraction(round(value * self.denominator) - self.shift, self.numerator))

    def extract(self, payload: bytes) -> int:
        first, last = self.span
        raw = int.from_bytes(payload[first : last + 1], self.order) >> self.low_bit & self.mask
        return raw - (1 << self.bits) if self.signed and raw >> (self.bits - 1) else raw


class Tail(msgspec.Struct, frozen=True, kw_only=True):
    """The part that repeats, or the opaque rest, from ``offset`` to the end of the payload."""

    name: str
    marker: Raw | Repeat
    offset: int
    optional: bool = False
    item: "Layout | None" = None
    """Layout of one item; None for opaque bytes."""
    scalar: bool = False
    """Whether an item is a plain integer instead of a group."""
    max_items: int = 0


class Layout(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """All that a codec, an oracle, a DBC or a page of documentation needs to know of a message."""

    MAX_PAYLOAD: ClassVar[int] = 1785

    name: str
    cls: type[Any]
    fields: tuple[Field, ...]
    tail: Tail | None
    length: int
    """Bytes of the fixed part, as encoded."""
    lengths: tuple[int, ...]
    """Lengths of the fixed part that are read without remark."""

    @cached_property
    def claimed(self) -> bytes:
        """Ones where a field stands, for the fixed part in its longest form."""
        bits = bytearray(max(self.lengths))
        for field in self.fields:
            first, last = field.span
            width = last - first + 1
            mask = (field.mask << field.low_bit).to_bytes(width, field.order)
            for index, byte in enumerate(mask, first):
                bits[index] |= byte
        return bytes(bits)

    @cached_property
    def required(self) -> int:
        """Bytes without which the message cannot be read: up to the last mandatory field."""
        return max((field.span[1] + 1 for field in self.fields if not field.optional), default=0)

    def field(self, name: str) -> Field:
        return next(field for field in self.fields if field.name == name)


def fraction(number: float) -> Fraction:
    """The decimal that was written, not the double behind it: 0.1 is one tenth."""
    return Fraction(Decimal(repr(number)))


def start_bit(at: float, order: Order) -> int:
    byte, _, bit = str(at).partition(".")
    default = 1 if order == "little" else 8
    return (int(byte) - 1) * 8 + (int(bit) if bit and not isinstance(at, int) else default) - 1


def _unwrap(hint: Any) -> tuple[Any, bool, Marker | None]:
    """Bare type, whether None is allowed, and the marker, out of Annotated[T | None, marker]."""
    marker: Marker | None = None
    if get_origin(hint) is Annotated:
        hint, *extras = get_args(hint)
        marker = next((extra for extra in extras if isinstance(extra, Marker)), None)
    arguments = get_args(hint)
    if type(None) in arguments:
        rest = [argument for argument in arguments if argument is not type(None)]
        return rest[0], True, marker
    return hint, False, marker


def _place(owner: str, name: str, marker: Integer | Choice | Text | Raw | BcdTime, cursor: int) -> tuple[int, int, Order]:
    order: Order = "little"
    if isinstance(marker, Integer | Choice):
        bits, order = marker.bits, marker.order
        if not 1 <= bits <= 32:
            raise LayoutError(f"{owner}.{name}: {bits} bits; an integer has 1 to 32")
    else:
        bits = (marker.size or 0) * 8
    start = start_bit(marker.at, order) if marker.at is not None else cursor
    if marker.at is None and order == "big":
        start = cursor // 8 * 8 + 7
    return start, bits, order


def _integer(owner: str, name: str, marker: Integer, optional: bool) -> dict[str, Any]:
    scale, offset = fraction(marker.scale), fraction(marker.offset)
    if not scale:
        raise LayoutError(f"{owner}.{name}: scale is zero")
    denominator = lcm(scale.denominator, offset.denominator)
    numerator, shift = int(scale * denominator), int(offset * denominator)
    span = 1 << marker.bits
    low, high = (-(span >> 1), (span >> 1) - 1) if marker.signed else (0, span - 1)
    absent = marker.absent
    if optional and absent is None:
        absent = -1 if marker.signed else span - 1
    if marker.low is not None:
        low = max(low, -int(-((fraction(marker.low) - offset) / scale) // 1))
    if marker.high is not None:
        high = min(high, int((fraction(marker.high) - offset) / scale // 1))
    if absent == high:
        high -= 1
    return {
        "numerator": numerator, "denominator": denominator, "shift": shift,
        "raw_low": low, "raw_high": high, "absent": absent,
    }  # fmt: skip


def _field(owner: str, name: str, bare: Any, optional: bool, marker: Marker, cursor: int) -> Field:
    if not isinstance(marker, Integer | Choice | Text | Raw | BcdTime):
        raise LayoutError(f"{owner}.{name}: {type(marker).__name__} has no fixed place")
    start, bits, order = _place(owner, name, marker, cursor)
    extra: dict[str, Any] = {}
    if isinstance(marker, Integer):
        extra = _integer(owner, name, marker, optional)
    elif isinstance(marker, Choice):
        if not (isinstance(bare, type) and issubclass(bare, Code)):
            raise LayoutError(f"{owner}.{name}: a Choice is annotated with a Code enumeration, not {bare!r}")
        extra = {"code": bare, "raw_high": (1 << bits) - 1, "absent": (1 << bits) - 1 if optional else None}
    elif start % 8:
        raise LayoutError(f"{owner}.{name}: bytes begin at a whole byte")
    return Field(name=name, marker=marker, start=start, bits=bits, order=order, optional=optional, **extra)


def _tail(owner: str, name: str, bare: Any, optional: bool, marker: Raw | Repeat, cursor: int) -> Tail:
    offset = -(-cursor // 8)
    if isinstance(marker, Raw):
        return Tail(name=name, marker=marker, offset=offset, optional=optional)
    item_type = get_args(bare)[0]
    if marker.item is not None:
        field = _field(owner, marker.item_name, item_type, False, marker.item, 0)
        width = -(-field.bits // 8)
        item = Layout(name=f"{owner}.{name}", cls=item_type, fields=(field,), tail=None, length=width, lengths=(width,))
    else:
        item = item_type.layout
    return Tail(
        name=name, marker=marker, offset=offset, optional=optional,
        item=item, scalar=marker.item is not None, max_items=marker.max_items,
    )  # fmt: skip


def read_layout(cls: type[Any], length: int | None, lengths: tuple[int, ...]) -> Layout:
    """The layout of an annotated class; LayoutError names a field that overlaps, is misplaced or has no marker."""
    fields: list[Field] = []
    tail: Tail | None = None
    taken: dict[int, str] = {}
    cursor = 0
    hints = get_type_hints(cls, include_extras=True)
    for name in cls.__struct_fields__:
        bare, optional, marker = _unwrap(hints[name])
        if marker is None:
            raise LayoutError(f"{cls.__name__}.{name}: no wire marker in its annotation")
        if tail is not None:
            raise LayoutError(f"{cls.__name__}.{name}: nothing can follow {tail.name}, which takes the rest")
        if isinstance(marker, Repeat) or (isinstance(marker, Raw) and marker.size is None):
            tail = _tail(cls.__name__, name, bare, optional, marker, cursor)
            continue
        field = _field(cls.__name__, name, bare, optional, marker, cursor)
        first, _ = field.span
        width = field.span[1] - first + 1
        swath = (field.mask << field.low_bit).to_bytes(width, field.order)
        for position in range(width * 8):
            if swath[position // 8] >> position % 8 & 1:
                bit = first * 8 + position
                if bit in taken:
                    raise LayoutError(f"{cls.__name__}.{name} overlaps {taken[bit]} in byte {bit // 8 + 1}")
                taken[bit] = name
        fields.append(field)
        cursor = field.start + field.bits if field.order == "little" else (field.span[1] + 1) * 8
    end = max(taken, default=-1) // 8 + 1
    size = end if length is None else length
    if size < end:
        raise LayoutError(f"{cls.__name__}: {end} bytes of fields in a message of {size}")
    if tail is not None and size != tail.offset:
        raise LayoutError(f"{cls.__name__}: {tail.name} begins at byte {tail.offset + 1}, after {size} fixed bytes")
    return Layout(
        name=cls.__name__, cls=cls, fields=tuple(fields), tail=tail, length=size,
        lengths=tuple(sorted({size, *lengths})),
    )  # fmt: skip
