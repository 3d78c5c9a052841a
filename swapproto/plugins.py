"""Links by URL: `name:rest?option=value`, where the name is an installed driver's entry point."""

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol, cast
from urllib.parse import parse_qsl

from swapproto.errors import LinkUnavailable
from swapproto.link import Link

GROUP = "swapproto.drivers"
_PIP_NAMES = {"can": "python-can[multicast]", "msgpack": "python-can[multicast]", "serial": "pyserial"}


class LinkFactory(Protocol):
    """What an entry point in the group names; LinkUnavailable for an option that it does not know."""

    def __call__(self, rest: str, options: Mapping[str, str]) -> Link: ...


def open_link(url: str, **options: str | float) -> Link:
    """Open a port by URL; keywords are options as in the query. LinkUnavailable tells what to do."""
    name, rest, merged = _split(url)
    for key, value in options.items():
        if key in merged:
            raise LinkUnavailable(f"{url}: option {key!r} is given twice, in the URL and as an argument")
        merged[key] = str(value)
    return _factory(name, url)(rest, merged)


def driver_names() -> list[str]:
    """The installed drivers, sorted; none of them is imported."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})


def _split(url: str) -> tuple[str, str, dict[str, str]]:
    address, question, query = url.partition("?")
    name, colon, rest = address.partition(":")
    if not name or not colon or not rest:
        raise LinkUnavailable(f"{url!r} is no link: write driver:port, as in can:socketcan:can0")
    if not question:
        return name, rest, {}
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True)
    except ValueError:
        pairs = []
    if not pairs:
        raise LinkUnavailable(f"{url}: write options as ?name=value&name=value")
    merged: dict[str, str] = {}
    for key, value in pairs:
        if key in merged:
            raise LinkUnavailable(f"{url}: option {key!r} is given twice")
        merged[key] = value
    return name, rest, merged


def _factory(name: str, url: str) -> LinkFactory:
    found = tuple(entry_points(group=GROUP, name=name))
    if not found:
        installed = ", ".join(driver_names()) or "none"
        raise LinkUnavailable(f"{url}: there is no driver {name!r}; installed: {installed}")
    entry = found[0]
    try:
        return cast("LinkFactory", entry.load())
    except ImportError as error:
        raise LinkUnavailable(
            f"{url}: driver {name!r} cannot be loaded ({error}); try: pip install {_package(entry, error)}"
        ) from error


def _package(entry: EntryPoint, error: ImportError) -> str:
    missing = (error.name or "").partition(".")[0]
    if missing in _PIP_NAMES:
        return f"'{_PIP_NAMES[missing]}'"
    return missing or (entry.dist.name if entry.dist is not None else entry.module)
