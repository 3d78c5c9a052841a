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

# The charger waits.
BHM_AT_CHARGER = Timer(
    "BHM at charger", 5 * SECOND, REPORTED_TWICE, "the general one: CEM has no field for BHM"
)
BRM_AT_CHARGER = Timer("BRM at charger", 5 * SECOND, REPORTED_TWICE)
BCP_AT_CHARGER = Timer("BCP at charger", 5 * SECOND, REPORTED_TWICE)
BCL_AT_CHARGER = Timer("BCL at charger", SECOND, REPORTED_TWICE, "first counted from CRO(AA)")
BCS_AT_CHARGER = Timer("BCS at charger", 5 * SECOND, REPORTED_TWICE, "first counted from CRO(AA)")
BRO_AA_SILENT = Timer(
    "after the last BRO(AA)",
    5 * SECOND,
    AMENDMENT_1,
    "from the last BRO(AA) received while the charger is at CRO(00)",
)

# Either waits for the other to be ready.
READY_NEVER_RECEIVED = Timer(
    "BRO or CRO never received", 5 * SECOND, REPORTED_TWICE, "while none has come at all"
)
READY_NEVER_AA = Timer(
    "BRO(00) or CRO(00) never becomes AA",
    60 * SECOND,
    REPORTED_TWICE,
    "from the first 00, while the peer's message keeps coming",
)

# The pack waits.
CRM_FROM_START = Timer("CRM from system start", 60 * SECOND, REPORTED_ONCE, "while no CHM has come")
FIRST_CRM = Timer("first CRM after CHM", 30 * SECOND, REPORTED_ONCE, "replaces the 60 s from system start")
CRM_RECOGNISED_AT_BMS = Timer(
    "CRM(AA) at BMS", 5 * SECOND, REPORTED_TWICE, "the general one, from the first BRM"
)
CML_AT_BMS = Timer("CML at BMS", 5 * SECOND, REPORTED_TWICE, "the general one, from the first BCP")
CCS_AT_BMS = Timer("CCS at BMS", SECOND, REPORTED_TWICE, "also from the begin of charging; observed as well")

# The end, and errors.
STOP_ANSWER = Timer("stop message of the other side after CST or BST", 5 * SECOND, REPORTED_ONCE)
STATISTICS = Timer("BSD or CSD", 10 * SECOND, REPORTED_TWICE)
NEW_CRM_AFTER_ERROR = Timer("new CRM after BEM or CEM", 30 * SECOND, REPORTED_ONCE)
LONGEST_PAUSE = Timer("pause", 600 * SECOND, REPORTED_ONCE, "then the charge ends")

# Current below CUT_OFF_CURRENT.
CURRENT_AFTER_CST = Timer(
    "current after CST", 100 * MILLISECOND, REPORTED_ONCE, "the charger stops of itself"
)
CURRENT_AFTER_BST = Timer(
    "current after BST", 10 * SECOND, REPORTED_ONCE, "the pack stops and names no fault"
)
CURRENT_AFTER_FAULT = Timer(
    "current after BST with a fault", 300 * MILLISECOND, REPORTED_ONCE, "the pack stops with a fault in BST"
)
CURRENT_AFTER_UNPLUG = Timer(
    "current after the plug is out", 50 * MILLISECOND, REPORTED_ONCE, "check point 1 is lost"
)
CUT_OFF_CURRENT = 5.0
"""Amperes below which the charger's output counts as off [reported, one witness]."""

PACKET_GAP = Timer(
    "between transport packets of BRM", 10 * MILLISECOND, REPORTED_ONCE, "taken for all of the pack's"
)

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
