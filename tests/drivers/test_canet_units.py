"""The 13-byte units: codec, and the reader behind noise, cuts and silence."""

import os
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from swapproto.frame import CanFrame
from swapproto.link import LinkEvent, LinkEventKind
from swapproto.trace.candump import read_candump
from swapproto_drivers.canet_units import (
    CONFIRM,
    IDLE,
    MAX_PENDING,
    PATIENCE,
    RECOVERY,
    RIVAL,
    UNIT,
    Units,
    pack_unit,
    read_unit,
)

CAPTURES = Path(os.environ.get("SWAPPROTO_CAPTURES", Path(__file__).parents[3] / "shared" / "captures"))

BCL = CanFrame(0x181056F4, bytes.fromhex("5217820F02"))
BCL_UNIT = bytes.fromhex("85181056F4 5217820F02 000000")


@st.composite
def _frames(draw: st.DrawFn) -> CanFrame:
    extended = draw(st.booleans())
    can_id = draw(st.integers(0, 0x1FFF_FFFF if extended else 0x7FF))
    remote = draw(st.booleans())
    data = bytes(draw(st.integers(0, 8))) if remote else draw(st.binary(max_size=8))
    return CanFrame(can_id, data, extended, remote)


def _traffic(seed: int, count: int, *, sparse: bool = False) -> list[CanFrame]:
    """Frames as on a J1939 bus; sparse ones are full of bytes that look well at any place of a unit."""
    random = Random(seed)
    if not sparse:
        prefixes = (0x18, 0x1C, 0x10)
        return [
            CanFrame(
                random.choice(prefixes) << 24 | random.randrange(1 << 24),
                random.randbytes(random.choice((2, 5, 8, 8, 8))),
            )
            for _ in range(count)
        ]
    alphabet = bytes.fromhex("000000 0102050880 88FF")
    frames: list[CanFrame] = []
    for _ in range(count):
        data = bytes(random.choices(alphabet, k=random.choice((0, 1, 2, 5, 8, 8))))
        if random.random() < 0.7:
            prefix = random.choice((0, 1, 8, 0x18, 0x1C))
            frames.append(CanFrame(int.from_bytes(bytes([prefix, *random.choices(alphabet, k=3)])), data))
        else:
            frames.append(CanFrame(random.choice((0, 1, 8, 0x88, 0x7FF)), data, extended=False))
    return frames


def _possible(unit: bytes) -> bool:
    """The rule of a unit, told once more."""
    head, can_id, data = unit[0], int.from_bytes(unit[1:5]), unit[5:]
    length = head % 16
    return (
        head // 16 in {0, 4, 8, 12}
        and length <= 8
        and can_id < (1 << 29 if head >= 128 else 1 << 11)
        and not any(data[0 if head & 64 else length :])
    )


def _clean(stream: bytes) -> bool:
    """Whether each other alignment shows an impossible unit among any RIVAL in a row."""
    for shift in range(1, UNIT):
        run = 0
        for at in range(shift, len(stream) - UNIT + 1, UNIT):
            run = run + 1 if _possible(stream[at : at + UNIT]) else 0
            if run == RIVAL:
                return False
    return True


_noise = st.one_of(
    st.binary(max_size=60),
    st.builds(lambda seed, size: Random(seed).randbytes(size), st.integers(0, 1 << 32), st.integers(0, 4096)),
    st.builds(
        lambda byte, size: bytes([byte]) * size, st.sampled_from([0, 1, 8, 0x80, 0xFF]), st.integers(0, 900)
    ),
    st.builds(
        lambda frames, cut: b"".join(map(pack_unit, frames))[cut:],
        st.lists(_frames(), max_size=30),
        st.integers(0, 40),
    ),
)


def _events(units: Units) -> list[LinkEvent]:
    events: list[LinkEvent] = []
    while (event := units.poll_event()) is not None:
        events.append(event)
    return events


def test_a_unit_byte_by_byte() -> None:
    assert pack_unit(BCL) == BCL_UNIT
    assert pack_unit(CanFrame(0x123, b"\xaa", extended=False)) == bytes.fromhex("0100000123AA") + bytes(7)
    assert pack_unit(CanFrame(0x123, bytes(2), extended=False, remote=True)) == bytes.fromhex(
        "42000001230000"
    ) + bytes(6)


@given(_frames())
def test_every_frame_survives(frame: CanFrame) -> None:
    unit = pack_unit(frame)
    assert len(unit) == UNIT
    assert read_unit(unit) == frame


@given(st.binary(min_size=UNIT, max_size=UNIT))
@example(BCL_UNIT)
@example(bytes(UNIT))
def test_what_is_read_is_what_the_rule_allows(unit: bytes) -> None:
    frame = read_unit(unit)
    assert isinstance(frame, CanFrame) == _possible(unit)
    assert isinstance(frame, str) or pack_unit(frame) == unit


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ((0, 0x95), "reserved"),
        ((0, 0xA5), "reserved"),
        ((0, 0x89), "length 9"),
        ((0, 0x8F), "length 15"),
        ((1, 0x38), "29 bits"),
        ((0, 0x05), "11 bits"),
        ((12, 1), "not zero"),
        ((0, 0xC5), "not zero"),
    ],
)
def test_the_ways_to_be_impossible(change: tuple[int, int], why: str) -> None:
    unit = bytearray(BCL_UNIT)
    unit[change[0]] = change[1]
    fault = read_unit(unit)
    assert isinstance(fault, str)
    assert why in fault


def test_rubbish_in_unused_bytes_is_read_where_allowed() -> None:
    unit = BCL_UNIT[:-1] + b"\x77"
    tolerant = Units(zero_padding=False)
    assert tolerant.feed(unit, 0) == [BCL]
    assert tolerant.dropped == 0


@given(st.lists(_frames(), max_size=30), st.lists(st.integers(0, 400), max_size=20))
def test_a_stream_in_any_pieces(frames: list[CanFrame], cuts: list[int]) -> None:
    stream = b"".join(map(pack_unit, frames))
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    units = Units()
    assert [frame for a, b in pairwise(edges) for frame in units.feed(stream[a:b], 0)] == frames
    assert (units.dropped, units.ambiguous, units.pending) == (0, 0, 0)
    assert units.poll_event() is None


@given(_noise, st.integers(0, 1 << 32), st.booleans(), st.integers(1, 200))
@example(bytes(13 * 9 + 4), 0, False, 13)
@example(b"\xff" + bytes(13 * PATIENCE), 0, True, 13)
@example(b"\x01" * 400, 0, True, 1)
# Where a reader that is content with one or with two possible units in a row fails.
@example(b"".join(map(pack_unit, _traffic(890407, 7, sparse=True)))[:-2], 85199, True, 13)
@example(b"".join(map(pack_unit, _traffic(495256, 7, sparse=True)))[:-2], 392208, True, 13)
def test_behind_any_bytes_it_recovers_within_the_stated_units(
    noise: bytes, seed: int, sparse: bool, piece: int
) -> None:
    clean = _traffic(seed, RECOVERY + 20, sparse=sparse)
    stream = b"".join(map(pack_unit, clean))
    assume(_clean(stream))
    units = Units()
    frames = units.feed(noise, 0)
    recovered = RECOVERY * UNIT
    for at in range(0, recovered, piece):
        frames += units.feed(stream[at : min(at + piece, recovered)], 0)
    assert frames[RIVAL - RECOVERY :] == clean[RIVAL:RECOVERY], "at most RIVAL units are lost"
    dropped, pending = units.dropped, units.pending
    assert pending == 0
    assert units.feed(stream[recovered:], 0) == clean[RECOVERY:], "and from there on none"
    assert units.dropped == dropped
    assert UNIT * (len(frames) + len(clean) - RECOVERY) + dropped == len(noise) + len(stream)


@given(st.integers(0, 1 << 32), st.booleans(), st.integers(0, 30 * UNIT - 1), st.integers(1, 40))
def test_a_cut_costs_few_units(seed: int, sparse: bool, at: int, size: int) -> None:
    clean = _traffic(seed, 30 + RECOVERY + 4, sparse=sparse)
    stream = b"".join(map(pack_unit, clean))
    assume(_clean(stream))
    units = Units()
    frames = units.feed(stream[:at] + stream[at + size :], 0)
    whole = at // UNIT
    behind = clean[-(-(at + size) // UNIT) + RIVAL :]
    assert frames[:whole] == clean[:whole]
    assert frames[-len(behind) :] == behind


@given(st.lists(_noise, max_size=12))
def test_memory_is_bounded_and_every_byte_is_accounted_for(pieces: list[bytes]) -> None:
    units = Units()
    count = fed = 0
    for piece in pieces:
        count += len(units.feed(piece, 0))
        fed += len(piece)
        assert units.pending <= MAX_PENDING
        assert UNIT * count + units.dropped + units.pending == fed
    count += len(units.handle_timeout(IDLE))
    assert units.next_timeout() is None
    assert UNIT * count + units.dropped == fed
    assert sum(event.count for event in _events(units)) == units.dropped


def test_what_stays_ambiguous_is_taken_and_counted() -> None:
    units = Units()
    zeros = bytes(UNIT * (PATIENCE + 5))
    assert units.feed(b"\xff" * UNIT, 0) == []
    frames = units.feed(zeros, 0)
    assert set(frames) == {CanFrame(0, extended=False)}
    assert units.ambiguous == PATIENCE
    assert units.resyncs == 1


def test_noise_is_told_with_its_reason() -> None:
    units = Units()
    stream = b"".join(map(pack_unit, _traffic(1, CONFIRM)))
    assert len(units.feed(b"\x30" + stream, 5)) == CONFIRM
    (event,) = _events(units)
    assert (event.kind, event.at, event.count) == (LinkEventKind.DROPPED, 5, 1)
    assert "a reserved bit is set" in event.text


def test_half_a_unit_does_not_wait_for_ever() -> None:
    units = Units()
    assert units.feed(BCL_UNIT[:5], 100) == []
    assert units.next_timeout() == 100 + IDLE
    assert units.handle_timeout(99 + IDLE) == []
    assert units.pending == 5
    assert units.handle_timeout(100 + IDLE) == []
    assert (units.pending, units.dropped, units.next_timeout()) == (0, 5, None)
    # The next unit stands alone between silences, which is proof enough.
    assert units.feed(BCL_UNIT, 10 * IDLE) == []
    assert units.handle_timeout(11 * IDLE) == [BCL]
    assert (units.ambiguous, units.dropped) == (1, 5)
    assert units.feed(BCL_UNIT, 12 * IDLE) == [BCL]


def test_the_late_rest_of_a_unit_given_up_does_no_harm() -> None:
    clean = _traffic(4, RECOVERY + 3)
    stream = b"".join(map(pack_unit, clean))
    units = Units()
    units.feed(stream[:6], 0)
    units.handle_timeout(IDLE)
    assert units.feed(stream[6:], 2 * IDLE) == clean[1:]
    assert units.dropped == UNIT


def test_a_new_connection_begins_with_a_unit() -> None:
    units = Units()
    units.feed(BCL_UNIT + BCL_UNIT[:3], 0)
    units.begin(7)
    assert [(event.at, event.count) for event in _events(units)] == [(7, 3)]
    assert units.feed(BCL_UNIT, 8) == [BCL]
    units.feed(b"\xff", 9)
    units.feed(b"\xff" * 40, 9)
    units.begin(10)
    assert units.feed(BCL_UNIT, 11) == [BCL]


def test_a_datagram_begins_with_a_unit_whatever_came_before() -> None:
    units = Units()
    assert units.datagram(BCL_UNIT + BCL_UNIT[:4], 1) == [BCL]
    assert units.datagram(b"\xff" * UNIT + BCL_UNIT, 2) == [BCL]
    assert units.datagram(b"", 3) == []
    assert [(event.at, event.count) for event in _events(units)] == [(1, 4), (2, UNIT)]
    assert units.dropped == 4 + UNIT


@pytest.mark.captures
def test_recorded_traffic_is_clean() -> None:
    recordings = sorted(CAPTURES.glob("*.log"))
    if not recordings:
        pytest.skip("no recordings here")
    for path in recordings:
        records = read_candump(path.read_bytes()).records[:2000]
        units = [pack_unit(CanFrame(record.id, record.data, record.extended)) for record in records]
        assert _clean(b"".join(units)), path.name
