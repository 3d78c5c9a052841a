"""The role machines as pages: their states and rows, straight from the tables that run them."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import TypeVar

import msgspec

from swapproto.export.source import Declaration
from swapproto.frame import MILLISECOND, SECOND
from swapproto.provenance import Source
from swapproto.session import bms_table, charger_table
from swapproto.session.swap import controller_table, orchestrator_steps
from swapproto.session.swap._engine import Rules as SwapRules
from swapproto.session.swap.timing import LIMITS
from swapproto.session.table import Row, Rules
from swapproto.session.timing import TIMERS

_STRAY = (
    "What is in no row is a violation by the peer: it is reported, changes no state and touches no timer."
)
_UNKNOWN = "No public text orders the steps of a swap: rows are observed or assumed, as each says."

S = TypeVar("S", bound=StrEnum)
I = TypeVar("I", bound=StrEnum)  # noqa: E741  (state and input, as in every text on automata)
P = TypeVar("P")


class Arrow(msgspec.Struct, frozen=True):
    """One row of a table."""

    before: str
    cause: str
    after: str
    source: Source
    note: str

    @property
    def stays(self) -> bool:
        return self.before == self.after


class State(msgspec.Struct, frozen=True):
    """A state with what it sends and which time limits run in it."""

    name: str
    sends: tuple[str, ...] = ()
    timers: tuple[str, ...] = ()


class Machine(msgspec.Struct, frozen=True):
    """One role."""

    name: str
    title: str
    lead: str
    start: str
    states: tuple[State, ...]
    arrows: tuple[Arrow, ...]


class TimerView(msgspec.Struct, frozen=True):
    """A time limit, or a count of attempts."""

    name: str
    title: str
    value: str
    source: Source
    note: str


def machines(declared: Declaration) -> tuple[Machine, ...]:
    """The roles that speak the profile's messages; none for editions that no role machine speaks."""
    found: list[Machine] = []
    if "gbt27930-2015" in declared.profile.messages:
        found += [
            _charging("charger", "charger", charger_table.RULES),
            _charging("bms", "BMS", bms_table.RULES),
        ]
    if "pack-can-d0f3" in declared.profile.messages:
        lead = " A row that stays in its step holds it, or has it tried again."
        found += [
            _swap("orchestrator", "orchestrator of the station", orchestrator_steps.RULES, lead),
            _swap("controller", "swap controller of the truck", controller_table.RULES),
        ]
    return tuple(found)


def timers(declared: Declaration) -> tuple[TimerView, ...]:
    """The limits that the machines keep."""
    if "gbt27930-2015" in declared.profile.messages:
        return tuple(
            TimerView(name, timer.name, duration(timer.value), timer.source, timer.note)
            for name, timer in TIMERS.items()
        )
    if "pack-can-d0f3" in declared.profile.messages:
        return tuple(
            TimerView(
                name, "", str(limit.value) if "retries" in name else duration(limit.value), limit.source,
                limit.note,
            )
            for name, limit in LIMITS.items()
        )  # fmt: skip
    return ()


def duration(nanoseconds: int) -> str:
    if nanoseconds % SECOND == 0:
        return f"{nanoseconds // SECOND} s"
    return f"{nanoseconds / MILLISECOND:g} ms"


def _charging(name: str, title: str, rules: Rules[S, I]) -> Machine:
    states = tuple(
        State(
            state.value,
            tuple(cls.__name__ for cls in rules.sends.get(state, ())),
            tuple(rules.watches.get(state, ())),
        )
        for state in type(rules.start)
    )
    arrows = tuple(_arrows(rules.table))
    return Machine(f"states-{name}", f"States: {title}", _STRAY, rules.start.value, states, arrows)


def _swap(name: str, title: str, rules: SwapRules[S, I, P], lead: str = "") -> Machine:
    states = tuple(
        State(state.value, (), (rules.steps[state].limit,) if state in rules.steps else ())
        for state in type(rules.start)
    )
    arrows = tuple(_arrows(rules.table))
    return Machine(
        f"states-{name}", f"States: {title}", f"{_UNKNOWN}{lead}", rules.start.value, states, arrows
    )


def _arrows(table: Mapping[tuple[S, I], Row[S]]) -> Iterator[Arrow]:
    """In the order of the states, and for each of the inputs."""
    for state in type(next(iter(table))[0]):
        for (before, cause), row in table.items():
            if before is state:
                note = row.note
                if row.reconnect:
                    note = f"{note}; counts as a reconnect" if note else "counts as a reconnect"
                yield Arrow(before.value, cause.value, row.to.value, row.source, note)
