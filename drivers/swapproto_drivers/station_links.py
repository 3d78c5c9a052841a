"""The charger link and the PLC link of a station, as typed messages over a byte port.

Both links are one vendor's, observed: examples of how a station is described, not a standard. An end of a
link is sans-I/O, so that it runs in any time; step() and serve() run it on a port.
"""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Generic, Protocol, TypeVar

import msgspec

from swapproto.errors import LinkClosed, LinkError, LocalProtocolError
from swapproto.frame import SECOND, Instant
from swapproto.link import MAX_LINK_EVENTS, LinkEvent, LinkEventKind
from swapproto_drivers.byte_port import BytePort
from swapproto_drivers.framing import charger_link, plc_link
from swapproto_drivers.framing.charger_link import ANSWERS, ChargerFrame, ChargerFraming
from swapproto_drivers.framing.plc_link import (
    PLCR2,
    STRUCTS,
    PlcFraming,
    PlcMessage,
    PlcStruct,
    Rule,
    Side,
    declared,
)
from swapproto_drivers.framing.reader import IDLE, Framing, Reader

SEND_WITHIN = SECOND
"""How long step() lets a port take a message; our choice."""
BMS_INFORMATION, BMS_PERIOD = 301, 30 * SECOND
"""The command that a charger repeats while it charges, and how often [1]."""

M = TypeVar("M")


class Arrived(msgspec.Struct, Generic[M], frozen=True, gc=False):
    """A message, and when its last byte had been read."""

    message: M
    at: Instant


class MessagePort(Generic[M]):
    """Messages over a byte port. Owned by one thread; what is lost on the line is counted by ``reader``."""

    def __init__(
        self,
        port: BytePort,
        framing: Framing[M],
        encode: Callable[[M], bytes],
        *,
        idle: Instant = IDLE,
    ) -> None:
        self.reader: Reader[M] = Reader(framing, idle=idle)
        self.unsent = 0
        """Messages that step() could not send, because the line was away or took nothing."""
        self._port = port
        self._encode = encode
        self._inbox: deque[Arrived[M]] = deque()
        self._events: deque[LinkEvent] = deque(maxlen=MAX_LINK_EVENTS)

    @property
    def name(self) -> str:
        return self._port.name

    def now(self) -> Instant:
        return self._port.now()

    def send(self, message: M, *, deadline: Instant) -> None:
        """Hand a message to the port; LinkError if it is not taken whole by the deadline."""
        self._port.write(self._encode(message), deadline=deadline)

    def receive(self, *, deadline: Instant) -> Arrived[M] | None:
        """The next message, or None at the deadline; a deadline in the past only polls."""
        while not self._inbox:
            due = self.reader.next_timeout()
            data = self._port.read(deadline=deadline if due is None else min(deadline, due))
            now, dropped, heard = self._port.now(), self.reader.dropped.total(), self.reader.heard
            self._take_events()
            if data:
                self._inbox += [Arrived(unit, now) for unit in self.reader.feed(data, now)]
            else:
                self._inbox += [Arrived(unit, heard) for unit in self.reader.handle_timeout(now)]
            if lost := self.reader.dropped.total() - dropped:
                text = "bytes that are no message"
                self._events.append(LinkEvent(LinkEventKind.DROPPED, now, text, lost))
            if not self._inbox and now >= deadline:
                return None
        return self._inbox.popleft()

    def poll_event(self) -> LinkEvent | None:
        self._take_events()
        return self._events.popleft() if self._events else None

    def close(self) -> None:
        self._port.close()

    def _take_events(self) -> None:
        while (event := self._port.poll_event()) is not None:
            if event.gap:
                self.reader.reset()
            self._events.append(event)


class ChargerLinkPort(MessagePort[ChargerFrame]):
    """Either end of the charger link."""

    def __init__(self, port: BytePort, *, idle: Instant = IDLE) -> None:
        super().__init__(port, ChargerFraming(), charger_link.encode, idle=idle)


class PlcLinkPort(MessagePort[PlcMessage]):
    """One side's end of the PLC link; ``sizes`` as of PlcFraming, for the other side's structs."""

    def __init__(
        self, port: BytePort, side: Side, *, sizes: Mapping[int, int] | None = None, idle: Instant = IDLE
    ) -> None:
        super().__init__(port, PlcFraming(side.other, sizes), plc_link.encode, idle=idle)
        self.side = side

    def send(self, message: PlcMessage, *, deadline: Instant) -> None:
        _check_sender(message, self.side)
        super().send(message, deadline=deadline)


class End(Protocol[M]):
    """A party on a message port, sans-I/O, in the manner of swapproto.link.Node."""

    def receive(self, message: M, now: Instant) -> None: ...

    def handle_timeout(self, now: Instant) -> None: ...

    def next_timeout(self) -> Instant | None: ...

    def poll_transmit(self) -> M | None: ...


def step(port: MessagePort[M], end: End[M], *, deadline: Instant) -> None:
    """Do what is due and take one message, or wait for one until the deadline or the end's next timeout."""
    end.handle_timeout(port.now())
    while (message := end.poll_transmit()) is not None:
        try:
            port.send(message, deadline=port.now() + SEND_WITHIN)
        except LinkClosed:
            raise
        except LinkError:
            port.unsent += 1
    due = end.next_timeout()
    arrived = port.receive(deadline=deadline if due is None else min(deadline, due))
    if arrived is not None:
        end.receive(arrived.message, port.now())


def serve(port: MessagePort[M], end: End[M], *, until: Instant) -> None:
    """Run an end on a port; LinkClosed if the port goes away for good."""
    while port.now() < until:
        step(port, end, deadline=until)


class PlcLinkEnd:
    """One side of the PLC link: repeats the structs that it is shown, each with its period.

    A struct that nobody showed is not sent: the bytes of most are not public. The heartbeat of PLCR2 counts
    by itself and wraps.
    """

    def __init__(self, side: Side) -> None:
        self.side = side
        self.heard: dict[type[PlcMessage], Arrived[PlcMessage]] = {}
        """The last struct of each kind."""
        self._shown: dict[int, PlcMessage] = {}
        self._due: dict[int, Instant] = {}
        self._outbox: deque[PlcMessage] = deque()

    def show(self, message: PlcMessage, now: Instant) -> None:
        """Send this from now on in place of what was shown before; at once, if nothing was."""
        row = _check_sender(message, self.side)
        self._shown[row.stream] = message
        self._due.setdefault(row.stream, now)

    def withdraw(self, kind: type[PlcMessage]) -> None:
        """Send these no more; LocalProtocolError for one that is always sent."""
        row = next(row for row in STRUCTS.values() if row.message is kind)
        if row.rule is Rule.ALWAYS:
            raise LocalProtocolError(f"PLC link: {kind.__name__} is always sent")
        self._shown.pop(row.stream, None)
        self._due.pop(row.stream, None)

    def overdue(self, now: Instant, *, periods: int = 3) -> list[type[PlcMessage]]:
        """Structs that the other side always sends and that did not come for so many periods, or ever."""
        late: list[type[PlcMessage]] = []
        for row in STRUCTS.values():
            if row.sender is self.side.other and row.rule is Rule.ALWAYS:
                last = self.heard.get(row.message)
                if last is None or now - last.at > periods * row.period:
                    late.append(row.message)
        return late

    def receive(self, message: PlcMessage, now: Instant) -> None:
        self.heard[type(message)] = Arrived(message, now)

    def handle_timeout(self, now: Instant) -> None:
        for stream, due in self._due.items():
            if now < due:
                continue
            message = self._shown[stream]
            self._outbox.append(message)
            if isinstance(message, PLCR2):
                following = (message.heartbeat + 1) & 0xFFFF
                self._shown[stream] = msgspec.structs.replace(message, heartbeat=following)
            period = STRUCTS[stream].period
            # After a pause it goes on in step, without a burst of what was missed.
            self._due[stream] = due + ((now - due) // period + 1) * period

    def next_timeout(self) -> Instant | None:
        return min(self._due.values(), default=None)

    def poll_transmit(self) -> PlcMessage | None:
        """The next struct, or None. Poll after handle_timeout()."""
        return self._outbox.popleft() if self._outbox else None


class ChargerLinkEnd:
    """One side of the charger link: asks, answers with the bodies that it was given, and reports charging.

    An answer carries the sequence number of its question [assumed].
    """

    def __init__(self, answers: Mapping[int, bytes] | None = None, *, patience: Instant = 5 * SECOND) -> None:
        self.answers = dict(answers or {})
        """Bodies by the command of the answer; questions without one are counted and not answered."""
        self.unanswerable = 0
        self._patience = patience
        self._sequence = 0
        self._open: dict[int, Instant] = {}
        self._report: bytes | None = None
        self._report_due: Instant = 0
        self._outbox: deque[ChargerFrame] = deque()
        self._heard: deque[ChargerFrame] = deque(maxlen=MAX_LINK_EVENTS)
        self._events: deque[LinkEvent] = deque(maxlen=MAX_LINK_EVENTS)

    def ask(self, command: int, body: bytes, now: Instant) -> None:
        """Send a command; if its answer stays away for the patience given, a SILENT event tells."""
        if command not in ANSWERS:
            raise LocalProtocolError(f"charger link: {command} is no question; those are {sorted(ANSWERS)}")
        self._send(command, body)
        self._open.setdefault(ANSWERS[command], now + self._patience)

    def charging(self, information: bytes | None, now: Instant) -> None:
        """Report this BMS information from now on, every 30 s; None when charging is over."""
        self._report, self._report_due = information, now

    def receive(self, message: ChargerFrame, now: Instant) -> None:  # noqa: ARG002
        self._heard.append(message)
        self._open.pop(message.command, None)
        answer = ANSWERS.get(message.command)
        if answer is None:
            return
        if answer in self.answers:
            self._outbox.append(ChargerFrame(answer, self.answers[answer], message.sequence))
        else:
            self.unanswerable += 1

    def handle_timeout(self, now: Instant) -> None:
        for answer in [answer for answer, due in self._open.items() if now >= due]:
            del self._open[answer]
            text = f"no answer {answer} within {self._patience / SECOND:g} s"
            self._events.append(LinkEvent(LinkEventKind.SILENT, now, text))
        if self._report is not None and now >= self._report_due:
            self._send(BMS_INFORMATION, self._report)
            self._report_due = now + BMS_PERIOD

    def next_timeout(self) -> Instant | None:
        due = [*self._open.values(), *([] if self._report is None else [self._report_due])]
        return min(due, default=None)

    def poll_transmit(self) -> ChargerFrame | None:
        """The next frame, or None. Poll after receive(), ask() and handle_timeout()."""
        return self._outbox.popleft() if self._outbox else None

    def poll_heard(self) -> ChargerFrame | None:
        """The next frame that came, or None."""
        return self._heard.popleft() if self._heard else None

    def poll_event(self) -> LinkEvent | None:
        return self._events.popleft() if self._events else None

    def _send(self, command: int, body: bytes) -> None:
        self._outbox.append(ChargerFrame(command, body, self._sequence))
        self._sequence = (self._sequence + 1) & 0xFF


def _check_sender(message: PlcMessage, side: Side) -> PlcStruct:
    row = declared(message)
    if row.sender is not side:
        raise LocalProtocolError(f"PLC link: {type(message).__name__} is sent by the {row.sender.value}")
    return row
