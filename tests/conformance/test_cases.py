"""The suite as data, and the reference devices in it."""

from collections.abc import Callable
from zlib import crc32

import pytest

from swapproto.link import Node
from swapproto.messages.catalog import Catalogue
from swapproto.messages.gbt27930 import Party
from swapproto_conformance.anchor import Anchor
from swapproto_conformance.bench import VirtualBench, run_pair
from swapproto_conformance.case import Case, matching
from swapproto_conformance.cases import CASES
from swapproto_conformance.devices import (
    REFERENCE,
    REFERENCE_CHARGER,
    REFERENCE_PACK,
    REFERENCES,
    BuiltIn,
    press,
)
from swapproto_conformance.judge import judge_case, read_trace, trace_of
from swapproto_conformance.judges import Depending, Follows
from swapproto_conformance.pair import CHARGER, LIMIT, PACK, judge_pair
from swapproto_conformance.requirements import gbt27930_2015
from swapproto_conformance.script import Cyclic, RawCyclic
from swapproto_conformance.tester import Tester as ScriptedSide
from swapproto_conformance.verdict import Verdict, conclude

MESSAGES, CATALOGUE = Catalogue(), gbt27930_2015()
RUN = [case for case in CASES if not case.needs]
BUILD: dict[Party, Callable[[], Node]] = {
    Party.CHARGER: REFERENCE_CHARGER.build,
    Party.BMS: REFERENCE_PACK.build,
}
PUBLIC_IDS = {
    f"{role}{polarity}.{number}"
    for role, polarity, numbers in (
        ("D", "P", [(1001, 1003), (2001, 2003), (3001, 3007), (4001, 4002)]),
        ("D", "N", [(1001, 1004), (2001, 2010), (3001, 3010), (4001, 4004)]),
        ("B", "P", [(1001, 1003), (2001, 2003), (3001, 3005), (4001, 4003)]),
        ("B", "N", [(1001, 1010), (2001, 2007), (3001, 3008), (4001, 4003)]),
    )
    for begin, end in numbers
    for number in range(begin, end + 1)
}
WITHOUT_PUBLIC_VERDICT = {"DP.2002", "DP.3001", "DP.3002", "DP.3004", "DP.3005"}


def name(case: Case) -> str:
    return case.id


def test_the_public_ids_are_43_and_42() -> None:
    assert sum(each.startswith("D") for each in PUBLIC_IDS) == 43
    assert sum(each.startswith("B") for each in PUBLIC_IDS) == 42


def test_ids_are_unique_and_name_the_role() -> None:
    assert len({case.id for case in CASES}) == len(CASES)
    for case in CASES:
        assert case.id.split(".")[0] == ("charger" if case.iut is Party.CHARGER else "pack")
        assert case.head().role == ("charger" if case.iut is Party.CHARGER else "bms")


def test_there_are_enough_of_each_kind() -> None:
    for party, least in ((Party.CHARGER, 28), (Party.BMS, 40)):
        ours = [case for case in RUN if case.iut is party]
        assert len(ours) >= least
        assert sum(case.polarity == "negative" for case in ours) * 2 >= len(ours)
        assert {case.phase for case in ours} >= {"handshake start", "identification", "configuration"}
        assert {case.phase for case in ours} >= {"charging", "end"}


@pytest.mark.parametrize("case", CASES, ids=name)
def test_a_case_is_described(case: Case) -> None:
    assert case.title.strip()
    assert case.title_zh
    assert any("\u4e00" <= sign <= "\u9fff" for sign in case.title_zh)
    assert bool(case.needs) != bool(case.judges)
    assert bool(case.judges) == bool(case.script)


@pytest.mark.parametrize("case", RUN, ids=name)
def test_every_requirement_exists_and_is_of_the_role(case: Case) -> None:
    for judge in case.judges:
        assert CATALOGUE[judge.requirement].role == case.head().role


@pytest.mark.parametrize("case", RUN, ids=name)
def test_fields_that_scripts_and_judges_name_exist(case: Case) -> None:
    judges = list(case.judges)
    for judge in case.judges:
        if isinstance(judge, Depending):
            judges.remove(judge)
            judges += [each for each in (judge.then, judge.otherwise) if each is not None]
            if judge.otherwise is not None:
                assert judge.otherwise.requirement == judge.requirement
    anchors = [getattr(judge, field, None) for judge in judges for field in ("after", "before")]
    for anchor in anchors:
        while isinstance(anchor, Anchor):
            assert set(dict(anchor.where)) <= set(anchor.cls.__struct_fields__)
            anchor = anchor.after or anchor.before
    for judge in judges:
        kind, where = getattr(judge, "cls", None), getattr(judge, "where", ())
        assert kind is not None
        assert set(dict(where)) <= set(kind.__struct_fields__)
    for step in case.script:
        if step.until is not None:
            assert step.until.cls.sender is case.iut
            assert set(dict(step.until.where)) <= set(step.until.cls.__struct_fields__)
        assert step.unless is None or step.until is not None


@pytest.mark.parametrize("case", RUN, ids=name)
def test_the_tester_sends_its_own_messages_and_all_can_be_sent(case: Case) -> None:
    for step in case.script:
        assert step.until is not None or step.lasts
        for stimulus in step.send:
            if isinstance(stimulus, RawCyclic):
                assert stimulus.frames
                assert (len(stimulus.frames) - 1) * stimulus.gap < stimulus.period
                continue
            message = stimulus.message if isinstance(stimulus, Cyclic) else stimulus
            assert message.encode()
            assert message.sender is case.iut.peer
            assert isinstance(stimulus, Cyclic) or message.period()


@pytest.mark.parametrize("case", RUN, ids=name)
def test_a_wait_is_watched_for_long_enough_to_fail_a_device(case: Case) -> None:
    """A report that never comes must be able to fail: the last step lasts longer than any open answer."""
    for judge in case.judges:
        if isinstance(judge, Follows) and judge.early:
            until = [step for step in case.script if step.until is not None and step.until.cls is judge.cls]
            assert until, "the script waits for the report"
            needed = judge.within.value * 3 // 2 + judge.slack_ms * 1_000_000
            assert until[-1].at_most > needed


def test_labels_are_public_ids() -> None:
    used = [label for case in CASES for label in case.labels]
    assert set(used) <= PUBLIC_IDS
    assert {label for case in RUN for label in case.labels}.isdisjoint(WITHOUT_PUBLIC_VERDICT)
    assert {label for case in CASES if case.needs for label in case.labels} >= WITHOUT_PUBLIC_VERDICT
    assert set(used) == PUBLIC_IDS
    assert len(used) == len(set(used))
    chargers = {label for case in RUN for label in case.labels if label.startswith("D")}
    assert chargers == {each for each in PUBLIC_IDS if each.startswith("D")} - WITHOUT_PUBLIC_VERDICT
    amended = {label for case in CASES if case.amended for label in case.labels}
    assert amended == {"DN.2007", "DN.2008", "DN.2009", "DN.4001", "DN.4002"}
    limited = {label for case in CASES if case.applies for label in case.labels}
    assert limited == {"BN.1001", "BN.1002", "BP.4003"}
    for case in CASES:
        for label in case.labels:
            assert (label[0] == "D") == (case.iut is Party.CHARGER)


def test_a_label_or_an_id_or_a_pattern_finds_cases() -> None:
    assert [case.id for case in matching(CASES, ["DN.1001"])] == ["charger.handshake.brm-missing"]
    assert [case.id for case in matching(CASES, ["pack.end.bst"])] == ["pack.end.bst"]
    assert all(case.iut is Party.BMS for case in matching(CASES, ["pack.*"]))
    assert matching(CASES, ["nothing"]) == []


def test_every_requirement_is_used_or_known_not_to_be() -> None:
    used = {judge.requirement for case in RUN for judge in case.judges}
    unused = {each.id.removeprefix("GBT27930-2015/") for each in CATALOGUE} - {
        each.removeprefix("GBT27930-2015/") for each in used
    }
    assert unused == {"message/BSP-layout", "message/BSP-period"}


def run(case: Case, seed: int, device: BuiltIn | None = None) -> tuple[bytes, ScriptedSide, str | None]:
    tester = ScriptedSide(
        case.script, case.iut.peer, catalogue=MESSAGES, answer_transport=case.answer_transport
    )
    done = VirtualBench(device.build if device else BUILD[case.iut], press).run(
        tester, case.limit, seed + crc32(case.id.encode())
    )
    return trace_of(done), tester, done.fault


def check(case: Case, seed: int, device: BuiltIn | None = None) -> None:
    """All is well: what does not apply is an optional message, or the other of two lawful ways."""
    content, tester, fault = run(case, seed, device)
    findings = judge_case(case, read_trace(content), CATALOGUE)
    allowed = {Verdict.PASS, Verdict.NOT_APPLICABLE} if device else {Verdict.PASS}
    assert conclude(findings, error=fault).verdict in allowed, (seed, conclude(findings, error=fault))
    assert {each.verdict for each in findings} <= {Verdict.PASS, Verdict.NOT_APPLICABLE}
    assert tester.gave_up is None


@pytest.mark.parametrize("case", RUN, ids=name)
def test_the_reference_devices_pass(case: Case) -> None:
    for seed in range(5):
        check(case, seed)


VARIATIONS = [each for each in REFERENCES if each.name != REFERENCE]


def test_there_are_three_variations_of_each_reference_device() -> None:
    for party in (Party.CHARGER, Party.BMS):
        assert sum(each.party is party for each in VARIATIONS) == 3


@pytest.mark.parametrize("case", RUN, ids=name)
def test_lawful_variations_of_the_reference_devices_pass(case: Case) -> None:
    for device in VARIATIONS:
        if device.party is case.iut:
            check(case, 0, device)


@pytest.mark.long
@pytest.mark.parametrize("case", RUN, ids=name)
def test_lawful_variations_pass_whatever_the_jitter(case: Case) -> None:
    for device in VARIATIONS:
        if device.party is case.iut:
            for seed in range(1000, 1030):
                check(case, seed, device)


def test_both_lawful_ways_after_an_interrupted_bro_are_taken() -> None:
    """The reference becomes ready in time, the slow one does not and says so."""
    (case,) = matching(RUN, ["DN.2007"])
    slow = next(each for each in REFERENCES if each.name == "reference-slow")
    for device, way in ((None, "CRO (ready = ready)"), (slow, "CEM (bro = ")):
        findings = judge_case(case, read_trace(run(case, 1, device)[0]), CATALOGUE)
        assert findings[0].requirement_id == "GBT27930-2015/timer/BRO-silence-at-charger"
        assert findings[0].verdict is Verdict.PASS
        assert findings[0].expected.startswith(way)


@pytest.mark.long
@pytest.mark.parametrize("case", RUN, ids=name)
def test_the_reference_devices_pass_whatever_the_jitter(case: Case) -> None:
    for seed in range(1000, 1200):
        check(case, seed)


@pytest.mark.parametrize("case", RUN[::5], ids=name)
def test_one_seed_gives_one_trace(case: Case) -> None:
    assert run(case, 7)[0] == run(case, 7)[0]
    assert run(case, 7)[0] != run(case, 8)[0]


def test_the_pair_passes_and_each_party_is_judged() -> None:
    done = run_pair(REFERENCE_CHARGER.build(), REFERENCE_PACK.build(), limit=LIMIT, seed=3)
    findings = judge_pair(read_trace(trace_of(done)), CATALOGUE)
    assert len(findings) == len(CHARGER) + len(PACK)
    assert {each.verdict for each in findings} == {Verdict.PASS}
    roles = [CATALOGUE[each.requirement_id].role for each in findings]
    assert roles == ["charger"] * len(CHARGER) + ["bms"] * len(PACK)
