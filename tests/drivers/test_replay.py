"""A recording as a link, and a recording sent on a link."""

from itertools import count, pairwise
from pathlib import Path

import pytest

from swapproto.errors import LinkClosed, LinkUnavailable, LocalProtocolError
from swapproto.frame import MICROSECOND, MILLISECOND, SECOND, CanFrame, Instant, Received
from swapproto.link import Link, LinkEventKind
from swapproto.plugins import open_link
from swapproto.runtime.blocking import drive
from swapproto.runtime.virtual import VirtualBus
from swapproto.trace.candump import write_candump
from swapproto.trace.files import open_recording
from swapproto.trace.record import Record
from swapproto_drivers.replay import Replayed, ReplayLink, replay_onto
from swapproto_drivers.virtual import VirtualLink

_names = count()
START = 1_700_000_000_000_000
"""Microseconds at which the recordings begin."""


def record(at_ms: int, number: int = 0, *, channel: str = "can0", sent: bool | None = None) -> Record:
    data = number.to_bytes(2)
    return Record(START + at_ms * 1000, 0x18FF50E5, data, channel=channel, sent=sent)


def recorded(folder: Path, *records: Record, comments: tuple[str, ...] = ()) -> Path:
    path = folder / f"{next(_names)}.log"
    path.write_bytes(write_candump(records, comments))
    return path


class Tick:
    """A clock that passes only while somebody waits, a little too long each time."""

    def __init__(self, late: int = 0) -> None:
        self.time: Instant = 0
        self.late = late
        self.waits: list[Instant] = []

    def now(self) -> Instant:
        return self.time

    def wait_until(self, instant: Instant) -> None:
        self.waits.append(instant)
        self.time = max(self.time, instant + self.late)


def replay(path: Path, clock: Tick | None = None, *, speed: float | None = 1.0, **given: str) -> ReplayLink:
    return ReplayLink(open_recording(path), speed=speed, clock=clock or Tick(), channel=given.get("channel"))


def rest(link: Link) -> list[Received]:
    found: list[Received] = []
    try:
        while (received := link.receive(deadline=link.now() + 3600 * SECOND)) is not None:
            found.append(received)
    except LinkClosed:
        return found
    raise AssertionError("a recording ends by LinkClosed")


def test_as_fast_as_possible_the_stamps_are_those_of_the_recording(tmp_path: Path) -> None:
    path = recorded(tmp_path, *(record(250 * n, n) for n in range(1500)))
    link = open_link(f"replay:{path}?speed=max")
    found = rest(link)
    assert [each.at for each in found] == [(START + 250_000 * n) * MICROSECOND for n in range(1500)]
    assert [int.from_bytes(each.frame.data) for each in found] == list(range(1500))
    assert link.caps.stamp_source == "recording"
    assert link.caps.stamp_resolution == 250 * MILLISECOND
    assert link.caps.listen_only
    assert not link.caps.echo
    link.close()


@pytest.mark.parametrize("speed", [0.5, 1.0, 10.0])
@pytest.mark.parametrize("late", [0, MILLISECOND])
def test_frames_come_when_they_are_due_and_lateness_does_not_add_up(
    tmp_path: Path, speed: float, late: int
) -> None:
    path = recorded(tmp_path, *(record(10 * n, n) for n in range(100)))
    clock = Tick(late)
    link = replay(path, clock, speed=speed)
    came: list[Instant] = []
    for n in range(100):
        received = link.receive(deadline=link.now() + SECOND)
        assert received is not None
        assert received.at == (START + 10_000 * n) * MICROSECOND
        assert received.at <= link.now()
        came.append(clock.time)
    for n, at in enumerate(came):
        assert 0 <= at - round(n * 10 * MILLISECOND / speed) <= late + 10
    link.close()


def test_a_deadline_before_the_next_frame_is_kept(tmp_path: Path) -> None:
    path = recorded(tmp_path, record(0, 1), record(1000, 2))
    clock = Tick()
    link = replay(path, clock)
    assert link.receive(deadline=link.now() - SECOND) is not None, "it is there: a poll gives it"
    begun = link.now()
    assert link.receive(deadline=begun - SECOND) is None
    assert clock.waits == []
    assert link.receive(deadline=begun + 400 * MILLISECOND) is None
    assert clock.time == 400 * MILLISECOND
    received = link.receive(deadline=begun + 2 * SECOND)
    assert received is not None
    assert clock.time == SECOND
    link.close()


def test_the_end_is_a_link_that_closed_and_says_why(tmp_path: Path) -> None:
    path = recorded(tmp_path, record(0), record(1))
    path.write_bytes(path.read_bytes() + b"damage\n(1)\n")
    link = replay(path, speed=None)
    assert len(rest(link)) == 2
    with pytest.raises(LinkClosed, match="over"):
        link.receive(deadline=0)
    told = [(event.kind, event.count, event.gap) for event in iter(link.poll_event, None)]
    assert told == [(LinkEventKind.DROPPED, 2, False), (LinkEventKind.CLOSED, 1, True)]
    link.close()


def test_it_takes_no_frame(tmp_path: Path) -> None:
    link = replay(recorded(tmp_path, record(0)))
    with pytest.raises(LocalProtocolError, match="takes no frame"):
        link.send(CanFrame(1), deadline=SECOND)
    link.close()
    link.close()
    with pytest.raises(LinkClosed, match="was closed"):
        link.send(CanFrame(1), deadline=0)
    with pytest.raises(LinkClosed, match="was closed"):
        link.receive(deadline=0)


def test_channel_and_direction_choose(tmp_path: Path) -> None:
    path = recorded(
        tmp_path,
        record(0, 0, sent=True),
        record(1, 1, sent=False),
        record(2, 2, channel="can1", sent=False),
        record(3, 3),
    )

    def numbers(options: str) -> list[int]:
        link = open_link(f"replay:{path}?speed=max&{options}")
        found = [int.from_bytes(each.frame.data) for each in rest(link)]
        link.close()
        return found

    assert numbers("direction=both") == [0, 1, 2, 3]
    assert numbers("direction=sent") == [0]
    assert numbers("direction=received") == [1, 2]
    assert numbers("channel=can0") == [0, 1, 3]
    assert numbers("channel=can1") == [2]
    assert numbers("channel=can7") == []


def test_several_channels_in_one_are_told(tmp_path: Path) -> None:
    path = recorded(tmp_path, *(record(n, channel=f"can{n % 3}") for n in range(9)))
    link = replay(path, speed=None)
    rest(link)
    assert [event.kind for event in iter(link.poll_event, None)] == [
        LinkEventKind.TOLD,
        LinkEventKind.CLOSED,
    ]
    link.close()


def test_stamps_that_step_back_go_on_from_where_they_were(tmp_path: Path) -> None:
    path = recorded(tmp_path, *(record(ms) for ms in (5000, 5010, 0, 20, 15, 30)))
    link = replay(path, speed=None)
    found = [each.at - START * MICROSECOND for each in rest(link)]
    assert found == [at * MILLISECOND for at in (5000, 5010, 5010, 5030, 5030, 5045)]
    link.close()


class Counting:
    """Counts what it hears, and wants its turn each second."""

    def __init__(self, now: Instant) -> None:
        self.heard = 0
        self.turns: list[Instant] = []
        self._due = now + SECOND

    def receive(self, frame: CanFrame, now: Instant) -> None:
        self.heard += 1

    def handle_timeout(self, now: Instant) -> None:
        self.turns.append(now)
        self._due += SECOND

    def next_timeout(self) -> Instant | None:
        return self._due

    def poll_transmit(self) -> CanFrame | None:
        return None


@pytest.mark.parametrize("speed", [None, 100.0])
def test_timers_of_a_node_run_on_the_clock_of_the_recording(tmp_path: Path, speed: float | None) -> None:
    link = replay(recorded(tmp_path, *(record(n * 10) for n in range(1001))), speed=speed)
    node = Counting(link.now())
    driven = drive(node, link, until=lambda _: False)
    assert driven.closed is not None
    assert node.heard == 1001
    assert [turn - START * MICROSECOND for turn in node.turns] == [n * SECOND for n in range(1, 11)]
    link.close()


@pytest.mark.parametrize("options", ["speed=0", "speed=-1", "speed=inf", "speed=x", "direction=up", "x=1"])
def test_options_that_make_no_sense_are_refused(tmp_path: Path, options: str) -> None:
    with pytest.raises(LinkUnavailable):
        open_link(f"replay:{recorded(tmp_path, record(0))}?{options}")


def test_a_recording_that_is_not_there_is_no_link() -> None:
    with pytest.raises(LinkUnavailable, match="No such file"):
        open_link("replay:/no/such/file.log")


def test_an_empty_recording_is_over_at_once(tmp_path: Path) -> None:
    link = replay(recorded(tmp_path))
    assert rest(link) == []
    link.close()


def virtual_pair() -> tuple[VirtualLink, VirtualLink]:
    bus = VirtualBus()
    return VirtualLink(bus, "sender"), VirtualLink(bus, "listener")


@pytest.mark.parametrize("speed", [0.5, 1.0, 4.0])
def test_a_recording_is_sent_with_its_timing(speed: float) -> None:
    sender, listener = virtual_pair()
    records = [record(ms, ms) for ms in (100, 110, 130, 500, 1500)]
    result = replay_onto(sender, records, speed=speed)
    assert result == Replayed(sent=5, refused=0, latest=0)
    found = []
    while (received := listener.receive(deadline=sender.now() + SECOND)) is not None:
        found.append(received)
    assert [each.frame for each in found] == [each.frame for each in records]
    assert [round((each.at - found[0].at) * speed / MILLISECOND) for each in found] == [0, 10, 30, 400, 1400]


def test_what_comes_meanwhile_is_passed_on_and_costs_no_time() -> None:
    sender, peer = virtual_pair()
    for n in range(50):
        peer.send(CanFrame(n), deadline=SECOND)
    heard: list[Received] = []
    result = replay_onto(sender, [record(0), record(100), record(200)], heard=heard.append)
    assert (result.sent, result.latest) == (3, 0)
    assert [each.frame.id for each in heard] == list(range(50))
    assert all(one.at < other.at for one, other in pairwise(heard))
    assert 200 * MILLISECOND <= sender.now() < 201 * MILLISECOND


def test_as_fast_as_the_bus_takes_them() -> None:
    sender, listener = virtual_pair()
    records = [record(n * 1000, n) for n in range(1000)]
    assert replay_onto(sender, records, speed=None).sent == 1000
    found = []
    while (received := listener.receive(deadline=sender.now() + SECOND)) is not None:
        found.append(int.from_bytes(received.frame.data))
    assert found == list(range(1000))
    assert sender.now() < 2 * SECOND


def test_frames_that_the_link_refuses_are_counted() -> None:
    alone = VirtualLink(VirtualBus(), "alone")
    result = replay_onto(alone, [record(n) for n in range(100)], speed=None)
    assert result.sent == 65
    assert result.refused == 35


@pytest.mark.parametrize("speed", [0, -1.0, float("inf"), float("nan")])
def test_a_speed_that_is_none_is_refused(speed: float) -> None:
    with pytest.raises(ValueError, match="speed"):
        replay_onto(VirtualLink(VirtualBus(), "alone"), [], speed=speed)
