"""GB/T 27930-2015 from the stop on: stop exchange, statistics, errors, diagnosis."""

from typing import Annotated, ClassVar

from swapproto.messages.gbt27930.codes import Condition, Phase, Reached, Timeout
from swapproto.messages.gbt27930.parties import FromBms, FromCharger
from swapproto.messages.gbt27930.setup import HYBTALENTED, RU5T, TYU05
from swapproto.provenance import Basis, Source
from swapproto.wire.fields import State, U
from swapproto.wire.message import Vector

_BST_FAULTS = (
    "insulation", "connector_over_temperature", "component_over_temperature", "charge_connector",
    "pack_over_temperature", "relay", "check_point_2", "other", "over_current", "voltage",
)  # fmt: skip
_CST_FAULTS = (
    "charger_over_temperature", "connector", "internal_over_temperature", "energy_not_deliverable",
    "emergency_stop", "other", "current_mismatch", "voltage",
)  # fmt: skip


class BST(FromBms, title="BMS stop", pgn=0x1900, priority=4, period_ms=10, phase=Phase.END, length=4):
    """The pack ends the charge, and why: targets reached, faults, errors."""

    soc_target: Annotated[Reached, State(at=1.1, spn=3511)] = Reached.NO
    voltage_target: Annotated[Reached, State(at=1.3, spn=3511)] = Reached.NO
    cell_voltage_target: Annotated[Reached, State(at=1.5, spn=3511)] = Reached.NO
    charger_stopped: Annotated[Reached, State(at=1.7, spn=3511)] = Reached.NO
    insulation: Annotated[Condition, State(at=2.1, spn=3512)] = Condition.NORMAL
    connector_over_temperature: Annotated[Condition, State(at=2.3, spn=3512)] = Condition.NORMAL
    component_over_temperature: Annotated[Condition, State(at=2.5, spn=3512)] = Condition.NORMAL
    charge_connector: Annotated[Condition, State(at=2.7, spn=3512)] = Condition.NORMAL
    pack_over_temperature: Annotated[Condition, State(at=3.1, spn=3512)] = Condition.NORMAL
    relay: Annotated[Condition, State(at=3.3, spn=3512)] = Condition.NORMAL
    check_point_2: Annotated[Condition, State(at=3.5, spn=3512)] = Condition.NORMAL
    other: Annotated[Condition, State(at=3.7, spn=3512)] = Condition.NORMAL
    over_current: Annotated[Condition, State(at=4.1, spn=3513)] = Condition.NORMAL
    voltage: Annotated[Condition, State(at=4.3, spn=3513)] = Condition.NORMAL

    VECTORS: ClassVar = (
        Vector("40 00 00 00", {"charger_stopped": Reached.YES}, RU5T, canonical=False),
        Vector("00 00 00 00", {}, HYBTALENTED, canonical=False),
    )

    @property
    def faults(self) -> tuple[str, ...]:
        """Names of the faults and errors that are set (SPN 3512 and 3513)."""
        return tuple(name for name in _BST_FAULTS if getattr(self, name) == Condition.FAULT)


class CST(FromCharger, title="charger stop", pgn=0x1A00, priority=4, period_ms=10, phase=Phase.END, length=4):
    """The charger ends the charge, and why."""

    condition_reached: Annotated[Reached, State(at=1.1, spn=3521)] = Reached.NO
    manual: Annotated[Reached, State(at=1.3, spn=3521)] = Reached.NO
    fault: Annotated[Reached, State(at=1.5, spn=3521)] = Reached.NO
    bms_stopped: Annotated[Reached, State(at=1.7, spn=3521)] = Reached.NO
    charger_over_temperature: Annotated[Condition, State(at=2.1, spn=3522)] = Condition.NORMAL
    connector: Annotated[Condition, State(at=2.3, spn=3522)] = Condition.NORMAL
    internal_over_temperature: Annotated[Condition, State(at=2.5, spn=3522)] = Condition.NORMAL
    energy_not_deliverable: Annotated[Condition, State(at=2.7, spn=3522)] = Condition.NORMAL
    emergency_stop: Annotated[Condition, State(at=3.1, spn=3522)] = Condition.NORMAL
    other: Annotated[Condition, State(at=3.3, spn=3522)] = Condition.NORMAL
    current_mismatch: Annotated[Condition, State(at=4.1, spn=3523)] = Condition.NORMAL
    voltage: Annotated[Condition, State(at=4.3, spn=3523)] = Condition.NORMAL

    VECTORS: ClassVar = (Vector("04 00 F0 F0", {"manual": Reached.YES}, RU5T),)

    @property
    def faults(self) -> tuple[str, ...]:
        """Names of the faults and errors that are set (SPN 3522 and 3523)."""
        return tuple(name for name in _CST_FAULTS if getattr(self, name) == Condition.FAULT)


class BSD(FromBms, title="BMS statistics", pgn=0x1C00, priority=6, period_ms=250, phase=Phase.END):
    """How the pack stands after the charge."""

    soc: Annotated[int, U(8, at=1, unit="%", spn=3601)]
    min_cell_voltage: Annotated[float, U(16, at=2, scale=0.01, unit="V", low=0, high=24, spn=3602)]
    max_cell_voltage: Annotated[float, U(16, at=4, scale=0.01, unit="V", low=0, high=24, spn=3603)]
    min_temperature: Annotated[int, U(8, at=6, offset=-50, unit="degC", spn=3604)]
    max_temperature: Annotated[int, U(8, at=7, offset=-50, unit="degC", spn=3605)]

    VECTORS: ClassVar = (
        Vector(
            "4D 4D 01 4E 01 35 36",
            {
                "soc": 77,
                "min_cell_voltage": 3.33,
                "max_cell_voltage": 3.34,
                "min_temperature": 3,
                "max_temperature": 4,
            },
            RU5T,
        ),
    )


class CSD(FromCharger, title="charger statistics", pgn=0x1D00, priority=6, period_ms=250, phase=Phase.END):
    """How long and how much the charger delivered."""

    total_time: Annotated[int, U(16, at=1, unit="min", low=0, high=600, spn=3611)]
    energy: Annotated[float, U(16, at=3, scale=0.1, unit="kWh", low=0, high=1000, spn=3612)]
    charger_number: Annotated[int, U(32, at=5, offset=1, spn=3613)]

    VECTORS: ClassVar = (
        Vector(
            "00 00 01 00 01 01 01 01",
            {"total_time": 0, "energy": 0.1, "charger_number": 0x01010102},
            RU5T,
        ),
    )


class BEM(FromBms, title="BMS error", pgn=0x1E00, priority=2, period_ms=250, phase=Phase.ERROR, length=4):
    """Which of the charger's messages failed to come in time."""

    crm_not_recognised: Annotated[Timeout, State(at=1.1, spn=3901)] = Timeout.NORMAL
    crm_recognised: Annotated[Timeout, State(at=1.3, spn=3902)] = Timeout.NORMAL
    cts_cml: Annotated[Timeout, State(at=2.1, spn=3903)] = Timeout.NORMAL
    cro: Annotated[Timeout, State(at=2.3, spn=3904)] = Timeout.NORMAL
    ccs: Annotated[Timeout, State(at=3.1, spn=3905)] = Timeout.NORMAL
    cst: Annotated[Timeout, State(at=3.3, spn=3906)] = Timeout.NORMAL
    csd: Annotated[Timeout, State(at=4.1, spn=3907)] = Timeout.NORMAL
    other: Annotated[
        int | None, U(6, at=4.3, source=Source("GB/T 27930-2015, clause 9", Basis.REPORTED, 1))
    ] = None

    VECTORS: ClassVar = (Vector("F0 F0 F1 FC", {"ccs": Timeout.TIMEOUT}, TYU05),)


class CEM(
    FromCharger,
    title="charger error",
    pgn=0x1F00,
    priority=2,
    period_ms=250,
    phase=Phase.ERROR,
    length=4,
    unseen="no public recording holds a CEM",
):
    """Which of the pack's messages failed to come in time."""

    brm: Annotated[Timeout, State(at=1.1, spn=3921)] = Timeout.NORMAL
    bcp: Annotated[Timeout, State(at=2.1, spn=3922)] = Timeout.NORMAL
    bro: Annotated[Timeout, State(at=2.3, spn=3923)] = Timeout.NORMAL
    bcs: Annotated[Timeout, State(at=3.1, spn=3924)] = Timeout.NORMAL
    bcl: Annotated[Timeout, State(at=3.3, spn=3925)] = Timeout.NORMAL
    bst: Annotated[Timeout, State(at=3.5, spn=3926)] = Timeout.NORMAL
    bsd: Annotated[Timeout, State(at=4.1, spn=3927)] = Timeout.NORMAL
    other: Annotated[
        int | None, U(6, at=4.3, source=Source("GB/T 27930-2015, clause 9", Basis.REPORTED, 1))
    ] = None
