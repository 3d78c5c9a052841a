"""What a listener finds wrong, folded so that a thousand repetitions are one finding with a count."""

from collections.abc import Hashable
from enum import Enum

import msgspec

from swapproto.provenance import Source
from swapproto.wire.reading import DeviationKind

KEPT_FINDINGS = 200


class ViolationKind(Enum):
    """How traffic can depart from order or time."""

    PERIOD = "period"
    SILENCE = "silence"
    ORDER = "order"
    PHASE = "out of phase"
    ERROR = "error message"
    AFTER_ERROR = "goes on after error"
    RESERVED = "reserved answer"
    PRIORITY = "priority"
    TRANSPORT = "transport"


class Violation(msgspec.Struct):
    """One departure from order or time, with how often and where it was seen."""

    kind: ViolationKind
    message: str | None
    """Name of the message; None for transport frames."""
    text: str
    source: Source
    count: int
    first_us: int
    first_line: int
    last_us: int
    last_line: int
    longest_us: int | None = None
    """The longest of the silences."""


class DeviationSum(msgspec.Struct):
    """One way in which a message departs from its layout; the example is that of the first time."""

    message: str
    field: str | None
    """None where no field stands: reserved bits, the length of the payload."""
    byte: int | None
    """Counted from one; None for a repeated field, whose items are taken together."""
    kind: DeviationKind | None
    """None where the payload could not be read at all."""
    example: str
    count: int
    first_us: int
    first_line: int


class Findings:
    """Violations and deviations, each kind bounded; what is beyond the bound is only counted."""

    def __init__(self) -> None:
        self._violations: dict[Hashable, Violation] = {}
        self._deviations: dict[Hashable, DeviationSum] = {}
        self.dropped_violations = 0
        self.dropped_deviations = 0

    @property
    def violations(self) -> list[Violation]:
        return sorted(self._violations.values(), key=lambda violation: violation.first_us)

    @property
    def deviations(self) -> list[DeviationSum]:
        return sorted(self._deviations.values(), key=lambda deviation: deviation.first_us)

    def violation(
        self,
        kind: ViolationKind,
        message: str | None,
        text: str,
        source: Source,
        *,
        at_us: int,
        line: int,
        measured_us: int | None = None,
    ) -> None:
        """Count a violation; the same kind, message and text are one finding, with the longest time."""
        key = (kind, message, text)
        found = self._violations.get(key)
        if found is not None:
            found.count += 1
            found.last_us, found.last_line = at_us, line
            found.longest_us = max(found.longest_us or 0, measured_us or 0) or None
        elif len(self._violations) < KEPT_FINDINGS:
            self._violations[key] = Violation(
                kind, message, text, source, 1, at_us, line, at_us, line, measured_us
            )
        else:
            self.dropped_violations += 1

    def deviation(
        self,
        message: str,
        field: str | None,
        *,
        offset: int | None,
        kind: DeviationKind | None,
        example: str,
        at_us: int,
        line: int,
    ) -> None:
        """Count a deviation; a repeated field is one place, whichever its item."""
        byte = None if offset is None else offset + 1
        if field is not None and "[" in field:
            name, _, rest = field.partition("[")
            field, byte = f"{name}[]{rest.partition(']')[2]}", None
        key = (message, field, byte, kind)
        found = self._deviations.get(key)
        if found is not None:
            found.count += 1
        elif len(self._deviations) < KEPT_FINDINGS:
            self._deviations[key] = DeviationSum(message, field, byte, kind, example, 1, at_us, line)
        else:
            self.dropped_deviations += 1
