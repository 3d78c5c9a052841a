"""Every attribute of signals, messages and nodes, as two foreign parsers read it, against the declaration."""

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from math import ceil, floor
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import canmatrix.formats
import cantools
import pytest
from cantools.database import Database

from swapproto.export.dbc import files
from swapproto.export.source import Declaration, declaration
from swapproto.messages.catalog import SETS, MessageSet
from swapproto.messages.gbt27930 import BCL, BHM, CRM
from swapproto.messages.gbt27930.parties import FromBms
from swapproto.messages.pack_can import ThermalRequest
from swapproto.provenance import Source
from swapproto.wire.fields import Choice, Integer, Marker, Raw, Repeat, S, U
from swapproto.wire.layout import Field
from swapproto.wire.message import Message

DECLARED = {name: declaration(name) for name in SETS}
every_profile = pytest.mark.parametrize("name", SETS)


class Row(NamedTuple):
    """All that a DBC says of a signal."""

    start: int
    bits: int
    order: str
    signed: bool
    scale: float
    offset: float
    low: float
    high: float
    unit: str
    comment: str
    spn: int
    choices: dict[int, str]


class Head(NamedTuple):
    """All that it says of a message."""

    name: str
    length: int
    sender: list[str]
    receivers: set[str]
    comment: str
    period: int
    send_type: str
    format: str
    signals: dict[str, Row]


class Told(NamedTuple):
    """A database: messages by identifier, addresses of the nodes."""

    messages: dict[int, Head]
    nodes: dict[str, int]


def source_text(source: Source) -> str:
    plural = "" if source.witnesses == 1 else "es"
    by = f", {source.witnesses} witness{plural}" if source.witnesses else ""
    return f"Source: {source.at} ({source.basis.value}{by}).".replace('"', "'")


def start(field: Field) -> int:
    """Out of the place byte.bit as it is written in the declaration, where it is."""
    marker = field.marker
    if marker.at is None:
        return field.start
    byte, _, bit = str(marker.at).partition(".")
    default = 1 if field.order == "little" else 8
    return int(byte) * 8 - 8 + (default if isinstance(marker.at, int) else int(bit)) - 1


def limits(marker: Integer, *, optional: bool) -> tuple[float, float]:
    """Physical limits: those of the bits without the absent value, or the narrower ones of the marker."""
    scale, offset = Fraction(str(marker.scale)), Fraction(str(marker.offset))
    low, high = 0, (1 << marker.bits) - 1
    if marker.signed:
        low, high = -(1 << marker.bits - 1), (1 << marker.bits - 1) - 1
    absent = marker.absent
    if optional and absent is None:
        absent = -1 if marker.signed else high
    if marker.low is not None:
        low = max(low, ceil((Fraction(str(marker.low)) - offset) / scale))
    if marker.high is not None:
        high = min(high, floor((Fraction(str(marker.high)) - offset) / scale))
    low += absent == low
    high -= absent == high
    return float(low * scale + offset), float(high * scale + offset)


def expected_rows(cls: type[Message]) -> dict[str, Row]:
    layout, tail = cls.layout, cls.layout.tail
    found: dict[str, Row] = {}
    for field in layout.fields:
        found |= rows(field, field.name, 0, cls.source, field.marker.spn)
    if tail is not None and tail.item is not None:
        marker = tail.marker
        for number in range(tail.max_items):
            spn = marker.first_spn + number if isinstance(marker, Repeat) and marker.first_spn else None
            base = 8 * (tail.offset + number * tail.item.length)
            for field in tail.item.fields:
                name = f"{tail.name}_{number + 1}" + ("" if tail.scalar else f"_{field.name}")
                found |= rows(field, name, base, cls.source, spn or field.marker.spn)
    return found


def rows(field: Field, name: str, base: int, source: Source, spn: int | None) -> dict[str, Row]:
    marker: Marker = field.marker
    note = f" {marker.note}.".replace('"', "'") if marker.note else ""
    comment = source_text(marker.source or source) + note
    first = base + start(field)
    if isinstance(marker, Integer):
        low, high = limits(marker, optional=field.optional)
        names = {} if field.absent is None else {field.absent: "absent"}
        return {name: Row(
            first, marker.bits, marker.order, marker.signed, marker.scale, marker.offset, low, high,
            marker.unit, comment, spn or 0, names,
        )}  # fmt: skip
    if isinstance(marker, Choice):
        assert field.code is not None
        names = {int(member): member.name.lower().replace("_", " ") for member in field.code}
        if field.optional:
            names[(1 << marker.bits) - 1] = "absent"
        return {name: Row(first, marker.bits, marker.order, False, 1, 0, 0, 0, "", comment, spn or 0, names)}
    count = field.bits // 8
    kind = "a byte" if isinstance(marker, Raw) else type(marker).__name__
    found: dict[str, Row] = {}
    for number in range(count):
        told = f"{kind}, byte {number + 1} of {count}. {comment}"
        place = first + 8 * number
        found[f"{name}_{number + 1}"] = Row(
            place, 8, "little", False, 1, 0, 0, 0, "", told, spn or 0, {}
        )  # fmt: skip
    return found


def length(cls: type[Message]) -> int:
    layout, tail = cls.layout, cls.layout.tail
    if tail is None:
        return layout.length
    return layout.length + tail.max_items * tail.item.length if tail.item else layout.length or 8


def head_comment(cls: type[Message]) -> str:
    lengths = str(list(cls.layout.lengths))[1:-1]
    words = [
        f"{cls.title}.",
        *(cls.__doc__ or "").split(),
        f"PGN {cls.pgn:04X}h, priority {cls.priority}.",
        f"Every {cls.period_ms} ms." if cls.period_ms else "Sent on an event.",
        *(["Optional."] if cls.optional else []),
        f"Undeclared bits are sent as {'ones' if cls.layout.reserved_bit else 'zeros'}.",
        *([f"Other lengths that are read: {lengths}."] if "," in lengths else []),
        *(["The number of items varies."] if cls.layout.tail is not None else []),
        source_text(cls.source),
    ]
    return " ".join(words).replace('"', "'")


def expected(declared: Declaration) -> Told:
    nodes = {
        party.name: int(party.value) for cls in declared.messages for party in type(cls.sender)
    }  # fmt: skip
    by_address = {address: name for name, address in reversed(nodes.items())}
    messages: dict[int, Head] = {}
    for cls in declared.messages:
        senders = cls.identifiers()
        for can_id, sender in senders.items():
            pdu_format, specific = can_id >> 16 & 0xFF, can_id >> 8 & 0xFF
            addressed = pdu_format < 240 and specific in by_address
            receivers = {by_address[specific]} if addressed else set[str]()
            signals = expected_rows(cls)
            messages[can_id] = Head(
                cls.__name__ if len(senders) == 1 else f"{cls.__name__}_{sender.name}",
                length(cls), [sender.name], receivers if signals else set(), head_comment(cls),
                cls.period_ms or 0, "cyclic" if cls.period_ms else "event", "J1939PG", signals,
            )  # fmt: skip
    return Told(messages, nodes)


def by_cantools(content: bytes) -> Told:
    database = cantools.database.load_string(content.decode(), database_format="dbc", strict=True)
    assert isinstance(database, Database)
    assert database.dbc is not None
    formats = database.dbc.attribute_definitions["VFrameFormat"].choices
    messages: dict[int, Head] = {}
    for message in database.messages:
        assert message.is_extended_frame
        assert message.dbc is not None
        told = {
            signal.name: Row(
                signal.start, signal.length, signal.byte_order.removesuffix("_endian"), signal.is_signed,
                float(signal.scale), float(signal.offset),
                float(signal.minimum or 0), float(signal.maximum or 0),
                signal.unit or "", signal.comment or "", signal.spn or 0,
                {int(number): str(label) for number, label in (signal.choices or {}).items()},
            )
            for signal in message.signals
        }  # fmt: skip
        attributes: Any = message.dbc.attributes
        messages[message.frame_id] = Head(
            message.name, message.length, message.senders, message.receivers, str(message.comment),
            message.cycle_time or 0, str(message.send_type), formats[attributes["VFrameFormat"].value], told,
        )  # fmt: skip
    specifics: Any = {node.name: node.dbc for node in database.nodes}
    nodes = {name: each.attributes["NmStationAddress"].value for name, each in specifics.items()}
    return Told(messages, nodes)


def by_canmatrix(content: bytes, path: Path) -> Told:
    path.write_bytes(content)
    formats: Any = canmatrix.formats
    matrix = formats.loadp_flat(str(path), dbcImportEncoding="utf-8", dbcImportCommentEncoding="utf-8")
    messages: dict[int, Head] = {}
    for frame in matrix.frames:
        if not frame.arbitration_id.extended:
            continue  # signals of no message
        told = {
            signal.name: Row(
                signal.get_startbit(bit_numbering=1), signal.size,
                "little" if signal.is_little_endian else "big", signal.is_signed,
                float(signal.factor), float(signal.offset), float(signal.min), float(signal.max),
                signal.unit, signal.comment, int(signal.attributes.get("SPN", 0)), dict(signal.values),
            )
            for signal in frame.signals
        }  # fmt: skip
        messages[frame.arbitration_id.id] = Head(
            frame.name, frame.size, list(frame.transmitters), set(frame.receivers), frame.comment,
            frame.cycle_time, frame.attribute("GenMsgSendType", matrix),
            frame.attribute("VFrameFormat", matrix), told,
        )  # fmt: skip
    return Told(messages, {ecu.name: int(ecu.attributes["NmStationAddress"]) for ecu in matrix.ecus})


def differences(ours: Told, theirs: Told) -> list[str]:
    """Every attribute that a parser found otherwise than the declaration has it."""
    wrong = [] if ours.nodes == theirs.nodes else [f"nodes: {theirs.nodes}, not {ours.nodes}"]
    if ours.messages.keys() != theirs.messages.keys():
        wrong.append("identifiers")
    for can_id in ours.messages.keys() & theirs.messages.keys():
        left, right = ours.messages[can_id], theirs.messages[can_id]
        wrong += unequal(left.name, left._replace(signals={}), right._replace(signals={}))
        if left.signals.keys() != right.signals.keys():
            wrong.append(f"{left.name}: {left.signals.keys() ^ right.signals.keys()}")
        for name in left.signals.keys() & right.signals.keys():
            wrong += unequal(f"{left.name}.{name}", left.signals[name], right.signals[name])
    return wrong


def unequal(name: str, ours: Head | Row, theirs: Head | Row) -> Iterator[str]:
    for attribute, left, right in zip(ours._fields, ours, theirs, strict=True):
        if left != right:
            yield f"{name} {attribute}: {right!r}, not {left!r}"


@cache
def content(name: str) -> bytes:
    ((_, made),) = files(DECLARED[name]).items()
    return made


@every_profile
def test_cantools_reads_every_attribute(name: str) -> None:
    assert differences(expected(DECLARED[name]), by_cantools(content(name))) == []


@every_profile
def test_canmatrix_reads_every_attribute(name: str, tmp_path: Path) -> None:
    found = by_canmatrix(content(name), tmp_path / f"{name}.dbc")
    assert differences(expected(DECLARED[name]), found) == []


CHARGE, PACK = "gbt27930-2015", "pack-can-d0f3"
SOME: dict[str, list[type[Message]]] = {CHARGE: [BHM, CRM, BCL], PACK: [ThermalRequest]}
CURRENT = 'current : 16|16@1+ (0.1,-400) [-400|6153.5] "A"'
HOT = 'set_temperature : 39|8@0+ (1,-40) [-40|215] "degC"'
PLANTED = {
    "place": (CHARGE, CURRENT, CURRENT.replace("16|16@", "17|15@")),
    "sign": (CHARGE, CURRENT, CURRENT.replace("+", "-")),
    "order": (CHARGE, CURRENT, CURRENT.replace("16|16@1", "23|16@0")),
    "scale": (CHARGE, CURRENT, CURRENT.replace("(0.1", "(0.2")),
    "offset": (CHARGE, CURRENT, CURRENT.replace(",-400)", ",-399)")),
    "lower limit": (CHARGE, CURRENT, CURRENT.replace("[-400", "[-399")),
    "upper limit": (CHARGE, CURRENT, CURRENT.replace("6153.5", "6153.4")),
    "unit": (CHARGE, CURRENT, CURRENT.replace('"A"', '"mA"')),
    "place of a big-endian": (PACK, HOT, HOT.replace("39|", "31|")),
    "order of a big-endian": (PACK, HOT, HOT.replace("39|8@0", "32|8@1")),
    "scale of a big-endian": (PACK, HOT, HOT.replace("(1", "(2")),
    "offset of a big-endian": (PACK, HOT, HOT.replace(",-40)", ",-50)")),
    "unit of a big-endian": (PACK, HOT, HOT.replace("degC", "K")),
    "clause": (CHARGE, '2551207668 voltage "Source: GB/T 27930-2015, clause 9',
               '2551207668 voltage "Source: clause 8'),
    "basis": (PACK, 'CM_ SG_ 2566866420 mode "Source: pack DBC v4.6 (D0/F3 family) (observed',
              'CM_ SG_ 2566866420 mode "Source: pack DBC v4.6 (D0/F3 family) (reported'),
    "witnesses": (CHARGE, '2551207668 mode "Source: GB/T 27930-2015, clause 9 (reported, 2 witnesses)',
                  '2551207668 mode "Source: GB/T 27930-2015, clause 9 (reported, 1 witness)'),
    "note": (PACK, "the algorithm is not public", "the algorithm is public"),
    "source of a message": (CHARGE, "Every 50 ms. Undeclared bits are sent as ones. Source: GB/T 27930-2015",
                            "Every 50 ms. Undeclared bits are sent as ones. Source: GB/T 27930-2023"),
    "value name": (CHARGE, '170 "recognised"', '170 "known"'),
    "value": (CHARGE, '170 "recognised"', '171 "recognised"'),
    "SPN": (CHARGE, "max_voltage 2601", "max_voltage 2602"),
    "address": (CHARGE, "BU_ BMS 244", "BU_ BMS 243"),
    "format": (CHARGE, '"VFrameFormat" BO_ 2551207668 3', '"VFrameFormat" BO_ 2551207668 1'),
    "send type": (CHARGE, '"GenMsgSendType" BO_ 2551207668 0', '"GenMsgSendType" BO_ 2551207668 1'),
    "cycle time": (CHARGE, '"GenMsgCycleTime" BO_ 2551207668 50', '"GenMsgCycleTime" BO_ 2551207668 51'),
    "sender": (CHARGE, "BCL: 5 BMS", "BCL: 5 CHARGER"),
    "receiver": (CHARGE, f' SG_ {CURRENT} CHARGER\n SG_ mode : 32|8@1+ (1,0) [0|0] "" CHARGER',
                 f' SG_ {CURRENT} BMS\n SG_ mode : 32|8@1+ (1,0) [0|0] "" CHARGER'),
    "length": (CHARGE, "BCL: 5 BMS", "BCL: 6 BMS"),
    "identifier": (CHARGE, "2551207668", "2551207667"),
}  # fmt: skip


@pytest.mark.parametrize("planted", PLANTED)
def test_an_error_planted_into_an_attribute_is_seen(planted: str, tmp_path: Path) -> None:
    name, right, wrong = PLANTED[planted]
    declared = Declaration(DECLARED[name].profile, (MessageSet("some", SOME[name]),))
    ((_, made),) = files(declared).items()
    text, path = made.decode(), tmp_path / "some.dbc"
    assert right in text
    bad = text.replace(right, wrong).encode()
    assert differences(expected(declared), by_cantools(made)) == []
    assert differences(expected(declared), by_cantools(bad))
    assert differences(expected(declared), by_canmatrix(made, path)) == []
    assert differences(expected(declared), by_canmatrix(bad, path))


LONG: dict[str, Any] = {"title": "long", "priority": 6, "period_ms": None, "phase": None}


class WhatIsLongerThanTheFormatAllowsOne(FromBms, **LONG, pgn=0x5500):
    """Names of more than 32 characters, alike in the first 32."""

    the_temperature_of_the_first_probe_1: Annotated[int, U(8)]
    the_temperature_of_the_first_probe_2: Annotated[int, U(8)]


class WhatIsLongerThanTheFormatAllowsTwo(FromBms, **LONG, pgn=0x5600):
    """With signed numbers, which no shipped message has: own limits, an absent value, both orders."""

    level: Annotated[float, S(16, at=1, scale=0.5, low=-100, high=90, unit="A")]
    slope: Annotated[int | None, S(16, at=4.8, order="big", unit="K")]


def test_long_names_and_signed_numbers_survive_in_both_parsers(tmp_path: Path) -> None:
    both: list[type[Message]] = [WhatIsLongerThanTheFormatAllowsOne, WhatIsLongerThanTheFormatAllowsTwo]
    declared = Declaration(DECLARED[CHARGE].profile, (MessageSet("long", both),))
    ((_, made),) = files(declared).items()
    for line in made.decode().splitlines():
        if line.startswith(("BO_ ", " SG_ ")):
            assert len(line.split()[2 if line.startswith("BO_") else 1].rstrip(":")) <= 32
    assert differences(expected(declared), by_cantools(made)) == []
    assert differences(expected(declared), by_canmatrix(made, tmp_path / "long.dbc")) == []


OVERLAY = """
schema = 1
[profile]
id = "bench"
title = "bench"
scope = "bench"
extends = ["gbt27930-2015"]
[document.own]
name = "own"
read = "nothing"
[message.BCL]
period = { value = "60 ms", replaces = "50 ms", at = "own 1", basis = "observed", witnesses = 1, why = "x" }
[message.BCL.field.current]
offset = { value = "-800 A", replaces = "-400 A", at = "own 2", basis = "observed", witnesses = 1, why = "x" }
"""


def test_a_field_that_an_overlay_changes_has_the_overlays_source(tmp_path: Path) -> None:
    overlay = tmp_path / "bench.toml"
    overlay.write_text(OVERLAY)
    declared = declaration(overlay)
    ((_, made),) = files(declared).items()
    found = by_cantools(made)
    assert differences(expected(declared), found) == []
    assert differences(expected(declared), by_canmatrix(made, tmp_path / "bench.dbc")) == []
    bcl = found.messages[BCL.identifier()]
    assert (bcl.period, bcl.signals["current"].offset) == (60, -800)
    assert bcl.signals["current"].comment.startswith("Source: own, 2 (observed, 1 witness).")
    assert bcl.signals["voltage"].comment.startswith("Source: GB/T 27930-2015")
