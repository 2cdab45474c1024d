from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from analysis.motion.calibration import Sensor
from analysis.motion.common import common_heading
from analysis.motion.grid import GRID_HZ
from tests.analysis.motions import even_stream

COUNT = int(12 * GRID_HZ)
TIME_S = np.arange(COUNT) / GRID_HZ


def swaying(share: float = 1.0, lag_s: float = 0.0) -> Rotation:
    """Tilt and obliquity of a body, or a share of them, some time late."""
    t = TIME_S - lag_s
    tilt = share * 0.6 * np.sin(2 * np.pi * 0.22 * t)
    obliquity = share * 0.4 * np.sin(2 * np.pi * 0.31 * t + 1.0)
    return Rotation.from_euler("xy", np.column_stack([obliquity, tilt]), degrees=True)


def sensor(to_world: Rotation, heading_deg: float, noise_rads: float, seed: int) -> Sensor:
    """A sensor whose frame's heading differs from the room's."""
    turned = Rotation.from_euler("z", heading_deg, degrees=True) * to_world
    noise = np.random.default_rng(seed).standard_normal((COUNT, 3)) * noise_rads / GRID_HZ
    quat = turned.as_quat(scalar_first=True)
    return Sensor(quat, even_stream(turned).turn_rad + noise, quat[0])


@pytest.mark.parametrize("heading_deg", [-170.0, -30.0, 0.0, 75.0])
def test_the_heading_follows_from_sway_that_both_make(heading_deg):
    mounted = Rotation.from_euler("xyz", [30, -60, 100], degrees=True)
    pelvis = sensor(swaying(), 20.0, 1e-3, 1)
    thigh = sensor(swaying() * mounted, 20.0 + heading_deg, 1e-3, 2)
    found = common_heading(pelvis, thigh, [(0, COUNT)])
    assert found is not None
    apart = Rotation.from_euler("z", found.heading_rad - np.deg2rad(heading_deg)).magnitude()
    assert apart < max(3.0 * found.sd_rad, np.deg2rad(1.0))


def test_noise_widens_it():
    found = [
        common_heading(sensor(swaying(), 0.0, noise, 1), sensor(swaying(), 0.0, noise, 2), SPAN)
        for noise in (1e-4, 5e-3)
    ]
    assert found[0] is not None
    assert found[1] is not None
    assert found[1].sd_rad > 2.0 * found[0].sd_rad


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_thigh_that_stays_on_the_bench_says_nothing(share):
    pelvis, thigh = sensor(swaying(), 0.0, 1e-3, 1), sensor(swaying(share), 40.0, 1e-3, 2)
    assert common_heading(pelvis, thigh, [(0, COUNT)]) is None


def test_no_sway_and_no_stillness_say_nothing():
    calm = Rotation.identity(COUNT)
    assert common_heading(sensor(calm, 0, 1e-3, 1), sensor(calm, 0, 1e-3, 2), SPAN) is None
    pelvis, thigh = sensor(swaying(), 0.0, 1e-3, 1), sensor(swaying(), 0.0, 1e-3, 2)
    assert common_heading(pelvis, thigh, []) is None
    assert common_heading(pelvis, thigh, [(0, 40)]) is None


SPAN = [(0, COUNT)]
