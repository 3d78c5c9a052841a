"""TOML files whose faults are told as file, line and key."""

import re
import tomllib
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol, TypeAlias, TypeGuard

import msgspec

from swapproto.errors import ProfileError
from swapproto.hints import near

Path: TypeAlias = tuple[str, ...]
"""Keys from the top of the file down; an element of an array of tables is named by its index, from 0."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_AT_LINE = re.compile(r"^(.*) \(at line ([0-9]+), column [0-9]+\)$")
_BYTE_ORDER_MARK = "\ufeff"
_TWICE = "Cannot overwrite a value"
"""What tomllib says of a key that stands twice in one table, without naming it."""


class Readable(Protocol):
    """A path of the file system, or a file in an installed package."""

    def read_text(self, encoding: str) -> str: ...


class TomlFile(msgspec.Struct, frozen=True):
    """A file that was read, and the lines on which its keys stand."""

    path: str
    table: Mapping[str, object]
    lines: Mapping[Path, int]

    def line(self, keys: Path) -> int | None:
        """Line of a key, or of the nearest table above it that has one."""
        while keys and keys not in self.lines:
            keys = keys[:-1]
        return self.lines.get(keys)

    def wrong(self, keys: Path, reason: str) -> ProfileError:
        """The error that names this place."""
        return ProfileError(self.path, dotted(keys) or "file", reason, self.line(keys))

    def table_at(self, keys: Path, value: object) -> Mapping[str, object]:
        """The value, where it is a table; otherwise ProfileError."""
        if is_table(value):
            return value
        raise self.wrong(keys, "must be a table")

    def check_keys(
        self, keys: Path, table: Mapping[str, object], *, known: Iterable[str], required: Iterable[str] = ()
    ) -> None:
        """ProfileError for the first key that is not known (with near matches) or is missing."""
        names = set(known)
        for key in table:
            if key not in names:
                raise self.wrong((*keys, key), f"unknown key; {near(key, names)}")
        for key in required:
            if key not in table:
                raise self.wrong((*keys, key), "is missing")


def is_table(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, dict)


def dotted(keys: Path) -> str:
    """The keys as TOML writes them, quoted where they have to be."""
    return ".".join(key if _BARE.fullmatch(key) else f'"{key}"' for key in keys)


def read_toml(source: Readable) -> TomlFile:
    """Read a file; ProfileError where it cannot be read or is no TOML."""
    path = str(source)
    try:
        text = source.read_text(encoding="utf-8")
    except OSError as error:
        raise ProfileError(path, "file", f"cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise ProfileError(path, "file", f"cannot be read: no UTF-8 at byte {error.start + 1}") from None
    return parse_toml(text, path)


def parse_toml(text: str, path: str) -> TomlFile:
    """The same from text; `path` is what errors name."""
    text = text.removeprefix(_BYTE_ORDER_MARK)
    try:
        table = tomllib.loads(text)
        lines = dict(_Scanner(text.replace("\r\n", "\n")).places())
    except tomllib.TOMLDecodeError as error:
        match = _AT_LINE.match(str(error))
        reason, line = (match[1], int(match[2])) if match else (str(error), None)
        key = _key_in(text, line) if line is not None and reason == _TWICE else None
        reason = reason if key is None else "the key stands twice in one table"
        raise ProfileError(path, key or "file", f"this is no TOML: {reason}", line) from None
    except RecursionError:
        raise ProfileError(path, "file", "cannot be read: arrays or tables are nested too deeply") from None
    return TomlFile(path, table, lines)


def _key_in(text: str, line: int) -> str | None:
    """The key that a line begins with."""
    match = _PAIR.match(text.split("\n")[line - 1])
    return None if match is None else match[1]


_SKIP = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_KEY = re.compile(r"""[ \t]*(?:([A-Za-z0-9_-]+)|"((?:[^"\\\n]|\\.)*)"|'([^'\n]*)')[ \t]*""")
_PAIR = re.compile(r"[ \t]*([^=#\[{]*?)[ \t]*=")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})|'
    r"'''.*?'''(?:'{0,2})|"
    r'"(?:[^"\\\n]|\\.)*"|'
    r"'[^'\n]*'",
    re.DOTALL,
)
_PLAIN = re.compile(r"[^,\]}#\n]*")


class _Scanner:
    """Walks text that is known to be TOML and says where each key stands."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line_ends = [match.start() for match in re.finditer("\n", text)]
        self._elements: dict[Path, int] = {}

    def places(self) -> Iterator[tuple[Path, int]]:
        table: Path = ()
        while self._skip() < len(self._text):
            if self._text[self._at] != "[":
                yield from self._pair(table)
                continue
            line, array = self._line(), self._text.startswith("[[", self._at)
            self._at += 2 if array else 1
            table = self._resolve(self._key())
            self._at += 2 if array else 1
            if array:
                count = self._elements[table] = self._elements.get(table, -1) + 1
                yield table, line
                table = (*table, str(count))
            yield table, line

    def _resolve(self, keys: Path) -> Path:
        """The path of a header, in which the name of an array of tables stands for its last element."""
        path: Path = ()
        for index, key in enumerate(keys):
            path = (*path, key)
            if index < len(keys) - 1 and path in self._elements:
                path = (*path, str(self._elements[path]))
        return path

    def _pair(self, table: Path) -> Iterator[tuple[Path, int]]:
        line = self._line()
        path = (*table, *self._key())
        self._at += 1  # the equals sign
        yield path, line
        yield from self._value(path)

    def _value(self, path: Path) -> Iterator[tuple[Path, int]]:
        self._skip()
        opening = self._text[self._at]
        if opening in "\"'":
            self._take(_STRING)
        elif opening in "[{":
            yield from self._inside(path, "]" if opening == "[" else "}")
        else:
            self._take(_PLAIN)

    def _inside(self, path: Path, closing: str) -> Iterator[tuple[Path, int]]:
        self._at += 1
        count = 0
        while self._text[self._skip()] != closing:
            if self._text[self._at] == ",":
                self._at += 1
                count += 1
            elif closing == "}":
                yield from self._pair(path)
            else:
                yield from self._element((*path, str(count)))
        self._at += 1

    def _element(self, path: Path) -> Iterator[tuple[Path, int]]:
        yield path, self._line()
        yield from self._value(path)

    def _key(self) -> Path:
        parts: list[str] = []
        while True:
            bare, quoted, literal = self._take(_KEY).groups()
            parts.append(next(part for part in (bare, literal, _unescaped(quoted)) if part is not None))
            if self._text[self._at] != ".":
                return tuple(parts)
            self._at += 1

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str]:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise AssertionError(f"no {pattern.pattern} in line {self._line()} of text that tomllib has read")
        self._at = match.end()
        return match

    def _skip(self) -> int:
        self._take(_SKIP)
        return self._at

    def _line(self) -> int:
        return bisect_left(self._line_ends, self._at) + 1


def _unescaped(quoted: str | None) -> str | None:
    if quoted is None:
        return None
    value = tomllib.loads(f'key = "{quoted}"')["key"]
    return str(value)
