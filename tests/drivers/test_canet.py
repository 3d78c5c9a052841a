"""Converters with 13-byte units over TCP, from either side, and over UDP."""

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from swapproto.errors import LinkClosed, LinkError, LinkUnavailable
from swapproto.frame import MILLISECOND, SECOND, CanFrame
from swapproto.link import Link, LinkEvent, LinkEventKind
from swapproto_drivers import _sockets
from swapproto_drivers._framed import wait
from swapproto_drivers._sockets import DatagramLink
from swapproto_drivers._streams import StreamLink
from swapproto_drivers.canet import open_link
from swapproto_drivers.canet_units import UNIT, pack_unit
from swapproto_drivers.contract import LinkContract

FRAME = CanFrame(0x1801F456, b"\x01\x02")
BACK = CanFrame(0x180256F4, b"\x03")
HERE = "127.0.0.1"


def _stream(url: str, **options: str) -> StreamLink:
    link = open_link(url, options)
    assert isinstance(link, StreamLink)
    return link


def _udp_pair() -> tuple[DatagramLink, DatagramLink]:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        probe.bind((HERE, 0))
        port = probe.getsockname()[1]
        first = open_link(f"udp:{HERE}:{port}", {})
        assert isinstance(first, DatagramLink)
    second = open_link(f"udp:{HERE}:{first.local_port}", {"local": str(port)})
    assert isinstance(second, DatagramLink)
    return first, second


def _tcp_pair() -> tuple[StreamLink, StreamLink]:
    server = _stream(f"listen:{HERE}:0")
    return server, _stream(f"tcp:{HERE}:{server.local_port}")


class TestTcp(LinkContract):
    def open_pair(self) -> tuple[Link, Link]:
        return _tcp_pair()


class TestTcpTheOtherWay(LinkContract):
    def open_pair(self) -> tuple[Link, Link]:
        server, client = _tcp_pair()
        return client, server


class TestUdp(LinkContract):
    def open_pair(self) -> tuple[Link, Link]:
        return _udp_pair()


@pytest.fixture
def converter() -> Iterator[socket.socket]:
    """A converter as a TCP server, made by hand."""
    with socket.create_server((HERE, 0)) as server:
        server.settimeout(5)
        yield server


def _dial(converter: socket.socket, **options: str) -> tuple[StreamLink, socket.socket]:
    link = _stream(f"tcp:{HERE}:{converter.getsockname()[1]}", **options)
    return link, _accept(converter)


def _accept(converter: socket.socket) -> socket.socket:
    peer, _ = converter.accept()
    peer.settimeout(5)
    return peer


def _call(link: StreamLink) -> socket.socket:
    assert link.local_port is not None
    return socket.create_connection((HERE, link.local_port), 5)


def _next(link: Link) -> CanFrame | None:
    received = link.receive(deadline=link.now() + 5 * SECOND)
    return None if received is None else received.frame


def _poll(link: Link) -> None:
    assert link.receive(deadline=link.now() + 20 * MILLISECOND) is None


def _events(link: Link) -> list[LinkEvent]:
    events: list[LinkEvent] = []
    while (event := link.poll_event()) is not None:
        events.append(event)
    return events


def _kinds(link: Link) -> list[LinkEventKind]:
    return [event.kind for event in _events(link)]


def _reset(peer: socket.socket) -> None:
    """Close without a farewell."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    peer.close()


def _fill(link: Link) -> int:
    """Send frames counted from 0 until there is no room, and how many were taken."""
    for sent in range(1 << 20):
        try:
            link.send(CanFrame(sent), deadline=link.now() + 5 * MILLISECOND)
        except LinkError as error:
            assert "no room" in str(error)  # noqa: PT017 - which frame it is cannot be known before
            return sent
    raise AssertionError("there was always room")


def test_what_is_on_the_wire(converter: socket.socket) -> None:
    link, peer = _dial(converter)
    with closing(link), peer:
        link.send(FRAME, deadline=link.now() + SECOND)
        assert peer.recv(100) == bytes.fromhex("821801F456 0102 000000000000")


def test_units_of_one_segment_share_a_stamp_and_no_period_may_be_judged(converter: socket.socket) -> None:
    link, peer = _dial(converter, bitrate="250000")
    with closing(link), peer:
        assert link.caps.batched
        assert link.caps.bitrate == 250_000
        peer.sendall(pack_unit(FRAME) + pack_unit(BACK) + pack_unit(FRAME)[:4])
        first, second = (link.receive(deadline=link.now() + SECOND) for _ in range(2))
        assert first is not None
        assert second is not None
        assert (first.frame, second.frame) == (FRAME, BACK)
        assert first.at == second.at
        peer.sendall(pack_unit(FRAME)[4:])
        assert _next(link) == FRAME


def test_noise_on_the_connection_is_counted_and_left_behind(converter: socket.socket) -> None:
    link, peer = _dial(converter)
    with closing(link), peer:
        sent = [CanFrame(0x18FF50E5 + n, bytes([n] * 8)) for n in range(8)]
        peer.sendall(b"\x30" * 5 + b"".join(map(pack_unit, sent)))
        assert [_next(link) for _ in sent] == sent
        (event,) = _events(link)
        assert (event.kind, event.count) == (LinkEventKind.DROPPED, 5)


def test_half_a_unit_is_given_up_after_the_idle_time(converter: socket.socket) -> None:
    link, peer = _dial(converter, idle="0.01")
    with closing(link), peer:
        peer.sendall(pack_unit(FRAME)[:7])
        while not (events := _events(link)):
            _poll(link)
        assert [(event.kind, event.count) for event in events] == [(LinkEventKind.DROPPED, 7)]
        peer.sendall(pack_unit(BACK))
        assert _next(link) == BACK


@pytest.mark.parametrize("reset", [False, True])
def test_a_client_connects_again_and_tells_the_gap(converter: socket.socket, reset: bool) -> None:
    link, peer = _dial(converter)
    with closing(link):
        peer.sendall(pack_unit(FRAME) + b"\x88")
        assert _next(link) == FRAME
        (_reset if reset else socket.socket.close)(peer)
        while LinkEventKind.CLOSED not in (kinds := _kinds(link)):
            _poll(link)
        assert kinds == [LinkEventKind.DROPPED, LinkEventKind.CLOSED], "half a unit went with its connection"
        for _ in range(3):
            link.send(FRAME, deadline=link.now())
        (event,) = _events(link)
        assert (event.kind, event.count) == (LinkEventKind.DROPPED, 3)
        assert "no peer is connected" in event.text
        while LinkEventKind.REOPENED not in _kinds(link):
            _poll(link)
        with _accept(converter) as again:
            again.sendall(pack_unit(BACK))
            assert _next(link) == BACK
            link.send(FRAME, deadline=link.now() + SECOND)
            assert again.recv(100) == pack_unit(FRAME)


def test_what_the_peer_sent_before_it_went_away_is_read(converter: socket.socket) -> None:
    link, peer = _dial(converter)
    with closing(link):
        peer.sendall(pack_unit(FRAME) * 3)
        _reset(peer)
        while not link.poll_event():
            link.send(BACK, deadline=link.now() + SECOND)
        assert [_next(link) for _ in range(3)] == [FRAME] * 3


def test_attempts_go_on_with_growing_pauses_while_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_sockets, "FIRST_RETRY", MILLISECOND)
    monkeypatch.setattr(_sockets, "LAST_RETRY", 4 * MILLISECOND)
    with socket.create_server((HERE, 0)) as server:
        port = server.getsockname()[1]
        link, peer = _dial(server)
    peer.close()
    with closing(link):
        for _ in range(3):
            _poll(link)
        assert _kinds(link) == [LinkEventKind.CLOSED]
        with socket.create_server((HERE, port)) as server:
            server.settimeout(5)
            while LinkEventKind.REOPENED not in _kinds(link):
                _poll(link)
            with _accept(server) as again:
                again.sendall(pack_unit(FRAME))
                assert _next(link) == FRAME


def test_a_server_takes_the_next_peer() -> None:
    with closing(_stream(f"listen:{HERE}:0")) as link:
        link.send(FRAME, deadline=link.now())
        assert _kinds(link) == [LinkEventKind.DROPPED], "nobody is there yet"
        with _call(link) as peer:
            peer.sendall(pack_unit(FRAME))
            assert _next(link) == FRAME
            assert _events(link) == [], "the first peer is no gap"
        _poll(link)
        assert _kinds(link) == [LinkEventKind.CLOSED]
        with _call(link) as peer:
            peer.sendall(pack_unit(BACK))
            assert _next(link) == BACK
            assert _kinds(link) == [LinkEventKind.REOPENED]


def test_the_newest_peer_replaces_one_that_may_be_gone_without_a_word() -> None:
    with closing(_stream(f"listen:{HERE}:0")) as link, _call(link) as old:
        old.sendall(pack_unit(FRAME))
        assert _next(link) == FRAME
        old.sendall(pack_unit(FRAME))
        with _call(link) as new:
            new.sendall(pack_unit(BACK))
            assert [_next(link), _next(link)] == [FRAME, BACK]
            closed, reopened = _events(link)
            assert "newer" in closed.text
            assert (closed.gap, reopened.gap) == (True, True)
            old.settimeout(5)
            assert old.recv(1) == b""


@pytest.mark.parametrize("listening", [False, True])
def test_without_reconnect_the_link_ends_with_its_peer(converter: socket.socket, listening: bool) -> None:
    if listening:
        link = _stream(f"listen:{HERE}:0", reconnect="false")
        peer = _call(link)
    else:
        link, peer = _dial(converter, reconnect="false")
    with closing(link):
        peer.sendall(pack_unit(FRAME))
        peer.close()
        assert _next(link) == FRAME
        with pytest.raises(LinkClosed, match="closed by the peer"):
            _next(link)
        assert _kinds(link) == [LinkEventKind.CLOSED]
        with pytest.raises(LinkClosed, match="closed by the peer"):
            link.send(FRAME, deadline=link.now())


def test_a_peer_that_does_not_read_is_an_error_at_the_deadline_and_no_unit_is_cut(
    converter: socket.socket,
) -> None:
    converter.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    link, peer = _dial(converter)
    with closing(link), peer:
        sent = _fill(link)
        stream = bytearray()
        while len(stream) < UNIT * sent:
            stream += peer.recv(1 << 16)
            _poll(link) if len(stream) < 1000 else link.receive(deadline=0)
        assert stream == b"".join(pack_unit(CanFrame(n)) for n in range(sent))


def test_while_a_send_waits_what_arrives_is_kept(converter: socket.socket) -> None:
    link, peer = _dial(converter)
    with closing(link), peer:
        peer.sendall(pack_unit(FRAME) * 50)
        _fill(link)
        assert [_next(link) for _ in range(50)] == [FRAME] * 50


def test_datagrams_of_strangers_and_rubbish_are_counted() -> None:
    first, second = _udp_pair()
    with closing(first), closing(second):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.bind(("127.0.0.2", 0))
            stranger.sendto(pack_unit(FRAME), (HERE, second.local_port))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other_port:
            other_port.sendto(pack_unit(BACK) + b"cut", (HERE, second.local_port))
        assert _next(second) == BACK, "a converter may send from any port"
        stranger_told, rubbish = _events(second)
        assert "stranger, 127.0.0.2:" in stranger_told.text
        assert (rubbish.kind, rubbish.count) == (LinkEventKind.DROPPED, 3)
        assert first.receive(deadline=0) is None


def test_udp_to_nowhere_is_dropped_and_told() -> None:
    first, second = _udp_pair()
    second.close()
    with closing(first):
        for _ in range(3):
            first.send(FRAME, deadline=first.now())
        assert first.receive(deadline=first.now() + MILLISECOND) is None
    with closing(open_link("udp:255.255.255.255:9", {})) as forbidden:
        forbidden.send(FRAME, deadline=forbidden.now())
        (event,) = _events(forbidden)
        assert (event.kind, event.count) == (LinkEventKind.DROPPED, 1)


def test_ipv6_in_brackets() -> None:
    try:
        server = _stream("listen:[::1]:0")
    except LinkUnavailable as error:
        pytest.skip(str(error))
    with closing(server), closing(_stream(f"tcp:[::1]:{server.local_port}")) as client:
        client.send(FRAME, deadline=client.now() + SECOND)
        assert _next(server) == FRAME


def test_an_empty_host_listens_at_every_address() -> None:
    with (
        closing(_stream("listen::0")) as server,
        closing(_stream(f"tcp:{HERE}:{server.local_port}")) as client,
    ):
        server.send(FRAME, deadline=server.now() + SECOND)
        assert _next(client) == FRAME


def test_waiting_takes_any_descriptor() -> None:
    assert wait((), (), 0) == (set(), set())
    assert wait((1 << 20,), (), 0)[0] == {1 << 20}, "a closed one is ready: reading tells"


@pytest.mark.parametrize(
    ("rest", "options", "says"),
    [
        ("192.168.0.178:4001", {}, "write canet:tcp:HOST:PORT"),
        ("tcp:192.168.0.178", {}, "write canet:tcp:HOST:PORT"),
        ("tcp::4001", {}, "write canet:tcp:HOST:PORT"),
        ("tcp:host:99999", {}, "write canet:tcp:HOST:PORT"),
        ("tcp:host:+1", {}, "write canet:tcp:HOST:PORT"),
        ("tcp:127.0.0.1:1", {}, "nothing listens there"),
        ("tcp:127.0.0.1:1", {"local": "5"}, "unknown option local"),
        ("udp:127.0.0.1:1", {"idle": "5"}, "unknown option idle"),
        ("udp:127.0.0.1:1", {"local": "70000"}, "no port"),
        ("listen:127.0.0.1:0", {"idle": "0"}, "above 0"),
        ("listen:127.0.0.1:0", {"idle": "nan"}, "above 0"),
        ("listen:127.0.0.1:0", {"padding": "ones"}, "zero or any"),
        ("listen:127.0.0.1:0", {"bitrate": "-1"}, "positive"),
        ("listen:127.0.0.1:0", {"reconnect": "no"}, "true or false"),
        ("listen:198.51.100.1:0", {}, "no such address"),
        ("listen:no.such.host.invalid:0", {}, "is the name right"),
        ("udp:no.such.host.invalid:1", {}, "is the name right"),
    ],
)
def test_what_cannot_be_opened_says_why(rest: str, options: dict[str, str], says: str) -> None:
    with pytest.raises(LinkUnavailable, match=says) as caught:
        open_link(rest, options)
    assert f"canet:{rest}" in str(caught.value)


def test_a_port_in_use_is_told() -> None:
    told = pytest.raises(LinkUnavailable, match="another program has this port")
    with closing(_stream(f"listen:{HERE}:0")) as link, told:
        open_link(f"listen:{HERE}:{link.local_port}", {})
    first, second = _udp_pair()
    with closing(first), closing(second), told:
        open_link(f"udp:{HERE}:9", {"local": str(second.local_port)})
