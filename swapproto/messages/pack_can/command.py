"""What the vehicle, its swap controller and its clock tell the pack."""

from typing import Annotated, ClassVar

from swapproto.j1939 import GLOBAL_ADDRESS
from swapproto.messages.pack_can.codes import (
    AlarmLevel,
    Connection,
    LockState,
    PackValue,
    RelayFault,
    RelayState,
    Unit,
    doubtful,
)
from swapproto.messages.pack_can.parties import FromVehicle, PackMessage, by_hand
from swapproto.wire.fields import State, Text, U


class HighVoltageCommand(PackValue):
    """The vehicle's order to the pack."""

    NOT_GIVEN = 0
    ON = 1
    OFF = 2
    INVALID = 3


class HeatingCommand(PackValue):
    """The source's words: whether they mean the relay or the heating is not said."""

    NOT_GIVEN = 0
    OPEN = 1
    CLOSED = 2
    INVALID = 3


class MonitorCommand(PackValue):
    """The vehicle switches the pack's insulation monitor."""

    NOT_GIVEN = 0
    ON = 1
    OFF = 2
    INVALID = 3


class MonitorState(PackValue):
    """The vehicle's insulation monitor."""

    SELF_TEST = 0
    WORKING = 1
    STOPPED = 2
    FAULT = 3


class StorageMode(PackValue):
    """The pack as a store of the grid."""

    NOT_GIVEN = 0
    DISCHARGE = 1
    CHARGE = 2
    INVALID = 3


class ChargePermission(PackValue):
    """Whether the vehicle lets the pack be charged."""

    NOT_GIVEN = 0
    ALLOWED = 1
    FORBIDDEN = 2
    INVALID = 3


class SleepRequest(PackValue):
    """Whether the pack is to stay awake for a while."""

    NONE = 0
    DELAYED = 1


class VehicleCommand(
    FromVehicle, title="vehicle command", pgn=0x0200, period_ms=50, length=8, sealed_field="checksum"
):
    """The vehicle orders high voltage and heating, and reports its own contactors."""

    checksum: Annotated[int, U(8, at=1, note="the algorithm is not public")] = 0
    alive_counter: Annotated[int | None, U(4, at=2.1, note="15 is invalid")] = None
    high_voltage: Annotated[HighVoltageCommand, State(at=2.5)] = HighVoltageCommand.INVALID
    accessory_high_voltage: Annotated[HighVoltageCommand, State(at=2.7)] = HighVoltageCommand.INVALID
    speed: Annotated[int, U(8, at=3, unit="km/h")] = 0
    heating: Annotated[
        HeatingCommand, State(at=4.1, source=doubtful("whether open means the relay or the heating"))
    ] = HeatingCommand.INVALID
    positive: Annotated[RelayState, State(at=4.3)] = RelayState.INVALID
    negative: Annotated[RelayState, State(at=4.5)] = RelayState.INVALID
    precharge: Annotated[RelayState, State(at=4.7)] = RelayState.INVALID
    accessory: Annotated[RelayState, State(at=5.1)] = RelayState.INVALID
    main_motor: Annotated[RelayState, State(at=5.3)] = RelayState.INVALID
    main_motor_fault: Annotated[RelayFault, State(at=5.5)] = RelayFault.OK
    auxiliary_1: Annotated[RelayState, State(at=5.7)] = RelayState.INVALID
    auxiliary_1_fault: Annotated[RelayFault, State(at=6.1)] = RelayFault.OK
    auxiliary_2: Annotated[RelayState, State(at=6.3)] = RelayState.INVALID
    auxiliary_2_fault: Annotated[RelayFault, State(at=6.5)] = RelayFault.OK
    auxiliary_3: Annotated[RelayState, State(at=6.7)] = RelayState.INVALID
    auxiliary_3_fault: Annotated[RelayFault, State(at=7.1)] = RelayFault.OK
    auxiliary_4: Annotated[RelayState, State(at=7.3)] = RelayState.INVALID
    auxiliary_4_fault: Annotated[RelayFault, State(at=7.5)] = RelayFault.OK

    VECTORS: ClassVar = (
        by_hand(
            "A7 E9 3E A5 B1 4F 04 00",
            {
                "checksum": 0xA7, "alive_counter": 9, "high_voltage": HighVoltageCommand.OFF, "speed": 62,
                "heating": HeatingCommand.OPEN, "positive": RelayState.OPEN, "negative": RelayState.CLOSED,
                "precharge": RelayState.CLOSED, "accessory": RelayState.OPEN,
                "main_motor": RelayState.NOT_GIVEN, "main_motor_fault": RelayFault.INVALID,
                "auxiliary_1": RelayState.CLOSED, "auxiliary_1_fault": RelayFault.INVALID,
                "auxiliary_3": RelayState.OPEN, "auxiliary_4": RelayState.OPEN,
            },
        ),
    )  # fmt: skip


class InsulationCommand(
    FromVehicle, title="insulation monitor command", pgn=0xAA00, period_ms=1000, length=8
):
    """The vehicle switches the pack's insulation monitor and reports what its own measures."""

    monitor: Annotated[MonitorCommand, State(at=1.1)] = MonitorCommand.INVALID
    storage_mode: Annotated[StorageMode, State(at=1.3)] = StorageMode.INVALID
    charge_permission: Annotated[ChargePermission, State(at=1.5)] = ChargePermission.INVALID
    delayed_sleep: Annotated[SleepRequest, State(at=1.7)] = SleepRequest.NONE
    monitor_state: Annotated[MonitorState, State(at=2.1)]
    fault_level: Annotated[AlarmLevel, State(at=2.3)] = AlarmLevel.NONE
    insulation_positive: Annotated[int, U(16, at=3, unit="kohm")]
    insulation_negative: Annotated[int, U(16, at=5, unit="kohm")]

    VECTORS: ClassVar = (
        by_hand(
            "28 0C 2E 09 4E 07 00 00",
            {
                "monitor": MonitorCommand.NOT_GIVEN, "storage_mode": StorageMode.CHARGE,
                "charge_permission": ChargePermission.FORBIDDEN, "monitor_state": MonitorState.SELF_TEST,
                "fault_level": AlarmLevel.LEVEL_3, "insulation_positive": 2350, "insulation_negative": 1870,
            },
        ),
    )  # fmt: skip


class VehicleIdentity(FromVehicle, title="vehicle identification number", pgn=0xE100, period_ms=100):
    """Seven characters of the VIN; three frames make it, and the third uses three characters."""

    frame_number: Annotated[int, U(8, at=1)]
    characters: Annotated[str, Text(size=7, at=2, pad=0, note="the filler is assumed")]

    VECTORS: ClassVar = (
        by_hand(
            "02 32 4E 30 30 30 30 30",
            {
                "frame_number": 2, "characters": "2N00000",
            },
        ),
    )  # fmt: skip


class Clock(
    PackMessage,
    title="date and time",
    pgn=0x0200,
    period_ms=1000,
    sender=Unit.CLOCK,
    source_address=Unit.CLOCK.value,
    destination_address=Unit.BMS.value,
    length=8,
):
    """Date and time for the pack, from the charger or another clock."""

    year: Annotated[int, U(7, at=1.1, unit="year", note="from which year it counts is not public")]
    month: Annotated[int, U(4, at=1.8, unit="month")]
    day: Annotated[int, U(5, at=2.4, unit="day")]
    hour: Annotated[int, U(5, at=3.1, unit="h")]
    minute: Annotated[int, U(6, at=3.6, unit="min")]
    second: Annotated[int, U(6, at=4.4, unit="s")]

    VECTORS: ClassVar = (
        by_hand(
            "99 B5 AE 9C 01 00 00 00",
            {
                "year": 25, "month": 11, "day": 22, "hour": 14, "minute": 37, "second": 51,
            },
        ),
    )  # fmt: skip


class SwapController(
    PackMessage,
    title="swap controller",
    pgn=0xFFF8,
    period_ms=100,
    sender=Unit.SWAP_CONTROLLER,
    source_address=Unit.SWAP_CONTROLLER.value,
    destination_address=GLOBAL_ADDRESS,
    length=8,
):
    """Lock pins, connectors and faults of the truck's swap system."""

    counter: Annotated[int, U(8, at=1, source=doubtful("the source's name may mean count or control"))] = 0
    lock: Annotated[LockState, State(at=2.1, note="2 = locked has a second witness, a station's PLC")]
    swap_connector: Annotated[Connection, State(at=2.3)]
    discharge_connector: Annotated[Connection, State(at=2.5)]
    charge_connector: Annotated[Connection, State(at=2.7)]
    fault_level: Annotated[AlarmLevel, State(at=4.1)] = AlarmLevel.NONE
    fault_code: Annotated[
        int,
        U(
            8,
            at=5,
            low=0,
            high=32,
            note="1-8 connector over-temperature level 1 at probe 1-8, 9-16 level 2, 17-24 level 3, "
            "25-32 probe 1-8 open circuit",
        ),
    ] = 0

    VECTORS: ClassVar = (
        by_hand(
            "5C 46 00 02 12 00 00 00",
            {
                "counter": 0x5C, "lock": LockState.LOCKED, "swap_connector": Connection.CONNECTED,
                "discharge_connector": Connection.NOT_CONNECTED, "charge_connector": Connection.CONNECTED,
                "fault_level": AlarmLevel.LEVEL_2, "fault_code": 0x12,
            },
        ),
    )  # fmt: skip
