"""The station's hoist: a spreader with tongues on a gantry that runs along truck, transfer bay and bays."""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from swapproto.frame import SECOND, Instant
from swapproto.models.drive import Drive
from swapproto.models.spec import require_range
from swapproto.models.swap_pack import SwapPack
from swapproto.provenance import Basis, Source
from swapproto.session.swap.messages import (
    TRANSFER,
    TRUCK,
    Halt,
    Hoist,
    HoistOrder,
    HoistReport,
    Land,
    Load,
    LockTongues,
    MeasureParking,
    Place,
    PlaceKind,
    Reading,
    SetDown,
    TakeLoad,
    Tongues,
    Travel,
    UnlockTongues,
    Withdraw,
)

HOIST_SOURCE = Source(
    "hoist of a swap station",
    Basis.ASSUMED,
    0,
    "no speed of such a hoist is public: all are chosen so that a swap takes 3 to 5 minutes, as reported",
)
PACK_TALL = 2.2
"""Metres from a pack's foot to where the spreader grips it; assumed."""


class Seat(Protocol):
    """Where a pack can stand."""

    pack: SwapPack | None

    @property
    def height(self) -> float:
        """Metres above the ground."""
        ...

    def holds_fast(self, now: Instant) -> bool:
        """Whether the pack cannot be lifted without damage: locked, or plugged in."""
        ...


class HoistSpec(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Constants of the hoist, all assumed (see ``source``)."""

    source: Source = HOIST_SOURCE
    travel_speed: float = 0.6
    """m/s along the bays."""
    lift_speed: float = 0.2
    """m/s."""
    travel_height: float = 5.5
    """Metres of the spreader above the ground, clear of everything."""
    tongue_time: float = 3.0
    tension_time: float = 3.0
    """Seconds from slack ropes to the whole load."""
    lidar_time: float = 4.0
    first_bay: float = 7.0
    """Metres from the truck to bay 1; the transfer bay is half way."""
    bay_pitch: float = 3.0
    """Metres from bay to bay."""

    def __post_init__(self) -> None:
        require_range(self, 0.01, 10, "travel_speed", "lift_speed")
        require_range(self, 4, 20, "travel_height")
        require_range(self, 0.01, 600, "tongue_time", "tension_time", "lidar_time")
        require_range(self, 1, 100, "first_bay", "bay_pitch")

    def along(self, place: Place) -> float:
        """Metres from the truck."""
        if place.kind is PlaceKind.BAY:
            return self.first_bay + self.bay_pitch * (place.number - 1)
        return 0.0 if place == TRUCK else self.first_bay / 2


class HoistModel:
    """Does what it is ordered, as far as its drives can; ``harm`` tells what should not have been."""

    def __init__(self, seats: Mapping[Place, Seat], spec: HoistSpec = HoistSpec()) -> None:  # noqa: B008  (frozen)
        self.spec = spec
        self.pack: SwapPack | None = None
        """What hangs."""
        self.emergency_stop = False
        self.thermal_event = False
        self.truck_in_place = False
        """Whether the truck stands where lidar looks for it."""
        self.harm: list[str] = []
        self.tongues = Drive(1 / spec.tongue_time)
        """0 unlocked, 1 locked."""
        self._seats = seats
        self._along = Drive(spec.travel_speed, spec.along(TRANSFER))
        self._up = Drive(spec.lift_speed, spec.travel_height)
        self._tension = Drive(1 / spec.tension_time)
        self._drives = (self.tongues, self._along, self._up, self._tension)
        self._place: Place | None = TRANSFER
        """Over which it stands or to which it goes."""
        self._lifting = self._lowering = False
        self._measured: Instant | None = None

    def stop(self, now: Instant) -> None:
        """The emergency stop of the station: everything stands still for good."""
        self.emergency_stop = True
        self._halt(now)

    def carry_out(self, order: HoistOrder, now: Instant) -> None:
        self.advance(now)
        if self.emergency_stop:
            return
        match order:
            case Halt():
                self._halt(now)
            case MeasureParking():
                self._measured = now + round(self.spec.lidar_time * SECOND)
            case Travel(to=place):
                self._place = place
                self._along.go(self.spec.along(place), now)
            case Land() | SetDown():
                self._lowering = True
                self._up.go(self._landing(), now)
            case LockTongues():
                self.tongues.go(1.0, now)
            case UnlockTongues():
                if self.pack is not None or self._tension.position(now) > 0:
                    self.harm.append("tongues unlocked under load")
                else:
                    self.tongues.go(0.0, now)
            case TakeLoad() | Hoist():
                self._tension.go(1.0, now)
                self._lifting = isinstance(order, Hoist)
            case Withdraw():
                self._up.go(self.spec.travel_height, now)

    def advance(self, now: Instant) -> None:
        """Take over or set down the pack where a movement has come so far."""
        seat = self._seats.get(self._place) if self._place is not None else None
        if seat is None:
            return
        if self._lifting and self._tension.at(1.0, now):
            self._lifting = False
            self._lift(seat, now)
        if self._lowering and self._up.at(self._landing(), now):
            self._lowering = False
            if self.pack is not None:
                seat.pack, self.pack = self.pack, None
            self._tension.go(0.0, now)

    def report(self, now: Instant) -> HoistReport:
        self.advance(now)
        slack = self.pack is None and self._landed(now) and self._tension.position(now) <= 0
        there = self._place is not None and self._along.at(self.spec.along(self._place), now)
        measured = self._measured is not None and now >= self._measured
        return HoistReport(
            position=Reading(self._place if there else None),
            clear=Reading(self._up.at(self.spec.travel_height, now)),
            landed=Reading(self._landed(now)),
            tongues=Reading(self._tongue_state(now)),
            load=Reading(self._load(now)),
            slack=Reading(slack),
            parked=Reading(self.truck_in_place if measured else None),
            emergency_stop=Reading(self.emergency_stop),
            thermal_event=self.thermal_event,
        )

    def _lift(self, seat: Seat, now: Instant) -> None:
        if self.pack is None and self.tongues.position(now) >= 1:
            if seat.holds_fast(now):
                self.harm.append(f"a pack torn from the {self._place}")
            self.pack, seat.pack = seat.pack, None
        self._up.go(self.spec.travel_height, now)

    def _halt(self, now: Instant) -> None:
        self._lifting = self._lowering = False
        for drive in self._drives:
            drive.stop(now)

    def _landing(self) -> float:
        seat = None if self._place is None else self._seats.get(self._place)
        return (0.0 if seat is None else seat.height) + PACK_TALL

    def _landed(self, now: Instant) -> bool:
        """On a pack, its pins in."""
        seat = None if self._place is None else self._seats.get(self._place)
        return seat is not None and seat.pack is not None and self._up.position(now) == self._landing()

    def _tongue_state(self, now: Instant) -> Tongues:
        position = self.tongues.position(now)
        return Tongues.LOCKED if position >= 1 else Tongues.UNLOCKED if position <= 0 else Tongues.NEITHER

    def _load(self, now: Instant) -> Load | None:
        """None where the cells show more than any pack weighs."""
        tension = self._tension.position(now)
        if self.pack is not None:
            return Load.FULL
        if tension <= 0 or self.tongues.position(now) <= 0:
            return Load.NONE
        seat = None if self._place is None else self._seats.get(self._place)
        if seat is not None and seat.holds_fast(now) and tension > 0.5:
            return None
        return Load.FULL if tension >= 1 else Load.PARTIAL
