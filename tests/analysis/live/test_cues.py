"""One cue at a time, long enough to be read, never nagging."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.live.cues import AGAIN_S, CUES, SHORTEST_S, WORSE, Coach, Line, Situation, is_stopping
from analysis.live.pose import NEUTRAL, Angles
from analysis.repetitions.measures import Repetition
from analysis.settings import Settings
from imu.recording import Event
from tests.analysis.examples import make_set, make_turns

STEP_S = 0.05
FAULTS = [cue for cue in CUES if cue != "stop_pain"]
WANTED = st.dictionaries(st.sampled_from(FAULTS), st.floats(1.0, 3.0), max_size=3)


def make_rep(number: int, verdict: str = "clean", flags: tuple[str, ...] = ()) -> Repetition:
    (rep,) = make_set("left", make_turns(1)).reps
    return replace(rep, rep=number, verdict=verdict, flags=flags)


def spoken(moments: list[tuple[dict[str, float], int]]) -> list[tuple[float, str | None, float]]:
    """When which cue begins, and how bad it was wanted then; each moment lasts so many steps."""
    line, shown, step = Line(), [(0.0, None, 0.0)], 0
    for wanted, lasts in moments:
        for _ in range(lasts):
            cue = line.step(step * STEP_S, wanted)
            if cue != shown[-1][1]:
                shown.append((step * STEP_S, cue, wanted.get(cue, 0.0)))
            step += 1
    return shown


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(WANTED, st.integers(1, 60)), max_size=25))
def test_no_cue_is_short_and_none_comes_again_soon_unless_worse(moments):
    shown = spoken(moments)
    said: dict[str, tuple[float, float]] = {}
    for (begin_s, cue, bad), (end_s, _, _) in pairwise(shown):
        if cue is None:
            continue
        assert end_s - begin_s >= SHORTEST_S - 1e-9
        if cue in said:
            ended_s, before = said[cue]
            assert begin_s - ended_s >= AGAIN_S - 1e-9 or bad > WORSE * before
        said[cue] = (end_s, bad)


def test_a_worse_fault_is_told_again_at_once():
    mild, bad = {"slower": 1.1}, {"slower": 2.0}
    begins = [cue for _, cue, _ in spoken([(mild, 1), ({}, 60), (mild, 20), (bad, 5)])]
    assert begins == [None, "slower", None, "slower"]


def test_the_more_important_of_two_is_told():
    assert spoken([({"well_done": 1.0, "level_pelvis": 1.2}, 3)])[-1][1] == "level_pelvis"


def at(time_s: float, angles: Angles = NEUTRAL, phase: str = "inward", speed: float = 10.0):
    return Situation(time_s, angles, speed, phase, True)


def after_rest(coach: Coach) -> float:
    """Sit still for 2 s; the time then."""
    for k in range(100):
        coach.step(at(k * 0.02, phase="still", speed=0.0))
    return 2.0


@pytest.mark.parametrize(
    ("angles", "speed", "cue"),
    [
        (NEUTRAL._replace(obliquity=6.0), 10.0, "level_pelvis"),
        (NEUTRAL._replace(rotation=-6.0), 10.0, "level_pelvis"),
        (NEUTRAL._replace(tilt=6.0), 10.0, "sit_tall"),
        (NEUTRAL._replace(flexion=11.0), 10.0, "turn_dont_swing"),
        (NEUTRAL, 80.0, "slower"),
        (NEUTRAL._replace(ir=40.0, tilt=4.0), 50.0, None),
    ],
)
def test_faults_are_told_in_the_drills_words(angles, speed, cue):
    coach = Coach(Settings())
    begin_s = after_rest(coach)
    told = [coach.step(at(begin_s + k * 0.02, angles, speed=speed)) for k in range(20)]
    assert told[-1] == cue


def test_the_limits_are_those_of_the_verdicts():
    coach = Coach(replace(Settings(), pelvis_tilt_limit_deg=3.0))
    begin_s = after_rest(coach)
    assert coach.step(at(begin_s, NEUTRAL._replace(tilt=4.0))) == "sit_tall"


def test_nothing_is_told_of_angles_that_are_not_sure():
    coach = Coach(Settings())
    begin_s = after_rest(coach)
    unsure = at(begin_s, NEUTRAL._replace(tilt=20.0))._replace(sure=False)
    assert coach.step(unsure) is None


@pytest.mark.parametrize(
    ("flags", "verdict", "cue"),
    [
        ((), "clean", "well_done"),
        (("no_hold",), "clean", "pause"),
        (("dropped",), "clean", "slower"),
        (("return_error",), "clean", "back_to_neutral"),
        (("pelvis_tilt",), "compensated", None),
        (("gap",), "not_counted", None),
    ],
)
def test_a_repetition_is_praised_or_corrected(flags, verdict, cue):
    coach = Coach(Settings())
    coach.judge([make_rep(1, verdict=verdict, flags=flags)], 1)
    assert coach.step(at(0.0, phase="still", speed=0.0)) == cue


def test_after_the_planned_repetitions_the_other_side_is_due():
    coach = Coach(Settings(), planned_reps=2)
    coach.judge([make_rep(1)], 1)
    assert coach.step(at(0.0, phase="still")) == "well_done"
    coach.judge([make_rep(2)], 2)
    assert coach.step(at(2.0, phase="still")) == "other_side"


@pytest.mark.parametrize(
    ("event", "stops"),
    [
        (Event("left", 1.0, "pain", 4.0), True),
        (Event("left", 1.0, "pain", 3.0), False),
        (Event("left", 1.0, "pain", None, "Sharp, in the groin"), True),
        (Event("left", 1.0, "pain"), False),
        (Event("left", 1.0, "note", 9.0, "sharp"), False),
    ],
)
def test_strong_or_sharp_pain_stops_the_coaching_for_good(event, stops):
    coach = Coach(Settings())
    coach.judge([make_rep(1)], 1)
    coach.step(at(0.0, phase="still"))
    coach.mark(event)
    assert is_stopping(event) is coach.stopped is stops
    told = [coach.step(at(0.1 + k, phase="still")) for k in range(20)]
    assert (set(told) == {"stop_pain"}) is stops


def test_a_pinch_asks_for_a_smaller_movement():
    coach = Coach(Settings())
    coach.mark(Event("left", 1.0, "pinch"))
    assert coach.step(at(0.0)) == "smaller"
