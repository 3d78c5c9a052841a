"""`swapproto message`: the layout of a message, as the class declares it."""

from collections.abc import Iterator
from difflib import get_close_matches
from enum import Enum, StrEnum
from typing import Annotated, Any

import typer

from swapproto.cli.text import output, table
from swapproto.cli.values import in_words
from swapproto.messages.catalog import SETS, MessageSet, UnknownMessage, message_set
from swapproto.messages.gbt27930 import ChargingMessage
from swapproto.provenance import Source
from swapproto.wire.fields import Integer
from swapproto.wire.layout import Field, Layout, Tail
from swapproto.wire.message import Message


class EditionName(StrEnum):
    """Editions by their year."""

    GBT_2011 = "2011"
    GBT_2015 = "2015"
    GBT_2023A = "2023"


_FIRST = "gbt27930-2015"
"""Where a name is looked up first."""
_EDITIONS = {
    EditionName.GBT_2011: "gbt27930-2011",
    EditionName.GBT_2015: _FIRST,
    EditionName.GBT_2023A: "gbt27930-2023a",
}
_LIST_HEADER = (
    "name", "PGN", "identifier", "priority>", "bytes>", "period>", "sender", "phase", "M/O", "title",
)  # fmt: skip
_FIELD_HEADER = (
    "SPN>", "byte.bit", "bits>", "field", "M/O", "scale>", "offset>", "unit", "range or values",
    "clause", "basis",
)  # fmt: skip
_SHOWN_BYTES = 49
_SHOWN_WORDS = 600


def command(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="Name of the message, as BCL; without it all are listed."),
    ] = None,
    edition: Annotated[
        EditionName | None, typer.Option("--edition", help="Only this edition of GB/T 27930.")
    ] = None,
    set_name: Annotated[
        str | None, typer.Option("--set", metavar="SET", help=f"Only this one of {', '.join(SETS)}.")
    ] = None,
    list_all: Annotated[bool, typer.Option("--list", help="List the messages.")] = False,
    source: Annotated[bool, typer.Option("--source", help="Print the generated codec instead.")] = False,
) -> None:
    """Print the layout of a message as a table with SPN, place, scale, clause and basis, or list all.

    A name is looked up in the 2015 edition of GB/T 27930 first and then in the other sets.
    Places are byte.bit, both counted from one; M is a mandatory field, O an optional one.
    """
    if edition is not None and set_name is not None:
        raise typer.BadParameter("--edition and --set name one set each; give one of them")
    if list_all and (name is not None or source):
        raise typer.BadParameter("--list goes without NAME and --source")
    chosen = _EDITIONS[edition] if edition is not None else set_name
    if name is None:
        lines = listing(SETS if chosen is None else (chosen,))
    else:
        cls, home = find(name) if chosen is None else (message_set(chosen).by_name(name), chosen)
        lines = iter([cls.codec.source.rstrip()]) if source else description(cls, home)
    with output() as out:
        for line in lines:
            out.write(line + "\n")


def find(name: str) -> tuple[type[Message], str]:
    """The class of that name and its set, the 2015 edition before the others; UnknownMessage if in none."""
    homes = (_FIRST, *(each for each in SETS if each != _FIRST))
    for home in homes:
        found = _in_set(home, name)
        if found is not None:
            return found, home
    there = {cls.__name__.upper(): cls.__name__ for home in homes for cls in message_set(home)}
    near = get_close_matches(name.upper(), there, n=8, cutoff=0.6)
    told = f"near: {', '.join(there[each] for each in near)}" if near else "--list shows what there is"
    raise UnknownMessage(f"no message {name!r} in {', '.join(homes)}; {told}")


def _in_set(home: str, name: str) -> type[Message] | None:
    return next((cls for cls in message_set(home) if cls.__name__.upper() == name.upper()), None)


def listing(sets: tuple[str, ...]) -> Iterator[str]:
    """All messages of the sets, one a line."""
    for number, home in enumerate(sets):
        found: MessageSet[Any] = message_set(home)
        if number:
            yield ""
        yield f"{home}: {found.name}, {len(found.messages)} messages"
        yield ""
        yield from table(_LIST_HEADER, [_list_row(cls) for cls in found])


def _list_row(cls: type[Message]) -> tuple[object, ...]:
    return (
        cls.__name__, f"{cls.pgn:04X}h", f"{cls.identifier():08X}", cls.priority, length_of(cls.layout),
        _period(cls), _sender(cls), _phase(cls), "O" if cls.optional else "M", cls.title,
    )  # fmt: skip


def description(cls: type[Message], home: str) -> Iterator[str]:
    """Everything that the class declares, and in which other sets its name stands."""
    yield f"{cls.__name__}: {cls.title} ({message_set(home).name})"
    yield from _elsewhere(cls, home)
    yield ""
    facts = [
        ("PGN", f"{cls.pgn:04X}h"),
        (
            "identifier",
            f"{cls.identifier():08X}h{'' if cls.layout.length <= 8 else ' (payload over the transport)'}",
        ),
        ("priority", cls.priority),
        (
            "length",
            "any number of bytes" if cls.layout.tail is not None else f"{length_of(cls.layout)} bytes",
        ),
        ("period", _period(cls)),
        ("sender", _sender(cls)),
        ("phase", _phase(cls)),
        ("presence", "optional" if cls.optional else "mandatory"),
        ("basis", cls.source),
    ]
    if cls.source.why:
        facts.append(("", cls.source.why))
    yield from (f"  {title:<11}{value}" for title, value in facts)
    yield ""
    yield from table(_FIELD_HEADER, _rows(cls))
    yield ""
    if not cls.VECTORS:
        yield f"  no vector: {cls.unseen}"
    for vector in cls.VECTORS:
        more = f" ... {len(vector.data)} bytes" if len(vector.data) > _SHOWN_BYTES else ""
        words = in_words(cls.decode(vector.data))
        yield f"  {vector.data[:_SHOWN_BYTES].hex(' ').upper()}{more}"
        yield f"    {words if len(words) <= _SHOWN_WORDS else words[:_SHOWN_WORDS] + ' ...'}"
        yield f"    {vector.at} ({vector.basis.value})"


def length_of(layout: Layout) -> str:
    """Bytes as encoded, with the other lengths that are read without remark."""
    if layout.tail is not None:
        return f"{layout.length}+" if layout.length else "any"
    others = [str(length) for length in layout.lengths if length != layout.length]
    return f"{layout.length} (or {', '.join(others)})" if others else str(layout.length)


def _elsewhere(cls: type[Message], home: str) -> Iterator[str]:
    others = {name: _in_set(name, cls.__name__) for name in SETS if name != home}
    same = [name for name, other in others.items() if other is cls]
    if same:
        yield f"  the same in {', '.join(same)}"
    for name, other in others.items():
        if other is not None and other is not cls:
            yield f"  another of this name in {name}: --set {name}"


def _period(cls: type[Message]) -> str:
    if cls.period_ms is not None:
        return f"{cls.period_ms} ms"
    return "on event" if issubclass(cls, ChargingMessage) and not cls.extension else "not public"


def _sender(cls: type[Message]) -> str:
    both_ways = issubclass(cls, ChargingMessage) and cls.both_ways
    return "either" if both_ways else label(cls.sender)


def _phase(cls: type[Message]) -> str:
    return "-" if cls.phase is None else str(cls.phase.value)


def label(sender: Enum) -> str:
    """How people call a sender."""
    return str(getattr(sender, "label", sender.name))


def _rows(cls: type[Message]) -> Iterator[tuple[object, ...]]:
    for field in cls.layout.fields:
        yield _row(cls, field, field.name, field.place)
    tail = cls.layout.tail
    if tail is not None:
        yield from _tail_rows(cls, tail)


def _tail_rows(cls: type[Message], tail: Tail) -> Iterator[tuple[object, ...]]:
    first = getattr(tail.marker, "first_spn", None)
    spn = "" if first is None else f"{first}.."
    where, basis = f"{tail.offset + 1}..", _basis(tail.marker.source or cls.source)
    if tail.item is None:
        yield spn, where, "", tail.name, "O", "", "", "", "opaque bytes", *basis
        return
    yield spn, where, "", f"{tail.name}[]", "M", "", "", "", f"up to {tail.max_items} items", *basis
    for field in tail.item.fields:
        yield _row(cls, field, f"  {field.name}", f"+{field.place}")


def _row(cls: type[Message], field: Field, name: str, place: str) -> tuple[object, ...]:
    marker = field.marker
    presence = "O" if field.optional else "M"
    basis = _basis(marker.source or cls.source)
    told = "; ".join(each for each in (_range(field), marker.note) if each)
    return marker.spn or "", place, field.bits, name, presence, *_scale(field), told, *basis


def _basis(source: Source) -> tuple[str, str]:
    witnesses = f", {source.witnesses}" if source.witnesses else ""
    return source.at, f"{source.basis.value}{witnesses}"


def _scale(field: Field) -> tuple[str, str, str]:
    marker = field.marker
    if not isinstance(marker, Integer):
        return "", "", "" if field.code is not None else type(marker).__name__
    return f"{marker.scale:g}", f"{marker.offset:g}" if marker.offset else "", marker.unit


def _range(field: Field) -> str:
    marker = field.marker
    if field.code is not None:
        digits = 2 if field.bits <= 4 else -(-field.bits // 4)
        return ", ".join(
            f"{member.value:02b} {member.label}"
            if field.bits == 2
            else f"{member.value:0{digits}X}h {member.label}"
            for member in field.code
        )
    if isinstance(marker, Integer):
        form = [
            name
            for name, wanted in (("Motorola", marker.order == "big"), ("signed", marker.signed))
            if wanted
        ]
        return ", ".join(
            [f"{field.to_physical(field.raw_low)} .. {field.to_physical(field.raw_high)}", *form]
        )
    return ""
