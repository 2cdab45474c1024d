"""Replaying a session: everything comes out, equal to the last bit, at the pace asked for."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.app.coaching import Coaching
from analysis.app.hub import Hub
from analysis.commands import failure, hiprot
from analysis.results import analyse
from analysis.settings import Settings
from imu.errors import CallError, RecordingError
from imu.frames import Batch
from imu.recording import Recording, Session
from imu.storage.session import read_session
from imu.transports import replay as transport

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "recordings"
FIELDS = ("time_s", "acc_ms2", "gyr_rads", "arrival_s")


def call(*args: object) -> None:
    hiprot.main([str(arg) for arg in args], prog_name="hiprot", standalone_mode=False)


def assert_same(one: Session, other: Session) -> None:
    """Two sessions hold the same values, to the last bit."""
    assert [each.name for each in one.recordings] == [each.name for each in other.recordings]
    for mine, theirs in zip(one.recordings, other.recordings, strict=True):
        assert set(mine.streams) == set(theirs.streams)
        for segment, stream in mine.streams.items():
            for name in FIELDS:
                found = getattr(theirs.streams[segment], name)
                np.testing.assert_array_equal(getattr(stream, name), found)


def write_short(folder: Path, rows: list[str], header: str = "arrival_s") -> Path:
    """A session with one set of some rows."""
    columns = "sensor,time_s,acc_x,acc_y,acc_z,gyr_x,gyr_y,gyr_z"
    folder.mkdir(parents=True)
    (folder / "left.csv").write_text("\n".join([f"{columns},{header}", *rows]) + "\n")
    return folder


def short_rows(count: int = 40, tail: str = "") -> list[str]:
    return [
        f"{one},{i / 50},0.1,9.81,{i},0,0.1,0.2,{5 + i / 50}{tail}"
        for i in range(count)
        for one in ("pelvis", "thigh")
    ]


@pytest.mark.parametrize("name", ["bluetooth", "matched", "stiff-left"])
def test_what_comes_out_is_a_session_of_its_own_with_the_same_values(name, tmp_path, capsys):
    out = tmp_path / "out"
    call("replay", SAMPLES / name, "--speed", "max", "-o", out)
    told = capsys.readouterr()
    assert told.out.count("equals the recording") == 2
    assert told.err == ""
    recorded = read_session(SAMPLES / name)
    assert_same(recorded, read_session(out))
    for carried in ("session.json", "events.csv"):
        assert (out / carried).exists() == (SAMPLES / name / carried).exists()
        if (out / carried).exists():
            assert (out / carried).read_bytes() == (SAMPLES / name / carried).read_bytes()
    headers = {path.read_text().partition("\n")[0] for path in out.glob("*.csv")}
    with_arrival = any(header.endswith(",arrival_s") for header in headers)
    assert with_arrival == (recorded.recordings[0].streams["thigh"].arrival_s is not None)


NUMBERS = st.lists(st.floats(-9e3, 9e3), min_size=16, max_size=16)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NUMBERS, st.integers(0, 2**32 - 1), st.booleans())
def test_numbers_of_any_length_survive(tmp_path_factory, numbers, seed, restarts):
    """Packets overtaken, clocks that start anew, all digits there are."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(120):
        arrival_s = 1e4 + i / 7 + float(rng.uniform(0, 0.2))
        for at, segment in enumerate(("pelvis", "thigh")):
            time_s = i / 7 + (1000.0 if i < 60 or not restarts else 0.0)
            cells = [repr(numbers[(8 * at + i + k) % 16]) for k in range(6)]
            rows.append(",".join([segment, repr(time_s), *cells, repr(arrival_s)]))
    for _ in range(2):
        at = int(rng.integers(0, 100))
        rows[at], rows[at + 4] = rows[at + 4], rows[at]
    folder = write_short(tmp_path_factory.mktemp("any") / "visit", rows)
    recorded = read_session(folder)
    assert all(one.faults.restarts == restarts for one in recorded.recordings[0].streams.values())
    call("replay", folder, "--speed", "max", "-o", folder / "out")
    assert_same(recorded, read_session(folder / "out"))


def test_json_tells_every_sensor(capsys):
    call("replay", SAMPLES / "bluetooth", "--speed", "max", "--json")
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "hiprot.replay/1"
    assert (document["session"], document["speed"], document["out"]) == ("bluetooth", None, None)
    for recording in read_session(SAMPLES / "bluetooth").recordings:
        told = document["sets"][recording.name]
        assert (told["side"], told["equal"]) == (recording.side, True)
        for segment, stream in recording.streams.items():
            assert told["sensors"][segment]["samples"] == len(stream.time_s)
            assert told["sensors"][segment]["rate_hz"] == pytest.approx(60.0, rel=0.01)
            assert told["sensors"][segment]["duration_s"] == stream.time_s[-1] - stream.time_s[0]


def test_one_set_alone_takes_its_own_markers_along(tmp_path, capsys):
    session = tmp_path / "visit"
    shutil.copytree(SAMPLES / "stiff-left", session)
    rows = [
        "set,time_s,kind,score,text",
        "left,3,pain,4,deep",
        'right,4,note,,"a, b"',
        "left,5,pinch,,",
    ]
    (session / "events.csv").write_text("\n".join(rows) + "\n")
    call("replay", session, "--set", "right", "--speed", "max", "-o", tmp_path / "out")
    out = read_session(tmp_path / "out")
    assert [one.name for one in out.recordings] == ["right"]
    assert out.events == tuple(e for e in read_session(session).events if e.set_name == "right")
    assert len(out.events) == 1
    assert "left" not in capsys.readouterr().out


def test_packed_files_and_the_trunk_lean_are_carried_over(tmp_path):
    session = tmp_path / "visit"
    shutil.copytree(SAMPLES / "stiff-left", session)
    lean = (session / "right.csv").read_bytes()
    (session / "calibration.csv.gz").write_bytes(gzip.compress(lean))
    for name in ("left.csv", "events.csv"):
        (session / f"{name}.gz").write_bytes(gzip.compress((session / name).read_bytes()))
        (session / name).unlink()
    call("replay", session, "--speed", "max", "-o", tmp_path / "out")
    recorded, out = read_session(session), read_session(tmp_path / "out")
    assert_same(recorded, out)
    assert out.events == recorded.events != ()
    assert_same(
        replace(recorded, recordings=(recorded.calibration,)),
        replace(out, recordings=(out.calibration,)),
    )


def test_what_is_not_played_is_said(tmp_path, capsys):
    header = "arrival_s,mag_x,mag_y,mag_z,mine"
    session = write_short(tmp_path / "visit", short_rows(tail=",1,2,3,x"), header)
    call("replay", session, "--speed", "max")
    assert "not played: magnetic field, mine" in capsys.readouterr().out


def test_it_takes_as_long_as_the_speed_says(tmp_path, capsys):
    session = write_short(tmp_path / "visit", short_rows())
    call("replay", session, "--speed", "2", "--json")
    seconds = json.loads(capsys.readouterr().out)["sets"]["left"]["seconds"]
    assert 0.39 < seconds < 1.5


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_progress_is_for_terminals(tmp_path):
    import pty

    session = write_short(tmp_path / "visit", short_rows())
    terminal, end = pty.openpty()
    code = "from analysis.commands import main; main()"
    args = [sys.executable, "-c", code, "replay", str(session), "--speed", "2"]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    done = subprocess.run(
        args, cwd=ROOT, stdout=subprocess.PIPE, stderr=end, env=environment, check=True, timeout=60
    )
    os.close(end)
    shown = os.read(terminal, 65536).decode()
    os.close(terminal)
    assert "left, at 2 times its pace" in shown
    assert "of 1 s" in shown
    assert done.stdout.decode().startswith("left: played in ")


def alter(batch: Batch) -> Batch:
    (first, *others) = batch.samples
    acc = (np.nextafter(first.acc_ms2[0], 99), *first.acc_ms2[1:])
    return batch._replace(samples=(first._replace(acc_ms2=acc), *others))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda i, batch: None if i == 10 else batch, "39 samples came out, 40 were recorded"),
        (lambda i, batch: alter(batch) if i == 10 else batch, r"differs .* at time_s 0\.100000"),
        (
            lambda i, batch: batch._replace(arrival_s=7.0) if i == 10 else batch,
            r"differs .* at time_s 0\.100000",
        ),
    ],
)
def test_what_does_not_equal_the_recording_is_told_and_not_written(
    tmp_path, monkeypatch, change, told
):
    async def play(recording: Recording, _: float | None) -> AsyncIterator[Batch]:
        for i, batch in enumerate(transport.batches(recording)):
            changed = change(i, batch)
            if changed is not None:
                yield changed

    session = write_short(tmp_path / "visit", short_rows())
    monkeypatch.setattr(transport, "play", play)
    with pytest.raises(RecordingError, match=rf"^left\.csv, pelvis: .*{told}") as refused:
        call("replay", session, "-o", tmp_path / "out")
    line, status = failure(refused.value)
    assert status == 3
    assert "\n" not in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "inf", "fast", "1e-9", ""])
def test_a_speed_that_is_none_is_refused(speed):
    with pytest.raises(click.BadParameter, match="max"):
        call("replay", SAMPLES / "matched", "--speed", speed)


def test_a_set_that_is_not_there_is_refused():
    with pytest.raises(CallError, match="Sets here: left, right"):
        call("replay", SAMPLES / "matched", "--set", "left-2")


def test_a_folder_that_holds_something_is_not_written_to(tmp_path):
    (tmp_path / "mine").write_text("x")
    for out in (tmp_path, tmp_path / "mine"):
        with pytest.raises(CallError, match="exists already"):
            call("replay", SAMPLES / "matched", "--speed", "max", "-o", out)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_the_coach_shows_a_replay_and_its_table_is_the_reports():
    recorded = read_session(SAMPLES / "stiff-left")
    recording = recorded.recordings[0]

    async def show() -> Hub:
        hub = Hub()
        coaching = Coaching(hub, recorded.name, recording.name, recording.side, Settings())
        coaching.begin()
        async for batch in transport.play(recording, None):
            coaching.take(batch)
        await coaching.conclude(recording, recorded.events)
        return hub

    newest = asyncio.run(show()).newest
    assert newest["state"]["state"] == "done"
    assert newest["motion"]["time_s"] > 20
    reps = analyse(recorded).reps
    own = reps[reps["set"] == recording.name] if "set" in reps else reps[reps["side"] == "left"]
    assert [one["rom_deg"] for one in newest["table"]["reps"]] == list(own["rom_deg"])
