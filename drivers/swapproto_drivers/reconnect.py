"""A link that outlives its device: it opens the port anew after it went away, with growing pauses.

`reconnect:URL` wraps any link: `reconnect:can:pcan:PCAN_USBBUS1?bitrate=250000&first=0.1&longest=5`.
What is sent while the device is away is lost, and counted, as on a cable that was pulled out.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping

from swapproto.errors import LinkClosed, LinkError, LinkUnavailable
from swapproto.frame import SECOND, CanFrame, Instant, Received
from swapproto.link import MAX_LINK_EVENTS, Link, LinkCaps, LinkEvent, LinkEventKind
from swapproto.plugins import open_link as open_any
from swapproto_drivers._options import number

FIRST = SECOND // 10
LONGEST = 5 * SECOND
_CLOCK = time.monotonic_ns


class ReconnectingLink:
    """Wraps what ``opened`` opens; pauses between tries go from ``first`` ns, doubled, up to ``longest``."""

    def __init__(self, opened: Callable[[], Link], *, first: int = FIRST, longest: int = LONGEST) -> None:
        if not 0 < first <= longest:
            raise ValueError(f"pauses from {first} to {longest} ns: the first is above 0 and not the longer")
        self._opened = opened
        self._first = first
        self._longest = longest
        self._link: Link | None = opened()
        self._caps = self._link.caps
        self._offset = _CLOCK() - self._link.now()
        self._events: deque[LinkEvent] = deque(maxlen=MAX_LINK_EVENTS)
        self._pause = first
        self._next_try: Instant = 0
        self._away_since: Instant = 0
        self._dropped = 0
        self._closed = False

    @property
    def caps(self) -> LinkCaps:
        return self._caps

    @property
    def connected(self) -> bool:
        return self._link is not None

    def now(self) -> Instant:
        return _CLOCK()

    def send(self, frame: CanFrame, *, deadline: Instant) -> None:
        self._check_open()
        link = self._link or self._reopen()
        if link is None:
            self._dropped += 1
            return
        try:
            link.send(frame, deadline=deadline - self._offset)
        except LinkClosed as error:
            self._gone(link, error)
            self._dropped += 1

    def receive(self, *, deadline: Instant) -> Received | None:
        self._check_open()
        while True:
            link = self._link or self._reopen()
            if link is None:
                left = min(deadline, self._next_try) - _CLOCK()
                if left > 0:
                    time.sleep(left / SECOND)
                if _CLOCK() >= deadline:
                    return None
                continue
            try:
                received = link.receive(deadline=deadline - self._offset)
            except LinkClosed as error:
                self._gone(link, error)
                continue
            self._take_events(link)
            return received if received is None else Received(received.frame, received.at + self._offset)

    def poll_event(self) -> LinkEvent | None:
        if self._link is not None:
            self._take_events(self._link)
        return self._events.popleft() if self._events else None

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._link is not None:
            self._link.close()

    def _take_events(self, link: Link) -> None:
        while (event := link.poll_event()) is not None:
            self._events.append(LinkEvent(event.kind, event.at + self._offset, event.text, event.count))

    def _gone(self, link: Link, why: LinkError) -> None:
        self._take_events(link)
        self._link = None
        self._away_since = _CLOCK()
        self._events.append(LinkEvent(LinkEventKind.CLOSED, self._away_since, str(why)))
        self._pause = self._first
        self._next_try = self._away_since + self._pause
        try:
            link.close()
        except LinkError:
            return  # it is gone, and what its driver says of that changes nothing

    def _reopen(self) -> Link | None:
        """Open the port if a try is due; None while it is away."""
        now = _CLOCK()
        if now < self._next_try:
            return None
        try:
            link = self._opened()
        except LinkError:
            self._pause = min(2 * self._pause, self._longest)
            self._next_try = _CLOCK() + self._pause
            return None
        now = _CLOCK()
        self._link, self._caps, self._offset = link, link.caps, now - link.now()
        away = (now - self._away_since) / SECOND
        if self._dropped:
            text = "sent while the device was away, and lost"
            self._events.append(LinkEvent(LinkEventKind.DROPPED, now, text, self._dropped))
            self._dropped = 0
        self._events.append(LinkEvent(LinkEventKind.REOPENED, now, f"after {away:.3f} s"))
        return link

    def _check_open(self) -> None:
        if self._closed:
            raise LinkClosed(f"{self._caps.name}: this link was closed")


def open_link(rest: str, options: Mapping[str, str]) -> ReconnectingLink:
    """Open `reconnect:URL`; options first and longest are pauses in seconds, all others are the URL's own."""
    link = f"reconnect:{rest}"
    inner = {name: text for name, text in options.items() if name not in ("first", "longest")}
    first = round(number(link, options, "first", FIRST / SECOND) * SECOND)
    longest = round(number(link, options, "longest", LONGEST / SECOND) * SECOND)
    try:
        return ReconnectingLink(lambda: open_any(rest, **inner), first=first, longest=longest)
    except ValueError as error:
        raise LinkUnavailable(f"{link}: {error}") from None
