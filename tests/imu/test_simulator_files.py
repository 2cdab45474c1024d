"""Clocks, losses and files of simulated sessions; `hiprot simulate`; the sample sessions."""

import json
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from analysis.commands import hiprot
from imu.errors import CallError
from imu.simulator import DrillSettings, SensorSettings, simulate_set
from imu.simulator.files import session_files, set_text
from imu.simulator.sessions import SessionSettings, simulate_session
from imu.simulator.tables import session_settings
from imu.storage.session import read_session
from imu.validation import changed

RECORDINGS = Path(__file__).parents[2] / "recordings"
ONE_REP = DrillSettings(reps=1)
RADIO = SensorSettings(
    arrivals=True, pelvis_clock_ppm=80, thigh_clock_ppm=-50, late_bursts_per_min=20, loss=0.05
)


def test_clocks_run_at_their_own_rate():
    recording, truth = simulate_set(DrillSettings(reps=4), RADIO, "left", 2)
    for segment, ppm in (("pelvis", 80), ("thigh", -50)):
        shown = recording.streams[segment].time_s
        rate = (shown[-1] - shown[0]) / np.ptp(truth.true_s[segment])
        assert (rate - 1) * 1e6 == pytest.approx(ppm, abs=1e-3)
    assert min(one[0] for one in truth.true_s.values()) == 0


def test_packets_arrive_late_and_together():
    recording, truth = simulate_set(DrillSettings(reps=4), RADIO, "left", 2)
    for segment, stream in recording.streams.items():
        assert stream.arrival_s is not None
        host_s = stream.arrival_s - truth.worn[segment].host_s - truth.first_s
        delay_s = host_s - truth.true_s[segment]
        assert delay_s.min() >= 0.008
        assert 0.03 < np.percentile(delay_s, 90) < 0.3
        assert 0.2 < delay_s.max() < 0.6  # a hold-up, or two that touch
        assert np.all(np.diff(stream.arrival_s) >= 0)
        assert np.mean(np.diff(stream.arrival_s) == 0) > 0.5


def test_as_many_samples_are_lost_as_asked():
    sensors = SensorSettings(loss=0.2, pelvis_gaps=((3.0, 1.5),))
    _, truth = simulate_set(DrillSettings(reps=6), sensors, "right", 3)
    pelvis, thigh = truth.true_s["pelvis"], truth.true_s["thigh"]
    kept = len(thigh) / (np.ptp(thigh) * 100 + 1)
    assert kept == pytest.approx(0.8, abs=4 * np.sqrt(0.16 / len(thigh)))
    assert np.diff(pelvis).max() > 1.49
    assert np.diff(thigh).max() < 0.15


def test_the_other_rate_is_the_thighs():
    sensors = SensorSettings(rate_hz=60, thigh_rate_hz=120)
    recording, _ = simulate_set(ONE_REP, sensors, "right", 3)
    rates = {name: 1 / np.diff(one.time_s).mean() for name, one in recording.streams.items()}
    assert rates == pytest.approx({"pelvis": 60, "thigh": 120})


@pytest.mark.parametrize("arrivals", [False, True])
def test_rows_stand_in_the_order_they_arrived(arrivals):
    sensors = SensorSettings(arrivals=arrivals, magnetometer=True, shank=True, duplicates=0.02)
    recording, _ = simulate_set(ONE_REP, sensors, "left", 1)
    text = set_text(recording)
    header, first, *_ = text.splitlines()
    columns = "sensor,time_s,acc_x,acc_y,acc_z,gyr_x,gyr_y,gyr_z,mag_x,mag_y,mag_z"
    assert header == columns + (",arrival_s" if arrivals else "")
    assert [len(cell.partition(".")[2]) for cell in first.split(",")[:8]] == [
        0,
        6,
        *[5] * 3,
        *[6] * 3,
    ]
    table = pd.DataFrame(
        [line.split(",") for line in text.splitlines()[1:]], columns=header.split(",")
    )
    order = table["arrival_s" if arrivals else "time_s"].astype(float)
    assert order.is_monotonic_increasing
    assert set(table["sensor"]) == {"pelvis", "thigh", "shank"}
    assert table.duplicated().sum() == sum(s.faults.duplicates for s in recording.streams.values())


def test_what_is_written_is_read_again(tmp_path):
    settings = session_settings(
        {
            "preset": "two_clocks_loss",
            "seed": 5,
            "sets": ["right-2", "left"],
            "calibration": True,
            "drill": {"reps": 2},
            "sensors": {"duplicates": 0.01},
            "events": [{"set": "left", "kind": "pinch", "score": 3, "rep": 2, "text": 'a "b", c'}],
        },
        "test",
    )
    simulated = simulate_session("visit", settings)
    for name, text in session_files(simulated, 100).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    read = read_session(tmp_path)
    assert [one.name for one in read.recordings] == ["left", "right-2"]
    assert read.info == simulated.session.info
    assert [(e.kind, e.score, e.text) for e in read.events] == [("pinch", 3, 'a "b", c')]
    row = simulated.truths["left"].reps[1]
    assert row.hold_start_s < read.events[0].time_s < row.hold_end_s
    assert read.calibration is not None
    for one, again in zip(simulated.session.recordings, read.recordings, strict=True):
        for segment, stream in one.streams.items():
            same = again.streams[segment]
            np.testing.assert_allclose(same.time_s, stream.time_s, atol=6e-7)
            np.testing.assert_allclose(same.arrival_s, stream.arrival_s, atol=6e-7)
            np.testing.assert_allclose(same.acc_ms2, stream.acc_ms2, atol=6e-6)
            np.testing.assert_allclose(same.gyr_rads, stream.gyr_rads, atol=6e-7)
            assert same.faults == stream.faults


def test_the_sets_of_a_visit_share_the_sensors_but_not_the_movement():
    drill = DrillSettings(reps=2)
    settings = SessionSettings({"left": drill, "right": drill}, seed=4)
    truths = simulate_session("visit", settings).truths
    left, right = truths["left"], truths["right"]
    for segment in ("pelvis", "thigh"):
        biases = [truth.worn[segment].faults.gyr_bias_rads for truth in (left, right)]
        np.testing.assert_array_equal(*biases)
    turns = [
        (left.worn[name].mounting.rotation.inv() * right.worn[name].mounting.rotation).magnitude()
        for name in ("pelvis", "thigh")
    ]
    assert turns[0] < 1e-12
    assert turns[1] > 0.1
    assert left.reps[0].rom_deg != pytest.approx(right.reps[0].rom_deg, abs=1e-3)
    alone = simulate_session("visit", SessionSettings({"right": drill}, seed=4)).truths["right"]
    assert alone.reps == right.reps


def run(*arguments: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(hiprot, ["simulate", *map(str, arguments)])
    if isinstance(result.exception, CallError):
        return result.exception.exit_status, result.stdout, str(result.exception)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def test_the_command_writes_a_session_and_its_truth(tmp_path):
    folder = tmp_path / "deep" / "visit"
    status, out, _ = run(
        *(folder, "--seed", 3, "--reps", 2, "--left-range", 20, "--right-range", 40),
        *("--rate", 50, "--set", "drill.variation=0", "--json"),
    )
    assert status == 0
    written = json.loads(out)
    files = {"left.csv", "right.csv", "session.json", "truth.csv", "truth_angles.csv"}
    assert {path.name for path in folder.iterdir()} == files == set(written["files"])
    assert written["reps"] == {"left": 2, "right": 2}
    truth = pd.read_csv(folder / "truth.csv")
    ranges = truth.groupby("side")["rom_deg"].mean()
    assert ranges["left"] == pytest.approx(20, abs=1.5)  # returns end within some 0.5 deg
    assert ranges["right"] == pytest.approx(40, abs=1.5)
    angles = pd.read_csv(folder / "truth_angles.csv")
    for row in truth.itertuples():
        inside = angles[(angles["set"] == row.set) & (angles["rep"] == row.rep)]
        assert inside["ir_deg"].max() == pytest.approx(row.peak_ir_deg, abs=0.02)
        assert inside["time_s"].min() == pytest.approx(row.start_s, abs=0.0101)
        assert inside["time_s"].max() == pytest.approx(row.end_s, abs=0.0101)


def test_the_command_does_not_overwrite(tmp_path):
    (tmp_path / "left.csv").write_text("mine")
    status, out, message = run(tmp_path)
    assert (status, out) == (2, "")
    assert str(tmp_path) in message
    assert [path.name for path in tmp_path.iterdir()] == ["left.csv"]


@pytest.mark.parametrize(
    "change",
    [
        *("drill.hold=2", "drill.reps=0", "drill.reps=1.5", "drill.hold_s='long'", "left=3"),
        *("sensors.arrivals=1", "sensors.pelvis_gaps=[1, 2]", "sensors.rate_hz=nan", "seed=-1"),
        *("sensors.pelvis_clock_ppm=50", "sets=['both']", "sets=[]", "truth_rate_hz=0", "hold_s"),
        *("truth_rate_hz=true", "preset='none'", "info.started=2026-01-01", "seed=x", "x.y.z=1"),
        *("sensors.pelvis_gaps=[[0, 100]]", "events=[{set='left', kind='ouch'}]", "events=3"),
        *("events=[{set='left', kind='pain', rep=99}]", "events=[{kind='pain'}]", "sensors.loss=1"),
        *("info.sensors.pelvis.weight=3", "events=[{set='left', kind='pain', score='x'}]"),
    ],
)
def test_a_wrong_setting_is_refused_in_one_line_and_nothing_is_written(tmp_path, change):
    folder = tmp_path / "visit"
    status, out, message = run(folder, "--reps", 1, "--set", change)
    assert (status, out) == (2, "")
    assert message
    assert "\n" not in message
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[drill", None])
def test_a_settings_file_that_cannot_be_read_is_refused(tmp_path, content):
    path = tmp_path / "settings.toml"
    if content is not None:
        path.write_bytes(content)
    status, _, message = run(tmp_path / "visit", "--settings", path)
    assert status == 2
    assert str(path) in message


toml_values = st.recursive(
    st.booleans() | st.integers(-5, 500) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=6,
)


@given(name=st.sampled_from(sorted(SensorSettings.__dataclass_fields__)), value=toml_values)
def test_a_setting_is_taken_or_refused(name, value):
    try:
        settings = changed(SensorSettings(), {name: value}, "test")
    except CallError:
        return
    assert type(getattr(settings, name)) is type(getattr(SensorSettings(), name))


@pytest.mark.parametrize("name", ["matched", "stiff-left", "bluetooth"])
def test_a_sample_session_is_what_its_settings_make(name, tmp_path):
    folder = RECORDINGS / name
    status, _, _ = run(tmp_path / name, "--settings", folder / "settings.toml")
    assert status == 0
    made = {path.name for path in (tmp_path / name).iterdir()}
    assert made == {path.name for path in folder.iterdir()} - {"settings.toml", "report"}
    for file in made - {"session.json"}:
        compare_tables(pd.read_csv(folder / file), pd.read_csv(tmp_path / name / file))
    assert (folder / "session.json").read_text() == (tmp_path / name / "session.json").read_text()


def compare_tables(here: pd.DataFrame, there: pd.DataFrame) -> None:
    """Alike but for a last digit, or a converter's step where rounding falls the other way."""
    pd.testing.assert_frame_equal(here, there, check_exact=False, rtol=0, atol=6e-3)
    numbers = here.select_dtypes("number").columns
    moved = (here[numbers] - there[numbers]).abs() > 2e-4
    assert moved.to_numpy().mean() < 1e-3


def test_the_sample_sessions_are_small_and_show_what_they_promise():
    size = sum(path.stat().st_size for path in RECORDINGS.glob("*/*.*"))
    assert size < 4e6
    stiff = pd.read_csv(RECORDINGS / "stiff-left" / "truth.csv", keep_default_na=False)
    left = stiff[stiff["side"] == "left"]
    assert list(left["verdict"]) == ["clean"] * 3 + ["compensated"] * 5
    ranges = stiff.groupby("side")["rom_deg"].mean()
    assert ranges["right"] - ranges["left"] > 10
    events = pd.read_csv(RECORDINGS / "stiff-left" / "events.csv")
    assert {"pinch", "note"} <= set(events["kind"])
    settings = tomllib.loads((RECORDINGS / "bluetooth" / "settings.toml").read_text())
    assert settings["sensors"]["arrivals"] is True
