"""The rules by which two devices can meet."""

from swapproto.compat.rules.model import Clause, Input, Outcome, Result, Rule, Settle, judge
from swapproto.compat.rules.pack_station import RULES as PACK_STATION
from swapproto.compat.rules.pack_truck import RULES as PACK_TRUCK
from swapproto.compat.rules.truck_station import RULES as TRUCK_STATION

RULES: tuple[Rule, ...] = (*PACK_STATION, *PACK_TRUCK, *TRUCK_STATION)

__all__ = [
    "PACK_STATION",
    "PACK_TRUCK",
    "RULES",
    "TRUCK_STATION",
    "Clause",
    "Input",
    "Outcome",
    "Result",
    "Rule",
    "Settle",
    "judge",
]
