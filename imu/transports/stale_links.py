"""Links that a killed program left behind in BlueZ, and who may end them.

BlueZ keeps the link of a program that was killed, and a linked sensor does not advertise: it could
not be found again until somebody runs ``bluetoothctl disconnect``. So every program notes the
addresses it is linked to in a file that it holds locked. The system lets go of the lock when the
program ends, however it ends; the next one that comes finds the file unlocked and ends those links,
and no others: a link that a living program uses is never touched. Refused: process numbers, which
are used again.
"""

from __future__ import annotations

import os
import secrets
import stat
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

DEVICE = "org.bluez.Device1"


def default_folder() -> Path:
    """Where this user's programs keep their notes until the computer is switched off."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and Path(runtime).is_dir():
        return Path(runtime) / "hiprot-links"
    shared = Path(tempfile.gettempdir())
    if sys.platform == "win32":  # its folder is the user's own
        return shared / "hiprot-links"
    return shared / f"hiprot-links-{os.getuid()}"


class LinkNotes:
    """The addresses this program is linked to, noted for whoever comes after a kill.

    Nothing here fails: where notes cannot be kept, a killed program's links are left as they are.
    On Windows none are kept: the system ends a dead program's links itself.

    Parameters
    ----------
    folder : Path
        Of this user's notes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._addresses: set[str] = set()
        self._descriptor: int | None = None

    def add(self, address: str) -> None:
        """Note a link, before it is made."""
        self._addresses.add(address.upper())
        self._write()

    def remove(self, address: str) -> None:
        """Strike out a link that was ended."""
        self._addresses.discard(address.upper())
        self._write()

    def _write(self) -> None:
        if sys.platform == "win32":
            return
        with suppress(OSError):
            if self._descriptor is None:
                self._descriptor = self._create()
            data = "".join(f"{one}\n" for one in sorted(self._addresses)).encode()
            os.pwrite(self._descriptor, data, 0)
            os.ftruncate(self._descriptor, len(data))

    def _create(self) -> int:
        if sys.platform == "win32":
            raise OSError("there are no locks of this kind")
        import fcntl

        if not _ours(self._folder):
            self._folder.mkdir(mode=0o700, exist_ok=True)
        if not _ours(self._folder):
            raise PermissionError(f"{self._folder} is not ours")
        path = self._folder / secrets.token_hex(8)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return descriptor

    def take_left(self) -> set[str]:
        """Take over the addresses that dead programs noted; their notes are removed."""
        left: set[str] = set()
        with suppress(OSError):
            if _ours(self._folder):
                for path in self._folder.iterdir():
                    left |= _taken(path)
        return left


def _ours(folder: Path) -> bool:
    """Whether a folder is there and nobody else can have put files into it."""
    if sys.platform == "win32":
        return False
    try:
        status = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()


def _taken(path: Path) -> set[str]:
    """Read and remove one note, unless its program lives."""
    if sys.platform == "win32":
        return set()
    import fcntl

    with suppress(OSError, UnicodeDecodeError), path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        addresses = set(file.read(65536).decode("ascii").split())
        path.unlink()
        return addresses
    return set()


async def end_links(addresses: Iterable[str]) -> None:
    """Have BlueZ end the links to these addresses, where there are any; never fails."""
    wanted = {one.upper() for one in addresses}
    if not wanted or sys.platform != "linux":
        return
    from dbus_fast import BusType, Message
    from dbus_fast.aio import MessageBus

    with suppress(Exception):  # without D-Bus there is no link, and scanning will tell
        bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
        try:
            manager = "org.freedesktop.DBus.ObjectManager"
            answer = await bus.call(Message("org.bluez", "/", manager, "GetManagedObjects"))
            for path in _linked(answer.body[0] if answer and answer.body else {}, wanted):
                await bus.call(Message("org.bluez", path, DEVICE, "Disconnect"))
        finally:
            bus.disconnect()


def _linked(objects: dict[str, Any], wanted: set[str]) -> list[str]:
    """Find BlueZ's objects of the wanted devices that are linked."""
    devices = {path: inside[DEVICE] for path, inside in objects.items() if DEVICE in inside}
    return [
        path
        for path, device in devices.items()
        if device["Address"].value.upper() in wanted and device["Connected"].value
    ]
