"""How long a classic CAN frame occupies the bus, and which one wins it: ISO 11898-1's frame, bit by bit."""

from swapproto.frame import CanFrame, check_frame

INTERMISSION = 3
"""Bits of idle bus that follow every frame before the next may start."""
TAIL = 10
"""Bits after the CRC: its delimiter, the ACK slot, the ACK delimiter and seven of EOF; never stuffed."""
ACK_ERROR = 6 + 8
"""An error flag and its delimiter, which follow the ACK slot of a frame that nobody acknowledged."""
SUSPEND = 8
"""Bits that an error-passive transmitter waits after the intermission."""

_CRC_POLYNOMIAL = 0x4599
_CACHE_LIMIT = 1 << 16
_cache: dict[CanFrame, int] = {}


def arbitration_key(frame: CanFrame) -> int:
    """The arbitration field as a number, bit by bit as sent: the lowest wins.

    Base identifier, then RTR or SRR, then IDE, so that of one base identifier a standard data frame
    beats a standard remote frame, which beats every extended frame.
    """
    if frame.extended:
        base, rest = frame.id >> 18, frame.id & 0x3FFFF
        return base << 21 | 0b11 << 19 | rest << 1 | frame.remote
    return frame.id << 21 | frame.remote << 20


def frame_bits(frame: CanFrame) -> int:
    """Bits on the wire from SOF to the last of EOF, stuff bits included, intermission not."""
    bits = _cache.get(frame)
    if bits is None:
        if len(_cache) >= _CACHE_LIMIT:
            _cache.clear()
        bits = _cache[frame] = _count(frame)
    return bits


def _count(frame: CanFrame) -> int:
    check_frame(frame)
    if frame.extended:
        # SOF, base identifier, SRR, IDE, extension, RTR, r1, r0, DLC
        head = (frame.id >> 18) << 27 | 0b11 << 25 | (frame.id & 0x3FFFF) << 7 | frame.remote << 6
        head_bits, filler = 39, 0b01
    else:
        # SOF, identifier, RTR, IDE, r0, DLC
        head = frame.id << 7 | frame.remote << 6
        head_bits, filler = 19, 0b010101
    head |= len(frame.data)
    data = b"" if frame.remote else frame.data
    # The CRC register starts at 0, so leading zero bits leave it alone.
    crc = 0
    for byte in head.to_bytes(5) + data:
        crc = (crc << 8 & 0x7FFF) ^ _CRC[(crc >> 7) ^ byte]
    # Filled up on the left to whole bytes, ending in a 1, so that SOF begins a run as on an idle bus.
    payload_bits = 8 * len(data)
    stream = (head << payload_bits | int.from_bytes(data)) << 15 | crc
    length = head_bits + payload_bits + 15
    stream |= filler << length
    stuffed = state = 0
    for byte in stream.to_bytes((length + 7) // 8):
        step = _STUFF[state | byte]
        stuffed += step & 0xFF
        state = step & ~0xFF
    return length + stuffed + TAIL


def _crc_table() -> list[int]:
    table: list[int] = []
    for byte in range(256):
        register = byte << 7
        for _ in range(8):
            register = register << 1 ^ (_CRC_POLYNOMIAL if register & 0x4000 else 0)
        table.append(register & 0x7FFF)
    return table


def _stuff_table() -> list[int]:
    """From (last bit, length of its run) over a byte to the new state (high bits) and stuff bits (low)."""
    table: list[int] = []
    for state in range(8):
        for byte in range(256):
            last, run, stuffed = state >> 2, (state & 3) + 1, 0
            for shift in range(7, -1, -1):
                bit = byte >> shift & 1
                run = run + 1 if bit == last else 1
                last = bit
                if run == 5:
                    stuffed += 1
                    last, run = 1 - bit, 1
            table.append((last << 2 | run - 1) << 8 | stuffed)
    return table


_CRC = _crc_table()
_STUFF = _stuff_table()
