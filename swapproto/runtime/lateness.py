"""How late a thread serves what is due: figures that verdicts and benchmarks use."""

from collections import Counter

import msgspec

from swapproto.frame import MICROSECOND


class Lateness(msgspec.Struct, frozen=True):
    """How late timers were served, in nanoseconds; p50 and p99 are rounded up to a microsecond."""

    timers: int = 0
    p50: int = 0
    p99: int = 0
    max: int = 0


class LatenessMeter:
    """Counts how late timers are, in memory that depends on the spread and not on the length of the run."""

    def __init__(self) -> None:
        self._late: Counter[int] = Counter()
        self._max = 0

    def served(self, late: int) -> None:
        self._late[-(-late // MICROSECOND)] += 1
        self._max = max(self._max, late)

    def lateness(self) -> Lateness:
        timers = self._late.total()
        return Lateness(timers, self._quantile(50, timers), self._quantile(99, timers), self._max)

    def _quantile(self, percent: int, timers: int) -> int:
        rank, seen = -(-timers * percent // 100), 0
        for late in sorted(self._late):
            seen += self._late[late]
            if seen >= rank:
                return min(late * MICROSECOND, self._max)
        return 0
