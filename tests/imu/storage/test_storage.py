"""Folders and files: what is found, what is refused, and writing whole or not at all."""

from __future__ import annotations

import gzip
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imu.errors import CallError, MachineError, RecordingError
from imu.formats.setfile import format_set, parse_set
from imu.recording import Event, SensorInfo, Session, SessionInfo
from imu.storage import files
from imu.storage.files import unpack, write_files
from imu.storage.session import read_session, write_session

HEADER = "sensor,time_s,acc_x,acc_y,acc_z,gyr_x,gyr_y,gyr_z\n"
ROWS = [
    f"{sensor},{i / 50:.2f},0.1,9.{i},0.3,0.01,0.02,0.0{i}\n"
    for i in range(100, 200)
    for sensor in ("pelvis", "thigh")
]
SET = (HEADER + "".join(ROWS)).encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "visit"
    path.mkdir()
    (path / "left.csv").write_bytes(SET)
    (path / "right.csv").write_bytes(SET)
    return path


def test_two_files_are_a_session(folder):
    session = read_session(folder)
    assert session.name == "visit"
    assert [(r.name, r.side, r.source) for r in session.recordings] == [
        ("left", "left", "left.csv"),
        ("right", "right", "right.csv"),
    ]
    assert session.info == SessionInfo()
    assert session.events == ()
    assert session.calibration is None
    for recording in session.recordings:
        assert set(recording.streams) == {"pelvis", "thigh"}
        np.testing.assert_allclose(recording.streams["thigh"].acc_ms2[0], [0.1, 9.1, 0.3])


def test_sets_stand_left_before_right_and_by_number(folder):
    for name in ("left-10", "left-2", "right-3"):
        (folder / f"{name}.csv").write_bytes(SET)
    in_order = [recording.name for recording in read_session(folder).recordings]
    assert in_order == ["left", "left-2", "left-10", "right", "right-3"]


def test_one_side_is_enough_and_other_files_are_left_alone(folder):
    (folder / "left.csv").unlink()
    (folder / "notes.csv").write_bytes(b"\xff")
    (folder / "left_foot.csv").write_bytes(b"\xff")
    (folder / "report").mkdir()
    assert [r.name for r in read_session(folder).recordings] == ["right"]


def test_the_calibration_is_kept_apart_from_the_sets(folder):
    (folder / "calibration.csv").write_bytes(SET)
    session = read_session(folder)
    assert len(session.recordings) == 2
    assert (session.calibration.name, session.calibration.side) == ("calibration", "")
    assert set(session.calibration.streams) == {"pelvis", "thigh"}


def test_a_packed_set_is_the_same_set(folder):
    plain = read_session(folder).recordings[0]
    (folder / "left.csv").unlink()
    (folder / "left.csv.gz").write_bytes(gzip.compress(SET[:1000]) + gzip.compress(SET[1000:]))
    packed = read_session(folder).recordings[0]
    assert (packed.name, packed.source, packed.cut_rows) == ("left", "left.csv.gz", 0)
    assert format_set(packed) == format_set(plain)


@given(kept=st.floats(0, 0.9999))
def test_a_packed_set_broken_off_keeps_its_whole_lines(kept):
    noise = "".join(np.random.default_rng(0).permutation(list("0123456789" * 2000)))
    rows = [f"{row[:-1]}{noise[8 * i : 8 * i + 8]}\n" for i, row in enumerate(ROWS)]
    packed = gzip.compress((HEADER + "".join(rows)).encode())
    content = unpack(packed[: int(kept * len(packed))], "left.csv.gz")
    if len(content.data) < len(HEADER) + 2 * len(rows[0]):
        return
    assert content.cut
    recording = parse_set(content.data, "left", "left.csv.gz", content.cut)
    assert recording.cut_rows == 1
    kept_rows = sum(len(stream.time_s) for stream in recording.streams.values())
    assert kept_rows == content.data.count(b"\n") - 1


@given(at=st.integers(10, 200), bit=st.integers(0, 7))
def test_a_damaged_packed_set_is_refused_or_cut_never_accepted_whole(at, bit):
    packed = bytearray(gzip.compress(SET))
    packed[at] ^= 1 << bit
    try:
        content = unpack(bytes(packed), "left.csv.gz")
    except RecordingError:
        return
    assert content.cut


def test_padding_behind_a_packed_file_is_no_damage():
    assert unpack(gzip.compress(SET) + bytes(512), "x").data == SET


def test_a_packed_bomb_is_refused(monkeypatch):
    monkeypatch.setattr(files, "MAX_BYTES", 10_000)
    with pytest.raises(RecordingError, match="split it"):
        unpack(gzip.compress(bytes(1_000_000)), "left.csv.gz")


def test_the_hash_tells_every_file_name_and_byte_that_was_read(folder):
    hashes = {read_session(folder).sha256}
    (folder / "notes.txt").write_text("not read")
    assert read_session(folder).sha256 in hashes
    (folder / "right.csv").rename(folder / "right-2.csv")
    hashes.add(read_session(folder).sha256)
    (folder / "left.csv").write_bytes(SET.replace(b"9.150", b"9.151"))
    hashes.add(read_session(folder).sha256)
    (folder / "events.csv").write_text("set,time_s,kind,score,text\n")
    hashes.add(read_session(folder).sha256)
    (folder / "session.json").write_text("{}")
    hashes.add(read_session(folder).sha256)
    (folder / "calibration.csv").write_bytes(SET)
    hashes.add(read_session(folder).sha256)
    assert len(hashes) == 6
    assert all(len(value) == 64 for value in hashes)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def put(folder: Path, name: str, content: bytes = SET) -> None:
    (folder / name).write_bytes(content)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda f: put(f, "left.csv.gz"), RecordingError, r"left.csv and left.csv.gz are both"),
        (lambda f: put(f, "left_2.csv"), RecordingError, r"^left_2.csv: this is no set's name"),
        (lambda f: put(f, "left-1.csv"), RecordingError, r"^left-1.csv: "),
        (
            lambda f: put(f, "left (1).csv"),
            RecordingError,
            r"^left \(1\).csv: this is no",
        ),
        (
            lambda f: put(f, "right.csv.csv"),
            RecordingError,
            r"^right.csv.csv: this is no",
        ),
        (
            lambda f: put(f, "left - Copy.csv"),
            RecordingError,
            r"^left - Copy.csv: this is no",
        ),
        (lambda f: put(f, "left.csv", b"sep=,\n"), RecordingError, "line 1: .* Delete this line"),
        (lambda f: put(f, "Right-2.csv"), RecordingError, r"^Right-2.csv: "),
        (lambda f: put(f, "Events.csv"), RecordingError, r"^Events.csv: .*Rename it to events.csv"),
        (lambda f: put(f, "left.csv", b""), RecordingError, r"^left.csv: the file is empty"),
        (lambda f: (f / "left-2.csv").mkdir(), RecordingError, r"^left-2.csv: this is not a file"),
        pytest.param(
            lambda f: os.mkfifo(f / "events.csv"),
            RecordingError,
            r"^events.csv: this is not a file",
            marks=pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes"),
        ),
        pytest.param(
            lambda f: (f / "left-2.csv").symlink_to("no"),
            MachineError,
            r"left-2.csv: cannot read",
            marks=pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege"),
        ),
        (lambda f: put(f, "session.json", b"{"), RecordingError, r"^session.json, line 1"),
        (lambda f: put(f, "events.csv.gz", gzip.compress(SET)[:50]), RecordingError, "broken off"),
    ],
)
def test_folders_that_cannot_be_read_are_refused(folder, change, error, message):
    change(folder)
    with pytest.raises(error, match=message) as refusal:
        read_session(folder)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", ["nowhere", "visit/left.csv", "visit/left.csv/x", "a\0b"])
def test_a_path_that_is_no_folder_is_a_wrong_call(folder, name):
    with pytest.raises(CallError, match=r"this is|there is"):
        read_session(folder.parent / name)


def test_a_folder_without_a_set_is_refused(tmp_path):
    with pytest.raises(RecordingError, match="there is no set in this folder"):
        read_session(tmp_path)


def test_a_file_without_permission_is_the_machines_fault(folder, monkeypatch):
    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)  # the tests may run as root
    with pytest.raises(MachineError, match=r"left.csv: cannot read it: Permission denied"):
        read_session(folder)


def test_a_huge_file_is_refused_before_it_is_read(folder):
    os.truncate(folder / "left.csv", 2**31)
    with pytest.raises(RecordingError, match=r"2\.0 GiB"):
        read_session(folder)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems' names are Unicode")
def test_a_folder_named_in_odd_bytes_has_a_name_that_can_be_written(tmp_path):
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    odd.mkdir()
    put(odd, "left.csv")
    read_session(odd).name.encode()


def test_a_session_written_is_read_back(folder, tmp_path):
    read = read_session(folder)
    info = SessionInfo("P01", "2026-11-22T09:30:00+01:00", 8, {"thigh": SensorInfo("IMU")}, "ä")
    events = (Event("left", 1.5, "pain", 3.0, 'front, "sharp"'), Event("right", -1.0, "note"))
    written = Session("again", info, read.recordings, events, read.recordings[0])
    write_session(tmp_path / "deep" / "again", written, {"truth.csv": "rep\n1\n"})
    back = read_session(tmp_path / "deep" / "again")
    assert (back.name, back.info, back.events) == ("again", info, events)
    assert [format_set(r) for r in back.recordings] == [format_set(r) for r in read.recordings]
    assert set(back.calibration.streams) == {"pelvis", "thigh"}
    assert (tmp_path / "deep" / "again" / "truth.csv").read_text() == "rep\n1\n"


def test_files_are_replaced_and_nothing_else_is_left(tmp_path):
    (tmp_path / "a.csv").write_text("old")
    write_files({tmp_path / "a.csv": "neu ä", tmp_path / "sub" / "b.bin": b"\xff"})
    assert (tmp_path / "a.csv").read_bytes() == "neu ä".encode()
    assert names(tmp_path) == ["a.csv", "sub"]
    assert names(tmp_path / "sub") == ["b.bin"]


@pytest.mark.parametrize("fails_at", ["write", "fsync", "replace"])
def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch, fails_at):
    (tmp_path / "a.csv").write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    if fails_at == "write":
        monkeypatch.setattr(files, "_write_through", full)
    elif fails_at == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(MachineError, match="No space left") as failure:
        write_files({tmp_path / "a.csv": "new", tmp_path / "sub" / "deep" / "b.csv": "new"})
    assert "\n" not in str(failure.value)
    assert (tmp_path / "a.csv").read_text() == "old"
    assert names(tmp_path) == ["a.csv"]


def test_an_interruption_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_files({tmp_path / "sub" / "a.csv": "new"})
    assert names(tmp_path) == []


def test_a_file_in_the_place_of_a_folder_is_a_wrong_call(tmp_path):
    (tmp_path / "out").write_text("a file")
    (tmp_path / "taken").mkdir()
    for path in (tmp_path / "out" / "a.csv", tmp_path / "out" / "b" / "a.csv", tmp_path / "taken"):
        with pytest.raises(CallError, match="folder"):
            write_files({tmp_path / "new" / "first.csv": "x", path: "new"})
    assert names(tmp_path) == ["out", "taken"]
