"""`swapproto simulate`: a pack or a charger on a link, in real time."""

from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from swapproto.cli import INTERRUPTED, simulate_faults
from swapproto.cli.interrupts import interrupts
from swapproto.cli.simulate_node import Simulation
from swapproto.cli.simulate_settings import Settings, settings
from swapproto.cli.simulate_words import Journal, Screen, screen
from swapproto.cli.text import output, plural
from swapproto.errors import LinkError
from swapproto.frame import MILLISECOND, Instant
from swapproto.link import Link
from swapproto.messages.gbt27930 import Party
from swapproto.plugins import open_link
from swapproto.runtime.blocking import drive

ENDED_IN_ERROR = 1

command = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

_Link = Annotated[str | None, typer.Option(metavar="URL", help="Link, as can:socketcan:can0.")]
_Config = Annotated[
    Path | None, typer.Option(help="TOML file: link, repeat, gap, and tables pack and charger.")
]
_Repeat = Annotated[
    bool | None, typer.Option("--repeat/--once", help="Plug out and in again after the end, or leave.")
]
_Gap = Annotated[float | None, typer.Option(help="Seconds for which the plug is out between sessions.")]
_Fault = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TIME:NAME",
        help="Fault at a time from the begin of each session, as 20s:drop=BCL; may be repeated. "
        + simulate_faults.HELP,
    ),
]


@command.callback()
def simulate() -> None:
    """Run one side of a charge in real time: a pack or a charger.

    Exit: 0 complete; 1 a session ended in an error or the link was lost; 4 bad arguments or no such link;
    130 interrupted before the session was complete.
    """


@command.command()
def pack(
    link: _Link = None,
    config: _Config = None,
    soc: Annotated[float | None, typer.Option(help="State of charge at the begin, in per cent.")] = None,
    soc_target: Annotated[float | None, typer.Option(help="Where the charge ends, in per cent.")] = None,
    temperature: Annotated[float | None, typer.Option(help="Degrees Celsius at the begin.")] = None,
    readiness_delay: Annotated[float | None, typer.Option(help="Seconds from CML to BRO(AA).")] = None,
    capacity: Annotated[float | None, typer.Option(help="Ah.")] = None,
    cells: Annotated[int | None, typer.Option(help="Cells in series.")] = None,
    max_voltage: Annotated[float | None, typer.Option(help="V of the whole pack.")] = None,
    max_current: Annotated[float | None, typer.Option(help="A.")] = None,
    list_cells: Annotated[
        bool | None, typer.Option("--list-cells/--no-list-cells", help="Send BMV and BMT, or do not.")
    ] = None,
    repeat: _Repeat = None,
    gap: _Gap = None,
    fault: _Fault = None,
) -> None:
    """Run a pack, as its BMS speaks, until the charge has ended; then leave, or begin anew."""
    _simulate(Party.BMS, locals().copy())


@command.command()
def charger(
    link: _Link = None,
    config: _Config = None,
    max_voltage: Annotated[float | None, typer.Option(help="V.")] = None,
    min_voltage: Annotated[float | None, typer.Option(help="V.")] = None,
    max_current: Annotated[float | None, typer.Option(help="A.")] = None,
    min_current: Annotated[float | None, typer.Option(help="A.")] = None,
    ramp: Annotated[float | None, typer.Option(help="A/s by which the output follows the demand.")] = None,
    insulation_time: Annotated[float | None, typer.Option(help="Seconds of the insulation test.")] = None,
    readiness_delay: Annotated[float | None, typer.Option(help="Seconds from BCP to readiness.")] = None,
    time_limit: Annotated[float | None, typer.Option(help="Seconds of charging, then it stops.")] = None,
    energy_limit: Annotated[float | None, typer.Option(help="kWh, then it stops.")] = None,
    number: Annotated[int | None, typer.Option(help="Charger number.")] = None,
    region: Annotated[str | None, typer.Option(help="Region code: one to three ASCII characters.")] = None,
    clock: Annotated[
        bool | None, typer.Option("--clock/--no-clock", help="Send CTS with the local time, or do not.")
    ] = None,
    repeat: _Repeat = None,
    gap: _Gap = None,
    fault: _Fault = None,
) -> None:
    """Run a charger until the charge has ended; then leave, or begin anew."""
    _simulate(Party.CHARGER, locals().copy())


def _simulate(party: Party, given: dict[str, Any]) -> None:
    """Take the options by their names; those that were not given are None."""
    config, faults = given.pop("config"), given.pop("fault")
    wanted = settings(party, config, {**given, "faults": tuple(faults) if faults else None})
    with closing(open_link(wanted.link)) as link, output():
        code = run_on(wanted, link, screen())
    raise typer.Exit(code)


def run_on(wanted: Settings, link: Link, shown: Screen) -> int:
    """Run the sessions on an open link, and return the exit code."""
    who = "pack" if wanted.party is Party.BMS else "charger"
    shown.line(f"{who} on {wanted.link}; Ctrl-C stops the charge and ends")
    simulation = Simulation(wanted, Journal(wanted.party, shown), link.now())
    at_once = False
    lost: LinkError | None = None
    late: Instant | None = None
    try:
        with interrupts(simulation.interrupt):
            driven = drive(simulation, link, until=lambda _: simulation.done)
        lost, late = driven.closed, driven.lateness.max
    except LinkError as error:
        lost = error
    except KeyboardInterrupt:
        at_once = True
    shown.end()
    if lost is not None:
        shown.line(f"the link was lost: {lost}")
    shown.line(_summary(who, simulation, late, at_once=at_once))
    if lost is not None or simulation.failed:
        return ENDED_IN_ERROR
    return INTERRUPTED if at_once or simulation.stopped else 0


def _summary(who: str, simulation: Simulation, late: Instant | None, *, at_once: bool) -> str:
    counts = (
        (simulation.complete, "complete"),
        (simulation.failed, "ended in an error"),
        (simulation.stopped, "stopped before it was complete"),
    )
    told = ", ".join(f"{plural(count, 'session')} {how}" for count, how in counts if count)
    interrupted = "interrupted; " if at_once else ""
    lateness = "" if late is None else f"; timers at most {late / MILLISECOND:.1f} ms late"
    return f"{who} ends: {interrupted}{told or 'no session ended'}{lateness}"
