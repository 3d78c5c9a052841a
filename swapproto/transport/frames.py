"""TP.CM and TP.DT of J1939-21: numbers, encoders, segmentation.

The encoders write what they are told, so a tester can also write frames that break the rules;
ValueError only for a number that does not fit its bytes. Basis of all numbers here: reported,
and those of RTS, CTS and EndOfMsgAck observed as well.
"""

from enum import IntEnum

from swapproto.frame import CanFrame
from swapproto.j1939 import GLOBAL_ADDRESS

TP_CM = 0xEC
"""Bits 25 to 16 of the identifier of a connection management frame (PGN EC00h)."""
TP_DT = 0xEB
"""Bits 25 to 16 of the identifier of a data packet (PGN EB00h)."""

MIN_SIZE = 9
MAX_SIZE = 1785
PACKET_BYTES = 7
MAX_PACKETS = 255
NO_LIMIT = 0xFF
"""Byte 5 of an RTS that leaves the window to the receiver."""
DEFAULT_PRIORITY = 7
"""Of TP.CM and TP.DT [2+]."""
NULL_ADDRESS = 0xFE
"""What a node without an address sends from."""


class Control(IntEnum):
    """First byte of TP.CM."""

    RTS = 16
    CTS = 17
    END_OF_MSG_ACK = 19
    BAM = 32
    ABORT = 255


_CTS = Control.CTS.value


class AbortReason(IntEnum):
    """Second byte of an abort. Devices also send values outside this list (255 was recorded)."""

    ALREADY_IN_SESSION = 1
    RESOURCES = 2
    TIMEOUT = 3
    CTS_WHILE_SENDING = 4
    RETRANSMIT_LIMIT = 5
    UNEXPECTED_DATA = 6
    BAD_SEQUENCE = 7
    DUPLICATE_SEQUENCE = 8
    TOO_LARGE = 9
    OTHER = 250


_REASONS: dict[int, str] = {
    AbortReason.ALREADY_IN_SESSION: "already in a session",
    AbortReason.RESOURCES: "resources needed for another task",
    AbortReason.TIMEOUT: "timeout",
    AbortReason.CTS_WHILE_SENDING: "CTS while data was being sent",
    AbortReason.RETRANSMIT_LIMIT: "too many requests to retransmit",
    AbortReason.UNEXPECTED_DATA: "unexpected data packet",
    AbortReason.BAD_SEQUENCE: "bad sequence number",
    AbortReason.DUPLICATE_SEQUENCE: "duplicate sequence number",
    AbortReason.TOO_LARGE: "message too large",
    AbortReason.OTHER: "a reason that has no code",
}


def abort_text(code: int) -> str:
    """Words for the reason byte of an abort; total over all bytes."""
    return _REASONS.get(code, f"reserved reason {code}")


def is_transport(frame: CanFrame) -> bool:
    """Whether a frame is TP.CM or TP.DT, of whichever parties."""
    return frame.id >> 16 & 0x3FF in (TP_DT, TP_CM) and frame.extended and not frame.remote


def packet_count(size: int) -> int:
    """Packets that a payload of so many bytes takes."""
    return -(-size // PACKET_BYTES)


def packeted_pgn(data: bytes) -> int:
    """The PGN that a TP.CM frame of 8 bytes speaks of."""
    return data[5] | data[6] << 8 | data[7] << 16


def rts(pgn: int, size: int, packets: int | None = None, limit: int = NO_LIMIT) -> bytes:
    """Request to send; limit is the most packets that one CTS may ask for."""
    count = packet_count(size) if packets is None else packets
    return bytes((Control.RTS, size & 0xFF, size >> 8, count, limit)) + _pgn(pgn)


def cts(pgn: int, packets: int, next_packet: int) -> bytes:
    """Clear to send."""
    return bytes((_CTS, packets, next_packet, 0xFF, 0xFF, pgn & 0xFF, pgn >> 8 & 0xFF, pgn >> 16))


def cts_hold(pgn: int) -> bytes:
    """Clear to send nothing for now: keeps the connection open."""
    return cts(pgn, 0, 0xFF)


def end_of_msg_ack(pgn: int, size: int, packets: int | None = None) -> bytes:
    """The receiver has the whole payload."""
    count = packet_count(size) if packets is None else packets
    return bytes((Control.END_OF_MSG_ACK, size & 0xFF, size >> 8, count, 0xFF)) + _pgn(pgn)


def bam(pgn: int, size: int, packets: int | None = None) -> bytes:
    """Broadcast announce message."""
    count = packet_count(size) if packets is None else packets
    return bytes((Control.BAM, size & 0xFF, size >> 8, count, 0xFF)) + _pgn(pgn)


def abort(pgn: int, reason: int) -> bytes:
    """The connection is given up; the reason is an AbortReason or any byte."""
    return bytes((Control.ABORT, reason, 0xFF, 0xFF, 0xFF)) + _pgn(pgn)


def data_packets(payload: bytes) -> list[bytes]:
    """Cut a payload into the 8-byte data fields of TP.DT, the last one padded with FFh."""
    return [
        bytes((number,)) + payload[at : at + PACKET_BYTES].ljust(PACKET_BYTES, b"\xff")
        for number, at in enumerate(range(0, len(payload), PACKET_BYTES), start=1)
    ]


def cm_id(destination: int, source: int, priority: int = DEFAULT_PRIORITY) -> int:
    """Identifier of a TP.CM frame."""
    return priority << 26 | TP_CM << 16 | destination << 8 | source


def dt_id(destination: int, source: int, priority: int = DEFAULT_PRIORITY) -> int:
    """Identifier of a TP.DT frame."""
    return priority << 26 | TP_DT << 16 | destination << 8 | source


def can_answer(source: int) -> bool:
    """Whether a source address is one that a node may use, neither null nor global."""
    return source not in (NULL_ADDRESS, GLOBAL_ADDRESS)


def _pgn(pgn: int) -> bytes:
    return bytes((pgn & 0xFF, pgn >> 8 & 0xFF, pgn >> 16))
