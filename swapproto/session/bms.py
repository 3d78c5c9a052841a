"""The BMS's end of GB/T 27930-2015, sans-I/O; driven like the charger's."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from swapproto.frame import Instant
from swapproto.messages.gbt27930 import (
    BCL,
    BCP,
    BCS,
    BEM,
    BHM,
    BMT,
    BMV,
    BRM,
    BRO,
    BSD,
    BSM,
    BST,
    CCS,
    CEM,
    CHM,
    CML,
    CRM,
    CRO,
    CSD,
    CST,
    CTS,
    DM1,
    DM2,
    DM3,
    DM4,
    DM5,
    DM6,
    ChargingMessage,
    Party,
    Permission,
    Reached,
    Ready,
    Recognition,
    Timeout,
)
from swapproto.session._engine import Machine
from swapproto.session.bms_table import DELIVERED, FLOWING, RULES, TABLE, Input, State
from swapproto.session.events import ErrorReported, Paused, Resumed
from swapproto.session.plant import PackPlant
from swapproto.session.timing import NOMINAL, RECONNECTS, Timing

__all__ = ["RULES", "TABLE", "BmsSession", "Input", "State"]

_BRO = {ready: BRO(ready=ready) for ready in (Ready.NOT_READY, Ready.READY)}
_NO_REASON = BST()
"""By hand, or a pause that was too long: BST has no bit for either; recorded packs send all zeros too."""
_CHARGER_STOPPED = BST(charger_stopped=Reached.YES)

_MISSING: Mapping[Input, BEM] = MappingProxyType(
    {
        Input.CRM_TIMEOUT: BEM(crm_not_recognised=Timeout.TIMEOUT),
        Input.CRM_RECOGNISED_TIMEOUT: BEM(crm_recognised=Timeout.TIMEOUT),
        Input.CML_TIMEOUT: BEM(cts_cml=Timeout.TIMEOUT),
        Input.CRO_TIMEOUT: BEM(cro=Timeout.TIMEOUT),
        Input.CCS_TIMEOUT: BEM(ccs=Timeout.TIMEOUT),
        Input.CST_TIMEOUT: BEM(cst=Timeout.TIMEOUT),
        Input.CSD_TIMEOUT: BEM(csd=Timeout.TIMEOUT),
    }
)

_PERMISSIONS = {Permission.ALLOWED: Input.CCS_ALLOWED, Permission.FORBIDDEN: Input.CCS_PAUSED}

_PLAIN: Mapping[type[ChargingMessage], Input] = MappingProxyType(
    {
        CHM: Input.CHM, CTS: Input.CTS, CML: Input.CML, CST: Input.CST, CSD: Input.CSD, CEM: Input.CEM,
        DM1: Input.DIAGNOSIS, DM2: Input.DIAGNOSIS, DM3: Input.DIAGNOSIS, DM4: Input.DIAGNOSIS,
        DM5: Input.DIAGNOSIS, DM6: Input.DIAGNOSIS,
    }
)  # fmt: skip


class BmsSession(Machine[State, Input]):
    """One plug-in after another; ``command`` takes START, STOP (by hand) and UNPLUG.

    Periods, in ns by message class, replace those of the classes.
    """

    party = Party.BMS

    def __init__(
        self,
        plant: PackPlant,
        *,
        timing: Timing = NOMINAL,
        periods: Mapping[type[ChargingMessage], int] | None = None,
        reconnects: int = RECONNECTS,
    ) -> None:
        builders: dict[type[ChargingMessage], Callable[[Instant], ChargingMessage | None]] = {
            BHM: self._bhm, BRM: self._brm, BCP: plant.parameters, BRO: self._bro, BCL: self._bcl,
            BCS: plant.measured, BSM: plant.status, BMV: plant.cell_voltages, BMT: plant.temperatures,
            BST: self._build_bst, BSD: plant.statistics, BEM: self._build_bem,
        }  # fmt: skip
        super().__init__(RULES, Input, builders, timing=timing, periods=periods, max_reconnects=reconnects)
        self._plant = plant
        self._bst = _NO_REASON
        self._bem = BEM()

    def _cause(self, message: ChargingMessage) -> Input:
        if isinstance(message, CCS):
            return _PERMISSIONS.get(message.permission, Input.CCS_UNTRUSTED)
        if isinstance(message, CRM):
            recognised = message.result == Recognition.RECOGNISED
            return Input.CRM_RECOGNISED if recognised else Input.CRM_NOT_RECOGNISED
        if isinstance(message, CRO):
            return Input.CRO_READY if message.ready == Ready.READY else Input.CRO_NOT_READY
        return _PLAIN.get(type(message), Input.UNEXPECTED)

    def _take(self, message: ChargingMessage, cause: Input, before: State, now: Instant) -> None:  # noqa: ARG002
        if isinstance(message, CCS):
            if before in DELIVERED:
                self._plant.charger_delivers(message, now)
        elif isinstance(message, CML) and before in (State.PARAMETERS, State.PREPARING):
            self._plant.charger_offers(message, now)

    def _entered(self, before: State, cause: Input, now: Instant) -> None:
        state = self._state
        if state is State.CHARGING and before is State.PAUSED:
            self._emit(Resumed(now))
        elif state is State.CHARGING:
            self._plant.begin(now)
        elif state is State.PAUSED:
            self._emit(Paused(now))
        elif state is State.IDLE or (before in DELIVERED and state not in DELIVERED):
            self._plant.end(now)
        if state is State.ANSWERING:
            self._bst = _CHARGER_STOPPED
        elif state is State.STOPPING and before in FLOWING and cause is not Input.STOP_WANTED:
            self._bst = _NO_REASON
        elif state is State.ERROR:
            self._bem = _MISSING[cause]
            self._emit(ErrorReported(Party.BMS, self._bem, now))

    # ---- what is sent, each called once a period

    def _bhm(self, now: Instant) -> BHM:  # noqa: ARG002  (one signature for all builders)
        return self._plant.permitted_voltage()

    def _brm(self, now: Instant) -> BRM:  # noqa: ARG002
        return self._plant.identity()

    def _bro(self, now: Instant) -> BRO:
        if self._state is State.PREPARING and self._sent(BRO) and self._plant.ready(now):
            self._step(Input.PLANT_READY, now)
        return _BRO[Ready.NOT_READY if self._state is State.PREPARING else Ready.READY]

    def _bcl(self, now: Instant) -> BCL | None:
        stop = self._plant.stop_wanted(now)
        if stop is not None:
            self._bst = stop
            self._step(Input.STOP_WANTED, now)
            return None
        return self._plant.demand(now)

    def _build_bst(self, now: Instant) -> BST:  # noqa: ARG002
        return self._bst

    def _build_bem(self, now: Instant) -> BEM:  # noqa: ARG002
        return self._bem
