"""A profile in memory: one specification's items, each with its value and where that comes from."""

from collections.abc import Mapping
from datetime import date
from enum import Enum

import msgspec

from swapproto.errors import ProfileError
from swapproto.hints import near
from swapproto.profile.keys import KEYS
from swapproto.profile.values import Scalar, Value
from swapproto.provenance import Basis, Source, Weight, weight


class Read(Enum):
    """How far the author of a file has read a document."""

    FULL_TEXT = "full-text"
    EXCERPT = "excerpt"
    CONTENTS = "contents"
    ABSTRACT = "abstract"
    SECOND_HAND = "second-hand"
    NOTHING = "nothing"

    @property
    def text(self) -> bool:
        """Whether the words of the document itself were read, without which nothing of it is stated."""
        return self in {Read.FULL_TEXT, Read.EXCERPT}


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A document that values point at, with what is public about it."""

    id: str
    name: str
    read: Read
    issued: date | None = None
    in_force: date | None = None
    withdrawn: date | None = None
    reviewed: date | None = None
    replaces: str = ""
    replaced_by: str = ""
    facts: tuple[str, ...] = ()


class Clause(msgspec.Struct, frozen=True, kw_only=True):
    """A heading of a document's public table of contents."""

    document: str
    number: str
    title: str
    keys: tuple[str, ...] = ()
    """Items that the clause governs, by its title."""


class Leaf(msgspec.Struct, frozen=True, kw_only=True):
    """One value with its source; ``replaced`` is the value of the profile beneath, and so on to the base."""

    key: str
    value: Value
    """None where the basis is unset."""
    text: str
    """The value as a file would write it."""
    source: Source
    """Its ``at`` has the document's name; the leaf's own has the document's id, as the file writes it."""
    file: str
    """The file that holds it, or the module that declares it."""
    line: int | None
    profile: str
    at: str = ""
    document: Document | None = None
    """The document that `at` points at; None for what message classes declare."""
    replaced: "Leaf | None" = None

    @property
    def is_set(self) -> bool:
        return self.source.basis is not Basis.UNSET

    @property
    def weight(self) -> Weight:
        """What a requirement that rests on this value can decide."""
        return weight(self.source.basis, self.source.witnesses)

    @property
    def choices(self) -> tuple[Scalar, ...]:
        """The value as a tuple: the list, the one value, or nothing where it is unset."""
        if self.value is None:
            return ()
        return self.value if isinstance(self.value, tuple) else (self.value,)

    @property
    def place(self) -> str:
        """File and line."""
        return self.file if self.line is None else f"{self.file}:{self.line}"


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters of one specification, laid over those of the profiles that it extends."""

    id: str
    title: str
    scope: str
    file: str
    title_zh: str = ""
    messages: tuple[str, ...] = ()
    """Message sets that are spoken (swapproto.messages.catalog.SETS), those of the bases first."""
    chain: tuple[str, ...] = ()
    """Ids from the bases to this profile itself."""
    documents: Mapping[str, Document] = {}
    clauses: tuple[Clause, ...] = ()
    leaves: Mapping[str, Leaf] = {}
    """Items in the registry's order, then the values of messages that the profile changes."""

    def leaf(self, key: str) -> Leaf:
        """An item, or what a message class or a timer declares: ``pack.outline``, ``message.BCL.period``.

        An item on which the profile is silent is unset. ProfileError, with near matches, where there is no
        such key.
        """
        if (found := self.leaves.get(key)) is not None:
            return found
        if key in KEYS:
            return self._silent(key)
        others: Mapping[str, Leaf] = {}
        if key.partition(".")[0] in {"message", "timer"}:
            from swapproto.profile.declared import declared

            others = declared(self.messages)
            if (found := others.get(key)) is not None:
                return found
        reason = f"the profile {self.id} has no such key; {near(key, {*KEYS, *self.leaves, *others})}"
        raise ProfileError(self.file, key, reason)

    def _silent(self, key: str) -> Leaf:
        why = f"the profile {self.id} says nothing on it"
        source = Source(self.id, Basis.UNSET, 0, why)
        return Leaf(
            key=key, value=None, text="unset", source=source, file=self.file, line=None, profile=self.id
        )
