"""``swap_messages.c``: the tables that the codec works through, and the functions of each message."""

from collections.abc import Iterator

from swapproto.export.c.header import prototypes
from swapproto.export.c.model import Entry, Member, Model, Record
from swapproto.export.c.names import byte_list, comment
from swapproto.j1939 import parse
from swapproto.wire.examine import field_fault
from swapproto.wire.fields import BcdTime, Choice, Code, Integer, Text
from swapproto.wire.layout import Field, Layout

_STORAGE = {"uint8_t": "SWAP_U8", "uint32_t": "SWAP_U32", "int32_t": "SWAP_I32", "int64_t": "SWAP_I64"}
_ALL = 0xFF


def messages_c(model: Model) -> Iterator[str]:
    yield from ('#include "swap_messages.h"', "")
    rules = _Rules(model)
    yield from rules.lines()
    for record in model.records:
        yield from _tables(record, rules)
    for record in model.messages.values():
        yield from _functions(record)
    yield "const swap_message_t swap_messages[SWAP_ENTRY_COUNT] = {"
    for entry in model.entries:
        yield from _entry(entry)
    yield from ("};", "")
    yield from _LOOKUP


class _Rules:
    """What raw values mean, each rule once for all the fields that share it."""

    def __init__(self, model: Model) -> None:
        self._names: dict[str, str] = {}
        self._codes: dict[type[Code], str] = {}
        self._model = model
        for record in model.records:
            for each in record.members:
                if each.numeric:
                    self._names.setdefault(self._rule(each.field), f"rule_{len(self._names)}")

    def of(self, each: Member) -> str:
        return f"&{self._names[self._rule(each.field)]}" if each.numeric else "NULL"

    def lines(self) -> Iterator[str]:
        for code, name in self._codes.items():
            values = ", ".join(str(value) for value in sorted(member.value for member in code))
            yield f"static const uint32_t {name}[] = {{{values}}};"
        yield ""
        yield from comment("numerator, shift, lowest and highest raw value, absent raw value, codes")
        for rule, name in self._names.items():
            yield f"static const swap_rule_t {name} = {rule};"
        yield ""

    def _rule(self, field: Field) -> str:
        low, high, codes, count = field.raw_low, field.raw_high, "NULL", 0
        if field.code is not None:
            known = sorted(int(each) for each in field.code)
            low, high = known[0], known[-1]
            if known != list(range(low, high + 1)):
                name = f"codes_{self._model.codes[field.code]}"
                codes, count = self._codes.setdefault(field.code, name), len(known)
        absent = 0 if field.absent is None else field.absent
        raws = ", ".join(f"0x{raw & 0xFFFFFFFF:X}u" for raw in (low, high, absent))
        return f"{{{field.numerator}, {_signed(field.shift)}, {raws}, {codes}, {count}u}}"


def _signed(number: int) -> str:
    return "INT32_MIN" if number == -(1 << 31) else str(number)


def _tables(record: Record, rules: _Rules) -> Iterator[str]:
    layout, name = record.layout, record.name
    yield from comment(
        f"{layout.name}: member, first byte, bytes, lowest bit, bits, kind, storage, flags, pad, rule"
    )
    if record.members:
        yield f"static const swap_field_t fields_{name}[] = {{"
        for each in record.members:
            yield f"    {{{_place(record, each)}, {rules.of(each)}}},"
        yield "};"
    lengths = ", ".join(f"{length}u" for length in layout.lengths)
    yield f"static const uint16_t lengths_{name}[] = {{{lengths}}};"
    claimed = _claimed(layout)
    if claimed:
        yield f"static const uint8_t claimed_{name}[] = {{"
        yield from (*byte_list(layout.claimed), "};")
    if layout.tail is not None:
        yield f"static const swap_tail_t tail_{name} = {_tail(record)};"
    present = f"offsetof({record.type}, present)" if record.has_optional else "SWAP_NOWHERE"
    yield f"static const swap_layout_t layout_{name} = {{"
    yield f"    {f'fields_{name}' if record.members else 'NULL'}, {f'claimed_{name}' if claimed else 'NULL'},"
    yield f"    lengths_{name}, {f'&tail_{name}' if layout.tail is not None else 'NULL'},"
    yield f"    sizeof({record.type}), {present}, {layout.length}u,"
    yield f"    {len(record.members)}u, {len(layout.lengths)}u, 0x{_ALL if layout.reserved_bit else 0:02X}u"
    yield from ("};", "")


def _place(record: Record, each: Member) -> str:
    field, marker = each.field, each.field.marker
    first, last = field.span
    offset = "0" if record.scalar else f"offsetof({record.type}, {each.name})"
    kind, storage, bits, low_bit, pad = "SWAP_RAW", "SWAP_U8", 0, 0, 0
    flags = [] if not field.optional else ["SWAP_OPTIONAL"]
    match marker:
        case Integer() | Choice():
            kind = "SWAP_NUMBER" if isinstance(marker, Integer) else "SWAP_CODE"
            storage, bits, low_bit = _STORAGE[each.integer], field.bits, field.low_bit
            flags += ["SWAP_BIG"] if field.order == "big" and last > first else []
            flags += ["SWAP_SIGNED"] if field.signed else []
        case Text(pad=filler):
            kind, pad = "SWAP_TEXT", filler
        case BcdTime():
            kind = "SWAP_BCD_TIME"
        case _:
            pass
    told = " | ".join(flags) or "0"
    place = f"{offset}, {first}u, {last - first + 1}u, {low_bit}u, {bits}u"
    return f"{place}, {kind}, {storage}, {told}, 0x{pad:02X}u"


def _claimed(layout: Layout) -> bool:
    """Whether the reserved bits have to be looked at: there are some, and they are sent as ones."""
    return bool(layout.reserved_bit) and any(byte != _ALL for byte in layout.claimed)


def _tail(record: Record) -> str:
    tail = record.layout.tail
    assert tail is not None
    if tail.item is None or record.item is None:
        return f"{{NULL, offsetof({record.type}, {record.tail}), 0, 0, false}}"
    ones = b"\xff" * tail.item.length
    odd = any(field_fault(field, ones) is not None for field in tail.item.fields)
    places = f"offsetof({record.type}, {record.tail}), offsetof({record.type}, {record.tail}_count)"
    return f"{{&layout_{record.item.name}, {places}, {tail.max_items}u, {'true' if odd else 'false'}}}"


def _functions(record: Record) -> Iterator[str]:
    pack, unpack = prototypes(record)
    layout = f"&layout_{record.name}"
    yield from (pack, "{", f"    return swap_layout_pack({layout}, message, payload, room);", "}", "")
    yield from (unpack, "{")
    yield from (f"    return swap_layout_unpack({layout}, payload, size, message, deviations);", "}", "")


def _entry(entry: Entry) -> Iterator[str]:
    cls, record = entry.cls, entry.record
    taken = parse(entry.identifier)
    number = f"SWAP_MESSAGE_{record.name.upper()}"
    yield f'    {{"{cls.__name__}", &layout_{record.name}, 0x{entry.identifier:08X}u, 0x{cls.pgn:05X}u,'
    yield f"     {cls.period_ms or 0}u, {record.layout.length}u, {number}, {taken.priority}u,"
    yield f"     0x{taken.source:02X}u, 0x{taken.destination:02X}u}},"


_LOOKUP = """\
const swap_message_t *swap_by_identifier(uint32_t identifier)
{
    size_t number;
    for (number = 0; number < SWAP_ENTRY_COUNT; number++) {
        if (swap_messages[number].identifier == identifier) {
            return &swap_messages[number];
        }
    }
    return NULL;
}

const swap_message_t *swap_by_pgn(uint32_t pgn, uint8_t source)
{
    size_t number;
    for (number = 0; number < SWAP_ENTRY_COUNT; number++) {
        if (swap_messages[number].pgn == pgn && swap_messages[number].source == source) {
            return &swap_messages[number];
        }
    }
    return NULL;
}""".splitlines()
