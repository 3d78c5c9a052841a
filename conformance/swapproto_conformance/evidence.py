"""What a judge may look at: the trace, decoded, and how far its stamps can be trusted."""

from bisect import bisect_right
from collections.abc import Sequence

import msgspec

from swapproto.messages.catalog import Catalogue
from swapproto.messages.gbt27930 import ChargingMessage, Edition, Party
from swapproto.observe.dialogue import Dialogue, TimedMessage, TransferEnd
from swapproto.trace.record import Record


class Precision(msgspec.Struct, frozen=True):
    """How far the time stamps of a trace can be trusted, in microseconds."""

    resolution_us: int = 1
    lateness_us: int = 0
    """How late the bench may have served its own timers and stamps."""

    @property
    def uncertainty_us(self) -> int:
        """Of the difference of two stamps."""
        return 2 * self.resolution_us + self.lateness_us


class Evidence:
    """A trace from the point of view of one device under test; made from records alone."""

    def __init__(
        self,
        records: Sequence[Record],
        iut: Party,
        precision: Precision,
        *,
        quiet_us: int = 0,
        edition: Edition = Edition.GBT_2015,
    ) -> None:
        self.iut = iut
        self.precision = precision
        self.records = records
        self.messages: list[TimedMessage] = []
        self.transfers: list[TransferEnd] = []
        for heard in Dialogue(Catalogue(edition)).listen(records):
            if isinstance(heard, TimedMessage):
                self.messages.append(heard)
            elif isinstance(heard, TransferEnd):
                self.transfers.append(heard)
        self._stamps = [record.at_us for record in records]
        last = self._stamps[-1] if records else 0
        self.end_us = last + quiet_us
        """Until when the bus was watched, ``quiet_us`` beyond its last frame: silence counts as far."""

    def of(
        self, cls: type[ChargingMessage], *, after: int | None = None, before: int | None = None
    ) -> list[TimedMessage]:
        """Every message of a class that its sender began in the open interval of stamps."""
        return [each for each in self.messages if each.cls is cls and _inside(each.started_us, after, before)]

    def alive(self, after: int | None, before: int | None) -> int:
        """How many messages the device under test began in the interval."""
        return sum(
            each.sender is self.iut and _inside(each.started_us, after, before) for each in self.messages
        )

    def position(self, at_us: int) -> int:
        """Zero-based position in the trace of the last frame up to a stamp."""
        return max(0, bisect_right(self._stamps, at_us) - 1)


def _inside(at_us: int, after: int | None, before: int | None) -> bool:
    return (after is None or at_us > after) and (before is None or at_us < before)
