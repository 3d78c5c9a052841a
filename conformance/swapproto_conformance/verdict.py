"""The verdict: small, total, never flattering.

A device is judged PASS, INCONCLUSIVE or FAIL; NOT_APPLICABLE stands apart and is neutral; ERROR is the
harness's own fault, says nothing about the device and hides none of its fails.
"""

import enum
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from swapproto.provenance import Basis, Weight, weight


class Verdict(enum.Enum):
    """Outcome of a case or a finding; each one is worse than those above it.

    A value that is not known, as from a file of a later version, reads as ERROR and never as something else.
    """

    NOT_APPLICABLE = "not_applicable"
    PASS = "pass"  # noqa: S105 - a verdict
    INCONCLUSIVE = "inconclusive"
    FAIL = "fail"
    ERROR = "error"

    @property
    def rank(self) -> int:
        """0 for NOT_APPLICABLE up to 4 for ERROR; verdicts themselves are not ordered by `<`."""
        return _RANK[self]

    @property
    def text(self) -> str:
        """The value in words."""
        return self.value.replace("_", " ")

    @classmethod
    def _missing_(cls, value: object) -> "Verdict":  # noqa: ARG003 - the enum's own hook
        return cls.ERROR


_RANK = {verdict: rank for rank, verdict in enumerate(Verdict)}


def join(*verdicts: Verdict) -> Verdict:
    """The worst of them; NOT_APPLICABLE is neutral, so it is also the join of nothing.

    Where nothing at all was judged, `conclude` is what turns that into INCONCLUSIVE.
    """
    return max(verdicts, key=lambda verdict: verdict.rank, default=Verdict.NOT_APPLICABLE)


def ceiling(basis: Basis, witnesses: int) -> Verdict:
    """The worst verdict that a violation of such a requirement can give."""
    return weigh(Verdict.FAIL, basis, witnesses)


def weigh(outcome: Verdict, basis: Basis, witnesses: int) -> Verdict:
    """What an outcome is worth on its basis: itself, or INCONCLUSIVE where the basis cannot carry it."""
    held_back = {
        Weight.FULL: (),
        Weight.PASS_ONLY: (Verdict.FAIL,),
        Weight.NONE: (Verdict.PASS, Verdict.FAIL),
    }[weight(basis, witnesses)]
    return Verdict.INCONCLUSIVE if outcome in held_back else outcome


class Finding(msgspec.Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """What a judge found about one requirement in one trace; `Requirement.finding` makes it."""

    requirement_id: str
    outcome: Verdict
    """As if the requirement's text were at hand."""
    verdict: Verdict
    """The outcome, weighed by what the requirement rests on."""
    expected: str
    observed: str
    reason: str = ""
    examined: int
    """How many occasions to break the requirement the judge looked at."""
    at_us: tuple[int, ...] = ()
    """Trace stamps of the evidence, in microseconds."""
    frames: tuple[int, ...] = ()
    """Zero-based positions of the evidence in the case's trace."""

    @property
    def violated(self) -> bool:
        """Whether the device broke the requirement, even where its basis is too weak for a fail."""
        return self.outcome is Verdict.FAIL


class Conclusion(NamedTuple):
    """A case's verdict, and why in one line."""

    verdict: Verdict
    reason: str


NOTHING_EXAMINED = "the judge examined nothing"


def conclude(
    findings: Sequence[Finding], examined: int | None = None, error: str | None = None
) -> Conclusion:
    """The case's verdict from its findings; `error` is a harness fault, beneath which they stay listed.

    `examined` counts what the judges looked at, the sum over the findings unless given. Nothing examined is
    INCONCLUSIVE and never a pass, for a finding as for the case.
    """
    if error is not None:
        return Conclusion(Verdict.ERROR, error)
    if examined is None:
        examined = sum(finding.examined for finding in findings)
    judged = [(_sound(finding), finding) for finding in findings]
    verdict = join(*(each for each, _ in judged))
    if not findings or (verdict is Verdict.PASS and examined <= 0):
        return Conclusion(Verdict.INCONCLUSIVE, NOTHING_EXAMINED)
    return Conclusion(verdict, _reason(verdict, judged))


def _sound(finding: Finding) -> Verdict:
    vacuous = finding.verdict is Verdict.PASS and finding.examined <= 0
    return Verdict.INCONCLUSIVE if vacuous else finding.verdict


def _reason(verdict: Verdict, judged: Iterable[tuple[Verdict, Finding]]) -> str:
    decisive = [finding for each, finding in judged if each is verdict]
    first = decisive[0]
    if verdict is Verdict.INCONCLUSIVE and first.verdict is Verdict.PASS:
        return f"{first.requirement_id}: {NOTHING_EXAMINED}"
    if verdict is Verdict.PASS:
        held = first.reason or "the requirement held"
        return held if len(decisive) == 1 else f"{len(decisive)} findings held"
    text = first.reason or f"expected {first.expected}; observed {first.observed}"
    more = f" (and {len(decisive) - 1} more)" if len(decisive) > 1 else ""
    return f"{first.requirement_id}: {text}{more}"
