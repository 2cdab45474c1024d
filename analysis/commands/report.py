"""``hiprot report``: analyse a session and write its report."""

from __future__ import annotations

import gc
import io
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imu.errors import CallError, RecordingError

if TYPE_CHECKING:
    from analysis.pipeline import Analysis
    from analysis.settings import Settings
    from analysis.skin import SkinShare

SILENT_S = 1.0  # shorter work needs no progress


class Progress:
    """Tells a person at the terminal which step is under way, once the work has taken a second."""

    def __init__(self, first: str) -> None:
        self._told = first
        self._slow = False
        self._timer = threading.Timer(SILENT_S, self._show)
        self._timer.daemon = True

    def step(self, text: str) -> None:
        """Begin a step."""
        self._told = text
        if self._slow:
            click.echo(f"{text} …", err=True)

    def _show(self) -> None:
        self._slow = True
        self.step(self._told)

    def __enter__(self) -> Progress:
        if sys.stderr.isatty():
            self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()


@contextmanager
def collector_off() -> Iterator[None]:
    """Keep the cycle collector from walking the imported libraries over and over: 10 % of a run."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@click.command()
@click.argument("session", type=click.Path(path_type=Path))
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="Folder to write to [SESSION/report]."
)
@click.option(
    "--config", type=click.Path(path_type=Path), help="TOML file with other limits than the usual."
)
@click.option(
    "--skin-from",
    metavar="SESSION",
    type=click.Path(path_type=Path),
    help="Make up for the skin as an earlier session with a shank sensor tells it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print report.json instead of the table.")
def report(
    session: Path, out: Path | None, config: Path | None, skin_from: Path | None, as_json: bool
) -> None:
    """Analyse the session folder SESSION and write its report.

    Writes report.html, report.json, reps.csv and angles.csv, all or none, and prints the
    comparison of the sides.
    """
    out = session / "report" if out is None else out
    with collector_off():
        analysis, files = _make(session, out, config, skin_from)
    if as_json:
        click.echo(files["report.json"].encode(), nl=False)
        click.echo(f"Written to {out}: {', '.join(files)}", err=True)
    else:
        _show(analysis)
        click.echo(f"Written to {out}: {', '.join(files)}")


def _make(
    session: Path, out: Path, config: Path | None, skin_from: Path | None
) -> tuple[Analysis, dict[str, str]]:
    from analysis.commands.terminal import read_settings
    from analysis.pipeline import analyse
    from analysis.report.files import report_files
    from imu.storage.files import write_files
    from imu.storage.session import read_session

    settings = read_settings(config)
    with suppress(OSError):  # what else is wrong with it is told where it is written
        if out.exists() and not out.is_dir():
            raise CallError(f"{out}: this is a file. Give a folder to write to.")
    with Progress(f"Reading {session}") as progress:
        recorded = read_session(session)
        progress.step(f"Analysing {', '.join(one.name for one in recorded.recordings)}")
        skin = None if skin_from is None else _skin_of(skin_from, recorded.info.subject, settings)
        analysis = analyse(recorded, settings, skin)
        progress.step("Drawing the report")
        files = report_files(analysis)
        progress.step(f"Writing {out}")
        write_files({out / name: text for name, text in files.items()})
    return analysis, files


def _skin_of(folder: Path, subject: str | None, settings: Settings) -> dict[str, SkinShare]:
    """Take a person's skin shares from an earlier session."""
    from analysis.pipeline import analyse
    from imu.storage.session import read_session

    earlier = read_session(folder)
    if None not in (subject, earlier.info.subject) and subject != earlier.info.subject:
        raise CallError(f"--skin-from {folder}: this is {earlier.info.subject}, not {subject}.")
    sides = analyse(earlier, settings).summary.sides
    shares = {side: one.skin_share for side, one in sides.items() if one.skin_share is not None}
    if not shares:
        what = "no set of it has a fit thigh and a fit shank sensor"
        raise RecordingError(str(folder), what, "Give a session that was recorded with both.")
    return shares


def _show(analysis: Analysis) -> None:
    from rich.console import Console

    from analysis.report.text import print_report

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without ° still gets the figures
    console = Console(highlight=False, markup=False, emoji=False)
    print_report(analysis, console)
