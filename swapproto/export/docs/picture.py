"""The picture of a message, by byte and from bit 8 to bit 1: which field has which bit, as text and SVG."""

from collections.abc import Iterator, Mapping
from itertools import groupby

import msgspec
from markupsafe import Markup, escape

from swapproto.wire.fields import Choice, Integer
from swapproto.wire.layout import Field, Layout

_BIT = 44
_LABEL = 52
_ROW = 26
_LETTER = 6.9
"""Width of a letter at the size of the picture, with some air."""
_HUES = 6


class Cell(msgspec.Struct, frozen=True):
    """Neighbouring bits of one row that belong together; bits of a byte are counted from one."""

    high: int
    low: int
    field: str | None
    """None for reserved bits."""
    top: int = 0
    bottom: int = 0
    """Highest and lowest bit of the field's value in the cell; both 0 where the field is no number."""


class Row(msgspec.Struct, frozen=True):
    """One byte, or neighbouring bytes of one text; bytes are counted from one."""

    first: int
    last: int
    cells: tuple[Cell, ...]

    @property
    def label(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


def rows(layout: Layout) -> tuple[Row, ...]:
    """The fixed part."""
    owners = {place: (field, bit) for field in layout.fields for place, bit in _bits(field)}
    whole = {
        byte: field.name
        for field in layout.fields
        if not isinstance(field.marker, Integer | Choice)
        for byte in range(field.span[0], field.span[1] + 1)
    }
    found: list[Row] = []
    for key, group in groupby(range(layout.length), key=lambda byte: whole.get(byte, byte)):
        run = list(group)
        if isinstance(key, str):
            found.append(Row(run[0] + 1, run[-1] + 1, (Cell(8, 1, key),)))
        else:
            found.append(Row(key + 1, key + 1, tuple(_cells(key, owners))))
    return tuple(found)


def _bits(field: Field) -> Iterator[tuple[int, int]]:
    """Place and number of each bit of a field; bit 1 of byte 1 has place 0."""
    place = field.start
    for number in range(field.bits):
        if field.order == "little":
            yield place + number, number
        else:
            yield place, field.bits - 1 - number
            place = place - 1 if place % 8 else place + 15


def _cells(byte: int, owners: Mapping[int, tuple[Field, int]]) -> Iterator[Cell]:
    downwards = range(byte * 8 + 7, byte * 8 - 1, -1)

    def owner(place: int) -> str | None:
        return owners[place][0].name if place in owners else None

    for name, group in groupby(downwards, key=owner):
        places = list(group)
        high, low = places[0] % 8 + 1, places[-1] % 8 + 1
        if name is None:
            yield Cell(high, low, None)
        else:
            yield Cell(high, low, name, owners[places[0]][1], owners[places[-1]][1])


def text(layout: Layout, keys: Mapping[str, str]) -> str:
    """A grid in ASCII: ``a7`` is bit 7 of the value of field a, a dot is reserved."""
    widths = 5
    lines = ["byte    " + "".join(f"{bit:<{widths}}" for bit in range(8, 0, -1)).rstrip()]
    for row in rows(layout):
        parts: list[str] = []
        for cell in row.cells:
            numbers = range(cell.top, cell.bottom - 1, -1)
            if cell.field is None:
                parts += ["."] * (cell.high - cell.low + 1)
            elif len(numbers) == cell.high - cell.low + 1:
                parts += [f"{keys[cell.field]}{number}" for number in numbers]
            else:
                parts += [keys[cell.field]] * (cell.high - cell.low + 1)
        lines.append(f"{row.label:<8}" + "".join(f"{part:<{widths}}" for part in parts).rstrip())
    return "\n".join(lines)


def svg(layout: Layout, keys: Mapping[str, str]) -> Markup:
    """The grid with the fields' names where there is room, else their keys."""
    order = {name: number for number, name in enumerate(keys)}
    sizes = {f.name: f.bits for f in layout.fields if isinstance(f.marker, Integer | Choice)}
    shown = rows(layout)
    width, height = _LABEL + 8 * _BIT + 1, _ROW * (len(shown) + 1) + 1
    parts = [
        Markup('<svg class="bytes" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img">').format(
            width, height
        ),
        Markup("<title>{}</title>").format(f"bytes of {layout.name}"),
    ]
    for bit in range(8, 0, -1):
        x = _LABEL + (8 - bit) * _BIT + _BIT // 2
        parts.append(Markup('<text class="scale" x="{}" y="{}">{}</text>').format(x, _ROW - 8, bit))
    for place, row in enumerate(shown, 1):
        y = place * _ROW
        parts.append(
            Markup('<text class="byte" x="{}" y="{}">{}</text>').format(_LABEL - 8, y + 17, row.label)
        )
        for cell in row.cells:
            x, wide = _LABEL + (8 - cell.high) * _BIT, (cell.high - cell.low + 1) * _BIT
            hue = "reserved" if cell.field is None else f"hue{order[cell.field] % _HUES}"
            words = _words(cell, keys, wide, sizes)
            parts.append(
                Markup(
                    '<g class="cell {}" data-field="{}" data-byte="{}" data-bits="{}-{}">'
                    '<rect x="{}" y="{}" width="{}" height="{}"/>'
                ).format(hue, cell.field or "", row.label, cell.high, cell.low, x, y, wide, _ROW)
            )
            parts.append(
                Markup('<text x="{}" y="{}">{}</text></g>').format(x + wide // 2, y + 17, escape(words))
            )
    return Markup("").join([*parts, Markup("</svg>")])


def _words(cell: Cell, keys: Mapping[str, str], width: int, sizes: Mapping[str, int]) -> str:
    """The longest of several ways to say it for which there is room."""
    if cell.field is None:
        return ""
    key = keys[cell.field]
    part = "" if cell.top == cell.bottom else f" {cell.top}..{cell.bottom}"
    if sizes.get(cell.field) in (None, cell.high - cell.low + 1):
        part = ""
    wanted = (f"{key} {cell.field}{part}", f"{key}{part}", key)
    return next((words for words in wanted if len(words) * _LETTER <= width - 6), key)
