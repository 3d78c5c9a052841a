"""Interleaved timing: contenders take turns in short rounds, and only ratios within a round are compared."""

from collections.abc import Mapping, Sequence
from statistics import median, quantiles
from time import process_time
from timeit import Timer
from typing import Any, NamedTuple


class Action(NamedTuple):
    """A statement and the names that it uses."""

    statement: str
    names: dict[str, Any]


class Spread(NamedTuple):
    """A median between its quartiles, over the rounds."""

    low: float
    middle: float
    high: float

    def __str__(self) -> str:
        return f"{self.middle:5.1f} ({self.low:4.1f}-{self.high:4.1f})"


class Rounds:
    """Nanoseconds of CPU time by contender, one number a round."""

    def __init__(self, times: Mapping[str, list[float]]) -> None:
        self.times = times

    def ns(self, name: str) -> float:
        return median(self.times[name])

    def microseconds(self, name: str, parts: int = 1) -> Spread:
        """Of one part of what the contender does at a time."""
        return Spread(*quantiles([ns / 1000 / parts for ns in self.times[name]], n=4))

    def ratio(self, slow: str, fast: str) -> Spread:
        ratios = [peer / ours for peer, ours in zip(self.times[slow], self.times[fast], strict=True)]
        return Spread(*quantiles(ratios, n=4))


def interleave(actions: Mapping[str, Action], rounds: int, seconds: float, trial: int = 50) -> Rounds:
    """Run every action in each round, for about so many seconds at a time; a trial says how often that is."""
    timers = {name: Timer(a.statement, timer=process_time, globals=a.names) for name, a in actions.items()}
    loops = {name: max(1, round(seconds / (timer.timeit(trial) / trial))) for name, timer in timers.items()}
    times: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(rounds):
        for name, timer in timers.items():
            times[name].append(timer.timeit(loops[name]) / loops[name] * 1e9)
    return Rounds(times)


def conclude(missed: Sequence[str], check: bool) -> int:
    """Say which targets were missed; the exit code."""
    print(f"\nmissed: {', '.join(missed)}" if missed else "\nall targets are met")
    return 1 if missed and check else 0
