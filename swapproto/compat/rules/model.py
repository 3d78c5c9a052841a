"""A rule, and the one place where its outcome is weighed by what its inputs rest on."""

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

import msgspec

from swapproto.compat.descriptor import Declared, Device
from swapproto.compat.requirement import Requirement
from swapproto.compat.rules.compare import Compare
from swapproto.compat.words import Words, joined
from swapproto.profile import Leaf, load
from swapproto.provenance import Weight


class Outcome(Enum):
    """What a rule finds about two devices."""

    HOLDS = "holds"
    VIOLATED = "violated"
    UNKNOWN = "unknown"


class Input(NamedTuple):
    """A value of one of the two devices."""

    device: Device
    key: str


class Clause(NamedTuple):
    """Where a specification fixes what the rule compares; its value is shown, and no input here."""

    profile: str
    key: str

    @property
    def leaf(self) -> Leaf:
        return load(self.profile).leaf(self.key)

    def __str__(self) -> str:
        return f"{self.profile} {self.key}"


class Rule(NamedTuple):
    """Two values that must go together."""

    id: str
    """Pair and name: ``pack-station.mass``."""
    title: Words
    text: Words
    inputs: tuple[Input, Input]
    compare: Compare
    clause: Clause | None
    cases: tuple[str, ...] = ()
    """Conformance cases that show the unknown on the device itself."""
    first: bool = False
    """Asked before the others; where it is violated they have no meaning."""

    @property
    def pair(self) -> tuple[Device, Device]:
        return self.inputs[0].device, self.inputs[1].device


def rule(
    one: Device,
    other: Device,
    name: str,
    title: Words,
    text: Words,
    keys: tuple[str, str],
    compare: Compare,
    clause: Clause | None,
    cases: tuple[str, ...] = (),
    *,
    first: bool = False,
) -> Rule:
    """A rule about a key of the one and a key of the other."""
    inputs = Input(one, keys[0]), Input(other, keys[1])
    return Rule(f"{one.value}-{other.value}.{name}", title, text, inputs, compare, clause, cases, first)


class How(Enum):
    """The kind of thing that would settle an unknown."""

    VALUE = "value"
    """A descriptor's key to be given by the maker, or by a witness more."""
    CASE = "case"
    """A conformance case to be run."""
    TEXT = "text"
    """The text of a specification, laid over the shipped profile."""


class Settle(msgspec.Struct, frozen=True):
    """One thing that would settle an unknown."""

    how: How
    what: str
    """Device and key, the id of a case, or profile and key."""
    text: Words


class Result(msgspec.Struct, frozen=True):
    """What a rule, or an item of a profile, found, with the values that it was given."""

    rule: Rule | Requirement
    outcome: Outcome
    reason: Words
    inputs: tuple[Declared, ...]
    settles: tuple[Settle, ...] = ()
    finding: bool = False
    """The values as given violate the rule, and one of them is too weak to refuse a device."""
    leaf: Leaf | None = None
    """The profile's value, where that was an input."""


def judge(rule: Rule, one: Declared, other: Declared) -> Result:
    """Nothing that is unset or assumed decides; a single witness can let a rule hold and not violate it."""
    inputs = (one, other)
    lacking = [each for each in inputs if each.weight is Weight.NONE]
    if lacking:
        reason = joined([without(each) for each in lacking])
        return Result(rule, Outcome.UNKNOWN, reason, inputs, tuple(_settles(rule, lacking)))
    found = rule.compare(one, other)
    if found.holds is None:
        return Result(rule, Outcome.UNKNOWN, found.why, inputs, tuple(_settles(rule, [])))
    if found.holds:
        return Result(rule, Outcome.HOLDS, found.why, inputs)
    weak = [each for each in inputs if each.weight is not Weight.FULL]
    if not weak:
        return Result(rule, Outcome.VIOLATED, found.why, inputs)
    reason = joined([found.why, *(too_weak(each) for each in weak)])
    return Result(rule, Outcome.UNKNOWN, reason, inputs, tuple(_settles(rule, weak)), finding=True)


def without(given: Declared) -> Words:
    """Why the value decides nothing."""
    name, whose = given.title, given.kind.noun
    if given.value is None:
        why = f" ({given.why})" if given.why else ""
        return Words(f"not known: {name.en} of {whose.en}{why}", f"{whose.zh}的{name.zh}未知")
    return Words(
        f"{given.standing.value} only: {name.en} of {whose.en} ({given.text.en})",
        f"{whose.zh}的{name.zh}（{given.text.zh}）依据不足",
    )


def too_weak(given: Declared) -> Words:
    """Why a value that lets a rule hold cannot refuse a device."""
    name, whose = given.title, given.kind.noun
    return Words(
        f"too weak to refuse a device: {name.en} of {whose.en} ({given.standing.value})",
        f"{whose.zh}的{name.zh}佐证不足，不能据此拒绝设备",
    )


def value_settles(given: Declared) -> Settle:
    """The value, from the device's maker."""
    return Settle(
        How.VALUE,
        f"{given.device} {given.key}",
        Words(
            f"{given.key} of {given.device}, declared by its maker",
            f"由制造商声明 {given.device} 的{given.title.zh}（{given.key}）",
        ),
    )


def case_settles(case: str) -> Settle:
    """A conformance case, run on the device."""
    return Settle(How.CASE, case, Words(f"conformance case {case}", f"一致性测试用例 {case}"))


def _settles(rule: Rule, lacking: list[Declared]) -> Iterator[Settle]:
    yield from map(value_settles, lacking)
    yield from map(case_settles, rule.cases)
    if rule.clause is not None and any(each.value is None for each in lacking):
        leaf = rule.clause.leaf
        if not leaf.is_set:
            yield Settle(
                How.TEXT,
                f"{rule.clause.profile} {rule.clause.key}",
                Words(
                    f"the text of {rule.clause}, where the devices are built to it ({leaf.source.why})",
                    f"{rule.clause} 的条文（若设备按其制造）",
                ),
            )
