"""Anchors: the message in a trace from which a judge counts, so that no answer is older than its cause."""

import msgspec

from swapproto.messages.gbt27930 import ChargingMessage
from swapproto.observe.dialogue import TimedMessage
from swapproto_conformance.evidence import Evidence
from swapproto_conformance.script import wording


class Anchor(msgspec.Struct, frozen=True):
    """The first or last message of a class with these values, after another anchor if need be."""

    cls: type[ChargingMessage]
    where: tuple[tuple[str, object], ...]
    last: bool = False
    after: "Anchor | None" = None
    before: "Anchor | None" = None

    def find(self, evidence: Evidence) -> TimedMessage | None:
        """None where the trace does not hold it, or not the anchors that it depends on."""
        low = high = None
        if self.after is not None:
            start = self.after.find(evidence)
            if start is None:
                return None
            low = start.at_us
        if self.before is not None:
            stop = self.before.find(evidence)
            high = None if stop is None else stop.at_us
        found = [each for each in evidence.of(self.cls, after=low, before=high) if has(each, self.where)]
        return found[-1 if self.last else 0] if found else None

    def __str__(self) -> str:
        text = f"the {'last' if self.last else 'first'} {self.cls.__name__}{wording(self.where)}"
        if self.before is not None:
            text += f" before {self.before}"
        return text if self.after is None else f"{text} after {self.after}"


def has(seen: TimedMessage, where: tuple[tuple[str, object], ...]) -> bool:
    """Whether the message could be read and holds the values."""
    message = seen.reading.message
    return message is not None and all(getattr(message, name) == value for name, value in where)


def first(
    cls: type[ChargingMessage], after: Anchor | None = None, before: Anchor | None = None, **where: object
) -> Anchor:
    return Anchor(cls, tuple(where.items()), after=after, before=before)


def last(
    cls: type[ChargingMessage], after: Anchor | None = None, before: Anchor | None = None, **where: object
) -> Anchor:
    return Anchor(cls, tuple(where.items()), last=True, after=after, before=before)
