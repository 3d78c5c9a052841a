"""Endpoints over a bus in virtual time that loses, repeats and reorders frames, and under random frames."""

import heapq
import itertools
from collections.abc import Callable, Iterable, Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swapproto.frame import MILLISECOND, CanFrame
from swapproto.transport import frames
from swapproto.transport.events import TpEvent, TransferAborted, TransferReceived, TransferSent
from swapproto.transport.overheard import Transfer, WatchEvent
from swapproto.transport.port import MAX_QUEUED
from swapproto.transport.tp import Transport
from swapproto.transport.watch import TransportWatch

A, B, C, ALL = 0x56, 0xF4, 0x27, 0xFF
PGN = 0x1100

Wire = Callable[[CanFrame], Iterable[int]]
"""Delays at which copies of a frame arrive, in ns; none if it is lost."""

SIZES = st.integers(frames.MIN_SIZE, frames.MAX_SIZE)
WINDOWS = st.one_of(st.integers(1, 255), st.integers(1, 8))


class Bus:
    """Delivers frames in order of arrival and time-outs when due, until all is still."""

    def __init__(self, nodes: Sequence[Transport], wire: Wire = lambda _: (0,)) -> None:
        self.nodes = nodes
        self.wire = wire
        self.now = 0
        self.events: dict[int, list[TpEvent]] = {node.address: [] for node in nodes}
        self.overheard: list[WatchEvent] = []
        self._watch = TransportWatch()
        self._flying: list[tuple[int, int, CanFrame]] = []
        self._order = itertools.count()

    def put(self, frame: CanFrame) -> None:
        for delay in self.wire(frame):
            heapq.heappush(self._flying, (self.now + delay, next(self._order), frame))

    def run(self, bound: int = 20_000) -> None:
        for _ in range(bound):
            for node in self.nodes:
                while (frame := node.poll_transmit()) is not None:
                    self.put(frame)
                while (event := node.poll_event()) is not None:
                    self.events[node.address].append(event)
            due = [at for node in self.nodes if (at := node.next_timeout()) is not None]
            if self._flying:
                due.append(self._flying[0][0])
            if not due:
                self.overheard += self._watch.finish(self.now)
                return
            self.now = max(self.now, min(due))
            if self._flying and self._flying[0][0] <= self.now:
                frame = heapq.heappop(self._flying)[2]
                self.overheard += self._watch.receive(frame, self.now)
                for node in self.nodes:
                    if node.address != frame.id & 0xFF:
                        node.receive(frame, self.now)
            else:
                for node in self.nodes:
                    node.handle_timeout(self.now)
        pytest.fail(f"not still after {bound} steps")

    def received(self, address: int) -> list[bytes]:
        return [e.payload for e in self.events[address] if isinstance(e, TransferReceived)]

    def sent(self, address: int) -> list[bytes]:
        return [e.payload for e in self.events[address] if isinstance(e, TransferSent)]

    def given_up(self, address: int) -> list[TransferAborted]:
        return [e for e in self.events[address] if isinstance(e, TransferAborted) and e.sent]


def pattern(size: int, seed: int = 0) -> bytes:
    return Random(seed ^ size).randbytes(size)


@given(size=SIZES, ours=WINDOWS, theirs=WINDOWS, gap=st.sampled_from([0, 10 * MILLISECOND]))
def test_every_size_and_window_on_a_good_bus(size: int, ours: int, theirs: int, gap: int) -> None:
    payload = pattern(size)
    bus = Bus([Transport(A, window=ours, packet_gap=gap), Transport(B, window=theirs)])
    bus.nodes[0].send(PGN, payload, B, 0)
    bus.run()
    packets = frames.packet_count(size)
    assert bus.events[B] == [TransferReceived(PGN, A, B, payload, 0, bus.now)]
    assert bus.events[A] == [TransferSent(PGN, B, payload, 0, bus.now)]
    assert bus.overheard == [Transfer(PGN, A, B, payload, 0, bus.now, True, packets)]


@given(size=SIZES)
def test_broadcast_on_a_good_bus(size: int) -> None:
    payload = pattern(size)
    bus = Bus([Transport(A), Transport(B), Transport(C)])
    bus.nodes[0].send(0xFECA, payload, ALL, 0)
    bus.run()
    assert bus.received(B) == bus.received(C) == bus.sent(A) == [payload]
    (overheard,) = bus.overheard
    assert isinstance(overheard, Transfer)
    assert (overheard.payload, overheard.complete) == (payload, True)


@settings(max_examples=300)
@given(
    size=SIZES,
    ours=WINDOWS,
    theirs=WINDOWS,
    seed=st.integers(0, 2**32),
    loss=st.sampled_from([0.0, 0.01, 0.05, 0.3]),
    repeat=st.sampled_from([0.0, 0.05, 0.3]),
    late=st.sampled_from([0, 1, 40, 900]),
    gap=st.sampled_from([0, 10 * MILLISECOND]),
)
def test_loss_duplication_and_reordering(
    size: int, ours: int, theirs: int, seed: int, loss: float, repeat: float, late: int, gap: int
) -> None:
    random = Random(seed)
    payload = pattern(size, seed)

    def wire(_: CanFrame) -> list[int]:
        copies = (random.random() >= loss) + (random.random() < repeat)
        return [random.randint(0, late) * MILLISECOND for _ in range(copies)]

    bus = Bus([Transport(A, window=ours, packet_gap=gap), Transport(B, window=theirs)], wire)
    bus.nodes[0].send(PGN, payload, B, 0)
    bus.run()
    assert set(bus.received(B)) <= {payload}
    assert len(bus.sent(A)) + len(bus.given_up(A)) == 1, "the sender learns of one end"
    if bus.sent(A):
        assert bus.received(B), "no acknowledgement without the payload"
    assert {e.payload for e in bus.overheard if isinstance(e, Transfer)} <= {payload}
    assert bus.nodes[0].pending(B) == 0


@given(
    sizes=st.lists(st.integers(9, 300), min_size=1, max_size=6),
    seed=st.integers(0, 2**32),
    loss=st.sampled_from([0.02, 0.2]),
    repeat=st.sampled_from([0.0, 0.2]),
)
def test_queues_in_both_directions_over_a_lossy_bus(
    sizes: list[int], seed: int, loss: float, repeat: float
) -> None:
    random = Random(seed)

    def wire(_: CanFrame) -> list[int]:
        return [MILLISECOND] * ((random.random() >= loss) + (random.random() < repeat))

    bus = Bus([Transport(A, window=7), Transport(B, window=3)], wire)
    out = [pattern(size, number) for number, size in enumerate(sizes)]
    back = [pattern(size, 99 + number) for number, size in enumerate(sizes)]
    for number, (there, home) in enumerate(zip(out, back, strict=True)):
        # Under one PGN a stale request could draw packets of the next transfer into the last.
        bus.nodes[0].send(PGN + 0x100 * number, there, B, 0)
        bus.nodes[1].send(PGN + 0x100 * number, home, A, 0)
    bus.run()
    for sender, receiver, payloads in ((A, B, out), (B, A, back)):
        assert len(bus.sent(sender)) + len(bus.given_up(sender)) == len(payloads)
        arrived = bus.received(receiver)
        assert [p for p in payloads if p in arrived] == list(dict.fromkeys(arrived)), "in order, none wrong"
        assert set(bus.sent(sender)) <= set(arrived)


@given(loss=st.sampled_from([0.0, 0.1, 0.3]), seed=st.integers(0, 2**32), size=st.integers(9, 600))
def test_broadcast_over_a_lossy_bus(loss: float, seed: int, size: int) -> None:
    random = Random(seed)
    payload = pattern(size, seed)
    bus = Bus([Transport(A), Transport(B)], lambda _: () if random.random() < loss else (0,))
    bus.nodes[0].send(0xFECA, payload, ALL, 0)
    bus.run()
    assert bus.sent(A) == [payload]
    assert bus.received(B) in ([payload], [])
    if loss == 0:
        assert bus.received(B) == [payload]


def noise(source: st.SearchStrategy[int], destination: st.SearchStrategy[int]) -> st.SearchStrategy[CanFrame]:
    """Frames of the transport, from random bytes to well-formed ones at the wrong moment."""
    pgn = st.sampled_from([PGN, 0x1500])
    byte = st.one_of(st.integers(0, 8), st.integers(0, 255))
    size = st.sampled_from([8, 9, 14, 40, 1785, 1786])
    control = st.one_of(
        st.binary(max_size=8),
        st.builds(frames.rts, pgn, size, packets=byte, limit=byte),
        st.builds(frames.rts, pgn, st.sampled_from([9, 40, 1785])),
        st.builds(frames.bam, pgn, st.sampled_from([9, 40, 1785])),
        st.builds(frames.cts, pgn, byte, byte),
        st.builds(frames.end_of_msg_ack, pgn, st.sampled_from([9, 40])),
        st.builds(frames.abort, pgn, byte),
    )
    packet = st.builds(lambda n, rest: bytes((n,)) + rest, byte, st.binary(min_size=7, max_size=7))
    return st.one_of(
        st.builds(lambda d, s, data: CanFrame(frames.cm_id(d, s), data), destination, source, control),
        st.builds(lambda d, s, data: CanFrame(frames.dt_id(d, s), data), destination, source, packet),
        st.builds(CanFrame, st.integers(0, 0x1FFF_FFFF), st.binary(max_size=8)),
    )


@settings(max_examples=200)
@given(
    size=st.integers(9, 300),
    window=st.integers(1, 16),
    bad=st.lists(
        st.lists(noise(st.just(C), st.sampled_from([A, B, ALL])), max_size=4), min_size=1, max_size=40
    ),
)
def test_one_peers_bad_traffic_harms_no_other_transfer(
    size: int, window: int, bad: list[list[CanFrame]]
) -> None:
    """With room for one transfer only, which the good one has taken."""
    payload, home = pattern(size), pattern(size, 1)
    turns = iter(bad)
    bus = Bus([Transport(A, window=window, max_transfers=1), Transport(B, window=window, max_transfers=1)])

    def wire(frame: CanFrame) -> list[int]:
        if bus.now and frame.id & 0xFF in (A, B):
            for stray in next(turns, []):
                if stray.id & 0xFF == C:
                    heapq.heappush(bus._flying, (bus.now, next(bus._order), stray))
        return [MILLISECOND]

    bus.wire = wire
    bus.nodes[0].send(PGN, payload, B, 0)
    bus.nodes[1].send(PGN, home, A, 0)
    bus.run()
    assert [e.payload for e in bus.events[B] if isinstance(e, TransferReceived) and e.source == A] == [
        payload
    ]
    assert [e.payload for e in bus.events[A] if isinstance(e, TransferReceived) and e.source == B] == [home]
    assert bus.sent(A) == [payload]
    assert bus.sent(B) == [home]
    assert not [e for e in bus.events[A] + bus.events[B] if isinstance(e, TransferAborted) and e.source != C]


ANYONE = st.sampled_from([A, B, C, 0xFE, 0xFF, 0])


@given(st.lists(st.tuples(noise(ANYONE, ANYONE), st.integers(0, 600 * MILLISECOND)), max_size=60))
def test_nothing_on_the_bus_raises(traffic: list[tuple[CanFrame, int]]) -> None:
    node, watch = Transport(A), TransportWatch()
    node.send(PGN, bytes(40), B, 0)
    node.send(0xFECA, bytes(40), ALL, 0)
    now = 0
    for frame, pause in traffic:
        now += pause
        node.receive(frame, now)
        watch.receive(frame, now)
        node.handle_timeout(now)
        node.poll_transmit()
    watch.finish(now)
    bus = Bus([node])
    bus.now = now
    bus.run()
    assert node.next_timeout() is None


def flood(count: int, seed: int) -> None:
    """Random frames, a third of them well-formed openings from every address."""
    random = Random(seed)
    node, watch = Transport(A, max_transfers=8), TransportWatch(max_transfers=64)
    now = 0
    for number in range(count):
        now += random.randrange(5 * MILLISECOND)
        destination, source = random.choice((A, A, A, ALL, B)), random.randrange(256)
        match random.randrange(6):
            case 0:
                data = frames.rts(PGN, random.randrange(9, 1786), limit=random.randrange(256))
            case 1:
                data, destination = frames.bam(PGN, random.randrange(9, 1786)), ALL
            case 2:
                data = bytes((random.choice((16, 17, 19, 32, 255)),)) + random.randbytes(7)
            case _:
                data = bytes((random.randrange(4),)) + random.randbytes(random.randrange(8))
        kind = frames.TP_CM if data[0] >= 16 and number % 8 else frames.TP_DT
        frame = CanFrame(7 << 26 | kind << 16 | destination << 8 | source, data)
        if not number % 50:
            frame = CanFrame(random.getrandbits(29), random.randbytes(random.randrange(9)))
        if not number % 1000 and not node.pending(B):
            node.send(PGN, bytes(300), B, now)
        node.receive(frame, now)
        watch.receive(frame, now)
        while (due := node.next_timeout()) is not None and due <= now:
            node.handle_timeout(now)
        if number % 3:
            node.poll_transmit()
            node.poll_event()
        receiver = node._receiver
        assert len(receiver._addressed) <= 8
        assert len(receiver._broadcast) <= 8
        assert len(watch._open) <= 64
        assert len(node._port.events) <= MAX_QUEUED
    bus = Bus([node])
    bus.now = now
    bus.run()
    watch.finish(now)
    assert not watch._open


def test_ten_thousand_random_frames() -> None:
    flood(10_000, seed=1)


@pytest.mark.long
def test_a_million_random_frames() -> None:
    flood(1_000_000, seed=2)
