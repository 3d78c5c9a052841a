"""Where one recording of a charge departs from another: the first difference that matters, and the rest.

    comparison = compare(good.records, bad.records)
    comparison.first, comparison.differences, comparison.rows

The conversations are paired by their steps, so that neither the hour nor the number of repetitions counts.
"""

from collections.abc import Iterator, Sequence

import msgspec

from swapproto.observe.compare_align import (
    Alignment,
    Difference,
    DifferenceKind,
    Row,
    Weight,
    align,
    flow,
)
from swapproto.observe.compare_profile import KEPT_ATTEMPTS, Profile, profile
from swapproto.observe.compare_timing import answers, findings, periods
from swapproto.observe.compare_values import values
from swapproto.observe.edition import Recognised, Recognition, recognise
from swapproto.trace.record import Record


class Comparison(msgspec.Struct, frozen=True):
    """Two recordings side by side."""

    good: Profile
    bad: Profile
    differences: tuple[Difference, ...]
    """By weight, and by their place in the conversation among equals."""
    rows: tuple[Row, ...]
    """The conversation step by step."""
    notes: tuple[str, ...]
    """What could not be compared."""

    @property
    def first(self) -> Difference | None:
        """The first difference that matters."""
        return self.differences[0] if self.differences else None

    @property
    def earlier(self) -> tuple[Difference, ...]:
        """Lesser differences that lie before the first one in the conversation: they may be its cause."""
        if self.first is None:
            return ()
        at = self.first.attempt, self.first.position
        return tuple(each for each in self.differences[1:] if (each.attempt, each.position) < at)


def compare(
    good: Sequence[Record],
    bad: Sequence[Record],
    good_resolution_us: int | None,
    bad_resolution_us: int | None,
) -> Comparison:
    """Compare one channel of each recording; the resolutions decide which periods can be compared."""
    recognitions = recognise(good), recognise(bad)
    spoken = [each.edition for each in recognitions]
    here = profile(good, _with_edition(recognitions[0], spoken[1]), good_resolution_us)
    there = profile(bad, _with_edition(recognitions[1], spoken[0]), bad_resolution_us)
    alignment = align(here, there)
    found = [
        *_editions(here, there),
        *_nothing_heard(here, there),
        *flow(alignment),
        *values(alignment),
        *periods(alignment),
        *answers(alignment),
        *findings(alignment),
    ]
    found.sort(key=lambda each: (each.weight.value, each.attempt, each.position))
    return Comparison(here, there, tuple(found), tuple(alignment.rows), tuple(_notes(alignment)))


def _with_edition(recognition: Recognition, other: Recognised) -> Recognition:
    """A recording too short to tell its edition is read in the other's."""
    if recognition.edition is not Recognised.UNKNOWN:
        return recognition
    return msgspec.structs.replace(recognition, edition=other)


def _editions(good: Profile, bad: Profile) -> Iterator[Difference]:
    here, there = (each.survey.recognition.edition for each in (good, bad))
    if here.decoded_as is not there.decoded_as:
        yield Difference(
            DifferenceKind.EDITION, Weight.FIELD, "edition", None, "the recordings speak different editions",
            here.value, there.value, None, None, 0, -1,
        )  # fmt: skip


def _nothing_heard(good: Profile, bad: Profile) -> Iterator[Difference]:
    if bool(good.attempts) == bool(bad.attempts):
        return
    lacking = "BAD" if good.attempts else "GOOD"
    words = [f"{sum(each.count for each in side.survey.messages)} messages" for side in (good, bad)]
    yield Difference(
        DifferenceKind.MISSING, Weight.FLOW, "dialogue", None,
        f"{lacking} holds no message of charger or BMS", words[0], words[1], None, None, 0, -1,
    )  # fmt: skip


def _notes(alignment: Alignment) -> Iterator[str]:
    for name, side in (("GOOD", alignment.good), ("BAD", alignment.bad)):
        if not side.attempts:
            yield f"{name} holds no message of charger or BMS"
        if side.joined is not None:
            label = side.joined.label
            yield f"{name} begins in the middle of a session, with {label}: what was before is not compared"
        if side.restarts >= KEPT_ATTEMPTS:
            yield f"{name} begins again {side.restarts} times; the first {KEPT_ATTEMPTS} are compared"
        if side.survey.timing.not_judged:
            names = ", ".join(side.survey.timing.not_judged)
            yield f"{name}: periods not compared, {side.survey.timing.reason} ({names})"
