"""The cohort's page: every point opens its report; text stays text; it stays small."""

import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote_to_bytes

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.batch.cohort import MAX_FAILURES, MAX_POINTS, Cohort, Distribution, Point
from analysis.batch.page import HEIGHT, WIDTH, batch_html, draw
from analysis.batch.records import Record
from tests.analysis.batch.study import collated, do_all

EVIL = "<script>alert('x')</script>\"'&{{ 7*7 }}"
VOID = {"meta", "br", "rect", "line"}


class Page(HTMLParser):
    """Checks the nesting of tags and gathers them."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.text = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def words(self):
        return " ".join(" ".join(self.text).split())


def record(left, right, grade="good", verdict="matched"):
    rows = [
        {
            "side": side,
            "grade": grade,
            "codes": "gap;losses",
            "rom_deg_mean": value,
            "range_difference_deg": right - left,
            "range_verdict": verdict,
        }
        for side, value in (("left", left), ("right", right))
    ]
    return Record("c", "f", True, rows=tuple(rows))


def filled(count, seed=0):
    rng = np.random.default_rng(seed)
    cohort = Cohort()
    for i in range(count):
        left, right = (float(one) for one in rng.normal(32, 6, 2))
        cohort.add(f"P{i:05}/S1", record(left, right, "poor" if i % 10 == 0 else "good"))
    return cohort


@pytest.mark.usefixtures("quick")
def test_every_point_opens_its_report(order):
    do_all(order)
    page = Page(collated(order)["batch.html"].decode())
    links = [attrs["href"] for tag, attrs in page.tags if tag == "a"]
    assert len(links) == 4  # left, two of right, a difference
    for link in links:
        assert (order.out / unquote_to_bytes(link).decode()).is_file()
    assert "left.csv, line 1" in page.words()
    assert "2 of 3 sessions analysed" in page.words()


def test_text_from_outside_stays_text(order):
    cohort = Cohort()
    cohort.add(EVIL, record(30.0, 31.0))
    cohort.add("b", Record("", "", False, 3, EVIL))
    text = batch_html(cohort, order)
    assert "<script" not in text
    page = Page(text)
    assert EVIL in page.words()
    assert all("script" not in tag for tag, _ in page.tags)
    links = [attrs["href"] for tag, attrs in page.tags if tag == "a"]
    assert {unquote_to_bytes(link).decode() for link in links} == {f"reports/{EVIL}/report.html"}


def test_it_stays_small_and_tells_all(order):
    cohort = filled(5000)
    for i in range(1000):
        cohort.add(f"Q{i}", Record("", "", False, 3, f"left.csv, line {i}: bad {i} of 8. Do."))
    text = batch_html(cohort, order)
    assert len(text) < 1_000_000
    assert "5000 of 6000 sessions analysed" in text
    assert "bad … of …" in text
    assert len(cohort.failures) == MAX_FAILURES
    assert cohort.reasons == {"bad … of …": 1000}
    for found in (*cohort.ranges.values(), cohort.differences):
        assert MAX_POINTS / 2 <= len(found.points) <= MAX_POINTS
        assert sum(found.bins.values()) == 5000


def test_means_are_those_of_all_sessions_that_are_not_poor():
    rng = np.random.default_rng(3)
    values = rng.normal(30, 5, 3000)
    poor = rng.random(3000) < 0.2
    found = Distribution()
    for value, bad in zip(values.tolist(), poor.tolist(), strict=True):
        found.add(Point("x", value, "poor" if bad else "good", True))
    figures = found.figures()
    assert figures["n"] == int((~poor).sum())
    assert figures["mean"] == pytest.approx(values[~poor].mean(), abs=1e-6)
    assert figures["sd"] == pytest.approx(values[~poor].std(ddof=1), abs=1e-6)


@pytest.mark.parametrize("count", [1, 2, 600, 601, 1200, 1201, 5000])
def test_the_points_are_spread_evenly_over_all_sessions(count):
    found = Distribution()
    for i in range(count):
        found.add(Point(str(i), 30.0, "good", True))
    steps = np.diff([int(point.name) for point in found.points])
    assert len(set(steps.tolist())) <= 1
    assert count - int(found.points[-1].name) <= (steps[0] if len(steps) else 1)


@given(
    st.lists(st.floats(-500, 500, allow_nan=False), min_size=1, max_size=60),
    st.sampled_from([None, 5.4]),
)
def test_whatever_the_figures_all_is_drawn_within_the_drawing(values, band):
    found = Distribution()
    for i, value in enumerate(values):
        found.add(Point(str(i), value, "good", True))
    drawing = draw(found, band)
    assert len(drawing.dots) == len(values)
    for dot in drawing.dots:
        assert 0 <= dot.x <= WIDTH
        assert 0 <= dot.y <= HEIGHT
    per_session = max(bar.height for bar in drawing.bars) / max(
        Counter(dot.x for dot in drawing.dots).values()
    )
    assert per_session > 0
    assert sum(bar.height for bar in drawing.bars) > 0


def test_bars_are_as_high_as_they_have_sessions():
    found = Distribution()
    for value in (10.2, 10.7, 30.1, 30.2, 30.9, 44.0):
        found.add(Point("x", value, "good", True))
    heights = {round(bar.x): bar.height for bar in draw(found).bars}
    two, three, one = (heights[key] for key in sorted(heights))
    assert two == pytest.approx(2 * one, abs=0.02)
    assert three == pytest.approx(3 * one, abs=0.02)


def test_poor_recordings_are_hollow(order):
    text = batch_html(filled(40), order)
    assert len(re.findall(r'<circle[^>]*fill="var\(--page\)"', text)) == 3 * 4


def test_the_template_is_shipped():
    toml = (Path(__file__).parents[3] / "pyproject.toml").read_text()
    assert '"batch/*.html"' in toml
