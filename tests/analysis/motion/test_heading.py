from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from analysis.motion.grid import GRID_HZ, EvenStream
from analysis.motion.heading import StillBias, heading_drift, refined_bias, still_bias
from analysis.motion.orientation import level, turn_heading
from tests.analysis.motions import even_stream, rms, rotations

FOUR_S = int(4 * GRID_HZ)
NONE = np.array([], dtype=np.int64)
LENGTH = int(60 * GRID_HZ)
NEUTRAL = (0, int(3 * GRID_HZ))
RESTS = np.array([NEUTRAL, *([k * GRID_HZ, (k + 1) * GRID_HZ] for k in range(9, 59, 7))]).astype(
    int
)


def at_rest(mounted: Rotation, count: int = LENGTH) -> Rotation:
    return Rotation.concatenate([mounted] * count)


def headed(heading_rad: np.ndarray) -> np.ndarray:
    """A sensor that only turns about the vertical."""
    return Rotation.from_euler("z", heading_rad[:, None]).as_quat(scalar_first=True)


@given(st.integers(0, 999))
def test_bias_and_noise_are_those_put_in(seed):
    rng = np.random.default_rng(seed)
    bias, density = np.deg2rad(rng.uniform(-5, 5, 3)), np.deg2rad(0.015)
    even = even_stream(at_rest(Rotation.identity(), FOUR_S))
    noise = density * np.sqrt(GRID_HZ) * rng.standard_normal(even.turn_rad.shape)
    found = still_bias(replace(even, turn_rad=(bias + noise) / GRID_HZ), (0, FOUR_S))
    # the mean of 4 s has density / sqrt(4 s); five of that will not be passed in 30 draws
    assert np.abs(found.bias_rads - bias).max() < 5 * density / 2
    assert found.noise_rads == pytest.approx(density, rel=0.35)
    assert 0.5 * density / 2 < found.sd_rads < 3 * density / 2


def test_a_swaying_persons_bias_is_less_certain():
    even = even_stream(at_rest(Rotation.identity(), FOUR_S))
    time_s = np.arange(FOUR_S) / GRID_HZ
    rng = np.random.default_rng(0)
    noise = np.deg2rad(0.1) * rng.standard_normal((FOUR_S, 3))
    sway = np.deg2rad(1.0) * np.outer(np.sin(2 * np.pi * 0.3 * time_s), [1, 1, 1])
    calm = still_bias(replace(even, turn_rad=noise / GRID_HZ), (0, FOUR_S))
    swaying = still_bias(replace(even, turn_rad=(noise + sway) / GRID_HZ), (0, FOUR_S))
    assert swaying.sd_rads > 5 * calm.sd_rads
    # sway is ten times as large as the noise, yet slow: only its slope within 0.1 s looks like it
    assert swaying.noise_rads < 4 * calm.noise_rads


def drifted(rate_deg_s: float, returns_deg: np.ndarray | None = None) -> np.ndarray:
    """Heading of a pelvis that turns by 5 degrees between the rests, and drifts."""
    time_s = np.arange(LENGTH) / GRID_HZ
    heading = np.deg2rad(rate_deg_s) * time_s
    for k, (begin, end) in enumerate(RESTS[:-1, :], start=0):
        after = slice(int(end), int(RESTS[k + 1, 0]))
        count = after.stop - after.start
        heading[after] += np.deg2rad(5) * np.sin(np.pi * np.arange(count) / count) ** 2
        del begin
    if returns_deg is not None:
        for (begin, end), off in zip(RESTS, returns_deg, strict=True):
            heading[begin:end] += np.deg2rad(off)
    return heading


STILL = StillBias(np.zeros(3), np.deg2rad(0.05), np.deg2rad(0.01))


@pytest.mark.parametrize("rate_deg_s", [0.0, 0.02, -0.05])
def test_a_steady_drift_is_found_where_the_person_returns(rate_deg_s):
    heading = drifted(rate_deg_s)
    found = heading_drift(headed(heading), NEUTRAL, RESTS, STILL, NONE)
    time_s = np.arange(LENGTH) / GRID_HZ
    expected = np.deg2rad(rate_deg_s) * (time_s - 1.5)
    # 3 deg of drift in a minute at 0.05 deg/s; what is left is the prior's pull
    assert np.rad2deg(rms(found.drift_rad - expected)) < 0.1
    assert np.rad2deg(found.rate_rads) == pytest.approx(rate_deg_s, abs=0.003)
    assert 0.0 < found.rate_sd_rads < STILL.sd_rads


def test_movement_between_rests_is_not_taken_for_drift():
    heading = drifted(0.0)
    found = heading_drift(headed(heading), NEUTRAL, RESTS, STILL, NONE)
    left = turn_heading(headed(heading), found.drift_rad)
    turned = 2 * np.arctan2(left[:, 3], left[:, 0])
    assert np.rad2deg(turned.max() - turned[0]) == pytest.approx(5.0, abs=0.05)


def test_a_person_who_returns_badly_is_not_believed():
    """A degree off at every rest, either way: the drift must not follow it."""
    off = np.array([0.0, *(1.0 * (-1.0) ** k for k in range(len(RESTS) - 1))])
    steady = StillBias(np.zeros(3), np.deg2rad(0.003), np.deg2rad(0.005))
    found = heading_drift(headed(drifted(0.0, off)), NEUTRAL, RESTS, steady, NONE)
    assert np.rad2deg(np.abs(found.drift_rad).max()) < 0.3


def test_heading_lost_in_a_gap_is_found_again():
    heading, lost = drifted(0.0), int(26 * GRID_HZ)
    heading[lost:] += np.deg2rad(15.0)
    found = heading_drift(headed(heading), NEUTRAL, RESTS, STILL, np.array([lost]))
    assert np.rad2deg(found.drift_rad[RESTS[-1, 0]]) == pytest.approx(15.0, abs=0.3)
    assert np.rad2deg(np.abs(found.drift_rad[: int(23 * GRID_HZ)]).max()) < 0.3


@given(rotations)
def test_a_bias_the_stillness_missed_is_found_about_every_axis(mounted):
    """A minute of rest, the sensor lying anyhow; the stillness was off by 0.03 deg/s."""
    missed = np.deg2rad([0.03, -0.02, 0.025])
    even = even_stream(at_rest(mounted))
    turn = even.turn_rad + missed / GRID_HZ
    turn[0] = 0.0
    levelled = level(replace(even, turn_rad=turn))
    drift = heading_drift(levelled.quat, NEUTRAL, RESTS, STILL, NONE)
    usable = np.ones(LENGTH, dtype=bool)
    found = refined_bias(STILL, levelled, drift, usable)
    assert np.rad2deg(np.abs(found.bias_rads - missed).max()) < 0.006
    assert found.sd_rads < STILL.sd_rads


@pytest.mark.parametrize("samples", [10, 14, 20, 30])
def test_a_short_stillness_gives_a_bias_with_its_noise(samples):
    rng = np.random.default_rng(samples)
    turn = rng.normal(0.0, 0.001, (samples + 5, 3))
    acc = np.tile([0.0, 0.0, 9.81], (samples + 5, 1))
    mask = np.ones(samples + 5, dtype=bool)
    stream = EvenStream("thigh", turn, acc, mask, ~mask, np.zeros((0, 2)))
    found = still_bias(stream, (0, samples))
    assert np.isfinite([*found.bias_rads, found.sd_rads, found.noise_rads]).all()
    assert found.noise_rads > 0.0
