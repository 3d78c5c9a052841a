"""The declaration as C sees it: members and their types, numbered fields, named enumerations."""

from functools import cached_property
from typing import Any

import msgspec

from swapproto.export.c.names import NotInC, Unique, member, snake
from swapproto.export.source import Declaration
from swapproto.wire.fields import BcdTime, Choice, Code, Integer, Raw, Text
from swapproto.wire.layout import Field, Layout
from swapproto.wire.message import Message

MOST_FIELDS = 64
"""Bits of the mask that says which fields are present, or odd."""
_INT32 = range(-(1 << 31), 1 << 31)
_UINT32 = range(1 << 32)
_LONGEST_TEXT = 255


class Member(msgspec.Struct, frozen=True, dict=True):
    """One field of fixed place as a member of a struct."""

    field: Field
    number: int

    @property
    def name(self) -> str:
        return member(self.field.name)

    @property
    def macro(self) -> str:
        return self.field.name.upper()

    @property
    def numeric(self) -> bool:
        return isinstance(self.field.marker, Integer | Choice)

    @property
    def size(self) -> int:
        """Bytes of text or raw bytes."""
        return self.field.bits // 8

    @cached_property
    def integer(self) -> str:
        """The integer type of a number, signed so that values out of range can be told and are refused."""
        field = self.field
        if field.code is not None:
            return "uint8_t" if field.bits <= 8 else "uint32_t"
        lowest = field.raw_floor * field.numerator + field.shift
        highest = (field.raw_floor + field.mask) * field.numerator + field.shift
        if lowest in _INT32 and highest in _INT32:
            return "int32_t"
        return "uint32_t" if lowest in _UINT32 and highest in _UINT32 else "int64_t"

    @property
    def declared(self) -> str:
        match self.field.marker:
            case Text():
                return f"swap_text_{self.size}_t {self.name};"
            case Raw():
                return f"uint8_t {self.name}[{self.size}];"
            case BcdTime():
                return f"swap_time_t {self.name};"
            case _:
                return f"{self.integer} {self.name};"

    def count(self, physical: float) -> int:
        """A physical value in the units that the member counts."""
        return round(physical * self.field.denominator)


class Record(msgspec.Struct, frozen=True, dict=True):
    """A struct: of a message, or of an item that repeats in one."""

    name: str
    layout: Layout
    item: "Record | None" = None
    """What repeats in the tail, None where that is opaque or there is none."""
    scalar: bool = False
    """Whether this is an item that is no struct but a plain integer."""

    @cached_property
    def members(self) -> tuple[Member, ...]:
        return tuple(Member(field, number) for number, field in enumerate(self.layout.fields))

    @property
    def type(self) -> str:
        return self.members[0].integer if self.scalar else f"swap_{self.name}_t"

    @property
    def macro(self) -> str:
        return f"SWAP_{self.name.upper()}"

    @property
    def has_optional(self) -> bool:
        return any(field.optional for field in self.layout.fields)

    @property
    def tail(self) -> str:
        """The member that holds the tail."""
        assert self.layout.tail is not None
        return member(self.layout.tail.name)


class Entry(msgspec.Struct, frozen=True):
    """A message under one identifier."""

    cls: type[Message]
    record: Record
    identifier: int


class Model:
    """All records of a declaration; NotInC names what no C struct can hold."""

    def __init__(self, declared: Declaration) -> None:
        self.declared = declared
        self._records = Unique()
        self._codes = Unique()
        self.items: dict[str, Record] = {}
        self.messages: dict[type[Message], Record] = {}
        for cls in declared.messages:
            self.messages[cls] = self._message(cls)
        self.codes: dict[type[Code], str] = {
            code: self._codes.name(code, snake(code.__name__))
            for record in (*self.items.values(), *self.messages.values())
            for field in record.layout.fields
            if (code := field.code) is not None
        }

    @property
    def records(self) -> tuple[Record, ...]:
        """Items before the messages that hold them."""
        return (*self.items.values(), *self.messages.values())

    @property
    def entries(self) -> tuple[Entry, ...]:
        return tuple(
            Entry(cls, record, can_id)
            for cls, record in self.messages.items()
            for can_id in cls.identifiers()
        )

    @property
    def text_sizes(self) -> tuple[int, ...]:
        """Every length of text that a member has room for."""
        texts = (each for record in self.records for each in record.members)
        return tuple(sorted({each.size for each in texts if isinstance(each.field.marker, Text)}))

    def _message(self, cls: type[Message]) -> Record:
        layout, item = cls.layout, None
        name = self._records.name(cls, snake(cls.__name__))
        if layout.tail is not None and layout.tail.item is not None:
            item = self._item(name, layout.tail.name, layout.tail.item, layout.tail.scalar)
        return _checked(Record(name, layout, item))

    def _item(self, message: str, tail: str, layout: Layout, scalar: bool) -> Record:
        key: Any = (message, tail) if scalar else layout.cls
        wanted = f"{message}_{tail}_item" if scalar else snake(layout.name)
        name = self._records.name(key, wanted)
        return self.items.setdefault(name, _checked(Record(name, layout, scalar=scalar)))


def _checked(record: Record) -> Record:
    layout = record.layout
    if len(layout.fields) + (layout.tail is not None) > MOST_FIELDS:
        raise NotInC(f"{layout.name}: more than {MOST_FIELDS} fields in one message")
    for field in layout.fields:
        where = f"{layout.name}.{field.name}"
        if isinstance(field.marker, Text) and field.bits // 8 > _LONGEST_TEXT:
            raise NotInC(f"{where}: text of more than {_LONGEST_TEXT} characters")
        if field.numerator not in _INT32 or field.shift not in _INT32 or field.denominator not in _INT32:
            raise NotInC(f"{where}: scale and offset do not fit integers of 32 bits")
        if field.code is not None and any(code.value not in _INT32 for code in field.code):
            raise NotInC(f"{where}: a code of {field.code.__name__} is larger than an enumerator can be")
    return record
