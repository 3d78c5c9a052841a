"""Differences in periods, response times, transfers and findings."""

from collections.abc import Hashable, Iterator
from typing import TypeAlias

from swapproto.frame import MICROSECOND
from swapproto.messages.gbt27930 import BMS_ADDRESS, CHARGER_ADDRESS
from swapproto.messages.gbt27930.timers import period_tolerance
from swapproto.observe.compare_align import Alignment, Difference, DifferenceKind, Weight
from swapproto.observe.compare_profile import Attempt, Profile, Step
from swapproto.observe.findings import DeviationSum, Violation, ViolationKind
from swapproto.observe.survey import LostTransfer
from swapproto.observe.timing import FEWEST_INTERVALS, MessageStats

ANSWERS = (
    ("CHM", "BHM"), ("CRM(00)", "BRM"), ("BRM", "CRM(AA)"), ("CRM(AA)", "BCP"), ("BCP", "CML"),
    ("CML", "BRO(AA)"), ("BRO(AA)", "CRO(AA)"), ("CRO(AA)", "BCL"), ("CRO(AA)", "CCS"),
    ("BST", "CST"), ("CST", "BST"), ("BST", "BSD"), ("CST", "CSD"),
)  # fmt: skip
"""Causes and answers, by their steps."""
SLOWER_US = 500_000
"""A response time differs by a lot beyond this, two periods of most messages [assumed] ..."""
SLOWER_TIMES = 2
"""... and beyond so many times the shorter one [assumed]."""
_PAIR = {CHARGER_ADDRESS, BMS_ADDRESS}
_FLOW_TELLS = (ViolationKind.PERIOD, ViolationKind.ERROR)
"""Kinds that the periods and the steps show already."""
_Finding: TypeAlias = Violation | DeviationSum | LostTransfer


def periods(alignment: Alignment) -> Iterator[Difference]:
    """Medians further apart than the tolerance, or only one of them judged off nominal."""
    good, bad = ({s.cls.__name__: s for s in p.survey.messages} for p in _both(alignment))
    off_good, off_bad = (_off_nominal(each) for each in _both(alignment))
    unjudged = {name for each in _both(alignment) for name in each.survey.timing.not_judged}
    for name, here in good.items():
        there = bad.get(name)
        nominal = here.cls.period_ms
        if there is None or nominal is None or name in unjudged:
            continue
        if min(here.intervals, there.intervals) < FEWEST_INTERVALS:
            continue
        assert here.median_us is not None
        assert there.median_us is not None
        allowed = period_tolerance(name, nominal * 1000 * MICROSECOND).value / MICROSECOND
        apart = abs(here.median_us - there.median_us) > allowed
        if not apart and (name in off_good) == (name in off_bad):
            continue
        position = alignment.position(0, name)
        yield Difference(
            DifferenceKind.PERIOD, Weight.PERIOD, name, here.cls.phase,
            f"the period of {name} differs (nominal {nominal} ms +/- {allowed / 1000:g} ms)",
            _period(here, off=name in off_good), _period(there, off=name in off_bad),
            alignment.good.place(here.first_us, here.first_line),
            alignment.bad.place(there.first_us, there.first_line), 0, position,
        )  # fmt: skip


def _period(stats: MessageStats, *, off: bool) -> str:
    return f"median {(stats.median_us or 0) / 1000:g} ms, {'off nominal' if off else 'within the tolerance'}"


def _off_nominal(side: Profile) -> set[str | None]:
    return {each.message for each in side.survey.violations if each.kind is ViolationKind.PERIOD}


def answers(alignment: Alignment) -> Iterator[Difference]:
    """Answers that came much sooner or later after their cause."""
    joined = {each.joined.label for each in _both(alignment) if each.joined is not None}
    for number, (good, bad) in enumerate(zip(alignment.good.attempts, alignment.bad.attempts, strict=False)):
        for cause, answer in ANSWERS:
            here, there = _response(good, cause, answer), _response(bad, cause, answer)
            if here is None or there is None or not _far_apart(here[0], there[0]) or cause in joined:
                continue
            position = alignment.position(number, answer)
            yield Difference(
                DifferenceKind.ANSWER, Weight.FINDING, answer, here[1].phase,
                f"the time from {cause} to {answer} differs",
                f"{here[0] / 1000:g} ms", f"{there[0] / 1000:g} ms",
                here[1].first, there[1].first, number, position,
            )  # fmt: skip


def _response(side: Attempt, cause: str, answer: str) -> tuple[int, Step] | None:
    first, then = side.steps.get(cause), side.steps.get(answer)
    if first is None or then is None or then.started_us < first.first.at_us:
        return None
    return then.started_us - first.first.at_us, then


def _far_apart(one: int, other: int) -> bool:
    short, long = sorted((one, other))
    return long - short > SLOWER_US and long > SLOWER_TIMES * short


def findings(alignment: Alignment) -> Iterator[Difference]:
    """Silences, violations, deviations and broken transfers of one recording alone."""
    sides = [_keyed(each) for each in _both(alignment)]
    heard = [{each.cls.__name__ for each in side.survey.messages} for side in _both(alignment)]
    for in_good, mine, others in ((False, sides[1], sides[0]), (True, sides[0], sides[1])):
        for key, found in mine.items():
            if isinstance(found, DeviationSum) and found.message not in heard[1 if in_good else 0]:
                continue  # the message itself is what is missing
            if key not in others and (alone := _alone(alignment, found, in_good=in_good)) is not None:
                yield alone


def _keyed(side: Profile) -> dict[Hashable, _Finding]:
    found: dict[Hashable, _Finding] = {}
    heard = {each.cls.__name__ for each in side.survey.messages}
    for violation in side.survey.violations:
        never_began = violation.kind is ViolationKind.SILENCE and violation.message not in heard
        if violation.kind not in _FLOW_TELLS and not never_began:
            found[violation.kind, violation.message, violation.text] = violation
    for each in side.survey.deviations:
        found[each.message, each.field, each.byte, each.kind] = each
    for lost in side.survey.transfers.lost:
        if {lost.source, lost.destination} == _PAIR:
            found.setdefault((lost.pgn, lost.source, lost.reason), lost)
    return found


def _alone(alignment: Alignment, found: _Finding, *, in_good: bool) -> Difference | None:
    profile = alignment.good if in_good else alignment.bad
    kind, weight, subject, text, has = _described(found)
    at_us, line = (
        (found.at_us, found.line) if isinstance(found, LostTransfer) else (found.first_us, found.first_line)
    )
    place = profile.place(at_us, line)
    if place.at_us < _joined_at(alignment, in_good=in_good):
        return None
    position = alignment.position_at(place.at_us, good=in_good)
    return Difference(
        kind, weight, subject, alignment.phase_of(position),
        f"{text}, in {'GOOD' if in_good else 'BAD'} alone",
        has if in_good else "none", "none" if in_good else has,
        place if in_good else None, None if in_good else place,
        alignment.attempt_of(position), position,
    )  # fmt: skip


def _joined_at(alignment: Alignment, *, in_good: bool) -> int:
    """The instant of one recording at which the other joined the session."""
    mine, other = _both(alignment) if in_good else _both(alignment)[::-1]
    if other.joined is None or not mine.attempts:
        return 0
    step = mine.attempts[0].steps.get(other.joined.label)
    return 0 if step is None else step.first.at_us


def _described(found: _Finding) -> tuple[DifferenceKind, Weight, str, str, str]:
    """Kind, weight, subject, the sentence, and what the recording has."""
    if isinstance(found, LostTransfer):
        name = found.message or f"PGN {found.pgn:04X}h"
        text = f"a transfer of {name} broke"
        return DifferenceKind.TRANSFER, Weight.FINDING, name, text, found.reason
    times = "once" if found.count == 1 else f"{found.count} times"
    if isinstance(found, DeviationSum):
        where = found.field or ("payload" if found.byte is None else f"byte {found.byte}")
        text = f"{found.message} departs from its layout ({where})"
        subject = f"{found.message}.{where}" if found.field else found.message
        return DifferenceKind.DEVIATION, Weight.FINDING, subject, text, f"{found.example}, {times}"
    name = found.message or "TP"
    if found.kind is ViolationKind.SILENCE:
        longest = "" if found.longest_us is None else f": {found.longest_us / 1000:g} ms"
        text = f"{name} falls silent"
        return DifferenceKind.SILENCE, Weight.FLOW, name, text, f"{found.text}{longest}, {times}"
    text = f"{name} breaks a rule ({found.kind.value})"
    return DifferenceKind.VIOLATION, Weight.FINDING, name, text, f"{found.text}, {times}"


def _both(alignment: Alignment) -> tuple[Profile, Profile]:
    return alignment.good, alignment.bad
