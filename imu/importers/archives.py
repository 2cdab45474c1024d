"""Packed files -> their members, bounded before anything is unpacked."""

from __future__ import annotations

import io
import zipfile
import zlib

from imu.errors import RecordingError

MAX_UNPACKED = 2**29  # an hour of a phone at 200 Hz takes a tenth of it
MAX_MEMBERS = 2000
READ = (".csv", ".txt", ".json")
PIECE = 2**18
MARK = b"PK\x03\x04"


def is_zip(data: bytes) -> bool:
    """Whether bytes begin as a zip file does."""
    return data.startswith(MARK)


def unzip(data: bytes, name: str, limit: int = MAX_UNPACKED) -> dict[str, bytes]:
    """Unpack the tables of a zip file.

    Parameters
    ----------
    data : bytes
        The file.
    name : str
        Its name; members are named ``name/path``.
    limit : int
        Bytes that may come out.

    Raises
    ------
    RecordingError
        Damaged, encrypted, or larger inside than any recording.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            chosen = _tables(archive)
            claimed = sum(info.file_size for info in chosen)
            if claimed > limit or len(chosen) > MAX_MEMBERS:
                what = f"it would unpack to {claimed / 2**20:.0f} MiB in {len(chosen)} files"
                raise RecordingError(name, what, "No recording is so large; unpack it yourself.")
            return {f"{name}/{info.filename}": _read(archive, info) for info in chosen}
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError, OverflowError) as error:
        what = f"the zip file is damaged ({str(error)[:100]})"
        raise RecordingError(name, what, "Copy or export it again.") from None
    except (NotImplementedError, RuntimeError) as error:
        what = f"the zip file cannot be unpacked ({str(error)[:100]})"
        raise RecordingError(name, what, "Unpack it, and give the folder.") from None


def _tables(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Members that may be tables; what a Mac adds of its own is none."""
    return [
        info
        for info in archive.infolist()
        if info.filename.lower().endswith(READ) and not info.filename.startswith("__MACOSX/")
    ]


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Unpack one member piece by piece: in one go, a false size would not bound what comes."""
    with archive.open(info) as file:
        return b"".join(iter(lambda: file.read(PIECE), b""))
