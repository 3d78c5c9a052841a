"""The tester: a node that plays the other side by a script. It knows frames and messages, no role machine."""

from heapq import heappop, heappush

import msgspec

from swapproto.frame import MILLISECOND, CanFrame, Instant
from swapproto.j1939 import parse
from swapproto.messages.catalog import Catalogue
from swapproto.messages.gbt27930 import ChargingMessage, Party, timers
from swapproto.transport import frames as tp
from swapproto.transport.events import TransferReceived
from swapproto.transport.tp import Transport
from swapproto_conformance.script import Action, Conduct, Cyclic, RawCyclic, Script, Step, Stimulus

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
        self._conduct: Conduct = "answer"
        self._wish: Action | None = None
        self._index = -1
        self._ends: Instant | None = None
        self._met = self._last = False
        self._due: dict[object, tuple[Instant, Stimulus]] = {}
        self._queue: list[tuple[Instant, int, CanFrame]] = []
        self._waiting: dict[type[ChargingMessage], tuple[int, bytes, int]] = {}
        self._count = 0
        self._now: Instant | None = None

    # ---- the node

    def receive(self, frame: CanFrame, now: Instant) -> None:
        self._advance(now)
        if self._transported(frame, now):
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
        frame = self._transport.poll_transmit()
        if frame is not None and self._conduct == "wrong acknowledgement":
            return _misquoted(frame)
        return frame

    def poll_action(self) -> Action | None:
        """What somebody at the device is asked for now; told once."""
        wish, self._wish = self._wish, None
        return wish

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
            if self._last:
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
        self._wish, self._conduct = step.action, step.transport
        if step.transport == "hold":
            self._transport.hold(self.party.peer.value, now)
        else:
            self._transport.release(self.party.peer.value, now)
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
        elif step.unless is not None and message is not None and step.unless.matches(message):
            self._met = self._last = True
            self._ends = now + step.settle

    def _transported(self, frame: CanFrame, now: Instant) -> bool:
        """Whether the transport took the frame, after what the step wants to become of transfers."""
        if not self._answer_transport or self._conduct == "silent":
            return False
        if self._conduct in ("abort", "one by one") and self._requests(frame):
            if self._conduct == "abort":
                refusal = tp.abort(tp.packeted_pgn(frame.data), tp.AbortReason.RESOURCES)
                peer, own = self.party.peer.value, self.party.value
                self._push(now, CanFrame(tp.cm_id(peer, own), refusal))
                return True
            frame = msgspec.structs.replace(frame, data=frame.data[:4] + b"\x01" + frame.data[5:])
        return self._transport.receive(frame, now)

    def _requests(self, frame: CanFrame) -> bool:
        """Whether it is the device's RTS to us."""
        wanted = tp.cm_id(self.party.value, self.party.peer.value)
        return (
            frame.id & 0x03FF_FFFF == wanted & 0x03FF_FFFF
            and len(frame.data) == FRAME
            and frame.data[0] == tp.Control.RTS
        )

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


def _misquoted(frame: CanFrame) -> CanFrame:
    """An EndOfMsgAck that speaks of one packet more; other frames as they are."""
    data = frame.data
    if (
        not tp.is_transport(frame)
        or frame.id >> 16 & 0xFF != tp.TP_CM
        or data[0] != tp.Control.END_OF_MSG_ACK
    ):
        return frame
    size = (data[1] | data[2] << 8) + tp.PACKET_BYTES
    return msgspec.structs.replace(frame, data=tp.end_of_msg_ack(tp.packeted_pgn(data), size))


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
