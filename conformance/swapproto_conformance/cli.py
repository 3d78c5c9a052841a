"""`swapproto certify` and `swapproto cert`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import replace
from rich.console import Console

from swapproto.atomic import FileError, write_atomically
from swapproto.errors import LinkError
from swapproto.messages.gbt27930 import Party
from swapproto.runtime.figures import load_figures
from swapproto.trace.record import Trace
from swapproto_conformance import kill_table as kills
from swapproto_conformance.case import Case
from swapproto_conformance.cases import CASES
from swapproto_conformance.cert_cli import cert
from swapproto_conformance.certificate import certify as certificate
from swapproto_conformance.devices import REFERENCE
from swapproto_conformance.dsse import SigningKey
from swapproto_conformance.events import Collector, EventStream, FileReport
from swapproto_conformance.junit import to_junit
from swapproto_conformance.pixit import Pixit, PixitError, parse_command, parse_reset
from swapproto_conformance.report import render
from swapproto_conformance.results import FailOn, encode_results
from swapproto_conformance.runner import Plan, Suite
from swapproto_conformance.selection import BUILT_IN, SelectionError, UnderTest, select, under_test
from swapproto_conformance.staging import Staging
from swapproto_conformance.terminal import Live, print_result
from swapproto_conformance.terminal import console as terminal

__all__ = ["cert", "certify"]

BAD_ARGUMENTS = 4


def certify(
    iut_pack: Annotated[
        str | None,
        typer.Option(
            help="Pack under test: reference, mutant:NAME or a link URL such as can:socketcan:can0."
        ),
    ] = None,
    iut_charger: Annotated[str | None, typer.Option(help="Charger under test: as for the pack.")] = None,
    case: Annotated[
        list[str] | None,
        typer.Option(help="Case id or GB/T 34658 id, with * and ? as wildcards; may be repeated."),
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="Print the devices and the cases, and run nothing.")
    ] = False,
    kill_table: Annotated[
        Path | None,
        typer.Option(
            help="Run all faulty devices against all cases of their role, write which case kills which "
            "to this .md or .json file, and judge nothing else."
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = Path("report"),
    seed: Annotated[int, typer.Option(help="Seed of the virtual devices' jitter.")] = 1,
    reset: Annotated[
        str,
        typer.Option(
            help="How a live device is reset before each case: none, wait:SECONDS of silence, "
            "reopen (a new link) or command:PROGRAM ARGUMENTS. With none only the first case can be judged."
        ),
    ] = "wait:5",
    on_stop: Annotated[
        str | None,
        typer.Option(
            help="Program and arguments that press a live device's stop button; without it manual stops "
            "are inconclusive."
        ),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(help="Ed25519 private key (PEM) that signs; without it a demonstration key is made."),
    ] = None,
    figures: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="What swapproto bench measured at a live device's port: it widens the uncertainty of each "
            "verdict; may be repeated, for another port.",
        ),
    ] = None,
    fail_on: Annotated[
        str, typer.Option(help="What makes the exit code non-zero: inconclusive or fail.")
    ] = "inconclusive",
) -> None:
    """Judge a pack, a charger or both; without arguments the built-in reference devices: a self-test.

    Exit: 0 all pass; 1 any fail; 2 any inconclusive; 3 any harness error; 4 nothing selected, bad arguments.
    """
    console = terminal()
    if list_:
        _print_list(console)
        return
    if kill_table is not None:
        _write_kill_table(kill_table, console)
        return
    try:
        level = _fail_on(fail_on)
        if iut_pack is None and iut_charger is None:
            iut_pack = iut_charger = REFERENCE
        named = ((Party.CHARGER, iut_charger), (Party.BMS, iut_pack))
        devices = _measured(
            [under_test(party, name) for party, name in named if name is not None], figures or ()
        )
        chosen = select(devices, case or ())
        signing = SigningKey.demonstration() if key is None else SigningKey.load(key)
        pixit = Pixit(parse_reset(reset), parse_command(on_stop or ""))
        staging = Staging(out)
        code = _run(Plan(chosen, seed, pixit, staging.folder), staging, signing, console, level)
    except (SelectionError, PixitError, LinkError, FileError, OSError) as error:
        typer.echo(f"swapproto certify: {error}", err=True)
        raise typer.Exit(BAD_ARGUMENTS) from None
    raise typer.Exit(code)


def _measured(devices: list[UnderTest], files: Sequence[Path]) -> list[UnderTest]:
    """The devices with their figures; SelectionError for figures of a port that no device is at."""
    for path in files:
        figures = load_figures(path)
        at_it = [each for each in devices if each.built_in is None and figures.fits(each.name)]
        if not at_it:
            raise SelectionError(
                f"--figures {path}: measured at {' and '.join(filter(None, (figures.link, figures.peer)))}, "
                "and no device under test is there"
            )
        if any(each.figures is not None for each in at_it):
            raise SelectionError(f"--figures {path}: there are figures of this port already")
        devices = [replace(each, figures=figures) if each in at_it else each for each in devices]
    return devices


def _write_kill_table(path: Path, console: Console) -> None:
    try:
        if path.suffix not in (".md", ".json"):
            raise SelectionError(f"--kill-table {path}: give the name of a .md or .json file")
        table = kills.kill_table()
        write_atomically(path, kills.to_json(table) if path.suffix == ".json" else kills.to_markdown(table))
    except (SelectionError, FileError, OSError) as error:
        typer.echo(f"swapproto certify: {error}", err=True)
        raise typer.Exit(BAD_ARGUMENTS) from None
    console.print(
        f"{path}: {len(table.rows)} mutants, {len(table.survivors)} survive; "
        f"{len(table.idle_cases)} cases kill none",
        markup=False,
    )


def _fail_on(text: str) -> FailOn:
    if text == "fail":
        return "fail"
    if text == "inconclusive":
        return "inconclusive"
    raise SelectionError(f"--fail-on {text!r}: give inconclusive or fail")


def _run(plan: Plan, staging: Staging, key: SigningKey, console: Console, fail_on: FailOn) -> int:
    traces: dict[str, Trace] = {}
    live, collector, folder = Live(console), Collector(), staging.folder
    stream = EventStream(
        live,
        FileReport(folder / "results.json", encode_results),
        FileReport(folder / "junit.xml", to_junit),
        FileReport(folder / "index.html", lambda result: render(result, traces)),
        FileReport(folder / "certificate.json", lambda result: certificate(result, key)),
        collector,
    )
    suite = Suite(plan, stream, traces)
    try:
        suite.run()
    except LinkError:
        staging.discard()
        raise
    except KeyboardInterrupt:
        staging.discard()
        typer.echo("interrupted; the last report, if any, stays", err=True)
        raise
    finally:
        live.close()
    result = collector.result()
    print_result(console, result)
    try:
        staging.publish()
    except FileError as error:
        typer.echo(f"harness problem: {error}", err=True)
        return result.exit_code(fail_on, later_problems=1)
    console.print(f"Report: {staging.out / 'index.html'}", markup=False)
    console.print(
        f"Check the certificate: swapproto cert verify {staging.out / 'certificate.json'}", markup=False
    )
    return result.exit_code(fail_on)


def _print_list(console: Console) -> None:
    console.print("Devices", style="bold")
    for device in BUILT_IN:
        console.print(
            f"  {device.party.label:<8} {device.name:<30} {device.description}", markup=False, soft_wrap=True
        )
    console.print("Cases", style="bold")
    for each in CASES:
        if not each.needs:
            labels = f"  [{', '.join(each.labels)}]" if each.labels else ""
            console.print(
                f"  {each.id:<44} {each.polarity:<9} {each.title}{labels}", markup=False, soft_wrap=True
            )
            _print_remarks(console, each)
    console.print(
        "Cases that can only be inconclusive on a CAN bench; taken only when asked for by name", style="bold"
    )
    for each in CASES:
        if each.needs:
            _plain(console, f"  {each.id:<44} {each.title}: needs {each.needs}")
            _print_remarks(console, each)
    console.print(
        "A GB/T 34658-2017 id is a label: the requirement behind a case judges, not the id.", markup=False
    )


def _print_remarks(console: Console, case: Case) -> None:
    for remark in (case.amended, case.applies and f"applies to {case.applies}"):
        if remark:
            _plain(console, f"    {remark}")


def _plain(console: Console, text: str) -> None:
    """One entry, one line, however long: lists are for grep too."""
    console.print(text, markup=False, soft_wrap=True)
