"""Changes and trends: known courses, order, contexts, poor sessions, the first lines."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from analysis.changes import BETTER, asymmetry_change, side_change
from analysis.compared import MEASURES
from analysis.settings import Settings
from analysis.trend import NAMES, of_one_context, trend_of
from analysis.trend_words import day_line, headlines, mode_lines
from analysis.visits import Visit, visit_of
from imu.errors import CallError
from tests.analysis.examples import (
    make_analysis,
    make_quality,
    make_set,
    make_turns,
    named_examples,
)
from tests.benchmarks.courses import GOAL_PERCENT, Person, called, draw_course, tally

SETTINGS = Settings()
RANGE = ("rom_deg",)
STEADY = Person(day_deg=0.0, rom_sd_deg=0.5)


def course(gain_deg: float, sessions: int = 6, person: Person = STEADY, seed: int = 0):
    return draw_course(np.random.default_rng(seed), person, gain_deg, sessions)


def last(visits, measure="rom_deg", series="left", settings=SETTINGS):
    return trend_of(visits, settings, names=(measure,)).measures[measure][series][-1]


@pytest.mark.parametrize(
    ("gain_deg", "verdict"),
    [(12.0, "improved"), (-12.0, "worse"), (0.0, "no_detectable_change"), (5.4, "inconclusive")],
)
def test_a_steady_course_gets_the_verdict_of_its_true_change(gain_deg, verdict):
    change = last(course(gain_deg)).change_first
    assert change.verdict == verdict
    assert change.difference == pytest.approx(gain_deg, abs=1.0)
    low, high = change.ci95
    assert low < gain_deg < high
    assert change.threshold == 5.4


def test_no_change_is_called_improved_or_worse_at_most_as_often_as_the_goal():
    """The courses of 60 people whose days differ by an SD of 2°; of 120 verdicts at most 5 %."""
    found = tally(draw_course, 60, Person(day_deg=2.0), 0.0)
    assert called(found.last) <= GOAL_PERCENT
    assert called(tally(draw_course, 20, Person(day_deg=2.0), 14.0).last) > 80.0


def test_a_change_back_is_the_change_turned_round():
    first, *_, final = course(12.0)
    there = side_change("rom_deg", first, final, "left", SETTINGS)
    back = side_change("rom_deg", final, first, "left", SETTINGS)
    assert back.difference == pytest.approx(-there.difference)
    assert back.ci95 == pytest.approx([-there.ci95[1], -there.ci95[0]])
    assert (there.verdict, back.verdict) == ("improved", "worse")


def shifted(visit: Visit, side: str, measure: str, by: float) -> Visit:
    one = visit.sides[side]
    values = {**one.values, measure: one.values[measure] + by}
    return replace(visit, sides={**visit.sides, side: replace(one, values=values)})


@pytest.mark.parametrize("measure", [one.name for one in MEASURES if one.judged and not one.spread])
def test_the_better_way_is_improved_and_neither_is_changed(measure):
    before = course(0.0, 1)[0]
    up = side_change(measure, before, shifted(before, "left", measure, 100.0), "left", SETTINGS)
    down = side_change(measure, before, shifted(before, "left", measure, -100.0), "left", SETTINGS)
    told = {1: ("improved", "worse"), -1: ("worse", "improved"), 0: ("changed", "changed")}
    assert (up.verdict, down.verdict) == told[BETTER.get(measure, 0)]


def test_sides_that_come_together_have_improved_whatever_the_sign():
    visit = course(0.0, 1)[0]
    for side, by in (("left", -20.0), ("right", -20.0)):
        apart = shifted(visit, side, "rom_deg", by)
        together = asymmetry_change("rom_deg", apart, visit, SETTINGS)
        assert together.verdict == "improved"
        assert asymmetry_change("rom_deg", visit, apart, SETTINGS).verdict == "worse"
        assert together.threshold == pytest.approx(5.4 * 2**0.5)


def test_raw_speeds_are_shown_and_not_judged():
    change = last(course(12.0), "peak_inward_speed_deg_s").change_first
    assert change.verdict == "inconclusive"
    assert change.reason.startswith("not judged")
    assert change.threshold is None


def test_clean_shares_are_held_against_each_other_exactly():
    before, after = course(0.0, 2)
    few = replace(before.sides["left"], clean=1, counted=8)
    all_of_them = replace(after.sides["left"], clean=8, counted=8)
    before = replace(before, sides={**before.sides, "left": few})
    after = replace(after, sides={**after.sides, "left": all_of_them})
    assert side_change("clean_share", before, after, "left", SETTINGS).verdict == "improved"
    assert side_change("clean_share", after, before, "left", SETTINGS).verdict == "worse"
    same = side_change("clean_share", after, after, "left", SETTINGS)
    assert same.verdict == "no_detectable_change"


def test_fewer_than_three_repetitions_make_no_verdict():
    before, after = course(20.0, 2)
    side = after.sides["left"]
    few = {name: values[:2] for name, values in side.values.items()}
    after = replace(after, sides={"left": replace(side, values=few, counted=2)})
    change = side_change("rom_deg", before, after, "left", SETTINGS)
    assert (change.verdict, change.ci95) == ("inconclusive", None)
    assert "fewer than 3" in change.reason


def poor(visit: Visit) -> Visit:
    sides = {s: replace(one, grade="poor", usable=False) for s, one in visit.sides.items()}
    return replace(visit, sides=sides)


def test_poor_sessions_are_shown_and_neither_judged_nor_judged_against():
    visits = course(12.0)
    hollow = [poor(visits[0]), *visits[1:3], poor(visits[3]), *visits[4:]]
    points = trend_of(hollow, SETTINGS, names=RANGE).measures["rom_deg"]["left"]
    assert [one.usable for one in points] == [False, True, True, False, True, True]
    assert points[0].mean is not None
    assert points[3].change_first is None
    assert points[4].change_first.against == "visit-2"
    assert points[4].change_previous.against == "visit-3"
    assert points[1].change_first is None


def test_first_and_previous_are_of_the_same_context_and_the_day_compares_across():
    day = datetime(2026, 3, 2, 9)  # noqa: DTZ001
    visits = [
        replace(visit, started=day + timedelta(days=7 * (i // 2), minutes=40 * (i % 2)),
                context=("before", "after")[i % 2])
        for i, visit in enumerate(course(0.0))
    ]  # fmt: skip
    points = trend_of(visits, SETTINGS, names=RANGE).measures["rom_deg"]["left"]
    assert [one.change_first and one.change_first.against for one in points] == [
        None, None, "visit-1", "visit-2", "visit-1", "visit-2",
    ]  # fmt: skip
    assert points[5].change_previous.against == "visit-4"
    assert [one.change_context and one.change_context.against for one in points] == [
        None, "visit-1", None, "visit-3", None, "visit-5",
    ]  # fmt: skip
    assert day_line(trend_of(visits, SETTINGS)).startswith(
        "On 16 March 2026, after against before:"
    )
    assert of_one_context(visits[0], replace(visits[1], context=None))


def test_sessions_come_in_the_order_of_time_or_else_of_their_names():
    visits = course(12.0, 12)
    shuffled = [visits[i] for i in np.random.default_rng(1).permutation(12)]
    timed = trend_of(shuffled, SETTINGS, names=RANGE)
    assert timed.by_time
    assert list(timed.visits) == visits
    undated = [replace(one, started=None) for one in shuffled]
    named = trend_of(undated, SETTINGS, names=RANGE)
    assert not named.by_time
    assert [one.name for one in named.visits] == [one.name for one in visits]
    assert " in " not in headlines(named)[0].sentence.split(",")[0]


def test_two_people_make_no_trend():
    visits = course(0.0, 2)
    with pytest.raises(CallError, match=r"2 people: P01 \(visit-1\), P02 \(visit-2\)"):
        trend_of([visits[0], replace(visits[1], subject="P02")], SETTINGS)
    one = trend_of([visits[0], replace(visits[1], subject=None)], SETTINGS, names=RANGE)
    assert one.subject == "P01"


def test_the_first_lines_say_it_in_words():
    visits, flat = course(12.0), course(0.0)
    mixed = [
        replace(visit, sides={"left": visit.sides["left"], "right": still.sides["right"]})
        for visit, still in zip(visits, flat, strict=True)
    ]
    left, right, apart = headlines(trend_of(mixed, SETTINGS, names=RANGE))
    assert left.verdict == "improved"
    assert left.sentence.startswith("Left: ")
    assert left.sentence.endswith("° in 5 weeks, more than measuring again can differ by (5.4°).")
    assert right.verdict == "no_detectable_change"
    assert "no detectable change" in right.sentence
    assert apart.sentence.startswith("Right minus left: ")


def test_the_first_lines_say_when_there_is_nothing_to_say():
    one = course(0.0, 1)
    assert headlines(trend_of(one, SETTINGS))[0].sentence.endswith("one session so far.")
    told = headlines(trend_of([poor(one[0])], SETTINGS))[0].sentence
    assert told == "Left: no session of sufficient quality."


def test_a_visit_holds_what_the_report_says():
    analysis = named_examples()["different"]
    visit = visit_of(analysis)
    for side, one in visit.sides.items():
        summary = analysis.summary.sides[side]
        assert (one.clean, one.counted) == (summary.clean, summary.counted)
        for name, found in summary.measures.items():
            assert one.mean(name) == pytest.approx(found.mean)
    assert visit.started == datetime(2026, 11, 22, 9, 30)  # noqa: DTZ001
    assert {one.kind for one in visit_of(named_examples()["markers"]).marks} == {"pain", "pinch"}


def test_a_poor_or_mislabelled_side_is_not_usable():
    sets = [make_set("left", make_turns(), quality=make_quality("poor", "so"))]
    visit = visit_of(make_analysis([*sets, make_set("right", make_turns())]))
    assert not visit.sides["left"].usable
    assert visit.sides["right"].usable


def test_where_coached_sets_had_to_be_taken_is_said():
    analysis = make_analysis(
        [make_set("left", make_turns()), make_set("left", make_turns(seed=5), name="left-2"),
         make_set("right", make_turns(seed=1))],
        modes={"left": "train", "right": "fade"},
    )  # fmt: skip
    visit = visit_of(analysis)
    assert visit.sides["left"].counted == 8
    assert visit.sides["left"].modes == ()
    assert visit.sides["right"].modes == ("fade",)
    (line,) = mode_lines(trend_of([visit], SETTINGS, names=RANGE))
    assert line.endswith("right: no set without coaching, so that of fade is compared.")


def test_every_measure_has_points_of_every_session_and_series():
    found = trend_of(course(3.0, 3), SETTINGS)
    assert tuple(found.measures) == NAMES
    for name, series in found.measures.items():
        for kind, points in series.items():
            assert [one.session for one in points] == ["visit-1", "visit-2", "visit-3"], (
                name,
                kind,
            )


def test_own_minimal_detectable_changes_are_the_threshold():
    own = Settings(mdc_range_deg=3.0, mdc_source="Clinic A", mdc={"inward_s": 0.9})
    change = last(course(5.0), settings=own).change_first
    assert (change.threshold, change.verdict) == (3.0, "improved")
    assert "Clinic A" in change.threshold_source
    assert last(course(5.0), "inward_s", settings=own).change_first.threshold == 0.9
