"""`swapproto message` over all sets of messages."""

import pytest

from swapproto.cli import BAD_ARGUMENTS, run
from swapproto.messages.catalog import SETS, message_set


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["message", *arguments]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("name", SETS)
def test_every_message_of_a_set_is_listed_and_has_a_page(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    listing = shown(capsys, "--list", "--set", name)
    assert listing.startswith(f"{name}: ")
    for cls in message_set(name):
        (row,) = [line for line in listing.splitlines() if line.startswith(f"  {cls.__name__} ")]
        assert f"{cls.identifier():08X}" in row
        assert cls.title in row
        page = shown(capsys, cls.__name__, "--set", name)
        assert page.startswith(f"{cls.__name__}: {cls.title} ({message_set(name).name})")
        for field in cls.layout.fields:
            assert f" {field.name} " in page


def test_all_sets_are_listed_where_none_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    listing = shown(capsys, "--list")
    assert listing == shown(capsys)
    headings = [line.split(":")[0] for line in listing.splitlines() if line and not line.startswith(" ")]
    assert tuple(headings) == SETS


@pytest.mark.parametrize(
    ("name", "home"),
    [
        ("relaystatus", "the pack CAN family D0/F3"),
        ("SwapController", "the pack CAN family D0/F3"),
        ("bcpp", "the station charging extensions"),
        ("VersionOffer", "GB/T 27930 edition 2023 A-type"),
        ("CRM", "GB/T 27930 edition 2015"),
    ],
)
def test_a_name_is_found_in_whichever_set(name: str, home: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, name).splitlines()[0].endswith(f"({home})")


def test_a_name_in_several_sets_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    ccs = shown(capsys, "CCS")
    for other in ("gbt27930-2011", "gbt27930-2023a", "station-charging-ext"):
        assert f"another of this name in {other}: --set {other}" in ccs
    assert "the same in gbt27930-2011, gbt27930-2023a, station-charging-ext" in shown(capsys, "BCL")
    assert "in gbt27930" not in shown(capsys, "PackState")


def test_what_is_not_public_is_not_called_an_event(capsys: pytest.CaptureFixture[str]) -> None:
    assert "period     not public" in shown(capsys, "BCPP")
    assert "period     on event" in shown(capsys, "DM1")
    page = shown(capsys, "CCD")
    assert "what its values mean is not public" in page
    assert "assumed" in page


@pytest.mark.parametrize(
    "arguments",
    [
        ["BCL", "--edition", "2015", "--set", "gbt27930-2015"],
        ["BCL", "--list"],
        ["--list", "--source"],
        ["BCL", "--set", "gbt27930"],
        ["BCPP", "--set", "gbt27930-2015"],
        ["RelayStatus", "--edition", "2015"],
    ],
)
def test_arguments_that_do_not_fit(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["message", *arguments]) == BAD_ARGUMENTS
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err


def test_an_unknown_name_has_near_ones_of_any_set(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["message", "RelaysStatus"]) == BAD_ARGUMENTS
    assert "RelayStatus" in capsys.readouterr().err
    assert run(["message", "quux"]) == BAD_ARGUMENTS
    assert "--list" in capsys.readouterr().err
