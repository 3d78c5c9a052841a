"""What the charger does in which state, as data."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from swapproto.messages.gbt27930 import CCS, CEM, CHM, CML, CRM, CRO, CSD, CST, CTS, ChargingMessage
from swapproto.session.flow import (
    BSM_RULE,
    CHOSEN,
    COMMANDED,
    FLOW,
    RECONNECT_RULE,
    SEEN,
    UNTRUSTED_RULE,
)
from swapproto.session.table import Row, Rules, leads, moves, stays, table, timeouts


class State(StrEnum):
    """Where the charger stands; each state's messages are in ``RULES.sends``."""

    IDLE = "idle"
    HANDSHAKE = "handshake"
    INSULATION_TEST = "insulation test"
    IDENTIFICATION = "identification"
    RECOGNISED = "recognised"
    CONFIGURATION = "configuration"
    PACK_PREPARING = "pack preparing"
    PREPARING = "preparing"
    READY = "ready"
    DEMANDED = "demand known"
    MEASURED = "measurement known"
    CHARGING = "charging"
    PAUSED = "paused"
    STOPPING = "stopping"
    STOPPED = "stopped"
    STATISTICS = "statistics"
    ERROR = "error"
    END_ERROR = "error at the end"
    COMPLETE = "complete"
    ABORTED = "aborted"


class Input(StrEnum):
    """What can happen to a charger: commands, messages, answers of its plant, timers."""

    START = "start"
    STOP = "stop"
    UNPLUG = "unplug"

    BHM = "BHM"
    BRM = "BRM"
    BCP = "BCP"
    BRO_NOT_READY = "BRO(00)"
    BRO_READY = "BRO(AA)"
    BCL = "BCL"
    BCS = "BCS"
    BSM_ALLOWED = "BSM, charge allowed"
    BSM_FORBIDDEN = "BSM, charge forbidden"
    BSM_ABNORMAL = "BSM, something abnormal"
    BSM_UNTRUSTED = "BSM, untrusted"
    DETAIL = "BMV, BMT or BSP"
    BST = "BST"
    BSD = "BSD"
    BEM = "BEM"
    DIAGNOSIS = "DM1 to DM6"
    UNEXPECTED = "a message that no pack sends"

    INSULATED = "insulation tested"
    PLANT_READY = "charger ready"
    STOP_WANTED = "charger wants to stop"

    BHM_TIMEOUT = "no BHM"
    NO_PACK = "no pack answered"
    INSULATION_LATE = "insulation test too long"
    BRM_TIMEOUT = "no BRM"
    BCP_TIMEOUT = "no BCP"
    BRO_TIMEOUT = "no BRO(AA)"
    BCL_TIMEOUT = "no BCL"
    BCS_TIMEOUT = "no BCS"
    BST_TIMEOUT = "no BST"
    BSD_TIMEOUT = "no BSD"
    PAUSE_TIMEOUT = "pause too long"
    CSD_REPEATED = "CSD repeated long enough"
    CEM_REPEATED = "CEM repeated long enough"
    RECONNECTS_USED = "no reconnect left"


S, I = State, Input  # noqa: E741

CURRENT_TIMERS = ("current_after_cst", "current_after_bst", "current_after_fault", "current_after_unplug")
"""Run beside the states; they are reported and move nothing."""

EXPIRY: Mapping[str, Input] = MappingProxyType(
    {
        "bhm": I.BHM_TIMEOUT, "handshake": I.NO_PACK, "insulation": I.INSULATION_LATE,
        "brm": I.BRM_TIMEOUT, "bcp": I.BCP_TIMEOUT,
        "bro": I.BRO_TIMEOUT, "bro_not_ready": I.BRO_TIMEOUT, "bro_silence": I.BRO_TIMEOUT,
        "bcl": I.BCL_TIMEOUT, "bcs": I.BCS_TIMEOUT, "bst": I.BST_TIMEOUT, "bsd": I.BSD_TIMEOUT,
        "pause": I.PAUSE_TIMEOUT, "csd_repeat": I.CSD_REPEATED, "error_repeat": I.CEM_REPEATED,
    }
)  # fmt: skip

_BSM = (I.BSM_ALLOWED, I.BSM_FORBIDDEN, I.BSM_ABNORMAL, I.BSM_UNTRUSTED)
_WHILE_CHARGING = (I.BCL, I.BCS, *_BSM, I.DETAIL)
_BEFORE = (
    S.HANDSHAKE, S.INSULATION_TEST, S.IDENTIFICATION, S.RECOGNISED, S.CONFIGURATION, S.PACK_PREPARING,
    S.PREPARING,
)  # fmt: skip
_BEGINNING = (S.READY, S.DEMANDED, S.MEASURED)
_FLOWING = (S.CHARGING, S.PAUSED)
_ENDING = (S.STOPPING, S.STOPPED, S.STATISTICS)
DELIVERING = frozenset((*_BEGINNING, *_FLOWING))
"""From CRO(AA) to the stop: the pack's demands and measurements reach the plant."""
_RECOVERABLE = (S.RECOGNISED, S.CONFIGURATION, S.PACK_PREPARING, S.PREPARING, *_BEGINNING, *_FLOWING)

TABLE: Mapping[tuple[State, Input], Row[State]] = table(
    # Commands
    moves(COMMANDED, {(S.IDLE, I.START): S.HANDSHAKE}),
    leads(COMMANDED, State, I.UNPLUG, S.IDLE),
    leads(COMMANDED, (*_BEFORE, S.ERROR), I.STOP, S.ABORTED, note="nothing flows yet, so there is no CST"),
    leads(FLOW, DELIVERING, I.STOP, S.STOPPING),
    stays(COMMANDED, (*_ENDING, S.END_ERROR), (I.STOP,), note="stopping already"),
    # Handshake start and identification
    moves(
        FLOW,
        {
            (S.HANDSHAKE, I.BHM): S.INSULATION_TEST,
            (S.INSULATION_TEST, I.BHM): S.INSULATION_TEST,
            (S.INSULATION_TEST, I.INSULATED): S.IDENTIFICATION,
            (S.IDENTIFICATION, I.BRM): S.RECOGNISED,
            (S.RECOGNISED, I.BRM): S.RECOGNISED,
            (S.RECOGNISED, I.BCP): S.CONFIGURATION,
        },
    ),
    stays(FLOW, (S.IDENTIFICATION,), (I.BHM,), note="the pack sends BHM until it hears CRM(00)"),
    timeouts(
        EXPIRY,
        {
            (S.HANDSHAKE, "bhm"): S.HANDSHAKE,
            (S.HANDSHAKE, "handshake"): S.ABORTED,
            (S.INSULATION_TEST, "insulation"): S.ABORTED,
        },
    ),
    # Configuration
    moves(
        FLOW,
        {
            (S.CONFIGURATION, I.BRO_NOT_READY): S.PACK_PREPARING,
            (S.PACK_PREPARING, I.BRO_READY): S.PREPARING,
            (S.PREPARING, I.PLANT_READY): S.READY,
        },
    ),
    moves(SEEN, {(S.CONFIGURATION, I.BRO_READY): S.PREPARING}, note="packs that were ready sent no BRO(00)"),
    stays(FLOW, (S.PACK_PREPARING, S.PREPARING), (I.BRO_NOT_READY,)),
    stays(FLOW, (S.PREPARING, *_BEGINNING), (I.BRO_READY,)),
    stays(
        SEEN,
        (S.CONFIGURATION, S.PACK_PREPARING, S.PREPARING),
        (I.BCP,),
        note="packs repeat BCP until they hear CML",
    ),
    # Charging begins
    moves(
        SEEN,
        {
            (S.READY, I.BCL): S.DEMANDED,
            (S.READY, I.BCS): S.MEASURED,
            (S.DEMANDED, I.BCS): S.CHARGING,
            (S.MEASURED, I.BCL): S.CHARGING,
        },
        note="recorded chargers send CCS once they have both BCL and BCS",
    ),
    stays(FLOW, (S.DEMANDED,), (I.BCL,)),
    stays(FLOW, (S.MEASURED,), (I.BCS,)),
    stays(FLOW, _BEGINNING, (I.DETAIL,)),
    stays(BSM_RULE, _BEGINNING, (I.BSM_ALLOWED, I.BSM_FORBIDDEN), note="no output to pause yet"),
    # Charging
    stays(FLOW, _FLOWING, (I.BCL, I.BCS, I.DETAIL)),
    moves(
        BSM_RULE,
        {
            (S.CHARGING, I.BSM_ALLOWED): S.CHARGING,
            (S.CHARGING, I.BSM_FORBIDDEN): S.PAUSED,
            (S.PAUSED, I.BSM_FORBIDDEN): S.PAUSED,
            (S.PAUSED, I.BSM_ALLOWED): S.CHARGING,
        },
    ),
    leads(BSM_RULE, DELIVERING, I.BSM_ABNORMAL, S.STOPPING),
    stays(UNTRUSTED_RULE, DELIVERING, (I.BSM_UNTRUSTED,)),
    leads(FLOW, _FLOWING, I.STOP_WANTED, S.STOPPING),
    timeouts(EXPIRY, {(S.PAUSED, "pause"): S.STOPPING}),
    # End
    leads(FLOW, (*DELIVERING, S.STOPPING), I.BST, S.STOPPED),
    stays(SEEN, (S.STOPPED, S.STATISTICS), (I.BST,), note="packs repeat BST"),
    moves(FLOW, {(S.STOPPED, I.BSD): S.STATISTICS, (S.STATISTICS, I.BSD): S.STATISTICS}),
    moves(CHOSEN, {(S.STOPPING, I.BSD): S.STATISTICS}, note="every BST was lost"),
    stays(SEEN, (S.COMPLETE,), (I.BSD,), note="packs go on with BSD after CSD"),
    stays(SEEN, _ENDING, _WHILE_CHARGING, note="what was on its way, and packs that stop one by one"),
    timeouts(EXPIRY, {(S.STATISTICS, "csd_repeat"): S.COMPLETE}),
    # Errors
    timeouts(
        EXPIRY,
        {
            (S.IDENTIFICATION, "brm"): S.ERROR,
            (S.RECOGNISED, "bcp"): S.ERROR,
            (S.CONFIGURATION, "bro"): S.ERROR,
            (S.PACK_PREPARING, "bro_not_ready"): S.ERROR,
            (S.PREPARING, "bro_silence"): S.ERROR,
            **{(state, timer): S.ERROR for state in DELIVERING for timer in ("bcl", "bcs")},
            (S.STOPPING, "bst"): S.END_ERROR,
            (S.STOPPED, "bsd"): S.END_ERROR,
        },
    ),
    timeouts(EXPIRY, {(S.ERROR, "error_repeat"): S.IDENTIFICATION}, reconnect=True),
    leads(FLOW, _RECOVERABLE, I.BEM, S.IDENTIFICATION, reconnect=True),
    leads(RECONNECT_RULE, (*_RECOVERABLE, S.ERROR), I.RECONNECTS_USED, S.ABORTED),
    stays(
        FLOW,
        (S.HANDSHAKE, S.INSULATION_TEST, S.IDENTIFICATION, S.ERROR, S.END_ERROR),
        (I.BEM,),
        note="the pack reports until it hears CRM(00)",
    ),
    leads(CHOSEN, _ENDING, I.BEM, S.ABORTED, note="a charge that was stopped is not begun anew"),
    leads(
        CHOSEN, (S.END_ERROR,), I.CEM_REPEATED, S.ABORTED, note="a charge that was stopped is not begun anew"
    ),
    stays(
        CHOSEN,
        (S.ERROR, S.END_ERROR),
        (I.BHM, I.BRM, I.BCP, I.BRO_NOT_READY, I.BRO_READY, *_WHILE_CHARGING, I.BST, I.BSD),
        note="no public text says how soon a pack must heed CEM",
    ),
    # Diagnosis
    stays(FLOW, [state for state in State if state is not S.IDLE], (I.DIAGNOSIS,)),
)

_CYCLES: Mapping[State, tuple[type[ChargingMessage], ...]] = MappingProxyType(
    {
        S.HANDSHAKE: (CHM,),
        S.INSULATION_TEST: (CHM,),
        S.IDENTIFICATION: (CRM,),
        S.RECOGNISED: (CRM,),
        S.CONFIGURATION: (CTS, CML),
        S.PACK_PREPARING: (CTS, CML),
        S.PREPARING: (CRO,),
        S.READY: (CRO,),
        S.DEMANDED: (CRO,),
        S.MEASURED: (CRO,),
        S.CHARGING: (CCS,),
        S.PAUSED: (CCS,),
        S.STOPPING: (CST,),
        S.STOPPED: (CST,),
        S.STATISTICS: (CSD,),
        S.ERROR: (CEM,),
        S.END_ERROR: (CEM,),
    }
)

_TIMERS: Mapping[State, tuple[str, ...]] = MappingProxyType(
    {
        S.HANDSHAKE: ("bhm", "handshake"),
        S.INSULATION_TEST: ("insulation",),
        S.IDENTIFICATION: ("brm",),
        S.RECOGNISED: ("bcp",),
        S.CONFIGURATION: ("bro",),
        S.PACK_PREPARING: ("bro_not_ready",),
        S.PREPARING: ("bro_silence",),
        S.READY: ("bcl", "bcs"),
        S.DEMANDED: ("bcl", "bcs"),
        S.MEASURED: ("bcl", "bcs"),
        S.CHARGING: ("bcl", "bcs"),
        S.PAUSED: ("bcl", "bcs", "pause"),
        S.STOPPING: ("bst",),
        S.STOPPED: ("bsd",),
        S.STATISTICS: ("csd_repeat",),
        S.ERROR: ("error_repeat",),
        S.END_ERROR: ("error_repeat",),
    }
)

RULES: Rules[State, Input] = Rules(
    start=S.IDLE,
    table=TABLE,
    sends=_CYCLES,
    watches=_TIMERS,
    expiry=EXPIRY,
    restarts=MappingProxyType({I.BCL: "bcl", I.BCS: "bcs", I.BRO_READY: "bro_silence"}),
    exhausted=I.RECONNECTS_USED,
    complete=S.COMPLETE,
    aborted=S.ABORTED,
)
