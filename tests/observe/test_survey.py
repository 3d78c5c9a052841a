from collections.abc import Callable
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from swapproto.messages import gbt27930 as gb
from swapproto.observe.edition import recognise
from swapproto.observe.findings import ViolationKind
from swapproto.observe.survey import Survey, survey
from swapproto.trace.record import Record

Without = Callable[[list[Record], int], list[Record]]
PHASES = ["handshake start", "identification", "configuration", "charging", "end"]


def surveyed(records: list[Record], resolution_us: int | None = 1) -> Survey:
    return survey(records, recognise(records), resolution_us)


def phases(result: Survey) -> list[str]:
    return [span.phase.value for span in result.phases]


def found(result: Survey) -> list[tuple[str, str | None, str]]:
    return [(each.kind.value, each.message, each.text) for each in result.violations]


def test_a_session_without_fault(whole_session: list[Record]) -> None:
    result = surveyed(whole_session)
    assert phases(result) == PHASES
    assert found(result) == []
    assert result.deviations == ()
    assert result.foreign_frames == 0
    assert result.transfers.aborted == result.transfers.incomplete == 0
    counts = {stats.cls.__name__: stats.count for stats in result.messages}
    assert (counts["BRM"], counts["BCP"], counts["BCL"], counts["BCS"]) == (1, 1, 120, 24)
    assert result.transfers.complete == counts["BRM"] + counts["BCP"] + counts["BCS"]
    assert result.timing.judgeable
    assert [party.label for party in result.parties] == ["charger", "BMS"]
    assert result.introductions["BRM"].message.vin == "L1NSPGH98NA000000"


def test_phases_follow_one_another(whole_session: list[Record]) -> None:
    spans = surveyed(whole_session).phases
    for before, after in pairwise(spans):
        assert before.start_us <= before.end_us < after.start_us
    assert spans[0].start_us == whole_session[0].at_us
    assert spans[-1].end_us == whole_session[-1].at_us


def test_shifting_the_stamps_changes_nothing_else(whole_session: list[Record]) -> None:
    shift = 123_456_789_012
    moved = [msgspec.structs.replace(record, at_us=record.at_us + shift) for record in whole_session]
    here, there = surveyed(whole_session), surveyed(moved)
    assert there.first_us == here.first_us + shift
    assert [(s.cls, s.count, s.median_us) for s in there.messages] == [
        (s.cls, s.count, s.median_us) for s in here.messages
    ]
    assert [(s.phase, s.start_us - shift, s.end_us - shift) for s in there.phases] == [
        (s.phase, s.start_us, s.end_us) for s in here.phases
    ]
    assert found(here) == found(there)


def test_a_listener_may_come_at_any_frame(whole_session: list[Record]) -> None:
    whole = surveyed(whole_session)
    for cut in range(0, len(whole_session), 3):
        late = surveyed(whole_session[cut:])
        assert found(late) == [], f"cut before line {cut + 1}"
        assert late.deviations == ()
        assert phases(late) == PHASES[len(PHASES) - len(late.phases) :]
        for span, same in zip(late.phases[::-1], whole.phases[::-1], strict=False):
            assert span.end_us == same.end_us


def test_a_silent_charger_is_found(whole_session: list[Record]) -> None:
    middle = whole_session[len(whole_session) // 2].at_us
    records = [
        r for r in whole_session if r.id != gb.CCS.identifier() or not middle < r.at_us < middle + 1_500_000
    ]
    (violation,) = surveyed(records).violations
    assert (violation.kind, violation.message) == (ViolationKind.SILENCE, "CCS")
    assert violation.first_us <= middle
    assert violation.longest_us is not None
    assert 1_450_000 < violation.longest_us < 1_650_000


@pytest.mark.parametrize("cls", [gb.BCL, gb.CCS])
def test_falling_silent_until_the_end_is_found(
    whole_session: list[Record], cls: type[gb.ChargingMessage]
) -> None:
    middle = whole_session[len(whole_session) // 2].at_us
    records = [r for r in whole_session if r.id != cls.identifier() or r.at_us < middle]
    assert ("silence", cls.__name__) in [text[:2] for text in found(surveyed(records))]


def test_a_message_that_never_comes_is_silent(whole_session: list[Record], without: Without) -> None:
    result = surveyed(without(whole_session, gb.BSM.identifier()))
    assert [text[:2] for text in found(result)] == [("silence", "BSM")]


def test_half_a_recording_is_no_silence(whole_session: list[Record]) -> None:
    """Where only one party was recorded, nothing can be said of the other."""
    for party in gb.Party:
        result = surveyed([record for record in whole_session if record.id & 0xFF == party.value])
        assert result.parties == (party,)
        assert "silence" not in {text[0] for text in found(result)}


def test_a_slow_period_is_found(build: Callable[[], Any]) -> None:
    script = build()
    script.records = [record for record in script.records if record.id != gb.CCS.identifier()]
    ccs = gb.CCS(voltage=590.0, current=-3.0, elapsed_time=0, permission=gb.Permission.ALLOWED)
    script.repeat(2220, 8200, 69, ccs)
    (violation,) = surveyed(script.sorted()).violations
    assert violation.kind is ViolationKind.PERIOD
    assert violation.message == "CCS"
    assert "nominal 50 ms" in violation.text
    assert violation.source.witnesses == 1


def test_coarse_stamps_judge_no_period(whole_session: list[Record]) -> None:
    coarse = [
        msgspec.structs.replace(record, at_us=record.at_us // 100_000 * 100_000) for record in whole_session
    ]
    result = surveyed(coarse, 100_000)
    assert not result.timing.judgeable
    assert "100 ms" in result.timing.reason
    assert "BCL" in result.timing.not_judged
    assert "period" not in {text[0] for text in found(result)}


def test_unknown_resolution_judges_nothing(whole_session: list[Record]) -> None:
    assert not surveyed(whole_session[:1], None).timing.judgeable


def test_a_message_before_its_cause_is_found(whole_session: list[Record], without: Without) -> None:
    result = surveyed(without(whole_session, gb.CML.identifier()))
    assert ("order", "BRO", "BRO(00) before CML") in found(result)
    ready = [r for r in whole_session if r.id != gb.CRO.identifier() or r.data != b"\xaa"]
    texts = found(surveyed(ready))
    assert ("order", "BCL", "BCL before CRO(AA)") in texts
    assert next(v for v in surveyed(ready).violations if v.message == "BCL").count == 120


def test_no_stop_before_the_statistics(whole_session: list[Record], without: Without) -> None:
    records = without(without(whole_session, gb.BST.identifier()), gb.CST.identifier())
    assert ("order", "BSD", "before BST or CST") in found(surveyed(records))


def test_an_error_message_says_what_timed_out_and_when(build: Callable[[], Any]) -> None:
    script = build()
    script.repeat(5000, 6000, 250, gb.BEM(ccs=gb.Timeout.TIMEOUT))
    result = surveyed(script.sorted())
    texts = found(result)
    assert ("error message", "BEM", "timeout of SPN 3905 (ccs), in phase charging") in texts
    assert ("goes on after error", "BCL", "still sent after BEM") in texts
    error = next(span for span in result.phases if span.phase is gb.Phase.ERROR)
    charge = next(span for span in result.phases if span.phase is gb.Phase.CHARGING)
    assert charge.start_us < error.start_us < error.end_us < charge.end_us


def test_beginning_again_is_a_second_attempt(build: Callable[[], Any]) -> None:
    script = build()
    script.message(4000, gb.CEM(bcl=gb.Timeout.TIMEOUT))
    first = [record for record in script.sorted() if record.at_us < script.records[0].at_us + 4_005_000]
    later = [
        msgspec.structs.replace(record, at_us=record.at_us + 20_000_000)
        for record in build().sorted()
        if record.id not in (gb.CHM.identifier(), gb.BHM.identifier())
    ]
    result = surveyed([*first, *later])
    assert phases(result) == [*PHASES[:4], "error", *PHASES[1:]]
    assert [span.attempt for span in result.phases] == [0, 0, 0, 0, 0, 1, 1, 1, 1]
    assert {text[0] for text in found(result)} == {"error message"}
    assert max(stats.max_us or 0 for stats in result.messages) < 1_000_000


def test_an_error_in_identification_that_was_overcome_is_over(build: Callable[[], Any]) -> None:
    script = build()
    script.message(1110, gb.BEM(crm_recognised=gb.Timeout.TIMEOUT))
    script.message(1115, gb.CRM(result=gb.Recognition.NOT_RECOGNISED, charger_number=1))
    assert [text[0] for text in found(surveyed(script.sorted()))] == ["error message"]


def test_reserved_answers_and_priorities_are_found(build: Callable[[], Any]) -> None:
    script = build()
    script.message(1700, gb.BRO(ready=gb.Ready.INVALID))
    script.at(3000, gb.BCL.identifier() | 7 << 26, bytes.fromhex("5217820F02"))
    texts = found(surveyed(script.sorted()))
    assert ("reserved answer", "BRO", "answers FFh") in texts
    assert ("priority", "BCL", "priority 7 instead of 6") in texts


def test_a_straggler_is_found_once_the_phase_is_old(build: Callable[[], Any]) -> None:
    script = build()
    cml = gb.CML(max_voltage=950.0, min_voltage=38.0, max_current=-250.0, min_current=0.0)
    script.message(2300, cml)
    assert found(surveyed(script.sorted())) == []
    script.message(7900, cml)
    assert [text[:2] for text in found(surveyed(script.sorted()))] == [("out of phase", "CML")]


def test_deviations_are_folded(build: Callable[[], Any]) -> None:
    script = build()
    for number in range(10):
        script.at(3000 + number, gb.BSM.identifier(), bytes.fromhex("424B014A1B0010"))
        script.at(3500 + number, gb.BCL.identifier(), b"\x52")
    result = surveyed(script.sorted())
    shown = [(d.message, d.field, d.byte, d.count, d.kind is None) for d in result.deviations]
    assert shown == [("BSM", None, 7, 10, False), ("BCL", "voltage", 1, 10, True)]
    bcl = next(stats for stats in result.messages if stats.cls is gb.BCL)
    assert bcl.unreadable == 10


def test_an_empty_recording_has_a_survey() -> None:
    result = surveyed([], None)
    assert (result.frames, result.phases, result.messages, result.violations) == (0, (), (), ())
    assert not result.timing.judgeable
