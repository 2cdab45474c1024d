"""``hiprot record`` and ``hiprot scan`` as a person calls them: ended, killed, refused, resumed."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from imu.formats.setfile import parse_set
from imu.recording import Event, Session
from imu.storage.session import read_session
from tests.live.program import PELVIS, ROLES, THIGH, Program, check_set, make_world
from tests.live.world import read_rows

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs signals to processes")

IN_FLIGHT_S = 0.1  # what crosses with the order to end, or some of it on a busy machine
LAST_S = 1.0  # a kill costs at most the last second


def record(world: Path, session: Path, *options: object, **limits) -> Program:
    return Program(world, "record", session, "--side", "left", *ROLES, *options, **limits)


def names_of(session: Session) -> list[str]:
    return [one.name for one in session.recordings]


# --- how a set ends


def test_a_set_is_ended_in_order(tmp_path):
    worlds = [make_world(tmp_path / name) for name in ("int", "term", "seconds")]
    options = ((), (), ("--seconds", 1))
    calls = [
        record(world, world.parent / "s", *more)
        for world, more in zip(worlds, options, strict=True)
    ]
    for call in calls:
        call.wait_for("Go.")
    time.sleep(1.0)
    calls[0].signal(signal.SIGINT)
    calls[1].signal(signal.SIGTERM)
    for call, world in zip(calls, worlds, strict=True):
        assert call.end() == 0, call.err
        assert call.complaints() == []
        path = world.parent / "s" / "left.csv"
        assert check_set(path, world) < IN_FLIGHT_S
        assert parse_set(path.read_bytes(), "left", "left.csv").cut_rows == 0
        rows = read_rows(path)
        assert rows[-1].arrival_s - rows[0].arrival_s > 2.0  # the stillness before belongs to it
        assert f"Recorded {path}" in call.err


MARKED = {
    b"p 4": Event("left", 0.0, "pain", 4.0),
    b"i": Event("left", 0.0, "pinch"),
    b"c 7 deep, in front": Event("left", 0.0, "cramp", 7.0, "deep, in front"),
    b"n slower now": Event("left", 0.0, "note", None, "slower now"),
    b"P10": Event("left", 0.0, "pain", 10.0),
}
NOT_MARKED = (b"hello", b"p 11", b"\xff\xfe\xfd", b"x 3")


def test_markers_land_in_the_session_and_an_empty_line_ends_it(tmp_path):
    world = make_world(tmp_path)
    call = record(world, tmp_path / "s")
    call.wait_for("Connecting")
    call.type(b"p 3")
    call.wait_for("Not marked: the set has not begun.")
    call.wait_for("Go.")
    time.sleep(0.5)
    for line in (*MARKED, *NOT_MARKED):
        call.type(line)
    time.sleep(0.5)
    call.type(b"i last")
    call.wait_for("Marked: pain 10.")
    call.type(b"")
    assert call.end() == 0
    events = read_session(tmp_path / "s").events
    expected = [*MARKED.values(), Event("left", 0.0, "pinch", None, "last")]
    found = [(one.set_name, one.kind, one.score, one.text) for one in events]
    assert found == [(one.set_name, one.kind, one.score, one.text) for one in expected]
    rows = read_rows(tmp_path / "s" / "left.csv")
    lasted_s = rows[-1].arrival_s - rows[0].arrival_s
    times_s = [one.time_s for one in events]
    assert times_s == sorted(times_s)
    assert 1.5 < times_s[0] < times_s[-1] < lasted_s + 0.2
    assert sum("is no marker" in line or "not from 0 to 10" in line for line in call.lines) == 4
    assert check_set(tmp_path / "s" / "left.csv", world) < IN_FLIGHT_S


# longer than the tests have patience
LONG_SYNC = "import imu.codecs.movella_dot as dot; dot.DotCodec.sync_s = 1000.0"


def test_given_up_before_it_begins(tmp_path):
    moments = {"Connecting": (), "Sit still.": (), "The sensors synchronise": ("--sync",)}
    worlds = [make_world(tmp_path / str(number)) for number in range(len(moments))]
    calls = [
        record(world, world.parent / "s", *options, before=LONG_SYNC)
        for world, options in zip(worlds, moments.values(), strict=True)
    ]
    for call, text in zip(calls, moments, strict=True):
        call.wait_for(text)
        call.signal(signal.SIGINT)
    for call, world in zip(calls, worlds, strict=True):
        assert call.end() == 130
        assert call.complaints() == ["hiprot: stopped before the set began; nothing was recorded."]
        assert not (world.parent / "s").exists()


# --- what a kill costs


def test_a_kill_costs_the_last_second_at_most_and_recording_goes_on(tmp_path):
    moments = {"Connecting": 0.0, "Sit still.": 0.5, "Go.": 0.0, "1": 0.2, "Go. ": 1.3}
    worlds = {moment: make_world(tmp_path / str(at)) for at, moment in enumerate(moments)}
    calls = {
        moment: record(world, world.parent / "s", plan={"countdown_s": float(moment == "1")})
        for moment, world in worlds.items()
    }

    def kill(moment: str) -> None:
        calls[moment].wait_for(moment.strip())
        time.sleep(moments[moment])
        calls[moment].process.kill()

    with ThreadPoolExecutor(len(moments)) as pool:
        list(pool.map(kill, moments))
    kept = {}
    for moment, call in calls.items():
        assert call.end() == -signal.SIGKILL
        kept[moment] = check_killed(worlds[moment])
    assert kept["Connecting"] is None
    assert kept["Go."]
    assert kept["Go. "]
    for moment, call in {
        moment: record(world, world.parent / "s", "--seconds", 0.5)
        for moment, world in worlds.items()
    }.items():
        assert call.end() == 0, call.err
        check_resumed(worlds[moment], kept[moment])


def check_killed(world: Path) -> bytes | None:
    """What was kept of a killed set, whole but for the last second; None where there is none."""
    folder = world.parent / "s"
    path = folder / "left.csv"
    if not path.exists():
        assert not list(folder.glob("*.csv"))
        return None
    assert check_set(path, world) < LAST_S
    session = read_session(folder)
    assert names_of(session) == ["left"]
    assert set(session.info.sensors) == {"pelvis", "thigh"}
    return path.read_bytes()


def check_resumed(world: Path, kept: bytes | None) -> None:
    """A new set is beside the old one, which is as it was."""
    folder = world.parent / "s"
    names = ["left"] if kept is None else ["left", "left-2"]
    assert sorted(path.stem for path in folder.glob("*.csv")) == names
    assert names_of(read_session(folder)) == names
    assert kept is None or (folder / "left.csv").read_bytes() == kept
    assert check_set(folder / f"{names[-1]}.csv", world) < IN_FLIGHT_S


# --- what the machine does to a recording


@contextmanager
def small_disk(path: Path, size: str):
    """A disk that is soon full, where it can be had; None where not."""
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        yield None
        return
    try:
        yield path
    finally:
        subprocess.run(["umount", str(path)], check=True)


def test_a_full_disk_or_a_folder_gone_ends_the_set_in_one_line(tmp_path):
    worlds = {name: make_world(tmp_path / name) for name in ("full", "limit", "gone")}
    with small_disk(tmp_path / "disk", "64k") as disk:
        calls = {
            "limit": record(worlds["limit"], tmp_path / "limit" / "s", most_bytes=40_000),
            "gone": record(worlds["gone"], tmp_path / "gone" / "s"),
        }
        if disk is not None:
            calls["full"] = record(worlds["full"], disk / "s")
        calls["gone"].wait_for("Go.")
        time.sleep(0.5)
        shutil.rmtree(tmp_path / "gone" / "s")
        for call in calls.values():
            assert call.end() == 1, call.err
            assert len(call.complaints()) == 1, call.err
        assert (
            "gone/s/left.csv: the file is no longer in its place" in calls["gone"].complaints()[0]
        )
        check_broken_off(tmp_path / "limit" / "s", worlds["limit"])
        assert "File too large" in calls["limit"].err
        if disk is not None:
            check_broken_off(disk / "s", worlds["full"])
            assert "No space left" in calls["full"].err


def check_broken_off(folder: Path, world: Path) -> None:
    """What was written until then is whole."""
    check_set(folder / "left.csv", world)
    assert [one.cut_rows for one in read_session(folder).recordings] == [0]


def test_a_sensor_that_stays_away_ends_the_set_in_one_line(tmp_path):
    world = make_world(tmp_path, {"script": [[3.5, "off"]]}, {})
    call = record(world, tmp_path / "s", "--json", plan={"give_up_s": 1.5})
    assert call.end() == 1, call.err
    (line,) = call.complaints()
    assert line.startswith(f"hiprot: Movella DOT {PELVIS} did not come back for 2 s.")
    check_set(tmp_path / "s" / "left.csv", world)
    document = json.loads(call.out)
    assert document["set"] == "left"
    assert f"hiprot: {document['failure']}" == line
    assert [one.kind for one in read_session(tmp_path / "s").events] == ["dropout"]


# --- who wears what


def still_set(path: Path) -> str:
    """A set at rest, for a sensor to play."""
    header = "sensor,time_s,acc_x,acc_y,acc_z,gyr_x,gyr_y,gyr_z\n"
    rows = [f"pelvis,{time_s},0.5,9.8,0.1,0.01,-0.02,0.03\n" for time_s in (0.0, 1.0)]
    path.write_text(header + "".join(rows))
    return path.name


def test_the_moved_sensor_is_the_thigh_and_the_session_remembers(tmp_path):
    at_rest = {"csv": still_set(tmp_path / "rest.csv"), "sensor": "pelvis", "rssi_dbm": -50}
    moved = {"rssi_dbm": -70}
    world = make_world(tmp_path, at_rest, moved)
    session = tmp_path / "s"
    call = Program(
        world, "record", session, "--side", "left", "--seconds", 0.5, "--json",
        "--subject", "P07", "--keep-frames",
    )  # fmt: skip
    assert call.end() == 0, call.err
    assert "Tap or move the thigh sensor, and only this one." in call.lines
    assert f"{THIGH} is the thigh sensor." in call.lines
    check_document(json.loads(call.out), session, "left")
    assert check_set(session / "left.csv", world) < IN_FLIGHT_S
    before = {path.name: path.read_bytes() for path in session.iterdir()}

    moved_now = make_world(tmp_path / "second", {}, {"script": []})
    again = Program(moved_now, "record", session, "--side", "left", "--seconds", 0.5, "--json")
    assert again.end() == 0, again.err
    assert "Tap or move" not in again.err
    check_document(json.loads(again.out), session, "left-2")
    assert check_set(session / "left-2.csv", moved_now) < IN_FLIGHT_S
    for name in ("left.csv", "left.frames.jsonl"):
        assert (session / name).read_bytes() == before[name]
    read = read_session(session)
    assert names_of(read) == ["left", "left-2"]
    assert read.info.subject == "P07"
    assert (read.info.sensors["pelvis"].address, read.info.sensors["thigh"].address) == (
        PELVIS,
        THIGH,
    )


def check_document(document: dict, session: Path, name: str) -> None:
    assert document["schema"] == "hiprot.record/1"
    assert (document["session"], document["set"]) == (str(session), name)
    assert document["failure"] is None
    rows = read_rows(session / f"{name}.csv")
    assert document["seconds"] == pytest.approx(rows[-1].arrival_s - rows[0].arrival_s, abs=0.002)
    sensors = {one["segment"]: one for one in document["sensors"]}
    assert {segment: one["address"] for segment, one in sensors.items()} == {
        "pelvis": PELVIS,
        "thigh": THIGH,
    }
    for segment, one in sensors.items():
        assert one["samples"] == sum(row.sensor == segment for row in rows)
        assert (one["lost"], one["refused"], one["duplicates"], one["rate_hz"]) == (0, 0, 0, 60.0)


# --- what is in range, and calls that are refused


def test_scan_tells_what_is_in_range(tmp_path):
    sensors = [
        {"faults": {"battery_percent": 64.0}, "rssi_dbm": -48},
        {"family": "polar-verity", "faults": {"battery_percent": 31.0}},
        {"family": "witmotion", "faults": {"battery_percent": 75.0}},
        {"family": "plain", "faults": {"battery_percent": 8.0}},
    ]
    world = make_world(tmp_path, *sensors)
    table, document = (Program(world, "scan", "--seconds", 1, *more) for more in ((), ("--json",)))
    assert table.end() == 0, table.err
    assert document.end() == 0, document.err
    printed = table.out.decode()
    for words in ("Model", "Movella DOT", "Polar Verity Sense", PELVIS, "64 %", "31 %", "8 %"):
        assert words in printed
    found = {one["address"]: one for one in json.loads(document.out)["sensors"]}
    batteries = {one["family"]: one["battery_percent"] for one in found.values()}
    assert batteries == {
        "movella-dot": 64.0,
        "polar-verity": 31.0,
        "witmotion": 75.0,
        "plain": 8.0,
    }
    assert found[PELVIS]["rssi_dbm"] == pytest.approx(-48, abs=2)
    assert 60.0 in found[PELVIS]["rates_hz"]


REFUSED = {
    "not there": (["--pelvis", "D4:22:CD:00:00:77", "--thigh", THIGH], 1, "was not heard for 2 s"),
    "too few": (
        ["--family", "polar-verity"],
        1,
        "2 sensors are needed (pelvis, thigh), found: none",
    ),
    "a stranger": (
        ["--family", "movella-dot", "--pelvis", PELVIS, "--thigh", "D4:22:CD:00:00:03"],
        2,
        "D4:22:CD:00:00:03 (Plain sensor) is no sensor known here",
    ),
    "twice": (["--pelvis", PELVIS, "--thigh", PELVIS.lower()], 2, "given for two places"),
    "too fast": ([*ROLES, "--rate", "500"], 2, "--rate 500: Movella DOT streams at"),
    "no family": (["--family", "lamps"], 2, "--family lamps: there is none"),
}


def test_calls_are_refused_in_one_line(tmp_path):
    world = make_world(tmp_path, {}, {}, {"family": "plain"})
    calls = {}
    for name, (options, *_) in REFUSED.items():
        call = ("record", tmp_path / name, "--side", "left", *options)
        calls[name] = Program(world, *call, plan={"find_s": 2.0})
    for name, call in calls.items():
        _, status, words = REFUSED[name]
        assert call.end() == status, call.err
        assert len(call.complaints()) == 1, call.err
        assert words in call.complaints()[0]
        assert call.out == b""
        assert not (tmp_path / name).exists()
