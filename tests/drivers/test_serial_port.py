"""Serial ports: loop://, a pseudo-terminal, sockets; and what unplugging and its end look like."""

import os
import tty
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise

import pytest

from swapproto.errors import LinkClosed, LinkError, LinkUnavailable
from swapproto.frame import MILLISECOND, SECOND
from swapproto.link import LinkEventKind
from swapproto_drivers.byte_port import FIRST_RETRY, LAST_RETRY, BytePort, DevicePort, ListeningPort
from swapproto_drivers.serial_port import open_port, open_serial


@pytest.fixture
def terminal() -> Iterator[tuple[int, str]]:
    master, slave = os.openpty()
    tty.setraw(slave)
    yield master, os.ttyname(slave)
    for each in (master, slave):
        try:
            os.close(each)
        except OSError:
            # The test pulled it out.
            pass


def _soon(port: BytePort) -> int:
    return port.now() + 2 * SECOND


def test_a_loop_returns_what_is_written() -> None:
    with closing(open_port("loop://?baud=1000000")) as port:
        port.write(b"abc", deadline=_soon(port))
        assert port.read(deadline=_soon(port)) == b"abc"
        deadline = port.now() + 5 * MILLISECOND
        assert port.read(deadline=deadline) == b""
        assert port.now() >= deadline
        assert port.read(deadline=0) == b""


def test_a_terminal_carries_bytes_both_ways(terminal: tuple[int, str]) -> None:
    master, path = terminal
    with closing(open_port(f"serial:{path}?baud=9600&parity=even&stopbits=2&bytesize=7")) as port:
        os.write(master, b"ping")
        assert port.read(deadline=_soon(port)) == b"ping"
        port.write(b"pong", deadline=_soon(port))
        assert os.read(master, 10) == b"pong"
        deadline = port.now() + 5 * MILLISECOND
        assert port.read(deadline=deadline) == b""
        assert port.now() >= deadline


def test_a_line_that_takes_nothing_is_given_up_at_the_deadline(terminal: tuple[int, str]) -> None:
    with (
        closing(open_port(f"serial:{terminal[1]}")) as port,
        pytest.raises(LinkError, match="not taken by the deadline"),
    ):
        port.write(bytes(1 << 20), deadline=port.now() + 10 * MILLISECOND)


def test_two_programs_cannot_have_one_port(terminal: tuple[int, str]) -> None:
    with (
        closing(open_port(f"serial:{terminal[1]}")),
        pytest.raises(LinkUnavailable, match="another program"),
    ):
        open_port(f"serial:{terminal[1]}")


def test_rs485_is_refused_where_it_cannot_be_switched(terminal: tuple[int, str]) -> None:
    with pytest.raises(LinkUnavailable, match="leave rs485 out"):
        open_port(f"serial:{terminal[1]}?rs485=1")
    open_port(f"serial:{terminal[1]}", rs485=False).close()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("tty:x", "is no port"),
        ("COM3", "is no port"),
        ("serial:/no/such", "no such device"),
        ("serial:/no/such?baud=quick", "whole number"),
        ("serial:/no/such?baud=-1", "-1"),
        ("serial:/no/such?parity=E", "one of none, even"),
        ("serial:/no/such?bytesize=11", "11"),
        ("serial:/no/such?stopbits=3", "3"),
        ("serial:/no/such?rs485=2", "true or false"),
        ("serial:/no/such?speed=9600", "unknown option speed; .*takes: baud"),
        ("serial:/no/such?", "name=value"),
        ("serial:/no/such?baud=9600&baud=9600", "twice"),
        ("socket://127.0.0.1:1", "nobody listens"),
        ("rfc2217://127.0.0.1:1", "nobody listens"),
        ("listen://127.0.0.1", "HOST:PORT"),
        ("listen://127.0.0.1:99999", "99999|range"),
        ("listen://127.0.0.1:0?baud=9600", "unknown option"),
    ],
)
def test_what_cannot_be_opened_says_why(url: str, says: str) -> None:
    with pytest.raises(LinkUnavailable, match=says):
        open_port(url)


def test_close_is_idempotent_and_final(terminal: tuple[int, str]) -> None:
    for port in (open_port(f"serial:{terminal[1]}"), open_port("listen://127.0.0.1:0")):
        port.close()
        port.close()
        with pytest.raises(LinkClosed, match="was closed"):
            port.read(deadline=0)
        with pytest.raises(LinkClosed, match="was closed"):
            port.write(b"x", deadline=0)


def test_an_unplugged_terminal_is_gone(terminal: tuple[int, str]) -> None:
    master, path = terminal
    with closing(open_port(f"serial:{path}")) as port:
        os.close(master)
        with pytest.raises(LinkClosed, match="connect"):
            port.read(deadline=_soon(port))
        event = port.poll_event()
        assert event is not None
        assert event.kind is LinkEventKind.CLOSED
        with pytest.raises(LinkClosed, match="gone"):
            port.write(b"x", deadline=_soon(port))


class Line:
    """A device that can be pulled out, in a time that the test turns."""

    def __init__(self) -> None:
        self.time = SECOND
        self.plugged = True
        self.tries: list[int] = []
        self.incoming = b""
        self.written = b""

    def open(self) -> "Line":
        self.tries.append(self.time)
        if not self.plugged:
            raise LinkUnavailable("not there")
        return self

    def read(self, size: int, /) -> bytes:
        self._check()
        data, self.incoming = self.incoming[:size], self.incoming[size:]
        return data

    def write(self, data: bytes, /) -> int:
        self._check()
        self.written += data[:3]
        return min(3, len(data))

    def fileno(self) -> int:
        raise OSError("none")

    def close(self) -> None:
        self._check()

    def _check(self) -> None:
        if not self.plugged:
            raise OSError("pulled out")

    def port(self, *, reconnect: bool = True) -> DevicePort:
        return DevicePort("line", self.open, reconnect=reconnect, clock=lambda: self.time)


def test_a_device_that_takes_little_at_a_time_gets_all() -> None:
    line = Line()
    line.port().write(b"0123456789", deadline=line.time)
    assert line.written == b"0123456789"


def test_a_lost_device_is_looked_for_ever_more_seldom_and_found() -> None:
    line = Line()
    port = line.port()
    line.plugged = False
    assert port.read(deadline=0) == b""
    with pytest.raises(LinkError, match="away"):
        port.write(b"x", deadline=0)
    for _ in range(30_000):
        line.time += MILLISECOND
        assert port.read(deadline=0) == b""
    waits = [b - a for a, b in zip([SECOND, *line.tries[1:]], line.tries[1:], strict=False)]
    assert waits[0] == FIRST_RETRY
    assert all(b in (2 * a, LAST_RETRY) for a, b in pairwise(waits))
    assert waits[-1] == LAST_RETRY
    line.plugged, line.incoming = True, b"again"
    line.time += LAST_RETRY
    assert port.read(deadline=0) == b"again"
    events = [port.poll_event() for _ in range(3)]
    assert [event and event.kind for event in events] == [
        LinkEventKind.CLOSED,
        LinkEventKind.REOPENED,
        None,
    ]
    line.plugged = False
    with pytest.raises(LinkError, match="pulled out"):
        port.write(b"x", deadline=line.time)
    line.plugged = True
    line.time += FIRST_RETRY
    port.write(b"y", deadline=line.time)
    assert line.written == b"y"


def test_without_reconnect_it_stays_lost() -> None:
    line = Line()
    port = line.port(reconnect=False)
    line.plugged = False
    with pytest.raises(LinkClosed):
        port.read(deadline=0)
    line.plugged = True
    line.time += LAST_RETRY
    with pytest.raises(LinkClosed):
        port.read(deadline=0)
    assert len(line.tries) == 1


def _call(server: ListeningPort) -> DevicePort:
    return open_serial(f"socket://127.0.0.1:{server.port}", {})


def test_one_end_calls_and_the_other_listens() -> None:
    server = open_port("listen://127.0.0.1:0")
    assert isinstance(server, ListeningPort)
    with closing(server), pytest.raises(LinkError, match="nobody"):
        server.write(b"x", deadline=_soon(server))
    server = ListeningPort("127.0.0.1", 0)
    for n in range(2):
        caller = _call(server)
        caller.write(b"hello %d" % n, deadline=_soon(caller))
        assert server.read(deadline=_soon(server)) == b"hello %d" % n
        server.write(b"welcome", deadline=_soon(server))
        assert caller.read(deadline=_soon(caller)) == b"welcome"
        caller.close()
        assert server.read(deadline=server.now() + 5 * MILLISECOND) == b""
    kinds = [event.kind for _ in range(4) if (event := server.poll_event()) is not None]
    assert kinds == [LinkEventKind.REOPENED, LinkEventKind.CLOSED] * 2
    server.close()


def test_a_peer_that_does_not_read_holds_a_server_no_longer_than_the_deadline() -> None:
    server = ListeningPort("127.0.0.1", 0)
    caller = _call(server)
    caller.write(b"x", deadline=_soon(caller))
    assert server.read(deadline=_soon(server)) == b"x"
    with pytest.raises(LinkError, match="deadline"):
        server.write(bytes(1 << 24), deadline=server.now() + 20 * MILLISECOND)
    caller.close()
    with pytest.raises(LinkError):
        server.write(bytes(1 << 24), deadline=_soon(server))
    server.close()


def test_a_listener_that_is_taken_says_so() -> None:
    with closing(ListeningPort("127.0.0.1", 0)) as server, pytest.raises(LinkUnavailable, match="taken"):
        ListeningPort("127.0.0.1", server.port)
