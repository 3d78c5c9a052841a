"""What a descriptor of each kind may say: key, kind of value, and the item of a specification behind it."""

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from swapproto.compat.descriptor import Device
from swapproto.compat.words import Words

VEHICLE, CHARGING = "vehicle", "charging"
"""The two networks of a pack."""
KIN = frozenset({"gbt27930-2015", "gbt27930-2023a"})
"""Charging editions of which only a run can tell whether they understand each other."""
SECTIONS = ("mechanical", "electrical", "thermal", "protocol", "identity")


class Form(Enum):
    """How a value is written."""

    NAMES = "a name or a list of names"
    COUNT = "a number"
    COUNTS = "a number or a list of numbers"
    ADDRESS = "a J1939 address from 0x00 to 0xFF"
    QUANTITY = "a quantity with its unit"
    QUANTITIES = "a quantity with its unit, or a list of them"
    RANGE = "a range with its units: '10 A .. 400 A'"
    OUTLINE = "length x width x height: '2.4 m x 1.2 m x 0.9 m'"


class Key(NamedTuple):
    """One thing that a descriptor may say."""

    form: Form
    title: Words
    item: str | None = None
    """Item of a profile that fixes it."""
    dimension: str = ""
    known: Mapping[str, str] = {}
    """The names that there are, with their Chinese; empty where makers choose them."""
    bus: str = ""
    """The network of which it speaks, where the item itself does not say: vehicle or charging."""


_HANDLING = Key(
    Form.NAMES,
    Words("handling", "搬运方式"),
    "swap.handling",
    known={"hoist": "顶部吊装", "chassis": "底盘式", "bottom": "底部更换"},
)
_MASS_LIMIT = Key(Form.QUANTITY, Words("largest pack mass", "最大电池包质量"), "pack.mass", "mass")
_ROOM = Key(Form.OUTLINE, Words("room for the pack", "电池包可用空间"), "pack.outline", "length")
_PINS = Key(Form.NAMES, Words("layout of the guide pins", "导向销布置"), "pack.guide_pin_layout")
_LOCKS = Key(Form.COUNT, Words("lock points", "锁止点"), "pack.lock_points")
_HOIST = Key(Form.NAMES, Words("hoist interface", "吊装接口"), "pack.upper_interface")
_BASE = Key(Form.NAMES, Words("base interface", "底座接口"), "pack.tray_interface")
_PLATFORM = Key(Form.QUANTITIES, Words("voltage platform", "电压平台"), "pack.voltage_platform", "voltage")
_ENERGY = Key(Form.QUANTITIES, Words("energy class", "电量等级"), "pack.energy_class", "energy")
_VOLTAGES = Key(Form.RANGE, Words("voltage range", "电压范围"), "pack.maximum_voltage", "voltage")
_LOOPS = Key(
    Form.NAMES,
    Words("loops of the connector", "连接器回路"),
    "connector.loops",
    known={"charge": "充电", "discharge": "放电"},
)
_THERMAL = {
    "thermal.cooling_modes": Key(
        Form.NAMES,
        Words("cooling modes", "冷却方式"),
        "thermal.cooling_modes",
        known={"natural": "自然冷却", "air": "风冷", "liquid": "液冷"},
    ),
    "thermal.coolant": Key(Form.NAMES, Words("coolant", "冷却液"), "thermal.coolant"),
    "thermal.coolant_coupler": Key(
        Form.NAMES, Words("coolant coupler", "冷却液接头"), "thermal.coolant_coupler"
    ),
}
_CONNECTOR = {
    "electrical.connector": Key(Form.NAMES, Words("connector", "连接器"), "connector.type"),
    "electrical.pole_pairs": Key(Form.COUNTS, Words("pole pairs", "极对数"), "connector.pole_pairs"),
    "electrical.loops": _LOOPS,
}
_VEHICLE_BUS = {
    "protocol.vehicle": Key(
        Form.NAMES, Words("vehicle CAN family", "整车 CAN 协议族"), "protocol.families", bus=VEHICLE
    ),
    "protocol.vehicle_bit_rate": Key(
        Form.QUANTITIES,
        Words("bit rate of the vehicle CAN", "整车 CAN 波特率"),
        "bus.bit_rate",
        "bit rate",
        bus=VEHICLE,
    ),
    "protocol.temperature_offset": Key(
        Form.QUANTITIES,
        Words("offset of the minimum temperature", "最低温度偏移量"),
        "protocol.temperature_offset",
        "temperature",
        bus=VEHICLE,
    ),
    "protocol.seal": Key(Form.NAMES, Words("checksum of the code frames", "编码帧校验算法")),
}
_CHARGING_BUS = {
    "protocol.charging": Key(
        Form.NAMES,
        Words("edition of the charging protocol", "充电协议版本"),
        "protocol.charging",
        known={each: each for each in ("gbt27930-2011", "gbt27930-2015", "gbt27930-2023a")},
    ),
    "protocol.charging_bit_rate": Key(
        Form.QUANTITIES,
        Words("bit rate of the charging CAN", "充电 CAN 波特率"),
        "bus.bit_rate",
        "bit rate",
        bus=CHARGING,
    ),
}
_BMS_ADDRESSES = {
    "protocol.vehicle_address": Key(
        Form.ADDRESS,
        Words("address of the BMS on the vehicle CAN", "BMS 在整车 CAN 上的地址"),
        "bus.address_bms",
        bus=VEHICLE,
    ),
    "protocol.charging_address": Key(
        Form.ADDRESS,
        Words("address of the BMS on the charging CAN", "BMS 在充电 CAN 上的地址"),
        "bus.address_bms",
        bus=CHARGING,
    ),
}
_TRUCK_ADDRESSES = {
    "protocol.vehicle_address": Key(
        Form.ADDRESS,
        Words("address of the vehicle controller", "整车控制器地址"),
        "bus.address_vehicle",
        bus=VEHICLE,
    ),
    "protocol.swap_controller_address": Key(
        Form.ADDRESS,
        Words("address of the swap controller", "换电控制器地址"),
        "bus.address_swap_controller",
        bus=VEHICLE,
    ),
}
_CHARGER_ADDRESS = Key(
    Form.ADDRESS, Words("address of the charger", "充电机地址"), "bus.address_charger", bus=CHARGING
)
_VEHICLE_STATION = Key(
    Form.NAMES, Words("vehicle-station protocol", "车站通信协议"), "protocol.vehicle_station"
)
_CODE = {
    "identity.code_format": Key(
        Form.NAMES, Words("format of the pack code", "电池包编码格式"), "identity.pack_code"
    ),
    "identity.code_length": Key(
        Form.COUNTS, Words("length of the pack code", "电池包编码长度"), "identity.pack_code_length"
    ),
}
_AUTHORISATION = Key(Form.NAMES, Words("authorisation", "授权方式"), "protocol.authorisation")

KEYS: Mapping[Device, Mapping[str, Key]] = {
    Device.PACK: {
        "mechanical.handling": _HANDLING,
        "mechanical.outline": Key(Form.OUTLINE, Words("outline", "外形尺寸"), "pack.outline", "length"),
        "mechanical.mass": Key(Form.QUANTITY, Words("mass", "质量"), "pack.mass", "mass"),
        "mechanical.hoist_interface": _HOIST,
        "mechanical.lock_points": _LOCKS,
        "mechanical.guide_pins": _PINS,
        "mechanical.base": _BASE,
        "electrical.energy_class": _ENERGY,
        "electrical.voltage_platform": _PLATFORM,
        "electrical.voltage_range": _VOLTAGES,
        **_CONNECTOR,
        "electrical.charge_current": Key(
            Form.QUANTITY, Words("largest charging current", "最大充电电流"), None, "current"
        ),
        **_THERMAL,
        **_VEHICLE_BUS,
        **_CHARGING_BUS,
        **_BMS_ADDRESSES,
        **_CODE,
        "identity.authorisation": _AUTHORISATION,
    },
    Device.TRUCK: {
        "mechanical.handling": _HANDLING,
        "mechanical.room": _ROOM,
        "mechanical.mass_limit": _MASS_LIMIT,
        "mechanical.lock_points": _LOCKS,
        "mechanical.guide_pins": _PINS,
        "mechanical.base": _BASE,
        "mechanical.height": Key(Form.QUANTITY, Words("height", "车高"), dimension="length"),
        "electrical.voltage_platform": _PLATFORM,
        "electrical.voltage_range": _VOLTAGES,
        **_CONNECTOR,
        **_THERMAL,
        **_VEHICLE_BUS,
        **_TRUCK_ADDRESSES,
        "protocol.station": _VEHICLE_STATION,
        "identity.authorisation": _AUTHORISATION,
    },
    Device.STATION: {
        "mechanical.handling": _HANDLING,
        "mechanical.room": _ROOM,
        "mechanical.mass_limit": _MASS_LIMIT,
        "mechanical.hoist_interface": _HOIST,
        "mechanical.guide_pins": _PINS,
        "mechanical.base": _BASE,
        "mechanical.clearance": Key(Form.QUANTITY, Words("clear height", "通行净高"), dimension="length"),
        "electrical.energy_class": _ENERGY,
        "electrical.voltage_platform": _PLATFORM,
        "electrical.voltage_range": Key(
            Form.RANGE,
            Words("voltage range of the chargers", "充电机电压范围"),
            "station.voltage_range",
            "voltage",
        ),
        **_CONNECTOR,
        "electrical.charge_current": Key(
            Form.RANGE, Words("charging current", "充电电流范围"), "station.current_range", "current"
        ),
        **_THERMAL,
        **_CHARGING_BUS,
        "protocol.charger_address": _CHARGER_ADDRESS,
        "protocol.station": _VEHICLE_STATION,
        **_CODE,
        "identity.authorisation": _AUTHORISATION,
    },
}
