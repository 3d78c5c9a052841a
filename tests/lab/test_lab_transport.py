"""Our transport against the kernel's: J1939 sockets know nothing of this library."""

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from random import Random

import pytest

from swapproto.frame import MILLISECOND, SECOND, CanFrame, Instant
from swapproto.link import Link
from swapproto.runtime.blocking import drive
from swapproto.transport.events import TpEvent, TransferReceived, TransferSent
from swapproto.transport.frames import MAX_SIZE, data_packets, dt_id, packet_count
from swapproto.transport.tp import Transport
from swapproto_drivers.can_bus import open_link

pytestmark = pytest.mark.lab

OURS, THEIRS, ALL = 0x56, 0xF4, 0xFF
ADDRESSED, BROADCAST = 0x1100, 0xFECA
LIMIT = 30 * SECOND
"""A broadcast of 1785 bytes takes 12.75 s by its gaps alone."""
sizes = pytest.mark.parametrize("size", [9, 49, 252, 1785])


class Ours:
    """A link.Node that keeps what the transport tells."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.events: list[TpEvent] = []
        self.heard: list[CanFrame] = []
        """All frames of the transfer."""
        self.next_timeout = transport.next_timeout

    def receive(self, frame: CanFrame, now: Instant) -> None:
        self.transport.receive(frame, now)
        self._keep()

    def handle_timeout(self, now: Instant) -> None:
        self.transport.handle_timeout(now)
        self._keep()

    def poll_transmit(self) -> CanFrame | None:
        frame = self.transport.poll_transmit()
        self._keep()
        return frame

    def hear(self, frame: CanFrame, _at: Instant, _own: bool) -> None:
        self.heard.append(frame)

    def _keep(self) -> None:
        while (event := self.transport.poll_event()) is not None:
            self.events.append(event)


@pytest.fixture
def link(interfaces: tuple[str, str]) -> Iterator[Link]:
    with closing(open_link(f"socketcan:{interfaces[0]}", {})) as link:
        yield link


@pytest.fixture
def kernel(interfaces: tuple[str, str]) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_CAN, socket.SOCK_DGRAM, socket.CAN_J1939) as kernel:
        kernel.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        kernel.bind((interfaces[1], socket.J1939_NO_NAME, socket.J1939_NO_PGN, THEIRS))
        kernel.settimeout(LIMIT / SECOND)
        yield kernel


@pytest.fixture(params=[1, 255], ids=["one packet a CTS", "255 packets a CTS"])
def ours(request: pytest.FixtureRequest) -> Ours:
    return Ours(Transport(OURS, window=request.param))


def run(node: Ours, link: Link) -> TpEvent:
    """Until the transport has told one thing."""
    drive(node, link, until=lambda _: bool(node.events), limit=link.now() + LIMIT, tap=node.hear)
    (event,) = node.events
    return event


@sizes
def test_from_us_to_the_kernel(ours: Ours, link: Link, kernel: socket.socket, size: int) -> None:
    payload = Random(size).randbytes(size)
    ours.transport.send(ADDRESSED, payload, THEIRS, link.now())
    assert isinstance(run(ours, link), TransferSent)
    data, (_, _, pgn, source) = kernel.recvfrom(2000)
    assert (data, pgn, source) == (payload, ADDRESSED, OURS)


@sizes
def test_from_the_kernel_to_us(
    ours: Ours, link: Link, kernel: socket.socket, interfaces: tuple[str, str], size: int
) -> None:
    payload = Random(size).randbytes(size)
    kernel.sendto(payload, (interfaces[1], socket.J1939_NO_NAME, ADDRESSED, OURS))
    event = run(ours, link)
    assert isinstance(event, TransferReceived)
    assert (event.payload, event.pgn, event.source) == (payload, ADDRESSED, THEIRS)


@sizes
def test_broadcast_from_us(link: Link, kernel: socket.socket, size: int) -> None:
    ours = Ours(Transport(OURS))
    payload = Random(size).randbytes(size)
    ours.transport.send(BROADCAST, payload, ALL, link.now())
    assert isinstance(run(ours, link), TransferSent)
    data, (_, _, pgn, source) = kernel.recvfrom(2000)
    assert (data, pgn, source) == (payload, BROADCAST, OURS)


@sizes
def test_broadcast_from_the_kernel(
    link: Link, kernel: socket.socket, interfaces: tuple[str, str], size: int
) -> None:
    ours = Ours(Transport(OURS))
    payload = Random(size).randbytes(size)
    kernel.sendto(payload, (interfaces[1], socket.J1939_NO_NAME, BROADCAST, socket.J1939_NO_ADDR))
    event = run(ours, link)
    assert isinstance(event, TransferReceived)
    assert (event.payload, event.pgn, event.source) == (payload, BROADCAST, THEIRS)


@pytest.mark.lab(timing=True)
@pytest.mark.parametrize("interfaces", ["can0 can1"], ids=["controllers"], indirect=True)
@pytest.mark.parametrize("sent", [True, False], ids=["to the kernel", "from the kernel"])
def test_the_longest_transfer_takes_its_time_on_the_wire(
    link: Link,
    kernel: socket.socket,
    interfaces: tuple[str, str],
    pace: Callable[..., None],
    bus_time: Callable[[Sequence[CanFrame]], int],
    sent: bool,
) -> None:
    ours = Ours(Transport(OURS))
    payload = Random(1).randbytes(MAX_SIZE)
    can_id = dt_id(THEIRS, OURS) if sent else dt_id(OURS, THEIRS)
    packets = [CanFrame(can_id, data) for data in data_packets(payload)]
    pace(packets, queue=len(packets))
    if sent:
        ours.transport.send(ADDRESSED, payload, THEIRS, link.now())
    else:
        kernel.sendto(payload, (interfaces[1], socket.J1939_NO_NAME, ADDRESSED, OURS))
    event = run(ours, link)
    assert isinstance(event, TransferSent if sent else TransferReceived)
    if sent:
        assert kernel.recv(2000) == payload
    heard = [frame.data for frame in ours.heard if frame.id >> 16 & 0xFF == can_id >> 16 & 0xFF]
    assert heard == [packet.data for packet in packets]
    assert len(ours.heard) == len(packets) + 3
    assert event.finished - event.started == pytest.approx(bus_time(ours.heard), rel=0.02)


@pytest.mark.lab(timing=True)
def test_the_longest_broadcast_takes_its_gaps(
    link: Link, kernel: socket.socket, interfaces: tuple[str, str]
) -> None:
    ours = Ours(Transport(OURS))
    kernel.sendto(bytes(MAX_SIZE), (interfaces[1], socket.J1939_NO_NAME, BROADCAST, socket.J1939_NO_ADDR))
    event = run(ours, link)
    assert isinstance(event, TransferReceived)
    gaps = packet_count(MAX_SIZE) * 50 * MILLISECOND
    assert event.finished - event.started == pytest.approx(gaps, rel=0.02)
