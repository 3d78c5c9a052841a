"""Frames in, timed messages out: what a passive listener hears of charger and BMS.

    dialogue = Dialogue(Catalogue(Edition.GBT_2015))
    for heard in dialogue.listen(trace.records): ...
    dialogue.foreign_frames

Pure: the records' own stamps are the only time, and nothing is remembered but open transfers.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import heappop, heappush
from typing import Any, Protocol, TypeAlias, TypeVar

import msgspec

from swapproto.frame import MICROSECOND
from swapproto.j1939 import parse
from swapproto.messages.catalog import Catalogue
from swapproto.messages.gbt27930 import BMS_ADDRESS, CHARGER_ADDRESS, ChargingMessage, Party
from swapproto.trace.record import Record
from swapproto.transport.events import TpViolation
from swapproto.transport.frames import TP_CM, TP_DT
from swapproto.transport.timing import J1939_21
from swapproto.transport.watch import Transfer, TransportWatch, Unfinished
from swapproto.wire.reading import Reading

KEPT_IDENTIFIERS = 4096
"""Identifiers that are looked up once and remembered."""
_PAIR = frozenset({CHARGER_ADDRESS << 8 | BMS_ADDRESS, BMS_ADDRESS << 8 | CHARGER_ADDRESS})
HOLD_US = J1939_21.silence // MICROSECOND * 2
"""A transfer without acknowledgement is reported this much late at most, while frames keep coming."""


class TimedMessage(msgspec.Struct, frozen=True, gc=False):
    """A message with the instant and line of the frame that completed it."""

    at_us: int
    line: int
    cls: type[ChargingMessage]
    sender: Party
    payload: bytes
    reading: Reading[Any]
    priority: int | None = None
    """Of the identifier, for a single frame."""
    transfer: Transfer | None = None
    """How it came, where it took more than one frame."""

    @property
    def name(self) -> str:
        return self.cls.__name__

    @property
    def message(self) -> Any:
        """The decoded message; None where the payload cannot be read."""
        return self.reading.message

    @property
    def started_us(self) -> int:
        """When the sender began it: the RTS of a transfer. Periods are counted from here."""
        return self.at_us if self.transfer is None else self.transfer.started // MICROSECOND


class TransferEnd(msgspec.Struct, frozen=True, gc=False):
    """A transport transfer of whichever parties, complete or not, with the line that ended it."""

    transfer: Transfer | Unfinished
    at_us: int
    line: int


class TransportFault(msgspec.Struct, frozen=True, gc=False):
    """A transport frame that broke a rule."""

    violation: TpViolation
    at_us: int
    line: int


Heard: TypeAlias = TimedMessage | TransferEnd | TransportFault

_Known: TypeAlias = tuple[type[ChargingMessage], Party]


class Timed(Protocol):
    """Something that was heard at an instant."""

    @property
    def at_us(self) -> int: ...


T = TypeVar("T", bound=Timed)


def in_order(
    records: Iterable[Record],
    receive: Callable[[Record], Iterable[T]],
    finish: Callable[[], Iterable[T]],
) -> Iterator[T]:
    """What records complete, in the order of its instants: transfers come late, by HOLD_US at most."""
    waiting: list[tuple[int, int, T]] = []
    number = 0
    for record in records:
        for heard in receive(record):
            heappush(waiting, (heard.at_us, number, heard))
            number += 1
        due = record.at_us - HOLD_US
        while waiting and waiting[0][0] <= due:
            yield heappop(waiting)[2]
    for heard in finish():
        heappush(waiting, (heard.at_us, number, heard))
        number += 1
    while waiting:
        yield heappop(waiting)[2]


class Dialogue:
    """Listens to one channel. Frames of others are foreign: counted, never an error."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.frames = 0
        self.foreign_frames = 0
        self.foreign: dict[int, int] = {}
        """Foreign frames by identifier; an 11-bit identifier stands as its own negative minus one."""
        self._watch = TransportWatch()
        self._known: dict[int, _Known | None] = {}
        self._packet_lines: dict[int, int] = {}
        self._now_us = 0
        self._line = 0

    def listen(self, records: Iterable[Record]) -> Iterator[Heard]:
        """All that is heard, in the order of its instants."""
        return in_order(records, self.receive, self.finish)

    def receive(self, record: Record) -> Sequence[Heard]:
        """What a frame completes; a transfer whose acknowledgement is missing comes late."""
        self.frames += 1
        self._now_us = at_us = record.at_us
        self._line = record.line
        can_id = record.id
        if not record.extended:
            self._count_foreign(-1 - can_id)
            return ()
        kind = can_id >> 16 & 0x3FF
        if kind in (TP_DT, TP_CM):
            events = self._watch.receive(record.frame, at_us * MICROSECOND)
            if can_id & 0xFFFF not in _PAIR:
                self._count_foreign(can_id)
            if kind == TP_DT:
                self._packet_lines[can_id & 0xFFFF] = record.line
            return self._transport(events) if events else ()
        events = self._watch.pass_time(at_us * MICROSECOND)
        late = self._transport(events) if events else ()
        try:
            known = self._known[can_id]
        except KeyError:
            known = self._resolve(can_id)
        if known is None:
            self._count_foreign(can_id)
            return late
        cls, sender = known
        payload = record.data
        message = TimedMessage(at_us, record.line, cls, sender, payload, cls.read(payload), can_id >> 26)
        return (*late, message) if late else (message,)

    def finish(self) -> Sequence[Heard]:
        """What is still open when the recording ends."""
        return self._transport(self._watch.finish(self._now_us * MICROSECOND))

    def _resolve(self, can_id: int) -> _Known | None:
        """Class and sender; a wrong priority hides no message of the two parties."""
        known = self.catalogue.by_identifier(can_id)
        if known is None:
            parts = parse(can_id)
            if (parts.source << 8 | parts.destination) in _PAIR:
                cls = self.catalogue.by_pgn(parts.pgn, parts.source)
                known = None if cls is None else (cls, Party(parts.source))
        if len(self._known) < KEPT_IDENTIFIERS:
            self._known[can_id] = known
        return known

    def _count_foreign(self, key: int) -> None:
        self.foreign_frames += 1
        if key in self.foreign:
            self.foreign[key] += 1
        elif len(self.foreign) < KEPT_IDENTIFIERS:
            self.foreign[key] = 1

    def _transport(self, events: Sequence[Transfer | Unfinished | TpViolation]) -> Sequence[Heard]:
        heard: list[Heard] = []
        for event in events:
            if isinstance(event, TpViolation):
                heard.append(TransportFault(event, event.at // MICROSECOND, self._line))
            elif isinstance(event, Unfinished):
                heard.append(TransferEnd(event, min(event.at // MICROSECOND, self._now_us), self._line))
            else:
                heard += self._transferred(event)
        return heard

    def _transferred(self, transfer: Transfer) -> Iterator[Heard]:
        at_us = transfer.finished // MICROSECOND
        line = self._packet_lines.get(transfer.destination << 8 | transfer.source, self._line)
        yield TransferEnd(transfer, at_us, line)
        if (transfer.source << 8 | transfer.destination) not in _PAIR:
            return
        cls = self.catalogue.by_pgn(transfer.pgn, transfer.source)
        if cls is not None:
            reading = cls.read(transfer.payload)
            yield TimedMessage(
                at_us, line, cls, Party(transfer.source), transfer.payload, reading, transfer=transfer
            )
