"""`hiprot export` from outside: what is written, what is left out, what is refused."""

from __future__ import annotations

import json
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from click.testing import CliRunner

from analysis.commands.export import export
from analysis.exporters.anonymity import without_identity
from analysis.exporters.table import FORMATS, load_exporters
from imu.errors import CallError, RecordingError
from imu.recording import Correction, Event, SensorInfo, Session, SessionInfo

BLUETOOTH = Path(__file__).parents[3] / "recordings" / "bluetooth"
ADDRESS = "D4:22:CD:00:12:34"


def run(*args: object) -> str:
    shown = CliRunner().invoke(export, [str(arg) for arg in args])
    if shown.exception:
        raise shown.exception
    return shown.output


def test_it_writes_the_files_it_names(tmp_path):
    out = tmp_path / "out"
    told = json.loads(run(BLUETOOTH, "--to", "opensense", "-o", out, "--json"))
    assert told["schema"] == "hiprot.export/1"
    assert sorted(told["files"]) == sorted(path.name for path in out.iterdir())


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--to", "nonsense", "-o", "new"], "--to nonsense: there is no such format. Known: "),
        (["--to", "tidy", "-o", BLUETOOTH], "exists already"),
        (["--to", "tidy", "-o", BLUETOOTH / "left.csv"], "exists already"),
    ],
)
def test_a_wrong_call_is_refused(args, told):
    with pytest.raises(CallError, match=told):
        run(BLUETOOTH, *args)


def test_what_cannot_be_read_leaves_nothing_behind(tmp_path):
    (tmp_path / "left.csv").write_text("sensor,time_s\n")
    with pytest.raises(RecordingError):
        run(tmp_path, "--to", "tidy", "-o", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_addresses_and_words_are_left_out_and_the_code_stays():
    info = SessionInfo(
        "P03",
        sensors={"thigh": SensorInfo("DOT", ADDRESS, rate_hz=60.0)},
        notes="Anna",
        corrections={"left": Correction("right", why="Anna sat the other way")},
    )
    named = Session("made-up", info, (), (Event("left", 1.0, "pain", 3.0, "Anna"),))
    told = repr((without_identity(named).info, without_identity(named).events))
    assert "Anna" in repr(named.info)
    assert "Anna" not in told
    assert ADDRESS not in told
    assert "P03" in told
    assert "score=3.0" in told
    assert "side='right'" in told


def test_formats_of_plugins_are_found_and_broken_ones_told():
    assert load_exporters([])[1] == []
    points = [
        EntryPoint("mine", "json:dumps", "hiprot.exporters"),
        EntryPoint("tidy", "json:dumps", "hiprot.exporters"),
        EntryPoint("gone", "no_such_module:export", "hiprot.exporters"),
        EntryPoint("json", "json:__name__", "hiprot.exporters"),
    ]
    exporters, complaints = load_exporters(points)
    assert list(exporters) == [*FORMATS, "mine"]
    assert exporters["mine"] is json.dumps
    assert [line.split()[1] for line in complaints] == ["tidy", "gone", "json"]
