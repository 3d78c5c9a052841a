"""The part of a trace around a finding's evidence, with what merely repeats folded away."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from swapproto_conformance.report.lines import Line
from swapproto_conformance.verdict import Finding, Verdict

AROUND = 6
"""Lines before the first and after the last piece of evidence."""
NEAR = 2
"""Lines beside each piece of evidence that are never folded."""
EVIDENCE_ROWS = 12
NEWS_ROWS = {Verdict.PASS: 6, Verdict.NOT_APPLICABLE: 6}
"""Lines shown because they bring news, where the finding does not call for more of them."""
NEWS_ROWS_OTHERWISE = 36
FOLDED_FROM = 3
"""Fewer lines than this are not worth a fold."""
NEARBY = 2000
"""Lines that are searched for the last frame of the same name."""


class Shown(msgspec.Struct, frozen=True, gc=False):
    """A line of the trace."""

    line: Line
    since_us: int | None
    """Time since the sender's last frame of this name, None where there is none nearby."""
    evidence: bool


class Moment(msgspec.Struct, frozen=True, gc=False):
    """An instant of the evidence at which there is no frame, such as a deadline that passed."""

    at_us: int


class Folded(msgspec.Struct, frozen=True, gc=False):
    """Consecutive lines that are not shown, counted by name."""

    count: int
    names: tuple[tuple[str, int], ...]
    evidence: int
    """How many of them are evidence, beyond what an excerpt shows."""


Row = Shown | Moment | Folded


class Excerpt(msgspec.Struct, frozen=True, gc=False):
    """Rows in order of time, and the evidence positions that the trace does not have."""

    rows: tuple[Row, ...]
    outside: tuple[int, ...] = ()


def excerpt(lines: Sequence[Line], finding: Finding) -> Excerpt:
    """The evidence with its surroundings; bounded whatever the finding names."""
    evidence = sorted({each for each in finding.frames if 0 <= each < len(lines)})
    outside = tuple(each for each in finding.frames if not 0 <= each < len(lines))
    stamps = [line.at_us for line in lines]
    moments = _moments(lines, evidence, finding.at_us)
    places = sorted([*evidence, *(bisect_left(stamps, at) for at in moments)])
    if not places:
        return Excerpt((), outside)
    window = range(max(0, places[0] - AROUND), min(len(lines), places[-1] + AROUND + 1))
    kept = set(ends(evidence, EVIDENCE_ROWS))
    beside = {place + near for place in ends(places, EVIDENCE_ROWS) for near in range(-NEAR, NEAR + 1)}
    beside.update((window.start, window.stop - 1))
    beside.update(news(lines, window, NEWS_ROWS.get(finding.verdict, NEWS_ROWS_OTHERWISE)))
    kept.update(beside.difference(evidence).intersection(window))
    return Excerpt(tuple(rows(lines, window, kept, set(evidence), moments)), outside)


def _moments(lines: Sequence[Line], evidence: Sequence[int], stamps: Sequence[int]) -> list[int]:
    """Stamps of the evidence that belong to none of its frames."""
    known = {lines[each].at_us for each in evidence}
    return sorted(ends(sorted(set(stamps) - known), EVIDENCE_ROWS))


def ends(places: Sequence[int], limit: int) -> Sequence[int]:
    """The first and the last of them where there are too many."""
    if len(places) <= limit:
        return places
    return [*places[: limit - limit // 3], *places[-(limit // 3) :]]


def news(lines: Sequence[Line], window: range, limit: int) -> list[int]:
    """Lines that do not repeat what came before: events, first ones of a name, and changes of state."""
    states: dict[tuple[object, ...], object] = {}
    found: list[int] = []
    for position in window:
        line = lines[position]
        kind = (line.name, line.sender, line.note if line.name == "TP.CM" else "")
        if not line.cyclic or states.get(kind) != line.state:
            found.append(position)
        states[kind] = line.state
    return list(ends(found, limit))


def rows(
    lines: Sequence[Line], window: range, kept: set[int], evidence: set[int], moments: Sequence[int]
) -> Iterator[Row]:
    """The kept lines with moments at their times and folds between; all indices are places in `lines`."""
    pending = list(moments)
    folded: list[int] = []
    for position in window:
        while pending and pending[0] <= lines[position].at_us:
            yield from _fold(lines, folded, evidence)
            yield Moment(pending.pop(0))
        if position not in kept:
            folded.append(position)
            continue
        yield from _fold(lines, folded, evidence)
        yield Shown(lines[position], _since(lines, position), position in evidence)
    yield from _fold(lines, folded, evidence)
    yield from map(Moment, pending)


def _fold(lines: Sequence[Line], folded: list[int], evidence: set[int]) -> Iterator[Row]:
    """Empties the list; too few lines are shown as they are."""
    if len(folded) < FOLDED_FROM:
        yield from (Shown(lines[each], _since(lines, each), each in evidence) for each in folded)
    else:
        names = Counter(lines[position].name for position in folded)
        yield Folded(len(folded), tuple(names.most_common()), len(evidence.intersection(folded)))
    folded.clear()


def _since(lines: Sequence[Line], position: int) -> int | None:
    line = lines[position]
    for index in range(position - 1, max(-1, position - NEARBY), -1):
        if lines[index].name == line.name and lines[index].sender is line.sender:
            return line.at_us - lines[index].at_us
    return None
