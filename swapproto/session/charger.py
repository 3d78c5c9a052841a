"""The charger's end of GB/T 27930-2015, sans-I/O.

Usage::

    session = ChargerSession(plant)
    session.command(Command.START, now)
    while (message := session.poll_transmit()) is not None: ...    # give it to the bus
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec

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
    BSP,
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
    Condition,
    Level,
    Party,
    Permission,
    Reached,
    Ready,
    Timeout,
)
from swapproto.session._engine import Machine
from swapproto.session.charger_table import CURRENT_TIMERS, DELIVERING, RULES, TABLE, Input, State
from swapproto.session.events import ErrorReported, Paused, Resumed, TimedOut
from swapproto.session.plant import ChargerPlant
from swapproto.session.timing import CUT_OFF_CURRENT, NOMINAL, RECONNECTS, Timing

__all__ = ["RULES", "TABLE", "ChargerSession", "Input", "State"]

_CHM = CHM(version_minor=1, version_major=1)
_CRO = {ready: CRO(ready=ready) for ready in (Ready.NOT_READY, Ready.READY)}
_MANUAL = CST(manual=Reached.YES)
_FAULT = CST(fault=Reached.YES)
_BMS_STOPPED = CST(bms_stopped=Reached.YES)
_PAUSE_OVER = CST(condition_reached=Reached.YES)

_MISSING: Mapping[Input, CEM] = MappingProxyType(
    {
        Input.BRM_TIMEOUT: CEM(brm=Timeout.TIMEOUT),
        Input.BCP_TIMEOUT: CEM(bcp=Timeout.TIMEOUT),
        Input.BRO_TIMEOUT: CEM(bro=Timeout.TIMEOUT),
        Input.BCS_TIMEOUT: CEM(bcs=Timeout.TIMEOUT),
        Input.BCL_TIMEOUT: CEM(bcl=Timeout.TIMEOUT),
        Input.BST_TIMEOUT: CEM(bst=Timeout.TIMEOUT),
        Input.BSD_TIMEOUT: CEM(bsd=Timeout.TIMEOUT),
    }
)

_PERMISSIONS = {Permission.ALLOWED: Input.BSM_ALLOWED, Permission.FORBIDDEN: Input.BSM_FORBIDDEN}

_PLAIN: Mapping[type[ChargingMessage], Input] = MappingProxyType(
    {
        BHM: Input.BHM, BRM: Input.BRM, BCP: Input.BCP, BCL: Input.BCL, BCS: Input.BCS, BMV: Input.DETAIL,
        BMT: Input.DETAIL, BSP: Input.DETAIL, BST: Input.BST, BSD: Input.BSD, BEM: Input.BEM,
        DM1: Input.DIAGNOSIS, DM2: Input.DIAGNOSIS, DM3: Input.DIAGNOSIS, DM4: Input.DIAGNOSIS,
        DM5: Input.DIAGNOSIS, DM6: Input.DIAGNOSIS,
    }
)  # fmt: skip


def read_bsm(message: BSM) -> Input:
    """What a BSM asks of the charger. A fault outweighs what cannot be trusted (the safe side, assumed)."""
    levels = (message.cell_voltage, message.soc)
    conditions = (
        message.over_current, message.over_temperature, message.insulation, message.output_connector,
    )  # fmt: skip
    if not any(levels) and not any(conditions):
        return _PERMISSIONS.get(message.permission, Input.BSM_UNTRUSTED)
    if Condition.FAULT in conditions or Level.HIGH in levels or Level.LOW in levels:
        return Input.BSM_ABNORMAL
    return Input.BSM_UNTRUSTED


class ChargerSession(Machine[State, Input]):
    """One plug-in after another; ``command`` takes START, STOP (by hand) and UNPLUG.

    Periods, in ns by message class, replace those of the classes.
    """

    party = Party.CHARGER

    def __init__(
        self,
        plant: ChargerPlant,
        *,
        timing: Timing = NOMINAL,
        periods: Mapping[type[ChargingMessage], int] | None = None,
        reconnects: int = RECONNECTS,
    ) -> None:
        builders: dict[type[ChargingMessage], Callable[[Instant], ChargingMessage | None]] = {
            CHM: self._chm, CRM: self._crm, CTS: plant.clock, CML: self._cml, CRO: self._cro, CCS: self._ccs,
            CST: self._build_cst, CSD: self._csd, CEM: self._build_cem,
        }  # fmt: skip
        super().__init__(RULES, Input, builders, timing=timing, periods=periods, max_reconnects=reconnects)
        self._plant = plant
        self._permitted: BHM | None = None
        self._cst = _MANUAL
        self._cem = CEM()

    def _cause(self, message: ChargingMessage) -> Input:
        kind = type(message)
        plain = _PLAIN.get(kind)
        if plain is not None:
            return plain
        if isinstance(message, BSM):
            return read_bsm(message)
        if isinstance(message, BRO):
            return Input.BRO_READY if message.ready == Ready.READY else Input.BRO_NOT_READY
        return Input.UNEXPECTED

    def _take(self, message: ChargingMessage, cause: Input, before: State, now: Instant) -> None:
        if cause is Input.BCL:
            if before in DELIVERING and isinstance(message, BCL):
                self._plant.pack_demands(message, now)
        elif cause is Input.BCS:
            if before in DELIVERING and isinstance(message, BCS):
                self._plant.pack_measures(message, now)
        elif isinstance(message, BHM):
            self._permitted = message
        elif isinstance(message, BCP):
            if before in (State.RECOGNISED, State.CONFIGURATION):
                self._plant.pack_presents(message, now)
        elif isinstance(message, BST) and before in DELIVERING:
            # The charger's own stop goes before; this one sets how soon the current must be off.
            self._start_timer("current_after_fault" if message.faults else "current_after_bst", now)

    def _entered(self, before: State, cause: Input, now: Instant) -> None:
        state = self._state
        if state is State.CHARGING and before is State.PAUSED:
            self._plant.pause(now, paused=False)
            self._emit(Resumed(now))
        elif state is State.CHARGING:
            self._plant.begin(now)
        elif state is State.PAUSED:
            self._plant.pause(now, paused=True)
            self._emit(Paused(now))
        elif state is State.IDLE or (before in DELIVERING and state not in DELIVERING):
            self._plant.end(now)
        if state in (State.STOPPING, State.STOPPED) and before in DELIVERING:
            self._set_stop(cause, now)
        elif state in (State.ERROR, State.END_ERROR):
            self._cem = _MISSING[cause]
            self._emit(ErrorReported(Party.CHARGER, self._cem, now))
        elif state is State.IDLE:
            for timer in CURRENT_TIMERS:
                self._timers.pop(timer, None)
            self._start_timer("current_after_unplug", now)

    def _set_stop(self, cause: Input, now: Instant) -> None:
        if cause is Input.BST:
            self._cst = _BMS_STOPPED
            return
        if cause is Input.BSM_ABNORMAL:
            self._cst = _FAULT
        elif cause is Input.STOP:
            self._cst = _MANUAL
        elif cause is Input.PAUSE_TIMEOUT:
            self._cst = _PAUSE_OVER
        self._start_timer("current_after_cst", now)

    def _expired(self, timer: str, now: Instant) -> None:
        if timer not in CURRENT_TIMERS:
            super()._expired(timer, now)
        elif abs(self._plant.delivers(now).current) >= CUT_OFF_CURRENT:
            self._emit(TimedOut(timer, now))

    # ---- what is sent, each called once a period

    def _chm(self, now: Instant) -> CHM | None:
        permitted = self._permitted
        if (
            self._state is State.INSULATION_TEST
            and permitted is not None
            and self._plant.insulation_tested(permitted, now)
        ):
            self._step(Input.INSULATED, now)
            return None
        return _CHM

    def _crm(self, now: Instant) -> CRM:  # noqa: ARG002  (one signature for all builders)
        return self._plant.identification(recognised=self._state is State.RECOGNISED)

    def _cml(self, now: Instant) -> CML:  # noqa: ARG002
        return self._plant.capability()

    def _cro(self, now: Instant) -> CRO:
        if self._state is State.PREPARING and self._sent(CRO) and self._plant.ready(now):
            self._step(Input.PLANT_READY, now)
        return _CRO[Ready.NOT_READY if self._state is State.PREPARING else Ready.READY]

    def _ccs(self, now: Instant) -> CCS | None:
        stop = self._plant.stop_wanted(now)
        if stop is not None:
            self._cst = stop
            self._step(Input.STOP_WANTED, now)
            return None
        message = self._plant.delivers(now)
        if self._state is State.PAUSED and message.permission != Permission.FORBIDDEN:
            return msgspec.structs.replace(message, permission=Permission.FORBIDDEN)
        return message

    def _build_cst(self, now: Instant) -> CST:  # noqa: ARG002
        return self._cst

    def _csd(self, now: Instant) -> CSD:
        return self._plant.statistics(now)

    def _build_cem(self, now: Instant) -> CEM:  # noqa: ARG002
        return self._cem
