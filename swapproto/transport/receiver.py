"""The receiving half: reassembly of what peers send to us or to all."""

from swapproto.frame import CanFrame, Instant
from swapproto.j1939 import GLOBAL_ADDRESS
from swapproto.transport.events import AbortedBy, TransferAborted, TransferReceived
from swapproto.transport.frames import (
    MAX_SIZE,
    AbortReason,
    abort_text,
    can_answer,
    cts,
    cts_hold,
    end_of_msg_ack,
    packeted_pgn,
)
from swapproto.transport.port import Port
from swapproto.transport.rules import Violation, announcement_fault, holds_its_bytes, padding_fault
from swapproto.transport.timing import TpTiming


class _Incoming:
    """One transfer being received.

    The window is first..end, all of it missing when it was granted; expected is the packet that in-order
    traffic brings next. parts is indexed by packet number and keeps whole data fields.
    """

    __slots__ = (
        "broadcast", "deadline", "end", "expected", "first", "held", "limit", "missing",
        "packets", "parts", "pgn", "retries", "size", "source", "started",
    )  # fmt: skip

    def __init__(
        self, source: int, broadcast: bool, pgn: int, size: int, packets: int, limit: int, started: Instant
    ) -> None:
        self.source = source
        self.broadcast = broadcast
        self.pgn = pgn
        self.size = size
        self.packets = packets
        self.limit = limit
        self.started = started
        self.parts: list[bytes | None] = [None] * (packets + 1)
        self.missing = packets
        self.first = self.expected = 1
        self.end = packets
        self.held = False
        self.retries = 0
        self.deadline: Instant = started

    def advance(self) -> bool:
        """Move to the first missing packet; False if it has not changed."""
        before = self.first
        while self.first <= self.packets and self.parts[self.first] is not None:
            self.first += 1
        return self.first != before

    def payload(self) -> bytes:
        return b"".join([part[1:8] for part in self.parts if part is not None])[: self.size]


class Receiver:
    """All transfers coming in, at most one addressed and one broadcast from each source."""

    def __init__(self, port: Port, timing: TpTiming, window: int, retries: int, max_transfers: int) -> None:
        self._port = port
        self._timing = timing
        self._window = window
        self._retries = retries
        self._max_transfers = max_transfers
        self._addressed: dict[int, _Incoming] = {}
        self._broadcast: dict[int, _Incoming] = {}
        self._held: set[int] = set()

    def announced(self, frame: CanFrame, broadcast: bool, now: Instant) -> None:
        """Take an RTS or, broadcast, a BAM."""
        source, data = frame.id & 0xFF, frame.data
        size, packets, pgn = data[1] | data[2] << 8, data[3], packeted_pgn(data)
        running = self._broadcast if broadcast else self._addressed
        if not can_answer(source):
            self._port.violation(Violation.BAD_SOURCE, frame, now)
            return
        if (fault := announcement_fault(size, packets)) is not None:
            self._port.violation(fault, frame, now)
            # An abort would name the PGN that a running transfer may have: that one shall live.
            if not broadcast and source not in running:
                self._port.send_abort(
                    source, pgn, AbortReason.TOO_LARGE if size > MAX_SIZE else AbortReason.OTHER
                )
            return
        if (replaced := running.pop(source, None)) is not None:
            self._superseded(replaced, now)
        elif len(running) >= self._max_transfers:
            self._refuse(source, broadcast, pgn, now)
            return
        limit = min(self._window, data[4]) if not broadcast else packets
        if limit == 0:
            self._port.violation(Violation.RTS_LIMIT, frame, now)
            limit = 1
        incoming = running[source] = _Incoming(source, broadcast, pgn, size, packets, limit, now)
        if broadcast:
            incoming.deadline = now + self._timing.T1
        else:
            self._grant(incoming, now)

    def data(self, frame: CanFrame, broadcast: bool, now: Instant) -> None:
        """Take a data packet."""
        incoming = (self._broadcast if broadcast else self._addressed).get(frame.id & 0xFF)
        if incoming is None:
            self._port.violation(Violation.DATA_ORPHAN, frame, now)
            return
        data = frame.data
        if len(data) != 8:
            self._port.violation(Violation.FRAME_LENGTH, frame, now)
            if not holds_its_bytes(data, incoming.packets, incoming.size):
                return
        number = data[0]
        if number == incoming.expected and number <= incoming.end:
            incoming.expected = number + 1
        elif not self._take_out_of_order(incoming, number, frame, now):
            return
        incoming.parts[number] = data
        incoming.missing -= 1
        incoming.deadline = now + self._timing.T1
        if number == incoming.packets and padding_fault(data, number, incoming.size):
            self._port.violation(Violation.PADDING, frame, now)
        if not incoming.missing:
            self._complete(incoming, now)
        elif number == incoming.end and not broadcast:
            self._window_ended(incoming, now)

    def aborted(self, source: int, pgn: int, code: int, now: Instant) -> bool:
        """Take the abort of a peer; False if it is for no transfer here."""
        incoming = self._addressed.get(source)
        if incoming is None or incoming.pgn != pgn:
            return False
        self._drop(incoming, AbortedBy.PEER, code, now)
        return True

    def hold(self, source: int) -> None:
        self._held.add(source)

    def release(self, source: int, now: Instant) -> None:
        self._held.discard(source)
        incoming = self._addressed.get(source)
        if incoming is not None and incoming.held:
            incoming.held = False
            self._grant(incoming, now)

    def next_timeout(self) -> Instant | None:
        deadlines = [incoming.deadline for incoming in self._addressed.values()]
        if self._broadcast:
            deadlines += [incoming.deadline for incoming in self._broadcast.values()]
        return min(deadlines) if deadlines else None

    def handle_timeout(self, now: Instant) -> None:
        for incoming in [t for t in self._broadcast.values() if now >= t.deadline]:
            detail = f": {incoming.missing} of {incoming.packets} packets missing"
            self._drop(incoming, AbortedBy.TIMEOUT, AbortReason.TIMEOUT, now, detail)
        for incoming in [t for t in self._addressed.values() if now >= t.deadline]:
            if incoming.held:
                self._grant(incoming, now)
                continue
            if incoming.advance():
                incoming.retries = 0
            self._ask_again(incoming, AbortedBy.TIMEOUT, AbortReason.TIMEOUT, now)

    def _take_out_of_order(self, incoming: _Incoming, number: int, frame: CanFrame, now: Instant) -> bool:
        """Judge a packet that is not the expected one; True if it is wanted all the same."""
        wanted = False
        if not 1 <= number <= incoming.packets:
            reason = Violation.PACKET_NUMBER
        elif incoming.parts[number] is not None:
            reason = Violation.DUPLICATE
        elif number > incoming.end:
            reason = Violation.OUTSIDE_WINDOW
        else:
            reason, wanted = Violation.WRONG_SEQUENCE, True
            incoming.expected = max(incoming.expected, number + 1)
        self._port.violation(reason, frame, now)
        return wanted

    def _window_ended(self, incoming: _Incoming, now: Instant) -> None:
        progress = incoming.advance()
        if incoming.first > incoming.end:
            incoming.retries = 0
            self._grant(incoming, now)
        else:
            if progress:
                incoming.retries = 0
            self._ask_again(incoming, AbortedBy.US, AbortReason.RETRANSMIT_LIMIT, now)

    def _ask_again(self, incoming: _Incoming, by: AbortedBy, code: AbortReason, now: Instant) -> None:
        if incoming.retries < self._retries:
            incoming.retries += 1
            self._grant(incoming, now)
            return
        self._port.send_abort(incoming.source, incoming.pgn, code)
        self._drop(incoming, by, code, now, f": packet {incoming.first} of {incoming.packets} never came")

    def _grant(self, incoming: _Incoming, now: Instant) -> None:
        """Ask for the next run of missing packets, or hold the sender if the application wants that."""
        first = incoming.expected = incoming.first
        if incoming.source in self._held:
            incoming.held = True
            incoming.end = first - 1
            incoming.deadline = now + self._timing.Th
            self._port.control(incoming.source, cts_hold(incoming.pgn))
            return
        end, last = first, min(first + incoming.limit - 1, incoming.packets)
        while end < last and incoming.parts[end + 1] is None:
            end += 1
        incoming.end = end
        incoming.deadline = now + self._timing.T2
        self._port.control(incoming.source, cts(incoming.pgn, end - first + 1, first))

    def _complete(self, incoming: _Incoming, now: Instant) -> None:
        self._forget(incoming)
        if not incoming.broadcast:
            ack = end_of_msg_ack(incoming.pgn, incoming.size, incoming.packets)
            self._port.control(incoming.source, ack)
        self._port.emit(
            TransferReceived(
                incoming.pgn,
                incoming.source,
                GLOBAL_ADDRESS if incoming.broadcast else self._port.address,
                incoming.payload(),
                incoming.started,
                now,
            )
        )

    def _superseded(self, incoming: _Incoming, now: Instant) -> None:
        destination = GLOBAL_ADDRESS if incoming.broadcast else self._port.address
        reason = "superseded by a new BAM" if incoming.broadcast else "superseded by a new RTS"
        self._port.emit(
            TransferAborted(
                incoming.pgn, incoming.source, destination, AbortedBy.PEER, None, reason, now, sent=False
            )
        )

    def _refuse(self, source: int, broadcast: bool, pgn: int, now: Instant) -> None:
        """Turn a newcomer away rather than end a transfer that runs."""
        if not broadcast:
            self._port.send_abort(source, pgn, AbortReason.RESOURCES)
        destination = GLOBAL_ADDRESS if broadcast else self._port.address
        self._port.aborted(
            pgn, source, destination, AbortedBy.US, AbortReason.RESOURCES, now,
            f": {self._max_transfers} transfers are running",
        )  # fmt: skip

    def _drop(self, incoming: _Incoming, by: AbortedBy, code: int, now: Instant, detail: str = "") -> None:
        self._forget(incoming)
        destination = GLOBAL_ADDRESS if incoming.broadcast else self._port.address
        self._port.aborted(incoming.pgn, incoming.source, destination, by, code, now, detail)

    def _forget(self, incoming: _Incoming) -> None:
        del (self._broadcast if incoming.broadcast else self._addressed)[incoming.source]
