"""A whole case on a narrow time axis: one lane a message, a tick a frame, as inline SVG."""

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from swapproto.messages.gbt27930 import Party
from swapproto_conformance.report.lines import Story
from swapproto_conformance.report.svg import (
    MINUTES_FROM,
    element,
    label,
    number,
    plain,
    runs,
    time_ticks,
    told,
)
from swapproto_conformance.report.texts import Language, words

WIDTH = 960
LEFT, RIGHT = 112, 14
PLOT = WIDTH - LEFT - RIGHT
TOP = 14
LANE = 17
TICK = 7
LANES_SHOWN = 40
MARKS_SHOWN = 60
_ORDER: tuple[Party | None, ...] = (Party.CHARGER, Party.BMS, None)


def sender_key(sender: Party | None) -> str:
    """The word for a sender."""
    return {Party.CHARGER: "sender.charger", Party.BMS: "sender.bms", None: "sender.other"}[sender]


def strip(
    story: Story, evidence_us: Sequence[int], watched_us: int, name: str, anchor: str, lang: Language
) -> Markup | None:
    """The drawing, None without frames; `evidence_us` are trace stamps. The axis goes on for `watched_us`."""
    if not story.lines:
        return None
    return Markup(_Strip(story, watched_us, lang).draw(evidence_us, name, anchor))  # noqa: S704 - all text in it went through plain()


class _Strip:
    def __init__(self, story: Story, watched_us: int, lang: Language) -> None:
        self._lang: Language = lang
        self._start = story.start_us
        self._span = max(story.span_us, watched_us, 1)
        lanes: dict[tuple[Party | None, str], list[int]] = {}
        for line in story.lines:
            lanes.setdefault((line.sender, line.lane), []).append(line.at_us)
        by_party = sorted(lanes.items(), key=lambda lane: _ORDER.index(lane[0][0]))
        self._lanes = by_party[:LANES_SHOWN]
        self._left_out = len(by_party) - len(self._lanes)

    def draw(self, evidence_us: Sequence[int], name: str, anchor: str) -> str:
        bottom = TOP + sum(LANE for _ in self._lanes) + 4
        title = words("strip.title", case=name)
        description = words("strip.desc", lanes=len(self._lanes), seconds=f"{self._span / 1e6:.3f}")
        return element(
            "svg",
            told("title", title, self._lang, id=f"{anchor}-title"),
            told("desc", description, self._lang, id=f"{anchor}-desc"),
            *self._time_axis(bottom),
            *(each for row, lane in enumerate(self._lanes) for each in self._lane(row, *lane)),
            *self._evidence(evidence_us, bottom),
            viewBox=f"0 0 {WIDTH} {bottom + (38 if self._left_out else 22)}",
            class_="strip",
            preserveAspectRatio="none",
            role="img",
            aria_labelledby=f"{anchor}-title {anchor}-desc",
        )

    def _x(self, at_us: int) -> float:
        return LEFT + (at_us - self._start) * PLOT / self._span

    def _lane(self, row: int, key: tuple[Party | None, str], stamps: Sequence[int]) -> Iterator[str]:
        sender, name = key
        middle = TOP + row * LANE + LANE / 2
        yield element("path", d=f"M{LEFT} {number(middle)}h{PLOT}", class_="grid")
        top, tall = (middle - TICK, TICK) if sender is Party.CHARGER else (middle, TICK)
        bars: list[str] = []
        for start, end, _ in runs(stamps, self._span // PLOT):
            x = self._x(start)
            wide = max(self._x(end) - x, 1.2)
            bars.append(f"M{number(x)} {number(top)}h{number(wide)}v{tall}h{number(-wide)}z")
        party = "other" if sender is None else sender.name.lower()
        yield element("path", d="".join(bars), class_=f"ticks {party}")
        if row == 0 or self._lanes[row - 1][0][0] is not sender:
            yield label(words(sender_key(sender)), x=2, y=middle + 4, class_="right party pinned")
        yield element("text", plain(name[:12]), x=LEFT - 8, y=middle + 4, class_="left pinned")

    def _evidence(self, evidence_us: Sequence[int], bottom: int) -> Iterator[str]:
        columns = sorted({round(self._x(at)) for at in evidence_us if 0 <= at - self._start <= self._span})
        for x in columns[:MARKS_SHOWN]:
            yield element("path", d=f"M{x} {TOP - 4}V{bottom}", class_="evidence-line")
            yield element("path", d=f"M{x - 5} {TOP - 12}h10l-5 8z", class_="evidence-mark")

    def _time_axis(self, bottom: int) -> Iterator[str]:
        seconds = self._span / 1e6
        yield element("path", d=f"M{LEFT} {bottom}h{PLOT}", class_="tick")
        unit = " s" if seconds < MINUTES_FROM else ""
        marks = time_ticks(seconds, 8)
        for index, (mark, time) in enumerate(marks):
            x = LEFT + mark * PLOT / seconds
            yield element("path", d=f"M{number(x)} {bottom}v4", class_="tick")
            shown = f"{time}{unit}" if index == len(marks) - 1 else time
            yield element("text", shown, x=x, y=bottom + 16, class_="middle")
        if self._left_out:
            note = words("strip.left_out", n=self._left_out)
            yield label(note, x=LEFT, y=bottom + 34, class_="right")
