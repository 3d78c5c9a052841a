"""What a passive listener reports."""

from enum import StrEnum
from typing import TypeAlias

import msgspec

from swapproto.frame import Instant
from swapproto.j1939 import GLOBAL_ADDRESS
from swapproto.transport.events import TpViolation


class Transfer(msgspec.Struct, frozen=True, gc=False):
    """A payload of which every packet was heard."""

    pgn: int
    source: int
    destination: int
    payload: bytes
    started: Instant
    """Of the RTS or BAM."""
    finished: Instant
    """Of the last data packet: the instant of the message."""
    acknowledged: bool
    """Whether the EndOfMsgAck was heard; a broadcast has none."""
    packets: int
    """Data packets heard, repeated ones included."""

    @property
    def complete(self) -> bool:
        """Whether nothing of the transfer is missing, the acknowledgement of an addressed one included."""
        return self.acknowledged or self.destination == GLOBAL_ADDRESS


class Ending(StrEnum):
    """Why a transfer brought no payload."""

    ABORTED = "aborted"
    SUPERSEDED = "superseded by a new RTS or BAM"
    SILENT = "silent for longer than any timer allows"
    UNHEARD = "acknowledged, but not all of its packets were heard"
    EVICTED = "more transfers open than are kept"
    OPEN_AT_END = "open at the end"


class Unfinished(msgspec.Struct, frozen=True, gc=False):
    """A transfer that ended without its payload."""

    pgn: int
    source: int
    destination: int
    ending: Ending
    reason: str
    started: Instant
    at: Instant
    """When it ended; of a silent one, when its last timer ran out."""
    heard: int
    """Different packets heard."""
    packets: int
    """Packets announced."""
    aborted_by: int | None = None
    """Address of the party that aborted."""
    code: int | None = None
    """Reason byte of the abort."""


WatchEvent: TypeAlias = Transfer | Unfinished | TpViolation
