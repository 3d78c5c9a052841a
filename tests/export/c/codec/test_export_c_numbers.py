"""Numbers of the headers, the table and its lookups, conversions to float: all, as compiled C has them."""

import ctypes
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import pytest

from swapproto.export import c
from swapproto.export.c.model import Member, Model, Record
from swapproto.export.source import Declaration
from swapproto.j1939 import parse
from swapproto.wire.message import Message
from tests.export.c.conftest import FAMILIES, build, compiler, declared, write

Row: TypeAlias = tuple[int, ...]
GBT, PACK = "gbt27930-2015", "pack-can-d0f3"
NONE = -1
CODEC = ("swap_codec.c", "swap_value.c", "swap_messages.c")

_SHIM = """\
#include "swap_float.h"
#include <string.h>

int64_t shim_defines(int64_t *v);
int64_t shim_table(int64_t *v);
int64_t shim_by_identifier(uint32_t identifier);
int64_t shim_by_pgn(uint32_t pgn, uint8_t source);
int64_t shim_same_layout(int entry, const uint8_t *payload, size_t size);
double shim_get(int k, int64_t count);
int64_t shim_set(int k, float value);

int64_t shim_defines(int64_t *v)
{
    int64_t *out = v;
    *v++ = SWAP_MESSAGE_COUNT; *v++ = SWAP_ENTRY_COUNT;
@DEFINES@
    return v - out;
}

int64_t shim_table(int64_t *v)
{
    int64_t *out = v;
    const swap_message_t *m = swap_messages;
    for (; m < swap_messages + SWAP_ENTRY_COUNT; m++) {
        size_t i, size = strlen(m->name);
        *v++ = m->identifier; *v++ = m->pgn; *v++ = m->period_ms; *v++ = m->length; *v++ = m->number;
        *v++ = m->priority; *v++ = m->source; *v++ = m->destination; *v++ = (int64_t)size;
        for (i = 0; i < size; i++) *v++ = m->name[i];
    }
    return v - out;
}

int64_t shim_by_identifier(uint32_t identifier)
{
    const swap_message_t *found = swap_by_identifier(identifier);
    return found == NULL ? -1 : found - swap_messages;
}

int64_t shim_by_pgn(uint32_t pgn, uint8_t source)
{
    const swap_message_t *found = swap_by_pgn(pgn, source);
    return found == NULL ? -1 : found - swap_messages;
}

/* Whether the layout in the table reads a payload as the message's own function does. */
int64_t shim_same_layout(int entry, const uint8_t *payload, size_t size)
{
    static swap_any_t one, other;
    const swap_message_t *m = &swap_messages[entry];
    swap_deviations_t odd = {0, 0, 0, 0}, odder = {0, 0, 0, 0};
    swap_result_t r = swap_layout_unpack(m->layout, payload, size, &one, &odd), s;
    size_t room;
    switch (m->number) {
@LAYOUTS@
    default: return -1;
    }
    return m->layout->size == room && r.status == s.status && r.field == s.field && odd.kinds == odder.kinds
        && odd.count == odder.count && odd.fields == odder.fields && memcmp(&one, &other, room) == 0;
}

double shim_get(int k, int64_t count)
{
    switch (k) {
@GETS@
    default: return -1.0;
    }
}

int64_t shim_set(int k, float value)
{
    switch (k) {
@SETS@
    default: return -1;
    }
}
"""


def shim(model: Model) -> str:
    parts: dict[str, list[str]] = {"DEFINES": [], "LAYOUTS": [], "GETS": [], "SETS": []}
    for cls, r in model.messages.items():
        count = len(cls.identifiers())
        ids = ["ID"] if count == 1 else [f"ID_{number}" for number in range(1, count + 1)]
        names = [f"{r.macro}_{each}" for each in (*ids, "PGN", "PERIOD_MS", "LENGTH")]
        names.append(f"SWAP_MESSAGE_{r.name.upper()}")
        parts["DEFINES"] += [f"    *v++ = {name};" for name in names]
        parts["LAYOUTS"].append(
            f"    case SWAP_MESSAGE_{r.name.upper()}: room = sizeof other.{r.name};\n"
            f"        s = swap_{r.name}_unpack(payload, size, &other.{r.name}, &odder); break;"
        )
    for k, (r, m) in enumerate(fractions(model)):
        name = m.field.name
        parts["GETS"].append(
            f"    case {k}: {{ static {r.type} m; m.{m.name} = ({m.integer})count;"
            f" return (double)swap_{r.name}_get_{name}(&m); }}"
        )
        parts["SETS"].append(
            f"    case {k}: {{ static {r.type} m; swap_{r.name}_set_{name}(&m, value); return m.{m.name}; }}"
        )
    text = _SHIM
    for mark, lines in parts.items():
        text = text.replace(f"@{mark}@", "\n".join(lines))
    return text


def fractions(model: Model) -> Iterator[tuple[Record, Member]]:
    """Every member with conversions to and from float."""
    for record in model.records:
        for each in record.members:
            if each.field.denominator != 1:
                yield record, each


class Numbers:
    """The generated library seen through a shim; each answer is asked of C and worked out in Python."""

    def __init__(self, declared: Declaration, folder: Path, files: Mapping[str, bytes] | None = None) -> None:
        made = c.files(declared) if files is None else files
        write({name: made[name] for name in made if name.endswith(".h") or name in CODEC}, folder)
        self.model = Model(declared)
        (folder / "shim.c").write_text(shim(self.model))
        self._c = ctypes.CDLL(str(build(folder, "numbers.so", "-shared", "-fPIC")))
        for name in ("defines", "table", "by_identifier", "by_pgn", "same_layout", "set"):
            getattr(self._c, f"shim_{name}").restype = ctypes.c_int64
        self._c.shim_get.restype = ctypes.c_double
        self._out = (ctypes.c_int64 * 100_000)()
        self.rows: list[tuple[type[Message], int]] = [
            (cls, can_id) for cls in declared.messages for can_id in cls.identifiers()
        ]

    def wrong(self) -> str | None:
        """The first thing of which C and Python say different things."""
        for name in ("defines", "table", "lookups", "layouts", "floats"):
            for what, got, wanted in getattr(self, name)():
                if got != wanted:
                    return f"{name}: {what} is {got}, should be {wanted}"
        return None

    def defines(self) -> Iterator[tuple[str, Row, Row]]:
        told = iter(self._out[: self._c.shim_defines(self._out)])
        yield "counts", (next(told), next(told)), (len(self.model.messages), len(self.rows))
        for number, cls in enumerate(self.model.messages):
            wanted = (*cls.identifiers(), cls.pgn, cls.period_ms or 0, cls.layout.length, number)
            yield cls.__name__, tuple(next(told) for _ in wanted), wanted
        yield "the end", tuple(told), ()

    def table(self) -> Iterator[tuple[str, Row, Row]]:
        told = iter(self._out[: self._c.shim_table(self._out)])
        numbers = {cls: number for number, cls in enumerate(self.model.messages)}
        for cls, can_id in self.rows:
            of = parse(can_id)
            name = cls.__name__.encode()
            wanted = (
                can_id, cls.pgn, cls.period_ms or 0, cls.layout.length, numbers[cls],
                cls.priority, of.source, of.destination, len(name), *name,
            )  # fmt: skip
            yield cls.__name__, tuple(next(told) for _ in wanted), wanted
        yield "the end", tuple(told), ()

    def lookups(self) -> Iterator[tuple[str, int, int]]:
        by_id = {can_id: row for row, (_, can_id) in enumerate(self.rows)}
        near = {can_id ^ 1 << bit for can_id in by_id for bit in range(29)} | {0, (1 << 29) - 1}
        for can_id in sorted(by_id.keys() | near):
            yield f"{can_id:08X}", self._c.shim_by_identifier(can_id), by_id.get(can_id, NONE)
        by_pgn: dict[tuple[int, int], int] = {}
        for row, (cls, can_id) in enumerate(self.rows):
            by_pgn.setdefault((cls.pgn, can_id & 0xFF), row)
        pgns = {pgn ^ flip for pgn, _ in by_pgn for flip in (0, 0x100, 0x1000, 0x10000)}
        sources = {source ^ flip for _, source in by_pgn for flip in (0, 1, 0x80)}
        for pgn in sorted(pgns):
            for source in sorted(sources):
                wanted = by_pgn.get((pgn, source), NONE)
                yield f"{pgn:05X} of {source:02X}", self._c.shim_by_pgn(pgn, source), wanted

    def layouts(self) -> Iterator[tuple[str, int, int]]:
        for row, (cls, _) in enumerate(self.rows):
            length = cls.layout.length
            for payload in (bytes(length), b"\x5a" * length, b"\xff" * (length + 1), b""):
                same = self._c.shim_same_layout(row, payload, ctypes.c_size_t(len(payload)))
                yield f"{cls.__name__} of {payload.hex()}", same, 1

    def floats(self) -> Iterator[tuple[str, object, object]]:
        """Counts at the edges and between: to float as Python's physical value, and back to the count."""
        for k, (record, member) in enumerate(fractions(self.model)):
            field = member.field
            for raw in _some(field.raw_low, field.raw_high):
                physical, count = field.to_physical(raw), raw * field.numerator + field.shift
                what = f"{record.name}.{field.name} at {raw}"
                got = self._c.shim_get(k, ctypes.c_int64(count))
                yield what, abs(got - physical) <= abs(physical) * FLOAT_STEP, True
                set_to = self._c.shim_set(k, ctypes.c_float(physical))
                slack = 0 if abs(count) < EXACT else abs(count) * FLOAT_STEP + 1
                yield f"{what}, set", abs(set_to - count) <= slack, True
            below = (0, 0, 0, UINT32_MAX)
            wide = member.integer == "uint32_t"
            ends = below if wide else (INT32_MIN, INT32_MIN, -3 * field.denominator, INT32_MAX)
            for value, wanted in zip((NAN, -1e30, -3.0, 1e30), ends, strict=True):
                got = self._c.shim_set(k, ctypes.c_float(value))
                yield f"{record.name}.{field.name} set to {value}", got, wanted


FLOAT_STEP = 2.0**-22
"""Two roundings, each to 24 bits."""
EXACT = 1 << 22
INT32_MIN, INT32_MAX, UINT32_MAX = -(1 << 31), (1 << 31) - 1, (1 << 32) - 1
NAN = float("nan")


def _some(low: int, high: int) -> Sequence[int]:
    step = max(1, (high - low) // 37)
    return sorted({*range(low, high, step), low + 1, high - 1, high})


@pytest.mark.parametrize("family", FAMILIES)
def test_numbers_of_every_message(family: str, tmp_path: Path) -> None:
    compiler("gcc")
    library = Numbers(declared(family), tmp_path)
    assert [*fractions(library.model)]
    assert library.wrong() is None


TABLE, HEADER, FLOATS = "swap_messages.c", "swap_messages.h", "swap_float.h"
PLANTS = {
    "identifier": (GBT, HEADER, "SWAP_BST_ID 0x101956F4u", "SWAP_BST_ID 0x101956F5u"),
    "second identifier": (GBT, HEADER, "SWAP_DM1_ID_2 0x", "SWAP_DM1_ID_2 1 + 0x"),
    "pgn": (GBT, HEADER, "SWAP_CCS_PGN 0x01200u", "SWAP_CCS_PGN 0x01300u"),
    "period": (GBT, HEADER, "SWAP_BSM_PERIOD_MS 250u", "SWAP_BSM_PERIOD_MS 500u"),
    "length": (GBT, HEADER, "SWAP_BSD_LENGTH 7u", "SWAP_BSD_LENGTH 8u"),
    "order of messages": (PACK, HEADER, "SWAP_MESSAGE_ENERGY2,\n", "SWAP_MESSAGE_ENERGY2 = 40,\n"),
    "identifier in the table": (GBT, TABLE, "&layout_bst, 0x101956F4u", "&layout_bst, 0x101956F5u"),
    "pgn in the table": (GBT, TABLE, "0x1812F456u, 0x01200u", "0x1812F456u, 0x01201u"),
    "period in the table": (GBT, TABLE, "     250u, 7u,", "     251u, 7u,"),
    "length in the table": (GBT, TABLE, "     250u, 7u,", "     250u, 8u,"),
    "number in the table": (GBT, TABLE, "SWAP_MESSAGE_BSM, 6u", "SWAP_MESSAGE_BST, 6u"),
    "priority in the table": (GBT, TABLE, "SWAP_MESSAGE_BSM, 6u", "SWAP_MESSAGE_BSM, 4u"),
    "source in the table": (GBT, TABLE, "_BSM, 6u,\n     0xF4u", "_BSM, 6u,\n     0x56u"),
    "destination in the table": (GBT, TABLE, "_BSM, 6u,\n     0xF4u, 0x56u", "_BSM, 6u,\n     0xF4u, 0xFFu"),
    "name in the table": (GBT, TABLE, '{"BSM", ', '{"BSN", '),
    "layout in the table": (GBT, TABLE, '{"CST", &layout_cst', '{"CST", &layout_bst'),
    "lookup by identifier": (GBT, TABLE, "].identifier == identifier", "].identifier >= identifier"),
    "lookup by pgn": (GBT, TABLE, "].pgn == pgn && ", "].pgn == (pgn & 0xFFFFu) && "),
    "source in the lookup": (GBT, TABLE, " && swap_messages[number].source == source", " && source != 0"),
    "factor from float": (GBT, FLOATS, "max_cell_voltage / 100.0f", "max_cell_voltage / 10.0f"),
    "factor to float": (PACK, FLOATS, "regenerated = swap_count_of(v", "regenerated = swap_count_of(10 * v"),
    "member of a float": (GBT, FLOATS, "message->rated_capacity = swap", "message->rated_voltage = swap"),
    "wide float": (PACK, FLOATS, "scaled >= 4294967040.0f", "scaled >= 2147483648.0f"),
    "wide below": (PACK, FLOATS, "!(scaled > 0.0f)", "!(scaled > -1000.0f)"),
    "no number": (GBT, FLOATS, "return INT32_MIN;", "return 0;"),
    "rounding": (GBT, FLOATS, "rest >= 0.5f ? whole + 1", "rest >= 0.0f ? whole + 1"),
}  # fmt: skip


@pytest.mark.parametrize("plant", PLANTS)
def test_a_planted_error_is_found(plant: str, tmp_path: Path) -> None:
    compiler("gcc")
    profile, name, right, wrong = PLANTS[plant]
    files = dict(c.files(declared(profile)))
    assert right.encode() in files[name], "there is nothing left to be wrong: plant it anew"
    files[name] = files[name].replace(right.encode(), wrong.encode())
    assert Numbers(declared(profile), tmp_path, files).wrong() is not None
