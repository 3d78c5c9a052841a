"""What a listener hears of the pack on one channel: its messages, and each stay of a pack on the bus.

    watch = PackWatch("truck")
    for record in records: heard = watch.receive(record)
    watch.stays[-1].assembly.snapshot()

Pure: the records' own stamps are the only time. Of repetitions only counts and intervals are kept.
"""

from array import array
from collections.abc import Iterable, Iterator
from statistics import median
from typing import Any

import msgspec

from swapproto.frame import MICROSECOND
from swapproto.messages.catalog import MessageSet, message_set
from swapproto.messages.pack_can import PackMessage, Unit
from swapproto.messages.pack_can.snapshot import PackAssembly
from swapproto.observe.dialogue import Dialogue, Heard, in_order
from swapproto.observe.findings import Findings
from swapproto.provenance import Basis, Source
from swapproto.trace.record import Record
from swapproto.wire.reading import Reading

FAMILY = "pack-can-d0f3"
SILENT_US = 1_000_000
"""A pack that is not heard for so long is silent: ten periods of its usual frames [assumed]."""
SILENCE = Source(
    "no frame of the pack for more than 1 s", Basis.ASSUMED, 0, "ten periods of its usual frames"
)
SENDERS = frozenset(
    can_id
    for cls in message_set(FAMILY)
    for can_id, sender in cls.identifiers().items()
    if sender in (Unit.BMS, Unit.VEHICLE, Unit.SWAP_CONTROLLER)
)
"""Identifiers by which pack CAN is recognised; those of the thermal unit and the clock are left out."""
KEPT_STAYS = 100
KEPT_INTERVALS = 10_000
"""Intervals of one message of which the median is taken; the shortest and the longest are those of all."""


class PackHeard(msgspec.Struct, frozen=True, gc=False):
    """A message of the pack's bus with the instant and line of its frame."""

    at_us: int
    line: int
    channel: str
    cls: type[PackMessage]
    sender: Unit
    payload: bytes
    reading: Reading[Any]

    @property
    def name(self) -> str:
        return self.cls.__name__

    @property
    def message(self) -> Any:
        """The decoded message; None where the payload cannot be read."""
        return self.reading.message


class PackStats(msgspec.Struct):
    """How often a message was heard and in which intervals, those across a silence left out."""

    cls: type[PackMessage]
    sender: Unit
    count: int = 0
    unreadable: int = 0
    first_us: int = 0
    first_line: int = 0
    last_us: int = 0
    last_line: int = 0
    intervals: int = 0
    min_us: int | None = None
    max_us: int | None = None
    kept: "array[int]" = msgspec.field(default_factory=lambda: array("q"))

    @property
    def median_us(self) -> float | None:
        """Of the first intervals; a message whose frames count comes once for each of its frames."""
        return median(self.kept) if self.kept else None

    def receive(self, heard: PackHeard) -> None:
        if self.count == 0:
            self.first_us, self.first_line = heard.at_us, heard.line
        elif 0 <= (interval := heard.at_us - self.last_us) < SILENT_US + 1000 * (self.cls.period_ms or 0):
            self.intervals += 1
            self.min_us = interval if self.min_us is None else min(self.min_us, interval)
            self.max_us = interval if self.max_us is None else max(self.max_us, interval)
            if len(self.kept) < KEPT_INTERVALS:
                self.kept.append(interval)
        self.count += 1
        self.unreadable += heard.message is None
        self.last_us, self.last_line = heard.at_us, heard.line


class Stay(msgspec.Struct):
    """One pack on the channel from its first frame to the one before its silence."""

    start_us: int
    line: int
    end_us: int
    end_line: int
    assembly: PackAssembly
    frames: int = 0


class PackWatch:
    """Listens to one channel; frames of others are nobody's and yield nothing."""

    def __init__(self, channel: str, messages: MessageSet[Any] | None = None) -> None:
        self.channel = channel
        self.messages = message_set(FAMILY) if messages is None else messages
        self.frames = 0
        self.stays: list[Stay] = []
        self.dropped = 0
        """Stays beyond the number that is kept."""
        self.present: Stay | None = None
        """The stay that goes on."""
        self.findings = Findings()
        """How messages departed from their layouts."""
        self._stats: dict[type[PackMessage], PackStats] = {}
        self._known = {
            can_id: (cls, Unit(sender.value))
            for cls in self.messages
            for can_id, sender in cls.identifiers().items()
        }

    @property
    def stats(self) -> tuple[PackStats, ...]:
        """In the order of the first message of each kind."""
        return tuple(self._stats.values())

    def receive(self, record: Record) -> PackHeard | None:
        """The message that the frame is, None where it is none of the family's."""
        known = self._known.get(record.id) if record.extended else None
        if known is None:
            return None
        cls, sender = known
        heard = PackHeard(
            record.at_us, record.line, self.channel, cls, sender, record.data, cls.read(record.data)
        )
        self.frames += 1
        stats = self._stats.get(cls)
        if stats is None:
            stats = self._stats[cls] = PackStats(cls, sender)
        stats.receive(heard)
        reading = heard.reading
        if reading.deviations or reading.error is not None:
            self._deviations(heard)
        self._assemble(heard)
        return heard

    def fall_silent(self) -> Stay | None:
        """The pack is not heard any more; the stay that ended with it, if there was one."""
        ended, self.present = self.present, None
        return ended

    def _assemble(self, heard: PackHeard) -> None:
        if heard.sender is Unit.BMS:
            if self.present is None:
                self.present = self._begin(heard)
            self.present.frames += 1
            self.present.end_us, self.present.end_line = heard.at_us, heard.line
        if self.present is not None and heard.message is not None:
            self.present.assembly.receive(heard.message, heard.at_us * MICROSECOND)

    def _begin(self, heard: PackHeard) -> Stay:
        stay = Stay(heard.at_us, heard.line, heard.at_us, heard.line, PackAssembly())
        if len(self.stays) < KEPT_STAYS:
            self.stays.append(stay)
        else:
            self.dropped += 1
        return stay

    def _deviations(self, heard: PackHeard) -> None:
        error = heard.reading.error
        odd = [(each.field, each.offset, each.kind, each.reason) for each in heard.reading.deviations]
        for field, offset, kind, example in (
            odd if error is None else [(error.field, error.offset, None, error.reason)]
        ):
            self.findings.deviation(
                heard.name,
                field,
                offset=offset,
                kind=kind,
                example=example,
                at_us=heard.at_us,
                line=heard.line,
            )


def listen_to_both(
    records: Iterable[Record], dialogue: Dialogue, watch: PackWatch
) -> Iterator[Heard | PackHeard]:
    """A channel's charging dialogue and pack CAN together, in the order of their instants."""

    def receive(record: Record) -> Iterator[Heard | PackHeard]:
        pack = watch.receive(record)
        yield from dialogue.receive(record)
        if pack is not None:
            yield pack

    return in_order(records, receive, dialogue.finish)
