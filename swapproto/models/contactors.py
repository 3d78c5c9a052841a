"""The pack's main contactors, and the voltage that stays on the vehicle's side of them."""

from math import exp

import msgspec

from swapproto.frame import SECOND, Instant
from swapproto.messages.pack_can import RelayState
from swapproto.models.spec import require_range
from swapproto.provenance import Basis, Source

_NEVER: Instant = -(1 << 100)


class BusSpec(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Times of precharge and discharge; no source is public, so all are assumed."""

    source: Source = Source("vehicle bus", Basis.ASSUMED, 0, "no precharge or discharge times are public")
    precharge: float = 0.4
    """Seconds through the resistor before the positive contactor closes."""
    decay: float = 0.8
    """Seconds in which the open bus loses all but 1/e of its voltage, the vehicle discharging it."""

    def __post_init__(self) -> None:
        require_range(self, 0.01, 1e6, "precharge", "decay")


class Contactors:
    """Closing takes the precharge, opening is immediate; the bus voltage follows."""

    def __init__(self, spec: BusSpec = BusSpec()) -> None:  # noqa: B008  (frozen)
        self.spec = spec
        self.weld_detected = False
        """What the weld bit says, whatever is so."""
        self.bridged = False
        """Whether the bus stays live though everything is reported open."""
        self._closed = False
        self._since = _NEVER
        self._bus = 0.0
        """Volts when they opened last."""

    @property
    def closed(self) -> bool:
        """Whether they were told to close."""
        return self._closed

    def close(self, now: Instant) -> None:
        if not self._closed:
            self._closed, self._since = True, now

    def open(self, pack_voltage: float, now: Instant) -> None:
        if self._closed:
            self._bus = self.bus_voltage(pack_voltage, now)
            self._closed, self._since = False, now

    def precharging(self, now: Instant) -> bool:
        return self._closed and now - self._since < self.spec.precharge * SECOND

    def states(self, now: Instant) -> tuple[RelayState, RelayState, RelayState]:
        """Positive, negative and precharge as they are reported."""
        precharging = self.precharging(now)
        closed = (self._closed and not precharging, self._closed, precharging)
        positive, negative, precharge = (RelayState.CLOSED if on else RelayState.OPEN for on in closed)
        return positive, negative, precharge

    def bus_voltage(self, pack_voltage: float, now: Instant) -> float:
        """Volts on the vehicle's side."""
        if self.bridged:
            return pack_voltage
        seconds = (now - self._since) / SECOND
        if not self._closed:
            return self._bus * exp(-min(seconds / self.spec.decay, 100.0))
        if self.precharging(now):
            return pack_voltage * (1 - exp(-5 * seconds / self.spec.precharge))
        return pack_voltage
