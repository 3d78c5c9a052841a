"""Reads a profile from TOML, strictly: whatever is doubtful is an error with file, line and key."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TypeVar, cast

import msgspec

from swapproto.errors import ProfileError
from swapproto.hints import near
from swapproto.profile.keys import KEYS, SECTIONS
from swapproto.profile.leaves import LeafReader
from swapproto.profile.model import Clause, Document, Leaf, Profile
from swapproto.profile.values import Value
from swapproto.tomlfile import Path as Keys
from swapproto.tomlfile import TomlFile, read_toml

T = TypeVar("T", bound=msgspec.Struct)

_DATA = files("swapproto.profile") / "data"
_SUFFIX = ".toml"
_ID = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")
_PROFILE_KEYS = ("id", "title", "title_zh", "extends", "messages", "scope")


def shipped() -> tuple[str, ...]:
    """The ids of the profiles that come with the library."""
    if not _DATA.is_dir():
        return ()
    return tuple(sorted(each.name.removesuffix(_SUFFIX) for each in _DATA.iterdir() if _is_toml(each.name)))


def load(target: str | Path) -> Profile:
    """A shipped profile by its id, or a file by its path: a Path, or text that ends in ``.toml``."""
    if isinstance(target, Path) or _is_toml(target):
        return _from_file(Path(target), ())
    if target not in shipped():
        raise ProfileError(target, "profile", f"no such profile is shipped; {near(target, shipped())}")
    return _from_shipped(target, ())


def _is_toml(name: str) -> bool:
    return name.endswith(_SUFFIX)


@cache
def _from_shipped(name: str, above: tuple[str, ...]) -> Profile:
    file = read_toml(_DATA / f"{name}{_SUFFIX}")
    profile = _Loader(file, None, (*above, name)).profile()
    if profile.id != name:
        raise file.wrong(("profile", "id"), f"{profile.id!r} in a file of the name {name}")
    return profile


def _from_file(path: Path, above: tuple[str, ...]) -> Profile:
    return _Loader(read_toml(path), path.parent, (*above, str(path.resolve()))).profile()


class _Loader:
    def __init__(self, file: TomlFile, folder: Path | None, above: tuple[str, ...]) -> None:
        self._file = file
        self._folder = folder
        self._above = above

    def profile(self) -> Profile:
        file = self._file
        known = {"schema", "profile", "document", "clause", "message", *SECTIONS}
        if file.table.get("schema", 1) != 1:
            raise file.wrong(("schema",), f"{file.table['schema']!r} is not supported; this version reads 1")
        file.check_keys((), file.table, known=known, required=("schema", "profile"))
        head = file.table_at(("profile",), file.table["profile"])
        file.check_keys(("profile",), head, known=_PROFILE_KEYS, required=("id", "title", "scope"))
        text = {key: self._text(head, key) for key in ("id", "title", "title_zh", "scope") if key in head}
        if not _ID.fullmatch(text["id"]):
            raise file.wrong(("profile", "id"), "expected small letters, digits, and single . or - between")
        if self._folder is not None and text["id"] in shipped() and not self._is_shipped(text["id"]):
            raise file.wrong(
                ("profile", "id"),
                f"{text['id']!r} is the id of a profile that is shipped; choose one of your own",
            )
        bases = [self._base(name, at) for at, name in enumerate(self._list(head, "extends"))]
        if any(text["id"] in base.chain for base in bases):
            raise file.wrong(("profile", "id"), f"{text['id']!r} is the id of a profile that it extends")
        messages = self._messages(head, bases)
        documents = self._documents(bases)
        profile = Profile(
            **text,
            file=file.path,
            messages=messages,
            chain=(*dict.fromkeys(name for base in bases for name in base.chain), text["id"]),
            documents=documents,
            clauses=self._clauses(bases, documents),
            leaves=self._leaves(LeafReader(file, text["id"], documents), bases, messages),
        )
        if any(key.startswith("message.") for key in profile.leaves):
            from swapproto.profile.bind import bind

            bind(profile)
        return profile

    def _is_shipped(self, name: str) -> bool:
        """Whether this file, given by its path, is the shipped one itself."""
        return Path(self._above[-1]) == Path(str(_DATA / f"{name}{_SUFFIX}")).resolve()

    def _text(self, table: Mapping[str, object], key: str) -> str:
        value = table[key]
        if not isinstance(value, str) or not value.strip():
            raise self._file.wrong(("profile", key), "must be text, and not empty")
        return value

    def _list(self, table: Mapping[str, object], key: str) -> list[str]:
        value = table.get(key, [])
        if not isinstance(value, list) or not all(
            isinstance(each, str) for each in cast("list[object]", value)
        ):
            raise self._file.wrong(("profile", key), "must be a list of texts")
        names = cast("list[str]", value)
        if len(set(names)) != len(names):
            raise self._file.wrong(("profile", key), "names one thing twice")
        return names

    def _base(self, name: str, index: int) -> Profile:
        where = ("profile", "extends", str(index))
        if _is_toml(name):
            if self._folder is None:
                raise self._file.wrong(where, "a shipped profile extends shipped profiles, by their ids")
            path = self._folder / name
            self._check_cycle(where, name, str(path.resolve()))
            return _from_file(path, self._above)
        if name not in shipped():
            raise self._file.wrong(
                where,
                f"no profile {name!r} is shipped ({near(name, shipped())}); a file's name ends in .toml",
            )
        self._check_cycle(where, name, name)
        return _from_shipped(name, self._above if self._folder is None else ())

    def _check_cycle(self, where: Keys, name: str, identity: str) -> None:
        if identity in self._above:
            raise self._file.wrong(where, f"extends itself, by way of {name}")

    def _messages(self, head: Mapping[str, object], bases: Sequence[Profile]) -> tuple[str, ...]:
        own = self._list(head, "messages")
        if own:
            from swapproto.messages.catalog import SETS

            for index, name in enumerate(own):
                if name not in SETS:
                    where = ("profile", "messages", str(index))
                    raise self._file.wrong(where, f"no message set {name!r}; {near(name, SETS)}")
        return tuple(dict.fromkeys([*(name for base in bases for name in base.messages), *own]))

    def _documents(self, bases: Sequence[Profile]) -> Mapping[str, Document]:
        own = self._own_documents()
        found: dict[str, Document] = {}
        for base in bases:
            for name, document in base.documents.items():
                if name not in own and found.setdefault(name, document) != document:
                    raise self._file.wrong(
                        ("profile", "extends"), f"its profiles have two documents of the id {name!r}"
                    )
        return {**found, **own}

    def _own_documents(self) -> dict[str, Document]:
        file = self._file
        found: dict[str, Document] = {}
        for name, raw in file.table_at(("document",), file.table.get("document", {})).items():
            keys = ("document", name)
            table = file.table_at(keys, raw)
            if "id" in table or " " in name:
                raise file.wrong((*keys, "id"), "the id is the table's own name, without blanks")
            found[name] = self._convert(keys, {**table, "id": name}, Document)
        return found

    def _convert(self, keys: Keys, table: Mapping[str, object], kind: type[T]) -> T:
        """The typed form of a table; the error names the key at fault."""
        fields = msgspec.structs.fields(kind)
        required = [field.name for field in fields if field.required]
        self._file.check_keys(keys, table, known=[field.name for field in fields], required=required)
        try:
            return msgspec.convert(table, kind)
        except msgspec.ValidationError as error:
            reason, _, place = str(error).partition(" - at `$.")
            name = place.rstrip("`").partition("[")[0]
            raise self._file.wrong((*keys, name) if name else keys, reason) from None

    def _clauses(self, bases: Sequence[Profile], documents: Mapping[str, Document]) -> tuple[Clause, ...]:
        file = self._file
        raw = file.table.get("clause", [])
        if not isinstance(raw, list):
            raise file.wrong(("clause",), "must be an array of tables: [[clause]]")
        found = {(each.document, each.number): each for base in bases for each in base.clauses}
        own: set[tuple[str, str]] = set()
        for index, entry in enumerate(cast("list[object]", raw)):
            keys = ("clause", str(index))
            clause = self._convert(keys, file.table_at(keys, entry), Clause)
            if clause.document not in documents:
                hint = near(clause.document, documents)
                raise file.wrong(
                    (*keys, "document"), f"no [document.{clause.document}] in this profile; {hint}"
                )
            for at, name in enumerate(clause.keys):
                if name not in KEYS:
                    raise file.wrong((*keys, "keys", str(at)), f"no item {name!r}; {near(name, KEYS)}")
            place = (clause.document, clause.number)
            if place in own:
                raise file.wrong(
                    (*keys, "number"), f"the clause {clause.number} of {clause.document} stands twice"
                )
            own.add(place)
            found[place] = clause
        return tuple(found.values())

    def _leaves(
        self, reader: LeafReader, bases: Sequence[Profile], messages: tuple[str, ...]
    ) -> Mapping[str, Leaf]:
        raw = {**self._raw_items(), **self._raw_messages()}
        beneath = _beneath(bases)
        leaves: dict[str, Leaf] = {}
        for key, candidates in beneath.items():
            if key not in raw and len(candidates) > 1:
                told = "; ".join(f"{leaf.profile} has {leaf.text} ({leaf.place})" for leaf in candidates)
                raise self._file.wrong(
                    ("profile", "extends"),
                    f"two values for {key}: {told}; give it here, with what it replaces",
                )
            leaves[key] = candidates[0]
        for key, (keys, value) in raw.items():
            if key in KEYS:
                leaves[key] = reader.read(keys, value, KEYS[key], beneath.get(key, ()))
            else:
                leaves[key] = self._changed(reader, keys, value, beneath.get(key, ()), messages)
        items = {key: leaves[key] for key in KEYS if key in leaves}
        return {**items, **leaves}

    def _raw_items(self) -> dict[str, tuple[Keys, object]]:
        file = self._file
        found: dict[str, tuple[Keys, object]] = {}
        for section in SECTIONS:
            for item, value in file.table_at((section,), file.table.get(section, {})).items():
                keys, name = (section, item), f"{section}.{item}"
                if name not in KEYS:
                    raise file.wrong(keys, f"unknown key; {near(name, KEYS)}")
                found[name] = keys, value
        return found

    def _raw_messages(self) -> dict[str, tuple[Keys, object]]:
        """The leaves below [message.X] and [message.X.field.f]."""
        file = self._file
        found: dict[str, tuple[Keys, object]] = {}
        for name, message in file.table_at(("message",), file.table.get("message", {})).items():
            keys = ("message", name)
            for part, value in file.table_at(keys, message).items():
                if part != "field":
                    found[".".join((*keys, part))] = (*keys, part), value
                    continue
                for field, settings in file.table_at((*keys, part), value).items():
                    at = (*keys, part, field)
                    for setting, leaf in file.table_at(at, settings).items():
                        found[".".join((*at, setting))] = (*at, setting), leaf
        return found

    def _changed(
        self, reader: LeafReader, keys: Keys, raw: object, beneath: Sequence[Leaf], messages: tuple[str, ...]
    ) -> Leaf:
        """A leaf that changes what a message class declares."""
        from swapproto.profile.declared import NothingThere, parameter

        try:
            found = parameter(messages, keys)
        except NothingThere as error:
            raise self._file.wrong(keys, f"overrides nothing: {error}") from None
        leaf = reader.read(keys, raw, found, beneath or (found.leaf,))
        if not leaf.is_set:
            raise self._file.wrong(
                (*keys, "basis"), "a message that is sent has some value; give it, or leave it"
            )
        return leaf


def _beneath(bases: Sequence[Profile]) -> dict[str, list[Leaf]]:
    """For each key the different values of the bases; a value goes before unset."""
    found: dict[str, list[Leaf]] = {}
    for base in bases:
        for key, leaf in base.leaves.items():
            there = found.setdefault(key, [])
            if not any(_same(key, leaf.value, other.value) for other in there):
                there.append(leaf)
    return {key: [leaf for leaf in there if leaf.is_set] or there for key, there in found.items()}


def _same(key: str, one: Value, other: Value) -> bool:
    return KEYS[key].same(one, other) if key in KEYS else one == other
