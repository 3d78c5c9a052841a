"""What every runner does with a node between two waits."""

from collections.abc import Callable
from typing import TypeAlias

from swapproto.frame import CanFrame, Instant, Received
from swapproto.link import LinkEvent, Node, Told
from swapproto.runtime.lateness import LatenessMeter

FrameTap: TypeAlias = Callable[[CanFrame, Instant, bool], object]
"""Called with a frame, its instant, and whether it is the node's own."""
EventTap: TypeAlias = Callable[[LinkEvent], object]


class Serving:
    """A node whose clock never goes back, and whose frames and timers come in the order of their instants."""

    __slots__ = ("_events", "_node", "_tap", "_told", "meter", "now")

    def __init__(self, node: Node, now: Instant, tap: FrameTap | None, events: EventTap | None) -> None:
        self.now = now
        self.meter = LatenessMeter()
        self._node = node
        self._tap = tap
        self._events = events
        self._told = node.link_event if isinstance(node, Told) else None

    def take(self, received: Received | None, due: Instant | None, clock: Callable[[], Instant]) -> None:
        """Serve a frame, if there is one, and before it the timer that was due until then."""
        if due is not None and due <= (clock() if received is None else received.at):
            self.now = max(self.now, clock())
            self.meter.served(self.now - due)
            self._node.handle_timeout(self.now)
        if received is not None:
            if self._tap is not None:
                self._tap(received.frame, received.at, False)
            self.now = max(self.now, received.at)
            self._node.receive(received.frame, self.now)

    def sent(self, frame: CanFrame, at: Instant) -> None:
        if self._tap is not None:
            self._tap(frame, at, True)

    def tell(self, event: LinkEvent) -> None:
        if self._told is not None:
            self._told(event)
        if self._events is not None:
            self._events(event)
