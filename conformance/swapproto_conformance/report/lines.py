"""A trace as people read it: each frame with its sender, message name and decoded fields."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from swapproto.j1939 import parse
from swapproto.messages.catalog import Catalogue
from swapproto.messages.gbt27930 import (
    ChargingMessage,
    Condition,
    Edition,
    Level,
    Party,
    Reached,
    Timeout,
)
from swapproto.observe.dialogue import Dialogue, Heard, TimedMessage, TransferEnd, TransportFault
from swapproto.observe.phases import PhaseSpan, PhaseTracker
from swapproto.trace.record import Record
from swapproto.transport.frames import TP_CM, TP_DT, Control, abort_text, packeted_pgn
from swapproto.wire.fields import Code

FIELDS_SHOWN = 24
ITEMS_SHOWN = 4
BYTES_SHOWN = 16
STATES = (Condition, Level, Reached, Timeout)
"""Enumerations in which zero says that nothing is the matter."""
QUIET_FROM = 3
"""So many states at rest are counted instead of listed."""
TRANSPORT = "TP"
FOREIGN = "no known message"

_PARTIES = {party.value: party for party in Party}


class Line(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One frame. A message that came in packets stands, decoded, at its last one."""

    position: int
    """Zero-based place in the trace."""
    at_us: int
    can_id: int
    data: bytes
    name: str
    sender: Party | None
    message: ChargingMessage | None = None
    note: str = ""
    """What a transport frame says, or why a payload could not be read."""
    began_us: int | None = None
    """For a message that came in packets: when its transfer began."""
    oddities: tuple[str, ...] = ()
    """How the payload departs from its layout."""

    @property
    def lane(self) -> str:
        """What the line is counted under: the message's name; one lane for all transport frames."""
        return TRANSPORT if self.name.startswith(TRANSPORT) else self.name

    @property
    def cyclic(self) -> bool:
        """Whether frames like this one come again and again, so that some can be folded away."""
        if self.name.startswith(TRANSPORT):
            return not self.note.startswith("abort")
        return self.message is not None and self.message.period_ms is not None

    @property
    def state(self) -> tuple[object, ...]:
        """The enumerations in it: while they stay the same, a cyclic message brings no news."""
        if self.message is None:
            return ()
        values = (getattr(self.message, name) for name in self.message.__struct_fields__)
        return tuple(value for value in values if isinstance(value, Code))


class Story(msgspec.Struct, frozen=True):
    """A trace, read."""

    lines: tuple[Line, ...] = ()
    phases: tuple[PhaseSpan, ...] = ()

    @property
    def start_us(self) -> int:
        return self.lines[0].at_us if self.lines else 0

    @property
    def span_us(self) -> int:
        """From the first frame to the last."""
        return self.lines[-1].at_us - self.lines[0].at_us if self.lines else 0


def read(records: Sequence[Record], edition: Edition = Edition.GBT_2015) -> Story:
    """Every frame of the trace, in its order; nothing in it makes this fail."""
    catalogue = Catalogue(edition)
    lines = [_undecoded(position, record, catalogue) for position, record in enumerate(records)]
    numbered = (msgspec.structs.replace(record, line=position) for position, record in enumerate(records))
    phases = PhaseTracker()
    for heard in Dialogue(catalogue).listen(numbered):
        _note(lines, heard)
        if isinstance(heard, TimedMessage):
            phases.receive(heard)
    return Story(tuple(lines), tuple(phases.spans))


def _note(lines: list[Line], heard: Heard) -> None:
    """Write what was heard at the frame that completed it; the listener takes positions for line numbers."""
    line = lines[heard.line]
    match heard:
        case TimedMessage():
            lines[heard.line] = _decoded(line, heard)
        case TransportFault():
            oddity = str(heard.violation.reason)
            lines[heard.line] = msgspec.structs.replace(line, oddities=(*line.oddities, oddity))
        case TransferEnd():
            pass


def _decoded(line: Line, heard: TimedMessage) -> Line:
    reading = heard.reading
    note = "" if heard.transfer is None else line.note
    if heard.transfer is not None:
        note = f"{note}, completes {len(heard.payload)} bytes in {heard.transfer.packets} packets"
    if reading.error is not None:
        note = f"{note}; cannot be read: {reading.error.reason}".removeprefix("; ")
    oddities = (*line.oddities, *(str(each) for each in reading.deviations))
    return msgspec.structs.replace(
        line,
        name=heard.name,
        sender=heard.sender,
        message=reading.message,
        note=note,
        began_us=None if heard.transfer is None else heard.started_us,
        oddities=oddities,
    )


def _undecoded(position: int, record: Record, catalogue: Catalogue) -> Line:
    data, sender = record.data, _PARTIES.get(record.id & 0xFF)
    kind = record.id >> 16 & 0x3FF
    if not record.extended:
        name, sender, note = f"{record.id:03X}h", None, FOREIGN
    elif kind == TP_DT:
        name, note = "TP.DT", f"packet {data[0]}" if data else "empty"
    elif kind == TP_CM:
        name, note = "TP.CM", _control(data, catalogue) if len(data) == 8 else "not of 8 bytes"
    else:
        name, note = f"{parse(record.id).pgn:05X}h", FOREIGN
    return Line(
        position=position,
        at_us=record.at_us,
        can_id=record.id,
        data=data,
        name=name,
        sender=sender,
        note=note,
    )


def _control(data: bytes, catalogue: Catalogue) -> str:
    pgn, size, packets = packeted_pgn(data), data[1] | data[2] << 8, data[3]
    candidates = (catalogue.by_pgn(pgn, party.value) for party in Party)
    of = next((kind.__name__ for kind in candidates if kind is not None), f"{pgn:05X}h")
    match data[0]:
        case Control.RTS:
            return f"RTS: {of}, {size} bytes in {packets} packets"
        case Control.BAM:
            return f"BAM: {of}, {size} bytes in {packets} packets"
        case Control.CTS:
            return f"CTS: {of}, {data[1]} packets from {data[2]}" if data[1] else f"CTS: {of}, hold"
        case Control.END_OF_MSG_ACK:
            return f"EndOfMsgAck: {of}, {size} bytes"
        case Control.ABORT:
            return f"abort: {of}, {abort_text(data[1])}"
        case other:
            return f"unknown control byte {other}: {of}"


def fields(line: Line) -> tuple[str, ...]:
    """What a transport frame says, each field with its unit, and what is odd about the payload."""
    shown = [line.note] if line.note else []
    if line.message is not None:
        units = {field.name: field.unit.replace("degC", "°C") for field in line.message.layout.fields}
        values = [(name, getattr(line.message, name)) for name in line.message.__struct_fields__]
        quiet = [name for name, value in values if isinstance(value, STATES) and value == 0]
        hidden = quiet if len(quiet) >= QUIET_FROM else ()
        for name, value in values:
            if value is not None and name not in hidden:
                shown.append(f"{name.replace('_', ' ')} {_value(value)} {units.get(name, '')}".rstrip())
        if hidden:
            shown.append(f"{'all' if len(hidden) == len(values) else 'other'} {len(hidden)} states normal")
    shown += [f"odd: {each}" for each in line.oddities]
    if len(shown) > FIELDS_SHOWN:
        shown[FIELDS_SHOWN:] = [f"and {len(shown) - FIELDS_SHOWN} more"]
    return tuple(shown)


def _value(value: object) -> str:
    match value:
        case Code():
            return value.label
        case bytes():
            rest = len(value) - BYTES_SHOWN
            shown = value[:BYTES_SHOWN].hex(" ").upper() or "empty"
            return f"{shown} and {rest} more" if rest > 0 else shown
        case datetime():
            return value.isoformat(" ")
        case tuple():
            return _items(value)  # pyright: ignore[reportUnknownArgumentType]
        case _:
            return str(value)


def _items(values: Sequence[object]) -> str:
    first = ", ".join(_item(each) for each in values[:ITEMS_SHOWN])
    rest = len(values) - ITEMS_SHOWN
    return f"[{first}, and {rest} more]" if rest > 0 else f"[{first}]"


def _item(value: object) -> str:
    if isinstance(value, msgspec.Struct):
        return "/".join(_value(getattr(value, name)) for name in value.__struct_fields__)
    return _value(value)
