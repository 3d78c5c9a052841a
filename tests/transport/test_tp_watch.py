"""The passive listener, on written traffic and on recordings of real buses."""

import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swapproto.frame import MILLISECOND, CanFrame
from swapproto.transport import frames
from swapproto.transport.events import TpViolation
from swapproto.transport.overheard import Ending, Transfer, Unfinished, WatchEvent
from swapproto.transport.rules import Violation
from swapproto.transport.timing import J1939_21
from swapproto.transport.watch import TransportWatch

BMS, CHARGER, THIRD, ALL = 0xF4, 0x56, 0x27, 0xFF
PGN = 0x1100
PAYLOAD = bytes(range(40))
PACKETS = frames.data_packets(PAYLOAD)

RTS = CanFrame(frames.cm_id(CHARGER, BMS), frames.rts(PGN, 40))
DATA = [CanFrame(frames.dt_id(CHARGER, BMS), packet) for packet in PACKETS]
ACK = CanFrame(frames.cm_id(BMS, CHARGER), frames.end_of_msg_ack(PGN, 40))
OTHER = CanFrame(0x1826F456, bytes(3))


def cts(packets: int, first: int) -> CanFrame:
    return CanFrame(frames.cm_id(BMS, CHARGER), frames.cts(PGN, packets, first))


def hear(*traffic: CanFrame, step: int = MILLISECOND, end: bool = True) -> list[WatchEvent]:
    """Feed frames at steps from 0 on; the last one stands at (len - 1) * step."""
    watch = TransportWatch()
    events: list[WatchEvent] = []
    for number, frame in enumerate(traffic):
        events += watch.receive(frame, number * step)
    if end:
        events += watch.finish(len(traffic) * step)
    return events


def reasons(events: list[WatchEvent]) -> list[Violation]:
    return [event.reason for event in events if isinstance(event, TpViolation)]


def outcomes(events: list[WatchEvent]) -> list[Transfer | Unfinished]:
    return [event for event in events if not isinstance(event, TpViolation)]


def test_a_transfer_is_reported_at_its_acknowledgement_with_the_instant_of_its_last_packet() -> None:
    (event,) = hear(RTS, cts(6, 1), *DATA, OTHER, ACK, end=False)
    assert event == Transfer(PGN, BMS, CHARGER, PAYLOAD, 0, 7 * MILLISECOND, True, 6)
    assert event.complete


def test_broadcast_is_reported_with_its_last_packet() -> None:
    bam = CanFrame(frames.cm_id(ALL, BMS), frames.bam(0xFECA, 40))
    (event,) = hear(bam, *[CanFrame(frames.dt_id(ALL, BMS), packet) for packet in PACKETS], end=False)
    assert event == Transfer(0xFECA, BMS, ALL, PAYLOAD, 0, 6 * MILLISECOND, False, 6)
    assert event.complete


@pytest.mark.parametrize("how", ["end", "silence", "superseded"])
def test_without_acknowledgement_the_payload_comes_once_and_is_marked(how: str) -> None:
    watch = TransportWatch()
    for number, frame in enumerate([RTS, cts(6, 1), *DATA]):
        assert watch.receive(frame, number) == ()
    if how == "silence":
        assert watch.receive(OTHER, 7 + J1939_21.silence) == ()
        events = watch.receive(OTHER, 8 + J1939_21.silence)
    else:
        events = watch.receive(RTS, 100) if how == "superseded" else watch.finish(100)
    (event,) = events
    assert event == Transfer(PGN, BMS, CHARGER, PAYLOAD, 0, 7, False, 6)
    assert not event.complete
    assert not [late for late in watch.finish(10**12) if isinstance(late, Transfer)]


def test_a_silent_transfer_ends_when_its_last_timer_ran_out() -> None:
    events = hear(RTS, cts(6, 1), *DATA[:3], OTHER, OTHER, step=1000 * MILLISECOND)
    (event,) = outcomes(events)
    assert isinstance(event, Unfinished)
    assert (event.ending, event.heard, event.packets) == (Ending.SILENT, 3, 6)
    assert event.at == 4000 * MILLISECOND + J1939_21.silence


@pytest.mark.parametrize("pause", range(0, 20_000, 500))
def test_holds_keep_a_transfer_alive(pause: int) -> None:
    hold = CanFrame(frames.cm_id(BMS, CHARGER), frames.cts_hold(PGN))
    watch = TransportWatch()
    events = [*watch.receive(RTS, 0)]
    for at in range(0, pause, 500):
        events += watch.receive(hold, at * MILLISECOND)
    for frame in (cts(6, 1), *DATA, ACK):
        events += watch.receive(frame, pause * MILLISECOND)
    assert [type(event) for event in events] == [Transfer]


@pytest.mark.parametrize("by", [BMS, CHARGER])
@pytest.mark.parametrize("code", [1, 3, 250, 255])
def test_abort_by_either_party(by: int, code: int) -> None:
    other = CHARGER if by == BMS else BMS
    abort = CanFrame(frames.cm_id(other, by), frames.abort(PGN, code))
    (event,) = hear(RTS, cts(6, 1), *DATA[:2], abort)
    assert isinstance(event, Unfinished)
    assert (event.ending, event.aborted_by, event.code, event.heard) == (Ending.ABORTED, by, code, 2)
    assert event.reason == frames.abort_text(code)


def test_superseded_and_open_at_the_end() -> None:
    first, last = outcomes(hear(RTS, cts(6, 1), *DATA[:2], RTS, cts(6, 1), *DATA[:4]))
    assert isinstance(first, Unfinished)
    assert isinstance(last, Unfinished)
    assert (first.ending, first.heard) == (Ending.SUPERSEDED, 2)
    assert (last.ending, last.heard, last.at) == (Ending.OPEN_AT_END, 4, 10 * MILLISECOND)


def test_retransmission_on_request_is_counted_and_no_violation() -> None:
    (event,) = hear(RTS, cts(6, 1), *DATA, cts(1, 3), DATA[2], ACK)
    assert event == Transfer(PGN, BMS, CHARGER, PAYLOAD, 0, 9 * MILLISECOND, True, 7)


def test_a_packet_lost_on_the_wire_and_sent_again() -> None:
    events = hear(RTS, cts(6, 1), *DATA[:2], *DATA[3:], cts(1, 3), DATA[2], ACK)
    assert reasons(events) == [Violation.WRONG_SEQUENCE]
    (event,) = outcomes(events)
    assert event == Transfer(PGN, BMS, CHARGER, PAYLOAD, 0, 8 * MILLISECOND, True, 6)


def test_a_packet_that_nobody_asked_for_again() -> None:
    events = hear(RTS, cts(6, 1), *DATA[:3], DATA[1], *DATA[3:], ACK)
    assert reasons(events) == [Violation.DUPLICATE]
    (event,) = outcomes(events)
    assert isinstance(event, Transfer)
    assert (event.payload, event.packets) == (PAYLOAD, 7)


def test_acknowledged_but_not_all_heard() -> None:
    events = hear(RTS, cts(6, 1), *DATA[:5], ACK)
    assert reasons(events) == [Violation.ACK_EARLY]
    (event,) = outcomes(events)
    assert isinstance(event, Unfinished)
    assert (event.ending, event.heard) == (Ending.UNHEARD, 5)


def test_joining_in_the_middle() -> None:
    assert reasons(hear(*DATA[3:], ACK)) == [Violation.DATA_ORPHAN] * 3 + [Violation.ACK_ORPHAN]


def test_data_without_any_cts_is_taken_and_noted() -> None:
    events = hear(RTS, *DATA, ACK)
    assert set(reasons(events)) == {Violation.OUTSIDE_WINDOW}
    (event,) = outcomes(events)
    assert isinstance(event, Transfer)
    assert event.payload == PAYLOAD


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (CanFrame(frames.cm_id(CHARGER, BMS), frames.rts(PGN, 8)), Violation.BAD_SIZE),
        (CanFrame(frames.cm_id(CHARGER, BMS), frames.rts(PGN, 40, packets=5)), Violation.PACKET_COUNT),
        (CanFrame(frames.cm_id(CHARGER, 0xFE), frames.rts(PGN, 40)), Violation.BAD_SOURCE),
        (CanFrame(frames.cm_id(ALL, BMS), frames.rts(PGN, 40)), Violation.MISDIRECTED),
        (CanFrame(frames.cm_id(CHARGER, BMS), frames.bam(PGN, 40)), Violation.MISDIRECTED),
        (CanFrame(frames.cm_id(CHARGER, BMS), frames.rts(PGN, 40)[:5]), Violation.FRAME_LENGTH),
        (CanFrame(frames.cm_id(CHARGER, BMS), bytes(8)), Violation.UNKNOWN_CONTROL),
        (CanFrame(frames.cm_id(BMS, CHARGER), frames.cts(0x1500, 1, 1)), Violation.CTS_ORPHAN),
        (CanFrame(frames.cm_id(CHARGER, BMS), frames.cts(PGN, 1, 1)), Violation.CTS_ORPHAN),
        (CanFrame(frames.cm_id(BMS, CHARGER), frames.end_of_msg_ack(0x1500, 40)), Violation.ACK_ORPHAN),
        (CanFrame(frames.cm_id(BMS, CHARGER), frames.abort(0x1500, 3)), Violation.ABORT_ORPHAN),
        (cts(3, 0), Violation.CTS_PACKET),
        (cts(3, 7), Violation.CTS_PACKET),
        (CanFrame(frames.dt_id(CHARGER, BMS), bytes(8)), Violation.PACKET_NUMBER),
        (CanFrame(frames.dt_id(CHARGER, BMS), b"\x07" + bytes(7)), Violation.PACKET_NUMBER),
        (CanFrame(frames.dt_id(CHARGER, BMS), PACKETS[0][:7]), Violation.FRAME_LENGTH),
        (CanFrame(frames.dt_id(CHARGER, BMS), b""), Violation.FRAME_LENGTH),
        (CanFrame(frames.dt_id(CHARGER, THIRD), PACKETS[0]), Violation.DATA_ORPHAN),
        (CanFrame(frames.dt_id(THIRD, BMS), PACKETS[0]), Violation.DATA_ORPHAN),
    ],
)
def test_a_bad_frame_is_noted_and_harms_nothing(frame: CanFrame, reason: Violation) -> None:
    events = hear(RTS, cts(6, 1), frame, *DATA, ACK)
    assert reasons(events) == [reason]
    (event,) = outcomes(events)
    assert isinstance(event, Transfer)
    assert event.complete


def test_content_of_the_frames_around_the_data() -> None:
    sloppy_ack = CanFrame(ACK.id, frames.end_of_msg_ack(PGN, 41))
    sloppy_rts = CanFrame(RTS.id, frames.rts(PGN, 40, limit=0))
    padding = CanFrame(DATA[5].id, PACKETS[5][:6] + bytes(2))
    events = hear(sloppy_rts, cts(255, 1), *DATA[:5], padding, sloppy_ack)
    assert reasons(events) == [
        Violation.RTS_LIMIT,
        Violation.CTS_WINDOW,
        Violation.PADDING,
        Violation.ACK_CONTENT,
    ]
    assert len(outcomes(events)) == 1


def test_memory_is_bounded_and_the_first_started_goes() -> None:
    watch = TransportWatch(max_transfers=10)
    gone: list[WatchEvent] = []
    for source in range(100):
        gone += watch.receive(CanFrame(frames.cm_id(200, source), frames.rts(PGN, 1785)), source)
    assert [(e.source, e.ending) for e in outcomes(gone) if isinstance(e, Unfinished)] == [
        (source, Ending.EVICTED) for source in range(90)
    ]
    assert len(watch.finish(100)) == 10
    assert watch.finish(100) == []


SOURCES = (BMS, THIRD, 0x10, 0x11)


@given(st.permutations([source for source in SOURCES for _ in range(9)]))
def test_interleaved_pairs_do_not_touch(turns: list[int]) -> None:
    queues: dict[int, list[CanFrame]] = {}
    for source in SOURCES:
        payload = bytes([source]) * 40
        back = CanFrame(frames.cm_id(source, CHARGER), frames.cts(PGN, 6, 1))
        data = [CanFrame(frames.dt_id(CHARGER, source), packet) for packet in frames.data_packets(payload)]
        ack = CanFrame(frames.cm_id(source, CHARGER), frames.end_of_msg_ack(PGN, 40))
        queues[source] = [CanFrame(frames.cm_id(CHARGER, source), RTS.data), back, *data, ack]
    events = hear(*[queues[source].pop(0) for source in turns])
    assert {(e.source, e.payload) for e in events if isinstance(e, Transfer) and e.complete} == {
        (source, bytes([source]) * 40) for source in SOURCES
    }
    assert len(events) == len(SOURCES)


CAPTURES = Path(
    os.environ.get("SWAPPROTO_CAPTURES", Path(__file__).resolve().parents[3] / "shared" / "captures")
)


def decode(name: str, *, skip: int = 0, shift: int = 0) -> list[WatchEvent]:
    path = CAPTURES / name
    if not path.exists():
        pytest.skip(f"no recording at {path}")
    watch = TransportWatch()
    events: list[WatchEvent] = []
    now = 0
    for line in path.read_text(encoding="ascii").splitlines()[skip:]:
        stamp, _, text = line.split()
        number, _, data = text.partition("#")
        seconds, _, fraction = stamp.strip("()").partition(".")
        now = int(seconds) * 10**9 + int(fraction.ljust(9, "0")) + shift
        events += watch.receive(CanFrame(int(number, 16), bytes.fromhex(data)), now)
        assert len(watch._open) < 20
    events += watch.finish(now)
    return events


@pytest.mark.captures
@pytest.mark.parametrize("shift", [0, -1_703_000_000 * 10**9, 10**15])
def test_recorded_session_of_2015(shift: int) -> None:
    events = decode("ru5t_candump1_20231225.log", shift=shift)
    assert all(isinstance(event, Transfer) and event.complete for event in events)
    assert Counter(len(event.payload) for event in events if isinstance(event, Transfer)) == {
        49: 1,
        13: 1,
        9: 110,
    }


@pytest.mark.captures
def test_recorded_session_of_2011() -> None:
    events = decode("ontom_bev150_20150424.log")
    transfers = [event for event in events if isinstance(event, Transfer)]
    assert all(event.complete for event in transfers)
    assert Counter(len(event.payload) for event in transfers)[252] == 85
    (aborted,) = [event for event in events if isinstance(event, Unfinished)]
    assert (aborted.ending, aborted.aborted_by, aborted.code) == (Ending.ABORTED, BMS, 0xFF)
    assert Counter(reasons(events)) == {Violation.PADDING: 85, Violation.WRONG_SEQUENCE: 1}


@pytest.mark.captures
def test_recorded_flood() -> None:
    events = decode("j1939_tp_flood.log")
    assert Counter(e.pgn for e in outcomes(events) if isinstance(e, Transfer)) == {0xFECA: 9, 0xFEE3: 2}
    (attacked,) = [e for e in events if isinstance(e, Unfinished) and e.destination != ALL]
    assert (attacked.ending, attacked.code) == (Ending.ABORTED, 0xFF)
    assert Violation.CTS_PACKET in reasons(events)


@pytest.mark.captures
@pytest.mark.parametrize("skip", range(0, 1800, 97))
def test_cutting_the_start_changes_only_what_was_cut(skip: int) -> None:
    whole = outcomes(decode("ru5t_candump1_20231225.log"))
    rest = outcomes(decode("ru5t_candump1_20231225.log", skip=skip))
    assert whole[len(whole) - len(rest) :] == rest
