"""The truck's swap controller (SA A7h): a node on the pack bus around the role machine."""

from collections import deque
from collections.abc import Iterator

from swapproto.frame import MILLISECOND, CanFrame, Instant
from swapproto.messages.pack_can import AlarmLevel, PackMessage, SwapController
from swapproto.models.cyclic import Cyclic
from swapproto.models.pack_listener import PackListener
from swapproto.models.pack_node import LACKED
from swapproto.models.truck import Truck
from swapproto.session.swap import controller as role
from swapproto.session.swap.messages import (
    TRUCK,
    LockReport,
    PackReport,
    Reading,
    TruckOrder,
    TruckReport,
    VehicleReport,
)
from swapproto.session.swap.timing import NOMINAL, Timing


class ControllerNode:
    """A link.Node; the station's orders come by obey(), what it has to tell the station by poll_report()."""

    def __init__(self, truck: Truck, now: Instant, *, timing: Timing = NOMINAL) -> None:
        self.session = role.SwapController(timing=timing)
        self.fault_level = AlarmLevel.NONE
        self.fault_code = 0
        self._truck = truck
        self._pack = PackListener(TRUCK, lacks=LACKED)
        self._reports: deque[TruckReport] = deque(maxlen=64)
        self._counter = 0
        self._cycle = timing.cycle
        self._due = now
        self._cyclic = Cyclic()
        self._cyclic.every(100 * MILLISECOND, self._frame)
        self._cyclic.start(now)

    def obey(self, order: TruckOrder, now: Instant) -> None:
        """Take an order of the station."""
        self._observe(now)
        self.session.receive(order, now)
        self._carry_out(now)

    @property
    def has_report(self) -> bool:
        return bool(self._reports)

    def poll_report(self) -> TruckReport | None:
        """The next report to the station, or None. Poll after any other call."""
        return self._reports.popleft() if self._reports else None

    def receive(self, frame: CanFrame, now: Instant) -> None:
        self._pack.receive(frame, now)

    def handle_timeout(self, now: Instant) -> None:
        self._cyclic.handle_timeout(now)
        if self._due <= now:
            self._due += self._cycle
            self._observe(now)
        self.session.handle_timeout(now)
        self._carry_out(now)

    def next_timeout(self) -> Instant | None:
        wanted = (self._cyclic.next_timeout(), self.session.next_timeout())
        return min((at for at in wanted if at is not None), default=self._due)

    def poll_transmit(self) -> CanFrame | None:
        return self._cyclic.poll_transmit()

    def _observe(self, now: Instant) -> None:
        """Look at the truck's own devices."""
        truck = self._truck
        self._tell(
            VehicleReport(
                vin=truck.spec.vin,
                key_off=Reading(truck.key_off(now)),
                neutral=Reading(truck.neutral(now)),
                handbrake=Reading(truck.handbrake_set(now)),
                drive_inhibited=Reading(truck.drive_inhibited),
                emergency_stop=Reading(truck.emergency_stop),
            ),
            now,
        )
        self._tell(
            LockReport(
                lock=Reading(truck.lock_state(now)),
                swap_connector=Reading(truck.connection("swap_connector", now)),
                charge_connector=Reading(truck.connection("charge_connector", now)),
                discharge_connector=Reading(truck.connection("discharge_connector", now)),
                coolant=Reading(truck.connection("coolant", now)),
                fault_level=Reading(int(self.fault_level)),
                fault_code=self.fault_code,
            ),
            now,
        )
        pack = self._pack.report(now)
        if not truck.supplied(now):
            self._pack.forget()
        elif pack is not None:
            self._tell(pack, now)

    def _tell(self, report: VehicleReport | LockReport | PackReport, now: Instant) -> None:
        self.session.receive(report, now)
        self._carry_out(now)

    def _carry_out(self, now: Instant) -> None:
        """Pass on what the role machine lets out."""
        while (message := self.session.poll_transmit()) is not None:
            if isinstance(message, TruckReport):
                self._reports.append(message)
            elif isinstance(message, TruckOrder):
                self._truck.carry_out(message, now)

    def _frame(self, now: Instant) -> Iterator[PackMessage]:
        self._counter = (self._counter + 1) % 256
        truck = self._truck
        yield SwapController(
            counter=self._counter,
            lock=truck.lock_state(now),
            swap_connector=truck.connection("swap_connector", now),
            discharge_connector=truck.connection("discharge_connector", now),
            charge_connector=truck.connection("charge_connector", now),
            fault_level=self.fault_level,
            fault_code=self.fault_code,
        )
