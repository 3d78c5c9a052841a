"""What the sending and the receiving half of an endpoint share."""

from collections import deque

from swapproto.frame import CanFrame, Instant
from swapproto.transport.events import AbortedBy, TpEvent, TpViolation, TransferAborted
from swapproto.transport.frames import abort, abort_text, cm_id
from swapproto.transport.rules import Violation

MAX_QUEUED = 4096
"""Frames, and events, kept for a caller who does not poll; the oldest go first."""


class Connection:
    """The identity of one transfer."""

    __slots__ = ("destination", "pgn", "source")

    def __init__(self, pgn: int, source: int, destination: int) -> None:
        self.pgn = pgn
        self.source = source
        self.destination = destination


class Port:
    """One source address with its control frames going out and its events going up."""

    def __init__(self, address: int, priority: int) -> None:
        self.address = address
        self.priority = priority
        self.now: Instant = 0
        """The last instant that the endpoint was told."""
        self._control_id = cm_id(0, address, priority)
        self.frames: deque[CanFrame] = deque(maxlen=MAX_QUEUED)
        self.events: deque[TpEvent] = deque(maxlen=MAX_QUEUED)
        self.lost_events = 0

    def control(self, destination: int, data: bytes) -> None:
        self.frames.append(CanFrame(self._control_id | destination << 8, data))

    def send_abort(self, peer: int, pgn: int, code: int) -> None:
        self.control(peer, abort(pgn, code))

    def emit(self, event: TpEvent) -> None:
        if len(self.events) == MAX_QUEUED:
            self.lost_events += 1
        self.events.append(event)

    def violation(self, reason: Violation, frame: CanFrame) -> None:
        source, destination = frame.id & 0xFF, frame.id >> 8 & 0xFF
        self.emit(TpViolation(source, destination, reason, frame, self.now))

    def aborted(self, connection: Connection, by: AbortedBy, code: int, detail: str = "") -> None:
        self.ended(connection, by, code, abort_text(code) + detail)

    def ended(self, connection: Connection, by: AbortedBy, code: int | None, reason: str) -> None:
        """Report a transfer that ended without success."""
        pgn, source, destination = connection.pgn, connection.source, connection.destination
        sent = source == self.address
        self.emit(TransferAborted(pgn, source, destination, by, code, reason, self.now, sent))
