"""Finds the message class of an identifier, in the family and edition that is spoken."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from enum import Enum
from functools import cache
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from swapproto.errors import SwapError
from swapproto.messages import gbt27930
from swapproto.messages.gbt27930 import ChargingMessage, Edition, Party, edition2011, edition2023
from swapproto.wire.message import Message

M = TypeVar("M", bound=Message)

EDITIONS: dict[Edition, tuple[type[ChargingMessage], ...]] = {
    Edition.GBT_2011: edition2011.MESSAGES,
    Edition.GBT_2015: gbt27930.MESSAGES,
    Edition.GBT_2023A: edition2023.MESSAGES,
}


class UnknownMessage(SwapError, LookupError):
    """No message of that name; the text lists near matches."""


class MessageSet(Generic[M]):
    """The messages of one family as one specification has them, by identifier and by name."""

    def __init__(self, name: str, messages: Iterable[type[M]]) -> None:
        self.name = name
        """How errors and reports call the set."""
        self.messages = tuple(messages)
        self._by_identifier = {
            can_id: (message, sender)
            for message in self.messages
            for can_id, sender in message.identifiers().items()
        }
        self._by_name = {message.__name__.upper(): message for message in self.messages}

    def __iter__(self) -> Iterator[type[M]]:
        return iter(self.messages)

    def __contains__(self, can_id: object) -> bool:
        return can_id in self._by_identifier

    def by_identifier(self, can_id: int) -> tuple[type[M], Enum] | None:
        """Class and sender of a single frame's 29-bit identifier."""
        return self._by_identifier.get(can_id)

    def by_name(self, name: str) -> type[M]:
        """Class by its name, in any case; UnknownMessage lists near matches."""
        if (found := self._by_name.get(name.upper())) is not None:
            return found
        near = get_close_matches(name.upper(), self._by_name, n=3, cutoff=0.5)
        there = near or self._by_name
        names = ", ".join(self._by_name[each].__name__ for each in there)
        raise UnknownMessage(
            f"no message {name!r} in {self.name}; {'near' if near else 'there are'}: {names}"
        )


class Catalogue(MessageSet[ChargingMessage]):
    """The messages of one edition of GB/T 27930, found by PGN and sender too; a maker may have added some."""

    def __init__(
        self,
        edition: Edition = Edition.GBT_2015,
        messages: Iterable[type[ChargingMessage]] | None = None,
        *,
        name: str | None = None,
    ) -> None:
        """The messages are those that are declared for the edition, unless variants of them are given."""
        super().__init__(
            f"GB/T 27930 edition {edition.value}" if name is None else name,
            EDITIONS[edition] if messages is None else messages,
        )
        self.edition = edition
        self.extended = any(message.extension for message in self.messages)
        """Whether messages that a maker added are among them."""
        self._by_pgn = {
            (message.pgn, sender.value): message for message, sender in self._by_identifier.values()
        }

    def by_identifier(self, can_id: int) -> tuple[type[ChargingMessage], Party] | None:
        """Class and sender of a single frame's 29-bit identifier."""
        found = self._by_identifier.get(can_id)
        return None if found is None else (found[0], Party(found[1].value))

    def by_pgn(self, pgn: int, source: int) -> type[ChargingMessage] | None:
        """Class of a payload that came over the transport protocol from a source address."""
        return self._by_pgn.get((pgn, source))


def station_charging(edition: Edition = Edition.GBT_2015) -> Catalogue:
    """An edition with a maker's station extensions; that of 2015 has the sizes of the maker's file."""
    from swapproto.messages.station_charging import EXTENSIONS, standard

    base = standard.MESSAGES if edition is Edition.GBT_2015 else EDITIONS[edition]
    return Catalogue(edition, (*base, *EXTENSIONS), name="the station charging extensions")


def _pack_can() -> MessageSet[Any]:
    from swapproto.messages import pack_can

    return MessageSet("the pack CAN family D0/F3", pack_can.MESSAGES)


_MAKERS: Mapping[str, Callable[[], MessageSet[Any]]] = MappingProxyType(
    {
        "gbt27930-2011": lambda: Catalogue(Edition.GBT_2011),
        "gbt27930-2015": lambda: Catalogue(Edition.GBT_2015),
        "gbt27930-2023a": lambda: Catalogue(Edition.GBT_2023A),
        "pack-can-d0f3": _pack_can,
        "station-charging-ext": station_charging,
    }
)

SETS: tuple[str, ...] = tuple(_MAKERS)
"""The message sets that are declared here, each the base edition of the profile of its name."""


@cache
def message_set(name: str) -> MessageSet[Any]:
    """The set of that name, made when first asked for; UnknownMessage lists the names."""
    try:
        return _MAKERS[name]()
    except KeyError:
        raise UnknownMessage(f"no message set {name!r}; there are: {', '.join(SETS)}") from None
