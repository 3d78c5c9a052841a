"""DM1 to DM6 of annex B: their layout is not public, so the payload stays opaque."""

from typing import Annotated

from swapproto.messages.gbt27930.codes import Phase
from swapproto.messages.gbt27930.parties import FromBms
from swapproto.provenance import Basis, Source
from swapproto.wire.fields import Raw

ANNEX_B = Source("GB/T 27930-2015, annex B", Basis.REPORTED, 1, "sizes only; the layout is not public")
_UNSEEN = "no public recording shows one between charger and BMS"


class Diagnosis(
    FromBms,
    priority=6,
    period_ms=None,
    phase=Phase.ERROR,
    source=ANNEX_B,
    both_ways=True,
    optional=True,
    unseen=_UNSEEN,
):
    """A fault diagnosis message that either party sends on an event."""


class DM1(Diagnosis, title="fault diagnosis 1", pgn=0x2000):
    """Opaque."""

    payload: Annotated[bytes, Raw()] = b""


class DM2(Diagnosis, title="fault diagnosis 2", pgn=0x2100):
    """Opaque."""

    payload: Annotated[bytes, Raw()] = b""


class DM3(Diagnosis, title="fault diagnosis 3", pgn=0x2200):
    """Opaque; 2 bytes are reported."""

    payload: Annotated[bytes, Raw()] = b""


class DM4(Diagnosis, title="fault diagnosis 4", pgn=0x2300):
    """Opaque; an empty payload is reported."""

    payload: Annotated[bytes, Raw()] = b""


class DM5(Diagnosis, title="fault diagnosis 5", pgn=0x2400):
    """Opaque; an empty payload is reported."""

    payload: Annotated[bytes, Raw()] = b""


class DM6(Diagnosis, title="fault diagnosis 6", pgn=0x2500):
    """Opaque."""

    payload: Annotated[bytes, Raw()] = b""
