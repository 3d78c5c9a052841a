"""ASC and BLF through python-can's writers, which are given memory to write to and no file."""

import re
from io import BytesIO, StringIO

import can

from swapproto.frame import CanFrame

_MICROSECONDS = 1e6
_LARGEST_CONTAINER = 1 << 22
"""Bytes; a container holds what there is at a flush, so that no object is cut in two."""


def _channel_of(name: str) -> int:
    """The number at the end of a channel's name; both formats know their channels by number."""
    found = re.search(r"(\d{1,3})$", name)
    return int(found[1]) if found else 0


def _message(frame: CanFrame, at_us: int, channel: int, *, own: bool) -> can.Message:
    return can.Message(
        timestamp=at_us / _MICROSECONDS,
        arbitration_id=frame.id,
        is_extended_id=frame.extended,
        is_remote_frame=frame.remote,
        data=None if frame.remote else frame.data,
        is_rx=not own,
        channel=channel,
    )


class AscEncoder:
    """Vector's ASCII log: stamps count from its first frame, and a note is a comment line."""

    def __init__(self, channel: str) -> None:
        self._text = StringIO()
        self._writer = can.ASCWriter(self._text)
        self._channel = _channel_of(channel)
        self._first: int | None = None

    def frame(self, frame: CanFrame, at_us: int, *, own: bool) -> None:
        if self._first is None:
            self._first = at_us
        # The writer would take a stamp before the first for one that counts from it.
        self._writer.on_message_received(_message(frame, max(at_us, self._first), self._channel, own=own))

    def note(self, text: str, at_us: int) -> None:
        self._text.write(f"// {(at_us - (self._first or at_us)) / _MICROSECONDS:9.6f} {text}\n")

    def take(self) -> bytes:
        text = self._text.getvalue()
        self._text.seek(0)
        self._text.truncate()
        return text.encode("ascii", "backslashreplace")

    def end(self) -> bytes:
        return b"End TriggerBlock\n"

    def head(self, size: int) -> bytes:  # noqa: ARG002  (a log has none)
        return b""


class _BlfWriter(can.BLFWriter):
    """Lets the caller say when a container and the head of the file are made."""

    max_container_size = _LARGEST_CONTAINER

    def container(self) -> None:
        self._flush()

    def head(self, size: int) -> None:
        self._write_header(size)


class BlfEncoder:
    """Vector's binary log; a note is a global marker. The head is renewed with each container."""

    def __init__(self, channel: str) -> None:
        self._bytes = BytesIO()
        self._writer = _BlfWriter(self._bytes)
        self._channel = _channel_of(channel)

    def frame(self, frame: CanFrame, at_us: int, *, own: bool) -> None:
        self._writer.on_message_received(_message(frame, at_us, self._channel, own=own))

    def note(self, text: str, at_us: int) -> None:
        plain = text.encode("ascii", "backslashreplace").decode("ascii")
        self._writer.log_event(plain, at_us / _MICROSECONDS)

    def take(self) -> bytes:
        self._writer.container()
        return self._drain()

    def end(self) -> bytes:
        return b""

    def head(self, size: int) -> bytes:
        self._writer.head(size)
        return self._drain()

    def _drain(self) -> bytes:
        data = self._bytes.getvalue()
        self._bytes.seek(0)
        self._bytes.truncate()
        return data
