"""Small parts of inline SVG: escaping, ticks, and curves reduced to what a screen can show."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from math import ceil, floor, log10
from typing import Protocol, TypeAlias

from swapproto_conformance.junit import printable

Point: TypeAlias = tuple[int, float]
"""Microseconds, value."""

_CLOCK = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
MINUTES_FROM = 180
"""Seconds from which an axis of time is labelled in minutes and seconds."""


def element(name: str, *content: str, **attributes: object) -> str:
    """One element; content is markup, attributes are text. `class_` stands for class, `_` for a hyphen."""
    shown = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_attribute(value)}"' for key, value in attributes.items()
    )
    return f"<{name}{shown}>{''.join(content)}</{name}>" if content else f"<{name}{shown}/>"


def plain(text: str) -> str:
    """Text as markup, with nothing in it that a reader cannot see."""
    return escape(printable(text))


def number(value: float) -> str:
    """A coordinate, no longer than needed."""
    return f"{value:.1f}".removesuffix(".0")


def _attribute(value: object) -> str:
    return number(value) if isinstance(value, float) else plain(str(value))


class Bilingual(Protocol):
    """Text that the page holds in both of its languages."""

    @property
    def en(self) -> str: ...
    @property
    def zh(self) -> str: ...


def label(words: Bilingual, **attributes: object) -> str:
    """A text in both languages, of which the style sheet shows one."""
    if words.en == words.zh:
        return element("text", plain(words.en), **attributes)
    english = element("text", plain(words.en), lang="en", **attributes)
    return english + element("text", plain(words.zh), lang="zh-CN", **attributes)


def told(name: str, words: Bilingual, language: str, **attributes: object) -> str:
    """A title or desc, which can hold one language only; the page's script exchanges it for the other."""
    first, other = (words.zh, words.en) if language == "zh" else (words.en, words.zh)
    if first == other:
        return element(name, plain(first), **attributes)
    return element(name, plain(first), data_other=other, **attributes)


def breadth(words: Bilingual) -> float:
    """Of the wider one."""
    return max(width_of(words.en), width_of(words.zh))


def width_of(text: str) -> float:
    """About how wide a small label is, in units of the drawing."""
    return sum(11.5 if ord(character) > 0x2E80 else 6.3 for character in text)


def ticks(low: float, high: float, about: int) -> list[float]:
    """Round numbers from low to high, in steps of 1, 2 or 5 times a power of ten."""
    raw = (high - low) / about
    power = 10.0 ** floor(log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * 0.999)
    return [index * step for index in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)]


def time_ticks(seconds: float, about: int) -> list[tuple[float, str]]:
    """Seconds and their labels, in steps that clocks use once they are long enough."""
    clock = next((step for step in _CLOCK if seconds / step <= about), None)
    if clock is None or seconds < about:
        marks = ticks(0, seconds, about)
        step = marks[1] - marks[0] if len(marks) > 1 else 1.0
        return [(mark, f"{mark:.{decimals(step)}f}") for mark in marks]
    marks = [float(mark) for mark in range(0, floor(seconds) + 1, clock)]
    if seconds < MINUTES_FROM:
        return [(mark, f"{mark:.0f}") for mark in marks]
    return [(mark, f"{mark // 60:.0f}:{mark % 60:02.0f}") for mark in marks]


def decimals(step: float) -> int:
    """Digits behind the point that tell labels of this step apart."""
    return max(0, -floor(log10(step) + 1e-9))


def domain(values: Iterable[float]) -> tuple[float, float]:
    """Lowest and highest with some air, never of no height; (0, 1) for nothing."""
    values = list(values)
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    air = (high - low) * 0.06 or max(1.0, abs(high) * 0.02)
    return low - air, high + air


def reduce(points: Sequence[Point], start: int, span: int, columns: int) -> list[Point]:
    """First, lowest, highest and last of each column, which draw the same as all of its points."""
    kept: list[Point] = []
    for column in _columns(points, start, span, columns):
        chosen = {column[0], column[-1], min(column, key=_value), max(column, key=_value)}
        kept += sorted(chosen)
    return kept


def _value(point: Point) -> float:
    return point[1]


def _columns(points: Sequence[Point], start: int, span: int, columns: int) -> Iterator[list[Point]]:
    current: list[Point] = []
    index = -1
    for point in points:
        here = (point[0] - start) * columns // span
        if here != index and current:
            yield current
            current = []
        index = here
        current.append(point)
    if current:
        yield current


def runs(stamps: Sequence[int], apart: int) -> Iterator[tuple[int, int, int]]:
    """First stamp, last stamp and count of each stretch in which neighbours are at most `apart` away."""
    first = 0
    for index in range(1, len(stamps) + 1):
        if index == len(stamps) or stamps[index] - stamps[index - 1] > apart:
            yield stamps[first], stamps[index - 1], index - first
            first = index
