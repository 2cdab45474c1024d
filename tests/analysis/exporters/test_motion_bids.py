"""Motion-BIDS: valid by the validator, right where it does not look, and the same samples back."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from analysis.commands.import_ import import_
from analysis.exporters.motion_bids import EVENT_COLUMNS, TYPES, export
from analysis.settings import Settings
from imu.errors import CallError, RecordingError
from imu.formats.bidsfile import UNITS, parse_dataset
from imu.recording import Event, Recording, SensorInfo, Session, SessionInfo
from imu.samples import Stream
from imu.storage.files import write_files
from imu.storage.session import read_session

RNG = np.random.default_rng(1)
EVENTS = (
    Event("left", 1.25, "pain", 3.0, "sharp,\there"),
    Event("left-2", 0.5, "note", None, "second"),
    Event("right", 0.0, "lift"),
)


def stream(segment: str, origin_s: float, rate_hz: float, arrival: bool, mag: bool) -> Stream:
    n = 90
    time_s = origin_s + np.arange(n) / rate_hz + RNG.uniform(0, 0.002, n)
    arrival_s = 5e4 + time_s - origin_s + RNG.uniform(0, 0.02, n) if arrival else None
    field = RNG.normal(0, 30, (n, 3)) if mag else None
    return Stream(
        segment, time_s, RNG.normal(0, 9, (n, 3)), RNG.normal(0, 1, (n, 3)), arrival_s, field
    )


def recording(name: str, arrival: bool = True, mag: bool = False) -> Recording:
    segments = ("pelvis", "thigh", "shank") if name == "left-2" else ("pelvis", "thigh")
    streams = {
        segment: stream(segment, 700.0 * number if arrival else 700.0, 60.0 + number, arrival, mag)
        for number, segment in enumerate(segments)
    }
    side = "" if name == "calibration" else name.split("-")[0]
    return Recording(name, side, name, streams)


STARTED = "2026-11-22T09:30:00+01:00"
DOT = SensorInfo("DOT", "D4:22", "2.0", 60.0)
SESSION = Session(
    "visit_1",
    SessionInfo(
        "P 07",
        STARTED,
        sensors={"thigh": SensorInfo("DOT", "D4:22", "2.0", 60.0)},
    ),
    (recording("left"), recording("left-2"), recording("right", mag=True)),
    EVENTS,
    recording("calibration"),
)
ONE_CLOCK = Session("b", SessionInfo(), (recording("right", arrival=False),))
SESSIONS = pytest.mark.parametrize("session", [SESSION, ONE_CLOCK], ids=["all", "one-clock"])


def dataset(session: Session) -> dict[str, bytes]:
    files = export(session, Settings())
    return {path: text.encode() for path, text in files.items() if isinstance(text, str)}


def assert_same(found: Recording, expected: Recording) -> None:
    assert (found.name, found.side) == (expected.name, expected.side)
    assert found.streams.keys() == expected.streams.keys()
    for segment, one in expected.streams.items():
        again = found.streams[segment]
        for name in ("time_s", "acc_ms2", "gyr_rads", "arrival_s", "mag_ut"):
            np.testing.assert_array_equal(getattr(again, name), getattr(one, name))


def table(files: dict[str, bytes], path: str) -> list[dict[str, str]]:
    head, *rows = (line.split("\t") for line in files[path].decode().splitlines())
    return [dict(zip(head, row, strict=True)) for row in rows]


@SESSIONS
def test_importing_gives_the_same_samples(session):
    again = parse_dataset(dataset(session))
    for found, expected in zip(again.recordings, session.recordings, strict=True):
        assert_same(found, expected)
    assert (again.calibration is None) == (session.calibration is None)
    if session.calibration and again.calibration:
        assert_same(again.calibration, session.calibration)


def test_importing_gives_the_code_the_sensors_and_the_markers():
    again = parse_dataset(dataset(SESSION))
    assert again.info.subject == "P07"
    assert again.info.started is not None
    late = datetime.fromisoformat(again.info.started) - datetime.fromisoformat(STARTED)
    assert timedelta() <= late < timedelta(seconds=0.03)
    assert parse_dataset(dataset(ONE_CLOCK)).info.started is None
    assert again.info.sensors["thigh"] == SESSION.info.sensors["thigh"]
    expected = {replace(one, text=" ".join(one.text.split())) for one in EVENTS}
    assert set(again.events) == expected
    assert len(again.events) == len(EVENTS)


@pytest.mark.skipif(
    not Path(sys.prefix, "bin", "bids-validator-deno").exists(),
    reason="bids-validator-deno is not installed",
)
@SESSIONS
def test_the_validator_has_no_error_and_no_warning(session, tmp_path):
    write_files({tmp_path / path: data for path, data in dataset(session).items()})
    command = [
        Path(sys.prefix, "bin", "bids-validator-deno"),
        "--max-rows",
        "-1",
        "--json",
        tmp_path,
    ]
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.prefix, 'bin')}{os.pathsep}{os.environ['PATH']}",
    }
    shown = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    issues = json.loads(shown.stdout)["issues"]["issues"]
    assert [(one["severity"], one["code"], one.get("location")) for one in issues] == []


@SESSIONS
def test_what_the_validator_does_not_see(session):
    files = dataset(session)
    latest = []
    for path in (path for path in files if path.endswith("_motion.tsv")):
        stem = path.removesuffix("motion.tsv")
        channels = table(files, f"{stem}channels.tsv")
        rows = [line.split("\t") for line in files[path].decode().splitlines()]
        assert {len(row) for row in rows} == {len(channels)}
        values = np.array(rows, dtype=float)
        assert np.isfinite(values).all()
        kinds = [one["type"] for one in channels]
        told = json.loads(files[f"{stem}motion.json"])
        assert {kind: told[f"{kind}ChannelCount"] for kind in TYPES} == {
            kind: kinds.count(kind) for kind in TYPES
        }
        assert told["MotionChannelCount"] == len(channels)
        assert all(one["units"] == UNITS[one["type"]][0] for one in channels)
        latency_s = values[:, kinds.index("LATENCY")]
        assert (np.diff(latency_s) > 0).all()
        latest.append(latency_s[0])
        events = table(files, f"{stem}events.tsv")
        assert list(events[0]) == list(EVENT_COLUMNS)
        assert [one["trial_type"] for one in events].count("set") == 1
        onsets_s = [float(one["onset"]) for one in events]
        assert onsets_s == sorted(onsets_s)
    assert min(latest) == 0.0


def test_each_sensor_tells_when_it_began():
    (path,) = (path for path in dataset(SESSION) if path.endswith("_scans.tsv"))
    rows = table(dataset(SESSION), path)
    assert len(rows) == 2 + 3 + 2 + 2
    times = [one["acq_time"] for one in rows]
    assert all(re.fullmatch(r"2026-11-22T08:30:0\d\.\d{6}Z", when) for when in times)
    assert min(times) < "2026-11-22T08:30:00.03"
    (path,) = (path for path in dataset(ONE_CLOCK) if path.endswith("_scans.tsv"))
    assert {one["acq_time"] for one in table(dataset(ONE_CLOCK), path)} == {"n/a"}


def changed(old: str, new: str, ending: str) -> dict[str, bytes]:
    files = dataset(ONE_CLOCK)
    path = next(path for path in files if path.endswith(ending))
    text = files[path].decode()
    assert old in text
    return files | {path: text.replace(old, new).encode()}


def test_units_of_others_are_turned_into_ours():
    files = dataset(ONE_CLOCK)
    for path in [path for path in files if path.endswith("channels.tsv")]:
        text = files[path].decode().replace("m/s^2", "g").replace("rad/s", "deg/s")
        files[path] = text.encode()
    (again,), (ours,) = parse_dataset(files).recordings, ONE_CLOCK.recordings
    for segment, one in ours.streams.items():
        np.testing.assert_allclose(again.streams[segment].acc_ms2, one.acc_ms2 * 9.80665)
        np.testing.assert_allclose(again.streams[segment].gyr_rads, np.deg2rad(one.gyr_rads))


@pytest.mark.parametrize(
    ("old", "new", "ending", "told"),
    [
        ("m/s^2", "furlong", "channels.tsv", "is in furlong, expected m/s^2 or g"),
        ("ACCEL", "POS", "channels.tsv", "ACCEL and GYRO of x, y and z"),
        ("\tpelvis\t", "\thead\t", "channels.tsv", "no samples of the pelvis sensor"),
        ("\n", "\t1\n", "motion.tsv", "but channels.tsv tells of 8"),
        (".", "x", "motion.tsv", "not a table of numbers"),
        ("0.", "n/a\t", "motion.tsv", "cells"),
        ("{", "[", "motion.json", "not JSON"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(old, new, ending, told):
    with pytest.raises(RecordingError) as caught:
        parse_dataset(changed(old, new, ending))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_several_sessions_and_none_are_refused():
    with pytest.raises(RecordingError, match="there is no "):
        parse_dataset({"README.md": b""})
    with pytest.raises(RecordingError, match="2 sessions"):
        parse_dataset(dataset(SESSION) | dataset(ONE_CLOCK))
    with pytest.raises(RecordingError, match="acq is arm"):
        parse_dataset({k.replace("acq-right", "acq-arm"): v for k, v in dataset(ONE_CLOCK).items()})


@given(data=st.data())
def test_damaged_files_are_refused_or_read(data):
    files = dataset(ONE_CLOCK)
    path = data.draw(st.sampled_from([path for path in files if "/motion/" in path]))
    content = bytearray(files[path])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 5))] = data.draw(st.binary(max_size=5))
    try:
        found = parse_dataset(files | {path: bytes(content)})
    except RecordingError:
        return
    for one in found.recordings[0].streams.values():
        assert np.isfinite(one.acc_ms2).all()
        assert (np.diff(one.time_s) > 0).all()


def test_the_command_imports_the_folder_to_the_last_bit(tmp_path):
    write_files({tmp_path / "in" / path: data for path, data in dataset(SESSION).items()})
    call = [str(tmp_path / "in"), "-o", str(tmp_path / "out")]
    shown = CliRunner().invoke(import_, [*call, "--json"])
    assert shown.exception is None
    assert json.loads(shown.output)["samples"]["right"] == {"pelvis": 90, "thigh": 90}
    again = read_session(tmp_path / "out")
    for found, expected in zip(again.recordings, SESSION.recordings, strict=True):
        if found.name != "left-2":  # a file of three has no column of its own for each
            assert_same(found, expected)
    assert isinstance(CliRunner().invoke(import_, call).exception, CallError)  # not empty any more
