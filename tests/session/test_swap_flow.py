"""What can come between: alarms, second thoughts, refusals, retries, silence."""

import pytest

from swapproto.errors import LocalProtocolError
from swapproto.session.swap import messages as m
from swapproto.session.swap.command import Command
from swapproto.session.swap.events import (
    OrderGiven,
    OrderRefused,
    PackSilent,
    StepLate,
    SwapEvent,
    Verdict,
)
from swapproto.session.swap.messages import TRUCK
from swapproto.session.swap.orchestrator import STEPS, TABLE, Input, Orchestrator, State
from swapproto.session.swap.orchestrator_table import ENDS
from swapproto.session.swap.plant import Direction
from swapproto.session.swap.timing import NOMINAL
from tests.session.test_swap_world import PICK, STORE, Stock, World, world

__all__ = ["world"]

ORDERING = [
    s for s, step in STEPS.items() if step.order and s.name.split("_")[0] not in ("RETURN", "DISMISS", "FIRE")
]
BEFORE_ANYTHING = [State.PARKING, State.CONTROLLER, State.DE_ENERGISE]


@pytest.mark.parametrize("state", [s for s in ORDERING if s not in BEFORE_ANYTHING])
@pytest.mark.parametrize("kind", ["stop", "truck_stop", "alarm"])
def test_an_alarm_on_the_way_holds_everything_until_it_is_resumed(
    world: World, state: State, kind: str
) -> None:
    world.reach(state)
    setattr(world, kind, True)
    world.run(lambda: world.station.held)
    before = len(world.orders)
    assert world.orders[-1] == m.Halt()
    assert world.station.state is state
    assert world.station.checks[state] is Verdict.PAUSED
    world.rest(30)
    assert len(world.orders) == before
    if kind == "stop":
        world.command(Command.RESUME)
        world.rest(2)
        assert world.station.state is state or world.station.refusal is not None
        assert not [order for order in world.orders[before:] if not isinstance(order, m.Halt)]
    setattr(world, kind, False)
    world.rest(0.3)
    world.command(Command.RESUME) if world.station.held else None
    world.run(lambda: world.station.state is State.COMPLETE)


@pytest.mark.parametrize("state", BEFORE_ANYTHING)
@pytest.mark.parametrize("kind", ["stop", "truck_stop"])
def test_an_emergency_stop_before_anything_moved_ends_the_swap(world: World, state: State, kind: str) -> None:
    world.parked = state is not State.PARKING
    world.rest(0.2)
    world.reach(state)
    setattr(world, kind, True)
    world.rest(2)
    engaged = state is not State.PARKING and world.inhibited
    assert world.station.state is (State.DISMISS if engaged else State.ABORTED)
    assert world.station.refusal is None or "emergency stop" in str(world.station.refusal)
    assert m.Release() not in world.orders or not engaged
    setattr(world, kind, False)
    world.run(lambda: world.station.state is State.ABORTED)
    assert not world.inhibited


def test_a_swap_that_begins_under_an_emergency_stop_ends_at_once(world: World) -> None:
    world.stop = True
    world.rest(1)
    world.command(Command.START)
    assert world.station.state is State.ABORTED


@pytest.mark.parametrize(
    "state", [State.SEPARATE, State.APPROACH, State.LAND, State.TONGUES, State.UNLOCK, State.LOAD]
)
def test_giving_up_puts_everything_back(world: World, state: State) -> None:
    world.reach(state)
    world.command(Command.GIVE_UP)
    assert m.Halt() in world.orders
    world.run(lambda: world.station.state in ENDS)
    assert world.station.state is State.ABORTED
    assert world.packs == {TRUCK: "OLD", PICK: "NEW"}
    assert (world.locked, world.connected[TRUCK], world.inhibited, world.clear) == (True, True, False, True)


@pytest.mark.parametrize("state", [s for s in STEPS if (s, Input.GIVE_UP) not in TABLE])
def test_there_is_no_giving_up_while_the_truck_has_no_pack(state: State) -> None:
    station = Orchestrator(Stock())
    station._state = state
    with pytest.raises(LocalProtocolError, match="not possible"):
        station.command(Command.GIVE_UP, 1)


@pytest.mark.parametrize(("state", "code"), [(State.CARRY_AWAY, "OLD"), (State.CARRY_BACK, "NEW")])
def test_a_burning_pack_goes_to_the_fire_place_on_the_operators_word_only(
    world: World, state: State, code: str
) -> None:
    world.reach(state)
    with pytest.raises(LocalProtocolError, match="not possible"):
        world.command(Command.QUARANTINE)
    world.alarm = True
    world.run(lambda: world.station.held)
    world.command(Command.QUARANTINE)
    world.run(lambda: world.station.state in ENDS)
    assert world.station.state is State.QUARANTINED
    assert world.packs[m.TRANSFER] == code


def test_a_step_is_tried_again_and_then_paused_for_a_decision(world: World) -> None:
    world.deaf = {m.Land}
    world.command(Command.START)
    world.run(lambda: world.station.held)
    assert world.station.state is State.LAND
    assert world.orders.count(m.Land(TRUCK)) == NOMINAL.retries + 1
    late = [event.attempt for event in world.events if isinstance(event, StepLate)]
    assert late == [1, 2, 3, 4]
    world.deaf = set()
    world.command(Command.RESUME)
    world.run(lambda: world.station.state is State.COMPLETE)


def test_lidar_has_ten_retries(world: World) -> None:
    world.parked = False
    world.rest(0.2)
    world.command(Command.START)
    world.run(lambda: world.station.held)
    assert world.orders.count(m.MeasureParking()) == NOMINAL.lidar_retries + 1


def test_a_denied_incoming_pack_sends_the_truck_away(world: World) -> None:
    world.stock.answers[Direction.INCOMING] = False
    world.reach(State.ABORTED)
    assert world.station.checks[State.AUTHORISE_INCOMING] is Verdict.FAILED
    assert not world.inhibited


def test_a_denied_outgoing_pack_hangs_until_it_is_decided(world: World) -> None:
    world.stock.answers[Direction.OUTGOING] = False
    world.reach(State.AUTHORISE_OUTGOING)
    assert world.station.held
    world.stock.answers[Direction.OUTGOING] = True
    world.command(Command.RESUME)
    world.run(lambda: world.station.state is State.COMPLETE)


def test_a_silent_truck_holds_the_swap_after_ten_seconds_where_it_is_needed(world: World) -> None:
    world.deaf = {m.LockTongues}
    world.reach(State.TONGUES)
    world.mute = {"truck"}
    start = world.now
    world.run(lambda: world.station.held)
    assert NOMINAL.informs < world.now - start <= NOMINAL.informs + 3 * NOMINAL.cycle
    world.mute, world.deaf = set(), set()
    world.rest(1)
    world.command(Command.RESUME)
    world.rest(20)
    assert world.station.state is State.UNLOCK
    assert "relays" in str(world.station.refusal)
    world.command(Command.GIVE_UP)
    world.run(lambda: world.station.state is State.ABORTED)


def test_packs_are_silent_between_their_supplies_without_a_fault(world: World) -> None:
    world.deaf = {m.Unlock}
    world.reach(State.UNLOCK)
    world.rest(40)
    world.deaf = set()
    world.run(lambda: world.station.state is State.COMPLETE)


def test_a_stored_pack_that_does_not_wake_is_told_and_stops_nothing(world: World) -> None:
    world.mute = {"bays"}
    world.energised["NEW"] = False
    world.connected[PICK] = True
    world.reach(State.FETCH)
    stored = world.now
    world.mute = set()
    world.energised["OLD"] = False
    world.connected[STORE] = False
    world.run(lambda: any(isinstance(event, PackSilent) for event in world.events))
    assert world.now - stored <= NOMINAL.pack_back + NOMINAL.cycle


def test_what_keeps_an_order_back_is_said_once_with_what_was_seen(world: World) -> None:
    world.energised["OLD"] = True
    world.deaf = {m.DeEnergise}
    world.key_off = False
    world.command(Command.START)
    world.run(lambda: world.station.held)
    assert world.station.state is State.VEHICLE_STATE
    world.command(Command.GIVE_UP)
    world.run(lambda: world.station.state is State.ABORTED)
    world.key_off = True
    world.command(Command.RESET)
    world.rest(1)
    world.reach(State.DE_ENERGISE)
    world.key_off = False
    world.run(lambda: any(isinstance(event, StepLate) for event in world.events))
    world.rest(30)
    refused = [event.refusal for event in world.events if isinstance(event, OrderRefused)]
    assert [str(refusal) for refusal in refused[:1]] == [
        "DeEnergise refused by de-energise: key off: reported no"
    ]


def test_an_order_that_nobody_fetched_is_judged_anew(world: World) -> None:
    world.deaf = {m.Land}
    world.reach(State.LAND)
    station, given = world.station, world.orders.count(m.Land(TRUCK))
    world.run(lambda: world.orders.count(m.Land(TRUCK)) > given)
    before = world.now + NOMINAL.drive
    reports = (*world.truck_reports(), *world.station_reports())
    for report in reports:
        station.receive(report, before)
    station.handle_timeout(before)
    assert [event for event in _events(station) if isinstance(event, OrderGiven)]
    world.stop = True
    station.receive(world.station_reports()[0], before)
    assert station.poll_transmit() == m.Halt()
    assert station.poll_transmit() is None


def _events(station: Orchestrator) -> list[SwapEvent]:
    found: list[SwapEvent] = []
    while (event := station.poll_event()) is not None:
        found.append(event)
    return found
