"""The dissector against our own reading, payload by payload, for every message of every profile."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeAlias

import msgspec
import pytest

from swapproto.cli.values import fields, plain
from swapproto.export.source import Declaration, declaration
from swapproto.export.wireshark import files
from swapproto.export.wireshark.tables import key
from swapproto.messages.catalog import SETS, MessageSet
from swapproto.messages.gbt27930 import BCL, Party
from swapproto.provenance import Basis, Source
from swapproto.trace.record import Record
from swapproto.transport import frames as tp
from swapproto.wire.fields import BcdTime, Choice, Code, Raw, Repeat, S, Text, U
from swapproto.wire.layout import Field, Layout
from swapproto.wire.message import Group, Message

if TYPE_CHECKING:
    from tests.export.wireshark.conftest import Shown, Tshark

every_profile = pytest.mark.parametrize("name", SETS)
DECLARED = {name: declaration(name) for name in SETS}
BCL_ID = BCL.identifier()

Told: TypeAlias = tuple[type[Message], int, str, bytes]
"""Class, identifier, sender and payload."""


def text(declared: Declaration) -> str:
    ((_, content),) = files(declared).items()
    return content.decode()


class Mood(Code):
    """A code wider than a byte."""

    GOOD = 1
    BAD = 300


class Pair(Group):
    """Items of every kind of field."""

    level: Annotated[int | None, S(16, at=1, scale=0.5, order="big", low=-10, high=10, absent=-32768)]
    mark: Annotated[str, Text(size=2, at=3)]
    mood: Annotated[Mood | None, Choice(bits=10, at=5.1)]


class Everything(Message):
    """What no shipped message has: signs, Motorola order, a fixed part before items, all optional."""

    title: ClassVar[str] = 'all "kinds" of\nfields \\'
    pgn: ClassVar[int] = 0xFE01
    priority: ClassVar[int] = 3
    period_ms: ClassVar[int | None] = 100
    sender: ClassVar[Party] = Party.BMS
    source_address: ClassVar[int] = 0xF4
    destination_address: ClassVar[int] = 0xFF
    source: ClassVar[Source] = Source("made up\nfor a test", Basis.ASSUMED, 0)

    signed: Annotated[int, S(16, at=1, offset=-7, low=-100, high=100)]
    wide: Annotated[int, U(32, at=3, offset=-5_000_000_000)]
    motorola: Annotated[float, U(12, at=7.8, scale=0.1, order="big", unit="V", high=300, note='say "V"')]
    lone: Annotated[int, U(3, at=8.4, order="big")]
    tiny: Annotated[float | None, S(24, at=9, scale=0.00001, order="big")]
    word: Annotated[str | None, Text(size=4, at=12)]
    blob: Annotated[bytes | None, Raw(size=3, at=16)]
    clock: Annotated[datetime | None, BcdTime(at=19)]
    pairs: Annotated[tuple[Pair, ...], Repeat(max_items=5)]


SYNTHETIC = Declaration(
    msgspec.structs.replace(DECLARED["gbt27930-2015"].profile, id="made-up"),
    (MessageSet("made up", [Everything]),),
)
ODD_BYTES = (b"\xff", b"\x00", b"A", b"\\", b'"', b" A ", b"\x80", b"A\x00\x1f", b"\xe9\xffB")
CLOCKS = (
    "00 00 00 01 01 01 00", "59 59 23 31 12 99 99", "60 00 00 01 01 24 20", "00 00 24 01 01 24 20",
    "00 00 00 29 02 24 20", "00 00 00 29 02 23 20", "00 00 00 29 02 00 19", "00 00 00 31 04 24 20",
    "0A 00 00 01 01 24 20", "00 00 00 00 01 24 20", "00 00 00 01 00 24 20", "00 00 00 01 13 24 20",
    "00 00 00 01 01 00 00", "FF FF FF FF FF FF FF", "00 A0 00 01 01 24 20",
)  # fmt: skip


def numbers(field: Field) -> Iterator[int]:
    """Raw values at and beyond every limit."""
    yield from (field.raw_low, field.raw_high, field.raw_floor, field.raw_floor + field.mask)
    yield from (field.raw_low - 1, field.raw_high + 1)
    if field.absent is not None:
        yield from (field.absent - 1, field.absent, field.absent + 1)
    if field.code is not None:
        yield from (int(member) for member in field.code)


def variants(field: Field) -> Iterator[bytes]:
    """What the bytes of a field may hold that is worth a look, text and clocks included."""
    size = field.span[1] - field.span[0] + 1
    match field.marker:
        case Text() | Raw():
            yield from (some.ljust(size, fill)[:size] for some in ODD_BYTES for fill in (b"\xff", b"\x00"))
        case BcdTime():
            yield from map(bytes.fromhex, CLOCKS)


def touched(layout: Layout, base: bytes, offset: int = 0) -> Iterator[bytes]:
    """The payload with one field after the other set to each of its odd values."""
    for field in layout.fields:
        first, last = field.span
        for some in variants(field):
            yield base[: offset + first] + some + base[offset + last + 1 :]
        if field.bits <= 32 and not isinstance(field.marker, Text | Raw | BcdTime):
            for raw in sorted(set(numbers(field))):
                part = bytearray(base[offset : offset + layout.length])
                field.insert(part, raw)
                yield base[:offset] + bytes(part) + base[offset + layout.length :]


def payloads(cls: type[Message], chance: Random) -> Iterator[bytes]:
    """Vectors, every length, every limit of every field, and noise."""
    layout, tail = cls.layout, cls.layout.tail
    yield from (vector.data for vector in cls.VECTORS)
    noise = chance.randbytes(layout.length)
    sizes = {*range(9), layout.required - 1, *range(layout.length - 1, layout.length + 3)}
    for size in sorted(size for size in sizes if size >= 0):
        yield (noise + b"\xff" * size)[:size]
        yield (noise + b"\xff\x00\x01")[:size]
    for base in (b"\xff" * layout.length, bytes(layout.length), noise):
        yield base
        yield from touched(layout, base)
    yield from (chance.randbytes(layout.length) for _ in range(10))
    if tail is None:
        return
    for size in (0, 1, 5, 300):
        yield noise + chance.randbytes(size)
    if tail.item is not None:
        whole, ones = tail.item.length, b"\xff" * tail.item.length
        yield from touched(tail.item, noise + bytes(3 * whole), layout.length + whole)
        for count in (1, 2, tail.max_items, tail.max_items + 1):
            yield noise + chance.randbytes(count * whole)
            yield noise + chance.randbytes(count * whole) + ones * 3
        yield noise + ones * 2 + b"\xff"


def frames(cls: type[Message], can_id: int, payload: bytes) -> list[tuple[int, bytes]]:
    """The payload in the frames that carry it, the one that completes it last."""
    if len(payload) <= 8:
        return [(can_id, payload)]
    source, target = can_id & 0xFF, can_id >> 8 & 0xFF if can_id >> 16 & 0xFF < 0xF0 else 0xFF
    data = tp.data_packets(payload)
    packets = [(tp.dt_id(target, source), packet) for packet in data]
    if target == 0xFF:
        return [(tp.cm_id(target, source), tp.bam(cls.pgn, len(payload))), *packets]
    return [
        (tp.cm_id(target, source), tp.rts(cls.pgn, len(payload))),
        (tp.cm_id(source, target), tp.cts(cls.pgn, len(data), 1)),
        *packets,
    ]


def cases(declared: Declaration, chance: Random) -> Iterator[Told]:
    long = any(cls.layout.length > 8 or cls.layout.tail for cls in declared.messages)
    for cls in declared.messages:
        for can_id, sender in cls.identifiers().items():
            name: str = getattr(sender, "label", sender.name)
            for payload in dict.fromkeys(payloads(cls, chance)):
                if long or len(payload) <= 8:
                    yield cls, can_id, name, payload


class Expected(msgspec.Struct, frozen=True):
    """Frames, and what we read in those that complete a message."""

    records: list[Record]
    rows: dict[int, dict[str, Any]]


def expected(told: Iterable[Told]) -> Expected:
    records: list[Record] = []
    rows: dict[int, dict[str, Any]] = {}
    for cls, can_id, name, payload in told:
        for each, data in frames(cls, can_id, payload):
            number = len(records) + 1
            records.append(
                Record(at_us=1_700_000_000_000_000 + 1000 * number, line=number, id=each, data=data)
            )
        reading = cls.read(payload)
        rows[len(records)] = {
            "sender": name,
            "message": cls.__name__,
            "fields": None if reading.message is None else fields(reading.message),
            "deviations": [str(deviation) for deviation in reading.deviations],
            "error": None if reading.error is None else plain(str(reading.error)),
        }
    return Expected(records, rows)


def rows(messages: Iterable["Shown"]) -> dict[int, dict[str, Any]]:
    return {
        each.frame: {name: value for name, value in msgspec.structs.asdict(each).items() if name != "frame"}
        for each in messages
    }


@pytest.mark.parametrize(
    "declared", [*DECLARED.values(), SYNTHETIC], ids=lambda declared: declared.profile.id
)
def test_every_message_reads_as_ours(declared: Declaration, tshark: "Tshark") -> None:
    want = expected(cases(declared, Random(5)))
    found = rows(tshark.messages(declared, tshark.capture(want.records)))
    assert len(want.rows) > 200
    for number, row in want.rows.items():
        assert found.get(number) == row, number
    assert found.keys() == want.rows.keys()


@every_profile
def test_what_others_recorded_is_shown_as_they_read_it(name: str, tshark: "Tshark") -> None:
    declared = DECLARED[name]
    vectors = [
        (cls, can_id, vector)
        for cls in declared.messages
        for can_id in list(cls.identifiers())[:1]
        for vector in cls.VECTORS
    ]
    want = expected((cls, can_id, "", vector.data) for cls, can_id, vector in vectors)
    found = rows(tshark.messages(declared, tshark.capture(want.records)))
    for number, (cls, _, vector) in zip(want.rows, vectors, strict=True):
        shown = found[number]["fields"]
        assert {each: shown[each] for each in vector.values} == plain_all(vector.values), cls.__name__


def plain_all(values: Mapping[str, object]) -> dict[str, Any]:
    return {name: plain(value) for name, value in values.items()}


BCL_ROW = (
    'name = "current", kind = "number", first = 3, last = 4, low_bit = 0, bits = 16, order = "little", '
    'type = "double", numerator = 1, denominator = 10, shift = -4000, low = 0, high = 65535, unit = "A"'
)
PLANTED = {
    "scale": ("denominator = 10", "denominator = 100"),
    "numerator": ("numerator = 1", "numerator = 2"),
    "offset": ("shift = -4000", "shift = -3999"),
    "order": ('order = "little"', 'order = "big"'),
    "place": ("first = 3, last = 4", "first = 2, last = 3"),
    "bit": ("low_bit = 0", "low_bit = 1"),
    "width": ("bits = 16", "bits = 15"),
    "sign": ('type = "double"', 'type = "double", signed = true'),
    "limit": ("high = 65535", "high = 65534"),
    "name": ('name = "current"', 'name = "currents"'),
}


@pytest.mark.parametrize("planted", ["nothing", *PLANTED, "length"])
def test_an_error_planted_into_the_script_is_seen(planted: str, tshark: "Tshark") -> None:
    declared = DECLARED["gbt27930-2015"]
    script = text(declared)
    begin = script.index('name = "BCL"')
    head, tail = script[:begin], script[begin:]
    assert BCL_ROW in tail
    if planted == "length":
        tail = tail.replace("length = 5, lengths = { 5 }", "length = 6, lengths = { 6 }", 1)
    elif planted != "nothing":
        right, wrong = PLANTED[planted]
        assert BCL_ROW.count(right) == 1
        tail = tail.replace(BCL_ROW, BCL_ROW.replace(right, wrong), 1)
    assert (head + tail == script) == (planted == "nothing")
    want = expected(case for case in cases(declared, Random(5)) if case[0] is BCL)
    found = rows(tshark.messages(declared, tshark.capture(want.records), script=head + tail))
    assert (found == want.rows) == (planted == "nothing")


def test_an_error_planted_into_a_declaration_is_seen(tshark: "Tshark") -> None:
    class Wrong(BCL):
        voltage: Annotated[float, U(16, at=1, scale=0.2, unit="V")]

    Wrong.__name__ = "BCL"
    declared = Declaration(DECLARED["gbt27930-2015"].profile, (MessageSet("wrong", [Wrong]),))
    vector = BCL.VECTORS[0]
    found = tshark.messages(declared, tshark.capture(expected([(BCL, BCL_ID, "", vector.data)]).records))
    assert found[0].fields is not None
    assert found[0].fields["voltage"] == 2 * vector.values["voltage"]  # type: ignore[operator]  # a float


def test_values_are_the_same_doubles(tshark: "Tshark") -> None:
    """JSON has 15 digits; a script of its own writes all of them."""
    listener = """
        local shown = { Field.new("swapproto.bcl.voltage"), Field.new("swapproto.bcl.current") }
        local tap = Listener.new("frame")
        function tap.packet()
          print(string.format("%.17g %.17g", shown[1]().value, shown[2]().value))
        end
    """
    raws = [Random(raw).randbytes(4) + b"\x01" for raw in range(2000)]
    want = expected((BCL, BCL_ID, "BMS", raw) for raw in raws)
    output = tshark.output([text(DECLARED["gbt27930-2015"]), listener], tshark.capture(want.records), "-q")
    found = [tuple(map(float, line.split())) for line in output.splitlines()]
    assert found == [(bcl.voltage, bcl.current) for bcl in map(BCL.decode, raws)]


def test_columns_units_names_and_what_is_absent(tshark: "Tshark") -> None:
    declared = DECLARED["gbt27930-2015"]
    brm = declared.sets[0].by_name("BRM")
    told: list[Told] = [
        (BCL, BCL_ID, "", bytes.fromhex("5217820F02")),
        (BCL, BCL_ID, "", bytes.fromhex("5217820F09")),
        (brm, brm.identifier(), "", b"\xff" * 49),
        (BCL, BCL_ID, "", b"\x01"),
    ]
    capture = tshark.capture(expected(told).records)
    columns = ("-T", "fields", "-e", "_ws.col.Protocol", "-e", "_ws.col.Info")
    lines = tshark.output([text(declared)], capture, *columns).splitlines()
    assert lines[0] == "SWAP\tBCL voltage=597 V, current=-3 A, mode=constant current"
    assert lines[1].endswith("mode=0x09 [1 deviation]")
    assert lines[2].endswith("TP.CM RTS BRM: 49 bytes in 7 packets")
    assert lines[3].endswith("TP.CM CTS BRM: 7 packets from 1")
    assert lines[-1].endswith("BCL cannot be read: BCL.voltage (byte 1): "
                              "the payload ends after 1 bytes; the field needs byte 2")  # fmt: skip
    assert all(line.startswith("SWAP\t") for line in lines)
    details = tshark.output([text(declared)], capture, "-V")
    for line in (
        "mode: constant current (2)", "mode: Unknown (9)", "voltage: 597 V", "production_year: absent",
        "[Expert Info (Warning/Protocol): mode (byte 5): 0x09 has no meaning in ChargeMode]",
        "[Expert Info (Error/Malformed): BCL.voltage (byte 1)",
    ):  # fmt: skip
        assert line in details
    odd = tshark.output([text(declared)], capture, "-Y", 'swapproto.deviation contains "mode"', *columns)
    assert odd.splitlines() == [lines[1]]


@every_profile
def test_every_code_has_its_name(name: str, tshark: "Tshark") -> None:
    told: list[Told] = []
    names: set[tuple[str, str]] = set()
    for cls in DECLARED[name].messages:
        for field in cls.layout.fields:
            for member in field.code or ():
                payload = bytearray(cls.layout.length)
                field.insert(payload, int(member))
                told.append((cls, next(iter(cls.identifiers())), "", bytes(payload)))
                words = f"{field.name}: {member.label} ({int(member)})"
                names.add((f"swapproto.{key(cls)}.{field.name}", words))
    output = tshark.output([text(DECLARED[name])], tshark.capture(expected(told).records), "-T", "pdml")
    assert names
    assert names <= set(re.findall(r'name="(swapproto\.[^"]*)" showname="([^"]*)"', output))


def test_two_profiles_and_j1939_side_by_side(tshark: "Tshark") -> None:
    charging, pack = DECLARED["gbt27930-2015"], DECLARED["pack-can-d0f3"]
    state = pack.sets[0].by_name("PackState")
    frames = (
        (BCL_ID, BCL.VECTORS[0].data),
        (state.identifier(), state.VECTORS[0].data),
        (0x18FEF100, bytes(8)),
    )
    records = [Record(at_us=number, id=can_id, data=data) for number, (can_id, data) in enumerate(frames)]
    columns = ("-T", "fields", "-e", "swapproto.message", "-e", "j1939.pgn", "-d", "can.subdissector,j1939")
    output = tshark.output([text(charging), text(pack)], tshark.capture(records), *columns)
    assert [line.split("\t") for line in output.splitlines()] == [
        ["BCL", ""], ["PackState", ""], ["", str(0xFEF1)],
    ]  # fmt: skip


def test_frames_of_others_are_left_alone(tshark: "Tshark") -> None:
    declared = DECLARED["gbt27930-2015"]
    remote = BCL_ID | 1 << 30
    ids = (0x18FEF100, 0x1CECF400, 0x0D1056F4, 0x7F4, remote)
    records = [Record(at_us=number, id=can_id, data=bytes(8), extended=can_id > 0x7FF)
               for number, can_id in enumerate(ids)]  # fmt: skip
    assert not tshark.packets(declared, text(declared), tshark.capture(records))


def test_a_wrong_priority_hides_no_message_of_charger_and_bms(tshark: "Tshark") -> None:
    declared, vector = DECLARED["gbt27930-2015"], BCL.VECTORS[0]
    records = [
        Record(at_us=priority, id=BCL_ID & 0x3FFFFFF | priority << 26, data=vector.data)
        for priority in range(8)
    ]
    assert [each.message for each in tshark.messages(declared, tshark.capture(records))] == ["BCL"] * 8


@every_profile
def test_the_file_says_what_it_is_and_is_the_same_each_time(name: str) -> None:
    declared = DECLARED[name]
    assert list(files(declared)) == [f"{name}.lua"]
    script = text(declared)
    assert script.splitlines()[:4] == [f"-- {line}" for line in declared.header]
    assert script == text(declaration(name))
    assert str(declared.messages[0].source) in script
