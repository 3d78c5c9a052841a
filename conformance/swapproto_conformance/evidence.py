"""What a judge may look at: the trace, decoded, and how far its stamps can be trusted."""

from bisect import bisect_right
from collections.abc import Sequence

import msgspec

from swapproto.messages.catalog import Catalogue
from swapproto.messages.gbt27930 import ChargingMessage, Edition, Party
from swapproto.observe.dialogue import TimedMessage, TransferEnd, dialogue
from swapproto.trace.record import Record


class Bench(msgspec.Struct, frozen=True):
    """How far time stamps of a trace can be trusted, in microseconds."""

    resolution_us: int = 1
    lateness_us: int = 0

    @property
    def uncertainty_us(self) -> int:
        """Of the difference of two stamps."""
        return 2 * self.resolution_us + self.lateness_us


class Evidence:
    """A trace from the point of view of one device under test; made from records alone."""

    def __init__(self, records: Sequence[Record], iut: Party, bench: Bench, edition: Edition = Edition.GBT_2015) -> None:
        self.iut = iut
        self.bench = bench
        self.records = records
        self._stamps = [record.at_us for record in records]
        talk = dialogue(records, Catalogue(edition))
        self.messages: list[TimedMessage] = talk.messages
        self.transfers: list[TransferEnd] = talk.transfers
        self.end_us = self._stamps[-1] if records else 0

    def of(
        self, cls: type[ChargingMessage], *, after: int | None = None, before: int | None = None
    ) -> list[TimedMessage]:
        """Every message of a class in the open interval of stamps."""
        return [
            each
            for each in self.messages
            if each.cls is cls and (after is None or each.at_us > after) and (before is None or each.at_us < before)
        ]

    def alive(self, after: int | None, before: int | None) -> int:
        """How many messages the device under test sent in the interval."""
        return sum(
            each.sender is self.iut
            and (after is None or each.at_us > after)
            and (before is None or each.at_us < before)
            for each in self.messages
        )

    def position(self, at_us: int) -> int:
        """Zero-based position in the trace of the last frame up to a stamp."""
        return max(0, bisect_right(self._stamps, at_us) - 1)

