import json
import re
from pathlib import Path
from typing import Any

import pytest

from swapproto.cli import BAD_ARGUMENTS, run
from swapproto.messages.gbt27930 import BHM, BRO, CHM, CRM, Ready, Recognition

CAPTURE = Path(__file__).resolve().parents[3] / "shared" / "captures" / "ru5t_candump1_20231225.log"
HEADER = "(%.6f) %s %08X#%s"


def write(path: Path, *, voltage: float = 603.0, channel: str = "can0", start: float = 100.0) -> Path:
    lines: list[str] = []
    for beat in range(8):
        at = start + beat * 0.250003
        for offset, message in (
            (0.0, CHM(version_minor=1, version_major=1)),
            (0.015, BHM(max_voltage=voltage)),
        ):
            lines.append(HEADER % (at + offset, channel, message.identifier(), message.encode().hex()))
    crm = CRM(result=Recognition.NOT_RECOGNISED, charger_number=1, region="<b>")
    lines.append(HEADER % (start + 3, channel, crm.identifier(), crm.encode().hex()))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return write(tmp_path / "good.log")


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    return write(tmp_path / "<i>bad.log", voltage=700.0)


def test_a_file_does_not_differ_from_itself_elsewhere_and_later(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    later = write(tmp_path / "later.log", channel="can9", start=7000.0)
    assert run(["diff", str(good), str(later)]) == 0
    assert capsys.readouterr().out.endswith("No difference.\n")


def test_the_first_difference_stands_first(good: Path, bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diff", str(good), str(bad)]) == 1
    text = capsys.readouterr().out
    head = text[text.index("First difference") :].splitlines()
    assert head[:4] == [
        "First difference that matters: BHM.max_voltage (SPN 2601) differs",
        "  phase  handshake start",
        "  GOOD   603 V  (0.015 s, line 2)",
        "  BAD    700 V  (0.015 s, line 2)",
    ]
    assert "The rest: none" in text


def test_the_object(good: Path, bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diff", "--json", str(good), str(bad)]) == 1
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert found["equal"] is False
    assert found["first"] == found["differences"][0]
    assert found["first"]["kind"] == "field"
    assert found["first"]["good"] == {"has": "603 V", "time_s": 0.015, "line": 2}
    assert [step["step"] for step in found["steps"]] == ["CHM", "BHM", "CRM(00)"]
    assert {step["mark"] for step in found["steps"]} == {"in both"}


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (["nowhere.log"], "nowhere.log"),
        (["."], "directory"),
        (["{good}", "--good-channel", "can7"], "can7"),
        (["{good}", "--page", "{good}"], "take the place"),
        (["{good}", "--page", "no/such/directory/page.html"], "cannot be written"),
    ],
)
def test_what_cannot_be_used(
    good: Path,
    extra: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = [each.format(good=good) for each in extra]
    assert run(["diff", str(good), *arguments]) == BAD_ARGUMENTS
    assert words in capsys.readouterr().err


def test_a_file_without_a_frame_is_no_recording(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "prose.log").write_text("not a recording\n")
    assert run(["diff", str(good), str(tmp_path / "prose.log")]) == BAD_ARGUMENTS
    assert "no frame can be read" in capsys.readouterr().err


def test_the_page_is_whole_and_harmless(good: Path, bad: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("old")
    assert run(["diff", str(good), str(bad), "--page", str(page)]) == 1
    text = page.read_text()
    assert "BHM.max_voltage (SPN 2601) differs" in text
    assert "&lt;i&gt;bad.log" in text
    assert "<i>" not in text
    assert "<script" not in text
    assert not re.search(r"(?:src|href)=\"(?!data:)", text)
    assert not list(tmp_path.glob(".*.tmp"))


@pytest.mark.captures
@pytest.mark.skipif(not CAPTURE.exists(), reason="no recordings here")
def test_a_recording_without_bro_names_bro_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = CAPTURE.read_text().splitlines(keepends=True)
    copy = tmp_path / "copy.log"
    copy.write_text("".join(line for line in lines if f" {BRO.identifier():08X}#" not in line))
    assert run(["diff", "--json", str(CAPTURE), str(copy)]) == 1
    first = json.loads(capsys.readouterr().out)["first"]
    assert (first["kind"], first["subject"], first["phase"]) == ("message missing", "BRO", "configuration")
    assert first["good"]["line"] == 165


@pytest.mark.captures
@pytest.mark.skipif(not CAPTURE.exists(), reason="no recordings here")
def test_a_recording_shifted_and_renamed_is_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def shifted(match: re.Match[str]) -> str:
        return f"({int(match[1]) + 86_400}.{match[2]}) vcan3 "

    copy = tmp_path / "copy.log"
    copy.write_text(re.sub(r"\((\d+)\.(\d+)\) \S+ ", shifted, CAPTURE.read_text()))
    assert run(["diff", str(CAPTURE), str(copy)]) == 0
    assert "No difference." in capsys.readouterr().out


@pytest.mark.captures
@pytest.mark.skipif(not CAPTURE.exists(), reason="no recordings here")
def test_a_charger_that_never_gets_ready(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ready, waiting = (BRO(ready=each).encode().hex().upper() for each in (Ready.READY, Ready.NOT_READY))
    copy = tmp_path / "copy.log"
    identifier = f"{BRO.identifier():08X}#"
    copy.write_text(CAPTURE.read_text().replace(identifier + ready, identifier + waiting))
    assert run(["diff", "--json", str(CAPTURE), str(copy)]) == 1
    assert json.loads(capsys.readouterr().out)["first"]["subject"] == "BRO(AA)"
