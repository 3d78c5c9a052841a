import json
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from swapproto.cli.code import command

PUBLIC = "X12MCPM27KLPCLX2M2382320"
VIN = "1M8GDM9AXKP042788"

app = typer.Typer(add_completion=False, rich_markup_mode=None)
app.command()(command)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def as_objects(*codes: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run("--json", *codes).stdout)["codes"]
    return found


def row(text: str, field: str) -> str:
    (line,) = (line for line in text.splitlines() if f"  {field}  " in f"{line}  ")
    return line


def test_a_pack_code_in_words() -> None:
    done = run(PUBLIC)
    assert done.exit_code == 0
    assert done.stdout.startswith(f"{PUBLIC}: GB/T 34014 code of a module\n")
    assert row(done.stdout, "traceability").split()[:3] == ["8-14", "traceability", "27KLPCL"]
    assert "2040 or 2043" in row(done.stdout, "year")
    assert "not public" in row(done.stdout, "chemistry")
    assert "made on 2040-02-21 or 2043-02-21" in done.stdout
    assert done.stdout.count("doubt: ") == 1


def test_a_second_life_in_words() -> None:
    done = run("ABCPBXXD2A0000001RM")
    assert done.exit_code == 0
    assert "code of a pack, in its second life a module" in done.stdout
    assert "lithium iron phosphate" in row(done.stdout, "chemistry")
    assert "19 characters or 18: the sources disagree" in done.stdout


@pytest.mark.parametrize(
    ("code", "column"),
    [
        (PUBLIC[:17] + "I" + PUBLIC[18:], 17),
        (PUBLIC[:23], 23),
        (PUBLIC + "0", 24),
        (VIN[:11] + "O" + VIN[12:], 11),
        (VIN[:8] + "1" + VIN[9:], 8),
    ],
)
def test_a_caret_stands_under_the_fault(code: str, column: int) -> None:
    done = run(code)
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert lines[0].endswith(", 1 fault")
    assert lines[2] == f"  {code}"
    assert lines[3] == " " * (2 + column) + "^"
    assert lines[4].startswith(f"  position {column + 1}: ")


def test_what_is_no_plain_text_is_escaped_and_still_pointed_at() -> None:
    done = run("\x1b[" + PUBLIC[2:])
    lines = done.stdout.splitlines()
    assert lines[2:4] == [f"  \\x1b[{PUBLIC[2:]}", "  ^^^^^"]
    assert "\x1b" not in done.stdout


def test_a_vin_in_words() -> None:
    done = run(VIN)
    assert done.exit_code == 0
    assert done.stdout.startswith(f"{VIN}: VIN\n")
    assert row(done.stdout, "check digit").split()[:5] == ["9", "check", "digit", "X", "holds"]


def test_a_wrong_check_digit_still_shows_the_vin() -> None:
    done = run(VIN[:8] + "1" + VIN[9:])
    assert done.exit_code == 1
    assert "should be X" in row(done.stdout, "check digit")


def test_one_fault_among_many_codes_decides_the_exit() -> None:
    done = run(VIN, "x", PUBLIC)
    assert done.exit_code == 1
    assert [line.split(":")[0] for line in done.stdout.splitlines() if line and line[0] != " "] == [
        VIN, "x", PUBLIC,
    ]  # fmt: skip


def test_the_object() -> None:
    pack, vin, bad, none = as_objects(PUBLIC, VIN, VIN[:8] + "1" + VIN[9:], "")
    assert (pack["kind"], pack["valid"]) == ("GB/T 34014", True)
    assert pack["dates"] == ["2040-02-21", "2043-02-21"]
    assert "".join(field["text"] for field in pack["fields"]) == PUBLIC
    assert [len(doubt["sources"]) for doubt in pack["doubts"]] == [2]
    day = next(field for field in pack["fields"] if field["name"] == "day")
    assert (day["position"], day["meaning"], day["source"]["basis"]) == (17, "21", "derived")
    assert (vin["kind"], vin["valid"], vin["faults"]) == ("VIN", True, [])
    (fault,) = bad["faults"]
    assert (fault["kind"], fault["position"], fault["character"], fault["expected"]) == (
        "check digit", 9, "1", "X",
    )  # fmt: skip
    assert none["faults"][0]["character"] is None
    assert none["fields"] == []
