"""A `Session` read from and written to a folder; the first module that opens files."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import stat
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from imu.errors import CallError, MachineError, RecordingError
from imu.recording import Event, Recording, Session, SessionInfo
from imu.sessionfile import format_events, format_info, parse_events, parse_info
from imu.setfile import CALIBRATION, format_set, parse_set
from imu.units import SIDES

SET_FILE = re.compile(r"(left|right)(?:-([2-9]|[1-9][0-9]+))?\.csv(\.gz)?")
NEARLY_SET_FILE = re.compile(r"(left|right)[-_ ]?[0-9]*\.csv(\.gz)?", re.IGNORECASE)
INFO_FILE = "session.json"
EVENTS_FILE = "events.csv"
MAX_BYTES = 2**30  # 6 h of three sensors at 200 Hz take this much; more is no set
GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Content:
    """One file as read.

    Attributes
    ----------
    name : str
        The file's name.
    data : bytes
        Its content, unpacked.
    cut : bool
        Whether a packed file ended before its end.
    """

    name: str
    data: bytes
    cut: bool = False


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
    names = _list_folder(folder)
    refuse_misspelt(names)
    set_names = _set_files(names, folder)
    hasher = hashlib.sha256()
    recordings = [_read_set(folder, stem, name, hasher) for stem, name in set_names.items()]
    calibration = _read_calibration(folder, names, hasher)
    info = SessionInfo()
    if INFO_FILE in names:
        info = parse_info(_read(folder / INFO_FILE, hasher).data)
    events_name = _one_of(EVENTS_FILE, names, folder)
    events: tuple[Event, ...] = ()
    if events_name:
        content = _read(folder / events_name, hasher)
        if content.cut:
            raise RecordingError(events_name, "the packed file is broken off", "Copy it again.")
        events = parse_events(content.data, set_names, events_name)
    return Session(
        _folder_name(folder), info, tuple(recordings), events, calibration, hasher.hexdigest()
    )


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
    return _read_calibration(folder, _list_folder(folder), hashlib.sha256())


def _read_calibration(folder: Path, names: list[str], hasher: hashlib._Hash) -> Recording | None:
    name = _one_of(f"{CALIBRATION}.csv", names, folder)
    return _read_set(folder, CALIBRATION, name, hasher) if name else None


def _folder_name(folder: Path) -> str:
    """Name a folder in text that can be written, whatever bytes the disk holds."""
    return os.fsencode(folder.resolve().name).decode("utf-8", "replace")


def _list_folder(folder: Path) -> list[str]:
    """List a folder's names."""
    with reporting(folder, "read"):
        try:
            return sorted(os.listdir(folder))  # noqa: PTH208  names, not paths
        except FileNotFoundError:
            raise CallError(f"{folder}: there is no such folder. Check the path.") from None
        except NotADirectoryError:
            remedy = "Give the session's folder, not a file in it."
            raise CallError(f"{folder}: this is not a folder. {remedy}") from None
        except ValueError:
            raise CallError(f"{str(folder)!a}: this is no path. Check it.") from None


@contextmanager
def reporting(path: Path, verb: str) -> Iterator[None]:
    """Turn what the machine refuses into one line.

    Parameters
    ----------
    path : Path
        What is worked on.
    verb : str
        What is done to it: ``read``, ``write``, ``make``.

    Raises
    ------
    MachineError
        In place of an OSError.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        remedy = "Check the disk and the permissions."
        raise MachineError(f"{path}: cannot {verb} it: {reason}. {remedy}") from None


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
    content = _read(folder / name, hasher)
    return parse_set(content.data, stem, name, content.cut)


def _read(path: Path, hasher: hashlib._Hash) -> Content:
    """Read one file's bytes, once; hash them with the name, and unpack them."""
    with reporting(path, "read"):
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise RecordingError(path.name, "this is not a file", "Remove or rename it.")
        _refuse_large(status.st_size, path.name)
        data = path.read_bytes()
    hasher.update(f"{path.name}\0{len(data)}\0".encode("utf-8", "surrogateescape"))
    hasher.update(data)
    return unpack(data, path.name) if path.suffix == ".gz" else Content(path.name, data)


def _refuse_large(size: int, name: str) -> None:
    """Refuse content no set has, before it fills the memory."""
    if size > MAX_BYTES:
        what = f"{size / 2**30:.1f} GiB"
        raise RecordingError(name, what, "A set has minutes, some megabytes; split it.")


def unpack(data: bytes, name: str) -> Content:
    """Unpack gzip members; what a broken-off file still holds is kept and marked cut.

    Raises
    ------
    RecordingError
        Not gzip, damaged inside, or with other bytes behind it.
    """
    parts: list[bytes] = []
    room = MAX_BYTES
    while data:
        unpacker = zlib.decompressobj(GZIP)
        try:
            part = unpacker.decompress(data, room + 1)
        except zlib.error as error:
            what = f"the packed file is damaged ({error})"
            raise RecordingError(name, what, "Copy or record it again.") from None
        room -= len(part)
        if room < 0:
            _refuse_large(MAX_BYTES + 1, name)
        parts.append(part)
        if not unpacker.eof:
            return Content(name, b"".join(parts), cut=True)
        data = unpacker.unused_data.lstrip(b"\0")  # padding is allowed
    return Content(name, b"".join(parts))


def write_session(
    folder: Path, session: Session, others: Mapping[str, str | bytes] | None = None
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

    Raises
    ------
    MachineError, CallError
        See `write_files`.
    """
    files: dict[str, str | bytes] = {INFO_FILE: format_info(session.info)}
    for recording in session.recordings:
        files[f"{recording.name}.csv"] = format_set(recording)
    if session.calibration is not None:
        files[f"{CALIBRATION}.csv"] = format_set(session.calibration)
    if session.events:
        files[EVENTS_FILE] = format_events(session.events)
    write_files({folder / name: content for name, content in (files | dict(others or {})).items()})


def write_files(files: Mapping[Path, str | bytes]) -> None:
    """Write files whole or not at all: all contents first, then all names.

    Parameters
    ----------
    files : Mapping of Path to str or bytes
        Text is written as UTF-8. Folders are made where they are not there; files that are there
        are replaced.

    Raises
    ------
    CallError
        A folder's path is a file, or a file's path a folder.
    MachineError
        The disk is full, a permission is missing, ...; nothing new is left behind.
    """
    made: list[Path] = []
    waiting: dict[Path, Path] = {}
    try:
        for path in files:
            make_folder(path.parent, made)
            with reporting(path, "write"):
                if path.is_dir():
                    remedy = "Remove or rename it."
                    raise CallError(f"{path}: a folder is in the place of a file. {remedy}")
        for path, content in files.items():
            waiting[path] = path.with_name(f".{path.name[:40]}.{secrets.token_hex(6)}.tmp")
            with reporting(path, "write"):
                _write_through(waiting[path], content)
        for path in files:
            with reporting(path, "write"):
                waiting[path].replace(path)
            del waiting[path]
        made.clear()
    finally:
        for leftover in waiting.values():
            with suppress(OSError):
                leftover.unlink(missing_ok=True)
        for folder in reversed(made):
            with suppress(OSError):
                folder.rmdir()


def make_folder(folder: Path, made: list[Path]) -> None:
    """Make a folder and its parents; those that were not there are added to ``made``.

    Raises
    ------
    CallError
        A file is in its place.
    MachineError
        A permission is missing, ...
    """
    with reporting(folder, "make"):
        missing = [path for path in (folder, *folder.parents) if not path.exists()]
        above = missing[-1].parent if missing else folder
        if not above.is_dir():
            raise CallError(f"{above}: this is not a folder. Give another place to write.")
        for path in reversed(missing):
            path.mkdir(exist_ok=True)
            made.append(path)


def _write_through(path: Path, content: str | bytes) -> None:
    """Write one new file down to the disk."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
