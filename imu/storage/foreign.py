"""Other programs' files, folders and archives read with their hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from imu.errors import CallError, RecordingError
from imu.importers.archives import MAX_MEMBERS, is_zip, unzip
from imu.storage.files import MAX_BYTES, read_file, reporting

ENDINGS = (".csv", ".txt", ".json", ".xls", ".h5", ".hdf5")


@dataclass(frozen=True, slots=True)
class Foreign:
    """What one argument of the call holds.

    Attributes
    ----------
    path : Path
        As given.
    files : dict of str to bytes
        By name; of a folder or archive ``name/path``.
    sha256 : dict of str to str
        Of each file on the disk, by name.
    whole : bool
        Whether it is one file, and not a folder or archive with others beside.
    """

    path: Path
    files: dict[str, bytes]
    sha256: dict[str, str]
    whole: bool


def read_foreign(paths: Sequence[Path]) -> list[Foreign]:
    """Read files, folders and archives; those of several folders are named with their folder.

    Raises
    ------
    CallError
        There is no such file.
    RecordingError
        Larger than any recording, a damaged archive.
    MachineError
        It cannot be read.
    """
    parents = {path.resolve().parent for path in paths}
    found = []
    for path in paths:
        name = path.resolve().name
        if len(parents) > 1:
            name = f"{path.resolve().parent.name}/{name}"
        found.append(_read(path, name))
    return found


def _read(path: Path, name: str) -> Foreign:
    with reporting(path, "read"):
        if path.is_dir():
            return _folder(path, name)
        if not path.exists():
            raise CallError(f"{path}: there is no such file. Check the path.")
    data, sha256 = _content(path)
    if path.suffix.lower() == ".gz":
        name = name[: -len(".gz")]
    if is_zip(data):
        return Foreign(path, unzip(data, name), {name: sha256}, whole=False)
    return Foreign(path, {name: data}, {name: sha256}, whole=True)


def _content(path: Path) -> tuple[bytes, str]:
    """Read a file, and hash it as it is on the disk."""
    content = read_file(path, hashlib.sha256())
    if content.cut:
        raise RecordingError(path.name, "the packed file is broken off", "Copy it again.")
    packed = path.suffix == ".gz"
    with reporting(path, "read"):
        raw = path.read_bytes() if packed else content.data
    return content.data, hashlib.sha256(raw).hexdigest()


def _folder(path: Path, name: str) -> Foreign:
    """Read the tables of a folder and of the folders in it."""
    inside = sorted(
        one
        for pattern in ("*", "*/*")
        for one in path.glob(pattern)
        if one.is_file() and one.suffix.lower() in ENDINGS
    )
    if len(inside) > MAX_MEMBERS:
        raise RecordingError(path.name, f"{len(inside)} files", "Give one recording's folder.")
    size = sum(one.stat().st_size for one in inside)
    if size > MAX_BYTES:
        what = f"{size / 2**30:.1f} GiB of tables"
        raise RecordingError(path.name, what, "Give one recording's folder.")
    if not inside:
        raise RecordingError(path.name, "there is no table in this folder", "Give the files.")
    files, sha256 = {}, {}
    for one in inside:
        own = f"{name}/{one.relative_to(path).as_posix()}"
        files[own], sha256[own] = _content(one)
    return Foreign(path, files, sha256, whole=False)
