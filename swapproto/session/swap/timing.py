"""The time limits and retries of a swap. A station with others is ``msgspec.structs.replace(NOMINAL, ...)``.

The limits for stale data and retries of one real station are public [facts 3.2]. How long its steps
take is not; a whole swap takes 3 to 5 minutes [facts 8.2], and each step's limit is assumed, with room for a
slow one.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, get_type_hints

import msgspec

from swapproto.frame import MILLISECOND, SECOND
from swapproto.provenance import Basis, Source

__all__ = ["LIMITS", "LONGEST", "NOMINAL", "Limit", "Timing"]

_STATION = Source("one station's PLC link", Basis.OBSERVED, 1)


class Limit(msgspec.Struct, frozen=True):
    """A duration in nanoseconds, or a count, and what it rests on."""

    value: int
    source: Source
    note: str = ""


def _assumed(value: int, why: str) -> Limit:
    return Limit(value, Source("role machine", Basis.ASSUMED, 0, why))


_CYCLE = Limit(100 * MILLISECOND, _STATION, "period of the fast streams between computer and PLC")
_INFORMS = Limit(10 * SECOND, _STATION, "truck data counts as stale after this")
_INTERLOCK = _assumed(300 * MILLISECOND, "three cycles: one lost report is no fault, a silent source is")
_RETRIES = Limit(3, _STATION)
_LIDAR_RETRIES = Limit(10, _STATION)
_ANSWER = _assumed(10 * SECOND, "a device that answers at all does so within the limit for stale data")
_DECISION = _assumed(60 * SECOND, "the pack CAN's own authorisation gives up after 60 s without a frame")
_PERSON = _assumed(120 * SECOND, "a driver has to act")
_DRIVE = _assumed(60 * SECOND, "one movement of the hoist; a whole swap takes 3 to 5 minutes")
_GRIP = _assumed(15 * SECOND, "locks, tongues and plugs move by centimetres")
_SETTLE = _assumed(1 * SECOND, "ten cycles: what was ordered before has arrived and shows in the reports")
_PACK_BACK = _assumed(30 * SECOND, "a BMS starts, then reports every 100 ms")
_LONGEST_STEP = 3600 * SECOND
LONGEST: Mapping[str, int] = MappingProxyType(
    {
        "cycle": SECOND, "interlock": SECOND, "informs": 60 * SECOND, "retries": 100, "lidar_retries": 100,
    }
)  # fmt: skip
"""The most that a station may set, an hour where it is not said; assumed: what moves goes some
centimetres in a second, so nothing older says where it is."""


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """Durations in nanoseconds, and retries; ``LIMITS`` says where each comes from."""

    cycle: Annotated[int, _CYCLE] = _CYCLE.value
    """How often a waiting step looks again, and how often the swap controller reports."""
    informs: Annotated[int, _INFORMS] = _INFORMS.value
    """Data older than this is no longer shown or counted on."""
    interlock: Annotated[int, _INTERLOCK] = _INTERLOCK.value
    """Data older than this satisfies no interlock."""
    retries: Annotated[int, _RETRIES] = _RETRIES.value
    lidar_retries: Annotated[int, _LIDAR_RETRIES] = _LIDAR_RETRIES.value

    answer: Annotated[int, _ANSWER] = _ANSWER.value
    decision: Annotated[int, _DECISION] = _DECISION.value
    person: Annotated[int, _PERSON] = _PERSON.value
    drive: Annotated[int, _DRIVE] = _DRIVE.value
    grip: Annotated[int, _GRIP] = _GRIP.value
    pack_back: Annotated[int, _PACK_BACK] = _PACK_BACK.value
    """From joined connectors to the pack's first report."""
    settle: Annotated[int, _SETTLE] = _SETTLE.value
    """From a change of mind to the first look at what it is to begin with."""

    def __post_init__(self) -> None:
        """ValueError for what would switch interlocks off: see ``LONGEST``."""
        for name in self.__struct_fields__:
            value, most = getattr(self, name), LONGEST.get(name, _LONGEST_STEP)
            least = 0 if name.endswith("retries") else 1
            if type(value) is not int or not least <= value <= most:
                raise ValueError(f"Timing: {name} is {value!r}; it can be {least} to {most}")
        if not self.cycle <= self.interlock <= self.informs:
            raise ValueError(
                f"Timing: interlock is {self.interlock}; it can be {self.cycle} to {self.informs}"
            )


NOMINAL = Timing()


def _limits() -> Mapping[str, Limit]:
    hints = get_type_hints(Timing, include_extras=True)
    return MappingProxyType({name: hints[name].__metadata__[0] for name in Timing.__struct_fields__})


LIMITS: Mapping[str, Limit] = _limits()
"""Every limit by its name in ``Timing``, with its nominal value."""
