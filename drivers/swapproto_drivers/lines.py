"""Lines of `ID#DATA`: candump's notation of a frame, as text for programs that play a device.

Eight hexadecimal digits are a 29-bit identifier, three an 11-bit one; data is up to eight bytes, or `R` and
the length of a remote frame. The end of a line is a mark, so the line behind any rubbish is read.
"""

import re
from collections import deque

from swapproto.frame import MAX_EXTENDED_ID, MAX_STANDARD_ID, SECOND, CanFrame, Instant
from swapproto.link import MAX_LINK_EVENTS, LinkEvent, LinkEventKind

MAX_LINE = 256
"""Bytes of a line; a longer one is dropped."""
IDLE = 1 * SECOND
"""How long the rest of a line may take."""

_LINE = re.compile(
    rb"[ \t]*([0-9A-Fa-f]{8}|[0-9A-Fa-f]{3})#(?:[Rr]([0-8]?)|((?:[0-9A-Fa-f]{2}){0,8}))[ \t\r]*"
)


def write_line(frame: CanFrame) -> bytes:
    """The frame's line without its end."""
    if frame.remote:
        return f"{frame}{len(frame.data) or ''}".encode()
    return str(frame).encode()


def read_line(line: bytes) -> CanFrame | None:
    """The frame of a line, with or without its end; None if it is none."""
    match = _LINE.fullmatch(line.removesuffix(b"\n"))
    if match is None:
        return None
    digits, length, data = match.groups()
    can_id, extended = int(digits, 16), len(digits) == 8
    if can_id > (MAX_EXTENDED_ID if extended else MAX_STANDARD_ID):
        return None
    if data is None:
        return CanFrame(can_id, bytes(int(length or 0)), extended, remote=True)
    return CanFrame(can_id, bytes.fromhex(data.decode()), extended)


class LineSplitter:
    """Cuts a stream into lines in bounded memory; a line that is too long comes out once, cut to MAX_LINE."""

    def __init__(self) -> None:
        self._rest = b""
        self._skipping = False

    @property
    def pending(self) -> int:
        return len(self._rest)

    def feed(self, data: bytes) -> list[bytes]:
        """The whole lines, without their ends."""
        *lines, rest = (self._rest + data).split(b"\n")
        if self._skipping and lines:
            del lines[0]
            self._skipping = False
        if self._skipping:
            rest = b""
        elif len(rest) > MAX_LINE:
            lines.append(rest)
            rest, self._skipping = b"", True
        self._rest = rest
        return [line[: MAX_LINE + 1] for line in lines]

    def flush(self) -> bytes:
        """The line that was begun, given up; what may follow begins a line."""
        rest, self._rest, self._skipping = self._rest, b"", False
        return rest


class Lines:
    """Reads and writes frames as lines, in a stream or in datagrams of one or several lines."""

    opening = b""

    def __init__(self) -> None:
        self.broken: str | None = None
        self.dropped = 0
        """Lines that are no frame."""
        self._splitter = LineSplitter()
        self._touched: Instant = 0
        self._events: deque[LinkEvent] = deque(maxlen=MAX_LINK_EVENTS)

    def encode(self, frame: CanFrame) -> bytes:
        return write_line(frame) + b"\n"

    def poll_event(self) -> LinkEvent | None:
        return self._events.popleft() if self._events else None

    def begin(self, now: Instant) -> None:
        self._give_up(now)

    def feed(self, data: bytes, now: Instant) -> list[CanFrame]:
        self._touched = now
        return self._frames(self._splitter.feed(data), now)

    def next_timeout(self) -> Instant | None:
        return self._touched + IDLE if self._splitter.pending else None

    def handle_timeout(self, now: Instant) -> list[CanFrame]:
        due = self.next_timeout()
        if due is not None and now >= due:
            self._give_up(now)
        return []

    def datagram(self, data: bytes, now: Instant) -> list[CanFrame]:
        """The frames of a datagram, whose last line needs no end."""
        return self._frames(data.split(b"\n"), now)

    def _frames(self, lines: list[bytes], now: Instant) -> list[CanFrame]:
        frames: list[CanFrame] = []
        bad: list[bytes] = []
        for line in lines:
            frame = read_line(line)
            if frame is not None:
                frames.append(frame)
            elif line.strip():
                bad.append(line)
        if bad:
            self._drop(bad[0], "is no ID#DATA", now, len(bad))
        return frames

    def _give_up(self, now: Instant) -> None:
        rest = self._splitter.flush()
        if rest:
            self._drop(rest, "had no end", now)

    def _drop(self, line: bytes, why: str, now: Instant, count: int = 1) -> None:
        self.dropped += count
        if len(line) > MAX_LINE:
            why = f"is longer than {MAX_LINE} bytes"
        text = f"line {printable(line[:40])!r} {why}"
        self._events.append(LinkEvent(LinkEventKind.DROPPED, now, text, count))


def printable(line: bytes) -> str:
    """Text for people from bytes of a program, without what a terminal would obey."""
    text = line.decode("utf-8", "backslashreplace").rstrip()
    return "".join(c if c.isprintable() or c == "\t" else ascii(c)[1:-1] for c in text)
