"""The judge: a pure function of the trace, the case's requirements and which party is under test."""

import re
from io import BytesIO

import msgspec

from swapproto.messages.gbt27930 import Party
from swapproto.trace.candump import read_candump, write_candump
from swapproto.trace.record import Trace
from swapproto_conformance.bench import Run
from swapproto_conformance.case import Case
from swapproto_conformance.evidence import Evidence, Precision
from swapproto_conformance.judges import Judge
from swapproto_conformance.requirement import Catalogue
from swapproto_conformance.verdict import Finding

_NUMBER = re.compile(r"[0-9]{1,18}")


class Watch(msgspec.Struct, frozen=True):
    """What a trace says of its own making, in the comments at its head."""

    quiet_us: int = 0
    """How long the bus was watched beyond the last frame; a difference, so that shifted stamps keep it."""
    resolution_us: int = 1
    lateness_us: int = 0


def trace_of(run: Run) -> bytes:
    """The evidence of a run: a candump log whose head says how long the bus was watched and how well."""
    last = run.records[-1].at_us if run.records else 0
    quiet = max(0, run.duration_us - last)
    watch = Watch(quiet, run.precision.resolution_us, run.precision.lateness_us)
    return write_candump(
        run.records, [f"{name} = {value}" for name, value in msgspec.structs.asdict(watch).items()]
    )


def read_trace(content: bytes, source: str = "") -> Trace:
    """A log with the comments at its head among its notes, where `judge` looks for them."""
    head: list[str] = []
    for line in BytesIO(content):
        if not line.startswith(b"#"):
            break
        head.append(line[1:].decode("ascii", "backslashreplace").strip())
    trace = read_candump(content, source)
    return msgspec.structs.replace(trace, notes=(*head, *trace.notes))


def watch_of(trace: Trace) -> Watch:
    """Read back from the head; a log from elsewhere has none, and its resolution is found from its stamps."""
    found = Watch(resolution_us=trace.resolution_us or 1)
    values: dict[str, int] = {}
    for note in trace.notes:
        name, _, value = (part.strip() for part in note.partition("="))
        if name in Watch.__struct_fields__ and _NUMBER.fullmatch(value):
            values[name] = int(value)
    return msgspec.structs.replace(found, **values)


def judge(trace: Trace, iut: Party, judges: tuple[Judge, ...], catalogue: Catalogue) -> tuple[Finding, ...]:
    """One finding for each judge; nobody but the trace is asked."""
    watch = watch_of(trace)
    precision = Precision(watch.resolution_us, watch.lateness_us)
    evidence = Evidence(trace.records, iut, precision, quiet_us=watch.quiet_us)
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
