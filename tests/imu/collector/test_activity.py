from __future__ import annotations

import numpy as np
import pytest

from imu.collector.activity import Activity, moved
from imu.frames import Sample

RATE_HZ = 60.0


def watch(turn_deg_s, seconds=2.5, tilt_deg_s=0.0, bias_deg_s=2.0, noise_deg_s=0.3, tap_ms2=0.0):
    """An activity of a sensor that turns to and fro at 1 Hz, on a bias and noise."""
    rng = np.random.default_rng(3)
    activity = Activity()
    for index in range(int(seconds * RATE_HZ)):
        time_s = index / RATE_HZ
        rate = turn_deg_s * np.sin(2 * np.pi * time_s) + bias_deg_s
        gyr = np.deg2rad(np.array([0.0, rate, 0.0]) + noise_deg_s * rng.standard_normal(3))
        tilt = np.deg2rad(tilt_deg_s * time_s)
        acc = 9.81 * np.array([np.sin(tilt), 0.0, np.cos(tilt)])
        acc[2] += tap_ms2 if index == int((seconds - 0.3) * RATE_HZ) else 0.0
        activity.add(time_s, [Sample(time_s, tuple(acc), tuple(gyr))])
    return activity, (int(seconds * RATE_HZ) - 1) / RATE_HZ


def test_a_biased_noisy_sensor_at_rest_is_still():
    activity, now_s = watch(0.0)
    assert activity.still(now_s, 1.5)
    assert activity.liveliness(now_s) < 0.3


@pytest.mark.parametrize("turn_deg_s", [10.0, 60.0])
def test_a_turning_sensor_is_not_still(turn_deg_s):
    activity, now_s = watch(turn_deg_s)
    assert not activity.still(now_s, 1.5)


def test_a_slow_steady_tilt_is_not_stillness():
    activity, now_s = watch(0.0, tilt_deg_s=5.0)
    assert not activity.still(now_s, 1.5)


def test_stillness_takes_its_time():
    activity, now_s = watch(0.0, seconds=1.0)
    assert not activity.still(now_s, 1.5)


def test_samples_come_in_bursts():
    activity = Activity()
    for burst in range(10):
        activity.add(0.25 * burst, [Sample(0, (0, 0, 9.81), (0, 0, 0))] * 15)
    assert activity.still(2.25, 1.5)
    assert activity.liveliness(2.25) == 0.0


def test_a_tap_is_told_from_rest():
    tapped, now_s = watch(0.0, tap_ms2=8.0)
    rested, _ = watch(0.0)
    stirring = {"thigh": tapped.liveliness(now_s), "pelvis": rested.liveliness(now_s)}
    assert moved(stirring) == "thigh"


def test_two_that_move_are_not_told_apart():
    assert moved({"a": 3.0, "b": 1.4}) is None
    assert moved({"a": 0.9, "b": 0.0}) is None
    assert moved({}) is None


def test_what_is_long_past_is_forgotten():
    activity, now_s = watch(60.0)
    for index in range(int(3 * RATE_HZ)):
        time_s = now_s + (index + 1) / RATE_HZ
        activity.add(time_s, [Sample(time_s, (0, 0, 9.81), (0, 0, 0))])
    assert activity.still(now_s + 3.0, 1.5)


def test_a_slow_turn_of_the_thigh_is_told_from_a_seated_pelvis():
    turning, now_s = watch(28.0)
    seated, _ = watch(2.0, bias_deg_s=2.0)
    assert (
        moved({"thigh": turning.liveliness(now_s), "pelvis": seated.liveliness(now_s)}) == "thigh"
    )
