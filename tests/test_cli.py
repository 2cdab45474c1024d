"""The command line from outside: what it loads, prints and returns, whatever goes wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from importlib.metadata import entry_points, version
from pathlib import Path

import click
import pytest

from analysis.commands import COMMANDS, failure, hiprot, main
from imu.errors import CallError, MachineError, RecordingError

ROOT = Path(__file__).parents[1]
HEAVY = ("numpy", "scipy", "pandas", "matplotlib", "jinja2")
RUN = "from analysis.commands import main; main()"

# A further command `boom` whose body is given, run through the real `main`.
WITH_BOOM = """
import sys, time, types, click
import analysis.commands as commands
@click.command()
def boom():
    {body}
commands.COMMANDS["boom"] = "fails"
sys.modules["analysis.commands.boom"] = types.SimpleNamespace(boom=boom)
sys.argv = ["hiprot", "boom"]
commands.main()
"""


def start(code: str, *args: str, debug: bool = False, **streams: object) -> subprocess.Popen[str]:
    environment = {key: value for key, value in os.environ.items() if key != "HIPROT_DEBUG"}
    if debug:
        environment["HIPROT_DEBUG"] = "1"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    command = [sys.executable, "-c", code, *args]
    return subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **pipes)


def run(code: str, *args: str, debug: bool = False) -> tuple[int, str, str]:
    with start(code, *args, debug=debug) as process:
        out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def boom(body: str) -> str:
    return WITH_BOOM.format(body=body)


def assert_refused(result: tuple[int, str, str], status: int, *told: str) -> None:
    code, out, err = result
    assert code == status
    assert out == ""
    assert err.endswith("\n")
    assert err.count("\n") == 1
    for text in ("hiprot: ", *told):
        assert text in err


@pytest.mark.parametrize("option", ["--help", "-h", "--version"])
def test_help_and_version_load_nothing_heavy(option):
    code = f"""
import sys
from analysis.commands import main
try:
    main()
finally:
    loaded = set(sys.modules) & set({HEAVY!r})
    print(",".join(sorted(loaded)), file=sys.stderr)
"""
    status, out, err = run(code, option)
    assert (status, err) == (0, "\n")
    assert "hiprot" in out


def test_the_check_for_heavy_modules_can_fail():
    status, _, err = run("import sys, pandas; print('numpy' in sys.modules, file=sys.stderr)")
    assert (status, err) == (0, "True\n")


def test_help_lists_every_command_with_its_purpose():
    _, out, _ = run(RUN, "--help")
    listed = out.partition("Commands:")[2]
    for name, purpose in COMMANDS.items():
        assert f"  {name} " in listed
        assert purpose in listed


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name):
    status, out, err = run(RUN, name, "--help")
    assert (status, err) == (0, "")
    assert f"hiprot {name}" in out
    reads_none = ("app", "scan", "explain", "completion", "reliability", "batch")
    assert "SESSION" in out or name in reads_none


def test_version_is_the_distributions():
    assert run(RUN, "--version")[1].split()[-1] == version("hip-rotation")


def test_the_installed_command_is_main():
    (entry,) = entry_points(group="console_scripts", name="hiprot")
    assert entry.value == "analysis.commands:main"
    assert entry.load() is main


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["reprot"], "Did you mean report?"),
        (["xyz"], "check, correct, export, import, batch, explain, completion, simulate"),
        (["--nonsense"], "--nonsense"),
        (["report"], "SESSION"),
        (["report", "a", "b"], "hiprot report --help"),
        (["report", "a", "--ouut", "b"], "--ouut"),
        (["simulate", "a", "--seed", "one"], "one"),
        (["report", "there/is/none"], "there/is/none: there is no such folder"),
        (["check", "there/is/none"], "there/is/none: there is no such folder"),
        (["check", "README.md"], "not a folder"),
        (["check", "two\nlines\x1b[31m"], "there is no such folder"),
    ],
)
def test_a_wrong_call_is_refused_in_one_line(args, told):
    assert_refused(run(RUN, *args, debug=True), 2, told)


def test_progress_is_for_terminals_and_not_among_the_lines_of_a_refusal():
    code = f"import analysis.commands.report as report; report.SILENT_S = 0; {RUN}"
    assert_refused(run(code, "report", "there/is/none", debug=True), 2, "there is no such folder")


def test_without_a_command_it_shows_the_help_and_says_what_is_missing():
    status, out, err = run(RUN)
    assert status == 2
    assert out == run(RUN, "--help")[1]
    assert err.startswith("hiprot: no command")
    assert err.count("\n") == 1


def test_a_folder_without_sets_cannot_support_an_answer(tmp_path):
    assert_refused(run(RUN, "check", str(tmp_path), debug=True), 3, "left.csv")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("raise MemoryError", "memory"),
        ("raise OSError(28, 'No space left on device', 'reps.csv')", "reps.csv: No space left"),
        ("raise PermissionError(13, 'Permission denied', 'x')", "x: Permission denied"),
        ("import no_such_library", "no_such_library"),
    ],
)
def test_what_the_machine_refuses_is_one_line(body, told):
    assert_refused(run(boom(body)), 1, told)


def test_a_defect_is_one_line_with_its_place():
    assert_refused(run(boom("{}['key']")), 1, "KeyError", "line 6", "HIPROT_DEBUG=1")


def test_a_defect_shows_its_traceback_to_developers():
    status, _, err = run(boom("{}['key']"), debug=True)
    assert status == 1
    assert err.startswith("Traceback")
    assert err.endswith("KeyError: 'key'\n")


def test_an_error_raised_on_purpose_shows_no_traceback_to_developers_either():
    body = "from imu.errors import RecordingError; raise RecordingError('a.csv', 'b', 'C.')"
    assert_refused(run(boom(body), debug=True), 3, "a.csv: b. C.")


def test_remarks_of_libraries_are_not_shown():
    body = "import warnings; warnings.warn('mean of empty slice', RuntimeWarning)"
    assert run(boom(body)) == (0, "", "")


def test_a_commands_own_exit_status_is_kept():
    assert run(boom("click.get_current_context().exit(3)"))[0] == 3


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
def test_interrupting_ends_in_one_line():
    code = boom("print('ready', flush=True); time.sleep(60)")
    with start(code) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.split() == ["hiprot:", "interrupted."]


@pytest.mark.parametrize(
    "body",
    [
        "[click.echo('line') for _ in range(100_000)]",
        "[print('line') for _ in range(100_000)]",
        "time.sleep(0.3); print('short, and written at the end only')",
    ],
)
def test_a_reader_that_leaves_early_is_no_error_to_tell(body):
    with start(boom(body)) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        err = process.stderr.read()
        process.wait(timeout=30)
    assert err == ""
    assert process.returncode == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux' /dev/full")
@pytest.mark.parametrize("args", [["--help"], ["check", "recordings/matched", "--json"]])
def test_a_full_disk_behind_the_output_is_told(args):
    with Path("/dev/full").open("w") as full, start(RUN, *args, stdout=full) as process:
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err == "hiprot: No space left on device. Check the disk and the permissions.\n"


def test_a_closed_output_is_no_error():
    code = f"import sys; sys.stdout = None; {RUN}"
    assert run(code, "--version") == (0, "", "")


@pytest.mark.parametrize("command", ["report", "check"])
def test_json_is_alone_on_standard_output(command, tmp_path):
    out = ["-o", str(tmp_path / "out")] if command == "report" else []
    status, text, _ = run(RUN, command, "recordings/stiff-left", "--json", *out, debug=True)
    assert status == 0
    assert json.loads(text)["schema"] == f"hiprot.{command}/1"


def test_the_first_command_of_the_readme_writes_all_files_and_prints_the_comparison(tmp_path):
    out = tmp_path / "out"
    args = ["report", "recordings/stiff-left", "-o", str(out)]
    status, text, _ = run(RUN, *args, debug=True)
    assert status == 0
    names = {"report.html", "report.json", "reps.csv", "angles.csv"}
    assert {path.name for path in out.iterdir()} == names
    assert "different" in text
    assert "Range of motion" in text


def test_every_kind_of_error_has_its_status():
    errors = [
        (RecordingError("left.csv, line 3", "what", "Do."), 3),
        (CallError("no"), 2),
        (MachineError("no"), 1),
        (click.UsageError("no", click.Context(hiprot, info_name="hiprot")), 2),
        (click.ClickException("no"), 1),
        (click.Abort(), 130),
        (KeyboardInterrupt(), 130),
        (OSError("no"), 1),
        (ZeroDivisionError("no"), 1),
    ]
    assert [failure(error)[1] for error, _ in errors] == [status for _, status in errors]


def test_a_line_cannot_steer_the_terminal():
    line, _ = failure(CallError("a\x1b[2J\r\nb\x07\u202e\udcff"))
    assert line == "a?[2J b???"
