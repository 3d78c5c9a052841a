"""One node on one link, in one thread, by the link's own clock."""

from collections.abc import Callable

import msgspec

from swapproto.errors import LinkClosed
from swapproto.frame import MILLISECOND, Instant
from swapproto.link import Link, LinkEvent, Node
from swapproto.runtime._serving import FrameTap, Serving
from swapproto.runtime.lateness import Lateness

__all__ = ["Driven", "FrameTap", "Lateness", "drive"]

_IDLE = 100 * MILLISECOND
"""How often the predicate is asked while nothing happens."""


class Driven(msgspec.Struct, frozen=True):
    """How a run ended."""

    ended: Instant
    closed: LinkClosed | None
    """Why the link went away, where that ended the run."""
    lateness: Lateness


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
    serving = Serving(node, link.now(), tap, events)
    closed: LinkClosed | None = None
    try:
        while True:
            while (frame := node.poll_transmit()) is not None:
                at = link.now()
                link.send(frame, deadline=at + send_within)
                serving.sent(frame, at)
            now = serving.now = max(serving.now, link.now())
            if (limit is not None and now >= limit) or (until is not None and until(now)):
                break
            due = node.next_timeout()
            deadline = now + _IDLE if due is None or until is not None else due
            if due is not None and due < deadline:
                deadline = due
            if limit is not None and limit < deadline:
                deadline = limit
            received = link.receive(deadline=deadline)
            while (event := link.poll_event()) is not None:
                serving.tell(event)
            serving.take(received, due, link.now)
    except LinkClosed as error:
        closed = error
        while (event := link.poll_event()) is not None:
            serving.tell(event)
    return Driven(serving.now, closed, serving.meter.lateness())
