"""Decoded messages as values for people and for programs."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast

from swapproto.cli.text import printable
from swapproto.wire.fields import Code
from swapproto.wire.layout import Layout
from swapproto.wire.message import Group


def plain(value: object) -> Any:
    """A value as JSON has it: an enumeration's label, its number where it has none; bytes in hexadecimal."""
    match value:
        case Code():
            return value.label if value.known else int(value)
        case bytes():
            return value.hex().upper()
        case str():
            return printable(value)
        case datetime():
            return value.isoformat()
        case tuple() | list():
            return [plain(item) for item in cast("Iterable[object]", value)]
        case Group():
            return fields(value)
        case _:
            return value


def fields(message: Any) -> dict[str, Any]:
    """Field names and plain values, in the order of the declaration."""
    return {name: plain(getattr(message, name)) for name in message.__struct_fields__}


def units(layout: Layout) -> dict[str, str]:
    """The fields that have a unit, with it."""
    found = {field.name: field.unit for field in layout.fields if field.unit}
    if layout.tail is not None and layout.tail.item is not None:
        for field in layout.tail.item.fields:
            if field.unit:
                found[layout.tail.name if layout.tail.scalar else f"{layout.tail.name}.{field.name}"] = (
                    field.unit
                )
    return found


def in_words(message: Any) -> str:
    """All fields on one line, ``name=value unit``; what a sender left out is not shown."""
    layout: Layout = message.layout
    unit_of = units(layout)
    shown: list[str] = []
    for name in message.__struct_fields__:
        value = getattr(message, name)
        if value is not None:
            unit = unit_of.get(name, "")
            shown.append(f"{name}={_word(value)}{' ' + unit if unit else ''}")
    return ", ".join(shown) or "no value"


def _word(value: object) -> str:
    match value:
        case Code():
            return value.label if value.known else f"{int(value):#04x}"
        case tuple() | list():
            return "[" + " ".join(_word(item) for item in cast("Iterable[object]", value)) + "]"
        case Group():
            return "/".join(_word(getattr(value, name)) for name in value.__struct_fields__)
        case _:
            return str(plain(value))
