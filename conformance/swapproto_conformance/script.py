"""What a tester does, as data: steps that send cyclically until something is seen or a time is over."""

from typing import Literal, TypeAlias

import msgspec

from swapproto.frame import MILLISECOND, SECOND, CanFrame, Instant
from swapproto.messages.gbt27930 import ChargingMessage


class Until(msgspec.Struct, frozen=True):
    """A message of the device with these field values, seen after the step began."""

    cls: type[ChargingMessage]
    where: tuple[tuple[str, object], ...] = ()

    def matches(self, message: ChargingMessage) -> bool:
        return type(message) is self.cls and all(
            getattr(message, name) == value for name, value in self.where
        )

    def __str__(self) -> str:
        return self.cls.__name__ + wording(self.where)


def seen(cls: type[ChargingMessage], **where: object) -> Until:
    """``seen(CRM, result=Recognition.RECOGNISED)``."""
    return Until(cls, tuple(where.items()))


def wording(where: tuple[tuple[str, object], ...]) -> str:
    """Field values as people write them: ``(result = recognised)``."""
    if not where:
        return ""
    parts = [f"{name} = {getattr(value, 'label', value)}" for name, value in where]
    return f" ({', '.join(parts)})"


class Cyclic(msgspec.Struct, frozen=True):
    """A message sent with a period of its own, in nanoseconds."""

    message: ChargingMessage
    period: int


class RawCyclic(msgspec.Struct, frozen=True):
    """Frames as no codec would write them, ``gap`` nanoseconds apart, the whole again each period."""

    title: str
    frames: tuple[CanFrame, ...]
    period: int
    gap: int = 10 * MILLISECOND


Stimulus: TypeAlias = ChargingMessage | Cyclic | RawCyclic
Action: TypeAlias = Literal["stop"]
"""What somebody at the device does, because no message can ask for it."""
Conduct: TypeAlias = Literal["answer", "silent", "hold", "abort", "one by one", "wrong acknowledgement"]
"""What becomes of the device's transfers: taken in full, never answered, held by CTS of zero packets,
aborted, taken by one packet a CTS, or taken and acknowledged with another size."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step: what is sent meanwhile, and when it is over."""

    title: str
    send: tuple[Stimulus, ...] = ()
    until: Until | None = None
    at_most: Instant = 8 * SECOND
    """Longest wait for ``until``; without it the script ends there, and the trace shows why."""
    unless: Until | None = None
    """Another lawful end of the wait: the script ends with it, after ``settle``."""
    lasts: Instant | None = None
    """Length of a step that waits for nothing."""
    settle: Instant = 0
    """How long the step goes on after ``until`` was seen."""
    action: Action | None = None
    """What the bench is asked for as the step begins."""
    transport: Conduct = "answer"

    def __str__(self) -> str:
        what = "nothing" if not self.send else ", ".join(_stimulus(each) for each in self.send)
        if self.action is not None:
            what += f", {self.action} by hand"
        if self.transport != "answer":
            what += f" (transport: {self.transport})"
        if self.until is None:
            return f"{self.title}: send {what} for {_seconds(self.lasts or 0)}"
        then = f", then {_seconds(self.settle)} more" if self.settle else ""
        until = f"{self.until}" if self.unless is None else f"{self.until} or {self.unless}"
        return f"{self.title}: send {what} until {until}, at most {_seconds(self.at_most)}{then}"


def _seconds(duration: Instant) -> str:
    return f"{duration / SECOND:g} s"


def _stimulus(stimulus: Stimulus) -> str:
    match stimulus:
        case Cyclic(message, period):
            return f"{type(message).__name__} every {period / MILLISECOND:g} ms"
        case RawCyclic(title):
            return title
        case _:
            return type(stimulus).__name__


Script: TypeAlias = tuple[Step, ...]


def silence(seconds: float, title: str = "silence") -> Step:
    """Send nothing and listen."""
    return Step(title=title, lasts=round(seconds * SECOND))
