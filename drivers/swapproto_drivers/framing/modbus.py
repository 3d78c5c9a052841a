"""Modbus frames of a serial line (RTU: unit, PDU, CRC) and of TCP (MBAP header, PDU), of either side."""

from enum import Enum

import msgspec

from swapproto_drivers.framing.reader import Dropped, Reason, Taken

LONGEST_RTU = 256
LONGEST_TCP = 260
_HEADER = 7
_BITS, _REGISTERS, _SINGLE, _MULTIPLE = (1, 2), (3, 4), (5, 6), (15, 16)


class Role(Enum):
    """Whose frames are read: those that a server hears, or those that a client hears."""

    SERVER = "server"
    CLIENT = "client"


class Adu(msgspec.Struct, frozen=True, gc=False):
    """A PDU for or from a unit; the transaction number is TCP's alone."""

    unit: int
    pdu: bytes
    transaction: int = 0


def crc(data: bytes | bytearray) -> int:
    """CRC-16/MODBUS: reflected polynomial 0x8005, start 0xFFFF; 0x4B37 over the digits 1 to 9."""
    value = 0xFFFF
    for byte in data:
        value = value >> 8 ^ _TABLE[(value ^ byte) & 0xFF]
    return value


def _entry(value: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return value


_TABLE = tuple(_entry(n) for n in range(256))


def encode_rtu(adu: Adu) -> bytes:
    """The frame for a serial line."""
    frame = bytes([adu.unit]) + adu.pdu
    return frame + crc(frame).to_bytes(2, "little")


def encode_tcp(adu: Adu) -> bytes:
    """The frame for TCP."""
    length = len(adu.pdu) + 1
    return (
        adu.transaction.to_bytes(2, "big")
        + bytes(2)
        + length.to_bytes(2, "big")
        + bytes([adu.unit])
        + adu.pdu
    )


class RtuFraming:
    """Finds frames by their CRC. The function code tells the length, so those of others hide nothing long."""

    longest = LONGEST_RTU

    def __init__(self, role: Role) -> None:
        self._size = _request_size if role is Role.SERVER else _response_size

    def look(self, head: bytearray, *, silent: bool) -> Taken[Adu] | Dropped | None:  # noqa: ARG002
        size = self._size(head)
        if size is None or len(head) < size <= LONGEST_RTU:
            return None
        if size == 0:
            return Dropped(1, Reason.FORM)
        if size > LONGEST_RTU:
            return Dropped(1, Reason.LENGTH)
        if crc(head[:size]) != 0:
            return Dropped(1, Reason.CHECK)
        return Taken(Adu(head[0], bytes(head[1 : size - 2])), size)


class TcpFraming:
    """Finds frames by their header; there is no check, for TCP has one."""

    longest = LONGEST_TCP

    def look(self, head: bytearray, *, silent: bool) -> Taken[Adu] | Dropped | None:  # noqa: ARG002
        if len(head) < _HEADER + 1:
            return None
        length = int.from_bytes(head[4:6], "big")
        if head[2] or head[3]:
            return Dropped(1, Reason.FORM)
        if not 2 <= length <= LONGEST_TCP - 6:
            return Dropped(1, Reason.LENGTH)
        size = 6 + length
        if len(head) < size:
            return None
        return Taken(Adu(head[6], bytes(head[_HEADER:size]), int.from_bytes(head[:2], "big")), size)


def _request_size(head: bytearray) -> int | None:
    """Bytes of the request that begins here: None if more must come to tell, 0 if it is none of ours."""
    if len(head) < 2:
        return None
    function = head[1]
    if function in _BITS + _REGISTERS + _SINGLE:
        return 8
    if function in _MULTIPLE:
        return None if len(head) < 7 else 9 + head[6]
    return 0


def _response_size(head: bytearray) -> int | None:
    if len(head) < 2:
        return None
    function = head[1]
    if function in _BITS + _REGISTERS:
        return None if len(head) < 3 else 5 + head[2]
    if function in _SINGLE + _MULTIPLE:
        return 8
    return 5 if function & 0x7F in _BITS + _REGISTERS + _SINGLE + _MULTIPLE else 0
