"""A charger that is treated as it may expect: does it do what the tables say?"""

import msgspec

from swapproto.frame import MILLISECOND, SECOND
from swapproto.messages.gbt27930 import (
    BCL,
    BCP,
    BHM,
    BRM,
    BRO,
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
    Condition,
    Level,
    Party,
    Permission,
    Phase,
    Reached,
    Ready,
    Recognition,
    timers,
)
from swapproto_conformance.anchor import first, last
from swapproto_conformance.case import Case
from swapproto_conformance.cases import as_pack as pack
from swapproto_conformance.decision import PATIENCE
from swapproto_conformance.judges import Always, Follows, Layout, Never, Periodic
from swapproto_conformance.script import Step, seen

R = "GBT27930-2015/"
NOT_RECOGNISED = (("result", Recognition.NOT_RECOGNISED),)
RECOGNISED = (("result", Recognition.RECOGNISED),)
READY = (("ready", Ready.READY),)
FIRST_BHM = first(BHM)
READY_PACK = first(BRO, ready=Ready.READY)
READY_CHARGER = first(CRO, ready=Ready.READY)
FORBIDDEN = msgspec.structs.replace(pack.STATUS, permission=Permission.FORBIDDEN)
TOO_HIGH = msgspec.structs.replace(pack.STATUS, cell_voltage=Level.HIGH)
UNTRUSTED = msgspec.structs.replace(pack.STATUS, insulation=Condition.UNTRUSTED)

CASES = (
    Case(
        id="charger.handshake.chm",
        title="CHM opens the session",
        title_zh="充电机握手报文",
        iut=Party.CHARGER,
        polarity="positive",
        phase=Phase.HANDSHAKE.value,
        labels=("DP.1001",),
        script=(Step(title="wait for CHM", until=seen(CHM), at_most=pack.START, settle=3 * SECOND),),
        judges=(
            Layout(CHM),
            Periodic(CHM, to_the_end=True),
            Never(requirement=f"{R}flow/CHM-opens", cls=CRM, before=FIRST_BHM),
        ),
    ),
    Case(
        id="charger.identification.crm-not-recognised",
        title="CRM(00) follows BHM",
        title_zh="收到BHM后发送CRM(00)",
        iut=Party.CHARGER,
        polarity="positive",
        phase=Phase.IDENTIFICATION.value,
        labels=("DP.1002",),
        script=pack.greet(settle=3 * SECOND),
        judges=(
            Layout(CRM),
            Periodic(CRM, to_the_end=True),
            Follows(
                requirement=f"{R}flow/CRM-not-recognised",
                cls=CRM,
                where=NOT_RECOGNISED,
                after=FIRST_BHM,
                within=timers.FIRST_CRM,
            ),
            Follows(requirement=f"{R}timer/first-CRM", cls=CRM, after=first(CHM), within=timers.FIRST_CRM),
        ),
    ),
    Case(
        id="charger.identification.crm-recognised",
        title="CRM(AA) answers BRM",
        title_zh="CRM(AA)应答BRM",
        iut=Party.CHARGER,
        polarity="positive",
        phase=Phase.IDENTIFICATION.value,
        labels=("DP.1003",),
        script=pack.identify(settle=2 * SECOND),
        judges=(
            Layout(CRM),
            Periodic(CRM, to_the_end=True),
            Follows(
                requirement=f"{R}flow/CRM-recognised",
                cls=CRM,
                where=RECOGNISED,
                after=first(BRM),
                within=timers.RECEIVE,
            ),
            Never(requirement=f"{R}flow/CRM-recognised", cls=CRM, where=RECOGNISED, before=first(BRM)),
        ),
    ),
    Case(
        id="charger.configuration.cts-cml",
        title="CTS and CML answer BCP",
        title_zh="CTS和CML应答BCP",
        iut=Party.CHARGER,
        polarity="positive",
        phase=Phase.CONFIGURATION.value,
        labels=("DP.2001",),
        script=pack.configure(settle=3 * SECOND),
        judges=(
            Layout(CML),
            Periodic(CML, to_the_end=True),
            Layout(CTS),
            Periodic(CTS),
            Follows(requirement=f"{R}flow/CML-answers-BCP", cls=CML, after=first(BCP), within=timers.RECEIVE),
            Never(requirement=f"{R}flow/CML-answers-BCP", cls=CML, before=first(BCP)),
        ),
    ),
    Case(
        id="charger.configuration.bro-not-ready",
        title="No CRO while the pack is not ready",
        title_zh="BRO(00)期间不发送CRO",
        iut=Party.CHARGER,
        polarity="positive",
        phase=Phase.CONFIGURATION.value,
        script=(
            *pack.configure(settle=600 * MILLISECOND),
            Step(title="not ready", send=(pack.NOT_READY,), lasts=4 * SECOND),
        ),
        judges=(
            Never(requirement=f"{R}flow/CRO-after-BRO", cls=CRO, after=first(BRO)),
            Never(requirement=f"{R}flow/no-CEM-in-order", cls=CEM),
            Never(requirement=f"{R}flow/CCS-after-CRO", cls=CCS),
        ),
    ),
    Case(
        id="charger.configuration.cro",
        title="CRO answers BRO(AA)",
        title_zh="CRO应答BRO(AA)",
        iut=Party.CHARGER,
        polarity="positive",
        phase=Phase.CONFIGURATION.value,
        labels=("DP.2003",),
        script=pack.become_ready(settle=600 * MILLISECOND, at_most=100 * SECOND),
        judges=(
            Layout(CRO),
            Periodic(CRO, to_the_end=True),
            Follows(
                requirement=f"{R}flow/CRO-ready",
                cls=CRO,
                where=READY,
                after=READY_PACK,
                within=timers.READY_NEVER_AA,
            ),
            Never(requirement=f"{R}flow/CRO-after-BRO", cls=CRO, before=READY_PACK),
        ),
    ),
    Case(
        id="charger.charging.ccs",
        title="CCS runs while charging",
        title_zh="充电中持续发送CCS",
        iut=Party.CHARGER,
        polarity="positive",
        phase=Phase.CHARGING.value,
        script=pack.charge(seconds=6),
        judges=(
            Layout(CCS),
            Periodic(CCS, to_the_end=True),
            Follows(
                requirement=f"{R}flow/CCS-while-charging", cls=CCS, after=first(BCL), within=timers.CCS_AT_BMS
            ),
            Never(requirement=f"{R}flow/CCS-after-CRO", cls=CCS, before=READY_CHARGER),
            Never(requirement=f"{R}flow/no-CEM-in-order", cls=CEM),
            Never(requirement=f"{R}flow/CCS-while-charging", cls=CST),
        ),
    ),
    Case(
        id="charger.charging.pause-resume",
        title="BSM withdraws permission and gives it back",
        title_zh="BSM禁止与恢复充电",
        iut=Party.CHARGER,
        polarity="positive",
        phase=Phase.CHARGING.value,
        script=(
            *pack.charge(),
            Step(title="forbid", send=(pack.DEMAND, pack.STATE, FORBIDDEN), lasts=4 * SECOND),
            Step(title="allow", send=pack.CHARGING, lasts=4 * SECOND),
        ),
        judges=(
            Follows(
                requirement=f"{R}flow/BSM-pause",
                cls=CCS,
                where=(("permission", Permission.FORBIDDEN),),
                after=first(BSM, permission=Permission.FORBIDDEN),
                within=PATIENCE,
            ),
            Follows(
                requirement=f"{R}flow/BSM-resume",
                cls=CCS,
                where=(("permission", Permission.ALLOWED),),
                after=first(
                    BSM, after=first(BSM, permission=Permission.FORBIDDEN), permission=Permission.ALLOWED
                ),
                within=PATIENCE,
            ),
            Never(requirement=f"{R}flow/BSM-pause", cls=CST),
        ),
    ),
    Case(
        id="charger.charging.bsm-fault",
        title="A BSM fault stops the charge",
        title_zh="BSM异常时停止充电",
        iut=Party.CHARGER,
        polarity="positive",
        phase=Phase.CHARGING.value,
        labels=("DP.3003",),
        script=(
            *pack.charge(),
            Step(
                title="cell voltage high",
                send=(pack.DEMAND, pack.STATE, TOO_HIGH),
                until=seen(CST),
                settle=300 * MILLISECOND,
            ),
        ),
        judges=(
            Follows(
                requirement=f"{R}flow/BSM-stop",
                cls=CST,
                after=first(BSM, cell_voltage=Level.HIGH),
                within=PATIENCE,
            ),
            Always(requirement=f"{R}flow/CST-fault-reason", cls=CST, where=(("fault", Reached.YES),)),
            Layout(CST),
            Periodic(CST),
        ),
    ),
    Case(
        id="charger.charging.bsm-untrusted",
        title="An untrusted state changes nothing",
        title_zh="不可信状态时保持原状",
        iut=Party.CHARGER,
        polarity="positive",
        phase=Phase.CHARGING.value,
        script=(
            *pack.charge(),
            Step(title="insulation untrusted", send=(pack.DEMAND, pack.STATE, UNTRUSTED), lasts=3 * SECOND),
        ),
        judges=(
            Never(
                requirement=f"{R}flow/BSM-untrusted",
                cls=CST,
                after=first(BSM, insulation=Condition.UNTRUSTED),
            ),
            Periodic(CCS, to_the_end=True),
        ),
    ),
    Case(
        id="charger.end.bms-stop",
        title="CST answers BST",
        title_zh="CST应答BST",
        iut=Party.CHARGER,
        polarity="positive",
        phase=Phase.END.value,
        labels=("DP.3006", "DP.4001"),
        script=pack.stop(),
        judges=(
            Layout(CST),
            Periodic(CST),
            Follows(
                requirement=f"{R}flow/CST-answers-BST", cls=CST, after=first(BST), within=timers.STOP_ANSWER
            ),
            Always(requirement=f"{R}flow/CST-bms-reason", cls=CST, where=(("bms_stopped", Reached.YES),)),
            Never(requirement=f"{R}flow/CST-answers-BST", cls=CST, before=first(BST)),
        ),
    ),
    Case(
        id="charger.end.csd",
        title="CSD follows the stop",
        title_zh="停止后发送CSD",
        iut=Party.CHARGER,
        polarity="positive",
        phase=Phase.END.value,
        labels=("DP.4002",),
        script=pack.finish(),
        judges=(
            Layout(CSD),
            Periodic(CSD),
            Follows(
                requirement=f"{R}flow/CSD-after-stop", cls=CSD, after=first(BST), within=timers.STATISTICS
            ),
            Never(requirement=f"{R}flow/CSD-after-stop", cls=CSD, before=first(BST)),
            Never(requirement=f"{R}flow/CCS-ends", cls=CCS, after=first(CST), grace_ms=1000),
            Never(requirement=f"{R}flow/no-CEM-in-order", cls=CEM, before=last(CSD)),
        ),
    ),
)
