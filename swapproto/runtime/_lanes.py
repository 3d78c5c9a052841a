"""The threads of a station: each owns one link, and serves its node under the lock of its group."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from threading import Condition, Event, Lock, RLock, Thread
from typing import TypeAlias

import msgspec

from swapproto.errors import LinkError
from swapproto.frame import SECOND, CanFrame, Instant
from swapproto.link import Link, LinkEvent, LinkEventKind, Node
from swapproto.runtime._serving import EventTap, FrameTap, Serving
from swapproto.runtime.buses import Timed
from swapproto.runtime.lateness import Lateness, LatenessMeter
from swapproto.runtime.scheduling import ask_for_realtime

LaneTap: TypeAlias = Callable[[str, CanFrame, Instant, bool], object]
"""Called with the lane's name, a frame, its instant, and whether it is the node's own."""
LaneEvents: TypeAlias = Callable[[str, LinkEvent], object]


class LaneEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How a lane ended."""

    name: str
    error: LinkError | None = None
    """Why its link failed, None where the lane was stopped."""
    blocked: bool = False
    """Whether a call did not return in time; the thread is left, and closes the link when it does return."""
    lateness: Lateness = Lateness()
    scheduling: str = ""
    """Why its thread is not in the real-time class, where that was asked for."""


class House:
    """What all lanes of a station share."""

    def __init__(
        self,
        *,
        tap: LaneTap | None,
        events: LaneEvents | None,
        reaction: int,
        send_within: int,
        realtime: bool,
    ) -> None:
        self.reaction = reaction
        self.send_within = send_within
        self.realtime = realtime
        self.stopping = Event()
        self.changed = Condition()
        """Guards the ends of lanes and the fault."""
        self.fault: Exception | None = None
        """The first error that is none of a link: a node's own."""
        self._tap = tap
        self._events = events
        self._telling = Lock()

    def tap(self, name: str) -> FrameTap | None:
        call = self._tap
        if call is None:
            return None

        def tap(frame: CanFrame, at: Instant, own: bool) -> None:
            with self._telling:
                call(name, frame, at, own)

        return tap

    def events(self, name: str) -> EventTap | None:
        call = self._events
        if call is None:
            return None

        def tell(event: LinkEvent) -> None:
            with self._telling:
                call(name, event)

        return tell


class Lane(ABC):
    """A thread that serves one member of a group."""

    def __init__(self, house: House, name: str, lock: RLock, meter: LatenessMeter) -> None:
        self.name = name
        self.end: LaneEnd | None = None
        # A driver that never returns must not keep the process.
        self.thread = Thread(target=self._run, name=f"lane {name}", daemon=True)
        self._house = house
        self._lock = lock
        self._meter = meter

    @abstractmethod
    def _serve(self) -> None:
        """Until the house stops, or something fails."""

    def _run(self) -> None:
        house = self._house
        error: LinkError | None = None
        fault: Exception | None = None
        scheduling = ask_for_realtime() if house.realtime else ""
        try:
            self._serve()
        except LinkError as failed:
            error = failed
        except Exception as failed:  # noqa: BLE001  (raised where the station is stopped)
            fault = failed
        lateness = self._meter.lateness()
        with house.changed:
            self.end = LaneEnd(name=self.name, error=error, lateness=lateness, scheduling=scheduling)
            if fault is not None:
                house.fault = house.fault or fault
                house.stopping.set()
            house.changed.notify_all()


class LinkLane(Lane):
    """A node on a link; nothing that may wait is done under the lock."""

    def __init__(self, house: House, name: str, lock: RLock, node: Node, link: Link) -> None:
        self._node = node
        self._link = link
        self._serving = Serving(node, link.now(), house.tap(name), house.events(name))
        super().__init__(house, name, lock, self._serving.meter)

    def _serve(self) -> None:
        link = self._link
        try:
            while not self._house.stopping.is_set():
                self._turn()
        except LinkError as error:
            with self._lock:
                self._tell()
                self._serving.tell(LinkEvent(LinkEventKind.CLOSED, link.now(), str(error)))
            raise
        finally:
            # What a driver says of closing what is lost changes nothing.
            with suppress(LinkError):
                link.close()

    def _turn(self) -> None:
        node, link, house = self._node, self._link, self._house
        while True:
            with self._lock:
                frame = node.poll_transmit()
                due = node.next_timeout() if frame is None else None
            at = link.now()
            if frame is None:
                break
            link.send(frame, deadline=at + house.send_within)
            self._serving.sent(frame, at)
        deadline = at + house.reaction
        received = link.receive(deadline=deadline if due is None else min(due, deadline))
        with self._lock:
            self._tell()
            # Another member of the group may have changed what is due meanwhile.
            self._serving.take(received, node.next_timeout(), link.now)

    def _tell(self) -> None:
        while (event := self._link.poll_event()) is not None:
            self._serving.tell(event)


class TimedLane(Lane):
    """What has no link, by the monotonic clock."""

    def __init__(self, house: House, name: str, lock: RLock, timed: Timed) -> None:
        super().__init__(house, name, lock, LatenessMeter())
        self._timed = timed

    def _serve(self) -> None:
        timed, house = self._timed, self._house
        left: Instant = 0
        while not house.stopping.wait(left / SECOND):
            with self._lock:
                now, due = time.monotonic_ns(), timed.next_timeout()
                if due is not None and due <= now:
                    self._meter.served(now - due)
                    timed.handle_timeout(now)
                    due = timed.next_timeout()
            left = house.reaction if due is None else max(0, min(house.reaction, due - now))
