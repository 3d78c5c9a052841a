"""The interlocks against a second writing of them, over their inputs' whole product.

``LAW`` says in words of its own what each order needs; nothing of ``interlocks`` or ``conditions`` is used to
judge. ``Record`` keeps what was reported, and judges orders by LAW alone.
"""

import ast
from collections.abc import Iterator, Mapping
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest

from swapproto.frame import MILLISECOND
from swapproto.session.swap import gate as gate_module
from swapproto.session.swap import messages as m
from swapproto.session.swap.conditions import IN_SWAP, RELAYS_OPEN, Conditions
from swapproto.session.swap.gate import Gate
from swapproto.session.swap.interlocks import RULES, TRUCK_RULES, Rule, rule_of
from swapproto.session.swap.messages import TRUCK, Connection, LockState, Reading, RelayState, bay
from swapproto.session.swap.plant import Plan
from swapproto.session.swap.view import View

HERE_BAY, ELSEWHERE = bay(2), bay(7)
LIMIT = 300 * MILLISECOND
APART, JOINED = Connection.NOT_CONNECTED, Connection.CONNECTED
OPEN, CLOSED = RelayState.OPEN, RelayState.CLOSED
ALL_OPEN = dict.fromkeys(m.RELAYS, OPEN)
PICK, STORE = bay(3), bay(4)
PLANS = {"sound": Plan(PICK, STORE), "same": Plan(PICK, PICK), "truck": Plan(TRUCK, STORE)}

DOMAIN: Mapping[str, Mapping[str, object]] = {
    "place": {"here": "here", "elsewhere": ELSEWHERE},
    "clear": {"yes": True, "no": False},
    "landed": {"yes": True, "no": False},
    "tongues": {"locked": m.Tongues.LOCKED, "unlocked": m.Tongues.UNLOCKED, "neither": m.Tongues.NEITHER},
    "load": {"full": m.Load.FULL, "none": m.Load.NONE, "partial": m.Load.PARTIAL},
    "slack": {"no": False, "yes": True},
    "stop": {"no": False, "yes": True},
    "truckstop": {"no": False, "yes": True},
    "key": {"off": True, "on": False},
    "gear": {"neutral": True, "other": False},
    "brake": {"set": True, "loose": False},
    "base": {
        "locked": LockState.LOCKED, "unlocked": LockState.UNLOCKED, "neither": LockState.NEITHER,
        "?": LockState(3),
    },
    "swap": {"apart": APART, "joined": JOINED, "?": Connection(2)},
    "charge": {"apart": APART, "joined": JOINED, "?": Connection(3)},
    "discharge": {"apart": APART, "joined": JOINED, "?": Connection(2)},
    "coolant": {"apart": APART, "joined": JOINED, "?": Connection(2)},
    "relays": {
        "open": ALL_OPEN, "closed": dict.fromkeys(m.RELAYS, CLOSED), "nothing": {},
        "one": {**ALL_OPEN, "heating_2": CLOSED}, "invalid": {**ALL_OPEN, "dcdc": RelayState.INVALID},
        "unsaid": {**ALL_OPEN, "positive": RelayState.NOT_GIVEN}, "heater": {"heating_1": OPEN},
        "unknown": {**ALL_OPEN, "some_other": CLOSED},
        "short": {name: OPEN for name in m.RELAYS if name != "negative"},
    },
    "weld": {"no": False, "yes": True},
    "volts": {"low": 59.9, "limit": 60.0, "high": 612.0, "reverse": -612.0, "nan": float("nan")},
    "present": {"yes": True, "no": False},
    "bay": {"apart": APART, "joined": JOINED, "?": Connection(3)},
    "parked": {"yes": True, "no": False},
    "inhibited": {"yes": True, "no": False},
    "status": {
        "engaged": m.ControllerStatus.ENGAGED, "free": m.ControllerStatus.FREE,
        "starting": m.ControllerStatus.STARTING,
    },
    "pick": {"yes": True, "no": False},
    "store": {"no": False, "yes": True},
    "vin": {"same": "VIN", "other": "ANOTHER"},
    "code": {"known": "CODE"},
    "plan": PLANS,
    "alarm": {"none": False, "burning": True},
}  # fmt: skip
"""What can be reported of each thing. Besides, each can be unknown or stale."""
UNKNOWN, STALE = "unknown", "stale"
BARE = {"vin", "code", "plan", "alarm"}
"""Things without an age of their own."""

PARKED = "key=off gear=neutral brake=set"
LOOPS_APART = "swap=apart charge=apart discharge=apart coolant=apart"
LOOPS_JOINED = "swap=joined charge=joined discharge=joined coolant=joined"
DEAD = "relays=open weld=no volts=low"
STILL = "stop=no place=here"
STANDS = f"truckstop=no {PARKED} parked=yes inhibited=yes status=engaged vin=same"
PLAN = "plan=sound pick=yes store=no"
OFF_TRUCK = f"{STILL} {STANDS} tongues=locked base=unlocked {LOOPS_APART} {DEAD}"
OUT_OF_BAY = f"{STILL} tongues=locked present=yes bay=apart {DEAD}"

LAW: Mapping[m.Order, str] = {
    m.Halt(): "",
    m.MeasureParking(): "",
    m.Engage(): "",
    m.DeEnergise(): f"{PARKED} {PLAN}",
    m.Disconnect(): f"stop=no truckstop=no {PARKED} {DEAD}",
    m.Unlock(): f"{STILL} {STANDS} landed=yes tongues=locked {LOOPS_APART} {DEAD}",
    m.Lock(): f"{STILL} truckstop=no landed=yes load=none",
    m.Connect(): f"stop=no truckstop=no {PARKED} base=locked clear=yes tongues=unlocked",
    m.Release(): (
        f"stop=no truckstop=no alarm=none vin=same base=locked {LOOPS_JOINED} clear=yes tongues=unlocked"
    ),
    m.Travel(TRUCK, loaded=False): "stop=no clear=yes tongues=unlocked load=none",
    m.Travel(HERE_BAY, loaded=True): "stop=no clear=yes tongues=locked load=full slack=no",
    m.Land(TRUCK): f"{STILL} truckstop=no {PARKED} tongues=unlocked load=none base=locked {LOOPS_APART}",
    m.Land(HERE_BAY): f"{STILL} tongues=unlocked load=none present=yes bay=apart",
    m.LockTongues(TRUCK): f"{STILL} landed=yes",
    m.LockTongues(HERE_BAY): f"{STILL} landed=yes",
    m.UnlockTongues(TRUCK): f"{STILL} landed=yes load=none base=locked",
    m.UnlockTongues(HERE_BAY): f"{STILL} landed=yes load=none present=yes",
    m.TakeLoad(TRUCK): f"{OFF_TRUCK} landed=yes",
    m.TakeLoad(HERE_BAY): f"{OUT_OF_BAY} landed=yes",
    m.Hoist(TRUCK): f"{OFF_TRUCK} {PLAN} alarm=none load=full slack=no",
    m.Hoist(HERE_BAY): f"{OUT_OF_BAY} alarm=none load=full slack=no",
    m.SetDown(TRUCK): f"{STILL} {STANDS} alarm=none tongues=locked load=full base=unlocked {LOOPS_APART}",
    m.SetDown(HERE_BAY): f"{STILL} alarm=none tongues=locked load=full present=no bay=apart",
    m.Withdraw(TRUCK): f"{STILL} tongues=unlocked load=none",
    m.Withdraw(HERE_BAY): f"{STILL} tongues=unlocked load=none",
    m.BayDisconnect(HERE_BAY): f"stop=no {DEAD} code=known",
    m.BayConnect(HERE_BAY): "stop=no present=yes clear=yes",
}
TRUCK_LAW: Mapping[m.Order, str] = {
    m.Halt(): "",
    m.Engage(): "",
    m.DeEnergise(): PARKED,
    m.Disconnect(): f"truckstop=no {PARKED} {DEAD}",
    m.Unlock(): f"truckstop=no {PARKED} inhibited=yes {LOOPS_APART} {DEAD}",
    m.Lock(): "truckstop=no brake=set",
    m.Connect(): f"truckstop=no {PARKED} base=locked",
    m.Release(): f"truckstop=no base=locked {LOOPS_JOINED}",
}
SIDES: Mapping[str, tuple[Mapping[m.Order, str], Mapping[Rule, Conditions]]] = {
    "station": (LAW, RULES),
    "truck": (TRUCK_LAW, TRUCK_RULES),
}


def needs(law: str) -> dict[str, str]:
    return dict(term.split("=") for term in law.split())


def where(order: m.Order) -> m.Place:
    at = getattr(order, "at", getattr(order, "to", TRUCK))
    assert isinstance(at, m.Place)
    return at


def reading(name: str, label: str, here: m.Place, age: int = 0) -> Reading[object]:
    if label == UNKNOWN:
        return Reading(None, age)
    value = here if label == "here" else DOMAIN[name][label.removeprefix(STALE)]
    return Reading(value, LIMIT + 1 if label.startswith(STALE) else age)


def reports(said: Mapping[str, str], here: m.Place, age: int = 0) -> list[m.Report]:
    """The reports by which the world is as said, each word so old."""

    def r(name: str) -> Reading[Any]:
        return reading(name, said[name], here, age)

    bay_place = here if here != TRUCK else HERE_BAY
    return [
        m.HoistReport(
            position=r("place"), clear=r("clear"), landed=r("landed"), tongues=r("tongues"), load=r("load"),
            slack=r("slack"), parked=r("parked"), emergency_stop=r("stop"),
            thermal_event=said["alarm"] == "burning",
        ),
        m.VehicleReport(
            str(DOMAIN["vin"].get(said["vin"], "")), key_off=r("key"), neutral=r("gear"),
            handbrake=r("brake"), drive_inhibited=r("inhibited"), emergency_stop=r("truckstop"),
        ),
        m.LockReport(
            lock=r("base"), swap_connector=r("swap"), charge_connector=r("charge"),
            discharge_connector=r("discharge"), coolant=r("coolant"),
        ),
        m.BayReport(
            bay_place, present=r("present"), connector=r("bay"), thermal_event=said["alarm"] == "burning"
        ),
        m.PackReport(
            here, None if said["code"] == UNKNOWN else "CODE", relays=r("relays"), welded=r("weld"),
            bus_voltage=r("volts"), thermal_event=said["alarm"] == "burning",
        ),
        m.ControllerReport(r("status")),
        m.BayReport(PICK, present=r("pick")),
        m.BayReport(STORE, present=r("store")),
    ]  # fmt: skip


def passes(order: m.Order, said: Mapping[str, str], rules: Mapping[Rule, Conditions]) -> bool:
    view = View(LIMIT)
    view.vin, view.plan = "VIN", PLANS.get(said["plan"])
    gate = Gate(view, rules, LIMIT)
    for report in reports(said, where(order)):
        view.take(report, 0)
    refusal = gate.offer(order, 0)
    assert (gate.poll() == order) is (refusal is None)
    if refusal is not None:
        assert refusal.faults
        assert str(refusal)
    return refusal is None


def lawful(law: str, said: Mapping[str, str]) -> bool:
    return all(said[name] == label for name, label in needs(law).items())


def labels(name: str, good: str) -> list[str]:
    """Everything that can be said of a thing, the good first."""
    known = [good, *(label for label in DOMAIN[name] if label != good)]
    if name == "alarm":
        return known
    return [*known, UNKNOWN] if name in BARE else [*known, UNKNOWN, STALE + good]


CASES = [
    pytest.param(side, order, id=f"{side}-{type(order).__name__}-{where(order).kind.name.lower()}")
    for side, (law, _) in SIDES.items()
    for order in law
]


def scenes(law: str, at_once: int) -> Iterator[dict[str, str]]:
    """Worlds as an order needs them, but for up to so many things; all that it does not need is unknown."""
    wanted = needs(law)
    base = {**dict.fromkeys(DOMAIN, UNKNOWN), **wanted}
    yield base
    for count in range(1, at_once + 1):
        for names in combinations(wanted, count):
            for said in product(*(labels(name, wanted[name])[1:] for name in names)):
                yield {**base, **dict(zip(names, said, strict=True))}


@pytest.mark.parametrize(("side", "order"), CASES)
def test_an_order_passes_when_all_that_it_needs_is_so_and_not_otherwise(side: str, order: m.Order) -> None:
    laws, rules = SIDES[side]
    found = [passes(order, said, rules) for said in scenes(laws[order], 2)]
    assert found == [True] + [False] * (len(found) - 1)


@pytest.mark.parametrize(("side", "order"), CASES)
def test_other_things_do_not_matter(side: str, order: m.Order) -> None:
    laws, rules = SIDES[side]
    wanted = needs(laws[order])
    for name in set(DOMAIN) - set(wanted):
        for label in labels(name, next(iter(DOMAIN[name]))):
            assert passes(order, {**dict.fromkeys(DOMAIN, UNKNOWN), **wanted, name: label}, rules)


def truth_table(side: str, order: m.Order) -> None:
    laws, rules = SIDES[side]
    wanted = needs(laws[order])
    for turn, bits in enumerate(product((True, False), repeat=len(wanted))):
        said = dict.fromkeys(DOMAIN, UNKNOWN)
        for (name, good), bit in zip(wanted.items(), bits, strict=True):
            bad = labels(name, good)[1:]
            said[name] = good if bit else bad[turn % len(bad)]
        assert passes(order, said, rules) is lawful(laws[order], said) is all(bits)


SMALL = [case for case in CASES if len(needs(SIDES[str(case.values[0])][0][case.values[1]])) <= 10]  # type: ignore[index]  # an order


@pytest.mark.parametrize(("side", "order"), SMALL)
def test_the_whole_truth_table(side: str, order: m.Order) -> None:
    truth_table(side, order)


@pytest.mark.long
@pytest.mark.parametrize(("side", "order"), [case for case in CASES if case not in SMALL])
def test_the_whole_truth_table_of_the_longer_rules(side: str, order: m.Order) -> None:
    truth_table(side, order)


def test_hoisting_needs_tongues_base_connectors_and_a_dead_pack() -> None:
    """The whole product of what the first of all interlocks reads, every value of every enumeration."""
    order = m.Hoist(TRUCK)
    base = {**dict.fromkeys(DOMAIN, UNKNOWN), **needs(LAW[order])}
    names = ("tongues", "base", "swap", "coolant", "relays", "weld", "volts")
    passed = 0
    for said in product(*(DOMAIN[name] for name in names)):
        world = {**base, **dict(zip(names, said, strict=True))}
        assert passes(order, world, RULES) is lawful(LAW[order], world)
        passed += lawful(LAW[order], world)
    assert passed == 1


def test_every_rule_has_its_law() -> None:
    for laws, rules in SIDES.values():
        met = {rule_of(order) for order in laws}
        assert met == set(rules)
        for order, law in laws.items():
            rule = rule_of(order)
            assert rule is not None
            assert len(rules[rule]) == len(needs(law)), order


@pytest.mark.parametrize(
    "order",
    [m.BayConnect(TRUCK), m.BayDisconnect(TRUCK)],
)
def test_an_order_in_a_place_where_it_makes_no_sense_never_passes(order: m.Order) -> None:
    refusal = Gate(View(LIMIT), RULES, LIMIT).offer(order, 0)
    assert refusal is not None
    assert refusal.rule == "no rule"


@pytest.mark.parametrize("status", list(m.ControllerStatus))
def test_a_controller_that_has_left_the_swap_is_none_to_hoist_from(status: m.ControllerStatus) -> None:
    view = View(LIMIT)
    view.take(m.ControllerReport(Reading(status)), 0)
    gone = status in (m.ControllerStatus.FREE, m.ControllerStatus.STARTING)
    assert (IN_SWAP.fault(view, TRUCK, 0, LIMIT) is not None) is gone


@pytest.mark.parametrize("lacks", [set[str](), {"dcdc"}, {"positive"}, {"negative"}, set(m.RELAYS)])
@pytest.mark.parametrize("short", [set[str](), {"dcdc"}, {"positive"}, {"dcdc", "heating_1"}, set(m.RELAYS)])
@pytest.mark.parametrize("said", [None, RelayState.NOT_GIVEN, CLOSED])
def test_relays_are_all_open_but_for_those_that_a_pack_lacks(
    lacks: set[str], short: set[str], said: RelayState | None
) -> None:
    states = {name: said if name in short else OPEN for name in m.RELAYS}
    told = {name: state for name, state in states.items() if state is not None}
    view = View(LIMIT)
    view.take(m.PackReport(TRUCK, relays=Reading(told), lacks=frozenset(lacks)), 0)
    lawful_set = not short or (short <= lacks - {"positive", "negative"} and said != CLOSED)
    assert (RELAYS_OPEN.fault(view, TRUCK, 0, LIMIT) is None) is lawful_set


def test_the_truck_obeys_no_hoist_order() -> None:
    gate = Gate(View(LIMIT), TRUCK_RULES, LIMIT)
    for order in set(LAW) - set(TRUCK_LAW) - {m.MeasureParking()}:
        assert gate.offer(order, 0) is not None
        assert gate.poll() is None


def test_a_held_gate_passes_halt_alone() -> None:
    gate = Gate(View(LIMIT), RULES, LIMIT)
    gate.held = True
    assert gate.offer(m.MeasureParking(), 0) is not None
    assert gate.offer(m.Halt(), 0) is None


def test_a_refusal_says_rule_condition_what_was_seen_and_how_old() -> None:
    said = {**dict.fromkeys(DOMAIN, UNKNOWN), **needs(LAW[m.Hoist(TRUCK)])}
    said |= {"volts": "high", "base": "stalelocked", "gear": UNKNOWN}
    gate_view = View(LIMIT)
    gate_view.vin, gate_view.plan = "VIN", PLANS["sound"]
    for report in reports(said, TRUCK):
        gate_view.take(report, 0)
    refusal = Gate(gate_view, RULES, LIMIT).offer(m.Hoist(TRUCK), 0)
    assert str(refusal) == (
        "Hoist refused by hoist off the truck: gear in neutral: not reported; "
        "base unlocked: reported locked, 0.3 s old; bus voltage below 60 V: reported 612.0"
    )


def test_nothing_but_the_gate_can_send() -> None:
    """The queue is private to gate.py, filled in one place, behind the examination; machines only poll it."""
    folder = Path(gate_module.__file__).parent
    touching = {path.name for path in folder.glob("*.py") if "_passed" in path.read_text(encoding="utf-8")}
    assert touching == {"gate.py"}
    tree = ast.parse((folder / "gate.py").read_text(encoding="utf-8"))
    filling = [
        (function.name, call.func.attr)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
        if isinstance(call.func.value, ast.Attribute) and call.func.value.attr == "_passed"
    ]
    assert sorted(filling) == [
        ("offer", "append"), ("poll", "popleft"), ("recall", "clear"), ("recall", "extend"),
    ]  # fmt: skip
    offering = [
        path.name for path in folder.glob("*.py") for _ in path.read_text("utf-8").split(".offer(")[1:]
    ]
    assert offering == ["_engine.py"]
