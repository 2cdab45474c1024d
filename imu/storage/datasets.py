"""A `Session` read from a Motion-BIDS dataset's folder."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from imu.errors import CallError
from imu.formats.bidsfile import parse_dataset
from imu.recording import Session
from imu.storage.files import read_file, reporting

ENDINGS = ("_motion.tsv", "_motion.json", "_channels.tsv", "_events.tsv", "_scans.tsv")


def read_dataset(folder: Path) -> Session:
    """Read one person's session from a dataset, or from a folder within it.

    Raises
    ------
    CallError
        There is no such folder.
    RecordingError
        It cannot be used; says where and why.
    MachineError
        A file cannot be read.
    """
    if not folder.is_dir():
        raise CallError(f"{folder}: there is no such folder. Check the path.")
    with reporting(folder, "read"):
        paths = sorted(path for path in folder.rglob("*") if path.name.endswith(ENDINGS))
    hasher = hashlib.sha256()
    contents = {path.relative_to(folder).as_posix(): read_file(path, hasher).data for path in paths}
    return replace(parse_dataset(contents), sha256=hasher.hexdigest())
