"""Pack and thermal unit: the two messages of the family in Motorola order."""

from typing import Annotated, ClassVar

from swapproto.j1939 import GLOBAL_ADDRESS
from swapproto.messages.pack_can.codes import (
    AlarmLevel,
    Contact,
    PackValue,
    Unit,
    doubtful,
)
from swapproto.messages.pack_can.parties import PackMessage, by_hand
from swapproto.wire.fields import Choice, U


class ThermalMode(PackValue):
    """What the thermal unit does, or shall do."""

    OFF = 0
    COOL = 1
    HEAT = 2
    CIRCULATE = 3


class ThermalSupply(PackValue):
    """The thermal unit's high voltage, as the pack asks for it."""

    ON = 0
    OFF = 1


class Charging(PackValue):
    """Whether the pack is being charged."""

    NOT_CHARGING = 0
    CHARGING = 1


class ThermalRequest(
    PackMessage,
    title="thermal request",
    pgn=0xFF45,
    period_ms=1000,
    sender=Unit.BMS_THERMAL,
    source_address=Unit.BMS_THERMAL.value,
    destination_address=GLOBAL_ADDRESS,
    sealed_field="crc",
):
    """The pack asks the thermal unit to cool or to heat."""

    mode: Annotated[ThermalMode, Choice(bits=2, at=1.2, order="big")]
    high_voltage: Annotated[ThermalSupply, Choice(bits=2, at=1.4, order="big")]
    charging: Annotated[Charging, Choice(bits=2, at=1.6, order="big")]
    relay: Annotated[Contact, Choice(bits=2, at=1.8, order="big")]
    voltage: Annotated[int, U(16, at=2.8, order="big", unit="V")]
    set_temperature: Annotated[int, U(8, at=5.8, order="big", offset=-40, unit="degC")]
    alive_counter: Annotated[int, U(8, at=7.8, order="big")] = 0
    crc: Annotated[int, U(8, at=8.8, order="big", note="the algorithm is not public")] = 0

    VECTORS: ClassVar = (
        by_hand(
            "56 02 65 00 3E 00 8E 4D",
            {
                "mode": ThermalMode.HEAT, "high_voltage": ThermalSupply.OFF, "charging": Charging.CHARGING,
                "relay": Contact.CLOSED, "voltage": 613, "set_temperature": 22, "alive_counter": 142,
                "crc": 0x4D,
            },
        ),
    )  # fmt: skip


class ThermalState(
    PackMessage,
    title="thermal state",
    pgn=0xFFC1,
    period_ms=1000,
    sender=Unit.THERMAL_UNIT,
    source_address=Unit.THERMAL_UNIT.value,
    destination_address=GLOBAL_ADDRESS,
):
    """What the thermal unit does, its coolant, the power it asks for."""

    mode: Annotated[ThermalMode, Choice(bits=2, at=1.2, order="big")]
    relay: Annotated[Contact, Choice(bits=2, at=1.4, order="big")]
    outlet: Annotated[int, U(8, at=2.8, order="big", offset=-40, unit="degC")]
    inlet: Annotated[int, U(8, at=3.8, order="big", offset=-40, unit="degC")]
    version: Annotated[int, U(8, at=4.8, order="big")] = 0
    power_request: Annotated[float, U(16, at=6.8, order="big", scale=0.1, unit="kW")]
    fault_code: Annotated[int, U(6, at=8.6, order="big", note="no values are public")] = 0
    fault_level: Annotated[
        AlarmLevel,
        Choice(bits=2, at=8.8, order="big", source=doubtful("0 is in no list; none is assumed")),
    ] = AlarmLevel.NONE

    VECTORS: ClassVar = (
        by_hand(
            "05 3A 1B 21 00 00 4C AB",
            {
                "mode": ThermalMode.COOL, "relay": Contact.CLOSED, "outlet": 18, "inlet": -13,
                "version": 0x21, "power_request": 7.6, "fault_code": 0x2B,
                "fault_level": AlarmLevel.LEVEL_2,
            },
        ),
    )  # fmt: skip
