"""The decision rule for times: tolerance, the bench's uncertainty as a guard band, what is beyond dispute.

Public sources give nominal values for every period and timer, but tolerances for four messages only, and
those from one bench. So a time within the tolerance passes; one that no reading of the nominal value
covers (off by more than half of it) violates the nominal value itself; between the two the answer is open.
"""

import msgspec

from swapproto.frame import SECOND
from swapproto.messages.gbt27930.timers import Timer
from swapproto.provenance import Basis, Source
from swapproto_conformance.verdict import Verdict

PATIENCE = Timer(
    "no public time",
    2 * SECOND,
    Source("our decision rule", Basis.ASSUMED, 0, "the answer is public, how soon it must come is not"),
)
"""How long an answer may take for which no time is public: later is inconclusive, never is a violation."""


class Limit(msgspec.Struct, frozen=True):
    """A nominal time with its tolerance, in microseconds."""

    nominal: int
    tolerance: int
    early: bool = True
    """Whether too soon is wrong too."""
    slack: int = 0
    """What may come on top of the nominal time, and never shortens it."""

    def __str__(self) -> str:
        sign = "at" if self.early else "within"
        more = f", up to {self.slack / 1000:g} ms more" if self.slack else ""
        return f"{sign} {self.nominal / 1000:g} ms{more} (tolerance {self.tolerance / 1000:g} ms)"


def decide(measured: int, limit: Limit, uncertainty: int) -> tuple[Verdict, str]:
    """What a measured time in µs, known to within ± uncertainty, says about the limit."""
    off = measured - limit.nominal
    distance = off - limit.slack
    if limit.early:
        distance = max(distance, -off)
    if distance + uncertainty <= limit.tolerance:
        return Verdict.PASS, ""
    if distance - uncertainty > max(limit.nominal // 2, limit.tolerance):
        return Verdict.FAIL, f"{measured / 1000:g} ms is no reading of {limit.nominal / 1000:g} ms"
    if distance - uncertainty <= limit.tolerance:
        return Verdict.INCONCLUSIVE, f"the bench knows the time to ±{uncertainty / 1000:g} ms only"
    return Verdict.INCONCLUSIVE, f"{off / 1000:+g} ms: beyond the tolerance, for which no two sources vouch"
