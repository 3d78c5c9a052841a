"""The page of `swapproto diff` in a browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from swapproto.cli import run
from swapproto.messages.gbt27930 import BHM, BRM, CHM, CRM, Chemistry, Recognition
from swapproto.messages.gbt27930.parties import ChargingMessage
from swapproto.transport import frames as tp
from tests.browser import FAINTEST, MARKS, By, WebDriver, chromium

pytestmark = MARKS


def recording(path: Path, *, with_brm: bool, voltage: float) -> Path:
    frames: list[tuple[float, int, bytes]] = []

    def send(at: float, message: ChargingMessage) -> None:
        frames.append((at, message.identifier(), message.encode()))

    for beat in range(8):
        send(beat * 0.25, CHM(version_minor=1, version_major=1))
        send(beat * 0.25 + 0.015, BHM(max_voltage=voltage))
    send(2.1, CRM(result=Recognition.NOT_RECOGNISED, charger_number=1))
    if with_brm:
        brm = BRM(
            version_minor=1, version_major=1, chemistry=Chemistry.LFP, rated_capacity=1.0, rated_voltage=2.0
        )
        payload = brm.encode()
        packets = tp.data_packets(payload)
        frames.append((2.2, tp.cm_id(0x56, 0xF4), tp.rts(brm.pgn, len(payload))))
        frames.append((2.21, tp.cm_id(0xF4, 0x56), tp.cts(brm.pgn, len(packets), 1)))
        frames += [(2.22 + n / 1000, tp.dt_id(0x56, 0xF4), packet) for n, packet in enumerate(packets)]
        frames.append((2.24, tp.cm_id(0xF4, 0x56), tp.end_of_msg_ack(brm.pgn, len(payload))))
    send(2.3, CRM(result=Recognition.RECOGNISED, charger_number=1))
    lines = [f"({100 + at:.6f}) can0 {can_id:08X}#{data.hex()}\n" for at, can_id, data in frames]
    path.write_text("".join(lines))
    return path


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("diff")
    good = recording(folder / "good.log", with_brm=True, voltage=603.0)
    bad = recording(folder / "bad.log", with_brm=False, voltage=700.0)
    page = folder / "page.html"
    assert run(["diff", str(good), str(bad), "--page", str(page)]) == 1
    return page.as_uri()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[WebDriver]:
    with chromium(tmp_path) as driver:
        yield driver


def test_the_missing_message_is_seen_at_once(browser: WebDriver, address: str) -> None:
    browser.get(address)
    first = browser.find_element(By.ID, "first")
    assert first.is_displayed()
    assert first.find_element(By.CLASS_NAME, "text").text == "BRM is missing in BAD"
    assert browser.execute_script("return arguments[0].getBoundingClientRect().bottom", first) < 900
    (row,) = browser.find_elements(By.CSS_SELECTOR, "tr.cause")
    assert row.find_element(By.CLASS_NAME, "sign").text == "−"
    assert "only in GOOD" in row.text
    assert "first difference that matters" in row.text
    odd = browser.find_element(By.CSS_SELECTOR, "tr.differs")
    assert odd.find_element(By.CLASS_NAME, "sign").text == "≠"
    assert "GOOD 603 V | BAD 700 V" in odd.text


def test_it_asks_for_nothing_and_complains_of_nothing(browser: WebDriver, address: str) -> None:
    browser.get(address)
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert browser.execute("getLog", {"type": "browser"})["value"] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(browser: WebDriver, address: str, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    browser.get(address)
    assert browser.execute_script(FAINTEST) >= 4.5


@pytest.mark.parametrize("width", [400, 1280])
def test_nothing_runs_out_of_the_page(browser: WebDriver, address: str, width: int) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(address)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
