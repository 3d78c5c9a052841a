"""Transfers with a peer whose frames the tests write: windows, holds, retries, timers, queues."""

import pytest

from swapproto.errors import LocalProtocolError
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
from swapproto.transport.frames import AbortReason
from swapproto.transport.port import MAX_QUEUED
from swapproto.transport.rules import Violation
from swapproto.transport.timing import J1939_21
from swapproto.transport.tp import Transport

US, PEER, THIRD, ALL = 0x56, 0xF4, 0x27, 0xFF
PGN = 0x1100
PAYLOAD = bytes(range(40))
PACKETS = frames.data_packets(PAYLOAD)


def cm(data: bytes, source: int = PEER, destination: int = US) -> CanFrame:
    return CanFrame(frames.cm_id(destination, source), data)


def dt(data: bytes, source: int = PEER, destination: int = US) -> CanFrame:
    return CanFrame(frames.dt_id(destination, source), data)


def sent(t: Transport) -> list[bytes]:
    out: list[bytes] = []
    while (frame := t.poll_transmit()) is not None:
        assert frame.id & 0xFF == US
        out.append(frame.data)
    return out


def events(t: Transport) -> list[TpEvent]:
    out: list[TpEvent] = []
    while (event := t.poll_event()) is not None:
        out.append(event)
    return out


def violations(t: Transport) -> list[Violation]:
    found = events(t)
    assert all(isinstance(event, TpViolation) for event in found)
    return [event.reason for event in found if isinstance(event, TpViolation)]


def test_receive_in_windows() -> None:
    t = Transport(US, window=4)
    t.receive(cm(frames.rts(PGN, 40)), 10)
    assert sent(t) == [frames.cts(PGN, 4, 1)]
    for packet in PACKETS[:4]:
        t.receive(dt(packet), 20)
    assert sent(t) == [frames.cts(PGN, 2, 5)]
    t.receive(dt(PACKETS[4]), 30)
    assert t.next_timeout() == 30 + J1939_21.T1
    t.receive(dt(PACKETS[5]), 40)
    assert sent(t) == [frames.end_of_msg_ack(PGN, 40)]
    assert events(t) == [TransferReceived(PGN, PEER, US, PAYLOAD, 10, 40)]
    assert t.next_timeout() is None


def test_send_in_windows() -> None:
    t = Transport(US, window=200)
    t.send(PGN, PAYLOAD, PEER, 5)
    assert sent(t) == [frames.rts(PGN, 40, limit=200)]
    t.receive(cm(frames.cts(PGN, 4, 1)), 10)
    assert sent(t) == PACKETS[:4]
    assert t.next_timeout() == 10 + J1939_21.T3
    t.receive(cm(frames.cts(PGN, 2, 5)), 20)
    assert sent(t) == PACKETS[4:]
    assert events(t) == []
    t.receive(cm(frames.end_of_msg_ack(PGN, 40)), 30)
    assert events(t) == [TransferSent(PGN, PEER, PAYLOAD, 5, 30)]


@pytest.mark.parametrize(("size", "packets"), [(9, 2), (14, 2), (15, 3), (1785, 255)])
def test_sizes(size: int, packets: int) -> None:
    t = Transport(US)
    payload = bytes(i & 0xFF for i in range(size))
    t.receive(cm(frames.rts(PGN, size)), 0)
    assert sent(t) == [frames.cts(PGN, packets, 1)]
    for packet in frames.data_packets(payload):
        t.receive(dt(packet), 1)
    assert events(t) == [TransferReceived(PGN, PEER, US, payload, 0, 1)]


@pytest.mark.parametrize("lost", range(1, 7))
def test_a_lost_packet_is_asked_for_again(lost: int) -> None:
    t = Transport(US)
    t.receive(cm(frames.rts(PGN, 40)), 0)
    for packet in PACKETS:
        if packet[0] != lost:
            t.receive(dt(packet), 0)
    if lost == 6:  # nothing shows the gap but silence
        assert sent(t)[1:] == []
        t.handle_timeout(J1939_21.T1 - 1)
        assert sent(t) == []
        t.handle_timeout(J1939_21.T1)
        assert sent(t) == [frames.cts(PGN, 1, 6)]
    else:
        assert violations(t) == [Violation.WRONG_SEQUENCE]
        assert sent(t)[1:] == [frames.cts(PGN, 1, lost)]
    t.receive(dt(PACKETS[lost - 1]), J1939_21.T1 + 1)
    assert sent(t) == [frames.end_of_msg_ack(PGN, 40)]
    assert events(t) == [TransferReceived(PGN, PEER, US, PAYLOAD, 0, J1939_21.T1 + 1)]


def test_gaps_are_filled_one_run_at_a_time() -> None:
    t = Transport(US)
    t.receive(cm(frames.rts(PGN, 40)), 0)
    for number in (2, 5, 6):
        t.receive(dt(PACKETS[number - 1]), 0)
    assert sent(t)[1:] == [frames.cts(PGN, 1, 1)]
    t.receive(dt(PACKETS[0]), 0)
    assert sent(t) == [frames.cts(PGN, 2, 3)]
    t.receive(dt(PACKETS[2]), 0)
    t.receive(dt(PACKETS[3]), 0)
    assert sent(t) == [frames.end_of_msg_ack(PGN, 40)]


def test_silence_after_rts_ends_in_an_abort() -> None:
    t = Transport(US, retries=2)
    t.receive(cm(frames.rts(PGN, 40)), 0)
    for attempt in range(1, 3):
        assert sent(t) == [frames.cts(PGN, 6, 1)]
        t.handle_timeout(attempt * J1939_21.T2)
    assert sent(t) == [frames.cts(PGN, 6, 1)]
    t.handle_timeout(3 * J1939_21.T2)
    assert sent(t) == [frames.abort(PGN, AbortReason.TIMEOUT)]
    (event,) = events(t)
    assert isinstance(event, TransferAborted)
    assert (event.by, event.code, event.sent) == (AbortedBy.TIMEOUT, 3, False)
    assert "packet 1 of 6" in event.reason


def test_a_packet_lost_for_good_ends_in_an_abort() -> None:
    t = Transport(US, retries=2)
    t.receive(cm(frames.rts(PGN, 40)), 0)
    for packet in [PACKETS[0], *PACKETS[2:]]:
        t.receive(dt(packet), 0)
    now = 0
    while (due := t.next_timeout()) is not None:
        now = due
        t.handle_timeout(now)
    assert sent(t)[1:] == [frames.cts(PGN, 1, 2)] * 2 + [frames.abort(PGN, AbortReason.TIMEOUT)]
    assert now == 2 * J1939_21.T2


def test_a_sender_that_always_skips_is_given_up() -> None:
    t = Transport(US, retries=2, window=3)
    t.receive(cm(frames.rts(PGN, 40)), 0)
    t.receive(dt(PACKETS[2]), 0)
    assert sent(t)[1:] == [frames.cts(PGN, 2, 1)]
    t.receive(dt(PACKETS[1]), 0)
    assert sent(t) == [frames.cts(PGN, 1, 1)]
    t.handle_timeout(J1939_21.T2)
    assert sent(t) == [frames.abort(PGN, AbortReason.TIMEOUT)]


def test_hold_and_release() -> None:
    t = Transport(US, window=3)
    t.receive(cm(frames.rts(PGN, 40)), 0)
    t.hold(PEER, 0)
    for packet in PACKETS[:3]:
        t.receive(dt(packet), 0)
    assert sent(t)[1:] == [frames.cts_hold(PGN)]
    now = 0
    for _ in range(20):
        due = t.next_timeout()
        assert due is not None
        assert now < due < now + J1939_21.Th
        now = due
        t.handle_timeout(now)
        assert sent(t) == [frames.cts_hold(PGN)]
    t.release(PEER, now)
    t.release(PEER, now)
    assert sent(t) == [frames.cts(PGN, 3, 4)]
    assert t.next_timeout() == now + J1939_21.T2
    for packet in PACKETS[3:]:
        t.receive(dt(packet), now)
    assert events(t) == [TransferReceived(PGN, PEER, US, PAYLOAD, 0, now)]


def test_a_held_sender_waits_t4_from_each_hold() -> None:
    t = Transport(US)
    t.send(PGN, PAYLOAD, PEER, 0)
    for now in (0, J1939_21.Th, 2 * J1939_21.Th):
        t.receive(cm(frames.cts_hold(PGN)), now)
        assert t.next_timeout() == now + J1939_21.T4
    t.handle_timeout(2 * J1939_21.Th + J1939_21.T4)
    assert sent(t)[1:] == [frames.abort(PGN, AbortReason.TIMEOUT)]


def test_no_answer_to_an_rts() -> None:
    t = Transport(US)
    t.send(PGN, PAYLOAD, PEER, 7)
    assert t.next_timeout() == 7 + J1939_21.T3
    t.handle_timeout(7 + J1939_21.T3)
    assert sent(t)[1:] == [frames.abort(PGN, AbortReason.TIMEOUT)]
    (event,) = events(t)
    assert isinstance(event, TransferAborted)
    assert (event.by, event.code, event.sent, event.at) == (AbortedBy.TIMEOUT, 3, True, 7 + J1939_21.T3)


def test_requests_to_retransmit_are_bounded_for_each_packet() -> None:
    t = Transport(US, retries=2)
    t.send(PGN, PAYLOAD, PEER, 0)
    t.receive(cm(frames.cts(PGN, 6, 1)), 0)
    sent(t)
    for first in (2, 2, 4, 4):
        t.receive(cm(frames.cts(PGN, 1, first)), 0)
        assert sent(t) == [PACKETS[first - 1]]
    t.receive(cm(frames.cts(PGN, 1, 4)), 0)
    assert sent(t) == [frames.abort(PGN, AbortReason.RETRANSMIT_LIMIT)]


def test_packets_of_an_addressed_transfer_keep_their_gap() -> None:
    gap = 10 * MILLISECOND
    t = Transport(US, packet_gap=gap)
    t.send(PGN, PAYLOAD, PEER, 0)
    sent(t)
    t.receive(cm(frames.cts(PGN, 6, 1)), 1000)
    for step, packet in enumerate(PACKETS):
        assert sent(t) == [packet]
        due = t.next_timeout()
        assert due == 1000 + step * gap + (gap if packet is not PACKETS[-1] else J1939_21.T3)
        t.handle_timeout(due - 1)
        assert sent(t) == []
        if packet is not PACKETS[-1]:
            t.handle_timeout(due)


def test_broadcast_out() -> None:
    t = Transport(US)
    t.send(0xFECA, PAYLOAD, ALL, 0)
    assert sent(t) == [frames.bam(0xFECA, 40)]
    for step, packet in enumerate(PACKETS, start=1):
        assert events(t) == []
        assert t.next_timeout() == step * J1939_21.bam_gap_min
        t.handle_timeout(step * J1939_21.bam_gap_min)
        assert sent(t) == [packet]
    assert events(t) == [TransferSent(0xFECA, ALL, PAYLOAD, 0, 6 * J1939_21.bam_gap_min)]
    assert t.next_timeout() is None


def test_broadcast_in_beside_an_addressed_transfer() -> None:
    t = Transport(US)
    other = PAYLOAD[::-1]
    t.receive(cm(frames.bam(0xFECA, 40), destination=ALL), 0)
    t.receive(cm(frames.rts(PGN, 40)), 0)
    for mine, all_of_us in zip(PACKETS, frames.data_packets(other), strict=True):
        t.receive(dt(mine), 1)
        t.receive(dt(all_of_us, destination=ALL), 2)
    assert events(t) == [
        TransferReceived(PGN, PEER, US, PAYLOAD, 0, 1),
        TransferReceived(0xFECA, PEER, ALL, other, 0, 2),
    ]
    assert sent(t) == [frames.cts(PGN, 6, 1), frames.end_of_msg_ack(PGN, 40)]


def test_a_broadcast_with_a_gap_dies_of_silence() -> None:
    t = Transport(US)
    t.receive(cm(frames.bam(PGN, 40), destination=ALL), 0)
    for packet in [*PACKETS[:2], *PACKETS[3:]]:
        t.receive(dt(packet, destination=ALL), 5)
    assert violations(t) == [Violation.WRONG_SEQUENCE]
    t.handle_timeout(5 + J1939_21.T1)
    (event,) = events(t)
    assert isinstance(event, TransferAborted)
    assert event.destination == ALL
    assert "1 of 6 packets missing" in event.reason
    assert sent(t) == []


def test_queue_runs_in_order_and_past_failures() -> None:
    t = Transport(US, max_queue=2)
    payloads = [bytes([n]) * 9 for n in range(4)]
    for n in range(3):
        t.send(PGN + 0x100 * n, payloads[n], PEER, 0)
    with pytest.raises(LocalProtocolError, match="queued"):
        t.send(PGN, payloads[3], PEER, 0)
    t.send(PGN, payloads[3], THIRD, 0)
    assert (t.pending(PEER), t.pending(THIRD), t.pending(1)) == (3, 1, 0)
    assert sent(t) == [frames.rts(PGN, 9), frames.rts(PGN, 9)]
    t.receive(cm(frames.abort(PGN, 1)), 1)
    assert sent(t) == [frames.rts(PGN + 0x100, 9)]
    t.handle_timeout(1 + J1939_21.T3)
    assert frames.rts(PGN + 0x200, 9) in sent(t)
    t.receive(cm(frames.cts(PGN + 0x200, 2, 1)), 2 + J1939_21.T3)
    t.receive(cm(frames.end_of_msg_ack(PGN + 0x200, 9)), 3 + J1939_21.T3)
    assert t.pending(PEER) == 1, "the acknowledgement came before the packets were handed out"
    assert sent(t) == frames.data_packets(payloads[2])
    t.receive(cm(frames.end_of_msg_ack(PGN + 0x200, 9)), 4 + J1939_21.T3)
    assert t.pending(PEER) == 0
    ends = [e for e in events(t) if isinstance(e, TransferSent)]
    assert [e.payload for e in ends] == [payloads[2]]


def test_windows_to_two_peers_go_out_by_turns() -> None:
    t = Transport(US)
    for peer in (PEER, THIRD):
        t.send(PGN, PAYLOAD, peer, 0)
        t.receive(cm(frames.cts(PGN, 6, 1), source=peer), 0)
    order: list[int] = []
    while (frame := t.poll_transmit()) is not None:
        if frame.id >> 16 & 0xFF == frames.TP_DT:
            order.append(frame.id >> 8 & 0xFF)
    assert order == [PEER, THIRD] * 6


def test_an_abort_stops_packets_not_yet_handed_out() -> None:
    t = Transport(US)
    t.send(PGN, PAYLOAD, PEER, 0)
    sent(t)
    t.receive(cm(frames.cts(PGN, 6, 1)), 0)
    assert t.poll_transmit() is not None
    t.receive(cm(frames.abort(PGN, 2)), 0)
    assert sent(t) == []


def test_an_abort_ends_both_directions_of_its_pgn() -> None:
    t = Transport(US)
    t.send(PGN, PAYLOAD, PEER, 0)
    t.receive(cm(frames.rts(PGN, 40)), 0)
    t.receive(cm(frames.abort(PGN, 2)), 0)
    assert [e.sent for e in events(t) if isinstance(e, TransferAborted)] == [False, True]


def test_a_newcomer_is_refused_and_what_runs_goes_on() -> None:
    t = Transport(US, max_transfers=1)
    t.receive(cm(frames.rts(PGN, 40)), 0)
    t.receive(cm(frames.bam(PGN, 40), destination=ALL), 0)
    sent(t)
    t.receive(cm(frames.rts(PGN, 40), source=THIRD), 0)
    t.receive(cm(frames.bam(PGN, 40), source=THIRD, destination=ALL), 0)
    refused = events(t)
    assert [(type(e), e.code, e.by) for e in refused if isinstance(e, TransferAborted)] == [
        (TransferAborted, AbortReason.RESOURCES, AbortedBy.US)
    ] * 2
    assert sent(t) == [frames.abort(PGN, AbortReason.RESOURCES)]
    for packet in PACKETS:
        t.receive(dt(packet), 0)
        t.receive(dt(packet, destination=ALL), 0)
    assert [e.payload for e in events(t) if isinstance(e, TransferReceived)] == [PAYLOAD, PAYLOAD]


def test_bad_padding_and_a_short_last_packet_are_noted_and_taken() -> None:
    t = Transport(US)
    for last, noted in (
        (PACKETS[5][:6] + b"\x00\xff", Violation.PADDING),
        (PACKETS[5][:6], Violation.FRAME_LENGTH),
    ):
        t.receive(cm(frames.rts(PGN, 40)), 0)
        for packet in [*PACKETS[:5], last]:
            t.receive(dt(packet), 0)
        violation, received = events(t)
        assert isinstance(violation, TpViolation)
        assert isinstance(received, TransferReceived)
        assert (violation.reason, received.payload) == (noted, PAYLOAD)
    t.receive(cm(frames.rts(PGN, 40)), 0)
    for packet in [*PACKETS[:5], PACKETS[5][:5]]:
        t.receive(dt(packet), 0)
    assert violations(t) == [Violation.FRAME_LENGTH], "five bytes where six are needed"


@pytest.mark.parametrize("source", [0xFE, 0xFF])
def test_control_frames_from_no_address(source: int) -> None:
    t = Transport(US)
    t.send(PGN, PAYLOAD, ALL, 0)
    sent(t)
    for data in (
        frames.rts(PGN, 40),
        frames.cts(PGN, 1, 1),
        frames.end_of_msg_ack(PGN, 40),
        frames.abort(PGN, 3),
    ):
        t.receive(cm(data, source=source), 0)
    assert violations(t) == [Violation.BAD_SOURCE] * 4
    assert sent(t) == []
    assert t.pending(ALL) == 1


@pytest.mark.parametrize(
    ("pgn", "size", "destination"),
    [
        (PGN, 8, PEER),
        (PGN, 1786, PEER),
        (PGN, 0, ALL),
        (0x1101, 9, PEER),
        (0x40000, 9, PEER),
        (-1, 9, PEER),
        (PGN, 9, US),
        (PGN, 9, 0xFE),
        (PGN, 9, 256),
        (PGN, 9, -1),
    ],
)
def test_calls_that_cannot_be(pgn: int, size: int, destination: int) -> None:
    t = Transport(US)
    with pytest.raises(LocalProtocolError):
        t.send(pgn, bytes(size), destination, 0)
    assert sent(t) == []
    assert t.next_timeout() is None


@pytest.mark.parametrize(
    "make",
    [
        lambda: Transport(0xFE),
        lambda: Transport(-1),
        lambda: Transport(US, window=0),
        lambda: Transport(US, window=256),
        lambda: Transport(US, priority=8),
        lambda: Transport(US, packet_gap=-1),
        lambda: Transport(US, bam_gap=0),
    ],
)
def test_endpoints_that_cannot_be(make: object) -> None:
    assert callable(make)
    with pytest.raises(LocalProtocolError):
        make()


def test_a_caller_who_never_polls_costs_bounded_memory() -> None:
    t = Transport(US)
    for _ in range(MAX_QUEUED + 100):
        t.receive(cm(frames.rts(PGN, 8)), 0)
    assert t.lost_events == 100
    assert len(events(t)) == len(sent(t)) == MAX_QUEUED
