"""The comparison is not blind: whatever wrong is planted into the C text or the declaration, it finds."""

from pathlib import Path
from random import Random
from typing import Annotated, Any, ClassVar

import pytest

from swapproto.export import c
from swapproto.export.source import Declaration
from swapproto.messages.catalog import MessageSet
from swapproto.messages.gbt27930 import Phase
from swapproto.messages.gbt27930.parties import FromBms
from swapproto.wire.fields import U
from swapproto.wire.message import Message, Vector
from tests.export.c.codec.conftest import payloads
from tests.export.c.conftest import Library, compiler, declared

GBT, PACK = "gbt27930-2015", "pack-can-d0f3"
TABLES, HEADER = "swap_messages.c", "swap_messages.h"


def differs(library: Library) -> bool:
    random = Random(1)
    makers = [(cls, payloads(cls, random)) for cls in library.classes]
    return any(
        library.difference([(cls, next(made)) for _ in range(60) for cls, made in makers]) is not None
        for _ in range(20)
    )


PLANTS = {
    "scale": (GBT, HEADER, "SWAP_BCL_VOLTAGE_DENOMINATOR 10\n", "SWAP_BCL_VOLTAGE_DENOMINATOR 100\n"),
    "scale in steps": (PACK, TABLES, "= {2, 0,", "= {4, 0,"),
    "offset": (GBT, TABLES, "= {1, -4000,", "= {1, -3200,"),
    "length": (GBT, TABLES, "sizeof(swap_bcl_t), SWAP_NOWHERE, 5u", "sizeof(swap_bcl_t), SWAP_NOWHERE, 6u"),
    "length without remark": (GBT, TABLES, "lengths_ccs[] = {7u, 8u}", "lengths_ccs[] = {7u, 9u}"),
    "byte order": (PACK, TABLES, "SWAP_BIG", "0"),
    "position": (GBT, TABLES, "offsetof(swap_bcl_t, mode), 4u", "offsetof(swap_bcl_t, mode), 3u"),
    "limit": (GBT, TABLES, "0x64u", "0x65u"),
    "meaning of a code": (GBT, TABLES, "codes_ready[] = {0, 170, 255}", "codes_ready[] = {0, 171, 255}"),
    "absent value": (GBT, TABLES, "0x3Eu, 0x3Fu", "0x3Eu, 0x3Eu"),
    "reserved bits": (GBT, TABLES, "0x0F, 0x0F, 0x0F, 0xFF,", "0x0F, 0x0F, 0x0E, 0xFF,"),
    "what fills up": (PACK, TABLES, "0x00u\n};", "0xFFu\n};"),
    "most items": (GBT, TABLES, "cells_count), 256u", "cells_count), 255u"),
    "kind of field": (GBT, TABLES, "SWAP_BCD_TIME, SWAP_U8", "SWAP_RAW, SWAP_U8"),
    "member": (GBT, TABLES, "offsetof(swap_bcl_t, voltage)", "offsetof(swap_bcl_t, current)"),
    "end of text": (GBT, "swap_value.c", "bytes[length - 1]", "bytes[0]"),
}


@pytest.mark.parametrize("plant", PLANTS)
def test_wrong_text(plant: str, tmp_path: Path) -> None:
    compiler("gcc")
    profile, name, right, wrong = PLANTS[plant]
    files = dict(c.files(declared(profile)))
    assert right.encode() in files[name], "there is nothing left to be wrong: plant it anew"
    files[name] = files[name].replace(right.encode(), wrong.encode())
    assert differs(Library(declared(profile), tmp_path, files))


def demand(**wrong: Any) -> type[Message]:
    """A message of which one thing is declared otherwise."""
    told = {"scale": 0.1, "offset": -400, "order": "little", "length": 6, "at": 3, "low": None, **wrong}

    class Demand(
        FromBms,
        title="demand",
        pgn=0x1000,
        priority=6,
        period_ms=50,
        phase=Phase.CHARGING,
        length=told["length"],
    ):
        """What the pack asks for."""

        voltage: Annotated[float, U(16, at=1, scale=told["scale"], unit="V", low=told["low"])]
        current: Annotated[float, U(16, at=told["at"], scale=0.1, offset=told["offset"], order=told["order"])]

        VECTORS: ClassVar = (Vector("52 17 82 0F FF FF", {}, "made for this test"),)

    return Demand


def declaration_of(*messages: type[Message]) -> Declaration:
    return Declaration(declared("gbt27930-2015").profile, (MessageSet("planted", messages),))


@pytest.mark.parametrize(
    "wrong",
    [{}, {"scale": 0.2}, {"offset": -40}, {"order": "big"}, {"length": 7}, {"at": 4}, {"low": 10}],
    ids=["nothing", "scale", "offset", "order", "length", "at", "low"],
)
def test_wrong_declaration(wrong: dict[str, Any], tmp_path: Path) -> None:
    """C made from a declaration that is wrong in one thing, against our codec of the right one."""
    compiler("gcc")
    right = declaration_of(demand())
    assert differs(Library(right, tmp_path, c.files(declaration_of(demand(**wrong))))) == bool(wrong)
