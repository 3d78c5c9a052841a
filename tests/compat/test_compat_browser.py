"""The page of `swapproto compat matrix` in a browser."""

from collections.abc import Iterator

import pytest

from swapproto.compat import load_scenario, matrix
from swapproto.compat.page import write_page
from tests.browser import FAINTEST, MARKS, By, WebDriver, chromium

pytestmark = MARKS


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    page = tmp_path_factory.mktemp("compat") / "matrix.html"
    write_page(page, matrix(load_scenario()))
    return page.as_uri()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    with chromium(tmp_path_factory.mktemp("browser")) as driver:
        yield driver


def test_a_cell_shows_its_reason_when_pressed_and_hides_it_again(browser: WebDriver, address: str) -> None:
    browser.get(address)
    cell = browser.find_element(By.CSS_SELECTOR, "button.cell.incompatible")
    reason = browser.find_element(By.ID, cell.get_attribute("popovertarget") or "")
    assert not reason.is_displayed()
    cell.click()
    assert reason.is_displayed()
    assert "incompatible (supposed)" in reason.text
    assert "handling" in reason.text
    reason.find_element(By.TAG_NAME, "button").click()
    assert not reason.is_displayed()


def test_one_language_is_seen_at_a_time(browser: WebDriver, address: str) -> None:
    browser.get(address)
    heading = browser.find_element(By.TAG_NAME, "h1")
    assert heading.text == "The network of the pilot"
    browser.find_element(By.CSS_SELECTOR, "label[for=show-zh]").click()
    assert heading.text == "试点换电网络"
    body = browser.find_element(By.TAG_NAME, "main").text
    assert "不兼容" in body
    assert "incompatible" not in body


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
