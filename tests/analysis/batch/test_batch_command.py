"""``hiprot batch`` as it is called: tables, streams and exit status."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from analysis.batch import processes
from analysis.batch.sessions import do_session
from analysis.commands import hiprot, main
from analysis.commands.batch import Progress
from tests.analysis.batch.study import contents, rows


@pytest.fixture
def here(monkeypatch, quick):  # noqa: ARG001
    """Do all in this process: what workers are for is tested elsewhere."""

    def run(order, names, workers):
        assert workers >= 1
        return ((name, do_session(order, name)) for name in names)

    monkeypatch.setattr(processes, "run_processes", run)


def call(*args):
    return CliRunner().invoke(hiprot, ["batch", *map(str, args)])


def refused(monkeypatch, capsys, *args):
    monkeypatch.setattr(sys, "argv", ["hiprot", "batch", *map(str, args)])
    with pytest.raises(SystemExit) as left:
        main()
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("hiprot: ")
    assert err.count("\n") == 1
    return left.value.code, err


@pytest.mark.usefixtures("here")
def test_a_damaged_session_is_told_and_stops_no_other(study, tmp_path):
    out = tmp_path / "out"
    result = call(study, "-o", out, "--no-html")
    assert result.exit_code == 3
    assert "2 of 3 sessions analysed" in result.stdout
    assert "1 failed" in result.stdout
    assert result.stderr == "3 of 3 sessions, 1 failed\n" or "3 sessions" in result.stderr
    assert [row["session"] for row in rows(out / "failures.csv")] == ["P02/S1"]
    assert {row["session"] for row in rows(out / "sessions.csv")} == {"P01/S1", "P01/S2"}


@pytest.mark.usefixtures("here")
def test_all_well_is_exit_0_and_a_second_call_does_nothing_again(study, tmp_path):
    shutil.rmtree(study / "P02")
    out = tmp_path / "out"
    assert call(study, "-o", out, "--no-html").exit_code == 0
    before = contents(out)
    again = call(study, "-o", out, "--no-html")
    assert again.exit_code == 0
    assert "2 as before" in again.stderr
    assert contents(out) == before


@pytest.mark.usefixtures("here")
def test_the_machines_failures_are_exit_1(study, tmp_path):
    (study / "P03").mkdir()
    (study / "P03" / "left.csv").symlink_to(tmp_path / "there-is-none")
    result = call(study, "-o", tmp_path / "out", "--no-html")
    assert result.exit_code == 1
    exits = {row["session"]: row["exit"] for row in rows(tmp_path / "out" / "failures.csv")}
    assert exits == {"P02/S1": "3", "P03": "1"}


@pytest.mark.usefixtures("here")
def test_parts_and_collating_give_the_same_as_one_call(study, tmp_path):
    call(study, "-o", tmp_path / "one", "--no-html")
    parts = tmp_path / "parts"
    for i in (2, 1, 3):
        call(study, "-o", parts, "--no-html", "--part", f"{i}/3")
        assert not (parts / "sessions.csv").exists()
    assert call(study, "-o", parts, "--no-html", "--collate").exit_code == 3
    assert contents(parts) == contents(tmp_path / "one")


@pytest.mark.usefixtures("here")
def test_json_is_alone_on_standard_output_and_pages_are_linked(study, tmp_path):
    out = tmp_path / "out"
    result = call(study, "-o", out, "--json")
    assert json.loads(result.stdout) == json.loads((out / "batch.json").read_text())
    assert (out / "reports" / "P01" / "S1" / "report.html").is_file()
    assert 'href="reports/P01/S1/report.html"' in (out / "batch.html").read_text()


@pytest.mark.usefixtures("here")
def test_limits_come_from_the_configuration(study, tmp_path):
    config = tmp_path / "limits.toml"
    config.write_text("min_hold_s = 30.0\n")
    call(study, "-o", tmp_path / "out", "--no-html", "--config", config)
    found = rows(tmp_path / "out" / "repetitions.csv")
    assert all("no_hold" in row["flags"] for row in found)


@pytest.mark.parametrize(
    ("args", "status", "told"),
    [
        (["there/is/none", "-o", "x"], 2, "there/is/none: there is no such folder"),
        (["{study}"], 2, "-o"),
        (["{study}", "-o", "{study}/P02/S1/left.csv"], 2, "this is a file"),
        (["{study}/P02/letters", "-o", "x"], 3, "there is no session below"),
        (["{study}", "-o", "x", "--workers", "0"], 2, "--workers 0"),
        (["{study}", "-o", "x", "--part", "3/2"], 2, "--part 3/2"),
        (["{study}", "-o", "x", "--part", "1/2", "--collate"], 2, "--collate and --part"),
        (["{study}", "-o", "x", "--workers", "2", "--cluster", "y"], 2, "contradict"),
    ],
)
def test_a_wrong_call_is_refused_in_one_line(study, monkeypatch, capsys, args, status, told):
    args = [one.format(study=study) for one in args]
    code, err = refused(monkeypatch, capsys, *args)
    assert code == status
    assert told in err
    assert not Path("x").exists()


def test_progress_tells_how_much_is_left(capsys, monkeypatch):
    from analysis.batch.sessions import Outcome

    clock = iter(range(100, 1000, 20))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    progress = Progress(10)
    for exit_status in (0, 3, 0):
        progress.step(Outcome(exit_status, kept=exit_status == 0))
    assert capsys.readouterr().err.splitlines() == [
        "2 of 10 sessions, 1 as before, 1 failed, 3 min left"
    ]
    progress.end()
    assert progress.exit_status == 3
    assert "3 of 10 sessions" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="kills by a signal")
def test_a_killed_batch_goes_on_where_it_was(study, tmp_path, here):  # noqa: ARG001
    out = tmp_path / "out"
    code = "from analysis.commands import main\nif __name__ == '__main__': main()"
    script = tmp_path / "program.py"
    script.write_text(code)
    args = ["batch", str(study), "-o", str(out), "--no-html", "--workers", "1"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    with subprocess.Popen(
        [sys.executable, str(script), *args], stderr=subprocess.PIPE, env=environment
    ) as process:
        while not list(out.glob("records/*/*.json")) and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.stderr.read()  # until the worker, which holds it open, has ended, too
    assert process.returncode == -signal.SIGKILL
    assert call(study, "-o", out, "--no-html").exit_code == 3
    call(study, "-o", tmp_path / "undisturbed", "--no-html")
    assert contents(out) == contents(tmp_path / "undisturbed")
