"""Faulty devices are caught, and devices beyond all rules do not harm the bench."""

import ast
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from random import Random
from zlib import crc32

import msgspec
import pytest

import swapproto_conformance
from swapproto.cli import run as cli
from swapproto.frame import MILLISECOND, SECOND, CanFrame, Instant
from swapproto.link import Node
from swapproto.messages.catalog import Catalogue
from swapproto.messages.gbt27930 import MESSAGES, Party
from swapproto_conformance.bench import VirtualBench
from swapproto_conformance.case import Case
from swapproto_conformance.cases import CASES
from swapproto_conformance.devices import REFERENCE_CHARGER, REFERENCE_PACK, BuiltIn, press
from swapproto_conformance.judge import judge_case, read_trace, trace_of
from swapproto_conformance.kill_table import (
    KillTable,
    kill_table,
    read_reasons,
    row_of,
    summarise,
    to_json,
    to_markdown,
)
from swapproto_conformance.mutants import MUTANTS
from swapproto_conformance.requirements import gbt27930_2015
from swapproto_conformance.tester import Tester as ScriptedSide
from swapproto_conformance.verdict import Conclusion, Finding, Verdict, conclude

REASONS = read_reasons()
KNOWN, CATALOGUE = Catalogue(), gbt27930_2015()
RUN = [case for case in CASES if not case.needs]


class Ran(msgspec.Struct):
    conclusion: Conclusion
    findings: tuple[Finding, ...]
    frames: int


def run(case: Case, build: Callable[[], Node], seed: int = 1) -> Ran:
    tester = ScriptedSide(case.script, case.iut.peer, catalogue=KNOWN, answer_transport=case.answer_transport)
    done = VirtualBench(build, press).run(tester, case.limit, seed + crc32(case.id.encode()))
    findings = judge_case(case, read_trace(trace_of(done)), CATALOGUE)
    return Ran(conclude(findings, error=done.fault), findings, len(done.records))


@pytest.fixture(scope="module")
def matrix() -> dict[str, dict[str, Ran]]:
    """Every mutant in every case of its role."""
    return {
        mutant.name: {case.id: run(case, mutant.build) for case in RUN if case.iut is mutant.party}
        for mutant in MUTANTS
    }


def related(mutant: BuiltIn) -> list[Case]:
    """Cases of its role, those first whose names hold the message that is wrong."""
    word = mutant.name.removeprefix("mutant:").partition("-")[0]
    ours = [case for case in RUN if case.iut is mutant.party]
    return sorted(ours, key=lambda case: word not in case.id)


def check(ran: Ran) -> None:
    assert ran.conclusion.verdict is not Verdict.ERROR
    assert ran.conclusion.reason
    for each in ran.findings:
        if each.verdict is Verdict.FAIL:
            assert each.expected != each.observed
            assert CATALOGUE[each.requirement_id].witnesses >= 2


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: str(mutant.name))
def test_a_mutant_is_caught(mutant: BuiltIn) -> None:
    for case in related(mutant):
        ran = run(case, mutant.build)
        check(ran)
        if ran.conclusion.verdict is Verdict.FAIL:
            assert mutant.name not in REASONS, "a survivor with a reason is caught after all"
            return
    if mutant.name not in REASONS:
        pytest.fail(f"{mutant.name} passes: {mutant.description}")


@pytest.mark.long
def test_no_mutant_harms_the_bench(matrix: dict[str, dict[str, Ran]]) -> None:
    for row in matrix.values():
        for ran in row.values():
            check(ran)


@pytest.mark.long
def test_every_case_catches_a_mutant(matrix: dict[str, dict[str, Ran]]) -> None:
    catching = {
        case_id
        for row in matrix.values()
        for case_id, ran in row.items()
        if ran.conclusion.verdict is Verdict.FAIL
    }
    assert {case.id for case in RUN} - catching == set()


def test_the_kill_table_counts_what_is_left_over() -> None:
    """Rows, survivors and idle cases agree; made of four rows, as the whole takes its time."""
    rows = [row_of(index) for index in (0, 1, len(MUTANTS) - 2, len(MUTANTS) - 1)]
    assert [each.name for each in rows[:2]] == ["mutant:chm-slow", "mutant:crm-slow"]
    table = summarise(rows, {**REASONS, "pack.end.bst": "because"})
    assert set(table.survivors) == {each.name for each in rows if not each.killed_by}
    assert table.survivors["mutant:cst-timer-long"] == REASONS["mutant:cst-timer-long"]
    assert table.idle_cases["pack.end.bst"] == "because"
    assert "charger.handshake.chm" not in table.idle_cases
    text = to_markdown(table).decode()
    assert "4 mutants, 2 killed, 2 survive" in text
    assert "- pack.end.bst: because" in text
    assert msgspec.json.decode(to_json(table), type=KillTable) == table


@pytest.mark.long
def test_the_kill_table_in_the_documentation_is_fresh() -> None:
    page = Path(__file__).parents[2] / "docs" / "kill-table.md"
    table = kill_table()
    assert page.read_bytes() == to_markdown(table)
    assert set(table.survivors) == set(REASONS)
    assert table.idle_cases == {}
    assert not any(each.errors for each in table.rows)


def test_a_kill_table_needs_a_name_that_says_its_form(tmp_path: Path) -> None:
    assert cli(["certify", "--kill-table", str(tmp_path / "table.txt")]) == 4


ONE_WITNESS = {
    "flow/BST-charger-reason",
    "flow/BSM-untrusted",
    "flow/CST-bms-reason",
    "flow/CST-fault-reason",
    "timer/BST-at-charger",
    "timer/CRM-at-bms",
    "timer/first-CRM",
    "flow/CRM-after-error",
    "flow/CST-manual-reason",
    "flow/pack-reconnect-limit",
    "flow/reconnect-limit",
    "timer/BRO-silence-at-charger",
    "timer/CRM-from-start-at-bms",
    "timer/CST-at-bms",
}


@pytest.mark.long
def test_every_requirement_that_can_fail_does(matrix: dict[str, dict[str, Ran]]) -> None:
    failed = {
        each.requirement_id
        for row in matrix.values()
        for ran in row.values()
        for each in ran.findings
        if each.verdict is Verdict.FAIL
    }
    used = {judge.requirement for case in RUN for judge in case.judges}
    blind = {each.removeprefix("GBT27930-2015/") for each in used - failed}
    assert blind == ONE_WITNESS


def test_what_mutants_say_of_themselves() -> None:
    assert len({(mutant.name, mutant.party) for mutant in MUTANTS}) == len(MUTANTS) >= 100
    for mutant in MUTANTS:
        assert mutant.name.startswith("mutant:")
        assert mutant.description


@pytest.mark.parametrize("module", ["faults", "faulty_chargers", "faulty_packs", "mutants"])
def test_mutants_use_public_hooks_only(module: str) -> None:
    path = Path(swapproto_conformance.__path__[0]) / f"{module}.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        assert not (
            isinstance(node, ast.Attribute) and node.attr.startswith("_") and node.attr != "__name__"
        ), ast.dump(node)
        assert not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "setattr")
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("swapproto.session"):
            assert node.module in ("swapproto.session.hooks", "swapproto.session.timing")


# ---- devices beyond all rules


class Silent:
    """Takes everything, says nothing."""

    def receive(self, frame: CanFrame, now: Instant) -> None: ...

    def handle_timeout(self, now: Instant) -> None: ...

    def next_timeout(self) -> Instant | None:
        return None

    def poll_transmit(self) -> CanFrame | None:
        return None


class Babbler(Silent):
    """Sends a frame of an endless row every so often."""

    def __init__(self, frames: Iterator[CanFrame], gap: int) -> None:
        self._frames, self._gap = frames, gap
        self._due: Instant = 0
        self._now: Instant = 0

    def handle_timeout(self, now: Instant) -> None:
        self._now = now

    def next_timeout(self) -> Instant | None:
        return self._due

    def poll_transmit(self) -> CanFrame | None:
        if self._now < self._due:
            return None
        self._due = self._now + self._gap
        return next(self._frames)


class Dies:
    """Works until an instant, and then never does anything again."""

    def __init__(self, node: Node, at: Instant) -> None:
        self._node, self._at = node, at
        self._dead = False

    def receive(self, frame: CanFrame, now: Instant) -> None:
        self._dead |= now >= self._at
        if not self._dead:
            self._node.receive(frame, now)

    def handle_timeout(self, now: Instant) -> None:
        self._dead |= now >= self._at
        if not self._dead:
            self._node.handle_timeout(now)

    def next_timeout(self) -> Instant | None:
        return None if self._dead else self._node.next_timeout()

    def poll_transmit(self) -> CanFrame | None:
        return None if self._dead else self._node.poll_transmit()


def of(party: Party) -> list[type]:
    return [each for each in MESSAGES if each.sender is party and not each.both_ways]


def garbage(party: Party) -> Iterator[CanFrame]:
    """Random payloads under the device's own identifiers, transport frames and foreign ones."""
    random = Random(f"garbage of {party.label}")
    own = [can_id for each in MESSAGES for can_id, sender in each.identifiers().items() if sender is party]
    peer = party.peer.value
    own += [kind << 16 | peer << 8 | party.value | 7 << 26 for kind in (0xEC, 0xEB)] * 5
    while True:
        can_id = random.choice(own) if random.random() < 0.9 else random.getrandbits(29)
        yield CanFrame(can_id, random.randbytes(random.randrange(9)))


def flood(party: Party) -> Iterator[CanFrame]:
    """The highest priority that the device has, as fast as the bus takes it."""
    return cycle([CanFrame(0x081FF456 if party is Party.CHARGER else 0x081E56F4, b"\xf0" * 4)])


REFERENCES = {Party.CHARGER: REFERENCE_CHARGER, Party.BMS: REFERENCE_PACK}
ODD: dict[str, Callable[[Party], Node]] = {
    "silent": lambda _: Silent(),
    "garbage": lambda party: Babbler(garbage(party), 4 * MILLISECOND),
    "dies": lambda party: Dies(REFERENCES[party].build(), 4 * SECOND),
    "dies-at-once": lambda party: Dies(REFERENCES[party].build(), 400 * MILLISECOND),
}
SHORT = [case for case in RUN if case.limit < 70 * SECOND]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("case", SHORT[::3], ids=lambda case: str(case.id))
def test_an_odd_device_gets_a_verdict_with_a_cause(case: Case, odd: str) -> None:
    ran = run(case, lambda: ODD[odd](case.iut))
    assert ran.conclusion.verdict is not Verdict.ERROR, ran.conclusion
    assert ran.conclusion.reason
    if odd in ("silent", "dies-at-once"):
        assert ran.conclusion.verdict in (Verdict.INCONCLUSIVE, Verdict.FAIL, Verdict.NOT_APPLICABLE)
    for each in ran.findings:
        assert each.verdict is not Verdict.PASS or each.examined


@pytest.mark.parametrize(
    "case",
    [case for case in SHORT if case.iut is Party.BMS and case.phase == "handshake start"],
    ids=lambda case: str(case.id),
)
def test_a_flood_ends_with_the_script(case: Case) -> None:
    """A device that keeps the bus full starves the tester; the case still ends when its time is over."""
    ran = run(case, lambda: Babbler(flood(case.iut), 0))
    assert ran.conclusion.verdict in (Verdict.INCONCLUSIVE, Verdict.FAIL)
    assert ran.conclusion.reason
    assert ran.frames <= case.limit // (400_000)


def test_a_silent_device_passes_nothing() -> None:
    passed = [case.id for case in SHORT if run(case, Silent).conclusion.verdict is Verdict.PASS]
    assert passed == []


def test_a_device_that_raises_is_no_fail() -> None:
    class Broken(Silent):
        def handle_timeout(self, now: Instant) -> None:
            raise RuntimeError("a bug in the device's own code")

        def next_timeout(self) -> Instant | None:
            return 0

    with pytest.raises(RuntimeError):
        run(RUN[0], Broken)
