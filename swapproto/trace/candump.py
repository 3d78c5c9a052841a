"""The log format of candump -l and -L: ``(seconds.fraction) channel ID#DATA``.

    with path.open("rb") as file:
        reader = CandumpReader(file)
        for record in reader: ...
        reader.skipped_lines, reader.resolution_us

The reader holds one line at a time and raises for nothing that a file can contain.
"""

import re
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import BinaryIO

from swapproto.errors import CodecError
from swapproto.frame import MAX_EXTENDED_ID, MAX_STANDARD_ID
from swapproto.trace.reader import KEPT_CHANNELS, FrameReader, OtherFrame
from swapproto.trace.record import Record, Trace

_ERROR_FLAG = 0x2000_0000
_BOM = b"\xef\xbb\xbf"
_DATA_FRAME = re.compile(
    rb"\((\d{1,12})(?:\.(\d{1,9}))?\)[ \t]+(\S{1,64})[ \t]+([0-9A-Fa-f]{8}|[0-9A-Fa-f]{3})"
    rb"#((?:[0-9A-Fa-f]{2}){0,8})(?:_[9A-Fa-f])?(?:[ \t]+([RT]))?[ \t]*"
)
_HEAD = re.compile(rb"\(\d{1,12}(?:\.\d{1,9})?\)[ \t]+\S{1,64}[ \t]+([^\s#]+)#([^\s]*)(.*)")
_FD = re.compile(rb"#[0-9A-Fa-f](?:[0-9A-Fa-f]{2}){0,64}")
_REMOTE = re.compile(rb"[Rr][0-9A-Fa-f]?(?:_[9A-Fa-f])?")
_GAP = re.compile(rb"# \([0-9]+\.[0-9]+\) \S+ gap: (.*)")
"""How a recorder of ours marks where frames can be missing."""
_SCREEN = re.compile(rb"[ \t]*(?:\([\d.]+\))?[ \t]*\S+[ \t]+(?:TX|RX|[- ])*[ \t]*[0-9A-Fa-f]+[ \t]+\[\d+\].*")
_HEX = re.compile(rb"[0-9A-Fa-f]*")


class CandumpReader(FrameReader):
    """Iterates over the data frames of a log; what it met besides stands in its attributes afterwards."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What is odd about the file as a whole."""
        if self.skipped_lines and not self.channels and not self.other_frames:
            return (*super().notes, "no line is of candump's log format (candump -l or -L)")
        return super().notes

    def _records(self) -> Iterator[Record]:
        for line in self._each_line():
            text = line[len(_BOM) :] if self.lines == 1 and line.startswith(_BOM) else line
            record = self._record(text)
            if record is not None:
                yield record

    def _record(self, line: bytes) -> Record | None:
        match = _DATA_FRAME.fullmatch(line)
        if match is None:
            self._odd(line)
            return None
        seconds, fraction, channel, digits, data, direction = match.groups()
        can_id = int(digits, 16)
        extended = len(digits) == 8
        if can_id > (MAX_EXTENDED_ID if extended else MAX_STANDARD_ID):
            if extended and can_id & _ERROR_FLAG:
                self._leave_out(OtherFrame("error"), line)
            else:
                self._skip(line, f"identifier {can_id:X} has more than {29 if extended else 11} bits")
            return None
        name = channel.decode("ascii", "backslashreplace")
        if name in self.channels:
            self.channels[name] += 1
        elif len(self.channels) < KEPT_CHANNELS:
            self.channels[name] = 1
        return Record(
            self._stamp(seconds, fraction),
            can_id,
            bytes.fromhex(data.decode()),
            extended,
            self.lines,
            name,
            None if direction is None else direction == b"T",
        )

    def _stamp(self, seconds: bytes, fraction: bytes | None) -> int:
        if fraction is None:
            return int(seconds) * 1_000_000
        if len(fraction) > 6:
            self.cut_stamps += fraction[6:].strip(b"0") != b""
            fraction = fraction[:6]
        return int(seconds) * 1_000_000 + int(fraction.ljust(6, b"0"))

    def _odd(self, line: bytes) -> None:
        if not line.strip() or line.startswith(b"#"):
            if (mark := _GAP.fullmatch(line)) is not None:
                self._gap(mark[1].decode("ascii", "backslashreplace"))
            return
        match = _HEAD.fullmatch(line)
        if match is None:
            self._skip(line, _why_no_line(line))
            return
        digits, rest, behind = match.groups()
        if _HEX.fullmatch(digits) and len(digits) in (3, 8):
            if _FD.fullmatch(rest):
                self._leave_out(OtherFrame("FD"), line)
                return
            if _REMOTE.fullmatch(rest):
                self._leave_out(OtherFrame("remote"), line)
                return
        self._skip(line, _why_no_frame(digits, rest, behind))


def _why_no_line(line: bytes) -> str:
    if b"\0" in line:
        return "holds NUL bytes: binary, or text in UTF-16"
    if _SCREEN.fullmatch(line):
        return "candump's screen format; a log is written by candump -l or -L"
    return "not of the form (seconds.fraction) channel ID#DATA"


def _why_no_frame(digits: bytes, rest: bytes, behind: bytes) -> str:
    if not _HEX.fullmatch(digits):
        return "identifier is not hexadecimal"
    if len(digits) not in (3, 8):
        return f"identifier has {len(digits)} digits; 3 or 8 are expected"
    if rest.startswith(b"#"):
        return "FD frame whose data is no run of at most 64 hexadecimal bytes"
    if not _HEX.fullmatch(rest):
        return "data is not hexadecimal"
    if len(rest) > 16:
        return f"{len(rest) // 2} bytes of data; a classic frame has at most 8"
    if len(rest) % 2:
        return "data ends in half a byte"
    return f"unexpected text behind the frame: {behind.strip()[:20].decode('ascii', 'backslashreplace')}"


def read_candump(stream: BinaryIO | bytes, source: str = "") -> Trace:
    """A whole log in memory; for files of any size iterate over a CandumpReader instead."""
    reader = CandumpReader(BytesIO(stream) if isinstance(stream, bytes) else stream)
    records = tuple(reader)
    return Trace(
        records=records,
        source=source,
        channels=tuple(reader.channels),
        skipped=tuple(reader.skipped),
        skipped_lines=reader.skipped_lines,
        other_frames=reader.other_frames,
        resolution_us=reader.resolution_us,
        notes=reader.notes,
    )


def candump_lines(records: Iterable[Record], comments: Iterable[str] = ()) -> Iterator[bytes]:
    """The lines of a log with their ends, comments first. CodecError for what a log cannot say."""
    for comment in comments:
        for part in comment.splitlines() or [""]:
            yield b"# " + part.encode("ascii", "backslashreplace") + b"\n"
    for record in records:
        yield _line(record)


def write_candump(records: Iterable[Record], comments: Iterable[str] = ()) -> bytes:
    """A log as bytes; the same records always give the same bytes."""
    return b"".join(candump_lines(records, comments))


def _line(record: Record) -> bytes:
    channel = record.channel or "can0"
    if record.at_us < 0 or record.at_us >= 10**18:
        raise CodecError("candump", "at_us", None, f"{record.at_us} us is no stamp that a log can hold")
    if not channel.isascii() or not channel.isprintable() or " " in channel or len(channel) > 64:
        raise CodecError("candump", "channel", None, f"{channel!r} is no channel name that a log can hold")
    if len(record.data) > 8:
        raise CodecError("candump", "data", None, f"{len(record.data)} bytes; a classic frame has at most 8")
    width, limit = (8, MAX_EXTENDED_ID) if record.extended else (3, MAX_STANDARD_ID)
    if not 0 <= record.id <= limit:
        raise CodecError("candump", "id", None, f"{record.id:#x} is not in 0 to {limit:X}h")
    seconds, rest = divmod(record.at_us, 1_000_000)
    direction = "" if record.sent is None else " T" if record.sent else " R"
    frame = f"{record.id:0{width}X}#{record.data.hex().upper()}"
    return f"({seconds:010}.{rest:06}) {channel} {frame}{direction}\n".encode("ascii")
