"""Periods of cyclic messages and how late each is, in memory that does not grow with time."""

from collections import deque
from collections.abc import Hashable
from statistics import median

import msgspec

from swapproto.frame import MICROSECOND
from swapproto.messages.gbt27930.timers import period_tolerance
from swapproto.observe.timing import STEPS_PER_TOLERANCE

WINDOW = 64
"""Intervals of which the median is taken: the last ones."""


class Period(msgspec.Struct, frozen=True):
    """One message; times in microseconds."""

    name: str
    sender: str
    count: int
    unreadable: int
    age: int
    nominal: int | None
    """None for a message that has no period, or comes in parts."""
    last: int | None
    median: float | None
    shortest: int | None
    longest: int | None
    late: int | None
    """Intervals longer than the nominal one and its tolerance; None where the stamps cannot tell."""
    overdue: int | None
    """How late the next one is by now, where it is and has to keep coming."""


class Rhythm(msgspec.Struct, frozen=True):
    """What a message is held against."""

    name: str
    sender: str
    nominal: int | None


class _Series(msgspec.Struct):
    rhythm: Rhythm
    tolerance: int
    group: Hashable = None
    started: int | None = None
    heard: int = 0
    count: int = 0
    unreadable: int = 0
    last: int | None = None
    shortest: int | None = None
    longest: int | None = None
    late: int = 0
    window: "deque[int]" = msgspec.field(default_factory=lambda: deque(maxlen=WINDOW))


class Periods:
    """Fed with every message; intervals count only within one group, such as a phase of a session."""

    def __init__(self, resolution: int, *, batched: bool) -> None:
        """The resolution of the stamps in microseconds; none of a port that batches tells a period."""
        self._resolution = resolution
        self._batched = batched
        self._series: dict[Hashable, _Series] = {}

    def heard(
        self, key: Hashable, rhythm: Rhythm, started: int, *, at: int, group: Hashable, readable: bool
    ) -> None:
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = _Series(rhythm, _tolerance(rhythm))
        if series.started is not None and series.group == group and started >= series.started:
            self._interval(series, started - series.started)
        series.group, series.started, series.heard = group, started, at
        series.count += 1
        series.unreadable += not readable

    def interrupt(self) -> None:
        """Frames may be missing: no interval reaches across."""
        for series in self._series.values():
            series.started = None

    def rows(self, now: int, coming: "frozenset[Hashable]") -> tuple[Period, ...]:
        """In the order of the first message of each kind; ``coming`` are those that may not stop now."""
        return tuple(self._row(series, now, due=key in coming) for key, series in self._series.items())

    @property
    def late(self) -> int | None:
        """Late intervals of all messages; None where none can be judged."""
        judged = [series.late for series in self._series.values() if self._judged(series)]
        return sum(judged) if judged else None

    def _interval(self, series: _Series, interval: int) -> None:
        series.last = interval
        series.window.append(interval)
        series.shortest = interval if series.shortest is None else min(series.shortest, interval)
        series.longest = interval if series.longest is None else max(series.longest, interval)
        nominal = series.rhythm.nominal
        series.late += nominal is not None and interval - nominal > series.tolerance

    def _judged(self, series: _Series) -> bool:
        """Whether the stamps are fine enough for the tolerance."""
        return (
            series.rhythm.nominal is not None
            and not self._batched
            and self._resolution * STEPS_PER_TOLERANCE <= series.tolerance
        )

    def _row(self, series: _Series, now: int, *, due: bool) -> Period:
        rhythm, judged = series.rhythm, self._judged(series)
        overdue = None
        if due and judged and rhythm.nominal is not None and series.started is not None:
            behind = now - series.started - rhythm.nominal
            overdue = behind if behind > series.tolerance else None
        return Period(
            rhythm.name,
            rhythm.sender,
            series.count,
            series.unreadable,
            max(0, now - series.heard),
            rhythm.nominal,
            series.last,
            median(series.window) if series.window else None,
            series.shortest,
            series.longest,
            series.late if judged else None,
            overdue,
        )


def _tolerance(rhythm: Rhythm) -> int:
    if rhythm.nominal is None:
        return 0
    return period_tolerance(rhythm.name, rhythm.nominal * MICROSECOND).value // MICROSECOND
