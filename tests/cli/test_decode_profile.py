"""`decode --profile`: a recording read as a profile of somebody's own has it."""

import json
from pathlib import Path

import pytest

from swapproto.cli import run
from swapproto.messages.gbt27930 import BCL
from swapproto.messages.pack_can import TemperatureExtremes

HEAD = """schema = 1
[profile]
id = "mine"
title = "mine"
extends = ["{base}"]
scope = "a test"
[document.mine]
name = "a decoder of ours"
read = "excerpt"
"""
SEEN = 'at = "mine", basis = "observed", witnesses = 1, why = "seen"'
MINUS_40 = f'{{ value = "-40 degC", replaces = "-50 degC", {SEEN} }}'


def recording(folder: Path, *frames: str) -> Path:
    path = folder / "bus.log"
    path.write_text("".join(f"({n / 10:.6f}) can0 {frame}\n" for n, frame in enumerate(frames)))
    return path


def test_the_offset_of_a_profile_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = TemperatureExtremes.decode(TemperatureExtremes.VECTORS[0].data)
    log = recording(tmp_path, f"{TemperatureExtremes.identifier():08X}#{message.encode().hex().upper()}")
    overlay = tmp_path / "mine.toml"
    overlay.write_text(
        HEAD.format(base="pack-can-d0f3")
        + f"[message.TemperatureExtremes.field.minimum]\noffset = {MINUS_40}\n"
    )
    seen: list[int] = []
    for more in ([], ["--profile", str(overlay)]):
        assert run(["decode", str(log), "--messages", "--json", *more]) == 0
        seen.append(json.loads(capsys.readouterr().out)["fields"]["minimum"])
    assert seen == [message.minimum, message.minimum + 10]


def test_a_profile_decides_how_the_charge_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = recording(tmp_path, f"{BCL.identifier():08X}#5217820F02")
    overlay = tmp_path / "mine.toml"
    scale = f'{{ value = "0.2 V", replaces = "0.1 V", {SEEN} }}'
    overlay.write_text(HEAD.format(base="gbt27930-2015") + f"[message.BCL.field.voltage]\nscale = {scale}\n")
    assert run(["decode", str(log), "--messages", "--json", "--profile", str(overlay)]) == 0
    assert json.loads(capsys.readouterr().out)["fields"]["voltage"] == 1194.0


def test_a_profile_without_messages_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = recording(tmp_path, f"{BCL.identifier():08X}#5217820F02")
    assert run(["decode", str(log), "--profile", "cn-js-hdt-2022"]) == 4
    assert "names no messages" in capsys.readouterr().err
