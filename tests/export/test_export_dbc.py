"""The DBC against our own codec, read by a parser that shares nothing with us."""

import string
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, get_type_hints

import cantools
import msgspec
import pytest
from cantools.database import Database
from cantools.database.can import Message as Foreign
from hypothesis import given, settings
from hypothesis import strategies as st

from swapproto.errors import SwapError
from swapproto.export.dbc import entries, files
from swapproto.export.source import Declaration, declaration
from swapproto.messages.catalog import SETS, MessageSet
from swapproto.messages.gbt27930 import BCL
from swapproto.messages.pack_can import ThermalRequest
from swapproto.wire.fields import Choice, Integer, Raw, Text, U
from swapproto.wire.layout import Field
from swapproto.wire.message import Message

DECLARED = {name: declaration(name) for name in SETS}
every_profile = pytest.mark.parametrize("name", SETS)


def text(declared: Declaration, encoding: str = "utf-8") -> str:
    ((_, content),) = files(declared, encoding=encoding).items()
    return content.decode(encoding)


def database(content: str) -> Database:
    found = cantools.database.load_string(content, database_format="dbc", strict=True)
    assert isinstance(found, Database)
    return found


DATABASES = {name: database(text(declared)) for name, declared in DECLARED.items()}
FIXED = [
    pytest.param(name, entry.cls, entry.can_id, id=f"{name}-{entry.name}")
    for name, declared in DECLARED.items()
    for entry in entries(declared)
    if entry.cls.layout.tail is None
]
REPEATING = [
    pytest.param(name, entry.cls, entry.can_id, id=f"{name}-{entry.name}")
    for name, declared in DECLARED.items()
    for entry in entries(declared)
    if entry.cls.layout.tail is not None and entry.cls.layout.tail.item is not None
]


def foreign(databases: Mapping[str, Database], name: str, can_id: int) -> Foreign:
    return databases[name].get_message_by_frame_id(can_id)


def disagreement(cls: type[Message], peer: Foreign, payload: bytes) -> str | None:
    """Where the DBC reads other values out of a payload than we do; None where it does not."""
    if peer.length != cls.layout.length:
        return f"length {peer.length}, not {cls.layout.length}"
    message = cls.decode(payload)
    theirs: Any = peer.decode(payload, decode_choices=False)
    for field in cls.layout.fields:
        if isinstance(field.marker, Integer | Choice):
            ours = getattr(message, field.name)
            expected = field.to_physical(field.absent or 0) if ours is None else ours
            if theirs[field.name] != pytest.approx(float(expected), rel=1e-12, abs=1e-9):
                return f"{field.name}: {theirs[field.name]}, not {expected}"
        else:
            first, last = field.span
            raw = bytes(int(theirs[f"{field.name}_{number + 1}"]) for number in range(last - first + 1))
            if raw != payload[first : last + 1]:
                return f"{field.name}: {raw!r}"
    return None


@pytest.mark.parametrize(("name", "cls", "can_id"), FIXED)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_every_signal_reads_as_ours(name: str, cls: type[Message], can_id: int, data: st.DataObject) -> None:
    size = cls.layout.length
    payload = data.draw(st.binary(min_size=size, max_size=size))
    assert disagreement(cls, foreign(DATABASES, name, can_id), payload) is None


def bytes_of(field: Field) -> st.SearchStrategy[Any]:
    size = field.bits // 8
    match field.marker:
        case Text():
            return st.text(
                st.sampled_from(string.ascii_letters + string.digits), min_size=size, max_size=size
            )
        case Raw():
            return st.binary(min_size=size, max_size=size).filter(lambda drawn: set(drawn) != {0xFF})
        case _:
            return st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)).map(  # noqa: DTZ001
                lambda drawn: drawn.replace(microsecond=0)
            )


def drawn_values(data: st.DataObject, cls: type[Message]) -> tuple[dict[str, Any], dict[str, Any], bool]:
    """Values for our encoder, those of numbers and codes for the DBC's, and whether all are in range."""
    ours: dict[str, Any] = {}
    theirs: dict[str, Any] = {}
    whole = True
    for field in cls.layout.fields:
        marker = field.marker
        if not isinstance(marker, Integer | Choice):
            ours[field.name] = data.draw(bytes_of(field), field.name)
            continue
        if field.absent is not None and data.draw(st.integers(0, 7)) == 0:
            raw, ours[field.name], whole = field.absent, None, False
        elif field.code is not None:
            ours[field.name] = data.draw(st.sampled_from(list(field.code)), field.name)
            raw = int(ours[field.name])
        else:
            raw = data.draw(st.integers(field.raw_low, field.raw_high), field.name)
            ours[field.name] = physical(marker, raw)
        theirs[field.name] = physical(marker, raw)
    return ours, theirs, whole


def physical(marker: Integer | Choice, raw: int) -> float:
    if isinstance(marker, Choice):
        return raw
    exact = Decimal(raw) * Decimal(str(marker.scale)) + Decimal(str(marker.offset))
    return int(exact) if exact == int(exact) else float(exact)


def mistake(
    cls: type[Message], peer: Foreign, ours: dict[str, Any], theirs: dict[str, Any], *, whole: bool
) -> str | None:
    """Where the DBC writes other bytes than we do, for the same values."""
    written = cls(**ours).encode()
    theirs = dict(theirs)
    for field in cls.layout.fields:
        if field.name not in theirs:
            first, last = field.span
            theirs |= {f"{field.name}_{n + 1}": byte for n, byte in enumerate(written[first : last + 1])}
    encoded = peer.encode(theirs, strict=whole, padding=False)
    filler = 0xFF * cls.layout.reserved_bit
    claimed = cls.layout.claimed[: len(written)]
    filled = bytes(byte | filler & ~claim for byte, claim in zip(encoded, claimed, strict=False))
    return None if filled == written else f"{filled.hex()} is not {written.hex()}"


@pytest.mark.parametrize(("name", "cls", "can_id"), FIXED)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_what_we_encode_the_dbc_encodes_too(
    name: str, cls: type[Message], can_id: int, data: st.DataObject
) -> None:
    ours, theirs, whole = drawn_values(data, cls)
    assert mistake(cls, foreign(DATABASES, name, can_id), ours, theirs, whole=whole) is None


@pytest.mark.parametrize(("name", "cls", "can_id"), REPEATING)
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_every_item_reads_as_ours(name: str, cls: type[Message], can_id: int, data: st.DataObject) -> None:
    peer, tail = foreign(DATABASES, name, can_id), cls.layout.tail
    assert tail is not None
    assert tail.item is not None
    size = tail.offset + tail.max_items * tail.item.length
    assert peer.length == size
    # Few bytes are drawn, so that the many are quick to make.
    seed = data.draw(st.binary(min_size=11, max_size=31))
    payload = (seed * (size // len(seed) + 1))[:size]
    theirs: Any = peer.decode(payload, decode_choices=False)
    items = getattr(cls.decode(payload), tail.name)
    assert len(items) == tail.max_items
    for number, item in enumerate(items, 1):
        for field in tail.item.fields:
            value = item if tail.scalar else getattr(item, field.name)
            signal = f"{tail.name}_{number}" + ("" if tail.scalar else f"_{field.name}")
            expected = field.to_physical(field.absent or 0) if value is None else value
            assert theirs[signal] == pytest.approx(float(expected), rel=1e-12, abs=1e-9)


def test_a_message_of_cells_has_its_full_length() -> None:
    bmv = DATABASES["gbt27930-2015"].get_message_by_name("BMV")
    assert (bmv.length, len(bmv.signals)) == (512, 512)
    payload = bytes.fromhex("4F11 4E21") + b"\xff" * 508
    values: Any = bmv.decode(payload, decode_choices=False)
    assert (values["cells_1_voltage"], values["cells_1_group"]) == (pytest.approx(3.35), 1)
    assert (values["cells_2_voltage"], values["cells_2_group"]) == (pytest.approx(3.34), 2)


BCL_PLANTED = {
    "scale": ("voltage : 0|16@1+ (0.1,0)", "voltage : 0|16@1+ (0.2,0)"),
    "offset": ("(0.1,-400)", "(0.1,-399)"),
    "order": ("current : 16|16@1+", "current : 23|16@0+"),
    "width": ("mode : 32|8@1+", "mode : 32|7@1+"),
    "sign": ("current : 16|16@1+", "current : 16|16@1-"),
    "length": ("BCL: 5 BMS", "BCL: 6 BMS"),
}
THERMAL_PLANTED = {
    "scale": ("voltage : 15|16@0+ (1,0)", "voltage : 15|16@0+ (0.5,0)"),
    "offset": ("(1,-40)", "(1,-41)"),
    "place": ("set_temperature : 39|8@0+", "set_temperature : 31|8@0+"),
    "place of the highest bit": ("voltage : 15|16@0+", "voltage : 23|16@0+"),
    "order": ("voltage : 15|16@0+", "voltage : 8|16@1+"),
    "width": ("voltage : 15|16@0+", "voltage : 15|15@0+"),
    "sign": ("voltage : 15|16@0+", "voltage : 15|16@0-"),
}
PLANTED = [
    pytest.param(name, cls, right, wrong, id=f"{cls.__name__}-{planted}")
    for name, cls, table in (
        ("gbt27930-2015", BCL, BCL_PLANTED), ("pack-can-d0f3", ThermalRequest, THERMAL_PLANTED)
    )
    for planted, (right, wrong) in table.items()
]  # fmt: skip
REVEALING = {"BCL": b"\xff\x7f\x34\x92\xff", "ThermalRequest": bytes.fromhex("56 92 65 C3 3E 00 8E 4D")}


@pytest.mark.parametrize(("name", "cls", "right", "wrong"), PLANTED)
def test_an_error_planted_into_the_file_is_seen(
    name: str, cls: type[Message], right: str, wrong: str
) -> None:
    content = text(DECLARED[name])
    begin = content.index(f" {cls.__name__}: ")
    assert right in content[begin : content.index("BO_ ", begin)]
    bad = database(content[:begin] + content[begin:].replace(right, wrong, 1))
    payload = REVEALING[cls.__name__]
    assert disagreement(cls, DATABASES[name].get_message_by_name(cls.__name__), payload) is None
    assert disagreement(cls, bad.get_message_by_name(cls.__name__), payload)


VARIANTS = [
    pytest.param(name, cls, field, marker, id=f"{cls.__name__}-{planted}")
    for name, cls, field, table in (
        ("gbt27930-2015", BCL, "current", {
            "scale": U(16, at=3, scale=0.2, offset=-400, unit="A"),
            "offset": U(16, at=3, scale=0.1, offset=-399, unit="A"),
            "length": U(8, at=3, scale=0.1, offset=-400, unit="A"),
            "order": U(16, at=3.8, scale=0.1, offset=-400, unit="A", order="big"),
        }),
        ("pack-can-d0f3", ThermalRequest, "voltage", {
            "scale": U(16, at=2.8, order="big", scale=0.5, unit="V"),
            "offset": U(16, at=2.8, order="big", offset=1, unit="V"),
            "length": U(8, at=2.8, order="big", unit="V"),
            "place": U(16, at=3.8, order="big", unit="V"),
            "order": U(16, at=2.1, unit="V"),
        }),
    )
    for planted, marker in table.items()
]  # fmt: skip


def variant(cls: type[Message], field: str, marker: Integer) -> type[Message]:
    """The class with another declaration of one field."""
    hints = get_type_hints(cls, include_extras=True)
    annotations = {name: hints[name] for name in cls.layout.names}
    annotations[field] = Annotated[float, marker]
    make: Any = type(cls)
    made: type[Message] = make(
        cls.__name__,
        cls.__mro__[1:2],
        {"__annotations__": annotations, "__module__": cls.__module__, "VECTORS": cls.VECTORS},
        length=cls.layout.length,
        **{
            key: getattr(cls, key)
            for key in ("title", "pgn", "priority", "period_ms", "sender", "source_address",
                        "destination_address", "phase")
        },
    )  # fmt: skip
    return made


def contradictions(cls: type[Message], peer: Foreign) -> list[str]:
    """Numbers that the DBC reads otherwise out of the recorded vectors than the record says."""
    wrong: list[str] = []
    for vector in cls.VECTORS:
        read: Any = peer.decode(vector.data, decode_choices=False, allow_truncated=True)
        for name, value in vector.values.items():
            if isinstance(value, int | float) and read[name] != pytest.approx(float(value)):
                wrong.append(f"{name}: {read[name]}, not {value}")
    return wrong


@pytest.mark.parametrize(("name", "cls", "field", "marker"), VARIANTS)
def test_an_error_planted_into_the_declaration_is_seen(
    name: str, cls: type[Message], field: str, marker: Integer
) -> None:
    """By the recorded payloads, which keep their values, and by the class as it should be."""
    profile = DECLARED[name].profile
    bad = database(text(Declaration(profile, (MessageSet("changed", [variant(cls, field, marker)]),))))
    peer, right = bad.messages[0], DATABASES[name].get_message_by_name(cls.__name__)
    assert contradictions(cls, right) == []
    assert contradictions(cls, peer)
    assert disagreement(cls, peer, REVEALING[cls.__name__])


@every_profile
def test_the_file_says_what_it_is_and_is_the_same_each_time(name: str) -> None:
    declared = DECLARED[name]
    content = text(declared)
    assert declared.profile.id in content
    assert declared.digest in content
    assert content == text(declaration(name))
    gbk = database(text(declared, "gbk"))
    assert [message.name for message in gbk.messages] == [each.name for each in DATABASES[name].messages]


def test_what_an_encoding_lacks_is_named() -> None:
    declared = DECLARED["gbt27930-2015"]
    renamed = Declaration(msgspec.structs.replace(declared.profile, id="电池"), declared.sets)
    assert "电池" in text(renamed, "gbk")
    with pytest.raises(SwapError, match="'电池' cannot be written in ascii"):
        files(renamed, encoding="ascii")
