"""The station's end of a swap, sans-I/O.

Usage::

    orchestrator = Orchestrator(plant)
    orchestrator.receive(report, now)                              # every report of truck, hoist and bays
    orchestrator.command(Command.START, now)
    while (order := orchestrator.poll_transmit()) is not None: ... # give it to the truck, the hoist or a bay

Poll at once after each call: an order is right for the instant of the call, and what was not fetched by the
next one is taken back.
"""

from collections.abc import Mapping
from types import MappingProxyType

from swapproto.errors import LocalProtocolError
from swapproto.frame import Instant
from swapproto.session.swap._engine import Machine
from swapproto.session.swap.command import Command
from swapproto.session.swap.events import CheckChanged, PackSilent, Verdict
from swapproto.session.swap.interlocks import RULES as INTERLOCKS
from swapproto.session.swap.messages import (
    TRANSFER,
    TRUCK,
    ControllerReport,
    Halt,
    LockReport,
    Order,
    PackReport,
    Place,
    Report,
    VehicleReport,
)
from swapproto.session.swap.orchestrator_steps import RULES, STEPS, Where
from swapproto.session.swap.orchestrator_table import (
    TABLE,
    WHILE_HELD,
    WITH_TRUCK,
    Input,
    State,
)
from swapproto.session.swap.plant import Direction, Plan, StationPlant
from swapproto.session.swap.timing import NOMINAL, Timing

__all__ = ["RULES", "STEPS", "TABLE", "Input", "Orchestrator", "State"]

_BREAKS = frozenset((Input.DENIED, Input.EMERGENCY, Input.GIVE_UP, Input.QUARANTINE))
"""What the hoist was doing is not what it shall do next."""
_ANSWERS = frozenset((Input.RESUME, Input.GIVE_UP, Input.QUARANTINE))
"""Commands by which an operator answers the alarms that there are."""
_VERDICTS: Mapping[Input, Verdict] = MappingProxyType(
    {
        Input.PASSED: Verdict.PASSED,
        Input.DENIED: Verdict.FAILED,
        Input.EMERGENCY: Verdict.CANCELLED,
        Input.GIVE_UP: Verdict.CANCELLED,
        Input.QUARANTINE: Verdict.CANCELLED,
    }
)


class Orchestrator(Machine[State, Input, Where]):
    """One swap after another."""

    def __init__(
        self,
        plant: StationPlant,
        *,
        fire_place: Place = TRANSFER,
        timing: Timing = NOMINAL,
    ) -> None:
        super().__init__(RULES, INTERLOCKS, timing)
        self._plant = plant
        self._fire_place = fire_place
        self._checks = dict.fromkeys(STEPS, Verdict.NOT_STARTED)
        self._other_vehicle = False
        self._truck_heard: Instant = 0
        self._truck_lost = False
        self._awaited: dict[Place, Instant] = {}

    @property
    def plan(self) -> Plan | None:
        """The bays of this swap, None before they are chosen."""
        return self._view.plan

    @property
    def vin(self) -> str:
        """Of the truck in this swap; empty before it was heard."""
        return self._view.vin

    @property
    def checks(self) -> Mapping[State, Verdict]:
        """The result of each check and step of this swap."""
        return MappingProxyType(self._checks)

    def receive(self, report: Report, now: Instant) -> None:
        """Take a report. Afterwards poll everything."""
        if not isinstance(report, Report):  # pyright: ignore[reportUnnecessaryIsInstance]  # bad calls
            raise LocalProtocolError(f"{report!r} is no report of a truck, hoist or bay")
        self._recall()
        self._view.take(report, now)
        if isinstance(report, PackReport):
            self._awaited.pop(report.place, None)
        if isinstance(report, VehicleReport | LockReport | ControllerReport):
            self._truck_heard, self._truck_lost = now, False
        self._run(now)

    def command(self, wish: Command, now: Instant) -> None:
        """Do what the operator wants; LocalProtocolError where it is not allowed. Poll everything then."""
        if not isinstance(wish, Command):  # pyright: ignore[reportUnnecessaryIsInstance]  # bad calls
            raise LocalProtocolError(f"{wish!r} is no Command")
        cause = Input(wish.value)
        if (self._state, cause) not in TABLE or (cause in WHILE_HELD and not self.held):
            raise LocalProtocolError(
                f"{wish.value} is not possible in {self._state.value!r}{' while held' if self.held else ''}"
            )
        self._recall()
        if cause in _ANSWERS:
            self._view.thermal.answer()
        if cause is Input.RESUME:
            self._gate.held = False
            self._truck_heard, self._truck_lost = now, False
            self._begin(now)
        self._move(cause, now)
        self._run(now)

    def handle_timeout(self, now: Instant) -> None:
        """Do what is due; a call before next_timeout() is harmless. Afterwards poll everything."""
        self._recall()
        self._run(now)

    def next_timeout(self) -> Instant | None:
        """When handle_timeout() is wanted next, at the latest; ask again after any other call."""
        return min((at for at in (self._wake(), *self._awaited.values()) if at is not None), default=None)

    def poll_transmit(self) -> Order | None:
        """The next order, for swap controller, hoist or bay. Poll after every other call."""
        return self._gate.poll()

    # ---- inside

    def _run(self, now: Instant) -> None:
        for place in [place for place, until in self._awaited.items() if until <= now]:
            del self._awaited[place]
            self._emit(PackSilent(place, now))
        self._alarm(now)
        silent = now - self._truck_heard > self._timing.informs
        if silent and not self._truck_lost and self._state in WITH_TRUCK:
            self._truck_lost = True
            self._move(Input.LINK_LOST, now)
        self._work(now)

    def _alarm(self, now: Instant) -> None:
        """Alarms count when they begin; what an operator has decided holds while they last."""
        if self._view.stops.unanswered and self._state in STEPS:
            self._view.stops.answer()
            self._move(Input.EMERGENCY, now)
        if self._view.thermal.unanswered and self._working():
            self._move(Input.THERMAL, now)
        seen = self._view.vehicle
        other = bool(self.vin and seen is not None and seen.report.vin not in ("", self.vin))
        if other and not self._other_vehicle:
            self._move(Input.OTHER_VEHICLE, now)
        self._other_vehicle = other

    def _place(self, at: Where) -> Place:
        plan = self.plan
        if at is Where.TRUCK or plan is None:
            return TRUCK
        if at is Where.FIRE:
            return self._fire_place
        return plan.store if at is Where.STORE else plan.pick

    def _reached(self, now: Instant) -> bool | None:
        view = self._view
        if self._state is State.PACK:
            view.plan = self._plant.plan(self.vin, now)
            return None if view.plan is None else True
        if self._state is State.AUTHORISE_INCOMING:
            known = view.codes.get(TRUCK)
            fresh = known is not None and known.at is not None and now - known.at <= self._timing.informs
            return self._authorised(Direction.INCOMING, known.value if known and fresh else None, now)
        if self._state is State.AUTHORISE_OUTGOING:
            return self._authorised(Direction.OUTGOING, view.hanging_code, now)
        return None if view.plan is None else self._plant.record(view.plan, self.vin, now)

    def _authorised(self, direction: Direction, code: str | None, now: Instant) -> bool | None:
        """Waits for a code that this pack has told in this swap."""
        return None if code is None else self._plant.authorise(direction, code, self.vin, now)

    def _entered(self, before: State, cause: Input, now: Instant) -> None:
        """Keep the results of the checks, and what the swap remembers."""
        if cause is Input.START:
            self._view.begin()
            self._other_vehicle = False
            self._checks = dict.fromkeys(STEPS, Verdict.NOT_STARTED)
        elif cause is Input.RESET:
            self._view.begin()
            self._view.forget_truck()
        elif cause is Input.PASSED and before is State.VEHICLE and self._view.vehicle is not None:
            self._view.vin = self._view.vehicle.report.vin
        elif cause is Input.PASSED and before is State.SUPPLY and self.plan is not None:
            self._awaited[self.plan.store] = now + self._timing.pack_back
        if self._state is not before:
            if cause in _BREAKS:
                self._give(Halt(), now)
            self._judge(before, _VERDICTS.get(cause, Verdict.PASSED), now)
        self._judge(self._state, Verdict.PAUSED if self.held else Verdict.RUNNING, now)

    def _judge(self, check: State, verdict: Verdict, now: Instant) -> None:
        if check in STEPS and self._checks[check] is not verdict:
            self._checks[check] = verdict
            self._emit(CheckChanged(check, verdict, now))
