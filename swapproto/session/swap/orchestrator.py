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
from swapproto.session.swap.conditions import Conditions
from swapproto.session.swap.events import CheckChanged, PackSilent, Verdict
from swapproto.session.swap.interlocks import RULES as INTERLOCKS
from swapproto.session.swap.interlocks import Rule
from swapproto.session.swap.messages import (
    TRANSFER,
    TRUCK,
    BayReport,
    ControllerReport,
    Halt,
    HoistReport,
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
_PLACED = BayReport | PackReport
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
    """One swap after another. ``interlocks`` is there for experiments that show what a rule is good for."""

    def __init__(
        self,
        plant: StationPlant,
        *,
        fire_place: Place = TRANSFER,
        timing: Timing = NOMINAL,
        interlocks: Mapping[Rule, Conditions] = INTERLOCKS,
    ) -> None:
        super().__init__(RULES, interlocks, timing)
        self._plant = plant
        self._fire_place = fire_place
        self._plan: Plan | None = None
        self._vin = ""
        self._checks = dict.fromkeys(STEPS, Verdict.NOT_STARTED)
        self._stops: set[str] = set()
        self._alarms: set[str] = set()
        self._codes: dict[Place, str | None] = {}
        self._truck_heard: Instant = 0
        self._truck_lost = False
        self._awaited: dict[Place, Instant] = {}

    @property
    def plan(self) -> Plan | None:
        """The bays of this swap, None before they are chosen."""
        return self._plan

    @property
    def vin(self) -> str:
        """Of the truck in this swap; empty before it was heard."""
        return self._vin

    @property
    def checks(self) -> Mapping[State, Verdict]:
        """The result of each check and step of this swap."""
        return MappingProxyType(self._checks)

    def receive(self, report: Report, now: Instant) -> None:
        """Take a report. Afterwards poll everything."""
        self._recall()
        self._view.take(report, now)
        if isinstance(report, PackReport):
            self._awaited.pop(report.place, None)
            self._codes[report.place] = report.code
        if isinstance(report, VehicleReport | LockReport | ControllerReport):
            self._truck_heard, self._truck_lost = now, False
        self._alarm(report, now)
        self._run(now)

    def command(self, wish: Command, now: Instant) -> None:
        """Do what the operator wants; LocalProtocolError where it is not allowed. Poll everything then."""
        cause = Input(wish.value)
        if (self._state, cause) not in TABLE or (cause in WHILE_HELD and not self.held):
            raise LocalProtocolError(
                f"{wish.value} is not possible in {self._state.value!r}{' while held' if self.held else ''}"
            )
        self._recall()
        if cause is Input.RESUME:
            self._gate.held = False
            self._truck_heard, self._truck_lost = now, False
            self._begin(now)
        self._move(cause, now)
        if cause is Input.START:
            self._warn(now)
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
        silent = now - self._truck_heard > self._timing.informs
        if silent and not self._truck_lost and self._state in WITH_TRUCK:
            self._truck_lost = True
            self._move(Input.LINK_LOST, now)
        self._work(now)

    def _alarm(self, report: Report, now: Instant) -> None:
        """Alarms count when they begin; what an operator has decided holds while they last."""
        name = (
            f"{type(report).__name__} {report.place}"
            if isinstance(report, _PLACED)
            else type(report).__name__
        )
        if isinstance(report, VehicleReport | HoistReport):
            self._follow(name, self._stops, Input.EMERGENCY, report.emergency_stop.value, now)
        if isinstance(report, HoistReport | BayReport | PackReport):
            self._follow(name, self._alarms, Input.THERMAL, report.thermal_event, now)

    def _follow(self, name: str, known: set[str], cause: Input, value: bool | None, now: Instant) -> None:
        if value is False:
            known.discard(name)
        elif value and name not in known:
            known.add(name)
            self._move(cause, now)

    def _warn(self, now: Instant) -> None:
        """A swap that begins learns of the alarms that are there already."""
        if self._alarms:
            self._move(Input.THERMAL, now)
        if self._stops:
            self._move(Input.EMERGENCY, now)

    def _place(self, at: Where) -> Place:
        if at is Where.TRUCK or self._plan is None:
            return TRUCK
        if at is Where.FIRE:
            return self._fire_place
        return self._plan.store if at is Where.STORE else self._plan.pick

    def _reached(self, now: Instant) -> bool | None:
        if self._state is State.PACK:
            self._plan = self._plant.plan(self._vin, now)
            return None if self._plan is None else True
        if self._state is State.AUTHORISE_INCOMING:
            return self._authorised(Direction.INCOMING, TRUCK, now)
        if self._plan is None:
            return None
        if self._state is State.AUTHORISE_OUTGOING:
            return self._authorised(Direction.OUTGOING, self._plan.pick, now)
        return self._plant.record(self._plan, self._vin, now)

    def _authorised(self, direction: Direction, place: Place, now: Instant) -> bool | None:
        return self._plant.authorise(direction, self._codes.get(place), self._vin, now)

    def _entered(self, before: State, cause: Input, now: Instant) -> None:
        """Keep the results of the checks, and what the swap remembers."""
        if cause is Input.START:
            self._plan, self._vin = None, ""
            self._checks = dict.fromkeys(STEPS, Verdict.NOT_STARTED)
        elif cause is Input.RESET:
            self._view.forget_truck()
        elif cause is Input.PASSED and before is State.VEHICLE and self._view.vehicle is not None:
            self._vin = self._view.vehicle.report.vin
        elif cause is Input.PASSED and before is State.SUPPLY and self._plan is not None:
            self._awaited[self._plan.store] = now + self._timing.pack_back
        if self._state is not before:
            if cause in _BREAKS:
                self._give(Halt(), now)
            self._judge(before, _VERDICTS.get(cause, Verdict.PASSED), now)
        self._judge(self._state, Verdict.PAUSED if self.held else Verdict.RUNNING, now)

    def _judge(self, check: State, verdict: Verdict, now: Instant) -> None:
        if check in STEPS and self._checks[check] is not verdict:
            self._checks[check] = verdict
            self._emit(CheckChanged(check, verdict, now))
