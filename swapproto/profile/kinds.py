"""What one item of a specification is: its meaning, how its value is written, and what it governs."""

import re
from enum import Enum
from typing import cast

import msgspec

from swapproto.profile.values import (
    BadValue,
    Scalar,
    Value,
    base_unit,
    check_positive,
    parse_measure,
    parse_outline,
    units_of,
)

BLANK = "..."
"""What stands in a proposed file where its owner has to write; never part of a value."""


class Form(Enum):
    """How one value of a key is written."""

    QUANTITY = "a number with its unit, or a range such as 400 V .. 800 V"
    OUTLINE = "length x width x height, each with its unit"
    COUNT = "a whole number, or a range such as 24 .. 27"
    ADDRESS = "a J1939 address such as 0xF3"
    WORD = "one word of a list"
    TEXT = "text"


class Listing(Enum):
    """What several values of one key mean."""

    ANY = "one of them applies"
    ALL = "all of them apply"
    STEPS = "in this order"


class Governs(Enum):
    """Which part of a swap system has to keep to an item."""

    PACK = "pack"
    TRUCK = "truck"
    STATION = "station"


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """One item; its name is ``section.item``, as a profile writes it."""

    name: str
    title: str
    title_zh: str
    form: Form
    governs: frozenset[Governs]
    dimensions: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    listing: Listing = Listing.ANY

    @property
    def section(self) -> str:
        return self.name.partition(".")[0]

    @property
    def item(self) -> str:
        return self.name.partition(".")[2]

    @property
    def kind(self) -> str:
        """The kind in words: ``mass: g, kg, t``, ``one of: ...``, ``text``."""
        if self.form is Form.QUANTITY:
            return f"{' or '.join(self.dimensions)}: {units_of(*self.dimensions)}"
        return f"one of: {', '.join(self.words)}" if self.form is Form.WORD else self.form.value

    @property
    def signed(self) -> bool:
        """Whether a value may be zero or less: temperatures, and the offsets of numbers on the wire."""
        return "temperature" in self.dimensions or self.item.endswith("_offset")

    @property
    def sample(self) -> str:
        """The shape of a value with the number left out, for whoever has to fill it in."""
        if self.form is Form.QUANTITY:
            return f'"... {base_unit(self.dimensions[0])}"'
        return _SAMPLES.get(self.form) or f'"{" | ".join(self.words)}"'

    def parse(self, raw: object) -> Value:
        """The typed value of what TOML holds; BadValue says what is wrong and what is allowed."""
        if not isinstance(raw, list):
            return self._scalar(raw)
        values = tuple(self._scalar(each) for each in cast("list[object]", raw))
        if not values:
            raise BadValue("an empty list; what is not known is unset and has no value")
        if len(set(values)) != len(values) and self.listing is not Listing.STEPS:
            raise BadValue("two values of the list are the same")
        return values

    def same(self, one: Value, other: Value) -> bool:
        """Whether two values mean the same; the order counts only among steps."""
        if isinstance(one, tuple) and isinstance(other, tuple) and self.listing is not Listing.STEPS:
            return frozenset(one) == frozenset(other)
        return one == other

    def _scalar(self, raw: object) -> Scalar:
        if self.form in {Form.COUNT, Form.ADDRESS} and type(raw) is int:
            raw = str(raw)
        if not isinstance(raw, str):
            raise BadValue(f"{raw!r} is no string; expected {self.kind}")
        if not raw.strip():
            raise BadValue("is empty; what is not known is unset and has no value")
        if BLANK in raw:
            raise BadValue(f"{raw!r} still has {BLANK} where a value belongs")
        return self._from_text(raw)

    def _from_text(self, text: str) -> Scalar:
        match self.form:
            case Form.QUANTITY:
                measure = parse_measure(text, *self.dimensions)
                if not self.signed:
                    check_positive(measure)
                return measure
            case Form.COUNT:
                value = parse_measure(text, "number")
                if re.search(r"[.][0-9]|[+-]", text):
                    raise BadValue(f"{text!r} is no whole number")
                return value
            case Form.OUTLINE:
                return parse_outline(text)
            case Form.ADDRESS:
                return _address(text)
            case Form.WORD if text not in self.words:
                raise BadValue(f"{text!r} is not {self.kind}")
            case _:
                return text


_SAMPLES = {
    Form.OUTLINE: '"... mm x ... mm x ... mm"',
    Form.COUNT: "...",
    Form.ADDRESS: '"0x.."',
    Form.TEXT: '"..."',
}


def _address(text: str) -> int:
    match = re.fullmatch(r"0x([0-9A-Fa-f]{1,2})|([0-9]{1,3})", text.strip())
    if match is not None and (number := int(match[1], 16) if match[1] else int(match[2])) <= 0xFF:
        return number
    raise BadValue(f"{text!r} is no J1939 address from 0x00 to 0xFF")
