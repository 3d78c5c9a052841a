"""SLCAN adapters for the tests: their side of the protocol, and ports and ptys to reach them by."""

import os
import select
import threading
import tty
from collections import deque
from collections.abc import Callable

from swapproto.errors import LinkClosed, LinkError
from swapproto.frame import Instant
from swapproto.link import LinkEvent


class Adapter:
    """Answers as the CAN232 manual has it; what it sends on the bus goes to ``bus``."""

    def __init__(self, bus: Callable[[bytes], None] = lambda _: None, *, version: bytes = b"V1013") -> None:
        self.bus = bus
        self.version = version
        self.refuse: set[bytes] = set()
        self.told: list[bytes] = []
        self.open = False
        self.stamped = False
        self.clock = 0
        self.flags = 0
        self.traffic: list[bytes] = []
        self._line = b""

    def hear(self, data: bytes) -> bytes:
        """The answers to what the host says."""
        answers = b""
        for n in range(len(data)):
            if data[n] != 13:
                self._line += data[n : n + 1]
                continue
            line, self._line = self._line, b""
            answers += self._obey(line)
        return answers

    def frame(self, line: bytes) -> bytes:
        """What the host is told of a frame from the bus."""
        if not self.open:
            return b""
        return line + (b"%04X" % (self.clock % 60_000) if self.stamped else b"") + b"\r"

    def _obey(self, line: bytes) -> bytes:
        self.told.append(line)
        command = line[:1]
        if command in self.refuse or (command == b"C" and not self.open):
            return b"\a"
        if command in {b"t", b"T", b"r", b"R"}:
            if not self.open:
                return b"\a"
            self.bus(line)
            return b"z\r" if command in {b"t", b"r"} else b"Z\r"
        if command in {b"O", b"L", b"C"}:
            self.open = command != b"C"
            if command == b"L":
                return b"\r" + b"".join(self.frame(line) for line in self.traffic)
        elif command == b"Z":
            self.stamped = line == b"Z1"
        elif command == b"V":
            return self.version + b"\r"
        elif command == b"F":
            flags, self.flags = self.flags, 0
            return b"F%02X\r" % flags
        return b"\r"


class AdapterPort:
    """A port with an adapter behind it, in a time of its own: waiting takes no time of the test."""

    name = "test"

    def __init__(self, adapter: Adapter, *, deaf: bool = False) -> None:
        self.adapter = adapter
        self.deaf = deaf
        self.time: Instant = 1_000_000_000_000
        self.incoming: deque[bytes] = deque()
        self.gone = False
        self.room = 1 << 30
        self.closed = False

    def now(self) -> Instant:
        return self.time

    def read(self, *, deadline: Instant) -> bytes:
        if self.gone:
            raise LinkClosed("test: unplugged")
        if self.incoming:
            return self.incoming.popleft()
        self.time = max(self.time, deadline)
        return b""

    def write(self, data: bytes, *, deadline: Instant) -> None:
        if self.gone:
            raise LinkClosed("test: unplugged")
        taken = data[: self.room]
        answer = self.adapter.hear(taken)
        if answer and not self.deaf:
            self.incoming.append(answer)
        if len(taken) < len(data):
            self.time = max(self.time, deadline)
            raise LinkError("test: no room")

    def poll_event(self) -> LinkEvent | None:
        return None

    def close(self) -> None:
        self.closed = True


class AdapterPair:
    """Two adapters on one bus, each behind a pty; the thread ends when both ptys are closed."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self._masters: list[int] = []
        self._slaves: list[int] = []
        for _ in range(2):
            master, slave = os.openpty()
            tty.setraw(slave)
            self._masters.append(master)
            self._slaves.append(slave)
            self.paths.append(os.ttyname(slave))
        self._stop_read, self._stop_write = os.pipe()
        self.adapters = [
            Adapter(lambda line: self._deliver(1, line)),
            Adapter(lambda line: self._deliver(0, line)),
        ]
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def close(self) -> None:
        """End the thread and close what was opened."""
        os.write(self._stop_write, b"x")
        self._thread.join()
        for each in (*self._masters, *self._slaves, self._stop_read, self._stop_write):
            os.close(each)

    def _deliver(self, to: int, line: bytes) -> None:
        os.write(self._masters[to], self.adapters[to].frame(line))

    def _run(self) -> None:
        while True:
            ready, _, _ = select.select([*self._masters, self._stop_read], [], [])
            if self._stop_read in ready:
                return
            for master in ready:
                answer = self.adapters[self._masters.index(master)].hear(os.read(master, 4096))
                os.write(master, answer)
