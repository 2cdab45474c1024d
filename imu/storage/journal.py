"""Files that only grow and survive a kill: a set, its markers, frames, what was refused.

Every line goes to the system in whole, at once: after `append` returns, killing the program loses
nothing, and after `sync` pulling the plug does not either. A file begins under another name and
gets its own by a hard link, which never replaces what is there; so a set that exists has rows of
all its sensors, and of two recorders one takes the next number. Refused: a database and a lock
file, which a person cannot read, and which a kill leaves behind.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path

from imu.errors import MachineError, RecordingError
from imu.formats import csvfile
from imu.formats.eventfile import format_event, parse_events
from imu.formats.sessionfile import format_info, merge_info, parse_info
from imu.formats.setfile import SET_HEADER
from imu.recording import Event, SessionInfo
from imu.storage.files import make_folder, read_present, reporting, write_files
from imu.storage.session import (
    EVENTS_FILE,
    INFO_FILE,
    SET_ENDINGS,
    SET_FILE,
    refuse_misspelt,
)
from imu.units import EVENT_COLUMNS

APPEND = os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")  # not for one line of text


class Journal:
    """One file that is appended to in whole lines, never held back in the program.

    Parameters
    ----------
    path : Path
        Its name.
    descriptor : int
        It, opened for appending.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    def append(self, text: str) -> None:
        """Append whole lines, each with its newline.

        Raises
        ------
        MachineError
            The disk is full, ...; the file ends in the last line that went down in whole.
        """
        with reporting(self.path, "write"):
            _write_lines(self._descriptor, text.encode("utf-8"))

    def sync(self) -> None:
        """Have all of it down on the disk, and still under its name.

        Raises
        ------
        MachineError
            The disk failed; the file was removed, moved or replaced meanwhile.
        """
        with reporting(self.path, "write"):
            os.fsync(self._descriptor)
            own = os.fstat(self._descriptor)
            try:
                found = self.path.stat()
            except (FileNotFoundError, NotADirectoryError):
                what = "the file is no longer in its place"
            else:
                what = "another file is in its place"
                if (found.st_dev, found.st_ino) == (own.st_dev, own.st_ino):
                    return
        fate = "was moved elsewhere" if own.st_nlink else "is gone"
        remedy = "Leave the folder alone while recording, and record the set again."
        raise MachineError(f"{self.path}: {what}; what was written {fate}. {remedy}")

    def close(self) -> None:
        """Let go of the file; a second time does no harm."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def _write_lines(descriptor: int, data: bytes) -> None:
    """Write all of it; where that fails, take back the part of a line that went through."""
    written = 0
    try:
        while written < len(data):
            written += os.write(descriptor, memoryview(data)[written:])
    except OSError:
        torn = written - (data.rfind(b"\n", 0, written) + 1)
        if torn:
            with suppress(OSError):
                os.ftruncate(descriptor, os.fstat(descriptor).st_size - torn)
        raise


def _create(path: Path, data: bytes) -> int:
    """Make a file that begins with these lines, or nothing; returns it opened for appending.

    Raises
    ------
    FileExistsError
        The name is taken.
    OSError
        The disk is full, ...
    """
    waiting = path.with_name(f".{path.name[:40]}.{secrets.token_hex(6)}.tmp")
    descriptor = _create_whole(waiting, data)
    try:
        os.link(waiting, path)
    except FileExistsError:
        os.close(descriptor)
        raise
    except OSError:  # a disk without hard links: a kill may leave half
        os.close(descriptor)
        return _create_whole(path, data)
    finally:
        with suppress(OSError):
            waiting.unlink()
    _sync_folder(path.parent)
    return descriptor


def _create_whole(path: Path, data: bytes) -> int:
    """Make a new file with these lines, down to the disk; removed where that fails."""
    descriptor = os.open(path, APPEND | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        _write_lines(descriptor, data)
        os.fsync(descriptor)
    except OSError:
        os.close(descriptor)
        with suppress(OSError):
            path.unlink()
        raise
    return descriptor


def _sync_folder(folder: Path) -> None:
    """Have a folder's names down on the disk, where the system can do that at all."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class SetJournal(Journal):
    """One set while it is recorded."""

    @property
    def name(self) -> str:
        """The set's name: ``left``, ``right-2``."""
        return self.path.stem

    @classmethod
    def create(cls, folder: Path, side: str, first_rows: str) -> SetJournal:
        """Begin a set under the first name of its side that is free.

        Parameters
        ----------
        folder : Path
            The session; made where it is not there.
        side : str
            ``left`` or ``right``.
        first_rows : str
            Rows of all sensors, see `imu.formats.setfile.format_batch`; a set has at least one.

        Raises
        ------
        CallError
            A file is in the folder's place.
        MachineError
            The disk is full, a permission is missing, ...; there is no set then.
        """
        make_folder(folder, [])
        data = f"{SET_HEADER}\n{first_rows}".encode()
        number = 1
        while True:
            stem = side if number == 1 else f"{side}-{number}"
            path = folder / f"{stem}.csv"
            number += 1
            with reporting(path, "write"):
                if any(os.path.lexists(folder / f"{stem}{ending}") for ending in SET_ENDINGS):
                    continue
                with suppress(FileExistsError):  # another recorder was faster
                    return cls(path, _create(path, data))


class LineJournal:
    """Lines kept beside a set; the file is made when the first line comes.

    Parameters
    ----------
    path : Path
        The file; must not be there yet.
    max_bytes : int, optional
        Beyond it lines are only counted, after one line that says so.

    Attributes
    ----------
    left_out : int
        Lines that were counted only.
    """

    def __init__(self, path: Path, max_bytes: int | None = None) -> None:
        self.path = path
        self.left_out = 0
        self._max_bytes = max_bytes
        self._bytes = 0
        self._journal: Journal | None = None

    def append(self, text: str) -> None:
        """Append whole lines, each with its newline.

        Raises
        ------
        MachineError
            The disk is full, ..., or the name is taken.
        """
        if self.left_out:
            self.left_out += text.count("\n")
            return
        self._bytes += len(text.encode("utf-8"))
        if self._max_bytes is not None and self._bytes > self._max_bytes:
            self.left_out = text.count("\n")
            what = f"{self._max_bytes} bytes are full; what follows is counted, not kept"
            text = json.dumps({"full": what}) + "\n"
        if self._journal is None:
            with reporting(self.path, "write"):
                self._journal = Journal(self.path, _create(self.path, text.encode("utf-8")))
        else:
            self._journal.append(text)

    def sync(self) -> None:
        """Have all of it down on the disk; see `Journal.sync`."""
        if self._journal is not None:
            self._journal.sync()

    def close(self) -> None:
        """Let go of the file."""
        if self._journal is not None:
            self._journal.close()


class EventJournal:
    """The markers of a session; each is on the disk when `append` returns.

    The file is opened anew for every marker: there are few, and somebody may have it open.

    Parameters
    ----------
    folder : Path
        The session; need not be there yet.

    Raises
    ------
    RecordingError
        There is an ``events.csv`` that cannot be added to, or one so named that nobody reads it.
    MachineError
        It cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / EVENTS_FILE
        with reporting(folder, "read"):
            names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
        refuse_misspelt(names)
        if f"{EVENTS_FILE}.gz" in names:
            remedy = f"Unpack it (gunzip {EVENTS_FILE}.gz), so that {EVENTS_FILE} is alone."
            what = "markers cannot be added to a packed file"
            raise RecordingError(f"{EVENTS_FILE}.gz", what, remedy)
        present = read_present(self.path)
        if present is not None:
            sets = {name.split(".")[0] for name in names if SET_FILE.fullmatch(name)}
            parse_events(present, sets)

    def append(self, event: Event) -> None:
        """Add a marker; line ends and other control characters in its text become blanks.

        Raises
        ------
        RecordingError
            What is in the file by now is no list of markers.
        MachineError
            The disk is full, ...
        """
        text = CONTROLS.sub(" ", event.text).strip()
        event = Event(event.set_name, event.time_s, event.kind, event.score, text)
        header = ",".join(EVENT_COLUMNS) + "\n"
        with reporting(self.path, "write"):
            if not os.path.lexists(self.path):
                with suppress(FileExistsError):
                    os.close(_create(self.path, f"{header}{format_event(event)}".encode()))
                    return
            self._append(event)

    def _append(self, event: Event) -> None:
        """Add a row in the columns of the file's own header, on a line of its own."""
        data = self.path.read_bytes()
        first, _, _ = csvfile.split_lines(data, EVENTS_FILE)
        columns = csvfile.parse_header(first, EVENTS_FILE)
        csvfile.require_columns(columns, EVENT_COLUMNS, (), EVENTS_FILE)
        row = format_event(event, columns).encode("utf-8")
        end = len(data.rstrip(b"\r\n"))
        descriptor = os.open(self.path, APPEND)
        try:
            if data[end:] not in (b"\n", b"\r\n"):  # none, or empty lines, which no row may follow
                os.ftruncate(descriptor, end)
                row = b"\n" + row
            _write_lines(descriptor, row)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def probe(folder: Path) -> None:
    """Make sure that a recording can be written, before anybody sits down for it.

    Raises
    ------
    CallError, MachineError
        It cannot; nothing is left behind either way.
    """
    made: list[Path] = []
    path = folder / f".probe.{secrets.token_hex(6)}.tmp"
    try:
        make_folder(folder, made)
        with reporting(folder, "write to"):
            try:
                os.close(_create(path, b"\n" * 4096))
            finally:
                path.unlink(missing_ok=True)
    finally:
        for one in reversed(made):
            with suppress(OSError):
                one.rmdir()


def read_info(folder: Path) -> SessionInfo:
    """Read ``session.json``; empty where there is none.

    Raises
    ------
    RecordingError
        It is there, but not valid.
    MachineError
        It cannot be read.
    """
    present = read_present(folder / INFO_FILE)
    return SessionInfo() if present is None else parse_info(present, INFO_FILE)


def update_info(folder: Path, changes: SessionInfo) -> None:
    """Add to ``session.json`` what it does not say yet; the sensors named are replaced.

    Raises
    ------
    RecordingError
        It is there, but not valid; it stays as it is.
    CallError, MachineError
        It cannot be read or written; it stays as it is.
    """
    path = folder / INFO_FILE
    present = read_present(path)
    text = format_info(changes) if present is None else merge_info(present, changes, INFO_FILE)
    write_files({path: text})
