"""The charger link of one real station: frames `AA F5` with a length and a checksum, one vendor's, observed.

The frame is [1] and the checksum [1]+[inf], verified on one sample frame. Of the bodies only the content is
known and no offset, so they stay bytes.
"""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from swapproto.errors import LocalProtocolError
from swapproto_drivers.framing.declare import Layout, construct
from swapproto_drivers.framing.reader import Dropped, Reason, Taken

START = b"\xaa\xf5"
LONGEST = 4096
"""Bytes of a frame at most; our bound, the length field has room for 65535."""

FRAME = Layout(
    start=construct.Const(START),
    length=construct.Int16ul,  # of the whole frame
    info=construct.Int8ul,
    sequence=construct.Int8ul,
    command=construct.Int16ul,
    body=construct.Bytes(construct.this.length - 9),
    checksum=construct.Int8ul,  # low byte of the sum of command and body
)
SHORTEST = 9

MEANINGS: Mapping[int, str] = MappingProxyType(
    {
        **dict.fromkeys((1, 2), "set or query integer parameters"),
        **dict.fromkeys((3, 4), "set or query string parameters"),
        **dict.fromkeys((5, 6), "control command"),
        **dict.fromkeys((7, 8), "start charge"),
        **dict.fromkeys((101, 102), "heartbeat"),
        **dict.fromkeys((103, 104), "status"),
        **dict.fromkeys((105, 106), "sign-in"),
        116: "vehicle CAN relay",
        **dict.fromkeys((118, 120, 207, 208, 221, 222), "other records"),
        **dict.fromkeys((301, 302), "BMS information"),
    }
)
"""What the commands are about [1]."""
ANSWERS: Mapping[int, int] = MappingProxyType(
    {1: 2, 3: 4, 5: 6, 7: 8, 101: 102, 103: 104, 105: 106, 207: 208, 221: 222, 301: 302}
)
"""Command to its answer; derived from the pairs in which the source lists them."""


class ChargerFrame(msgspec.Struct, frozen=True, gc=False):
    """One frame; the meaning of ``info`` is not public."""

    command: int
    body: bytes = b""
    sequence: int = 0
    info: int = 0

    def __str__(self) -> str:
        about = MEANINGS.get(self.command, "unknown")
        return f"{self.command} ({about}) sequence {self.sequence}: {self.body.hex(' ')}"


def checksum(frame: bytes) -> int:
    """The checksum that belongs into the last byte of a whole frame."""
    return sum(frame[6:-1]) & 0xFF


def encode(frame: ChargerFrame) -> bytes:
    """The bytes of a frame; LocalProtocolError where a number does not fit or the body is too long."""
    for name, value, limit in (
        ("command", frame.command, 0xFFFF),
        ("sequence", frame.sequence, 0xFF),
        ("info", frame.info, 0xFF),
        ("length", SHORTEST + len(frame.body), LONGEST),
    ):
        if not 0 <= value <= limit:
            raise LocalProtocolError(f"charger link: {name} {value} is not within 0 to {limit}")
    values = msgspec.structs.asdict(frame) | {"length": SHORTEST + len(frame.body), "checksum": 0}
    draft = FRAME.build(values)
    return draft[:-1] + bytes([checksum(draft)])


class ChargerFraming:
    """Finds frames; any good one, whatever stood before it."""

    longest = LONGEST

    def look(self, head: bytearray, *, silent: bool) -> Taken[ChargerFrame] | Dropped | None:  # noqa: ARG002
        start = head.find(START)
        if start < 0:
            useless = len(head) - head.endswith(START[:1])
            return Dropped(useless, Reason.NO_START) if useless else None
        if start:
            return Dropped(start, Reason.NO_START)
        if len(head) < 4:
            return None
        length = int.from_bytes(head[2:4], "little")
        if not SHORTEST <= length <= LONGEST:
            return Dropped(1, Reason.LENGTH)
        if len(head) < length:
            return None
        whole = bytes(head[:length])
        if checksum(whole) != whole[-1]:
            return Dropped(1, Reason.CHECK)
        return Taken(msgspec.convert(FRAME.parse(whole), ChargerFrame), length)
