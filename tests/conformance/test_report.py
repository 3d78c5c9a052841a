"""The report page: what it says of a run, and that no run can break it."""

import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from typing import get_args

import msgspec
import pytest

from swapproto.messages import gbt27930 as gbt
from swapproto.messages.gbt27930 import BCL, BCS, BSM, BST, CCS, CST, ChargeMode, ChargingMessage, Reached
from swapproto.provenance import Basis
from swapproto.trace.record import Record, Trace
from swapproto.transport.frames import cm_id, cts, data_packets, dt_id, end_of_msg_ack, packet_count, rts
from swapproto_conformance.report import render
from swapproto_conformance.report.texts import TEXTS, Language
from swapproto_conformance.requirement import Requirement, Role
from swapproto_conformance.results import (
    MEANING,
    Bench,
    CaseResult,
    Device,
    Kind,
    NotSelected,
    RunInfo,
    RunResult,
    Standard,
    decode_results,
    encode_results,
    finish,
)
from swapproto_conformance.verdict import Finding, Verdict

MS = 1_000
SECOND = 1_000_000
"""Microseconds, as in traces."""


class Bus:
    """Writes a session as frames, without any device."""

    def __init__(self) -> None:
        self._records: list[Record] = []

    def send(self, at_us: int, message: ChargingMessage) -> None:
        payload = message.encode()
        if len(payload) <= 8:
            self._records.append(Record(at_us, message.identifier(), payload))
        else:
            self._transfer(at_us, message, payload)

    def cycle(self, start_us: int, end_us: int, message: ChargingMessage) -> None:
        """Sent every period of its class."""
        for at_us in range(start_us, end_us, (message.period_ms or 250) * MS):
            self.send(at_us, message)

    def _transfer(self, at_us: int, message: ChargingMessage, payload: bytes) -> None:
        source, destination = message.source_address, message.destination_address
        there, back = cm_id(destination, source), cm_id(source, destination)
        packets = data_packets(payload)
        frames = [
            (there, rts(message.pgn, len(payload))),
            (back, cts(message.pgn, packet_count(len(payload)), 1)),
        ]
        frames += [(dt_id(destination, source), packet) for packet in packets]
        frames.append((back, end_of_msg_ack(message.pgn, len(payload))))
        self._records += [Record(at_us + 2 * MS * step, *frame) for step, frame in enumerate(frames)]

    def trace(self) -> Trace:
        return Trace(tuple(sorted(self._records, key=lambda record: record.at_us)))


STATUS = BSM.decode(bytes.fromhex("104F024A0800D0"))
"""Nothing is the matter with the pack, and charging is allowed."""


def setup(bus: Bus) -> int:
    """Handshake to readiness; the stamp of its end."""
    bus.cycle(0, SECOND, gbt.CHM(version_minor=1, version_major=1))
    bus.cycle(300 * MS, SECOND, gbt.BHM(max_voltage=750.0))
    bus.cycle(SECOND, 2 * SECOND, gbt.CRM(result=gbt.Recognition.NOT_RECOGNISED, charger_number=7))
    pack = gbt.BRM.decode(gbt.BRM.VECTORS[0].data)
    bus.cycle(1_400 * MS, 2 * SECOND, pack)
    bus.cycle(2_005 * MS, 3 * SECOND, gbt.CRM(result=gbt.Recognition.RECOGNISED, charger_number=7))
    limits = gbt.CML(max_voltage=750.0, min_voltage=200.0, max_current=-250.0, min_current=-5.0)
    bus.cycle(3_110 * MS, 4_200 * MS, limits)
    bus.cycle(4_210 * MS, 5 * SECOND, gbt.BRO(ready=gbt.Ready.READY))
    bus.cycle(4_400 * MS, 5 * SECOND, gbt.CRO(ready=gbt.Ready.NOT_READY))
    bus.cycle(5 * SECOND, 5_500 * MS, gbt.CRO(ready=gbt.Ready.READY))
    return 5_500 * MS


def charge(seconds: int = 60) -> Trace:
    """A whole session: ramp, constant current, then constant voltage, stop and statistics."""
    bus = Bus()
    start = setup(bus)
    for step in range(seconds * 20):
        at, share = start + step * 50 * MS, step / (seconds * 20)
        wanted = -200.0 if share < 0.7 else -200.0 + (share - 0.7) * 600
        given_now = max(wanted, -step * 2.0)
        voltage = 605.0 + 60 * min(share / 0.7, 1.0) - given_now / 20
        mode = ChargeMode.CONSTANT_CURRENT if share < 0.7 else ChargeMode.CONSTANT_VOLTAGE
        bus.send(at, BCL(voltage=690.0, current=round(wanted, 1), mode=mode))
        bus.send(
            at + 11 * MS,
            CCS(
                voltage=round(voltage + 1.5, 1),
                current=round(given_now + step % 7 * 0.2, 1),
                elapsed_time=step // 1200,
                permission=gbt.Permission.ALLOWED,
            ),
        )
        if step % 5 == 0:
            bus.send(
                at + 3 * MS,
                BCS(
                    voltage=round(voltage, 1),
                    current=round(given_now, 1),
                    max_cell_voltage=3.41,
                    max_cell_group=1,
                    soc=int(42 + 40 * share),
                    remaining_time=30,
                ),
            )
            bus.send(at + 20 * MS, STATUS)
    end = start + seconds * SECOND
    bus.cycle(end, end + 300 * MS, BST(soc_target=Reached.YES))
    bus.cycle(end + 40 * MS, end + 320 * MS, CST(bms_stopped=Reached.YES))
    bus.cycle(
        end + 400 * MS,
        end + 3 * SECOND,
        gbt.BSD(soc=82, min_cell_voltage=3.38, max_cell_voltage=3.41, min_temperature=24, max_temperature=29),
    )
    bus.cycle(
        end + 450 * MS, end + 3 * SECOND, gbt.CSD(total_time=seconds // 60, energy=2.1, charger_number=7)
    )
    return bus.trace()


def silent_pack() -> Trace:
    """The pack stops sending BCL; the charger goes on for a second, twice as long as it should, and stops."""
    bus = Bus()
    start = setup(bus)
    bus.cycle(start, start + 2 * SECOND, BCL(voltage=690.0, current=-200.0, mode=ChargeMode.CONSTANT_CURRENT))
    bus.cycle(start + 10 * MS, start + 6 * SECOND, STATUS)
    output = CCS(voltage=612.0, current=-180.0, elapsed_time=0, permission=gbt.Permission.ALLOWED)
    bus.cycle(start + 20 * MS, start + 5 * SECOND, output)
    bus.cycle(start + 5 * SECOND, start + 6 * SECOND, CST(fault=Reached.YES))
    return bus.trace()


def requirement(
    id_: str, title: str, role: Role = "charger", witnesses: int = 2, title_zh: str | None = None
) -> Requirement:
    return Requirement(
        id=id_,
        title=title,
        text=f"{title}, in full.",
        source="GB/T 27930-2015, clause 9",
        basis=Basis.REPORTED,
        witnesses=witnesses,
        role=role,
        title_zh=title_zh,
    )


BCL_TIMEOUT = requirement("GBT27930-2015/timer/BCL-timeout", "The charger reports missing BCL after 1 s")
CHM_FIRST = requirement(
    "GBT27930-2015/flow/CHM-opens", "The charger opens with CHM", title_zh="充电机以CHM开始握手"
)
WEAK = requirement("GBT27930-2015/flow/CTS-time", "CTS carries the time", witnesses=1)
PACK_STOP = requirement("GBT27930-2015/flow/BST-answers", "BST answers CST", role="bms")
NEVER_TRIED = requirement("GBT27930-2015/timer/CSD", "CSD comes in time")
REQUIREMENTS = (BCL_TIMEOUT, CHM_FIRST, WEAK, PACK_STOP, NEVER_TRIED)


def finding(of: Requirement, outcome: Verdict, *frames: int, at_us: tuple[int, ...] = ()) -> Finding:
    return of.finding(
        outcome, expected="what should be", observed="what was seen", examined=1, frames=frames, at_us=at_us
    )


def case(
    id_: str,
    verdict: Verdict,
    *findings: Finding,
    role: Role | None = "charger",
    title: str = "a case",
    reason: str = "because",
) -> CaseResult:
    return CaseResult(
        id=id_,
        title=title,
        role=role or "pair",
        polarity="negative",
        phase="charging",
        labels=("DN.3006",),
        verdict=verdict,
        reason=reason,
        findings=findings,
        stimulus=("bring the charger to charging", "stop sending BCL", "watch for 4 s"),
        trace_file=f"traces/{id_}.log",
        trace_sha256="0" * 64,
        duration_us=11_500_000,
    )


def run(kind: Kind = "self-test", name: str = "reference") -> RunInfo:
    return RunInfo(
        suite_version="0.1.0",
        kind=kind,
        created="2026-01-02T03:04:05Z",
        profile="gbt27930-2015",
        standards=(
            Standard(name="GB/T 27930-2015", state="withdrawn 2024-04-01"),
            Standard(name="GB/T 34658-2017", state="replaced 2026-03-01"),
        ),
        devices=(
            Device(role="charger", name=f"{name} charger", link="virtual:bus", description="built in"),
            Device(role="bms", name=f"{name} pack", link="virtual:bus", description="built in"),
        ),
        bench=Bench(name="virtual bus", stamp_resolution_us=1, lateness_us=0),
        seeds={"jitter": 7},
        requirements=REQUIREMENTS,
        not_selected=(
            NotSelected(id="charger/end/relay", title="relay opens", reason="needs a contactor probe"),
        ),
    )


def sample() -> tuple[RunResult, dict[str, Trace]]:
    """One case of each verdict, an error above a fail, and a pair."""
    silent = silent_pack()
    stops = [place for place, record in enumerate(silent.records) if record.id == CST.identifier()]
    demands = [place for place, record in enumerate(silent.records) if record.id == BCL.identifier()]
    fail = BCL_TIMEOUT.finding(
        Verdict.FAIL,
        expected="CEM with BCL timeout, or CST, within 1.000 s of the last BCL",
        observed="CST 3.050 s after the last BCL, no CEM",
        reason="2.050 s late; the bench decides to 0.002 s",
        examined=1,
        frames=(demands[-1], stops[0]),
        at_us=(silent.records[demands[-1]].at_us + SECOND,),
    )
    cases = [
        case("charger/handshake/opens", Verdict.PASS, finding(CHM_FIRST, Verdict.PASS, 0, 1)),
        case(
            "charger/charging/no-BCL",
            Verdict.FAIL,
            fail,
            finding(CHM_FIRST, Verdict.PASS, 0),
            title="BCL stops",
        ),
        case("charger/configuration/time", Verdict.INCONCLUSIVE, finding(WEAK, Verdict.FAIL, 40)),
        case("pack/end/answers", Verdict.ERROR, finding(PACK_STOP, Verdict.FAIL, 10), role="bms"),
        case("pack/end/lost", Verdict.ERROR, role="bms", reason="the case did not finish"),
        case("charger/error/relay", Verdict.NOT_APPLICABLE, reason="declared without relay"),
    ]
    pair = case(
        "pair/whole", Verdict.PASS, finding(CHM_FIRST, Verdict.PASS, 0), role=None, title="A whole charge"
    )
    traces = {each.id: silent for each in cases if each.id != "pack/end/lost"}
    traces[pair.id] = charge(60)
    return finish(run(), cases, [pair], ["the bench lost its lock for a moment"]), traces


RESULT, TRACES = sample()
PAGE = render(RESULT, TRACES).decode()
HOSTILE = "\"'><script>alert(1)</script>{{ 7 * 7 }}&amp;\u202egnp.exe\x00\ud800</title><svg onload=x>"


class Page(HTMLParser):
    """Tags, ids, links and the text of elements marked with data-count."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.referred: list[str] = []
        self.rows: dict[str, list[str]] = {}
        self._row: str | None = None
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name == "id":
                self.ids.append(value or "")
            elif name in ("href", "src"):
                self.links.append(value or "")
            elif name == "aria-labelledby":
                self.referred += (value or "").split()
            elif name == "data-count":
                self._row = value or ""
                self.rows[self._row] = []

    def handle_endtag(self, tag: str) -> None:
        if tag == "tr":
            self._row = None

    def handle_data(self, data: str) -> None:
        if self._row is not None and data.strip().isdigit():
            self.rows[self._row].append(data.strip())


def said(content: str, lang: Language = "en") -> str:
    """The page as its reader of that language sees it."""
    shown, hidden = ("en", "zh-CN") if lang == "en" else ("zh-CN", "en")
    content = re.sub(rf'<(span|text)( lang="{hidden}")[^>]*>[^<]*</\1>', "", content)
    return re.sub(rf'<span lang="{shown}">([^<]*)</span>', r"\1", content)


def page(result: RunResult, traces: dict[str, Trace] | None = None, lang: Language = "en") -> str:
    return render(result, traces or {}, lang).decode()


def opened(content: str) -> list[str]:
    return re.findall(r'<details class="case [^>]* id="([^"]*)"[^>]* open>', content)


def test_counts_are_those_of_the_result() -> None:
    rows = Page(PAGE).rows
    cases, pairs = RESULT.counts, RESULT.interoperation_counts
    expected = {
        "pass": (cases.passed, pairs.passed),
        "inconclusive": (cases.inconclusive, pairs.inconclusive),
        "fail": (cases.failed, pairs.failed),
        "error": (cases.errors, pairs.errors),
        "not_applicable": (cases.not_applicable, pairs.not_applicable),
        "total": (cases.total, pairs.total),
    }
    assert rows == {name: list(map(str, numbers)) for name, numbers in expected.items()}
    for verdict in Verdict:
        shown = re.findall(rf'data-verdicts="{verdict.value}[ "]', PAGE)
        assert len(shown) == sum(int(number) for number in rows[verdict.value])
    assert f"Exit code {RESULT.exit_code()}" in said(PAGE)


@pytest.mark.parametrize("kind", get_args(Kind))
def test_the_kind_of_run_says_what_it_means(kind: Kind) -> None:
    content = said(page(finish(run(kind), [])))
    assert f'<section class="kind {kind}"' in content
    assert content.index(MEANING[kind]) < content.index("<h2>")


def test_the_first_page_gives_the_standing_of_the_standards() -> None:
    first = said(PAGE[: PAGE.index('id="outcome"')])
    assert "withdrawn 2024-04-01" in first
    assert "replaced 2026-03-01" in first
    assert "Nothing on this page is the Jiangsu specification" in first
    assert "time stamps resolve 1 µs" in first


def test_a_verdict_of_a_later_version_is_an_error() -> None:
    content = encode_results(RESULT).replace(b'"verdict": "pass"', b'"verdict": "splendid"')
    shown = page(decode_results(content))
    assert "splendid" not in shown
    assert Page(shown).rows["pass"] == ["0", "0"]
    assert Page(shown).rows["error"] == ["3", "1"]


def test_what_failed_is_listed_opened_and_linked() -> None:
    failed = ["case-charger-charging-no-BCL", "case-pack-end-answers"]
    listed = PAGE[PAGE.index('id="failed"') : PAGE.index('id="requirements"')]
    for anchor in failed:
        assert f'href="#{anchor}"' in listed
        assert anchor in opened(PAGE)
    assert "CST 3.050 s after the last BCL, no CEM" in listed
    assert "case-charger-handshake-opens" not in listed
    assert "case-charger-handshake-opens" not in opened(PAGE)


def test_a_finding_shows_expected_observed_basis_and_frames() -> None:
    body = PAGE[PAGE.index('id="case-charger-charging-no-BCL"') :]
    body = said(body[: body.index('id="case-charger-configuration-time"')])
    assert "CEM with BCL timeout, or CST, within 1.000 s of the last BCL" in body
    assert "reported, 2 witnesses: can pass and fail. GB/T 27930-2015, clause 9" in body
    evidence = re.findall(r'<tr class="evidence">.*?</tr>', body)
    assert ["BCL" in row for row in evidence[:3]] == [True, False, False]
    assert "no frame at this moment" in evidence[1]
    assert "fault yes, other 11 states normal" in evidence[2]
    assert "10 00 F0 F0" in evidence[2]
    assert re.search(r"… \d+ more CCS, \d+ more BSM …", body)


def test_interoperation_is_no_evidence() -> None:
    section = PAGE[PAGE.index('id="interoperation"') : PAGE.index('id="cases"')]
    assert "interoperation, evidence for neither device" in section
    requirements = PAGE[PAGE.index('id="requirements"') : PAGE.index('id="interoperation"')]
    assert "pair/whole" not in requirements


def test_drawings_are_sound_and_named() -> None:
    drawings = re.findall(r'<svg viewBox[^>]*class="(?:session|strip|lane)".*?</svg>', PAGE, re.DOTALL)
    assert len(drawings) == 2 * len(TRACES) + 1
    for drawing in drawings:
        root = ET.fromstring(drawing)
        named = {root[0].get("id"), root[1].get("id")}
        assert [root[0].tag, root[1].tag] == ["title", "desc"]
        assert set(root.attrib["aria-labelledby"].split()) == named
    session = next(drawing for drawing in drawings if 'class="session"' in drawing)
    texts = set(ET.fromstring(session).itertext())
    assert {"charging", "Voltage, V", "Current, A", "BST", "CST", "demand (BCL)"} <= texts
    assert len(session) < 100_000


def test_ids_are_unique_and_links_lead_somewhere() -> None:
    content = Page(PAGE)
    assert len(content.ids) == len(set(content.ids))
    assert set(content.referred) <= set(content.ids)
    for link in content.links:
        assert link == "data:," or link.startswith("./traces/") or link[1:] in content.ids, link


def test_nothing_is_fetched() -> None:
    content = Page(PAGE)
    assert content.tags.count("script") == content.tags.count("style") == 1
    assert not {"src", "srcset", "action", "style"} & content.attributes
    assert {"link", "img", "iframe"} & set(content.tags) == {"link"}
    assert "default-src &#39;none&#39;" in PAGE
    assert not re.search(r"url\(|@import|https?:", PAGE)


def hostile_run() -> tuple[RunResult, dict[str, Trace]]:
    bad = requirement(HOSTILE, HOSTILE)
    broken = finding(bad, Verdict.FAIL, 0, -1, 10**9, at_us=(-1, 10**18))
    broken = msgspec.structs.replace(broken, expected=HOSTILE, observed=HOSTILE, reason=HOSTILE)
    cases = [case(HOSTILE, Verdict.FAIL, broken, title=HOSTILE, reason=HOSTILE)]
    cases[0] = msgspec.structs.replace(
        cases[0], phase=HOSTILE, labels=(HOSTILE,), stimulus=(HOSTILE,), trace_file="javascript:alert(1)"
    )
    pairs = [msgspec.structs.replace(cases[0], id=f"{HOSTILE}/pair", role="pair")]
    info = msgspec.structs.replace(
        run(name=HOSTILE),
        profile=HOSTILE,
        suite_version=HOSTILE,
        seeds={HOSTILE: 1},
        requirements=(bad,),
        bench=Bench(name=HOSTILE, stamp_resolution_us=1),
        standards=(Standard(name=HOSTILE, state=HOSTILE),),
        not_selected=(NotSelected(id=HOSTILE, title=HOSTILE, reason=HOSTILE),),
    )
    odd = (
        Record(5, 0x7FF, b"", extended=False),
        Record(3, 0x1FFFFFFF, bytes(8)),
        Record(-9, 0x18EBF456, b""),
    )
    traces = {HOSTILE: Trace(odd), f"{HOSTILE}/pair": silent_pack()}
    return finish(info, cases, pairs, [HOSTILE]), traces


@pytest.mark.parametrize("lang", get_args(Language))
def test_hostile_words_stay_words(lang: Language) -> None:
    content = page(*hostile_run(), lang)
    parsed = Page(content)
    assert parsed.tags.count("script") == 1
    assert not [name for name in parsed.attributes if name.startswith("on")]
    assert not [link for link in parsed.links if "javascript" in link]
    assert "alert(1)&lt;/script&gt;{{ 7 * 7 }}" in content
    assert "\u202e" not in content
    assert "\x00" not in content
    assert r"\u202egnp.exe\x00\ud800" in content


@pytest.mark.parametrize("lang", get_args(Language))
def test_an_empty_run_has_a_page(lang: Language) -> None:
    info = msgspec.structs.replace(
        run(), devices=(), standards=(), seeds={}, requirements=(), not_selected=()
    )
    content = page(finish(info, []), lang=lang)
    for key in ("cases.none", "interoperation.none", "failed.none", "not_selected.none", "problems.none"):
        assert TEXTS[key][lang] in content


def test_a_case_without_a_trace_says_so() -> None:
    content = page(RESULT, {})
    assert content.count(TEXTS["no_trace"]["en"]) == len(RESULT.cases) + 2 * len(RESULT.interoperation)
    empty = page(RESULT, {each.id: Trace(()) for each in (*RESULT.cases, *RESULT.interoperation)})
    assert TEXTS["no_trace"]["en"] not in empty
    assert empty.count(TEXTS["empty_trace"]["en"]) == len(RESULT.cases) + len(RESULT.interoperation)


def test_the_page_is_reproducible_and_bounded() -> None:
    assert page(RESULT, TRACES) == PAGE
    trace = charge(120)
    everything = finding(BCL_TIMEOUT, Verdict.FAIL, *range(len(trace.records)))
    result = finish(run(), [case("x/1", Verdict.FAIL, everything)])
    assert len(page(result, {"x/1": trace})) < 200_000


def test_chinese_stands_where_it_is_given() -> None:
    content = page(RESULT, TRACES, "zh")
    assert '<html lang="zh-CN">' in content
    assert "<summary>充电机以CHM开始握手</summary>" in said(content, "zh")
    assert TEXTS["meaning.self-test"]["zh"] in content
