"""Files that only grow: what a kill, a full disk, a removed folder or a second recorder leave."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imu.errors import CallError, HiprotError, MachineError, RecordingError
from imu.formats.setfile import SET_HEADER, format_batch
from imu.frames import Batch, Sample
from imu.recording import Event, SensorInfo, SessionInfo
from imu.storage import journal
from imu.storage.journal import EventJournal, LineJournal, SetJournal, read_info, update_info
from imu.storage.session import read_session

ROOT = Path(__file__).parents[3]
HEAD = "set,time_s,kind,score,text\n"


def rows(i: int) -> str:
    """Rows number i of both sensors."""
    sample = Sample(i / 50, (0.1, 9.81, i), (0.0, 0.1, 0.2))
    return "".join(format_batch(Batch(one, i / 50, (sample,))) for one in ("pelvis", "thigh"))


def write_set(folder: Path, side: str = "left", count: int = 50) -> str:
    """Record a set as a recorder does; its name."""
    one = SetJournal.create(folder, side, rows(0))
    for i in range(1, count):
        one.append(rows(i))
    one.sync()
    one.close()
    return one.name


def assert_one_line(error: HiprotError) -> None:
    assert "\n" not in str(error)
    assert "Traceback" not in str(error)


def python(script: str, *args: str, wrapper: tuple[str, ...] = ()) -> subprocess.CompletedProcess:
    command = [*wrapper, sys.executable, "-c", script, *args]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


# --- sets


def test_a_set_is_read_back_as_it_was_written(tmp_path):
    folder = tmp_path / "new" / "visit"
    assert write_set(folder) == "left"
    assert os.listdir(folder) == ["left.csv"]  # noqa: PTH208
    (recording,) = read_session(folder).recordings
    assert recording.cut_rows == 0
    for stream in recording.streams.values():
        np.testing.assert_array_equal(stream.time_s, np.arange(50) / 50)
        np.testing.assert_array_equal(stream.acc_ms2[:, 2], np.arange(50))


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".frames.jsonl", ".refused.jsonl"])
def test_a_name_is_taken_by_any_file_of_the_set(tmp_path, ending):
    (tmp_path / f"left{ending}").write_bytes(b"x")
    assert write_set(tmp_path) == "left-2"
    assert write_set(tmp_path) == "left-3"
    assert write_set(tmp_path, "right") == "right"
    assert (tmp_path / f"left{ending}").read_bytes() == b"x"


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_link_that_leads_nowhere_takes_a_name_too(tmp_path):
    (tmp_path / "left.csv").symlink_to(tmp_path / "nowhere")
    assert write_set(tmp_path) == "left-2"
    assert not (tmp_path / "nowhere").exists()


def test_a_recorder_that_is_faster_keeps_its_name(tmp_path, monkeypatch):
    def link(source: Path, path: Path) -> None:
        if path.name == "left.csv":
            path.write_text("another's")
        return real(source, path)

    real = os.link
    monkeypatch.setattr(os, "link", link)
    assert write_set(tmp_path) == "left-2"
    assert (tmp_path / "left.csv").read_text() == "another's"
    assert len(list(tmp_path.iterdir())) == 2


def test_recorders_at_once_get_a_name_each(tmp_path):
    count = 8
    barrier = threading.Barrier(count)
    names: list[tuple[str, int]] = []

    def record(number: int) -> None:
        barrier.wait()
        one = SetJournal.create(tmp_path, "left", rows(number))
        one.append(rows(1000))
        one.close()
        names.append((one.name, number))

    threads = [threading.Thread(target=record, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = {"left"} | {f"left-{number}" for number in range(2, count + 1)}
    assert {name for name, _ in names} == expected
    assert {path.stem for path in tmp_path.iterdir()} == expected
    for name, number in names:
        text = (tmp_path / f"{name}.csv").read_text()
        assert text == f"{SET_HEADER}\n{rows(number)}{rows(1000)}"


@pytest.mark.parametrize("reason", [errno.EPERM, errno.EOPNOTSUPP])
def test_a_disk_without_hard_links_will_do(tmp_path, monkeypatch, reason):
    def link(*_: object) -> None:
        raise OSError(reason, "no hard links here")

    monkeypatch.setattr(os, "link", link)
    assert write_set(tmp_path) == "left"
    assert write_set(tmp_path) == "left-2"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["left-2.csv", "left.csv"]
    assert len(read_session(tmp_path).recordings) == 2


def test_a_file_in_the_folders_place_is_refused(tmp_path):
    (tmp_path / "visit").write_text("a file")
    with pytest.raises(CallError) as refused:
        SetJournal.create(tmp_path / "visit", "left", rows(0))
    assert_one_line(refused.value)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs Linux' /proc")
def test_a_folder_that_cannot_be_written_is_told():
    with pytest.raises(MachineError, match=r"/proc/.*: cannot (make|write) it: ") as refused:
        SetJournal.create(Path("/proc/self"), "left", rows(0))
    assert_one_line(refused.value)


# --- kills

KILLED = """
import os, random, signal, sys, time
from pathlib import Path
from imu.storage.journal import EventJournal, SetJournal
from imu.recording import Event

def rows(i):
    tail = ",0.1000000,9.8100000,%.7f,0.00000000,0.10000000,0.20000000,%.6f\\n" % (i, i / 50)
    return "".join(f"{segment},{i / 50:.6f}{tail}" for segment in ("pelvis", "thigh"))

def record(folder, pipe):
    journal, events, i = SetJournal.create(folder, "left", rows(0)), EventJournal(folder), 0
    while True:
        i += 1
        journal.append(rows(i))
        if i % 100 == 0:
            events.append(Event("left", i / 50, "note", None, "a, b"))
        os.write(pipe, b"%d\\n" % i)

for round in range(40):
    folder = Path(sys.argv[1]) / str(round)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        record(folder, writer)
    os.close(writer)
    told = [] if round % 4 == 0 else [os.read(reader, 4096)]  # some die before their set is there
    end_s = time.monotonic() + random.Random(round).uniform(0.0, 0.02)
    while time.monotonic() < end_s:
        told.append(os.read(reader, 4096))
    os.kill(child, signal.SIGKILL)
    while data := os.read(reader, 65536):
        told.append(data)
    os.waitpid(child, 0)
    os.close(reader)
    lines = b"".join(told).split()
    folder.mkdir(exist_ok=True)
    (folder / "told").write_text((lines[-1] if lines else b"-1").decode())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_kill_at_any_moment_loses_nothing_that_was_appended(tmp_path):
    done = python(KILLED, str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    counts = []
    for folder in tmp_path.iterdir():
        told = int((folder / "told").read_text())
        if not (folder / "left.csv").exists():
            assert told == -1
            continue
        session = read_session(folder)
        (recording,) = session.recordings
        assert recording.cut_rows <= 1  # the system may have been in the middle of a write
        for stream in recording.streams.values():
            assert len(stream.time_s) >= told + 1
            np.testing.assert_array_equal(
                stream.acc_ms2[:, 2], np.arange(len(stream.time_s), dtype=float)
            )
        assert len(session.events) >= told // 100
        counts.append(told)
    assert len(counts) >= 30
    assert max(counts) > 10


def test_what_a_kill_leaves_of_a_set_that_was_not_there_yet_disturbs_nobody(tmp_path, monkeypatch):
    class KilledError(BaseException):
        pass

    def link(*_: object) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(os, "link", link)
        patch.setattr(Path, "unlink", link)
        with pytest.raises(KilledError):
            SetJournal.create(tmp_path, "left", rows(0))
    assert len(list(tmp_path.iterdir())) == 1
    assert write_set(tmp_path) == "left"
    assert [one.name for one in read_session(tmp_path).recordings] == ["left"]


# --- full disks and the like

FULL = """
import json, sys
from pathlib import Path
from imu.errors import MachineError
from imu.storage.journal import SetJournal, EventJournal
from imu.recording import Event
from imu.storage.session import read_session
exec(sys.argv[2])
folder = Path(sys.argv[1])
row = "%s,%.6f,0.1,9.81,0.0,0.0,0.1,0.2,%.6f\\n"
rows = lambda i: "".join(row % (one, i / 50, i / 50) for one in ("pelvis", "thigh"))
journal = SetJournal.create(folder, "left", rows(0))
errors, appended = [], 1
while not errors:
    try:
        journal.append("".join(rows(appended + k) for k in range(7)))
        appended += 7
    except MachineError as error:
        errors.append(str(error))
text = (folder / "left.csv").read_text()
for attempt in (
    lambda: journal.append(rows(appended) * 100),
    lambda: SetJournal.create(folder, "right", rows(0) * 1000),
):
    try:
        attempt()
    except MachineError as error:
        errors.append(str(error))
recording = read_session(folder).recordings[0]
print(json.dumps({
    "errors": errors, "appended": appended, "whole": text.endswith("\\n"),
    "rows": len(recording.streams["pelvis"].time_s), "cut": recording.cut_rows,
    "names": sorted(path.name for path in folder.iterdir()),
}))
"""
LIMITED = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_001, 20_001))
"""
MOUNTED = """
import subprocess
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", sys.argv[1]], check=True)
"""


def own_mounts() -> bool:
    """Whether a process may have mounts of its own, which end with it."""
    if shutil.which("unshare") is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        trial = ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", folder]
        return subprocess.run(trial, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
@pytest.mark.parametrize("kind", ["a limit of the file's size", "a full disk"])
def test_where_no_more_fits_the_file_ends_in_a_whole_row(tmp_path, kind):
    if kind == "a full disk" and not own_mounts():
        pytest.skip("may not mount a small disk")
    prelude, wrapper = (MOUNTED, ("unshare", "-m")) if kind == "a full disk" else (LIMITED, ())
    done = python(FULL, str(tmp_path), prelude, wrapper=wrapper)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert found["whole"]
    assert found["cut"] == 0
    assert found["appended"] <= found["rows"] <= found["appended"] + 7
    assert found["rows"] > 100
    assert len(found["errors"]) == 3
    for error in found["errors"]:
        assert "cannot write it: " in error
        assert "\n" not in error
    assert found["names"] == ["left.csv"]


@given(
    texts=st.lists(st.integers(1, 5), min_size=1, max_size=5),
    pieces=st.lists(st.integers(0, 300), min_size=1, max_size=30),
)
def test_writes_that_come_short_and_fail_leave_whole_lines(texts, pieces):
    real, left = os.write, list(pieces)

    def write(descriptor: int, data: bytes) -> int:
        size = left.pop(0) if left else len(data)
        if size == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, bytes(data[:size]))

    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        one = SetJournal.create(Path(folder), "left", rows(0))
        patch.setattr(os, "write", write)
        wanted, failed = rows(0), 0
        for number, count in enumerate(texts):
            text = rows(number) * count
            try:
                one.append(text)
                wanted += text
            except MachineError:
                failed += 1
                written = one.path.read_text().removeprefix(f"{SET_HEADER}\n")
                assert written.startswith(wanted)
                assert text.startswith(written.removeprefix(wanted))
                wanted = written
        one.close()
        assert one.path.read_text() == f"{SET_HEADER}\n{wanted}"
        assert wanted.endswith("\n")
        assert failed <= pieces.count(0)


def replace_set(folder: Path) -> None:
    (folder / "other").write_text("another's")
    (folder / "other").replace(folder / "left.csv")


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (lambda folder: shutil.rmtree(folder), "no longer in its place; what was written is gone"),
        (lambda folder: (folder / "left.csv").unlink(), "is gone"),
        (lambda folder: folder.rename(f"{folder}-2"), "was moved elsewhere"),
        (replace_set, "another file is in its place; what was written is gone"),
    ],
)
def test_a_file_no_longer_in_its_place_is_told(tmp_path, fault, told):
    folder = tmp_path / "visit"
    one = SetJournal.create(folder, "left", rows(0))
    one.sync()
    fault(folder)
    one.append(rows(1))
    with pytest.raises(MachineError, match=told) as failed:
        one.sync()
    assert_one_line(failed.value)
    one.close()
    one.close()


# --- lines


def test_lines_are_kept_from_the_first_on(tmp_path):
    path = tmp_path / "left.frames.jsonl"
    lines = LineJournal(path)
    lines.sync()
    assert not path.exists()
    lines.append("1\n")
    assert path.read_text() == "1\n"
    lines.append("2\n3\n")
    lines.sync()
    lines.close()
    assert path.read_text() == "1\n2\n3\n"
    assert list(tmp_path.iterdir()) == [path]


def test_lines_never_go_into_a_file_that_is_there(tmp_path):
    path = tmp_path / "left.frames.jsonl"
    path.write_text("mine\n")
    with pytest.raises(MachineError) as failed:
        LineJournal(path).append("1\n")
    assert_one_line(failed.value)
    assert path.read_text() == "mine\n"


def test_beyond_their_limit_lines_are_counted(tmp_path):
    path = tmp_path / "left.refused.jsonl"
    lines = LineJournal(path, max_bytes=20)
    for _ in range(10):
        lines.append('{"a": 1}\n')
    lines.append('{"a": 1}\n{"a": 2}\n')
    kept = [json.loads(line) for line in path.read_text().splitlines()]
    assert kept[:2] == [{"a": 1}] * 2
    assert list(kept[2]) == ["full"]
    assert len(kept) == 3
    assert lines.left_out == 10
    lines.close()


# --- markers

EVENT = Event("left", 0.5, "pain", 3.0, "deep, in front")


def events_of(folder: Path) -> tuple[Event, ...]:
    return read_session(folder).events


def test_markers_are_read_back(tmp_path):
    write_set(tmp_path)
    markers = EventJournal(tmp_path)
    assert not (tmp_path / "events.csv").exists()
    other = Event("left", 0.75, "note", None, 'say "ah"')
    markers.append(EVENT)
    markers.append(other)
    assert events_of(tmp_path) == (EVENT, other)
    EventJournal(tmp_path).append(EVENT)
    assert events_of(tmp_path) == (EVENT, other, EVENT)


@given(st.text(st.characters(), max_size=30))
def test_any_text_is_one_line_and_read_back(text):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_set(folder, count=2)
        EventJournal(folder).append(Event("left", 0.0, "note", None, text))
        EventJournal(folder).append(EVENT)
        (first, second) = events_of(folder)
        assert second == EVENT
        kept = "".join(text.split())
        assert "".join(first.text.split()) == "".join(journal.CONTROLS.sub(" ", kept).split())
        assert (folder / "events.csv").read_text().count("\n") == 3


@pytest.mark.parametrize(
    "present",
    [
        f"{HEAD}left,1,cramp,,x\n",
        f"{HEAD}left,1,cramp,,x",
        f"{HEAD}left,1,cramp,,x\n\n\n",
        f"{HEAD}left,1,cramp,,x\n".replace("\n", "\r\n"),
        f"\ufeff{HEAD}left,1,cramp,,x\r\n\r\n",
        "who,text,score,kind,time_s,set\nme,x,,cramp,1,left\n",
        "who,text,score,kind,time_s,set\nme,x,,cramp,1,left",
    ],
)
def test_markers_go_below_those_that_are_there(tmp_path, present):
    write_set(tmp_path)
    (tmp_path / "events.csv").write_bytes(present.encode())
    EventJournal(tmp_path).append(EVENT)
    EventJournal(tmp_path).append(EVENT)
    assert events_of(tmp_path) == (Event("left", 1.0, "cramp", None, "x"), EVENT, EVENT)
    assert (tmp_path / "events.csv").read_bytes().startswith(present.rstrip("\r\n").encode())


@pytest.mark.parametrize("present", [HEAD, HEAD.strip()])
def test_markers_go_below_a_header_alone(tmp_path, present):
    write_set(tmp_path)
    (tmp_path / "events.csv").write_text(present)
    EventJournal(tmp_path).append(EVENT)
    assert events_of(tmp_path) == (EVENT,)


@pytest.mark.parametrize(
    ("name", "present"),
    [
        ("events.csv", ""),
        ("events.csv", "set,time_s,kind\nleft,1,pain\n"),
        ("events.csv", f"{HEAD}right,1,pain,3,x\n"),
        ("events.csv", f"{HEAD}left,1,pain,11,x\n"),
        ("events.csv.gz", "whatever"),
        ("Events.csv", HEAD),
    ],
)
def test_markers_that_cannot_be_added_to_are_refused_and_kept(tmp_path, name, present):
    write_set(tmp_path)
    (tmp_path / name).write_text(present)
    with pytest.raises(RecordingError, match=r"(?i)^events\.csv") as refused:
        EventJournal(tmp_path)
    assert_one_line(refused.value)
    assert (tmp_path / name).read_text() == present


def test_markers_spoilt_while_recording_are_refused_and_kept(tmp_path):
    write_set(tmp_path)
    markers = EventJournal(tmp_path)
    (tmp_path / "events.csv").write_text("set;time_s;kind;score;text\n")
    with pytest.raises(RecordingError, match="semicolons"):
        markers.append(EVENT)
    assert (tmp_path / "events.csv").read_text() == "set;time_s;kind;score;text\n"


def test_a_marker_without_its_folder_is_told(tmp_path):
    with pytest.raises(MachineError) as failed:
        EventJournal(tmp_path / "gone").append(EVENT)
    assert_one_line(failed.value)


# --- session.json

INFO = SessionInfo(
    subject="P02", started="2026-11-22T10:00:00+01:00", sensors={"thigh": SensorInfo("DOT", "A")}
)


def test_what_is_known_is_written_where_nothing_is_there(tmp_path):
    assert read_info(tmp_path / "visit") == SessionInfo()
    update_info(tmp_path / "visit", INFO)
    assert read_info(tmp_path / "visit") == INFO


def test_what_is_there_stays_and_what_is_missing_is_added(tmp_path):
    present = {
        "schema": "hiprot.session/1",
        "subject": "P01",
        "started": None,
        "clinic": {"room": [1, "\ud800"]},
        "sensors": {
            "thigh": {"model": "Old", "firmware": "1.0", "strap": "blue"},
            "pelvis": {"model": "Other"},
            "knee": 5,
        },
    }
    (tmp_path / "session.json").write_text(json.dumps(present))
    update_info(tmp_path, INFO)
    assert json.loads((tmp_path / "session.json").read_text()) == {
        "schema": "hiprot.session/1",
        "subject": "P01",
        "started": "2026-11-22T10:00:00+01:00",
        "clinic": {"room": [1, "\ud800"]},
        "sensors": {
            "thigh": {"strap": "blue", "model": "DOT", "address": "A"},
            "pelvis": {"model": "Other"},
            "knee": 5,
        },
    }
    before = (tmp_path / "session.json").read_bytes()
    update_info(tmp_path, INFO)
    assert (tmp_path / "session.json").read_bytes() == before


@pytest.mark.parametrize(
    "present",
    [
        "",
        "{",
        "[]",
        '{"schema": "hiprot.session/2"}',
        '{"started": "noon"}',
        '{"mine": NaN}',
        '{"mine": 1e999}',
        '{"mine": ' + "[" * 100_000 + "]" * 100_000 + "}",
    ],
)
def test_a_session_file_that_is_none_is_refused_and_kept(tmp_path, present):
    (tmp_path / "session.json").write_text(present)
    with pytest.raises(RecordingError, match=r"^session\.json") as refused:
        update_info(tmp_path, INFO)
    assert_one_line(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["session.json"]
    assert (tmp_path / "session.json").read_text() == present


# --- before the recording


def test_probing_a_folder_leaves_nothing_behind(tmp_path):
    journal.probe(tmp_path / "new" / "session")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "kept.txt").write_text("kept")
    journal.probe(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]


def test_a_folder_that_cannot_be_written_is_told_beforehand(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(CallError, match="not a folder"):
        journal.probe(tmp_path / "file")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(journal.os, "write", full)
    with pytest.raises(MachineError, match="No space left"):
        journal.probe(tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
