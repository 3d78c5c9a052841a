"""Profiles in words: tables for `swapproto profile`, and the same as data."""

import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from swapproto.cli.text import plural, printable, table
from swapproto.profile import KEYS, Leaf, Listing, Profile, in_text, load, shipped
from swapproto.profile.declared import declared
from swapproto.profile.model import Document
from swapproto.provenance import Basis

Difference: TypeAlias = tuple[str, Leaf | None, Leaf | None]

_WIDTH = 100
_VALUE = 48
"""Characters of a value in the table of items; `why` prints it whole."""
_SILENT = "-"


def listing(profiles: Iterable[Profile]) -> Iterator[str]:
    """One line a profile: how far its documents were read, and how many items rest on what."""
    rows = [
        (
            each.id,
            *(sum(leaf.source.basis is basis for leaf in each.leaves.values()) or "" for basis in Basis),
            ", ".join(dict.fromkeys(document.read.value for document in each.documents.values())),
            each.title,
        )
        for each in profiles
    ]
    yield from table(
        ("id", *(f"{basis.value}>" for basis in Basis), "documents read", "title"), rows, indent=0
    )


def profile_page(profile: Profile) -> Iterator[str]:
    """All that a profile says."""
    yield f"{profile.id}: {printable(profile.title)}"
    if profile.title_zh:
        yield f"  {printable(profile.title_zh)}"
    yield ""
    yield from _facts(
        [
            ("file", profile.file),
            ("extends", ", ".join(profile.chain[:-1]) or "nothing"),
            ("messages", ", ".join(profile.messages) or "none"),
            ("scope", profile.scope),
        ]
    )
    yield from ("", "Documents")
    for document in profile.documents.values():
        yield from _document(document)
    if profile.clauses:
        yield from ("", "Public clause structure")
        rows = [(each.document, each.number, each.title, ", ".join(each.keys)) for each in profile.clauses]
        yield from table(("document", "clause", "title", "items"), rows)
    yield from ("", "Items")
    yield from table(
        ("key", "value", "basis", "witnesses>", "at", "from"), map(_item, profile.leaves.values())
    )


def _item(leaf: Leaf) -> tuple[object, ...]:
    value = leaf.text if leaf.is_set else _SILENT
    return (
        leaf.key,
        textwrap.shorten(value, _VALUE, placeholder=" ..."),
        leaf.source.basis.value,
        leaf.source.witnesses or "",
        leaf.at,
        leaf.profile,
    )


def _document(document: Document) -> Iterator[str]:
    dates = [
        (name, str(day))
        for name, day in (
            ("reviewed", document.reviewed),
            ("issued", document.issued),
            ("in force", document.in_force),
            ("withdrawn", document.withdrawn),
        )
        if day is not None
    ]
    relations = [("replaces", document.replaces), ("replaced by", document.replaced_by)]
    told = [*dates, *((name, text) for name, text in relations if text)]
    yield f"  {document.id}: {printable(document.name)}"
    yield f"      read: {document.read.value}{''.join(f'; {name} {printable(text)}' for name, text in told)}"
    for fact in document.facts:
        yield from _wrapped(fact, "      - ", "        ")


def chain(profile: Profile, leaf: Leaf) -> Iterator[str]:
    """Where a value comes from, down to the base; for what is unset, how to supply it."""
    title = f" ({KEYS[leaf.key].title})" if leaf.key in KEYS else ""
    yield from _headed(f"{leaf.key}{title}", leaf)
    yield from _origin(leaf)
    beneath = leaf.replaced
    while beneath is not None:
        yield ""
        yield from _headed("it replaces", beneath)
        yield from _origin(beneath)
        beneath = beneath.replaced
    if not leaf.is_set:
        yield ""
        yield from _how_to_supply(profile, leaf)


def _headed(title: str, leaf: Leaf) -> Iterator[str]:
    """The value on one line, or its steps one below the other."""
    steps = leaf.key in KEYS and KEYS[leaf.key].listing is Listing.STEPS and len(leaf.choices) > 1
    yield f"{title}:" if steps else f"{title}: {printable(leaf.text)}"
    if steps:
        yield from (f"  {n:>2}. {printable(in_text(step))}" for n, step in enumerate(leaf.choices, 1))


def _origin(leaf: Leaf) -> Iterator[str]:
    source = leaf.source
    count = source.witnesses
    witnesses = f", {count} witness{'es' if count > 1 else ''}" if count else ""
    read = "" if leaf.document is None else f" (read: {leaf.document.read.value})"
    yield from _facts(
        [
            ("profile", leaf.profile),
            ("at", f"{source.at}{read}"),
            ("basis", f"{source.basis.value}{witnesses}; {leaf.weight.value}"),
            ("why", source.why),
            ("file", leaf.place),
        ]
    )


def _how_to_supply(profile: Profile, leaf: Leaf) -> Iterator[str]:
    """A file that only lacks the value, its clause and the document's name."""
    key = KEYS[leaf.key]
    silent = leaf.document is None
    document = "text" if leaf.document is None else leaf.document.id
    name = "..." if leaf.document is None else leaf.document.name
    is_shipped = profile.id in shipped() and profile is load(profile.id)
    base = profile.id if is_shipped else str(Path(profile.file).resolve())
    replaces = "" if silent else f'replaces = "{leaf.text}", '
    yield "The library gives no value here, and what depends on it is inconclusive."
    yield "Whoever owns the text supplies it in a file of their own, and no code changes:"
    yield ""
    for line in (
        "schema = 1",
        "[profile]",
        f'id = "my-{profile.id}"',
        f'title = "{profile.id}, with the values of the text"',
        f"extends = [{_quoted(base)}]",
        'scope = "what the text itself says"',
        f"[document.{document}]",
        f"name = {_quoted(name)}",
        'read = "full-text"',
        f"[{key.section}]",
        f'{key.item} = {{ value = {key.sample}, {replaces}at = "{document} ...", basis = "stated" }}',
    ):
        yield f"    {line}"
    yield ""
    yield f"expected: {key.kind}"
    yield "then: swapproto profile check FILE; the file stands wherever a profile's id does"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def differences(one: Profile, other: Profile) -> list[Difference]:
    """Items whose value or basis differs, and what differs in the messages that both speak."""
    rows: list[Difference] = []
    for key in KEYS:
        pair = one.leaves.get(key), other.leaves.get(key)
        if _differ(key, *pair, basis=True):
            rows.append((key, *pair))
    left, right = _messages(one), _messages(other)
    shared = {_message(key) for key in left} & {_message(key) for key in right}
    changed = {key for key in (*one.leaves, *other.leaves) if key not in KEYS}
    for key in dict.fromkeys((*left, *right)):
        if key in changed or (_message(key) in shared and _both_or_place(key, left, right)):
            pair = left.get(key), right.get(key)
            if _differ(key, *pair, basis=False):
                rows.append((key, *pair))
    return rows


def _both_or_place(key: str, left: Mapping[str, Leaf], right: Mapping[str, Leaf]) -> bool:
    """Of a field that one side lacks, the place says enough."""
    return (key in left and key in right) or key.endswith(".place")


def _messages(profile: Profile) -> dict[str, Leaf]:
    """What its messages declare, with its changes."""
    changed = {key: leaf for key, leaf in profile.leaves.items() if key not in KEYS}
    return {**declared(profile.messages), **changed} if profile.messages else changed


def _message(key: str) -> str:
    return ".".join(key.split(".")[:2])


def _differ(key: str, one: Leaf | None, other: Leaf | None, *, basis: bool) -> bool:
    if one is None or other is None:
        return one is not other
    same = KEYS[key].same(one.value, other.value) if key in KEYS else one.value == other.value
    return not same or (basis and one.source.basis is not other.source.basis)


def differences_page(one: Profile, other: Profile, rows: Sequence[Difference]) -> Iterator[str]:
    """The differences as a table; a dash where a profile is silent."""
    if one.messages != other.messages:
        for each in (one, other):
            yield f"{each.id} speaks {', '.join(each.messages) or 'no message set'}"
        yield ""
    if not rows:
        yield f"{one.id} and {other.id} agree in every value and basis"
        return
    told = [(key, _short(left), _short(right)) for key, left, right in rows]
    yield from table(("key", one.id, other.id), told, indent=0)


def _short(leaf: Leaf | None) -> str:
    if leaf is None:
        return _SILENT
    return leaf.text if not leaf.is_set else f"{leaf.text} ({leaf.source.basis.value})"


def summary(profile: Profile) -> str:
    """One line for a file that can be used."""
    leaves = profile.leaves.values()
    own = [leaf for leaf in leaves if leaf.profile == profile.id]
    unset = sum(not leaf.is_set for leaf in leaves)
    over = f" over {', '.join(profile.chain[:-1])}" if len(profile.chain) > 1 else ""
    return (
        f"{profile.file}: good; {profile.id} gives {plural(len(own), 'value')}{over}; {unset} items are unset"
    )


def profile_data(profile: Profile) -> dict[str, Any]:
    """All that a profile says, as JSON."""
    return {
        "id": profile.id,
        "title": profile.title,
        "title_zh": profile.title_zh,
        "scope": profile.scope,
        "file": profile.file,
        "chain": list(profile.chain),
        "messages": list(profile.messages),
        "documents": [_document_data(each) for each in profile.documents.values()],
        "clauses": [
            {"document": each.document, "number": each.number, "title": each.title, "keys": list(each.keys)}
            for each in profile.clauses
        ],
        "leaves": [_leaf_data(each) for each in profile.leaves.values()],
    }


def _document_data(document: Document) -> dict[str, Any]:
    days = ("issued", "in_force", "withdrawn", "reviewed")
    return {
        "id": document.id,
        "name": document.name,
        "read": document.read.value,
        **{day: str(value) for day in days if (value := getattr(document, day)) is not None},
        "replaces": document.replaces,
        "replaced_by": document.replaced_by,
        "facts": list(document.facts),
    }


def _leaf_data(leaf: Leaf) -> dict[str, Any]:
    values = [in_text(each) for each in leaf.choices]
    return {
        "key": leaf.key,
        "value": None if leaf.value is None else values if isinstance(leaf.value, tuple) else values[0],
        "at": leaf.at or leaf.source.at,
        "basis": leaf.source.basis.value,
        "witnesses": leaf.source.witnesses,
        "why": leaf.source.why,
        "weight": leaf.weight.value,
        "profile": leaf.profile,
        "file": leaf.file,
        "line": leaf.line,
        "replaces": None if leaf.replaced is None else _leaf_data(leaf.replaced),
    }


def differences_data(rows: Sequence[Difference]) -> list[dict[str, Any]]:
    """The differences as JSON; null where a profile is silent."""
    return [
        {"key": key, "one": left and _leaf_data(left), "other": right and _leaf_data(right)}
        for key, left, right in rows
    ]


def _facts(facts: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, text in facts:
        if text:
            yield from _wrapped(text, f"  {name:<10}", " " * 12)


def _wrapped(text: str, first: str, further: str) -> list[str]:
    return textwrap.wrap(
        printable(text), _WIDTH, initial_indent=first, subsequent_indent=further,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
