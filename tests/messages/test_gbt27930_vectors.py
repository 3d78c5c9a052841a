"""Every class has bytes from outside with their meaning, or says why there are none."""

from typing import Any

import pytest

from swapproto.messages.catalog import EDITIONS
from swapproto.messages.gbt27930 import (
    BCL,
    BRM,
    BST,
    CCS,
    CRM,
    CST,
    ChargeMode,
    ChargingMessage,
    Condition,
    Edition,
    edition2011,
)
from swapproto.provenance import Basis
from swapproto.wire.message import Vector
from swapproto.wire.reading import DeviationKind
from swapproto.wire.reference import parse

UNIQUE: dict[type[ChargingMessage], str] = {
    message: f"{message.__name__}-{edition.value[:4]}"
    for edition, messages in sorted(EDITIONS.items(), key=lambda pair: pair[0] is Edition.GBT_2015)
    for message in messages
}
VECTORS = {
    f"{name}-{number}": (message, vector)
    for message, name in UNIQUE.items()
    for number, vector in enumerate(message.VECTORS)
}
every_vector = pytest.mark.parametrize(("message", "vector"), list(VECTORS.values()), ids=list(VECTORS))

DEPARTURES = {
    "CCS-2015-1": set(),
    "BMV-2015-0": {DeviationKind.PADDED},
    "BST-2015-0": {DeviationKind.RESERVED},
    "BST-2015-1": {DeviationKind.RESERVED},
}
"""What is odd about the recorded payloads that our encoder would write otherwise."""


@pytest.mark.parametrize("message", list(UNIQUE), ids=list(UNIQUE.values()))
def test_each_class_has_a_vector_from_outside_or_says_why_not(message: type[ChargingMessage]) -> None:
    outside = [vector for vector in message.VECTORS if vector.basis in {Basis.OBSERVED, Basis.REPORTED}]
    assert bool(outside) != bool(message.unseen)
    assert all(vector.at for vector in message.VECTORS)


@every_vector
def test_each_vector_is_read_as_its_values(message: type[ChargingMessage], vector: Vector) -> None:
    decoded = message.decode(vector.data)
    assert decoded == message(**vector.values)
    values = {name: getattr(decoded, name) for name in message.layout.names}
    assert values == parse(message, vector.data).values
    for name, value in vector.values.items():
        assert type(values[name]) is type(value)


@every_vector
def test_each_canonical_vector_is_what_we_write(message: type[ChargingMessage], vector: Vector) -> None:
    written = message(**vector.values).encode()
    assert (written == vector.data) == vector.canonical
    assert message.decode(written) == message.decode(vector.data)


@pytest.mark.parametrize("name", list(VECTORS))
def test_what_is_odd_about_a_recorded_payload_is_known(name: str) -> None:
    message, vector = VECTORS[name]
    kinds = {each.kind for each in message.read(vector.data).deviations}
    assert kinds == DEPARTURES.get(name, set())
    assert (name in DEPARTURES) == (not vector.canonical)


def test_the_face_that_every_user_meets() -> None:
    payload = BCL(voltage=597.0, current=-3.0, mode=ChargeMode.CONSTANT_CURRENT).encode()
    assert payload == b"\x52\x17\x82\x0f\x02"
    assert BCL.decode(payload).voltage == 597.0
    reading = BCL.read(payload)
    assert (reading.message, reading.deviations, reading.error) == (BCL.decode(payload), (), None)
    frame = BCL.decode(payload).frame()
    assert str(frame) == "181056F4#5217820F02"


@pytest.mark.parametrize(
    ("payload", "kinds"),
    [
        ("C9 0E A0 0F 00 00 FD", []),
        ("C9 0E A0 0F 00 00 FD FF", []),
        ("C9 0E A0 0F 00 00 FD 00", [DeviationKind.RESERVED]),
        ("C9 0E A0 0F 00 00 01", [DeviationKind.RESERVED]),
        ("C9 0E A0 0F 00 00 FD FF FF", [DeviationKind.TOO_LONG]),
    ],
)
def test_ccs_comes_with_seven_bytes_or_eight(payload: str, kinds: list[DeviationKind]) -> None:
    data = bytes.fromhex(payload)
    assert [each.kind for each in CCS.read(data).deviations] == kinds
    assert CCS.decode(data) == CCS.decode(data[:7])
    assert CCS.decode(data).encode() == bytes.fromhex("C9 0E A0 0F 00 00 FD")


def test_the_crm_of_2011_needs_its_own_class() -> None:
    payload = bytes.fromhex("00 01 5A 48 2D 43 4E FF")
    assert edition2011.CRM.decode(payload).region == "ZH-CN"
    assert CRM.decode(payload).charger_number == 0x2D485A01


def test_a_brm_of_41_bytes_is_read_as_one_without_software_version() -> None:
    full = BRM.VECTORS[0].data
    reading: Any = BRM.read(full[:41])
    assert reading.message == BRM.decode(full)
    assert [each.kind for each in reading.deviations] == [DeviationKind.SHORT]


def test_faults_are_told_by_name() -> None:
    assert BST(insulation=Condition.FAULT, relay=Condition.UNTRUSTED).faults == ("insulation",)
    assert BST().faults == ()
    assert CST(emergency_stop=Condition.FAULT, voltage=Condition.FAULT).faults == (
        "emergency_stop",
        "voltage",
    )
    every = BST.decode(bytes.fromhex("00 55 55 F5"))
    assert len(every.faults) == 10
    assert len(CST.decode(bytes.fromhex("00 55 F5 F5")).faults) == 8
