"""The matrix as one self-contained page, which asks nothing of any network and has no script."""

from itertools import groupby
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from swapproto.atomic import write_atomically
from swapproto.compat import page_texts
from swapproto.compat.answer import Verdict
from swapproto.compat.descriptor import Standing
from swapproto.compat.matrix import Matrix, Row, leading
from swapproto.compat.rules import RULES
from swapproto.compat.words import Words

TEMPLATE = "matrix.html.j2"
_MARKS = {Verdict.COMPATIBLE: "✓", Verdict.INCOMPATIBLE: "✕", Verdict.UNKNOWN: "?"}


def write_page(path: Path, matrix: Matrix) -> None:
    """Replace the file in one step; FileError where it cannot be written."""
    write_atomically(path, render(matrix).encode())


def render(matrix: Matrix) -> str:
    """The page as text: English and Chinese, of which the reader sees the one that is chosen."""
    environment = Environment(
        loader=PackageLoader("swapproto.compat", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["both"] = _both
    scenario = matrix.scenario
    return environment.get_template(TEMPLATE).render(
        matrix=matrix,
        scenario=scenario,
        t=page_texts.TEXTS,
        verdicts=page_texts.VERDICTS,
        meanings=page_texts.MEANINGS,
        standings=page_texts.STANDINGS,
        marks=_MARKS,
        letters=matrix.letters,
        titles={leading(cell).en: leading(cell) for row in matrix.rows for cell in row.cells if cell.reasons},
        leading=leading,
        sections=_sections(matrix),
        spans=_spans(matrix),
        numbers={each.id: number for number, each in enumerate(matrix.stations, 1)},
        rules=RULES,
        standing=Standing,
        devices=[
            (page_texts.KINDS[found[0].kind], found)
            for found in (scenario.packs, scenario.trucks, scenario.stations)
            if found
        ],
    )


def _both(words: Words) -> Markup:
    """One beside the other; once where they do not differ."""
    if words.en == words.zh:
        return escape(words.en)
    return Markup('<span lang="en">{}</span><span lang="zh-CN">{}</span>').format(words.en, words.zh)


def _sections(matrix: Matrix) -> list[tuple[Words, list[tuple[int, Row]]]]:
    """Rows with their places, by the group of their packs."""
    grouped = groupby(enumerate(matrix.rows), key=lambda pair: pair[1].pack.group)
    return [(group, list(rows)) for group, rows in grouped]


def _spans(matrix: Matrix) -> list[tuple[Words, int]]:
    """Groups of stations that stand beside one another, with their number."""
    grouped = groupby(matrix.stations, key=lambda station: station.group)
    return [(group, len(list(stations))) for group, stations in grouped]
