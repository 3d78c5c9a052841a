"""How two declared values are held against each other. Plain arithmetic: no standard stands behind it."""

from collections.abc import Callable, Sequence
from typing import TypeAlias, TypeVar

import msgspec

from swapproto.compat.descriptor import Declared
from swapproto.compat.keys import KIN
from swapproto.compat.words import Words, joined
from swapproto.profile.values import Outline, Quantity, Range, Scalar, in_text

T = TypeVar("T", Quantity, Range, Outline)


class Comparison(msgspec.Struct, frozen=True, gc=False):
    """What came out; `holds` is None where the values alone cannot tell."""

    holds: bool | None
    why: Words


Compare: TypeAlias = Callable[[Declared, Declared], Comparison]
"""Of the two inputs of a rule in their order."""


def shared(one: Declared, other: Declared) -> Comparison:
    """They have at least one in common."""
    common = [each for each in one.value or () if each in (other.value or ())]
    if common:
        said = one.text if len(common) == len(one.value or ()) else _listed(common)
        return Comparison(True, Words(f"both {said.en}", f"均为 {said.zh}"))
    return Comparison(False, _against(one, other))


def covered(needed: Declared, offered: Declared) -> Comparison:
    """Everything that the one needs is among what the other has."""
    missing = [in_text(each) for each in needed.value or () if each not in (offered.value or ())]
    if missing:
        names = ", ".join(missing)
        return Comparison(
            False,
            Words(
                f"{offered.kind.noun.en} has no {names}, only {offered.text.en}",
                f"{offered.kind.noun.zh}无 {names}，仅有 {offered.text.zh}",
            ),
        )
    return Comparison(True, Words(f"{needed.text.en} is there", f"具备 {needed.text.zh}"))


def at_most(amount: Declared, limit: Declared) -> Comparison:
    """The amount does not exceed the limit."""
    if _only(amount, Quantity) <= _only(limit, Quantity):
        return Comparison(
            True,
            Words(f"{amount.text.en}, at most {limit.text.en}", f"{amount.text.zh}，上限 {limit.text.zh}"),
        )
    return Comparison(
        False,
        Words(
            f"{amount.kind.noun.en} has {amount.text.en}, {limit.kind.noun.en} takes at most {limit.text.en}",
            f"{amount.kind.noun.zh}为 {amount.text.zh}，{limit.kind.noun.zh}最多允许 {limit.text.zh}",
        ),
    )


def fits(outline: Declared, room: Declared) -> Comparison:
    """No side is longer than its room; nothing is turned."""
    has, free = _only(outline, Outline), _only(room, Outline)
    sides = (
        (Words("length", "长"), has.length, free.length),
        (Words("width", "宽"), has.width, free.width),
        (Words("height", "高"), has.height, free.height),
    )
    over = [
        Words(f"{side.en} {have} where {limit} is free", f"{side.zh} {have}，可用 {limit}")
        for side, have, limit in sides
        if have > limit
    ]
    if over:
        return Comparison(False, joined(over))
    return Comparison(
        True, Words(f"{outline.text.en} in {room.text.en}", f"{outline.text.zh}，可用 {room.text.zh}")
    )


def inside(needed: Declared, offered: Declared) -> Comparison:
    """The one range lies in the other."""
    if _lies_in(_only(needed, Range), _only(offered, Range)):
        return Comparison(
            True, Words(f"{needed.text.en} in {offered.text.en}", f"{needed.text.zh}，可用 {offered.text.zh}")
        )
    return Comparison(
        False,
        Words(
            f"{needed.kind.noun.en} needs {needed.text.en}, {offered.kind.noun.en} covers {offered.text.en}",
            f"{needed.kind.noun.zh}需要 {needed.text.zh}，{offered.kind.noun.zh}覆盖 {offered.text.zh}",
        ),
    )


def reaches_down(allowed: Declared, offered: Declared) -> Comparison:
    """The smallest that is offered is no more than what is allowed; more than that is a matter of demand."""
    smallest = _only(offered, Range).low
    if smallest is None or smallest <= _only(allowed, Quantity):
        return Comparison(
            True,
            Words(
                f"{allowed.text.en} allowed, {offered.text.en} offered",
                f"允许 {allowed.text.zh}，提供 {offered.text.zh}",
            ),
        )
    return Comparison(False, _against(allowed, offered))


def editions(one: Declared, other: Declared) -> Comparison:
    """An edition in common, or two whose likeness only a run can show."""
    same = shared(one, other)
    if same.holds or not (KIN & set(one.value or ()) and KIN & set(other.value or ())):
        return same
    return Comparison(
        None,
        Words(
            f"{same.why.en}; one reporter says that type A systems of the 2023 edition keep the 2015 "
            "messages, but BHM has another meaning and CCS another length",
            f"{same.why.zh}；有一处资料称 2023 版 A 类系统沿用 2015 版报文，但 BHM 含义与 CCS 长度不同",
        ),
    )


def _listed(values: Sequence[Scalar]) -> Words:
    text = ", ".join(in_text(each) for each in values)
    return Words(text, text)


def _lies_in(needed: Range, offered: Range) -> bool:
    low = offered.low is None or (needed.low is not None and offered.low <= needed.low)
    return low and (offered.high is None or (needed.high is not None and needed.high <= offered.high))


def _only(given: Declared, kind: type[T]) -> T:
    for each in given.value or ():
        if isinstance(each, kind):
            return each
    raise TypeError(f"{given} is no {kind.__name__}")


def _against(one: Declared, other: Declared) -> Words:
    return Words(
        f"{one.kind.noun.en} has {one.text.en}, {other.kind.noun.en} has {other.text.en}",
        f"{one.kind.noun.zh}为 {one.text.zh}，{other.kind.noun.zh}为 {other.text.zh}",
    )
