"""Device tables of a TOML document, strictly: what is not understood is an error and never left out."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple, cast

import msgspec

from swapproto.compat.descriptor import Declared, Descriptor, Device, Standing, Value
from swapproto.compat.keys import KEYS, SECTIONS, Form, Key
from swapproto.compat.words import Words
from swapproto.hints import near
from swapproto.profile.values import (
    BadValue,
    Range,
    Scalar,
    check_positive,
    in_text,
    parse_outline,
    parse_quantity,
    parse_range,
)
from swapproto.tomlfile import Path, TomlFile

HEADER: Final = ("name", "name_zh", "maker", "note", "note_zh", "basis", "why")
_NOTHING: Final = Words("", "")
_LEAF: Final = ("value", "basis", "witnesses", "at", "why")


class Reader:
    """Reads typed parts of one file."""

    def __init__(self, file: TomlFile) -> None:
        self.file = file

    def text(self, table: Mapping[str, object], keys: Path, name: str, default: str = "") -> str:
        value = table.get(name, default)
        if not isinstance(value, str):
            raise self.file.wrong((*keys, name), "must be text")
        return value

    def words(self, table: Mapping[str, object], keys: Path, name: str, default: str = "") -> Words:
        """Of ``name`` and ``name_zh``; the English stands for both where the Chinese is left out."""
        english = self.text(table, keys, name, default)
        return Words(english, self.text(table, keys, f"{name}_zh", english))

    def count(self, table: Mapping[str, object], keys: Path, name: str) -> int:
        value = table.get(name, 0)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self.file.wrong((*keys, name), "must be a whole number, 0 or more")
        return value

    def standing(self, table: Mapping[str, object], keys: Path, default: Standing) -> Standing:
        written = self.text(table, keys, "basis", default.value)
        try:
            return Standing(written)
        except ValueError:
            names = ", ".join(each.value for each in Standing)
            raise self.file.wrong((*keys, "basis"), f"{written!r} is none of {names}") from None


class Defaults(NamedTuple):
    """What a plain value rests on."""

    standing: Standing = Standing.DECLARED
    why: str = ""
    supposed: bool = False


class Entry(NamedTuple):
    """One device of a file: its head, and the table in which its sections stand (the same in a scenario)."""

    kind: Device
    id: str
    head: Mapping[str, object]
    head_keys: Path
    body: Mapping[str, object]
    body_keys: Path
    like: Descriptor | None = None
    """What it does not say itself is as here."""


def device(reader: Reader, entry: Entry, defaults: Defaults) -> Descriptor:
    """Read one device, of whose tables the keys are known to be good."""
    head, keys, like = entry.head, entry.head_keys, entry.like
    standing = reader.standing(head, keys, defaults.standing)
    if standing is Standing.UNSET:
        raise reader.file.wrong(
            (*keys, "basis"), "is no basis for what is given; leave out what is not known"
        )
    why = reader.text(head, keys, "why", defaults.why if standing is defaults.standing else "")
    given = dict(_given(reader, entry, defaults._replace(standing=standing, why=why)))
    return Descriptor(
        kind=entry.kind,
        id=entry.id,
        name=reader.words(head, keys, "name", entry.id),
        maker=reader.text(head, keys, "maker", like.maker if like else ""),
        note=reader.words(head, keys, "note"),
        group=reader.words(head, keys, "group") if "group" in head or like is None else like.group,
        values={key: given.get(key) or _not_given(reader, entry, key, defaults) for key in KEYS[entry.kind]},
        file=reader.file.path,
    )


def _given(reader: Reader, entry: Entry, defaults: Defaults) -> Iterator[tuple[str, Declared]]:
    for section in SECTIONS:
        keys = (*entry.body_keys, section)
        for item, raw in reader.file.table_at(keys, entry.body.get(section, {})).items():
            key = f"{section}.{item}"
            if key not in KEYS[entry.kind]:
                here = [
                    name.removeprefix(f"{section}.") for name in KEYS[entry.kind] if name.startswith(section)
                ]
                reason = f"a {entry.kind.value} has no such key; {near(item, here)}"
                raise reader.file.wrong((*keys, item), reason)
            yield key, _declared(reader, raw, (*keys, item), entry, defaults)


def _not_given(reader: Reader, entry: Entry, key: str, defaults: Defaults) -> Declared:
    if entry.like is not None:
        return msgspec.structs.replace(entry.like[key], device=entry.id)
    return Declared(
        kind=entry.kind,
        device=entry.id,
        key=key,
        title=KEYS[entry.kind][key].title,
        value=None,
        text=_NOTHING,
        standing=Standing.UNSET,
        why="the descriptor does not give it",
        supposed=defaults.supposed,
        file=reader.file.path,
        line=reader.file.line(entry.head_keys),
    )


def _declared(reader: Reader, raw: object, keys: Path, entry: Entry, defaults: Defaults) -> Declared:
    key = ".".join(keys[-2:])
    what = KEYS[entry.kind][key]
    leaf = {"value": raw} if not isinstance(raw, dict) else cast("dict[str, object]", raw)
    reader.file.check_keys(keys, leaf, known=_LEAF)
    standing = reader.standing(leaf, keys, defaults.standing)
    witnesses = reader.count(leaf, keys, "witnesses")
    why = reader.text(leaf, keys, "why", defaults.why if standing is defaults.standing else "")
    for reason in _doubts(standing, witnesses, why, has_value="value" in leaf):
        raise reader.file.wrong(keys, reason)
    value, text = (
        (None, _NOTHING) if standing is Standing.UNSET else _value(reader, leaf["value"], keys, what)
    )
    return Declared(
        kind=entry.kind,
        device=entry.id,
        key=key,
        title=what.title,
        value=value,
        text=text,
        standing=standing,
        witnesses=witnesses,
        at=reader.text(leaf, keys, "at"),
        why=why,
        supposed=defaults.supposed,
        file=reader.file.path,
        line=reader.file.line(keys),
    )


def _doubts(standing: Standing, witnesses: int, why: str, *, has_value: bool) -> Iterator[str]:
    if has_value is (standing is Standing.UNSET):
        yield "what is unset has no value" if has_value else "has no value; basis = 'unset' says so"
    if standing not in {Standing.DECLARED, Standing.STATED} and not why.strip():
        yield f"what is {standing.value} says why"
    if standing in {Standing.REPORTED, Standing.OBSERVED} and witnesses < 1:
        yield f"what is {standing.value} has at least one witness"
    if standing in {Standing.DECLARED, Standing.ASSUMED, Standing.UNSET} and witnesses:
        yield f"what is {standing.value} has no witness"


def _value(reader: Reader, raw: object, keys: Path, what: Key) -> tuple[Value, Words]:
    many = what.form in (Form.NAMES, Form.COUNTS, Form.QUANTITIES)
    entries: list[object] = cast("list[object]", raw) if isinstance(raw, list) and many else [raw]
    if not entries:
        raise reader.file.wrong(keys, f"is empty; expected {what.form.value}")
    try:
        value = tuple(_scalar(each, what) for each in entries)
    except BadValue as error:
        raise reader.file.wrong(keys, str(error)) from error
    written = (
        [in_text(each) for each in value] if what.form is Form.ADDRESS else [str(each) for each in entries]
    )
    return value, Words(", ".join(written), "、".join(what.known.get(each, each) for each in written))


def _scalar(raw: object, what: Key) -> Scalar:
    if what.form in (Form.COUNT, Form.COUNTS):
        if type(raw) is int and raw >= 0:
            return raw
    elif what.form is Form.ADDRESS:
        if type(raw) is int and 0 <= raw <= 0xFF:
            return raw
    elif isinstance(raw, str) and raw.strip():
        match what.form:
            case Form.OUTLINE:
                return parse_outline(raw)
            case Form.RANGE:
                found = _closed(parse_range(raw, what.dimension), raw)
                check_positive(found)
                return found
            case Form.QUANTITY | Form.QUANTITIES:
                quantity = parse_quantity(raw, what.dimension)
                if what.dimension != "temperature":
                    check_positive(quantity)
                return quantity
            case _:
                return _name(raw, what)
    raise BadValue(f"{raw!r}: expected {what.form.value}")


def _closed(found: Range, raw: str) -> Range:
    if found.low is None or found.high is None:
        raise BadValue(f"{raw!r} has an open end; a device has two")
    return found


def _name(raw: str, what: Key) -> str:
    if what.known and raw not in what.known:
        raise BadValue(f"{raw!r} is none of {', '.join(what.known)}")
    return raw
