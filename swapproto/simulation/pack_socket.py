"""Where a pack is plugged in: its node is on the bus while it has a supply, and silent otherwise."""

from swapproto.frame import Instant
from swapproto.models.pack_node import PackNode
from swapproto.models.swap_pack import SwapPack
from swapproto.runtime.virtual import Port, VirtualBus


class PackSocket:
    """Attaches and detaches the node of whichever pack is there."""

    def __init__(self, bus: VirtualBus, *, in_station: bool) -> None:
        self._bus = bus
        self._in_station = in_station
        self._there: tuple[PackNode, Port] | None = None

    def update(self, pack: SwapPack | None, now: Instant) -> None:
        """The pack that has a supply now, None where none has."""
        if self._there is not None and self._there[0].pack is not pack:
            node, port = self._there
            node.supply(now, on=False)
            self._bus.detach(port)
            self._there = None
        if self._there is None and pack is not None:
            node = PackNode(pack, in_station=self._in_station)
            node.supply(now, on=True)
            self._there = node, self._bus.attach(node, "pack")
