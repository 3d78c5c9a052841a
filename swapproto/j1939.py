"""The 29-bit identifier of J1939: priority, PGN, addresses."""

import msgspec

GLOBAL_ADDRESS = 0xFF
PDU1_LIMIT = 0xF0
"""PDU formats below this one carry a destination address in the PDU-specific byte."""


class Identifier(msgspec.Struct, frozen=True, gc=False):
    """A 29-bit identifier taken apart; destination is the global address for broadcast PGNs."""

    priority: int
    pgn: int
    destination: int
    source: int

    def pack(self) -> int:
        return identifier(self.pgn, self.priority, self.destination, self.source)


def identifier(pgn: int, priority: int, destination: int, source: int) -> int:
    """Build a 29-bit identifier; ValueError names the part that does not fit."""
    if not 0 <= priority <= 7:
        raise ValueError(f"priority {priority} is not in 0..7")
    if not 0 <= pgn <= 0x3FFFF:
        raise ValueError(f"PGN {pgn:#x} has more than 18 bits")
    if not (0 <= destination <= 0xFF and 0 <= source <= 0xFF):
        raise ValueError(f"address {destination:#x} or {source:#x} is not a byte")
    base = priority << 26 | pgn << 8 | source
    if pgn >> 8 & 0xFF >= PDU1_LIMIT:
        return base
    if pgn & 0xFF:
        raise ValueError(f"PGN {pgn:#06x} is addressed (PDU1): its low byte must be 0")
    return base | destination << 8


def parse(can_id: int) -> Identifier:
    """Take a 29-bit identifier apart; total over all 29-bit values."""
    pgn = can_id >> 8 & 0x3FFFF
    destination = GLOBAL_ADDRESS
    if pgn >> 8 & 0xFF < PDU1_LIMIT:
        destination = pgn & 0xFF
        pgn &= 0x3FF00
    return Identifier(can_id >> 26 & 7, pgn, destination, can_id & 0xFF)
