"""Evidence files are whole or not there."""

import errno
import os
from pathlib import Path

import pytest

from swapproto.atomic import FileError, read_bounded, write_atomically


def test_it_writes_and_replaces(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write_atomically(path, b"one")
    write_atomically(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("fails", ["fsync", "replace"])
def test_a_failing_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    path = tmp_path / "report.json"
    write_atomically(path, b"good")

    def disk_full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, fails, disk_full)
    with pytest.raises(FileError, match=os.strerror(errno.ENOSPC)) as caught:
        write_atomically(path, b"half")
    assert caught.value.path == str(path)
    assert path.read_bytes() == b"good"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupted_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "report.json", b"half")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be written"):
        write_atomically(tmp_path / "none" / "report.json", b"")


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_modes_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        write_atomically(tmp_path / "report", b"")
        write_atomically(tmp_path / "key", b"", mode=0o600)
    finally:
        os.umask(before)
    assert (tmp_path / "report").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_reading_is_bounded_and_only_of_files(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"12345")
    assert read_bounded(tmp_path / "x", limit=5) == b"12345"
    with pytest.raises(FileError, match="larger"):
        read_bounded(tmp_path / "x", limit=4)
    with pytest.raises(FileError, match="is no file"):
        read_bounded(tmp_path)
    with pytest.raises(FileError, match="no such file"):
        read_bounded(tmp_path / "y")


def test_a_link_stays_and_its_target_is_replaced(tmp_path: Path) -> None:
    target, link = tmp_path / "target.json", tmp_path / "link.json"
    target.write_bytes(b"old")
    link.symlink_to(target.name)
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    target.unlink()
    write_atomically(link, b"newer")
    assert target.read_bytes() == b"newer"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_gets_the_content_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_atomically(pipe, b"content")
        assert os.read(reader, 100) == b"content"
    finally:
        os.close(reader)
    assert pipe.is_fifo()


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="this system has no /dev/full")
def test_a_full_device_is_an_error_and_stays_a_device() -> None:
    with pytest.raises(FileError, match=os.strerror(errno.ENOSPC)):
        write_atomically(Path("/dev/full"), b"content")
    assert Path("/dev/full").is_char_device()
