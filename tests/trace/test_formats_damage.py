"""Whatever a file holds, no reader raises: damage is counted with its place and reason."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO, TextIOWrapper
from pathlib import Path

import can
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swapproto.trace.candump import write_candump
from swapproto.trace.files import FORMATS, Recording, RecordingError, open_recording, recognise
from swapproto.trace.reader import RecordReader
from swapproto.trace.record import Record

ID = 0x1826F456
RECORDS = [
    Record(1_700_000_000_000_000 + n * 250_013, ID, bytes([1, n, 0]), channel="can0") for n in range(6)
]
HEADS = {
    "candump": b"",
    "asc": b"date Tue Nov 14 10:13:20.000 pm 2023\nbase hex  timestamps absolute\n",
    "blf": b"LOGG" + struct.pack("<L", 144) + bytes(136),
    "trc": b";$FILEVERSION=2.1\n;$STARTTIME=45244.9\n;$COLUMNS=N,O,T,B,I,d,R,L,D\n",
    "csv": b"timestamp,arbitration_id,extended,remote,error,dlc,data\n",
    "savvycan": b"Time Stamp,ID,Extended,Dir,Bus,LEN,D1,D2,D3,D4,D5,D6,D7,D8\n",
    "zcanpro": "序号,传输方向,时间标识,帧ID(HEX),帧格式,帧类型,数据长度,数据(HEX)\r\n".encode("gbk"),
    "pcap": struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 227),
    "pcapng": struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28),
}


class _Held(BytesIO):
    """Keeps what was written when a writer closes it."""

    content = b""

    def close(self) -> None:
        self.content = self.getvalue()
        super().close()


def written(writer: Callable[..., can.io.generic.MessageWriter], *, text: bool = True) -> bytes:
    held = _Held()
    held.name = "held"  # the writer of TRC puts it into the head
    with writer(TextIOWrapper(held, "utf-8") if text else held) as log:
        for r in RECORDS:
            log(can.Message(r.at_us / 1_000_000, r.id, data=r.data, channel=0))
    return held.content


def files() -> dict[str, bytes]:
    def packet(r: Record) -> bytes:
        return struct.pack(">IB3x", r.id | 1 << 31, len(r.data)) + r.data

    pcap, pcapng = HEADS["pcap"], HEADS["pcapng"] + struct.pack("<IIHHII", 1, 20, 227, 0, 0, 20)
    zcanpro, savvycan = HEADS["zcanpro"], HEADS["savvycan"]
    for r in RECORDS:
        seconds, us = divmod(r.at_us, 1_000_000)
        pcap += struct.pack("<IIII", seconds, us, 11, 11) + packet(r)
        head = struct.pack("<IIIII", 0, r.at_us >> 32, r.at_us & 0xFFFF_FFFF, 11, 11)
        pcapng += struct.pack("<II", 6, 44) + head + packet(r) + b"\0" + struct.pack("<I", 44)
        row = f"1,接收,{seconds}.{us:06},{r.id:X},扩展帧,数据帧,3,{r.data.hex(' ')} \r\n"
        zcanpro += row.encode("gbk")
        savvycan += f"{r.at_us},{r.id:08X},true,Rx,0,3,{r.data.hex(',')},00,00,00,00,00,\n".encode()
    return {
        "candump": write_candump(RECORDS),
        "asc": written(can.ASCWriter),
        "blf": written(can.BLFWriter, text=False),
        "trc": written(can.TRCWriter),
        "csv": written(can.CSVWriter),
        "savvycan": savvycan,
        "zcanpro": zcanpro,
        "pcap": pcap,
        "pcapng": pcapng,
    }


FILES = files()


def read(content: bytes, name: str) -> tuple[list[Record], RecordReader]:
    reader = FORMATS[name](BytesIO(content))
    return list(reader), reader


def facts(records: list[Record]) -> list[tuple[int, bytes]]:
    return [(record.id, record.data) for record in records]


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_known_by_its_content(name: str) -> None:
    assert recognise(FILES[name], "misleading.blf") == name
    records, reader = read(FILES[name], name)
    assert facts(records) == facts(RECORDS)
    assert (reader.skipped_lines, reader.notes) == (0, ())


@pytest.mark.parametrize("name", FORMATS)
@given(content=st.binary(max_size=600))
@settings(max_examples=60, deadline=None)
def test_no_bytes_raise(name: str, content: bytes) -> None:
    for whole in (content, HEADS[name] + content, FILES[name] + content):
        records, _ = read(whole, name)
        assert all(0 <= r.id <= 0x1FFF_FFFF and len(r.data) <= 8 and r.at_us >= 0 for r in records)


@pytest.mark.parametrize("name", FORMATS)
@given(st.data())
@settings(max_examples=60, deadline=None)
def test_bytes_written_over_a_file_do_not_raise(name: str, data: st.DataObject) -> None:
    content = bytearray(FILES[name])
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    read(bytes(content), name)
    Recording(BytesIO(bytes(content))).reader()


@pytest.mark.parametrize("name", FORMATS)
def test_a_truncated_file_gives_what_is_whole(name: str) -> None:
    content = FILES[name]
    counts: set[int] = set()
    for size in range(len(content)):
        records, _ = read(content[:size], name)
        counts.add(len(records))
        # a line that is cut in its data may still be a frame, a packet cannot
        assert facts(records)[: max(len(records) - 1, 0)] == facts(RECORDS)[: max(len(records) - 1, 0)]
    assert max(counts) >= len(RECORDS) - 1


@pytest.mark.parametrize("name", ["pcap", "pcapng"])
def test_every_cut_within_a_packet_is_counted(name: str) -> None:
    size = {"pcap": 27, "pcapng": 44}[name]
    for cut in range(1, size):
        records, reader = read(FILES[name][:-cut], name)
        assert facts(records) == facts(RECORDS)[:-1]
        assert reader.skipped_lines == 1
        assert reader.skipped[0].line == len(RECORDS)
        assert "cut off" in reader.notes[0]


def test_a_cut_blf_is_noted() -> None:
    _, reader = read(FILES["blf"][:-20], "blf")
    assert reader.skipped_lines == 1
    assert "reading ends at object" in reader.notes[0]


def container(content: bytes, packed: bytes | None = None) -> bytes:
    body = struct.pack("<H6xL4x", 0 if packed is None else 2, len(content))
    body += content if packed is None else packed
    return HEADS["blf"] + struct.pack("<4sHHLL", b"LOBJ", 16, 1, 16 + len(body), 10) + body


@pytest.mark.parametrize("version", [1, 9])
def test_an_object_of_no_length_in_a_blf_ends_the_reading(version: int) -> None:
    content = container(struct.pack("<4sHHLL", b"LOBJ", 32, version, 0, 86) + bytes(32))
    records, reader = read(content, "blf")
    assert not records
    assert "an object of 0 bytes" in reader.skipped[0].reason


def test_a_container_that_unpacks_without_end_is_not_unpacked() -> None:
    _, reader = read(container(b"", zlib.compress(bytes(1 << 24))), "blf")
    assert "a container of more than" in reader.skipped[0].reason


@pytest.mark.parametrize("name", ["asc", "trc", "csv", "savvycan", "zcanpro"])
@pytest.mark.parametrize("bad", [b"1 what,is,this", b"9" * 3000, b"1,2,3,4,5,6,7,8,9"])
def test_reading_goes_on_behind_a_damaged_line(name: str, bad: bytes) -> None:
    lines = FILES[name].splitlines(keepends=True)
    lines.insert(len(lines) - 3, bad + b"\n")
    records, reader = read(b"".join(lines), name)
    assert facts(records) == facts(RECORDS)
    assert reader.skipped_lines == 1
    assert reader.skipped[0].line == len(lines) - 3
    assert reader.skipped[0].reason


def test_the_two_columns_of_data_in_a_row_of_zcanpro() -> None:
    head = "序号,系统时间,时间标识,CAN通道,传输方向,ID号,帧类型,帧格式,长度,数据\n"
    rows = (
        '00000,="12:04:59.533",0x592897,ch1,接收,0x0009001C,数据帧,扩展帧,0x08,x| 05 C3 8A 43 00 02 EE 00 \n'
        '00001,="12:04:59.533",0x59289C,ch1,发送,0x01C,数据帧,标准帧,0x02,x| 03 7D \n'
        '00002,="12:04:59.534",无,ch1,接收,0x01C,远程帧,标准帧,0x02,\n'
        '00003,="12:04:59.534",0x5928A2,ch1,接收,0x01C,数据帧,标准帧,0x03,x| 03 7D \n'
    )
    records, reader = read((head + rows).encode("gbk"), "zcanpro")
    data = bytes.fromhex("05C38A430002EE00")
    assert records == [
        Record(584_309_500, 0x9001C, data, line=2, channel="ch1", sent=False),
        Record(584_310_000, 0x1C, b"\x03\x7d", extended=False, line=3, channel="ch1", sent=True),
    ]
    assert reader.other_frames == {"remote": 1}
    assert reader.skipped[0].line == 5
    assert "2 bytes of data where 0x03" in reader.skipped[0].reason


@pytest.mark.parametrize(
    ("stamps", "expected"),
    [
        (("23:59:59.999.5", "0:00:00.000.5"), (86_399_999_500, 86_400_000_500)),
        (("2023-11-14 10:13:20.000013", "2023-11-14 10:13:21"), (36_800_000_013, 36_801_000_000)),
        (("1572.2328", "1572.23280001"), (1_572_232_800, 1_572_232_800)),
    ],
)
def test_stamps_of_zcanpro(stamps: tuple[str, str], expected: tuple[int, int]) -> None:
    head = "序号,传输方向,时间戳,ID,帧格式,帧类型,长度,数据,\n"
    rows = "".join(f"0,接收,{stamp},0x00000114,标准帧,数据帧,0x01,FF ,\n" for stamp in stamps)
    records, _ = read((head + rows).encode(), "zcanpro")
    assert tuple(record.at_us for record in records) == expected


def test_the_older_savvycan_has_no_direction() -> None:
    content = (
        b"Time Stamp,ID,Extended,Bus,LEN,D1,D2,D3,D4,D5,D6,D7,D8\n166064000,0000021A,false,0,2,FE,36,00,\n"
    )
    assert read(content, "savvycan")[0] == [
        Record(166_064_000, 0x21A, b"\xfe\x36", extended=False, line=2, channel="0")
    ]


def cooked(order: str) -> bytes:
    frame = struct.pack(f"{order}IB3x", ID | 1 << 31, 3) + b"\1\1\0"
    packets = [struct.pack(">HHH8sH", kind, 280, 0, b"", 0xC) + frame for kind in (0, 4)]
    packets.append(struct.pack(">HHH8sH", 0, 1, 6, b"", 0x800) + b"\x45" + bytes(19))
    head = struct.pack(f"{order}IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 113)
    return head + b"".join(struct.pack(f"{order}IIII", 1, 2, len(p), len(p)) + p for p in packets)


@pytest.mark.parametrize("order", ["<", ">"])
def test_cooked_captures_turn_no_identifier_round(order: str) -> None:
    records, reader = read(cooked(order), "pcap")
    assert [(r.at_us, r.id, r.data, r.sent) for r in records] == [
        (1_000_002, ID, b"\1\1\0", False),
        (1_000_002, ID, b"\1\1\0", True),
    ]
    assert reader.other_frames == {"foreign": 1}


def test_other_frames_in_a_capture_are_counted_apart() -> None:
    def socketcan(word: int, length: int, flags: int = 0, size: int = 8) -> bytes:
        return struct.pack(">IBBxx", word, length, flags) + bytes(size)

    packets = [
        socketcan(0x123, 8),
        socketcan(0x4000_0123, 0),
        socketcan(0x2000_0080, 8),
        socketcan(0x123, 12, 4, 12),
        socketcan(0x123, 8, 0, 64),
        socketcan(0x123, 0x80, 0, 20),
        socketcan(0x123, 8, 0, 4),
        socketcan(0x923, 1),
        b"\0\0",
    ]
    content = HEADS["pcap"] + b"".join(struct.pack("<IIII", 1, 2, len(p), len(p)) + p for p in packets)
    records, reader = read(content, "pcap")
    assert len(records) == 1
    assert reader.other_frames == {"remote": 1, "error": 1, "FD": 2, "XL": 1}
    assert [each.line for each in reader.skipped] == [7, 8, 9]


def test_stamps_finer_than_a_microsecond_are_noted() -> None:
    content = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 227)
    content += struct.pack("<IIII", 1, 1999, 9, 9) + struct.pack(">IB3x", 0x123, 1) + b"\1"
    records, reader = read(content, "pcap")
    assert records[0].at_us == 1_000_001
    assert "finer than a microsecond" in reader.notes[0]


def test_what_cannot_be_opened_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="No such file"):
        open_recording(tmp_path / "none.asc")
    with pytest.raises(RecordingError, match="known formats: candump, asc"):
        Recording(BytesIO(b""), "excel")
