"""A top-hoist swap station: seven bays, a transfer bay, the hoist, its stock and its services."""

from collections.abc import Iterable, Iterator, Mapping
from random import Random

import msgspec

from swapproto.frame import SECOND, Instant
from swapproto.models.bay import Bay
from swapproto.models.hoist import HoistModel, HoistSpec, Seat
from swapproto.models.spec import require_range
from swapproto.models.swap_pack import SwapPack
from swapproto.provenance import Basis, Source
from swapproto.session.swap.messages import (
    TRANSFER,
    TRUCK,
    BayConnect,
    BayDisconnect,
    Halt,
    Place,
    StationOrder,
    StationReport,
    bay,
)
from swapproto.session.swap.plant import Direction, Plan

BAYS = tuple(bay(number) for number in range(1, 8))
"""One real station has seven charging bays and one transfer bay (one witness)."""


class StationSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Constants of the station's services, assumed (see ``source``)."""

    source: Source = Source("station services", Basis.ASSUMED, 0, "no response times are public")
    plan_time: float = 1.0
    """Seconds to choose two bays."""
    authorise_time: float = 2.0
    record_time: float = 1.0
    spread: float = 0.5
    """By which share each answer may take longer."""
    ready: float = 0.6
    """State of charge from which a pack is given to a truck."""

    def __post_init__(self) -> None:
        require_range(self, 0, 600, "plan_time", "authorise_time", "record_time")
        require_range(self, 0, 10, "spread")
        require_range(self, 0, 1, "ready")


class Station:
    """StationPlant, and everything that carries out the orchestrator's orders."""

    def __init__(
        self,
        truck: Seat,
        stock: Mapping[Place, SwapPack],
        *,
        random: Random,
        spec: StationSpec = StationSpec(),  # noqa: B008  (frozen)
        hoist: HoistSpec = HoistSpec(),  # noqa: B008  (frozen)
    ) -> None:
        """What the stock has in places that are no bays is left out."""
        self.spec = spec
        self.bays = {place: Bay(place, stock.get(place)) for place in (*BAYS, TRANSFER)}
        self.hoist = HoistModel({TRUCK: truck, **self.bays}, hoist)
        self.refused: set[str | None] = set()
        """Codes of packs that authorisation refuses."""
        self.records: list[tuple[Instant, str, Plan]] = []
        """What was reported: when, the truck's VIN, the bays."""
        self._random = random
        self._answers: dict[tuple[str, object], Instant] = {}
        self._plans: dict[str, Plan] = {}

    # ---- StationPlant

    def plan(self, vin: str, now: Instant) -> Plan | None:
        """The fullest pack for the truck; an empty bay, or at need the transfer bay, for the truck's own."""
        if not self._answered(vin, "plan", self.spec.plan_time, now):
            return None
        if vin not in self._plans:
            stock = {each: each.pack.soc for each in self.bays.values() if each.pack is not None}
            ready = [each for each, soc in stock.items() if soc >= self.spec.ready]
            free = [each for each in self.bays.values() if each.pack is None]
            if ready and free:
                pick = max(ready, key=stock.__getitem__)
                pick.awake = True
                self._plans[vin] = Plan(pick=pick.place, store=free[0].place)
        return self._plans.get(vin)

    def authorise(self, direction: Direction, code: str | None, vin: str, now: Instant) -> bool | None:
        """A pack without a code is refused."""
        if not self._answered(vin, direction, self.spec.authorise_time, now):
            return None
        return code is not None and code not in self.refused

    def record(self, plan: Plan, vin: str, now: Instant) -> bool | None:
        """With the record the truck is forgotten: it can come again."""
        if not self._answered(vin, "record", self.spec.record_time, now):
            return None
        self.records.append((now, vin, plan))
        self._plans.pop(vin, None)
        self._answers = {asked: at for asked, at in self._answers.items() if asked[0] != vin}
        return True

    def _answered(self, vin: str, question: object, time: float, now: Instant) -> bool:
        """Whether the answer to a question has come, which takes a while from when it is first asked."""
        if (vin, question) not in self._answers:
            time *= 1 + self.spec.spread * self._random.random()
            self._answers[vin, question] = now + round(time * SECOND)
        return now >= self._answers[vin, question]

    # ---- orders and reports

    def carry_out(self, order: StationOrder, now: Instant) -> None:
        if isinstance(order, BayDisconnect | BayConnect):
            self.bays[order.at].carry_out(order, now)
            return
        self.hoist.carry_out(order, now)
        if isinstance(order, Halt):
            for each in self.bays.values():
                each.plug.stop(now)

    def reports(self, now: Instant) -> Iterator[StationReport]:
        yield self.hoist.report(now)
        for each in self.bays.values():
            yield each.report(now)


def stock(packs: Iterable[SwapPack]) -> Mapping[Place, SwapPack]:
    """Packs from bay 1 on; what finds no bay is left out."""
    return dict(zip(BAYS, packs, strict=False))
