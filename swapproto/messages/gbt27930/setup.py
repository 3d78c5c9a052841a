"""GB/T 27930-2015 before charging: handshake, identification, configuration."""

from datetime import datetime
from typing import Annotated, ClassVar

from swapproto.messages.gbt27930.codes import Chemistry, Ownership, Phase, Ready, Recognition
from swapproto.messages.gbt27930.parties import FromBms, FromCharger
from swapproto.provenance import Basis, Source
from swapproto.wire.fields import BcdTime, Choice, Raw, Text, U
from swapproto.wire.message import Vector

TYU05 = "public bus capture tyu05 (2015 edition)"
RU5T = "public bus capture ru5t candump1 (2015 edition)"
HYBTALENTED = "public bus capture hybtalented (2015 edition)"
VERSION = Source(
    "GB/T 27930-2015, SPN 2600 and 2565",
    Basis.DERIVED,
    2,
    "from V1.1 = 01 01 00 and a recorded V1.0 = 00 01 00",
)


class CHM(
    FromCharger, title="charger handshake", pgn=0x2600, priority=6, period_ms=250, phase=Phase.HANDSHAKE
):
    """The charger says which protocol version it speaks, and begins the session with it."""

    version_minor: Annotated[int, U(8, at=1, spn=2600, source=VERSION)]
    version_major: Annotated[int, U(16, at=2, spn=2600, source=VERSION)]

    VECTORS: ClassVar = (Vector("01 01 00", {"version_minor": 1, "version_major": 1}, TYU05),)


class BHM(FromBms, title="vehicle handshake", pgn=0x2700, priority=6, period_ms=250, phase=Phase.HANDSHAKE):
    """The pack answers with the highest voltage that it permits."""

    max_voltage: Annotated[float, U(16, at=1, scale=0.1, unit="V", spn=2601)]

    VECTORS: ClassVar = (
        Vector("8E 17", {"max_voltage": 603.0}, TYU05),
        Vector("A5 10", {"max_voltage": 426.1}, RU5T),
    )


class CRM(
    FromCharger,
    title="charger identification",
    pgn=0x0100,
    priority=6,
    period_ms=250,
    phase=Phase.IDENTIFICATION,
    length=8,
):
    """The charger's number and region; the result turns to recognised once BRM was read."""

    result: Annotated[Recognition, Choice(at=1, spn=2560)]
    charger_number: Annotated[int, U(32, at=2, spn=2561)]
    region: Annotated[str | None, Text(size=3, at=6, spn=2562)] = None

    VECTORS: ClassVar = (
        Vector(
            "00 01 01 01 01 31 32 33",
            {"result": Recognition.NOT_RECOGNISED, "charger_number": 0x01010101, "region": "123"},
            RU5T,
        ),
        Vector(
            "AA 01 FF FF FF FF FF FF",
            {"result": Recognition.RECOGNISED, "charger_number": 0xFFFFFF01, "region": None},
            TYU05,
        ),
    )


class BRM(
    FromBms,
    title="BMS and vehicle identification",
    pgn=0x0200,
    priority=7,
    period_ms=250,
    phase=Phase.IDENTIFICATION,
    length=49,
):
    """Who the pack is. The table of messages says 41 bytes; the fields and every device make it 49."""

    version_minor: Annotated[int, U(8, at=1, spn=2565, source=VERSION)]
    version_major: Annotated[int, U(16, at=2, spn=2565, source=VERSION)]
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
    software_serial: Annotated[int | None, U(8, at=42, spn=2576)] = None
    software_day: Annotated[int | None, U(8, at=43, spn=2576)] = None
    software_month: Annotated[int | None, U(8, at=44, spn=2576)] = None
    software_year: Annotated[int | None, U(16, at=45, spn=2576)] = None

    VECTORS: ClassVar = (
        Vector(
            "01 01 00 03 3C 00 4C 1D" + " FF" * 41,
            {
                "version_minor": 1,
                "version_major": 1,
                "chemistry": Chemistry.LFP,
                "rated_capacity": 6.0,
                "rated_voltage": 750.0,
            },
            HYBTALENTED,
        ),
    )


class BCP(
    FromBms,
    title="battery charge parameters",
    pgn=0x0600,
    priority=7,
    period_ms=500,
    phase=Phase.CONFIGURATION,
):
    """What the pack may be charged with; the state of charge in tenths, elsewhere in whole per cent."""

    max_cell_voltage: Annotated[float, U(16, at=1, scale=0.01, unit="V", low=0, high=24, spn=2816)]
    max_current: Annotated[float, U(16, at=3, scale=0.1, offset=-400, unit="A", spn=2817)]
    nominal_energy: Annotated[float, U(16, at=5, scale=0.1, unit="kWh", low=0, high=1000, spn=2818)]
    max_voltage: Annotated[float, U(16, at=7, scale=0.1, unit="V", spn=2819)]
    max_temperature: Annotated[int, U(8, at=9, offset=-50, unit="degC", low=-50, high=200, spn=2820)]
    soc: Annotated[float, U(16, at=10, scale=0.1, unit="%", low=0, high=100, spn=2821)]
    voltage: Annotated[float, U(16, at=12, scale=0.1, unit="V", spn=2822)]

    VECTORS: ClassVar = (
        Vector(
            "F4 01 F0 0A B0 04 88 13 AA 32 00 CC 10",
            {
                "max_cell_voltage": 5.0,
                "max_current": -120.0,
                "nominal_energy": 120.0,
                "max_voltage": 500.0,
                "max_temperature": 120,
                "soc": 5.0,
                "voltage": 430.0,
            },
            HYBTALENTED,
        ),
    )


class CTS(
    FromCharger,
    title="time synchronisation",
    pgn=0x0700,
    priority=6,
    period_ms=500,
    phase=Phase.CONFIGURATION,
    optional=True,
):
    """The charger's clock; None (all ones) where it has none."""

    time: Annotated[datetime | None, BcdTime(at=1, spn=2823)] = None

    VECTORS: ClassVar = (
        Vector("36 24 08 16 05 15 20", {"time": datetime(2015, 5, 16, 8, 24, 36)}, TYU05),  # noqa: DTZ001
        Vector("FF FF FF FF FF FF FF", {"time": None}, RU5T),
    )


class CML(
    FromCharger,
    title="charger maximum capability",
    pgn=0x0800,
    priority=6,
    period_ms=250,
    phase=Phase.CONFIGURATION,
):
    """Voltage and current window of the charger; charging currents are negative."""

    max_voltage: Annotated[float, U(16, at=1, scale=0.1, unit="V", spn=2824)]
    min_voltage: Annotated[float, U(16, at=3, scale=0.1, unit="V", spn=2825)]
    max_current: Annotated[float, U(16, at=5, scale=0.1, offset=-400, unit="A", spn=2826)]
    min_current: Annotated[float, U(16, at=7, scale=0.1, offset=-400, unit="A", spn=2827)]

    VECTORS: ClassVar = (
        Vector(
            "58 1B D0 07 D8 0E A0 0F",
            {"max_voltage": 700.0, "min_voltage": 200.0, "max_current": -20.0, "min_current": 0.0},
            TYU05,
        ),
    )


class BRO(FromBms, title="BMS ready", pgn=0x0900, priority=4, period_ms=250, phase=Phase.CONFIGURATION):
    """Whether the pack is ready to be charged."""

    ready: Annotated[Ready, Choice(at=1, spn=2829)]

    VECTORS: ClassVar = (
        Vector("AA", {"ready": Ready.READY}, RU5T),
        Vector("00", {"ready": Ready.NOT_READY}, RU5T),
    )


class CRO(
    FromCharger, title="charger ready", pgn=0x0A00, priority=4, period_ms=250, phase=Phase.CONFIGURATION
):
    """Whether the charger is ready to deliver."""

    ready: Annotated[Ready, Choice(at=1, spn=2830)]

    VECTORS: ClassVar = (
        Vector("AA", {"ready": Ready.READY}, RU5T),
        Vector("00", {"ready": Ready.NOT_READY}, RU5T),
    )
