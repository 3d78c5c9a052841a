"""An annotated class, read into a Layout: where each field stands and what its raw value means."""

from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from math import ceil, floor, lcm
from typing import Annotated, Any, ClassVar, Self, TypeAlias, get_args, get_origin, get_type_hints

import msgspec

from swapproto.wire.fields import BcdTime, Choice, Code, Integer, Marker, Order, Raw, Repeat, Text


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
    def raw_floor(self) -> int:
        """The lowest number that the bits can hold."""
        return -(self.mask + 1 >> 1) if self.signed else 0

    @property
    def unlimited(self) -> bool:
        """Whether every raw value has a meaning, be it that the value is absent."""
        named = self.raw_high - self.raw_low + 1
        beyond = self.absent is not None and not self.raw_low <= self.absent <= self.raw_high
        return named + beyond == self.mask + 1

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
        """The nearest raw value, limits unchecked; a field without a scale wants a whole number."""
        if self.numerator != 1:
            return round((value * self.denominator - self.shift) / self.numerator)
        if self.denominator == 1 and value != int(value):
            raise ValueError("whole number expected")
        return round(value * self.denominator) - self.shift

    def extract(self, payload: bytes) -> int:
        first, last = self.span
        raw = int.from_bytes(payload[first : last + 1], self.order) >> self.low_bit & self.mask
        return raw - (1 << self.bits) if self.signed and raw >> (self.bits - 1) else raw

    def insert(self, payload: bytearray, raw: int) -> None:
        """Put a raw value into its place and leave the neighbours' bits alone."""
        first, last = self.span
        word = int.from_bytes(payload[first : last + 1], self.order) & ~(self.mask << self.low_bit)
        word |= (raw & self.mask) << self.low_bit
        payload[first : last + 1] = word.to_bytes(last - first + 1, self.order)


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

    def place(self, number: int, field: str) -> str:
        """How reports name a field of an item: ``cells[3].voltage``, or ``temperatures[3]``."""
        return f"{self.name}[{number}]" if self.scalar else f"{self.name}[{number}].{field}"


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
    reserved_bit: int = 1
    """What bits that no field claims are sent as: ones, whose absence is remarked, or zeros, never read."""

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

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every field in the order of its declaration, the tail last."""
        return (*self._by_name, *([] if self.tail is None else [self.tail.name]))

    def field(self, name: str) -> Field:
        """The field of that name; KeyError where there is none of fixed place."""
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Field]:
        return {field.name: field for field in self.fields}


def fraction(number: float) -> Fraction:
    """The decimal that was written, not the double behind it: 0.1 is one tenth."""
    return Fraction(Decimal(repr(number)))


def start_bit(at: float, order: Order) -> int:
    """Bit index of a place byte.bit, both from one; ValueError where there is no such bit."""
    byte, _, bit = str(at).partition(".")
    default = 1 if order == "little" else 8
    position = default if isinstance(at, int) else int(bit)
    if int(byte) < 1 or not 1 <= position <= 8:
        raise ValueError(f"{at} is no place: byte.bit is counted from one, bits go from 1 to 8")
    return (int(byte) - 1) * 8 + position - 1


class _Declared(msgspec.Struct, frozen=True):
    """One annotation of a class, taken apart: bare type, whether None is allowed, marker."""

    owner: str
    name: str
    bare: Any
    optional: bool
    marker: Marker | None

    @classmethod
    def of(cls, owner: str, name: str, hint: Any) -> Self:
        marker: Marker | None = None
        if get_origin(hint) is Annotated:
            hint, *extras = get_args(hint)
            marker = next((extra for extra in extras if isinstance(extra, Marker)), None)
        arguments = get_args(hint)
        if type(None) not in arguments:
            return cls(owner, name, hint, False, marker)
        rest = [argument for argument in arguments if argument is not type(None)]
        return cls(owner, name, rest[0], True, marker)

    def wrong(self, reason: str) -> LayoutError:
        return LayoutError(f"{self.owner}.{self.name}: {reason}")


FixedMarker: TypeAlias = Integer | Choice | Text | Raw | BcdTime


def _place(declared: _Declared, marker: FixedMarker, cursor: int) -> tuple[int, int, Order]:
    order: Order = "little"
    if isinstance(marker, Integer | Choice):
        bits, order = marker.bits, marker.order
        if not 1 <= bits <= 32:
            raise declared.wrong(f"{bits} bits; an integer has 1 to 32")
    else:
        bits = (marker.size or 0) * 8
    if marker.at is None:
        return (cursor if order == "little" else cursor // 8 * 8 + 7), bits, order
    try:
        return start_bit(marker.at, order), bits, order
    except ValueError as error:
        raise declared.wrong(str(error)) from None


def _integer(declared: _Declared, marker: Integer) -> dict[str, Any]:
    scale, offset = fraction(marker.scale), fraction(marker.offset)
    if scale <= 0:
        raise declared.wrong(f"a scale is positive, not {marker.scale}")
    denominator = lcm(scale.denominator, offset.denominator)
    numerator, shift = int(scale * denominator), int(offset * denominator)
    half = 1 << marker.bits - 1
    low, high = (-half, half - 1) if marker.signed else (0, 2 * half - 1)
    absent = marker.absent
    if absent is None:
        absent = (-1 if marker.signed else high) if declared.optional else None
    elif not declared.optional:
        raise declared.wrong("it has an absent value, but its annotation does not allow None")
    elif not low <= absent <= high:
        raise declared.wrong(f"its absent value {absent} is no raw value from {low} to {high}")
    if marker.low is not None:
        low = max(low, ceil((fraction(marker.low) - offset) / scale))
    if marker.high is not None:
        high = min(high, floor((fraction(marker.high) - offset) / scale))
    low, high = low + (absent == low), high - (absent == high)
    if low > high:
        raise declared.wrong("no raw value lies within its limits")
    return {
        "numerator": numerator, "denominator": denominator, "shift": shift,
        "raw_low": low, "raw_high": high, "absent": absent,
    }  # fmt: skip


def _choice(declared: _Declared, marker: Choice) -> dict[str, Any]:
    code, ones = declared.bare, (1 << marker.bits) - 1
    if not (isinstance(code, type) and issubclass(code, Code)):
        raise declared.wrong(f"a Choice is annotated with a Code enumeration, not {code!r}")
    if declared.optional and code(ones).known:
        raise declared.wrong(f"{code(ones)!r} is all ones, which means absent in an optional field")
    return {"code": code, "raw_high": ones - declared.optional, "absent": ones if declared.optional else None}


def _field(declared: _Declared, cursor: int) -> Field:
    marker = declared.marker
    if not isinstance(marker, FixedMarker):
        raise declared.wrong(f"{type(marker).__name__} has no fixed place")
    start, bits, order = _place(declared, marker, cursor)
    extra: dict[str, Any] = {}
    if isinstance(marker, Integer):
        extra = _integer(declared, marker)
    elif isinstance(marker, Choice):
        extra = _choice(declared, marker)
    elif start % 8:
        raise declared.wrong("bytes begin at a whole byte")
    elif isinstance(marker, BcdTime) and not declared.optional:
        raise declared.wrong("a clock may show no date: its annotation has to allow None")
    return Field(
        name=declared.name,
        marker=marker,
        start=start,
        bits=bits,
        order=order,
        optional=declared.optional,
        **extra,
    )


def _tail(declared: _Declared, marker: Raw | Repeat, cursor: int) -> Tail:
    offset = -(-cursor // 8)
    if isinstance(marker, Raw):
        return Tail(name=declared.name, marker=marker, offset=offset, optional=declared.optional)
    if declared.optional:
        raise declared.wrong("a repetition that is absent is an empty tuple, not None")
    item_type = get_args(declared.bare)[0]
    if marker.item is None:
        item = item_type.layout
    else:
        owner = f"{declared.owner}.{declared.name}"
        field = _field(_Declared(owner, marker.item_name, item_type, False, marker.item), 0)
        width = field.span[1] + 1
        item = Layout(name=owner, cls=item_type, fields=(field,), tail=None, length=width, lengths=(width,))
    if item.tail is not None:
        raise declared.wrong(f"items of {item.name} have no end: {item.tail.name} takes the rest")
    if offset + marker.max_items * item.length > Layout.MAX_PAYLOAD:
        raise declared.wrong(f"{marker.max_items} items are more than {Layout.MAX_PAYLOAD} bytes can hold")
    return Tail(
        name=declared.name, marker=marker, offset=offset,
        item=item, scalar=marker.item is not None, max_items=marker.max_items,
    )  # fmt: skip


def _claim(declared: _Declared, field: Field, taken: dict[int, str]) -> None:
    """Note the bits of a field; LayoutError where another has them."""
    first, last = field.span
    swath = (field.mask << field.low_bit).to_bytes(last - first + 1, field.order)
    for position in range(len(swath) * 8):
        if swath[position // 8] >> position % 8 & 1:
            bit = first * 8 + position
            if bit in taken:
                raise declared.wrong(f"it overlaps {taken[bit]} in byte {bit // 8 + 1}")
            taken[bit] = field.name


def read_layout(
    cls: type[Any], length: int | None, lengths: tuple[int, ...], reserved_bit: int = 1
) -> Layout:
    """The layout of an annotated class; LayoutError names a field that overlaps, is misplaced or unmarked."""
    fields: list[Field] = []
    tail: Tail | None = None
    taken: dict[int, str] = {}
    cursor = 0
    hints = get_type_hints(cls, include_extras=True)
    for name in cls.__struct_fields__:
        declared = _Declared.of(cls.__name__, name, hints[name])
        marker = declared.marker
        if marker is None:
            raise declared.wrong("no wire marker in its annotation")
        if tail is not None:
            raise declared.wrong(f"nothing can follow {tail.name}, which takes the rest")
        if isinstance(marker, Repeat) or (isinstance(marker, Raw) and marker.size is None):
            tail = _tail(declared, marker, cursor)
            continue
        field = _field(declared, cursor)
        _claim(declared, field, taken)
        fields.append(field)
        cursor = field.start + field.bits if field.order == "little" else (field.span[1] + 1) * 8
    end = max(taken, default=-1) // 8 + 1
    size = end if length is None else length
    if size < end:
        raise LayoutError(f"{cls.__name__}: {end} bytes of fields in a message of {size}")
    if tail is not None and size != tail.offset:
        raise LayoutError(
            f"{cls.__name__}.{tail.name}: it begins at byte {tail.offset + 1}, not after {size} bytes"
        )
    return Layout(
        name=cls.__name__, cls=cls, fields=tuple(fields), tail=tail, length=size,
        lengths=tuple(sorted({size, *lengths})), reserved_bit=reserved_bit,
    )  # fmt: skip
