"""The two tables of the vectors against the declarations: every attribute of every message and field."""

import json
from copy import deepcopy
from fractions import Fraction
from math import ceil, floor
from pathlib import Path
from typing import Any

import pytest

from swapproto.export.source import declaration
from swapproto.export.vectors import files
from swapproto.messages.catalog import SETS
from swapproto.provenance import Source
from swapproto.wire.fields import BcdTime, Choice, Integer, Marker, Raw, Text
from swapproto.wire.layout import Field
from swapproto.wire.message import Message

Json = dict[str, Any]
every_profile = pytest.mark.parametrize("name", SETS)
KINDS: dict[type[Marker], str] = {
    Integer: "integer",
    Choice: "code",
    Text: "text",
    Raw: "bytes",
    BcdTime: "time",
}


def load(name: str) -> Json:
    ((_, made),) = files(declaration(name)).items()
    found: Json = json.loads(made)
    return found


FILES = {name: load(name) for name in SETS}


def source(found: Source) -> Json:
    return {"at": found.at, "basis": found.basis.value, "witnesses": found.witnesses, "why": found.why}


def expected_message(cls: type[Message]) -> Json:
    layout, tail = cls.layout, cls.layout.tail
    items: Json | None = None
    if tail is not None and tail.item is not None:
        items = {"length": tail.item.length, "most": tail.max_items, "plain": tail.scalar}
    ends = [field.span[1] + 1 for field in layout.fields if not field.optional]
    return {
        "name": cls.__name__,
        "title": cls.title,
        "pgn": cls.pgn,
        "priority": cls.priority,
        "identifiers": [
            {"id": f"{can_id:08X}", "sender": sender.name} for can_id, sender in cls.identifiers().items()
        ],
        "period_ms": cls.period_ms,
        "optional": cls.optional,
        "length": layout.length,
        "lengths": list(layout.lengths),
        "required": max(ends, default=0),
        "reserved": "ones" if layout.reserved_bit else "zeros",
        "tail": None if tail is None else {"name": tail.name, "offset": tail.offset, "items": items},
        "source": source(cls.source),
    }


def start(field: Field) -> int:
    """Out of the place byte.bit as it is written in the declaration, where it is."""
    marker = field.marker
    if marker.at is None:
        return field.start
    byte, _, bit = str(marker.at).partition(".")
    default = 1 if field.order == "little" else 8
    return int(byte) * 8 - 8 + (default if isinstance(marker.at, int) else int(bit)) - 1


def exact(number: float) -> Fraction:
    return Fraction(str(number))


def limits(marker: Integer, *, optional: bool) -> tuple[float, float, int | None]:
    """Physical limits and the raw value that is absent: of the bits, or the narrower ones of the marker."""
    half = 1 << marker.bits - 1
    low, high = (-half, half - 1) if marker.signed else (0, 2 * half - 1)
    absent = marker.absent
    if optional and absent is None:
        absent = -1 if marker.signed else high
    scale, offset = exact(marker.scale), exact(marker.offset)
    if marker.low is not None:
        low = max(low, ceil((exact(marker.low) - offset) / scale))
    if marker.high is not None:
        high = min(high, floor((exact(marker.high) - offset) / scale))
    low, high = low + (absent == low), high - (absent == high)
    return float(low * scale + offset), float(high * scale + offset), absent


def expected_field(cls: type[Message], field: Field, items: str | None) -> Json:
    marker = field.marker
    row: Json = {
        "message": cls.__name__,
        "name": field.name,
        "items": items,
        "kind": KINDS[type(marker)],
        "start": start(field),
        "length": field.bits,
        "order": field.order,
        "signed": False,
        "scale": 1,
        "offset": 0,
        "absent": None,
        "optional": field.optional,
        "spn": marker.spn,
        "note": marker.note,
        "source": source(marker.source or cls.source),
    }
    match marker:
        case Integer():
            low, high, absent = limits(marker, optional=field.optional)
            row |= {"length": marker.bits, "order": marker.order, "signed": marker.signed}
            row |= {"scale": marker.scale, "offset": marker.offset, "unit": marker.unit}
            row |= {"low": low, "high": high, "absent": absent}
        case Choice():
            row |= {"length": marker.bits, "order": marker.order}
            row["absent"] = (1 << marker.bits) - 1 if field.optional else None
            row["codes"] = {str(int(code)): code.name.lower().replace("_", " ") for code in field.code or ()}
        case Text():
            blanks = sorted({0x00, 0x20, 0xFF, marker.pad})
            row |= {"length": marker.size * 8, "pad": marker.pad, "blanks": bytes(blanks).hex().upper()}
        case _:
            pass
    return row


def differences(name: str, file: Json) -> list[str]:
    """Every attribute in the tables that is not as the declaration has it."""
    messages: list[Json] = []
    fields: list[Json] = []
    for cls in declaration(name).messages:
        messages.append(expected_message(cls))
        fields += [expected_field(cls, field, None) for field in cls.layout.fields]
        tail = cls.layout.tail
        if tail is not None and tail.item is not None:
            fields += [expected_field(cls, field, tail.name) for field in tail.item.fields]
    return unequal(messages, file["messages"]) + unequal(fields, file["fields"])


def unequal(ours: list[Json], theirs: list[Json]) -> list[str]:
    if len(ours) != len(theirs):
        return [f"{len(theirs)} rows, not {len(ours)}"]
    return [
        f"{left.get('message', '')} {left['name']} {key}: {right.get(key)!r}, not {left.get(key)!r}"
        for left, right in zip(ours, theirs, strict=True)
        for key in left | right
        if key not in left or key not in right or left[key] != right[key]
    ]


@every_profile
def test_every_attribute_is_as_declared(name: str) -> None:
    assert differences(name, FILES[name]) == []


FIELD_PLANTED: Json = {
    "kind": "code", "start": 17, "length": 15, "order": "big", "signed": True, "scale": 0.2, "offset": -399,
    "unit": "mA", "low": -399.9, "high": 6153.4, "absent": 65535, "optional": True, "spn": 3074,
    "note": "no", "source": {"at": "clause 8", "basis": "reported", "witnesses": 2, "why": ""},
}  # fmt: skip
MESSAGE_PLANTED: Json = {
    "title": "charge demand", "pgn": 0x1100, "priority": 4, "period_ms": 60, "optional": True, "length": 6,
    "identifiers": [{"id": "181056F5", "sender": "BMS"}], "lengths": [5, 6], "required": 4,
    "reserved": "zeros", "source": {"at": "clause 9", "basis": "derived", "witnesses": 2, "why": ""},
}  # fmt: skip


@pytest.mark.parametrize("key", FIELD_PLANTED)
def test_an_error_planted_into_a_field_is_seen(key: str) -> None:
    file = deepcopy(FILES["gbt27930-2015"])
    (row,) = (row for row in file["fields"] if (row["message"], row["name"]) == ("BCL", "current"))
    row[key] = FIELD_PLANTED[key]
    (found,) = differences("gbt27930-2015", file)
    assert found.startswith(f"BCL current {key}:")


@pytest.mark.parametrize("key", MESSAGE_PLANTED)
def test_an_error_planted_into_a_message_is_seen(key: str) -> None:
    file = deepcopy(FILES["gbt27930-2015"])
    (row,) = (row for row in file["messages"] if row["name"] == "BCL")
    row[key] = MESSAGE_PLANTED[key]
    (found,) = differences("gbt27930-2015", file)
    assert found.startswith(f" BCL {key}:")


OVERLAY = """
schema = 1
[profile]
id = "bench"
title = "bench"
scope = "bench"
extends = ["gbt27930-2015"]
[document.own]
name = "own"
read = "nothing"
[message.BCL]
period = { value = "60 ms", replaces = "50 ms", at = "own 1", basis = "observed", witnesses = 1, why = "x" }
[message.BCL.field.current]
offset = { value = "-800 A", replaces = "-400 A", at = "own 2", basis = "observed", witnesses = 1, why = "x" }
"""


def test_an_overlay_drops_what_it_contradicts(tmp_path: Path) -> None:
    """Recorded vectors of a changed message, and sessions that the role machines hold by the edition."""
    overlay = tmp_path / "bench.toml"
    overlay.write_text(OVERLAY)
    ((_, made),) = files(declaration(overlay)).items()
    file: Json = json.loads(made)
    usual = FILES["gbt27930-2015"]
    recorded = [
        {case["message"] for case in each["decode"] if case["case"] == "vector"} for each in (usual, file)
    ]
    assert recorded[0] - recorded[1] == {"BCL"}
    assert usual["sessions"]
    assert file["sessions"] == []
    assert file["transport"] == usual["transport"]
    (row,) = (row for row in file["fields"] if (row["message"], row["name"]) == ("BCL", "current"))
    assert (row["offset"], row["source"]["basis"]) == (-800, "observed")
