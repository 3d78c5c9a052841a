"""Lines of ID#DATA: codec, streams in bounded memory, datagrams."""

import socket
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swapproto.errors import LinkUnavailable
from swapproto.frame import SECOND, CanFrame
from swapproto.link import Link, LinkEvent, LinkEventKind
from swapproto_drivers._sockets import DatagramLink
from swapproto_drivers.contract import LinkContract
from swapproto_drivers.lines import IDLE, MAX_LINE, Lines, LineSplitter, printable, read_line, write_line
from swapproto_drivers.lines_udp import open_link

HERE = "127.0.0.1"
FRAME = CanFrame(0x1801F456, b"\x01\x02")


def _pair() -> tuple[DatagramLink, DatagramLink]:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        probe.bind((HERE, 0))
        port = probe.getsockname()[1]
        first = open_link(f"{HERE}:{port}", {})
    return first, open_link(f"{HERE}:{first.local_port}", {"local": str(port)})


class TestUdpLines(LinkContract):
    def open_pair(self) -> tuple[Link, Link]:
        return _pair()


@st.composite
def _frames(draw: st.DrawFn) -> CanFrame:
    extended, remote = draw(st.booleans()), draw(st.booleans())
    can_id = draw(st.integers(0, 0x1FFF_FFFF if extended else 0x7FF))
    data = bytes(draw(st.integers(0, 8))) if remote else draw(st.binary(max_size=8))
    return CanFrame(can_id, data, extended, remote)


def _events(source: Lines | Link) -> list[LinkEvent]:
    events: list[LinkEvent] = []
    while (event := source.poll_event()) is not None:
        events.append(event)
    return events


@pytest.mark.parametrize(
    ("line", "frame"),
    [
        (b"1801F456#0102", FRAME),
        (b"  1801f456#0102 \r\n", FRAME),
        (b"123#", CanFrame(0x123, extended=False)),
        (b"00000123#", CanFrame(0x123)),
        (b"7FF#R", CanFrame(0x7FF, extended=False, remote=True)),
        (b"1FFFFFFF#R8", CanFrame(0x1FFFFFFF, bytes(8), remote=True)),
        (b"800#00", None),
        (b"20000000#00", None),
        (b"123#0", None),
        (b"123#000102030405060708", None),
        (b"123##0AABB", None),
        (b"123#R9", None),
        (b"1234#00", None),
        (b"0123#00", None),
        (b"123#00 behind", None),
        (b"123 00", None),
        (b"\xff\xfe", None),
        (b"", None),
    ],
)
def test_lines(line: bytes, frame: CanFrame | None) -> None:
    assert read_line(line) == frame


@given(_frames())
def test_every_frame_survives(frame: CanFrame) -> None:
    assert read_line(write_line(frame)) == frame


@given(st.lists(_frames(), max_size=20), st.binary(max_size=600), st.integers(1, 50))
def test_behind_any_bytes_the_next_line_is_read(frames: list[CanFrame], noise: bytes, piece: int) -> None:
    lines = Lines()
    stream = noise + b"\n" + b"".join(map(lines.encode, frames))
    found: list[CanFrame] = []
    for at in range(0, len(stream), piece):
        found += lines.feed(stream[at : at + piece], 0)
        assert lines._splitter.pending <= MAX_LINE
    assert found[len(found) - len(frames) :] == frames
    assert lines.feed(b"", 0) == []


def test_rubbish_is_counted_and_told_once_a_read() -> None:
    lines = Lines()
    assert lines.feed(b"hello\n\n1801F456#0102\nboot \x1b[2J\n", 4) == [FRAME]
    assert lines.feed(b"x" * 10 * MAX_LINE, 5) == []
    assert lines.feed(b"x" * 10 * MAX_LINE + b"\n1801F456#0102\n", 6) == [FRAME]
    first, long = _events(lines)
    assert (first.kind, first.at, first.count) == (LinkEventKind.DROPPED, 4, 2)
    assert first.text == "line 'hello' is no ID#DATA"
    assert "longer than" in long.text
    assert lines.dropped == 3


def test_half_a_line_does_not_wait_for_ever() -> None:
    lines = Lines()
    assert lines.next_timeout() is None
    lines.feed(b"1801F4", 7)
    assert lines.next_timeout() == 7 + IDLE
    assert lines.handle_timeout(6 + IDLE) == []
    assert lines.dropped == 0
    lines.handle_timeout(7 + IDLE)
    assert (lines.dropped, lines.next_timeout()) == (1, None)
    assert lines.feed(b"1801F456#0102\n", 9 + IDLE) == [FRAME]


def test_a_line_of_any_length_comes_out_once_and_cut() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b"a" * 5000) == [b"a" * (MAX_LINE + 1)]
    assert splitter.feed(b"a" * 5000) == []
    assert splitter.feed(b"\nnext\nrest") == [b"next"]
    assert splitter.flush() == b"rest"


def test_text_for_people_is_harmless() -> None:
    assert printable("电池\n".encode()) == "电池"
    assert printable(b"\x1b[31mred\x07 \xff") == "\\x1b[31mred\\x07 \\xff"


def test_one_or_several_lines_a_datagram() -> None:
    first, second = _pair()
    with closing(first), closing(second):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
            device.sendto(b"1801F456#0102\nboot\n123#R2", (HERE, second.local_port))
        frames = [second.receive(deadline=second.now() + SECOND) for _ in range(2)]
        assert [one and one.frame for one in frames] == [FRAME, CanFrame(0x123, bytes(2), False, True)]
        (event,) = _events(second)
        assert event.text == "line 'boot' is no ID#DATA"
        assert not second.caps.batched


@pytest.mark.parametrize(
    ("rest", "options", "says"),
    [
        ("9000", {}, "write udp:HOST:PORT"),
        ("127.0.0.1:9000", {"local": "-1"}, "no port"),
        ("127.0.0.1:9000", {"bind": "1"}, "takes: local"),
    ],
)
def test_what_cannot_be_opened_says_why(rest: str, options: dict[str, str], says: str) -> None:
    with pytest.raises(LinkUnavailable, match=says):
        open_link(rest, options)
