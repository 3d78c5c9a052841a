"""Two processes on one machine, in real time."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest

from swapproto.errors import LinkError
from swapproto.frame import SECOND, CanFrame
from swapproto.plugins import open_link

URL = "can:udp_multicast:239.74.163.27"
pytestmark = pytest.mark.long


@pytest.fixture(scope="module", autouse=True)
def multicast() -> None:
    """Skip where a frame does not come through."""
    try:
        with closing(open_link(URL)) as here, closing(open_link(URL)) as there:
            here.send(CanFrame(0x1FFFFFFF), deadline=here.now() + SECOND)
            came = there.receive(deadline=there.now() + SECOND)
    except LinkError as error:
        pytest.skip(f"no multicast here: {error}")
    if came is None:
        pytest.skip("no multicast here: a frame was sent and did not arrive")


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.communicate()


def simulate(processes: list[subprocess.Popen[str]], *arguments: str) -> subprocess.Popen[str]:
    code = "import sys; from swapproto.cli import main; main(sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "simulate", *arguments, "--link", URL],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    processes.append(process)
    return process


def read_until(process: subprocess.Popen[str], wanted: str) -> list[str]:
    """Lines up to the one that holds the text; a session that hangs ends by its own time limits."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if wanted in line:
            return lines
    raise AssertionError(f"{wanted!r} was not said:\n{''.join(lines)}")


def test_a_charge_is_completed(processes: list[subprocess.Popen[str]]) -> None:
    pack = simulate(processes, "pack", "--soc", "90")
    read_until(pack, "idle -> listening")
    charger = simulate(processes, "charger", "--time-limit", "3")
    told = [process.communicate(timeout=60)[0] for process in (pack, charger)]
    assert [process.returncode for process in (pack, charger)] == [0, 0], "\n".join(told)
    assert all("1 session complete" in text.splitlines()[-1] for text in told)
    assert all("peer sent" not in text for text in told), "\n".join(told)


@pytest.mark.parametrize(
    ("killed", "left", "message"),
    [
        ("charger", "pack", "sends BEM: SPN 3905 ccs: timeout"),
        ("pack", "charger", "sends CEM: SPN 3925 bcl: timeout"),
    ],
)
def test_one_is_killed(killed: str, left: str, message: str, processes: list[subprocess.Popen[str]]) -> None:
    survivor = simulate(processes, left)
    read_until(survivor, "(start)")
    victim = simulate(processes, killed)
    read_until(survivor, "-> charging (")
    victim.kill()
    told = read_until(survivor, message)
    assert any("timeout: " in line for line in told)
    survivor.send_signal(signal.SIGINT)
    rest, _ = survivor.communicate(timeout=60)
    assert survivor.returncode == 1
    assert "Traceback" not in rest
    assert "1 session ended in an error" in rest.splitlines()[-1]
