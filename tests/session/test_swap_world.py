"""A small obedient world for the machines of a swap, and whole swaps in it."""

from collections import deque
from collections.abc import Callable

import pytest

from swapproto.frame import MILLISECOND, SECOND, Instant
from swapproto.session.swap import messages as m
from swapproto.session.swap.command import Command
from swapproto.session.swap.controller import State as TruckState
from swapproto.session.swap.controller import SwapController
from swapproto.session.swap.events import (
    Held,
    PackSilent,
    StepLate,
    SwapEvent,
    Verdict,
)
from swapproto.session.swap.messages import TRUCK, Connection, LockState, Reading, RelayState, bay
from swapproto.session.swap.orchestrator import STEPS, Orchestrator, State
from swapproto.session.swap.orchestrator_table import ENDS
from swapproto.session.swap.plant import Direction, Plan

VIN = "L00TRACT3RS000001"
TICK = 50 * MILLISECOND
OPEN, CLOSED = RelayState.OPEN, RelayState.CLOSED
PICK, STORE = bay(2), bay(5)


class Stock:
    """A plant that says yes."""

    def __init__(self) -> None:
        self.choice: Plan | None = Plan(PICK, STORE)
        self.answers: dict[Direction, bool | None] = {Direction.INCOMING: True, Direction.OUTGOING: True}
        self.asked: list[tuple[Direction, str | None, str]] = []
        self.recorded = 0

    def plan(self, vin: str, now: Instant) -> Plan | None:
        return self.choice

    def authorise(self, direction: Direction, code: str | None, vin: str, now: Instant) -> bool | None:
        self.asked.append((direction, code, vin))
        return self.answers[direction]

    def record(self, plan: Plan, vin: str, now: Instant) -> bool | None:
        self.recorded += 1
        return True


class World:
    """Truck, hoist and bays that do at once what they are told, and a clock."""

    def __init__(self) -> None:
        self.now: Instant = 0
        self.stock = Stock()
        self.station = Orchestrator(self.stock)
        self.controller = SwapController()
        self.packs: dict[m.Place, str] = {TRUCK: "OLD", PICK: "NEW"}
        self.energised = {"OLD": True, "NEW": False}
        self.connected = {TRUCK: True, PICK: True, STORE: False, m.TRANSFER: False}
        self.locked = True
        self.inhibited = False
        self.position: m.Place | None = PICK
        self.clear, self.landed, self.tongues = True, False, m.Tongues.UNLOCKED
        self.hanging: str | None = None
        self.standing = False
        """Whether what the spreader grips still stands."""
        self.stop = self.truck_stop = self.alarm = False
        self.parked = self.key_off = True
        self.deaf: set[type[m.Order]] = set()
        self.mute: set[str] = set()
        self.orders: list[m.Order] = []
        self.events: list[SwapEvent] = []
        self.visited: list[State] = []
        self.goal: State | None = None
        self.frozen = False
        """From the state that is the goal of reach() on, nothing obeys until reach() ends."""
        self.link: deque[m.TruckOrder] = deque()

    # ---- reports

    def connection(self, place: m.Place) -> Connection:
        return Connection.CONNECTED if self.connected[place] else Connection.NOT_CONNECTED

    def pack_report(self, place: m.Place) -> m.PackReport | None:
        code = self.packs.get(place)
        if code is None or not self.connected[place]:
            return None
        live = self.energised[code]
        relays = dict.fromkeys(m.RELAYS, CLOSED if live else OPEN)
        return m.PackReport(
            place,
            code,
            Reading(relays),
            Reading(False),
            Reading(600.0 if live else 3.0),
        )

    def truck_reports(self) -> list[m.VehicleReport | m.LockReport | m.PackReport]:
        link = Reading(self.connection(TRUCK))
        lock = LockState.LOCKED if self.locked else LockState.UNLOCKED
        reports: list[m.VehicleReport | m.LockReport | m.PackReport] = [
            m.VehicleReport(
                VIN, Reading(self.key_off), Reading(True), Reading(True), Reading(self.inhibited),
                Reading(self.truck_stop),
            ),
            m.LockReport(Reading(lock), link, link, link, link),
        ]  # fmt: skip
        pack = self.pack_report(TRUCK)
        return reports if pack is None else [pack, *reports]

    def load(self) -> m.Load:
        return m.Load.NONE if self.hanging is None or self.standing else m.Load.FULL

    def station_reports(self) -> list[m.Report]:
        reports: list[m.Report] = [
            m.HoistReport(
                Reading(self.position), Reading(self.clear), Reading(self.landed), Reading(self.tongues),
                Reading(self.load()), Reading(self.standing), Reading(self.parked), Reading(self.stop),
                self.alarm,
            )
        ]  # fmt: skip
        for place in (PICK, STORE, m.TRANSFER):
            pack = self.pack_report(place)
            reports += [] if pack is None or "bays" in self.mute else [pack]
            reports.append(m.BayReport(place, Reading(place in self.packs), Reading(self.connection(place))))
        return reports

    # ---- orders

    def carry_out(self, order: m.Order) -> None:
        if type(order) in self.deaf or self.frozen:
            return
        match order:
            case m.Engage() | m.Release():
                self.inhibited = isinstance(order, m.Engage)
            case m.DeEnergise():
                self.energised[self.packs[TRUCK]] = False
            case m.Disconnect() | m.Connect():
                self.connected[TRUCK] = isinstance(order, m.Connect)
            case m.Lock() | m.Unlock():
                self.locked = isinstance(order, m.Lock)
            case m.BayDisconnect() | m.BayConnect():
                self.connected[order.at] = isinstance(order, m.BayConnect)
            case m.Travel():
                self.position = order.to
            case m.Land():
                self.clear, self.landed = False, True
            case m.LockTongues():
                self.tongues, self.hanging, self.standing = m.Tongues.LOCKED, self.packs[order.at], True
            case m.UnlockTongues():
                self.tongues, self.hanging, self.standing = m.Tongues.UNLOCKED, None, False
            case m.TakeLoad():
                self.standing = False
            case m.Hoist():
                self.clear = True
                del self.packs[order.at]
            case m.SetDown():
                assert self.hanging is not None
                self.clear, self.standing, self.packs[order.at] = False, True, self.hanging
            case m.Withdraw():
                self.clear, self.landed = True, False
            case _:
                pass

    # ---- the clock

    def fetch(self) -> None:
        """Take everything out of the orchestrator."""
        if self.station.state is self.goal:
            self.frozen = True
        while (order := self.station.poll_transmit()) is not None:
            self.orders.append(order)
            if isinstance(
                order,
                m.Engage | m.DeEnergise | m.Disconnect | m.Unlock | m.Lock | m.Connect | m.Release | m.Halt,
            ):
                if not self.frozen:
                    self.link.append(order)
            else:
                self.carry_out(order)
        while (event := self.station.poll_event()) is not None:
            self.events.append(event)
        if not self.visited or self.visited[-1] is not self.station.state:
            self.visited.append(self.station.state)

    def tick(self) -> None:
        """Some milliseconds of everything."""
        self.now += TICK
        if self.now % (2 * TICK) == 0:
            for device in self.truck_reports():
                self.controller.receive(device, self.now)
                self._relay()
            for report in self.station_reports():
                self.station.receive(report, self.now)
                self.fetch()
        while self.link:
            self.controller.receive(self.link.popleft(), self.now)
            self._relay()
        for machine in (self.controller, self.station):
            due = machine.next_timeout()
            if due is not None and due <= self.now:
                machine.handle_timeout(self.now)
        self._relay()
        self.fetch()

    def _relay(self) -> None:
        while (message := self.controller.poll_transmit()) is not None:
            if isinstance(message, m.VehicleReport | m.LockReport | m.PackReport | m.ControllerReport):
                if "truck" not in self.mute:
                    self.station.receive(message, self.now)
                    self.fetch()
            else:
                self.carry_out(message)

    def run(self, until: Callable[[], bool], limit: int = 600 * SECOND) -> None:
        end = self.now + limit
        while not until():
            assert self.now < end, (self.station.state, self.station.refusal, self.controller.state)
            self.tick()

    def command(self, wish: Command) -> None:
        self.station.command(wish, self.now)
        self.fetch()

    def reach(self, state: State) -> None:
        """Begin a swap and stop where it comes to a state; its first order is lost."""
        self.goal = state
        self.command(Command.START)
        self.run(lambda: self.frozen)
        self.goal, self.frozen = None, False

    def reach_on(self, state: State) -> None:
        """Go on to a state and stop there as reach() does."""
        self.goal = state
        self.run(lambda: self.frozen)
        self.goal, self.frozen = None, False

    def rest(self, seconds: float) -> None:
        end = self.now + int(seconds * SECOND)
        self.run(lambda: self.now >= end)


@pytest.fixture
def world() -> World:
    made = World()
    made.rest(1)
    return made


WAY = [
    m.MeasureParking, m.Engage, m.DeEnergise, m.Disconnect, m.Travel, m.Land, m.LockTongues, m.Unlock,
    m.TakeLoad, m.Hoist, m.Travel, m.SetDown, m.UnlockTongues, m.Withdraw, m.BayConnect, m.Travel,
    m.BayDisconnect, m.Land, m.LockTongues, m.TakeLoad, m.Hoist, m.Travel, m.SetDown, m.Lock,
    m.UnlockTongues, m.Withdraw, m.Connect, m.Release,
]  # fmt: skip


def test_a_whole_swap(world: World) -> None:
    world.parked = False
    world.rest(0.2)
    world.command(Command.START)
    world.run(lambda: m.MeasureParking() in world.orders)
    world.parked = True
    world.run(lambda: world.station.state in ENDS)
    assert world.station.state is State.COMPLETE
    assert [type(order) for order in world.orders] == WAY
    assert world.packs == {TRUCK: "NEW", STORE: "OLD"}
    assert (world.locked, world.inhibited, world.controller.state) == (True, False, TruckState.FREE)
    assert world.stock.asked == [(Direction.INCOMING, "OLD", VIN), (Direction.OUTGOING, "NEW", VIN)]
    passed = {state for state, verdict in world.station.checks.items() if verdict is Verdict.PASSED}
    returning = {state for state in STEPS if "again" in state or "fire" in state or state is State.DISMISS}
    returning.add(State.RETURN_CONNECT)
    assert passed == set(STEPS) - returning
    assert not [event for event in world.events if isinstance(event, Held | StepLate | PackSilent)]


def test_swap_after_swap(world: World) -> None:
    world.reach(State.COMPLETE)
    world.command(Command.RESET)
    world.stock.choice = Plan(STORE, PICK)
    world.reach(State.COMPLETE)
    assert world.packs == {TRUCK: "OLD", PICK: "NEW"}
