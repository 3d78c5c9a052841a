"""Many links in one process: what belongs together, what ends alone, and an end in bounded time."""

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from swapproto.errors import LinkClosed, LinkError, LinkUnavailable
from swapproto.frame import MILLISECOND, SECOND, CanFrame, Instant
from swapproto.link import LinkEvent, LinkEventKind
from swapproto.plugins import open_link
from swapproto.runtime.station import StationRunner
from tests.runtime.runtime_links import PATIENCE, Collector, FedLink, StuckLink, runtime_threads

PING, PONG = CanFrame(0x18FF50E5, b"ping"), CanFrame(0x18FF50F4, b"pong")
LONG = round(PATIENCE * SECOND)


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    assert runtime_threads() == []


def test_many_buses_in_one_process() -> None:
    seen: list[tuple[str, bool]] = []
    lanes = {f"bay {n}": (Collector(lambda _: PONG), FedLink()) for n in range(8)}
    with StationRunner(tap=lambda name, _frame, _at, own: seen.append((name, own))) as station:
        for name, (node, link) in lanes.items():
            station.add(node, link, name)
            link.feed(*[PING] * 20)
        ends = station.run(lambda: all(link.sent == [PONG] * 20 for _, link in lanes.values()), duration=LONG)
    assert set(ends) == set(lanes)
    for name, (node, link) in lanes.items():
        assert node.heard == [PING] * 20
        assert len(link.users) == 1, "a link is used by one thread"
        assert link.closed
        assert (ends[name].error, ends[name].blocked) == (None, False)
        assert [own for lane, own in seen if lane == name].count(False) == 20
        assert seen.count((name, True)) == 20


def test_a_link_that_fails_ends_its_lane_alone_and_its_node_is_told() -> None:
    bad, good = (Collector(), FedLink()), (Collector(), FedLink())
    events: list[tuple[str, LinkEventKind]] = []
    with StationRunner(events=lambda name, event: events.append((name, event.kind))) as station:
        station.add(*bad, "bad")
        station.add(*good, "good")
        bad[1].tell(LinkEvent(LinkEventKind.BUS_OFF, 0))
        bad[1].fail(LinkClosed("pulled out"))
        ends = station.run(lambda: "bad" in station.ends, duration=LONG)
        assert ends["good"].error is None
    with pytest.raises(LinkUnavailable, match="was stopped"):
        station.add(*good, "again")
    assert isinstance(ends["bad"].error, LinkClosed)
    assert [event.kind for event in bad[0].told] == [LinkEventKind.BUS_OFF, LinkEventKind.CLOSED]
    assert events == [("bad", LinkEventKind.BUS_OFF), ("bad", LinkEventKind.CLOSED)]
    assert bad[1].closed
    assert good[0].told == []


def test_the_others_go_on_after_a_lane_ended() -> None:
    bad, good = FedLink(), FedLink()
    node = Collector()
    with StationRunner() as station:
        station.add(Collector(), bad, "bad")
        station.add(node, good, "good")
        bad.fail(LinkError("no room"))

        def over() -> bool:
            if "bad" in station.ends and good.empty and not node.heard:
                good.feed(PING)
            return bool(node.heard)

        assert set(station.run(over, duration=LONG)) == {"bad", "good"}
    assert node.heard == [PING]


def test_a_run_ends_with_its_last_lane() -> None:
    link = FedLink()
    with StationRunner() as station:
        station.add(Collector(), link, "only")
        link.fail(LinkClosed("gone"))
        assert isinstance(station.run()["only"].error, LinkClosed)


def test_a_driver_that_never_returns_delays_nobody() -> None:
    stuck, link, node = StuckLink(), FedLink(), Collector()
    station = StationRunner()
    station.add(Collector(), stuck, "stuck")
    station.add(node, link, "good")
    link.feed(PING)
    assert stuck.inside.wait(PATIENCE)
    link.wait(lambda _: link.empty)
    ends = station.stop(within=100 * MILLISECOND)
    assert ends["stuck"].blocked
    assert link.closed
    assert not stuck.closed, "only its own thread may close it"
    stuck.freed.set()
    stuck.wait(lambda _: stuck.closed)
    for thread in threading.enumerate():
        if thread.name == "lane stuck":
            thread.join(PATIENCE)
    assert not station.ends["stuck"].blocked


class Exclusive(Collector):
    """Fails if two threads are in its group at once."""

    def __init__(self, guard: threading.Lock, broken: list[str]) -> None:
        super().__init__()
        self._guard = guard
        self._broken = broken

    def receive(self, frame: CanFrame, now: Instant) -> None:
        if not self._guard.acquire(blocking=False):
            self._broken.append("two threads at once")
            return
        for _ in range(20):
            super().receive(frame, now)
        self._guard.release()


def test_a_group_is_served_by_one_thread_at_a_time() -> None:
    guard, broken = threading.Lock(), list[str]()
    nodes = [Exclusive(guard, broken) for _ in range(3)]
    links = [FedLink() for _ in nodes]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with StationRunner() as station:
            for n, (node, link) in enumerate(zip(nodes, links, strict=True)):
                link.feed(*[PING] * 300)
                station.add(node, link, f"bus {n}", group="swap")
            station.run(lambda: all(len(node.heard) == 6000 for node in nodes), duration=LONG)
    finally:
        sys.setswitchinterval(interval)
    assert broken == []
    assert [len(node.heard) for node in nodes] == [6000] * 3


class Relay:
    """An orchestrator beside two buses: what one hears the other says."""

    def __init__(self, ear: Collector, mouth: Collector) -> None:
        self.ear, self.mouth = ear, mouth

    def handle_timeout(self, now: Instant) -> None:
        del now
        while self.ear.heard:
            self.mouth.out.append(self.ear.heard.pop())

    def next_timeout(self) -> Instant | None:
        return 0 if self.ear.heard else None


def test_what_stands_beside_the_buses_brings_them_together() -> None:
    ear, mouth, heard, said = Collector(), Collector(), FedLink(), FedLink()
    with StationRunner() as station:
        station.add(ear, heard, "truck", group="swap")
        station.add(mouth, said, "plc", group="swap")
        station.add_timed(Relay(ear, mouth), "orchestrator", group="swap")
        with station.holding("swap"):
            heard.feed(PING)
        said.wait(lambda _: said.sent == [PING])
        ends = station.stop()
    assert ends["orchestrator"].lateness.timers >= 1


class Faulty(Collector):
    def receive(self, frame: CanFrame, now: Instant) -> None:
        raise ZeroDivisionError("a bug in a node")


def test_what_a_node_raises_stops_the_station_and_is_raised_once() -> None:
    link, other = FedLink(), FedLink()
    station = StationRunner()
    station.add(Faulty(), link, "faulty")
    station.add(Collector(), other, "good")
    link.feed(PING)
    with pytest.raises(ZeroDivisionError, match="a bug in a node"):
        station.run()
    assert link.closed
    assert other.closed
    station.stop()


def test_names_are_taken_once_and_unknown_ones_told() -> None:
    with StationRunner() as station:
        station.add(Collector(), FedLink(), "truck", group="swap")
        station.add(Collector(), FedLink(), "bay")
        for name, group in (("truck", None), ("swap", None), ("other", "bay")):
            with pytest.raises(LinkUnavailable, match="choose another"):
                station.add(Collector(), FedLink(), name, group=group)
        with pytest.raises(LinkUnavailable, match=r"no lone lane 'truck' here.*swap, bay"):
            station.holding("truck")


def test_real_time_refused_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", refuse, raising=False)
    with StationRunner(realtime=True) as station:
        station.add(Collector(), FedLink(), "bay")
        ends = station.stop()
    assert "SCHED_FIFO" in ends["bay"].scheduling


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs a list of open files")
def test_nothing_is_left_of_many_stations() -> None:
    def files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    def once(n: int) -> None:
        with StationRunner(reaction=MILLISECOND) as station:
            for name in ("a", "b"):
                station.add(Collector(), open_link(f"can:virtual:left-{n}"), name)

    once(0)
    threads, before = threading.active_count(), files()
    for n in range(30):
        once(n)
    assert (threading.active_count(), files()) == (threads, before)
