"""Checksums and ciphers that makers keep to themselves, supplied by whoever has them.

A class says by ``sealed_field`` which of its fields is made this way. Without a seal that field is sent
as zero, and nothing that depends on it can be decided.
"""

from enum import Enum
from typing import Protocol, TypeVar

from msgspec.structs import replace

from swapproto.messages.pack_can.parties import PackMessage

M = TypeVar("M", bound=PackMessage)


class SealState(Enum):
    """What can be said of a received sealed field."""

    UNSET = "unset"
    """Nothing: the message has no such field, or no seal knows it."""
    GOOD = "good"
    BAD = "bad"


class Seal(Protocol):
    """A maker's algorithms, one object for all messages."""

    def value(self, message: PackMessage, payload: bytes) -> int | bytes | None:
        """What the sealed field has to hold, or None for a message that this seal does not know.

        In ``payload`` the sealed field is zero. A cipher that answers an earlier message keeps it itself.
        """
        ...


def sealed(message: M, seal: Seal | None) -> M:
    """The message as a sender puts it on the bus; unchanged where no seal knows it."""
    name = message.sealed_field
    if seal is None or name is None:
        return message
    value = seal.value(message, _bare(message, name, message.encode()))
    return message if value is None else replace(message, **{name: value})


def seal_state(message: PackMessage, seal: Seal | None, payload: bytes | None = None) -> SealState:
    """Whether a received message is sealed as it should be.

    Give the payload as it came where it is at hand: a checksum may cover bits that no field declares.
    """
    name = message.sealed_field
    if seal is None or name is None:
        return SealState.UNSET
    value = seal.value(message, _bare(message, name, message.encode() if payload is None else payload))
    if value is None:
        return SealState.UNSET
    return SealState.GOOD if value == getattr(message, name) else SealState.BAD


def _bare(message: PackMessage, name: str, payload: bytes) -> bytes:
    bare = bytearray(payload)
    message.layout.field(name).insert(bare, 0)
    return bytes(bare)
