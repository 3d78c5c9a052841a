"""The PLC link of one real station: six packed structs behind the header 0xFFEE, one vendor's, observed.

All of it is [1]; little-endian is [inf]. Only PLCR1, PLCR3 and PLCW6 are public with all types; PLCR2 begins
with its heartbeat; what follows there, and the whole of PLCW4 and PLCW5, has no public types or offsets and
stays opaque bytes of unknown length. There is no length and no check: a struct of known size counts when a
header or silence follows it, one of unknown size ends at the next header or at silence. So what noise adds to
an opaque struct cannot be told from it, and a header inside of one splits it: those are counted as ambiguous.
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, TypeAlias

import msgspec

from swapproto.errors import LocalProtocolError
from swapproto.frame import MILLISECOND, Instant
from swapproto_drivers.framing.declare import Layout, construct
from swapproto_drivers.framing.reader import Dropped, Reason, Taken

UNKNOWN = 9999
"""Stands for a value that is not known [1]; None in the messages."""
LONGEST_OPAQUE = 1024
"""Bytes of an opaque struct at most; our bound."""


def _none_if_unknown(value: int, _context: object) -> int | None:
    return None if value == UNKNOWN else value


def _unknown_if_none(value: int | None, _context: object) -> int:
    return UNKNOWN if value is None else value


def _known(plain: Any) -> Any:
    return construct.ExprAdapter(
        plain,
        _none_if_unknown,
        _unknown_if_none,
    )


U8 = construct.Int8ul
U16 = _known(construct.Int16ul)
I16 = _known(construct.Int16sl)
COUNTER = construct.Int16ul
REST = construct.GreedyBytes
HEADER = Layout(header=construct.Const(0xFFEE, construct.Int16ul), stream=construct.Int8ul)
HEADER_SIZE = 3
START = b"\xee\xff"


class PLCR1(msgspec.Struct, frozen=True, gc=False):
    """Chargers and the queue; the scale of the temperatures is not public."""

    charger_states: tuple[int | None, ...]
    outlet_temperatures: tuple[int | None, ...]
    truck_queue: int | None


class PLCR2(msgspec.Struct, frozen=True, gc=False):
    """The station's heartbeat, then its commands in bytes whose types are not public."""

    heartbeat: int
    rest: bytes = b""


class PLCR3(msgspec.Struct, frozen=True, gc=False):
    """The truck's state; a base lock status of 2 is locked."""

    bsc_connected: int
    handbrake: int | None
    key: int | None
    gear: int | None
    base_lock: int | None
    charge_connector: int | None
    discharge_connector: int | None
    pack_type: int | None


class PLCW4(msgspec.Struct, frozen=True, gc=False):
    """Bays, hoist and mains meter, in bytes whose types are not public."""

    rest: bytes = b""


class PLCW5(msgspec.Struct, frozen=True, gc=False):
    """Robot, positions, warning and error words, in bytes whose types are not public."""

    rest: bytes = b""


class PLCW6(msgspec.Struct, frozen=True, gc=False):
    """What the robot asks of the locks."""

    unlock_request: int
    lock_request: int


PlcMessage: TypeAlias = PLCR1 | PLCR2 | PLCR3 | PLCW4 | PLCW5 | PLCW6


class Side(Enum):
    """Who sends a struct."""

    STATION = "station"
    PLC = "PLC"

    @property
    def other(self) -> "Side":
        return Side.PLC if self is Side.STATION else Side.STATION


class Rule(Enum):
    """When a struct is sent."""

    ALWAYS = "always"
    TRUCK = "only from BSC connection until swap done"
    SWAP = "only during a swap"


class PlcStruct(msgspec.Struct, frozen=True):
    """A struct of the link: who sends it, how often and when, and its fields behind the header."""

    stream: int
    sender: Side
    period: Instant
    rule: Rule
    message: type[PlcMessage]
    fields: Layout
    size: int | None
    """Bytes with the header, None where they are not public."""


def _struct(
    stream: int, sender: Side, period: int, rule: Rule, message: type[PlcMessage], **fields: Any
) -> PlcStruct:
    layout = Layout(**fields)
    size = None if layout.size is None else HEADER_SIZE + layout.size
    return PlcStruct(stream, sender, period * MILLISECOND, rule, message, layout, size)


_TRUCK = ("handbrake", "key", "gear", "base_lock", "charge_connector", "discharge_connector", "pack_type")
_PC, _PLC, _ALWAYS = Side.STATION, Side.PLC, Rule.ALWAYS
_ROWS = (
    _struct(1, _PC, 1000, _ALWAYS, PLCR1, charger_states=U16[7], outlet_temperatures=I16[7], truck_queue=U16),
    _struct(2, _PC, 100, _ALWAYS, PLCR2, heartbeat=COUNTER, rest=REST),
    _struct(3, _PC, 100, Rule.TRUCK, PLCR3, bsc_connected=U8, **dict.fromkeys(_TRUCK, U16)),
    _struct(4, _PLC, 1000, _ALWAYS, PLCW4, rest=REST),
    _struct(5, _PLC, 100, _ALWAYS, PLCW5, rest=REST),
    _struct(6, _PLC, 100, Rule.SWAP, PLCW6, unlock_request=U8, lock_request=U8),
)
STRUCTS: Mapping[int, PlcStruct] = MappingProxyType({row.stream: row for row in _ROWS})
_BY_MESSAGE = {row.message: row for row in _ROWS}


def declared(message: PlcMessage) -> PlcStruct:
    """The struct that a message is sent as."""
    return _BY_MESSAGE[type(message)]


def encode(message: PlcMessage) -> bytes:
    """Header, stream number and fields; LocalProtocolError for a value that its field cannot hold."""
    row = declared(message)
    try:
        body = row.fields.build(msgspec.structs.asdict(message))
    except construct.ConstructError as error:
        raise LocalProtocolError(f"{type(message).__name__}: {error}") from error
    return HEADER.build({"stream": row.stream}) + body


def decode(data: bytes) -> PlcMessage:
    """A whole struct, with its header; construct's ConstructError where it is none."""
    row = STRUCTS[HEADER.parse(data)["stream"]]
    return msgspec.convert(row.fields.parse(data[HEADER_SIZE:]), row.message)


class PlcFraming:
    """Finds the structs of one sender; ``sizes`` gives whole sizes, by stream, to one who knows more."""

    def __init__(self, sender: Side, sizes: Mapping[int, int] | None = None) -> None:
        rows = [row for row in STRUCTS.values() if row.sender is sender]
        known = {row.stream: row.size for row in rows if row.size is not None}
        for stream, size in (sizes or {}).items():
            if stream not in {row.stream for row in rows} - set(known):
                raise LocalProtocolError(f"PLC link: stream {stream} of the {sender.value} is not opaque")
            if size < _least(stream):
                raise LocalProtocolError(f"PLC link: stream {stream} has at least {_least(stream)} bytes")
            known[stream] = size
        self._streams = {row.stream for row in rows}
        self._sizes = known
        self.longest = max(LONGEST_OPAQUE, *known.values()) + HEADER_SIZE
        self.recovery = (max(known.values()) - 1) // min(
            known.get(stream, _least(stream)) for stream in self._streams
        )
        """Clean structs that noise just before them may cost, if no header occurs inside of them."""

    def look(self, head: bytearray, *, silent: bool) -> Taken[PlcMessage] | Dropped | None:
        start = head.find(START)
        if start:
            useless = start if start > 0 else len(head) - head.endswith(START[:1])
            return Dropped(useless, Reason.NO_START) if useless else None
        if len(head) < HEADER_SIZE:
            return None
        stream = head[2]
        if stream not in self._streams:
            return Dropped(1, Reason.FORM)
        size = self._sizes.get(stream)
        return self._open(head, silent=silent) if size is None else self._sized(head, size, silent=silent)

    def _sized(self, head: bytearray, size: int, *, silent: bool) -> Taken[PlcMessage] | Dropped | None:
        if len(head) < size:
            return None
        behind = bytes(head[size : size + HEADER_SIZE])
        if self._is_start(behind):
            return Taken(decode(bytes(head[:size])), size)
        if len(behind) < HEADER_SIZE and START.startswith(behind[:2]):
            return Taken(decode(bytes(head[:size])), size, sure=not behind) if silent else None
        return Dropped(1, Reason.UNDELIMITED)

    def _open(self, head: bytearray, *, silent: bool) -> Taken[PlcMessage] | Dropped | None:
        end = head.find(START, HEADER_SIZE)
        while end >= 0 and not self._is_start(head[end : end + HEADER_SIZE]):
            end = head.find(START, end + 1)
        sure = end < 0
        if sure:
            if len(head) >= LONGEST_OPAQUE:
                return Dropped(1, Reason.LENGTH)
            if not silent:
                return None
            end = len(head)
        if end < _least(head[2]):
            return Dropped(1, Reason.FORM)
        return Taken(decode(bytes(head[:end])), end, sure=sure)

    def _is_start(self, data: bytes | bytearray) -> bool:
        return len(data) == HEADER_SIZE and data.startswith(START) and data[2] in self._streams


def _least(stream: int) -> int:
    """Bytes that a struct has at least."""
    size = STRUCTS[stream].size
    return size if size is not None else HEADER_SIZE + (2 if stream == 2 else 0)
