"""Counters of energy and charge, by what they count: charging, discharging, regeneration, swaps.

``swapped`` counts what was charged in a swap station, ``on_vehicle`` what was charged by plug (assumed
from the source's names). Energy1 to Energy3 have 24 bits, the later ones 32.
"""

from typing import Annotated, ClassVar

from swapproto.messages.pack_can.parties import ToAll, by_hand
from swapproto.wire.fields import U

SECOND = "a station relays this counter with the same scale"


class Energy1(ToAll, title="energy counters 1", pgn=0xF1D0, period_ms=10_000):
    """Energy charged and discharged in all, and by the present charge."""

    charged: Annotated[float, U(24, at=1, scale=0.1, unit="kWh")]
    discharged: Annotated[float, U(24, at=4, scale=0.1, unit="kWh")]
    this_charge: Annotated[float, U(16, at=7, scale=0.1, unit="kWh")]

    VECTORS: ClassVar = (
        by_hand(
            "87 D6 12 06 12 0F 62 08",
            {
                "charged": 123456.7, "discharged": 98765.4, "this_charge": 214.6,
            },
        ),
    )  # fmt: skip


class Energy2(ToAll, title="energy counters 2", pgn=0xF2D0, period_ms=10_000, length=8):
    """Energy regenerated and swapped in all, and a finer state of charge."""

    regenerated: Annotated[float, U(24, at=1, scale=0.1, unit="kWh")]
    swapped: Annotated[float, U(24, at=4, scale=0.1, unit="kWh", note=SECOND)]
    precise_soc: Annotated[float, U(10, at=7.1, scale=0.1, unit="%")]

    VECTORS: ClassVar = (
        by_hand(
            "1A 92 01 CA EE 0C 7D 02",
            {
                "regenerated": 10293.8, "swapped": 84756.2, "precise_soc": 63.7,
            },
        ),
    )  # fmt: skip


class Energy3(ToAll, title="energy counters 3", pgn=0xF3D0, period_ms=10_000):
    """Energy charged on the vehicle, extremes of the cells' charge, energy left."""

    on_vehicle: Annotated[float, U(24, at=1, scale=0.1, unit="kWh")]
    maximum_cell_soc: Annotated[float, U(8, at=4, scale=0.4, unit="%")]
    minimum_cell_soc: Annotated[float, U(8, at=5, scale=0.4, unit="%")]
    state_of_energy: Annotated[float, U(16, at=7, scale=0.1, unit="kWh")]

    VECTORS: ClassVar = (
        by_hand(
            "0F B8 00 A6 9D 00 F7 06",
            {
                "on_vehicle": 4711.9, "maximum_cell_soc": 66.4, "minimum_cell_soc": 62.8,
                "state_of_energy": 178.3,
            },
        ),
    )  # fmt: skip


class Energy4(ToAll, title="energy counters 4", pgn=0xF4D0, period_ms=10_000):
    """Energy charged and discharged in all."""

    charged: Annotated[float, U(32, at=1, scale=0.1, unit="kWh")]
    discharged: Annotated[float, U(32, at=5, scale=0.1, unit="kWh")]

    VECTORS: ClassVar = (
        by_hand(
            "15 EC 65 01 BF 4A 2F 01",
            {
                "charged": 2345678.9, "discharged": 1987654.3,
            },
        ),
    )  # fmt: skip


class Energy5(ToAll, title="energy counters 5", pgn=0xF5D0, period_ms=10_000):
    """Energy regenerated and swapped in all."""

    regenerated: Annotated[float, U(32, at=1, scale=0.1, unit="kWh")]
    swapped: Annotated[float, U(32, at=5, scale=0.1, unit="kWh", note=SECOND)]

    VECTORS: ClassVar = (
        by_hand(
            "DA 58 2F 00 CA 1B 3E 01",
            {
                "regenerated": 310293.8, "swapped": 2084756.2,
            },
        ),
    )  # fmt: skip


class Energy6(ToAll, title="energy counters 6", pgn=0xF6D0, period_ms=10_000):
    """Energy charged on the vehicle in all, and by the present charge."""

    on_vehicle: Annotated[float, U(32, at=1, scale=0.1, unit="kWh")]
    this_charge: Annotated[float, U(32, at=5, scale=0.1, unit="kWh")]

    VECTORS: ClassVar = (
        by_hand(
            "8F 3C 1F 00 0A 09 00 00",
            {
                "on_vehicle": 204711.9, "this_charge": 231.4,
            },
        ),
    )  # fmt: skip


class Energy7(ToAll, title="energy counters 7", pgn=0xF7D0, period_ms=10_000):
    """Energy regenerated on the present trip, time left to charge, number of charges."""

    this_regeneration: Annotated[float, U(32, at=1, scale=0.1, unit="kWh")]
    remaining_charge_time: Annotated[int, U(16, at=5, unit="min")]
    charge_count: Annotated[int, U(16, at=7)]

    VECTORS: ClassVar = (
        by_hand(
            "AD 00 00 00 30 00 2F 05",
            {
                "this_regeneration": 17.3, "remaining_charge_time": 48, "charge_count": 1327,
            },
        ),
    )  # fmt: skip


class Energy8(ToAll, title="charge counters 8", pgn=0xF8D0, period_ms=10_000):
    """Charge taken in and given out in all."""

    charged: Annotated[float, U(32, at=1, scale=0.1, unit="Ah")]
    discharged: Annotated[float, U(32, at=5, scale=0.1, unit="Ah")]

    VECTORS: ClassVar = (
        by_hand(
            "31 8F 3E 02 F2 9A 2D 02",
            {
                "charged": 3765432.1, "discharged": 3654321.8,
            },
        ),
    )  # fmt: skip


class Energy9(ToAll, title="charge counters 9", pgn=0xF9D0, period_ms=10_000):
    """Charge regenerated and swapped in all."""

    regenerated: Annotated[float, U(32, at=1, scale=0.1, unit="Ah")]
    swapped: Annotated[float, U(32, at=5, scale=0.1, unit="Ah")]

    VECTORS: ClassVar = (
        by_hand(
            "58 DD 4D 00 0D 79 04 02",
            {
                "regenerated": 510293.6, "swapped": 3384756.5,
            },
        ),
    )  # fmt: skip


class Energy10(ToAll, title="charge counters 10", pgn=0xFAD0, period_ms=10_000):
    """Charge taken in on the vehicle in all, and by the present charge."""

    on_vehicle: Annotated[float, U(32, at=1, scale=0.1, unit="Ah")]
    this_charge: Annotated[float, U(32, at=5, scale=0.1, unit="Ah")]

    VECTORS: ClassVar = (
        by_hand(
            "C8 7E 2E 00 A5 0E 00 00",
            {
                "on_vehicle": 304711.2, "this_charge": 374.9,
            },
        ),
    )  # fmt: skip
