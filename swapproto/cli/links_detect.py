"""Adapters that can be seen from here. What is asked of vendors' libraries is asked in a process of its own.

Run as a program it detects the adapters of python-can's interfaces named on its command line, and prints one
JSON object a line as each has answered: such a library may be slow, print, hang or crash.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

NOT_ASKED = frozenset({"virtual", "udp_multicast", "socketcan", "serial", "slcan", "canet", "cannelloni"})
"""Interfaces that have no adapter, make one up, or are listed by other means."""
_SLOW = frozenset({"socketcand"})
"""Asked last: it waits for beacons in the network."""
PATIENCE = 6.0
"""Seconds for all vendors' libraries together."""
_IP_PATIENCE = 3.0
_CAN = 280
"""ARPHRD_CAN: the kind of a CAN interface in /sys/class/net."""


class SocketCan(msgspec.Struct, frozen=True):
    """A CAN interface of the system."""

    name: str
    kind: str
    """can, vcan, vxcan, slcan; empty where the system does not tell."""
    up: bool
    bitrate: int | None
    state: str
    """Of the controller, as ERROR-ACTIVE or BUS-OFF; empty where there is none."""
    listen_only: bool

    @property
    def url(self) -> str:
        return f"can:socketcan:{self.name}"


class SerialPort(msgspec.Struct, frozen=True):
    """A serial port that somebody is behind."""

    device: str
    description: str
    hardware: str

    @property
    def url(self) -> str:
        return f"slcan:{self.device}"


class Adapter(msgspec.Struct, frozen=True):
    """What a python-can interface found, with the arguments that open it."""

    interface: str
    config: dict[str, str]

    @property
    def url(self) -> str:
        options = "&".join(
            f"{name}={value}" for name, value in self.config.items() if name not in ("channel", "interface")
        )
        channel = self.config.get("channel", "0")
        return f"can:{self.interface}:{channel}{'?' if options else ''}{options}"


class Detected(msgspec.Struct, frozen=True):
    """What python-can's interfaces answered, and which did not."""

    adapters: tuple[Adapter, ...]
    silent: tuple[str, ...]
    """Interfaces that did not answer in time, or whose library broke down."""


def socketcan(sysfs: Path = Path("/sys/class/net")) -> tuple[SocketCan, ...]:
    """CAN interfaces, by what `ip` says; where there is none only their names and whether they are up."""
    program = shutil.which("ip")
    if program is not None:
        with suppress(OSError, subprocess.SubprocessError):
            told = subprocess.run(  # noqa: S603
                [program, "-details", "-json", "link", "show"],
                capture_output=True,
                check=True,
                timeout=_IP_PATIENCE,
            ).stdout
            with suppress(msgspec.DecodeError):
                return tuple(from_ip(told))
    return tuple(_from_sysfs(sysfs))


def from_ip(told: bytes) -> Iterator[SocketCan]:
    """Read the answer of `ip -details -json link show`; msgspec.DecodeError where it is none."""
    for entry in msgspec.json.decode(told, type=list[_Entry]):
        if entry.link_type == "can":
            information = msgspec.json.decode(entry.linkinfo, type=_Information)
            data = information.info_data
            yield SocketCan(
                name=entry.ifname,
                kind=information.info_kind,
                up="UP" in entry.flags,
                bitrate=data.bittiming.bitrate,
                state=data.state,
                listen_only="LISTEN-ONLY" in data.ctrlmode,
            )


class _Entry(msgspec.Struct):
    ifname: str = ""
    link_type: str = ""
    flags: list[str] = []
    linkinfo: msgspec.Raw = msgspec.Raw(b"{}")


class _Timing(msgspec.Struct):
    bitrate: int | None = None


class _Data(msgspec.Struct):
    state: str = ""
    ctrlmode: list[str] = []
    bittiming: _Timing = msgspec.field(default_factory=_Timing)


class _Information(msgspec.Struct):
    info_kind: str = ""
    info_data: _Data = msgspec.field(default_factory=_Data)


def _from_sysfs(folder: Path) -> Iterator[SocketCan]:
    for each in sorted(folder.glob("*/type")):
        with suppress(OSError, ValueError):
            if int(each.read_text()) == _CAN:
                up = bool(int((each.parent / "flags").read_text(), 16) & 1)
                yield SocketCan(each.parent.name, "", up, None, "", listen_only=False)


def serial_ports() -> tuple[SerialPort, ...]:
    """Serial ports that hardware is known of; empty where pyserial cannot tell."""
    try:
        from serial.tools.list_ports import comports

        found = list(comports())
    except Exception:  # noqa: BLE001  (whatever a system has broken there)
        return ()
    return tuple(
        SerialPort(port.device, port.description or "", port.hwid or "")
        for port in sorted(found, key=lambda port: port.device)
        if port.hwid not in (None, "", "n/a")
    )


def detect(interfaces: Sequence[str], patience: float = PATIENCE) -> Detected:
    """Ask python-can's interfaces, for so many seconds at most."""
    asked = sorted(set(interfaces) - NOT_ASKED, key=lambda name: (name in _SLOW, name))
    if not asked:
        return Detected((), ())
    command = [sys.executable, "-m", __name__, *asked]
    try:
        done = subprocess.run(  # noqa: S603
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=patience, check=False
        )
        told = done.stdout
    except subprocess.TimeoutExpired as late:
        told = late.stdout or b""
    except OSError:
        told = b""
    return answers(told, asked)


def answers(told: bytes, asked: Iterable[str]) -> Detected:
    """Read the lines of the process; what is none of its lines is a library's own talk."""
    adapters: list[Adapter] = []
    heard: set[str] = set()
    for text in told.splitlines():
        try:
            line = msgspec.json.decode(text, type=_Answer)
        except msgspec.DecodeError:
            continue
        heard.add(line.interface)
        adapters += [Adapter(line.interface, config) for config in line.configs]
    return Detected(tuple(adapters), tuple(name for name in asked if name not in heard))


class _Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    interface: str
    configs: list[dict[str, str]]


def _main(interfaces: Iterable[str]) -> None:
    import logging

    import can

    logging.disable()
    for name in interfaces:
        configs: list[dict[str, str]] = []
        with suppress(Exception):
            found = can.detect_available_configs(name, timeout=PATIENCE / 2)
            configs = [{key: str(value) for key, value in config.items()} for config in found]
        sys.stdout.buffer.write(msgspec.json.encode(_Answer(name, configs)) + b"\n")
        sys.stdout.buffer.flush()
    # A library's thread may hang for ever.
    os._exit(0)


if __name__ == "__main__":
    _main(sys.argv[1:])
