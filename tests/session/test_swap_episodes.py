"""What belongs to one truck and one pack ends with it: alarms, codes, the VIN."""

import pytest

from swapproto.frame import MILLISECOND
from swapproto.session.swap import messages as m
from swapproto.session.swap.command import Command
from swapproto.session.swap.messages import TRUCK, Connection, Reading
from swapproto.session.swap.orchestrator import State
from swapproto.session.swap.orchestrator_table import ENDS
from swapproto.session.swap.plant import Direction, Plan
from swapproto.session.swap.view import View
from tests.session.test_swap_world import PICK, STORE, World, world

__all__ = ["world"]

LIMIT = 300 * MILLISECOND


def burning(code: str, place: m.Place = TRUCK) -> m.PackReport:
    return m.PackReport(place, code, thermal_event=True)


def test_a_second_burning_pack_holds_again(world: World) -> None:
    world.reach(State.DE_ENERGISE)
    world.station.receive(burning("OLD"), world.now)
    assert world.station.held
    world.command(Command.RESUME)
    world.reach_on(State.CONNECT)
    world.station.receive(burning("NEW"), world.now)
    assert world.station.held
    world.rest(10)
    assert m.Release() not in world.orders


@pytest.mark.parametrize("same", [True, False])
def test_an_answered_alarm_ends_with_the_pack_that_it_came_from(same: bool) -> None:
    view = View(LIMIT)
    view.take(burning("OLD"), 0)
    view.thermal.answer()
    view.take(burning("OLD" if same else "NEW"), 1)
    assert view.thermal.unanswered is not same


def test_an_alarm_that_ended_and_begins_again_is_a_new_one() -> None:
    view = View(LIMIT)
    view.take(burning("OLD"), 0)
    view.thermal.answer()
    view.take(m.PackReport(TRUCK, "OLD"), 1)
    view.take(burning("OLD"), 2)
    assert view.thermal.unanswered


def test_a_truck_that_left_takes_its_alarms_and_stops_along(world: World) -> None:
    world.reach(State.COMPLETE)
    world.station.receive(burning("NEW"), world.now)
    world.truck_stop = True
    world.rest(0.3)
    world.command(Command.RESET)
    view = world.station._view
    assert (len(view.thermal), len(view.stops)) == (0, 0)


def test_another_vehicle_on_the_way_holds_and_is_never_released(world: World) -> None:
    world.reach(State.TONGUES)
    world.station.receive(m.VehicleReport("ANOTHER", emergency_stop=Reading(False)), world.now)
    assert world.station.held
    assert "Halt" in type(world.station.poll_transmit()).__name__
    world.rest(0.5)
    world.command(Command.RESUME)
    world.run(lambda: world.station.state in ENDS or world.station.held)


@pytest.mark.parametrize("plan", [Plan(PICK, PICK), Plan(TRUCK, STORE), Plan(PICK, TRUCK), Plan(STORE, PICK)])
def test_a_plan_that_cannot_be_is_refused_before_the_pack_is_de_energised(world: World, plan: Plan) -> None:
    world.stock.choice = plan
    world.command(Command.START)
    world.run(lambda: world.station.held)
    assert world.station.state is State.DE_ENERGISE
    assert m.DeEnergise() not in world.orders


def test_a_pack_that_does_not_tell_its_code_is_not_authorised_on_that_of_another(world: World) -> None:
    world.reach(State.COMPLETE)
    world.command(Command.RESET)
    world.stock.asked.clear()
    world.connected[TRUCK] = False
    world.command(Command.START)
    world.run(lambda: world.station.held)
    assert world.station.state is State.AUTHORISE_INCOMING
    assert world.stock.asked == []


def test_the_code_of_the_hanging_pack_is_the_one_told_where_it_was_lifted(world: World) -> None:
    world.reach(State.COMPLETE)
    assert world.stock.asked[-1][:2] == (Direction.OUTGOING, "NEW")
    assert TRUCK in world.station._view.codes
    assert world.station._view.hanging_code is None
    world.command(Command.RESET)
    assert not world.station._view.codes


def test_the_younger_word_counts_for_each_reading_by_itself() -> None:
    view = View(LIMIT)
    view.take(m.HoistReport(tongues=Reading(m.Tongues.NEITHER, 50), landed=Reading(True, 200)), 1000)
    view.take(m.HoistReport(tongues=Reading(m.Tongues.LOCKED, 60), landed=Reading(False, 100)), 1001)
    assert view.hoist is not None
    seen = view.hoist.seen(view.hoist.report.tongues), view.hoist.seen(view.hoist.report.landed)
    assert [(each.value, each.at) for each in seen] == [(m.Tongues.NEITHER, 950), (False, 901)]


def test_a_reading_of_negative_age_tells_nothing() -> None:
    view = View(LIMIT)
    view.take(m.LockReport(swap_connector=Reading(Connection.CONNECTED, -1)), 1000)
    assert view.connector(TRUCK).value is None


def test_a_release_is_reached_by_its_order_alone(world: World) -> None:
    world.deaf = {m.Release}
    world.reach(State.RELEASE)
    world.stop = True
    world.rest(0.3)
    world.station.receive(m.ControllerReport(Reading(m.ControllerStatus.FREE)), world.now)
    assert world.station.state is State.RELEASE
