"""Encoders and segmentation against frames recorded on real buses and against each other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swapproto.frame import CanFrame
from swapproto.transport import frames
from swapproto.transport.frames import AbortReason
from swapproto.transport.timing import J1939_21


@pytest.mark.parametrize(
    ("encoded", "recorded"),
    [
        # A BRM of 49 bytes of the 2015 edition, and an abort with a reason byte outside the list.
        (frames.rts(0x0200, 49), "10310007FF000200"),
        (frames.cts(0x0200, 7, 1), "110701FFFF000200"),
        (frames.end_of_msg_ack(0x0200, 49), "13310007FF000200"),
        (frames.bam(0xFECA, 26), "201A0004FFCAFE00"),
        (frames.abort(0x1600, 0xFF), "FFFFFFFFFF001600"),
        (frames.abort(0x1600, AbortReason.TIMEOUT), "FF03FFFFFF001600"),
        (frames.cts_hold(0x0200), "1100FFFFFF000200"),
        (frames.rts(0x1500, 252, limit=3), "10FC002403001500"),
        (frames.rts(0x1F004, 9, packets=200), "100900C8FF04F001"),
    ],
)
def test_control_frames(encoded: bytes, recorded: str) -> None:
    assert encoded.hex().upper() == recorded
    assert frames.packeted_pgn(encoded) == int.from_bytes(bytes.fromhex(recorded)[5:], "little")


def test_identifiers() -> None:
    assert frames.cm_id(0xF4, 0x56) == 0x1CECF456
    assert frames.dt_id(0x56, 0xF4) == 0x1CEB56F4
    assert frames.dt_id(0xFF, 0x0B, priority=6) == 0x18EBFF0B


@pytest.mark.parametrize("number", [-1, 256])
def test_numbers_beyond_a_byte_are_refused(number: int) -> None:
    with pytest.raises(ValueError):
        frames.cts(0x0200, number, 1)


@given(st.binary(min_size=1, max_size=frames.MAX_SIZE))
def test_packets_hold_the_payload(payload: bytes) -> None:
    packets = frames.data_packets(payload)
    assert len(packets) == frames.packet_count(len(payload))
    assert [packet[0] for packet in packets] == list(range(1, len(packets) + 1))
    assert {len(packet) for packet in packets} == {8}
    body = b"".join(packet[1:] for packet in packets)
    assert body[: len(payload)] == payload
    assert set(body[len(payload) :]) <= {0xFF}


@pytest.mark.parametrize("code", range(256))
def test_every_abort_code_has_words(code: int) -> None:
    text = frames.abort_text(code)
    assert text.startswith("reserved") == (code not in set(AbortReason))
    assert str(code) in text or code in set(AbortReason)


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (CanFrame(0x1CECF456, bytes(8)), True),
        (CanFrame(0x18EBFF0B, bytes(8)), True),
        (CanFrame(0x1DECF456, bytes(8)), False),
        (CanFrame(0x1CECF456, remote=True), False),
        (CanFrame(0x1CECF456, bytes(8), extended=False), False),
        (CanFrame(0x1CEDF456, bytes(8)), False),
        (CanFrame(0x7EC, bytes(8), extended=False), False),
    ],
)
def test_what_is_transport(frame: CanFrame, expected: bool) -> None:
    assert frames.is_transport(frame) is expected


def test_silence_leaves_time_for_the_abort_after_the_longest_timer() -> None:
    assert J1939_21.silence == J1939_21.T3 + J1939_21.Tr == 1_450_000_000
