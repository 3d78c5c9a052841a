"""The PLC link's framing: no length, no check; what can be told from the line and what cannot."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swapproto.errors import LocalProtocolError
from swapproto.frame import MILLISECOND
from swapproto_drivers.framing.plc_link import (
    LONGEST_OPAQUE,
    PLCR1,
    PLCR2,
    PLCR3,
    PLCW4,
    PLCW5,
    PLCW6,
    START,
    STRUCTS,
    PlcFraming,
    PlcMessage,
    Rule,
    Side,
    declared,
    decode,
    encode,
)
from swapproto_drivers.framing.reader import IDLE, Reader, Reason

# No header can occur in structs of these values, which the stated recovery supposes.
plain = st.integers(0, 200)
u16 = st.none() | plain
temperatures = st.none() | st.integers(-17, 100)
sevens = st.lists(u16, min_size=7, max_size=7).map(tuple)
r1 = st.builds(PLCR1, sevens, st.lists(temperatures, min_size=7, max_size=7).map(tuple), u16)
r2 = st.builds(PLCR2, plain, st.binary(max_size=40).map(lambda rest: rest.replace(b"\xee", b"")))
r3 = st.builds(PLCR3, plain, u16, u16, u16, u16, u16, u16, u16)
w6 = st.builds(PLCW6, plain, plain)
opaque = st.binary(max_size=60).map(lambda rest: rest.replace(b"\xee", b""))
w4, w5 = st.builds(PLCW4, opaque), st.builds(PLCW5, opaque)
headers = st.tuples(st.just(START), st.integers(0, 8).map(lambda n: bytes([n]))).map(b"".join)
noise = st.lists(st.binary(max_size=20) | headers, max_size=30).map(b"".join)

SAMPLES: tuple[PlcMessage, ...] = (
    PLCR1((1, 2, 3, None, 5, 6, 7), (-18, 1, None, 4, 5, 6, 7), 3),
    PLCR2(0xFFFF, b"\x01\x02"),
    PLCR3(1, 2, 3, 4, 2, None, 7, 8),
    PLCW4(b"bay"),
    PLCW5(b""),
    PLCW6(1, 0),
)


def _read(reader: Reader[PlcMessage], data: bytes) -> list[PlcMessage]:
    return reader.feed(data, 0) + reader.handle_timeout(IDLE)


def test_the_table() -> None:
    rows = [
        (row.stream, row.sender, row.period // MILLISECOND, row.rule, row.size) for row in STRUCTS.values()
    ]
    assert rows == [
        (1, Side.STATION, 1000, Rule.ALWAYS, 33),
        (2, Side.STATION, 100, Rule.ALWAYS, None),
        (3, Side.STATION, 100, Rule.TRUCK, 18),
        (4, Side.PLC, 1000, Rule.ALWAYS, None),
        (5, Side.PLC, 100, Rule.ALWAYS, None),
        (6, Side.PLC, 100, Rule.SWAP, 5),
    ]
    assert min(row.period for row in STRUCTS.values()) > IDLE, (
        "silence must end before the next struct is due"
    )


@pytest.mark.parametrize("message", SAMPLES, ids=lambda one: type(one).__name__)
def test_a_struct_comes_back(message: PlcMessage) -> None:
    data = encode(message)
    assert decode(data) == message
    assert data[:3] == START + bytes([declared(message).stream])
    reader = Reader(PlcFraming(declared(message).sender))
    assert reader.feed(data, 0) == []
    assert reader.handle_timeout(IDLE) == [message]
    assert (reader.dropped.total(), reader.ambiguous) == (0, 0)


def test_the_bytes_of_the_structs() -> None:
    assert encode(PLCW6(1, 2)).hex(" ") == "ee ff 06 01 02"
    assert encode(SAMPLES[2]).hex(" ") == "ee ff 03 01 02 00 03 00 04 00 02 00 0f 27 07 00 08 00"
    assert encode(SAMPLES[0])[17:21].hex(" ") == "ee ff 01 00"


@pytest.mark.parametrize(
    "message",
    [
        PLCW6(256, 0),
        PLCR2(-1),
        PLCR1((), (), 1),
        PLCR1((0,) * 7, (40_000, *(0,) * 6), 1),
    ],
)
def test_what_does_not_fit_is_refused(message: PlcMessage) -> None:
    with pytest.raises(LocalProtocolError, match=type(message).__name__):
        encode(message)


def test_a_header_inside_a_struct_of_known_size_is_a_value() -> None:
    reader = Reader(PlcFraming(Side.STATION))
    winter = PLCR1((0,) * 7, (-18, 1, -18, 2, -18, 3, 0), 0)
    assert reader.feed(encode(winter) * 3, 0) == [winter] * 2
    assert reader.handle_timeout(IDLE) == [winter]
    assert reader.dropped.total() == 0


def test_a_struct_that_lost_a_byte_is_dropped_and_its_follower_kept() -> None:
    message = SAMPLES[2]
    whole = encode(message)
    for at in range(len(whole)):
        reader = Reader(PlcFraming(Side.STATION))
        assert _read(reader, whole[:at] + whole[at + 1 :] + whole) == [message]
        assert reader.dropped.total() == len(whole) - 1
        assert reader.ambiguous == 1


def test_an_opaque_struct_ends_at_a_header_or_at_silence() -> None:
    reader = Reader(PlcFraming(Side.PLC))
    assert reader.feed(encode(PLCW4(b"abc")) + encode(PLCW5(b"de")), 0) == [PLCW4(b"abc")]
    assert reader.ambiguous == 1
    assert reader.handle_timeout(IDLE) == [PLCW5(b"de")]
    assert (reader.units, reader.ambiguous, reader.dropped.total()) == (2, 1, 0)


def test_an_opaque_struct_without_end_is_given_up() -> None:
    reader = Reader(PlcFraming(Side.PLC))
    for _ in range(10):
        assert reader.feed(START + b"\x04" + bytes(LONGEST_OPAQUE), 0) == []
        assert reader.pending < LONGEST_OPAQUE + 6
    assert reader.dropped[Reason.LENGTH] == 10


def test_sizes_make_opaque_structs_certain() -> None:
    framing = PlcFraming(Side.PLC, sizes={4: 6, 5: 5})
    reader = Reader(framing)
    assert _read(reader, b"noise" + encode(PLCW4(b"abc")) + encode(PLCW5(b"de")) * 2) == [
        PLCW4(b"abc"),
        PLCW5(b"de"),
        PLCW5(b"de"),
    ]
    assert (reader.ambiguous, reader.dropped.total()) == (1, 5)


@pytest.mark.parametrize(
    ("sender", "sizes", "says"),
    [
        (Side.PLC, {6: 9}, "stream 6"),
        (Side.PLC, {2: 9}, "stream 2"),
        (Side.STATION, {2: 4}, "at least 5"),
    ],
)
def test_sizes_of_what_is_known_are_refused(sender: Side, sizes: dict[int, int], says: str) -> None:
    with pytest.raises(LocalProtocolError, match=says):
        PlcFraming(sender, sizes)


@pytest.mark.parametrize(
    ("sender", "clean"), [(Side.STATION, r1 | r2 | r3), (Side.PLC, w4 | w5 | w6)], ids=["station", "plc"]
)
def test_noise_costs_no_more_than_the_stated_number_of_clean_structs(
    sender: Side, clean: st.SearchStrategy[PlcMessage]
) -> None:
    framing = PlcFraming(sender)
    assert framing.recovery == {Side.STATION: 6, Side.PLC: 1}[sender]

    @given(noise, st.lists(clean, min_size=framing.recovery, max_size=20))
    @settings(max_examples=200, deadline=None)
    def recovers(prefix: bytes, sent: list[PlcMessage]) -> None:
        reader = Reader(PlcFraming(sender))
        data = prefix + b"".join(map(encode, sent))
        found = _read(reader, data)
        kept = sent[framing.recovery :]
        assert found[len(found) - len(kept) :] == kept
        assert sum(len(encode(one)) for one in found) + reader.dropped.total() == len(data)

    recovers()


@given(st.binary(max_size=4096) | noise, st.sampled_from(Side))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_read_without_an_exception_and_accounted_for(data: bytes, sender: Side) -> None:
    reader = Reader(PlcFraming(sender))
    spans = 0
    for n in range(0, len(data), 7):
        spans += sum(len(encode(one)) for one in reader.feed(data[n : n + 7], 0))
        assert reader.pending < LONGEST_OPAQUE + 3
    spans += sum(len(encode(one)) for one in reader.handle_timeout(IDLE))
    assert spans + reader.dropped.total() == len(data)
    assert reader.next_timeout() is None


def test_silence_separates_what_noise_had_joined() -> None:
    reader = Reader(PlcFraming(Side.STATION))
    noise_with_header, message = START + b"\x01", PLCR3(1, 1, 1, 1, 1, 1, 1, 1)
    assert reader.feed(noise_with_header, 0) == []
    assert reader.handle_timeout(IDLE) == []
    assert reader.feed(encode(message), IDLE) == []
    assert reader.handle_timeout(2 * IDLE) == [message]
    assert reader.ambiguous == 0
