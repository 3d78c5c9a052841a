"""Each kind of difference, planted once into a whole session, is the one that is named first."""

import random
from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec
import pytest

from swapproto.messages import gbt27930 as gb
from swapproto.messages.gbt27930.timers import period_tolerance
from swapproto.observe.compare import Comparison, compare
from swapproto.observe.compare_align import Difference, DifferenceKind, Mark
from swapproto.trace.record import Record
from swapproto.transport import frames as tp

Records = list[Record]
PF = 0x00FF_0000


class Maker(Protocol):
    """The part of the session builder that these tests use."""

    records: list[Record]

    def message(self, ms: float, message: gb.ChargingMessage) -> None: ...
    def repeat(self, start: float, stop: float, period: float, message: gb.ChargingMessage) -> None: ...
    def sorted(self) -> list[Record]: ...


def compared(good: Iterable[Record], bad: Iterable[Record]) -> Comparison:
    return compare(tuple(good), tuple(bad), 1, 1)


def first(good: Iterable[Record], bad: Iterable[Record]) -> Difference:
    found = compared(good, bad).first
    assert found is not None
    return found


def moved(records: Iterable[Record], by_us: int) -> Records:
    return [msgspec.structs.replace(each, at_us=each.at_us + by_us) for each in records]


def changed(records: Iterable[Record], cls: type[gb.ChargingMessage], **values: object) -> Records:
    """The same session with other fields in a message of one frame."""
    can_id = cls.identifier()

    def other(record: Record) -> Record:
        if record.id != can_id:
            return record
        message = cls.read(record.data).message
        assert message is not None
        return msgspec.structs.replace(record, data=msgspec.structs.replace(message, **values).encode())

    return [other(each) for each in records]


def of_transfer(record: Record, cls: type[gb.ChargingMessage], announced: set[bool]) -> bool:
    """Whether a frame belongs to a transfer of the message; `announced` holds the state between calls."""
    if (record.id >> 16 & 0xFF) == 0xEC:
        mine = tp.packeted_pgn(record.data) == cls.pgn
        if record.data[0] == 0x10:
            announced.clear()
            announced.add(mine)
        return mine
    return (record.id >> 16 & 0xFF) == 0xEB and True in announced


def withheld(records: Iterable[Record], cls: type[gb.ChargingMessage]) -> Records:
    announced: set[bool] = set()
    identifiers = cls.identifiers()
    return [each for each in records if each.id not in identifiers and not of_transfer(each, cls, announced)]


def test_a_session_does_not_differ_from_itself(whole_session: Records) -> None:
    comparison = compared(whole_session, whole_session)
    assert comparison.differences == ()
    assert comparison.notes == ()
    assert {row.mark for row in comparison.rows} == {Mark.SAME}


def test_neither_hour_nor_channel_nor_lead_counts(whole_session: Records) -> None:
    idle = Record(whole_session[0].at_us - 9_000_000, 0x18FEF100, bytes(8), channel="can7")
    later = [
        msgspec.structs.replace(each, at_us=each.at_us + 86_400_000_000, line=each.line + 40, channel="can7")
        for each in whole_session
    ]
    assert compared(whole_session, later).differences == ()
    assert compared(whole_session, [idle, *whole_session]).differences == ()


def test_more_repetitions_are_no_difference(build: Callable[[], Maker]) -> None:
    longer = build()
    stop = longer.records[0].at_us
    extra = gb.CHM(version_minor=1, version_major=1)
    for ms in (250, 500, 750, 1000, 1250, 1500):
        longer.records.insert(0, Record(stop - ms * 1000, extra.identifier(), extra.encode(), channel="can0"))
    comparison = compared(build().sorted(), longer.sorted())
    assert [each for each in comparison.differences if each.kind is not DifferenceKind.ANSWER] == []


@pytest.mark.parametrize("seed", range(8))
def test_jitter_is_no_difference(whole_session: Records, seed: int) -> None:
    """Every frame a little late, never so much that two change places."""
    drawn = random.Random(seed)
    late: Records = []
    for record in whole_session:
        at = record.at_us + drawn.randrange(300)
        late.append(msgspec.structs.replace(record, at_us=max(at, late[-1].at_us + 1 if late else at)))
    assert compared(whole_session, late).differences == ()


CYCLE = (gb.CHM, gb.BHM, gb.CRM, gb.BRM, gb.BCP, gb.CML, gb.BRO, gb.CRO)
CHARGE = (gb.BCL, gb.BCS, gb.CCS, gb.BSM, gb.BST, gb.CST, gb.BSD, gb.CSD)


@pytest.mark.parametrize("cls", [*CYCLE, *CHARGE])
def test_a_message_withheld_is_named_first(whole_session: Records, cls: type[gb.ChargingMessage]) -> None:
    found = first(whole_session, withheld(whole_session, cls))
    assert (found.kind, found.subject) == (DifferenceKind.MISSING, cls.__name__)
    assert found.phase is cls.phase
    assert found.good_place is not None
    assert found.bad.startswith("nothing")
    back = first(withheld(whole_session, cls), whole_session)
    assert (back.kind, back.subject) == (DifferenceKind.ADDITIONAL, cls.__name__)


def test_a_ready_that_never_comes(whole_session: Records) -> None:
    bad = changed(whole_session, gb.BRO, ready=gb.Ready.NOT_READY)
    found = first(whole_session, bad)
    assert (found.kind, found.subject) == (DifferenceKind.STATE, "BRO(AA)")
    assert found.bad == "only BRO(00)"


def test_the_cause_comes_before_what_follows_from_it(build: Callable[[], Maker]) -> None:
    """BRO is withheld, the charger reports it and charging never begins."""
    good = build().sorted()
    start = good[0].at_us
    bad = build()
    bad.records = [each for each in bad.sorted() if each.at_us - start < 1_500_000]
    bad.records = [each for each in bad.records if each.id not in gb.BRO.identifiers()]
    bad.repeat(6500, 9000, 250, gb.CEM(bro=gb.Timeout.TIMEOUT))
    comparison = compared(good, bad.sorted())
    kinds = [(each.kind, each.subject) for each in comparison.differences]
    assert kinds[:2] == [(DifferenceKind.MISSING, "BRO"), (DifferenceKind.MISSING, "CRO")]
    assert (DifferenceKind.ERROR, "CEM(bro, SPN 3923)") in kinds
    assert (DifferenceKind.PHASE, "charging") in kinds
    assert (DifferenceKind.MISSING, "BCL") not in kinds


def test_a_phase_that_is_never_reached(whole_session: Records) -> None:
    end = next(each for each in whole_session if each.id in gb.BCL.identifiers())
    cut = [each for each in whole_session if each.at_us < end.at_us]
    found = first(whole_session, cut)
    assert (found.kind, found.subject) == (DifferenceKind.PHASE, "charging")
    assert "last message" in found.bad


def test_an_error_message_with_its_spn(build: Callable[[], Maker]) -> None:
    bad = build()
    bad.repeat(5000, 5400, 250, gb.BEM(ccs=gb.Timeout.TIMEOUT))
    found = first(build().sorted(), bad.sorted())
    assert (found.kind, found.subject) == (DifferenceKind.ERROR, "BEM(ccs, SPN 3905)")
    assert found.phase is gb.Phase.CHARGING
    assert found.good_place is not None


def test_another_order(build: Callable[[], Maker]) -> None:
    good, bad = build(), build()
    cts = gb.CTS.identifier()
    start = min(each.at_us for each in good.records)
    bad.records = [
        msgspec.structs.replace(each, at_us=start + 1_330_000) if each.id == cts else each
        for each in bad.records
    ]
    found = first(good.sorted(), bad.sorted())
    assert found.kind is DifferenceKind.ORDER
    assert (found.subject, found.good, found.bad) in {
        ("CTS", "after BCP", "after CML"),
        ("CML", "after CTS", "after BCP"),
    }


@pytest.mark.parametrize(
    ("cls", "values", "subject"),
    [
        (gb.CHM, {"version_major": 2}, "CHM.version_major"),
        (gb.BHM, {"max_voltage": 700.0}, "BHM.max_voltage"),
        (gb.CRM, {"region": "999"}, "CRM.region"),
        (gb.CML, {"max_voltage": 500.0}, "CML.max_voltage"),
        (gb.BCL, {"mode": gb.ChargeMode.CONSTANT_VOLTAGE}, "BCL.mode"),
        (gb.CCS, {"permission": gb.Permission.FORBIDDEN}, "CCS.permission"),
        (gb.BSM, {"over_current": gb.Condition.FAULT}, "BSM.over_current"),
        (gb.BST, {"insulation": gb.Condition.FAULT}, "BST.insulation"),
        (gb.CST, {"manual": gb.Reached.YES}, "CST.manual"),
    ],
)
def test_a_field(
    whole_session: Records, cls: type[gb.ChargingMessage], values: dict[str, object], subject: str
) -> None:
    comparison = compared(whole_session, changed(whole_session, cls, **values))
    assert [(each.kind, each.subject) for each in comparison.differences] == [(DifferenceKind.FIELD, subject)]


def test_measurements_only_where_the_ranges_lie_apart(whole_session: Records) -> None:
    comparison = compared(whole_session, changed(whole_session, gb.BCL, voltage=300.0))
    (found,) = comparison.differences
    assert (found.kind, found.subject) == (DifferenceKind.MEASURED, "BCL.voltage")
    assert (found.good, found.bad) == ("597 V", "300 V")
    half = whole_session[: len(whole_session) // 2] + changed(
        whole_session[len(whole_session) // 2 :], gb.BCL, voltage=300.0
    )
    assert compared(whole_session, half).differences == ()


def test_a_period(build: Callable[[], Maker]) -> None:
    good, bad = build(), build()
    ccs = gb.CCS.identifier()
    kept = [each for each in good.sorted() if each.id == ccs]
    bad.records = [each for each in bad.records if each.id != ccs]
    bad.records += kept[::2]
    found = first(good.sorted(), bad.sorted())
    assert (found.kind, found.subject) == (DifferenceKind.PERIOD, "CCS")
    assert "off nominal" in found.bad
    assert "within" in found.good
    assert period_tolerance("CCS", 50_000_000).value < 50_000_000


def test_a_silence(build: Callable[[], Maker]) -> None:
    good, bad = build(), build()
    start = min(each.at_us for each in good.records)
    gap = range(start + 4_000_000, start + 6_000_000)
    bad.records = [each for each in bad.records if each.id != gb.CCS.identifier() or each.at_us not in gap]
    found = first(good.sorted(), bad.sorted())
    assert (found.kind, found.subject) == (DifferenceKind.SILENCE, "CCS")
    assert found.phase is gb.Phase.CHARGING


def test_a_deviation(whole_session: Records) -> None:
    bad = [
        msgspec.structs.replace(each, data=each.data + b"\xff") if each.id == gb.BRO.identifier() else each
        for each in whole_session
    ]
    found = first(whole_session, bad)
    assert (found.kind, found.subject) == (DifferenceKind.DEVIATION, "BRO")


def test_a_broken_transfer(build: Callable[[], Maker]) -> None:
    bad = build()
    bad.records.append(
        Record(min(r.at_us for r in bad.records) + 5_030_000, tp.cm_id(0x56, 0xF4), tp.rts(gb.BCS.pgn, 9))
    )
    comparison = compared(build().sorted(), bad.sorted())
    assert DifferenceKind.TRANSFER in {each.kind for each in comparison.differences}


def test_a_transfer_that_breaks_explains_the_missing_message(whole_session: Records) -> None:
    announced: set[bool] = set()
    bad = [
        each
        for each in whole_session
        if not (of_transfer(each, gb.BRM, announced) and (each.id >> 16 & 0xFF) == 0xEB)
    ]
    found = first(whole_session, bad)
    assert (found.kind, found.subject) == (DifferenceKind.MISSING, "BRM")
    assert "a transfer of BRM was begun, and broke" in found.bad


def test_a_slow_answer(whole_session: Records) -> None:
    cut = next(index for index, each in enumerate(whole_session) if each.id in gb.CML.identifiers())
    bad = whole_session[:cut] + moved(whole_session[cut:], 2_000_000)
    found = first(whole_session, bad)
    assert (found.kind, found.subject) == (DifferenceKind.ANSWER, "CML")


def test_a_session_that_begins_again(whole_session: Records) -> None:
    twice = whole_session + moved(whole_session, 60_000_000)
    found = first(whole_session, twice)
    assert (found.kind, found.good, found.bad) == (DifferenceKind.RESTART, "never", "once")


@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
def test_a_late_listener_is_no_difference(whole_session: Records, share: float) -> None:
    late = whole_session[int(len(whole_session) * share) :]
    for comparison in (compared(whole_session, late), compared(late, whole_session)):
        assert [each.text for each in comparison.differences] == []
        assert any("begins in the middle" in note for note in comparison.notes)


def test_lesser_differences_before_the_first_are_pointed_at(whole_session: Records) -> None:
    bad = changed(withheld(whole_session, gb.BRO), gb.BHM, max_voltage=700.0)
    comparison = compared(whole_session, bad)
    assert comparison.first is not None
    assert comparison.first.subject == "BRO"
    assert [each.subject for each in comparison.earlier] == ["BHM.max_voltage"]


def test_a_recording_without_the_dialogue(whole_session: Records) -> None:
    nothing = [Record(1, 0x123, b"", extended=False), Record(2, 0x18FEF100, bytes(8))]
    assert first(whole_session, nothing).subject == "dialogue"
    assert first(nothing, whole_session).subject == "dialogue"
    assert compared(nothing, nothing).differences == ()
    assert compared([], []).differences == ()
