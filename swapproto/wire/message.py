"""The base of all message classes: declare the fields, and the codec is made with the class."""

from collections.abc import Mapping
from enum import Enum
from typing import Any, ClassVar, Literal, Self, dataclass_transform

import msgspec

from swapproto.frame import MILLISECOND, CanFrame
from swapproto.j1939 import identifier
from swapproto.provenance import Basis, Source
from swapproto.wire.codec import Codec, make_codec
from swapproto.wire.layout import Layout, LayoutError, read_layout
from swapproto.wire.reading import Reading


class Vector(msgspec.Struct, frozen=True):
    """A payload with the values that it means, and where the pair comes from."""

    payload: str
    """Hexadecimal, blanks allowed."""
    values: Mapping[str, object]
    at: str
    basis: Basis = Basis.OBSERVED
    canonical: bool = True
    """Whether our encoder writes these very bytes; False where the sender departs from the layout."""

    @property
    def data(self) -> bytes:
        return bytes.fromhex(self.payload)


class GroupMeta(msgspec.StructMeta):
    """Makes layout and codec when the class is made; plain class keywords are read from the class body."""

    def __new__(
        mcls,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        length: int | None = None,
        lengths: tuple[int, ...] = (),
        reserved_bit: Literal[0, 1] | None = None,
        frozen: Literal[True] = True,
        **spec: Any,
    ) -> type:
        cls: Any = super().__new__(mcls, name, bases, namespace, frozen=frozen, kw_only=True, gc=False)
        for key, value in spec.items():
            if key in cls.__struct_fields__:
                raise LayoutError(f"{name}: {key} is a property of the message and cannot name a field")
            setattr(cls, key, value)
        if reserved_bit is not None:
            cls.reserved_bit = reserved_bit
        if cls.__struct_fields__:
            cls.layout = read_layout(cls, length, lengths, cls.reserved_bit)
            codec = make_codec(cls.layout)
            for verb in ("decode", "read", "encode"):
                getattr(codec, verb).__doc__ = getattr(bases[-1], verb).__doc__
            cls.codec, cls.decode, cls.read = codec, staticmethod(codec.decode), staticmethod(codec.read)
            cls.encode = codec.encode
        return cls  # type: ignore[no-any-return]


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Group(msgspec.Struct, metaclass=GroupMeta, frozen=True):
    """Fields that belong together and repeat inside a message."""

    layout: ClassVar[Layout]
    codec: ClassVar[Codec]
    reserved_bit: ClassVar[int] = 1
    """What undeclared bits are sent as; zeros are ignored on reading."""

    @classmethod
    def decode(cls, payload: bytes) -> Self:  # noqa: ARG003  (each class gets its own)
        """Tolerant; CodecError only for what cannot be read at all."""
        raise LayoutError(f"{cls.__name__} declares no fields")

    @classmethod
    def read(cls, payload: bytes) -> Reading[Self]:  # noqa: ARG003
        """Never raises: the message or None, the deviations, the error."""
        raise LayoutError(f"{cls.__name__} declares no fields")

    def encode(self) -> bytes:
        """Strict: CodecError names the field whose value does not fit."""
        raise LayoutError(f"{type(self).__name__} declares no fields")


class Message(Group):
    """A message that a specification names; the class is the declaration for one edition.

    The class keywords become attributes of the class; ``layout`` and ``codec`` are made from the fields.
    """

    title: ClassVar[str]
    pgn: ClassVar[int]
    priority: ClassVar[int]
    period_ms: ClassVar[int | None]
    """Nominal period in milliseconds, None for messages sent on an event."""
    sender: ClassVar[Enum]
    source_address: ClassVar[int]
    destination_address: ClassVar[int]
    phase: ClassVar[Enum | None]
    optional: ClassVar[bool] = False
    """Whether a conforming device may leave the whole message out."""
    source: ClassVar[Source]
    VECTORS: ClassVar[tuple[Vector, ...]] = ()
    unseen: ClassVar[str] = ""
    """Why no vector from outside exists, where none does."""

    @classmethod
    def identifier(cls) -> int:
        """The 29-bit identifier of the single frame; longer payloads go over the transport protocol."""
        return identifier(cls.pgn, cls.priority, cls.destination_address, cls.source_address)

    @classmethod
    def identifiers(cls) -> Mapping[int, Enum]:
        """Every identifier under which the message travels in one frame, with its sender."""
        return {cls.identifier(): cls.sender}

    @classmethod
    def period(cls) -> int | None:
        """Nominal period in nanoseconds."""
        return None if cls.period_ms is None else cls.period_ms * MILLISECOND

    def frame(self) -> CanFrame:
        """The message in one frame; messages of more than 8 bytes need a Transport."""
        return CanFrame(self.identifier(), self.encode())
