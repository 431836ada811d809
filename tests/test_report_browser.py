"""The report in a real browser: it draws everything, fetches nothing, sorts, hides, fits a phone, and prints."""

from __future__ import annotations

import base64
import json
import shutil
import tempfile
from pathlib import Path

import pytest

pytest.importorskip("selenium", reason='selenium is not installed: pip install "fastexec[dev]"')
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from conftest import small_study
from fastexec.analysis.report.material import open_results
from fastexec.analysis.report.sentence import answer
from fastexec.analysis.report.write import write_report
from fastexec.place import Place
from fastexec.runs.run import run
from fastexec.studies.study import Study

BROWSER = next((path for name in ("chromium", "google-chrome") if (path := shutil.which(name))), None)
DRIVER = shutil.which("chromedriver")
pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(not (BROWSER and DRIVER), reason="no browser here: apt-get install chromium chromium-driver"),
]
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
STRATEGIES = [
    {"model": "twap"},
    {"model": "pov", "name": "pov10", "rate": 0.1},
    {"model": "static_optimum"},
    {"model": "qtable", "name": "learned", "train": "a"},
    {"model": "blind_twin", "name": "blind", "of": "learned"},
    {"model": "random"},
]
TRAIN = {
    "rounds": 2,
    "batch": 512,
    "actions": {"set": "multiples", "levels": [0.0, 1.0, 2.0]},
    "features": [{"name": "inventory", "bins": 6}, {"name": "spread", "bins": 3}],
}
READY = """return 'ready' in document.body.dataset
    && [...document.querySelectorAll('.plot')].every((plot) => plot.querySelector('.main-svg'))"""
#: How much each chart has drawn: points, lines, bars, cells.
DRAWN = """return Object.fromEntries([...document.querySelectorAll('figure[data-chart]')].map((figure) => [
    figure.dataset.chart, figure.querySelectorAll('.points path, .js-line, .js-fill, .hm, .errorbar').length]))"""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser") / "r"
    study = small_study(strategies=STRATEGIES, train={"a": TRAIN}, costs={"transient": {"coefficient": 0.0}})
    run(Study.model_validate(study.model_dump()), out=folder)
    write_report(folder)
    return folder


@pytest.fixture(scope="module")
def browser():
    profile = tempfile.mkdtemp()
    options = webdriver.ChromeOptions()
    for flag in (*FLAGS.split(), f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.binary_location = BROWSER
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    try:
        driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    except WebDriverException as error:
        pytest.skip(f"the browser does not start here: {str(error.msg).splitlines()[0]}")
    yield driver
    driver.quit()
    shutil.rmtree(profile, ignore_errors=True)


def shown(browser, folder, width=1280, scheme="light"):
    browser.get("about:blank")
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": features})
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    for log in ("browser", "performance"):
        browser.get_log(log)  # what came before is the browser's own
    browser.get(Path(folder / "report.html").as_uri())
    WebDriverWait(browser, 20, 0.05).until(lambda b: b.execute_script(READY))
    return browser


@pytest.fixture
def page(browser, report):
    return shown(browser, report)


def requests(browser):
    messages = (json.loads(entry["message"])["message"] for entry in browser.get_log("performance"))
    return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]


def test_everything_is_drawn_without_an_error_and_without_the_network(page):
    drawn = page.execute_script(DRAWN)
    charts = {"savings", "parts", "distribution", "tail", "risk", "completion", "schedules", "conditions"}
    assert set(drawn) == charts | {"learning_curve_0", "policy_0", "single_episodes"}
    assert [name for name, marks in drawn.items() if not marks] == []
    assert page.get_log("browser") == []
    fetched = requests(page)
    assert fetched[0].startswith("file:///")
    assert [url[:80] for url in fetched[1:] if not url.startswith(("data:", "blob:"))] == []


def test_every_view_of_every_chart_draws(page):
    for figure in page.find_elements(By.CSS_SELECTOR, "figure[data-chart]"):
        for pick in figure.find_elements(By.TAG_NAME, "select"):
            for number in range(len(pick.find_elements(By.TAG_NAME, "option"))):
                Select(pick).select_by_index(number)
                key = figure.get_attribute("data-chart")
                assert page.execute_script(DRAWN)[key] > 0, f"{key}, view {number}"
    assert page.get_log("browser") == []


def test_the_sentence_on_top_is_that_of_the_files(page, report):
    assert page.find_element(By.ID, "answer").text == answer(open_results(Place.of(report), None, None))


def test_the_table_sorts_by_its_numbers(page):
    heads = page.find_elements(By.CSS_SELECTOR, "#comparison th")
    number = [head.text.split("\n")[0] for head in heads].index("cost")

    def costs():
        return [
            float(row.find_elements(By.TAG_NAME, "td")[number].text)
            for row in page.find_elements(By.CSS_SELECTOR, "#comparison tbody tr")
        ]

    rising = costs()
    assert rising == sorted(rising)
    heads[number].click()
    heads[number].click()
    assert costs() == rising[::-1]
    assert heads[number].get_attribute("aria-sort") == "descending"


def test_a_strategy_hides_through_the_legend(page):
    figure = page.find_element(By.CSS_SELECTOR, 'figure[data-chart="distribution"]')
    lines = "return [...arguments[0].querySelectorAll('.js-line')].length"
    before = page.execute_script(lines, figure)
    page.execute_script("arguments[0].scrollIntoView()", figure)
    figure.find_elements(By.CSS_SELECTOR, ".legendtoggle")[0].click()
    WebDriverWait(page, 5, 0.05).until(lambda b: b.execute_script(lines, figure) == before - 1)
    page.execute_script("dispatchEvent(new Event('beforeprint')); dispatchEvent(new Event('afterprint'))")
    assert page.execute_script(lines, figure) == before - 1, "printing brought it back"


@pytest.mark.parametrize("width", [1280, 800, 390])
def test_no_column_is_hidden_and_no_word_is_broken(browser, report, width):
    """Every cell of the table lies within the page; names go on in another line behind a separator only."""
    page = shown(browser, report, width)
    outside = """return [...document.querySelectorAll('#comparison td')].filter((cell) => {
        const box = cell.getBoundingClientRect();
        return getComputedStyle(cell).display !== 'none' && (box.left < 0 || box.right > innerWidth);
    }).map((cell) => cell.textContent)"""
    assert page.execute_script(outside) == []
    hidden = """return [...document.querySelectorAll('#comparison td')].filter((cell) =>
        getComputedStyle(cell).display === 'none' && cell.textContent.trim() !== '').map((cell) => cell.textContent)"""
    assert page.execute_script(hidden) == []
    cards = page.execute_script("return document.querySelector('.scroll').classList.contains('cards')")
    assert cards == (width < 1280)
    if cards:
        labels = """return [...document.querySelectorAll('#comparison tbody tr:last-child td[data-label]')].map(
            (td) => td.dataset.label)"""
        assert {"cost, bps", "saving, bps", "done, %"} <= set(page.execute_script(labels))
        Select(page.find_element(By.CSS_SELECTOR, ".sort select")).select_by_visible_text("sd")
        sds = """return [...document.querySelectorAll('#comparison td[data-label="sd, bps"]')].map(
            (td) => parseFloat(td.textContent))"""
        found = page.execute_script(sds)
        assert found == sorted(found)
    broken = """const bad = [];
    for (const cell of document.querySelectorAll('#comparison .strategy, #comparison .verdict')) {
        for (const node of cell.childNodes) {
            if (node.nodeType !== Node.TEXT_NODE) continue;
            for (const word of node.data.matchAll(/[\\w.+-]+/g)) {
                const range = document.createRange();
                range.setStart(node, word.index); range.setEnd(node, word.index + word[0].length);
                if (range.getClientRects().length > 1) bad.push(word[0]);
            }
        }
    }
    return bad"""
    assert page.execute_script(broken) == []


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "light"), (390, "dark")])
def test_it_fits_the_screen_and_follows_its_scheme(browser, report, width, scheme):
    page = shown(browser, report, width, scheme)
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
    widest = page.execute_script(
        "return Math.max(...[...document.querySelectorAll('.main-svg')].map((svg) => svg.getBoundingClientRect().right))"
    )
    assert widest <= width
    ink = page.execute_script("return getComputedStyle(document.querySelector('.xtick text')).fill")
    paper = page.execute_script("return getComputedStyle(document.body).backgroundColor")
    dark = scheme == "dark"
    assert (ink, paper) == (
        ("rgb(230, 233, 237)", "rgb(20, 23, 27)") if dark else ("rgb(27, 31, 36)", "rgb(255, 255, 255)")
    )


def test_it_prints_and_comes_back(page):
    width = "return document.querySelector('.main-svg').getBoundingClientRect().width"
    before = page.execute_script(width)
    printed = page.execute_cdp_cmd("Page.printToPDF", {"printBackground": True, "preferCSSPageSize": True})
    assert base64.b64decode(printed["data"])[:5] == b"%PDF-"
    WebDriverWait(page, 5, 0.05).until(lambda b: b.execute_script(width) == before)
    assert page.get_log("browser") == []
