"""tshark with a configuration of its own, and what it shows in the words of `swapproto decode`."""

import json
import os
import shutil
import struct
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from swapproto.export.source import Declaration
from swapproto.export.wireshark import files
from swapproto.export.wireshark.tables import key
from swapproto.trace.record import Record
from swapproto.wire.fields import BcdTime, Raw, Text
from swapproto.wire.layout import Field, Tail
from swapproto.wire.message import Message

HERE = Path(__file__).resolve().parent
LINK = 227
EXTENDED = 1 << 31


class Shown(msgspec.Struct, frozen=True):
    """A message as tshark shows it, in the words of a line of `swapproto decode --messages --json`."""

    frame: int
    sender: str
    message: str
    fields: dict[str, Any] | None
    deviations: list[str]
    error: str | None


def _block(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    size = len(body) + 12
    return struct.pack("<II", kind, size) + body + struct.pack("<I", size)


def pcapng(records: Iterable[Record]) -> bytes:
    """A capture with an interface for each channel, stamps in microseconds."""
    out = [_block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))]
    channels: list[str] = []
    for record in records:
        if record.channel not in channels:
            channels.append(record.channel)
            name = record.channel.encode() or b"can"
            option = struct.pack("<HH", 2, len(name)) + name + bytes(-len(name) % 4) + bytes(4)
            out.append(_block(1, struct.pack("<HHI", LINK, 0, 0) + option))
        packet = struct.pack(">IB3x", record.id | (EXTENDED if record.extended else 0), len(record.data))
        packet += record.data
        at, number = record.at_us, channels.index(record.channel)
        head = struct.pack("<IIIII", number, at >> 32, at & 0xFFFF_FFFF, len(packet), len(packet))
        out.append(_block(6, head + packet))
    return b"".join(out)


class Tshark:
    """Runs tshark on records of ours; nothing of the user's own configuration is read."""

    def __init__(self, program: str, folder: Path) -> None:
        self.program = program
        self.folder = folder
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder),
            "WIRESHARK_CONFIG_DIR": str(folder),
            "LC_ALL": "C.UTF-8",
        }

    def capture(self, records: Iterable[Record]) -> Path:
        path = self.folder / "records.pcapng"
        path.write_bytes(pcapng(records))
        return path

    def output(self, scripts: Iterable[str], capture: Path, *options: str) -> str:
        command = [self.program, "-n", "-r", str(capture), *options]
        for number, script in enumerate(scripts):
            path = self.folder / f"script{number}.lua"
            path.write_text(script, "utf-8")
            command += ["-X", f"lua_script:{path}"]
        done = subprocess.run(command, capture_output=True, env=self.environment, check=False)
        errors = done.stderr.decode()
        assert done.returncode == 0, errors
        assert "Lua:" not in errors
        return done.stdout.decode()

    def packets(self, declared: Declaration, script: str, capture: Path, *options: str) -> dict[int, Any]:
        """The dissector's tree of each frame in which it has one, by frame number."""
        layer = _layer(declared)
        options = ("-T", "json", "--no-duplicate-keys", "-J", f"frame {layer} _ws.lua.error", *options)
        found: dict[int, Any] = {}
        for packet in json.loads(self.output([script], capture, *options)):
            layers = packet["_source"]["layers"]
            assert not any("Lua Error" in name or "lua.error" in name for name in layers), layers
            if layer in layers:
                found[int(layers["frame"]["frame.number"])] = layers[layer]
        return found

    def messages(
        self, declared: Declaration, capture: Path, *options: str, script: str | None = None
    ) -> list[Shown]:
        """Every message that it shows, in the order of the frames."""
        packets = self.packets(declared, script or text(declared), capture, *options)
        classes = {cls.__name__: cls for cls in declared.messages}
        return [
            shown(classes[tree["swapproto.message"]], frame, tree)
            for frame, tree in packets.items()
            if "swapproto.message" in tree
        ]


def _layer(declared: Declaration) -> str:
    return "swapproto." + declared.profile.id.replace("-", "_")


def text(declared: Declaration) -> str:
    ((_, content),) = files(declared).items()
    return content.decode()


def shown(cls: type[Message], frame: int, tree: Mapping[str, Any]) -> Shown:
    error = tree.get("swapproto.error")
    found: dict[str, Any] | None = None
    if error is None:
        prefix = f"swapproto.{key(cls)}"
        found = _fields(prefix, cls.layout.fields, tree)
        if cls.layout.tail is not None:
            found[cls.layout.tail.name] = _tail(prefix, cls.layout.tail, tree)
    deviations = _every(tree.get("swapproto.deviation"))
    return Shown(frame, tree["swapproto.sender"], cls.__name__, found, deviations, error)


def _every(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _fields(prefix: str, declared: Iterable[Field], tree: Mapping[str, Any]) -> dict[str, Any]:
    return {field.name: _value(field, tree.get(f"{prefix}.{field.name}")) for field in declared}


def _tail(prefix: str, tail: Tail, tree: Mapping[str, Any]) -> Any:
    own = f"{prefix}.{tail.name}"
    if tail.item is None:
        return (tree.get(own) or "").replace(":", "").upper() or (None if tail.optional else "")
    if tail.scalar:
        return [_value(tail.item.fields[0], value) for value in _every(tree.get(own))]
    branches = _every(tree.get(f"{own}_tree"))
    assert _every(tree.get(own)) == [str(number) for number in range(len(branches))]
    return [_fields(own, tail.item.fields, branch) for branch in branches]


def _value(field: Field, value: Any) -> Any:
    if value is None:
        return None
    assert isinstance(value, str)
    match field.marker:
        case Text() | BcdTime():
            return value
        case Raw():
            return value.replace(":", "").upper()
    if field.code is None:
        return int(value) if field.integral else float(value)
    code = field.code(int(value))
    return code.label if code.known else int(code)


@pytest.fixture
def tshark(tmp_path: Path) -> Tshark:
    program = shutil.which("tshark")
    if program is None:
        pytest.skip("no tshark here: apt-get install tshark")
    return Tshark(program, tmp_path)


@pytest.fixture
def captures() -> Path:
    """Where the recordings are kept; the test is skipped where they are not."""
    directory = Path(os.environ.get("SWAPPROTO_CAPTURES", HERE.parents[3] / "shared" / "captures"))
    if not directory.is_dir():
        pytest.skip("no recordings here")
    return directory
