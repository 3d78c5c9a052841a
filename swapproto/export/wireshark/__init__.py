"""Wireshark: a dissector in Lua for SocketCAN captures, with transport reassembly and expert information.

One file a profile: what the messages are is made from the declaration; how they are read, put together and
shown is the same for every profile (``templates``). Wireshark 4.0 or newer; see docs/wireshark.md.
"""

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files as resources

from swapproto.export.source import Declaration
from swapproto.export.wireshark.lua import literal, table
from swapproto.export.wireshark.tables import message, transport
from swapproto.wire.reading import DeviationKind


def files(declared: Declaration) -> Mapping[str, bytes]:
    """The one script."""
    parts = [
        "\n".join(f"-- {line}" for line in declared.header),
        "\n".join(_profile(declared)),
        transport(declared),
        _template("reading.lua"),
        _template("transport.lua"),
        "\n".join(_messages(declared)),
        _template("dissector.lua"),
    ]
    text = "\n\n".join(part.rstrip("\n") for part in parts) + "\n"
    return {f"{declared.profile.id}.lua": text.encode()}


def _template(name: str) -> str:
    return (resources("swapproto.export.wireshark") / "templates" / name).read_text("utf-8")


def _profile(declared: Declaration) -> Iterator[str]:
    name = declared.profile.id
    yield "local PROFILE = {"
    yield f"  title = {literal(name)},"
    yield f"  filter = {literal('swapproto.' + re.sub(r'[^a-z0-9_]', '_', name.lower()))},"
    kinds = {kind.name.lower(): kind.value for kind in DeviationKind}
    yield f"  deviations = {table(kinds)},"
    yield "}"


def _messages(declared: Declaration) -> Iterator[str]:
    yield "local MESSAGES = {"
    for cls in declared.messages:
        yield from message(cls)
    yield "}"
