"""Can this truck carry the pack, draw from it and understand it?"""

from functools import partial

from swapproto.compat.descriptor import Device
from swapproto.compat.rules.compare import at_most, covered, fits, inside, shared
from swapproto.compat.rules.model import Clause, rule
from swapproto.compat.words import Words

_JIANGSU, _PACK_CAN = "cn-js-hdt-2022", "pack-can-d0f3"


_rule = partial(rule, Device.PACK, Device.TRUCK)

RULES = (
    _rule(
        "handling",
        Words("handling", "搬运方式"),
        Words("The truck carries packs that are handled in this way.", "车辆搭载以该方式搬运的电池包。"),
        ("mechanical.handling", "mechanical.handling"),
        shared,
        Clause(_JIANGSU, "swap.handling"),
        first=True,
    ),
    _rule(
        "outline",
        Words("outline", "外形尺寸"),
        Words("The pack has room on the truck.", "车辆有安放该电池包的空间。"),
        ("mechanical.outline", "mechanical.room"),
        fits,
        Clause(_JIANGSU, "pack.outline"),
    ),
    _rule(
        "mass",
        Words("mass", "质量"),
        Words("The truck's base carries the pack.", "车载底座可承载该电池包。"),
        ("mechanical.mass", "mechanical.mass_limit"),
        at_most,
        Clause(_JIANGSU, "pack.mass"),
    ),
    _rule(
        "base",
        Words("base", "底座接口"),
        Words("The pack sits on the truck's base.", "电池包可落座于车载底座。"),
        ("mechanical.base", "mechanical.base"),
        shared,
        Clause(_JIANGSU, "pack.tray_interface"),
    ),
    _rule(
        "lock-points",
        Words("lock points", "锁止点"),
        Words("Every lock of the truck finds its place on the pack.", "车辆每个锁止机构均与电池包对应。"),
        ("mechanical.lock_points", "mechanical.lock_points"),
        shared,
        Clause(_JIANGSU, "pack.lock_points"),
    ),
    _rule(
        "guide-pins",
        Words("guide pins", "导向销"),
        Words("The guide pins of pack and truck stand alike.", "电池包与车辆的导向销布置一致。"),
        ("mechanical.guide_pins", "mechanical.guide_pins"),
        shared,
        Clause(_JIANGSU, "pack.guide_pin_layout"),
    ),
    _rule(
        "voltage-platform",
        Words("voltage platform", "电压平台"),
        Words("The truck's drive is made for the pack's platform.", "车辆驱动系统与电池包属于同一电压平台。"),
        ("electrical.voltage_platform", "electrical.voltage_platform"),
        shared,
        Clause(_JIANGSU, "pack.voltage_platform"),
    ),
    _rule(
        "voltage-range",
        Words("voltage range", "电压范围"),
        Words("The truck stands every voltage that the pack has.", "车辆可承受电池包的全部电压范围。"),
        ("electrical.voltage_range", "electrical.voltage_range"),
        inside,
        None,
    ),
    _rule(
        "connector",
        Words("connector", "连接器"),
        Words("The truck's connector mates with the pack's.", "车辆连接器与电池包连接器可对插。"),
        ("electrical.connector", "electrical.connector"),
        shared,
        Clause(_JIANGSU, "connector.type"),
    ),
    _rule(
        "pole-pairs",
        Words("pole pairs", "极对数"),
        Words("Both halves of the connector have the same number of pole pairs.", "连接器两端极对数相同。"),
        ("electrical.pole_pairs", "electrical.pole_pairs"),
        shared,
        Clause(_JIANGSU, "connector.pole_pairs"),
    ),
    _rule(
        "loops",
        Words("loops", "连接器回路"),
        Words("The pack has every loop that the truck uses.", "电池包具备车辆使用的全部回路。"),
        ("electrical.loops", "electrical.loops"),
        lambda pack, truck: covered(truck, pack),
        Clause(_JIANGSU, "connector.loops"),
    ),
    _rule(
        "cooling-mode",
        Words("cooling mode", "冷却方式"),
        Words("The truck can cool the pack.", "车辆可冷却电池包。"),
        ("thermal.cooling_modes", "thermal.cooling_modes"),
        shared,
        Clause(_JIANGSU, "thermal.cooling_modes"),
    ),
    _rule(
        "coolant",
        Words("coolant", "冷却液"),
        Words("Pack and truck use the same coolant.", "电池包与车辆使用相同冷却液。"),
        ("thermal.coolant", "thermal.coolant"),
        shared,
        Clause(_JIANGSU, "thermal.coolant"),
    ),
    _rule(
        "coolant-coupler",
        Words("coolant coupler", "冷却液接头"),
        Words("The coolant couplers of pack and truck mate.", "电池包与车辆的冷却液接头可对接。"),
        ("thermal.coolant_coupler", "thermal.coolant_coupler"),
        shared,
        Clause(_JIANGSU, "thermal.coolant_coupler"),
    ),
    _rule(
        "vehicle-can",
        Words("family of the vehicle CAN", "整车 CAN 协议族"),
        Words("The truck understands the pack's messages.", "车辆可解析电池包报文。"),
        ("protocol.vehicle", "protocol.vehicle"),
        shared,
        Clause(_PACK_CAN, "protocol.families"),
    ),
    _rule(
        "vehicle-bit-rate",
        Words("bit rate of the vehicle CAN", "整车 CAN 波特率"),
        Words("Pack and truck run their bus at one bit rate.", "电池包与车辆的总线波特率相同。"),
        ("protocol.vehicle_bit_rate", "protocol.vehicle_bit_rate"),
        shared,
        Clause(_PACK_CAN, "bus.bit_rate"),
    ),
    _rule(
        "temperature-offset",
        Words("offset of the minimum temperature", "最低温度偏移量"),
        Words(
            "Pack and truck mean the same temperature by the same byte; else every reading is wrong, and "
            "looks right.",
            "电池包与车辆对同一字节的温度含义一致；否则读数错误却看似正常。",
        ),
        ("protocol.temperature_offset", "protocol.temperature_offset"),
        shared,
        Clause(_PACK_CAN, "protocol.temperature_offset"),
    ),
    _rule(
        "seal",
        Words("checksum of the code frames", "编码帧校验算法"),
        Words(
            "The truck knows the maker's checksum on the frames of the pack code; no such algorithm is "
            "public.",
            "车辆掌握电池包编码帧的制造商校验算法；此类算法均未公开。",
        ),
        ("protocol.seal", "protocol.seal"),
        shared,
        Clause(_JIANGSU, "identity.pack_code_transport"),
    ),
    _rule(
        "authorisation",
        Words("authorisation", "授权方式"),
        Words("The truck can have the pack authorised.", "车辆可完成该电池包的授权。"),
        ("identity.authorisation", "identity.authorisation"),
        shared,
        Clause(_JIANGSU, "protocol.authorisation"),
    ),
)
