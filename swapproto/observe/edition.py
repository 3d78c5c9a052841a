"""Which edition a recording speaks, told from what is on the bus and from nothing else."""

from collections.abc import Iterable
from enum import Enum

import msgspec

from swapproto.messages import gbt27930 as gb
from swapproto.messages.catalog import Catalogue, station_charging
from swapproto.messages.gbt27930.codes import CONTENT_2023, DRAFT_2023, LAYOUT_2011, LAYOUT_2015
from swapproto.provenance import Basis, Source
from swapproto.trace.record import Record
from swapproto.transport.frames import Control, cm_id, dt_id, packeted_pgn

_WITHOUT_PRIORITY = 0x03FF_FFFF
NEGOTIATION_PGNS = (0x3C00, 0x3D00)
"""Version negotiation of 2023 and later; sources disagree about the vehicle's."""
CST_ONES = Source(
    "GB/T 27930-2023, CST",
    Basis.DERIVED,
    1,
    "2023 adds faults to CST; bits left at ones have no room for them",
)
PADDING = Source(
    "recordings of padding devices", Basis.OBSERVED, 1, "some devices fill every frame to 8 bytes"
)


class Recognised(Enum):
    """What can be said of the edition."""

    GBT_2011 = "2011"
    GBT_2015 = "2015"
    GBT_2023A = "2023 A-type"
    EITHER = "2015 or 2023 A-type, indistinguishable"
    LATER = "2023 or later"
    UNKNOWN = "unknown"

    @property
    def decoded_as(self) -> gb.Edition:
        """The edition whose classes read such traffic; that of 2015 where nothing is known."""
        return _DECODED_AS.get(self, gb.Edition.GBT_2015)


_DECODED_AS = {Recognised.GBT_2011: gb.Edition.GBT_2011, Recognised.GBT_2023A: gb.Edition.GBT_2023A}


class Evidence(msgspec.Struct, frozen=True):
    """One observation, what it speaks for, and on what that rests."""

    text: str
    speaks_for: Recognised | None
    """None where the observation was made but decides nothing."""
    frames: int
    line: int
    """Where it was seen first."""
    source: Source


class Extensions(msgspec.Struct, frozen=True):
    """Messages that a maker of stations added, as far as they were heard."""

    names: tuple[str, ...]
    """In the order of their first frames."""
    frames: int
    """Where a message needs the transport protocol, the announcements of it."""
    line: int
    """Of the first frame."""
    source: Source


class Recognition(msgspec.Struct, frozen=True):
    """The edition with everything that speaks for or against it."""

    edition: Recognised
    evidence: tuple[Evidence, ...]
    frames: int
    """Frames that could tell: how much there was to go by."""
    extensions: Extensions | None = None

    def catalogue(self) -> Catalogue:
        """The messages that read such traffic."""
        edition = self.edition.decoded_as
        return Catalogue(edition) if self.extensions is None else station_charging(edition)


class _Seen:
    """Frames of one kind: how many, and where the first was."""

    __slots__ = ("count", "line")

    def __init__(self, line: int) -> None:
        self.count = 0
        self.line = line


def _keys(*classes: type[gb.ChargingMessage]) -> dict[int, str]:
    return {cls.identifier() & _WITHOUT_PRIORITY: cls.__name__ for cls in classes}


_TELLING = _keys(gb.CHM, gb.BHM, gb.CRM, gb.CML, gb.CCS, gb.CST, gb.CTS, gb.CRO)
_POINT_TO_POINT = 0x3FF00
"""Bits of a PGN that leaves the last byte to the destination."""
_RTS = cm_id(gb.CHARGER_ADDRESS, gb.BMS_ADDRESS) & _WITHOUT_PRIORITY
_TO_CHARGER = gb.CHARGER_ADDRESS << 8 | gb.BMS_ADDRESS
_PAIR = (_TO_CHARGER, gb.BMS_ADDRESS << 8 | gb.CHARGER_ADDRESS)
_NEGOTIATION = {pgn << 8 | pair for pgn in NEGOTIATION_PGNS for pair in _PAIR}
_PLAIN = {
    can_id & _WITHOUT_PRIORITY
    for can_id in (
        *(can_id for cls in gb.MESSAGES for can_id in cls.identifiers()),
        *(make(pair >> 8, pair & 0xFF) for make in (cm_id, dt_id) for pair in _PAIR),
    )
}
"""What the two say to each other without anything that a maker added."""
_GREW = ("CML", "CCS")
"""Had 6 bytes in 2011: ones behind them in a frame of 8 may be padding."""


class EditionWatch:
    """Collects the evidence of one channel; never holds a frame."""

    def __init__(self) -> None:
        self.frames = 0
        self.others = 0
        """Frames of the two parties that GB/T 27930 does not have."""
        self._seen: dict[tuple[str, int | str], _Seen] = {}
        self._others: dict[int, _Seen] = {}

    def receive(self, record: Record) -> None:
        key = record.id & _WITHOUT_PRIORITY
        name = _TELLING.get(key)
        if name is None:
            if key == _RTS and record.extended:
                self._announcement(record)
            elif key in _NEGOTIATION and record.extended:
                self._note("negotiation", "heard", record)
            elif key & 0xFFFF in _PAIR and key not in _PLAIN and record.extended:
                self._other(key, record)
            return
        if not record.extended:
            return
        data = record.data
        size: int | str = len(data)
        if size == 8 and name in _GREW and data[6:] == b"\xff\xff":
            size = "6 padded"
        self._note(name, size, record)
        if name in ("CHM", "BHM"):
            self._note(name, "heard", record)
        elif name == "CRM" and _is_region(data):
            self._note(name, "region", record)
        elif name == "CST" and len(data) >= 4:
            self._note(name, "ones" if data[2] & data[3] & 0xF0 == 0xF0 else "room", record)

    def _announcement(self, record: Record) -> None:
        data = record.data
        self.frames += 1
        if len(data) != 8 or data[0] != Control.RTS:
            return
        pgn = packeted_pgn(data)
        if pgn == gb.BRM.pgn:
            self._note("BRM", data[1] | data[2] << 8, record)
        elif (key := pgn << 8 | _TO_CHARGER) not in _PLAIN and not pgn & ~_POINT_TO_POINT:
            self._other(key, record)

    def _other(self, key: int, record: Record) -> None:
        seen = self._others.get(key)
        if seen is None:
            seen = self._others[key] = _Seen(record.line)
        seen.count += 1
        self.others += 1

    def _note(self, name: str, what: int | str, record: Record) -> None:
        seen = self._seen.get((name, what))
        if seen is None:
            seen = self._seen[name, what] = _Seen(record.line)
        seen.count += 1
        self.frames += isinstance(what, int)

    def result(self) -> Recognition:
        """The verdict on what was received so far."""
        evidence = tuple(self._weigh())
        edition = _decide({each.speaks_for for each in evidence})
        return Recognition(edition, evidence, self.frames, self._extensions())

    def _extensions(self) -> Extensions | None:
        """Those among the other frames; the classes are imported only where there are such frames."""
        if not self._others:
            return None
        from swapproto.messages.station_charging import EXTENSIONS

        names = {cls.identifier() & _WITHOUT_PRIORITY: cls.__name__ for cls in EXTENSIONS}
        heard = {names[key]: seen for key, seen in self._others.items() if key in names}
        if not heard:
            return None
        frames, line = sum(seen.count for seen in heard.values()), min(seen.line for seen in heard.values())
        return Extensions(tuple(heard), frames, line, EXTENSIONS[0].source)

    def _weigh(self) -> Iterable[Evidence]:
        for name, what, text, speaks_for, source in _RULES:
            seen = self._seen.get((name, what))
            if seen is None or (what in _LENGTHS and self._usual(name) != what):
                continue
            if what == "ones" and ("CST", "room") in self._seen:
                continue
            if what == 8 and self._charger_pads():
                text, speaks_for, source = (
                    f"{name} of 8 bytes, from a charger that pads its frames",
                    None,
                    PADDING,
                )
            yield Evidence(text, speaks_for, seen.count, seen.line, source)

    def _usual(self, name: str) -> int | str | None:
        """The most frequent length of a message: a single odd one says nothing."""
        counts = {
            what: seen.count for (of, what), seen in self._seen.items() if of == name and what in _LENGTHS
        }
        return max(counts, key=counts.__getitem__, default=None)

    def _charger_pads(self) -> bool:
        return any((name, 8) in self._seen for name in ("CHM", "CTS", "CRO", "CST"))


def _is_region(data: bytes) -> bool:
    """Whether bytes 3 to 8 are a region code of letters, as in 2011, and no number with a short code."""
    code = data[2:8].rstrip(b"\xff\x00 ").replace(b"-", b"")
    return len(code) >= 4 and code.isalpha()


_LENGTHS: tuple[int | str, ...] = (6, "6 padded", 7, 8, 41, 49)
_OLD, _NEW = Recognised.GBT_2011, Recognised.EITHER
_RULES: tuple[tuple[str, int | str, str, Recognised | None, Source], ...] = (
    ("BRM", 41, "BRM of 41 bytes", _OLD, LAYOUT_2011),
    ("BRM", 49, "BRM of 49 bytes", _NEW, LAYOUT_2015),
    ("CRM", "region", "CRM with a region code of six characters", _OLD, LAYOUT_2011),
    ("CHM", "heard", "CHM, which 2011 does not have", _NEW, LAYOUT_2015),
    ("BHM", "heard", "BHM, which 2011 does not have", _NEW, LAYOUT_2015),
    ("CML", 6, "CML of 6 bytes", _OLD, LAYOUT_2011),
    ("CML", 8, "CML of 8 bytes", _NEW, LAYOUT_2015),
    ("CML", "6 padded", "CML of 8 bytes that may be 6 and padding", None, PADDING),
    ("CCS", 6, "CCS of 6 bytes", _OLD, LAYOUT_2011),
    ("CCS", 7, "CCS of 7 bytes", _NEW, LAYOUT_2015),
    ("CCS", 8, "CCS of 8 bytes, which 2011 has with 6", _NEW, LAYOUT_2015),
    ("CCS", 8, "CCS of 8 bytes, which 2023 has with 7", Recognised.GBT_2015, CONTENT_2023),
    ("CCS", "6 padded", "CCS of 8 bytes that may be 6 and padding", None, PADDING),
    ("CST", "ones", "CST with ones where 2023 has further faults", Recognised.GBT_2015, CST_ONES),
    ("negotiation", "heard", "version negotiation, PGN 3C00h or 3D00h", Recognised.LATER, DRAFT_2023),
)
"""Message, what was seen of it, and what that speaks for; of several lengths only the usual one counts."""


def _decide(spoken_for: set[Recognised | None]) -> Recognised:
    """2011 or later from the forms of the messages; 2015 or 2023 only from what differs between these two."""
    old, later = _OLD in spoken_for, Recognised.LATER in spoken_for
    only_2015 = Recognised.GBT_2015 in spoken_for
    new = _NEW in spoken_for
    if old:
        return Recognised.UNKNOWN if new or later else Recognised.GBT_2011
    if later:
        if only_2015:
            return Recognised.EITHER
        return Recognised.GBT_2023A if new else Recognised.LATER
    if new:
        return Recognised.GBT_2015 if only_2015 else Recognised.EITHER
    return Recognised.UNKNOWN


def recognise(records: Iterable[Record]) -> Recognition:
    """The edition of a recording of one channel."""
    watch = EditionWatch()
    for record in records:
        watch.receive(record)
    return watch.result()
