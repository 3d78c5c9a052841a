"""DBC: messages and signals for CANoe, TSMaster, SavvyCAN, PCAN-View and every cantools user.

A DBC has integers of up to 64 bits and no repetition. So text, opaque bytes and BCD time become one signal
a byte (``vin_1`` to ``vin_17``), repeated items one set of signals an item up to the largest number
(``cells_1_voltage``). Messages of more than 8 bytes are J1939 parameter groups under their own identifier,
at their full length; the transport frames themselves (TP.CM, TP.DT) are the business of the tool.
"""

from collections.abc import Iterator, Mapping
from enum import Enum

import msgspec

from swapproto.errors import SwapError
from swapproto.export.source import Declaration
from swapproto.provenance import Source
from swapproto.wire.fields import Choice, Integer, Raw, Repeat
from swapproto.wire.layout import Field, Layout
from swapproto.wire.message import Message

EXTENDED = 1 << 31
"""Marks a 29-bit identifier in a DBC."""
LONGEST_NAME = 32
NOBODY = "Vector__XXX"
_FRAME = 8
_FORMATS = ("StandardCAN", "ExtendedCAN", "reserved", "J1939PG")
_SEND_TYPES = ("cyclic", "event")


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """One signal as a DBC has it."""

    name: str
    field: Field
    start: int
    bits: int
    comment: str
    choices: Mapping[int, str]
    spn: int | None

    @property
    def number(self) -> bool:
        """Whether scale, offset and limits mean anything; single bytes of text have none."""
        return isinstance(self.field.marker, Integer)

    def line(self, receiver: str) -> str:
        field = self.field
        order = 1 if field.order == "little" else 0
        sign = "-" if field.signed else "+"
        scale, offset, low, high, unit = "1", "0", "0", "0", ""
        if isinstance(field.marker, Integer):
            scale, offset = _decimal(field.marker.scale), _decimal(field.marker.offset)
            low = _decimal(field.to_physical(field.raw_low))
            high = _decimal(field.to_physical(field.raw_high))
            unit = field.unit
        place = f"{self.start}|{self.bits}@{order}{sign}"
        return f' SG_ {self.name} : {place} ({scale},{offset}) [{low}|{high}] "{unit}" {receiver}'


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A message under one identifier."""

    cls: type[Message]
    name: str
    can_id: int
    sender: str
    receiver: str
    length: int
    signals: tuple[Signal, ...]

    @property
    def key(self) -> int:
        return self.can_id | EXTENDED


def files(declared: Declaration, *, encoding: str = "utf-8") -> Mapping[str, bytes]:
    """The one file; SwapError names a text that the encoding does not have."""
    text = "\n".join(_lines(declared)) + "\n"
    try:
        return {f"{declared.profile.id}.dbc": text.encode(encoding)}
    except UnicodeEncodeError as error:
        raise SwapError(
            f"{text[error.start : error.end]!r} cannot be written in {encoding}: use another encoding"
        ) from error


def entries(declared: Declaration) -> Iterator[Entry]:
    """Every message under each of its identifiers."""
    nodes = _addresses(declared)
    for cls in declared.messages:
        senders = cls.identifiers()
        for can_id, sender in senders.items():
            target = can_id >> 8 & 0xFF if can_id >> 16 & 0xFF < 0xF0 else None
            yield Entry(
                cls=cls,
                name=cls.__name__ if len(senders) == 1 else f"{cls.__name__}_{_node(sender)}",
                can_id=can_id,
                sender=_node(sender),
                receiver=nodes.get(target, NOBODY) if target is not None else NOBODY,
                length=_length(cls.layout),
                signals=tuple(_signals(cls)),
            )


def _length(layout: Layout) -> int:
    tail = layout.tail
    if tail is None:
        return layout.length
    if tail.item is None:
        return layout.length or _FRAME  # opaque: how long, nobody knows
    return layout.length + tail.max_items * tail.item.length


def _signals(cls: type[Message]) -> Iterator[Signal]:
    layout, tail = cls.layout, cls.layout.tail
    for field in layout.fields:
        yield from _of_field(field, field.name, 0, cls.source)
    if tail is None or tail.item is None:
        return
    for number in range(tail.max_items):
        first_spn = tail.marker.first_spn if isinstance(tail.marker, Repeat) else None
        spn = None if first_spn is None else first_spn + number
        base = (tail.offset + number * tail.item.length) * 8
        for field in tail.item.fields:
            name = f"{tail.name}_{number + 1}" + ("" if tail.scalar else f"_{field.name}")
            yield from _of_field(field, name, base, cls.source, spn)


def _of_field(field: Field, name: str, base: int, source: Source, spn: int | None = None) -> Iterator[Signal]:
    marker = field.marker
    comment = _comment(field, source)
    spn = marker.spn if spn is None else spn
    if isinstance(marker, Integer | Choice):
        yield Signal(
            name=name, field=field, start=base + field.start, bits=field.bits, comment=comment,
            choices=_choices(field), spn=spn,
        )  # fmt: skip
        return
    kind = "a byte" if isinstance(marker, Raw) else type(marker).__name__
    for number in range(field.bits // 8):
        yield Signal(
            name=f"{name}_{number + 1}", field=field, start=base + field.start + 8 * number, bits=8,
            comment=f"{kind}, byte {number + 1} of {field.bits // 8}. {comment}", choices={}, spn=spn,
        )  # fmt: skip


def _choices(field: Field) -> Mapping[int, str]:
    named = {} if field.code is None else {member.value: member.label for member in field.code}
    if field.absent is not None:
        named.setdefault(field.absent, "absent")
    return named


def _comment(field: Field, source: Source) -> str:
    note = f" {field.marker.note}." if field.marker.note else ""
    return f"Source: {field.marker.source or source}.{note}"


def _decimal(number: float) -> str:
    return repr(int(number)) if number == int(number) else repr(number)


def _node(party: Enum) -> str:
    return party.name


def _addresses(declared: Declaration) -> dict[int, str]:
    """Nodes by address: senders, and every party that the family knows."""
    found: dict[int, str] = {}
    for cls in declared.messages:
        for party in type(cls.sender):
            found.setdefault(int(party.value), _node(party))
    return found


def _text(text: str) -> str:
    return text.replace("\\", "/").replace('"', "'")


def _lines(declared: Declaration) -> Iterator[str]:
    every = list(entries(declared))
    nodes = _addresses(declared)
    short = _Short()
    yield 'VERSION ""'
    yield from ("", "NS_ :", "", "BS_:", "")
    yield "BU_: " + " ".join(nodes.values())
    for entry in every:
        yield ""
        yield f"BO_ {entry.key} {short.message(entry)}: {entry.length} {entry.sender}"
        for signal in entry.signals:
            yield msgspec.structs.replace(signal, name=short.signal(entry, signal)).line(entry.receiver)
    yield ""
    yield f'CM_ "{_text(" ".join(declared.header))}";'
    for entry in every:
        yield f'CM_ BO_ {entry.key} "{_text(_about(entry))}";'
        for signal in entry.signals:
            yield f'CM_ SG_ {entry.key} {short.signal(entry, signal)} "{_text(signal.comment)}";'
    yield from _definitions()
    yield f'BA_ "DBName" "{declared.profile.id.replace("-", "_")}";'
    for address, name in nodes.items():
        yield f'BA_ "NmStationAddress" BU_ {name} {address};'
    for entry in every:
        yield from _attributes(entry, short)
    for entry in every:
        for signal in entry.signals:
            if signal.choices:
                told = " ".join(f'{value} "{_text(label)}"' for value, label in signal.choices.items())
                yield f"VAL_ {entry.key} {short.signal(entry, signal)} {told} ;"


def _about(entry: Entry) -> str:
    cls = entry.cls
    doc = " ".join((cls.__doc__ or "").split())
    filler = "ones" if cls.layout.reserved_bit else "zeros"
    parts = [
        f"{cls.title}.", doc, f"PGN {cls.pgn:04X}h, priority {cls.priority}.",
        "Sent on an event." if cls.period_ms is None else f"Every {cls.period_ms} ms.",
        "Optional." if cls.optional else "", f"Undeclared bits are sent as {filler}.",
        f"Other lengths that are read: {', '.join(map(str, cls.layout.lengths))}."
        if len(cls.layout.lengths) > 1 else "",
        "The number of items varies." if cls.layout.tail is not None else "",
        f"Source: {cls.source}.",
    ]  # fmt: skip
    return " ".join(part for part in parts if part)


def _definitions() -> Iterator[str]:
    yield 'BA_DEF_ "DBName" STRING ;'
    yield 'BA_DEF_ "BusType" STRING ;'
    yield 'BA_DEF_ "ProtocolType" STRING ;'
    yield 'BA_DEF_ BU_ "NmStationAddress" INT 0 255;'
    yield f'BA_DEF_ BO_ "VFrameFormat" ENUM {_enumerated(_FORMATS)};'
    yield 'BA_DEF_ BO_ "GenMsgCycleTime" INT 0 65535;'
    yield f'BA_DEF_ BO_ "GenMsgSendType" ENUM {_enumerated(_SEND_TYPES)};'
    yield 'BA_DEF_ BO_ "SystemMessageLongSymbol" STRING ;'
    yield 'BA_DEF_ SG_ "SPN" INT 0 524287;'
    yield 'BA_DEF_ SG_ "SystemSignalLongSymbol" STRING ;'
    yield 'BA_DEF_DEF_ "DBName" "";'
    yield 'BA_DEF_DEF_ "BusType" "CAN";'
    yield 'BA_DEF_DEF_ "ProtocolType" "J1939";'
    yield 'BA_DEF_DEF_ "NmStationAddress" 254;'
    yield 'BA_DEF_DEF_ "VFrameFormat" "J1939PG";'
    yield 'BA_DEF_DEF_ "GenMsgCycleTime" 0;'
    yield 'BA_DEF_DEF_ "GenMsgSendType" "event";'
    yield 'BA_DEF_DEF_ "SystemMessageLongSymbol" "";'
    yield 'BA_DEF_DEF_ "SPN" 0;'
    yield 'BA_DEF_DEF_ "SystemSignalLongSymbol" "";'


def _enumerated(names: tuple[str, ...]) -> str:
    return ",".join(f'"{name}"' for name in names)


def _attributes(entry: Entry, short: "_Short") -> Iterator[str]:
    yield f'BA_ "VFrameFormat" BO_ {entry.key} {_FORMATS.index("J1939PG")};'
    if entry.cls.period_ms is not None:
        yield f'BA_ "GenMsgSendType" BO_ {entry.key} {_SEND_TYPES.index("cyclic")};'
        yield f'BA_ "GenMsgCycleTime" BO_ {entry.key} {entry.cls.period_ms};'
    if short.message(entry) != entry.name:
        yield f'BA_ "SystemMessageLongSymbol" BO_ {entry.key} "{entry.name}";'
    for signal in entry.signals:
        name = short.signal(entry, signal)
        if signal.spn is not None:
            yield f'BA_ "SPN" SG_ {entry.key} {name} {signal.spn};'
        if name != signal.name:
            yield f'BA_ "SystemSignalLongSymbol" SG_ {entry.key} {name} "{signal.name}";'


class _Short:
    """Names of at most 32 characters, which is what the format allows; the long ones go into attributes."""

    def __init__(self) -> None:
        self._given: dict[tuple[int | None, str], str] = {}
        self._taken: set[tuple[int | None, str]] = set()

    def message(self, entry: Entry) -> str:
        return self._short(None, entry.name)

    def signal(self, entry: Entry, signal: Signal) -> str:
        return self._short(entry.can_id, signal.name)

    def _short(self, scope: int | None, name: str) -> str:
        key = (scope, name)
        if key not in self._given:
            candidate, number = name[:LONGEST_NAME], 0
            while (scope, candidate) in self._taken:
                number += 1
                candidate = f"{name[: LONGEST_NAME - len(str(number)) - 1]}_{number}"
            self._taken.add((scope, candidate))
            self._given[key] = candidate
        return self._given[key]
