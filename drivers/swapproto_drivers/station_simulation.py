"""A station controller and its PLC that talk to each other: the locks of one swap, and nothing else.

Only what is public is simulated: who repeats what, and the dialogue about the truck's locks. That a request
is 1 and no request 0 is assumed; a lock that is not locked is reported as unknown, for only 2, locked, is
public.
"""

from enum import Enum

import msgspec

from swapproto.frame import SECOND, Instant
from swapproto_drivers.framing.plc_link import PLCR1, PLCR2, PLCR3, PLCW4, PLCW5, PLCW6, PlcMessage, Side
from swapproto_drivers.station_links import PlcLinkEnd

LOCKED = 2
"""Base lock status of a truck whose pack is locked [1]."""
REQUEST = 1
CONNECTED = 1
"""Assumed, both."""


class SimulatedStation(PlcLinkEnd):
    """The station's computer: hears of the truck from its swap controller, and passes requests on to it."""

    def __init__(self, now: Instant, *, commands: bytes = b"") -> None:
        super().__init__(Side.STATION)
        unknown = (None,) * 7
        self.show(PLCR1(unknown, unknown, None), now)
        self.show(PLCR2(0, commands), now)
        self.truck: PLCR3 | None = None

    def truck_connected(self, now: Instant) -> None:
        """A truck's swap controller is connected, its pack locked, all else about it unknown."""
        self._report(PLCR3(CONNECTED, None, None, None, LOCKED, None, None, None), now)

    def swap_done(self) -> None:
        """The truck leaves the link's view."""
        self.truck = None
        self.withdraw(PLCR3)

    def receive(self, message: PlcMessage, now: Instant) -> None:
        super().receive(message, now)
        if self.truck is not None and isinstance(message, PLCW6):
            if message.unlock_request == REQUEST:
                self._report(msgspec.structs.replace(self.truck, base_lock=None), now)
            elif message.lock_request == REQUEST:
                self._report(msgspec.structs.replace(self.truck, base_lock=LOCKED), now)

    def _report(self, truck: PLCR3, now: Instant) -> None:
        self.truck = truck
        self.show(truck, now)


class Phase(Enum):
    """What the simulated PLC is about."""

    IDLE = "waiting for a truck"
    UNLOCKING = "asking to unlock"
    EXCHANGE = "exchanging packs"
    LOCKING = "asking to lock"
    DONE = "done with this truck"


class SimulatedPlc(PlcLinkEnd):
    """The PLC: has a truck that appears unlocked, exchanges the packs and has it locked again."""

    def __init__(self, now: Instant, *, bays: bytes = b"", robot: bytes = b"", exchange: Instant = SECOND):
        super().__init__(Side.PLC)
        self.phase = Phase.IDLE
        self._exchange = exchange
        self._exchanged: Instant = 0
        self.show(PLCW4(bays), now)
        self.show(PLCW5(robot), now)

    def receive(self, message: PlcMessage, now: Instant) -> None:
        super().receive(message, now)
        if isinstance(message, PLCR3):
            self._see(message.bsc_connected == CONNECTED, message.base_lock == LOCKED, now)

    def handle_timeout(self, now: Instant) -> None:
        if self.phase is Phase.EXCHANGE and now >= self._exchanged:
            self._enter(Phase.LOCKING, PLCW6(0, REQUEST), now)
        super().handle_timeout(now)

    def next_timeout(self) -> Instant | None:
        due = super().next_timeout()
        if self.phase is Phase.EXCHANGE:
            return self._exchanged if due is None else min(due, self._exchanged)
        return due

    def next_truck(self) -> None:
        """Forget the truck that is done with."""
        self.phase = Phase.IDLE

    def _see(self, connected: bool, locked: bool, now: Instant) -> None:
        if self.phase is Phase.IDLE and connected and locked:
            self._enter(Phase.UNLOCKING, PLCW6(REQUEST, 0), now)
        elif self.phase is Phase.UNLOCKING and not locked:
            self._exchanged = now + self._exchange
            self._enter(Phase.EXCHANGE, PLCW6(0, 0), now)
        elif self.phase is Phase.LOCKING and locked:
            self.phase = Phase.DONE
            self.withdraw(PLCW6)

    def _enter(self, phase: Phase, request: PLCW6, now: Instant) -> None:
        self.phase = phase
        self.show(request, now)
