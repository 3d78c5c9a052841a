"""What the report page is made of: excerpts, lines, the grid, drawings, colours."""

import re
import xml.etree.ElementTree as ET
from importlib.resources import files
from itertools import pairwise
from typing import get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swapproto.frame import SECOND as NS
from swapproto.messages.gbt27930 import BCL, CHM, CRM, CRO, ChargeMode, Party, Ready, Recognition
from swapproto.messages.gbt27930.timers import Timer
from swapproto.provenance import Basis, Source
from swapproto.trace.record import Record, Trace
from swapproto.transport.frames import TP_CM, TP_DT
from swapproto_conformance.anchor import first
from swapproto_conformance.cases import CASES
from swapproto_conformance.evidence import Evidence, Precision
from swapproto_conformance.judges import Follows, Periodic
from swapproto_conformance.report import lane as lanes
from swapproto_conformance.report import render
from swapproto_conformance.report import window as windows
from swapproto_conformance.report.drawing import session, stops
from swapproto_conformance.report.excerpt import Excerpt, Folded, Moment, Shown, excerpt
from swapproto_conformance.report.grid import grid, worst
from swapproto_conformance.report.lines import fields, read
from swapproto_conformance.report.strip import strip
from swapproto_conformance.report.svg import domain, reduce, runs, ticks, time_ticks
from swapproto_conformance.report.texts import TEXTS, Language, Words
from swapproto_conformance.requirement import Requirement
from swapproto_conformance.results import Bench, CaseResult, RunInfo, RunResult, finish
from swapproto_conformance.verdict import Finding, Verdict

DEMAND = BCL(voltage=690.0, current=-200.0, mode=ChargeMode.CONSTANT_CURRENT)
IDS = st.one_of(
    st.sampled_from([BCL.identifier(), CRO.identifier(), 0x1CEC56F4, 0x1CEBF456, 0x1CEB56F4, 0x1CECF456]),
    st.integers(0, 0x1FFF_FFFF),
)
RECORDS = st.lists(
    st.builds(
        Record,
        st.integers(-(10**15), 10**15),
        IDS,
        st.one_of(st.binary(max_size=8), st.binary(min_size=8, max_size=8)),
        st.booleans(),
    ),
    max_size=40,
)


def finding(
    verdict: Verdict, frames: tuple[int, ...] = (), at_us: tuple[int, ...] = (), requirement_id: str = "D/s/n"
) -> Finding:
    return Finding(
        requirement_id=requirement_id,
        outcome=verdict,
        verdict=verdict,
        expected="a",
        observed="b",
        examined=1,
        frames=frames,
        at_us=at_us,
    )


def cyclic(count: int, *changes: int) -> list[Record]:
    """CRO every 250 ms that turns ready, or back, at the positions given."""
    records, ready = list[Record](), Ready.NOT_READY
    for position in range(count):
        if position in changes:
            ready = Ready.READY if ready is Ready.NOT_READY else Ready.NOT_READY
        records.append(Record(position * 250_000, CRO.identifier(), CRO(ready=ready).encode()))
    return records


def accounted(found: Excerpt) -> int:
    return sum(row.count if isinstance(row, Folded) else isinstance(row, Shown) for row in found.rows)


def test_repetition_is_folded_and_news_is_not() -> None:
    found = excerpt(read(cyclic(200, 100)).lines, finding(Verdict.FAIL, (50, 150)))
    shown = [row.line.position for row in found.rows if isinstance(row, Shown)]
    assert shown == [44, 48, 49, 50, 51, 52, 100, 148, 149, 150, 151, 152, 156]
    assert [row.line.position for row in found.rows if isinstance(row, Shown) and row.evidence] == [50, 150]
    assert accounted(found) == 113
    assert [row.count for row in found.rows if isinstance(row, Folded)] == [3, 47, 47, 3]


def test_a_moment_without_a_frame_has_its_place() -> None:
    found = excerpt(read(cyclic(20)).lines, finding(Verdict.FAIL, (3,), (750_000, 1_100_000, 99_000_000)))
    moments = [(index, row.at_us) for index, row in enumerate(found.rows) if isinstance(row, Moment)]
    assert [at for _, at in moments] == [1_100_000, 99_000_000]
    before = found.rows[moments[0][0] - 1]
    assert isinstance(before, Shown)
    assert before.line.at_us == 1_000_000
    assert moments[1][0] == len(found.rows) - 1


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 400),
    st.lists(st.integers(-5, 500), max_size=60),
    st.lists(st.integers(-(10**6), 10**9), max_size=30),
)
def test_an_excerpt_is_bounded_and_loses_nothing(count: int, frames: list[int], stamps: list[int]) -> None:
    found = excerpt(read(cyclic(count)).lines, finding(Verdict.FAIL, tuple(frames), tuple(stamps)))
    inside = {place for place in frames if 0 <= place < count}
    assert set(found.outside) == set(frames) - inside
    assert len(found.rows) <= 250
    shown = sum(row.evidence for row in found.rows if isinstance(row, Shown))
    folded = sum(row.evidence for row in found.rows if isinstance(row, Folded))
    assert shown + folded == len(inside)
    positions = [row.line.position for row in found.rows if isinstance(row, Shown)]
    assert positions == sorted(set(positions))
    if inside:
        assert accounted(found) >= max(inside) - min(inside) + 1


@settings(max_examples=150, deadline=None)
@given(RECORDS)
def test_any_trace_can_be_read_and_drawn(records: list[Record]) -> None:
    story = read(records)
    assert [line.data for line in story.lines] == [record.data for record in records]
    for line in story.lines:
        assert all(isinstance(each, str) for each in fields(line))
    strip(story, [record.at_us for record in records], 0, "x", "a", "en")
    session(story, "x", "a", "zh")
    stamps = tuple(record.at_us for record in records)
    shown = lanes.lane(story, [finding(Verdict.FAIL, tuple(range(len(records))), stamps)])
    lanes.draw(shown, story, "x", "a", "en")


def test_a_transfer_is_decoded_at_its_last_packet() -> None:
    payload = bytes(range(1, 18))
    cm, dt = 7 << 26 | TP_CM << 16, 7 << 26 | TP_DT << 16
    frames = [
        (cm | 0x56F4, bytes((16, 17, 0, 3, 255, 0, 6, 0))),
        (cm | 0xF456, bytes((17, 3, 1, 255, 255, 0, 6, 0))),
        *(
            (dt | 0x56F4, bytes((part,)) + payload[part * 7 - 7 : part * 7].ljust(7, b"\xff"))
            for part in (1, 2, 3)
        ),
        (cm | 0xF456, bytes((19, 17, 0, 3, 255, 0, 6, 0))),
    ]
    story = read([Record(position * 1000, *frame) for position, frame in enumerate(frames)])
    assert [line.name for line in story.lines] == ["TP.CM", "TP.CM", "TP.DT", "TP.DT", "BCP", "TP.CM"]
    assert [line.sender for line in story.lines] == [
        Party.BMS, Party.CHARGER, Party.BMS, Party.BMS, Party.BMS, Party.CHARGER,
    ]  # fmt: skip
    assert story.lines[0].note == "RTS: BCP, 17 bytes in 3 packets"
    assert fields(story.lines[4])[0].startswith("packet 3")


def test_events_are_drawn_once_a_stretch() -> None:
    bem = 0x081E56F4
    stamps = [0, 250_000, 500_000, 5_000_000, 5_250_000]
    found = stops(read([Record(at, bem, bytes(4)) for at in stamps]).lines)
    assert [(stop.name, stop.start_us, stop.count) for stop in found] == [
        ("BEM", 0, 3),
        ("BEM", 5_000_000, 2),
    ]


def requirement(id_: str) -> Requirement:
    return Requirement(
        id=id_, title="t", text="t", source="s", basis=Basis.REPORTED, witnesses=2, role="charger"
    )


def result(*cases: tuple[str, Verdict, tuple[Finding, ...]]) -> RunResult:
    run = RunInfo(
        suite_version="0",
        kind="self-test",
        created="2026-01-02T03:04:05Z",
        profile="p",
        standards=(),
        devices=(),
        bench=Bench(name="b", stamp_resolution_us=1),
        requirements=(requirement("D/s/n"), requirement("D/s/m"), requirement("D/t/o")),
    )
    heads = [
        CaseResult(
            id=name,
            title="t",
            role="charger",
            polarity="positive",
            phase="p",
            verdict=verdict,
            reason="r",
            findings=found,
        )
        for name, verdict, found in cases
    ]
    return finish(run, heads)


def test_the_grid_keeps_every_requirement_and_every_finding() -> None:
    groups = grid(
        result(
            ("a", Verdict.FAIL, (finding(Verdict.PASS), finding(Verdict.FAIL))),
            ("b", Verdict.PASS, (finding(Verdict.PASS), finding(Verdict.PASS, requirement_id="X/y/z"))),
        )
    )
    assert [(group.role, group.section) for group in groups] == [
        ("charger", "D/s"),
        ("charger", "D/t"),
        (None, "X/y"),
    ]
    first = groups[0].rows[0]
    assert [(cell.case_id, cell.verdict) for cell in first.cells] == [
        ("a", Verdict.FAIL),
        ("b", Verdict.PASS),
    ]
    assert first.verdict is Verdict.FAIL
    assert groups[0].rows[1].verdict is None


@pytest.mark.parametrize("under", Verdict)
def test_under_an_error_only_a_fail_counts(under: Verdict) -> None:
    (cell,) = grid(result(("a", Verdict.ERROR, (finding(under),))))[0].rows[0].cells
    assert cell.verdict is (Verdict.FAIL if under is Verdict.FAIL else Verdict.ERROR)


@given(st.lists(st.sampled_from(Verdict)))
def test_a_fail_stands_before_all_else(verdicts: list[Verdict]) -> None:
    assert (worst(verdicts) is Verdict.FAIL) == (Verdict.FAIL in verdicts)


@given(
    st.lists(st.tuples(st.integers(0, 10**7), st.floats(-1e6, 1e6)), min_size=1, max_size=300),
    st.integers(1, 50),
)
def test_reduced_curves_keep_their_extremes(points: list[tuple[int, float]], columns: int) -> None:
    points.sort()
    kept = reduce(points, points[0][0], max(points[-1][0] - points[0][0], 1), columns)
    values, shown = [value for _, value in points], [value for _, value in kept]
    assert (min(values), max(values)) == (min(shown), max(shown))
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    assert len(kept) <= 4 * (columns + 1)
    assert kept == sorted(kept)


@given(st.floats(-1e5, 1e5), st.floats(1e-3, 1e5), st.integers(2, 10))
def test_ticks_are_round_few_and_inside(low: float, height: float, about: int) -> None:
    marks = ticks(low, low + height, about)
    slack = height * 1e-6
    assert all(low - slack <= mark <= low + height + slack for mark in marks)
    assert len(marks) <= about + 1


@given(st.floats(1e-6, 1e6))
def test_times_are_few_and_tell_apart(seconds: float) -> None:
    marks = time_ticks(seconds, 10)
    labels = [label for _, label in marks]
    assert 1 <= len(marks) <= 72
    assert len(set(labels)) == len(labels)


@given(st.lists(st.floats(-1e6, 1e6)))
def test_a_domain_holds_its_values_and_has_a_height(values: list[float]) -> None:
    low, high = domain(values)
    assert low < high
    assert all(low <= value <= high for value in values)


@given(st.lists(st.integers(0, 1000)), st.integers(0, 50))
def test_runs_part_the_stamps(stamps: list[int], apart: int) -> None:
    stamps.sort()
    found = list(runs(stamps, apart))
    assert sum(count for _, _, count in found) == len(stamps)
    assert all(later[0] - earlier[1] > apart for earlier, later in pairwise(found))


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def palettes() -> list[dict[str, str]]:
    """The colours of the light and of the dark page."""
    style = files("swapproto_conformance.report").joinpath("static", "page.css").read_text(encoding="utf-8")
    return [
        dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))
        for block in re.findall(r":root {([^}]*)}", style)[:2]
    ]


@pytest.mark.parametrize("palette", palettes(), ids=["light", "dark"])
def test_text_is_readable_on_its_ground(palette: dict[str, str]) -> None:
    texts = ("ink", "muted", "link", "pass", "fail", "inconclusive", "error", "na")
    pairs = [(text, ground) for text in texts for ground in ("paper", "wash")] + [("ink", "mark")]
    pairs += [("ink", "shade"), ("ink", "line")]
    for text, ground in pairs:
        dark, light = sorted((luminance(palette[text]), luminance(palette[ground])))
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, ground)
    for line in ("demand", "measured", "output"):
        dark, light = sorted((luminance(palette[line]), luminance(palette["paper"])))
        assert (light + 0.05) / (dark + 0.05) >= 3, line


def test_every_text_has_both_languages_and_the_same_values() -> None:
    for key, entry in TEXTS.items():
        values = {lang: set(re.findall(r"{(\w+)}", entry[lang])) for lang in get_args(Language)}
        assert values["en"] == values["zh"], key
        assert all(entry.values()), key


def timed(
    expected: str,
    observed: str,
    verdict: Verdict = Verdict.FAIL,
    frames: tuple[int, ...] = (),
    at_us: tuple[int, ...] = (),
) -> Finding:
    return msgspec.structs.replace(finding(verdict, frames, at_us), expected=expected, observed=observed)


def follows(answer_ms: int | None, *, early: bool) -> Finding:
    """What the suite's own judge says of CRM after CHM, which ends with the trace after 20 s."""
    timer = Timer("a time", 5 * NS, Source("a source", Basis.REPORTED, 2))
    judge = Follows(requirement="D/s/n", cls=CRM, after=first(CHM), within=timer, early=early)
    chm, crm = CHM(version_minor=1, version_major=1), CRM(result=Recognition.NOT_RECOGNISED, charger_number=7)
    records = [Record(1_000_000, chm.identifier(), chm.encode())]
    if answer_ms is not None:
        records.append(Record(1_000_000 + answer_ms * 1000, crm.identifier(), crm.encode()))
    records.append(Record(21_000_000, chm.identifier(), chm.encode()))
    outcome = judge.judge(Evidence(tuple(records), Party.CHARGER, Precision(1, 0)))
    return timed(outcome.expected, outcome.observed, outcome.verdict, at_us=outcome.at_us)


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("answer_ms", [None, 250, 5_100, 12_345])
def test_the_window_is_what_the_judge_says(answer_ms: int | None, early: bool) -> None:
    shown = windows.window(follows(answer_ms, early=early))
    assert shown is not None
    assert (shown.name, shown.nominal, shown.high) == ("CRM", 5000, 5500)
    assert shown.low == (4500 if early else 0)
    assert shown.anchor is not None
    assert shown.anchor.endswith("first CHM")
    assert shown.at == answer_ms
    assert shown.watched == (20_000 if answer_ms is None else 0)
    assert shown.conforms == (answer_ms is not None and shown.low <= answer_ms <= shown.high)


def test_the_window_of_a_period_is_what_the_judge_says() -> None:
    records = [
        msgspec.structs.replace(each, at_us=each.at_us + 1000 * (n % 2)) for n, each in enumerate(cyclic(9))
    ]
    outcome = Periodic(CRO).judge(Evidence(tuple(records), Party.CHARGER, Precision(1, 0)))
    shown = windows.window(timed(outcome.expected, outcome.observed))
    assert shown == windows.Window(
        name="CRO", anchor=None, nominal=250, low=225, high=275, at=250, spread=(249, 251)
    )


@pytest.mark.parametrize(
    "expected", ["", "no CCS after the first CST and 1000 ms", "CEM at soon after the end"]
)
def test_words_that_name_no_time_have_no_window(expected: str) -> None:
    assert windows.window(timed(expected, "CEM after 12 ms")) is None


@settings(max_examples=60, deadline=None)
@given(
    st.floats(1e-3, 1e6), st.floats(0, 1e6), st.one_of(st.none(), st.floats(0, 1e7)), st.text(max_size=200)
)
def test_any_window_stays_inside_its_drawing(
    nominal: float, margin: float, at: float | None, anchor: str
) -> None:
    shown = windows.Window(
        name="CEM",
        anchor=anchor,
        nominal=nominal,
        low=nominal - margin,
        high=nominal + margin,
        at=at,
        watched=at or 0.0,
    )
    drawing = ET.fromstring(f"<p>{windows.draw(shown, 'a', 'en')}</p>")
    for each in drawing.iter("rect"):
        assert 0 <= float(each.attrib["x"]) <= float(each.attrib["x"]) + float(each.attrib["width"]) <= 960
    for each in drawing.iter("text"):
        assert 0 <= float(each.attrib["x"]) <= 960


def shown_lines(drawn: lanes.Lane) -> list[Shown]:
    return [row for row in drawn.rows if isinstance(row, Shown)]


def test_a_transfer_is_one_arrow_and_keeps_its_evidence() -> None:
    payload = bytes(range(1, 18))
    frames = [
        (0x1CEC56F4, bytes((16, 17, 0, 3, 255, 0, 6, 0))),
        (0x1CECF456, bytes((17, 3, 1, 255, 255, 0, 6, 0))),
        *((0x1CEB56F4, bytes((n,)) + payload[n * 7 - 7 : n * 7].ljust(7, b"\xff")) for n in (1, 2, 3)),
        (0x1CECF456, bytes((19, 17, 0, 3, 255, 0, 6, 0))),
    ]
    story = read([Record(position * 1000, *frame) for position, frame in enumerate(frames)])
    assert [line.name for line in lanes.messages(story.lines)] == ["BCP"]
    for packet in range(5):
        (arrow,) = shown_lines(lanes.lane(story, [finding(Verdict.FAIL, (packet,))]))
        assert (arrow.line.name, arrow.line.began_us, arrow.evidence) == ("BCP", 0, True)
    broken = read([Record(position * 1000, *frame) for position, frame in enumerate(frames[:4])])
    assert [line.name for line in lanes.messages(broken.lines)] == ["TP.CM", "TP.CM"]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.lists(st.integers(0, 299), max_size=40), st.sets(st.integers(0, 299)))
def test_the_lane_is_bounded_and_loses_nothing(count: int, frames: list[int], changes: set[int]) -> None:
    story = read(cyclic(count, *changes))
    found = lanes.lane(story, [finding(Verdict.FAIL, tuple(frames))])
    assert found.messages == count
    assert found.arrows <= 70
    folded = [row for row in found.rows if isinstance(row, Folded)]
    assert found.arrows + sum(row.count for row in folded) == count
    evidence = {frame for frame in frames if frame < count}
    assert found.evidence + sum(row.evidence for row in folded) == len(evidence)


def test_the_limit_of_a_message_has_its_place_in_the_lane() -> None:
    late = timed(
        "CEM at 1000 ms (tolerance 100 ms) after the first CRO",
        "CEM after 3000 ms",
        frames=(2,),
        at_us=(500_000,),
    )
    drawn = lanes.lane(read(cyclic(20)), [late])
    moments = [index for index, row in enumerate(drawn.rows) if isinstance(row, Moment)]
    (place,) = moments
    before, after = drawn.rows[place - 1], drawn.rows[place + 1]
    assert isinstance(before, Shown)
    assert isinstance(after, Shown)
    assert before.line.at_us < 1_600_000 <= after.line.at_us
    drawing = ET.fromstring(str(lanes.draw(drawn, read(cyclic(20)), "x", "a", "en")))
    assert "limit for CEM, 1100 ms" in set(drawing.itertext())
    assert [each.attrib["class"] for each in drawing.iter("rect")] == ["bar"]


@given(st.text(), st.text())
def test_words_hold_both_languages_and_no_markup(english: str, chinese: str) -> None:
    both = Words(english, chinese).__html__()
    assert re.sub(r'</?span(?: lang="(?:en|zh-CN)")?>', "", both).count("<") == 0
    assert both.count('lang="zh-CN"') == (english != chinese)


def test_one_page_holds_both_languages() -> None:
    made = result(("x/1", Verdict.PASS, (finding(Verdict.PASS, (0,)),)))
    traces = {"x/1": Trace(tuple(cyclic(20)))}
    for content in (render(made, traces, lang).decode() for lang in get_args(Language)):
        for key in ("outcome", "cases", "lane", "lane.key", "zoom.in", "says.pass"):
            both = Words(TEXTS[key]["en"], TEXTS[key]["zh"])
            assert both.__html__() in content, key
        assert not re.search(r'="[^"]*<span', content)


def test_titles_of_the_suite_are_found_in_chinese() -> None:
    own = next(each for each in CASES if each.title_zh)
    (plain,) = result((own.id, Verdict.PASS, (finding(Verdict.PASS),))).cases
    for title, found in ((own.title, True), ("another test", False)):
        named = finish(result().run, [msgspec.structs.replace(plain, title=title)])
        assert (f'<span lang="zh-CN">{own.title_zh}</span>' in render(named, {}).decode()) == found


def test_a_passed_time_is_drawn_with_its_window() -> None:
    timely = timed(
        "CEM at 1000 ms (tolerance 100 ms) after the last BCL", "CEM after 1001.5 ms", Verdict.PASS
    )
    content = render(result(("x/1", Verdict.PASS, (timely,))), {}).decode()
    (drawing,) = re.findall(r'<svg viewBox[^>]*class="window".*?</svg>', content, re.DOTALL)
    texts = set(ET.fromstring(drawing).itertext())
    assert {"nominal 1000", "标称 1000", "CEM at 1001.5 ms", "ms after the last BCL"} <= texts


def test_cases_with_like_names_keep_their_own_anchors() -> None:
    names = ["a/b", "a-b", "a b", "-", "", "ä"]
    content = render(result(*((name, Verdict.PASS, ()) for name in names)), {}).decode()
    anchors = re.findall(r'<details class="case [^>]* id="([^"]*)"', content)
    assert len(set(anchors)) == len(names)
