"""`swapproto decode` on recordings of a swap station's charger that speaks a maker's extensions."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from swapproto.cli import run
from swapproto.messages import gbt27930 as gb
from swapproto.messages import station_charging as ext
from swapproto.trace.candump import write_candump
from swapproto.trace.record import Record
from swapproto.transport import frames as tp

FAMILY = "GB/T 27930 with a maker's station extensions"
PAYLOADS = {cls: cls.VECTORS[0].data if cls.VECTORS else bytes(cls.layout.length) for cls in ext.MESSAGES}
"""One of each of the 44 messages."""
SENDERS = [(cls, sender) for cls in ext.MESSAGES for sender in cls.identifiers().values()]


def sent(cls: type[gb.ChargingMessage], sender: gb.Party, payload: bytes) -> list[tuple[int, bytes]]:
    """The frames in which a payload travels, with the receiver's where it takes several."""
    if len(payload) <= 8:
        return [(can_id, payload) for can_id, who in cls.identifiers().items() if who is sender]
    mine, other = sender.value, sender.peer.value
    packets = tp.data_packets(payload)
    return [
        (tp.cm_id(other, mine), tp.rts(cls.pgn, len(payload))),
        (tp.cm_id(mine, other), tp.cts(cls.pgn, len(packets), 1)),
        *((tp.dt_id(other, mine), packet) for packet in packets),
        (tp.cm_id(mine, other), tp.end_of_msg_ack(cls.pgn, len(payload))),
    ]


def recorded(folder: Path, frames: Iterable[tuple[int, bytes]], channel: str = "can0") -> Path:
    path = folder / f"{channel}.log"
    records = [Record(10_000 * n, can_id, data, channel=channel) for n, (can_id, data) in enumerate(frames)]
    path.write_bytes(write_candump(records))
    return path


def one(cls: type[gb.ChargingMessage], payload: bytes | None = None) -> list[tuple[int, bytes]]:
    return sent(cls, cls.sender, PAYLOADS[cls] if payload is None else payload)


@pytest.fixture
def all_of_them(tmp_path: Path) -> Path:
    return recorded(tmp_path, (f for cls, who in SENDERS for f in sent(cls, who, PAYLOADS[cls])))


def decoded(capsys: pytest.CaptureFixture[str], file: Path, *more: str) -> dict[str, Any]:
    assert run(["decode", str(file), "--json", *more]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def messages(capsys: pytest.CaptureFixture[str], file: Path, *more: str) -> list[dict[str, Any]]:
    assert run(["decode", str(file), "--messages", "--json", *more]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("more", [(), ("--profile", "station-charging-ext")])
def test_every_message_is_read(
    all_of_them: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...]
) -> None:
    rows = messages(capsys, all_of_them, *more)
    assert [(row["message"], row["sender"]) for row in rows] == [
        (cls.__name__, who.label) for cls, who in SENDERS
    ]
    assert len({row["message"] for row in rows}) == 44
    assert all(row["error"] is None and row["fields"] is not None for row in rows)
    found = decoded(capsys, all_of_them, *more)
    assert found["family"] == FAMILY
    assert set(found["extensions"]["messages"]) == {cls.__name__ for cls in ext.EXTENSIONS}
    assert found["extensions"]["basis"]["basis"] == "observed"
    assert found["foreign_frames"] == 0
    names = {name.partition(" ")[0] for name in found["messages"]}
    assert names == {cls.__name__ for cls in ext.MESSAGES}


def test_the_text_names_the_family_and_what_it_was_told_from(
    all_of_them: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["decode", str(all_of_them)]) == 0
    text = capsys.readouterr().out
    assert f"\nFamily: {FAMILY}\n" in text
    assert (
        "  InsulationRequest, InsulationState, ConnectorChangeRequest, ConnectorChangeState, "
        "ConnectorCurrents and 11 more\n  16 frames, the first in line 94\n  basis: swap-station DBC" in text
    )
    assert "Foreign frames" not in text


@pytest.mark.parametrize("cls", ext.EXTENSIONS, ids=lambda cls: cls.__name__)
def test_any_one_of_them_is_enough(
    cls: type[ext.StationMessage], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = recorded(tmp_path, one(gb.BCL) + one(cls))
    found = decoded(capsys, file)
    assert found["family"] == FAMILY
    assert found["extensions"]["messages"] == [cls.__name__]
    assert (found["extensions"]["frames"], found["extensions"]["line"]) == (1, 2)
    assert list(found["messages"]) == ["BCL", cls.__name__]


@pytest.mark.parametrize("cls", [ext.BEM, ext.CEM, ext.CCS], ids=lambda cls: cls.__name__)
def test_the_longer_forms_are_those_of_the_maker_only_beside_its_messages(
    cls: type[gb.ChargingMessage], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = messages(capsys, recorded(tmp_path, one(cls), "alone"))
    beside = messages(capsys, recorded(tmp_path, one(cls) + one(ext.InsulationRequest), "beside"))
    assert alone[0]["fields"] == beside[0]["fields"]
    assert beside[0]["deviations"] == []
    assert bool(alone[0]["deviations"]) is (cls is not ext.CCS)  # 8 bytes of CCS are known in 2015 too


def test_a_wrong_priority_hides_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ((can_id, data),) = one(ext.ConnectorCurrents)
    found = decoded(capsys, recorded(tmp_path, [(can_id & 0x03FF_FFFF, data)]))
    assert found["extensions"]["messages"] == ["ConnectorCurrents"]
    assert [each["kind"] for each in found["violations"]] == ["priority"]


def test_without_extensions_nothing_is_added(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A frame of the two parties that nobody knows is foreign, as are those of others in like form."""
    unknown = [(0x1870F456, bytes(8)), (tp.cm_id(gb.CHARGER_ADDRESS, gb.BMS_ADDRESS), tp.rts(0x7000, 20))]
    strangers = [(ext.InsulationRequest.identifier() & ~0xFF | 0x57, bytes(8))]
    file = recorded(tmp_path, one(gb.BCL) + unknown + strangers)
    found = decoded(capsys, file)
    assert found.keys().isdisjoint({"family", "extensions"})
    assert list(found["messages"]) == ["BCL"]
    assert found["foreign_frames"] == 2
    assert run(["decode", str(file)]) == 0
    assert "Family" not in capsys.readouterr().out
    assert run(["decode", str(file), "--profile", "station-charging-ext"]) == 0
    assert f"Family: {FAMILY}\n  none of the extensions was heard\n" in capsys.readouterr().out


def test_a_profile_of_the_standard_leaves_them_foreign(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = recorded(tmp_path, one(gb.BCL) + one(ext.InsulationRequest))
    found = decoded(capsys, file, "--profile", "gbt27930-2015")
    assert found["foreign_frames"] == 1
    assert "family" not in found


def test_an_overlay_of_the_profile_changes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    overlay = tmp_path / "mine.toml"
    overlay.write_text(
        """schema = 1
[profile]
id = "mine"
title = "mine"
extends = ["station-charging-ext"]
scope = "a test"
[document.mine]
name = "a decoder of ours"
read = "excerpt"
[message.ConnectorCurrents.field.current_a]
scale = { value = "0.2 A", replaces = "0.1 A", at = "mine", basis = "observed", witnesses = 1, why = "seen" }
"""
    )
    file = recorded(tmp_path, one(ext.ConnectorCurrents))
    told = [messages(capsys, file, *more)[0]["fields"] for more in ((), ("--profile", str(overlay)))]
    assert [each["current_a"] for each in told] == [-120.0, 160.0]
    assert told[0]["current_b"] == told[1]["current_b"]


def test_the_channel_where_they_are_is_chosen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "two.log"
    records = [Record(0, 0x18FEF100, bytes(8), channel="can0")]
    records += [Record(1000, can_id, data, channel="can1") for can_id, data in one(ext.CDC)]
    file.write_bytes(write_candump(records))
    found = decoded(capsys, file)
    assert (found["channel"], list(found["messages"])) == ("can1", ["CDC"])


def test_an_older_edition_keeps_its_messages_beside_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = recorded(tmp_path, [*one(gb.CCS, bytes.fromhex("C90EA00F0000")), *one(ext.CDC)])
    rows = messages(capsys, file)
    assert [(row["message"], row["deviations"]) for row in rows] == [("CCS", []), ("CDC", [])]
    assert decoded(capsys, file)["edition"] == "2011"
