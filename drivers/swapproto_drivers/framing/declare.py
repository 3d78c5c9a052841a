"""Packed structs declared with construct, which has no types of its own; they are given here."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

construct: Any = import_module("construct")


class Layout:
    """Fields in the order of the wire, each a construct of construct's; nothing between them."""

    def __init__(self, **fields: Any) -> None:
        self.struct = construct.Struct(**fields)

    @property
    def size(self) -> int | None:
        """Bytes, None where the fields tell only when read."""
        try:
            return int(self.struct.sizeof())
        except construct.SizeofError:
            return None

    def parse(self, data: bytes) -> dict[str, Any]:
        """Values by field, sequences as lists; construct.ConstructError where data is too short."""
        return dict(self.struct.parse(data))

    def build(self, values: Mapping[str, object]) -> bytes:
        """The bytes of these values; construct.ConstructError where one does not fit."""
        return bytes(self.struct.build(values))
