"""What every reader of a recording tells, and the bookkeeping that the readers share."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from math import gcd
from typing import BinaryIO, Protocol

from swapproto.frame import MAX_EXTENDED_ID, MAX_STANDARD_ID
from swapproto.trace.record import Record, SkippedLine

MAX_LINE = 1024
"""Bytes; the longest line that candump writes, an FD frame, has about 200."""
KEPT_SKIPPED = 100
"""Skipped lines that are kept with their text; all are counted."""
KEPT_CHANNELS = 64
SHOWN_TEXT = 60
SHOWN_GAPS = 3


class RecordReader(Protocol):
    """Iterates once over the data frames; what it met besides stands in its attributes afterwards."""

    lines: int
    """Lines read so far; in a binary file packets or objects."""
    skipped: list[SkippedLine]
    skipped_lines: int
    other_frames: dict[str, int]
    channels: dict[str, int]
    resolution_us: int | None

    def __iter__(self) -> Iterator[Record]: ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What is odd about the file as a whole."""
        ...


class BadFrame(Exception):
    """What stands here is skipped, with the reason."""


class OtherFrame(Exception):
    """No data frame of classic CAN: it is counted under its kind."""


class FrameReader(ABC):
    """Base of the readers: a subclass gives the frames, and damage in a file is counted, never raised."""

    unit = "line"
    """What a number in `Record.line` counts."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.lines = 0
        self.skipped: list[SkippedLine] = []
        self.skipped_lines = 0
        self.other_frames: dict[str, int] = {}
        self.channels: dict[str, int] = {}
        """Data frames by channel."""
        self.resolution_us: int | None = None
        """Greatest common divisor of the differences between stamps."""
        self.steps_back = 0
        """Frames stamped earlier than the one before."""
        self.first_step_back = 0
        self.cut_stamps = 0
        """Stamps finer than a microsecond."""
        self.gaps = 0
        """Places that the recorder marked because frames can be missing there."""
        self.first_gaps: list[tuple[int, str]] = []
        """Line and words of the first of them."""
        self._remarks: list[str] = []

    def __iter__(self) -> Iterator[Record]:
        step = 0
        last: int | None = None
        for record in self._records():
            at = record.at_us
            if last is not None and at != last:
                if at < last:
                    self.steps_back += 1
                    self.first_step_back = self.first_step_back or record.line
                if step != 1:
                    self.resolution_us = step = gcd(step, at - last)
            last = at
            yield record

    @property
    def notes(self) -> tuple[str, ...]:
        """What is odd about the file as a whole."""
        found: list[str] = []
        if self.steps_back:
            found.append(
                f"{self.steps_back} frames are stamped earlier than the one before, "
                f"first in {self.unit} {self.first_step_back}"
            )
        if self.gaps:
            first = "; ".join(f"line {line}: {shown(text)}" for line, text in self.first_gaps)
            found.append(f"{self.gaps} gaps are marked, in which frames can be missing; {first}")
        if self.cut_stamps:
            found.append(f"{self.cut_stamps} stamps are finer than a microsecond and were cut")
        return (*found, *self._remarks)

    @abstractmethod
    def _records(self) -> Iterator[Record]:
        """Every data frame of the file, in its order."""

    def _each_line(self) -> Iterator[bytes]:
        """Lines without their ends; one that is too long is skipped without being held."""
        readline = self._stream.readline
        while line := readline(MAX_LINE + 1):
            self.lines += 1
            if len(line) > MAX_LINE and not line.endswith(b"\n"):
                text = line
                while line and not line.endswith(b"\n"):
                    line = readline(1 << 16)
                self._skip(text, f"longer than {MAX_LINE} bytes")
                continue
            yield line.rstrip(b"\r\n")

    def _data_frame(
        self, at_us: int, can_id: int, data: bytes, *, extended: bool, channel: str, sent: bool | None
    ) -> Record:
        """The record, counted under its channel; BadFrame where no frame has such an identifier or length."""
        if not 0 <= can_id <= (MAX_EXTENDED_ID if extended else MAX_STANDARD_ID):
            raise BadFrame(f"identifier {can_id:X} has more than {29 if extended else 11} bits")
        if len(data) > 8:
            raise BadFrame(f"{len(data)} bytes of data; a classic frame has at most 8")
        if channel in self.channels:
            self.channels[channel] += 1
        elif len(self.channels) < KEPT_CHANNELS:
            self.channels[channel] = 1
        return Record(at_us, can_id, data, extended, self.lines, channel, sent)

    def _leave_out(self, odd: BadFrame | OtherFrame, content: bytes | str) -> None:
        if isinstance(odd, BadFrame):
            self._skip(content, str(odd))
        else:
            self.other_frames[str(odd)] = self.other_frames.get(str(odd), 0) + 1

    def _skip(self, content: bytes | str, reason: str, line: int | None = None) -> None:
        self.skipped_lines += 1
        if len(self.skipped) < KEPT_SKIPPED:
            if isinstance(content, bytes):
                content = content[:SHOWN_TEXT].decode("ascii", "backslashreplace")
            number = self.lines if line is None else line
            self.skipped.append(SkippedLine(number, shown(reason), shown(content[:SHOWN_TEXT])))

    def _gap(self, text: str) -> None:
        self.gaps += 1
        if len(self.first_gaps) < SHOWN_GAPS:
            self.first_gaps.append((self.lines, text))

    def _remark(self, text: str) -> None:
        self._remarks.append(text)


def shown(text: str) -> str:
    """Text out of a file with all that does not print as escapes."""
    return "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in text)
