"""One session in every format, by python-can's writers, other tools or bytes made here, decodes alike."""

import json
import shutil
import struct
import subprocess
from collections.abc import Iterable
from io import StringIO, TextIOWrapper
from pathlib import Path
from typing import Any

import can
import pytest

from swapproto.cli import BAD_ARGUMENTS, run
from swapproto.messages.gbt27930 import BCL, BHM, BRM, CHM, ChargeMode, ChargingMessage, Chemistry
from swapproto.trace.candump import write_candump
from swapproto.trace.files import FORMATS, open_recording
from swapproto.trace.record import Record
from swapproto.transport import frames as tp

START_US = 1_700_000_000_000_000
"""A whole millisecond: BLF and TRC keep the start no finer."""


def session() -> list[Record]:
    """Handshake, identification by transport and some of the charge; another bus beside it."""
    records: list[Record] = []

    def at(ms: int, can_id: int, data: bytes) -> None:
        odd = (len(records) * 7) % 401 if records else 0
        records.append(Record(START_US + ms * 1000 + odd, can_id, data, channel="can0"))

    def message(ms: int, each: ChargingMessage) -> None:
        payload = each.encode()
        if len(payload) <= 8:
            at(ms, each.identifier(), payload)
            return
        source, target = each.source_address, each.destination_address
        packets = tp.data_packets(payload)
        at(ms, tp.cm_id(target, source), tp.rts(each.pgn, len(payload)))
        at(ms + 2, tp.cm_id(source, target), tp.cts(each.pgn, len(packets), 1))
        for number, packet in enumerate(packets):
            at(ms + 4 + number, tp.dt_id(target, source), packet)
        at(ms + 6 + len(packets), tp.cm_id(source, target), tp.end_of_msg_ack(each.pgn, len(payload)))

    for ms in range(0, 1000, 250):
        message(ms, CHM(version_minor=1, version_major=1))
        message(ms + 15, BHM(max_voltage=603.0))
    brm = BRM(
        version_minor=1,
        version_major=1,
        chemistry=Chemistry.LFP,
        rated_capacity=152.0,
        rated_voltage=364.8,
        vin="L1NSPGH98NA000000",
    )
    message(1100, brm)
    for ms in range(1300, 2300, 50):
        message(ms, BCL(voltage=597.0, current=-3.0, mode=ChargeMode.CONSTANT_CURRENT))
    records.insert(5, Record(START_US + 400_000, 0x123, b"\1\2", extended=False, channel="can1"))
    return sorted(records, key=lambda record: record.at_us)


def messages(records: Iterable[Record]) -> Iterable[can.Message]:
    for record in records:
        yield can.Message(
            timestamp=record.at_us / 1_000_000,
            arbitration_id=record.id,
            is_extended_id=record.extended,
            data=record.data,
            channel=int(record.channel[-1]),
        )


def by_python_can(path: Path, records: list[Record]) -> Path:
    with can.Logger(path) as writer:
        for message in messages(records):
            writer(message)
    return path


def packet(record: Record) -> bytes:
    return struct.pack(">IB3x", record.id | record.extended << 31, len(record.data)) + record.data


def pcap(records: Iterable[Record], order: str = "<", units: int = 1_000_000) -> bytes:
    magic = 0xA1B2C3D4 if units == 1_000_000 else 0xA1B23C4D
    parts = [struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 65535, 227)]
    for record in records:
        content = packet(record)
        seconds, us = divmod(record.at_us, 1_000_000)
        fraction = us * (units // 1_000_000)
        parts += [struct.pack(f"{order}IIII", seconds, fraction, len(content), len(content)), content]
    return b"".join(parts)


def option(order: str, code: int, value: bytes) -> bytes:
    return struct.pack(f"{order}HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def block(order: str, kind: int, body: bytes) -> bytes:
    body += b"\0" * (-len(body) % 4)
    size = struct.pack(f"{order}I", len(body) + 12)
    return struct.pack(f"{order}I", kind) + size + body + size


def pcapng(
    records: Iterable[Record],
    order: str = "<",
    resolution: int = 6,
    flags: int | None = None,
    offset: int = 0,
) -> bytes:
    base, exponent = (2, resolution & 0x7F) if resolution & 0x80 else (10, resolution)
    parts = [block(order, 0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1))]
    for name in (b"can0", b"can1"):
        described = option(order, 2, name) + option(order, 9, bytes([resolution]))
        described += option(order, 14, struct.pack(f"{order}q", offset)) + option(order, 0, b"")
        parts.append(block(order, 1, struct.pack(f"{order}HHI", 227, 0, 65535) + described))
    for record in records:
        content = packet(record)
        ticks = (record.at_us - offset * 1_000_000) * base**exponent // 1_000_000
        head = struct.pack(
            f"{order}IIIII",
            int(record.channel[-1]),
            ticks >> 32,
            ticks & 0xFFFF_FFFF,
            len(content),
            len(content),
        )
        body = head + content + b"\0" * (-len(content) % 4)
        if flags is not None:
            body += option(order, 2, struct.pack(f"{order}I", flags))
        parts.append(block(order, 6, body))
    return b"".join(parts)


def savvycan(records: Iterable[Record]) -> bytes:
    lines = ["Time Stamp,ID,Extended,Dir,Bus,LEN,D1,D2,D3,D4,D5,D6,D7,D8"]
    for r in records:
        data = [f"{byte:02X}" for byte in r.data.ljust(8, b"\0")]
        head = [str(r.at_us), f"{r.id:08X}", str(r.extended).lower(), "Rx", r.channel[-1], str(len(r.data))]
        lines.append(",".join([*head, *data, ""]))
    return "\n".join([*lines, ""]).encode()


def zcanpro(records: Iterable[Record], encoding: str) -> bytes:
    lines = ["序号,传输方向,时间标识,CAN通道,名称,帧ID(HEX),帧格式,帧类型,数据长度,数据(HEX)"]
    for number, r in enumerate(records):
        seconds, us = divmod(r.at_us, 1_000_000)
        kind = "扩展帧" if r.extended else "标准帧"
        head = f"{number},接收,{seconds}.{us:06},ch{r.channel[-1]},,0x{r.id:08X}"
        lines.append(f"{head},{kind},数据帧,0x{len(r.data):02X},{r.data.hex(' ').upper()} ")
    return "\r\n".join([*lines, ""]).encode(encoding)


def decoded(capsys: pytest.CaptureFixture[str], path: Path, *more: str) -> dict[str, Any]:
    """The JSON of the survey without what names the file and its lines, and without the absolute stamp."""
    assert run(["decode", "--json", str(path), *more]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)

    def without(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: without(each)
                for key, each in value.items()
                if key not in ("file", "channel", "line", "last_line", "first_stamp", "other_channels")
            }
        return [without(each) for each in value] if isinstance(value, list) else value

    cleaned: dict[str, Any] = without(found)
    return cleaned


@pytest.fixture
def wanted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    path = tmp_path / "session.log"
    path.write_bytes(write_candump(session()))
    found = decoded(capsys, path)
    assert found["frames"] == len(session()) - 1
    assert found["transfers"]["complete"] == 1
    return found


@pytest.mark.parametrize("suffix", ["asc", "blf", "trc", "csv"])
def test_what_python_can_writes_decodes_alike(
    suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], wanted: dict[str, Any]
) -> None:
    records = ONE_BUS if suffix == "csv" else session()
    path = by_python_can(tmp_path / f"session.{suffix}", records)
    assert decoded(capsys, path) == wanted
    unnamed = path.rename(tmp_path / "session.dat")
    assert decoded(capsys, unnamed) == wanted
    with open_recording(unnamed) as recording:
        assert recording.format == suffix
        reader = recording.reader()
        read = list(reader)
        assert [r.at_us - read[0].at_us for r in read] == [r.at_us - START_US for r in records]
        assert [(r.id, r.data, r.extended) for r in read] == [(r.id, r.data, r.extended) for r in records]
        assert reader.resolution_us == 1
        if suffix != "csv":
            assert list(reader.channels) == ["1", "2"]
            assert sum(reader.channels.values()) == len(records)


ONE_BUS = [record for record in session() if record.channel == "can0"]
"""For formats that name no channel."""
MADE = {
    "pcap": pcap(ONE_BUS),
    "pcap big-endian": pcap(ONE_BUS, ">"),
    "pcap in ns": pcap(ONE_BUS, "<", 1_000_000_000),
    "pcap big-endian in ns": pcap(ONE_BUS, ">", 1_000_000_000),
    "pcapng": pcapng(session()),
    "pcapng big-endian in ns": pcapng(session(), ">", 9),
    "pcapng with offset and direction": pcapng(session(), "<", 9, 1, 1_600_000_000),
    "savvycan": savvycan(session()),
    "zcanpro utf-8": zcanpro(session(), "utf-8"),
    "zcanpro utf-8 with mark": zcanpro(session(), "utf-8-sig"),
    "zcanpro gbk": zcanpro(session(), "gbk"),
}


@pytest.mark.parametrize("made", MADE)
def test_bytes_of_each_format_decode_alike(
    made: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], wanted: dict[str, Any]
) -> None:
    path = tmp_path / "session.dat"
    path.write_bytes(MADE[made])
    name = made.split(maxsplit=1)[0]
    with open_recording(path) as recording:
        assert recording.format == name
        read = list(recording.reader())
    expected = ONE_BUS if name == "pcap" else session()
    assert [(r.at_us, r.id, r.data, r.extended) for r in read] == [
        (r.at_us, r.id, r.data, r.extended) for r in expected
    ]
    assert decoded(capsys, path) == wanted


def test_a_channel_is_chosen_in_a_file_of_several(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "session.dat"
    for content, name in [
        (MADE["savvycan"], "1"),
        (MADE["zcanpro gbk"], "ch1"),
        (MADE["pcapng"], "can1"),
        (by_python_can(tmp_path / "s.asc", session()).read_bytes(), "2"),
    ]:
        path.write_bytes(content)
        assert decoded(capsys, path, "--channel", name)["frames"] == 1


def log2asc(folder: Path) -> Path:
    source, target = folder / "for.log", folder / "by-log2asc.asc"
    source.write_bytes(write_candump(session()))
    subprocess.run(["log2asc", "-I", source, "-O", target, "can0", "can1"], check=True, timeout=60)
    return target


def text2pcap(folder: Path) -> Path:
    source, target = folder / "for.txt", folder / "by-text2pcap.pcapng"
    text = StringIO()
    for record in ONE_BUS:
        seconds, us = divmod(record.at_us, 1_000_000)
        text.write(f"{seconds}.{us:06}\n000000 {packet(record).hex(' ')}\n")
    source.write_text(text.getvalue())
    command = ["text2pcap", "-q", "-l", "227", "-t", "%s.%f", str(source), str(target)]
    subprocess.run(command, check=True, timeout=60, capture_output=True)
    return target


def editcap(folder: Path, kind: str, content: bytes) -> Path:
    source, target = folder / "for.editcap", folder / f"by-editcap.{kind}"
    source.write_bytes(content)
    subprocess.run(["editcap", "-F", kind, source, target], check=True, timeout=60, capture_output=True)
    return target


@pytest.mark.parametrize("tool", ["log2asc", "text2pcap", "pcap", "nsecpcap", "pcapng"])
def test_files_of_other_tools_decode_alike(
    tool: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], wanted: dict[str, Any]
) -> None:
    program = tool if tool in ("log2asc", "text2pcap") else "editcap"
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    if tool == "log2asc":
        path = log2asc(tmp_path)
    elif tool == "text2pcap":
        path = text2pcap(tmp_path)
    else:
        path = editcap(tmp_path, tool, pcap(ONE_BUS, ">") if tool == "pcapng" else pcapng(ONE_BUS))
    assert decoded(capsys, path) == wanted


def test_the_format_can_be_forced_and_an_unknown_one_lists_the_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "session.dat"
    path.write_bytes(MADE["savvycan"])
    assert decoded(capsys, path, "--format", "trc")["frames"] == 0
    assert run(["decode", "--format", "excel", str(path)]) == BAD_ARGUMENTS
    told = capsys.readouterr().err
    assert "excel" in told
    assert all(name in told for name in FORMATS)


def test_the_step_of_coarse_stamps_is_found(tmp_path: Path) -> None:
    coarse = [Record(START_US + n * 3000, 0x1826F456, b"\1\1\0", channel="can0") for n in range(9)]
    for suffix in ("asc", "blf", "trc", "csv"):
        path = by_python_can(tmp_path / f"coarse.{suffix}", coarse)
        with open_recording(path) as recording:
            reader = recording.reader()
            assert len(list(reader)) == 9
            assert reader.resolution_us == 3000, suffix


def test_an_asc_log_in_decimal_and_with_other_events(tmp_path: Path) -> None:
    path = tmp_path / "other.asc"
    with TextIOWrapper(path.open("wb"), encoding="utf-8") as file:
        file.write(
            "date Tue Nov 14 10:13:20.000 pm 2023\nbase dec  timestamps absolute\n"
            "internal events logged\nBegin Triggerblock Tue Nov 14 10:13:20.000 pm 2023\n"
            "   0.000000 Start of measurement\n"
            "   0.010000 1  405206774x  Rx d 3 1 1 0\n"
            "   0.015000 1  Statistic: D 1 R 0\n"
            "   0.020000 1  405206774x  Rx d 3 1 1 300\n"
            "   0.025000 1  ErrorFrame\n"
            "   0.030000 1  291  Tx r 8\n"
            "   0.040000 2  291  Tx d 1 255\n"
            "End TriggerBlock\n"
        )
    with open_recording(path) as recording:
        reader = recording.reader()
        assert list(reader) == [
            Record(10_000, 405206774, b"\1\1\0", line=6, channel="1", sent=False),
            Record(40_000, 291, b"\xff", extended=False, line=11, channel="2", sent=True),
        ]
    assert reader.other_frames == {"error": 1, "remote": 1}
    assert [each.line for each in reader.skipped] == [7, 8]
