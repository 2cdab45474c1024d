"""What all emulated sensors have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from imu.frames import Advertisement, Sample


class Notification(NamedTuple):
    """Bytes that the sensor sends on a characteristic."""

    characteristic: str
    payload: bytes


class RefusedError(Exception):
    """The sensor answers a write or a read with an ATT error.

    Attributes
    ----------
    code : int
        The ATT error code, 0x01 to 0xff.
    """

    def __init__(self, code: int) -> None:
        super().__init__(f"ATT error 0x{code:02x}")
        self.code = code


class Emulator(Protocol):
    """One sensor, as its radio shows it.

    Whoever runs it asks for samples at `rate_hz` while `streaming`, `per_notification` at a time,
    hands them to `encode` and sends what comes out, if the characteristic is subscribed.

    Attributes
    ----------
    services : Mapping of str to Mapping of str to str
        Characteristics by service: UUID (36 characters, lower case) to the words ``read``,
        ``write``, ``write-without-response``, ``notify``, separated by commas.
    streaming : bool
        Whether it is measuring.
    rate_hz : float
        Samples a second, as set.
    per_notification : int
        Samples handed to `encode` at a time.
    keeps_measuring : bool
        Whether it goes on when the link is lost.
    battery_percent : float
        May be set from outside.
    """

    services: Mapping[str, Mapping[str, str]]
    streaming: bool
    rate_hz: float
    per_notification: int
    keeps_measuring: bool
    battery_percent: float

    def advertisement(self, address: str, rssi_dbm: int) -> Advertisement:
        """Say what it advertises."""
        ...

    def read(self, characteristic: str) -> bytes:
        """Answer a read; raises `RefusedError`."""
        ...

    def write(self, characteristic: str, data: bytes, time_s: float) -> list[Notification]:
        """Take a write at its clock's ``time_s``, and answer; raises `RefusedError`."""
        ...

    def subscribe(self, characteristic: str, on: bool) -> list[Notification]:
        """Notifications of a characteristic are switched on or off."""
        ...

    def encode(self, samples: Sequence[Sample], mtu: int) -> list[Notification]:
        """Turn samples, times by the sensor's clock, into what is sent with an ATT MTU."""
        ...

    def unlink(self) -> None:
        """The link is gone."""
        ...
