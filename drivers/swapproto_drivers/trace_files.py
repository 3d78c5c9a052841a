"""Trace files of a running link: a set that rotates, keeps a quota and outlives a full disk.

    files = TraceFiles(Path("day.log"), Rules(rotate=100_000_000, keep=10))

A set is `day.000001.log`, `day.000002.log` and so on; a new run goes on behind the last one that is there.
Whole lines (in BLF whole containers) are written at once, so that a process that is killed leaves at most
one damaged line at the end. Where writing fails, the frames are counted, and it is tried again.
"""

import os
import re
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from swapproto.errors import LinkUnavailable
from swapproto.frame import MICROSECOND, SECOND, CanFrame, Instant
from swapproto.link import LinkEvent, LinkEventKind
from swapproto.trace.reader import shown

PENDING = 256
"""Frames that wait for a write at most."""
RETRY = 5 * SECOND
"""Between two tries to write after one failed."""
SMALLEST_FILE = 32 << 10
"""Bytes; a file ends behind the write with which it reaches its size, and a write has less than these."""
MAX_NOTE = 300
MAX_EVENTS = 64


class Encoder(Protocol):
    """What a format makes of frames and notes; stamps in microseconds."""

    def frame(self, frame: CanFrame, at_us: int, *, own: bool) -> None: ...

    def note(self, text: str, at_us: int) -> None: ...

    def take(self) -> bytes:
        """All that is complete since the last call."""
        ...

    def end(self) -> bytes:
        """What closes the file."""
        ...

    def head(self, size: int) -> bytes:
        """What the file must begin with, now that it has this size; empty where it has no such head."""
        ...


class CandumpEncoder:
    """The log format of candump -l with directions; a note is a comment."""

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self._lines: list[str] = []

    def frame(self, frame: CanFrame, at_us: int, *, own: bool) -> None:
        seconds, rest = divmod(at_us, 1_000_000)
        direction = "T" if own else "R"
        self._lines.append(f"({seconds:010}.{rest:06}) {self._channel} {frame} {direction}\n")

    def note(self, text: str, at_us: int) -> None:
        seconds, rest = divmod(at_us, 1_000_000)
        self._lines.append(f"# ({seconds:010}.{rest:06}) {self._channel} {text}\n")

    def take(self) -> bytes:
        data = "".join(self._lines).encode("ascii", "backslashreplace")
        self._lines.clear()
        return data

    def end(self) -> bytes:
        return b""

    def head(self, size: int) -> bytes:  # noqa: ARG002  (a log has none)
        return b""


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """How a trace is written; sizes in bytes, times in nanoseconds of the link's clock."""

    format: str = ""
    """candump, asc or blf; seen from the file's name where empty, else candump."""
    channel: str = "can0"
    numbered: bool = False
    """A set of numbered files even where nothing rotates."""
    rotate: int | None = None
    """Size with which a file is ended."""
    every: int | None = None
    """Age with which a file is ended."""
    keep: int | None = None
    """Files of the set, the one that is written included; the oldest are deleted."""
    quota: int | None = None
    """Bytes of the whole set; the oldest files are deleted before it is exceeded."""
    flush: int = SECOND
    """How long a frame may wait in memory."""
    sync: bool = False
    """Have the system bring each write to the disk, against a loss of power."""

    def __post_init__(self) -> None:
        if self.format not in ("", *FORMATS):
            raise ValueError(f"no trace is written as {self.format!r}, only as {', '.join(FORMATS)}")
        if not re.fullmatch(r"[!-~]{1,64}", self.channel):
            raise ValueError(f"{self.channel!r} is no channel name: one word of printable ASCII")
        if self.rotate is not None and self.rotate < SMALLEST_FILE:
            raise ValueError(f"files of {self.rotate} bytes: the smallest are of {SMALLEST_FILE}")
        if (self.keep is not None or self.quota is not None) and not self.is_set:
            raise ValueError("keep and quota are for a set of files: give the size or the age of one")
        if self.quota is not None and self.quota < 2 * (self.rotate or SMALLEST_FILE):
            raise ValueError(f"a quota of {self.quota} bytes does not hold two files")
        if (self.keep is not None and self.keep < 1) or (self.every is not None and self.every <= 0):
            raise ValueError("a set has one file at least, and a file an age above 0")

    @property
    def is_set(self) -> bool:
        return self.numbered or self.rotate is not None or self.every is not None


class TraceFiles:
    """Takes frames and events of one link (a tap.Sink). Nothing that the disk does is raised.

    LinkUnavailable where the folder is missing or closed to us, or a file that is no set's is there already.
    ``epoch`` is the instant 0 of the link's clock in nanoseconds since 1970.
    """

    def __init__(self, path: Path, rules: Rules, *, title: str = "", epoch: int = 0) -> None:
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise LinkUnavailable(f"{path}: no trace can be written in {path.parent}: make the folder first")
        if not rules.is_set and path.exists():
            raise LinkUnavailable(
                f"{path}: is there already; name another file, or rotate, which numbers them"
            )
        self.lost = 0
        """Frames that were not written."""
        self._path = path
        self._rules = rules
        self._title = title
        self._epoch = epoch
        self._encoder_of = FORMATS[rules.format or _format_of(path)]
        self._encoder: Encoder = self._encoder_of(rules.channel)
        self._file: BinaryIO | None = None
        self._name = path
        self._size = 0
        self._began: Instant = 0
        try:
            self._closed_files = _files_of(path) if rules.is_set else {}
        except OSError as error:
            raise LinkUnavailable(f"{path.parent}: the files of the set cannot be listed: {error}") from error
        self._number = max((_number(path, name) for name in self._closed_files), default=0)
        self._pending = 0
        self._due: Instant | None = None
        self._retry_at: Instant | None = None
        self._missing = 0
        self._told = 0
        self._now: Instant = 0
        self._events: deque[LinkEvent] = deque(maxlen=MAX_EVENTS)

    @property
    def current(self) -> Path | None:
        """The file that is being written."""
        return None if self._file is None else self._name

    def take(self, frame: CanFrame, at: Instant, *, own: bool) -> None:
        if self._ready(at):
            self._encoder.frame(frame, self._stamp(at), own=own)
            self._pending += 1
            self._wait(at)
        else:
            self._miss(1)

    def mark(self, event: LinkEvent) -> None:
        gap = "gap: " if event.gap else ""
        count = f" ({event.count})" if event.count != 1 else ""
        self.note(f"{gap}{event.kind.value}{count}{': ' if event.text else ''}{event.text}", event.at)

    def note(self, text: str, at: Instant) -> None:
        """Write a remark of one line at an instant."""
        if self._ready(at):
            self._encoder.note(shown(text)[:MAX_NOTE], self._stamp(at))
            self._wait(at)

    def handle_timeout(self, now: Instant) -> None:
        self._now = max(self._now, now)
        if self._due is not None and self._due <= now:
            self._write_out()

    def next_timeout(self) -> Instant | None:
        return self._due

    def poll_event(self) -> LinkEvent | None:
        return self._events.popleft() if self._events else None

    def end_file(self) -> None:
        """End the file; what comes next begins another, in a set."""
        if self._file is None:
            return
        self._flush()
        file, self._file = self._file, None
        try:
            with file:
                self._write(file, self._encoder.end())
        except OSError as error:
            self._fail(error)
        self._closed_files[self._name] = self._size

    def close(self) -> None:
        """Write what waits; where it cannot be written, it is counted."""
        if self._retry_at is not None:
            self._recover()
        self.end_file()

    def _ready(self, at: Instant) -> bool:
        """Have a file to write to; False while there is none."""
        self._now = max(self._now, at)
        every = self._rules.every
        if self._retry_at is not None:
            return self._retry_at <= self._now and self._recover()
        if self._file is not None and every is not None and self._now - self._began >= every:
            self.end_file()
        return self._file is not None or self._open()

    def _wait(self, at: Instant) -> None:
        if self._due is None:
            self._due = at + self._rules.flush
        if self._pending >= PENDING or self._due <= self._now:
            self._write_out()

    def _flush(self) -> bool:
        """Write what waits; False where that failed."""
        self._due = None
        if self._file is None:
            return True
        data = self._encoder.take()
        try:
            self._make_room(len(data))
            self._write(self._file, data)
        except OSError as error:
            self._fail(error)
            return False
        self._pending = 0
        return True

    def _write_out(self) -> None:
        if self._flush() and self._rules.rotate is not None and self._size >= self._rules.rotate:
            self.end_file()

    def _open(self) -> bool:
        try:
            self._make_room(0, files=1)
            self._file = self._create()
        except OSError as error:
            self._fail(error)
            return False
        self._encoder = self._encoder_of(self._rules.channel)
        self._size = 0
        self._began = self._now
        if self._title:
            self._encoder.note(shown(self._title)[:MAX_NOTE], self._stamp(self._now))
        return True

    def _create(self) -> BinaryIO:
        if not self._rules.is_set:
            self._name = self._path
            return _create(self._path)
        while True:
            self._number += 1
            self._name = self._path.with_name(f"{self._path.stem}.{self._number:06}{self._path.suffix}")
            try:
                return _create(self._name)
            except FileExistsError:
                continue

    def _write(self, file: BinaryIO, data: bytes) -> None:
        """Append whole lines, or none of them; OSError then."""
        end = self._size + len(data)
        head = self._encoder.head(end)
        try:
            _write_at(file, self._size, data)
            if head:
                _write_at(file, 0, head)
            if self._rules.sync:
                os.fsync(file.fileno())
        except OSError:
            self._cut(file)
            raise
        self._size = end

    def _cut(self, file: BinaryIO) -> None:
        try:
            file.truncate(self._size)
        except OSError:
            return  # then the next write goes over it

    def _make_room(self, coming: int, files: int = 0) -> None:
        """Delete the oldest files until the set holds what is coming."""
        keep, quota = self._rules.keep, self._rules.quota
        taken = self._size if self._file is not None else 0
        while self._closed_files:
            held = len(self._closed_files) + (1 if self._file is not None else files)
            too_many = keep is not None and held > keep
            too_large = quota is not None and sum(self._closed_files.values()) + taken + coming > quota
            if not (too_many or too_large):
                return
            oldest = min(self._closed_files, key=lambda name: _number(self._path, name))
            oldest.unlink(missing_ok=True)
            del self._closed_files[oldest]

    def _miss(self, frames: int) -> None:
        self._missing += frames
        self.lost += frames

    def _fail(self, error: OSError) -> None:
        """Nothing can be written: say so once, and try again later."""
        self._miss(self._pending)
        self._pending = 0
        self._due = None
        if self._retry_at is None:
            self._told = self._missing
            text = f"trace {self._name.name}: {error.strerror or error}; the link goes on without it"
            self._events.append(LinkEvent(LinkEventKind.DROPPED, self._now, text, self._told))
        self._retry_at = self._now + RETRY

    def _recover(self) -> bool:
        """Try to write how many frames are missing; that marks the place in the trace as well."""
        missing = self._missing
        if self._file is None and not self._open():
            return False
        self._encoder.note(f"gap: {missing} frames could not be written here", self._stamp(self._now))
        if not self._flush():
            return False
        self._retry_at = None
        text = f"trace {self._name.name} is written again; {missing} frames are missing in it"
        self._events.append(LinkEvent(LinkEventKind.DROPPED, self._now, text, missing - self._told))
        self._missing = 0
        return True

    def _stamp(self, at: Instant) -> int:
        return max(0, (at + self._epoch) // MICROSECOND)


def _create(path: Path) -> BinaryIO:
    return path.open("xb", buffering=0)


def _write_at(file: BinaryIO, offset: int, data: bytes) -> None:
    file.seek(offset)
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


def _format_of(path: Path) -> str:
    suffix = path.suffix.lower().removeprefix(".")
    return suffix if suffix in FORMATS else "candump"


def _files_of(path: Path) -> dict[Path, int]:
    """The files of the set that are there, with their sizes."""
    return {each: each.stat().st_size for each in path.parent.iterdir() if _number(path, each)}


def _number(path: Path, name: Path) -> int:
    """The number of a file in a set; 0 where it is not of this set."""
    found = re.fullmatch(re.escape(path.stem) + r"\.(\d{6,12})" + re.escape(path.suffix), name.name)
    return int(found[1]) if found else 0


def _asc(channel: str) -> Encoder:
    from swapproto_drivers.trace_vector import AscEncoder

    return AscEncoder(channel)


def _blf(channel: str) -> Encoder:
    from swapproto_drivers.trace_vector import BlfEncoder

    return BlfEncoder(channel)


FORMATS: dict[str, Callable[[str], Encoder]] = {"candump": CandumpEncoder, "asc": _asc, "blf": _blf}
"""Encoders by the name of the format; python-can is imported for those that need it."""
