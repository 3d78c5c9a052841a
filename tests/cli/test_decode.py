import csv
import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from swapproto.cli import BAD_ARGUMENTS, run

LOG = """\
# a comment
(100.000013) can0 1826F456#010100
(100.015013) can0 182756F4#A510
(100.250113) can0 1826F456#010100
garbage
(100.300013) can1 181056F4#5217820F02
(100.400013) can0 18FEF100#0102030405060708
(100.500013) can0 1801F456#0001010101313233
(100.520013) can0 1CEC56F4#10310007FF000200
(100.521013) can0 1CECF456#110701FFFF000200
(100.522013) can0 1CEB56F4#0101010003F0053F
(100.523013) can0 1CEB56F4#020E4B4C4945FFFF
(101.000013) can0 181056F4#5217820F02
(101.050017) can0 1812F456#C90EA00F0000FD
(101.100013) can0 181056F4#5217820F
(101.150019) can0 123#R
"""

SHARED = Path(__file__).resolve().parents[3] / "shared" / "captures"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "some.log"
    path.write_text(LOG)
    return path


def decoded(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    assert run(["decode", "--json", *map(str, arguments)]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_the_object_has_what_it_promises(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = decoded(capsys, log)
    assert found["edition"] == "2015 or 2023 A-type, indistinguishable"
    assert found["frames"] == 12
    assert found["skipped_lines"] == 1
    assert found["skipped"][0]["line"] == 5
    assert found["foreign_frames"] == 1
    assert found["other_frames"] == {"remote": 1}
    assert found["other_channels"] == {"can1": 1}
    assert found["transfers"]["incomplete"] == 1
    assert found["transfers"]["complete"] == found["transfers"]["aborted"] == 0
    assert [span["name"] for span in found["phases"]] == ["handshake start", "identification", "charging"]
    assert found["phases"][0]["start"] == 0.0
    assert found["phases"][0]["end"] == 0.2501
    assert found["messages"]["CHM"]["count"] == 2
    assert found["messages"]["CHM"]["period_ms"] == {
        "median": 250.1,
        "min": 250.1,
        "max": 250.1,
        "intervals": 1,
    }
    assert found["messages"]["BHM"]["period_ms"]["median"] is None
    assert found["messages"]["BCL"]["unreadable"] == 1
    assert found["deviations"][0]["message"] == "BCL"
    assert found["deviations"][0]["kind"] == "unreadable"
    assert found["deviations"][0]["line"] == 15
    assert ["order", "BCL", 13] in [[v["kind"], v["message"], v["line"]] for v in found["violations"]]
    assert found["violations"][0]["basis"]["basis"] == "reported"


def test_the_text_has_every_section(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["decode", str(log)]) == 0
    text = capsys.readouterr().out
    for wanted in (
        "Edition: 2015 or 2023 A-type, indistinguishable",
        "Parties",
        "max_voltage=426.1 V",
        "Phases",
        "Messages",
        "Transfers: 0 complete, 0 aborted, 1 incomplete",
        "Deviations: 1",
        "Violations: ",
        "Skipped lines: 1",
        "garbage",
        "Foreign frames: 1",
        "18FEF100",
        "--channel can1",
    ):
        assert wanted in text
    assert "\x1b" not in text


def test_the_name_of_the_file_decides_nothing(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "gbt27930-2011.log"
    other.write_bytes(log.read_bytes())
    here, there = decoded(capsys, log), decoded(capsys, other)
    assert here.pop("file") != there.pop("file")
    assert here == there


def test_a_channel_can_be_chosen(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = decoded(capsys, log, "--channel", "can1")
    assert found["frames"] == 1
    assert list(found["messages"]) == ["BCL"]
    assert run(["decode", str(log), "--channel", "can7"]) == BAD_ARGUMENTS
    assert "can0, can1" in capsys.readouterr().err


def test_messages_as_text(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["decode", "--messages", str(log)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 7
    assert lines[1].split() == ["0.015000", "3", "BMS", "BHM", "max_voltage=426.1", "V"]
    assert "voltage=597.0 V, current=-3.0 A, mode=constant current" in lines[4]
    assert "cannot be read" in lines[6]


def test_messages_as_json_lines(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["decode", "--messages", "--json", str(log)]) == 0
    text = capsys.readouterr().out
    rows = [json.loads(line) for line in text.splitlines()]
    assert rows[4]["fields"] == {"voltage": 597.0, "current": -3.0, "mode": "constant current"}
    assert rows[4]["units"] == {"voltage": "V", "current": "A"}
    assert '"voltage": 597.0,' in text
    assert rows[6]["fields"] is None
    assert rows[6]["error"]


def test_messages_as_csv(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["decode", "--messages", "--csv", str(log)]) == 0
    rows = list(csv.DictReader(StringIO(capsys.readouterr().out)))
    assert len(rows) == 7
    assert (rows[4]["time_s"], rows[4]["line"], rows[4]["message"]) == ("1.000000", "13", "BCL")
    assert json.loads(rows[4]["fields"])["voltage"] == 597.0
    assert json.loads(rows[4]["deviations"]) == []
    assert rows[6]["fields"] == "null"


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"nonsense\n" * 300, bytes(range(256)) * 64, "(1.0) cän0 181056F4#00".encode()]
)
@pytest.mark.parametrize(
    "form", [[], ["--json"], ["--messages"], ["--messages", "--json"], ["--messages", "--csv"]]
)
def test_any_readable_file_ends_well(
    content: bytes, form: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "any.log"
    path.write_bytes(content)
    assert run(["decode", *form, str(path)]) == 0
    assert "Traceback" not in capsys.readouterr().err


def test_text_from_the_wire_cannot_drive_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "evil.log"
    hostile = b"(1.0) \x1b[31m \x1b]0;x\x07\n"
    first, last = b"(1.0) can0 1801F456#00010101011B5B41\n", b"(1.1) can0 1801F456#AA010101011B5BFE\n"
    path.write_bytes(first + hostile + last)
    for form in ([], ["--json"], ["--messages"], ["--messages", "--csv"]):
        assert run(["decode", *form, str(path)]) == 0
        assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [["--csv"], ["--messages", "--csv", "--json"], ["--nonsense"], ["--channel"]]
)
def test_arguments_that_do_not_fit(
    arguments: list[str], log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["decode", str(log), *arguments]) == BAD_ARGUMENTS
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err


def test_what_cannot_be_opened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (tmp_path / "missing.log", tmp_path):
        assert run(["decode", str(path)]) == BAD_ARGUMENTS
        captured = capsys.readouterr()
        assert captured.out == ""
        assert str(path) in captured.err
        assert "Traceback" not in captured.err


def swapproto(*arguments: str, **keys: Any) -> subprocess.CompletedProcess[bytes]:
    code = "from swapproto.cli import main; main()"
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, check=False, **keys)


@pytest.mark.skipif(os.name != "posix", reason="needs pipes of POSIX")
def test_a_pipe_is_read_and_a_closed_one_is_no_error(tmp_path: Path) -> None:
    log = tmp_path / "long.log"
    lines = [f"({100 + n / 20:.6f}) can0 181056F4#5217820F02\n" for n in range(20_000)]
    log.write_text("".join(lines))
    code = "from swapproto.cli import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", code, "decode", "--messages", str(log)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert b"BCL" in process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()
        assert process.wait(timeout=60) == 0
    assert errors == b""
    piped = swapproto("decode", "--json", "/dev/stdin", input=log.read_bytes())
    assert json.loads(piped.stdout)["messages"]["BCL"]["count"] == 20_000


def test_a_terminal_without_unicode_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "größe.log"
    path.write_text(LOG)
    done = swapproto("decode", str(path), env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0, done.stderr


@pytest.mark.captures
@pytest.mark.parametrize(
    ("name", "edition", "messages"),
    [
        ("ru5t_candump1_20231225", "2015", {"BRM": 1, "BCP": 1, "BCS": 110}),
        ("ontom_bev150_20150424", "2011", {"BMV": 85}),
        ("tyu05_charger_measured", "2015", {"BEM": 45}),
        ("hybtalented_input", "2015", {"BRM": 1}),
        ("j1939_tp_flood", "unknown", {}),
    ],
)
def test_public_recordings(
    name: str, edition: str, messages: dict[str, int], capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(os.environ.get("SWAPPROTO_CAPTURES", SHARED)) / f"{name}.log"
    if not path.is_file():
        pytest.skip("no recordings here")
    found = decoded(capsys, path)
    assert found["edition"] == edition
    assert {each: found["messages"][each]["count"] for each in messages} == messages
    assert found["skipped_lines"] == 0
