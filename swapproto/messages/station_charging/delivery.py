"""Charging through several connectors at once, and packs that deliver energy to the station (V2G)."""

from typing import Annotated, ClassVar

from swapproto.messages.station_charging.codes import Channels, ChargeType, Scene
from swapproto.messages.station_charging.parties import BY_HAND, SWAP_STATION, FromPack, FromStation
from swapproto.provenance import Basis, Source
from swapproto.wire.fields import Choice, Text, U
from swapproto.wire.message import Vector

_NO_UNIT = "the unit is not public"
_NO_MEANING = "what its values mean is not public"
_WHOLE_PER_CENT = Source(SWAP_STATION.at, Basis.ASSUMED, 0, "no scale is public; BCPP has whole per cent")
_ONE_SCALE = Source(SWAP_STATION.at, Basis.DERIVED, 1, "one scale is given for the pair of cycles")


class SpecialRequest(FromStation, title="special request", pgn=0x6100, length=8):
    """The station asks for a special operation."""

    scene: Annotated[Scene, Choice(bits=3, at=1.1)]
    channels: Annotated[Channels, Choice(bits=3, at=1.4)]

    VECTORS: ClassVar = (
        Vector(
            "D2 FF FF FF FF FF FF FF",
            {"scene": Scene.STORAGE_V2G, "channels": Channels.SINGLE},
            BY_HAND,
            Basis.DERIVED,
        ),
    )


class SpecialResponse(FromPack, title="special response", pgn=0x6200, length=8):
    """The pack's answer to a special request."""

    scene: Annotated[Scene, Choice(bits=3, at=1.1)]
    charge_type: Annotated[ChargeType, Choice(bits=3, at=1.4)]

    VECTORS: ClassVar = (
        Vector(
            "C9 FF FF FF FF FF FF FF",
            {"scene": Scene.MINE_TRUCK_DELIVERY, "charge_type": ChargeType.FOUR_CHANNELS},
            BY_HAND,
            Basis.DERIVED,
        ),
    )


class CFC(FromStation, title="parallel charging, charger", pgn=0x3000, length=8):
    """The charger on charging through several connectors, beyond the 400 A of one."""

    current_offset: Annotated[int, U(8, at=1, scale=100, unit="A")]
    connectors: Annotated[int, U(4, at=2.1)]
    answer: Annotated[int, U(2, at=2.5, note=_NO_MEANING)]

    VECTORS: ClassVar = (
        Vector(
            "04 D2 FF FF FF FF FF FF",
            {"current_offset": 400, "connectors": 2, "answer": 1},
            BY_HAND,
            Basis.DERIVED,
        ),
    )


class BFC(FromPack, title="parallel charging, BMS", pgn=0x3100, length=8):
    """The pack on charging through several connectors."""

    current_offset: Annotated[int, U(8, at=1, scale=100, unit="A")]
    connectors: Annotated[int, U(4, at=2.1)]
    answer: Annotated[int, U(2, at=2.5, note=_NO_MEANING)]

    VECTORS: ClassVar = (
        Vector(
            "08 E4 FF FF FF FF FF FF",
            {"current_offset": 800, "connectors": 4, "answer": 2},
            BY_HAND,
            Basis.DERIVED,
        ),
    )


class BCPP(FromPack, title="V2G limits of the pack", pgn=0x3000):
    """Down to where and how fast the pack may be discharged."""

    max_current: Annotated[float, U(16, at=1, scale=0.1, offset=-400, unit="A")]
    max_voltage: Annotated[float, U(16, at=3, scale=0.1, unit="V")]
    min_cell_voltage: Annotated[float, U(16, at=5, scale=0.01, unit="V")]
    min_soc: Annotated[int, U(8, at=7, unit="%")]

    VECTORS: ClassVar = (
        Vector(
            "64 19 4C 1D 18 01 14",
            {"max_current": 250.0, "max_voltage": 750.0, "min_cell_voltage": 2.8, "min_soc": 20},
            BY_HAND,
            Basis.DERIVED,
        ),
    )


class CMLP(FromStation, title="V2G limits of the charger", pgn=0x3100):
    """Voltage and current window in which the charger can take energy."""

    max_voltage: Annotated[float, U(16, at=1, scale=0.1, unit="V")]
    min_voltage: Annotated[float, U(16, at=3, scale=0.1, unit="V")]
    max_current: Annotated[float, U(16, at=5, scale=0.1, offset=-400, unit="A")]
    min_current: Annotated[float, U(16, at=7, scale=0.1, offset=-400, unit="A")]

    VECTORS: ClassVar = (
        Vector(
            "10 27 D0 07 64 19 A0 0F",
            {"max_voltage": 1000.0, "min_voltage": 200.0, "max_current": 250.0, "min_current": 0.0},
            BY_HAND,
            Basis.DERIVED,
        ),
    )


class CCD(FromStation, title="direction of the energy", pgn=0x3200):
    """Which way energy is to flow, and between which states of charge."""

    direction: Annotated[int, U(8, at=1, note=_NO_MEANING)]
    max_soc: Annotated[int, U(8, at=2, unit="%", source=_WHOLE_PER_CENT)]
    min_soc: Annotated[int, U(8, at=3, unit="%", source=_WHOLE_PER_CENT)]

    VECTORS: ClassVar = (
        Vector("01 5A 14", {"direction": 1, "max_soc": 90, "min_soc": 20}, BY_HAND, Basis.DERIVED),
    )


class CSDP(FromStation, title="V2G statistics of the charger", pgn=0x3300):
    """How long and how much the pack delivered; in units that are not public."""

    discharge_time: Annotated[int, U(16, at=1, note=_NO_UNIT)]
    energy: Annotated[int, U(16, at=3, note=_NO_UNIT)]
    charger_number: Annotated[int, U(32, at=5)]

    VECTORS: ClassVar = (
        Vector(
            "5A 00 B0 04 04 03 02 01",
            {"discharge_time": 90, "energy": 1200, "charger_number": 0x01020304},
            BY_HAND,
            Basis.DERIVED,
        ),
    )


class BCSP(FromPack, title="V2G state of the pack", pgn=0x3400, priority=7):
    """How long the pack has delivered, and the range that is left; in units that are not public."""

    discharge_time: Annotated[int, U(16, at=1, note=_NO_UNIT)]
    remaining_range: Annotated[float, U(16, at=3, scale=0.1, note=_NO_UNIT)]
    reserved: Annotated[int | None, U(32, at=5)] = None

    VECTORS: ClassVar = (
        Vector(
            "3C 00 D2 04 FF FF FF FF",
            {"discharge_time": 60, "remaining_range": 123.4},
            BY_HAND,
            Basis.DERIVED,
        ),
    )


class BDC(FromPack, title="pack identification for V2G", pgn=0x2900, priority=7):
    """Who the vehicle is, and what its pack can still give; travels over the transport protocol."""

    vin: Annotated[str | None, Text(size=17, at=1)]
    soc: Annotated[int, U(8, at=18, unit="%", source=_WHOLE_PER_CENT)]
    capacity: Annotated[float, U(16, at=19, scale=0.1, unit="Ah")]
    energy: Annotated[float, U(16, at=21, scale=0.1, unit="kWh")]
    v2g_cycles: Annotated[float, U(16, at=23, scale=0.1, source=_ONE_SCALE)]
    v2g_cycles_remaining: Annotated[float, U(16, at=25, scale=0.1, source=_ONE_SCALE)]
    range: Annotated[float, U(16, at=27, scale=0.1, note=_NO_UNIT)]

    VECTORS: ClassVar = (
        Vector(
            "4C 31 4E 53 50 47 48 39 38 4E 41 30 30 30 30 30 30 50 F0 0A 04 0B DC 05 AC 0D 78 05",
            {
                "vin": "L1NSPGH98NA000000",
                "soc": 80,
                "capacity": 280.0,
                "energy": 282.0,
                "v2g_cycles": 150.0,
                "v2g_cycles_remaining": 350.0,
                "range": 140.0,
            },
            BY_HAND,
            Basis.DERIVED,
        ),
    )


class CDC(FromStation, title="V2G version", pgn=0x2800):
    """The version of the extensions that the charger speaks."""

    version: Annotated[int, U(24, at=1)]

    VECTORS: ClassVar = (Vector("01 01 00", {"version": 0x000101}, BY_HAND, Basis.DERIVED),)
