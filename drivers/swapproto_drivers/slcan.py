"""`slcan:PORT?bitrate=250000`: CAN adapters on a serial port that speak LAWICEL's ASCII protocol.

PORT is a device or a URL of pyserial. With timestamps=true the adapter stamps the frames, to a millisecond
that starts over each minute; without, the host stamps what one read brought, all alike. Frames that the
adapter refuses are told as overruns: they come to light only after send() has returned.
"""

from collections import deque
from collections.abc import Mapping

from swapproto.errors import LinkClosed, LinkError, LinkUnavailable, LocalProtocolError
from swapproto.frame import MICROSECOND, MILLISECOND, SECOND, CanFrame, Instant, Received, check_frame
from swapproto.link import MAX_LINK_EVENTS, LinkCaps, LinkEvent, LinkEventKind
from swapproto_drivers import serial_port
from swapproto_drivers._options import flag, integer, known_only, number
from swapproto_drivers.bitrate import find_bitrate
from swapproto_drivers.byte_port import BytePort
from swapproto_drivers.framing.reader import Reader
from swapproto_drivers.framing.slcan import (
    BITRATES,
    ERRORS,
    Answer,
    Heard,
    Line,
    Refusal,
    SlcanFraming,
    State,
    Status,
    encode,
)

ANSWER = 500 * MILLISECOND
"""How long an adapter may take to answer a command; our choice."""
QUIET = 50 * MILLISECOND
"""Silence that ends the answers of an adapter that does not tell its version; our choice."""
WRAP, LONG_WRAP = 60_000, 1 << 16
"""Milliseconds after which stamps start over: as LAWICEL's, or all that four digits can say."""
DRIFT = 5_000
"""Ticks of the host in which an adapter's clock may lose one against it: 200 ppm, our choice."""
_STATES = {
    "a": LinkEventKind.ERROR_ACTIVE,
    "w": LinkEventKind.ERROR_WARNING,
    "p": LinkEventKind.ERROR_PASSIVE,
    "b": LinkEventKind.BUS_OFF,
}
_OWN = ("bitrate", "listen_only", "timestamps", "answers", "status")


class StampClock:
    """An adapter's milliseconds on the host's clock: never after their arrival, never going back."""

    def __init__(self) -> None:
        self._wrap = WRAP
        self._zero: Instant | None = None
        self._last: Instant = 0
        self._arrived: Instant = 0

    def at(self, stamp: int, arrived: Instant) -> Instant:
        """When a frame with this stamp was on the bus."""
        if stamp >= WRAP:
            self._wrap = LONG_WRAP
        if self._zero is None:
            self._zero, self._arrived = arrived - stamp * MILLISECOND, arrived
        self._zero += (arrived - self._arrived) // DRIFT
        self._arrived = arrived
        expected = (arrived - self._zero) // MILLISECOND
        behind = (expected - stamp) % self._wrap
        if behind > self._wrap // 2:
            behind -= self._wrap
        at = self._zero + (expected - behind) * MILLISECOND
        if at > arrived:
            # The smallest delay so far shows best where the adapter's zero lies.
            self._zero -= at - arrived
        self._last = max(self._last, min(at, arrived))
        return self._last


class SlcanLink:
    """A link over a port with an adapter on it, which is set up and its channel opened; close() closes both.

    LinkUnavailable if the adapter does not answer, or refuses the rate, the stamps or to listen only: nothing
    else is tried in their place.
    """

    def __init__(
        self,
        port: BytePort,
        *,
        bitrate: int,
        name: str | None = None,
        listen_only: bool = False,
        timestamps: bool = False,
        answers: bool = True,
        status: Instant = 0,
    ) -> None:
        self.remote_frames = 0
        """Remote frames heard, which no session wants."""
        self._port = port
        self._caps = LinkCaps(
            name=name or f"slcan:{port.name}",
            bitrate=bitrate,
            stamp_source="hardware" if timestamps else "host",
            stamp_resolution=MILLISECOND if timestamps else MICROSECOND,
            batched=not timestamps,
            listen_only=listen_only,
        )
        self.reader: Reader[Line] = Reader(SlcanFraming(stamped=timestamps))
        self._stamps = StampClock()
        self._answers = answers
        self._status = status
        self._next_status = port.now() + status
        self._inbox: deque[Received] = deque()
        self._events: deque[LinkEvent] = deque(maxlen=MAX_LINK_EVENTS)
        # What the adapter has still to answer: a frame, or F.
        self._awaited: deque[str] = deque(maxlen=256)
        self._warned = LinkEventKind.ERROR_ACTIVE
        self._torn = False
        self._closed = False
        self._set_up()

    @property
    def caps(self) -> LinkCaps:
        return self._caps

    def now(self) -> Instant:
        return self._port.now()

    def send(self, frame: CanFrame, *, deadline: Instant) -> None:
        self._check_open()
        check_frame(frame)
        if self._caps.listen_only:
            raise LocalProtocolError(f"{self._caps.name}: opened to listen only")
        self._write(encode(frame), deadline)
        if self._answers:
            self._awaited.append("frame")

    def receive(self, *, deadline: Instant) -> Received | None:
        self._check_open()
        while not self._inbox:
            until = deadline
            if self._status:
                self._ask_status()
                until = min(deadline, self._next_status)
            for line in self._lines(until):
                self._take(line)
            if not self._inbox and self._port.now() >= deadline:
                return None
        return self._inbox.popleft()

    def poll_event(self) -> LinkEvent | None:
        return self._events.popleft() if self._events else self._port.poll_event()

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            self._write(b"C\r", self._port.now() + ANSWER)
        except LinkError:
            # The device is gone, and its channel with it.
            pass
        self._port.close()

    def _set_up(self) -> None:
        name, caps = self._caps.name, self._caps
        if caps.bitrate not in BITRATES:
            rates = ", ".join(str(rate) for rate in BITRATES)
            raise LinkUnavailable(f"{name}: bitrate={caps.bitrate} must be one of {rates}")
        self._synchronise()
        self._order(f"S{BITRATES[caps.bitrate]}", f"bitrate={caps.bitrate}")
        if caps.stamp_source == "hardware":
            self._order("Z1", "timestamps=true")
        else:
            self._order("Z0", None)
        self._order("L" if caps.listen_only else "O", "listen_only=true" if caps.listen_only else "")

    def _synchronise(self) -> None:
        """End what the adapter was told before, close its channel, and wait until all is answered."""
        # Empty lines are answered too, or not; the version comes last and only once.
        self._port.write(b"\r\r\rC\rV\r", deadline=self._port.now() + ANSWER)
        end = self._port.now() + ANSWER
        answered = not self._answers
        while self._answers and self._port.now() < end:
            lines = self._lines(self._port.now() + QUIET if answered else end)
            if any(isinstance(line, Answer) and len(line.text) > 1 for line in lines):
                return
            if answered and not lines and not self.reader.pending:
                return
            answered |= any(isinstance(line, (Answer, Refusal)) for line in lines)
        if not answered:
            raise LinkUnavailable(
                f"{self._caps.name}: nothing answers: is an SLCAN adapter there, at this baud rate? "
                "If it never answers by design: answers=false"
            )

    def _order(self, command: str, option: str | None) -> None:
        """Give a command; LinkUnavailable if it is refused, unless nothing depends on it."""
        end = self._port.now() + ANSWER
        self._port.write(f"{command}\r".encode(), deadline=end)
        answer: Line | None = None
        while self._answers and answer is None:
            if self._port.now() >= end:
                raise LinkUnavailable(f"{self._caps.name}: no answer to {command}")
            for line in self._lines(end):
                if answer is None and line in {Answer(), Refusal()}:
                    answer = line
                elif command in {"O", "L"}:
                    self._take(line)
        if isinstance(answer, Refusal) and option is not None:
            advice = f": it cannot do {option}" if option else ""
            raise LinkUnavailable(f"{self._caps.name}: the adapter refuses {command}{advice}")

    def _lines(self, deadline: Instant) -> list[Line]:
        """What the adapter says next, or nothing at the deadline."""
        data = self._port.read(deadline=deadline)
        dropped = self.reader.dropped.total()
        now = self._port.now()
        lines = self.reader.feed(data, now) if data else self.reader.handle_timeout(now)
        if lost := self.reader.dropped.total() - dropped:
            self._tell(LinkEventKind.DROPPED, "bytes that are no line", lost)
        return lines

    def _write(self, data: bytes, deadline: Instant) -> None:
        # A command that was cut by an earlier deadline is ended first, so that it does not swallow this one.
        whole = b"\r" + data if self._torn else data
        self._torn = True
        self._port.write(whole, deadline=deadline)
        self._torn = False

    def _take(self, line: Line) -> None:
        if isinstance(line, Heard):
            now = self.reader.heard
            if line.frame.remote:
                self.remote_frames += 1
            else:
                at = now if line.stamp is None else self._stamps.at(line.stamp, now)
                self._inbox.append(Received(line.frame, at))
        elif isinstance(line, Answer):
            if line.text in {"", "z", "Z"}:
                self._answered()
            else:
                self._tell(LinkEventKind.TOLD, line.text)
        elif isinstance(line, Refusal):
            self._refused()
        elif isinstance(line, Status):
            self._take_status(line)
        elif isinstance(line, State):
            text = f"receive errors {line.receive_errors}, transmit errors {line.transmit_errors}"
            self._change(_STATES[line.letter], text)
        else:
            names = ", ".join(ERRORS[letter] for letter in line.letters)
            self._tell(LinkEventKind.ERROR_FRAME, names)

    def _answered(self) -> str | None:
        return self._awaited.popleft() if self._awaited else None

    def _refused(self) -> None:
        if self._answered() == "status":
            self._status = 0
            self._tell(LinkEventKind.TOLD, "the adapter does not know F: its status stays unknown")
        else:
            self._tell(
                LinkEventKind.OVERRUN, "the adapter refused a frame: no room, or its channel is closed"
            )

    def _ask_status(self) -> None:
        now = self._port.now()
        if now >= self._next_status:
            self._next_status = now + self._status
            self._write(b"F\r", now + ANSWER)
            self._awaited.append("status")

    def _take_status(self, status: Status) -> None:
        while self._answered() not in {"status", None}:
            # Answers before this one were lost on the line.
            pass
        for full, text in (
            (status.receive_full, "the adapter's receive buffer was full"),
            (status.transmit_full, "the adapter's transmit buffer was full"),
            (status.overrun, "the adapter's CAN controller was overrun"),
        ):
            if full:
                self._tell(LinkEventKind.OVERRUN, text)
        if status.bus_error:
            self._tell(LinkEventKind.ERROR_FRAME, "bus error")
        kind = (
            LinkEventKind.ERROR_PASSIVE
            if status.passive
            else LinkEventKind.ERROR_WARNING
            if status.warning
            else LinkEventKind.ERROR_ACTIVE
        )
        self._change(kind, "by the adapter's status")

    def _change(self, kind: LinkEventKind, text: str) -> None:
        if kind is not self._warned:
            self._warned = kind
            self._tell(kind, text)

    def _tell(self, kind: LinkEventKind, text: str, count: int = 1) -> None:
        self._events.append(LinkEvent(kind, self._port.now(), text, count))

    def _check_open(self) -> None:
        if self._closed:
            raise LinkClosed(f"{self._caps.name}: this link was closed")


def open_link(rest: str, options: Mapping[str, str]) -> SlcanLink:
    """Open `PORT`, a device or a URL of pyserial; bitrate must be given, for a wrong one disturbs the bus.

    bitrate=auto listens at the usual rates first.
    """
    link = f"slcan:{rest}"
    serial_options = [name for name in serial_port.OPTIONS if name != "reconnect"]
    known_only(link, options, (*_OWN, *serial_options))
    if "bitrate" not in options:
        raise LinkUnavailable(f"{link}: say the bit rate, as in {link}?bitrate=250000")
    if options["bitrate"] == "auto":
        return open_link(rest, {**options, "bitrate": str(_found_rate(link, rest, options))})
    bitrate = integer(link, options, "bitrate", 0)
    answers = "answers" not in options or flag(link, options, "answers")
    status = round(number(link, options, "status", 0.0) * SECOND)
    listen_only, timestamps = flag(link, options, "listen_only"), flag(link, options, "timestamps")
    address = rest if "://" in rest else f"serial:{rest}"
    port = serial_port.open_serial(address, {n: options[n] for n in serial_options if n in options})
    try:
        return SlcanLink(
            port,
            bitrate=bitrate,
            listen_only=listen_only,
            timestamps=timestamps,
            answers=answers,
            status=status,
            name=link,
        )
    except LinkError as error:
        port.close()
        if isinstance(error, LinkUnavailable):
            raise
        raise LinkUnavailable(f"{link}: {error}") from error


def _found_rate(link: str, rest: str, options: Mapping[str, str]) -> int:
    quiet = {**options, "listen_only": "true", "status": options.get("status", "0.1")}
    search = find_bitrate(lambda rate: open_link(rest, {**quiet, "bitrate": str(rate)}))
    if search.bitrate is None:
        raise LinkUnavailable(f"{link}: {search}; say the bit rate, as in bitrate=250000")
    return search.bitrate
