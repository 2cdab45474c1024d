"""The calls complete: by the answers each shell asks for, and in bash itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from analysis.commands import COMMANDS
from analysis.commands.completion import SHELLS, completion

ROOT = Path(__file__).parents[1]
RUN = "from analysis.commands import main; main()"
ASKED = {
    "bash": {"COMP_WORDS": "hiprot rep", "COMP_CWORD": "1"},
    "zsh": {"COMP_WORDS": "hiprot rep", "COMP_CWORD": "1"},
    "fish": {"COMP_WORDS": "hiprot rep", "COMP_CWORD": "rep"},
}


def answer(shell: str, **asked: str) -> str:
    environment = {**os.environ, **asked, "_HIPROT_COMPLETE": f"{shell}_complete"}
    command = [sys.executable, "-c", RUN]
    shown = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert shown.stderr == ""
    return shown.stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_gets_its_script_and_its_answers(shell):
    script = CliRunner().invoke(completion, [shell]).output
    assert f"_HIPROT_COMPLETE={shell}_complete" in script
    told = answer(shell, **ASKED[shell])
    assert "report" in told
    assert "replay" in told
    assert "simulate" not in told


def test_options_and_formats_complete_and_a_wrong_call_is_left_alone():
    assert "--with-identity" in answer("bash", COMP_WORDS="hiprot export --w", COMP_CWORD="2")
    assert answer("bash", COMP_WORDS="hiprot export --to o", COMP_CWORD="3") == "plain,opensense\n"
    assert answer("bash", COMP_WORDS="hiprot reprot x --", COMP_CWORD="3")  # no error beside it


@pytest.mark.skipif(
    shutil.which("bash") is None or sys.platform != "linux", reason="needs bash 4.4 or newer"
)
def test_bash_itself_completes(tmp_path):
    program = tmp_path / "hiprot"
    program.write_text(
        f"#!{sys.executable}\nimport sys; sys.path.insert(0, {str(ROOT)!r})\n{RUN}\n"
    )
    program.chmod(0o755)
    asked = (
        'eval "$(hiprot completion bash)"; COMP_WORDS=(hiprot ex); COMP_CWORD=1;'
        ' _hiprot_completion hiprot; printf "%s " "${COMPREPLY[@]}"'
    )
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    shown = subprocess.run(
        ["bash", "--norc", "-c", asked], env=environment, capture_output=True, text=True, check=True
    )
    assert shown.stdout.split() == [name for name in COMMANDS if name.startswith("ex")]
