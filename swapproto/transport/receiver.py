"""The receiving half: reassembly of what peers send to us or to all."""

from swapproto.frame import CanFrame, Instant
from swapproto.j1939 import GLOBAL_ADDRESS
from swapproto.transport.events import AbortedBy, TransferReceived
from swapproto.transport.frames import (
    MAX_SIZE,
    AbortReason,
    cts,
    cts_hold,
    end_of_msg_ack,
    packeted_pgn,
)
from swapproto.transport.port import Connection, Port
from swapproto.transport.rules import Violation, announcement_fault, holds_its_bytes, padding_fault
from swapproto.transport.timing import TpTiming


class _Incoming(Connection):
    """One transfer being received.

    The window is first..end, all of it missing when it was granted; expected is the packet that in-order
    traffic brings next. parts is indexed by packet number and keeps whole data fields.
    """

    __slots__ = (
        "deadline", "end", "expected", "first", "held", "limit", "missing", "packets", "parts", "retries",
        "size", "started",
    )  # fmt: skip

    def __init__(self, connection: Connection, size: int, packets: int, limit: int, started: Instant) -> None:
        super().__init__(connection.pgn, connection.source, connection.destination)
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

    def advance(self) -> None:
        """Move to the first missing packet; progress starts the count of retries afresh."""
        before = self.first
        while self.first <= self.packets and self.parts[self.first] is not None:
            self.first += 1
        if self.first != before:
            self.retries = 0

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

    def announced(self, frame: CanFrame, destination: int, now: Instant) -> None:
        """Take an RTS or, for the global destination, a BAM."""
        data, broadcast = frame.data, destination == GLOBAL_ADDRESS
        connection = Connection(packeted_pgn(data), frame.id & 0xFF, destination)
        size, packets = data[1] | data[2] << 8, data[3]
        running = self._broadcast if broadcast else self._addressed
        if (fault := announcement_fault(size, packets)) is not None:
            self._port.violation(fault, frame)
            # An abort would name the PGN that a running transfer may have: that one shall live.
            if not broadcast and connection.source not in running:
                code = AbortReason.TOO_LARGE if size > MAX_SIZE else AbortReason.OTHER
                self._port.send_abort(connection.source, connection.pgn, code)
            return
        if (replaced := running.pop(connection.source, None)) is not None:
            kind = "BAM" if broadcast else "RTS"
            self._port.ended(replaced, AbortedBy.PEER, None, f"superseded by a new {kind}")
        elif len(running) >= self._max_transfers:
            self._refuse(connection)
            return
        limit = packets if broadcast else min(self._window, data[4])
        if limit == 0:
            self._port.violation(Violation.RTS_LIMIT, frame)
            limit = 1
        incoming = running[connection.source] = _Incoming(connection, size, packets, limit, now)
        if broadcast:
            incoming.deadline = now + self._timing.T1
        else:
            self._grant(incoming, now)

    def data(self, frame: CanFrame, destination: int, now: Instant) -> None:
        """Take a data packet."""
        running = self._broadcast if destination == GLOBAL_ADDRESS else self._addressed
        incoming = running.get(frame.id & 0xFF)
        if incoming is None:
            self._port.violation(Violation.DATA_ORPHAN, frame)
            return
        data = frame.data
        if len(data) != 8:
            self._port.violation(Violation.FRAME_LENGTH, frame)
            if not holds_its_bytes(data, incoming.packets, incoming.size):
                return
        number = data[0]
        if number == incoming.expected and number <= incoming.end:
            incoming.expected = number + 1
        elif not self._take_out_of_order(incoming, number, frame):
            return
        incoming.parts[number] = data
        incoming.missing -= 1
        incoming.deadline = now + self._timing.T1
        if number == incoming.packets and padding_fault(data, number, incoming.size):
            self._port.violation(Violation.PADDING, frame)
        if not incoming.missing:
            self._complete(incoming, now)
        elif number == incoming.end and destination != GLOBAL_ADDRESS:
            self._window_ended(incoming, now)

    def aborted(self, source: int, pgn: int, code: int) -> bool:
        """Take the abort of a peer; False if it is for no transfer here."""
        incoming = self._addressed.get(source)
        if incoming is None or incoming.pgn != pgn:
            return False
        del self._addressed[source]
        self._port.aborted(incoming, AbortedBy.PEER, code)
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
        if not self._addressed and not self._broadcast:
            return None
        deadlines = [incoming.deadline for incoming in self._addressed.values()]
        if self._broadcast:
            deadlines += [incoming.deadline for incoming in self._broadcast.values()]
        return min(deadlines)

    def handle_timeout(self, now: Instant) -> None:
        for incoming in [t for t in self._broadcast.values() if now >= t.deadline]:
            del self._broadcast[incoming.source]
            lost = f": {incoming.missing} of {incoming.packets} packets missing"
            self._port.aborted(incoming, AbortedBy.TIMEOUT, AbortReason.TIMEOUT, lost)
        for incoming in [t for t in self._addressed.values() if now >= t.deadline]:
            if incoming.held:
                self._grant(incoming, now)
            else:
                incoming.advance()
                self._ask_again(incoming, AbortedBy.TIMEOUT, AbortReason.TIMEOUT, now)

    def _take_out_of_order(self, incoming: _Incoming, number: int, frame: CanFrame) -> bool:
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
        self._port.violation(reason, frame)
        return wanted

    def _window_ended(self, incoming: _Incoming, now: Instant) -> None:
        incoming.advance()
        if incoming.first > incoming.end:
            self._grant(incoming, now)
        else:
            self._ask_again(incoming, AbortedBy.US, AbortReason.RETRANSMIT_LIMIT, now)

    def _ask_again(self, incoming: _Incoming, by: AbortedBy, code: AbortReason, now: Instant) -> None:
        if incoming.retries < self._retries:
            incoming.retries += 1
            self._grant(incoming, now)
            return
        del self._addressed[incoming.source]
        self._port.send_abort(incoming.source, incoming.pgn, code)
        self._port.aborted(incoming, by, code, f": packet {incoming.first} of {incoming.packets} never came")

    def _grant(self, incoming: _Incoming, now: Instant) -> None:
        """Ask for the next run of missing packets, or hold the sender if the application wants that."""
        first = incoming.expected = incoming.first
        if incoming.source in self._held:
            incoming.held = True
            incoming.end = first - 1
            # Well within Th: one may come late, and can-j1939 gives up after Th where J1939 has T4.
            incoming.deadline = now + self._timing.Th // 2
            self._port.control(incoming.source, cts_hold(incoming.pgn))
            return
        end = last = min(first + incoming.limit - 1, incoming.packets)
        if incoming.missing <= incoming.packets - first:
            # Some packet behind the first is here already.
            end = first
            while end < last and incoming.parts[end + 1] is None:
                end += 1
        incoming.end = end
        incoming.deadline = now + self._timing.T2
        self._port.control(incoming.source, cts(incoming.pgn, end - first + 1, first))

    def _complete(self, incoming: _Incoming, now: Instant) -> None:
        pgn, source, destination = incoming.pgn, incoming.source, incoming.destination
        if destination == GLOBAL_ADDRESS:
            del self._broadcast[source]
        else:
            del self._addressed[source]
            self._port.control(source, end_of_msg_ack(pgn, incoming.size, incoming.packets))
        payload = incoming.payload()
        self._port.emit(TransferReceived(pgn, source, destination, payload, incoming.started, now))

    def _refuse(self, connection: Connection) -> None:
        """Turn a newcomer away rather than end a transfer that runs."""
        if connection.destination != GLOBAL_ADDRESS:
            self._port.send_abort(connection.source, connection.pgn, AbortReason.RESOURCES)
        load = f": {self._max_transfers} transfers are running"
        self._port.aborted(connection, AbortedBy.US, AbortReason.RESOURCES, load)
