"""Frames of a pack put together, what is missing said; and the hook for makers' checksums."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swapproto.frame import MILLISECOND
from swapproto.messages.gbt27930 import BCL
from swapproto.messages.pack_can import (
    MESSAGES,
    AlarmLevel,
    AuthorisationCipher,
    CellVoltages,
    CellVoltagesFurther,
    CoolantTemperatures,
    Counts,
    Energy2,
    Energy5,
    Fault,
    FurtherRelays,
    Maker,
    PackCode1,
    PackCode2,
    PackCode3,
    PackCode4,
    PackElectrical,
    PackMessage,
    PackState,
    RelayStatus,
    TemperatureExtremes,
    Temperatures,
    VehicleCommand,
    VehicleIdentity,
    WorkState,
    WorkStatus,
)
from swapproto.messages.pack_can.seal import SealState, seal_state, sealed
from swapproto.messages.pack_can.series import FrameStore, Gap
from swapproto.messages.pack_can.snapshot import SINGLE, Alarm, PackAssembly, PackSnapshot

CODE = "ABC1PB7XK4M29T5F8C201573"
VIN = "LZGJDHMM2N0000001"


def code_frames(code: str, length: int | None = None) -> list[PackMessage]:
    return [
        PackCode1(
            maker=Maker.QIYUAN, length=len(code) if length is None else length, characters=code[:6].ljust(6)
        ),
        PackCode2(characters=code[6:13]),
        PackCode3(characters=code[13:20]),
        PackCode4(characters=code[20:27]),
    ]


def vin_frames(first: int) -> list[PackMessage]:
    return [
        VehicleIdentity(frame_number=first + part, characters=VIN[7 * part : 7 * part + 7])
        for part in range(3)
    ]


def cells(places: Iterable[tuple[int, int]], start: float = 3.2) -> list[PackMessage]:
    """Frames at (unit, frame), every cell a millivolt above the one before."""
    frames: list[PackMessage] = []
    for number, (unit, frame) in enumerate(places):
        one, two, three = (round(start + (3 * number + place) / 1000, 3) for place in range(3))
        frames.append(
            CellVoltages(frame_number=frame, unit_number=unit, voltage_1=one, voltage_2=two, voltage_3=three)
        )
    return frames


def counts(cell_count: int = 0, probe_count: int = 0) -> Counts:
    return Counts(
        unit_count=2,
        cell_count=cell_count,
        probe_count=probe_count,
        nominal_cell_voltage=3.2,
        minimum_cell_voltage=2.5,
        maximum_cell_voltage=3.7,
    )


def told(messages: Iterable[PackMessage]) -> PackSnapshot:
    """A snapshot after the messages, 10 ms apart."""
    assembly = PackAssembly()
    for number, message in enumerate(messages):
        assembly.receive(message, number * 10 * MILLISECOND)
    return assembly.snapshot()


def test_a_pack_that_was_not_heard_is_missing_as_a_whole() -> None:
    nothing = told([])
    assert (nothing.code.text, nothing.vin.text, nothing.state) == (None, None, None)
    assert (nothing.cells.samples, nothing.alarms, nothing.coolant) == ((), (), ())
    assert nothing.missing == (
        "pack code: not heard",
        "VIN: not heard",
        "cells: none heard",
        "temperatures: none heard",
        *(f"{kind.title}: not heard" for kind in SINGLE),
    )


def test_a_pack_that_told_everything_lacks_nothing() -> None:
    snapshot = told(
        [
            *code_frames(CODE),
            *vin_frames(1),
            *cells((1 + n // 4, 1 + n) for n in range(8)),
            Temperatures.decode(Temperatures.VECTORS[0].data.replace(b"\x04\x02", b"\x01\x01", 1)),
            *(kind.decode(kind.VECTORS[0].data) for kind in SINGLE if kind is not Counts),
            counts(24, 6),
        ]
    )
    assert snapshot.missing == ()
    assert (snapshot.code.text, snapshot.code.length, snapshot.code.maker) == (CODE, 24, Maker.QIYUAN)
    assert snapshot.vin.text == VIN
    assert snapshot.cells.complete
    assert snapshot.temperatures.complete
    assert snapshot.cells.values == tuple(round(3.2 + n / 1000, 3) for n in range(24))
    assert snapshot.temperatures.values == (21, 22, -9, 24, 35, 26)
    assert [type(each.message).__name__ for each in snapshot.energy] == [f"Energy{n}" for n in range(1, 11)]
    assert snapshot.state is not None
    assert (snapshot.state.message.soc, snapshot.state.message.current) == (64.8, -215.7)


def test_each_part_has_the_instant_of_its_last_frame() -> None:
    assembly = PackAssembly()
    state = PackState.decode(PackState.VECTORS[0].data)
    assembly.receive(state, 5)
    for number, frame in enumerate([*code_frames(CODE), *vin_frames(0), *cells([(1, 1), (1, 2)])]):
        assembly.receive(frame, 100 + number)
    assembly.receive(code_frames(CODE)[0], 300)
    assembly.receive(state, 400)
    snapshot = assembly.snapshot()
    assert snapshot.state is not None
    assert snapshot.state.at == 400
    assert (snapshot.code.oldest, snapshot.code.latest) == (101, 300)
    assert (snapshot.vin.oldest, snapshot.vin.latest) == (104, 106)
    assert (snapshot.cells.oldest, snapshot.cells.latest) == (107, 108)


@pytest.mark.parametrize("length", [1, 6, 7, 13, 14, 20, 21, 24, 27])
def test_a_code_needs_the_frames_that_its_length_says(length: int) -> None:
    code = (CODE + "XYZ")[:length]
    frames = code_frames(code)
    used = [6, 13, 20, 27].index(next(end for end in (6, 13, 20, 27) if length <= end)) + 1
    assert told(frames[:used]).code.text == code
    for left_out in range(used):
        code_part = told(frames[:left_out] + frames[left_out + 1 : used]).code
        assert code_part.text is None
        if left_out or length > 20:
            assert code_part.gaps == (left_out + 1,)


def test_what_is_missing_of_a_code_is_said() -> None:
    part = told([*code_frames(CODE)[:1], *code_frames(CODE)[2:3]])
    assert "pack code: frames 2, 4 not heard" in part.missing
    assert part.code.length == 24


@pytest.mark.parametrize(("length", "text"), [(0, None), (28, CODE + "   "), (31, CODE + "   ")])
def test_a_length_that_cannot_be_is_said(length: int, text: str | None) -> None:
    snapshot = told(code_frames(CODE, length))
    assert snapshot.code.text == text
    assert f"pack code: a length of {length}, where 1 to 27 characters have room" in snapshot.missing


def test_a_blank_in_a_frame_shifts_nothing() -> None:
    frames = code_frames(CODE)
    frames[1] = PackCode2(characters="7X")
    assert told(frames).code.text == CODE[:8] + "     " + CODE[13:]


def test_another_code_is_another_pack() -> None:
    assembly = PackAssembly()
    old = [*code_frames(CODE), *cells([(1, 1)]), PackState.decode(PackState.VECTORS[0].data), *vin_frames(1)]
    for message in old:
        assembly.receive(message, 0)
    other = code_frames(CODE[:-1] + "4")
    for message in other[:3]:
        assembly.receive(message, 1)
    assert assembly.snapshot().code.text == CODE
    assembly.receive(other[3], 2)
    fresh = assembly.snapshot()
    assert (fresh.code.text, fresh.code.gaps, fresh.cells.samples, fresh.state) == (None, (1, 2, 3), (), None)
    assert fresh.vin.text == VIN
    for message in other[:3]:
        assembly.receive(message, 3)
    assert assembly.snapshot().code.text == CODE[:-1] + "4"


def test_another_checksum_is_the_same_pack() -> None:
    again = [PackCode2(checksum=9, characters=CODE[6:13])]
    assert told([*code_frames(CODE), *again]).code.text == CODE


def test_reset_forgets_pack_and_vehicle() -> None:
    assembly = PackAssembly()
    for message in [*code_frames(CODE), *vin_frames(1), *cells([(1, 1)])]:
        assembly.receive(message, 0)
    assembly.reset()
    assert assembly.snapshot() == told([])


@pytest.mark.parametrize("first", [0, 1])
def test_vin_frames_count_from_zero_or_one(first: int) -> None:
    frames = vin_frames(first)
    assert told(frames).vin.text == VIN
    assert told([*frames, VehicleIdentity(frame_number=9, characters="?")]).vin.text == VIN
    if first:
        assert told(frames[:2]).vin.gaps == (3,)


def test_another_vin_does_not_mix_with_the_old_one() -> None:
    other = VehicleIdentity(frame_number=1, characters="LGW0000")
    part = told([*vin_frames(1), other]).vin
    assert (part.text, part.gaps) == (None, (2, 3))


def test_cell_frames_may_run_through_all_units() -> None:
    heard = told([*cells([(1, 1), (1, 2), (2, 4)]), counts(cell_count=15)])
    assert heard.cells.gaps == (Gap(None, 3), Gap(None, 5))
    assert "cells: 9 of 15 heard; not frames 3, 5" in heard.missing
    assert [(each.unit, each.frame, each.position) for each in heard.cells.samples[5:7]] == [
        (1, 2, 3),
        (2, 4, 1),
    ]


def test_cell_frames_may_begin_anew_in_each_unit() -> None:
    heard = told([*cells([(1, 0), (1, 2), (2, 0), (2, 1)]), counts(cell_count=15)])
    assert heard.cells.gaps == (Gap(1, 1),)
    assert "cells: 12 of 15 heard; not frames 1 of unit 1" in heard.missing


def test_without_counts_nobody_knows_how_many_cells_there_are() -> None:
    heard = told(cells([(1, 1), (1, 3)]))
    assert heard.cells.expected is None
    assert not heard.cells.complete
    assert "cells: how many there are was not heard; frames 2 were not" in heard.missing


@pytest.mark.parametrize("blank", [0.0, 65.535])
def test_blank_places_at_a_units_end_hold_no_cell(blank: float) -> None:
    def filled(unit: int, frame: int) -> CellVoltages:
        return CellVoltages(
            frame_number=frame, unit_number=unit, voltage_1=3.3, voltage_2=blank, voltage_3=blank
        )

    messages = [*cells([(1, 1)]), filled(1, 2), *cells([(2, 1)]), filled(2, 2)]
    heard = told([*messages, counts(cell_count=8)])
    assert [(each.unit, each.frame, each.position) for each in heard.cells.samples] == [
        (1, 1, 1), (1, 1, 2), (1, 1, 3), (1, 2, 1), (2, 1, 1), (2, 1, 2), (2, 1, 3), (2, 2, 1),
    ]  # fmt: skip
    assert heard.cells.complete
    assert len(told([*messages, counts(cell_count=12)]).cells.samples) == 12
    assert len(told(messages).cells.samples) == 12


def test_a_cell_at_zero_volts_in_the_middle_is_a_cell() -> None:
    dead = CellVoltages(frame_number=1, unit_number=1, voltage_1=3.3, voltage_2=0.0, voltage_3=3.3)
    heard = told([dead, *cells([(1, 2)]), counts(cell_count=5)])
    assert heard.cells.values[1] == 0.0
    assert "cells: 6 of 5 heard" in heard.missing


def test_further_cells_follow_the_first_ones() -> None:
    further = CellVoltagesFurther(frame_number=1, unit_number=1, voltage_1=3.1, voltage_2=3.0, voltage_3=2.9)
    heard = told([further, *cells([(1, 1), (1, 2)]), counts(cell_count=9)])
    assert heard.cells.complete
    assert [each.further for each in heard.cells.samples] == [False] * 6 + [True] * 3


def test_alarms_are_told_by_name_with_their_level() -> None:
    snapshot = told(
        [
            RelayStatus(positive_welded=Fault.FAULT, charge_negative_2_stuck_open=Fault.FAULT),
            FurtherRelays.decode(FurtherRelays.VECTORS[0].data),
            WorkStatus(work_state=WorkState.HIGH_VOLTAGE_ON, insulation=AlarmLevel.LEVEL_2),
        ]
    )
    assert snapshot.alarms[0] == Alarm("RelayStatus", "positive_welded", None, 0)
    assert snapshot.alarms[-1] == Alarm("WorkStatus", "insulation", 2, 20 * MILLISECOND)
    assert snapshot.welded == (
        "positive", "positive_2", "charge_negative_3", "charge_negative_4",
    )  # fmt: skip
    assert snapshot.stuck_open == (
        "charge_negative_2", "negative_2", "charge_positive_3", "charge_negative_4",
    )  # fmt: skip


def test_coolant_and_packs_are_kept_by_number() -> None:
    first = CoolantTemperatures.decode(CoolantTemperatures.VECTORS[0].data)
    second = CoolantTemperatures(frame_number=1, outlet_1=1.0, inlet_1=2.0, outlet_2=3.0, inlet_2=4.0)
    packs = [PackElectrical(pack_number=3, voltage=600.0), PackElectrical(pack_number=1, voltage=610.0)]
    snapshot = told([first, second, first, *packs])
    assert [each.message.frame_number for each in snapshot.coolant] == [1, 2]
    assert [each.message.voltage for each in snapshot.packs] == [610.0, 600.0]
    assert [each.at for each in snapshot.packs] == [40 * MILLISECOND, 30 * MILLISECOND]


def test_a_variant_of_a_message_is_taken_like_the_message() -> None:
    class Variant(TemperatureExtremes, length=8):
        """As a profile makes one."""

    message = Variant.decode(TemperatureExtremes.VECTORS[0].data)
    extremes = told([message]).extremes
    assert extremes is not None
    assert extremes.message is message


def test_other_families_and_the_vehicles_own_messages_are_let_by() -> None:
    assembly = PackAssembly()
    assembly.receive(BCL.decode(BCL.VECTORS[0].data), 0)
    assembly.receive(VehicleCommand(), 0)
    assert assembly.snapshot() == told([])


any_message = st.sampled_from(MESSAGES).flatmap(
    lambda kind: st.binary(min_size=8, max_size=8).map(kind.decode)
)


@given(st.lists(any_message, max_size=60))
def test_no_content_breaks_the_assembly(messages: list[PackMessage]) -> None:
    assembly = PackAssembly()
    for number, message in enumerate(messages):
        assembly.receive(message, number)
        snapshot = assembly.snapshot()
        assert all(isinstance(words, str) for words in snapshot.missing)
        assert snapshot.code.text is None or len(snapshot.code.text) <= 27


def test_a_flood_of_places_does_not_grow_without_end() -> None:
    assembly = PackAssembly()
    flood = [(unit, frame) for unit in range(8) for frame in range(256)]
    for number, message in enumerate(cells(flood, start=0.0)):
        assembly.receive(message, number)
    heard = assembly.snapshot().cells
    assert len(heard.samples) == 3 * FrameStore.LIMIT
    assert {each.unit for each in heard.samples} == {6, 7}


class Sum:
    """A checksum of the test's own; it knows the vehicle's command and one cipher."""

    def value(self, message: PackMessage, payload: bytes) -> int | bytes | None:
        match message:
            case VehicleCommand():
                return sum(payload) & 0xFF
            case AuthorisationCipher():
                return bytes(range(8))
            case _:
                return None


def test_a_seal_fills_the_field_and_checks_it() -> None:
    command = VehicleCommand(speed=40, alive_counter=3, checksum=77)
    good = sealed(command, Sum())
    assert good.checksum == sum(good.encode()[1:]) & 0xFF
    assert (good.speed, good.alive_counter) == (40, 3)
    assert seal_state(good, Sum()) is SealState.GOOD
    assert seal_state(VehicleCommand.decode(good.encode()), Sum(), good.encode()) is SealState.GOOD
    assert seal_state(command, Sum()) is SealState.BAD
    cipher = sealed(AuthorisationCipher(), Sum())
    assert cipher.cipher == bytes(range(8))
    assert seal_state(cipher, Sum()) is SealState.GOOD


def test_a_seal_sees_bits_that_nobody_declares() -> None:
    payload = bytearray(sealed(VehicleCommand(speed=40), Sum()).encode())
    payload[7] = 0x10
    message = VehicleCommand.decode(bytes(payload))
    assert seal_state(message, Sum(), bytes(payload)) is SealState.BAD
    payload[0] = (payload[0] + 0x10) & 0xFF
    message = VehicleCommand.decode(bytes(payload))
    assert seal_state(message, Sum(), bytes(payload)) is SealState.GOOD


def test_without_a_seal_nothing_is_known() -> None:
    command = VehicleCommand(speed=40)
    assert sealed(command, None) is command
    assert command.encode()[0] == 0
    assert seal_state(command, None) is SealState.UNSET
    work = WorkStatus(work_state=WorkState.PRECHARGE)
    assert sealed(work, Sum()) is work
    assert seal_state(work, Sum()) is SealState.UNSET
    state = PackState.decode(PackState.VECTORS[0].data)
    assert sealed(state, Sum()) is state
    assert seal_state(state, Sum()) is SealState.UNSET


def test_which_messages_are_sealed() -> None:
    fields = {message.__name__: message.sealed_field for message in MESSAGES if message.sealed_field}
    assert fields == {
        "VehicleCommand": "checksum",
        "WorkStatus": "checksum",
        "PackCode1": "checksum",
        "PackCode2": "checksum",
        "PackCode3": "checksum",
        "PackCode4": "checksum",
        "ThermalRequest": "crc",
        "AuthorisationRequest": "cipher",
        "AuthorisationCipher": "cipher",
    }


def test_energy_counters_are_in_their_order() -> None:
    swapped = [kind.decode(kind.VECTORS[0].data) for kind in (Energy5, Energy2)]
    assert [type(each.message) for each in told(swapped).energy] == [Energy2, Energy5]
