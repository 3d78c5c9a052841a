"""A protocol reference in Markdown and HTML: messages by phase or module, state diagrams, timers.

Every page is one file that needs no other: no script, no font, no request.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from jinja2 import Environment, PackageLoader, StrictUndefined

from swapproto import __version__
from swapproto.export.docs import diagram
from swapproto.export.docs.machines import machines, timers
from swapproto.export.docs.model import pages
from swapproto.export.source import Declaration
from swapproto.provenance import Source
from swapproto.wire.fields import Code
from swapproto.wire.message import Group

INDEX = "index"
_SPECIAL = re.compile(r"[\\`*_\[\]<>&|~]")
_LIST = re.compile(r"^(\d*)([-+#.)=])")
"""What begins a line as a heading or a list."""


def files(declared: Declaration) -> Mapping[str, bytes]:
    """Each page twice: ``.md`` and ``.html``."""
    environments = {"html": _environment(html=True), "md": _environment(html=False)}
    return {
        f"{name}.{suffix}": text.encode()
        for suffix, environment in environments.items()
        for name, text in _rendered(environment, suffix, declared)
    }


def _rendered(environment: Environment, suffix: str, declared: Declaration) -> Iterator[tuple[str, str]]:
    found, roles, limits = pages(declared), machines(declared), timers(declared)
    names = [
        (INDEX, "Index"),
        *((page.name, page.title) for page in found),
        *((machine.name, machine.title) for machine in roles),
        *([("timers", "Timers")] if limits else []),
    ]

    def render(template: str, name: str, title: str, **more: object) -> tuple[str, str]:
        text = environment.get_template(f"{template}.{suffix}.j2").render(
            declared=declared, version=__version__, names=names, name=name, title=title, **more
        )
        return name, text.strip() + "\n"

    yield render("index", INDEX, "Protocol reference", pages=found)
    for page in found:
        yield render("page", page.name, page.title, page=page)
    for machine in roles:
        picture = diagram.svg(machine) if suffix == "html" else diagram.mermaid(machine)
        yield render("machine", machine.name, machine.title, machine=machine, picture=picture)
    if limits:
        yield render("timers", "timers", "Timers", timers=limits)


def _environment(*, html: bool) -> Environment:
    environment = Environment(
        loader=PackageLoader("swapproto.export.docs", "templates"),
        autoescape=html,  # noqa: S701  (what is not HTML is Markdown)
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "cell": _cell,
        "prose": _prose,
        "basis": _basis,
        "spaced": _spaced,
        "value": _value,
    }
    return environment


def _cell(text: object) -> str:
    """Text in a Markdown table."""
    return " ".join(str(text).replace("|", "\\|").replace("<", "&lt;").split())


def _prose(text: object) -> str:
    """Text from a declaration or a profile in a line of Markdown, where it means nothing but itself."""
    line = _SPECIAL.sub(r"\\\g<0>", " ".join(str(text).split()))
    return _LIST.sub(r"\1\\\2", line)


def _basis(source: Source) -> str:
    """How far to trust it: ``reported, 2 witnesses``."""
    if not source.witnesses:
        return source.basis.value
    return f"{source.basis.value}, {source.witnesses} witness{'es' if source.witnesses != 1 else ''}"


def _spaced(hexadecimal: str) -> str:
    return bytes.fromhex(hexadecimal).hex(" ").upper()


def _value(value: object) -> str:
    """A value of a vector in words."""
    match value:
        case None:
            return "absent"
        case Code():
            return value.label
        case bytes():
            return value.hex(" ").upper()
        case tuple() | list():
            return "[" + "; ".join(_value(item) for item in cast("Iterable[object]", value)) + "]"
        case Group():
            return ", ".join(f"{name} {_value(getattr(value, name))}" for name in value.layout.names)
        case _:
            return str(value)
