"""The judge as a pure function of the trace, over all cases; what a trace says of its own making."""

import ast
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import swapproto_conformance
from swapproto.frame import MILLISECOND
from swapproto.messages.catalog import Catalogue as Messages
from swapproto.messages.gbt27930 import CCS, CEM, CHM, CRM, CST, ChargingMessage, Party
from swapproto.trace.candump import read_candump, write_candump
from swapproto.trace.record import Record, Trace
from swapproto_conformance.bench import Run, VirtualBench
from swapproto_conformance.case import Case
from swapproto_conformance.cases import CASES
from swapproto_conformance.devices import REFERENCE_CHARGER, REFERENCE_PACK, press
from swapproto_conformance.evidence import Precision
from swapproto_conformance.judge import Watch, judge, judge_case, read_trace, trace_of, watch_of
from swapproto_conformance.judges import Depending, Judge, Never
from swapproto_conformance.requirements import gbt27930_2015
from swapproto_conformance.tester import Tester as ScriptedSide
from swapproto_conformance.verdict import Finding, Verdict

PASS, OPEN, ABSENT = Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.NOT_APPLICABLE
CATALOGUE = gbt27930_2015()
CHARGER = Party.CHARGER
OPENING = CHM(version_minor=1, version_major=1)
UNASKED = Never(requirement="GBT27930-2015/flow/CCS-while-charging", cls=CST)


JUDGES: tuple[tuple[Judge, Party], ...] = tuple(
    {(each, case.iut): None for case in CASES for each in case.judges}
)


def name(value: object) -> str:
    return f"{type(value).__name__}-{value.requirement}" if hasattr(value, "requirement") else str(value)


@pytest.mark.parametrize(("each", "iut"), JUDGES, ids=name)
def test_an_empty_trace_decides_nothing(each: Judge, iut: Party) -> None:
    found = judge(Trace(records=()), iut, (each,), CATALOGUE)[0]
    assert found.verdict in (OPEN, ABSENT)
    assert found.reason


def heard(case: Case, seed: int = 4) -> Run:
    """The case with a reference device that dies some time before the end."""
    build = REFERENCE_CHARGER.build if case.iut is CHARGER else REFERENCE_PACK.build
    tester = ScriptedSide(
        case.script, case.iut.peer, catalogue=Messages(), answer_transport=case.answer_transport
    )
    done = VirtualBench(build, press).run(tester, case.limit, seed)
    kept = done.records[: len(done.records) * 9 // 10]
    return Run(kept, done.duration_us, Precision(2, 30))


def at(ms: int, message: ChargingMessage) -> Record:
    return Record.of(message.frame(), ms * MILLISECOND)


def same(one: Finding, other: Finding, shift_us: int) -> None:
    moved = tuple(stamp + shift_us for stamp in one.at_us)
    assert msgspec.structs.replace(one, at_us=moved) == other


@pytest.mark.parametrize("case", [case for case in CASES if not case.needs], ids=lambda case: str(case.id))
def test_a_judge_is_a_pure_function_of_the_differences_of_stamps(case: Case) -> None:
    run = heard(case)
    trace = read_trace(trace_of(run))
    shifted = msgspec.structs.replace(
        trace,
        records=tuple(msgspec.structs.replace(each, at_us=each.at_us + 10**9) for each in trace.records),
    )
    once = judge_case(case, trace, CATALOGUE)
    assert judge_case(case, trace, CATALOGUE) == once
    for one, other in zip(once, judge_case(case, shifted, CATALOGUE), strict=True):
        same(one, other, 10**9)
    quiet = run.duration_us - run.records[-1].at_us
    assert watch_of(trace) == Watch(quiet, 2, 30)
    notes = (f"quiet_us = {quiet}", "resolution_us = 2", "lateness_us = 30")
    in_memory = Trace(records=run.records, notes=notes)
    assert judge_case(case, in_memory, CATALOGUE) == once


@pytest.mark.parametrize("case", [case for case in CASES if not case.needs], ids=lambda case: str(case.id))
def test_a_finding_points_at_frames_with_its_stamps(case: Case) -> None:
    trace = Trace(records=heard(case).records)
    for found in judge_case(case, trace, CATALOGUE):
        assert len(found.frames) == len(found.at_us)
        assert tuple(trace.records[frame].at_us for frame in found.frames) == found.at_us


def test_a_trace_says_how_it_was_made() -> None:
    run = Run((at(0, OPENING), at(250, OPENING)), 9_000_000, Precision(10, 700))
    assert watch_of(read_trace(trace_of(run))) == Watch(8_750_000, 10, 700)
    assert watch_of(read_trace(trace_of(Run((), 5_000_000, Precision())))) == Watch(5_000_000)


def test_a_log_from_elsewhere_says_nothing_of_its_making() -> None:
    content = write_candump([at(0, OPENING), at(250, OPENING), at(500, OPENING)])
    assert watch_of(read_trace(content)) == Watch(0, 250_000, 0)
    assert read_trace(content) == read_candump(content)


@given(st.binary(max_size=300))
def test_no_comment_is_too_odd(head: bytes) -> None:
    content = b"# quiet_us = " + head + b"\n# lateness_us=" + b"9" * 5000 + b"\n"
    watch = watch_of(read_trace(content))
    assert watch.lateness_us == 0
    judge(read_trace(content), CHARGER, (UNASKED,), CATALOGUE)


@given(
    st.lists(
        st.builds(
            Record,
            st.integers(0, 20_000_000),
            st.one_of(
                st.sampled_from(
                    [CCS.identifier(), CEM.identifier(), CRM.identifier(), 0x1CECF456, 0x1CEB56F4]
                ),
                st.integers(0, 0x1FFF_FFFF),
            ),
            st.binary(max_size=8),
        ),
        max_size=40,
    )
)
def test_no_trace_breaks_a_judge(records: list[Record]) -> None:
    trace = Trace(records=tuple(sorted(records, key=lambda record: record.at_us)))
    for iut in Party:
        found = judge(trace, iut, tuple(each for each, party in JUDGES if party is iut), CATALOGUE)
        for each in found:
            assert each.verdict is not Verdict.ERROR
            assert each.verdict is not PASS or each.examined > 0
            assert each.expected
            assert each.observed
            assert all(0 <= frame < len(records) for frame in each.frames)


FORBIDDEN = ("swapproto.session", "swapproto.models", "swapproto_conformance.devices", "swapproto_drivers")
SEEN_BY_JUDGES = ("judges", "evidence", "anchor", "decision", "verdict", "requirement", "script", "tester")


@pytest.mark.parametrize("module", SEEN_BY_JUDGES)
def test_judges_and_tester_know_no_role_machine_and_no_device(module: str) -> None:
    folder = Path(swapproto_conformance.__path__[0])
    tree = ast.parse((folder / f"{module}.py").read_text(encoding="utf-8"))
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert names
    assert not [each for each in names if each.startswith(FORBIDDEN)]


def test_no_status_of_the_pack_hides_in_a_charger_judge() -> None:
    """A message of the tester is never taken for one of the device: classes belong to one party."""
    for each, iut in JUDGES:
        ways = (each.then, each.otherwise) if isinstance(each, Depending) else (each,)
        for way in ways:
            kind = getattr(way, "cls", None)
            assert way is None or kind is not None
            assert kind is None or kind.sender is iut, each
