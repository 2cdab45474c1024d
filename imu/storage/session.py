"""A `Session` read from and written to a folder."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from imu.errors import RecordingError
from imu.formats.eventfile import format_events, parse_events
from imu.formats.sessionfile import format_info, parse_info
from imu.formats.setfile import CALIBRATION, format_set, parse_set
from imu.recording import Event, Recording, Session, SessionInfo
from imu.storage.files import MAX_BYTES, list_folder, read_file, reporting, write_files
from imu.units import SIDES

SET_FILE = re.compile(r"(left|right)(?:-([2-9]|[1-9][0-9]+))?\.csv(\.gz)?")
NEARLY_SET_FILE = re.compile(  # as people and their computers name copies and downloads
    r"(left|right)([-_. ()0-9]|copy|kopie|copie|copia|of)*\.csv(\.(csv|txt|gz))*", re.IGNORECASE
)
INFO_FILE = "session.json"
EVENTS_FILE = "events.csv"
SET_ENDINGS = (".csv", ".csv.gz", ".frames.jsonl", ".refused.jsonl")
OPTIONAL_FILES = (
    EVENTS_FILE, f"{EVENTS_FILE}.gz", f"{CALIBRATION}.csv", f"{CALIBRATION}.csv.gz",
)  # fmt: skip


def read_session(folder: Path) -> Session:
    """Read a session folder.

    Parameters
    ----------
    folder : Path
        Holds ``left.csv``, ``right-2.csv``, ... (or ``.csv.gz``) and, optionally,
        ``session.json``, ``events.csv`` and ``calibration.csv``; other files are left alone.

    Returns
    -------
    Session
        The sets left before right, then by number.

    Raises
    ------
    CallError
        There is no such folder.
    RecordingError
        There is no set in it, or a file cannot be used; names the place.
    MachineError
        A file cannot be read.
    """
    names = list_folder(folder)
    refuse_misspelt(names)
    set_names = _set_files(names, folder)
    hasher = hashlib.sha256()
    recordings = [_read_set(folder, stem, name, hasher) for stem, name in set_names.items()]
    calibration = _read_calibration(folder, names, hasher)
    info = SessionInfo()
    if INFO_FILE in names:
        info = parse_info(read_file(folder / INFO_FILE, hasher).data)
    for name in info.corrections.keys() - set_names.keys() - {CALIBRATION}:
        known = f"Sets here: {', '.join(set_names)}."
        raise RecordingError(f"{INFO_FILE}, key corrections", f"there is no set {name!a}", known)
    recordings = [_corrected(one, info) for one in recordings]
    calibration = calibration and _corrected(calibration, info)
    events_name = _one_of(EVENTS_FILE, names, folder)
    events: tuple[Event, ...] = ()
    if events_name:
        content = read_file(folder / events_name, hasher)
        if content.cut:
            raise RecordingError(events_name, "the packed file is broken off", "Copy it again.")
        named = {*set_names, CALIBRATION} if calibration else set_names
        events = parse_events(content.data, named, events_name)
    return Session(
        _folder_name(folder), info, tuple(recordings), events, calibration, hasher.hexdigest()
    )


def find_sessions(root: Path) -> list[Path]:
    """Find every session folder at or below a folder, in the order of their paths.

    A session is a folder with a set's file in it; hidden folders and links to folders are passed
    over, and nothing is looked for inside a session.

    Raises
    ------
    CallError
        There is no such folder.
    MachineError
        A folder cannot be read.
    """
    names = list_folder(root)
    if any(SET_FILE.fullmatch(name) for name in names):
        return [root]
    folders = [root / name for name in names if not name.startswith(".")]
    return [
        found
        for folder in folders
        if folder.is_dir() and not folder.is_symlink()
        for found in find_sessions(folder)
    ]


def is_session(names: Iterable[str]) -> bool:
    """Tell from the names in a folder whether somebody meant it as a session.

    >>> is_session(["left.csv"]), is_session(["Left (1).csv"]), is_session(["reps.csv"])
    (True, True, False)
    """
    return any(_matters(name) for name in names)


def session_files(names: Iterable[str]) -> list[str]:
    """Choose the names of a session folder that `read_session` reads or refuses, sorted."""
    return sorted(name for name in names if _matters(name))


def fingerprint(folder: Path) -> str:
    """Hash the names and contents of all that `read_session` reads or refuses a session by.

    Corrections stand in two of these files, so that a correction changes it, too. Of a file larger
    than any set, which is refused unread, the size stands for the content.

    Raises
    ------
    CallError
        There is no such folder.
    MachineError
        A file cannot be read.
    """
    hasher = hashlib.sha256()
    for name in session_files(list_folder(folder)):
        path = folder / name
        with reporting(path, "read"):
            status = path.stat()
            told = f"{name}\0{stat.S_IFMT(status.st_mode)}\0{status.st_size}\0"
            hasher.update(told.encode("utf-8", "surrogateescape"))
            if stat.S_ISREG(status.st_mode) and status.st_size <= MAX_BYTES:
                with path.open("rb") as file:
                    hasher.update(hashlib.file_digest(file, "sha256").digest())
    return hasher.hexdigest()


def _matters(name: str) -> bool:
    return bool(
        SET_FILE.fullmatch(name)
        or NEARLY_SET_FILE.fullmatch(name)
        or name.lower() in (INFO_FILE, *OPTIONAL_FILES)
    )


def read_set(folder: Path, name: str) -> Recording:
    """Read one set of a session folder, whatever else is in it.

    Raises
    ------
    RecordingError
        It cannot be used; names the place.
    MachineError
        It cannot be read.
    """
    return _read_set(folder, name, f"{name}.csv", hashlib.sha256())


def _corrected(recording: Recording, info: SessionInfo) -> Recording:
    """Apply what ``session.json`` says was mislabelled."""
    correction = info.corrections.get(recording.name)
    return recording if correction is None else correction.apply(recording)


def read_calibration(folder: Path) -> Recording | None:
    """Read a session folder's ``calibration.csv``; None where there is none yet.

    Raises
    ------
    RecordingError
        It cannot be used; names the place.
    MachineError
        It cannot be read.
    """
    if not folder.is_dir():
        return None
    return _read_calibration(folder, list_folder(folder), hashlib.sha256())


def _read_calibration(folder: Path, names: list[str], hasher: hashlib._Hash) -> Recording | None:
    name = _one_of(f"{CALIBRATION}.csv", names, folder)
    return _read_set(folder, CALIBRATION, name, hasher) if name else None


def _folder_name(folder: Path) -> str:
    """Name a folder in text that can be written, whatever bytes the disk holds."""
    return os.fsencode(folder.resolve().name).decode("utf-8", "replace")


def refuse_misspelt(names: list[str]) -> None:
    """Refuse ``Events.csv``, which would be passed over: a marker of pain among it.

    Raises
    ------
    RecordingError
        Names the file.
    """
    known = [INFO_FILE, EVENTS_FILE, f"{EVENTS_FILE}.gz", f"{CALIBRATION}.csv"]
    for name in names:
        if name.lower() in known and name not in known:
            what = "this file would be passed over"
            raise RecordingError(name, what, f"Rename it to {name.lower()}.")


def _set_files(names: list[str], folder: Path) -> dict[str, str]:
    """Find the sets' files by stem, left before right, then by number."""
    found: dict[str, str] = {}
    for name in names:
        match = SET_FILE.fullmatch(name)
        if match:
            plain = name.removesuffix(".gz")
            found[plain.removesuffix(".csv")] = _one_of(plain, names, folder)
        elif NEARLY_SET_FILE.fullmatch(name):
            remedy = "A side's sets are named left.csv, left-2.csv, left-3.csv; rename it."
            raise RecordingError(name, "this is no set's name", remedy)
    if not found:
        remedy = "Give a folder with left.csv or right.csv in it."
        raise RecordingError(str(folder), "there is no set in this folder", remedy)

    def position(stem: str) -> tuple[int, int]:
        side, _, number = stem.partition("-")
        return SIDES.index(side), int(number or 1)

    return {stem: found[stem] for stem in sorted(found, key=position)}


def _one_of(name: str, names: list[str], folder: Path) -> str:
    """Find a file, packed or not; empty where there is none, refused where there are both."""
    present = [candidate for candidate in (name, f"{name}.gz") if candidate in names]
    if len(present) > 1:
        what = f"{name} and {name}.gz are both there"
        raise RecordingError(folder.name, what, "Keep one of them.")
    return present[0] if present else ""


def _read_set(folder: Path, stem: str, name: str, hasher: hashlib._Hash) -> Recording:
    """Read and parse one set."""
    content = read_file(folder / name, hasher)
    return parse_set(content.data, stem, name, content.cut)


def free_set_name(folder: Path, side: str, taken: Collection[str] = ()) -> str:
    """Find the first name of a side's sets that is free in a folder.

    Parameters
    ----------
    folder : Path
        Need not be there.
    side : str
        ``left`` or ``right``.
    taken : collection of str
        Names that are given away already.
    """
    number = 1
    while True:
        name = side if number == 1 else f"{side}-{number}"
        present = any(os.path.lexists(folder / f"{name}{ending}") for ending in SET_ENDINGS)
        if name not in taken and not present:
            return name
        number += 1


def write_session(
    folder: Path,
    session: Session,
    others: Mapping[str, str | bytes] | None = None,
    *,
    exactly: bool = False,
) -> None:
    """Write a session's files into a folder, all or none.

    Parameters
    ----------
    folder : Path
        Made where it is not there.
    session : Session
        Its sets and calibration; ``session.json`` always; ``events.csv`` where there are events.
    others : Mapping of str to str or bytes, optional
        Further files to write together with them, by name.
    exactly : bool
        Whether numbers keep all their decimals.

    Raises
    ------
    MachineError, CallError
        See `write_files`.
    """
    files: dict[str, str | bytes] = {INFO_FILE: format_info(session.info)}
    for recording in session.recordings:
        files[f"{recording.name}.csv"] = format_set(recording, exactly=exactly)
    if session.calibration is not None:
        files[f"{CALIBRATION}.csv"] = format_set(session.calibration, exactly=exactly)
    if session.events:
        files[EVENTS_FILE] = format_events(session.events)
    write_files({folder / name: content for name, content in (files | dict(others or {})).items()})
