"""The expressions and statements out of which a codec's source is put together.

Names in the generated text: ``w0`` is the first word as it stands on the wire, ``r0`` the raw value
to be written there, ``t0`` a moment; ``clean0`` is true where nothing about the word is odd.
"""

from functools import cache
from struct import Struct
from typing import Any

from swapproto.wire.examine import field_fault
from swapproto.wire.fields import BcdTime, Choice, Code, Raw, Text
from swapproto.wire.layout import Field, Layout
from swapproto.wire.words import Word, words

CALL_LIMIT = 14
"""Keywords in one generated call; see Reader.construction."""


@cache
def members(code: type[Code], bits: int) -> tuple[Code, ...]:
    """Every value of a small code as a member, so that decoding is one index."""
    return tuple(code(value) for value in range(1 << bits))


def _ones(size: int) -> str:
    return repr(b"\xff" * size)


def _filler(layout: Layout, word: Word) -> int:
    """The reserved bits of a word as they are sent, and as they have to be."""
    return word.reserved if layout.reserved_bit else 0


class Names(dict[str, Any]):
    """What the generated text refers to."""

    def bind(self, name: str, value: object) -> str:
        """Enter a value and return its name, lengthened where the name stands for something else."""
        while self.setdefault(name, value) is not value:
            name += "_"
        return name


class Reader:
    """Expressions that make values, and judge them, out of the unpacked words."""

    def __init__(self, layout: Layout, names: Names) -> None:
        self.layout = layout
        self.names = names
        self.words = words(layout)

    @property
    def struct(self) -> Struct:
        return Struct("<" + "".join(word.code for word in self.words))

    @property
    def targets(self) -> str:
        return "".join(f"w{number}, " for number in range(len(self.words))).rstrip()

    def unpacking(self, payload: str) -> str:
        return f"{self.targets} = unpack({payload})"

    def turning(self) -> list[str]:
        """Statements that make integers and moments of words that are unpacked as bytes."""
        lines: list[str] = []
        for number, word in enumerate(self.words):
            if word.numeric and not word.packed:
                lines.append(f"w{number} = from_bytes(w{number}, {word.order!r})")
            elif word.fields and isinstance(word.fields[0].marker, BcdTime):
                lines.append(f"t{number} = read_time(w{number})")
        return lines

    def construction(self, blank: str) -> str:
        """An expression that makes the message out of a blank one.

        ``replace`` is twice as fast as the class: where the metaclass is written in Python, Python 3.11
        passes the keywords of a class by way of a dict. With 15 or more it does so in any call.
        """
        made = [f"{f.name}={self.value(n, f)}" for n, word in enumerate(self.words) for f in word.fields]
        if self.layout.tail is not None:
            made.append(f"{self.layout.tail.name}=tail")
        text = blank
        for start in range(0, len(made), CALL_LIMIT):
            text = f"replace({text}, {', '.join(made[start : start + CALL_LIMIT])})"
        return text

    def value(self, number: int, field: Field) -> str:
        raw = self.raw(number, field)
        match field.marker:
            case BcdTime():
                return f"t{number}"
            case Text(blanks=blanks):
                some = f"{raw}.rstrip({blanks!r}).decode('ascii', 'surrogateescape')"
                absent = _ones(field.bits // 8)
            case Raw():
                some, absent = raw, _ones(field.bits // 8)
            case Choice():
                some, absent = self._choice(raw, field), str(field.absent)
            case _:
                some, absent = self._number(raw, field), str(field.absent)
        return f"(None if {raw} == {absent} else {some})" if field.optional else some

    def raw(self, number: int, field: Field) -> str:
        word = self.words[number]
        if word.whole is field:
            raw, signed = f"w{number}", word.packed
        else:
            shift = word.shift(field)
            raw, signed = (f"w{number} >> {shift}" if shift else f"w{number}"), False
            raw = f"({raw})" if shift + field.bits == word.size * 8 else f"({raw} & {field.mask})"
        half = 1 << field.bits - 1
        return f"(({raw} ^ {half}) - {half})" if field.signed and not signed else raw

    def _choice(self, raw: str, field: Field) -> str:
        code = field.code
        assert code is not None
        if field.bits > 8:
            return f"{self.names.bind(code.__name__, code)}({raw})"
        table = self.names.bind(f"{code.__name__}_{field.bits}", members(code, field.bits))
        return f"{table}[{raw}]"

    @staticmethod
    def _number(raw: str, field: Field) -> str:
        scaled = raw if field.numerator == 1 else f"{raw} * {field.numerator}"
        if field.shift:
            scaled = f"{scaled} {'+' if field.shift > 0 else '-'} {abs(field.shift)}"
        if field.integral:
            return scaled
        return f"({scaled}) / {field.denominator}" if field.shift else f"{scaled} / {field.denominator}"

    def cleanness(self) -> list[str]:
        """Expressions that are all true where nothing about the words is odd."""
        tests: list[str] = []
        for number, word in enumerate(self.words):
            if not word.numeric:
                tests += self._clean_bytes(number, word)
            elif word.size == 1:
                tests += self._clean_byte(number, word)
            else:
                tests += self._clean_wide(number, word)
        return tests

    def _clean_bytes(self, number: int, word: Word) -> list[str]:
        ones = _ones(word.size)
        if not word.fields:
            return [f"w{number} == {ones}"] if self.layout.reserved_bit else []
        match word.fields[0].marker:
            case Text(blanks=blanks):
                return [f"w{number}.rstrip({blanks!r}).isascii()"]
            case BcdTime():
                return [f"(t{number} is not None or w{number} == {ones})"]
            case _:
                return []

    def _clean_byte(self, number: int, word: Word) -> list[str]:
        before = bytes(word.offset)
        filler = _filler(self.layout, word)
        table = bytes(
            byte & filler == filler
            and not any(field_fault(field, before + bytes([byte])) for field in word.fields)
            for byte in range(256)
        )
        if all(table):
            return []
        self.names[f"clean{number}"] = table
        return [f"clean{number}[w{number} & 255]" if word.code == "b" else f"clean{number}[w{number}]"]

    def _clean_wide(self, number: int, word: Word) -> list[str]:
        filler = _filler(self.layout, word)
        tests = [f"w{number} & {filler} == {filler}"] if filler else []
        for field in word.fields:
            raw = self.raw(number, field)
            if field.code is not None:
                known = frozenset(int(member) for member in field.code)
                test = f"{raw} in {self.names.bind(f'known{number}_{field.name}', known)}"
            elif field.unlimited:
                continue
            elif field.raw_low == field.raw_floor:
                test = f"{raw} <= {field.raw_high}"
            else:
                test = f"{field.raw_low} <= {raw} <= {field.raw_high}"
            tests.append(f"({test} or {raw} == {field.absent})" if field.optional else test)
        return tests


class Writer:
    """Statements that turn values into raw values, tests of their limits, and what is packed."""

    def __init__(self, reader: Reader, access: str = "self.{}") -> None:
        self.access = access
        self.layout = reader.layout
        self.lines: list[str] = []
        self.tests: list[str] = []
        self.packed: list[str] = []
        self._alike: dict[int, list[str]] = {}
        for number, word in enumerate(reader.words):
            self.packed.append(self._write_word(number, word) if word.numeric else self._write_bytes(word))
        for mask, names in self._alike.items():
            self.tests.append(f"0 <= {' | '.join(names)} <= {mask}")

    def _write_word(self, number: int, word: Word) -> str:
        parts: list[str] = []
        for field in word.fields:
            name = f"r{number}_{field.name}" if len(word.fields) > 1 else f"r{number}"
            self._write_number(name, field)
            self._limit(name, field, word)
            shift = word.shift(field)
            term = f"({name} & {field.mask})" if field.signed and word.whole is not field else name
            parts.append(f"{term} << {shift}" if shift else term)
        if filler := _filler(self.layout, word):
            parts.append(str(filler))
        total = " | ".join(parts)
        if word.packed:
            return total
        signed = ", signed=True" if word.whole is not None and word.whole.signed else ""
        return f"as_index({total}).to_bytes({word.size}, {word.order!r}{signed})"

    def _write_bytes(self, word: Word) -> str:
        ones = _ones(word.size)
        if not word.fields:
            return ones if self.layout.reserved_bit else repr(bytes(word.size))
        field = word.fields[0]
        value = self.access.format(field.name)
        match field.marker:
            case Text(size=size, pad=pad):
                some = f"write_text({value}, {size}, {pad})"
            case BcdTime():
                some = f"write_time({value})"
            case _:
                fits = f"type({value}) is bytes and len({value}) == {word.size}"
                some = f"({value} if {fits} else write_raw({value}, {word.size}))"
        return f"{ones} if {value} is None else {some}" if field.optional else some

    def _write_number(self, name: str, field: Field) -> None:
        value = self.access.format(field.name)
        given = "v" if field.optional else value
        shift = f" {'-' if field.shift > 0 else '+'} {abs(field.shift)}" if field.shift else ""
        times = "" if field.integral else f" * {field.denominator}"
        if field.numerator != 1:
            some = f"round(({given}{times}{shift}) / {field.numerator})"
        elif times:
            some = f"round({given}{times}){shift}"
        else:
            some = f"{given}{shift}"
        if field.optional:
            self.lines.append(f"v = {value}")
            some = f"{field.absent} if v is None else {some}"
        self.lines.append(f"{name} = {some}")

    def _limit(self, name: str, field: Field, word: Word) -> None:
        if field.optional:
            inside = f"{field.raw_low} <= {name} <= {field.raw_high}"
            if field.absent is not None and field.raw_low < field.absent < field.raw_high:
                inside += f" and {name} != {field.absent}"
            self.tests.append(f"({self.access.format(field.name)} is None or {inside})")
        elif field.unlimited and word.whole is field:
            return  # pack() and to_bytes() refuse what does not fit
        elif field.unlimited and not field.signed:
            self._alike.setdefault(field.mask, []).append(name)
        else:
            self.tests.append(f"{field.raw_low} <= {name} <= {field.raw_high}")
