"""Poses are built by hand in `motions.seated`, turn for turn, and checked there in words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from analysis.motion.angles import HipAngles, hip_angles, joint_angles, scaled_rotation
from analysis.motion.calibration import Sensor, pelvis_axes, thigh_axes
from analysis.motion.quaternions import conjugate, multiply
from tests.analysis.motions import FLAT, even_set, even_stream, ramp, rotations, seated

SIDES = ("left", "right")
DONE = ramp(np.linspace(0, 1, 200))  # at neutral first, at the end range last
ROUNDING_DEG = 1e-6


def sensor(to_world: Rotation) -> Sensor:
    quat = to_world.as_quat(scalar_first=True)
    return Sensor(quat, even_stream(to_world).turn_rad, quat[0])


def angles(
    side: str, pelvis: Rotation, femur: Rotation, mounted: Rotation | None = None
) -> HipAngles:
    """Angles as the product has them, its axes calibrated at the first instant."""
    mounted = mounted or Rotation.identity()
    sacrum, thigh = sensor(pelvis * FLAT), sensor(femur * mounted)
    to_hip = mounted.inv().apply([0.0, 1.0, 0.0])
    return hip_angles(
        even_set(pelvis, femur),
        (sacrum, pelvis_axes(sacrum)),
        (thigh, thigh_axes(thigh, to_hip)),
        side,
    )


@pytest.mark.parametrize("side", SIDES)
def test_words_first_an_inward_turn_swings_the_foot_outward(side):
    """Seated, knee bent: the femur turns inward when the foot goes to the outside."""
    _, femur = seated(side, 30.0 * DONE)
    foot = femur.apply([0.0, 0.0, 0.0]) + femur.apply([-0.4, -0.42, 0.0])  # shank hangs along -X
    outside = {"right": -1.0, "left": 1.0}[side]  # world y points to the left
    assert outside * (foot[-1, 1] - foot[0, 1]) > 0.15
    pelvis, femur = seated(side, 30.0 * DONE)
    np.testing.assert_allclose(angles(side, pelvis, femur).ir_deg, 30.0 * DONE, atol=ROUNDING_DEG)


@pytest.mark.parametrize("side", SIDES)
def test_words_first_the_pelvis(side):
    """Anterior tilt brings the top forward; obliquity lifts the working hip; rotation brings it
    forward."""
    hip = np.array([0.0, 0.0, {"right": 0.1, "left": -0.1}[side]])
    names = ("pelvis_tilt_deg", "pelvis_obliquity_deg", "pelvis_rotation_deg")
    moved = []
    for plane, name in enumerate(names):
        amounts = [0.0, 0.0, 0.0]
        amounts[plane] = 8.0
        pelvis, femur = seated(side, 0.0 * DONE, pelvis_deg=[a * DONE for a in amounts])
        found = angles(side, pelvis, femur)
        for other in names:
            expected = 8.0 * DONE if other == name else 0.0 * DONE
            np.testing.assert_allclose(getattr(found, other), expected, atol=ROUNDING_DEG)
        top, at = pelvis.apply([0.0, 0.2, 0.0]), pelvis.apply(hip)
        moved.append((top[-1] - top[0], at[-1] - at[0]))
    assert moved[0][0][0] > 0.02  # top forward (x)
    assert moved[1][1][2] > 0.01  # working hip up (z)
    assert moved[2][1][0] > 0.01  # working hip forward (x)


@pytest.mark.parametrize("side", SIDES)
def test_words_first_flexion_lifts_the_knee_and_adduction_brings_it_inward(side):
    knee = np.array([0.0, -0.42, 0.0])
    for off_axis, axis, inward in (((10.0, 0.0), 2, 1.0), ((0.0, 10.0), 1, None)):
        pelvis, femur = seated(side, 0.0 * DONE, off_axis_deg=[a * DONE for a in off_axis])
        found = angles(side, pelvis, femur)
        np.testing.assert_allclose(found.flexion_deg, off_axis[0] * DONE, atol=ROUNDING_DEG)
        np.testing.assert_allclose(found.adduction_deg, off_axis[1] * DONE, atol=ROUNDING_DEG)
        at = femur.apply(knee)
        towards = inward or {"right": 1.0, "left": -1.0}[side]  # to the middle, along world y
        assert towards * (at[-1, axis] - at[0, axis]) > 0.05


@given(
    st.sampled_from(SIDES),
    rotations,
    st.tuples(*[st.floats(-12, 12)] * 5),
    st.floats(5, 60),
    st.floats(-20, 20),
)
def test_all_at_once_in_any_mounting_and_on_any_bench(side, mounted, amounts, ir, slope):
    """Every angle is told apart from the others, the thigh level or not."""
    pelvis, femur = seated(
        side,
        ir * DONE,
        pelvis_deg=[a * DONE for a in amounts[:3]],
        off_axis_deg=[a * DONE for a in amounts[3:]],
        level_flexion_deg=90.0 + slope,
    )
    found = angles(side, pelvis, femur, mounted)
    courses = {
        "ir_deg": ir,
        "pelvis_tilt_deg": amounts[0],
        "pelvis_obliquity_deg": amounts[1],
        "pelvis_rotation_deg": amounts[2],
        "flexion_deg": amounts[3],
        "adduction_deg": amounts[4],
    }
    for name, amount in courses.items():
        np.testing.assert_allclose(getattr(found, name), amount * DONE, atol=1e-5, err_msg=name)


@given(st.sampled_from(SIDES), st.floats(-np.pi, np.pi))
def test_where_the_person_faces_does_not_matter(side, facing):
    pelvis, femur = seated(side, 30 * DONE, pelvis_deg=(5 * DONE, -4 * DONE, 3 * DONE))
    turn = Rotation.from_euler("z", facing)
    here, there = angles(side, pelvis, femur), angles(side, turn * pelvis, turn * femur)
    for name in ("ir_deg", "pelvis_tilt_deg", "pelvis_obliquity_deg", "pelvis_rotation_deg"):
        np.testing.assert_allclose(getattr(here, name), getattr(there, name), atol=ROUNDING_DEG)


def test_a_sloping_sacrum_still_gives_level_pelvis_angles():
    pelvis, femur = seated("right", 0 * DONE, pelvis_deg=(8 * DONE, 0 * DONE, 0 * DONE))
    sloping = Rotation.from_euler("z", -20.0, degrees=True)
    sacrum, thigh = sensor(pelvis * sloping * FLAT), sensor(femur)
    found = hip_angles(
        even_set(pelvis, femur),
        (sacrum, pelvis_axes(sacrum)),
        (thigh, thigh_axes(thigh, np.array([0.0, 1.0, 0.0]))),
        "right",
    )
    np.testing.assert_allclose(found.pelvis_tilt_deg, 8 * DONE, atol=ROUNDING_DEG)
    np.testing.assert_allclose(found.pelvis_obliquity_deg, 0, atol=ROUNDING_DEG)


@given(st.floats(-170, 170), st.floats(-80, 80), st.floats(-170, 170))
def test_joint_angles_are_scipys_in_the_isb_sequence(z, x, y):
    relative = Rotation.from_euler("ZXY", [[z, x, y]], degrees=True)
    found = joint_angles(relative.as_quat(scalar_first=True))
    expected = relative.as_euler("ZXY")[0]
    np.testing.assert_allclose([float(a[0]) for a in found], expected, atol=1e-9)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("share", [1.0, 0.9])
def test_the_orientations_kept_give_the_angles_again(side, share):
    pelvis, femur = seated(side, 30.0 * DONE, [4.0 * DONE] * 3, [6.0 * DONE, 8.0 * DONE])
    found = scaled_rotation(angles(side, pelvis, femur), share, side)
    relative = multiply(conjugate(found.pelvis_quat), found.femur_quat)
    flexion, adduction, rotation = np.rad2deg(joint_angles(relative))
    inward = {"right": 1.0, "left": -1.0}[side]
    np.testing.assert_allclose(rotation * inward, found.ir_deg, atol=ROUNDING_DEG)
    np.testing.assert_allclose(adduction * inward, found.adduction_deg, atol=ROUNDING_DEG)
    np.testing.assert_allclose(flexion - flexion[0], found.flexion_deg, atol=ROUNDING_DEG)
    assert found.ir_deg[-1] == pytest.approx(30.0 * share)
