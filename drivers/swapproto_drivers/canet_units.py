"""The 13-byte units of CAN to Ethernet converters (ZLG CANET, Ebyte E810-DTU and relatives), sans-I/O.

Byte 1: bit 8 extended, bit 7 remote, bits 6-5 zero, bits 4-1 data length; bytes 2-5 identifier, big-endian;
bytes 6-13 data, unused ones zero (reported by two or more sources). No start mark and no check.

So a lost byte shifts all that follows, and what is lost can only be told from units that are impossible. From
the first one on the reader searches: it follows all 13 alignments and takes the one that shows CONFIRM
possible units in a row while no other shows RIVAL. Units are *clean* here when every other alignment has an
impossible one among each RIVAL in a row. Behind any bytes whatever, RECOVERY clean units bring the reader
back, and at most RIVAL of them are lost. Where several alignments stay possible for PATIENCE units, as when
all bytes are zero, the longest-standing one is taken, and its units are counted as ambiguous.

A converter writes units whole, so silence helps: after ``idle`` the rest of a unit is given up, and possible
units that end where the bytes stopped are taken without more proof, as ambiguous.
"""

import struct
from collections import deque

from swapproto.frame import MAX_EXTENDED_ID, MAX_STANDARD_ID, MILLISECOND, CanFrame, Instant
from swapproto.link import MAX_LINK_EVENTS, LinkEvent, LinkEventKind

UNIT = 13
"""Bytes of a unit."""
RIVAL = 3
"""Possible units in a row that make another alignment a rival."""
CONFIRM = RIVAL + 1
"""Possible units in a row that an alignment must show while the reader searches."""
RECOVERY = RIVAL + CONFIRM
"""Clean units after which the reader stands right, whatever came before them."""
PATIENCE = 16
"""Possible units in a row after which an alignment is taken in spite of rivals."""
IDLE = 500 * MILLISECOND
"""How long the rest of a unit may take unless told otherwise: above the pauses of a network that resends."""
MAX_PENDING = UNIT * (PATIENCE + 2)
"""Bytes that the reader keeps at most between two calls."""

_EXTENDED, _REMOTE, _RESERVED, _LENGTH = 0x80, 0x40, 0x30, 0x0F
_unit = struct.Struct(">BI8s")
_ZEROS = tuple(bytes(8 - length) for length in range(9))


def pack_unit(frame: CanFrame) -> bytes:
    """The unit of a frame; a remote frame carries its length and no data."""
    head = len(frame.data) | (_EXTENDED if frame.extended else 0) | (_REMOTE if frame.remote else 0)
    return _unit.pack(head, frame.id, b"" if frame.remote else frame.data)


def read_unit(data: bytes | bytearray, at: int = 0, *, zero_padding: bool = True) -> CanFrame | str:
    """The frame of the unit there, or why there can be none."""
    head, can_id, payload = _unit.unpack_from(data, at)
    length = head & _LENGTH
    if head & _RESERVED:
        return "a reserved bit is set"
    if length > 8:
        return f"length {length}"
    extended = head >= _EXTENDED
    if can_id > (MAX_EXTENDED_ID if extended else MAX_STANDARD_ID):
        return f"identifier of more than {29 if extended else 11} bits"
    remote = bool(head & _REMOTE)
    used = 0 if remote else length
    if zero_padding and payload[used:] != _ZEROS[used]:
        return "unused bytes are not zero"
    return CanFrame(can_id, bytes(length) if remote else payload[:length], extended, remote)


class Units:
    """Reads and writes units; ``zero_padding=False`` for a converter that leaves rubbish in unused bytes."""

    opening = b""

    def __init__(self, *, idle: int = IDLE, zero_padding: bool = True) -> None:
        self.broken: str | None = None
        self.dropped = 0
        """Bytes that belong to no unit that was read."""
        self.ambiguous = 0
        """Units that were read on an alignment that was not the only one, or not confirmed."""
        self.resyncs = 0
        """How often the alignment was found anew."""
        self._idle = idle
        self._zero_padding = zero_padding
        self._buffer = bytearray()
        self._touched: Instant = 0
        self._events: deque[LinkEvent] = deque(maxlen=MAX_LINK_EVENTS)
        self._searching = False
        self._why = ""
        self._seen = 0
        """Start, in the buffer, of the next unit to be looked at while searching."""
        self._turn = 0
        """The alignment of that start."""
        self._runs = [0] * UNIT
        """Possible units in a row, up to the last whole one, of each alignment."""

    @property
    def pending(self) -> int:
        """Bytes that wait for more."""
        return len(self._buffer)

    def encode(self, frame: CanFrame) -> bytes:
        return pack_unit(frame)

    def poll_event(self) -> LinkEvent | None:
        return self._events.popleft() if self._events else None

    def begin(self, now: Instant) -> None:
        """A new connection begins with a unit."""
        self._count(self.pending, "the connection ended", now)
        self._buffer.clear()
        self._searching = False

    def feed(self, data: bytes, now: Instant) -> list[CanFrame]:
        self._touched = now
        self._buffer += data
        frames: list[CanFrame] = []
        self._read(frames)
        while self._searching and self._search(now):
            self._read(frames)
        return frames

    def next_timeout(self) -> Instant | None:
        return self._touched + self._idle if self._buffer else None

    def handle_timeout(self, now: Instant) -> list[CanFrame]:
        frames: list[CanFrame] = []
        if not self._buffer or now < self._touched + self._idle:
            return frames
        run = self._runs[(self._turn - 1) % UNIT] if self._searching and self.pending >= UNIT else 0
        if run:
            self.ambiguous += run
            self._lock(self.pending - UNIT * run, now)
            self._read(frames)
            return frames
        self._count(self.pending, self._why if self._searching else "the rest of a unit did not come", now)
        self._buffer.clear()
        self._begin_search()
        return frames

    def datagram(self, data: bytes, now: Instant) -> list[CanFrame]:
        """The units of a datagram, which begins with one and loses no bytes on its way."""
        frames: list[CanFrame] = []
        dropped, why = 0, ""
        for at in range(0, len(data), UNIT):
            unit = (
                read_unit(data, at, zero_padding=self._zero_padding)
                if len(data) - at >= UNIT
                else "the datagram ends inside a unit"
            )
            if isinstance(unit, str):
                dropped, why = dropped + min(UNIT, len(data) - at), unit
            else:
                frames.append(unit)
        self._count(dropped, why, now)
        return frames

    def _read(self, frames: list[CanFrame]) -> None:
        """Take whole units up to the first impossible one, from which the search begins."""
        if self._searching:
            return
        at, buffer = 0, self._buffer
        while len(buffer) - at >= UNIT:
            unit = read_unit(buffer, at, zero_padding=self._zero_padding)
            if isinstance(unit, str):
                self._why = unit
                self._begin_search()
                break
            frames.append(unit)
            at += UNIT
        del buffer[:at]

    def _begin_search(self) -> None:
        self._searching = True
        self._seen = self._turn = 0
        self._runs = [0] * UNIT

    def _search(self, now: Instant) -> bool:
        """Whether an alignment was found; the buffer then begins with its first unit."""
        buffer, runs = self._buffer, self._runs
        while len(buffer) - self._seen >= UNIT:
            turn = self._turn
            unit = read_unit(buffer, self._seen, zero_padding=self._zero_padding)
            self._seen += 1
            self._turn = (turn + 1) % UNIT
            if isinstance(unit, str):
                runs[turn] = 0
                continue
            runs[turn] = run = runs[turn] + 1
            if run < CONFIRM:
                continue
            rivals = any(other >= RIVAL for at, other in enumerate(runs) if at != turn)
            if not rivals or run >= PATIENCE:
                self.ambiguous += run if rivals else 0
                self._lock(self._seen - 1 - UNIT * (run - 1), now)
                return True
        needed = max(0, self._seen - UNIT * max(runs)) if any(runs) else self._seen
        self._count(needed, self._why, now)
        del buffer[:needed]
        self._seen -= needed
        return False

    def _lock(self, start: int, now: Instant) -> None:
        self._count(start, self._why, now)
        del self._buffer[:start]
        self._searching = False
        self.resyncs += 1

    def _count(self, dropped: int, why: str, now: Instant) -> None:
        if dropped:
            self.dropped += dropped
            self._events.append(LinkEvent(LinkEventKind.DROPPED, now, f"bytes between units: {why}", dropped))
