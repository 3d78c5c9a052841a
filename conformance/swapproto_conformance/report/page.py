"""Puts the page together: one file, which asks nothing of any network and runs without its script."""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from importlib.resources import files
from pathlib import PurePosixPath

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from swapproto.provenance import weight
from swapproto.trace.record import Trace
from swapproto_conformance.cases import CASES
from swapproto_conformance.junit import printable
from swapproto_conformance.report import lane as lanes
from swapproto_conformance.report import window as windows
from swapproto_conformance.report.drawing import session
from swapproto_conformance.report.excerpt import Excerpt, Folded, Moment, Row, Shown, excerpt
from swapproto_conformance.report.grid import grid, held_back
from swapproto_conformance.report.lines import Story, fields, read
from swapproto_conformance.report.strip import sender_key, strip
from swapproto_conformance.report.texts import TAGS, Language, Words, phase_words, words
from swapproto_conformance.requirement import Requirement
from swapproto_conformance.results import CaseHead, CaseResult, RunResult
from swapproto_conformance.verdict import Finding, Verdict

PACKAGE = "swapproto_conformance.report"
SLUG = 60
PHASES_SHOWN = 24
POLICY = (
    "default-src 'none'; img-src data:; style-src {style}; script-src {script}; "
    "base-uri 'none'; form-action 'none'"
)
"""The browser itself holds the page to its word: nothing is fetched, nothing runs but our own script."""
VERDICTS = (Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL, Verdict.ERROR, Verdict.NOT_APPLICABLE)


class FindingView(msgspec.Struct, frozen=True, gc=False):
    """A finding with what the page shows beside it."""

    finding: Finding
    requirement: Requirement | None
    excerpt: Excerpt
    window: Markup | None
    """The expected time and the observed one, where the finding is about a time."""


class CaseView(msgspec.Struct, frozen=True, gc=False):
    """A case with its drawings and excerpts; `story` is None where there is no trace."""

    case: CaseResult
    title: Words
    phase: Words
    anchor: str
    findings: tuple[FindingView, ...]
    story: Story | None
    lane: lanes.Lane
    drawn_lane: Markup | None
    strip: Markup | None
    session: Markup | None
    trace_href: str | None


def render(result: RunResult, traces: Mapping[str, Trace], lang: Language = "en") -> bytes:
    """The page as UTF-8; `traces` are by case id, and a case without one says so."""
    anchors = _anchors((*result.cases, *result.interoperation))
    known = {each.id: each for each in result.run.requirements}

    def views(cases: Iterable[CaseResult], *, pair: bool) -> Iterator[CaseView]:
        for case in cases:
            trace = traces.get(case.id)
            story = None if trace is None else read(trace.records)
            yield _view(case, story, anchors[case.id], known, lang, pair=pair)

    style, script = _static("page.css"), _static("page.js")
    page = _environment().get_template("page.html.j2")
    return page.render(
        t=words,
        lang=lang,
        tag=TAGS[lang],
        phases={case.phase: phase_words(case.phase) for case in result.cases},
        title_of=_title_of,
        run=result.run,
        result=result,
        counts=_counts(result),
        exit_code=result.exit_code(),
        verdicts=VERDICTS,
        fail=Verdict.FAIL,
        phases_shown=PHASES_SHOWN,
        fields=fields,
        sender_key=sender_key,
        weight=weight,
        groups=grid(result),
        held_back=held_back(result.cases, known),
        anchors=anchors,
        cases=list(views(result.cases, pair=False)),
        pairs=list(views(result.interoperation, pair=True)),
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        policy=POLICY.format(style=_digest(style), script=_digest(script)),
    ).encode()


def _view(
    case: CaseResult,
    story: Story | None,
    anchor: str,
    known: Mapping[str, Requirement],
    lang: Language,
    *,
    pair: bool,
) -> CaseView:
    there = story or Story()
    lane = lanes.lane(there, case.findings)
    evidence: list[int] = []
    for each in case.findings:
        if each.verdict is not Verdict.PASS:
            evidence += each.at_us
            evidence += [there.lines[place].at_us for place in each.frames if 0 <= place < len(there.lines)]
    return CaseView(
        case=case,
        title=_title_of(case),
        phase=phase_words(case.phase),
        anchor=anchor,
        findings=tuple(
            FindingView(
                each,
                known.get(each.requirement_id),
                excerpt(there.lines, each),
                None if timed is None else windows.draw(timed, f"{anchor}-window-{place}", lang),
            )
            for place, each in enumerate(case.findings)
            for timed in (windows.window(each),)
        ),
        story=story,
        lane=lane,
        drawn_lane=lanes.draw(lane, there, case.id, f"{anchor}-lane", lang),
        strip=strip(there, evidence, case.duration_us, case.id, f"{anchor}-strip", lang),
        session=session(there, case.id, f"{anchor}-session", lang) if pair else None,
        trace_href=_href(case.trace_file),
    )


def _title_of(case: CaseHead) -> Words:
    """Results carry one title; the other is that of the suite's own case, if it is still the same."""
    own = _TITLES.get((case.id, case.title))
    return Words(case.title, own or case.title)


_TITLES = {(each.id, each.title): each.title_zh for each in CASES}


def _counts(result: RunResult) -> dict[Verdict, tuple[int, int]]:
    """Cases and pairs by verdict, as counted in the result and nowhere else."""
    cases, pairs = result.counts, result.interoperation_counts
    return {
        Verdict.PASS: (cases.passed, pairs.passed),
        Verdict.INCONCLUSIVE: (cases.inconclusive, pairs.inconclusive),
        Verdict.FAIL: (cases.failed, pairs.failed),
        Verdict.ERROR: (cases.errors, pairs.errors),
        Verdict.NOT_APPLICABLE: (cases.not_applicable, pairs.not_applicable),
    }


def _anchors(cases: Iterable[CaseResult]) -> dict[str, str]:
    """An id on the page for every case, readable and unique."""
    anchors: dict[str, str] = {}
    for case in cases:
        slug = re.sub(r"[^A-Za-z0-9]+", "-", case.id)[:SLUG].strip("-")
        anchor = f"case-{slug}"
        anchors.setdefault(case.id, anchor if anchor not in anchors.values() else f"{anchor}-{len(anchors)}")
    return anchors


def _href(trace_file: str | None) -> str | None:
    """A link for a file beside the page; None for anything else, which is then shown as text only."""
    if trace_file is None or re.fullmatch(r"[\w. -]+(/[\w. -]+)*", trace_file) is None:
        return None
    return None if ".." in PurePosixPath(trace_file).parts else f"./{trace_file}"


def _static(name: str) -> str:
    return files(PACKAGE).joinpath("static", name).read_text(encoding="utf-8")


def _digest(content: str) -> str:
    return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(PACKAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_visible,
    )
    environment.filters.update(seconds=_seconds, milliseconds=_milliseconds, kind_of=_kind_of)
    return environment


def _visible(value: object) -> object:
    """Characters that a reader cannot see are shown as escapes, so that no name can disguise itself."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _seconds(us: int, digits: int = 4) -> str:
    return f"{us / 1e6:.{digits}f}"


def _milliseconds(us: int | None) -> str:
    return "" if us is None else f"{us / 1e3:.1f}"


def _kind_of(row: Row) -> str:
    match row:
        case Shown():
            return "shown"
        case Moment():
            return "moment"
        case Folded():
            return "folded"
