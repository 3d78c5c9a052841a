"""The travelling pack: its contactors, what it says on its CAN, and who listens."""

from collections.abc import Iterator
from typing import Any

import pytest

from swapproto.frame import MILLISECOND, SECOND, Instant
from swapproto.messages.catalog import message_set
from swapproto.messages.pack_can import (
    MESSAGES,
    AuthorisationReply,
    AuthorisationRequest,
    CellVoltagesFurther,
    HighVoltageCommand,
    PackCellVoltages,
    PackCode1,
    PackCode2,
    PackCode3,
    PackCode4,
    PackElectrical,
    PackMessage,
    PackTemperatures,
    RelayState,
    RelayStatus,
    Unit,
    VehicleCommand,
    WorkStatus,
)
from swapproto.messages.pack_can.snapshot import PackAssembly
from swapproto.models.contactors import Contactors
from swapproto.models.pack_listener import PackListener
from swapproto.models.pack_node import LACKED, PackNode
from swapproto.models.swap_pack import SwapPack
from swapproto.session.swap import messages as m
from swapproto.session.swap.conditions import RELAYS_OPEN
from swapproto.session.swap.messages import TRUCK
from swapproto.session.swap.view import View

CODE = "0ZZPB010000000E390596854"
OPEN, CLOSED = RelayState.OPEN, RelayState.CLOSED
SET = message_set("pack-can-d0f3")
LEFT_OUT = {
    AuthorisationReply,
    AuthorisationRequest,
    CellVoltagesFurther,
    PackCellVoltages,
    PackElectrical,
    PackTemperatures,
}


def _said(node: PackNode, until: Instant, start: Instant = 0) -> Iterator[tuple[PackMessage, Instant]]:
    """Everything that the node sends, with the instant."""
    now = start
    while now <= until:
        node.handle_timeout(now)
        while (frame := node.poll_transmit()) is not None:
            found = SET.by_identifier(frame.id)
            assert found is not None
            yield found[0].decode(frame.data), now
        due = node.next_timeout()
        if due is None:
            return
        now = due


def _supplied(pack: SwapPack) -> PackNode:
    node = PackNode(pack)
    node.supply(0, on=True)
    return node


def _order(wish: HighVoltageCommand) -> VehicleCommand:
    return VehicleCommand(high_voltage=wish)


def test_every_cyclic_message_comes_at_its_declared_period() -> None:
    instants: dict[type[PackMessage], list[Instant]] = {}
    for message, at in _said(_supplied(SwapPack(CODE)), 20 * SECOND):
        instants.setdefault(type(message), []).append(at)
    wanted = {kind for kind in MESSAGES if kind.sender is Unit.BMS} - LEFT_OUT
    assert set(instants) == wanted
    for kind, heard in instants.items():
        period = kind.period()
        assert period is not None
        assert heard == list(range(0, 20 * SECOND + 1, period)), kind.__name__


def test_what_it_says_makes_a_whole_snapshot_within_eight_seconds() -> None:
    pack, assembly = SwapPack(CODE, soc=0.42), PackAssembly()
    for message, at in _said(_supplied(pack), 8 * SECOND):
        assembly.receive(message, at)
    snapshot = assembly.snapshot()
    assert snapshot.code.text == CODE
    assert snapshot.cells.complete
    assert snapshot.temperatures.complete
    assert snapshot.cells.values == pytest.approx(pack.plant.battery.cell_voltages(), abs=0.0005)
    assert snapshot.state is not None
    assert snapshot.state.message.soc == pytest.approx(42, abs=0.2)
    assert snapshot.missing == ("VIN: not heard",)


def test_without_supply_it_is_silent_and_its_contactors_open() -> None:
    pack = SwapPack(CODE)
    node = _supplied(pack)
    node.receive(_order(HighVoltageCommand.ON).frame(), 0)
    assert pack.contactors.closed
    node.supply(SECOND, on=False)
    assert not pack.contactors.closed
    assert node.next_timeout() is None
    assert node.poll_transmit() is None
    node.receive(_order(HighVoltageCommand.ON).frame(), 2 * SECOND)
    assert not pack.contactors.closed


@pytest.mark.parametrize("wish", [HighVoltageCommand.NOT_GIVEN, HighVoltageCommand.INVALID])
@pytest.mark.parametrize("before", [HighVoltageCommand.ON, HighVoltageCommand.OFF])
def test_an_order_that_is_none_changes_nothing(wish: HighVoltageCommand, before: HighVoltageCommand) -> None:
    node = _supplied(SwapPack(CODE))
    node.receive(_order(before).frame(), 0)
    node.receive(_order(wish).frame(), SECOND)
    assert node.pack.contactors.closed is (before is HighVoltageCommand.ON)


def test_contactors_precharge_first_and_the_bus_voltage_follows() -> None:
    contactors = Contactors()
    assert contactors.bus_voltage(700, 0) == 0
    contactors.close(0)
    assert contactors.states(0) == (OPEN, CLOSED, CLOSED)
    assert 0 < contactors.bus_voltage(700, 100 * MILLISECOND) < 650
    assert contactors.states(SECOND) == (CLOSED, CLOSED, OPEN)
    assert contactors.bus_voltage(700, SECOND) == 700
    contactors.open(700, SECOND)
    assert contactors.states(SECOND) == (OPEN, OPEN, OPEN)
    falling = [contactors.bus_voltage(700, SECOND + n * 500 * MILLISECOND) for n in range(8)]
    assert falling == sorted(falling, reverse=True)
    assert falling[0] == 700
    assert falling[-1] < 60
    contactors.bridged = True
    assert contactors.bus_voltage(700, 100 * SECOND) == 700


def test_the_listener_reports_relays_welds_voltage_code_and_alarm_with_their_age() -> None:
    pack, listener = SwapPack(CODE, soc=0.5), PackListener(TRUCK, lacks=LACKED)
    node = _supplied(pack)
    assert listener.report(0) is None
    for message, at in _said(node, 0):
        listener.receive(message.frame(), at)
    report = listener.report(30 * MILLISECOND)
    assert report is not None
    assert report.code == CODE
    assert report.relays.value is not None
    assert set(report.relays.value.values()) == {OPEN}
    assert len(report.relays.value) == 8
    assert report.relays.age == report.bus_voltage.age == report.welded.age == 30 * MILLISECOND
    assert (report.welded.value, report.bus_voltage.value, report.alarm) == (False, 0, 0)
    assert not report.thermal_event
    assert listener.report(40 * MILLISECOND) is None
    pack.contactors.weld_detected = pack.thermal_event = True
    pack.high_voltage(0, on=True)
    for message, at in _said(node, 100 * MILLISECOND, 100 * MILLISECOND):
        listener.receive(message.frame(), at)
    report = listener.report(100 * MILLISECOND)
    assert report is not None
    assert report.relays.value is not None
    assert CLOSED in report.relays.value.values()
    assert report.welded.value
    assert (report.thermal_event, report.alarm) == (True, 3)


def test_an_invalid_relay_is_reported_and_one_that_is_not_there_is_left_out() -> None:
    listener = PackListener(TRUCK, lacks=frozenset({"dcdc"}))
    said = RelayStatus(positive=RelayState.INVALID, heating_1=OPEN, dcdc=RelayState.NOT_GIVEN)
    listener.receive(said.frame(), 0)
    report = listener.report(0)
    assert report is not None
    assert report.relays.value is not None
    assert report.relays.value["positive"] is RelayState.INVALID
    assert "dcdc" not in report.relays.value
    assert set(report.lacks) == {"dcdc"}


@pytest.mark.parametrize("lacks", [frozenset[str](), LACKED])
def test_a_relay_whose_state_is_not_given_is_passed_on_as_such(lacks: frozenset[str]) -> None:
    listener = PackListener(TRUCK, lacks=lacks)
    names = [name for name in m.RELAYS if name in RelayStatus.__struct_fields__]
    states: dict[str, Any] = {**dict.fromkeys(names, RelayState.NOT_GIVEN), "heating_1": OPEN}
    listener.receive(RelayStatus(**states).frame(), 0)
    report = listener.report(0)
    assert report is not None
    assert report.relays.value == {name: states[name] for name in names if name not in lacks}
    view = View(SECOND)
    view.take(report, 0)
    fault = RELAYS_OPEN.fault(view, TRUCK, 0, SECOND)
    assert fault is not None
    assert "positive not given" in str(fault)
    assert report.welded.value is (False if lacks else None)


@pytest.mark.parametrize("name", ["positive", "negative", "nonsense"])
def test_no_pack_lacks_its_main_relays_or_what_no_pack_has(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        PackListener(TRUCK, lacks=frozenset({name}))


def _code_frames(text: str) -> list[PackMessage]:
    return [
        PackCode1(length=24, characters=text[:6]), PackCode2(characters=text[6:13]),
        PackCode3(characters=text[13:20]), PackCode4(characters=text[20:]),
    ]  # fmt: skip


def test_the_code_frames_of_two_packs_do_not_mix_and_nothing_stays_of_the_first() -> None:
    listener = PackListener(TRUCK)
    other = "A" + CODE[1:7] + "B" + CODE[8:]
    listener.receive(RelayStatus(positive=OPEN).frame(), 0)
    for frame in _code_frames(CODE):
        listener.receive(frame.frame(), 0)
    first = listener.report(1)
    assert first is not None
    assert first.code == CODE
    for heard, frame in enumerate(_code_frames(other), 1):
        listener.receive(frame.frame(), heard)
        report = listener.report(heard)
        assert report is not None
        assert report.relays.value is None
        assert report.code == (other if heard == 4 else None)


def test_a_listener_that_has_not_heard_of_relays_vouches_for_none() -> None:
    listener = PackListener(TRUCK)
    (work,) = (m for m, _ in _said(_supplied(SwapPack(CODE)), 0) if isinstance(m, WorkStatus))
    listener.receive(work.frame(), 0)
    report = listener.report(0)
    assert report is not None
    unknown = (report.relays.value, report.welded.value, report.bus_voltage.value, report.code)
    assert unknown == (None, None, None, None)
