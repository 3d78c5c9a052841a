"""What was last reported, and when: the only thing that interlocks look at."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Generic, TypeVar, cast

import msgspec

from swapproto.frame import Instant
from swapproto.session.swap.alarms import Alarms
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
from swapproto.session.swap.plant import Plan

V = TypeVar("V")
R = TypeVar("R", VehicleReport, LockReport, ControllerReport, HoistReport, BayReport, PackReport)


class Seen(msgspec.Struct, Generic[V], frozen=True):
    """A value and the instant of its source's word; None where there is neither."""

    value: V | None = None
    at: Instant | None = None


class Heard(msgspec.Struct, Generic[R], frozen=True):
    """The youngest word on everything that a report tells, with ages up to the last one's arrival."""

    report: R
    at: Instant
    word: Instant
    """When the source said what has no age of its own: with the youngest reading of its report."""

    def seen(self, reading: Reading[V]) -> Seen[V]:
        """A reading on the receiver's clock."""
        return Seen(reading.value, self.at - reading.age)


class View:
    """The last word on everything, since when which pack lies legitimately silent, and what is alarmed.

    A pack's connector carries its supply and its CAN. When it parts, the pack falls silent, and what it
    said last holds for as long as the connector is reported apart without a gap: relays without a supply
    stay open. That is so only for what was fresh when the connector parted; one that was first seen apart
    proves nothing.
    """

    def __init__(self, interlock: int) -> None:
        self.stops, self.thermal = Alarms(), Alarms()
        self.plan: Plan | None = None
        """The bays of this swap."""
        self.vin = ""
        """Of the truck in this swap; empty before it was heard."""
        self._interlock = interlock
        self._vehicle: Heard[VehicleReport] | None = None
        self._lock: Heard[LockReport] | None = None
        self._controller: Heard[ControllerReport] | None = None
        self._hoist: Heard[HoistReport] | None = None
        self._bays: dict[Place, Heard[BayReport]] = {}
        self._packs: dict[Place, Heard[PackReport]] = {}
        self._parted: dict[Place, Instant] = {}
        self._codes: dict[Place, Seen[str]] = {}
        self._hangs = False
        self._lifted_from: Place | None = None
        """Where the pack that hangs was lifted, None before that was reported."""
        self._hanging_code: str | None = None

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

    @property
    def codes(self) -> Mapping[Place, Seen[str]]:
        """Of the packs that stand, as each told it in its place in this swap."""
        return MappingProxyType(self._codes)

    @property
    def hanging_code(self) -> str | None:
        """Of the pack that hangs, as it told it where it was lifted."""
        return self._hanging_code

    def take(self, report: Report, now: Instant) -> None:
        """Remember of a report that arrives now whatever is no older than what is known."""
        match report:
            case VehicleReport():
                self._take_vehicle(report, now)
            case LockReport():
                before = self.connector(TRUCK)
                self._lock = _merged(self._lock, report, now)
                self._follow(TRUCK, before, now)
            case ControllerReport():
                self._controller = _merged(self._controller, report, now)
            case HoistReport():
                self._hoist = _merged(self._hoist, report, now)
                self._lifted(self._hoist.report, now)
                self.stops.follow(HoistReport, None, lasts=self._hoist.report.emergency_stop.value)
                self.thermal.follow(HoistReport, None, lasts=self._hoist.report.thermal_event)
            case BayReport():
                place, before = report.place, self.connector(report.place)
                self._bays[place] = bay = _merged(self._bays.get(place), report, now)
                self._follow(place, before, now)
                self.thermal.follow(BayReport, place, lasts=bay.report.thermal_event)
            case PackReport():
                self._take_pack(report, now)

    def begin(self) -> None:
        """A swap begins: codes count from now on."""
        self.plan, self.vin = None, ""
        self._codes.clear()
        self._hanging_code = None

    def forget_truck(self) -> None:
        """The truck has left: what is reported from now on is of another."""
        self._vehicle = self._lock = self._controller = None
        self.stops.forget(TRUCK)
        self.forget_pack(TRUCK)

    def forget_pack(self, place: Place) -> None:
        """Another pack stands there from now on, or none."""
        self._packs.pop(place, None)
        self._parted.pop(place, None)
        self._codes.pop(place, None)
        self.thermal.forget(place)

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

    def _take_vehicle(self, report: VehicleReport, now: Instant) -> None:
        known = self._vehicle
        if known is not None and known.report.vin != report.vin:
            heard = _merged(known, report, now)
            if heard.report.vin == known.report.vin:
                return  # an older word, of the truck before
            self.forget_truck()
        self._vehicle = _merged(self._vehicle, report, now)
        self.stops.follow(VehicleReport, TRUCK, lasts=self._vehicle.report.emergency_stop.value)

    def _take_pack(self, report: PackReport, now: Instant) -> None:
        place, known = report.place, self._codes.get(report.place, Seen[str]())
        heard = _merged(self._packs.get(place), report, now)
        if report.code is not None and heard.report.code == report.code:
            if known.value not in (None, report.code):
                self.forget_pack(place)
                heard = _merged(None, report, now)
            self._codes[place] = Seen(report.code, heard.word)
        self._packs[place] = heard
        self.thermal.follow(PackReport, place, lasts=heard.report.thermal_event)

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

    def _lifted(self, report: HoistReport, now: Instant) -> None:
        """Where a pack hangs above a place, what a pack said in that place holds no longer."""
        place = report.position.value
        if report.clear.value and report.load.value is not Load.NONE:
            self._hangs = True
        elif self._hangs and (report.clear.value is False or report.load.value is Load.NONE):
            self._hangs, self._lifted_from, self._hanging_code = False, None, None
            if place is not None:
                self.forget_pack(place)
        if not self._hangs or place is None:
            return
        if self._lifted_from is None:
            code = self._codes.get(place, Seen[str]())
            if code.at is not None and self.pack_age(place, code.at, now) <= self._interlock:
                self._hanging_code = code.value
            self._lifted_from = place
            self.thermal.forget(place)
            self.thermal.forget(None)
        self._packs.pop(place, None)
        self._parted.pop(place, None)
        self._codes.pop(place, None)


def _merged(before: Heard[R] | None, report: R, now: Instant) -> Heard[R]:
    """Of each reading the younger word; what has no age goes with the youngest reading of its report."""
    told: dict[str, Reading[object]] = {}
    for name in report.__struct_fields__:
        value: object = getattr(report, name)
        if isinstance(value, Reading):
            reading = cast("Reading[object]", value)
            # A negative age is of no clock: nothing is told.
            told[name] = reading if reading.age >= 0 else Reading[object]()
    word = now - min(reading.age for reading in told.values())
    if before is None:
        return Heard(msgspec.structs.replace(report, **told), now, word)
    newest = report if word >= before.word else before.report
    for name, reading in told.items():
        known: Reading[object] = getattr(before.report, name)
        age = known.age + now - before.at
        told[name] = reading if reading.age <= age else Reading(known.value, age)
    merged = msgspec.structs.replace(newest, **told)
    if not isinstance(report, VehicleReport | LockReport | ControllerReport) and report.thermal_event:
        merged = msgspec.structs.replace(merged, thermal_event=True)  # an alarm counts, however late it comes
    return Heard(merged, now, max(word, before.word))
