"""A payload over RTS/CTS, both ends, against can-j1939.

``python benchmarks/transport.py`` prints the table; ``--check`` exits with 1 where a target is missed.
"""

import argparse
import sys
from collections import deque
from collections.abc import Callable, Sequence
from importlib import import_module
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol

from swapproto.frame import SECOND
from swapproto.transport.events import TransferReceived, TransferSent
from swapproto.transport.frames import MAX_PACKETS
from swapproto.transport.tp import Transport

if TYPE_CHECKING:  # a script finds its neighbour by its bare name
    from benchmarks._ratio import Action, conclude, interleave
else:
    from _ratio import Action, conclude, interleave

NOW = 1000 * SECOND
"""Nothing waits: the bus takes no time, so both are measured without timeouts or sleeps."""
SENDER, RECEIVER, PGN = 0xF4, 0x56, 0x1100
WINDOWS = (1, MAX_PACKETS)
"""Packets a CTS: can-j1939's default, and its largest."""
SIZES = (49, 1785)
TARGET = 6
"""How many times less CPU than can-j1939, at 1785 bytes; smaller payloads are shown only."""

data_link: Any = import_module("j1939.j1939_21")


class Peer(Protocol):
    """The part of can-j1939's J1939_21 that is used here."""

    def notify(self, can_id: int, data: bytearray, timestamp: float) -> None: ...
    def async_job_thread(self, now: float) -> float: ...
    def send_pgn(
        self, page: int, pf: int, ps: int, priority: int, source: int, data: list[int], limit: float, fmt: int
    ) -> bool: ...


class Ours:
    """Two endpoints on a bus that delivers at once."""

    def __init__(self, window: int) -> None:
        self._sender = Transport(SENDER, window=window)
        self._receiver = Transport(RECEIVER, window=window)

    def transfer(self, payload: bytes) -> bytes:
        sender, receiver = self._sender, self._receiver
        sender.send(PGN, payload, RECEIVER, NOW)
        answered = True
        while answered:
            while (frame := sender.poll_transmit()) is not None:
                receiver.receive(frame, NOW)
            answered = False
            while (frame := receiver.poll_transmit()) is not None:
                sender.receive(frame, NOW)
                answered = True
        sent, arrived = sender.poll_event(), receiver.poll_event()
        assert isinstance(sent, TransferSent)
        assert isinstance(arrived, TransferReceived)
        return arrived.payload


class Theirs:
    """Two link layers of can-j1939; their job runs when they ask for it, and their clock stands still."""

    def __init__(self, window: int) -> None:
        data_link.time = SimpleNamespace(time=lambda: NOW / SECOND)
        make: Callable[..., Peer] = data_link.J1939_21
        self._flying: deque[tuple[int, bytearray]] = deque()
        self._arrived: list[bytes] = []
        self._jobs = False
        self._sender, self._receiver = (
            make(self._transmit, self._wake, self._deliver, window, None, None, address.__eq__)
            for address in (SENDER, RECEIVER)
        )

    def _transmit(self, can_id: int, _extended: bool, data: Any) -> None:
        self._flying.append((can_id, bytearray(data)))

    def _wake(self) -> None:
        self._jobs = True

    def _deliver(self, _priority: int, _pgn: int, _from: int, _to: int, _at: float, data: Any) -> None:
        self._arrived.append(bytes(data))

    def transfer(self, payload: bytes) -> bytes:
        flying, now = self._flying, NOW / SECOND
        if not self._sender.send_pgn(0, PGN >> 8, RECEIVER, 7, SENDER, list(payload), 0, 0):
            raise SystemExit("can-j1939 still has the transfer before this one")
        while flying or self._jobs:
            if self._jobs:
                self._jobs = False
                self._sender.async_job_thread(now)
                self._receiver.async_job_thread(now)
                continue
            can_id, data = flying.popleft()
            target = self._sender if can_id & 0xFF == RECEIVER else self._receiver
            target.notify(can_id, data, now)
        return self._arrived.pop()


def compare(size: int, window: int, rounds: int, seconds: float) -> tuple[str, bool]:
    """A row, and whether it misses the target; a transfer has to arrive before it is timed."""
    payload = Random(size).randbytes(size)
    ours, theirs = Ours(window), Theirs(window)
    if not ours.transfer(payload) == payload == theirs.transfer(payload):
        raise SystemExit(f"{size} bytes did not arrive as they were sent")
    names = {"ours": ours.transfer, "theirs": theirs.transfer, "payload": payload}
    actions = {name: Action(f"{name}(payload)", names) for name in ("ours", "theirs")}
    times = interleave(actions, rounds, seconds, trial=5)
    ratio = times.ratio("theirs", "ours")
    target = TARGET if size == max(SIZES) else None
    missed = target is not None and ratio.middle < target
    row = (
        f"{size:5} {window:7}  {times.microseconds('ours')!s:24} {times.microseconds('theirs')!s:26}"
        f" {ratio}  {target or '':>4}{'!' if missed else ''}"
    )
    return row, missed


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--milliseconds", type=float, default=50, help="of each contender in each round")
    parser.add_argument("--check", action="store_true", help="exit with 1 where a target is missed")
    chosen = parser.parse_args(arguments)
    print("RTS/CTS, both ends. Median CPU microseconds a transfer (quartiles), how many times less CPU than")
    print("can-j1939, the target, and ! where it is missed. Window: packets a CTS.\n")
    print(f"bytes  window  {'ours':24} {'can-j1939':26} ratio          target")
    missed: list[str] = []
    for size in SIZES:
        for window in WINDOWS:
            row, failed = compare(size, window, chosen.rounds, chosen.milliseconds / 1000)
            print(row, flush=True)
            missed += [f"{size} bytes, window {window}"] * failed
    return conclude(missed, chosen.check)


if __name__ == "__main__":
    sys.exit(main())
