"""All that a monitor knows of a bus at a moment, without a clock, a link or a terminal.

    state = MonitorState(link.caps, link.now())
    state.receive(frame, at); state.link_event(event); state.pass_time(now)
    state.snapshot(now)

Memory is bounded however long it watches.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec
from msgspec.structs import replace

from swapproto.cli.monitor_charge import ChargeWatch, Extreme, Reading
from swapproto.cli.monitor_load import Load, LoadMeter
from swapproto.cli.monitor_notes import Note, Notes
from swapproto.cli.monitor_pack import PackSide
from swapproto.cli.monitor_periods import Period, Periods
from swapproto.frame import MICROSECOND, CanFrame, Instant
from swapproto.link import LinkCaps, LinkEvent, LinkEventKind
from swapproto.messages.gbt27930 import Edition
from swapproto.messages.pack_can.snapshot import Alarm
from swapproto.observe.findings import DeviationSum, Violation
from swapproto.trace.record import Record

_WARNED = frozenset({LinkEventKind.TOLD, LinkEventKind.INJECTED, LinkEventKind.ERROR_ACTIVE})
"""Events that are no reason for alarm."""


class Partner(msgspec.Struct, frozen=True):
    """A sender that was heard, with its J1939 address."""

    name: str
    address: int
    family: str
    at: Instant


class MonitorSnapshot(msgspec.Struct, frozen=True):
    """What there is to show; instants are the link's."""

    at: Instant
    began: Instant
    caps: LinkCaps
    frames: int
    foreign: int
    """Frames that belong to neither family."""
    load: Load
    edition: str
    phase: str | None
    in_error: bool
    attempt: int
    """Counted from one."""
    partners: tuple[Partner, ...]
    readings: tuple[Reading, ...]
    extremes: tuple[Extreme, ...]
    facts: tuple[tuple[str, str], ...]
    alarms: tuple[str, ...]
    periods: tuple[Period, ...]
    late: int | None
    """Late intervals of all messages; None where none can be judged."""
    deviations: tuple[DeviationSum, ...]
    violations: tuple[Violation, ...]
    dropped: int
    """Findings beyond those that are kept."""
    lost_transfers: int
    link_events: dict[LinkEventKind, int]
    notes: tuple[Note, ...]
    """The last ones, the oldest first."""

    @property
    def elapsed(self) -> Instant:
        return self.at - self.began


class MonitorState:
    """Takes what is heard on one channel; both families are looked for."""

    def __init__(self, caps: LinkCaps, now: Instant, edition: Edition | None = None) -> None:
        self.notes = Notes()
        self._caps = caps
        self._began = now
        self._periods = Periods(max(1, caps.stamp_resolution // MICROSECOND), batched=caps.batched)
        self._charge = ChargeWatch(self.notes, self._periods, edition)
        self._pack = PackSide(self.notes, self._periods, caps.name)
        self._load = LoadMeter(caps.bitrate, now)
        self._frames = 0
        self._events: Counter[LinkEventKind] = Counter()
        self._away = False
        self._told: set[str] = set()

    def receive(self, frame: CanFrame, at: Instant) -> None:
        self._frames += 1
        self._load.add(frame, at)
        if frame.remote:
            return
        record = Record.of(frame, at, channel=self._caps.name)
        if not self._pack.receive(record):
            self._charge.receive(record)

    def link_event(self, event: LinkEvent) -> None:
        """What befell the link; across a gap no period is counted and nobody counts as silent."""
        self._events[event.kind] += event.count
        text = f"link: {event.kind.value}{': ' if event.text else ''}{event.text}"
        self.notes.add(event.at, text, times=event.count, alarming=event.kind not in _WARNED)
        if event.kind in (LinkEventKind.CLOSED, LinkEventKind.REOPENED):
            self._away = event.kind is LinkEventKind.CLOSED
        if event.gap:
            self._periods.interrupt()
            self._pack.interrupt(event.at // MICROSECOND)

    def pass_time(self, now: Instant) -> None:
        """Do what takes time to tell: silences, the edition, new findings. Some times a second is enough."""
        self._charge.pass_time(now // MICROSECOND)
        self._charge.recognise(now)
        if not self._away:
            self._pack.pass_time(now // MICROSECOND)
        self._tell_findings()
        self.notes.pass_time(now)

    def snapshot(self, now: Instant) -> MonitorSnapshot:
        charge, pack, phases = self._charge, self._pack, self._charge.phases
        known = pack.snapshot
        recognised = charge.recognised
        findings = (charge.findings, pack.watch.findings)
        return MonitorSnapshot(
            at=now,
            began=self._began,
            caps=self._caps,
            frames=self._frames,
            foreign=charge.foreign_frames,
            load=self._load.load(now),
            edition=(
                charge.edition.value if charge.edition is not None
                else "unknown" if recognised is None else recognised.value
            ),
            phase=None if phases.phase is None else phases.phase.value,
            in_error=phases.error is not None,
            attempt=phases.attempt + 1,
            partners=(
                *(
                    Partner(party.label, party.value, "GB/T 27930", last * MICROSECOND)
                    for party, last in charge.parties
                ),
                *(
                    Partner(unit.label, unit.value, "pack CAN", last * MICROSECOND)
                    for unit, last in pack.parties
                ),
            ),
            readings=(*charge.readings(), *(() if known is None else pack.readings(known))),
            extremes=(*charge.extremes(), *(() if known is None else pack.extremes(known))),
            facts=() if known is None else tuple(pack.facts(known)),
            alarms=(*charge.alarms(), *(() if known is None else _alarms(known.alarms))),
            periods=self._periods.rows(now // MICROSECOND, charge.coming | pack.coming),
            late=self._periods.late,
            deviations=tuple(replace(each) for one in findings for each in one.deviations),
            violations=tuple(replace(each) for each in charge.findings.violations),
            dropped=sum(one.dropped_deviations + one.dropped_violations for one in findings),
            lost_transfers=charge.lost_transfers,
            link_events=dict(self._events),
            notes=tuple(self.notes.kept),
        )  # fmt: skip

    def _tell_findings(self) -> None:
        for one in (self._charge.findings, self._pack.watch.findings):
            for each in one.deviations:
                place = each.message if each.field is None else f"{each.message}.{each.field}"
                kind = "unreadable" if each.kind is None else each.kind.value
                self._tell(f"deviation: {place}: {kind}: {each.example}", each.first_us)
            for found in one.violations:
                name = "" if found.message is None else f"{found.message}: "
                self._tell(f"violation: {found.kind.value}: {name}{found.text}", found.first_us)

    def _tell(self, text: str, at_us: int) -> None:
        if text not in self._told:
            self._told.add(text)
            self.notes.add(at_us * MICROSECOND, text, alarming=True)


def _alarms(alarms: Iterable[Alarm]) -> Iterator[str]:
    for alarm in alarms:
        level = "" if alarm.level is None else f" level {alarm.level}"
        yield f"{alarm.message} {alarm.name.replace('_', ' ')}{level}"
