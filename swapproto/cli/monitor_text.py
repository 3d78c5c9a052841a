"""What a monitor shows as text: sections of short rows, one line a second, a summary at the end."""

from collections.abc import Iterator

import msgspec

from swapproto.cli.monitor_charge import Extreme, Reading
from swapproto.cli.monitor_notes import Note
from swapproto.cli.monitor_periods import Period
from swapproto.cli.monitor_state import MonitorSnapshot
from swapproto.cli.text import plural, printable, table
from swapproto.frame import MICROSECOND, MILLISECOND, SECOND, Instant

FRESH: Instant = 2 * SECOND
"""Older values are shown with their age, and on no line of plain text."""
_ALARMS = 8


class Row(msgspec.Struct, frozen=True):
    """Cells of a table; an alarming row says in words why, too."""

    cells: tuple[str, ...]
    alarming: bool = False
    stale: bool = False


class Section(msgspec.Struct, frozen=True):
    """A table with a heading; a column whose heading ends in ``>`` stands to the right."""

    title: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    least: int = 2
    """Rows that it keeps where there is no room for all."""
    last: bool = False
    """Whether the last rows matter most then; else those that alarm, and the first."""


def heading(shown: MonitorSnapshot) -> str:
    """The port, how it is opened, and how full the bus is."""
    caps, load = shown.caps, shown.load
    rate = "bit rate unknown" if caps.bitrate is None else f"{caps.bitrate / 1000:g} kbit/s"
    listening = "listens only" if caps.listen_only else "is no listen-only port"
    stamps = f"stamps: {caps.stamp_source}" + (", in batches" if caps.batched else "")
    return printable(
        f"{caps.name}, {rate}, {listening}, {stamps}; {shown.elapsed / SECOND:.1f} s, "
        f"{plural(shown.frames, 'frame')}, {load.frames_per_second:.0f} frames/s, {load_words(shown)}"
    )


def load_words(shown: MonitorSnapshot) -> str:
    """The load of the last second, the highest and the mean one; the traffic where the rate is unknown."""
    load = shown.load
    if load.share is None or load.peak is None or load.average is None:
        return f"{load.bits_per_second / 1000:.1f} kbit/s"
    return f"load {load.share:.1%} (highest {load.peak:.1%}, mean {load.average:.1%})"


def sections(shown: MonitorSnapshot) -> tuple[Section, ...]:
    """Everything but the heading, the most important first."""
    return (
        Section("Session", ("", ""), tuple(_session(shown))),
        Section(
            "Measured",
            ("what", "voltage V>", "current A>", "SOC %>", "message", "age s>"),
            tuple(_reading(each, shown.at) for each in shown.readings),
        ),
        Section(
            "Extremes",
            ("of", "highest>", "where", "lowest>", "where", "unit", "message", "age s>"),
            tuple(_extreme(each, shown.at) for each in shown.extremes),
        ),
        Section("Alarms", ("",), tuple(_alarms(shown))),
        Section(
            "Messages",
            (
                "message", "sender", "count>", "nominal ms>", "last ms>", "median ms>", "shortest>",
                "longest>", "late>", "age s>", "",
            ),
            tuple(_period(each) for each in shown.periods),
            least=6,
        ),
        Section(
            "Deviations and violations",
            ("first s>", "count>", "what", "example"),
            tuple(_findings(shown)),
            least=4,
        ),
        Section(
            "Events",
            ("time s>", "times>", "what"),
            tuple(_note(each, shown.began) for each in shown.notes),
            least=6,
            last=True,
        ),
    )  # fmt: skip


def line(shown: MonitorSnapshot) -> str:
    """One line for a log; the time stands in front of it."""
    voltage, current, soc = _main(shown)
    phase = "in error" if shown.in_error else shown.phase or "-"
    parts = [
        f"{phase:<15} {voltage:>6} V {current:>7} A  SOC {soc:>5} %",
        f"{shown.load.frames_per_second:4.0f} frames/s",
        load_words(shown).partition(" (")[0],
    ]
    parts += [f"{shown.late} late"] if shown.late is not None else []
    parts += [f"{plural(len(shown.alarms), 'alarm')}"] if shown.alarms else []
    overdue = [each.name for each in shown.periods if each.overdue is not None]
    parts += [f"overdue: {' '.join(overdue)}"] if overdue else []
    return printable("  ".join(parts))


def note_line(note: Note, began: Instant) -> str:
    times = f" ({note.times} times)" if note.times > 1 else ""
    return printable(f"{_since(note.at, began):>10} s  {note.text}{times}")


def summary(shown: MonitorSnapshot) -> Iterator[str]:
    """What was seen in all, for after the end."""
    yield heading(shown)
    for section in sections(shown):
        if section.rows and section.title != "Events":
            yield section.title
            if any(section.header):
                yield from table(section.header, [row.cells for row in section.rows])
            else:
                yield from (f"  {' '.join(map(printable, row.cells)).rstrip()}" for row in section.rows)


def _session(shown: MonitorSnapshot) -> Iterator[Row]:
    partners = [f"{each.name} {each.address:02X}h{_age_words(shown.at - each.at)}" for each in shown.partners]
    yield Row(("parties", ", ".join(partners) or "none heard"))
    phase = shown.phase or "none"
    if shown.attempt > 1:
        phase += f", attempt {shown.attempt}"
    yield Row(("phase", phase + (", in error" if shown.in_error else "")), shown.in_error)
    yield Row(("edition", shown.edition))
    for name, text in shown.facts:
        yield Row((name, text))
    if shown.foreign:
        yield Row(("foreign", plural(shown.foreign, "frame")))
    if shown.lost_transfers:
        yield Row(("transfers lost", str(shown.lost_transfers)), alarming=True)
    if shown.link_events:
        told = ", ".join(f"{kind.value} {count}" for kind, count in shown.link_events.items())
        yield Row(("link", told), alarming=True)


def _reading(each: Reading, now: Instant) -> Row:
    cells = (
        each.of, _number(each.voltage), _number(each.current), _number(each.soc), each.source,
        f"{(now - each.at) / SECOND:.1f}",
    )  # fmt: skip
    return Row(cells, stale=now - each.at > FRESH)


def _extreme(each: Extreme, now: Instant) -> Row:
    digits = 3 if each.unit == "V" else 0
    cells = (
        each.of, _number(each.highest, digits), each.highest_at or "-", _number(each.lowest, digits),
        each.lowest_at or "-", each.unit, each.source, f"{(now - each.at) / SECOND:.1f}",
    )  # fmt: skip
    return Row(cells, stale=now - each.at > FRESH)


def _alarms(shown: MonitorSnapshot) -> Iterator[Row]:
    for text in shown.alarms[:_ALARMS]:
        yield Row((text,), alarming=True)
    if len(shown.alarms) > _ALARMS:
        yield Row((f"and {len(shown.alarms) - _ALARMS} more",), alarming=True)


def _period(each: Period) -> Row:
    remarks = [f"overdue by {each.overdue / 1000:.0f} ms"] if each.overdue is not None else []
    remarks += [f"{each.unreadable} unreadable"] if each.unreadable else []
    cells = (
        each.name, each.sender, str(each.count), _ms(each.nominal, 0), _ms(each.last), _ms(each.median),
        _ms(each.shortest), _ms(each.longest), "-" if each.late is None else str(each.late),
        f"{each.age * MICROSECOND / SECOND:.1f}", ", ".join(remarks),
    )  # fmt: skip
    return Row(cells, alarming=bool(remarks), stale=each.age * MICROSECOND > 5 * FRESH)


def _findings(shown: MonitorSnapshot) -> Iterator[Row]:
    rows = [
        (
            each.first_us,
            each.count,
            f"{each.message}{'' if each.field is None else '.' + each.field}: "
            + ("unreadable" if each.kind is None else each.kind.value),
            each.example,
        )
        for each in shown.deviations
    ]
    rows += [
        (
            each.first_us,
            each.count,
            f"{each.kind.value}{'' if each.message is None else ' of ' + each.message}",
            each.text,
        )
        for each in shown.violations
    ]
    for first_us, count, what, example in sorted(rows, reverse=True):
        yield Row((_since(first_us * MICROSECOND, shown.began), str(count), what, example), alarming=True)
    if shown.dropped:
        yield Row(("", str(shown.dropped), "more, of kinds that did not fit in this list", ""), alarming=True)


def _note(note: Note, began: Instant) -> Row:
    cells = (_since(note.at, began), str(note.times) if note.times > 1 else "", note.text)
    return Row(cells, note.alarming)


def _main(shown: MonitorSnapshot) -> tuple[str, str, str]:
    """Voltage, current and state of charge of the first message that has them and is fresh."""
    fresh = [each for each in shown.readings if shown.at - each.at <= FRESH]

    def first(name: str) -> str:
        values = (getattr(each, name) for each in fresh)
        return _number(next((value for value in values if value is not None), None))

    return first("voltage"), first("current"), first("soc")


def _number(value: float | None, digits: int = 1) -> str:
    return "-" if value is None else f"{value + 0.0:.{digits}f}"


def _ms(microseconds: float | None, digits: int = 1) -> str:
    return "-" if microseconds is None else f"{microseconds * MICROSECOND / MILLISECOND:.{digits}f}"


def _since(at: Instant, began: Instant) -> str:
    """Seconds; what was on the way when the watch began counts as its begin."""
    return f"{max(0, at - began) / SECOND:.2f}"


def _age_words(age: Instant) -> str:
    return "" if age <= FRESH else f" (silent for {age / SECOND:.0f} s)"
