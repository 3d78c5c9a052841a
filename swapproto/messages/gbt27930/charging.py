"""GB/T 27930-2015 while current flows."""

from typing import Annotated, ClassVar

from swapproto.messages.gbt27930.codes import ChargeMode, Condition, Level, Permission, Phase
from swapproto.messages.gbt27930.parties import FromBms, FromCharger
from swapproto.messages.gbt27930.setup import RU5T, TYU05
from swapproto.wire.fields import Choice, Repeat, State, U
from swapproto.wire.message import Group, Vector

ONTOM = "public recording ontom bev150 (2011 edition, same layout)"


class BCL(FromBms, title="battery charge demand", pgn=0x1000, priority=6, period_ms=50, phase=Phase.CHARGING):
    """Voltage and current that the pack asks for; a charging current is negative."""

    voltage: Annotated[float, U(16, at=1, scale=0.1, unit="V", spn=3072)]
    current: Annotated[float, U(16, at=3, scale=0.1, offset=-400, unit="A", spn=3073)]
    mode: Annotated[ChargeMode, Choice(at=5, spn=3074)]

    VECTORS: ClassVar = (
        Vector(
            "52 17 82 0F 02", {"voltage": 597.0, "current": -3.0, "mode": ChargeMode.CONSTANT_CURRENT}, TYU05
        ),
    )


class BCS(FromBms, title="battery charge state", pgn=0x1100, priority=7, period_ms=250, phase=Phase.CHARGING):
    """What the pack measures while it is charged."""

    voltage: Annotated[float, U(16, at=1, scale=0.1, unit="V", spn=3075)]
    current: Annotated[float, U(16, at=3, scale=0.1, offset=-400, unit="A", spn=3076)]
    max_cell_voltage: Annotated[float, U(12, at=5.1, scale=0.01, unit="V", low=0, high=24, spn=3077)]
    max_cell_group: Annotated[int, U(4, at=6.5, spn=3077)]
    soc: Annotated[int, U(8, at=7, unit="%", low=0, high=100, spn=3078)]
    remaining_time: Annotated[int, U(16, at=8, unit="min", low=0, high=600, spn=3079)]

    VECTORS: ClassVar = (
        Vector(
            "C5 0E A0 0F 4C 61 4D 00 00",
            {
                "voltage": 378.1,
                "current": 0.0,
                "max_cell_voltage": 3.32,
                "max_cell_group": 6,
                "soc": 77,
                "remaining_time": 0,
            },
            RU5T,
        ),
    )


class CCS(
    FromCharger,
    title="charger charge state",
    pgn=0x1200,
    priority=6,
    period_ms=50,
    phase=Phase.CHARGING,
    length=7,
    lengths=(8,),
):
    """What the charger delivers. Sent with 7 bytes (GB/T 34658); the 2015 table has 8, and both are read."""

    voltage: Annotated[float, U(16, at=1, scale=0.1, unit="V", spn=3081)]
    current: Annotated[float, U(16, at=3, scale=0.1, offset=-400, unit="A", spn=3082)]
    elapsed_time: Annotated[int, U(16, at=5, unit="min", low=0, high=600, spn=3083)]
    permission: Annotated[Permission, State(at=7.1, spn=3929)]

    VECTORS: ClassVar = (
        Vector(
            "C9 0E A0 0F 00 00 FD",
            {"voltage": 378.5, "current": 0.0, "elapsed_time": 0, "permission": Permission.ALLOWED},
            RU5T,
        ),
        Vector(
            "2A 00 A0 0F 00 00 FD FF",
            {"voltage": 4.2, "current": 0.0, "elapsed_time": 0, "permission": Permission.ALLOWED},
            TYU05,
            canonical=False,
        ),
    )


class BSM(
    FromBms, title="battery status", pgn=0x1300, priority=6, period_ms=250, phase=Phase.CHARGING, length=7
):
    """Extremes and faults of the pack.

    All normal with the permission withdrawn pauses the charger, a fault stops it.
    """

    max_voltage_cell: Annotated[int, U(8, at=1, offset=1, spn=3085)]
    max_temperature: Annotated[int, U(8, at=2, offset=-50, unit="degC", low=-50, high=200, spn=3086)]
    max_temperature_probe: Annotated[int, U(8, at=3, offset=1, low=1, high=128, spn=3087)]
    min_temperature: Annotated[int, U(8, at=4, offset=-50, unit="degC", low=-50, high=200, spn=3088)]
    min_temperature_probe: Annotated[int, U(8, at=5, offset=1, low=1, high=128, spn=3089)]
    cell_voltage: Annotated[Level, State(at=6.1, spn=3090)]
    soc: Annotated[Level, State(at=6.3, spn=3091)]
    over_current: Annotated[Condition, State(at=6.5, spn=3092)]
    over_temperature: Annotated[Condition, State(at=6.7, spn=3093)]
    insulation: Annotated[Condition, State(at=7.1, spn=3094)]
    output_connector: Annotated[Condition, State(at=7.3, spn=3095)]
    permission: Annotated[Permission, State(at=7.5, spn=3096)]

    VECTORS: ClassVar = (
        Vector(
            "42 4B 01 4A 1B 00 D0",
            {
                "max_voltage_cell": 67,
                "max_temperature": 25,
                "max_temperature_probe": 2,
                "min_temperature": 24,
                "min_temperature_probe": 28,
                "cell_voltage": Level.NORMAL,
                "soc": Level.NORMAL,
                "over_current": Condition.NORMAL,
                "over_temperature": Condition.NORMAL,
                "insulation": Condition.NORMAL,
                "output_connector": Condition.NORMAL,
                "permission": Permission.ALLOWED,
            },
            TYU05,
        ),
    )


class CellVoltage(Group):
    """One entry of BMV: a cell's voltage and the group that it belongs to."""

    voltage: Annotated[float, U(12, at=1.1, scale=0.01, unit="V", low=0, high=24)]
    group: Annotated[int, U(4, at=2.5)]


_RECORDED = (
    ("4F11", 21), ("4E11", 1), ("4F11", 1), ("4E11", 1), ("4F11", 12), ("4E11", 3), ("4F11", 1), ("4E11", 8),
    ("4F21", 1), ("4E21", 1), ("4F21", 6), ("4E21", 2), ("4F21", 11), ("4E21", 1), ("4F21", 20), ("4E21", 10),
    ("FFFF", 26),
)  # fmt: skip
"""A recorded BMV of 252 bytes as runs of equal pairs: 100 cells, and 26 places left at ones."""


class BMV(
    FromBms,
    title="cell voltages",
    pgn=0x1500,
    priority=7,
    period_ms=10_000,
    phase=Phase.CHARGING,
    optional=True,
):
    """Voltage of every cell, at most 256 (SPN 3101 to 3356)."""

    cells: Annotated[tuple[CellVoltage, ...], Repeat(max_items=256, first_spn=3101)]

    VECTORS: ClassVar = (
        Vector(
            "".join(pair * count for pair, count in _RECORDED),
            {
                "cells": tuple(
                    CellVoltage(voltage=3.35 if pair[:2] == "4F" else 3.34, group=int(pair[2]))
                    for pair, count in _RECORDED[:-1]
                    for _ in range(count)
                )
            },
            ONTOM,
            canonical=False,
        ),
    )


class BMT(
    FromBms,
    title="battery temperatures",
    pgn=0x1600,
    priority=7,
    period_ms=10_000,
    phase=Phase.CHARGING,
    optional=True,
):
    """Temperature of every probe, at most 128."""

    temperatures: Annotated[
        tuple[int, ...],
        Repeat(item=U(8, offset=-50, unit="degC", low=-50, high=200), item_name="temperature", max_items=128),
    ]

    VECTORS: ClassVar = (
        Vector("0A 0A 0A 09 09 09 09 09 09 09 09 09", {"temperatures": (-40,) * 3 + (-41,) * 9}, ONTOM),
    )


class BSP(
    FromBms,
    title="battery reserved message",
    pgn=0x1700,
    priority=7,
    period_ms=10_000,
    phase=Phase.CHARGING,
    optional=True,
    unseen="no public recording holds a BSP",
):
    """Sixteen reserved bytes (SPN 3491 to 3506) without a public meaning."""

    values: Annotated[tuple[int, ...], Repeat(item=U(8), item_name="value", max_items=16, first_spn=3491)]
