"""The asyncio runner: the same run as the blocking one, and a loop that can be held up."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from swapproto.errors import LinkClosed, LinkError
from swapproto.frame import MILLISECOND, SECOND, CanFrame, Instant
from swapproto.link import Link, LinkEvent, LinkEventKind
from swapproto.messages.gbt27930 import Party
from swapproto.models.charger import Charger
from swapproto.models.pack import Pack
from swapproto.runtime import aio, blocking
from swapproto.runtime.blocking import Driven, Lateness
from swapproto.runtime.virtual import VirtualBus
from swapproto.session.bms import BmsSession
from swapproto.session.charger import ChargerSession, State
from swapproto.session.command import Command
from swapproto.session.endpoint import Endpoint
from swapproto_drivers.virtual import VirtualLink
from tests.runtime.runtime_links import PATIENCE, Collector, FedLink, StuckLink, runtime_threads

PING = CanFrame(0x18FF50E5, b"ping")
Seen = tuple[CanFrame, Instant, bool]


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> object:
    yield
    assert runtime_threads() == []


def charge(run: Callable[[Endpoint, Link, Callable[[CanFrame, Instant, bool], object]], Driven]) -> object:
    """What a charger on a link saw and did, with a pack beside it on the virtual bus."""
    bus = VirtualBus(seed=3, jitter=MILLISECOND)
    pack = Endpoint(BmsSession(Pack()), Party.BMS)
    charger = Endpoint(ChargerSession(Charger()), Party.CHARGER)
    bus.attach(pack, "pack")
    link = VirtualLink(bus, "charger")
    for each in (pack, charger):
        each.command(Command.START, 0)
    seen: list[Seen] = []
    driven = run(charger, link, lambda frame, at, own: seen.append((frame, at, own)))
    assert isinstance(charger.session, ChargerSession)
    return driven, charger.session.state, seen


def test_a_charge_is_the_same_frame_by_frame_as_in_the_blocking_runner() -> None:
    limit = 12 * SECOND
    one = charge(lambda node, link, tap: blocking.drive(node, link, limit=limit, tap=tap))
    other = charge(lambda node, link, tap: asyncio.run(aio.drive(node, link, limit=limit, tap=tap)))
    assert one == other
    assert isinstance(one, tuple)
    driven, state, seen = one
    assert driven.lateness.max == 0
    assert state is State.CHARGING
    assert len(seen) > 300


def test_until_the_predicate_and_what_is_due_at_the_end_is_sent() -> None:
    node, link = Collector(lambda frame: frame), FedLink()
    link.feed(PING, PING, PING)
    driven = asyncio.run(aio.drive(node, link, until=lambda _: len(node.heard) == 3))
    assert driven.closed is None
    assert link.sent == [PING] * 3
    assert node.threads == {threading.get_ident()}
    assert len(link.users) == 1
    assert node.threads.isdisjoint(link.users)
    assert not link.closed


def test_a_run_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="until or limit"):
        asyncio.run(aio.drive(Collector(), FedLink()))


def test_another_coroutine_can_use_the_node() -> None:
    node, link = Collector(), FedLink()

    async def rig() -> None:
        running = asyncio.create_task(aio.drive(node, link, until=lambda _: bool(node.heard)))
        await asyncio.sleep(0)
        node.out.append(PING)
        await asyncio.to_thread(link.wait, lambda _: link.sent == [PING])
        link.feed(PING)
        assert (await running).closed is None

    asyncio.run(rig())


def test_several_links_in_one_loop() -> None:
    pairs = [(Collector(lambda frame: frame), FedLink(f"bus {n}")) for n in range(8)]

    async def rig() -> list[Driven]:
        for _, link in pairs:
            link.feed(*[PING] * 50)
        runs = [
            aio.drive(node, link, until=lambda _, heard=node.heard: len(heard) == 50)  # type: ignore[misc] # bound
            for node, link in pairs
        ]
        return await asyncio.gather(*runs)

    assert len(asyncio.run(rig())) == 8
    assert all(link.sent == [PING] * 50 for _, link in pairs)


def test_cancelled_it_frees_the_link_and_leaves_it_open() -> None:
    node, link = Collector(), FedLink()

    async def rig() -> None:
        running = asyncio.create_task(aio.drive(node, link, limit=link.now() + 3600 * SECOND))
        link.feed(PING)
        await asyncio.to_thread(link.wait, lambda _: link.empty)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert runtime_threads() == []

    asyncio.run(rig())
    link.send(PING, deadline=0)


def test_a_link_that_goes_away_ends_the_run_after_what_it_had_brought() -> None:
    node, link = Collector(), FedLink()
    link.feed(PING, PING)
    link.tell(LinkEvent(LinkEventKind.CLOSED, 7, "pulled out"))

    async def rig() -> Driven:
        running = asyncio.create_task(aio.drive(node, link, limit=link.now() + 3600 * SECOND))
        await asyncio.to_thread(link.wait, lambda _: link.empty)
        link.fail(LinkClosed("gone"))
        return await running

    driven = asyncio.run(rig())
    assert str(driven.closed) == "gone"
    assert node.heard == [PING, PING]
    assert [event.kind for event in node.told] == [LinkEventKind.CLOSED]


@pytest.mark.parametrize("error", [LinkError("no room"), ZeroDivisionError("a bug")])
def test_other_errors_of_the_link_are_raised(error: Exception) -> None:
    node, link = Collector(), FedLink()
    link.fail(error)
    with pytest.raises(type(error), match=str(error)):
        asyncio.run(aio.drive(node, link, limit=link.now() + 3600 * SECOND))


def test_while_the_loop_is_held_up_the_link_is_read_and_what_is_too_much_is_counted() -> None:
    frames = [CanFrame(n) for n in range(1000)]
    link, events = FedLink(), list[LinkEvent]()

    class Stalled(Collector):
        def receive(self, frame: CanFrame, now: Instant) -> None:
            super().receive(frame, now)
            if len(self.heard) == 1:
                link.wait(lambda _: link.empty)

    node = Stalled()
    link.feed(*frames)
    asyncio.run(aio.drive(node, link, until=lambda _: bool(events), events=events.append, backlog=100))
    (event,) = events
    assert event.kind is LinkEventKind.OVERRUN
    assert event.gap
    assert node.told == [event]
    assert node.heard == frames[: len(node.heard)], "the gap is where the event is"
    assert len(node.heard) + event.count == len(frames)


def test_a_driver_that_never_returns_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aio, "_END_WITHIN", 0.0)
    link = StuckLink()

    async def rig() -> None:
        running = asyncio.create_task(
            aio.drive(Collector(), link, limit=link.now() + 3600 * SECOND, send_within=MILLISECOND)
        )
        await asyncio.to_thread(link.inside.wait, PATIENCE)
        running.cancel()
        with pytest.raises(LinkError, match="does not return"):
            await running

    asyncio.run(rig())
    link.freed.set()
    for thread in threading.enumerate():
        if thread.name.startswith("aio "):
            thread.join(PATIENCE)


def test_timers_are_served_and_their_lateness_measured() -> None:
    node, link = Collector(), FedLink()
    node.due = link.now()
    driven = asyncio.run(aio.drive(node, link, until=lambda _: node.due is None))
    assert isinstance(driven.lateness, Lateness)
    assert driven.lateness.timers == 1
    assert driven.lateness.max > 0
