"""`swapproto swap`, and what `swapproto decode` makes of its recording."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from swapproto.cli import _single, run
from swapproto.cli.swap import NOT_DONE, command
from swapproto.models.truck import TRUCKS
from swapproto.simulation.swap_faults import SWAP_FAULTS

SWAP = _single("swap", command)


def swap(*arguments: str) -> tuple[int, list[str]]:
    result = CliRunner().invoke(SWAP, list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output.splitlines()


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    file = tmp_path_factory.mktemp("swap") / "swap.log"
    code, lines = swap("--charge-to", "21", "--seed", "5", "--out", str(file), "--json")
    assert code == 0
    return file, json.loads("\n".join(lines))


def _decoded(file: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert run(["decode", str(file), "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_the_object_tells_the_swap_its_journal_and_its_recording(
    recorded: tuple[Path, dict[str, Any]],
) -> None:
    file, told = recorded
    assert (told["outcome"], told["reason"], told["harm"], told["charged"]) == ("complete", "", [], True)
    assert told["soc"] == pytest.approx(0.21, abs=0.001)
    assert told["journal"][0]["who"] == "truck"
    assert told["plan"]["store"] == "bay 7"
    frames = [line for line in file.read_text("ascii").splitlines() if not line.startswith("#")]
    assert told["recording"] == {"file": str(file), "frames": len(frames)}
    assert {line.split()[1] for line in frames} == {"truck", "bay7", f"bay{told['plan']['pick'][-1]}"}


def test_decode_tells_the_steps_the_packs_and_the_charge_of_the_recording(
    recorded: tuple[Path, dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    file, told = recorded
    found = _decoded(file, capsys)
    assert (found["skipped_lines"], found["swap"]["oddities"]) == (0, [])
    on_truck = [step["step"] for step in found["swap"]["steps"] if step["channel"] == "truck"]
    wanted = [
        "truck on the network", "pack energised", "pack de-energised", "pack silent", "connectors apart",
        "base unlocked", "base locked", "another pack", "connectors connected", "pack energised",
    ]  # fmt: skip
    left = iter(on_truck)
    assert all(step in left for step in wanted), on_truck
    in_bay = [step["step"] for step in found["swap"]["steps"] if step["channel"] == "bay7"]
    assert in_bay.index("charge begins") < in_bay.index("charge ends")
    text = json.dumps(found["packs"])
    assert told["brought"] in text
    assert told["taken"] in text
    assert told["vin"] in text
    assert "228" in text


def test_the_journal_says_what_the_truck_does_and_has_done(
    recorded: tuple[Path, dict[str, Any]],
) -> None:
    _, told = recorded
    assert [note["text"] for note in told["journal"] if note["who"] == "truck"][1:] == [
        "free to drive", "keeps the driver from driving off", "driving inhibited", "de-energises the pack",
        "pack de-energised", "separates the connectors", "connectors apart", "unlocks the base",
        "base unlocked", "locks the base", "base locked", "connects the connectors", "connectors connected",
        "lets the driver drive", "free to drive", "leaves",
    ]  # fmt: skip
    assert told["charge"] == "charge complete: the state of charge that was wanted is reached"
    assert [note["text"] for note in told["journal"] if note["who"] == "bay7"][-1] == (
        f"{told['brought']} at 21 %, {told['charge']}"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("--soc", "98.5"),
            "charge complete: its fullest cell is at its highest voltage and takes hardly any current",
        ),
        (
            ("--soc", "90", "--charge-to", "50"),
            "no charge: up to 50 % is wanted, and the pack arrived with 90 %",
        ),
    ],
)
def test_how_far_the_charge_went_and_why(arguments: tuple[str, ...], said: str) -> None:
    code, lines = swap(*arguments)
    assert code == 0
    assert lines[-1] == f"  {said}"
    assert any(said in line for line in lines[:-4]), "the journal says so too"


def test_a_fault_gives_its_reason_and_exit_1() -> None:
    code, lines = swap("--truck", "mixer", "--fault", "3s:emergency-stop", "--charge-to", "0")
    assert code == NOT_DONE
    assert lines[-1] == "swap aborted after 3 s: parking position: emergency stop"
    assert any("fault    emergency-stop: somebody presses" in line for line in lines)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--truck", "traktor"), "no truck 'traktor'; near: tractor"),
        (("--fault", "wield"), "no fault 'wield'"),
        (("--soc", "101"), "--soc 101"),
        (("--charge-to", "-1"), "--charge-to -1"),
        (("--charge-to", "nan"), "--charge-to nan"),
        (("--out", "/nowhere/swap.log"), "there is no such folder"),
    ],
)
def test_bad_arguments_are_said_with_exit_4(
    arguments: tuple[str, ...], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["swap", *arguments]) == 4
    assert complaint in capsys.readouterr().err


def test_the_help_names_every_truck_and_every_fault() -> None:
    code, lines = swap("--help")
    assert code == 0
    text = " ".join(" ".join(lines).split())
    assert all(name in text for name in [*TRUCKS, *SWAP_FAULTS])
