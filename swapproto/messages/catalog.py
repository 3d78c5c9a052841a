"""Finds the message class of an identifier, in the edition that is spoken."""

from collections.abc import Iterator
from difflib import get_close_matches

from swapproto.errors import SwapError
from swapproto.messages import gbt27930
from swapproto.messages.gbt27930 import ChargingMessage, Edition, Party, edition2011, edition2023

EDITIONS: dict[Edition, tuple[type[ChargingMessage], ...]] = {
    Edition.GBT_2011: edition2011.MESSAGES,
    Edition.GBT_2015: gbt27930.MESSAGES,
    Edition.GBT_2023A: edition2023.MESSAGES,
}


class UnknownMessage(SwapError, LookupError):
    """No message of that name; the text lists near matches."""


class Catalogue:
    """The messages of one edition, by identifier, by PGN and sender, and by name."""

    def __init__(self, edition: Edition = Edition.GBT_2015) -> None:
        self.edition = edition
        self.messages = EDITIONS[edition]
        self._by_identifier = {
            can_id: (message, sender)
            for message in self.messages
            for can_id, sender in message.identifiers().items()
        }
        self._by_pgn = {
            (message.pgn, sender.value): message for message, sender in self._by_identifier.values()
        }

    def __iter__(self) -> Iterator[type[ChargingMessage]]:
        return iter(self.messages)

    def by_identifier(self, can_id: int) -> tuple[type[ChargingMessage], Party] | None:
        """Class and sender of a single frame's 29-bit identifier."""
        return self._by_identifier.get(can_id)

    def by_pgn(self, pgn: int, source: int) -> type[ChargingMessage] | None:
        """Class of a payload that came over the transport protocol from a source address."""
        return self._by_pgn.get((pgn, source))

    def by_name(self, name: str) -> type[ChargingMessage]:
        """Class by its name, in any case; UnknownMessage lists near matches."""
        names = {message.__name__.upper(): message for message in self.messages}
        if (found := names.get(name.upper())) is not None:
            return found
        near = get_close_matches(name.upper(), names, n=3, cutoff=0.5)
        hint = f"; near: {', '.join(near)}" if near else f"; there are: {', '.join(names)}"
        raise UnknownMessage(f"no message {name!r} in GB/T 27930 edition {self.edition.value}{hint}")
