"""Rows that no sensor measured, and rows of another: found at any time, size and sensor."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import AnalysisError
from analysis.integrity import cleaned, copies
from analysis.pipeline import analyse
from analysis.sets import SetAnalysis, analyse_set, analyse_sets
from analysis.settings import Settings
from imu.recording import Recording, Session, SessionInfo
from imu.simulator import DrillSettings, SensorSettings, simulate_set
from imu.simulator.faults import (
    begun_late,
    dead_gyroscope,
    dead_link,
    held,
    mixed,
    paused,
    with_stream,
    written_times,
)
from imu.simulator.simulated_set import Truth

REAL = Path(__file__).parents[3] / "shared" / "real"
DRILL = DrillSettings(reps=4)
SENSORS = SensorSettings(rate_hz=60.0)
segments = st.sampled_from(["pelvis", "thigh"])


@cache
def sound(side: str = "left") -> tuple[Recording, Truth]:
    return simulate_set(DRILL, SENSORS, side, 6)


def codes(recording: Recording) -> set[str]:
    return {reason.code for reason in cleaned(recording).reasons}


def errors_deg(found: SetAnalysis, truth: Truth) -> list[float]:
    """Of every counted repetition, against the true one nearest in time."""
    counted = [rep for rep in found.reps if rep.rom_deg is not None and rep.counts]
    nearest = [min(truth.reps, key=lambda t: abs(t.start_s - rep.start_s)) for rep in counted]
    return [abs(rep.rom_deg - true.rom_deg) for rep, true in zip(counted, nearest, strict=True)]


def test_a_sound_recording_stays_as_it_is():
    recording = sound()[0]
    found = cleaned(recording)
    assert found.reasons == ()
    for name, stream in found.recording.streams.items():
        assert len(stream.time_s) == len(recording.streams[name].time_s)


@pytest.mark.skipif(not REAL.is_dir(), reason="the real recordings are not here")
def test_no_real_sensor_is_accused():
    from tests.benchmarks.real import read_streams

    for path in sorted(REAL.glob("*_imu.csv")):
        streams = read_streams(REAL, path.name.removesuffix("_imu.csv"))
        assert codes(Recording("left", "left", path.name, streams)) == set(), path.name


@settings(max_examples=20)
@given(segments, st.floats(6.0, 22.0), st.integers(1, 12))
def test_a_dead_link_is_found_whatever_it_repeats(segment, at_s, packet):
    spoilt = dead_link(sound()[0], segment, at_s, packet)
    found = cleaned(spoilt)
    (reason,) = found.reasons
    assert (reason.grade, reason.code) == ("poor", "frozen")
    stream = found.recording.streams[segment]
    assert stream.time_s[-1] - stream.time_s[0] == pytest.approx(at_s, abs=0.1)


@settings(max_examples=20)
@given(segments, st.floats(4.0, 20.0), st.floats(0.1, 0.6))
def test_values_held_for_a_moment_are_not_measured(segment, at_s, lasts_s):
    found = cleaned(held(sound()[0], segment, at_s, lasts_s))
    (reason,) = found.reasons
    assert (reason.grade, reason.code) == ("fair", "frozen")
    gap_s = np.diff(found.recording.streams[segment].time_s).max()
    assert gap_s == pytest.approx(lasts_s, abs=0.04)


@pytest.mark.parametrize("segment", ["pelvis", "thigh"])
def test_a_gyroscope_dead_for_half_a_set_is_found(segment):
    spoilt = dead_gyroscope(sound()[0], segment, 9.0, 1e9)
    found = analyse_set(spoilt, Settings())
    assert (found.quality.grade, found.quality.codes[0]) == ("poor", "frozen")
    assert max(errors_deg(found, sound()[1])) < 0.5


def test_a_gyroscope_that_writes_zeros_in_a_short_rest_is_no_fault():
    assert codes(dead_gyroscope(sound()[0], "thigh", 0.5, 2.5)) == set()


@pytest.mark.parametrize("segment", ["pelvis", "thigh"])
@pytest.mark.parametrize("factor", [0.0, 1.0 / 57.3])
def test_a_gyroscope_without_noise_is_refused(segment, factor):
    stream = sound()[0].streams[segment]
    silent = replace(stream, gyr_rads=stream.gyr_rads * factor)
    with pytest.raises(AnalysisError, match="less than any gyroscope"):
        cleaned(with_stream(sound()[0], silent))


@pytest.mark.parametrize("times", [2, 3])
def test_values_written_several_times_give_the_true_rate(times):
    found = cleaned(written_times(sound()[0], times))
    assert {reason.code for reason in found.reasons} == {"low_rate"}
    assert f"{60 / times:.0f} Hz" in found.reasons[0].text


def test_one_stream_under_both_names_is_refused():
    recording = sound()[0]
    doubled = replace(recording.streams["thigh"], segment="pelvis")
    with pytest.raises(AnalysisError, match="both hold the same samples"):
        cleaned(with_stream(recording, doubled))


@pytest.mark.parametrize("every", [3, 5, 9])
def test_two_sensors_rows_under_one_name_are_refused(every):
    with pytest.raises(AnalysisError, match="two sensors' rows under one name"):
        cleaned(mixed(sound()[0], every))


def test_a_few_rows_of_another_sensor_are_left_out_and_counted():
    recording, truth = sound()
    found = analyse_set(mixed(recording, 5, 8.0, 9.0), Settings())
    assert "jumps" in found.quality.codes
    assert max(errors_deg(found, truth)) < 0.5


def test_both_sides_with_the_same_samples_are_not_compared():
    left = sound()[0]
    right = replace(left, name="right", side="right")
    analysis = analyse(Session("visit", SessionInfo(), (left, right)), Settings())
    assert {one.quality.grade for one in analysis.sets} == {"poor"}
    assert {one.quality.codes[0] for one in analysis.sets} == {"same_recording"}
    assert {one.verdict for one in analysis.comparisons} == {"inconclusive"}


@pytest.mark.parametrize("spoil", [lambda r: r, lambda r: begun_late(r, 2.0)])
def test_a_copy_of_a_set_is_counted_once(spoil):
    left = sound()[0]
    copy = replace(spoil(left), name="left-2")
    first, second = analyse_sets([left, copy], Settings(), None)
    assert all(rep.counts for rep in first.reps)
    assert not any(rep.counts for rep in second.reps)
    assert "same_recording" in second.quality.codes


def test_a_copy_written_more_coarsely_is_a_copy():
    left = sound()[0]
    coarse = {
        name: replace(s, acc_ms2=s.acc_ms2.round(2), gyr_rads=s.gyr_rads.round(3))
        for name, s in left.streams.items()
    }
    assert copies([left, replace(left, name="right", streams=coarse)]) == {"right": "left"}


def test_sets_of_one_visit_are_no_copies():
    sets = [sound("left")[0], sound("right")[0]]
    again = simulate_set(DRILL, SENSORS, "left", 7, "left-2", 6)[0]
    assert copies([*sets, again]) == {}


@pytest.mark.parametrize("pause_s", [20.0, 90.0])
def test_across_a_long_pause_nothing_is_concluded(pause_s):
    recording, truth = sound()
    rest_s = truth.reps[2].end_s + 0.4
    found = analyse_set(paused(recording, rest_s, pause_s), Settings())
    assert (found.quality.grade, found.quality.codes[0]) == ("poor", "gap")
    assert [rep.counts for rep in found.reps] == [True, True, True]
    for measured, true in zip(found.reps, truth.reps[:3], strict=True):
        assert measured.rom_deg == pytest.approx(true.rom_deg, abs=0.5)
        assert measured.pelvis_drift_deg == pytest.approx(true.pelvis_drift_deg, abs=0.3)
