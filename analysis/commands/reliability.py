"""``hiprot reliability``: from repeated sessions, the error of one's own set-up."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import click


@click.command(short_help="one's own error of measurement, from repeated sessions")
@click.argument("root", type=click.Path(path_type=Path))
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, help="Folder to write to."
)
@click.option(
    "--config", type=click.Path(path_type=Path), help="TOML file with other limits than the usual."
)
@click.option("--json", "as_json", is_flag=True, help="Print reliability.json instead.")
def reliability(root: Path, out: Path, config: Path | None, as_json: bool) -> None:
    """Say from people measured twice or more how well a measurement repeats.

    ROOT holds their session folders, as PERSON/SESSION. Writes reliability.html, reliability.json
    and limits.toml, all or none; the last makes its figures the limits of report and trend:
    hiprot report SESSION --config limits.toml.
    """
    from analysis.commands.report import collector_off
    from analysis.commands.terminal import read_settings
    from analysis.commands.visiting import by_person, visit_sessions
    from analysis.reliability import reliability_of
    from analysis.report.files import reliability_files
    from analysis.report.reliability_document import said
    from imu.storage.files import write_files

    settings = read_settings(config)
    with collector_off():
        visited = visit_sessions([root], settings)
        found = reliability_of(by_person(visited))
        files = reliability_files(found, visited.refused)
        write_files({out / name: text for name, text in files.items()})
    if as_json:
        click.echo(files["reliability.json"].encode(), nl=False)
    else:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")  # a terminal without ° still gets the figures
        click.echo(said(found))
    click.echo(f"Written to {out}: {', '.join(files)}", err=as_json)
