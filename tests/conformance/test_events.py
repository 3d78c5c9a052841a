"""The event stream: nothing is lost, and every report sees the same run."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swapproto.errors import LocalProtocolError
from swapproto_conformance.events import (
    CaseFinished,
    CaseStarted,
    Collector,
    Event,
    EventStream,
    FileReport,
    HarnessProblem,
    Progress,
    RunFinished,
    RunStarted,
)
from swapproto_conformance.junit import to_junit
from swapproto_conformance.results import (
    Bench,
    CaseHead,
    CaseResult,
    RunInfo,
    count,
    encode_results,
    read_results,
)
from swapproto_conformance.verdict import Verdict

RUN = RunInfo(
    suite_version="0.1.0",
    kind="certification",
    created="2026-01-02T03:04:05Z",
    profile="example",
    standards=(),
    devices=(),
    bench=Bench(name="bench", stamp_resolution_us=1),
)
HEADS = (
    CaseHead(id="C/1", title="one", role="charger", polarity="positive", phase="handshake"),
    CaseHead(id="C/2", title="two", role="charger", polarity="negative", phase="charging", labels=("D.1",)),
    CaseHead(id="P/1", title="pair", role="pair", polarity="positive", phase="charging"),
)


def done(head: CaseHead, verdict: Verdict = Verdict.PASS) -> CaseResult:
    return CaseResult(**msgspec.structs.asdict(head), verdict=verdict, reason="because")


def whole_run(verdict: Verdict = Verdict.PASS) -> list[Event]:
    events: list[Event] = [RunStarted(RUN, HEADS)]
    for head in HEADS:
        events += [CaseStarted(head), Progress(head.id, "handshake", 5), CaseFinished(done(head, verdict))]
    return [*events, RunFinished()]


class Broken:
    """Raises at one kind of event."""

    def __init__(self, at: type[Event]) -> None:
        self.at = at
        self.seen: list[Event] = []

    def __str__(self) -> str:
        return "the broken report"

    def handle(self, event: Event) -> None:
        self.seen.append(event)
        if isinstance(event, self.at):
            raise RuntimeError("no more ink")  # noqa: TRY004 - no type is wrong here


def emit(events: list[Event], *subscribers: Collector | Broken | FileReport) -> EventStream:
    stream = EventStream(*subscribers)
    for event in events:
        stream.emit(event)
    return stream


def test_a_run_is_folded() -> None:
    collector = Collector()
    stream = emit(whole_run(), collector)
    result = collector.result()
    assert [each.id for each in result.cases] == ["C/1", "C/2"]
    assert [each.id for each in result.interoperation] == ["P/1"]
    assert (result.problems, stream.problems) == ((), [])
    assert result.counts == count(result.cases)
    assert result.exit_code() == 0


def test_the_bench_measured_during_the_run_stands() -> None:
    collector = Collector()
    measured = Bench(name="bench", stamp_resolution_us=1, lateness_us=40)
    emit([RunStarted(RUN, ()), RunFinished(measured)], collector)
    assert collector.result().run.bench == measured


def test_no_result_before_a_run() -> None:
    with pytest.raises(LocalProtocolError, match="no run has started"):
        Collector().result()


@given(st.integers(1, len(whole_run()) - 1))
def test_a_run_that_is_cut_off_is_never_clean(length: int) -> None:
    collector = Collector()
    emit(whole_run()[:length], collector)
    result = collector.result()
    assert "the run did not finish" in result.problems
    assert result.exit_code() == 3
    shown = {each.id for each in result.cases + result.interoperation}
    assert all(head.id in shown or head.id in "".join(result.problems) for head in HEADS)


def test_a_case_without_an_end_is_an_error() -> None:
    collector = Collector()
    emit([RunStarted(RUN, HEADS[1:2]), CaseStarted(HEADS[1]), RunFinished()], collector)
    (lost,) = collector.result().cases
    assert lost == CaseResult(
        **msgspec.structs.asdict(HEADS[1]), verdict=Verdict.ERROR, reason="the case did not finish"
    )
    assert collector.result().exit_code() == 3


def test_a_selected_case_that_never_ran_is_missed() -> None:
    collector = Collector()
    emit([RunStarted(RUN, HEADS), CaseFinished(done(HEADS[0])), RunFinished()], collector)
    assert collector.result().problems == ("selected but not run: C/2, P/1",)


@pytest.mark.parametrize("order", [(Verdict.FAIL, Verdict.PASS), (Verdict.PASS, Verdict.FAIL)])
def test_a_second_try_paints_over_nothing(order: tuple[Verdict, Verdict]) -> None:
    collector = Collector()
    tries: list[Event] = [CaseFinished(done(HEADS[0], verdict)) for verdict in order]
    emit([RunStarted(RUN, HEADS[:1]), *tries, RunFinished()], collector)
    result = collector.result()
    assert [each.verdict for each in result.cases] == [Verdict.FAIL]
    assert result.problems == (f"C/1 was reported twice: {order[0].text}, then {order[1].text}",)


@pytest.mark.parametrize("at", [RunStarted, CaseStarted, Progress, CaseFinished, RunFinished])
def test_a_broken_subscriber_harms_nobody_else(at: type[Event]) -> None:
    broken, before, after = Broken(at), Collector(), Collector()
    stream = emit(whole_run(), before, broken, after)
    text = f"the broken report stopped at {at.__name__}: RuntimeError: no more ink"
    assert stream.problems == [text]
    assert before.result() == after.result()
    assert before.result().problems == (text,)
    assert len(before.result().cases) == 2
    assert before.result().exit_code() == 3
    assert sum(isinstance(event, at) for event in broken.seen) == 1


def test_subscribers_that_break_at_problems_end_too() -> None:
    collector = Collector()
    stream = emit(
        [RunStarted(RUN, ()), HarnessProblem("the bench hums"), RunFinished()],
        *(Broken(HarnessProblem) for _ in range(3)),
        collector,
    )
    assert len(stream.problems) == 4
    assert collector.result().problems == tuple(stream.problems)


def test_file_reports_agree_and_fail_apart(tmp_path: Path) -> None:
    collector = Collector()
    stream = emit(
        whole_run(Verdict.INCONCLUSIVE),
        FileReport(tmp_path / "none" / "page.html", encode_results),
        FileReport(tmp_path / "results.json", encode_results),
        FileReport(tmp_path / "junit.xml", to_junit),
        collector,
    )
    assert sorted(each.name for each in tmp_path.iterdir()) == ["junit.xml", "results.json"]
    written = read_results(tmp_path / "results.json")
    assert written.counts == collector.result().counts
    assert b'skipped="3"' in (tmp_path / "junit.xml").read_bytes()
    assert stream.problems[0].startswith("the report page.html stopped at RunFinished: FileError")
    assert collector.result().exit_code() == 3
