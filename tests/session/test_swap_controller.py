"""The truck's end of a swap by itself."""

from typing import Any

import pytest

from swapproto.frame import MILLISECOND, SECOND, Instant
from swapproto.session.swap import messages as m
from swapproto.session.swap.controller import State, SwapController
from swapproto.session.swap.events import OrderMisplaced, StepLate
from swapproto.session.swap.messages import TRUCK, Connection, LockState, Reading, RelayState
from swapproto.session.swap.timing import NOMINAL

CYCLE = NOMINAL.cycle


class Devices:
    """What the truck's devices say to a controller in every cycle, and what it says."""

    def __init__(self) -> None:
        self.controller = SwapController()
        self.now: Instant = 0
        self.key_off, self.stop, self.inhibited = True, False, False
        self.lock, self.link = LockState.LOCKED, Connection.CONNECTED
        self.volts = 3.0
        self.orders: list[m.Order] = []
        self.reports: list[m.TruckReport] = []
        self.events: list[Any] = []

    def cycle(self, times: int = 1) -> None:
        for _ in range(times):
            self.now += CYCLE
            link = Reading(self.link)
            said: list[m.VehicleReport | m.LockReport | m.PackReport] = [
                m.VehicleReport(
                    "VIN", Reading(self.key_off), Reading(True), Reading(True), Reading(self.inhibited),
                    Reading(self.stop),
                ),
                m.LockReport(Reading(self.lock), link, link, link, link),
            ]  # fmt: skip
            if self.link is Connection.CONNECTED:
                relays = dict.fromkeys(m.RELAYS, RelayState.OPEN)
                said.insert(0, m.PackReport(TRUCK, "P", Reading(relays), Reading(False), Reading(self.volts)))
            for report in said:
                self.controller.receive(report, self.now)
                self.poll()

    def order(self, order: m.TruckOrder) -> None:
        self.controller.receive(order, self.now)
        self.poll()

    def poll(self) -> None:
        while (message := self.controller.poll_transmit()) is not None:
            if isinstance(message, m.VehicleReport | m.LockReport | m.PackReport | m.ControllerReport):
                self.reports.append(message)
            else:
                self.orders.append(message)
        while (event := self.controller.poll_event()) is not None:
            self.events.append(event)


@pytest.fixture
def devices() -> Devices:
    made = Devices()
    made.cycle(3)
    return made


def test_it_is_free_once_it_knows_that_the_pack_is_locked_and_connected(devices: Devices) -> None:
    assert devices.controller.state is State.FREE
    assert devices.orders == []


@pytest.mark.parametrize("what", ["lock", "link", "inhibited"])
def test_after_a_restart_in_the_middle_of_a_swap_it_waits_for_orders(what: str) -> None:
    wrong = {"lock": LockState.UNLOCKED, "link": Connection.NOT_CONNECTED, "inhibited": True}
    devices = Devices()
    setattr(devices, what, wrong[what])
    devices.cycle(NOMINAL.answer // CYCLE + 2)
    assert devices.controller.state is State.STOPPED
    devices.order(m.Release())
    devices.cycle(12)
    assert (m.Release() in devices.orders) is (what == "inhibited")


def test_it_never_permits_driving_before_lock_and_connectors(devices: Devices) -> None:
    devices.order(m.Engage())
    devices.inhibited = True
    devices.cycle()
    devices.lock = LockState.NEITHER
    devices.cycle()
    devices.order(m.Release())
    devices.cycle(15)
    assert m.Release() not in devices.orders
    refusal = devices.controller.refusal
    assert refusal is not None
    assert [fault.condition for fault in refusal.faults] == ["base locked"]
    told = [report for report in devices.reports if isinstance(report, m.ControllerReport)]
    assert told[-1].status.value is m.ControllerStatus.BUSY
    assert told[-1].refusal is not None
    assert told[-1].refusal.rule == refusal.rule
    devices.lock = LockState.LOCKED
    devices.cycle()
    assert devices.orders[-1] == m.Release()


def test_it_parts_no_plugs_under_voltage_whatever_the_relays_say(devices: Devices) -> None:
    devices.order(m.Engage())
    devices.inhibited, devices.volts = True, 60.0
    devices.cycle()
    devices.order(m.Disconnect())
    devices.cycle(5)
    assert m.Disconnect() not in devices.orders
    devices.volts = 59.9
    devices.cycle()
    assert devices.orders[-1] == m.Disconnect()


def test_an_order_out_of_place_is_told_and_ignored(devices: Devices) -> None:
    devices.order(m.Unlock())
    assert devices.events[-1] == OrderMisplaced(State.FREE, m.Unlock(), devices.now)
    assert devices.controller.state is State.FREE


def test_an_emergency_stop_breaks_off_what_is_going_on(devices: Devices) -> None:
    devices.order(m.Engage())
    devices.stop = devices.inhibited = True
    devices.cycle()
    assert devices.controller.state is State.STOPPED
    assert devices.orders == [m.Engage(), m.Halt()]
    devices.order(m.Release())
    devices.cycle(15)
    devices.stop = False
    assert m.Release() not in devices.orders
    devices.cycle(2)
    assert devices.orders == [m.Engage(), m.Halt(), m.Release()]


def test_what_does_not_come_is_ordered_again(devices: Devices) -> None:
    devices.order(m.Engage())
    devices.cycle(2 * NOMINAL.answer // CYCLE)
    assert devices.orders == [m.Engage(), m.Engage(), m.Engage()]
    assert [event.attempt for event in devices.events if isinstance(event, StepLate)] == [1, 2]
    assert devices.controller.state is State.ENGAGING


def test_reports_leave_in_every_cycle_and_grow_old_with_their_sources(devices: Devices) -> None:
    devices.cycle()
    devices.now += CYCLE
    devices.controller.handle_timeout(devices.now)
    devices.poll()
    devices.reports.clear()
    report = m.LockReport(Reading(LockState.LOCKED, age=7))
    devices.controller.receive(report, devices.now + 30 * MILLISECOND)
    devices.poll()
    assert devices.reports == []
    devices.now += 3 * SECOND
    devices.controller.handle_timeout(devices.now)
    devices.poll()
    status, lock = devices.reports
    assert status == m.ControllerReport(Reading(m.ControllerStatus.FREE))
    assert isinstance(lock, m.LockReport)
    assert lock.lock == Reading(LockState.LOCKED, age=7 + 3 * SECOND - 30 * MILLISECOND)
    due = devices.controller.next_timeout()
    assert due is not None
    assert devices.now < due <= devices.now + CYCLE
