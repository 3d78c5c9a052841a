"""Ports that neither send nor acknowledge: how each interface is told, and who cannot be."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

import can

from swapproto.errors import LinkUnavailable

_ASKED: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "cantact": {"monitor": True},
        "pcan": {"state": can.BusState.PASSIVE},
        "seeedstudio": {"operation_mode": "silent"},
        "slcan": {"listen_only": True},
        "vector": {"listen_only": True},
    }
)
"""What python-can's interfaces call it."""
_NO_WIRE = frozenset({"virtual", "udp_multicast"})
"""Nothing is acknowledged there."""


def arguments(link: str, interface: str, channel: str) -> Mapping[str, Any]:
    """Arguments that open an interface listen-only; LinkUnavailable where that cannot be."""
    if interface in _ASKED:
        return _ASKED[interface]
    if interface in _NO_WIRE:
        return {}
    if interface == "socketcan":
        _check_socketcan(link, channel)
        return {}
    raise LinkUnavailable(
        f"{link}: python-can cannot open {interface} listen-only; with listen_only=false it acknowledges "
        f"frames, which disturbs a bus of another bit rate"
    )


def socketcan_details(channel: str) -> Mapping[str, Any]:
    """Kind, bit rate and control modes of a network interface, as `ip` tells them; empty if it does not."""
    program = shutil.which("ip")
    if program is None:
        return {}
    command = [program, "-details", "-json", "link", "show", "dev", channel]
    try:
        told = subprocess.run(command, capture_output=True, check=True, timeout=5).stdout  # noqa: S603
        (entry,) = cast("list[dict[str, Any]]", json.loads(told))
    except (OSError, subprocess.SubprocessError, ValueError):
        return {}
    information = cast("dict[str, Any]", entry.get("linkinfo", {}))
    data = cast("dict[str, Any]", information.get("info_data", {}))
    return {
        "kind": information.get("info_kind", ""),
        "bitrate": data.get("bittiming", {}).get("bitrate"),
        "modes": tuple(data.get("ctrlmode", ())),
    }


def _check_socketcan(link: str, channel: str) -> None:
    details = socketcan_details(channel)
    if details.get("kind") in ("vcan", "vxcan") or "LISTEN-ONLY" in details.get("modes", ()):
        return
    raise LinkUnavailable(
        f"{link}: {channel} acknowledges frames. To only listen: ip link set {channel} down; "
        f"ip link set {channel} type can listen-only on; ip link set {channel} up. "
        f"Or give listen_only=false, where its bit rate is known to be right"
    )
