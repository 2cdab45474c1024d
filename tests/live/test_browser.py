"""A newcomer's whole session in a real browser, from an empty folder to the report."""

from __future__ import annotations

import shutil
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

from imu.storage.session import read_session

CHROMIUM = shutil.which("chromium")
playwright = pytest.importorskip("playwright.sync_api", reason="the extra browser is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")

PROGRAM = (sys.executable, "-c", "from analysis.commands import main; main()")
TWO_TURNS_MS = 22_000
SIZES = {"desk": (1366, 768), "tablet": (820, 1180), "phone": (375, 700), "zoomed": (683, 384)}


@pytest.fixture
def address(tmp_path):
    program = subprocess.Popen(
        [*PROGRAM, "app", str(tmp_path), "--port", "0", "--no-browser", "--simulate"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    yield program.stdout.readline().strip()
    program.terminate()
    program.wait(20)
    program.stdout.close()


@pytest.fixture
def browser():
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


class Watched:
    """A page whose requests, errors and violations are kept."""

    def __init__(self, page):
        self.page = page
        self.foreign: list[str] = []
        self.errors: list[str] = []
        page.set_default_timeout(20_000)
        page.on("request", self._asked)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._said)

    def _asked(self, request):
        place = urlsplit(request.url)
        if place.scheme not in ("data", "about") and place.hostname != "127.0.0.1":
            self.foreign.append(request.url)

    def _said(self, message):
        if message.type == "error":
            self.errors.append(message.text)

    def __getitem__(self, test):
        return self.page.get_by_test_id(test)

    def check(self):
        """Nothing serious for axe, nothing wider than the screen, in any size."""
        found = axe.Axe().run(self.page).response["violations"]
        serious = [one["id"] for one in found if one["impact"] in ("serious", "critical")]
        assert serious == []
        for name, (width, height) in SIZES.items():
            self.page.set_viewport_size({"width": width, "height": height})
            wide = self.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, name
        self.page.set_viewport_size({"width": 1366, "height": 768})


def test_a_newcomers_whole_session(address, browser, tmp_path):
    watched = Watched(browser.new_page(viewport={"width": 1366, "height": 768}))
    page = watched.page
    page.goto(address)
    watched["person-name"].fill("P01")
    watched.check()
    watched["new-person"].click()
    watched["new-session"].click()
    watched["sensor-row"].first.wait_for()
    watched.check()
    page.get_by_label("How it is coached").select_option("train")
    watched["start"].click()
    watched["setup-step"].first.wait_for()
    page.wait_for_timeout(TWO_TURNS_MS)
    size = watched["angle"].evaluate("one => parseFloat(getComputedStyle(one).fontSize)")
    assert size >= 0.18 * 768
    assert watched["count"].inner_text() in "123"
    watched.check()
    page.reload()  # in mid-set: the coach is there again
    watched["angle"].wait_for()
    page.keyboard.press("p")
    page.keyboard.press("3")
    playwright.expect(watched["banner"]).to_contain_text("pain")
    page.keyboard.press(" ")
    watched["summary"].wait_for()
    watched.check()
    watched["other-side"].click()
    page.wait_for_timeout(TWO_TURNS_MS)
    watched["stop"].click()
    watched["summary"].wait_for()
    with page.context.expect_page() as opening:
        watched["report-link"].first.click()
    report = opening.value
    report.wait_for_load_state()
    assert "Hip internal rotation" in report.title()
    report.close()
    _exclude_one(watched)
    page.keyboard.press("Escape")
    watched["new-session"].wait_for()
    watched.check()
    assert watched.foreign == []
    assert watched.errors == []
    (folder,) = [one for one in (tmp_path / "P01").iterdir() if one.is_dir()]
    recorded = read_session(folder)
    assert [one.name for one in recorded.recordings] == ["left", "right"]
    kinds = [(one.kind, one.score, one.text) for one in recorded.events]
    assert kinds == [("pain", 3.0, ""), ("exclude", None, "talked")]


def _exclude_one(watched):
    watched["exclude-rep"].first.click()
    watched.page.keyboard.type("talked")
    watched.page.keyboard.press("Enter")
    watched.page.get_by_text("excluded").first.wait_for(state="attached")


def test_names_with_markup_stay_text_and_wrong_tokens_see_nothing(address, browser):
    watched = Watched(browser.new_page(color_scheme="dark", reduced_motion="reduce"))
    watched.page.goto(address)
    watched["person-name"].fill("<b>x</b>")
    watched["new-person"].click()
    playwright.expect(watched["banner"]).to_contain_text("<b>x</b>")
    watched.check()
    stranger = browser.new_context().new_page()
    answer = stranger.goto(address.split("?")[0] + "?token=wrong")
    assert answer.status == 403


def test_in_forced_colours_the_leg_and_the_level_are_seen(address, browser):
    watched = Watched(browser.new_page(forced_colors="active"))
    watched.page.goto(address)
    watched["person-name"].fill("P02")
    watched["new-person"].click()
    watched["new-session"].click()
    watched.page.get_by_label("How it is coached").select_option("train")
    watched["start"].click()
    watched["pelvis-level"].wait_for()
    stroke = watched.page.locator(".shank").evaluate("one => getComputedStyle(one).stroke")
    assert stroke not in ("none", "")
    watched["skip-setup"].click()
    watched["stop"].click()
