from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from scipy.spatial.transform import Rotation

from analysis.motion.axis import Known, StraightAxis, straighten_axis
from analysis.motion.calibration import Sensor, first_axis, pelvis_axes, thigh_axis
from analysis.motion.grid import GRID_HZ
from tests.analysis.motions import (
    FLAT,
    course,
    drill,
    even_stream,
    lasting,
    rotations,
    seated,
)

REPS = 8
SIGN = {"left": -1.0, "right": 1.0}


def sensor(to_world: Rotation) -> Sensor:
    quat = to_world.as_quat(scalar_first=True)
    return Sensor(quat, even_stream(to_world).turn_rad, quat[0])


UNKNOWN = Known(np.deg2rad(2.2))


def straightened(
    side: str,
    range_deg: float,
    in_step_deg: tuple[float, float],
    mounted: Rotation,
    level_flexion_deg: float = 90.0,
    placed_deg: float = 0.0,
    known: Known = UNKNOWN,
) -> tuple[np.ndarray, StraightAxis]:
    """Principal axis and the straightened one of a drill in which the hip moves in step.

    Flexion and adduction go along with the turn, as when a leg swings inward as a whole. The
    pelvis sensor sits round the pelvis by some degrees, to the left.
    """
    moves = drill(REPS, range_deg)
    turn = course(lasting(moves), moves)
    off_axis = tuple(turn / range_deg * amount for amount in in_step_deg)
    pelvis, femur = seated(side, turn, off_axis_deg=off_axis, level_flexion_deg=level_flexion_deg)
    placed = Rotation.from_euler("y", placed_deg, degrees=True)
    sacrum, thigh = sensor(pelvis * placed * FLAT), sensor(femur * mounted)
    frame = pelvis_axes(sacrum)
    moving = slice(int(3 * GRID_HZ), len(turn))
    guess = first_axis(thigh, moving) * SIGN[side]
    principal, _ = thigh_axis(sacrum, thigh, frame, moving, guess)
    begins = [int((3.0 + 6.0 * k) * GRID_HZ) for k in range(REPS)]
    spans = [(begin, begin + int(5.0 * GRID_HZ)) for begin in begins]
    return principal, straighten_axis((sacrum, frame), thigh, principal, spans, known)


def off_deg(axis: np.ndarray, mounted: Rotation) -> float:
    to_hip = mounted.inv().apply([0.0, 1.0, 0.0])
    return float(np.rad2deg(np.arccos(np.clip(axis @ to_hip, -1, 1))))


def tilts_deg(
    side: str,
    range_deg: float,
    in_step_deg: tuple[float, float],
    mounted: Rotation,
    level_flexion_deg: float = 90.0,
) -> tuple[float, float, float]:
    """Error of the principal axis and of the straightened one, and its stated deviation [deg]."""
    principal, straight = straightened(side, range_deg, in_step_deg, mounted, level_flexion_deg)
    stated = float(np.rad2deg(straight.sd_rad))
    return off_deg(principal, mounted), off_deg(straight.axis, mounted), stated


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("in_step_deg", [(6.0, 0.0), (0.0, 8.0), (-6.0, 5.0)])
def test_movement_in_step_with_a_large_turn_is_told_from_a_tilted_axis(side, in_step_deg):
    mounted = Rotation.from_euler("xyz", [40, 20, -60], degrees=True)
    principal, straight, _ = tilts_deg(side, 40.0, in_step_deg, mounted)
    assert principal > 7.0  # the size of the problem: 6 of 40 degrees tilt the axis by 8.5
    assert straight < 0.35 * principal


@given(rotations)
def test_a_pure_turn_leaves_the_axis_where_it_is(mounted):
    _, straight, _ = tilts_deg("right", 32.0, (0.0, 0.0), mounted)
    assert straight < 0.05


@given(rotations)
def test_the_mounting_does_not_matter(mounted):
    _, here, _ = tilts_deg("right", 32.0, (4.0, 3.0), mounted)
    _, there, _ = tilts_deg("right", 32.0, (4.0, 3.0), Rotation.identity())
    assert here == pytest.approx(there, abs=0.02)


def test_left_and_right_mirror_each_other():
    mounted = Rotation.identity()
    left, right = (tilts_deg(side, 32.0, (4.0, 3.0), mounted)[1] for side in ("left", "right"))
    assert left == pytest.approx(right, abs=1e-3)


def test_a_small_range_says_less_of_the_axis():
    mounted = Rotation.identity()
    sds = [tilts_deg("right", size, (0.0, 0.0), mounted)[2] for size in (60.0, 32.0, 10.0)]
    assert sds == sorted(sds)
    assert sds[0] < 0.5 * sds[-1]


def test_the_stated_deviation_holds_the_error():
    """Per plane; the error is of both planes, so three of them are rarely passed."""
    mounted = Rotation.identity()
    for range_deg in (10.0, 32.0, 60.0):
        _, straight, sd = tilts_deg("right", range_deg, (3.0, -2.0), mounted)
        assert straight < 3 * sd


def test_a_thigh_that_slopes_is_not_pulled_level():
    mounted = Rotation.identity()
    _, straight, _ = tilts_deg("right", 32.0, (2.0, 2.0), mounted, level_flexion_deg=75.0)
    assert straight < 2.5


def test_a_lift_tells_the_axis_where_a_small_turn_does_not():
    """Flexion of 5 in 10 degrees tilts the axis by 27 degrees; the bow is lost among priors."""
    mounted = Rotation.from_euler("xyz", [10, 20, 30], degrees=True)
    to_knee = mounted.inv().apply([0.0, -1.0, 0.0])
    lift = Known(np.deg2rad(2.2), hip_to_knee=to_knee, hip_to_knee_sd_rad=np.deg2rad(2.0))
    _, without = straightened("right", 8.0, (5.0, 0.0), mounted)
    _, lifted = straightened("right", 8.0, (5.0, 0.0), mounted, known=lift)
    assert off_deg(lifted.axis, mounted) < 0.5 * off_deg(without.axis, mounted)
    assert lifted.share_sd < 0.7 * without.share_sd


@pytest.mark.parametrize("placed_deg", [-6.0, 4.0, 40.0])
def test_a_pelvis_sensor_round_from_its_place_is_found_where_both_headings_are_known(placed_deg):
    known = Known(np.deg2rad(2.2), heading_rad=0.0, heading_sd_rad=np.deg2rad(0.5))
    mounted = Rotation.from_euler("xyz", [10, 20, 30], degrees=True)
    _, straight = straightened("right", 40.0, (3.0, 2.0), mounted, 90.0, placed_deg, known)
    found_deg = float(np.rad2deg(straight.placement_rad))
    stated_deg = float(np.rad2deg(straight.placement_sd_rad))
    assert found_deg == pytest.approx(-placed_deg, abs=max(3.0 * stated_deg, 0.5))
    assert stated_deg < 1.5


def test_without_headings_nothing_is_said_of_the_placement():
    _, straight = straightened("right", 40.0, (3.0, 2.0), Rotation.identity(), 90.0, 4.0)
    assert abs(np.rad2deg(straight.placement_rad)) < 0.5
    assert 1.5 < np.rad2deg(straight.placement_sd_rad) < 2.5


@pytest.mark.parametrize("range_deg", [8.0, 12.0, 32.0])
def test_the_mean_range_lies_below_that_about_an_axis_that_is_open(range_deg):
    _, straight = straightened("right", range_deg, (0.0, 0.0), Rotation.identity())
    assert 0.9 < straight.share <= 1.0
    assert 1.0 - straight.share < 2.0 * straight.share_sd + 1e-6


def test_crooked_movement_widens_the_axis():
    """Where the thigh lags behind the turn, what is left is crooked, and no bow is trusted."""
    mounted = Rotation.identity()
    moves = drill(REPS, 32.0)
    turn = course(lasting(moves), moves)
    bent = (turn / 32.0) ** 3 * 4.0
    pelvis, femur = seated("right", turn, off_axis_deg=(bent, bent))
    sacrum, thigh = sensor(pelvis * FLAT), sensor(femur * mounted)
    frame = pelvis_axes(sacrum)
    moving = slice(int(3 * GRID_HZ), len(turn))
    principal, _ = thigh_axis(sacrum, thigh, frame, moving, first_axis(thigh, moving))
    begins = [int((3.0 + 6.0 * k) * GRID_HZ) for k in range(REPS)]
    spans = [(begin, begin + int(5.0 * GRID_HZ)) for begin in begins]
    crooked = straighten_axis((sacrum, frame), thigh, principal, spans, UNKNOWN)
    _, straight = straightened("right", 32.0, (4.0, 4.0), mounted)
    assert crooked.sd_rad > 3.0 * straight.sd_rad
    assert off_deg(crooked.axis, mounted) < 3.0 * np.rad2deg(crooked.sd_rad)
