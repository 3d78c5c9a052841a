"""Packs, trucks and stations as their makers describe them: every value with what it rests on."""

from collections.abc import Mapping
from enum import Enum
from typing import TypeAlias

import msgspec

from swapproto.compat.words import Words
from swapproto.profile.values import Scalar
from swapproto.provenance import Basis, Weight, weight

Value: TypeAlias = tuple[Scalar, ...]
"""One or several; what is one in the file stands alone here."""


class Device(Enum):
    """What a descriptor describes."""

    PACK = "pack"
    TRUCK = "truck"
    STATION = "station"

    @property
    def noun(self) -> Words:
        return _NOUNS[self]


_NOUNS = {
    Device.PACK: Words("the pack", "电池包"),
    Device.TRUCK: Words("the truck", "车辆"),
    Device.STATION: Words("the station", "换电站"),
}


class Standing(Enum):
    """What a descriptor's value rests on: as a specification's value, or said by the device's own maker."""

    DECLARED = "declared"
    """By the maker about its own device, as in a PICS: there is no better witness."""
    STATED = "stated"
    REPORTED = "reported"
    OBSERVED = "observed"
    DERIVED = "derived"
    ASSUMED = "assumed"
    UNSET = "unset"


class Declared(msgspec.Struct, frozen=True, kw_only=True):
    """One value of one device."""

    kind: Device
    device: str
    """Id of the descriptor."""
    key: str
    """Section and name, such as ``mechanical.mass``."""
    title: Words
    value: Value | None
    text: Words
    """As written, with the Chinese of names that have one; empty where unset."""
    standing: Standing
    witnesses: int = 0
    at: str = ""
    why: str = ""
    supposed: bool = False
    """A scenario asks what would be if its values held."""
    file: str = ""
    line: int | None = None

    @property
    def weight(self) -> Weight:
        """What the value can decide; where it is supposed, whatever is given counts as declared."""
        if self.value is None:
            return Weight.NONE
        if self.supposed or self.standing is Standing.DECLARED:
            return Weight.FULL
        return weight(Basis(self.standing.value), self.witnesses)

    def __str__(self) -> str:
        return f"{self.device} {self.key}"


class Descriptor(msgspec.Struct, frozen=True, kw_only=True):
    """A device with all its values; what its file does not give is there, and unset."""

    kind: Device
    id: str
    name: Words
    maker: str = ""
    note: Words = Words("", "")
    group: Words = Words("", "")
    """What it belongs to in a scenario: a line, a fleet."""
    values: Mapping[str, Declared] = {}
    file: str = ""

    def __getitem__(self, key: str) -> Declared:
        return self.values[key]
