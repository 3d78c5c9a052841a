"""Layout to specialised codec: straight-line Python, generated when a message class is made.

``source(cls)`` shows what was generated. The generated functions do the common case; whatever is
odd goes to ``examine``, which explains it.
"""

from collections.abc import Callable
from functools import partial
from operator import index as as_index
from struct import error as struct_error
from typing import Any

import msgspec
from msgspec.structs import replace

from swapproto.errors import CodecError
from swapproto.wire.emit import Names, Reader, Writer, members
from swapproto.wire.examine import deviations, diagnose, fit, split_tail
from swapproto.wire.layout import Layout, Tail
from swapproto.wire.reading import Reading
from swapproto.wire.values import read_time, write_raw, write_text, write_time


class Codec(msgspec.Struct, frozen=True):
    """The three functions of a message class and the text that they were compiled from."""

    decode: Callable[[bytes], Any]
    read: Callable[[bytes], Reading[Any]]
    encode: Callable[[Any], bytes]
    source: str


def whole_items(tail: Tail, payload: bytes) -> bytes:
    """The bytes of the items that can be read."""
    return split_tail(tail, payload)[0]


def examine(layout: Layout, payload: bytes) -> Reading[Any]:
    """The slow way to read: whatever the fast one did not find clean."""
    try:
        message = layout.cls.decode(payload)
    except CodecError as error:
        # An untracked Reading must not hold frames: a traceback would make a cycle that is never collected.
        error.__traceback__ = error.__context__ = None
        return Reading(None, (), error)
    return Reading(message, deviations(layout, bytes(payload)), None)


def make_codec(layout: Layout) -> Codec:
    """Generate, compile and return the codec of a layout."""
    names = Names(
        blank=layout.cls(**dict.fromkeys(layout.names)), replace=replace, Reading=Reading,
        struct_error=struct_error, from_bytes=int.from_bytes, as_index=as_index,
        read_time=read_time, write_text=write_text, write_raw=write_raw, write_time=write_time,
        fit=partial(fit, layout), examine=partial(examine, layout), diagnose=partial(diagnose, layout),
    )  # fmt: skip
    reader = Reader(layout, names)
    names.update(unpack=reader.struct.unpack, pack=reader.struct.pack)
    lines = _fixed(reader) if layout.tail is None else _tailed(reader, layout.tail)
    text = "\n".join(lines) + "\n"
    space = dict(names)  # a plain one: names are looked up faster in it
    exec(compile(text, f"<codec of {layout.name}>", "exec"), space)  # noqa: S102  (the text is ours)
    return Codec(space["decode"], space["read"], space["encode"], text)


def source(cls: type[Any]) -> str:
    """The generated Python of a message class's codec."""
    codec: Codec = cls.codec
    return codec.source


def _indented(lines: list[str], depth: int) -> list[str]:
    return ["    " * depth + line for line in lines]


def _fixed(reader: Reader) -> list[str]:
    size = reader.layout.length
    opening = [reader.unpacking("payload"), *reader.turning()]
    made = reader.construction("blank")
    clean = [f"return Reading({made})"]
    if tests := reader.cleanness():
        clean = [f"if {' and '.join(tests)}:", *_indented(clean, 1)]
    writer = Writer(reader)
    return [
        "def decode(payload):",
        "    try:",
        f"        {reader.unpacking('payload')}",
        "    except struct_error:",
        f"        {reader.unpacking('fit(payload)')}",
        *_indented([*reader.turning(), f"return {made}"], 1),
        "",
        "def read(payload):",
        f"    if len(payload) == {size}:",
        *_indented([*opening, *clean], 2),
        "    return examine(payload)",
        "",
        *_encode(writer, [], f"pack({', '.join(writer.packed)})"),
    ]


def _tailed(reader: Reader, tail: Tail) -> list[str]:
    if tail.item is None:
        helper: list[str] = []
        reading, writing = _opaque(tail, Layout.MAX_PAYLOAD - reader.layout.length)
    else:
        helper, reading, writing = _items(reader.names, tail, tail.item)
    writer = Writer(reader)
    opening = [reader.unpacking("fit(payload)"), *reader.turning()] if reader.words else []
    return [
        *helper,
        "def decode(payload):",
        *_indented([*opening, reading, f"return {reader.construction('blank')}"], 1),
        "",
        "def read(payload):",
        "    return examine(payload)",
        "",
        *_encode(writer, writing, f"pack({', '.join(writer.packed)}) + body" if reader.words else "body"),
    ]


def _opaque(tail: Tail, room: int) -> tuple[str, list[str]]:
    """Statements that read and write the rest of the payload as it is."""
    or_none, or_empty = (" or None", " or b''") if tail.optional else ("", "")
    return f"tail = bytes(payload[{tail.offset}:]){or_none}", [
        f"body = self.{tail.name}{or_empty}",
        "if not isinstance(body, (bytes, bytearray, memoryview)):",
        "    raise TypeError",
        "body = bytes(body)",
        f"if len(body) > {room}:",
        "    raise ValueError",
    ]


def _items(names: Names, tail: Tail, item: Layout) -> tuple[list[str], str, list[str]]:
    """A function that reads the items up to the end, its call, and statements that write them."""
    inner = Reader(item, names)
    names.update(
        item=item.cls, unpack_items=inner.struct.iter_unpack, pack_item=inner.struct.pack,
        whole_items=partial(whole_items, tail),
    )  # fmt: skip
    if tail.scalar:
        made = inner.value(0, item.fields[0])
    else:
        names["blank_item"] = item.cls(**dict.fromkeys(item.names))
        made = inner.construction("blank_item")
    helper = [
        "def read_items(payload):",
        "    items = []",
        f"    for {inner.targets} in unpack_items(whole_items(payload)):",
        *_indented([*inner.turning(), f"items.append({made})"], 2),
        "    return tuple(items)",
        "",
    ]
    if tail.scalar:
        writer = Writer(inner, "each")
        test = [f"if not ({' and '.join(writer.tests)}):", "    raise ValueError"] if writer.tests else []
        one = [*writer.lines, *test, f"parts.append(pack_item({', '.join(writer.packed)}))"]
    else:
        one = ["if not isinstance(each, item):", "    raise TypeError", "parts.append(each.encode())"]
    writing = [
        f"items, parts = self.{tail.name}, []",
        f"if not isinstance(items, (tuple, list)) or len(items) > {tail.max_items}:",
        "    raise ValueError",
        "for each in items:",
        *_indented(one, 1),
        "body = b''.join(parts)",
    ]
    return helper, "tail = read_items(payload)", writing


def _encode(writer: Writer, head: list[str], result: str) -> list[str]:
    give = [f"return {result}"]
    if writer.tests:
        give = [f"if {' and '.join(writer.tests)}:", *_indented(give, 1)]
    return [
        "def encode(self):",
        "    try:",
        *_indented([*head, *writer.lines, *give], 2),
        "    except (TypeError, ValueError, ArithmeticError, AttributeError, struct_error):",
        "        pass",
        "    raise diagnose(self)",
    ]


__all__ = ["Codec", "make_codec", "members", "source"]
