"""The timers and tolerances of GB/T 27930-2015 as data: how long each party waits, and who says so."""

import msgspec

from swapproto.frame import MILLISECOND, SECOND
from swapproto.provenance import Basis, Source

REPORTED_TWICE = Source("GB/T 27930-2015, timers", Basis.REPORTED, 2)
REPORTED_ONCE = Source("GB/T 27930-2015, timers", Basis.REPORTED, 1)
AMENDMENT_1 = Source("GB/T 34658-2017, amendment 1", Basis.REPORTED, 1)
BENCH_TOLERANCE = Source("GB/T 34658-2017 bench", Basis.REPORTED, 1, "tolerances of one commercial tester")
ASSUMED_TOLERANCE = Source("our decision rule", Basis.ASSUMED, 0, "no tolerance is public for this message")


class Timer(msgspec.Struct, frozen=True):
    """A waiting time in nanoseconds, with the case in which it applies where sources have two values."""

    name: str
    value: int
    source: Source
    note: str = ""


RECEIVE = Timer("receive", 5 * SECOND, REPORTED_TWICE, "whatever has no timer of its own")
BCL_AT_CHARGER = Timer("BCL at charger", SECOND, REPORTED_TWICE)
CCS_AT_BMS = Timer("CCS at BMS", SECOND, REPORTED_TWICE)
BCS_AT_CHARGER = Timer("BCS at charger", 5 * SECOND, REPORTED_TWICE)
BRM_AT_CHARGER = Timer("BRM at charger", 5 * SECOND, REPORTED_TWICE)
BCP_AT_CHARGER = Timer("BCP at charger", 5 * SECOND, REPORTED_TWICE)
READY_NEVER_RECEIVED = Timer("BRO or CRO never received", 5 * SECOND, REPORTED_TWICE)
READY_NEVER_AA = Timer(
    "BRO(00) or CRO(00) never becomes AA", 60 * SECOND, REPORTED_TWICE, "while the peer's message keeps coming"
)
BRO_AA_SILENT = Timer(
    "after the last BRO(AA), charger still at CRO(00)", 5 * SECOND, AMENDMENT_1, "counts from the last BRO(AA)"
)
FIRST_CRM = Timer("first CRM after CHM", 30 * SECOND, REPORTED_ONCE, "or 60 s from the start of the system")
STOP_ANSWER = Timer("stop message of the other side after CST or BST", 5 * SECOND, REPORTED_ONCE)
STATISTICS = Timer("BSD or CSD", 10 * SECOND, REPORTED_TWICE)
NEW_CRM_AFTER_ERROR = Timer("new CRM after BEM or CEM", 30 * SECOND, REPORTED_ONCE)
LONGEST_PAUSE = Timer("pause", 600 * SECOND, REPORTED_ONCE, "then the charge ends")

RECONNECTS = 3
"""Times that a session begins again after an error before the plug must be pulled [reported, one witness]."""


class Tolerance(msgspec.Struct, frozen=True):
    """How far a period may be off its nominal value, in nanoseconds either way."""

    value: int
    source: Source


_BENCH = {"BCL": 5, "CCS": 5, "BST": 3, "CST": 3}


def period_tolerance(message: str, period: int) -> Tolerance:
    """The tolerance of a message's period: a bench's where one is public, else a tenth, assumed."""
    if (bench := _BENCH.get(message)) is not None:
        return Tolerance(bench * MILLISECOND, BENCH_TOLERANCE)
    return Tolerance(period // 10, ASSUMED_TOLERANCE)
