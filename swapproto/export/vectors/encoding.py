"""Values and the payload that they make, or the field that does not fit and why."""

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from swapproto.export.vectors.decoding import encoded
from swapproto.export.vectors.samples import base, made
from swapproto.export.vectors.values import Entry, error, fields, hexadecimal
from swapproto.wire.fields import BcdTime, Choice, Raw, Text
from swapproto.wire.layout import Field, Tail
from swapproto.wire.message import Message


def cases(cls: type[Message]) -> Iterator[Entry]:
    """One field at a time out of a message that fits."""
    tail = cls.layout.tail
    start = base(cls)
    if tail is not None and tail.item is not None:
        start += made(tail.item)
    good = cls.decode(start)
    for field in cls.layout.fields:
        for about, value in _values(field):
            yield _case(cls, f"{field.name}: {about}", replace(good, **{field.name: value}))
    if tail is not None and tail.item is not None:
        item = getattr(good, tail.name)[0]
        for about, items in _items(tail, item):
            yield _case(cls, about, replace(good, **{tail.name: items}))


def _case(cls: type[Message], about: str, message: Message) -> Entry:
    payload, fault = encoded(message)
    return {
        "message": cls.__name__,
        "case": about,
        "values": fields(message),
        "payload": None if payload is None else hexadecimal(payload),
        "error": error(fault),
    }


def _values(field: Field) -> Iterator[tuple[str, Any]]:
    if not field.optional:
        yield "no value", None
    match field.marker:
        case Text(size=size):
            yield "one character too many", "A" * (size + 1)
        case Raw(size=size):
            yield "one byte too few", bytes((size or 1) - 1)
            yield "one byte too many", bytes((size or 1) + 1)
        case BcdTime():
            return
        case Choice():
            yield "more than its bits hold", field.mask + 1
            if field.absent is not None:
                yield "what means absent", field.absent
        case _:
            yield from _numbers(field)


def _numbers(field: Field) -> Iterator[tuple[str, float]]:
    below, above = field.raw_low - 1, field.raw_high + 1
    yield "below the lowest", field.to_physical(below)
    yield "above the highest", field.to_physical(above)
    quarter = (4 * (field.raw_low * field.numerator + field.shift) + field.numerator) / (
        4 * field.denominator
    )
    if field.numerator == field.denominator == 1:
        yield "not a whole number", quarter
    elif field.raw_low < field.raw_high:
        yield "a quarter of a step above the lowest", quarter


def _items(tail: Tail, item: Any) -> Iterator[tuple[str, tuple[Any, ...]]]:
    yield f"one of {tail.name} too many", (item,) * (tail.max_items + 1)
    assert tail.item is not None
    for field in tail.item.fields:
        for about, value in _values(field):
            wrong = value if tail.scalar else replace(item, **{field.name: value})
            yield f"{tail.place(1, field.name)}: {about}", (item, wrong)
