"""Options, files and faults of `swapproto simulate`: what is taken, and what is said of the rest."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swapproto.cli import BAD_ARGUMENTS, run
from swapproto.cli.simulate_faults import FAULTS, BadFault, Fault, parse_fault
from swapproto.cli.simulate_settings import BadSetting, settings
from swapproto.errors import ProfileError
from swapproto.frame import MILLISECOND, SECOND
from swapproto.messages.gbt27930 import BCL, CCS, DM1, Party
from swapproto.session.bms import BmsSession
from swapproto.session.charger import ChargerSession

WHOLE = """
link = "can:socketcan:can0"
repeat = true
gap = 2

[pack]
soc = 85
temperature = 30.5
readiness_delay = 0.5
capacity = 200
cells = 100
list_cells = false
faults = ["20s:silent", "5s:drop=BCL"]

[charger]
max_voltage = 750
min_voltage = 300
max_current = 250
insulation_time = 2
number = 7
region = "NJ"
clock = false
"""


def _file(folder: Path, text: str) -> Path:
    path = folder / "bench.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_one_file_for_both(tmp_path: Path) -> None:
    path = _file(tmp_path, WHOLE)
    pack = settings(Party.BMS, path, {})
    assert (pack.link, pack.repeat, pack.gap) == ("can:socketcan:can0", True, 2 * SECOND)
    assert [str(fault) for fault in pack.faults] == ["drop=BCL", "silent"], "in the order of their times"
    plant = _plant(pack.session())
    spec = plant.spec
    assert (spec.cells, spec.capacity, spec.max_voltage) == (100, 200, pytest.approx(365))
    assert (plant.battery.soc, plant.battery.temperature) == (0.85, 30.5)
    assert plant.cell_voltages(0) is None

    charger = settings(Party.CHARGER, path, {})
    assert charger.faults == []
    plant = _plant(charger.session())
    spec = plant.spec
    assert (spec.max_voltage, spec.min_voltage, spec.max_current) == (750, 300, 250)
    assert (spec.insulation_time, spec.number, spec.region, spec.clock) == (2, 7, "NJ", None)


def test_options_override_the_file(tmp_path: Path) -> None:
    path = _file(tmp_path, WHOLE)
    given = {"link": "virtual:x", "repeat": False, "soc": 40.0, "faults": ("1s:stop",), "cells": None}
    pack = settings(Party.BMS, path, given)
    assert (pack.link, pack.repeat, [fault.name for fault in pack.faults]) == ("virtual:x", False, ["stop"])
    plant = _plant(pack.session())
    assert (plant.battery.soc, plant.spec.cells) == (0.4, 100)


def test_each_session_has_a_fresh_device() -> None:
    pack = settings(Party.BMS, None, {"link": "virtual:x"})
    assert _plant(pack.session()) is not _plant(pack.session())


def test_a_charger_with_a_clock_sends_the_time() -> None:
    plant = _plant(settings(Party.CHARGER, None, {"link": "virtual:x"}).session())
    assert plant.clock(0).time is not None


def _plant(session: BmsSession | ChargerSession) -> Any:
    """The device behind a session, which only its messages show otherwise."""
    return session._plant


@pytest.mark.parametrize(
    ("text", "key", "reason"),
    [
        ("linc = 'x'", "linc", "unknown key; do you mean link?"),
        ("[truck]\n", "truck", "unknown key; there are: link, repeat, gap, pack, charger"),
        ("pack = 3", "pack", "must be a table"),
        ("gap = -1", "gap", "-1 is not within 0 to 1e+06"),
        ("repeat = 'yes'", "repeat", "Expected `bool`, got `str`"),
        ("[pack]\nsocc = 3", "pack.socc", "unknown key; do you mean soc?"),
        ("[pack]\nsoc = '85'", "pack.soc", "Expected `float"),
        ("[pack]\nsoc = 101", "pack.soc", "101 is not within 0 to 100"),
        ("[pack]\nsoc = nan", "pack.soc", "nan is no finite number"),
        ("[pack]\ncells = 0", "pack.cells", "0 is not within 1 to 100000"),
        ("[pack]\ntemperature = -400", "pack.temperature", "-400.0 degrees Celsius"),
        ("[pack]\nreadiness_delay = -1", "pack.readiness_delay", "-1 is not within"),
        ("[pack]\nfaults = ['20s:silence']", "pack.faults", "'20s:silence': there is no fault 'silence'"),
        ("[pack]\nfaults = [20]", "pack.faults", "Expected `str`, got `int`"),
        ("[charger]\nsoc = 4", "charger.soc", "unknown key; there are: max_voltage"),
        ("[charger]\nmax_current = inf", "charger.max_current", "inf is no finite number"),
        ("link =", "file", "this is no TOML"),
    ],
)
def test_errors_name_file_and_key(text: str, key: str, reason: str, tmp_path: Path) -> None:
    path = _file(tmp_path, text)
    with pytest.raises(ProfileError) as caught:
        settings(Party.BMS, path, {"link": "virtual:x"})
    assert caught.value.path == str(path)
    assert caught.value.key == key
    assert caught.value.reason.startswith(reason)


def test_what_an_option_made_wrong_is_not_blamed_on_the_file(tmp_path: Path) -> None:
    path = _file(tmp_path, "[charger]\nmax_voltage = 500\nmin_voltage = 100\n")
    with pytest.raises(BadSetting, match=r"^--min-voltage: above max_voltage$"):
        settings(Party.CHARGER, path, {"link": "virtual:x", "min_voltage": 600.0})
    path.write_text("[charger]\nmin_voltage = 5000\n", encoding="utf-8")
    with pytest.raises(ProfileError, match=r"charger\.min_voltage: above max_voltage"):
        settings(Party.CHARGER, path, {"link": "virtual:x"})


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="No such file"):
        settings(Party.BMS, tmp_path / "none.toml", {})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pack"], "no link: give --link URL"),
        (["pack", "--link", "nowhere:x"], "there is no driver 'nowhere'"),
        (["pack", "--link", "can:socketcan:nocan9"], "no network interface 'nocan9'"),
        (["pack", "--link", "virtual:x", "--soc", "120"], "--soc: 120 is not within 0 to 100"),
        (["pack", "--link", "virtual:x", "--soc", "much"], "--soc"),
        (["pack", "--link", "virtual:x", "--fault", "silent"], "--fault: 'silent' is no fault"),
        (["charger", "--link", "virtual:x", "--region", "NANJING"], "--region: 'NANJING' is not"),
        (["charger", "--link", "virtual:x", "--soc", "4"], "--soc"),
        (["truck"], "truck"),
    ],
)
def test_bad_arguments(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", *arguments]) == BAD_ARGUMENTS
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("role", ["pack", "charger"])
def test_the_help_lists_every_fault(role: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", role, "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert all(f"{name}: {meaning}" in shown for name, meaning in FAULTS.items())


@pytest.mark.parametrize(
    ("text", "party", "fault"),
    [
        ("20s:silent", Party.BMS, Fault(at=20 * SECOND, name="silent")),
        ("0.5s:deaf", Party.CHARGER, Fault(at=SECOND // 2, name="deaf")),
        ("2min:drop=bcl", Party.BMS, Fault(at=120 * SECOND, name="drop", kind=BCL)),
        ("1s:ignore=CCS", Party.BMS, Fault(at=SECOND, name="ignore", kind=CCS)),
        ("1s:drop=DM1", Party.CHARGER, Fault(at=SECOND, name="drop", kind=DM1)),
        ("1s:delay=50ms", Party.BMS, Fault(at=SECOND, name="delay", delay=50 * MILLISECOND)),
    ],
)
def test_faults(text: str, party: Party, fault: Fault) -> None:
    assert parse_fault(text, party) == fault


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("silent", "write TIME:NAME"),
        ("20:silent", "'20' is no time"),
        ("-1s:silent", "'-1s' is no time"),
        ("1s:", "there is no fault ''"),
        ("1s:silent=BCL", "write silent"),
        ("1s:drop", "write drop=MESSAGE"),
        ("1s:drop=BCX", "near: BC"),
        ("1s:drop=CCS", "CCS is sent by the charger"),
        ("1s:ignore=BCL", "BCL is sent by the BMS"),
        ("1s:delay=fast", "'fast' is no time"),
    ],
)
def test_bad_faults(text: str, reason: str) -> None:
    with pytest.raises(BadFault) as caught:
        parse_fault(text, Party.BMS)
    assert str(caught.value).startswith(repr(text))
    assert reason in str(caught.value)


@given(st.text() | st.from_regex(r"\d+(s|ms):(drop|ignore|delay|clear)=?\w*"))
def test_any_text_is_a_fault_or_refused(text: str) -> None:
    try:
        fault = parse_fault(text, Party.BMS)
    except BadFault:
        return
    assert fault.at >= 0
    assert str(fault).partition("=")[0] == text.partition(":")[2].partition("=")[0]
