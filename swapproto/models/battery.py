"""A pack of cells in series: open-circuit voltage, resistance with relaxation, charge counting, heat."""

from math import expm1

import msgspec

from swapproto.models.spec import Curve, SpecError, require_range
from swapproto.provenance import Basis, Source

TRUCK_PACK_SOURCE = Source(
    "pack of the 282 kWh class",
    Basis.ASSUMED,
    0,
    "public sources report the energy class only: cell count, capacity, voltage, resistance, "
    "heat and limits are chosen to give that energy and about one hour of charging",
)

LFP_OPEN_CIRCUIT = Curve(
    (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9, 0.94, 0.97, 1.0),
    (2.5, 2.9, 3.05, 3.18, 3.24, 3.27, 3.285, 3.3, 3.32, 3.33, 3.34, 3.36, 3.45, 3.65),
)
"""Volts of one cell by state of charge: the flat shape of lithium iron phosphate, figures assumed."""

DERATING = Curve((0.0, 15.0, 45.0, 60.0), (0.0, 1.0, 1.0, 0.0))
"""Share of the maximum current by degrees Celsius; assumed."""


class BatterySpec(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Constants of a pack. The defaults make a truck pack of the 282 kWh class, which is all that is public
    of such packs: every other figure is assumed (see ``source``) and no maker's.
    """

    source: Source = TRUCK_PACK_SOURCE
    cells: int = 228
    capacity: float = 386.5
    """Ah."""
    nominal_cell_voltage: float = 3.2
    open_circuit: Curve = LFP_OPEN_CIRCUIT
    """Volts of one cell by state of charge from 0 to 1."""
    soc_spread: float = 0.004
    """How far the fullest and the emptiest cell are from the mean, as a share of the capacity."""
    resistance: float = 0.25e-3
    """Ohm of one cell, felt at once."""
    polarisation: float = 0.15e-3
    """Ohm of one cell, felt after ``relaxation`` seconds."""
    relaxation: float = 30.0
    heat_capacity: float = 2.0e6
    """J/K of the whole pack."""
    cooling: float = 500.0
    """W/K from the pack to ``ambient``."""
    ambient: float = 25.0
    probes: int = 32
    temperature_spread: float = 1.5
    """K between the mean and the hottest or coldest probe."""
    max_current: float = 400.0
    """A; what BCP and BCL can express ends at 400 A as well."""
    cutoff_current: float = 19.0
    """A; at the voltage limit, the charge is over once this little would hold it."""
    ramp: float = 25.0
    """A/s by which the demand rises; it falls at once."""
    derating: Curve = DERATING
    max_cell_voltage: float = 3.65
    max_voltage: float = 832.2
    """V of the whole pack."""
    soc_target: float = 1.0
    max_temperature: float = 60.0
    """A fault from here on, as are the three limits below."""
    cell_over_voltage: float = 3.8
    cell_under_voltage: float = 2.0
    over_current: float = 440.0

    def __post_init__(self) -> None:
        require_range(self, 1, 100_000, "cells", "probes")
        require_range(self, 0.01, 1e6, "capacity", "relaxation", "max_voltage", "cutoff_current", "ramp")
        require_range(self, 0.01, 100, "nominal_cell_voltage", "max_cell_voltage", "cell_over_voltage")
        require_range(self, 0, 100, "cell_under_voltage", "polarisation", "temperature_spread")
        require_range(self, 1e-6, 100, "resistance")
        require_range(self, 1, 1e9, "heat_capacity")
        require_range(self, 0, 1e6, "cooling", "max_current", "over_current")
        require_range(self, 0, 0.5, "soc_spread")
        require_range(self, 0, 1, "soc_target")
        require_range(self, -273.15, 1000, "ambient", "max_temperature")
        if not self.open_circuit.rising:
            raise SpecError("BatterySpec", "open_circuit", "voltage must not fall while the charge rises")
        if min(self.derating.y) < 0 or max(self.derating.y) > 1:
            raise SpecError("BatterySpec", "derating", "shares lie between 0 and 1")

    @property
    def nominal_voltage(self) -> float:
        return self.cells * self.nominal_cell_voltage

    @property
    def nominal_energy(self) -> float:
        """In kWh."""
        return self.nominal_voltage * self.capacity / 1000


TRUCK_PACK = BatterySpec()

_GOLDEN = 0.6180339887498949


def _scatter(count: int, width: float) -> tuple[float, ...]:
    """Offsets within about ``width``, well mixed, the same every time, with sum zero."""
    raw = [2 * width * ((index + 1) * _GOLDEN % 1 - 0.5) for index in range(count)]
    mean = sum(raw) / count
    return tuple(each - mean for each in raw)


class Battery:
    """The pack's physics; ``current`` is positive while charging and constant between two ``advance``.

    All cells share one resistance and temperature and differ by a fixed offset of their state of charge;
    the pack's voltage is that of the mean cell times their number.
    """

    def __init__(self, spec: BatterySpec, soc: float, temperature: float | None = None) -> None:
        """The state of charge is a share, 0 to 1; without a temperature the pack begins at ambient."""
        if not 0 <= soc <= 1:
            raise SpecError("Battery", "soc", f"{soc} is not between 0 and 1")
        if temperature is not None and not -273.15 <= temperature <= 1000:
            raise SpecError(
                "Battery", "temperature", f"{temperature} degrees Celsius is no temperature of a pack"
            )
        self.spec = spec
        self.soc = soc
        """Mean state of charge, 0 to 1."""
        self.temperature = spec.ambient if temperature is None else temperature
        """Mean degrees Celsius."""
        self.current = 0.0
        self._polarisation = 0.0
        self._cells = _scatter(spec.cells, spec.soc_spread)
        self._probes = _scatter(spec.probes, spec.temperature_spread)
        self.fullest = self._cells.index(max(self._cells))
        """Zero-based place of the cell of highest voltage."""
        self.emptiest = self._cells.index(min(self._cells))
        self.hottest = self._probes.index(max(self._probes))
        self.coldest = self._probes.index(min(self._probes))

    def advance(self, seconds: float) -> None:
        """Let the current flow for a time of any length; only the cooling of a long step is approximate."""
        if seconds <= 0:
            return
        spec = self.spec
        self.soc = min(max(self.soc + self.current * seconds / (spec.capacity * 3600), 0.0), 1.0)
        heat = spec.cells * (self.current**2 * spec.resistance + self._relax(seconds))
        decay = spec.cooling * seconds / spec.heat_capacity
        effective = seconds * (-expm1(-decay) / decay if decay else 1.0)
        warming = heat - spec.cooling * (self.temperature - spec.ambient)
        self.temperature += warming / spec.heat_capacity * effective

    def _relax(self, seconds: float) -> float:
        """Move the polarisation towards its end value; the mean watts that one cell lost in it."""
        spec = self.spec
        final = self.current * spec.polarisation
        missing = self._polarisation - final
        settled = -expm1(-seconds / spec.relaxation)
        self._polarisation = final + missing * (1 - settled)
        if not spec.polarisation:
            return 0.0
        square = missing * settled * (2 * final + missing * (2 - settled) / 2) * spec.relaxation / seconds
        return (final**2 + square) / spec.polarisation

    def _cell(self, offset: float) -> float:
        spec = self.spec
        return spec.open_circuit(self.soc + offset) + self._polarisation + self.current * spec.resistance

    @property
    def voltage(self) -> float:
        return self.spec.cells * self._cell(0.0)

    @property
    def max_cell_voltage(self) -> float:
        return self._cell(self._cells[self.fullest])

    @property
    def min_cell_voltage(self) -> float:
        return self._cell(self._cells[self.emptiest])

    @property
    def max_temperature(self) -> float:
        return self.temperature + self._probes[self.hottest]

    @property
    def min_temperature(self) -> float:
        return self.temperature + self._probes[self.coldest]

    def cell_voltage(self, cell: int) -> float:
        """Of one cell, counted from zero."""
        return self._cell(self._cells[cell])

    def cell_voltages(self) -> tuple[float, ...]:
        return tuple(self._cell(offset) for offset in self._cells)

    def temperatures(self) -> tuple[float, ...]:
        return tuple(self.temperature + offset for offset in self._probes)

    @property
    def current_at_cell_limit(self) -> float:
        """The current that would bring the fullest cell to its highest voltage now; negative beyond it."""
        spec = self.spec
        return self.current + (spec.max_cell_voltage - self.max_cell_voltage) / spec.resistance

    @property
    def current_at_voltage_limit(self) -> float:
        """The same for the voltage of the whole pack."""
        spec = self.spec
        return self.current + (spec.max_voltage - self.voltage) / (spec.resistance * spec.cells)

    @property
    def permitted_current(self) -> float:
        """The maximum current, derated by the hottest and the coldest probe."""
        derating = self.spec.derating
        return self.spec.max_current * min(derating(self.max_temperature), derating(self.min_temperature))
