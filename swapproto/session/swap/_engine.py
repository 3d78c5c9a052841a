"""The part that orchestrator and swap controller share: table look-up, steps with limits and retries."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

import msgspec

from swapproto.frame import Instant
from swapproto.session.events import StateChanged
from swapproto.session.swap.conditions import Conditions
from swapproto.session.swap.events import Held, OrderGiven, OrderRefused, StepLate, SwapEvent
from swapproto.session.swap.gate import Gate
from swapproto.session.swap.interlocks import Rule
from swapproto.session.swap.messages import Halt, Order, Place
from swapproto.session.swap.refusal import Refusal
from swapproto.session.swap.timing import Timing
from swapproto.session.swap.view import View
from swapproto.session.table import I, Row, S

MAX_EVENTS = 4096
"""Events kept for a caller who does not poll; the oldest go first."""
P = TypeVar("P")


class Step(msgspec.Struct, Generic[P], frozen=True):
    """What a state waits for, and what it orders for that."""

    at: P
    """The place that goal and order are about, in the words of the role."""
    limit: str
    """The name in ``Timing`` of its time limit, which each attempt has anew."""
    goal: Conditions = ()
    """The step is reached when all hold; without any, the role itself knows."""
    order: Callable[[Place], Order] | None = None
    fresh: str = "interlock"
    """The name in ``Timing`` of how old the goal's evidence may be."""
    retries: str = "retries"
    settles: bool = False
    """Whether other orders may still be on their way: nothing is done or believed before they arrived."""
    own: bool = False
    """Whether it is reached by its own order only, not by finding everything so already."""


class Rules(msgspec.Struct, Generic[S, I, P], frozen=True, kw_only=True):
    """Everything that is fixed about a role."""

    start: S
    table: Mapping[tuple[S, I], Row[S]]
    steps: Mapping[S, Step[P]]
    passed: I
    denied: I | None
    late: I
    exhausted: I | None
    """None where the other side counts the attempts."""
    holding: frozenset[I]
    """Inputs that hold a step where their row stays in it."""


class Machine(ABC, Generic[S, I, P]):
    """A role machine without a clock. Its orders leave through its gate and in no other way."""

    def __init__(self, rules: Rules[S, I, P], interlocks: Mapping[Rule, Conditions], timing: Timing) -> None:
        self._rules = rules
        self._timing = timing
        self._view = View(timing.interlock)
        self._gate = Gate(self._view, interlocks, timing.interlock)
        self._state: S = rules.start
        self._attempt = 0
        self._deadline: Instant = 0
        self._look: Instant = 0
        self._settled: Instant = 0
        self._ordered = False
        self._refusal: Refusal | None = None
        self._events: deque[SwapEvent] = deque(maxlen=MAX_EVENTS)

    @property
    def state(self) -> S:
        return self._state

    @property
    def held(self) -> bool:
        """Whether nothing moves until an operator decides."""
        return self._gate.held

    @property
    def refusal(self) -> Refusal | None:
        """Why the order of this step has not left yet, None where it has or there is none."""
        return self._refusal

    def poll_event(self) -> SwapEvent | None:
        """The next event, or None. Poll after receive(), handle_timeout() and command()."""
        return self._events.popleft() if self._events else None

    # ---- for the roles

    @abstractmethod
    def _place(self, at: P) -> Place:
        """Where a step's order acts."""

    @abstractmethod
    def _reached(self, now: Instant) -> bool | None:
        """Whether a step without a goal is reached; False denies it, None waits."""

    def _entered(self, before: S, cause: I, now: Instant) -> None:
        """Act on a change of state, on a hold and on a new beginning of a step."""

    def _emit(self, event: SwapEvent) -> None:
        self._events.append(event)

    def _working(self) -> bool:
        return self._state in self._rules.steps and not self._gate.held

    def _begin(self, now: Instant) -> None:
        """Begin the step anew."""
        self._attempt = 0
        self._try(now)

    def _try(self, now: Instant) -> None:
        self._ordered = False
        self._refusal = None
        step = self._rules.steps.get(self._state)
        if step is not None:
            self._settled = now + self._timing.settle if step.settles else now
            self._deadline = self._settled + getattr(self._timing, step.limit)

    def _recall(self) -> None:
        """What the last call let pass and nobody fetched is offered again under the view of this one."""
        if self._gate.recall():
            self._ordered = False

    def _move(self, cause: I, now: Instant) -> bool:
        """Move as tabled; False if the table has no such pair."""
        before = self._state
        row = self._rules.table.get((before, cause))
        if row is None:
            return False
        if row.to is not before:
            self._state = row.to
            self._gate.held = False
            self._gate.recall()
            self._begin(now)
            self._emit(StateChanged(before, row.to, cause, now))
        elif cause in self._rules.holding and before in self._rules.steps:
            self._hold(cause, now)
        self._entered(before, cause, now)
        return True

    def _hold(self, cause: I, now: Instant) -> None:
        if not self._gate.held:
            self._gate.recall()
            self._gate.held = True
            self._emit(Held(self._state, cause, now))
            self._give(Halt(), now)

    def _work(self, now: Instant) -> None:
        """Go through all steps that are reached already, and do what the next one needs."""
        for _ in self._rules.steps:
            if not self._working():
                return
            if now < self._settled:
                self._look = self._settled
                return
            reached = self._goal(now)
            if reached is None:
                break
            cause = self._rules.passed if reached else self._rules.denied
            if cause is None or not self._move(cause, now):
                break
        step = self._rules.steps.get(self._state)
        if step is None or self._gate.held:
            return
        if now >= self._deadline:
            self._late(step, now)
        if self._working() and not self._ordered and step.order is not None:
            self._ordered = self._give(step.order(self._place(step.at)), now)
        self._look = now + self._timing.cycle

    def _goal(self, now: Instant) -> bool | None:
        step = self._rules.steps[self._state]
        if not step.goal:
            return self._reached(now)
        if step.own and not self._ordered:
            return None
        place, limit = self._place(step.at), getattr(self._timing, step.fresh)
        return True if all(c.fault(self._view, place, now, limit) is None for c in step.goal) else None

    def _late(self, step: Step[P], now: Instant) -> None:
        self._attempt += 1
        self._emit(StepLate(self._state, self._attempt, now))
        cause, exhausted = self._rules.late, self._rules.exhausted
        if exhausted is not None and self._attempt > getattr(self._timing, step.retries):
            cause = exhausted
        self._try(now)
        self._move(cause, now)

    def _give(self, order: Order, now: Instant) -> bool:
        refusal = self._gate.offer(order, now)
        if refusal is None:
            self._emit(OrderGiven(order, now))
        elif self._refusal is None or _reasons(self._refusal) != _reasons(refusal):
            self._emit(OrderRefused(refusal, now))
        self._refusal = refusal
        return refusal is None

    def _wake(self) -> Instant | None:
        """When a step that waits wants to look again."""
        return min(self._deadline, self._look) if self._working() else None


def _reasons(refusal: Refusal) -> tuple[object, ...]:
    return (refusal.rule, *((fault.condition, fault.seen is None, fault.stale) for fault in refusal.faults))
