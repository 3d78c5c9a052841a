"""Every control frame and kind of packet in every state of an endpoint: what it says, sends, and reports."""

from collections.abc import Callable

import pytest

from swapproto.frame import MILLISECOND, CanFrame
from swapproto.transport import frames
from swapproto.transport.events import TpViolation, TransferAborted, TransferReceived, TransferSent
from swapproto.transport.frames import Control
from swapproto.transport.tp import Transport

US, PEER, ALL = 0x56, 0xF4, 0xFF
PGN, OTHER_PGN = 0x1100, 0x1500
PAYLOAD = bytes(range(40))  # 6 packets, the last one with two bytes of padding
PACKETS = frames.data_packets(PAYLOAD)
GAP = 10 * MILLISECOND


def cm(data: bytes, destination: int = US) -> CanFrame:
    return CanFrame(frames.cm_id(destination, PEER), data)


def dt(data: bytes, destination: int = US) -> CanFrame:
    return CanFrame(frames.dt_id(destination, PEER), data)


def idle(_: Transport) -> None:
    pass


def rts_sent(t: Transport) -> None:
    t.send(PGN, PAYLOAD, PEER, 0)


def sending(t: Transport) -> None:
    """Two of three packets of the first window are out."""
    rts_sent(t)
    drain(t)
    t.receive(cm(frames.cts(PGN, 3, 1)), 0)
    assert t.poll_transmit() is not None
    t.handle_timeout(GAP)
    assert t.poll_transmit() is not None


def window_sent(t: Transport) -> None:
    sending(t)
    t.handle_timeout(2 * GAP)


def held(t: Transport) -> None:
    window_sent(t)
    drain(t)
    t.receive(cm(frames.cts_hold(PGN)), 2 * GAP)


def all_sent(t: Transport) -> None:
    window_sent(t)
    drain(t)
    t.receive(cm(frames.cts(PGN, 3, 4)), 3 * GAP)
    for step in (4, 5):
        drain(t)
        t.handle_timeout(step * GAP)


def receiving(t: Transport) -> None:
    """Packets 1 to 3 are asked for, and 1 has come."""
    t.receive(cm(frames.rts(PGN, len(PAYLOAD), limit=3)), 0)
    t.receive(dt(PACKETS[0]), 0)


def holding(t: Transport) -> None:
    t.hold(PEER, 0)
    t.receive(cm(frames.rts(PGN, len(PAYLOAD), limit=3)), 0)


def broadcast_coming(t: Transport) -> None:
    t.receive(cm(frames.bam(PGN, len(PAYLOAD)), ALL), 0)
    t.receive(dt(PACKETS[0], ALL), 0)


def broadcast_going(t: Transport) -> None:
    t.send(PGN, PAYLOAD, ALL, 0)


STATES: list[Callable[[Transport], None]] = [
    idle, rts_sent, sending, window_sent, held, all_sent, receiving, holding, broadcast_coming,
    broadcast_going,
]  # fmt: skip

INPUTS = {
    "RTS": cm(frames.rts(PGN, len(PAYLOAD), limit=2)),
    "RTS other": cm(frames.rts(OTHER_PGN, 9)),
    "RTS 8 bytes": cm(frames.rts(PGN, 8)),
    "RTS 1786 bytes": cm(frames.rts(PGN, 1786, packets=255)),
    "RTS count": cm(frames.rts(PGN, 40, packets=7)),
    "RTS limit 0": cm(frames.rts(PGN, 40, limit=0)),
    "RTS to all": cm(frames.rts(PGN, 40), ALL),
    "CTS 3,1": cm(frames.cts(PGN, 3, 1)),
    "CTS 3,4": cm(frames.cts(PGN, 3, 4)),
    "CTS 9,1": cm(frames.cts(PGN, 9, 1)),
    "CTS 2,0": cm(frames.cts(PGN, 2, 0)),
    "CTS 1,7": cm(frames.cts(PGN, 1, 7)),
    "CTS hold": cm(frames.cts_hold(PGN)),
    "CTS other": cm(frames.cts(OTHER_PGN, 3, 1)),
    "CTS to all": cm(frames.cts(PGN, 3, 1), ALL),
    "ACK": cm(frames.end_of_msg_ack(PGN, 40)),
    "ACK size": cm(frames.end_of_msg_ack(PGN, 41)),
    "ACK other": cm(frames.end_of_msg_ack(OTHER_PGN, 40)),
    "BAM": cm(frames.bam(PGN, 40), ALL),
    "BAM 8 bytes": cm(frames.bam(PGN, 8), ALL),
    "BAM to us": cm(frames.bam(PGN, 40)),
    "abort": cm(frames.abort(PGN, 2)),
    "abort FF": cm(frames.abort(PGN, 0xFF)),
    "abort other": cm(frames.abort(OTHER_PGN, 3)),
    "abort to all": cm(frames.abort(PGN, 3), ALL),
    "control 0": cm(bytes((0,)) + frames.rts(PGN, 40)[1:]),
    "short control": cm(frames.rts(PGN, 40)[:7]),
    "empty control": cm(b""),
    "DT 1": dt(PACKETS[0]),
    "DT 2": dt(PACKETS[1]),
    "DT 3": dt(PACKETS[2]),
    "DT 4": dt(PACKETS[3]),
    "DT 0": dt(bytes(8)),
    "DT 7": dt(bytes((7,)) + bytes(7)),
    "DT short": dt(PACKETS[1][:5]),
    "DT empty": dt(b""),
    "DT 2 to all": dt(PACKETS[1], ALL),
}


def drain(t: Transport) -> list[str]:
    sent: list[str] = []
    while (frame := t.poll_transmit()) is not None:
        data = frame.data
        if frame.id >> 16 & 0xFF == frames.TP_DT:
            sent.append(f">DT {data[0]}")
        elif data[0] == Control.CTS:
            sent.append(f">CTS {data[1]},{data[2]}" if data[1] else ">hold")
        elif data[0] == Control.ABORT:
            sent.append(f">abort {data[1]}")
        else:
            sent.append(f">{Control(data[0]).name}")
    return sent


def reported(t: Transport) -> list[str]:
    words: list[str] = []
    while (event := t.poll_event()) is not None:
        match event:
            case TpViolation():
                words.append(event.reason.name)
            case TransferAborted():
                words.append(f"{'sending' if event.sent else 'receiving'} ended by {event.by}: {event.code}")
            case TransferReceived():
                assert event.payload == PAYLOAD
                words.append("received")
            case TransferSent():
                assert event.payload == PAYLOAD
                words.append("sent")
    return words


# What a frame brings about where no transfer is concerned ...
ANYWHERE = {
    "RTS": ">CTS 2,1",
    "RTS other": ">CTS 2,1",
    "RTS 8 bytes": "BAD_SIZE; >abort 250",
    "RTS 1786 bytes": "BAD_SIZE; >abort 9",
    "RTS count": "PACKET_COUNT; >abort 250",
    "RTS limit 0": "RTS_LIMIT; >CTS 1,1",
    "RTS to all": "MISDIRECTED",
    "CTS 3,1": "CTS_ORPHAN",
    "CTS 3,4": "CTS_ORPHAN",
    "CTS 9,1": "CTS_ORPHAN",
    "CTS 2,0": "CTS_ORPHAN",
    "CTS 1,7": "CTS_ORPHAN",
    "CTS hold": "CTS_ORPHAN",
    "CTS other": "CTS_ORPHAN",
    "CTS to all": "MISDIRECTED",
    "ACK": "ACK_ORPHAN",
    "ACK size": "ACK_ORPHAN",
    "ACK other": "ACK_ORPHAN",
    "BAM": "",
    "BAM 8 bytes": "BAD_SIZE",
    "BAM to us": "MISDIRECTED",
    "abort": "ABORT_ORPHAN",
    "abort FF": "ABORT_ORPHAN",
    "abort other": "ABORT_ORPHAN",
    "abort to all": "MISDIRECTED",
    "control 0": "UNKNOWN_CONTROL",
    "short control": "FRAME_LENGTH",
    "empty control": "FRAME_LENGTH",
    "DT 1": "DATA_ORPHAN",
    "DT 2": "DATA_ORPHAN",
    "DT 3": "DATA_ORPHAN",
    "DT 4": "DATA_ORPHAN",
    "DT 0": "DATA_ORPHAN",
    "DT 7": "DATA_ORPHAN",
    "DT short": "DATA_ORPHAN",
    "DT empty": "DATA_ORPHAN",
    "DT 2 to all": "DATA_ORPHAN",
}
# ... and where one is.
EXCEPT = {
    ("receiving", "RTS"): "receiving ended by peer: None; >CTS 2,1",
    ("holding", "RTS"): "receiving ended by peer: None; >hold",
    ("receiving", "RTS other"): "receiving ended by peer: None; >CTS 2,1",
    ("holding", "RTS other"): "receiving ended by peer: None; >hold",
    ("receiving", "RTS 8 bytes"): "BAD_SIZE",
    ("holding", "RTS 8 bytes"): "BAD_SIZE",
    ("receiving", "RTS 1786 bytes"): "BAD_SIZE",
    ("holding", "RTS 1786 bytes"): "BAD_SIZE",
    ("receiving", "RTS count"): "PACKET_COUNT",
    ("holding", "RTS count"): "PACKET_COUNT",
    ("receiving", "RTS limit 0"): "receiving ended by peer: None; RTS_LIMIT; >CTS 1,1",
    ("holding", "RTS limit 0"): "receiving ended by peer: None; RTS_LIMIT; >hold",
    ("rts_sent", "CTS 3,1"): ">DT 1",
    ("sending", "CTS 3,1"): "CTS_WHILE_SENDING",
    ("window_sent", "CTS 3,1"): ">DT 1",
    ("held", "CTS 3,1"): ">DT 1",
    ("all_sent", "CTS 3,1"): ">DT 1",
    ("rts_sent", "CTS 3,4"): "CTS_PACKET",
    ("sending", "CTS 3,4"): "CTS_WHILE_SENDING; sending ended by us: 4; >abort 4",
    ("window_sent", "CTS 3,4"): ">DT 4",
    ("held", "CTS 3,4"): ">DT 4",
    ("all_sent", "CTS 3,4"): ">DT 4",
    ("rts_sent", "CTS 9,1"): "CTS_WINDOW; >DT 1",
    ("sending", "CTS 9,1"): "CTS_WHILE_SENDING; sending ended by us: 4; >abort 4",
    ("window_sent", "CTS 9,1"): "CTS_WINDOW; >DT 1",
    ("held", "CTS 9,1"): "CTS_WINDOW; >DT 1",
    ("all_sent", "CTS 9,1"): "CTS_WINDOW; >DT 1",
    ("rts_sent", "CTS 2,0"): "CTS_PACKET",
    ("sending", "CTS 2,0"): "CTS_PACKET",
    ("window_sent", "CTS 2,0"): "CTS_PACKET",
    ("held", "CTS 2,0"): "CTS_PACKET",
    ("all_sent", "CTS 2,0"): "CTS_PACKET",
    ("rts_sent", "CTS 1,7"): "CTS_PACKET",
    ("sending", "CTS 1,7"): "CTS_PACKET",
    ("window_sent", "CTS 1,7"): "CTS_PACKET",
    ("held", "CTS 1,7"): "CTS_PACKET",
    ("all_sent", "CTS 1,7"): "CTS_PACKET",
    ("rts_sent", "CTS hold"): "",
    ("sending", "CTS hold"): "CTS_WHILE_SENDING; sending ended by us: 4; >abort 4",
    ("window_sent", "CTS hold"): "",
    ("held", "CTS hold"): "",
    ("all_sent", "CTS hold"): "",
    ("rts_sent", "ACK"): "ACK_EARLY",
    ("sending", "ACK"): "ACK_EARLY",
    ("window_sent", "ACK"): "ACK_EARLY",
    ("held", "ACK"): "ACK_EARLY",
    ("all_sent", "ACK"): "sent",
    ("rts_sent", "ACK size"): "ACK_EARLY",
    ("sending", "ACK size"): "ACK_EARLY",
    ("window_sent", "ACK size"): "ACK_EARLY",
    ("held", "ACK size"): "ACK_EARLY",
    ("all_sent", "ACK size"): "ACK_CONTENT; sent",
    ("broadcast_coming", "BAM"): "receiving ended by peer: None",
    ("rts_sent", "abort"): "sending ended by peer: 2",
    ("sending", "abort"): "sending ended by peer: 2",
    ("window_sent", "abort"): "sending ended by peer: 2",
    ("held", "abort"): "sending ended by peer: 2",
    ("all_sent", "abort"): "sending ended by peer: 2",
    ("receiving", "abort"): "receiving ended by peer: 2",
    ("holding", "abort"): "receiving ended by peer: 2",
    ("rts_sent", "abort FF"): "sending ended by peer: 255",
    ("sending", "abort FF"): "sending ended by peer: 255",
    ("window_sent", "abort FF"): "sending ended by peer: 255",
    ("held", "abort FF"): "sending ended by peer: 255",
    ("all_sent", "abort FF"): "sending ended by peer: 255",
    ("receiving", "abort FF"): "receiving ended by peer: 255",
    ("holding", "abort FF"): "receiving ended by peer: 255",
    ("receiving", "DT 1"): "DUPLICATE",
    ("holding", "DT 1"): "OUTSIDE_WINDOW",
    ("receiving", "DT 2"): "",
    ("holding", "DT 2"): "OUTSIDE_WINDOW",
    ("receiving", "DT 3"): "WRONG_SEQUENCE; >CTS 1,2",
    ("holding", "DT 3"): "OUTSIDE_WINDOW",
    ("receiving", "DT 4"): "OUTSIDE_WINDOW",
    ("holding", "DT 4"): "OUTSIDE_WINDOW",
    ("receiving", "DT 0"): "PACKET_NUMBER",
    ("holding", "DT 0"): "PACKET_NUMBER",
    ("receiving", "DT 7"): "PACKET_NUMBER",
    ("holding", "DT 7"): "PACKET_NUMBER",
    ("receiving", "DT short"): "FRAME_LENGTH",
    ("holding", "DT short"): "FRAME_LENGTH",
    ("receiving", "DT empty"): "FRAME_LENGTH",
    ("holding", "DT empty"): "FRAME_LENGTH",
    ("broadcast_coming", "DT 2 to all"): "",
}


def outcome(state: Callable[[Transport], None], frame: CanFrame) -> tuple[str, Transport]:
    transport = Transport(US, packet_gap=GAP)
    state(transport)
    drain(transport)
    assert reported(transport) == []
    assert transport.receive(frame, 6 * GAP)
    sent = drain(transport)
    return "; ".join(reported(transport) + sent), transport


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_every_frame_in_every_state(state: Callable[[Transport], None], name: str) -> None:
    said, transport = outcome(state, INPUTS[name])
    assert said == EXCEPT.get((state.__name__, name), ANYWHERE[name])
    transport.release(PEER, 6 * GAP)
    for _ in range(50):
        drain(transport)
        if (due := transport.next_timeout()) is None:
            break
        transport.handle_timeout(due)
    assert transport.next_timeout() is None, "a transfer that nobody goes on with must end"
    assert transport.pending(PEER) == transport.pending(ALL) == 0


def test_the_table_names_only_what_exists() -> None:
    assert ANYWHERE.keys() == INPUTS.keys()
    states = {state.__name__ for state in STATES}
    assert all(state in states and name in INPUTS for state, name in EXCEPT)


@pytest.mark.parametrize("name", INPUTS)
def test_frames_of_others_and_echoes_are_left_alone(name: str) -> None:
    transport = Transport(US)
    transport.send(PGN, PAYLOAD, PEER, 0)
    drain(transport)
    frame = INPUTS[name]
    to_other = CanFrame(frame.id & ~0xFF00 | 0x5700, frame.data)
    echo = CanFrame(frame.id & ~0xFF | US, frame.data)
    single = CanFrame(0x1826F456, frame.data)
    standard = CanFrame(0x7EC, frame.data, extended=False)
    remote = CanFrame(frame.id, remote=True)
    for foreign in (to_other, echo, single, standard, remote):
        assert not transport.receive(foreign, 0)
    assert reported(transport) == drain(transport) == []
