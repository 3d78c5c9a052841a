"""A pack whose charger falls silent or refuses: does it say what is missing?"""

from functools import partial

from swapproto.frame import MILLISECOND, SECOND, CanFrame
from swapproto.messages.gbt27930 import (
    BCL,
    BEM,
    BRO,
    BST,
    CCS,
    CHM,
    CRM,
    CRO,
    CST,
    ChargingMessage,
    Phase,
    Ready,
    timers,
)
from swapproto.messages.gbt27930.timers import Timer
from swapproto_conformance.anchor import first, last
from swapproto_conformance.cases import as_charger as charger
from swapproto_conformance.cases.charger_negative import MARGIN
from swapproto_conformance.cases.common import R, pack_case, reported
from swapproto_conformance.cases.pack_positive import CHARGER_READY, RECOGNISED
from swapproto_conformance.judges import Never, Periodic
from swapproto_conformance.script import RawCyclic, Step, seen

BRO_READY = first(BRO, ready=Ready.READY)
NOISE = RawCyclic(
    "frames of other systems and cut CCS",
    (
        CanFrame(0x0CF00400, b"\xf0\x7d\xe1\x00\x00\xff\xff\xff"),
        CanFrame(CCS.identifier(), b"\x52"),
        CanFrame(0x123, b"\x01\x02", extended=False),
    ),
    100 * MILLISECOND,
)


_reported = partial(reported, BEM)


def _until_bem(title: str, timer: Timer, *send: ChargingMessage, settle: int = SECOND) -> Step:
    return Step(title=title, send=send, until=seen(BEM), at_most=round(timer.value * MARGIN), settle=settle)


CASES = (
    pack_case(
        "handshake.crm-missing",
        "No CRM after CHM",
        "CHM后不发送CRM",
        Phase.HANDSHAKE,
        (*charger.greet(), _until_bem("CHM only", timers.FIRST_CRM, charger.HELLO)),
        _reported("CRM-at-bms", "crm_not_recognised", first(CHM), timers.FIRST_CRM, slack_ms=1000),
    ),
    pack_case(
        "identification.never-recognised",
        "CRM stays at 00",
        "CRM始终为00",
        Phase.IDENTIFICATION,
        (*charger.identify(), _until_bem("CRM(00)", timers.RECEIVE, charger.UNKNOWN_PACK)),
        _reported("CRM-recognised-at-bms", "crm_recognised", first(CRM), timers.RECEIVE, slack_ms=500),
    ),
    pack_case(
        "identification.transport-refused",
        "RTS is never answered",
        "不应答RTS",
        Phase.IDENTIFICATION,
        (
            *charger.greet(settle=600 * MILLISECOND),
            _until_bem("CRM(00), no CTS", timers.RECEIVE, charger.UNKNOWN_PACK),
        ),
        _reported("CRM-recognised-at-bms", "crm_recognised", first(CRM), timers.RECEIVE, slack_ms=500),
        answer_transport=False,
    ),
    pack_case(
        "configuration.cml-missing",
        "No CML",
        "不发送CML",
        Phase.CONFIGURATION,
        (*charger.recognise(), _until_bem("silence", timers.RECEIVE)),
        (
            *_reported("CML-at-bms", "cts_cml", RECOGNISED, timers.RECEIVE, slack_ms=500),
            Never(requirement=f"{R}flow/BRO-answers-CML", cls=BRO),
        ),
    ),
    pack_case(
        "configuration.cro-missing",
        "No CRO",
        "不发送CRO",
        Phase.CONFIGURATION,
        (*charger.offer(), _until_bem("silence", timers.READY_NEVER_RECEIVED)),
        (
            *_reported("CRO-at-bms", "cro", BRO_READY, timers.READY_NEVER_RECEIVED),
            Never(requirement=f"{R}flow/BCL-after-CRO", cls=BCL),
        ),
    ),
    pack_case(
        "configuration.cro-never-ready",
        "CRO stays at 00",
        "CRO始终为00",
        Phase.CONFIGURATION,
        (*charger.offer(), _until_bem("CRO(00)", timers.READY_NEVER_AA, charger.NOT_READY)),
        (
            *_reported("CRO-ready-at-bms", "cro", first(CRO), timers.READY_NEVER_AA),
            Never(requirement=f"{R}flow/BCL-after-CRO", cls=BCL),
        ),
    ),
    pack_case(
        "charging.ccs-never",
        "No CCS after CRO(AA)",
        "CRO(AA)后不发送CCS",
        Phase.CHARGING,
        (*charger.become_ready(), _until_bem("silence", timers.RECEIVE)),
        _reported("CCS-at-bms", "ccs", CHARGER_READY, timers.CCS_AT_BMS, slack_ms=500),
    ),
    pack_case(
        "charging.ccs-missing",
        "CCS stops",
        "CCS中断",
        Phase.CHARGING,
        (*charger.charge(), _until_bem("silence", timers.RECEIVE, settle=3 * SECOND)),
        (*_reported("CCS-at-bms", "ccs", last(CCS), timers.CCS_AT_BMS), Periodic(BEM)),
    ),
    pack_case(
        "charging.noise",
        "Foreign and cut frames on the bus",
        "总线上有无关及残缺报文",
        Phase.CHARGING,
        (
            *charger.become_ready(),
            Step(title="charge in noise", send=(charger.OUTPUT, NOISE), lasts=5 * SECOND),
        ),
        (
            Periodic(BCL, to_the_end=True),
            Never(requirement=f"{R}flow/no-BEM-in-order", cls=BEM),
        ),
    ),
    pack_case(
        "end.csd-missing",
        "No CSD after the stop",
        "停止后不发送CSD",
        Phase.END,
        (*charger.stop(), _until_bem("silence", timers.STATISTICS)),
        _reported("CSD-at-bms", "csd", first(BST, after=first(CST)), timers.STATISTICS, slack_ms=1000),
    ),
)
