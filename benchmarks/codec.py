"""Decode, read and encode of every message of fixed layout, against cantools and construct.

``python benchmarks/codec.py`` prints the table; ``--check`` exits with 1 where a target is missed.
"""

import argparse
import sys
from collections import OrderedDict
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from cantools.database.can import Message as PeerMessage
from cantools.database.can import Signal
from cantools.database.conversion import BaseConversion
from cantools.database.namedsignalvalue import NamedSignalValue

from swapproto.messages.catalog import EDITIONS, message_set
from swapproto.messages.gbt27930 import BCL, BCS, CCS, CML, ChargingMessage
from swapproto.wire.fields import BcdTime, Text
from swapproto.wire.layout import Field
from swapproto.wire.message import Message
from swapproto.wire.reference import reference

if TYPE_CHECKING:  # a script finds its neighbour by its bare name
    from benchmarks._ratio import Action, Rounds, Spread, conclude, interleave
else:
    from _ratio import Action, Rounds, Spread, conclude, interleave

SMALL = (BCL, BCS, CCS, CML)
TARGETS = {"decode": (6, 4), "read": (4, 3), "encode": (10, 8)}
"""How many times faster than cantools: the small messages, every other one."""
OTHERS = {"pack-can-d0f3": "", "station-charging-ext": " station"}
"""Families beside GB/T 27930, and what tells their names from those of the standard."""


def small(cls: type[Message]) -> bool:
    """Whether the harder targets are for it: small cyclic ones, elsewhere up to five fields of whole words.

    Fields of 10, 12 or 24 bits are bit fields: their words have to be put together.
    """
    fields = cls.layout.fields
    whole = all(field.bits in (8, 16, 32, 64) for field in fields)
    return cls in SMALL or (not issubclass(cls, ChargingMessage) and len(fields) <= 5 and whole)


class Result(NamedTuple):
    """What one message took; ratios are against cantools, or construct's faster form."""

    name: str
    rounds: Rounds
    ratios: dict[str, Spread]
    targets: dict[str, int]
    construct: Spread

    @property
    def missed(self) -> list[str]:
        return [what for what, target in self.targets.items() if self.ratios[what].middle < target]


def fixed_messages() -> dict[str, type[Message]]:
    """Every class of fixed layout, once, named with its edition where that is not 2015."""
    found: dict[type[Message], str] = {}
    for edition, messages in sorted(EDITIONS.items(), key=lambda pair: pair[0].value != "2015"):
        for message in messages:
            if message.layout.tail is None:
                year = "" if edition.value == "2015" else f" {edition.value[:4]}"
                found.setdefault(message, message.__name__ + year)
    for family, suffix in OTHERS.items():
        for other in message_set(family):
            if other.layout.tail is None:
                found.setdefault(other, other.__name__ + suffix)
    return {name: message for message, name in found.items()}


def sample(cls: type[Message]) -> Message:
    """The values of the first recorded vector; what it leaves absent is filled in."""
    base = cls.decode(cls.VECTORS[0].data) if cls.VECTORS else None
    values: dict[str, Any] = {}
    for field in cls.layout.fields:
        value = getattr(base, field.name, None)
        values[field.name] = some_value(field) if value is None else value
    return cls(**values)


def some_value(field: Field) -> object:
    size = field.bits // 8
    match field.marker:
        case Text():
            return "LZGJDHMM2N00000000"[:size]
        case BcdTime():
            return datetime(2015, 5, 16, 8, 24, 36)  # noqa: DTZ001
        case _ if field.code is not None:
            return next(iter(field.code))
        case _ if field.raw_high:
            return field.to_physical(field.raw_low)
        case _:
            return bytes(range(size))


def signals(field: Field) -> list[Signal]:
    """A field as a DBC has it: text by character and a moment by its parts, for it has no type for them."""
    if isinstance(field.marker, Text | BcdTime):
        return [Signal(f"{field.name}_{n}", field.start + 8 * n, 8) for n in range(field.bits // 8)]
    choices: OrderedDict[int, str | NamedSignalValue] | None = None
    if field.code is not None:
        choices = OrderedDict((int(each), each.name) for each in field.code)
    number = field.code is None and field.raw_high > 0
    return [
        Signal(
            field.name,
            field.start,
            field.bits,
            "little_endian" if field.order == "little" else "big_endian",
            field.signed,
            conversion=BaseConversion.factory(
                field.numerator / field.denominator, field.shift / field.denominator, choices
            ),
            minimum=field.to_physical(field.raw_low) if number else None,
            maximum=field.to_physical(field.raw_high) if number else None,
            unit=field.unit,
        )
    ]


def peer_of(cls: type[Message]) -> PeerMessage:
    every = [signal for field in cls.layout.fields for signal in signals(field)]
    return PeerMessage(
        cls.identifier(),
        cls.__name__,
        cls.layout.length,
        every,
        unused_bit_pattern=0xFF if cls.layout.reserved_bit else 0,
        is_extended_frame=True,
    )


def measure(name: str, cls: type[Message], rounds: int, seconds: float) -> Result:
    """Time one message; the peers have to read and write the same bytes before they are timed."""
    message = sample(cls)
    payload = message.encode()
    peer, plain = peer_of(cls), reference(cls)
    compiled = plain.compile()
    values, raw = peer.decode(payload), plain.parse(payload)
    if not cls.decode(payload) == message == cls.read(payload).message or cls.read(payload).deviations:
        raise SystemExit(f"{name}: our own codec does not agree with itself")
    if not peer.encode(values, padding=True) == payload == plain.build(raw):
        raise SystemExit(f"{name}: the peers write other bytes")
    names = {
        "decode": cls.decode, "read": cls.read, "message": message, "payload": payload,
        "peer": peer, "values": values, "plain": plain, "compiled": compiled, "raw": raw,
    }  # fmt: skip
    statements = {
        "decode": "decode(payload)",
        "read": "read(payload)",
        "encode": "message.encode()",
        "peer decode": "peer.decode(payload)",
        "peer encode": "peer.encode(values)",
        "construct parse": "plain.parse(payload)",
        "construct compiled": "compiled.parse(payload)",
        "construct build": "plain.build(raw)",
    }
    actions = {what: Action(statement, names) for what, statement in statements.items()}
    times = interleave(actions, rounds, seconds)
    faster = min("construct parse", "construct compiled", key=times.ns)
    return Result(
        name,
        times,
        {what: times.ratio("peer encode" if what == "encode" else "peer decode", what) for what in TARGETS},
        {what: goals[not small(cls)] for what, goals in TARGETS.items()},
        times.ratio(faster, "decode"),
    )


def row(result: Result) -> str:
    ns = result.rounds.ns
    cells = [f"{result.name:18}"]
    for what, target in result.targets.items():
        mark = " " if result.ratios[what].middle >= target else "!"
        cells.append(f"{ns(what):6.0f} {result.ratios[what]} {target:>4}{mark}")
    cells.append(f"{ns('peer decode'):6.0f} {ns('peer encode'):6.0f}")
    cells.append(f"{ns('construct parse'):6.0f} {ns('construct compiled'):6.0f} {ns('construct build'):6.0f}")
    cells.append(f"{result.construct.middle:5.1f}")
    return "  ".join(cells)


HEAD = f"""Median CPU nanoseconds; then how many times faster than cantools: median of the rounds
(quartiles), the target, and ! where it is missed. construct has its own columns, and its faster way
to parse against our decode.

{"":18}  {"decode":26}  {"read":26}  {"encode":26}  {"cantools":13}  {"construct":20}
{"message":18}  {("    ns ratio         target  " * 3)}decode encode   parse   comp  build  ratio"""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("messages", nargs="*", help="names such as BCL; all of fixed layout by default")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--milliseconds", type=float, default=2, help="of each contender in each round")
    parser.add_argument("--check", action="store_true", help="exit with 1 where a target is missed")
    chosen = parser.parse_args()
    messages = fixed_messages()
    print(HEAD)
    missed: list[str] = []
    for name in chosen.messages or messages:
        result = measure(name, messages[name], chosen.rounds, chosen.milliseconds / 1000)
        print(row(result), flush=True)
        missed += [f"{name} {what}" for what in result.missed]
    return conclude(missed, chosen.check)


if __name__ == "__main__":
    sys.exit(main())
