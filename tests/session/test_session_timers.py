"""Timers and periods: what runs out when, what is said then, and what puts it off."""

import msgspec
import pytest

from swapproto.errors import LocalProtocolError
from swapproto.frame import MILLISECOND, SECOND
from swapproto.messages.gbt27930 import (
    BEM,
    BST,
    CCS,
    CEM,
    CHM,
    CRO,
    CST,
    ChargingMessage,
    Party,
)
from swapproto.session import bms, charger
from swapproto.session.charger import ChargerSession
from swapproto.session.command import Command
from swapproto.session.events import ErrorReported, SessionEnded
from swapproto.session.timing import NOMINAL, TIMERS, Timing
from tests.session.conftest import (
    ALLOWED,
    BHM_,
    BRO_00,
    BRO_AA,
    CAPABILITY,
    CHM_,
    CRM_00,
    CRM_AA,
    CRO_00,
    CRO_AA,
    DEMAND,
    IDENTITY,
    MEASURED,
    PARAMETERS,
    STATUS,
    Alone,
    B,
    C,
    StillCharger,
    StillPack,
    at_bms,
    at_charger,
)


@pytest.mark.parametrize(
    ("state", "limit", "field"),
    [
        (C.IDENTIFICATION, 5 * SECOND, "brm"),
        (C.RECOGNISED, 5 * SECOND, "bcp"),
        (C.CONFIGURATION, 5 * SECOND, "bro"),
        (C.PACK_PREPARING, 60 * SECOND, "bro"),
        (C.DEMANDED, SECOND, "bcl"),
        (C.CHARGING, SECOND, "bcl"),
        (C.PAUSED, SECOND, "bcl"),
    ],
)
def test_the_charger_says_what_it_misses_and_begins_again(
    state: charger.State, limit: int, field: str
) -> None:
    bench = at_charger(state)
    assert bench.until(C.ERROR) == limit
    [cem] = bench.reported()
    assert isinstance(cem, CEM)
    assert [name for name in ("brm", "bcp", "bro", "bcs", "bcl", "bst", "bsd") if getattr(cem, name)] == [
        field
    ]
    assert bench.until(C.IDENTIFICATION) == NOMINAL.error_repeat
    sent = bench.instants(CEM)
    assert sent == [sent[0] + step * 250 * MILLISECOND for step in range(20)]


@pytest.mark.parametrize(
    ("state", "limit", "field"), [(C.STOPPING, 5 * SECOND, "bst"), (C.STOPPED, 10 * SECOND, "bsd")]
)
def test_a_charge_that_was_stopped_is_not_begun_anew(state: charger.State, limit: int, field: str) -> None:
    bench = at_charger(state)
    begun = bench.now
    assert bench.until(C.END_ERROR) == limit
    [cem] = bench.reported()
    assert getattr(cem, field) == 1
    stops = [at for at in bench.instants(CST) if at >= begun]
    assert stops == list(range(begun, begun + limit, 10 * MILLISECOND))
    bench.until(C.ABORTED)
    assert bench.session.next_timeout() is None
    assert isinstance(bench.events[-1], SessionEnded)


def test_bcs_is_missed_while_bcl_comes() -> None:
    bench = at_charger(C.CHARGING)
    begun = bench.now
    while bench.session.state is C.CHARGING:
        bench.pass_time(50 * MILLISECOND)
        bench.hear(DEMAND)
    assert bench.now - begun == 5 * SECOND
    assert [message.bcs for message in bench.reported() if isinstance(message, CEM)] == [1]


@pytest.mark.parametrize(
    ("state", "limit", "field"),
    [
        (B.LISTENING, 60 * SECOND, "crm_not_recognised"),
        (B.HANDSHAKE, 30 * SECOND, "crm_not_recognised"),
        (B.IDENTIFICATION, 5 * SECOND, "crm_recognised"),
        (B.PARAMETERS, 5 * SECOND, "cts_cml"),
        (B.READY, 5 * SECOND, "cro"),
        (B.CHARGER_PREPARING, 60 * SECOND, "cro"),
        (B.CHARGING, SECOND, "ccs"),
        (B.STOPPING, 5 * SECOND, "cst"),
        (B.STATISTICS, 10 * SECOND, "csd"),
    ],
)
def test_the_bms_says_what_it_misses_and_waits_for_a_new_crm(
    state: bms.State, limit: int, field: str
) -> None:
    bench = at_bms(state)
    assert bench.until(B.ERROR) == limit
    [bem] = bench.reported()
    assert isinstance(bem, BEM)
    names = ("crm_not_recognised", "crm_recognised", "cts_cml", "cro", "ccs", "cst", "csd")
    assert [name for name in names if getattr(bem, name)] == [field]
    assert bench.until(B.ABORTED) == 30 * SECOND
    sent = bench.instants(BEM)
    assert sent == [sent[0] + step * 250 * MILLISECOND for step in range(120)]
    assert bench.session.next_timeout() is None


def test_the_bms_begins_again_with_a_new_crm_three_times_and_no_more() -> None:
    bench = at_bms(B.IDENTIFICATION)
    for attempt in range(1, 4):
        bench.until(B.ERROR)
        bench.hear(CRM_00)
        assert bench.session.state is B.IDENTIFICATION
        assert bench.session.reconnects == attempt
    bench.until(B.ERROR)
    bench.hear(CRM_00)
    assert bench.session.state is B.ABORTED
    assert bench.events[-1] == SessionEnded(False, bms.Input.RECONNECTS_USED, bench.now)
    bench.session.command(Command.UNPLUG, bench.now)
    assert bench.session.reconnects == 0


def test_the_charger_begins_again_three_times_and_no_more() -> None:
    bench = at_charger(C.IDENTIFICATION)
    bench.until(C.ABORTED)
    assert bench.session.reconnects == 3
    assert len(bench.reported()) == 4
    assert bench.timed_out().count("brm") == 4


def test_each_bem_while_charging_costs_a_reconnect() -> None:
    bench = at_charger(C.RECOGNISED)
    for _ in range(3):
        bench.hear(BEM())
        assert bench.session.state is C.IDENTIFICATION
        bench.hear(BEM())
        bench.hear(IDENTITY)
    assert bench.session.reconnects == 3
    bench.hear(BEM())
    assert bench.session.state is C.ABORTED


def test_after_a_cem_the_bms_is_silent_and_waits_thirty_seconds() -> None:
    bench = at_bms(B.CHARGING)
    bench.hear(CEM())
    assert bench.session.state is B.WAITING
    before = len(bench.sent)
    assert bench.until(B.ABORTED) == 30 * SECOND
    assert len(bench.sent) == before


def test_a_pack_that_is_never_ready_stops_waiting_with_the_charger() -> None:
    plant = StillPack()
    plant.is_ready = False
    bench = at_bms(B.PREPARING, plant)
    assert bench.until(B.WAITING) == 60 * SECOND
    assert bench.reported() == []


def test_an_insulation_test_without_end_is_ended() -> None:
    plant = StillCharger()
    plant.is_tested = False
    bench = at_charger(C.INSULATION_TEST, plant)
    assert bench.until(C.ABORTED) == 60 * SECOND


def test_the_charger_waits_for_a_pack_as_long_as_a_pack_waits_for_it() -> None:
    bench = at_charger(C.HANDSHAKE)
    assert bench.until(C.ABORTED) == 60 * SECOND
    assert bench.timed_out().count("bhm") == 11


class TestBroSilence:
    """Amendment 1 to GB/T 34658: 5 s from the last BRO(AA), however long CRO(00) lasts."""

    def not_ready(self) -> Alone:
        plant = StillCharger()
        plant.is_ready = False
        return at_charger(C.PREPARING, plant)

    def test_silence_ends_it(self) -> None:
        bench = self.not_ready()
        assert bench.until(C.ERROR) == 5 * SECOND
        assert [message.bro for message in bench.reported() if isinstance(message, CEM)] == [1]

    def test_bro_aa_keeps_it_going(self) -> None:
        bench = self.not_ready()
        for _ in range(200):
            bench.pass_time(250 * MILLISECOND)
            bench.hear(BRO_AA)
        assert bench.session.state is C.PREPARING
        assert all(message == CRO_00 for _, message in bench.sent if isinstance(message, CRO))

    @pytest.mark.parametrize("other", [BRO_00, PARAMETERS, DEMAND, BHM_, STATUS])
    def test_no_other_message_does(self, other: ChargingMessage) -> None:
        bench = self.not_ready()
        begun = bench.now
        while bench.session.state is C.PREPARING:
            bench.pass_time(250 * MILLISECOND)
            bench.hear(other)
        assert bench.now - begun == 5 * SECOND

    def test_a_charger_that_becomes_ready_meanwhile_goes_straight_on(self) -> None:
        plant = StillCharger()
        plant.is_ready = False
        bench = at_charger(C.PREPARING, plant)
        bench.pass_time(4 * SECOND)
        plant.is_ready = True
        bench.pass_time(250 * MILLISECOND)
        assert bench.session.state is C.READY
        assert bench.sent[-1][1] == CRO_AA


@pytest.mark.parametrize(
    ("state", "wrong", "limit"),
    [
        (C.IDENTIFICATION, PARAMETERS, 5 * SECOND),
        (C.IDENTIFICATION, BHM_, 5 * SECOND),
        (C.RECOGNISED, IDENTITY, 5 * SECOND),
        (C.CONFIGURATION, PARAMETERS, 5 * SECOND),
        (C.CONFIGURATION, DEMAND, 5 * SECOND),
        (C.CHARGING, BHM_, SECOND),
        (C.CHARGING, MEASURED, SECOND),
        (C.STOPPING, DEMAND, 5 * SECOND),
        (C.STOPPED, BST(), 10 * SECOND),
    ],
)
def test_another_message_does_not_put_the_awaited_one_off(
    state: charger.State, wrong: ChargingMessage, limit: int
) -> None:
    bench = at_charger(state)
    begun = bench.now
    while bench.session.state is state:
        bench.pass_time(50 * MILLISECOND)
        bench.hear(wrong)
    assert bench.session.state in (C.ERROR, C.END_ERROR)
    assert bench.now - begun == limit


@pytest.mark.parametrize(
    ("state", "wrong", "limit"),
    [
        (B.HANDSHAKE, CHM_, 30 * SECOND),
        (B.IDENTIFICATION, CRM_00, 5 * SECOND),
        (B.PARAMETERS, CRM_AA, 5 * SECOND),
        (B.READY, CAPABILITY, 5 * SECOND),
        (B.CHARGER_PREPARING, CRO_00, 60 * SECOND),
        (B.CHARGING, CRO_AA, SECOND),
        (B.STOPPING, ALLOWED, 5 * SECOND),
        (B.STATISTICS, CST(), 10 * SECOND),
    ],
)
def test_nor_at_the_bms(state: bms.State, wrong: ChargingMessage, limit: int) -> None:
    bench = at_bms(state)
    begun = bench.now
    bench.pass_time(50 * MILLISECOND)
    while bench.session.state is state:
        bench.hear(wrong)
        bench.pass_time(50 * MILLISECOND)
    assert bench.session.state is B.ERROR
    assert bench.now - begun == limit


class TestCadence:
    def test_periods_do_not_drift_when_served_late(self) -> None:
        session = ChargerSession(StillCharger())
        session.command(Command.START, 0)
        for step in range(1, 40):
            session.handle_timeout(step * 250 * MILLISECOND + 7 * MILLISECOND)
        assert session.next_timeout() == 40 * 250 * MILLISECOND

    def test_what_was_missed_is_not_made_up_for(self) -> None:
        bench = at_charger(C.CHARGING)
        before = len(bench.instants(CCS))
        due = bench.session.next_timeout()
        assert due is not None
        bench.now = due + 500 * MILLISECOND
        bench.session.handle_timeout(bench.now)
        bench.collect()
        assert len(bench.instants(CCS)) == before + 1
        assert bench.session.next_timeout() == due + 550 * MILLISECOND

    def test_ready_follows_not_ready_in_the_same_cadence(self) -> None:
        bench = at_charger(C.READY)
        assert [message for _, message in bench.sent if isinstance(message, CRO)] == [CRO_00, CRO_AA]
        first, second = bench.instants(CRO)
        assert second - first == 250 * MILLISECOND

    def test_a_call_too_early_is_harmless(self) -> None:
        bench = at_bms(B.CHARGING)
        before = len(bench.sent)
        for _ in range(5):
            bench.session.handle_timeout(bench.now)
            bench.collect()
        assert len(bench.sent) == before

    def test_another_period(self) -> None:
        bench = at_charger(C.HANDSHAKE, periods={CHM: 100 * MILLISECOND})
        bench.pass_time(SECOND)
        assert bench.instants(CHM) == list(range(0, SECOND + 1, 100 * MILLISECOND))

    @pytest.mark.parametrize("period", [0, -5])
    def test_a_period_must_be_positive(self, period: int) -> None:
        with pytest.raises(LocalProtocolError, match="above 0"):
            ChargerSession(StillCharger(), periods={CHM: period})

    def test_another_time_limit(self) -> None:
        bench = at_charger(C.IDENTIFICATION, timing=msgspec.structs.replace(NOMINAL, brm=8 * SECOND))
        assert bench.until(C.ERROR) == 8 * SECOND


def test_the_answer_to_cst_lasts_until_the_current_must_be_off() -> None:
    bench = at_bms(B.CHARGING)
    begun = bench.now
    bench.hear(CST())
    assert bench.until(B.STATISTICS) == NOMINAL.bst_repeat
    assert bench.instants(BST) == list(range(begun, begun + 100 * MILLISECOND, 10 * MILLISECOND))


def test_every_timer_names_its_source() -> None:
    assert set(TIMERS) == set(Timing.__struct_fields__)
    for name, timer in TIMERS.items():
        assert timer.value == getattr(NOMINAL, name) > 0
        assert timer.source.at
        assert timer.source.why or timer.source.basis.value == "reported"


def test_errors_name_the_party() -> None:
    bench = at_bms(B.PARAMETERS)
    bench.until(B.ERROR)
    [event] = [event for event in bench.events if isinstance(event, ErrorReported)]
    assert event.by is Party.BMS
