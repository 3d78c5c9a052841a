"""`faults:URL?drop=0.01&delay=5ms&seed=3`: a link that does to its frames what was asked for.

    plan = (Fault(FaultKind.DROP, probability=0.01), Fault(FaultKind.STALL, at=(30 * SECOND,), time=SECOND))
    link = FaultLink(open_link("virtual:bench"), plan, seed=3)

Each fault draws from a random stream of its own in each direction, once for each frame that it may hit, so
that a fault more or less leaves the others as they were; on a virtual link the same seed gives the same run.
Frames that wait go on in receive() and send(), for the link has no thread.
"""

from collections import Counter, deque
from collections.abc import Mapping
from enum import Flag, StrEnum
from heapq import heappop, heappush
from itertools import count
from random import Random

import msgspec

from swapproto.errors import LinkClosed, LinkError, LinkUnavailable
from swapproto.frame import MAX_EXTENDED_ID, MILLISECOND, CanFrame, Instant, Received, check_frame
from swapproto.link import MAX_LINK_EVENTS, Link, LinkCaps, LinkEvent, LinkEventKind
from swapproto.plugins import open_link as open_any
from swapproto_drivers._options import integer
from swapproto_drivers._quantities import parse_duration

MAX_WAITING = 1 << 16
"""Frames that wait in one direction; later ones are lost and told."""
KEPT_RECORDS = 1 << 16
"""Records of injected faults; the oldest go first, and all are counted."""
REORDER_WITHIN = 100 * MILLISECOND
"""A frame that shall go behind the next one waits this long for one, unless the fault says otherwise."""


class FaultKind(StrEnum):
    """What can be done to a frame, or to all of them for a time."""

    DROP = "drop"
    DUPLICATE = "duplicate"
    CORRUPT = "corrupt"
    CORRUPT_ID = "corrupt_id"
    DELAY = "delay"
    REORDER = "reorder"
    STALL = "stall"
    BUS_OFF = "bus_off"


_LASTING = (FaultKind.STALL, FaultKind.BUS_OFF)


class Direction(Flag):
    """Which frames of the wrapped link."""

    SENT = 1
    RECEIVED = 2
    BOTH = SENT | RECEIVED


class Fault(msgspec.Struct, frozen=True):
    """When and to which frames a fault happens.

    With ``probability`` for each frame of the direction and the identifiers (all where there are none); with
    ``at`` to the first such frame at or after each instant, counted from the opening of the link. A stall or
    a bus-off begins at the instant itself, or with the frame that was drawn, and concerns all frames; a
    bus-off those of both directions. ``time`` is how long a frame is delayed (the order is kept) or waits to
    be overtaken, or for how long nothing passes.
    """

    kind: FaultKind
    probability: float = 0.0
    at: tuple[int, ...] = ()
    time: int = 0
    direction: Direction = Direction.BOTH
    ids: frozenset[int] = frozenset()
    bits: int = 1
    """How many bits a corruption flips."""

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise ValueError(f"{self.kind.value}: {self.probability} is no probability")
        if self.time < 0 or any(at < 0 for at in self.at) or self.bits < 1:
            raise ValueError(f"{self.kind.value}: times are not negative, and one bit is the least")
        if not self.time and self.kind in (*_LASTING, FaultKind.DELAY):
            raise ValueError(f"{self.kind.value}: give the time that it takes")


class Injected(msgspec.Struct, frozen=True, gc=False):
    """A fault that happened; no frame where it began at an instant of its own."""

    at: Instant
    kind: FaultKind
    direction: Direction
    frame: CanFrame | None
    became: CanFrame | None = None
    """The frame with its flipped bits."""


class _Armed:
    """A fault in one direction, with its random stream and what it still has to do."""

    def __init__(self, fault: Fault, direction: Direction, opened: Instant, stream: str) -> None:
        self.fault = fault
        self.random = Random(stream)
        # A bus has one state, so that of the two directions one begins it.
        once = fault.kind is FaultKind.BUS_OFF and fault.direction is Direction.BOTH
        times = () if once and direction is Direction.RECEIVED else fault.at
        self._times = deque(sorted(opened + at for at in times))

    def hits(self, frame: CanFrame, at: Instant) -> bool:
        fault = self.fault
        if fault.ids and frame.id not in fault.ids:
            return False
        drawn = bool(fault.probability) and self.random.random() < fault.probability
        if fault.kind in _LASTING or not self._times or self._times[0] > at:
            return drawn
        while self._times and self._times[0] <= at:
            self._times.popleft()
        return True

    def begun(self, now: Instant) -> Instant | None:
        """The instant at which a lasting fault has begun by itself, if it has."""
        return self._times.popleft() if self._times and self._times[0] <= now else None

    def flipped(self, frame: CanFrame) -> CanFrame:
        """The frame with other bits; as it was where there are none to flip."""
        if self.fault.kind is FaultKind.CORRUPT_ID:
            width = 29 if frame.extended else 11
            return msgspec.structs.replace(frame, id=frame.id ^ self._mask(width))
        if not frame.data:
            return frame
        length = len(frame.data)
        data = int.from_bytes(frame.data) ^ self._mask(8 * length)
        return msgspec.structs.replace(frame, data=data.to_bytes(length))

    def _mask(self, width: int) -> int:
        return sum(1 << bit for bit in self.random.sample(range(width), min(self.fault.bits, width)))


class _Lane:
    """The frames of one direction on their way, in the order of the instants at which they go on."""

    def __init__(self, direction: Direction, plan: tuple[Fault, ...], opened: Instant, seed: int) -> None:
        self.direction = direction
        nth = Counter[FaultKind]()
        self.armed: list[_Armed] = []
        for fault in plan:
            stream = f"{seed}/{fault.kind.value}/{nth[fault.kind]}/{direction.name}"
            nth[fault.kind] += 1
            if direction in fault.direction:
                self.armed.append(_Armed(fault, direction, opened, stream))
        self._waiting: list[tuple[Instant, int, CanFrame]] = []
        self._numbers = count()
        self._last: Instant = opened
        self._passed: Instant = opened
        self._stall: tuple[Instant, Instant] = opened, opened
        self._overtaken: list[tuple[Instant, CanFrame]] = []

    def put(self, frame: CanFrame, due: Instant) -> bool:
        """Let a frame go on at an instant, those before it earlier; False where there is no room."""
        if len(self._waiting) >= MAX_WAITING:
            return False
        self._last = max(self._last, due)
        heappush(self._waiting, (self._last, next(self._numbers), frame))
        for _, overtaken in self._overtaken:
            heappush(self._waiting, (self._last, next(self._numbers), overtaken))
        self._overtaken.clear()
        return True

    @property
    def holds(self) -> bool:
        return bool(self._overtaken)

    def hold(self, frame: CanFrame, until: Instant) -> None:
        """Let the frame go on behind the next one, or at the instant."""
        self._overtaken.append((until, frame))

    def stall(self, at: Instant, until: Instant) -> None:
        """Let nothing go on between two instants."""
        begun, ends = self._stall
        self._stall = (begun, max(ends, until)) if begun <= at <= ends else (at, until)

    def pop(self, now: Instant) -> tuple[CanFrame, Instant] | None:
        """The next frame whose instant has come."""
        if self._overtaken and self._overtaken[0][0] <= now:
            (until, frame), *self._overtaken = self._overtaken
            self._last = max(self._last, until)
            heappush(self._waiting, (self._last, next(self._numbers), frame))
        if self._waiting and self._after_stall(self._waiting[0][0]) <= now:
            due, _, frame = heappop(self._waiting)
            self._passed = max(self._passed, self._after_stall(due))
            return frame, self._passed
        return None

    def next(self) -> Instant | None:
        """When pop() has something."""
        wanted = [each[0][0] for each in (self._waiting, self._overtaken) if each]
        return self._after_stall(min(wanted)) if wanted else None

    def clear(self) -> int:
        """Lose what waits, and say how many frames that were."""
        lost = len(self._waiting) + len(self._overtaken)
        self._waiting.clear()
        self._overtaken.clear()
        return lost

    def _after_stall(self, at: Instant) -> Instant:
        begun, ends = self._stall
        return ends if begun <= at < ends else at


class FaultLink:
    """Wraps a link and closes it. An injected fault is recorded, and told as an event of kind INJECTED."""

    def __init__(self, link: Link, plan: tuple[Fault, ...] = (), *, seed: int = 0) -> None:
        self.records: deque[Injected] = deque(maxlen=KEPT_RECORDS)
        self.counts: Counter[FaultKind] = Counter()
        """Injected faults by kind."""
        self.lost = 0
        """Frames that a bus-off or a full queue took."""
        self._link = link
        opened = link.now()
        self._out = _Lane(Direction.SENT, plan, opened, seed)
        self._in = _Lane(Direction.RECEIVED, plan, opened, seed)
        self._scheduled = [
            (lane, armed)
            for lane in (self._out, self._in)
            for armed in lane.armed
            if armed.fault.at and armed.fault.kind in _LASTING
        ]
        self._off_until: Instant | None = None
        self._events: deque[LinkEvent] = deque(maxlen=MAX_LINK_EVENTS)
        self._closed = False

    @property
    def caps(self) -> LinkCaps:
        return self._link.caps

    @property
    def bus_off(self) -> bool:
        return self._off_until is not None

    def now(self) -> Instant:
        return self._link.now()

    def send(self, frame: CanFrame, *, deadline: Instant) -> None:
        """In bus-off it waits for the end of it, as the port would: LinkError if the deadline is earlier."""
        self._check_open()
        check_frame(frame)
        self._advance()
        while self._off_until is not None:
            self._listen(min(deadline, self._off_until))
            if self.now() >= deadline and self.bus_off:
                raise LinkError(f"{self.caps.name}: bus off; it took no frame by the deadline")
        if not self._take(self._out, frame, self.now()):
            raise LinkError(f"{self.caps.name}: stalled, and {MAX_WAITING} frames wait")
        self._advance(deadline)

    def receive(self, *, deadline: Instant) -> Received | None:
        self._check_open()
        while True:
            self._advance()
            now = self.now()
            if (arrived := self._in.pop(now)) is not None:
                return Received(*arrived)
            if not self._listen(deadline) and self.now() >= deadline:
                self._advance()
                arrived = self._in.pop(self.now())
                return None if arrived is None else Received(*arrived)

    def poll_event(self) -> LinkEvent | None:
        if not self._closed:
            self._take_events()
        return self._events.popleft() if self._events else None

    def close(self) -> None:
        self._closed = True
        self._link.close()

    def _listen(self, deadline: Instant) -> bool:
        """Let time pass up to the deadline or to what is due earlier; whether a frame came."""
        wanted = (deadline, self._in.next(), self._out.next(), self._off_until)
        received = self._link.receive(deadline=min(at for at in wanted if at is not None))
        self._take_events()
        self._advance()
        if received is None:
            return False
        if self._off_until is not None:
            self.lost += 1
        elif not self._take(self._in, received.frame, received.at):
            self._lose(received.at, "the fault's queue is full")
        return True

    def _take(self, lane: _Lane, frame: CanFrame, at: Instant) -> bool:
        """Do to a frame what befalls it; False where the lane is full."""
        hits = [armed for armed in lane.armed if armed.hits(frame, at)]
        for armed in hits:
            if armed.fault.kind in _LASTING:
                self._begin(armed.fault, lane, at, frame)
        if self._off_until is not None:
            self.lost += 1
            return True
        if any(armed.fault.kind is FaultKind.DROP for armed in hits):
            self._record(Injected(at, FaultKind.DROP, lane.direction, frame))
            return True
        due, held_until, copies = at, None, 1
        for armed in hits:
            fault, became = armed.fault, None
            match fault.kind:
                case FaultKind.DUPLICATE:
                    copies += 1
                case FaultKind.CORRUPT | FaultKind.CORRUPT_ID if (became := armed.flipped(frame)) != frame:
                    pass
                case FaultKind.DELAY:
                    due += fault.time
                case FaultKind.REORDER if not lane.holds:
                    held_until = due + (fault.time or REORDER_WITHIN)
                case _:
                    continue
            self._record(Injected(at, fault.kind, lane.direction, frame, became))
            frame = frame if became is None else became
        if held_until is None:
            return all(lane.put(frame, due) for _ in range(copies))
        for _ in range(copies):
            lane.hold(frame, held_until)
        return True

    def _advance(self, deadline: Instant | None = None) -> None:
        """Begin and end what is due, and send what has waited long enough."""
        now = self.now()
        for lane, armed in self._scheduled:
            while (at := armed.begun(now)) is not None:
                self._begin(armed.fault, lane, at, None)
        if self._off_until is not None:
            if self._off_until > now:
                return
            self._tell(LinkEventKind.ERROR_ACTIVE, self._off_until, "the bus-off that was asked for is over")
            self._off_until = None
        while (ready := self._out.pop(now)) is not None:
            try:
                self._link.send(ready[0], deadline=now if deadline is None else deadline)
            except LinkClosed:
                raise
            except LinkError as error:
                if deadline is not None:
                    raise
                self._lose(now, str(error))

    def _begin(self, fault: Fault, lane: _Lane, at: Instant, frame: CanFrame | None) -> None:
        until = at + fault.time
        self._record(Injected(at, fault.kind, lane.direction, frame))
        if fault.kind is FaultKind.STALL:
            lane.stall(at, until)
            return
        self.lost += self._in.clear() + self._out.clear()
        if self._off_until is None:
            self._tell(LinkEventKind.BUS_OFF, at, "asked for")
        self._off_until = max(until, self._off_until or 0)

    def _record(self, injected: Injected) -> None:
        self.records.append(injected)
        self.counts[injected.kind] += 1
        frame = "" if injected.frame is None else f" {injected.frame}"
        became = "" if injected.became is None else f" -> {injected.became}"
        side = "sent" if injected.direction is Direction.SENT else "received"
        self._tell(LinkEventKind.INJECTED, injected.at, f"{injected.kind.value}, {side}{frame}{became}")

    def _lose(self, at: Instant, why: str) -> None:
        self.lost += 1
        self._tell(LinkEventKind.DROPPED, at, why)

    def _tell(self, kind: LinkEventKind, at: Instant, text: str) -> None:
        self._events.append(LinkEvent(kind, at, text))

    def _take_events(self) -> None:
        while (event := self._link.poll_event()) is not None:
            self._events.append(event)

    def _check_open(self) -> None:
        if self._closed:
            raise LinkClosed(f"{self.caps.name}: this link was closed")


def parse_plan(options: Mapping[str, str]) -> tuple[Fault, ...]:
    """The faults that options name, as in drop=0.01, delay=5ms, delay=5ms*0.1, stall=2s@30s,60s, drop=@3s.

    ``direction`` (sent or received), ``ids`` (hexadecimal) and ``bits`` hold for all. ValueError tells what
    is wrong.
    """
    sides = {"sent": Direction.SENT, "received": Direction.RECEIVED, "both": Direction.BOTH}
    side = options.get("direction", "both")
    if side not in sides:
        raise ValueError(f"direction={side} must be {', '.join(sides)}")
    ids = (
        frozenset(_identifier(each) for each in options["ids"].split(","))
        if "ids" in options
        else frozenset[int]()
    )
    bits = int(options.get("bits", "1"))
    return tuple(
        _parse_fault(kind, options[kind.value], sides[side], ids, bits)
        for kind in FaultKind
        if kind.value in options
    )


def _parse_fault(kind: FaultKind, text: str, direction: Direction, ids: frozenset[int], bits: int) -> Fault:
    head, when, times = text.partition("@")
    probability: float | None = None
    time = 0
    for part in filter(None, head.split("*")):
        try:
            probability = float(part)
        except ValueError:
            time = parse_duration(part)
    at = tuple(parse_duration(each) for each in times.split(",")) if when else ()
    if probability is None and not at:
        if kind is not FaultKind.DELAY:
            raise ValueError(
                f"{kind.value}={text}: say how often or when, as in 0.01, 2s*0.001, 2s@30s,60s or @3s"
            )
        probability = 1.0
    return Fault(kind, probability or 0.0, at, time, direction, ids, bits)


def _identifier(text: str) -> int:
    can_id = int(text, 16)
    if not 0 <= can_id <= MAX_EXTENDED_ID:
        raise ValueError(f"ids: {text} is no identifier of 29 bits")
    return can_id


_OPTIONS = {"seed", "direction", "ids", "bits", *(kind.value for kind in FaultKind)}


def open_link(rest: str, options: Mapping[str, str]) -> FaultLink:
    """Open `faults:URL`; the options are those of parse_plan and seed, all others the URL's own."""
    link = f"faults:{rest}"
    seed = integer(link, options, "seed", 0)
    try:
        plan = parse_plan(options)
    except ValueError as error:
        raise LinkUnavailable(f"{link}: {error}") from None
    inner = {name: text for name, text in options.items() if name not in _OPTIONS}
    return FaultLink(open_any(rest, **inner), plan, seed=seed)
