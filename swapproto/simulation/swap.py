"""A truck arrives, its pack is exchanged, and the pack that it brought is charged: all in virtual time.

Usage::

    swap = VirtualSwap(TRUCKS["tractor"], seed=1, charge_to=0.3)
    result = swap.run(lambda note: print(note.text))
    result.outcome, result.reason

The truck's pack bus is the channel "truck", the bus of bay 3 is "bay3". The same arguments give the same
frames at the same instants.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from enum import StrEnum
from random import Random

import msgspec

from swapproto.codes import PackCode, Product
from swapproto.frame import SECOND, Instant
from swapproto.models.controller_node import ControllerNode
from swapproto.models.drive import Drive
from swapproto.models.swap_pack import SwapPack
from swapproto.models.swap_station import BAYS, Station, stock
from swapproto.models.truck import Truck, TruckSpec, VehicleNode
from swapproto.runtime.buses import Buses
from swapproto.runtime.virtual import Port, VirtualBus
from swapproto.session.swap.command import Command
from swapproto.session.swap.messages import TRANSFER, Report, StationOrder, TruckOrder
from swapproto.session.swap.orchestrator import Orchestrator
from swapproto.session.swap.orchestrator_table import ENDS, State
from swapproto.session.swap.plant import Plan
from swapproto.session.swap.timing import NOMINAL, Timing
from swapproto.simulation.bay_bus import BayBus
from swapproto.simulation.pack_socket import PackSocket
from swapproto.simulation.swap_faults import SwapFault, apply
from swapproto.simulation.swap_story import Story, Tell

BIT_RATE = 250_000
LONGEST = 3 * 3600 * SECOND
"""A swap and a charge that take longer are given up."""
_WATCH = SECOND
_AFTERMATH = 2 * SECOND
"""What is still recorded after a swap is held."""
_CHARGE_CYCLE = SECOND


class Outcome(StrEnum):
    """How a virtual swap ended."""

    COMPLETE = "complete"
    HELD = "held"
    """Nothing moves until an operator decides, and there is none."""
    ABORTED = "aborted"
    """The truck left with its own pack, or was not let in."""
    UNFINISHED = "not finished"


class SwapResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it; states of charge are shares."""

    outcome: Outcome
    reason: str
    """Empty where the swap was complete."""
    duration: float | None
    """Seconds from the truck's arrival to the end of the swap, None where it has none."""
    vin: str
    brought: str
    """Code of the pack that the truck brought."""
    taken: str | None
    """Code of the pack that is on the truck now."""
    plan: Plan | None
    soc: float
    """Of the pack that the truck brought, at the end."""
    charged: bool | None
    """Whether its charge was complete; None where it was not begun or not over."""
    charge: str
    """How its charge ended and why, or why there was none; empty where that is open."""
    harm: tuple[str, ...]
    """What broke because it was ordered all the same; empty unless an interlock is missing."""


class VirtualSwap:
    """One swap, with everything that takes part in it; ``buses`` may be tapped before it runs."""

    def __init__(
        self,
        truck: TruckSpec,
        *,
        soc: float = 0.2,
        charge_to: float | None = None,
        seed: int = 0,
        faults: Sequence[SwapFault] = (),
        timing: Timing = NOMINAL,
    ) -> None:
        """The truck's pack arrives with ``soc`` and is charged afterwards to ``charge_to``, if at all."""
        random = Random(seed)
        self.brought = _pack(random, soc, 1.0 if charge_to is None else charge_to)
        spec = msgspec.structs.replace(truck, driver_time=truck.driver_time * random.uniform(0.8, 1.5))
        self.truck = Truck(spec, self.brought)
        packs = [_pack(random, random.uniform(0.9, 1.0), 1.0) for _ in BAYS[:-1]]
        self.station = Station(self.truck, stock(packs), random=random)
        self.station.hoist.truck_in_place = True
        self.orchestrator = Orchestrator(self.station, timing=timing)
        self.buses = Buses()
        self.silent = False
        """Whether the truck's reports get lost."""
        self._seed = seed
        self._no_charge = _no_charge(soc, charge_to)
        self._faults = sorted(faults, key=lambda fault: fault.at)
        self._story = Story(lambda _: None, timing)
        self._timing = timing
        self._bus = self.buses.add_bus("truck", VirtualBus(BIT_RATE, seed))
        self._controller = ControllerNode(self.truck, 0, timing=timing)
        self._vehicle = VehicleNode(self.truck, 0)
        self._socket = PackSocket(self._bus, in_station=False)
        self._ports: tuple[Port, ...] = ()
        """Of the truck's own nodes, while it stands in the lane."""
        self._bays: list[BayBus] = []
        self._cycle: Instant = 0
        self._served: Instant = 0
        self._due: Instant = 0
        self._released: Instant | None = None
        self._until: Instant | None = None
        """When there is nothing more to come."""
        self.buses.add(self, "station")

    @property
    def now(self) -> Instant:
        return self.buses.now

    @property
    def status(self) -> str:
        """Where it stands, in a few words."""
        charging = [each.bay for each in self._bays if each.charging]
        words = [self.orchestrator.state.value]
        words += [f"{each.place} charges {each.pack}" for each in charging]
        return ", ".join(words)

    @property
    def over(self) -> bool:
        return self._until is not None and self.now >= self._until

    def run(
        self, tell: Tell = lambda _: None, watch: Callable[["VirtualSwap"], object] = lambda _: None
    ) -> SwapResult:
        """Run it to its end; ``tell`` gets each note, ``watch`` is called every second of virtual time."""
        self._story = Story(tell, self._timing)
        self.truck.park(self.now)
        self._socket.update(self.truck.pack, self.now)
        self._ports = (
            self._bus.attach(self._vehicle, "vehicle"),
            self._bus.attach(self._controller, "swap controller"),
        )
        text = f"{self.truck.spec.kind} {self.truck.spec.vin} arrives with {self.brought}"
        self._story.note(self.now, "truck", text)
        self.orchestrator.command(Command.START, self.now)
        while not self.over and self.now < LONGEST:
            self.buses.run(lambda: self.over, limit=self.now + _WATCH)
            watch(self)
        return self._result()

    # ---- the station's computer, beside the buses

    def next_timeout(self) -> Instant | None:
        if self._ports and self._controller.has_report:
            return self._served
        return self._due

    def handle_timeout(self, now: Instant) -> None:
        self._served = now
        while self._faults and self._faults[0].at <= now:
            fault = self._faults.pop(0)
            self._story.note(now, "fault", str(fault))
            apply(fault, self, now)
        if self._ports:
            self._swap(now)
        for bay in self._bays:
            bay.work(now)
        self._end(now)
        if self._cycle <= now:
            self._cycle = now + (self._timing.cycle if self._ports else _CHARGE_CYCLE)
        wanted = [self._cycle, *(each.arrives for each in self._plugs())]
        waits = self.orchestrator.next_timeout()
        if waits is not None and self._ports:
            wanted.append(waits)
        self._due = min(at for at in wanted if at > now)

    def _swap(self, now: Instant) -> None:
        """Bring the reports to the orchestrator, and its orders to truck and hoist."""
        while (report := self._controller.poll_report()) is not None:
            if not self.silent:
                self._hear(report, now)
        if self._cycle <= now:
            for told in self.station.reports(now):
                self._hear(told, now)
            for bay in self._bays:
                pack = bay.report(now)
                if pack is not None:
                    self._hear(pack, now)
        self.orchestrator.handle_timeout(now)
        self._obey(now)
        plan = self.orchestrator.plan
        if plan is not None and not self._bays:
            self._bays = [self._open(plan, store=False), self._open(plan, store=True)]
        self._socket.update(self.truck.pack if self.truck.supplied(now) else None, now)

    def _hear(self, report: Report, now: Instant) -> None:
        self._story.take(report, now)
        self.orchestrator.receive(report, now)
        self._obey(now)

    def _obey(self, now: Instant) -> None:
        while (order := self.orchestrator.poll_transmit()) is not None:
            if isinstance(order, TruckOrder):
                self._controller.obey(order, now)
            if isinstance(order, StationOrder):
                self.station.carry_out(order, now)
        while (event := self.orchestrator.poll_event()) is not None:
            self._story.station(event, self.orchestrator.plan)
        while (event := self._controller.session.poll_event()) is not None:
            self._story.truck(event)

    def _open(self, plan: Plan, *, store: bool) -> BayBus:
        place = plan.store if store else plan.pick
        name = "transfer" if place == TRANSFER else f"bay{place.number}"
        bus = self.buses.add_bus(name, VirtualBus(BIT_RATE, self._seed, start=self.now))
        why_not = ""
        if store:
            why_not = self._no_charge or ("the transfer bay has no charger" if place == TRANSFER else "")
        charges = store and not why_not

        def say(at: Instant, text: str) -> None:
            self._story.note(at, name, text)

        return BayBus(self.station.bays[place], bus, say, charges=charges, why_not=why_not)

    def _plugs(self) -> "list[Drive]":
        """Supply and CAN of a pack come and go with these, at the instant at which they arrive."""
        return [self.truck.connectors["swap_connector"], *(each.bay.plug for each in self._bays)]

    def _end(self, now: Instant) -> None:
        """See whether the truck has left, and whether there is nothing more to wait for."""
        state = self.orchestrator.state
        if self.orchestrator.held:
            self._until = now + _AFTERMATH if self._until is None else self._until
            return
        if self._released is None and state in ENDS:
            self._released = now
        if self._ports and (self.truck.gone(now) or (state is State.ABORTED and not self.truck.released)):
            self._story.note(now, "truck", "leaves")
            self._socket.update(None, now)
            for port in self._ports:
                self._bus.detach(port)
            self._ports = ()
        if not self._ports and not any(each.to_charge for each in self._bays):
            self._until = now

    def _result(self) -> SwapResult:
        state, pack = self.orchestrator.state, self.truck.pack
        outcome = Outcome.UNFINISHED
        if self.orchestrator.held:
            outcome = Outcome.HELD
        elif state in ENDS:
            outcome = Outcome.COMPLETE if state is State.COMPLETE else Outcome.ABORTED
        return SwapResult(
            outcome=outcome,
            reason="" if outcome is Outcome.COMPLETE else self._story.reason or state.value,
            duration=None if self._released is None else self._released / SECOND,
            vin=self.truck.spec.vin,
            brought=self.brought.code,
            taken=None if pack is None else pack.code,
            plan=self.orchestrator.plan,
            soc=self.brought.soc,
            charged=next((each.complete for each in self._bays if each.complete is not None), None),
            charge=next((each.told for each in self._bays if each.told), ""),
            harm=tuple(self.station.hoist.harm),
        )


def _no_charge(soc: float, charge_to: float | None) -> str:
    """Why a pack that arrives like that needs no charge; empty where it does."""
    if charge_to is None:
        return "none is wanted"
    if soc < charge_to:
        return ""
    return f"up to {100 * charge_to:.4g} % is wanted, and the pack arrived with {100 * soc:.4g} %"


def _pack(random: Random, soc: float, charge_to: float) -> SwapPack:
    code = PackCode.build(
        manufacturer="0ZZ",
        product=Product.PACK,
        chemistry="B",
        specification="01",
        traceability="0000000",
        made=dt.date(2024, 1, 1) + dt.timedelta(days=random.randrange(365)),
        serial=random.randrange(1, 10**6),
    )
    return SwapPack(str(code), soc=soc, charge_to=charge_to)
