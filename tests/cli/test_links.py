"""`swapproto links`: what is listed, from faked systems and libraries."""

import json
import logging
import shutil
import subprocess
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from swapproto.cli import links, run
from swapproto.cli.links_detect import (
    Adapter,
    Detected,
    SerialPort,
    SocketCan,
    answers,
    detect,
    from_ip,
    socketcan,
)
from swapproto.plugins import GROUP, driver_names

IP = [
    {"ifname": "lo", "link_type": "loopback", "flags": ["UP"], "linkinfo": {}},
    {"ifname": "br0", "link_type": "ether", "linkinfo": {"info_kind": "bridge", "info_data": {"state": 7}}},
    {
        "ifname": "can0", "link_type": "can", "flags": ["NOARP", "UP"],
        "linkinfo": {
            "info_kind": "can",
            "info_data": {
                "ctrlmode": ["LISTEN-ONLY"], "state": "ERROR-ACTIVE",
                "bittiming": {"bitrate": 250000, "tq": 1},
            },
        },
    },
    {
        "ifname": "can1", "link_type": "can", "flags": [],
        "linkinfo": {"info_kind": "can", "info_data": {"state": "STOPPED"}},
    },
    {"ifname": "vcan0", "link_type": "can", "flags": ["UP"], "linkinfo": {"info_kind": "vcan"}},
]  # fmt: skip


def found() -> links.Found:
    return links.Found(
        drivers=(),
        interfaces=(
            links.Interface("gs_usb", False, "No module named 'usb'; try: pip install 'python-can[gs_usb]'"),
        ),
        socketcan=tuple(from_ip(json.dumps(IP).encode())),
        serial=(SerialPort("/dev/ttyUSB0", "USB serial\x1b[2J", "USB VID:PID=0403:6001"),),
        detected=Detected(
            (Adapter("pcan", {"interface": "pcan", "channel": "PCAN_USBBUS1", "bitrate": "250000"}),),
            ("kvaser",),
        ),
    )


def test_every_installed_driver_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["links", "--no-detect", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in told["drivers"]] == driver_names()
    by_name = {each["name"]: each for each in told["drivers"]}
    assert by_name["virtual"]["works"]
    assert by_name["virtual"]["example"] == "virtual:NAME"
    assert "loss and echo" in by_name["virtual"]["options"]
    assert by_name["can"]["about"].startswith("python-can: ")
    names = {each["name"]: each["works"] for each in told["python_can"]}
    assert names["virtual"]
    assert (told["adapters"], told["serial"], told["socketcan"]) == ([], [], [])


def test_the_text_names_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(links, "look", lambda adapters: found())
    assert run(["links"]) == 0
    text = capsys.readouterr().out
    out = " ".join(text.split())
    assert "can:socketcan:can0 SocketCAN, can up, 250 kbit/s" in out
    assert "up, 250 kbit/s, ERROR-ACTIVE, listen-only" in out
    assert "down: ip link set can1 up type can bitrate RATE" in out
    assert "can:pcan:PCAN_USBBUS1?bitrate=250000" in out
    assert "no answer from python-can's kvaser" in out
    assert "pip install 'python-can[gs_usb]'" in out
    assert "\x1b" not in text


def test_json_has_urls(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(links, "look", lambda adapters: found())
    assert run(["links", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [each["url"] for each in told["socketcan"]] == [
        "can:socketcan:can0", "can:socketcan:can1", "can:socketcan:vcan0",
    ]  # fmt: skip
    assert told["serial"][0]["url"] == "slcan:/dev/ttyUSB0"
    assert told["adapters"][0]["config"]["channel"] == "PCAN_USBBUS1"
    assert told["no_answer"] == ["kvaser"]


# drivers that are broken


def broken(monkeypatch: pytest.MonkeyPatch, error: Exception, *requires: str) -> links.Driver:
    def load(_: EntryPoint) -> object:
        raise error

    monkeypatch.setattr(EntryPoint, "load", load)
    dist = SimpleNamespace(name="swapproto", requires=list(requires))
    monkeypatch.setattr(EntryPoint, "dist", dist)
    return links.driver(EntryPoint("modbus", "swapproto_drivers.modbus:open_link", GROUP))


@pytest.mark.parametrize(
    ("module", "requires", "install"),
    [
        (
            "pymodbus",
            ["pymodbus~=3.16; extra == 'test'", "pymodbus~=3.16; extra == 'modbus'"],
            "'swapproto[modbus]'",
        ),
        ("pymodbus.client", ['PyModbus>=3 ; extra == "modbus"'], "'swapproto[modbus]'"),
        ("can.interfaces", ["python-can[multicast]>=4.5"], "python-can"),
        ("serial", [], "pyserial"),
        ("elsewhere", ["pymodbus"], "elsewhere"),
    ],
)
def test_a_missing_module_names_what_to_install(
    module: str, requires: list[str], install: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = ModuleNotFoundError(f"No module named {module!r}", name=module)
    found = broken(monkeypatch, error, *requires)
    assert not found.works
    assert found.missing.endswith(f"try: pip install {install}")


def test_a_driver_that_breaks_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    found = broken(monkeypatch, RuntimeError("no licence"))
    assert found.missing == "RuntimeError: no licence"


@pytest.mark.parametrize(
    ("documentation", "about", "example"),
    [
        ("", "", ""),
        ("`x:PORT?a=1`: frames by post.\n\nMore.", "x:PORT?a=1: frames by post", "x:PORT?a=1"),
        ("Frames by post. As `x:HERE`, slowly.", "Frames by post", "x:HERE"),
        ("Over two\nlines", "Over two lines", ""),
    ],
)
def test_how_a_driver_introduces_itself(documentation: str, about: str, example: str) -> None:
    assert links.introduction("x", documentation) == (about, example)


# adapters


def test_the_systems_interfaces() -> None:
    assert [*from_ip(json.dumps(IP).encode())] == [
        SocketCan("can0", "can", True, 250_000, "ERROR-ACTIVE", True),
        SocketCan("can1", "can", False, None, "STOPPED", False),
        SocketCan("vcan0", "vcan", True, None, "", False),
    ]


def sysfs(folder: Path) -> Path:
    for name, kind, flags in (("eth0", "1", "0x1003"), ("can0", "280", "0x41"), ("can1", "280", "0x40")):
        (folder / name).mkdir(parents=True)
        (folder / name / "type").write_text(kind + "\n")
        (folder / name / "flags").write_text(flags + "\n")
    return folder


@pytest.mark.parametrize(
    "answer", [None, b"Usage: ip", b'{"a": 1}', b'[{"link_type": "can", "linkinfo": 5}]']
)
def test_without_a_useful_ip_names_are_all_there_is(
    answer: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(*_: Any, **__: Any) -> subprocess.CompletedProcess[bytes]:
        if answer is None:
            raise subprocess.TimeoutExpired("ip", 1)
        return subprocess.CompletedProcess([], 0, answer, b"")

    monkeypatch.setattr(subprocess, "run", told)
    monkeypatch.setattr(shutil, "which", lambda _: "/sbin/ip")
    found = socketcan(sysfs(tmp_path / "net"))
    assert [(each.name, each.up) for each in found] == [("can0", True), ("can1", False)]


def test_a_talkative_library_is_not_taken_at_its_word() -> None:
    told = (
        b"Welcome to the driver!\n"
        b'{"interface":"pcan","configs":[{"channel":"PCAN_USBBUS1"}]}\n'
        b"\xff\xfe\n"
        b'{"interface":"kvaser","configs":[]}\n'
        b'{"interface":"vector","conf'
    )
    found = answers(told, ["kvaser", "pcan", "vector"])
    assert found == Detected((Adapter("pcan", {"channel": "PCAN_USBBUS1"}),), ("vector",))


def test_a_library_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    def hangs(*_: Any, **__: Any) -> Any:
        raise subprocess.TimeoutExpired("python", 1, output=b'{"interface":"kvaser","configs":[]}\n')

    monkeypatch.setattr(subprocess, "run", hangs)
    assert detect(["vector", "kvaser", "virtual"]) == Detected((), ("vector",))


def test_the_process_that_asks_really_answers() -> None:
    assert detect(["robotell"], 60) == Detected((), ())
    assert detect(["virtual", "socketcan"]) == Detected((), ())


def test_logging_is_as_before() -> None:
    before = logging.root.manager.disable
    links.interfaces()
    assert logging.root.manager.disable == before
