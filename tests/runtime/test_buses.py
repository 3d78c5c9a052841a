"""Several buses in one virtual time: order, causality, determinism."""

from collections import deque
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swapproto.errors import LinkUnavailable
from swapproto.frame import MICROSECOND, MILLISECOND, SECOND, CanFrame, Instant
from swapproto.runtime.buses import Buses
from swapproto.runtime.virtual import Livelock, VirtualBus
from swapproto.runtime.wire_time import frame_bits

BIT = 4 * MICROSECOND


class Beacon:
    """Sends a frame each period, and keeps when it heard what."""

    def __init__(self, can_id: int, period: int = 0, first: Instant = 0) -> None:
        self.can_id = can_id
        self.period = period
        self.due: Instant | None = first if period else None
        self.out: deque[CanFrame] = deque()
        self.heard: list[tuple[int, Instant]] = []

    def receive(self, frame: CanFrame, now: Instant) -> None:
        self.heard.append((frame.id, now))

    def handle_timeout(self, now: Instant) -> None:
        if self.due is not None and now >= self.due:
            self.due += self.period
            self.out.append(CanFrame(self.can_id))

    def next_timeout(self) -> Instant | None:
        return self.due

    def poll_transmit(self) -> CanFrame | None:
        return self.out.popleft() if self.out else None


class Bell:
    """Stands beside the buses; rings when it was set to."""

    def __init__(self, *strokes: Instant) -> None:
        self.strokes = sorted(strokes)
        self.rang: list[Instant] = []

    def handle_timeout(self, now: Instant) -> None:
        while self.strokes and self.strokes[0] <= now:
            self.strokes.pop(0)
            self.rang.append(now)

    def next_timeout(self) -> Instant | None:
        return self.strokes[0] if self.strokes else None


class Gateway(Bell):
    """Passes what its side of one bus hears to the other bus, some time later."""

    def __init__(self, delay: int) -> None:
        super().__init__()
        self.delay = delay
        self.near, self.far = Beacon(0), Beacon(0)
        self.near.receive = self._take  # type: ignore[method-assign]  # a node of two lines
        self.waiting: deque[CanFrame] = deque()

    def _take(self, frame: CanFrame, now: Instant) -> None:
        self.waiting.append(frame)
        self.strokes.append(now + self.delay)

    def handle_timeout(self, now: Instant) -> None:
        before = len(self.rang)
        super().handle_timeout(now)
        for _ in self.rang[before:]:
            self.far.out.append(self.waiting.popleft())


def _bus(*nodes: Beacon, bitrate: int = 250_000) -> VirtualBus:
    bus = VirtualBus(bitrate)
    for number, node in enumerate(nodes):
        bus.attach(node, f"n{number}")
    return bus


def test_each_bus_runs_as_it_would_alone() -> None:
    def pair(can_id: int) -> tuple[Beacon, Beacon]:
        return Beacon(can_id, 7 * MILLISECOND), Beacon(can_id + 1, 11 * MILLISECOND, MILLISECOND)

    alone = [pair(0x100), pair(0x200)]
    for nodes in alone:
        _bus(*nodes).run_until(SECOND)
    together = [pair(0x100), pair(0x200)]
    buses = Buses()
    buses.add(Bell(*range(0, SECOND, 3 * MILLISECOND)), "bell")
    for name, nodes in zip("ab", together, strict=True):
        buses.add_bus(name, _bus(*nodes))
    buses.run_until(SECOND)
    assert [[node.heard for node in nodes] for nodes in together] == [
        [node.heard for node in nodes] for nodes in alone
    ]
    assert buses.now == buses["a"].now == buses["b"].now == SECOND


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32))
def test_frames_and_turns_come_in_order_of_time_whatever_the_load(seed: int) -> None:
    random = Random(seed)
    buses, seen = Buses(), list[Instant]()
    bell = buses.add(Bell(*(random.randrange(SECOND) for _ in range(50))), "bell")
    strokes = list(bell.strokes)
    for name in "abc":
        nodes = [
            Beacon(random.randrange(1 << 29), random.randrange(1, 50) * MILLISECOND, random.randrange(SECOND))
            for _ in range(3)
        ]
        buses.add_bus(name, _bus(*nodes, bitrate=random.choice((250_000, 500_000))))
    buses.tap(lambda _channel, _frame, at, _sender: seen.append(at))
    buses.run_until(SECOND)
    assert seen == sorted(seen)
    assert bell.rang == strokes


@pytest.mark.parametrize("delay", [0, 1, BIT, 3 * MILLISECOND])
def test_what_passes_a_gateway_comes_at_its_time_though_the_other_bus_sleeps(delay: int) -> None:
    gateway, listener = Gateway(delay), Beacon(0)
    buses = Buses()
    buses.add_bus("near", _bus(Beacon(0x123, 100 * MILLISECOND), gateway.near))
    buses.add_bus("far", _bus(gateway.far, listener))
    buses.add(gateway, "gateway")
    buses.run_until(350 * MILLISECOND)
    wire = frame_bits(CanFrame(0x123)) * BIT
    assert listener.heard == [(0x123, n * 100 * MILLISECOND + 2 * wire + delay) for n in range(4)]


def test_a_run_ends_at_the_event_that_the_predicate_waits_for() -> None:
    listener = Beacon(0)
    buses = Buses()
    buses.add_bus("a", _bus(Beacon(1, 10 * MILLISECOND), listener))
    bell = buses.add(Bell(5 * MILLISECOND, 55 * MILLISECOND), "bell")
    assert buses.run(lambda: len(listener.heard) == 3, limit=SECOND)
    assert buses.now == listener.heard[-1][1]
    assert buses.run(lambda: len(bell.rang) == 2, limit=SECOND)
    assert buses.now == 55 * MILLISECOND
    assert not buses.run(lambda: False, limit=60 * MILLISECOND)
    assert buses.now == 60 * MILLISECOND
    assert buses.run(lambda: True, limit=0)
    assert buses.now == 60 * MILLISECOND


def test_taps_name_the_channel_and_end() -> None:
    buses, seen = Buses(), list[tuple[str, str]]()
    for name in ("truck", "bay1"):
        buses.add_bus(name, _bus(Beacon(1, SECOND), Beacon(2)))
    untap = buses.tap(lambda channel, _frame, _at, sender: seen.append((channel, sender)))
    buses.run_until(MILLISECOND)
    buses.add_bus("late", _bus(Beacon(1, SECOND), Beacon(2)))
    buses.run_until(2 * MILLISECOND)
    untap()
    buses.run_until(2 * SECOND)
    assert seen == [("truck", "n0"), ("bay1", "n0"), ("late", "n0")]
    assert buses.names == ("truck", "bay1", "late")


def test_a_name_is_taken_once_and_a_bus_from_the_future_is_refused() -> None:
    buses = Buses()
    buses.add_bus("a", VirtualBus())
    with pytest.raises(LinkUnavailable, match="'a'"):
        buses.add(Bell(), "a")
    ahead = VirtualBus(start=SECOND)
    with pytest.raises(LinkUnavailable, match="b"):
        buses.add_bus("b", ahead)


def test_one_that_never_lets_time_pass_is_named() -> None:
    class Stuck(Bell):
        def handle_timeout(self, now: Instant) -> None:
            self.rang.append(now)

    buses = Buses()
    buses.add_bus("a", _bus(Beacon(1, SECOND), Beacon(2)))
    buses.add(Stuck(MILLISECOND), "stuck")
    with pytest.raises(Livelock, match="stuck") as caught:
        buses.run_until(SECOND)
    assert caught.value.at == MILLISECOND
