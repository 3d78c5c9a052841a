"""The report page in a browser: silent, self-contained, and the failing case is one click away."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from swapproto.messages.gbt27930 import CHM, CRM, Recognition
from swapproto.provenance import Basis
from swapproto.trace.record import Record, Trace
from swapproto_conformance.report import render
from swapproto_conformance.requirement import Requirement, Role
from swapproto_conformance.results import Bench, CaseResult, Device, RunInfo, Standard, finish
from swapproto_conformance.verdict import Finding, Verdict
from tests.browser import MARKS, By, Keys, Select, WebDriver, chromium

pytestmark = MARKS

TITLE = "No BRM at all"

REQUIREMENT = Requirement(
    id="GBT27930-2015/timer/BRM-timeout",
    title="The charger reports a missing BRM",
    title_zh="充电机报告BRM缺失",
    text="The charger sends CEM when no BRM has come for 5 s.",
    source="GB/T 27930-2015, timers",
    basis=Basis.REPORTED,
    witnesses=2,
    role="charger",
)


def case(
    name: str, verdict: Verdict, *findings: Finding, role: Role = "charger", phase: str = "identification"
) -> CaseResult:
    return CaseResult(
        id=name,
        title=TITLE,
        role=role,
        polarity="negative",
        phase=phase,
        verdict=verdict,
        reason="because",
        findings=findings,
        stimulus=("do not answer CRM",),
    )


def content() -> bytes:
    """Forty cases, one of which fails; each has a trace."""
    handshake = CHM(version_minor=1, version_major=1)
    waiting = CRM(result=Recognition.NOT_RECOGNISED, charger_number=7)
    records = [Record(0, handshake.identifier(), handshake.encode())]
    records += [Record(at * 250_000, waiting.identifier(), waiting.encode()) for at in range(4, 60)]
    found = {
        verdict: REQUIREMENT.finding(
            verdict,
            expected="CEM at 5000 ms (tolerance 500 ms) after the first CRM",
            observed="no CEM in 13750 ms",
            examined=1,
            frames=(1,),
            at_us=(6_000_000,),
        )
        for verdict in (Verdict.PASS, Verdict.FAIL)
    }
    good = found[Verdict.PASS]
    passed = [
        case(f"bms/case-{number}", Verdict.PASS, good, role="bms", phase="charging" if number < 7 else "end")
        for number in range(39)
    ]
    cases = [*passed[:20], case("charger/no-BRM", Verdict.FAIL, found[Verdict.FAIL]), *passed[20:]]
    run = RunInfo(
        suite_version="0.1.0",
        kind="self-test",
        created="2026-01-02T03:04:05Z",
        profile="gbt27930-2015",
        standards=(Standard(name="GB/T 27930-2015", state="withdrawn 2024-04-01"),),
        devices=(Device(role="charger", name="<img src=//x.invalid/>", link="virtual:bus"),),
        bench=Bench(name="virtual bus", stamp_resolution_us=1),
        requirements=(REQUIREMENT,),
    )
    trace = Trace(tuple(records))
    return render(finish(run, cases), {each.id: trace for each in cases})


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("report") / "index.html"
    path.write_bytes(content())
    return path.as_uri()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[WebDriver]:
    with chromium(tmp_path) as driver:
        yield driver


def log(browser: WebDriver, kind: str) -> list[dict[str, str]]:
    entries: list[dict[str, str]] = browser.execute("getLog", {"type": kind})["value"]
    return entries


def requested(browser: WebDriver, address: str) -> list[str]:
    """Every address that the page asked for, itself included; the browser's own pages are left out."""
    entries = [json.loads(entry["message"])["message"] for entry in log(browser, "performance")]
    requests = [entry["params"] for entry in entries if entry["method"] == "Network.requestWillBeSent"]
    return [request["request"]["url"] for request in requests if request["documentURL"] == address]


def test_the_page_asks_for_nothing_and_complains_of_nothing(browser: WebDriver, address: str) -> None:
    browser.get(address)
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert [url for url in requested(browser, address) if not url.startswith("data:")] == [address]
    assert log(browser, "browser") == []
    assert "Self-test" in browser.find_element(By.CLASS_NAME, "kind-name").text


def test_the_failing_case_is_found_from_the_top(browser: WebDriver, address: str) -> None:
    browser.get(address)
    failing = browser.find_element(By.ID, "case-charger-no-BRM")
    browser.execute_script("arguments[0].open = false", failing)
    browser.find_element(By.CSS_SELECTOR, "#outcome .failed a").click()
    assert failing.get_attribute("open") == "true"
    assert browser.execute_script("return arguments[0].getBoundingClientRect().top", failing) < 100
    shown = failing.text
    for words in (
        "CEM at 5000 ms (tolerance 500 ms) after the first CRM",
        "no CEM in 13750 ms",
        "reported, 2 witnesses",
    ):
        assert words in shown
    assert REQUIREMENT.text in shown
    evidence = failing.find_elements(By.CSS_SELECTOR, "table.frames tr.evidence")
    assert ["CRM" in row.text for row in evidence] == [True, False]
    assert all(row.is_displayed() for row in evidence)
    assert failing.find_element(By.CSS_SELECTOR, "svg.strip").is_displayed()


def test_cases_can_be_filtered_and_opened(browser: WebDriver, address: str) -> None:
    browser.get(address)

    def shown() -> int:
        cases = browser.find_elements(By.CSS_SELECTOR, "#cases details.case")
        return sum(each.is_displayed() for each in cases)

    assert shown() == 40
    browser.find_element(By.CSS_SELECTOR, "[name=verdict][value=pass]").click()
    assert shown() == 1
    browser.find_element(By.CSS_SELECTOR, "[name=verdict][value=pass]").click()
    browser.find_element(By.NAME, "text").send_keys("case-3")
    assert shown() == 10
    assert browser.find_element(By.CSS_SELECTOR, "output .shown").text == "10"
    browser.find_element(By.NAME, "open").click()
    count = "return document.querySelectorAll('#cases details.case:not(.filtered)[open]').length"
    assert browser.execute_script(count) == 10
    browser.find_element(By.CSS_SELECTOR, "#outcome .failed a").click()
    assert browser.find_element(By.ID, "case-charger-no-BRM").is_displayed()


@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_runs_out_of_the_page(browser: WebDriver, address: str, width: int) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(address)
    browser.find_element(By.NAME, "open").click()
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_without_its_script_the_page_still_shows_the_failure(browser: WebDriver, address: str) -> None:
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.get(address)
    assert not browser.find_element(By.CSS_SELECTOR, "form.filter").is_displayed()
    assert "no CEM in 13750 ms" in browser.find_element(By.ID, "case-charger-no-BRM").text
    assert not browser.find_element(By.CLASS_NAME, "languages").is_displayed()
    assert not browser.find_elements(By.CLASS_NAME, "zoom")
    assert browser.find_element(By.CSS_SELECTOR, "#cases h2").text == "Cases"


def test_cases_can_be_filtered_by_phase(browser: WebDriver, address: str) -> None:
    browser.get(address)
    phase = Select(browser.find_element(By.NAME, "phase"))
    assert [option.text for option in phase.options] == ["all phases", "charging", "end", "identification"]
    counts: list[int] = []
    for value in ("charging", "end", "identification", ""):
        phase.select_by_value(value)
        cases = browser.find_elements(By.CSS_SELECTOR, "#cases details.case")
        counts.append(sum(each.is_displayed() for each in cases))
    assert counts == [7, 32, 1, 40]


def test_the_language_is_switched_by_key_and_kept(browser: WebDriver, address: str) -> None:
    browser.get(address)
    failing = browser.find_element(By.ID, "case-charger-no-BRM")

    def seen() -> tuple[str, ...]:
        heading = browser.find_element(By.CSS_SELECTOR, "#cases h2").text
        option = browser.find_element(By.CSS_SELECTOR, "[name=phase] option").text
        finding = browser.find_element(By.CSS_SELECTOR, "#case-charger-no-BRM h4 span:not([lang])").text
        tooltip = browser.find_element(By.CSS_SELECTOR, "#case-charger-no-BRM svg.lane title")
        words = tooltip.get_attribute("textContent") or ""
        return browser.title.partition(":")[0], heading, option, finding, words.split()[0]

    english = ("Conformance report", "Cases", "all phases", REQUIREMENT.title, "Messages")
    chinese = ("一致性测试报告", "用例", "全部阶段", "充电机报告BRM缺失", "charger/no-BRM")
    assert seen() == english
    assert "evidence" in failing.find_element(By.CSS_SELECTOR, "svg.lane").text
    browser.find_element(By.CSS_SELECTOR, "[data-language=zh-CN]").send_keys(Keys.ENTER)
    assert seen() == chinese
    lane = failing.find_element(By.CSS_SELECTOR, "svg.lane").text
    assert "证据" in lane
    assert "evidence" not in lane
    browser.refresh()
    assert seen() == chinese
    pressed = browser.find_elements(By.CSS_SELECTOR, ".languages [aria-pressed=true]")
    assert [each.text for each in pressed] == ["中文"]
    browser.find_element(By.CSS_SELECTOR, "[data-language=en]").send_keys(Keys.SPACE)
    assert seen() == english
    assert log(browser, "browser") == []


def test_the_lane_of_the_failing_case_shows_its_evidence_and_its_window(
    browser: WebDriver, address: str
) -> None:
    browser.get(address)
    failing = browser.find_element(By.ID, "case-charger-no-BRM")
    lane = failing.find_element(By.CSS_SELECTOR, "svg.lane")
    assert lane.is_displayed()
    (arrow,) = lane.find_elements(By.CSS_SELECTOR, "g.evidence")
    said = [each.text for each in arrow.find_elements(By.TAG_NAME, "text")]
    assert said[:2] == ["CRM", "evidence"]
    tooltip = arrow.find_element(By.TAG_NAME, "title").get_attribute("textContent") or ""
    assert tooltip.startswith("CRM: result not recognised")
    assert "limit for CEM, 5500 ms" in lane.text
    drawn = failing.find_element(By.CSS_SELECTOR, "svg.window")
    assert drawn.is_displayed()
    assert "nominal 5000" in drawn.text
    assert "no CEM in 13750 ms" in drawn.text


def test_the_strip_is_zoomed_panned_and_whole_again(browser: WebDriver, address: str) -> None:
    browser.get(address)
    region = browser.find_element(By.CSS_SELECTOR, "#case-charger-no-BRM .zoomable")
    drawing = region.find_element(By.TAG_NAME, "svg")
    whole = drawing.size

    def zoom(how: str) -> float:
        button = f"#case-charger-no-BRM .zoom [data-zoom={how}]"
        browser.find_element(By.CSS_SELECTOR, button).click()
        return float(drawing.size["width"]) / float(whole["width"])

    assert [zoom(how) for how in ("in", "in", "out", "whole")] == pytest.approx([2, 4, 2, 1], rel=0.01)
    region.send_keys("+")
    assert drawing.size["width"] == pytest.approx(2 * whole["width"], rel=0.01)
    assert drawing.size["height"] == pytest.approx(whole["height"], rel=0.01)
    label = region.find_element(By.CSS_SELECTOR, "text.pinned")
    browser.execute_script("arguments[0].scrollLeft = 300", region)
    inside = "return arguments[1].getBoundingClientRect().left - arguments[0].getBoundingClientRect().left"
    settle = "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(done))"
    browser.execute_async_script(settle)
    assert 0 <= browser.execute_script(inside, region, label) < 20
    wheel = (
        "const event = new WheelEvent('wheel', {ctrlKey: true, deltaY: -200, cancelable: true});"
        "return arguments[0].dispatchEvent(event)"
    )
    assert browser.execute_script(wheel, region) is False
    assert drawing.size["width"] == pytest.approx(4 * whole["width"], rel=0.01)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert drawing.size["width"] < region.size["width"] + 1
    assert not browser.find_element(By.CLASS_NAME, "zoom").is_displayed()
    assert log(browser, "browser") == []
