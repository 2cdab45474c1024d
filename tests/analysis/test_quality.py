"""A fault put into a good set shows as its figure and its reason, and as nothing else."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from analysis.commands import hiprot
from analysis.errors import AnalysisError
from analysis.quality import SetQuality
from analysis.reasons import GRADES
from analysis.repetitions.measures import Repetition
from analysis.sensor_quality import count_saturated
from analysis.sets import analyse_set
from analysis.settings import Settings
from imu.errors import RecordingError
from imu.formats.setfile import format_set, parse_set
from imu.recording import Recording, Session, SessionInfo
from imu.samples import Stream
from imu.simulator import simulate_set
from imu.simulator.presets import PRESETS
from imu.storage.session import write_session

DRILL = replace(PRESETS["consumer60"].drill, reps=4)
GOOD, _ = simulate_set(DRILL, PRESETS["consumer60"].sensors, "left", 2)
RADIO, _ = simulate_set(DRILL, PRESETS["two_clocks_loss"].sensors, "right", 2)


def quality(recording: Recording) -> SetQuality:
    return analyse_set(recording, Settings()).quality


def keep(stream: Stream, rows: np.ndarray) -> Stream:
    arrival_s = None if stream.arrival_s is None else stream.arrival_s[rows]
    return replace(
        stream,
        time_s=stream.time_s[rows],
        acc_ms2=stream.acc_ms2[rows],
        gyr_rads=stream.gyr_rads[rows],
        arrival_s=arrival_s,
    )


def with_stream(recording: Recording, stream: Stream) -> Recording:
    return replace(recording, streams=dict(recording.streams) | {stream.segment: stream})


def test_a_good_set_is_good():
    found = quality(GOOD)
    assert (found.grade, found.reasons) == ("good", ())
    for sensor in found.sensors.values():
        assert sensor.rate_hz == pytest.approx(60.0, rel=1e-3)
        assert sensor.lost_percent == 0.0
        assert sensor.longest_gap_s == pytest.approx(1 / 60, rel=0.01)
        assert (sensor.gaps, sensor.duplicates, sensor.steps_back, sensor.saturated) == (0, 0, 0, 0)
        assert sensor.clock_skew_ppm is None
        assert sensor.still_start_s == pytest.approx(DRILL.still_before_s, abs=0.5)
        assert sensor.still_end_s == pytest.approx(DRILL.still_after_s, abs=1.0)
    assert found.pelvis_z_to_level_deg < 10
    assert found.axis_to_level_deg < 10
    assert found.axis_explained_percent > 90


def test_the_bias_and_the_clocks_of_the_simulator_are_found():
    for recording in (GOOD, RADIO):
        preset = PRESETS["consumer60"].sensors
        for sensor in quality(recording).sensors.values():
            assert sensor.bias_deg_s == pytest.approx(preset.gyr_bias_deg_s, abs=0.1)
    radio = PRESETS["two_clocks_loss"].sensors
    found = quality(RADIO).sensors
    # one connection interval over some 25 s leaves a thousandth open
    assert found["pelvis"].clock_skew_ppm == pytest.approx(radio.pelvis_clock_ppm, abs=300)
    assert found["thigh"].clock_skew_ppm == pytest.approx(radio.thigh_clock_ppm, abs=300)


@pytest.mark.parametrize(("share", "grade"), [(0.03, "good"), (0.12, "fair"), (0.4, "poor")])
def test_lost_samples_are_told_and_graded(share, grade):
    pelvis = GOOD.streams["pelvis"]
    rows = np.random.default_rng(1).random(len(pelvis.time_s)) >= share
    found = quality(with_stream(GOOD, keep(pelvis, np.flatnonzero(rows))))
    assert found.sensors["pelvis"].lost_percent == pytest.approx(100 * share, rel=0.3)
    assert found.sensors["pelvis"].rate_hz == pytest.approx(60.0, rel=1e-3)
    assert found.sensors["thigh"].lost_percent == 0.0
    assert found.grade == grade
    assert all("pelvis" in reason and "missing" in reason for reason in found.reasons)


def test_a_gap_is_told():
    thigh = GOOD.streams["thigh"]
    rows = np.flatnonzero(np.abs(thigh.time_s - thigh.time_s[0] - 10.4) > 0.4)
    found = quality(with_stream(GOOD, keep(thigh, rows)))
    assert found.sensors["thigh"].longest_gap_s == pytest.approx(0.8, abs=0.05)
    assert found.sensors["thigh"].gaps == 1
    assert found.grade == "fair"
    assert found.reasons == ("thigh: no sample for 0.8 s",)


def test_a_late_start_leaves_too_little_stillness():
    streams = {
        name: keep(stream, np.flatnonzero(stream.time_s > stream.time_s[0] + 1.7))
        for name, stream in GOOD.streams.items()
    }
    found = quality(replace(GOOD, streams=streams))
    assert 0.9 < found.sensors["thigh"].still_start_s < 2.0
    assert found.grade == "fair"
    assert "of stillness before the first turn" in found.reasons[0]


def test_a_sensor_that_stopped_early_is_told():
    pelvis = GOOD.streams["pelvis"]
    found = quality(
        with_stream(GOOD, keep(pelvis, np.flatnonzero(pelvis.time_s < pelvis.time_s[0] + 20.0)))
    )
    assert any(reason.startswith("pelvis: measured for") for reason in found.reasons)


def test_a_cut_file_is_told():
    text = format_set(GOOD)
    found = quality(parse_set(text[:-20].encode(), "left", "left.csv"))
    assert (found.cut_rows, found.grade) == (1, "fair")
    assert "ends in the middle of a line" in found.reasons[0]


def test_reasons_stand_worst_first_and_the_grade_is_the_worst():
    pelvis = GOOD.streams["pelvis"]
    rows = np.flatnonzero(np.random.default_rng(1).random(len(pelvis.time_s)) >= 0.4)
    recording = replace(with_stream(GOOD, keep(pelvis, rows)), cut_rows=1)
    found = quality(recording)
    assert found.grade == "poor"
    assert "missing" in found.reasons[0]
    assert "middle of a line" in found.reasons[-1]
    assert GRADES.index(found.grade) == 2


@pytest.mark.parametrize("up", [1.0, -1.0])
def test_a_pelvis_sensor_that_points_up_is_refused(up):
    pelvis = GOOD.streams["pelvis"]
    acc = pelvis.acc_ms2[:30].mean(axis=0)
    vertical, backward = acc / np.linalg.norm(acc), np.array([0.0, 0.0, 1.0])
    level = backward - (backward @ vertical) * vertical
    level /= np.linalg.norm(level)
    # new axes: z along the vertical
    turned = np.stack([level, np.cross(up * vertical, level), up * vertical])
    stood = replace(pelvis, acc_ms2=pelvis.acc_ms2 @ turned.T, gyr_rads=pelvis.gyr_rads @ turned.T)
    with pytest.raises(AnalysisError, match=r"left.csv, pelvis: the sensor's \+z axis is 8\d|90"):
        quality(with_stream(GOOD, stood))
    leaned = analyse_set(with_stream(GOOD, stood), Settings(), turned @ level)
    assert leaned.quality.grade == "good"


@pytest.mark.parametrize("kind", ["acc_ms2", "gyr_rads"])
@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0.5, 0.9))
def test_values_cut_off_at_any_level_are_counted(kind, seed, share):
    rng = np.random.default_rng(seed)
    time_s = np.arange(600) / 60
    scale = 40.0 if kind == "acc_ms2" else 2.0
    signal = scale * np.sin(2 * np.pi * time_s) + rng.normal(0, 1e-3 * scale, 600)
    values = np.column_stack(
        [np.clip(signal, -share * scale, share * scale), 0 * signal, 0 * signal]
    )
    zeros = np.zeros((600, 3))
    stream = Stream("thigh", time_s, zeros, zeros)
    cut_off = int((np.abs(signal) >= share * scale).sum())
    assert count_saturated(replace(stream, **{kind: values})) == pytest.approx(cut_off, abs=2)


@pytest.mark.parametrize("name", ["clean", "poor", "fast1", "slow10", "fidgeting"])
def test_no_simulated_condition_saturates(name):
    recording, _ = simulate_set(PRESETS[name].drill, PRESETS[name].sensors, "left", 3)
    assert [count_saturated(stream) for stream in recording.streams.values()] == [0, 0]


def test_a_slow_peak_rounded_to_coarse_steps_is_not_cut_off():
    time_s = np.arange(600) / 60
    rate = np.round(0.6 * np.sin(0.5 * np.pi * time_s) / 2e-3) * 2e-3
    zeros = np.zeros((600, 3))
    stream = Stream("thigh", time_s, zeros, np.column_stack([rate, rate, rate]))
    assert (rate == rate.max()).sum() >= 15
    assert count_saturated(stream) == 0


def test_a_sensor_at_full_scale_is_told():
    thigh = GOOD.streams["thigh"]
    limit = 0.7 * np.abs(thigh.gyr_rads).max()
    clipped = replace(thigh, gyr_rads=np.clip(thigh.gyr_rads, -limit, limit))
    found = quality(with_stream(GOOD, clipped))
    assert found.sensors["thigh"].saturated > 20
    assert found.grade == "poor"
    assert "full scale" in found.reasons[0]


def test_a_frozen_sensor_is_told():
    thigh = GOOD.streams["thigh"]
    first = int(np.abs(thigh.gyr_rads).sum(axis=1).argmax())
    gyr, acc = thigh.gyr_rads.copy(), thigh.acc_ms2.copy()
    gyr[first : first + 31], acc[first : first + 31] = gyr[first], acc[first]
    found = quality(with_stream(GOOD, replace(thigh, gyr_rads=gyr, acc_ms2=acc)))
    assert "frozen" in found.codes
    (said,) = (reason for reason in found.reasons if "repeats one value" in reason)
    begin_s, end_s = (float(part) for part in re.findall(r"[0-9.]+(?= to|  *s)", said)[:2])
    assert (begin_s, end_s) == pytest.approx((first / 60.0, first / 60.0 + 0.5), abs=0.05)


# --- disturbances on the way from the sensor to the file -------------------------------------


def rows_of(recording: Recording) -> tuple[str, list[list[str]]]:
    header, *lines = format_set(recording).splitlines()
    return header, [line.split(",") for line in lines]


def parsed(header: str, rows: list[list[str]]) -> Recording:
    text = "\n".join([header, *(",".join(row) for row in rows)]) + "\n"
    return parse_set(text.encode(), "right", "right.csv")


def ranges_deg(reps: tuple[Repetition, ...]) -> list[float]:
    return [rep.rom_deg for rep in reps if rep.rom_deg is not None]


def test_packets_delivered_twice_and_overtaken_change_nothing_but_the_counts():
    header, rows = rows_of(RADIO)
    plain = analyse_set(parsed(header, rows), Settings())
    again = rows[:900] + rows[840:900] + rows[900:]
    moved = again[:1500] + again[1504:1560] + again[1500:1504] + again[1560:]
    disturbed = analyse_set(parsed(header, moved), Settings())
    counted = disturbed.quality.sensors
    assert sum(sensor.duplicates for sensor in counted.values()) == 60
    assert sum(sensor.steps_back for sensor in counted.values()) >= 1
    assert ranges_deg(disturbed.reps) == pytest.approx(ranges_deg(plain.reps), abs=1e-9)


def restarted(rows: list[list[str]], at_s: float) -> list[list[str]]:
    """The thigh sensor reboots: a second is lost, its clock begins at 0 again."""
    arrival_s = [float(row[-1]) for row in rows]
    new = []
    for row, arrived_s in zip(rows, arrival_s, strict=True):
        since_s = arrived_s - arrival_s[0] - at_s
        if row[0] == "pelvis" or since_s < 0:
            new.append(row)
        elif since_s > 1.0:
            first_s = next(
                float(r[1])
                for r, a in zip(rows, arrival_s, strict=True)
                if r[0] == "thigh" and a - arrival_s[0] - at_s > 1.0
            )
            new.append([row[0], f"{float(row[1]) - first_s:.6f}", *row[2:]])
    return new


def test_a_restarted_clock_moves_the_ranges_by_hundredths_of_a_degree():
    header, rows = rows_of(RADIO)
    plain = analyse_set(parsed(header, rows), Settings())
    rest_s = plain.reps[1].end_s + 0.2  # between two repetitions, so that both stay whole
    disturbed = analyse_set(parsed(header, restarted(rows, rest_s)), Settings())
    assert "thigh: its clock restarted" in " ".join(disturbed.quality.reasons)
    assert ranges_deg(disturbed.reps) == pytest.approx(ranges_deg(plain.reps), abs=0.3)
    starts_s = [[rep.start_s for rep in one.reps] for one in (plain, disturbed)]
    assert starts_s[1] == pytest.approx(starts_s[0], abs=0.1)


def test_a_restarted_clock_without_arrivals_is_refused():
    header, rows = rows_of(RADIO)
    rows = [row[:-1] for row in restarted(rows, 12.0)]
    with pytest.raises(RecordingError, match=r"^right.csv, line \d+, column time_s: .*anew"):
        parsed(header.removesuffix(",arrival_s"), rows)


# --- the command ------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    session = Session("visit", SessionInfo(), (GOOD, RADIO))
    write_session(tmp_path / "visit", session)
    return tmp_path / "visit"


def test_check_tells_grade_and_figures(folder):
    result = CliRunner().invoke(hiprot, ["check", str(folder)], catch_exceptions=False)
    assert result.exit_code == 0
    assert result.stderr == ""
    for word in ("left: good", "right: good", "pelvis", "thigh", "60.0 Hz", "ppm"):
        assert word in result.stdout


def test_check_prints_a_document(folder):
    (folder / "left.csv").write_text(format_set(GOOD)[:-10])
    result = CliRunner().invoke(hiprot, ["check", str(folder), "--json"], catch_exceptions=False)
    assert result.exit_code == 0
    document = json.loads(result.stdout)
    assert document["schema"] == "hiprot.check/1"
    assert document["grade"] == "fair"
    assert set(document["sets"]) == {"left", "right"}
    left = document["sets"]["left"]
    assert (left["side"], left["grade"], left["cut_rows"]) == ("left", "fair", 1)
    assert left["sensors"]["pelvis"]["clock_skew_ppm"] is None
    assert document["sets"]["right"]["sensors"]["thigh"]["samples"] > 1000
    assert left["ir_uncertainty_deg"] > 0


def test_check_refuses_what_the_report_refuses(folder):
    scaled = replace(GOOD.streams["thigh"], acc_ms2=GOOD.streams["thigh"].acc_ms2 / 9.80665)
    (folder / "left.csv").write_text(format_set(with_stream(GOOD, scaled)))
    for command in ("check", "report"):
        result = CliRunner().invoke(hiprot, [command, str(folder)])
        assert isinstance(result.exception, RecordingError)
        assert "left.csv, thigh: acc reads 1 at rest" in str(result.exception)
    assert not (folder / "report").exists()
