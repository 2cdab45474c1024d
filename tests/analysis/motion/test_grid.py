from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from analysis.errors import AnalysisError
from analysis.motion.grid import GRID_HZ, find_gaps, resample, resample_set
from imu.samples import Stream
from tests.analysis.motions import stream

RATE_RADS = np.array([0.3, -0.2, 0.1])


def native(seed: int, rate_hz: float, loss: float = 0.0, jitter: float = 0.0) -> np.ndarray:
    """Instants over 10 s at a rate, some lost, each a little off, never two in the wrong order."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(0, 10, 1 / rate_hz)
    time_s = time_s + jitter * rng.uniform(-0.4, 0.4, len(time_s)) / rate_hz
    kept = rng.random(len(time_s)) >= loss
    kept[[0, -1]] = True
    return time_s[kept]


def grid(time_s: np.ndarray) -> np.ndarray:
    first, last = np.ceil(time_s[0] * GRID_HZ), np.floor(time_s[-1] * GRID_HZ)
    return np.arange(first, last + 1) / GRID_HZ


def constant(time_s: np.ndarray) -> Stream:
    shape = (len(time_s), 1)
    return Stream("thigh", time_s, np.tile([1.0, 2.0, 9.0], shape), np.tile(RATE_RADS, shape))


@given(
    st.sampled_from([25.0, 60.0, 100.0, 142.86, 400.0]),
    st.integers(0, 99),
    st.sampled_from([0.0, 0.05, 0.3]),
    st.sampled_from([0.0, 1.0]),
)
def test_a_steady_turn_is_steady_at_any_rate_jitter_and_loss(rate_hz, seed, loss, jitter):
    time_s = native(seed, rate_hz, loss, jitter)
    even = resample(constant(time_s), grid(time_s))
    np.testing.assert_allclose(even.turn_rad[1:] * GRID_HZ - RATE_RADS, 0.0, atol=1e-9)
    inner = even.acc_ms2[1:-1]  # at both ends half a step is missing
    np.testing.assert_allclose(inner - [1.0, 2.0, 9.0], 0.0, atol=1e-9)
    assert np.all(even.turn_rad[0] == 0.0)


@pytest.mark.parametrize("rate_hz", [100.0, 142.86, 400.0])
@given(seed=st.integers(0, 99))
def test_gravity_is_read_in_the_axes_of_the_instant_however_fast_a_sensor_spins(rate_hz, seed):
    """900 deg/s turn a sensor by 18 degrees within a grid step; its mean reading is no direction.

    At 100 Hz a reading stands for 9 degrees of turn.
    """
    rng = np.random.default_rng(seed)
    time_s = native(seed, rate_hz)
    spin = rng.normal(size=3)
    spin *= np.deg2rad(900) / np.linalg.norm(spin)
    mounted = Rotation.from_quat(rng.normal(size=4))
    read = (mounted * Rotation.from_rotvec(np.outer(time_s, spin))).inv().apply([0, 0, 9.81])
    at_s = grid(time_s)
    even = resample(Stream("thigh", time_s, read, np.tile(spin, (len(time_s), 1))), at_s)
    true = (mounted * Rotation.from_rotvec(np.outer(at_s, spin))).inv().apply([0, 0, 9.81])
    sine = np.linalg.norm(np.cross(even.acc_ms2, true), axis=1)
    off = np.arcsin(sine / np.linalg.norm(even.acc_ms2, axis=1) / 9.81)[1:-1]
    # straight lines between readings 9 degrees apart cut the arc by 0.3 % at most, half of it here
    assert np.rad2deg(off).max() < 0.15


def test_turns_about_changing_axes_do_not_simply_add_up():
    """A sensor that cones by 10 degrees at 5 Hz; the plain sums would be off by 7 degrees."""
    time_s, at_s = np.arange(0, 4, 1 / 400), np.arange(0, 3.9, 1 / GRID_HZ)
    tilt = np.deg2rad(10)

    def pose(t: np.ndarray) -> Rotation:
        turned = 2 * np.pi * 5.0 * t
        return Rotation.from_rotvec(
            tilt * np.column_stack([np.cos(turned), np.sin(turned), 0 * turned])
        )

    half_s = 1e-4
    rate = (pose(time_s - half_s).inv() * pose(time_s + half_s)).as_rotvec() / (2 * half_s)
    turning = Stream("thigh", time_s, np.zeros((len(time_s), 3)), rate)
    turn = Rotation.from_rotvec(resample(turning, at_s).turn_rad)
    found = turn[0]
    for step in turn[1:]:
        found = found * step
    expected = pose(at_s[:1])[0].inv() * pose(at_s[-1:])[0]
    assert np.rad2deg((found.inv() * expected).magnitude()) < 0.4


@pytest.mark.parametrize("rate_hz", [60.0, 100.0, 200.0])
def test_the_angle_of_a_swing_is_kept_without_lag(rate_hz):
    time_s = native(0, rate_hz)
    angle = 0.5 * np.sin(2 * np.pi * 1.0 * time_s)
    turning = Stream(
        "thigh",
        time_s,
        np.zeros((len(time_s), 3)),
        np.outer(0.5 * 2 * np.pi * np.cos(2 * np.pi * time_s), [1.0, 0.0, 0.0]),
    )
    at_s = grid(time_s)
    course = np.cumsum(resample(turning, at_s).turn_rad[:, 0])
    expected = np.interp(at_s, time_s, angle) - np.interp(at_s[0], time_s, angle)
    # 0.5 rad at 1 Hz: 3 rad/s, so a lag of 0.1 ms would show as 3e-4; trapezoids of 1/60 s
    # under-read a sine by (w dt)^2 / 12 = 0.09 %
    np.testing.assert_allclose(course, expected, atol=1e-3)


def test_a_faster_sensor_is_averaged_not_picked():
    rng = np.random.default_rng(1)
    noise = {}
    for rate_hz in (100.0, 800.0):
        time_s = native(0, rate_hz)
        noisy = Stream(
            "thigh", time_s, rng.normal(0, 1, (len(time_s), 3)), np.zeros((len(time_s), 3))
        )
        noise[rate_hz] = resample(noisy, grid(time_s)).acc_ms2.std()
    assert noise[800.0] < 0.5 * noise[100.0]  # eight samples a cell: a factor of root eight


def test_gaps_are_found_marked_and_told_from_lost_stretches():
    time_s = native(0, 100.0)
    short, long = (3.0, 3.4), (6.0, 6.9)
    keep = np.ones(len(time_s), dtype=bool)
    for begin, end in (short, long):
        keep &= (time_s <= begin + 1e-9) | (time_s >= end - 1e-9)
    even = resample(constant(time_s[keep]), grid(time_s))
    np.testing.assert_allclose(even.gaps_s, [short, long], atol=1e-9)
    at_s = grid(time_s)
    in_short = (at_s > 3.01) & (at_s < 3.39)
    in_long = (at_s > 6.01) & (at_s < 6.89)
    assert not even.measured[in_short | in_long].any()
    assert even.measured[(at_s < 3.0) | (at_s > 6.9)].all()
    assert even.lost[in_long].all()
    assert not even.lost[in_short].any()


def test_losses_shorter_than_a_tenth_of_a_second_are_no_gap():
    time_s = np.delete(np.arange(0, 5, 0.02), [50, 51, 52])
    assert len(find_gaps(time_s)) == 0


def test_a_bridge_follows_a_turn_that_goes_on():
    """A minimum-jerk turn of 32 degrees in 2 s, its fastest 0.4 s lost."""
    time_s = np.arange(0, 6, 1 / 60)
    done = np.clip((time_s - 2) / 2, 0, 1)
    angle = np.deg2rad(32) * (10 * done**3 - 15 * done**4 + 6 * done**5)
    turning = stream(time_s, Rotation.from_rotvec(np.outer(angle, [0, 1, 0])))
    keep = (time_s < 2.8) | (time_s > 3.2)
    lossy = Stream("thigh", time_s[keep], turning.acc_ms2[keep], turning.gyr_rads[keep])
    even = resample(lossy, grid(time_s))
    turned = np.rad2deg(even.turn_rad[:, 1].sum())
    # a straight line across would miss 0.6 degrees of the arch
    assert turned == pytest.approx(32.0, abs=0.2)


def test_the_grid_covers_what_both_sensors_measured():
    pelvis, thigh = np.arange(0.003, 9, 0.016), np.arange(1.234, 12, 0.01)
    even = resample_set({"pelvis": constant(pelvis), "thigh": constant(thigh)}, "left.csv")
    assert even.time_s[0] == pytest.approx(1.24)
    assert pelvis[-1] - 1 / GRID_HZ < even.time_s[-1] <= pelvis[-1]
    np.testing.assert_allclose(np.diff(even.time_s), 1 / GRID_HZ, atol=1e-9)


def test_sensors_that_hardly_overlap_are_refused():
    pelvis, thigh = np.arange(0, 9, 0.016), np.arange(7, 12, 0.01)
    with pytest.raises(AnalysisError, match=r"left\.csv: pelvis and thigh overlap for 2\.0 s"):
        resample_set({"pelvis": constant(pelvis), "thigh": constant(thigh)}, "left.csv")
