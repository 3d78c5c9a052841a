"""Does a device keep to a profile? Its own values against what each item admits."""

from collections.abc import Iterator
from typing import NamedTuple

from swapproto.compat.descriptor import Declared, Descriptor, Device
from swapproto.compat.requirement import BUSES, REQUIREMENTS, Requirement
from swapproto.compat.rules.model import (
    How,
    Outcome,
    Result,
    Settle,
    case_settles,
    too_weak,
    value_settles,
    without,
)
from swapproto.compat.words import Words, joined
from swapproto.profile import Leaf, Outline, Profile, Quantity, Range, Scalar, shipped
from swapproto.provenance import Weight

_TOLERANCES = {"pack.outline": "pack.outline_tolerance", "pack.mass": "pack.mass_tolerance"}


def conforms(device: Descriptor, profile: Profile) -> tuple[Result, ...]:
    """One result for each item of the profile that governs the device and that descriptors can express.

    What is unset or assumed decides nothing; a single witness can let an item hold and not refuse the device.
    """
    buses = _buses(profile)
    return tuple(
        weigh(asked, device[asked.key], profile)
        for asked in REQUIREMENTS
        if asked.device is device.kind
        and asked.item.name in profile.leaves
        and (not buses or not asked.declared.bus or asked.declared.bus in buses)
    )


def weigh(asked: Requirement, given: Declared, profile: Profile) -> Result:
    """The one place where an item, which the profile has, is weighed by what both values rest on."""
    question = _Question(asked, given, profile.leaves[asked.item.name], profile)
    if lacking := [*question.lacking()]:
        return question.unknown(lacking)
    holds = question.holds()
    if holds is None:
        cannot = Words("the values alone cannot tell", "仅凭数值无法判定")
        settles = [*map(case_settles, asked.cases)] or [question.supply()]
        return question.unknown([(cannot, each) for each in settles])
    if holds:
        return question.result(Outcome.HOLDS)
    if doubts := [*question.doubts()]:
        return question.unknown(doubts, finding=True)
    return question.result(Outcome.VIOLATED)


class _Question(NamedTuple):
    asked: Requirement
    given: Declared
    leaf: Leaf
    profile: Profile

    def result(self, outcome: Outcome) -> Result:
        return Result(self.asked, outcome, self._both(), (self.given,), leaf=self.leaf)

    def unknown(self, why: list[tuple[Words, Settle]], *, finding: bool = False) -> Result:
        said = joined([self._both(), *dict.fromkeys(words for words, _ in why)])
        settles = tuple(settle for _, settle in why)
        return Result(self.asked, Outcome.UNKNOWN, said, (self.given,), settles, finding, self.leaf)

    def lacking(self) -> Iterator[tuple[Words, Settle]]:
        """What decides nothing, each with what would settle it."""
        if self.given.weight is Weight.NONE:
            yield without(self.given), value_settles(self.given)
        if self.leaf.weight is Weight.NONE:
            source = self.leaf.source
            yield (
                Words(
                    f"a value that is {source.basis.value} decides nothing ({source.why})",
                    f"该规范项目的数值未定或仅为假定，不能作为依据（{source.why}）",
                ),
                self.supply(),
            )

    def holds(self) -> bool | None:
        known = self.asked.declared.known
        if known and not any(each in known for each in self.leaf.choices):
            return None
        has = self.asked.comparable(self.given.value or ())
        found = self.asked.admits(self.leaf.choices, has)
        tolerance = self.profile.leaves.get(_TOLERANCES.get(self.asked.item.name, ""))
        if found is not False or self.asked.device is not Device.PACK or tolerance is None:
            return found
        if any(_within(*pair) for pair in _margins(self.leaf.choices, has, tolerance.choices)):
            return None if tolerance.weight is Weight.NONE else True
        return False

    def doubts(self) -> Iterator[tuple[Words, Settle]]:
        """Why what looks violated cannot refuse the device, each with what would settle it."""
        if self.given.weight is not Weight.FULL:
            yield too_weak(self.given), value_settles(self.given)
        if self.leaf.weight is not Weight.FULL:
            source = self.leaf.source
            yield (
                Words(
                    f"too weak to refuse a device: {self.leaf.key} ({source.basis.value}, {source.why})",
                    f"规范项目 {self.leaf.key} 佐证不足，不能据此拒绝设备（{source.why}）",
                ),
                self.supply(),
            )
        if self.asked.declared.bus and len(_buses(self.profile)) != 1:
            yield (
                Words("the profile does not say of which CAN it speaks", "规范未说明所指为哪一路 CAN"),
                Settle(
                    How.TEXT,
                    f"{self.profile.id} profile.messages",
                    Words(
                        f"the message sets that {self.profile.id} prescribes, of one CAN (profile.messages)",
                        f"{self.profile.id} 所规定的、属于同一路 CAN 的报文集（profile.messages）",
                    ),
                ),
            )

    def supply(self) -> Settle:
        """The value, from whoever owns the text."""
        own = self.profile.id if self.profile.id in shipped() else self.profile.file
        key = self.leaf.key
        return Settle(
            How.TEXT,
            f"{self.profile.id} {key}",
            Words(
                f"a stated value of {key} in a profile of your own; how: swapproto profile why {own} {key}",
                f"在自有规范文件中给出 {key} 的原文数值；方法见 swapproto profile why {own} {key}",
            ),
        )

    def _both(self) -> Words:
        leaf, name, whose = self.leaf, self.asked.declared.title, self.given.kind.noun
        has = self.given.text if self.given.value is not None else Words("not known", "未知")
        basis = f"{leaf.source.basis.value}: " if leaf.is_set else ""
        where = f"{leaf.key} is {leaf.text} ({basis}{leaf.source.at}; {leaf.place})"
        where_zh = f"{leaf.key} 为 {leaf.text}（{leaf.source.at}；{leaf.place}）"
        return Words(
            f"{name.en} of {whose.en}: {has.en}; {where}", f"{whose.zh}的{name.zh}：{has.zh}；{where_zh}"
        )


def _buses(profile: Profile) -> set[str]:
    return {BUSES[each] for each in profile.messages}


def _margins(
    allowed: tuple[Scalar, ...], has: tuple[Scalar, ...], tolerances: tuple[Scalar, ...]
) -> Iterator[tuple[Scalar, Scalar, Quantity]]:
    """Every pair with the tolerance; of a tolerance that is a range the upper end."""
    for tolerance in tolerances:
        widest = tolerance.high if isinstance(tolerance, Range) else tolerance
        if isinstance(widest, Quantity):
            yield from ((one, other, widest) for one in allowed for other in has)


def _within(allowed: Scalar, has: Scalar, tolerance: Quantity) -> bool:
    if isinstance(allowed, Outline) and isinstance(has, Outline):
        sides = (allowed.length, has.length), (allowed.width, has.width), (allowed.height, has.height)
        return all(_within(one, other, tolerance) for one, other in sides)
    low, high = (allowed.low, allowed.high) if isinstance(allowed, Range) else (allowed, allowed)
    if not isinstance(has, Quantity):
        return False
    above = low is None or (isinstance(low, Quantity) and low.base - tolerance.base <= has.base)
    return above and (high is None or (isinstance(high, Quantity) and has.base <= high.base + tolerance.base))
