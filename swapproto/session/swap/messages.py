"""What the station's orchestrator, hoist, bays and the truck's swap controller tell one another.

No wire form of these messages is public [facts 3.2, not found], so they are typed values only: in process, or
over whatever codec an integrator supplies. What the truck's own CAN carries is in ``messages.pack_can``.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Generic, TypeAlias, TypeVar

import msgspec

from swapproto.messages.pack_can import Connection, FurtherRelays, LockState, RelayState, RelayStatus
from swapproto.session.swap.refusal import Refusal

__all__ = [
    "MAIN_RELAYS",
    "RELAYS",
    "TRANSFER",
    "TRUCK",
    "BayConnect",
    "BayDisconnect",
    "BayReport",
    "Connect",
    "Connection",
    "ControllerReport",
    "ControllerStatus",
    "DeEnergise",
    "Disconnect",
    "Engage",
    "Halt",
    "Hoist",
    "HoistOrder",
    "HoistReport",
    "Land",
    "Load",
    "Lock",
    "LockReport",
    "LockState",
    "LockTongues",
    "MeasureParking",
    "Order",
    "PackReport",
    "Place",
    "PlaceKind",
    "Reading",
    "RelayState",
    "Release",
    "Report",
    "SetDown",
    "StationOrder",
    "StationReport",
    "TakeLoad",
    "Tongues",
    "Travel",
    "TruckOrder",
    "TruckReport",
    "Unlock",
    "UnlockTongues",
    "VehicleReport",
    "Withdraw",
    "bay",
]  # fmt: skip

V = TypeVar("V")

MAIN_RELAYS = frozenset({"positive", "negative"})
"""No pack lacks these."""
RELAYS: tuple[str, ...] = tuple(
    field.name
    for kind in (RelayStatus, FurtherRelays)
    for field in kind.layout.fields
    if field.code is RelayState
)
"""Every high-voltage relay that a pack can have, by its name on the pack's CAN."""


class Reading(msgspec.Struct, Generic[V], frozen=True):
    """A value as its source last told it; None where the source has never told it or calls it invalid."""

    value: V | None = None
    age: int = 0
    """Nanoseconds from the source's own word to the report that carries it; needs no common clock. A
    reading of negative age tells nothing."""


class PlaceKind(Enum):
    """Where a pack can stand."""

    TRUCK = "truck"
    BAY = "bay"
    TRANSFER = "transfer bay"


class Place(msgspec.Struct, frozen=True, gc=False):
    """A place that the spreader can go to; number counts the bays from 1."""

    kind: PlaceKind
    number: int = 0

    def __str__(self) -> str:
        return f"{self.kind.value} {self.number}" if self.number else self.kind.value


TRUCK = Place(PlaceKind.TRUCK)
TRANSFER = Place(PlaceKind.TRANSFER)


def bay(number: int) -> Place:
    """A charging bay; a real station numbers them 1 to 7 [facts 3.2, one witness]."""
    return Place(PlaceKind.BAY, number)


class Tongues(Enum):
    """The spreader's locking tongues, all of them together."""

    NEITHER = "neither"
    UNLOCKED = "unlocked"
    LOCKED = "locked"


class Load(Enum):
    """What the spreader's load cells tell."""

    NONE = "none"
    PARTIAL = "partial"
    """More than the empty spreader and less than a pack."""
    FULL = "full"
    """A whole pack."""


class ControllerStatus(Enum):
    """What a swap controller tells about itself."""

    STARTING = "starting"
    FREE = "free"
    """No swap: the truck may drive."""
    ENGAGED = "engaged"
    """A swap is on: the truck may not drive."""
    BUSY = "busy"
    """An order is being carried out."""
    STOPPED = "stopped"
    """An order was interrupted; the next one may come."""


# ---- reports of the truck


class VehicleReport(msgspec.Struct, frozen=True):
    """What the vehicle's own controller tells, relayed by the swap controller."""

    vin: str
    key_off: Reading[bool] = Reading()
    neutral: Reading[bool] = Reading()
    handbrake: Reading[bool] = Reading()
    """Whether it is set."""
    drive_inhibited: Reading[bool] = Reading()
    """Whether the vehicle refuses to drive because a swap is on."""
    emergency_stop: Reading[bool] = Reading()


class LockReport(msgspec.Struct, frozen=True):
    """The truck's base locks and the loops between truck and pack."""

    lock: Reading[LockState] = Reading()
    swap_connector: Reading[Connection] = Reading()
    """Carries the pack's supply and CAN: the pack falls silent with it."""
    charge_connector: Reading[Connection] = Reading()
    discharge_connector: Reading[Connection] = Reading()
    coolant: Reading[Connection] = Reading()
    """A truck without coolant couplers reports its swap connector here."""
    fault_level: Reading[int] = Reading(0)
    """Of the swap system: 0 none, 1 to 3 [facts 2.3, one witness]."""
    fault_code: int = 0


class PackReport(msgspec.Struct, frozen=True):
    """A pack that is supplied, on the truck or in a bay. A pack whose connectors are apart sends none."""

    place: Place
    code: str | None = None
    relays: Reading[Mapping[str, RelayState]] = Reading()
    """By their names in ``RELAYS``: all but those that the pack lacks."""
    welded: Reading[bool] = Reading()
    """Whether any relay's weld bit is set."""
    bus_voltage: Reading[float] = Reading()
    """Volts on the vehicle's side of the relays."""
    soc: float | None = None
    """Percent."""
    alarm: int = 0
    """The highest alarm level, 0 to 3."""
    thermal_event: bool = False
    lacks: frozenset[str] = frozenset()
    """The relays that the pack is declared not to have; never one of ``MAIN_RELAYS``."""


class ControllerReport(msgspec.Struct, frozen=True):
    """The swap controller's own state."""

    status: Reading[ControllerStatus] = Reading()
    refusal: Refusal | None = None
    """Why the last order has not been passed on to the truck."""


TruckReport: TypeAlias = VehicleReport | LockReport | PackReport | ControllerReport

# ---- reports of the station


class HoistReport(msgspec.Struct, frozen=True):
    """Robot, hoist and spreader."""

    position: Reading[Place] = Reading()
    """The place that the spreader is exactly over or in; None on the way."""
    clear: Reading[bool] = Reading()
    """Whether spreader and load are high enough to travel."""
    landed: Reading[bool] = Reading()
    """Whether the spreader stands on a pack, locating pins in."""
    tongues: Reading[Tongues] = Reading()
    load: Reading[Load] = Reading()
    slack: Reading[bool] = Reading()
    """Whether any rope or chain is slack."""
    parked: Reading[bool] = Reading()
    """Whether lidar finds the truck in its parking position."""
    emergency_stop: Reading[bool] = Reading()
    """Whether any emergency stop of the station is pressed."""
    thermal_event: bool = False
    """Whether fire detection at the hoist has found anything."""


class BayReport(msgspec.Struct, frozen=True):
    """A bay or the transfer bay."""

    place: Place
    present: Reading[bool] = Reading()
    """Whether a pack stands in it."""
    connector: Reading[Connection] = Reading()
    """Carries supply and CAN of the pack in the bay: the pack falls silent with it."""
    thermal_event: bool = False


StationReport: TypeAlias = HoistReport | BayReport
Report: TypeAlias = TruckReport | StationReport

# ---- orders to the truck; its swap controller passes them on to base, plugs and vehicle in the same form


class Engage(msgspec.Struct, frozen=True, gc=False):
    """A swap begins: the truck shall not drive."""


class DeEnergise(msgspec.Struct, frozen=True, gc=False):
    """The pack shall open its relays and the vehicle discharge its bus."""


class Disconnect(msgspec.Struct, frozen=True, gc=False):
    """Part plugs and coolant couplers."""


class Unlock(msgspec.Struct, frozen=True, gc=False):
    """Open the base locks."""


class Lock(msgspec.Struct, frozen=True, gc=False):
    """Close the base locks."""


class Connect(msgspec.Struct, frozen=True, gc=False):
    """Join plugs and coolant couplers."""


class Release(msgspec.Struct, frozen=True, gc=False):
    """The swap is over: the truck may drive."""


class Halt(msgspec.Struct, frozen=True, gc=False):
    """Stop every movement and hold the load; for truck, hoist and bays alike."""


TruckOrder: TypeAlias = Engage | DeEnergise | Disconnect | Unlock | Lock | Connect | Release | Halt

# ---- orders to the hoist and the bays; ``at`` and ``to`` say where the sender believes the spreader to be


class MeasureParking(msgspec.Struct, frozen=True, gc=False):
    """Find the truck by lidar."""


class Travel(msgspec.Struct, frozen=True, gc=False):
    """Move above a place."""

    to: Place
    loaded: bool


class Land(msgspec.Struct, frozen=True, gc=False):
    """Lower the empty spreader onto the pack of a place."""

    at: Place


class LockTongues(msgspec.Struct, frozen=True, gc=False):
    """Grip the pack that the spreader stands on."""

    at: Place


class UnlockTongues(msgspec.Struct, frozen=True, gc=False):
    """Let go of the pack that the spreader stands on."""

    at: Place


class TakeLoad(msgspec.Struct, frozen=True, gc=False):
    """Pull until the ropes are tight and the pack's weight hangs, and no further."""

    at: Place


class Hoist(msgspec.Struct, frozen=True, gc=False):
    """Lift the pack out of a place until it is clear."""

    at: Place


class SetDown(msgspec.Struct, frozen=True, gc=False):
    """Lower the pack into a place until it stands and the spreader bears no load."""

    at: Place


class Withdraw(msgspec.Struct, frozen=True, gc=False):
    """Lift the empty spreader off a pack until it is clear."""

    at: Place


HoistOrder: TypeAlias = (
    MeasureParking
    | Halt
    | Travel
    | Land
    | LockTongues
    | UnlockTongues
    | TakeLoad
    | Hoist
    | SetDown
    | Withdraw
)


class BayDisconnect(msgspec.Struct, frozen=True, gc=False):
    """Part the bay's plugs and coolant couplers from its pack."""

    at: Place


class BayConnect(msgspec.Struct, frozen=True, gc=False):
    """Join the bay's plugs and coolant couplers to its pack."""

    at: Place


StationOrder: TypeAlias = HoistOrder | BayDisconnect | BayConnect
Order: TypeAlias = TruckOrder | StationOrder
