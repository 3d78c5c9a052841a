"""What GB/T 27930 does not use: absent values, odd pads, all kinds of tails; and wrong declarations."""

from datetime import datetime
from typing import Annotated, Any

import pytest
from msgspec.structs import replace

from swapproto.errors import CodecError
from swapproto.messages.gbt27930 import BCL, MESSAGES, CellVoltage
from swapproto.wire.codec import source
from swapproto.wire.fields import BcdTime, Choice, Code, Raw, Repeat, S, State, Text, U
from swapproto.wire.layout import LayoutError
from swapproto.wire.message import Group, GroupMeta, Message
from swapproto.wire.reading import DeviationKind
from swapproto.wire.reference import parse


class Lamp(Code):
    OFF = 0
    ON = 1


class Far(Code):
    NEAR = 1
    FAR = 1000


class Whole(Code):
    ONES = 3


class Pair(Group):
    a: Annotated[int, U(12, at=1.1, high=0xF00)]
    lamp: Annotated[Lamp, State(at=2.5)]


class Absent(Group):
    low: Annotated[int | None, U(8, at=1, absent=0)]
    middle: Annotated[float | None, U(16, at=2, scale=0.5, absent=0x8000)]
    signed: Annotated[int | None, S(8, at=4)]
    half: Annotated[int | None, U(4, at=5.1)]
    lamp: Annotated[Lamp | None, State(at=5.5)]
    wide: Annotated[int | None, U(12, at=6.1)]
    last: Annotated[int, U(8, at=8)]


class Cut(Group):
    first: Annotated[int, U(4, at=1.1)]
    near: Annotated[int | None, U(8, at=1.5, absent=0)] = None
    far: Annotated[int | None, U(12, at=2.5)] = None
    motor: Annotated[int | None, U(16, at=4, order="big", absent=0x8000)] = None
    name: Annotated[str | None, Text(size=2, at=6)] = None


class Padded(Group):
    name: Annotated[str, Text(size=6, at=1, pad=0x2A)]


class Headed(Group):
    count: Annotated[int, U(8, at=1)]
    scale: Annotated[float, U(16, at=2, scale=0.1)]
    pairs: Annotated[tuple[Pair, ...], Repeat(max_items=4)]


class SignedTail(Group):
    values: Annotated[tuple[float, ...], Repeat(item=S(16, scale=0.1, order="big"), max_items=4)]


class OddTail(Group):
    values: Annotated[tuple[int, ...], Repeat(item=U(24, high=0xFFFF00), max_items=4)]


class BitTail(Group):
    values: Annotated[tuple[int, ...], Repeat(item=U(12, order="big"), max_items=4)]


class Opaque(Group):
    kind: Annotated[int, U(8, at=1)]
    rest: Annotated[bytes | None, Raw()] = None


class Distant(Group):
    far: Annotated[Far, Choice(bits=16, at=1)]
    clock: Annotated[datetime | None, BcdTime(at=3)] = None


NOTHING = Absent(low=None, middle=None, signed=None, half=None, lamp=None, wide=None, last=1)
SMALL = Absent(low=1, middle=0.5, signed=-2, half=5, lamp=Lamp.ON, wide=7, last=1)
LARGE = Absent(low=255, middle=16384.5, signed=127, half=14, lamp=Lamp(2), wide=0xFFE, last=0)
MILLENNIUM = datetime(1999, 12, 31, 23, 59, 58)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("message", "payload"),
    [
        (NOTHING, "00 00 80 FF FF FF FF 01"),
        (SMALL, "01 01 00 FE D5 07 F0 01"),
        (LARGE, "FF 01 80 7F EE FE FF 00"),
        (Cut(first=3), "03 F0 FF 80 00 FF FF"),
        (Padded(name="PACK"), "50 41 43 4B 2A 2A"),
        (Headed(count=2, scale=0.3, pairs=(Pair(a=1, lamp=Lamp.ON),) * 2), "02 03 00 01 D0 01 D0"),
        (SignedTail(values=(-0.1, 3276.7)), "FF FF 7F FF"),
        (OddTail(values=(1, 0x10000)), "01 00 00 00 00 01"),
        (BitTail(values=(0xABC, 0)), "AB CF 00 0F"),
        (BitTail(values=()), ""),
        (Opaque(kind=1), "01"),
        (Opaque(kind=1, rest=b"ab"), "01 61 62"),
        (Distant(far=Far.FAR, clock=MILLENNIUM), "E8 03 58 59 23 31 12 99 19"),
        (Distant(far=Far(77)), "4D 00 FF FF FF FF FF FF FF"),
    ],
)
def test_declarations_of_all_kinds(message: Any, payload: str) -> None:
    data = bytes.fromhex(payload)
    cls = type(message)
    assert message.encode() == data
    assert cls.decode(data) == message
    assert parse(cls, data).values == {name: getattr(message, name) for name in cls.layout.names}
    kinds = {each.kind for each in cls.read(data).deviations}
    assert kinds <= {DeviationKind.UNKNOWN}


@pytest.mark.parametrize(
    ("size", "near", "far", "motor", "name"),
    [
        (7, 0x21, 0x543, 0x6077, "AB"),
        (6, 0x21, 0x543, 0x6077, None),
        (5, 0x21, 0x543, 0x6077, None),
        (4, 0x21, 0x543, None, None),
        (3, 0x21, 0x543, None, None),
        (2, 0x21, None, None, None),
        (1, None, None, None, None),
    ],
)
def test_a_field_that_is_cut_is_absent_and_its_neighbour_is_not(
    size: int, near: int | None, far: int | None, motor: int | None, name: str | None
) -> None:
    payload = bytes.fromhex("1F 32 54 60 77 41 42")[:size]
    assert Cut.decode(payload) == Cut(first=15, near=near, far=far, motor=motor, name=name)
    assert [each.kind for each in Cut.read(payload).deviations] == ([DeviationKind.SHORT] if size < 7 else [])
    assert parse(Cut, payload).values["motor"] == motor


def test_nothing_left_of_a_mandatory_field_is_an_error_that_names_it() -> None:
    with pytest.raises(CodecError, match=r"Cut.first \(byte 1\): the payload ends after 0 bytes"):
        Cut.decode(b"")
    assert Cut.read(b"").error is not None


@pytest.mark.parametrize(
    ("name", "absent"),
    [("low", 0), ("middle", 16384.0), ("signed", -1), ("half", 15), ("lamp", 3), ("wide", 0xFFF)],
)
def test_a_value_that_means_absent_is_refused(name: str, absent: float) -> None:
    assert getattr(Absent.decode(replace(SMALL, **{name: None}).encode()), name) is None
    with pytest.raises(CodecError) as error:
        replace(SMALL, **{name: absent}).encode()
    assert error.value.field == name


def test_none_is_refused_where_a_value_is_wanted() -> None:
    with pytest.raises(CodecError, match=r"Absent\.last \(byte 8\): a number is expected, not None"):
        replace(SMALL, last=None).encode()


@pytest.mark.parametrize(
    ("payload", "name"),
    [("PACK\xff\xff", "PACK"), ("PACK*\0", "PACK"), ("PACK  ", "PACK"), ("P*CK**", "P*CK"), ("******", "")],
)
def test_text_loses_its_pad_whichever_it_is(payload: str, name: str) -> None:
    assert Padded.read(payload.encode("latin-1")).message == Padded(name=name)
    assert Padded.read(payload.encode("latin-1")).deviations == ()


def test_text_that_is_no_ascii_survives() -> None:
    reading = Padded.read(b"B\xe4t***")
    assert [each.kind for each in reading.deviations] == [DeviationKind.TEXT]
    assert reading.message is not None
    assert reading.message.encode() == b"B\xe4t***"


def test_reserved_bits_of_items_are_reported_where_they_stand() -> None:
    found = Headed.read(bytes.fromhex("02 03 00 01 D0 01 50")).deviations
    assert [(each.kind, each.offset) for each in found] == [(DeviationKind.RESERVED, 6)]
    found = BitTail.read(bytes.fromhex("AB C0")).deviations
    assert [(each.kind, each.offset) for each in found] == [(DeviationKind.RESERVED, 1)]


def test_faults_of_items_are_named_by_item() -> None:
    found = Headed.read(bytes.fromhex("02 03 00 01 D0 01 EF")).deviations
    assert [(each.field, each.offset) for each in found] == [("pairs[1].a", 5), ("pairs[1].lamp", 6)]
    with pytest.raises(CodecError) as error:
        Headed(count=2, scale=0.3, pairs=(Pair(a=1, lamp=Lamp.ON), Pair(a=0xFFF, lamp=Lamp.ON))).encode()
    assert (error.value.field, error.value.offset) == ("pairs[1].a", 5)


def declare(fields: dict[str, Any]) -> type:
    return GroupMeta("Wrong", (Group,), {"__annotations__": fields, "__module__": __name__})


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"a": Annotated[int, U(8, at=1)], "b": Annotated[int, U(8, at=1)]}, "b: it overlaps a in byte 1"),
        ({"a": Annotated[int, U(12, at=1)], "b": Annotated[int, U(4, at=2.4)]}, "b: it overlaps a in byte 2"),
        ({"a": int}, "a: no wire marker"),
        ({"a": Annotated[int, "U(8)"]}, "a: no wire marker"),
        ({"a": Annotated[int, U(0, at=1)]}, "a: 0 bits"),
        ({"a": Annotated[int, U(33, at=1)]}, "a: 33 bits"),
        ({"a": Annotated[int, U(8, at=0)]}, "a: 0 is no place"),
        ({"a": Annotated[int, U(8, at=1.9)]}, "a: 1.9 is no place"),
        ({"a": Annotated[int, U(8, at=77.0)]}, "a: 77.0 is no place"),
        ({"a": Annotated[int, U(8, at=1, scale=0)]}, "a: a scale is positive"),
        ({"a": Annotated[int, U(8, at=1, scale=-0.1)]}, "a: a scale is positive"),
        ({"a": Annotated[int, U(8, at=1, absent=255)]}, "a: it has an absent value"),
        ({"a": Annotated[int | None, U(8, at=1, absent=256)]}, "a: its absent value 256"),
        ({"a": Annotated[int, U(8, at=1, low=300)]}, "a: no raw value lies within its limits"),
        ({"a": Annotated[int, Choice(at=1)]}, "a: a Choice is annotated with a Code"),
        ({"a": Annotated[Whole | None, State(at=1.1)]}, "a: <Whole.ONES: 3> is all ones"),
        ({"a": Annotated[str, Text(size=2, at=1.2)]}, "a: bytes begin at a whole byte"),
        ({"a": Annotated[datetime, BcdTime(at=1)]}, "a: a clock may show no date"),
        ({"a": Annotated[bytes, Raw()], "b": Annotated[int, U(8)]}, "b: nothing can follow a"),
        ({"a": Annotated[tuple[int, ...] | None, Repeat(item=U(8), max_items=2)]}, "a: a repetition"),
        ({"a": Annotated[tuple[int, ...], Repeat(item=U(8), max_items=1786)]}, "a: 1786 items are more"),
        ({"a": Annotated[tuple[Opaque, ...], Repeat(max_items=2)]}, "a: items of Opaque have no end"),
        (
            {"a": Annotated[int, U(4, at=1.1)], "b": Annotated[int, U(4, at=1.8, order="big")]},
            "b: it shares a byte",
        ),
    ],
)
def test_a_wrong_declaration_names_class_and_field(fields: dict[str, Any], fault: str) -> None:
    with pytest.raises(LayoutError) as error:
        declare(fields)
    assert f"Wrong.{fault}" in str(error.value)


def test_a_wrong_length_or_keyword_is_refused() -> None:
    with pytest.raises(LayoutError, match="Short: 2 bytes of fields in a message of 1"):

        class Short(Group, length=1):
            a: Annotated[int, U(16, at=1)]

    with pytest.raises(LayoutError, match=r"Long\.rest: it begins at byte 2, not after 4 bytes"):

        class Long(Group, length=4):
            a: Annotated[int, U(8, at=1)]
            rest: Annotated[bytes, Raw()]

    with pytest.raises(LayoutError, match="title is a property of the message and cannot name a field"):

        class Clash(Message, title="a title"):
            title: Annotated[int, U(8, at=1)]  # type: ignore[misc,assignment]


def test_a_class_without_fields_says_so() -> None:
    with pytest.raises(LayoutError, match="Group declares no fields"):
        Group.decode(b"")
    with pytest.raises(LayoutError, match="Group declares no fields"):
        Group.read(b"")
    with pytest.raises(LayoutError, match="Group declares no fields"):
        Group().encode()


def test_fields_follow_each_other_without_places() -> None:
    class Sequence(Group):
        a: Annotated[int, U(8)]
        b: Annotated[int, U(4)]
        c: Annotated[int, U(4)]
        d: Annotated[int, U(16, order="big")]
        e: Annotated[int, U(8)]

    assert Sequence.decode(bytes.fromhex("01 32 04 05 06")) == Sequence(a=1, b=2, c=3, d=0x405, e=6)


def test_places_are_told_as_the_tables_do() -> None:
    assert [Absent.layout.field(name).place for name in ("low", "middle", "half", "lamp")] == [
        "1",
        "2-3",
        "5.1",
        "5.5",
    ]
    with pytest.raises(KeyError):
        Absent.layout.field("nothing")


@pytest.mark.parametrize("cls", [*MESSAGES, CellVoltage, Headed, Cut], ids=lambda cls: str(cls.__name__))
def test_the_source_of_a_codec_can_be_printed_and_compiled(cls: type[Group]) -> None:
    text = source(cls)
    compile(text, cls.__name__, "exec")
    assert [line for line in text.splitlines() if line.startswith("def ") and "read_items" not in line] == [
        "def decode(payload):", "def read(payload):", "def encode(self):",
    ]  # fmt: skip
    assert all(f"self.{name}" in text for name in cls.layout.names)


def test_the_source_of_bcl_is_what_one_would_write() -> None:
    assert "voltage=w0 / 10, current=(w1 - 4000) / 10, mode=ChargeMode_8[w2]" in source(BCL)
