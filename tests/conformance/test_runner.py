"""The runner: seeds, what a fault does, and devices behind a link."""

import sys
from collections import deque
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from swapproto.errors import LinkClosed, LinkError, LinkUnavailable
from swapproto.frame import MICROSECOND, MILLISECOND, SECOND, CanFrame, Instant, Received
from swapproto.link import Link, LinkCaps, LinkEvent, Node
from swapproto.messages.catalog import Catalogue
from swapproto.messages.gbt27930 import BHM, CEM, Party, Timeout
from swapproto.plugins import open_link
from swapproto.trace.record import Trace
from swapproto_conformance import bench, selection
from swapproto_conformance.bench import LinkBench, Run
from swapproto_conformance.case import Case
from swapproto_conformance.cases import CASES
from swapproto_conformance.devices import REFERENCE, REFERENCE_CHARGER, REFERENCE_PACK, BuiltIn, press
from swapproto_conformance.events import Collector, EventStream
from swapproto_conformance.judge import judge_case, read_trace, trace_of
from swapproto_conformance.mutants import MUTANTS
from swapproto_conformance.pixit import Pixit, PixitError, Reset, parse_reset
from swapproto_conformance.requirements import gbt27930_2015
from swapproto_conformance.results import RunResult
from swapproto_conformance.runner import Plan, Suite
from swapproto_conformance.selection import UnderTest, select, under_test
from swapproto_conformance.staging import TRACES
from swapproto_conformance.tester import Tester as ScriptedSide
from swapproto_conformance.verdict import Conclusion, Verdict, conclude
from swapproto_drivers.virtual import VirtualLink

CHARGER = under_test(Party.CHARGER, REFERENCE)
PACK = under_test(Party.BMS, REFERENCE)
NEEDS = {case.id for case in CASES if case.needs}
MESSAGES, CATALOGUE = Catalogue(), gbt27930_2015()


def case_of(case_id: str) -> Case:
    return next(case for case in CASES if case.id == case_id)


# ---- runs


def run(folder: Path, devices: list[UnderTest], *patterns: str, seed: int = 1) -> RunResult:
    (folder / TRACES).mkdir(parents=True)
    collector = Collector()
    traces: dict[str, Trace] = {}
    Suite(Plan(select(devices, patterns), seed, Pixit(), folder), EventStream(collector), traces).run()
    result = collector.result()
    assert set(traces) == {case.id for case in result.cases + result.interoperation if case.trace_file}
    return result


def test_traces_stand_in_files_of_their_own(tmp_path: Path) -> None:
    result = run(tmp_path, [CHARGER, PACK], "charger.handshake.*", "pack.handshake.*")
    assert result.cases
    for case in result.cases:
        assert case.trace_file == f"traces/{case.id}.log"
        assert sha256((tmp_path / case.trace_file).read_bytes()).hexdigest() == case.trace_sha256
        assert case.stimulus
        assert case.duration_us > 0
        assert case.verdict is Verdict.PASS


def test_a_trace_does_not_depend_on_what_else_runs(tmp_path: Path) -> None:
    alone = run(tmp_path / "one", [PACK], "pack.end.bst")
    among = run(tmp_path / "two", [CHARGER, PACK], "pack.end.*", "charger.handshake.chm")
    other = run(tmp_path / "three", [PACK], "pack.end.bst", seed=2)
    digest = {case.id: case.trace_sha256 for case in among.cases}["pack.end.bst"]
    assert alone.cases[0].trace_sha256 == digest != other.cases[0].trace_sha256


def test_the_pair_is_counted_apart(tmp_path: Path) -> None:
    result = run(tmp_path, [CHARGER, PACK], "pair.charge", "pack.handshake.bhm")
    assert [case.id for case in result.cases] == ["pack.handshake.bhm"]
    assert [case.id for case in result.interoperation] == ["pair.charge"]
    assert (result.counts.total, result.interoperation_counts.total) == (1, 1)
    assert result.interoperation[0].role == "pair"
    assert result.run.kind == "self-test"


def test_what_needs_more_is_inconclusive_and_says_what(tmp_path: Path) -> None:
    (case,) = run(tmp_path, [CHARGER], "charger.end.current-falls").cases
    assert (case.verdict, case.trace_file) == (Verdict.INCONCLUSIVE, None)
    assert case.reason.startswith("needs an analogue channel")


def test_a_device_that_breaks_the_bench_is_an_error_and_the_next_case_runs(tmp_path: Path) -> None:
    built = 0

    def build() -> Node:
        nonlocal built
        built += 1
        if built == 1:
            raise RuntimeError("no power")
        return REFERENCE_PACK.build()

    odd = BuiltIn(name="odd", party=Party.BMS, description="breaks once", build=build)
    result = run(tmp_path, [UnderTest(Party.BMS, "odd", odd)], "pack.end.*")
    assert [case.verdict for case in result.cases][:2] == [Verdict.ERROR, Verdict.PASS]
    assert "no power" in result.cases[0].reason
    assert result.cases[0].stimulus
    assert result.exit_code() == 3


def test_a_mutants_case_names_expected_observed_and_frames(tmp_path: Path) -> None:
    mutant = next(each for each in MUTANTS if each.name == "mutant:ccs-slow")
    result = run(tmp_path, [under_test(Party.CHARGER, mutant.name)], "charger.charging.ccs")
    (finding,) = [each for each in result.cases[0].findings if each.verdict is Verdict.FAIL]
    assert finding.requirement_id == "GBT27930-2015/message/CCS-period"
    assert finding.expected == "CCS every 50 ms ± 5 ms"
    assert finding.observed.startswith("median ")
    assert finding.frames
    assert result.exit_code() == 1


def test_every_requirement_that_was_judged_is_described(tmp_path: Path) -> None:
    result = run(tmp_path, [CHARGER], "charger.end.*")
    described = {each.id for each in result.run.requirements}
    assert {each.requirement_id for case in result.cases for each in case.findings} == described


def test_silence_at_the_end_of_a_trace_counts() -> None:
    """A charger that never says CEM falls silent with the tester; the watch on the bus still fails it."""
    mutant = next(each for each in MUTANTS if each.name == "mutant:cem-silent")
    done = bench.VirtualBench(mutant.build, press).run(
        scripted(case_of("charger.handshake.brm-missing")), 60 * SECOND, 1
    )
    assert done.duration_us > done.records[-1].at_us + 1_000_000
    assert verdict_of(case_of("charger.handshake.brm-missing"), done).verdict is Verdict.FAIL


# ---- devices behind a link


def scripted(case: Case) -> ScriptedSide:
    return ScriptedSide(
        case.script, case.iut.peer, catalogue=MESSAGES, answer_transport=case.answer_transport
    )


def verdict_of(case: Case, done: Run) -> Conclusion:
    return conclude(judge_case(case, read_trace(trace_of(done)), CATALOGUE), error=done.fault)


class Wire:
    """A link to one device, with a clock of its own that only waiting moves."""

    def __init__(self, node: Node, *, resolution: int = MICROSECOND, ends: Instant | None = None) -> None:
        self._node = node
        self._ends = ends
        self._waiting: deque[CanFrame] = deque()
        self._clock: Instant = 40 * SECOND
        self.closed = 0
        self.resolution = resolution
        self.batched = False

    @property
    def caps(self) -> LinkCaps:
        return LinkCaps("wire", stamp_source="test", stamp_resolution=self.resolution, batched=self.batched)

    def now(self) -> Instant:
        return self._clock

    def send(self, frame: CanFrame, *, deadline: Instant) -> None:
        self._node.receive(frame, self._clock)

    def receive(self, *, deadline: Instant) -> Received | None:
        while True:
            if self._ends is not None and self._clock >= self._ends:
                raise LinkClosed("the device was unplugged")
            if (frame := self._node.poll_transmit()) is not None:
                self._clock += 500 * MICROSECOND
                return Received(frame, self._clock // self.resolution * self.resolution)
            due = self._node.next_timeout()
            if due is None or due > deadline:
                self._clock = max(self._clock, deadline)
                return None
            self._clock = max(self._clock, due)
            self._node.handle_timeout(self._clock)

    def poll_event(self) -> LinkEvent | None:
        return None

    def close(self) -> None:
        self.closed += 1


def behind(monkeypatch: pytest.MonkeyPatch, link: Link, *, settle: float = 0) -> LinkBench:
    monkeypatch.setattr(bench, "open_link", lambda url: link)
    return LinkBench("test:wire", pixit=Pixit(Reset("wait", settle)))


@pytest.mark.parametrize("case_id", ["charger.handshake.chm", "charger.charging.ccs", "charger.end.csd"])
def test_a_device_behind_a_link_is_judged_alike(monkeypatch: pytest.MonkeyPatch, case_id: str) -> None:
    case = case_of(case_id)
    done = behind(monkeypatch, Wire(REFERENCE_CHARGER.build())).run(scripted(case), case.limit, 0)
    assert done.fault is None
    assert done.precision == msgspec.structs.replace(done.precision, resolution_us=1)
    assert verdict_of(case, done).verdict is Verdict.PASS
    assert {record.sent for record in done.records} == ({False} if case_id.endswith("chm") else {True, False})
    assert list(done.records) == sorted(done.records, key=lambda record: record.at_us)


def test_no_time_is_judged_behind_a_port_that_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    case = case_of("charger.charging.ccs")
    wire = Wire(REFERENCE_CHARGER.build())
    wire.batched = True
    done = behind(monkeypatch, wire).run(scripted(case), case.limit, 0)
    conclusion = verdict_of(case, done)
    assert conclusion.verdict is Verdict.INCONCLUSIVE
    assert "the bench knows the time to" in conclusion.reason


def test_coarse_stamps_are_the_benchs_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    case = case_of("charger.charging.ccs")
    wire = Wire(REFERENCE_CHARGER.build(), resolution=20 * MILLISECOND)
    done = behind(monkeypatch, wire).run(scripted(case), case.limit, 0)
    conclusion = verdict_of(case, done)
    assert done.precision.resolution_us == 20_000
    assert conclusion.verdict is Verdict.INCONCLUSIVE
    assert "the bench knows the time to ±40" in conclusion.reason


def test_what_was_heard_before_the_case_is_no_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    case = case_of("charger.handshake.chm")
    done = behind(monkeypatch, Wire(REFERENCE_CHARGER.build()), settle=3).run(scripted(case), case.limit, 0)
    assert done.fault is None
    assert done.records[0].at_us < 260_000
    assert done.duration_us < 4_000_000


class Chatter:
    """A device that always has another frame to send."""

    def receive(self, frame: CanFrame, now: Instant) -> None: ...

    def handle_timeout(self, now: Instant) -> None: ...

    def next_timeout(self) -> Instant | None:
        return None

    def poll_transmit(self) -> CanFrame | None:
        return BHM(max_voltage=750.0).frame()


def test_a_bus_that_is_never_quiet_ends_the_wait_and_the_case(monkeypatch: pytest.MonkeyPatch) -> None:
    case = case_of("pack.handshake.bhm")
    done = behind(monkeypatch, Wire(Chatter()), settle=1).run(scripted(case), case.limit, 0)
    assert done.fault is None
    assert verdict_of(case, done).verdict is Verdict.FAIL


def test_a_link_that_goes_away_is_an_error_and_no_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    case = case_of("charger.charging.ccs")
    wire = Wire(REFERENCE_CHARGER.build(), ends=45 * SECOND)
    done = behind(monkeypatch, wire).run(scripted(case), case.limit, 0)
    assert done.fault == "test:wire: the device was unplugged"
    assert done.records
    assert verdict_of(case, done).verdict is Verdict.ERROR


def test_a_link_that_takes_no_frame_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(Wire):
        def send(self, frame: CanFrame, *, deadline: Instant) -> None:
            raise LinkError("the queue is full")

    case = case_of("pack.handshake.bhm")
    done = behind(monkeypatch, Full(REFERENCE_PACK.build())).run(scripted(case), case.limit, 0)
    assert done.fault == "test:wire: the queue is full"


def test_links_are_closed_and_a_run_on_one_is_no_self_test(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wire = Wire(REFERENCE_CHARGER.build())
    monkeypatch.setattr(bench, "open_link", lambda url: wire)
    result = run(tmp_path, [under_test(Party.CHARGER, "test:wire")], "charger.handshake.chm")
    assert result.run.kind == "certification"
    assert result.run.devices[0].link == "test:wire"
    assert result.run.bench.name == "wire, stamps by test"
    assert [case.verdict for case in result.cases] == [Verdict.PASS]
    assert wire.closed == 1


def test_a_link_that_cannot_be_opened_is_told_before_any_case(tmp_path: Path) -> None:
    with pytest.raises(LinkUnavailable, match="no driver"):
        run(tmp_path, [under_test(Party.CHARGER, "nosuch:thing")], "charger.handshake.chm")
    assert not any(tmp_path.rglob("*.log"))
    assert selection.BUILT_IN[0].name == REFERENCE


# ---- what only the operator knows


class Done(msgspec.Struct, frozen=True):
    lacks: str
    fault: str | None


def rerun(monkeypatch: pytest.MonkeyPatch, pixit: Pixit, *case_ids: str) -> list[Done]:
    """Cases on one live device after another; nobody resets it but the operator's words."""
    wire = Wire(REFERENCE_CHARGER.build())
    monkeypatch.setattr(bench, "open_link", lambda url: wire)
    device = LinkBench("test:wire", pixit=pixit)
    results: list[Done] = []
    for case_id in case_ids:
        case = case_of(case_id)
        lacking = device.lacks(case.actions)
        done = None if lacking else device.run(scripted(case), case.limit, 0)
        results.append(Done(lacking, None if done is None else done.fault))
    return results


def test_without_a_reset_only_the_first_case_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = rerun(
        monkeypatch, Pixit(Reset("none", 0)), "charger.handshake.chm", "charger.charging.ccs"
    )
    assert first == Done("", None)
    assert "--reset none" in second.lacks


def test_without_a_reset_later_cases_of_a_run_are_inconclusive(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / TRACES).mkdir()
    monkeypatch.setattr(bench, "open_link", lambda url: Wire(REFERENCE_CHARGER.build()))
    chosen = select([under_test(Party.CHARGER, "test:wire")], ["charger.handshake.*"])
    collector = Collector()
    Suite(Plan(chosen, 1, Pixit(Reset("none", 0)), tmp_path), EventStream(collector), {}).run()
    first, *later = collector.result().cases
    assert first.verdict is Verdict.PASS
    assert later
    for case in later:
        assert (case.verdict, case.trace_file) == (Verdict.INCONCLUSIVE, None)
        assert case.reason.startswith("needs a reset")


def test_the_operators_reset_runs_before_each_case(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    argv = (sys.executable, "-c", f"open({str(mark)!r}, 'a').write('x')")
    done = rerun(monkeypatch, Pixit(Reset("command", 0, argv)), *["charger.handshake.chm"] * 2)
    assert done == [Done("", None)] * 2
    assert mark.read_text(encoding="utf-8") == "xx"


@pytest.mark.parametrize(
    ("argv", "said"),
    [((sys.executable, "-c", "raise SystemExit(3)"), "exit code 3"), (("/nosuch/program",), "/nosuch")],
)
def test_a_reset_that_fails_is_no_verdict_on_the_device(
    monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...], said: str
) -> None:
    (done,) = rerun(monkeypatch, Pixit(Reset("command", 0, argv)), "charger.handshake.chm")
    assert done.fault is not None
    assert said in done.fault


def test_a_live_devices_button_needs_somebody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (done,) = rerun(monkeypatch, Pixit(), "charger.end.manual-stop")
    assert "--on-stop" in done.lacks
    mark = tmp_path / "mark"
    argv = (sys.executable, "-c", f"open({str(mark)!r}, 'w').close()")
    (done,) = rerun(monkeypatch, Pixit(Reset("wait", 0), argv), "charger.end.manual-stop")
    assert done == Done("", None)
    assert mark.exists()


def test_a_link_that_is_opened_anew_brings_a_fresh_device(monkeypatch: pytest.MonkeyPatch) -> None:
    case = case_of("charger.handshake.chm")
    wires: list[Wire] = []

    def opened(_: str) -> Link:
        wires.append(Wire(REFERENCE_CHARGER.build()))
        return wires[-1]

    monkeypatch.setattr(bench, "open_link", opened)
    live = LinkBench("test:wire", pixit=Pixit(Reset("reopen", 0)))
    for _ in range(3):
        assert not live.lacks([])
        assert verdict_of(case, live.run(scripted(case), case.limit, 0)).verdict is Verdict.PASS
    assert [wire.closed for wire in wires] == [1, 1, 0]


@pytest.mark.parametrize(
    ("text", "reset"),
    [
        ("none", Reset("none", 0)),
        ("wait:2.5", Reset("wait", 2.5)),
        ("reopen", Reset("reopen", 0)),
        ("command:power 'bay 3' off", Reset("command", 0, ("power", "bay 3", "off"))),
    ],
)
def test_how_a_reset_is_written(text: str, reset: Reset) -> None:
    assert parse_reset(text) == reset


@pytest.mark.parametrize(
    "text", ["", "wait", "wait:x", "wait:nan", "wait:-1", "command:", "command:'", "none:1"]
)
def test_a_reset_that_is_not_understood(text: str) -> None:
    with pytest.raises(PixitError):
        parse_reset(text)


class _Murmur:
    """A device that never comes to an end with the case before."""

    def __init__(self) -> None:
        self._due: Instant = 0
        self._waiting: list[CanFrame] = []

    def receive(self, frame: CanFrame, now: Instant) -> None:
        """Deaf."""

    def handle_timeout(self, now: Instant) -> None:
        if now >= self._due:
            self._due = now + SECOND
            self._waiting.append(CEM(bcl=Timeout.TIMEOUT).frame())

    def next_timeout(self) -> Instant:
        return self._due

    def poll_transmit(self) -> CanFrame | None:
        return self._waiting.pop() if self._waiting else None


def test_a_live_device_that_goes_on_with_the_case_before_is_not_judged() -> None:
    link = open_link("virtual:murmur")
    assert isinstance(link, VirtualLink)
    link.bus.attach(_Murmur(), "device")
    live = LinkBench("virtual:murmur")
    first, run = (live.run(ScriptedSide((), Party.BMS, catalogue=Catalogue()), 0, 0) for _ in range(2))
    live.close()
    link.close()

    assert (first.unready, run.fault) == (None, None)
    assert run.unready is not None
    assert "081FF456" in run.unready
    assert run.records == ()
