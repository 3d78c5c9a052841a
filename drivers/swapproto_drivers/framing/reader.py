"""The reader that all framings share: a bounded buffer, counted losses, and no wait without end.

A framing only looks at the head of the buffer and says what it is. Whatever it drops is looked at again from
the next byte on, so a false start hides no good unit behind it; a start that silence leaves unfinished is
dropped in the same way.
"""

from collections import Counter
from enum import Enum
from typing import Generic, Protocol, TypeAlias, TypeVar

import msgspec

from swapproto.frame import MILLISECOND, Instant

IDLE = 50 * MILLISECOND
"""Silence after which a unit that has begun is not waited for; our choice, no source gives one."""

U_co = TypeVar("U_co", covariant=True)
U = TypeVar("U")


class Reason(Enum):
    """Why bytes were left out."""

    NO_START = "no start of a unit"
    LENGTH = "an impossible length"
    CHECK = "a wrong checksum"
    FORM = "not the form of a unit"
    UNDELIMITED = "neither a start nor silence behind it"
    CUT = "cut off by silence"


class Taken(msgspec.Struct, Generic[U_co], frozen=True, gc=False):
    """A unit at the head of the buffer; ``sure`` is False where the line leaves its limits open."""

    unit: U_co
    size: int
    sure: bool = True


class Dropped(msgspec.Struct, frozen=True, gc=False):
    """So many bytes at the head that begin no unit."""

    size: int
    reason: Reason


Seen: TypeAlias = "Taken[U] | Dropped | None"
"""What is at the head; None while more bytes must come to tell."""


class Framing(Protocol[U_co]):
    """What makes a unit of a line."""

    @property
    def longest(self) -> int:
        """Bytes after which look() tells, come what may."""
        ...

    def look(self, head: bytearray, *, silent: bool) -> "Taken[U_co] | Dropped | None":
        """Tell what the first bytes are; ``silent`` when nothing followed them for the idle time."""
        ...


class Reader(Generic[U]):
    """Feeds a framing; every byte ends in a unit, in ``dropped`` or in the buffer."""

    def __init__(self, framing: Framing[U], *, idle: Instant = IDLE) -> None:
        self.dropped: Counter[Reason] = Counter()
        """Bytes left out, by reason."""
        self.units = 0
        self.ambiguous = 0
        """Units whose limits the line left open."""
        self._framing = framing
        self._idle = idle
        self._buffer = bytearray()
        self._last: Instant = 0
        self._lost = False

    @property
    def heard(self) -> Instant:
        """When the last bytes came."""
        return self._last

    @property
    def pending(self) -> int:
        """Bytes that wait for more; fewer than the framing's longest unit has."""
        return len(self._buffer)

    def feed(self, data: bytes, now: Instant) -> list[U]:
        """Take bytes that came by now, and give the units that they complete.

        What waits is not given up here, for a late reader cannot know when the bytes came.
        """
        found: list[U] = []
        fresh = memoryview(data)
        # In portions, so that a large read does not have to fit into the buffer at once.
        for start in range(0, len(fresh), self._framing.longest):
            self._buffer += fresh[start : start + self._framing.longest]
            found += self._scan(silent=False)
        if fresh:
            self._last = now
        return found

    def handle_timeout(self, now: Instant) -> list[U]:
        """Give the units that only silence could delimit, and drop what it cut off. Call it after a read that
        found nothing.
        """
        due = self.next_timeout()
        return [] if due is None or now < due else self._scan(silent=True)

    def next_timeout(self) -> Instant | None:
        """When the line will have been silent for long enough; ask again after feed()."""
        return self._last + self._idle if self._buffer else None

    def reset(self) -> None:
        """Drop what waits: the line was interrupted."""
        self._drop(len(self._buffer), Reason.CUT)

    def _scan(self, *, silent: bool) -> list[U]:
        found: list[U] = []
        while self._buffer:
            seen = self._framing.look(self._buffer, silent=silent)
            if seen is None:
                if not silent:
                    break
                seen = Dropped(1, Reason.CUT)
            if isinstance(seen, Dropped):
                self._drop(seen.size, seen.reason)
                continue
            self.units += 1
            self.ambiguous += self._lost or not seen.sure
            self._lost = False
            found.append(seen.unit)
            del self._buffer[: seen.size]
        if silent:
            self._lost = False
        return found

    def _drop(self, size: int, reason: Reason) -> None:
        if size:
            self.dropped[reason] += size
            self._lost = True
            del self._buffer[:size]
