"""What happened in a virtual swap, in words, and why it stopped where it did."""

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from swapproto.frame import Instant
from swapproto.session.events import StateChanged
from swapproto.session.swap.controller_table import State as TruckState
from swapproto.session.swap.events import (
    Held,
    OrderMisplaced,
    OrderRefused,
    PackSilent,
    StepLate,
    SwapEvent,
)
from swapproto.session.swap.messages import TRUCK, Place, Report
from swapproto.session.swap.orchestrator_steps import STEPS, Where
from swapproto.session.swap.orchestrator_table import Input, State
from swapproto.session.swap.plant import Plan
from swapproto.session.swap.timing import Timing
from swapproto.session.swap.view import View


class Note(msgspec.Struct, frozen=True):
    """One line of the journal; the instant is counted from the truck's arrival."""

    at: Instant
    who: str
    text: str


_BEGINS = {
    TruckState.ENGAGING: "keeps the driver from driving off",
    TruckState.DE_ENERGISING: "de-energises the pack",
    TruckState.SEPARATING: "separates the connectors",
    TruckState.UNLOCKING: "unlocks the base",
    TruckState.LOCKING: "locks the base",
    TruckState.CONNECTING: "connects the connectors",
    TruckState.RELEASING: "lets the driver drive",
}
_DONE = {
    TruckState.STARTING: "free to drive",
    TruckState.ENGAGING: "driving inhibited",
    TruckState.DE_ENERGISING: "pack de-energised",
    TruckState.SEPARATING: "connectors apart",
    TruckState.UNLOCKING: "base unlocked",
    TruckState.LOCKING: "base locked",
    TruckState.CONNECTING: "connectors connected",
    TruckState.RELEASING: "free to drive",
}
"""By what the truck was doing: the state behind it may be one that it has been in before."""

Tell: TypeAlias = Callable[[Note], object]


class Story:
    """Turns the events of both role machines into notes, and remembers what the station waits for."""

    def __init__(self, tell: Tell, timing: Timing) -> None:
        self.reason = ""
        """Why the swap is held or has ended early; empty while it goes on."""
        self._tell = tell
        self._timing = timing
        self._view = View(timing.interlock)
        self._refused = ""
        self._waits = ""

    def note(self, at: Instant, who: str, text: str) -> None:
        self._tell(Note(at, who, text))

    def take(self, report: Report, now: Instant) -> None:
        """What the station hears."""
        self._view.take(report, now)

    def station(self, event: SwapEvent, plan: Plan | None) -> None:
        """An event of the orchestrator."""
        match event:
            case StateChanged(before=before, after=after, cause=cause, at=at):
                self._moved(State(before), State(after), Input(cause), at)
            case OrderRefused(refusal=refusal, at=at):
                self._refused = str(refusal)
                self.note(at, "station", self._refused)
            case StepLate(step=step, attempt=attempt, at=at):
                self._waits = self._refused or self._missing(State(step), plan, at)
                self.note(at, "station", f"{step} not reached in time, attempt {attempt}: {self._waits}")
            case Held(state=state, cause=cause, at=at):
                self.reason = "; ".join(part for part in (f"{state}: {cause}", self._waits) if part)
                self.note(at, "station", f"held, {self.reason}")
            case PackSilent(place=place, at=at):
                self.note(at, "station", f"the pack in {place} says nothing")
            case _:
                pass

    def truck(self, event: SwapEvent) -> None:
        """An event of the truck's swap controller."""
        match event:
            case StateChanged(before=before, after=after, cause=cause, at=at):
                self.note(at, "truck", _truck_words(TruckState(before), TruckState(after), cause))
            case OrderRefused(refusal=refusal, at=at):
                self.note(at, "truck", str(refusal))
            case OrderMisplaced(state=state, order=order, at=at):
                self.note(at, "truck", f"{type(order).__name__} has no place while {state}")
            case StepLate(step=step, attempt=attempt, at=at):
                self.note(at, "truck", f"{step} not done in time, attempt {attempt}")
            case _:
                pass

    def _moved(self, before: State, after: State, cause: Input, at: Instant) -> None:
        """A step that is passed stands for what has been reached."""
        self._refused = self._waits = ""
        if cause not in (Input.PASSED, Input.START):
            self.reason = f"{before}: {cause}"
            self.note(at, "station", f"{self.reason}, then: {after}")
        elif before in STEPS:
            self.note(at, "station", before)
        if after is State.COMPLETE:
            self.note(at, "station", after)

    def _missing(self, state: State, plan: Plan | None, now: Instant) -> str:
        """Which of a step's goals do not hold."""
        step = STEPS[state]
        place, limit = _place(step.at, plan), getattr(self._timing, step.fresh)
        faults = (condition.fault(self._view, place, now, limit) for condition in step.goal)
        return "; ".join(str(fault) for fault in faults if fault is not None) or "no answer"


def _truck_words(before: TruckState, after: TruckState, cause: str) -> str:
    if after is TruckState.STOPPED:
        return f"stops: {cause}"
    return _BEGINS.get(after) or _DONE.get(before, after.value)


def _place(at: Where, plan: Plan | None) -> Place:
    if plan is None or at not in (Where.PICK, Where.STORE):
        return TRUCK
    return plan.store if at is Where.STORE else plan.pick
