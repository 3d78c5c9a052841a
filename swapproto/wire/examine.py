"""The slow, explaining twin of the generated codec: what is odd in a payload, what does not fit in a message."""

from collections.abc import Iterator
from typing import Any

from swapproto.errors import CodecError
from swapproto.wire.fields import BcdTime, Choice, Integer, Raw, Text
from swapproto.wire.layout import Field, Layout, Tail
from swapproto.wire.reading import Deviation, DeviationKind
from swapproto.wire.values import read_text, read_time, write_raw, write_text, write_time

FRAME = 8


def fit(layout: Layout, payload: bytes) -> bytes:
    """The fixed part at its exact length; CodecError where a mandatory field is cut."""
    if len(payload) < layout.required:
        missing = next(f for f in layout.fields if not f.optional and f.span[1] >= len(payload))
        raise CodecError(
            layout.name, missing.name, missing.span[0],
            f"the payload ends after {len(payload)} bytes; the field needs byte {missing.span[1] + 1}",
        )  # fmt: skip
    return bytes(payload[: layout.length]).ljust(layout.length, b"\xff")


def split_tail(tail: Tail, payload: bytes) -> tuple[bytes, list[Deviation]]:
    """The bytes that hold whole items, and what had to be left aside."""
    body = bytes(payload[tail.offset :])
    if tail.item is None:
        return body, []
    found: list[Deviation] = []
    size = tail.item.length
    if extra := len(body) % size:
        body = body[:-extra]
        if len(payload) != FRAME or payload[-extra:] != b"\xff" * extra:
            found.append(_odd(DeviationKind.ITEMS, tail, len(payload) - extra, f"{extra} bytes left of an item of {size}"))
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
    found = [*_length(layout, payload), *_reserved(layout, payload), *_ranges(layout, payload, 0)]
    if layout.tail is not None:
        body, odd = split_tail(layout.tail, payload)
        found += odd
        if (item := layout.tail.item) is not None:
            for index, start in enumerate(range(0, len(body), item.length)):
                base, place = layout.tail.offset + start, f"{layout.tail.name}[{index}]"
                found += _ranges(item, body[start : start + item.length], base, "" if layout.tail.scalar else ".", place)
    return tuple(sorted(found, key=lambda deviation: deviation.offset))


def _length(layout: Layout, payload: bytes) -> Iterator[Deviation]:
    size = len(payload)
    if layout.tail is not None and size >= layout.length or size in layout.lengths:
        return
    longest = max(layout.lengths)
    if size < layout.length:
        reason = f"{size} bytes instead of {layout.length}; what is missing is taken as absent"
        yield Deviation(DeviationKind.SHORT, None, size, reason)
    elif size == FRAME:
        filler = payload[longest:]
        with_ones = "ones" if filler == b"\xff" * len(filler) else filler.hex(" ").upper()
        yield Deviation(DeviationKind.PADDED, None, longest, f"padded from {longest} to {FRAME} bytes with {with_ones}")
    else:
        yield Deviation(DeviationKind.TOO_LONG, None, longest, f"{size} bytes; {longest} are defined")


def _reserved(layout: Layout, payload: bytes) -> Iterator[Deviation]:
    for offset, claimed in enumerate(layout.claimed):
        if offset >= len(payload):
            return
        if (payload[offset] | claimed) != 0xFF:
            bits = [bit + 1 for bit in range(8) if not (payload[offset] | claimed) >> bit & 1]
            names = f"bit {bits[0]}" if len(bits) == 1 else f"bits {bits[0]}-{bits[-1]}"
            yield Deviation(DeviationKind.RESERVED, None, offset, f"reserved {names} not one in {payload[offset]:02X}")


def _ranges(layout: Layout, payload: bytes, base: int, joint: str = "", place: str = "") -> Iterator[Deviation]:
    for field in layout.fields:
        if field.span[1] < len(payload) and (fault := field_fault(field, payload)) is not None:
            name = place + (joint + field.name if joint or not place else "")
            yield Deviation(fault[0], name, base + field.span[0], fault[1])


def field_fault(field: Field, payload: bytes) -> tuple[DeviationKind, str] | None:
    """What is wrong with the raw value of a field that the payload holds, or None."""
    marker = field.marker
    if isinstance(marker, Integer | Choice):
        return _number_fault(field, field.extract(payload))
    raw = payload[field.span[0] : field.span[1] + 1]
    if field.optional and raw == b"\xff" * len(raw):
        return None
    if isinstance(marker, Text) and not read_text(raw).isascii():
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
            value = getattr(message, field.name)
            if value is None and field.optional:
                continue
            _check(field, value)
        except (TypeError, ValueError, OverflowError) as fault:
            return CodecError(layout.name, field.name, field.span[0], str(fault))
    return _diagnose_tail(layout, message)


def _check(field: Field, value: Any) -> None:
    match field.marker:
        case Text(size=size, pad=pad):
            write_text(value, size, pad)
        case Raw(size=size):
            write_raw(value, size or 0)
        case BcdTime():
            write_time(value)
        case Choice():
            if isinstance(value, bool) or not isinstance(value, int):
                raise TypeError(f"{value!r} is no {field.code.__name__ if field.code else 'code'}")
            if not 0 <= value <= field.mask or (field.optional and value == field.absent):
                raise ValueError(f"{value!r} does not fit in {field.bits} bits")
        case _:
            _check_number(field, value)


def _check_number(field: Field, value: Any) -> None:
    unit = f" {field.unit}" if field.unit else ""
    if isinstance(value, str | bytes) or not hasattr(value, "__float__"):
        raise TypeError(f"a number is expected, not {value!r}")
    low, high = field.to_physical(field.raw_low), field.to_physical(field.raw_high)
    if not float("-inf") < value < float("inf"):
        raise ValueError(f"{value!r} is no number that a bus can carry")
    if field.integral and not isinstance(value, int):
        raise TypeError(f"a whole number is expected, not {value!r}")
    if not field.raw_low <= field.to_raw(value) <= field.raw_high:
        raise ValueError(f"{value!r}{unit} is outside {low} to {high}{unit}")


def _diagnose_tail(layout: Layout, message: Any) -> CodecError:
    tail = layout.tail
    if tail is None:
        return CodecError(layout.name, None, None, "cannot be encoded")
    value = getattr(message, tail.name)
    if tail.item is None:
        reason = f"at most {Layout.MAX_PAYLOAD} bytes can be carried, as bytes"
        return CodecError(layout.name, tail.name, tail.offset, reason)
    if not isinstance(value, tuple | list):
        return CodecError(layout.name, tail.name, tail.offset, f"a tuple is expected, not {value!r}")
    if len(value) > tail.max_items:
        return CodecError(layout.name, tail.name, tail.offset, f"{len(value)} items; at most {tail.max_items} are defined")
    for index, item in enumerate(value):
        offset = tail.offset + index * tail.item.length
        for field in tail.item.fields:
            try:
                _check(field, item if tail.scalar else getattr(item, field.name))
            except (TypeError, ValueError, OverflowError, AttributeError) as fault:
                name = f"{tail.name}[{index}]" + ("" if tail.scalar else f".{field.name}")
                return CodecError(layout.name, name, offset, str(fault))
    return CodecError(layout.name, tail.name, tail.offset, "cannot be encoded")
