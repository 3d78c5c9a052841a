"""Values that are neither integers nor states: text, opaque bytes, packed BCD time."""

from datetime import datetime

BCD = tuple(high * 10 + low if high < 10 and low < 10 else None for high in range(16) for low in range(16))
"""Number of a packed BCD byte, None where a digit is above nine."""


def read_text(raw: bytes) -> str:
    """Strip the padding that devices use (FF, NUL, blank); non-ASCII bytes become surrogate escapes."""
    return raw.rstrip(b"\xff\x00 ").decode("ascii", "surrogateescape")


def write_text(value: str, size: int, pad: int) -> bytes:
    raw = value.encode("ascii", "surrogateescape")
    if len(raw) > size:
        raise ValueError(f"{len(raw)} characters; at most {size} fit")
    return raw.ljust(size, bytes([pad]))


def write_raw(value: bytes, size: int) -> bytes:
    if not isinstance(value, bytes | bytearray | memoryview):
        raise TypeError(f"bytes expected, not {type(value).__name__}")
    if len(value) != size:
        raise ValueError(f"{len(value)} bytes; exactly {size} are wanted")
    return bytes(value)


def read_time(raw: bytes) -> datetime | None:
    """Second, minute, hour, day, month, year low, year high in BCD; None where that is no date."""
    second, minute, hour, day, month, low, high = (BCD[byte] for byte in raw)
    if None in (second, minute, hour, day, month, low, high):
        return None
    try:
        return datetime(high * 100 + low, month, day, hour, minute, second)  # type: ignore[operator,arg-type]  # noqa: DTZ001  (None ruled out above; the wire knows no zone)
    except ValueError:
        return None


def write_time(value: datetime) -> bytes:
    year = value.year
    parts = (value.second, value.minute, value.hour, value.day, value.month, year % 100, year // 100)
    return bytes(part // 10 << 4 | part % 10 for part in parts)
