"""A passive listener: every transport transfer on a bus, put together from what can be overheard.

    watch = TransportWatch()
    for received in recording:
        for event in watch.receive(received.frame, received.at): ...
    for event in watch.finish(received.at): ...

An addressed transfer is reported once: when its acknowledgement is heard or, if none comes, when it has been
silent for longer than any timer and the answer to it take, when another replaces it, or at the end. Its
message instant is that of the last data packet, not that of the report. Only the frames' own stamps count.
"""

from collections.abc import Sequence

from swapproto.frame import CanFrame, Instant
from swapproto.j1939 import GLOBAL_ADDRESS
from swapproto.transport.events import TpViolation
from swapproto.transport.frames import TP_CM, TP_DT, Control, abort_text, can_answer, packeted_pgn
from swapproto.transport.overheard import Ending, Transfer, Unfinished, WatchEvent
from swapproto.transport.rules import Violation, announcement_fault, holds_its_bytes, padding_fault
from swapproto.transport.timing import J1939_21, TpTiming

__all__ = ["Ending", "Transfer", "TransportWatch", "Unfinished", "WatchEvent"]


class _Observed:
    """One open transfer; packets cursor..end are asked for and not heard since."""

    __slots__ = (
        "count", "cursor", "destination", "end", "finished", "last", "limit", "missing", "packets", "parts",
        "pgn", "size", "source", "started",
    )  # fmt: skip

    def __init__(self, data: bytes, source: int, destination: int, now: Instant) -> None:
        self.pgn = packeted_pgn(data)
        self.source = source
        self.destination = destination
        self.size = data[1] | data[2] << 8
        self.packets = data[3]
        self.limit = data[4]
        self.parts: list[bytes | None] = [None] * (self.packets + 1)
        self.missing = self.packets
        self.count = 0
        self.cursor = 1
        self.end = self.packets if destination == GLOBAL_ADDRESS else 0
        self.started = self.finished = self.last = now

    def transfer(self, acknowledged: bool) -> Transfer:
        payload = b"".join([part[1:8] for part in self.parts if part is not None])[: self.size]
        return Transfer(
            self.pgn,
            self.source,
            self.destination,
            payload,
            self.started,
            self.finished,
            acknowledged,
            self.count,
        )

    def unfinished(
        self, ending: Ending, at: Instant, aborted_by: int | None = None, code: int | None = None
    ) -> Unfinished:
        return Unfinished(
            self.pgn,
            self.source,
            self.destination,
            ending,
            ending.value if code is None else abort_text(code),
            self.started,
            at,
            self.packets - self.missing,
            self.packets,
            aborted_by,
            code,
        )

    def given_up(self, ending: Ending, at: Instant) -> Transfer | Unfinished:
        """What it amounts to when nothing more is expected of it."""
        return self.unfinished(ending, at) if self.missing else self.transfer(acknowledged=False)


class TransportWatch:
    """Follows the transfers of all pairs of parties at once, keyed by source and destination.

    At most max_transfers are open at a time; the one that started first makes room for another.
    """

    def __init__(self, *, timing: TpTiming = J1939_21, max_transfers: int = 1024) -> None:
        self._silence = timing.silence
        self._max_transfers = max_transfers
        self._open: dict[int, _Observed] = {}
        self._check_at: Instant | None = None
        self._events: list[WatchEvent] = []

    def receive(self, frame: CanFrame, now: Instant) -> Sequence[WatchEvent]:
        """Take any frame of the bus, in the order of the recording; others than transport pass the time."""
        if self._check_at is not None and now > self._check_at:
            self._expire(now)
        kind = frame.id >> 16 & 0x3FF
        if kind in (TP_DT, TP_CM) and frame.extended and not frame.remote:
            if kind == TP_DT:
                self._data(frame, now)
            else:
                self._control(frame, now)
        return self._take_events() if self._events else ()

    def pass_time(self, now: Instant) -> Sequence[WatchEvent]:
        """Like receive() of a frame that is no transport traffic."""
        if self._check_at is not None and now > self._check_at:
            self._expire(now)
        return self._take_events() if self._events else ()

    def finish(self, now: Instant) -> Sequence[WatchEvent]:
        """Report what is still open when the recording ends, and forget it."""
        self._expire(now)
        events = self._take_events()
        events += [observed.given_up(Ending.OPEN_AT_END, now) for observed in self._open.values()]
        self._open.clear()
        self._check_at = None
        return events

    def _take_events(self) -> list[WatchEvent]:
        events, self._events = self._events, []
        return events

    def _data(self, frame: CanFrame, now: Instant) -> None:
        data, source, destination = frame.data, frame.id & 0xFF, frame.id >> 8 & 0xFF
        observed = self._open.get(source << 8 | destination)
        if observed is None:
            self._violation(Violation.DATA_ORPHAN, frame, now)
            return
        observed.last = now
        if len(data) != 8:
            self._violation(Violation.FRAME_LENGTH, frame, now)
            if not holds_its_bytes(data, observed.packets, observed.size):
                return
        number = data[0]
        if not 1 <= number <= observed.packets:
            self._violation(Violation.PACKET_NUMBER, frame, now)
            return
        observed.count += 1
        if number != observed.cursor or number > observed.end:
            self._judge_order(observed, number, frame, now)
        known = observed.parts[number] is not None
        if known and not observed.cursor <= number <= observed.end:
            return
        observed.parts[number] = data
        observed.missing -= not known
        observed.cursor = max(observed.cursor, number + 1)
        observed.finished = now
        if number == observed.packets and padding_fault(data, number, observed.size):
            self._violation(Violation.PADDING, frame, now)
        if destination == GLOBAL_ADDRESS and not observed.missing:
            del self._open[source << 8 | destination]
            self._events.append(observed.transfer(acknowledged=False))

    def _judge_order(self, observed: _Observed, number: int, frame: CanFrame, now: Instant) -> None:
        if number > observed.end:
            self._violation(Violation.OUTSIDE_WINDOW, frame, now)
        elif number < observed.cursor and observed.parts[number] is not None:
            self._violation(Violation.DUPLICATE, frame, now)
        else:
            self._violation(Violation.WRONG_SEQUENCE, frame, now)

    def _control(self, frame: CanFrame, now: Instant) -> None:
        data, source, destination = frame.data, frame.id & 0xFF, frame.id >> 8 & 0xFF
        if len(data) != 8:
            self._violation(Violation.FRAME_LENGTH, frame, now)
            return
        control = data[0]
        if not can_answer(source):
            self._violation(Violation.BAD_SOURCE, frame, now)
        elif control not in _CONTROLS:
            self._violation(Violation.UNKNOWN_CONTROL, frame, now)
        elif (control == Control.BAM) != (destination == GLOBAL_ADDRESS):
            self._violation(Violation.MISDIRECTED, frame, now)
        elif control in (Control.RTS, Control.BAM):
            self._announced(frame, source, destination, now)
        elif control == Control.ABORT:
            self._aborted(frame, source, destination, now)
        else:
            # CTS and EndOfMsgAck come from the receiver.
            key = destination << 8 | source
            observed = self._open.get(key)
            if observed is not None and observed.pgn != packeted_pgn(data):
                observed = None
            if control == Control.CTS:
                self._asked(observed, frame, now)
            else:
                self._acknowledged(observed, key, frame, now)

    def _announced(self, frame: CanFrame, source: int, destination: int, now: Instant) -> None:
        data = frame.data
        fault = announcement_fault(data[1] | data[2] << 8, data[3])
        if fault is not None:
            self._violation(fault, frame, now)
            return
        if destination != GLOBAL_ADDRESS and data[4] == 0:
            self._violation(Violation.RTS_LIMIT, frame, now)
        key = source << 8 | destination
        if (replaced := self._open.pop(key, None)) is not None:
            self._events.append(replaced.given_up(Ending.SUPERSEDED, now))
        elif len(self._open) >= self._max_transfers:
            oldest = self._open.pop(next(iter(self._open)))
            self._events.append(oldest.given_up(Ending.EVICTED, now))
        self._open[key] = _Observed(data, source, destination, now)
        if self._check_at is None:
            self._check_at = now + self._silence

    def _asked(self, observed: _Observed | None, frame: CanFrame, now: Instant) -> None:
        if observed is None:
            self._violation(Violation.CTS_ORPHAN, frame, now)
            return
        observed.last = now
        count, first = frame.data[1], frame.data[2]
        if count == 0:
            return
        if not 1 <= first <= observed.packets:
            self._violation(Violation.CTS_PACKET, frame, now)
            return
        if count > min(observed.limit, observed.packets - first + 1):
            self._violation(Violation.CTS_WINDOW, frame, now)
        observed.cursor = first
        observed.end = min(first + count - 1, observed.packets)

    def _acknowledged(self, observed: _Observed | None, key: int, frame: CanFrame, now: Instant) -> None:
        if observed is None:
            self._violation(Violation.ACK_ORPHAN, frame, now)
            return
        data = frame.data
        if (data[1] | data[2] << 8, data[3]) != (observed.size, observed.packets):
            self._violation(Violation.ACK_CONTENT, frame, now)
        del self._open[key]
        if observed.missing:
            self._violation(Violation.ACK_EARLY, frame, now)
            self._events.append(observed.unfinished(Ending.UNHEARD, now))
        else:
            self._events.append(observed.transfer(acknowledged=True))

    def _aborted(self, frame: CanFrame, source: int, destination: int, now: Instant) -> None:
        """End what the frame can mean: it does not say which direction."""
        pgn, code = packeted_pgn(frame.data), frame.data[1]
        known = False
        for key in (source << 8 | destination, destination << 8 | source):
            observed = self._open.get(key)
            if observed is not None and observed.pgn == pgn:
                known = True
                del self._open[key]
                self._events.append(observed.unfinished(Ending.ABORTED, now, source, code))
        if not known:
            self._violation(Violation.ABORT_ORPHAN, frame, now)

    def _expire(self, now: Instant) -> None:
        silence = self._silence
        for key in [key for key, observed in self._open.items() if now > observed.last + silence]:
            observed = self._open.pop(key)
            self._events.append(observed.given_up(Ending.SILENT, observed.last + silence))
        self._check_at = min((o.last for o in self._open.values()), default=now) + silence
        if not self._open:
            self._check_at = None

    def _violation(self, reason: Violation, frame: CanFrame, now: Instant) -> None:
        self._events.append(TpViolation(frame.id & 0xFF, frame.id >> 8 & 0xFF, reason, frame, now))


_CONTROLS = frozenset(Control)
