"""A session on a bus: frames in, frames out.

Usage::

    bus.attach(Endpoint(ChargerSession(plant), Party.CHARGER), "charger")

A message that could not go out yet is replaced by the next of its kind: what waits is always the latest.
"""

from collections import Counter, deque
from heapq import heappop, heappush
from typing import Protocol

from swapproto.frame import CanFrame, Instant
from swapproto.j1939 import identifier
from swapproto.link import LinkEvent
from swapproto.messages.gbt27930 import MESSAGES, ChargingMessage, Party
from swapproto.session.command import Command
from swapproto.session.events import EndpointEvent, SessionEvent, StateChanged, Undecodable
from swapproto.session.hooks import Hooks
from swapproto.session.timing import NOMINAL
from swapproto.transport.events import TransferReceived, TransferSent
from swapproto.transport.tp import Transport

MAX_EVENTS = 4096
"""Events kept for a caller who does not poll; the oldest go first."""
_SINGLE_FRAME = 8
_WITHOUT_PRIORITY = 0x03FF_FFFF


class Session(Protocol):
    """What an Endpoint drives; the role machines are such."""

    def receive(self, message: ChargingMessage, now: Instant) -> None: ...

    def command(self, wish: Command, now: Instant) -> None: ...

    def handle_timeout(self, now: Instant) -> None: ...

    def next_timeout(self) -> Instant | None: ...

    def poll_transmit(self) -> ChargingMessage | None: ...

    def poll_event(self) -> SessionEvent | None: ...

    def sending(self, kind: type[ChargingMessage]) -> bool: ...


class Endpoint:
    """One party on the bus (a link.Node).

    Without a transport it gets one of its own: priority 7, the BMS with 10 ms between packets.
    """

    def __init__(
        self,
        session: Session,
        party: Party,
        *,
        transport: Transport | None = None,
        hooks: Hooks = Hooks(),  # noqa: B008  (frozen)
    ) -> None:
        gap = NOMINAL.packet_gap if party is Party.BMS else 0
        self.session = session
        self.party = party
        self.counts: Counter[str] = Counter()
        """Frames that were foreign, payloads that were undecodable or deviating, events that were lost."""
        self._transport = Transport(party.value, packet_gap=gap) if transport is None else transport
        self._hooks = hooks
        self._peer = party.peer.value
        self._now: Instant = 0
        self._transport_due = self._transport.next_timeout()
        self._single = {
            can_id & _WITHOUT_PRIORITY: kind
            for kind in MESSAGES
            for can_id, sender in kind.identifiers().items()
            if sender is party.peer
        }
        self._long = {can_id >> 8 & 0x3FF00: kind for can_id, kind in self._single.items()}
        self._ids: dict[type[ChargingMessage], int] = {}
        self._mail: dict[type[ChargingMessage], CanFrame] = {}
        self._waiting: dict[type[ChargingMessage], tuple[int, bytes]] = {}
        self._ready: deque[CanFrame] = deque()
        self._delayed: list[tuple[Instant, int, CanFrame]] = []
        self._delayed_count = 0
        self._events: deque[EndpointEvent] = deque(maxlen=MAX_EVENTS)

    def command(self, wish: Command, now: Instant) -> None:
        """Pass the application's wish on; LocalProtocolError where the session's state does not allow it."""
        self._now = now
        self.session.command(wish, now)
        self._pump(now)

    def receive(self, frame: CanFrame, now: Instant) -> None:
        """Take a frame from the bus. Afterwards poll everything."""
        self._now = now
        if frame.extended and not frame.remote:
            kind = self._single.get(frame.id & _WITHOUT_PRIORITY)
            if kind is not None:
                self._take(kind, frame.data, now)
                self._pump(now)
                return
            if self._transport.receive(frame, now):
                self._drain(now)
                self._pump(now)
                return
        self.counts["foreign"] += 1

    def link_event(self, event: LinkEvent) -> None:
        """Count what befell the link, and report a gap: frames of the peer may be missing from here on."""
        self.counts[event.kind.value] += event.count
        if event.gap:
            self._log(event)

    def handle_timeout(self, now: Instant) -> None:
        """Do what is due; a call before next_timeout() is harmless. Afterwards poll everything."""
        self._now = now
        self.session.handle_timeout(now)
        if self._transport_due is not None and self._transport_due <= now:
            self._transport.handle_timeout(now)
            self._drain(now)
        while self._delayed and self._delayed[0][0] <= now:
            self._ready.append(heappop(self._delayed)[2])
        self._pump(now)

    def next_timeout(self) -> Instant | None:
        """When handle_timeout() is wanted next, at the latest; ask again after any other call."""
        soonest = self.session.next_timeout()
        other = self._transport_due
        if other is not None and (soonest is None or other < soonest):
            soonest = other
        if self._delayed and (soonest is None or self._delayed[0][0] < soonest):
            soonest = self._delayed[0][0]
        return soonest

    def poll_transmit(self) -> CanFrame | None:
        """The next frame for the bus, or None. Poll after command(), receive() and handle_timeout()."""
        hook = self._hooks.frames
        if hook is None:
            return self._next_frame()
        while not self._ready:
            frame = self._next_frame()
            if frame is None:
                return None
            for changed, delay in hook(frame, self._now):
                if delay <= 0:
                    self._ready.append(changed)
                else:
                    self._delayed_count += 1
                    heappush(self._delayed, (self._now + delay, self._delayed_count, changed))
        return self._ready.popleft()

    def poll_event(self) -> EndpointEvent | None:
        """The next event of session or transport, or None. Poll after any other call."""
        return self._events.popleft() if self._events else None

    def _next_frame(self) -> CanFrame | None:
        if self._mail:
            return self._mail.pop(next(iter(self._mail)))
        frame = self._transport.poll_transmit()
        if frame is not None:
            self._transport_due = self._transport.next_timeout()
        return frame

    def _take(self, kind: type[ChargingMessage], payload: bytes, now: Instant) -> None:
        reading = kind.read(payload)
        message: ChargingMessage | None = reading.message
        if message is None:
            self.counts["undecodable"] += 1
            if reading.error is not None:
                self._log(Undecodable(kind, payload, reading.error.field, reading.error.reason, now))
            # The error's traceback leads back to this frame, and no garbage collector sees a Reading.
            del reading
            return
        if reading.deviations:
            self.counts["deviating"] += 1
        if self._hooks.incoming is not None:
            message = self._hooks.incoming(message, now)
            if message is None:
                return
        self.session.receive(message, now)

    def _drain(self, now: Instant) -> None:
        """Take what the transport has to tell."""
        while (event := self._transport.poll_event()) is not None:
            if isinstance(event, TransferReceived):
                kind = self._long.get(event.pgn) if event.source == self._peer else None
                if kind is None:
                    self.counts["foreign"] += 1
                else:
                    self._take(kind, event.payload, now)
            elif not isinstance(event, TransferSent):
                self._log(event)
        self._transport_due = self._transport.next_timeout()

    def _pump(self, now: Instant) -> None:
        """Move what the session wants to say towards the bus."""
        session = self.session
        while (event := session.poll_event()) is not None:
            self._log(event)
            if isinstance(event, StateChanged):
                self._forget_stale()
        while (message := session.poll_transmit()) is not None:
            self._post(message, now)
        if self._waiting and not self._transport.pending(self._peer):
            pgn, payload = self._waiting.pop(next(iter(self._waiting)))
            self._transport.send(pgn, payload, self._peer, now)
            self._transport_due = self._transport.next_timeout()

    def _post(self, message: ChargingMessage, now: Instant) -> None:
        changed = message if self._hooks.outgoing is None else self._hooks.outgoing(message, now)
        if changed is None:
            return
        payload = changed.encode()
        if self._hooks.payloads is not None:
            payload = self._hooks.payloads(changed, payload)
        if len(payload) > _SINGLE_FRAME:
            self._waiting[type(message)] = changed.pgn, payload
        else:
            self._mail[type(message)] = CanFrame(self._identifier(type(changed)), payload)

    def _identifier(self, kind: type[ChargingMessage]) -> int:
        can_id = self._ids.get(kind)
        if can_id is None:
            can_id = self._ids[kind] = identifier(kind.pgn, kind.priority, self._peer, self.party.value)
        return can_id

    def _forget_stale(self) -> None:
        """Drop what waits and is not sent any more in the state that was entered."""
        for stale in [kind for kind in self._mail if not self.session.sending(kind)]:
            del self._mail[stale]
        for stale in [kind for kind in self._waiting if not self.session.sending(kind)]:
            del self._waiting[stale]

    def _log(self, event: EndpointEvent) -> None:
        if len(self._events) == MAX_EVENTS:
            self.counts["lost events"] += 1
        self._events.append(event)
