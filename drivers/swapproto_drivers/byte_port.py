"""Ports that carry bytes: what serial lines and TCP connections have in common."""

import socket
import time
from collections import deque
from collections.abc import Callable
from select import select
from typing import Protocol

from swapproto.errors import LinkClosed, LinkError, LinkUnavailable
from swapproto.frame import MILLISECOND, SECOND, Instant
from swapproto.link import MAX_LINK_EVENTS, LinkEvent, LinkEventKind

CHUNK = 4096
"""Bytes that one read takes at most."""
FIRST_RETRY = 100 * MILLISECOND
LAST_RETRY = 5 * SECOND
"""The wait before a lost device is looked for again: doubled from the first to the last."""
_FAILURES = (OSError, ValueError, TypeError, AttributeError, RuntimeError)
"""What pyserial raises when its device went away while it was used."""
_POLL = MILLISECOND
"""Between two looks at a device whose readiness the system cannot tell."""


class BytePort(Protocol):
    """One end of a line. Owned by one thread; close is idempotent; no vendor exception escapes."""

    @property
    def name(self) -> str: ...

    def now(self) -> Instant:
        """The port's clock, which deadlines refer to."""
        ...

    def read(self, *, deadline: Instant) -> bytes:
        """What has come, as soon as anything has, or nothing at the deadline."""
        ...

    def write(self, data: bytes, *, deadline: Instant) -> None:
        """Hand over all of it; LinkError if the port did not take it by the deadline."""
        ...

    def poll_event(self) -> LinkEvent | None: ...

    def close(self) -> None: ...


class Device(Protocol):
    """A port of the system: read and write do not wait, and raise an OSError once it is gone."""

    def read(self, size: int, /) -> bytes: ...

    def write(self, data: bytes, /) -> int | None:
        """Take some of the data and tell how much; None is all."""
        ...

    def fileno(self) -> int: ...

    def close(self) -> None: ...


class DevicePort:
    """A port over a device that opener() opens, and opens again when it was lost and reconnect is asked for.

    A port that waits for its device reads nothing and refuses to write. Without reconnect it raises
    LinkClosed from then on.
    """

    def __init__(
        self,
        name: str,
        opener: Callable[[], Device],
        *,
        reconnect: bool = False,
        clock: Callable[[], Instant] = time.monotonic_ns,
    ) -> None:
        self._name = name
        self._opener = opener
        self._reconnect = reconnect
        self._clock = clock
        self._closed = False
        self._device: Device | None = opener()
        self._wait = FIRST_RETRY
        self._next_try: Instant = 0
        self._events: deque[LinkEvent] = deque(maxlen=MAX_LINK_EVENTS)

    @property
    def name(self) -> str:
        return self._name

    def now(self) -> Instant:
        return self._clock()

    def read(self, *, deadline: Instant) -> bytes:
        while True:
            device = self._present()
            try:
                data = b"" if device is None else device.read(CHUNK)
                left = deadline - self._clock()
                if data or left <= 0:
                    return data
                if device is None:
                    _sleep(min(left, self._next_try - self._clock()))
                else:
                    _wait(device, left)
            except _FAILURES as error:
                self._lose("read", error)

    def write(self, data: bytes, *, deadline: Instant) -> None:
        rest = memoryview(data)
        while rest:
            device = self._present()
            if device is None:
                raise LinkError(f"{self._name}: the device is away; the port looks for it again")
            left = deadline - self._clock()
            try:
                if not _wait(device, max(0, left), write=True):
                    raise LinkError(
                        f"{self._name}: {len(rest)} of {len(data)} bytes not taken by the deadline"
                    )
                taken = device.write(rest.tobytes())
            except LinkError:
                raise
            except _FAILURES as error:
                self._lose("write", error)
                # What was written before is lost with the device, so the rest alone would be a torn unit.
                raise LinkError(f"{self._name}: write: {error}") from error
            rest = rest[len(rest) if taken is None else taken :]

    def poll_event(self) -> LinkEvent | None:
        return self._events.popleft() if self._events else None

    def close(self) -> None:
        self._closed = True
        self._release()

    def _present(self) -> Device | None:
        if self._closed:
            raise LinkClosed(f"{self._name}: this port was closed")
        if self._device is None and not self._reconnect:
            raise LinkClosed(f"{self._name}: the device is gone: connect it and open the port again")
        now = self._clock()
        if self._device is None and now >= self._next_try:
            try:
                self._device = self._opener()
            except LinkUnavailable:
                self._wait = min(2 * self._wait, LAST_RETRY)
                self._next_try = self._clock() + self._wait
            else:
                self._wait = FIRST_RETRY
                self._events.append(LinkEvent(LinkEventKind.REOPENED, self._clock(), self._name))
        return self._device

    def _lose(self, what: str, error: Exception) -> None:
        self._release()
        self._next_try = self._clock() + self._wait
        self._events.append(LinkEvent(LinkEventKind.CLOSED, self._clock(), f"{what}: {error}"))
        if not self._reconnect:
            text = f"{self._name}: {what}: {error}; connect the device and open the port again"
            raise LinkClosed(text) from error

    def _release(self) -> None:
        device, self._device = self._device, None
        if device is not None:
            try:
                device.close()
            except _FAILURES:
                # It went away before: nothing is left to close.
                pass


class ListeningPort:
    """A TCP server that talks to one peer at a time; a peer's coming and going are events."""

    def __init__(self, host: str, port: int) -> None:
        try:
            self._listener = socket.create_server((host, port), backlog=1)
        except (OSError, OverflowError) as error:
            raise LinkUnavailable(f"listen://{host}:{port}: {error}; is the port taken?") from error
        self._listener.setblocking(False)
        self._name = f"listen://{self._listener.getsockname()[0]}:{self.port}"
        self._peer: socket.socket | None = None
        self._closed = False
        self._events: deque[LinkEvent] = deque(maxlen=MAX_LINK_EVENTS)

    @property
    def name(self) -> str:
        return self._name

    @property
    def port(self) -> int:
        """The TCP port, which the system chose where 0 was asked for."""
        return int(self._listener.getsockname()[1])

    def now(self) -> Instant:
        return time.monotonic_ns()

    def read(self, *, deadline: Instant) -> bytes:
        while True:
            peer = self._present()
            try:
                data = b"" if peer is None else peer.recv(CHUNK)
                if peer is not None and not data:
                    self._lose("the peer closed the connection")
            except BlockingIOError:
                data = b""
            except OSError as error:
                self._lose(str(error))
                data = b""
            left = deadline - time.monotonic_ns()
            if data or left <= 0:
                return data
            _wait(self._peer or self._listener, left)

    def write(self, data: bytes, *, deadline: Instant) -> None:
        rest = memoryview(data)
        while rest:
            peer = self._present()
            if peer is None:
                raise LinkError(f"{self.name}: nobody is connected")
            left = max(0, deadline - time.monotonic_ns())
            if not _wait(peer, left, write=True):
                raise LinkError(f"{self.name}: {len(rest)} of {len(data)} bytes not taken by the deadline")
            try:
                rest = rest[peer.send(rest) :]
            except OSError as error:
                self._lose(str(error))
                raise LinkError(f"{self.name}: write: {error}") from error

    def poll_event(self) -> LinkEvent | None:
        return self._events.popleft() if self._events else None

    def close(self) -> None:
        self._closed = True
        if self._peer is not None:
            self._peer.close()
        self._peer = None
        self._listener.close()

    def _present(self) -> socket.socket | None:
        if self._closed:
            raise LinkClosed(f"{self._name}: this port was closed")
        if self._peer is None:
            try:
                self._peer, address = self._listener.accept()
            except BlockingIOError:
                return None
            self._peer.setblocking(False)
            self._peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            text = f"{address[0]}:{address[1]} is connected"
            self._events.append(LinkEvent(LinkEventKind.REOPENED, time.monotonic_ns(), text))
        return self._peer

    def _lose(self, text: str) -> None:
        if self._peer is not None:
            self._peer.close()
        self._peer = None
        self._events.append(LinkEvent(LinkEventKind.CLOSED, time.monotonic_ns(), text))


class _Waitable(Protocol):
    def fileno(self) -> int: ...


def _wait(device: _Waitable, left: Instant, *, write: bool = False) -> bool:
    """Wait until the device is ready; one whose readiness cannot be told is ready after a moment."""
    try:
        descriptor = [device.fileno()]
    except (OSError, AttributeError):
        if not write:
            _sleep(min(left, _POLL))
        return True
    wanted: tuple[list[int], list[int]] = ([], descriptor) if write else (descriptor, [])
    return any(select(*wanted, [], left / SECOND))


def _sleep(left: Instant) -> None:
    time.sleep(max(0, left) / SECOND)
