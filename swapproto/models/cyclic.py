"""The sending half of a control unit: groups of messages, each group once a period."""

from collections.abc import Callable, Iterable

import msgspec

from swapproto.frame import CanFrame, Instant
from swapproto.wire.message import Message


class _Group(msgspec.Struct):
    period: int
    build: Callable[[Instant], Iterable[Message]]
    due: Instant = 0


class Cyclic:
    """Sends nothing until start(); a frame that still waits is replaced by the next of its kind."""

    def __init__(self) -> None:
        self._groups: list[_Group] = []
        self._due: Instant | None = None
        self._mail: dict[type[Message], CanFrame] = {}
        self._ids: dict[type[Message], int] = {}

    def every(self, period: int, build: Callable[[Instant], Iterable[Message]]) -> None:
        """Period in nanoseconds; ``build`` gives the messages of a group when they are due."""
        self._groups.append(_Group(period, build))

    @property
    def running(self) -> bool:
        return self._due is not None

    def start(self, now: Instant) -> None:
        """All groups are due at once, as after the reset of a control unit."""
        if self._due is None:
            for group in self._groups:
                group.due = now
            self._due = now

    def stop(self) -> None:
        """Silence; what waits is not sent any more."""
        self._due = None
        self._mail.clear()

    def handle_timeout(self, now: Instant) -> None:
        if self._due is None or now < self._due:
            return
        for group in self._groups:
            if group.due <= now:
                group.due += group.period
                for message in group.build(now):
                    kind = type(message)
                    can_id = self._ids.get(kind)
                    if can_id is None:
                        can_id = self._ids[kind] = kind.identifier()
                    self._mail[kind] = CanFrame(can_id, message.encode())
        self._due = min(group.due for group in self._groups)

    def next_timeout(self) -> Instant | None:
        return self._due

    def poll_transmit(self) -> CanFrame | None:
        return self._mail.pop(next(iter(self._mail))) if self._mail else None
