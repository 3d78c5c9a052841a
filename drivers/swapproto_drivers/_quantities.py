"""Times and sizes with their units, as people write them in a link's options: 5ms, 2s, 100MB."""

import re
from collections.abc import Callable, Mapping

from swapproto.errors import LinkUnavailable
from swapproto.frame import MICROSECOND, MILLISECOND, SECOND

_TIMES = {"us": MICROSECOND, "ms": MILLISECOND, "s": SECOND, "min": 60 * SECOND, "h": 3600 * SECOND}
_SIZES = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_QUANTITY = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)([A-Za-z]+)", re.ASCII)


def parse_duration(text: str) -> int:
    """Nanoseconds; ValueError tells the forms."""
    return _parse(text, _TIMES, "a time: write 5ms, 2s, 10min or 1h")


def parse_size(text: str) -> int:
    """Bytes; ValueError tells the forms."""
    return _parse(text, _SIZES, "a size: write 64KiB, 100MB or 2GB")


def duration(link: str, options: Mapping[str, str], name: str) -> int | None:
    """An option's time in nanoseconds, None where it is not given."""
    return _option(link, options, name, parse_duration)


def size(link: str, options: Mapping[str, str], name: str) -> int | None:
    """An option's size in bytes, None where it is not given."""
    return _option(link, options, name, parse_size)


def _option(link: str, options: Mapping[str, str], name: str, parse: Callable[[str], int]) -> int | None:
    text = options.get(name)
    if text is None:
        return None
    try:
        return parse(text)
    except ValueError as error:
        raise LinkUnavailable(f"{link}: option {name}: {error}") from None


def _parse(text: str, units: Mapping[str, int], wanted: str) -> int:
    found = _QUANTITY.fullmatch(text)
    if found is None or found[2] not in units:
        raise ValueError(f"{text!r} is not {wanted}")
    return round(float(found[1]) * units[found[2]])
