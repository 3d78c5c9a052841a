"""The C transport under the address and undefined-behaviour sanitizers, repeating calls written down."""

import ctypes
import subprocess
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any, ClassVar

import pytest

from swapproto.export import c
from swapproto.frame import MICROSECOND, MILLISECOND, CanFrame
from swapproto.transport.events import TpEvent
from tests.export.c.conftest import FAMILIES, HERE, build, compiler, declared, write
from tests.export.c.transport.conftest import CTransport, Twin
from tests.export.c.transport.test_export_c_transport import ALL, PEER, US, deliver, lockstep, run

SANITIZED = ("-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
QUICK, LONG = 150, 3000


class Written(CTransport):
    """The C transport, its calls and answers written down as the program that repeats them has them."""

    calls: ClassVar[list[str]] = []
    answers: ClassVar[list[str]] = []
    made: ClassVar[int] = 0

    def __init__(self, *arguments: Any, **keys: Any) -> None:
        super().__init__(*arguments, **keys)
        self._k = Written.made
        Written.made += 1
        self._call("new", *self.made_with)

    @classmethod
    def clear(cls) -> None:
        cls.calls.clear()
        cls.answers.clear()
        cls.made = 0

    def _call(self, name: str, *arguments: object) -> None:
        self.calls.append(" ".join(map(str, (name, self._k, *arguments))))

    def _answer(self, *answer: object) -> None:
        self.answers.append(" ".join(map(str, answer)))

    def send(self, pgn: int, payload: bytes, destination: int, now: int) -> int:
        status = super().send(pgn, payload, destination, now)
        self._call("send", pgn, destination, now // MICROSECOND, f"{payload.hex()}.")
        self._answer(status)
        return status

    def pending(self, destination: int) -> int:
        pending = super().pending(destination)
        self._call("pending", destination)
        self._answer(pending)
        return pending

    def hold(self, source: int, now: int) -> None:
        super().hold(source, now)
        self._call("hold", source, now // MICROSECOND)

    def release(self, source: int, now: int) -> None:
        super().release(source, now)
        self._call("release", source, now // MICROSECOND)

    def receive(self, frame: CanFrame, now: int) -> bool:
        taken = super().receive(frame, now)
        self._call("receive", frame.id, now // MICROSECOND, f"{frame.data.hex()}.")
        self._answer(int(taken))
        return taken

    def handle_timeout(self, now: int) -> None:
        super().handle_timeout(now)
        self._call("timeout", now // MICROSECOND)

    def next_timeout(self) -> int | None:
        due = super().next_timeout()
        self._call("next")
        self._answer(2**64 - 1 if due is None else due // MICROSECOND)
        return due

    def poll_transmit(self) -> CanFrame | None:
        frame = super().poll_transmit()
        self._call("frame")
        self._answer(*("none",) if frame is None else (frame.id, f"{frame.data.hex()}."))
        return frame

    def poll_event(self) -> TpEvent | None:
        event = super().poll_event()
        self._call("event")
        if event is None:
            self._answer("none")
        else:
            kind, *_ = out = self._out[:]
            size = out[6] if kind < 2 else out[12] if kind == 3 else 0
            self._answer(*out, f"{self._data.raw[:size].hex()}.")
        return event


class WrittenTwin(Twin):
    """Both transports, the calls to one of them written down."""

    C = Written


def program(files: Mapping[str, bytes], folder: Path) -> Path:
    write(files, folder)
    (folder / "swap_selftest.c").unlink()
    (folder / "around").mkdir()
    (folder / "around" / "transport_shim.c").write_text((HERE / "transport_shim.c").read_text())
    (folder / "main.c").write_text((HERE / "transport_replay.c").read_text())
    return build(folder, "replay", "-I.", "-Iaround", *SANITIZED)


@pytest.fixture(scope="module")
def replay(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler("gcc")
    return program(c.files(declared(FAMILIES[0])), tmp_path_factory.mktemp("sanitized"))


def repeat(replay: Path) -> subprocess.CompletedProcess[str]:
    """The program under what has been written down; all its nodes are freed in the end."""
    calls = [*Written.calls, *(f"free {k}" for k in range(Written.made))]
    return subprocess.run([replay], input="\n".join(calls), capture_output=True, text=True, check=False)


def check(replay: Path) -> None:
    done = repeat(replay)
    assert (done.returncode, done.stderr) == (0, "")
    assert Written.answers
    assert done.stdout.splitlines() == Written.answers


def calls_by_chance(library: ctypes.CDLL, count: int) -> None:
    Written.clear()
    for seed in range(count):
        lockstep(library, seed, 1 + seed % 11 ** (1 + seed % 2) % 255, seed % 4, WrittenTwin)


def test_calls_by_chance(library: ctypes.CDLL, replay: Path) -> None:
    calls_by_chance(library, QUICK)
    check(replay)


@pytest.mark.long
def test_calls_by_chance_for_long(library: ctypes.CDLL, replay: Path) -> None:
    calls_by_chance(library, LONG)
    check(replay)


def test_transfers_over_a_bus_that_loses_frames(library: ctypes.CDLL, replay: Path) -> None:
    Written.clear()
    random = Random(11)
    for size in (9, 14, 15, 252, 1784, 1785):
        nodes = [WrittenTwin(library, US), WrittenTwin(library, PEER, window=3)]
        payload = random.randbytes(size)
        nodes[0].send(0x1100, payload, PEER, 0)
        nodes[1].send(0x0200, payload, US, 0)
        nodes[0].send(0xFECA, payload, ALL, 0)

        def wire(_: CanFrame) -> list[int]:
            copies = (random.random() >= 0.02) + (random.random() < 0.02)
            return [random.choice((0, 0, 1, 40)) * MILLISECOND for _ in range(copies)]

        run(nodes, wire)
    check(replay)


def test_rooms_that_are_too_small(library: ctypes.CDLL, replay: Path) -> None:
    """Frames, events, buffers and transfers for which there is no place."""
    Written.clear()
    for room, slots, frames, events in ((9, 1, 1, 1), (49, 1, 2, 1), (50, 2, 3, 2), (1785, 1, 1, 3)):
        node = Written(
            library, US, room=room, max_transfers=slots, frame_room=frames, event_room=events, window=2
        )
        for size in (9, 49, 50, 51, 1785):
            for source in (PEER, 0x27):
                deliver(node, source, bytes(size))
            for number in range(70):
                node.send(0x1100, bytes(size), (PEER, ALL)[number % 2], 0)
            for now in range(0, 4000 * MILLISECOND, 250 * MILLISECOND):
                node.handle_timeout(now)
                node.poll_transmit()
        while node.poll_event() is not None:
            pass
    check(replay)


PLANTS = {
    "a frame beyond the ring": ("swap_transport.c", "_count++) % tp->config.frame_room]", "_count++)]"),
    "a payload beyond its buffer": ("swap_receiver.c", "].room >= size)", "].room + 900u >= size)"),
    "a shift beyond its type": (
        "swap_transport.c", "(uint32_t)tp->config.priority << 26", "(uint32_t)(tp->config.priority << 29)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("plant", PLANTS)
def test_a_planted_error_is_reported(plant: str, library: ctypes.CDLL, replay: Path, tmp_path: Path) -> None:
    test_rooms_that_are_too_small(library, replay)
    name, right, wrong = PLANTS[plant]
    files = dict(c.files(declared(FAMILIES[0])))
    assert right.encode() in files[name], "there is nothing left to be wrong: plant it anew"
    files[name] = files[name].replace(right.encode(), wrong.encode())
    done = repeat(program(files, tmp_path))
    assert done.returncode != 0
    assert "Sanitizer" in done.stderr or "runtime error" in done.stderr
