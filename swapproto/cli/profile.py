"""`swapproto profile`: specifications as data, and where each of their values comes from."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from swapproto.cli import profile_text as words
from swapproto.cli.text import output
from swapproto.errors import ProfileError
from swapproto.profile import load, shipped
from swapproto.profile.schema import text as schema_text

NOT_USABLE = 1

command = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

_Id = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="Id of a shipped profile, or path of a .toml file.", show_default=False
    ),
]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


@command.callback()
def profile() -> None:
    """Show specifications, and where each of their values comes from.

    Exit: 0 done; 1 a file that check was given cannot be used; 4 no such profile or key, or a bad file.
    """


@command.command("list")
def list_() -> None:
    """List the profiles that come with the library."""
    _print(words.listing([load(each) for each in shipped()]))


@command.command()
def show(target: _Id, as_json: _Json = False) -> None:
    """Print scope, documents, clauses, and every item with its value, basis, witnesses and place."""
    found = load(target)
    _print([_dumped(words.profile_data(found))] if as_json else words.profile_page(found))


@command.command()
def why(
    target: _Id,
    key: Annotated[
        str,
        typer.Argument(
            metavar="KEY",
            help="Item (pack.outline), declaration (message.BCL.period, message.BCL.field.voltage.scale) "
            "or timer (timer.brm_at_charger).",
        ),
    ],
) -> None:
    """Print a value, its clause, basis, witnesses and file, and what it replaces down to the base.

    For a value that is unset: why, and how to supply it.
    """
    found = load(target)
    _print(words.chain(found, found.leaf(key)))


@command.command()
def diff(one: _Id, other: _Id, as_json: _Json = False) -> None:
    """List the keys whose value or basis differs between two profiles."""
    profiles = load(one), load(other)
    rows = words.differences(*profiles)
    _print([_dumped(words.differences_data(rows))] if as_json else words.differences_page(*profiles, rows))


@command.command()
def check(
    targets: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="Profiles of your own; ids of shipped ones are read too."),
    ],
) -> None:
    """Read files as strictly as everything else reads them; faults are told as file:line: key."""
    wrong = False
    lines: list[str] = []
    for each in targets:
        is_file = each not in shipped() and Path(each).exists()
        try:
            lines.append(words.summary(load(Path(each) if is_file else each)))
        except ProfileError as error:
            wrong = True
            lines.append(str(error))
    _print(lines)
    raise typer.Exit(NOT_USABLE if wrong else 0)


@command.command()
def schema() -> None:
    """Print the JSON Schema of profile files, for editors."""
    with output() as out:
        out.write(schema_text())


def _dumped(data: object) -> str:
    return json.dumps(data, indent=1, ensure_ascii=False)


def _print(lines: Iterable[str]) -> None:
    with output() as out:
        for line in lines:
            out.write(line + "\n")
