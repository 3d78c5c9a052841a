"""SLCAN, the ASCII lines of LAWICEL's CAN232 and CANUSB and of the many adapters that speak like them.

Besides the frames and answers of those manuals, the error and state lines are read that Linux' slcan driver
knows. A line has no check: noise in hexadecimal digits shows only where it changes a length. A frame begins
with a letter that is no such digit, so noise before it on the same line does not hide it.
"""

import re
from typing import TypeAlias

import msgspec

from swapproto.frame import CanFrame
from swapproto_drivers.framing.reader import Dropped, Reason, Taken

BITRATES = {
    10_000: 0,
    20_000: 1,
    50_000: 2,
    100_000: 3,
    125_000: 4,
    250_000: 5,
    500_000: 6,
    800_000: 7,
    1_000_000: 8,
}
"""Bit/s to the digit of the S command."""
LONGEST = 128
"""Bytes of a line at most; frames have 31, some versions are told in more."""
ERRORS = {
    "a": "ACK",
    "b": "bit 0",
    "B": "bit 1",
    "c": "CRC",
    "f": "form",
    "o": "receive overrun",
    "O": "transmit overrun",
    "s": "stuff",
}
"""Letters of an error line."""

_END = re.compile(rb"[\r\a]")
_FRAME = re.compile(
    rb"([tTrR])((?<=[tr])[0-7][0-9A-Fa-f]{2}|(?<=[TR])[01][0-9A-Fa-f]{7})([0-8])([0-9A-Fa-f]*)\r"
)
_STATE = re.compile(rb"s([awpb])([0-9]{3})([0-9]{3})")
_ERROR = re.compile(rb"e[1-8]([abBcfoOs]+)")
_STATUS = re.compile(rb"F([0-9A-Fa-f]{2})")
_TEXT = re.compile(rb"(?![tTrR][0-9A-Fa-f]*$)[ -~]*")
_STARTS = (b"t", b"T", b"r", b"R")
_BELL = 7


class Heard(msgspec.Struct, frozen=True, gc=False):
    """A frame from the bus; ``stamp`` is the adapter's millisecond where it gives one."""

    frame: CanFrame
    stamp: int | None = None


class Answer(msgspec.Struct, frozen=True, gc=False):
    """What a command was answered with; z and Z accept a frame, an empty one anything."""

    text: str = ""


class Refusal(msgspec.Struct, frozen=True, gc=False):
    """BEL: the adapter did not do what it was told."""


class Status(msgspec.Struct, frozen=True, gc=False):
    """The answer to F, which the adapter then forgets."""

    receive_full: bool
    transmit_full: bool
    warning: bool
    overrun: bool
    passive: bool
    arbitration_lost: bool
    bus_error: bool


class State(msgspec.Struct, frozen=True, gc=False):
    """A state line; ``letter`` is a for active, w for warning, p for passive, b for bus-off."""

    letter: str
    receive_errors: int
    transmit_errors: int


class BusErrors(msgspec.Struct, frozen=True, gc=False):
    """An error line; ERRORS names its letters."""

    letters: str


Line: TypeAlias = Heard | Answer | Refusal | Status | State | BusErrors


def encode(frame: CanFrame) -> bytes:
    """The line that sends a frame that classic CAN can carry."""
    letter = "R" if frame.remote else "T"
    head = f"{letter}{frame.id:08X}" if frame.extended else f"{letter.lower()}{frame.id:03X}"
    data = "" if frame.remote else frame.data.hex().upper()
    return f"{head}{len(frame.data)}{data}\r".encode()


class SlcanFraming:
    """Finds lines; ``stamped`` as the adapter was told by Z1 or Z0, for it changes the length of a frame."""

    longest = LONGEST

    def __init__(self, *, stamped: bool = False) -> None:
        self._stamp = 4 if stamped else 0

    def look(self, head: bytearray, *, silent: bool) -> Taken[Line] | Dropped | None:  # noqa: ARG002
        found = _FRAME.match(head)
        if found is not None and (heard := self._heard(found)) is not None:
            return Taken(heard, found.end())
        ended = _END.search(head, 0, LONGEST)
        if ended is None:
            return Dropped(1, Reason.LENGTH) if len(head) >= LONGEST else None
        end = ended.start()
        if head[end] == _BELL:
            return Dropped(end, Reason.FORM) if end else Taken(Refusal(), 1)
        line = bytes(head[:end])
        behind = self._behind_noise(line)
        if behind:
            return Dropped(behind, Reason.NO_START)
        unit = _other(line)
        return Dropped(end + 1, Reason.FORM) if unit is None else Taken(unit, end + 1)

    def _heard(self, found: re.Match[bytes]) -> Heard | None:
        letter, identifier, digit, rest = found.groups()
        remote = letter in b"rR"
        end = len(rest) - self._stamp
        if end != (0 if remote else 2 * int(digit)):
            return None
        stamp = int(rest[end:], 16) if self._stamp else None
        data = bytes.fromhex(rest[:end].decode())
        return Heard(CanFrame(int(identifier, 16), data, len(identifier) == 8, remote), stamp)

    def _behind_noise(self, line: bytes) -> int:
        """Where in a line a frame begins that something stands before; 0 for nowhere."""
        # No letter of these is a hexadecimal digit, so only the last one can begin a frame.
        start = max(map(line.rfind, _STARTS))
        found = _FRAME.match(line + b"\r", start) if start > 0 else None
        return start if found is not None and self._heard(found) is not None else 0


def _other(line: bytes) -> Line | None:
    if found := _STATUS.fullmatch(line):
        flags = int(found[1], 16)
        return Status(*(bool(flags >> bit & 1) for bit in (0, 1, 2, 3, 5, 6, 7)))
    if found := _STATE.fullmatch(line):
        return State(found[1].decode(), int(found[2]), int(found[3]))
    if found := _ERROR.fullmatch(line):
        return BusErrors(found[1].decode())
    return Answer(line.decode()) if _TEXT.fullmatch(line) else None
