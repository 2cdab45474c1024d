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
from analysis.motion.scale import Disagreement, scale_disagreement, split
from tests.analysis.motions import course, drill, even_stream, lasting

ALONG = np.array([1.0, 0.0, 0.0])


def disagreement(
    excess: float, acc_noise_ms2: float = 0.02, acc_bias_ms2: tuple[float, ...] = (0.0, 0.0, 0.0)
) -> Disagreement:
    """What is seen of a gyroscope that turns further than it should, about a level axis."""
    moves = drill(8, 32.0)
    roll = np.deg2rad(course(lasting(moves), moves))
    even = even_stream(Rotation.from_rotvec(np.outer(roll, ALONG)))
    noise = acc_noise_ms2 * np.random.default_rng(5).standard_normal(even.acc_ms2.shape)
    acc = even.acc_ms2 + noise + np.array(acc_bias_ms2)
    even = replace(even, turn_rad=even.turn_rad * (1 + excess), acc_ms2=acc)
    levelled = level(even)
    thigh = Sensor(levelled.quat, even.turn_rad, levelled.quat[0])
    moving = slice(int(3 * GRID_HZ), len(roll) - 200)
    return scale_disagreement(acc, levelled.fit, thigh, ALONG, moving)


def seen(excess: float, sd: float, surplus: float = 0.0) -> Disagreement:
    return Disagreement(excess, sd, surplus, np.array([0.0, 0.0, 1.0]))


@pytest.mark.parametrize("excess", [-0.02, -0.005, 0.0, 0.01])
def test_a_gyroscope_that_turns_too_far_is_seen_with_its_sign(excess):
    found = disagreement(excess)
    assert found.excess == pytest.approx(excess, abs=0.002)
    assert 0.0 < found.sd < 0.002
    assert found.surplus == pytest.approx(0.0, abs=0.001)


def test_a_noisy_accelerometer_makes_it_less_certain():
    assert disagreement(0.01, acc_noise_ms2=0.5).sd > 5 * disagreement(0.01).sd


def test_a_bias_along_gravity_shortens_the_accelerometers_turn_by_its_share():
    """0.2 m/s2 are 2 % of gravity: the surplus says so, and the gyroscope is not accused."""
    middle = np.deg2rad(16.0)
    along = (0.0, 0.2 * np.sin(middle), 0.2 * np.cos(middle))
    found = disagreement(0.0, acc_bias_ms2=along)
    assert found.surplus == pytest.approx(0.2 / 9.80665, rel=0.1)
    assert found.excess == pytest.approx(found.surplus, abs=0.003)
    gyroscope, accelerometer, _ = split(found)
    assert gyroscope == pytest.approx(0.0, abs=0.0015)
    assert accelerometer == pytest.approx(-0.2 / 9.80665, abs=0.003)


def test_a_disagreement_well_seen_is_halved():
    gyroscope, accelerometer, _ = split(seen(0.01, 1e-5))
    assert gyroscope == pytest.approx(0.005, rel=0.02)
    assert accelerometer == pytest.approx(-0.005, rel=0.02)


def test_a_disagreement_not_seen_is_left_alone():
    gyroscope, accelerometer, sd = split(seen(0.0, 1.0, surplus=0.01))
    assert gyroscope == 0.0
    assert accelerometer == -0.01
    assert 0.002 < sd < 0.01


@given(st.floats(-0.03, 0.03), st.floats(1e-5, 0.1))
def test_never_more_than_half_is_taken_off_and_in_its_direction(excess, sd):
    gyroscope, _, left = split(seen(excess, sd))
    assert 0.0 <= gyroscope * np.sign(excess) <= 0.5 * abs(excess) + 1e-15
    assert left > 0.0


@given(st.floats(0.001, 0.03), st.floats(1.1, 3.0))
def test_a_larger_disagreement_leaves_more_doubt(excess, times):
    assert split(seen(times * excess, 0.001))[2] >= split(seen(excess, 0.001))[2]
