"""Everything a listener can tell of one channel, folded into one object of bounded size."""

from collections import Counter
from collections.abc import Iterable

import msgspec

from swapproto.frame import MICROSECOND
from swapproto.messages.catalog import Catalogue
from swapproto.messages.gbt27930 import BCP, BHM, BRM, CHM, CML, CRM, CSD, Party
from swapproto.observe.dialogue import Dialogue, TimedMessage, TransferEnd, TransportFault
from swapproto.observe.edition import Recognition
from swapproto.observe.findings import DeviationSum, Findings, Violation, ViolationKind
from swapproto.observe.order import OrderCheck
from swapproto.observe.phases import PhaseSpan, PhaseTracker
from swapproto.observe.timing import MessageStats, Timing, TimingCheck
from swapproto.provenance import Basis, Source
from swapproto.trace.record import Record
from swapproto.transport.rules import Violation as TpFault
from swapproto.transport.timing import J1939_21
from swapproto.transport.watch import Ending, Transfer, Unfinished

KEPT_TRANSFERS = 100
KEPT_FOREIGN = 100
TRANSPORT = Source("SAE J1939-21", Basis.REPORTED, 2)
_ORPHANS = (TpFault.DATA_ORPHAN, TpFault.CTS_ORPHAN, TpFault.ACK_ORPHAN, TpFault.ABORT_ORPHAN)
_JOINED_US = J1939_21.silence // MICROSECOND
"""So long a transfer that began before the recording can go on: its frames look like orphans and are none."""
_INTRODUCING = {cls.pgn for cls in (CHM, BHM, CRM, BRM, BCP, CML, CSD)}
"""Messages in which the parties say who they are and what they can do."""


class LostTransfer(msgspec.Struct, frozen=True):
    """A transfer that was not heard to its end."""

    message: str | None
    """None where the PGN is none of the edition's."""
    pgn: int
    source: int
    destination: int
    reason: str
    at_us: int
    line: int


class Transfers(msgspec.Struct):
    """Transport transfers of all parties on the channel."""

    complete: int = 0
    aborted: int = 0
    incomplete: int = 0
    reasons: dict[str, int] = {}
    """Why those that did not complete did not."""
    lost: list[LostTransfer] = []
    """The first of them."""


class Survey(msgspec.Struct, frozen=True):
    """What a recording holds; instants are absolute, in microseconds."""

    recognition: Recognition
    frames: int
    first_us: int
    last_us: int
    messages: tuple[MessageStats, ...]
    introductions: dict[str, TimedMessage]
    """The last readable message of each kind in which a party introduces itself."""
    phases: tuple[PhaseSpan, ...]
    transfers: Transfers
    deviations: tuple[DeviationSum, ...]
    violations: tuple[Violation, ...]
    timing: Timing
    foreign_frames: int
    foreign: dict[int, int]
    """The most frequent foreign identifiers; 11-bit ones as their negative minus one."""
    foreign_identifiers: int
    dropped: dict[str, int]
    """What was left out to keep this object bounded, by kind."""
    extended: bool = False
    """Whether the messages were read with a maker's station extensions."""

    @property
    def parties(self) -> tuple[Party, ...]:
        """Who was heard, in the order of the first message."""
        return tuple(dict.fromkeys(stats.sender for stats in self.messages))


class _Surveyor:
    def __init__(
        self, recognition: Recognition, resolution_us: int | None, catalogue: Catalogue | None
    ) -> None:
        self.recognition = recognition
        self.dialogue = Dialogue(catalogue or recognition.catalogue())
        self.phases = PhaseTracker()
        self.findings = Findings()
        self.order = OrderCheck(self.phases, self.findings)
        self.timing = TimingCheck(self.phases, self.findings, resolution_us)
        self.transfers = Transfers()
        self.introductions: dict[str, TimedMessage] = {}
        self.first_us: int | None = None
        self.last_us = 0

    def run(self, records: Iterable[Record]) -> Survey:
        for heard in self.dialogue.listen(self._stamped(records)):
            match heard:
                case TimedMessage():
                    self._message(heard)
                case TransferEnd():
                    self._transfer(heard)
                case TransportFault():
                    self._fault(heard)
        return self._survey()

    def _stamped(self, records: Iterable[Record]) -> Iterable[Record]:
        for record in records:
            if self.first_us is None:
                self.first_us = record.at_us
            self.last_us = max(self.last_us, record.at_us)
            yield record

    def _message(self, heard: TimedMessage) -> None:
        self.phases.receive(heard)
        self.order.receive(heard)
        self.timing.receive(heard)
        reading = heard.reading
        if reading.deviations or reading.error is not None:
            self._deviations(heard)
        if heard.cls.pgn in _INTRODUCING and reading.message is not None:
            self.introductions[heard.name] = heard

    def _deviations(self, heard: TimedMessage) -> None:
        name, at_us, line, error = heard.name, heard.at_us, heard.line, heard.reading.error
        if error is not None:
            self.findings.deviation(
                name,
                error.field,
                offset=error.offset,
                kind=None,
                example=error.reason,
                at_us=at_us,
                line=line,
            )
        for each in heard.reading.deviations:
            self.findings.deviation(
                name,
                each.field,
                offset=each.offset,
                kind=each.kind,
                example=each.reason,
                at_us=at_us,
                line=line,
            )

    def _transfer(self, heard: TransferEnd) -> None:
        transfer, counts = heard.transfer, self.transfers
        if isinstance(transfer, Transfer) and transfer.complete:
            counts.complete += 1
            return
        if isinstance(transfer, Unfinished):
            reason = transfer.reason
            if transfer.ending is Ending.ABORTED:
                counts.aborted += 1
                reason = f"aborted by {transfer.aborted_by or 0:02X}h: {reason}"
            else:
                counts.incomplete += 1
                reason = f"{reason}, {transfer.heard} of {transfer.packets} packets heard"
        else:
            counts.incomplete += 1
            reason = "no EndOfMsgAck heard"
        counts.reasons[reason] = counts.reasons.get(reason, 0) + 1
        if len(counts.lost) < KEPT_TRANSFERS:
            cls = self.dialogue.catalogue.by_pgn(transfer.pgn, transfer.source)
            counts.lost.append(
                LostTransfer(
                    cls.__name__ if cls is not None else None,
                    transfer.pgn,
                    transfer.source,
                    transfer.destination,
                    reason,
                    transfer.started // MICROSECOND,
                    heard.line,
                )
            )

    def _fault(self, heard: TransportFault) -> None:
        fault = heard.violation
        if fault.reason in _ORPHANS and heard.at_us - (self.first_us or 0) <= _JOINED_US:
            return
        text = f"{fault.source:02X}h to {fault.destination:02X}h: {fault.reason.value}"
        self.findings.violation(
            ViolationKind.TRANSPORT, None, text, TRANSPORT, at_us=heard.at_us, line=heard.line
        )

    def _survey(self) -> Survey:
        timing = self.timing.finish()
        dialogue, findings, counts = self.dialogue, self.findings, self.transfers
        dropped = {
            "phases": self.phases.dropped,
            "violations": findings.dropped_violations,
            "deviations": findings.dropped_deviations,
            "transfers": counts.aborted + counts.incomplete - len(counts.lost),
        }
        return Survey(
            recognition=self.recognition,
            frames=dialogue.frames,
            first_us=self.first_us or 0,
            last_us=self.last_us,
            messages=tuple(self.timing.stats),
            introductions=self.introductions,
            phases=tuple(self.phases.spans),
            transfers=counts,
            deviations=tuple(findings.deviations),
            violations=tuple(findings.violations),
            timing=timing,
            foreign_frames=dialogue.foreign_frames,
            foreign=dict(Counter(dialogue.foreign).most_common(KEPT_FOREIGN)),
            foreign_identifiers=len(dialogue.foreign),
            dropped={kind: count for kind, count in dropped.items() if count},
            extended=dialogue.catalogue.extended,
        )


def survey(
    records: Iterable[Record],
    recognition: Recognition,
    resolution_us: int | None,
    catalogue: Catalogue | None = None,
) -> Survey:
    """Survey one channel; the resolution decides which periods can be judged, None that none can.

    The catalogue is that of what was recognised unless another is given.
    """
    return _Surveyor(recognition, resolution_us, catalogue).run(records)
