"""All cases of the suite: a device alone against the tester."""

from swapproto_conformance.case import Case
from swapproto_conformance.cases import (
    beyond,
    charger_negative,
    charger_positive,
    charger_stops,
    pack_late,
    pack_negative,
    pack_positive,
    pack_transport,
)

CASES: tuple[Case, ...] = (
    *charger_positive.CASES,
    *charger_negative.CASES,
    *charger_stops.CASES,
    *pack_positive.CASES,
    *pack_negative.CASES,
    *pack_late.CASES,
    *pack_transport.CASES,
    *beyond.CASES,
)
