"""The page of `swapproto compat matrix` in a browser."""

import shutil
from collections.abc import Iterator

import pytest

from swapproto.compat import load_scenario, matrix
from swapproto.compat.page import write_page

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.chrome.webdriver import WebDriver  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
CHROMEDRIVER = shutil.which("chromedriver")
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--window-size=1280,900",
)  # fmt: skip
FAINTEST = """
const rgb = text => text.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
  .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
  .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
const behind = node => {
  for (; node; node = node.parentElement) {
    const found = rgb(getComputedStyle(node).backgroundColor);
    if (found.length === 3 || found[3] > 0) return found;
  }
  return [255, 255, 255];
};
return Math.min(...[...document.querySelectorAll('main *')].filter(n => n.innerText).map(node => {
  const [a, b] = [light(rgb(getComputedStyle(node).color)), light(behind(node))].sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
}));
"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here"),
    pytest.mark.skipif(CHROMEDRIVER is None, reason="there is no chromedriver here"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    page = tmp_path_factory.mktemp("compat") / "matrix.html"
    write_page(page, matrix(load_scenario()))
    return page.as_uri()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('browser')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver: WebDriver = webdriver.Chrome(options=options, service=Service(CHROMEDRIVER))
    yield driver
    driver.quit()


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
