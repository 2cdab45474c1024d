"""The simulated movement obeys the contract's axes and signs, the readings physics."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from imu.simulator import DrillSettings, SensorSettings, simulate_set
from imu.simulator.drill import plan_set
from imu.simulator.motion import Motion
from imu.simulator.sensors import Mounting, ideal_readings, mount_pelvis
from imu.simulator.trajectory import CHANNELS, Step, Track, Wave, skin_slip
from imu.units import STANDARD_GRAVITY_MS2

SIDES = ("left", "right")
TEN_DEG_AT_1_S = [Step(0.0, 1.0, 10.0)]
ON_FEMUR = Mounting(Rotation.identity(), np.array([0.0, -0.2, 0.07]))
INSTANTS = np.array([0.0, 2.0])  # before and after the step


def moving(side: str, heading_rad: float = 0.0, **steps: list[Step]) -> Motion:
    tracks = {name: Track(steps=steps.get(name, [])) for name in CHANNELS}
    return Motion(side, heading_rad, 90.0, tracks)


def drilling(side: str, seed: int = 5, **settings: float) -> Motion:
    plan = plan_set(DrillSettings(reps=2, **settings), np.random.default_rng(seed))
    return Motion(side, 0.0, 90.0, plan.tracks)


def lateral(side: str) -> float:
    """World y away from the middle: the person faces world x."""
    return -1.0 if side == "right" else 1.0


@pytest.mark.parametrize("side", SIDES)
def test_internal_rotation_turns_the_thighs_top_toward_the_other_side(side):
    femur, _ = moving(side, ir=TEN_DEG_AT_1_S).poses(INSTANTS)["thigh"]
    top = femur.apply([1.0, 0.0, 0.0])  # seated, the femur's anterior axis points up
    np.testing.assert_allclose(top[0], [0, 0, 1], atol=1e-12)
    assert top[1, 1] * lateral(side) == pytest.approx(-np.sin(np.deg2rad(10)))


@pytest.mark.parametrize("side", SIDES)
def test_the_seated_thigh_points_forward_and_flexion_lifts_the_knee(side):
    femur, hip = moving(side, flexion=TEN_DEG_AT_1_S).poses(INSTANTS)["thigh"]
    to_knee = -femur.apply([0.0, 1.0, 0.0])
    np.testing.assert_allclose(to_knee[0], [1, 0, 0], atol=1e-12)
    assert to_knee[1, 2] == pytest.approx(np.sin(np.deg2rad(10)))
    assert hip[0, 1] * lateral(side) > 0


@pytest.mark.parametrize("side", SIDES)
def test_adduction_brings_the_knee_to_the_middle(side):
    femur, _ = moving(side, adduction=TEN_DEG_AT_1_S).poses(INSTANTS)["thigh"]
    to_knee = -femur.apply([0.0, 1.0, 0.0])
    assert to_knee[1, 1] * lateral(side) == pytest.approx(-np.sin(np.deg2rad(10)))


@pytest.mark.parametrize("side", SIDES)
def test_the_pelvis_signs_are_the_contracts(side):
    angle = np.sin(np.deg2rad(10))
    tilted, _ = moving(side, tilt=TEN_DEG_AT_1_S).poses(INSTANTS)["pelvis"]
    assert tilted.apply([0.0, 1.0, 0.0])[1, 0] == pytest.approx(angle)  # top goes forward
    hiked = moving(side, obliquity=TEN_DEG_AT_1_S).poses(INSTANTS)["thigh"][1]
    assert np.diff(hiked[:, 2])[0] == pytest.approx(0.085 * angle)  # working hip rises
    turned = moving(side, rotation=TEN_DEG_AT_1_S).poses(INSTANTS)["thigh"][1]
    assert np.diff(turned[:, 0])[0] == pytest.approx(0.085 * angle)  # working hip forward


def test_left_is_the_mirror_image_of_right():
    instants = np.arange(2.0, 9.0, 0.05)
    mirrored = replace_place(ON_FEMUR, ON_FEMUR.place_m * [1, 1, -1])
    for segment in ("pelvis", "thigh"):
        acc_left, gyr_left = ideal_readings(drilling("left"), segment, mirrored, instants)
        acc, gyr = ideal_readings(drilling("right"), segment, ON_FEMUR, instants)
        np.testing.assert_allclose(acc_left, acc * [1, 1, -1], atol=1e-6)
        np.testing.assert_allclose(gyr_left, gyr * [-1, -1, 1], atol=1e-9)


def replace_place(mounting: Mounting, place_m: np.ndarray) -> Mounting:
    return Mounting(mounting.rotation, place_m)


@pytest.mark.parametrize("segment", ["pelvis", "thigh", "shank"])
def test_a_sensor_at_rest_reads_gravity_upward_whatever_its_mounting(segment):
    mounting = Mounting(
        Rotation.from_quat(np.random.default_rng(1).standard_normal(4)), ON_FEMUR.place_m
    )
    motion = moving("left", heading_rad=2.0)
    acc, gyr = ideal_readings(motion, segment, mounting, np.array([1.0, 2.0]))
    orientation = motion.poses(np.array([1.0, 2.0]))[segment][0] * mounting.rotation
    upward = [[0, 0, STANDARD_GRAVITY_MS2]] * 2
    np.testing.assert_allclose(orientation.apply(acc), upward, atol=1e-6)
    np.testing.assert_allclose(gyr, 0, atol=1e-9)


def test_rolling_about_the_femur_gives_the_textbook_acceleration():
    """A sine about the fixed long axis: tangential r θ'', centripetal r θ'², gravity turned."""
    amplitude, frequency_hz = 25.0, 0.7
    motion = moving("right")
    motion.tracks["ir"].waves.append(Wave(amplitude, frequency_hz, 0.0))
    instants = np.arange(0, 3, 0.01)
    omega = 2 * np.pi * frequency_hz
    theta = np.deg2rad(amplitude) * np.sin(omega * instants)
    rate = np.deg2rad(amplitude) * omega * np.cos(omega * instants)
    acc, gyr = ideal_readings(motion, "thigh", ON_FEMUR, instants)
    radius = ON_FEMUR.place_m[2]
    expected = np.column_stack(
        [
            STANDARD_GRAVITY_MS2 * np.cos(theta) - omega**2 * theta * radius,
            0 * theta,
            STANDARD_GRAVITY_MS2 * np.sin(theta) - rate**2 * radius,
        ]
    )
    np.testing.assert_allclose(acc, expected, atol=1e-5)
    np.testing.assert_allclose(gyr, np.outer(rate, [0, 1, 0]), atol=1e-6)


@pytest.mark.parametrize("segment", ["pelvis", "thigh"])
def test_integrated_rates_give_back_the_orientation(segment):
    step_s = 0.002
    edges = np.arange(0, 12, step_s)
    motion = drilling("left", sway_deg=1.5, pelvis_obliquity_deg=6.0)
    mounting = Mounting(
        Rotation.from_quat(np.random.default_rng(2).standard_normal(4)), ON_FEMUR.place_m
    )
    _, gyr = ideal_readings(motion, segment, mounting, edges[:-1] + step_s / 2)
    turned = Rotation.identity()
    for turn in Rotation.from_rotvec(gyr * step_s):
        turned = turned * turn
    orientation = motion.poses(edges)[segment][0] * mounting.rotation
    error = (orientation[0] * turned).inv() * orientation[-1]
    assert np.rad2deg(error.magnitude()) < 1e-3


@pytest.mark.parametrize("segment", ["pelvis", "thigh"])
def test_twice_integrated_accelerations_give_back_the_place(segment):
    step_s = 0.001
    instants = np.arange(0, 8, step_s)
    motion = drilling("right", sway_deg=1.5, sway_m=0.01)
    acc, _ = ideal_readings(motion, segment, ON_FEMUR, instants)
    orientation, origin = motion.poses(instants)[segment]
    place = origin + orientation.apply(ON_FEMUR.place_m)
    linear = orientation.apply(acc) - [0, 0, STANDARD_GRAVITY_MS2]
    # Stoermer's rule: the same step for step, from the first two places
    second = np.cumsum(np.cumsum(linear[1:-1], axis=0), axis=0) * step_s**2
    first = place[1] - place[0]
    rebuilt = place[1] + first * np.arange(1, len(instants) - 1)[:, None] + second
    np.testing.assert_allclose(rebuilt, place[2:], atol=1e-4)


@pytest.mark.parametrize("off_flat_deg", [0.0, 3.0, 12.0])
def test_the_pelvis_sensor_points_backward_but_for_its_off_flat_angle(off_flat_deg):
    settings = SensorSettings(pelvis_off_flat_deg=off_flat_deg)
    mountings = [mount_pelvis(settings, np.random.default_rng(seed)) for seed in range(20)]
    z_axes = np.array([one.rotation.apply([0.0, 0.0, 1.0]) for one in mountings])
    angles = np.rad2deg(np.arctan2(np.hypot(z_axes[:, 1], z_axes[:, 2]), -z_axes[:, 0]))
    np.testing.assert_allclose(angles, off_flat_deg, atol=1e-9)
    x_axes = np.array([one.rotation.apply([1.0, 0.0, 0.0]) for one in mountings])
    assert np.ptp(x_axes[:, 1]) > 1.0  # turned about z however it likes


def test_noise_and_bias_are_as_set():
    sensors = SensorSettings(rate_hz=100, gyr_noise_deg_s_rthz=0.02, gyr_bias_deg_s=1.0, bits=0)
    sensors = replace(sensors, acc_noise_mg=10.0, gyr_bias_walk_deg_s_rts=0.0)
    still = DrillSettings(reps=1, still_before_s=60.0, breathing_deg=0, wander_deg=0)
    recording, truth = simulate_set(still, sensors, "left", 4)
    stream = recording.streams["thigh"]
    rest = truth.true_s["thigh"] < 59
    gyr_deg_s = np.rad2deg(stream.gyr_rads[rest])
    # 6000 samples: the deviation is known to 1 %, the mean to 0.003 deg/s
    np.testing.assert_allclose(gyr_deg_s.std(axis=0), 0.02 * 10, rtol=0.05)
    assert np.linalg.norm(gyr_deg_s.mean(axis=0)) == pytest.approx(1.0, abs=0.02)
    np.testing.assert_allclose(stream.acc_ms2[rest].std(axis=0), 0.0981, rtol=0.05)


def test_saturation_and_steps_are_the_converters():
    sensors = SensorSettings(gyr_full_scale_deg_s=20.0, bits=8, gyr_noise_deg_s_rthz=0)
    recording, _ = simulate_set(DrillSettings(reps=2), sensors, "left", 4)
    gyr_deg_s = np.rad2deg(recording.streams["thigh"].gyr_rads)
    assert np.abs(gyr_deg_s).max() == pytest.approx(20.0)
    steps = gyr_deg_s / (20 / 128)
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-9)


def test_the_trunk_lean_tilts_the_pelvis_and_leaves_the_thigh_level():
    from imu.simulator.drill import plan_leans

    plan = plan_leans(DrillSettings(), np.random.default_rng(3))
    poses = Motion("left", 0.0, 90.0, plan.tracks).poses(np.arange(0, plan.end_s, 0.01))
    leaning = np.rad2deg(np.arcsin(poses["pelvis"][0].apply([0.0, 1.0, 0.0])[:, 0]))
    assert np.count_nonzero(np.diff((leaning > 10).astype(int)) == 1) == 3
    assert np.abs(leaning[:290]).max() < 1.0
    level = np.rad2deg(np.arcsin(poses["thigh"][0].apply([0.0, 1.0, 0.0])[:, 2]))
    assert np.abs(level).max() < 1.0


@pytest.mark.parametrize("side", SIDES)
def test_bending_the_knee_brings_the_foot_back_and_nothing_else(side):
    poses = moving(side, knee=TEN_DEG_AT_1_S).poses(INSTANTS)
    shank = poses["shank"][0].apply([0.0, -1.0, 0.0])  # from knee to ankle
    np.testing.assert_allclose(shank[0], [0, 0, -1], atol=1e-12)
    assert shank[1, 0] == pytest.approx(-np.sin(np.deg2rad(10)))
    np.testing.assert_allclose(*poses["thigh"][0].as_quat(), atol=1e-12)


@pytest.mark.parametrize("side", SIDES)
def test_turning_in_swings_the_hanging_foot_out(side):
    poses = moving(side, ir=TEN_DEG_AT_1_S).poses(INSTANTS)
    shank = poses["shank"][0].apply([0.0, -1.0, 0.0])
    assert shank[1, 1] * lateral(side) == pytest.approx(np.sin(np.deg2rad(10)))


@pytest.mark.parametrize("side", SIDES)
def test_a_twist_turns_the_toes_inward_about_the_shank(side):
    poses = moving(side, twist=TEN_DEG_AT_1_S).poses(INSTANTS)
    toes = poses["shank"][0].apply([1.0, 0.0, 0.0])
    np.testing.assert_allclose(poses["shank"][0].apply([0.0, 1.0, 0.0]), [[0, 0, 1]] * 2, atol=1e-9)
    assert toes[1, 1] * lateral(side) == pytest.approx(-np.sin(np.deg2rad(10)))


def test_what_the_skin_hides_is_missing_from_the_sensor_alone():
    tracks = {name: Track() for name in CHANNELS}
    tracks["ir"].steps.append(Step(1.0, 2.0, 30.0))
    slip = skin_slip(tracks["ir"].at, 0.6, 0.1, 1.0, 6.0)
    motion = Motion("right", 0.3, 90.0, tracks, skin={"thigh": slip})
    at = np.array([0.5, 5.0])
    bone, sensor = motion.poses(at)["thigh"][0], motion.sensor_poses(at)["thigh"][0]
    turned = [np.rad2deg((one[0].inv() * one[1]).as_rotvec()) for one in (bone, sensor)]
    np.testing.assert_allclose(turned[0], [0, 30, 0], atol=1e-9)
    np.testing.assert_allclose(turned[1], [0, 0.6 * 30 - 1.0, 0], atol=0.01)
    assert motion.sensor_poses(at)["shank"][0].approx_equal(motion.poses(at)["shank"][0]).all()


def test_a_lift_leaves_the_shank_hanging():
    plan = plan_set(DrillSettings(lifts=1, lift_tilt_deg=0.0), np.random.default_rng(3))
    at = np.arange(*plan.still_s, 0.1)
    at = np.concatenate([at - 6.0, at])
    poses = Motion("left", 0.0, 90.0, plan.tracks).poses(at[at > 0])
    shank = poses["shank"][0].apply([0.0, -1.0, 0.0])
    assert shank[:, 2].max() < -0.99
