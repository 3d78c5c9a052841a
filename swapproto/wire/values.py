"""Values that are neither integers nor states: text, opaque bytes, packed BCD time."""

from datetime import datetime

BLANKS = b"\xff\x00 "
"""What devices fill text up with, whatever the pad byte should be."""

_from_iso = datetime.fromisoformat
_TO_BCD = bytes(number // 10 % 10 << 4 | number % 10 for number in range(256))


def read_text(raw: bytes, blanks: bytes = BLANKS) -> str:
    """Text without what it was filled up with; non-ASCII bytes become surrogate escapes."""
    return raw.rstrip(blanks).decode("ascii", "surrogateescape")


def write_text(value: object, size: int, pad: int) -> bytes:
    """ASCII and surrogate escapes at their full size; ValueError for what is too long or not ASCII."""
    if not isinstance(value, str):
        raise TypeError(f"text expected, not {value!r}")
    raw = value.encode("ascii", "surrogateescape")
    if len(raw) > size:
        raise ValueError(f"{len(raw)} characters; at most {size} fit")
    return raw.ljust(size, bytes([pad]))


def write_raw(value: object, size: int) -> bytes:
    """Exactly so many bytes; TypeError or ValueError for anything else."""
    if isinstance(value, memoryview):
        value = value.tobytes()
    if not isinstance(value, bytes | bytearray):
        raise TypeError(f"bytes expected, not {value!r}")
    if len(value) != size:
        raise ValueError(f"{len(value)} bytes; exactly {size} are wanted")
    return bytes(value)


def read_time(raw: bytes) -> datetime | None:
    """Second, minute, hour, day, month, year low, year high in BCD; None where that is no date."""
    try:  # backwards and in hexadecimal it is ISO 8601, where hour 24 may pass for the next midnight
        return _from_iso(raw[::-1].hex("T", -4)) if raw[2] < 0x24 else None
    except ValueError:
        return None


def write_time(value: object) -> bytes:
    """The seven bytes of a moment, fractions of a second cut off."""
    if not isinstance(value, datetime):
        raise TypeError(f"a date and time is expected, not {value!r}")
    high, low = divmod(value.year, 100)
    parts = bytes((value.second, value.minute, value.hour, value.day, value.month, low, high))
    return parts.translate(_TO_BCD)
