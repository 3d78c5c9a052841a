"""Can this station take the pack off, store it and charge it?"""

from functools import partial

from swapproto.compat.descriptor import Device
from swapproto.compat.rules.compare import (
    at_most,
    covered,
    editions,
    fits,
    inside,
    reaches_down,
    shared,
)
from swapproto.compat.rules.model import Clause, rule
from swapproto.compat.words import Words

_JIANGSU, _CHARGING = "cn-js-hdt-2022", "gbt27930-2015"
_PARAMETERS = ("pack.configuration.bcp", "charger.configuration.cts-cml")
_HANDSHAKE = ("pack.handshake.bhm", "charger.handshake.chm")


_rule = partial(rule, Device.PACK, Device.STATION)

RULES = (
    _rule(
        "handling",
        Words("handling", "搬运方式"),
        Words(
            "The station handles packs in the way that the pack is made for: from above, under the chassis "
            "or from below.",
            "换电站的搬运方式与电池包相符：顶部吊装、底盘式或底部更换。",
        ),
        ("mechanical.handling", "mechanical.handling"),
        shared,
        Clause(_JIANGSU, "swap.handling"),
        first=True,
    ),
    _rule(
        "outline",
        Words("outline", "外形尺寸"),
        Words(
            "The pack goes into the station's bays without being turned.", "电池包无需转向即可放入站内仓位。"
        ),
        ("mechanical.outline", "mechanical.room"),
        fits,
        Clause(_JIANGSU, "pack.outline"),
    ),
    _rule(
        "mass",
        Words("mass", "质量"),
        Words("The station's hoist carries the pack.", "站内起吊设备可承载该电池包。"),
        ("mechanical.mass", "mechanical.mass_limit"),
        at_most,
        Clause(_JIANGSU, "pack.mass"),
    ),
    _rule(
        "hoist-interface",
        Words("hoist interface", "吊装接口"),
        Words("The station's spreader grips the pack.", "站内吊具可抓取该电池包。"),
        ("mechanical.hoist_interface", "mechanical.hoist_interface"),
        shared,
        Clause(_JIANGSU, "pack.upper_interface"),
    ),
    _rule(
        "guide-pins",
        Words("guide pins", "导向销"),
        Words("The guide pins of pack and bay stand alike.", "电池包与仓位的导向销布置一致。"),
        ("mechanical.guide_pins", "mechanical.guide_pins"),
        shared,
        Clause(_JIANGSU, "pack.guide_pin_layout"),
    ),
    _rule(
        "base",
        Words("base", "底座接口"),
        Words("The pack sits on the bay's base.", "电池包可落座于仓位底座。"),
        ("mechanical.base", "mechanical.base"),
        shared,
        Clause(_JIANGSU, "pack.tray_interface"),
    ),
    _rule(
        "energy-class",
        Words("energy class", "电量等级"),
        Words("The station keeps packs of this class.", "换电站运营该电量等级的电池包。"),
        ("electrical.energy_class", "electrical.energy_class"),
        shared,
        Clause(_JIANGSU, "pack.energy_class"),
    ),
    _rule(
        "voltage-platform",
        Words("voltage platform", "电压平台"),
        Words("Pack and chargers are made for the same platform.", "电池包与充电机属于同一电压平台。"),
        ("electrical.voltage_platform", "electrical.voltage_platform"),
        shared,
        Clause(_JIANGSU, "pack.voltage_platform"),
        _PARAMETERS,
    ),
    _rule(
        "voltage-range",
        Words("voltage range", "电压范围"),
        Words(
            "The chargers give every voltage that the pack has between empty and full.",
            "充电机输出电压覆盖电池包从空电到满电的电压。",
        ),
        ("electrical.voltage_range", "electrical.voltage_range"),
        inside,
        Clause(_JIANGSU, "station.voltage_range"),
        _PARAMETERS,
    ),
    _rule(
        "connector",
        Words("connector", "连接器"),
        Words("The bay's connector mates with the pack's.", "仓位连接器与电池包连接器可对插。"),
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
        Words("The pack has the loop that the bay charges through.", "电池包具备仓位充电所用回路。"),
        ("electrical.loops", "electrical.loops"),
        lambda pack, station: covered(station, pack),
        Clause(_JIANGSU, "connector.loops"),
    ),
    _rule(
        "charge-current",
        Words("charging current", "充电电流"),
        Words(
            "The chargers can go down to a current that the pack allows; a pack that could take more charges "
            "for longer.",
            "充电机可降至电池包允许的电流；允许电流更大的电池包只是充电时间更长。",
        ),
        ("electrical.charge_current", "electrical.charge_current"),
        reaches_down,
        Clause(_JIANGSU, "station.current_range"),
        _PARAMETERS,
    ),
    _rule(
        "cooling-mode",
        Words("cooling mode", "冷却方式"),
        Words("The bay can cool the pack while it charges.", "仓位可在充电时冷却电池包。"),
        ("thermal.cooling_modes", "thermal.cooling_modes"),
        shared,
        Clause(_JIANGSU, "thermal.cooling_modes"),
    ),
    _rule(
        "coolant",
        Words("coolant", "冷却液"),
        Words("Pack and bay use the same coolant.", "电池包与仓位使用相同冷却液。"),
        ("thermal.coolant", "thermal.coolant"),
        shared,
        Clause(_JIANGSU, "thermal.coolant"),
    ),
    _rule(
        "coolant-coupler",
        Words("coolant coupler", "冷却液接头"),
        Words("The coolant couplers of pack and bay mate.", "电池包与仓位的冷却液接头可对接。"),
        ("thermal.coolant_coupler", "thermal.coolant_coupler"),
        shared,
        Clause(_JIANGSU, "thermal.coolant_coupler"),
    ),
    _rule(
        "charging-edition",
        Words("charging protocol edition", "充电协议版本"),
        Words(
            "Pack and charger speak a charging edition in common.", "电池包与充电机支持同一版本的充电协议。"
        ),
        ("protocol.charging", "protocol.charging"),
        editions,
        Clause(_JIANGSU, "protocol.charging"),
        (*_HANDSHAKE, "charger.charging.ccs"),
    ),
    _rule(
        "charging-bit-rate",
        Words("bit rate of the charging CAN", "充电 CAN 波特率"),
        Words("Both ends of the charging CAN run at one bit rate.", "充电 CAN 两端波特率相同。"),
        ("protocol.charging_bit_rate", "protocol.charging_bit_rate"),
        shared,
        Clause(_CHARGING, "bus.bit_rate"),
        _HANDSHAKE,
    ),
    _rule(
        "code-format",
        Words("format of the pack code", "电池包编码格式"),
        Words("The station reads codes of this format.", "换电站可识别该格式的编码。"),
        ("identity.code_format", "identity.code_format"),
        shared,
        Clause(_JIANGSU, "identity.pack_code"),
    ),
    _rule(
        "code-length",
        Words("length of the pack code", "电池包编码长度"),
        Words("The station takes codes of this length.", "换电站接受该长度的编码。"),
        ("identity.code_length", "identity.code_length"),
        shared,
        Clause(_JIANGSU, "identity.pack_code_length"),
    ),
    _rule(
        "authorisation",
        Words("authorisation", "授权方式"),
        Words("The station can authorise the pack.", "换电站可对该电池包授权。"),
        ("identity.authorisation", "identity.authorisation"),
        shared,
        Clause(_JIANGSU, "protocol.authorisation"),
    ),
)
