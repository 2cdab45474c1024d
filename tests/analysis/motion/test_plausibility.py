"""Wrong units and axes are named, right ones pass, whatever the mounting."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from analysis.errors import AnalysisError
from analysis.motion.plausibility import gyroscope_against_gravity, judge_axes, refuse_implausible
from imu.recording import Recording
from imu.samples import Array, Stream
from imu.simulator import simulate_set
from imu.simulator.presets import PRESETS
from imu.units import DEG_PER_RAD, STANDARD_GRAVITY_MS2

RECORDING, _ = simulate_set(PRESETS["consumer60"].drill, PRESETS["consumer60"].sensors, "left", 4)


def changed(segment: str, **fields: Array) -> Recording:
    streams = dict(RECORDING.streams)
    streams[segment] = replace(streams[segment], **fields)
    return replace(RECORDING, streams=streams)


def rocking(rate_hz: float, bias_rads: Array, mounting: Rotation) -> Stream:
    """A sensor rocked to and fro by 30 degrees about a level axis, with a biased gyroscope."""
    time_s = np.arange(0, 20, 1 / rate_hz)
    angle = np.deg2rad(30) * np.sin(0.5 * np.pi * time_s)
    pose = Rotation.from_euler("x", angle[:, None]) * mounting
    rate = np.deg2rad(30) * 0.5 * np.pi * np.cos(0.5 * np.pi * time_s)
    turning = mounting.inv().apply(np.column_stack([rate, 0 * rate, 0 * rate]))
    force = pose.inv().apply([0.0, 0.0, STANDARD_GRAVITY_MS2])
    return Stream("thigh", time_s, np.asarray(force), np.asarray(turning) + bias_rads)


@settings(max_examples=50)
@given(
    seed=st.integers(0, 2**32 - 1),
    rate_hz=st.floats(25, 200),
    factor=st.sampled_from([1.0, DEG_PER_RAD, -1.0, 0.01]),
)
def test_the_gain_is_the_unit_in_any_mounting_with_any_bias(seed, rate_hz, factor):
    rng = np.random.default_rng(seed)
    bias_rads = np.deg2rad(rng.uniform(-10, 10, 3))
    stream = rocking(rate_hz, bias_rads, Rotation.from_quat(rng.normal(size=4)))
    agreement = gyroscope_against_gravity(replace(stream, gyr_rads=factor * stream.gyr_rads))
    # half-seconds at a quarter hertz: the mean direction lags the angle's mean by 2 %
    assert agreement.gain * factor == pytest.approx(1.0, rel=0.03)
    assert agreement.gain_sd < 0.05 * abs(agreement.gain)


@pytest.mark.parametrize("name", ["poor", "fast1", "swaying", "fidgeting", "two_clocks_loss"])
def test_no_simulated_condition_is_implausible(name):
    recording, _ = simulate_set(PRESETS[name].drill, PRESETS[name].sensors, "right", 1)
    refuse_implausible(recording)


@pytest.mark.parametrize("segment", ["pelvis", "thigh"])
@pytest.mark.parametrize(
    ("factor", "message"),
    [
        (
            1 / STANDARD_GRAVITY_MS2,
            "acc reads 1 at rest, expected 9.81: these are g. Multiply by 9.8",
        ),
        (1000 / STANDARD_GRAVITY_MS2, "thousandths of g .* Multiply by 0.00980665"),
        (1 / 0.3048, "these are ft/s². Multiply by 0.3048"),
        (0.001, "Gravity has been taken out"),
        (1.3, "acc reads 12.[78] at rest, expected 9.81. Write acc in m/s²"),
    ],
)
def test_acceleration_in_other_units_is_refused_by_name(segment, factor, message):
    acc = RECORDING.streams[segment].acc_ms2 * factor
    with pytest.raises(AnalysisError, match=rf"^left.csv, {segment}: .*{message}"):
        refuse_implausible(changed(segment, acc_ms2=acc))


@pytest.mark.parametrize("segment", ["pelvis", "thigh"])
@pytest.mark.parametrize(
    ("factor", "message"),
    [
        (DEG_PER_RAD, r"these are deg/s. Multiply by 0\.0174533"),
        (-1.0, "the other way round"),
        (1000 * DEG_PER_RAD, "gyr and acc disagree"),
        (0.0, "gyr and acc disagree"),
        (1 / DEG_PER_RAD, "gyr and acc disagree"),  # converted twice
    ],
)
def test_angular_rate_in_other_units_is_refused_by_name(segment, factor, message):
    if segment == "pelvis" and 0 <= factor < 1:
        segment = "thigh"  # a pelvis hardly moves: that its gyroscope is silent, its noise tells
    gyr = RECORDING.streams[segment].gyr_rads * factor
    with pytest.raises(AnalysisError, match=rf"^left.csv, {segment}: .*{message}"):
        refuse_implausible(changed(segment, gyr_rads=gyr))


WRONG_AXES = {
    "left-handed": -np.eye(3),
    "x reversed": np.diag([-1.0, 1.0, 1.0]),
    "y reversed": np.diag([1.0, -1.0, 1.0]),
    "z reversed": np.diag([1.0, 1.0, -1.0]),
    "x and z exchanged": np.eye(3)[[2, 1, 0]],
    "y and z exchanged": np.eye(3)[[0, 2, 1]],
}


@pytest.mark.parametrize("axes", WRONG_AXES.values(), ids=WRONG_AXES.keys())
def test_reversed_exchanged_and_left_handed_axes_are_refused(axes):
    gyr = RECORDING.streams["thigh"].gyr_rads @ axes.T
    with pytest.raises(AnalysisError, match=r"^left.csv, thigh: gyr .*Write both in the same"):
        refuse_implausible(changed("thigh", gyr_rads=gyr))


def test_a_left_handed_sensor_is_refused():
    """One axis turned over in both kinds of reading, as a left-handed device writes them."""
    thigh, mirror = RECORDING.streams["thigh"], np.array([1.0, -1.0, 1.0])
    mirrored = changed("thigh", acc_ms2=thigh.acc_ms2 * mirror, gyr_rads=thigh.gyr_rads * mirror)
    with pytest.raises(AnalysisError, match="the other way round"):
        refuse_implausible(mirrored)


@pytest.mark.parametrize("seed", range(4))
def test_a_sensor_pushed_in_step_with_small_turns_is_odd_but_not_accused(seed):
    """Pushed along by 0.4 m every 2 s while it rocks by 3 degrees: gravity seems to turn back.

    The push tips what the sensor feels by 10 degrees and more, in step with the turn.
    """
    rng = np.random.default_rng(seed)
    time_s = np.arange(0, 60, 0.01)
    swing = np.sin(np.pi * time_s) * (1.0 + 0.2 * np.sin(0.3 * time_s))
    pose = Rotation.from_euler("y", 3.0 * swing[:, None], degrees=True)
    place_m = np.column_stack([0.4 * swing, 0.02 * np.sin(2.0 * time_s), 0 * swing])
    pushed = np.gradient(np.gradient(place_m, time_s, axis=0), time_s, axis=0)
    mounting = Rotation.from_quat(rng.normal(size=4))
    whole = pose * mounting
    acc = whole.inv().apply(pushed * rng.choice([-1, 1]) + [0, 0, STANDARD_GRAVITY_MS2])
    rate = np.gradient(np.deg2rad(3.0) * swing, time_s)
    gyr = mounting.inv().apply(np.outer(rate, [0, 1, 0])) + rng.normal(0, 0.002, (len(rate), 3))
    report = judge_axes(Stream("thigh", time_s, np.asarray(acc), np.asarray(gyr)))
    assert report.odd
    assert not report.wrong


def test_degrees_are_recognised_by_their_size_where_nothing_turns_against_gravity():
    time_s = np.arange(0, 20, 0.02)
    spin = np.column_stack([0 * time_s, 0 * time_s, 60 + 0 * time_s])  # about the vertical
    still = np.tile([0.0, 0.0, STANDARD_GRAVITY_MS2], (len(time_s), 1))
    assert gyroscope_against_gravity(Stream("thigh", time_s, still, spin)).gain_sd == np.inf
    with pytest.raises(AnalysisError, match="as rad/s that is impossible"):
        refuse_implausible(changed("thigh", time_s=time_s, acc_ms2=still, gyr_rads=spin))


@pytest.mark.parametrize("count", [1, 2, 30])
def test_a_short_stream_is_not_judged(count):
    stream = RECORDING.streams["thigh"]
    short = replace(
        stream,
        time_s=stream.time_s[:count],
        acc_ms2=stream.acc_ms2[:count],
        gyr_rads=stream.gyr_rads[:count],
    )
    assert gyroscope_against_gravity(short).gain_sd == np.inf
