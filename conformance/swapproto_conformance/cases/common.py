"""What the negative cases of both roles share."""

from swapproto.messages.gbt27930 import BEM, CEM, Timeout
from swapproto.messages.gbt27930.timers import Timer
from swapproto_conformance.anchor import Anchor
from swapproto_conformance.judges import Follows, Layout

R = "GBT27930-2015/"
"""Prefix of the requirements' ids."""


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
