"""cannelloni over TCP: codec, hello, and connections that are of no use."""

import socket
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swapproto.errors import LinkClosed, LinkUnavailable
from swapproto.frame import SECOND, CanFrame
from swapproto.link import Link, LinkEvent, LinkEventKind
from swapproto_drivers._streams import StreamLink
from swapproto_drivers.cannelloni import HELLO, IDLE, Cannelloni, open_link
from swapproto_drivers.contract import LinkContract

FRAME = CanFrame(0x1801F456, b"\x01\x02")
UNIT = bytes.fromhex("9801F456 02 0102")
HERE = "127.0.0.1"


class TestCannelloni(LinkContract):
    def open_pair(self) -> tuple[Link, Link]:
        server = open_link(f"listen:{HERE}:0", {})
        return server, open_link(f"{HERE}:{server.local_port}", {})


def _greeted() -> Cannelloni:
    codec = Cannelloni()
    codec.begin(0)
    assert codec.feed(HELLO, 0) == []
    return codec


def _events(source: Cannelloni | StreamLink) -> list[LinkEvent]:
    events: list[LinkEvent] = []
    while (event := source.poll_event()) is not None:
        events.append(event)
    return events


@pytest.mark.parametrize(
    ("frame", "unit"),
    [
        (FRAME, "9801F456 02 0102"),
        (CanFrame(0x7FF, b"", extended=False), "000007FF 00"),
        (CanFrame(0x123, bytes(8), extended=False, remote=True), "40000123 08"),
        (CanFrame(1, bytes(3), remote=True), "C0000001 03"),
    ],
)
def test_units_byte_by_byte(frame: CanFrame, unit: str) -> None:
    codec = _greeted()
    assert codec.encode(frame) == bytes.fromhex(unit)
    assert codec.feed(bytes.fromhex(unit), 0) == [frame]


@given(
    st.lists(
        st.builds(
            lambda extended, raw, data: CanFrame(raw if extended else raw & 0x7FF, data, extended),
            st.booleans(),
            st.integers(0, 0x1FFF_FFFF),
            st.binary(max_size=8),
        ),
        max_size=20,
    ),
    st.integers(1, 30),
)
def test_a_stream_in_any_pieces(frames: list[CanFrame], piece: int) -> None:
    codec = Cannelloni()
    codec.begin(0)
    stream = HELLO + b"".join(map(codec.encode, frames))
    pieces = (stream[at : at + piece] for at in range(0, len(stream), piece))
    assert [frame for part in pieces for frame in codec.feed(part, 0)] == frames
    assert codec.broken is None


@given(st.binary(max_size=300))
def test_no_bytes_raise_and_memory_is_bounded(noise: bytes) -> None:
    codec = _greeted()
    for at in range(0, len(noise), 7):
        codec.feed(noise[at : at + 7], 0)
        if codec.broken is not None:
            codec.begin(1)
            break
        assert len(codec._buffer) <= 70


def test_fd_and_error_frames_are_told_and_left_out() -> None:
    codec = _greeted()
    fd = bytes.fromhex("80000005 8C 01") + bytes(12)
    error = bytes.fromhex("20000004 08 0010000000000000")
    assert codec.feed(fd + error + UNIT, 3) == [FRAME]
    told = _events(codec)
    assert [event.kind for event in told] == [LinkEventKind.DROPPED, LinkEventKind.ERROR_FRAME]
    assert "00000004#0010000000000000" in told[1].text


@pytest.mark.parametrize("unit", ["00000800 00", "80000001 09", "80000001 FF 00"])
def test_an_impossible_unit_ends_the_connection(unit: str) -> None:
    codec = _greeted()
    assert codec.feed(UNIT + bytes.fromhex(unit), 0) == [FRAME]
    assert codec.broken is not None
    codec.begin(1)
    assert codec.broken is None
    assert codec.dropped == len(bytes.fromhex(unit))
    assert [event.kind for event in _events(codec)] == [LinkEventKind.DROPPED]


def test_what_does_not_come_is_not_waited_for() -> None:
    codec = Cannelloni()
    assert codec.next_timeout() is None
    codec.begin(10)
    codec.handle_timeout(9 + IDLE)
    assert codec.broken is None
    codec.handle_timeout(10 + IDLE)
    assert codec.broken == "CANNELLONIv1 did not come"
    codec = _greeted()
    assert codec.next_timeout() is None
    codec.feed(UNIT[:3], 20)
    assert codec.next_timeout() == 20 + IDLE
    codec.handle_timeout(20 + IDLE)
    assert codec.broken == "the rest of a unit did not come"


def test_both_sides_say_hello_first() -> None:
    link = open_link(f"listen:{HERE}:0", {})
    assert link.local_port is not None
    assert link.caps.batched
    with closing(link), socket.create_connection((HERE, link.local_port), 5) as peer:
        link.receive(deadline=link.now() + SECOND // 100)
        assert peer.recv(100) == HELLO
        peer.sendall(HELLO + UNIT)
        received = link.receive(deadline=link.now() + SECOND)
        assert received is not None
        assert received.frame == FRAME
        link.send(FRAME, deadline=link.now() + SECOND)
        assert peer.recv(100) == UNIT


def test_a_peer_that_speaks_something_else_is_left_and_the_next_is_heard() -> None:
    link = open_link(f"listen:{HERE}:0", {})
    assert link.local_port is not None
    with closing(link):
        with socket.create_connection((HERE, link.local_port), 5) as stranger:
            stranger.sendall(b"GET / HTTP/1.1\r\n")
            assert link.receive(deadline=link.now() + SECOND // 10) is None
        dropped, closed = _events(link)
        assert (dropped.kind, dropped.count) == (LinkEventKind.DROPPED, 16)
        assert closed.kind is LinkEventKind.CLOSED
        assert "did not begin with CANNELLONIv1" in closed.text
        with socket.create_connection((HERE, link.local_port), 5) as peer:
            peer.sendall(HELLO + UNIT)
            received = link.receive(deadline=link.now() + SECOND)
            assert received is not None
            assert received.frame == FRAME


def test_a_peer_that_never_says_hello_is_left() -> None:
    link = open_link(f"listen:{HERE}:0", {"idle": "0.01", "reconnect": "false"})
    assert link.local_port is not None
    told = pytest.raises(LinkClosed, match="CANNELLONIv1 did not come")
    with closing(link), socket.create_connection((HERE, link.local_port), 5), told:
        link.receive(deadline=link.now() + 5 * SECOND)


@pytest.mark.parametrize(
    ("rest", "options", "says"),
    [
        ("192.168.0.20", {}, "write cannelloni:HOST:PORT"),
        ("listen:20000", {}, "write cannelloni:listen:HOST:PORT"),
        ("127.0.0.1:1", {}, "nothing listens there"),
        ("listen:127.0.0.1:0", {"within": "1"}, "unknown option within"),
        ("127.0.0.1:1", {"within": "1e9"}, "above 0"),
    ],
)
def test_what_cannot_be_opened_says_why(rest: str, options: dict[str, str], says: str) -> None:
    with pytest.raises(LinkUnavailable, match=says):
        open_link(rest, options)
