"""The `swapproto` command: a group whose subcommands are entry points, imported when they are called."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from swapproto.errors import SwapError

GROUP = "swapproto.commands"
BAD_ARGUMENTS = 4
CANNOT_WRITE = 3
INTERRUPTED = 130

_SUMMARIES = {
    "bench": "Measure how well an adapter keeps time.",
    "cert": "Check certificates of conformance runs.",
    "certify": "Judge packs and chargers, with evidence.",
    "code": "Say what a pack code or a VIN means, and where it is wrong.",
    "compat": "Say whether a pack, a station and a truck can meet.",
    "decode": "Say what a recording of a CAN bus holds.",
    "diff": "Say where one recording of a charge departs from another.",
    "export": "Write DBC, C, test vectors, a Wireshark dissector, documentation.",
    "links": "List drivers, adapters, and what to install for more.",
    "message": "Print the layout of a message, or list all messages.",
    "monitor": "Watch a bus live: parties, phase, values, periods, deviations.",
    "profile": "Show specifications as data, with the source of each value.",
    "simulate": "Run a pack or a charger on a link.",
    "swap": "Run a whole battery swap in virtual time and record it.",
}
"""One line for each command of this distribution, so that the list needs no import."""

_UsageError = cast("type[Exception]", typer.BadParameter.__base__)
"""Base of all complaints about arguments, for which typer has no public name."""


class CommandUnavailable(SwapError):
    """A subcommand that is installed and cannot be imported."""


class LazyCommand(TyperCommand):
    """Stands for an entry point in the list of commands; calling it imports the real command."""

    def __init__(self, entry: EntryPoint) -> None:
        by = entry.dist.name if entry.dist is not None else entry.module
        super().__init__(entry.name, help=_SUMMARIES.get(entry.name, f"From {by}."), rich_markup_mode=None)
        self._entry = entry

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        return self._load().make_context(info_name, args, parent, **extra)

    def _load(self) -> Any:
        entry = self._entry
        try:
            target = entry.load()
        except Exception as error:  # whatever a plug-in breaks with, the others go on
            raise CommandUnavailable(
                f"the command {entry.name!r} ({entry.value}) cannot be loaded: "
                f"{type(error).__name__}: {error}"
            ) from error
        if isinstance(target, typer.Typer):
            return get_command(target)
        if not hasattr(target, "make_context"):
            return get_command(_single(entry.name, target))
        return target


def _single(name: str, function: Callable[..., object]) -> typer.Typer:
    holder = typer.Typer(add_completion=False, rich_markup_mode=None)
    holder.command(name)(function)
    return holder


class Commands(TyperGroup):
    """The group with every installed subcommand in it."""

    def __init__(self, **settings: Any) -> None:
        found = {
            entry.name: LazyCommand(entry)
            for entry in sorted(entry_points(group=GROUP), key=lambda e: e.name)
        }
        settings["commands"] = {**found, **(settings.get("commands") or {})}
        super().__init__(**settings)


app = typer.Typer(
    cls=Commands,
    name="swapproto",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from swapproto import __version__

        typer.echo(f"swapproto {__version__}")
        raise typer.Exit


@app.callback()
def swapproto(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Battery-swap packs and stations on CAN: decode recordings, look up messages, judge devices."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command and exit: 4 where the arguments or what they name cannot be used."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    _keep_printing()
    try:
        result = get_command(app).main(arguments, prog_name="swapproto", standalone_mode=False)
    except _UsageError as complaint:
        cast("Any", complaint).show()
        return BAD_ARGUMENTS
    except SwapError as error:
        typer.echo(f"error: {error}", err=True)
        return BAD_ARGUMENTS
    except BrokenPipeError:
        _stop_printing()
        return 0
    except OSError as error:
        _stop_printing()
        print(f"error: cannot write the output: {error}", file=sys.stderr)  # noqa: T201  (typer.echo may fail again)
        return CANNOT_WRITE
    except typer.Abort:
        return INTERRUPTED
    return result if isinstance(result, int) else 0


def _stop_printing() -> None:
    """What the interpreter flushes at its end must not fail again."""
    with suppress(OSError, ValueError), Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def _keep_printing() -> None:
    """Text from the wire never stops a report: what the terminal cannot show is escaped."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
