import json
from pathlib import Path

import pytest

from swapproto.cli import BAD_ARGUMENTS, run
from swapproto.cli.compat_text import WIDTH

PACK = """schema = 1
[descriptor]
kind = "pack"
id = "x-1"
name = "X 1"
[mechanical]
handling = "hoist"
mass = "2.5 t"
"""
STATION = """schema = 1
[descriptor]
kind = "station"
id = "y-1"
[mechanical]
handling = "hoist"
mass_limit = "2.0 t"
"""


def write(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ("devices", "code", "verdict"),
    [
        (("a-282", "zhenjiang-dagang", "nanjing-tractor"), 0, "compatible (supposed)"),
        (("a-282", "zhenjiang-dagang"), 0, "compatible (supposed)"),
        (("e-heavy", "zhenjiang-dagang"), 1, "incompatible (supposed)"),
        (("p-car", "zhenjiang-dagang"), 1, "incompatible (supposed)"),
        (("d-350", "zhenjiang-dagang"), 2, "unknown (supposed)"),
    ],
)
def test_the_exit_code_is_the_verdict(
    devices: tuple[str, ...], code: int, verdict: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["compat", "check", *devices]) == code
    text = capsys.readouterr().out
    assert f"answer   {verdict}\n" in text
    assert "invented ones count as" in text
    if code == 2:
        assert "value: mechanical.mass of d-350, declared by its maker" in text
        assert "text: the text of cn-js-hdt-2022 pack.mass" in text


def test_files_are_taken_at_their_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pack, station = write(tmp_path, "x.toml", PACK), write(tmp_path, "y.toml", STATION)
    assert run(["compat", "check", pack, station]) == 1
    text = capsys.readouterr().out
    assert "answer   incompatible\n" in text
    assert "supposed" not in text
    assert "pack-station.mass: the pack has 2.5 t, the station takes at most 2.0 t" in text
    assert "item cn-js-hdt-2022 pack.mass: unset, the text is not public" in text


def test_an_assumed_value_of_a_file_decides_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weak = PACK.replace('"2.5 t"', '{ value = "2.5 t", basis = "assumed", why = "a guess" }')
    pack, station = write(tmp_path, "x.toml", weak), write(tmp_path, "y.toml", STATION)
    assert run(["compat", "check", pack, station]) == 2
    assert "assumed only: mass of the pack (2.5 t)" in capsys.readouterr().out


OVERLAY = str(Path(__file__).parents[2] / "examples" / "overlay" / "lab-overlay.toml")
SIZED = PACK.replace('mass = "2.5 t"', 'outline = "1.2 m x 2.2 m x 3 m"')


def test_a_profile_is_an_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    devices = write(tmp_path, "x.toml", SIZED), write(tmp_path, "y.toml", STATION.replace("2.0 t", "5 t"))
    assert run(["compat", "check", *devices, "--profile", OVERLAY]) == 1
    text = " ".join(capsys.readouterr().out.split())
    assert "profile lab-overlay" in text
    assert "pack.outline is 1111 mm x 2222 mm x 3333 mm (stated: the specification as the" in text
    assert f"{OVERLAY}:" in text
    assert run(["compat", "check", *devices, "--profile", "cn-js-hdt-2022"]) == 2
    text = " ".join(capsys.readouterr().out.split())
    assert "pack.outline is unset" in text
    assert "how: swapproto profile why cn-js-hdt-2022 pack.outline" in text
    assert run(["compat", "check", *devices, "--profile", OVERLAY, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["profile"] == "lab-overlay"
    refused = next(each for each in found["rules"] if each["rule"] == "pack.outline:pack.outline")
    assert (refused["outcome"], refused["clause"]) == ("violated", None)
    item = refused["item"]
    assert (item["profile"], item["key"], item["basis"]) == ("lab-overlay", "pack.outline", "stated")
    assert item["at"].endswith(", 0.1")
    assert Path(OVERLAY).read_text(encoding="utf-8").splitlines()[item["line"] - 1].startswith("outline = ")
    assert run(["compat", "check", *devices, "--profile", "cn-js-hdt-2023"]) == BAD_ARGUMENTS
    assert "near: cn-js-hdt-2022" in capsys.readouterr().err


def test_an_answer_for_a_machine(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compat", "check", "d-282", "wuxi-1", "nanjing-tractor", "--json"]) == 2
    found = json.loads(capsys.readouterr().out)
    assert found["devices"] == {"pack": "d-282", "station": "wuxi-1", "truck": "nanjing-tractor"}
    assert (found["verdict"], found["supposed"]) == ("unknown", True)
    assert {
        "how": "case",
        "what": "charger.charging.ccs",
        "text": "conformance case charger.charging.ccs",
    } in (found["settles"])
    edition = next(each for each in found["rules"] if each["rule"] == "pack-station.charging-edition")
    assert edition["outcome"] == "unknown"
    assert edition["clause"] == {"profile": "cn-js-hdt-2022", "key": "protocol.charging"}
    assert edition["inputs"][0]["basis"] == "assumed"


def test_the_grid(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compat", "matrix"]) == 0
    text = capsys.readouterr().out
    lines = text.splitlines()
    head = next(place for place, line in enumerate(lines) if line.split()[:2] == ["pack", "truck"])
    grid = {line.split()[0]: line.split()[2:] for line in lines[head + 1 : head + 16]}
    assert len(grid) == 15
    assert all(len(cells) == 14 for cells in grid.values())
    assert grid["a-282"][:2] == ["ok", "ok"]
    assert grid["e-large"][0].startswith("-")
    assert grid["d-350"][0].startswith("?")
    assert grid["p-car"][8:] == ["ok"] * 6
    assert max(map(len, lines)) <= WIDTH + 6
    assert max(map(len, lines[head : head + 16])) <= WIDTH
    assert "\x1b" not in text
    assert "pack-station.outline: length 1.6 m where 1.3 m is free" in text


def test_the_matrix_for_a_machine(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compat", "matrix", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["answers"]) == 15 * 14 == sum(found["counts"].values())
    assert found["supposed"] is True


def test_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "matrix.html"
    assert run(["compat", "matrix", "--html", str(page)]) == 0
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [each.name for each in tmp_path.iterdir()] == ["matrix.html"]
    assert run(["compat", "matrix", "--html", str(tmp_path / "none" / "matrix.html")]) == BAD_ARGUMENTS
    assert "cannot be written" in capsys.readouterr().err


def test_a_scenario_of_one_s_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "schema = 1\n[scenario]\nid = 's'\ntitle = 'Mine'\n[pack.p]\n[station.s]\n"
    path = write(tmp_path, "s.toml", text)
    assert run(["compat", "matrix", "--scenario", path]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Mine\n")
    assert "supposed" not in out
    assert run(["compat", "check", "p", "s", "--scenario", path]) == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("a-283", "wuxi-1"), "a-282"),
        (("wuxi-1", "a-282"), "describes a station, a pack is wanted here"),
        (("none.toml", "wuxi-1"), "cannot be read"),
        (("a-282",), "STATION"),
    ],
)
def test_what_cannot_be_used_is_said(
    arguments: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["compat", "check", *arguments]) == BAD_ARGUMENTS
    assert says in capsys.readouterr().err


def test_control_characters_of_a_descriptor_do_not_reach_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack = write(tmp_path, "x.toml", PACK.replace('name = "X 1"', 'name = "X \\u001b[31m"'))
    assert run(["compat", "check", pack, "wuxi-1"]) == 2
    assert "\x1b" not in capsys.readouterr().out
