"""``hiprot trend`` and ``hiprot reliability`` as they are called: files, streams, exit status."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from analysis.commands import hiprot, main
from analysis.commands.visiting import session_names
from imu.storage.session import find_sessions

TREND = {"trend.html", "trend.json", "trend.csv"}
RELIABILITY = {"reliability.html", "reliability.json", "limits.toml"}


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """Two short sessions, the left side narrower in the second."""
    folder = tmp_path_factory.mktemp("samples")
    for name, left in (("wide", 34), ("narrow", 22)):
        call = ["simulate", str(folder / name), "--reps", "3", "--left-range", str(left)]
        assert CliRunner().invoke(hiprot, [*call, "--right-range", "33"]).exit_code == 0
    return folder


def session(folder: Path, sample: Path, subject: str | None, day: int) -> Path:
    """Copy a session under another name and date."""
    folder.mkdir(parents=True)
    for name in ("left.csv", "right.csv"):
        shutil.copy(sample / name, folder / name)
    info = {"started": f"2026-03-{day:02d}T09:30:00+01:00"}
    info |= {} if subject is None else {"subject": subject}
    (folder / "session.json").write_text(json.dumps(info))
    return folder


@pytest.fixture(scope="module")
def root(samples, tmp_path_factory):
    root = tmp_path_factory.mktemp("clinic")
    session(root / "P01" / "a", samples / "wide", "P01", 3)
    session(root / "P01" / "b", samples / "narrow", "P01", 24)
    session(root / "P02" / "a", samples / "narrow", None, 4)
    session(root / "P02" / "b", samples / "narrow", None, 25)
    broken = root / "P01" / "c"
    broken.mkdir()
    (broken / "left.csv").write_text("sensor,time_s\n")
    return root


def refused(monkeypatch, capsys, *call):
    """Call as from a shell; return the exit status and standard error."""
    monkeypatch.setattr(sys, "argv", ["hiprot", *map(str, call)])
    with pytest.raises(SystemExit) as left:
        main()
    out, err = capsys.readouterr()
    assert out == ""
    return left.value.code, err


def test_a_persons_folder_makes_a_trend(root, tmp_path):
    result = CliRunner().invoke(hiprot, ["trend", str(root / "P01"), "-o", str(tmp_path)])
    assert result.exit_code == 0
    assert {path.name for path in tmp_path.iterdir()} == TREND
    assert result.stdout.startswith("Left: 3")
    assert " in 3 weeks, " in result.stdout
    assert "c is left out: left.csv" in result.stderr
    document = json.loads((tmp_path / "trend.json").read_text())
    assert [one["name"] for one in document["sessions"]] == ["a", "b"]
    assert document["subject"] == "P01"
    assert len(document["refused"]) == 1


def test_sessions_may_be_given_one_by_one_and_json_is_alone(root, tmp_path):
    call = ["trend", str(root / "P01" / "b"), str(root / "P01" / "a"), "-o", str(tmp_path)]
    result = CliRunner().invoke(hiprot, [*call, "--json", "--target", "35"])
    document = json.loads(result.stdout)
    assert [one["name"] for one in document["sessions"]] == ["a", "b"]
    assert document["target_deg"] == 35.0
    assert document == json.loads((tmp_path / "trend.json").read_text())


def test_reliability_writes_limits_that_the_report_names(root, tmp_path):
    out = tmp_path / "own"
    result = CliRunner().invoke(hiprot, ["reliability", str(root), "-o", str(out)])
    assert result.exit_code == 0
    assert {path.name for path in out.iterdir()} == RELIABILITY
    assert "Fewer than 10 people" in result.stdout
    config = ["--config", str(out / "limits.toml"), "--json"]
    call = ["report", str(root / "P01" / "a"), "-o", str(tmp_path / "report"), *config]
    report = json.loads(CliRunner().invoke(hiprot, call).stdout)
    limits = json.loads((out / "reliability.json").read_text())["measures"]
    assert report["symmetry"]["range"]["rom_deg"]["threshold"] == pytest.approx(
        limits["rom_deg"]["mdc95"], rel=0.01
    )
    named = "own minimal detectable change: 2 people measured anew, too few to rely on"
    for one in (report["symmetry"]["range"]["rom_deg"], report["symmetry"]["speed"]["inward_s"]):
        assert one["threshold_source"] == named
    assert named in (tmp_path / "report" / "report.html").read_text()


@pytest.mark.parametrize(
    ("call", "status", "told"),
    [
        (["trend", "-o", "x"], 2, "no session is given"),
        (["trend", "nowhere", "-o", "x"], 2, "nowhere: there is no such folder"),
        (["trend", "{root}", "-o", "x"], 2, "2 people"),
        (["trend", "{root}/P01/a", "{root}/P01", "-o", "x"], 2, "given twice"),
        (["trend", "{root}/P01", "-o", "x", "--target", "nan"], 2, "--target"),
        (["trend", "{root}/P01/c", "-o", "x"], 3, "none of 1 sessions"),
        (["trend", "{empty}", "-o", "x"], 2, "there is no session below it"),
        (["trend", "{root}/P01/a", "-o", "{empty}/file"], 2, "not a folder"),
        (["reliability", "nowhere", "-o", "x"], 2, "no such folder"),
        (["reliability", "{root}"], 2, "--out"),
    ],
)
def test_a_wrong_call_is_refused_with_its_remedy(
    call, status, told, root, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    empty = tmp_path / "empty"
    empty.mkdir()
    if "file" in call[-1]:
        (empty / "file").write_text("mine")
    places = {"{root}": str(root), "{empty}": str(empty)}
    if told == "2 people":
        session(tmp_path / "P03" / "a", root / "P01" / "a", "P03", 5)
        call = ["trend", str(root / "P01" / "a"), str(tmp_path / "P03"), "-o", "x"]
    for name, path in places.items():
        call = [part.replace(name, path) for part in call]
    found, err = refused(monkeypatch, capsys, *call)
    assert found == status
    assert told in err.splitlines()[-1]
    assert not (tmp_path / "x").exists()


def test_limits_of_no_measure_are_refused(root, tmp_path, monkeypatch, capsys):
    config = tmp_path / "limits.toml"
    config.write_text("[mdc]\nrom = 3.0\n")
    call = ["trend", root / "P01", "-o", tmp_path / "x", "--config", config]
    status, err = refused(monkeypatch, capsys, *call)
    assert status == 2
    assert "mdc.rom is no measure" in err


def test_sessions_are_found_wherever_they_lie_and_nothing_else(samples, tmp_path):
    for place in ("P01/a", "P01/b/deep", ".hidden/a"):
        session(tmp_path / place, samples / "wide", None, 3)
    session(tmp_path / "P01" / "a" / "inside", samples / "wide", None, 3)
    (tmp_path / "P02").mkdir()
    (tmp_path / "P02" / "left (1).csv").write_text("")
    if sys.platform != "win32":
        (tmp_path / "loop").symlink_to(tmp_path)
    found = [path.relative_to(tmp_path).as_posix() for path in find_sessions(tmp_path)]
    assert found == ["P01/a", "P01/b/deep"]


def test_sessions_of_one_name_are_told_apart(tmp_path):
    folders = [tmp_path / place for place in ("a/x/s", "b/x/s", "b/y/s", "t")]
    names = list(session_names(folders).values())
    assert names[2:] == ["y/s", "t"]
    assert len(set(names)) == 4
    assert names[0].endswith("a/x/s")
