"""What the orchestrator asks of the station behind it: its stock, its authorisation service, its records."""

from enum import Enum
from typing import Protocol

import msgspec

from swapproto.frame import Instant
from swapproto.session.swap.messages import Place


class Plan(msgspec.Struct, frozen=True):
    """Which bays a swap uses."""

    pick: Place
    """Holds the pack that the truck gets."""
    store: Place
    """Empty; takes the pack that the truck brings."""


class Direction(Enum):
    """Which of the two packs of a swap."""

    INCOMING = "incoming"
    """The truck brings it."""
    OUTGOING = "outgoing"
    """The truck gets it."""


class StationPlant(Protocol):
    """Every method is cheap, may be called in every cycle, and answers None while it does not know yet."""

    def plan(self, vin: str, now: Instant) -> Plan | None:
        """A pack for this truck and a place for its own, kept for it until the swap ends."""
        ...

    def authorise(self, direction: Direction, code: str, vin: str, now: Instant) -> bool | None:
        """Whether a pack may be swapped: cloud first, then local. Asked once the pack has told its code."""
        ...

    def record(self, plan: Plan, vin: str, now: Instant) -> bool | None:
        """Report the swap; True when the record is kept."""
        ...
