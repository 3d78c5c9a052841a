"""Values as Lua writes them."""

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Plain: TypeAlias = "bool | int | str | bytes | Sequence[Plain] | Mapping[str, Plain] | Mapping[int, str]"

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def literal(value: Plain) -> str:
    """A value on one line; text is UTF-8, bytes are escaped."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            return '"' + "".join(each if each >= " " else f"\\{ord(each):03d}" for each in escaped) + '"'
        case bytes():
            return '"' + "".join(f"\\{byte:03d}" for byte in value) + '"'
        case Mapping():
            return table(value)
        case _:
            return "{ " + ", ".join(literal(each) for each in value) + " }" if value else "{}"


def table(members: Mapping[str, Plain] | Mapping[int, str]) -> str:
    """A table on one line."""
    pairs = [f"{_key(key)} = {literal(value)}" for key, value in members.items()]
    return "{ " + ", ".join(pairs) + " }" if pairs else "{}"


def comment(text: str) -> str:
    """What follows ``--`` on a line."""
    return " ".join(text.split())


def _key(key: str | int) -> str:
    if isinstance(key, str) and _NAME.fullmatch(key):
        return key
    return f"[{literal(key)}]"
