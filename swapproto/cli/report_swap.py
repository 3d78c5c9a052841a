"""A swap and its packs as text and as the objects that `swapproto decode --json` adds."""

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from swapproto.cli.report import message_table
from swapproto.cli.text import plural, printable, table
from swapproto.cli.values import fields, in_words, plain
from swapproto.frame import MICROSECOND
from swapproto.messages.pack_can.series import Heard, Series
from swapproto.messages.pack_can.snapshot import PackSnapshot
from swapproto.observe.findings import DeviationSum
from swapproto.observe.pack import PackStats, PackWatch, Stay
from swapproto.observe.survey import Survey
from swapproto.observe.swap import SwapSurvey
from swapproto.provenance import Source

_TOLD = ("state", "voltages", "extremes", "cell_maximum", "cell_minimum", "ratings", "counts")
"""Parts of a snapshot that the text shows whole."""
_SHOWN_MISSING = 6
_SHOWN_ALARMS = 10


def one_zero(survey: Survey, found: SwapSurvey, channel: str, origin_us: int) -> Survey:
    """The survey of a channel beside a swap: pack CAN is not foreign, and all times have one zero."""
    counts = {
        can_id: stats.count
        for watch in found.packs
        if watch.channel == channel
        for stats in watch.stats
        for can_id in stats.cls.identifiers()
    }
    return replace(
        survey,
        first_us=origin_us,
        foreign_frames=survey.foreign_frames - sum(counts.values()),
        foreign={key: count for key, count in survey.foreign.items() if key not in counts},
        foreign_identifiers=survey.foreign_identifiers - len(counts),
    )


def swap_text(found: SwapSurvey, origin_us: int, channel: str) -> Iterator[str]:
    """Steps, oddities and packs of all channels, and the pack's messages on the one that is shown."""
    yield "Swap, as far as the frames tell"
    if not found.steps:
        yield "  no step"
    else:
        rows = [
            (
                _seconds(step.at_us, origin_us),
                step.line,
                step.channel,
                step.kind.value,
                step.text,
                step.source,
            )
            for step in found.steps
        ]
        yield from table(("time s>", "line>", "channel", "step", "evidence", "basis"), rows)
    yield from _dropped(found, "steps")
    yield ""
    yield f"Odd about it: {len(found.oddities) or 'nothing'}"
    if found.oddities:
        odd_rows = [
            (
                _seconds(odd.first_us, origin_us), odd.first_line, odd.channel, odd.count,
                odd.kind.value, odd.text, odd.source,
            )
            for odd in found.oddities
        ]  # fmt: skip
        yield from table(("first s>", "line>", "channel", "count>", "what", "evidence", "basis"), odd_rows)
    yield from _dropped(found, "oddities")
    yield ""
    yield "Packs"
    for watch in found.packs:
        for stay in watch.stays:
            yield from _stay_text(watch, stay, origin_us)
        if not watch.stays:
            yield f"  {printable(watch.channel)}: the truck's frames, no pack's"
    yield from _dropped(found, "stays")
    for watch in found.packs:
        if watch.channel == channel:
            yield ""
            yield from _messages(watch, origin_us)
    yield ""


def swap_json(found: SwapSurvey, origin_us: int) -> dict[str, Any]:
    """The keys that a recording with pack CAN adds to the object."""
    return {
        "swap": {
            "steps": [
                {
                    "step": step.kind.value,
                    "time": _relative(step.at_us, origin_us),
                    "line": step.line,
                    "channel": printable(step.channel),
                    "evidence": printable(step.text),
                    "basis": _source(step.source),
                }
                for step in found.steps
            ],
            "oddities": [
                {
                    "kind": odd.kind.value,
                    "channel": printable(odd.channel),
                    "evidence": printable(odd.text),
                    "count": odd.count,
                    "time": _relative(odd.first_us, origin_us),
                    "line": odd.first_line,
                    "last_time": _relative(odd.last_us, origin_us),
                    "last_line": odd.last_line,
                    "basis": _source(odd.source),
                }
                for odd in found.oddities
            ],
            "dropped": found.dropped,
        },
        "packs": [
            {"channel": printable(watch.channel), **_stay(stay, origin_us)}
            for watch in found.packs
            for stay in watch.stays
        ],
        "pack_can": {
            printable(watch.channel): {
                "frames": watch.frames,
                "messages": {stats.cls.__name__: _stats(stats, origin_us) for stats in watch.stats},
                "deviations": [_deviation(each, origin_us) for each in watch.findings.deviations],
            }
            for watch in found.packs
        },
    }


def _stay_text(watch: PackWatch, stay: Stay, origin_us: int) -> Iterator[str]:
    snapshot = stay.assembly.snapshot()
    span = f"{_seconds(stay.start_us, origin_us)} to {_seconds(stay.end_us, origin_us)} s"
    yield f"  {printable(watch.channel)}, {span}, {plural(stay.frames, 'frame')} from line {stay.line}"
    code = snapshot.code
    maker = "" if code.maker is None or not code.maker.given else f", maker {code.maker.label}"
    yield f"    code {printable(code.text)}{maker}" if code.text is not None else "    code not heard whole"
    if snapshot.vin.text is not None:
        yield f"    in the truck {printable(snapshot.vin.text)}"
    for name in _TOLD:
        heard: Heard[Any] | None = getattr(snapshot, name)
        if heard is not None:
            yield f"    {heard.message.title}: {in_words(heard.message)}"
    yield from _contactors(snapshot)
    yield from _series("cells", "V", snapshot.cells)
    yield from _series("temperatures", "degC", snapshot.temperatures)
    yield from _alarms(snapshot)
    if snapshot.missing:
        more = len(snapshot.missing) - _SHOWN_MISSING
        shown = "; ".join(snapshot.missing[:_SHOWN_MISSING])
        yield f"    missing: {shown}{f'; and {more} more' if more > 0 else ''}"


def _contactors(snapshot: PackSnapshot) -> Iterator[str]:
    if snapshot.closed is not None:
        yield f"    contactors closed: {', '.join(snapshot.closed) or 'none'}"
    if snapshot.work is not None:
        work = snapshot.work.message
        yield (
            f"    work state: {work.work_state.label}; charge: {work.charge_state.label}; "
            f"charge signal of a swap station: {work.swap_charging.label}"
        )


def _series(name: str, unit: str, series: Series) -> Iterator[str]:
    if series.samples:
        expected = "" if series.expected is None else f" of {series.expected}"
        span = f"{min(series.values)} to {max(series.values)} {unit}"
        yield f"    {name}: {len(series.samples)}{expected}, {span}"


def _alarms(snapshot: PackSnapshot) -> Iterator[str]:
    if not snapshot.alarms:
        return
    shown = [
        alarm.name.replace("_", " ") + ("" if alarm.level is None else f" level {alarm.level}")
        for alarm in snapshot.alarms[:_SHOWN_ALARMS]
    ]
    more = len(snapshot.alarms) - len(shown)
    yield f"    alarms: {', '.join(shown)}{f' and {more} more' if more > 0 else ''}"


def _messages(watch: PackWatch, origin_us: int) -> Iterator[str]:
    yield f"Messages of the pack CAN on {printable(watch.channel)}"
    yield from message_table(watch.stats)
    deviations = watch.findings.deviations
    yield f"  departures from their layouts: {len(deviations) or 'none'}"
    if deviations:
        yield from table(
            ("first s>", "line>", "message", "where", "count>", "example"),
            [
                (
                    _seconds(each.first_us, origin_us), each.first_line, each.message,
                    each.field or "payload", each.count, each.example,
                )
                for each in deviations
            ],
        )  # fmt: skip


def _dropped(found: SwapSurvey, kind: str) -> Iterator[str]:
    if kind in found.dropped:
        yield f"  and {found.dropped[kind]} more that did not fit in this list"


def _stay(stay: Stay, origin_us: int) -> dict[str, Any]:
    snapshot = stay.assembly.snapshot()
    code = snapshot.code
    single = [getattr(snapshot, name) for name in snapshot.__struct_fields__]
    heard: list[Heard[Any]] = [each for each in single if isinstance(each, Heard)]
    heard += snapshot.energy
    return {
        "start": _relative(stay.start_us, origin_us),
        "end": _relative(stay.end_us, origin_us),
        "line": stay.line,
        "frames": stay.frames,
        "code": plain(code.text),
        "maker": None if code.maker is None else plain(code.maker),
        "vin": plain(snapshot.vin.text),
        "cells": _series_object(snapshot.cells),
        "temperatures": _series_object(snapshot.temperatures),
        "messages": {type(each.message).__name__: _heard(each, origin_us) for each in heard},
        "coolant": [_heard(each, origin_us) for each in snapshot.coolant],
        "packs": [_heard(each, origin_us) for each in snapshot.packs],
        "alarms": [
            {"message": alarm.message, "name": alarm.name, "level": alarm.level} for alarm in snapshot.alarms
        ],
        "missing": list(snapshot.missing),
    }


def _series_object(series: Series) -> dict[str, Any]:
    return {"expected": series.expected, "complete": series.complete, "values": list(series.values)}


def _heard(heard: Heard[Any], origin_us: int) -> dict[str, Any]:
    return {"time": _relative(heard.at // MICROSECOND, origin_us), "fields": fields(heard.message)}


def _stats(stats: PackStats, origin_us: int) -> dict[str, Any]:
    return {
        "sender": stats.sender.label,
        "count": stats.count,
        "unreadable": stats.unreadable,
        "first": _relative(stats.first_us, origin_us),
        "last": _relative(stats.last_us, origin_us),
        "nominal_ms": stats.cls.period_ms,
        "period_ms": {
            "median": None if stats.median_us is None else stats.median_us / 1000,
            "min": None if stats.min_us is None else stats.min_us / 1000,
            "max": None if stats.max_us is None else stats.max_us / 1000,
            "intervals": stats.intervals,
        },
    }


def _deviation(each: DeviationSum, origin_us: int) -> dict[str, Any]:
    return {
        "message": each.message,
        "field": each.field,
        "byte": each.byte,
        "kind": "unreadable" if each.kind is None else each.kind.value,
        "count": each.count,
        "time": _relative(each.first_us, origin_us),
        "line": each.first_line,
        "example": printable(each.example),
    }


def _source(source: Source) -> dict[str, Any]:
    return {"at": source.at, "basis": source.basis.value, "witnesses": source.witnesses}


def _relative(at_us: int, origin_us: int) -> float:
    return (at_us - origin_us) / 1_000_000


def _seconds(at_us: int, origin_us: int) -> str:
    return f"{_relative(at_us, origin_us):.3f}"
