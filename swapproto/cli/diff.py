"""`swapproto diff`: where one recording of a charge departs from another."""

import json
from pathlib import Path
from typing import Annotated

import typer

from swapproto.cli.diff_page import write_page
from swapproto.cli.diff_source import load
from swapproto.cli.diff_text import as_json, as_text
from swapproto.cli.text import output, printable
from swapproto.observe.compare import compare
from swapproto.trace.files import RecordingError

DIFFERENT = 1


def command(
    good: Annotated[Path, typer.Argument(metavar="GOOD", help="The recording of a charge that went well.")],
    bad: Annotated[Path, typer.Argument(metavar="BAD", help="The recording to hold against it.")],
    as_object: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    page: Annotated[
        Path | None, typer.Option("--page", metavar="FILE.html", help="Also write a page, side by side.")
    ] = None,
    good_channel: Annotated[
        str | None,
        typer.Option("--good-channel", help="Channel of GOOD; else the one with most of the dialogue."),
    ] = None,
    bad_channel: Annotated[str | None, typer.Option("--bad-channel", help="The same of BAD.")] = None,
) -> None:
    """Say where one recording of a charge departs from another.

    The conversations are aligned by phase and step, not by the hour: a session may begin later, last
    longer and repeat its messages more often. The first difference that matters is named first: a message
    missing or additional, a phase never reached, an error; then order, fields, periods, findings and
    measurements whose ranges do not overlap.

    Times are seconds from each recording's first frame. Exit 0 without a difference, 1 with one, 4 if a
    recording could not be read.
    """
    if page is not None and page.resolve() in (good.resolve(), bad.resolve()):
        raise RecordingError(f"{printable(str(page))}: the page would take the place of a recording")
    here, there = load(good, good_channel), load(bad, bad_channel)
    comparison = compare(here.records, there.records, here.resolution_us, there.resolution_us)
    if page is not None:
        write_page(page, comparison, here, there)
    with output() as out:
        if as_object:
            out.write(json.dumps(as_json(comparison, here, there), indent=2) + "\n")
        else:
            for line in as_text(comparison, here, there):
                out.write(line + "\n")
    if comparison.first is not None:
        raise typer.Exit(DIFFERENT)
