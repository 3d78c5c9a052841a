"""What a profile's item asks of a value of one device: three-valued, and before anything is weighed."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NamedTuple, TypeAlias

from swapproto.compat.descriptor import Device
from swapproto.compat.keys import CHARGING, KEYS, KIN, VEHICLE, Key
from swapproto.compat.words import Words
from swapproto.profile.keys import KEYS as ITEMS
from swapproto.profile.kinds import Form, Governs, Listing
from swapproto.profile.kinds import Key as Item
from swapproto.profile.values import Outline, Quantity, Range, Scalar, admits

Admits: TypeAlias = Callable[[Sequence[Scalar], Sequence[Scalar]], bool | None]
"""Of the profile's values and the device's; None where they alone cannot tell."""

BUSES = {
    "gbt27930-2011": CHARGING,
    "gbt27930-2015": CHARGING,
    "gbt27930-2023a": CHARGING,
    "station-charging-ext": CHARGING,
    "pack-can-d0f3": VEHICLE,
}
"""The network of each message set: items such as the bit rate are those of what the profile speaks."""


class Requirement(NamedTuple):
    """An item, and the key of a device that it governs."""

    device: Device
    key: str
    item: Item
    admits: Admits
    cases: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Item, device and the name of its key: ``pack.mass:station.mass_limit``."""
        return f"{self.item.name}:{self.device.value}.{self.key.partition('.')[2]}"

    @property
    def title(self) -> Words:
        return Words(self.item.title, self.item.title_zh)

    @property
    def text(self) -> Words:
        name, whose = self.declared.title, self.device.noun
        return Words(
            f"{self.item.name} of the profile admits the {name.en} of {whose.en}.",
            f"{whose.zh}的{name.zh}符合规范项目 {self.item.name}。",
        )

    @property
    def declared(self) -> Key:
        return KEYS[self.device][self.key]

    @property
    def first(self) -> bool:
        return self.item.name == "swap.handling"

    def comparable(self, values: tuple[Scalar, ...]) -> tuple[Scalar, ...]:
        """A device's values in the form of the item: counts as plain quantities."""
        if self.item.form is not Form.COUNT:
            return values
        return tuple(Quantity(Decimal(each)) if isinstance(each, int) else each for each in values)


def one_of(allowed: Sequence[Scalar], has: Sequence[Scalar]) -> bool:
    """The device has at least one that is admitted."""
    return any(admits(tuple(allowed), each) for each in has)


def all_of(allowed: Sequence[Scalar], has: Sequence[Scalar]) -> bool:
    """The device has everything that is asked."""
    return all(one_of([each], has) for each in allowed)


def no_others(allowed: Sequence[Scalar], has: Sequence[Scalar]) -> bool:
    """The device uses nothing beyond what there is."""
    return all(admits(tuple(allowed), each) for each in has)


def takes(allowed: Sequence[Scalar], has: Sequence[Scalar]) -> bool | None:
    """Every pack that is admitted has room, and is carried; of a range the upper end counts."""
    return _of_all([_takes(each, has[0]) for each in allowed])


def covers(allowed: Sequence[Scalar], has: Sequence[Scalar]) -> bool | None:
    """What the station offers reaches over all that is asked; an end that is open asks nothing."""
    return _of_all([_covers(each, has[0]) for each in allowed])


def stays_below(allowed: Sequence[Scalar], has: Sequence[Scalar]) -> bool | None:
    """The upper end of the device's range is no higher than the highest that is admitted."""
    return _of_any([_takes(_upper(has[0]), each) for each in allowed])


def editions(allowed: Sequence[Scalar], has: Sequence[Scalar]) -> bool | None:
    """An edition in common, or two of which only a run can tell."""
    if one_of(allowed, has):
        return True
    return None if KIN & set(allowed) and KIN & set(has) else False


def _takes(asked: Scalar, limit: Scalar) -> bool | None:
    if isinstance(asked, Outline) and isinstance(limit, Outline):
        sides = ((asked.length, limit.length), (asked.width, limit.width), (asked.height, limit.height))
        return all(side <= room for side, room in sides)
    top, bound = _upper(asked), _upper(limit)
    return top <= bound if isinstance(top, Quantity) and isinstance(bound, Quantity) else None


def _covers(asked: Scalar, offered: Scalar) -> bool | None:
    if not isinstance(offered, Range):
        return None
    if isinstance(asked, Range):
        return all(end is None or end in offered for end in (asked.low, asked.high))
    return asked in offered if isinstance(asked, Quantity) else None


def _upper(value: Scalar) -> Scalar:
    """The upper end of a range, or the range itself where that is open."""
    return value.high if isinstance(value, Range) and value.high is not None else value


def _of_all(found: Sequence[bool | None]) -> bool | None:
    """All of them or none; where only some, it is not said which of them the device is for."""
    return True if all(each is True for each in found) else False if set(found) == {False} else None


def _of_any(found: Sequence[bool | None]) -> bool | None:
    return True if True in found else None if None in found else False


_SPECIAL: dict[tuple[Device, str], Admits] = {
    (Device.TRUCK, "mechanical.room"): takes,
    (Device.STATION, "mechanical.room"): takes,
    (Device.TRUCK, "mechanical.mass_limit"): takes,
    (Device.STATION, "mechanical.mass_limit"): takes,
    (Device.PACK, "electrical.voltage_range"): stays_below,
    (Device.TRUCK, "electrical.voltage_range"): takes,
    (Device.STATION, "electrical.voltage_range"): covers,
    (Device.STATION, "electrical.charge_current"): covers,
    (Device.TRUCK, "electrical.loops"): no_others,
    (Device.STATION, "electrical.loops"): no_others,
    (Device.PACK, "protocol.charging"): editions,
    (Device.STATION, "protocol.charging"): editions,
}
_CASES = {
    "protocol.charging": (
        "pack.handshake.bhm",
        "charger.handshake.chm",
        "charger.charging.ccs",
    )
}


def _requirement(device: Device, key: str, item: Item) -> Requirement:
    usual = all_of if item.listing is Listing.ALL else one_of
    return Requirement(device, key, item, _SPECIAL.get((device, key), usual), _CASES.get(key, ()))


REQUIREMENTS: tuple[Requirement, ...] = tuple(
    _requirement(device, name, ITEMS[key.item])
    for device, keys in KEYS.items()
    for name, key in keys.items()
    if key.item is not None and Governs(device.value) in ITEMS[key.item].governs
)
"""Every item with a counterpart in the descriptors, by device."""
