"""The generated library behind a shim that ctypes can call, and what Python says of the same bytes."""

import ctypes
import shutil
import subprocess
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from swapproto.errors import CodecError
from swapproto.export import c
from swapproto.export.c.model import Member, Model, Record
from swapproto.export.source import Declaration, declaration
from swapproto.wire.fields import BcdTime, Choice, Integer, Raw, Text
from swapproto.wire.layout import Layout
from swapproto.wire.message import Message
from swapproto.wire.reading import DeviationKind

FAMILIES = ("gbt27930-2011", "gbt27930-2015", "gbt27930-2023a", "pack-can-d0f3", "station-charging-ext")
STRICT = ("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")
OK, CUT, TOO_LONG, MISFIT, TOO_MANY, NO_ROOM = range(6)
NO_FIELD = 0xFF
MOST = 1785
HERE = Path(__file__).parent
KINDS = {kind: 1 << number for number, kind in enumerate(DeviationKind)}


def compiler(name: str) -> str:
    """Path of a compiler; the test is skipped where there is none."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@cache
def declared(profile: str) -> Declaration:
    return declaration(profile)


def write(files: Mapping[str, bytes], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def build(folder: Path, output: str, *flags: str, cc: str = "gcc") -> Path:
    sources = sorted(path.name for path in folder.glob("*.c"))
    command = [compiler(cc), *STRICT, *flags, "-o", output, *sources]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / output


def shim(declared: Declaration) -> str:
    """C that reads and writes every member by its name, so that types and names are tried too."""
    model = Model(declared)
    records = list(model.messages.values())
    functions = [text for record in model.records for text in (_getter(record), _setter(record))]
    reads = [
        f"    case {k}: {{ static {r.type} m; memset(&m, 0xA5, sizeof m);\n"
        f"        r = swap_{r.name}_unpack(payload, size, &m, &d);\n"
        f"        v = put_deviations(d, put_result(r, v));\n"
        f"        if (r.status == SWAP_OK) {{ uint8_t again[1785]; v = get_{r.name}(&m, v);\n"
        f"            r = swap_{r.name}_pack(&m, again, sizeof again); v = put_result(r, v);\n"
        f"            if (r.status == SWAP_OK) v = put_bytes(again, r.size, v); }} break; }}"
        for k, r in enumerate(records)
    ]
    writes = [
        f"        case {k}: {{ static {r.type} m; memset(&m, 0, sizeof m); in = set_{r.name}(&m, in"
        f"{', bytes' if _opaque(r) else ''});\n"
        f"            r = swap_{r.name}_pack(&m, payload, sizeof payload); break; }}"
        for k, r in enumerate(records)
    ] + ["        default: return -1;"]
    denominators = [
        f"    *v++ = {owner.macro}_{m.macro}_DENOMINATOR;" if m.field.denominator != 1 else "    *v++ = 1;"
        for owner in records
        for m in _counted(owner)
    ]
    text = (HERE / "codec_shim.c.in").read_text()
    for mark, lines in (
        ("FUNCTIONS", functions), ("READS", reads), ("WRITES", writes), ("DENOMINATORS", denominators),
    ):  # fmt: skip
        text = text.replace(f"@{mark}@", "\n".join(lines))
    return text


def _counted(record: Record) -> tuple[Member, ...]:
    return (*record.members, *(record.item.members if record.item is not None else ()))


def _opaque(record: Record) -> bool:
    return record.layout.tail is not None and record.item is None


def _slots(each: Member) -> list[str]:
    match each.field.marker:
        case Text():
            text = [f"m->{each.name}.text[{i}]" for i in range(each.size)]
            return [f"m->{each.name}.length", *text]
        case Raw():
            return [f"m->{each.name}[{i}]" for i in range(each.size)]
        case BcdTime():
            parts = ("year", "month", "day", "hour", "minute", "second")
            return [f"m->{each.name}.{part}" for part in parts]
        case _:
            return [f"m->{each.name}"]


def _cast(each: Member, slot: str, value: str) -> str:
    if isinstance(each.field.marker, Integer | Choice):
        return f"({each.integer}){value}"
    if slot.endswith(".year"):
        return f"(uint16_t){value}"
    return f"(char){value}" if ".text[" in slot else f"(uint8_t){value}"


def _getter(record: Record) -> str:
    lines = [f"static int64_t *get_{record.name}(const {record.type} *m, int64_t *v)", "{"]
    for each in record.members:
        if record.scalar:
            lines += ["    *v++ = 1; *v++ = *m;"]
            continue
        present = f"(m->present >> {each.number} & 1u) != 0" if each.field.optional else "1"
        lines.append(f"    *v++ = {present};")
        lines += [f"    *v++ = {'(uint8_t)' if '.text[' in slot else ''}{slot};" for slot in _slots(each)]
    if record.item is not None:
        lines += [
            f"    {{ int i; *v++ = m->{record.tail}_count;",
            f"    for (i = 0; i < m->{record.tail}_count; i++)",
            f"        v = get_{record.item.name}(&m->{record.tail}[i], v); }}",
        ]
    elif record.layout.tail is not None:
        lines += [
            f"    {{ int i; *v++ = m->{record.tail}.size;",
            f"    for (i = 0; i < m->{record.tail}.size; i++) *v++ = m->{record.tail}.data[i]; }}",
        ]
    return "\n".join([*lines, "    return v;", "}"])


def _setter(record: Record) -> str:
    extra = ", uint8_t *bytes" if _opaque(record) else ""
    lines = [f"static const int64_t *set_{record.name}({record.type} *m, const int64_t *v{extra})", "{"]
    for each in record.members:
        if record.scalar:
            lines.append(f"    v++; *m = ({record.type})*v++;")
            continue
        if each.field.optional:
            lines.append(f"    if (*v++ != 0) m->present |= SWAP_FIELD({each.number});")
        else:
            lines.append("    v++;")
        lines += [f"    {slot} = {_cast(each, slot, '*v++')};" for slot in _slots(each)]
    if record.item is not None and record.layout.tail is not None:
        most = record.layout.tail.max_items
        lines += [
            f"    {{ int64_t i, n = *v++; m->{record.tail}_count = (uint16_t)n;",
            "    for (i = 0; i < n; i++)",
            f"        v = set_{record.item.name}(&m->{record.tail}[i < {most} ? i : 0], v); }}",
        ]
    elif record.layout.tail is not None:
        lines += [
            "    { int64_t i, n = *v++;",
            "    for (i = 0; i < n; i++) bytes[i] = (uint8_t)*v++;",
            f"    m->{record.tail}.data = bytes; m->{record.tail}.size = (uint16_t)n; }}",
        ]
    return "\n".join([*lines, "    return v;", "}"])


class Library:
    """The generated codec, compiled with its shim, next to the Python codec of the same declaration."""

    def __init__(self, declared: Declaration, folder: Path, files: Mapping[str, bytes] | None = None) -> None:
        self.declared = declared
        self.folder = folder
        write(c.files(declared) if files is None else files, folder)
        (folder / "swap_selftest.c").unlink(missing_ok=True)
        (folder / "shim.c").write_text(shim(declared))
        self._c = ctypes.CDLL(str(build(folder, "library.so", "-O1", "-shared", "-fPIC")))
        for name in ("shim_read_many", "shim_write_many", "shim_denominators"):
            getattr(self._c, name).restype = ctypes.c_int64
        self._out = (ctypes.c_int64 * 4_000_000)()
        self.classes = list(Model(declared).messages)
        self.number = {cls: number for number, cls in enumerate(self.classes)}
        told = iter(self._out[: self._c.shim_denominators(self._out)])
        self.plans = {cls: Plan(record, told) for cls, record in Model(declared).messages.items()}

    def read(self, cases: Sequence[tuple[type[Message], bytes]]) -> list[int]:
        blob = self.blob(cases)
        return self._out[: self._c.shim_read_many(blob, ctypes.c_size_t(len(blob)), self._out)]

    def write(self, cases: Sequence[tuple[type[Message], list[int]]]) -> list[int]:
        stream = self.stream(cases)
        given = (ctypes.c_int64 * len(stream)).from_buffer(stream)
        return self._out[: self._c.shim_write_many(given, self._out)]

    def blob(self, cases: Iterable[tuple[type[Message], bytes]]) -> bytes:
        return b"".join(
            bytes((self.number[cls], len(payload) & 0xFF, len(payload) >> 8)) + payload
            for cls, payload in cases
        )

    def stream(self, cases: Iterable[tuple[type[Message], list[int]]]) -> "array[int]":
        flat = array("q")
        for cls, values in cases:
            flat.append(self.number[cls])
            flat.extend(values)
        flat.append(-1)
        return flat

    def expected_read(self, cls: type[Message], payload: bytes) -> list[int]:
        """What the shim gives for a payload, worked out with our own codec."""
        plan, layout = self.plans[cls], cls.layout
        reading = cls.read(payload)
        if reading.error is not None:
            return [CUT, plan.index[reading.error.field or ""], NO_FIELD, 0, 0, 0, 0, 0, 0]
        kinds = fields = 0
        for odd in reading.deviations:
            kinds |= KINDS[odd.kind]
            fields |= 0 if odd.field is None else 1 << plan.index[odd.field.partition("[")[0]]
        first = min((odd.offset for odd in reading.deviations), default=0)
        if fields >> 63:
            fields -= 1 << 64
        head = [OK, NO_FIELD, NO_FIELD, 0, len(payload), kinds, len(reading.deviations), first, fields]
        message, tail = reading.message, layout.tail
        if (
            tail is not None
            and tail.item is not None
            and len(items := getattr(message, tail.name)) > tail.max_items
        ):
            message = cls(**{**_values(message, layout), tail.name: items[: tail.max_items]})
        return [*head, *plan.flat(message), *plan.encoded(message)]

    def difference(self, cases: Sequence[tuple[type[Message], bytes]]) -> str | None:
        """The first payload of which C and Python say different things."""
        expected = [self.expected_read(*case) for case in cases]
        return _first(cases, expected, self.read(cases))

    def write_difference(self, cases: Sequence[tuple[type[Message], list[int]]]) -> str | None:
        """The first values of which C and Python make different payloads."""
        expected = [self.plans[cls].encoded(self.plans[cls].message(values)) for cls, values in cases]
        return _first(cases, expected, self.write(cases))


def _first(
    cases: Sequence[tuple[type[Message], Any]], expected: Sequence[list[int]], got: list[int]
) -> str | None:
    if [number for each in expected for number in (len(each), *each)] == got:
        return None
    at = 0
    for (cls, given), wanted in zip(cases, expected, strict=True):
        found = got[at + 1 : at + 1 + got[at]]
        if found != wanted:
            shown = given.hex(" ") if isinstance(given, bytes) else given
            return f"{cls.__name__} {shown}:\n  Python {wanted}\n  C      {found}"
        at += 1 + got[at]
    return "there is something behind the last case"


def _values(message: Any, layout: Layout) -> dict[str, Any]:
    return {name: getattr(message, name) for name in layout.names}


class Plan:
    """How one message stands in the shim's stream of integers, scaled as the C header says."""

    def __init__(self, record: Record, denominators: Iterator[int]) -> None:
        self.record = record
        self.layout = record.layout
        self.index = {name: number for number, name in enumerate(record.layout.names)}
        self.fields = [(member, next(denominators)) for member in record.members]
        self.item = None if record.item is None else Plan(record.item, denominators)

    def flat(self, message: Any) -> list[int]:
        flat: list[int] = []
        for member, denominator in self.fields:
            value = message if self.record.scalar else getattr(message, member.field.name)
            flat.append(value is not None)
            flat += _flat(member, value, denominator)
        tail = self.layout.tail
        if tail is not None:
            rest = getattr(message, tail.name) or b""
            flat.append(len(rest))
            if self.item is None:
                flat += rest
            else:
                for each in rest:
                    flat += self.item.flat(each)
        return flat

    def encoded(self, message: Any) -> list[int]:
        """The result of pack, and the bytes."""
        try:
            payload = message.encode()
        except CodecError as error:
            name, _, rest = (error.field or "").partition("[")
            tail = self.layout.tail
            if rest and self.item is not None:
                number, _, part = rest.partition("]")
                place = self.item.index[part[1:]] if part else 0
                return [MISFIT, self.index[name], place, int(number), 0]
            status = TOO_MANY if tail is not None and name == tail.name else MISFIT
            return [status, self.index[name], NO_FIELD, 0, 0]
        return [OK, NO_FIELD, NO_FIELD, 0, len(payload), *payload]

    def message(self, values: list[int]) -> Any:
        return self._take(iter(values))

    def _take(self, values: Iterator[int]) -> Any:
        made: dict[str, Any] = {}
        for member, denominator in self.fields:
            present = next(values)
            value = _value(member, values, denominator)
            made[member.field.name] = value if present else None
        if self.record.scalar:
            return next(iter(made.values()))
        tail = self.layout.tail
        if tail is not None:
            count = range(next(values))
            made[tail.name] = (
                bytes(next(values) for _ in count)
                if self.item is None
                else tuple(self.item._take(values) for _ in count)
            )
        return self.layout.cls(**made)


def _flat(member: Member, value: Any, denominator: int) -> list[int]:
    match member.field.marker:
        case Text():
            raw = b"" if value is None else value.encode("ascii", "surrogateescape")
            return [len(raw), *raw, *bytes(member.size - len(raw))]
        case Raw():
            return list(bytes(member.size) if value is None else value)
        case BcdTime():
            return [0] * 6 if value is None else list(value.timetuple()[:6])
        case _:
            return [0 if value is None else round(value * denominator)]


def _value(member: Member, values: Iterator[int], denominator: int) -> Any:
    from datetime import datetime

    field = member.field
    match field.marker:
        case Text():
            size = next(values)
            raw = bytes(next(values) for _ in range(member.size))
            return raw.ljust(size, b"x")[:size].decode("ascii", "surrogateescape")
        case Raw():
            return bytes(next(values) for _ in range(member.size))
        case BcdTime():
            year, *rest = (next(values) for _ in range(6))
            return datetime(year, *rest) if year else None  # type: ignore[arg-type]  # noqa: DTZ001 - six ints
        case _:
            value = next(values)
            if field.code is not None:
                return field.code(value)
            return value / denominator if field.denominator != 1 else value


@pytest.fixture(scope="session")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> "Libraries":
    compiler("gcc")
    return Libraries(tmp_path_factory.mktemp("c"))


class Libraries:
    """Each family compiled once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[str, Library] = {}

    def __getitem__(self, profile: str) -> Library:
        if profile not in self._made:
            self._made[profile] = Library(declared(profile), self._folder / profile)
        return self._made[profile]
