"""What was last reported, and when: the only thing that interlocks look at."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Generic, TypeVar

import msgspec

from swapproto.frame import Instant
from swapproto.session.swap.messages import (
    TRUCK,
    BayReport,
    Connection,
    ControllerReport,
    HoistReport,
    Load,
    LockReport,
    PackReport,
    Place,
    Reading,
    Report,
    VehicleReport,
)

V = TypeVar("V")
R = TypeVar("R")


class Seen(msgspec.Struct, Generic[V], frozen=True):
    """A value and the instant of its source's word; None where there is neither."""

    value: V | None = None
    at: Instant | None = None


class Heard(msgspec.Struct, Generic[R], frozen=True):
    """A report and the instant of its arrival."""

    report: R
    at: Instant

    def seen(self, reading: Reading[V]) -> Seen[V]:
        """A reading on the receiver's clock; a negative age is of no clock and counts as none."""
        return Seen(reading.value, self.at - max(reading.age, 0))


class View:
    """The last report of each kind, and since when which pack lies legitimately silent.

    A pack's connector carries its supply and its CAN. When it parts, the pack falls silent, and what it
    said last holds for as long as the connector is reported apart without a gap: relays without a supply
    stay open. That is so only for what was fresh when the connector parted; one that was first seen apart
    proves nothing.
    """

    def __init__(self, interlock: int) -> None:
        self._interlock = interlock
        self._vehicle: Heard[VehicleReport] | None = None
        self._lock: Heard[LockReport] | None = None
        self._controller: Heard[ControllerReport] | None = None
        self._hoist: Heard[HoistReport] | None = None
        self._bays: dict[Place, Heard[BayReport]] = {}
        self._packs: dict[Place, Heard[PackReport]] = {}
        self._parted: dict[Place, Instant] = {}

    @property
    def vehicle(self) -> Heard[VehicleReport] | None:
        return self._vehicle

    @property
    def lock(self) -> Heard[LockReport] | None:
        return self._lock

    @property
    def controller(self) -> Heard[ControllerReport] | None:
        return self._controller

    @property
    def hoist(self) -> Heard[HoistReport] | None:
        return self._hoist

    @property
    def bays(self) -> Mapping[Place, Heard[BayReport]]:
        return MappingProxyType(self._bays)

    @property
    def packs(self) -> Mapping[Place, Heard[PackReport]]:
        return MappingProxyType(self._packs)

    def take(self, report: Report, now: Instant) -> None:
        """Remember a report that arrives now."""
        match report:
            case VehicleReport():
                self._vehicle = Heard(report, now)
            case LockReport():
                before = self.connector(TRUCK)
                self._lock = Heard(report, now)
                self._follow(TRUCK, before, now)
            case ControllerReport():
                self._controller = Heard(report, now)
            case HoistReport():
                self._hoist = Heard(report, now)
                self._lifted(report)
            case BayReport():
                before = self.connector(report.place)
                self._bays[report.place] = Heard(report, now)
                self._follow(report.place, before, now)
            case PackReport():
                self._packs[report.place] = Heard(report, now)

    def forget_truck(self) -> None:
        """The truck has left: what is reported from now on is of another."""
        self._vehicle = self._lock = self._controller = None
        self._packs.pop(TRUCK, None)
        self._parted.pop(TRUCK, None)

    def connector(self, place: Place) -> Seen[Connection]:
        """The connector that a place's pack is supplied through."""
        if place == TRUCK:
            return self._lock.seen(self._lock.report.swap_connector) if self._lock else Seen()
        heard = self._bays.get(place)
        return heard.seen(heard.report.connector) if heard else Seen()

    def pack_age(self, place: Place, at: Instant, now: Instant) -> int:
        """How old a pack's word is; while it lies legitimately silent, how old it was when that began."""
        parted = self._parted.get(place)
        word = self.connector(place).at
        if parted is None or word is None or now - word > self._interlock or at > parted + self._interlock:
            return now - at
        return max(parted - at, 0)

    def _follow(self, place: Place, before: Seen[Connection], now: Instant) -> None:
        """Take note that a connector has parted, or that it cannot be said to be apart any longer."""
        after = self.connector(place)
        unbroken = (
            before.at is not None
            and after.at is not None
            and after.at - before.at <= self._interlock
            and now - after.at <= self._interlock
        )
        if after.value != Connection.NOT_CONNECTED or not unbroken:
            self._parted.pop(place, None)
        elif before.value == Connection.CONNECTED and after.at is not None:
            self._parted[place] = after.at

    def _lifted(self, report: HoistReport) -> None:
        """Where a pack hangs above a place, what a pack said in that place holds no longer."""
        place = report.position.value
        if place is not None and report.clear.value and report.load.value is not Load.NONE:
            self._packs.pop(place, None)
            self._parted.pop(place, None)
