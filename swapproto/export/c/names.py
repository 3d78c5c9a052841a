"""Names as C wants them, and comments that end where they should."""

import re
from collections.abc import Iterable, Iterator
from textwrap import wrap

from swapproto.errors import SwapError

_KEYWORDS = frozenset(
    {
        "auto", "bool", "break", "case", "char", "const", "continue", "default", "do", "double", "else",
        "enum", "extern", "false", "float", "for", "goto", "if", "inline", "int", "long", "register",
        "restrict", "return", "short", "signed", "sizeof", "static", "struct", "switch", "true", "typedef",
        "union", "unsigned", "void", "volatile", "while",
    }
)  # fmt: skip
_WIDTH = 100


class NotInC(SwapError):
    """A declaration that the C library has no form for."""


def snake(name: str) -> str:
    """``TemperatureExtremes`` to ``temperature_extremes``, ``BCL`` to ``bcl``, ``DM1`` to ``dm1``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def member(name: str) -> str:
    """The name of a struct's member; C's own words get an underscore."""
    return f"{name}_" if name in _KEYWORDS else name


class Unique:
    """Names, each given once: what comes second under a name is numbered."""

    def __init__(self) -> None:
        self._given: dict[object, str] = {}
        self._taken: set[str] = set()

    def name(self, key: object, wanted: str) -> str:
        """The name of that object, always the same."""
        if key not in self._given:
            name, number = wanted, 1
            while name in self._taken:
                number += 1
                name = f"{wanted}_{number}"
            self._taken.add(name)
            self._given[key] = name
        return self._given[key]


def _plain(text: str) -> str:
    """On one line, with nothing in it that ends a comment or cannot be seen.

    What is not ASCII stays, as UTF-8: a clause may be Chinese. A trigraph would make compilers warn.
    """
    line = " ".join(text.split()).replace("*/", "* /").replace("/*", "/ *").replace("??/", "?? /")
    return "".join(letter if letter.isprintable() else "?" for letter in line)


def comment(text: str, indent: str = "") -> Iterator[str]:
    """A comment of one line, or of several where one is not enough."""
    plain = _plain(text)
    lines = wrap(plain, _WIDTH - len(indent) - 6)
    if len(lines) <= 1:
        yield f"{indent}/* {plain} */"
        return
    yield f"{indent}/* {lines[0]}"
    yield from (f"{indent}   {line}" for line in lines[1:-1])
    yield f"{indent}   {lines[-1]} */"


def heading(lines: Iterable[str]) -> Iterator[str]:
    """The comment that every file begins with."""
    yield "/*"
    yield from (f" * {_plain(line)}" for line in lines)
    yield " */"


def byte_list(data: bytes) -> Iterator[str]:
    """Bytes as lines of an initialiser; one zero for none, which C has no array of."""
    for start in range(0, len(data) or 1, 12):
        yield "    " + ", ".join(f"0x{byte:02X}" for byte in data[start : start + 12] or b"\0") + ","
