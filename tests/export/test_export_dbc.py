"""The DBC against our own codec, read by two parsers that share nothing with us."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import canmatrix.formats
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
from swapproto.messages.catalog import SETS
from swapproto.wire.fields import Choice, Integer
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
SINGLE = [
    pytest.param(name, entry.cls, entry.can_id, id=f"{name}-{entry.name}")
    for name, declared in DECLARED.items()
    for entry in entries(declared)
    if entry.length <= 8 and entry.cls.layout.tail is None
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


@pytest.mark.parametrize(("name", "cls", "can_id"), SINGLE)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_every_signal_of_every_single_frame_reads_as_ours(
    name: str, cls: type[Message], can_id: int, data: st.DataObject
) -> None:
    size = cls.layout.length
    payload = data.draw(st.binary(min_size=size, max_size=size))
    assert disagreement(cls, foreign(DATABASES, name, can_id), payload) is None


@pytest.mark.parametrize(("name", "cls", "can_id"), SINGLE)
def test_what_we_encode_the_dbc_encodes_too(name: str, cls: type[Message], can_id: int) -> None:
    peer = foreign(DATABASES, name, can_id)
    for vector in cls.VECTORS:
        written = cls.decode(vector.data).encode()
        values = peer.decode(written, decode_choices=False)
        assert peer.encode(values, strict=False, padding=False) == bytes(
            byte & claimed for byte, claimed in zip(written, cls.layout.claimed, strict=False)
        )


def test_a_long_message_reads_as_ours() -> None:
    brm = DATABASES["gbt27930-2015"].get_message_by_name("BRM")
    cls = DECLARED["gbt27930-2015"].sets[0].by_name("BRM")
    vector = cls.VECTORS[0]
    assert disagreement(cls, brm, vector.data) is None
    bmv = DATABASES["gbt27930-2015"].get_message_by_name("BMV")
    assert bmv.length == 512
    payload = bytes.fromhex("4F11 4E21") + b"\xff" * 508
    values: Any = bmv.decode(payload, decode_choices=False)
    assert (values["cells_1_voltage"], values["cells_1_group"]) == (pytest.approx(3.35), 1)
    assert (values["cells_2_voltage"], values["cells_2_group"]) == (pytest.approx(3.34), 2)


PLANTED = {
    "scale": ("voltage : 0|16@1+ (0.1,0)", "voltage : 0|16@1+ (0.2,0)"),
    "offset": ("(0.1,-400)", "(0.1,-399)"),
    "place": ("current : 16|16@1+", "current : 17|16@1+"),
    "order": ("current : 16|16@1+", "current : 23|16@0+"),
    "length": ("BCL: 5 BMS", "BCL: 6 BMS"),
    "width": ("mode : 32|8@1+", "mode : 32|7@1+"),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_error_is_seen(planted: str) -> None:
    content = text(DECLARED["gbt27930-2015"])
    begin = content.index("BCL: 5 BMS") - 20
    right, wrong = PLANTED[planted]
    assert right in content[begin:]
    try:
        bad = database(content[:begin] + content[begin:].replace(right, wrong, 1))
    except cantools.Error:
        return  # signals overlap: the parser itself refuses the file
    cls = DECLARED["gbt27930-2015"].sets[0].by_name("BCL")
    good, wrong_peer = DATABASES["gbt27930-2015"].get_message_by_name("BCL"), bad.get_message_by_name("BCL")
    payloads = [cls.VECTORS[0].data, b"\xff" * 5]
    assert not any(disagreement(cls, good, payload) for payload in payloads)
    assert any(disagreement(cls, wrong_peer, payload) for payload in payloads)


@every_profile
def test_cycle_times_addresses_and_attributes_survive_in_both_parsers(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.dbc"
    path.write_bytes(next(iter(files(DECLARED[name]).values())))
    other: Any = canmatrix.formats.loadp_flat(str(path))
    for entry in entries(DECLARED[name]):
        ours = foreign(DATABASES, name, entry.can_id)
        theirs = next(
            frame for frame in other.frames
            if frame.arbitration_id.extended and frame.arbitration_id.id == entry.can_id
        )  # fmt: skip
        assert ours.cycle_time == (entry.cls.period_ms or None)
        assert theirs.cycle_time == (entry.cls.period_ms or 0)
        assert ours.protocol == "j1939"
        assert ours.senders == [entry.sender]
        assert (ours.length, theirs.size) == (entry.length, entry.length)
        assert [signal.spn for signal in ours.signals if signal.spn] == [
            signal.spn for signal in sorted(entry.signals, key=_order_in_cantools(ours)) if signal.spn
        ]
        assert len(ours.signals) == len(theirs.signals) == len(entry.signals)
        assert str(entry.cls.source) in str(ours.comment)
        scales = {each.name: (float(each.factor), float(each.offset)) for each in theirs.signals}
        for signal in entry.signals:
            marker = signal.field.marker
            if isinstance(marker, Integer) and signal.name in scales:
                assert scales[signal.name] == (marker.scale, marker.offset)


def _order_in_cantools(message: Foreign) -> Any:
    places = {signal.name: number for number, signal in enumerate(message.signals)}
    return lambda signal: places[signal.name]


@every_profile
def test_values_have_their_names(name: str) -> None:
    for entry in entries(DECLARED[name]):
        peer = foreign(DATABASES, name, entry.can_id)
        for signal in entry.signals:
            choices: Mapping[int, Any] = peer.get_signal_by_name(signal.name).choices or {}
            assert {int(value): str(label) for value, label in choices.items()} == dict(signal.choices)


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
