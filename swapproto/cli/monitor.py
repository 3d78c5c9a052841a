"""`swapproto monitor`: what happens on a bus, live, without a word of our own on it."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated, TextIO

import typer

from swapproto.cli import INTERRUPTED
from swapproto.cli.interrupts import interrupts
from swapproto.cli.monitor_state import MonitorState
from swapproto.cli.monitor_text import line, note_line, summary
from swapproto.cli.text import output, printable
from swapproto.errors import LinkError, LinkUnavailable, SwapError
from swapproto.frame import MILLISECOND, SECOND, CanFrame, Instant
from swapproto.link import Link, LinkEvent
from swapproto.messages.gbt27930 import Edition
from swapproto.plugins import open_link
from swapproto.runtime.blocking import drive

LINK_LOST = 1
REDRAW: Instant = 250 * MILLISECOND
"""Between two pictures on a terminal."""
EVERY: Instant = SECOND
"""Between two lines where there is no terminal."""
_WRAPPERS = ("reconnect", "faults", "tap")
"""Drivers that open another URL, and pass its options on."""
_NO_CONTROLLER = ("virtual", "replay", "canet", "cannelloni", "exec", "udp")
"""Drivers that have no CAN controller which could be told to be silent."""
_EDITIONS = {"2011": Edition.GBT_2011, "2015": Edition.GBT_2015, "2023": Edition.GBT_2023A}


class BadMonitor(SwapError, ValueError):
    """Arguments with which nothing can be watched."""


def command(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="Link, as can:socketcan:can0; see swapproto links.")
    ],
    plain: Annotated[bool, typer.Option("--plain", help="Lines of text, also on a terminal.")] = False,
    seconds: Annotated[
        float | None, typer.Option("--for", metavar="SECONDS", help="Then end; else at Ctrl-C.")
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write what is heard to a new candump log (.asc and .blf: those)."),
    ] = None,
    edition: Annotated[
        str | None, typer.Option(help="Of GB/T 27930: 2011, 2015 or 2023; else seen from the frames.")
    ] = None,
    acknowledge: Annotated[
        bool,
        typer.Option(
            "--acknowledge",
            help="Open a port that cannot be listen-only. It acknowledges frames, and at a wrong bit rate "
            "disturbs the bus.",
        ),
    ] = False,
) -> None:
    """Watch a bus: parties, phase, values, alarms, periods, load, deviations. Sends nothing.

    Charger and BMS (GB/T 27930) and the pack's own bus are both looked for. The port is opened listen-only,
    so that not even an acknowledgement goes out; bitrate=auto in the URL of a can: link finds the bit rate.

    Exit: 0 the end came as asked; 1 the link was lost; 4 bad arguments or no such link; 130 interrupted
    before the time given with --for.
    """
    if seconds is not None and not 0 < seconds <= 1e9:
        raise BadMonitor(f"--for {seconds:g}: give seconds, above 0")
    if edition is not None and edition not in _EDITIONS:
        raise BadMonitor(f"--edition {edition}: give one of {', '.join(_EDITIONS)}")
    spoken = None if edition is None else _EDITIONS[edition]
    opened = (
        open_recorded(url, record)
        if acknowledge
        else open_silently(url, record, otherwise="--acknowledge opens it as any node")
    )
    with closing(opened) as link, output() as out:
        state = MonitorState(link.caps, link.now(), spoken)
        limit = None if seconds is None else link.now() + round(seconds * SECOND)
        code = watch(state, link, out, limit=limit, plain=plain)
    raise typer.Exit(code)


def open_silently(url: str, record: Path | None, *, otherwise: str) -> Link:
    """Open a port that does not even acknowledge, with a trace of it where one is wanted.

    LinkUnavailable where it cannot be, with what the driver says and what can be done otherwise.
    """
    if _kind(url) in _NO_CONTROLLER or "listen_only=" in url:
        return open_recorded(url, record)
    try:
        return open_recorded(url, record, listen_only="true")
    except LinkUnavailable as error:
        raise LinkUnavailable(f"{error}. It was to be opened listen-only; {otherwise}") from error


def open_recorded(url: str, record: Path | None, **options: str) -> Link:
    """Open a port, and write what it hears to a file where one is given."""
    if record is None:
        return open_link(url, **options)
    return open_link(f"tap:{url}", file=str(record), **options)


def _kind(url: str) -> str:
    """The driver at the bottom of a URL."""
    name, _, rest = url.partition(":")
    return _kind(rest) if name in _WRAPPERS else name


class Monitor:
    """A node that sends nothing and draws a picture now and then; frames come to its state by the tap."""

    def __init__(
        self, state: MonitorState, show: Callable[[Instant], object], every: Instant, now: Instant
    ) -> None:
        self._state = state
        self._show = show
        self._every = every
        self._due = now + every

    def receive(self, frame: CanFrame, now: Instant) -> None: ...

    def heard(self, frame: CanFrame, at: Instant, _own: bool) -> None:
        """Take a frame with its own stamp, however late it was read."""
        self._state.receive(frame, at)

    def link_event(self, event: LinkEvent) -> None:
        self._state.link_event(event)

    def handle_timeout(self, now: Instant) -> None:
        if now >= self._due:
            self._due = now + self._every
            self._state.pass_time(now)
            self._show(now)

    def next_timeout(self) -> Instant | None:
        return self._due

    def poll_transmit(self) -> CanFrame | None:
        return None


class Lines:
    """Notes as they come, and the state in one line a second where it has changed."""

    def __init__(self, state: MonitorState, out: TextIO) -> None:
        self._state = state
        self._out = out
        self._before = ""

    def show(self, now: Instant) -> None:
        shown = self._state.snapshot(now)
        for note in self._state.notes.take():
            self._out.write(note_line(note, shown.began) + "\n")
        text = line(shown)
        if text != self._before:
            self._before = text
            self._out.write(f"{shown.elapsed / SECOND:10.2f} s  {text}\n")
        self._out.flush()


def watch(state: MonitorState, link: Link, out: TextIO, *, limit: Instant | None, plain: bool) -> int:
    """Watch until the limit, Ctrl-C or the end of the link; the exit code."""
    lost: LinkError | None = None
    at_once = False
    ended = link.now()
    with ExitStack() as stack:
        show, every = _display(state, out, stack, plain=plain)
        interrupt = stack.enter_context(interrupts())
        try:
            monitor = Monitor(state, show, every, ended)
            driven = drive(monitor, link, until=lambda _: interrupt.asked, limit=limit, tap=monitor.heard)
            lost, ended = driven.closed, driven.ended
        except LinkError as error:
            lost = error
        except KeyboardInterrupt:
            at_once = True
        stopped = interrupt.asked or at_once
    if lost is None:
        ended = max(ended, link.now())
    out.writelines(text + "\n" for text in _end(state, ended, lost))
    if lost is not None:
        return LINK_LOST
    return INTERRUPTED if stopped and limit is not None else 0


def _end(state: MonitorState, ended: Instant, lost: LinkError | None) -> Iterator[str]:
    state.pass_time(ended)
    shown = state.snapshot(ended)
    for note in state.notes.take():
        yield note_line(note, shown.began)
    if lost is not None:
        yield printable(f"the link was lost: {lost}")
    yield from summary(shown)


def _display(
    state: MonitorState, out: TextIO, stack: ExitStack, *, plain: bool
) -> tuple[Callable[[Instant], object], Instant]:
    """How the state is shown, and how often."""
    if plain or not out.isatty() or os.environ.get("TERM", "") in ("", "dumb"):
        lines = Lines(state, out)
        return lines.show, EVERY
    from rich.console import Console

    from swapproto.cli.monitor_view import LiveView

    view = stack.enter_context(LiveView(Console(file=out, highlight=False)))
    return lambda now: view.show(state.snapshot(now)), REDRAW
