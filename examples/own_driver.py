"""A driver of one's own in thirty lines or so: a datagram holds SocketCAN's identifier and the data.

    python own_driver.py          # runs the contract test on it; pytest own_driver.py does so too

With this in the pyproject.toml of the package that holds it, every command takes mine:9001:9002 as a link:

    [project.entry-points."swapproto.drivers"]
    mine = "own_driver:open_link"

And what comes by it can be seen on vcan:

    modprobe vcan
    ip link add vcan0 type vcan && ip link set vcan0 up
    python bridge_converter.py mine:9001:9002 can:socketcan:vcan0

A datagram to a port that nobody has is lost, as a frame is on a bus where nobody listens.
"""

import socket
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress

from swapproto.errors import LinkClosed, LinkError, LinkUnavailable, LocalProtocolError
from swapproto.frame import MAX_EXTENDED_ID, SECOND, CanFrame, Instant, Received, check_frame
from swapproto.link import MAX_LINK_EVENTS, Link, LinkCaps, LinkEvent, LinkEventKind
from swapproto_drivers.contract import LinkContract

EXTENDED = 1 << 31


class DatagramLink:
    """A link over a connected datagram socket, which close() closes."""

    def __init__(self, port: socket.socket, name: str) -> None:
        self.caps = LinkCaps(name=name)
        self._port = port
        self._events: deque[LinkEvent] = deque(maxlen=MAX_LINK_EVENTS)

    def now(self) -> Instant:
        return time.monotonic_ns()

    def send(self, frame: CanFrame, *, deadline: Instant) -> None:
        check_frame(frame)
        datagram = (frame.id | frame.extended * EXTENDED).to_bytes(4) + frame.data
        try:
            self._port.settimeout(max(0, deadline - self.now()) / SECOND)
            with suppress(ConnectionRefusedError):
                self._port.send(datagram)
        except OSError as error:
            raise self._failure(error) from error

    def receive(self, *, deadline: Instant) -> Received | None:
        while True:
            left = deadline - self.now()
            try:
                self._port.settimeout(max(0, left) / SECOND)
                return Received(_frame(self._port.recv(64)), self.now())
            except LocalProtocolError as error:
                self._events.append(LinkEvent(LinkEventKind.DROPPED, self.now(), str(error)))
            except (TimeoutError, BlockingIOError, ConnectionRefusedError):
                if left <= 0:
                    return None
            except OSError as error:
                raise self._failure(error) from error

    def poll_event(self) -> LinkEvent | None:
        return self._events.popleft() if self._events else None

    def close(self) -> None:
        self._port.close()

    def _failure(self, error: OSError) -> LinkError:
        closed = self._port.fileno() < 0
        return (LinkClosed if closed else LinkError)(f"{self.caps.name}: {error}")


def _frame(datagram: bytes) -> CanFrame:
    word = int.from_bytes(datagram[:4])
    frame = CanFrame(word & MAX_EXTENDED_ID, datagram[4:], bool(word & EXTENDED))
    check_frame(frame)
    return frame


def open_link(rest: str, options: Mapping[str, str]) -> DatagramLink:
    """Open `LOCAL:PEER`, two UDP ports of this machine."""
    local, _, peer = rest.partition(":")
    if options or not (local.isdecimal() and peer.isdecimal()):
        raise LinkUnavailable(f"mine:{rest}: write mine:LOCAL:PEER, two ports, and no options")
    port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        port.bind(("127.0.0.1", int(local)))
        port.connect(("127.0.0.1", int(peer)))
    except (OSError, OverflowError) as error:
        port.close()
        raise LinkUnavailable(f"mine:{rest}: {error}; has another program the port?") from error
    return DatagramLink(port, f"mine:{rest}")


class TestDatagramLink(LinkContract):
    """What every driver must do; `swapproto_drivers.contract` has the tests."""

    def open_pair(self) -> tuple[Link, Link]:
        a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        return DatagramLink(a, "mine:a"), DatagramLink(b, "mine:b")


if __name__ == "__main__":
    for name in dir(TestDatagramLink):
        if name.startswith("test_"):
            getattr(TestDatagramLink(), name)()
            print("passed:", name.removeprefix("test_").replace("_", " "))
