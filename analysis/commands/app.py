"""``hiprot app``: the whole of it in the browser."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    pass

DEFAULT_PORT = 8767


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, help="0: any that is free."
)
@click.option("--host", default="127.0.0.1", help="Other than this machine alone.")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@click.option("--simulate", is_flag=True, help="A simulated person; needs no sensors.")
@click.option("--family", metavar="NAME", help="Only sensors of this family.")
def app(
    folder: Path | None,
    port: int,
    host: str,
    no_browser: bool,
    simulate: bool,
    family: str | None,
) -> None:
    """Guide whole sessions in the browser: people, sensors, both sides coached, report, trend.

    FOLDER holds PERSON/SESSION/; without it the folder hiprot in your documents. Nothing leaves
    this machine.
    """
    from analysis.commands.serving import serve

    serve(folder or _usual_folder(), host, port, not no_browser, simulate, family)


def without_terminal() -> None:
    """Start the app where no terminal shows what it says: the entry ``hiprot-app``."""
    from analysis.commands import main

    sys.argv[1:1] = ["app"]
    main()


def _usual_folder() -> Path:
    documents = Path.home() / "Documents"
    return (documents if documents.is_dir() else Path.home()) / "hiprot"
