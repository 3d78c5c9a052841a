"""The shims that make a firmware, compiled for the host, a device on the bus."""

import shlex
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from swapproto.frame import SECOND, CanFrame
from swapproto.link import LinkEventKind
from swapproto.messages.gbt27930 import BHM, CHM
from swapproto_drivers.program import ProgramLink, open_link

SHIM = Path(__file__).parents[2] / "examples" / "firmware_shim"


@pytest.fixture
def firmware(tmp_path: Path) -> str:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler here")
    program = tmp_path / "device"
    sources = [str(SHIM / name) for name in ("device.c", "shim.c")]
    subprocess.run([compiler, "-Wall", "-Wextra", "-Werror", "-o", str(program), *sources], check=True)
    return shlex.quote(str(program))


@pytest.fixture
def model() -> str:
    return shlex.join([sys.executable, str(SHIM / "device.py")])


@pytest.mark.parametrize("device", ["firmware", "model"])
def test_a_firmware_is_a_device_on_the_bus(device: str, request: pytest.FixtureRequest) -> None:
    with closing(open_link(request.getfixturevalue(device), {})) as link:
        # An 11-bit frame and a remote frame are none that this device takes.
        link.send(CanFrame(0x123, b"\x01", extended=False), deadline=link.now() + SECOND)
        link.send(CanFrame(0x1826F456, remote=True), deadline=link.now() + SECOND)
        hello = CanFrame(0x1826F456, CHM(version_minor=1, version_major=1).encode())
        link.send(hello, deadline=link.now() + SECOND)
        answers = [_next(link) for _ in range(2)]
        assert {frame.id for frame in answers} == {0x182756F4}
        assert BHM.decode(answers[0].data).max_voltage == 750.0
        told = link.poll_event()
        assert told is not None
        assert (told.kind, told.text) == (LinkEventKind.TOLD, "charger of version 1.1")


def _next(link: ProgramLink) -> CanFrame:
    received = link.receive(deadline=link.now() + 5 * SECOND)
    assert received is not None
    return received.frame
