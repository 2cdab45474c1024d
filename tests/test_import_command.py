"""Importing kept frames: the recorder's rows again, byte for byte; nothing overwritten."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from analysis.commands import hiprot
from imu.codecs.table import FAMILIES, load_codecs
from imu.collector.discovery import Discovery
from imu.collector.sensor import Item, Linked, Sensor
from imu.collector.writing import SetPlan, SetWriter
from imu.emulators.table import make_emulator
from imu.errors import CallError, HiprotError, RecordingError
from imu.frames import Frame
from imu.storage.journal import EventJournal
from imu.storage.session import read_session
from tests.imu.codecs.driving import motion, streaming

STARTED = "2026-11-22T09:30:00+01:00"
CODECS, _ = load_codecs([])


def call(*args: object) -> None:
    hiprot.main([str(arg) for arg in args], prog_name="hiprot", standalone_mode=False)


def sensor(family: str, address: str, seconds: float) -> tuple[Sensor, list[Item]]:
    """One emulated sensor of the recorder's, and what it sent, with some garbage among it."""
    codec = CODECS[family]
    link, settings, _ = streaming(codec, make_emulator(family, address))
    one = Sensor(address, codec, codec.default_rate_hz, Discovery(None), lambda *_: None)  # type: ignore[arg-type]
    one.settings = settings
    items: list[Item] = [
        *link.stream(motion(round(seconds * link.emulator.rate_hz), link.emulator.rate_hz))
    ]
    garbage = Frame(items[0].characteristic, items[9].arrival_s, b"\x00\x01")
    return one, [*items[:10], garbage, items[9], *items[10:]]


def by_arrival(parts: Iterable[tuple[Sensor, list[Item]]]) -> list[tuple[Sensor, Item]]:
    tagged = [(one, item) for one, items in parts for item in items]
    return sorted(tagged, key=lambda pair: pair[1].arrival_s)


def record(folder: Path, family: str, end: bool = True, seconds: float = 3.0) -> Path:
    """Record a set with the recorder's own writer; the path of its frames."""
    parts = {
        "pelvis": sensor(family, "00:00:5E:00:53:01", seconds),
        "thigh": sensor(family, "00:00:5E:00:53:02", seconds),
    }
    plan = SetPlan(folder, "left", STARTED, keep_frames=True)
    roles = {segment: one for segment, (one, _) in parts.items()}
    writer = SetWriter(plan, roles, EventJournal(folder), print)
    items = by_arrival(parts.values())
    thigh = parts["thigh"][0]
    items.insert(len(items) * 2 // 3, (thigh, Linked({**thigh.settings})))
    for start in range(0, len(items), 50):
        writer.take(items[start : start + 50])
    if end:
        writer.finish()
    else:
        writer.close()  # as it is after a kill
    return folder / f"{writer.name}.frames.jsonl"


@pytest.mark.parametrize("family", FAMILIES)
def test_the_rows_are_the_recorders_byte_for_byte(tmp_path, capsys, family):
    frames = record(tmp_path / "visit", family)
    call("import", frames, "-o", tmp_path / "again")
    recorded = (tmp_path / "visit" / "left.csv").read_bytes()
    assert (tmp_path / "again" / "left.csv").read_bytes() == recorded
    assert recorded.count(b"\n") > 100
    told = capsys.readouterr().out
    assert str(tmp_path / "again" / "left.csv") in told
    assert "in order" not in told


def test_after_a_kill_they_are_the_same_too(tmp_path, capsys):
    frames = record(tmp_path / "visit", "movella-dot", end=False)
    with frames.open("ab") as file:
        file.write(b'["thigh", 1234.')
    call("import", frames, "-o", tmp_path / "again")
    recorded = (tmp_path / "visit" / "left.csv").read_bytes()
    assert (tmp_path / "again" / "left.csv").read_bytes() == recorded
    assert "did not end in order; its last line was broken off" in capsys.readouterr().out


def test_what_was_refused_and_delivered_twice_is_told(tmp_path, capsys):
    frames = record(tmp_path / "visit", "movella-dot")
    call("import", frames, "-o", tmp_path / "again", "--json")
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "hiprot.import/1"
    (one,) = document["sets"].values()
    assert (one["side"], one["started"]) == ("left", STARTED)
    assert (one["ended"], one["cut_lines"]) == (True, 0)
    streams = read_session(tmp_path / "again").recordings[0].streams
    for segment, counts in one["sensors"].items():
        assert (counts["refused"], counts["duplicates"]) == (1, 1)
        assert counts["samples"] == len(streams[segment].time_s)
    call("import", frames, "-o", tmp_path / "again")
    assert "1 frames refused, 1 samples delivered twice" in capsys.readouterr().out


def test_session_json_says_when_and_with_what_and_keeps_what_it_said(tmp_path):
    frames = record(tmp_path / "visit", "polar-verity")
    call("import", frames, "-o", tmp_path / "again")
    info = read_session(tmp_path / "again").info
    assert info.started == STARTED
    assert info.sensors["thigh"].address == "00:00:5E:00:53:02"
    (tmp_path / "again" / "session.json").write_text(
        '{"subject": "P01", "sensors": {"thigh": {"model": "Mine", "firmware": "1"}}}'
    )
    call("import", frames, "-o", tmp_path / "again")
    info = read_session(tmp_path / "again").info
    assert (info.subject, info.started) == ("P01", STARTED)
    assert (info.sensors["thigh"].model, info.sensors["thigh"].firmware) == ("Mine", "1")
    assert info.sensors["pelvis"].address == "00:00:5E:00:53:01"


def test_nothing_is_overwritten_and_several_files_become_several_sets(tmp_path, capsys):
    frames = record(tmp_path / "visit", "movella-dot")
    before = {path.name: path.read_bytes() for path in (tmp_path / "visit").iterdir()}
    packed = tmp_path / "mine.frames.jsonl.gz"
    packed.write_bytes(gzip.compress(frames.read_bytes()))
    renamed = tmp_path / "anything"
    renamed.write_bytes(frames.read_bytes())
    call("import", frames, packed, renamed, "-o", tmp_path / "visit")
    after = {path.name: path.read_bytes() for path in (tmp_path / "visit").iterdir()}
    added = {"left-2.csv", "left-3.csv", "left-4.csv"}
    assert set(after) == set(before) | added | {"session.json"}
    assert {name: after[name] for name in before} == before
    assert {after[name] for name in added} == {before["left.csv"]}
    assert capsys.readouterr().out.count(" from ") == 3


def damaged(frames: Path, text: str) -> Path:
    path = frames.with_name("damaged.frames.jsonl")
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text.replace('"pelvis", "settings"', '"shank", "settings"'), "line 2"),
        (lambda text: text.replace("]\n", "]]\n", 1), "not JSON"),
        (lambda text: text.replace("movella-dot", "mine"), "'mine' is unknown"),
        (lambda text: "\n".join(text.split("\n")[:4]), "no samples"),
        (lambda text: "\n".join(one for one in text.split("\n") if '["p' not in one), "pelvis"),
        (lambda _: "", "empty"),
        (lambda _: "a,b\n1,2\n", "line 1"),
    ],
)
def test_damaged_frames_are_refused_and_nothing_is_written(tmp_path, change, told):
    frames = record(tmp_path / "visit", "movella-dot")
    bad = damaged(frames, change(frames.read_text()))
    with pytest.raises(RecordingError, match=told) as refused:
        call("import", frames, bad, "-o", tmp_path / "again")
    assert "\n" not in str(refused.value)
    assert str(refused.value).startswith("damaged.frames.jsonl")
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("left.csv", b"PacketCounter,SampleTimeFine\n1,2\n", RecordingError),
        ("left.csv", b"", RecordingError),
        ("left.bin", b"\xff\xfe\x00", RecordingError),
        ("left.frames.jsonl.gz", b"not packed", RecordingError),
        (None, b"", CallError),
    ],
)
def test_other_files_are_refused_with_what_is_known(tmp_path, name, content, error):
    path = tmp_path / (name or "nothing")
    if name:
        path.write_bytes(content)
    with pytest.raises(error) as refused:
        call("import", path, "-o", tmp_path / "again")
    assert "\n" not in str(refused.value)
    if name in ("left.csv", "left.bin"):
        assert "*.frames.jsonl" in str(refused.value)
    assert not (tmp_path / "again").exists()


def test_a_session_file_that_cannot_be_added_to_is_refused_first(tmp_path):
    frames = record(tmp_path / "visit", "movella-dot")
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "session.json").write_text("{")
    with pytest.raises(HiprotError, match=r"session\.json"):
        call("import", frames, "-o", tmp_path / "again")
    assert [path.name for path in (tmp_path / "again").iterdir()] == ["session.json"]
