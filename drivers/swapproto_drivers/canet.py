"""CAN to Ethernet converters with 13-byte units: `canet:tcp:HOST:PORT`, `canet:listen:HOST:PORT`,
`canet:udp:HOST:PORT?local=PORT`.
"""

from collections.abc import Mapping

from swapproto.errors import LinkUnavailable
from swapproto.frame import MILLISECOND, SECOND
from swapproto.link import LinkCaps
from swapproto_drivers._framed import seconds
from swapproto_drivers._options import flag, integer, known_only
from swapproto_drivers._sockets import DatagramLink, Dialler, Listener, host_port
from swapproto_drivers._streams import StreamLink
from swapproto_drivers.canet_units import IDLE, Units

_COMMON = ("bitrate", "padding")
_OPTIONS = {
    "tcp": (*_COMMON, "idle", "reconnect", "within"),
    "listen": (*_COMMON, "idle", "reconnect"),
    "udp": (*_COMMON, "local"),
}
WITHIN = 5.0
"""Seconds that the first connection may take unless told otherwise."""


def open_link(rest: str, options: Mapping[str, str]) -> StreamLink | DatagramLink:
    """Open `tcp:HOST:PORT`, `listen:HOST:PORT` (an empty host is every address) or `udp:HOST:PORT`.

    Options: bitrate, what the converter is set to; padding=any for one that leaves rubbish in unused bytes;
    idle, seconds after which a half unit is given up; reconnect=false; within, seconds for the first
    connection; local, the UDP port that the converter sends to.
    """
    link = f"canet:{rest}"
    kind, _, address = rest.partition(":")
    if kind not in _OPTIONS:
        raise LinkUnavailable(
            f"{link}: write canet:tcp:HOST:PORT, canet:listen:HOST:PORT or canet:udp:HOST:PORT"
        )
    known_only(link, options, _OPTIONS[kind])
    padding = options.get("padding", "zero")
    if padding not in {"zero", "any"}:
        raise LinkUnavailable(f"{link}: option padding={padding} must be zero or any")
    like = f"canet:{kind}:HOST:PORT, as in canet:{kind}:192.168.0.178:4001"
    host, port = host_port(link, address, like=like, any_host=kind == "listen")
    units = Units(idle=seconds(link, options, "idle", IDLE / SECOND), zero_padding=padding == "zero")
    caps = batched_caps(link, options)
    if kind == "udp":
        return DatagramLink(caps, units, host, port, _port(link, options, "local"))
    reconnect = "reconnect" not in options or flag(link, options, "reconnect")
    if kind == "listen":
        return StreamLink(caps, units, Listener(link, host, port), reconnect=reconnect)
    dialler = Dialler(link, host, port, seconds(link, options, "within", WITHIN))
    return StreamLink(caps, units, dialler, peer=dialler.first, reconnect=reconnect)


def batched_caps(link: str, options: Mapping[str, str]) -> LinkCaps:
    """A converter collects frames before it sends, so a stamp says when a batch was read."""
    bitrate = integer(link, options, "bitrate", 0)
    if bitrate < 0:
        raise LinkUnavailable(f"{link}: option bitrate={bitrate} must be positive")
    return LinkCaps(name=link, bitrate=bitrate or None, stamp_resolution=MILLISECOND, batched=True)


def _port(link: str, options: Mapping[str, str], name: str) -> int:
    port = integer(link, options, name, 0)
    if not 0 <= port <= 0xFFFF:
        raise LinkUnavailable(f"{link}: option {name}={port} is no port: 0 to 65535")
    return port
