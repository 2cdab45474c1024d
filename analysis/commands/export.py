"""``hiprot export``: a session in another format."""

from __future__ import annotations

import json
from pathlib import Path

import click

from imu.errors import CallError

SCHEMA = "hiprot.export/1"


def _formats(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Offer the formats to a shell that completes the call."""
    del ctx, param
    from analysis.exporters.table import load_exporters

    return [name for name in load_exporters()[0] if name.startswith(incomplete)]


@click.command(short_help="write a session in another format")
@click.argument("session", type=click.Path(path_type=Path))
@click.option(
    "--to",
    "name",
    metavar="FORMAT",
    required=True,
    shell_complete=_formats,
    help="motion-bids, opensense or tidy.",
)
@click.option(
    "-o", "--out", required=True, type=click.Path(path_type=Path), help="Folder to write to."
)
@click.option(
    "--with-identity",
    is_flag=True,
    help="Keep the sensors' addresses and all free text; without, both are left out.",
)
@click.option(
    "--config", type=click.Path(path_type=Path), help="TOML file with other limits than the usual."
)
@click.option("--json", "as_json", is_flag=True, help="Print what was written, as JSON.")
def export(
    session: Path, name: str, out: Path, with_identity: bool, config: Path | None, as_json: bool
) -> None:
    """Write the session folder SESSION in another FORMAT, all files or none.

    motion-bids: the raw streams as a dataset; opensense: orientations for OpenSim's inverse
    kinematics; tidy: repetitions and angles as tables with a descriptor, CSV and, where
    fastparquet is installed, Parquet.
    """
    from analysis.commands.terminal import read_settings
    from analysis.exporters.anonymity import without_identity
    from analysis.exporters.table import load_exporters
    from imu.storage.files import write_files
    from imu.storage.session import read_session

    exporters, complaints = load_exporters()
    for complaint in complaints:
        click.echo(f"hiprot: {complaint}", err=True)
    if name not in exporters:
        raise CallError(f"--to {name}: there is no such format. Known: {', '.join(exporters)}.")
    settings = read_settings(config)
    recorded = read_session(session)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CallError(f"{out}: exists already. Choose a new folder or empty it first.")
    files = exporters[name](recorded if with_identity else without_identity(recorded), settings)
    write_files({out / path: content for path, content in files.items()})
    if as_json:
        document = {"schema": SCHEMA, "out": str(out), "format": name, "files": list(files)}
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        click.echo(f"Written to {out}: {', '.join(files)}")
