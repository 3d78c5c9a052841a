"""Frames that count: cell voltages and temperatures of the whole system, and of each pack in it."""

from typing import Annotated, ClassVar

from swapproto.messages.pack_can.codes import DECODERS, doubtful
from swapproto.messages.pack_can.parties import FromPack, by_hand
from swapproto.wire.fields import U

PACKING = doubtful("another decoder packs the temperatures otherwise")
INVALID = "raw 65535 is invalid, 65534 abnormal and out of range"


class CellVoltages(FromPack, title="cell voltages", pgn=0xC100, period_ms=100, source=DECODERS):
    """Three cells of a supervision circuit; whether frames count from 0 or 1 is not public."""

    frame_number: Annotated[int, U(8, at=1)]
    unit_number: Annotated[int, U(8, at=2)]
    voltage_1: Annotated[float, U(16, at=3, scale=0.001, unit="V")]
    voltage_2: Annotated[float, U(16, at=5, scale=0.001, unit="V")]
    voltage_3: Annotated[float, U(16, at=7, scale=0.001, unit="V")]

    VECTORS: ClassVar = (
        by_hand(
            "0C 03 FC 0C F7 0C 03 0D",
            {
                "frame_number": 12, "unit_number": 3, "voltage_1": 3.324, "voltage_2": 3.319,
                "voltage_3": 3.331,
            },
        ),
    )  # fmt: skip


class CellVoltagesFurther(FromPack, title="further cell voltages", pgn=0xC300, period_ms=100):
    """The same for the cells beyond those; where they begin is not public."""

    frame_number: Annotated[int, U(8, at=1)]
    unit_number: Annotated[int, U(8, at=2)]
    voltage_1: Annotated[float, U(16, at=3, scale=0.001, unit="V")]
    voltage_2: Annotated[float, U(16, at=5, scale=0.001, unit="V")]
    voltage_3: Annotated[float, U(16, at=7, scale=0.001, unit="V")]

    VECTORS: ClassVar = (
        by_hand(
            "51 0E E2 0C E9 0C AB 0B",
            {
                "frame_number": 81, "unit_number": 14, "voltage_1": 3.298, "voltage_2": 3.305,
                "voltage_3": 2.987,
            },
        ),
    )  # fmt: skip


class Temperatures(FromPack, title="temperatures", pgn=0xC200, period_ms=200, source=DECODERS):
    """Six probes of a supervision circuit."""

    frame_number: Annotated[int, U(8, at=1)]
    unit_number: Annotated[int, U(8, at=2)]
    temperature_1: Annotated[int, U(8, at=3, offset=-50, unit="degC", source=PACKING)]
    temperature_2: Annotated[int, U(8, at=4, offset=-50, unit="degC", source=PACKING)]
    temperature_3: Annotated[int, U(8, at=5, offset=-50, unit="degC", source=PACKING)]
    temperature_4: Annotated[int, U(8, at=6, offset=-50, unit="degC", source=PACKING)]
    temperature_5: Annotated[int, U(8, at=7, offset=-50, unit="degC", source=PACKING)]
    temperature_6: Annotated[int, U(8, at=8, offset=-50, unit="degC", source=PACKING)]

    VECTORS: ClassVar = (
        by_hand(
            "04 02 47 48 29 4A 55 4C",
            {
                "frame_number": 4, "unit_number": 2, "temperature_1": 21, "temperature_2": 22,
                "temperature_3": -9, "temperature_4": 24, "temperature_5": 35, "temperature_6": 26,
            },
        ),
    )  # fmt: skip


class PackCellVoltages(FromPack, title="cell voltages of a pack", pgn=0xC400, period_ms=100, optional=True):
    """Three parallel units of one pack, for the 2025 edition of GB/T 32960; older packs send none."""

    frame_number: Annotated[int, U(8, at=1)]
    pack_number: Annotated[int, U(8, at=2)]
    voltage_1: Annotated[float, U(16, at=3, scale=0.001, unit="V")]
    voltage_2: Annotated[float, U(16, at=5, scale=0.001, unit="V")]
    voltage_3: Annotated[float, U(16, at=7, scale=0.001, unit="V")]

    VECTORS: ClassVar = (
        by_hand(
            "07 02 EF 0C F0 0C DA 0C",
            {
                "frame_number": 7, "pack_number": 2, "voltage_1": 3.311, "voltage_2": 3.312,
                "voltage_3": 3.29,
            },
        ),
    )  # fmt: skip


class PackTemperatures(FromPack, title="temperatures of a pack", pgn=0xC500, period_ms=200, optional=True):
    """Five probes of one pack, for the 2025 edition of GB/T 32960; older packs send none."""

    frame_number: Annotated[int, U(8, at=1)]
    pack_number: Annotated[int, U(8, at=2)]
    probe_count: Annotated[int, U(8, at=3)]
    temperature_1: Annotated[int, U(8, at=4, offset=-50, unit="degC")]
    temperature_2: Annotated[int, U(8, at=5, offset=-50, unit="degC")]
    temperature_3: Annotated[int, U(8, at=6, offset=-50, unit="degC")]
    temperature_4: Annotated[int, U(8, at=7, offset=-50, unit="degC")]
    temperature_5: Annotated[int, U(8, at=8, offset=-50, unit="degC")]

    VECTORS: ClassVar = (
        by_hand(
            "01 03 10 45 30 4E 57 46",
            {
                "frame_number": 1, "pack_number": 3, "probe_count": 16, "temperature_1": 19,
                "temperature_2": -2, "temperature_3": 28, "temperature_4": 37, "temperature_5": 20,
            },
        ),
    )  # fmt: skip


class PackElectrical(
    FromPack, title="voltage and current of a pack", pgn=0xC600, period_ms=100, optional=True, length=8
):
    """One pack's voltage and current, for the 2025 edition of GB/T 32960; older packs send none."""

    pack_number: Annotated[int, U(8, at=1)]
    voltage: Annotated[float | None, U(16, at=2, scale=0.1, unit="V", high=6553.3, note=INVALID)] = None
    current: Annotated[
        float | None,
        U(
            16,
            at=4,
            scale=0.1,
            offset=-3000,
            unit="A",
            high=3553.3,
            source=doubtful("which sign is discharge, the source does not say"),
            note=INVALID,
        ),
    ] = None
    unit_count: Annotated[
        int | None,
        U(
            16,
            at=6,
            high=65533,
            source=doubtful("named for the parallel units: a count, assumed"),
            note=INVALID,
        ),
    ] = None

    VECTORS: ClassVar = (
        by_hand(
            "04 88 17 C7 71 B4 00 00",
            {
                "pack_number": 4, "voltage": 602.4, "current": -87.3, "unit_count": 180,
            },
        ),
    )  # fmt: skip
