"""Faults of a pack that serves as a store of the grid."""

from typing import Annotated, ClassVar

from swapproto.messages.pack_can.codes import AlarmLevel, Fault, Unit
from swapproto.messages.pack_can.parties import FromPack, by_hand
from swapproto.wire.fields import Choice, State


class StorageFaults(
    FromPack,
    title="storage faults",
    pgn=0x8000,
    period_ms=1000,
    destination_address=Unit.STORAGE.value,
    length=8,
):
    """Fault levels of the system, its clusters and cells."""

    pack_over_voltage: Annotated[AlarmLevel, State(at=1.1)] = AlarmLevel.NONE
    pack_under_voltage: Annotated[AlarmLevel, State(at=1.3)] = AlarmLevel.NONE
    cluster_over_voltage: Annotated[AlarmLevel, State(at=1.5)] = AlarmLevel.NONE
    cluster_under_voltage: Annotated[AlarmLevel, State(at=1.7)] = AlarmLevel.NONE
    discharge_over_current: Annotated[AlarmLevel, State(at=2.1)] = AlarmLevel.NONE
    charge_over_current: Annotated[AlarmLevel, State(at=2.3)] = AlarmLevel.NONE
    cell_over_voltage: Annotated[AlarmLevel, State(at=2.5)] = AlarmLevel.NONE
    cell_under_voltage: Annotated[AlarmLevel, State(at=2.7)] = AlarmLevel.NONE
    charge_voltage_difference: Annotated[AlarmLevel, State(at=3.1)] = AlarmLevel.NONE
    discharge_voltage_difference: Annotated[AlarmLevel, State(at=3.3)] = AlarmLevel.NONE
    cell_under_temperature: Annotated[AlarmLevel, State(at=3.5)] = AlarmLevel.NONE
    cell_over_temperature: Annotated[AlarmLevel, State(at=3.7)] = AlarmLevel.NONE
    discharge_cell_temperature_difference: Annotated[AlarmLevel, State(at=4.1)] = AlarmLevel.NONE
    charge_cell_temperature_difference: Annotated[AlarmLevel, State(at=4.3)] = AlarmLevel.NONE
    discharge_cell_voltage_difference: Annotated[AlarmLevel, State(at=4.5)] = AlarmLevel.NONE
    charge_cell_voltage_difference: Annotated[AlarmLevel, State(at=4.7)] = AlarmLevel.NONE
    discharge_insulation: Annotated[AlarmLevel, State(at=5.5)] = AlarmLevel.NONE
    charge_insulation: Annotated[AlarmLevel, State(at=5.7)] = AlarmLevel.NONE
    initialisation: Annotated[Fault, Choice(bits=1, at=6.1)] = Fault.OK
    external_communication: Annotated[Fault, Choice(bits=1, at=6.2)] = Fault.OK
    balancing_circuit: Annotated[Fault, Choice(bits=1, at=6.3)] = Fault.OK
    main_circuit: Annotated[Fault, Choice(bits=1, at=6.4)] = Fault.OK
    temperature_sampling: Annotated[Fault, Choice(bits=1, at=6.5)] = Fault.OK
    voltage_sampling: Annotated[Fault, Choice(bits=1, at=6.6)] = Fault.OK
    internal_over_current: Annotated[AlarmLevel, State(at=6.7)] = AlarmLevel.NONE
    over_current_protection_open: Annotated[Fault, Choice(bits=1, at=7.1)] = Fault.OK
    main_circuit_connection: Annotated[Fault, Choice(bits=1, at=7.2)] = Fault.OK
    temperature_rise: Annotated[AlarmLevel, State(at=7.3)] = AlarmLevel.NONE
    energy_low: Annotated[AlarmLevel, State(at=7.5)] = AlarmLevel.NONE
    energy_high: Annotated[AlarmLevel, State(at=7.7)] = AlarmLevel.NONE

    VECTORS: ClassVar = (
        by_hand(
            "EA 54 83 C1 A0 16 DB 00",
            {
                "pack_over_voltage": AlarmLevel.LEVEL_2, "pack_under_voltage": AlarmLevel.LEVEL_2,
                "cluster_over_voltage": AlarmLevel.LEVEL_2, "cluster_under_voltage": AlarmLevel.LEVEL_3,
                "charge_over_current": AlarmLevel.LEVEL_1, "cell_over_voltage": AlarmLevel.LEVEL_1,
                "cell_under_voltage": AlarmLevel.LEVEL_1, "charge_voltage_difference": AlarmLevel.LEVEL_3,
                "cell_over_temperature": AlarmLevel.LEVEL_2,
                "discharge_cell_temperature_difference": AlarmLevel.LEVEL_1,
                "charge_cell_voltage_difference": AlarmLevel.LEVEL_3,
                "discharge_insulation": AlarmLevel.LEVEL_2, "charge_insulation": AlarmLevel.LEVEL_2,
                "external_communication": Fault.FAULT, "balancing_circuit": Fault.FAULT,
                "temperature_sampling": Fault.FAULT, "over_current_protection_open": Fault.FAULT,
                "main_circuit_connection": Fault.FAULT, "temperature_rise": AlarmLevel.LEVEL_2,
                "energy_low": AlarmLevel.LEVEL_1, "energy_high": AlarmLevel.LEVEL_3,
            },
        ),
    )  # fmt: skip
