"""`swapproto message`: the layout of a message, as the class declares it."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

import typer

from swapproto.cli.text import output, table
from swapproto.cli.values import in_words
from swapproto.messages.catalog import Catalogue
from swapproto.messages.gbt27930 import ChargingMessage, Edition
from swapproto.provenance import Source
from swapproto.wire.fields import Integer
from swapproto.wire.layout import Field, Layout, Tail


class EditionName(StrEnum):
    """Editions by their year."""

    GBT_2011 = "2011"
    GBT_2015 = "2015"
    GBT_2023A = "2023"


_EDITIONS = {
    EditionName.GBT_2011: Edition.GBT_2011,
    EditionName.GBT_2015: Edition.GBT_2015,
    EditionName.GBT_2023A: Edition.GBT_2023A,
}
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
        EditionName, typer.Option("--edition", help="Edition of GB/T 27930.")
    ] = EditionName.GBT_2015,
    source: Annotated[bool, typer.Option("--source", help="Print the generated codec instead.")] = False,
) -> None:
    """Print the layout of a message as a table with SPN, place, scale, clause and basis, or list all.

    Places are byte.bit, both counted from one; M is a mandatory field, O an optional one.
    """
    catalogue = Catalogue(_EDITIONS[edition])
    if name is None:
        lines = listing(catalogue)
    else:
        cls = catalogue.by_name(name)
        lines = iter([cls.codec.source.rstrip()]) if source else description(cls, catalogue.edition)
    with output() as out:
        for line in lines:
            out.write(line + "\n")


def listing(catalogue: Catalogue) -> Iterator[str]:
    """All messages of an edition, one a line."""
    yield f"GB/T 27930, edition {catalogue.edition.value}"
    yield ""
    rows = [
        (
            cls.__name__, f"{cls.pgn:04X}h", f"{cls.identifier():08X}", cls.priority, length_of(cls.layout),
            _period(cls), _sender(cls), cls.phase.value, "O" if cls.optional else "M", cls.title,
        )
        for cls in catalogue
    ]  # fmt: skip
    yield from table(
        ("name", "PGN", "identifier", "priority>", "bytes>", "period>", "sender", "phase", "M/O", "title"),
        rows,
    )


def description(cls: type[ChargingMessage], edition: Edition) -> Iterator[str]:
    """Everything that the class declares."""
    yield f"{cls.__name__}: {cls.title} (GB/T 27930, edition {edition.value})"
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
        ("phase", cls.phase.value),
        ("presence", "optional" if cls.optional else "mandatory"),
        ("basis", cls.source),
    ]
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


def _period(cls: type[ChargingMessage]) -> str:
    return "on event" if cls.period_ms is None else f"{cls.period_ms} ms"


def _sender(cls: type[ChargingMessage]) -> str:
    return "either" if cls.both_ways else cls.sender.label


def _rows(cls: type[ChargingMessage]) -> Iterator[tuple[object, ...]]:
    for field in cls.layout.fields:
        yield _row(cls, field, field.name, field.place)
    tail = cls.layout.tail
    if tail is not None:
        yield from _tail_rows(cls, tail)


def _tail_rows(cls: type[ChargingMessage], tail: Tail) -> Iterator[tuple[object, ...]]:
    first = getattr(tail.marker, "first_spn", None)
    spn = "" if first is None else f"{first}.."
    where, basis = f"{tail.offset + 1}..", _basis(tail.marker.source or cls.source)
    if tail.item is None:
        yield spn, where, "", tail.name, "O", "", "", "", "opaque bytes", *basis
        return
    yield spn, where, "", f"{tail.name}[]", "M", "", "", "", f"up to {tail.max_items} items", *basis
    for field in tail.item.fields:
        yield _row(cls, field, f"  {field.name}", f"+{field.place}")


def _row(cls: type[ChargingMessage], field: Field, name: str, place: str) -> tuple[object, ...]:
    marker = field.marker
    presence = "O" if field.optional else "M"
    basis = _basis(marker.source or cls.source)
    return marker.spn or "", place, field.bits, name, presence, *_scale(field), _range(field), *basis


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
