"""The power stage behind a charger session: follows the demand inside its window, with ramps."""

from datetime import datetime, timedelta

import msgspec

from swapproto.frame import SECOND, Instant
from swapproto.messages.gbt27930 import (
    BCL,
    BCP,
    BCS,
    BHM,
    CCS,
    CML,
    CRM,
    CSD,
    CST,
    CTS,
    Permission,
    Reached,
    Recognition,
)
from swapproto.models import quantity
from swapproto.models.spec import SpecError, require_range
from swapproto.provenance import Basis, Source

BAY_CHARGER_SOURCE = Source(
    "charger of a swap bay",
    Basis.ASSUMED,
    0,
    "public sources report the end of the current field (400 A) and the hour a pack takes, no charger's data",
)


def _is_region(text: str) -> bool:
    """Blanks at the end would be lost: readers take them for padding."""
    return 1 <= len(text) <= 3 and text.isascii() and text.isprintable() and not text.endswith(" ")


class ChargerSpec(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Constants of a charger; the defaults are assumed (see ``source``) and no maker's."""

    source: Source = BAY_CHARGER_SOURCE
    number: int = 1
    region: str | None = None
    """One to three ASCII characters."""
    max_voltage: float = 1000.0
    min_voltage: float = 200.0
    max_current: float = 400.0
    """A, positive here; sent as a negative number."""
    min_current: float = 0.0
    """A; nothing flows where less than this is wanted."""
    cable_resistance: float = 0.005
    """Ohm between output and pack, both ways."""
    ramp: float = 100.0
    """A/s while the output follows the demand or pauses."""
    shutdown_ramp: float = 8000.0
    """A/s at the end; 100 ms after CST less than 5 A may flow (one report)."""
    voltage_gain: float = 2.0
    """A/s by which the output gives way for each volt above the demanded voltage."""
    insulation_time: float = 1.0
    """Seconds of the insulation test."""
    readiness_delay: float = 1.0
    """Seconds from the first BCP to readiness."""
    time_limit: float | None = None
    """Seconds of charging after which the charger stops."""
    energy_limit: float | None = None
    """kWh after which the charger stops."""
    clock: datetime | None = None
    """Local time at the charger's first call; None sends no CTS."""

    def __post_init__(self) -> None:
        require_range(self, 1, 0xFFFF_FFFF, "number")
        require_range(
            self, 0, 1e6, "max_voltage", "min_voltage", "max_current", "min_current", "voltage_gain"
        )
        require_range(self, 0.01, 1e6, "ramp", "shutdown_ramp")
        require_range(self, 0, 100, "cable_resistance")
        require_range(self, 0, 1e6, "insulation_time", "readiness_delay", "time_limit", "energy_limit")
        if self.min_voltage > self.max_voltage:
            raise SpecError("ChargerSpec", "min_voltage", "above max_voltage")
        if self.min_current > self.max_current:
            raise SpecError("ChargerSpec", "min_current", "above max_current")
        if self.region is not None and not _is_region(self.region):
            raise SpecError("ChargerSpec", "region", f"{self.region!r} is not one to three ASCII characters")


BAY_CHARGER = ChargerSpec()


class Charger:
    """ChargerPlant: it knows the pack's voltage by BCP and BCS alone, and reads no clock."""

    def __init__(self, spec: ChargerSpec = BAY_CHARGER) -> None:
        self.spec = spec
        self.current = 0.0
        """A, positive while charging."""
        self.energy = 0.0
        """kWh at the output since the last begin."""
        self._started: Instant | None = None
        self._now: Instant = 0
        self._elapsed = 0
        self._insulation_begun: Instant | None = None
        self._pack: BCP | None = None
        self._presented_at: Instant = 0
        self._pack_voltage = 0.0
        self._demand: BCL | None = None
        self._ceiling = spec.max_current
        self._delivering = False
        self._ended = False
        self._paused = False
        self._commanded = False
        self._stop: CST | None = None

    def identification(self, *, recognised: bool) -> CRM:
        return CRM(
            result=Recognition.RECOGNISED if recognised else Recognition.NOT_RECOGNISED,
            charger_number=self.spec.number,
            region=self.spec.region,
        )

    def insulation_tested(self, permitted: BHM, now: Instant) -> bool:
        """Never true where the pack permits less than the charger's lowest voltage."""
        self._advance(now)
        if permitted.max_voltage < self.spec.min_voltage:
            return False
        if self._insulation_begun is None:
            self._insulation_begun = now
        return now - self._insulation_begun >= self.spec.insulation_time * SECOND

    def clock(self, now: Instant) -> CTS | None:
        self._advance(now)
        if self.spec.clock is None or self._started is None:
            return None
        try:
            time = self.spec.clock + timedelta(microseconds=(now - self._started) // 1000)
        except OverflowError:
            return CTS(time=None)
        return CTS(time=time.replace(microsecond=0))

    def capability(self) -> CML:
        return CML(
            max_voltage=quantity.volts(self.spec.max_voltage),
            min_voltage=quantity.volts(self.spec.min_voltage),
            max_current=quantity.amperes(-self.spec.max_current),
            min_current=quantity.amperes(-self.spec.min_current),
        )

    def pack_presents(self, parameters: BCP, now: Instant) -> None:
        self._advance(now)
        if self._pack is None:
            self._presented_at = now
        self._pack = parameters
        self._pack_voltage = parameters.voltage

    def ready(self, now: Instant) -> bool:
        """True after the delay, where the pack's voltage lies in the window."""
        self._advance(now)
        waited = now - self._presented_at >= self.spec.readiness_delay * SECOND
        return self._pack is not None and waited and self._in_window()

    def begin(self, now: Instant) -> None:
        self._advance(now)
        self.current = 0.0
        self.energy = 0.0
        self._elapsed = 0
        self._ceiling = self.spec.max_current
        self._demand = None
        self._stop = None
        self._delivering, self._ended, self._paused, self._commanded = True, False, False, False

    def pack_demands(self, demand: BCL, now: Instant) -> None:
        self._advance(now)
        self._demand = demand

    def pack_measures(self, state: BCS, now: Instant) -> None:
        self._advance(now)
        self._pack_voltage = state.voltage

    def pause(self, now: Instant, *, paused: bool) -> None:
        self._advance(now)
        self._paused = paused

    def delivers(self, now: Instant) -> CCS:
        self._advance(now)
        return CCS(
            voltage=quantity.volts(self._output_voltage()),
            current=quantity.amperes(-self.current),
            elapsed_time=quantity.minutes(self._elapsed // (60 * SECOND)),
            permission=Permission.FORBIDDEN if self._paused else Permission.ALLOWED,
        )

    def stop(self) -> None:
        """The operator's command: the next stop_wanted gives a manual CST."""
        self._commanded = True

    def stop_wanted(self, now: Instant) -> CST | None:
        """The reason stays the same once there is one."""
        self._advance(now)
        if self._delivering and self._stop is None:
            limited = self._limit_reached()
            if limited or self._commanded:
                self._stop = CST(
                    condition_reached=Reached.YES if limited else Reached.NO,
                    manual=Reached.YES if self._commanded else Reached.NO,
                )
        return self._stop

    def end(self, now: Instant) -> None:
        self._advance(now)
        self._delivering = False
        self._ended = True
        self._pack = None
        self._insulation_begun = None

    def statistics(self, now: Instant) -> CSD:
        self._advance(now)
        return CSD(
            total_time=quantity.minutes(self._elapsed // (60 * SECOND)),
            energy=quantity.kilowatt_hours(self.energy),
            charger_number=self.spec.number,
        )

    def _advance(self, now: Instant) -> None:
        if self._started is None:
            self._started = self._now = now
        nanoseconds = now - self._now
        if nanoseconds <= 0:
            return
        self._now = now
        seconds = nanoseconds / SECOND
        if self._delivering:
            self._elapsed += nanoseconds
            self._regulate(seconds)
        charge = self._ramp_to(self._target(), seconds)
        drop = charge / seconds * self.spec.cable_resistance
        self.energy += charge * (self._pack_voltage + drop) / 3.6e6

    def _regulate(self, seconds: float) -> None:
        """Give way while the pack is above the voltage that it demands, and return below it."""
        if self._demand is not None:
            excess = self._pack_voltage - self._demand.voltage
            moved = self._ceiling - self.spec.voltage_gain * excess * seconds
            self._ceiling = min(max(moved, 0.0), self.spec.max_current)

    def _ramp_to(self, target: float, seconds: float) -> float:
        """Move the current, and return the ampere-seconds that flowed meanwhile."""
        ramp = self.spec.shutdown_ramp if self._ended else self.spec.ramp
        before = self.current
        moving = abs(target - before) / ramp
        if moving <= seconds:
            self.current = target
            return moving * (before + target) / 2 + (seconds - moving) * target
        self.current += ramp * seconds if target > before else -ramp * seconds
        return seconds * (before + self.current) / 2

    def _target(self) -> float:
        if self._demand is None or self._pack is None or self._paused:
            return 0.0
        if not self._delivering or not self._in_window():
            return 0.0
        wanted = min(-self._demand.current, -self._pack.max_current, self._ceiling, self.spec.max_current)
        return wanted if wanted >= max(self.spec.min_current, 0.0) else 0.0

    def _in_window(self) -> bool:
        return self.spec.min_voltage <= self._pack_voltage <= self.spec.max_voltage

    def _output_voltage(self) -> float:
        if not self._delivering and not self.current:
            return 0.0
        return self._pack_voltage + self.current * self.spec.cable_resistance

    def _limit_reached(self) -> bool:
        time, energy = self.spec.time_limit, self.spec.energy_limit
        in_time = time is None or self._elapsed < time * SECOND
        return not in_time or (energy is not None and self.energy >= energy)
