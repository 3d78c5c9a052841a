"""The pause that BSM asks for, faults, and how soon the current must be off."""

import msgspec
import pytest

from swapproto.frame import MILLISECOND, SECOND, Instant
from swapproto.messages.gbt27930 import (
    BSM,
    BST,
    CCS,
    CST,
    Condition,
    Permission,
    Reached,
)
from swapproto.session import charger
from swapproto.session.charger_table import CURRENT_TIMERS
from swapproto.session.command import Command
from tests.session.conftest import (
    ALLOWED,
    DEMAND,
    MEASURED,
    STATUS,
    Alone,
    B,
    C,
    StillCharger,
    at_bms,
    at_charger,
)


class TestPause:
    FORBIDDEN: BSM = msgspec.structs.replace(STATUS, permission=Permission.FORBIDDEN)

    def go_on(self, bench: Alone, seconds: int, status: BSM) -> None:
        for _ in range(seconds * 4):
            bench.pass_time(250 * MILLISECOND)
            if bench.session.state in (C.CHARGING, C.PAUSED):
                bench.hear(DEMAND, MEASURED, status)

    def test_it_lasts_ten_minutes_at_most(self) -> None:
        plant = StillCharger()
        bench = at_charger(C.PAUSED, plant)
        self.go_on(bench, 599, self.FORBIDDEN)
        assert bench.state() == C.PAUSED
        permissions = {message.permission for at, message in bench.sent[-100:] if isinstance(message, CCS)}
        assert permissions == {Permission.FORBIDDEN}
        self.go_on(bench, 1, self.FORBIDDEN)
        assert bench.state() == C.STOPPING
        assert plant.told[-2:] == ["pause", "end"]
        assert bench.sent[-1][1] == CST(condition_reached=Reached.YES)

    def test_a_new_pause_has_its_own_ten_minutes(self) -> None:
        bench = at_charger(C.PAUSED)
        self.go_on(bench, 400, self.FORBIDDEN)
        self.go_on(bench, 1, STATUS)
        assert bench.state() == C.CHARGING
        self.go_on(bench, 400, self.FORBIDDEN)
        assert bench.state() == C.PAUSED

    @pytest.mark.parametrize("state", [C.CHARGING, C.PAUSED])
    def test_what_cannot_be_trusted_changes_nothing(self, state: charger.State) -> None:
        bench = at_charger(state)
        for permission in (Permission.ALLOWED, Permission.FORBIDDEN):
            bench.hear(
                msgspec.structs.replace(STATUS, over_current=Condition.UNTRUSTED, permission=permission)
            )
            assert bench.session.state is state

    @pytest.mark.parametrize("state", [C.READY, C.CHARGING, C.PAUSED])
    def test_a_fault_stops_with_the_fault_bit(self, state: charger.State) -> None:
        bench = at_charger(state)
        bench.hear(msgspec.structs.replace(STATUS, over_temperature=Condition.FAULT))
        assert bench.session.state is C.STOPPING
        assert bench.sent[-1][1].encode() == bytes((0b00_01_00_00, 0x00, 0xF0, 0xF0))

    def test_the_bms_stops_too_if_the_charger_does_not(self) -> None:
        bench = at_bms(B.CHARGING)
        paused = msgspec.structs.replace(ALLOWED, permission=Permission.FORBIDDEN)
        bench.hear(paused)
        begun = bench.now
        while bench.session.state is B.PAUSED:
            bench.pass_time(500 * MILLISECOND)
            bench.hear(paused)
        assert bench.session.state is B.STOPPING
        assert bench.now - begun == 600 * SECOND


class TestCurrentOff:
    """5 A is the limit: 100 ms after CST, 10 s or 300 ms after BST, 50 ms after the plug is lost."""

    def stubborn(self) -> StillCharger:
        class Stubborn(StillCharger):
            def end(self, now: Instant) -> None:
                self.told.append("end")

        return Stubborn()

    @pytest.mark.parametrize(
        ("cause", "timer", "limit"),
        [
            (Command.STOP, "current_after_cst", 100 * MILLISECOND),
            (Command.UNPLUG, "current_after_unplug", 50 * MILLISECOND),
            (BST(), "current_after_bst", 10 * SECOND),
            (BST(insulation=Condition.FAULT), "current_after_fault", 300 * MILLISECOND),
        ],
    )
    def test_late(self, cause: Command | BST, timer: str, limit: int) -> None:
        for plant, expected in ((self.stubborn(), [timer]), (StillCharger(), [])):
            bench = at_charger(C.CHARGING, plant)
            begun = bench.now
            if isinstance(cause, Command):
                bench.session.command(cause, bench.now)
            else:
                bench.hear(cause)
            bench.pass_time(limit - 1)
            assert timer not in bench.timed_out()
            bench.pass_time(1)
            assert [name for name in bench.timed_out() if name in CURRENT_TIMERS] == expected
            assert bench.now == begun + limit
