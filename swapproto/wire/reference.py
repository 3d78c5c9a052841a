# pyright: basic
"""Layout to ``construct.Struct``: an independent reading of the same declaration, to hold the codec against.

Nothing of the codec's arithmetic is used: bits go through BitStruct, physical values through Decimal.
construct has no types; they end in this module. It is slow and meant for tests and documentation.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

import msgspec
from construct import (
    BitsInteger,
    BitStruct,
    Bytes,
    ByteSwapped,
    Construct,
    Default,
    GreedyBytes,
    GreedyRange,
    Struct,
)

from swapproto.wire.fields import BcdTime, Choice, Code, Integer, Order, Text
from swapproto.wire.layout import Field, Layout, Tail
from swapproto.wire.message import Group


class Reserved(msgspec.Struct, frozen=True):
    """Neighbouring reserved bits of one byte as they were received; ``offset`` is the zero-based byte."""

    offset: int
    bits: int
    value: int

    @property
    def ones(self) -> bool:
        return bool(self.value == 2**self.bits - 1)


class Parsed(msgspec.Struct, frozen=True):
    """Physical values by field, absent ones None, and what is odd: reserved bits, fields out of range."""

    values: dict[str, Any]
    reserved: tuple[Reserved, ...]
    outside: tuple[str, ...]


def reference(cls: type[Group], size: int | None = None) -> Construct:
    """The Struct of raw values for payloads of so many bytes, by default as long as they are encoded.

    Optional fields that such a payload cuts are left out. Parsing raises construct's StreamError
    where a mandatory field is cut.
    """
    layout = cls.layout
    return _struct(layout, layout.length) if size is None else _struct(layout, size, surplus=True)


def parse(cls: type[Group], payload: bytes) -> Parsed:
    """Physical values and reserved bits of a payload; StreamError where a mandatory field is cut."""
    layout = cls.layout
    raw: Any = reference(cls, len(payload)).parse(payload)
    flat = _flat(raw)
    values = {field.name: _physical(field, flat.get(field.name)) for field in layout.fields}
    reserved = [*_reserved(flat, 0)]
    odd = [*_outside(layout, flat)]
    tail = layout.tail
    if tail is not None and tail.item is None:
        values[tail.name] = None if tail.optional and not raw[tail.name] else bytes(raw[tail.name])
    elif tail is not None and tail.item is not None:
        items = _present(tail.item, [_flat(item) for item in raw[tail.name]])
        values[tail.name] = tuple(_item(tail, tail.item, item) for item in items)
        for number, item in enumerate(items):
            reserved += _reserved(item, tail.offset + number * tail.item.length)
            odd += [tail.place(number, name) for name in _outside(tail.item, item)]
    return Parsed(values, tuple(reserved), tuple(odd))


def _struct(layout: Layout, size: int, surplus: bool = False) -> Construct:
    whole = [field for field in layout.fields if not (field.optional and max(_bytes(field)) >= size)]
    owners = {bit: "" for field in layout.fields for bit in _bits(field)}
    owners |= {bit: field.name for field in whole for bit in _bits(field)}
    end = max([min(size, max(layout.lengths)), *(max(_bytes(field)) + 1 for field in whole)])
    parts: list[Any] = []
    cursor = 0
    for first, last, order, members in _runs(whole):
        if first > cursor:
            parts.append(_bit_struct(cursor, first, "little", owners, [], layout.reserved_bit))
        if order is None:
            parts.append(members[0].name / Bytes(last + 1 - first))
        else:
            parts.append(_bit_struct(first, last + 1, order, owners, members, layout.reserved_bit))
        cursor = last + 1
    if end > cursor:
        parts.append(_bit_struct(cursor, end, "little", owners, [], layout.reserved_bit))
    if layout.tail is not None:
        item = layout.tail.item
        rest: Any = GreedyBytes if item is None else GreedyRange(_struct(item, item.length))
        parts.append(layout.tail.name / rest)
    if surplus:
        remainder: Any = GreedyBytes
        parts.append("surplus" / remainder)
    return layout.name / Struct(*parts)


def _bits(field: Field) -> list[int]:
    """Every bit of a field, counted from the lowest of byte 1 upwards."""
    if field.order == "little":
        return [field.start + place for place in range(field.bits)]
    head = field.start // 8 * 8 + 7 - field.start % 8
    return [place // 8 * 8 + 7 - place % 8 for place in range(head, head + field.bits)]


def _bytes(field: Field) -> set[int]:
    return {bit // 8 for bit in _bits(field)}


def _runs(fields: list[Field]) -> Iterator[tuple[int, int, Order | None, list[Field]]]:
    """First and last byte of neighbours that are read together; byte fields stand alone, without order."""

    def kind(pair: tuple[int, Field]) -> Any:
        number, field = pair
        return field.order if isinstance(field.marker, Integer | Choice) else number

    ordered = sorted(fields, key=lambda field: min(_bytes(field)))
    for key, group in groupby(enumerate(ordered), key=kind):
        members = [field for _, field in group]
        occupied = set[int]().union(*map(_bytes, members))
        order = members[0].order if isinstance(key, str) else None
        yield min(occupied), max(occupied), order, members


def _bit_struct(
    first: int, end: int, order: Order, owners: dict[int, str], members: list[Field], fill: int
) -> Any:
    """The bits of some bytes from the highest to the lowest, reserved ones kept apart by byte."""
    signed = {field.name: isinstance(field.marker, Integer) and field.marker.signed for field in members}
    upwards = range(first, end) if order == "big" else range(end - 1, first - 1, -1)
    stream = [byte * 8 + bit for byte in upwards for bit in range(7, -1, -1)]
    parts = []
    for key, group in groupby(stream, key=lambda bit: owners.get(bit, bit // 8)):
        bits = list(group)
        if key == "":
            parts.append(BitsInteger(len(bits)))
        elif isinstance(key, str):
            parts.append(key / BitsInteger(len(bits), signed=signed[key]))
        else:
            name = f"reserved_{bits[-1] // 8 + 1}_{bits[-1] % 8 + 1}_{bits[0] % 8 + 1}"
            parts.append(name / Default(BitsInteger(len(bits)), fill * (2 ** len(bits) - 1)))
    whole = BitStruct(*parts)
    return f"bytes_{first + 1}_{end}" / (whole if order == "big" else ByteSwapped(whole))


def _flat(raw: Any) -> dict[str, Any]:
    """Raw values by name, out of the runs of bytes that hold them."""
    flat: dict[str, Any] = {}
    for name, value in raw.items():
        if name == "_io":  # construct's own stream
            continue
        flat |= _flat(value) if isinstance(value, dict) else {name: value}
    return flat


def _reserved(flat: dict[str, Any], base: int) -> Iterator[Reserved]:
    """Names are reserved, byte, lowest and highest bit, all counted from one."""
    for name, value in flat.items():
        if name.startswith("reserved_"):
            byte, low, high = map(int, name.split("_")[1:])
            yield Reserved(base + byte - 1, high - low + 1, value)


def _physical(field: Field, raw: Any) -> Any:
    """The value that a raw one stands for; None for absent ones, and for what was cut."""
    match field.marker:
        case _ if raw is None:
            return None
        case Integer() as marker:
            ones = -1 if marker.signed else 2**marker.bits - 1
            none = ones if marker.absent is None else marker.absent
            return None if field.optional and raw == none else _number(marker, raw)
        case Choice(bits=bits):
            code: type[Code] = field.code or Code
            return None if field.optional and raw == 2**bits - 1 else code(raw)
        case Text(blanks=blanks):
            empty = field.optional and set(raw) == {0xFF}
            return None if empty else raw.rstrip(blanks).decode("ascii", "surrogateescape")
        case BcdTime():
            return _time(raw)
        case _:
            return None if field.optional and set(raw) == {0xFF} else raw


def _number(marker: Integer, raw: int) -> float | int:
    exact = Decimal(raw) * Decimal(str(marker.scale)) + Decimal(str(marker.offset))
    whole = Decimal(str(marker.scale)) % 1 == 0 and Decimal(str(marker.offset)) % 1 == 0
    return int(exact) if whole else float(exact)


def _time(raw: bytes) -> datetime | None:
    try:
        return datetime.strptime(raw[::-1].hex(), "%Y%m%d%H%M%S")  # noqa: DTZ007  (the wire knows no zone)
    except ValueError:
        return None


def _outside(layout: Layout, flat: dict[str, Any]) -> Iterator[str]:
    """Numbers outside their limits and codes without a meaning, by name; absent values are neither."""
    for field in layout.fields:
        value = _physical(field, flat.get(field.name))
        marker = field.marker
        if value is None:
            continue
        if isinstance(marker, Choice):
            wrong = value.name not in type(value).__members__
        elif isinstance(marker, Integer):
            low = value if marker.low is None else marker.low
            high = value if marker.high is None else marker.high
            wrong = not low <= value <= high
        else:
            wrong = False
        if wrong:
            yield field.name


def _present(layout: Layout, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the items at the end that are all ones, where ones are no value."""
    ones = _flat(_struct(layout, layout.length).parse(b"\xff" * layout.length))
    if any(_outside(layout, ones)):
        while items and items[-1] == ones:
            items.pop()
    return items


def _item(tail: Tail, layout: Layout, item: dict[str, Any]) -> Any:
    values = {field.name: _physical(field, item[field.name]) for field in layout.fields}
    return values[layout.fields[0].name] if tail.scalar else layout.cls(**values)
