"""A charger whose pack falls silent or errs: does it say what is missing?"""

from functools import partial

from swapproto.frame import MILLISECOND, SECOND, CanFrame
from swapproto.messages.gbt27930 import (
    BCL,
    BCS,
    BRO,
    BST,
    CCS,
    CEM,
    CML,
    CRM,
    CRO,
    CST,
    ChargingMessage,
    Party,
    Phase,
    Recognition,
    timers,
)
from swapproto.messages.gbt27930.timers import Timer
from swapproto_conformance.anchor import first, last
from swapproto_conformance.case import Case
from swapproto_conformance.cases import as_pack as pack
from swapproto_conformance.cases.charger_positive import READY_CHARGER, TOO_HIGH
from swapproto_conformance.cases.common import R, reported
from swapproto_conformance.judges import Follows, Layout, Never, Periodic
from swapproto_conformance.script import RawCyclic, Script, Step, seen

GRACE_MS = 100
"""CCS that were already on their way when the error was reported [assumed]."""
MARGIN = 1.8
"""A wait is watched for this many times the timer, so that a late report is still seen."""


_reported = partial(reported, CEM)


def _watch(timer: Timer) -> int:
    return round(timer.value * MARGIN)


def _case(
    name: str,
    title: str,
    title_zh: str,
    phase: Phase,
    labels: tuple[str, ...],
    script: Script,
    judges: tuple[Follows | Layout | Never | Periodic, ...],
    *,
    amended: str = "",
) -> Case:
    return Case(
        id=f"charger.{name}",
        title=title,
        title_zh=title_zh,
        iut=Party.CHARGER,
        polarity="negative",
        phase=phase.value,
        labels=labels,
        script=script,
        judges=judges,
        amended=amended,
    )


def _until_cem(title: str, timer: Timer, *send: ChargingMessage | RawCyclic) -> Step:
    return Step(title=title, send=send, until=seen(CEM), at_most=_watch(timer), settle=SECOND)


BRM_GONE = _reported("BRM-at-charger", "brm", first(CRM), timers.BRM_AT_CHARGER)
BCP_GONE = _reported(
    "BCP-at-charger", "bcp", first(CRM, result=Recognition.RECOGNISED), timers.BCP_AT_CHARGER
)
BRO_GONE = _reported("BRO-at-charger", "bro", first(CML), timers.READY_NEVER_RECEIVED)
NOISE = RawCyclic(
    "frames of other systems and cut BCL",
    (
        CanFrame(0x0CF00400, b"\xf0\x7d\xe1\x00\x00\xff\xff\xff"),
        CanFrame(0x18FEF100, bytes(8)),
        CanFrame(BCL.identifier(), b"\x52"),
        CanFrame(0x123, b"\x01\x02", extended=False),
    ),
    100 * MILLISECOND,
)

CASES = (
    _case(
        "handshake.brm-missing",
        "No BRM at all",
        "不发送BRM",
        Phase.IDENTIFICATION,
        ("DN.1001",),
        (*pack.greet(), _until_cem("silence", timers.BRM_AT_CHARGER)),
        BRM_GONE,
    ),
    _case(
        "handshake.brm-broken",
        "BRM whose transfers break",
        "BRM传输异常",
        Phase.IDENTIFICATION,
        ("DN.1002",),
        (*pack.greet(), _until_cem("broken BRM", timers.BRM_AT_CHARGER, pack.broken(pack.IDENTITY))),
        BRM_GONE,
    ),
    _case(
        "handshake.bhm-goes-on",
        "Only BHM goes on after CRM(00)",
        "仅继续发送BHM",
        Phase.IDENTIFICATION,
        ("DN.1003",),
        (*pack.greet(), _until_cem("BHM only", timers.BRM_AT_CHARGER, pack.HELLO)),
        BRM_GONE,
    ),
    _case(
        "identification.brm-goes-on",
        "BRM goes on after CRM(AA), no BCP",
        "CRM(AA)后仍发送BRM",
        Phase.CONFIGURATION,
        ("DN.1004",),
        (*pack.identify(), _until_cem("BRM again", timers.BCP_AT_CHARGER, pack.IDENTITY)),
        BCP_GONE,
    ),
    _case(
        "configuration.bcp-missing",
        "No BCP",
        "不发送BCP",
        Phase.CONFIGURATION,
        ("DN.2001",),
        (*pack.identify(), _until_cem("silence", timers.BCP_AT_CHARGER)),
        BCP_GONE,
    ),
    _case(
        "configuration.bcp-broken",
        "BCP whose transfers break",
        "BCP传输异常",
        Phase.CONFIGURATION,
        ("DN.2002",),
        (
            *pack.identify(),
            _until_cem("broken BCP", timers.BCP_AT_CHARGER, pack.broken(pack.PARAMETERS, 500 * MILLISECOND)),
        ),
        BCP_GONE,
    ),
    _case(
        "configuration.bro-missing",
        "No BRO",
        "不发送BRO",
        Phase.CONFIGURATION,
        ("DN.2003",),
        (*pack.configure(), _until_cem("silence", timers.READY_NEVER_RECEIVED)),
        BRO_GONE,
    ),
    _case(
        "configuration.bro-replaced",
        "BCL in place of BRO",
        "以其他报文代替BRO",
        Phase.CONFIGURATION,
        ("DN.2004",),
        (*pack.configure(), _until_cem("BCL instead", timers.READY_NEVER_RECEIVED, pack.DEMAND)),
        BRO_GONE,
    ),
    _case(
        "configuration.bro-never-ready",
        "BRO stays at 00",
        "BRO始终为00",
        Phase.CONFIGURATION,
        ("DN.2005",),
        (*pack.configure(), _until_cem("BRO(00)", timers.READY_NEVER_AA, pack.NOT_READY)),
        (
            *_reported("BRO-ready-at-charger", "bro", first(BRO), timers.READY_NEVER_AA),
            Never(requirement=f"{R}flow/CRO-after-BRO", cls=CRO),
        ),
    ),
    _case(
        "configuration.bcp-goes-on",
        "BCP goes on during CML, no BRO",
        "CML期间仍发送BCP",
        Phase.CONFIGURATION,
        ("DN.2006",),
        (*pack.configure(), _until_cem("BCP again", timers.READY_NEVER_RECEIVED, pack.PARAMETERS)),
        BRO_GONE,
    ),
    _case(
        "charging.bcl-never",
        "No BCL after CRO(AA)",
        "CRO(AA)后不发送BCL",
        Phase.CHARGING,
        ("DN.2010",),
        (*pack.become_ready(), _until_cem("BCS and BSM only", timers.RECEIVE, pack.STATE, pack.STATUS)),
        _reported("BCL-at-charger", "bcl", READY_CHARGER, timers.BCL_AT_CHARGER),
    ),
    _case(
        "charging.bcs-missing",
        "BCS stops",
        "BCS中断",
        Phase.CHARGING,
        ("DN.3001", "DN.3003", "DN.3005", "DN.3007"),
        (*pack.charge(), _until_cem("no BCS", timers.BCS_AT_CHARGER, pack.DEMAND, pack.STATUS)),
        _reported("BCS-at-charger", "bcs", last(BCS), timers.BCS_AT_CHARGER),
    ),
    _case(
        "charging.bcl-missing",
        "BCL stops",
        "BCL中断",
        Phase.CHARGING,
        ("DN.3002", "DN.3004", "DN.3006", "DN.3008"),
        (*pack.charge(), _until_cem("no BCL", timers.RECEIVE, pack.STATE, pack.STATUS)),
        _reported("BCL-at-charger", "bcl", last(BCL), timers.BCL_AT_CHARGER),
    ),
    _case(
        "charging.noise",
        "Foreign and cut frames on the bus",
        "总线上有无关及残缺报文",
        Phase.CHARGING,
        (),
        (
            *pack.become_ready(),
            Step(title="charge in noise", send=(*pack.CHARGING, NOISE), until=seen(CCS), settle=5 * SECOND),
        ),
        (
            Periodic(CCS, to_the_end=True),
            Never(requirement=f"{R}flow/no-CEM-in-order", cls=CEM),
            Never(requirement=f"{R}flow/CCS-while-charging", cls=CST),
        ),
    ),
    _case(
        "end.bst-missing",
        "CST without an answer",
        "CST后不发送BST",
        Phase.END,
        (),
        (
            *pack.charge(),
            Step(title="fault", send=(pack.DEMAND, pack.STATE, TOO_HIGH), until=seen(CST)),
            _until_cem("silence", timers.STOP_ANSWER),
        ),
        _reported("BST-at-charger", "bst", first(CST), timers.STOP_ANSWER),
    ),
    _case(
        "end.bsd-missing",
        "No BSD after the stop",
        "停止后不发送BSD",
        Phase.END,
        ("DN.4001", "DN.4002"),
        (*pack.stop(), _until_cem("silence", timers.STATISTICS)),
        (
            *_reported(
                "BSD-at-charger", "bsd", first(CST, after=first(BST)), timers.STATISTICS, slack_ms=1000
            ),
            Periodic(CST, before=first(CEM), to_the_end=True),
        ),
        amended="amendment 1 to GB/T 34658-2017 [reported, one source], DN.4002: CST every 10 ms for 10 s "
        "from its first",
    ),
    _case(
        "end.cem-period",
        "CEM is repeated",
        "CEM周期",
        Phase.ERROR,
        (),
        (*pack.become_ready(), Step(title="no BCL", send=(pack.STATE,), until=seen(CEM), settle=3 * SECOND)),
        (
            Layout(CEM),
            Periodic(CEM),
            Never(requirement=f"{R}flow/CEM-ends-charge", cls=CCS, after=first(CEM), grace_ms=GRACE_MS),
        ),
    ),
)
