"""Transfers with can-j1939 in virtual time: its link layer is driven by hand and its clock replaced."""

from collections.abc import Callable
from random import Random
from types import SimpleNamespace
from typing import Any, Protocol

import pytest

from swapproto.frame import MILLISECOND, SECOND, CanFrame
from swapproto.transport import frames
from swapproto.transport.events import TransferReceived, TransferSent
from swapproto.transport.overheard import Transfer, WatchEvent
from swapproto.transport.tp import Transport
from swapproto.transport.watch import TransportWatch

data_link = pytest.importorskip("j1939.j1939_21", reason="can-j1939 is not installed")

OURS, THEIRS, ALL = 0x56, 0xF4, 0xFF
PGN = 0x1100
SIZES = (9, 49, 252, 1785)


class Peer(Protocol):
    """The part of can-j1939's J1939_21 that is used here."""

    def notify(self, can_id: int, data: bytearray, timestamp: float) -> None: ...
    def async_job_thread(self, now: float) -> float: ...
    def send_pgn(
        self, page: int, pf: int, ps: int, priority: int, source: int, data: list[int], limit: float, fmt: int
    ) -> bool: ...


class Bench:
    """One endpoint and one can-j1939 link layer on a bus that delivers at once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, window: int) -> None:
        self.now = 1000 * SECOND
        self.ours = Transport(OURS, window=window)
        self.flying: list[CanFrame] = []
        self.arrived: list[tuple[int, int, int, bytes]] = []
        self.overheard: list[WatchEvent] = []
        self._watch = TransportWatch()
        monkeypatch.setattr(data_link, "time", SimpleNamespace(time=lambda: self.now / SECOND))
        make: Callable[..., Peer] = data_link.J1939_21
        self.theirs = make(
            self._from_theirs, lambda: None, self._arrived, window, None, None, self._is_theirs
        )

    @staticmethod
    def _is_theirs(address: int) -> bool:
        return address == THEIRS

    def _from_theirs(self, can_id: int, extended: bool, data: Any) -> None:
        self.flying.append(CanFrame(can_id, bytes(data), extended))

    def _arrived(
        self, _priority: int, pgn: int, source: int, destination: int, _at: float, data: Any
    ) -> None:
        self.arrived.append((pgn, source, destination, bytes(data)))

    def run(self, until: int | None = None, bound: int = 5_000) -> None:
        """Until an instant, or until neither side has anything to do: they then ask for a wake-up in 5 s."""
        for _ in range(bound):
            if until is not None and self.now >= until:
                return
            wake = round(self.theirs.async_job_thread(self.now / SECOND) * SECOND)
            while (frame := self.ours.poll_transmit()) is not None:
                self.flying.append(frame)
            if self.flying:
                frame = self.flying.pop(0)
                self.overheard += self._watch.receive(frame, self.now)
                if frame.id & 0xFF == OURS:
                    self.theirs.notify(frame.id, bytearray(frame.data), self.now / SECOND)
                else:
                    self.ours.receive(frame, self.now)
                continue
            due = self.ours.next_timeout()
            if due is None and wake > self.now + 4 * SECOND:
                return
            # Rounded up, so that their float deadline has passed.
            self.now = wake + 1_000 if due is None else min(due, wake + 1_000)
            self.ours.handle_timeout(self.now)
        pytest.fail(f"not still after {bound} steps")


@pytest.fixture(params=[1, 255], ids=["one packet a CTS", "255 packets a CTS"])
def bench(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch, request.param)


@pytest.mark.parametrize("size", SIZES)
def test_from_us_to_them(bench: Bench, size: int) -> None:
    payload = Random(size).randbytes(size)
    bench.ours.send(PGN, payload, THEIRS, bench.now)
    bench.run()
    assert bench.arrived == [(PGN, OURS, THEIRS, payload)]
    event = bench.ours.poll_event()
    assert isinstance(event, TransferSent)
    assert event.payload == payload
    assert bench.ours.poll_event() is None
    (overheard,) = bench.overheard
    assert isinstance(overheard, Transfer)
    assert (overheard.payload, overheard.complete) == (payload, True)


@pytest.mark.parametrize("size", SIZES)
def test_from_them_to_us(bench: Bench, size: int) -> None:
    payload = Random(size).randbytes(size)
    assert bench.theirs.send_pgn(0, PGN >> 8, OURS, 7, THEIRS, list(payload), 0, 0)
    bench.run()
    event = bench.ours.poll_event()
    assert isinstance(event, TransferReceived)
    assert (event.pgn, event.source, event.destination, event.payload) == (PGN, THEIRS, OURS, payload)
    assert bench.ours.poll_event() is None
    (overheard,) = bench.overheard
    assert isinstance(overheard, Transfer)
    assert (overheard.payload, overheard.complete) == (payload, True)
    packets = frames.packet_count(size)
    assert overheard.packets == packets


@pytest.mark.parametrize("size", SIZES)
def test_broadcast_from_us(bench: Bench, size: int) -> None:
    payload = Random(size).randbytes(size)
    bench.ours.send(0xFECA, payload, ALL, bench.now)
    bench.run()
    assert bench.arrived == [(0xFECA, OURS, ALL, payload)]


@pytest.mark.parametrize("size", SIZES)
def test_broadcast_from_them(bench: Bench, size: int) -> None:
    payload = Random(size).randbytes(size)
    started = bench.now
    assert bench.theirs.send_pgn(0, 0xFE, 0xCA, 6, THEIRS, list(payload), 0, 0)
    bench.run()
    event = bench.ours.poll_event()
    assert isinstance(event, TransferReceived)
    assert (event.pgn, event.source, event.destination, event.payload) == (0xFECA, THEIRS, ALL, payload)
    assert event.finished >= started + frames.packet_count(size) * 50 * MILLISECOND


@pytest.mark.parametrize("size", SIZES)
def test_both_directions_at_once(bench: Bench, size: int) -> None:
    there, home = Random(size).randbytes(size), Random(-size).randbytes(size)
    bench.ours.send(PGN, there, THEIRS, bench.now)
    assert bench.theirs.send_pgn(0, PGN >> 8, OURS, 7, THEIRS, list(home), 0, 0)
    bench.run()
    assert bench.arrived == [(PGN, OURS, THEIRS, there)]
    events = [bench.ours.poll_event(), bench.ours.poll_event()]
    assert {type(event) for event in events} == {TransferReceived, TransferSent}
    assert [event.payload for event in events if isinstance(event, TransferReceived)] == [home]
    assert bench.ours.poll_event() is None


def test_a_hold_of_ours_keeps_them_waiting(bench: Bench) -> None:
    payload = Random(1).randbytes(252)
    bench.ours.hold(THEIRS, bench.now)
    assert bench.theirs.send_pgn(0, PGN >> 8, OURS, 7, THEIRS, list(payload), 0, 0)
    bench.run(until=bench.now + 5 * SECOND)
    assert bench.ours.poll_event() is None
    bench.ours.release(THEIRS, bench.now)
    bench.run()
    event = bench.ours.poll_event()
    assert isinstance(event, TransferReceived)
    assert event.payload == payload
