"""What a session tells its application. All instants are those given to the call that caused the event."""

from enum import StrEnum
from typing import TypeAlias

import msgspec

from swapproto.frame import Instant
from swapproto.link import LinkEvent
from swapproto.messages.gbt27930 import BEM, CEM, ChargingMessage, Party
from swapproto.provenance import Source
from swapproto.transport.events import TpViolation, TransferAborted


class StateChanged(msgspec.Struct, frozen=True, gc=False):
    """The machine moved; cause is the input that its table names."""

    before: StrEnum
    after: StrEnum
    cause: StrEnum
    at: Instant


class PeerViolation(msgspec.Struct, frozen=True, gc=False):
    """The peer sent what has no place in this state; the state stays and no timer is touched."""

    state: StrEnum
    cause: StrEnum
    message: ChargingMessage
    source: Source
    """The rule that the message departs from."""
    at: Instant


class TimedOut(msgspec.Struct, frozen=True, gc=False):
    """A time limit ran out; timer is its name in ``timing.TIMERS``."""

    timer: str
    at: Instant


class Paused(msgspec.Struct, frozen=True, gc=False):
    """The charge rests: on the charger the output is off, on the BMS the charger says so."""

    at: Instant


class Resumed(msgspec.Struct, frozen=True, gc=False):
    """A pause is over."""

    at: Instant


class ErrorReported(msgspec.Struct, frozen=True, gc=False):
    """A party began to say with BEM or CEM what it misses."""

    by: Party
    message: BEM | CEM
    at: Instant


class SessionEnded(msgspec.Struct, frozen=True, gc=False):
    """Nothing more will be sent until the plug was pulled; complete after statistics were exchanged."""

    complete: bool
    reason: StrEnum
    """The input that ended it."""
    at: Instant


SessionEvent: TypeAlias = (
    StateChanged | PeerViolation | TimedOut | Paused | Resumed | ErrorReported | SessionEnded
)


class Undecodable(msgspec.Struct, frozen=True, gc=False):
    """A payload that could not be read at all; the session did not see it."""

    kind: type[ChargingMessage]
    payload: bytes
    field: str | None
    """The field at fault, None where the whole payload is."""
    reason: str
    at: Instant


EndpointEvent: TypeAlias = SessionEvent | Undecodable | TpViolation | TransferAborted | LinkEvent
