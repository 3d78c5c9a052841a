"""What traffic can get wrong, as endpoint and listener both see it."""

from enum import StrEnum

from swapproto.transport.frames import MAX_SIZE, MIN_SIZE, PACKET_BYTES, packet_count


class Violation(StrEnum):
    """A rule of the transport that a frame broke."""

    FRAME_LENGTH = "frame is not of 8 bytes"
    UNKNOWN_CONTROL = "unknown control byte"
    BAD_SOURCE = "source address that no node may use"
    MISDIRECTED = "broadcast frame to one address, or connection frame to all"
    BAD_SIZE = "size outside 9 to 1785 bytes"
    PACKET_COUNT = "packet count does not fit the size"
    RTS_LIMIT = "RTS that allows no packet per CTS"
    CTS_ORPHAN = "CTS without a transfer"
    CTS_PACKET = "CTS that names packet 0, one beyond the end, or one that skips others"
    CTS_WINDOW = "CTS for more packets than remain or than the RTS allows"
    CTS_WHILE_SENDING = "CTS before the packets of the last one were sent"
    ACK_ORPHAN = "EndOfMsgAck without a transfer"
    ACK_EARLY = "EndOfMsgAck before all packets"
    ACK_CONTENT = "EndOfMsgAck with another size or packet count"
    ABORT_ORPHAN = "abort without a transfer"
    DATA_ORPHAN = "data packet without a transfer"
    PACKET_NUMBER = "packet number 0 or beyond the last packet"
    DUPLICATE = "duplicate packet"
    OUTSIDE_WINDOW = "packet that no CTS asked for"
    WRONG_SEQUENCE = "packet out of sequence"
    PADDING = "last packet not padded with FFh"


def announcement_fault(size: int, packets: int) -> Violation | None:
    """What is wrong with the numbers of an RTS or BAM."""
    if not MIN_SIZE <= size <= MAX_SIZE:
        return Violation.BAD_SIZE
    return None if packets == packet_count(size) else Violation.PACKET_COUNT


def holds_its_bytes(data: bytes, packets: int, size: int) -> bool:
    """Whether a data packet of a length other than 8 still carries all that its number promises."""
    if not data:
        return False
    need = size - PACKET_BYTES * (packets - 1) if data[0] == packets else PACKET_BYTES
    return len(data) > need


def padding_fault(data: bytes, packets: int, size: int) -> bool:
    """Whether the unused bytes of the last packet are anything but FFh."""
    return data[1 + size - PACKET_BYTES * (packets - 1) : 8].strip(b"\xff") != b""
