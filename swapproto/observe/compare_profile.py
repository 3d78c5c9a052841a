"""What one recording contributes to a comparison: its steps, values and answers, by attempt and message."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias, cast

import msgspec

from swapproto.messages import gbt27930 as gb
from swapproto.messages.catalog import Catalogue
from swapproto.observe.dialogue import Dialogue, TimedMessage
from swapproto.observe.edition import Recognition
from swapproto.observe.phases import ERRORS, PhaseTracker
from swapproto.observe.survey import Survey, survey
from swapproto.trace.record import Record
from swapproto.wire.fields import Code
from swapproto.wire.message import Group

KEPT_ATTEMPTS = 20
"""Sessions of one recording that are compared; what comes after is only counted."""
KEPT_VALUES = 8
"""Distinct values of a field that are told apart."""
_MEASURED = {
    "BRM": ("charge_count",),
    "BCP": ("soc", "voltage"),
    "CSD": ("total_time", "energy"),
}
"""Numbers that vary from charge to charge, outside the phase in which all but states do."""
_IN_STEPS = {gb.BRO.pgn, gb.CRO.pgn, gb.BEM.pgn, gb.CEM.pgn}
"""Messages that are told apart by their content as steps already."""


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where something stands in a recording; the instant counts from its first frame."""

    at_us: int
    line: int


class Step(msgspec.Struct, gc=False):
    """The first time that a message was heard in an attempt, apart by what it answers: BRO(00), BRO(AA)."""

    label: str
    name: str
    phase: gb.Phase
    """Of the message; for errors the phase that the session was in."""
    first: Place
    started_us: int
    last_us: int
    optional: bool
    count: int = 1


class Range(msgspec.Struct, gc=False):
    """The measured values of a field."""

    low: float
    high: float
    first: Place

    def __str__(self) -> str:
        return _text(self.low) if self.low == self.high else f"{_text(self.low)} to {_text(self.high)}"


FieldKey: TypeAlias = tuple[str, str]
"""Names of message and field."""


class FieldInfo(NamedTuple):
    """How a field is named to people."""

    spn: int | None
    unit: str


class Attempt(msgspec.Struct):
    """One session, from its handshake or identification on."""

    steps: dict[str, Step] = {}
    """By label, in the order of their first time."""
    values: dict[FieldKey, dict[str, Place]] = {}
    """Distinct values of what is configured or a state, each with its first place."""
    ranges: dict[FieldKey, Range] = {}

    @property
    def names(self) -> set[str]:
        return {step.name for step in self.steps.values()}


class Profile(msgspec.Struct):
    """A recording made ready for comparison; `survey` has its periods, findings and transfers."""

    survey: Survey
    attempts: list[Attempt]
    restarts: int
    """How often the session began again, those beyond `attempts` included."""
    joined: Step | None
    """The first step of a recording that begins in the middle of a session."""
    end: Place
    """The last message."""
    fields: dict[FieldKey, FieldInfo]

    def place(self, at_us: int, line: int) -> Place:
        """The place of an instant that the survey gives."""
        return Place(at_us - self.survey.first_us, line)


def profile(records: Sequence[Record], recognition: Recognition, resolution_us: int | None) -> Profile:
    """Listen to one channel of a recording; the recognition decides how it is decoded."""
    found = survey(records, recognition, resolution_us)
    collector = _Collector(found.first_us)
    for heard in Dialogue(Catalogue(recognition.edition.decoded_as)).listen(records):
        if isinstance(heard, TimedMessage):
            collector.receive(heard)
    first = next(iter(collector.attempts[0].steps.values()), None) if collector.attempts else None
    late = first is not None and first.label not in ("CHM", "CRM(00)", "VersionOffer")
    return Profile(
        found,
        collector.attempts,
        collector.phases.attempt,
        first if late else None,
        collector.end,
        collector.fields,
    )


class _Collector:
    def __init__(self, first_us: int) -> None:
        self.phases = PhaseTracker()
        self.attempts: list[Attempt] = []
        self.end = Place(0, 0)
        self.fields: dict[FieldKey, FieldInfo] = {}
        self._first_us = first_us
        self._last: dict[str, bytes] = {}

    def receive(self, heard: TimedMessage) -> None:
        self.phases.receive(heard)
        here = self.end = Place(heard.at_us - self._first_us, heard.line)
        number = self.phases.attempt
        if number >= KEPT_ATTEMPTS:
            return
        while len(self.attempts) <= number:
            self.attempts.append(Attempt())
            self._last.clear()
        attempt = self.attempts[number]
        self._step(attempt, heard, here)
        if heard.message is None or self._last.get(heard.name) == heard.payload:
            return
        self._last[heard.name] = heard.payload
        if heard.cls.pgn not in _IN_STEPS:
            self._values(attempt, heard, here)

    def _step(self, attempt: Attempt, heard: TimedMessage, here: Place) -> None:
        label = _label(heard)
        step = attempt.steps.get(label)
        if step is not None:
            step.count += 1
            step.last_us = here.at_us
            return
        phase = heard.cls.phase
        if phase is None:
            return
        if phase is gb.Phase.ERROR and self.phases.phase is not None:
            phase = self.phases.phase
        started = heard.started_us - self._first_us
        attempt.steps[label] = Step(
            label, heard.name, phase, here, started, here.at_us, optional=heard.cls.optional
        )

    def _values(self, attempt: Attempt, heard: TimedMessage, here: Place) -> None:
        name = heard.name
        for field, value in _flat(heard.message):
            if name == "CRM" and field == "result":
                continue
            key = (name, field)
            if key not in self.fields:
                self.fields[key] = _info(heard.cls, field)
            if isinstance(value, int | float) and _is_measured(heard, field, value):
                self._measured(attempt, key, value, here)
                continue
            seen = attempt.values.setdefault(key, {})
            text = _text(value)
            if text not in seen and len(seen) < KEPT_VALUES:
                seen[text] = here

    @staticmethod
    def _measured(attempt: Attempt, key: FieldKey, value: float, here: Place) -> None:
        known = attempt.ranges.get(key)
        if known is None:
            attempt.ranges[key] = Range(value, value, here)
        else:
            known.low, known.high = min(known.low, value), max(known.high, value)


def _label(heard: TimedMessage) -> str:
    message: Any = heard.message
    if heard.cls.pgn in ERRORS:
        return f"{heard.name}({_complaint(heard)})"
    if message is None:
        return heard.name
    if heard.cls.pgn == gb.CRM.pgn:
        return f"CRM({int(message.result):02X})"
    if heard.cls.pgn in (gb.BRO.pgn, gb.CRO.pgn):
        return f"{heard.name}({int(message.ready):02X})"
    return heard.name


def _complaint(heard: TimedMessage) -> str:
    """The fields that report a timeout; where none does it is an error without a cause."""
    if heard.message is None:
        return "cannot be read"
    named = [
        f"{field.name}, SPN {field.marker.spn}"
        for field in heard.cls.layout.fields
        if field.code is gb.Timeout and getattr(heard.message, field.name) == gb.Timeout.TIMEOUT
    ]
    return "; ".join(named) or "no timeout named"


def _is_measured(heard: TimedMessage, field: str, value: float) -> bool:
    if isinstance(value, Code):
        return False
    name = heard.name
    if name in _MEASURED:
        return field in _MEASURED[name]
    return heard.cls.phase in (gb.Phase.CHARGING, gb.Phase.END)


def _flat(message: Any) -> Iterator[tuple[str, object]]:
    """Fields and values, the items of a repeated field under one name."""
    for field in message.__struct_fields__:
        value = getattr(message, field)
        if isinstance(value, tuple):
            yield from _items(field, cast("Iterable[object]", value))
        elif isinstance(value, datetime):
            yield field, "a date and time"
        else:
            yield field, value


def _items(field: str, items: Iterable[object]) -> Iterator[tuple[str, object]]:
    for item in items:
        if isinstance(item, Group):
            yield from ((f"{field}[].{name}", getattr(item, name)) for name in item.__struct_fields__)
        else:
            yield f"{field}[]", item


def _info(cls: type[gb.ChargingMessage], field: str) -> FieldInfo:
    declared = next((each for each in cls.layout.fields if each.name == field), None)
    return FieldInfo(None, "") if declared is None else FieldInfo(declared.marker.spn, declared.unit)


def _text(value: object) -> str:
    match value:
        case None:
            return "not given"
        case Code():
            return value.label if value.known else f"{int(value):02X}h, which has no meaning"
        case bytes():
            return value.hex(" ").upper() or "nothing"
        case "":
            return "empty"
        case float():
            return f"{value:g}"
        case _:
            return str(value)
