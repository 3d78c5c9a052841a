"""What the 2011 edition has otherwise: derived from the 2015 tables and from recordings, its text unread.

CHM and BHM do not exist there, and the length of CSD is not known; the other messages are as in 2015.
"""

from typing import Annotated, ClassVar

from swapproto.messages.gbt27930 import charging, diagnosis, ending, setup
from swapproto.messages.gbt27930.codes import LAYOUT_2011, Chemistry, Ownership, Phase, Recognition
from swapproto.messages.gbt27930.parties import ChargingMessage, FromBms, FromCharger
from swapproto.wire.fields import Choice, Raw, Text, U
from swapproto.wire.message import Vector

ONTOM = "public recording ontom bev150 (2011 edition)"


class CRM(
    FromCharger,
    title="charger identification",
    pgn=0x0100,
    priority=6,
    period_ms=250,
    phase=Phase.IDENTIFICATION,
    source=LAYOUT_2011,
    length=8,
):
    """As in 2015, but the charger's number is one byte and the region code six."""

    result: Annotated[Recognition, Choice(at=1, spn=2560)]
    charger_number: Annotated[int, U(8, at=2, spn=2561)]
    region: Annotated[str | None, Text(size=6, at=3, spn=2562)] = None

    VECTORS: ClassVar = (
        Vector(
            "00 01 5A 48 2D 43 4E FF",
            {"result": Recognition.NOT_RECOGNISED, "charger_number": 1, "region": "ZH-CN"},
            ONTOM,
        ),
    )


class BRM(
    FromBms,
    title="BMS and vehicle identification",
    pgn=0x0200,
    priority=7,
    period_ms=250,
    phase=Phase.IDENTIFICATION,
    source=LAYOUT_2011,
    length=41,
):
    """As in 2015, without the software version (SPN 2576)."""

    version_minor: Annotated[int, U(8, at=1, spn=2565, source=setup.VERSION)]
    version_major: Annotated[int, U(16, at=2, spn=2565, source=setup.VERSION)]
    chemistry: Annotated[Chemistry, Choice(at=4, spn=2566)]
    rated_capacity: Annotated[float, U(16, at=5, scale=0.1, unit="Ah", spn=2567)]
    rated_voltage: Annotated[float, U(16, at=7, scale=0.1, unit="V", spn=2568)]
    maker: Annotated[str | None, Text(size=4, at=9, spn=2569)] = None
    pack_serial: Annotated[bytes | None, Raw(size=4, at=13, spn=2570)] = None
    production_year: Annotated[int | None, U(8, at=17, offset=1985, high=2235, spn=2571)] = None
    production_month: Annotated[int | None, U(8, at=18, low=1, high=12, spn=2571)] = None
    production_day: Annotated[int | None, U(8, at=19, low=1, high=31, spn=2571)] = None
    charge_count: Annotated[int | None, U(24, at=20, spn=2572)] = None
    ownership: Annotated[Ownership | None, Choice(at=23, spn=2573)] = None
    reserved: Annotated[int | None, U(8, at=24, spn=2574)] = None
    vin: Annotated[str | None, Text(size=17, at=25, spn=2575)] = None

    VECTORS: ClassVar = (
        Vector(
            "00 01 00 03 D0 02 80 0C" + " FF" * 14 + " 01" + " FF" * 18,
            {
                "version_minor": 0,
                "version_major": 1,
                "chemistry": Chemistry.LFP,
                "rated_capacity": 72.0,
                "rated_voltage": 320.0,
                "ownership": Ownership.OWNED,
            },
            ONTOM,
        ),
    )


class CML(
    FromCharger,
    title="charger maximum capability",
    pgn=0x0800,
    priority=6,
    period_ms=250,
    phase=Phase.CONFIGURATION,
    source=LAYOUT_2011,
):
    """As in 2015, without the lowest current (SPN 2827)."""

    max_voltage: Annotated[float, U(16, at=1, scale=0.1, unit="V", spn=2824)]
    min_voltage: Annotated[float, U(16, at=3, scale=0.1, unit="V", spn=2825)]
    max_current: Annotated[float, U(16, at=5, scale=0.1, offset=-400, unit="A", spn=2826)]

    VECTORS: ClassVar = (
        Vector(
            "4C 1D D0 07 B8 0B", {"max_voltage": 750.0, "min_voltage": 200.0, "max_current": -100.0}, ONTOM
        ),
    )


class CCS(
    FromCharger,
    title="charger charge state",
    pgn=0x1200,
    priority=6,
    period_ms=50,
    phase=Phase.CHARGING,
    source=LAYOUT_2011,
):
    """As in 2015, without the charge permission (SPN 3929)."""

    voltage: Annotated[float, U(16, at=1, scale=0.1, unit="V", spn=3081)]
    current: Annotated[float, U(16, at=3, scale=0.1, offset=-400, unit="A", spn=3082)]
    elapsed_time: Annotated[int, U(16, at=5, unit="min", low=0, high=600, spn=3083)]

    VECTORS: ClassVar = (
        Vector("CC 0C A0 0F 00 00", {"voltage": 327.6, "current": 0.0, "elapsed_time": 0}, ONTOM),
    )


MESSAGES: tuple[type[ChargingMessage], ...] = (
    CRM, BRM, setup.BCP, setup.CTS, CML, setup.BRO, setup.CRO,
    charging.BCL, charging.BCS, CCS, charging.BSM, charging.BMV, charging.BMT, charging.BSP,
    ending.BST, ending.CST, ending.BSD, ending.CSD, ending.BEM, ending.CEM,
    diagnosis.DM1, diagnosis.DM2, diagnosis.DM3, diagnosis.DM4, diagnosis.DM5, diagnosis.DM6,
)  # fmt: skip
"""Every message that recordings of the 2011 edition show, and those whose layout it can only share."""
