"""One node over one link, in virtual time."""

from collections import deque

import pytest

from swapproto.errors import LinkClosed
from swapproto.frame import MILLISECOND, SECOND, CanFrame, Instant, Received
from swapproto.link import LinkCaps, LinkEvent
from swapproto.runtime.blocking import Lateness, drive
from swapproto.runtime.virtual import VirtualBus
from swapproto_drivers.virtual import VirtualLink

PING, PONG = CanFrame(0x18FF50E5, b"ping"), CanFrame(0x18FF50F4, b"pong")


class Pinger:
    """Sends a ping each 10 ms."""

    def __init__(self) -> None:
        self.due: Instant = 0
        self.out: deque[CanFrame] = deque()
        self.heard: list[CanFrame] = []
        self.calls: list[Instant] = []

    def receive(self, frame: CanFrame, now: Instant) -> None:
        self.calls.append(now)
        self.heard.append(frame)

    def handle_timeout(self, now: Instant) -> None:
        self.calls.append(now)
        if now >= self.due:
            self.due += 10 * MILLISECOND
            self.out.append(PING)

    def next_timeout(self) -> Instant | None:
        return self.due

    def poll_transmit(self) -> CanFrame | None:
        return self.out.popleft() if self.out else None


class Ponger(Pinger):
    """Answers."""

    def receive(self, frame: CanFrame, now: Instant) -> None:
        super().receive(frame, now)
        self.out.append(PONG)

    def next_timeout(self) -> Instant | None:
        return None


def _link() -> VirtualLink:
    bus = VirtualBus()
    bus.attach(Ponger(), "ponger")
    return VirtualLink(bus, "link")


def test_until_the_limit_with_no_timer_late() -> None:
    node = Pinger()
    result = drive(node, _link(), limit=SECOND)
    assert (result.ended, result.closed) == (SECOND, None)
    assert node.heard == [PONG] * 100
    assert result.lateness == Lateness(timers=101), "the one at the limit included"


def test_until_the_predicate_and_the_tap_sees_both_ways() -> None:
    node = Pinger()
    seen: list[tuple[CanFrame, bool]] = []
    result = drive(
        node,
        _link(),
        until=lambda _: len(node.heard) == 3,
        tap=lambda frame, _, own: seen.append((frame, own)),
    )
    assert seen == [(PING, True), (PONG, False)] * 3
    assert 20 * MILLISECOND < result.ended < 25 * MILLISECOND


def test_a_node_without_timer_still_meets_its_predicate() -> None:
    link = VirtualLink(VirtualBus(), "alone")
    result = drive(Ponger(), link, until=lambda now: now >= SECOND)
    assert result.ended == SECOND


def test_a_run_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="until or limit"):
        drive(Pinger(), _link())


class SlowLink:
    """A host that looks at its link late: each call takes time, frames come with old stamps."""

    def __init__(self, frames: list[Received], cost: int, gone_at: Instant) -> None:
        self.frames = deque(frames)
        self.cost = cost
        self.gone_at = gone_at
        self.time: Instant = 0
        self.sent: list[CanFrame] = []

    @property
    def caps(self) -> LinkCaps:
        return LinkCaps("slow")

    def now(self) -> Instant:
        return self.time

    def send(self, frame: CanFrame, *, deadline: Instant) -> None:
        assert deadline > self.time
        self.sent.append(frame)

    def receive(self, *, deadline: Instant) -> Received | None:
        if self.time >= self.gone_at:
            raise LinkClosed("unplugged")
        self.time += self.cost
        if self.frames and self.frames[0].at <= self.time:
            return self.frames.popleft()
        self.time = max(self.time, deadline)
        return None

    def poll_event(self) -> LinkEvent | None:
        return None

    def close(self) -> None:
        self.gone_at = 0


def test_lateness_is_measured_and_a_link_that_goes_away_ends_the_run() -> None:
    node = Pinger()
    link = SlowLink([], 13 * MILLISECOND, gone_at=SECOND)
    result = drive(node, link, limit=2 * SECOND)
    assert result.closed is not None
    assert "unplugged" in str(result.closed)
    assert result.ended >= SECOND
    assert result.lateness.timers == len(link.sent) == 77
    # Each turn takes 13 ms of the 10 ms period, so that the timers fall behind by 3 ms more each time.
    assert result.lateness.max == 13 * MILLISECOND + 76 * 3 * MILLISECOND
    assert result.lateness.p50 == 13 * MILLISECOND + 38 * 3 * MILLISECOND
    assert result.lateness.p99 == result.lateness.max


def test_frames_and_timers_are_served_in_the_order_of_their_instants() -> None:
    node = Pinger()
    node.due = 5 * MILLISECOND
    link = SlowLink(
        [Received(PONG, 4 * MILLISECOND), Received(PONG, 6 * MILLISECOND)], 8 * MILLISECOND, SECOND
    )
    order: list[str] = []
    node_receive, node_timeout = node.receive, node.handle_timeout

    def receive(frame: CanFrame, now: Instant) -> None:
        order.append("frame")
        node_receive(frame, now)

    def handle_timeout(now: Instant) -> None:
        order.append("timer")
        node_timeout(now)

    node.receive, node.handle_timeout = receive, handle_timeout  # type: ignore[method-assign] # a spy
    drive(node, link, until=lambda _: len(order) == 3)
    assert order == ["frame", "timer", "frame"]
    assert node.calls == sorted(node.calls), "a node's clock never goes back"
