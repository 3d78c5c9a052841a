"""What the BMS does in which state, as data."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

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
    ChargingMessage,
)
from swapproto.session.flow import CHOSEN, COMMANDED, FLOW, OLDER, RECONNECT_RULE, SEEN, SEEN_ONCE
from swapproto.session.table import Row, Rules, leads, moves, stays, table, timeouts


class State(StrEnum):
    """Where the BMS stands; each state's messages are in ``RULES.sends``."""

    IDLE = "idle"
    LISTENING = "listening"
    HANDSHAKE = "handshake"
    IDENTIFICATION = "identification"
    PARAMETERS = "parameters"
    PREPARING = "preparing"
    READY = "ready"
    CHARGER_PREPARING = "charger preparing"
    CHARGING = "charging"
    PAUSED = "paused"
    STOPPING = "stopping"
    ANSWERING = "answering the stop"
    STATISTICS = "statistics"
    ERROR = "error"
    WAITING = "waiting for a new CRM"
    COMPLETE = "complete"
    ABORTED = "aborted"


class Input(StrEnum):
    """What can happen to a BMS: commands, messages, answers of its plant, timers."""

    START = "start"
    STOP = "stop"
    UNPLUG = "unplug"

    CHM = "CHM"
    CRM_NOT_RECOGNISED = "CRM(00)"
    CRM_RECOGNISED = "CRM(AA)"
    CTS = "CTS"
    CML = "CML"
    CRO_NOT_READY = "CRO(00)"
    CRO_READY = "CRO(AA)"
    CCS_ALLOWED = "CCS, charge goes on"
    CCS_PAUSED = "CCS, charge paused"
    CCS_UNTRUSTED = "CCS, permission without a meaning"
    CST = "CST"
    CSD = "CSD"
    CEM = "CEM"
    DIAGNOSIS = "DM1 to DM6"
    UNEXPECTED = "a message that no charger sends"

    PLANT_READY = "pack ready"
    STOP_WANTED = "pack wants to stop"

    CRM_TIMEOUT = "no CRM(00)"
    CRM_RECOGNISED_TIMEOUT = "no CRM(AA)"
    CML_TIMEOUT = "no CML"
    NEVER_READY = "pack not ready in time"
    CRO_TIMEOUT = "no CRO(AA)"
    CCS_TIMEOUT = "no CCS"
    CST_TIMEOUT = "no CST"
    CSD_TIMEOUT = "no CSD"
    PAUSE_TIMEOUT = "pause too long"
    BST_REPEATED = "BST repeated long enough"
    NEW_CRM_TIMEOUT = "no new CRM(00)"
    RECONNECTS_USED = "no reconnect left"


S, I = State, Input  # noqa: E741

EXPIRY: Mapping[str, Input] = MappingProxyType(
    {
        "crm_from_start": I.CRM_TIMEOUT, "crm_after_chm": I.CRM_TIMEOUT,
        "crm_recognised": I.CRM_RECOGNISED_TIMEOUT, "cml": I.CML_TIMEOUT, "bro_not_ready": I.NEVER_READY,
        "cro": I.CRO_TIMEOUT, "cro_not_ready": I.CRO_TIMEOUT, "ccs": I.CCS_TIMEOUT, "cst": I.CST_TIMEOUT,
        "csd": I.CSD_TIMEOUT, "pause": I.PAUSE_TIMEOUT, "bst_repeat": I.BST_REPEATED,
        "new_crm": I.NEW_CRM_TIMEOUT,
    }
)  # fmt: skip

_CCS = (I.CCS_ALLOWED, I.CCS_PAUSED, I.CCS_UNTRUSTED)
_AGREED = (S.READY, S.CHARGER_PREPARING)
FLOWING = frozenset((S.CHARGING, S.PAUSED))
DELIVERED = frozenset((*FLOWING, S.STOPPING))
"""While current can flow: what the charger delivers reaches the plant."""
_BEFORE = (S.LISTENING, S.HANDSHAKE, S.IDENTIFICATION, S.PARAMETERS, S.PREPARING, *_AGREED)
_ENDING = (S.STOPPING, S.ANSWERING, S.STATISTICS)
_RECOVERABLE = (S.IDENTIFICATION, S.PARAMETERS, S.PREPARING, *_AGREED, S.CHARGING, S.PAUSED, *_ENDING)

TABLE: Mapping[tuple[State, Input], Row[State]] = table(
    # Commands
    moves(COMMANDED, {(S.IDLE, I.START): S.LISTENING}),
    leads(COMMANDED, State, I.UNPLUG, S.IDLE),
    leads(
        COMMANDED,
        (*_BEFORE, S.ERROR, S.WAITING),
        I.STOP,
        S.ABORTED,
        note="nothing flows yet, so there is no BST",
    ),
    leads(FLOW, FLOWING, I.STOP, S.STOPPING),
    stays(COMMANDED, _ENDING, (I.STOP,), note="stopping already"),
    # Handshake start and identification
    moves(
        FLOW,
        {
            (S.LISTENING, I.CHM): S.HANDSHAKE,
            (S.HANDSHAKE, I.CHM): S.HANDSHAKE,
            (S.HANDSHAKE, I.CRM_NOT_RECOGNISED): S.IDENTIFICATION,
            (S.IDENTIFICATION, I.CRM_NOT_RECOGNISED): S.IDENTIFICATION,
            (S.IDENTIFICATION, I.CRM_RECOGNISED): S.PARAMETERS,
        },
    ),
    moves(
        OLDER,
        {(S.LISTENING, I.CRM_NOT_RECOGNISED): S.IDENTIFICATION},
        note="chargers of the 2011 edition send no CHM",
    ),
    # Configuration
    moves(FLOW, {(S.PARAMETERS, I.CML): S.PREPARING, (S.PREPARING, I.PLANT_READY): S.READY}),
    stays(FLOW, (S.PARAMETERS,), (I.CTS,)),
    stays(SEEN, (S.PARAMETERS,), (I.CRM_RECOGNISED,), note="chargers repeat CRM(AA) until they have BCP"),
    stays(SEEN, (S.PREPARING, *_AGREED), (I.CTS, I.CML), note="chargers repeat CTS and CML until BRO(AA)"),
    moves(
        FLOW,
        {
            (S.READY, I.CRO_NOT_READY): S.CHARGER_PREPARING,
            (S.CHARGER_PREPARING, I.CRO_NOT_READY): S.CHARGER_PREPARING,
            (S.CHARGER_PREPARING, I.CRO_READY): S.CHARGING,
        },
    ),
    moves(SEEN_ONCE, {(S.READY, I.CRO_READY): S.CHARGING}, note="a charger that was ready sent no CRO(00)"),
    # Charging
    stays(SEEN, FLOWING, (I.CRO_READY,), note="chargers repeat CRO(AA) until they have BCL and BCS"),
    moves(
        FLOW,
        {
            (S.CHARGING, I.CCS_ALLOWED): S.CHARGING,
            (S.CHARGING, I.CCS_PAUSED): S.PAUSED,
            (S.PAUSED, I.CCS_PAUSED): S.PAUSED,
            (S.PAUSED, I.CCS_ALLOWED): S.CHARGING,
        },
    ),
    stays(CHOSEN, FLOWING, (I.CCS_UNTRUSTED,), note="the charger lives, and the state before is kept"),
    leads(FLOW, FLOWING, I.STOP_WANTED, S.STOPPING),
    timeouts(EXPIRY, {(S.PAUSED, "pause"): S.STOPPING}),
    # End
    leads(FLOW, FLOWING, I.CST, S.ANSWERING),
    leads(CHOSEN, _AGREED, I.CST, S.ANSWERING, note="the charger stops before its CRO(AA) came through"),
    moves(FLOW, {(S.STOPPING, I.CST): S.STATISTICS, (S.STATISTICS, I.CSD): S.COMPLETE}),
    timeouts(EXPIRY, {(S.ANSWERING, "bst_repeat"): S.STATISTICS}),
    stays(SEEN, (S.ANSWERING, S.STATISTICS), (I.CST,), note="chargers repeat CST until they have BSD"),
    stays(SEEN, (S.COMPLETE,), (I.CSD,), note="chargers go on with CSD"),
    stays(FLOW, _ENDING, _CCS, note="what was on its way"),
    # Errors
    timeouts(
        EXPIRY,
        {
            (S.LISTENING, "crm_from_start"): S.ERROR,
            (S.HANDSHAKE, "crm_after_chm"): S.ERROR,
            (S.IDENTIFICATION, "crm_recognised"): S.ERROR,
            (S.PARAMETERS, "cml"): S.ERROR,
            (S.PREPARING, "bro_not_ready"): S.WAITING,
            (S.READY, "cro"): S.ERROR,
            (S.CHARGER_PREPARING, "cro_not_ready"): S.ERROR,
            (S.CHARGING, "ccs"): S.ERROR,
            (S.PAUSED, "ccs"): S.ERROR,
            (S.STOPPING, "cst"): S.ERROR,
            (S.STATISTICS, "csd"): S.ERROR,
            (S.ERROR, "new_crm"): S.ABORTED,
            (S.WAITING, "new_crm"): S.ABORTED,
        },
    ),
    leads(FLOW, _RECOVERABLE, I.CEM, S.WAITING),
    leads(FLOW, (S.ERROR, S.WAITING), I.CRM_NOT_RECOGNISED, S.IDENTIFICATION, reconnect=True),
    leads(RECONNECT_RULE, (S.ERROR, S.WAITING), I.RECONNECTS_USED, S.ABORTED),
    stays(FLOW, (S.ERROR, S.WAITING), (I.CEM,)),
    stays(
        CHOSEN,
        (S.ERROR, S.WAITING),
        (
            I.CHM, I.CRM_RECOGNISED, I.CTS, I.CML, I.CRO_NOT_READY, I.CRO_READY, *_CCS, I.CST, I.CSD,
        ),
        note="no public text says how soon a charger must heed BEM",
    ),
    # Diagnosis
    stays(FLOW, [state for state in State if state is not S.IDLE], (I.DIAGNOSIS,)),
)  # fmt: skip

_WHILE_CHARGING = (BCL, BCS, BSM, BMV, BMT)

_CYCLES: Mapping[State, tuple[type[ChargingMessage], ...]] = MappingProxyType(
    {
        S.HANDSHAKE: (BHM,),
        S.IDENTIFICATION: (BRM,),
        S.PARAMETERS: (BCP,),
        S.PREPARING: (BRO,),
        S.READY: (BRO,),
        S.CHARGER_PREPARING: (BRO,),
        S.CHARGING: _WHILE_CHARGING,
        S.PAUSED: _WHILE_CHARGING,
        S.STOPPING: (BST,),
        S.ANSWERING: (BST,),
        S.STATISTICS: (BSD,),
        S.ERROR: (BEM,),
    }
)

_TIMERS: Mapping[State, tuple[str, ...]] = MappingProxyType(
    {
        S.LISTENING: ("crm_from_start",),
        S.HANDSHAKE: ("crm_after_chm",),
        S.IDENTIFICATION: ("crm_recognised",),
        S.PARAMETERS: ("cml",),
        S.PREPARING: ("bro_not_ready",),
        S.READY: ("cro",),
        S.CHARGER_PREPARING: ("cro_not_ready",),
        S.CHARGING: ("ccs",),
        S.PAUSED: ("ccs", "pause"),
        S.STOPPING: ("cst",),
        S.ANSWERING: ("bst_repeat",),
        S.STATISTICS: ("csd",),
        S.ERROR: ("new_crm",),
        S.WAITING: ("new_crm",),
    }
)

RULES: Rules[State, Input] = Rules(
    start=S.IDLE,
    table=TABLE,
    sends=_CYCLES,
    watches=_TIMERS,
    expiry=EXPIRY,
    restarts=MappingProxyType(dict.fromkeys(_CCS, "ccs")),
    exhausted=I.RECONNECTS_USED,
    complete=S.COMPLETE,
    aborted=S.ABORTED,
)
