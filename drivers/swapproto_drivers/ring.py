"""The last seconds of a link in memory, written to a file when something happens, with what follows.

    ring = Ring(TraceFiles(Path("event.log"), Rules(numbered=True, keep=50)), before=30 * SECOND)
    link = TapLink(open_link("can:socketcan:can0"), ring)
    ...
    ring.trigger("the pack reports a fault", link.now())

A gap of the link triggers by itself, unless ``on_gap`` is False.
"""

from collections import deque
from typing import TypeAlias

import msgspec

from swapproto.frame import SECOND, CanFrame, Instant
from swapproto.link import LinkEvent
from swapproto_drivers.trace_files import TraceFiles

BEFORE = 30 * SECOND
AFTER = 10 * SECOND
MAX_FRAMES = 200_000
"""Some 100 s of a full bus at 250 kbit/s."""
SLICE = 64
"""Entries written at a call: a frame that arrives never waits until the whole ring is on the disk."""


class _Frame(msgspec.Struct, frozen=True, gc=False):
    frame: CanFrame
    at: Instant
    own: bool


class _Note(msgspec.Struct, frozen=True, gc=False):
    text: str
    at: Instant


_Entry: TypeAlias = _Frame | LinkEvent | _Note


class Ring:
    """Keeps what is younger than ``before``, and at most ``max_frames`` entries (a tap.Sink).

    Each trigger begins a file of the set; one that comes while another is being written goes into its file
    and lengthens it.
    """

    def __init__(
        self,
        files: TraceFiles,
        *,
        before: int = BEFORE,
        after: int = AFTER,
        max_frames: int = MAX_FRAMES,
        on_gap: bool = True,
    ) -> None:
        if min(before, after) < 0 or max_frames < 1:
            raise ValueError(f"a ring of {before} ns before, {after} ns after and {max_frames} frames")
        self.triggers = 0
        self.left_out = 0
        """Entries that went out of a full ring although a trigger had asked for them."""
        self._files = files
        self._before = before
        self._after = after
        self._max = max_frames
        self._on_gap = on_gap
        self._kept: deque[_Entry] = deque()
        self._until: Instant | None = None

    @property
    def kept(self) -> int:
        """Entries in memory."""
        return len(self._kept)

    @property
    def writing(self) -> bool:
        return self._until is not None

    def trigger(self, reason: str, at: Instant) -> None:
        """Write what is in memory, and what comes until ``after`` from now, to a file."""
        self._forget(at)
        self.triggers += 1
        self._until = at + self._after
        self._keep(_Note(f"trigger: {reason}", at))

    def take(self, frame: CanFrame, at: Instant, *, own: bool) -> None:
        self._keep(_Frame(frame, at, own))
        self._go_on(at)

    def mark(self, event: LinkEvent) -> None:
        self._keep(event)
        if event.gap and self._on_gap:
            self.trigger(event.kind.value, event.at)
        self._go_on(event.at)

    def handle_timeout(self, now: Instant) -> None:
        self._go_on(now)
        self._files.handle_timeout(now)

    def next_timeout(self) -> Instant | None:
        due = self._files.next_timeout()
        if self._until is None or due is None:
            return due if self._until is None else self._until
        return min(due, self._until)

    def poll_event(self) -> LinkEvent | None:
        return self._files.poll_event()

    def close(self) -> None:
        """Write what a trigger has asked for and is still in memory."""
        if self._until is not None:
            self._write(len(self._kept), self._until)
        self._files.close()

    def _keep(self, entry: _Entry) -> None:
        if len(self._kept) >= self._max:
            self._kept.popleft()
            self.left_out += self._until is not None
        self._kept.append(entry)

    def _go_on(self, now: Instant) -> None:
        if self._until is None:
            self._forget(now)
            return
        until = self._until
        self._write(SLICE, until)
        if now >= until and (not self._kept or self._kept[0].at > until):
            self._files.end_file()
            self._until = None
            self._forget(now)

    def _write(self, count: int, until: Instant) -> None:
        for _ in range(min(count, len(self._kept))):
            entry = self._kept[0]
            if entry.at > until:
                return
            self._kept.popleft()
            if isinstance(entry, _Frame):
                self._files.take(entry.frame, entry.at, own=entry.own)
            elif isinstance(entry, _Note):
                self._files.note(entry.text, entry.at)
            else:
                self._files.mark(entry)

    def _forget(self, now: Instant) -> None:
        if self._until is None:
            oldest = now - self._before
            while self._kept and self._kept[0].at < oldest:
                self._kept.popleft()
