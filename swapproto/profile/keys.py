"""The items that a swap specification fixes, by their keys."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from swapproto.errors import SwapError
from swapproto.hints import near
from swapproto.profile.kinds import Form, Governs, Key, Listing

_WHO = {"p": Governs.PACK, "t": Governs.TRUCK, "s": Governs.STATION}


class UnknownKey(SwapError, LookupError):
    """No item of that name; the text lists near matches."""


def _key(form: Form, name: str, who: str, title: str, title_zh: str, listing: Listing = Listing.ANY) -> Key:
    governs = frozenset(_WHO[each] for each in who)
    return Key(name=name, title=title, title_zh=title_zh, form=form, governs=governs, listing=listing)


def _measure(dimensions: str, name: str, who: str, title: str, title_zh: str) -> Key:
    governs = frozenset(_WHO[each] for each in who)
    return Key(
        name=name, title=title, title_zh=title_zh, form=Form.QUANTITY, governs=governs,
        dimensions=tuple(dimensions.split("|")),
    )  # fmt: skip


def _word(words: str, name: str, who: str, title: str, title_zh: str, listing: Listing = Listing.ANY) -> Key:
    governs = frozenset(_WHO[each] for each in who)
    return Key(
        name=name, title=title, title_zh=title_zh, form=Form.WORD, governs=governs,
        words=tuple(words.split("|")), listing=listing,
    )  # fmt: skip


_ITEMS: tuple[Key, ...] = (
    # The pack: size, mass, energy
    _key(
        Form.OUTLINE, "pack.outline", "pts", "outline of the pack, length x width x height", "电池包外廓尺寸",
    ),
    _measure(
        "length", "pack.outline_tolerance", "pts", "tolerance of the outline, either way", "外廓尺寸公差",
    ),
    _measure("mass", "pack.mass", "pts", "mass of the pack", "电池包质量"),
    _measure("mass", "pack.mass_tolerance", "pts", "tolerance of the mass, either way", "质量公差"),
    _measure("energy", "pack.energy_class", "pts", "energy classes", "能量等级"),
    _measure(
        "voltage", "pack.voltage_platform", "pts", "voltage platforms (nominal, or the range)", "电压平台",
    ),
    _measure("voltage", "pack.maximum_voltage", "pts", "highest voltage of the pack", "最高电压"),
    _measure(
        "current", "pack.maximum_current", "pts", "highest continuous current of the pack", "最大持续电流",
    ),
    _key(Form.TEXT, "pack.chemistry", "p", "cell chemistry", "电池化学体系"),
    _key(Form.TEXT, "pack.ingress_protection", "p", "ingress protection (IP code)", "防护等级"),
    # The pack: hoist and lock interface
    _key(
        Form.TEXT, "pack.upper_interface", "ps", "upper interface, which the spreader takes",
        "上接口（吊装接口）",
    ),
    _key(Form.TEXT, "pack.lower_interface", "pts", "lower interface, which stands on the tray", "下接口"),
    _key(Form.COUNT, "pack.hoist_points", "ps", "number of hoist points", "吊点数量"),
    _key(Form.TEXT, "pack.hoist_layout", "ps", "places of the hoist points", "吊点布置"),
    _key(Form.TEXT, "pack.lock_interface", "pts", "lock between pack and tray", "锁止机构接口"),
    _key(Form.COUNT, "pack.lock_points", "pts", "number of lock points", "锁止点数量"),
    _key(Form.TEXT, "pack.lock_layout", "pts", "places of the lock points", "锁止点布置"),
    _key(Form.COUNT, "pack.guide_pins", "pts", "number of guide pins", "导向销数量"),
    _measure("length", "pack.guide_pin_diameter", "pts", "diameter of the guide pins", "导向销直径"),
    _key(Form.TEXT, "pack.guide_pin_layout", "pts", "places of the guide pins", "导向销布置"),
    _key(Form.TEXT, "pack.tray_interface", "pts", "interface to the on-board tray", "车载托架接口"),
    # The electrical connector
    _key(Form.TEXT, "connector.type", "pts", "type of the swap connector", "换电连接器型式"),
    _key(Form.TEXT, "connector.layout", "pts", "place and direction of the swap connector", "换电连接器布置"),
    _key(Form.COUNT, "connector.pole_pairs", "pts", "high-voltage pole pairs", "高压极对数"),
    _word(
        "charge|discharge", "connector.loops", "pts", "separate high-voltage loops", "高压回路", Listing.ALL,
    ),
    _key(
        Form.COUNT, "connector.signal_contacts", "pts", "low-voltage and signal contacts", "低压及信号触点数",
    ),
    _measure("voltage", "connector.rated_voltage", "pts", "rated voltage", "额定电压"),
    _measure("current", "connector.rated_current", "pts", "rated current of a pole", "额定电流"),
    _measure("length", "connector.mating_tolerance", "pts", "floating tolerance when mating", "浮动对接公差"),
    _measure("cycles", "connector.mating_cycles", "pts", "mating cycles over its life", "插拔寿命"),
    _key(Form.COUNT, "connector.temperature_probes", "pts", "temperature probes", "温度传感器数量"),
    # Cooling
    _key(Form.TEXT, "thermal.coolant", "pts", "coolant", "冷却液"),
    _key(Form.TEXT, "thermal.coolant_coupler", "pts", "coolant coupler", "冷却液快换接头"),
    _measure("flow", "thermal.flow", "pts", "coolant flow", "冷却液流量"),
    _measure("pressure", "thermal.pressure", "pts", "coolant pressure", "冷却液压力"),
    _measure(
        "temperature", "thermal.supply_temperature", "pts", "coolant temperature at the inlet", "进液温度",
    ),
    _word("natural|air|liquid", "thermal.cooling_modes", "pts", "cooling modes", "冷却方式"),
    # The bus
    _measure("bit rate", "bus.bit_rate", "pts", "bit rate", "通信速率"),
    _measure("bit rate", "bus.data_bit_rate", "pts", "bit rate of the data phase (CAN FD)", "数据段速率"),
    _word("CAN 2.0A|CAN 2.0B|classical CAN|CAN FD", "bus.frame_format", "pts", "frame format", "帧格式"),
    _word("little-endian|big-endian", "bus.byte_order", "pts", "byte order of integers", "字节顺序"),
    _key(Form.COUNT, "bus.priority", "pts", "priority of the identifiers", "报文优先级"),
    _key(Form.ADDRESS, "bus.address_bms", "pts", "address of the BMS", "BMS地址"),
    _key(Form.ADDRESS, "bus.address_vehicle", "pt", "address of the vehicle controller", "整车控制器地址"),
    _key(
        Form.ADDRESS, "bus.address_swap_controller", "pts", "address of the swap controller",
        "换电控制器地址",
    ),
    _key(
        Form.ADDRESS, "bus.address_station", "ps", "address of the station's controller", "换电站控制器地址",
    ),
    _key(Form.ADDRESS, "bus.address_charger", "ps", "address of the charger", "充电机地址"),
    _key(Form.ADDRESS, "bus.address_clock", "pts", "address of the clock", "时间源地址"),
    _key(Form.TEXT, "bus.topology", "pts", "networks and what they join", "网络拓扑"),
    # The protocol
    _key(Form.TEXT, "protocol.families", "pts", "message families", "报文类别", Listing.ALL),
    _key(Form.TEXT, "protocol.charging", "ps", "protocol of charging in the station", "站内充电协议"),
    _key(Form.TEXT, "protocol.transport", "pts", "how payloads above 8 bytes travel", "多帧传输方式"),
    _key(Form.TEXT, "protocol.diagnostics", "pts", "diagnostics", "诊断协议"),
    _key(Form.TEXT, "protocol.network_management", "pts", "network management", "网络管理"),
    _measure("temperature", "protocol.temperature_offset", "pts", "offset of temperatures", "温度偏移量"),
    _measure("current", "protocol.current_offset", "pts", "offset of currents", "电流偏移量"),
    _word(
        "discharge is positive|charge is positive", "protocol.current_sign", "pts",
        "sign of currents", "电流方向约定",
    ),
    _key(Form.TEXT, "protocol.vehicle_station", "ts", "vehicle to station: medium and form", "车站通信"),
    _key(Form.TEXT, "protocol.pack_station", "ps", "pack to station: medium and form", "电池包与站通信"),
    _key(Form.TEXT, "protocol.authorisation", "pts", "authorisation of a pack", "电池授权认证"),
    _key(Form.TEXT, "protocol.power_up", "pt", "order of power up and down", "上下电流程"),
    # The swap
    _word("top-hoist|side|bottom|chassis", "swap.type", "pts", "how the pack leaves the vehicle", "换电形式"),
    _word(
        "hoist|chassis|bottom", "swap.handling", "pts", "what carries the pack in the station",
        "换电搬运方式",
    ),
    _key(Form.TEXT, "swap.sequence", "ts", "order of the swap", "换电流程", Listing.STEPS),
    _measure("time", "swap.duration", "ts", "duration of a swap", "换电时间"),
    _key(Form.COUNT, "swap.retries", "s", "repetitions of a step that failed", "重试次数"),
    _key(Form.COUNT, "swap.retries_positioning", "s", "repetitions of positioning", "定位重试次数"),
    _measure("time", "swap.stale_information", "ts", "age beyond which information is stale", "信息失效时间"),
    _measure(
        "cycles|time", "swap.stale_interlock", "ts",
        "age beyond which what an interlock reads is stale", "联锁数据失效时间",
    ),
    _key(Form.COUNT, "swap.lock_count", "ts", "locks on the vehicle", "车端锁数量"),
    _measure("length", "swap.parking_tolerance", "ts", "tolerance of the parking position", "停车定位公差"),
    # Safety
    _measure(
        "voltage", "safety.de_energised_voltage", "pts", "voltage below which a pack is de-energised",
        "断电判定电压",
    ),
    _measure("insulation", "safety.insulation_resistance", "pts", "lowest insulation resistance", "绝缘电阻"),
    _key(Form.TEXT, "safety.interlock", "pts", "high-voltage interlock", "高压互锁"),
    _key(Form.TEXT, "safety.emergency_stop", "ts", "what an emergency stop does", "急停要求"),
    _key(Form.TEXT, "safety.thermal_alarm", "pts", "what a thermal alarm does", "热失控报警处理"),
    # Identity
    _key(Form.TEXT, "identity.pack_code", "pts", "code of the pack", "电池包编码"),
    _key(Form.COUNT, "identity.pack_code_length", "pts", "characters of the pack code", "电池包编码位数"),
    _key(Form.TEXT, "identity.pack_code_transport", "pts", "how the pack code travels", "电池包编码传输方式"),
    _key(Form.TEXT, "identity.vin_transport", "pts", "how the VIN travels", "VIN传输方式"),
    # The vehicle
    _word("M1|M2|M3|N1|N2|N3", "vehicle.category", "t", "vehicle categories", "车辆类别"),
    _key(Form.TEXT, "vehicle.kind", "t", "kinds of vehicle", "车辆型式"),
    _key(Form.TEXT, "vehicle.pack_place", "t", "place of the pack on the vehicle", "电池包安装位置"),
    _word("low-power|high-power", "vehicle.base_type", "pt", "type of the base (tray)", "底托类型"),
    # The station
    _key(Form.COUNT, "station.bays", "s", "charging bays", "充电仓位数"),
    _key(Form.COUNT, "station.transfer_bays", "s", "transfer bays", "中转仓位数"),
    _measure("voltage", "station.voltage_range", "s", "charging voltage", "充电电压范围"),
    _measure("current", "station.current_range", "s", "charging current", "充电电流范围"),
    _measure("power", "station.charging_power", "s", "charging power of a bay", "单仓充电功率"),
    _measure("time", "station.recharge_time", "s", "time to recharge a pack", "充电时间"),
    _key(Form.COUNT, "station.swaps_per_day", "s", "swaps in a day", "日换电次数"),
    _key(Form.TEXT, "station.monitoring", "s", "station to cloud platform", "平台接入"),
    # The emergency pack
    _key(
        Form.OUTLINE, "emergency_pack.outline", "pts", "outline of the emergency pack", "应急电池包外廓尺寸",
    ),
    _measure("mass", "emergency_pack.mass", "pts", "mass of the emergency pack", "应急电池包质量"),
    _measure(
        "energy", "emergency_pack.energy_class", "pts", "energy of the emergency pack", "应急电池包能量",
    ),
    _key(Form.TEXT, "emergency_pack.interface", "pts", "interface of the emergency pack", "应急电池包接口"),
)  # fmt: skip

KEYS: Mapping[str, Key] = MappingProxyType({key.name: key for key in _ITEMS})
"""Every item by its key, in the order in which profiles are shown."""

SECTIONS: tuple[str, ...] = tuple(dict.fromkeys(key.section for key in _ITEMS))


def key_of(name: str) -> Key:
    """The item of that name; UnknownKey lists near matches."""
    try:
        return KEYS[name]
    except KeyError:
        raise UnknownKey(f"no item {name!r}; {near(name, KEYS)}") from None


def governing(part: Governs) -> Iterable[Key]:
    """The items that a pack, a truck or a station has to keep to."""
    return [key for key in KEYS.values() if part in key.governs]
