"""A comparison as one self-contained page, which asks nothing of any network and has no script."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined

from swapproto.atomic import write_atomically
from swapproto.cli.diff_source import Recorded
from swapproto.cli.diff_text import earlier, notes, seconds
from swapproto.cli.text import plural, printable
from swapproto.observe.compare import Comparison
from swapproto.observe.compare_align import Difference, Mark, Row

TEMPLATE = "diff.html.j2"
_SIGNS = {Mark.SAME: "=", Mark.MISSING: "−", Mark.ADDITIONAL: "+", Mark.MOVED: "↕", Mark.NOT_HEARD: "·"}


class Line(NamedTuple):
    """A row of the two columns with the differences that are told of its message."""

    row: Row
    sign: str
    style: str
    details: list[Difference]


class Section(NamedTuple):
    """The rows of one phase."""

    title: str
    lines: list[Line]


def write_page(path: Path, comparison: Comparison, good: Recorded, bad: Recorded) -> None:
    """Replace the file in one step; FileError where it cannot be written."""
    write_atomically(path, render(comparison, good, bad).encode())


def render(comparison: Comparison, good: Recorded, bad: Recorded) -> str:
    """The page as text."""
    environment = Environment(
        loader=PackageLoader("swapproto.cli", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["seconds"] = seconds
    environment.filters["printable"] = printable
    return environment.get_template(TEMPLATE).render(
        comparison=comparison,
        sides=(("GOOD", good, comparison.good), ("BAD", bad, comparison.bad)),
        plural=plural,
        earlier=earlier(comparison),
        notes=list(notes(comparison, good, bad)),
        sections=list(_sections(comparison)),
        signs=[(sign, mark.value) for mark, sign in _SIGNS.items()],
    )


def _sections(comparison: Comparison) -> Iterator[Section]:
    sessions = len({row.attempt for row in comparison.rows})
    shown: dict[int, list[Difference]] = {}
    for each in comparison.differences:
        shown.setdefault(max(int(each.position), 0), []).append(each)
    numbered = enumerate(comparison.rows)
    for (attempt, phase), rows in groupby(numbered, key=lambda pair: (pair[1].attempt, pair[1].phase)):
        title = f"{phase.value}, session {attempt + 1}" if sessions > 1 else phase.value
        yield Section(title, [_line(row, shown.get(index, [])) for index, row in rows])


def _line(row: Row, details: list[Difference]) -> Line:
    if row.mark is Mark.SAME:
        return Line(row, "≠" if details else "=", "differs" if details else "same", details)
    return Line(row, _SIGNS[row.mark], row.mark.name.lower().replace("_", "-"), details)
