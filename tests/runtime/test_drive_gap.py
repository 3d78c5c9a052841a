"""An adapter that vanishes in the middle of a charge, and comes back: in virtual time."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from swapproto.errors import LinkClosed, LinkUnavailable
from swapproto.frame import MILLISECOND, SECOND, CanFrame, Instant, Received
from swapproto.link import LinkEvent, LinkEventKind
from swapproto.messages.gbt27930 import Party
from swapproto.models.charger import Charger
from swapproto.models.pack import Pack
from swapproto.runtime import aio
from swapproto.runtime.blocking import Driven, drive
from swapproto.runtime.virtual import VirtualBus
from swapproto.session.bms import BmsSession
from swapproto.session.bms import State as BmsState
from swapproto.session.charger import ChargerSession
from swapproto.session.charger import State as ChargerState
from swapproto.session.command import Command
from swapproto.session.endpoint import Endpoint
from swapproto.session.events import EndpointEvent, SessionEnded, TimedOut
from swapproto_drivers import reconnect
from swapproto_drivers.reconnect import ReconnectingLink
from swapproto_drivers.virtual import VirtualLink

PULLED: Instant = 15 * SECOND
LIMIT: Instant = 60 * SECOND


class Pulled(VirtualLink):
    """An adapter on the bus, until it is pulled out."""

    def __init__(self, rig: "Rig") -> None:
        super().__init__(rig.bus, f"charger {rig.opened}")
        self._rig = rig

    def send(self, frame: CanFrame, *, deadline: Instant) -> None:
        self._check()
        super().send(frame, deadline=deadline)

    def receive(self, *, deadline: Instant) -> Received | None:
        self._check()
        gone = self._rig.gone_at
        received = super().receive(deadline=deadline if gone is None else min(deadline, gone))
        if received is None:
            self._check()
        return received

    def _check(self) -> None:
        gone = self._rig.gone_at
        if gone is not None and self.now() >= gone:
            raise LinkClosed("pulled out")


class Rig:
    """A charger behind a reconnecting link, a pack beside it on the bus; the clock is the bus's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, away: int) -> None:
        self.bus = VirtualBus(seed=5)
        self.opened = 0
        self.gone_at: Instant | None = PULLED
        self.back_at = PULLED + away
        self.pack = Endpoint(BmsSession(Pack()), Party.BMS)
        self.charger = Endpoint(ChargerSession(Charger()), Party.CHARGER)
        self.bus.attach(self.pack, "pack")
        monkeypatch.setattr(reconnect, "_CLOCK", lambda: self.bus.now)
        monkeypatch.setattr(reconnect, "time", SimpleNamespace(sleep=self._sleep))
        self.link = ReconnectingLink(self.open, first=100 * MILLISECOND, longest=SECOND)
        self.told: list[LinkEvent] = []
        self.states: dict[Instant, tuple[ChargerState, BmsState]] = {}

    def open(self) -> Pulled:
        if self.opened:
            if self.bus.now < self.back_at:
                raise LinkUnavailable("no such device")
            self.gone_at = None
        self.opened += 1
        return Pulled(self)

    def run(self, run: Callable[["Rig"], Driven]) -> Driven:
        for each in (self.pack, self.charger):
            each.command(Command.START, 0)
        return run(self)

    def over(self, now: Instant) -> bool:
        charger, pack = self.charger.session, self.pack.session
        assert isinstance(charger, ChargerSession)
        assert isinstance(pack, BmsSession)
        self.states[now] = charger.state, pack.state
        return now >= LIMIT

    def charger_events(self) -> list[EndpointEvent]:
        found: list[EndpointEvent] = []
        while (event := self.charger.poll_event()) is not None:
            found.append(event)
        return found

    def _sleep(self, seconds: float) -> None:
        self.bus.run_until(self.bus.now + max(1, round(seconds * SECOND)))


def blocking(rig: Rig) -> Driven:
    return drive(rig.charger, rig.link, until=rig.over, events=rig.told.append)


def in_asyncio(rig: Rig) -> Driven:
    return asyncio.run(aio.drive(rig.charger, rig.link, until=rig.over, events=rig.told.append))


@pytest.fixture(params=[blocking, in_asyncio], name="run")
def _run(request: pytest.FixtureRequest) -> Callable[[Rig], Driven]:
    chosen: Callable[[Rig], Driven] = request.param
    return chosen


def test_three_seconds_without_the_adapter_end_the_attempt_and_the_charge_begins_anew(
    run: Callable[[Rig], Driven], monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(monkeypatch, away=3 * SECOND)
    driven = rig.run(run)
    assert driven.closed is None
    assert driven.ended >= LIMIT
    assert rig.opened == 2
    gaps = [event for event in rig.told if event.gap]
    assert [event.kind for event in gaps] == [LinkEventKind.CLOSED, LinkEventKind.REOPENED]
    assert gaps[0].at == PULLED
    assert rig.back_at <= gaps[1].at <= rig.back_at + SECOND
    told = rig.charger_events()
    assert [event for event in told if isinstance(event, LinkEvent)] == gaps
    timeouts = [event.at for event in told if isinstance(event, TimedOut)]
    assert timeouts
    assert all(PULLED < at < gaps[1].at + 5 * SECOND for at in timeouts), "none before, and none for good"
    assert rig.charger.counts[LinkEventKind.DROPPED.value] > 0
    before = [states for at, states in rig.states.items() if at < PULLED]
    during = [states for at, states in rig.states.items() if gaps[0].at < at < gaps[1].at]
    assert before[-1] == (ChargerState.CHARGING, BmsState.CHARGING)
    assert during[-1] == (ChargerState.ERROR, BmsState.ERROR)
    assert rig.states[max(rig.states)] == before[-1], "both have found each other again"


def test_half_a_second_without_the_adapter_is_told_and_the_charge_goes_on(
    run: Callable[[Rig], Driven], monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(monkeypatch, away=SECOND // 2)
    rig.run(run)
    assert [event.kind for event in rig.told if event.gap] == [LinkEventKind.CLOSED, LinkEventKind.REOPENED]
    assert not any(isinstance(event, TimedOut) for event in rig.charger_events())
    states = {states for at, states in rig.states.items() if at > PULLED}
    assert states == {(ChargerState.CHARGING, BmsState.CHARGING)}


def test_an_adapter_that_stays_away_ends_the_charge(
    run: Callable[[Rig], Driven], monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(monkeypatch, away=2 * LIMIT)
    assert rig.run(run).closed is None
    assert rig.opened == 1
    assert [event.kind for event in rig.told if event.gap] == [LinkEventKind.CLOSED]
    charger, _ = rig.states[max(rig.states)]
    assert charger is ChargerState.ABORTED
    assert any(isinstance(event, SessionEnded) and not event.complete for event in rig.charger_events())
