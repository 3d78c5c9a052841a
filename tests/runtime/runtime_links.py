"""Links and nodes for tests of runners with threads: they wait for conditions, and for no time."""

import threading
import time
from collections import deque
from collections.abc import Callable

from swapproto.errors import LinkClosed, LinkError
from swapproto.frame import SECOND, CanFrame, Instant, Received
from swapproto.link import LinkCaps, LinkEvent

PATIENCE = 20.0
"""Seconds after which a test that hangs fails."""


class FedLink:
    """A port that tests feed and read, from any thread."""

    def __init__(self, name: str = "fed", *, echo: bool = False) -> None:
        self.sent: list[CanFrame] = []
        self.closed = False
        self.fails: Exception | None = None
        self.users: set[int] = set()
        """Threads that sent or received."""
        self._caps = LinkCaps(name, echo=echo)
        self._turn = threading.Condition()
        self._inbox: deque[Received] = deque()
        self._events: deque[LinkEvent] = deque()

    @property
    def caps(self) -> LinkCaps:
        return self._caps

    def now(self) -> Instant:
        return time.monotonic_ns()

    def feed(self, *frames: CanFrame) -> None:
        with self._turn:
            self._inbox.extend([Received(frame, self.now()) for frame in frames])
            self._turn.notify_all()

    def fail(self, error: Exception) -> None:
        with self._turn:
            self.fails = error
            self._turn.notify_all()

    def tell(self, event: LinkEvent) -> None:
        self._events.append(event)

    def wait(self, until: Callable[["FedLink"], bool]) -> None:
        """Until what the other thread did makes it true."""
        with self._turn:
            assert self._turn.wait_for(lambda: until(self), PATIENCE)

    @property
    def empty(self) -> bool:
        return not self._inbox

    def send(self, frame: CanFrame, *, deadline: Instant) -> None:
        del deadline
        with self._turn:
            self._check()
            self.sent.append(frame)
            if self._caps.echo:
                self._inbox.append(Received(frame, self.now()))
            self._turn.notify_all()

    def receive(self, *, deadline: Instant) -> Received | None:
        with self._turn:
            self._check()
            left = (deadline - self.now()) / SECOND
            if not self._inbox and left > 0:
                self._turn.wait(left)
                self._check()
            self._turn.notify_all()
            return self._inbox.popleft() if self._inbox else None

    def poll_event(self) -> LinkEvent | None:
        return self._events.popleft() if self._events else None

    def close(self) -> None:
        with self._turn:
            self.closed = True
            self._turn.notify_all()

    def _check(self) -> None:
        self.users.add(threading.get_ident())
        if self.fails is not None:
            raise self.fails
        if self.closed:
            raise LinkClosed("closed")


class StuckLink(FedLink):
    """A driver that does not return at its deadline until it is freed."""

    def __init__(self) -> None:
        super().__init__("stuck")
        self.inside = threading.Event()
        self.freed = threading.Event()

    def receive(self, *, deadline: Instant) -> Received | None:
        self.inside.set()
        if not self.freed.wait(PATIENCE):
            raise LinkError("never freed")
        return super().receive(deadline=deadline)


class Collector:
    """A node that notes what it gets, and sends what it is given."""

    def __init__(self, answer: Callable[[CanFrame], CanFrame | None] = lambda _: None) -> None:
        self.heard: list[CanFrame] = []
        self.told: list[LinkEvent] = []
        self.out: deque[CanFrame] = deque()
        self.due: Instant | None = None
        self.threads: set[int] = set()
        self._answer = answer

    def receive(self, frame: CanFrame, now: Instant) -> None:
        del now
        self.threads.add(threading.get_ident())
        self.heard.append(frame)
        answer = self._answer(frame)
        if answer is not None:
            self.out.append(answer)

    def handle_timeout(self, now: Instant) -> None:
        if self.due is not None and self.due <= now:
            self.due = None

    def next_timeout(self) -> Instant | None:
        return self.due

    def poll_transmit(self) -> CanFrame | None:
        return self.out.popleft() if self.out else None

    def link_event(self, event: LinkEvent) -> None:
        self.told.append(event)


def runtime_threads() -> list[str]:
    """Names of the threads of this library that are alive."""
    begins = ("aio ", "lane ", "cyclic ")
    return [each.name for each in threading.enumerate() if each.name.startswith(begins)]
