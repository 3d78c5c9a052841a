"""How well an adapter keeps time, measured: the file that `swapproto bench` writes and verdicts use.

figures = load_figures(Path("adapter.json"))
figures.fits("can:socketcan:can0"), figures.stamp_error, figures.lateness.p99
"""

from collections import Counter
from pathlib import Path
from typing import Literal

import msgspec

from swapproto.atomic import FileError, read_bounded
from swapproto.frame import MICROSECOND

MAX_FILE = 1 << 20
FEWEST = 20
"""Frames whose stamps must be known before the step between them counts as their resolution [assumed]."""


class _Record(msgspec.Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    pass


class Spread(_Record, frozen=True, kw_only=True):
    """How a duration is spread, in nanoseconds; the quantiles are rounded up to a microsecond."""

    count: int
    min: int
    p50: int
    p99: int
    max: int

    @property
    def jitter(self) -> int:
        """From the shortest to all but the longest hundredth."""
        return self.p99 - self.min


class SpreadMeter:
    """Collects durations in memory that depends on their spread and not on their number."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self._min: int | None = None
        self._max = 0

    def add(self, duration: int) -> None:
        self._counts[-(-duration // MICROSECOND)] += 1
        if self._min is None:
            self._min = self._max = duration
        self._min, self._max = min(self._min, duration), max(self._max, duration)

    def spread(self) -> Spread | None:
        """None while there is nothing."""
        if self._min is None:
            return None
        count = self._counts.total()
        p50, p99 = (self._quantile(percent, count) for percent in (50, 99))
        return Spread(count=count, min=self._min, p50=p50, p99=p99, max=self._max)

    def _quantile(self, percent: int, count: int) -> int:
        rank, seen = -(-count * percent // 100), 0
        for each in sorted(self._counts):
            seen += self._counts[each]
            if seen >= rank:
                return max(self._min or 0, min(each * MICROSECOND, self._max))
        return self._max


class Stamps(_Record, frozen=True, kw_only=True):
    """What the stamps of received frames tell of themselves; times in nanoseconds."""

    source: str
    frames: int
    declared: int
    """Resolution that the driver states."""
    step: int | None
    """Greatest common divisor of the differences between stamps; None where no two differ."""
    backwards: int
    """Frames stamped earlier than the one before."""
    ahead: int
    """Frames stamped later than they were read."""
    batched: bool
    """Whether the driver says that frames come in batches that share a stamp."""
    least_error: int | None
    """By how much a stamp was late at least, as frames take time on the wire; None at an unknown bit rate."""
    reading: Spread | None
    """From the stamp to the reader."""
    drift_ppm: float | None
    """How much faster the stamps' clock runs than the host's; None where it was watched too shortly."""


class Way(_Record, frozen=True, kw_only=True):
    """Numbered frames on their way from one port to another, or back to the same."""

    sender: str
    receiver: str
    sent: int
    lost: int
    duplicated: int
    reordered: int
    """Frames that came after one with a higher number."""
    refused: int
    """Frames that the port did not take in time."""
    latency: Spread | None
    """From the call that sends to the stamp at the receiver, the frame's own time on the wire included."""


class Figures(_Record, frozen=True, kw_only=True):
    """One measurement."""

    schema: Literal["swapproto-figures-1"] = "swapproto-figures-1"
    created: str
    """UTC, as 2026-01-31T12:00:00Z."""
    link: str
    """URL without options."""
    peer: str | None
    bitrate: int | None
    seconds: float
    stamps: tuple[Stamps, ...]
    """Of the link, and of the peer where there is one."""
    ways: tuple[Way, ...]
    """Empty where nothing was sent."""
    lateness: Spread | None
    """How late this host came back from a wait."""
    events: dict[str, int]
    """What befell the ports, by kind."""

    @property
    def resolution(self) -> int:
        """Nanoseconds: the coarsest stamps, as stated or, where so many were heard that it shows, as seen."""
        return max((max(each.declared, _seen_step(each)) for each in self.stamps), default=0)

    @property
    def stamp_error(self) -> int:
        """Nanoseconds that a stamp may be off: the latency of all but a hundredth of the frames, or what the
        stamps themselves betray.
        """
        errors = [each.least_error for each in self.stamps if each.least_error is not None]
        errors += [each.latency.p99 for each in self.ways if each.latency is not None]
        return max(errors, default=0)

    def fits(self, url: str) -> bool:
        """Whether they were measured at the port of a URL."""
        return address(url) in (self.link, self.peer)


def _seen_step(stamps: Stamps) -> int:
    """Virtual stamps are exact; the frames of cyclic senders come in whole periods there."""
    told = stamps.frames >= FEWEST and stamps.source != "virtual"
    return stamps.step or 0 if told else 0


def address(url: str) -> str:
    """A URL without its options: what tells ports apart."""
    return url.partition("?")[0]


def load_figures(path: Path) -> Figures:
    """Read a file of `swapproto bench`; FileError where it is none."""
    try:
        return msgspec.json.decode(read_bounded(path, MAX_FILE), type=Figures)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FileError(
            str(path), f"is no file of figures ({error}); swapproto bench URL --out FILE writes one"
        ) from error


def encode_figures(figures: Figures) -> bytes:
    """The file's bytes."""
    return msgspec.json.format(msgspec.json.encode(figures), indent=2) + b"\n"
