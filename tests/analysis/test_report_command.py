"""``hiprot report`` as it is called: files, streams and exit status."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from analysis.commands import hiprot, main
from analysis.report.text import print_report
from imu.errors import CallError
from tests.analysis.examples import named_examples

FILES = {"report.html", "report.json", "reps.csv", "angles.csv"}


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "P01"
    call = ["simulate", str(folder), "--reps", "4", "--left-range", "22", "--right-range", "34"]
    assert CliRunner().invoke(hiprot, call).exit_code == 0
    return folder


def refused(monkeypatch, capsys, *call):
    """Call as from a shell; return the exit status and standard error."""
    monkeypatch.setattr(sys, "argv", ["hiprot", "report", *map(str, call)])
    with pytest.raises(SystemExit) as left:
        main()
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("hiprot: ")
    assert err.count("\n") == 1
    return left.value.code, err


def test_four_files_are_written_and_the_table_printed(session, tmp_path):
    result = CliRunner().invoke(hiprot, ["report", str(session), "-o", str(tmp_path / "a" / "b")])
    assert result.exit_code == 0
    assert {path.name for path in (tmp_path / "a" / "b").iterdir()} == FILES
    assert "≠ different Range: right 3" in result.stdout
    assert "Range of motion, °" in result.stdout
    assert str(tmp_path / "a" / "b") in result.stdout
    assert "\x1b[" not in result.stdout


def test_the_report_goes_beside_the_session_and_can_be_written_again(session):
    for _ in range(2):
        assert CliRunner().invoke(hiprot, ["report", str(session)]).exit_code == 0
        assert {path.name for path in (session / "report").iterdir()} == FILES


def test_json_is_printed_alone_and_equals_the_file(session, tmp_path):
    result = CliRunner().invoke(hiprot, ["report", str(session), "-o", str(tmp_path), "--json"])
    assert json.loads(result.stdout) == json.loads((tmp_path / "report.json").read_text())
    assert "Written to" in result.stderr


def test_the_same_session_gives_the_same_bytes(session, tmp_path):
    for name in ("one", "two"):
        CliRunner().invoke(hiprot, ["report", str(session), "-o", str(tmp_path / name)])
    for name in FILES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_single_side_gets_its_report(session, tmp_path):
    shutil.copy(session / "left.csv", tmp_path / "left.csv")
    result = CliRunner().invoke(hiprot, ["report", str(tmp_path)])
    assert result.exit_code == 0
    assert "Left side only" in result.stdout
    assert json.loads((tmp_path / "report" / "report.json").read_text())["symmetry"] == {}


def test_limits_come_from_the_configuration(session, tmp_path):
    config = tmp_path / "limits.toml"
    config.write_text("min_hold_s = 9.0\n")
    call = ["report", str(session), "-o", str(tmp_path / "out"), "--config", str(config), "--json"]
    document = json.loads(CliRunner().invoke(hiprot, call).stdout)
    assert document["settings"]["min_hold_s"] == 9.0
    assert all("no_hold" in rep["flags"] for rep in document["sides"]["left"]["reps"])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("min_hold = 1", "unknown setting"),
        ("min_hold_s = -1", "expected above 0"),
        ("[[", "not TOML"),
        (None, "no such file"),
    ],
)
def test_a_wrong_configuration_is_refused(session, tmp_path, monkeypatch, capsys, content, told):
    config = tmp_path / "limits.toml"
    if content is not None:
        config.write_text(content)
    status, err = refused(monkeypatch, capsys, session, "--config", config)
    assert status == 2
    assert told in err
    assert "limits.toml" in err


def test_a_missing_session_is_refused(tmp_path, monkeypatch, capsys):
    status, err = refused(monkeypatch, capsys, tmp_path / "nowhere")
    assert status == 2
    assert "nowhere" in err


def test_a_file_in_the_place_of_out_is_refused(session, tmp_path, monkeypatch, capsys):
    (tmp_path / "out").write_text("mine")
    status, _ = refused(monkeypatch, capsys, session, "-o", tmp_path / "out")
    assert status == 2
    assert (tmp_path / "out").read_text() == "mine"


def test_a_report_that_cannot_be_written_whole_is_not_written_at_all(session, tmp_path):
    (tmp_path / "reps.csv").mkdir()
    result = CliRunner().invoke(hiprot, ["report", str(session), "-o", str(tmp_path)])
    assert isinstance(result.exception, CallError)
    assert [path.name for path in tmp_path.iterdir()] == ["reps.csv"]


def test_a_session_that_cannot_be_measured_leaves_nothing(session, tmp_path, monkeypatch, capsys):
    lines = (session / "left.csv").read_text().splitlines(keepends=True)
    (tmp_path / "left.csv").write_text("".join(lines[:200]))
    status, err = refused(monkeypatch, capsys, tmp_path)
    assert status == 3
    assert "left.csv" in err
    assert not (tmp_path / "report").exists()


def test_a_poor_terminal_still_gets_the_table(session, tmp_path):
    """ASCII output, narrow, into a pipe: nothing breaks, nothing is coloured."""
    call = [sys.executable, "-c", "from analysis.commands import main; main()"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "COLUMNS": "60"}
    result = subprocess.run(
        [*call, "report", str(session), "-o", str(tmp_path)],
        capture_output=True, check=True, env=environment, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    lines = result.stdout.decode("ascii").splitlines()
    assert max(map(len, lines[:-1])) <= 60
    assert b"\x1b" not in result.stdout


@pytest.mark.parametrize("width", [50, 80, 120])
@pytest.mark.parametrize("name", ["different", "one_sided", "one_rep", "no_rep", "poor"])
def test_the_table_fits_the_terminal(name, width, capsys):
    analysis = named_examples()[name]
    console = Console(width=width, highlight=False, markup=False, emoji=False)
    print_report(analysis, console)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    assert not any("…" in line for line in lines)
