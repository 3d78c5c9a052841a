"""`exec:COMMAND`: a program as a device on the bus, speaking lines of `ID#DATA` on its standard streams.

A firmware stack compiled for the host needs a shim of some twenty lines: examples/firmware_shim. POSIX only.
"""

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import IO

from swapproto.errors import LinkUnavailable
from swapproto.frame import MILLISECOND, SECOND, Instant
from swapproto.link import LinkCaps, LinkEventKind
from swapproto_drivers._framed import INBOX, READ_SIZE, FramedLink, earliest, seconds, wait
from swapproto_drivers._options import known_only
from swapproto_drivers.lines import MAX_LINE, Lines, LineSplitter, printable

GRACE = 0.5
"""Seconds that a program has to end at close(): once after its input ends, once more after SIGTERM."""
_WATCH = 100 * MILLISECOND
"""How often a quiet program is looked at, which may have ended and left its streams to a child."""
_LEAVING = 5 * MILLISECOND
"""The same once its output has ended."""


class ProgramLink(FramedLink):
    """A link to a program that this class starts and ends.

    Lines that it writes on standard error are TOLD events, its end is a CLOSED event and LinkClosed. A frame
    for a program that has closed its input and runs on is dropped and told.
    """

    def __init__(
        self, command: Sequence[str], *, name: str | None = None, silent: Instant | None = None
    ) -> None:
        name = name or f"exec:{shlex.join(command)}"
        lines = Lines()
        super().__init__(LinkCaps(name=name, stamp_resolution=MILLISECOND), lines)
        if os.name != "posix":
            raise LinkUnavailable(
                f"{name}: programs as links need a POSIX system; there is also udp:HOST:PORT"
            )
        pipe = subprocess.PIPE
        try:
            # In a group of its own, so that whatever it starts ends with it.
            self._process = subprocess.Popen(  # noqa: S603 - the command is what the caller asked for, no shell
                command, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0, process_group=0
            )
        except (OSError, ValueError) as error:
            number = getattr(error, "errno", None)
            text = f"{name}: {error}; is it installed, executable and in PATH?"
            raise (LinkUnavailable(text) if number is None else LinkUnavailable(number, text)) from error
        self._lines = lines
        self._told = LineSplitter()
        self._silent = silent
        self._heard = time.monotonic_ns()
        self._was_silent = False
        self._in, self._out, self._err = (
            _open(stream) for stream in (self._process.stdin, self._process.stdout, self._process.stderr)
        )
        for stream in (self._in, self._out, self._err):
            os.set_blocking(stream.fileno(), False)

    @property
    def pid(self) -> int:
        """The process, which leads a group of its own."""
        return self._process.pid

    def close(self) -> None:
        """End the program: close its input, wait, SIGTERM, wait, SIGKILL; within about two GRACE."""
        if self._closed:
            return
        self._closed = True
        self._in.close()
        if self._wait(GRACE) is None:
            self._signal(signal.SIGTERM)
            self._wait(GRACE)
        self._kill()

    def _offer(self, data: bytes) -> bool:
        if self._in.closed:
            self._drop("the program closed its input")
            # Perhaps it has ended, and a caller who only sends would not learn it.
            self._pump(0)
            return True
        try:
            # A pipe takes so few bytes whole or not at all.
            os.write(self._in.fileno(), data)
        except BlockingIOError:
            return False
        except BrokenPipeError:
            self._in.close()
            self._drop("the program closed its input")
        return True

    def _pump(self, until: Instant, *, writing: bool = False) -> None:
        due = self._silence_due()
        watch = _LEAVING if self._out.closed else _WATCH
        until = earliest(until, self._lines.next_timeout(), due, time.monotonic_ns() + watch)
        wanted = (self._out, self._err) if len(self._inbox) < INBOX else (self._err,)
        streams = [stream for stream in wanted if not stream.closed]
        writers = [self._in.fileno()] if writing and not self._in.closed else []
        can_read, _ = wait([stream.fileno() for stream in streams], writers, until)
        now = time.monotonic_ns()
        ready = [stream for stream in streams if stream.fileno() in can_read]
        for stream in ready:
            self._read(stream)
        if self._out not in ready:
            self._take(self._lines.handle_timeout(now), now)
            if due is not None and now >= due:
                self._was_silent = True
                self._tell(LinkEventKind.SILENT, f"no line for {(now - self._heard) / SECOND:.1f} s")
        if not ready or self._out.closed:
            self._watch(now)

    def _read(self, stream: IO[bytes]) -> None:
        try:
            data = os.read(stream.fileno(), READ_SIZE)
        except BlockingIOError:
            return
        now = time.monotonic_ns()
        if not data:
            stream.close()
        if stream is self._out:
            # The end of the output counts as heard: from here on the program has GRACE to end.
            self._heard, self._was_silent = now, not data
            self._take(self._lines.feed(data, now), now)
            return
        for line in self._told.feed(data) if data else [self._told.flush()]:
            if line.strip():
                self._tell(LinkEventKind.TOLD, printable(line[:MAX_LINE]))

    def _silence_due(self) -> Instant | None:
        return None if self._silent is None or self._was_silent else self._heard + self._silent

    def _watch(self, now: Instant) -> None:
        """See whether the program has ended, or has closed its output and does not end."""
        status = self._process.poll()
        if status is None and (not self._out.closed or now < self._heard + round(GRACE * SECOND)):
            return
        self._gone = "the program closed its output" if status is None else f"the program {_how(status)}"
        self._lines.begin(now)
        self._take([], now)
        while not self._err.closed and wait((self._err.fileno(),), (), 0)[0]:
            self._read(self._err)
        self._kill()
        self._tell(LinkEventKind.CLOSED, self._gone)

    def _kill(self) -> None:
        """End whatever is left: where the program has ended, what it started may not have."""
        self._signal(signal.SIGKILL)
        self._wait(GRACE)
        for stream in (self._in, self._out, self._err):
            stream.close()

    def _wait(self, within: float) -> int | None:
        try:
            return self._process.wait(within)
        except subprocess.TimeoutExpired:
            return None

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self._process.pid, number)
        except (ProcessLookupError, PermissionError):
            # All of the group have ended.
            return


def open_link(rest: str, options: Mapping[str, str]) -> ProgramLink:
    """Start a command line, split as a shell would and run without one.

    Option silent: seconds without a line after which a SILENT event is told.
    """
    link = f"exec:{rest}"
    known_only(link, options, ("silent",))
    try:
        command = shlex.split(rest)
    except ValueError as error:
        raise LinkUnavailable(f"{link}: {error}: quote as for a shell") from error
    if not command:
        raise LinkUnavailable(f"{link}: write exec:COMMAND, as in exec:./firmware --node 2")
    silent = seconds(link, options, "silent", 0) if "silent" in options else None
    return ProgramLink(command, name=link, silent=silent)


def _open(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream


def _how(status: int) -> str:
    if status >= 0:
        return f"ended with exit status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"
