"""One party, session after session, as a node on a link."""

from collections import deque

from swapproto.cli.simulate_faults import COMMANDS, Disturbance, Fault
from swapproto.cli.simulate_settings import RoleSession, Settings
from swapproto.cli.simulate_words import Journal
from swapproto.errors import LocalProtocolError
from swapproto.frame import MILLISECOND, CanFrame, Instant
from swapproto.messages.gbt27930 import BEM, CEM, ChargingMessage
from swapproto.session.command import Command
from swapproto.session.endpoint import Endpoint
from swapproto.session.events import SessionEnded, StateChanged
from swapproto.session.hooks import Hooks

_TICK = 200 * MILLISECOND
"""How often the line is refreshed and the keyboard looked at."""


class Simulation:
    """A link.Node; each session has a fresh device, so that each begins with the values that were set."""

    def __init__(self, settings: Settings, journal: Journal, now: Instant) -> None:
        self.done = False
        self.complete = 0
        """Sessions that exchanged statistics."""
        self.failed = 0
        """Sessions that ended otherwise."""
        self.stopped = 0
        """Sessions without an error that ended because interrupt() asked for it."""
        self._settings = settings
        self._journal = journal
        self._interrupted = False
        self._stopping = False
        self._in_error = False
        self._said: list[ChargingMessage] = []
        """Messages that went out in this call: they are told after the events that led to them."""
        self._tick: Instant = now
        self._replug: Instant | None = None
        self._session: RoleSession
        self._endpoint: Endpoint
        self._disturbance: Disturbance
        self._faults: deque[tuple[Instant, Fault]]
        self._begin(now)

    def interrupt(self) -> None:
        """Stop the session in order at the next tick, and begin none any more; safe in a signal handler."""
        self._interrupted = True

    def receive(self, frame: CanFrame, now: Instant) -> None:
        self._endpoint.receive(frame, now)
        self._tell(now)

    def handle_timeout(self, now: Instant) -> None:
        while self._faults and self._faults[0][0] <= now and self._replug is None:
            self._apply(self._faults.popleft()[1], now)
        self._endpoint.handle_timeout(now)
        self._tell(now)
        if self._tick <= now:
            self._tick = now + _TICK
            if self._interrupted and not self._stopping:
                self._stop(now)
            self._journal.status(self._shown(), now)
        if self._replug is not None and self._replug <= now and not self.done:
            self._endpoint.command(Command.UNPLUG, now)
            self._begin(now)

    def next_timeout(self) -> Instant | None:
        wanted = [self._tick]
        due = self._endpoint.next_timeout()
        if due is not None:
            wanted.append(due)
        if self._replug is not None:
            wanted.append(self._replug)
        elif self._faults:
            wanted.append(self._faults[0][0])
        return min(wanted)

    def poll_transmit(self) -> CanFrame | None:
        return self._endpoint.poll_transmit()

    def _begin(self, now: Instant) -> None:
        self._replug = None
        self._session = session = self._settings.session()
        self._disturbance = Disturbance()
        hooks = Hooks(outgoing=self._outgoing, incoming=self._incoming, frames=self._disturbance.frames)
        self._endpoint = Endpoint(session, session.party, hooks=hooks)
        self._faults = deque((now + fault.at, fault) for fault in self._settings.faults)
        self._journal.begin(now)
        if self.complete or self.failed:
            self._journal.say(f"session {self.complete + self.failed + 1} begins", now)
        self._endpoint.command(Command.START, now)
        self._tell(now)

    def _outgoing(self, message: ChargingMessage, _: Instant) -> ChargingMessage | None:
        if not self._disturbance.sends(message):
            return None
        self._said.append(message)
        return message

    def _incoming(self, message: ChargingMessage, now: Instant) -> ChargingMessage | None:
        if not self._disturbance.takes(message):
            return None
        self._journal.message(message, now, sent=False)
        return message

    def _apply(self, fault: Fault, now: Instant) -> None:
        self._journal.say(f"fault: {fault}", now)
        self._disturbance.apply(fault)
        command = COMMANDS.get(fault.name)
        if command is not None:
            try:
                self._endpoint.command(command, now)
            except LocalProtocolError as error:
                self._journal.say(f"the fault had no effect: {error}", now)

    def _stop(self, now: Instant) -> None:
        """Ask for the stop, or end at once where there is nothing to stop."""
        self._stopping = True
        if self._replug is not None:
            self.done = True
            return
        self._journal.say("stopping; Ctrl-C again ends at once", now)
        self._try_stop(now)
        self._tell(now)

    def _try_stop(self, now: Instant) -> None:
        self._in_error = self._in_error or self._session.sending(BEM) or self._session.sending(CEM)
        try:
            self._endpoint.command(Command.STOP, now)
        except LocalProtocolError:
            # A state that ends by its own timers.
            return

    def _tell(self, now: Instant) -> None:
        """Pass the events on; what a peer sends to an unplugged session is nobody's concern."""
        while (event := self._endpoint.poll_event()) is not None:
            if self._replug is not None or self.done:
                continue
            self._journal.event(event)
            if isinstance(event, SessionEnded):
                self._ended(event.complete, now)
            elif isinstance(event, StateChanged) and self._stopping:
                self._try_stop(now)
        for message in self._said:
            self._journal.message(message, now, sent=True)
        self._said.clear()

    def _ended(self, complete: bool, now: Instant) -> None:
        if complete:
            self.complete += 1
        elif self._stopping and not self._in_error:
            self.stopped += 1
        else:
            self.failed += 1
        if self._settings.repeat and not self._stopping:
            self._replug = now + self._settings.gap
        else:
            self.done = True

    def _shown(self) -> str:
        return "plug out" if self._replug is not None else str(self._session.state)
