"""The charge as a monitor sees it: phase, figures and alarms of the dialogue, and what is wrong with it."""

from collections.abc import Hashable, Iterator
from heapq import heappop, heappush
from typing import Any

import msgspec

from swapproto.cli.monitor_notes import Notes
from swapproto.cli.monitor_periods import Periods, Rhythm
from swapproto.frame import MICROSECOND, Instant
from swapproto.messages import gbt27930 as gb
from swapproto.messages.catalog import Catalogue
from swapproto.observe.dialogue import HOLD_US, Dialogue, Heard, TimedMessage, TransferEnd, TransportFault
from swapproto.observe.edition import EditionWatch, Recognised
from swapproto.observe.findings import Findings, ViolationKind
from swapproto.observe.order import OrderCheck, timed_out
from swapproto.observe.phases import PhaseTracker
from swapproto.observe.survey import TRANSPORT
from swapproto.trace.record import Record
from swapproto.transport.frames import Control, cm_id
from swapproto.transport.timing import J1939_21
from swapproto.transport.watch import Transfer, Unfinished
from swapproto.wire.fields import Code
from swapproto.wire.reading import DeviationKind

_KEEP_COMING = (gb.BCL, gb.BCS, gb.BSM, gb.CCS)
"""What must not fall silent while the pack is charged."""
_STOPS = (gb.BST, gb.CST)
_ANNOUNCING = frozenset(cm_id(party.peer.value, party.value) for party in gb.Party)
"""Identifiers under which charger and BMS announce transfers to each other."""
_RTS = bytes([Control.RTS])
_JOINED_US = J1939_21.silence // MICROSECOND
"""So long a transfer that began before the monitor can go on, and looks like a fault."""


class Reading(msgspec.Struct, frozen=True):
    """Voltage, current and state of charge as one message has them, signs as sent."""

    of: str
    source: str
    at: Instant
    voltage: float | None = None
    current: float | None = None
    soc: float | None = None


class Extreme(msgspec.Struct, frozen=True):
    """The highest and lowest of the cells or probes; a place is None where it is not told."""

    of: str
    unit: str
    source: str
    at: Instant
    highest: float | None = None
    highest_at: str | None = None
    lowest: float | None = None
    lowest_at: str | None = None


class ChargeWatch:
    """Follows one channel's dialogue of charger and BMS; the edition is recognised unless it is given."""

    def __init__(self, notes: Notes, periods: Periods, edition: gb.Edition | None) -> None:
        self.recognised: Recognised | None = None
        """None while nothing tells, or where the edition was given."""
        self.edition = edition
        self.lost_transfers = 0
        self._notes = notes
        self._periods = periods
        self._watch = EditionWatch()
        self._asked: int = 0
        self._first_us: int | None = None
        self._foreign_before = 0
        self._begin(edition or gb.Edition.GBT_2015)

    def _begin(self, edition: gb.Edition) -> None:
        self._last: dict[gb.Party, int] = {}
        self._messages: dict[str, TimedMessage] = {}
        self._attempts: dict[str, int] = {}
        self.findings = Findings()
        self.phases = PhaseTracker()
        self._order = OrderCheck(self.phases, self.findings)
        self.dialogue = Dialogue(Catalogue(edition))
        self._waiting: list[tuple[int, int, Heard]] = []
        self._number = 0
        self._open: dict[int, int] = {}

    @property
    def parties(self) -> tuple[tuple[gb.Party, int], ...]:
        """Who was heard, and when last in microseconds."""
        return tuple(self._last.items())

    @property
    def foreign_frames(self) -> int:
        """Frames of neither charger nor BMS."""
        return self._foreign_before + self.dialogue.foreign_frames

    def receive(self, record: Record) -> None:
        if self._first_us is None:
            self._first_us = record.at_us
        if self.edition is None:
            self._watch.receive(record)
        for heard in self.dialogue.receive(record):
            if isinstance(heard, TransferEnd):
                self._open.pop(heard.transfer.destination << 8 | heard.transfer.source, None)
            heappush(self._waiting, (heard.at_us, self._number, heard))
            self._number += 1
        if record.extended and record.id in _ANNOUNCING and record.data[:1] == _RTS:
            self._open[record.id & 0xFFFF] = record.at_us
        self.pass_time(record.at_us)

    def pass_time(self, now_us: int) -> None:
        """Take what was heard in the order of its instants: a transfer is known only when it has ended, and
        its message was complete before that.
        """
        for pair, began in list(self._open.items()):
            if now_us - began > HOLD_US:
                del self._open[pair]
        until = min(self._open.values(), default=None)
        while self._waiting and (until is None or self._waiting[0][0] <= until):
            match heappop(self._waiting)[2]:
                case TimedMessage() as message:
                    self._message(message)
                case TransferEnd() as end:
                    self._transfer(end)
                case TransportFault() as fault:
                    self._fault(fault)

    def recognise(self, now: Instant) -> None:
        """Look at the evidence so far; once it speaks for another edition, all is read anew in that."""
        if self.edition is not None or self._watch.frames == self._asked:
            return
        self._asked = self._watch.frames
        found = self._watch.result().edition
        if found is self.recognised or found is Recognised.UNKNOWN:
            return
        before = Recognised.UNKNOWN if self.recognised is None else self.recognised
        self.recognised = found
        self._notes.add(now, f"edition: {found.value}")
        if found.decoded_as is not before.decoded_as:
            self._foreign_before = self.foreign_frames
            self._begin(found.decoded_as)
            self._periods.interrupt()

    @property
    def coming(self) -> frozenset[Hashable]:
        """Keys of the messages that may not stop now."""
        if self.phases.phase is not gb.Phase.CHARGING:
            return frozenset()
        return frozenset((cls.pgn, cls.sender) for cls in _KEEP_COMING)

    def readings(self) -> Iterator[Reading]:
        """The pack's own measurement first."""
        if (bcs := self._heard("BCS")) is not None:
            message: Any = bcs.message
            yield Reading(
                "pack measures", "BCS", _at(bcs), message.voltage, message.current, float(message.soc)
            )
        elif (bcp := self._heard("BCP")) is not None:
            message = bcp.message
            yield Reading("pack before the charge", "BCP", _at(bcp), message.voltage, None, message.soc)
        for name, what in (("CCS", "charger delivers"), ("BCL", "pack demands")):
            if (heard := self._heard(name)) is not None:
                message = heard.message
                yield Reading(what, name, _at(heard), message.voltage, message.current)

    def extremes(self) -> Iterator[Extreme]:
        bcs, bsm, bsd = self._heard("BCS"), self._heard("BSM"), self._heard("BSD")
        if bcs is not None:
            message: Any = bcs.message
            where = f"group {message.max_cell_group}"
            if bsm is not None:
                where = f"cell {bsm.message.max_voltage_cell}, {where}"
            yield Extreme("cells", "V", "BCS", _at(bcs), message.max_cell_voltage, where)
        if bsm is not None:
            message = bsm.message
            yield Extreme(
                "temperatures", "degC", "BSM", _at(bsm),
                message.max_temperature, f"probe {message.max_temperature_probe}",
                message.min_temperature, f"probe {message.min_temperature_probe}",
            )  # fmt: skip
        if bsd is not None:
            message = bsd.message
            yield Extreme(
                "cells, at the end", "V", "BSD", _at(bsd),
                message.max_cell_voltage, None, message.min_cell_voltage, None,
            )  # fmt: skip

    def alarms(self) -> Iterator[str]:
        """What this attempt's status, stop and error messages hold."""
        for name in ("BSM", "BST", "CST", "BEM", "CEM"):
            heard = self._heard(name)
            if heard is None or self._attempts[name] != self.phases.attempt:
                continue
            yield from (f"{name} {text}" for text in set_fields(heard.message, reasons=False))
            if name == "BSM" and heard.message.permission is gb.Permission.FORBIDDEN:
                yield "BSM charging not permitted"

    def _heard(self, name: str) -> TimedMessage | None:
        return self._messages.get(name)

    def _message(self, heard: TimedMessage) -> None:
        phases, name, at = self.phases, heard.name, heard.at_us * MICROSECOND
        span, error = phases.current, phases.error
        if heard.sender not in self._last:
            self._notes.add(at, f"{heard.sender.label} ({heard.sender.value:02X}h) is heard, with {name}")
        phases.receive(heard)
        self._order.receive(heard)
        if phases.current is not span and phases.current is not None:
            again = f", attempt {phases.attempt + 1}" if phases.attempt else ""
            self._notes.add(at, f"phase {phases.current.phase.value} begins with {name}{again}")
        if phases.error is not error and phases.error is not None:
            self._notes.add(at, f"{heard.sender.label} sends {name}: {timed_out(heard)}", alarming=True)
        self._last[heard.sender] = heard.at_us
        self._deviations(heard)
        if heard.message is not None:
            self._stop(heard, at)
            self._messages[name], self._attempts[name] = heard, phases.attempt
        self._periods.heard(
            (heard.cls.pgn, heard.sender),
            Rhythm(name, heard.sender.label, _nominal(heard.cls)),
            heard.started_us,
            at=heard.at_us,
            group=(phases.attempt, phases.phase),
            readable=heard.message is not None,
        )

    def _stop(self, heard: TimedMessage, at: Instant) -> None:
        """Tell the first stop message of an attempt, and one that gives another reason."""
        if heard.cls.pgn not in {cls.pgn for cls in _STOPS}:
            return
        before = self._messages.get(heard.name)
        if (
            before is None
            or before.message != heard.message
            or (self._attempts[heard.name] != self.phases.attempt)
        ):
            reasons = ", ".join(set_fields(heard.message)) or "no reason set"
            self._notes.add(at, f"{heard.sender.label} sends {heard.name}: {reasons}")

    def _deviations(self, heard: TimedMessage) -> None:
        reading = heard.reading
        odd: list[tuple[str | None, int | None, DeviationKind | None, str]] = [
            (each.field, each.offset, each.kind, each.reason) for each in reading.deviations
        ]
        if reading.error is not None:
            odd.append((reading.error.field, reading.error.offset, None, reading.error.reason))
        for field, offset, kind, example in odd:
            self.findings.deviation(
                heard.name, field, offset=offset, kind=kind, example=example, at_us=heard.at_us, line=0
            )

    def _transfer(self, heard: TransferEnd) -> None:
        transfer = heard.transfer
        if isinstance(transfer, Transfer) and transfer.complete:
            return
        self.lost_transfers += 1
        cls = self.dialogue.catalogue.by_pgn(transfer.pgn, transfer.source)
        name = f"PGN {transfer.pgn:04X}h" if cls is None else cls.__name__
        reason = transfer.reason if isinstance(transfer, Unfinished) else "no EndOfMsgAck heard"
        text = f"transfer of {name} from {transfer.source:02X}h to {transfer.destination:02X}h: {reason}"
        self._notes.add(heard.at_us * MICROSECOND, text, alarming=True)

    def _fault(self, heard: TransportFault) -> None:
        if heard.at_us - (self._first_us or 0) <= _JOINED_US:
            return
        fault = heard.violation
        text = f"{fault.source:02X}h to {fault.destination:02X}h: {fault.reason.value}"
        self.findings.violation(
            ViolationKind.TRANSPORT, None, text, TRANSPORT, at_us=heard.at_us, line=heard.line
        )


def set_fields(message: Any, *, reasons: bool = True) -> Iterator[str]:
    """Fields of a message whose code says more than normal, in words; without the reasons of a stop only
    what is wrong.
    """
    for field in message.layout.fields:
        value = getattr(message, field.name)
        if isinstance(value, gb.Permission) or (
            not reasons and isinstance(value, gb.Reached) and field.name != "fault"
        ):
            continue
        if isinstance(value, Code) and value:
            label = value.label if value.known else f"{int(value):#04x}"
            yield f"{field.name.replace('_', ' ')}: {label}"


def _nominal(cls: type[gb.ChargingMessage]) -> int | None:
    return None if cls.period_ms is None else cls.period_ms * 1000


def _at(heard: TimedMessage) -> Instant:
    return heard.at_us * MICROSECOND
