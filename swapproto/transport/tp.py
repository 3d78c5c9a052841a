"""The transport endpoint of one source address, sans-I/O.

    transport = Transport(0x56)
    transport.send(0x001100, payload, 0xF4, now)
    while (frame := transport.poll_transmit()) is not None: ...    # give it to the bus

J1939 numbers no transfers: where both the abort and the RTS that follows it are lost, the receiver can take
packets of the second for the first if both have the same PGN. Nothing on the wire tells them apart.

Instants that an endpoint is told must not go back. A timer that a transmission starts counts from the
last instant told, so a caller whose bus is slow to take frames calls handle_timeout() before it polls.
"""

from swapproto.errors import LocalProtocolError
from swapproto.frame import CanFrame, Instant
from swapproto.j1939 import GLOBAL_ADDRESS, PDU1_LIMIT
from swapproto.transport.events import TpEvent
from swapproto.transport.frames import (
    DEFAULT_PRIORITY,
    MAX_PACKETS,
    MAX_SIZE,
    MIN_SIZE,
    NULL_ADDRESS,
    TP_CM,
    TP_DT,
    Control,
    can_answer,
    packeted_pgn,
)
from swapproto.transport.port import Port
from swapproto.transport.receiver import Receiver
from swapproto.transport.rules import Violation
from swapproto.transport.sender import Sender
from swapproto.transport.timing import J1939_21, TpTiming

_KINDS = frozenset({TP_DT, TP_CM})
_CONTROLS = frozenset(Control)
# Plain numbers, for every CTS is compared with both and a member's way through its class takes time.
_CTS, _BAM = Control.CTS.value, Control.BAM.value

RETRIES = 2
"""Requests to retransmit the same packet before a transfer is given up [reported]."""


class Transport:
    """Sends and receives payloads of 9 to 1785 bytes; has the call surface of `swapproto.link.Node`.

    window is the most packets that one CTS asks for, and the limit our own RTS names. packet_gap is the
    time in ns between data packets of an addressed transfer, bam_gap that of a broadcast (by default the
    shortest J1939 has). Of each kind, addressed and broadcast, max_transfers are received at a time; a
    further one is refused (abort reason 2) so that a flood cannot end what runs.
    """

    def __init__(
        self,
        address: int,
        *,
        timing: TpTiming = J1939_21,
        priority: int = DEFAULT_PRIORITY,
        window: int = MAX_PACKETS,
        packet_gap: int = 0,
        bam_gap: int | None = None,
        retries: int = RETRIES,
        max_transfers: int = 32,
        max_queue: int = 16,
    ) -> None:
        if not 0 <= address < NULL_ADDRESS:
            raise LocalProtocolError(f"address {address:#x} is not in 0..0xFD: no node may use it")
        if not 0 <= priority <= 7:
            raise LocalProtocolError(f"priority {priority} is not in 0..7")
        if not 1 <= window <= MAX_PACKETS:
            raise LocalProtocolError(f"window {window} is not in 1..255 packets")
        gap = timing.bam_gap_min if bam_gap is None else bam_gap
        if packet_gap < 0 or gap <= 0:
            raise LocalProtocolError(
                f"gaps of {packet_gap} and {gap} ns: the first must be 0 or more, the second more"
            )
        self._port = Port(address, priority)
        self._ours = frozenset({address, GLOBAL_ADDRESS})
        self._receiver = Receiver(self._port, timing, window, retries, max_transfers)
        self._sender = Sender(
            self._port,
            timing,
            window=window,
            retries=retries,
            gap=packet_gap,
            bam_gap=gap,
            max_queue=max_queue,
        )

    @property
    def address(self) -> int:
        return self._port.address

    @property
    def lost_events(self) -> int:
        """Events dropped because nobody polled."""
        return self._port.lost_events

    def send(self, pgn: int, payload: bytes, destination: int, now: Instant) -> None:
        """Start or queue a transfer, to all for destination 0xFF; LocalProtocolError if it cannot be sent.

        Transfers to one destination run in the order of the calls, and one that fails lets the next run.
        """
        if not MIN_SIZE <= len(payload) <= MAX_SIZE:
            raise LocalProtocolError(
                f"payload of {len(payload)} bytes: the transport takes {MIN_SIZE} to {MAX_SIZE}, "
                "and up to 8 go in a frame of their own"
            )
        if not 0 <= pgn <= 0x3FFFF or (pgn >> 8 & 0xFF < PDU1_LIMIT and pgn & 0xFF):
            raise LocalProtocolError(
                f"PGN {pgn:#x} is not valid: 18 bits, low byte 0 where it is addressed (PDU1)"
            )
        if destination in (self.address, NULL_ADDRESS) or not 0 <= destination <= GLOBAL_ADDRESS:
            raise LocalProtocolError(f"address {destination:#x} cannot be sent to from {self.address:#04x}")
        self._port.now = now
        self._sender.send(pgn, bytes(payload), destination, now)

    def pending(self, destination: int) -> int:
        """Transfers to a destination that run or wait."""
        return self._sender.pending(destination)

    def hold(self, source: int, now: Instant) -> None:
        """From the next CTS on keep that sender waiting, until release(); also for transfers yet to come."""
        self._port.now = now
        self._receiver.hold(source)

    def release(self, source: int, now: Instant) -> None:
        """End a hold: a waiting sender is asked to go on at once. Idempotent."""
        self._port.now = now
        self._receiver.release(source, now)

    def receive(self, frame: CanFrame, now: Instant) -> bool:
        """Take a frame; True if it was transport traffic to us or to all and is thereby dealt with.

        Frames from our own address are echoes and are left alone. Afterwards poll_transmit(), poll_event()
        and next_timeout() may have changed.
        """
        can_id = frame.id
        kind = can_id >> 16 & 0x3FF
        if kind not in _KINDS or not frame.extended or frame.remote:
            return False
        port = self._port
        destination = can_id >> 8 & 0xFF
        if destination not in self._ours or can_id & 0xFF == port.address:
            return False
        port.now = now
        if kind == TP_DT:
            self._receiver.data(frame, destination, now)
        else:
            self._control(frame, destination, now)
        return True

    def handle_timeout(self, now: Instant) -> None:
        """Do what is due: release paced packets, ask again, give up. Poll everything afterwards."""
        self._port.now = now
        self._receiver.handle_timeout(now)
        self._sender.handle_timeout(now)

    def next_timeout(self) -> Instant | None:
        """When handle_timeout() is wanted next; ask again after any other call."""
        incoming, outgoing = self._receiver.next_timeout(), self._sender.next_timeout()
        if incoming is None or outgoing is None:
            return outgoing if incoming is None else incoming
        return min(incoming, outgoing)

    def poll_transmit(self) -> CanFrame | None:
        """The next frame for the bus, or None. Poll after any of the calls that take an instant."""
        port = self._port
        if port.frames:
            return port.frames.popleft()
        return self._sender.poll(port.now) if self._sender.ready else None

    def poll_event(self) -> TpEvent | None:
        """The next event, or None. Poll after receive(), handle_timeout() and poll_transmit()."""
        return self._port.events.popleft() if self._port.events else None

    def _control(self, frame: CanFrame, destination: int, now: Instant) -> None:
        data = frame.data
        if len(data) != 8:
            self._port.violation(Violation.FRAME_LENGTH, frame)
            return
        if not can_answer(frame.id & 0xFF):
            self._port.violation(Violation.BAD_SOURCE, frame)
            return
        control = data[0]
        if (control == _BAM) != (destination == GLOBAL_ADDRESS) and control in _CONTROLS:
            self._port.violation(Violation.MISDIRECTED, frame)
        elif control == _CTS:
            self._sender.cts(frame, now)
        elif control in (Control.RTS, Control.BAM):
            self._receiver.announced(frame, destination, now)
        elif control == Control.END_OF_MSG_ACK:
            self._sender.acknowledged(frame, now)
        elif control == Control.ABORT:
            self._abort(frame, now)
        else:
            self._port.violation(Violation.UNKNOWN_CONTROL, frame)

    def _abort(self, frame: CanFrame, now: Instant) -> None:
        """End what the peer gave up; the frame does not say which of both directions it means."""
        source, pgn, code = frame.id & 0xFF, packeted_pgn(frame.data), frame.data[1]
        received = self._receiver.aborted(source, pgn, code)
        sent = self._sender.aborted(source, pgn, code, now)
        if not (received or sent):
            self._port.violation(Violation.ABORT_ORPHAN, frame)
