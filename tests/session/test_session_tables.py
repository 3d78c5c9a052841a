"""Both state tables over the whole product of states and inputs."""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any

import msgspec
import pytest

from swapproto.errors import LocalProtocolError
from swapproto.messages.gbt27930 import (
    BEM,
    BHM,
    BMT,
    BRO,
    BSD,
    BST,
    CCS,
    CEM,
    CHM,
    CRM,
    CRO,
    CSD,
    CST,
    CTS,
    DM1,
    ChargingMessage,
    Condition,
    Permission,
    Ready,
    Recognition,
)
from swapproto.session import bms, charger
from swapproto.session._engine import Machine
from swapproto.session.command import Command
from swapproto.session.events import PeerViolation, StateChanged
from swapproto.session.flow import FLOW
from swapproto.session.table import Row, Rules, moves, table
from swapproto.session.timing import RECONNECTS, TIMERS
from tests.session.conftest import (
    CAPABILITY,
    DEMAND,
    IDENTITY,
    MEASURED,
    PARAMETERS,
    STATUS,
    StillCharger,
    StillPack,
)
from tests.session.tables import check_sources, left_by_at_most, reachable

AnyMachine = Machine[Any, Any]
AnyRules = Rules[Any, Any]

CHARGER_MESSAGES: dict[charger.Input, ChargingMessage] = {
    charger.Input.BHM: BHM(max_voltage=600.0),
    charger.Input.BRM: IDENTITY,
    charger.Input.BCP: PARAMETERS,
    charger.Input.BRO_NOT_READY: BRO(ready=Ready.NOT_READY),
    charger.Input.BRO_READY: BRO(ready=Ready.READY),
    charger.Input.BCL: DEMAND,
    charger.Input.BCS: MEASURED,
    charger.Input.BSM_ALLOWED: STATUS,
    charger.Input.BSM_FORBIDDEN: msgspec.structs.replace(STATUS, permission=Permission.FORBIDDEN),
    charger.Input.BSM_ABNORMAL: msgspec.structs.replace(STATUS, insulation=Condition.FAULT),
    charger.Input.BSM_UNTRUSTED: msgspec.structs.replace(STATUS, insulation=Condition.UNTRUSTED),
    charger.Input.DETAIL: BMT(temperatures=(25,)),
    charger.Input.BST: BST(),
    charger.Input.BSD: BSD(
        soc=90, min_cell_voltage=3.4, max_cell_voltage=3.5, min_temperature=24, max_temperature=30
    ),
    charger.Input.BEM: BEM(),
    charger.Input.DIAGNOSIS: DM1(),
    charger.Input.UNEXPECTED: CST(),
}
_CCS = CCS(voltage=540.0, current=-200.0, elapsed_time=1, permission=Permission.ALLOWED)
BMS_MESSAGES: dict[bms.Input, ChargingMessage] = {
    bms.Input.CHM: CHM(version_minor=1, version_major=1),
    bms.Input.CRM_NOT_RECOGNISED: CRM(result=Recognition.NOT_RECOGNISED, charger_number=1),
    bms.Input.CRM_RECOGNISED: CRM(result=Recognition.RECOGNISED, charger_number=1),
    bms.Input.CTS: CTS(),
    bms.Input.CML: CAPABILITY,
    bms.Input.CRO_NOT_READY: CRO(ready=Ready.NOT_READY),
    bms.Input.CRO_READY: CRO(ready=Ready.READY),
    bms.Input.CCS_ALLOWED: _CCS,
    bms.Input.CCS_PAUSED: msgspec.structs.replace(_CCS, permission=Permission.FORBIDDEN),
    bms.Input.CCS_UNTRUSTED: msgspec.structs.replace(_CCS, permission=Permission(2)),
    bms.Input.CST: CST(),
    bms.Input.CSD: CSD(total_time=1, energy=1.0, charger_number=1),
    bms.Input.CEM: CEM(),
    bms.Input.DIAGNOSIS: DM1(),
    bms.Input.UNEXPECTED: BST(),
}


def unready_charger() -> StillCharger:
    """One that does not move on of itself."""
    plant = StillCharger()
    plant.is_tested = plant.is_ready = False
    return plant


class Role(msgspec.Struct, frozen=True):
    """What the tests below need of a role."""

    name: str
    rules: AnyRules
    states: type[StrEnum]
    inputs: type[StrEnum]
    messages: dict[Any, ChargingMessage]
    make: Callable[[], AnyMachine]

    def placed(self, state: StrEnum) -> AnyMachine:
        """A session that stands in a state, with its timers and senders."""
        session = self.make()
        session._state = state
        session._rearm(self.rules.start, 0)
        return session


ROLES = (
    Role(
        "charger",
        charger.RULES,
        charger.State,
        charger.Input,
        CHARGER_MESSAGES,
        lambda: charger.ChargerSession(unready_charger()),
    ),
    Role("bms", bms.RULES, bms.State, bms.Input, BMS_MESSAGES, lambda: bms.BmsSession(StillPack())),
)
COMMANDS = {wish.value for wish in Command}


def pairs() -> Iterator[Any]:
    for role in ROLES:
        for state in role.states:
            for cause in role.inputs:
                yield pytest.param(role, state, cause, id=f"{role.name}-{state}-{cause}")


def events(session: AnyMachine) -> list[object]:
    found: list[object] = []
    while (event := session.poll_event()) is not None:
        found.append(event)
    return found


@pytest.mark.parametrize(("role", "state", "cause"), tuple(pairs()))
def test_each_pair_moves_as_tabled_or_stays(role: Role, state: StrEnum, cause: StrEnum) -> None:
    session = role.placed(state)
    row = role.rules.table.get((state, cause))
    now = 1
    if cause in role.messages:
        message = role.messages[cause]
        session.receive(message, now)
        violations = [event for event in events(session) if isinstance(event, PeerViolation)]
        assert violations == ([] if row else [PeerViolation(state, cause, message, FLOW, now)])
    elif cause.value in COMMANDS:
        if row is None:
            with pytest.raises(LocalProtocolError, match="is not possible"):
                session.command(Command(cause.value), now)
        else:
            session.command(Command(cause.value), now)
    else:
        assert session._step(cause, now) is (row is not None)
    assert session.state is (state if row is None else row.to)
    assert session.reconnects == (row is not None and row.reconnect)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
class TestRules:
    def test_every_state_is_reachable(self, role: Role) -> None:
        assert reachable(role.rules.table, role.rules.start) == set(role.states)

    def test_only_the_two_ends_are_left_by_unplugging_alone(self, role: Role) -> None:
        sinks = left_by_at_most(role.rules.table, role.states, {"unplug"})
        assert sinks == {role.rules.complete, role.rules.aborted}

    def test_every_state_that_waits_is_bounded(self, role: Role) -> None:
        unbounded = {state for state in role.states if not role.rules.watches.get(state)}
        assert unbounded == {role.rules.start, role.rules.complete, role.rules.aborted}

    def test_every_row_has_a_source(self, role: Role) -> None:
        check_sources(role.rules.table)

    def test_every_timer_is_known_watched_and_leads_somewhere(self, role: Role) -> None:
        rules = role.rules
        watched = {name for names in rules.watches.values() for name in names}
        assert watched == set(rules.expiry)
        assert watched <= set(TIMERS)
        for state, names in rules.watches.items():
            for name in names:
                assert (state, rules.expiry[name]) in rules.table, (state, name)

    def test_every_input_is_in_the_table(self, role: Role) -> None:
        used = {cause for _, cause in role.rules.table}
        assert set(role.inputs) - used == {role.inputs("a message that no " + _peer(role) + " sends")}

    def test_reconnects_have_an_end_wherever_they_are_made(self, role: Role) -> None:
        made = {state for (state, _), row in role.rules.table.items() if row.reconnect}
        ended = {state for state, cause in role.rules.table if cause is role.rules.exhausted}
        assert made == ended
        for (state, cause), row in role.rules.table.items():
            if row.reconnect:
                session = role.placed(state)
                session._reconnects = RECONNECTS
                session._step(cause, 1)
                assert session.state is role.rules.aborted, (state, cause)

    def test_each_kind_that_a_state_sends_comes_at_once_and_in_its_period(self, role: Role) -> None:
        for state, kinds in role.rules.sends.items():
            session = role.placed(state)
            session.handle_timeout(0)
            sent: list[type[ChargingMessage]] = []
            while (message := session.poll_transmit()) is not None:
                sent.append(type(message))
            if session.state is state:
                assert set(sent) == set(kinds), state
            assert all(kind.sender.label.lower() == role.name.lower() for kind in sent)


def _peer(role: Role) -> str:
    return "pack" if role.name == "charger" else "charger"


def test_two_rows_for_one_pair_are_refused() -> None:
    row = moves(FLOW, {(charger.State.IDLE, charger.Input.START): charger.State.HANDSHAKE})
    with pytest.raises(ValueError, match="two rows"):
        table(row, row)


def test_a_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        charger.TABLE[charger.State.IDLE, charger.Input.BHM] = Row(charger.State.IDLE, FLOW)  # type: ignore[index]  # the point of the test


def test_a_change_of_state_is_reported() -> None:
    session = charger.ChargerSession(StillCharger())
    session.command(Command.START, 5)
    assert events(session) == [
        StateChanged(charger.State.IDLE, charger.State.HANDSHAKE, charger.Input.START, 5)
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, charger.Input.BSM_ALLOWED),
        ({"permission": Permission.FORBIDDEN}, charger.Input.BSM_FORBIDDEN),
        ({"permission": Permission(2)}, charger.Input.BSM_UNTRUSTED),
        ({"permission": Permission(3)}, charger.Input.BSM_UNTRUSTED),
        *(
            ({field: Condition(value), "permission": permission}, expected)
            for field in ("over_current", "over_temperature", "insulation", "output_connector")
            for value, expected in (
                (1, charger.Input.BSM_ABNORMAL),
                (2, charger.Input.BSM_UNTRUSTED),
                (3, charger.Input.BSM_UNTRUSTED),
            )
            for permission in (Permission.ALLOWED, Permission.FORBIDDEN)
        ),
        *(
            ({field: value}, expected)
            for field in ("cell_voltage", "soc")
            for value, expected in (
                (1, charger.Input.BSM_ABNORMAL),
                (2, charger.Input.BSM_ABNORMAL),
                (3, charger.Input.BSM_UNTRUSTED),
            )
        ),
        ({"insulation": Condition.UNTRUSTED, "over_current": Condition.FAULT}, charger.Input.BSM_ABNORMAL),
    ],
)
def test_what_a_bsm_asks_for(changes: dict[str, object], expected: charger.Input) -> None:
    assert charger.read_bsm(msgspec.structs.replace(STATUS, **changes)) is expected
