"""Random sequences of reports, lies, silence, commands and restarts: no order leaves against the law.

The law is that of ``test_swap_interlocks``; what the world was when an order left is told by ``Record``,
which keeps what was reported in its own way. Each interlock condition has a mutant; the same check finds it.
"""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from swapproto.errors import LocalProtocolError
from swapproto.frame import MILLISECOND, Instant
from swapproto.session.swap import messages as m
from swapproto.session.swap.command import Command
from swapproto.session.swap.conditions import Conditions
from swapproto.session.swap.controller import STEPS as TRUCK_STEPS
from swapproto.session.swap.controller import State as TruckState
from swapproto.session.swap.controller import SwapController
from swapproto.session.swap.interlocks import RULES, TRUCK_RULES, Rule
from swapproto.session.swap.messages import TRUCK
from swapproto.session.swap.orchestrator import STEPS, Orchestrator, State
from swapproto.session.swap.plant import Plan
from tests.session.test_swap_interlocks import (
    BARE,
    DOMAIN,
    LAW,
    LIMIT,
    STALE,
    TRUCK_LAW,
    UNKNOWN,
    needs,
    reports,
    where,
)
from tests.session.test_swap_world import PICK, STORE, Stock

OF_PACK = {"relays", "weld", "volts", "code"}
OF_BAY = {"present", "bay"}
GROUPS = (
    ("place", "clear", "landed", "tongues", "load", "slack", "stop", "parked"),
    ("truckstop", "key", "gear", "brake", "inhibited", "vin"),
    ("base", "swap", "charge", "discharge", "coolant"),
    ("present", "bay"),
    ("relays", "weld", "volts", "code"),
    ("status",),
)
"""What is reported together, in the order of ``reports``."""
HOIST, VEHICLE, LOCKS, BAY, PACK, STATUS = range(6)
BURNING = {HOIST, BAY, PACK}
"""The reports that tell of fire."""
PLACES = (TRUCK, PICK, STORE, m.TRANSFER)


class Unlawful(AssertionError):
    """An order left that the world, as last reported, does not allow."""


class Record:
    """What was reported of which place, when its source said so, and which packs may be silent."""

    def __init__(self) -> None:
        self.said: dict[tuple[str, m.Place], tuple[str, Instant]] = {}
        self.newest: dict[tuple[int, m.Place], Instant] = {}
        self.connector: dict[m.Place, list[tuple[Instant, Instant, str]]] = {}
        self.alarms: dict[tuple[int, m.Place], bool] = {}
        """Whether an operator has decided since it began."""
        self.hangs = False
        self.lifted_from: str | None = None

    def note(self, group: int, said: Mapping[str, str], place: m.Place, now: Instant, age: int = 0) -> None:
        """Of each thing the younger word; code, VIN and the end of a fire go with their report's youngest."""
        names = GROUPS[group]
        at = place if group in (BAY, PACK) else TRUCK
        words = {n: now - (LIMIT + 1 if said[n].startswith(STALE) else age) for n in names if n not in BARE}
        newest = max(words.values())
        late = newest < self.newest.get((group, at), newest)
        if group == VEHICLE and said["vin"] != self.said.get(("vin", TRUCK), (said["vin"], 0))[0]:
            if late:
                return
            self.forget_truck(now)
        self.newest[group, at] = newest if not late else self.newest[group, at]
        for name in names:
            word, label = words.get(name, newest), said[name].removeprefix(STALE)
            if name == "place" and label != UNKNOWN:
                label = f"{place}" if label == "here" else "elsewhere"
            if word >= self.said.get((name, at), ("", word))[1] and not (name == "code" and label == UNKNOWN):
                self.said[name, at] = (label, word)
            if name in ("swap", "bay"):
                kept, word = self.said[name, at]
                self.connector.setdefault(at, []).append((now, word, kept.removeprefix(UNKNOWN)))
        if group in BURNING and said["alarm"] != "burning" and not late:
            self.alarms.pop((group, at), None)
        if group == HOIST:
            self.follow_hoist(now)
        if group in BURNING and said["alarm"] == "burning":
            self.alarms.setdefault((group, at), False)

    def follow_hoist(self, now: Instant) -> None:
        clear, load, above = (self.said[name, TRUCK][0] for name in ("clear", "load", "place"))
        here = next((place for place in PLACES if f"{place}" == above), None)
        if clear == "yes" and load != "none":
            self.hangs = True
        elif self.hangs and (clear == "no" or load == "none"):
            self.hangs, self.lifted_from = False, None
            if here is not None:
                self.forget(here, now)
        if self.hangs and above != UNKNOWN:
            if self.lifted_from is None:
                self.lifted_from = above
                self.alarms = {
                    (group, at): answered for (group, at), answered in self.alarms.items()
                    if group != HOIST and f"{at}" != above
                }  # fmt: skip
            if here is not None:
                self.forget(here, now, alarms=False)

    def forget(self, place: m.Place, now: Instant, *, alarms: bool = True) -> None:
        """Another pack will stand there."""
        self.connector.setdefault(place, []).append((now, now, "lifted"))
        for name in OF_PACK:
            self.said.pop((name, place), None)
        self.newest.pop((PACK, place), None)
        if alarms:
            for group in (BAY, PACK):
                self.alarms.pop((group, place), None)

    def forget_truck(self, now: Instant) -> None:
        self.forget(TRUCK, now)
        for group in (VEHICLE, LOCKS, STATUS):
            self.newest.pop((group, TRUCK), None)
            for name in GROUPS[group]:
                self.said.pop((name, TRUCK), None)

    def heed(self, wish: Command, now: Instant) -> None:
        """What a command that was carried out does to what is known."""
        if wish is Command.RESET:
            self.forget_truck(now)
        elif wish is not Command.START:
            self.alarms = dict.fromkeys(self.alarms, True)

    def silent_since(self, place: m.Place, now: Instant) -> Instant | None:
        """When the connector parted that has been reported apart in every cycle since."""
        parted, before, last = None, ("", -(10**18)), None
        for arrival, word, label in self.connector.get(place, ()):
            if label == "lifted":
                parted = None
                continue
            whole = word - before[1] <= LIMIT and arrival - word <= LIMIT and before[0] != ""
            if label != "apart" or not whole:
                parted = None
            elif before[0] == "joined":
                parted = word
            before, last = (label, word), word if label else None
        return parted if last is not None and now - last <= LIMIT else None

    def holds(self, name: str, label: str, place: m.Place, now: Instant, machine: Any) -> bool:
        if name == "alarm":
            return all(self.alarms.values())
        if name == "plan":
            plan = machine.plan
            return plan is not None and plan.pick != plan.store and TRUCK not in (plan.pick, plan.store)
        if name in ("pick", "store"):
            name, place = "present", getattr(machine.plan, name, TRUCK)
        local = name in OF_PACK | OF_BAY
        seen, word = self.said.get((name, place if local else TRUCK), (UNKNOWN, 0))
        if name == "place":
            label = f"{place}"
        if name == "vin" and DOMAIN["vin"].get(seen) != machine.vin:
            return False
        if name != "vin" and seen != label:
            return False
        if name in OF_PACK - {"code"}:
            silent = self.silent_since(place, now)
            if silent is not None and word <= silent + LIMIT:
                return silent - word <= LIMIT
        return now - word <= LIMIT

    def judge(self, order: m.Order, law: Mapping[m.Order, str], now: Instant, machine: Any) -> None:
        place = where(order)
        written = next(text for known, text in law.items() if alike(known, order))
        for name, label in needs(written).items():
            if not self.holds(name, label, place, now, machine):
                told = {key: (said, (now - at) // MILLISECOND) for key, (said, at) in self.said.items()}
                raise Unlawful(f"{order} left without {name}={label}: {told}")


def alike(known: m.Order, order: m.Order) -> bool:
    """Whether an order is the known one, if need be in another bay."""
    if type(known) is not type(order):
        return False
    if isinstance(known, m.Travel) and isinstance(order, m.Travel):
        return known.loaded == order.loaded
    return (where(known) == TRUCK) == (where(order) == TRUCK)


class Bench:
    """One machine, the record of what it was told, and the check of all that leaves it."""

    def __init__(self, *, truck: bool = False, rules: Mapping[Rule, Conditions] | None = None) -> None:
        self.truck = truck
        self.rules = rules if rules is not None else TRUCK_RULES if truck else RULES
        self.law = TRUCK_LAW if truck else LAW
        self.now: Instant = 10**12
        self.record = Record()
        self.left: list[m.Order] = []
        self.restart(None)

    def restart(self, state: Any) -> None:
        """A machine that knows nothing but where it stands; the world goes on."""
        machine: Any = SwapController()
        if not self.truck:
            machine = Orchestrator(Stock())
        self.machine = machine
        self.machine._gate._rules = self.rules
        self.record = Record()
        if state is not None:
            self.machine._view.plan, self.machine._view.vin = Stock().choice, "VIN"
            self.machine._state = state
            self.machine._due = self.machine._truck_heard = self.now
            self.machine._begin(self.now)
            self.machine._settled = self.now

    def drain(self) -> None:
        while (order := self.machine.poll_transmit()) is not None:
            if isinstance(order, m.VehicleReport | m.LockReport | m.PackReport | m.ControllerReport):
                continue
            self.record.judge(order, self.law, self.now, self.machine)
            self.left.append(order)
        while self.machine.poll_event() is not None:
            pass

    def tell(self, group: int, said: Mapping[str, str], place: m.Place, age: int = 0) -> None:
        """One report; in its group each thing is as said, and every word so old."""
        if self.truck and (group in (HOIST, BAY, STATUS) or place != TRUCK):
            return
        if group == BAY and place == TRUCK:
            return
        full = {**dict.fromkeys(DOMAIN, UNKNOWN), **said}
        self.record.note(group, full, place, self.now, age)
        self.machine.receive(reports(full, place, age)[group], self.now)
        self.drain()

    def wait(self, milliseconds: int) -> None:
        self.now += milliseconds * MILLISECOND
        self.machine.handle_timeout(self.now)
        self.drain()

    def order(self, order: m.TruckOrder) -> None:
        if self.truck:
            self.machine.receive(order, self.now)
            self.drain()

    def command(self, wish: Command) -> None:
        if not self.truck:
            try:
                self.machine.command(wish, self.now)
            except LocalProtocolError:
                return
            self.record.heed(wish, self.now)
            self.drain()

    def wanted(self) -> tuple[m.Order, dict[str, str]] | None:
        """What the step would order, and the world that it needs for that."""
        step = self.machine._rules.steps.get(self.machine.state)
        if step is None or step.order is None:
            return None
        order = step.order(self.machine._place(step.at))
        return order, needs(next(text for known, text in self.law.items() if alike(known, order)))

    def agree(self, change: Mapping[str, str], *, silent: bool = False) -> None:
        """The world becomes as the step needs it, but for a change; a silent pack says nothing."""
        if (wanted := self.wanted()) is None:
            return
        said, place = {**wanted[1], **change}, where(wanted[0])
        if "plan" in wanted[1] and "plan" in change:
            plans = {"same": Plan(PICK, PICK), "truck": Plan(TRUCK, STORE), "sound": Plan(PICK, STORE)}
            self.machine._view.plan = plans.get(change["plan"])
            self.record.said["present", TRUCK] = ("yes", self.now)
            self.machine.receive(m.BayReport(TRUCK, present=m.Reading(True)), self.now)
            self.drain()
        if "plan" in wanted[1]:
            for name, at in (("pick", PICK), ("store", STORE)):
                self.tell(BAY, {"present": said[name], "bay": "joined"}, at)
        for group in (0, 1, 2, 3, 5) if silent else (4, 0, 1, 2, 3, 5):
            self.tell(group, said, place)

    def unhold(self) -> None:
        """A defect of everything but the rules: what is held goes on, and nothing was answered."""
        self.machine._gate.held = False
        self.machine._ordered = False
        if (wanted := self.wanted()) is not None:
            self.machine._give(wanted[0], self.now)
            self.drain()

    def part(self, pause: int = 0) -> None:
        """A pack says that it is de-energised, then its connector parts."""
        wanted = self.wanted()
        place = TRUCK if wanted is None else where(wanted[0])
        good = {"relays": "open", "weld": "no", "volts": "low"}
        self.tell(4, good, place)
        self.wait(pause)
        loops = dict.fromkeys(("swap", "charge", "discharge", "coolant"), "joined")
        for state in ("joined", "apart"):
            said = {**dict.fromkeys(loops, state), "base": "unlocked", "bay": state, "present": "yes"}
            self.tell(2 if place == TRUCK else 3, said, place)


def _labels(name: str, known: Mapping[str, object]) -> list[str]:
    found = [*known] if name == "alarm" else [*known, UNKNOWN]
    return found if name in BARE else [*found, STALE + next(iter(known))]


CHANGES = [(name, label) for name, known in DOMAIN.items() for label in _labels(name, known)]
PAUSES = (0, 50, 100, 200, 301, 1_000, 5_000, 10_100, 61_000)


class SwapMachine(RuleBasedStateMachine):
    """Hypothesis drives one bench; every step checks every order that leaves."""

    truck = False

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench(truck=self.truck)

    def states(self) -> list[Any]:
        """Every state, those that order something more often."""
        if self.truck:
            return [*TruckState, *TRUCK_STEPS]
        return [*State, *STEPS, *(state for state, step in STEPS.items() if step.order)]

    @initialize(index=st.integers(0, 1000))
    def begin(self, index: int) -> None:
        self.bench.restart(self.states()[index % len(self.states())])

    @rule(index=st.integers(0, 1000))
    def restart(self, index: int) -> None:
        self.bench.restart(self.states()[index % len(self.states())])

    @rule(change=st.sampled_from(CHANGES), other=st.none() | st.sampled_from(CHANGES))
    def nearly_as_needed(self, change: tuple[str, str], other: tuple[str, str] | None) -> None:
        self.bench.agree(dict([change] if other is None else [change, other]))

    @rule()
    def as_needed(self) -> None:
        self.bench.agree({})

    @rule(change=st.sampled_from(CHANGES))
    def nearly_as_needed_by_a_silent_pack(self, change: tuple[str, str]) -> None:
        self.bench.agree(dict([change]), silent=True)

    @rule(change=st.none() | st.sampled_from(CHANGES), pause=st.sampled_from(PAUSES))
    def part_and_go_on(self, change: tuple[str, str] | None, pause: int) -> None:
        self.bench.part()
        for step in ([change], []):
            self.bench.wait(pause)
            self.bench.agree(dict(one for one in step if one is not None), silent=True)

    @rule()
    def as_needed_by_a_silent_pack(self) -> None:
        self.bench.agree({}, silent=True)

    @rule(pause=st.sampled_from(PAUSES))
    def part(self, pause: int) -> None:
        self.bench.part(pause)

    @rule(
        group=st.integers(0, 5),
        changes=st.lists(st.sampled_from(CHANGES), max_size=6),
        place=st.sampled_from(PLACES),
        age=st.integers(0, 2 * LIMIT),
    )
    def report(self, group: int, changes: list[tuple[str, str]], place: m.Place, age: int) -> None:
        self.bench.tell(group, dict(changes), place, age)

    @rule(change=st.sampled_from(CHANGES), age=st.integers(0, 2 * LIMIT), kept=st.booleans())
    def older_words_come_late(self, change: tuple[str, str], age: int, kept: bool) -> None:
        """The newest word is a change; what was so before is told once more, as old as it is."""
        if (wanted := self.bench.wanted()) is not None:
            self.bench.agree(dict([change]))
            for group in range(6):
                said = {**wanted[1], **dict([change])} if kept else wanted[1]
                self.bench.tell(group, said, where(wanted[0]), age)

    @rule(pause=st.sampled_from(PAUSES))
    def wait(self, pause: int) -> None:
        self.bench.wait(pause)

    @rule(wish=st.sampled_from(list(Command)))
    def command(self, wish: Command) -> None:
        self.bench.command(wish)

    @rule(order=st.sampled_from([order for order in TRUCK_LAW if not isinstance(order, m.Halt)]))
    def order(self, order: Any) -> None:
        self.bench.order(order)


class TruckMachine(SwapMachine):
    truck = True


def storm(machine: type[SwapMachine], examples: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples, stateful_step_count=15, deadline=None, database=None, derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip


@pytest.mark.parametrize("machine", [SwapMachine, TruckMachine])
def test_no_order_leaves_against_the_law(machine: type[SwapMachine]) -> None:
    storm(machine, 150)


@pytest.mark.long
@pytest.mark.parametrize("machine", [SwapMachine, TruckMachine])
def test_no_order_leaves_against_the_law_in_a_hundred_thousand_sequences(machine: type[SwapMachine]) -> None:
    storm(machine, 100_000)
