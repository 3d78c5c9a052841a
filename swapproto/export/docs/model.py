"""What the pages show, taken out of the declaration: pages of messages, messages with their fields."""

import sys
from collections.abc import Iterator, Mapping
from enum import Enum
from itertools import product
from string import ascii_lowercase

import msgspec
from markupsafe import Markup

from swapproto.export.docs import picture
from swapproto.export.source import Declaration
from swapproto.provenance import Source
from swapproto.wire.fields import BcdTime, Choice, Integer, Raw, Text
from swapproto.wire.layout import Field, Layout
from swapproto.wire.message import Message, Vector


class FieldView(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table of fields."""

    key: str
    name: str
    place: str
    bits: int
    kind: str
    unit: str
    scale: str
    offset: str
    limits: str
    absent: str
    values: tuple[tuple[str, str], ...]
    mandatory: bool
    spn: int | None
    source: Source
    note: str


class PictureView(msgspec.Struct, frozen=True):
    """The bytes of the fixed part, or those of one item."""

    caption: str
    svg: Markup
    text: str


class MessageView(msgspec.Struct, frozen=True, kw_only=True):
    """All that a page says of a message."""

    cls: type[Message]
    name: str
    anchor: str
    title: str
    text: str
    identifiers: tuple[tuple[str, str], ...]
    pgn: str
    priority: int
    period: str
    length: str
    filler: str
    optional: bool
    source: Source
    pictures: tuple[PictureView, ...]
    fields: tuple[FieldView, ...]
    vectors: tuple[Vector, ...]
    unseen: str


class Page(msgspec.Struct, frozen=True):
    """Messages that belong together, under the name of the file."""

    name: str
    title: str
    lead: str
    messages: tuple[MessageView, ...]


def pages(declared: Declaration) -> tuple[Page, ...]:
    """By phase where a message has one, else by the module that declares it; in the order of the messages."""
    grouped: dict[tuple[str, str, str], list[type[Message]]] = {}
    for cls in declared.messages:
        grouped.setdefault(_group(cls), []).append(cls)
    return tuple(
        Page(name, title, lead, tuple(view(cls) for cls in classes))
        for (name, title, lead), classes in grouped.items()
    )


def _group(cls: type[Message]) -> tuple[str, str, str]:
    if cls.phase is not None:
        title = str(cls.phase.value)
        return f"phase-{title.replace(' ', '-')}", f"Phase: {title}", ""
    module = sys.modules[cls.__module__]
    stem = module.__name__.rpartition(".")[2].replace("_", "-")
    lead = (module.__doc__ or "").strip().partition("\n")[0]
    return stem, stem.replace("-", " ").capitalize(), lead


def view(cls: type[Message]) -> MessageView:
    layout = cls.layout
    keys = _keys(layout)
    return MessageView(
        cls=cls,
        name=cls.__name__,
        anchor=cls.__name__.lower(),
        title=cls.title,
        text=" ".join((cls.__doc__ or "").split()),
        identifiers=tuple((f"{can_id:08X}", _party(who)) for can_id, who in cls.identifiers().items()),
        pgn=f"{cls.pgn:04X}h ({cls.pgn})",
        priority=cls.priority,
        period="on an event" if cls.period_ms is None else f"{cls.period_ms} ms",
        length=_length(layout),
        filler="ones" if layout.reserved_bit else "zeros",
        optional=cls.optional,
        source=cls.source,
        pictures=tuple(_pictures(layout, keys)),
        fields=tuple(_rows(cls, keys)),
        vectors=cls.VECTORS,
        unseen=cls.unseen,
    )


def _party(who: Enum) -> str:
    return str(getattr(who, "label", who.name))


def _keys(layout: Layout) -> Mapping[str, str]:
    """A letter for each field, those of an item and an opaque rest included."""
    tail = layout.tail
    names = [field.name for field in layout.fields]
    if tail is not None:
        names += [tail.name] if tail.item is None else [tail.place(0, f.name) for f in tail.item.fields]
    letters = [*ascii_lowercase, *("".join(pair) for pair in product(ascii_lowercase, repeat=2))]
    return dict(zip(names, letters, strict=False))


def _length(layout: Layout) -> str:
    tail = layout.tail
    if tail is None:
        others = [str(length) for length in layout.lengths if length != layout.length]
        return f"{layout.length} bytes" + (f"; {', '.join(others)} are read as well" if others else "")
    fixed = f"{layout.length} bytes, then " if layout.length else ""
    if tail.item is None:
        return f"{fixed}any number of bytes"
    return f"{fixed}up to {tail.max_items} items of {_bytes(tail.item.length)}"


def _bytes(count: int) -> str:
    return "1 byte" if count == 1 else f"{count} bytes"


def _pictures(layout: Layout, keys: Mapping[str, str]) -> Iterator[PictureView]:
    tail = layout.tail
    if layout.length:
        yield PictureView("", picture.svg(layout, keys), picture.text(layout, keys))
    if tail is not None and tail.item is not None:
        inner = {field.name: keys[tail.place(0, field.name)] for field in tail.item.fields}
        caption = f"Each item of {tail.name}, the first from byte {tail.offset + 1} on"
        yield PictureView(caption, picture.svg(tail.item, inner), picture.text(tail.item, inner))


def _rows(cls: type[Message], keys: Mapping[str, str]) -> Iterator[FieldView]:
    layout, tail = cls.layout, cls.layout.tail
    for field in layout.fields:
        yield _row(cls, field, keys[field.name], field.name, "")
    if tail is None:
        return
    if tail.item is None:
        yield FieldView(
            key=keys[tail.name], name=tail.name, place=f"{tail.offset + 1}-", bits=0, kind="bytes", unit="",
            scale="", offset="", limits="", absent="", values=(), mandatory=not tail.optional,
            spn=tail.marker.spn, source=tail.marker.source or cls.source, note=tail.marker.note,
        )  # fmt: skip
        return
    for field in tail.item.fields:
        name = f"{tail.name}[]" if tail.scalar else f"{tail.name}[].{field.name}"
        note = tail.marker.note
        yield _row(cls, field, keys[tail.place(0, field.name)], name, note)


def _row(cls: type[Message], field: Field, key: str, name: str, more: str) -> FieldView:
    marker = field.marker
    number = marker if isinstance(marker, Integer) else None
    limits = ""
    if number is not None:
        limits = f"{_plain(field.to_physical(field.raw_low))} to {_plain(field.to_physical(field.raw_high))}"
    return FieldView(
        key=key,
        name=name,
        place=_place(field),
        bits=field.bits,
        kind=_kind(field),
        unit=field.unit,
        scale="" if number is None else _plain(number.scale),
        offset="" if number is None else _plain(number.offset),
        limits=limits,
        absent=_absent(field),
        values=()
        if field.code is None
        else tuple((_code(member.value, field.bits), member.label) for member in field.code),
        mandatory=not field.optional,
        spn=marker.spn,
        source=marker.source or cls.source,
        note=". ".join(part for part in (marker.note, more) if part),
    )


def _place(field: Field) -> str:
    """As the layout tells it; inside one byte always by the lowest bit, whatever the order."""
    first, last = field.span
    if first == last and field.bits < 8:
        return f"{first + 1}.{field.low_bit + 1}"
    return field.place


def _kind(field: Field) -> str:
    match field.marker:
        case Choice():
            kind = "code"
        case Text():
            kind = "text"
        case Raw():
            kind = "bytes"
        case BcdTime():
            kind = "BCD time"
        case _:
            kind = "signed number" if field.signed else "number"
    first, last = field.span
    return f"{kind}, highest byte first" if field.order == "big" and first != last else kind


def _absent(field: Field) -> str:
    if field.absent is not None:
        return _code(field.absent & field.mask, field.bits)
    return "all ones" if field.optional else ""


def _code(value: int, bits: int) -> str:
    """Binary for states of some bits, hexadecimal from a byte up."""
    return f"{value:0{bits}b}b" if bits < 8 else f"{value:0{-(-bits // 4)}X}h"


def _plain(number: float) -> str:
    return str(int(number)) if number == int(number) else repr(number)
