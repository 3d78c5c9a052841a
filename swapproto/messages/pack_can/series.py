"""Cells and probes out of the frames that count them.

Whether frame numbers begin at 0 or 1, and whether they run through the pack or begin anew with each
supervision circuit, is not public. Both are taken (assumed): numbers begin at 0 where a 0 is heard and at
1 otherwise; they begin anew where two circuits use the same number, and run through otherwise.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Generic, NamedTuple, TypeVar

import msgspec

from swapproto.frame import Instant
from swapproto.messages.pack_can.cells import CellVoltages, CellVoltagesFurther, Temperatures

F = TypeVar("F", bound=CellVoltages | CellVoltagesFurther | Temperatures)
T = TypeVar("T")


class Heard(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """A message and the instant at which it was received."""

    message: T
    at: Instant


class Place(NamedTuple):
    """Where a frame belongs; the block tells the further cell voltages (1) from the first ones (0)."""

    block: int
    unit: int
    frame: int


class Sample(msgspec.Struct, frozen=True, gc=False):
    """A cell's voltage in volts, or a probe's temperature in degrees Celsius, and where it came from."""

    unit: int
    frame: int
    position: int
    """Place in the frame, from one."""
    value: float
    further: bool = False
    """Whether it came in the further cell voltages."""


class Gap(NamedTuple):
    """A frame that was not heard; the unit is None where frames are counted through all units."""

    unit: int | None
    frame: int


class Series(msgspec.Struct, frozen=True, gc=False):
    """What was heard of the cells or probes, in the order of unit and frame."""

    samples: tuple[Sample, ...] = ()
    expected: int | None = None
    """How many the pack says it has."""
    gaps: tuple[Gap, ...] = ()
    oldest: Instant | None = None
    """When the frame that has waited longest was received."""
    latest: Instant | None = None

    @property
    def values(self) -> tuple[float, ...]:
        return tuple(sample.value for sample in self.samples)

    @property
    def complete(self) -> bool:
        """Whether as many were heard as the pack says it has."""
        return self.expected == len(self.samples) and not self.gaps

    def missing(self, what: str) -> Iterator[str]:
        """In words, what was not heard of it."""
        frames = f"frames {', '.join(_name(gap) for gap in self.gaps)}" if self.gaps else ""
        if not self.samples:
            yield f"{what}: none heard"
        elif self.expected is None:
            yield f"{what}: how many there are was not heard" + (f"; {frames} were not" if frames else "")
        elif len(self.samples) != self.expected or frames:
            yield f"{what}: {len(self.samples)} of {self.expected} heard" + (frames and f"; not {frames}")


class FrameStore(Generic[F]):
    """The last frame of each place; the one not heard for longest makes way for a new place."""

    LIMIT = 512
    """Twice as many as one byte counts: the cell voltages have two blocks."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names
        self._frames: dict[Place, Heard[F]] = {}

    def put(self, block: int, message: F, at: Instant) -> None:
        place = Place(block, message.unit_number, message.frame_number)
        self._frames.pop(place, None)
        self._frames[place] = Heard(message, at)
        if len(self._frames) > self.LIMIT:
            del self._frames[next(iter(self._frames))]

    def clear(self) -> None:
        self._frames.clear()

    def series(self, expected: int | None) -> Series:
        """What was heard, in order, less the places at the end of a unit that hold nothing."""
        if not self._frames:
            return Series(expected=expected)
        samples = [*self._samples()]
        if expected is not None and len(samples) > expected:
            samples = self._without_blanks(samples, len(samples) - expected)
        instants = [heard.at for heard in self._frames.values()]
        return Series(
            tuple(samples),
            expected,
            tuple(_gaps(self._frames, expected, len(self._names))),
            min(instants),
            max(instants),
        )

    def _samples(self) -> Iterator[Sample]:
        for place in sorted(self._frames):
            message = self._frames[place].message
            for position, name in enumerate(self._names, 1):
                value: float = getattr(message, name)
                yield Sample(place.unit, place.frame, position, value, place.block > 0)

    def _without_blanks(self, samples: list[Sample], surplus: int) -> list[Sample]:
        """Leave out places at a unit's end that are all zeros or all ones: no cell is there (assumed)."""
        layout = next(iter(self._frames.values())).message.layout
        field = layout.field(self._names[0])
        blanks = (field.to_physical(0), field.to_physical(field.mask))
        kept: list[Sample] = []
        end: tuple[bool, int] | None = None
        for sample in reversed(samples):
            unit = (sample.further, sample.unit)
            if surplus and unit != end and sample.value in blanks:
                surplus -= 1
                continue
            end = unit
            kept.append(sample)
        return kept[::-1]


def _name(gap: Gap) -> str:
    return str(gap.frame) if gap.unit is None else f"{gap.frame} of unit {gap.unit}"


def _gaps(places: Mapping[Place, object], expected: int | None, width: int) -> Iterator[Gap]:
    for block in sorted({place.block for place in places}):
        units: dict[int, set[int]] = {}
        for place in places:
            if place.block == block:
                units.setdefault(place.unit, set()).add(place.frame)
        every = set[int]().union(*units.values())
        first = 0 if 0 in every else 1
        if sum(map(len, units.values())) > len(every):
            for unit in sorted(units):
                yield from _absent(unit, units[unit], first, max(units[unit]))
        else:
            last = max(every)
            if expected is not None and all(place.block == block for place in places):
                last = max(last, min(first - 1 - (-expected // width), 0xFF))
            yield from _absent(None, every, first, last)


def _absent(unit: int | None, frames: Iterable[int], first: int, last: int) -> Iterator[Gap]:
    there = set(frames)
    return (Gap(unit, number) for number in range(first, last + 1) if number not in there)
