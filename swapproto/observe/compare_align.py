"""The two conversations side by side, and where their steps part."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from enum import Enum

import msgspec

from swapproto.messages.gbt27930 import Phase
from swapproto.observe.compare_profile import Attempt, Place, Profile, Step
from swapproto.observe.phases import ORDER

FREE_ORDER = frozenset({"BCL", "BCS", "CCS", "BSM", "BMV", "BMT", "BSP"})
"""Cyclic messages of which no one waits for another: which comes first says little."""

_ERRORS = ("BEM", "CEM")


class DifferenceKind(Enum):
    """How two recordings can differ."""

    MISSING = "message missing"
    ADDITIONAL = "additional message"
    STATE = "state not reached"
    ERROR = "error message"
    PHASE = "phase not reached"
    RESTART = "session begins again"
    SILENCE = "falls silent"
    ORDER = "order"
    EDITION = "edition"
    FIELD = "field"
    PERIOD = "period"
    TRANSFER = "transfer"
    ANSWER = "response time"
    VIOLATION = "violation"
    DEVIATION = "deviation"
    MEASURED = "measured range"


class Weight(Enum):
    """How much a difference matters; the smaller the more."""

    FLOW = 1
    ORDER = 2
    FIELD = 3
    PERIOD = 4
    FINDING = 5
    MEASURED = 6


class Difference(msgspec.Struct, frozen=True):
    """One difference, with what each recording has; a place is None where there is nothing to point at."""

    kind: DifferenceKind
    weight: Weight
    subject: str
    """The message, field or phase."""
    phase: Phase | None
    text: str
    good: str
    bad: str
    good_place: Place | None
    bad_place: Place | None
    attempt: int
    position: float
    """Place in the conversation, in rows of the alignment."""


class Mark(Enum):
    """What a row of the alignment shows."""

    SAME = "in both"
    MISSING = "only in GOOD"
    ADDITIONAL = "only in BAD"
    MOVED = "at another place"
    NOT_HEARD = "before the other recording begins"


class Row(msgspec.Struct, frozen=True):
    """One step of the conversation in either recording; a moved step has two rows."""

    attempt: int
    phase: Phase
    label: str
    mark: Mark
    good: Step | None
    bad: Step | None


class Alignment(msgspec.Struct):
    """The rows of all attempts that both recordings have."""

    good: Profile
    bad: Profile
    rows: list[Row] = []

    def position(self, attempt: int, label: str) -> float:
        """The first row of a step or message; -1 where there is none."""
        for index, row in enumerate(self.rows):
            step = row.good or row.bad
            if row.attempt == attempt and step is not None and label in (row.label, step.name):
                return index
        return -1

    def position_at(self, at_us: int, *, good: bool) -> float:
        """Behind the last row that began by an instant of one recording."""
        found = -1
        for index, row in enumerate(self.rows):
            step = row.good if good else row.bad
            if step is not None and step.first.at_us <= at_us:
                found = index
        return found + 0.5

    def attempt_of(self, position: float) -> int:
        index = int(position)
        return self.rows[index].attempt if 0 <= index < len(self.rows) else 0

    def phase_of(self, position: float) -> Phase | None:
        index = int(position)
        return self.rows[index].phase if 0 <= index < len(self.rows) else None


def align(good: Profile, bad: Profile) -> Alignment:
    """Pair the steps by what they are and where they stand in the conversation, not by when they came."""
    alignment = Alignment(good, bad)
    for number, (left, right) in enumerate(zip(good.attempts, bad.attempts, strict=False)):
        alignment.rows += _rows(number, left, right, good, bad)
    return alignment


def _rows(number: int, left: Attempt, right: Attempt, good: Profile, bad: Profile) -> Iterator[Row]:
    goods, bads = list(left.steps), list(right.steps)
    unheard = {**_unheard(left, right, bad, number), **_unheard(right, left, good, number)}
    matcher = SequenceMatcher(None, goods, bads, autojunk=False)
    for _, i1, i2, j1, j2 in matcher.get_opcodes():
        if goods[i1:i2] == bads[j1:j2]:
            for label in goods[i1:i2]:
                step = left.steps[label]
                yield Row(number, step.phase, label, Mark.SAME, step, right.steps[label])
            continue
        lonely = [
            Row(
                number, left.steps[label].phase, label,
                Mark.MOVED if label in right.steps else unheard.get(label, Mark.MISSING),
                left.steps[label], None,
            )
            for label in goods[i1:i2]
        ] + [
            Row(
                number, right.steps[label].phase, label,
                Mark.MOVED if label in left.steps else unheard.get(label, Mark.ADDITIONAL),
                None, right.steps[label],
            )
            for label in bads[j1:j2]
        ]  # fmt: skip
        yield from sorted(lonely, key=lambda row: _rank(row.phase))


def _unheard(one: Attempt, other: Attempt, late: Profile, number: int) -> dict[str, Mark]:
    """Steps that were over before the point at which the other recording joined the session."""
    joined = late.joined
    if number or joined is None or joined.label not in one.steps:
        return {}
    since = one.steps[joined.label].first.at_us
    gone = (step for step in one.steps.values() if step.last_us < since and step.label not in other.steps)
    return {step.label: Mark.NOT_HEARD for step in gone}


def flow(alignment: Alignment) -> Iterator[Difference]:
    """What is missing, additional, never reached or in another order."""
    rows = alignment.rows
    for number in range(min(len(alignment.good.attempts), len(alignment.bad.attempts))):
        yield from _AttemptFlow(alignment, number).differences(
            [(index, row) for index, row in enumerate(rows) if row.attempt == number]
        )
    yield from _restarts(alignment)


def _restarts(alignment: Alignment) -> Iterator[Difference]:
    good, bad = alignment.good, alignment.bad
    if good.restarts == bad.restarts or not good.attempts or not bad.attempts:
        return
    common = min(len(good.attempts), len(bad.attempts))
    places = [_beginning(each, common) for each in (good, bad)]
    yield Difference(
        DifferenceKind.RESTART, Weight.FLOW, "session", None,
        "the session begins again in one more often than in the other",
        _times(good.restarts),
        _times(bad.restarts),
        places[0], places[1], common, len(alignment.rows),
    )  # fmt: skip


def _beginning(side: Profile, number: int) -> Place | None:
    if number >= len(side.attempts):
        return None
    return next(iter(side.attempts[number].steps.values())).first


class _AttemptFlow:
    """The differences between the steps of one attempt."""

    def __init__(self, alignment: Alignment, number: int) -> None:
        self._number = number
        self._profiles = alignment.good, alignment.bad
        self._sides = alignment.good.attempts[number], alignment.bad.attempts[number]
        self._told: set[str] = set()

    def differences(self, rows: Sequence[tuple[int, Row]]) -> Iterator[Difference]:
        for index, row in rows:
            if row.mark is Mark.MOVED:
                yield from self._moved(index, row)
            elif row.mark in (Mark.MISSING, Mark.ADDITIONAL):
                yield from self._lonely(index, row, rows)

    def _lonely(self, index: int, row: Row, rows: Sequence[tuple[int, Row]]) -> Iterator[Difference]:
        """A step that only one recording has."""
        in_good = row.good is not None
        step = row.good or row.bad
        assert step is not None
        other = self._sides[1 if in_good else 0]
        lacking = "BAD" if in_good else "GOOD"
        is_error = step.name in _ERRORS
        weight = Weight.ORDER if step.optional else Weight.FLOW
        if is_error:
            kind, subject = DifferenceKind.ERROR, step.label
            text = f"{step.label} is sent in {'GOOD' if in_good else 'BAD'} alone"
        elif self._absent_phase(row.phase, other):
            kind, subject = DifferenceKind.PHASE, row.phase.value
            passed = any(_rank(each.phase) > _rank(row.phase) for each in other.steps.values())
            text = f"the phase {subject} {'is passed over' if passed else 'is never reached'} in {lacking}"
            weight = Weight.FLOW
        elif step.name in other.names:
            kind, subject = DifferenceKind.STATE, step.label
            skipped = step.label.endswith("(00)") and f"{step.name}(AA)" in other.steps
            text = f"{step.label} {'is skipped' if skipped else 'never comes'} in {lacking}"
            weight = Weight.ORDER if skipped else weight
        else:
            kind = DifferenceKind.MISSING if in_good else DifferenceKind.ADDITIONAL
            subject = step.name
            text = f"{subject} is {'missing in BAD' if in_good else 'additional in BAD'}"
        if subject in self._told:
            return
        self._told.add(subject)
        has = f"{step.label}, {_times(step.count)}"
        before = self._before_row(index, rows, in_good=not in_good)
        lacks = self._instead(step, before, in_good=in_good)
        near = None if before is None else before.first
        yield Difference(
            kind, weight, subject, row.phase, text,
            has if in_good else lacks, lacks if in_good else has,
            step.first if in_good else near, near if in_good else step.first, self._number, index,
        )  # fmt: skip

    @staticmethod
    def _before_row(index: int, rows: Sequence[tuple[int, Row]], *, in_good: bool) -> Step | None:
        """The step after which something lacks in one recording."""
        before = None
        for at, row in rows:
            step = row.good if in_good else row.bad
            if at < index and step is not None:
                before = step
        return before

    @staticmethod
    def _absent_phase(phase: Phase, other: Attempt) -> bool:
        return all(step.phase is not phase or step.name in _ERRORS for step in other.steps.values())

    def _instead(self, step: Step, before: Step | None, *, in_good: bool) -> str:
        """What the recording has that lacks the step: other answers, a broken transfer, or its end."""
        lacking, profile = (self._sides[1 if in_good else 0], self._profiles[1 if in_good else 0])
        if others := [each.label for each in lacking.steps.values() if each.name == step.name]:
            return f"only {', '.join(others)}"
        if broken := [lost for lost in profile.survey.transfers.lost if lost.message == step.name]:
            return f"a transfer of {step.name} was begun, and broke: {broken[0].reason}"
        if all(_rank(each.phase) < _rank(step.phase) for each in lacking.steps.values()):
            last = max(lacking.steps.values(), key=lambda each: each.last_us)
            return f"nothing; the last message is {last.label} at {last.last_us / 1_000_000:.3f} s"
        return "nothing" if before is None else f"nothing after {before.label}"

    def _moved(self, index: int, row: Row) -> Iterator[Difference]:
        if row.label in self._told:
            return
        self._told.add(row.label)
        good, bad = (side.steps[row.label] for side in self._sides)
        befores = [self._before(side, other, row.label) for side, other in (self._sides, self._sides[::-1])]
        if self._joined_in_cycle() and good.name in FREE_ORDER:
            return
        free = good.name in FREE_ORDER and (
            self._anchor(self._sides[0], row.label) == self._anchor(self._sides[1], row.label)
        )
        yield Difference(
            DifferenceKind.ORDER, Weight.FINDING if free else Weight.ORDER, row.label, row.phase,
            f"{row.label} comes at another place", befores[0], befores[1],
            good.first, bad.first, self._number, index,
        )  # fmt: skip

    def _joined_in_cycle(self) -> bool:
        """Whether a recording begins within the cycle, which it can hear from anywhere."""
        joined = (each.joined for each in self._profiles)
        return self._number == 0 and any(each is not None and each.name in FREE_ORDER for each in joined)

    @staticmethod
    def _before(side: Attempt, other: Attempt, label: str) -> str:
        """The step before, of those that both have."""
        common = [each for each in side.steps if each in other.steps]
        at = common.index(label)
        return f"after {common[at - 1]}" if at else "first of all"

    @staticmethod
    def _anchor(side: Attempt, label: str) -> str | None:
        """The last step before that does not stand in free order."""
        anchor = None
        for each, step in side.steps.items():
            if each == label:
                break
            if step.name not in FREE_ORDER:
                anchor = each
        return anchor


def _rank(phase: Phase) -> int:
    return ORDER.index(phase) if phase in ORDER else -1


def _times(count: int) -> str:
    if not count:
        return "never"
    return "once" if count == 1 else f"{count} times"
