from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swapproto.errors import CodecError
from swapproto.frame import CanFrame
from swapproto.trace.candump import CandumpReader, candump_lines, read_candump, write_candump
from swapproto.trace.reader import KEPT_SKIPPED, MAX_LINE
from swapproto.trace.record import Record

GOOD = b"(1703560145.812828) can0 181056F4#5217820F02\n"


def records() -> st.SearchStrategy[Record]:
    extended = st.builds(
        Record,
        at_us=st.integers(0, 10**15),
        id=st.integers(0, 0x1FFF_FFFF),
        data=st.binary(max_size=8),
        channel=st.sampled_from(["can0", "vcan1", "slcan-7"]),
        sent=st.sampled_from([None, True, False]),
    )
    standard = st.builds(
        Record,
        at_us=st.integers(0, 10**15),
        id=st.integers(0, 0x7FF),
        data=st.binary(max_size=8),
        extended=st.just(False),
        channel=st.just("can0"),
    )
    return extended | standard


@given(st.lists(records(), max_size=20), st.lists(st.text(max_size=40), max_size=3))
def test_what_is_written_is_read_again(written: list[Record], comments: list[str]) -> None:
    text = write_candump(written, comments)
    trace = read_candump(text)
    assert trace.skipped_lines == 0
    head = len(text.splitlines()) - len(written)
    expected = [
        Record(r.at_us, r.id, r.data, r.extended, head + number, r.channel, r.sent)
        for number, r in enumerate(written, start=1)
    ]
    assert list(trace.records) == expected


@given(st.binary(max_size=4000))
def test_no_bytes_raise_and_every_line_is_accounted_for(content: bytes) -> None:
    reader = CandumpReader(BytesIO(content))
    read = list(reader)
    meaningful = [
        line
        for number, line in enumerate(content.split(b"\n"))
        if (line.removeprefix(b"\xef\xbb\xbf") if number == 0 else line).strip()
        and not (line.removeprefix(b"\xef\xbb\xbf") if number == 0 else line).startswith(b"#")
    ]
    assert len(read) + reader.skipped_lines + sum(reader.other_frames.values()) == len(meaningful)


def line_like() -> st.SearchStrategy[bytes]:
    pieces = st.sampled_from(
        [
            b"(",
            b")",
            b"1",
            b"23.5",
            b" ",
            b"can0",
            b"#",
            b"##",
            b"181056F4",
            b"7FF",
            b"52",
            b"R",
            b"T",
            b"_9",
            b"\t",
        ]
    )
    return st.lists(pieces, max_size=14).map(b"".join)


@given(st.lists(line_like(), max_size=30))
def test_lines_that_almost_fit_are_counted(lines: list[bytes]) -> None:
    content = GOOD + b"".join(line + b"\n" for line in lines) + GOOD
    reader = CandumpReader(BytesIO(content))
    read = list(reader)
    ignored = sum(not line.strip() or line.startswith(b"#") for line in lines)
    assert read[0].line == 1
    assert read[-1].line == len(lines) + 2
    assert len(read) + reader.skipped_lines + sum(reader.other_frames.values()) + ignored == len(lines) + 2


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"hello", "not of the form"),
        (b"(1.5) can0 181056F4#521", "half a byte"),
        (b"(1.5) can0 181056F4#52XX", "not hexadecimal"),
        (b"(1.5) can0 1810#52", "4 digits"),
        (b"(1.5) can0 18105XF4#52", "identifier is not hexadecimal"),
        (b"(1.5) can0 FFF#52", "more than 11 bits"),
        (b"(1.5) can0 FFFFFFFF#52", None),
        (b"(1.5) can0 581056F4#52", "more than 29 bits"),
        (b"(1.5) can0 181056F4#112233445566778899", "9 bytes"),
        (b"(1.5) can0 181056F4#11 what", "unexpected text"),
        (b"(1.5) can0 181056F4##XYZ", "FD frame"),
        (b"  can0  181056F4   [5]  52 17 82 0F 02", "screen format"),
        (b"(\x001\x00", "UTF-16"),
        (b"(-1.5) can0 181056F4#52", "not of the form"),
        (b"(1.5) can0 181056F4#52" + b" " * MAX_LINE, "longer than"),
    ],
)
def test_damaged_lines_are_named(line: bytes, reason: str | None) -> None:
    trace = read_candump(GOOD + line + b"\n" + GOOD)
    assert [record.line for record in trace.records] == [1, 3]
    if reason is None:
        assert trace.other_frames == {"error": 1}
        return
    assert trace.skipped_lines == 1
    assert trace.skipped[0].line == 2
    assert reason in trace.skipped[0].reason
    assert len(trace.skipped[0].text) <= 4 * 60


def test_other_frames_are_counted_apart() -> None:
    text = (
        b"(1.0) can0 123#R\n(1.0) can0 12345678#R8\n(1.0) can0 123##1AABB\n"
        b"(1.0) can0 20000080#0000000000000000\n(1.0) can0 123#\n(1.0) can0 123#1122334455667788_E\n"
    )
    trace = read_candump(text)
    assert trace.other_frames == {"remote": 2, "FD": 1, "error": 1}
    assert trace.skipped_lines == 0
    assert [record.data for record in trace.records] == [b"", bytes.fromhex("1122334455667788")]


def test_bom_carriage_returns_comments_and_blank_lines() -> None:
    text = b"\xef\xbb\xbf# a comment\r\n\r\n" + GOOD.replace(b"\n", b" R\r\n") + GOOD.rstrip()
    trace = read_candump(text, "log")
    assert [(record.line, record.sent) for record in trace.records] == [(3, False), (4, None)]
    assert trace.skipped_lines == 0
    assert trace.source == "log"
    assert trace.channels == ("can0",)


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        (b"1703560145.812828", 1_703_560_145_812_828),
        (b"0.1", 100_000),
        (b"7", 7_000_000),
        (b"0.000001", 1),
        (b"1.0000019", 1_000_001),
        (b"9007199254.740993", 9_007_199_254_740_993),
    ],
)
def test_stamps_are_exact(stamp: bytes, expected: int) -> None:
    trace = read_candump(b"(" + stamp + b") can0 123#\n")
    assert trace.records[0].at_us == expected


def test_cut_stamps_and_steps_back_are_noted() -> None:
    trace = read_candump(b"(2.0000019) can0 123#\n(1.0) can0 123#\n")
    assert len(trace.notes) == 2
    assert "line 2" in trace.notes[0]


@given(st.integers(0, 10**12), st.sampled_from([1, 10, 100, 1000, 100_000]))
def test_the_resolution_does_not_depend_on_where_the_clock_began(start: int, step: int) -> None:
    stamps = [start + step * number for number in (0, 3, 3, 7, 8, 20)]
    trace = read_candump(write_candump(Record(at, 0x123, b"", extended=False) for at in stamps))
    assert trace.resolution_us == step


def test_no_two_stamps_no_resolution() -> None:
    assert read_candump(GOOD + GOOD).resolution_us is None


@pytest.mark.parametrize("content", [b"", b"\n\n", bytes(range(256)) * 40, b"\xff\xfe(\x001\x00.\x00"])
def test_a_file_without_frames_is_a_result(content: bytes) -> None:
    trace = read_candump(content)
    assert trace.records == ()
    assert trace.resolution_us is None
    assert bool(trace.notes) == (trace.skipped_lines > 0)


def test_kept_lines_are_bounded() -> None:
    trace = read_candump(b"nonsense\n" * 5000)
    assert trace.skipped_lines == 5000
    assert len(trace.skipped) == KEPT_SKIPPED


class Endless:
    """A stream of one line without an end, served in pieces, that remembers the largest read."""

    def __init__(self, size: int) -> None:
        self.left = size
        self.largest = 0

    def readline(self, limit: int = -1) -> bytes:
        assert limit > 0
        size = min(limit, self.left)
        self.left -= size
        self.largest = max(self.largest, size)
        return b"x" * size


def test_a_huge_line_is_never_held() -> None:
    stream = Endless(50_000_000)
    reader = CandumpReader(stream)  # type: ignore[arg-type]  # only readline is needed
    assert list(reader) == []
    assert reader.skipped_lines == 1
    assert stream.largest <= 1 << 16


@pytest.mark.parametrize(
    ("record", "field"),
    [
        (Record(-1, 0x123, b""), "at_us"),
        (Record(0, 0x123, bytes(9)), "data"),
        (Record(0, 0x2000_0000, b""), "id"),
        (Record(0, 0x800, b"", extended=False), "id"),
        (Record(0, 0x123, b"", channel="can 0"), "channel"),
        (Record(0, 0x123, b"", channel="can0\n"), "channel"),
    ],
)
def test_what_a_log_cannot_say_is_refused(record: Record, field: str) -> None:
    with pytest.raises(CodecError) as caught:
        list(candump_lines([record]))
    assert caught.value.field == field


def test_a_record_of_a_frame_and_back() -> None:
    frame = CanFrame(0x181056F4, b"\x01\x02")
    record = Record.of(frame, 1_234_567, line=3, channel="can1")
    assert record == Record(1234, 0x181056F4, b"\x01\x02", True, 3, "can1")
    assert record.frame == frame


def test_a_marked_gap_is_told_and_skips_nothing() -> None:
    trace = read_candump(
        b"# (0.000000) can0 begins\n(0.100000) can0 18FF50E5#01\n"
        b"# (0.200000) can0 gap: the device went away: pulled out\n(3.200000) can0 18FF50E5#02\n"
    )
    assert len(trace.records) == 2
    assert trace.skipped_lines == 0
    assert trace.notes == (
        "1 gaps are marked, in which frames can be missing; line 3: the device went away: pulled out",
    )
