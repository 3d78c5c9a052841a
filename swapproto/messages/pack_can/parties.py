"""Who sends to whom: bases of all message classes of the family, with the addresses filled in."""

from enum import Enum
from typing import ClassVar

from swapproto.j1939 import GLOBAL_ADDRESS
from swapproto.messages.pack_can.codes import ONE_DBC, Unit
from swapproto.provenance import Basis, Source
from swapproto.wire.message import Message, Vector

HAND = "by hand from the table of the source"


def by_hand(payload: str, values: dict[str, object]) -> Vector:
    """A vector worked out from the source's table; nobody recorded one."""
    return Vector(payload, values, HAND, Basis.DERIVED)


class PackMessage(Message, reserved_bit=0, priority=6, unseen="no public recording of this family"):
    """A message on the vehicle's pack bus; bits that nobody declares are sent as zeros (assumed)."""

    sender: ClassVar[Unit]
    phase: ClassVar[Enum | None] = None
    source: ClassVar[Source] = ONE_DBC
    sealed_field: ClassVar[str | None] = None
    """The field whose value a maker's algorithm makes that is not public: see ``seal``."""


class FromPack(
    PackMessage,
    sender=Unit.BMS,
    source_address=Unit.BMS.value,
    destination_address=Unit.VEHICLE.value,
):
    """Sent by the pack (SA F3h) to the vehicle (DA D0h)."""


class ToAll(FromPack, destination_address=GLOBAL_ADDRESS):
    """Sent by the pack with a PDU format of F0h or more: D0h is then part of the PGN."""


class FromVehicle(
    PackMessage,
    sender=Unit.VEHICLE,
    source_address=Unit.VEHICLE.value,
    destination_address=Unit.BMS.value,
):
    """Sent by the vehicle (SA D0h) to the pack (DA F3h)."""
