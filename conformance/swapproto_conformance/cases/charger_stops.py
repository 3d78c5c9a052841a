"""A charger whose pack falls back before the charge, that is stopped by hand, or that tries in vain."""

from functools import partial
from typing import Literal

from swapproto.frame import MILLISECOND, SECOND
from swapproto.messages.gbt27930 import (
    BCL,
    BRO,
    BST,
    CCS,
    CEM,
    CRM,
    CRO,
    CST,
    ChargingMessage,
    Party,
    Phase,
    Reached,
    Ready,
    Timeout,
    timers,
)
from swapproto.messages.gbt27930.timers import Timer
from swapproto_conformance.anchor import Anchor, first, last
from swapproto_conformance.case import Case
from swapproto_conformance.cases import as_pack as pack
from swapproto_conformance.cases.charger_negative import MARGIN
from swapproto_conformance.cases.common import R, reported
from swapproto_conformance.judges import Always, Depending, Follows, Judge, Layout, Never, Periodic
from swapproto_conformance.script import Script, Step, seen

LAST_READY = last(BRO, ready=Ready.READY)
BECAME_READY = first(CRO, after=LAST_READY, ready=Ready.READY)
MANUAL = (("manual", Reached.YES),)
AMENDED = (
    "amendment 1 to GB/T 34658-2017 [reported, one source]: within 5 s of the last BRO(AA) CRO goes on every "
    "250 ms; a charger that becomes ready goes straight to charging, otherwise it reports a timeout"
)


def _interrupted(name: str, title: str, title_zh: str, label: str, *send: ChargingMessage) -> Case:
    """BRO(AA) ends while the charger is at CRO(00). Both ways out of it are lawful."""
    return Case(
        id=f"charger.configuration.{name}",
        title=title,
        title_zh=title_zh,
        iut=Party.CHARGER,
        polarity="negative",
        phase=Phase.CONFIGURATION.value,
        labels=(label,),
        amended=AMENDED,
        script=(
            *pack.configure(settle=600 * MILLISECOND),
            Step(title="not ready yet", send=(pack.NOT_READY,), lasts=600 * MILLISECOND),
            Step(title="ready", send=(pack.READY,), until=seen(CRO), at_most=pack.READY_WAIT),
            Step(
                title="no BRO(AA) any more",
                send=send,
                until=seen(CRO, ready=Ready.READY),
                unless=seen(CEM),
                at_most=round(timers.BRO_AA_SILENT.value * MARGIN),
                settle=SECOND // 2,
            ),
            Step(title="charge", send=pack.CHARGING, until=seen(CCS), settle=2 * SECOND),
        ),
        judges=(
            Depending(
                when=BECAME_READY,
                then=Follows(
                    requirement=f"{R}timer/BRO-silence-at-charger",
                    cls=CRO,
                    where=(("ready", Ready.READY),),
                    after=LAST_READY,
                    within=timers.BRO_AA_SILENT,
                ),
                otherwise=Follows(
                    requirement=f"{R}timer/BRO-silence-at-charger",
                    cls=CEM,
                    where=(("bro", Timeout.TIMEOUT),),
                    after=LAST_READY,
                    within=timers.BRO_AA_SILENT,
                    early=True,
                    slack_ms=250,
                ),
            ),
            Depending(
                when=BECAME_READY,
                then=Periodic(CRO, before=first(CCS)),
                otherwise=Periodic(CRO, before=first(CEM), to_the_end=True),
            ),
            Depending(
                when=BECAME_READY,
                then=Follows(
                    requirement=f"{R}flow/CCS-while-charging",
                    cls=CCS,
                    after=first(BCL, after=BECAME_READY),
                    within=timers.CCS_AT_BMS,
                ),
            ),
            Never(requirement=f"{R}flow/CCS-after-CRO", cls=CCS, before=first(CRO, ready=Ready.READY)),
            Layout(CRO),
        ),
    )


def _stopped(
    name: str,
    title: str,
    title_zh: str,
    labels: tuple[str, ...],
    after_cst: Script,
    judges: tuple[Judge, ...],
    polarity: Literal["positive", "negative"] = "negative",
) -> Case:
    """Somebody stops the charge at the charger."""
    return Case(
        id=f"charger.end.{name}",
        title=title,
        title_zh=title_zh,
        iut=Party.CHARGER,
        polarity=polarity,
        phase=Phase.END.value,
        labels=labels,
        script=(
            *pack.charge(),
            Step(
                title="stop by hand", send=pack.CHARGING, action="stop", until=seen(CST), at_most=8 * SECOND
            ),
            *after_cst,
        ),
        judges=(
            Layout(CST),
            Always(requirement=f"{R}flow/CST-manual-reason", cls=CST, where=MANUAL),
            *judges,
        ),
    )


_reported = partial(reported, CEM)


def _until_cem(timer: Timer) -> Step:
    return Step(title="silence", until=seen(CEM), at_most=round(timer.value * MARGIN), settle=SECOND)


def _nth_cem(count: int) -> Anchor:
    """The first CEM of the count-th error."""
    anchor = first(CEM)
    for _ in range(count - 1):
        anchor = first(CEM, after=first(CRM, after=anchor))
    return anchor


CASES = (
    _interrupted("bro-interrupted", "BRO(AA) ends during CRO(00)", "CRO(00)期间BRO(AA)中断", "DN.2007"),
    _interrupted(
        "bro-replaced-when-ready",
        "BCP in place of BRO(AA) during CRO(00)",
        "CRO(00)期间以其他报文代替BRO(AA)",
        "DN.2008",
        pack.PARAMETERS,
    ),
    _interrupted(
        "bro-back-to-not-ready",
        "BRO(00) again during CRO(00)",
        "CRO(00)期间BRO恢复为00",
        "DN.2009",
        pack.NOT_READY,
    ),
    _stopped(
        "manual-stop",
        "CST after a stop by hand",
        "手动停止后发送CST",
        ("DP.3007",),
        (
            Step(title="answer", send=(pack.ANSWER_STOP,), lasts=300 * MILLISECOND),
            Step(title="statistics", send=(pack.STATISTICS,), lasts=2 * SECOND),
        ),
        (
            Periodic(CST),
            Never(requirement=f"{R}flow/CCS-ends", cls=CCS, after=first(BST), grace_ms=1000),
            Never(requirement=f"{R}flow/no-CEM-in-order", cls=CEM),
        ),
        polarity="positive",
    ),
    _stopped(
        "bst-missing-after-manual-stop",
        "No BST after a stop by hand",
        "手动停止后不发送BST",
        ("DN.3009", "DN.3010"),
        (_until_cem(timers.STOP_ANSWER),),
        (
            *_reported("BST-at-charger", "bst", first(CST), timers.STOP_ANSWER, 250),
            Periodic(CST, before=first(CEM), to_the_end=True),
        ),
    ),
    _stopped(
        "bsd-missing-after-manual-stop",
        "No BSD after a stop by hand",
        "手动停止后不发送BSD",
        ("DN.4003", "DN.4004"),
        (
            Step(title="answer", send=(pack.ANSWER_STOP,), lasts=300 * MILLISECOND),
            _until_cem(timers.STATISTICS),
        ),
        _reported("BSD-at-charger", "bsd", first(BST), timers.STATISTICS, 1000),
    ),
    Case(
        id="charger.error.reconnect-limit",
        title="No new CRM after three reconnects",
        title_zh="三次重连后不再发送CRM",
        iut=Party.CHARGER,
        polarity="negative",
        phase=Phase.ERROR.value,
        script=(*pack.greet(), Step(title="silence", lasts=60 * SECOND)),
        judges=(
            Follows(
                requirement=f"{R}flow/CRM-after-error",
                cls=CRM,
                after=first(CEM),
                within=timers.NEW_CRM_AFTER_ERROR,
            ),
            Never(requirement=f"{R}flow/reconnect-limit", cls=CRM, after=_nth_cem(4)),
            Layout(CEM),
            Periodic(CEM, before=first(CRM, after=first(CEM))),
        ),
    ),
)
