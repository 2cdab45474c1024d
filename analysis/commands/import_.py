"""``hiprot import``: make a session of what others, or the recorder itself, wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imu.errors import CallError, RecordingError

if TYPE_CHECKING:
    from imu.codecs.protocol import Codec
    from imu.formats.framefile import KeptFrames

SCHEMA = "hiprot.import/1"
FRAMES = ".frames.jsonl"
FRAMES_MARK = b'"hiprot.frames/'


@dataclass(frozen=True, slots=True)
class Imported:
    """One file, read.

    Attributes
    ----------
    path : Path
        The file.
    kept : KeptFrames
        What it held.
    rows : str
        A set's rows, as the recorder writes them.
    """

    path: Path
    kept: KeptFrames
    rows: str


@click.command("import", short_help="make a session of kept frames")
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "-o",
    "--out",
    "session",
    metavar="SESSION",
    required=True,
    type=click.Path(path_type=Path),
    help="The session folder, new or not.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was imported, as JSON.")
def import_(files: Sequence[Path], session: Path, as_json: bool) -> None:
    """Make sets of every FILE in the session folder SESSION.

    FILE is what `hiprot record --keep-frames` kept: left.frames.jsonl. It gives the rows that were
    recorded, again. Or it is the folder of a Motion-BIDS dataset, as `hiprot export` writes it; its
    samples are kept as they are. Nothing existing is overwritten: a second set of a side becomes
    left-2.csv.
    """
    from analysis.commands.terminal import families
    from imu.storage.journal import SetJournal, read_info

    if any(path.is_dir() for path in files):
        _import_dataset(files, session, as_json)
        return
    read_info(session)  # what could not be added to is refused before anything is written
    codecs = families(None)
    imported = [_read(path, codecs) for path in files]
    sets = {}
    for one in imported:
        journal = SetJournal.create(session, one.kept.head.side, one.rows)
        journal.close()
        sets[journal.name] = _document(one)
        _add_info(session, one.kept)
    if as_json:
        document = {"schema": SCHEMA, "session": str(session), "sets": sets}
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


def _read(path: Path, codecs: Mapping[str, Codec]) -> Imported:
    """Read one file, and make sure that it gives a set.

    Raises
    ------
    CallError
        There is no such file.
    RecordingError
        It is of no format we know, damaged, or lacks a sensor.
    MachineError
        It cannot be read.
    """
    from imu.formats.framefile import decode_frames
    from imu.formats.setfile import SET_HEADER, format_batch, parse_set
    from imu.storage.files import reporting, unpack

    with reporting(path, "read"):
        try:
            data = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise CallError(f"{path}: there is no such file. Check the path.") from None
    name = path.name
    if path.suffix == ".gz":
        data, name = unpack(data, name).data, path.stem
    if not name.endswith(FRAMES) and FRAMES_MARK not in data.partition(b"\n")[0]:
        remedy = "Known are the frames that hiprot record --keep-frames keeps, *.frames.jsonl."
        raise RecordingError(path.name, "the format is unknown", remedy)
    kept = decode_frames(data, path.name, codecs)
    rows = "".join(format_batch(batch) for batch in kept.batches)
    parse_set(f"{SET_HEADER}\n{rows}".encode(), kept.head.side, f"{path.name}, decoded")
    return Imported(path, kept, rows)


def _add_info(session: Path, kept: KeptFrames) -> None:
    """Say in ``session.json`` when and with what, where it does not yet."""
    from imu.recording import SensorInfo, SessionInfo
    from imu.storage.journal import read_info, update_info

    known = read_info(session).sensors
    sensors = {
        segment: SensorInfo(model=sensor["model"], address=sensor["address"])
        for segment, sensor in kept.head.sensors.items()
        if segment not in known
    }
    update_info(session, SessionInfo(started=kept.head.started, sensors=sensors))


def _document(one: Imported) -> dict[str, Any]:
    """Lay out what one file gave."""
    return {
        "file": str(one.path),
        "side": one.kept.head.side,
        "started": one.kept.head.started,
        "ended": one.kept.ended,
        "cut_lines": one.kept.cut_lines,
        "sensors": {segment: asdict(counts) for segment, counts in one.kept.counts.items()},
    }


def _show(session: Path, sets: Mapping[str, Mapping[str, Any]]) -> None:
    """Print what was imported."""
    from analysis.commands.terminal import printable

    for name, one in sets.items():
        click.echo(f"{session / name}.csv from {printable(one['file'])}")
        for segment, counts in one["sensors"].items():
            told = [f"{counts['samples']} samples of {counts['frames']} frames"]
            told += [
                f"{counts[key]} {words}"
                for key, words in (
                    ("refused", "frames refused"),
                    ("duplicates", "samples delivered twice"),
                    ("restarts", "restarts of its clock"),
                )
                if counts[key]
            ]
            click.echo(f"  {segment}: {', '.join(told)}")
        if not one["ended"]:
            cut = "; its last line was broken off and is left out" if one["cut_lines"] else ""
            click.echo(f"  the recording did not end in order{cut}")
