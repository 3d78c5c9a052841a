"""The interlocks: which conditions the last reports must fulfil before an order leaves.

A condition that was never reported, or not lately, is not fulfilled. ``gate`` is where the rules are applied.
This is no safety function: see ``swapproto.session.swap``.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from swapproto.frame import Instant
from swapproto.session.swap.conditions import (
    APART,
    BASE_LOCKED,
    BASE_UNLOCKED,
    BAY_APART,
    BAY_EMPTY,
    BAY_HOLDS,
    CLEAR,
    CODE_HEARD,
    CONNECTED,
    DE_ENERGISED,
    DRIVE_INHIBITED,
    HANDBRAKE,
    IN_PLACE,
    IN_SWAP,
    LANDED,
    LOADED,
    NO_ALARM,
    NO_STOP,
    PARKED,
    PARKED_SAFELY,
    PLAN,
    SAME_VEHICLE,
    TIGHT,
    TONGUES_LOCKED,
    TONGUES_UNLOCKED,
    TRUCK_NO_STOP,
    UNLOADED,
    Conditions,
)
from swapproto.session.swap.messages import (
    TRUCK,
    BayConnect,
    BayDisconnect,
    Connect,
    DeEnergise,
    Disconnect,
    Engage,
    Halt,
    Hoist,
    Land,
    Lock,
    LockTongues,
    MeasureParking,
    Order,
    Place,
    Release,
    SetDown,
    TakeLoad,
    Travel,
    Unlock,
    UnlockTongues,
    Withdraw,
)
from swapproto.session.swap.refusal import Fault, Refusal
from swapproto.session.swap.view import View


class Rule(StrEnum):
    """The interlocks by name; each order is under exactly one."""

    ALWAYS = "moves nothing"
    DE_ENERGISE = "de-energise"
    DISCONNECT = "disconnect"
    UNLOCK = "unlock the base"
    LOCK = "lock the base"
    CONNECT = "connect"
    RELEASE = "release the truck"
    TRAVEL = "travel empty"
    CARRY = "travel with a pack"
    LAND = "land on the truck's pack"
    LAND_IN_BAY = "land on a bay's pack"
    GRIP = "lock the tongues"
    LET_GO = "unlock the tongues on the truck"
    LET_GO_IN_BAY = "unlock the tongues in a bay"
    TENSION = "take the load of the truck's pack"
    TENSION_IN_BAY = "take the load of a bay's pack"
    HOIST = "hoist off the truck"
    HOIST_FROM_BAY = "hoist out of a bay"
    SET_DOWN = "set down on the truck"
    SET_DOWN_IN_BAY = "set down in a bay"
    WITHDRAW = "withdraw the empty spreader"
    BAY_DISCONNECT = "disconnect a bay's pack"
    BAY_CONNECT = "connect a bay's pack"


_MOVING: Conditions = (NO_STOP, IN_PLACE)
_STANDS: Conditions = (
    TRUCK_NO_STOP, *PARKED_SAFELY, PARKED, SAME_VEHICLE, IN_SWAP, DRIVE_INHIBITED,
)  # fmt: skip
"""The truck of this swap stands where it should and will not drive off."""
_OFF_TRUCK: Conditions = (
    *_MOVING, *_STANDS, TONGUES_LOCKED, BASE_UNLOCKED, *APART, *DE_ENERGISED,
)  # fmt: skip
_OUT_OF_BAY: Conditions = (*_MOVING, TONGUES_LOCKED, BAY_HOLDS, BAY_APART, *DE_ENERGISED)

RULES: Mapping[Rule, Conditions] = MappingProxyType(
    {
        Rule.ALWAYS: (),
        Rule.DE_ENERGISE: (*PARKED_SAFELY, *PLAN),
        Rule.DISCONNECT: (NO_STOP, TRUCK_NO_STOP, *PARKED_SAFELY, *DE_ENERGISED),
        Rule.UNLOCK: (
            *_MOVING, *_STANDS, LANDED, TONGUES_LOCKED, *APART, *DE_ENERGISED,
        ),
        Rule.LOCK: (*_MOVING, TRUCK_NO_STOP, LANDED, UNLOADED),
        Rule.CONNECT: (NO_STOP, TRUCK_NO_STOP, *PARKED_SAFELY, BASE_LOCKED, CLEAR, TONGUES_UNLOCKED),
        Rule.RELEASE: (
            NO_STOP, TRUCK_NO_STOP, NO_ALARM, SAME_VEHICLE, BASE_LOCKED, *CONNECTED, CLEAR, TONGUES_UNLOCKED,
        ),
        Rule.TRAVEL: (NO_STOP, CLEAR, TONGUES_UNLOCKED, UNLOADED),
        Rule.CARRY: (NO_STOP, CLEAR, TONGUES_LOCKED, LOADED, TIGHT),
        Rule.LAND: (
            *_MOVING, TRUCK_NO_STOP, *PARKED_SAFELY, TONGUES_UNLOCKED, UNLOADED, BASE_LOCKED, *APART,
        ),
        Rule.LAND_IN_BAY: (*_MOVING, TONGUES_UNLOCKED, UNLOADED, BAY_HOLDS, BAY_APART),
        Rule.GRIP: (*_MOVING, LANDED),
        Rule.LET_GO: (*_MOVING, LANDED, UNLOADED, BASE_LOCKED),
        Rule.LET_GO_IN_BAY: (*_MOVING, LANDED, UNLOADED, BAY_HOLDS),
        Rule.TENSION: (*_OFF_TRUCK, LANDED),
        Rule.TENSION_IN_BAY: (*_OUT_OF_BAY, LANDED),
        Rule.HOIST: (*_OFF_TRUCK, *PLAN, NO_ALARM, LOADED, TIGHT),
        Rule.HOIST_FROM_BAY: (*_OUT_OF_BAY, NO_ALARM, LOADED, TIGHT),
        Rule.SET_DOWN: (
            *_MOVING, *_STANDS, NO_ALARM, TONGUES_LOCKED, LOADED, BASE_UNLOCKED, *APART,
        ),
        Rule.SET_DOWN_IN_BAY: (*_MOVING, NO_ALARM, TONGUES_LOCKED, LOADED, BAY_EMPTY, BAY_APART),
        Rule.WITHDRAW: (*_MOVING, TONGUES_UNLOCKED, UNLOADED),
        Rule.BAY_DISCONNECT: (NO_STOP, *DE_ENERGISED, CODE_HEARD),
        Rule.BAY_CONNECT: (NO_STOP, BAY_HOLDS, CLEAR),
    }
)  # fmt: skip
"""What the station asks of the world before an order leaves."""

TRUCK_RULES: Mapping[Rule, Conditions] = MappingProxyType(
    {
        Rule.ALWAYS: (),
        Rule.DE_ENERGISE: PARKED_SAFELY,
        Rule.DISCONNECT: (TRUCK_NO_STOP, *PARKED_SAFELY, *DE_ENERGISED),
        Rule.UNLOCK: (TRUCK_NO_STOP, *PARKED_SAFELY, DRIVE_INHIBITED, *APART, *DE_ENERGISED),
        Rule.LOCK: (TRUCK_NO_STOP, HANDBRAKE),
        Rule.CONNECT: (TRUCK_NO_STOP, *PARKED_SAFELY, BASE_LOCKED),
        Rule.RELEASE: (TRUCK_NO_STOP, BASE_LOCKED, *CONNECTED),
    }
)
"""What the truck asks by itself, whatever the station thinks: it does not see the hoist."""

_AT_TRUCK: Mapping[type[Order], Rule] = MappingProxyType(
    {
        MeasureParking: Rule.ALWAYS, Halt: Rule.ALWAYS, Engage: Rule.ALWAYS,
        DeEnergise: Rule.DE_ENERGISE, Disconnect: Rule.DISCONNECT, Unlock: Rule.UNLOCK, Lock: Rule.LOCK,
        Connect: Rule.CONNECT, Release: Rule.RELEASE,
        Land: Rule.LAND, LockTongues: Rule.GRIP, UnlockTongues: Rule.LET_GO, TakeLoad: Rule.TENSION,
        Hoist: Rule.HOIST, SetDown: Rule.SET_DOWN, Withdraw: Rule.WITHDRAW,
    }
)  # fmt: skip
_IN_BAY: Mapping[type[Order], Rule] = MappingProxyType(
    {
        Land: Rule.LAND_IN_BAY, LockTongues: Rule.GRIP, UnlockTongues: Rule.LET_GO_IN_BAY,
        TakeLoad: Rule.TENSION_IN_BAY, Hoist: Rule.HOIST_FROM_BAY, SetDown: Rule.SET_DOWN_IN_BAY,
        Withdraw: Rule.WITHDRAW, BayDisconnect: Rule.BAY_DISCONNECT, BayConnect: Rule.BAY_CONNECT,
    }
)  # fmt: skip


def place_of(order: Order) -> Place:
    """Where an order acts; orders to the truck, and those that act nowhere, act on the truck."""
    match order:
        case Travel(to=place):
            return place
        case (
            Land(at=place) | LockTongues(at=place) | UnlockTongues(at=place) | TakeLoad(at=place)
            | Hoist(at=place) | SetDown(at=place) | Withdraw(at=place) | BayDisconnect(at=place)
            | BayConnect(at=place)
        ):  # fmt: skip
            return place
        case _:
            return TRUCK


def rule_of(order: Order) -> Rule | None:
    """The one rule that an order is under, None where it makes no sense in its place."""
    if isinstance(order, Travel):
        return Rule.CARRY if order.loaded else Rule.TRAVEL
    return (_AT_TRUCK if place_of(order) == TRUCK else _IN_BAY).get(type(order))


def examine(
    order: Order, view: View, now: Instant, *, rules: Mapping[Rule, Conditions], limit: int
) -> Refusal | None:
    """Why an order must not leave now, None where it may. A missing rule refuses."""
    rule = rule_of(order)
    name = type(order).__name__
    if rule is None or rule not in rules:
        return Refusal(name, "no rule", (Fault(f"{name} at {place_of(order)}", None, None, stale=False),))
    place = place_of(order)
    faults = [condition.fault(view, place, now, limit) for condition in rules[rule]]
    found = tuple(fault for fault in faults if fault is not None)
    return Refusal(name, rule, found) if found else None
