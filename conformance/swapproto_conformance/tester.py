"""The tester: a node that plays the other side by a script. It knows frames and messages, no role machine."""

from heapq import heappop, heappush

from swapproto.frame import MILLISECOND, CanFrame, Instant
from swapproto.j1939 import parse
from swapproto.messages.catalog import Catalogue
from swapproto.messages.gbt27930 import ChargingMessage, Party, timers
from swapproto.transport.events import TransferReceived
from swapproto.transport.tp import Transport
from swapproto_conformance.script import Cyclic, RawCyclic, Script, Step, Stimulus

FRAME = 8
RETRY = 20 * MILLISECOND


class Tester:
    """Runs a script once as ``party``; ``done`` tells when it is over. It judges nothing."""

    def __init__(
        self, script: Script, party: Party, *, catalogue: Catalogue, answer_transport: bool = True
    ) -> None:
        self.party = party
        self.done = not script
        self.gave_up: str | None = None
        """Title of the step whose wait was in vain, None where all went by the script."""
        self._script = script
        self._catalogue = catalogue
        self._transport = Transport(party.value, packet_gap=timers.PACKET_GAP.value)
        self._answer_transport = answer_transport
        self._index = -1
        self._ends: Instant | None = None
        self._met = False
        self._due: dict[object, tuple[Instant, Stimulus]] = {}
        self._queue: list[tuple[Instant, int, CanFrame]] = []
        self._waiting: dict[type[ChargingMessage], tuple[int, bytes, int]] = {}
        self._count = 0
        self._now: Instant | None = None

    # ---- the node

    def receive(self, frame: CanFrame, now: Instant) -> None:
        self._advance(now)
        if self._answer_transport and self._transport.receive(frame, now):
            while (event := self._transport.poll_event()) is not None:
                if isinstance(event, TransferReceived):
                    self._take(self._catalogue.by_pgn(event.pgn, event.source), event.payload, now)
            return
        if not frame.extended or frame.remote:
            return
        # Whatever its priority: the judges say what is wrong with that, and the other cases go on.
        heard = parse(frame.id)
        if heard.source == self.party.peer.value and heard.destination == self.party.value:
            self._take(self._catalogue.by_pgn(heard.pgn, heard.source), frame.data, now)

    def handle_timeout(self, now: Instant) -> None:
        self._advance(now)
        self._transport.handle_timeout(now)

    def next_timeout(self) -> Instant | None:
        if self._now is None:
            return 0
        wishes = [due for due, _ in self._due.values()]
        wishes += [each for each in (self._ends, self._transport.next_timeout()) if each is not None]
        if self._queue and self._queue[0][0] > self._now:
            wishes.append(self._queue[0][0])
        return min(wishes, default=None)

    def poll_transmit(self) -> CanFrame | None:
        """The latest of each kind waits until the transfer before it has ended."""
        if self._waiting and self._now is not None:
            kind = next(iter(self._waiting))
            pgn, payload, destination = self._waiting[kind]
            if not self._transport.pending(destination):
                del self._waiting[kind]
                self._transport.send(pgn, payload, destination, self._now)
        if self._queue and self._now is not None and self._queue[0][0] <= self._now:
            return heappop(self._queue)[2]
        return self._transport.poll_transmit()

    # ---- the script

    def _advance(self, now: Instant) -> None:
        if self._now is None:
            self._begin(0, now)
        self._now = now
        while not self.done and self._ends is not None and now >= self._ends:
            step = self._script[self._index]
            if step.until is not None and not self._met:
                self.gave_up = step.title
                self._finish()
                return
            self._begin(self._index + 1, self._ends)
        for key, (due, stimulus) in tuple(self._due.items()):
            if now >= due and self._free_for(stimulus):
                self._emit(stimulus, now)
                period = _period(stimulus)
                # Beats that were slept through are left out, not sent in a burst.
                self._due[key] = (due + period * ((now - due) // period + 1), stimulus)
            elif now >= due:
                self._due[key] = (now + RETRY, stimulus)

    def _begin(self, index: int, now: Instant) -> None:
        self._index, self._met = index, False
        if index >= len(self._script):
            self._finish()
            return
        step = self._script[index]
        self._ends = now + (step.at_most if step.until is not None else step.lasts or 0)
        running = self._due
        self._due = {}
        for stimulus in step.send:
            key = _key(stimulus)
            due = running[key][0] if key in running else now
            self._due[key] = (due, stimulus)

    def _finish(self) -> None:
        self.done, self._ends = True, None
        self._due.clear()
        self._waiting.clear()

    def _take(self, cls: type[ChargingMessage] | None, payload: bytes, now: Instant) -> None:
        if cls is None or self.done or self._met:
            return
        step: Step = self._script[self._index]
        message = cls.read(payload).message
        if step.until is not None and message is not None and step.until.matches(message):
            self._met = True
            self._ends = now + step.settle
            self._advance(now)

    def _emit(self, stimulus: Stimulus, now: Instant) -> None:
        if isinstance(stimulus, RawCyclic):
            for number, frame in enumerate(stimulus.frames):
                self._push(now + number * stimulus.gap, frame)
            return
        message = stimulus.message if isinstance(stimulus, Cyclic) else stimulus
        payload = message.encode()
        if len(payload) <= FRAME:
            self._push(now, CanFrame(message.identifier(), payload))
        elif not self._transport.pending(message.destination_address):
            self._transport.send(message.pgn, payload, message.destination_address, now)
        else:
            self._waiting[type(message)] = message.pgn, payload, message.destination_address

    def _free_for(self, stimulus: Stimulus) -> bool:
        """Frames of our own making must not run into a transfer that the transport still has open."""
        return not isinstance(stimulus, RawCyclic) or not self._transport.pending(self.party.peer.value)

    def _push(self, at: Instant, frame: CanFrame) -> None:
        self._count += 1
        heappush(self._queue, (at, self._count, frame))


def _period(stimulus: Stimulus) -> int:
    if isinstance(stimulus, Cyclic | RawCyclic):
        return stimulus.period
    period = stimulus.period()
    assert period is not None, "messages without a period are sent as Cyclic"
    return period


def _key(stimulus: Stimulus) -> object:
    """Steps that go on with a message keep its rhythm."""
    if isinstance(stimulus, RawCyclic):
        return stimulus.title
    return type(stimulus.message) if isinstance(stimulus, Cyclic) else type(stimulus)
