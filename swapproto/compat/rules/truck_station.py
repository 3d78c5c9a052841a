"""Can this truck drive into the station and be served?"""

from functools import partial

from swapproto.compat.descriptor import Device
from swapproto.compat.rules.compare import at_most, shared
from swapproto.compat.rules.model import Clause, rule
from swapproto.compat.words import Words

_JIANGSU = "cn-js-hdt-2022"


_rule = partial(rule, Device.TRUCK, Device.STATION)

RULES = (
    _rule(
        "handling",
        Words("handling", "搬运方式"),
        Words(
            "The station serves vehicles whose packs are handled in this way.",
            "换电站服务采用该搬运方式的车辆。",
        ),
        ("mechanical.handling", "mechanical.handling"),
        shared,
        Clause(_JIANGSU, "swap.handling"),
        first=True,
    ),
    _rule(
        "clearance",
        Words("clear height", "通行净高"),
        Words("The vehicle fits below the station's gate.", "车辆可从换电站通道下通过。"),
        ("mechanical.height", "mechanical.clearance"),
        at_most,
        None,
    ),
    _rule(
        "vehicle-station",
        Words("vehicle-station protocol", "车站通信协议"),
        Words(
            "The truck's swap controller and the station speak a protocol in common.",
            "车载换电控制器与换电站支持同一通信协议。",
        ),
        ("protocol.station", "protocol.station"),
        shared,
        Clause(_JIANGSU, "protocol.vehicle_station"),
    ),
    _rule(
        "authorisation",
        Words("authorisation", "授权方式"),
        Words("The station can authorise the vehicle.", "换电站可对该车辆授权。"),
        ("identity.authorisation", "identity.authorisation"),
        shared,
        Clause(_JIANGSU, "protocol.authorisation"),
    ),
)
