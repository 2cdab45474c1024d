"""What has been done with a session: one small file each, written last.

A record that is there tells that the report is whole: the report's files come before it, and it is
removed before they change. By the content's hash, the version and the limits it tells whether they
are still the same, so that a batch goes on where it was broken off. Records stand apart from the
reports under hashed names: any session has one, however its folder is called.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from imu.errors import MachineError
from imu.storage.files import read_present, remove_leftovers, write_files

PAGE = "report.html"
TABLES = ("report.json", "reps.csv", "angles.csv")
RECORDS, REPORTS = "records", "reports"
SCHEMA = "hiprot.record/1"
Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Order:
    """What a batch is to do, the same for all its workers.

    Attributes
    ----------
    root : str
        Folder or address below which the sessions lie.
    out : Path
        Folder to write to.
    settings : Mapping of str to float
        Limits of verdicts and flags, by name.
    html : bool
        Whether each session gets its page.
    version : str
        Of the program that ordered it.
    """

    root: str
    out: Path
    settings: Mapping[str, Any]
    html: bool = True
    version: str = field(default_factory=lambda: version("hip-rotation"))

    @property
    def footing(self) -> str:
        """A hash of all that makes figures besides the recording."""
        text = json.dumps([self.version, dict(self.settings)], sort_keys=True)
        return sha256(text.encode()).hexdigest()[:16]

    def report(self, name: str) -> Path:
        """Return the folder of a session's report."""
        return self.out / REPORTS / name

    def record(self, name: str) -> Path:
        """Return the file of a session's record."""
        digest = sha256(name.encode("utf-8", "surrogateescape")).hexdigest()
        return self.out / RECORDS / digest[:2] / f"{digest[2:34]}.json"


@dataclass(frozen=True, slots=True)
class Record:
    """What came of a session.

    Attributes
    ----------
    content : str
        The fingerprint of what was read; empty where the session is to be done again, whatever is
        in it, because the machine failed.
    footing : str
        Of the `Order` it was done under.
    html : bool
        Whether the page is there.
    exit : int
        What `hiprot report` would have ended with.
    message : str
        One line; empty where it succeeded.
    rows : tuple of Mapping
        Rows of ``sessions.csv``, one a side.
    schema : str
        Of this file.
    """

    content: str
    footing: str
    html: bool
    exit: int = 0
    message: str = ""
    rows: tuple[Mapping[str, Cell], ...] = ()
    schema: str = SCHEMA

    def serves(self, order: Order, content: str) -> bool:
        """Tell whether the session, with this content, need not be done again."""
        return (
            self.content == content
            and self.footing == order.footing
            and (self.html or not order.html or self.exit != 0)
        )


def readable(name: str) -> str:
    """Write a session's name as text, whatever bytes the disk holds."""
    return os.fsencode(name).decode("utf-8", "replace")


def read_record(order: Order, name: str) -> Record | None:
    """Read a session's record; None where there is none, or none that can be read.

    Raises
    ------
    MachineError
        The disk failed.
    """
    data = read_present(order.record(name))
    try:
        table = json.loads(data or b"")
        record = Record(**{**table, "rows": tuple(table["rows"])})
    except (ValueError, TypeError, KeyError):
        return None
    return record if record.schema == SCHEMA else None


def write_record(order: Order, name: str, record: Record) -> None:
    """Write a session's record.

    Raises
    ------
    MachineError
        The disk is full, ...: nothing that follows would be known to be done.
    """
    text = json.dumps(asdict(record), ensure_ascii=True, allow_nan=False)
    write_files({order.record(name): text + "\n"})


def write_report(order: Order, name: str, files: Mapping[str, str], record: Record) -> None:
    """Write a session's report and then its record.

    Raises
    ------
    MachineError, CallError
        See `imu.storage.files.write_files`.
    """
    folder = order.report(name)
    forget(order, name)
    write_files({folder / file: text for file, text in files.items()})
    write_record(order, name, record)


def forget(order: Order, name: str) -> None:
    """Remove a session's record, and then its report's files and what a kill left of them.

    Raises
    ------
    MachineError
        The record cannot be removed.
    """
    record = order.record(name)
    try:
        record.unlink(missing_ok=True)
    except OSError as error:
        raise MachineError(f"{record}: cannot be removed: {error.strerror}.") from None
    folder = order.report(name)
    remove_leftovers(folder)
    for file in (PAGE, *TABLES):
        try:
            (folder / file).unlink(missing_ok=True)
        except OSError:
            continue  # whoever writes there finds out why, and tells


def is_whole(order: Order, name: str, record: Record) -> bool:
    """Tell whether the files are there that a record speaks of."""
    files = (*TABLES, *((PAGE,) if record.html else ()))
    folder = order.report(name)
    return record.exit != 0 or all((folder / file).is_file() for file in files)
