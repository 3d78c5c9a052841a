"""Decoded messages as JSON has them: numbers, text of one character a byte, hexadecimal, ISO 8601."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, TypeAlias, cast

from swapproto.errors import CodecError
from swapproto.provenance import Source
from swapproto.wire.fields import Code
from swapproto.wire.layout import Layout
from swapproto.wire.message import Group
from swapproto.wire.reading import Deviation

Entry: TypeAlias = dict[str, object]
"""One row of a table in the file."""


def fields(message: Group) -> Entry:
    """Every field by name: a code as its number, an absent value as None."""
    return {name: plain(getattr(message, name)) for name in message.layout.names}


def plain(value: object) -> object:
    """A value of a field; a byte of text that is no ASCII becomes the character of its number."""
    match value:
        case Code():
            return int(value)
        case str():
            return value.encode("ascii", "surrogateescape").decode("latin-1")
        case bytes():
            return hexadecimal(value)
        case datetime():
            return value.isoformat()
        case tuple() | list():
            return [plain(item) for item in cast("Iterable[object]", value)]
        case Group():
            return fields(value)
        case _:
            return value


def names(message: Group) -> dict[str, str]:
    """What the codes are called that have a name; those of an item under ``cells[3].state``."""
    found = dict(_named(message.layout, message))
    tail = message.layout.tail
    if tail is not None and tail.item is not None and not tail.scalar:
        for number, item in enumerate(getattr(message, tail.name)):
            for name, label in _named(tail.item, item):
                found[tail.place(number, name)] = label
    return found


def _named(layout: Layout, message: Any) -> Iterator[tuple[str, str]]:
    for field in layout.fields:
        value = getattr(message, field.name)
        if isinstance(value, Code) and value.known:
            yield field.name, value.label


def error(fault: CodecError | None) -> Entry | None:
    """Where and why; the byte counts from one."""
    if fault is None:
        return None
    byte = None if fault.offset is None else fault.offset + 1
    return {"field": fault.field, "byte": byte, "reason": fault.reason}


def deviation(found: Deviation) -> Entry:
    return {
        "kind": found.kind.value,
        "field": found.field,
        "byte": found.offset + 1,
        "reason": found.reason,
    }


def source(found: Source) -> Entry:
    return {"at": found.at, "basis": found.basis.value, "witnesses": found.witnesses, "why": found.why}


def hexadecimal(data: bytes) -> str:
    return data.hex().upper()
