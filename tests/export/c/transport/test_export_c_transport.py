"""The C transport against ours: the same calls to both, and one as the peer of the other."""

import ctypes
import heapq
import itertools
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swapproto.export import c
from swapproto.frame import MILLISECOND, CanFrame
from swapproto.transport import frames
from swapproto.transport.events import (
    AbortedBy,
    TpEvent,
    TpViolation,
    TransferAborted,
    TransferReceived,
    TransferSent,
)
from swapproto.transport.tp import Transport
from tests.export.c.conftest import FAMILIES, declared
from tests.export.c.transport.conftest import CTransport, Twin, load, told

US, PEER, OTHER, ALL = 0x56, 0xF4, 0x27, 0xFF
OK, BAD_CONFIG, BAD_SIZE, BAD_PGN, BAD_ADDRESS, BUSY = range(6)

Wire = Callable[[CanFrame], Iterable[int]]


def run(nodes: list[Any], wire: Wire = lambda _: (0,), bound: int = 20_000) -> dict[int, list[TpEvent]]:
    """Deliver frames in order of arrival and time-outs when due, until all is still."""
    events: dict[int, list[TpEvent]] = {node.address: [] for node in nodes}
    flying: list[tuple[int, int, CanFrame]] = []
    order, now = itertools.count(), 0
    for _ in range(bound):
        for node in nodes:
            while (frame := node.poll_transmit()) is not None:
                for delay in wire(frame):
                    heapq.heappush(flying, (now + delay, next(order), frame))
            while (event := node.poll_event()) is not None:
                events[node.address].append(event)
        due = [at for node in nodes if (at := node.next_timeout()) is not None]
        if flying:
            due.append(flying[0][0])
        if not due:
            return events
        now = max(now, min(due))
        if flying and flying[0][0] <= now:
            frame = heapq.heappop(flying)[2]
            for node in nodes:
                node.receive(frame, now)
        else:
            for node in nodes:
                node.handle_timeout(now)
    pytest.fail(f"not still after {bound} steps")


SIZES = st.sampled_from([9, 10, 14, 15, 49, 252, 1784, 1785]) | st.integers(9, 1785)
WINDOWS = st.integers(1, 255) | st.integers(1, 8)


@pytest.mark.parametrize("size", [9, 49, 252, 1785])
@pytest.mark.parametrize("window", [1, 3, 255])
@pytest.mark.parametrize("sender", ["C", "Python"])
def test_one_is_the_peer_of_the_other(library: ctypes.CDLL, size: int, window: int, sender: str) -> None:
    payload = Random(size).randbytes(size)
    c_address, python_address = (US, PEER) if sender == "C" else (PEER, US)
    nodes: list[Any] = [CTransport(library, c_address, window=window), Transport(python_address)]
    at = {node.address: node for node in nodes}
    at[US].send(0x1100, payload, PEER, 0)
    at[US].send(0xFECA, payload, ALL, 0)
    events = run(nodes)
    received = [event for event in events[PEER] if isinstance(event, TransferReceived)]
    sent = [event for event in events[US] if isinstance(event, TransferSent)]
    assert [(e.pgn, e.payload) for e in received] == [(0x1100, payload), (0xFECA, payload)]
    assert [(e.destination, e.payload) for e in sent] == [(PEER, payload), (ALL, payload)]
    assert len(events[US]) == len(events[PEER]) == 2


def ends(event: TpEvent) -> bool:
    """Whether the event tells a sender how its transfer ended."""
    return isinstance(event, TransferSent) or (isinstance(event, TransferAborted) and event.sent)


@settings(max_examples=100, deadline=None)
@given(
    sizes=st.lists(SIZES, min_size=1, max_size=3),
    windows=st.tuples(WINDOWS, WINDOWS),
    seed=st.integers(0, 2**32),
    loss=st.sampled_from([0.0, 0.01, 0.05, 0.3]),
    repeat=st.sampled_from([0.0, 0.05, 0.3]),
    late=st.sampled_from([0, 1, 40, 900]),
    gap=st.sampled_from([0, 10 * MILLISECOND]),
)
def test_lost_repeated_and_late_frames(
    library: ctypes.CDLL, sizes: list[int], windows: tuple[int, int], seed: int, loss: float, repeat: float,
    late: int, gap: int,
) -> None:  # fmt: skip
    random = Random(seed)

    def wire(_: CanFrame) -> list[int]:
        copies = (random.random() >= loss) + (random.random() < repeat)
        return [random.randint(0, late) * MILLISECOND for _ in range(copies)]

    nodes = [Twin(library, US, window=windows[0], packet_gap=gap), Twin(library, PEER, window=windows[1])]
    payloads = [random.randbytes(size) for size in sizes]
    for number, payload in enumerate(payloads):
        nodes[number % 2].send(0x1100, payload, PEER if number % 2 == 0 else US, 0)
        nodes[0].send(0xFE00 | number, payload, random.choice((PEER, ALL)), 0)
    events = run(nodes, wire)
    assert sum(ends(event) for each in events.values() for event in each) == 2 * len(payloads)
    assert nodes[0].pending(PEER) == nodes[1].pending(US) == 0


def answer(random: Random, rts: CanFrame) -> CanFrame:
    """What a receiver might say to our RTS, though not always at the right moment."""
    peer, data = rts.id >> 8 & 0xFF, rts.data
    pgn, packets = frames.packeted_pgn(data), data[3]
    first = random.choice((1, 1, 2, packets, packets + 1, random.randint(1, packets)))
    said = frames.cts(pgn, random.choice((1, 1, 2, 3, 7, packets)), min(first, 255))
    if random.random() < 0.25:
        said = random.choice((frames.cts_hold(pgn), frames.end_of_msg_ack(pgn, data[1] | data[2] << 8)))
    return CanFrame(frames.cm_id(US, peer), said)


def strange_frame(random: Random, seen: list[CanFrame]) -> CanFrame:
    """A transport frame to us: an answer, a plausible one, one that went by, or bytes by chance."""
    control = [frame for frame in seen[-30:] if frame.id >> 16 & 0xFF == frames.TP_CM]
    asked = [frame for frame in control if frame.data[0] == frames.Control.RTS]
    if asked and random.random() < 0.5:
        return answer(random, asked[-random.randint(1, min(3, len(asked)))])
    if seen and random.random() < 0.2:
        frame = random.choice(seen)
        return CanFrame(frames.cm_id(US, PEER) | frame.id & 0xFF0000, frame.data)
    source = random.choice((PEER, PEER, PEER, OTHER, 0xFE, US))
    destination = random.choice((US, US, US, US, ALL, OTHER))
    pgn = random.choice((0x1100, 0x1100, 0x0200, 0xFECA))
    size = random.choice((9, 14, 15, 30, 49, 8, 1786, random.randrange(2000)))
    packets = frames.packet_count(size) if random.random() < 0.9 else random.randrange(256)
    number = random.choice((0, 1, 2, 3, 4, 5, 6, 7, random.randrange(256)))
    tail = random.choice((b"\xff" * 7, random.randbytes(7)))
    data = random.choice(
        (
            frames.rts(pgn, size, packets & 0xFF, random.choice((0, 1, 2, 255))),
            frames.bam(pgn, size, packets & 0xFF),
            frames.cts(pgn, random.choice((0, 1, 2, 7, 255)), number),
            frames.cts_hold(pgn),
            frames.end_of_msg_ack(pgn, size, packets & 0xFF),
            frames.abort(pgn, random.choice((1, 2, 3, 250, 255))),
            random.randbytes(8),
        )
    )
    can_id = frames.cm_id(destination, source)
    if random.random() < 0.5:
        can_id, data = frames.dt_id(destination, source), bytes((number,)) + tail
    if random.random() < 0.05:
        data = data[: random.randrange(8)]
    return CanFrame(can_id, data) if random.random() < 0.98 else CanFrame(0x1801F456, data)


def lockstep(library: ctypes.CDLL, seed: int, window: int, retries: int, made: type[Twin] = Twin) -> None:
    """Calls by chance to both; AssertionError where they do not answer alike."""
    random = Random(seed)
    twin = made(
        library, US, window=window, retries=retries, packet_gap=random.choice((0, 0, 10 * MILLISECOND)),
        bam_gap=random.choice((10, 50)) * MILLISECOND, priority=random.randrange(8),
    )  # fmt: skip
    now, seen = 0, list[CanFrame]()
    for _ in range(120):
        now += random.choice((0, 0, 0, 0, 1, 9, 250, 800, 1300)) * MILLISECOND
        match random.randrange(12):
            case 0:
                destination = random.choice((PEER, OTHER, ALL))
                if twin.pending(destination) < 8:
                    size = random.choice((9, 15, 30, 49, 252))
                    twin.send(
                        random.choice((0x1100, 0x0200, 0xFECA)), random.randbytes(size), destination, now
                    )
            case 1:
                random.choice((twin.hold, twin.release))(random.choice((PEER, OTHER)), now)
            case 2:
                twin.handle_timeout(now)
            case 3 if (due := twin.next_timeout()) is not None:
                now = max(now, due)
                twin.handle_timeout(now)
            case _:
                twin.receive(strange_frame(random, seen), now)
        for _ in range(random.choice((0, 1, 5, 1000))):
            if (frame := twin.poll_transmit()) is None:
                break
            seen.append(frame)
        while twin.poll_event() is not None:
            pass
        twin.next_timeout()


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32), window=WINDOWS, retries=st.integers(0, 3))
def test_the_same_calls_have_the_same_answers(
    library: ctypes.CDLL, seed: int, window: int, retries: int
) -> None:
    lockstep(library, seed, window, retries)


@pytest.mark.long
def test_the_same_calls_for_long(library: ctypes.CDLL) -> None:
    for seed in range(10_000):
        lockstep(library, seed, 1 + seed % 11 ** (1 + seed % 2) % 255, seed % 4)


def test_what_cannot_be_sent(library: ctypes.CDLL) -> None:
    node = CTransport(library, US)
    payload = bytes(1786)
    assert node.send(0x1100, payload[:8], PEER, 0) == node.send(0x1100, payload, PEER, 0) == BAD_SIZE
    assert node.send(0x1101, payload[:9], PEER, 0) == node.send(0x40000, payload[:9], PEER, 0) == BAD_PGN
    assert node.send(0x1100, payload[:9], US, 0) == node.send(0x1100, payload[:9], 0xFE, 0) == BAD_ADDRESS
    assert [node.send(0xFECA, payload[:9], PEER, 0) for _ in range(65)] == [OK] * 64 + [BUSY]
    assert node.pending(PEER) == 64


def test_what_cannot_be_configured(library: ctypes.CDLL) -> None:
    assert library.node_init_status(US, 1, 7, 1) == OK
    for wrong in ((0xFE, 1, 7, 1), (0xFF, 1, 7, 1), (US, 0, 7, 1), (US, 1, 8, 1), (US, 1, 7, 0)):
        assert library.node_init_status(*wrong) == BAD_CONFIG


def rts_from(source: int, size: int) -> CanFrame:
    return CanFrame(frames.cm_id(US, source), frames.rts(0x1100, size))


def deliver(node: CTransport, source: int, payload: bytes) -> None:
    node.receive(rts_from(source, len(payload)), 0)
    for packet in frames.data_packets(payload):
        node.receive(CanFrame(frames.dt_id(US, source), packet), 0)


def test_a_buffer_that_is_too_small_refuses(library: ctypes.CDLL) -> None:
    node = CTransport(library, US, room=49)
    node.receive(rts_from(PEER, 50), 0)
    frame = node.poll_transmit()
    assert frame is not None
    assert frame.data == frames.abort(0x1100, frames.AbortReason.RESOURCES)
    deliver(node, PEER, bytes(range(49)))
    events = [node.poll_event() for _ in range(3)]
    assert told(events[0]) == (0x1100, PEER, US, AbortedBy.US, 2, 0, False)
    assert events[1:] == [TransferReceived(0x1100, PEER, US, bytes(range(49)), 0, 0), None]


def test_a_payload_keeps_its_buffer_until_it_was_taken(library: ctypes.CDLL) -> None:
    node = CTransport(library, US, max_transfers=1)
    deliver(node, PEER, b"first one")
    deliver(node, PEER, b"other one")  # refused: nobody has taken the first
    events = [event for event in iter(node.poll_event, None) if not isinstance(event, TpViolation)]
    assert [type(event) for event in events] == [TransferReceived, TransferAborted]
    assert isinstance(events[0], TransferReceived)
    assert events[0].payload == b"first one"
    deliver(node, PEER, b"third one")
    third = node.poll_event()
    assert isinstance(third, TransferReceived)
    assert third.payload == b"third one"


def test_what_nobody_polls_is_lost_and_counted(library: ctypes.CDLL) -> None:
    node = CTransport(library, US, max_transfers=1, event_room=1, frame_room=2)
    for number in range(5):
        deliver(node, PEER, b"payload %d" % number)
    assert node.lost_events > 0
    polled = [frame.data[0] for frame in iter(node.poll_transmit, None)]
    assert len(polled) == 2
    assert len(list(iter(node.poll_event, None))) == 1
    deliver(node, PEER, b"the place is free again")
    assert any(isinstance(event, TransferReceived) for event in iter(node.poll_event, None))


def alike(library: ctypes.CDLL, seed: int) -> bool:
    try:
        lockstep(library, seed, 1 + seed % 9, seed % 4)
    except AssertionError:
        return False
    return True


PLANTS = {
    "T2": ("swap_transport.h", "SWAP_TP_T2_US 1250000u", "SWAP_TP_T2_US 1240000u"),
    "hold": ("swap_receiver.c", "tp->config.th / 2", "tp->config.th"),
    "window": (
        "swap_receiver.c",
        "data[4] < tp->config.window ? data[4] : tp->config.window",
        "tp->config.window",
    ),
    "order": ("swap_receiver.c", "number > incoming->end", "number > incoming->end + 1"),
    "retransmission": ("swap_sender.c", "first > outgoing->retried", "first >= outgoing->retried"),
    "skipped packets": ("swap_sender.c", "first > outgoing->sent + 1", "first > outgoing->sent + 2"),
}


@pytest.mark.parametrize("plant", PLANTS)
def test_a_planted_error_is_found(plant: str, tmp_path: Path) -> None:
    name, right, wrong = PLANTS[plant]
    files = dict(c.files(declared(FAMILIES[0])))
    assert right.encode() in files[name], "there is nothing left to be wrong: plant it anew"
    files[name] = files[name].replace(right.encode(), wrong.encode())
    planted = load(files, tmp_path)
    assert any(not alike(planted, seed) for seed in range(200))
