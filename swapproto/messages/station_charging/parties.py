"""Bases of the extension messages: the addresses of GB/T 27930, and what is public of all of them."""

from typing import ClassVar

from swapproto.messages.gbt27930 import ChargingMessage, Party, Phase
from swapproto.provenance import Basis, Source

SWAP_STATION = Source(
    "swap-station DBC (GB/T 27930 with a maker's extensions)",
    Basis.OBSERVED,
    1,
    "bits that it leaves undeclared are sent as ones, as GB/T 27930 has it: assumed",
)
NOT_RECORDED = "no public recording of the station charging extensions"
BY_HAND = "computed by hand from the DBC's start bits and scales"


class StationMessage(ChargingMessage):
    """A message that a maker added to GB/T 27930; neither its period nor its phase is public."""

    priority: ClassVar[int] = 6
    period_ms: ClassVar[int | None] = None
    phase: ClassVar[Phase | None] = None
    source: ClassVar[Source] = SWAP_STATION
    optional: ClassVar[bool] = True
    extension: ClassVar[bool] = True
    unseen: ClassVar[str] = NOT_RECORDED


class FromStation(
    StationMessage,
    sender=Party.CHARGER,
    source_address=Party.CHARGER.value,
    destination_address=Party.BMS.value,
):
    """Sent by the station's charger (SA 56h) to the pack (DA F4h)."""


class FromPack(
    StationMessage,
    sender=Party.BMS,
    source_address=Party.BMS.value,
    destination_address=Party.CHARGER.value,
):
    """Sent by the pack (SA F4h) to the station's charger (DA 56h)."""
