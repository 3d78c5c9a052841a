"""Both state tables of a swap over the whole product of states and inputs."""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any

import msgspec
import pytest

from swapproto.errors import LocalProtocolError
from swapproto.provenance import Basis
from swapproto.session.events import StateChanged
from swapproto.session.swap import controller, messages, orchestrator
from swapproto.session.swap._engine import Machine, Rules
from swapproto.session.swap.command import Command
from swapproto.session.swap.controller_table import STATUS
from swapproto.session.swap.events import Held, OrderMisplaced
from swapproto.session.swap.interlocks import RULES, TRUCK_RULES, Rule, place_of, rule_of
from swapproto.session.swap.orchestrator_table import ENDS, HOLDING, WHILE_HELD
from swapproto.session.swap.plant import Direction, Plan
from swapproto.session.swap.timing import LIMITS, NOMINAL, Timing
from tests.session.tables import check_sources, left_by_at_most, reachable
from tests.session.test_swap_world import Stock

AnyMachine = Machine[Any, Any, Any]

ORDERS: dict[controller.Input, messages.TruckOrder] = {
    controller.Input.ENGAGE: messages.Engage(),
    controller.Input.DE_ENERGISE: messages.DeEnergise(),
    controller.Input.DISCONNECT: messages.Disconnect(),
    controller.Input.UNLOCK: messages.Unlock(),
    controller.Input.LOCK: messages.Lock(),
    controller.Input.CONNECT: messages.Connect(),
    controller.Input.RELEASE: messages.Release(),
    controller.Input.HALT: messages.Halt(),
}


class Silent(Stock):
    """A plant that knows nothing yet."""

    def plan(self, vin: str, now: int) -> None:
        return None

    def authorise(self, direction: Direction, code: str | None, vin: str, now: int) -> None:
        return None

    def record(self, plan: Plan, vin: str, now: int) -> None:
        return None


class Role(msgspec.Struct, frozen=True):
    """What the tests below need of a role."""

    name: str
    rules: Rules[Any, Any, Any]
    states: type[StrEnum]
    inputs: type[StrEnum]
    make: Callable[[], AnyMachine]
    ends: frozenset[StrEnum]

    def placed(self, state: StrEnum) -> Any:
        machine = self.make()
        machine._state = state
        machine._begin(0)
        return machine


ROLES = (
    Role(
        "orchestrator", orchestrator.RULES, orchestrator.State, orchestrator.Input,
        lambda: orchestrator.Orchestrator(Silent()), frozenset(ENDS),
    ),
    Role(
        "controller", controller.RULES, controller.State, controller.Input, controller.SwapController,
        frozenset(),
    ),
)  # fmt: skip


def pairs() -> Iterator[Any]:
    for role in ROLES:
        for state in role.states:
            for cause in role.inputs:
                yield pytest.param(role, state, cause, id=f"{role.name}-{state}-{cause}")


def events(machine: AnyMachine, kind: type) -> list[object]:
    found: list[object] = []
    while (event := machine.poll_event()) is not None:
        if isinstance(event, kind):
            found.append(event)
    return found


@pytest.mark.parametrize(("role", "state", "cause"), tuple(pairs()))
def test_each_pair_moves_as_tabled_or_stays(role: Role, state: StrEnum, cause: StrEnum) -> None:
    machine = role.placed(state)
    row = role.rules.table.get((state, cause))
    if cause in ORDERS:
        order = ORDERS[cause]  # type: ignore[index]  # a StrEnum of the other role is not in it
        machine.receive(order, 1)
        assert events(machine, OrderMisplaced) == ([] if row else [OrderMisplaced(state, order, 1)])
    elif cause.value in {wish.value for wish in Command}:
        wish = Command(cause.value)
        machine._gate.held = cause in WHILE_HELD
        if row is None:
            with pytest.raises(LocalProtocolError, match="is not possible"):
                machine.command(wish, 1)
        else:
            machine.command(wish, 1)
    else:
        assert machine._move(cause, 1) is (row is not None)
    assert machine.state is (state if row is None else row.to)
    if row is not None and row.to is not state:
        changed = events(machine, StateChanged)
        assert not changed or changed[0] == StateChanged(state, row.to, cause, 1)


@pytest.mark.parametrize(("state", "cause"), [(s, i) for s in orchestrator.State for i in sorted(HOLDING)])
def test_what_holds_a_step_lets_only_halt_out(state: orchestrator.State, cause: orchestrator.Input) -> None:
    machine = ROLES[0].placed(state)
    row = orchestrator.TABLE.get((state, cause))
    machine._move(cause, 1)
    held = row is not None and row.to is state and state in orchestrator.STEPS
    assert machine.held is held
    assert bool(events(machine, Held)) is held
    if held:
        assert machine.poll_transmit() == messages.Halt()
        assert machine.poll_transmit() is None
        machine.handle_timeout(10**12)
        assert machine.poll_transmit() is None


@pytest.mark.parametrize("wish", [Command.RESUME, Command.QUARANTINE])
def test_some_commands_need_a_hold(wish: Command) -> None:
    for state in orchestrator.State:
        with pytest.raises(LocalProtocolError):
            ROLES[0].placed(state).command(wish, 1)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
class TestRules:
    def test_every_state_is_reachable(self, role: Role) -> None:
        assert reachable(role.rules.table, role.rules.start) == set(role.states)

    def test_only_the_ends_are_left_by_reset_alone(self, role: Role) -> None:
        assert left_by_at_most(role.rules.table, role.states, {"reset"}) == role.ends

    def test_every_row_has_a_source(self, role: Role) -> None:
        check_sources(role.rules.table)

    def test_every_input_is_in_the_table(self, role: Role) -> None:
        assert {cause for _, cause in role.rules.table} == set(role.inputs)

    def test_every_state_answers_every_alarm(self, role: Role) -> None:
        for state in role.states:
            for name in ("emergency stop", "thermal alarm"):
                assert (state, role.inputs(name)) in role.rules.table, (state, name)

    def test_every_step_has_a_way_on_and_a_limit(self, role: Role) -> None:
        for state, step in role.rules.steps.items():
            assert role.rules.table[state, role.rules.passed].to is not state
            assert (state, role.rules.late) in role.rules.table
            if role.rules.exhausted is not None:
                assert (state, role.rules.exhausted) in role.rules.table
            assert {step.limit, step.fresh, step.retries} <= set(LIMITS)

    def test_what_is_no_step_waits_for_somebody(self, role: Role) -> None:
        for state in set(role.states) - set(role.rules.steps):
            assert (state, role.rules.passed) not in role.rules.table
            assert role.placed(state)._wake() is None

    def test_every_step_orders_what_an_interlock_governs(self, role: Role) -> None:
        known = RULES if role.name == "orchestrator" else TRUCK_RULES
        for state, step in role.rules.steps.items():
            if step.order is not None:
                place = role.placed(state)
                place._view.plan = Stock().choice
                order = step.order(place._place(step.at))
                assert rule_of(order) in known, state
                assert place_of(order) == place._place(step.at), state


def test_every_status_is_told() -> None:
    assert set(STATUS) == set(controller.State)
    assert set(STATUS.values()) == set(messages.ControllerStatus)


def test_the_steps_use_every_interlock() -> None:
    used: set[Rule | None] = {Rule.ALWAYS}
    for state, step in orchestrator.STEPS.items():
        if step.order is not None:
            machine = ROLES[0].placed(state)
            machine._view.plan = Stock().choice
            used.add(rule_of(step.order(machine._place(step.at))))
    assert used == set(Rule)


@pytest.mark.parametrize(
    "wrong",
    [
        {"interlock": -1}, {"interlock": 0}, {"interlock": 10**18}, {"cycle": 0}, {"informs": 10**18},
        {"cycle": NOMINAL.interlock + 1}, {"informs": NOMINAL.cycle}, {"retries": -1},
        {"retries": 10**9}, {"settle": 0}, {"drive": 10**18}, {"interlock": 0.3}, {"retries": True},
    ],
)  # fmt: skip
def test_no_timing_switches_an_interlock_off(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}|interlock"):
        msgspec.structs.replace(NOMINAL, **wrong)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
@pytest.mark.parametrize("junk", [None, "x", 42, messages.TRUCK])
def test_what_is_no_message_is_a_bad_call(role: Role, junk: Any) -> None:
    machine: Any = role.make()
    with pytest.raises(LocalProtocolError, match="is no"):
        machine.receive(junk, 0)


def test_a_word_is_no_command() -> None:
    wish: Any = "start"
    with pytest.raises(LocalProtocolError, match="is no Command"):
        orchestrator.Orchestrator(Silent()).command(wish, 0)


@pytest.mark.parametrize("kind", [orchestrator.Orchestrator, controller.SwapController])
def test_no_caller_brings_interlocks_of_its_own(kind: Any) -> None:
    with pytest.raises(TypeError):
        kind(**{"plant": Silent()} if kind is orchestrator.Orchestrator else {}, interlocks={})


def test_every_limit_has_a_source() -> None:
    assert set(LIMITS) == set(Timing.__struct_fields__)
    for name, limit in LIMITS.items():
        assert getattr(NOMINAL, name) == limit.value > 0
        assert limit.source.why or limit.source.basis is not Basis.ASSUMED
