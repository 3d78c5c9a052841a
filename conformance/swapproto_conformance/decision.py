"""The decision rule for times: tolerance, the bench's uncertainty as a guard band, what is beyond dispute.

Public sources give nominal values for every period and timer, but tolerances for four messages only, and
those from one bench. So a time within the tolerance passes; one that no reading of the nominal value
covers (off by more than half of it) violates the nominal value itself; between the two the answer is open.
"""

import msgspec

from swapproto_conformance.verdict import Verdict


class Limit(msgspec.Struct, frozen=True):
    """A nominal time with its tolerance, in microseconds; ``early`` says whether too soon is wrong too."""

    nominal: int
    tolerance: int
    early: bool = True

    def __str__(self) -> str:
        sign = "within" if not self.early else "at"
        return f"{sign} {self.nominal / 1000:g} ms (tolerance {self.tolerance / 1000:g} ms)"


def decide(measured: int, limit: Limit, uncertainty: int) -> tuple[Verdict, str]:
    """What a measured time in µs, known to within ± uncertainty, says about the limit."""
    off = measured - limit.nominal
    if off < 0 and not limit.early:
        off = min(0, off + limit.nominal)
    distance = abs(off)
    if distance + uncertainty <= limit.tolerance:
        return Verdict.PASS, ""
    if distance - uncertainty > limit.nominal // 2 and distance - uncertainty > limit.tolerance:
        return Verdict.FAIL, f"{measured / 1000:g} ms is no reading of {limit.nominal / 1000:g} ms"
    if distance - uncertainty <= limit.tolerance:
        return Verdict.INCONCLUSIVE, f"the bench knows the time to ±{uncertainty / 1000:g} ms only"
    return Verdict.INCONCLUSIVE, f"{off / 1000:+g} ms: beyond the tolerance, for which no two sources vouch"
