"""Each judge over traces made by hand: what it passes, fails, leaves open, and where it points."""

from collections.abc import Iterable, Sequence

import msgspec
import pytest

from swapproto.frame import SECOND
from swapproto.messages.gbt27930 import (
    BCL,
    BCS,
    BHM,
    BMV,
    BRM,
    CCS,
    CEM,
    CHM,
    CRM,
    CST,
    CTS,
    ChargeMode,
    ChargingMessage,
    Chemistry,
    Party,
    Permission,
    Reached,
    Recognition,
    Timeout,
)
from swapproto.messages.gbt27930.timers import REPORTED_ONCE, REPORTED_TWICE, Timer
from swapproto.trace.record import Record, Trace
from swapproto.transport import frames as tp
from swapproto_conformance.anchor import first, last
from swapproto_conformance.evidence import Evidence, Precision
from swapproto_conformance.judge import judge
from swapproto_conformance.judges import (
    Always,
    Follows,
    Judge,
    Layout,
    Never,
    Outcome,
    Periodic,
    Transferred,
)
from swapproto_conformance.requirements import gbt27930_2015
from swapproto_conformance.verdict import Finding, Verdict

PASS, OPEN, FAIL, ABSENT = Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL, Verdict.NOT_APPLICABLE
CATALOGUE = gbt27930_2015()
R = "GBT27930-2015/"
SHARP, COARSE = Precision(), Precision(resolution_us=30_000)
FIVE = Timer("five seconds", 5 * SECOND, REPORTED_TWICE)
ONE_SOURCE = Timer("five seconds, one report", 5 * SECOND, REPORTED_ONCE)

OUTPUT = CCS(voltage=640.0, current=-20.0, elapsed_time=0, permission=Permission.ALLOWED)
DEMAND = BCL(voltage=700.0, current=-50.0, mode=ChargeMode.CONSTANT_CURRENT)
STATE = BCS(voltage=640.0, current=-50.0, max_cell_voltage=3.35, max_cell_group=0, soc=41, remaining_time=120)
OPENING = CHM(version_minor=1, version_major=1)
HELLO = BHM(max_voltage=750.0)
UNKNOWN = CRM(result=Recognition.NOT_RECOGNISED, charger_number=1)
KNOWN = CRM(result=Recognition.RECOGNISED, charger_number=1)
IDENTITY = BRM(
    version_minor=1, version_major=1, chemistry=Chemistry.LFP, rated_capacity=280.0, rated_voltage=540.0
)
CHARGER, PACK = Party.CHARGER, Party.BMS


def at(ms: float, message: ChargingMessage) -> Record:
    return Record(round(ms * 1000), message.identifier(), message.encode())


def every(ms: float, count: int, message: ChargingMessage, start: float = 0) -> list[Record]:
    return [at(start + number * ms, message) for number in range(count)]


def transfer(
    ms: float,
    message: ChargingMessage,
    *,
    took: float = 80,
    packets: int | None = None,
    acknowledged: bool = True,
    broadcast: bool = False,
) -> list[Record]:
    """RTS, CTS, data and acknowledgement; the data packets end ``took`` ms after the RTS."""
    source, peer = message.source_address, message.destination_address
    payload = message.encode()
    parts = tp.data_packets(payload)
    target = 0xFF if broadcast else peer
    announce = tp.bam if broadcast else tp.rts
    found = [Record(round(ms * 1000), tp.cm_id(target, source), announce(message.pgn, len(payload)))]
    if not broadcast:
        answer = tp.cts(message.pgn, len(parts), 1)
        found.append(Record(round((ms + 1) * 1000), tp.cm_id(source, peer), answer))
    step = (took - 2) / len(parts)
    found += [
        Record(round((ms + 2 + step * number) * 1000), tp.dt_id(target, source), part)
        for number, part in enumerate(parts[:packets], 1)
    ]
    if acknowledged and not broadcast:
        end = tp.end_of_msg_ack(message.pgn, len(payload))
        found.append(Record(round((ms + took + 1) * 1000), tp.cm_id(source, peer), end))
    return found


def look(
    judge_: Judge,
    records: Iterable[Record],
    iut: Party = CHARGER,
    *,
    precision: Precision = SHARP,
    quiet_ms: int = 0,
) -> Outcome:
    ordered = sorted(records, key=lambda record: record.at_us)
    return judge_.judge(Evidence(ordered, iut, precision, quiet_us=quiet_ms * 1000))


def weighed(judge_: Judge, records: Sequence[Record], iut: Party = CHARGER) -> Finding:
    (found,) = judge(Trace(records=tuple(records)), iut, (judge_,), CATALOGUE)
    return found


# ---- Layout


def test_a_layout_is_held() -> None:
    found = look(Layout(CCS), every(50, 4, OUTPUT))
    assert (found.verdict, found.examined) == (PASS, 4)


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (OUTPUT.encode()[:6], "byte"),
        (OUTPUT.encode()[:6] + b"\x01", "reserved"),
        (b"", "CCS"),
        (OUTPUT.encode() + b"\xff\xff", "byte"),
    ],
)
def test_a_departure_is_found_and_pointed_at(payload: bytes, said: str) -> None:
    records = every(50, 6, OUTPUT)
    records[3] = msgspec.structs.replace(records[3], data=payload)
    found = look(Layout(CCS), records)
    assert (found.verdict, found.at_us, found.examined) == (FAIL, (150_000,), 6)
    assert said in found.observed
    assert found.observed.startswith("1 of 6 CCS")


def test_eight_bytes_of_ccs_are_right_too() -> None:
    frame = Record(0, CCS.identifier(), OUTPUT.encode() + b"\xff")
    assert look(Layout(CCS), [frame]).verdict is PASS


def test_a_wrong_priority_is_a_departure() -> None:
    frame = Record(0, CCS.identifier() & 0x03FF_FFFF | 3 << 26, OUTPUT.encode())
    found = look(Layout(CCS), [frame])
    assert found.verdict is FAIL
    assert "priority 3" in found.observed
    assert found.expected.endswith("priority 6")


def test_the_priority_of_the_transport_is_not_the_messages() -> None:
    assert look(Layout(BRM), transfer(0, IDENTITY), PACK).verdict is PASS


def test_without_the_message_a_layout_is_open_and_an_optional_one_not_applicable() -> None:
    assert weighed(Layout(CCS), []).verdict is OPEN
    assert look(Layout(CTS), []).verdict is ABSENT
    assert look(Layout(BMV), [], PACK).verdict is ABSENT


# ---- Periodic


def test_a_period_is_held() -> None:
    found = look(Periodic(CCS), every(50, 40, OUTPUT))
    assert (found.verdict, found.examined) == (PASS, 39)


@pytest.mark.parametrize(
    ("period", "verdict"), [(45.1, PASS), (54.9, PASS), (56, OPEN), (44, OPEN), (76, FAIL), (24, FAIL)]
)
def test_the_median_decides(period: float, verdict: Verdict) -> None:
    assert look(Periodic(CCS), every(period, 20, OUTPUT)).verdict is verdict


def test_few_outliers_are_overlooked_and_many_are_not() -> None:
    holes = every(50, 100, OUTPUT)
    few = [each for number, each in enumerate(holes) if number % 20 != 7]
    many = [each for number, each in enumerate(holes) if number % 8 != 7]
    assert look(Periodic(CCS), few).verdict is PASS
    found = look(Periodic(CCS), many)
    assert found.verdict is FAIL
    assert "off by more than half" in found.reason
    assert found.at_us[0] == 400_000


def test_falling_silent_is_no_period() -> None:
    due = Periodic(CCS, to_the_end=True)
    frames = every(50, 20, OUTPUT)
    assert look(due, frames, quiet_ms=40).verdict is PASS
    assert look(due, frames, quiet_ms=1000).verdict is FAIL
    assert "are missing at the end" in look(due, frames, quiet_ms=1000).reason
    assert look(Periodic(CCS), frames, quiet_ms=1000).verdict is PASS
    until = Periodic(CCS, before=first(CST), to_the_end=True)
    assert look(until, [*frames, at(990, CST())], quiet_ms=9000).verdict is PASS
    assert look(until, [*frames, at(1990, CST())]).verdict is FAIL


def test_a_transfer_on_its_way_is_no_silence() -> None:
    due = Periodic(BCS, to_the_end=True)
    frames = [record for number in range(4) for record in transfer(250 * number, STATE)]
    running = transfer(1000, STATE, took=200, packets=1, acknowledged=False)
    assert look(due, frames, PACK, quiet_ms=400).verdict is FAIL
    assert look(due, [*frames, *running], PACK, quiet_ms=50).verdict is PASS


def test_periods_of_transfers_count_from_their_beginnings() -> None:
    frames = [
        record
        for number in range(10)
        for record in transfer(250 * number, STATE, took=20 if number % 2 else 200)
    ]
    assert look(Periodic(BCS), frames, PACK).verdict is PASS


def test_one_message_has_no_period() -> None:
    assert look(Periodic(CCS), [at(0, OUTPUT)]).verdict is OPEN
    assert look(Periodic(CCS), []).verdict is OPEN
    assert look(Periodic(CTS), []).verdict is ABSENT


def test_a_coarse_bench_leaves_a_period_open() -> None:
    found = look(Periodic(CCS), every(50, 40, OUTPUT), precision=COARSE)
    assert found.verdict is OPEN
    assert "±60 ms" in found.reason
    assert look(Periodic(CCS), every(100, 40, OUTPUT), precision=COARSE).verdict is OPEN
    assert look(Periodic(CCS), every(150, 40, OUTPUT), precision=COARSE).verdict is FAIL


def test_only_the_time_between_the_anchors_counts() -> None:
    frames = [*every(100, 10, OUTPUT), at(1000, CST()), *every(50, 20, OUTPUT, start=1010)]
    assert look(Periodic(CCS, after=first(CST)), frames).verdict is PASS
    assert look(Periodic(CCS, before=first(CST)), frames).verdict is FAIL
    missing = look(Periodic(CCS, after=first(CEM)), frames)
    assert (missing.verdict, missing.examined) == (OPEN, 0)
    assert "the first CEM is not in the trace" in missing.reason


# ---- Follows

ANSWER = Follows(
    requirement=f"{R}flow/CRM-recognised",
    cls=CRM,
    where=(("result", Recognition.RECOGNISED),),
    after=first(BRM),
    within=FIVE,
)
REPORT = Follows(
    requirement=f"{R}timer/BCL-at-charger",
    cls=CEM,
    where=(("bcl", Timeout.TIMEOUT),),
    after=last(BCL),
    within=FIVE,
    early=True,
    slack_ms=250,
)
LOST = CEM(bcl=Timeout.TIMEOUT)


@pytest.mark.parametrize(
    ("ms", "verdict"), [(100, PASS), (5579, PASS), (5700, OPEN), (7500, OPEN), (7700, FAIL), (20_000, FAIL)]
)
def test_an_answer_has_its_time(ms: float, verdict: Verdict) -> None:
    found = look(ANSWER, [*transfer(0, IDENTITY), at(ms, KNOWN)])
    assert (found.verdict, found.examined) == (verdict, 1)
    assert found.at_us == (80_000, ms * 1000)


def test_an_answer_from_before_its_cause_does_not_count() -> None:
    frames = [at(10, KNOWN), *transfer(0, IDENTITY)]
    assert look(ANSWER, frames, quiet_ms=3_000).verdict is OPEN
    assert look(ANSWER, frames, quiet_ms=9_000).verdict is FAIL


def test_a_transfer_begun_before_its_cause_is_no_answer() -> None:
    brm = Follows(requirement=f"{R}flow/BRM-answers-CRM", cls=BRM, after=first(CRM), within=FIVE)
    early = [*transfer(0, IDENTITY), at(40, UNKNOWN)]
    assert look(brm, early, PACK, quiet_ms=9_000).verdict is FAIL
    later = look(brm, [*early, *transfer(300, IDENTITY)], PACK)
    assert (later.verdict, later.at_us) == (PASS, (40_000, 380_000))
    assert "260 ms" in later.observed


def test_the_wrong_answer_is_none_but_fails_only_when_the_time_is_over() -> None:
    frames = [*transfer(0, IDENTITY), *every(250, 4, UNKNOWN, start=100)]
    short = look(ANSWER, frames)
    assert short.verdict is OPEN
    assert "ends before" in short.reason
    gone = look(ANSWER, frames, quiet_ms=9_000)
    assert gone.verdict is FAIL
    assert "4 CRM, first CRM (result = " in gone.observed


def test_without_the_cause_nothing_is_said() -> None:
    found = look(ANSWER, every(250, 4, UNKNOWN), quiet_ms=60_000)
    assert (found.verdict, found.examined) == (OPEN, 0)
    assert found.reason == "the first BRM is not in the trace"


@pytest.mark.parametrize(
    ("ms", "verdict"),
    [(5000, PASS), (4501, PASS), (5749, PASS), (4400, OPEN), (5800, OPEN), (2400, FAIL), (7800, FAIL)],
)
def test_a_report_comes_neither_soon_nor_late(ms: float, verdict: Verdict) -> None:
    found = look(REPORT, [at(0, DEMAND), at(50, DEMAND), at(50 + ms, LOST)])
    assert found.verdict is verdict


def test_a_report_that_goes_on_from_before_is_too_soon() -> None:
    frames = [*every(50, 20, DEMAND), *every(250, 30, LOST, start=200)]
    assert look(REPORT, frames).verdict is FAIL


def test_a_report_of_something_else_fails_at_once() -> None:
    found = look(REPORT, [at(0, DEMAND), at(5000, CEM(bcs=Timeout.TIMEOUT))])
    assert found.verdict is FAIL
    assert found.at_us == (0, 5_000_000)


def test_no_report_fails_once_the_bus_was_watched_for_long_enough() -> None:
    frames = [at(0, DEMAND), at(10, OUTPUT)]
    assert look(REPORT, frames, quiet_ms=7_000).verdict is OPEN
    assert look(REPORT, frames, quiet_ms=8_000).verdict is FAIL
    coarse = Precision(lateness_us=600_000)
    assert look(REPORT, frames, quiet_ms=8_000, precision=coarse).verdict is OPEN


def test_a_coarse_bench_leaves_a_report_open() -> None:
    frames = [at(0, DEMAND), at(5000, LOST)]
    assert look(REPORT, frames, precision=Precision(lateness_us=400_000)).verdict is PASS
    assert look(REPORT, frames, precision=Precision(lateness_us=600_000)).verdict is OPEN


def test_a_limit_with_one_witness_makes_no_answer_too_late() -> None:
    weak = msgspec.structs.replace(ANSWER, within=ONE_SOURCE)
    late = look(weak, [*transfer(0, IDENTITY), at(20_000, KNOWN)])
    assert late.verdict is OPEN
    assert "one witness" in late.reason or "1 witness" in late.reason
    assert look(weak, [*transfer(0, IDENTITY), at(100, KNOWN)]).verdict is PASS
    assert look(weak, transfer(0, IDENTITY), quiet_ms=20_000).verdict is FAIL


# ---- Never and Always

UNASKED = Never(requirement=f"{R}flow/CCS-while-charging", cls=CST)


def test_what_never_came_passes_while_the_device_was_there() -> None:
    found = look(UNASKED, every(50, 10, OUTPUT))
    assert (found.verdict, found.examined) == (PASS, 10)


def test_a_silent_device_passes_nothing() -> None:
    assert weighed(UNASKED, []).verdict is OPEN
    assert weighed(UNASKED, every(50, 10, DEMAND)).verdict is OPEN


def test_what_must_not_come_is_pointed_at() -> None:
    found = look(UNASKED, [*every(50, 10, OUTPUT), at(225, CST()), at(235, CST())])
    assert (found.verdict, found.at_us) == (FAIL, (225_000, 235_000))


def test_grace_and_anchors_bound_what_must_not_come() -> None:
    ends = Never(requirement=f"{R}flow/CCS-ends", cls=CCS, after=first(CST), grace_ms=1000)
    stop = [at(0, OUTPUT), at(10, CST()), at(20, OUTPUT)]
    alive = [at(1500, CST())]
    assert look(ends, [*stop, at(1000, OUTPUT), *alive]).verdict is PASS
    assert look(ends, [*stop, at(1011, OUTPUT), *alive]).verdict is FAIL
    assert look(ends, [at(0, OUTPUT)]).verdict is OPEN
    before = Never(requirement=f"{R}flow/CST-answers-BST", cls=CST, before=first(BHM))
    assert look(before, [at(0, OUTPUT), at(5, HELLO), at(10, CST())]).verdict is PASS
    assert look(before, [at(0, CST()), at(5, HELLO)]).verdict is FAIL
    assert look(before, [at(0, CST())]).verdict is FAIL


def test_a_transfer_counts_where_it_began() -> None:
    early = Never(requirement=f"{R}flow/BRM-answers-CRM", cls=BRM, before=first(CRM))
    frames = [at(0, HELLO), *transfer(10, IDENTITY), at(40, UNKNOWN)]
    assert look(early, frames, PACK).verdict is FAIL
    after = Never(requirement=f"{R}flow/BRM-answers-CRM", cls=BRM, after=first(CRM))
    assert look(after, [*frames, at(200, HELLO)], PACK).verdict is PASS


def test_values_hold_in_every_message_or_it_fails() -> None:
    fault = Always(requirement=f"{R}flow/CST-fault-reason", cls=CST, where=(("fault", Reached.YES),))
    right, wrong = CST(fault=Reached.YES), CST(manual=Reached.YES)
    assert look(fault, every(10, 5, right)).verdict is PASS
    mixed = look(fault, [at(0, right), at(10, wrong)])
    assert (mixed.verdict, mixed.at_us, mixed.examined) == (FAIL, (10_000,), 2)
    assert look(fault, []).verdict is OPEN
    cut = Record(0, CST.identifier(), b"")
    assert look(fault, [cut]).verdict is FAIL


# ---- Transferred


def test_whole_transfers_pass() -> None:
    found = look(Transferred(BCS), [*transfer(0, STATE), *transfer(250, STATE)], PACK)
    assert (found.verdict, found.examined) == (PASS, 2)


@pytest.mark.parametrize(
    ("kept", "acknowledged", "said"), [(1, False, "silent"), (2, False, "never acknowledged")]
)
def test_broken_transfers_fail(kept: int, acknowledged: bool, said: str) -> None:
    frames = transfer(0, STATE, packets=kept, acknowledged=acknowledged)
    found = look(Transferred(BCS), [*frames, at(9000, DEMAND)], PACK)
    assert found.verdict is FAIL
    assert said in found.observed


def test_a_broadcast_is_no_connection() -> None:
    found = look(Transferred(BCS), [*transfer(0, STATE, broadcast=True), at(9000, DEMAND)], PACK)
    assert found.verdict is FAIL
    assert "broadcast" in found.observed


def test_what_still_runs_at_the_end_proves_nothing() -> None:
    running = transfer(5000, STATE, packets=1, acknowledged=False)
    assert weighed(Transferred(BCS), running, PACK).verdict is OPEN
    assert weighed(Transferred(BCS), [*transfer(0, STATE), *running], PACK).verdict is PASS
    assert weighed(Transferred(BCS), [], PACK).verdict is OPEN
    assert look(Transferred(BMV), [], PACK).verdict is ABSENT
