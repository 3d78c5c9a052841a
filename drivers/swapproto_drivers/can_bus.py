"""python-can: `can:INTERFACE:CHANNEL`, with python-can's own options; or a bus that is open already."""

import errno
import importlib
import inspect
import select
import socket
import time
from collections.abc import Mapping
from typing import cast
from uuid import uuid4

import can
from can.interfaces import BACKENDS
from can.interfaces.udp_multicast import UdpMulticastBus

from swapproto.errors import LinkClosed, LinkError, LinkUnavailable
from swapproto.frame import MICROSECOND, MILLISECOND, SECOND, CanFrame, Instant, Received
from swapproto.link import LinkCaps
from swapproto.runtime.wire_time import check_frame
from swapproto_drivers._options import flag, known_only

_KERNEL_STAMPS = {"SocketcanBus", "UdpMulticastBus"}
"""Buses whose stamps the kernel takes from the wall clock."""
_WALL_STAMPS = _KERNEL_STAMPS | {"VirtualBus"}
_GONE = {errno.ENODEV, errno.ENXIO, errno.EBADF}
_FULL = {errno.ENOBUFS, errno.EAGAIN}
_NO_ROUTE = {errno.ENODEV, errno.ENETUNREACH, errno.EADDRNOTAVAIL}
_RETRY = MILLISECOND
_ADVICE = {
    errno.ENETDOWN: "the interface is down: ip link set CHANNEL up type can bitrate 250000",
    errno.ENOBUFS: "the send queue stays full: is another node on the bus to acknowledge, at the same bit rate?",
    errno.ENODEV: "the device went away: plug it in and open the link again",
    errno.ENETUNREACH: "no route: ip route add 239.0.0.0/8 dev lo, or another interface for other machines",
}


class Ignored(msgspec.Struct):
    """Counts of what a bus delivered that is no classic data or remote frame."""

    error_frames: int = 0
    fd_frames: int = 0
    malformed: int = 0
