"""Every pack of a scenario, on the truck that brings it, at every station."""

from collections.abc import Mapping
from functools import cached_property
from string import ascii_lowercase

import msgspec

from swapproto.compat.answer import Answer, Verdict, check
from swapproto.compat.descriptor import Descriptor
from swapproto.compat.scenario import Scenario
from swapproto.compat.words import Words


class Group(msgspec.Struct, frozen=True):
    """The stations at which one pack gets the same answer for the same reasons."""

    stations: tuple[Descriptor, ...]
    answer: Answer


class Row(msgspec.Struct, frozen=True):
    """A pack on the truck that brings it (None: without one), with its answer at each station."""

    pack: Descriptor
    truck: Descriptor | None
    cells: tuple[Answer, ...]
    groups: tuple[Group, ...]

    def group_of(self, station: Descriptor) -> int:
        """Place of the station's group."""
        return next(place for place, group in enumerate(self.groups) if station in group.stations)


class Matrix(msgspec.Struct, frozen=True, dict=True):
    """The cells of a row stand in the order of the stations."""

    scenario: Scenario
    stations: tuple[Descriptor, ...]
    rows: tuple[Row, ...]

    @cached_property
    def letters(self) -> Mapping[str, str]:
        """A letter for each rule that decides a cell alone or first, by the rule's title."""
        titles = dict.fromkeys(leading(cell).en for row in self.rows for cell in row.cells if cell.reasons)
        return {title: _letter(number) for number, title in enumerate(titles)}

    def count(self, verdict: Verdict) -> int:
        return sum(cell.verdict is verdict for row in self.rows for cell in row.cells)


def matrix(scenario: Scenario) -> Matrix:
    """Hold all of a scenario against each other."""
    return Matrix(scenario, scenario.stations, tuple(_row(scenario, pack) for pack in scenario.packs))


def leading(answer: Answer) -> Words:
    """Title of the rule that is named for an answer first."""
    return answer.reasons[0].rule.title


def _row(scenario: Scenario, pack: Descriptor) -> Row:
    truck = scenario.truck_of(pack)
    party = (pack,) if truck is None else (pack, truck)
    cells = tuple(check(*party, station) for station in scenario.stations)
    alike: dict[object, list[int]] = {}
    for place, cell in enumerate(cells):
        reasons = tuple((each.rule.id, each.reason) for each in cell.reasons)
        alike.setdefault((cell.verdict, reasons, cell.settles), []).append(place)
    groups = tuple(
        Group(tuple(scenario.stations[each] for each in places), cells[places[0]])
        for places in alike.values()
    )
    return Row(pack, truck, cells, groups)


def _letter(number: int) -> str:
    """From a to z, then aa, ab ..."""
    beyond, place = divmod(number, len(ascii_lowercase))
    return (_letter(beyond - 1) if beyond else "") + ascii_lowercase[place]
