"""What the examples claim beyond running at all, which test_wheel_names looks after."""

import json
import os
import re
import runpy
import shutil
import socket
import subprocess
import sys
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from swapproto.errors import LinkUnavailable
from swapproto.export import c
from swapproto.export.source import declaration
from swapproto.frame import SECOND, CanFrame
from swapproto.link import Link, LinkEventKind
from swapproto.plugins import open_link
from swapproto_drivers import canet
from swapproto_drivers.contract import LinkContract

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
ON_VCAN = (
    "asyncio_rig.py",
    "bridge_converter.py",
    "charge_on_vcan.py",
    "listen_to_a_bay.py",
    "own_driver.py",
    "swap_on_three_buses.py",
)
AFTERNOON = EXAMPLES / "firmware_afternoon"


def load(name: str) -> dict[str, Any]:
    """The names of an example that does nothing when it is imported."""
    return runpy.run_path(str(EXAMPLES / name), run_name="example")


def test_the_table_tells_of_every_example_and_of_no_other() -> None:
    table = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    shown = (path for path in EXAMPLES.iterdir() if path.name[0] not in "._")
    there = {path.name for path in shown if path.is_dir() or path.suffix == ".py"}

    assert set(re.findall(r"^\| \[`([^`/]+)/?`\]\(\1\)", table, re.MULTILINE)) == there


@pytest.mark.parametrize("name", ON_VCAN)
def test_the_text_has_the_commands_for_vcan(name: str) -> None:
    text = (EXAMPLES / name).read_text(encoding="utf-8").split('"""')[1]

    assert "modprobe vcan" in text
    assert re.search(r"ip link add vcan\S+ type vcan && ip link set vcan\S+ up", text)
    assert re.search(r"python \w+\.py .*can:socketcan:vcan0", text)


# ---- a swap on three buses


def test_each_bus_of_a_swap_comes_out_of_a_link_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    urls = [f"virtual:three-buses-{number}" for number in range(3)]
    example = str(EXAMPLES / "swap_on_three_buses.py")
    with ExitStack() as stack:
        listeners = [stack.enter_context(closing(open_link(url))) for url in urls]
        monkeypatch.setattr(sys, "argv", [example, *urls])
        runpy.run_path(example, run_name="__main__")
        heard = [_all(listener) for listener in listeners]

    told = re.findall(r"^(\w+): (\d+) frames$", capsys.readouterr().out, re.MULTILINE)
    assert [name.rstrip("0123456789") for name, _ in told] == ["truck", "bay", "bay"]
    assert heard == [int(count) for _, count in told]


def _all(link: Link) -> int:
    count = 0
    while link.receive(deadline=link.now() + SECOND) is not None:
        count += 1
    return count


# ---- listening to a bay


def test_the_pack_in_the_bay_is_heard_whole() -> None:
    done = subprocess.run(
        [sys.executable, EXAMPLES / "listen_to_a_bay.py"], capture_output=True, text=True, check=True
    )

    assert re.search(r"^228 of 228 cells, ", done.stdout, re.MULTILINE)
    assert re.findall(r"^missing: (.*)$", done.stdout, re.MULTILINE) == ["VIN: not heard"]


# ---- a bridge


def test_a_bridge_ends_with_a_link_and_says_which(capsys: pytest.CaptureFixture[str]) -> None:
    bridge = load("bridge_converter.py")["bridge"]
    with closing(canet.open_link("listen:127.0.0.1:0", {})) as converter:
        side = open_link(f"canet:tcp:127.0.0.1:{converter.local_port}?reconnect=false")
        with bridge(side, open_link("can:virtual:half")) as station:
            assert converter.receive(deadline=0) is None
            converter.close()
            ends = station.run(lambda: bool(station.ends), duration=10 * SECOND)

    assert ends[side.caps.name].error is not None
    assert side.caps.name in capsys.readouterr().out


# ---- a driver of one's own

own_driver = load("own_driver.py")


class TestOwnDriver(LinkContract):
    def open_pair(self) -> tuple[Link, Link]:
        pair: tuple[Link, Link] = own_driver["TestDatagramLink"]().open_pair()
        return pair


def test_the_example_runs_the_whole_contract() -> None:
    done = subprocess.run(
        [sys.executable, EXAMPLES / "own_driver.py"], capture_output=True, text=True, check=True
    )

    assert done.stdout.count("passed: ") == sum(name.startswith("test_") for name in dir(LinkContract))


def test_a_datagram_that_is_no_frame_is_an_event() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with closing(own_driver["DatagramLink"](ours, "mine:a")) as link, theirs:
        theirs.send(b"\x00\x00\x00\x01" + bytes(9))
        theirs.send(b"\x00\x00\x00\x02\xff")
        received = link.receive(deadline=link.now() + SECOND)
        event = link.poll_event()

    assert received.frame == CanFrame(2, b"\xff", extended=False)
    assert event.kind is LinkEventKind.DROPPED


def test_two_ports_make_a_link() -> None:
    with closing(own_driver["open_link"]("0:9", {})) as link:
        link.send(CanFrame(1), deadline=link.now() + SECOND)
        link.send(CanFrame(1), deadline=link.now() + SECOND)
        assert link.receive(deadline=link.now()) is None


@pytest.mark.parametrize(
    ("rest", "options"), [("", {}), ("1", {}), ("a:b", {}), ("0:99999", {}), ("0:9", {"a": "1"})]
)
def test_a_bad_address_is_told(rest: str, options: dict[str, str]) -> None:
    with pytest.raises(LinkUnavailable, match="mine:"):
        own_driver["open_link"](rest, options)


# ---- a firmware developer's afternoon


def afternoon(folder: Path, *cases: str, flags: str = "") -> tuple[int, dict[str, dict[str, str]]]:
    """Exit status, and the verdict on each requirement of each case."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler here")
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["/bin/sh", AFTERNOON / "afternoon.sh", folder, *cases],
        env={**os.environ, "PATH": programs, "CFLAGS": flags},
        capture_output=True,
        text=True,
        check=False,
    )
    report = folder / "report" / "results.json"
    assert report.exists(), done.stdout + done.stderr
    verdicts = {
        result["id"]: {each["requirement_id"]: each["verdict"] for each in result["findings"]}
        for result in json.loads(report.read_bytes())["cases"]
    }
    assert verdicts.keys() == set(cases)
    return done.returncode, verdicts


def test_a_firmware_on_the_generated_library_is_judged(tmp_path: Path) -> None:
    _, verdicts = afternoon(tmp_path, "pack.handshake.bhm", "pack.identification.brm")

    # Periods are left out: on a busy machine they are the machine's.
    told = [verdict for case in verdicts.values() for name, verdict in case.items() if "-period" not in name]
    assert len(told) > 5
    assert set(told) == {"pass"}


def test_its_mistake_is_found(tmp_path: Path) -> None:
    status, verdicts = afternoon(tmp_path, "pack.handshake.bhm", flags="-DBHM_PERIOD=400")

    failed = {name for name, verdict in verdicts["pack.handshake.bhm"].items() if verdict == "fail"}
    assert failed == {"GBT27930-2015/message/BHM-period"}
    assert status == 1


def test_the_firmware_is_clean_under_strict_warnings(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler here")
    for name, content in c.files(declaration("gbt27930-2015")).items():
        (tmp_path / name).write_bytes(content)
    strict = ("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")
    folders = (f"-I{tmp_path}", f"-I{EXAMPLES / 'firmware_shim'}")
    subprocess.run([compiler, *strict, *folders, "-fsyntax-only", AFTERNOON / "device.c"], check=True)
