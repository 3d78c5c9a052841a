"""State diagrams without a layout engine: states in a column, and one lane at the side for each target.

A state is a box that lists its rows. A row leaves its box to the right, runs along the lane of its target and
enters the target's box from the right; rows with one target share its lane, and lanes that do not overlap
share their place. Rows that stay have no line.
"""

from collections.abc import Iterable, Mapping, Sequence
from textwrap import wrap

import msgspec
from markupsafe import Markup

from swapproto.export.docs.machines import Arrow, Machine

_BOX = 360
_LINE = 17
_HEAD = 24
_PAD = 6
_GAP = 12
_LANE = 13
_LETTERS = 50
_HUES = 6


class Leaving(msgspec.Struct, frozen=True):
    """Rows that go from one state to one other, or stay."""

    after: str
    causes: tuple[str, ...]
    lines: tuple[str, ...]


class Box(msgspec.Struct, frozen=True):
    """A state in its place; ``leaving`` has each group's vertical position too."""

    name: str
    top: int
    height: int
    notes: tuple[str, ...]
    leaving: tuple[tuple[Leaving, int], ...]

    @property
    def entry(self) -> int:
        """Where lines enter."""
        return self.top + _HEAD // 2


class Lane(msgspec.Struct, frozen=True):
    """The line along which all rows to one state run."""

    after: str
    place: int
    top: int
    bottom: int


def svg(machine: Machine) -> Markup:
    """The diagram; every row of the table is in it, those that stay in the words of their box."""
    boxes = tuple(_boxes(machine))
    lanes = _lanes(boxes)
    width = _BOX + (max((lane.place for lane in lanes.values()), default=0) + 2) * _LANE
    height = boxes[-1].top + boxes[-1].height + 2
    parts = [
        Markup('<svg class="states" viewBox="0 0 {0} {1}" width="{0}" height="{1}" role="img">').format(
            width, height
        ),
        Markup("<title>{}</title>").format(machine.title),
        Markup(
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
            'orient="auto"><path d="M0 0L8 4L0 8z" fill="context-stroke"/></marker></defs>'
        ),
    ]
    entries = {box.name: box.entry for box in boxes}
    for box in boxes:
        for leaving, y in box.leaving:
            if leaving.after != box.name:
                parts.append(_edge(box, leaving, y, lanes[leaving.after], entries[leaving.after]))
    parts += [_drawn(box, box.name == machine.start) for box in boxes]
    return Markup("").join([*parts, Markup("</svg>")])


def groups(arrows: Iterable[Arrow]) -> Mapping[str, tuple[Leaving, ...]]:
    """The rows of each state, gathered by where they lead; those that stay come last."""
    found: dict[str, dict[str, list[str]]] = {}
    for arrow in arrows:
        found.setdefault(arrow.before, {}).setdefault(arrow.after, []).append(arrow.cause)
    return {
        before: tuple(
            Leaving(after, tuple(causes), tuple(_words(before, after, causes)))
            for after, causes in sorted(targets.items(), key=lambda pair: pair[0] == before)
        )
        for before, targets in found.items()
    }


def _words(before: str, after: str, causes: Sequence[str]) -> list[str]:
    told = "; ".join(causes)
    return wrap(f"stays: {told}" if before == after else f"{told} \N{RIGHTWARDS ARROW} {after}", _LETTERS)


def _boxes(machine: Machine) -> Iterable[Box]:
    leaving = groups(machine.arrows)
    top = 1
    for state in machine.states:
        notes = wrap(f"sends: {', '.join(state.sends)}", _LETTERS) if state.sends else []
        notes += wrap(f"limits: {', '.join(state.timers)}", _LETTERS) if state.timers else []
        y = top + _HEAD + _LINE * len(notes)
        placed: list[tuple[Leaving, int]] = []
        for each in leaving.get(state.name, ()):
            placed.append((each, y + _LINE // 2))
            y += _LINE * len(each.lines)
        yield Box(state.name, top, y - top + _PAD, tuple(notes), tuple(placed))
        top = y + _PAD + _GAP


def _lanes(boxes: Sequence[Box]) -> Mapping[str, Lane]:
    """A lane for each state that another leads to, the short ones nearest to the boxes."""
    spans: list[tuple[int, int, int, str]] = []
    for target in boxes:
        ys = [
            y
            for box in boxes
            for leaving, y in box.leaving
            if leaving.after == target.name and box is not target
        ]
        if ys:
            top, bottom = min(*ys, target.entry), max(*ys, target.entry)
            spans.append((bottom - top, top, bottom, target.name))
    lanes: dict[str, Lane] = {}
    for _, top, bottom, name in sorted(spans):
        taken = {lane.place for lane in lanes.values() if top <= lane.bottom + 4 and lane.top - 4 <= bottom}
        place = next(number for number in range(len(spans)) if number not in taken)
        lanes[name] = Lane(name, place, top, bottom)
    return lanes


def _edge(box: Box, leaving: Leaving, y: int, lane: Lane, entry: int) -> Markup:
    x = _BOX + (lane.place + 1) * _LANE
    return Markup(
        '<path class="edge hue{}" data-from="{}" data-to="{}" data-causes="{}" '
        'd="M{} {}H{}V{}H{}" marker-end="url(#tip)"/>'
    ).format(
        lane.place % _HUES, box.name, leaving.after, "; ".join(leaving.causes), _BOX, y, x, entry, _BOX + 2
    )


def _drawn(box: Box, start: bool) -> Markup:
    stays = [cause for each, _ in box.leaving if each.after == box.name for cause in each.causes]
    kind = "state start" if start else "state"
    parts = [
        Markup('<g class="{}" data-name="{}" data-stays="{}">').format(kind, box.name, "; ".join(stays)),
        Markup('<rect x="1" y="{}" width="{}" height="{}" rx="4"/>').format(box.top, _BOX - 1, box.height),
        Markup('<text class="name" x="10" y="{}">{}</text>').format(box.top + 17, box.name),
    ]
    y = box.top + _HEAD
    for note in box.notes:
        parts.append(Markup('<text class="note" x="10" y="{}">{}</text>').format(y + 12, note))
        y += _LINE
    for leaving, _ in box.leaving:
        kind = "stays" if leaving.after == box.name else "leads"
        for line in leaving.lines:
            parts.append(Markup('<text class="{}" x="10" y="{}">{}</text>').format(kind, y + 12, line))
            y += _LINE
    return Markup("").join([*parts, Markup("</g>")])


def mermaid(machine: Machine) -> str:
    """The same as a Mermaid block, without the rows that stay."""
    names = {state.name: f"s{number}" for number, state in enumerate(machine.states)}
    lines = ["stateDiagram-v2", f"    [*] --> {names[machine.start]}"]
    lines += [f'    state "{name}" as {short}' for name, short in names.items()]
    for before, leaving in groups(machine.arrows).items():
        for each in leaving:
            if each.after != before:
                lines.append(f"    {names[before]} --> {names[each.after]}: {', '.join(each.causes)}")
    return "\n".join(lines)
