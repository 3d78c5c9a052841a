"""A pack that travels: on a truck it speaks pack CAN, in a bay GB/T 27930 too, and without supply nothing."""

import msgspec

from swapproto.frame import Instant
from swapproto.messages.pack_can import AlarmLevel
from swapproto.models.battery import TRUCK_PACK, BatterySpec
from swapproto.models.contactors import Contactors
from swapproto.models.pack import Pack


class SwapPack:
    """One battery behind both faces; the charging face is ``plant``, the other is a ``PackNode``."""

    def __init__(
        self,
        code: str,
        spec: BatterySpec = TRUCK_PACK,
        *,
        soc: float = 0.2,
        charge_to: float = 1.0,
        mass: float = 3200.0,
    ) -> None:
        """The code has 24 to 27 characters, soc and charge_to are shares, the mass is in kg.

        3.2 t is one report of a pack of about 280 kWh; another says 2.5 t.
        """
        self.code = code
        self.mass = mass
        self.spec = msgspec.structs.replace(spec, soc_target=charge_to)
        self.plant = Pack(self.spec, soc=soc)
        self.contactors = Contactors()
        self.thermal_event = False
        """Whether fire or smoke is detected inside."""
        self._soc_at_first = soc

    def __str__(self) -> str:
        return f"{self.code} at {100 * self.soc:.0f} %"

    @property
    def soc(self) -> float:
        """Share, 0 to 1."""
        return self.plant.battery.soc

    @property
    def alarm(self) -> AlarmLevel:
        """The highest of all alarms."""
        return AlarmLevel.LEVEL_3 if self.thermal_event else AlarmLevel.NONE

    @property
    def charged_in_station(self) -> float:
        """Energy in kWh since it was made here, as far as the state of charge tells."""
        return max(self.soc - self._soc_at_first, 0.0) * self.spec.nominal_energy

    def bus_voltage(self, now: Instant) -> float:
        """Volts on the vehicle's side of the contactors."""
        return self.contactors.bus_voltage(self.plant.battery.voltage, now)

    def high_voltage(self, now: Instant, *, on: bool) -> None:
        """What the vehicle commands."""
        if on:
            self.contactors.close(now)
        else:
            self.contactors.open(self.plant.battery.voltage, now)
