"""The part that charger and BMS share: table look-up, timers, cyclic senders, queues."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from typing import Generic

from swapproto.errors import LocalProtocolError
from swapproto.frame import Instant
from swapproto.messages.gbt27930 import ChargingMessage
from swapproto.session.command import Command
from swapproto.session.events import PeerViolation, SessionEnded, SessionEvent, StateChanged, TimedOut
from swapproto.session.flow import FLOW
from swapproto.session.table import I, Rules, S
from swapproto.session.timing import Timing

MAX_QUEUED = 4096
"""Messages, and events, kept for a caller who does not poll; the oldest go first."""
_NEVER: Instant = 1 << 100


class _Cyclic:
    """One message being sent; deadlines are absolute, so the cadence does not drift."""

    __slots__ = ("build", "due", "kind", "period", "sent")

    def __init__(
        self,
        kind: type[ChargingMessage],
        build: Callable[[Instant], ChargingMessage | None],
        period: int,
        due: Instant,
    ) -> None:
        self.kind = kind
        self.build = build
        self.period = period
        self.due = due
        self.sent = 0


class Machine(ABC, Generic[S, I]):
    """A role machine without a clock; roles say what inputs messages are and what entering a state does."""

    def __init__(
        self,
        rules: Rules[S, I],
        inputs: type[I],
        builders: Mapping[type[ChargingMessage], Callable[[Instant], ChargingMessage | None]],
        *,
        timing: Timing,
        periods: Mapping[type[ChargingMessage], int] | None,
        max_reconnects: int,
    ) -> None:
        self._rules = rules
        self._table = rules.table
        self._inputs = inputs
        self._builders = builders
        self._timing = timing
        self._periods = {kind: _period(kind, periods or {}) for kind in builders}
        self._max_reconnects = max_reconnects
        self._state: S = rules.start
        self._reconnects = 0
        self._timers: dict[str, Instant] = {}
        self._senders: dict[type[ChargingMessage], _Cyclic] = {}
        self._wake: Instant = _NEVER
        self._out: deque[ChargingMessage] = deque(maxlen=MAX_QUEUED)
        self._events: deque[SessionEvent] = deque(maxlen=MAX_QUEUED)

    @property
    def state(self) -> S:
        return self._state

    @property
    def reconnects(self) -> int:
        """How often the session has begun again since START."""
        return self._reconnects

    @property
    def ended(self) -> bool:
        """Whether only UNPLUG can follow."""
        return self._state in (self._rules.complete, self._rules.aborted)

    def sending(self, kind: type[ChargingMessage]) -> bool:
        """Whether a message is sent cyclically now."""
        return kind in self._senders

    def receive(self, message: ChargingMessage, now: Instant) -> None:
        """Take a message of the peer. Afterwards poll everything."""
        cause = self._cause(message)
        before = self._state
        if not self._step(cause, now):
            self._emit(PeerViolation(before, cause, message, FLOW, now))
        else:
            self._take(message, cause, before, now)
        if self._wake <= now:
            self._run(now)

    def command(self, wish: Command, now: Instant) -> None:
        """Do what the application wants; LocalProtocolError where it is not allowed. Poll everything then."""
        if not self._step(self._inputs(wish.value), now):
            allowed = ", ".join(
                other.value for other in Command if (self._state, self._inputs(other.value)) in self._table
            )
            raise LocalProtocolError(f"{wish.value} is not possible while {self._state}: only {allowed}")
        if self._wake <= now:
            self._run(now)

    def handle_timeout(self, now: Instant) -> None:
        """Do what is due; a call before next_timeout() is harmless. Afterwards poll everything."""
        if self._wake <= now:
            self._run(now)

    def next_timeout(self) -> Instant | None:
        """When handle_timeout() is wanted next, at the latest; ask again after any other call."""
        return None if self._wake == _NEVER else self._wake

    def poll_transmit(self) -> ChargingMessage | None:
        """The next message to send, or None. Poll after receive(), handle_timeout() and command()."""
        return self._out.popleft() if self._out else None

    def poll_event(self) -> SessionEvent | None:
        """The next event, or None. Poll after receive(), handle_timeout() and command()."""
        return self._events.popleft() if self._events else None

    # ---- for the roles

    @abstractmethod
    def _cause(self, message: ChargingMessage) -> I:
        """The input that a message is."""

    @abstractmethod
    def _take(self, message: ChargingMessage, cause: I, before: S, now: Instant) -> None:
        """Use the content of a message that was in place in the state before."""

    @abstractmethod
    def _entered(self, before: S, cause: I, now: Instant) -> None:
        """Act on a change of state; senders and timers are set already."""

    def _expired(self, timer: str, now: Instant) -> None:
        """A timer ran out: report it and let the table say what follows."""
        self._emit(TimedOut(timer, now))
        before = self._state
        self._step(self._rules.expiry[timer], now)
        if self._state is before:
            self._start_timer(timer, now)

    def _sent(self, kind: type[ChargingMessage]) -> int:
        """How many of a cyclic message went out since it was begun."""
        sender = self._senders.get(kind)
        return 0 if sender is None else sender.sent

    def _emit(self, event: SessionEvent) -> None:
        self._events.append(event)

    def _start_timer(self, name: str, now: Instant) -> None:
        self._timers[name] = deadline = now + getattr(self._timing, name)
        self._wake = min(self._wake, deadline)

    def _step(self, cause: I, now: Instant) -> bool:
        """Move as tabled; False if the table has no such pair."""
        before = self._state
        row = self._table.get((before, cause))
        if row is None:
            return False
        if row.reconnect:
            if self._reconnects >= self._max_reconnects:
                return self._step(self._rules.exhausted, now)
            self._reconnects += 1
        if row.to is not before:
            self._state = row.to
            self._emit(StateChanged(before, row.to, cause, now))
            self._rearm(before, now)
            self._entered(before, cause, now)
            if self.ended:
                self._emit(SessionEnded(row.to is self._rules.complete, cause, now))
            elif row.to is self._rules.start:
                self._reconnects = 0
                if before not in (self._rules.complete, self._rules.aborted):
                    self._emit(SessionEnded(False, cause, now))
        timer = self._rules.restarts.get(cause)
        if timer is not None and timer in self._timers:
            self._timers[timer] = now + getattr(self._timing, timer)
        return True

    # ---- timers and senders

    def _rearm(self, before: S, now: Instant) -> None:
        """Exchange the timers and senders of one state for those of the next; what both have goes on."""
        old = self._rules.watches.get(before, ())
        new = self._rules.watches.get(self._state, ())
        for name in old:
            if name not in new:
                self._timers.pop(name, None)
        for name in new:
            if name not in old or name not in self._timers:
                self._start_timer(name, now)
        kinds = self._rules.sends.get(self._state, ())
        for kind in [kind for kind in self._senders if kind not in kinds]:
            del self._senders[kind]
        for kind in kinds:
            if kind not in self._senders:
                self._senders[kind] = _Cyclic(kind, self._builders[kind], self._periods[kind], now)
                self._wake = min(self._wake, now)

    def _run(self, now: Instant) -> None:
        """Expire what is over, send what is due, and find out when to do so again."""
        timers, senders = self._timers, self._senders
        if timers and min(timers.values()) <= now:
            self._expire(now)
        soonest = now
        while soonest <= now:
            for sender in tuple(senders.values()):
                # One before may have changed the state and with it the senders.
                if sender.due <= now and senders.get(sender.kind) is sender:
                    self._send(sender, now)
            soonest = min([sender.due for sender in senders.values()], default=_NEVER)
        self._wake = min(soonest, *timers.values()) if timers else soonest

    def _expire(self, now: Instant) -> None:
        timers = self._timers
        for name in sorted((name for name, at in timers.items() if at <= now), key=timers.__getitem__):
            # One before may have changed the state and with it the timers.
            if timers.get(name, _NEVER) <= now:
                del timers[name]
                self._expired(name, now)

    def _send(self, sender: _Cyclic, now: Instant) -> None:
        sender.due += sender.period
        if sender.due <= now:
            # The caller came late: what was missed is not made up for.
            sender.due += (now - sender.due) // sender.period * sender.period + sender.period
        message = sender.build(now)
        if message is not None:
            sender.sent += 1
            self._out.append(message)


def _period(kind: type[ChargingMessage], periods: Mapping[type[ChargingMessage], int]) -> int:
    period = periods.get(kind, kind.period())
    if period is None or period <= 0:
        raise LocalProtocolError(f"period {period} of {kind.title!r}: a cyclic message needs one above 0 ns")
    return period
