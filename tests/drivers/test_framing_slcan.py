"""SLCAN lines: what each says, and that a frame is found behind noise."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swapproto.frame import MAX_EXTENDED_ID, MAX_STANDARD_ID, CanFrame
from swapproto_drivers.framing.reader import IDLE, Reader, Reason
from swapproto_drivers.framing.slcan import (
    LONGEST,
    Answer,
    BusErrors,
    Heard,
    Line,
    Refusal,
    SlcanFraming,
    State,
    Status,
    encode,
)

_data = st.binary(max_size=8)
frames = st.one_of(
    st.builds(CanFrame, st.integers(0, MAX_EXTENDED_ID), _data),
    st.builds(CanFrame, st.integers(0, MAX_STANDARD_ID), _data, st.just(False)),
    st.builds(CanFrame, st.integers(0, MAX_EXTENDED_ID), st.just(b""), remote=st.just(True)),
)


def _read(data: bytes, *, stamped: bool = False) -> tuple[list[Line], int]:
    reader: Reader[Line] = Reader(SlcanFraming(stamped=stamped))
    return reader.feed(data, 0), reader.dropped.total()


@pytest.mark.parametrize(
    ("line", "means"),
    [
        (b"t1230\r", Heard(CanFrame(0x123, extended=False))),
        (b"t4563112233\r", Heard(CanFrame(0x456, b"\x11\x22\x33", extended=False))),
        (b"T12ABCDEF2AA55\r", Heard(CanFrame(0x12ABCDEF, b"\xaa\x55"))),
        (b"T12abcdef2aa55\r", Heard(CanFrame(0x12ABCDEF, b"\xaa\x55"))),
        (b"r1238\r", Heard(CanFrame(0x123, extended=False, remote=True))),
        (b"R1801F4563\r", Heard(CanFrame(0x1801F456, remote=True))),
        (b"\r", Answer()),
        (b"z\r", Answer("z")),
        (b"Z\r", Answer("Z")),
        (b"V1013\r", Answer("V1013")),
        (b"\a", Refusal()),
        (b"F00\r", Status(False, False, False, False, False, False, False)),
        (b"F25\r", Status(True, False, True, False, True, False, False)),
        (b"FCA\r", Status(False, True, False, True, False, True, True)),
        (b"sb256256\r", State("b", 256, 256)),
        (b"sa057033\r", State("a", 57, 33)),
        (b"e1a\r", BusErrors("a")),
        (b"e3bcO\r", BusErrors("bcO")),
    ],
)
def test_a_line_says(line: bytes, means: Line) -> None:
    assert _read(line) == ([means], 0)


@pytest.mark.parametrize(
    "line",
    [
        b"t8000\r",
        b"T200000000\r",
        b"t1239\r",
        b"t12318\r",
        b"t12\r",
        b"T1801F4561\r",
        b"t12311122\r",
        b"R1801F456300\r",
        b"\x80\xff\r",
        b"t1230\xff\r",
    ],
)
def test_what_is_no_line_is_dropped_and_the_next_one_read(line: bytes) -> None:
    assert _read(line + b"t1230\r") == ([Heard(CanFrame(0x123, extended=False))], len(line))


def test_a_bell_within_a_line_ends_it() -> None:
    assert _read(b"t12\az\r") == ([Refusal(), Answer("z")], 3)


def test_a_stamp_makes_a_frame_longer() -> None:
    frame = CanFrame(0x11112222, bytes.fromhex("8112233445566778"))
    line = encode(frame)[:-1] + b"EA5F\r"
    assert _read(line, stamped=True) == ([Heard(frame, 59_999)], 0)
    assert _read(line)[0] == []
    assert _read(encode(frame), stamped=True)[0] == []


@given(frames)
def test_what_is_sent_is_read(frame: CanFrame) -> None:
    assert _read(encode(frame)) == ([Heard(frame)], 0)


@given(st.binary(max_size=4096), frames)
@settings(max_examples=200, deadline=None)
def test_a_frame_behind_noise_is_found(noise: bytes, frame: CanFrame) -> None:
    lines, dropped = _read(noise + encode(frame))
    assert lines[-1] == Heard(frame)
    assert dropped <= len(noise)


@given(st.text("0123456789ABCDEFtTrRzZF\r", max_size=300), frames)
@settings(max_examples=200, deadline=None)
def test_nor_does_torn_text_hide_it(noise: str, frame: CanFrame) -> None:
    lines, dropped = _read(noise.encode() + encode(frame))
    assert lines[-1] == Heard(frame)
    assert dropped <= len(noise)


def test_an_endless_line_is_bounded_and_a_half_one_forgotten() -> None:
    reader: Reader[Line] = Reader(SlcanFraming())
    for _ in range(20):
        assert reader.feed(b"0" * 500, 0) == []
        assert reader.pending < LONGEST
    assert reader.dropped[Reason.LENGTH] == 10_000 - reader.pending
    reader.handle_timeout(IDLE)
    assert reader.pending == 0
    assert reader.dropped.total() == 10_000
