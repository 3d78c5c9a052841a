"""Values brought into the range and resolution that the messages can express, so that they always encode.

Ranges come from the message declarations. A charging current beyond 400 A has no place on this wire
(0.1 A with offset -400) and is sent as 400 A.
"""

from collections.abc import Callable

from swapproto.messages.gbt27930 import BCP, BCS, BMT, BMV, BRM, BSM, CSD
from swapproto.messages.gbt27930.parties import ChargingMessage


def _scaled(message: type[ChargingMessage], name: str) -> Callable[[float], float]:
    field = next(field for field in message.layout.fields if field.name == name)
    low, high = field.to_physical(field.raw_low), field.to_physical(field.raw_high)
    steps = field.denominator

    def nearest(value: float) -> float:
        return round(min(max(value, low), high) * steps) / steps

    return nearest


def _whole(message: type[ChargingMessage], name: str) -> Callable[[float], int]:
    field = next(field for field in message.layout.fields if field.name == name)
    low, high = field.to_physical(field.raw_low), field.to_physical(field.raw_high)

    def nearest(value: float) -> int:
        return round(min(max(value, low), high))

    return nearest


def _places(message: type[ChargingMessage]) -> int:
    tail = message.layout.tail
    return 0 if tail is None else tail.max_items


volts = _scaled(BCS, "voltage")
amperes = _scaled(BCS, "current")
cell_volts = _scaled(BCS, "max_cell_voltage")
ampere_hours = _scaled(BRM, "rated_capacity")
kilowatt_hours = _scaled(CSD, "energy")
per_mille = _scaled(BCP, "soc")
"""State of charge in per cent, tenths kept."""
per_cent = _whole(BCS, "soc")
degrees = _whole(BSM, "max_temperature")
minutes = _whole(BCS, "remaining_time")
cell_number = _whole(BSM, "max_voltage_cell")
probe_number = _whole(BSM, "max_temperature_probe")
MOST_CELLS = _places(BMV)
MOST_PROBES = _places(BMT)
