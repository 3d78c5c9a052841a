"""What can go wrong in a virtual swap, each by its name and from a time on."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import msgspec

from swapproto.errors import SwapError
from swapproto.frame import MILLISECOND, SECOND, Instant
from swapproto.hints import near
from swapproto.models.swap_pack import SwapPack
from swapproto.models.swap_station import Station
from swapproto.models.truck import Truck

SWAP_FAULTS: Mapping[str, str] = MappingProxyType(
    {
        "weld": "the truck's pack reports a welded contactor",
        "live-bus": "the bus stays live although the pack reports everything open",
        "connector": "the truck's discharge connector does not come apart",
        "lock": "the truck's base does not unlock",
        "lying-lock": "the truck's base does not unlock and its sensors say that it did",
        "tongue": "the hoist's tongues stick half way",
        "key": "the driver leaves the key on",
        "parking": "the truck does not stand where it should",
        "silent": "the truck's reports reach the station no more",
        "unauthorised": "the truck's pack is not authorised",
        "emergency-stop": "somebody presses the station's emergency stop",
        "truck-stop": "somebody presses the truck's emergency stop",
        "thermal": "the truck's pack reports smoke and fire",
    }
)
_TIMED = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)(ms|s|min):(.*)", re.ASCII)
_UNITS = {"ms": MILLISECOND, "s": SECOND, "min": 60 * SECOND}


class BadSwapFault(SwapError, ValueError):
    """A fault that cannot be read."""


class SwapFault(msgspec.Struct, frozen=True):
    """A name of ``SWAP_FAULTS``, and the nanoseconds from the truck's arrival."""

    name: str
    at: int = 0

    def __str__(self) -> str:
        return f"{self.name}: {SWAP_FAULTS[self.name]}"

    @classmethod
    def parse(cls, text: str) -> "SwapFault":
        """Read ``NAME`` or ``TIME:NAME``; BadSwapFault says what is wrong."""
        timed = _TIMED.fullmatch(text)
        at, name = (round(float(timed[1]) * _UNITS[timed[2]]), timed[3]) if timed else (0, text)
        if name not in SWAP_FAULTS:
            raise BadSwapFault(
                f"{text!r}: write NAME or 60s:NAME; there is no fault {name!r}, {near(name, SWAP_FAULTS)}"
            )
        return cls(name, at)


class Scene(Protocol):
    """What a fault can break."""

    truck: Truck
    station: Station
    brought: SwapPack
    silent: bool


def apply(fault: SwapFault, scene: Scene, now: Instant) -> None:  # noqa: C901  (one line a fault)
    """Break it, for good."""
    truck, hoist, pack = scene.truck, scene.station.hoist, scene.brought
    match fault.name:
        case "weld":
            pack.contactors.weld_detected = True
        case "live-bus":
            pack.contactors.bridged = True
        case "connector":
            truck.connectors["discharge_connector"].jam(1.0, now)
        case "lock" | "lying-lock":
            truck.lock.jam(1.0, now)
            truck.sensors_lie = fault.name == "lying-lock"
        case "tongue":
            hoist.tongues.jam(0.5, now)
        case "key":
            truck.key_left_on = True
        case "parking":
            hoist.truck_in_place = False
        case "silent":
            scene.silent = True
        case "unauthorised":
            scene.station.refused.add(pack.code)
        case "emergency-stop":
            hoist.stop(now)
        case "truck-stop":
            truck.stop(now)
        case "thermal":
            pack.thermal_event = True
        case name:
            raise BadSwapFault(f"there is no fault {name!r}")
