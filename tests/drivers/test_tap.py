"""A link that is written to a trace while it runs."""

import errno
import os
import signal
import subprocess
import sys
from collections import deque
from itertools import count, pairwise
from pathlib import Path
from typing import BinaryIO, Self, cast

import pytest

from swapproto.errors import LinkClosed, LinkError, LinkUnavailable
from swapproto.frame import MILLISECOND, SECOND, CanFrame, Instant, Received
from swapproto.link import Link, LinkCaps, LinkEvent, LinkEventKind
from swapproto.plugins import open_link
from swapproto.trace.files import open_recording
from swapproto.trace.reader import RecordReader
from swapproto.trace.record import Record
from swapproto_drivers import trace_files
from swapproto_drivers.contract import LinkContract
from swapproto_drivers.tap import HELD, TapLink
from swapproto_drivers.trace_files import PENDING, RETRY, SMALLEST_FILE, Rules, TraceFiles

_names = count()
FORMATS = pytest.mark.parametrize("suffix", ["log", "asc", "blf"])


class TestTapLink(LinkContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def open_pair(self) -> tuple[Link, Link]:
        name = f"tap:virtual:tap-{next(_names)}"
        return (
            open_link(f"{name}?file={self.folder}/{next(_names)}.log&flush=1ms"),
            open_link(f"{name}?file={self.folder}/{next(_names)}.log&before=10ms"),
        )


class TestTapLinkWithEcho(TestTapLink):
    def open_pair(self) -> tuple[Link, Link]:
        name = f"tap:virtual:tap-{next(_names)}"
        first, second = (f"{name}?echo=true&file={self.folder}/{next(_names)}.log" for _ in range(2))
        return open_link(first), open_link(second)


def read(path: Path) -> tuple[list[Record], RecordReader]:
    with open_recording(path) as recording:
        reader = recording.reader()
        return list(reader), reader


def files_of(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def fill(files: TraceFiles, number: int, *, first: int = 0, step: int = MILLISECOND) -> None:
    for n in range(first, first + number):
        files.take(CanFrame(0x18FF50E5, n.to_bytes(8)), n * step, own=False)


def told(files: TraceFiles) -> list[LinkEvent]:
    found: list[LinkEvent] = []
    while (event := files.poll_event()) is not None:
        found.append(event)
    return found


def numbers(records: list[Record]) -> list[int]:
    return [int.from_bytes(record.data) for record in records]


class Scripted:
    """A port that gives what it was told to, at the instants of its script."""

    def __init__(self, script: list[Received | LinkEvent], gone_at: Instant | None = None) -> None:
        self.time: Instant = 0
        self.gone_at = gone_at
        self._script = deque(script)
        self._events: deque[LinkEvent] = deque()

    @property
    def caps(self) -> LinkCaps:
        return LinkCaps("scripted")

    def now(self) -> Instant:
        return self.time

    def send(self, frame: CanFrame, *, deadline: Instant) -> None:
        self.time += 10

    def receive(self, *, deadline: Instant) -> Received | None:
        while self._script and self._script[0].at <= deadline:
            self.time = max(self.time, self._script[0].at)
            entry = self._script.popleft()
            if isinstance(entry, Received):
                return entry
            self._events.append(entry)
        if self.gone_at is not None and deadline >= self.gone_at:
            self.time = self.gone_at
            raise LinkClosed("unplugged")
        self.time = max(self.time, deadline)
        return None

    def poll_event(self) -> LinkEvent | None:
        return self._events.popleft() if self._events else None

    def close(self) -> None:
        pass


@FORMATS
def test_both_directions_stand_in_the_trace(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"day.{suffix}"
    tapped = open_link(f"tap:virtual:both?file={path}")
    peer = open_link("virtual:both")
    for n in range(5):
        tapped.send(CanFrame(0x100 + n, b"own", extended=False), deadline=tapped.now() + SECOND)
        peer.send(CanFrame(0x18FF5000 + n, b"theirs"), deadline=peer.now() + SECOND)
        assert tapped.receive(deadline=tapped.now() + 20 * MILLISECOND) is not None
        tapped.receive(deadline=tapped.now() + 20 * MILLISECOND)
    tapped.close()
    peer.close()
    records, reader = read(path)
    assert [(record.id, record.sent) for record in records] == [
        each for n in range(5) for each in ((0x100 + n, True), (0x18FF5000 + n, False))
    ]
    assert all(one.at_us <= other.at_us for one, other in pairwise(records))
    assert (reader.skipped_lines, reader.notes) == (0, ())


def test_with_echo_own_frames_stand_once_with_the_instant_of_the_bus(tmp_path: Path) -> None:
    path = tmp_path / "echo.log"
    tapped, peer = open_link(f"tap:virtual:echo?echo=true&file={path}"), open_link("virtual:echo")
    tapped.send(CanFrame(1), deadline=SECOND)
    received = tapped.receive(deadline=SECOND)
    assert received is not None
    peer.send(CanFrame(1), deadline=SECOND)
    tapped.receive(deadline=2 * SECOND)
    tapped.close()
    peer.close()
    records, _ = read(path)
    assert [record.sent for record in records] == [True, False]
    assert records[0].at_us == received.at // 1000


def test_own_frames_take_their_place_between_those_that_were_read_late(tmp_path: Path) -> None:
    path = tmp_path / "order.log"
    port = Scripted([Received(CanFrame(1), 5_000), Received(CanFrame(2), 40_000)])
    link = TapLink(port, TraceFiles(path, Rules()))
    port.time = 20_000
    link.send(CanFrame(3), deadline=SECOND)
    while link.receive(deadline=50_000) is not None:
        pass
    link.close()
    assert [record.id for record in read(path)[0]] == [1, 3, 2]


def test_own_frames_that_nobody_reads_behind_are_not_held_for_ever(tmp_path: Path) -> None:
    link = TapLink(Scripted([]), files := TraceFiles(tmp_path / "sender.log", Rules(flush=0)))
    for _ in range(HELD + 10):
        link.send(CanFrame(1), deadline=SECOND)
    assert files.current is not None
    assert len(read(files.current)[0]) == 10
    link.close()
    assert len(read(tmp_path / "sender.log")[0]) == HELD + 10


@FORMATS
def test_a_gap_is_marked_and_the_trace_stays_readable(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"gap.{suffix}"
    script: list[Received | LinkEvent] = [
        Received(CanFrame(1), 1_000_000),
        LinkEvent(LinkEventKind.CLOSED, 2_000_000, "unplügged\nby hand"),
        LinkEvent(LinkEventKind.REOPENED, 3_000_000, "after 0.001 s"),
        LinkEvent(LinkEventKind.ERROR_WARNING, 3_500_000),
        Received(CanFrame(2), 4_000_000),
    ]
    link = TapLink(Scripted(script, gone_at=9_000_000), TraceFiles(path, Rules()))
    assert link.receive(deadline=SECOND) == script[0]
    assert link.receive(deadline=SECOND) == script[4]
    with pytest.raises(LinkClosed):
        link.receive(deadline=SECOND)
    kinds = [event.kind for event in iter(link.poll_event, None)]
    assert kinds == [
        LinkEventKind.CLOSED,
        LinkEventKind.REOPENED,
        LinkEventKind.ERROR_WARNING,
        LinkEventKind.CLOSED,
    ]
    link.close()
    records, reader = read(path)
    assert [record.id for record in records] == [1, 2]
    assert reader.skipped_lines == 0
    assert [note.partition(",")[0] for note in reader.notes] == ["3 gaps are marked"] * (suffix == "log")
    if suffix != "blf":
        text = path.read_text()
        assert text.count("gap: the device went away") == 2
        assert text.count("gap: the device is back: after 0.001 s") == 1
        assert text.count("error warning") == 1
        assert "gap: error warning" not in text
        order = [text.index(word) for word in ("unpl", "is back", "error warning", "unplugged\n")]
        assert order == sorted(order)


@FORMATS
def test_a_set_rotates_by_size_and_each_file_is_whole(tmp_path: Path, suffix: str) -> None:
    files = TraceFiles(tmp_path / f"day.{suffix}", Rules(rotate=SMALLEST_FILE), title="bay 3")
    fill(files, 100 * PENDING)
    files.close()
    names = files_of(tmp_path)
    assert len(names) > 1
    assert names[0] == f"day.000001.{suffix}"
    found: list[int] = []
    for name in names:
        records, reader = read(tmp_path / name)
        found += numbers(records)
        assert reader.skipped_lines == 0
        assert (tmp_path / name).stat().st_size < 2 * SMALLEST_FILE
    assert found == list(range(100 * PENDING))
    assert told(files) == []


def test_a_set_rotates_by_age(tmp_path: Path) -> None:
    files = TraceFiles(tmp_path / "day.log", Rules(every=10 * SECOND))
    fill(files, 100, step=SECOND)
    files.close()
    assert [len(read(tmp_path / name)[0]) for name in files_of(tmp_path)] == [10] * 10


def test_a_new_run_goes_on_behind_the_last_file(tmp_path: Path) -> None:
    for _ in range(3):
        files = TraceFiles(tmp_path / "day.log", Rules(numbered=True))
        fill(files, 2)
        files.close()
    (tmp_path / "day.000007.log").write_bytes(b"")
    (tmp_path / "day.x.log").write_bytes(b"another's")
    files = TraceFiles(tmp_path / "day.log", Rules(numbered=True, keep=2))
    fill(files, 2)
    files.close()
    assert files_of(tmp_path) == ["day.000007.log", "day.000008.log", "day.x.log"]


@pytest.mark.parametrize("keep", [1, 3])
def test_the_oldest_files_go(tmp_path: Path, keep: int) -> None:
    files = TraceFiles(tmp_path / "day.log", Rules(every=10 * SECOND, keep=keep))
    fill(files, 95, step=SECOND)
    files.close()
    assert files_of(tmp_path) == [f"day.{n:06}.log" for n in range(11 - keep, 11)]


@FORMATS
def test_the_set_never_takes_more_than_its_quota(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    quota = 3 * SMALLEST_FILE
    largest = 0
    write = trace_files._write_at

    def watched(file: BinaryIO, offset: int, data: bytes) -> None:
        nonlocal largest
        write(file, offset, data)
        largest = max(largest, sum(each.stat().st_size for each in tmp_path.iterdir()))

    monkeypatch.setattr(trace_files, "_write_at", watched)
    files = TraceFiles(tmp_path / f"day.{suffix}", Rules(rotate=SMALLEST_FILE, quota=quota))
    fill(files, 200 * PENDING)
    files.close()
    assert quota // 2 < largest <= quota
    names = files_of(tmp_path)
    assert int(names[0].split(".")[1]) > 1
    assert told(files) == []
    last, _ = read(tmp_path / names[-1])
    assert numbers(last)[-1:] in ([200 * PENDING - 1], [])


class Disk:
    """Files of a disk that fills up; what a partial write leaves is cut off as on a real one."""

    def __init__(self) -> None:
        self.room: int | None = None
        self.cause = errno.ENOSPC
        self.refused = 0

    def create(self, path: Path) -> BinaryIO:
        if self.room == 0:
            raise OSError(self.cause, os.strerror(self.cause))
        return cast("BinaryIO", _DiskFile(self, path.open("xb", buffering=0)))


class _DiskFile:
    def __init__(self, disk: Disk, file: BinaryIO) -> None:
        self._disk = disk
        self._file = file
        self.seek, self.truncate, self.fileno = file.seek, file.truncate, file.fileno

    def write(self, data: bytes) -> int:
        disk = self._disk
        if disk.room is None:
            return self._file.write(data)
        if disk.room == 0:
            disk.refused += 1
            raise OSError(disk.cause, os.strerror(disk.cause))
        part = bytes(data)[: disk.room]
        disk.room -= len(part)
        return self._file.write(part)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    made = Disk()
    monkeypatch.setattr(trace_files, "_create", made.create)
    return made


@FORMATS
@pytest.mark.parametrize("cause", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
@pytest.mark.parametrize("room", [0, 1, 777, 5000])
def test_a_full_disk_is_told_once_and_survived(
    tmp_path: Path, disk: Disk, suffix: str, cause: int, room: int
) -> None:
    path = tmp_path / f"day.{suffix}"
    files = TraceFiles(path, Rules())
    total, full, free = 40 * PENDING, 10 * PENDING, 30 * PENDING
    fill(files, full)
    disk.room, disk.cause = room, cause
    fill(files, free - full, first=full)
    (first,) = told(files)
    assert first.kind is LinkEventKind.DROPPED
    assert os.strerror(cause) in first.text
    assert disk.refused <= 2 + (free - full) * MILLISECOND // RETRY, "it is not tried with each frame"
    disk.room = None
    fill(files, total - free, first=free)
    files.close()
    (second,) = told(files)
    assert "is written again" in second.text
    assert files.lost == first.count + second.count
    records, reader = read(path)
    assert len(records) == total - files.lost
    assert numbers(records) == sorted(set(numbers(records)))
    assert reader.skipped_lines == 0
    if suffix == "log":
        assert path.read_text().count(f"gap: {files.lost} frames could not be written here") == 1


def test_a_disk_that_stays_full_costs_no_memory_and_no_error(tmp_path: Path, disk: Disk) -> None:
    files = TraceFiles(tmp_path / "day.log", Rules(rotate=SMALLEST_FILE))
    disk.room = 0
    fill(files, 50 * PENDING)
    files.mark(LinkEvent(LinkEventKind.CLOSED, 50 * PENDING * MILLISECOND))
    files.close()
    assert files.lost == 50 * PENDING
    assert len(told(files)) == 1
    assert files_of(tmp_path) == []


def test_the_link_goes_on_and_says_it(tmp_path: Path, disk: Disk) -> None:
    link = open_link(f"tap:virtual:full?file={tmp_path}/day.log&flush=0ms")
    peer = open_link("virtual:full")
    disk.room = 0
    for n in range(20):
        peer.send(CanFrame(n), deadline=SECOND)
        received = link.receive(deadline=link.now() + SECOND)
        assert received is not None
        assert received.frame == CanFrame(n)
    (event,) = iter(link.poll_event, None)
    assert event.kind is LinkEventKind.DROPPED
    assert not event.gap, "the bus was heard"
    link.close()
    peer.close()


def test_files_that_another_deletes_are_no_trouble(tmp_path: Path) -> None:
    files = TraceFiles(tmp_path / "day.log", Rules(every=10 * SECOND, keep=2))
    fill(files, 15, step=SECOND)
    (tmp_path / "day.000001.log").unlink()
    fill(files, 30, first=15, step=SECOND)
    files.close()
    assert told(files) == []
    assert len(files_of(tmp_path)) == 2


@FORMATS
def test_a_frame_is_on_the_disk_after_the_flush_time(tmp_path: Path, suffix: str) -> None:
    files = TraceFiles(tmp_path / f"day.{suffix}", Rules(flush=2 * SECOND))
    files.take(CanFrame(1), SECOND, own=False)
    assert files.next_timeout() == 3 * SECOND
    files.handle_timeout(3 * SECOND - 1)
    assert files.current is not None
    assert files.current.stat().st_size == 0
    files.handle_timeout(3 * SECOND)
    assert len(read(files.current)[0]) == 1
    assert files.next_timeout() is None
    files.close()


def test_a_silent_bus_keeps_no_frame_from_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "day.log"
    link, peer = open_link(f"tap:virtual:silent?file={path}&flush=50ms"), open_link("virtual:silent")
    peer.send(CanFrame(1), deadline=SECOND)
    assert link.receive(deadline=SECOND) is not None
    assert link.receive(deadline=SECOND) is None
    assert link.now() == SECOND
    assert len(read(path)[0]) == 1
    link.close()
    peer.close()


KILLED = """
import os, signal, sys
from pathlib import Path
from swapproto.frame import MILLISECOND, CanFrame
from swapproto_drivers.trace_files import Rules, TraceFiles

files = TraceFiles(Path(sys.argv[1]), Rules(flush=0, sync=True))
for n in range(300):
    files.take(CanFrame(n), n * MILLISECOND, own=False)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal here")
@FORMATS
def test_a_killed_process_leaves_a_readable_trace(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"day.{suffix}"
    ended = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    records, reader = read(path)
    assert [record.id for record in records] == list(range(300))
    assert reader.skipped_lines == 0


def test_a_trace_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "day.log"
    path.write_bytes(b"evidence")
    with pytest.raises(LinkUnavailable, match="is there already"):
        open_link(f"tap:virtual:over?file={path}")
    assert path.read_bytes() == b"evidence"
    again = open_link("virtual:over")
    assert again.caps.name == "over.1", "the wrapped link was closed"
    again.close()


@pytest.mark.parametrize(
    "options",
    [
        "",
        "file=/no/such/folder/day.log",
        "file={}/day.log&format=pcap",
        "file={}/day.log&keep=3",
        "file={}/day.log&quota=100MB&rotate=90MB",
        "file={}/day.log&rotate=10",
        "file={}/day.log&rotate=100",
        "file={}/day.log&rotate=100kb",
        "file={}/day.log&every=0s",
        "file={}/day.log&rotate=1MB&keep=0",
        "file={}/day.log&channel=bay%203",
        "file={}/day.log&before=5s&frames=0",
        "file={}/day.log&sync=maybe",
        "file={}/day.log&filee=x",
    ],
)
def test_options_that_make_no_sense_are_refused(tmp_path: Path, options: str) -> None:
    url = f"tap:virtual:refused?{options.format(tmp_path)}" if options else "tap:virtual:refused"
    with pytest.raises(LinkUnavailable):
        open_link(url)
    assert files_of(tmp_path) == []


def test_a_link_that_fails_to_close_leaves_the_trace_complete(tmp_path: Path) -> None:
    class Stuck(Scripted):
        def close(self) -> None:
            raise LinkError("stuck")

    link = TapLink(Stuck([Received(CanFrame(1), 5)]), TraceFiles(tmp_path / "day.log", Rules()))
    link.receive(deadline=SECOND)
    with pytest.raises(LinkError, match="stuck"):
        link.close()
    link.close()
    assert len(read(tmp_path / "day.log")[0]) == 1
