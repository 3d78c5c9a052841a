"""Opens a recording of any known format, recognised by its content first and by its name after that.

with open_recording(path) as recording:
    reader = recording.reader()
    for record in reader: ...
    reader.skipped_lines, reader.resolution_us, reader.notes
"""

import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from swapproto.errors import SwapError
from swapproto.trace._python_can import AscReader, BlfReader, PythonCanCsvReader, TrcReader
from swapproto.trace.candump import CandumpReader
from swapproto.trace.exports import SavvyCanReader, ZcanproReader, encoding_of, is_savvycan, is_zcanpro
from swapproto.trace.pcap import MAGICS, NG_MAGIC, PcapngReader, PcapReader
from swapproto.trace.reader import RecordReader

DEFAULT = "candump"
FORMATS: dict[str, Callable[[BinaryIO], RecordReader]] = {
    "candump": CandumpReader,
    "asc": AscReader,
    "blf": BlfReader,
    "trc": TrcReader,
    "csv": PythonCanCsvReader,
    "savvycan": SavvyCanReader,
    "zcanpro": ZcanproReader,
    "pcap": PcapReader,
    "pcapng": PcapngReader,
}
"""Readers by the name of the format."""

_HEAD = 1 << 13
_CANDUMP_LINE = re.compile(r"\(\d+(?:\.\d+)?\)[ \t]+\S+[ \t]+\S")
_ASC_LINE = re.compile(r"(?:date\s+\w{3}\s|base\s+(?:hex|dec)\b|begin\s+triggerblock\b)", re.IGNORECASE)
_TRC_LINE = re.compile(r";\$FILEVERSION=|;-+\+-.*-\+-")


class RecordingError(SwapError):
    """A recording that cannot be opened, or an argument that does not fit it."""


class Recording:
    """An open recording; it can be read as often as wanted, by one reader at a time."""

    def __init__(self, stream: BinaryIO, format: str | None = None, name: str = "") -> None:  # noqa: A002
        if format is not None and format not in FORMATS:
            raise RecordingError(f"unknown format {format!r}; known formats: {', '.join(FORMATS)}")
        self._stream = stream
        if format is None:
            stream.seek(0)
            format = recognise(stream.read(_HEAD), name)  # noqa: A001
        self.format = format
        """The name of the format, one of FORMATS."""

    def reader(self) -> RecordReader:
        """A new reader at the beginning of the file; it ends the use of the one before."""
        self._stream.seek(0)
        return FORMATS[self.format](self._stream)

    def close(self) -> None:
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_recording(path: Path, format: str | None = None) -> Recording:  # noqa: A002
    """The file, recognised or of the format named; what comes through a pipe is held in memory.

    RecordingError for a file that cannot be opened and for an unknown format.
    """
    stream = _open(path)
    try:
        return Recording(stream, format, path.name)
    except OSError as error:  # a directory opens on some systems and fails when it is read
        stream.close()
        raise RecordingError(_why(path, error)) from error
    except RecordingError:
        stream.close()
        raise


def recognise(head: bytes, name: str = "") -> str:
    """The format of a file that begins with these bytes; candump where neither they nor the name tell."""
    if head.startswith(b"LOGG"):
        return "blf"
    if head[:4] in MAGICS:
        return "pcap"
    if head.startswith(NG_MAGIC):
        return "pcapng"
    head = head[: head.rfind(b"\n") + 1] or head
    text = head.decode(encoding_of(head), "replace").removeprefix("\ufeff")
    for line in text.splitlines():
        if found := _format_of(line.strip()):
            return found
    suffix = Path(name).suffix.lower().removeprefix(".")
    return suffix if suffix in FORMATS else DEFAULT


def _format_of(line: str) -> str | None:
    if _CANDUMP_LINE.match(line):
        return "candump"
    if _TRC_LINE.match(line):
        return "trc"
    if _ASC_LINE.match(line):
        return "asc"
    if line.startswith("timestamp,arbitration_id,"):
        return "csv"
    if is_savvycan(line):
        return "savvycan"
    return "zcanpro" if is_zcanpro(line) else None


def _open(path: Path) -> BinaryIO:
    try:
        stream = path.open("rb")
        if stream.seekable():
            return stream
        with stream:
            return BytesIO(stream.read())
    except OSError as error:
        raise RecordingError(_why(path, error)) from error


def _why(path: Path, error: OSError) -> str:
    shown = str(path).encode("unicode_escape").decode("ascii") if not str(path).isprintable() else str(path)
    return f"{shown}: {error.strerror or error}; a recording is wanted: {', '.join(FORMATS)}"
