"""Real recordings made by others, where they are at hand: nobody is accused, gravity is found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis.errors import AnalysisError
from analysis.motion.plausibility import judge_axes, refuse_implausible
from imu.recording import Recording
from imu.samples import Stream
from imu.units import DEG_PER_RAD, STANDARD_GRAVITY_MS2
from tests.benchmarks.real import FOLDER, MAX_RATIO, inclination_errors_deg, read_streams

CASES = sorted(path.name.removesuffix("_imu.csv") for path in FOLDER.glob("*_imu.csv"))
BROAD = [case for case in CASES if case.startswith("broad")]
TURNING = [case for case in BROAD if "slow_rot" in case]
LIMBS = [("yurtman_s1_e8", "thigh"), ("yurtman_s1_e1", "thigh"), *((c, "thigh") for c in TURNING)]

pytestmark = pytest.mark.skipif(not CASES, reason=f"the real recordings are not in {FOLDER}")


def as_recording(stream: Stream) -> Recording:
    """A set of which both sensors are this one."""
    streams = {name: replace(stream, segment=name) for name in ("pelvis", "thigh")}
    return Recording("left", "left", "left.csv", streams)


@pytest.mark.parametrize("case", CASES)
def test_no_sensor_is_accused(case):
    for stream in read_streams(FOLDER, case).values():
        refuse_implausible(as_recording(stream))


def test_turns_that_movement_hides_are_odd():
    report = judge_axes(read_streams(FOLDER, "yurtman_s3_e8")["thigh"])
    assert report.odd
    assert not report.wrong


@pytest.mark.parametrize(("case", "name"), LIMBS)
@pytest.mark.parametrize(
    ("axes", "message"),
    [
        (DEG_PER_RAD * np.eye(3), "deg/s"),
        (-np.eye(3), "the other way round"),
        (np.diag([1.0, -1.0, 1.0]), "gyr "),
        (np.diag([1.0, 1.0, -1.0]), "gyr "),
        (np.eye(3)[[1, 0, 2]], "gyr "),
        (np.eye(3)[[0, 2, 1]], "gyr "),
    ],
    ids=["degrees", "reversed", "y reversed", "z reversed", "x, y exchanged", "y, z exchanged"],
)
def test_the_same_with_wrong_axes_is_refused(case, name, axes, message):
    stream = read_streams(FOLDER, case)[name]
    with pytest.raises(AnalysisError, match=rf"left\.csv, pelvis: .*{message}"):
        refuse_implausible(as_recording(replace(stream, gyr_rads=stream.gyr_rads @ axes.T)))


@pytest.mark.parametrize("case", CASES)
def test_the_same_in_units_of_gravity_is_refused(case):
    for stream in read_streams(FOLDER, case).values():
        in_g = replace(stream, acc_ms2=stream.acc_ms2 / STANDARD_GRAVITY_MS2)
        with pytest.raises(AnalysisError, match="these are g"):
            refuse_implausible(as_recording(in_g))


@pytest.mark.parametrize("case", BROAD)
def test_inclination_is_no_worse_than_the_yardsticks(case):
    own, other = inclination_errors_deg(FOLDER, case)
    assert own <= MAX_RATIO * other
