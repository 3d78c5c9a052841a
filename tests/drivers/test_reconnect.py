"""A link whose device goes away and comes back."""

from collections import deque

import pytest

from swapproto.errors import LinkClosed, LinkError, LinkUnavailable
from swapproto.frame import MILLISECOND, SECOND, CanFrame, Instant, Received
from swapproto.link import Link, LinkCaps, LinkEvent, LinkEventKind
from swapproto.plugins import open_link
from swapproto_drivers.contract import LinkContract
from swapproto_drivers.reconnect import ReconnectingLink


class TestReconnecting(LinkContract):
    opened = 0

    def open_pair(self) -> tuple[Link, Link]:
        type(self).opened += 1
        url = f"can:virtual:reconnect-{self.opened}"
        return open_link(f"reconnect:{url}"), open_link(url)


class Cable:
    """A port that can be pulled out; its clock begins at zero each time."""

    def __init__(self) -> None:
        self.plugged = True
        self.opened = 0
        self.closed = 0
        self.inbox: deque[CanFrame] = deque()
        self.sent: list[CanFrame] = []

    def open(self) -> Link:
        if not self.plugged:
            raise LinkUnavailable("no such device")
        self.opened += 1
        return _Port(self)


class _Port:
    def __init__(self, cable: Cable) -> None:
        self._cable = cable
        self._time: Instant = 0
        self._events = deque([LinkEvent(LinkEventKind.ERROR_WARNING, 0, "from the port")])

    @property
    def caps(self) -> LinkCaps:
        return LinkCaps("cable")

    def now(self) -> Instant:
        return self._time

    def send(self, frame: CanFrame, *, deadline: Instant) -> None:
        self._check()
        self._cable.sent.append(frame)

    def receive(self, *, deadline: Instant) -> Received | None:
        self._check()
        self._time = max(self._time, deadline)
        return Received(self._cable.inbox.popleft(), self._time) if self._cable.inbox else None

    def poll_event(self) -> LinkEvent | None:
        return self._events.popleft() if self._events else None

    def close(self) -> None:
        self._cable.closed += 1
        raise LinkError("closing what is gone fails")

    def _check(self) -> None:
        if not self._cable.plugged:
            raise LinkClosed("pulled out")


def kinds(link: Link) -> list[LinkEventKind]:
    found: list[LinkEventKind] = []
    while (event := link.poll_event()) is not None:
        found.append(event.kind)
    return found


def test_the_device_comes_back_and_both_ends_of_the_gap_are_told() -> None:
    cable = Cable()
    link = ReconnectingLink(cable.open, first=MILLISECOND, longest=2 * MILLISECOND)
    link.send(CanFrame(1), deadline=link.now() + SECOND)
    cable.plugged = False
    link.send(CanFrame(2), deadline=link.now() + SECOND)
    assert not link.connected
    assert link.receive(deadline=link.now() + 5 * MILLISECOND) is None
    link.send(CanFrame(3), deadline=link.now() + SECOND)
    cable.plugged = True
    cable.inbox.append(CanFrame(4))
    before = link.now()
    received = link.receive(deadline=link.now() + SECOND)
    assert received is not None
    assert received.frame == CanFrame(4)
    assert received.at >= before
    assert link.connected
    assert cable.sent == [CanFrame(1)]
    assert cable.opened == 2
    assert cable.closed == 1
    found: list[LinkEvent] = []
    while (event := link.poll_event()) is not None:
        found.append(event)
    told = [event.kind for event in found]
    assert told.count(LinkEventKind.CLOSED) == told.count(LinkEventKind.REOPENED) == 1
    assert told.index(LinkEventKind.CLOSED) < told.index(LinkEventKind.REOPENED)
    (dropped,) = [event for event in found if event.kind is LinkEventKind.DROPPED]
    assert dropped.count == 2
    assert [event.gap for event in found if event.kind is LinkEventKind.CLOSED] == [True]


def test_while_it_is_away_a_poll_returns_at_once_and_a_wait_at_its_deadline() -> None:
    cable = Cable()
    link = ReconnectingLink(cable.open, first=SECOND, longest=SECOND)
    cable.plugged = False
    assert link.receive(deadline=0) is None
    deadline = link.now() + 3 * MILLISECOND
    assert link.receive(deadline=deadline) is None
    assert deadline <= link.now() < deadline + SECOND // 2


def test_closed_it_stays_closed() -> None:
    cable = Cable()
    link = ReconnectingLink(cable.open)
    with pytest.raises(LinkError):
        link.close()
    link.close()
    with pytest.raises(LinkClosed, match="was closed"):
        link.receive(deadline=0)


@pytest.mark.parametrize("options", ["first=0", "first=2&longest=1"])
def test_pauses_that_make_no_sense_are_refused(options: str) -> None:
    with pytest.raises(LinkUnavailable, match="pauses from"):
        open_link(f"reconnect:can:virtual:pauses?{options}")


def test_a_device_that_is_not_there_at_first_is_an_error() -> None:
    cable = Cable()
    cable.plugged = False
    with pytest.raises(LinkUnavailable, match="no such device"):
        ReconnectingLink(cable.open)
