"""What can be asked of the last reports: single conditions, each with a name for people."""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import TypeAlias, TypeVar, cast

import msgspec

from swapproto.frame import Instant
from swapproto.session.swap.messages import (
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
from swapproto.session.swap.view import Heard, View

R = TypeVar("R")
V = TypeVar("V")

SAFE_VOLTAGE = 60.0
"""Volts on the bus; a pack is de-energised only below [assumed: the common limit of harmless DC voltage]."""


class Told(msgspec.Struct, frozen=True, gc=False):
    """What a source said, held against a condition."""

    holds: bool
    text: str
    at: Instant


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
        age = view.pack_age(place, told.at, now) if self.of_pack else now - told.at
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
    if isinstance(value, tuple):
        return ", ".join(_text(part) for part in cast("tuple[object, ...]", value)) or "nothing"
    return str(value)


def _is(value: V) -> Callable[[V], bool]:
    return lambda seen: seen == value


def _vehicle(name: str, get: Callable[[VehicleReport], Reading[V]], wanted: V) -> Condition:
    return Condition(name, lambda view, _: _told(view.vehicle, get, _is(wanted)))


def _locks(name: str, get: Callable[[LockReport], Reading[V]], wanted: V) -> Condition:
    return Condition(name, lambda view, _: _told(view.lock, get, _is(wanted)))


def _hoist(name: str, get: Callable[[HoistReport], Reading[V]], wanted: V) -> Condition:
    return Condition(name, lambda view, _: _told(view.hoist, get, _is(wanted)))


def _controller(name: str, get: Callable[[ControllerReport], V], wanted: V) -> Condition:
    return Condition(name, lambda view, _: _told(view.controller, lambda r: Reading(get(r)), _is(wanted)))


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

LINK_UP = Condition("swap controller heard", lambda view, _: _told(view.controller, Reading, lambda _: True))
VEHICLE_HEARD = Condition(
    "vehicle heard", lambda view, _: _told(view.vehicle, lambda r: Reading(r.vin), bool)
)
ENGAGED = _controller("swap controller engaged", lambda r: r.status, ControllerStatus.ENGAGED)
FREE = _controller("swap controller free", lambda r: r.status, ControllerStatus.FREE)

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

RELAYS_OPEN = _pack(
    "all relays reported open",
    lambda r: r.relays,
    lambda relays: bool(relays) and all(relay == RelayState.OPEN for relay in relays),
)
NOT_WELDED = _pack("no weld bit", lambda r: r.welded, _is(False))
VOLTAGE_SAFE = _pack(
    f"bus voltage below {SAFE_VOLTAGE:.0f} V",
    lambda r: r.bus_voltage,
    lambda volts: abs(volts) < SAFE_VOLTAGE,
)
PACK_SPEAKS = _pack("pack reports", lambda r: r.relays, lambda _: True, silent=False)

BAY_HOLDS = _bay("pack in the bay", lambda r: r.present, True)
BAY_EMPTY = _bay("bay empty", lambda r: r.present, False)
BAY_APART = _bay("bay connector apart", lambda r: r.connector, Connection.NOT_CONNECTED)
BAY_CONNECTED = _bay("bay connector connected", lambda r: r.connector, Connection.CONNECTED)

PARKED_SAFELY: Conditions = (KEY_OFF, NEUTRAL, HANDBRAKE)
DE_ENERGISED: Conditions = (RELAYS_OPEN, NOT_WELDED, VOLTAGE_SAFE)
"""Open bits alone prove nothing: a welded relay reports open, and so does one with a broken feedback."""
