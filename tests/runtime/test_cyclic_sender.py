"""Cyclic messages: no drift, whatever the lateness, and failures that stay where they are."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swapproto.errors import LinkClosed, LinkError, LocalProtocolError
from swapproto.frame import MILLISECOND, SECOND, CanFrame, Instant
from swapproto.runtime.cyclic import Cyclic, CyclicSender, Timetable
from tests.runtime.runtime_links import FedLink, runtime_threads

FRAME = CanFrame(0x18FF50E5, bytes(8))
FAST = MILLISECOND


@given(
    period=st.integers(1, 1000),
    phase=st.integers(0, 3000),
    begin=st.integers(-1000, 1000),
    added=st.integers(0, 5000),
    waits=st.lists(st.integers(0, 5000), max_size=30),
)
def test_every_instant_is_on_the_grid_and_each_is_served_or_skipped_once(
    period: int, phase: int, begin: int, added: int, waits: list[int]
) -> None:
    table = Timetable(begin)
    cyclic = table.add(FedLink(), FRAME, period, phase, begin + added)
    first = table.next_due()
    assert first is not None
    assert first >= min(begin + added, begin + phase)
    assert first == begin + phase or first - period < begin + added <= first
    now, served = begin + added, list[Instant]()
    for wait in (0, *waits):
        now += wait
        served += [due for _, due in table.take(now)]
    assert all(due <= now and (due - begin - phase) % period == 0 for due in served)
    assert served == sorted(set(served))
    passed = max(0, (now - first) // period + 1)
    assert len(served) + cyclic.skipped == passed
    following = table.next_due()
    assert following is not None
    assert following == first + passed * period > now


def test_messages_keep_their_phases_to_each_other() -> None:
    table = Timetable(0)
    link = FedLink()
    one = table.add(link, FRAME, 10, 0, 0)
    other = table.add(link, FRAME, 20, 5, 12)
    order = [(cyclic is other, due) for now in range(50) for cyclic, due in table.take(now)]
    assert order == [(False, 0), (False, 10), (False, 20), (True, 25), (False, 30), (False, 40), (True, 45)]
    assert one.skipped == other.skipped == 0


def test_a_stopped_message_is_no_longer_waited_for() -> None:
    table = Timetable(0)
    first = table.add(FedLink(), FRAME, 10, 0, 0)
    table.add(FedLink(), FRAME, 10, 5, 0)
    first.stop()
    assert table.next_due() == 5
    assert [due for _, due in table.take(5)] == [5]


@pytest.mark.parametrize(("period", "phase"), [(0, 0), (-1, 0), (1, -1)])
def test_impossible_periods_are_refused(period: int, phase: int) -> None:
    with CyclicSender(realtime=False) as sender, pytest.raises(ValueError, match="above 0"):
        sender.add(FedLink(), FRAME, period=period, phase=phase)


def wait_for(link: FedLink, frame: CanFrame, count: int) -> None:
    link.wait(lambda _: link.sent.count(frame) >= count)


def test_one_thread_sends_all_and_an_update_is_whole() -> None:
    links = [FedLink(), FedLink()]
    with CyclicSender() as sender:
        messages = [
            sender.add(link, CanFrame(0x100 + n), period=FAST, phase=n * FAST // 4)
            for n, link in enumerate([*links, *links])
        ]
        for n, link in enumerate([*links, *links]):
            wait_for(link, CanFrame(0x100 + n), 3)
        messages[0].update(b"\xff" * 8)
        wait_for(links[0], CanFrame(0x100, b"\xff" * 8), 3)
        messages[1].stop()
        assert [name for name in runtime_threads() if name.startswith("cyclic")] == ["cyclic sender"]
    assert runtime_threads() == []
    assert links[0].users == links[1].users
    assert len(links[0].users) == 1
    mine = [frame.data for frame in links[0].sent if frame.id == 0x100]
    assert mine == sorted(mine), "first all of the one, then all of the other"
    assert set(mine) == {b"", b"\xff" * 8}
    report = sender.report()
    assert report.sent == sum(len(link.sent) for link in links) == report.lateness.timers
    assert report.sent == sum(each.sent for each in messages)
    assert report.lateness.max > 0
    assert not links[0].closed


class FullLink(FedLink):
    """Takes nothing."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error
        self.tries = 0

    def send(self, frame: CanFrame, *, deadline: Instant) -> None:
        assert 0 < deadline - self.now() <= SECOND
        self.tries += 1
        with self._turn:
            self._turn.notify_all()
        raise self.error


@pytest.mark.parametrize(
    ("error", "goes_on"),
    [(LinkError("full"), True), (LinkClosed("gone"), False), (LocalProtocolError("listens only"), False)],
)
def test_failures_are_counted_and_the_others_go_on(error: Exception, *, goes_on: bool) -> None:
    bad, good = FullLink(error), FedLink()
    with CyclicSender(send_within=SECOND) as sender:
        failing = sender.add(bad, FRAME, period=FAST)
        bad.wait(lambda _: bad.tries >= (3 if goes_on else 1))
        sender.add(good, FRAME, period=FAST)
        wait_for(good, FRAME, 5)
    assert failing.error is error
    assert failing.stopped is not goes_on
    assert sender.report().failed == failing.failed == bad.tries
    assert goes_on or bad.tries == 1


def test_a_frame_that_no_bus_carries_is_refused_at_once() -> None:
    with CyclicSender(realtime=False) as sender:
        with pytest.raises(LocalProtocolError):
            sender.add(FedLink(), CanFrame(1 << 29), period=SECOND)
        message = sender.add(FedLink(), FRAME, period=SECOND)
        with pytest.raises(LocalProtocolError):
            message.update(bytes(9))
        assert isinstance(message, Cyclic)
        assert message.frame == FRAME


def test_real_time_refused_is_said_and_it_sends_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", refuse, raising=False)
    link = FedLink()
    with CyclicSender() as sender:
        sender.add(link, FRAME, period=FAST)
        wait_for(link, FRAME, 2)
        assert "not permitted" in sender.report().scheduling
        assert "LimitRTPRIO" in sender.report().scheduling


def test_without_the_call_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_setscheduler", raising=False)
    link = FedLink()
    with CyclicSender() as sender:
        sender.add(link, FRAME, period=FAST)
        wait_for(link, FRAME, 1)
        assert sender.report().scheduling == "this system has no SCHED_FIFO"


def test_closed_it_takes_no_more() -> None:
    sender = CyclicSender()
    sender.close()
    sender.close()
    with pytest.raises(LinkClosed, match="make another"):
        sender.add(FedLink(), FRAME, period=SECOND)
