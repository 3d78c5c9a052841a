"""``swap_timers.h`` and ``swap_float.h``: how long to wait, and floating point for those who want it."""

from collections.abc import Iterator

from swapproto.export.c.model import Model, Record
from swapproto.export.c.names import comment
from swapproto.messages.gbt27930 import timers
from swapproto.profile.declared import declared
from swapproto.profile.values import Quantity


def timers_h(model: Model) -> Iterator[str]:
    """The timers that are declared for the profile's message sets."""
    yield from ("#ifndef SWAP_TIMERS_H", "#define SWAP_TIMERS_H", "")
    profile = model.declared.profile
    known = declared(profile.messages)
    found = [(name, each) for name, each in vars(timers).items() if f"timer.{name.lower()}" in known]
    yield from comment(
        "In milliseconds: how long a party waits, or how soon it has to act. The periods of messages stand "
        "with the messages, the timers of the transport with the transport."
    )
    if not found:
        yield from comment("No timer is public for the messages of this profile.")
    for name, timer in found:
        leaf = profile.leaf(f"timer.{name.lower()}")
        assert isinstance(leaf.value, Quantity)
        note = f"; {timer.note}" if timer.note else ""
        yield from comment(f"{timer.name}{note}: {leaf.source}")
        yield f"#define SWAP_TIMER_{name} {int(leaf.value.to('ms'))}u"
    yield from ("", "#endif")


def float_h(model: Model) -> Iterator[str]:
    """Conversions of the members that count fractions; the codec itself needs none of it."""
    yield from ("#ifndef SWAP_FLOAT_H", "#define SWAP_FLOAT_H", "", '#include "swap_messages.h"', "")
    yield from comment(
        "Physical values of the members that count fractions of a unit. A float holds 24 bits: values of "
        "more are rounded. What is set is rounded to the nearest count, halves away from zero; packing "
        "judges it."
    )
    yield from _ROUNDED
    for record in model.records:
        yield from _conversions(record)
    yield "#endif"


_ROUNDED = """\
static inline int32_t swap_count_of(float value, int32_t denominator)
{
    float scaled = value * (float)denominator;
    if (!(scaled > -2147483500.0f)) {
        return INT32_MIN; /* nothing that fits, and no number */
    }
    if (scaled > 2147483500.0f) {
        return INT32_MAX;
    }
    return (int32_t)(scaled < 0.0f ? scaled - 0.5f : scaled + 0.5f);
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
        cast = "" if each.integer == "int32_t" else f"({each.integer})"
        yield from (
            "{",
            f"    message->{each.name} = {cast}swap_count_of(value, {field.denominator});",
            "}",
            "",
        )
