"""A CAN bus in virtual time: the clock jumps to the next event, and nothing waits.

Determinism: the same seed, and the same nodes attached by the same names in the same order, give the same
frames at the same instants. Each node draws its latency, timer lateness and losses from random streams of
its own, seeded by the bus's seed and the node's name, so that no node disturbs another's.

What is simplified: two nodes that send one identifier at the same instant do not destroy each other's
frame, the one attached first wins; a lost frame is lost in the receiver, after the bus acknowledged it.
"""

from collections.abc import Callable
from enum import Enum
from heapq import heappop, heappush
from random import Random
from typing import TypeAlias

import msgspec

from swapproto.errors import LinkUnavailable, LocalProtocolError, SwapError
from swapproto.frame import SECOND, CanFrame, Instant
from swapproto.link import Node
from swapproto.runtime.wire_time import (
    ACK_ERROR,
    INTERMISSION,
    SUSPEND,
    arbitration_key,
    frame_bits,
)

Tap: TypeAlias = Callable[[CanFrame, Instant, str], object]
"""Called with a frame, the instant of its last bit and the sender's name."""

_NEVER: Instant = 1 << 100
_STEPS_AT_ONE_INSTANT = 10_000


class BusState(Enum):
    """Fault confinement of ISO 11898-1."""

    ERROR_ACTIVE = "error-active"
    ERROR_PASSIVE = "error-passive"
    BUS_OFF = "bus-off"


class Lost(msgspec.Struct, frozen=True, gc=False):
    """A frame that one receiver did not get."""

    frame: CanFrame
    at: Instant
    receiver: str


class Livelock(SwapError):
    """Nodes keep asking for time without letting it pass."""

    def __init__(self, nodes: tuple[str, ...], at: Instant, steps: int) -> None:
        super().__init__(
            f"{steps} steps at {at} ns and the clock stands still: next_timeout() of "
            f"{', '.join(nodes)} is not later than the handle_timeout() that should have served it"
        )
        self.nodes = nodes
        self.at = at
        self.steps = steps


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """How a node lives on the bus; times in nanoseconds."""

    latency: int = 0
    jitter: int = 0
    timer_jitter: int = 0
    loss: float = 0.0

    def __post_init__(self) -> None:
        if min(self.latency, self.jitter, self.timer_jitter) < 0:
            raise ValueError("latency and jitter must not be negative")
        if not 0 <= self.loss <= 1:
            raise ValueError(f"loss {self.loss} is no probability")


class Port:
    """One node's place on the bus, made by VirtualBus.attach.

    Name, node, state, tec and wake() are for callers; the rest is the bus's own bookkeeping.
    """

    __slots__ = (
        "armed",
        "attached",
        "bus",
        "conditions",
        "direct",
        "draw_latency",
        "draw_lateness",
        "draw_loss",
        "due",
        "head",
        "last_delivery",
        "name",
        "node",
        "others",
        "tec",
        "wanted",
    )

    def __init__(self, bus: "VirtualBus", node: Node, name: str, conditions: Conditions) -> None:
        self.name = name
        self.node = node
        self.tec = 0
        """Transmit error counter."""
        self.bus = bus
        self.conditions = conditions
        self.attached = True
        self.direct = not (conditions.latency or conditions.jitter or conditions.loss)
        self.draw_latency = Random(f"{bus.seed}/{name}/latency").random
        self.draw_lateness = Random(f"{bus.seed}/{name}/timer").random
        self.draw_loss = Random(f"{bus.seed}/{name}/loss").random
        self.head: CanFrame | None = None
        self.others: tuple[Port, ...] = ()
        self.last_delivery: Instant = 0
        self.wanted: Instant | None = None
        self.due: Instant = _NEVER
        self.armed: Instant = _NEVER

    @property
    def state(self) -> BusState:
        if self.tec < 128:
            return BusState.ERROR_ACTIVE
        return BusState.ERROR_PASSIVE if self.tec < 256 else BusState.BUS_OFF

    def wake(self) -> None:
        """Ask the node again for frames and its timer, after a call to it from a tap or another node.

        Between two runs it needs no waking: every run begins with it.
        """
        self.bus.settle(self)


class VirtualBus:
    """Two or more nodes on one bus; times in nanoseconds, loss as a probability for each receiver.

    A receiver gets a frame latency to latency + jitter after its last bit, in order; timers are served 0 to
    timer_jitter late. A node is asked for its next frame when the one before got through: its own queue is
    the only one.
    """

    def __init__(
        self,
        bitrate: int = 250_000,
        seed: int = 0,
        *,
        latency: int = 0,
        jitter: int = 0,
        timer_jitter: int = 0,
        loss: float = 0.0,
        start: Instant = 0,
    ) -> None:
        if bitrate <= 0 or SECOND % bitrate:
            raise ValueError(f"bit rate {bitrate}: one bit must last a whole number of nanoseconds")
        self.bitrate = bitrate
        self.seed = seed
        self.lost: list[Lost] = []
        """Frames that a receiver missed, in order of time."""
        self._conditions = Conditions(latency=latency, jitter=jitter, timer_jitter=timer_jitter, loss=loss)
        self._bit = SECOND // bitrate
        self._now = start
        self._ports: tuple[Port, ...] = ()
        self._taps: tuple[Tap, ...] = ()
        self._heap: list[tuple[Instant, int, Port, CanFrame | None]] = []
        self._sequence = 0
        self._waiting = 0
        """Ports with a frame for the bus, that of the sender included."""
        self._sender: Port | None = None
        self._acknowledged = True
        self._end: Instant = start
        """Last bit of the frame on the bus, or of the one before."""
        self._free: Instant = start
        self._limit: Instant = start

    @property
    def now(self) -> Instant:
        return self._now

    @property
    def ports(self) -> tuple[Port, ...]:
        return self._ports

    def attach(
        self,
        node: Node,
        name: str,
        *,
        latency: int | None = None,
        jitter: int | None = None,
        timer_jitter: int | None = None,
        loss: float | None = None,
    ) -> Port:
        """Put a node on the bus now; what is not given is as on the bus."""
        if any(port.name == name for port in self._ports):
            raise LinkUnavailable(f"a node named {name!r} is on this bus already: choose another name")
        default = self._conditions
        conditions = Conditions(
            latency=default.latency if latency is None else latency,
            jitter=default.jitter if jitter is None else jitter,
            timer_jitter=default.timer_jitter if timer_jitter is None else timer_jitter,
            loss=default.loss if loss is None else loss,
        )
        port = Port(self, node, name, conditions)
        self._rewire((*self._ports, port))
        self.settle(port)
        return port

    def detach(self, port: Port) -> None:
        """Take a node off the bus, now; a frame that it was sending breaks off. Twice is harmless."""
        if not port.attached:
            return
        port.attached = False
        self._rewire(tuple(other for other in self._ports if other is not port))
        if port.head is not None:
            port.head = None
            self._waiting -= 1
        if self._sender is port:
            self._sender = None
            self._end = self._now
            self._free = self._now + (ACK_ERROR + INTERMISSION) * self._bit

    def tap(self, callback: Tap) -> Callable[[], None]:
        """Call back for every frame that got through, at its last bit; the result ends it."""
        self._taps += (callback,)

        def untap() -> None:
            self._taps = tuple(other for other in self._taps if other is not callback)

        return untap

    def run_until(self, instant: Instant) -> None:
        """Serve all that is due up to and at the instant; a frame that would start there waits."""
        self.run(None, limit=instant)

    def run(self, until: Callable[[], bool] | None, *, limit: Instant) -> bool:
        """Run until the predicate holds, which is asked after every event; False at the limit.

        A limit in the past lets no time pass. Livelock if the clock stands still for many steps.
        """
        for port in self._ports:
            self.settle(port)
        self._limit = limit = max(limit, self._now)
        steps = 0
        while until is None or not until():
            before = self._now
            if not self._step(limit):
                self._now = limit
                return False
            if self._now != before:
                steps = 0
            else:
                steps += 1
                if steps > _STEPS_AT_ONE_INSTANT:
                    raise Livelock(self._culprits(), before, steps)
        return True

    def next_event(self) -> Instant:
        """The instant up to which run_until() must go for anything to happen; far away where nothing will.

        It counts what the nodes wanted when they were last asked: by any run, or by Port.wake().
        """
        at = self._heap[0][0] if self._heap else _NEVER
        if self._sender is not None:
            return min(at, self._end)
        # A frame that would start at the end of a run waits, so its start takes one more nanosecond.
        return min(at, max(self._now, self._free) + 1) if self._waiting else at

    def _step(self, limit: Instant) -> bool:
        """Serve the next event; False where none is left up to the limit.

        At one instant a frame ends first, then nodes are served, then the next frame starts, so that
        whoever has something to send at the instant takes part in the arbitration.
        """
        heap = self._heap
        at = heap[0][0] if heap else _NEVER
        sender = self._sender
        if sender is not None:
            if self._end <= at:
                if self._end > limit:
                    return False
                self._now = self._end
                self._finish(sender)
                return True
        elif self._waiting:
            start = max(self._now, self._free)
            if start < at:
                if start >= limit:
                    return False
                self._now = start
                self._start()
                return True
        if at > limit:
            return False
        self._serve()
        return True

    def _start(self) -> None:
        """Arbitrate, and put the winner's frame on the bus."""
        winner: Port | None = None
        lowest = _NEVER
        frame: CanFrame | None = None
        for port in self._ports:
            if port.head is not None:
                key = arbitration_key(port.head) if self._waiting > 1 else 0
                if key < lowest:
                    winner, frame, lowest = port, port.head, key
        if winner is None or frame is None:  # pragma: no cover - _waiting counts the heads
            raise AssertionError("no node has the frame that was counted")
        try:
            bits = frame_bits(frame)
        except LocalProtocolError as error:
            error.add_note(f"sent by node {winner.name!r}")
            raise
        self._sender = winner
        self._acknowledged = len(self._ports) > 1
        if self._acknowledged:
            self._end = self._now + bits * self._bit
        else:
            self._end = self._start_alone(winner, bits)

    def _start_alone(self, sender: Port, bits: int) -> Instant:
        """When the error frame ends that follows the recessive ACK slot, eight bits before the end of EOF."""
        attempt = (bits - 8 + ACK_ERROR) * self._bit
        if sender.tec > 127:
            # Repetitions are alike now: leave out those that end before anything else happens.
            period = attempt + (INTERMISSION + SUSPEND) * self._bit
            horizon = min(self._heap[0][0] if self._heap else _NEVER, self._limit)
            self._now += (horizon - self._now - 1) // period * period
        return self._now + attempt

    def _finish(self, sender: Port) -> None:
        """The last bit of a frame: hand it to everybody, or begin again if nobody was there."""
        now, frame = self._now, sender.head
        if frame is None:  # pragma: no cover - the sender keeps its frame until here
            raise AssertionError("the sender lost its frame")
        self._sender = None
        self._free = now + INTERMISSION * self._bit
        if not self._acknowledged:
            self._repeat(sender)
            return
        if sender.tec:
            sender.tec -= 1
        sender.head = None
        self._waiting -= 1
        for callback in self._taps:
            callback(frame, now, sender.name)
        others = sender.others
        self.settle(sender)
        for port in others:
            if port.direct:
                if port.attached:
                    port.node.receive(frame, now)
                    self.settle(port)
            else:
                self._post(port, frame)

    def _repeat(self, sender: Port) -> None:
        """An error in the ACK slot adds 8, but a passive node that hears no one else gets no worse."""
        sender.tec = min(sender.tec + 8, 128)
        if sender.tec > 127:
            self._free += SUSPEND * self._bit

    def _post(self, port: Port, frame: CanFrame) -> None:
        """Lose a frame, or let it reach a slow receiver later."""
        now, conditions = self._now, port.conditions
        if conditions.loss and port.draw_loss() < conditions.loss:
            self.lost.append(Lost(frame, now, port.name))
            return
        at = now + conditions.latency
        if conditions.jitter:
            at += int(port.draw_latency() * (conditions.jitter + 1))
        at = max(at, port.last_delivery)
        port.last_delivery = at
        self._sequence += 1
        heappush(self._heap, (at, self._sequence, port, frame))

    def _serve(self) -> None:
        """The next delivery or timer."""
        at, _, port, frame = heappop(self._heap)
        self._now = at
        if not port.attached:
            return
        if frame is not None:
            port.node.receive(frame, at)
        elif at != port.armed:
            return
        else:
            port.armed = _NEVER
            if port.due <= at:
                port.wanted, port.due = None, _NEVER
                port.node.handle_timeout(at)
        self.settle(port)

    def settle(self, port: Port) -> None:
        """After any call to a node: take its frame if there is room, and set its timer."""
        if not port.attached:
            return
        node = port.node
        if port.head is None:
            frame = node.poll_transmit()
            if frame is not None:
                port.head = frame
                self._waiting += 1
        wanted = node.next_timeout()
        if wanted != port.wanted:
            port.wanted = wanted
            if wanted is None:
                port.due = _NEVER
                return
            due = max(self._now, wanted)
            jitter = port.conditions.timer_jitter
            if jitter:
                due += int(port.draw_lateness() * (jitter + 1))
            port.due = due
        # An entry that comes too early re-arms itself, so that a timer that is put off costs nothing.
        if port.due < port.armed:
            port.armed = port.due
            self._sequence += 1
            heappush(self._heap, (port.due, self._sequence, port, None))

    def _rewire(self, ports: tuple[Port, ...]) -> None:
        self._ports = ports
        for port in ports:
            port.others = tuple(other for other in ports if other is not port)

    def _culprits(self) -> tuple[str, ...]:
        return tuple(port.name for port in self._ports if port.due <= self._now)
