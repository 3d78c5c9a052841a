"""Frames and instants: what every layer above a driver passes around."""

from typing import TypeAlias

import msgspec

from swapproto.errors import LocalProtocolError

Instant: TypeAlias = int
"""A moment on a link's own clock, in integer nanoseconds; only differences have a meaning."""

MICROSECOND = 1_000
MILLISECOND = 1_000_000
SECOND = 1_000_000_000

MAX_STANDARD_ID = 0x7FF
MAX_EXTENDED_ID = 0x1FFF_FFFF


class CanFrame(msgspec.Struct, frozen=True, gc=False):
    """One frame of classic CAN; identifiers are 29-bit unless said otherwise."""

    id: int
    data: bytes = b""
    extended: bool = True
    remote: bool = False

    def __str__(self) -> str:
        width = 8 if self.extended else 3
        return f"{self.id:0{width}X}#{'R' if self.remote else self.data.hex().upper()}"


class Received(msgspec.Struct, frozen=True, gc=False):
    """A frame with the instant at which its last bit was on the bus."""

    frame: CanFrame
    at: Instant


def check_frame(frame: CanFrame) -> None:
    """Raise LocalProtocolError for a frame that classic CAN cannot carry."""
    limit = MAX_EXTENDED_ID if frame.extended else MAX_STANDARD_ID
    if not 0 <= frame.id <= limit:
        width = 29 if frame.extended else 11
        raise LocalProtocolError(f"frame identifier {frame.id:#x} does not fit in {width} bits")
    if len(frame.data) > 8:
        raise LocalProtocolError(
            f"frame {frame.id:#x} has {len(frame.data)} data bytes: classic CAN carries 8"
        )
