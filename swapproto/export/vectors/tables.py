"""The declaration as two flat tables, with all that a generic reader of bits needs to know."""

from collections.abc import Iterator

from swapproto.export.vectors.values import Entry, hexadecimal, source
from swapproto.wire.fields import BcdTime, Choice, Integer, Raw, Text
from swapproto.wire.layout import Field, Layout
from swapproto.wire.message import Message


def message(cls: type[Message]) -> Entry:
    layout, tail = cls.layout, cls.layout.tail
    return {
        "name": cls.__name__,
        "title": cls.title,
        "pgn": cls.pgn,
        "priority": cls.priority,
        "identifiers": [
            {"id": f"{can_id:08X}", "sender": sender.name} for can_id, sender in cls.identifiers().items()
        ],
        "period_ms": cls.period_ms,
        "optional": cls.optional,
        "length": layout.length,
        "lengths": list(layout.lengths),
        "required": layout.required,
        "reserved": "ones" if layout.reserved_bit else "zeros",
        "tail": None if tail is None else {
            "name": tail.name,
            "offset": tail.offset,
            "items": None if tail.item is None else {
                "length": tail.item.length, "most": tail.max_items, "plain": tail.scalar,
            },
        },
        "source": source(cls.source),
    }  # fmt: skip


def fields(cls: type[Message]) -> Iterator[Entry]:
    """The fields of fixed place, then those of an item, whose start counts from the item's begin."""
    yield from _of_layout(cls, cls.layout, None)
    tail = cls.layout.tail
    if tail is not None and tail.item is not None:
        yield from _of_layout(cls, tail.item, tail.name)


def kind(field: Field) -> str:
    match field.marker:
        case Choice():
            return "code"
        case Text():
            return "text"
        case Raw():
            return "bytes"
        case BcdTime():
            return "time"
        case _:
            return "integer"


def _of_layout(cls: type[Message], layout: Layout, items: str | None) -> Iterator[Entry]:
    for field in layout.fields:
        marker = field.marker
        row: Entry = {
            "message": cls.__name__,
            "name": field.name,
            "items": items,
            "kind": kind(field),
            "start": field.start,
            "length": field.bits,
            "order": field.order,
            "signed": field.signed,
            "scale": marker.scale if isinstance(marker, Integer) else 1,
            "offset": marker.offset if isinstance(marker, Integer) else 0,
            "absent": field.absent,
            "optional": field.optional,
        }
        if isinstance(marker, Integer):
            row |= {
                "unit": field.unit,
                "low": field.to_physical(field.raw_low),
                "high": field.to_physical(field.raw_high),
            }
        if field.code is not None:
            row["codes"] = {str(member.value): member.label for member in field.code}
        if isinstance(marker, Text):
            row |= {"pad": marker.pad, "blanks": hexadecimal(marker.blanks)}
        yield row | {"spn": marker.spn, "note": marker.note, "source": source(marker.source or cls.source)}
