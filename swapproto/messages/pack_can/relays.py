"""The pack's contactors: states, welds, contacts stuck open."""

from typing import Annotated, ClassVar

from swapproto.messages.pack_can.codes import (
    DECODERS,
    AlarmLevel,
    BaseType,
    Fault,
    RelayState,
    SocketAlarm,
    doubtful,
)
from swapproto.messages.pack_can.parties import FromPack, by_hand
from swapproto.wire.fields import Choice, State, U

COUNT_OR_INDEX = "whether a count or an index, the source does not say"
SIGN = doubtful("which sign is discharge, the source does not say")


class RelayStatus(FromPack, title="contactors", pgn=0x8000, period_ms=100, source=DECODERS):
    """Contactors as reported, welded and stuck-open bits, faults about them."""

    charge_system_number: Annotated[int, U(4, at=1.1, note=COUNT_OR_INDEX)] = 0
    positive_welded: Annotated[Fault, Choice(bits=1, at=1.5)] = Fault.OK
    negative_welded: Annotated[Fault, Choice(bits=1, at=1.6)] = Fault.OK
    charge_positive_1_welded: Annotated[Fault, Choice(bits=1, at=1.7)] = Fault.OK
    charge_negative_1_welded: Annotated[Fault, Choice(bits=1, at=1.8)] = Fault.OK
    charge_positive_2_welded: Annotated[Fault, Choice(bits=1, at=2.1)] = Fault.OK
    charge_negative_2_welded: Annotated[Fault, Choice(bits=1, at=2.2)] = Fault.OK
    heating_1_welded: Annotated[Fault, Choice(bits=1, at=2.3)] = Fault.OK
    heating_2_welded: Annotated[Fault, Choice(bits=1, at=2.4)] = Fault.OK
    positive: Annotated[RelayState, State(at=2.5)] = RelayState.INVALID
    negative: Annotated[RelayState, State(at=2.7)] = RelayState.INVALID
    precharge: Annotated[RelayState, State(at=3.1)] = RelayState.INVALID
    charge_positive_1: Annotated[RelayState, State(at=3.3)] = RelayState.INVALID
    charge_negative_1: Annotated[RelayState, State(at=3.5)] = RelayState.INVALID
    charge_positive_2: Annotated[RelayState, State(at=3.7)] = RelayState.INVALID
    charge_negative_2: Annotated[RelayState, State(at=4.1)] = RelayState.INVALID
    accessory_welded: Annotated[
        Fault, Choice(bits=1, at=4.3, source=doubtful("a station's list has this bit reserved"))
    ] = Fault.OK
    branch_disconnected: Annotated[Fault, Choice(bits=1, at=4.4)] = Fault.OK
    regeneration_over_current: Annotated[
        AlarmLevel, State(at=4.5, source=doubtful("a station's list has one bit for it, the upper one"))
    ] = AlarmLevel.NONE
    positive_stuck_open: Annotated[Fault, Choice(bits=1, at=4.7)] = Fault.OK
    negative_stuck_open: Annotated[Fault, Choice(bits=1, at=4.8)] = Fault.OK
    charge_positive_1_stuck_open: Annotated[Fault, Choice(bits=1, at=5.1)] = Fault.OK
    charge_positive_2_stuck_open: Annotated[Fault, Choice(bits=1, at=5.2)] = Fault.OK
    charge_negative_1_stuck_open: Annotated[Fault, Choice(bits=1, at=5.3)] = Fault.OK
    charge_negative_2_stuck_open: Annotated[Fault, Choice(bits=1, at=5.4)] = Fault.OK
    thermal_management_welded: Annotated[Fault, Choice(bits=1, at=5.5)] = Fault.OK
    thermal_management_stuck_open: Annotated[Fault, Choice(bits=1, at=5.6)] = Fault.OK
    thermal_management: Annotated[
        Fault,
        Choice(
            bits=1,
            at=5.7,
            source=doubtful("named thermal runaway, commented thermal-management fault; the comment counts"),
        ),
    ] = Fault.OK
    supply_voltage: Annotated[Fault, Choice(bits=1, at=5.8)] = Fault.OK
    self_protection: Annotated[Fault, Choice(bits=1, at=6.1)] = Fault.OK
    charge_socket_over_temperature: Annotated[SocketAlarm, State(at=6.2)] = SocketAlarm.NONE
    precharge_welded: Annotated[Fault, Choice(bits=1, at=6.4)] = Fault.OK
    dcdc: Annotated[RelayState, State(at=6.5)] = RelayState.INVALID
    heating_1_stuck_open: Annotated[Fault, Choice(bits=1, at=6.7)] = Fault.OK
    heating_2_stuck_open: Annotated[Fault, Choice(bits=1, at=6.8)] = Fault.OK
    energy_system_number: Annotated[int, U(4, at=7.1, note=COUNT_OR_INDEX)] = 0
    heating_2: Annotated[RelayState, State(at=7.5)] = RelayState.INVALID
    heating_1: Annotated[RelayState, State(at=7.7)] = RelayState.INVALID
    fault_code: Annotated[int, U(8, at=8, note="no values are public")] = 0

    VECTORS: ClassVar = (
        by_hand(
            "73 91 CB BA 56 D5 B5 47",
            {
                "charge_system_number": 3, "positive_welded": Fault.FAULT, "negative_welded": Fault.FAULT,
                "charge_positive_1_welded": Fault.FAULT, "charge_positive_2_welded": Fault.FAULT,
                "positive": RelayState.OPEN, "negative": RelayState.CLOSED,
                "charge_positive_1": RelayState.CLOSED, "charge_negative_1": RelayState.NOT_GIVEN,
                "charge_negative_2": RelayState.CLOSED, "branch_disconnected": Fault.FAULT,
                "regeneration_over_current": AlarmLevel.LEVEL_3, "negative_stuck_open": Fault.FAULT,
                "charge_positive_2_stuck_open": Fault.FAULT, "charge_negative_1_stuck_open": Fault.FAULT,
                "thermal_management_welded": Fault.FAULT, "thermal_management": Fault.FAULT,
                "self_protection": Fault.FAULT, "charge_socket_over_temperature": SocketAlarm.LEVEL_2,
                "dcdc": RelayState.OPEN, "heating_1_stuck_open": Fault.FAULT,
                "heating_2_stuck_open": Fault.FAULT, "energy_system_number": 5,
                "heating_1": RelayState.CLOSED, "fault_code": 0x47,
            },
        ),
    )  # fmt: skip


class FurtherRelays(FromPack, title="further contactors and base", pgn=0x8E00, period_ms=100, length=8):
    """Second main contactors, charge contactors three and four, and the base the pack stands on."""

    positive_2_welded: Annotated[Fault, Choice(bits=1, at=1.1)] = Fault.OK
    negative_2_welded: Annotated[Fault, Choice(bits=1, at=1.2)] = Fault.OK
    positive_2_stuck_open: Annotated[Fault, Choice(bits=1, at=1.3)] = Fault.OK
    negative_2_stuck_open: Annotated[Fault, Choice(bits=1, at=1.4)] = Fault.OK
    positive_2: Annotated[RelayState, State(at=1.5)] = RelayState.INVALID
    negative_2: Annotated[RelayState, State(at=1.7)] = RelayState.INVALID
    charge_positive_3_welded: Annotated[Fault, Choice(bits=1, at=2.1)] = Fault.OK
    charge_negative_3_welded: Annotated[Fault, Choice(bits=1, at=2.2)] = Fault.OK
    charge_positive_3_stuck_open: Annotated[Fault, Choice(bits=1, at=2.3)] = Fault.OK
    charge_negative_3_stuck_open: Annotated[Fault, Choice(bits=1, at=2.4)] = Fault.OK
    charge_positive_3: Annotated[RelayState, State(at=2.5)] = RelayState.INVALID
    charge_negative_3: Annotated[RelayState, State(at=2.7)] = RelayState.INVALID
    charge_positive_4_welded: Annotated[Fault, Choice(bits=1, at=3.1)] = Fault.OK
    charge_negative_4_welded: Annotated[Fault, Choice(bits=1, at=3.2)] = Fault.OK
    charge_positive_4_stuck_open: Annotated[Fault, Choice(bits=1, at=3.3)] = Fault.OK
    charge_negative_4_stuck_open: Annotated[Fault, Choice(bits=1, at=3.4)] = Fault.OK
    charge_positive_4: Annotated[RelayState, State(at=3.5)] = RelayState.INVALID
    charge_negative_4: Annotated[RelayState, State(at=3.7)] = RelayState.INVALID
    low_voltage: Annotated[int, U(6, at=4.1, unit="V")]
    base_type: Annotated[BaseType, State(at=4.7)]
    charge_current_limit: Annotated[float, U(16, at=5, scale=0.1, offset=-2000, unit="A")]
    charge_stop_reason: Annotated[int, U(8, at=7, note="no values are public")] = 0

    VECTORS: ClassVar = (
        by_hand(
            "69 E6 AA 5B 03 3E 23 00",
            {
                "positive_2_welded": Fault.FAULT, "negative_2_stuck_open": Fault.FAULT,
                "positive_2": RelayState.CLOSED, "negative_2": RelayState.OPEN,
                "charge_negative_3_welded": Fault.FAULT, "charge_positive_3_stuck_open": Fault.FAULT,
                "charge_positive_3": RelayState.CLOSED, "charge_negative_4_welded": Fault.FAULT,
                "charge_negative_4_stuck_open": Fault.FAULT, "charge_positive_4": RelayState.CLOSED,
                "charge_negative_4": RelayState.CLOSED, "low_voltage": 27, "base_type": BaseType.HIGH_POWER,
                "charge_current_limit": -412.5, "charge_stop_reason": 0x23,
            },
        ),
    )  # fmt: skip
