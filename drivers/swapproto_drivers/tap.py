"""`tap:URL?file=day.log&rotate=100MB&keep=10`: a link that is written to a trace while it runs.

What passes goes to a sink: trace files (trace_files.TraceFiles), or a ring in memory that writes what was
around an occurrence (ring.Ring), which the URL asks for by `before=30s`. Own frames stand in the trace with
the instant at which the port took them, or with that of their echo where there is one.
"""

import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from swapproto.errors import LinkClosed, LinkUnavailable
from swapproto.frame import CanFrame, Instant, Received
from swapproto.link import MAX_LINK_EVENTS, Link, LinkCaps, LinkEvent, LinkEventKind
from swapproto.plugins import open_link as open_any
from swapproto_drivers._options import flag, integer
from swapproto_drivers._quantities import duration, size
from swapproto_drivers.ring import AFTER, MAX_FRAMES, Ring
from swapproto_drivers.trace_files import Rules, TraceFiles

HELD = 1024
"""Own frames that wait for their place between the received ones, or for their echo."""
_SIZES = ("rotate", "quota")
_TIMES = ("every", "flush", "before", "after")
_OPTIONS = {"file", "format", "channel", "keep", "sync", "frames", *_SIZES, *_TIMES}


class Sink(Protocol):
    """Takes what passes a link, in the order of its instants, and raises nothing for what a disk does."""

    def take(self, frame: CanFrame, at: Instant, *, own: bool) -> None: ...

    def mark(self, event: LinkEvent) -> None: ...

    def handle_timeout(self, now: Instant) -> None: ...

    def next_timeout(self) -> Instant | None: ...

    def poll_event(self) -> LinkEvent | None:
        """What the application must hear of the sink. Poll after any other call."""
        ...

    def close(self) -> None: ...


class TapLink:
    """Wraps a link and closes it; what befalls the sink is told as an event of the link."""

    def __init__(self, link: Link, sink: Sink) -> None:
        self.sink = sink
        self._link = link
        self._echo = link.caps.echo
        self._own: deque[tuple[CanFrame, Instant]] = deque()
        self._events: deque[LinkEvent] = deque(maxlen=MAX_LINK_EVENTS)
        self._gone = False
        self._closed = False

    @property
    def caps(self) -> LinkCaps:
        return self._link.caps

    def now(self) -> Instant:
        return self._link.now()

    def send(self, frame: CanFrame, *, deadline: Instant) -> None:
        try:
            self._link.send(frame, deadline=deadline)
        except LinkClosed as closed:
            self._lost(closed)
            raise
        finally:
            self._take_events()
        if len(self._own) >= HELD:
            own, at = self._own.popleft()
            if not self._echo:
                self.sink.take(own, at, own=True)
        self._own.append((frame, self._link.now()))

    def receive(self, *, deadline: Instant) -> Received | None:
        while True:
            wanted = self.sink.next_timeout()
            until = deadline if wanted is None else min(deadline, wanted)
            try:
                received = self._link.receive(deadline=until)
            except LinkClosed as closed:
                self._lost(closed)
                raise
            now = self._link.now()
            self._take_events()
            if self._own and not self._echo:
                self._settle(now if received is None else received.at)
            if received is not None:
                own = self._echo and self._is_own(received.frame)
                self.sink.take(received.frame, received.at, own=own)
            self.sink.handle_timeout(now)
            self._take_events_of_sink()
            if received is not None or until >= deadline or now >= deadline:
                return received

    def poll_event(self) -> LinkEvent | None:
        return self._events.popleft() if self._events else None

    def close(self) -> None:
        if self._closed:
            return
        self._take_events()
        self._closed = True
        try:
            self._settle(self._link.now())
            self.sink.close()
            self._take_events_of_sink()
        finally:
            self._link.close()

    def _settle(self, until: Instant) -> None:
        """Write the own frames up to an instant: no frame that is received later was on the bus before."""
        while not self._echo and self._own and self._own[0][1] <= until:
            frame, at = self._own.popleft()
            self.sink.take(frame, at, own=True)

    def _is_own(self, frame: CanFrame) -> bool:
        for place, (own, _) in enumerate(self._own):
            if own == frame:
                del self._own[place]
                return True
        return False

    def _take_events(self) -> None:
        while not self._closed and (event := self._link.poll_event()) is not None:
            if event.kind in (LinkEventKind.CLOSED, LinkEventKind.REOPENED):
                self._gone = event.kind is LinkEventKind.CLOSED
            self._settle(event.at)
            self.sink.mark(event)
            self._events.append(event)

    def _take_events_of_sink(self) -> None:
        while (event := self.sink.poll_event()) is not None:
            self._events.append(event)

    def _lost(self, closed: LinkClosed) -> None:
        """Mark the end of the link in the trace, where no event of its own did."""
        self._take_events()
        if not self._gone and not self._closed:
            self._gone = True
            event = LinkEvent(LinkEventKind.CLOSED, self._link.now(), str(closed))
            self._settle(event.at)
            self.sink.mark(event)
            self._events.append(event)


def epoch_of(link: Link) -> int:
    """The instant 0 of a link's clock in nanoseconds since 1970; virtual time begins there."""
    return 0 if link.caps.stamp_source == "virtual" else time.time_ns() - link.now()


def title_of(link: Link) -> str:
    """What a trace says of the port that it comes from."""
    caps = link.caps
    return f"{caps.name}: stamps of the {caps.stamp_source}, resolution {caps.stamp_resolution} ns" + (
        ", in batches" if caps.batched else ""
    )


def open_link(rest: str, options: Mapping[str, str]) -> TapLink:
    """Open `tap:URL`; the options of the trace are taken, all others are the URL's own."""
    link = f"tap:{rest}"
    if "file" not in options:
        raise LinkUnavailable(f"{link}: option file is missing: the trace to write, as in file=day.log")
    sizes = {name: size(link, options, name) for name in _SIZES}
    times = {name: duration(link, options, name) for name in _TIMES}
    before, after, flush = times["before"], times["after"], times["flush"]
    quota, rotate = sizes["quota"], sizes["rotate"]
    try:
        rules = Rules(
            format=options.get("format", ""),
            channel=options.get("channel", "can0"),
            numbered=before is not None,
            rotate=quota // 4 if rotate is None and quota is not None else rotate,
            every=times["every"],
            keep=integer(link, options, "keep", 0) if "keep" in options else None,
            quota=quota,
            flush=Rules().flush if flush is None else flush,
            sync=flag(link, options, "sync"),
        )
        frames = integer(link, options, "frames", MAX_FRAMES)
        opened = open_any(rest, **{name: text for name, text in options.items() if name not in _OPTIONS})
        try:
            files = TraceFiles(Path(options["file"]), rules, title=title_of(opened), epoch=epoch_of(opened))
            if before is None:
                return TapLink(opened, files)
            after = AFTER if after is None else after
            return TapLink(opened, Ring(files, before=before, after=after, max_frames=frames))
        except BaseException:
            opened.close()
            raise
    except ValueError as error:
        raise LinkUnavailable(f"{link}: {error}") from None
