"""One recorded frame, and a recording as a whole."""

import msgspec

from swapproto.frame import MICROSECOND, CanFrame, Instant


class Record(msgspec.Struct, frozen=True, gc=False):
    """A data frame of classic CAN with its stamp in integer microseconds."""

    at_us: int
    id: int
    data: bytes
    extended: bool = True
    line: int = 0
    """Line of the file, counted from one; 0 where the record never stood in a file."""
    channel: str = ""
    sent: bool | None = None
    """Whether the recorder sent the frame itself; None where it does not say."""

    @property
    def frame(self) -> CanFrame:
        return CanFrame(self.id, self.data, self.extended)

    @classmethod
    def of(cls, frame: CanFrame, at: Instant, line: int = 0, channel: str = "") -> "Record":
        """The record of a data frame that was on a link at an instant in nanoseconds."""
        return cls(at // MICROSECOND, frame.id, frame.data, frame.extended, line, channel)


class SkippedLine(msgspec.Struct, frozen=True, gc=False):
    """A line that could not be read, with the beginning of its text."""

    line: int
    reason: str
    text: str


class Trace(msgspec.Struct, frozen=True):
    """A recording in memory."""

    records: tuple[Record, ...]
    source: str = ""
    channels: tuple[str, ...] = ()
    skipped: tuple[SkippedLine, ...] = ()
    """The first of the lines that could not be read."""
    skipped_lines: int = 0
    other_frames: dict[str, int] = {}
    """Frames that are no data frames of classic CAN, by kind: FD, remote, error."""
    resolution_us: int | None = None
    """The step in which the stamps come; None where fewer than two stamps differ."""
    notes: tuple[str, ...] = ()
