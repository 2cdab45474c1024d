"""``hiprot batch``: reports for every session below a folder, and the tables of all of them."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imu.errors import CallError, RecordingError

if TYPE_CHECKING:
    from analysis.batch.cohort import Cohort
    from analysis.batch.places import Part, Place
    from analysis.batch.records import Order
    from analysis.batch.sessions import Outcome

TERMINAL_S, LOG_S = 0.5, 30.0  # between two lines of progress
LATEST = 200  # sessions whose pace tells the time left


@click.command()
@click.argument("root")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, help="Folder to write to."
)
@click.option("--workers", type=int, help="Processes [one a core].")
@click.option("--cluster", metavar="ADDRESS", help="Scheduler of a Dask cluster to work on.")
@click.option("--part", metavar="I/N", help="Do this share alone, as one of N jobs; no tables.")
@click.option("--collate", is_flag=True, help="Only make the tables of what has been done.")
@click.option("--no-html", is_flag=True, help="Leave out each session's page.")
@click.option(
    "--config", type=click.Path(path_type=Path), help="TOML file with other limits than the usual."
)
@click.option("--json", "as_json", is_flag=True, help="Print batch.json.")
@click.pass_context
def batch(ctx: click.Context, /, root: str, out: Path, **options: Any) -> None:
    """Analyse every session below ROOT and write reports and tables into OUT.

    A session is a folder with left.csv or right.csv in it. What is done and unchanged is not done
    again, so a call that was broken off is simply made again. A session that fails stands in
    failures.csv and stops no other; the exit status is then 3, or 1 where the machine failed.
    ROOT may be an address that fsspec knows, such as s3://bucket/study.
    """
    from analysis.batch.places import Part, open_place

    _refuse_contradictions(options)
    part = Part.parse(options["part"]) if options["part"] else Part()
    order = _order(root, out, options)
    place = open_place(root, out)
    found = 0
    if not options["collate"]:
        progress = Progress(_count(root, place, part))
        outcomes = _outcomes(order, (one for one in place.names() if part.holds(one)), options)
        for _, outcome in outcomes:
            progress.step(outcome)
        progress.end()
        found = progress.exit_status
    if part.of == 1:
        found = _collate(order, place, options["as_json"])
    ctx.exit(found)


def _refuse_contradictions(options: Mapping[str, Any]) -> None:
    workers = options["workers"]
    if workers is not None and workers < 1:
        raise CallError(f"--workers {workers}: give 1 or more.")
    for one, other in (("workers", "cluster"), ("collate", "part")):
        if options[one] and options[other]:
            raise CallError(f"--{one} and --{other} contradict each other. Give one of them.")


def _order(root: str, out: Path, options: Mapping[str, Any]) -> Order:
    from dataclasses import asdict

    from analysis.batch.records import Order
    from analysis.commands.terminal import read_settings

    with suppress(OSError):  # what else is wrong with it is told where it is written
        if out.exists() and not out.is_dir():
            raise CallError(f"{out}: this is a file. Give a folder to write to.")
    root = root if "://" in root else str(Path(root).absolute())  # a cluster stands elsewhere
    html = not options["no_html"]
    return Order(root, out.absolute(), asdict(read_settings(options["config"])), html)


def _count(root: str, place: Place, part: Part) -> int:
    """Count the sessions to do.

    Raises
    ------
    RecordingError
        There is none at all.
    """
    names, count, any_at_all = place.names(), 0, False
    for name in names:
        any_at_all = True
        count += part.holds(name)
    if not any_at_all:
        remedy = "Sessions are folders with left.csv or right.csv in them."
        raise RecordingError(root, "there is no session below this folder", remedy)
    return count


def _outcomes(
    order: Order, names: Iterator[str], options: Mapping[str, Any]
) -> Iterator[tuple[str, Outcome]]:
    if options["cluster"]:
        from analysis.batch.cluster import run_cluster

        return run_cluster(order, names, options["cluster"])
    from analysis.batch.processes import cores, run_processes

    return run_processes(order, names, options["workers"] or cores())


def _collate(order: Order, place: Place, as_json: bool) -> int:
    """Make the tables and tell what is in them; return the exit status."""
    from analysis.batch import parquet, tables

    cohort = tables.collate(order, place)
    typed = {
        tables.REPETITIONS: parquet.repetition_types(),
        tables.SESSIONS: parquet.session_types(),
    }
    for name, types in typed.items():
        parquet.write_parquet(order.out / name, types)
    if as_json:
        click.echo((order.out / tables.DOCUMENT).read_bytes(), nl=False)
    else:
        click.echo(_summary(cohort, order.out))
    return cohort.exit_status


def _summary(cohort: Cohort, out: Path) -> str:
    from analysis.batch.page import headline

    failed = sum(cohort.exits.values())
    why = f" {failed} failed: see {out / 'failures.csv'}." if failed else ""
    return f"{headline(cohort)}{why}\nWritten to {out}: batch.html and the tables beside it."


class Progress:
    """Tells on standard error how many sessions are done and how long the rest will take.

    Parameters
    ----------
    total : int
        Sessions to do; more may appear meanwhile.
    """

    def __init__(self, total: int) -> None:
        self.exit_status = 0
        self._total = total
        self._done = self._failed = self._kept = 0
        self._terminal = sys.stderr.isatty()
        self._ends_s = deque([time.monotonic()], maxlen=LATEST)
        self._told_s = self._ends_s[0]

    def step(self, outcome: Outcome) -> None:
        """Take in what came of one session."""
        self._done += 1
        self._failed += outcome.exit != 0
        self._kept += outcome.kept
        rank = {0: 0, 3: 1}  # the machine's failures are the worst
        self.exit_status = max(
            self.exit_status, outcome.exit if outcome.exit == 3 else outcome.exit and 1,
            key=lambda status: rank.get(status, 2),
        )  # fmt: skip
        now = time.monotonic()
        self._ends_s.append(now)
        waited_s = TERMINAL_S if self._terminal else LOG_S
        if now - self._told_s >= waited_s and self._done < self._total:
            self._told_s = now
            self._tell(f", {time_left(self._total - self._done, self._pace_s())} left")

    def end(self) -> None:
        """Say how it ended."""
        self._tell("")
        if self._terminal:
            click.echo(err=True)

    def _pace_s(self) -> float:
        return (self._ends_s[-1] - self._ends_s[0]) / (len(self._ends_s) - 1)

    def _tell(self, more: str) -> None:
        parts = [f"{self._done} of {max(self._total, self._done)} sessions"]
        parts += [f"{self._kept} as before"] * bool(self._kept)
        parts += [f"{self._failed} failed"] * bool(self._failed)
        text = ", ".join(parts) + more
        click.echo(f"\r{text}\x1b[K" if self._terminal else text, nl=not self._terminal, err=True)


def time_left(sessions: int, pace_s: float) -> str:
    """Say how long so many sessions take.

    >>> time_left(100, 0.3), time_left(9000, 0.3), time_left(1_000_000, 0.3)
    ('30 s', '45 min', '83 h')
    """
    seconds = max(0, sessions) * pace_s
    for size, unit in ((3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
