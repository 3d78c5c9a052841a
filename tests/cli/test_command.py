import subprocess
import sys
from importlib.metadata import EntryPoint
from typing import Any

import pytest
import typer

import swapproto.cli as cli
from swapproto.cli import BAD_ARGUMENTS, run
from swapproto.messages.catalog import EDITIONS
from swapproto.messages.gbt27930 import Edition


def test_help_lists_all_and_imports_none() -> None:
    code = (
        "import sys; from swapproto.cli import run; code = run(['--help']);"
        "outer = ('rich', 'construct', 'jinja2', 'can', 'cryptography');"
        "heavy = [m for m in sys.modules if m.split('.')[0] in outer"
        " or m.startswith(('swapproto.messages', 'swapproto.cli.', 'swapproto_conformance'))];"
        "sys.exit(code or len(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("decode", "message", "certify", "cert"):
        assert f"\n  {name} " in done.stdout


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("swapproto ")


def test_bad_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["decoed"]) == BAD_ARGUMENTS
    assert "decode" in capsys.readouterr().err
    assert run(["--nonsense"]) == BAD_ARGUMENTS


def entry(name: str, value: str) -> EntryPoint:
    return EntryPoint(name=name, value=value, group=cli.GROUP)


def plain_command(code: int = 3) -> None:
    raise typer.Exit(code)


nested = typer.Typer()


@nested.callback()
def group() -> None:
    """A group."""


@nested.command()
def inner() -> None:
    typer.echo("inner was here")


def test_functions_groups_and_broken_plug_ins(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = sys.modules[__name__]
    monkeypatch.setitem(sys.modules, "commands_under_test", module)
    found = [
        entry("plain", "commands_under_test:plain_command"),
        entry("nested", "commands_under_test:nested"),
        entry("missing", "no_such_module_at_all:command"),
        entry("broken", "commands_under_test:no_such_name"),
    ]
    monkeypatch.setattr(cli, "entry_points", lambda **_: found)
    assert run(["--help"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in ("plain", "nested", "missing", "broken"))
    assert run(["plain"]) == 3
    assert run(["nested", "inner"]) == 0
    assert "inner was here" in capsys.readouterr().out
    assert run(["missing"]) == BAD_ARGUMENTS
    assert "no_such_module_at_all" in capsys.readouterr().err
    assert run(["broken"]) == BAD_ARGUMENTS
    assert "cannot be loaded" in capsys.readouterr().err


@pytest.mark.parametrize("year", ["2011", "2015", "2023"])
def test_every_message_has_a_page(year: str, capsys: pytest.CaptureFixture[str]) -> None:
    edition = {"2011": Edition.GBT_2011, "2015": Edition.GBT_2015, "2023": Edition.GBT_2023A}[year]
    assert run(["message", "--edition", year]) == 0
    listing = capsys.readouterr().out
    for cls in EDITIONS[edition]:
        assert f"\n  {cls.__name__} " in listing
        assert run(["message", cls.__name__, "--edition", year]) == 0
        page = capsys.readouterr().out
        assert f"{cls.identifier():08X}" in page
        assert cls.source.at in page
        for field in cls.layout.fields:
            (row,) = [
                line for line in page.splitlines() if f" {field.name} " in line and f" {field.place} " in line
            ]
            assert str(field.marker.spn or "") in row


def test_the_layout_of_bcl(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["message", "bcl"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    current: Any = next(row for row in rows if "current" in row)
    assert current[:10] == ["3073", "3-4", "16", "current", "M", "0.1", "-400", "A", "-400.0", ".."]
    assert ["52", "17", "82", "0F", "02"] in rows


def test_the_source_of_a_codec(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["message", "BCL", "--source"]) == 0
    assert "def decode(payload):" in capsys.readouterr().out


def test_an_unknown_message(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["message", "BLC"]) == BAD_ARGUMENTS
    captured = capsys.readouterr()
    assert "BCL" in captured.err
    assert captured.out == ""
    assert run(["message", "CHM", "--edition", "2011"]) == BAD_ARGUMENTS
    assert run(["message", "BCL", "--edition", "1999"]) == BAD_ARGUMENTS
