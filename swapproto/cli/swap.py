"""`swapproto swap`: a whole battery swap in virtual time, as a journal and as a recording."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, TextIO

import msgspec
import typer

from swapproto.atomic import FileError, write_atomically
from swapproto.cli.simulate_words import Screen
from swapproto.cli.text import output, plural
from swapproto.errors import SwapError
from swapproto.frame import SECOND, CanFrame, Instant
from swapproto.hints import near
from swapproto.models.truck import TRUCKS
from swapproto.simulation.swap import Outcome, SwapResult, VirtualSwap
from swapproto.simulation.swap_faults import SWAP_FAULTS, SwapFault
from swapproto.simulation.swap_story import Note
from swapproto.trace.candump import write_candump
from swapproto.trace.record import Record

NOT_DONE = 1


class BadSwap(SwapError, ValueError):
    """An argument of the command that makes no swap."""


def command(
    truck: Annotated[str, typer.Option(help=f"One of: {', '.join(TRUCKS)}.")] = "tractor",
    soc: Annotated[float, typer.Option(help="State of charge of the truck's pack, in per cent.")] = 20,
    charge_to: Annotated[
        float,
        typer.Option(
            help="Up to where that pack is charged afterwards, in per cent; 0: not at all. A pack also ends "
            "the charge when its fullest cell is full, which can be a little below 100."
        ),
    ] = 100,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[TIME:]NAME",
            help="What goes wrong, and when, counted from the truck's arrival, as 60s:emergency-stop; may be "
            f"repeated. {'; '.join(f'{name}: {meaning}' for name, meaning in SWAP_FAULTS.items())}.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same frames.")] = 0,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a candump log, a channel for each bus.")
    ] = None,
    as_object: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Run a whole battery swap in virtual time, the charge that follows included.

    The truck's pack bus is the channel "truck", the bus of a bay "bay1" to "bay7". Trucks, packs and station
    are models with assumed figures, and the order of the steps is partly assumed.

    Exit: 0 done; 1 held, aborted, or the charge not complete; 4 bad arguments or a file that cannot be
    written.
    """
    faults = [SwapFault.parse(each) for each in fault or ()]
    swap = _swap(truck, soc, charge_to, seed, faults)
    if out is not None and not out.parent.is_dir():
        raise FileError(str(out), "there is no such folder")
    records: list[Record] = []
    if out is not None:
        swap.buses.tap(lambda channel, frame, at, _: records.append(_record(channel, frame, at)))
    with output() as stream:
        result, notes = _run(swap, None if as_object else stream)
        if out is not None:
            words = f"virtual battery swap: {truck}, seed {seed}; truck, packs and station are models"
            write_atomically(out, write_candump(records, [words]))
        if as_object:
            stream.write(json.dumps(_as_json(result, notes, len(records), out), indent=2) + "\n")
        else:
            for line in _summary(result, len(records), out):
                stream.write(line + "\n")
    done = result.outcome is Outcome.COMPLETE and result.charged is not False
    raise typer.Exit(0 if done else NOT_DONE)


def _swap(truck: str, soc: float, charge_to: float, seed: int, faults: list[SwapFault]) -> VirtualSwap:
    if truck not in TRUCKS:
        raise BadSwap(f"there is no truck {truck!r}; {near(truck, TRUCKS)}")
    for name, value in (("--soc", soc), ("--charge-to", charge_to)):
        if not 0 <= value <= 100:
            raise BadSwap(f"{name} {value:g}: a state of charge is 0 to 100 per cent")
    target = charge_to / 100 if charge_to else None
    return VirtualSwap(TRUCKS[truck], soc=soc / 100, charge_to=target, seed=seed, faults=faults)


def _run(swap: VirtualSwap, stream: TextIO | None) -> tuple[SwapResult, list[Note]]:
    """Run it with its journal on the stream, on a terminal with a line that shows where it stands."""
    notes: list[Note] = []
    if stream is None:
        return swap.run(notes.append), notes
    screen, live = Screen(stream), stream.isatty()

    def tell(note: Note) -> None:
        screen.line(f"{note.at / SECOND:8.2f} s  {note.who:<7}  {note.text}")

    def watch(running: VirtualSwap) -> None:
        if live:
            screen.status(f"{running.now / SECOND:8.0f} s  {running.status}", running.now)

    try:
        return swap.run(tell, watch), notes
    finally:
        screen.end()


def _record(channel: str, frame: CanFrame, at: Instant) -> Record:
    return Record.of(frame, at, channel=channel)


def _summary(result: SwapResult, frames: int, out: Path | None) -> Iterator[str]:
    time = "" if result.duration is None else f" after {result.duration:.0f} s"
    why = f": {result.reason}" if result.reason else ""
    yield f"swap {result.outcome}{time}{why}"
    if result.plan is not None and result.outcome is Outcome.COMPLETE:
        yield f"  {result.brought} is in {result.plan.store} at {100 * result.soc:.0f} %"
        yield f"  {result.taken} is on the truck"
    if result.charge:
        yield f"  {result.charge}"
    for harm in result.harm:
        yield f"  harm: {harm}"
    if out is not None:
        yield f"{plural(frames, 'frame')} in {out}"


def _as_json(result: SwapResult, notes: list[Note], frames: int, out: Path | None) -> dict[str, Any]:
    told = msgspec.to_builtins(result)
    told["plan"] = (
        None if result.plan is None else {"pick": str(result.plan.pick), "store": str(result.plan.store)}
    )
    return {
        **told,
        "journal": [{"time_s": note.at / SECOND, "who": note.who, "text": note.text} for note in notes],
        "recording": None if out is None else {"file": str(out), "frames": frames},
    }
