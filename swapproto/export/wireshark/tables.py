"""The tables that the script's fixed part works from: messages with their fields, and the transport."""

import re
from collections.abc import Iterator

from swapproto.export.source import Declaration
from swapproto.export.wireshark.lua import Plain, comment, literal, table
from swapproto.frame import MICROSECOND
from swapproto.j1939 import GLOBAL_ADDRESS, parse
from swapproto.messages.gbt27930 import Party
from swapproto.provenance import Source
from swapproto.transport.frames import (
    MAX_SIZE,
    MIN_SIZE,
    NULL_ADDRESS,
    PACKET_BYTES,
    TP_CM,
    TP_DT,
    AbortReason,
    Control,
    abort_text,
)
from swapproto.transport.timing import J1939_21
from swapproto.wire.examine import field_fault
from swapproto.wire.fields import BcdTime, Choice, Code, Integer, Raw, Text
from swapproto.wire.layout import Field, Layout, Tail
from swapproto.wire.message import Message

_FRAME = 8
_CONTROLS = {
    Control.RTS: "RTS",
    Control.CTS: "CTS",
    Control.END_OF_MSG_ACK: "EndOfMsgAck",
    Control.BAM: "BAM",
    Control.ABORT: "abort",
}


def key(cls: type[Message]) -> str:
    """The message in names of fields: ``BCL`` is bcl, ``TemperatureExtremes`` temperature_extremes."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", cls.__name__).lower()


def transport(declared: Declaration) -> str:
    """Numbers of J1939-21, and the pairs of addresses whose transfers are followed."""
    numbers: dict[str, Plain] = {
        "connection": TP_CM, "data": TP_DT, "global": GLOBAL_ADDRESS, "null": NULL_ADDRESS,
        "min_size": MIN_SIZE, "max_size": MAX_SIZE, "packet_bytes": PACKET_BYTES,
        "silence_us": J1939_21.silence // MICROSECOND,
        **{control.name.lower(): control.value for control in Control},
        "controls": {int(control): name for control, name in _CONTROLS.items()},
        "reasons": {int(reason): abort_text(reason) for reason in AbortReason},
    }  # fmt: skip
    lines = [f"  {name} = {literal(value)}," for name, value in numbers.items()]
    pairs = [f"    {table({'source': a, 'destination': b})}," for a, b in _pairs(declared)]
    return "\n".join(["local TP = {", *lines, "  pairs = {", *pairs, "  },", "}"])


def _pairs(declared: Declaration) -> list[tuple[int, int]]:
    """Both directions of every dialogue that has a message of more than one frame, and to all."""
    pairs: set[tuple[int, int]] = set()
    for cls in declared.messages:
        if cls.layout.length > _FRAME or cls.layout.tail is not None:
            for can_id in cls.identifiers():
                source, destination = parse(can_id).source, parse(can_id).destination
                pairs |= {(source, destination), (destination, source), (source, GLOBAL_ADDRESS)}
    return sorted(pair for pair in pairs if pair[0] != GLOBAL_ADDRESS)


def message(cls: type[Message]) -> Iterator[str]:
    """The lines of one message's table."""
    layout, tail = cls.layout, cls.layout.tail
    period = "on an event" if cls.period_ms is None else f"every {cls.period_ms} ms"
    yield f"  -- {cls.__name__}, {comment(cls.title)}: PGN {cls.pgn:04X}h, {period}."
    yield f"  -- {comment(str(cls.source))}"
    head: dict[str, Plain] = {
        "name": cls.__name__, "key": key(cls), "title": cls.title, "pgn": cls.pgn,
        "any_priority": isinstance(cls.sender, Party),
        "length": layout.length, "lengths": layout.lengths, "reserved": _reserved(layout),
    }  # fmt: skip
    yield "  {"
    yield f"    {table(head)[2:-2]},"
    yield "    ways = {"
    for can_id, sender in cls.identifiers().items():
        parts = parse(can_id)
        name: str = getattr(sender, "label", sender.name)
        pair = f"source = 0x{parts.source:02X}, destination = 0x{parts.destination:02X}"
        yield f"      {{ identifier = 0x{can_id:08X}, {pair}, sender = {literal(name)} }},"
    yield "    },"
    yield from _fields(layout, cls.source, "    ")
    if tail is not None:
        yield from _tail(tail, cls.source)
    yield "  },"


def _reserved(layout: Layout) -> tuple[int, ...]:
    """Masks of the bits that have to be one, byte for byte; none where they are never read."""
    return tuple(byte ^ 0xFF for byte in layout.claimed) if layout.reserved_bit else ()


def _fields(layout: Layout, source: Source, indent: str) -> Iterator[str]:
    yield f"{indent}fields = {{"
    for field in layout.fields:
        told = comment(str(field.marker.source or source))
        yield f"{indent}  {table(_field(field))}, -- {told}"
    yield f"{indent}}},"


def _tail(tail: Tail, source: Source) -> Iterator[str]:
    yield "    tail = {"
    yield f"      name = {literal(tail.name)}, offset = {tail.offset},"
    if tail.item is None:
        yield f'      kind = "bytes", optional = {literal(tail.optional)},'
    else:
        item = tail.item
        ones = b"\xff" * item.length
        head: dict[str, Plain] = {
            "length": item.length, "most": tail.max_items, "scalar": tail.scalar,
            "reserved": _reserved(item),
            "ones_are_odd": any(field_fault(field, ones) is not None for field in item.fields),
        }  # fmt: skip
        yield f"      {table(head)[2:-2]},"
        yield from _fields(item, source, "      ")
    yield "    },"


def _field(field: Field) -> dict[str, Plain]:
    first, last = field.span
    made: dict[str, Plain] = {"name": field.name, "kind": _kind(field), "first": first + 1, "last": last + 1}
    marker = field.marker
    if isinstance(marker, Integer | Choice):
        made |= {"low_bit": field.low_bit, "bits": field.bits, "order": field.order}
    if field.optional:
        made["optional"] = True
        if field.absent is not None:
            made["absent"] = field.absent
    if isinstance(marker, Integer):
        made |= {
            "type": _type(field), "numerator": field.numerator, "denominator": field.denominator,
            "shift": field.shift, "low": field.raw_low, "high": field.raw_high,
        }  # fmt: skip
        if field.signed:
            made["signed"] = True
        if field.unit:
            made["unit"] = field.unit
    if field.code is not None:
        made |= {"code": field.code.__name__, "labels": _labels(field.code)}
    if isinstance(marker, Text):
        made["blanks"] = marker.blanks
    if marker.note:
        made["about"] = comment(marker.note)
    return made


def _labels(code: type[Code]) -> dict[int, str]:
    return {int(member): member.label for member in code.__members__.values()}


def _kind(field: Field) -> str:
    match field.marker:
        case Integer():
            return "number"
        case Choice():
            return "code"
        case Text():
            return "text"
        case BcdTime():
            return "clock"
        case Raw():
            return "bytes"
        case other:
            raise TypeError(f"{field.name}: {other!r} has no fixed place")


def _type(field: Field) -> str:
    """The narrowest of Wireshark's types that holds every physical value."""
    if not field.integral:
        return "double"
    ends = (field.raw_floor, field.raw_floor + field.mask)
    low, high = (raw * field.numerator + field.shift for raw in ends)
    if low >= 0 and high < 1 << 32:
        return "uint32"
    return "int32" if low >= -(1 << 31) and high < 1 << 31 else "int64"
