"""A pack that is treated as it may expect: does it do what the tables say?"""

from functools import partial

from swapproto.frame import SECOND
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
    CHM,
    CML,
    CRM,
    CRO,
    CST,
    Phase,
    Reached,
    Ready,
    Recognition,
    timers,
)
from swapproto_conformance.anchor import first, last
from swapproto_conformance.cases import as_charger as charger
from swapproto_conformance.cases.common import R, pack_case
from swapproto_conformance.judges import Always, Follows, Layout, Never, Periodic, Transferred

RECOGNISED = first(CRM, result=Recognition.RECOGNISED)
CHARGER_READY = first(CRO, ready=Ready.READY)
_case = partial(pack_case, polarity="positive")


CASES = (
    _case(
        "handshake.bhm",
        "BHM answers CHM",
        "BHM应答CHM",
        Phase.HANDSHAKE,
        charger.greet(settle=3 * SECOND),
        (
            Layout(BHM),
            Periodic(BHM, to_the_end=True),
            Follows(requirement=f"{R}flow/BHM-answers-CHM", cls=BHM, after=first(CHM), within=timers.RECEIVE),
        ),
    ),
    _case(
        "identification.brm",
        "BRM answers CRM(00)",
        "BRM应答CRM(00)",
        Phase.IDENTIFICATION,
        charger.identify(settle=3 * SECOND),
        (
            Layout(BRM),
            Periodic(BRM, to_the_end=True),
            Transferred(BRM),
            Follows(requirement=f"{R}flow/BRM-answers-CRM", cls=BRM, after=first(CRM), within=timers.RECEIVE),
            Never(requirement=f"{R}flow/BRM-answers-CRM", cls=BRM, before=first(CRM)),
            Never(requirement=f"{R}flow/BCP-after-CRM", cls=BCP),
        ),
    ),
    _case(
        "configuration.bcp",
        "BCP answers CRM(AA)",
        "BCP应答CRM(AA)",
        Phase.CONFIGURATION,
        charger.recognise(settle=4 * SECOND),
        (
            Layout(BCP),
            Periodic(BCP, to_the_end=True),
            Transferred(BCP),
            Follows(requirement=f"{R}flow/BCP-answers-CRM", cls=BCP, after=RECOGNISED, within=timers.RECEIVE),
            Never(requirement=f"{R}flow/BCP-after-CRM", cls=BCP, before=RECOGNISED),
        ),
    ),
    _case(
        "configuration.bro",
        "BRO answers CML",
        "BRO应答CML",
        Phase.CONFIGURATION,
        charger.offer(settle=2 * SECOND),
        (
            Layout(BRO),
            Periodic(BRO, to_the_end=True),
            Follows(requirement=f"{R}flow/BRO-answers-CML", cls=BRO, after=first(CML), within=timers.RECEIVE),
            Never(requirement=f"{R}flow/BRO-answers-CML", cls=BRO, before=first(CML)),
            Never(requirement=f"{R}flow/BCL-after-CRO", cls=BCL),
        ),
    ),
    _case(
        "charging.bcl",
        "BCL follows CRO(AA)",
        "CRO(AA)之后发送BCL",
        Phase.CHARGING,
        charger.charge(seconds=5),
        (
            Layout(BCL),
            Periodic(BCL, to_the_end=True),
            Follows(
                requirement=f"{R}flow/BCL-answers-CRO",
                cls=BCL,
                after=CHARGER_READY,
                within=timers.BCL_AT_CHARGER,
            ),
            Never(requirement=f"{R}flow/BCL-after-CRO", cls=BCL, before=CHARGER_READY),
            Never(requirement=f"{R}flow/no-BEM-in-order", cls=BEM),
        ),
    ),
    _case(
        "charging.bcs",
        "BCS over the transport protocol",
        "BCS传输",
        Phase.CHARGING,
        charger.charge(seconds=12),
        (Layout(BCS), Periodic(BCS, to_the_end=True), Transferred(BCS)),
    ),
    _case(
        "charging.bsm",
        "BSM while charging",
        "充电中持续发送BSM",
        Phase.CHARGING,
        charger.charge(seconds=5),
        (Layout(BSM), Periodic(BSM, to_the_end=True)),
    ),
    _case(
        "charging.cells",
        "Cell voltages and temperatures, where the pack lists them",
        "单体电压与温度（可选报文）",
        Phase.CHARGING,
        charger.charge(seconds=33),
        (
            Layout(BMV),
            Periodic(BMV, to_the_end=True),
            Transferred(BMV),
            Layout(BMT),
            Periodic(BMT),
            Transferred(BMT),
        ),
    ),
    _case(
        "end.bst",
        "BST answers CST",
        "BST应答CST",
        Phase.END,
        charger.stop(),
        (
            Layout(BST),
            Periodic(BST),
            Follows(
                requirement=f"{R}flow/BST-answers-CST", cls=BST, after=first(CST), within=timers.STOP_ANSWER
            ),
            Always(
                requirement=f"{R}flow/BST-charger-reason", cls=BST, where=(("charger_stopped", Reached.YES),)
            ),
            Never(requirement=f"{R}flow/BST-answers-CST", cls=BST, before=first(CST)),
        ),
    ),
    _case(
        "end.bsd",
        "BSD follows the stop",
        "停止后发送BSD",
        Phase.END,
        charger.finish(),
        (
            Layout(BSD),
            Periodic(BSD),
            Follows(
                requirement=f"{R}flow/BSD-after-stop", cls=BSD, after=first(CST), within=timers.STATISTICS
            ),
            Never(requirement=f"{R}flow/BSD-after-stop", cls=BSD, before=first(CST)),
            Never(requirement=f"{R}flow/BCL-ends", cls=BCL, after=first(BST), grace_ms=1000),
            Never(requirement=f"{R}flow/no-BEM-in-order", cls=BEM, before=last(BSD)),
        ),
    ),
)
