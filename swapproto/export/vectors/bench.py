"""A virtual bus whose frames are written down, with transport endpoints and parties that follow a script."""

from collections import deque
from collections.abc import Collection, Iterable
from typing import cast

from swapproto.export.vectors.values import Entry, hexadecimal
from swapproto.frame import MICROSECOND, CanFrame, Instant
from swapproto.link import Node
from swapproto.runtime.virtual import VirtualBus
from swapproto.transport.events import TpEvent, TpViolation, TransferAborted, TransferReceived
from swapproto.transport.tp import Transport


def microseconds(at: Instant) -> int:
    """A bit of the bus and every timer last whole microseconds."""
    whole, rest = divmod(at, MICROSECOND)
    assert not rest
    return whole


class Bench:
    """The bus and what it carried: one row a frame, at its last bit."""

    def __init__(self) -> None:
        self.bus = VirtualBus()
        self.frames: list[Entry] = []
        self.bus.tap(self._carried)

    def attach(self, node: Node, name: str) -> None:
        self.bus.attach(node, name)

    def _carried(self, frame: CanFrame, at: Instant, sender: str) -> None:
        row: Entry = {"at_us": microseconds(at), "from": sender, "id": f"{frame.id:08X}"}
        self.frames.append(row | {"data": hexadecimal(frame.data), "lost": False})


class Endpoint:
    """A Transport on the bench, by itself; frames that it shall not hear are counted from one."""

    def __init__(self, bench: Bench, name: str, transport: Transport, deaf: Collection[int] = ()) -> None:
        self.transport = transport
        self.events: list[Entry] = []
        self._bench = bench
        self._name = name
        self._deaf = deaf
        self._heard = 0
        bench.attach(self, name)

    def receive(self, frame: CanFrame, now: Instant) -> None:
        self._heard += 1
        if self._heard in self._deaf:
            self._bench.frames[-1]["lost"] = True
            return
        self.transport.receive(frame, now)
        self._note(now)

    def handle_timeout(self, now: Instant) -> None:
        self.transport.handle_timeout(now)
        self._note(now)

    def next_timeout(self) -> Instant | None:
        return self.transport.next_timeout()

    def poll_transmit(self) -> CanFrame | None:
        now = self._bench.bus.now
        self.transport.handle_timeout(now)  # timers count from when a frame leaves
        frame = self.transport.poll_transmit()
        self._note(now)
        return frame

    def _note(self, now: Instant) -> None:
        while (event := self.transport.poll_event()) is not None:
            self.events.append({"at_us": microseconds(now), "party": self._name, **_told(event)})


class Scripted:
    """A party that sends what it is told, when it is told, and heeds nothing."""

    def __init__(self, bench: Bench, name: str, script: Iterable[tuple[Instant, CanFrame]]) -> None:
        self._script = deque(sorted(script, key=_instant))
        self._ready: deque[CanFrame] = deque()
        bench.attach(self, name)

    def receive(self, frame: CanFrame, now: Instant) -> None:
        pass

    def handle_timeout(self, now: Instant) -> None:
        while self._script and self._script[0][0] <= now:
            self._ready.append(self._script.popleft()[1])

    def next_timeout(self) -> Instant | None:
        return self._script[0][0] if self._script else None

    def poll_transmit(self) -> CanFrame | None:
        return self._ready.popleft() if self._ready else None


def ordered(events: Iterable[Entry]) -> list[Entry]:
    """Rows of several parties by their time."""
    return sorted(events, key=lambda row: cast("int", row["at_us"]))


def _instant(step: tuple[Instant, CanFrame]) -> Instant:
    return step[0]


def _told(event: TpEvent) -> Entry:
    match event:
        case TpViolation():
            return {"event": "violation", "reason": event.reason.value}
        case TransferReceived():
            return {"event": "received", "pgn": event.pgn, "payload": hexadecimal(event.payload)}
        case TransferAborted():
            return {
                "event": "aborted", "pgn": event.pgn, "by": event.by.value, "code": event.code,
                "reason": event.reason,
            }  # fmt: skip
        case _:
            return {"event": "sent", "pgn": event.pgn}
