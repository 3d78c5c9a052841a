"""One node on one link, in one thread, by the link's own clock."""

from collections import Counter
from collections.abc import Callable
from typing import TypeAlias

import msgspec

from swapproto.errors import LinkClosed
from swapproto.frame import MICROSECOND, MILLISECOND, CanFrame, Instant
from swapproto.link import Link, LinkEvent, Node, Told

FrameTap: TypeAlias = Callable[[CanFrame, Instant, bool], object]
"""Called with a frame, its instant, and whether it is the node's own."""

_IDLE = 100 * MILLISECOND
"""How often the predicate is asked while nothing happens."""


class Lateness(msgspec.Struct, frozen=True):
    """How late timers were served, in nanoseconds; p50 and p99 are rounded up to a microsecond."""

    timers: int = 0
    p50: int = 0
    p99: int = 0
    max: int = 0


class Driven(msgspec.Struct, frozen=True):
    """How a run ended."""

    ended: Instant
    closed: LinkClosed | None
    """Why the link went away, where that ended the run."""
    lateness: Lateness


class _Clock:
    """Counts how late timers are, in memory that depends on the spread and not on the length of the run."""

    def __init__(self) -> None:
        self._late: Counter[int] = Counter()
        self._max = 0

    def served(self, late: int) -> None:
        self._late[-(-late // MICROSECOND)] += 1
        self._max = max(self._max, late)

    def lateness(self) -> Lateness:
        timers = self._late.total()
        return Lateness(timers, self._quantile(50, timers), self._quantile(99, timers), self._max)

    def _quantile(self, percent: int, timers: int) -> int:
        rank, seen = -(-timers * percent // 100), 0
        for late in sorted(self._late):
            seen += self._late[late]
            if seen >= rank:
                return min(late * MICROSECOND, self._max)
        return 0


def drive(
    node: Node,
    link: Link,
    *,
    until: Callable[[Instant], bool] | None = None,
    limit: Instant | None = None,
    tap: FrameTap | None = None,
    events: Callable[[LinkEvent], object] | None = None,
    send_within: int = 100 * MILLISECOND,
) -> Driven:
    """Run a node until the predicate holds, the limit is reached or the link closes.

    Frames and timers are served in the order of their instants, however late this thread is. What befalls
    the link goes to a node that is Told, and to ``events``. LinkError if the link took no frame in time.
    """
    if until is None and limit is None:
        raise ValueError("give until or limit: this run would have no end")
    clock = _Clock()
    now = link.now()
    try:
        while True:
            _flush(node, link, tap, send_within)
            now = max(now, link.now())
            if (limit is not None and now >= limit) or (until is not None and until(now)):
                return Driven(now, None, clock.lateness())
            due = node.next_timeout()
            wanted = [at for at in (due, limit) if at is not None]
            received = link.receive(deadline=min(wanted, default=now + _IDLE))
            _tell(node, link, events)
            if due is not None and due <= (link.now() if received is None else received.at):
                now = max(now, link.now())
                clock.served(now - due)
                node.handle_timeout(now)
            if received is not None:
                if tap is not None:
                    tap(received.frame, received.at, False)
                now = max(now, received.at)
                node.receive(received.frame, now)
    except LinkClosed as closed:
        _tell(node, link, events)
        return Driven(now, closed, clock.lateness())


def _tell(node: Node, link: Link, events: Callable[[LinkEvent], object] | None) -> None:
    while (event := link.poll_event()) is not None:
        if isinstance(node, Told):
            node.link_event(event)
        if events is not None:
            events(event)


def _flush(node: Node, link: Link, tap: FrameTap | None, send_within: int) -> None:
    while (frame := node.poll_transmit()) is not None:
        now = link.now()
        link.send(frame, deadline=now + send_within)
        if tap is not None:
            tap(frame, now, True)
