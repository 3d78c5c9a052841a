"""What the sending and the receiving half of an endpoint share."""

from collections import deque

from swapproto.frame import CanFrame, Instant
from swapproto.transport.events import AbortedBy, TpEvent, TpViolation, TransferAborted
from swapproto.transport.frames import abort, abort_text, cm_id
from swapproto.transport.rules import Violation

MAX_QUEUED = 4096
"""Frames, and events, kept for a caller who does not poll; the oldest go first."""


class Port:
    """One source address with its control frames going out and its events going up."""

    def __init__(self, address: int, priority: int) -> None:
        self.address = address
        self.priority = priority
        self.now: Instant = 0
        self.frames: deque[CanFrame] = deque(maxlen=MAX_QUEUED)
        self.events: deque[TpEvent] = deque(maxlen=MAX_QUEUED)
        self.lost_events = 0

    def control(self, destination: int, data: bytes) -> None:
        self.frames.append(CanFrame(cm_id(destination, self.address, self.priority), data))

    def emit(self, event: TpEvent) -> None:
        if len(self.events) == MAX_QUEUED:
            self.lost_events += 1
        self.events.append(event)

    def violation(self, reason: Violation, frame: CanFrame, now: Instant) -> None:
        source, destination = frame.id & 0xFF, frame.id >> 8 & 0xFF
        self.emit(TpViolation(source, destination, reason, frame, now))

    def send_abort(self, peer: int, pgn: int, code: int) -> None:
        self.control(peer, abort(pgn, code))

    def aborted(self, pgn: int, *, peer: int, sent: bool, by: AbortedBy, code: int, why: str = "") -> None:
        """Report the end of a transfer with a peer, or with all for the global address; why is added to the reason."""
