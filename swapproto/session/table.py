"""State tables as data: what a role machine knows, in a form that a diagram can be drawn from."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Generic, TypeVar

import msgspec

from swapproto.messages.gbt27930 import ChargingMessage
from swapproto.provenance import Source
from swapproto.session.timing import TIMERS

S = TypeVar("S", bound=StrEnum)
I = TypeVar("I", bound=StrEnum)  # noqa: E741  (state and input, as in every text on automata)


class Row(msgspec.Struct, Generic[S], frozen=True):
    """Where an input leads from a state, and what that rests on."""

    to: S
    source: Source
    note: str = ""
    """Why the row exists where the text alone does not ask for it."""
    reconnect: bool = False
    """Whether the move counts as a reconnect; with none left ``Rules.exhausted`` is the input instead."""


class Rules(msgspec.Struct, Generic[S, I], frozen=True, kw_only=True):
    """Everything that is fixed about a role."""

    start: S
    table: Mapping[tuple[S, I], Row[S]]
    """A pair that is not here is a violation by the peer and changes nothing."""
    sends: Mapping[S, tuple[type[ChargingMessage], ...]]
    """What a state sends cyclically, beginning when it is entered."""
    watches: Mapping[S, tuple[str, ...]]
    """Which timers run in a state; one that ran in the state before goes on."""
    expiry: Mapping[str, I]
    """The input that a timer becomes when it runs out."""
    restarts: Mapping[I, str]
    """The running timer that an input of the table begins anew."""
    exhausted: I
    complete: S
    aborted: S
    """The two states that only pulling the plug leaves."""


def moves(
    source: Source, arrows: Mapping[tuple[S, I], S], *, note: str = "", reconnect: bool = False
) -> Mapping[tuple[S, I], Row[S]]:
    """Rows that share their source."""
    return {pair: Row(to, source, note, reconnect) for pair, to in arrows.items()}


def stays(
    source: Source, states: Iterable[S], inputs: Iterable[I], *, note: str = ""
) -> Mapping[tuple[S, I], Row[S]]:
    """Rows for inputs that are in order and change nothing."""
    wanted = tuple(inputs)
    return {(state, cause): Row(state, source, note) for state in states for cause in wanted}


def leads(
    source: Source,
    states: Iterable[S],
    cause: I,
    to: S,
    *,
    note: str = "",
    reconnect: bool = False,
) -> Mapping[tuple[S, I], Row[S]]:
    """Rows by which one input leads from many states to one."""
    return moves(source, {(state, cause): to for state in states}, note=note, reconnect=reconnect)


def timeouts(
    expiry: Mapping[str, I], arrows: Mapping[tuple[S, str], S], *, reconnect: bool = False
) -> Mapping[tuple[S, I], Row[S]]:
    """Rows for timers by name, with the timer's own source and note."""
    return {
        (state, expiry[name]): Row(to, TIMERS[name].source, TIMERS[name].note, reconnect)
        for (state, name), to in arrows.items()
    }


def table(*parts: Mapping[tuple[S, I], Row[S]]) -> Mapping[tuple[S, I], Row[S]]:
    """Put the parts together; ValueError if two of them speak of one pair."""
    whole: dict[tuple[S, I], Row[S]] = {}
    for part in parts:
        if twice := whole.keys() & part.keys():
            raise ValueError(f"two rows for {sorted(twice)}")
        whole.update(part)
    return MappingProxyType(whole)
