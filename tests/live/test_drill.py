"""A drill from sensor to report: a simulated person's set, played, recorded and analysed."""

from __future__ import annotations

import csv
import json
import math
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from analysis.pipeline import analyse
from analysis.settings import Settings
from imu.storage.session import read_session
from tests.live.program import ROLES, Program, check_set, make_world

REPS = 3
DRILL = {"reps": REPS, "inward_s": 1.6, "return_s": 1.8, "hold_s": 0.8, "pause_s": 1.0}
LEAD_S = 3.5  # until the sensors are set up and have been still
RANGE_DEG = 0.5
TIMES_S = 0.15


def simulate(folder: Path, *more: str) -> Path:
    """A short set of each side, sampled finely enough to be sampled again."""
    changes = [f"--set=drill.{name}={value}" for name, value in DRILL.items()]
    call = [*HIPROT, "simulate", str(folder), "--seed", "5", "--rate", "200", *changes, *more]
    subprocess.run(call, check=True, capture_output=True)
    return folder


HIPROT = (sys.executable, "-c", "from analysis.commands import main; main()")


def true_reps(folder: Path) -> list[dict[str, str]]:
    with (folder / "truth.csv").open(newline="") as file:
        return [row for row in csv.DictReader(file) if row["set"] == "left"]


def test_a_drill_from_sensor_to_report(tmp_path):
    simulated = simulate(tmp_path / "simulated")
    worlds, calls = {}, {}
    for name, options in {
        "whole": ("--seconds", REPS * 5.2 + 4.5),
        "counted": ("--reps", 2),
    }.items():
        sensors = [
            {"csv": "../simulated/left.csv", "sensor": "pelvis", "faults": {"clock_ppm": 40}},
            {"csv": "../simulated/left.csv", "sensor": "thigh", "faults": {"clock_ppm": -30}},
        ]
        worlds[name] = make_world(tmp_path / name, *sensors, lead_s=LEAD_S)
        session = tmp_path / name / "s"
        calls[name] = Program(
            worlds[name], "record", session, "--side", "left", *ROLES, *options,
            plan={"still_s": 10.0, "countdown_s": 1.0},
        )  # fmt: skip
    for name, call in calls.items():
        assert call.end() == 0, call.err
        assert "Still moving" not in call.err
        assert check_set(tmp_path / name / "s" / "left.csv", worlds[name]) < 0.1
    reps = report(tmp_path / "whole" / "s")
    check_reps(reps, true_reps(simulated))
    assert "2 of 2 repetitions." in calls["counted"].lines
    counted = report(tmp_path / "counted" / "s")
    check_reps(counted[:2], true_reps(simulated)[:2])
    assert len(counted) <= REPS  # the third may have begun
    assert read_session(tmp_path / "counted" / "s").info.planned_reps == 2


def report(session: Path) -> list[dict]:
    call = [*HIPROT, "report", str(session), "--json"]
    done = subprocess.run(call, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)["sides"]["left"]["reps"]


def check_reps(found: list[dict], true: list[dict[str, str]]) -> None:
    """Range and phases as they were; times against the first repetition's start."""
    assert [one["verdict"] for one in found] == [one["verdict"] for one in true]
    for rep, truth in zip(found, true, strict=True):
        assert rep["rom_deg"] == pytest.approx(float(truth["rom_deg"]), abs=RANGE_DEG)
        for name in ("inward_s", "hold_s", "return_s"):
            assert rep[name] == pytest.approx(float(truth[name]), abs=TIMES_S)
        since_s = rep["start_s"] - found[0]["start_s"]
        true_since_s = float(truth["start_s"]) - float(true[0]["start_s"])
        assert since_s == pytest.approx(true_since_s, abs=TIMES_S)


def test_repetitions_are_counted_with_the_calibration_that_the_report_uses(tmp_path):
    """A pelvis sensor tipped by 80 degrees counts nothing without the trunk lean.

    Without it the recording would never end; the time limit stands for "never".
    """
    simulated = simulate(tmp_path / "simulated", "--set=calibration=true")
    for name in ("left.csv", "calibration.csv"):
        tip_pelvis(simulated / name, 80.0)
    sensors = [{"csv": "../simulated/left.csv", "sensor": name} for name in ("pelvis", "thigh")]
    world = make_world(tmp_path / "world", *sensors, lead_s=LEAD_S)
    session = tmp_path / "s"
    session.mkdir()
    shutil.copy(simulated / "calibration.csv", session)
    options = ("--reps", 2, "--seconds", REPS * 5.2 + 30.0)
    call = Program(
        world, "record", session, "--side", "left", *ROLES, *options,
        plan={"still_s": 10.0, "countdown_s": 1.0},
    )  # fmt: skip
    assert call.end() == 0, call.err
    assert "2 of 2 repetitions." in call.lines
    check_reps(report(session)[:2], true_reps(simulated)[:2])


def tip_pelvis(path: Path, angle_deg: float) -> None:
    """Turn the pelvis sensor in its strap about its own x axis, in a file of samples."""
    cosine, sine = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        for kind in ("acc", "gyr") if row["sensor"] == "pelvis" else ():
            y, z = float(row[f"{kind}_y"]), float(row[f"{kind}_z"])
            row[f"{kind}_y"] = repr(cosine * y - sine * z)
            row[f"{kind}_z"] = repr(sine * y + cosine * z)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def test_a_simulated_person_is_guided_through_lean_and_lift(tmp_path):
    folders = {name: tmp_path / name for name in ("lean", "lift")}
    calls = {
        "lean": [*HIPROT, "record", str(folders["lean"]), "--lean", "--simulate"],
        "lift": [
            *(*HIPROT, "record", str(folders["lift"]), "--side", "left"),
            *("--lift", "--simulate", "--reps", "1"),
        ],
    }
    running = {
        name: subprocess.Popen(call, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        for name, call in calls.items()
    }
    said = {name: one.communicate(timeout=120)[1] for name, one in running.items()}
    assert {name: one.returncode for name, one in running.items()} == {"lean": 0, "lift": 0}, said
    assert "3 of 3 leans." in said["lean"]
    assert "The sensor faces backward, " in said["lean"]
    assert (folders["lean"] / "calibration.csv").exists()
    assert "Fit: 1 repetition, data good." in said["lift"]
    session = read_session(folders["lift"])
    assert [event.kind for event in session.events] == ["lift"]
    (found,) = analyse(session, Settings()).sets
    assert found.quality.direction == "proven"
