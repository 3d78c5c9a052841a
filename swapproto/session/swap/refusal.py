"""Why an order did not leave."""

import msgspec


class Fault(msgspec.Struct, frozen=True, gc=False):
    """One condition of a rule that does not hold."""

    condition: str
    seen: str | None
    """What was last reported, None where nothing was or the source does not know."""
    age: int | None
    """Nanoseconds since then, None where nothing was reported."""
    stale: bool
    """Whether the report is too old to be believed, whatever it says."""

    def __str__(self) -> str:
        if self.seen is None or self.age is None:
            return f"{self.condition}: not reported"
        old = f", {self.age / 1e9:.1f} s old" if self.stale else ""
        return f"{self.condition}: reported {self.seen}{old}"


class Refusal(msgspec.Struct, frozen=True):
    """An order that the interlocks kept back: the rule, and each of its conditions that does not hold."""

    order: str
    rule: str
    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        return f"{self.order} refused by {self.rule}: {'; '.join(str(fault) for fault in self.faults)}"
