"""Findings: each is told for the movement it is about, for the right repetitions, in rank."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.advice import KINDS
from analysis.findings import IN_FRONT, in_front, place_markers
from imu.recording import Event
from imu.units import SIDES
from tests.analysis.examples import (
    hiking,
    make_analysis,
    make_pair,
    make_quality,
    make_set,
    make_turns,
    named_examples,
)

SIGNAL_FLAGS = {
    "fast": "thrown",
    "bounce": "bounce",
    "dropped": "dropped_return",
    "no_hold": "no_hold",
    "two_stage": "two_stage",
    "return_error": "return_error",
    "overshoot": "overshoot",
    "hip_flexion": "leg_swings",
    "hip_adduction": "leg_swings",
    "pelvis_rotation": "pelvis_rotates",
}


def found(analysis, code):
    return [one for one in analysis.findings if one.code == code]


def one_found(analysis, code):
    (one,) = found(analysis, code)
    return one


def flagged(flag, reps, n=8, **changes):
    return [
        replace(turn, flags=(flag,), **changes) if i in reps else turn
        for i, turn in enumerate(make_turns(n), start=1)
    ]


def alone(turns, **info):
    return make_analysis([make_set("left", turns)], **info)


def test_a_clean_matched_session_has_nothing_to_tell():
    assert make_pair(make_turns(), make_turns(seed=1)).findings == ()


@pytest.mark.parametrize(("flag", "code"), SIGNAL_FLAGS.items())
def test_every_flag_becomes_its_finding(flag, code):
    one = one_found(alone(flagged(flag, {2, 3, 6})), code)
    assert one.side == "left"
    assert one.set_name == "left"
    assert one.reps == (2, 3, 6)
    assert "in 3 of 8 repetitions (2, 3, 6)" in one.text
    assert one.text.endswith(KINDS[code].advice)


@pytest.mark.parametrize(
    ("flag", "field", "sign", "code"),
    [
        ("pelvis_obliquity", "obliquity_deg", 1, "pelvis_hikes"),
        ("pelvis_obliquity", "obliquity_deg", -1, "pelvis_drops"),
        ("pelvis_tilt", "tilt_deg", 1, "pelvis_tilts_forward"),
        ("pelvis_tilt", "tilt_deg", -1, "pelvis_tilts_back"),
    ],
)
def test_the_pelvis_is_told_by_plane_and_direction(flag, field, sign, code):
    one = one_found(alone(flagged(flag, {1, 2}, **{field: sign * 7.25})), code)
    assert one.figure == sign * 7.25
    assert one.unit == "°"
    assert "up to 7.2°" in one.text


def test_a_hike_that_begins_and_stays_is_told_from_its_repetition_on():
    one = one_found(make_pair(hiking(4), make_turns()), "pelvis_hikes")
    assert one.reps == (4, 5, 6, 7, 8)
    assert one.text == (
        "Left: the pelvis hikes from repetition 4 on, up to 8.1°. Make the movement smaller."
    )


@pytest.mark.parametrize(
    ("reps", "words"),
    [
        (range(1, 9), "in every repetition"),
        ({8}, "in repetition 8"),
        ({7, 8}, "from repetition 7 on"),
        ({1, 2, 3, 7}, "in 4 of 8 repetitions (1–3, 7)"),  # noqa: RUF001
    ],
)
def test_it_is_said_when_it_happens(reps, words):
    assert words in one_found(alone(flagged("bounce", set(reps))), "bounce").text


def test_what_happens_once_comes_after_what_happens_often():
    turns = flagged("bounce", {1, 2, 3, 4})
    turns[7] = replace(turns[7], flags=("pelvis_obliquity",), obliquity_deg=6.0)
    codes = [one.code for one in alone(turns).findings]
    assert codes == ["bounce", "pelvis_hikes"]


def test_repetitions_that_do_not_count_are_told_as_broken_off_alone():
    turns = flagged("broken_off", {3}, verdict="not_counted")
    analysis = alone(turns, planned_reps=7)
    assert one_found(analysis, "broken_off").reps == (3,)
    assert len(analysis.findings) == 1


def test_growing_tilt_asks_for_a_new_setup():
    turns = [replace(turn, start_tilt_deg=0.6 * i) for i, turn in enumerate(make_turns())]
    one = one_found(alone(turns), "tilt_grows")
    assert 2.5 < one.figure < 0.6 * 7
    assert "ribs over the pelvis" in one.text


@pytest.mark.parametrize("start_deg", [-0.6, 0.0, 0.2])
def test_tilt_that_does_not_grow_is_not_told(start_deg):
    turns = [replace(turn, start_tilt_deg=start_deg * i) for i, turn in enumerate(make_turns())]
    assert found(alone(turns), "tilt_grows") == []


def test_a_start_from_another_posture_is_told_with_its_repetitions():
    # The rest before a repetition belongs to the one before it.
    turns = make_turns()
    turns[4] = replace(turns[4], start_tilt_deg=-9.0)
    turns[3] = replace(turns[3], start_tilt_deg=-9.0)
    one = one_found(alone(turns), "posture_shifts")
    assert 5 in one.reps
    assert one.figure == pytest.approx(-9.0)
    assert "pelvic tilt" in one.text


def fading(loss_deg):
    rom = np.linspace(34, 34 - loss_deg, 8)
    return [replace(turn, rom_deg=float(r)) for turn, r in zip(make_turns(), rom, strict=True)]


def test_a_fading_range_is_told_once_and_not_as_uneven_too():
    analysis = alone(fading(10))
    assert one_found(analysis, "range_fades").figure == pytest.approx(10 * 6 / 7, abs=1.5)
    assert found(analysis, "uneven_range") == []


def test_a_loss_within_the_measurement_error_is_not_told():
    assert found(alone(fading(1.5)), "range_fades") == []


def test_uneven_range_and_tempo_are_told():
    turns = make_turns()
    uneven = [
        replace(turn, rom_deg=turn.rom_deg + 8 * (-1) ** i, inward_s=2 + 1.2 * (-1) ** i)
        for i, turn in enumerate(turns)
    ]
    analysis = alone(uneven)
    assert one_found(analysis, "uneven_range").figure == pytest.approx(8, rel=0.2)
    assert one_found(analysis, "uneven_duration").unit == "s"


def test_fewer_repetitions_than_planned_are_counted():
    one = one_found(alone(make_turns(6), planned_reps=8), "fewer_reps")
    assert one.figure == 6
    assert "6 of 8" in one.text
    assert found(alone(make_turns(6), planned_reps=None), "fewer_reps") == []
    assert found(alone(make_turns(8), planned_reps=8), "fewer_reps") == []


def test_a_difference_is_told_of_the_side_that_has_less():
    analysis = make_pair(make_turns(rom_deg=22.0), make_turns(seed=1, rom_deg=34.0))
    one = one_found(analysis, "side_difference_range")
    assert one.side == "left"
    assert one.figure == pytest.approx(12.0, abs=1.0)
    assert found(make_pair(make_turns(), make_turns(seed=1)), "side_difference_range") == []


def test_a_moving_pelvis_is_told_of_the_side_that_moves_more():
    analysis = make_pair(make_turns(), make_turns(seed=1, obliquity_deg=8.0))
    assert one_found(analysis, "side_difference_control").side == "right"


def test_a_poor_recording_is_told_before_the_movement():
    quality = make_quality("poor", "31 % of the samples are missing.")
    analysis = make_analysis([make_set("left", hiking(2), quality=quality)])
    assert [one.code for one in analysis.findings][:2] == ["data_poor", "pelvis_hikes"]
    assert "31 % of the samples are missing. Read" in analysis.findings[0].text


def test_sets_of_one_side_are_told_apart():
    sets = [make_set("left", make_turns()), make_set("left", hiking(5), name="left-2")]
    one = one_found(make_analysis(sets), "pelvis_hikes")
    assert one.set_name == "left-2"
    assert one.text.startswith("Left, set left-2:")


def rep_times(side="left", rep=1):
    one = make_set(side, make_turns(spread=0.0)).reps[rep - 1]
    return one.start_s, one.hold_start_s, one.hold_end_s, one.end_s


@pytest.mark.parametrize(
    ("where", "phase", "rep"),
    [(0, "between", 0), (0.5, "inward", 3), (1.5, "hold", 3), (2.5, "return", 3),
     (3.2, "between", 0)],
)  # fmt: skip
def test_a_marker_is_placed_in_the_phase_it_falls_in(where, phase, rep):
    edges = [*rep_times(rep=3), rep_times(rep=4)[0]]
    index = int(where)
    time_s = edges[index] + (where - index) * (edges[index + 1] - edges[index])
    if where == 0:
        time_s -= 0.3
    one = make_set("left", make_turns(spread=0.0))
    (placed,) = place_markers([Event("left", time_s, "pain", 5.0)], [one])
    assert (placed.phase, placed.rep, placed.side) == (phase, rep, "left")
    assert placed.ir_deg == pytest.approx(np.interp(time_s, one.angles.time_s, one.angles.ir_deg))


@pytest.mark.parametrize(("name", "time_s"), [("left", 1e4), ("left", -1.0), ("right-7", 5.0)])
def test_a_marker_outside_the_recording_keeps_its_place_in_the_list(name, time_s):
    one = make_set("left", make_turns())
    placed = place_markers([Event(name, time_s, "cramp"), Event("left", 5.0, "note")], [one])
    assert [marker.kind for marker in placed] == ["cramp", "note"]
    assert placed[0].phase == "outside"
    assert placed[0].ir_deg is None
    assert placed[0].side == name.split("-")[0]


def test_a_marker_in_a_gap_has_no_angle():
    one = make_set("left", make_turns())
    gappy = replace(one, angles=replace(one.angles, measured=np.zeros(len(one.rep_numbers), bool)))
    (placed,) = place_markers([Event("left", 4.0, "pain")], [gappy])
    assert placed.ir_deg is None
    assert placed.rep == 1


@given(
    kinds=st.lists(
        st.tuples(st.sampled_from(("pain", "pinch", "cramp")), st.sampled_from(SIDES),
                  st.floats(0, 60), st.none() | st.integers(0, 10)),
        min_size=1, max_size=6,
    ),
    flags=st.lists(st.sampled_from(sorted(SIGNAL_FLAGS)), min_size=8, max_size=8),
)  # fmt: skip
def test_pain_outranks_everything(kinds, flags):
    events = [Event(side, time_s, kind, score) for kind, side, time_s, score in kinds]
    turns = [replace(turn, flags=(flag,)) for turn, flag in zip(make_turns(), flags, strict=True)]
    analysis = make_pair(turns, make_turns(5), events=events)
    ranked = [one.code for one in analysis.findings]
    marked = [code for code in ranked if code in ("pain", "pinch", "cramp")]
    assert ranked[: len(marked)] == marked
    assert marked == sorted(marked, key=("pain", "pinch", "cramp").index)
    assert set(marked) == {kind for kind, *_ in kinds}


def test_sharp_pain_says_stop_and_a_pinch_makes_it_smaller():
    analysis = named_examples()["markers"]
    pain, pinch = analysis.findings[:2]
    assert pain.code == "pain"
    assert pain.text.endswith("stop.")
    assert "6 of 10" in pain.text
    assert pinch.text.endswith("Make the movement smaller.")
    assert pinch.reps == (1,)


def test_at_most_three_are_put_in_front_and_both_sides_share_a_place():
    turns = [replace(turn, flags=tuple(SIGNAL_FLAGS)) for turn in make_turns()]
    analysis = make_pair(turns, turns)
    front = in_front(analysis.findings)
    assert len(front) == IN_FRONT
    assert all({one.side for one in group} == set(SIDES) for group in front)
    assert len(analysis.findings) > 2 * IN_FRONT


def test_all_codes_are_in_the_table_and_sorted_by_rank():
    for analysis in named_examples().values():
        assert {one.code for one in analysis.findings} <= set(KINDS)
        assert [one.rank for one in analysis.findings] == sorted(
            one.rank for one in analysis.findings
        )
