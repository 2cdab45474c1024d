"""Reliability from visits: who and what enters, the page, the limits that come out."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace

import numpy as np
import pytest

from analysis.agreement import MDC_FACTOR
from analysis.compared import MEASURES
from analysis.reliability import reliability_of
from analysis.report.files import reliability_files
from analysis.settings import settings_from
from tests.analysis.test_report_html import Page
from tests.benchmarks.cohorts import draw_people, study
from tests.benchmarks.courses import Person

PERSON = Person(strap_deg=1.4, day_deg=1.4)


def people(n: int, sessions: int = 2, seed: int = 0):
    return draw_people(np.random.default_rng(seed), n, sessions, PERSON)


def of_range(found):
    return next(one for one in found.measures if one.measure == "rom_deg")


def test_a_large_study_gives_the_error_back_that_was_put_in():
    """The session's own error, and what the mean of eight repetitions leaves (about 0.7°)."""
    both = of_range(study(120, 2, PERSON)).both
    assert both.sem == pytest.approx(np.hypot(np.hypot(1.4, 1.4), 0.7), rel=0.15)
    assert both.subjects == 120
    low, high = both.mdc95_ci95
    assert low < MDC_FACTOR * both.sem < high


def test_poor_sessions_and_other_contexts_are_left_out_and_counted():
    visits = people(4, 3)
    first = visits["P000"][0]
    poor = {side: replace(one, usable=False) for side, one in first.sides.items()}
    visits["P000"][0] = replace(first, sides=poor)
    visits["P001"][2] = replace(visits["P001"][2], context="after")
    found = reliability_of(visits)
    assert (found.people, found.sessions) == (4, 10)
    assert found.left_out == {"poor quality": 1, "another context than none": 1}
    assert of_range(found).both.measurements == 20


def test_one_poor_side_leaves_the_other():
    visits = people(3)
    for found in visits.values():
        left = replace(found[1].sides["left"], usable=False)
        found[1] = replace(found[1], sides={**found[1].sides, "left": left})
    found = of_range(reliability_of(visits))
    assert found.sides["left"] is None
    assert found.sides["asymmetry"] is None
    assert found.sides["right"].subjects == found.both.subjects == 3


def test_within_a_session_sets_are_taken_where_there_are_some():
    visits = people(3)
    assert of_range(reliability_of(visits)).within_unit == "repetition"
    for found in visits.values():
        left = found[0].sides["left"]
        halves = [
            {name: values[part] for name, values in left.values.items()}
            for part in (slice(0, 4), slice(4, 8))
        ]
        sides = {**found[0].sides, "left": replace(left, by_set=dict(enumerate(halves)))}
        found[0] = replace(found[0], sides=sides)
    one = of_range(reliability_of(visits))
    assert one.within_unit == "set"
    assert (one.within.subjects, one.within.measurements) == (3, 6)
    assert one.within.sem < one.both.sem


def test_the_limits_are_settings_and_say_whose_they_are():
    found = study(12, 2, PERSON)
    settings = settings_from(
        tomllib.loads(reliability_files(found, {})["limits.toml"]), "limits.toml"
    )
    assert settings.mdc_range_deg == pytest.approx(of_range(found).both.mdc95, rel=0.005)
    assert settings.range_source == "own minimal detectable change: 12 people measured anew"
    judged = {one.name for one in MEASURES if one.judged} - {"rom_deg"}
    assert settings.mdc.keys() == judged


@pytest.mark.parametrize(("n", "sessions", "told"), [(3, 2, "not enough"), (3, 1, "Nobody")])
def test_too_few_get_their_figures_and_the_sentence(n, sessions, told):
    found = study(n, sessions, PERSON)
    files = reliability_files(found, {})
    assert not found.enough
    for text in files.values():
        assert told in text
    table = tomllib.loads(files["limits.toml"])
    assert ("mdc_range_deg" in table) == (sessions > 1)
    if sessions > 1:
        assert "too few" in table["mdc_source"]


def test_the_document_has_the_names_of_the_contract():
    document = json.loads(reliability_files(study(5, 2, PERSON), {"x": "why"})["reliability.json"])
    assert document["schema"] == "hiprot.reliability/1"
    for one in document["measures"].values():
        assert {"subjects", "sessions", "icc", "icc_ci95", "icc_form", "sem", "mdc95", "bias",
                "limits_of_agreement"} <= one.keys()  # fmt: skip
        assert one["sides"].keys() == {"left", "right", "asymmetry"}
    assert document["refused"] == [{"session": "x", "why": "why"}]


@pytest.mark.parametrize(("n", "sessions"), [(12, 2), (3, 1), (1, 2)])
def test_the_page_is_sound_whatever_there_is(n, sessions):
    text = reliability_files(study(n, sessions, PERSON), {"a": "<script>"})["reliability.html"]
    page = Page(text)
    assert len(page.ids) == len(set(page.ids))
    assert not [tag for tag, _ in page.tags if tag in ("script", "link", "img")]
    assert "default-src 'none'" in text
