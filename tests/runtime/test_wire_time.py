"""Bits on the wire, against an implementation that writes the bits out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swapproto.errors import LocalProtocolError
from swapproto.frame import CanFrame
from swapproto.runtime.wire_time import arbitration_key, frame_bits


def _field(value: int, width: int) -> str:
    return format(value, f"0{width}b")


def _arbitration_and_control(frame: CanFrame) -> str:
    rtr, dlc = _field(frame.remote, 1), _field(len(frame.data), 4)
    if frame.extended:
        base, extension = _field(frame.id >> 18, 11), _field(frame.id & 0x3FFFF, 18)
        return "0" + base + "1" + "1" + extension + rtr + "00" + dlc
    return "0" + _field(frame.id, 11) + rtr + "0" + "0" + dlc


def _crc(bits: str) -> int:
    register = 0
    for bit in bits:
        feedback = int(bit) ^ register >> 14
        register = register << 1 & 0x7FFF
        if feedback:
            register ^= 0x4599
    return register


def _naive(frame: CanFrame) -> tuple[str, str]:
    """The frame from SOF to the CRC, without and with stuff bits."""
    bits = _arbitration_and_control(frame)
    if not frame.remote:
        bits += "".join(_field(byte, 8) for byte in frame.data)
    bits += _field(_crc(bits), 15)
    stuffed = ""
    run = 0
    for bit in bits:
        run = run + 1 if stuffed and stuffed[-1] == bit else 1
        stuffed += bit
        if run == 5:
            stuffed += "10"[int(bit)]
            run = 1
    return bits, stuffed


def _frames() -> st.SearchStrategy[CanFrame]:
    return st.builds(
        lambda extended, bits, data, remote: CanFrame(
            bits if extended else bits & 0x7FF, b"" if remote else data, extended, remote
        ),
        st.booleans(),
        st.integers(0, 0x1FFF_FFFF),
        st.binary(max_size=8) | st.integers(0, 8).map(bytes) | st.integers(0, 8).map(lambda n: b"\xff" * n),
        st.booleans(),
    )


@given(_frames())
def test_as_many_bits_as_written_out(frame: CanFrame) -> None:
    # CRC delimiter, ACK slot, ACK delimiter, seven bits of EOF
    assert frame_bits(frame) == len(_naive(frame)[1]) + 1 + 1 + 1 + 7


@given(_frames())
def test_between_no_stuffing_and_the_worst_case(frame: CanFrame) -> None:
    plain = len(_naive(frame)[0])
    assert plain + 10 <= frame_bits(frame) <= plain + (plain - 1) // 4 + 10


def test_known_stuffing() -> None:
    # 34 dominant bits, CRC 0 included: a stuff bit after every five.
    assert frame_bits(CanFrame(0, extended=False)) == 34 + 6 + 10


def test_crc_has_the_published_check_value() -> None:
    # CRC-15/CAN over "123456789", which the naive frames above are built on.
    assert _crc("".join(_field(byte, 8) for byte in b"123456789")) == 0x059E


@pytest.mark.parametrize(
    ("frame", "least"),
    [
        (CanFrame(0x555, extended=False), 44),
        (CanFrame(0x555, bytes(8), extended=False), 108),
        (CanFrame(0x15555555), 64),
        (CanFrame(0x15555555, bytes(8)), 128),
    ],
)
def test_plain_lengths(frame: CanFrame, least: int) -> None:
    assert len(_naive(frame)[0]) + 10 == least
    assert frame_bits(frame) >= least


ORDER = [
    CanFrame(0x100, extended=False),
    CanFrame(0x101, b"data", extended=False),
    CanFrame(0x101, extended=False, remote=True),
    CanFrame(0x101 << 18, b"\xff"),
    CanFrame(0x101 << 18, remote=True),
    CanFrame(0x101 << 18 | 1),
    CanFrame(0x102, extended=False),
    CanFrame(0x102 << 18),
    CanFrame(0x1801F456),
    CanFrame(0x1802F456),
    CanFrame(0x1CECF456),
    CanFrame(0x7FF, extended=False, remote=True),
    CanFrame(0x1FFFFFFF),
    CanFrame(0x1FFFFFFF, remote=True),
]


@pytest.mark.parametrize("first", range(len(ORDER)))
@pytest.mark.parametrize("second", range(len(ORDER)))
def test_arbitration_table(first: int, second: int) -> None:
    one, other = arbitration_key(ORDER[first]), arbitration_key(ORDER[second])
    assert (one < other) == (first < second)
    assert (one == other) == (first == second)


@given(_frames(), _frames())
def test_arbitration_is_the_comparison_of_the_bits(one: CanFrame, other: CanFrame) -> None:
    def field(frame: CanFrame) -> str:
        return _arbitration_and_control(frame)[: 33 if frame.extended else 14]

    by_bits = field(one) < field(other)
    if field(one) != field(other):
        assert (arbitration_key(one) < arbitration_key(other)) == by_bits


@pytest.mark.parametrize(
    "frame",
    [
        CanFrame(0x800, extended=False),
        CanFrame(0x2000_0000),
        CanFrame(-1),
        CanFrame(1, bytes(9)),
    ],
)
def test_what_classic_can_cannot_carry(frame: CanFrame) -> None:
    with pytest.raises(LocalProtocolError):
        frame_bits(frame)
