"""``hiprot import``: make a session of what others, or the recorder itself, wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imu.errors import CallError

if TYPE_CHECKING:
    from analysis.commands.importing import Imported

SCHEMA = "hiprot.import/1"
DATASET = "dataset_description.json"  # marks the folder of a Motion-BIDS dataset
PATH = click.Path(path_type=Path)


def _sides(ctx: click.Context, option: click.Parameter, value: str | None) -> tuple[str, ...]:
    """Read ``left``, or ``left,right`` of several sets cut out of one recording."""
    del ctx, option
    sides = tuple(one.strip().lower() for one in value.split(",")) if value else ()
    if not set(sides) <= {"left", "right"}:
        raise click.BadParameter("left or right; with --split one a set: left,right")
    return sides


@click.command("import", short_help="make a session of other programs' files")
@click.argument("files", metavar="FILE...", nargs=-1, type=PATH)
@click.option("-o", "--out", "session", metavar="SESSION", type=PATH, help="The session folder.")
@click.option("--side", "sides", callback=_sides, help="left or right, where no name says it.")
@click.option("--pelvis", metavar="NAME", help="The pelvis sensor's file, or its name in a file.")
@click.option("--thigh", metavar="NAME", help="The thigh sensor's.")
@click.option("--shank", metavar="NAME", help="The shank sensor's.")
@click.option("--format", "form", metavar="NAME", help="The format, where it cannot be told.")
@click.option("--map", "mapping", metavar="TOML", type=PATH, help="What a table's columns mean.")
@click.option("--describe", is_flag=True, help="Print a draft of such a mapping for FILE.")
@click.option("--split", is_flag=True, help="Cut the sets out of one long recording.")
@click.option("--spread", is_flag=True, help="Spread times that a whole packet shares evenly.")
@click.option("--json", "as_json", is_flag=True, help="Print what was imported, as JSON.")
def import_(**options: Any) -> None:
    """Make sets of every FILE in the session folder SESSION.

    FILE is a file, folder or zip that a sensor's program exported, the folder of a Motion-BIDS
    dataset, or what `hiprot record
    --keep-frames` kept. Formats are told by content; `hiprot explain importing` lists them. Where
    each sensor sat and which side it was is told by names (pelvis, thigh, left, ...), or here.
    Nothing existing is overwritten: a second set of a side becomes left-2.csv.
    """
    from analysis.commands.importing import Call, import_files

    roles = {name: options.pop(name) for name in ("pelvis", "thigh", "shank")}
    roles = {name: value for name, value in roles.items() if value}
    paths = _paths(options.pop("files"), roles)
    if options.pop("describe"):
        _describe(paths)
        return
    session, as_json = options.pop("session"), options.pop("as_json")
    if session is None:
        raise CallError("-o SESSION is missing. Say which folder the session shall be in.")
    if any((path / DATASET).is_file() for path in paths):
        _import_dataset(paths, session, as_json)
        return
    sets = import_files(Call(paths, session, roles, **options))
    if as_json:
        document = {
            "schema": SCHEMA,
            "session": str(session),
            "sets": {name: one.document for name, one in sets.items()},
        }
        click.echo(json.dumps(document, indent=2, allow_nan=False))
    else:
        _show(session, sets)


def _import_dataset(folders: Sequence[Path], session: Path, as_json: bool) -> None:
    """Make a session of one Motion-BIDS dataset, sample for sample."""
    from imu.storage.datasets import read_dataset
    from imu.storage.session import write_session

    if len(folders) > 1:
        raise CallError("one dataset makes one session. Give one folder.")
    if session.exists() and (not session.is_dir() or any(session.iterdir())):
        raise CallError(f"{session}: exists already. Choose a new folder or empty it first.")
    read = read_dataset(folders[0])
    write_session(session, read, exactly=True)
    sets = {
        one.name: {segment: len(stream.time_s) for segment, stream in one.streams.items()}
        for one in (*read.recordings, *filter(None, [read.calibration]))
    }
    if as_json:
        document = {"schema": SCHEMA, "session": str(session), "samples": sets}
        click.echo(json.dumps(document, indent=2))
        return
    for name, counts in sets.items():
        told = ", ".join(f"{segment}: {count} samples" for segment, count in counts.items())
        click.echo(f"{session / name}.csv from {folders[0]}: {told}")


def _paths(files: Sequence[Path], roles: Mapping[str, str]) -> list[Path]:
    """List what is to be read: files given by place alone, too."""
    paths = list(dict.fromkeys(files))
    known = {path.resolve() for path in paths}
    for segment, name in roles.items():
        path = Path(name)
        if path.resolve() in known or not path.exists():
            if not paths:
                raise CallError(f"--{segment} {name}: there is no such file. Check the path.")
            continue
        paths.append(path)
        known.add(path.resolve())
    if not paths:
        raise CallError("no FILE is given. Name what shall be imported.")
    return paths


def _describe(paths: Sequence[Path]) -> None:
    """Print a draft of a mapping, of one file."""
    from imu.importers.drafting import draft
    from imu.storage.foreign import read_foreign

    if len(paths) != 1:
        raise CallError(f"--describe: {len(paths)} files. Give one.")
    (one,) = read_foreign(paths)
    name, data = next(iter(one.files.items()))
    if not one.whole:
        raise CallError(f"{paths[0]}: not one table. Give the file inside it.")
    click.echo(draft(data, name), nl=False)


def _show(session: Path, sets: Mapping[str, Imported]) -> None:
    """Print what was imported."""
    from analysis.commands.terminal import printable

    for name, one in sets.items():
        click.echo(f"{session / name}.csv from {printable(one.origin)}")
        for line in one.lines:
            click.echo(f"  {printable(line)}")
