from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from analysis.errors import AnalysisError
from analysis.motion.lean import backward_axis
from imu.recording import Recording
from imu.samples import Stream
from tests.analysis.motions import FLAT, course, seated, stream

LEANS = [(3.0, 0.0), *[(1.2, 22.0), (0.3, 22.0), (1.2, 0.0), (0.3, 0.0)] * 3, (1.0, 0.0)]
TIME_S = np.arange(0, 13.0, 1 / 60)


def leaned(worn: Rotation, plane: int = 0, bias_deg_s: float = 0.0, size: float = 1.0) -> Recording:
    """Three leans of the trunk, or the same turns in another plane; the thigh stays put."""
    amounts = [np.zeros(len(TIME_S))] * 3
    amounts[plane] = size * course(TIME_S, LEANS)
    pelvis, femur = seated("right", np.zeros(len(TIME_S)), pelvis_deg=amounts)
    rng = np.random.default_rng(2)
    streams = {}
    rests = Rotation.concatenate([femur[0]] * len(TIME_S))
    for name, to_world in (("pelvis", pelvis * worn), ("thigh", rests)):
        one = stream(TIME_S, to_world, name)
        gyr = one.gyr_rads + np.deg2rad(bias_deg_s + rng.normal(0, 0.1, one.gyr_rads.shape))
        acc = one.acc_ms2 + rng.normal(0, 0.05, one.acc_ms2.shape)
        streams[name] = Stream(name, TIME_S, acc, gyr)
    return Recording("calibration", "", "calibration.csv", streams)


def off_deg(found: np.ndarray, worn: Rotation) -> float:
    """Angle in the horizontal plane between backward as found and as it is."""
    backward = found @ worn.inv().as_matrix().T if found.ndim > 1 else worn.apply(found)
    return float(np.rad2deg(np.arctan2(backward[2], -backward[0])))


@given(st.floats(0, 2 * np.pi), st.floats(-15, 15), st.floats(-15, 15))
def test_backward_is_found_however_the_sensor_is_tipped_and_turned(turned, tipped, turned_off):
    """Worn off flat by up to 15 degrees about both axes, and turned about its z at will."""
    off = Rotation.from_euler("xy", [tipped, turned_off], degrees=True)
    worn = FLAT * off * Rotation.from_euler("z", turned)
    found = backward_axis(leaned(worn))
    assert np.linalg.norm(found) == pytest.approx(1.0)
    assert abs(off_deg(found, worn)) < 0.3


def test_a_large_bias_does_not_matter():
    worn = FLAT * Rotation.from_euler("y", 8.0, degrees=True)
    assert abs(off_deg(backward_axis(leaned(worn, bias_deg_s=5.0)), worn)) < 0.5


def test_without_a_lean_it_is_refused_with_the_remedy():
    with pytest.raises(AnalysisError, match=re.escape("calibration.csv: no trunk lean")) as error:
        backward_axis(leaned(FLAT, size=0.02))
    assert "Lean forward and back three times" in str(error.value)
    assert error.value.exit_status == 3


def test_someone_who_never_sits_still_is_refused():
    recording = leaned(FLAT)
    rng = np.random.default_rng(0)
    shaken = {
        name: Stream(
            name, one.time_s, one.acc_ms2, one.gyr_rads + rng.normal(0, 1, one.gyr_rads.shape)
        )
        for name, one in recording.streams.items()
    }
    with pytest.raises(AnalysisError, match="no still moment"):
        backward_axis(Recording("calibration", "", "calibration.csv", shaken))
