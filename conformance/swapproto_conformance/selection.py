"""Which devices and cases a run takes, and why the others are left out."""

from collections.abc import Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

import msgspec

from swapproto.errors import SwapError
from swapproto.link import Node
from swapproto.messages.gbt27930 import Party
from swapproto.runtime.figures import Figures
from swapproto_conformance import pair
from swapproto_conformance.bench import LinkBench, Runner, VirtualBench
from swapproto_conformance.case import Case, matching
from swapproto_conformance.cases import CASES
from swapproto_conformance.devices import REFERENCE, REFERENCES, BuiltIn, press
from swapproto_conformance.mutants import MUTANTS
from swapproto_conformance.pixit import Pixit
from swapproto_conformance.requirement import Role
from swapproto_conformance.results import Device, NotSelected

BUILT_IN: tuple[BuiltIn, ...] = (*REFERENCES, *MUTANTS)


class SelectionError(SwapError, ValueError):
    """Nothing can be run with these arguments; the text says what there is instead."""


class UnderTest(msgspec.Struct, frozen=True):
    """A device that somebody named: one of ours, or whatever answers at a link."""

    party: Party
    name: str
    built_in: BuiltIn | None
    figures: Figures | None = None
    """Measured at its port."""

    def bench(self, pixit: Pixit) -> Runner:
        """LinkUnavailable where the link cannot be opened."""
        if self.built_in is not None:
            return VirtualBench(self.built_in.build, press)
        return LinkBench(self.name, pixit=pixit, figures=self.figures)

    def build(self) -> Node:
        """A fresh device; only what is built in can be made."""
        if self.built_in is None:
            raise SelectionError(f"{self.name} is no built-in device")
        return self.built_in.build()

    def device(self) -> Device:
        if self.built_in is None:
            return Device(
                role=role(self.party),
                name=f"live {self.party.label}",
                link=self.name,
                description="named by who ran the suite",
            )
        link = "virtual bus inside the bench"
        return Device(role=role(self.party), name=self.name, link=link, description=self.built_in.description)


def role(party: Party) -> Role:
    return "charger" if party is Party.CHARGER else "bms"


def under_test(party: Party, name: str) -> UnderTest:
    """A built-in device by its name, else a link by its URL; SelectionError names the nearest."""
    for each in BUILT_IN:
        if each.party is party and each.name == name:
            return UnderTest(party, name, each)
    if ":" in name and not name.startswith("mutant:"):
        return UnderTest(party, name, None)
    names = [each.name for each in BUILT_IN if each.party is party]
    near = ", ".join(get_close_matches(name, names, n=3, cutoff=0.5) or [REFERENCE])
    raise SelectionError(
        f"no {party.label} {name!r}: give a link URL such as can:socketcan:can0 or a built-in name, "
        f"like {near}; swapproto certify --list prints them"
    )


class Selection(msgspec.Struct, frozen=True):
    """What will run."""

    devices: tuple[UnderTest, ...]
    cases: tuple[Case, ...]
    pair: bool
    left_out: tuple[NotSelected, ...]


def select(devices: Sequence[UnderTest], patterns: Sequence[str]) -> Selection:
    """Cases of the devices' roles; what needs more than a CAN link is taken only by its whole name.

    Every pattern fits something, or SelectionError: a mistyped name leaves no case out unnoticed.
    """
    roles = {each.party for each in devices}
    ours = [case for case in CASES if case.iut in roles]
    may_pair = len(roles) == 2 and all(each.built_in is not None for each in devices)
    for pattern in patterns:
        if not _fitting(ours, pattern) and not (may_pair and fnmatchcase(pair.HEAD.id, pattern)):
            raise SelectionError(_why_none(pattern))
    if patterns:
        chosen = {case.id for pattern in patterns for case in _fitting(ours, pattern)}
    else:
        chosen = {case.id for case in ours if not case.needs}
    left_out = tuple(
        NotSelected(
            id=case.id, title=case.title, reason=f"needs {case.needs}" if case.needs else "not asked for"
        )
        for case in ours
        if case.id not in chosen
    )
    return Selection(
        devices=tuple(devices),
        cases=tuple(case for case in ours if case.id in chosen),
        pair=may_pair and (not patterns or any(fnmatchcase(pair.HEAD.id, each) for each in patterns)),
        left_out=left_out,
    )


def _why_none(pattern: str) -> str:
    elsewhere = {case.iut.label for case in _fitting(CASES, pattern)}
    if elsewhere:
        return f"{pattern!r} fits cases of the {elsewhere.pop()} alone, and none is under test: name one"
    return f"no case of this run fits {pattern!r}: see swapproto certify --list"


def _fitting(cases: Sequence[Case], pattern: str) -> list[Case]:
    found = matching(cases, (pattern,))
    return [case for case in found if not case.needs or pattern in (case.id, *case.labels)]
