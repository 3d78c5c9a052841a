"""Trucks that swap: the base with locks and connectors, the driver, the vehicle's node on the pack bus."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

import msgspec

from swapproto.frame import MILLISECOND, SECOND, CanFrame, Instant
from swapproto.messages.pack_can import (
    Connection,
    HighVoltageCommand,
    InsulationCommand,
    LockState,
    PackMessage,
    RelayState,
    VehicleCommand,
    VehicleIdentity,
)
from swapproto.messages.pack_can.command import ChargePermission, MonitorCommand, MonitorState
from swapproto.models.cyclic import Cyclic
from swapproto.models.drive import Drive
from swapproto.models.spec import require_range
from swapproto.models.swap_pack import SwapPack
from swapproto.provenance import Basis, Source
from swapproto.session.swap.messages import (
    Connect,
    DeEnergise,
    Disconnect,
    Engage,
    Halt,
    Lock,
    Release,
    TruckOrder,
    Unlock,
)

TRUCK_SOURCE = Source(
    "swap truck",
    Basis.ASSUMED,
    0,
    "public sources give 1.2 to 1.7 kWh/km for tractors, and six base locks; places, times and other trucks' "
    "consumption are chosen",
)


class TruckSpec(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Constants of a truck; no maker's."""

    kind: str
    vin: str
    """Seventeen characters."""
    source: Source = TRUCK_SOURCE
    consumption: float
    """kWh/km."""
    pack_height: float
    """Metres above the ground at which the pack stands on its base."""
    lock_time: float = 3.0
    """Seconds from locked to unlocked and back."""
    connector_time: float = 4.0
    """Seconds for all connectors and couplers together."""
    driver_time: float = 6.0
    """Seconds in which the driver sets neutral, handbrake and key, or takes them back."""

    def __post_init__(self) -> None:
        require_range(self, 0.1, 10, "consumption")
        require_range(self, 0.2, 3, "pack_height")
        require_range(self, 0.1, 600, "lock_time", "connector_time", "driver_time")


TRUCKS: Mapping[str, TruckSpec] = MappingProxyType(
    {
        spec.kind: spec
        for spec in (
            TruckSpec(kind="tractor", vin="L00TRACT4RS000001", consumption=1.6, pack_height=1.1),
            TruckSpec(kind="muck-truck", vin="L00MUCK07RS000001", consumption=1.9, pack_height=1.3),
            TruckSpec(kind="mixer", vin="L00M1XER4RS000001", consumption=1.8, pack_height=1.2),
        )
    }
)

CONNECTORS = ("swap_connector", "charge_connector", "discharge_connector", "coolant")


class Truck:
    """What the swap does to the truck, and the driver does; the low-voltage supply follows the connector."""

    def __init__(self, spec: TruckSpec, pack: SwapPack) -> None:
        self.spec = spec
        self.lock = Drive(1 / spec.lock_time, 1.0)
        """0 unlocked, 1 locked."""
        self.connectors = {name: Drive(1 / spec.connector_time, 1.0) for name in CONNECTORS}
        """0 apart, 1 joined."""
        self.pack: SwapPack | None = pack
        self.drive_inhibited = False
        self.emergency_stop = False
        self.key_left_on = False
        self.sensors_lie = False
        """Whether the lock sensors tell what was ordered instead of what is so."""
        self._parked_at: Instant | None = None
        self._released_at: Instant | None = None
        self._de_energise = False

    @property
    def range_left(self) -> float:
        """Kilometres with the pack that is on it."""
        energy = 0.0 if self.pack is None else self.pack.soc * self.pack.spec.nominal_energy
        return energy / self.spec.consumption

    def park(self, now: Instant) -> None:
        """The truck stands in the lane; from here on the driver acts."""
        self._parked_at, self._released_at = now, None

    def stop(self, now: Instant) -> None:
        """The truck's emergency stop: what moves stands still for good."""
        self._halt(now)
        self.emergency_stop = True

    def carry_out(self, order: TruckOrder, now: Instant) -> None:
        """Do as base, connectors and vehicle are told; what an order asks for is not questioned here."""
        if self.emergency_stop:
            return
        match order:
            case Engage():
                self.drive_inhibited = True
            case DeEnergise():
                self._de_energise = True
            case Disconnect() | Connect():
                for drive in self.connectors.values():
                    drive.go(float(isinstance(order, Connect)), now)
            case Unlock() | Lock():
                self.lock.go(float(isinstance(order, Lock)), now)
            case Release():
                self.drive_inhibited = False
                self._de_energise = False
                self._released_at = now
            case Halt():
                self._halt(now)

    def _halt(self, now: Instant) -> None:
        for drive in (self.lock, *self.connectors.values()):
            drive.stop(now)

    # ---- the driver: handbrake, then neutral, then key; the other way round to leave

    def handbrake_set(self, now: Instant) -> bool:
        return self._rested(now, 1 / 3)

    def neutral(self, now: Instant) -> bool:
        return self._rested(now, 2 / 3)

    def key_off(self, now: Instant) -> bool:
        return self._rested(now, 1) and not self.key_left_on

    def high_voltage_wanted(self, now: Instant) -> bool:
        return not self.key_off(now) and not self._de_energise

    @property
    def released(self) -> bool:
        return self._released_at is not None

    def gone(self, now: Instant) -> bool:
        """Whether the truck has been released and driven off."""
        return self._released_at is not None and not self._rested(now, 0)

    def _rested(self, now: Instant, share: float) -> bool:
        """Whether the driver has done the part of the work that ends at a share of the time."""
        if self._parked_at is None:
            return False
        time = self.spec.driver_time * SECOND
        if self._released_at is not None:
            return now < self._released_at + (1 - share) * time
        return now >= self._parked_at + share * time

    # ---- what the sensors say

    def connection(self, name: str, now: Instant) -> Connection:
        """A plug counts as joined until it is right out, and as apart until it is right in.

        So its last contacts, supply and CAN, break and make at the end of the movement (assumed).
        """
        drive = self.connectors[name]
        position = drive.position(now)
        joined = position >= 1 if drive.target >= 1 else position > 0
        return Connection.CONNECTED if joined else Connection.NOT_CONNECTED

    def lock_state(self, now: Instant) -> LockState:
        position = self.lock.target if self.sensors_lie else self.lock.position(now)
        if position >= 1:
            return LockState.LOCKED
        return LockState.UNLOCKED if position <= 0 else LockState.NEITHER

    # ---- what the hoist meets

    @property
    def height(self) -> float:
        """Metres above the ground at which the pack stands."""
        return self.spec.pack_height

    def holds_fast(self, now: Instant) -> bool:
        """Whether the pack cannot be lifted without damage: locked, or plugged in."""
        joined = any(self.connection(name, now) is Connection.CONNECTED for name in CONNECTORS)
        return joined or self.lock.position(now) > 0

    def supplied(self, now: Instant) -> bool:
        """Whether there is a pack that has its low-voltage supply."""
        return self.pack is not None and self.connection("swap_connector", now) is Connection.CONNECTED


class VehicleNode:
    """The vehicle controller (SA D0h) on the pack bus: commands every 50 ms, and the VIN in three frames."""

    def __init__(self, truck: Truck, now: Instant) -> None:
        self._truck = truck
        self._alive = 0
        self._frame = 0
        self._cyclic = cyclic = Cyclic()
        cyclic.every(50 * MILLISECOND, self._command)
        cyclic.every(100 * MILLISECOND, self._identity)
        cyclic.every(SECOND, self._insulation)
        cyclic.start(now)

    def receive(self, frame: CanFrame, now: Instant) -> None:
        """It reads the pack's messages for the dashboard alone."""

    def handle_timeout(self, now: Instant) -> None:
        self._cyclic.handle_timeout(now)

    def next_timeout(self) -> Instant | None:
        return self._cyclic.next_timeout()

    def poll_transmit(self) -> CanFrame | None:
        return self._cyclic.poll_transmit()

    def _command(self, now: Instant) -> Iterator[PackMessage]:
        self._alive = (self._alive + 1) % 15
        on = self._truck.high_voltage_wanted(now)
        command = HighVoltageCommand.ON if on else HighVoltageCommand.OFF
        motor = RelayState.CLOSED if on else RelayState.OPEN
        yield VehicleCommand(
            alive_counter=self._alive,
            high_voltage=command,
            accessory_high_voltage=command,
            main_motor=motor,
        )

    def _identity(self, _now: Instant) -> Iterator[PackMessage]:
        start = 7 * self._frame
        self._frame = (self._frame + 1) % 3
        yield VehicleIdentity(frame_number=1 + start // 7, characters=self._truck.spec.vin[start : start + 7])

    def _insulation(self, _now: Instant) -> Iterator[PackMessage]:
        yield InsulationCommand(
            monitor=MonitorCommand.ON,
            charge_permission=ChargePermission.ALLOWED,
            monitor_state=MonitorState.STOPPED,
            insulation_positive=0,
            insulation_negative=0,
        )
