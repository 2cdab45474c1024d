"""``hiprot check``: is the recording fit for analysis."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.table import Table

    from analysis.quality import SetQuality
    from imu.recording import Session

SCHEMA = "hiprot.check/1"


@click.command()
@click.argument("session", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document instead of tables.")
def check(session: Path, as_json: bool) -> None:
    """Tell whether the session folder SESSION is fit for analysis, and why not.

    Every set is graded good, fair or poor, by the same rules as in the report; the exit status
    is 0 for any grade. A recording that the report would refuse is refused here, too.
    """
    from imu.storage.session import read_session

    recorded = read_session(session)
    found = _qualities(recorded)
    if as_json:
        click.echo(json.dumps(_document(recorded, found), indent=2, allow_nan=False))
    else:
        _show(found)


def _qualities(recorded: Session) -> dict[str, SetQuality]:
    """Grade all sets as the report does."""
    from analysis.sets import analyse_sets
    from analysis.settings import Settings

    sets = analyse_sets(recorded.recordings, Settings(), recorded.calibration, recorded.events)
    return {one.name: one.quality for one in sets}


def _document(recorded: Session, found: Mapping[str, SetQuality]) -> dict[str, Any]:
    """Lay out the JSON document."""
    from dataclasses import asdict

    from analysis.reasons import worst_grade
    from analysis.report.document import plain

    sets = {
        one.name: {
            "side": one.side,
            **asdict(found[one.name]),
            "unknown_columns": one.unknown_columns,
        }
        for one in recorded.recordings
    }
    document: dict[str, Any] = plain(
        {
            "schema": SCHEMA,
            "session": recorded.name,
            "sha256": recorded.sha256,
            "grade": worst_grade(quality.grade for quality in found.values()),
            "calibration": recorded.calibration is not None,
            "sets": sets,
        }
    )
    return document


def _show(found: Mapping[str, SetQuality]) -> None:
    """Print verdict, reasons and figures of every set."""
    from rich.console import Console

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without ° still gets the figures
    console = Console(highlight=False, markup=False, emoji=False)
    for name, quality in found.items():
        console.print(_verdict(name, quality), soft_wrap=True)
        console.print(_table(quality))
        console.print(_proof(quality), soft_wrap=True)
        console.print(f"{_errors(quality)}\n", soft_wrap=True)


def _verdict(name: str, quality: SetQuality) -> str:
    """Say in words how good one set is, and why not better."""
    from analysis.words import VERDICTS

    word, icon = VERDICTS[quality.grade]
    lines = [f"{icon} {name}: {word}", *(f"  - {reason}" for reason in quality.reasons)]
    return "\n".join(lines)


def _table(quality: SetQuality) -> Table:
    """Lay out the figures of one set, one column a sensor."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from analysis.words import number

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("Sensor")
    for segment in quality.sensors:
        table.add_column(segment, justify="right", no_wrap=True)
    sensors = list(quality.sensors.values())

    def row(label: str, *cells: str) -> None:
        table.add_row(label, *cells)

    row("Samples", *(str(one.samples) for one in sensors))
    row("Rate", *(number(one.rate_hz, "Hz") for one in sensors))
    row("Missing", *(number(one.lost_percent, "%") for one in sensors))
    row("Longest gap", *(number(one.longest_gap_s, "s") for one in sensors))
    row("Delivered twice", *(str(one.duplicates) for one in sensors))
    row("Steps back in time", *(str(one.steps_back) for one in sensors))
    row("Clock against host", *(number(one.clock_skew_ppm, "ppm") for one in sensors))
    row("At full scale", *(str(one.saturated) for one in sensors))
    row("Still at the start", *(number(one.still_start_s, "s") for one in sensors))
    row("Still at the end", *(number(one.still_end_s, "s") for one in sensors))
    row("Gyroscope bias", *(number(one.bias_deg_s, "°/s") for one in sensors))
    return table


def _proof(quality: SetQuality) -> str:
    """Say what is proven of the set, and what is only assumed."""
    direction = {
        "proven": "proven by the lift",
        "assumed": "assumed, by the first movement after stillness",
        "doubtful": "doubtful",
    }[quality.direction]
    axes = {"lean": "by the trunk lean", "assumed": "assumed, as the sensor should be worn"}
    return f"Side and direction {direction}; pelvis axes {axes[quality.pelvis_axes]}."


def _errors(quality: SetQuality) -> str:
    """Say how far one angle may be off."""
    from analysis.words import number

    errors = {
        "internal rotation": quality.ir_uncertainty_deg,
        "pelvis tilt": quality.tilt_uncertainty_deg,
        "obliquity": quality.obliquity_uncertainty_deg,
        "rotation": quality.rotation_uncertainty_deg,
    }
    figures = ", ".join(f"{name} {number(value, '°')}" for name, value in errors.items())
    return f"95 % error of one angle, by the sensors alone: {figures}"
