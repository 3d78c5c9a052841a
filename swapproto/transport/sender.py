"""The sending half: segmentation, one running transfer to each destination, others queued behind it."""

from collections import deque

from swapproto.errors import LocalProtocolError
from swapproto.frame import CanFrame, Instant
from swapproto.j1939 import GLOBAL_ADDRESS
from swapproto.transport.events import AbortedBy, TransferSent
from swapproto.transport.frames import (
    PACKET_BYTES,
    AbortReason,
    bam,
    dt_id,
    packet_count,
    packeted_pgn,
    rts,
)
from swapproto.transport.port import Connection, Port
from swapproto.transport.rules import Violation
from swapproto.transport.timing import TpTiming

_NUMBER = [bytes((number,)) for number in range(256)]


class _Outgoing(Connection):
    """One transfer being sent.

    Packets next..end may go out: now if the transfer is in the ready list, at the deadline if paced. With
    next past end it waits for a CTS, or for the acknowledgement, until the deadline.
    """

    __slots__ = (
        "deadline", "end", "first", "gap", "id", "next", "packets", "padded", "payload", "retried", "retries",
        "sent", "started",
    )  # fmt: skip

    def __init__(self, connection: Connection, payload: bytes, can_id: int, gap: int) -> None:
        super().__init__(connection.pgn, connection.source, connection.destination)
        self.payload = payload
        self.id = can_id
        self.gap = gap
        self.packets = packet_count(len(payload))
        self.padded = payload.ljust(self.packets * PACKET_BYTES, b"\xff")
        self.first = self.next = 1
        self.end = 0
        self.sent = 0
        self.retried = 0
        self.retries = 0
        self.started: Instant = 0
        self.deadline: Instant | None = None

    @property
    def sending(self) -> bool:
        return self.next <= self.end


class Sender:
    """All transfers going out."""

    def __init__(
        self,
        port: Port,
        timing: TpTiming,
        *,
        window: int,
        retries: int,
        gap: int,
        bam_gap: int,
        max_queue: int,
    ) -> None:
        self._port = port
        self._timing = timing
        self._window = window
        self._retries = retries
        self._gap = gap
        self._bam_gap = bam_gap
        self._max_queue = max_queue
        self._running: dict[int, _Outgoing] = {}
        self._queues: dict[int, deque[_Outgoing]] = {}
        self.ready: deque[_Outgoing] = deque()
        """Transfers with a packet that may go out now."""

    def send(self, pgn: int, payload: bytes, destination: int, now: Instant) -> None:
        port = self._port
        can_id = dt_id(destination, port.address, port.priority)
        gap = self._bam_gap if destination == GLOBAL_ADDRESS else self._gap
        outgoing = _Outgoing(Connection(pgn, port.address, destination), payload, can_id, gap)
        if destination not in self._running:
            self._start(outgoing, now)
            return
        queue = self._queues.setdefault(destination, deque())
        if len(queue) >= self._max_queue:
            raise LocalProtocolError(
                f"{len(queue)} transfers to address {destination:#04x} are queued already: "
                "wait for one to end before sending another"
            )
        queue.append(outgoing)

    def pending(self, destination: int) -> int:
        return (destination in self._running) + len(self._queues.get(destination, ()))

    def poll(self, now: Instant) -> CanFrame:
        """The next data packet; only while there is a transfer in the ready list."""
        ready = self.ready
        outgoing = ready[0]
        number = outgoing.next
        at = PACKET_BYTES * number
        frame = CanFrame(outgoing.id, _NUMBER[number] + outgoing.padded[at - PACKET_BYTES : at])
        outgoing.next = number + 1
        if number == outgoing.end:
            ready.popleft()
            self._window_sent(outgoing, now)
        elif outgoing.gap:
            ready.popleft()
            outgoing.deadline = now + outgoing.gap
        elif len(ready) > 1:
            ready.rotate(-1)
        return frame

    def cts(self, frame: CanFrame, now: Instant) -> None:
        data = frame.data
        outgoing = self._running.get(frame.id & 0xFF)
        if outgoing is None or outgoing.pgn != packeted_pgn(data):
            self._port.violation(Violation.CTS_ORPHAN, frame)
            return
        count, first = data[1], data[2]
        if count and not 1 <= first <= outgoing.packets:
            self._port.violation(Violation.CTS_PACKET, frame)
            return
        last = min(first + count - 1, outgoing.packets)
        if outgoing.sending:
            self._port.violation(Violation.CTS_WHILE_SENDING, frame)
            if (first, last) != (outgoing.first, outgoing.end):
                self._abort(outgoing, AbortedBy.US, AbortReason.CTS_WHILE_SENDING, now)
            return
        if count == 0:
            outgoing.deadline = now + self._timing.T4
            return
        if first > outgoing.sent + 1:
            self._port.violation(Violation.CTS_PACKET, frame)
            return
        if count > self._window or count > outgoing.packets - first + 1:
            self._port.violation(Violation.CTS_WINDOW, frame)
        if first <= outgoing.sent and not self._may_retransmit(outgoing, first):
            self._abort(outgoing, AbortedBy.US, AbortReason.RETRANSMIT_LIMIT, now)
            return
        outgoing.first = outgoing.next = first
        outgoing.end = last
        outgoing.deadline = None
        self.ready.append(outgoing)

    def acknowledged(self, frame: CanFrame, now: Instant) -> None:
        data = frame.data
        outgoing = self._running.get(frame.id & 0xFF)
        if outgoing is None or outgoing.pgn != packeted_pgn(data):
            self._port.violation(Violation.ACK_ORPHAN, frame)
            return
        if outgoing.sent < outgoing.packets:
            self._port.violation(Violation.ACK_EARLY, frame)
            return
        if (data[1] | data[2] << 8, data[3]) != (len(outgoing.payload), outgoing.packets):
            self._port.violation(Violation.ACK_CONTENT, frame)
        self._succeeded(outgoing, now)

    def aborted(self, source: int, pgn: int, code: int, now: Instant) -> bool:
        """Take the abort of a peer; False if it is for no transfer here."""
        outgoing = self._running.get(source)
        if outgoing is None or outgoing.pgn != pgn:
            return False
        self._port.aborted(outgoing, AbortedBy.PEER, code)
        self._next(outgoing, now)
        return True

    def next_timeout(self) -> Instant | None:
        if not self._running:
            return None
        deadlines = [out.deadline for out in self._running.values() if out.deadline is not None]
        return min(deadlines) if deadlines else None

    def handle_timeout(self, now: Instant) -> None:
        running = self._running.values()
        for outgoing in [out for out in running if out.deadline is not None and now >= out.deadline]:
            if outgoing.sending:
                outgoing.deadline = None
                self.ready.append(outgoing)
            else:
                self._abort(outgoing, AbortedBy.TIMEOUT, AbortReason.TIMEOUT, now)

    def _start(self, outgoing: _Outgoing, now: Instant) -> None:
        self._running[outgoing.destination] = outgoing
        outgoing.started = now
        pgn, size = outgoing.pgn, len(outgoing.payload)
        if outgoing.destination == GLOBAL_ADDRESS:
            outgoing.end = outgoing.packets
            outgoing.deadline = now + self._bam_gap
            self._port.control(GLOBAL_ADDRESS, bam(pgn, size, outgoing.packets))
        else:
            outgoing.deadline = now + self._timing.T3
            self._port.control(outgoing.destination, rts(pgn, size, outgoing.packets, self._window))

    def _window_sent(self, outgoing: _Outgoing, now: Instant) -> None:
        outgoing.sent = max(outgoing.sent, outgoing.end)
        if outgoing.destination == GLOBAL_ADDRESS:
            self._succeeded(outgoing, now)
        else:
            outgoing.deadline = now + self._timing.T3

    def _may_retransmit(self, outgoing: _Outgoing, first: int) -> bool:
        """Count a request for packets that went out before; progress starts the count afresh."""
        if first > outgoing.retried:
            outgoing.retried = first
            outgoing.retries = 0
        outgoing.retries += 1
        return outgoing.retries <= self._retries

    def _succeeded(self, outgoing: _Outgoing, now: Instant) -> None:
        self._port.emit(
            TransferSent(outgoing.pgn, outgoing.destination, outgoing.payload, outgoing.started, now)
        )
        self._next(outgoing, now)

    def _abort(self, outgoing: _Outgoing, by: AbortedBy, code: AbortReason, now: Instant) -> None:
        self._port.send_abort(outgoing.destination, outgoing.pgn, code)
        self._port.aborted(outgoing, by, code)
        self._next(outgoing, now)

    def _next(self, outgoing: _Outgoing, now: Instant) -> None:
        """Forget a transfer that ended and start the one queued behind it."""
        destination = outgoing.destination
        del self._running[destination]
        if outgoing in self.ready:
            self.ready.remove(outgoing)
        queue = self._queues.get(destination)
        if queue:
            self._start(queue.popleft(), now)
        else:
            self._queues.pop(destination, None)
