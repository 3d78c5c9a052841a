"""What the pack reports of its requests, its work, its faults and its plugs."""

from typing import Annotated, ClassVar

from swapproto.messages.pack_can.codes import (
    DECODERS,
    AlarmLevel,
    Balancing,
    ChargeMode,
    ChargeState,
    Connection,
    Contact,
    Fault,
    FullChargeRequest,
    HighVoltageRequest,
    MonitorSwitch,
    PlugState,
    SpecialMode,
    Support,
    TelematicsEdition,
    WorkState,
    doubtful,
)
from swapproto.messages.pack_can.parties import FromPack, by_hand
from swapproto.wire.fields import Choice, State, U

COUNT_OR_INDEX = "whether a count or an index, the source does not say"
SIGN = doubtful("which sign is discharge, the source does not say")


class PackRequest(FromPack, title="pack request", pgn=0x0100, period_ms=100, length=8):
    """Unfiltered state of charge and health, and what the pack asks of the vehicle."""

    vin_request: Annotated[int, U(2, at=1.1, note="no values are public")] = 0
    high_voltage: Annotated[HighVoltageRequest, State(at=1.3)] = HighVoltageRequest.NONE
    full_charge: Annotated[FullChargeRequest, State(at=1.5)] = FullChargeRequest.NONE
    real_soc: Annotated[float, U(8, at=2, scale=0.4, unit="%")]
    real_soh: Annotated[float, U(8, at=3, scale=0.4, unit="%")]
    current: Annotated[float, U(16, at=4, scale=0.1, offset=-3200, unit="A", source=SIGN)]
    special_mode: Annotated[SpecialMode, Choice(bits=3, at=6.1)] = SpecialMode.NOT_GIVEN
    telematics: Annotated[TelematicsEdition, Choice(bits=3, at=6.4)] = TelematicsEdition.NOT_GIVEN
    security: Annotated[Support, State(at=6.7, note="GB 44495")] = Support.INVALID

    VECTORS: ClassVar = (
        by_hand(
            "02 C4 F3 2E 78 44 00 00",
            {
                "vin_request": 2, "high_voltage": HighVoltageRequest.NOT_GIVEN,
                "full_charge": FullChargeRequest.NOT_GIVEN, "real_soc": 78.4, "real_soh": 97.2,
                "current": -123.4, "special_mode": SpecialMode.STORAGE_CHARGE,
                "security": Support.UNSUPPORTED,
            },
        ),
    )  # fmt: skip


class WorkStatus(
    FromPack,
    title="work state and alarms",
    pgn=0x8100,
    period_ms=100,
    source=DECODERS,
    sealed_field="checksum",
):
    """What the pack is doing, whether it is plugged, and its alarms by level."""

    checksum: Annotated[int, U(8, at=1, note="the algorithm is not public")] = 0
    alive_counter: Annotated[int, U(4, at=2.1)] = 0
    work_state: Annotated[WorkState, State(at=2.5)]
    accessory: Annotated[Contact, Choice(bits=1, at=2.7)] = Contact.OPEN
    balancing: Annotated[Balancing, Choice(bits=1, at=2.8)] = Balancing.IDLE
    charge_plug: Annotated[Connection, Choice(bits=1, at=3.1)] = Connection.NOT_CONNECTED
    charge_mode: Annotated[ChargeMode, State(at=3.2)] = ChargeMode.NOT_GIVEN
    charge_state: Annotated[ChargeState, State(at=3.4)] = ChargeState.CAN_CHARGE
    highest_alarm: Annotated[AlarmLevel, State(at=3.6)] = AlarmLevel.NONE
    swap_charging: Annotated[
        Connection, Choice(bits=1, at=3.8, source=doubtful("the charge signal of a swap station"))
    ] = Connection.NOT_CONNECTED
    temperature_difference: Annotated[AlarmLevel, State(at=4.1)] = AlarmLevel.NONE
    cell_over_temperature: Annotated[AlarmLevel, State(at=4.3)] = AlarmLevel.NONE
    pack_over_voltage: Annotated[AlarmLevel, State(at=4.5)] = AlarmLevel.NONE
    pack_under_voltage: Annotated[AlarmLevel, State(at=4.7)] = AlarmLevel.NONE
    soc_low: Annotated[AlarmLevel, State(at=5.1)] = AlarmLevel.NONE
    cell_over_voltage: Annotated[AlarmLevel, State(at=5.3)] = AlarmLevel.NONE
    cell_under_voltage: Annotated[AlarmLevel, State(at=5.5)] = AlarmLevel.NONE
    insulation: Annotated[AlarmLevel, State(at=5.7)] = AlarmLevel.NONE
    cell_voltage_difference: Annotated[AlarmLevel, State(at=6.1)] = AlarmLevel.NONE
    charge_over_current: Annotated[AlarmLevel, State(at=6.3)] = AlarmLevel.NONE
    discharge_over_current: Annotated[AlarmLevel, State(at=6.5)] = AlarmLevel.NONE
    cell_under_temperature: Annotated[AlarmLevel, State(at=6.7)] = AlarmLevel.NONE
    branch_voltage_difference: Annotated[AlarmLevel, State(at=7.1)] = AlarmLevel.NONE
    hardware: Annotated[AlarmLevel, State(at=7.3)] = AlarmLevel.NONE
    soc_high: Annotated[Fault, Choice(bits=1, at=7.5)] = Fault.OK
    soc_jump: Annotated[Fault, Choice(bits=1, at=7.6)] = Fault.OK
    internal_communication: Annotated[Fault, Choice(bits=1, at=7.7)] = Fault.OK
    mismatch: Annotated[Fault, Choice(bits=1, at=7.8)] = Fault.OK
    high_voltage_interlock: Annotated[Fault, Choice(bits=1, at=8.1)] = Fault.OK
    smoke: Annotated[Fault, Choice(bits=1, at=8.2)] = Fault.OK
    fire: Annotated[Fault, Choice(bits=1, at=8.3)] = Fault.OK
    error_number: Annotated[int, U(5, at=8.4, note=COUNT_OR_INDEX)] = 0

    VECTORS: ClassVar = (
        by_hand(
            "3D 26 13 AC 41 92 32 AC",
            {
                "checksum": 0x3D, "alive_counter": 6, "work_state": WorkState.HIGH_VOLTAGE_ON,
                "charge_plug": Connection.CONNECTED, "charge_mode": ChargeMode.DC,
                "charge_state": ChargeState.FINISHED, "cell_over_temperature": AlarmLevel.LEVEL_3,
                "pack_over_voltage": AlarmLevel.LEVEL_2, "pack_under_voltage": AlarmLevel.LEVEL_2,
                "soc_low": AlarmLevel.LEVEL_1, "insulation": AlarmLevel.LEVEL_1,
                "cell_voltage_difference": AlarmLevel.LEVEL_2, "discharge_over_current": AlarmLevel.LEVEL_1,
                "cell_under_temperature": AlarmLevel.LEVEL_2,
                "branch_voltage_difference": AlarmLevel.LEVEL_2, "soc_high": Fault.FAULT,
                "soc_jump": Fault.FAULT, "fire": Fault.FAULT, "error_number": 21,
            },
        ),
    )  # fmt: skip


class InsulationStatus(FromPack, title="insulation monitor and plugs", pgn=0x8F00, period_ms=1000, length=8):
    """The pack's insulation monitor, its poles, its charge plugs."""

    monitor: Annotated[MonitorSwitch, State(at=1.1)]
    positive_pole_pack: Annotated[int, U(8, at=2)]
    positive_pole_temperature: Annotated[int, U(8, at=3, offset=-50, unit="degC")]
    negative_pole_pack: Annotated[int, U(8, at=4)]
    negative_pole_temperature: Annotated[int, U(8, at=5, offset=-50, unit="degC")]
    since_full_charge: Annotated[int, U(8, at=6, note="charges or days since the last full one: not said")]
    plug_1: Annotated[PlugState, State(at=7.1)] = PlugState.INVALID
    plug_2: Annotated[PlugState, State(at=7.3)] = PlugState.INVALID
    plug_3: Annotated[PlugState, State(at=7.5)] = PlugState.INVALID
    plug_4: Annotated[PlugState, State(at=7.7)] = PlugState.INVALID
    thermal_runaway_reason: Annotated[int, U(8, at=8, note="no values are public")] = 0

    VECTORS: ClassVar = (
        by_hand(
            "02 02 5B 03 2B 0C B3 06",
            {
                "monitor": MonitorSwitch.OFF, "positive_pole_pack": 2, "positive_pole_temperature": 41,
                "negative_pole_pack": 3, "negative_pole_temperature": -7, "since_full_charge": 12,
                "plug_2": PlugState.NOT_CONNECTED, "plug_4": PlugState.ABNORMAL,
                "thermal_runaway_reason": 6,
            },
        ),
    )  # fmt: skip
