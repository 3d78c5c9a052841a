"""What message classes and timers declare, seen as leaves, and how a profile may change it."""

import re
import sys
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from types import MappingProxyType
from typing import Any

import msgspec

from swapproto.errors import SwapError
from swapproto.frame import SECOND
from swapproto.hints import near
from swapproto.messages.catalog import message_set
from swapproto.messages.gbt27930 import timers
from swapproto.profile.model import Leaf
from swapproto.profile.values import BadValue, Quantity, Value, has_unit, parse_quantity
from swapproto.provenance import Source
from swapproto.tomlfile import Path
from swapproto.wire.fields import Integer
from swapproto.wire.layout import Field
from swapproto.wire.message import Message

ON_EVENT = "on event"
CHANGEABLE = ("period", "priority", "optional")
CHANGEABLE_OF_FIELD = ("scale", "offset", "low", "high")
_TIMED_SETS = ("gbt27930-2015",)
"""Sets whose edition is that of the timers."""


class NothingThere(SwapError, LookupError):
    """An override that has no target; the text says what there is instead."""


class Parameter(msgspec.Struct, frozen=True):
    """One changeable property of a message or field: reads its values, and knows the declared ones."""

    name: str
    leaf: Leaf
    """What is declared."""

    def parse(self, raw: object) -> Value:
        if self.name == "optional":
            if isinstance(raw, bool):
                return raw
            raise BadValue(f"{raw!r} is neither true nor false")
        if self.name == "priority":
            if type(raw) is int and 0 <= raw <= 7:
                return Quantity(Decimal(raw))
            raise BadValue(f"{raw!r} is no priority from 0 to 7")
        if not isinstance(raw, str):
            raise BadValue(f"{raw!r} is no text; a number stands with its unit, as in {self.leaf.text!r}")
        if self.name == "period":
            return ON_EVENT if raw == ON_EVENT else _period(raw)
        declared = self.leaf.value
        return _in_unit(raw, declared.unit if isinstance(declared, Quantity) else "")

    def same(self, one: Value, other: Value) -> bool:
        return one == other


def _period(raw: str) -> Quantity:
    period = parse_quantity(raw, "time")
    milliseconds = period.to("ms")
    if milliseconds <= 0 or milliseconds != int(milliseconds):
        raise BadValue(f"{raw!r} is no whole number of milliseconds")
    return period


def _in_unit(raw: str, unit: str) -> Quantity:
    """A number in the field's unit or another of its dimension."""
    if has_unit(unit):
        return parse_quantity(raw, Quantity(Decimal(0), unit).dimension)
    match = re.fullmatch(rf"([+-]?[0-9]+(?:\.[0-9]+)?) *{re.escape(unit)}", raw.strip())
    if match is None:
        raise BadValue(f"{raw!r} is no number of {unit}")
    return Quantity(Decimal(match[1]), unit)


def parameter(sets: tuple[str, ...], keys: Path) -> Parameter:
    """The parameter at ``message.X.period`` or ``message.X.field.f.scale``, or NothingThere."""
    if not sets:
        raise NothingThere("the profile speaks no message set; name them in profile.messages")
    name = keys[1]
    classes = {each: message_set(each) for each in sets}
    found = {each: cls for each, those in classes.items() for cls in those if cls.__name__ == name}
    if not found:
        names = {cls.__name__ for those in classes.values() for cls in those}
        raise NothingThere(f"no message {name} in {', '.join(sets)}; {near(name, names)}")
    leaf, *others = [_target(each, cls, keys) for each, cls in found.items()]
    if any(other.value != leaf.value for other in others):
        told = ", ".join(f"{each.profile} {each.text}" for each in (leaf, *others))
        raise NothingThere(f"the message sets declare different values ({told}); speak one of them")
    return Parameter(keys[len(keys) - 1], leaf)


def _target(set_name: str, cls: type[Message], keys: Path) -> Leaf:
    changeable, name = CHANGEABLE if len(keys) == 3 else CHANGEABLE_OF_FIELD, keys[len(keys) - 1]
    if len(keys) > 3:
        names = [each.name for each in cls.layout.fields if isinstance(each.marker, Integer)]
        if keys[3] not in names:
            raise NothingThere(
                f"{cls.__name__} has no number of fixed place {keys[3]!r}; {near(keys[3], names)}"
            )
    if name not in changeable:
        what = "a message has field.NAME," if len(keys) == 3 else "a field has"
        raise NothingThere(f"{what} {', '.join(changeable)} to change, not {name}")
    return dict(_leaves_of(set_name, cls))[".".join(keys)]


@cache
def declared(sets: tuple[str, ...]) -> Mapping[str, Leaf]:
    """Everything that the message sets declare; a message that two sets have is shown as the first has it."""
    found: dict[str, Leaf] = {}
    for name in sets:
        for cls in message_set(name):
            for key, leaf in _leaves_of(name, cls):
                found.setdefault(key, leaf)
    if any(name in _TIMED_SETS for name in sets):
        found.update(_timer_leaves())
    return MappingProxyType(found)


def _leaves_of(set_name: str, cls: type[Message]) -> Iterator[tuple[str, Leaf]]:
    prefix = f"message.{cls.__name__}"
    for name, value in _own(cls):
        key = f"{prefix}.{name}"
        yield key, _leaf(key, value, cls.source, cls.__module__, set_name)
    for field in cls.layout.fields:
        source = field.marker.source or cls.source
        for name, value in _of_field(field):
            key = f"{prefix}.field.{field.name}.{name}"
            yield key, _leaf(key, value, source, cls.__module__, set_name)


def _own(cls: type[Message]) -> Iterator[tuple[str, Value]]:
    yield "period", ON_EVENT if cls.period_ms is None else Quantity(Decimal(cls.period_ms), "ms")
    yield "priority", Quantity(Decimal(cls.priority))
    yield "optional", cls.optional
    yield "pgn", f"{cls.pgn:04X}h"
    yield "length", Quantity(Decimal(cls.layout.length))


def _of_field(field: Field) -> Iterator[tuple[str, Value]]:
    yield "place", field.place
    yield "bits", Quantity(Decimal(field.bits))
    marker = field.marker
    if isinstance(marker, Integer):
        for name, number in (
            ("scale", marker.scale),
            ("offset", marker.offset),
            ("low", field.to_physical(field.raw_low)),
            ("high", field.to_physical(field.raw_high)),
        ):
            whole = int(number) if number == int(number) else number
            yield name, Quantity(Decimal(repr(whole)), marker.unit)


def _timer_leaves() -> Iterator[tuple[str, Leaf]]:
    for name, timer in vars(timers).items():
        if isinstance(timer, timers.Timer):
            key = f"timer.{name.lower()}"
            seconds = Quantity(Decimal(timer.value) / SECOND, "s")
            yield key, _leaf(key, seconds, timer.source, timers.__name__, _TIMED_SETS[0])


def _leaf(key: str, value: Value, source: Source, module: str, profile: str) -> Leaf:
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    return Leaf(
        key=key, value=value, text=text, source=source,
        file=_file_of(module), line=None, profile=profile,
    )  # fmt: skip


def _file_of(module: str) -> str:
    loaded: Any = sys.modules.get(module)
    return getattr(loaded, "__file__", None) or module
