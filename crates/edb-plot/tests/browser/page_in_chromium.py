"""Drives the pages of `edb plot` in headless Chromium, with a mouse and keys, and compares what they say with `edb export`.

    python page_in_chromium.py BINARY FOLDER

writes pages of the built-in sample into FOLDER, and screenshots of them. Needs `chromium`, `chromedriver` and selenium. Ends with the first
thing that is not as it should be.
"""

import base64
import csv
import datetime
import json
import pathlib
import shutil
import subprocess
import sys

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.actions.wheel_input import ScrollOrigin
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

BINARY = str(pathlib.Path(sys.argv[1]).resolve())
FOLDER = pathlib.Path(sys.argv[2]).resolve()
SELECTION = ["SAMPLE_MOTOR_VOLT", "SAMPLE_PANEL_TEMP", "SAMPLE_WHEEL_POS", "SAMPLE_EVENT_MSG"]
RANGE = ["--start", "2024-03-01T05:00", "--stop", "2024-03-01T06:00"]
START = datetime.datetime(2024, 3, 1, 5, tzinfo=datetime.timezone.utc)
HOUR_US = 3_600_000_000
START_US = int(START.timestamp()) * 1_000_000


def edb(*arguments):
    subprocess.run([BINARY, *arguments, "--source", "sample", "--no-store", "--progress", "never", "--quiet"], check=True, cwd=FOLDER)


def rows():
    """The samples as `edb export` has them: microseconds, mnemonic, number or text."""
    edb("export", *SELECTION, *RANGE, "-o", "truth.csv", "--no-comments")
    with open(FOLDER / "truth.csv", newline="") as file:
        for row in csv.DictReader(file):
            yield micros(row["time"]), row["mnemonic"], row["text"] or float(row["value"])


def micros(text):
    moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return int(moment.replace(microsecond=0).timestamp()) * 1_000_000 + moment.microsecond


class Browser:
    def __init__(self):
        options = Options()
        options.binary_location = shutil.which("chromium")
        for argument in ["--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1400,1000", "--force-device-scale-factor=1"]:
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        options.add_experimental_option("prefs", {"download.default_directory": str(FOLDER / "downloads")})
        self.driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        self.driver.set_script_timeout(20)

    def open(self, name):
        self.driver.get((FOLDER / name).as_uri())
        self.until("return page.panels.some((panel) => panel.plot)")

    def ask(self, script, *arguments):
        return self.driver.execute_script("return " + script, *arguments)

    def until(self, script):
        WebDriverWait(self.driver, 10).until(lambda driver: driver.execute_script(script))

    def settle(self):
        """Waits until what was asked for is drawn."""
        self.driver.execute_async_script("const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()))")

    def plot(self, panel):
        return self.ask("page.panels[arguments[0]].plot.over", panel)

    def move(self, panel, part):
        """Moves the mouse to a part of the width of a panel."""
        over = self.plot(panel)
        ActionChains(self.driver).move_to_element_with_offset(over, int((part - 0.5) * over.size["width"]), 0).perform()
        self.settle()

    def press(self, key):
        ActionChains(self.driver).send_keys(key).perform()
        self.settle()

    def view(self):
        return self.ask("page.view")

    def logged(self):
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requested(self):
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"]


def equal(found, expected, what):
    assert found == expected, f"{what}: expected {expected!r}, found {found!r}"


def near(found, expected, tolerance, what):
    assert abs(found - expected) <= tolerance, f"{what}: expected {expected} within {tolerance}, found {found}"


def small_page(browser, truth):
    browser.open("page.html")
    equal(browser.ask("document.querySelector('h1 span').textContent"), ", ".join(SELECTION), "title")
    equal(browser.ask("document.getElementById('resolution').textContent"), "Every sample is in this page.", "resolution")
    equal(browser.view(), [START_US, START_US + HOUR_US], "the view is the whole range")

    # Dragging across a quarter zooms into it, in every panel.
    over = browser.plot(0)
    width = over.size["width"]
    chain = ActionChains(browser.driver).move_to_element_with_offset(over, -width // 4, 0).click_and_hold()
    chain.move_by_offset(width // 8, 0).move_by_offset(width // 8, 0).release().perform()
    browser.settle()
    start, stop = browser.view()
    pixel = HOUR_US / width
    near(start, START_US + HOUR_US / 4, 4 * pixel, "left side of the selection")
    near(stop, START_US + HOUR_US / 2, 4 * pixel, "right side of the selection")
    scales = browser.ask("page.panels.map((panel) => [panel.plot.scales.x.min, panel.plot.scales.x.max])")
    assert all(scale == [start, stop] for scale in scales), f"panels are linked: {scales}"

    # The crosshair tells the sample that is nearest, exactly, and the moment in three ways.
    browser.move(0, 0.4)
    left = browser.ask("page.panels[0].plot.cursor.left")
    time = browser.ask("page.panels[0].plot.posToVal(arguments[0], 'x')", left)
    for panel, name in [(0, "SAMPLE_MOTOR_VOLT"), (1, "SAMPLE_PANEL_TEMP")]:
        nearest = min((row for row in truth if row[1] == name), key=lambda row: abs(row[0] - time))
        told = browser.ask("[page.panels[arguments[0]].curves[0].readout.textContent, page.panels[arguments[0]].curves[0].readout.dataset.time]", panel)
        equal((float(told[0]), int(told[1])), (nearest[2], nearest[0]), f"{name} under the crosshair")
        near(browser.ask("page.panels[arguments[0]].plot.cursor.left", panel), left, 1, "the crosshairs of all panels are one")
    state = max((row for row in truth if row[1] == "SAMPLE_WHEEL_POS" and row[0] <= time), key=lambda row: row[0])
    equal(browser.ask("page.panels[2].readout.textContent"), state[2], "state under the crosshair")
    moment = datetime.datetime.fromtimestamp(time // 1_000 / 1e3, datetime.timezone.utc)
    now = browser.ask("document.getElementById('now').textContent")
    for text in [moment.strftime("%Y-%m-%d %H:%M:%S"), moment.strftime("%Y:%j:%H:%M:%S"), f"MJD {int((40587 + time / 86400e6) * 1e6) / 1e6:.6f}"]:
        assert text in now, f"{text} not in {now!r}"

    # The wheel zooms about the mouse; Back goes back, a double click shows all.
    before = browser.view()
    ActionChains(browser.driver).scroll_from_origin(ScrollOrigin.from_element(browser.plot(0)), 0, -240).perform()
    browser.settle()
    after = browser.view()
    assert after[0] > before[0] and after[1] < before[1], f"the wheel zooms: {before} to {after}"
    ActionChains(browser.driver).move_to_element(browser.plot(1)).double_click().perform()
    browser.settle()
    equal(browser.view(), [START_US, START_US + HOUR_US], "a double click shows all")

    # Keys.
    browser.press("+")
    equal(browser.view(), [START_US + HOUR_US / 4, START_US + 3 * HOUR_US / 4], "+ zooms in")
    browser.press(Keys.ARROW_RIGHT)
    equal(browser.view(), [START_US + 3 * HOUR_US / 8, START_US + 7 * HOUR_US / 8], "an arrow moves the view")
    browser.press(Keys.BACKSPACE)
    equal(browser.view()[0], START_US + HOUR_US / 4, "Backspace goes back")
    low = browser.ask("page.panels[1].plot.scales.y.distr")
    browser.press("l")
    equal([low, browser.ask("page.panels[1].plot.scales.y.distr")], [1, 3], "l makes axes logarithmic")
    browser.press("l")
    browser.press("c")
    assert "2024:061" in browser.ask("[...page.panels[0].labels.values()].join(' ')"), "c writes days of the year"
    browser.press("c")
    assert "60370." in browser.ask("[...page.panels[0].labels.values()].join(' ')"), "and then MJD"
    browser.press("c")
    browser.press("0")

    # Legends hide and show.
    entry = browser.driver.find_element(By.CSS_SELECTOR, ".legend button")
    entry.click()
    equal([entry.get_attribute("aria-pressed"), browser.ask("page.panels[0].shown().length")], ["false", 0], "hidden")
    entry.click()
    equal(browser.ask("page.panels[0].shown().length"), 1, "shown again")

    # Messages tell their text.
    message = [row for row in truth if row[1] == "SAMPLE_EVENT_MSG"][1]
    browser.move(3, (message[0] - START_US) / HOUR_US)
    tip = browser.driver.find_element(By.ID, "tip")
    assert tip.is_displayed() and message[2] in tip.text, f"{message[2]!r} not in {tip.text!r}"
    browser.driver.save_screenshot(str(FOLDER / "page.png"))

    # What is exported is what is in view: bit for bit the samples of `edb export`.
    browser.press("+")
    start, stop = browser.view()
    downloads = FOLDER / "downloads"
    for title, name in [("CSV", "edb-view.csv"), ("PNG", "edb-view.png")]:
        browser.driver.find_element(By.XPATH, f"//button[text()='{title}']").click()
        WebDriverWait(browser.driver, 10).until(lambda _: (downloads / name).exists())
    with open(downloads / "edb-view.csv", newline="") as file:
        lines = [line for line in file if not line.startswith("#")]
    found = [(micros(row["time"]), row["name"], row["text"] or float(row["value"])) for row in csv.DictReader(lines)]
    numbers = lambda all: sorted((row for row in all if isinstance(row[2], float)), key=lambda row: row[:2])
    equal(numbers(found), numbers(row for row in truth if start <= row[0] < stop), "the samples in view")
    picture = (downloads / "edb-view.png").read_bytes()
    assert picture[:8] == b"\x89PNG\r\n\x1a\n" and len(picture) > 20_000, "a picture"
    (FOLDER / "view.png").write_bytes(picture)

    equal(browser.ask("document.documentElement.dataset.theme"), "light", "light by preference")
    notes = browser.driver.find_element(By.ID, "notes")
    browser.press("n")
    assert "synthetic" in notes.text and "proven" in notes.text, "notes tell where the data are from"


def large_page(browser, truth):
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})
    browser.open("large.html")
    equal(browser.ask("document.documentElement.dataset.theme"), "dark", "dark by preference")
    status = browser.driver.find_element(By.ID, "resolution")
    assert "as from every sample" in status.text or "finer than the page" in status.text, status.text
    # No extreme is lost, in whatever part.
    volts = [row for row in truth if row[1] == "SAMPLE_MOTOR_VOLT"]
    held = browser.ask("page.panels[0].curves[0].track.times.length")
    assert held < len(volts) / 2, f"the page holds {held} of {len(volts)}"
    column = browser.ask("page.panels[0].curves[0].track.column")
    for first, last in [(0, 10), (3, 4), (17, 60)]:
        start, stop = START_US + first * 40 * column, START_US + last * 40 * column
        part = [row[2] for row in volts if start <= row[0] < stop]
        found = browser.ask("page.panels[0].curves[0].track.extent(arguments[0], arguments[1])", start, stop - 1)
        if part:
            equal(found, [min(part), max(part)], f"extremes of columns {first * 40} to {last * 40}")
    for _ in range(9):
        browser.press("+")
    assert "finer than the page" in status.text and "short" in status.get_attribute("class"), status.text
    browser.press("0")
    browser.driver.save_screenshot(str(FOLDER / "dark.png"))


def side_page(browser):
    browser.open("side.html")
    equal(browser.ask("page.panels.map((panel) => panel.spec.kind)"), ["values", "values", "values", "values", "histogram", "histogram", "phase"], "panels")
    browser.driver.execute_script("page.panels[6].root.scrollIntoView()")
    browser.until("return page.panels[6].plot")
    ActionChains(browser.driver).move_to_element(browser.plot(6)).perform()
    browser.driver.save_screenshot(str(FOLDER / "side.png"))
    size = len(base64.b64decode(browser.driver.execute_async_script(
        "const done = arguments[0]; page.png().then(async (blob) => { const reader = new FileReader(); "
        "reader.onload = () => done(reader.result.split(',')[1]); reader.readAsDataURL(blob); })")))
    assert size > 20_000, f"a picture of all panels has {size} bytes"


def main():
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    edb("plot", *SELECTION, *RANGE, "-o", "page.html", "--yellow", "SAMPLE_MOTOR_VOLT=0.16..0.24", "--nominal", "SAMPLE_MOTOR_VOLT=0.2")
    edb("plot", *SELECTION, *RANGE, "-o", "large.html", "--page-points", "3000")
    edb("plot", "SAMPLE_MOTOR_VOLT", "SAMPLE_PANEL_TEMP", *RANGE, "-o", "side.html", "--resample", "1m", "--show", "time,deviation,histogram,phase")
    truth = list(rows())
    browser = Browser()
    try:
        small_page(browser, truth)
        large_page(browser, truth)
        side_page(browser)
        equal(browser.logged(), [], "console")
        abroad = [url for url in browser.requested() if not url.startswith(("file:", "data:", "blob:"))]
        equal(abroad, [], "requests")
    finally:
        browser.driver.quit()
    print(f"pages behave in Chromium; screenshots are in {FOLDER}")


main()
