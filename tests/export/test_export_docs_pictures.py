"""Byte pictures and state diagrams, read back from what was drawn and held against layouts and tables."""

import re
from typing import Annotated, Any

import pytest

from swapproto.export.docs import diagram, files
from swapproto.export.docs.machines import Machine, machines, timers
from swapproto.export.docs.model import MessageView, view
from swapproto.export.docs.picture import svg, text
from swapproto.export.source import declaration
from swapproto.messages.catalog import SETS
from swapproto.messages.gbt27930 import BCL, BCS
from swapproto.session import bms_table, charger_table
from swapproto.session.swap import controller_table, orchestrator_table
from swapproto.session.swap.timing import LIMITS
from swapproto.session.timing import TIMERS
from swapproto.wire.fields import U
from swapproto.wire.layout import Field, Layout
from swapproto.wire.message import Group, Message

DECLARED = {name: declaration(name) for name in SETS}
MESSAGES = [
    pytest.param(cls, id=f"{name}-{cls.__name__}") for name in SETS for cls in DECLARED[name].messages
]
Bits = dict[tuple[int, int], str]
"""Field by byte and bit, both from one."""


def lit(field: Field, layout: Layout, raw: int) -> set[tuple[int, int]]:
    """Byte and bit of what the codec sets for a raw value."""
    payload = bytearray(layout.length)
    field.insert(payload, raw)
    return {(at // 8 + 1, at % 8 + 1) for at in range(len(payload) * 8) if payload[at // 8] >> at % 8 & 1}


def owners(layout: Layout) -> Bits:
    return {place: field.name for field in layout.fields for place in lit(field, layout, field.mask)}


_CELL = re.compile(
    r'<g class="cell \w+" data-field="(\w*)" data-byte="([\d-]+)" data-bits="(\d)-(\d)">'
    r'<rect x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)"/>'
)


def drawn(picture: str) -> Bits:
    """What the rectangles of a picture cover, by their geometry and the scales beside them."""
    columns = {
        int(x): int(bit) for x, bit in re.findall(r'<text class="scale" x="(\d+)" y="\d+">(\d)<', picture)
    }
    labels = {
        int(y): label for y, label in re.findall(r'<text class="byte" x="\d+" y="(\d+)">([\d-]+)<', picture)
    }
    found: Bits = {}
    for field, byte, high, low, *box in _CELL.findall(picture):
        x, y, width, height = map(int, box)
        covered = [bit for at, bit in columns.items() if x < at < x + width]
        assert covered == list(range(int(high), int(low) - 1, -1))
        (label,) = (label for at, label in labels.items() if y < at < y + height)
        assert label == byte
        first, _, last = label.partition("-")
        for number in range(int(first), int(last or first) + 1):
            for bit in covered:
                assert (number, bit) not in found
                found[number, bit] = field
    return found


def fields_in(bits: Bits) -> Bits:
    return {place: field for place, field in bits.items() if field}


def layouts(cls: type[Message]) -> list[Layout]:
    tail = cls.layout.tail
    return [
        *([cls.layout] if cls.layout.length else []),
        *([] if tail is None or tail.item is None else [tail.item]),
    ]


@pytest.mark.parametrize("cls", MESSAGES)
def test_the_picture_covers_the_bits_of_the_layout(cls: type[Message]) -> None:
    shown = view(cls).pictures
    assert len(shown) == len(layouts(cls))
    for layout, each in zip(layouts(cls), shown, strict=True):
        bits = drawn(each.svg)
        assert fields_in(bits) == owners(layout)
        assert len(bits) == layout.length * 8


@pytest.mark.parametrize("cls", MESSAGES)
def test_the_grid_of_letters_names_each_bit_of_each_value(cls: type[Message]) -> None:
    message = view(cls)
    for layout, each in zip(layouts(cls), message.pictures, strict=True):
        assert lettered(each.text, keys(message, layout), layout) == numbered(layout)


def keys(message: MessageView, layout: Layout) -> dict[str, str]:
    tail = message.cls.layout.tail
    if tail is None or layout is not tail.item:
        return {field.key: field.name for field in message.fields}
    return {field.key: field.name.partition("].")[2] or layout.fields[0].name for field in message.fields}


def numbered(layout: Layout) -> dict[tuple[int, int], str]:
    """Field and bit of its value by place; only the field where it is no number."""
    found: dict[tuple[int, int], str] = {}
    for field in layout.fields:
        number = field.code is not None or hasattr(field.marker, "scale")
        for bit in range(field.bits):
            (place,) = lit(field, layout, 1 << bit)
            found[place] = f"{field.name} {bit}" if number else field.name
    return found


def lettered(grid: str, names: dict[str, str], layout: Layout) -> dict[tuple[int, int], str]:
    found: dict[tuple[int, int], str] = {}
    head, *lines = grid.splitlines()
    assert head.split() == ["byte", *"87654321"]
    for line in lines:
        label, *parts = line.split()
        first, _, last = label.partition("-")
        for byte in range(int(first), int(last or first) + 1):
            for bit, part in zip(range(8, 0, -1), parts, strict=True):
                if part != ".":
                    match = re.fullmatch(r"([a-z]+)(\d*)", part)
                    assert match
                    found[byte, bit] = f"{names[match[1]]} {match[2]}".strip()
    assert len(lines) <= layout.length
    return found


class Shifted(Group):
    """BCL's bytes with the current one bit too high."""

    voltage: Annotated[int, U(16, at=1)]
    current: Annotated[int, U(16, at=3.2)]
    mode: Annotated[int, U(7, at=5.2)]


def test_a_planted_shift_is_seen() -> None:
    names = {"voltage": "a", "current": "b", "mode": "c"}
    assert fields_in(drawn(svg(Shifted.layout, names))) != owners(BCL.layout)
    backwards = {key: name for name, key in names.items()}
    assert lettered(text(Shifted.layout, names), backwards, BCL.layout) != numbered(BCL.layout)
    right = str(view(BCS).pictures[0].svg)
    assert fields_in(drawn(right)) == owners(BCS.layout)
    with pytest.raises(AssertionError):
        drawn(right.replace('data-bits="8-5"><rect x="52"', 'data-bits="8-5"><rect x="96"'))


# ---- state diagrams

TABLES: dict[str, Any] = {
    "states-charger": charger_table.TABLE,
    "states-bms": bms_table.TABLE,
    "states-orchestrator": orchestrator_table.TABLE,
    "states-controller": controller_table.TABLE,
}
MACHINES = [
    pytest.param(machine, id=machine.name)
    for name in ("gbt27930-2015", "pack-can-d0f3")
    for machine in machines(DECLARED[name])
]
Edge = tuple[str, str, str]


def rows_of(machine: Machine) -> set[Edge]:
    return {(state.value, cause.value, row.to.value) for (state, cause), row in TABLES[machine.name].items()}


def edges(picture: str) -> set[Edge]:
    """Rows as they are drawn: each line from the box of its state into the box of its target."""
    boxes = {
        name: (int(y), int(y) + int(height), stays)
        for name, stays, y, height in re.findall(
            r'<g class="state[^"]*" data-name="([^"]+)" data-stays="([^"]*)">'
            r'<rect x="1" y="(\d+)" width="\d+" height="(\d+)"',
            picture,
        )
    }
    found: set[Edge] = set()
    for before, after, causes, start, end in re.findall(
        r'data-from="([^"]+)" data-to="([^"]+)" data-causes="([^"]+)" d="M\d+ (\d+)H\d+V(\d+)H\d+"', picture
    ):
        assert boxes[before][0] < int(start) < boxes[before][1]
        assert boxes[after][0] < int(end) < boxes[after][1]
        found |= {(before, cause, after) for cause in causes.split("; ")}
    for name, (_, _, stays) in boxes.items():
        found |= {(name, cause, name) for cause in stays.split("; ") if cause}
    return found


@pytest.mark.parametrize("machine", MACHINES)
def test_the_diagram_has_the_rows_of_the_table(machine: Machine) -> None:
    picture = diagram.svg(machine)
    assert edges(picture) == rows_of(machine)
    tops = [int(y) for y in re.findall(r'<rect x="1" y="(\d+)"', picture)]
    assert len(tops) == len(machine.states) == len(set(tops))


@pytest.mark.parametrize("machine", MACHINES)
def test_lanes_of_different_targets_do_not_run_over_one_another(machine: Machine) -> None:
    lanes: dict[tuple[str, str], list[int]] = {}
    for after, start, lane, end in re.findall(
        r'data-to="([^"]+)" data-causes="[^"]+" d="M\d+ (\d+)H(\d+)V(\d+)H', diagram.svg(machine)
    ):
        lanes.setdefault((lane, after), []).extend((int(start), int(end)))
    spans = [(lane, min(ys), max(ys)) for (lane, _), ys in lanes.items()]
    for number, (lane, top, bottom) in enumerate(spans):
        assert all(other != lane or low > bottom or high < top for other, low, high in spans[number + 1 :])


@pytest.mark.parametrize("machine", MACHINES)
def test_mermaid_has_the_rows_that_lead_elsewhere(machine: Machine) -> None:
    block = diagram.mermaid(machine)
    names = {short: name for name, short in re.findall(r'state "([^"]+)" as (\w+)', block)}
    known = {cause for _, cause, _ in rows_of(machine)}
    found: set[Edge] = set()
    for before, after, causes in re.findall(r"^    (\w+) --> (\w+): (.+)$", block, re.MULTILINE):
        while causes:
            cause = max((each for each in known if causes.startswith(each)), key=len)
            found.add((names[before], cause, names[after]))
            causes = causes[len(cause) :].removeprefix(", ")
    assert found == {row for row in rows_of(machine) if row[0] != row[2]}
    assert f"[*] --> {next(short for short, name in names.items() if name == machine.start)}\n" in block


def test_a_planted_edge_is_seen() -> None:
    machine = next(iter(machines(DECLARED["gbt27930-2015"])))
    picture = str(diagram.svg(machine))
    wrong = picture.replace('data-from="handshake" data-to="aborted"', 'data-from="handshake" data-to="idle"')
    assert wrong != picture
    with pytest.raises(AssertionError):
        assert edges(wrong) == rows_of(machine)


@pytest.mark.parametrize("machine", MACHINES)
def test_every_row_stands_in_the_page_with_its_basis(machine: Machine) -> None:
    name = "gbt27930-2015" if machine.name in ("states-charger", "states-bms") else "pack-can-d0f3"
    page = files(DECLARED[name])[f"{machine.name}.md"].decode()
    for (state, cause), row in TABLES[machine.name].items():
        to = "stays" if row.to is state else row.to.value
        begin = f"| {state.value} | {cause.value} | {to} |"
        (line,) = (line for line in page.splitlines() if line.startswith(begin))
        assert row.source.at in line
        assert row.source.basis.value in line


def test_every_timer_stands_there_with_its_value_and_basis() -> None:
    for name, limits in (("gbt27930-2015", TIMERS), ("pack-can-d0f3", LIMITS)):
        shown = {timer.name: timer for timer in timers(DECLARED[name])}
        assert shown.keys() == limits.keys()
        page = files(DECLARED[name])["timers.md"].decode()
        for key, timer in shown.items():
            (line,) = (line for line in page.splitlines() if line.startswith(f"| `{key}` |"))
            assert f"| {timer.value} |" in line
            assert timer.source.basis.value in line
    brm = next(timer for timer in timers(DECLARED["gbt27930-2015"]) if timer.name == "brm")
    assert brm.value == "5 s"
    assert timers(DECLARED["gbt27930-2011"]) == ()
    assert machines(DECLARED["gbt27930-2011"]) == ()
