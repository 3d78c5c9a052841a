"""Judges: pure functions of the evidence, each about one requirement. Composed by the cases as data."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Protocol

import msgspec

from swapproto.frame import MILLISECOND
from swapproto.j1939 import GLOBAL_ADDRESS
from swapproto.messages.gbt27930 import ChargingMessage
from swapproto.messages.gbt27930.timers import Timer, period_tolerance
from swapproto.observe.dialogue import TimedMessage
from swapproto.transport.timing import J1939_21
from swapproto.transport.watch import Transfer, Unfinished
from swapproto_conformance.anchor import Anchor, has
from swapproto_conformance.decision import Limit, decide
from swapproto_conformance.evidence import Evidence
from swapproto_conformance.script import wording
from swapproto_conformance.verdict import Verdict, ceiling

US = 1_000
SHOWN = 6
"""Pieces of evidence that a finding points at, at the most."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a judge saw, before the requirement's basis is weighed."""

    verdict: Verdict
    expected: str
    observed: str
    reason: str = ""
    examined: int = 0
    at_us: tuple[int, ...] = ()


class Judge(Protocol):
    """About one requirement; sees the evidence and nothing else."""

    @property
    def requirement(self) -> str: ...

    def judge(self, evidence: Evidence) -> Outcome: ...


def _stamps(messages: Sequence[TimedMessage]) -> tuple[int, ...]:
    return tuple(each.at_us for each in messages[:SHOWN])


def _not_reached(expected: str, anchor: Anchor) -> Outcome:
    """The precondition is missing: nothing can be said about the device, and no pass is vacuous."""
    return Outcome(
        verdict=Verdict.INCONCLUSIVE,
        expected=expected,
        observed="nothing",
        reason=f"{anchor} is not in the trace",
    )


def _optional(expected: str, name: str) -> Outcome:
    return Outcome(
        verdict=Verdict.NOT_APPLICABLE, expected=expected, observed=f"no {name}", reason=f"{name} is optional"
    )


def values(seen: TimedMessage) -> str:
    """A message with its fields, short."""
    message = seen.reading.message
    if message is None:
        return f"{seen.cls.__name__} that cannot be read: {seen.reading.error}"
    odd = [
        f"{name} = {getattr(value, 'label', value)}"
        for name in message.__struct_fields__
        if (value := getattr(message, name)) is not None
    ]
    return f"{seen.cls.__name__} ({', '.join(odd)})"


class Layout(msgspec.Struct, frozen=True):
    """Every message of the class as the tables have it: length, values, reserved bits as ones, priority."""

    cls: type[ChargingMessage]

    @property
    def requirement(self) -> str:
        return f"GBT27930-2015/message/{self.cls.__name__}-layout"

    def judge(self, evidence: Evidence) -> Outcome:
        name = self.cls.__name__
        expected = f"{name} of {_length(self.cls)}, defined values, reserved bits as ones, priority"
        expected = f"{expected} {self.cls.priority}"
        seen = evidence.of(self.cls)
        odd = [each for each in seen if _departures(each)]
        if not seen and self.cls.optional:
            return _optional(expected, name)
        if not odd:
            observed = f"{len(seen)} {name} as laid down" if seen else f"no {name}"
            return Outcome(
                verdict=Verdict.PASS,
                expected=expected,
                observed=observed,
                examined=len(seen),
                at_us=_stamps(seen[:1]),
            )
        return Outcome(
            verdict=Verdict.FAIL,
            expected=expected,
            observed=f"{len(odd)} of {len(seen)} {name} depart: {'; '.join(_departures(odd[0]))}",
            examined=len(seen),
            at_us=_stamps(odd),
        )


def _departures(seen: TimedMessage) -> list[str]:
    """The transport protocol has a priority of its own, so that only a single frame shows the message's."""
    reading = seen.reading
    found = [str(reading.error)] if reading.error is not None else [str(each) for each in reading.deviations]
    if seen.priority is not None and seen.priority != seen.cls.priority:
        found.append(f"priority {seen.priority}")
    return found


def _length(cls: type[ChargingMessage]) -> str:
    if cls.layout.tail is not None:
        return "any number of whole items"
    return f"{' or '.join(map(str, cls.layout.lengths))} bytes"


class Periodic(msgspec.Struct, frozen=True):
    """Sent with the period of the tables between two anchors; the median decides, outliers are counted."""

    cls: type[ChargingMessage]
    after: Anchor | None = None
    before: Anchor | None = None
    to_the_end: bool = False
    """Whether it is due until the interval is over: beats that are missing there count as outliers."""

    OUTLIERS = 10
    """Per cent of the intervals that may be off by more than half a period."""

    @property
    def requirement(self) -> str:
        return f"GBT27930-2015/message/{self.cls.__name__}-period"

    def judge(self, evidence: Evidence) -> Outcome:
        period = self.cls.period()
        assert period is not None, "only cyclic messages have a period"
        tolerance = period_tolerance(self.cls.__name__, period)
        limit = Limit(period // US, tolerance.value // US)
        expected = (
            f"{self.cls.__name__} every {period // MILLISECOND} ms ± {tolerance.value / MILLISECOND:g} ms"
        )
        span = _span(evidence, self.after, self.before)
        if isinstance(span, Anchor):
            return _not_reached(expected, span)
        starts = [each.started_us for each in evidence.of(self.cls, after=span[0], before=span[1])]
        if not starts and self.cls.optional:
            return _optional(expected, self.cls.__name__)
        intervals = [later - earlier for earlier, later in pairwise(starts)]
        if not intervals:
            return Outcome(
                verdict=Verdict.INCONCLUSIVE,
                expected=expected,
                observed=f"{len(starts)} {self.cls.__name__}",
                reason="an interval needs two messages",
            )
        middle = round(median(intervals))
        verdict, reason = decide(middle, limit, evidence.precision.uncertainty_us)
        far = [
            i
            for i, gap in enumerate(intervals)
            if decide(gap, limit, evidence.precision.uncertainty_us)[0] is Verdict.FAIL
        ]
        missing = self._missing(evidence, starts[-1], span[1]) if self.to_the_end else 0
        if (len(far) + missing) * 100 > self.OUTLIERS * (len(intervals) + missing):
            silent = f", and {missing} are missing at the end" if missing else ""
            verdict, reason = (
                Verdict.FAIL,
                f"{len(far)} of {len(intervals)} intervals are off by more than half a period{silent}",
            )
        spread = f"{min(intervals) / US:g} to {max(intervals) / US:g} ms"
        observed = f"median {middle / US:g} ms, {spread} over {len(intervals)} intervals"
        where = [starts[i + 1] for i in far[:SHOWN]] or starts[:2]
        return Outcome(
            verdict=verdict,
            expected=expected,
            observed=observed,
            reason=reason,
            examined=len(intervals),
            at_us=tuple(where),
        )

    def _missing(self, evidence: Evidence, last: int, before: int | None) -> int:
        """Beats that were due between the last message and the end; a transfer on its way is one."""
        begun = [
            each.transfer.started // US
            for each in evidence.transfers
            if each.transfer.pgn == self.cls.pgn and each.transfer.source == self.cls.source_address
        ]
        end = evidence.end_us if before is None else before
        period = (self.cls.period() or 0) // US
        known = max([last, *(start for start in begun if start < end)])
        return max(0, (end - known - evidence.precision.uncertainty_us - period // 2) // period)


def _span(
    evidence: Evidence, after: Anchor | None, before: Anchor | None
) -> tuple[int | None, int | None] | Anchor:
    """Stamps of the two anchors; the anchor itself where the first one is missing."""
    low = high = None
    if after is not None:
        start = after.find(evidence)
        if start is None:
            return after
        low = start.at_us
    if before is not None:
        stop = before.find(evidence)
        high = None if stop is None else stop.at_us
    return low, high


class Follows(msgspec.Struct, frozen=True, kw_only=True):
    """A message comes after an anchor, within a time; an answer from before its cause does not count."""

    requirement: str
    cls: type[ChargingMessage]
    where: tuple[tuple[str, object], ...] = ()
    after: Anchor
    within: Timer
    early: bool = False
    """Whether coming much sooner than the timer is wrong too, as for a report of a timeout."""
    slack_ms: int = 0
    """What the wait may take longer for reasons outside the timer, such as the message's own period."""

    def judge(self, evidence: Evidence) -> Outcome:
        name = self.cls.__name__ + wording(self.where)
        nominal = self.within.value // US
        limit = Limit(nominal, nominal // 10, self.early, self.slack_ms * US)
        expected = f"{name} {limit} after {self.after}"
        anchor = self.after.find(evidence)
        if anchor is None:
            return _not_reached(expected, self.after)
        candidates = evidence.of(self.cls, after=anchor.at_us)
        answer = next((each for each in candidates if has(each, self.where)), None)
        if answer is None:
            return self._missing(evidence, anchor, candidates, expected, limit)
        waited = answer.started_us - anchor.at_us
        verdict, reason = self._weighed(*decide(waited, limit, evidence.precision.uncertainty_us))
        observed = f"{name} after {waited / US:g} ms"
        before = [each for each in candidates if each.at_us < answer.at_us]
        if before and self.early:
            observed += f", after {len(before)} other {self.cls.__name__}, first {values(before[0])}"
        return Outcome(
            verdict=verdict,
            expected=expected,
            observed=observed,
            reason=reason,
            examined=1,
            at_us=(anchor.at_us, answer.at_us),
        )

    def _weighed(self, verdict: Verdict, reason: str) -> tuple[Verdict, str]:
        """A time limit that fewer than two sources report makes no answer too late."""
        source = self.within.source
        if verdict is not Verdict.FAIL or ceiling(source.basis, source.witnesses) is Verdict.FAIL:
            return verdict, reason
        return Verdict.INCONCLUSIVE, f"{reason}; the time limit ({source}) cannot fail a device"

    def _missing(
        self,
        evidence: Evidence,
        anchor: TimedMessage,
        others: Sequence[TimedMessage],
        expected: str,
        limit: Limit,
    ) -> Outcome:
        watched = evidence.end_us - anchor.at_us
        instead = (
            f"{len(others)} {self.cls.__name__}, first {values(others[0])}"
            if others
            else f"no {self.cls.__name__}"
        )
        observed = f"{instead} in {watched / US:g} ms"
        late = decide(watched, limit, evidence.precision.uncertainty_us)[0] is Verdict.FAIL
        # A report that names something else is wrong whenever it comes.
        wrong = self.early and bool(others)
        long_enough = wrong or (watched > limit.nominal and late)
        return Outcome(
            verdict=Verdict.FAIL if long_enough else Verdict.INCONCLUSIVE,
            expected=expected,
            observed=observed,
            reason="" if long_enough else "the trace ends before the wait is over",
            examined=1,
            at_us=(anchor.at_us, *_stamps(others[:2])),
        )


class Never(msgspec.Struct, frozen=True, kw_only=True):
    """A message does not come between two anchors, while the device is there to send it."""

    requirement: str
    cls: type[ChargingMessage]
    where: tuple[tuple[str, object], ...] = ()
    after: Anchor | None = None
    before: Anchor | None = None
    grace_ms: int = 0
    """How long after the first anchor it may still come."""
    silence_counts: bool = False
    """Whether a device that says nothing at all any more does what it should."""

    def judge(self, evidence: Evidence) -> Outcome:
        name = self.cls.__name__ + wording(self.where)
        since = (
            ""
            if self.after is None
            else f" after {self.after}" + (f" and {self.grace_ms} ms" if self.grace_ms else "")
        )
        expected = f"no {name}{since}" + ("" if self.before is None else f" before {self.before}")
        span = _span(evidence, self.after, self.before)
        if isinstance(span, Anchor):
            return _not_reached(expected, span)
        low = None if span[0] is None else span[0] + self.grace_ms * US
        wrong = [each for each in evidence.of(self.cls, after=low, before=span[1]) if has(each, self.where)]
        alive = evidence.alive(low, span[1])
        if self.silence_counts and low is not None and evidence.end_us > low:
            alive = max(1, alive)
        if wrong:
            return Outcome(
                verdict=Verdict.FAIL,
                expected=expected,
                observed=f"{len(wrong)} {name}, first {values(wrong[0])}",
                examined=alive,
                at_us=_stamps(wrong),
            )
        return Outcome(
            verdict=Verdict.PASS,
            expected=expected,
            observed=f"none among {alive} messages of the device",
            examined=alive,
        )


class Always(msgspec.Struct, frozen=True, kw_only=True):
    """Every message of the class between two anchors holds the values."""

    requirement: str
    cls: type[ChargingMessage]
    where: tuple[tuple[str, object], ...]
    after: Anchor | None = None
    before: Anchor | None = None

    def judge(self, evidence: Evidence) -> Outcome:
        expected = f"each {self.cls.__name__}{wording(self.where)}" + (
            "" if self.after is None else f" after {self.after}"
        )
        span = _span(evidence, self.after, self.before)
        if isinstance(span, Anchor):
            return _not_reached(expected, span)
        seen = evidence.of(self.cls, after=span[0], before=span[1])
        wrong = [each for each in seen if not has(each, self.where)]
        if not seen:
            return Outcome(
                verdict=Verdict.INCONCLUSIVE,
                expected=expected,
                observed=f"no {self.cls.__name__}",
                reason="the device did not send the message that carries it",
            )
        return Outcome(
            verdict=Verdict.FAIL if wrong else Verdict.PASS,
            expected=expected,
            observed=f"{len(wrong)} of {len(seen)} differ, first {values(wrong[0])}"
            if wrong
            else f"{len(seen)} of them",
            examined=len(seen),
            at_us=_stamps(wrong or seen[:1]),
        )


class Occurs(msgspec.Struct, frozen=True, kw_only=True):
    """A message comes at all while the bus is watched, where nothing in the trace says since when."""

    requirement: str
    cls: type[ChargingMessage]
    where: tuple[tuple[str, object], ...] = ()

    def judge(self, evidence: Evidence) -> Outcome:
        name = self.cls.__name__ + wording(self.where)
        seen = [each for each in evidence.of(self.cls) if has(each, self.where)]
        return Outcome(
            verdict=Verdict.PASS if seen else Verdict.FAIL,
            expected=f"{name} at some time",
            observed=f"{len(seen)} {name}",
            examined=max(1, len(seen)),
            at_us=_stamps(seen[:1]),
        )


class Depending(msgspec.Struct, frozen=True, kw_only=True):
    """Where two ways are lawful: one judge if the anchor is in the trace, else the other, if there is one."""

    when: Anchor
    then: Judge
    otherwise: Judge | None = None

    @property
    def requirement(self) -> str:
        return self.then.requirement

    def judge(self, evidence: Evidence) -> Outcome:
        if self.when.find(evidence) is not None:
            return self.then.judge(evidence)
        if self.otherwise is not None:
            return self.otherwise.judge(evidence)
        return Outcome(
            verdict=Verdict.NOT_APPLICABLE,
            expected=f"what follows {self.when}",
            observed=f"no {self.when.cls.__name__}{wording(self.when.where)}",
            reason="the device took the other lawful way",
        )


class Transferred(msgspec.Struct, frozen=True):
    """Every transfer of the message that was begun came to its end and was acknowledged."""

    cls: type[ChargingMessage]
    requirement: str = "GBT27930-2015/transport/connection-mode"

    def judge(self, evidence: Evidence) -> Outcome:
        expected = f"{self.cls.__name__} whole over the transport protocol"
        ours = [
            each
            for each in evidence.transfers
            if each.transfer.pgn == self.cls.pgn and each.transfer.source == evidence.iut.value
        ]
        # A transfer that is still running when the case ends says nothing.
        cut = evidence.end_us - J1939_21.silence // US
        ours = [each for each in ours if _complete(each.transfer) or each.transfer.started // US < cut]
        broken = [each for each in ours if not _complete(each.transfer)]
        if not ours and self.cls.optional and not evidence.of(self.cls):
            return _optional(expected, self.cls.__name__)
        observed = f"{len(ours)} transfers"
        if broken:
            observed = f"{len(broken)} of {len(ours)} transfers broken: {_why(broken[0].transfer)}"
        return Outcome(
            verdict=Verdict.FAIL if broken else Verdict.PASS,
            expected=expected,
            observed=observed,
            examined=len(ours),
            at_us=tuple(each.at_us for each in (broken or ours)[:SHOWN]),
        )


def _complete(transfer: Transfer | Unfinished) -> bool:
    return isinstance(transfer, Transfer) and transfer.acknowledged


def _why(transfer: Transfer | Unfinished) -> str:
    if isinstance(transfer, Transfer):
        return "broadcast" if transfer.destination == GLOBAL_ADDRESS else "never acknowledged"
    return f"{transfer.ending.value} {transfer.reason}".strip()
