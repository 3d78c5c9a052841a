"""What only the operator of a live device knows: how it is reset between cases, how its button is pressed."""

import shlex
import subprocess
import time
from typing import Literal

import msgspec

from swapproto.errors import SwapError
from swapproto.frame import SECOND, Instant

RESET_LIMIT = 60.0
PRESS_LIMIT = 10.0
"""Seconds that the operator's command may take."""


class PixitError(SwapError, ValueError):
    """What the operator said cannot be understood, or his command failed."""


class Reset(msgspec.Struct, frozen=True):
    """How a live device comes back to its beginning before a case."""

    kind: Literal["none", "wait", "command", "reopen"] = "wait"
    seconds: float = 5.0
    argv: tuple[str, ...] = ()

    @property
    def settle(self) -> Instant:
        """How long the bus is left alone."""
        return round(self.seconds * SECOND) if self.kind == "wait" else 0


class Pixit(msgspec.Struct, frozen=True):
    """Protocol implementation extra information for testing, as far as this suite asks for it."""

    reset: Reset = Reset()
    on_stop: tuple[str, ...] = ()
    """The command that stops the device as its own button would; empty where there is none."""


def parse_reset(text: str) -> Reset:
    """``none``, ``wait:SECONDS``, ``command:ARGV`` or ``reopen``; PixitError says what is wrong."""
    kind, _, value = text.partition(":")
    if text == "none":
        return Reset("none", 0.0)
    if text == "reopen":
        return Reset("reopen", 0.0)
    if kind == "command" and (argv := parse_command(value)):
        return Reset("command", 0.0, argv)
    if kind == "wait":
        try:
            seconds = float(value)
        except ValueError:
            seconds = -1.0
        if 0 <= seconds <= 3600:
            return Reset("wait", seconds)
    raise PixitError(
        f"--reset {text!r}: give none, wait:SECONDS (0 to 3600), reopen or command:PROGRAM ARGUMENTS"
    )


def parse_command(text: str) -> tuple[str, ...]:
    """Words as a shell would split them; no shell runs them."""
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise PixitError(f"{text!r} is no command: {error}") from error


class Errand:
    """A command of the operator's that runs beside the case, so that the tester keeps its time."""

    def __init__(self, argv: tuple[str, ...], limit: float) -> None:
        """PixitError where it cannot be started."""
        self._argv, self._limit = argv, limit
        self._began = time.monotonic()
        try:
            self._process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)  # noqa: S603  (the operator's own words)
        except OSError as error:
            raise PixitError(f"{shlex.join(argv)}: {error.strerror or error}") from error

    def finish(self) -> None:
        """Wait for its end, within its limit since the begin; PixitError where it failed."""
        left = max(0.0, self._limit - (time.monotonic() - self._began))
        try:
            code = self._process.wait(left)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise PixitError(f"{shlex.join(self._argv)}: not done after {self._limit:g} s") from None
        if code:
            raise PixitError(f"{shlex.join(self._argv)}: exit code {code}")
