"""Faults of a simulated party, each from a time on: what it drops, ignores or delays, and when it stops."""

import re
from collections.abc import Sequence

import msgspec

from swapproto.errors import SwapError
from swapproto.frame import MILLISECOND, SECOND, CanFrame, Instant
from swapproto.messages.catalog import Catalogue, UnknownMessage
from swapproto.messages.gbt27930 import ChargingMessage, Party
from swapproto.session.command import Command

FAULTS = {
    "silent": "sends nothing any more",
    "deaf": "takes no message of the peer any more",
    "drop=MESSAGE": "does not send this message any more",
    "ignore=MESSAGE": "does not take this message of the peer any more",
    "delay=TIME": "sends every frame this much later",
    "stop": "the stop button is pressed",
    "unplug": "the plug is pulled",
    "clear": "all faults before are over",
}
COMMANDS = {"stop": Command.STOP, "unplug": Command.UNPLUG}
HELP = "; ".join(f"{name}: {meaning}" for name, meaning in FAULTS.items())

_UNITS = {"ms": MILLISECOND, "s": SECOND, "min": 60 * SECOND}
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|s|min)", re.ASCII)


class BadFault(SwapError, ValueError):
    """A fault that cannot be read."""


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What happens at a time, in nanoseconds from the begin of a session."""

    at: int
    name: str
    kind: type[ChargingMessage] | None = None
    delay: int = 0

    def __str__(self) -> str:
        if self.kind is not None:
            return f"{self.name}={self.kind.__name__}"
        return f"{self.name}={self.delay / MILLISECOND:g}ms" if self.delay else self.name


def parse_fault(text: str, party: Party) -> Fault:
    """Read ``TIME:NAME``; BadFault says what is wrong."""
    time, colon, rest = text.partition(":")
    if not colon:
        raise BadFault(f"{text!r} is no fault: write TIME:NAME, as in 20s:silent or 20s:drop=BCL")
    at = _duration(text, time)
    name, equals, value = rest.partition("=")
    forms = {form.partition("=")[0]: form for form in FAULTS}
    form = forms.get(name)
    if form is None:
        raise BadFault(f"{text!r}: there is no fault {name!r}, only {', '.join(FAULTS)}")
    if bool(equals) != ("=" in form):
        raise BadFault(f"{text!r}: write {form}")
    if name == "delay":
        return Fault(at=at, name=name, delay=_duration(text, value))
    if name in ("drop", "ignore"):
        return Fault(at=at, name=name, kind=_message(text, value, party if name == "drop" else party.peer))
    return Fault(at=at, name=name)


def _duration(fault: str, text: str) -> int:
    found = _DURATION.fullmatch(text)
    if found is None:
        raise BadFault(f"{fault!r}: {text!r} is no time: write 500ms, 20s or 2min")
    return round(float(found[1]) * _UNITS[found[2]])


def _message(fault: str, name: str, sender: Party) -> type[ChargingMessage]:
    try:
        kind = Catalogue().by_name(name)
    except UnknownMessage as error:
        raise BadFault(f"{fault!r}: {error}") from None
    if kind.sender is not sender and not kind.both_ways:
        raise BadFault(f"{fault!r}: {kind.__name__} is sent by the {kind.sender.label}")
    return kind


class Disturbance:
    """The faults that are in force: functions for ``Hooks``."""

    def __init__(self) -> None:
        self._silent = False
        self._deaf = False
        self._dropped: set[type[ChargingMessage]] = set()
        self._ignored: set[type[ChargingMessage]] = set()
        self._delay = 0

    def apply(self, fault: Fault) -> None:
        """Put a fault in force, or end all; a command is the caller's to give."""
        match fault.name:
            case "silent":
                self._silent = True
            case "deaf":
                self._deaf = True
            case "delay":
                self._delay = fault.delay
            case "clear":
                self._silent = self._deaf = False
                self._delay = 0
                self._dropped.clear()
                self._ignored.clear()
            case _:
                if fault.kind is not None:
                    (self._dropped if fault.name == "drop" else self._ignored).add(fault.kind)

    def sends(self, message: ChargingMessage) -> bool:
        return not self._silent and type(message) not in self._dropped

    def takes(self, message: ChargingMessage) -> bool:
        return not self._deaf and type(message) not in self._ignored

    def frames(self, frame: CanFrame, _: Instant) -> Sequence[tuple[CanFrame, int]]:
        """The hook for frames: the transport's are silenced and delayed as well."""
        return () if self._silent else ((frame, self._delay),)
