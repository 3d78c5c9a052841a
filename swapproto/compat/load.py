"""Descriptors and scenarios from files."""

from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import cast

from swapproto.compat.descriptor import Descriptor, Device, Standing
from swapproto.compat.keys import SECTIONS
from swapproto.compat.parse import HEADER, Defaults, Entry, Reader, device
from swapproto.compat.scenario import Fact, Scenario
from swapproto.tomlfile import TomlFile, parse_toml, read_toml

PILOT = "pilot-network.toml"
_KINDS = {each.value: each for each in Device}
_SCENARIO = ("id", "title", "title_zh", "text", "text_zh", "suppose", "basis", "why")
_FACT = ("text", "text_zh", "at", "basis", "witnesses")


def load_descriptor(path: Path) -> Descriptor:
    """Read one device; ProfileError names file, line and key."""
    return _descriptor(read_toml(path))


def parse_descriptor(text: str, path: str) -> Descriptor:
    """The same from text; `path` is what errors name."""
    return _descriptor(parse_toml(text, path))


def load_scenario(path: Path | None = None) -> Scenario:
    """Read the devices of a network; without a path, the network of the pilot that is shipped."""
    return _scenario(
        read_toml(path if path is not None else files("swapproto.compat").joinpath("data", PILOT))
    )


def parse_scenario(text: str, path: str) -> Scenario:
    """The same from text; `path` is what errors name."""
    return _scenario(parse_toml(text, path))


def _descriptor(file: TomlFile) -> Descriptor:
    reader, at = Reader(file), ("descriptor",)
    _check_schema(file)
    file.check_keys((), file.table, known=("schema", "descriptor", *SECTIONS), required=("descriptor",))
    head = file.table_at(at, file.table["descriptor"])
    file.check_keys(at, head, known=("kind", "id", *HEADER), required=("kind", "id"))
    kind, name = reader.text(head, at, "kind"), reader.text(head, at, "id")
    if kind not in _KINDS:
        raise file.wrong((*at, "kind"), f"{kind!r} is none of {', '.join(_KINDS)}")
    if not name:
        raise file.wrong((*at, "id"), "is empty")
    return device(reader, Entry(_KINDS[kind], name, head, at, file.table, ()), Defaults())


def _scenario(file: TomlFile) -> Scenario:
    reader, at = Reader(file), ("scenario",)
    _check_schema(file)
    file.check_keys((), file.table, known=("schema", "scenario", "fact", *_KINDS), required=("scenario",))
    head = file.table_at(at, file.table["scenario"])
    file.check_keys(at, head, known=_SCENARIO, required=("id", "title"))
    suppose = head.get("suppose", False)
    if not isinstance(suppose, bool):
        raise file.wrong((*at, "suppose"), "must be true or false")
    defaults = Defaults(reader.standing(head, at, Standing.DECLARED), reader.text(head, at, "why"), suppose)
    found: dict[str, dict[str, Descriptor]] = {}
    for word in _KINDS:
        found[word] = {}
        for name, table in file.table_at((word,), file.table.get(word, {})).items():
            if any(name in others for others in found.values()):
                raise file.wrong((word, name), "another device has this name")
            found[word][name] = _device(reader, word, name, table, found[word], defaults)
    return Scenario(
        id=reader.text(head, at, "id"),
        title=reader.words(head, at, "title"),
        text=reader.words(head, at, "text"),
        suppose=suppose,
        facts=tuple(_facts(reader)),
        packs=tuple(found["pack"].values()),
        trucks=tuple(found["truck"].values()),
        stations=tuple(found["station"].values()),
        carriers=dict(_carriers(reader, found["truck"])),
        path=file.path,
    )


def _check_schema(file: TomlFile) -> None:
    if file.table.get("schema") != 1:
        raise file.wrong(("schema",), f"{file.table.get('schema')!r} is not supported; this version reads 1")


def _device(
    reader: Reader,
    word: str,
    name: str,
    raw: object,
    before: Mapping[str, Descriptor],
    defaults: Defaults,
) -> Descriptor:
    keys = (word, name)
    table = reader.file.table_at(keys, raw)
    like = reader.text(table, keys, "like")
    if like and like not in before:
        raise reader.file.wrong((*keys, "like"), f"no {word} {like!r} stands before this one")
    also = ("like", "group", "group_zh", *(("truck",) if word == Device.PACK.value else ()))
    reader.file.check_keys(keys, table, known=(*HEADER, *also, *SECTIONS))
    entry = Entry(_KINDS[word], name, table, keys, table, keys, before[like] if like else None)
    return device(reader, entry, defaults)


def _carriers(reader: Reader, trucks: Mapping[str, Descriptor]) -> Iterator[tuple[str, str]]:
    for name, entry in reader.file.table_at(("pack",), reader.file.table.get("pack", {})).items():
        keys = ("pack", name)
        truck = reader.text(reader.file.table_at(keys, entry), keys, "truck")
        if truck and truck not in trucks:
            raise reader.file.wrong((*keys, "truck"), f"no truck {truck!r} in this scenario")
        if truck:
            yield name, truck


def _facts(reader: Reader) -> Iterator[Fact]:
    entries = reader.file.table.get("fact", [])
    if not isinstance(entries, list):
        raise reader.file.wrong(("fact",), "must be [[fact]] tables")
    for number, entry in enumerate(cast("list[object]", entries)):
        keys = ("fact", str(number))
        table = reader.file.table_at(keys, entry)
        reader.file.check_keys(keys, table, known=_FACT, required=("text", "at", "basis"))
        yield Fact(
            text=reader.words(table, keys, "text"),
            at=reader.text(table, keys, "at"),
            standing=reader.standing(table, keys, Standing.REPORTED),
            witnesses=reader.count(table, keys, "witnesses"),
        )
