# pyright: reportUnnecessaryTypeIgnoreComment=true
"""What type checkers see of a message. Nothing here runs: mypy and pyright read it.

Each ``type: ignore`` marks a mistake that both of them have to find; both complain about one too many.
"""

from datetime import datetime
from typing import assert_type

from swapproto.errors import CodecError
from swapproto.messages.catalog import Catalogue
from swapproto.messages.gbt27930 import (
    BCL,
    BMT,
    BMV,
    BST,
    CRM,
    CTS,
    CellVoltage,
    ChargeMode,
    ChargingMessage,
    Party,
    Reached,
)
from swapproto.wire.reading import Deviation, Reading


def values() -> None:
    demand = BCL(voltage=597.0, current=-3.0, mode=ChargeMode.CONSTANT_CURRENT)
    assert_type(demand, BCL)
    assert_type(demand.voltage, float)
    assert_type(demand.mode, ChargeMode)
    assert_type(demand.encode(), bytes)
    assert_type(CTS().time, datetime | None)
    assert_type(BST().soc_target, Reached)
    assert_type(BMV(cells=()).cells, tuple[CellVoltage, ...])
    assert_type(BMT(temperatures=(20, 21)).temperatures, tuple[int, ...])


def reading(payload: bytes) -> None:
    assert_type(BCL.decode(payload), BCL)
    assert_type(BCL.decode(payload).voltage, float)
    assert_type(CRM.decode(payload).region, str | None)
    found = BCL.read(payload)
    assert_type(found, Reading[BCL])
    assert_type(found.message, BCL | None)
    assert_type(found.deviations, tuple[Deviation, ...])
    assert_type(found.error, CodecError | None)


def of_the_class() -> None:
    assert_type(BCL.pgn, int)
    assert_type(BCL.period_ms, int | None)
    assert_type(BCL.sender, Party)
    assert_type(BCL.identifier(), int)
    assert_type(Catalogue().by_identifier(0), tuple[type[ChargingMessage], Party] | None)
    assert_type(Catalogue().by_name("BCL").read(b""), Reading[ChargingMessage])


def mistakes() -> None:
    BCL(597.0, -3.0, ChargeMode.CONSTANT_CURRENT)  # type: ignore[call-arg]
    BCL(voltage=597.0, current=-3.0)  # type: ignore[call-arg]
    BCL(voltage="597", current=-3.0, mode=ChargeMode.CONSTANT_CURRENT)  # type: ignore[arg-type]
    BCL(voltage=597.0, current=-3.0, mode=Reached.YES)  # type: ignore[arg-type]
    BCL(voltage=597.0, current=-3.0, mode=ChargeMode.CONSTANT_CURRENT, speed=1)  # type: ignore[call-arg]
    BCL.decode(b"").voltage = 1.0  # type: ignore[misc]
    _ = BCL.read(b"").message.voltage  # type: ignore[union-attr]
    BCL.decode("5217820F02")  # type: ignore[arg-type]
