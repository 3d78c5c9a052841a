"""Differences in what the messages say: configuration and states by value, measurements by range."""

from collections.abc import Iterator, Mapping

from swapproto.observe.compare_align import Alignment, Difference, DifferenceKind, Weight
from swapproto.observe.compare_profile import KEPT_VALUES, Attempt, FieldInfo, FieldKey, Place, Profile


def values(alignment: Alignment) -> Iterator[Difference]:
    """Fields whose values are not the same, and measurements whose ranges lie apart."""
    pairs = zip(alignment.good.attempts, alignment.bad.attempts, strict=False)
    for number, (good, bad) in enumerate(pairs):
        yield from _fields(alignment, number, good, bad)
        yield from _ranges(alignment, number, good, bad)


def _fields(alignment: Alignment, number: int, good: Attempt, bad: Attempt) -> Iterator[Difference]:
    for key, here in good.values.items():
        there = bad.values.get(key)
        if there is None or here.keys() == there.keys():
            continue
        if number == 0 and (_partly(alignment.good, here, there) or _partly(alignment.bad, there, here)):
            continue
        name, unit = _named(alignment, key)
        position = alignment.position(number, key[0])
        yield Difference(
            DifferenceKind.FIELD, Weight.FIELD, f"{key[0]}.{key[1]}", alignment.phase_of(position),
            f"{name} differs", _listed(here, unit), _listed(there, unit),
            _first_other(here, there), _first_other(there, here), number, position,
        )  # fmt: skip


def _partly(late: Profile, heard: Mapping[str, Place], all_of_them: Mapping[str, Place]) -> bool:
    """Whether a recording that joined late lacks values that may have been there before."""
    return late.joined is not None and heard.keys() <= all_of_them.keys()


def _ranges(alignment: Alignment, number: int, good: Attempt, bad: Attempt) -> Iterator[Difference]:
    for key, here in good.ranges.items():
        there = bad.ranges.get(key)
        if there is None or (here.low <= there.high and there.low <= here.high):
            continue
        name, unit = _named(alignment, key)
        position = alignment.position(number, key[0])
        yield Difference(
            DifferenceKind.MEASURED, Weight.MEASURED, f"{key[0]}.{key[1]}", alignment.phase_of(position),
            f"the ranges of {name} do not overlap", f"{here}{unit}", f"{there}{unit}",
            here.first, there.first, number, position,
        )  # fmt: skip


def _named(alignment: Alignment, key: FieldKey) -> tuple[str, str]:
    """The field with its SPN, and its unit with a blank before."""
    info = alignment.good.fields.get(key, FieldInfo(None, ""))
    name = f"{key[0]}.{key[1]}" + (f" (SPN {info.spn})" if info.spn is not None else "")
    return name, f" {info.unit}" if info.unit else ""


def _listed(values: Mapping[str, Place], unit: str) -> str:
    more = " and others" if len(values) == KEPT_VALUES else ""
    return ", then ".join(f"{text}{unit if text != 'not given' else ''}" for text in values) + more


def _first_other(values: Mapping[str, Place], against: Mapping[str, Place]) -> Place:
    """Where the first value stands that the other recording has not; else the first of all."""
    for text, place in values.items():
        if text not in against:
            return place
    return next(iter(values.values()))
