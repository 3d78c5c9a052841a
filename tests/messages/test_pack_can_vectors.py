"""Bytes worked out by hand with their meaning, for every message of the D0/F3 family."""

import pytest

from swapproto.messages.pack_can import (
    MESSAGES,
    Energy3,
    PackElectrical,
    PackMessage,
    RelayState,
    RelayStatus,
    SwapController,
    Unit,
    VehicleCommand,
)
from swapproto.provenance import Basis
from swapproto.wire.reading import DeviationKind
from swapproto.wire.reference import parse

every_message = pytest.mark.parametrize("message", MESSAGES)


@every_message
def test_each_class_has_a_vector_and_says_that_nobody_recorded_it(message: type[PackMessage]) -> None:
    assert message.VECTORS
    assert message.unseen
    assert {vector.basis for vector in message.VECTORS} == {Basis.DERIVED}
    assert all(vector.at for vector in message.VECTORS)


@every_message
def test_each_vector_is_read_as_its_values_and_written_again(message: type[PackMessage]) -> None:
    for vector in message.VECTORS:
        expected = message(**vector.values)
        reading = message.read(vector.data)
        assert (reading.message, reading.deviations, reading.error) == (expected, (), None)
        assert message.decode(vector.data) == expected
        assert expected.encode() == vector.data
        values = {name: getattr(expected, name) for name in message.layout.names}
        assert values == parse(message, vector.data).values
        for name, value in vector.values.items():
            assert type(getattr(message.decode(vector.data), name)) is type(value)


@every_message
def test_each_vector_tells_its_fields_apart(message: type[PackMessage]) -> None:
    """Numbers are not zero, and differ from a neighbour of the same width."""
    data = message.VECTORS[0].data
    for field in message.layout.fields:
        if field.bits > 4 and field.code is None:
            assert field.extract(data), field.name
    for field, following in zip(message.layout.fields, message.layout.fields[1:], strict=False):
        if field.bits == following.bits > 4 and field.code is None is following.code:
            assert field.extract(data) != following.extract(data)


@every_message
def test_bits_that_nobody_declares_are_sent_as_zeros_and_not_read(message: type[PackMessage]) -> None:
    data = message.VECTORS[0].data
    claimed = message.layout.claimed
    assert all(byte & ~mask & 0xFF == 0 for byte, mask in zip(data, claimed, strict=True))
    filled = bytes(byte | (~mask & 0xFF) for byte, mask in zip(data, claimed, strict=True))
    assert message.read(filled) == message.read(data)


def test_which_bits_nobody_declares() -> None:
    undeclared = {
        message.__name__: bytes(~mask & 0xFF for mask in message.layout.claimed).hex(" ").upper()
        for message in MESSAGES
        if any(mask != 0xFF for mask in message.layout.claimed)
    }
    assert undeclared == {
        "PackRequest": "C0 00 00 00 00 00 FF FF",
        "VehicleCommand": "00 00 00 00 00 00 C0 FF",
        "Clock": "00 00 00 00 FE FF FF FF",
        "StorageFaults": "00 00 00 00 0F 00 00 FF",
        "TemperatureExtremes": "00 00 00 00 00 00 00 FF",
        "CellMaximum": "00 00 00 00 00 00 00 F8",
        "AuthorisationReply": "00 00 00 00 3F 00 00 03",
        "CoolantTemperatures": "00 00 00 00 00 00 00 FF",
        "FurtherRelays": "00 00 00 00 00 00 00 FF",
        "InsulationStatus": "FC 00 00 00 00 00 00 00",
        "InsulationCommand": "00 F0 00 00 00 00 FF FF",
        "PackElectrical": "00 00 00 00 00 00 00 FF",
        "Energy2": "00 00 00 00 00 00 00 FC",
        "Energy3": "00 00 00 00 00 FF 00 00",
        "AuthorisationNumber": "00 00 00 00 FF FF FF FF",
        "ThermalRequest": "00 00 00 FF 00 FF 00 00",
        "ThermalState": "F0 00 00 00 FF 00 00 00",
        "SwapController": "00 00 FF FC 00 FF FF FF",
    }


def test_a_value_that_the_source_reserves_is_no_state_and_no_remark() -> None:
    blank = RelayStatus.read(bytes(8))
    assert blank.deviations == ()
    assert blank.message is not None
    assert blank.message.positive is RelayState.NOT_GIVEN
    assert not blank.message.positive.given
    fresh = RelayStatus()
    assert (fresh.positive, fresh.positive.given) == (RelayState.INVALID, False)


def test_other_reserved_values_are_reported() -> None:
    found = SwapController.read(bytes.fromhex("00 03 00 00 21 00 00 00"))
    assert [(each.kind, each.field) for each in found.deviations] == [
        (DeviationKind.UNKNOWN, "lock"),
        (DeviationKind.RANGE, "fault_code"),
    ]


@pytest.mark.parametrize(
    ("raw", "voltage", "kinds"),
    [
        ("FF FF", None, []),
        ("FE FF", 6553.4, [DeviationKind.RANGE]),
        ("FD FF", 6553.3, []),
    ],
)
def test_abnormal_is_out_of_range_and_invalid_is_absent(
    raw: str, voltage: float | None, kinds: list[DeviationKind]
) -> None:
    reading = PackElectrical.read(bytes.fromhex(f"01 {raw} FF FF FF FF 00"))
    assert reading.message is not None
    assert (reading.message.voltage, reading.message.current) == (voltage, None)
    assert [each.kind for each in reading.deviations] == kinds


def test_the_alive_counter_of_the_vehicle_has_an_invalid_value() -> None:
    assert VehicleCommand(alive_counter=None).encode()[1] & 0x0F == 15
    assert VehicleCommand.decode(bytes(8)).alive_counter == 0


def test_a_frame_is_on_the_bus_as_people_know_it() -> None:
    message = Energy3(on_vehicle=0.1, maximum_cell_soc=0.4, minimum_cell_soc=0.8, state_of_energy=0.3)
    assert str(message.frame()) == "18F3D0F3#0100000102000300"
    assert message.sender is Unit.BMS
