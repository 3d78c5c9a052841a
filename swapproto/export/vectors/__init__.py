"""Test vectors in JSON for other implementations: messages, transport exchanges, whole sessions.

One file a profile. Its tables are flat, and every field, case and frame stands on a line of its own, with its
keys in a fixed order: a program without a JSON parser can read it too (``examples/vectors``).
"""

import json
from collections.abc import Iterable, Mapping
from importlib.resources import files as resources
from typing import Any, cast

from swapproto import __version__
from swapproto.export.source import Declaration
from swapproto.export.vectors import decoding, encoding, sessions, tables, transfers
from swapproto.export.vectors.values import Entry

FORMAT = 1


def files(declared: Declaration) -> Mapping[str, bytes]:
    """The one file."""
    return {f"{declared.profile.id}.json": (_text(document(declared)) + "\n").encode("ascii")}


def schema() -> dict[str, Any]:
    """The JSON Schema of the file, as plain dictionaries."""
    text = (resources("swapproto.export") / "vectors.schema.json").read_text("utf-8")
    return cast("dict[str, Any]", json.loads(text))


def document(declared: Declaration) -> Mapping[str, str | int | list[str] | list[Entry]]:
    """The tables of the file under their names; a profile may have no transfers, or no sessions."""
    return {
        "format": FORMAT,
        "profile": declared.profile.id,
        "title": declared.profile.title,
        "version": __version__,
        "digest": declared.digest,
        "notes": list(declared.header),
        "messages": [tables.message(cls) for cls in declared.messages],
        "fields": [row for cls in declared.messages for row in tables.fields(cls)],
        "decode": [row for cls in declared.messages for row in decoding.cases(cls, declared.profile.id)],
        "encode": [row for cls in declared.messages for row in encoding.cases(cls)],
        "transport": list(transfers.exchanges(declared)),
        "sessions": list(sessions.exchanges(declared)),
    }


def _text(tables: Mapping[str, str | int | list[str] | list[Entry]]) -> str:
    parts = [f"{json.dumps(name)}: {_rows(value)}" for name, value in tables.items()]
    return "{\n" + ",\n".join(parts) + "\n}"


def _rows(value: object) -> str:
    """A list of objects a line each, those inside an exchange as well; all else as it comes."""
    if not isinstance(value, list) or not value or not isinstance(value[0], dict):
        return json.dumps(value)
    return "[\n" + ",\n".join(_row(row) for row in cast("Iterable[Entry]", value)) + "\n]"


def _row(row: Entry) -> str:
    if "frames" not in row:
        return json.dumps(row)
    return "{" + ", ".join(f"{json.dumps(name)}: {_rows(value)}" for name, value in row.items()) + "}"
