"""Labels against the movement: which leg, which way, which sensor, what moved on the body."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from analysis.pipeline import analyse
from analysis.sets import SetAnalysis, analyse_set, analyse_sets
from analysis.settings import Settings
from imu.recording import Event, Recording, Session, SessionInfo
from imu.simulator import DrillSettings, SensorSettings, simulate_set
from imu.simulator.faults import (
    acc_negated,
    begun_late,
    exchanged,
    other_side,
    slipped,
    with_stream,
)
from imu.simulator.sessions import simulate_lean
from imu.simulator.simulated_set import Truth

DRILL = DrillSettings(reps=5, lifts=1)
SENSORS = SensorSettings(rate_hz=60.0)
SIDES = ("left", "right")


@cache
def lifted(side: str) -> tuple[Recording, Truth]:
    return simulate_set(DRILL, SENSORS, side, 4)


@cache
def plain(side: str) -> tuple[Recording, Truth]:
    return simulate_set(replace(DRILL, lifts=0), SENSORS, side, 4)


def marker(truth: Truth, recording: Recording) -> tuple[Event, ...]:
    assert truth.plan.lift_s is not None
    return (Event(recording.name, truth.plan.lift_s - truth.first_s, "lift"),)


def analysed(recording: Recording, truth: Truth, lean: Recording | None = None) -> SetAnalysis:
    events = marker(truth, recording)
    (found,) = analyse_sets([recording], Settings(), lean, events)
    return found


def worst_error_deg(found: SetAnalysis, truth: Truth) -> float:
    assert len(found.reps) == len(truth.reps)
    pairs = zip(found.reps, truth.reps, strict=True)
    return max(abs(measured.rom_deg - true.rom_deg) for measured, true in pairs)


@pytest.mark.parametrize("side", SIDES)
def test_a_lift_proves_the_direction_and_is_no_repetition(side):
    found = analysed(*lifted(side))
    assert (found.quality.direction, found.quality.grade) == ("proven", "good")
    assert worst_error_deg(found, lifted(side)[1]) < 0.5


@pytest.mark.parametrize("side", SIDES)
def test_with_a_lift_the_other_leg_is_told(side):
    recording, truth = lifted(side)
    found = analysed(other_side(recording), truth)
    assert found.quality.direction == "doubtful"
    assert (found.quality.grade, found.quality.codes[0]) == ("poor", "side_doubtful")


@pytest.mark.parametrize("side", SIDES)
def test_without_a_lift_the_direction_is_assumed(side):
    quality = analyse_set(plain(side)[0], Settings()).quality
    assert (quality.direction, quality.codes) == ("assumed", ())


def test_a_marker_without_a_lift_proves_nothing():
    recording, _ = plain("left")
    found = analyse_set(recording, Settings(), None, (Event("left", 2.5, "lift"),))
    assert (found.quality.direction, found.quality.codes) == ("assumed", ("lift_unseen",))
    assert len(found.reps) == 5


@pytest.mark.parametrize("into_the_turn_s", [0.6, 1.4, 2.3])
def test_a_recording_begun_in_mid_turn_is_never_good_and_upside_down(into_the_turn_s):
    recording, truth = plain("left")
    late = begun_late(recording, truth.reps[0].start_s + into_the_turn_s)
    found = analyse_set(late, Settings())
    right = len(found.reps) == 4 and worst_error_deg(found, replace_reps(truth)) < 1.0
    assert right or (found.quality.direction, found.quality.grade) == ("doubtful", "poor")
    assert found.quality.grade != "good"


def replace_reps(truth: Truth) -> Truth:
    return replace(truth, reps=truth.reps[1:])


@pytest.mark.parametrize("side", SIDES)
def test_exchanged_sensors_are_said(side):
    quality = analyse_set(exchanged(plain(side)[0]), Settings()).quality
    assert (quality.grade, quality.codes[0]) == ("poor", "sensors_swapped")


@pytest.mark.parametrize(
    ("segment", "turn_deg"),
    [
        ("thigh", (15.0, 0.0, 0.0)),
        ("thigh", (0.0, -9.0, 4.0)),
        ("thigh", (0.0, 0.0, 180.0)),
        ("pelvis", (0.0, 8.0, 0.0)),
        ("pelvis", (5.0, 5.0, 20.0)),
    ],
)
def test_a_sensor_that_moves_in_a_rest_is_said_and_taken_out(segment, turn_deg):
    recording, truth = plain("right")
    rest_s = truth.reps[1].end_s + 0.3
    turn_rad = np.deg2rad(turn_deg)
    found = analyse_set(slipped(recording, segment, rest_s, turn_rad), Settings())
    assert found.quality.grade == "fair"
    assert found.quality.codes[0] == f"{segment}_moved"
    size_deg = np.linalg.norm(turn_deg)
    said = next(reason for reason in found.quality.reasons if "moved on the body" in reason)
    assert float(said.split("by ")[1].split("°")[0]) == pytest.approx(size_deg, abs=2.0)
    assert worst_error_deg(found, truth) < 0.6
    for measured, true in zip(found.reps, truth.reps, strict=True):
        assert measured.pelvis_drift_deg == pytest.approx(true.pelvis_drift_deg, abs=0.6)


def test_a_slip_within_a_repetition_takes_that_one_out():
    recording, truth = plain("right")
    turning_s = 0.5 * (truth.reps[2].start_s + truth.reps[2].hold_start_s)
    found = analyse_set(
        slipped(recording, "thigh", turning_s, np.deg2rad([12.0, 9.0, 0.0])), Settings()
    )
    assert found.quality.codes[0] == "thigh_moved"
    right = {
        round(measured.rom_deg - true.rom_deg)
        for measured in found.reps
        for true in truth.reps
        if measured.verdict != "not_counted"
        and abs(measured.hold_start_s - true.hold_start_s) < 0.5
    }
    assert right == {0}


@pytest.mark.parametrize("side", SIDES)
def test_a_steady_set_with_wandering_rests_has_no_slip(side):
    drill = replace(DRILL, lifts=0, return_error_deg=2.0, sway_deg=1.2, neutral_drift_deg=3.0)
    recording, _ = simulate_set(drill, SENSORS, side, 8)
    assert not {"thigh_moved", "pelvis_moved"} & set(
        analyse_set(recording, Settings()).quality.codes
    )


def turned_pelvis(recording: Recording) -> Recording:
    """The pelvis sensor worn with its back to the front: turned by 180° about its x."""
    stream = recording.streams["pelvis"]
    half = np.array([1.0, -1.0, -1.0])
    changed = replace(stream, acc_ms2=stream.acc_ms2 * half, gyr_rads=stream.gyr_rads * half)
    return with_stream(recording, changed)


def lean(side: str) -> Recording:
    return simulate_lean(DRILL, SENSORS, side, 4)


@pytest.mark.parametrize("side", SIDES)
def test_a_pelvis_sensor_that_faces_forward_is_seen_by_the_lean_and_used(side):
    recording, truth = simulate_set(DRILL, SENSORS, side, seed_of(side), side, 4)
    found = analysed(turned_pelvis(recording), truth, turned_pelvis(lean(side)))
    assert found.quality.codes == ("pelvis_backward",)
    assert (found.quality.grade, found.quality.pelvis_axes) == ("good", "lean")
    assert worst_error_deg(found, truth) < 0.6
    for measured, true in zip(found.reps, truth.reps, strict=True):
        assert measured.pelvis_rotation_deg == pytest.approx(true.pelvis_rotation_deg, abs=0.5)


@pytest.mark.parametrize("side", SIDES)
def test_accelerometers_of_the_other_sign_are_seen_by_lean_and_lift(side):
    recording, truth = simulate_set(DRILL, SENSORS, side, seed_of(side), side, 4)
    found = analysed(acc_negated(recording), truth, acc_negated(lean(side)))
    assert (found.quality.grade, found.quality.codes[0]) == ("poor", "acc_sign")


def seed_of(side: str) -> int:
    """The seed with which a session simulates a set, so that its lean has the same mountings."""
    return int(np.random.SeedSequence([4, *side.encode()]).generate_state(1)[0])


def test_nothing_is_concluded_from_a_mislabelled_set():
    recordings = (exchanged(plain("left")[0]), plain("right")[0])
    analysis = analyse(Session("visit", SessionInfo(), recordings), Settings())
    assert {one.verdict for one in analysis.comparisons} == {"inconclusive"}
    said = {(one.side, one.code) for one in analysis.findings if one.side == "left"}
    assert said == {("left", "data_poor")}


@pytest.mark.parametrize("segment", ["pelvis", "thigh"])
def test_a_strap_that_slides_slowly_is_said(segment):
    recording, _ = plain("right")
    turn_rad = np.deg2rad([7.0, 7.0, 4.0])
    spoilt = slipped(recording, segment, 3.0, turn_rad, lasts_s=30.0)
    quality = analyse_set(spoilt, Settings()).quality
    assert (quality.grade, quality.codes[0]) == ("fair", f"{segment}_moved")


@cache
def swaying(side: str) -> tuple[Recording, Truth]:
    """A person whose pelvis takes the thigh along."""
    drill = replace(DRILL, lifts=0, sway_deg=0.6, pelvis_obliquity_deg=4.0, pelvis_tilt_deg=3.0)
    return simulate_set(drill, SENSORS, side, 4)


@pytest.mark.parametrize("lag_s", [-0.7, 1.0])
def test_sensors_out_of_step_are_never_good(lag_s):
    recording, _ = swaying("left")
    thigh = recording.streams["thigh"]
    late = with_stream(recording, replace(thigh, time_s=thigh.time_s + lag_s))
    quality = analyse_set(late, Settings()).quality
    assert quality.grade == "poor"
    assert "out_of_step" in quality.codes


def test_a_clock_that_jumps_in_mid_set_is_seen():
    recording, truth = swaying("left")
    thigh = recording.streams["thigh"]
    later = thigh.time_s - thigh.time_s[0] > truth.reps[2].end_s + 0.4
    jumped = with_stream(recording, replace(thigh, time_s=thigh.time_s + 1.2 * later))
    quality = analyse_set(jumped, Settings()).quality
    assert quality.grade == "poor"
    assert "out_of_step" in quality.codes
