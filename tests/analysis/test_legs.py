"""Thigh and shank sensor together: range, skin share and knee against the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from analysis.comparison import compare
from analysis.sets import SetAnalysis, analyse_set, analyse_sets
from analysis.settings import Settings
from analysis.summary import summarise
from imu.recording import Event, Recording
from imu.simulator import DrillSettings, SensorSettings, simulate_set
from imu.simulator.simulated_set import Truth

SENSORS = SensorSettings(
    shank=True, rate_hz=60, gyr_noise_deg_s_rthz=0.015, gyr_bias_deg_s=0.8, acc_noise_mg=10
)
SKIN = DrillSettings(
    reps=6, mixed_signs=True, thigh_skin_share=0.65, skin_lag_s=0.1, skin_play_deg=0.3,
    knee_flexion_deg=82.0,
)  # fmt: skip


@cache
def simulated(side: str, seed: int, **more: float) -> tuple[Recording, Truth]:
    return simulate_set(replace(SKIN, **more), SENSORS, side, seed)


def only(recording: Recording, *segments: str) -> Recording:
    return replace(recording, streams={name: recording.streams[name] for name in segments})


def error(found: SetAnalysis, truth: Truth, column: str, true: str = "") -> float:
    assert len(found.reps) == len(truth.reps)
    pairs = zip(found.reps, truth.reps, strict=True)
    return float(np.mean([getattr(f, column) - getattr(t, true or column) for f, t in pairs]))


@pytest.mark.parametrize(("side", "seed"), [("left", 1), ("right", 2)])
def test_with_three_sensors_the_range_is_the_shanks_and_the_skin_is_told(side, seed):
    recording, truth = simulated(side, seed)
    found = analyse_set(recording, Settings())
    assert {rep.rom_source for rep in found.reps} == {"shank"}
    assert abs(error(found, truth, "rom_deg")) < 0.5
    assert abs(error(found, truth, "rom_thigh_deg")) < 0.6
    skin = found.quality.skin_share
    assert skin is not None
    assert skin.share == pytest.approx(0.65, abs=0.05)
    assert skin.low < 0.65 < skin.high
    assert "skin" in found.quality.codes
    assert found.quality.grade == "good"


@pytest.mark.parametrize(("side", "seed"), [("left", 3), ("right", 4)])
def test_a_knee_that_moves_along_is_told_apart_from_the_hip(side, seed):
    recording, truth = simulated(side, seed, knee_bends_deg=-13.0, knee_twists_deg=-9.5)
    found = analyse_set(recording, Settings())
    assert abs(error(found, truth, "knee_flexion_deg")) < 1.0
    assert abs(error(found, truth, "knee_rotation_deg")) < 1.5
    assert {"knee_turns", "knee_straightens"} <= set(found.quality.codes)
    assert all("knee_straightens" in rep.flags for rep in found.reps)


@pytest.mark.parametrize("side", ["left", "right"])
def test_pelvis_and_shank_alone_are_a_full_set(side):
    recording, truth = simulated(side, 5)
    found = analyse_set(only(recording, "pelvis", "shank"), Settings())
    assert abs(error(found, truth, "rom_deg")) < 0.5
    assert abs(error(found, truth, "pelvis_drift_deg")) < 0.5
    for rep in found.reps:
        assert rep.hip_flexion_deg is None
        assert rep.knee_flexion_deg is None
        assert rep.rom_thigh_deg is None
        assert rep.rom_shank_deg == rep.rom_deg
        assert rep.verdict == "clean"


def test_pelvis_and_thigh_alone_stay_what_they_are():
    recording, truth = simulated("left", 6)
    found = analyse_set(only(recording, "pelvis", "thigh"), Settings())
    assert abs(error(found, truth, "rom_deg", "rom_thigh_deg")) < 0.6
    assert all(rep.rom_thigh_deg == rep.rom_deg for rep in found.reps)
    assert found.quality.skin_share is None


def test_a_lift_proves_the_direction_with_three_sensors():
    recording, truth = simulated("right", 7, lifts=1)
    lift = Event("right", (truth.plan.lift_s or 0.0) - truth.first_s, "lift")
    found = analyse_set(recording, Settings(), None, (lift,))
    assert found.quality.direction == "proven"
    assert len(found.reps) == len(truth.reps)
    alone = analyse_set(only(recording, "pelvis", "shank"), Settings(), None, (lift,))
    assert alone.quality.direction == "assumed"
    assert len(alone.reps) == len(truth.reps)


def test_an_unfit_shank_leaves_the_thighs_figures():
    recording, _ = simulated("left", 8)
    shank = recording.streams["shank"]
    wrong = replace(shank, acc_ms2=shank.acc_ms2 / 9.80665)  # in g
    found = analyse_set(
        replace(recording, streams={**recording.streams, "shank": wrong}), Settings()
    )
    assert "shank_unfit" in found.quality.codes
    assert {rep.rom_source for rep in found.reps} == {"thigh"}
    alone = analyse_set(only(recording, "pelvis", "thigh"), Settings())
    assert [rep.rom_deg for rep in found.reps] == [rep.rom_deg for rep in alone.reps]


def sides(*segments: str) -> Sequence[SetAnalysis]:
    """Equal hips below unequal skin."""
    sets = [
        simulated("left", 9, thigh_skin_share=0.6, range_deg=36.0, variation=0.03)[0],
        simulated("right", 10, thigh_skin_share=0.9, range_deg=36.0, variation=0.03)[0],
    ]
    return analyse_sets([only(one, *segments) for one in sets], Settings(), None)


def test_unequal_skin_over_equal_hips_is_seen_through_with_three_sensors():
    three = sides("pelvis", "thigh", "shank")
    comparisons = compare(three, Settings())
    assert comparisons[0].measure == "rom_deg"
    assert comparisons[0].verdict == "matched"
    assert "that is the skin's" in summarise(three, comparisons, [], None).tissue


def test_with_thigh_sensors_alone_the_skin_is_named_beside_the_verdict():
    two = sides("pelvis", "thigh")
    comparisons = compare(two, Settings())
    assert comparisons[0].verdict == "different"
    assert "skin may hide" in summarise(two, comparisons, [], None).tissue


def test_ranges_by_unlike_sensors_are_not_compared():
    thigh, _ = sides("pelvis", "thigh")
    _, shank = sides("pelvis", "shank")
    found = compare([thigh, shank], Settings())
    assert all(one.verdict == "inconclusive" for one in found if one.group == "range")
    three = sides("pelvis", "thigh", "shank")
    mixed = {one.measure: one for one in compare([thigh, three[1]], Settings())}
    by_thigh = np.mean([rep.rom_thigh_deg for rep in three[1].reps])
    assert mixed["rom_deg"].right == pytest.approx(by_thigh)
    assert mixed["peak_ir_deg"].right == pytest.approx(by_thigh, abs=1.5)
    own = {one.measure: one for one in compare(three, Settings())}
    share = "peak_inward_share_percent_s"
    assert mixed[share].right == pytest.approx(own[share].right)


def test_an_earlier_sessions_skin_share_makes_up_for_the_skin():
    earlier = sides("pelvis", "thigh", "shank")
    shares = {one.side: one.quality.skin_share for one in earlier if one.quality.skin_share}
    later = [
        simulated("left", 21, thigh_skin_share=0.6, range_deg=36.0),
        simulated("right", 22, thigh_skin_share=0.9, range_deg=36.0),
    ]
    thighs = [only(one, "pelvis", "thigh") for one, _ in later]
    found = analyse_sets(thighs, Settings(), None, skin=shares)
    plain = analyse_sets(thighs, Settings(), None)
    for one, before, (_, truth) in zip(found, plain, later, strict=True):
        assert "skin_applied" in one.quality.codes
        assert abs(error(one, truth, "rom_deg")) < 1.5
        assert one.reps[0].rom_thigh_deg == before.reps[0].rom_deg
        assert (one.reps[0].rom_uncertainty_deg or 0) > (before.reps[0].rom_uncertainty_deg or 0)
    comparisons = compare(found, Settings())
    assert comparisons[0].verdict == "matched"
    assert "made up for the skin" in summarise(found, comparisons, [], None).tissue
