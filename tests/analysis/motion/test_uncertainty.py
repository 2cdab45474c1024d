from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.motion.uncertainty import COVERAGE, LEVEL_SD, RANGE_COVERAGE, AngleError, SensorError

SENSOR = SensorError(noise_rads=2e-4, bias_sd_rads=2e-4, scatter_rad=5e-3)
ERROR = AngleError(SENSOR, SENSOR, 0.02, 0.003, 0.035)
factors = st.floats(1.0, 20.0)


def widths(error: AngleError, duration_s: float = 5.0) -> dict[str, float]:
    return {
        "range": error.range_deg(32.0, duration_s, 3.0),
        "tilt": error.tilt_deg(duration_s, (1.0, 2.0, 2.0)),
        "rotation": error.rotation_deg(duration_s, (2.0, 2.0, 1.0)),
        "drift": error.drift_deg(duration_s, (2.0, 1.0, 2.0)),
    }


@given(st.sampled_from(["noise_rads", "bias_sd_rads", "scatter_rad"]), factors)
def test_a_worse_sensor_never_narrows_an_interval(name, factor):
    worse = replace(SENSOR, **{name: factor * getattr(SENSOR, name)})
    before, after = widths(ERROR), widths(replace(ERROR, pelvis=worse, thigh=worse))
    assert all(after[key] >= before[key] - 1e-12 for key in before)


@given(st.sampled_from(["axis_share_sd", "scale_sd", "placement_sd_rad"]), factors)
def test_a_less_certain_calibration_never_narrows_an_interval(name, factor):
    before = widths(ERROR)
    after = widths(replace(ERROR, **{name: factor * getattr(ERROR, name)}))
    assert all(after[key] >= before[key] - 1e-12 for key in before)


@given(st.floats(0.5, 20.0), factors)
def test_a_longer_repetition_never_narrows_an_interval(duration_s, factor):
    before, after = widths(ERROR, duration_s), widths(ERROR, factor * duration_s)
    assert all(after[key] >= before[key] - 1e-12 for key in before)


@given(st.floats(1.0, 60.0), factors)
def test_a_larger_range_never_narrows_its_interval(rom_deg, factor):
    assert ERROR.range_deg(factor * rom_deg, 3.0, 2.0) >= ERROR.range_deg(rom_deg, 3.0, 2.0)


def test_a_scale_error_is_a_share_of_the_range():
    """Alone, 1 % of 32 degrees, times the standard deviations in a half-width."""
    perfect = SensorError(0.0, 0.0, 0.0)
    error = AngleError(perfect, perfect, 0.0, 0.01, 0.0)
    assert 1.5 < RANGE_COVERAGE < 2.2  # of a distribution like the normal
    assert error.range_deg(32.0, 5.0, 0.0) == pytest.approx(RANGE_COVERAGE * 0.32)


def test_only_the_heading_grows_without_bound():
    """Gravity holds the inclination; nothing holds the turn about the vertical."""
    assert SENSOR.heading_rad(400.0) > 15 * SENSOR.heading_rad(20.0)
    assert SENSOR.inclination_rad(400.0) == pytest.approx(SENSOR.inclination_rad(40.0))


def test_a_sensor_not_flat_mixes_tilt_and_obliquity():
    assert ERROR.tilt_deg(5.0, (0.0, 10.0, 0.0)) > 2 * ERROR.tilt_deg(5.0, (0.0, 1.0, 0.0))


def test_a_vertical_that_is_off_mixes_tilt_into_rotation_and_rotation_into_tilt():
    """12 mg of bias tip the vertical by 0.012 rad: 10 degrees leave 0.12."""
    perfect = SensorError(0.0, 0.0, 0.0)
    error = AngleError(perfect, perfect, 0.0, 0.0, 0.0)
    mixed = COVERAGE * 10.0 * LEVEL_SD
    assert error.rotation_deg(1.0, (0.0, 0.0, 10.0)) == pytest.approx(mixed, rel=0.05)
    assert error.rotation_deg(1.0, (0.0, 10.0, 0.0)) == pytest.approx(mixed, rel=0.05)
    assert error.tilt_deg(1.0, (0.0, 0.0, 10.0)) == pytest.approx(mixed, rel=0.05)


def test_a_heading_walks_with_the_root_of_time_and_drifts_with_time():
    walk = SensorError(2e-4, 0.0, 0.0)
    assert walk.heading_rad(4.0) == pytest.approx(2e-4 * 2.0, rel=0.2)
    drift = SensorError(0.0, 1e-3, 0.0)
    assert drift.heading_rad(4.0) == pytest.approx(4e-3, rel=0.01)


def test_drift_about_the_vertical_is_less_certain_where_the_bias_is():
    biased = replace(ERROR, pelvis=replace(SENSOR, bias_sd_rads=5e-3))
    level, turning = (4.0, 0.0, 0.0), (0.0, 0.0, 4.0)
    assert biased.drift_deg(10.0, turning) > 1.5 * biased.drift_deg(10.0, level)
