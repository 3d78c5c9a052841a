"""A session on a time axis: phases, stop and error messages, voltage and current, as inline SVG."""

from collections.abc import Iterator, Sequence

import msgspec
from markupsafe import Markup

from swapproto.messages.gbt27930 import BCL, BCS, CCS, Party, Phase
from swapproto_conformance.report.lines import Line, Story
from swapproto_conformance.report.svg import (
    MINUTES_FROM,
    Point,
    breadth,
    decimals,
    domain,
    element,
    label,
    number,
    plain,
    reduce,
    runs,
    ticks,
    time_ticks,
    told,
    width_of,
)
from swapproto_conformance.report.texts import Language, Words, words

WIDTH = 960
LEFT, RIGHT = 58, 14
PLOT = WIDTH - LEFT - RIGHT
BAND = 24
ROW = 16
HEIGHT = 150
GAP = 30
GAP_IN_PERIODS = 10
"""A curve breaks where its message stays away for longer than this many of its periods."""
EVENTS = ("BST", "CST", "BEM", "CEM")
EVENT_GAP_US = 1_000_000
"""Frames of one event nearer than this are drawn as one mark."""
EVENTS_SHOWN = 40
CURVES = ((BCL, "demand"), (BCS, "measured"), (CCS, "output"))
DRAWN = (CURVES[1], CURVES[2], CURVES[0])
"""The widest first, so that curves that lie on one another are all seen."""


class Stop(msgspec.Struct, frozen=True, gc=False):
    """A stretch of stop or error messages of one name."""

    name: str
    sender: Party | None
    start_us: int
    count: int


def stops(lines: Sequence[Line]) -> tuple[Stop, ...]:
    """The stop and error messages, repetitions drawn together; bounded."""
    found: list[Stop] = []
    for name in EVENTS:
        sent = [line for line in lines if line.name == name]
        for start, _, count in runs([line.at_us for line in sent], EVENT_GAP_US):
            found.append(Stop(name, sent[0].sender, start, count))
    return tuple(sorted(found, key=lambda stop: stop.start_us)[:EVENTS_SHOWN])


def session(story: Story, name: str, anchor: str, lang: Language) -> Markup | None:
    """The drawing, None where there is nothing to draw; `anchor` makes its ids unique on the page."""
    if story.span_us <= 0:
        return None
    return Markup(_Session(story, lang).draw(name, anchor))  # noqa: S704 - all text in it went through plain()


class _Session:
    def __init__(self, story: Story, lang: Language) -> None:
        self._story = story
        self._lines = story.lines
        self._lang: Language = lang
        self._start = story.start_us
        self._span = story.span_us

    def draw(self, name: str, anchor: str) -> str:
        voltages, currents = self._curves("voltage"), self._curves("current")
        marks, rows = self._place(stops(self._lines))
        top = BAND + 6 + rows * ROW + 22
        current_top = top + HEIGHT + GAP
        bottom = current_top + HEIGHT
        v_shown, i_shown = _extremes(voltages), _extremes(currents)
        title = words("drawing.title", case=name)
        description = words(
            "drawing.desc",
            seconds=f"{self._span / 1e6:.1f}",
            messages=sum(line.message is not None for line in self._lines),
            v_low=v_shown[0],
            v_high=v_shown[1],
            i_low=i_shown[0],
            i_high=i_shown[1],
        )
        return element(
            "svg",
            told("title", title, self._lang, id=f"{anchor}-title"),
            told("desc", description, self._lang, id=f"{anchor}-desc"),
            *self._band(bottom),
            *self._events(marks, bottom),
            *self._legend(top - 8),
            *self._plot(voltages, top, "axis.voltage"),
            *self._plot(currents, current_top, "axis.current"),
            *self._time_axis(bottom),
            viewBox=f"0 0 {WIDTH} {bottom + 42}",
            class_="session",
            preserveAspectRatio="none",
            role="img",
            aria_labelledby=f"{anchor}-title {anchor}-desc",
        )

    def _x(self, at_us: int) -> float:
        return LEFT + (at_us - self._start) * PLOT / self._span

    def _curves(self, field: str) -> dict[str, list[Point]]:
        return {
            kind: [
                (line.at_us, float(getattr(line.message, field)))
                for line in self._lines
                if isinstance(line.message, message)
            ]
            for message, kind in CURVES
        }

    def _band(self, bottom: int) -> Iterator[str]:
        for index, span in enumerate(self._story.phases):
            error = span.phase is Phase.ERROR
            named = words(f"phase.{span.phase.value}")
            lasted = f", {(span.end_us - span.start_us) / 1e6:.3f} s"
            x, wide = self._x(span.start_us), (span.end_us - span.start_us) * PLOT / self._span
            yield element(
                "rect",
                told("title", Words(named.en + lasted, named.zh + lasted), self._lang),
                x=x,
                y=BAND - 5 if error else 0,
                width=max(wide, 1.5),
                height=5 if error else BAND - 6,
                class_="phase error" if error else f"phase shade{index % 2}",
            )
            if not error:
                yield element("path", d=f"M{number(x)} 0V{bottom}", class_="boundary")
                if wide > breadth(named) + 8:
                    yield label(named, x=x + wide / 2, y=BAND - 11, class_="middle")

    def _place(self, found: Sequence[Stop]) -> tuple[list[tuple[Stop, float, int, bool]], int]:
        """Each mark with its x, its row, and whether its label stands to the left of it."""
        free: list[float] = []
        placed: list[tuple[Stop, float, int, bool]] = []
        for stop in found:
            x, wide = self._x(stop.start_us), width_of(stop.name) + 12
            left = x + wide > WIDTH
            begin, end = (x - wide, x + 6) if left else (x - 6, x + wide)
            row = next((row for row, edge in enumerate(free) if edge <= begin), len(free))
            free[row:] = [end, *free[row + 1 :]]
            placed.append((stop, x, row, left))
        return placed, len(free)

    def _events(self, placed: Sequence[tuple[Stop, float, int, bool]], bottom: int) -> Iterator[str]:
        for stop, x, row, left in placed:
            y = BAND + 6 + row * ROW + ROW / 2
            shape = f"M{number(x - 4)} {number(y - 4)}h8l-4 8z"
            repeated = words("repeated", n=stop.count)
            named = f"{stop.name}, {(stop.start_us - self._start) / 1e6:.3f} s"
            yield element(
                "g",
                told("title", Words(f"{named}, {repeated.en}", f"{named}, {repeated.zh}"), self._lang),
                element("path", d=f"M{number(x)} {number(y)}V{bottom}", class_="stop-line"),
                element("path", d=shape, class_="stop-mark"),
                element(
                    "text",
                    plain(stop.name),
                    x=x - 7 if left else x + 7,
                    y=y + 4,
                    class_="left" if left else "right",
                ),
            )

    def _legend(self, y: int) -> Iterator[str]:
        x = float(LEFT)
        parts: list[str] = []
        for _, kind in CURVES:
            named = words(f"curve.{kind}")
            parts.append(element("path", d=f"M{number(x)} {y - 4}h26", class_=f"curve {kind}"))
            parts.append(label(named, x=x + 32, y=y, class_="right"))
            x += 32 + breadth(named) + 22
        yield element("g", *parts, class_="pinned")

    def _plot(self, curves: dict[str, list[Point]], top: int, caption: str) -> Iterator[str]:
        low, high = domain(value for curve in curves.values() for _, value in curve)
        scale = HEIGHT / (high - low)
        yield element("rect", x=LEFT, y=top, width=PLOT, height=HEIGHT, class_="frame")
        if not any(curves.values()):
            return
        for mark in ticks(low, high, 5):
            y = top + HEIGHT - (mark - low) * scale
            yield element("path", d=f"M{LEFT} {number(y)}h{PLOT}", class_="grid")
        for message, kind in DRAWN:
            stretches = self._stretches(curves[kind], (message.period_ms or 1000) * 1000 * GAP_IN_PERIODS)
            path = ""
            for stretch in stretches:
                at = [(self._x(at), top + HEIGHT - (value - low) * scale) for at, value in stretch]
                path += "M" + "L".join(f"{number(x)} {number(y)}" for x, y in at)
            if path:
                yield element("path", d=path, class_=f"curve {kind}")
        yield from self._scale(top, low, high, caption)

    def _scale(self, top: int, low: float, high: float, caption: str) -> Iterator[str]:
        """Its labels, above the curves, which pass beneath them when the drawing is zoomed."""
        marks = ticks(low, high, 5)
        digits = decimals(marks[1] - marks[0]) if len(marks) > 1 else 1
        for mark in marks:
            y = top + HEIGHT - (mark - low) * HEIGHT / (high - low)
            yield element("text", f"{mark:.{digits}f}", x=LEFT - 7, y=y + 4, class_="left pinned")
        upright = f"translate(11 {number(top + HEIGHT / 2)}) rotate(-90)"
        yield element("g", label(words(caption), transform=upright, class_="middle"), class_="pinned")

    def _stretches(self, points: Sequence[Point], apart: int) -> Iterator[list[Point]]:
        first = 0
        for _, _, count in runs([at for at, _ in points], apart):
            stretch = reduce(points[first : first + count], self._start, self._span, PLOT)
            yield stretch if len(stretch) > 1 else [*stretch, (stretch[0][0] + 1, stretch[0][1])]
            first += count

    def _time_axis(self, bottom: int) -> Iterator[str]:
        seconds = self._span / 1e6
        for mark, time in time_ticks(seconds, 10):
            x = LEFT + mark * PLOT / seconds
            yield element("path", d=f"M{number(x)} {bottom}v5", class_="tick")
            yield element("text", time, x=x, y=bottom + 18, class_="middle")
        unit = "s" if seconds < MINUTES_FROM else "min:s"
        yield label(words("axis.time", unit=unit), x=LEFT + PLOT / 2, y=bottom + 36, class_="middle")


def _extremes(curves: dict[str, list[Point]]) -> tuple[str, str]:
    values = [value for curve in curves.values() for _, value in curve]
    return (f"{min(values):.1f}", f"{max(values):.1f}") if values else ("-", "-")
