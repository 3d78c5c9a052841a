"""python-can: `can:INTERFACE:CHANNEL` with the interface's own options, or a bus that is open already."""

import errno
import importlib
import inspect
import socket
import time
from collections import deque
from collections.abc import Mapping
from typing import Any, cast
from uuid import uuid4

import can
import msgspec
from can.interfaces import BACKENDS
from can.interfaces.socketcan import SocketcanBus
from can.interfaces.socketcan.constants import CAN_RAW_RECV_OWN_MSGS, SOL_CAN_RAW
from can.interfaces.udp_multicast import UdpMulticastBus
from can.interfaces.virtual import VirtualBus
from can.util import cast_from_string

from swapproto.errors import LinkClosed, LinkError, LinkUnavailable, LocalProtocolError, SwapError
from swapproto.frame import MICROSECOND, MILLISECOND, SECOND, CanFrame, Instant, Received, check_frame
from swapproto.link import MAX_LINK_EVENTS, LinkCaps, LinkEvent
from swapproto_drivers import listen_only
from swapproto_drivers._options import flag, known_only
from swapproto_drivers.bitrate import find_bitrate
from swapproto_drivers.can_events import event_of

_RETRY = 0.001
"""Seconds between two tries to send into a queue that is full."""
_OURS = {"self", "args", "kwargs", "channel", "interface", "can_filters", "receive_own_messages"}
"""Parameters of a python-can bus that are not options of a URL."""
_GONE = {errno.ENODEV, errno.ENXIO, errno.EBADF}
_NO_ROUTE = {errno.ENODEV, errno.ENETUNREACH, errno.EADDRNOTAVAIL}
_ROUTE = "add one, for this machine alone: ip route add 239.0.0.0/8 dev lo (ip -6 route add ff00::/8 dev lo)"
_ADVICE = {
    errno.ENETDOWN: "the interface is down: ip link set CHANNEL up",
    errno.ENOBUFS: "the queue stays full: is another node there to acknowledge, at the same bit rate?",
    **dict.fromkeys((errno.ENODEV, errno.ENXIO), "the device is gone: connect it and open the link again"),
    errno.ENETUNREACH: f"no route for multicast: {_ROUTE}",
}


class Ignored(msgspec.Struct):
    """Counts of what the bus delivered that is no data frame of classic CAN."""

    error_frames: int = 0
    remote_frames: int = 0
    fd_frames: int = 0
    malformed: int = 0


class PythonCanLink:
    """A link over an open python-can bus, which close() shuts down.

    A bus that returns its own frames needs echo=True, else they would pass for received ones; udp_multicast
    always returns them, and they are recognised. Stamps of SocketCAN and udp_multicast are the kernel's,
    those of python-can's virtual bus its sender's, all others the time of reading.
    """

    def __init__(
        self,
        bus: can.BusABC,
        *,
        name: str | None = None,
        bitrate: int | None = None,
        echo: bool = False,
        listen_only: bool = False,
    ) -> None:
        returns_own = _returns_own(bus)
        if returns_own is not None and returns_own != echo:
            raise LinkUnavailable(
                f"{bus}: opened with receive_own_messages={returns_own}, but echo is {echo}"
            )
        self.ignored = Ignored()
        self._bus = bus
        self._closed = False
        self._tag = uuid4().hex if isinstance(bus, UdpMulticastBus) else None
        self._local_is_rx = not isinstance(bus, SocketcanBus)
        self._wall_stamps = isinstance(bus, (SocketcanBus, UdpMulticastBus, VirtualBus))
        kernel = isinstance(bus, (SocketcanBus, UdpMulticastBus))
        self._caps = LinkCaps(
            name=name or str(bus),
            bitrate=bitrate,
            stamp_source="kernel" if kernel else "host",
            stamp_resolution=MICROSECOND if self._wall_stamps else MILLISECOND,
            echo=echo,
            listen_only=listen_only,
        )
        self._last = time.monotonic_ns()
        self._events: deque[LinkEvent] = deque(maxlen=MAX_LINK_EVENTS)

    @property
    def caps(self) -> LinkCaps:
        return self._caps

    def now(self) -> Instant:
        return time.monotonic_ns()

    def send(self, frame: CanFrame, *, deadline: Instant) -> None:
        self._check_open()
        check_frame(frame)
        if self._caps.listen_only:
            raise LocalProtocolError(
                f"{self._caps.name}: this link only listens; open it without listen_only"
            )
        message = can.Message(
            arbitration_id=frame.id,
            data=frame.data,
            is_extended_id=frame.extended,
            is_remote_frame=frame.remote,
            channel=self._tag,
        )
        while True:
            left = deadline - time.monotonic_ns()
            try:
                self._bus.send(message, timeout=max(0, left) / SECOND)
            except Exception as error:
                if left <= 0 or _errno(error) not in {errno.ENOBUFS, errno.EAGAIN}:
                    raise self._failure("send", error) from error
                time.sleep(_RETRY)
            else:
                return

    def receive(self, *, deadline: Instant) -> Received | None:
        self._check_open()
        while True:
            left = deadline - time.monotonic_ns()
            try:
                message = self._bus.recv(max(0, left) / SECOND)
            except Exception as error:
                if isinstance(self._bus, UdpMulticastBus) and _errno(error) is None:
                    self.ignored.malformed += 1
                    continue
                raise self._failure("receive", error) from error
            if message is None:
                # python-can measures its timeout by the wall clock and may be early.
                if time.monotonic_ns() >= deadline:
                    return None
            elif (frame := self._frame(message)) is not None:
                return Received(frame, self._stamp(message))

    def poll_event(self) -> LinkEvent | None:
        return self._events.popleft() if self._events else None

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            self._bus.shutdown()
        except Exception as error:
            raise self._failure("close", error) from error

    def _frame(self, message: can.Message) -> CanFrame | None:
        if message.is_error_frame:
            self.ignored.error_frames += 1
            self._events.append(event_of(message, self._stamp(message)))
        elif message.is_fd:
            self.ignored.fd_frames += 1
        elif message.is_remote_frame:
            self.ignored.remote_frames += 1
        elif self._caps.echo or not self._is_own(message):
            frame = CanFrame(message.arbitration_id, bytes(message.data), message.is_extended_id)
            if _is_classic(frame):
                return frame
            self.ignored.malformed += 1
        return None

    def _is_own(self, message: can.Message) -> bool:
        if self._tag is not None:
            return message.channel == self._tag
        # SocketCAN marks all frames of this machine so, those of other programs too.
        return self._local_is_rx and not message.is_rx

    def _stamp(self, message: can.Message) -> Instant:
        """The stamp on the monotonic clock; should the wall clock be set, still between the last and now."""
        now = time.monotonic_ns()
        if self._wall_stamps:
            age = time.time_ns() - round(message.timestamp * SECOND)
            now = max(self._last, now - max(0, age))
        self._last = now
        return now

    def _check_open(self) -> None:
        if self._closed:
            raise LinkClosed(f"{self._caps.name}: this link was closed")

    def _failure(self, what: str, error: Exception) -> LinkError:
        number = _errno(error)
        text = f"{self._caps.name}: {what}: {error}"
        if number is None:
            return LinkError(text)
        if number in _ADVICE:
            text += f"; {_ADVICE[number]}"
        return (LinkClosed if number in _GONE else LinkError)(number, text)


def open_link(rest: str, options: Mapping[str, str]) -> PythonCanLink:
    """Open `INTERFACE:CHANNEL`; options are the interface's own, echo=true for own frames, and two more:

    listen_only=true neither sends nor acknowledges; bitrate=auto listens at the usual rates first.
    """
    link = f"can:{rest}"
    interface, _, channel = rest.partition(":")
    if not channel:
        raise LinkUnavailable(f"{link}: write can:INTERFACE:CHANNEL, as in can:socketcan:can0")
    bus_class = _bus_class(link, interface)
    parameters = {name for cls in bus_class.__mro__[:-1] for name in inspect.signature(cls).parameters}
    known_only(link, options, (parameters - _OURS) | {"echo", "listen_only"})
    if options.get("bitrate") == "auto":
        return open_link(rest, {**options, "bitrate": _found_rate(link, rest, options)})
    if bus_class is SocketcanBus:
        _check_interface(link, channel)
    echo = flag(link, options, "echo")
    arguments: dict[str, Any] = {
        name: cast_from_string(text) for name, text in options.items() if name not in ("echo", "listen_only")
    }
    silent = flag(link, options, "listen_only")
    if silent:
        arguments.update(listen_only.arguments(link, interface, channel))
    if echo and bus_class is not UdpMulticastBus:
        if "receive_own_messages" not in parameters:
            raise LinkUnavailable(f"{link}: this interface does not return own frames: leave echo out")
        arguments["receive_own_messages"] = True
    try:
        bus = can.Bus(channel=channel, interface=interface, ignore_config=True, **arguments)
    except Exception as error:
        given = "".join(f" {name}={text}" for name, text in options.items())
        raise _unavailable(link + given, bus_class, error) from error
    bitrate = arguments.get("bitrate")
    if bus_class is SocketcanBus:
        bitrate = listen_only.socketcan_details(channel).get("bitrate")
    return PythonCanLink(
        bus,
        name=link,
        bitrate=bitrate if isinstance(bitrate, int) else None,
        echo=echo,
        listen_only=silent,
    )


def _found_rate(link: str, rest: str, options: Mapping[str, str]) -> str:
    """The rate at which frames are heard; LinkUnavailable says what was heard at each."""
    others = {name: text for name, text in options.items() if name not in ("bitrate", "listen_only")}
    search = find_bitrate(
        lambda rate: open_link(rest, {**others, "bitrate": str(rate), "listen_only": "true"})
    )
    if search.bitrate is None:
        raise LinkUnavailable(f"{link}: {search}; give the rate, if the bus is known to be silent")
    return str(search.bitrate)


def _bus_class(link: str, interface: str) -> type[can.BusABC]:
    if interface not in BACKENDS:
        raise LinkUnavailable(f"{link}: python-can knows no {interface!r}, but {', '.join(sorted(BACKENDS))}")
    module, name = BACKENDS[interface]
    try:
        return cast("type[can.BusABC]", getattr(importlib.import_module(module), name))
    except Exception as error:
        raise LinkUnavailable(
            f"{link}: {error}; try: pip install 'python-can[{interface}]', and the vendor's own driver"
        ) from error


def _check_interface(link: str, channel: str) -> None:
    """python-can leaks its socket where there is no such interface, so look first."""
    try:
        socket.if_nametoindex(channel)
    except OSError as error:
        raise LinkUnavailable(
            errno.ENODEV,
            f"{link}: no network interface {channel!r}; see ip link; for tests: ip link add vcan0 type vcan",
        ) from error


def _unavailable(link: str, bus_class: type[can.BusABC], error: Exception) -> LinkUnavailable:
    number = _errno(error)
    text = f"{link}: {error}"
    if bus_class is UdpMulticastBus:
        if number in _NO_ROUTE:
            text += f": this machine has no route for multicast; {_ROUTE}"
        elif isinstance(error, can.CanInterfaceNotImplementedError):
            text += "; try: pip install 'python-can[multicast]'"
    elif number == errno.EAFNOSUPPORT:
        text += ": this system has no CAN sockets; try: modprobe can_raw"
    return LinkUnavailable(text) if number is None else LinkUnavailable(number, text)


def _returns_own(bus: can.BusABC) -> bool | None:
    """Whether a bus was opened to return its own frames, None where it does not tell."""
    if isinstance(bus, VirtualBus):
        return bus.receive_own_messages
    if isinstance(bus, SocketcanBus):
        return bool(bus.socket.getsockopt(SOL_CAN_RAW, CAN_RAW_RECV_OWN_MSGS))
    return None


def _is_classic(frame: CanFrame) -> bool:
    try:
        check_frame(frame)
    except (SwapError, TypeError):
        return False
    return True


def _errno(error: BaseException | None) -> int | None:
    """The system's error number, from the error or what caused it."""
    while error is not None:
        for number in (getattr(error, "errno", None), getattr(error, "error_code", None)):
            if isinstance(number, int):
                return number
        error = error.__cause__
    return None
