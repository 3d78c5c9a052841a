"""All cases of the suite: a device alone against the tester."""

from swapproto_conformance.case import Case
from swapproto_conformance.cases import (
    beyond,
    charger_negative,
    charger_positive,
    pack_negative,
    pack_positive,
)

CASES: tuple[Case, ...] = (
    *charger_positive.CASES,
    *charger_negative.CASES,
    *pack_positive.CASES,
    *pack_negative.CASES,
    *beyond.CASES,
)
