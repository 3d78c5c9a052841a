"""``swap_timers.h`` and ``swap_float.h``: how long to wait, and floating point for those who want it."""

from collections.abc import Iterator

from swapproto.export.c.model import Member, Model, Record
from swapproto.export.c.names import comment
from swapproto.frame import MILLISECOND
from swapproto.messages.gbt27930 import timers
from swapproto.profile.declared import declared
from swapproto.profile.values import Quantity
from swapproto.session.swap.timing import LIMITS

_SWAP_SET = "pack-can-d0f3"
"""The message set that the swap's role machines speak."""


def timers_h(model: Model) -> Iterator[str]:
    """The timers that are declared for the profile's message sets, and the limits of a swap."""
    yield from ("#ifndef SWAP_TIMERS_H", "#define SWAP_TIMERS_H", "")
    yield from comment(
        "How long a party waits, or how soon it has to act. The periods of messages stand with the "
        "messages, the timers of the transport with the transport."
    )
    lines = [*_charging(model)]
    if _SWAP_SET in model.declared.profile.messages:
        lines += _swap()
    if not lines:
        lines += comment(
            "No timer is declared for the messages of this profile. Those of GB/T 27930-2015 come with the "
            "profile gbt27930-2015; whether they hold here is not known."
        )
    yield from lines
    yield from ("", "#endif")


def _charging(model: Model) -> Iterator[str]:
    profile = model.declared.profile
    known = declared(profile.messages)
    for name, timer in vars(timers).items():
        if f"timer.{name.lower()}" not in known:
            continue
        leaf = profile.leaf(f"timer.{name.lower()}")
        assert isinstance(leaf.value, Quantity)
        note = f"; {timer.note}" if timer.note else ""
        yield from comment(f"{timer.name}{note}: {leaf.source}")
        yield f"#define SWAP_TIMER_{name}_MS {int(leaf.value.to('ms'))}u"


def _swap() -> Iterator[str]:
    for name, limit in LIMITS.items():
        told = "; ".join(each for each in (limit.note, limit.source.why) if each)
        yield from comment(f"A swap, {name.replace('_', ' ')}{f' ({told})' if told else ''}: {limit.source}")
        if "retries" in name:
            yield f"#define SWAP_{name.upper()} {limit.value}u"
        else:
            yield f"#define SWAP_TIMER_{name.upper()}_MS {limit.value // MILLISECOND}u"


def float_h(model: Model) -> Iterator[str]:
    """Conversions of the members that count fractions; the codec itself needs none of it."""
    yield from ("#ifndef SWAP_FLOAT_H", "#define SWAP_FLOAT_H", "", '#include "swap_messages.h"', "")
    yield from comment(
        "Physical values of the members that count fractions of a unit. A float holds 24 bits: values of "
        "more are rounded. What is set is rounded to the nearest count, halves away from zero; packing "
        "judges it. A uint32_t has no count to spare that packing could refuse: what lies outside becomes "
        "the nearest, and no number becomes 0."
    )
    yield from _ROUNDED
    for record in model.records:
        yield from _conversions(record)
    yield "#endif"


_ROUNDED = """\
static inline int32_t swap_count_of(float value, int32_t denominator)
{
    float scaled = value * (float)denominator, rest;
    int32_t whole;
    if (!(scaled > -2147483500.0f)) {
        return INT32_MIN; /* nothing that fits, and no number */
    }
    if (scaled > 2147483500.0f) {
        return INT32_MAX;
    }
    whole = (int32_t)scaled;
    rest = scaled - (float)whole;
    return rest >= 0.5f ? whole + 1 : rest <= -0.5f ? whole - 1 : whole;
}

static inline uint32_t swap_count32_of(float value, int32_t denominator)
{
    float scaled = value * (float)denominator;
    uint32_t whole;
    if (!(scaled > 0.0f)) {
        return 0;
    }
    if (scaled >= 4294967040.0f) {
        return UINT32_MAX;
    }
    whole = (uint32_t)scaled;
    return scaled - (float)whole >= 0.5f ? whole + 1 : whole;
}

""".splitlines()


def _conversions(record: Record) -> Iterator[str]:
    if record.scalar:
        return
    for each in record.members:
        field = each.field
        if field.denominator == 1:
            continue
        unit = f" in {field.unit}" if field.unit else ""
        yield from comment(f"{record.layout.name}.{field.name}{unit}")
        yield f"static inline float swap_{record.name}_get_{field.name}(const {record.type} *message)"
        yield from ("{", f"    return (float)message->{each.name} / {field.denominator}.0f;", "}")
        yield f"static inline void swap_{record.name}_set_{field.name}({record.type} *message, float value)"
        yield from (
            "{",
            f"    message->{each.name} = {_count_of(each)}(value, {field.denominator});",
            "}",
            "",
        )


def _count_of(each: Member) -> str:
    return "swap_count32_of" if each.integer == "uint32_t" else "swap_count_of"
