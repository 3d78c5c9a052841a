"""The truck's end of a swap, sans-I/O: carries out the station's orders, and protects the truck from them.

Usage::

    controller = SwapController()
    controller.receive(report, now)     # of the truck's own devices: vehicle, locks, pack; every cycle
    controller.receive(order, now)      # of the station
    while (message := controller.poll_transmit()) is not None: ...

What it transmits is told apart by type: reports are for the station, orders for the truck's own devices.
"""

from collections import deque
from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar, cast

import msgspec

from swapproto.errors import LocalProtocolError
from swapproto.frame import Instant
from swapproto.session.swap._engine import MAX_EVENTS, Machine
from swapproto.session.swap.controller_table import RULES, STATUS, STEPS, TABLE, Input, State
from swapproto.session.swap.events import OrderMisplaced
from swapproto.session.swap.interlocks import TRUCK_RULES
from swapproto.session.swap.messages import (
    Connect,
    ControllerReport,
    DeEnergise,
    Disconnect,
    Engage,
    Halt,
    Lock,
    LockReport,
    Order,
    PackReport,
    Place,
    Reading,
    Release,
    TruckOrder,
    TruckReport,
    Unlock,
    VehicleReport,
)
from swapproto.session.swap.timing import NOMINAL, Timing

__all__ = ["RULES", "STEPS", "TABLE", "Input", "State", "SwapController"]

T = TypeVar("T", bound=VehicleReport | LockReport | PackReport)

_ORDERS: Mapping[type[TruckOrder], Input] = MappingProxyType(
    {
        Engage: Input.ENGAGE, DeEnergise: Input.DE_ENERGISE, Disconnect: Input.DISCONNECT,
        Unlock: Input.UNLOCK, Lock: Input.LOCK, Connect: Input.CONNECT, Release: Input.RELEASE,
        Halt: Input.HALT,
    }
)  # fmt: skip


class SwapController(Machine[State, Input, Place]):
    """One swap after another. Reports leave in every cycle, from the first call on."""

    def __init__(self, *, timing: Timing = NOMINAL) -> None:
        super().__init__(RULES, TRUCK_RULES, timing)
        self._due: Instant | None = None
        self._news: dict[type[TruckReport], tuple[VehicleReport | LockReport | PackReport, Instant]] = {}
        self._reports: deque[TruckReport] = deque(maxlen=MAX_EVENTS)

    def receive(self, message: TruckOrder | VehicleReport | LockReport | PackReport, now: Instant) -> None:
        """Take an order of the station or a report of the truck's own devices. Afterwards poll everything."""
        if not isinstance(message, TruckOrder | VehicleReport | LockReport | PackReport):  # pyright: ignore[reportUnnecessaryIsInstance]  # bad calls
            raise LocalProtocolError(f"{message!r} is no order to a truck and no report of its devices")
        self._start(now)
        self._recall()
        if isinstance(message, VehicleReport | LockReport | PackReport):
            self._view.take(message, now)
            self._news[type(message)] = (message, now)
            self._alarm(now)
        elif not self._obey(_ORDERS[type(message)], now):
            self._emit(OrderMisplaced(self._state, message, now))
        self._run(now)

    def handle_timeout(self, now: Instant) -> None:
        """Do what is due; a call before next_timeout() is harmless. Afterwards poll everything."""
        self._start(now)
        self._recall()
        self._run(now)

    def next_timeout(self) -> Instant | None:
        """When handle_timeout() is wanted next, at the latest; None before the first call."""
        if self._due is None:
            return None
        wake = self._wake()
        return self._due if wake is None else min(wake, self._due)

    def poll_transmit(self) -> TruckReport | Order | None:
        """The next order to the truck's devices or report to the station. Poll after every other call."""
        order = self._gate.poll()
        if order is not None:
            return order
        return self._reports.popleft() if self._reports else None

    # ---- inside

    def _start(self, now: Instant) -> None:
        if self._due is None:
            self._due = now
            self._begin(now)

    def _obey(self, cause: Input, now: Instant) -> bool:
        before = self._state
        if not self._move(cause, now):
            return False
        if self._state is before and self._working():
            self._try(now)  # told again: the order may have been lost on its way
        return True

    def _run(self, now: Instant) -> None:
        self._work(now)
        if self._due is not None and now >= self._due:
            self._report(now)
            missed = (now - self._due) // self._timing.cycle
            self._due += (missed + 1) * self._timing.cycle

    def _report(self, now: Instant) -> None:
        """Tell the own state, and what the devices have said since the last time."""
        self._reports.append(ControllerReport(Reading(STATUS[self._state]), self._refusal))
        for report, at in self._news.values():
            self._reports.append(_aged(report, now - at))
        self._news.clear()

    def _alarm(self, now: Instant) -> None:
        for alarms, cause in ((self._view.stops, Input.EMERGENCY), (self._view.thermal, Input.THERMAL)):
            if alarms.unanswered:
                alarms.answer()
                self._move(cause, now)

    def _entered(self, before: State, cause: Input, now: Instant) -> None:  # noqa: ARG002  (one signature)
        if cause in (Input.HALT, Input.EMERGENCY):
            self._give(Halt(), now)

    def _place(self, at: Place) -> Place:
        return at

    def _reached(self, now: Instant) -> bool | None:  # noqa: ARG002  (one signature)
        raise AssertionError(f"the step {self._state!r} of the truck has no goal")


def _aged(report: T, by: int) -> T:
    """The report as it is true some time later."""
    readings: dict[str, Reading[object]] = {}
    for name in report.__struct_fields__:
        value: object = getattr(report, name)
        if isinstance(value, Reading):
            reading = cast("Reading[object]", value)
            readings[name] = Reading(reading.value, reading.age + by)
    return msgspec.structs.replace(report, **readings)
