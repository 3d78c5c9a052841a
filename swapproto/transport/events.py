"""What an endpoint tells its application."""

from enum import StrEnum
from typing import TypeAlias

import msgspec

from swapproto.frame import CanFrame, Instant
from swapproto.transport.rules import Violation


class AbortedBy(StrEnum):
    """Who ended a transfer before its time."""

    US = "us"
    PEER = "peer"
    TIMEOUT = "timeout"


class TransferReceived(msgspec.Struct, frozen=True, gc=False):
    """A whole payload arrived; of an addressed transfer the acknowledgement is on its way."""

    pgn: int
    source: int
    destination: int
    payload: bytes
    started: Instant
    """When the RTS or BAM arrived."""
    finished: Instant
    """When the last missing packet arrived."""


class TransferSent(msgspec.Struct, frozen=True, gc=False):
    """A payload was acknowledged, or the last packet of a broadcast was handed out."""

    pgn: int
    destination: int
    payload: bytes
    started: Instant
    finished: Instant


class TransferAborted(msgspec.Struct, frozen=True, gc=False):
    """A transfer ended without success."""

    pgn: int
    source: int
    destination: int
    by: AbortedBy
    code: int | None
    """Reason byte of the abort, None where a new RTS or BAM of the peer replaced the transfer."""
    reason: str
    at: Instant
    sent: bool
    """Whether the payload was ours to send."""


class TpViolation(msgspec.Struct, frozen=True, gc=False):
    """A frame that broke a rule; unless an abort follows, the transfer it touched goes on."""

    source: int
    destination: int
    reason: Violation
    frame: CanFrame
    at: Instant


TpEvent: TypeAlias = TransferReceived | TransferSent | TransferAborted | TpViolation
