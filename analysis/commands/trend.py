"""``hiprot trend``: the same person over several sessions."""

from __future__ import annotations

import io
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imu.errors import CallError

if TYPE_CHECKING:
    from analysis.trend import Trend

FILES = ("trend.html", "trend.json", "trend.csv")


@click.command(short_help="the same person over several sessions")
@click.argument(
    "sessions", metavar="PERSON-FOLDER|SESSION...", nargs=-1, type=click.Path(path_type=Path)
)
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, help="Folder to write to."
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="TOML file with other limits than the usual, such as that of hiprot reliability.",
)
@click.option("--target", type=float, metavar="DEG", help="The range aimed at, to be drawn.")
@click.option("--json", "as_json", is_flag=True, help="Print trend.json instead of the words.")
def trend(
    sessions: tuple[Path, ...], out: Path, config: Path | None, target: float | None, as_json: bool
) -> None:
    """Hold one person's sessions against each other.

    Give the folder that holds them, or each SESSION. Writes trend.html, trend.json and trend.csv,
    all or none, and prints what has changed since the first session.
    """
    from analysis.commands.report import collector_off
    from analysis.commands.terminal import read_settings
    from analysis.commands.visiting import visit_sessions
    from analysis.report.files import trend_files
    from analysis.trend import trend_of
    from imu.storage.files import write_files

    if not sessions:
        raise CallError("no session is given. Give a person's folder, or several sessions.")
    if target is not None and not (math.isfinite(target) and 0 < target <= 90):
        raise CallError(f"--target {target:g}: no such range. Give degrees, more than 0, up to 90.")
    settings = read_settings(config)
    with collector_off():
        visited = visit_sessions(sessions, settings)
        found = trend_of(visited.visits, settings, target)
        files = trend_files(found, visited.refused)
        write_files({out / name: text for name, text in files.items()})
    if as_json:
        click.echo(files["trend.json"].encode(), nl=False)
    else:
        _show(found)
    click.echo(f"Written to {out}: {', '.join(files)}", err=as_json)


def _show(found: Trend) -> None:
    from analysis.trend_words import day_line, headlines, mode_lines

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without ° still gets the figures
    for line in headlines(found):
        click.echo(line.sentence)
    for said in (day_line(found), *mode_lines(found)):
        if said:
            click.echo(said)
