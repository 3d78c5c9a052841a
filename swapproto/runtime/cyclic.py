"""Cyclic messages by one thread, with deadlines that do not drift.

Usage::

    with CyclicSender() as sender:
        heartbeat = sender.add(link, frame, period=100 * MILLISECOND)
        heartbeat.update(b"...")                # from any thread; whole, from its next instant on
        print(sender.report())

The n-th frame of a message is due at the sender's beginning + phase + n periods, however late the one before
was; periods that were missed altogether are skipped and counted. A link is used by this thread alone:
open the port a second time to receive.
"""

import time
from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from threading import Condition, Thread
from types import TracebackType
from typing import Self

import msgspec

from swapproto.errors import LinkClosed, LinkError, SwapError
from swapproto.frame import MILLISECOND, SECOND, CanFrame, Instant, check_frame
from swapproto.link import Link
from swapproto.runtime.lateness import Lateness, LatenessMeter
from swapproto.runtime.scheduling import ask_for_realtime

SEND_WITHIN = MILLISECOND
"""How long a link may take over one frame; all others wait for it."""
_END_WITHIN = 2.0


class CyclicReport(msgspec.Struct, frozen=True, kw_only=True):
    """How well a sender kept its deadlines; frames counted over all messages."""

    sent: int
    failed: int
    """Frames that a link did not take."""
    skipped: int
    """Periods that went by before their turn came."""
    lateness: Lateness
    scheduling: str
    """Why the thread is not in the real-time class; empty where it is."""


class Cyclic:
    """One message, made by CyclicSender.add."""

    def __init__(self, link: Link, frame: CanFrame, period: int) -> None:
        check_frame(frame)
        self.link = link
        self.frame = frame
        self.period = period
        self.sent = 0
        self.failed = 0
        self.skipped = 0
        self.error: SwapError | None = None
        """The last failure; all but a full queue end the message."""
        self.stopped = False

    def update(self, data: bytes) -> None:
        """Send this payload from the next instant on; never parts of two."""
        frame = CanFrame(self.frame.id, data, self.frame.extended)
        check_frame(frame)
        self.frame = frame

    def stop(self) -> None:
        """Send no more; a frame that is being sent at this moment still goes out."""
        self.stopped = True


class Timetable:
    """Which message is due when; without clock and thread."""

    def __init__(self, begin: Instant) -> None:
        self.skipped = 0
        self._begin = begin
        self._count = 0
        self._heap: list[tuple[Instant, int, Cyclic]] = []

    def add(self, link: Link, frame: CanFrame, period: int, phase: int, now: Instant) -> Cyclic:
        if period <= 0 or phase < 0:
            raise ValueError(f"period {period} ns, phase {phase} ns: above 0, and not below 0")
        first = self._begin + phase
        first += max(0, -(-(now - first) // period)) * period
        cyclic = Cyclic(link, frame, period)
        self._count += 1
        heappush(self._heap, (first, self._count, cyclic))
        return cyclic

    def next_due(self) -> Instant | None:
        self._drop_stopped()
        return self._heap[0][0] if self._heap else None

    def take(self, now: Instant) -> Iterator[tuple[Cyclic, Instant]]:
        """The messages that are due, each with its instant; they are due again a period later."""
        while self._heap and self._heap[0][0] <= now:
            due, order, cyclic = heappop(self._heap)
            if cyclic.stopped:
                continue
            missed = (now - due) // cyclic.period
            cyclic.skipped += missed
            self.skipped += missed
            heappush(self._heap, (due + (missed + 1) * cyclic.period, order, cyclic))
            yield cyclic, due

    def _drop_stopped(self) -> None:
        if self._heap and self._heap[0][2].stopped:
            self._heap = [entry for entry in self._heap if not entry[2].stopped]
            heapify(self._heap)


class CyclicSender:
    """Sends from the first message on, until close(); links stay open."""

    def __init__(self, *, realtime: bool = True, send_within: int = SEND_WITHIN) -> None:
        self._send_within = send_within
        self._realtime = realtime
        self._changed = Condition()
        self._table = Timetable(time.monotonic_ns())
        self._meter = LatenessMeter()
        self._sent = 0
        self._failed = 0
        self._scheduling = "real-time scheduling was not asked for"
        self._closed = False
        self._thread = Thread(target=self._run, name="cyclic sender", daemon=True)
        self._thread.start()

    def add(self, link: Link, frame: CanFrame, *, period: int, phase: int = 0) -> Cyclic:
        """Send a frame every ``period`` ns, at the sender's beginning + ``phase`` and so on."""
        with self._changed:
            if self._closed:
                raise LinkClosed("this cyclic sender was closed: make another")
            cyclic = self._table.add(link, frame, period, phase, time.monotonic_ns())
            self._changed.notify()
        return cyclic

    def report(self) -> CyclicReport:
        """Over all messages until now."""
        with self._changed:
            return CyclicReport(
                sent=self._sent,
                failed=self._failed,
                skipped=self._table.skipped,
                lateness=self._meter.lateness(),
                scheduling=self._scheduling,
            )

    def close(self) -> None:
        """End the thread; LinkError if a driver keeps it beyond its deadline."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(_END_WITHIN)
        if self._thread.is_alive():
            raise LinkError("a driver does not return from send(): the cyclic thread is left")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self) -> None:
        if self._realtime:
            scheduling = ask_for_realtime()
            with self._changed:
                self._scheduling = scheduling
        while True:
            with self._changed:
                if self._closed:
                    return
                due, now = self._table.next_due(), time.monotonic_ns()
                if due is None or due > now:
                    self._changed.wait(None if due is None else (due - now) / SECOND)
                    continue
                batch = list(self._table.take(now))
            for cyclic, at in batch:
                self._send(cyclic, at)

    def _send(self, cyclic: Cyclic, due: Instant) -> None:
        late = time.monotonic_ns() - due
        error: SwapError | None = None
        try:
            cyclic.link.send(cyclic.frame, deadline=cyclic.link.now() + self._send_within)
        except SwapError as failed:
            error = failed
        with self._changed:
            self._meter.served(late)
            if error is None:
                cyclic.sent += 1
                self._sent += 1
                return
            cyclic.failed += 1
            self._failed += 1
            cyclic.error = error
            if isinstance(error, LinkClosed) or not isinstance(error, LinkError):
                cyclic.stop()
