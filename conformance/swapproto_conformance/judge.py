"""The judge: a pure function of the trace, the case's requirements and which party is under test."""

import msgspec

from swapproto.messages.gbt27930 import Party
from swapproto.trace.candump import write_candump
from swapproto.trace.record import Trace
from swapproto_conformance.bench import Run
from swapproto_conformance.case import Case
from swapproto_conformance.evidence import Evidence, Precision
from swapproto_conformance.judges import Judge
from swapproto_conformance.requirement import Catalogue
from swapproto_conformance.verdict import Finding


class Watch(msgspec.Struct, frozen=True):
    """What a trace says of its own making, in the comments at its head."""

    watched_us: int | None = None
    resolution_us: int = 1
    lateness_us: int = 0


def trace_of(run: Run) -> bytes:
    """The evidence of a run: a candump log whose head says how long the bus was watched and how well."""
    watch = Watch(run.duration_us, run.precision.resolution_us, run.precision.lateness_us)
    return write_candump(
        run.records, [f"{name} = {value}" for name, value in msgspec.structs.asdict(watch).items()]
    )


def watch_of(trace: Trace) -> Watch:
    """Read back from the head; a log from elsewhere has none, and its resolution is found from its stamps."""
    found = Watch(resolution_us=trace.resolution_us or 1)
    values: dict[str, int] = {}
    for note in trace.notes:
        name, _, value = note.partition("=")
        if name.strip() in Watch.__struct_fields__ and value.strip().isdecimal():
            values[name.strip()] = int(value)
    return msgspec.structs.replace(found, **values)


def judge(trace: Trace, iut: Party, judges: tuple[Judge, ...], catalogue: Catalogue) -> tuple[Finding, ...]:
    """One finding for each judge; nobody but the trace is asked."""
    watch = watch_of(trace)
    precision = Precision(watch.resolution_us, watch.lateness_us)
    evidence = Evidence(trace.records, iut, precision, watched_us=watch.watched_us)
    return tuple(_finding(each, evidence, catalogue) for each in judges)


def judge_case(case: Case, trace: Trace, catalogue: Catalogue) -> tuple[Finding, ...]:
    return judge(trace, case.iut, case.judges, catalogue)


def _finding(each: Judge, evidence: Evidence, catalogue: Catalogue) -> Finding:
    outcome = each.judge(evidence)
    return catalogue[each.requirement].finding(
        outcome.verdict,
        expected=outcome.expected,
        observed=outcome.observed,
        reason=outcome.reason,
        examined=outcome.examined,
        at_us=outcome.at_us,
        frames=tuple(evidence.position(at) for at in outcome.at_us),
    )
