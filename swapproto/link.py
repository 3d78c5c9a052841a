"""The driver contract, and the shape of what is attached to a link."""

from enum import Enum
from typing import Protocol, runtime_checkable

import msgspec

from swapproto.frame import CanFrame, Instant, Received

MAX_LINK_EVENTS = 1024
"""Events that a port keeps for a caller who does not poll; the oldest go first."""


class LinkEventKind(Enum):
    """What can befall a port besides frames."""

    ERROR_FRAME = "error frame"
    ERROR_WARNING = "error warning"
    ERROR_PASSIVE = "error passive"
    ERROR_ACTIVE = "error active again"
    BUS_OFF = "bus off"
    OVERRUN = "frames lost in a full buffer"
    DROPPED = "bytes or frames left out"
    CLOSED = "the device went away"
    REOPENED = "the device is back"
    TOLD = "a line that the device wrote for people"
    SILENT = "nothing came for long"
    INJECTED = "a fault that was asked for"


class LinkEvent(msgspec.Struct, frozen=True, gc=False):
    """Something that happened to a port; ``count`` is how many frames or bytes it concerns."""

    kind: LinkEventKind
    at: Instant
    text: str = ""
    count: int = 1

    @property
    def gap(self) -> bool:
        """Whether frames can be missing from here on, or were until here."""
        return self.kind in _GAPS


_GAPS = frozenset(
    {LinkEventKind.BUS_OFF, LinkEventKind.OVERRUN, LinkEventKind.CLOSED, LinkEventKind.REOPENED}
)


class LinkCaps(msgspec.Struct, frozen=True):
    """What a port can do and how far its time stamps can be trusted."""

    name: str
    bitrate: int | None = None
    stamp_source: str = "host"
    """Who took the time stamps: hardware, kernel, host, virtual, or a recording that is replayed."""
    stamp_resolution: int = 1_000
    """Nanoseconds; differences below it mean nothing."""
    batched: bool = False
    """Whether frames come in batches that share a stamp, so that no period can be judged from them."""
    listen_only: bool = False
    """Whether the port neither sends nor acknowledges."""
    echo: bool = False
    """Whether own frames come back from receive(), once each."""


class Link(Protocol):
    """One bus port. Owned by one thread; close is idempotent; no vendor exception escapes."""

    @property
    def caps(self) -> LinkCaps: ...

    def now(self) -> Instant:
        """The port's clock, the one that stamps received frames and that deadlines refer to."""
        ...

    def send(self, frame: CanFrame, *, deadline: Instant) -> None:
        """Queue a frame; LinkError if the port did not take it by the deadline, LinkClosed after close."""
        ...

    def receive(self, *, deadline: Instant) -> Received | None:
        """The next frame, or None at the deadline; a deadline in the past only polls."""
        ...

    def poll_event(self) -> LinkEvent | None:
        """The next thing that befell the port, or None. Poll after send() and receive()."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class Told(Protocol):
    """A node that wants to know what befalls its link."""

    def link_event(self, event: LinkEvent) -> None:
        """Take an event of the link. Afterwards everything may have changed, as after receive()."""
        ...


class Node(Protocol):
    """A device on a bus, sans-I/O: the caller owns the clock, the bus and the thread."""

    def receive(self, frame: CanFrame, now: Instant) -> None:
        """Take a frame from the bus. Afterwards poll_transmit() and next_timeout() may have changed."""
        ...

    def handle_timeout(self, now: Instant) -> None:
        """Do what is due; a call before next_timeout() is harmless."""
        ...

    def next_timeout(self) -> Instant | None:
        """When handle_timeout() is wanted next; ask again after any other call."""
        ...

    def poll_transmit(self) -> CanFrame | None:
        """The next frame for the bus, or None. Poll after receive() and handle_timeout()."""
        ...
