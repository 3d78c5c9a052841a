"""Departures from time: measured periods against the nominal ones, and silences beyond the timers."""

from array import array
from statistics import median

import msgspec

from swapproto.frame import MICROSECOND
from swapproto.messages import gbt27930 as gb
from swapproto.messages.gbt27930 import timers
from swapproto.messages.gbt27930.timers import Timer, period_tolerance
from swapproto.observe.dialogue import TimedMessage
from swapproto.observe.findings import Findings, ViolationKind
from swapproto.observe.phases import PhaseSpan, PhaseTracker

FEWEST_INTERVALS = 5
"""Below it a median says nothing [assumed]."""
STEPS_PER_TOLERANCE = 2
"""A period is judged where the tolerance is at least so many steps of the stamps [assumed]."""
_TIMERS = {
    gb.BCL.pgn: timers.BCL_AT_CHARGER,
    gb.CCS.pgn: timers.CCS_AT_BMS,
    gb.BCS.pgn: timers.BCS_AT_CHARGER,
    gb.BRM.pgn: timers.BRM_AT_CHARGER,
    gb.BCP.pgn: timers.BCP_AT_CHARGER,
}
_KEEP_COMING = (gb.BCL, gb.BCS, gb.BSM, gb.CCS)
"""What must not fall silent while the pack is charged."""


class MessageStats(msgspec.Struct):
    """How often a message was heard and in which period; the intervals are those within one attempt."""

    cls: type[gb.ChargingMessage]
    sender: gb.Party
    count: int = 0
    unreadable: int = 0
    first_us: int = 0
    first_line: int = 0
    last_us: int = 0
    last_line: int = 0
    intervals: int = 0
    median_us: float | None = None
    min_us: int | None = None
    max_us: int | None = None


class Timing(msgspec.Struct, frozen=True):
    """Whether periods can be judged from the stamps, and why not."""

    resolution_us: int | None
    judgeable: bool
    """Whether the stamps are fine enough for every message that was heard with a period."""
    not_judged: tuple[str, ...]
    """Messages whose tolerance the stamps cannot resolve."""
    reason: str


class _Series:
    """The starts of one message, as intervals of eight bytes each."""

    __slots__ = ("attempt", "intervals", "span", "started", "stats")

    def __init__(self, stats: MessageStats) -> None:
        self.stats = stats
        self.intervals = array("q")
        self.started = 0
        self.attempt = -1
        self.span: PhaseSpan | None = None


class TimingCheck:
    """Fed with every message after the tracker has seen it; period findings come with finish()."""

    def __init__(self, phases: PhaseTracker, findings: Findings, resolution_us: int | None) -> None:
        self._phases = phases
        self._findings = findings
        self._resolution_us = resolution_us
        self._step = resolution_us or 0
        self._series: dict[tuple[int, bool], _Series] = {}
        self._charging: PhaseSpan | None = None

    @property
    def stats(self) -> list[MessageStats]:
        """In the order of the first message of each kind."""
        return [series.stats for series in self._series.values()]

    def receive(self, heard: TimedMessage) -> None:
        phases = self._phases
        span = phases.current
        if self._charging is not None and span is not self._charging:
            self._close_charging()
        if span is not None and span.phase is gb.Phase.CHARGING:
            self._charging = span
        key = (heard.cls.pgn, heard.sender is gb.Party.BMS)
        series = self._series.get(key)
        if series is None:
            stats = MessageStats(heard.cls, heard.sender, first_us=heard.at_us, first_line=heard.line)
            series = self._series[key] = _Series(stats)
        started = heard.started_us
        if series.attempt == phases.attempt and started >= series.started:
            interval = started - series.started
            series.intervals.append(interval)
            if series.span is span and span is not None and span.phase is heard.cls.phase:
                self._gap(series, heard, interval)
        series.started, series.attempt, series.span = started, phases.attempt, span
        stats = series.stats
        stats.count += 1
        stats.unreadable += heard.message is None
        stats.last_us, stats.last_line = heard.at_us, heard.line

    def finish(self) -> Timing:
        """Judge what needs the whole recording."""
        if self._charging is not None:
            self._close_charging()
        not_judged: list[str] = []
        finest = 0
        for series in self._series.values():
            stats, intervals = series.stats, series.intervals
            stats.intervals = len(intervals)
            if not intervals:
                continue
            stats.median_us, stats.min_us, stats.max_us = median(intervals), min(intervals), max(intervals)
            if stats.cls.period_ms is None:
                continue
            nominal = stats.cls.period_ms * 1000
            tolerance = period_tolerance(stats.cls.__name__, nominal * MICROSECOND)
            allowed = tolerance.value // MICROSECOND
            if self._resolution_us is None or self._step * STEPS_PER_TOLERANCE > allowed:
                not_judged.append(stats.cls.__name__)
                finest = min(finest or allowed, allowed)
            elif len(intervals) >= FEWEST_INTERVALS and abs(stats.median_us - nominal) > allowed:
                text = f"median {_ms(stats.median_us)}, nominal {_ms(nominal)} +/- {_ms(allowed)}"
                self._findings.violation(
                    ViolationKind.PERIOD,
                    stats.cls.__name__,
                    text,
                    tolerance.source,
                    at_us=stats.first_us,
                    line=stats.first_line,
                )
        return self._timing(not_judged, finest)

    def _timing(self, not_judged: list[str], finest: int) -> Timing:
        if self._resolution_us is None:
            return Timing(None, False, tuple(not_judged), "no two stamps differ")
        step = f"stamps come in steps of {_ms(self._step)}"
        if not not_judged:
            return Timing(self._resolution_us, True, (), step)
        reason = f"{step}, too coarse for a tolerance of {_ms(finest)}"
        return Timing(self._resolution_us, False, tuple(not_judged), reason)

    def _gap(self, series: _Series, heard: TimedMessage, interval: int) -> None:
        cls = heard.cls
        if cls.optional:
            return
        timer = _timer(cls)
        if interval - self._step > timer.value // MICROSECOND:
            self._silence(cls, timer, interval, series.stats.last_us, series.stats.last_line)

    def _close_charging(self) -> None:
        """What had fallen silent when the charge ended, by the parties that were heard at all."""
        span = self._charging
        self._charging = None
        assert span is not None
        senders = {series.stats.sender for series in self._series.values()}
        for cls in _KEEP_COMING:
            if cls.sender not in senders:
                continue
            series = self._series.get((cls.pgn, cls.sender is gb.Party.BMS))
            timer = _timer(cls)
            since, line = span.start_us, span.line
            if series is not None and series.attempt == span.attempt and series.started >= since:
                since, line = series.started, series.stats.last_line
            silent = span.end_us - since
            if silent - self._step > timer.value // MICROSECOND:
                self._silence(cls, timer, silent, since, line)

    def _silence(
        self, cls: type[gb.ChargingMessage], timer: Timer, silent: int, since: int, line: int
    ) -> None:
        text = f"silent for longer than {_ms(timer.value // MICROSECOND)} ({timer.name})"
        self._findings.violation(
            ViolationKind.SILENCE,
            cls.__name__,
            text,
            timer.source,
            at_us=since,
            line=line,
            measured_us=silent,
        )


def _timer(cls: type[gb.ChargingMessage]) -> Timer:
    return _TIMERS.get(cls.pgn, timers.RECEIVE)


def _ms(microseconds: float) -> str:
    return f"{microseconds / 1000:g} ms"
