"""Ports that only listen, the search for a bit rate, and error frames as events."""

from collections import deque
from itertools import count

import can
import pytest

from swapproto.errors import LinkUnavailable, LocalProtocolError
from swapproto.frame import MILLISECOND, CanFrame, Instant, Received
from swapproto.link import Link, LinkCaps, LinkEvent, LinkEventKind
from swapproto.plugins import open_link
from swapproto_drivers import listen_only
from swapproto_drivers.bitrate import ENOUGH, find_bitrate
from swapproto_drivers.can_events import event_of

_channels = count()


class Bus:
    """A bus at one rate, heard through a port at another."""

    def __init__(self, bitrate: int, frames: int = 1000) -> None:
        self.bitrate = bitrate
        self.frames = frames
        self.tried: list[int] = []

    def open(self, bitrate: int) -> Link:
        self.tried.append(bitrate)
        return _Ear(self, bitrate)


class _Ear:
    def __init__(self, bus: Bus, bitrate: int) -> None:
        self._bus = bus
        self._right = bitrate == bus.bitrate
        self._time: Instant = 0
        self._events: deque[LinkEvent] = deque()

    @property
    def caps(self) -> LinkCaps:
        return LinkCaps("ear", listen_only=True)

    def now(self) -> Instant:
        return self._time

    def send(self, frame: CanFrame, *, deadline: Instant) -> None:
        raise AssertionError("a listener sends nothing")

    def receive(self, *, deadline: Instant) -> Received | None:
        self._time = min(self._time + 10 * MILLISECOND, deadline)
        if self._bus.frames <= 0:
            self._time = deadline
            return None
        self._bus.frames -= 1
        if self._right:
            return Received(CanFrame(1), self._time)
        self._events.append(LinkEvent(LinkEventKind.ERROR_FRAME, self._time))
        return None

    def poll_event(self) -> LinkEvent | None:
        return self._events.popleft() if self._events else None

    def close(self) -> None:
        self._events.clear()


@pytest.mark.parametrize("bitrate", [250_000, 500_000])
def test_the_rate_of_a_live_bus_is_found(bitrate: int) -> None:
    bus = Bus(bitrate)
    search = find_bitrate(bus.open)
    assert search.bitrate == bitrate
    assert bus.tried == [250_000, 500_000][: 1 + (bitrate == 500_000)]
    assert search.trials[-1].frames == ENOUGH
    assert (search.trials[0].errors > 0) == (bitrate == 500_000)


def test_a_silent_bus_and_one_of_another_rate_have_no_rate() -> None:
    silent = find_bitrate(Bus(250_000, frames=0).open)
    assert silent.bitrate is None
    assert str(silent) == (
        "bit rate not found (250 kbit/s: 0 frames, 0 errors; 500 kbit/s: 0 frames, 0 errors)"
    )
    foreign = find_bitrate(Bus(125_000).open)
    assert foreign.bitrate is None
    assert all(trial.errors for trial in foreign.trials)


def test_a_bus_with_few_frames_is_enough() -> None:
    assert find_bitrate(Bus(250_000, frames=3).open).bitrate == 250_000


def test_a_port_that_only_listens_hears_and_refuses_to_send() -> None:
    channel = f"listening-{next(_channels)}"
    ear, mouth = open_link(f"can:virtual:{channel}?listen_only=true"), open_link(f"can:virtual:{channel}")
    assert ear.caps.listen_only
    assert not mouth.caps.listen_only
    mouth.send(CanFrame(1), deadline=mouth.now() + MILLISECOND)
    heard = ear.receive(deadline=ear.now() + 100 * MILLISECOND)
    assert heard is not None
    with pytest.raises(LocalProtocolError, match="only listens"):
        ear.send(CanFrame(2), deadline=ear.now() + MILLISECOND)
    for link in (ear, mouth):
        link.close()


def test_who_cannot_only_listen_says_so() -> None:
    with pytest.raises(LinkUnavailable, match="cannot open kvaser listen-only"):
        listen_only.arguments("can:kvaser:0", "kvaser", "0")
    assert listen_only.arguments("can:slcan:x", "slcan", "x") == {"listen_only": True}


@pytest.mark.parametrize(
    ("modes", "kind", "fine"),
    [((), "can", False), (("LISTEN-ONLY",), "can", True), ((), "vcan", True)],
)
def test_a_socketcan_interface_is_asked(
    modes: tuple[str, ...], kind: str, fine: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        listen_only, "socketcan_details", lambda _: {"kind": kind, "modes": modes, "bitrate": 250_000}
    )
    if fine:
        assert listen_only.arguments("can:socketcan:can0", "socketcan", "can0") == {}
    else:
        with pytest.raises(LinkUnavailable, match="listen-only on"):
            listen_only.arguments("can:socketcan:can0", "socketcan", "can0")


def test_a_rate_that_the_url_does_not_set_cannot_be_searched() -> None:
    with pytest.raises(LinkUnavailable, match="unknown option bitrate"):
        open_link("can:virtual:x?bitrate=auto")


ERROR_FRAMES = {
    "bus off": (0x40, "", LinkEventKind.BUS_OFF),
    "receive overrun": (0x04, "00 01", LinkEventKind.OVERRUN),
    "transmit overrun": (0x04, "00 02", LinkEventKind.OVERRUN),
    "warning": (0x04, "00 08 00 00 00 00 60 02", LinkEventKind.ERROR_WARNING),
    "passive": (0x04, "00 20 00 00 00 00 80 02", LinkEventKind.ERROR_PASSIVE),
    "active": (0x04, "00 40", LinkEventKind.ERROR_ACTIVE),
    "restarted": (0x100, "", LinkEventKind.ERROR_ACTIVE),
    "bus off outweighs the rest": (0x44, "00 20", LinkEventKind.BUS_OFF),
    "no acknowledgement": (0x20, "", LinkEventKind.ERROR_FRAME),
    "protocol": (0x08, "00 00 04 19", LinkEventKind.ERROR_FRAME),
    "nothing said": (0, "", LinkEventKind.ERROR_FRAME),
}


@pytest.mark.parametrize("name", ERROR_FRAMES)
def test_error_frames_become_events(name: str) -> None:
    what, data, kind = ERROR_FRAMES[name]
    message = can.Message(arbitration_id=what, data=bytes.fromhex(data), is_error_frame=True)
    event = event_of(message, 7)
    assert (event.kind, event.at, event.count) == (kind, 7, 1)
    assert event.text
    assert event.gap == (kind in (LinkEventKind.BUS_OFF, LinkEventKind.OVERRUN))
