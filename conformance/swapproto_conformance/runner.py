"""The runner: case after case into the one stream of events, with the traces beside it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from zlib import crc32

import msgspec

from swapproto import __version__
from swapproto.atomic import write_atomically
from swapproto.messages.catalog import Catalogue as MessageCatalogue
from swapproto.messages.gbt27930 import Party
from swapproto.trace.record import Trace
from swapproto_conformance import pair
from swapproto_conformance.bench import LinkBench, Run, Runner, run_pair
from swapproto_conformance.case import Case
from swapproto_conformance.events import CaseFinished, CaseStarted, EventStream, RunFinished, RunStarted
from swapproto_conformance.judge import judge_case, read_trace, trace_of
from swapproto_conformance.pixit import Pixit
from swapproto_conformance.requirement import Catalogue, Requirement
from swapproto_conformance.requirements import gbt27930_2015
from swapproto_conformance.results import Bench, CaseHead, CaseResult, Kind, RunInfo, Standard
from swapproto_conformance.selection import Selection
from swapproto_conformance.staging import TRACES
from swapproto_conformance.tester import Tester
from swapproto_conformance.verdict import Conclusion, Finding, Verdict, conclude

STANDARDS = (
    Standard(name="GB/T 27930-2015", state="withdrawn 2024-04-01, replaced by GB/T 27930-2023"),
    Standard(name="GB/T 34658-2017", state="replaced 2026-03-01 by GB/T 34658-2025"),
)
"""Catalogue facts; both are what public sources describe, and neither text was read."""
PROFILE = "gbt27930-2015"


class Plan(msgspec.Struct, frozen=True):
    """One run, decided."""

    selection: Selection
    seed: int
    pixit: Pixit
    folder: Path
    """Where the traces go, into a folder ``traces``."""


class Suite:
    """Runs a plan. Traces are written as the cases end, and kept in ``traces`` for the report."""

    def __init__(self, plan: Plan, stream: EventStream, traces: dict[str, Trace]) -> None:
        self._traces = traces
        self._plan = plan
        self._stream = stream
        self._catalogue = gbt27930_2015()
        self._messages = MessageCatalogue()
        self._benches: dict[Party, Runner] = {}

    def run(self) -> None:
        """LinkUnavailable before the first event where a device is out of reach; later nothing raises."""
        plan, stream = self._plan, self._stream
        try:
            for each in plan.selection.devices:
                self._benches[each.party] = each.bench(plan.pixit)
            heads = [case.head() for case in plan.selection.cases] + (
                [pair.HEAD] if plan.selection.pair else []
            )
            stream.emit(RunStarted(self._info(), tuple(heads)))
            for case in plan.selection.cases:
                stream.emit(CaseStarted(case.head()))
                stream.emit(CaseFinished(self._one(case)))
            if plan.selection.pair:
                stream.emit(CaseStarted(pair.HEAD))
                stream.emit(CaseFinished(self._pair()))
            stream.emit(RunFinished(self._bench()))
        finally:
            for bench in self._benches.values():
                if isinstance(bench, LinkBench):
                    bench.close()

    def _one(self, case: Case) -> CaseResult:
        if case.needs:
            return _result(case.head(), Conclusion(Verdict.INCONCLUSIVE, f"needs {case.needs}"))
        if lacking := self._benches[case.iut].lacks(case.actions):
            return _result(case.head(), Conclusion(Verdict.INCONCLUSIVE, f"needs {lacking}"))
        # The tester is told the script and the side to play, and nothing about the device.
        tester = Tester(
            case.script, case.iut.peer, catalogue=self._messages, answer_transport=case.answer_transport
        )
        stimulus = tuple(map(str, case.script))
        try:
            run = self._benches[case.iut].run(tester, case.limit, self._seed(case.id))
            if run.unready is not None:
                return _result(case.head(), Conclusion(Verdict.INCONCLUSIVE, run.unready))
            if tester.gave_up is not None:
                stimulus += (f"the tester waited in vain at {tester.gave_up!r} and ended the script there",)
            trace, digest, name = self._keep(case.id, run)
            findings = judge_case(case, trace, self._catalogue)
        except Exception as error:  # noqa: BLE001  (the next case runs)
            return _result(
                case.head(), conclude((), error=f"{type(error).__name__}: {error}"), stimulus=stimulus
            )
        conclusion = conclude(findings, error=run.fault)
        return _result(case.head(), conclusion, findings, stimulus, name, digest, run.duration_us)

    def _pair(self) -> CaseResult:
        by_party = {each.party: each for each in self._plan.selection.devices}
        try:
            charger, battery = by_party[Party.CHARGER].build(), by_party[Party.BMS].build()
            run = run_pair(charger, battery, limit=pair.LIMIT, seed=self._seed(pair.HEAD.id))
            trace, digest, name = self._keep(pair.HEAD.id, run)
            findings = pair.judge_pair(trace, self._catalogue)
        except Exception as error:  # noqa: BLE001  (as above)
            return _result(pair.HEAD, conclude((), error=f"{type(error).__name__}: {error}"))
        return _result(
            pair.HEAD,
            conclude(findings, error=run.fault),
            findings,
            pair.STIMULUS,
            name,
            digest,
            run.duration_us,
        )

    def _keep(self, case_id: str, run: Run) -> tuple[Trace, str, str]:
        """Write the trace, and read it back: what is judged is what stands in the file."""
        content = trace_of(run)
        name = f"{TRACES}/{case_id}.log"
        write_atomically(self._plan.folder / name, content)
        trace = read_trace(content, name)
        self._traces[case_id] = trace
        return trace, sha256(content).hexdigest(), name

    def _seed(self, case_id: str) -> int:
        """Each case has its own, so that leaving one out changes no other."""
        return self._plan.seed + crc32(case_id.encode())

    def _bench(self) -> Bench:
        described = [bench.describe() for bench in self._benches.values()]
        return max(described, key=lambda bench: (bench.lateness_us or 0, bench.stamp_resolution_us))

    def _info(self) -> RunInfo:
        selection = self._plan.selection
        return RunInfo(
            suite_version=__version__,
            kind=kind(selection),
            created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            profile=PROFILE,
            standards=STANDARDS,
            devices=tuple(each.device() for each in selection.devices),
            bench=self._bench(),
            seeds={"run": self._plan.seed},
            requirements=_requirements(selection, self._catalogue),
            not_selected=selection.left_out,
        )


def kind(selection: Selection) -> Kind:
    """A run of devices that the suite brings along proves nothing about any product."""
    return "self-test" if all(each.built_in is not None for each in selection.devices) else "certification"


def _requirements(selection: Selection, catalogue: Catalogue) -> tuple[Requirement, ...]:
    used = {judge.requirement for case in selection.cases for judge in case.judges}
    if selection.pair:
        used |= {judge.requirement for judge in pair.CHARGER + pair.PACK}
    return tuple(each for each in catalogue if each.id in used)


def _result(
    head: CaseHead,
    conclusion: Conclusion,
    findings: Sequence[Finding] = (),
    stimulus: tuple[str, ...] = (),
    trace_file: str | None = None,
    digest: str | None = None,
    duration_us: int = 0,
) -> CaseResult:
    return CaseResult(
        id=head.id,
        title=head.title,
        role=head.role,
        polarity=head.polarity,
        phase=head.phase,
        labels=head.labels,
        verdict=conclusion.verdict,
        reason=conclusion.reason,
        findings=tuple(findings),
        stimulus=stimulus,
        trace_file=trace_file,
        trace_sha256=digest,
        duration_us=duration_us,
    )
