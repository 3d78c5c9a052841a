"""Several readers of one link, each of which sees all frames.

Usage::

    fanout = Fanout(open_link("can:socketcan:can0"))
    drive(endpoint, fanout.reader("charger"), ...)          # in one thread
    watch(fanout.reader("monitor"))                         # in another
    fanout.close()

There is no thread behind it: of the readers that wait, one reads the link for all. What one sends the others
receive, once; whether it comes back to itself is as the link's capabilities say.
"""

from collections import deque
from threading import Condition

import msgspec

from swapproto.errors import LinkClosed, LinkError
from swapproto.frame import MILLISECOND, SECOND, CanFrame, Instant, Received
from swapproto.link import MAX_LINK_EVENTS, Link, LinkCaps, LinkEvent, LinkEventKind

QUEUE = 1 << 13
"""Frames that wait for a reader; 4 s of a full 250 kbit/s bus."""
SLICE = MILLISECOND
"""How long a thread that sends waits at most for the one that reads."""
_CLOSE_WITHIN = 2.0
"""Seconds."""


class Fanout:
    """Shares a link, which it closes; a reader that lets ``queue`` frames wait loses its own later ones."""

    def __init__(self, link: Link, *, queue: int = QUEUE) -> None:
        self._shared = _Shared(link, queue)

    def reader(self, name: str = "") -> "FanoutReader":
        """A view of what happens from now on, for one thread; closing it leaves the link open."""
        return self._shared.add(name)

    def close(self) -> None:
        """Close the link, and with it all views, whichever thread waits in one."""
        self._shared.close()


class FanoutReader:
    """One view (a Link), made by Fanout.reader."""

    def __init__(self, shared: "_Shared", inbox: "_Inbox", caps: LinkCaps) -> None:
        self._shared = shared
        self._inbox = inbox
        self._caps = caps
        self._closed = False

    @property
    def caps(self) -> LinkCaps:
        return self._caps

    def now(self) -> Instant:
        return self._shared.now()

    def send(self, frame: CanFrame, *, deadline: Instant) -> None:
        self._check_open()
        self._shared.send(self._inbox, frame, deadline)

    def receive(self, *, deadline: Instant) -> Received | None:
        self._check_open()
        return self._shared.receive(self._inbox, deadline)

    def poll_event(self) -> LinkEvent | None:
        return self._shared.poll_event(self._inbox)

    def close(self) -> None:
        self._closed = True
        self._shared.remove(self._inbox)

    def _check_open(self) -> None:
        if self._closed:
            raise LinkClosed(f"{self._caps.name}: this view was closed")


class _Inbox:
    """What waits for one reader; guarded by the shared lock."""

    def __init__(self, size: int) -> None:
        self.events: deque[LinkEvent] = deque(maxlen=MAX_LINK_EVENTS)
        self.lost = 0
        self._frames: deque[Received] = deque()
        self._size = size
        self._last: Instant = 0

    def put(self, received: Received) -> None:
        if len(self._frames) >= self._size:
            self.lost += 1
            return
        if received.at < self._last:
            # It came before a frame that another reader sent, but was read after it.
            received = Received(received.frame, self._last)
        self._last = received.at
        self._frames.append(received)

    def take(self) -> Received | None:
        return self._frames.popleft() if self._frames else None


class _Shared:
    """The link, whose one user at a time is whoever made it busy."""

    def __init__(self, link: Link, size: int) -> None:
        self._link = link
        self._size = size
        self._turn = Condition()
        self._busy = False
        self._senders = 0
        """Threads that wait to send: nobody begins to read before them."""
        self._inboxes: list[_Inbox] = []
        self._made = 0
        self._closed = False

    def now(self) -> Instant:
        return self._link.now()

    def add(self, name: str) -> FanoutReader:
        with self._turn:
            self._check_open()
            self._made += 1
            caps = self._link.caps
            inbox = _Inbox(self._size)
            self._inboxes.append(inbox)
        named = msgspec.structs.replace(caps, name=f"{caps.name} ({name or self._made})")
        return FanoutReader(self, inbox, named)

    def remove(self, inbox: _Inbox) -> None:
        with self._turn:
            if inbox in self._inboxes:
                self._inboxes.remove(inbox)

    def send(self, sender: _Inbox, frame: CanFrame, deadline: Instant) -> None:
        with self._turn:
            self._senders += 1
            self._turn.wait_for(lambda: not self._busy)
            self._senders -= 1
            self._check_open()
            self._busy = True
        sent: Received | None = None
        try:
            self._link.send(frame, deadline=deadline)
            if not self._link.caps.echo:
                sent = Received(frame, self._link.now())
        finally:
            self._leave(sent, sender)

    def receive(self, reader: _Inbox, deadline: Instant) -> Received | None:
        last = False
        while True:
            with self._turn:
                received = reader.take()
                if received is not None or last:
                    return received
                self._check_open()
                now = self._link.now()
                last = now >= deadline
                if self._busy or self._senders:
                    if not last:
                        self._turn.wait(min(deadline - now, SECOND) / SECOND)
                    continue
                self._busy = True
            try:
                received = self._link.receive(deadline=min(deadline, now + SLICE))
            finally:
                self._leave(received)

    def poll_event(self, reader: _Inbox) -> LinkEvent | None:
        with self._turn:
            if reader.events:
                return reader.events.popleft()
            if not reader.lost:
                return None
            lost, reader.lost = reader.lost, 0
        return LinkEvent(LinkEventKind.OVERRUN, self._link.now(), "this reader was too slow", lost)

    def close(self) -> None:
        with self._turn:
            if self._closed:
                return
            self._closed = True
            self._turn.notify_all()
            if not self._turn.wait_for(lambda: not self._busy, _CLOSE_WITHIN):
                raise LinkError(f"{self._link.caps.name}: the driver does not return: the link is left open")
        self._link.close()

    def _leave(self, news: Received | None, sender: _Inbox | None = None) -> None:
        """Tell all, save the sender of a frame, and let the next one into the link."""
        with self._turn:
            while (event := self._link.poll_event()) is not None:
                for inbox in self._inboxes:
                    inbox.events.append(event)
            if news is not None:
                for inbox in self._inboxes:
                    if inbox is not sender:
                        inbox.put(news)
            self._busy = False
            self._turn.notify_all()

    def _check_open(self) -> None:
        if self._closed:
            raise LinkClosed(f"{self._link.caps.name}: this link was closed")
