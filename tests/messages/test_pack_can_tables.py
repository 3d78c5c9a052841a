"""The D0/F3 declarations against the tables of the source, typed in here a second time.

A table counts the start bit from the lowest bit of byte 0; for Motorola (m) it names the highest bit.
"""

import re
from typing import Any

import pytest

from swapproto.frame import MILLISECOND
from swapproto.messages.catalog import message_set
from swapproto.messages.pack_can import MESSAGES, Chemistry, LockState, PackMessage, RelayState, Unit
from swapproto.messages.pack_can.codes import PackValue
from swapproto.provenance import Basis
from swapproto.wire.fields import Integer, Text
from swapproto.wire.layout import Field

DATA = """
1801D0F3 PackRequest 100: vin_request 0|2; high_voltage 2|2 HighVoltageRequest;
  full_charge 4|2 FullChargeRequest; real_soc 8|8 x0.4 %; real_soh 16|8 x0.4 %; current 24|16 x0.1 -3200 A;
  special_mode 40|3 SpecialMode; telematics 43|3 TelematicsEdition; security 46|2 Support
1802F3D0 VehicleCommand 50: checksum 0|8; alive_counter 8|4; high_voltage 12|2 HighVoltageCommand;
  accessory_high_voltage 14|2 HighVoltageCommand; speed 16|8 km/h; heating 24|2 HeatingCommand;
  positive 26|2 RelayState; negative 28|2 RelayState; precharge 30|2 RelayState; accessory 32|2 RelayState;
  main_motor 34|2 RelayState; main_motor_fault 36|2 RelayFault; auxiliary_1 38|2 RelayState;
  auxiliary_1_fault 40|2 RelayFault; auxiliary_2 42|2 RelayState; auxiliary_2_fault 44|2 RelayFault;
  auxiliary_3 46|2 RelayState; auxiliary_3_fault 48|2 RelayFault; auxiliary_4 50|2 RelayState;
  auxiliary_4_fault 52|2 RelayFault
1802F3D3 Clock 1000: year 0|7 year; month 7|4 month; day 11|5 day; hour 16|5 h; minute 21|6 min;
  second 27|6 s
1803F3D0 AuthorisationCipher 1000: cipher 0|64 raw
1880D0F3 RelayStatus 100: charge_system_number 0|4; positive_welded 4|1 Fault; negative_welded 5|1 Fault;
  charge_positive_1_welded 6|1 Fault; charge_negative_1_welded 7|1 Fault;
  charge_positive_2_welded 8|1 Fault; charge_negative_2_welded 9|1 Fault; heating_1_welded 10|1 Fault;
  heating_2_welded 11|1 Fault; positive 12|2 RelayState; negative 14|2 RelayState;
  precharge 16|2 RelayState; charge_positive_1 18|2 RelayState; charge_negative_1 20|2 RelayState;
  charge_positive_2 22|2 RelayState; charge_negative_2 24|2 RelayState; accessory_welded 26|1 Fault;
  branch_disconnected 27|1 Fault; regeneration_over_current 28|2 AlarmLevel; positive_stuck_open 30|1 Fault;
  negative_stuck_open 31|1 Fault; charge_positive_1_stuck_open 32|1 Fault;
  charge_positive_2_stuck_open 33|1 Fault; charge_negative_1_stuck_open 34|1 Fault;
  charge_negative_2_stuck_open 35|1 Fault; thermal_management_welded 36|1 Fault;
  thermal_management_stuck_open 37|1 Fault; thermal_management 38|1 Fault; supply_voltage 39|1 Fault;
  self_protection 40|1 Fault; charge_socket_over_temperature 41|2 SocketAlarm; precharge_welded 43|1 Fault;
  dcdc 44|2 RelayState; heating_1_stuck_open 46|1 Fault; heating_2_stuck_open 47|1 Fault;
  energy_system_number 48|4; heating_2 52|2 RelayState; heating_1 54|2 RelayState; fault_code 56|8
1880D2F3 StorageFaults 1000: pack_over_voltage 0|2 AlarmLevel; pack_under_voltage 2|2 AlarmLevel;
  cluster_over_voltage 4|2 AlarmLevel; cluster_under_voltage 6|2 AlarmLevel;
  discharge_over_current 8|2 AlarmLevel; charge_over_current 10|2 AlarmLevel;
  cell_over_voltage 12|2 AlarmLevel; cell_under_voltage 14|2 AlarmLevel;
  charge_voltage_difference 16|2 AlarmLevel; discharge_voltage_difference 18|2 AlarmLevel;
  cell_under_temperature 20|2 AlarmLevel; cell_over_temperature 22|2 AlarmLevel;
  discharge_cell_temperature_difference 24|2 AlarmLevel; charge_cell_temperature_difference 26|2 AlarmLevel;
  discharge_cell_voltage_difference 28|2 AlarmLevel; charge_cell_voltage_difference 30|2 AlarmLevel;
  discharge_insulation 36|2 AlarmLevel; charge_insulation 38|2 AlarmLevel; initialisation 40|1 Fault;
  external_communication 41|1 Fault; balancing_circuit 42|1 Fault; main_circuit 43|1 Fault;
  temperature_sampling 44|1 Fault; voltage_sampling 45|1 Fault; internal_over_current 46|2 AlarmLevel;
  over_current_protection_open 48|1 Fault; main_circuit_connection 49|1 Fault;
  temperature_rise 50|2 AlarmLevel; energy_low 52|2 AlarmLevel; energy_high 54|2 AlarmLevel
1881D0F3 WorkStatus 100: checksum 0|8; alive_counter 8|4; work_state 12|2 WorkState; accessory 14|1 Contact;
  balancing 15|1 Balancing; charge_plug 16|1 Connection; charge_mode 17|2 ChargeMode;
  charge_state 19|2 ChargeState; highest_alarm 21|2 AlarmLevel; swap_charging 23|1 Connection;
  temperature_difference 24|2 AlarmLevel; cell_over_temperature 26|2 AlarmLevel;
  pack_over_voltage 28|2 AlarmLevel; pack_under_voltage 30|2 AlarmLevel; soc_low 32|2 AlarmLevel;
  cell_over_voltage 34|2 AlarmLevel; cell_under_voltage 36|2 AlarmLevel; insulation 38|2 AlarmLevel;
  cell_voltage_difference 40|2 AlarmLevel; charge_over_current 42|2 AlarmLevel;
  discharge_over_current 44|2 AlarmLevel; cell_under_temperature 46|2 AlarmLevel;
  branch_voltage_difference 48|2 AlarmLevel; hardware 50|2 AlarmLevel; soc_high 52|1 Fault;
  soc_jump 53|1 Fault; internal_communication 54|1 Fault; mismatch 55|1 Fault;
  high_voltage_interlock 56|1 Fault; smoke 57|1 Fault; fire 58|1 Fault; error_number 59|5
1882D0F3 PackState 100: soc 0|8 x0.4 %; soh 8|8 x0.4 %; current 16|16 x0.1 -1000 A;
  charge_limit 32|16 x0.1 A; discharge_limit 48|16 x0.1 A
1883D0F3 PackVoltages 100: insulation_positive 0|16 kohm; insulation_negative 16|16 kohm;
  pack_voltage 32|16 x0.1 V; bus_voltage 48|16 x0.1 V
1884D0F3 TemperatureExtremes 100: maximum 0|8 x1 -50 degC; minimum 8|8 x1 -50 degC;
  average 16|8 x1 -50 degC; maximum_unit 24|8; maximum_probe 32|8; minimum_unit 40|8; minimum_probe 48|8
1885D0F3 CellMaximum 100: voltage 0|16 x0.001 V; unit_number 16|8; cell_number 24|8; average 32|16 x0.001 V;
  pack_number 48|8; highest_alarm 56|3 PackAlarm
1886D0F3 CellMinimum 100: voltage 0|16 x0.001 V; unit_number 16|8; cell_number 24|8;
  positive_1_temperature 32|8 x1 -50 degC; positive_2_temperature 40|8 x1 -50 degC;
  negative_1_temperature 48|8 x1 -50 degC; negative_2_temperature 56|8 x1 -50 degC
1887D0F3 ConnectorTemperatures 100: a_1 0|8 x1 -50 degC; a_2 8|8 x1 -50 degC; b_1 16|8 x1 -50 degC;
  b_2 24|8 x1 -50 degC; c_1 32|8 x1 -50 degC; c_2 40|8 x1 -50 degC; d_1 48|8 x1 -50 degC;
  d_2 56|8 x1 -50 degC
1888D0F3 Versions 200: kind 0|8 VersionKind; version 8|56 raw
1889D0F3 AuthorisationRequest 1000: plain 0|32; cipher 32|32
188AD0F3 AuthorisationReply 1000: failure_action 0|2 AuthorisationAction;
  last_result 2|3 AuthorisationAction; state 5|3 AuthorisationState; discharge_limit 8|8 DischargeLimit;
  regeneration_limit 16|8 RegenerationLimit; charge_limit 24|8 ChargeLimit; validity 38|2 Validity;
  code_reply 40|8; risk_level 48|3 AlarmLevel; reason 51|5 LimitReason;
  grid_discharge_prohibited 58|1 Execution; high_voltage_prohibited 59|1 Execution;
  high_voltage_off_requested 60|1 Execution; charge_limited 61|1 Execution;
  regeneration_limited 62|1 Execution; discharge_limited 63|1 Execution
188BD0F3 BranchCurrents 100: branch_1 0|16 x0.1 -3200 A; branch_2 16|16 x0.1 -3200 A;
  branch_3 32|16 x0.1 -3200 A; branch_4 48|16 x0.1 -3200 A
188CD0F3 CoolantTemperatures 1000: frame_number 0|8; outlet_1 8|12 x0.1 -50 degC;
  inlet_1 20|12 x0.1 -50 degC; outlet_2 32|12 x0.1 -50 degC; inlet_2 44|12 x0.1 -50 degC
188ED0F3 FurtherRelays 100: positive_2_welded 0|1 Fault; negative_2_welded 1|1 Fault;
  positive_2_stuck_open 2|1 Fault; negative_2_stuck_open 3|1 Fault; positive_2 4|2 RelayState;
  negative_2 6|2 RelayState; charge_positive_3_welded 8|1 Fault; charge_negative_3_welded 9|1 Fault;
  charge_positive_3_stuck_open 10|1 Fault; charge_negative_3_stuck_open 11|1 Fault;
  charge_positive_3 12|2 RelayState; charge_negative_3 14|2 RelayState; charge_positive_4_welded 16|1 Fault;
  charge_negative_4_welded 17|1 Fault; charge_positive_4_stuck_open 18|1 Fault;
  charge_negative_4_stuck_open 19|1 Fault; charge_positive_4 20|2 RelayState;
  charge_negative_4 22|2 RelayState; low_voltage 24|6 V; base_type 30|2 BaseType;
  charge_current_limit 32|16 x0.1 -2000 A; charge_stop_reason 48|8
188FD0F3 InsulationStatus 1000: monitor 0|2 MonitorSwitch; positive_pole_pack 8|8;
  positive_pole_temperature 16|8 x1 -50 degC; negative_pole_pack 24|8;
  negative_pole_temperature 32|8 x1 -50 degC; since_full_charge 40|8; plug_1 48|2 PlugState;
  plug_2 50|2 PlugState; plug_3 52|2 PlugState; plug_4 54|2 PlugState; thermal_runaway_reason 56|8
18AAF3D0 InsulationCommand 1000: monitor 0|2 MonitorCommand; storage_mode 2|2 StorageMode;
  charge_permission 4|2 ChargePermission; delayed_sleep 6|2 SleepRequest; monitor_state 8|2 MonitorState;
  fault_level 10|2 AlarmLevel; insulation_positive 16|16 kohm; insulation_negative 32|16 kohm
18C1D0F3 CellVoltages 100: frame_number 0|8; unit_number 8|8; voltage_1 16|16 x0.001 V;
  voltage_2 32|16 x0.001 V; voltage_3 48|16 x0.001 V
18C2D0F3 Temperatures 200: frame_number 0|8; unit_number 8|8; temperature_1 16|8 x1 -50 degC;
  temperature_2 24|8 x1 -50 degC; temperature_3 32|8 x1 -50 degC; temperature_4 40|8 x1 -50 degC;
  temperature_5 48|8 x1 -50 degC; temperature_6 56|8 x1 -50 degC
18C3D0F3 CellVoltagesFurther 100: frame_number 0|8; unit_number 8|8; voltage_1 16|16 x0.001 V;
  voltage_2 32|16 x0.001 V; voltage_3 48|16 x0.001 V
18C4D0F3 PackCellVoltages 100: frame_number 0|8; pack_number 8|8; voltage_1 16|16 x0.001 V;
  voltage_2 32|16 x0.001 V; voltage_3 48|16 x0.001 V
18C5D0F3 PackTemperatures 200: frame_number 0|8; pack_number 8|8; probe_count 16|8;
  temperature_1 24|8 x1 -50 degC; temperature_2 32|8 x1 -50 degC; temperature_3 40|8 x1 -50 degC;
  temperature_4 48|8 x1 -50 degC; temperature_5 56|8 x1 -50 degC
18C6D0F3 PackElectrical 100: pack_number 0|8; voltage 8|16 x0.1 V; current 24|16 x0.1 -3000 A;
  unit_count 40|16
18E1D0F3 PackCode1 1000: checksum 0|8; maker 8|3 Maker; length 11|5; characters 16|48 text
18E1F3D0 VehicleIdentity 100: frame_number 0|8; characters 8|56 text
18E2D0F3 PackCode2 1000: checksum 0|8; characters 8|56 text
18E3D0F3 PackCode3 1000: checksum 0|8; characters 8|56 text
18E4D0F3 PackCode4 1000: checksum 0|8; characters 8|56 text
18E5D0F3 Ratings 100: capacity 0|16 Ah; voltage 16|16 x0.1 V; energy 32|16 x0.1 kWh;
  chemistry 48|4 Chemistry; cooling 52|2 Cooling; key_on 54|1 Connection; auxiliary_supply 55|1 Connection;
  second_chemistry 56|8 Chemistry
18E6D0F3 Counts 100: unit_count 0|8; cell_count 8|16; probe_count 24|16; nominal_cell_voltage 40|8 x0.1 V;
  minimum_cell_voltage 48|8 x0.1 V; maximum_cell_voltage 56|8 x0.1 V
18E7D0F3 SinglePackCode 100: frame_number 0|8; pack_number 8|8; characters 16|48 text
18F1D0F3 Energy1 10000: charged 0|24 x0.1 kWh; discharged 24|24 x0.1 kWh; this_charge 48|16 x0.1 kWh
18F2D0F3 Energy2 10000: regenerated 0|24 x0.1 kWh; swapped 24|24 x0.1 kWh; precise_soc 48|10 x0.1 %
18F3D0F3 Energy3 10000: on_vehicle 0|24 x0.1 kWh; maximum_cell_soc 24|8 x0.4 %;
  minimum_cell_soc 32|8 x0.4 %; state_of_energy 48|16 x0.1 kWh
18F4D0F3 Energy4 10000: charged 0|32 x0.1 kWh; discharged 32|32 x0.1 kWh
18F5D0F3 Energy5 10000: regenerated 0|32 x0.1 kWh; swapped 32|32 x0.1 kWh
18F6D0F3 Energy6 10000: on_vehicle 0|32 x0.1 kWh; this_charge 32|32 x0.1 kWh
18F7D0F3 Energy7 10000: this_regeneration 0|32 x0.1 kWh; remaining_charge_time 32|16 min; charge_count 48|16
18F8D0F3 Energy8 10000: charged 0|32 x0.1 Ah; discharged 32|32 x0.1 Ah
18F9D0F3 Energy9 10000: regenerated 0|32 x0.1 Ah; swapped 32|32 x0.1 Ah
18FAD0F3 Energy10 10000: on_vehicle 0|32 x0.1 Ah; this_charge 32|32 x0.1 Ah
18FDF3D0 AuthorisationNumber 1000: serial_number 0|32
18FF45F4 ThermalRequest 1000: mode 1|2m ThermalMode; high_voltage 3|2m ThermalSupply;
  charging 5|2m Charging; relay 7|2m Contact; voltage 15|16m V; set_temperature 39|8m x1 -40 degC;
  alive_counter 55|8m; crc 63|8m
18FFC13A ThermalState 1000: mode 1|2m ThermalMode; relay 3|2m Contact; outlet 15|8m x1 -40 degC;
  inlet 23|8m x1 -40 degC; version 31|8m; power_request 47|16m x0.1 kW; fault_code 61|6m;
  fault_level 63|2m AlarmLevel
18FFF8A7 SwapController 100: counter 0|8; lock 8|2 LockState; swap_connector 10|2 Connection;
  discharge_connector 12|2 Connection; charge_connector 14|2 Connection; fault_level 24|2 AlarmLevel;
  fault_code 32|8
"""
VALUES = """
HighVoltageRequest 0 NOT_GIVEN 1 OFF 2 NONE 3 INVALID
FullChargeRequest 0 NOT_GIVEN 1 FULL_CHARGE 2 NONE 3 INVALID
SpecialMode 0 NOT_GIVEN 1 B2X_DISCHARGE 2 B2X_CHARGE 3 STORAGE_DISCHARGE 4 STORAGE_CHARGE
TelematicsEdition 0 NOT_GIVEN 1 EDITION_2025
Support 0 NOT_GIVEN 1 UNSUPPORTED 2 SUPPORTED 3 INVALID
HighVoltageCommand 0 NOT_GIVEN 1 ON 2 OFF 3 INVALID
HeatingCommand 0 NOT_GIVEN 1 OPEN 2 CLOSED 3 INVALID
RelayState 0 NOT_GIVEN 1 OPEN 2 CLOSED 3 INVALID
RelayFault 0 OK 1 STUCK_OPEN 2 WELDED 3 INVALID
Fault 0 OK 1 FAULT
AlarmLevel 0 NONE 1 LEVEL_1 2 LEVEL_2 3 LEVEL_3
SocketAlarm 0 NONE 1 LEVEL_1 2 LEVEL_2
WorkState 0 HIGH_VOLTAGE_OFF 1 PRECHARGE 2 HIGH_VOLTAGE_ON 3 HIGH_VOLTAGE_FAULT
Contact 0 OPEN 1 CLOSED
Balancing 0 IDLE 1 BALANCING
Connection 0 NOT_CONNECTED 1 CONNECTED
ChargeMode 0 NOT_GIVEN 1 DC 2 AC 3 OTHER
ChargeState 0 CAN_CHARGE 1 CHARGING 2 FINISHED 3 FAULT
PackAlarm 0 NONE 1 LEVEL_1 2 LEVEL_2 3 LEVEL_3 4 LEVEL_4
VersionKind 1 PRODUCT_CLASS 2 BMS_SOFTWARE 3 PROTOCOL 4 INTERNAL_SOFTWARE
AuthorisationAction 0 NONE 1 HIGH_VOLTAGE_FORBIDDEN 2 NO_LIMIT
AuthorisationState 0 NOT_GIVEN 1 WAITING 2 AUTHORISED 3 SILENT 4 UNDECIPHERED
DischargeLimit 0 PERCENT_0 25 PERCENT_25 50 PERCENT_50 75 PERCENT_75 100 UNLIMITED 101 LIMP 255 INVALID
RegenerationLimit 0 PERCENT_0 25 PERCENT_25 50 PERCENT_50 75 PERCENT_75 100 UNLIMITED 255 INVALID
ChargeLimit 0 FORBIDDEN 100 UNLIMITED 255 INVALID
Validity 0 NOT_GIVEN 1 VALID 2 INVALID
LimitReason 0 NONE 1 CLOUD_AUTHORISATION 2 ARREARS 3 OVER_QUOTA_1 4 OVER_QUOTA_2 5 RATING 6 GEOFENCE_1 7
  GEOFENCE_2 8 GEOFENCE_3 9 REMOTE_LIMIT 10 REMOTE_LOCK 31 INVALID
Execution 0 NOT_EXECUTED 1 EXECUTED
BaseType 0 LOW_POWER 1 HIGH_POWER
MonitorSwitch 0 NOT_GIVEN 1 ON 2 OFF 3 FAULT
PlugState 0 NOT_CONNECTED 1 CONNECTED 2 ABNORMAL 3 INVALID
MonitorCommand 0 NOT_GIVEN 1 ON 2 OFF 3 INVALID
StorageMode 0 NOT_GIVEN 1 DISCHARGE 2 CHARGE 3 INVALID
ChargePermission 0 NOT_GIVEN 1 ALLOWED 2 FORBIDDEN 3 INVALID
SleepRequest 0 NONE 1 DELAYED
MonitorState 0 SELF_TEST 1 WORKING 2 STOPPED 3 FAULT
Maker 0 NOT_GIVEN 1 CATL 7 QIYUAN
Chemistry 0 NOT_GIVEN 1 LEAD_ACID 2 NIMH 3 LFP 4 LMO 5 LCO 6 TERNARY 7 POLYMER 8 LTO 9 SUPERCAPACITOR 10
  INVALID_10 11 INVALID_11 12 INVALID_12 14 FUEL_CELL 15 INVALID
Cooling 0 NOT_GIVEN 1 NATURAL 2 AIR 3 LIQUID
ThermalMode 0 OFF 1 COOL 2 HEAT 3 CIRCULATE
ThermalSupply 0 ON 1 OFF
Charging 0 NOT_CHARGING 1 CHARGING
LockState 0 NEITHER 1 UNLOCKED 2 LOCKED
"""
TWO_WITNESSES = """
1880D0F3 1881D0F3 1882D0F3 1883D0F3 1884D0F3 1885D0F3 1886D0F3 18C1D0F3 18C2D0F3
18E1D0F3 18E2D0F3 18E3D0F3 18E4D0F3 18E5D0F3 18E6D0F3
"""
DOUBTED = """
PackRequest.current VehicleCommand.heating RelayStatus.accessory_welded RelayStatus.regeneration_over_current
RelayStatus.thermal_management WorkStatus.swap_charging PackState.current TemperatureExtremes.minimum
AuthorisationReply.failure_action AuthorisationReply.last_result BranchCurrents.branch_1
BranchCurrents.branch_2 BranchCurrents.branch_3 BranchCurrents.branch_4 Temperatures.temperature_1
Temperatures.temperature_2 Temperatures.temperature_3 Temperatures.temperature_4
Temperatures.temperature_5 Temperatures.temperature_6 PackElectrical.current PackElectrical.unit_count
PackCode1.maker ThermalState.fault_level SwapController.counter
"""
SENDERS = {
    0xF3: Unit.BMS, 0xD0: Unit.VEHICLE, 0xD3: Unit.CLOCK, 0xA7: Unit.SWAP_CONTROLLER,
    0xF4: Unit.BMS_THERMAL, 0x3A: Unit.THERMAL_UNIT,
}  # fmt: skip


def joined(text: str) -> list[str]:
    """Lines, each with its continuations."""
    return text.strip().replace("\n  ", " ").splitlines()


ROWS = [re.split(r" |: ", line, maxsplit=3) for line in joined(DATA)]
BY_NAME = {message.__name__: message for message in MESSAGES}
every_row = pytest.mark.parametrize("row", ROWS, ids=[row[1] for row in ROWS])


def declared(field: Field) -> str:
    """A field in the words of the table."""
    motorola = "m" if field.order == "big" else ""
    parts: list[Any] = [field.name, f"{field.start}|{field.bits}{motorola}"]
    marker = field.marker
    if field.code is not None:
        parts.append(field.code.__name__)
    elif isinstance(marker, Integer):
        scaled = (marker.scale, marker.offset) != (1, 0)
        parts += [f"x{marker.scale}"] * scaled + [marker.offset] * (marker.offset != 0)
        parts += [marker.unit] * bool(marker.unit)
    else:
        parts.append("text" if isinstance(marker, Text) else "raw")
    return " ".join(map(str, parts))


def test_the_table_is_whole_and_in_order() -> None:
    assert [row[1] for row in ROWS] == [message.__name__ for message in MESSAGES]
    assert message_set("pack-can-d0f3").messages == MESSAGES
    assert len({message.identifier() for message in MESSAGES}) == len(MESSAGES) == 49


@every_row
def test_each_message_is_as_the_table_says(row: list[str]) -> None:
    can_id, name, period, fields = row
    message = BY_NAME[name]
    assert f"{message.identifier():08X}" == can_id
    assert (message.period_ms, message.period()) == (int(period), int(period) * MILLISECOND)
    assert (message.priority, message.layout.length, message.layout.lengths) == (6, 8, (8,))
    assert message.sender is SENDERS[message.source_address] is SENDERS[int(can_id[6:], 16)]
    assert message.identifiers() == {message.identifier(): message.sender}
    assert (message.layout.reserved_bit, message.layout.tail) == (0, None)
    assert [declared(field) for field in message.layout.fields] == fields.split("; ")


def test_every_enumeration_has_the_members_of_the_table() -> None:
    codes = {field.code for message in MESSAGES for field in message.layout.fields} - {None}
    found = [
        f"{code.__name__} " + " ".join(f"{int(each)} {each.name}" for each in code)
        for code in codes
        if code is not None
    ]
    assert sorted(found) == sorted(joined(VALUES))


def test_neither_reserved_nor_invalid_nor_unknown_is_a_state() -> None:
    assert [RelayState(value).given for value in range(4)] == [False, True, True, False]
    assert [LockState(value).given for value in range(4)] == [True, True, True, False]
    assert [value for value in range(16) if not Chemistry(value).given] == [0, 10, 11, 12, 13, 15]
    assert all(
        issubclass(field.code, PackValue)
        for message in MESSAGES
        for field in message.layout.fields
        if field.code is not None
    )


def test_the_limits_are_those_that_the_source_gives() -> None:
    found = {
        f"{message.__name__}.{field.name}": (field.raw_low, field.raw_high, field.absent)
        for message in MESSAGES
        for field in message.layout.fields
        if isinstance(field.marker, Integer) and (field.optional or not field.unlimited)
    }
    assert found == {
        "VehicleCommand.alive_counter": (0, 14, 15),
        "SwapController.fault_code": (0, 32, None),
        "PackElectrical.voltage": (0, 65533, 65535),
        "PackElectrical.current": (0, 65533, 65535),
        "PackElectrical.unit_count": (0, 65533, 65535),
    }


@pytest.mark.parametrize("message", MESSAGES)
def test_everything_says_where_it_comes_from(message: type[PackMessage]) -> None:
    confirmed = f"{message.identifier():08X}" in TWO_WITNESSES.split()
    assert message.source.witnesses == 1 + confirmed
    assert message.source.basis is Basis.OBSERVED
    doubted = [field for field in message.layout.fields if field.marker.source is not None]
    assert {f"{message.__name__}.{field.name}" for field in doubted} <= set(DOUBTED.split())
    for field in doubted:
        assert field.marker.source is not None
        assert field.marker.source.why
        assert field.marker.source.basis is Basis.OBSERVED
    assert message.title
    assert message.__doc__


def test_every_doubt_is_declared() -> None:
    doubted = {
        f"{message.__name__}.{field.name}"
        for message in MESSAGES
        for field in message.layout.fields
        if field.marker.source is not None
    }
    assert doubted == set(DOUBTED.split())
    minimum = BY_NAME["TemperatureExtremes"].layout.field("minimum").marker.source
    assert minimum is not None
    assert (minimum.witnesses, "-40" in minimum.why) == (1, True)


def test_the_units_are_called_by_name() -> None:
    assert [unit.label for unit in Unit] == [
        "BMS", "vehicle", "swap controller", "clock", "storage", "BMS thermal", "thermal unit",
    ]  # fmt: skip
