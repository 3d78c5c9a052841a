"""These tests need the kernel's CAN: `.ci/socketcan-lab` boots one and runs them in it."""

import fcntl
import os
import shutil
import signal
import struct
import subprocess
import termios
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from swapproto.frame import SECOND, CanFrame
from swapproto.runtime.wire_time import INTERMISSION, frame_bits
from swapproto.trace.candump import CandumpReader
from swapproto.trace.record import Record

CLOCK = os.environ.get("SWAPPROTO_LAB")
"""``virtual`` or ``real`` in the laboratory, None elsewhere."""
KEPT = Path("/run/lab/out")
"""What the laboratory hands out."""
BITRATE = 250_000
IN_THE_QUEUE = 16
"""Bytes that a queue counts for every frame of classic CAN, whatever it takes on the wire."""
UNSTUFFED = 131
"""Bits of a frame with 29-bit identifier and 8 bytes, and the pause behind it."""
N_SLCAN = 17
SIOCGIFNAME = 0x8910


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        marker = item.get_closest_marker("lab")
        if marker is not None and CLOCK is None:
            item.add_marker(pytest.mark.skip("runs inside .ci/socketcan-lab"))
        elif marker is not None and marker.kwargs.get("timing") and CLOCK != "virtual":
            item.add_marker(pytest.mark.skip("timing holds in virtual time alone"))


@pytest.fixture(scope="session", autouse=True)
def _in_memory() -> None:
    """Have the program in memory: in virtual time, waiting for the host's files takes any time at all."""
    if CLOCK is None:
        return
    lines = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    for name in {line.split(maxsplit=5)[-1] for line in lines if " /" in line}:
        Path(name).read_bytes()


@pytest.fixture
def virtual_time() -> bool:
    """Whether the guest is as fast as its clock says."""
    return CLOCK == "virtual"


@pytest.fixture(params=["vcan0 vcan0", "can0 can1"], ids=["vcan", "controllers"])
def interfaces(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Two ends of one bus."""
    ours, theirs = str(request.param).split()
    return ours, theirs


@pytest.fixture
def serial_line() -> Iterator[tuple[str, str]]:
    """A serial line's path, and the interface that the kernel has at its other end.

    The kernel is the adapter here, and one that answers no commands: it expects an adapter itself.
    """
    master, slave = os.openpty()
    fcntl.ioctl(master, termios.TIOCSETD, struct.pack("i", N_SLCAN))
    interface = fcntl.ioctl(master, SIOCGIFNAME, bytes(16)).rstrip(b"\0").decode()
    subprocess.run(["ip", "link", "set", interface, "up"], check=True)
    yield os.ttyname(slave), interface
    os.close(slave)
    os.close(master)


class Pace:
    """Lets a frame through each controller each time that one of mean length would have passed at 250 kbit/s.

    The emulated controllers take no time, and a queue knows no bits, so all frames take the mean time.
    """

    def __call__(self, frames: Sequence[CanFrame], *, queue: int = 10) -> None:
        """Like these frames; the kernel's own transport waits for 20 ms whenever the queue is full."""
        self._set(_bits(frames) / len(frames), queue)

    def reset(self) -> None:
        self._set(UNSTUFFED, 10)

    def _set(self, bits: float, queue: int) -> None:
        shape = (
            f"rate {IN_THE_QUEUE * BITRATE / bits:.0f}bps burst {IN_THE_QUEUE} limit {IN_THE_QUEUE * queue}"
        )
        for name in ("can0", "can1"):
            subprocess.run(f"tc qdisc replace dev {name} root tbf {shape}".split(), check=True)


@pytest.fixture
def pace() -> Iterator[Pace]:
    pace = Pace()
    yield pace
    pace.reset()


@pytest.fixture
def bus_time() -> Callable[[Sequence[CanFrame]], int]:
    """The theory: nanoseconds that frames take one behind the other."""
    return lambda frames: _bits(frames) * SECOND // BITRATE


def _bits(frames: Sequence[CanFrame]) -> int:
    return sum(frame_bits(frame) + INTERMISSION for frame in frames)


@pytest.fixture
def record(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[[str], Callable[[], list[Record]]]]:
    """Starts candump on an interface, and returns what ends it and reads its recording."""
    running: list[subprocess.Popen[bytes]] = []

    def start(interface: str) -> Callable[[], list[Record]]:
        path = tmp_path / f"{request.node.name}-{interface}.log"
        with path.open("wb") as file:
            process = subprocess.Popen(["candump", "-L", interface], stdout=file)
        running.append(process)

        def read() -> list[Record]:
            process.send_signal(signal.SIGTERM)
            process.wait()
            with path.open("rb") as file:
                reader = CandumpReader(file)
                records = list(reader)
            assert (reader.skipped_lines, reader.notes) == (0, ())
            return records

        return read

    yield start
    for process in running:
        process.kill()
        process.wait()
    for path in tmp_path.glob("*.log"):
        shutil.copy(path, KEPT)
