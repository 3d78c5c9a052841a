"""`swapproto links`: which drivers and adapters there are, and what to install for more."""

import importlib
import json
import logging
import re
import sys
import textwrap
from collections.abc import Iterator, Sequence
from importlib.metadata import EntryPoint, entry_points, metadata
from typing import Annotated, Any

import msgspec
import typer

from swapproto.cli.links_detect import (
    Adapter,
    Detected,
    SerialPort,
    SocketCan,
    detect,
    serial_ports,
    socketcan,
)
from swapproto.cli.text import output, printable, table
from swapproto.plugins import GROUP

_PIP_NAMES = {"can": "python-can", "serial": "pyserial"}
"""Modules whose distribution has another name."""
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)[^;]*(?:;.*extra == ['\"]([^'\"]+)['\"])?")
_WIDTH = 110
_KEPT_OUT = ("test", "dev")
"""Extras that are for working on this project."""


class Driver(msgspec.Struct, frozen=True):
    """An installed driver; the texts are its own."""

    name: str
    target: str
    distribution: str
    works: bool
    about: str
    """First sentence of its documentation."""
    example: str
    """A URL, where its documentation has one."""
    options: str
    missing: str
    """Why it cannot be loaded, and what to do."""


class Interface(msgspec.Struct, frozen=True):
    """An interface of python-can."""

    name: str
    works: bool
    missing: str


class Found(msgspec.Struct, frozen=True):
    """All that the command tells."""

    drivers: tuple[Driver, ...]
    interfaces: tuple[Interface, ...]
    socketcan: tuple[SocketCan, ...]
    serial: tuple[SerialPort, ...]
    detected: Detected


def command(
    as_object: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    adapters: Annotated[
        bool, typer.Option("--detect/--no-detect", help="Look for adapters, or only list drivers.")
    ] = True,
) -> None:
    """List installed drivers, adapters that can be seen from here, and what to install for more.

    Adapters are looked for without opening any of them, for some seconds at most.
    """
    found = look(adapters=adapters)
    with output() as out:
        if as_object:
            out.write(json.dumps(as_json(found), indent=2) + "\n")
        else:
            out.writelines(printable(text) + "\n" for text in as_text(found))


def look(*, adapters: bool) -> Found:
    drivers = tuple(driver(entry) for entry in sorted(entry_points(group=GROUP), key=lambda e: e.name))
    found = interfaces()
    if not adapters:
        return Found(drivers, found, (), (), Detected((), ()))
    detected = detect([each.name for each in found if each.works])
    return Found(drivers, found, socketcan(), serial_ports(), detected)


def driver(entry: EntryPoint) -> Driver:
    """Load a driver and ask it about itself; whatever it breaks with is told."""
    distribution = "" if entry.dist is None else entry.dist.name
    try:
        factory = entry.load()
    except Exception as error:  # noqa: BLE001  (one that is broken hides none of the others)
        return Driver(entry.name, entry.value, distribution, False, "", "", "", _missing(error, entry))
    module = sys.modules.get(entry.module)
    about, example = introduction(entry.name, (module and module.__doc__) or "")
    return Driver(
        entry.name, entry.value, distribution, True, about, example,
        " ".join((getattr(factory, "__doc__", None) or "").split()), "",
    )  # fmt: skip


def introduction(name: str, documentation: str) -> tuple[str, str]:
    """The first sentence without its mark-up, and the first URL in it that is the driver's."""
    first = " ".join(documentation.split("\n\n", maxsplit=1)[0].split()).partition(". ")[0].rstrip(".")
    found = re.search(rf"`({re.escape(name)}:[^`]+)`", documentation)
    return first.replace("`", ""), found[1] if found else ""


def interfaces() -> tuple[Interface, ...]:
    """python-can's interfaces, and which of them can be imported; none without python-can."""
    try:
        from can.interfaces import BACKENDS
    except ImportError:
        return ()
    return tuple(_interface(name, BACKENDS[name][0]) for name in sorted(BACKENDS))


def _interface(name: str, module: str) -> Interface:
    before = logging.root.manager.disable
    logging.disable()
    try:
        importlib.import_module(module)
    except Exception as error:  # noqa: BLE001  (vendors' libraries break with anything)
        told = str(error).partition(" (/")[0]
        extras = metadata("python-can").get_all("Provides-Extra") or ()
        if _plain(name) in map(_plain, extras):
            return Interface(name, False, f"{told}; try: pip install 'python-can[{name}]'")
        return Interface(name, False, f"{told}; it needs its vendor's driver, or another system")
    finally:
        logging.disable(before)
    return Interface(name, True, "")


def _missing(error: Exception, entry: EntryPoint) -> str:
    told = f"{type(error).__name__}: {error}"
    if not isinstance(error, ImportError):
        return told
    module = (error.name or entry.module).partition(".")[0]
    return f"{told}; try: pip install {package(module, entry)}"


def package(module: str, entry: EntryPoint) -> str:
    """What pip installs for a missing module: an extra of the driver's own distribution, where there is."""
    wanted = _PIP_NAMES.get(module, module)
    requires: Sequence[str] = () if entry.dist is None else entry.dist.requires or ()
    for requirement in requires:
        match = _REQUIREMENT.match(requirement)
        if match is None or _plain(match[1]) != _plain(wanted) or match[2] in _KEPT_OUT:
            continue
        if match[2] is not None and entry.dist is not None:
            return f"'{entry.dist.name}[{match[2]}]'"
    return wanted


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def as_json(found: Found) -> dict[str, Any]:
    """The same as the text, with the keys of the structures here."""

    def rows(items: Sequence[SocketCan | SerialPort | Adapter]) -> list[dict[str, Any]]:
        return [{"url": each.url, **msgspec.to_builtins(each)} for each in items]

    return {
        "drivers": msgspec.to_builtins(found.drivers),
        "python_can": msgspec.to_builtins(found.interfaces),
        "socketcan": rows(found.socketcan),
        "serial": rows(found.serial),
        "adapters": rows(found.detected.adapters),
        "no_answer": list(found.detected.silent),
    }


def as_text(found: Found) -> Iterator[str]:
    yield "Drivers"
    for each in found.drivers:
        yield from _wrapped(
            each.name, each.about or each.target if each.works else f"missing: {each.missing}"
        )
        if each.example and each.example not in each.about:
            yield from _wrapped("", each.example)
        if each.options:
            yield from _wrapped("", each.options)
    yield ""
    yield "Adapters"
    rows = [*_adapters(found)]
    yield from table(("URL", "what", "state"), rows) if rows else ("  none seen",)
    if found.detected.silent:
        yield f"  no answer from python-can's {', '.join(found.detected.silent)}"
    yield ""
    working = [each.name for each in found.interfaces if each.works]
    yield "python-can interfaces, for can:INTERFACE:CHANNEL"
    yield f"  {', '.join(working) or 'none: pip install python-can'}"
    for interface in found.interfaces:
        if not interface.works:
            yield f"  {interface.name}: {interface.missing}"


def _wrapped(name: str, text: str) -> Iterator[str]:
    first, after = f"  {name:<11} ", " " * 14
    return iter(textwrap.wrap(text, _WIDTH, initial_indent=first, subsequent_indent=after))


def _adapters(found: Found) -> Iterator[tuple[str, str, str]]:
    for can in found.socketcan:
        rate = "no bit rate set" if can.bitrate is None else f"{can.bitrate / 1000:g} kbit/s"
        parts = ["up" if can.up else f"down: ip link set {can.name} up type can bitrate RATE"]
        parts += [rate] if can.kind not in ("vcan", "vxcan") else []
        parts += [can.state] if can.state else []
        parts += ["listen-only"] if can.listen_only else []
        yield can.url, f"SocketCAN, {can.kind or 'kind unknown'}", ", ".join(parts)
    for adapter in found.detected.adapters:
        yield adapter.url, f"python-can {adapter.interface}", ""
    for port in found.serial:
        yield port.url, f"serial port, if an SLCAN adapter is behind it: {port.description}", port.hardware
