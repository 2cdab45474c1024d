"""Where sessions lie: a folder of this machine or network, or any address that fsspec knows."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from imu.errors import CallError, MachineError, RecordingError
from imu.storage.files import MAX_BYTES
from imu.storage.session import is_session, session_files

TOP = "."  # the name of a session that is the root itself
NEEDS_FSSPEC = "Install it by: pip install 'hip-rotation[cluster]', and what the address needs."


class Place(Protocol):
    """The root below which sessions lie."""

    def names(self) -> Iterator[str]:
        """Yield the path of every session below the root, ``/`` between its parts, in order.

        A folder that cannot be listed is yielded too: whoever opens it finds out why.
        """

    def opened(self, name: str) -> AbstractContextManager[Path]:
        """Give a session's folder, which is there until the block ends."""


@dataclass(frozen=True, slots=True)
class Part:
    """A share of the sessions, for one of several jobs that know nothing of each other.

    A session's share follows from its name alone, so that sessions that come or go meanwhile
    move no other from one job to another.

    Attributes
    ----------
    number, of : int
        From 1 to ``of``.
    """

    number: int = 1
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> Part:
        """Read ``2/8``.

        Raises
        ------
        CallError
            It is not that.

        Examples
        --------
        >>> Part.parse("2/8")
        Part(number=2, of=8)
        """
        number, _, of = text.partition("/")
        if number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of):
            return cls(int(number), int(of))
        raise CallError(f"--part {text}: give the job's number and how many there are, as in 2/8.")

    def holds(self, name: str) -> bool:
        """Tell whether a session belongs to this part."""
        if self.of == 1:
            return True
        digest = sha256(name.encode("utf-8", "surrogateescape")).digest()
        return int.from_bytes(digest[:8]) % self.of == self.number - 1


def open_place(root: str, out: Path) -> Place:
    """Look up where sessions lie.

    Parameters
    ----------
    root : str
        A folder, or an address such as ``s3://bucket/study``.
    out : Path
        What lies in it is no session.

    Raises
    ------
    CallError
        No such folder, no such kind of address, or fsspec is not installed.
    """
    if "://" in root:
        return _remote(root)
    folder = Path(root)
    if not folder.is_dir():
        raise CallError(f"{root}: there is no such folder. Give the one that holds the sessions.")
    return Folder(folder, out)


@dataclass(frozen=True, slots=True)
class Folder:
    """Sessions below a folder.

    Folders whose name begins with a dot are passed over, and so are links to folders that lie
    below the root anyway; of other links those of the root's own tree are followed.
    """

    root: Path
    without: Path

    def names(self) -> Iterator[str]:
        """Yield the sessions' names; see `Place`."""
        top, without = self.root.resolve(), self.without.resolve()
        waiting = [(TOP, False)]
        while waiting:
            name, linked = waiting.pop()
            try:
                with os.scandir(self.root / name) as found:
                    entries = sorted(found, key=lambda entry: entry.name)
            except OSError:
                yield name
                continue
            if is_session(entry.name for entry in entries):
                yield name
            below = [
                (_below(name, entry.name), linked or entry.is_symlink())
                for entry in entries
                if _is_folder(entry) and not entry.name.startswith(".")
                if Path(entry.path).resolve() != without
                if not entry.is_symlink() or (not linked and _is_elsewhere(Path(entry.path), top))
            ]
            waiting.extend(reversed(below))

    def opened(self, name: str) -> AbstractContextManager[Path]:
        """Give the folder itself."""
        return nullcontext(self.root / name)


def _below(name: str, child: str) -> str:
    return child if name == TOP else f"{name}/{child}"


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_elsewhere(path: Path, top: Path) -> bool:
    """Tell whether a link leads out of the tree, neither back into it nor above it."""
    real = path.resolve()
    return not (real.is_relative_to(top) or top.is_relative_to(real))


def _remote(root: str) -> Remote:
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise CallError(f"{root}: addresses need the package fsspec. {NEEDS_FSSPEC}") from None
    try:
        files, path = url_to_fs(root)
        found = files.isdir(path)
    except (ImportError, ValueError) as error:
        raise CallError(
            f"{root}: this address is not understood ({error}). {NEEDS_FSSPEC}"
        ) from None
    except OSError as error:
        raise MachineError(f"{root}: cannot be reached: {error}. Check the network.") from None
    if not found:
        raise CallError(f"{root}: there is no such folder. Give the one that holds the sessions.")
    return Remote(files, path.rstrip("/"))


@dataclass(frozen=True, slots=True)
class Remote:
    """Sessions at an address; each is copied to this machine while it is worked on.

    Attributes
    ----------
    files : fsspec.AbstractFileSystem
        Speaks to the other end.
    root : str
        The path there.
    """

    files: Any
    root: str

    def names(self) -> Iterator[str]:
        """Yield the sessions' names; see `Place`."""
        waiting = [TOP]
        while waiting:
            name = waiting.pop()
            try:
                entries = self._entries(name)
            except OSError:
                yield name
                continue
            if is_session(child for child, _ in entries):
                yield name
            folders = [
                child
                for child, entry in entries
                if entry["type"] == "directory" and not child.startswith(".")
            ]
            waiting.extend(_below(name, child) for child in reversed(folders))

    def _entries(self, name: str) -> list[tuple[str, dict[str, Any]]]:
        path = self.root if name == TOP else f"{self.root}/{name}"
        listed: Iterable[dict[str, Any]] = self.files.ls(path, detail=True)
        named = ((entry["name"].rstrip("/").rpartition("/")[2], entry) for entry in listed)
        # Some stores list a folder in itself; none of these may be the name of a copy.
        return sorted(
            (one for one in named if one[0] not in ("", ".", "..")), key=lambda one: one[0]
        )

    @contextmanager
    def opened(self, name: str) -> Iterator[Path]:
        """Copy what belongs to the session into a folder of its name, and remove it afterwards.

        Raises
        ------
        RecordingError
            A file is larger than any set.
        OSError
            The other end failed.
        """
        entries = dict(self._entries(name))
        above = Path(tempfile.mkdtemp(prefix="hiprot-"))
        try:
            folder = above / (name.rpartition("/")[2].strip(". ") or "session")
            folder.mkdir()
            for child in session_files(entries):
                size = entries[child].get("size") or 0
                if size > MAX_BYTES:
                    what = f"{size / 2**30:.1f} GiB"
                    raise RecordingError(
                        child, what, "A set has minutes, some megabytes; split it."
                    )
                if entries[child]["type"] == "directory":
                    (folder / child).mkdir()
                    continue
                self.files.get_file(entries[child]["name"], str(folder / child))
            yield folder
        finally:
            shutil.rmtree(above, ignore_errors=True)
