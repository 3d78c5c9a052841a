"""What a monitor knows of a bus, without a link or a terminal."""

import io
from collections.abc import Hashable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from swapproto.cli.monitor_load import LoadMeter
from swapproto.cli.monitor_notes import KEPT, QUIET, Notes
from swapproto.cli.monitor_periods import Periods, Rhythm
from swapproto.cli.monitor_state import MonitorSnapshot, MonitorState
from swapproto.cli.monitor_text import line, sections, summary
from swapproto.cli.monitor_view import render
from swapproto.frame import MILLISECOND, SECOND, CanFrame, Instant
from swapproto.link import LinkCaps, LinkEvent, LinkEventKind
from swapproto.messages.gbt27930 import (
    BCP,
    BEM,
    BSM,
    CHM,
    CML,
    CRM,
    CST,
    MESSAGES,
    ChargingMessage,
    Condition,
    Edition,
    Reached,
    Timeout,
)
from swapproto.messages.pack_can import MESSAGES as PACK_MESSAGES
from swapproto.messages.pack_can import PackMessage
from swapproto.runtime.wire_time import INTERMISSION, frame_bits
from swapproto.transport import frames as tp

CAPS = LinkCaps(name="test", bitrate=250_000, stamp_source="virtual", stamp_resolution=1000)
Vectored = type[ChargingMessage] | type[PackMessage]


def state(caps: LinkCaps = CAPS, edition: Edition | None = None) -> MonitorState:
    return MonitorState(caps, 0, edition)


def feed(monitor: MonitorState, cls: Vectored, at: Instant) -> None:
    monitor.receive(CanFrame(cls.identifier(), cls.VECTORS[0].data), at)


def shown(monitor: MonitorState, at: Instant) -> MonitorSnapshot:
    monitor.pass_time(at)
    return monitor.snapshot(at)


def told(monitor: MonitorState) -> list[str]:
    return [note.text for note in monitor.notes.kept]


def test_an_empty_bus() -> None:
    found = shown(state(), SECOND)
    assert (found.frames, found.phase, found.partners, found.readings, found.late) == (0, None, (), (), None)
    assert found.edition == "unknown"
    assert line(found).split() == ["-", "-", "V", "-", "A", "SOC", "-", "%", "0", "frames/s", "load", "0.0%"]


def test_a_charge_is_followed() -> None:
    monitor = state()
    names = ["CHM", "BHM", "CRM", "CML", "BRO", "BCL", "BSM", "CCS"]
    classes = {cls.__name__: cls for cls in MESSAGES}
    for number, name in enumerate(names):
        feed(monitor, classes[name], number * 100 * MILLISECOND)
    found = shown(monitor, SECOND)
    assert found.phase == "charging"
    assert [(each.name, each.address) for each in found.partners] == [("charger", 0x56), ("BMS", 0xF4)]
    assert [each.source for each in found.readings] == ["CCS", "BCL"]
    assert found.readings[0].voltage == classes["CCS"].VECTORS[0].values["voltage"]
    assert [each.of for each in found.extremes] == ["temperatures"]
    assert [each.name for each in found.periods] == names
    begun = [text for text in told(monitor) if text.startswith("phase ")]
    assert [text.split(" begins")[0] for text in begun] == [
        "phase handshake start", "phase identification", "phase configuration", "phase charging",
    ]  # fmt: skip


def test_errors_and_stops_are_told_and_are_alarms() -> None:
    monitor = state()
    monitor.receive(BEM(ccs=Timeout.TIMEOUT).frame(), 0)
    stop = CST(manual=Reached.YES, emergency_stop=Condition.FAULT)
    monitor.receive(stop.frame(), 1)
    monitor.receive(stop.frame(), 2)
    found = shown(monitor, SECOND)
    assert found.in_error
    assert set(found.alarms) == {"CST emergency stop: fault", "BEM ccs: timeout"}
    assert told(monitor).count("charger sends CST: manual: yes, emergency stop: fault") == 1
    assert "BMS sends BEM: timeout of SPN 3905 (ccs)" in told(monitor)


def test_a_status_that_is_not_normal_is_an_alarm_until_it_is() -> None:
    monitor = state()
    good = BSM.VECTORS[0].data
    hot = bytes([*good[:5], 0b0100_0000, *good[6:]])
    monitor.receive(CanFrame(BSM.identifier(), hot), 0)
    assert shown(monitor, 1).alarms == ("BSM over temperature: fault",)
    monitor.receive(CanFrame(BSM.identifier(), good), 2)
    assert shown(monitor, 3).alarms == ()


@pytest.mark.parametrize(
    ("payload", "edition"),
    [(b"\x58\x1b\xd0\x07\xd8\x0e", "2011"), (CML.VECTORS[0].data, "2015 or 2023 A-type, indistinguishable")],
)
def test_the_edition_is_recognised(payload: bytes, edition: str) -> None:
    monitor = state()
    monitor.receive(CanFrame(CML.identifier(), payload), 0)
    assert shown(monitor, 1).edition == edition
    assert f"edition: {edition}" in told(monitor)
    monitor.receive(CanFrame(CML.identifier(), payload), 2)
    (row,) = shown(monitor, 3).periods
    assert row.count == 2
    after = state()
    after.receive(CanFrame(CML.identifier(), payload), 0)
    after.pass_time(1)
    after.receive(CanFrame(CML.identifier(), payload), 2)
    assert shown(after, 3).deviations == ()


def test_an_edition_that_is_given_is_not_doubted() -> None:
    monitor = state(edition=Edition.GBT_2011)
    feed(monitor, CHM, 0)
    assert shown(monitor, 1).edition == "2011"


def test_a_pack_is_followed_until_it_falls_silent() -> None:
    monitor = state()
    classes = {cls.__name__: cls for cls in PACK_MESSAGES}
    for name in ("PackState", "PackVoltages", "CellMaximum", "CellMinimum", "WorkStatus"):
        feed(monitor, classes[name], 0)
    found = shown(monitor, SECOND // 2)
    (reading, behind) = found.readings
    values = {**classes["PackState"].VECTORS[0].values, **classes["PackVoltages"].VECTORS[0].values}
    assert (reading.voltage, reading.current, reading.soc) == (641.3, -215.7, 64.8)
    assert behind.voltage == values["bus_voltage"]
    (cells,) = found.extremes
    assert (cells.highest, cells.lowest) == (3.347, 3.291)
    assert "WorkStatus fire" in found.alarms
    assert "WorkStatus insulation level 1" in found.alarms
    assert not any("pack silent" in text for text in told(monitor))
    overdue = [each.name for each in found.periods if each.overdue is not None]
    assert "PackState" in overdue
    shown(monitor, 3 * SECOND)
    assert any("pack silent" in text for text in told(monitor))


def test_nobody_counts_as_silent_while_the_port_is_away() -> None:
    monitor = state()
    classes = {cls.__name__: cls for cls in PACK_MESSAGES}
    feed(monitor, classes["PackState"], 0)
    monitor.link_event(LinkEvent(LinkEventKind.CLOSED, SECOND // 2, "unplugged"))
    shown(monitor, 30 * SECOND)
    monitor.link_event(LinkEvent(LinkEventKind.REOPENED, 30 * SECOND))
    feed(monitor, classes["PackState"], 30 * SECOND + 1)
    found = shown(monitor, 30 * SECOND + 2)
    assert not any("pack silent" in text for text in told(monitor))
    assert found.periods[0].longest is None
    assert found.link_events == {LinkEventKind.CLOSED: 1, LinkEventKind.REOPENED: 1}


def test_what_departs_from_its_layout_is_told_once() -> None:
    monitor = state()
    for at in range(5):
        monitor.receive(CanFrame(CRM.identifier(), b"\x55" + bytes(7)), at)
    found = shown(monitor, 10)
    assert max(each.count for each in found.deviations) == 5
    assert len([text for text in told(monitor) if text.startswith("deviation: CRM.result")]) == 1


def test_a_message_that_took_a_transfer_keeps_its_place() -> None:
    """BCP is complete with its last packet, and known only at the acknowledgement: behind the first CML."""
    monitor = state()
    payload = BCP.VECTORS[0].data
    target, source = BCP.destination_address, BCP.source_address
    feed(monitor, CHM, 0)
    feed(monitor, CRM, 1 * MILLISECOND)
    monitor.receive(CanFrame(tp.cm_id(target, source), tp.rts(BCP.pgn, len(payload))), 2 * MILLISECOND)
    monitor.receive(CanFrame(tp.cm_id(source, target), tp.cts(BCP.pgn, 2, 1)), 3 * MILLISECOND)
    for number, packet in enumerate(tp.data_packets(payload)):
        monitor.receive(CanFrame(tp.dt_id(target, source), packet), (4 + number) * MILLISECOND)
    feed(monitor, CML, 6 * MILLISECOND)
    assert [each.name for each in monitor.snapshot(6 * MILLISECOND).periods] == ["CHM", "CRM"]
    ack = tp.end_of_msg_ack(BCP.pgn, len(payload))
    monitor.receive(CanFrame(tp.cm_id(source, target), ack), 7 * MILLISECOND)
    found = shown(monitor, 8 * MILLISECOND)
    assert [each.name for each in found.periods] == ["CHM", "CRM", "BCP", "CML"]
    assert not [each for each in found.violations if each.message == "CML"]


def test_a_transfer_that_never_ends_holds_nothing_up_for_long() -> None:
    monitor = state()
    target, source = BCP.destination_address, BCP.source_address
    monitor.receive(CanFrame(tp.cm_id(target, source), tp.rts(BCP.pgn, 13)), 0)
    feed(monitor, CML, MILLISECOND)
    assert shown(monitor, 2 * MILLISECOND).periods == ()
    assert [each.name for each in shown(monitor, 5 * SECOND).periods] == ["CML"]


# periods

RHYTHM = Rhythm("BCL", "BMS", 50_000)
EVERY: frozenset[Hashable] = frozenset({"BCL"})


def periods(starts: list[int], *, resolution: int = 1, batched: bool = False, group: Hashable = 0) -> Periods:
    found = Periods(resolution, batched=batched)
    for at in starts:
        found.heard("BCL", RHYTHM, at, at=at, group=group, readable=True)
    return found


@pytest.mark.parametrize(
    ("starts", "late"),
    [
        ([0, 50_000, 100_000], 0),
        ([0, 55_000], 0),  # 5 ms are the tolerance of BCL
        ([0, 55_001], 1),
        ([0, 45_000, 145_000, 200_001], 2),
    ],
)
def test_late_intervals(starts: list[int], late: int) -> None:
    (row,) = periods(starts).rows(starts[-1], EVERY)
    assert row.late == late
    assert row.overdue is None
    assert row.last == starts[-1] - starts[-2]


@pytest.mark.parametrize(("resolution", "batched"), [(2501, False), (1, True)])
def test_stamps_that_cannot_tell_do_not(resolution: int, batched: bool) -> None:
    found = periods([0, 90_000], resolution=resolution, batched=batched)
    (row,) = found.rows(500_000, EVERY)
    assert (row.late, row.overdue, found.late) == (None, None, None)
    assert row.last == 90_000


def test_what_has_to_come_and_does_not_is_overdue() -> None:
    found = periods([0, 50_000])
    assert [found.rows(now, EVERY)[0].overdue for now in (100_000, 105_000, 105_001)] == [None, None, 5001]
    assert found.rows(10**9, frozenset())[0].overdue is None


def test_no_interval_reaches_over_a_gap_or_into_another_phase() -> None:
    found = periods([0])
    found.interrupt()
    found.heard("BCL", RHYTHM, 900_000, at=900_000, group=0, readable=True)
    found.heard("BCL", RHYTHM, 2_000_000, at=2_000_000, group=1, readable=True)
    (row,) = found.rows(2_000_000, EVERY)
    assert (row.count, row.last, row.late) == (3, None, 0)


# load


def test_a_full_bus_has_a_load_of_one() -> None:
    meter = LoadMeter(250_000, 0)
    frame = CanFrame(0x18FF50E5, bytes(range(8)))
    bits = frame_bits(frame) + INTERMISSION
    at = 0
    while at < 5 * SECOND:
        at += bits * 4000
        meter.add(frame, at)
    load = meter.load(at)
    assert load.share == pytest.approx(1, abs=0.002)
    assert load.peak == pytest.approx(1, abs=0.002)
    assert load.average == pytest.approx(1, abs=0.002)
    later = meter.load(at + 60 * SECOND)
    assert (later.share, later.frames_per_second) == (0, 0)
    assert later.peak == load.peak
    assert later.average == pytest.approx(5 / 65, rel=0.01)


def test_without_a_bit_rate_there_is_no_share() -> None:
    meter = LoadMeter(None, 0)
    meter.add(CanFrame(1), SECOND)
    load = meter.load(SECOND)
    assert load.share is load.peak is load.average is None
    assert load.bits_per_second > 0


# notes


def test_repetitions_are_told_together() -> None:
    notes = Notes()
    for at in range(100):
        notes.add(at, "storm")
    notes.add(100, "calm")
    assert [(note.text, note.times) for note in notes.take()] == [("storm", 1), ("calm", 1)]
    notes.pass_time(QUIET)
    notes.pass_time(2 * QUIET)
    assert [(note.text, note.times) for note in notes.take()] == [("storm", 99)]
    notes.add(3 * QUIET, "storm")
    assert [(note.text, note.times) for note in notes.take()] == [("storm", 1)]


def test_a_storm_of_different_notes_stays_bounded() -> None:
    monitor = state()
    for number in range(5000):
        monitor.link_event(LinkEvent(LinkEventKind.ERROR_FRAME, number, f"error {number}"))
    assert len(monitor.notes.kept) == KEPT
    assert len(monitor.notes.take()) <= 1000
    assert shown(monitor, 5000).link_events == {LinkEventKind.ERROR_FRAME: 5000}


# anything at all

IDENTIFIERS = st.sampled_from(
    [cls.identifier() for cls in (*MESSAGES, *PACK_MESSAGES)] + [0x1CEC56F4, 0x1CEB56F4]
)
FRAMES = st.builds(
    CanFrame,
    IDENTIFIERS | st.integers(0, 0x1FFFFFFF),
    st.binary(max_size=8),
    remote=st.sampled_from([False, True]),
)


@given(st.lists(st.tuples(FRAMES, st.integers(-SECOND, 3 * SECOND)), max_size=40), st.integers(5, 60))
def test_no_frame_and_no_stamp_breaks_it(heard: list[tuple[CanFrame, int]], height: int) -> None:
    monitor = state()
    now = 10 * SECOND
    for frame, step in heard:
        now = max(0, now + step)
        monitor.receive(frame, now)
        monitor.pass_time(now)
    found = shown(monitor, now)
    assert found.frames == len(heard)
    text = [
        line(found),
        *summary(found),
        *(cell for part in sections(found) for row in part.rows for cell in row.cells),
    ]
    console = Console(file=io.StringIO(), width=100, height=height)
    console.print(render(found, height))
    assert all(each.isprintable() for each in text)
