"""What is known of the 2023 edition's A-type system: the messages of 2015, and these differences.

BST gains a parameter-mismatch field, CST self-check and precharge faults; their bits are not public,
so those two messages are declared as in 2015 and the added bits are unset.
"""

from typing import Annotated, ClassVar

from swapproto.messages.gbt27930 import MESSAGES as MESSAGES_2015
from swapproto.messages.gbt27930 import charging, setup
from swapproto.messages.gbt27930.codes import CONTENT_2023, DRAFT_2023, NegotiationResult, Permission, Phase
from swapproto.messages.gbt27930.parties import ChargingMessage, FromBms, FromCharger
from swapproto.provenance import Basis, Source
from swapproto.wire.fields import Choice, State, U
from swapproto.wire.message import Vector

NOT_RECORDED = "no public recording of the 2023 edition"


class BHM(
    FromBms,
    title="vehicle handshake",
    pgn=0x2700,
    priority=6,
    period_ms=250,
    phase=Phase.HANDSHAKE,
    source=Source("GB/T 27930-2023", Basis.REPORTED, 2),
    unseen=NOT_RECORDED,
):
    """The bytes of 2015 with another meaning: the voltage up to which insulation may be monitored."""

    insulation_voltage: Annotated[float, U(16, at=1, scale=0.1, unit="V", spn=2601)]

    VECTORS: ClassVar = (
        Vector("8E 17", {"insulation_voltage": 603.0}, f"bytes of the {setup.TYU05}", Basis.DERIVED),
    )


class CCS(
    FromCharger,
    title="charger charge state",
    pgn=0x1200,
    priority=6,
    period_ms=50,
    phase=Phase.CHARGING,
    source=CONTENT_2023,
    length=7,
    unseen=NOT_RECORDED,
):
    """The 2015 fields in exactly 7 bytes."""

    voltage: Annotated[float, U(16, at=1, scale=0.1, unit="V", spn=3081)]
    current: Annotated[float, U(16, at=3, scale=0.1, offset=-400, unit="A", spn=3082)]
    elapsed_time: Annotated[int, U(16, at=5, unit="min", low=0, high=600, spn=3083)]
    permission: Annotated[Permission, State(at=7.1, spn=3929)]

    VECTORS: ClassVar = (
        Vector(
            "C9 0E A0 0F 00 00 FD",
            {"voltage": 378.5, "current": 0.0, "elapsed_time": 0, "permission": Permission.ALLOWED},
            f"bytes of the {setup.RU5T}",
            Basis.DERIVED,
        ),
    )


class VersionOffer(
    FromCharger,
    title="version negotiation, charger",
    pgn=0x3C00,
    priority=3,
    period_ms=50,
    phase=Phase.HANDSHAKE,
    source=DRAFT_2023,
    length=8,
    unseen=NOT_RECORDED,
):
    """Which version the charger proposes. The checksum is the low byte of the sum of bytes 1 to 7."""

    can_type: Annotated[int, U(8, at=1)]
    version: Annotated[int, U(24, at=2)]
    checksum: Annotated[int, U(8, at=8)]


class VersionAnswer(
    FromBms,
    title="version negotiation, vehicle",
    pgn=0x3C00,
    priority=3,
    period_ms=50,
    phase=Phase.HANDSHAKE,
    source=DRAFT_2023,
    length=8,
    unseen=NOT_RECORDED,
):
    """The vehicle's answer. One source gives it PGN 3D00h; the draft's 3C00h is declared here."""

    can_type: Annotated[int, U(8, at=1)]
    result: Annotated[NegotiationResult, Choice(at=2)]
    version: Annotated[int, U(24, at=3)]
    checksum: Annotated[int, U(8, at=8)]


_REPLACED: dict[type[ChargingMessage], type[ChargingMessage]] = {setup.BHM: BHM, charging.CCS: CCS}

MESSAGES: tuple[type[ChargingMessage], ...] = (
    VersionOffer,
    VersionAnswer,
    *(_REPLACED.get(message, message) for message in MESSAGES_2015),
)
"""The A-type messages of 2023 as far as they are public."""
