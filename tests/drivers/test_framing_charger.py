"""The charger link's framing: no prefix hides a good frame, and every byte is counted."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swapproto.errors import LocalProtocolError
from swapproto_drivers.framing.charger_link import (
    ANSWERS,
    LONGEST,
    MEANINGS,
    SHORTEST,
    START,
    ChargerFrame,
    ChargerFraming,
    encode,
)
from swapproto_drivers.framing.reader import IDLE, Reader, Reason

frames = st.builds(
    ChargerFrame,
    st.integers(0, 0xFFFF),
    st.binary(max_size=200) | st.lists(st.sampled_from([START, b"\xaa", b"x"]), max_size=40).map(b"".join),
    st.integers(0, 255),
    st.integers(0, 255),
)
# Noise that looks like frames: starts, lengths that reach far, whole frames cut short.
tokens = st.one_of(
    st.binary(max_size=30),
    st.just(START),
    st.tuples(st.just(START), st.integers(0, 0xFFFF).map(lambda n: n.to_bytes(2, "little"))).map(b"".join),
    st.tuples(frames.map(encode), st.integers(0, 20)).map(lambda cut: cut[0][: -cut[1] or None]),
)
noise = st.lists(tokens, max_size=40).map(lambda parts: b"".join(parts)[:LONGEST])


def _reader() -> Reader[ChargerFrame]:
    return Reader(ChargerFraming())


def _read(reader: Reader[ChargerFrame], chunks: Iterable[bytes]) -> list[ChargerFrame]:
    found: list[ChargerFrame] = []
    for chunk in chunks:
        found += reader.feed(chunk, 0)
        assert reader.pending < LONGEST
    return found + reader.handle_timeout(IDLE)


def _cut(data: bytes, at: Iterable[int]) -> list[bytes]:
    cuts = sorted({0, *(n % (len(data) + 1) for n in at), len(data)})
    return [data[a:b] for a, b in pairwise(cuts)]


def test_the_bytes_of_a_frame() -> None:
    frame = ChargerFrame(command=8, body=b"\x01\x02", sequence=3, info=4)
    assert encode(frame).hex(" ") == "aa f5 0b 00 04 03 08 00 01 02 0b"
    assert _read(_reader(), [encode(frame)]) == [frame]
    assert str(frame) == "8 (start charge) sequence 3: 01 02"


def test_a_command_has_the_meaning_of_its_answer() -> None:
    assert {MEANINGS[ask] == MEANINGS[answer] for ask, answer in ANSWERS.items()} == {True}


@pytest.mark.parametrize(
    "frame",
    [
        ChargerFrame(0x10000),
        ChargerFrame(-1),
        ChargerFrame(1, sequence=256),
        ChargerFrame(1, info=256),
        ChargerFrame(1, bytes(LONGEST - SHORTEST + 1)),
    ],
)
def test_what_does_not_fit_is_refused(frame: ChargerFrame) -> None:
    with pytest.raises(LocalProtocolError, match="charger link"):
        encode(frame)


def test_the_longest_frame_passes() -> None:
    frame = ChargerFrame(301, bytes(LONGEST - SHORTEST))
    assert _read(_reader(), [encode(frame)]) == [frame]


@given(noise | st.binary(max_size=LONGEST), frames, st.lists(st.integers(0, LONGEST), max_size=8))
@settings(max_examples=150, deadline=None)
def test_a_good_frame_behind_any_prefix_is_found(prefix: bytes, frame: ChargerFrame, at: list[int]) -> None:
    reader = _reader()
    data = prefix + encode(frame)
    # A false frame that passes the check may swallow it; such a frame is a frame to every reader.
    found = _read(reader, _cut(data, at))
    spans = sum(SHORTEST + len(one.body) for one in found)
    assert reader.dropped.total() + spans == len(data)
    assert reader.pending == 0
    if found[-1:] != [frame]:
        assert any(encode(frame)[:-1] in encode(one) or _overlaps(data, one, frame) for one in found)


def _overlaps(data: bytes, other: ChargerFrame, frame: ChargerFrame) -> bool:
    """Whether a frame with a good checksum begins before the real one and ends inside of it or with it."""
    begin, size = len(data) - len(encode(frame)), len(encode(other))
    return any(data[n : n + size] == encode(other) and n + size > begin for n in range(begin))


@given(st.binary(max_size=LONGEST).filter(lambda prefix: START not in prefix), frames)
@settings(max_examples=100, deadline=None)
def test_behind_a_prefix_without_start_it_is_found_at_once(prefix: bytes, frame: ChargerFrame) -> None:
    prefix = prefix.rstrip(b"\xaa")
    reader = _reader()
    assert reader.feed(prefix + encode(frame), 0) == [frame]
    assert (reader.dropped.total(), reader.units, reader.ambiguous) == (len(prefix), 1, bool(prefix))


@given(st.lists(frames, max_size=6), st.lists(st.integers(0, 2000), max_size=12))
@settings(max_examples=100, deadline=None)
def test_clean_frames_pass_however_they_are_cut(sent: list[ChargerFrame], at: list[int]) -> None:
    reader = _reader()
    found: list[ChargerFrame] = []
    for chunk in _cut(b"".join(map(encode, sent)), at):
        found += reader.feed(chunk, 0)
    assert found == sent
    assert (reader.dropped.total(), reader.ambiguous) == (0, 0)


def test_a_false_length_holds_a_frame_only_until_silence() -> None:
    reader = _reader()
    frame = ChargerFrame(101, b"beat")
    assert reader.feed(START + LONGEST.to_bytes(2, "little") + encode(frame), 0) == []
    assert reader.next_timeout() == IDLE
    assert reader.handle_timeout(IDLE - 1) == []
    assert reader.handle_timeout(IDLE) == [frame]
    assert reader.next_timeout() is None
    assert reader.dropped == {Reason.CUT: 1, Reason.NO_START: 3}


def test_half_a_frame_waits_for_a_late_reader_but_not_through_silence() -> None:
    frame = ChargerFrame(101, b"beat")
    whole = encode(frame)
    reader = _reader()
    assert reader.feed(whole[:5], 0) == []
    assert reader.feed(whole[5:], 10 * IDLE) == [frame]
    assert reader.feed(whole[:5], 10 * IDLE) == []
    assert reader.handle_timeout(20 * IDLE) == []
    assert (reader.pending, reader.dropped.total()) == (0, 5)
    assert reader.feed(whole, 20 * IDLE) == [frame]


@pytest.mark.parametrize("bit", range(8 * 13))
def test_a_flipped_bit_is_noticed_or_outside_the_checksum(bit: int) -> None:
    frame = ChargerFrame(101, b"beat")
    damaged = bytearray(encode(frame))
    damaged[bit // 8] ^= 1 << bit % 8
    follower = ChargerFrame(102)
    found = _read(_reader(), [bytes(damaged) + encode(follower)])
    assert found[-1] == follower
    assert frame not in found
    # Only info and sequence are outside of the checksum.
    assert (len(found) == 2) == (bit // 8 in {4, 5})


def test_reset_drops_what_waits() -> None:
    reader = _reader()
    reader.feed(START, 0)
    reader.reset()
    assert (reader.pending, reader.dropped) == (0, {Reason.CUT: 2})
