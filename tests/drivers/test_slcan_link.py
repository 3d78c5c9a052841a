"""The SLCAN driver, with adapters that answer like the manual, like others, or not at all."""

from pathlib import Path
from typing import Any

import pytest

from swapproto.errors import LinkClosed, LinkError, LinkUnavailable, LocalProtocolError
from swapproto.frame import MICROSECOND, MILLISECOND, SECOND, CanFrame, Received
from swapproto.link import Link, LinkEvent, LinkEventKind
from swapproto_drivers.contract import LinkContract
from swapproto_drivers.reconnect import ReconnectingLink
from swapproto_drivers.slcan import SlcanLink, StampClock, open_link
from tests.drivers.slcan_adapters import Adapter, AdapterPair, AdapterPort


class _PairContract(LinkContract):
    options = {"bitrate": "250000"}

    def setup_method(self) -> None:
        self.pairs: list[AdapterPair] = []

    def teardown_method(self) -> None:
        for pair in self.pairs:
            pair.close()

    def open_pair(self) -> tuple[Link, Link]:
        self.pairs.append(AdapterPair())
        first, second = self.pairs[-1].paths
        return open_link(first, self.options), open_link(second, self.options)


class TestSlcan(_PairContract):
    pass


class TestSlcanWithTimestamps(_PairContract):
    options = {"bitrate": "500000", "timestamps": "true", "status": "0.005"}


@pytest.fixture
def adapter() -> Adapter:
    return Adapter()


@pytest.fixture
def port(adapter: Adapter) -> AdapterPort:
    return AdapterPort(adapter)


def _events(link: SlcanLink) -> list[tuple[LinkEventKind, int]]:
    found: list[LinkEvent] = []
    while (event := link.poll_event()) is not None:
        found.append(event)
    return [(event.kind, event.count) for event in found]


def _hear(port: AdapterPort, link: SlcanLink, data: bytes) -> Received | None:
    port.incoming.append(data)
    return link.receive(deadline=0)


@pytest.mark.parametrize(
    ("options", "last"),
    [
        ({}, [b"S5", b"Z0", b"O"]),
        ({"timestamps": True}, [b"S5", b"Z1", b"O"]),
        ({"listen_only": True}, [b"S5", b"Z0", b"L"]),
        ({"bitrate": 1_000_000}, [b"S8", b"Z0", b"O"]),
    ],
)
def test_an_adapter_is_set_up(
    adapter: Adapter, port: AdapterPort, options: dict[str, Any], last: list[bytes]
) -> None:
    adapter.open = True
    adapter.hear(b"T1801")
    SlcanLink(port, **{"bitrate": 250_000, **options})
    assert adapter.told[-3:] == last
    assert adapter.open


@pytest.mark.parametrize("version", [b"V1013", b"", b"CANable 16fe5b2f7 firmware"])
def test_whatever_the_version_is_called(version: bytes) -> None:
    port = AdapterPort(Adapter(version=version))
    link = SlcanLink(port, bitrate=250_000)
    assert _hear(port, link, b"t1230\r") == Received(CanFrame(0x123, extended=False), port.time)


@pytest.mark.parametrize(
    ("refused", "options", "says"),
    [
        (b"S", {}, "refuses S5.*bitrate=250000"),
        (b"Z", {"timestamps": True}, "refuses Z1.*timestamps"),
        (b"L", {"listen_only": True}, "refuses L.*listen_only"),
        (b"O", {}, "refuses O"),
        (b"", {"bitrate": 333_333}, "one of 10000,.*1000000"),
    ],
)
def test_a_refusal_is_final(
    adapter: Adapter, port: AdapterPort, refused: bytes, options: dict[str, Any], says: str
) -> None:
    adapter.refuse.add(refused)
    with pytest.raises(LinkUnavailable, match=says):
        SlcanLink(port, **{"bitrate": 250_000, **options})
    assert not adapter.open


def test_an_adapter_that_knows_neither_stamps_nor_its_version_will_do(
    adapter: Adapter, port: AdapterPort
) -> None:
    adapter.refuse |= {b"Z", b"V"}
    SlcanLink(port, bitrate=250_000)
    assert adapter.open


def test_silence_is_not_taken_for_an_adapter(adapter: Adapter) -> None:
    with pytest.raises(LinkUnavailable, match="answers=false"):
        SlcanLink(AdapterPort(adapter, deaf=True), bitrate=250_000)
    SlcanLink(AdapterPort(adapter, deaf=True), bitrate=250_000, answers=False)
    assert adapter.open


def test_what_only_listens_sends_nothing(adapter: Adapter, port: AdapterPort) -> None:
    link = SlcanLink(port, bitrate=250_000, listen_only=True)
    assert link.caps.listen_only
    told = len(adapter.told)
    with pytest.raises(LocalProtocolError, match="listen"):
        link.send(CanFrame(1), deadline=0)
    assert len(adapter.told) == told


def test_stamps_say_where_they_are_from(port: AdapterPort) -> None:
    host = SlcanLink(port, bitrate=250_000).caps
    assert (host.stamp_source, host.stamp_resolution, host.batched) == ("host", MICROSECOND, True)
    own = SlcanLink(port, bitrate=250_000, timestamps=True).caps
    assert (own.stamp_source, own.stamp_resolution, own.batched) == ("hardware", MILLISECOND, False)


def test_noise_between_frames_is_counted_and_told(port: AdapterPort) -> None:
    link = SlcanLink(port, bitrate=250_000)
    received = _hear(port, link, b"\xff\x00\xfet1\xff\rT1801F456\x80T1801F4561AA\r")
    assert received is not None
    assert received.frame == CanFrame(0x1801F456, b"\xaa")
    assert _events(link) == [(LinkEventKind.DROPPED, 17)]


def test_remote_frames_are_sent_and_when_heard_counted(adapter: Adapter, port: AdapterPort) -> None:
    link = SlcanLink(port, bitrate=250_000)
    link.send(CanFrame(0x1801F456, remote=True), deadline=0)
    assert adapter.told[-1] == b"R1801F4560"
    assert link.receive(deadline=0) is None
    assert _hear(port, link, b"r1238\r") is None
    assert link.remote_frames == 1


def test_a_refused_frame_is_a_gap(adapter: Adapter, port: AdapterPort) -> None:
    link = SlcanLink(port, bitrate=250_000)
    adapter.refuse.add(b"T")
    link.send(CanFrame(1), deadline=0)
    assert link.receive(deadline=0) is None
    event = link.poll_event()
    assert event is not None
    assert (event.kind, event.gap) == (LinkEventKind.OVERRUN, True)


def test_states_and_errors_are_told_once_each(port: AdapterPort) -> None:
    link = SlcanLink(port, bitrate=250_000)
    _hear(port, link, b"sw100000\rsw101000\rsp130000\re2ac\rsb256256\rsa000000\rhello there\r")
    assert [kind for kind, _ in _events(link)] == [
        LinkEventKind.ERROR_WARNING,
        LinkEventKind.ERROR_PASSIVE,
        LinkEventKind.ERROR_FRAME,
        LinkEventKind.BUS_OFF,
        LinkEventKind.ERROR_ACTIVE,
        LinkEventKind.TOLD,
    ]


def test_the_status_is_asked_for_and_told_when_it_changes(adapter: Adapter, port: AdapterPort) -> None:
    link = SlcanLink(port, bitrate=250_000, status=SECOND)
    for flags in (0x00, 0x04, 0x24, 0x8B, 0x00):
        adapter.flags = flags
        assert link.receive(deadline=port.time + SECOND + MILLISECOND) is None
    assert [kind for kind, _ in _events(link)] == [
        LinkEventKind.ERROR_WARNING,
        LinkEventKind.ERROR_PASSIVE,
        LinkEventKind.OVERRUN,
        LinkEventKind.OVERRUN,
        LinkEventKind.OVERRUN,
        LinkEventKind.ERROR_FRAME,
        LinkEventKind.ERROR_ACTIVE,
    ]
    assert adapter.told.count(b"F") == 5


def test_an_adapter_without_status_is_asked_once(adapter: Adapter, port: AdapterPort) -> None:
    adapter.refuse.add(b"F")
    link = SlcanLink(port, bitrate=250_000, status=SECOND)
    link.send(CanFrame(1), deadline=0)
    assert link.receive(deadline=port.time + 5 * SECOND) is None
    assert _events(link) == [(LinkEventKind.TOLD, 1)]
    assert adapter.told.count(b"F") == 1


def test_a_torn_command_does_not_swallow_the_next(adapter: Adapter, port: AdapterPort) -> None:
    sent: list[bytes] = []
    adapter.bus = sent.append
    link = SlcanLink(port, bitrate=250_000)
    port.room = 7
    with pytest.raises(LinkError, match="no room"):
        link.send(CanFrame(0x1801F456, b"lost"), deadline=0)
    port.room = 100
    link.send(CanFrame(0x1801F456, b"kept"), deadline=0)
    assert sent[-1] == b"T1801F4564" + b"kept".hex().upper().encode()


def test_an_unplugged_adapter_is_gone(port: AdapterPort) -> None:
    link = SlcanLink(port, bitrate=250_000)
    port.gone = True
    with pytest.raises(LinkClosed):
        link.receive(deadline=0)
    with pytest.raises(LinkClosed):
        link.send(CanFrame(1), deadline=0)
    link.close()
    assert port.closed


@pytest.mark.parametrize(
    ("rest", "options", "says"),
    [
        ("/dev/ttyACM0", {}, "bitrate=250000"),
        ("/no/such", {"bitrate": "250000"}, "no such device"),
        ("/no/such", {"bitrate": "fast"}, "whole number"),
        ("/no/such", {"bitrate": "250000", "reconnect": "true"}, "unknown option reconnect"),
        ("loop://", {"bitrate": "333"}, "one of"),
        ("loop://", {"bitrate": "250000"}, "slcan:loop://"),
    ],
)
def test_what_cannot_be_opened_says_why(rest: str, options: dict[str, str], says: str) -> None:
    with pytest.raises(LinkUnavailable, match=says):
        open_link(rest, options)


def test_the_bit_rate_is_found_by_listening() -> None:
    pair = AdapterPair()
    pair.adapters[0].traffic = [b"t1230"] * 10
    link = open_link(pair.paths[0], {"bitrate": "auto"})
    assert (link.caps.bitrate, link.caps.listen_only) == (250_000, False)
    opened = [told for told in pair.adapters[0].told if told[:1] in {b"S", b"L", b"O", b"T"}]
    assert opened == [b"S5", b"L", b"S5", b"O"]
    link.close()
    pair.close()


def test_an_adapter_that_was_pulled_out_is_set_up_again(tmp_path: Path) -> None:
    path, options = tmp_path / "adapter", {"bitrate": "250000"}
    first = AdapterPair()
    path.symlink_to(first.paths[0])
    link = ReconnectingLink(lambda: open_link(str(path), options), first=MILLISECOND)
    first.close()
    path.unlink()
    assert link.receive(deadline=link.now() + 20 * MILLISECOND) is None
    second = AdapterPair()
    path.symlink_to(second.paths[0])
    other = open_link(second.paths[1], options)
    assert link.receive(deadline=link.now() + 20 * MILLISECOND) is None
    other.send(CanFrame(0x1801F456, b"back"), deadline=other.now() + SECOND)
    received = link.receive(deadline=link.now() + 2 * SECOND)
    assert received is not None
    assert received.frame == CanFrame(0x1801F456, b"back")
    kinds = {event.kind for _ in range(9) if (event := link.poll_event()) is not None}
    assert {LinkEventKind.CLOSED, LinkEventKind.REOPENED} <= kinds
    link.close()
    other.close()
    second.close()


def test_stamps_are_counted_on_over_their_wrap_and_longest_silences() -> None:
    clock = StampClock()
    start = 500 * SECOND
    assert clock.at(59_000, start) == start
    for after in (1, 999, 1_500, 61_500, 200_000, 3_000_000):
        at = clock.at((59_000 + after) % 60_000, start + after * MILLISECOND)
        assert abs(at - (start + after * MILLISECOND)) <= after * MILLISECOND // 5_000 + MILLISECOND


def test_a_delay_on_the_way_does_not_move_a_stamp() -> None:
    clock = StampClock()
    assert clock.at(100, 10 * SECOND) == 10 * SECOND
    late = clock.at(110, 10 * SECOND + 35 * MILLISECOND)
    assert 10 * SECOND + 10 * MILLISECOND <= late < 10 * SECOND + 11 * MILLISECOND
    assert clock.at(120, 10 * SECOND + 35 * MILLISECOND) >= late


def test_the_first_delay_is_forgotten() -> None:
    clock = StampClock()
    clock.at(100, SECOND + 40 * MILLISECOND)
    assert clock.at(200, SECOND + 100 * MILLISECOND) == SECOND + 100 * MILLISECOND
    assert clock.at(210, SECOND + 150 * MILLISECOND) <= SECOND + 111 * MILLISECOND


def test_stamps_that_use_all_digits_wrap_there() -> None:
    clock = StampClock()
    clock.at(65_000, SECOND)
    assert clock.at(0, SECOND + 536 * MILLISECOND) >= SECOND + 535 * MILLISECOND


def test_a_fast_adapter_never_stamps_the_future_nor_backwards() -> None:
    clock, last = StampClock(), 0
    for n in range(2_000):
        arrived = SECOND + n * 100 * MILLISECOND
        at = clock.at(round(n * 100 * 1.0002) % 60_000, arrived)
        assert last <= at <= arrived
        assert arrived - at < 5 * MILLISECOND
        last = at
