"""What links over sockets and pipes share: an inbox, events, and deadlines without a thread.

A codec turns frames into bytes and back and knows no descriptor; the link moves bytes and knows no format.
"""

import select
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Protocol

from swapproto.errors import LinkClosed, LinkError, LinkUnavailable
from swapproto.frame import SECOND, CanFrame, Instant, Received, check_frame
from swapproto.link import MAX_LINK_EVENTS, LinkCaps, LinkEvent, LinkEventKind
from swapproto_drivers._options import number

READ_SIZE = 1 << 16
"""Bytes taken from a descriptor at once."""
INBOX = 1 << 14
"""Frames kept while a send() waits for room; beyond them the peer has to wait."""
_LONGEST_WAIT = 3600 * SECOND
_SELECTABLE = 1024
_MAX_SECONDS = 86_400


class Codec(Protocol):
    """Frames to bytes, and what went wrong on the way back."""

    def encode(self, frame: CanFrame) -> bytes: ...

    def poll_event(self) -> LinkEvent | None: ...


class DatagramCodec(Codec, Protocol):
    """Reads datagrams, each of which stands for itself."""

    def datagram(self, data: bytes, now: Instant) -> list[CanFrame]: ...


class StreamCodec(Codec, Protocol):
    """Reads a stream of bytes that may be cut anywhere."""

    broken: str | None
    """Why the connection is of no use any more, None while it is."""
    opening: bytes
    """What a connection begins with."""

    def begin(self, now: Instant) -> None:
        """A connection is new, or gone: what was half read is dropped and counted."""
        ...

    def feed(self, data: bytes, now: Instant) -> list[CanFrame]: ...

    def handle_timeout(self, now: Instant) -> list[CanFrame]:
        """Give up waiting for the rest of what is half read, if its time has come."""
        ...

    def next_timeout(self) -> Instant | None: ...


class FramedLink(ABC):
    """Base of these links: a subclass offers bytes to its descriptors and pumps them."""

    def __init__(self, caps: LinkCaps, codec: Codec) -> None:
        self._caps = caps
        self._codec = codec
        self._inbox: deque[Received] = deque()
        self._events: deque[LinkEvent] = deque(maxlen=MAX_LINK_EVENTS)
        self._unheard = 0
        self._why_unheard = ""
        self._gone: str | None = None
        self._closed = False

    @property
    def caps(self) -> LinkCaps:
        return self._caps

    def now(self) -> Instant:
        return time.monotonic_ns()

    def send(self, frame: CanFrame, *, deadline: Instant) -> None:
        """Hand a frame over; where nobody is there to take it, it is dropped and told as an event."""
        self._check_open()
        self._check_present()
        check_frame(frame)
        data = self._codec.encode(frame)
        while not self._offer(data):
            if time.monotonic_ns() >= deadline:
                raise LinkError(
                    f"{self._caps.name}: no room for a frame by the deadline: does the peer read?"
                )
            self._pump(deadline, writing=True)
            self._check_present()
        self._check_present()

    def receive(self, *, deadline: Instant) -> Received | None:
        self._check_open()
        while not self._inbox:
            self._check_present()
            self._pump(deadline)
            if not self._inbox and time.monotonic_ns() >= deadline:
                return None
        return self._inbox.popleft()

    def poll_event(self) -> LinkEvent | None:
        if self._events:
            return self._events.popleft()
        if not self._unheard:
            return None
        count, self._unheard = self._unheard, 0
        return LinkEvent(
            LinkEventKind.DROPPED, time.monotonic_ns(), f"sent to nobody: {self._why_unheard}", count
        )

    @abstractmethod
    def close(self) -> None: ...

    @abstractmethod
    def _offer(self, data: bytes) -> bool:
        """Write a frame if there is room for it; True when it is off our hands."""

    @abstractmethod
    def _pump(self, until: Instant, *, writing: bool = False) -> None:
        """Wait once for bytes, for what is due or for the instant; with ``writing`` also for room."""

    def _drop(self, why: str, count: int = 1) -> None:
        self._unheard += count
        self._why_unheard = why

    def _tell(self, kind: LinkEventKind, text: str, count: int = 1) -> None:
        self._events.append(LinkEvent(kind, time.monotonic_ns(), text, count))

    def _take(self, frames: list[CanFrame], at: Instant) -> None:
        self._inbox.extend([Received(frame, at) for frame in frames])
        while (event := self._codec.poll_event()) is not None:
            self._events.append(event)

    def _check_open(self) -> None:
        if self._closed:
            raise LinkClosed(f"{self._caps.name}: this link was closed")

    def _check_present(self) -> None:
        if self._gone is not None:
            raise LinkClosed(f"{self._caps.name}: {self._gone}")


def wait(readers: Sequence[int], writers: Sequence[int], until: Instant) -> tuple[set[int], set[int]]:
    """The descriptors that can be read and written, or none at the instant."""
    left = max(0, min(until - time.monotonic_ns(), _LONGEST_WAIT))
    if not readers and not writers:
        time.sleep(left / SECOND)
        return set(), set()
    if max(*readers, *writers, 0) < _SELECTABLE:
        # Of the ways to wait the one whose timeout is finer than a millisecond.
        can_read, can_write, _ = select.select(readers, writers, (), left / SECOND)
        return set(can_read), set(can_write)
    poll = select.poll()
    for descriptor in {*readers, *writers}:
        mask = (select.POLLIN if descriptor in readers else 0) | (
            select.POLLOUT if descriptor in writers else 0
        )
        poll.register(descriptor, mask)
    ready = dict(poll.poll(ceil(left * 1000 / SECOND)))
    return set(readers) & ready.keys(), set(writers) & ready.keys()


def earliest(until: Instant, *dues: Instant | None) -> Instant:
    for due in dues:
        if due is not None and due < until:
            until = due
    return until


def seconds(link: str, options: Mapping[str, str], name: str, default: float) -> Instant:
    """An option in seconds, above zero and of a day at most, in nanoseconds."""
    value = number(link, options, name, default)
    if not 0 < value <= _MAX_SECONDS:
        raise LinkUnavailable(
            f"{link}: option {name}={options[name]} must be above 0 and at most {_MAX_SECONDS}"
        )
    return round(value * SECOND)
