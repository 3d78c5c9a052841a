"""The driver contract, and the shape of what is attached to a link."""

from typing import Protocol

import msgspec

from swapproto.frame import CanFrame, Instant, Received


class LinkCaps(msgspec.Struct, frozen=True):
    """What a port can do and how far its time stamps can be trusted."""

    name: str
    bitrate: int | None = None
    stamp_source: str = "host"
    """Who takes the time stamps: hardware, kernel, host or virtual."""
    stamp_resolution: int = 1_000
    """Nanoseconds; differences below it mean nothing."""
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

    def close(self) -> None: ...


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
