"""Can these devices meet? The answer of all rules together."""

from collections.abc import Iterable, Iterator
from enum import Enum
from functools import cached_property

import msgspec

from swapproto.compat.conform import conforms
from swapproto.compat.descriptor import Descriptor, Device
from swapproto.compat.rules import RULES, Outcome, Result, Rule, Settle, judge
from swapproto.errors import SwapError
from swapproto.profile import Profile


class Verdict(Enum):
    """Incompatible stands above unknown, and unknown above compatible."""

    COMPATIBLE = "compatible"
    INCOMPATIBLE = "incompatible"
    UNKNOWN = "unknown"


class NoSuchPair(SwapError):
    """Two devices of one kind do not meet."""


class Answer(msgspec.Struct, frozen=True, dict=True):
    """What the rules found; where a first rule is violated the others were not asked."""

    devices: tuple[Descriptor, ...]
    verdict: Verdict
    results: tuple[Result, ...]
    profile: Profile | None = None
    """Whose items the devices were held against, beside one another."""

    @cached_property
    def supposed(self) -> bool:
        """Whether the answer is about a scenario: what would be if its values held."""
        return any(each.supposed for result in self.results for each in result.inputs)

    @cached_property
    def reasons(self) -> tuple[Result, ...]:
        """The results that make the verdict, in the order of the rules; none where all rules hold."""
        wanted = {Verdict.INCOMPATIBLE: Outcome.VIOLATED, Verdict.UNKNOWN: Outcome.UNKNOWN}.get(self.verdict)
        return tuple(each for each in self.results if each.outcome is wanted)

    @cached_property
    def settles(self) -> tuple[Settle, ...]:
        """What would settle an unknown, each once."""
        if self.verdict is not Verdict.UNKNOWN:
            return ()
        return tuple(dict.fromkeys(each for result in self.reasons for each in result.settles))


def check(*devices: Descriptor, profile: Profile | None = None) -> Answer:
    """Hold a pack, a station and a truck, or any two of them, against each other; NoSuchPair for others.

    With a profile each device is also held against the profile's items.
    """
    by_kind = {each.kind: each for each in devices}
    if len(by_kind) != len(devices) or len(devices) < 2:
        kinds = ", ".join(f"{each.id} ({each.kind.value})" for each in devices)
        raise NoSuchPair(
            f"a pack, a station and a truck are held against each other, one of a kind: not {kinds}"
        )
    asked = [
        (rule, by_kind[one], by_kind[other])
        for rule in RULES
        for one, other in (rule.pair,)
        if one in by_kind and other in by_kind
    ]
    own: list[Result] = []
    if profile is not None:
        own = [found for kind in Device if kind in by_kind for found in conforms(by_kind[kind], profile)]
    results = (
        *_judged(each for each in asked if each[0].first),
        *(each for each in own if each.rule.first),
    )
    if all(each.outcome is not Outcome.VIOLATED for each in results):
        results += (
            *_judged(each for each in asked if not each[0].first),
            *(each for each in own if not each.rule.first),
        )
    return Answer(devices, _verdict(results), results, profile)


def _judged(asked: Iterable[tuple[Rule, Descriptor, Descriptor]]) -> Iterator[Result]:
    for rule, one, other in asked:
        yield judge(rule, one[rule.inputs[0].key], other[rule.inputs[1].key])


def _verdict(results: Iterable[Result]) -> Verdict:
    outcomes = {each.outcome for each in results}
    if Outcome.VIOLATED in outcomes:
        return Verdict.INCOMPATIBLE
    return Verdict.UNKNOWN if Outcome.UNKNOWN in outcomes else Verdict.COMPATIBLE
