"""The requirements of an edition: order and time from a file, messages from their declarations."""

from collections.abc import Iterator
from importlib.resources import files

from swapproto.messages.gbt27930 import MESSAGES, Party
from swapproto_conformance.requirement import Catalogue, Requirement, Role, parse_catalogue

FILE = "gbt27930-2015.toml"


def gbt27930_2015() -> Catalogue:
    """Everything that the cases refer to."""
    resource = files(__name__).joinpath(FILE)
    rules = parse_catalogue(resource.read_text(encoding="utf-8"), FILE)
    return Catalogue(FILE, [*rules, *_of_messages()])


def _of_messages() -> Iterator[Requirement]:
    for message in MESSAGES:
        if message.both_ways:
            continue
        role: Role = "charger" if message.sender is Party.CHARGER else "bms"
        name, source = message.__name__, message.source
        yield Requirement(
            id=f"GBT27930-2015/message/{name}-layout",
            role=role,
            title=f"{name} as laid down",
            title_zh=f"{name}报文格式",
            text=f"{name} has the length, fields and priority of its table; bits without a meaning are ones.",
            source=source.at,
            basis=source.basis,
            witnesses=source.witnesses,
        )
        if message.period_ms is not None:
            yield Requirement(
                id=f"GBT27930-2015/message/{name}-period",
                role=role,
                title=f"{name} every {message.period_ms} ms",
                title_zh=f"{name}周期{message.period_ms} ms",
                text=f"While it is due, {name} is sent every {message.period_ms} ms.",
                source=source.at,
                basis=source.basis,
                witnesses=source.witnesses,
            )
