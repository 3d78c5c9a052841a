"""Whole recordings: tshark shows what `swapproto decode --messages` prints."""

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from swapproto.cli import run
from swapproto.export.source import declaration
from swapproto.trace.candump import read_candump

if TYPE_CHECKING:
    from tests.export.wireshark.conftest import Tshark

LOG = """\
(100.000013) can0 1826F456#010100
(100.015013) can0 182756F4#A510
(100.400013) can0 18FEF100#0102030405060708
(100.450013) can0 0C01F456#0001010101313233
(100.500013) can0 1801F456#0001010101313233
(100.520013) can0 1CEC56F4#10310007FF000200
(100.521013) can0 1CECF456#110701FFFF000200
(100.522013) can0 1CEB56F4#0101010003F0053F
(100.523013) can0 1CEB56F4#020E4B4C4945FFFF
(101.000013) can0 181056F4#5217820F02
(101.050017) can0 1812F456#C90EA00F0000FD
(101.100013) can0 181056F4#5217820F
(101.150013) can0 181056F4#5217
(101.200013) can0 182056F4#
(101.250013) can0 1CEC56F4#100900020200110
(101.300013) can0 1CEC56F4#10090002FF001100
(101.301013) can0 1CECF456#110201FFFF001100
(101.302013) can0 1CEB56F4#01C50EA00F4C614D
(101.303013) can0 1CEB56F4#020000FFFFFFFFFF
(101.304013) can0 1CECF456#13090002FF001100
"""


def decoded(capture: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    assert run(["decode", "--messages", "--json", str(capture)]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def compare(
    log: Path, profile: str, tshark: "Tshark", capsys: pytest.CaptureFixture[str]
) -> list[dict[str, Any]]:
    """The lines of `swapproto decode`, once tshark has shown the same from the same capture."""
    with log.open("rb") as file:
        capture = tshark.capture(read_candump(file, log.name).records)
    want = sorted(decoded(capture, capsys), key=lambda row: int(row["line"]))
    found = [msgspec.structs.asdict(each) for each in tshark.messages(declaration(profile), capture)]
    for row in found:
        row["line"] = row.pop("frame")
    assert found == [{name: row[name] for name in row if name not in ("time_s", "units")} for row in want]
    return want


def test_a_trace_of_ours(tmp_path: Path, tshark: "Tshark", capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "some.log"
    log.write_text(LOG)
    rows = compare(log, "gbt27930-2015", tshark, capsys)
    assert len(rows) == 10
    assert [row["message"] for row in rows if row["error"]] == ["BCL", "BCL"]


@pytest.mark.captures
@pytest.mark.parametrize(
    ("name", "profile", "some"),
    [
        ("ru5t_candump1_20231225", "gbt27930-2015", {"BCS": 110, "BRM": 1, "BCP": 1}),
        ("ontom_bev150_20150424", "gbt27930-2011", {"BMV": 85}),
        ("tyu05_charger_measured", "gbt27930-2015", {"BEM": 45}),
        ("hybtalented_input", "gbt27930-2015", {"BRM": 1}),
        ("j1939_tp_flood", "gbt27930-2015", {}),
    ],
)
def test_public_recordings(
    name: str,
    profile: str,
    some: dict[str, int],
    captures: Path,
    tshark: "Tshark",
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = compare(captures / f"{name}.log", profile, tshark, capsys)
    counted = Counter(row["message"] for row in rows)
    assert {each: counted[each] for each in some} == some
    assert bool(rows) == bool(some)
    if name.startswith("ontom"):
        assert max(len(row["fields"]["cells"]) for row in rows if row["message"] == "BMV") == 100
