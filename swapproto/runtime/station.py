"""Many buses and roles in one process: a thread for each link, and locks for what belongs together.

Usage::

    with StationRunner() as station:
        for bay in bays:
            station.add(bay.charger, open_link(bay.url), bay.name)
        station.add(plc, open_link("serial:/dev/ttyS1"), "plc", group="swap")
        station.add(controller, open_link("can:socketcan:can7"), "truck", group="swap")
        station.add_timed(orchestrator, "orchestrator", group="swap")
        ends = station.run(lambda: orchestrator.done)

All that is of one group is served by one thread at a time, under the group's lock; what is in no group is
alone. What one member of a group wants of another is seen within ``reaction``, a member's own timers and
frames at once. A lane whose link fails ends alone: its node is told, it is reported, and the others go on.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from threading import RLock
from types import TracebackType
from typing import Self

from swapproto.errors import LinkUnavailable
from swapproto.frame import MILLISECOND, SECOND
from swapproto.link import Link, Node
from swapproto.runtime._lanes import House, Lane, LaneEnd, LaneEvents, LaneTap, LinkLane, TimedLane
from swapproto.runtime.buses import Timed

__all__ = ["LaneEnd", "LaneEvents", "LaneTap", "StationRunner"]

REACTION = 10 * MILLISECOND
STOP_WITHIN = 2 * SECOND
_ASK = SECOND // 20
"""Between two questions to the predicate of run()."""


class StationRunner:
    """Serves nodes from when they are added, and closes their links at the end.

    ``tap`` and ``events`` are called by one thread at a time, and must not call the runner. ``realtime``
    asks for SCHED_FIFO for every lane.
    """

    def __init__(
        self,
        *,
        tap: LaneTap | None = None,
        events: LaneEvents | None = None,
        reaction: int = REACTION,
        send_within: int = 100 * MILLISECOND,
        realtime: bool = False,
    ) -> None:
        self._house = House(
            tap=tap, events=events, reaction=reaction, send_within=send_within, realtime=realtime
        )
        self._groups: dict[str, RLock] = {}
        self._lanes: dict[str, Lane] = {}

    def add(self, node: Node, link: Link, name: str, *, group: str | None = None) -> None:
        """Serve a node on a link from now on; the link is the runner's."""
        self._begin(LinkLane(self._house, name, self._lock(name, group), node, link))

    def add_timed(self, timed: Timed, name: str, *, group: str | None = None) -> None:
        """Serve what has no link, by the monotonic clock; the links of its group must have that clock too."""
        self._begin(TimedLane(self._house, name, self._lock(name, group), timed))

    def holding(self, name: str) -> AbstractContextManager[object]:
        """While held, nobody serves the group of this name, or the node outside every group."""
        try:
            return self._groups[name]
        except KeyError:
            known = ", ".join(self._groups) or "none"
            raise LinkUnavailable(f"no group and no lone lane {name!r} here; there are: {known}") from None

    @property
    def ends(self) -> Mapping[str, LaneEnd]:
        """The lanes that have ended."""
        with self._house.changed:
            return {name: lane.end for name, lane in self._lanes.items() if lane.end is not None}

    def run(
        self, until: Callable[[], bool] | None = None, *, duration: int | None = None
    ) -> Mapping[str, LaneEnd]:
        """Wait until the predicate holds, the duration is over or all lanes have ended; then stop().

        The predicate is asked while nothing is served.
        """
        limit = None if duration is None else time.monotonic_ns() + duration
        try:
            while not (self._house.stopping.is_set() or self._all_ended()):
                left = _ASK if limit is None else min(_ASK, limit - time.monotonic_ns())
                if left <= 0 or (until is not None and self._holds(until)):
                    break
                with self._house.changed:
                    self._house.changed.wait(left / SECOND)
        finally:
            ends = self.stop()
        return ends

    def stop(self, within: int = STOP_WITHIN) -> Mapping[str, LaneEnd]:
        """End every lane and close its link, within so many ns; what a node raised is raised here, once."""
        house = self._house
        house.stopping.set()
        deadline = time.monotonic_ns() + within
        for lane in self._lanes.values():
            lane.thread.join(max(0, deadline - time.monotonic_ns()) / SECOND)
        with house.changed:
            for lane in self._lanes.values():
                if lane.end is None:
                    lane.end = LaneEnd(name=lane.name, blocked=True)
            fault, house.fault = house.fault, None
        if fault is not None:
            raise fault
        return self.ends

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _lock(self, name: str, group: str | None) -> RLock:
        key = name if group is None else group
        if self._house.stopping.is_set():
            raise LinkUnavailable(f"{name!r}: this station was stopped: make another")
        if name in self._lanes or key in self._lanes or (group is None and key in self._groups):
            raise LinkUnavailable(f"{name!r} in {key!r}: a lane or a group is named so: choose another name")
        return self._groups.setdefault(key, RLock())

    def _begin(self, lane: Lane) -> None:
        self._lanes[lane.name] = lane
        lane.thread.start()

    def _all_ended(self) -> bool:
        with self._house.changed:
            return all(lane.end is not None for lane in self._lanes.values())

    def _holds(self, until: Callable[[], bool]) -> bool:
        with ExitStack() as stack:
            for lock in self._groups.values():
                stack.enter_context(lock)
            return until()
