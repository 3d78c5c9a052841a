"""Who sends: bases of all message classes of the family, with the addresses filled in."""

from collections.abc import Mapping
from typing import ClassVar

from swapproto.j1939 import identifier
from swapproto.messages.gbt27930.codes import LAYOUT_2015, Party, Phase
from swapproto.provenance import Source
from swapproto.wire.message import Message


class ChargingMessage(Message):
    """A message between charger and BMS."""

    sender: ClassVar[Party]
    phase: ClassVar[Phase | None]
    source: ClassVar[Source] = LAYOUT_2015
    both_ways: ClassVar[bool] = False
    """Whether either party may send it."""
    extension: ClassVar[bool] = False
    """Whether a maker added it to the standard; the phase of such a message is not public."""

    @classmethod
    def identifiers(cls) -> Mapping[int, Party]:
        """Every identifier under which the message travels in one frame, with its sender."""
        senders = (Party.BMS, Party.CHARGER) if cls.both_ways else (cls.sender,)
        return {identifier(cls.pgn, cls.priority, who.peer.value, who.value): who for who in senders}


class FromCharger(
    ChargingMessage,
    sender=Party.CHARGER,
    source_address=Party.CHARGER.value,
    destination_address=Party.BMS.value,
):
    """Sent by the charger (SA 56h) to the BMS (DA F4h)."""


class FromBms(
    ChargingMessage,
    sender=Party.BMS,
    source_address=Party.BMS.value,
    destination_address=Party.CHARGER.value,
):
    """Sent by the BMS (SA F4h) to the charger (DA 56h)."""
