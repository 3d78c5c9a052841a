"""``swap_messages.h``: enumerations, structs, numbers of the fields, functions."""

from collections.abc import Iterator

from swapproto.export.c.model import Member, Model, Record
from swapproto.export.c.names import comment
from swapproto.profile.declared import CHANGEABLE
from swapproto.provenance import Source
from swapproto.wire.fields import Code, Integer
from swapproto.wire.message import Message


def messages_h(model: Model) -> Iterator[str]:
    yield from ("#ifndef SWAP_MESSAGES_H", "#define SWAP_MESSAGES_H", "", '#include "swap_codec.h"', "")
    yield from ("#ifdef __cplusplus", 'extern "C" {', "#endif", "")
    for code, name in model.codes.items():
        yield from _enumeration(code, name)
    yield from _texts(model)
    for record in model.items.values():
        if not record.scalar:
            yield from _struct(record, model)
    for cls, record in model.messages.items():
        yield from _message(cls, record, model)
    yield from _overall(model)
    yield from ("", "#ifdef __cplusplus", "}", "#endif", "", "#endif")


def _enumeration(code: type[Code], name: str) -> Iterator[str]:
    if code.__doc__:
        yield from comment(code.__doc__)
    yield "typedef enum {"
    for each in code:
        yield f"    SWAP_{name.upper()}_{each.name} = {each.value},"
    yield from (f"}} swap_{name}_t;", "")


def _texts(model: Model) -> Iterator[str]:
    if model.text_sizes:
        yield from comment("Text and its length; unpack puts a zero behind it, pack goes by the length.")
    for size in model.text_sizes:
        yield f"typedef struct {{ uint8_t length; char text[{size + 1}]; }} swap_text_{size}_t;"
    yield ""


def _message(cls: type[Message], record: Record, model: Model) -> Iterator[str]:
    macro, layout = record.macro, record.layout
    when = "sent on an event" if cls.period_ms is None else f"every {cls.period_ms} ms"
    optional = " Optional." if cls.optional else ""
    yield from comment(
        f"{cls.__name__}: {cls.title}; {when}.{optional} {cls.__doc__ or ''} Source: {cls.source}."
        + "".join(f" Source of the {name}: {source}." for name, source in _changed(cls, model))
    )
    numbers = list(cls.identifiers())
    for number, identifier in enumerate(numbers, start=1):
        suffix = "" if len(numbers) == 1 else f"_{number}"
        yield f"#define {macro}_ID{suffix} 0x{identifier:08X}u"
    yield f"#define {macro}_PGN 0x{cls.pgn:05X}u"
    yield f"#define {macro}_PERIOD_MS {cls.period_ms or 0}u"
    yield f"#define {macro}_LENGTH {layout.length}u"
    names = [each.macro for each in record.members] + ([layout.tail.name.upper()] if layout.tail else [])
    yield "enum {"
    yield from (f"    {macro}_FIELD_{name} = {number}," for number, name in enumerate(names))
    yield "};"
    yield from _denominators(record)
    yield from _struct(record, model)
    yield from (f"{each};" for each in prototypes(record))
    yield ""


def _changed(cls: type[Message], model: Model) -> Iterator[tuple[str, Source]]:
    """What the profile changes of the message as a whole; what it changes of a field stands with that."""
    for name in CHANGEABLE:
        leaf = model.declared.profile.leaves.get(f"message.{cls.__name__}.{name}")
        if leaf is not None and leaf.is_set:
            yield name, leaf.source


def prototypes(record: Record) -> tuple[str, str]:
    """The heads of the two functions of a message, over several lines."""
    name, struct = f"swap_{record.name}", record.type
    pack = f"swap_result_t {name}_pack(const {struct} *message,\n    uint8_t *payload, size_t room)"
    taken = f"const uint8_t *payload, size_t size,\n    {struct} *message, swap_deviations_t *deviations"
    return pack, f"swap_result_t {name}_unpack({taken})"


def _denominators(record: Record) -> Iterator[str]:
    for each in (*record.members, *(record.item.members if record.item is not None else ())):
        if each.field.denominator != 1:
            yield f"#define {record.macro}_{each.macro}_DENOMINATOR {each.field.denominator}"


def _struct(record: Record, model: Model) -> Iterator[str]:
    layout, tail = record.layout, record.layout.tail
    yield "typedef struct {"
    if record.has_optional:
        yield from comment(
            "SWAP_FIELD(number) for each optional field that has a value; one without is packed as absent.",
            "    ",
        )
        yield "    swap_fields_t present;"
    for each in record.members:
        yield from comment(_about(each, model), "    ")
        yield f"    {each.declared}"
    if tail is not None and record.item is not None:
        what = _about(record.item.members[0], model) if tail.scalar else f"bytes {tail.offset + 1} to the end"
        yield f"    uint16_t {record.tail}_count;"
        yield from comment(f"{what}; up to {tail.max_items} items", "    ")
        yield f"    {record.item.type} {record.tail}[{tail.max_items}];"
    elif tail is not None:
        yield from comment(
            f"Bytes {tail.offset + 1} to the end, opaque; unpack points into the payload that it was given.",
            "    ",
        )
        yield f"    swap_bytes_t {record.tail};"
    if not layout.fields and tail is None:
        yield "    uint8_t nothing;"
    yield from (f"}} {record.type};", "")


def _about(each: Member, model: Model) -> str:
    """Unit, limits, place, source of a field."""
    field, marker = each.field, each.field.marker
    parts = [f"byte {field.place}"]
    if isinstance(marker, Integer):
        unit = f" {marker.unit}" if marker.unit else ""
        if field.denominator != 1 or unit:
            parts.append(
                f"in {'' if field.denominator == 1 else f'1/{field.denominator}'}{unit}".replace(
                    "in  ", "in "
                )
            )
        low, high = (raw * field.numerator + field.shift for raw in (field.raw_low, field.raw_high))
        parts.append(f"{low} to {high}")
        if field.numerator != 1:
            parts.append(f"in steps of {field.numerator}")
        if field.order == "big":
            parts.append("Motorola")
    if field.code is not None:
        parts.append(f"swap_{model.codes[field.code]}_t, or a value without a name")
    if field.optional:
        parts.append("optional")
    if marker.spn is not None:
        parts.append(f"SPN {marker.spn}")
    if marker.source is not None:
        parts.append(f"source: {marker.source}")
    if marker.note:
        parts.append(marker.note)
    return "; ".join(parts)


def _overall(model: Model) -> Iterator[str]:
    yield from comment("Every message by its number.")
    yield "typedef enum {"
    yield from (f"    SWAP_MESSAGE_{record.name.upper()}," for record in model.messages.values())
    yield from ("    SWAP_MESSAGE_COUNT", "} swap_message_number_t;", "")
    yield from comment("Room for any message.")
    yield "typedef union {"
    yield from (f"    {record.type} {record.name};" for record in model.messages.values())
    yield from ("} swap_any_t;", "")
    yield f"#define SWAP_ENTRY_COUNT {len(model.entries)}u"
    yield from comment("Every message under each of its identifiers.")
    yield "extern const swap_message_t swap_messages[SWAP_ENTRY_COUNT];"
    yield from comment("What travels under a 29-bit identifier, or NULL.")
    yield "const swap_message_t *swap_by_identifier(uint32_t identifier);"
    yield from comment(
        "What a payload is that came over the transport protocol, or NULL. The first in the table where "
        "one sender has several messages of a PGN; their identifiers tell them apart."
    )
    yield "const swap_message_t *swap_by_pgn(uint32_t pgn, uint8_t source);"
