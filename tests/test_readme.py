"""The README and the reference say what the code does: names, numbers, commands and files."""

from __future__ import annotations

import ast
import importlib
import json
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
from analysis.live.cues import CUES
from analysis.pipeline import analyse
from analysis.reasons import GRADES
from analysis.reliability import reliability_of
from analysis.report.files import reliability_files, report_files, trend_files
from analysis.report.tables import ANGLE_COLUMNS, REP_COLUMNS
from analysis.report.trend_document import CSV_COLUMNS
from analysis.settings import Settings, settings_from
from analysis.trend import trend_of
from analysis.visits import visit_of
from imu.importers.mapped import (
    ACC_UNITS,
    CLOCK_UNIT,
    GYR_UNITS,
    KEYS,
    SAMPLES_UNIT,
    SENSOR_KEYS,
    TIME_KEYS,
    TIME_UNITS,
)
from imu.importers.registry import load_importers
from imu.recording import SensorInfo, SessionInfo, Source
from imu.storage.session import read_session
from imu.units import ARRIVAL_COLUMN, EVENT_COLUMNS, EVENT_KINDS, MAG_COLUMNS, SET_COLUMNS

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
    yield from re.findall(r"`(hiprot \w+ [^`]+)`", README)


def test_limits_are_those_of_the_settings_in_name_order_and_default():
    told = [(cells[0].strip("`"), float(cells[1])) for cells in rows("limit")]
    numbers = [field for field in fields(Settings) if isinstance(field.default, float)]
    assert told == [(field.name, field.default) for field in numbers]
    others = [field.name for field in fields(Settings) if field not in numbers]
    assert codes("own change") == others


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
        "copied",
        "excluded",
        "gap",
    }


def test_findings_are_all_there_once():
    assert sorted(codes("code")) == sorted(KINDS)


def test_cues_are_all_there_once_the_most_important_first():
    assert codes("cue") == list(CUES)


def test_verdicts_and_grades_are_all_there_once():
    assert sorted(codes("verdict")) == sorted(set(words.VERDICTS) - set(GRADES))
    assert codes("grade") == list(GRADES)


def reasons() -> Iterator[tuple[str, tuple[float, float] | None]]:
    """Every code that the analysis gives a reason under, with its two limits where it has such."""
    for path in sorted((ROOT / "analysis").rglob("*.py")):
        if path.name == "reasons.py":
            continue
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
            if name == "Reason":
                yield from ((code, None) for code in written(node.args[1]))
            elif name == "beyond":
                limits = getattr(importlib.import_module(module), node.args[1].id)
                yield from ((code, limits) for code in written(node.args[2]))


def written(code: ast.expr) -> list[str]:
    """What an expression for a code may be: a text, or a segment before a text."""
    if isinstance(code, ast.Constant):
        return [code.value]
    assert isinstance(code, ast.JoinedStr)
    head, tail = code.values
    assert isinstance(head, ast.FormattedValue)
    assert ast.unparse(head.value).endswith("segment")
    return [f"{segment}{tail.value}" for segment in ("pelvis", "thigh", "shank")]


def test_reasons_are_those_that_the_analysis_gives():
    assert sorted(codes("reason")) == sorted({code for code, _ in reasons()})


def test_reasons_tell_their_limits():
    told = {cells[0].strip("`"): (cells[1], cells[2]) for cells in rows("reason")}
    limits = {code: pair for code, pair in reasons() if pair is not None}
    assert len(limits) > 10
    assert {
        code: tuple(float(cell.split()[0].strip("°")) for cell in told[code]) for code in limits
    } == limits


def test_columns_are_those_of_the_files():
    assert sorted(codes("column of a set")) == sorted((*SET_COLUMNS, *MAG_COLUMNS, ARRIVAL_COLUMN))
    assert codes("column of `events.csv`") == list(EVENT_COLUMNS)
    assert sorted(codes("column of `reps.csv`")) == sorted(REP_COLUMNS)
    assert codes("column of `angles.csv`") == ["side", "set", *ANGLE_COLUMNS, "rep"]


def test_kinds_of_markers_are_all_there_once():
    assert sorted(codes("kind")) == sorted(EVENT_KINDS)


def test_keys_are_those_of_session_json():
    known = [field.name for field in fields(SessionInfo)]
    assert sorted(codes("key of `session.json`")) == sorted(["schema", *known])
    assert codes("key of a sensor") == [field.name for field in fields(SensorInfo)]


def test_files_and_keys_are_those_of_a_report():
    files = report_files(analyse(read_session(ROOT / "recordings" / "matched"), Settings()))
    assert sorted(codes("file of a report")) == sorted(files)
    assert codes("key of `report.json`") == list(json.loads(files["report.json"]))


def test_files_keys_and_columns_are_those_of_a_trend_and_of_ones_own_error():
    visit = visit_of(analyse(read_session(ROOT / "recordings" / "matched"), Settings()))
    trend = trend_files(trend_of([visit], Settings()), {})
    assert sorted(codes("file of a trend")) == sorted(trend)
    assert sorted(codes("key of `trend.json`")) == sorted(json.loads(trend["trend.json"]))
    assert sorted(codes("column of `trend.csv`")) == sorted(CSV_COLUMNS)
    own = reliability_files(reliability_of({"P01": [visit]}), {})
    assert sorted(codes("file of one's own error")) == sorted(own)
    assert sorted(codes("key of `reliability.json`")) == sorted(json.loads(own["reliability.json"]))


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


def test_formats_of_others_are_those_that_are_read_and_how_they_were_checked():
    importers, _ = load_importers([])
    assert codes("format") == [*importers, "frames", "table"]
    told = {cells[0].strip("`"): cells[-1] for cells in rows("format")}
    assert {name: told[name] for name in importers} == {
        name: one.checked for name, one in importers.items()
    }


def test_keys_of_a_mapping_and_of_the_source_are_all_there():
    assert sorted(codes("key of a mapping")) == sorted(KEYS)
    told = {cells[0].strip("`"): cells[1] for cells in rows("key of a mapping")}
    for key, inner in (("time", TIME_KEYS), ("sensor", SENSOR_KEYS)):
        assert {name for name in inner if f"`{name}`" not in told[key]} == set()
    units = (*ACC_UNITS, *GYR_UNITS, *TIME_UNITS, CLOCK_UNIT, SAMPLES_UNIT)
    assert [unit for unit in units if f"`{unit}`" not in told["time"] + told["sensor"]] == []
    assert codes("key of `source`") == [field.name for field in fields(Source)]


def test_every_source_named_in_the_text_is_in_the_references():
    told_in_readme, _, references = README.partition("## References")
    text = "\n".join([told_in_readme, *REFERENCE])
    named = set(re.findall(r"([A-Z][a-z]+)(?: & [A-Z][a-z]+)?(?: et al\.)? ((?:19|20)\d\d)", text))
    assert named
    told = set(re.findall(r"^- (\w+) [^(]*\((\d{4})\)", references, re.MULTILINE))
    assert named - told == set()


def test_what_is_proven_or_assumed_is_told():
    evidence = (ROOT / "analysis" / "evidence.py").read_text(encoding="utf-8")
    directions = set(re.findall(r"direction = \"(\w+)\"", evidence))
    directions |= set(
        re.findall(r"\"(\w+)\" if _begins_at_rest\(estimate\) else \"(\w+)\"", evidence)[0]
    )
    assert set(codes("`direction`")) == directions
    assert codes("`pelvis_axes`") == ["lean", "assumed"]
