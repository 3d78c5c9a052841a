"""The expected window of a timed message on an axis of time, beside what was observed, as inline SVG."""

import re
from collections.abc import Iterator

import msgspec
from markupsafe import Markup

from swapproto_conformance.report.svg import (
    breadth,
    decimals,
    element,
    label,
    number,
    ticks,
    told,
)
from swapproto_conformance.report.texts import Language, Words, words
from swapproto_conformance.verdict import Finding

WIDTH = 960
LEFT, RIGHT = 14, 60
PLOT = WIDTH - LEFT - RIGHT
TOP = 22
TALL = 20
BOTTOM = TOP + TALL
HEIGHT = BOTTOM + 38
ANCHOR_SHOWN = 80
NAME_SHOWN = 40

_MS = r"([0-9.]+(?:e[+-]?[0-9]+)?) ms"
_ANSWER = re.compile(rf"(.+?) (at|within) {_MS}(?:, up to {_MS} more)? \(tolerance {_MS}\) after (.+)")
_PERIOD = re.compile(rf"(\S+) every {_MS} ± {_MS}")
_CAME = re.compile(rf"(?:.+?) after {_MS}(?:, .*)?")
_MISSING = re.compile(rf".* in {_MS}")
_INTERVALS = re.compile(rf"median {_MS}, ([0-9.e+-]+) to {_MS} over \d+ intervals")


class Window(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a finding says of a time, in milliseconds; read from its words, which the judges write."""

    name: str
    anchor: str | None
    """None for a period, which counts from one message to the next."""
    nominal: float
    low: float
    """From here to `high` a time conforms."""
    high: float
    at: float | None
    """When it came, or the median interval; None where it did not come."""
    spread: tuple[float, float] | None = None
    """Shortest and longest interval."""
    watched: float = 0.0
    """How long it was waited for in vain."""

    @property
    def limit_us(self) -> int:
        return round(self.high * 1000)

    @property
    def conforms(self) -> bool:
        return self.at is not None and self.low <= self.at <= self.high


def window(finding: Finding) -> Window | None:
    """None where the finding is not about one time, or its words are none that are known."""
    if answer := _ANSWER.fullmatch(finding.expected):
        name, sign, nominal, slack, tolerance, anchor = answer.groups()
        came, missing = _CAME.fullmatch(finding.observed), _MISSING.fullmatch(finding.observed)
        if came is None and missing is None:
            return None
        due, margin = float(nominal), float(tolerance)
        return Window(
            name=name,
            anchor=anchor,
            nominal=due,
            low=due - margin if sign == "at" else 0.0,
            high=due + float(slack or 0) + margin,
            at=None if came is None else float(came[1]),
            watched=0.0 if came is not None or missing is None else float(missing[1]),
        )
    period, seen = _PERIOD.fullmatch(finding.expected), _INTERVALS.fullmatch(finding.observed)
    if period is None or seen is None:
        return None
    due, margin = float(period[2]), float(period[3])
    return Window(
        name=period[1],
        anchor=None,
        nominal=due,
        low=due - margin,
        high=due + margin,
        at=float(seen[1]),
        spread=(float(seen[2]), float(seen[3])),
    )


def draw(shown: Window, anchor: str, lang: Language) -> Markup:
    """The drawing; `anchor` makes its id unique on the page."""
    return Markup(_Drawing(shown).draw(anchor, lang))  # noqa: S704 - all text in it went through plain()


class _Drawing:
    def __init__(self, shown: Window) -> None:
        self._shown = shown
        longest = max(shown.high, shown.at or 0, shown.watched, *(shown.spread or (0,)))
        self._end = max(longest * 1.06, 1e-3)

    def _x(self, ms: float) -> float:
        return LEFT + min(max(ms, 0.0), self._end) * PLOT / self._end

    def draw(self, anchor: str, lang: Language) -> str:
        named = _cut(self._shown.name, NAME_SHOWN)
        return element(
            "svg",
            told("title", words("window.title", name=named), lang, id=f"{anchor}-title"),
            *self._axis(),
            *self._band(),
            *self._observed(),
            viewBox=f"0 0 {WIDTH} {HEIGHT}",
            class_="window",
            role="img",
            aria_labelledby=f"{anchor}-title",
        )

    def _axis(self) -> Iterator[str]:
        yield element("path", d=f"M{LEFT} {BOTTOM}h{PLOT}", class_="tick")
        marks = ticks(0, self._end, 8)
        digits = decimals(marks[1] - marks[0]) if len(marks) > 1 else 1
        for mark in marks:
            x = self._x(mark)
            yield element("path", d=f"M{number(x)} {BOTTOM}v4", class_="tick")
            yield element("text", f"{mark:.{digits}f}", x=x, y=BOTTOM + 15, class_="middle")
        if self._shown.anchor is None:
            caption = words("window.interval", name=self._shown.name)
        else:
            caption = words("window.axis", anchor=_cut(self._shown.anchor, ANCHOR_SHOWN))
            yield element("path", d=f"M{LEFT} {TOP - 4}V{BOTTOM}", class_="anchor")
            yield element("circle", cx=LEFT, cy=TOP - 4, r=3.5, class_="anchor-mark")
        yield label(caption, x=LEFT, y=BOTTOM + 31, class_="right muted")

    def _band(self) -> Iterator[str]:
        low, high, nominal = (
            self._x(each) for each in (self._shown.low, self._shown.high, self._shown.nominal)
        )
        wide = max(high - low, 2.0)
        yield element("rect", x=low, y=TOP, width=wide, height=TALL, class_="conforms")
        yield element("path", d=f"M{number(nominal)} {TOP}v{TALL}", class_="nominal")
        inside = words("window.band")
        if wide > breadth(inside) + 16 and not self._near((low + high) / 2):
            yield label(inside, x=(low + high) / 2, y=TOP + 14, class_="middle muted")
        text = words("window.nominal", ms=f"{self._shown.nominal:g}")
        right = nominal + breadth(text) < WIDTH
        yield label(text, x=nominal, y=TOP - 6, class_="middle" if right else "left")

    def _near(self, x: float) -> bool:
        """Whether what was observed stands here, or the nominal line."""
        seen = [self._shown.nominal] + ([] if self._shown.at is None else [self._shown.at])
        return any(abs(self._x(each) - x) < 110 for each in seen)

    def _observed(self) -> Iterator[str]:
        middle = TOP + TALL / 2
        if self._shown.spread is not None:
            low, high = (self._x(each) for each in self._shown.spread)
            whisker = f"M{number(low)} {number(middle)}H{number(high)}M{number(low)} {number(middle - 4)}v8"
            yield element("path", d=f"{whisker}M{number(high)} {number(middle - 4)}v8", class_="spread")
        if self._shown.at is None:
            yield from self._missing(middle)
            return
        x = self._x(self._shown.at)
        yield element("path", d=f"M{number(x)} {TOP - 2}V{BOTTOM}", class_="answer")
        shape = f"M{number(x)} {number(middle - 6)}l6 6l-6 6l-6 -6z"
        yield element(
            "path", d=shape, class_="answer-mark" + (" inside" if self._shown.conforms else " outside")
        )
        ms = f"{self._shown.at:g} ms"
        name = _cut(self._shown.name, NAME_SHOWN)
        text = words("window.median", ms=ms) if self._shown.spread else words("window.at", name=name, ms=ms)
        yield from self._beside(x, text, middle)

    def _missing(self, middle: float) -> Iterator[str]:
        """A line that runs on until nobody waited any longer, and ends in a cross."""
        x = self._x(self._shown.watched)
        yield element("path", d=f"M{LEFT} {number(middle)}H{number(x)}", class_="waited")
        cross = f"M{number(x - 5)} {number(middle - 5)}l10 10m0 -10l-10 10"
        yield element("path", d=cross, class_="cross")
        name = _cut(self._shown.name, NAME_SHOWN)
        yield from self._beside(x, words("window.none", name=name, ms=f"{self._shown.watched:g} ms"), middle)

    def _beside(self, x: float, text: Words, middle: float) -> Iterator[str]:
        left = x + breadth(text) + 12 > WIDTH
        class_ = "left seen" if left else "right seen"
        yield label(text, x=x - 11 if left else x + 11, y=middle + 4, class_=class_)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
