"""The driver contract on the kernel's own interfaces, and interfaces that go away."""

import subprocess
from collections.abc import Iterator
from contextlib import closing

import pytest

from swapproto.errors import LinkClosed, LinkError
from swapproto.frame import SECOND, CanFrame
from swapproto.link import Link, LinkEventKind
from swapproto_drivers import can_bus, slcan
from swapproto_drivers.contract import LinkContract
from swapproto_drivers.reconnect import ReconnectingLink

pytestmark = pytest.mark.lab

FRAME = CanFrame(0x18FF50E5, b"frame")


def open_socket(interface: str, **options: str) -> Link:
    return can_bus.open_link(f"socketcan:{interface}", options)


class TestVcan(LinkContract):
    def open_pair(self) -> tuple[Link, Link]:
        return open_socket("vcan0"), open_socket("vcan0")


class TestVcanWithEcho(LinkContract):
    def open_pair(self) -> tuple[Link, Link]:
        return open_socket("vcan0", echo="true"), open_socket("vcan0", echo="true")


class TestControllers(LinkContract):
    def open_pair(self) -> tuple[Link, Link]:
        return open_socket("can0"), open_socket("can1")


class TestSerialAdapter(LinkContract):
    @pytest.fixture(autouse=True)
    def _line(self, serial_line: tuple[str, str]) -> None:
        self.path, self.interface = serial_line

    def open_pair(self) -> tuple[Link, Link]:
        ours = slcan.open_link(self.path, {"bitrate": "250000", "answers": "false"})
        return ours, open_socket(self.interface)


def ip(command: str) -> None:
    subprocess.run(["ip", "link", *command.split()], check=True)


@pytest.fixture
def adapter() -> Iterator[str]:
    """An interface that can be taken away."""
    ip("add vcan9 type vcan")
    ip("set vcan9 up")
    yield "vcan9"
    subprocess.run(["ip", "link", "del", "vcan9"], check=False, stderr=subprocess.DEVNULL)


def test_an_interface_that_is_down_is_an_error(adapter: str) -> None:
    with closing(open_socket(adapter)) as link:
        ip("set vcan9 down")
        with pytest.raises(LinkError, match="ip link set"):
            link.receive(deadline=link.now() + SECOND)
        with pytest.raises(LinkError, match="ip link set"):
            link.send(FRAME, deadline=link.now() + SECOND)


def test_an_interface_that_is_gone_closes_the_link(adapter: str) -> None:
    with closing(open_socket(adapter)) as link:
        ip("del vcan9")
        with pytest.raises(LinkClosed, match="the device is gone"):
            link.receive(deadline=link.now() + SECOND)
        with pytest.raises(LinkClosed, match="No such device"):
            link.send(FRAME, deadline=link.now() + SECOND)


def test_an_interface_that_comes_back_is_opened_again(adapter: str) -> None:
    with closing(ReconnectingLink(lambda: open_socket(adapter))) as link:
        ip("del vcan9")
        assert link.receive(deadline=link.now() + 3 * SECOND) is None
        link.send(FRAME, deadline=link.now() + SECOND)
        ip("add vcan9 type vcan")
        ip("set vcan9 up")
        assert link.receive(deadline=link.now() + 6 * SECOND) is None
        with closing(open_socket(adapter)) as other:
            other.send(FRAME, deadline=other.now() + SECOND)
            received = link.receive(deadline=link.now() + SECOND)
        assert received is not None
        assert received.frame == FRAME
        kinds: list[LinkEventKind] = []
        while (event := link.poll_event()) is not None:
            kinds.append(event.kind)
        assert kinds == [LinkEventKind.CLOSED, LinkEventKind.DROPPED, LinkEventKind.REOPENED]
