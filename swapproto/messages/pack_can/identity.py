"""Who the pack is: its code over four frames, the codes of its parts, ratings, counts, versions."""

from typing import Annotated, ClassVar

from swapproto.messages.pack_can.codes import (
    DECODERS,
    Connection,
    PackValue,
    doubtful,
)
from swapproto.messages.pack_can.parties import FromPack, by_hand
from swapproto.wire.fields import Choice, Raw, State, Text, U

CHECKSUM = "the algorithm is not public"
FILLER = "the filler is assumed"


class VersionKind(PackValue):
    """Which version a frame tells."""

    PRODUCT_CLASS = 1
    BMS_SOFTWARE = 2
    PROTOCOL = 3
    INTERNAL_SOFTWARE = 4


class Maker(PackValue):
    """Who made the pack, as far as the source lists them."""

    NOT_GIVEN = 0
    CATL = 1
    QIYUAN = 7


class Chemistry(PackValue):
    """The cells; the numbers differ from those of GB/T 27930 and GB/T 32960. 13 is in no list."""

    NOT_GIVEN = 0
    LEAD_ACID = 1
    NIMH = 2
    LFP = 3
    LMO = 4
    LCO = 5
    TERNARY = 6
    POLYMER = 7
    LTO = 8
    SUPERCAPACITOR = 9
    INVALID_10 = 10
    INVALID_11 = 11
    INVALID_12 = 12
    FUEL_CELL = 14
    INVALID = 15


class Cooling(PackValue):
    """How the pack is cooled."""

    NOT_GIVEN = 0
    NATURAL = 1
    AIR = 2
    LIQUID = 3


class PackCode1(
    FromPack, title="pack code 1 to 6", pgn=0xE100, period_ms=1000, source=DECODERS, sealed_field="checksum"
):
    """Length of the pack's code and its first six characters."""

    checksum: Annotated[int, U(8, at=1, note=CHECKSUM)] = 0
    maker: Annotated[
        Maker, Choice(bits=3, at=2.1, source=doubtful("named reserved, yet with a list of makers"))
    ] = Maker.NOT_GIVEN
    length: Annotated[int, U(5, at=2.4)]
    characters: Annotated[str, Text(size=6, at=3, pad=0, note=FILLER)]

    VECTORS: ClassVar = (
        by_hand(
            "91 C7 41 42 43 31 50 42",
            {
                "checksum": 0x91, "maker": Maker.QIYUAN, "length": 24, "characters": "ABC1PB",
            },
        ),
    )  # fmt: skip


class PackCode2(
    FromPack, title="pack code 7 to 13", pgn=0xE200, period_ms=1000, source=DECODERS, sealed_field="checksum"
):
    """The next seven characters of the pack's code."""

    checksum: Annotated[int, U(8, at=1, note=CHECKSUM)] = 0
    characters: Annotated[str, Text(size=7, at=2, pad=0, note=FILLER)]

    VECTORS: ClassVar = (
        by_hand(
            "14 37 58 4B 34 4D 32 39",
            {
                "checksum": 0x14, "characters": "7XK4M29",
            },
        ),
    )  # fmt: skip


class PackCode3(
    FromPack,
    title="pack code, 14 to 20",
    pgn=0xE300,
    period_ms=1000,
    source=DECODERS,
    sealed_field="checksum",
):
    """The next seven characters of the pack's code."""

    checksum: Annotated[int, U(8, at=1, note=CHECKSUM)] = 0
    characters: Annotated[str, Text(size=7, at=2, pad=0, note=FILLER)]

    VECTORS: ClassVar = (
        by_hand(
            "E2 54 35 46 38 43 32 30",
            {
                "checksum": 0xE2, "characters": "T5F8C20",
            },
        ),
    )  # fmt: skip


class PackCode4(
    FromPack,
    title="pack code, 21 to 27",
    pgn=0xE400,
    period_ms=1000,
    source=DECODERS,
    sealed_field="checksum",
):
    """The last seven characters of the pack's code."""

    checksum: Annotated[int, U(8, at=1, note=CHECKSUM)] = 0
    characters: Annotated[str, Text(size=7, at=2, pad=0, note=FILLER)]

    VECTORS: ClassVar = (
        by_hand(
            "6B 31 35 37 33 00 00 00",
            {
                "checksum": 0x6B, "characters": "1573",
            },
        ),
    )  # fmt: skip


class SinglePackCode(FromPack, title="code of a pack in the system", pgn=0xE700, period_ms=100):
    """Six characters of the code of one pack in the system."""

    frame_number: Annotated[int, U(8, at=1)]
    pack_number: Annotated[int, U(8, at=2)]
    characters: Annotated[str, Text(size=6, at=3, pad=0, note=FILLER)]

    VECTORS: ClassVar = (
        by_hand(
            "02 03 37 58 4B 34 4D 32",
            {
                "frame_number": 2, "pack_number": 3, "characters": "7XK4M2",
            },
        ),
    )  # fmt: skip


class Ratings(FromPack, title="ratings", pgn=0xE500, period_ms=100, source=DECODERS):
    """Rated capacity, voltage and energy, chemistry and cooling."""

    capacity: Annotated[int, U(16, at=1, unit="Ah")]
    voltage: Annotated[float, U(16, at=3, scale=0.1, unit="V")]
    energy: Annotated[float, U(16, at=5, scale=0.1, unit="kWh")]
    chemistry: Annotated[Chemistry, Choice(bits=4, at=7.1)]
    cooling: Annotated[Cooling, State(at=7.5)] = Cooling.NOT_GIVEN
    key_on: Annotated[Connection, Choice(bits=1, at=7.7)] = Connection.NOT_CONNECTED
    auxiliary_supply: Annotated[Connection, Choice(bits=1, at=7.8, note="A+")] = Connection.NOT_CONNECTED
    second_chemistry: Annotated[Chemistry, Choice(at=8)] = Chemistry.NOT_GIVEN

    VECTORS: ClassVar = (
        by_hand(
            "C8 01 26 18 03 0B 73 08",
            {
                "capacity": 456, "voltage": 618.2, "energy": 281.9, "chemistry": Chemistry.LFP,
                "cooling": Cooling.LIQUID, "key_on": Connection.CONNECTED,
                "second_chemistry": Chemistry.LTO,
            },
        ),
    )  # fmt: skip


class Counts(FromPack, title="counts and cell limits", pgn=0xE600, period_ms=100, source=DECODERS):
    """How many supervision circuits, cells and probes there are, and the cells' voltages."""

    unit_count: Annotated[int, U(8, at=1)]
    cell_count: Annotated[int, U(16, at=2)]
    probe_count: Annotated[int, U(16, at=4)]
    nominal_cell_voltage: Annotated[float, U(8, at=6, scale=0.1, unit="V")]
    minimum_cell_voltage: Annotated[float, U(8, at=7, scale=0.1, unit="V")]
    maximum_cell_voltage: Annotated[float, U(8, at=8, scale=0.1, unit="V")]

    VECTORS: ClassVar = (
        by_hand(
            "0C 5A 01 20 01 20 19 25",
            {
                "unit_count": 12, "cell_count": 346, "probe_count": 288, "nominal_cell_voltage": 3.2,
                "minimum_cell_voltage": 2.5, "maximum_cell_voltage": 3.7,
            },
        ),
    )  # fmt: skip


class Versions(FromPack, title="versions", pgn=0x8800, period_ms=200):
    """Seven bytes of a version, and which version it is; how they are read is not public."""

    kind: Annotated[VersionKind, Choice(at=1)]
    version: Annotated[bytes, Raw(size=7, at=2)]

    VECTORS: ClassVar = (
        by_hand(
            "02 01 04 1B 32 C7 08 5E",
            {
                "kind": VersionKind.BMS_SOFTWARE, "version": bytes.fromhex("01 04 1B 32 C7 08 5E"),
            },
        ),
    )  # fmt: skip
