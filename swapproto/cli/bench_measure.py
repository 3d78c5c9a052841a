"""Measures what an adapter does to frames and to time, in one thread and by the ports' own clocks."""

from collections import Counter
from collections.abc import Callable
from math import gcd
from struct import Struct
from typing import NamedTuple, TypeAlias

import msgspec

from swapproto.errors import LinkClosed, LinkError
from swapproto.frame import MILLISECOND, SECOND, CanFrame, Instant, Received
from swapproto.link import Link
from swapproto.runtime.figures import SpreadMeter, Stamps, Way
from swapproto.runtime.wire_time import INTERMISSION, frame_bits

TICK: Instant = 10 * MILLISECOND
"""Between two wakings of a bench that only listens."""
SETTLE: Instant = SECOND
"""How long the last frames may take to arrive."""
PATIENCE: Instant = 100 * MILLISECOND
"""Between two looks whether the user has seen enough."""
SEND_WITHIN: Instant = 100 * MILLISECOND
SLOWNESS = 0.99
"""By how much faster than its nominal rate a bus may run: oscillators are better than that [assumed]."""
KEPT_DELAYS = 1024
SHORTEST: Instant = 3 * SECOND
"""So long the clocks are watched at least before anything is said of their drift [assumed]."""
_NUMBERED = Struct("<II")
_UNSEEN = 1 << 16
"""Numbers of frames that are remembered; older ones count as lost."""

Clock: TypeAlias = Callable[[], Instant]
Stop: TypeAlias = Callable[[], bool]


class _Delay(NamedTuple):
    """The smallest delay from stamp to reader in a window, and when it was."""

    window: Instant
    at: Instant
    delay: int


class StampWatch:
    """Looks at every stamp of one port."""

    def __init__(self, link: Link, clock: Clock) -> None:
        self._caps = link.caps
        self._clock = clock
        self._last: Received | None = None
        self._step = 0
        self._frames = self._backwards = self._ahead = 0
        self._reading = SpreadMeter()
        self._earliest = 0
        self._peak: int | None = None
        self._error = 0
        self._delays: list[_Delay] = []
        self._window: Instant = MILLISECOND

    def received(self, received: Received) -> None:
        """Take a frame at once after it was read."""
        now = self._clock()
        last, self._last = self._last, received
        self._frames += 1
        self._ahead += received.at > now
        self._reading.add(max(0, now - received.at))
        self._wire(received)
        self._offset(now, now - received.at)
        if last is None:
            return
        self._backwards += received.at < last.at
        self._step = gcd(self._step, received.at - last.at)

    def stamps(self) -> Stamps:
        return Stamps(
            source=self._caps.stamp_source,
            frames=self._frames,
            declared=self._caps.stamp_resolution,
            step=self._step or None,
            backwards=self._backwards,
            ahead=self._ahead,
            batched=self._caps.batched,
            least_error=self._error if self._peak is not None else None,
            reading=self._reading.spread(),
            drift_ppm=self._drift(),
        )

    def _wire(self, received: Received) -> None:
        """No two frames can end closer together than the later one lasts, so stamps that do are wrong."""
        if not self._caps.bitrate:
            return
        bits = (frame_bits(received.frame) + INTERMISSION) * SLOWNESS
        self._earliest += round(bits * SECOND / self._caps.bitrate)
        slack = received.at - self._earliest
        if self._peak is None or slack > self._peak:
            self._peak = slack
        self._error = max(self._error, self._peak - slack)

    def _offset(self, now: Instant, delay: int) -> None:
        """Keep the smallest delay of each window; windows double so that there are never many."""
        if not self._delays or now - self._delays[-1].window >= self._window:
            self._delays.append(_Delay(now, now, delay))
        elif delay < self._delays[-1].delay:
            self._delays[-1] = _Delay(self._delays[-1].window, now, delay)
        if len(self._delays) >= KEPT_DELAYS:
            self._window *= 2
            pairs = zip(self._delays[::2], self._delays[1::2], strict=False)
            self._delays = [
                _Delay(one.window, *min((one[1:], two[1:]), key=lambda each: each[1])) for one, two in pairs
            ]

    def _drift(self) -> float | None:
        """From the smallest delays of the first and of the last third: a late reader makes none smaller."""
        if not self._delays:
            return None
        begin, end = self._delays[0].at, self._delays[-1].at
        if end - begin < SHORTEST:
            return None
        third = (end - begin) // 3
        first = min((each for each in self._delays if each.at <= begin + third), key=lambda each: each.delay)
        last = min((each for each in self._delays if each.at >= end - third), key=lambda each: each.delay)
        return (first.delay - last.delay) / (last.at - first.at) * 1e6


class Book:
    """Who was sent and who came."""

    def __init__(self, run: int) -> None:
        self._run = run
        self._sent: dict[int, Instant] = {}
        self._highest = -1
        self.latency = SpreadMeter()
        self.sent = self.arrived = self.duplicated = self.reordered = self.refused = 0
        self._gone: set[int] = set()

    def payload(self) -> bytes:
        """Of the next frame."""
        return _NUMBERED.pack(self._run, self.sent & 0xFFFF_FFFF)

    def send(self, at: Instant) -> None:
        """The next frame was given to the port at an instant of the receiver's clock."""
        if len(self._sent) >= _UNSEEN:
            del self._sent[next(iter(self._sent))]
        self._sent[self.sent] = at
        self.sent += 1

    def arrive(self, frame: CanFrame, at: Instant) -> None:
        """Take any frame; those of others say nothing."""
        if len(frame.data) != _NUMBERED.size:
            return
        run, number = _NUMBERED.unpack(frame.data)
        if run != self._run:
            return
        sent = self._sent.pop(number, None)
        if sent is None:
            self.duplicated += 1
            return
        self.arrived += 1
        self.latency.add(at - sent)
        self.reordered += number < self._highest
        self._highest = max(self._highest, number)

    @property
    def open(self) -> bool:
        return bool(self._sent)


class Plan(msgspec.Struct, frozen=True):
    """What is sent, and for how long."""

    seconds: float
    rate: float
    """Frames a second."""
    identifier: int
    run: int
    """A number that marks the frames of this run: those of another bench are not taken for them."""


class Bench:
    """Measures one port, or two on the same bus."""

    def __init__(self, links: tuple[Link, ...], clock: Clock, stop: Stop) -> None:
        """``clock`` is the host's, against which the stamps are held."""
        self.events: Counter[str] = Counter()
        self.lateness = SpreadMeter()
        self._watches = {id(link): StampWatch(link, clock) for link in links}
        self._links = links
        self._stop = stop

    @property
    def stamps(self) -> tuple[Stamps, ...]:
        return tuple(self._watches[id(link)].stamps() for link in self._links)

    def listen(self, seconds: float) -> None:
        """Only listen, on all ports."""
        first, others = self._links[0], self._links[1:]
        end = first.now() + round(seconds * SECOND)
        while (now := first.now()) < end:
            due = min(end, now + TICK)
            self._receive_until(first, due, None)
            if self._stop():
                return
            self.lateness.add(max(0, first.now() - due))
            for link in others:
                self._drain(link)

    def exchange(self, sender: Link, receiver: Link, plan: Plan) -> Way:
        """Send numbered frames at an even pace, and see what becomes of them; LinkClosed if a port goes."""
        book = Book(plan.run)
        ahead = receiver.now() - sender.now()
        pause = round(SECOND / plan.rate)
        begin = sender.now()
        due, end = begin + pause, begin + round(plan.seconds * SECOND)
        while due < end:
            self._receive_until(receiver, due + ahead, book)
            if self._stop():
                break
            now = sender.now()
            self.lateness.add(max(0, now - due))
            try:
                sender.send(CanFrame(plan.identifier, book.payload()), deadline=now + SEND_WITHIN)
            except LinkClosed:
                raise
            except LinkError:
                book.refused += 1
            else:
                book.send(now + ahead)
            if sender is not receiver:
                self._drain(sender)
            # Who is late does not catch up: a burst would measure the queue and not the port.
            due = max(due, sender.now()) + pause
        self._settle(receiver, book)
        return Way(
            sender=sender.caps.name,
            receiver=receiver.caps.name,
            sent=book.sent,
            lost=book.sent - book.arrived,
            duplicated=book.duplicated,
            reordered=book.reordered,
            refused=book.refused,
            latency=book.latency.spread(),
        )

    def _settle(self, receiver: Link, book: Book) -> None:
        end = receiver.now() + SETTLE
        while book.open and (now := receiver.now()) < end and not self._stop():
            self._receive_until(receiver, min(end, now + TICK), book)

    def _receive_until(self, link: Link, due: Instant, book: Book | None) -> None:
        while True:
            received = link.receive(deadline=min(due, link.now() + PATIENCE))
            if received is not None:
                self._watches[id(link)].received(received)
                if book is not None:
                    book.arrive(received.frame, received.at)
            self._take_events(link)
            if link.now() >= due or self._stop():
                return

    def _drain(self, link: Link) -> None:
        for _ in range(64):
            received = link.receive(deadline=0)
            if received is None:
                break
            self._watches[id(link)].received(received)
        self._take_events(link)

    def _take_events(self, link: Link) -> None:
        while (event := link.poll_event()) is not None:
            self.events[event.kind.value] += event.count
