"""Several virtual buses, and what stands beside them, in one virtual time.

Usage::

    buses = Buses()
    truck = buses.add_bus("truck", VirtualBus(seed=1))
    buses.add(hoist, "hoist")
    buses.tap(lambda channel, frame, at, sender: ...)
    buses.run(lambda: hoist.done, limit=600 * SECOND)

Event by event, the earliest first; at one instant the buses in the order in which they were added, then
the others in theirs. So frames come in order of time over all buses, and the same seeds give the same run.

A node reaches what stands beside the buses by changing when that wants its turn, which is seen at once;
nodes of another bus it reaches through that alone, for all nodes are asked again after such a turn.
"""

from collections.abc import Callable
from functools import partial
from typing import Protocol, TypeAlias, TypeVar

from swapproto.errors import LinkUnavailable
from swapproto.frame import CanFrame, Instant
from swapproto.runtime.virtual import Livelock, VirtualBus

ChannelTap: TypeAlias = Callable[[str, CanFrame, Instant, str], object]
"""Called with the bus's name, a frame, the instant of its last bit and the sender's name."""

_NEVER: Instant = 1 << 100
_STEPS_AT_ONE_INSTANT = 10_000


class Timed(Protocol):
    """What has deadlines but no place on a bus: a plant, a machine between two buses."""

    def handle_timeout(self, now: Instant) -> None:
        """Do what is due; a call before next_timeout() is harmless."""
        ...

    def next_timeout(self) -> Instant | None:
        """When handle_timeout() is wanted next; may become earlier by anything that happens."""
        ...


T = TypeVar("T", bound=Timed)


class Buses:
    """Runs them all; the buses are run by nobody else meanwhile."""

    def __init__(self, start: Instant = 0) -> None:
        self._now = start
        self._buses: dict[str, VirtualBus] = {}
        self._timed: dict[str, Timed] = {}
        self._taps: dict[ChannelTap, list[Callable[[], None]]] = {}
        self._due: Instant = _NEVER

    @property
    def now(self) -> Instant:
        return self._now

    def __getitem__(self, name: str) -> VirtualBus:
        return self._buses[name]

    @property
    def names(self) -> tuple[str, ...]:
        """Of the buses."""
        return tuple(self._buses)

    def add_bus(self, name: str, bus: VirtualBus) -> VirtualBus:
        """The bus takes part from now on; its clock must not be ahead."""
        self._check(name)
        if bus.now > self._now:
            raise LinkUnavailable(f"bus {name!r} is at {bus.now} ns already, and it is {self._now} ns here")
        self._buses[name] = bus
        for callback, untaps in self._taps.items():
            untaps.append(bus.tap(partial(callback, name)))
        return bus

    def add(self, timed: T, name: str) -> T:
        self._check(name)
        self._timed[name] = timed
        return timed

    def tap(self, callback: ChannelTap) -> Callable[[], None]:
        """Call back for every frame on every bus, those to come included; the result ends it."""
        untaps = self._taps[callback] = [
            bus.tap(partial(callback, name)) for name, bus in self._buses.items()
        ]

        def untap() -> None:
            self._taps.pop(callback, None)
            for each in untaps:
                each()

        return untap

    def run_until(self, instant: Instant) -> None:
        """Serve all that is due up to and at the instant."""
        self.run(None, limit=instant)

    def run(self, until: Callable[[], bool] | None, *, limit: Instant) -> bool:
        """Run until the predicate holds, which is asked after every event; False at the limit.

        A limit in the past lets no time pass. Livelock if the clock stands still for many steps.
        """
        limit = max(limit, self._now)
        steps = 0
        while until is None or not until():
            before = self._now
            if not self._step(until, limit):
                return False
            steps = 0 if self._now != before else steps + 1
            if steps > _STEPS_AT_ONE_INSTANT:
                raise Livelock(self._culprits(), before, steps)
        return True

    def _step(self, until: Callable[[], bool] | None, limit: Instant) -> bool:
        """Let the earliest go on until it is another's turn; False where nothing is left up to the limit."""
        first: VirtualBus | None = None
        at = after = _NEVER
        for bus in self._buses.values():
            # Nothing is left behind: this brings the clock up to now, and asks the nodes again.
            bus.run_until(self._now)
            event = bus.next_event()
            if event < at:
                first, at, after = bus, event, at
            elif event < after:
                after = event
        due = self._timed_due()
        if first is not None and at <= min(due, limit):
            self._due = horizon = min(due, after, limit)
            first.run(
                self._disturbed if until is None else lambda: until() or self._disturbed(), limit=horizon
            )
            self._now = first.now
            return True
        self._now = min(due, limit)
        for bus in self._buses.values():
            bus.run_until(self._now)
        if due > limit:
            return False
        for timed in self._timed.values():
            wanted = timed.next_timeout()
            if wanted is not None and wanted <= self._now:
                timed.handle_timeout(self._now)
        return True

    def _timed_due(self) -> Instant:
        soonest = _NEVER
        for timed in self._timed.values():
            wanted = timed.next_timeout()
            if wanted is not None and wanted < soonest:
                soonest = wanted
        return max(soonest, self._now)

    def _disturbed(self) -> bool:
        """Whether a node made something beside the buses want to act before the end of this stretch."""
        return self._timed_due() < self._due

    def _culprits(self) -> tuple[str, ...]:
        late = [name for name, bus in self._buses.items() if bus.next_event() <= self._now]
        for name, timed in self._timed.items():
            wanted = timed.next_timeout()
            if wanted is not None and wanted <= self._now:
                late.append(name)
        return tuple(late)

    def _check(self, name: str) -> None:
        if name in self._buses or name in self._timed:
            raise LinkUnavailable(f"there is something named {name!r} already: choose another name")
