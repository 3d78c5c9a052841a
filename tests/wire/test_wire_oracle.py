"""The codec against construct, which reads the same declaration by other means."""

from typing import Any

import pytest
from construct import StreamError
from hypothesis import given, settings
from hypothesis import strategies as st

from swapproto.errors import CodecError
from swapproto.messages.catalog import EDITIONS, SETS, message_set
from swapproto.messages.gbt27930 import BEM, BMV, CCS, CRM, Edition
from swapproto.messages.pack_can import VehicleCommand
from swapproto.wire.message import Group, Message
from swapproto.wire.reading import DeviationKind
from swapproto.wire.reference import Parsed, parse, reference

UNIQUE: dict[type[Message], str] = {
    message: f"{message.__name__}-{name}" for name in SETS[::-1] for message in message_set(name)
}
UNIQUE |= {
    message: f"{message.__name__}-{edition.value[:4]}"
    for edition, messages in sorted(EDITIONS.items(), key=lambda pair: pair[0] is Edition.GBT_2015)
    for message in messages
}
every_message = pytest.mark.parametrize("cls", list(UNIQUE), ids=list(UNIQUE.values()))

ODD_NUMBERS = {DeviationKind.RANGE, DeviationKind.UNKNOWN}


def oracle(cls: type[Group], payload: bytes) -> Parsed | None:
    try:
        return parse(cls, payload)
    except StreamError:
        return None


def values(message: Group) -> dict[str, Any]:
    return {name: getattr(message, name) for name in message.layout.names}


def agree(cls: type[Group], payload: bytes) -> None:
    """What decode, read and encode say of a payload is what the oracle says."""
    expected = oracle(cls, payload)
    reading = cls.read(payload)
    assert (reading.message is None) == (reading.error is not None) == (expected is None)
    if reading.message is None or expected is None:
        assert isinstance(reading.error, CodecError)
        assert reading.deviations == ()
        with pytest.raises(CodecError) as error:
            cls.decode(payload)
        assert str(error.value) == str(reading.error)
        return
    assert cls.decode(payload) == reading.message
    assert values(reading.message) == expected.values
    found = reading.deviations
    reserved = {each.offset for each in found if each.kind is DeviationKind.RESERVED}
    filled = cls.layout.reserved_bit == 1
    assert reserved == {run.offset for run in expected.reserved if filled and not run.ones}
    assert {each.field for each in found if each.kind in ODD_NUMBERS} == set(expected.outside)
    if not found:
        layout = cls.layout
        assert len(payload) >= layout.length if layout.tail is not None else len(payload) in layout.lengths
    if DeviationKind.RANGE in {each.kind for each in found} or too_many(reading.message):
        with pytest.raises(CodecError) as error:
            reading.message.encode()
        assert error.value.field in {*expected.outside, cls.layout.names[-1]}
    else:
        assert_canonical(cls, reading.message, expected)


def too_many(message: Group) -> bool:
    tail = message.layout.tail
    return tail is not None and tail.item is not None and len(getattr(message, tail.name)) > tail.max_items


def assert_canonical(cls: type[Group], message: Group, expected: Parsed) -> None:
    """Encoded, the message has its exact length, filled reserved bits, and the values that were read."""
    written = message.encode()
    again = parse(cls, written)
    assert all(run.ones if cls.layout.reserved_bit else run.value == 0 for run in again.reserved)
    for name, value in expected.values.items():
        blank = value == "" and cls.layout.field(name).optional  # written as ones, which is no text at all
        assert again.values[name] == (None if blank else value)
    clean = cls.read(written)
    assert {each.kind for each in clean.deviations} <= {DeviationKind.UNKNOWN, DeviationKind.TEXT}
    assert clean.message is not None
    assert clean.message.encode() == written


def payloads(cls: type[Group]) -> st.SearchStrategy[bytes]:
    size = cls.layout.length or 12
    recorded = [vector.data for vector in getattr(cls, "VECTORS", ())] or [b"\xff" * size]
    whole = st.sampled_from(recorded)
    near = st.builds(flip, whole, st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=4))
    cut = st.builds(lambda data, end: data[:end], near, st.integers(0, 60))
    longer = st.builds(lambda data, more: data + more, near, st.binary(max_size=9) | st.just(b"\xff\xff\xff"))
    edges = st.lists(st.sampled_from([0x00, 0xFF, 0x01, 0xF0, 0xFE]), min_size=size, max_size=size).map(bytes)
    return near | cut | longer | edges | st.binary(min_size=size, max_size=size) | st.binary(max_size=64)


def flip(data: bytes, changes: list[tuple[int, int]]) -> bytes:
    changed = bytearray(data)
    for place, mask in changes:
        changed[place % len(changed)] ^= mask
    return bytes(changed)


@every_message
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_codec_and_oracle_agree(cls: type[Group], data: st.DataObject) -> None:
    agree(cls, data.draw(payloads(cls)))


@every_message
def test_codec_and_oracle_agree_on_every_length(cls: type[Group]) -> None:
    for size in range(cls.layout.length + 12):
        for byte in (0x00, 0xFF, 0x5A):
            agree(cls, bytes([byte]) * size)


@every_message
def test_every_bit_belongs_to_one_field_or_is_reserved(cls: type[Group]) -> None:
    """Cleared one by one in a payload of ones, each bit moves a value or is reported; none is lost.

    Where reserved bits are zeros, they are the bits that may be anything.
    """
    ones = b"\xff" * max(cls.layout.lengths)
    before = cls.read(ones)
    for bit in range(len(ones) * 8):
        payload = flip(ones, [(bit // 8, 1 << bit % 8)])
        after = cls.read(payload)
        read = cls.layout.reserved_bit or cls.layout.claimed[bit // 8] >> bit % 8 & 1
        same = (after.message, after.deviations) == (before.message, before.deviations)
        assert same != bool(read)
        agree(cls, payload)


@every_message
@given(payload=st.binary(max_size=80))
def test_bytearray_and_memoryview_read_like_bytes(cls: type[Group], payload: bytes) -> None:
    for other in (bytearray(payload), memoryview(payload)):
        mine, same = cls.read(other), cls.read(payload)  # type: ignore[arg-type]
        assert (mine.message, mine.deviations, str(mine.error)) == (
            same.message,
            same.deviations,
            str(same.error),
        )


@every_message
def test_the_oracle_builds_what_the_codec_writes(cls: type[Group]) -> None:
    for vector in getattr(cls, "VECTORS", ()):
        written = cls.decode(vector.data).encode()
        struct = reference(cls)
        assert struct.build(struct.parse(written)) == written


def test_the_oracle_fills_reserved_bits_with_ones_by_itself() -> None:
    raw = {"bytes_1_4": {field.name: 0 for field in BEM.layout.fields}}
    assert reference(BEM).build(raw) == bytes.fromhex("F0 F0 F0 00")


def test_the_oracle_fills_the_bits_of_other_families_with_zeros() -> None:
    raw = reference(VehicleCommand).parse(VehicleCommand(alive_counter=7).encode())
    built: bytes = reference(VehicleCommand).build(raw)
    assert built == bytes.fromhex("00 F7 00 FF CF CC 0C 00")


@pytest.mark.parametrize(
    ("payload", "values"), [("2A 00 A0 0F 00 00 FD FF", ()), ("2A 00 A0 0F 00 00 FD 00", (0,))]
)
def test_the_oracle_knows_the_longer_form_of_ccs(payload: str, values: tuple[int, ...]) -> None:
    odd = [run.value for run in parse(CCS, bytes.fromhex(payload)).reserved if not run.ones]
    assert tuple(odd) == values


def test_the_oracle_leaves_out_what_a_payload_cuts() -> None:
    assert parse(CRM, bytes.fromhex("AA 01 00 00 00")).values["region"] is None
    with pytest.raises(StreamError):
        parse(CRM, bytes.fromhex("AA 01 00 00"))
    assert parse(BMV, bytes.fromhex("4F 11 4F")).values["cells"] == BMV.decode(bytes.fromhex("4F 11")).cells
