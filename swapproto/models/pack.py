"""A pack behind a BMS session: constant current, then constant voltage, until a target is reached."""

from swapproto.frame import SECOND, Instant
from swapproto.messages.gbt27930 import (
    BCL,
    BCP,
    BCS,
    BHM,
    BMT,
    BMV,
    BRM,
    BSD,
    BSM,
    BST,
    CCS,
    CML,
    CellVoltage,
    ChargeMode,
    Chemistry,
    Condition,
    Level,
    Permission,
    Reached,
)
from swapproto.models import quantity
from swapproto.models.battery import TRUCK_PACK, Battery, BatterySpec

_NO_REASON = BST()


def _group(cell: int, cells: int) -> int:
    """The cell's group on the wire, 1 to 15."""
    return 1 + cell * 15 // cells


def _condition(faulty: bool) -> Condition:
    return Condition.FAULT if faulty else Condition.NORMAL


def _reached(reached: bool) -> Reached:
    return Reached.YES if reached else Reached.NO


class Pack:
    """PackPlant over a Battery. It knows the current by CCS alone, and reads no clock.

    Values that a message cannot express are sent as the nearest that it can: a demand beyond 400 A
    is sent as 400 A, and of more than 256 cells or 128 probes the first are listed.
    """

    def __init__(
        self,
        spec: BatterySpec = TRUCK_PACK,
        *,
        soc: float = 0.2,
        temperature: float | None = None,
        readiness_delay: float = 1.0,
        lists_cells: bool = True,
    ) -> None:
        """The delay is in seconds from the first CML; ``lists_cells`` turns BMV and BMT on or off."""
        self.spec = spec
        self.battery = Battery(spec, soc, temperature)
        self._readiness_delay = round(readiness_delay * SECOND)
        self._lists_cells = lists_cells
        self._now: Instant | None = None
        self._offer: CML | None = None
        self._offered_at: Instant = 0
        self._charging = False
        self._demand = 0.0
        self._stop: BST | None = None
        self._charges = 0

    def permitted_voltage(self) -> BHM:
        return BHM(max_voltage=quantity.volts(self.spec.max_voltage))

    def identity(self) -> BRM:
        return BRM(
            version_minor=1,
            version_major=1,
            chemistry=Chemistry.LFP,
            rated_capacity=quantity.ampere_hours(self.spec.capacity),
            rated_voltage=quantity.volts(self.spec.nominal_voltage),
            charge_count=self._charges,
        )

    def parameters(self, now: Instant) -> BCP:
        self._advance(now)
        return BCP(
            max_cell_voltage=quantity.cell_volts(self.spec.max_cell_voltage),
            max_current=quantity.amperes(-self.spec.max_current),
            nominal_energy=quantity.kilowatt_hours(self.spec.nominal_energy),
            max_voltage=quantity.volts(self.spec.max_voltage),
            max_temperature=quantity.degrees(self.spec.max_temperature),
            soc=quantity.per_mille(self.battery.soc * 100),
            voltage=quantity.volts(self.battery.voltage),
        )

    def charger_offers(self, capability: CML, now: Instant) -> None:
        self._advance(now)
        if self._offer is None:
            self._offered_at = now
        self._offer = capability

    def ready(self, now: Instant) -> bool:
        """True after the delay, where the pack's voltage lies in the charger's window."""
        self._advance(now)
        offer = self._offer
        return (
            offer is not None
            and now - self._offered_at >= self._readiness_delay
            and offer.min_voltage <= self.battery.voltage <= offer.max_voltage
        )

    def begin(self, now: Instant) -> None:
        self._advance(now)
        self._charging = True
        self._demand = 0.0
        self._stop = None

    def demand(self, now: Instant) -> BCL:
        self._advance(now)
        return BCL(
            voltage=quantity.volts(self.spec.max_voltage),
            current=quantity.amperes(-self._demand),
            mode=ChargeMode.CONSTANT_VOLTAGE if self._at_voltage_limit() else ChargeMode.CONSTANT_CURRENT,
        )

    def measured(self, now: Instant) -> BCS:
        self._advance(now)
        battery = self.battery
        return BCS(
            voltage=quantity.volts(battery.voltage),
            current=quantity.amperes(-battery.current),
            max_cell_voltage=quantity.cell_volts(battery.max_cell_voltage),
            max_cell_group=_group(battery.fullest, self.spec.cells),
            soc=quantity.per_cent(battery.soc * 100),
            remaining_time=quantity.minutes(self._remaining_minutes()),
        )

    def status(self, now: Instant) -> BSM:
        """Permission is withdrawn, and nothing abnormal, while the pack is too cold to be charged."""
        self._advance(now)
        battery, faults = self.battery, self._faults()
        level = Level.HIGH if self._over_voltage() else Level.LOW if self._under_voltage() else Level.NORMAL
        return BSM(
            max_voltage_cell=quantity.cell_number(battery.fullest + 1),
            max_temperature=quantity.degrees(battery.max_temperature),
            max_temperature_probe=quantity.probe_number(battery.hottest + 1),
            min_temperature=quantity.degrees(battery.min_temperature),
            min_temperature_probe=quantity.probe_number(battery.coldest + 1),
            cell_voltage=level,
            soc=Level.NORMAL,
            over_current=faults.over_current,
            over_temperature=faults.pack_over_temperature,
            insulation=Condition.NORMAL,
            output_connector=Condition.NORMAL,
            permission=Permission.ALLOWED if battery.permitted_current > 0 else Permission.FORBIDDEN,
        )

    def cell_voltages(self, now: Instant) -> BMV | None:
        self._advance(now)
        if not self._lists_cells:
            return None
        voltages = self.battery.cell_voltages()[: quantity.MOST_CELLS]
        count = self.spec.cells
        return BMV(
            cells=tuple(
                CellVoltage(voltage=quantity.cell_volts(voltage), group=_group(cell, count))
                for cell, voltage in enumerate(voltages)
            )
        )

    def temperatures(self, now: Instant) -> BMT | None:
        self._advance(now)
        if not self._lists_cells:
            return None
        temperatures = self.battery.temperatures()[: quantity.MOST_PROBES]
        return BMT(temperatures=tuple(map(quantity.degrees, temperatures)))

    def charger_delivers(self, state: CCS, now: Instant) -> None:
        self._advance(now)
        if self._charging:
            self.battery.current = -state.current

    def stop_wanted(self, now: Instant) -> BST | None:
        """The reason stays the same once there is one, and the demand falls to zero."""
        self._advance(now)
        if self._charging and self._stop is None:
            reason = self._faults()
            if reason == _NO_REASON:
                reason = self._targets()
            if reason != _NO_REASON:
                self._stop = reason
                self._demand = 0.0
        return self._stop

    def end(self, now: Instant) -> None:
        self._advance(now)
        self._charges += self._charging
        self._charging = False
        self._demand = 0.0
        self._offer = None
        self.battery.current = 0.0

    def statistics(self, now: Instant) -> BSD:
        self._advance(now)
        battery = self.battery
        return BSD(
            soc=quantity.per_cent(battery.soc * 100),
            min_cell_voltage=quantity.cell_volts(battery.min_cell_voltage),
            max_cell_voltage=quantity.cell_volts(battery.max_cell_voltage),
            min_temperature=quantity.degrees(battery.min_temperature),
            max_temperature=quantity.degrees(battery.max_temperature),
        )

    def _advance(self, now: Instant) -> None:
        if self._now is None:
            self._now = now
        elapsed = now - self._now
        if elapsed <= 0:
            return
        self._now = now
        seconds = elapsed / SECOND
        self.battery.advance(seconds)
        if self._charging and self._stop is None:
            self._demand = min(self._wanted_current(), self._demand + self.spec.ramp * seconds)

    def _current_limit(self) -> float:
        """What temperature and charger allow, the voltages aside."""
        offered = 0.0 if self._offer is None else max(-self._offer.max_current, 0.0)
        return min(self.battery.permitted_current, offered)

    def _current_at_voltage(self) -> float:
        battery = self.battery
        return max(min(battery.current_at_cell_limit, battery.current_at_voltage_limit), 0.0)

    def _wanted_current(self) -> float:
        return min(self._current_limit(), self._current_at_voltage())

    def _at_voltage_limit(self) -> bool:
        return self._charging and self._current_at_voltage() < self._current_limit()

    def _remaining_minutes(self) -> float:
        """At the present current; the longest that BCS can say where nothing flows."""
        missing = max(self.spec.soc_target - self.battery.soc, 0.0) * self.spec.capacity * 60
        current = self.battery.current
        return missing / current if current * 600 > missing else 600.0

    def _over_voltage(self) -> bool:
        return self.battery.max_cell_voltage >= self.spec.cell_over_voltage

    def _under_voltage(self) -> bool:
        return self.battery.min_cell_voltage < self.spec.cell_under_voltage

    def _faults(self) -> BST:
        return BST(
            pack_over_temperature=_condition(self.battery.max_temperature >= self.spec.max_temperature),
            over_current=_condition(self.battery.current > self.spec.over_current),
            voltage=_condition(self._over_voltage() or self._under_voltage()),
        )

    def _targets(self) -> BST:
        battery, cutoff = self.battery, self.spec.cutoff_current
        return BST(
            soc_target=_reached(battery.soc >= self.spec.soc_target),
            voltage_target=_reached(battery.current_at_voltage_limit <= cutoff),
            cell_voltage_target=_reached(battery.current_at_cell_limit <= cutoff),
        )
