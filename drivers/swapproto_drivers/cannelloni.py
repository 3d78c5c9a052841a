"""cannelloni over TCP: `cannelloni:HOST:PORT` and `cannelloni:listen:HOST:PORT`.

Both sides begin with HELLO; then come identifier u32 big-endian with SocketCAN's flag bits, length u8, flags
u8 for FD frames only, data (reported by one source). The hello is the only mark in the stream, and TCP loses
no bytes: an impossible unit, a foreign hello or half a unit for IDLE ends the connection, and the next one
begins with a hello. So the first unit of a new connection is always read, and nothing is guessed.
"""

import struct
from collections import deque
from collections.abc import Mapping

from swapproto.frame import MAX_EXTENDED_ID, MAX_STANDARD_ID, SECOND, CanFrame, Instant
from swapproto.link import MAX_LINK_EVENTS, LinkEvent, LinkEventKind
from swapproto_drivers._framed import seconds
from swapproto_drivers._options import flag, known_only
from swapproto_drivers._sockets import Dialler, Listener, host_port
from swapproto_drivers._streams import StreamLink
from swapproto_drivers.canet import WITHIN, batched_caps

HELLO = b"CANNELLONIv1"
IDLE = 5 * SECOND
"""How long the hello, or the rest of a unit, may take unless told otherwise."""

_EXTENDED, _REMOTE, _ERROR, _FD = 0x8000_0000, 0x4000_0000, 0x2000_0000, 0x80
_head = struct.Struct(">IB")


class Cannelloni:
    """Reads and writes the stream of one connection after another."""

    opening = HELLO

    def __init__(self, *, idle: int = IDLE) -> None:
        self.broken: str | None = None
        self.dropped = 0
        """Bytes that were given up with their connection."""
        self._idle = idle
        self._buffer = bytearray()
        self._greeted = False
        self._touched: Instant | None = None
        self._events: deque[LinkEvent] = deque(maxlen=MAX_LINK_EVENTS)

    def encode(self, frame: CanFrame) -> bytes:
        flags = (_EXTENDED if frame.extended else 0) | (_REMOTE if frame.remote else 0)
        return _head.pack(frame.id | flags, len(frame.data)) + (b"" if frame.remote else frame.data)

    def poll_event(self) -> LinkEvent | None:
        return self._events.popleft() if self._events else None

    def begin(self, now: Instant) -> None:
        if self._buffer:
            self.dropped += len(self._buffer)
            text = f"bytes of a connection that ended: {self.broken or 'inside a unit'}"
            self._events.append(LinkEvent(LinkEventKind.DROPPED, now, text, len(self._buffer)))
            self._buffer.clear()
        self.broken = None
        self._greeted = False
        self._touched = now

    def feed(self, data: bytes, now: Instant) -> list[CanFrame]:
        self._touched = now
        self._buffer += data
        if not self._greeted:
            if not HELLO.startswith(self._buffer[: len(HELLO)]):
                self.broken = f"the peer did not begin with {HELLO.decode()}"
                return []
            if len(self._buffer) < len(HELLO):
                return []
            del self._buffer[: len(HELLO)]
            self._greeted = True
        return self._units(now)

    def next_timeout(self) -> Instant | None:
        waiting = self._buffer or not self._greeted
        return self._touched + self._idle if waiting and self._touched is not None else None

    def handle_timeout(self, now: Instant) -> list[CanFrame]:
        due = self.next_timeout()
        if due is not None and now >= due:
            missing = "the rest of a unit" if self._greeted else HELLO.decode()
            self.broken = f"{missing} did not come"
        return []

    def _units(self, now: Instant) -> list[CanFrame]:
        frames: list[CanFrame] = []
        at, buffer = 0, self._buffer
        while len(buffer) - at >= _head.size:
            word, length = _head.unpack_from(buffer, at)
            self.broken = _impossible(word, length)
            if self.broken is not None:
                break
            start = at + _head.size + (length >= _FD)
            end = start + (0 if word & _REMOTE else length & ~_FD)
            if end > len(buffer):
                break
            self._unit(word, length, bytes(buffer[start:end]), frames, now)
            at = end
        del buffer[:at]
        return frames

    def _unit(self, word: int, length: int, data: bytes, frames: list[CanFrame], now: Instant) -> None:
        can_id = word & MAX_EXTENDED_ID
        if word & _ERROR:
            text = f"{can_id:08X}#{data.hex().upper()}, as SocketCAN tells errors"
            self._events.append(LinkEvent(LinkEventKind.ERROR_FRAME, now, text))
        elif length >= _FD:
            self._events.append(LinkEvent(LinkEventKind.DROPPED, now, f"an FD frame, {can_id:X}"))
        else:
            remote = bool(word & _REMOTE)
            frames.append(CanFrame(can_id, bytes(length) if remote else data, bool(word & _EXTENDED), remote))


def _impossible(word: int, length: int) -> str | None:
    if not word & (_EXTENDED | _ERROR) and word & MAX_EXTENDED_ID > MAX_STANDARD_ID:
        return "an impossible unit: an identifier of more than 11 bits"
    if (length & ~_FD) > (64 if length >= _FD else 8):
        return f"an impossible unit: length {length & ~_FD}"
    return None


def open_link(rest: str, options: Mapping[str, str]) -> StreamLink:
    """Open `HOST:PORT` or `listen:HOST:PORT`; options bitrate, reconnect, idle and, to connect, within."""
    link = f"cannelloni:{rest}"
    address = rest.removeprefix("listen:")
    listening = address != rest
    known_only(link, options, ("bitrate", "reconnect", "idle", *(() if listening else ("within",))))
    like = f"cannelloni:{'listen:' if listening else ''}HOST:PORT, as in cannelloni:192.168.0.20:20000"
    host, port = host_port(link, address, like=like, any_host=listening)
    codec = Cannelloni(idle=seconds(link, options, "idle", IDLE / SECOND))
    caps = batched_caps(link, options)
    reconnect = "reconnect" not in options or flag(link, options, "reconnect")
    if listening:
        return StreamLink(caps, codec, Listener(link, host, port), reconnect=reconnect)
    dialler = Dialler(link, host, port, seconds(link, options, "within", WITHIN))
    return StreamLink(caps, codec, dialler, peer=dialler.first, reconnect=reconnect)
