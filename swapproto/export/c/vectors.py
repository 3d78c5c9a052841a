"""``swap_vectors.h`` and ``swap_selftest.c``: payloads with their values, and a program that tries them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from swapproto.export.c.model import Member, Model, Record
from swapproto.export.c.names import byte_list, comment
from swapproto.wire.fields import BcdTime, Raw, Text
from swapproto.wire.message import Message, Vector
from swapproto.wire.reading import DeviationKind


def vectors_h(model: Model) -> Iterator[str]:
    yield from ("#ifndef SWAP_VECTORS_H", "#define SWAP_VECTORS_H", "", '#include "swap_messages.h"', "")
    yield from comment(
        "Payloads, what unpacking has to make of them, and the deviations that it has to find."
    )
    yield ""
    for cls, record in model.messages.items():
        for number, vector in enumerate(cls.VECTORS, start=1):
            yield from _vector(cls, record, number, vector)
    yield "#endif"


def _vector(cls: type[Message], record: Record, number: int, vector: Vector) -> Iterator[str]:
    name = f"{record.name}_{number}"
    reading = cls.read(vector.data)
    kinds = {odd.kind for odd in reading.deviations}
    flags = [f"SWAP_DEVIATION_{kind.name}" for kind in DeviationKind if kind in kinds]
    yield from comment(f"{cls.__name__}: {vector.at} ({vector.basis.value})")
    yield f"static const uint8_t swap_payload_{name}[] = {{"
    yield from (*byte_list(vector.data), "};")
    yield f"enum {{ SWAP_DEVIATIONS_{name.upper()} = {' | '.join(flags) or '0'} }};"
    yield f"static const {record.type} swap_expected_{name} = {{"
    yield from _values(record, reading.message)
    yield from ("};", "")


def _values(record: Record, message: Any) -> Iterator[str]:
    """Members with the comment of what they stand for; ``message`` has been read from the payload."""
    values = {each: getattr(message, each.field.name) for each in record.members}
    present = [
        str(each.number) for each, value in values.items() if each.field.optional and value is not None
    ]
    if record.has_optional:
        yield f"    .present = {' | '.join(f'SWAP_FIELD({number})' for number in present) or '0'},"
    for each, value in values.items():
        if value is not None:
            yield f"    .{each.name} = {_value(each, value)},"
    tail = record.layout.tail
    if tail is None or not (rest := getattr(message, tail.name)):
        if not values:
            yield "    0"
        return
    if record.item is None:
        escaped = "".join(f"\\x{byte:02x}" for byte in rest)
        yield f'    .{record.tail} = {{(const uint8_t *)"{escaped}", {len(rest)}u}},'
        return
    yield f"    .{record.tail}_count = {len(rest)},"
    yield f"    .{record.tail} = {{"
    for each in rest:
        if record.item.scalar:
            yield f"        {_value(record.item.members[0], each)},"
        else:
            members = ("".join(line.strip() + " " for line in _values(record.item, each))).strip()
            yield f"        {{{members}}},"
    yield "    },"


def _value(each: Member, value: Any) -> str:
    match each.field.marker:
        case Text():
            raw = value.encode("ascii", "surrogateescape")
            letters = ", ".join(f"(char)0x{byte:02X}" for byte in raw) or "0"
            return f"{{{len(raw)}, {{{letters}}}}}"
        case Raw():
            return "{" + ", ".join(f"0x{byte:02X}" for byte in value) + "}"
        case BcdTime():
            moment: datetime = value
            return "{" + ", ".join(map(str, moment.timetuple()[:6])) + "}"
        case _:
            count = each.count(value)
            return f"{count}u" if each.integer == "uint32_t" else str(count)


def selftest_c(model: Model) -> Iterator[str]:
    """A function, or a program, that tries all vectors."""
    tried = [(cls, record) for cls, record in model.messages.items() if cls.VECTORS]
    yield from comment(
        "Unpacks every test vector, compares each member, packs it again. Returns how many fail, at most "
        "100. Define SWAP_SELFTEST to have it as a program."
    )
    yield from ('#include "swap_vectors.h"', "", "#include <string.h>", "")
    yield from ("int swap_selftest(void);", "")
    for record in model.items.values():
        if not record.scalar and any(each.item is record for _, each in tried):
            yield from _same(record)
    for _, record in tried:
        yield from _same(record)
    yield from _equal_bytes()
    for cls, record in tried:
        for number, vector in enumerate(cls.VECTORS, start=1):
            yield from _test(record, number, vector)
    yield from ("int swap_selftest(void)", "{", "    int failed = 0;")
    for cls, record in tried:
        yield from (
            f"    failed += test_{record.name}_{number + 1}() ? 0 : 1;" for number in range(len(cls.VECTORS))
        )
    yield from ("    return failed < 100 ? failed : 100;", "}", "", "#ifdef SWAP_SELFTEST")
    yield from ("int main(void)", "{", "    return swap_selftest();", "}", "#endif")


def _equal_bytes() -> Iterator[str]:
    yield from (
        "static bool packed(swap_result_t result, const uint8_t *bytes, const uint8_t *wanted, size_t size)",
        "{",
        "    return result.status == SWAP_OK && result.size == size && memcmp(bytes, wanted, size) == 0;",
        "}",
        "",
    )


def _same(record: Record) -> Iterator[str]:
    yield f"static bool same_{record.name}(const {record.type} *one, const {record.type} *other)"
    yield "{"
    checks = ["one->present == other->present"] if record.has_optional else []
    for each in record.members:
        checks += _comparison(each)
    if record.layout.tail is not None:
        count = f"{record.tail}_count" if record.item is not None else f"{record.tail}.size"
        checks.append(f"one->{count} == other->{count}")
    if record.item is not None:
        yield "    size_t number;"
    together = "\n        && ".join(checks) or "one != NULL && other != NULL"
    yield f"    bool same = {together};"
    if record.item is not None:
        yield f"    for (number = 0; same && number < one->{record.tail}_count; number++) {{"
        if record.item.scalar:
            yield f"        same = one->{record.tail}[number] == other->{record.tail}[number];"
        else:
            item = f"{record.tail}[number]"
            yield f"        same = same_{record.item.name}(&one->{item}, &other->{item});"
        yield "    }"
    elif record.layout.tail is not None:
        data = f"one->{record.tail}.data, other->{record.tail}.data, one->{record.tail}.size"
        yield f"    same = same && (one->{record.tail}.size == 0 || memcmp({data}) == 0);"
    yield from ("    return same;", "}", "")


def _comparison(each: Member) -> list[str]:
    name = each.name
    match each.field.marker:
        case Text():
            whole = f"one->{name}.text, other->{name}.text, sizeof one->{name}.text"
            return [f"one->{name}.length == other->{name}.length", f"memcmp({whole}) == 0"]
        case Raw():
            return [f"memcmp(one->{name}, other->{name}, sizeof one->{name}) == 0"]
        case BcdTime():
            parts = ("year", "month", "day", "hour", "minute", "second")
            return [f"one->{name}.{part} == other->{name}.{part}" for part in parts]
        case _:
            return [f"one->{name} == other->{name}"]


def _test(record: Record, number: int, vector: Vector) -> Iterator[str]:
    name = f"{record.name}_{number}"
    yield f"static bool test_{name}(void)"
    yield from ("{", f"    static {record.type} message;", "    swap_deviations_t deviations;")
    yield f"    uint8_t bytes[sizeof swap_payload_{name} < 64 ? 64 : sizeof swap_payload_{name}];"
    call = f"swap_{record.name}_unpack(swap_payload_{name}, {len(vector.data)}u, &message, &deviations)"
    yield f"    swap_result_t result = {call};"
    yield f"    if (result.status != SWAP_OK || deviations.kinds != SWAP_DEVIATIONS_{name.upper()}) {{"
    yield from ("        return false;", "    }")
    yield f"    if (!same_{record.name}(&message, &swap_expected_{name})) {{"
    yield from ("        return false;", "    }")
    yield f"    result = swap_{record.name}_pack(&message, bytes, sizeof bytes);"
    if vector.canonical:
        yield f"    return packed(result, bytes, swap_payload_{name}, {len(vector.data)}u);"
    else:
        yield "    return packed(result, bytes, bytes, result.size);"
    yield from ("}", "")
