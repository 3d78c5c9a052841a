"""A case: what the tester does, what the judges look at, and what it is called elsewhere. Data only."""

import fnmatch
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from swapproto.frame import Instant
from swapproto.messages.gbt27930 import Party
from swapproto_conformance.judges import Judge
from swapproto_conformance.results import CaseHead
from swapproto_conformance.script import Action, Script


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One test of one device. Its id names role, phase and purpose, and never its place in a list."""

    id: str
    title: str
    title_zh: str | None = None
    iut: Party
    polarity: Literal["positive", "negative"]
    phase: str
    labels: tuple[str, ...] = ()
    """GB/T 34658-2017 ids with the same stimulus; labels only, the requirement judges."""
    amended: str = ""
    """What amendment 1 to GB/T 34658-2017 makes of the expected result."""
    applies: str = ""
    """The devices that the case is for, where not all of its role."""
    script: Script
    judges: tuple[Judge, ...]
    answer_transport: bool = True
    """Whether the tester takes part in transfers that the device begins."""
    needs: str = ""
    """What the bench must have beside a CAN link; such a case is not selected unless asked for by name."""

    @property
    def actions(self) -> frozenset[Action]:
        """What somebody at the device has to do."""
        return frozenset(step.action for step in self.script if step.action is not None)

    @property
    def limit(self) -> Instant:
        """The longest that the script can last."""
        return sum(
            step.at_most + step.settle if step.until is not None else step.lasts or 0 for step in self.script
        )

    def head(self) -> CaseHead:
        """What reports know of the case before it runs."""
        return CaseHead(
            id=self.id,
            title=self.title,
            role="charger" if self.iut is Party.CHARGER else "bms",
            polarity=self.polarity,
            phase=self.phase,
            labels=self.labels,
        )


def matching(cases: Iterable[Case], patterns: Sequence[str]) -> list[Case]:
    """Cases whose id or label fits one of the patterns, which may hold * and ?; order as in the suite."""
    return [
        case
        for case in cases
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns for name in (case.id, *case.labels))
    ]
