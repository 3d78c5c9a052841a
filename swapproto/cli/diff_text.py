"""A comparison as text and as the object that `swapproto diff --json` prints."""

from collections.abc import Iterator, Sequence
from typing import Any

from swapproto.cli.diff_source import Recorded
from swapproto.cli.text import plural, printable, table
from swapproto.observe.compare import Comparison
from swapproto.observe.compare_align import Difference
from swapproto.observe.compare_profile import Place, Profile

SHOWN_EARLIER = 5


def as_text(comparison: Comparison, good: Recorded, bad: Recorded) -> Iterator[str]:
    """The report, line by line, without colour."""
    yield f"GOOD  {_about(good, comparison.good)}"
    yield f"BAD   {_about(bad, comparison.bad)}"
    for note in notes(comparison, good, bad):
        yield f"  note: {printable(note)}"
    yield ""
    first = comparison.first
    if first is None:
        yield "No difference."
        return
    yield f"First difference that matters: {printable(first.text)}"
    yield f"  phase  {first.phase.value if first.phase is not None else '-'}"
    yield f"  GOOD   {_side(first.good, first.good_place)}"
    yield f"  BAD    {_side(first.bad, first.bad_place)}"
    if before := earlier(comparison):
        yield f"  Lesser differences lie before it: {printable(before)}"
    rest = comparison.differences[1:]
    yield ""
    yield f"The rest: {plural(len(rest), 'difference') if rest else 'none'}"
    if rest:
        yield from _table(rest)


def _about(recording: Recorded, side: Profile) -> str:
    span = (side.survey.last_us - side.survey.first_us) / 1_000_000
    where = f" on {printable(recording.channel)}" if recording.channel else ""
    edition = side.survey.recognition.edition.value
    frames = plural(side.survey.frames, "frame")
    return f"{printable(recording.file)}: {frames}{where} in {span:.3f} s, edition {edition}"


def notes(comparison: Comparison, good: Recorded, bad: Recorded) -> Iterator[str]:
    """What is odd about the files, and what could not be compared."""
    yield from (f"GOOD: {note}" for note in good.notes)
    yield from (f"BAD: {note}" for note in bad.notes)
    yield from comparison.notes


def earlier(comparison: Comparison) -> str:
    """The subjects of the lesser differences before the first one, the first few by name."""
    subjects = list(dict.fromkeys(each.subject for each in comparison.earlier))
    more = len(subjects) - SHOWN_EARLIER
    return ", ".join(subjects[:SHOWN_EARLIER]) + (f" and {more} more" if more > 0 else "")


def _side(what: str, place: Place | None) -> str:
    return printable(what) if place is None else f"{printable(what)}  ({_where(place)})"


def _where(place: Place) -> str:
    return f"{seconds(place)} s, line {place.line}"


def _table(differences: Sequence[Difference]) -> Iterator[str]:
    rows = [
        (
            each.kind.value,
            each.text,
            each.good,
            each.bad,
            *(value for place in (each.good_place, each.bad_place) for value in _cells(place)),
        )
        for each in differences
    ]
    header = ("kind", "what", "GOOD", "BAD", "GOOD s>", "line>", "BAD s>", "line>")
    yield from table(header, rows)


def _cells(place: Place | None) -> tuple[str, str]:
    return ("-", "-") if place is None else (seconds(place), str(place.line))


def seconds(place: Place) -> str:
    """The instant as people read it."""
    return f"{place.at_us / 1_000_000:.3f}"


def as_json(comparison: Comparison, good: Recorded, bad: Recorded) -> dict[str, Any]:
    """The same as one object; times in seconds from the first frame of each recording."""
    found = [_object(each) for each in comparison.differences]
    return {
        "good": _recording(good, comparison.good),
        "bad": _recording(bad, comparison.bad),
        "equal": not found,
        "first": found[0] if found else None,
        "differences": found,
        "earlier": [each.subject for each in comparison.earlier],
        "notes": list(notes(comparison, good, bad)),
        "steps": [
            {
                "attempt": row.attempt,
                "phase": row.phase.value,
                "step": row.label,
                "mark": row.mark.value,
                "good": None if row.good is None else _place(row.good.first),
                "bad": None if row.bad is None else _place(row.bad.first),
            }
            for row in comparison.rows
        ],
    }


def _recording(recording: Recorded, side: Profile) -> dict[str, Any]:
    survey = side.survey
    return {
        "file": recording.file,
        "channel": recording.channel,
        "edition": survey.recognition.edition.value,
        "frames": survey.frames,
        "duration_s": (survey.last_us - survey.first_us) / 1_000_000,
        "skipped_lines": recording.skipped_lines,
    }


def _object(each: Difference) -> dict[str, Any]:
    return {
        "kind": each.kind.value,
        "weight": each.weight.name.lower(),
        "subject": each.subject,
        "phase": None if each.phase is None else each.phase.value,
        "attempt": each.attempt,
        "text": each.text,
        "good": {"has": each.good} | _place(each.good_place),
        "bad": {"has": each.bad} | _place(each.bad_place),
    }


def _place(place: Place | None) -> dict[str, Any]:
    if place is None:
        return {"time_s": None, "line": None}
    return {"time_s": place.at_us / 1_000_000, "line": place.line}
