"""What happens in a simulated session, in plain words, and the line that shows where it stands."""

import shutil
import sys
from collections import Counter
from typing import TextIO

from swapproto.cli.text import plural, printable
from swapproto.frame import SECOND, Instant
from swapproto.messages.gbt27930 import BCP, BCS, BEM, BST, CCS, CEM, CST, MESSAGES, ChargingMessage, Party
from swapproto.provenance import Basis
from swapproto.session.events import (
    EndpointEvent,
    PeerViolation,
    SessionEnded,
    StateChanged,
    TimedOut,
    Undecodable,
)
from swapproto.session.timing import TIMERS
from swapproto.transport.events import TpViolation, TransferAborted
from swapproto.wire.fields import Code

STATUS_EVERY = 5 * SECOND
"""Between two status lines where they are not refreshed in place."""
_FRESH = 2 * SECOND
"""After this long a value that came by message counts as unknown."""
_ANNOUNCED = (BEM, CEM, BST, CST)
_NAMES = {(kind.pgn, kind.sender.value): kind.__name__ for kind in MESSAGES}


class Screen:
    """Lines on a stream; on a terminal the last one is refreshed in place."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._in_place = out.isatty()
        self._status = ""
        self._next_status: Instant | None = None

    def line(self, text: str) -> None:
        """One line for good, above the refreshed one."""
        text = printable(text)
        if self._in_place:
            self._out.write(f"\r\x1b[K{text}\n{self._status}")
        else:
            self._out.write(text + "\n")
        self._out.flush()

    def status(self, text: str, now: Instant) -> None:
        if self._in_place:
            self._status = printable(text)[: shutil.get_terminal_size().columns - 1]
            self._out.write(f"\r\x1b[K{self._status}")
            self._out.flush()
        elif self._next_status is None:
            self._next_status = now + STATUS_EVERY
        elif now >= self._next_status:
            self._next_status = now + STATUS_EVERY
            self.line(text)

    def end(self) -> None:
        """Leave the refreshed line behind."""
        if self._in_place and self._status:
            self._status = ""
            self._out.write("\r\x1b[K")
            self._out.flush()


class Journal:
    """Tells a session as it goes on; times are seconds from its begin."""

    def __init__(self, party: Party, screen: Screen) -> None:
        self._party = party
        self._screen = screen
        self._begun: Instant = 0
        self._repeated: Counter[str] = Counter()
        self._heard: dict[type[ChargingMessage], tuple[ChargingMessage, Instant]] = {}
        self._flow: tuple[float, float, Instant] | None = None
        self._soc: float | None = None

    def begin(self, now: Instant) -> None:
        self._begun = now
        self._repeated.clear()
        self._heard.clear()
        self._flow = self._soc = None

    def say(self, text: str, now: Instant) -> None:
        self._screen.line(f"{(now - self._begun) / SECOND:8.2f} s  {text}")

    def message(self, message: ChargingMessage, now: Instant, *, sent: bool) -> None:
        """Take note of a message that went out or arrived; errors and stops are told when they begin."""
        if isinstance(message, BCP | BCS):
            self._soc = float(message.soc)
        if isinstance(message, BCP):
            self._flow = message.voltage, 0.0, now
        elif isinstance(message, BCS | CCS) and sent:
            self._flow = message.voltage, 0.0 - message.current, now
        if isinstance(message, _ANNOUNCED):
            self._flow = None
            before = self._heard.get(type(message))
            self._heard[type(message)] = message, now
            if before is None or before[0] != message or now - before[1] > _FRESH:
                verb = "sends" if sent else "receives"
                self.say(f"{verb} {type(message).__name__}: {_set_fields(message)}", now)

    def event(self, event: EndpointEvent) -> None:
        match event:
            case StateChanged():
                self.repeated(event.at)
                self.say(f"{event.before} -> {event.after} ({event.cause})", event.at)
            case TimedOut():
                self.say(_timeout(event.timer), event.at)
            case PeerViolation():
                name = type(event.message).__name__
                self._often(f"the peer sent {name}, which has no place while {event.state}", event.at)
            case Undecodable():
                where = "" if event.field is None else f" {event.field}:"
                self._often(f"{event.kind.__name__} cannot be read:{where} {event.reason}", event.at)
            case TpViolation():
                self._often(f"transport: {event.reason.value}", event.at)
            case TransferAborted():
                name = _NAMES.get((event.pgn, event.source), f"PGN {event.pgn:04X}h")
                way = "to" if event.sent else "from"
                self._often(
                    f"transfer of {name} {way} the {self._party.peer.label} aborted by {event.by.value}: "
                    f"{event.reason}",
                    event.at,
                )
            case SessionEnded():
                self.repeated(event.at)
                how = "complete" if event.complete else "ended before it was complete"
                self.say(f"session {how}: {event.reason}", event.at)
            case _:
                pass

    def repeated(self, now: Instant) -> None:
        """Say how often that was repeated which was told once."""
        for text, count in self._repeated.items():
            if count > 1:
                self.say(f"{plural(count - 1, 'more time')}: {text}", now)
        self._repeated.clear()

    def status(self, state: str, now: Instant) -> None:
        flow = self._flow
        voltage, current = (
            (f"{flow[0]:.1f}", f"{flow[1]:.1f}")
            if flow is not None and now - flow[2] <= _FRESH
            else ("-", "-")
        )
        soc = "-" if self._soc is None else f"{self._soc:g}"
        elapsed = (now - self._begun) / SECOND
        self._screen.status(f"{elapsed:8.1f} s  {state:<20} {voltage:>6} V {current:>6} A  SOC {soc} %", now)

    def _often(self, text: str, now: Instant) -> None:
        self._repeated[text] += 1
        if self._repeated[text] == 1:
            self.say(text, now)


def _timeout(name: str) -> str:
    timer = TIMERS[name]
    seconds = f"{timer.value / SECOND:g} s"
    if timer.source.basis in (Basis.ASSUMED, Basis.DERIVED):
        return f"{seconds} are over: {name.replace('_', ' ')}"
    return f"timeout: {timer.name}, {seconds}"


def _set_fields(message: ChargingMessage) -> str:
    """The fields that are set, with their SPN."""
    words: list[str] = []
    for field in message.layout.fields:
        value = getattr(message, field.name)
        if value:
            spn = "" if field.marker.spn is None else f"SPN {field.marker.spn} "
            shown = value.label if isinstance(value, Code) and value.known else f"{int(value):#04x}"
            words.append(f"{spn}{field.name.replace('_', ' ')}: {shown}")
    return ", ".join(words) or "no reason set"


def screen() -> Screen:
    """On standard output."""
    return Screen(sys.stdout)
