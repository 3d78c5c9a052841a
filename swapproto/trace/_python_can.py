"""ASC, BLF, TRC and python-can's CSV through python-can's readers, for which the core asks only here.

python-can gives stamps as float seconds; they are rounded to the microsecond, which a double holds exactly
until the year 2242. It is imported when the first file is read.
"""

import logging
import math
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Any, BinaryIO

from swapproto.trace.reader import BadFrame, FrameReader, OtherFrame
from swapproto.trace.record import Record

MAX_OBJECT = 1 << 22
"""Bytes; containers of BLF hold about 128 KiB."""
LAST_STAMP = 2**33
"""Seconds; a stamp behind it is damage, and a double would no longer hold its microseconds."""

_OBJECT_HEAD = 16
_CONTAINER_HEAD = 16
_CONTAINER = re.compile(rb"LOBJ.{8}\x0a\0\0\0", re.DOTALL)
_NO_LENGTH = re.compile(rb"LOBJ.{4}\0\0\0\0", re.DOTALL)
_DEFLATED = b"\x02\0"

_OpenReader = Callable[[object], Iterable[Any]]


def _class(name: str) -> _OpenReader:
    module = import_module("can")
    logger = logging.getLogger("can")
    if not logger.handlers:  # else its warnings, with text of the file in them, go to the terminal
        logger.addHandler(logging.NullHandler())
    found: _OpenReader = getattr(module, name)
    return found


class _MessageReader(FrameReader):
    """What python-can's messages become."""

    first_channel = 0
    """What the file calls the channel that python-can numbers 0."""

    def _record(self, message: Any) -> Record:
        if message.is_error_frame:
            raise OtherFrame("error")
        if message.is_remote_frame:
            raise OtherFrame("remote")
        if message.is_fd:
            raise OtherFrame("FD")
        if not math.isfinite(message.timestamp) or not 0 <= message.timestamp < LAST_STAMP:
            raise BadFrame(f"{message.timestamp} s is no stamp")
        if message.dlc != len(message.data):
            raise BadFrame(f"{len(message.data)} bytes of data where {message.dlc} were announced")
        channel = message.channel
        return self._data_frame(
            round(message.timestamp * 1_000_000),
            message.arbitration_id,
            bytes(message.data),
            extended=message.is_extended_id,
            channel="" if channel is None else str(channel + self.first_channel),
            sent=not message.is_rx,
        )


class _TextReader(_MessageReader):
    """A line on which python-can's reader breaks, or of which it makes nothing, is skipped."""

    reader = ""

    def _records(self) -> Iterator[Record]:
        lines = _Lines(self._each_line(), self._nothing_made_of)
        messages = _class(self.reader)(lines)
        failed_at = -1
        while True:
            try:
                for message in messages:
                    text = lines.claim()
                    try:
                        record = self._record(message)
                    except (BadFrame, OtherFrame) as odd:
                        self._leave_out(odd, text)
                    else:
                        yield record
            except Exception as error:  # noqa: BLE001  (whatever python-can breaks with)
                if self.lines == failed_at:
                    self._remark(f"reading ends at line {self.lines}: {_told(error)}")
                    return
                failed_at = self.lines
                self._skip(lines.claim(), _told(error))
                lines.read_on()
            else:
                return

    def _nothing_made_of(self, text: str, line: int) -> None:
        if text[:1].isdigit() and "Start of measurement" not in text:
            self._skip(text, "no frame that python-can's reader knows", line)


class _Lines:
    """The text file that python-can's readers see. It can be read on after one of them has failed."""

    def __init__(self, lines: Iterator[bytes], unclaimed: Callable[[str, int], None]) -> None:
        self._lines = enumerate(lines, start=1)
        self._unclaimed = unclaimed
        self._blank = False
        self._text = ""
        self._number = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if self._blank:
            self._blank = False
            return "\n"
        self._settle()
        self._number, line = next(self._lines)
        text = line.decode("utf-8-sig" if self._number == 1 else "utf-8", "replace")
        self._text = text.strip()
        return text + "\n"

    def claim(self) -> str:
        """Take the line last read: a frame or an error came of it."""
        text, self._text = self._text, ""
        return text

    def read_on(self) -> None:
        """Give an empty line first: each reader takes it for the end of the head, which it has had."""
        self._blank = True

    def close(self) -> None:
        """The file is not ours to close."""

    def _settle(self) -> None:
        if text := self.claim():
            self._unclaimed(text, self._number)


class AscReader(_TextReader):
    """Vector's ASCII log. Stamps count from its start; channels are numbered from 1."""

    reader = "ASCReader"
    first_channel = 1


class TrcReader(_TextReader):
    """PEAK's trace file, versions 1.0, 1.1, 1.3, 2.0 and 2.1."""

    reader = "TRCReader"


class PythonCanCsvReader(_TextReader):
    """The CSV that python-can writes; it names no channel and no direction."""

    reader = "CSVReader"

    def _record(self, message: Any) -> Record:
        record = super()._record(message)
        return Record(record.at_us, record.id, record.data, record.extended, record.line, record.channel)


class BlfReader(_MessageReader):
    """Vector's binary log. Reading ends at the first damage, with a note; a line is a CAN object."""

    unit = "object"
    first_channel = 1

    def _records(self) -> Iterator[Record]:
        blocks = _Blocks(self._stream)
        try:
            for message in _class("BLFReader")(blocks):
                self.lines += 1
                try:
                    record = self._record(message)
                except (BadFrame, OtherFrame) as odd:
                    self._leave_out(odd, b"")
                else:
                    yield record
        except Exception as error:  # noqa: BLE001  (whatever python-can breaks with)
            self._cut_off(_told(error))
        else:
            if blocks.short:
                self._cut_off("the file is cut off here")

    def _cut_off(self, reason: str) -> None:
        self.lines += 1
        self._skip(b"", reason)
        self._remark(f"reading ends at object {self.lines}: {reason}")


class _Blocks:
    """The binary file that python-can's reader sees, without what would make it hang or fill the memory.

    Containers are unpacked here, up to a limit; in them an object of no length would be read for ever.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._in_container = False
        self._end = b""
        self.short = False

    def read(self, size: int) -> bytes:
        if not 0 <= size <= MAX_OBJECT:
            raise ValueError(f"an object of {size} bytes")
        content = self._stream.read(size)
        self.short |= 0 < len(content) < size
        if self._in_container:
            self._in_container = False
            return self._unpacked(content)
        self._in_container = _CONTAINER.fullmatch(content) is not None
        return content

    def _unpacked(self, content: bytes) -> bytes:
        head, body = content[:_CONTAINER_HEAD], content[_CONTAINER_HEAD:]
        if head[:2] == _DEFLATED:
            unpacker = zlib.decompressobj()
            body = unpacker.decompress(body, MAX_OBJECT)
            if unpacker.unconsumed_tail:
                raise ValueError(f"a container of more than {MAX_OBJECT} bytes")
            head = bytes(2) + head[2:]
        if _NO_LENGTH.search(self._end + body):
            raise ValueError("an object of 0 bytes")
        self._end = body[-_OBJECT_HEAD:]
        return head + body

    def close(self) -> None:
        """The file is not ours to close."""


def _told(error: Exception) -> str:
    return f"python-can: {str(error)[:100] or type(error).__name__}"
