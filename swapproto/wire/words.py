"""A layout cut into the machine words that one struct format reads and writes."""

import msgspec

from swapproto.wire.fields import Choice, Integer, Order
from swapproto.wire.layout import Field, Layout, LayoutError

CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}


class Word(msgspec.Struct, frozen=True):
    """Neighbouring bytes that belong together because fields share them; no fields: reserved."""

    offset: int
    size: int
    fields: tuple[Field, ...]

    @property
    def whole(self) -> Field | None:
        """The one field that fills the word, if there is one."""
        only = self.fields[0] if len(self.fields) == 1 else None
        return only if only is not None and only.bits == self.size * 8 else None

    @property
    def numeric(self) -> bool:
        return bool(self.fields) and isinstance(self.fields[0].marker, Integer | Choice)

    @property
    def order(self) -> Order:
        return self.fields[0].order if self.fields else "little"

    @property
    def code(self) -> str:
        """Struct code; words of odd size or Motorola order travel as bytes."""
        if self.numeric and self.size in CODES and (self.order == "little" or self.size == 1):
            whole = self.whole
            code = CODES[self.size]
            return code.lower() if whole is not None and whole.signed else code
        return f"{self.size}s"

    @property
    def packed(self) -> bool:
        """Whether struct itself makes the integer; otherwise its bytes are taken and turned."""
        return self.numeric and not self.code.endswith("s")

    @property
    def reserved(self) -> int:
        """Mask of the bits that no field claims, in the word's own byte order."""
        claimed = 0
        for field in self.fields:
            claimed |= field.mask << self.shift(field)
        return ((1 << self.size * 8) - 1) & ~claimed

    def shift(self, field: Field) -> int:
        """Where the field's lowest bit stands in the integer that the word makes."""
        first, last = field.span
        if self.order == "little":
            return (first - self.offset) * 8 + field.low_bit
        return (self.offset + self.size - 1 - last) * 8 + field.low_bit


def words(layout: Layout) -> tuple[Word, ...]:
    """The words that cover the fixed part, in order and without a gap."""
    groups: list[tuple[int, int, list[Field]]] = []
    for field in sorted(layout.fields, key=lambda field: field.span):
        first, last = field.span
        if groups and first <= groups[-1][1]:
            start, end, members = groups[-1]
            groups[-1] = (start, max(end, last), [*members, field])
        else:
            groups.append((first, last, [field]))
    result: list[Word] = []
    cursor = 0
    for first, last, members in groups:
        if first > cursor:
            result.append(Word(cursor, first - cursor, ()))
        if len({member.order for member in members}) > 1:
            name = f"{layout.name}.{members[-1].name}"
            raise LayoutError(f"{name}: it shares a byte with {members[0].name}, of the other byte order")
        result.append(Word(first, last - first + 1, tuple(members)))
        cursor = last + 1
    if cursor < layout.length:
        result.append(Word(cursor, layout.length - cursor, ()))
    return tuple(result)
