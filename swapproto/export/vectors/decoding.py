"""Payloads and what they mean: those that somebody recorded, and those made for each edge of the layout."""

from collections.abc import Iterator
from random import Random

from swapproto.errors import CodecError
from swapproto.export.vectors.samples import base, edges, made, with_raw
from swapproto.export.vectors.values import Entry, deviation, error, fields, hexadecimal, names
from swapproto.provenance import Basis
from swapproto.wire.layout import Layout, Tail
from swapproto.wire.message import Message, Vector

_FRAME = 8
_RANDOM = 3
_MADE = "made from the declaration"


def cases(cls: type[Message], seed: str) -> Iterator[Entry]:
    """Every payload once. Values of recorded payloads are those of the record, not what our codec reads."""
    seen: set[bytes] = set()
    for vector in cls.VECTORS:
        seen.add(vector.data)
        yield _recorded(cls, vector)
    for about, payload in _payloads(cls, seed):
        if payload not in seen:
            seen.add(payload)
            yield _case(cls, about, payload, None)


def _recorded(cls: type[Message], vector: Vector) -> Entry:
    return _case(cls, "vector", vector.data, vector)


def _case(cls: type[Message], about: str, payload: bytes, vector: Vector | None) -> Entry:
    reading = cls.read(payload)
    message = reading.message if vector is None else cls(**vector.values)
    canonical, misfit = (None, None) if message is None else encoded(message)
    if vector is not None and vector.canonical:
        canonical = vector.data
    return {
        "message": cls.__name__,
        "case": about,
        "at": _MADE if vector is None else vector.at,
        "basis": (Basis.DERIVED if vector is None else vector.basis).value,
        "payload": hexadecimal(payload),
        "fields": None if message is None else fields(message),
        "names": {} if message is None else names(message),
        "deviations": [deviation(each) for each in reading.deviations],
        "error": error(reading.error),
        "canonical": None if canonical is None else hexadecimal(canonical),
        "misfit": error(misfit),
    }


def encoded(message: Message) -> tuple[bytes, None] | tuple[None, CodecError]:
    """The payload, or the field that does not fit."""
    try:
        return message.encode(), None
    except CodecError as fault:
        return None, fault


def _payloads(cls: type[Message], seed: str) -> Iterator[tuple[str, bytes]]:
    layout = cls.layout
    start = base(cls)
    for field in layout.fields:
        for about, raw in edges(field):
            yield f"{field.name}: {about}", with_raw(start, field, raw)
    yield from _reserved(layout, start)
    if layout.tail is None:
        yield from _lengths(layout, start)
    else:
        yield from _tails(layout, layout.tail, start)
    random = Random(f"{seed}/{cls.__name__}")
    for number in range(_RANDOM if layout.length else 0):
        yield f"random {number + 1}", random.randbytes(layout.length)


def _reserved(layout: Layout, start: bytes) -> Iterator[tuple[str, bytes]]:
    free = bytes(~claimed & 0xFF for claimed in layout.claimed[: layout.length])
    if any(free):
        wrong = bytes(
            byte & ~mask if layout.reserved_bit else byte | mask
            for byte, mask in zip(start, free, strict=True)
        )
        yield "reserved bits the other way", wrong


def _lengths(layout: Layout, start: bytes) -> Iterator[tuple[str, bytes]]:
    longest = max(*layout.lengths, layout.length)
    ends = {0, layout.required - 1, layout.required, layout.length - 1, *layout.lengths}
    ends |= {field.span[0] for field in layout.fields} | {field.span[1] + 1 for field in layout.fields}
    for size in sorted(size for size in ends if 0 <= size <= longest):
        yield f"{size} bytes", start[:size].ljust(size, b"\xff")
    if longest < _FRAME:
        yield "padded with ones", start.ljust(_FRAME, b"\xff")
        yield "padded with zeros", start.ljust(_FRAME, b"\x00")
    if longest + 1 != _FRAME:
        yield "one byte too long", start.ljust(longest, b"\xff") + b"\x00"


def _tails(layout: Layout, tail: Tail, start: bytes) -> Iterator[tuple[str, bytes]]:
    for size in range(layout.length):
        yield f"{size} bytes", start[:size]
    yield f"no {tail.name}", start
    if tail.item is None:
        yield "8 bytes", start.ljust(_FRAME, b"\xa5")
        yield "20 bytes", start + bytes(range(20))
        return
    item = made(tail.item)
    for field in tail.item.fields:
        for about, raw in edges(field):
            yield f"{tail.place(0, field.name)}: {about}", start + with_raw(item, field, raw) + item
    yield f"one of {tail.name}", start + item
    yield f"{tail.max_items} of {tail.name}, the most", start + item * tail.max_items
    yield "one more than the most", start + item * (tail.max_items + 1)
    if tail.item.length > 1:
        yield "an item cut short", start + item * 2 + item[:-1]
    for count in (1, 2):
        padded = start + item * count
        if len(padded) < _FRAME:
            yield f"{count} of {tail.name}, padded with ones", padded.ljust(_FRAME, b"\xff")
