"""What a role machine asks of the device behind it; models implement it, and so can real hardware."""

from typing import Protocol

from swapproto.frame import Instant
from swapproto.messages.gbt27930 import (
    BCL,
    BCP,
    BCS,
    BHM,
    BMT,
    BMV,
    BRM,
    BSD,
    BSM,
    BST,
    CCS,
    CML,
    CRM,
    CSD,
    CST,
    CTS,
)


class PackPlant(Protocol):
    """The pack behind a BMS session. Every method is cheap and may be called once per period."""

    def permitted_voltage(self) -> BHM: ...

    def identity(self) -> BRM: ...

    def parameters(self, now: Instant) -> BCP: ...

    def charger_offers(self, capability: CML, now: Instant) -> None:
        """The charger's window; ready() is asked for afterwards."""
        ...

    def ready(self, now: Instant) -> bool:
        """Whether the pack can be charged by the charger that made its offer."""
        ...

    def begin(self, now: Instant) -> None:
        """Charging begins."""
        ...

    def demand(self, now: Instant) -> BCL: ...

    def measured(self, now: Instant) -> BCS: ...

    def status(self, now: Instant) -> BSM: ...

    def cell_voltages(self, now: Instant) -> BMV | None:
        """None where this pack does not send BMV."""
        ...

    def temperatures(self, now: Instant) -> BMT | None:
        """None where this pack does not send BMT."""
        ...

    def charger_delivers(self, state: CCS, now: Instant) -> None:
        """What flows: the model's link to the other end."""
        ...

    def stop_wanted(self, now: Instant) -> BST | None:
        """The reason to end the charge, or None while it goes on."""
        ...

    def end(self, now: Instant) -> None:
        """No current flows from here on; also called when the plug is pulled, begun or not."""
        ...

    def statistics(self, now: Instant) -> BSD: ...


class ChargerPlant(Protocol):
    """The power stage behind a charger session."""

    def identification(self, *, recognised: bool) -> CRM: ...

    def insulation_tested(self, permitted: BHM, now: Instant) -> bool:
        """Whether the insulation test, begun at the first call, is over."""
        ...

    def clock(self, now: Instant) -> CTS | None:
        """None where this charger does not send CTS."""
        ...

    def capability(self) -> CML: ...

    def pack_presents(self, parameters: BCP, now: Instant) -> None: ...

    def ready(self, now: Instant) -> bool:
        """Whether power can be delivered to the pack that presented itself."""
        ...

    def begin(self, now: Instant) -> None: ...

    def pack_demands(self, demand: BCL, now: Instant) -> None: ...

    def pack_measures(self, state: BCS, now: Instant) -> None: ...

    def pause(self, now: Instant, *, paused: bool) -> None:
        """Output to zero and back, as BSM asks."""
        ...

    def delivers(self, now: Instant) -> CCS: ...

    def stop_wanted(self, now: Instant) -> CST | None: ...

    def end(self, now: Instant) -> None:
        """Output off; also called when the plug is pulled, begun or not."""
        ...

    def statistics(self, now: Instant) -> CSD: ...
