"""A whole swap over the kernel: packs on one interface of each bus, what talks to them on the other.

The scene of `swapproto.simulation` runs as it is; in place of its virtual buses it gets the kernel's.
"""

import itertools
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from functools import partial

import msgspec
import pytest

from swapproto.frame import SECOND, CanFrame, Instant
from swapproto.link import Link, Node
from swapproto.models.hoist import HoistModel, HoistSpec
from swapproto.models.swap_station import StationSpec
from swapproto.models.truck import TRUCKS
from swapproto.observe.scene import StepKind
from swapproto.observe.swap import SwapWatch
from swapproto.runtime.buses import Timed
from swapproto.runtime.station import StationRunner
from swapproto.runtime.virtual import VirtualBus
from swapproto.session.swap.messages import TRUCK
from swapproto.simulation import swap as scene
from swapproto.simulation.swap import Outcome, VirtualSwap
from swapproto.trace.record import Record
from swapproto_drivers.can_bus import open_link

pytestmark = pytest.mark.lab(timing=True)

PACKS = {"pack", "BMS"}
GROUP = "swap"
BAY_BUSES = ("vcan1", "vcan2")
REACTION = SECOND // 20
LIMIT = 120 * SECOND
"""The swap and the charge take 41 s with these devices."""
EXPECTED = [
    StepKind.LOCKED, StepKind.CONNECTED, StepKind.APART, StepKind.UNLOCKED, StepKind.LOCKED,
    StepKind.CONNECTED, StepKind.CHARGE_BEGINS, StepKind.CHARGE_ENDS,
]  # fmt: skip
FAST_TRUCK = msgspec.structs.replace(TRUCKS["tractor"], lock_time=0.2, connector_time=0.2, driver_time=0.5)
FAST_HOIST = HoistSpec(travel_speed=10, lift_speed=4, tongue_time=0.2, tension_time=0.2, lidar_time=0.2)
FAST_STATION = StationSpec(plan_time=0.1, authorise_time=0.1, record_time=0.1)


class Side:
    """Nodes that come to and go from one interface; to them the swap begins at 0."""

    def __init__(self, start: Instant) -> None:
        self._start = start
        self._nodes: list[Node] = []

    def attach(self, node: Node) -> None:
        self._nodes.append(node)

    def detach(self, node: Node) -> None:
        self._nodes.remove(node)

    def receive(self, frame: CanFrame, now: Instant) -> None:
        for node in self._nodes:
            node.receive(frame, now - self._start)

    def handle_timeout(self, now: Instant) -> None:
        for node in self._nodes:
            node.handle_timeout(now - self._start)

    def next_timeout(self) -> Instant | None:
        wanted = [due for node in self._nodes if (due := node.next_timeout()) is not None]
        return min(wanted) + self._start if wanted else None

    def poll_transmit(self) -> CanFrame | None:
        return next((frame for node in self._nodes if (frame := node.poll_transmit()) is not None), None)


class Wire:
    """Does what the scene asks of a bus, on two interfaces."""

    def __init__(self, packs: Side, others: Side) -> None:
        self._packs = packs
        self._others = others

    def attach(self, node: Node, name: str) -> tuple[Side, Node]:
        side = self._packs if name in PACKS else self._others
        side.attach(node)
        return side, node

    def detach(self, port: tuple[Side, Node]) -> None:
        side, node = port
        side.detach(node)


class Beside:
    """What stands beside the buses, by the clock of the links."""

    def __init__(self, timed: Timed, start: Instant) -> None:
        self._timed = timed
        self._start = start

    def handle_timeout(self, now: Instant) -> None:
        self._timed.handle_timeout(now - self._start)

    def next_timeout(self) -> Instant | None:
        due = self._timed.next_timeout()
        return None if due is None else due + self._start


class Wires:
    """Does what the scene asks of its buses; nothing is served before the scene runs."""

    def __init__(self, runner: StationRunner, links: Sequence[tuple[Link, Link]]) -> None:
        self._runner = runner
        self._links = deque(links)
        self._start = time.monotonic_ns()
        self._waiting: list[Callable[[], None]] = []
        self._running = False

    @property
    def now(self) -> Instant:
        return time.monotonic_ns() - self._start

    def add_bus(self, name: str, _virtual: VirtualBus) -> Wire:
        sides = Side(self._start), Side(self._start)
        for side, link, whose in zip(sides, self._links.popleft(), ("pack", "others"), strict=True):
            self._serve(partial(self._runner.add, side, link, f"{name}, {whose}", group=GROUP))
        return Wire(*sides)

    def add(self, timed: Timed, name: str) -> None:
        self._serve(partial(self._runner.add_timed, Beside(timed, self._start), name, group=GROUP))

    def run(self, until: Callable[[], bool], *, limit: Instant) -> None:
        self._running = True
        while self._waiting:
            self._waiting.pop()()
        while self.now < limit:
            assert self.now < LIMIT
            assert not self._runner.ends
            with self._runner.holding(GROUP):
                if until():
                    return
            time.sleep(REACTION / SECOND)

    def _serve(self, add: Callable[[], None]) -> None:
        if self._running:
            add()
        else:
            self._waiting.append(add)


@pytest.fixture
def links(interfaces: tuple[str, str]) -> Iterator[list[tuple[Link, Link]]]:
    """Of the truck and of the bays, open before the clock matters."""
    with ExitStack() as stack:

        def opened(interface: str) -> Link:
            return stack.enter_context(closing(open_link(f"socketcan:{interface}", {})))

        buses = (interfaces, *((name, name) for name in BAY_BUSES))
        yield [(opened(packs), opened(others)) for packs, others in buses]


def test_a_swap_and_the_charge_behind_it(
    interfaces: tuple[str, str],
    links: list[tuple[Link, Link]],
    monkeypatch: pytest.MonkeyPatch,
    record: Callable[[str], Callable[[], list[Record]]],
) -> None:
    recordings = [record(interface) for interface in (interfaces[1], *BAY_BUSES)]
    with StationRunner(reaction=REACTION) as runner:
        monkeypatch.setattr(scene, "Buses", lambda: Wires(runner, links))
        swap = VirtualSwap(FAST_TRUCK, soc=0.2, charge_to=0.2001)
        swap.station.spec = FAST_STATION
        swap.station.hoist = HoistModel({TRUCK: swap.truck, **swap.station.bays}, FAST_HOIST)
        swap.station.hoist.truck_in_place = True
        result = swap.run()
    assert (result.outcome, result.reason, result.harm) == (Outcome.COMPLETE, "", ())
    assert result.charged
    assert result.taken != result.brought
    watch = SwapWatch()
    for each in sorted(itertools.chain(*(read() for read in recordings)), key=lambda record: record.at_us):
        watch.receive(each)
    found = watch.finish()
    assert found.oddities == ()
    steps = [step.kind for step in found.steps]
    assert [kind for kind in steps if kind in EXPECTED] == EXPECTED
    assert steps.count(StepKind.ANOTHER_PACK) == 1
