"""A reader that goes away or a disk that is full costs the text, and neither the run nor its verdict."""

import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-c", "from swapproto.cli import main; main()"]
ONE = ["certify", "--case", "pack.end.bsd"]
FULL = Path("/dev/full")


def run(
    *arguments: str, stdout: int | None = None, into: Path | None = None
) -> subprocess.CompletedProcess[str]:
    if into is not None:
        with into.open("w") as out:
            return subprocess.run(
                [*COMMAND, *arguments], stdout=out, stderr=subprocess.PIPE, text=True, check=False
            )
    return subprocess.run(
        [*COMMAND, *arguments], stdout=stdout, stderr=subprocess.PIPE, text=True, check=False
    )


def test_a_run_into_a_closed_pipe_writes_its_report(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, *ONE, "--out", str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.close()
    _, complaints = process.communicate(timeout=60)

    assert process.returncode == 0
    assert b"Traceback" not in complaints
    assert (tmp_path / "certificate.json").exists()


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")
def test_a_run_onto_a_full_disk_keeps_its_verdict(tmp_path: Path) -> None:
    done = run(*ONE, "--out", str(tmp_path), into=FULL)

    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "certificate.json").exists()


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")
def test_other_commands_say_that_they_cannot_write() -> None:
    done = run("message", "BCL", into=FULL)

    assert done.returncode == 3
    assert "cannot write the output" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_trace_that_is_missing_from_the_named_directory_is_no_valid_evidence(tmp_path: Path) -> None:
    run(*ONE, "--out", str(tmp_path), stdout=subprocess.DEVNULL)
    (tmp_path / "traces" / "pack.end.bsd.log").unlink()
    verify = ["cert", "verify", str(tmp_path / "certificate.json")]
    alone = run(*verify, stdout=subprocess.PIPE)
    named = run(*verify, "--traces", str(tmp_path), stdout=subprocess.PIPE)

    assert (alone.returncode, named.returncode) == (0, 1)
    assert "1 of 1 traces not found" in alone.stdout.splitlines()[0]
