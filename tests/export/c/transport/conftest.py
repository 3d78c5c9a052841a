"""The C transport with the call surface of ours, and both in one that have to agree."""

import ctypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from swapproto.export import c
from swapproto.frame import MICROSECOND, MILLISECOND, CanFrame
from swapproto.transport.events import (
    AbortedBy,
    TpEvent,
    TpViolation,
    TransferAborted,
    TransferReceived,
    TransferSent,
)
from swapproto.transport.rules import Violation
from swapproto.transport.tp import Transport
from tests.export.c.conftest import FAMILIES, HERE, build, declared, write

SLOTS = 4
OK = 0


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    return load(c.files(declared(FAMILIES[0])), tmp_path_factory.mktemp("transport"))


def load(files: Mapping[str, bytes], folder: Path) -> ctypes.CDLL:
    write(files, folder)
    (folder / "swap_selftest.c").unlink()
    (folder / "shim.c").write_text((HERE / "transport_shim.c").read_text())
    made = ctypes.CDLL(str(build(folder, "transport.so", "-O1", "-shared", "-fPIC")))
    made.node_new.restype = ctypes.c_void_p
    made.node_next.restype = ctypes.c_uint64
    made.node_lost.restype = ctypes.c_uint32
    return made


class CTransport:
    """The C transport with the call surface of ours; instants in ns, of which it takes the microseconds."""

    def __init__(
        self, library: ctypes.CDLL, address: int, *, window: int = 255, retries: int = 2, packet_gap: int = 0,
        bam_gap: int = 50 * MILLISECOND, priority: int = 7, max_transfers: int = SLOTS, room: int = 1785,
        frame_room: int = 4096, event_room: int = 4096,
    ) -> None:  # fmt: skip
        self.address = address
        self._c = library
        self.made_with = (
            address, window, retries, packet_gap // MICROSECOND, bam_gap // MICROSECOND, priority,
            max_transfers, room, frame_room, event_room,
        )  # fmt: skip
        self._node = ctypes.c_void_p(library.node_new(*self.made_with))
        self._data = ctypes.create_string_buffer(1785)
        self._out = (ctypes.c_int64 * 13)()
        self._id = ctypes.c_uint32()

    def __del__(self) -> None:
        self._c.node_free(self._node)

    def send(self, pgn: int, payload: bytes, destination: int, now: int) -> int:
        status: int = self._c.node_send(self._node, pgn, payload, len(payload), destination, _at(now))
        return status

    def pending(self, destination: int) -> int:
        return int(self._c.node_pending(self._node, destination))

    @property
    def lost_events(self) -> int:
        return int(self._c.node_lost(self._node))

    def hold(self, source: int, now: int) -> None:
        self._c.node_hold(self._node, source, _at(now))

    def release(self, source: int, now: int) -> None:
        self._c.node_release(self._node, source, _at(now))

    def receive(self, frame: CanFrame, now: int) -> bool:
        return bool(self._c.node_receive(self._node, frame.id, len(frame.data), frame.data, _at(now)))

    def handle_timeout(self, now: int) -> None:
        self._c.node_timeout(self._node, _at(now))

    def next_timeout(self) -> int | None:
        at = int(self._c.node_next(self._node))
        return None if at == 2**64 - 1 else at * MICROSECOND

    def poll_transmit(self) -> CanFrame | None:
        size = self._c.node_poll_frame(self._node, ctypes.byref(self._id), self._data)
        return None if size < 0 else CanFrame(self._id.value, self._data.raw[:size])

    def poll_event(self) -> TpEvent | None:
        if not self._c.node_poll_event(self._node, self._out, self._data):
            return None
        kind, pgn, source, destination, started, at, size, by, code, ours, violation, can_id, length = (
            self._out
        )
        started, at = started * MICROSECOND, at * MICROSECOND
        if kind == 0:
            return TransferReceived(pgn, source, destination, self._data.raw[:size], started, at)
        if kind == 1:
            return TransferSent(pgn, destination, self._data.raw[:size], started, at)
        if kind == 2:
            given = None if code < 0 else code
            return TransferAborted(pgn, source, destination, list(AbortedBy)[by], given, "", at, bool(ours))
        frame = CanFrame(can_id, self._data.raw[:length])
        return TpViolation(source, destination, list(Violation)[violation], frame, at)


def _at(now: int) -> ctypes.c_uint64:
    return ctypes.c_uint64(now // MICROSECOND)


def told(event: TpEvent | None) -> Any:
    """An event without its words, which C does not have."""
    if not isinstance(event, TransferAborted):
        return event
    return event.pgn, event.source, event.destination, event.by, event.code, event.at, event.sent


class Twin:
    """Both transports in one: every call goes to both, and they have to agree on every answer."""

    C: ClassVar[type[CTransport]] = CTransport

    def __init__(self, library: ctypes.CDLL, address: int, **keys: Any) -> None:
        self.address = address
        self.ours = Transport(address, max_transfers=SLOTS, **keys)
        self.theirs = self.C(library, address, **keys)

    def send(self, pgn: int, payload: bytes, destination: int, now: int) -> None:
        self.ours.send(pgn, payload, destination, now)
        assert self.theirs.send(pgn, payload, destination, now) == OK

    def hold(self, source: int, now: int) -> None:
        self.ours.hold(source, now)
        self.theirs.hold(source, now)

    def release(self, source: int, now: int) -> None:
        self.ours.release(source, now)
        self.theirs.release(source, now)

    def pending(self, destination: int) -> int:
        pending = self.ours.pending(destination)
        assert self.theirs.pending(destination) == pending
        return pending

    def receive(self, frame: CanFrame, now: int) -> bool:
        taken = self.ours.receive(frame, now)
        assert self.theirs.receive(frame, now) == taken
        return taken

    def handle_timeout(self, now: int) -> None:
        self.ours.handle_timeout(now)
        self.theirs.handle_timeout(now)

    def next_timeout(self) -> int | None:
        wanted = self.ours.next_timeout()
        assert self.theirs.next_timeout() == wanted
        return wanted

    def poll_transmit(self) -> CanFrame | None:
        frame = self.ours.poll_transmit()
        assert self.theirs.poll_transmit() == frame
        return frame

    def poll_event(self) -> TpEvent | None:
        event = self.ours.poll_event()
        assert told(self.theirs.poll_event()) == told(event)
        return event
