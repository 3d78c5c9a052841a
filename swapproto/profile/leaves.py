"""One leaf of a file, read strictly: the value, its source, and what it replaces."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, TypeGuard, cast

from swapproto.hints import near
from swapproto.profile.kinds import BLANK
from swapproto.profile.model import Document, Leaf
from swapproto.profile.values import BadValue, Value, in_text
from swapproto.provenance import Basis, Source
from swapproto.tomlfile import Path, TomlFile

_PARTS = ("value", "at", "basis", "witnesses", "why", "replaces")
_SHAPE = 'must be an inline table such as { value = "...", at = "...", basis = "...", why = "..." }'
UNSET = "unset"


class Kind(Protocol):
    """What reads and compares the values of one key."""

    def parse(self, raw: object) -> Value: ...

    def same(self, one: Value, other: Value) -> bool: ...


class LeafReader:
    """Reads the leaves of one file; `documents` are those that `at` may point at."""

    def __init__(self, file: TomlFile, profile: str, documents: Mapping[str, Document]) -> None:
        self._file = file
        self._profile = profile
        self._documents = documents

    def read(self, keys: Path, raw: object, kind: Kind, beneath: Sequence[Leaf]) -> Leaf:
        """The leaf at these keys; `beneath` are the values that it could replace, none where it is new."""
        if not isinstance(raw, dict):
            raise self._file.wrong(keys, _SHAPE)
        table = cast("dict[str, object]", raw)
        self._file.check_keys(keys, table, known=_PARTS, required=("at", "basis"))
        at = self._text(keys, table, "at")
        document, place = self._place(keys, at)
        source = self._source(keys, table, document, place)
        value, text = self._value(keys, table, kind, source.basis)
        return Leaf(
            key=".".join(keys),
            value=value,
            text=text,
            at=at,
            source=source,
            file=self._file.path,
            line=self._file.line(keys),
            profile=self._profile,
            document=document,
            replaced=self._replaced(keys, table, kind, beneath),
        )

    def _text(self, keys: Path, table: Mapping[str, object], part: str) -> str:
        value = table[part]
        if not isinstance(value, str) or not value.strip():
            raise self._file.wrong((*keys, part), "must be text, and not empty")
        if part == "at" and BLANK in value:
            raise self._file.wrong((*keys, part), f"still has {BLANK} where something has to be filled in")
        return value.strip()

    def _place(self, keys: Path, at: str) -> tuple[Document, str]:
        name, _, clause = at.partition(" ")
        document = self._documents.get(name)
        if document is None:
            hint = near(name, self._documents)
            raise self._file.wrong((*keys, "at"), f"no [document.{name}] in this profile; {hint}")
        return document, f"{document.name}, {clause.strip()}" if clause.strip() else document.name

    def _source(self, keys: Path, table: Mapping[str, object], document: Document, at: str) -> Source:
        try:
            basis = Basis(table["basis"])
        except ValueError:
            bases = ", ".join(each.value for each in Basis)
            raise self._file.wrong((*keys, "basis"), f"{table['basis']!r} is none of: {bases}") from None
        witnesses = table.get("witnesses", 0)
        if not _is_count(witnesses):
            raise self._file.wrong((*keys, "witnesses"), f"{witnesses!r} is no number of witnesses")
        why = self._text(keys, table, "why") if "why" in table else ""
        for part, reason in _doubts(basis, witnesses, why, document):
            raise self._file.wrong((*keys, part), reason)
        return Source(at, basis, witnesses, why)

    def _value(self, keys: Path, table: Mapping[str, object], kind: Kind, basis: Basis) -> tuple[Value, str]:
        if basis is Basis.UNSET:
            if "value" in table:
                raise self._file.wrong((*keys, "value"), "what is unset has no value; give the basis it has")
            return None, UNSET
        if "value" not in table:
            raise self._file.wrong((*keys, "value"), f"is missing; what is not known has basis = '{UNSET}'")
        value = self._parsed((*keys, "value"), table["value"], kind)
        return value, _as_written(table["value"], value)

    def _parsed(self, keys: Path, raw: object, kind: Kind) -> Value:
        try:
            return kind.parse(raw)
        except BadValue as error:
            raise self._file.wrong(keys, str(error)) from None

    def _replaced(
        self, keys: Path, table: Mapping[str, object], kind: Kind, beneath: Sequence[Leaf]
    ) -> Leaf | None:
        where = (*keys, "replaces")
        if not beneath:
            if "replaces" in table:
                raise self._file.wrong(where, "overrides nothing: no profile beneath has this key")
            return None
        there = " or ".join(_quoted(leaf) for leaf in beneath)
        if "replaces" not in table:
            of = ", ".join(leaf.profile for leaf in beneath)
            raise self._file.wrong(where, f"is missing: {of} has this key; say replaces = {there}")
        raw = table["replaces"]
        value = None if raw == UNSET else self._parsed(where, raw, kind)
        for leaf in beneath:
            if kind.same(leaf.value, value):
                return leaf
        raise self._file.wrong(
            where, f"differs: it says {in_text(value)}, but the value beneath is {there} ({beneath[0].place})"
        )


def _doubts(basis: Basis, witnesses: int, why: str, document: Document) -> Iterator[tuple[str, str]]:
    if basis in {Basis.REPORTED, Basis.OBSERVED} and witnesses < 1:
        yield "witnesses", f"what is {basis.value} has at least one witness"
    if basis in {Basis.ASSUMED, Basis.UNSET} and witnesses:
        yield "witnesses", f"what is {basis.value} has no witness; give the basis that the witnesses make"
    if basis is Basis.STATED and not document.read.text:
        read = f"of {document.id!r} was read: {document.read.value}"
        yield "basis", f"{read}; what is stated was read in the full text or an excerpt"
    if basis is not Basis.STATED and not why:
        yield "why", f"is missing: what is {basis.value} says why"


def _is_count(value: object) -> TypeGuard[int]:
    return type(value) is int and value >= 0


def _quoted(leaf: Leaf) -> str:
    if isinstance(leaf.value, tuple):
        return "[" + ", ".join(f'"{in_text(each)}"' for each in leaf.value) + "]"
    if isinstance(leaf.value, bool):
        return str(leaf.value).lower()
    return f'"{leaf.text}"'


def _as_written(raw: object, value: Value) -> str:
    if isinstance(raw, str):
        return raw.strip()
    if isinstance(raw, list) and isinstance(value, tuple):
        pairs = zip(cast("list[object]", raw), value, strict=True)
        return ", ".join(_as_written(each, typed) for each, typed in pairs)
    return in_text(value)
