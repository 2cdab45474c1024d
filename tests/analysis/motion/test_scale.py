from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from analysis.motion.calibration import Sensor
from analysis.motion.grid import GRID_HZ
from analysis.motion.orientation import level
from analysis.motion.scale import scale_disagreement, split
from tests.analysis.motions import course, drill, even_stream, lasting

ALONG = np.array([1.0, 0.0, 0.0])


def disagreement(excess: float, acc_noise_ms2: float = 0.02) -> tuple[float, float]:
    """What is seen of a gyroscope that turns further than it should, about a level axis."""
    moves = drill(8, 32.0)
    roll = np.deg2rad(course(lasting(moves), moves))
    even = even_stream(Rotation.from_rotvec(np.outer(roll, ALONG)))
    noise = acc_noise_ms2 * np.random.default_rng(5).standard_normal(even.acc_ms2.shape)
    even = replace(even, turn_rad=even.turn_rad * (1 + excess), acc_ms2=even.acc_ms2 + noise)
    levelled = level(even)
    thigh = Sensor(levelled.quat, even.turn_rad, levelled.quat[0])
    return scale_disagreement(levelled.fit, thigh, ALONG, slice(int(3 * GRID_HZ), len(roll) - 200))


@pytest.mark.parametrize("excess", [-0.02, -0.005, 0.0, 0.01])
def test_a_gyroscope_that_turns_too_far_is_seen_with_its_sign(excess):
    found, sd = disagreement(excess)
    assert found == pytest.approx(excess, abs=0.002)
    assert 0.0 < sd < 0.002


def test_a_noisy_accelerometer_makes_it_less_certain():
    _, calm = disagreement(0.01)
    _, noisy = disagreement(0.01, acc_noise_ms2=0.5)
    assert noisy > 5 * calm


def test_a_disagreement_well_seen_is_halved():
    correction, _ = split(0.01, 1e-5)
    assert correction == pytest.approx(0.005, rel=0.02)


def test_a_disagreement_not_seen_is_left_alone():
    correction, sd = split(0.02, 0.2)
    assert abs(correction) < 1e-4
    assert sd < 0.01


@given(st.floats(-0.03, 0.03), st.floats(1e-5, 0.1))
def test_never_more_than_half_is_taken_off_and_in_its_direction(excess, sd):
    correction, left = split(excess, sd)
    assert 0.0 <= correction * np.sign(excess) <= 0.5 * abs(excess) + 1e-15
    assert left > 0.0


@given(st.floats(0.001, 0.03), st.floats(1.1, 3.0))
def test_a_larger_disagreement_leaves_more_doubt(excess, times):
    assert split(times * excess, 0.001)[1] >= split(excess, 0.001)[1]
