"""A network of devices, and the premise under which it is looked at."""

from collections.abc import Mapping

import msgspec

from swapproto.compat.descriptor import Descriptor, Standing
from swapproto.compat.words import Words
from swapproto.errors import SwapError
from swapproto.hints import near


class NoSuchDevice(SwapError):
    """A scenario has no device of that name."""


class Fact(msgspec.Struct, frozen=True):
    """What is known of the network itself, with its source."""

    text: Words
    at: str
    standing: Standing
    witnesses: int


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """Devices by kind, in the order of the file."""

    id: str
    title: Words
    text: Words
    suppose: bool
    """Answers say what would be if the given values held."""
    facts: tuple[Fact, ...]
    packs: tuple[Descriptor, ...]
    trucks: tuple[Descriptor, ...]
    stations: tuple[Descriptor, ...]
    carriers: Mapping[str, str]
    """Pack to the truck that brings it."""
    path: str

    def __getitem__(self, name: str) -> Descriptor:
        """NoSuchDevice with near matches."""
        devices = {each.id: each for each in (*self.packs, *self.trucks, *self.stations)}
        if name not in devices:
            raise NoSuchDevice(f"{self.path}: no device {name!r}; {near(name, devices)}")
        return devices[name]

    def truck_of(self, pack: Descriptor) -> Descriptor | None:
        """The truck that brings the pack; None where the scenario names none."""
        truck = self.carriers.get(pack.id)
        return None if truck is None else self[truck]
