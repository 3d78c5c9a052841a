"""A survey of a recording as text and as the object that `swapproto decode --json` prints."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Union

from swapproto.cli.text import plural, printable, table
from swapproto.cli.values import fields, in_words
from swapproto.messages.gbt27930 import Party
from swapproto.observe.findings import DeviationSum, Violation
from swapproto.observe.survey import LostTransfer, Survey
from swapproto.observe.timing import MessageStats
from swapproto.provenance import Source
from swapproto.trace.reader import RecordReader

if TYPE_CHECKING:  # its message classes take a while to be made
    from swapproto.observe.pack import PackStats

SHOWN_SKIPPED = 10
SHOWN_FOREIGN = 10
SHOWN_TRANSFERS = 10
SHOWN_EXTENSIONS = 5
EXTENDED = "GB/T 27930 with a maker's station extensions"


def as_text(
    survey: Survey,
    reader: RecordReader,
    file: str,
    channel: str,
    others: dict[str, int],
    more: Iterable[str] = (),
) -> Iterator[str]:
    """The report, line by line, without colour and in ASCII as far as the file's name allows.

    More sections, where there are any, come before those of the dialogue.
    """
    yield printable(file)
    yield from (f"  {line}" for line in _about(survey, reader, channel, others))
    yield ""
    yield from more
    if survey.extended:
        yield f"Family: {EXTENDED}"
        yield from _extensions(survey)
        yield ""
    yield f"Edition: {survey.recognition.edition.value}"
    yield from _evidence(survey)
    yield ""
    yield "Parties"
    yield from _parties(survey)
    yield ""
    yield "Phases"
    yield from _phases(survey)
    yield ""
    yield "Messages"
    yield from _messages(survey)
    yield ""
    yield from _transfers(survey)
    yield ""
    yield from _deviations(survey)
    yield ""
    yield from _violations(survey)
    yield from _skipped(reader)
    yield from _foreign(survey)


def _about(survey: Survey, reader: RecordReader, channel: str, others: dict[str, int]) -> Iterator[str]:
    where = f" on {printable(channel)}" if channel else ""
    span = (survey.last_us - survey.first_us) / 1_000_000
    yield (
        f"{plural(survey.frames, 'frame')}{where} in {span:.3f} s, {survey.foreign_frames} of them foreign, "
        f"{plural(reader.skipped_lines, 'line')} skipped"
    )
    if survey.frames:
        yield f"first frame stamped {_stamp(survey.first_us)}"
    for kind, count in reader.other_frames.items():
        yield f"{plural(count, f'{kind} frame')} left aside"
    for name, count in others.items():
        shown = printable(name)
        yield f"{plural(count, 'frame')} on {shown} not shown; --channel {shown} shows them"
    yield from reader.notes


def _extensions(survey: Survey) -> Iterator[str]:
    heard = survey.recognition.extensions
    if heard is None:
        yield "  none of the extensions was heard"
        return
    names = ", ".join(heard.names[:SHOWN_EXTENSIONS])
    more = len(heard.names) - SHOWN_EXTENSIONS
    yield f"  {names}{f' and {more} more' if more > 0 else ''}"
    yield f"  {plural(heard.frames, 'frame')}, the first in line {heard.line}"
    yield f"  basis: {heard.source}"


def _evidence(survey: Survey) -> Iterator[str]:
    if not survey.recognition.evidence:
        yield "  no message heard that differs between editions"
        return
    rows = [
        (
            each.text,
            each.speaks_for.value if each.speaks_for is not None else "decides nothing",
            each.frames,
            each.line,
            each.source,
        )
        for each in survey.recognition.evidence
    ]
    yield from table(("evidence", "speaks for", "seen>", "line>", "basis"), rows)


def _parties(survey: Survey) -> Iterator[str]:
    if not survey.parties:
        yield "  none of the family was heard"
    for party in survey.parties:
        count = sum(stats.count for stats in survey.messages if stats.sender is party)
        yield f"  {party.label}, address {party.value:02X}h, {plural(count, 'message')}"
        for name, heard in survey.introductions.items():
            if heard.sender is party:
                yield f"    {name}: {in_words(heard.message)}"


def _phases(survey: Survey) -> Iterator[str]:
    if not survey.phases:
        yield "  none"
        return
    rows = [
        (span.phase.value, _seconds(survey, span.start_us), _seconds(survey, span.end_us), span.line)
        for span in survey.phases
    ]
    yield from table(("phase", "start s>", "end s>", "line>"), rows)


def _messages(survey: Survey) -> Iterator[str]:
    if not survey.messages:
        yield "  none"
        return
    yield from message_table(survey.messages)
    timing = survey.timing
    if timing.judgeable:
        yield f"  timing: {timing.reason}"
    else:
        yield f"  timing cannot be judged: {timing.reason}"
        if timing.not_judged:
            yield f"  periods not judged: {', '.join(timing.not_judged)}"


def message_table(every: Iterable[Union[MessageStats, "PackStats"]]) -> Iterator[str]:
    """How often and how regularly each message was heard."""
    rows = [
        (
            stats.cls.__name__,
            stats.sender.label,
            stats.count,
            *(_ms(value) for value in (stats.median_us, stats.min_us, stats.max_us)),
            "-" if stats.cls.period_ms is None else stats.cls.period_ms,
            f"{stats.unreadable} unreadable" if stats.unreadable else "",
        )
        for stats in every
    ]
    yield from table(("message", "sender", "count>", "median ms>", "min>", "max>", "nominal>", ""), rows)


def _transfers(survey: Survey) -> Iterator[str]:
    transfers = survey.transfers
    counts = (
        ("complete", transfers.complete),
        ("aborted", transfers.aborted),
        ("incomplete", transfers.incomplete),
    )
    yield "Transfers: " + ", ".join(f"{count} {name}" for name, count in counts)
    rows = [
        (
            _seconds(survey, lost.at_us),
            lost.line,
            _route(lost),
            lost.message or f"PGN {lost.pgn:04X}h",
            lost.reason,
        )
        for lost in transfers.lost[:SHOWN_TRANSFERS]
    ]
    if rows:
        yield from table(("start s>", "line>", "route", "message", "why"), rows)
    if (more := transfers.aborted + transfers.incomplete - len(rows)) > 0:
        yield f"  and {more} more"


def _route(lost: LostTransfer) -> str:
    return f"{lost.source:02X}h to {lost.destination:02X}h"


def _deviations(survey: Survey) -> Iterator[str]:
    yield f"Deviations: {len(survey.deviations) or 'none'}"
    if survey.deviations:
        rows = [
            (
                _seconds(survey, each.first_us),
                each.first_line,
                each.message,
                _place(each),
                each.count,
                each.example,
            )
            for each in survey.deviations
        ]
        yield from table(("first s>", "line>", "message", "where", "count>", "example"), rows)
    yield from _dropped(survey, "deviations")


def _place(deviation: DeviationSum) -> str:
    if deviation.field is not None:
        return deviation.field
    return "payload" if deviation.byte is None else f"byte {deviation.byte}"


def _violations(survey: Survey) -> Iterator[str]:
    yield f"Violations: {len(survey.violations) or 'none'}"
    if survey.violations:
        rows = [
            (
                _seconds(survey, each.first_us),
                each.first_line,
                each.kind.value,
                each.message or "TP",
                each.count,
                each.text if each.longest_us is None else f"{each.text}: {_ms(each.longest_us)} ms",
                each.source,
            )
            for each in survey.violations
        ]
        yield from table(("first s>", "line>", "kind", "message", "count>", "what", "basis"), rows)
    yield from _dropped(survey, "violations")


def _dropped(survey: Survey, kind: str) -> Iterator[str]:
    if kind in survey.dropped:
        yield f"  and {survey.dropped[kind]} more that did not fit in this list"


def _skipped(reader: RecordReader) -> Iterator[str]:
    if not reader.skipped:
        return
    yield ""
    yield f"Skipped lines: {reader.skipped_lines}"
    rows = [(each.line, each.reason, each.text) for each in reader.skipped[:SHOWN_SKIPPED]]
    yield from table(("line>", "why", "text"), rows)
    if (more := reader.skipped_lines - len(rows)) > 0:
        yield f"  and {more} more"


def _foreign(survey: Survey) -> Iterator[str]:
    if not survey.foreign_frames:
        return
    yield ""
    yield f"Foreign frames: {survey.foreign_frames}"
    shown = list(survey.foreign.items())[:SHOWN_FOREIGN]
    yield from table(("identifier>", "frames>"), [(_identifier(key), count) for key, count in shown])
    if (more := survey.foreign_identifiers - len(shown)) > 0:
        yield f"  and {plural(more, 'identifier')} more"


def as_json(
    survey: Survey, reader: RecordReader, file: str, channel: str, others: dict[str, int]
) -> dict[str, Any]:
    """The same as one object; times in seconds from the first frame, periods in milliseconds."""
    transfers = survey.transfers
    return {
        "file": file,
        "channel": channel,
        **_family(survey),
        "edition": survey.recognition.edition.value,
        "edition_evidence": [
            {
                "text": each.text,
                "speaks_for": None if each.speaks_for is None else each.speaks_for.value,
                "seen": each.frames,
                "line": each.line,
                "basis": _source(each.source),
            }
            for each in survey.recognition.evidence
        ],
        "frames": survey.frames,
        "first_stamp": _stamp(survey.first_us),
        "duration_s": (survey.last_us - survey.first_us) / 1_000_000,
        "skipped_lines": reader.skipped_lines,
        "skipped": [{"line": each.line, "reason": each.reason, "text": each.text} for each in reader.skipped],
        "other_frames": reader.other_frames,
        "other_channels": others,
        "notes": list(reader.notes),
        "foreign_frames": survey.foreign_frames,
        "foreign_identifiers": {_identifier(key): count for key, count in survey.foreign.items()},
        "parties": {party.label: _party(survey, party) for party in survey.parties},
        "phases": [
            {
                "name": span.phase.value,
                "start": _relative(survey, span.start_us),
                "end": _relative(survey, span.end_us),
                "line": span.line,
                "attempt": span.attempt,
            }
            for span in survey.phases
        ],
        "messages": _message_object(survey),
        "timing": {
            "resolution_ms": None
            if survey.timing.resolution_us is None
            else survey.timing.resolution_us / 1000,
            "judgeable": survey.timing.judgeable,
            "reason": survey.timing.reason,
            "not_judged": list(survey.timing.not_judged),
        },
        "transfers": {
            "complete": transfers.complete,
            "aborted": transfers.aborted,
            "incomplete": transfers.incomplete,
            "reasons": transfers.reasons,
            "lost": [_lost(survey, each) for each in transfers.lost],
        },
        "deviations": [_deviation(survey, each) for each in survey.deviations],
        "violations": [_violation(survey, each) for each in survey.violations],
        "dropped": survey.dropped,
    }


def _family(survey: Survey) -> dict[str, Any]:
    """The keys that extensions add."""
    if not survey.extended:
        return {}
    heard = survey.recognition.extensions
    found = None
    if heard is not None:
        found = {
            "messages": list(heard.names),
            "frames": heard.frames,
            "line": heard.line,
            "basis": _source(heard.source),
        }
    return {"family": EXTENDED, "extensions": found}


def _party(survey: Survey, party: Party) -> dict[str, Any]:
    return {
        "address": f"{party.value:02X}",
        "introductions": {
            name: fields(heard.message)
            for name, heard in survey.introductions.items()
            if heard.sender is party
        },
    }


def _message_object(survey: Survey) -> dict[str, Any]:
    """By name; a diagnosis message that both parties sent stands once for each."""
    found: dict[str, Any] = {}
    for stats in survey.messages:
        name = stats.cls.__name__
        found[name if name not in found else f"{name} ({stats.sender.label})"] = _stats(survey, stats)
    return found


def _stats(survey: Survey, stats: MessageStats) -> dict[str, Any]:
    return {
        "sender": stats.sender.label,
        "count": stats.count,
        "unreadable": stats.unreadable,
        "first": _relative(survey, stats.first_us),
        "last": _relative(survey, stats.last_us),
        "nominal_ms": stats.cls.period_ms,
        "period_ms": {
            "median": None if stats.median_us is None else stats.median_us / 1000,
            "min": None if stats.min_us is None else stats.min_us / 1000,
            "max": None if stats.max_us is None else stats.max_us / 1000,
            "intervals": stats.intervals,
        },
    }


def _lost(survey: Survey, lost: LostTransfer) -> dict[str, Any]:
    return {
        "start": _relative(survey, lost.at_us),
        "line": lost.line,
        "message": lost.message,
        "pgn": f"{lost.pgn:04X}",
        "source": f"{lost.source:02X}",
        "destination": f"{lost.destination:02X}",
        "reason": lost.reason,
    }


def _deviation(survey: Survey, deviation: DeviationSum) -> dict[str, Any]:
    return {
        "message": deviation.message,
        "field": deviation.field,
        "byte": deviation.byte,
        "kind": "unreadable" if deviation.kind is None else deviation.kind.value,
        "count": deviation.count,
        "time": _relative(survey, deviation.first_us),
        "line": deviation.first_line,
        "example": printable(deviation.example),
    }


def _violation(survey: Survey, violation: Violation) -> dict[str, Any]:
    return {
        "kind": violation.kind.value,
        "message": violation.message,
        "text": violation.text,
        "count": violation.count,
        "time": _relative(survey, violation.first_us),
        "line": violation.first_line,
        "last_time": _relative(survey, violation.last_us),
        "last_line": violation.last_line,
        "longest_ms": None if violation.longest_us is None else violation.longest_us / 1000,
        "basis": _source(violation.source),
    }


def _source(source: Source) -> dict[str, Any]:
    return {"at": source.at, "basis": source.basis.value, "witnesses": source.witnesses}


def _relative(survey: Survey, at_us: int) -> float:
    return (at_us - survey.first_us) / 1_000_000


def _seconds(survey: Survey, at_us: int) -> str:
    return f"{_relative(survey, at_us):.3f}"


def _stamp(at_us: int) -> str:
    return f"{at_us // 1_000_000}.{at_us % 1_000_000:06}"


def _ms(microseconds: float | None) -> str:
    return "-" if microseconds is None else f"{microseconds / 1000:.1f}"


def _identifier(key: int) -> str:
    return f"{key:08X}" if key >= 0 else f"{-1 - key:03X}"
