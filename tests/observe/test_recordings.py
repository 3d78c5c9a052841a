"""What public recordings hold, when they are at hand."""

from pathlib import Path

import msgspec
import pytest

from swapproto.observe.edition import recognise
from swapproto.observe.survey import Survey, survey
from swapproto.trace.candump import read_candump
from swapproto.trace.record import Record, Trace

pytestmark = pytest.mark.captures

RU5T = "ru5t_candump1_20231225.log"
ONTOM = "ontom_bev150_20150424.log"
TYU05 = "tyu05_charger_measured.log"
HYBTALENTED = "hybtalented_input.log"
FLOOD = "j1939_tp_flood.log"


def trace_of(captures: Path, name: str) -> Trace:
    with (captures / name).open("rb") as file:
        return read_candump(file, name)


def surveyed(trace: Trace, records: tuple[Record, ...] | None = None) -> Survey:
    chosen = trace.records if records is None else records
    return survey(chosen, recognise(chosen), trace.resolution_us)


def count(result: Survey, name: str) -> int:
    return sum(stats.count for stats in result.messages if stats.cls.__name__ == name)


@pytest.mark.parametrize(
    ("name", "edition"),
    [
        (RU5T, "2015"),
        (TYU05, "2015"),
        (HYBTALENTED, "2015"),
        (ONTOM, "2011"),
        (FLOOD, "unknown"),
    ],
)
def test_the_edition_is_recognised(captures: Path, name: str, edition: str) -> None:
    trace = trace_of(captures, name)
    assert trace.skipped_lines == 0
    assert recognise(trace.records).edition.value == edition


def test_a_whole_session(captures: Path) -> None:
    result = surveyed(trace_of(captures, RU5T))
    assert [span.phase.value for span in result.phases] == [
        "handshake start",
        "identification",
        "configuration",
        "charging",
        "end",
    ]
    assert result.frames == 1857
    assert (count(result, "BRM"), count(result, "BCP"), count(result, "BCS")) == (1, 1, 110)
    assert (result.transfers.complete, result.transfers.aborted, result.transfers.incomplete) == (112, 0, 0)
    assert result.foreign == {0x0070F4B5: 42, 0x0073F4B5: 1}
    ccs = next(stats for stats in result.messages if stats.cls.__name__ == "CCS")
    assert ccs.median_us is not None
    assert 68_000 < ccs.median_us < 70_000
    assert ("period", "CCS") in [(each.kind.value, each.message) for each in result.violations]


def test_a_device_of_2011(captures: Path) -> None:
    result = surveyed(trace_of(captures, ONTOM))
    assert count(result, "BMV") == 85
    assert result.transfers.aborted == 1
    assert ("order", "CRO") in [(each.kind.value, each.message) for each in result.violations]
    assert sum(stats.unreadable for stats in result.messages) == 0


def test_an_error_in_charging_with_coarse_stamps(captures: Path) -> None:
    result = surveyed(trace_of(captures, TYU05))
    (violation,) = result.violations
    assert (violation.kind.value, violation.message, violation.count) == ("error message", "BEM", 45)
    assert "3905" in violation.text
    assert "charging" in violation.text
    assert result.timing.resolution_us == 100_000
    assert not result.timing.judgeable


def test_a_flood_is_foreign_and_bounded(captures: Path) -> None:
    result = surveyed(trace_of(captures, FLOOD))
    assert result.foreign_frames == result.frames == 2310
    assert result.messages == ()
    assert result.transfers.complete == 11


@pytest.mark.parametrize("name", [RU5T, TYU05, HYBTALENTED, ONTOM])
def test_a_shift_changes_no_finding(captures: Path, name: str) -> None:
    trace = trace_of(captures, name)
    moved = tuple(
        msgspec.structs.replace(record, at_us=record.at_us + 86_400_000_000) for record in trace.records
    )
    here, there = surveyed(trace), surveyed(trace, moved)
    assert here.recognition == there.recognition
    assert [msgspec.structs.replace(v, first_us=0, last_us=0) for v in here.violations] == [
        msgspec.structs.replace(v, first_us=0, last_us=0) for v in there.violations
    ]
    assert [(s.count, s.median_us, s.min_us, s.max_us) for s in here.messages] == [
        (s.count, s.median_us, s.min_us, s.max_us) for s in there.messages
    ]


@pytest.mark.parametrize("name", [RU5T, TYU05, HYBTALENTED, ONTOM])
def test_a_late_listener_finds_nothing_new(captures: Path, name: str) -> None:
    trace = trace_of(captures, name)
    whole = {(each.kind, each.message, each.text.split(",")[0]) for each in surveyed(trace).violations}
    size = len(trace.records)
    for cut in (1, size // 20, size // 10, size // 4, size // 3, size // 2, size * 3 // 4):
        late = surveyed(trace, trace.records[cut:])
        assert late.recognition.edition in (
            surveyed(trace).recognition.edition,
            late.recognition.edition.EITHER,
            late.recognition.edition.UNKNOWN,
        )
        for each in late.violations:
            if each.kind.value != "period":
                assert (each.kind, each.message, each.text.split(",")[0]) in whole, (
                    f"{each} after a cut at {cut}"
                )
