"""`swapproto compat`: can these devices meet?"""

import json
from pathlib import Path
from typing import Annotated

import typer

from swapproto.cli.compat_text import answer_object, answer_text, matrix_object, matrix_text
from swapproto.cli.text import output, printable
from swapproto.compat.answer import NoSuchPair, Verdict
from swapproto.compat.answer import check as answer_for
from swapproto.compat.descriptor import Descriptor, Device
from swapproto.compat.load import load_descriptor, load_scenario
from swapproto.compat.matrix import matrix as matrix_of
from swapproto.compat.scenario import Scenario
from swapproto.profile import load as load_profile

EXIT = {Verdict.COMPATIBLE: 0, Verdict.INCOMPATIBLE: 1, Verdict.UNKNOWN: 2}

command = typer.Typer(
    no_args_is_help=True,
    help="Say whether a pack, a station and a truck can meet.",
    rich_markup_mode=None,
    add_completion=False,
)

_ScenarioFile = Annotated[
    Path | None,
    typer.Option("--scenario", metavar="FILE", help="Devices of a network; else the network of the pilot."),
]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]


@command.callback()
def group() -> None:
    """Say whether a pack, a station and a truck can meet."""


@command.command()
def check(
    pack: Annotated[
        str, typer.Argument(metavar="PACK", help="A descriptor's file, or a name of the scenario.")
    ],
    station: Annotated[str, typer.Argument(metavar="STATION", help="The same.")],
    truck: Annotated[str | None, typer.Argument(metavar="TRUCK", help="The same.")] = None,
    scenario: _ScenarioFile = None,
    profile: Annotated[
        str | None,
        typer.Option(
            metavar="ID|FILE", help="Also hold each device against the items of this profile, by their bases."
        ),
    ] = None,
    as_object: _Json = False,
) -> None:
    """Say whether a pack, a station and perhaps a truck can meet, with all reasons.

    A name that ends in .toml is a descriptor's file, any other a device of the scenario. Exit 0 compatible,
    1 incompatible, 2 unknown, 4 if a descriptor could not be read.
    """
    wanted = [(pack, Device.PACK), (station, Device.STATION)]
    if truck is not None:
        wanted.append((truck, Device.TRUCK))
    network: Scenario | None = None
    devices: list[Descriptor] = []
    for name, kind in wanted:
        if name.endswith(".toml"):
            device = load_descriptor(Path(name))
        else:
            network = network or load_scenario(scenario)
            device = network[name]
        if device.kind is not kind:
            raise NoSuchPair(
                f"{printable(name)} describes a {device.kind.value}, a {kind.value} is wanted here"
            )
        devices.append(device)
    answer = answer_for(*devices, profile=None if profile is None else load_profile(profile))
    with output() as out:
        if as_object:
            out.write(json.dumps(answer_object(answer), indent=2) + "\n")
        else:
            for line in answer_text(answer):
                out.write(line + "\n")
    raise typer.Exit(EXIT[answer.verdict])


@command.command()
def matrix(
    scenario: _ScenarioFile = None,
    page: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Also write a page with the reason behind each cell."),
    ] = None,
    as_object: _Json = False,
) -> None:
    """Hold every pack of a scenario, on its truck, against every station.

    Exit 0 whatever the cells say, 4 if the scenario could not be read or the page not written.
    """
    found = matrix_of(load_scenario(scenario))
    if page is not None:
        from swapproto.compat.page import write_page

        write_page(page, found)
    with output() as out:
        if as_object:
            out.write(json.dumps(matrix_object(found), indent=2) + "\n")
        else:
            for line in matrix_text(found):
                out.write(line + "\n")
