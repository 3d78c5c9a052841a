"""The messages between the two parties, time downwards: an arrow a message, as inline SVG."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

import msgspec
from markupsafe import Markup

from swapproto.messages.gbt27930 import Party
from swapproto_conformance.report.excerpt import Folded, Moment, Row, Shown, ends, news, rows
from swapproto_conformance.report.lines import TRANSPORT, Line, Story, fields
from swapproto_conformance.report.svg import element, label, number, plain, told, width_of
from swapproto_conformance.report.texts import Language, Words, words
from swapproto_conformance.report.window import Window, window
from swapproto_conformance.verdict import Finding, Verdict

WIDTH = 960
TIME = 64
CHARGER, BMS = 116, 410
ASIDE = BMS + 44
TOP = 34
ROW = 21
AROUND = 2
"""Messages on both sides of each piece of evidence."""
EVIDENCE_SHOWN = 8
NEWS_SHOWN = 16
LIMITS_SHOWN = 2
FIELDS_WIDE = WIDTH - ASIDE - 8
NAMES_FOLDED = 6

_X = {Party.CHARGER: CHARGER, Party.BMS: BMS}


class Limit(msgspec.Struct, frozen=True, gc=False):
    """Until when a message was due, and from when its time ran."""

    since_us: int
    until_us: int
    window: Window


class Lane(msgspec.Struct, frozen=True):
    """What is drawn: rows in order of time, out of so many messages."""

    rows: tuple[Row, ...]
    limits: tuple[Limit, ...]
    messages: int

    @property
    def arrows(self) -> int:
        return sum(isinstance(row, Shown) for row in self.rows)

    @property
    def evidence(self) -> int:
        return sum(row.evidence for row in self.rows if isinstance(row, Shown))


def messages(lines: Sequence[Line]) -> list[Line]:
    """The lines that say something of their own: packets and their handshake stand in the message they make.

    What belongs to a transfer that never came to its end stays, save for its data packets.
    """
    spans = [(line.began_us, line.at_us, line) for line in lines if line.began_us is not None]
    kept: list[Line] = []
    for line in lines:
        control = line.name == "TP.CM"
        if not line.name.startswith(TRANSPORT) or (control and not _part_of(line, spans)):
            kept.append(line)
    return kept


def _part_of(line: Line, spans: Sequence[tuple[int, int, Line]]) -> bool:
    """Whether a control frame belongs to one of these transfers; its end is acknowledged after it."""
    return any(
        began <= line.at_us
        and f": {made.name}," in line.note
        and (line.at_us <= end or "EndOfMsgAck" in line.note)
        for began, end, made in spans
    )


def limits(findings: Iterable[Finding]) -> list[Limit]:
    """Of the findings that count from an anchor in the trace to an answer."""
    found: list[Limit] = []
    for each in findings:
        shown = window(each)
        if shown is not None and shown.anchor is not None and each.at_us:
            found.append(Limit(each.at_us[0], each.at_us[0] + shown.limit_us, shown))
    return found[:LIMITS_SHOWN]


def lane(story: Story, findings: Sequence[Finding]) -> Lane:
    """First messages, news and the surroundings of what decided the case; bounded whatever that is."""
    decisive = [each for each in findings if each.verdict is not Verdict.PASS] or findings
    said = messages(story.lines)
    positions = [line.position for line in said]
    due = limits(decisive)
    evidence = _places(decisive, story.lines, said, positions)
    stamps = [line.at_us for line in said]
    moments = sorted({limit.until_us for limit in due if limit.until_us <= story.start_us + story.span_us})
    near = [*ends(evidence, EVIDENCE_SHOWN), *(bisect_left(stamps, at) for at in moments)]
    kept = {place + step for place in near for step in range(-AROUND, AROUND + 1)}
    window_ = range(len(said))
    kept.difference_update(set(evidence).difference(near))
    kept.update(news(said, window_, NEWS_SHOWN), (0, len(said) - 1))
    kept.intersection_update(window_)
    drawn = rows(said, window_, kept, set(evidence), moments)
    return Lane(tuple(drawn), tuple(due), len(said))


def _places(
    decisive: Sequence[Finding], lines: Sequence[Line], said: Sequence[Line], positions: Sequence[int]
) -> list[int]:
    """Places of the evidence among the messages; a packet's is that of the message it belongs to."""
    places: set[int] = set()
    for each in decisive:
        for frame in each.frames:
            place = bisect_left(positions, frame)
            if 0 <= frame < len(lines) and place < len(said):
                places.add(place)
    return sorted(places)


def draw(shown: Lane, story: Story, name: str, anchor: str, lang: Language) -> Markup | None:
    """The drawing, None without messages; `anchor` makes its ids unique on the page."""
    if not shown.rows:
        return None
    return Markup(_Drawing(shown, story, lang).draw(name, anchor))  # noqa: S704 - all text in it went through plain()


class _Drawing:
    def __init__(self, shown: Lane, story: Story, lang: Language) -> None:
        self._lane = shown
        self._start = story.start_us
        self._lang: Language = lang
        self._ys = {index: TOP + ROW * index + ROW / 2 for index in range(len(shown.rows))}
        self._bottom = TOP + ROW * len(shown.rows) + 6

    def draw(self, name: str, anchor: str) -> str:
        lane = self._lane
        description = words("lane.desc", arrows=lane.arrows, messages=lane.messages, evidence=lane.evidence)
        return element(
            "svg",
            told("title", words("lane.title", case=name), self._lang, id=f"{anchor}-title"),
            told("desc", description, self._lang, id=f"{anchor}-desc"),
            *self._parties(),
            *(bar for limit in lane.limits for bar in self._bar(limit)),
            *(each for index, row in enumerate(lane.rows) for each in self._row(self._ys[index], row)),
            viewBox=f"0 0 {WIDTH} {self._bottom}",
            class_="lane",
            role="img",
            aria_labelledby=f"{anchor}-title {anchor}-desc",
        )

    def _parties(self) -> Iterator[str]:
        for party, key in ((Party.CHARGER, "sender.charger"), (Party.BMS, "sender.bms")):
            x = _X[party]
            yield element("path", d=f"M{x} {TOP - 8}V{self._bottom}", class_="life")
            yield label(words(key), x=x, y=TOP - 16, class_="middle name")
        yield element("text", "s", x=TIME, y=TOP - 16, class_="left muted")

    def _row(self, y: float, row: Row) -> Iterator[str]:
        match row:
            case Shown():
                yield self._time(y, row.line.at_us)
                yield element("g", *self._arrow(y, row), class_="evidence" if row.evidence else "plain")
            case Moment():
                yield self._time(y, row.at_us)
                yield from self._moment(y, row)
            case Folded():
                yield from self._fold(y, row)

    def _time(self, y: float, at_us: int) -> str:
        return element("text", f"{(at_us - self._start) / 1e6:.4f}", x=TIME, y=y + 4, class_="left muted")

    def _arrow(self, y: float, row: Shown) -> Iterator[str]:
        line, said = row.line, ", ".join(fields(row.line))
        yield element("title", plain(f"{line.name}: {said}" if said else line.name))
        if line.sender is None:
            yield element("circle", cx=(CHARGER + BMS) / 2, cy=y + 3, r=3, class_="other")
        else:
            here, there = (CHARGER, BMS) if line.sender is Party.CHARGER else (BMS, CHARGER)
            yield from _shaft(here, there, y + 4, double=row.evidence)
        yield element("text", plain(line.name), x=(CHARGER + BMS) / 2, y=y - 0.5, class_="middle name")
        x = float(ASIDE)
        if row.evidence:
            mark = words("evidence")
            yield label(mark, x=x, y=y + 4, class_="right name")
            x += max(width_of(mark.en), width_of(mark.zh)) + 12
        text = _brief(line, said)
        yield element("text", plain(_fitting(text, WIDTH - x - 8)), x=x, y=y + 4, class_="right muted")

    def _moment(self, y: float, row: Moment) -> Iterator[str]:
        yield element("path", d=f"M{CHARGER - 14} {number(y)}H{BMS + 14}", class_="due")
        for limit in self._lane.limits:
            if limit.until_us == row.at_us:
                text = words("lane.limit", name=limit.window.name, ms=f"{limit.window.high:g}")
                text = Words(_fitting(text.en, FIELDS_WIDE), _fitting(text.zh, FIELDS_WIDE))
                yield label(text, x=ASIDE, y=y + 4, class_="right")

    def _fold(self, y: float, row: Folded) -> Iterator[str]:
        parts = [words("folded.more", n=count, name=name) for name, count in row.names[:NAMES_FOLDED]]
        if rest := sum(count for _, count in row.names[NAMES_FOLDED:]):
            parts.append(words("folded.others", n=rest))
        if row.evidence:
            parts.append(words("folded.evidence", n=row.evidence))
        text = Words(", ".join(part.en for part in parts), "，".join(part.zh for part in parts))
        text = Words(_fitting(text.en, FIELDS_WIDE), _fitting(text.zh, FIELDS_WIDE))
        for x in _X.values():
            yield element("path", d=f"M{x} {number(y - 7)}v14", class_="gap")
        dots = "".join(f"M{number((CHARGER + BMS) / 2)} {number(y + step)}v1.6" for step in (-6, -1, 4))
        yield element("path", d=dots, class_="dots")
        yield label(text, x=ASIDE, y=y + 4, class_="right muted")

    def _bar(self, limit: Limit) -> Iterator[str]:
        """Beside the party that has to send, from the anchor until the limit or the end."""
        places = [self._ys[index] for index, row in enumerate(self._lane.rows) if _at(row) == limit.since_us]
        beyond = [
            self._ys[index]
            for index, row in enumerate(self._lane.rows)
            if (at := _at(row)) is not None and at >= limit.until_us
        ]
        if not places:
            return
        x = (BMS if limit.window.name.startswith("B") else CHARGER) - 4
        end = beyond[0] if beyond else float(self._bottom)
        yield element(
            "rect", x=x, y=places[0] + 4, width=8, height=max(end - places[0] - 4, 2.0), class_="bar"
        )


def _at(row: Row) -> int | None:
    match row:
        case Shown():
            return row.line.at_us
        case Moment():
            return row.at_us
        case Folded():
            return None


def _shaft(here: int, there: int, y: float, *, double: bool) -> Iterator[str]:
    ahead = 1 if there > here else -1
    head = f"M{there} {number(y)}l{-9 * ahead} -4.5v9z"
    if double:
        yield element("path", d=f"M{here} {number(y - 1.5)}H{there - 8 * ahead}m0 3H{here}", class_="shaft")
        yield element("path", d=f"M{here} {number(y - 6)}l6 6l-6 6l-6 -6z", class_="head")
    else:
        yield element("path", d=f"M{here} {number(y)}H{there - 8 * ahead}", class_="shaft")
    yield element("path", d=head, class_="head")


def _brief(line: Line, said: str) -> str:
    """The decoded fields without what a transfer's last packet says of itself."""
    return said if line.began_us is None else said.partition(" packets, ")[2] or said


def _fitting(text: str, room: float) -> str:
    if width_of(text) <= room:
        return text
    kept = 0
    room -= width_of("…")
    while room >= (wide := width_of(text[kept])):
        room -= wide
        kept += 1
    return f"{text[:kept]}…"
