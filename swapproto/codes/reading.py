"""What a code is made of, and what comes of reading one: the code, its faults, the doubts about it."""

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Generic, TypeVar

import msgspec

from swapproto.provenance import Source

Code = TypeVar("Code")


class Alphabet(msgspec.Struct, frozen=True, gc=False):
    """The characters that a place may hold, in their order of counting."""

    words: str
    """As a reader writes them: ``1-9 A-H J-N P R-Y``."""
    members: str

    def __contains__(self, text: str) -> bool:
        return len(text) == 1 and text in self.members

    def number(self, character: str) -> int | None:
        """The place of a character in the order, from zero; None for a stranger."""
        return self.members.index(character) if character in self else None

    def character(self, number: int) -> str | None:
        """The character at a place in the order; None beyond either end."""
        return self.members[number] if 0 <= number < len(self.members) else None


def alphabet(words: str) -> Alphabet:
    """An alphabet out of its ranges."""
    ranges = [(each[0], each[-1]) for each in words.split()]
    members = "".join(chr(code) for first, last in ranges for code in range(ord(first), ord(last) + 1))
    return Alphabet(words, members)


class CodeField(msgspec.Struct, frozen=True):
    """A run of characters with one meaning."""

    name: str
    first: int
    """Position of its first character, counted from one."""
    length: int
    alphabet: Alphabet
    source: Source

    @property
    def place(self) -> str:
        """Its positions in words: ``8-14``."""
        return str(self.first) if self.length == 1 else f"{self.first}-{self.first + self.length - 1}"

    def of(self, text: str) -> str:
        """The characters of this field in a whole code."""
        return text[self.first - 1 : self.first - 1 + self.length]

    def faults(self, text: str) -> "Iterator[Fault]":
        """Each character of the field that its alphabet does not know."""
        for position, character in enumerate(self.of(text), self.first):
            if character not in self.alphabet:
                reason = f"not one of {self.alphabet.words} ({self.name.replace('_', ' ')})"
                yield Fault(
                    FaultKind.CHARACTER, position, character, self.alphabet.words, reason, self.source
                )


def fields(*parts: tuple[str, int, Alphabet, Source]) -> tuple[CodeField, ...]:
    """Fields one after the other, from position one."""
    found: list[CodeField] = []
    first = 1
    for name, length, letters, source in parts:
        found.append(CodeField(name, first, length, letters, source))
        first += length
    return tuple(found)


class FaultKind(Enum):
    """What is wrong, so that a caller can tolerate one kind."""

    LENGTH = "length"
    CHARACTER = "character"
    CHECK_DIGIT = "check digit"


class Fault(msgspec.Struct, frozen=True):
    """A departure from a rule."""

    kind: FaultKind
    position: int
    """Counted from one; one past the end where a character is missing."""
    character: str | None
    """The character found there, None where one is missing."""
    expected: str
    reason: str
    source: Source
    """The rule that was broken, and how far it can be trusted."""

    def __str__(self) -> str:
        found = "nothing there" if self.character is None else ascii(self.character)
        return f"position {self.position}: {found}: {self.reason}"


class Doubt(msgspec.Struct, frozen=True):
    """What the sources leave open, or what follows the rules and yet cannot be."""

    position: int | None
    """Counted from one; None where the whole code is in doubt."""
    reason: str
    sources: tuple[Source, ...]

    def __str__(self) -> str:
        return self.reason if self.position is None else f"position {self.position}: {self.reason}"


class Reading(msgspec.Struct, Generic[Code], frozen=True):
    """A text as a code; the text is kept as it came, whatever it is."""

    text: str
    code: Code | None
    """None where the text does not have the form of the code."""
    faults: tuple[Fault, ...] = ()
    """In the order of their positions."""
    doubts: tuple[Doubt, ...] = ()

    @property
    def valid(self) -> bool:
        """No fault; doubts may remain."""
        return not self.faults


def wrong_length(
    text: str, expected: int, known: Sequence[CodeField], reason: str, source: Source
) -> tuple[Fault, ...]:
    """The faults of a text that is too short or too long: the fields are judged as far as they are known.

    What lies beyond the expected end is surplus, and only its first character is named.
    """
    at = min(len(text), expected)
    surplus = text[at : at + 1] or None
    length = Fault(FaultKind.LENGTH, at + 1, surplus, str(expected), reason, source)
    within = (fault for field in known for fault in field.faults(text[:at]))
    return (*within, length)
