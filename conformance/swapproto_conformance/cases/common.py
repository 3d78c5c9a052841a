"""What case modules share."""

from typing import Literal

from swapproto.messages.gbt27930 import BEM, CEM, Party, Phase, Timeout
from swapproto.messages.gbt27930.timers import Timer
from swapproto_conformance.anchor import Anchor
from swapproto_conformance.case import Case
from swapproto_conformance.judges import Follows, Judge, Layout
from swapproto_conformance.script import Script

R = "GBT27930-2015/"
"""Prefix of the requirements' ids."""


def pack_case(
    name: str,
    title: str,
    title_zh: str,
    phase: Phase,
    script: Script,
    judges: tuple[Judge, ...],
    *,
    polarity: Literal["positive", "negative"] = "negative",
    labels: tuple[str, ...] = (),
    applies: str = "",
    answer_transport: bool = True,
) -> Case:
    """A case of the pack, by the name behind ``pack.``."""
    return Case(
        id=f"pack.{name}",
        title=title,
        title_zh=title_zh,
        iut=Party.BMS,
        polarity=polarity,
        phase=phase.value,
        labels=labels,
        applies=applies,
        script=script,
        judges=judges,
        answer_transport=answer_transport,
    )


def reported(
    cls: type[BEM | CEM], name: str, field: str, since: Anchor, timer: Timer, slack_ms: int = 250
) -> tuple[Follows, Layout]:
    """The error message comes with the field set, neither much before the timer nor much after it."""
    report = Follows(
        requirement=f"{R}timer/{name}",
        cls=cls,
        where=((field, Timeout.TIMEOUT),),
        after=since,
        within=timer,
        early=True,
        slack_ms=slack_ms,
    )
    return report, Layout(cls)
