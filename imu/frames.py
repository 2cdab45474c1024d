"""What crosses the radio, and what it is turned into: values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

Vector = tuple[float, float, float]


class Frame(NamedTuple):
    """One notification as it came.

    Attributes
    ----------
    characteristic : str
        UUID of the GATT characteristic, 36 characters, lower case.
    arrival_s : float
        When the host received it, by the host's monotonic clock.
    payload : bytes
        The bytes, whatever they are.
    """

    characteristic: str
    arrival_s: float
    payload: bytes


class Sample(NamedTuple):
    """What a sensor measured at one instant, in its own axes.

    Attributes
    ----------
    time_s : float
        When it was taken, by the sensor's own clock, unwrapped.
    acc_ms2 : tuple of 3 float
        Specific force: a sensor at rest reads +9.81 along the axis that points up.
    gyr_rads : tuple of 3 float
        Angular velocity, right-handed.
    """

    time_s: float
    acc_ms2: Vector
    gyr_rads: Vector


class Batch(NamedTuple):
    """The samples of one sensor that came together; what live consumers are handed.

    Attributes
    ----------
    segment : str
        ``pelvis``, ``thigh`` or ``shank``.
    arrival_s : float
        When the host received them, by the host's monotonic clock.
    samples : tuple of Sample
        In the order they were taken.
    """

    segment: str
    arrival_s: float
    samples: tuple[Sample, ...]

    def rows(self) -> list[tuple[float, ...]]:
        """Lay the samples out as rows: time_s, acc_ms2 (3), gyr_rads (3), arrival_s."""
        return [(one.time_s, *one.acc_ms2, *one.gyr_rads, self.arrival_s) for one in self.samples]


@dataclass(frozen=True, slots=True)
class Advertisement:
    """What a device says of itself in a scan.

    Attributes
    ----------
    address : str
        The identity the system gives: a MAC address, on macOS a UUID.
    name : str
        The local name; may be empty.
    rssi_dbm : int
        Strength of the signal.
    services : frozenset of str
        Advertised service UUIDs, 36 characters, lower case.
    manufacturer_data : Mapping of int to bytes
        By Bluetooth company identifier.
    """

    address: str
    name: str = ""
    rssi_dbm: int = -127
    services: frozenset[str] = frozenset()
    manufacturer_data: Mapping[int, bytes] = field(default_factory=dict)


def full_uuid(short: int) -> str:
    """Write a 16-bit Bluetooth UUID in full.

    Examples
    --------
    >>> full_uuid(0x2A19)
    '00002a19-0000-1000-8000-00805f9b34fb'
    """
    return f"{short:08x}-0000-1000-8000-00805f9b34fb"


BATTERY_LEVEL = full_uuid(0x2A19)
MODEL_NUMBER = full_uuid(0x2A24)
FIRMWARE_REVISION = full_uuid(0x2A26)
