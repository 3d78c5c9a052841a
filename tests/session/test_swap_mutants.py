"""A mutant for each interlock condition and for the view: the check of the storm finds every one."""

from collections.abc import Callable, Iterable
from random import Random
from typing import Any

import pytest

from swapproto.frame import MILLISECOND, Instant
from swapproto.session.swap import messages as m
from swapproto.session.swap import view as view_module
from swapproto.session.swap.alarms import Alarms
from swapproto.session.swap.command import Command
from swapproto.session.swap.controller import State as TruckState
from swapproto.session.swap.interlocks import RULES, TRUCK_RULES, Rule, rule_of
from swapproto.session.swap.messages import TRUCK, Connection
from swapproto.session.swap.orchestrator import STEPS
from swapproto.session.swap.view import Heard, Seen, View
from tests.session.test_swap_interlocks import (
    UNKNOWN,
    where,
)
from tests.session.test_swap_storm import CHANGES, Bench, Unlawful, alike


def scenes_of(bench: Bench, random: Random, state: Any) -> None:
    """Short stories about one state: as needed, or but for one thing, at once or after a silence."""
    for change in [{}, *({name: label} for name, label in CHANGES)]:
        bench.restart(state)
        bench.agree(change)
        bench.wait(random.choice((0, 100)))
        bench.unhold()
        if (wanted := bench.wanted()) is not None:
            for group in range(6):
                bench.tell(group, wanted[1], where(wanted[0]), 200 * MILLISECOND)
    for pause in (0, 200, 301, 400):
        for gap in (0, 1):
            for change in ({}, {"swap": "joined", "bay": "joined"}, {"swap": UNKNOWN, "bay": UNKNOWN}):
                bench.restart(state)
                bench.part(pause * (1 - gap))
                bench.wait(pause * gap)
                bench.agree(change, silent=True)
                bench.wait(pause)
                bench.agree({}, silent=True)
    bench.restart(state)
    bench.part()
    bench.agree({"load": "full", "clear": "yes", "tongues": "locked"}, silent=True)
    bench.agree({}, silent=True)
    bench.restart(state)
    bench.tell(4, {"relays": "open", "weld": "no", "volts": "low"}, TRUCK)
    bench.agree({}, silent=True)
    bench.wait(200)
    bench.agree({}, silent=True)
    bench.wait(200)
    bench.agree({}, silent=True)


def tell_scenes(bench: Bench, states: Iterable[Any]) -> None:
    random = Random(1)
    for state in states:
        scenes_of(bench, random, state)


def ordering(rules: Rule, *, truck: bool) -> list[Any]:
    """The states whose order is under a rule."""
    found: list[Any] = []
    bench = Bench(truck=truck)
    for state in TruckState if truck else STEPS:
        bench.restart(state)
        if (wanted := bench.wanted()) is not None and rule_of(wanted[0]) is rules:
            found.append(state)
    return found


@pytest.mark.parametrize("truck", [False, True], ids=["station", "truck"])
def test_the_scenes_themselves_are_lawful_and_let_every_order_out(truck: bool) -> None:
    bench = Bench(truck=truck)
    tell_scenes(bench, TruckState if truck else STEPS)
    missing = [known for known in bench.law if not any(alike(known, order) for order in bench.left)]
    assert [order for order in missing if order != m.Halt()] == []


MUTANTS = [
    pytest.param(truck, rule, index, id=f"{'truck' if truck else 'station'}-{rule}-{condition.name}")
    for truck, rules in ((False, RULES), (True, TRUCK_RULES))
    for rule, conditions in rules.items()
    for index, condition in enumerate(conditions)
]


@pytest.mark.parametrize(("truck", "rule", "index"), MUTANTS)
def test_a_rule_without_one_condition_is_found(truck: bool, rule: Rule, index: int) -> None:
    rules = dict(TRUCK_RULES if truck else RULES)
    rules[rule] = rules[rule][:index] + rules[rule][index + 1 :]
    bench = Bench(truck=truck, rules=rules)
    with pytest.raises(Unlawful):
        tell_scenes(bench, ordering(rule, truck=truck))


def old_scenes(bench: Bench) -> None:
    for state in STEPS:
        bench.restart(state)
        bench.machine._gate._limit = 10**15
        bench.agree({})
        bench.machine._ordered = False
        bench.wait(400)


def test_interlocks_that_ignore_how_old_things_are_are_found() -> None:
    with pytest.raises(Unlawful):
        old_scenes(Bench())


def always_apart(view: View, place: m.Place, before: Seen[Connection], now: Instant) -> None:
    if view.connector(place).value == Connection.NOT_CONNECTED:
        view._parted.setdefault(place, now)


def never_joined_again(view: View, place: m.Place, before: Seen[Connection], now: Instant) -> None:
    if before.value == Connection.CONNECTED and view.connector(place).value == Connection.NOT_CONNECTED:
        view._parted[place] = now


def last_arrival(before: Any, report: Any, now: Instant) -> Heard[Any]:
    return Heard(report, now, now)


@pytest.mark.parametrize("late", [50, 100, 200, 299])
def test_a_view_in_which_an_older_word_displaces_a_newer_is_found(
    late: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scenes() -> None:
        bench = Bench()
        for state in ordering(Rule.HOIST, truck=False):
            bench.restart(state)
            bench.agree({"tongues": "neither"})
            bench.tell(0, bench_needs(bench), TRUCK, late * MILLISECOND)

    scenes()
    monkeypatch.setattr(view_module, "_merged", last_arrival)
    with pytest.raises(Unlawful):
        scenes()


def bench_needs(bench: Bench) -> dict[str, str]:
    wanted = bench.wanted()
    assert wanted is not None
    return wanted[1]


def test_alarms_that_are_latched_by_place_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def scenes() -> None:
        bench = Bench()
        for state in ordering(Rule.RELEASE, truck=False):
            bench.restart(state)
            bench.tell(4, {"alarm": "burning"}, TRUCK)
            bench.command(Command.RESUME)
            for said in ({"clear": "yes", "load": "full"}, {"clear": "no", "load": "none"}):
                bench.tell(0, {"place": "here", **said}, TRUCK)
            bench.tell(4, {"alarm": "burning"}, TRUCK)
            bench.agree({}, silent=True)
            bench.unhold()

    scenes()
    monkeypatch.setattr(Alarms, "forget", lambda *_: None)
    with pytest.raises(Unlawful):
        scenes()


def no_age(view: View, place: m.Place, at: Instant, now: Instant) -> int:
    return 0 if place in view._parted else now - at


@pytest.mark.parametrize(
    ("method", "wrong"),
    [
        ("_follow", always_apart),
        ("_follow", never_joined_again),
        ("_lifted", lambda view, report, now: None),
        ("pack_age", no_age),
    ],
    ids=["first seen apart", "gap forgiven", "lifted pack believed", "no age at all"],
)
def test_a_view_that_believes_silent_packs_too_long_is_found(
    method: str, wrong: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(View, method, wrong)
    with pytest.raises(Unlawful):
        tell_scenes(Bench(), STEPS)
