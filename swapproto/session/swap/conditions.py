"""What can be asked of the last reports: single conditions, each with a name for people."""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import TypeAlias, TypeVar

import msgspec

from swapproto.frame import Instant
from swapproto.session.swap.messages import (
    MAIN_RELAYS,
    RELAYS,
    TRUCK,
    BayReport,
    Connection,
    ControllerReport,
    ControllerStatus,
    HoistReport,
    Load,
    LockReport,
    LockState,
    PackReport,
    Place,
    Reading,
    RelayState,
    Tongues,
    VehicleReport,
)
from swapproto.session.swap.refusal import Fault
from swapproto.session.swap.view import Heard, Seen, View

R = TypeVar("R", VehicleReport, LockReport, ControllerReport, HoistReport, BayReport, PackReport)
V = TypeVar("V")

SAFE_VOLTAGE = 60.0
"""Volts on the bus; a pack is de-energised only below [assumed: the common limit of harmless DC voltage]."""


class Told(msgspec.Struct, frozen=True, gc=False):
    """What a source said, held against a condition."""

    holds: bool
    text: str
    at: Instant | None
    """None for what the machine knows by itself: that does not grow old."""


class Condition(msgspec.Struct, frozen=True):
    """Something that has to be so at the place of the order."""

    name: str
    ask: Callable[[View, Place], Told | None]
    of_pack: bool = False
    """Whether it is the pack's own word, which goes on holding while the pack lies legitimately silent."""

    def fault(self, view: View, place: Place, now: Instant, limit: int) -> Fault | None:
        """What is wrong, None where the condition holds. What was never told, or not lately, is wrong."""
        told = self.ask(view, place)
        if told is None:
            return Fault(self.name, None, None, stale=False)
        at = now if told.at is None else told.at
        age = view.pack_age(place, at, now) if self.of_pack else now - at
        stale = not 0 <= age <= limit
        return Fault(self.name, told.text, age, stale) if stale or not told.holds else None


Conditions: TypeAlias = tuple[Condition, ...]


def _told(heard: Heard[R] | None, get: Callable[[R], Reading[V]], holds: Callable[[V], bool]) -> Told | None:
    if heard is None:
        return None
    seen = heard.seen(get(heard.report))
    if seen.value is None or seen.at is None:
        return None
    return Told(holds(seen.value), _text(seen.value), seen.at)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Enum):
        return value.name.lower().replace("_", " ")
    return str(value)


def _is(value: V) -> Callable[[V], bool]:
    return lambda seen: seen == value


def _vehicle(name: str, get: Callable[[VehicleReport], Reading[V]], wanted: V) -> Condition:
    return Condition(name, lambda view, _: _told(view.vehicle, get, _is(wanted)))


def _locks(name: str, get: Callable[[LockReport], Reading[V]], wanted: V) -> Condition:
    return Condition(name, lambda view, _: _told(view.lock, get, _is(wanted)))


def _hoist(name: str, get: Callable[[HoistReport], Reading[V]], wanted: V) -> Condition:
    return Condition(name, lambda view, _: _told(view.hoist, get, _is(wanted)))


def _controller(name: str, *wanted: ControllerStatus) -> Condition:
    return Condition(name, lambda view, _: _told(view.controller, lambda r: r.status, lambda s: s in wanted))


def _bay(name: str, get: Callable[[BayReport], Reading[V]], wanted: V) -> Condition:
    return Condition(name, lambda view, place: _told(view.bays.get(place), get, _is(wanted)))


def _pack(
    name: str, get: Callable[[PackReport], Reading[V]], holds: Callable[[V], bool], *, silent: bool = True
) -> Condition:
    return Condition(name, lambda view, place: _told(view.packs.get(place), get, holds), silent)


NO_STOP = _hoist("no emergency stop at the station", lambda r: r.emergency_stop, False)
IN_PLACE = Condition(
    "spreader in place", lambda view, place: _told(view.hoist, lambda r: r.position, _is(place))
)
CLEAR = _hoist("hoisted clear", lambda r: r.clear, True)
LANDED = _hoist("spreader landed", lambda r: r.landed, True)
TONGUES_LOCKED = _hoist("tongues locked", lambda r: r.tongues, Tongues.LOCKED)
TONGUES_UNLOCKED = _hoist("tongues unlocked", lambda r: r.tongues, Tongues.UNLOCKED)
LOADED = _hoist("whole load taken", lambda r: r.load, Load.FULL)
UNLOADED = _hoist("no load on the spreader", lambda r: r.load, Load.NONE)
TIGHT = _hoist("no slack", lambda r: r.slack, False)
PARKED = _hoist("truck in parking position", lambda r: r.parked, True)

TRUCK_NO_STOP = _vehicle("no emergency stop at the truck", lambda r: r.emergency_stop, False)
KEY_OFF = _vehicle("key off", lambda r: r.key_off, True)
NEUTRAL = _vehicle("gear in neutral", lambda r: r.neutral, True)
HANDBRAKE = _vehicle("handbrake set", lambda r: r.handbrake, True)
DRIVE_INHIBITED = _vehicle("drive inhibited", lambda r: r.drive_inhibited, True)
DRIVE_PERMITTED = _vehicle("drive permitted", lambda r: r.drive_inhibited, False)


def _same_vehicle(view: View, _: Place) -> Told | None:
    heard = view.vehicle
    if heard is None or not heard.report.vin:
        return None
    return Told(heard.report.vin == view.vin, heard.report.vin, heard.word)


LINK_UP = Condition(
    "swap controller heard", lambda view, _: _told(view.controller, lambda r: r.status, lambda _: True)
)
VEHICLE_HEARD = Condition(
    "vehicle heard",
    lambda view, _: (
        Told(holds=True, text=view.vehicle.report.vin, at=view.vehicle.word)
        if view.vehicle is not None and view.vehicle.report.vin
        else None
    ),
)
SAME_VEHICLE = Condition("the truck of this swap", _same_vehicle)
ENGAGED = _controller("swap controller engaged", ControllerStatus.ENGAGED)
IN_SWAP = _controller(
    "swap controller in a swap", ControllerStatus.ENGAGED, ControllerStatus.BUSY, ControllerStatus.STOPPED
)
FREE = _controller("swap controller free", ControllerStatus.FREE)

BASE_LOCKED = _locks("base locked", lambda r: r.lock, LockState.LOCKED)
BASE_UNLOCKED = _locks("base unlocked", lambda r: r.lock, LockState.UNLOCKED)
_LOOPS: Mapping[str, Callable[[LockReport], Reading[Connection]]] = {
    "swap connector": lambda r: r.swap_connector,
    "charge connector": lambda r: r.charge_connector,
    "discharge connector": lambda r: r.discharge_connector,
    "coolant": lambda r: r.coolant,
}
APART = tuple(_locks(f"{name} apart", get, Connection.NOT_CONNECTED) for name, get in _LOOPS.items())
CONNECTED = tuple(_locks(f"{name} connected", get, Connection.CONNECTED) for name, get in _LOOPS.items())

NO_FAULT = _locks("no fault of the swap system", lambda r: r.fault_level, 0)


def _relays_open(view: View, place: Place) -> Told | None:
    """Every relay is reported open, but for those that the pack lacks; a main relay is lacked by none."""
    heard = view.packs.get(place)
    seen = Seen[Mapping[str, RelayState]]() if heard is None else heard.seen(heard.report.relays)
    if heard is None or seen.value is None:
        return None
    there = {name: seen.value.get(name, RelayState.NOT_GIVEN) for name in {*RELAYS, *seen.value}}
    wrong = sorted(
        f"{name} {_text(state)}"
        for name, state in there.items()
        if state != RelayState.OPEN
        and (state != RelayState.NOT_GIVEN or name in MAIN_RELAYS or name not in heard.report.lacks)
    )
    return Told(not wrong, ", ".join(wrong) or "all open", seen.at)


RELAYS_OPEN = Condition("all relays reported open", _relays_open, of_pack=True)
NOT_WELDED = _pack("no weld bit", lambda r: r.welded, _is(False))
VOLTAGE_SAFE = _pack(
    f"bus voltage below {SAFE_VOLTAGE:.0f} V",
    lambda r: r.bus_voltage,
    lambda volts: abs(volts) < SAFE_VOLTAGE,
)
PACK_SPEAKS = _pack("pack reports", lambda r: r.relays, lambda _: True, silent=False)


def _present(report: BayReport) -> Reading[bool]:
    return report.present


BAY_HOLDS = _bay("pack in the bay", _present, True)
BAY_EMPTY = _bay("bay empty", _present, False)
BAY_APART = _bay("bay connector apart", lambda r: r.connector, Connection.NOT_CONNECTED)
BAY_CONNECTED = _bay("bay connector connected", lambda r: r.connector, Connection.CONNECTED)


def _code(view: View, place: Place) -> Told | None:
    seen = view.codes.get(place)
    return None if seen is None or seen.value is None else Told(holds=True, text=seen.value, at=seen.at)


CODE_HEARD = Condition("code of the pack heard", _code)


def _no_alarm(view: View, _: Place) -> Told:
    open_alarms = view.thermal.unanswered
    return Told(not open_alarms, "an alarm" if open_alarms else "none", None)


NO_ALARM = Condition("no thermal alarm that nobody has answered", _no_alarm)


def _planned(view: View, _: Place) -> Told | None:
    plan = view.plan
    if plan is None:
        return None
    return Told(
        TRUCK not in (plan.pick, plan.store) and plan.pick != plan.store,
        f"{plan.pick} and {plan.store}",
        None,
    )


PLANNED = Condition("two different bays planned", _planned)
PICK_HOLDS = Condition(
    "pack in the bay to pick from",
    lambda view, _: _told(view.bays.get(view.plan.pick), _present, _is(True)) if view.plan else None,
)
STORE_EMPTY = Condition(
    "bay to store in empty",
    lambda view, _: _told(view.bays.get(view.plan.store), _present, _is(False)) if view.plan else None,
)
PLAN: Conditions = (PLANNED, PICK_HOLDS, STORE_EMPTY)

PARKED_SAFELY: Conditions = (KEY_OFF, NEUTRAL, HANDBRAKE)
DE_ENERGISED: Conditions = (RELAYS_OPEN, NOT_WELDED, VOLTAGE_SAFE)
"""Open bits alone prove nothing: a welded relay reports open, and so does one with a broken feedback."""
