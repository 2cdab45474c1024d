from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from analysis.motion.grid import GRID_HZ, EvenStream, resample
from analysis.motion.orientation import (
    heading_against,
    level,
    mean_orientation,
    turn_heading,
)
from imu.samples import Stream
from imu.units import STANDARD_GRAVITY_MS2
from tests.analysis.motions import UP, course, drill, even_stream, lasting, rms, rotations, stream


def tipped_deg(quat: np.ndarray, truth: Rotation) -> np.ndarray:
    """Angle between the vertical as found and as it is, both in sensor axes [deg]."""
    own = Rotation.from_quat(quat, scalar_first=True).inv().apply(UP)
    true = truth.inv().apply(UP)
    return np.rad2deg(np.arctan2(np.linalg.norm(np.cross(own, true), axis=1), (own * true).sum(1)))


def biased(even: EvenStream, bias_deg_s: np.ndarray) -> EvenStream:
    turn = even.turn_rad + np.deg2rad(bias_deg_s) / GRID_HZ
    turn[0] = 0.0
    return replace(even, turn_rad=turn)


def set_of_turns(mounted: Rotation, reps: int = 6) -> Rotation:
    """A thigh along x that turns about it, its sensor strapped on somehow."""
    moves = drill(reps, 32.0)
    roll = Rotation.from_rotvec(np.outer(np.deg2rad(course(lasting(moves), moves)), [1, 0, 0]))
    return roll * mounted


@given(rotations)
def test_rest_stays_at_rest(mounted):
    truth = Rotation.concatenate([mounted] * int(15 * GRID_HZ))
    quat = level(even_stream(truth)).quat
    assert tipped_deg(quat, truth).max() < 1e-6
    assert np.abs(heading_against(quat, quat[0])).max() < 1e-9


@given(rotations)
def test_a_known_turn_is_recovered_in_any_mounting(mounted):
    truth = set_of_turns(mounted)
    levelled = level(even_stream(truth))
    found = Rotation.from_quat(levelled.quat, scalar_first=True)
    assert len(levelled.quat) == len(truth)
    # the accelerometer is taken to be ahead by 1.75 ms, as real ones are; the simulated one is not
    assert tipped_deg(levelled.quat, truth).max() < 0.01
    relative = np.rad2deg((found[0].inv() * found).magnitude())
    expected = np.rad2deg((truth[0].inv() * truth).magnitude())
    np.testing.assert_allclose(relative, expected, atol=0.01)


@given(rotations, st.integers(0, 999))
def test_a_constant_bias_leaves_no_tilt_in_a_sensor_at_rest(mounted, seed):
    bias = np.random.default_rng(seed).uniform(-0.2, 0.2, 3)
    truth = Rotation.concatenate([mounted] * int(60 * GRID_HZ))
    assert (
        tipped_deg(level(biased(even_stream(truth), bias)).quat, truth).max() < 0.02
    )  # of 12 deg in 60 s


def test_a_bias_left_over_hardly_tilts_a_moving_sensor():
    """0.05 deg/s are left where stillness is poor; held over 40 s they alone would make 2 deg."""
    truth = set_of_turns(Rotation.from_euler("xyz", [20, 50, 80], degrees=True))
    found = level(biased(even_stream(truth), np.array([0.05, -0.05, 0.05]))).quat
    # The turning sensor makes the bias a slow swing of 0.02 deg/s about the horizontal, of which
    # a smoother of 0.05 Hz lets some hundredths of a degree by.
    assert tipped_deg(found, truth).max() < 0.1


def test_no_lag_forward_and_backward_in_time_agree():
    truth = set_of_turns(Rotation.from_euler("xyz", [10, -70, 30], degrees=True))
    rng = np.random.default_rng(3)
    even = even_stream(truth)
    noisy = replace(even, acc_ms2=even.acc_ms2 + rng.normal(0, 0.1, even.acc_ms2.shape))
    noisy = biased(noisy, np.array([0.1, 0.05, -0.1]))
    count = len(noisy.turn_rad) // 10 * 10  # whole bins, so that both ways share their edges
    cut = replace(
        noisy,
        turn_rad=noisy.turn_rad[:count],
        acc_ms2=noisy.acc_ms2[:count],
        measured=noisy.measured[:count],
        lost=noisy.lost[:count],
    )
    backward_turn = np.vstack([np.zeros(3), -cut.turn_rad[:0:-1]])
    backward = replace(cut, turn_rad=backward_turn, acc_ms2=cut.acc_ms2[::-1])
    one = Rotation.from_quat(level(cut).quat, scalar_first=True)
    other = Rotation.from_quat(level(backward).quat[::-1], scalar_first=True)
    apart = np.rad2deg(np.linalg.norm(one.inv().apply(UP) - other.inv().apply(UP), axis=1))
    assert apart.max() < 0.02  # but for the 1.75 ms by which the accelerometer is taken ahead


def test_noise_of_the_accelerometer_is_carried_by_the_gyroscope():
    truth = set_of_turns(Rotation.identity(), reps=8)
    even = even_stream(truth)
    rng = np.random.default_rng(4)
    noisy = replace(even, acc_ms2=even.acc_ms2 + rng.normal(0, 0.3, even.acc_ms2.shape))
    # 30 mg tip single samples by 1.7 deg; the smoother averages over some 5 s, at the ends half:
    # 1.7 / sqrt(250) = 0.11 per axis, 0.15 for both; a second's average would be 0.34
    assert rms(tipped_deg(level(noisy).quat, truth)) < 0.2


@pytest.mark.parametrize(("gap_s", "allowed_deg"), [(0.4, 0.3), (3.0, 1.0)])
def test_after_a_gap_the_inclination_is_right_again(gap_s, allowed_deg):
    """The gap lies within a turn of 32 degrees; 3 s lose the turn and the hold."""
    time_s = np.arange(0, 40, 1 / 100)
    moves = [(12.0, 0.0), (2.0, 32.0), (8.0, 32.0), (2.0, 0.0), (20.0, 0.0)]
    truth = Rotation.from_rotvec(np.outer(np.deg2rad(course(time_s, moves)), [1, 0, 0]))
    whole = stream(time_s, truth)
    keep = (time_s < 12.8) | (time_s > 12.8 + gap_s)
    lossy = Stream("thigh", time_s[keep], whole.acc_ms2[keep], whole.gyr_rads[keep])
    grid_s = np.arange(0, 39.9, 1 / GRID_HZ)
    even = resample(lossy, grid_s)
    truth = Rotation.from_rotvec(np.outer(np.deg2rad(course(grid_s, moves)), [1, 0, 0]))
    error = tipped_deg(level(even).quat, truth)
    assert error[even.measured].max() < allowed_deg


TURNED = Rotation.from_euler("xyz", [30, -40, 110], degrees=True)


@pytest.mark.parametrize(("size_ms2", "rate_hz"), [(3.0, 0.7), (10.0, 1.5), (30.0, 3.0)])
@pytest.mark.parametrize("seed", [1, 2])
def test_pushed_to_and_fro_a_sensor_stays_level(size_ms2, rate_hz, seed):
    """Accelerations of a sensor that stays in place cancel, over all samples alike.

    Chosen by their magnitude they would not: those along gravity change it, those across hardly.
    """
    rng = np.random.default_rng(seed)
    truth = set_of_turns(TURNED) if seed == 1 else turned_about(TURNED)
    even = even_stream(truth)
    time_s = np.arange(len(truth)) / GRID_HZ
    phase = 2 * np.pi * (rate_hz * time_s + 0.5 * np.sin(0.2 * time_s))
    along = rng.normal(size=(2, 3))
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    strokes = np.outer(np.sin(phase), along[0]) + 0.4 * np.outer(np.cos(2 * phase), along[1])
    world = truth.inv().apply(size_ms2 * strokes)
    moved = replace(even, acc_ms2=even.acc_ms2 + world)
    # at 0.7 Hz the smoother lets a share of (0.075 / 0.7)^4 by, and more at the ends: the mean
    # acceleration of a stroke cut off there is not zero
    error = tipped_deg(level(moved).quat, truth)
    assert rms(error[250:-250]) < 0.5


def turned_about(mounted: Rotation) -> Rotation:
    """A sensor in the hand of someone who turns it every way, up to 100 deg/s."""
    time_s = np.arange(0, 45, 1 / GRID_HZ)
    angles = [80, 60, 70] * np.sin(np.outer(time_s, [0.9, 0.7, 1.1]) + np.arange(3))
    return Rotation.from_euler("zyx", angles, degrees=True) * mounted


@pytest.mark.parametrize("size_ms2", [20.0, 80.0, 156.0])
@pytest.mark.parametrize("at_s", [9.3, 20.14])
def test_a_knock_does_not_tip_a_quiet_sensor(size_ms2, at_s):
    """One sample of 16 g is as much as 3 m/s within a step: over 5 s that would be 4 degrees."""
    truth = set_of_turns(TURNED)
    even = even_stream(truth)
    acc = even.acc_ms2.copy()
    acc[int(at_s * GRID_HZ)] += size_ms2 * np.array([1.0, -0.6, 0.3])
    error = tipped_deg(level(replace(even, acc_ms2=acc)).quat, truth)
    assert error.max() < 0.05


def shaken_and_clipped(seed: int) -> tuple[EvenStream, np.ndarray, Rotation]:
    """Some seconds of shaking by up to 0.4 m, cut off at 4 g; which samples are whole."""
    rng = np.random.default_rng(seed)
    truth = turned_about(TURNED) if seed % 2 else set_of_turns(TURNED)
    even = even_stream(truth)
    time_s = np.arange(len(truth)) / GRID_HZ
    shaken = np.exp(-0.5 * ((time_s - 20.0) / 3.0) ** 2) * rng.uniform(0.1, 0.4, (3, 1))
    rates_hz, phases = rng.uniform(1.2, 3, 3), rng.uniform(0, 6, 3)
    place_m = (shaken * np.sin(np.outer(2 * np.pi * rates_hz, time_s) + phases[:, None])).T
    strokes = np.gradient(np.gradient(place_m, time_s, axis=0), time_s, axis=0)
    acc = even.acc_ms2 + truth.inv().apply(strokes)
    full = 4 * STANDARD_GRAVITY_MS2
    whole = (np.abs(acc) < full).all(axis=1)
    return replace(even, acc_ms2=np.clip(acc, -full, full)), whole, truth


def test_clipped_shaking_tips_a_sensor_less_than_if_it_were_left_out():
    """Samples at full scale stay in the mean; without them the strokes' other halves tip it.

    What was cut off is lost, some degrees at worst; 15 s later nothing of it is left.
    """
    errors = []
    for seed in range(12):
        clipped, whole, truth = shaken_and_clipped(seed)
        error = tipped_deg(level(clipped).quat, truth)
        left_out = tipped_deg(level(replace(clipped, measured=whole)).quat, truth)
        assert error[-100:].max() < 0.2
        errors.append((rms(error), rms(left_out), (~whole).mean()))
    own, other, share = np.mean(errors, axis=0)
    assert share > 0.02
    assert own < 0.5 * other
    assert own < 3.0


def test_headings_are_told_and_turned_back():
    wanted = np.linspace(-4.0, 4.0, 200)  # beyond a half turn
    quat = Rotation.from_euler("z", wanted[:, None]).as_quat(scalar_first=True)
    heading = heading_against(quat, np.array([1.0, 0.0, 0.0, 0.0]))
    np.testing.assert_allclose(heading - heading[100], wanted - wanted[100], atol=1e-9)
    back = turn_heading(quat, heading)
    assert np.abs(np.sin(0.5 * heading_against(back, back[0]))).max() < 1e-9


@given(rotations)
def test_a_turn_about_the_vertical_is_the_heading_whatever_the_mounting(at):
    turned = Rotation.from_euler("z", 0.7) * at
    both = np.stack([r.as_quat(scalar_first=True) for r in (at, turned)])
    neutral = at.as_quat(scalar_first=True)
    assert heading_against(both, neutral)[1] == pytest.approx(0.7, abs=1e-9)


@given(rotations, st.integers(0, 999))
def test_the_mean_orientation_lies_amid_small_turns(about, seed):
    rng = np.random.default_rng(seed)
    small = rng.normal(0, 0.01, (200, 3))
    small -= small.mean(axis=0)
    quat = (about * Rotation.from_rotvec(small)).as_quat(scalar_first=True)
    quat *= rng.choice([-1.0, 1.0], (200, 1))  # q and -q are one orientation
    mean = Rotation.from_quat(mean_orientation(quat), scalar_first=True)
    assert (about.inv() * mean).magnitude() < 1e-4
