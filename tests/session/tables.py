"""What every state table has to fulfil, whatever the role: walks and checks for the tests of tables."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from swapproto.provenance import Basis

Table = Mapping[tuple[Any, Any], Any]
"""Rows by state and input; a row has ``to``, ``source`` and ``note``."""


def reachable(table: Table, start: StrEnum) -> set[StrEnum]:
    """Every state that some sequence of inputs leads to."""
    reached, frontier = {start}, [start]
    while frontier:
        here = frontier.pop()
        for (state, _), row in table.items():
            if state is here and row.to not in reached:
                reached.add(row.to)
                frontier.append(row.to)
    return reached


def left_by_at_most(table: Table, states: Iterable[StrEnum], inputs: set[str]) -> set[StrEnum]:
    """The states that no other input leaves."""
    exits: dict[StrEnum, set[str]] = {state: set() for state in states}
    for (state, cause), row in table.items():
        if row.to is not state:
            exits[state].add(cause.value)
    return {state for state, causes in exits.items() if causes <= inputs}


def check_sources(table: Table) -> None:
    """Each row says where it comes from, and why where that is us."""
    for pair, row in table.items():
        assert row.source.at, pair
        assert row.source.basis is not Basis.STATED, pair
        if row.source.basis is Basis.ASSUMED:
            assert row.source.why, pair
            assert row.note, pair
