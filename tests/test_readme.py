"""The README and the reference say what the code does: names, numbers, commands and files."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest

from analysis import words
from analysis.advice import KINDS
from analysis.commands import COMMANDS, hiprot
from analysis.report.tables import REP_COLUMNS
from analysis.settings import Settings, settings_from

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
REFERENCE = [
    path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "analysis" / "reference").glob("*.md"))
]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def rows(first_header: str) -> list[list[str]]:
    """Cells of the tables whose first header cell is the one given, without their heads."""
    found: list[list[str]] = []
    inside = False
    for line in "\n\n".join([README, *REFERENCE]).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells[0] == first_header:
            inside = True
        elif inside and not set(cells[0]) <= {"-"}:
            found.append(cells)
    return found


def codes(first_header: str) -> list[str]:
    return [code for cells in rows(first_header) for code in re.findall(r"`([^`]+)`", cells[0])]


def shell_lines() -> Iterator[str]:
    for block in blocks("sh"):
        yield from block.splitlines()


def test_limits_are_those_of_the_settings_in_name_order_and_default():
    told = [(cells[0].strip("`"), float(cells[1])) for cells in rows("limit")]
    assert told == [(field.name, field.default) for field in fields(Settings)]


def test_every_limit_has_a_reason():
    assert all(len(cells[2].split()) >= 4 for cells in rows("limit"))


def test_flags_are_those_that_have_words():
    assert sorted(codes("flag")) == sorted(words.FLAGS)


def test_flags_tell_the_verdict_they_lead_to():
    told = {cells[0].strip("`"): cells[2].strip("`") for cells in rows("flag")}
    planes = ("pelvis_tilt", "pelvis_obliquity", "pelvis_rotation")
    assert {flag for flag, verdict in told.items() if verdict == "compensated"} == {
        *planes,
        "hip_flexion",
        "hip_adduction",
    }
    assert {flag for flag, verdict in told.items() if verdict == "not_counted"} == {
        "broken_off",
        "gap",
    }


def test_findings_are_all_there_once():
    assert sorted(codes("code")) == sorted(KINDS)


def test_verdicts_are_all_there_once():
    grades = {"good", "fair", "poor"}
    assert sorted(codes("verdict")) == sorted(set(words.VERDICTS) - grades)


def test_columns_are_those_of_reps_csv():
    assert sorted(codes("column of `reps.csv`")) == sorted(REP_COLUMNS)


def test_toml_example_sets_limits():
    (example,) = blocks("toml")
    changed = settings_from(tomllib.loads(example), "README.md")
    assert changed != Settings()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_shown(command):
    assert any(line.startswith(f"hiprot {command} ") for line in shell_lines())


@pytest.mark.parametrize("line", [line for line in shell_lines() if line.startswith("hiprot ")])
def test_shown_calls_are_understood(line):
    _, name, *args = shlex.split(line)
    command = hiprot.get_command(click.Context(hiprot), name)
    assert command is not None
    with command.make_context(name, args) as context:
        assert context.params.get("session", Path("my-session")) == Path("my-session")


@pytest.mark.parametrize("purpose", ["hiprot report recordings/", "-m pytest"])
def test_one_command_does_all_the_set_up(purpose):
    (line,) = (line for line in shell_lines() if purpose in line)
    environment, install, main = line.split(" && ")
    assert environment == "python3 -m venv .venv"
    assert install.startswith(".venv/bin/pip install ")
    assert main.startswith(".venv/bin/")


def test_sample_of_the_first_command_is_there():
    (line,) = (line for line in shell_lines() if "hiprot report recordings/" in line)
    assert (ROOT / line.split()[-1] / "left.csv").is_file()


def test_links_and_pictures_lead_to_files():
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).is_file()] == []


def test_picture_is_small():
    assert (ROOT / ".github" / "report.png").stat().st_size < 300_000


def test_every_source_named_in_the_text_is_in_the_references():
    told_in_readme, _, references = README.partition("## References")
    text = "\n".join([told_in_readme, *REFERENCE])
    named = set(re.findall(r"([A-Z][a-z]+)(?: & [A-Z][a-z]+)?(?: et al\.)? ((?:19|20)\d\d)", text))
    assert named
    told = set(re.findall(r"^- (\w+) [^(]*\((\d{4})\)", references, re.MULTILINE))
    assert named - told == set()
