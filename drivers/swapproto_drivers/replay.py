"""`replay:FILE?speed=1`: the frames of a recording as a link that only listens, with their timing.

The link's clock is that of the recording, `speed` times as fast as the host's; with `speed=max` it stands
still but in receive(), which never waits. At the end the link is closed: LinkClosed, as of a device that
went away. `replay_onto` sends a recording on another link instead.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Protocol

import msgspec

from swapproto.errors import LinkClosed, LinkError, LinkUnavailable, LocalProtocolError
from swapproto.frame import MICROSECOND, MILLISECOND, SECOND, CanFrame, Instant, Received
from swapproto.link import Link, LinkCaps, LinkEvent, LinkEventKind
from swapproto.trace.files import Recording, RecordingError, open_recording
from swapproto.trace.record import Record
from swapproto_drivers._options import known_only

AHEAD = 1000
"""Records that are read at the begin, to see the resolution of the stamps."""
SEND_WITHIN = 100 * MILLISECOND


class Clock(Protocol):
    """Time that passes by itself, in nanoseconds."""

    def now(self) -> Instant: ...

    def wait_until(self, instant: Instant) -> None: ...


class HostClock:
    """The host's monotonic clock."""

    def now(self) -> Instant:
        return time.monotonic_ns()

    def wait_until(self, instant: Instant) -> None:
        left = instant - time.monotonic_ns()
        if left > 0:
            time.sleep(left / SECOND)


class ReplayLink:
    """Gives the records of one or all channels; ``speed`` None is as fast as they are read.

    Stamps that step back go on from where they were, and so do those behind them.
    """

    def __init__(
        self,
        recording: Recording,
        *,
        name: str = "replay",
        speed: float | None = 1.0,
        channel: str | None = None,
        sent: bool | None = None,
        clock: Clock | None = None,
    ) -> None:
        if speed is not None and not 0 < speed < float("inf"):
            raise ValueError(f"speed {speed} is not above 0")
        self._recording = recording
        self._reader = recording.reader()
        self._speed = speed
        self._channel = channel
        self._sent = sent
        self._clock: Clock = HostClock() if clock is None else clock
        self._events: list[LinkEvent] = []
        self._seen: set[str] = set()
        self._shift = 0
        records = self._wanted(iter(self._reader))
        ahead = list(islice(records, AHEAD))
        self._records = chain(ahead, records)
        self._time: Instant = ahead[0].at_us * MICROSECOND if ahead else 0
        self._last = self._time
        self._started = self._clock.now()
        self._first = self._time
        self._next: Received | None = None
        self._ended = self._closed = False
        resolution = self._reader.resolution_us
        self._caps = LinkCaps(
            name=name,
            stamp_source="recording",
            stamp_resolution=MICROSECOND if resolution is None else resolution * MICROSECOND,
            listen_only=True,
        )

    @property
    def caps(self) -> LinkCaps:
        """The stamps are the recording's, with the step in which its first ones come."""
        return self._caps

    def now(self) -> Instant:
        if self._speed is not None:
            passed = self._clock.now() - self._started
            self._time = max(self._time, self._first + round(passed * self._speed))
        return self._time

    def send(self, frame: CanFrame, *, deadline: Instant) -> None:  # noqa: ARG002  (no deadline helps)
        self._check_open()
        raise LocalProtocolError(f"{self._caps.name}: a recording takes no frame; {frame} was not sent")

    def receive(self, *, deadline: Instant) -> Received | None:
        """The next record; LinkClosed behind the last one."""
        self._check_open()
        if self._next is None:
            self._next = self._read()
        if self._next is None:
            raise self._end()
        at = self._next.at
        self._wait_until(min(at, deadline))
        if at > self.now():
            return None
        received, self._next = self._next, None
        return received

    def poll_event(self) -> LinkEvent | None:
        return self._events.pop(0) if self._events else None

    def close(self) -> None:
        self._closed = True
        self._recording.close()

    def _read(self) -> Received | None:
        try:
            record = next(self._records, None)
        except OSError as error:
            self._events.append(
                LinkEvent(LinkEventKind.TOLD, self.now(), f"the recording breaks off: {error}")
            )
            return None
        if record is None:
            return None
        if record.channel not in self._seen and len(self._seen) < 2:
            self._seen.add(record.channel)
            if len(self._seen) > 1:
                text = "frames of several channels come as of one; choose with channel=NAME"
                self._events.append(LinkEvent(LinkEventKind.TOLD, self.now(), text))
        at = record.at_us * MICROSECOND + self._shift
        if at < self._last:
            self._shift += self._last - at
            at = self._last
        self._last = at
        return Received(record.frame, at)

    def _wanted(self, records: Iterator[Record]) -> Iterator[Record]:
        for record in records:
            if self._channel not in (None, record.channel):
                continue
            if self._sent is None or (record.sent is not None and record.sent == self._sent):
                yield record

    def _wait_until(self, instant: Instant) -> None:
        if self._speed is None:
            self._time = max(self._time, instant)
            return
        while (left := instant - self.now()) > 0:
            self._clock.wait_until(self._clock.now() + max(1, round(left / self._speed)))

    def _end(self) -> LinkClosed:
        text = "the recording is over"
        if not self._ended:
            self._ended = True
            if self._reader.skipped_lines:
                skipped = "lines of the recording that could not be read"
                self._events.append(
                    LinkEvent(LinkEventKind.DROPPED, self.now(), skipped, self._reader.skipped_lines)
                )
            self._events.append(LinkEvent(LinkEventKind.CLOSED, self.now(), text))
        return LinkClosed(f"{self._caps.name}: {text}")

    def _check_open(self) -> None:
        if self._closed:
            raise LinkClosed(f"{self._caps.name}: this link was closed")


class Replayed(msgspec.Struct, frozen=True):
    """How a recording was sent."""

    sent: int
    refused: int
    """Frames that the link did not take in time."""
    latest: int
    """The largest lateness of a frame, in nanoseconds."""


def replay_onto(
    link: Link,
    records: Iterable[Record],
    *,
    speed: float | None = 1.0,
    heard: Callable[[Received], object] | None = None,
) -> Replayed:
    """Send records with their timing, each at an instant counted from the first; None: as fast as it goes.

    While it waits it reads the link, and passes on what was heard. LinkClosed if the link goes away.
    """
    if speed is not None and not 0 < speed < float("inf"):
        raise ValueError(f"speed {speed} is not above 0")
    sent = refused = latest = 0
    first: int | None = None
    begun = link.now()
    for record in records:
        first = record.at_us if first is None else first
        due = begun if speed is None else begun + round((record.at_us - first) * MICROSECOND / speed)
        while True:
            received = link.receive(deadline=due)
            if received is not None and heard is not None:
                heard(received)
            if received is None or link.now() >= due:
                break
        now = link.now()
        if speed is not None:
            latest = max(latest, now - due)
        try:
            link.send(record.frame, deadline=now + SEND_WITHIN)
        except LinkClosed:
            raise
        except LinkError:
            refused += 1
        else:
            sent += 1
    return Replayed(sent, refused, latest)


def open_link(rest: str, options: Mapping[str, str]) -> ReplayLink:
    """Open `replay:FILE`; options speed (a number or max), channel, direction (sent, received), format."""
    link = f"replay:{rest}"
    known_only(link, options, ("speed", "channel", "direction", "format"))
    directions = {"sent": True, "received": False, "both": None}
    direction = options.get("direction", "both")
    if direction not in directions:
        raise LinkUnavailable(f"{link}: option direction={direction} must be {', '.join(directions)}")
    text = options.get("speed", "1")
    try:
        speed = None if text == "max" else float(text)
        recording = open_recording(Path(rest), options.get("format"))
    except (RecordingError, ValueError) as error:
        raise LinkUnavailable(f"{link}: {error}") from None
    try:
        return ReplayLink(
            recording,
            name=link,
            speed=speed,
            channel=options.get("channel"),
            sent=directions[direction],
        )
    except (OSError, ValueError) as error:
        recording.close()
        raise LinkUnavailable(f"{link}: {error}") from None
