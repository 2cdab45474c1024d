"""Files read with their hash, and written whole or not at all."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from imu.errors import CallError, MachineError, RecordingError

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


def list_folder(folder: Path) -> list[str]:
    """List a folder's names.

    Raises
    ------
    CallError
        There is no such folder.
    MachineError
        It cannot be read.
    """
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


def read_file(path: Path, hasher: hashlib._Hash) -> Content:
    """Read one file's bytes, once; hash them with the name, and unpack them.

    Raises
    ------
    RecordingError
        No file, or larger than any set.
    MachineError
        It cannot be read.
    """
    with reporting(path, "read"):
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise RecordingError(path.name, "this is not a file", "Remove or rename it.")
        _refuse_large(status.st_size, path.name)
        data = path.read_bytes()
    hasher.update(f"{path.name}\0{len(data)}\0".encode("utf-8", "surrogateescape"))
    hasher.update(data)
    return unpack(data, path.name) if path.suffix == ".gz" else Content(path.name, data)


def read_present(path: Path) -> bytes | None:
    """Read a file; None where there is none.

    Raises
    ------
    MachineError
        It cannot be read.
    """
    with reporting(path, "read"):
        try:
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None


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
            waiting[path] = _waiting_name(path)
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


@contextmanager
def growing_files(paths: Sequence[Path]) -> Iterator[Sequence[TextIO]]:
    """Write text files piece by piece that appear whole, and together, or not at all.

    For tables larger than the memory; `write_files` takes contents that are there.

    Parameters
    ----------
    paths : sequence of Path
        In one folder, which is there; files that are there are replaced when the block ends well.

    Yields
    ------
    sequence of TextIO
        In the order of the paths; UTF-8, line ends as written.

    Raises
    ------
    MachineError
        The disk is full, ...; what was there before still is.
    """
    waiting = {path: _waiting_name(path) for path in paths}
    try:
        with ExitStack() as stack, reporting(paths[0].parent, "write to"):
            files: Sequence[TextIO] = [
                stack.enter_context(one.open("x", encoding="utf-8", newline=""))
                for one in waiting.values()
            ]
            yield files
            for file in files:
                file.flush()
                os.fsync(file.fileno())
        for path, one in waiting.items():
            with reporting(path, "write"):
                one.replace(path)
    finally:
        for one in waiting.values():
            with suppress(OSError):
                one.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Remove what a killed program left half-written; nobody else may be writing there."""
    with suppress(OSError):
        for one in folder.glob(".*.tmp"):
            one.unlink(missing_ok=True)


def _waiting_name(path: Path) -> Path:
    return path.with_name(f".{path.name[:40]}.{secrets.token_hex(6)}.tmp")


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
