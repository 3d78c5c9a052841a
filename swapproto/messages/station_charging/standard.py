"""Messages of GB/T 27930-2015 that the station's file has with another fixed size."""

from typing import ClassVar

from swapproto.messages import gbt27930 as gb
from swapproto.messages.gbt27930 import Permission, Timeout
from swapproto.messages.station_charging.parties import NOT_RECORDED, SWAP_STATION
from swapproto.provenance import Basis, Source
from swapproto.wire.message import Vector

LENGTHENED = Source(
    SWAP_STATION.at, Basis.OBSERVED, 1, "fields as in GB/T 27930-2015; the added bytes are ones: assumed"
)
_STRETCHED = "bytes of a public recording of the 2015 edition, with ones added"


class CCS(gb.CCS, source=LENGTHENED, length=8, lengths=(7,), unseen=NOT_RECORDED):
    """As in 2015, sent with 8 bytes; 7 are read without remark."""

    VECTORS: ClassVar = (
        Vector(
            "C9 0E A0 0F 00 00 FD FF",
            {"voltage": 378.5, "current": 0.0, "elapsed_time": 0, "permission": Permission.ALLOWED},
            _STRETCHED,
            Basis.DERIVED,
        ),
        Vector(
            "C9 0E A0 0F 00 00 FD",
            {"voltage": 378.5, "current": 0.0, "elapsed_time": 0, "permission": Permission.ALLOWED},
            "bytes of a public recording of the 2015 edition",
            Basis.DERIVED,
            canonical=False,
        ),
    )


class BEM(gb.BEM, source=LENGTHENED, length=8, unseen=NOT_RECORDED):
    """As in 2015, with 8 bytes."""

    VECTORS: ClassVar = (
        Vector("F0 F0 F1 FC FF FF FF FF", {"ccs": Timeout.TIMEOUT}, _STRETCHED, Basis.DERIVED),
    )


class CEM(gb.CEM, source=LENGTHENED, length=8, unseen=NOT_RECORDED):
    """As in 2015, with 8 bytes. The file calls the field of BCL (SPN 3925) that of BSM."""

    VECTORS: ClassVar = (
        Vector(
            "FD F0 C0 FC FF FF FF FF",
            {"brm": Timeout.TIMEOUT},
            "computed by hand from the table of GB/T 27930-2015",
            Basis.DERIVED,
        ),
    )


_REPLACED: dict[type[gb.ChargingMessage], type[gb.ChargingMessage]] = {gb.CCS: CCS, gb.BEM: BEM, gb.CEM: CEM}

MESSAGES: tuple[type[gb.ChargingMessage], ...] = tuple(_REPLACED.get(each, each) for each in gb.MESSAGES)
"""The messages of 2015 as the station's file has them."""
