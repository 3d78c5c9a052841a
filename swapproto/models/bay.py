"""A bay of the station: a seat, its plugs, and whether the pack in it has a supply."""

from swapproto.frame import Instant
from swapproto.messages.pack_can import Connection
from swapproto.models.drive import Drive
from swapproto.models.swap_pack import SwapPack
from swapproto.session.swap.messages import BayConnect, BayDisconnect, BayReport, Place, Reading

CONNECT_TIME = 4.0
"""Seconds for the bay's plugs and couplers; assumed."""
HEIGHT = 0.5
"""Metres above the ground; assumed."""


class Bay:
    """The supply is switched on with the plug, and off once a charged pack is left to itself (assumed)."""

    def __init__(self, place: Place, pack: SwapPack | None = None) -> None:
        self.place = place
        self.pack = pack
        self.plug = Drive(1 / CONNECT_TIME, 0.0 if pack is None else 1.0)
        """0 apart, 1 joined."""
        self.awake = False
        """Whether the low-voltage supply is on."""
        self.height = HEIGHT

    def carry_out(self, order: BayDisconnect | BayConnect, now: Instant) -> None:
        joining = isinstance(order, BayConnect)
        self.plug.go(float(joining), now)
        if joining:
            self.awake = True

    def joined(self, now: Instant) -> bool:
        """As on the truck, the last contacts break and make at the end of the movement."""
        position = self.plug.position(now)
        return position >= 1 if self.plug.target >= 1 else position > 0

    def supplied(self, now: Instant) -> bool:
        """Whether there is a pack that has its low-voltage supply."""
        return self.awake and self.pack is not None and self.joined(now)

    def holds_fast(self, now: Instant) -> bool:
        return self.joined(now)

    def report(self, now: Instant) -> BayReport:
        return BayReport(
            place=self.place,
            present=Reading(self.pack is not None),
            connector=Reading(Connection.CONNECTED if self.joined(now) else Connection.NOT_CONNECTED),
            thermal_event=self.pack is not None and self.pack.thermal_event,
        )
