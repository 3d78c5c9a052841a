"""Devices that the suite brings along: the reference charger and pack, and how any of them is named."""

from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from swapproto.link import Node
from swapproto.messages.gbt27930 import ChargingMessage, Party
from swapproto.models.charger import Charger, ChargerSpec
from swapproto.models.pack import Pack
from swapproto.session.bms import BmsSession
from swapproto.session.charger import ChargerSession
from swapproto.session.command import Command
from swapproto.session.endpoint import Endpoint
from swapproto.session.hooks import Hooks
from swapproto.session.timing import NOMINAL, Timing

REFERENCE = "reference"
CLOCK = ChargerSpec(clock=datetime(2026, 1, 1))  # noqa: DTZ001  (local time, as CTS carries it)
"""The assumed charger with a clock, so that it sends CTS."""


class BuiltIn(msgspec.Struct, frozen=True, kw_only=True):
    """A device that runs inside the bench; ``build`` gives a fresh one, plugged in, for each case."""

    name: str
    party: Party
    description: str
    build: Callable[[], Node]


def charger(
    *,
    spec: ChargerSpec = CLOCK,
    timing: Timing = NOMINAL,
    periods: Mapping[type[ChargingMessage], int] | None = None,
    hooks: Hooks = Hooks(),  # noqa: B008  (frozen)
) -> Endpoint:
    """A charger at the moment when the plug is in."""
    endpoint = Endpoint(
        ChargerSession(Charger(spec), timing=timing, periods=periods), Party.CHARGER, hooks=hooks
    )
    endpoint.command(Command.START, 0)
    return endpoint


def pack(
    *,
    soc: float = 0.85,
    timing: Timing = NOMINAL,
    periods: Mapping[type[ChargingMessage], int] | None = None,
    hooks: Hooks = Hooks(),  # noqa: B008  (frozen)
) -> Endpoint:
    """A pack at the moment when the plug is in."""
    endpoint = Endpoint(BmsSession(Pack(soc=soc), timing=timing, periods=periods), Party.BMS, hooks=hooks)
    endpoint.command(Command.START, 0)
    return endpoint


REFERENCE_CHARGER = BuiltIn(
    name=REFERENCE,
    party=Party.CHARGER,
    description="reference charger, GB/T 27930-2015, behind it a model of the power stage",
    build=charger,
)
REFERENCE_PACK = BuiltIn(
    name=REFERENCE,
    party=Party.BMS,
    description="reference pack, GB/T 27930-2015, behind it a model of the battery",
    build=pack,
)
