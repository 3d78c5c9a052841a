"""Values of a profile: quantities with their units, ranges, outlines, and how they are written."""

import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import TypeAlias

import msgspec

from swapproto.errors import SwapError


class BadValue(SwapError, ValueError):
    """Text that is no value of the wanted kind."""


_FACTORS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "length": {"mm": "0.001", "cm": "0.01", "m": "1", "km": "1000"},
        "mass": {"g": "0.001", "kg": "1", "t": "1000"},
        "time": {"us": "0.000001", "ms": "0.001", "s": "1", "min": "60", "h": "3600", "d": "86400"},
        "energy": {"Wh": "1", "kWh": "1000", "MWh": "1000000"},
        "charge": {"mAh": "0.001", "Ah": "1"},
        "voltage": {"mV": "0.001", "V": "1", "kV": "1000"},
        "current": {"mA": "0.001", "A": "1", "kA": "1000"},
        "power": {"W": "1", "kW": "1000", "MW": "1000000"},
        "apparent power": {"VA": "1", "kVA": "1000"},
        "resistance": {"ohm": "1", "kohm": "1000", "Mohm": "1000000"},
        "insulation": {"ohm/V": "1", "kohm/V": "1000"},
        "bit rate": {"bit/s": "1", "kbit/s": "1000", "Mbit/s": "1000000"},
        "frequency": {"Hz": "1", "kHz": "1000"},
        "temperature": {"degC": "1"},
        "temperature difference": {"K": "1"},
        "ratio": {"%": "1"},
        "speed": {"km/h": "1"},
        "rotation": {"rpm": "1"},
        "flow": {"L/min": "60", "m3/h": "1000"},
        "pressure": {"Pa": "1", "kPa": "1000", "bar": "100000", "MPa": "1000000"},
        "angle": {"deg": "1"},
        "consumption": {"kWh/km": "1"},
        "cycles": {"cycle": "1", "cycles": "1"},
        "number": {"": "1"},
    }
)
DIMENSIONS: tuple[str, ...] = tuple(_FACTORS)
_UNITS: Mapping[str, tuple[str, Decimal]] = MappingProxyType(
    {
        unit: (dimension, Decimal(factor))
        for dimension, units in _FACTORS.items()
        for unit, factor in units.items()
    }
)
_QUANTITY = re.compile(r"([+-]?[0-9]+(?:\.[0-9]+)?)(?: *([^\s0-9.+-]\S*))?")


def units_in(*dimensions: str) -> tuple[str, ...]:
    """The units in which these dimensions are written."""
    return tuple(unit for each in dimensions for unit in _FACTORS[each])


def units_of(*dimensions: str) -> str:
    """The same for messages to people."""
    return ", ".join(unit or "(no unit)" for unit in units_in(*dimensions))


def base_unit(dimension: str) -> str:
    """The unit in which a dimension is compared, or its first."""
    units = _FACTORS[dimension]
    return next((unit for unit, factor in units.items() if factor == "1"), next(iter(units)))


def has_unit(unit: str) -> bool:
    """Whether quantities in this unit can be compared with others of its dimension."""
    return unit in _UNITS


class Quantity(msgspec.Struct, frozen=True, gc=False, eq=False):
    """A decimal number with its unit as written; 3.2 t equals 3200 kg."""

    magnitude: Decimal
    unit: str = ""

    @property
    def dimension(self) -> str:
        return _UNITS[self.unit][0] if self.unit in _UNITS else self.unit

    @property
    def base(self) -> Decimal:
        """The magnitude in the base unit of the dimension (m, kg, s, Wh, V, bit/s ...)."""
        return self.magnitude * _UNITS[self.unit][1] if self.unit in _UNITS else self.magnitude

    def to(self, unit: str) -> Decimal:
        """The magnitude in another unit of the dimension; BadValue where the dimensions differ."""
        if unit == self.unit:
            return self.magnitude
        if unit not in _UNITS or _UNITS[unit][0] != self.dimension:
            raise BadValue(f"{self} cannot be given in {unit or 'plain numbers'}")
        return self.base / _UNITS[unit][1]

    def __str__(self) -> str:
        return f"{self.magnitude:f} {self.unit}".rstrip()

    def __hash__(self) -> int:
        return hash((self.dimension, self.base))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Quantity):
            return NotImplemented
        return self.dimension == other.dimension and self.base == other.base

    def __lt__(self, other: "Quantity") -> bool:
        return self.base < self._alike(other)

    def __le__(self, other: "Quantity") -> bool:
        return self.base <= self._alike(other)

    def __gt__(self, other: "Quantity") -> bool:
        return self.base > self._alike(other)

    def __ge__(self, other: "Quantity") -> bool:
        return self.base >= self._alike(other)

    def _alike(self, other: "Quantity") -> Decimal:
        if self.dimension != other.dimension:
            raise BadValue(f"{self} and {other} cannot be compared")
        return other.base


class Range(msgspec.Struct, frozen=True, gc=False):
    """From low to high, both included; an end that is None is open: ``.. 5 min`` is at most five minutes."""

    low: Quantity | None
    high: Quantity | None

    def __contains__(self, value: Quantity) -> bool:
        return (self.low is None or self.low <= value) and (self.high is None or value <= self.high)

    def covers(self, other: "Range") -> bool:
        """Whether all of the other range lies within this one."""
        low, high = self.low is None or other.low is not None, self.high is None or other.high is not None
        return low and high and all(end is None or end in self for end in (other.low, other.high))

    def __str__(self) -> str:
        return f"{self.low or ''} .. {self.high or ''}".strip()


class Outline(msgspec.Struct, frozen=True, gc=False):
    """Length, width and height, in the vehicle's directions."""

    length: Quantity
    width: Quantity
    height: Quantity

    def __str__(self) -> str:
        return f"{self.length} x {self.width} x {self.height}"


Scalar: TypeAlias = Quantity | Range | Outline | str | bool | int
Value: TypeAlias = Scalar | tuple[Scalar, ...] | None


def parse_quantity(text: str, *dimensions: str) -> Quantity:
    """Read ``250 kbit/s``; BadValue lists the units of the dimensions that are allowed."""
    allowed = dimensions or DIMENSIONS
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        raise BadValue(f"{text!r} is no number with a unit; the units are: {units_of(*allowed)}")
    number, unit = Decimal(match[1]), match[2] or ""
    dimension, _ = _UNITS.get(unit, (None, None))
    if dimension in allowed:
        return Quantity(number, unit)
    of = " or ".join(allowed) if dimensions else "any dimension"
    if not unit:
        raise BadValue(f"{text!r} has no unit; those of {of}: {units_of(*allowed)}")
    known = "is not known" if dimension is None else f"is one of {dimension}"
    raise BadValue(f"the unit of {text!r} {known}; those of {of}: {units_of(*allowed)}")


def parse_range(text: str, *dimensions: str) -> Range:
    """Read ``400 V .. 800 V``, ``.. 5 min`` or ``60 V ..``."""
    first, _, last = text.partition("..")
    ends = [parse_quantity(end, *dimensions) if end.strip() else None for end in (first, last)]
    low, high = ends
    if low is None and high is None:
        raise BadValue(f"{text!r} has no end at all")
    if low is not None and high is not None:
        if low.dimension != high.dimension:
            raise BadValue(f"{text!r} goes from {low.dimension} to {high.dimension}")
        if low > high:
            raise BadValue(f"{text!r} goes down: the lower end comes first")
    return Range(low, high)


def parse_measure(text: str, *dimensions: str) -> Quantity | Range:
    """Read a quantity or a range."""
    return parse_range(text, *dimensions) if ".." in text else parse_quantity(text, *dimensions)


def parse_outline(text: str) -> Outline:
    """Read ``2.4 m x 1.2 m x 0.9 m``: length, width, height, each with its unit."""
    sides = [parse_quantity(side, "length") for side in re.split(r"\s+[x×]\s+", text.strip())]
    if len(sides) != 3:
        raise BadValue(f"{text!r} is no outline: length x width x height, each with its unit")
    for side in sides:
        check_positive(side)
    return Outline(*sides)


def check_positive(value: Quantity | Range) -> None:
    """BadValue for what no device has: a mass below zero, a bit rate of zero. A range may begin at zero."""
    if isinstance(value, Quantity):
        if value.magnitude <= 0:
            raise BadValue(f"'{value}' is not above zero")
        return
    if value.low is not None and value.low.magnitude < 0:
        raise BadValue(f"'{value}' begins below zero")
    if value.high is not None:
        check_positive(value.high)


def admits(allowed: Value, offered: Scalar) -> bool:
    """Whether a profile's value allows what a device has: equal, within the range, or one of the list."""
    if isinstance(allowed, tuple):
        return any(admits(each, offered) for each in allowed)
    if isinstance(allowed, Range):
        if isinstance(offered, Quantity):
            return offered in allowed
        if isinstance(offered, Range):
            return allowed.covers(offered)
    return allowed is not None and allowed == offered


def in_text(value: Value) -> str:
    """A value as a file would write it, lists with commas."""
    if value is None:
        return "unset"
    if isinstance(value, tuple):
        return ", ".join(in_text(each) for each in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"0x{value:02X}" if isinstance(value, int) else str(value)
