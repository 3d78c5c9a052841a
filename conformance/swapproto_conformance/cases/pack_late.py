"""A pack whose charger is slow, pauses, sends nonsense, errs or is met by a hand: lawful, and no error."""

import msgspec

from swapproto.frame import MILLISECOND, SECOND, CanFrame
from swapproto.messages.gbt27930 import (
    BCL,
    BCP,
    BEM,
    BHM,
    BRM,
    BRO,
    BSD,
    BSM,
    BST,
    CEM,
    CML,
    CRM,
    CRO,
    CSD,
    CST,
    Permission,
    Phase,
    Reached,
    Recognition,
    Timeout,
    timers,
)
from swapproto.messages.gbt27930.timers import Timer
from swapproto_conformance.anchor import Anchor, first
from swapproto_conformance.cases import as_charger as charger
from swapproto_conformance.cases.beyond import AUXILIARY
from swapproto_conformance.cases.charger_negative import MARGIN
from swapproto_conformance.cases.common import R, pack_case
from swapproto_conformance.cases.pack_positive import CHARGER_READY, RECOGNISED
from swapproto_conformance.judges import Always, Follows, Layout, Never, Occurs, Periodic
from swapproto_conformance.script import RawCyclic, Step, seen

LATE = 3500 * MILLISECOND
"""Well within the 5 s that a pack waits for most messages."""
PAUSE = msgspec.structs.replace(charger.OUTPUT, current=0.0, permission=Permission.FORBIDDEN)
FAULT_STOP = CST(fault=Reached.YES)
CHARGER_ERROR = CEM(bcl=Timeout.TIMEOUT)
NO_ERROR = Never(requirement=f"{R}flow/no-BEM-in-order", cls=BEM)
HEARD_ERROR = first(CEM)
HEED_MS = 2500
"""How long a pack may take to heed CEM: no time is public, and never is a violation [assumed]."""


def _answers(name: str, cls: type[BRM | BCP | BRO | BCL], after: Anchor, within: Timer) -> Follows:
    return Follows(requirement=f"{R}flow/{name}", cls=cls, after=after, within=within)


def _nth_error(count: int) -> Anchor:
    """The first BEM of the count-th error."""
    anchor = first(BEM)
    for _ in range(count - 1):
        anchor = first(BEM, after=first(BRM, after=anchor))
    return anchor


UNDEFINED = RawCyclic(
    "CRM with the result 55",
    (CanFrame(CRM.identifier(), b"\x55" + charger.KNOWN_PACK.encode()[1:]),),
    250 * MILLISECOND,
)
CUT = RawCyclic("CRM of one byte", (CanFrame(CRM.identifier(), b"\xaa"),), 250 * MILLISECOND)

CASES = (
    pack_case(
        "handshake.chm-missing",
        "No CHM at all",
        "不发送CHM",
        Phase.HANDSHAKE,
        (Step(title="silence", until=seen(BEM), at_most=70 * SECOND, settle=2 * SECOND),),
        (
            Occurs(
                requirement=f"{R}timer/CRM-from-start-at-bms",
                cls=BEM,
                where=(("crm_not_recognised", Timeout.TIMEOUT),),
            ),
            Layout(BEM),
            Periodic(BEM),
        ),
        labels=("BN.1001",),
        applies=AUXILIARY,
    ),
    pack_case(
        "handshake.crm-late",
        "CRM 3.5 s after CHM",
        "CRM延迟3.5 s",
        Phase.HANDSHAKE,
        (
            *charger.greet(settle=LATE),
            Step(title="not recognised", send=(charger.UNKNOWN_PACK,), until=seen(BRM), settle=SECOND),
        ),
        (
            Periodic(BHM, before=first(CRM), to_the_end=True),
            _answers("BRM-answers-CRM", BRM, first(CRM), timers.RECEIVE),
            NO_ERROR,
        ),
    ),
    pack_case(
        "handshake.crm-cut",
        "CRM of one byte is none",
        "残缺的CRM",
        Phase.HANDSHAKE,
        (
            *charger.greet(settle=600 * MILLISECOND),
            Step(title="cut CRM", send=(charger.HELLO, CUT), lasts=2 * SECOND),
            Step(title="whole CRM", send=(charger.UNKNOWN_PACK,), until=seen(BRM), settle=SECOND),
        ),
        (
            Never(
                requirement=f"{R}flow/BRM-answers-CRM",
                cls=BRM,
                before=first(CRM, result=Recognition.NOT_RECOGNISED),
            ),
            _answers("BRM-answers-CRM", BRM, first(CRM, result=Recognition.NOT_RECOGNISED), timers.RECEIVE),
        ),
    ),
    pack_case(
        "identification.crm-undefined",
        "CRM with an undefined result is no recognition",
        "CRM结果为未定义值",
        Phase.IDENTIFICATION,
        (
            *charger.identify(),
            Step(title="undefined result", send=(UNDEFINED,), lasts=2 * SECOND),
            Step(title="recognised", send=(charger.KNOWN_PACK,), until=seen(BCP), settle=SECOND),
        ),
        (
            Never(requirement=f"{R}flow/BCP-after-CRM", cls=BCP, before=RECOGNISED),
            _answers("BCP-answers-CRM", BCP, RECOGNISED, timers.RECEIVE),
        ),
    ),
    pack_case(
        "identification.recognised-late",
        "CRM(AA) 3.5 s after BRM",
        "CRM(AA)延迟3.5 s",
        Phase.IDENTIFICATION,
        (
            *charger.identify(settle=LATE),
            Step(title="recognised", send=(charger.KNOWN_PACK,), until=seen(BCP), settle=SECOND),
        ),
        (
            Periodic(BRM, before=RECOGNISED, to_the_end=True),
            _answers("BCP-answers-CRM", BCP, RECOGNISED, timers.RECEIVE),
            NO_ERROR,
        ),
    ),
    pack_case(
        "configuration.cml-late",
        "CML 3.5 s after BCP",
        "CML延迟3.5 s",
        Phase.CONFIGURATION,
        (
            *charger.recognise(settle=LATE),
            Step(title="offer", send=(charger.CAPABILITY,), until=seen(BRO), settle=SECOND),
        ),
        (_answers("BRO-answers-CML", BRO, first(CML), timers.RECEIVE), NO_ERROR),
    ),
    pack_case(
        "configuration.cro-late",
        "CRO 3.5 s after BRO(AA)",
        "CRO延迟3.5 s",
        Phase.CONFIGURATION,
        (
            *charger.offer(settle=LATE),
            Step(title="not ready yet", send=(charger.NOT_READY,), lasts=600 * MILLISECOND),
            Step(title="ready", send=(charger.READY,), until=seen(BCL), settle=500 * MILLISECOND),
        ),
        (
            Never(requirement=f"{R}flow/BCL-after-CRO", cls=BCL, before=CHARGER_READY),
            _answers("BCL-answers-CRO", BCL, CHARGER_READY, timers.BCL_AT_CHARGER),
            NO_ERROR,
        ),
    ),
    pack_case(
        "configuration.cro-long-not-ready",
        "CRO(00) for 40 s",
        "CRO(00)持续40 s",
        Phase.CONFIGURATION,
        (
            *charger.offer(),
            Step(title="not ready", send=(charger.NOT_READY,), lasts=40 * SECOND),
            Step(title="ready", send=(charger.READY,), until=seen(BCL), settle=500 * MILLISECOND),
        ),
        (
            Periodic(BRO, after=first(CRO), before=CHARGER_READY, to_the_end=True),
            _answers("BCL-answers-CRO", BCL, CHARGER_READY, timers.BCL_AT_CHARGER),
            NO_ERROR,
        ),
    ),
    pack_case(
        "charging.ccs-gap",
        "CCS stays away for 0.6 s",
        "CCS中断0.6 s",
        Phase.CHARGING,
        (
            *charger.charge(),
            Step(title="silence", lasts=600 * MILLISECOND),
            Step(title="charge again", send=(charger.OUTPUT,), lasts=2 * SECOND),
        ),
        (Periodic(BCL, to_the_end=True), NO_ERROR),
    ),
    pack_case(
        "charging.ccs-pause",
        "CCS says that the charge is paused",
        "CCS指示暂停",
        Phase.CHARGING,
        (
            *charger.charge(),
            Step(title="pause", send=(PAUSE,), lasts=3 * SECOND),
            Step(title="charge again", send=(charger.OUTPUT,), lasts=3 * SECOND),
        ),
        (
            Periodic(BCL, to_the_end=True),
            Periodic(BSM, to_the_end=True),
            NO_ERROR,
            Never(requirement=f"{R}flow/BST-answers-CST", cls=BST, before=first(CST)),
        ),
    ),
    pack_case(
        "charging.cem",
        "CEM ends the demand, and the pack begins again",
        "收到CEM后停止需求并重连",
        Phase.ERROR,
        (
            *charger.charge(),
            Step(title="error, and CCS goes on", send=(CHARGER_ERROR, charger.OUTPUT), lasts=5 * SECOND),
            Step(title="begin again", send=(charger.UNKNOWN_PACK,), until=seen(BRM), settle=SECOND),
        ),
        (
            Never(requirement=f"{R}flow/BCL-ends-on-CEM", cls=BCL, after=HEARD_ERROR, grace_ms=HEED_MS),
            _answers("BRM-answers-CRM", BRM, first(CRM, after=HEARD_ERROR), timers.RECEIVE),
        ),
    ),
    pack_case(
        "charging.reconnect",
        "A new CRM after BEM begins again",
        "BEM后重新连接",
        Phase.ERROR,
        (
            *charger.charge(),
            Step(title="silence", until=seen(BEM), settle=2 * SECOND),
            Step(title="begin again", send=(charger.UNKNOWN_PACK,), until=seen(BRM)),
            Step(title="recognised", send=(charger.KNOWN_PACK,), until=seen(BCP), settle=SECOND),
        ),
        (
            Layout(BEM),
            Periodic(BEM, before=first(CRM, after=first(BEM)), to_the_end=True),
            _answers("BRM-answers-CRM", BRM, first(CRM, after=first(BEM)), timers.RECEIVE),
            _answers(
                "BCP-answers-CRM",
                BCP,
                first(CRM, after=first(BEM), result=Recognition.RECOGNISED),
                timers.RECEIVE,
            ),
        ),
    ),
    pack_case(
        "identification.reconnect-limit",
        "No new BRM after three reconnects",
        "三次重连后不再发送BRM",
        Phase.ERROR,
        (
            *charger.identify(),
            Step(title="never recognised", send=(charger.UNKNOWN_PACK,), lasts=40 * SECOND),
        ),
        (
            Never(
                requirement=f"{R}flow/pack-reconnect-limit",
                cls=BRM,
                after=_nth_error(4),
                grace_ms=500,
                silence_counts=True,
            ),
            Layout(BEM),
        ),
    ),
    pack_case(
        "end.cst-fault",
        "BST answers CST that names a fault",
        "CST报告故障时应答BST",
        Phase.END,
        (
            *charger.charge(),
            Step(title="fault", send=(FAULT_STOP,), until=seen(BST), settle=2500 * MILLISECOND),
        ),
        (
            Follows(
                requirement=f"{R}flow/BST-answers-CST", cls=BST, after=first(CST), within=timers.STOP_ANSWER
            ),
            Layout(BST),
            Never(requirement=f"{R}flow/BCL-ends", cls=BCL, after=first(BST), grace_ms=1000),
        ),
    ),
    pack_case(
        "end.manual-stop",
        "The pack is stopped by hand",
        "车端手动停止",
        Phase.END,
        (
            *charger.charge(),
            Step(
                title="stop by hand",
                send=(charger.OUTPUT,),
                action="stop",
                until=seen(BST),
                settle=60 * MILLISECOND,
            ),
            Step(title="answer", send=(CST(bms_stopped=Reached.YES),), until=seen(BSD), settle=2 * SECOND),
        ),
        (
            Layout(BST),
            Periodic(BST),
            Follows(
                requirement=f"{R}flow/BSD-after-stop", cls=BSD, after=first(CST), within=timers.STATISTICS
            ),
            Never(requirement=f"{R}flow/BCL-ends", cls=BCL, after=first(BST), grace_ms=1000),
            Always(
                requirement=f"{R}flow/BST-charger-reason",
                cls=BST,
                where=(("charger_stopped", Reached.NO),),
                before=first(CST),
            ),
        ),
    ),
    pack_case(
        "end.cst-missing",
        "No CST after the pack's stop",
        "车端停止后不发送CST",
        Phase.END,
        (
            *charger.charge(),
            Step(title="stop by hand", send=(charger.OUTPUT,), action="stop", until=seen(BST)),
            Step(
                title="silence",
                until=seen(BEM),
                at_most=round(timers.STOP_ANSWER.value * MARGIN),
                settle=SECOND,
            ),
        ),
        (
            Follows(
                requirement=f"{R}timer/CST-at-bms",
                cls=BEM,
                where=(("cst", Timeout.TIMEOUT),),
                after=first(BST),
                within=timers.STOP_ANSWER,
                early=True,
                slack_ms=250,
            ),
            Layout(BEM),
            Periodic(BST, before=first(BEM), to_the_end=True),
        ),
    ),
    pack_case(
        "end.csd-late",
        "CSD 3.5 s after BSD",
        "CSD延迟3.5 s",
        Phase.END,
        (
            *charger.stop(),
            Step(title="wait for BSD", until=seen(BSD), at_most=18 * SECOND, settle=LATE),
            Step(title="statistics", send=(charger.STATISTICS,), lasts=2 * SECOND),
        ),
        (Layout(BSD), Periodic(BSD, before=first(CSD), to_the_end=True), NO_ERROR),
    ),
)
