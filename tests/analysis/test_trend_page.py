"""The pages and tables of a trend: sound, self-contained, saying what the trend says."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from analysis.norms import NORMS
from analysis.report.files import trend_files
from analysis.report.trend_figures import CHARTS, positions
from analysis.settings import Settings
from analysis.trend import NAMES, trend_of
from analysis.visits import Mark
from tests.analysis.test_report_html import EVIL, Page
from tests.benchmarks.courses import Person, draw_course

STEADY = Person(day_deg=0.0, rom_sd_deg=0.5)


def made(sessions: int, names=("rom_deg", "clean_share"), **changes):
    """A person whose range grows by 12°; two measures are enough for most of what is asked."""
    visits = draw_course(np.random.default_rng(0), STEADY, 12.0, sessions)
    visits[0] = replace(visits[0], **changes)
    return trend_of(visits, Settings(), 35.0, names)


@pytest.fixture(scope="module")
def six():
    found = made(6, NAMES, marks=(Mark("left", "pain", 4.0), Mark("right", "cramp", None)))
    return found, trend_files(found, {"bad": "left.csv: no"})


def test_the_page_is_sound_and_needs_nothing_else(six):
    page = Page(six[1]["trend.html"])
    assert len(page.ids) == len(set(page.ids))
    for tag, attrs in page.tags:
        assert tag not in ("script", "link", "iframe", "object", "img")
        assert attrs.get("href", "#").startswith("#")
    assert "default-src 'none'" in six[1]["trend.html"]
    figures = [attrs for tag, attrs in page.tags if tag == "svg"]
    assert len(figures) == len(CHARTS) + 1
    assert all(set(one["aria-labelledby"].split()) <= set(page.ids) for one in figures)
    assert all("scope" in attrs for tag, attrs in page.tags if tag == "th")


def test_the_first_words_are_the_verdict_and_norms_come_last(six):
    words = Page(six[1]["trend.html"]).words()
    assert "▲ improved Left: " in words
    assert words.index("improved Left") < words.index(NORMS[0].source)
    assert "bad could not be analysed: left.csv: no" in words
    assert "nobody is judged by them" in words


@pytest.mark.parametrize("sessions", [1, 2, 60])
def test_any_number_of_sessions_makes_a_page(sessions):
    files = trend_files(made(sessions), {})
    Page(files["trend.html"])
    assert len(files["trend.html"]) < 1_000_000
    assert "No pain, pinch or cramp was marked." in files["trend.html"]


def test_text_from_outside_stays_text():
    visits = draw_course(np.random.default_rng(0), STEADY, 0.0, 2)
    evil = [
        replace(one, subject=EVIL, context=EVIL, name=f"{EVIL}{i}") for i, one in enumerate(visits)
    ]
    found = trend_of(evil, Settings(), names=("rom_deg",))
    text = trend_files(found, {EVIL: EVIL})["trend.html"]
    assert "<script" not in text
    ET.fromstring(text[text.index("<svg") : text.index("</svg>") + 6].replace("xlink:", ""))


def test_poor_sessions_are_hollow_and_said():
    found = made(3)
    poor = {s: replace(one, grade="poor", usable=False) for s, one in found.visits[1].sides.items()}
    visits = [found.visits[0], replace(found.visits[1], sides=poor), found.visits[2]]
    text = trend_files(trend_of(visits, Settings(), names=("rom_deg",)), {})["trend.html"]
    assert "1 of them left out for poor quality" in text
    assert "left out" in Page(text).words()


def test_the_document_has_the_names_of_the_contract(six):
    document = json.loads(six[1]["trend.json"])
    assert document["schema"] == "hiprot.trend/1"
    assert [one["name"] for one in document["sessions"]] == [f"visit-{i}" for i in range(1, 7)]
    assert {"name", "started", "context", "grade"} <= document["sessions"][0].keys()
    assert document["measures"].keys() == set(NAMES)
    last = document["measures"]["rom_deg"]["left"][-1]
    assert {"session", "n", "mean", "sd", "uncertainty", "change_first", "change_previous"} <= (
        last.keys()
    )
    assert {"difference", "ci95", "threshold", "verdict"} <= last["change_first"].keys()
    assert last["change_first"]["verdict"] == "improved"


def test_the_table_has_a_row_for_every_point(six):
    rows = list(csv.DictReader(io.StringIO(six[1]["trend.csv"])))
    points = [p for series in six[0].measures.values() for found in series.values() for p in found]
    assert len(rows) == len(points)
    last = [row for row in rows if (row["measure"], row["side"]) == ("rom_deg", "left")][-1]
    assert (last["session"], last["first_verdict"]) == ("visit-6", "improved")
    assert float(last["mean"]) == pytest.approx(six[0].measures["rom_deg"]["left"][-1].mean)


def test_sessions_of_one_day_are_not_drawn_on_one_another():
    visits = made(4).visits
    same = [replace(one, started=visits[i // 2].started) for i, one in enumerate(visits)]
    at = list(positions(trend_of(same, Settings(), names=("rom_deg",))).values())
    assert min(np.diff(at)) > 0.05
    assert (min(at), max(at)) == (0.0, 1.0)
