"""Truck, hoist and station as devices: what they do when told, and what breaks when told wrongly."""

from random import Random

import pytest

from swapproto.codes import Vin
from swapproto.errors import SwapError
from swapproto.frame import SECOND, Instant
from swapproto.models.hoist import HoistSpec
from swapproto.models.swap_pack import SwapPack
from swapproto.models.swap_station import BAYS, Station, StationSpec, stock
from swapproto.models.truck import CONNECTORS, TRUCKS, Truck, TruckSpec
from swapproto.session.swap import messages as m
from swapproto.session.swap.messages import TRANSFER, TRUCK, Connection, Load, LockState, Tongues, bay
from swapproto.session.swap.plant import Direction

LONG = 120 * SECOND
VIN = "L00TRACT4RS000001"


class Scene:
    """A truck and a station; every order gets all the time that it needs."""

    def __init__(self, *packs: SwapPack) -> None:
        self.own = SwapPack("OWN", soc=0.2)
        self.truck = Truck(TRUCKS["tractor"], self.own)
        self.station = Station(self.truck, stock(packs), random=Random(1))
        self.now: Instant = 0

    def give(self, *orders: m.Order) -> m.HoistReport:
        for order in orders:
            if isinstance(order, m.StationOrder):
                self.station.carry_out(order, self.now)
            if isinstance(order, m.TruckOrder):
                self.truck.carry_out(order, self.now)
            for _ in range(3):
                self.now += LONG // 3
                self.station.hoist.report(self.now)
        return self.report()

    def report(self) -> m.HoistReport:
        return self.station.hoist.report(self.now)

    def over_truck(self) -> m.HoistReport:
        return self.give(m.Travel(TRUCK, loaded=False), m.Land(TRUCK), m.LockTongues(TRUCK))


def _take_off(scene: Scene) -> m.HoistReport:
    scene.give(m.Disconnect())
    scene.over_truck()
    return scene.give(m.Unlock(), m.TakeLoad(TRUCK), m.Hoist(TRUCK))


@pytest.mark.parametrize("spec", TRUCKS.values(), ids=lambda spec: spec.kind)
def test_every_truck_has_a_vin_that_holds_and_figures_of_its_own(spec: TruckSpec) -> None:
    reading = Vin.parse(spec.vin)
    assert reading.code is not None
    assert not reading.faults
    others = [other for other in TRUCKS.values() if other is not spec]
    assert all(
        (other.pack_height, other.consumption) != (spec.pack_height, spec.consumption) for other in others
    )


def test_at_rest_the_spreader_is_clear_and_empty() -> None:
    report = Scene().report()
    assert report.position.value == TRANSFER
    assert (report.clear.value, report.landed.value, report.slack.value) == (True, False, False)
    assert (report.tongues.value, report.load.value) == (Tongues.UNLOCKED, Load.NONE)
    assert report.parked.value is None


def test_a_pack_goes_from_the_truck_to_a_bay() -> None:
    scene = Scene()
    scene.give(m.Disconnect())
    report = scene.over_truck()
    assert (report.position.value, report.landed.value, report.clear.value) == (TRUCK, True, False)
    assert (report.tongues.value, report.load.value, report.slack.value) == (Tongues.LOCKED, Load.NONE, True)
    report = scene.give(m.Unlock(), m.TakeLoad(TRUCK))
    assert (report.load.value, report.slack.value, report.landed.value) == (Load.FULL, False, True)
    report = scene.give(m.Hoist(TRUCK))
    assert (report.clear.value, report.load.value) == (True, Load.FULL)
    assert (scene.truck.pack, scene.station.hoist.pack) == (None, scene.own)
    report = scene.give(m.Travel(bay(3), loaded=True))
    assert report.position.value == bay(3)
    report = scene.give(m.SetDown(bay(3)))
    assert (report.landed.value, report.load.value, report.slack.value) == (True, Load.NONE, True)
    assert scene.station.bays[bay(3)].pack is scene.own
    report = scene.give(m.UnlockTongues(bay(3)), m.Withdraw(bay(3)))
    assert (report.clear.value, report.tongues.value) == (True, Tongues.UNLOCKED)
    assert scene.station.hoist.harm == []


def test_on_the_way_it_is_nowhere() -> None:
    scene = Scene()
    scene.station.carry_out(m.Travel(bay(7), loaded=False), 0)
    scene.now = SECOND
    assert scene.report().position.value is None


@pytest.mark.parametrize("left_out", [m.Disconnect(), m.Unlock()], ids=lambda order: type(order).__name__)
def test_what_holds_a_pack_fast_shows_in_the_load_and_breaks_when_hoisted(left_out: m.Order) -> None:
    scene = Scene()
    scene.give(*(order for order in [m.Disconnect()] if order != left_out))
    scene.over_truck()
    scene.give(*(order for order in [m.Unlock()] if order != left_out))
    assert scene.give(m.TakeLoad(TRUCK)).load.value is None
    assert scene.station.hoist.harm == []
    scene.give(m.Hoist(TRUCK))
    assert scene.station.hoist.harm == ["a pack torn from the truck"]


def test_tongues_do_not_open_under_load() -> None:
    scene = Scene()
    assert _take_off(scene).load.value is Load.FULL
    report = scene.give(m.UnlockTongues(TRUCK))
    assert (report.tongues.value, scene.station.hoist.pack) == (Tongues.LOCKED, scene.own)
    assert scene.station.hoist.harm == ["tongues unlocked under load"]


def test_without_tongues_nothing_is_lifted() -> None:
    scene = Scene()
    scene.give(m.Disconnect(), m.Travel(TRUCK, loaded=False), m.Land(TRUCK), m.Unlock())
    report = scene.give(m.Hoist(TRUCK))
    assert (report.clear.value, report.load.value) == (True, Load.NONE)
    assert scene.truck.pack is scene.own


def test_halt_stops_truck_hoist_and_bays_where_they_are_and_the_order_can_come_again() -> None:
    scene = Scene(SwapPack("A"))
    for order in (m.Travel(bay(7), loaded=False), m.BayDisconnect(bay(1))):
        scene.station.carry_out(order, 0)
    scene.truck.carry_out(m.Disconnect(), 0)
    scene.now = 2 * SECOND
    scene.give(m.Halt())
    assert scene.report().position.value is None
    assert scene.truck.connection("swap_connector", scene.now) is Connection.CONNECTED
    assert scene.station.bays[bay(1)].joined(scene.now)
    assert scene.give(m.Travel(bay(7), loaded=False)).position.value == bay(7)


@pytest.mark.parametrize("after", [1, 2, 4, 5, 9, 14])
@pytest.mark.parametrize("order", [m.Hoist(TRUCK), m.SetDown(TRUCK)], ids=lambda order: type(order).__name__)
def test_a_movement_of_a_pack_that_was_halted_goes_on_when_ordered_again(
    order: m.StationOrder, after: int
) -> None:
    scene = Scene()
    scene.give(m.Disconnect())
    scene.over_truck()
    scene.give(m.Unlock())
    if isinstance(order, m.SetDown):
        scene.give(m.Hoist(TRUCK))
    scene.station.carry_out(order, scene.now)
    for _ in range(10 * after):
        scene.now += SECOND // 10
        scene.report()
    scene.give(m.Halt())
    packs = (scene.truck.pack, scene.station.hoist.pack)
    assert packs in ((None, scene.own), (scene.own, None))
    report = scene.give(order)
    hangs = isinstance(order, m.Hoist)
    assert report.load.value is (Load.FULL if hangs else Load.NONE)
    assert report.clear.value is hangs
    assert (scene.station.hoist.pack if hangs else scene.truck.pack) is scene.own


def test_emergency_stops_stay() -> None:
    scene = Scene()
    scene.station.hoist.stop(0)
    scene.truck.stop(0)
    report = scene.give(m.Travel(bay(7), loaded=False), m.Disconnect())
    assert (report.emergency_stop.value, report.position.value) == (True, TRANSFER)
    assert scene.truck.connection("coolant", scene.now) is Connection.CONNECTED


def test_supply_and_can_break_at_the_end_of_the_movement_and_make_at_the_end() -> None:
    truck = Truck(TRUCKS["mixer"], SwapPack("OWN"))
    time = round(truck.spec.connector_time * SECOND)
    truck.carry_out(m.Disconnect(), 0)
    assert [truck.supplied(at) for at in (0, time - SECOND, time)] == [True, True, False]
    truck.carry_out(m.Connect(), LONG)
    assert [truck.supplied(LONG + at) for at in (0, time - SECOND, time)] == [False, False, True]
    assert {truck.connection(name, 2 * LONG) for name in CONNECTORS} == {Connection.CONNECTED}


def test_the_lock_is_neither_on_its_way() -> None:
    truck = Truck(TRUCKS["mixer"], SwapPack("OWN"))
    truck.carry_out(m.Unlock(), 0)
    states = [truck.lock_state(at * SECOND) for at in (0, 1, 10)]
    assert states == [LockState.LOCKED, LockState.NEITHER, LockState.UNLOCKED]


def test_the_driver_sets_handbrake_neutral_and_key_and_takes_them_back() -> None:
    truck = Truck(TRUCKS["tractor"], SwapPack("OWN"))

    def state(at: float) -> tuple[bool, bool, bool]:
        now = round(at * SECOND)
        return truck.handbrake_set(now), truck.neutral(now), truck.key_off(now)

    assert state(0) == (False, False, False)
    truck.park(0)
    assert [sum(state(at)) for at in (0, 2.5, 4.5, 6.5, 1000)] == [0, 1, 2, 3, 3]
    truck.carry_out(m.Release(), 2000 * SECOND)
    assert [sum(state(2000 + at)) for at in (0, 2.5, 4.5)] == [2, 1, 0]
    assert [truck.gone((2000 + at) * SECOND) for at in (5, 7)] == [False, True]


def test_lidar_answers_after_its_time() -> None:
    scene = Scene()
    scene.station.hoist.truck_in_place = True
    scene.station.carry_out(m.MeasureParking(), 0)
    time = round(HoistSpec().lidar_time * SECOND)
    assert [scene.station.hoist.report(at).parked.value for at in (time - 1, time)] == [None, True]


def test_the_plan_takes_the_fullest_pack_that_is_ready_and_an_empty_bay() -> None:
    packs = [SwapPack(f"P{soc}", soc=soc / 100) for soc in (90, 97, 30)]
    station = Scene(*packs).station
    assert station.plan(VIN, 0) is None
    plan = station.plan(VIN, 10 * SECOND)
    assert plan is not None
    assert (plan.pick, plan.store) == (bay(2), bay(4))
    assert station.bays[bay(2)].supplied(10 * SECOND)
    packs[0].plant.battery.soc = 0.99
    assert station.plan(VIN, 20 * SECOND) == plan


def test_with_all_bays_full_the_transfer_bay_takes_the_pack_and_without_a_ready_one_there_is_no_plan() -> (
    None
):
    station = Scene(*(SwapPack("P", soc=0.9) for _ in BAYS)).station
    station.plan(VIN, 0)
    plan = station.plan(VIN, 10 * SECOND)
    assert plan is not None
    assert plan.store == TRANSFER
    empty = Scene(SwapPack("P", soc=0.3)).station
    empty.plan(VIN, 0)
    assert empty.plan(VIN, 1000 * SECOND) is None


def test_authorisation_takes_its_time_and_refuses_what_it_does_not_know() -> None:
    station = Scene().station
    station.refused.add("BAD")
    limit = round(StationSpec().authorise_time * SECOND)
    for code, verdict in (("GOOD", True), ("BAD", False), (None, False)):
        assert station.authorise(Direction.INCOMING, code, str(code), 0) is None
        assert station.authorise(Direction.INCOMING, code, str(code), 2 * limit) is verdict


def test_after_the_record_the_same_truck_can_come_again() -> None:
    station = Scene(SwapPack("A", soc=0.9), SwapPack("B", soc=0.8)).station
    station.plan(VIN, 0)
    plan = station.plan(VIN, 10 * SECOND)
    assert plan is not None
    assert station.record(plan, VIN, 10 * SECOND) is None
    assert station.record(plan, VIN, 20 * SECOND)
    assert station.records == [(20 * SECOND, VIN, plan)]
    station.bays[bay(1)].pack = None
    assert station.plan(VIN, 30 * SECOND) is None
    again = station.plan(VIN, 40 * SECOND)
    assert again is not None
    assert again.pick == bay(2)


@pytest.mark.parametrize(
    "broken",
    [
        lambda: HoistSpec(lift_speed=0),
        lambda: StationSpec(ready=2),
        lambda: TruckSpec(kind="x", vin=VIN, consumption=0, pack_height=1),
    ],
)
def test_a_device_that_could_not_be_is_refused(broken: object) -> None:
    assert callable(broken)
    with pytest.raises(SwapError, match="is not within"):
        broken()
