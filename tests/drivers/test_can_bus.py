"""The python-can driver, on its virtual bus and on multicast where this system has a route."""

import errno
import os
import socket
import time
from collections.abc import Iterator
from itertools import count

import can
import pytest
from can.interfaces.udp_multicast import UdpMulticastBus

from swapproto.errors import LinkClosed, LinkError, LinkUnavailable
from swapproto.frame import MICROSECOND, MILLISECOND, SECOND, CanFrame
from swapproto.link import Link
from swapproto.plugins import open_link
from swapproto_drivers.can_bus import Ignored, PythonCanLink
from swapproto_drivers.contract import LinkContract

GROUP = "239.74.163.2"
_channels = count()
_ports = count(20_000 + os.getpid() % 20_000)


class TestPythonCanVirtual(LinkContract):
    def open_pair(self) -> tuple[Link, Link]:
        url = f"can:virtual:contract-{next(_channels)}"
        return open_link(url), open_link(url)


class TestPythonCanVirtualWithEcho(LinkContract):
    def open_pair(self) -> tuple[Link, Link]:
        url = f"can:virtual:contract-{next(_channels)}?echo=true"
        return open_link(url), open_link(url)


def _multicast(**options: str) -> tuple[Link, Link]:
    url = f"can:udp_multicast:{GROUP}?port={next(_ports)}"
    try:
        first = open_link(url, **options)
    except LinkUnavailable as error:
        pytest.skip(str(error))
    return first, open_link(url, **options)


class TestPythonCanMulticast(LinkContract):
    def open_pair(self) -> tuple[Link, Link]:
        return _multicast()


class TestPythonCanMulticastWithEcho(LinkContract):
    def open_pair(self) -> tuple[Link, Link]:
        return _multicast(echo="true")


def _socketcan(**options: str) -> tuple[Link, Link]:
    try:
        return open_link("can:socketcan:vcan0", **options), open_link("can:socketcan:vcan0", **options)
    except LinkUnavailable as error:
        pytest.skip(str(error))


class TestPythonCanSocketcan(LinkContract):
    def open_pair(self) -> tuple[Link, Link]:
        return _socketcan()


class TestPythonCanSocketcanWithEcho(LinkContract):
    def open_pair(self) -> tuple[Link, Link]:
        return _socketcan(echo="true")


def test_a_socketcan_bus_that_disagrees_on_echo_is_refused() -> None:
    for link in _socketcan():
        link.close()
    for echo in (False, True):
        bus = can.Bus("vcan0", interface="socketcan", ignore_config=True, receive_own_messages=not echo)
        with pytest.raises(LinkUnavailable, match="receive_own_messages"):
            PythonCanLink(bus, echo=echo)
        bus.shutdown()


@pytest.fixture
def wrapped() -> Iterator[tuple[can.BusABC, PythonCanLink]]:
    channel = f"wrapped-{next(_channels)}"
    peer = can.Bus(channel, interface="virtual", ignore_config=True)
    link = PythonCanLink(can.Bus(channel, interface="virtual", ignore_config=True, preserve_timestamps=True))
    yield peer, link
    link.close()
    peer.shutdown()


def test_what_is_no_classic_data_frame_is_counted(wrapped: tuple[can.BusABC, PythonCanLink]) -> None:
    peer, link = wrapped
    for message in (
        can.Message(is_error_frame=True),
        can.Message(arbitration_id=1, is_remote_frame=True, dlc=8),
        can.Message(arbitration_id=2, is_fd=True, data=bytes(12)),
        can.Message(arbitration_id=0x2000_0000),
        can.Message(arbitration_id=3, data=b"good"),
    ):
        peer.send(message)
    received = link.receive(deadline=link.now() - 1)
    assert received is not None
    assert received.frame == CanFrame(3, b"good")
    assert link.receive(deadline=0) is None
    assert link.ignored == Ignored(error_frames=1, remote_frames=1, fd_frames=1, malformed=1)


def test_stamps_are_mapped_to_the_monotonic_clock_and_bounded_by_it() -> None:
    channel = f"stamps-{next(_channels)}"
    peer = can.Bus(channel, interface="virtual", ignore_config=True, preserve_timestamps=True)
    link = open_link(f"can:virtual:{channel}")
    assert (link.caps.stamp_source, link.caps.stamp_resolution) == ("host", MICROSECOND)
    opened = link.now()
    for age in (0.0, 3600.0, -3600.0):
        sent = link.now()
        stamp = time.time() - age
        peer.send(can.Message(arbitration_id=1, timestamp=stamp))
        received = link.receive(deadline=0)
        assert received is not None
        assert received.at <= link.now()
        if age == 0:
            # The float of a wall-clock stamp is good to a microsecond.
            assert sent - MILLISECOND < received.at
            opened = received.at
        elif age > 0:
            assert received.at == opened
    link.close()
    peer.shutdown()


def test_an_early_return_of_python_can_does_not_end_the_wait() -> None:
    class Hasty(can.BusABC):
        def __init__(self) -> None:
            self.calls = 0
            super().__init__("hasty")

        def recv(self, timeout: float | None = None) -> can.Message | None:
            assert timeout is not None
            assert timeout >= 0
            self.calls += 1
            return can.Message(arbitration_id=7) if self.calls == 5 else None

        def send(self, msg: can.Message, timeout: float | None = None) -> None:
            raise can.CanTimeoutError("no room")

    link = PythonCanLink(Hasty())
    received = link.receive(deadline=link.now() + SECOND)
    assert received is not None
    assert received.frame.id == 7
    assert link.caps.stamp_resolution == MILLISECOND
    with pytest.raises(LinkError, match="no room"):
        link.send(CanFrame(1), deadline=link.now())
    link.close()


class Broken(can.BusABC):
    """Fails as told."""

    def __init__(self, error: Exception, failures: int = 1 << 30) -> None:
        self.error = error
        self.failures = failures
        super().__init__("broken")

    def recv(self, timeout: float | None = None) -> can.Message | None:
        raise self.error

    def send(self, msg: can.Message, timeout: float | None = None) -> None:
        if self.failures:
            self.failures -= 1
            raise self.error

    def shutdown(self) -> None:
        was_open = not self._is_shutdown
        super().shutdown()
        if was_open:
            raise self.error


def _close(link: PythonCanLink) -> None:
    with pytest.raises(LinkError, match="close"):
        link.close()


@pytest.mark.parametrize(
    ("error", "becomes", "number"),
    [
        (can.CanOperationError("Failed to receive", errno.ENETDOWN), LinkError, errno.ENETDOWN),
        (can.CanOperationError("Failed to transmit", errno.ENODEV), LinkClosed, errno.ENODEV),
        (OSError(errno.EIO, "I/O error"), LinkError, errno.EIO),
        (TypeError("a vendor's surprise"), LinkError, None),
        (can.CanTimeoutError(), LinkError, None),
    ],
)
def test_no_vendor_exception_escapes(error: Exception, becomes: type[LinkError], number: int | None) -> None:
    link = PythonCanLink(Broken(error), name="can:broken:x")
    with pytest.raises(LinkError, match="can:broken:x") as caught:
        link.send(CanFrame(1), deadline=0)
    assert (type(caught.value), caught.value.errno) == (becomes, number)
    with pytest.raises(LinkError) as caught:
        link.receive(deadline=0)
    assert (type(caught.value), caught.value.errno) == (becomes, number)
    _close(link)
    link.close()
    with pytest.raises(LinkClosed, match="was closed"):
        link.receive(deadline=0)


def test_a_full_queue_is_tried_again_until_the_deadline() -> None:
    full = can.CanOperationError("Failed to transmit", errno.ENOBUFS)
    link = PythonCanLink(Broken(full, failures=3))
    link.send(CanFrame(1), deadline=link.now() + 10 * SECOND)
    _close(link)
    link = PythonCanLink(Broken(full))
    with pytest.raises(LinkError, match="acknowledge"):
        link.send(CanFrame(1), deadline=link.now() + 5 * MILLISECOND)
    _close(link)


@pytest.mark.parametrize("echo", [False, True])
def test_a_bus_that_disagrees_on_echo_is_refused(echo: bool) -> None:
    bus = can.Bus(f"echo-{echo}", interface="virtual", ignore_config=True, receive_own_messages=not echo)
    with pytest.raises(LinkUnavailable, match="receive_own_messages"):
        PythonCanLink(bus, echo=echo)
    bus.shutdown()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("can:can0", "INTERFACE:CHANNEL"),
        ("can:virtual:", "INTERFACE:CHANNEL"),
        ("can:telepathy:x", "knows no 'telepathy', but .*socketcan"),
        ("can:virtual:x?bitrate=250000", "unknown option bitrate.*takes: echo"),
        ("can:virtual:x?receive_own_messages=true", "unknown option"),
        ("can:virtual:x?echo=1", "true or false"),
        ("can:socketcan:can0?bitrate=250000", "unknown option bitrate"),
        ("can:socketcan:no_such_if", "no network interface 'no_such_if'"),
        ("can:udp_multicast:127.0.0.1", "127.0.0.1"),
        (f"can:udp_multicast:{GROUP}?port=many", "many"),
    ],
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_cannot_be_opened_says_why(url: str, says: str) -> None:
    with pytest.raises(LinkUnavailable, match=says):
        open_link(url)


def test_a_system_without_route_is_told_how_to_add_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_route(*_: object) -> None:
        raise OSError(errno.ENODEV, "No such device")

    monkeypatch.setattr(UdpMulticastBus, "__init__", no_route)
    with pytest.raises(LinkUnavailable, match="ip route add 239") as caught:
        open_link(f"can:udp_multicast:{GROUP}")
    assert caught.value.errno == errno.ENODEV


def test_a_route_that_goes_away_is_an_error_of_send() -> None:
    error = can.CanOperationError("failed to send via socket")
    error.__cause__ = OSError(errno.ENETUNREACH, "Network is unreachable")
    link = PythonCanLink(Broken(error))
    with pytest.raises(LinkError, match="ip route add 239") as caught:
        link.send(CanFrame(1), deadline=0)
    assert caught.value.errno == errno.ENETUNREACH
    _close(link)


def test_datagrams_that_are_no_frames_are_counted() -> None:
    first, second = _multicast()
    assert isinstance(first, PythonCanLink)
    assert isinstance(second, PythonCanLink)
    port = next(_ports) - 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for datagram in (b"", b"\xc1", b"hello", bytes(5000)):
            stranger.sendto(datagram, (GROUP, port))
    first.send(CanFrame(5, b"frame"), deadline=first.now() + SECOND)
    received = second.receive(deadline=second.now() + SECOND)
    assert received is not None
    assert received.frame == CanFrame(5, b"frame")
    assert second.ignored.malformed == 4
    first.close()
    second.close()


def test_the_interface_of_socketcan_is_looked_up_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "if_nametoindex", lambda _: 7)

    def no_family(*_: object, **__: object) -> None:
        raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")

    monkeypatch.setattr(can, "Bus", no_family)
    with pytest.raises(LinkUnavailable, match="modprobe can_raw"):
        open_link("can:socketcan:can0")
