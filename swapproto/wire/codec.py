"""Layout to specialised codec: straight-line Python, generated when a message class is made.

``source(cls)`` shows what was generated. The generated functions do the common case; whatever is
odd goes to ``examine``, which explains it.
"""

from collections.abc import Callable
from struct import Struct
from struct import error as struct_error
from typing import Any

import msgspec

from swapproto.errors import CodecError
from swapproto.wire.examine import deviations, diagnose, field_fault, fit, split_tail
from swapproto.wire.fields import BcdTime, Choice, Code, Raw, Text
from swapproto.wire.layout import Field, Layout
from swapproto.wire.reading import Deviation, Reading
from swapproto.wire.values import read_text, read_time, write_raw, write_text, write_time
from swapproto.wire.words import Word, words


class Codec(msgspec.Struct, frozen=True):
    """The three functions of a message class and the text that they were compiled from."""

    decode: Callable[[bytes], Any]
    read: Callable[[bytes], Reading[Any]]
    encode: Callable[[Any], bytes]
    source: str


def members(code: type[Code], bits: int) -> tuple[Code, ...]:
    """Every value of a small code as a member, so that decoding is one index."""
    return tuple(code(value) for value in range(1 << bits))


class _Writer:
    """Collects the names that the generated text refers to, and the text."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.words = words(layout)
        self.struct = Struct("<" + "".join(word.code for word in self.words))
        self.names: dict[str, Any] = {
            "cls": layout.cls, "unpack": self.struct.unpack, "pack": self.struct.pack, "Reading": Reading,
            "text": read_text, "time": read_time, "write_text": write_text, "write_raw": write_raw,
            "write_time": write_time, "struct_error": struct_error, "from_bytes": int.from_bytes,
            "fit": lambda payload: fit(layout, payload), "examine": lambda payload: _examine(layout, payload),
            "diagnose": lambda message: diagnose(layout, message),
        }  # fmt: skip

    # ---- reading

    def unpacking(self, prefix: str = "w") -> str:
        return ", ".join(f"{prefix}{index}" for index in range(len(self.words)))

    def numbers(self) -> list[str]:
        """Statements that turn byte words into integers."""
        return [
            f"w{index} = from_bytes(w{index}, {word.order!r})"
            for index, word in enumerate(self.words)
            if word.numeric and word.code.endswith("s")
        ]

    def raw(self, index: int, field: Field) -> str:
        word = self.words[index]
        if word.whole is field:
            if field.signed and word.code.endswith("s"):
                half = 1 << field.bits - 1
                return f"((w{index} ^ {half}) - {half})"
            return f"w{index}"
        shift = word.shift(field)
        shifted = f"w{index} >> {shift}" if shift else f"w{index}"
        top = shift + field.bits == word.size * 8
        value = f"({shifted})" if top else f"({shifted} & {field.mask})"
        if field.signed:
            half = 1 << field.bits - 1
            return f"(({value} ^ {half}) - {half})"
        return value

    def value(self, index: int, field: Field) -> str:
        raw = self.raw(index, field)
        match field.marker:
            case Text():
                some = f"text({raw})"
            case Raw():
                some = raw
            case BcdTime():
                return f"time({raw})"
            case Choice():
                return self._choice(raw, field)
            case _:
                return self._number(raw, field)
        return f"(None if {raw} == {bytes([0xFF]) * (field.bits // 8)!r} else {some})" if field.optional else some

    def _choice(self, raw: str, field: Field) -> str:
        code = field.code
        assert code is not None
        if field.bits <= 8:
            table = f"{code.__name__}_{field.bits}"
            self.names[table] = members(code, field.bits)
            some = f"{table}[{raw}]"
        else:
            self.names[code.__name__] = code
            some = f"{code.__name__}({raw})"
        return f"(None if {raw} == {field.absent} else {some})" if field.optional else some

    def _number(self, raw: str, field: Field) -> str:
        some = raw if field.numerator == 1 else f"{raw} * {field.numerator}"
        if field.shift:
            some = f"{some} {'+' if field.shift > 0 else '-'} {abs(field.shift)}"
        if field.denominator != 1:
            some = f"({some}) / {field.denominator}" if field.shift else f"{some} / {field.denominator}"
        return f"(None if {raw} == {field.absent} else {some})" if field.absent is not None else some

    def clean(self, index: int) -> str | None:
        """An expression that is true where nothing about the word is odd, or None where nothing can be."""
        word = self.words[index]
        if not word.fields:
            return f"w{index} == {bytes([0xFF]) * word.size!r}"
        if not word.numeric:
            marker = word.fields[0].marker
            return None if isinstance(marker, Raw) else f"not odd{index}(w{index})"
        if word.size == 1:
            table = bytes(self._is_clean(word, bytes([value])) for value in range(256))
            if all(table):
                return None
            self.names[f"clean{index}"] = table
            signed = word.code == "b"
            return f"clean{index}[w{index} & 255]" if signed else f"clean{index}[w{index}]"
        return self._clean_wide(index, word)

    def _is_clean(self, word: Word, byte: bytes) -> bool:
        payload = bytes(word.offset) + byte
        return byte[0] & word.reserved == word.reserved and not any(field_fault(f, payload) for f in word.fields)

    def _clean_wide(self, index: int, word: Word) -> str | None:
        tests = [f"w{index} & {word.reserved} == {word.reserved}"] if word.reserved else []
        for field in word.fields:
            raw = self.raw(index, field)
            if field.code is not None:
                self.names[f"known{index}_{field.name}"] = frozenset(int(member) for member in field.code)
                test = f"{raw} in known{index}_{field.name}"
            else:
                low, high = ((-(field.mask + 1) >> 1), field.mask >> 1) if field.signed else (0, field.mask)
                if (field.raw_low, field.raw_high) == (low, high):
                    continue
                test = f"{field.raw_low} <= {raw} <= {field.raw_high}" if field.raw_low > low else f"{raw} <= {field.raw_high}"
            if field.optional:
                test = f"({test} or {raw} == {field.absent})"
            tests.append(test)
        return " and ".join(tests) or None

    def construction(self) -> str:
        made = [f"{f.name}={self.value(i, f)}" for i, word in enumerate(self.words) for f in word.fields]
        if self.layout.tail is not None:
            made.append(f"{self.layout.tail.name}=tail")
        return f"cls({', '.join(made)})"

    # ---- writing

    def gathering(self) -> tuple[list[str], list[str], list[str]]:
        """Statements, range tests and the arguments of pack()."""
        lines: list[str] = []
        tests: list[str] = []
        arguments: list[str] = []
        for index, word in enumerate(self.words):
            if not word.numeric:
                arguments.append(self._write_bytes(word))
                continue
            parts = []
            for field in word.fields:
                name = f"r{index}_{field.name}" if len(word.fields) > 1 else f"r{index}"
                lines += self._write_number(name, field)
                tests += self._fits(name, field, word)
                shift = word.shift(field)
                term = f"({name} & {field.mask})" if field.signed and word.code[-1] not in "bhiq" else name
                parts.append(f"{term} << {shift}" if shift else term)
            if word.reserved:
                parts.append(str(word.reserved))
            total = " | ".join(parts)
            arguments.append(f"({total}).to_bytes({word.size}, {word.order!r})" if word.code.endswith("s") else total)
        return lines, tests, arguments

    def _write_bytes(self, word: Word) -> str:
        if not word.fields:
            return repr(b"\xff" * word.size)
        field = word.fields[0]
        value = f"self.{field.name}"
        match field.marker:
            case Text(size=size, pad=pad):
                some = f"write_text({value}, {size}, {pad})"
            case BcdTime():
                some = f"write_time({value})"
            case _:
                some = f"write_raw({value}, {word.size})"
        ones = b"\xff" * word.size
        return f"({ones!r} if {value} is None else {some})" if field.optional else some

    def _write_number(self, name: str, field: Field) -> list[str]:
        value = f"self.{field.name}"
        shift = f" {'-' if field.shift > 0 else '+'} {abs(field.shift)}" if field.shift else ""
        if field.code is not None:
            some = "{0}"
        elif field.numerator != 1:
            scaled = f"{{0}} * {field.denominator}" if field.denominator != 1 else "{0}"
            some = f"round(({scaled}{shift}) / {field.numerator})"
        elif field.denominator != 1:
            some = f"round({{0}} * {field.denominator}){shift}"
        else:
            some = f"{{0}}{shift}"
        if field.absent is None:
            return [f"{name} = {some.format(value)}"]
        return [f"v = {value}", f"{name} = {field.absent} if v is None else {some.format('v')}"]

    def _fits(self, name: str, field: Field, word: Word) -> list[str]:
        low, high = (-(field.mask + 1) >> 1, field.mask >> 1) if field.signed else (0, field.mask)
        full = (field.raw_low, field.raw_high) == (low, high)
        if field.absent is None:
            packed = word.whole is field and not word.code.endswith("s")
            return [] if full and packed else [f"{field.raw_low} <= {name} <= {field.raw_high}"]
        inside = f"{field.raw_low} <= {name} <= {field.raw_high}"
        if field.raw_low <= field.absent <= field.raw_high:
            inside += f" and {name} != {field.absent}"
        return [f"(self.{field.name} is None or {inside})"]


def _examine(layout: Layout, payload: bytes) -> Reading[Any]:
    try:
        message = layout.cls.decode(payload)
    except CodecError as error:
        return Reading(None, (), error)
    return Reading(message, deviations(layout, bytes(payload)), None)


def _odd_bytes(field: Field) -> Callable[[bytes], bool]:
    pad = bytes(field.span[0])
    return lambda raw: field_fault(field, pad + raw) is not None


def make_codec(layout: Layout) -> Codec:
    """Generate, compile and return the codec of a layout."""
    writer = _Writer(layout)
    text = _tailed(writer) if layout.tail is not None else _fixed(writer)
    namespace = writer.names
    exec(compile(text, f"<codec of {layout.name}>", "exec"), namespace)  # noqa: S102  (the text is ours)
    return Codec(namespace["decode"], namespace["read"], namespace["encode"], text)


def _encode(writer: _Writer, head: list[str], result: str) -> list[str]:
    lines, tests, _ = writer.gathering()
    body = [*head, *lines]
    give = [f"        if {' and '.join(tests)}:", f"            return {result}"] if tests else [f"        return {result}"]
    return [
        "def encode(self):",
        "    try:",
        *(f"        {line}" for line in body),
        *give,
        "    except (TypeError, ValueError, OverflowError, AttributeError, struct_error):",
        "        pass",
        "    raise diagnose(self)",
    ]


def _fixed(writer: _Writer) -> str:
    size = writer.layout.length
    opening = f"{writer.unpacking()}, = unpack(payload)" if writer.words else ""
    numbers = writer.numbers()
    tests = [test for index in range(len(writer.words)) if (test := writer.clean(index)) is not None]
    for index, word in enumerate(writer.words):
        if word.fields and not word.numeric:
            writer.names[f"odd{index}"] = _odd_bytes(word.fields[0])
    made = writer.construction()
    lines = [
        "def decode(payload):",
        f"    if len(payload) != {size}:",
        "        payload = fit(payload)",
        *(f"    {line}" for line in (opening, *numbers) if line),
        f"    return {made}",
        "",
        "def read(payload):",
        f"    if len(payload) == {size}:",
        *(f"        {line}" for line in (opening, *numbers) if line),
        f"        if {' and '.join(tests) or 'True'}:",
        f"            return Reading({made})",
        "    return examine(payload)",
        "",
        *_encode(writer, [], f"pack({', '.join(writer.gathering()[2])})"),
    ]
    return "\n".join(lines) + "\n"


def _tailed(writer: _Writer) -> str:
    layout = writer.layout
    tail = layout.tail
    assert tail is not None
    writer.names["body_of"] = lambda payload: split_tail(tail, payload)[0]
    opening = f"{writer.unpacking()}, = unpack(fit(payload))" if writer.words else ""
    if tail.item is None:
        empty = "None" if tail.optional else "b''"
        items = [f"tail = bytes(payload[{tail.offset}:]) or {empty}"]
        rest = f"self.{tail.name}" if not tail.optional else f"(self.{tail.name} or b'')"
        packing = [f"body = {rest}", "if not isinstance(body, (bytes, bytearray, memoryview)): raise TypeError"]
        writer.names["join"] = bytes
    else:
        inner = _Writer(tail.item)
        made = inner.value(0, tail.item.fields[0]) if tail.scalar else inner.construction().replace("cls(", "item(", 1)
        writer.names.update({name: value for name, value in inner.names.items() if name not in writer.names})
        writer.names.update(item=tail.item.cls, unpack_items=inner.struct.iter_unpack)
        body = f"[{made} for {inner.unpacking()}, in unpack_items(body_of(payload))]"
        items = [f"tail = tuple({body})"]
        packing = [f"if len(self.{tail.name}) > {tail.max_items}: raise ValueError", f"body = join(self.{tail.name})"]
        writer.names["join"] = _joiner(tail.item, tail.scalar)
    limit = Layout.MAX_PAYLOAD - layout.length
    result = f"pack({', '.join(writer.gathering()[2])}) + body" if writer.words else "bytes(body)"
    lines = [
        "def decode(payload):",
        *(f"    {line}" for line in (opening, *writer.numbers(), *items) if line),
        f"    return {writer.construction()}",
        "",
        "def read(payload):",
        "    return examine(payload)",
        "",
        *_encode(writer, [*packing, f"if len(body) > {limit}: raise ValueError"], result),
    ]
    return "\n".join(lines) + "\n"


def _joiner(item: Layout, scalar: bool) -> Callable[[tuple[Any, ...]], bytes]:
    if not scalar:
        return lambda items: b"".join([each.encode() for each in items])
    field = item.fields[0]
    width = item.length

    def join(items: tuple[Any, ...]) -> bytes:
        raws = [field.to_raw(value) for value in items]
        if any(not field.raw_low <= raw <= field.raw_high for raw in raws):
            raise ValueError
        return b"".join([raw.to_bytes(width, "little") for raw in raws])

    return join


def source(cls: type[Any]) -> str:
    """The generated Python of a message class's codec."""
    codec: Codec = cls.codec
    return codec.source


__all__ = ["Codec", "Deviation", "make_codec", "source"]
