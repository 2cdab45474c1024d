from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from analysis.motion.calibration import (
    Sensor,
    axis_to_level,
    first_axis,
    heading_between,
    pelvis_axes,
    thigh_axes,
    thigh_axis,
)
from analysis.motion.grid import GRID_HZ
from analysis.motion.quaternions import rotate
from tests.analysis.motions import (
    FLAT,
    UP,
    course,
    drill,
    even_stream,
    lasting,
    rotations,
    seated,
)

SIDES = st.sampled_from(["left", "right"])
SIGN = {"left": -1.0, "right": 1.0}
NEUTRAL = int(3 * GRID_HZ)


def found_axis(sacrum, thigh, moving, inward):
    """The axis found from the movement, its first large turn inward."""
    guess = first_axis(thigh, moving) * inward
    return thigh_axis(sacrum, thigh, pelvis_axes(sacrum), moving, guess)


def sensor(to_world: Rotation) -> Sensor:
    """A sensor whose orientation is known, at rest for the first three seconds."""
    quat = to_world.as_quat(scalar_first=True)
    return Sensor(quat, even_stream(to_world).turn_rad, quat[0])


def matrix(quat: np.ndarray) -> np.ndarray:
    return Rotation.from_quat(quat, scalar_first=True).as_matrix()


def whole(side: str, moves=None, **others: object) -> tuple[Rotation, Rotation]:
    moves = moves or drill(3, 32.0)
    return seated(side, course(lasting(moves), moves), **others)  # type: ignore[arg-type]


@given(st.floats(0, 360), st.floats(-40, 40))
def test_pelvis_axes_are_level_and_forward_however_the_sensor_turns_on_the_sacrum(turn, slope):
    pelvis, _ = seated("right", np.zeros(5))
    about_z = Rotation.from_euler("z", turn, degrees=True)
    sloping = Rotation.from_euler("z", slope, degrees=True)  # the sacrum's own slope
    worn = sensor(pelvis * sloping * FLAT * about_z)
    axes = pelvis_axes(worn)
    np.testing.assert_allclose(matrix(axes.to_level), pelvis[0].as_matrix(), atol=1e-9)
    np.testing.assert_allclose(axes.motion(worn), [[1, 0, 0, 0]] * 5, atol=1e-9)


@given(rotations)
def test_thigh_axes_point_to_the_hip_and_up_in_any_mounting(mounted):
    _, femur = seated("left", np.zeros(5), level_flexion_deg=75.0)
    worn = sensor(femur * mounted)
    axes = thigh_axes(worn, mounted.inv().apply([0.0, 1.0, 0.0]))
    np.testing.assert_allclose(matrix(axes.to_level), femur[0].as_matrix(), atol=1e-9)


@given(rotations, SIDES)
def test_the_axis_of_the_femur_is_found_in_any_mounting(mounted, side):
    pelvis, femur = whole(side)
    thigh, sacrum = sensor(femur * mounted), sensor(pelvis * FLAT)
    moving = slice(NEUTRAL, len(femur))
    axis, explained = found_axis(sacrum, thigh, moving, SIGN[side])
    to_hip = mounted.inv().apply([0.0, 1.0, 0.0])
    assert axis @ to_hip == pytest.approx(1.0, abs=1e-9)
    assert explained == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("facing_deg", [0.0, 130.0])
def test_a_hiking_pelvis_does_not_tilt_the_axis(side, facing_deg):
    """The pelvis turns 8 degrees in each plane along with the turn, and the thigh with it."""
    moves = drill(4, 32.0)
    turn = course(lasting(moves), moves)
    pelvis, femur = whole(side, moves, pelvis_deg=(turn / 4, -turn / 4, turn / 4))
    apart = Rotation.from_euler("z", facing_deg, degrees=True)  # headings are not shared
    thigh, sacrum = sensor(apart * femur), sensor(pelvis * FLAT)
    frame = pelvis_axes(sacrum)
    axis, _ = found_axis(sacrum, thigh, slice(NEUTRAL, len(femur)), SIGN[side])
    off_deg = np.rad2deg(np.arccos(np.clip(axis @ [0.0, 1.0, 0.0], -1, 1)))
    assert off_deg < 0.3  # the thigh alone would give 8 degrees and more
    heading = heading_between(frame, thigh, axis)
    assert np.cos(heading - np.deg2rad(facing_deg)) == pytest.approx(1.0, abs=1e-4)


def test_the_thigh_alone_would_not_do():
    """What the test above guards against is real."""
    moves = drill(4, 32.0)
    turn = course(lasting(moves), moves)
    pelvis, femur = whole("right", moves, pelvis_deg=(turn / 4, -turn / 4, turn / 4))
    still = Rotation.concatenate([pelvis[0]] * len(pelvis))
    thigh, sacrum = sensor(femur), sensor(still * FLAT)
    axis, _ = found_axis(sacrum, thigh, slice(NEUTRAL, len(femur)), 1.0)
    assert np.rad2deg(np.arccos(axis @ [0.0, 1.0, 0.0])) > 5.0


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_first_large_turn_is_inward_even_if_outward_ones_are_larger(side):
    moves = [(3.0, 0.0), (2.0, 25.0), (2.0, 0.0), (2.0, -30.0), (2.0, 0.0), (2.0, 0.0)]
    pelvis, femur = whole(side, moves)
    thigh, sacrum = sensor(femur), sensor(pelvis * FLAT)
    axis, _ = found_axis(sacrum, thigh, slice(NEUTRAL, len(femur)), SIGN[side])
    assert axis[1] > 0.99


@given(st.floats(-40, 40))
def test_the_axis_to_level_is_the_thighs_slope(slope_deg):
    _, femur = seated("right", np.zeros(3), level_flexion_deg=90.0 + slope_deg)
    found = axis_to_level(sensor(femur), np.array([0.0, 1.0, 0.0]))
    assert np.rad2deg(found) == pytest.approx(abs(slope_deg), abs=1e-6)


def test_segment_axes_undo_themselves():
    pelvis, _ = seated("right", np.zeros(3))
    worn = sensor(pelvis * FLAT)
    axes = pelvis_axes(worn)
    up_in_sensor = rotate(axes.to_sensor, np.array([0.0, 1.0, 0.0]))
    np.testing.assert_allclose(rotate(worn.neutral, up_in_sensor), UP, atol=1e-12)
