"""`swapproto decode` of a recording with a truck's bus and a bay's bus."""

import csv
import json
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from swapproto.cli import run
from swapproto.messages.gbt27930 import BCL, BHM, BST, CHM, ChargeMode, Reached
from swapproto.messages.pack_can import (
    Connection,
    LockState,
    PackCode1,
    PackCode2,
    PackCode3,
    PackCode4,
    PackState,
    PackVoltages,
    RelayState,
    RelayStatus,
    SwapController,
    ThermalState,
    VehicleIdentity,
    WorkState,
    WorkStatus,
)
from swapproto.trace.candump import write_candump
from swapproto.trace.record import Record
from swapproto.wire.message import Message

OLD, NEW = "AAAMPB07HDA12C8B81234567", "BBBMPB07HDA12C8B87654321"
START_US = 1_000_000_000


def record(ms: float, message: Message, channel: str = "truck") -> Record:
    return Record(START_US + round(ms * 1000), message.identifier(), message.encode(), channel=channel)


def pack(code: str, bus: float, soc: float) -> Iterable[Message]:
    state = RelayState.CLOSED if bus > 60 else RelayState.OPEN
    yield RelayStatus(positive=state, negative=state)
    yield PackVoltages(
        insulation_positive=5000, insulation_negative=5000, pack_voltage=620.0, bus_voltage=bus
    )
    yield PackState(soc=soc, soh=98.0, current=0.0, charge_limit=0.0, discharge_limit=0.0)
    yield WorkStatus(work_state=WorkState.HIGH_VOLTAGE_ON if bus > 60 else WorkState.HIGH_VOLTAGE_OFF)
    yield PackCode1(length=24, characters=code[:6])
    yield PackCode2(characters=code[6:13])
    yield PackCode3(characters=code[13:20])
    yield PackCode4(characters=code[20:])


def controller(lock: LockState, connection: Connection) -> SwapController:
    return SwapController(
        lock=lock, swap_connector=connection, discharge_connector=connection, charge_connector=connection
    )


def truck() -> Iterable[Record]:
    locked, connected = LockState.LOCKED, Connection.CONNECTED
    unlocked, apart = LockState.UNLOCKED, Connection.NOT_CONNECTED
    scenes = (
        (0, 1000, controller(locked, connected), (OLD, 620.0, 20.0)),
        (1000, 2000, controller(locked, connected), (OLD, 3.0, 20.0)),
        (2000, 3000, controller(locked, apart), None),
        (3000, 6000, controller(unlocked, apart), None),
        (6000, 7000, controller(locked, connected), None),
        (7000, 8000, controller(locked, connected), (NEW, 620.0, 96.0)),
    )
    for start, stop, said, told in scenes:
        for ms in range(start, stop, 100):
            yield record(ms, said)
            for number in range(3):
                vin = "LNXEG0000TS000001"[7 * number : 7 * number + 7]
                yield record(ms, VehicleIdentity(frame_number=number + 1, characters=vin))
            for message in pack(*told) if told is not None else ():
                yield record(ms + 1.25, message)


def bay() -> Iterable[Record]:
    for ms in range(4000, 4500, 250):
        yield record(ms, CHM(version_minor=1, version_major=1), "bay3")
        yield record(ms + 15, BHM(max_voltage=700.0), "bay3")
    for ms in range(4500, 7000, 50):
        yield record(ms, BCL(voltage=640.0, current=-200.0, mode=ChargeMode.CONSTANT_CURRENT), "bay3")
    yield record(7000, BST(soc_target=Reached.YES), "bay3")


def write(path: Path, records: Iterable[Record]) -> Path:
    path.write_bytes(write_candump(sorted(records, key=lambda each: each.at_us)))
    return path


@pytest.fixture
def swap(tmp_path: Path) -> Path:
    return write(tmp_path / "swap.log", (*truck(), *bay()))


def decoded(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    assert run(["decode", "--json", *map(str, arguments)]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_steps_packs_and_charge_are_in_one_object(swap: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = decoded(capsys, swap)
    assert found["channel"] == "bay3"
    assert [(step["step"], step["time"], step["channel"]) for step in found["swap"]["steps"]][3:] == [
        ("pack heard", 0.00125, "truck"),
        ("pack energised", 0.00125, "truck"),
        ("pack identified", 0.00125, "truck"),
        ("pack de-energised", 1.00125, "truck"),
        ("pack silent", 1.90125, "truck"),
        ("connectors apart", 2.0, "truck"),
        ("base unlocked", 3.0, "truck"),
        ("charge begins", 4.5, "bay3"),
        ("base locked", 6.0, "truck"),
        ("connectors connected", 6.0, "truck"),
        ("charge ends", 7.0, "bay3"),
        ("pack heard", 7.00125, "truck"),
        ("pack energised", 7.00125, "truck"),
        ("another pack", 7.00125, "truck"),
    ]
    assert found["swap"]["oddities"] == []
    old, new = found["packs"]
    assert (old["code"], new["code"]) == (OLD, NEW)
    assert (old["channel"], old["vin"]) == ("truck", "LNXEG0000TS000001")
    assert new["messages"]["PackState"] == {
        "time": 7.90125,
        "fields": {
            "soc": 96.0, "soh": 98.0, "current": 0.0, "charge_limit": 0.0, "discharge_limit": 0.0,
        },
    }  # fmt: skip
    assert "cells: none heard" in new["missing"]
    assert found["pack_can"]["truck"]["messages"]["PackState"]["period_ms"]["median"] == 100.0
    assert found["pack_can"]["truck"]["messages"]["PackState"]["nominal_ms"] == 100


def test_the_dialogue_is_told_as_ever_and_with_the_same_zero(
    swap: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both, alone = decoded(capsys, swap), decoded(capsys, write(tmp_path / "bay.log", bay()))
    assert not {"swap", "packs", "pack_can"} & set(alone)
    for phase, same in zip(both["phases"], alone["phases"], strict=True):
        assert (phase["name"], phase["start"]) == (same["name"], same["start"] + 4.0)
    assert both["messages"].keys() == alone["messages"].keys()
    assert (both["frames"], both["foreign_frames"]) == (alone["frames"], 0)
    assert both["edition"] == alone["edition"]


def test_the_text_has_the_swap_and_each_pack(swap: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["decode", str(swap)]) == 0
    text = capsys.readouterr().out
    for wanted in (
        "Swap, as far as the frames tell",
        "truck on the network  VIN LNXEG0000TS000001",
        f"another pack          code {NEW}, before {OLD}",
        "Odd about it: nothing",
        f"    code {NEW}",
        "    in the truck LNXEG0000TS000001",
        "    contactors closed: positive, negative",
        "soc=96.0 %",
        "    missing: cells: none heard",
        "Phases",
        "handshake start",
        "Violations: ",
    ):
        assert wanted in text
    assert "Messages of the pack CAN" not in text
    assert run(["decode", "--channel", "truck", str(swap)]) == 0
    shown = capsys.readouterr().out
    assert "Messages of the pack CAN on truck" in shown
    assert "Foreign frames" not in shown
    assert "departures from their layouts: none" in shown


def test_what_is_neither_stays_foreign(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stranger = Record(START_US + 50, 0x18FEF100, b"\0" * 8, channel="truck")
    found = decoded(capsys, write(tmp_path / "some.log", (*truck(), stranger)))
    assert (found["foreign_frames"], found["foreign_identifiers"]) == (1, {"18FEF100": 1})
    assert found["channel"] == "truck"
    assert found["frames"] == len([*truck()]) + 1


def test_what_is_odd_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = [
        *(record(0, message) for message in pack(OLD, 620.0, 50.0)),
        record(100, controller(LockState.UNLOCKED, Connection.NOT_CONNECTED)),
    ]
    path = write(tmp_path / "odd.log", records)
    assert [odd["kind"] for odd in decoded(capsys, path)["swap"]["oddities"]] == [
        "base unlocked, pack not de-energised",
        "connectors apart, pack not de-energised",
    ]
    assert run(["decode", str(path)]) == 0
    text = capsys.readouterr().out
    assert "Odd about it: 2" in text
    assert "positive, negative closed, 620.0 V on the bus" in text


def test_messages_of_either_family(swap: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["decode", "--messages", "--csv", "--channel", "truck", str(swap)]) == 0
    rows = list(csv.DictReader(StringIO(capsys.readouterr().out)))
    assert len(rows) == len([*truck()])
    assert (rows[0]["message"], rows[0]["sender"]) == ("SwapController", "swap controller")
    assert json.loads(rows[0]["fields"])["lock"] == "locked"
    assert run(["decode", "--messages", "--json", str(swap)]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {row["message"] for row in lines} == {"CHM", "BHM", "BCL", "BST"}
    assert lines[0]["time_s"] == 4.0
    mixed = [
        *truck(),
        *(Record(r.at_us, r.id, r.data, channel="truck") for r in bay()),
    ]
    swap.write_bytes(write_candump(sorted(mixed, key=lambda each: each.at_us)))
    assert run(["decode", "--messages", "--json", str(swap)]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == len(mixed)
    assert {"BCL", "SwapController", "PackState"} <= {row["message"] for row in lines}
    assert [row["time_s"] for row in lines] == sorted(row["time_s"] for row in lines)


@pytest.mark.parametrize(
    "stranger",
    [ThermalState.identifier(), 0x18FF45F4, 0x1802F3D3, 0x18FEF100],
    ids=lambda each: f"{each:08X}",
)
def test_a_stray_frame_makes_no_swap(
    stranger: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = Record(START_US, stranger, b"\0" * 8, channel="bay3")
    found = decoded(capsys, write(tmp_path / "bay.log", (odd, *bay())))
    assert "swap" not in found
    assert found["foreign_frames"] == 1


def test_text_of_a_pack_cannot_drive_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "\x1b[31m\x07" + "A" * 18
    path = write(tmp_path / "evil.log", [record(0, message) for message in pack(hostile[:24], 3.0, 50.0)])
    for form in ([], ["--json"], ["--messages"], ["--messages", "--csv"], ["--messages", "--json"]):
        assert run(["decode", *form, str(path)]) == 0
        assert "\x1b" not in capsys.readouterr().out
