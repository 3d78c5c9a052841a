"""The slow, explaining twin of the generated codec: what is odd in a payload, what fits in no message."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import isfinite
from typing import Any, TypeGuard

from swapproto.errors import CodecError
from swapproto.wire.fields import BcdTime, Choice, Integer, Raw, Text
from swapproto.wire.layout import Field, Layout, Tail
from swapproto.wire.reading import Deviation, DeviationKind
from swapproto.wire.values import read_text, read_time, write_raw, write_text, write_time

FRAME = 8

MISFITS = (TypeError, ValueError, ArithmeticError)
"""What arithmetic on a value of the wrong kind raises."""


def fit(layout: Layout, payload: bytes) -> bytes:
    """The fixed part at its exact length, cut fields absent; CodecError where a mandatory field is cut."""
    size = len(payload)
    if size >= layout.length:
        return bytes(payload[: layout.length])
    if size < layout.required:
        missing = next(f for f in layout.fields if not f.optional and f.span[1] >= size)
        reason = f"the payload ends after {size} bytes; the field needs byte {missing.span[1] + 1}"
        raise CodecError(layout.name, missing.name, missing.span[0], reason)
    fitted = bytearray(bytes(payload).ljust(layout.length, b"\xff"))
    for field in layout.fields:
        if field.span[1] >= size:
            field.insert(fitted, -1 if field.absent is None else field.absent)
    return bytes(fitted)


def split_tail(tail: Tail, payload: bytes) -> tuple[bytes, list[Deviation]]:
    """The bytes that hold whole items, and what had to be left aside."""
    body = bytes(payload[tail.offset :])
    if tail.item is None:
        return body, []
    found: list[Deviation] = []
    size = tail.item.length
    if extra := len(body) % size:
        body, rest = body[:-extra], body[-extra:]
        padding = len(payload) == FRAME and rest == b"\xff" * extra
        kind = DeviationKind.PADDED if padding else DeviationKind.ITEMS
        found.append(_odd(kind, tail, len(payload) - extra, f"{extra} bytes left of an item of {size}"))
    ones = b"\xff" * size
    if body.endswith(ones) and any(_ranges(tail.item, ones, 0)):
        kept = len(body)
        while body[kept - size : kept] == ones:
            kept -= size
        reason = f"{(len(body) - kept) // size} items of ones at the end taken as absent"
        found.append(_odd(DeviationKind.PADDED, tail, tail.offset + kept, reason))
        body = body[:kept]
    if len(body) // size > tail.max_items:
        reason = f"{len(body) // size} items; at most {tail.max_items} are defined"
        found.append(_odd(DeviationKind.ITEMS, tail, tail.offset + tail.max_items * size, reason))
    return body, found


def _odd(kind: DeviationKind, tail: Tail, offset: int, reason: str) -> Deviation:
    return Deviation(kind, tail.name, offset, reason)


def deviations(layout: Layout, payload: bytes) -> tuple[Deviation, ...]:
    """Everything in which a readable payload departs from its layout, in the order of the bytes."""
    found = [*_length(layout, payload), *_reserved(layout, payload, 0), *_ranges(layout, payload, 0)]
    tail = layout.tail
    if tail is not None and tail.item is not None:
        body, odd = split_tail(tail, payload)
        found += odd
        size = tail.item.length
        for number, start in enumerate(range(0, len(body), size)):
            item, base = body[start : start + size], tail.offset + start
            found += _reserved(tail.item, item, base)
            found += _ranges(tail.item, item, base, partial(tail.place, number))
    return tuple(sorted(found, key=lambda deviation: deviation.offset))


def _length(layout: Layout, payload: bytes) -> Iterator[Deviation]:
    size = len(payload)
    if size in layout.lengths or (layout.tail is not None and size >= layout.length):
        return
    if size < layout.length:
        reason = f"{size} bytes instead of {layout.length}; what is missing is taken as absent"
        yield Deviation(DeviationKind.SHORT, None, size, reason)
        return
    known = max(length for length in layout.lengths if length < size)
    if size == FRAME:
        filler = payload[known:]
        with_what = "ones" if filler == b"\xff" * len(filler) else filler.hex(" ").upper()
        reason = f"padded from {known} to {FRAME} bytes with {with_what}"
        yield Deviation(DeviationKind.PADDED, None, known, reason)
    else:
        yield Deviation(DeviationKind.TOO_LONG, None, known, f"{size} bytes; {known} are defined")


def _reserved(layout: Layout, payload: bytes, base: int) -> Iterator[Deviation]:
    if not layout.reserved_bit:
        return
    for offset, (byte, claimed) in enumerate(zip(payload, layout.claimed, strict=False)):
        if zeros := ~(byte | claimed) & 0xFF:
            bits = [bit + 1 for bit in range(8) if zeros >> bit & 1]
            names = f"bit {bits[0]}" if len(bits) == 1 else f"bits {', '.join(map(str, bits))}"
            reason = f"reserved {names} not one in {byte:02X}"
            yield Deviation(DeviationKind.RESERVED, None, base + offset, reason)


def _ranges(
    layout: Layout, payload: bytes, base: int, naming: Callable[[str], str] = str
) -> Iterator[Deviation]:
    for field in layout.fields:
        if field.span[1] < len(payload) and (fault := field_fault(field, payload)) is not None:
            yield Deviation(fault[0], naming(field.name), base + field.span[0], fault[1])


def field_fault(field: Field, payload: bytes) -> tuple[DeviationKind, str] | None:
    """What is wrong with the raw value of a field that the payload holds, or None."""
    marker = field.marker
    if isinstance(marker, Integer | Choice):
        return _number_fault(field, field.extract(payload))
    raw = payload[field.span[0] : field.span[1] + 1]
    if field.optional and raw == b"\xff" * len(raw):
        return None
    if isinstance(marker, Text) and not read_text(raw, marker.blanks).isascii():
        return DeviationKind.TEXT, f"{raw.hex(' ').upper()} is not ASCII"
    if isinstance(marker, BcdTime) and read_time(raw) is None:
        return DeviationKind.TIME, f"{raw.hex(' ').upper()} is not a date and time in BCD"
    return None


def _number_fault(field: Field, raw: int) -> tuple[DeviationKind, str] | None:
    if field.optional and raw == field.absent:
        return None
    if field.code is not None:
        if field.code(raw).known:
            return None
        return DeviationKind.UNKNOWN, f"{raw:#04x} has no meaning in {field.code.__name__}"
    if field.raw_low <= raw <= field.raw_high:
        return None
    low, high = field.to_physical(field.raw_low), field.to_physical(field.raw_high)
    unit = f" {field.unit}" if field.unit else ""
    return DeviationKind.RANGE, f"{field.to_physical(raw)}{unit} is outside {low} to {high}{unit}"


def diagnose(layout: Layout, message: Any) -> CodecError:
    """Why a message cannot be encoded: the first field that does not fit, and in what way."""
    for field in layout.fields:
        try:
            check(field, getattr(message, field.name))
        except MISFITS as fault:
            return CodecError(layout.name, field.name, field.span[0], str(fault))
    tail = layout.tail
    if tail is None:
        return CodecError(layout.name, None, None, "cannot be encoded")
    value: object = getattr(message, tail.name)
    if tail.item is not None:
        return _diagnose_items(layout.name, tail, tail.item, value)
    room = Layout.MAX_PAYLOAD - layout.length
    return CodecError(
        layout.name, tail.name, tail.offset, f"up to {room} bytes are expected, not {value!r:.60}"
    )


def check(field: Field, value: Any) -> None:
    """TypeError, ValueError or ArithmeticError where a field cannot carry a value."""
    if value is None and field.optional:
        return
    match field.marker:
        case Text(size=size, pad=pad):
            write_text(value, size, pad)
        case Raw(size=size):
            write_raw(value, size or 0)
        case BcdTime():
            write_time(value)
        case Choice():
            if not isinstance(value, int):
                raise TypeError(f"{value!r} is no {field.code.__name__ if field.code else 'code'}")
            if not 0 <= value <= field.mask or value == field.absent:
                raise ValueError(f"{value!r} does not fit in {field.bits} bits")
        case _:
            _check_number(field, value)


def _check_number(field: Field, value: Any) -> None:
    unit = f" {field.unit}" if field.unit else ""
    if isinstance(value, str | bytes) or not hasattr(value, "__float__"):
        raise TypeError(f"a number is expected, not {value!r}")
    if not isfinite(value):
        raise ValueError(f"{value!r} is no number that a bus can carry")
    if field.integral and field.numerator == 1 and not hasattr(value, "__index__"):
        raise TypeError(f"a whole number is expected, not {value!r}")
    raw = field.to_raw(value)
    if not field.raw_low <= raw <= field.raw_high:
        low, high = field.to_physical(field.raw_low), field.to_physical(field.raw_high)
        raise ValueError(f"{value!r}{unit} is outside {low} to {high}{unit}")
    if raw == field.absent:
        raise ValueError(f"{value!r}{unit} is what means absent; give None")


def _is_items(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, tuple | list)


def _diagnose_items(name: str, tail: Tail, item: Layout, value: object) -> CodecError:
    if not _is_items(value):
        return CodecError(name, tail.name, tail.offset, f"a tuple is expected, not {value!r:.60}")
    if len(value) > tail.max_items:
        reason = f"{len(value)} items; at most {tail.max_items} are defined"
        return CodecError(name, tail.name, tail.offset, reason)
    for number, each in enumerate(value):
        offset = tail.offset + number * item.length
        if not tail.scalar and not isinstance(each, item.cls):
            reason = f"a {item.name} is expected, not {each!r:.60}"
            return CodecError(name, f"{tail.name}[{number}]", offset, reason)
        for field in item.fields:
            try:
                check(field, each if tail.scalar else getattr(each, field.name))
            except MISFITS as fault:
                return CodecError(name, tail.place(number, field.name), offset + field.span[0], str(fault))
    return CodecError(name, tail.name, tail.offset, "cannot be encoded")
