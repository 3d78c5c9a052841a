"""Finds the bit rate of a live bus by listening, without ever acknowledging a frame."""

from collections.abc import Callable, Iterable
from contextlib import closing

import msgspec

from swapproto.frame import SECOND, Instant
from swapproto.link import Link, LinkEventKind

CANDIDATES = (250_000, 500_000)
"""What pack and charging buses of heavy trucks run at (two or more sources for each)."""
ENOUGH = 10
"""Good frames that prove a rate: at a wrong one a controller sees errors and no frame at all."""


class Trial(msgspec.Struct, frozen=True):
    """What was heard at one rate."""

    bitrate: int
    frames: int
    errors: int


class Search(msgspec.Struct, frozen=True):
    """The rate, or None where the bus was silent or unintelligible; the trials say which."""

    bitrate: int | None
    trials: tuple[Trial, ...]

    def __str__(self) -> str:
        told = "; ".join(
            f"{t.bitrate // 1000} kbit/s: {t.frames} frames, {t.errors} errors" for t in self.trials
        )
        return f"bit rate {self.bitrate or 'not found'} ({told})"


def find_bitrate(
    opened: Callable[[int], Link],
    candidates: Iterable[int] = CANDIDATES,
    *,
    listen: int = SECOND,
) -> Search:
    """Listen at each rate for so many nanoseconds; ``opened`` opens the port listen-only at a rate."""
    trials: list[Trial] = []
    for bitrate in candidates:
        with closing(opened(bitrate)) as link:
            trial = _listen(link, bitrate, link.now() + listen)
        trials.append(trial)
        if trial.frames >= ENOUGH and trial.frames > trial.errors:
            return Search(bitrate, tuple(trials))
    best = max(trials, key=lambda trial: trial.frames, default=None)
    found = best is not None and best.frames > best.errors
    return Search(best.bitrate if found and best is not None else None, tuple(trials))


def _listen(link: Link, bitrate: int, until: Instant) -> Trial:
    frames = errors = 0
    while frames < ENOUGH and link.now() < until:
        frames += link.receive(deadline=until) is not None
        while (event := link.poll_event()) is not None:
            errors += event.count if event.kind is LinkEventKind.ERROR_FRAME else 0
    return Trial(bitrate, frames, errors)
