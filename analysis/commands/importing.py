"""What ``hiprot import`` does: read everything, then write everything.

Kept frames go the recorder's own way, row for row; all other formats are parsed into tracks and
assembled into sets. Nothing is written before all of it has been read as a set.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import click

from analysis.commands.terminal import families, read_toml
from imu.codecs.protocol import Codec
from imu.errors import CallError, RecordingError
from imu.formats.framefile import KeptFrames, decode_frames
from imu.formats.sessionfile import format_info, merge_info
from imu.formats.setfile import SET_HEADER, format_batch, format_streams, parse_set
from imu.importers.assembly import ImportedSet, Piece, assemble
from imu.importers.mapped import parse_mapped, parse_mapping
from imu.importers.registry import find_importer, load_importers
from imu.importers.values import Importer
from imu.recording import SensorInfo, SessionInfo, Source
from imu.storage.files import read_present, write_files
from imu.storage.foreign import Foreign, read_foreign
from imu.storage.journal import read_info
from imu.storage.session import INFO_FILE, free_set_name

FRAMES = ".frames.jsonl"
FRAMES_MARK = b'"hiprot.frames/'
OWN = ("frames", "table")


@dataclass(frozen=True, slots=True)
class Call:
    """What the user asked for.

    Attributes
    ----------
    paths : sequence of Path
        Files, folders, archives.
    session : Path
        The folder to write into.
    roles : Mapping of str to str
        By segment the name of its sensor or file.
    sides : tuple of str
        Sides, as far as said.
    form : str or None
        The format, where said.
    mapping : Path or None
        The mapping of a table.
    split, spread : bool
        See `assemble` and `Importer`.
    """

    paths: Sequence[Path]
    session: Path
    roles: Mapping[str, str]
    sides: tuple[str, ...] = ()
    form: str | None = None
    mapping: Path | None = None
    split: bool = False
    spread: bool = False


@dataclass(frozen=True, slots=True)
class Imported:
    """One set, ready to be written.

    Attributes
    ----------
    side, text : str
        ``left`` or ``right``; the content of its file.
    origin : str
        What it came from, in words.
    info : SessionInfo
        What it adds to ``session.json``.
    lines : list of str
        What was done, for people.
    document : dict
        The same, for programs.
    """

    side: str
    text: str
    origin: str
    info: SessionInfo
    lines: list[str]
    document: dict[str, Any]


def import_files(call: Call) -> dict[str, Imported]:
    """Import all files into sets, and write them; what was written, by the set's name.

    Raises
    ------
    CallError
        A file that is not there, an unknown format, a place or side that cannot be told.
    RecordingError
        A file of no format we know, damaged, or not enough for a set.
    MachineError
        The disk, a permission, ...
    """
    read_info(call.session)  # what could not be added to is refused before anything is read
    importers, complaints = load_importers()
    for complaint in complaints:
        click.echo(f"hiprot: {complaint}", err=True)
    _refuse_format(call, importers)
    files = read_foreign(call.paths)
    kept = [one for one in files if _is_frames(one, call.form)]
    others = [one for one in files if one not in kept]
    made = [_frames_set(one) for one in kept]
    if others:
        made += _foreign_sets(call, others, importers)
    return _write(call.session, made)


def _refuse_format(call: Call, importers: Mapping[str, Importer]) -> None:
    """Refuse a format that there is not, and a table without its mapping."""
    known = (*importers, *OWN)
    if call.form is not None and call.form not in known:
        raise CallError(f"--format {call.form}: there is none. Known: {', '.join(known)}.")
    if (call.form == "table") != (call.mapping is not None):
        remedy = "--format table needs --map TOML, and the reverse; --describe FILE drafts one."
        raise CallError(f"a table is read by a mapping. {remedy}")


def _is_frames(one: Foreign, form: str | None) -> bool:
    """Whether a file holds kept frames."""
    if not one.whole or form not in (None, "frames"):
        return False
    name, data = next(iter(one.files.items()))
    return form == "frames" or name.endswith(FRAMES) or FRAMES_MARK in data[:4096].split(b"\n")[0]


def _frames_set(one: Foreign) -> Imported:
    """Make a set of kept frames, row for row as it was recorded."""
    name, data = next(iter(one.files.items()))
    codecs: Mapping[str, Codec] = families(None)
    kept = decode_frames(data, name, codecs)
    rows = "".join(format_batch(batch) for batch in kept.batches)
    text = f"{SET_HEADER}\n{rows}"
    parse_set(text.encode(), kept.head.side, f"{name}, decoded")
    sensors = {
        segment: SensorInfo(model=sensor["model"], address=sensor["address"])
        for segment, sensor in kept.head.sensors.items()
    }
    info = SessionInfo(started=kept.head.started, sensors=sensors, source=_source(one, "frames"))
    document = {
        "file": str(one.path),
        "side": kept.head.side,
        "started": kept.head.started,
        "ended": kept.ended,
        "cut_lines": kept.cut_lines,
        "sensors": {segment: asdict(counts) for segment, counts in kept.counts.items()},
    }
    return Imported(kept.head.side, text, str(one.path), info, _frames_lines(kept), document)


def _frames_lines(kept: KeptFrames) -> list[str]:
    """Say what came of the frames."""
    lines = []
    for segment, counts in kept.counts.items():
        told = [f"{counts.samples} samples of {counts.frames} frames"]
        told += [
            f"{count} {words}"
            for count, words in (
                (counts.refused, "frames refused"),
                (counts.duplicates, "samples delivered twice"),
                (counts.restarts, "restarts of its clock"),
            )
            if count
        ]
        lines.append(f"{segment}: {', '.join(told)}")
    if not kept.ended:
        cut = "; its last line was broken off and is left out" if kept.cut_lines else ""
        lines.append(f"the recording did not end in order{cut}")
    return lines


def _source(one: Foreign, form: str, phone: bool = False) -> Source:
    """Say where a set came from."""
    return Source(form, tuple(one.sha256), None, "phone" if phone else None, dict(one.sha256))


def _foreign_sets(
    call: Call, files: Sequence[Foreign], importers: Mapping[str, Importer]
) -> list[Imported]:
    """Parse all other files, and assemble them into sets."""
    if call.mapping is not None:
        mapping = parse_mapping(read_toml(call.mapping), str(call.mapping))
        parsed = [
            (name, {name: data}, parse_mapped({name: data}, mapping, call.spread))
            for one in files
            for name, data in one.files.items()
        ]
    else:
        parsed = [
            (key, group, importer.parse(group, call.spread))
            for importer, key, group in group_files(files, importers, call.form)
        ]
    pieces = [
        Piece(track, key, tuple(group), found.format, found.phone)
        for key, group, found in parsed
        for track in found.tracks
    ]
    hashes = {name: digest for one in files for name, digest in one.sha256.items()}
    sets = assemble(pieces, call.roles, call.sides, call.split)
    return [_imported(one, hashes) for one in sets]


def group_files(
    files: Sequence[Foreign], importers: Mapping[str, Importer], form: str | None
) -> list[tuple[Importer, str, dict[str, bytes]]]:
    """Put files that are one recording together, with their format.

    Raises
    ------
    RecordingError
        A file of no format we know.
    """
    groups: dict[tuple[str, str], dict[str, bytes]] = {}
    for one in files:
        known = 0
        for name, data in one.files.items():
            importer = importers[form] if form else find_importer(name, data, importers)
            if importer is None or (form and not one.whole and not importer.sniff(name, data)):
                continue
            known += 1
            groups.setdefault((importer.name, importer.group(name)), {})[name] = data
        if not known:
            where = one.path.name
            names = ", ".join(importers)
            remedy = (
                f"Known are {names}, and the frames that hiprot record --keep-frames keeps, "
                "*.frames.jsonl; for any other table see --describe and --map."
            )
            raise RecordingError(where, "the format is unknown", remedy)
    return [(importers[form_], key, group) for (form_, key), group in groups.items()]


def _imported(one: ImportedSet, hashes: Mapping[str, str]) -> Imported:
    """Make the texts of one assembled set."""
    pieces = one.pieces.values()
    origin = ", ".join(dict.fromkeys(piece.words for piece in pieces))
    text = format_streams(one.streams)
    parse_set(text.encode(), one.side, origin)
    own = {
        name: digest
        for name, digest in hashes.items()
        if any(_on_disk(name, piece.files) for piece in pieces)
    }
    form = ", ".join(dict.fromkeys(piece.format for piece in pieces))
    phone = "phone" if any(piece.phone for piece in pieces) else None
    source = Source(form, tuple(own), None, phone, own)
    sensors = {segment: piece.track.info for segment, piece in one.pieces.items()}
    info = SessionInfo(started=one.started, sensors=sensors, source=source)
    counts = {
        segment: {"label": one.pieces[segment].track.label, "samples": len(stream.time_s)}
        for segment, stream in one.streams.items()
    }
    lines = [
        f"{segment}: {told['samples']} samples of {told['label']}"
        for segment, told in counts.items()
    ]
    document = {
        "format": form,
        "files": list(own),
        "side": one.side,
        "started": one.started,
        "device": phone,
        "sensors": counts,
        "remarks": list(one.remarks),
    }
    return Imported(one.side, text, origin, info, [*lines, *one.remarks], document)


def _on_disk(name: str, members: Sequence[str]) -> bool:
    """Whether a file on the disk is one of a recording's members, or the archive round one."""
    return any(one == name or one.startswith(f"{name}/") for one in members)


def _write(session: Path, made: Sequence[Imported]) -> dict[str, Imported]:
    """Write all sets and ``session.json``, whole or not at all."""
    sets: dict[str, Imported] = {}
    for one in made:
        sets[free_set_name(session, one.side, sets)] = one
    files: dict[Path, str | bytes] = {
        session / f"{name}.csv": one.text for name, one in sets.items()
    }
    path = session / INFO_FILE
    info = read_present(path)
    known = read_info(session)
    for one in made:
        fresh = {key: two for key, two in one.info.sensors.items() if key not in known.sensors}
        source = _merged(known.source, one.info.source)
        changes = replace(one.info, sensors=fresh, source=source)
        text = format_info(changes) if info is None else merge_info(info, changes, INFO_FILE)
        info = text.encode()
        known = replace(known, sensors={**known.sensors, **fresh}, source=source)
    write_files(files | ({} if info is None else {path: info}))
    return sets


def _merged(before: Source | None, new: Source | None) -> Source | None:
    """Put the sources of two imports together."""
    if new is None:
        return before
    old = before or Source()
    formats = [*(old.format or "").split(", "), *(new.format or "").split(", ")]
    hashes = {**old.hashes, **new.hashes}
    return Source(
        ", ".join(dict.fromkeys(one for one in formats if one)),
        tuple(dict.fromkeys([*old.files, *new.files])),
        _digest(hashes),
        "phone" if "phone" in (old.device, new.device) else None,
        hashes,
    )


def _digest(hashes: Mapping[str, str]) -> str:
    """Hash of one file, or of the list of several, see `Source`."""
    if len(hashes) == 1:
        return next(iter(hashes.values()))
    lines = "".join(f"{digest}  {name}\n" for name, digest in hashes.items())
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()
