"""A swap on two channels, made from the message classes, and what a listener tells of it."""

from collections.abc import Callable, Iterator

import pytest

from swapproto.messages.gbt27930 import BCL, BST, ChargeMode, Reached
from swapproto.messages.pack_can import (
    AlarmLevel,
    CellVoltages,
    Connection,
    Counts,
    Fault,
    LockState,
    PackCode1,
    PackCode2,
    PackCode3,
    PackCode4,
    PackMessage,
    PackState,
    PackVoltages,
    RelayState,
    RelayStatus,
    SwapController,
    VehicleIdentity,
)
from swapproto.observe.pack import KEPT_INTERVALS
from swapproto.observe.scene import OddityKind, StepKind, fault_words
from swapproto.observe.swap import KEPT_STEPS, SwapSurvey, SwapWatch
from swapproto.provenance import Basis
from swapproto.trace.record import Record
from swapproto.wire.message import Message

OLD = "AAAMPB07HDA12C8B81234567"
NEW = "BBBMPB07HDA12C8B87654321"
VIN = "LNXEG0000TS000001"
CONNECTED, APART = Connection.CONNECTED, Connection.NOT_CONNECTED
START_US = 1_700_000_000_000_000


def relays(state: RelayState) -> RelayStatus:
    return RelayStatus(positive=state, negative=state, precharge=RelayState.OPEN)


def volts(bus: float) -> PackVoltages:
    return PackVoltages(
        insulation_positive=5000, insulation_negative=5000, pack_voltage=620.0, bus_voltage=bus
    )


def code_frames(code: str) -> tuple[PackMessage, ...]:
    return (
        PackCode1(length=len(code), characters=code[:6]),
        PackCode2(characters=code[6:13]),
        PackCode3(characters=code[13:20]),
        PackCode4(characters=code[20:27]),
    )


def vin_frames(vin: str) -> tuple[PackMessage, ...]:
    return tuple(
        VehicleIdentity(frame_number=number + 1, characters=vin[7 * number : 7 * number + 7])
        for number in range(3)
    )


class Swap:
    """Milliseconds in, records out: the truck's bus as a cycle of 100 ms, whatever the state is by then."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.now = 0
        self.lock: LockState | None = LockState.LOCKED
        self.connection = CONNECTED
        self.energised = True
        self.bus: float | None = None
        self.code: str | None = OLD
        self.vin: str | None = VIN
        self.soc = 20.0
        self.welded = Fault.OK

    def put(self, message: Message, channel: str = "truck", at: int | None = None) -> None:
        at_us = START_US + (self.now if at is None else at) * 1000
        self.records.append(Record(at_us, message.identifier(), message.encode(), channel=channel))

    def controller(self) -> SwapController:
        each = self.connection
        assert self.lock is not None
        return SwapController(
            lock=self.lock, swap_connector=each, discharge_connector=each, charge_connector=each
        )

    def pack(self) -> Iterator[PackMessage]:
        state = RelayState.CLOSED if self.energised else RelayState.OPEN
        status = relays(state)
        yield RelayStatus(
            positive=status.positive, negative=status.negative, precharge=status.precharge,
            positive_welded=self.welded,
        )  # fmt: skip
        yield volts((620.0 if self.energised else 3.0) if self.bus is None else self.bus)
        yield PackState(soc=self.soc, soh=98.0, current=0.0, charge_limit=100.0, discharge_limit=300.0)
        yield Counts(
            unit_count=1, cell_count=3, probe_count=6, nominal_cell_voltage=3.2,
            minimum_cell_voltage=2.5, maximum_cell_voltage=3.6,
        )  # fmt: skip
        yield CellVoltages(frame_number=1, unit_number=1, voltage_1=3.3, voltage_2=3.31, voltage_3=3.32)
        assert self.code is not None
        yield from code_frames(self.code)

    def run(self, ms: int) -> None:
        for _ in range(ms // 100):
            if self.lock is not None:
                self.put(self.controller())
            if self.vin is not None:
                for part in vin_frames(self.vin):
                    self.put(part)
            if self.code is not None:
                for message in self.pack():
                    self.put(message)
            self.now += 100

    def watched(self, watch: SwapWatch | None = None) -> SwapSurvey:
        watch = SwapWatch() if watch is None else watch
        for line, record in enumerate(sorted(self.records, key=lambda each: each.at_us), 1):
            watch.receive(Record(record.at_us, record.id, record.data, True, line, record.channel))
        return watch.finish()


def swap() -> Swap:
    """A swap as it should be, and the charge of the old pack in bay 3."""
    script = Swap()
    script.run(2000)
    script.energised = False
    script.run(1000)
    script.connection, script.code = APART, None
    script.run(2000)
    script.lock = LockState.UNLOCKED
    script.run(5000)
    script.lock = LockState.NEITHER
    script.run(300)
    script.lock = LockState.LOCKED
    script.run(1000)
    script.connection = CONNECTED
    script.run(500)
    script.code, script.soc = NEW, 96.0
    script.run(2000)
    script.energised = True
    script.run(1000)
    for ms in range(9000, 12000, 50):
        script.put(
            BCL(voltage=640.0, current=-200.0, mode=ChargeMode.CONSTANT_CURRENT), channel="bay3", at=ms
        )
    for ms in range(12000, 12100, 10):
        script.put(BST(soc_target=Reached.YES), channel="bay3", at=ms)
    return script


def kinds(found: SwapSurvey, channel: str = "truck") -> list[StepKind]:
    return [step.kind for step in found.steps if step.channel == channel]


def test_a_swap_is_told_step_by_step() -> None:
    found = swap().watched()
    assert [(step.kind, (step.at_us - START_US) // 1000) for step in found.steps] == [
        (StepKind.LOCKED, 0),
        (StepKind.CONNECTED, 0),
        (StepKind.TRUCK, 0),
        (StepKind.PACK_HEARD, 0),
        (StepKind.ENERGISED, 0),
        (StepKind.PACK_IDENTIFIED, 0),
        (StepKind.DE_ENERGISED, 2000),
        (StepKind.PACK_SILENT, 2900),
        (StepKind.APART, 3000),
        (StepKind.UNLOCKED, 5000),
        (StepKind.CHARGE_BEGINS, 9000),
        (StepKind.LOCKED, 10300),
        (StepKind.CONNECTED, 11300),
        (StepKind.PACK_HEARD, 11800),
        (StepKind.DE_ENERGISED, 11800),
        (StepKind.ANOTHER_PACK, 11800),
        (StepKind.CHARGE_ENDS, 12000),
        (StepKind.ENERGISED, 13800),
    ]
    assert found.oddities == ()
    assert found.dropped == {}


def test_each_step_carries_its_evidence() -> None:
    script = swap()
    found = script.watched()
    ordered = sorted(script.records, key=lambda each: each.at_us)
    shows: dict[StepKind, type[Message]] = {
        StepKind.UNLOCKED: SwapController,
        StepKind.APART: SwapController,
        StepKind.TRUCK: VehicleIdentity,
        StepKind.CHARGE_BEGINS: BCL,
        StepKind.CHARGE_ENDS: BST,
    }
    for step in found.steps:
        record = ordered[step.line - 1]
        assert (record.at_us, record.channel) == (step.at_us, step.channel)
        assert step.source.at
        if step.kind in shows:
            assert record.id == shows[step.kind].identifier()
    texts = {step.kind: step for step in found.steps}
    assert texts[StepKind.TRUCK].text == f"VIN {VIN}"
    assert texts[StepKind.PACK_IDENTIFIED].text == f"code {OLD}"
    assert texts[StepKind.ANOTHER_PACK].text == f"code {NEW}, before {OLD}"
    assert texts[StepKind.DE_ENERGISED].text.startswith("contactors open, 3.0 V on the bus")
    assert texts[StepKind.PACK_SILENT].text == f"pack {OLD}, base locked, connectors apart"
    assert texts[StepKind.PACK_SILENT].source.basis is Basis.ASSUMED
    assert texts[StepKind.DE_ENERGISED].source.basis is Basis.DERIVED
    first = next(step for step in found.steps if step.kind is StepKind.LOCKED)
    assert first.text == "lock reported locked when first heard"


def test_each_stay_has_its_own_snapshot() -> None:
    found = swap().watched()
    (watch,) = found.packs
    assert watch.channel == "truck"
    old, new = (stay.assembly.snapshot() for stay in watch.stays)
    assert (old.code.text, new.code.text) == (OLD, NEW)
    assert old.vin.text == new.vin.text == VIN
    assert old.state is not None
    assert new.state is not None
    assert (old.state.message.soc, new.state.message.soc) == (20.0, 96.0)
    assert old.cells.values == (3.3, 3.31, 3.32)
    assert old.cells.complete
    assert watch.stays[0].end_us < watch.stays[1].start_us
    assert sum(stay.frames for stay in watch.stays) == sum(
        stats.count for stats in watch.stats if stats.sender.label == "BMS"
    )


def test_intervals_are_those_of_the_bus_and_not_of_the_exchange() -> None:
    (watch,) = swap().watched().packs
    by_name = {stats.cls.__name__: stats for stats in watch.stats}
    state = by_name["PackState"]
    assert (state.min_us, state.median_us, state.max_us) == (100_000, 100_000, 100_000)
    assert state.intervals == len(state.kept) == state.count - 2
    assert by_name["SwapController"].median_us == 100_000
    assert state.unreadable == 0


def test_no_step_is_missing_where_the_frames_are() -> None:
    """Every kind of step can be told, and each from the frames of its own."""
    assert set(kinds(swap().watched())) | set(kinds(swap().watched(), "bay3")) == set(StepKind)


def unlock_live(script: Swap) -> None:
    script.run(500)
    script.lock = LockState.UNLOCKED
    script.connection = Connection(2)  # no state at all: only the lock can be odd
    script.run(500)


def unlock_high_bus(script: Swap) -> None:
    script.energised, script.bus, script.connection = False, 60.0, Connection(2)
    script.run(500)
    script.lock = LockState.UNLOCKED
    script.run(500)


def apart_live(script: Swap) -> None:
    script.run(500)
    script.connection = APART
    script.run(500)


def unlock_connected(script: Swap) -> None:
    script.energised = False
    script.run(500)
    script.lock = LockState.UNLOCKED
    script.run(500)


def silent_connected(script: Swap) -> None:
    script.run(500)
    script.code = None
    script.run(2000)


def changed_behind_the_lock(script: Swap) -> None:
    script.energised = False
    script.run(500)
    script.connection, script.code = APART, None
    script.run(2000)
    script.connection, script.code = CONNECTED, NEW
    script.run(500)


def welded(script: Swap) -> None:
    script.energised, script.welded = False, Fault.FAULT
    script.run(500)


@pytest.mark.parametrize(
    ("happen", "kind", "text"),
    [
        (unlock_live, OddityKind.UNLOCKED_LIVE, "positive, negative closed, 620.0 V on the bus"),
        (unlock_high_bus, OddityKind.UNLOCKED_LIVE, "contactors open, 60.0 V on the bus"),
        (apart_live, OddityKind.APART_LIVE, "positive, negative closed, 620.0 V on the bus"),
        (unlock_connected, OddityKind.UNLOCKED_CONNECTED, "swap, discharge and charge connector"),
        (silent_connected, OddityKind.SILENT_CONNECTED, f"pack {OLD}"),
        (changed_behind_the_lock, OddityKind.UNSEEN_UNLOCK, f"code {NEW}, before {OLD}"),
        (welded, OddityKind.WELDED, "positive"),
    ],
)
def test_what_is_odd_is_told_once(happen: Callable[[Swap], None], kind: OddityKind, text: str) -> None:
    script = Swap()
    happen(script)
    (odd,) = script.watched().oddities
    assert (odd.kind, odd.text, odd.count, odd.channel) == (kind, text, 1, "truck")
    assert odd.first_us == odd.last_us > START_US - 1


def test_open_bits_alone_prove_nothing() -> None:
    for bus, weld, told in ((59.9, Fault.OK, True), (60.0, Fault.OK, False), (3.0, Fault.FAULT, False)):
        script = Swap()
        script.energised, script.bus, script.welded = False, bus, weld
        script.run(500)
        assert (StepKind.DE_ENERGISED in kinds(script.watched())) is told
    for silent in (RelayState.NOT_GIVEN, RelayState.INVALID):
        script = Swap()
        script.code = None
        script.put(RelayStatus(positive=RelayState.OPEN, negative=silent))
        script.put(volts(3.0))
        assert StepKind.DE_ENERGISED not in kinds(script.watched())


def test_a_contactor_of_another_loop_keeps_the_pack_live() -> None:
    script = Swap()
    script.code = None
    script.put(
        RelayStatus(positive=RelayState.OPEN, negative=RelayState.OPEN, charge_positive_1=RelayState.CLOSED)
    )
    script.put(volts(3.0))
    script.run(200)
    assert StepKind.DE_ENERGISED not in kinds(script.watched())


def test_the_same_pack_may_come_back() -> None:
    script = Swap()
    script.energised = False
    script.run(500)
    script.connection, script.code = APART, None
    script.run(2000)
    script.connection, script.code = CONNECTED, OLD
    script.run(500)
    found = script.watched()
    assert StepKind.ANOTHER_PACK not in kinds(found)
    assert [step.text for step in found.steps if step.kind is StepKind.PACK_IDENTIFIED] == [
        f"code {OLD}",
        f"code {OLD}, the same as before",
    ]
    assert found.oddities == ()


def test_a_recorder_that_pauses_is_no_silence_of_the_pack() -> None:
    script = Swap()
    script.run(1000)
    script.now += 3_600_000
    script.run(1000)
    found = script.watched()
    assert StepKind.PACK_SILENT not in kinds(found)
    assert len(found.packs[0].stays) == 1


def test_the_end_of_the_recording_is_no_silence() -> None:
    script = Swap()
    script.run(1000)
    assert StepKind.PACK_SILENT not in kinds(script.watched())


def test_silence_shows_on_the_other_channel_too() -> None:
    """The truck's bus may go wholly quiet: that the recorder lives shows in the bay."""
    script = Swap()
    script.run(1000)
    for ms in range(1000, 4000, 50):
        script.put(
            BCL(voltage=640.0, current=-200.0, mode=ChargeMode.CONSTANT_CURRENT), channel="bay3", at=ms
        )
    found = script.watched()
    assert StepKind.PACK_SILENT in kinds(found)
    assert found.oddities == ()  # nobody was there to say that it is connected


def test_another_truck_has_another_vin() -> None:
    script = Swap()
    script.run(300)
    script.vin = "LNXEG0000TS000002"
    script.run(300)
    texts = [step.text for step in script.watched().steps if step.kind is StepKind.TRUCK]
    assert texts == [f"VIN {VIN}", "VIN LNXEG0000TS000002"]


def test_the_controllers_fault_is_in_words() -> None:
    script = Swap()
    script.run(100)
    script.put(
        SwapController(
            lock=LockState.LOCKED, swap_connector=CONNECTED, discharge_connector=CONNECTED,
            charge_connector=CONNECTED, fault_level=AlarmLevel.LEVEL_2, fault_code=9,
        )
    )  # fmt: skip
    (odd,) = script.watched().oddities
    assert odd.text == "level 2, code 9: connector over-temperature, level 2, probe 1"
    assert [fault_words(code) for code in (0, 8, 24, 25, 32, 33)] == [
        "no fault", "connector over-temperature, level 1, probe 8",
        "connector over-temperature, level 3, probe 8", "connector probe 1 open", "connector probe 8 open",
        "not public",
    ]  # fmt: skip


def test_damage_is_counted_and_never_raises() -> None:
    script = Swap()
    script.run(300)
    damaged: tuple[type[PackMessage], ...] = (
        SwapController, RelayStatus, PackCode1, VehicleIdentity, PackVoltages,
    )  # fmt: skip
    script.records += [
        Record(START_US + n, cls.identifier(), data, channel="truck")
        for n, cls in enumerate(damaged)
        for data in (b"", b"\xff", b"\xff" * 8)
    ]
    found = script.watched()
    (watch,) = found.packs
    assert sum(stats.unreadable for stats in watch.stats) >= 5
    assert watch.findings.deviations
    assert StepKind.TRUCK in kinds(found)


def test_frames_of_others_are_nobodys() -> None:
    watch = SwapWatch()
    assert watch.receive(Record(0, 0x18FEF100, b"\0" * 8)) is None
    assert watch.receive(Record(0, SwapController.identifier() & 0x7FF, b"\0" * 8, extended=False)) is None
    assert watch.finish() == SwapSurvey((), (), (), {})


def test_what_is_kept_is_bounded() -> None:
    watch = SwapWatch()
    locks = (LockState.LOCKED, LockState.UNLOCKED)
    for number in range(KEPT_STEPS + 200):
        frame = SwapController(
            lock=locks[number % 2], swap_connector=CONNECTED, discharge_connector=CONNECTED,
            charge_connector=CONNECTED, counter=number % 256,
        )  # fmt: skip
        watch.receive(
            Record(number * 100_000, frame.identifier(), frame.encode(), channel=f"bus{number % 80}")
        )
    found = watch.finish()
    assert len(found.packs) == 64
    assert found.dropped["channels"] > 0
    single = SwapWatch()
    for number in range(KEPT_INTERVALS + 500):
        frame = SwapController(
            lock=locks[number % 2], swap_connector=Connection(2), discharge_connector=CONNECTED,
            charge_connector=CONNECTED,
        )  # fmt: skip
        single.receive(Record(number * 100_000, frame.identifier(), frame.encode(), channel="truck"))
    told = single.finish()
    assert len(told.steps) == KEPT_STEPS
    assert told.dropped == {"steps": KEPT_INTERVALS + 500 - KEPT_STEPS}
    (stats,) = told.packs[0].stats
    assert (len(stats.kept), stats.intervals) == (KEPT_INTERVALS, KEPT_INTERVALS + 499)
