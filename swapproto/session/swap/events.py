"""What the machines of a swap tell their application, besides ``session.events.StateChanged``."""

from enum import Enum, StrEnum
from typing import TypeAlias

import msgspec

from swapproto.frame import Instant
from swapproto.session.events import StateChanged
from swapproto.session.swap.messages import Order, Place
from swapproto.session.swap.refusal import Refusal


class Verdict(Enum):
    """The result of a check or step; one real station counts these from 0 [facts 3.2, one witness]."""

    NOT_STARTED = 0
    RUNNING = 1
    PASSED = 2
    FAILED = 3
    PAUSED = 4
    """For a manual decision."""
    CANCELLED = 5


class CheckChanged(msgspec.Struct, frozen=True, gc=False):
    """A check or step has a new result."""

    check: StrEnum
    verdict: Verdict
    at: Instant


class OrderGiven(msgspec.Struct, frozen=True):
    """An order passed its interlock."""

    order: Order
    at: Instant


class OrderRefused(msgspec.Struct, frozen=True):
    """An interlock keeps an order back; told once for as long as the reasons stay the same."""

    refusal: Refusal
    at: Instant


class OrderMisplaced(msgspec.Struct, frozen=True):
    """The station ordered what has no place in the state; nothing follows from it."""

    state: StrEnum
    order: Order
    at: Instant


class StepLate(msgspec.Struct, frozen=True, gc=False):
    """A step did not reach its goal within its limit; attempt counts from 1."""

    step: StrEnum
    attempt: int
    at: Instant


class Held(msgspec.Struct, frozen=True, gc=False):
    """Nothing moves until an operator decides."""

    state: StrEnum
    cause: StrEnum
    at: Instant


class PackSilent(msgspec.Struct, frozen=True, gc=False):
    """A pack that was connected again has not reported within its limit."""

    place: Place
    at: Instant


SwapEvent: TypeAlias = (
    StateChanged | CheckChanged | OrderGiven | OrderRefused | OrderMisplaced | StepLate | Held | PackSilent
)
