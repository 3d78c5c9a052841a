"""What the pack measures: charge, currents, voltages, temperatures."""

from typing import Annotated, ClassVar

from swapproto.messages.pack_can.codes import DECODERS, PackAlarm, doubtful
from swapproto.messages.pack_can.parties import FromPack, by_hand
from swapproto.provenance import Basis, Source
from swapproto.wire.fields import Choice, U

SIGN = Source(DECODERS.at, Basis.OBSERVED, 2, "which sign is discharge, no source says")
BRANCH_SIGN = doubtful("which sign is discharge, the source does not say")


class PackState(FromPack, title="state of charge and limits", pgn=0x8200, period_ms=100, source=DECODERS):
    """Charge, health, current, and the currents that the pack allows."""

    soc: Annotated[float, U(8, at=1, scale=0.4, unit="%")]
    soh: Annotated[float, U(8, at=2, scale=0.4, unit="%")]
    current: Annotated[float, U(16, at=3, scale=0.1, offset=-1000, unit="A", source=SIGN)]
    charge_limit: Annotated[float, U(16, at=5, scale=0.1, unit="A", note="for regeneration")]
    discharge_limit: Annotated[float, U(16, at=7, scale=0.1, unit="A")]

    VECTORS: ClassVar = (
        by_hand(
            "A2 F6 A3 1E 35 0C 07 13",
            {
                "soc": 64.8, "soh": 98.4, "current": -215.7, "charge_limit": 312.5,
                "discharge_limit": 487.1,
            },
        ),
    )  # fmt: skip


class PackVoltages(FromPack, title="voltages and insulation", pgn=0x8300, period_ms=100, source=DECODERS):
    """Insulation of both poles, voltage on either side of the main contactors."""

    insulation_positive: Annotated[int, U(16, at=1, unit="kohm")]
    insulation_negative: Annotated[int, U(16, at=3, unit="kohm")]
    pack_voltage: Annotated[float, U(16, at=5, scale=0.1, unit="V")]
    bus_voltage: Annotated[float, U(16, at=7, scale=0.1, unit="V")]

    VECTORS: ClassVar = (
        by_hand(
            "00 14 0B 13 0D 19 7F 00",
            {
                "insulation_positive": 5120, "insulation_negative": 4875, "pack_voltage": 641.3,
                "bus_voltage": 12.7,
            },
        ),
    )  # fmt: skip


class TemperatureExtremes(
    FromPack, title="temperature extremes", pgn=0x8400, period_ms=100, source=DECODERS, length=8
):
    """Hottest, coldest and mean cell temperature, and where."""

    maximum: Annotated[int, U(8, at=1, offset=-50, unit="degC")]
    minimum: Annotated[
        int, U(8, at=2, offset=-50, unit="degC", source=doubtful("another decoder has the offset -40"))
    ]
    average: Annotated[int, U(8, at=3, offset=-50, unit="degC")]
    maximum_unit: Annotated[int, U(8, at=4)]
    maximum_probe: Annotated[int, U(8, at=5)]
    minimum_unit: Annotated[int, U(8, at=6)]
    minimum_probe: Annotated[int, U(8, at=7)]

    VECTORS: ClassVar = (
        by_hand(
            "54 27 49 05 11 02 08 00",
            {
                "maximum": 34, "minimum": -11, "average": 23, "maximum_unit": 5, "maximum_probe": 17,
                "minimum_unit": 2, "minimum_probe": 8,
            },
        ),
    )  # fmt: skip


class CellMaximum(FromPack, title="highest cell voltage", pgn=0x8500, period_ms=100, source=DECODERS):
    """Highest cell voltage and where, the mean, and the gravest alarm."""

    voltage: Annotated[float, U(16, at=1, scale=0.001, unit="V")]
    unit_number: Annotated[int, U(8, at=3)]
    cell_number: Annotated[int, U(8, at=4)]
    average: Annotated[float, U(16, at=5, scale=0.001, unit="V")]
    pack_number: Annotated[int, U(8, at=7, note="whether a count or an index, the source does not say")]
    highest_alarm: Annotated[PackAlarm, Choice(bits=3, at=8.1)] = PackAlarm.NONE

    VECTORS: ClassVar = (
        by_hand(
            "13 0D 04 13 F6 0C 02 04",
            {
                "voltage": 3.347, "unit_number": 4, "cell_number": 19, "average": 3.318, "pack_number": 2,
                "highest_alarm": PackAlarm.LEVEL_4,
            },
        ),
    )  # fmt: skip


class CellMinimum(FromPack, title="lowest cell voltage", pgn=0x8600, period_ms=100, source=DECODERS):
    """Lowest cell voltage and where, and the temperatures of the main contactors."""

    voltage: Annotated[float, U(16, at=1, scale=0.001, unit="V")]
    unit_number: Annotated[int, U(8, at=3)]
    cell_number: Annotated[int, U(8, at=4)]
    positive_1_temperature: Annotated[int, U(8, at=5, offset=-50, unit="degC")]
    positive_2_temperature: Annotated[int, U(8, at=6, offset=-50, unit="degC")]
    negative_1_temperature: Annotated[int, U(8, at=7, offset=-50, unit="degC")]
    negative_2_temperature: Annotated[int, U(8, at=8, offset=-50, unit="degC")]

    VECTORS: ClassVar = (
        by_hand(
            "DB 0C 07 17 58 2D 5B 42",
            {
                "voltage": 3.291, "unit_number": 7, "cell_number": 23, "positive_1_temperature": 38,
                "positive_2_temperature": -5, "negative_1_temperature": 41, "negative_2_temperature": 16,
            },
        ),
    )  # fmt: skip


class ConnectorTemperatures(FromPack, title="charge connector temperatures", pgn=0x8700, period_ms=100):
    """Two probes in each of the charge connectors A to D."""

    a_1: Annotated[int, U(8, at=1, offset=-50, unit="degC")]
    a_2: Annotated[int, U(8, at=2, offset=-50, unit="degC")]
    b_1: Annotated[int, U(8, at=3, offset=-50, unit="degC")]
    b_2: Annotated[int, U(8, at=4, offset=-50, unit="degC")]
    c_1: Annotated[int, U(8, at=5, offset=-50, unit="degC")]
    c_2: Annotated[int, U(8, at=6, offset=-50, unit="degC")]
    d_1: Annotated[int, U(8, at=7, offset=-50, unit="degC")]
    d_2: Annotated[int, U(8, at=8, offset=-50, unit="degC")]

    VECTORS: ClassVar = (
        by_hand(
            "51 52 2E 4D 69 68 1E 44",
            {
                "a_1": 31, "a_2": 32, "b_1": -4, "b_2": 27, "c_1": 55, "c_2": 54, "d_1": -20, "d_2": 18,
            },
        ),
    )  # fmt: skip


class BranchCurrents(FromPack, title="branch currents", pgn=0x8B00, period_ms=100):
    """The current of each branch of the pack."""

    branch_1: Annotated[float, U(16, at=1, scale=0.1, offset=-3200, unit="A", source=BRANCH_SIGN)]
    branch_2: Annotated[float, U(16, at=3, scale=0.1, offset=-3200, unit="A", source=BRANCH_SIGN)]
    branch_3: Annotated[float, U(16, at=5, scale=0.1, offset=-3200, unit="A", source=BRANCH_SIGN)]
    branch_4: Annotated[float, U(16, at=7, scale=0.1, offset=-3200, unit="A", source=BRANCH_SIGN)]

    VECTORS: ClassVar = (
        by_hand(
            "12 81 26 79 05 7D 03 00",
            {
                "branch_1": 104.2, "branch_2": -98.6, "branch_3": 0.5, "branch_4": -3199.7,
            },
        ),
    )  # fmt: skip


class CoolantTemperatures(FromPack, title="coolant temperatures", pgn=0x8C00, period_ms=1000, length=8):
    """Coolant in and out of two packs: frame 1 is of packs 1 and 2, frame 2 of packs 3 and 4."""

    frame_number: Annotated[int, U(8, at=1)]
    outlet_1: Annotated[float, U(12, at=2.1, scale=0.1, offset=-50, unit="degC")]
    inlet_1: Annotated[float, U(12, at=3.5, scale=0.1, offset=-50, unit="degC")]
    outlet_2: Annotated[float, U(12, at=5.1, scale=0.1, offset=-50, unit="degC")]
    inlet_2: Annotated[float, U(12, at=6.5, scale=0.1, offset=-50, unit="degC")]

    VECTORS: ClassVar = (
        by_hand(
            "02 EB D2 13 33 23 2C 00",
            {
                "frame_number": 2, "outlet_1": 24.7, "inlet_1": -18.3, "outlet_2": 31.9, "inlet_2": 20.6,
            },
        ),
    )  # fmt: skip
