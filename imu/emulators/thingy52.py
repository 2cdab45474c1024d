"""A Nordic Thingy:52 as its radio shows it.

The stream runs while it is subscribed. Set above 60 Hz it sends 60 samples a second: users report
50 to 70 at 200 Hz (unsure for 100 Hz). The configuration outlasts the link and switching off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from imu.codecs.thingy52 import (
    CONFIGURATION,
    CONFIGURATION_SERVICE,
    MOTION_SERVICE,
    RAW,
    Configuration,
    Raw,
    decode_configuration,
    encode_configuration,
    encode_raw,
)
from imu.emulators.peripheral import Notification, RefusedError
from imu.errors import FrameError
from imu.frames import BATTERY_LEVEL, Advertisement, Sample, full_uuid

READ_NOT_PERMITTED, WRITE_NOT_PERMITTED, WRONG_LENGTH, OUT_OF_RANGE = 0x02, 0x03, 0x0D, 0xFF
MAX_SENT_HZ = 60.0
FIELD_UT = (20.0, 0.0, -43.0)  # something like the earth's; not turned with the sensor


class Thingy52:
    """One Thingy:52.

    Attributes
    ----------
    configuration : Configuration
        As it comes from the maker at first.
    """

    services: Mapping[str, Mapping[str, str]] = {
        MOTION_SERVICE: {CONFIGURATION: "read,write", RAW: "notify"},
        full_uuid(0x180F): {BATTERY_LEVEL: "read,notify"},
    }
    per_notification = 1
    keeps_measuring = False

    def __init__(self, address: str) -> None:
        self.address = address
        self.configuration = Configuration(1000, 500, 500, 10, 1)
        self.rate_hz = 10.0
        self.streaming = False
        self.battery_percent = 90.0
        self._subscribed: set[str] = set()
        self._told_percent = 90

    def advertisement(self, address: str, rssi_dbm: int) -> Advertisement:
        """Say what it advertises."""
        return Advertisement(address, "Thingy", rssi_dbm, frozenset({CONFIGURATION_SERVICE}))

    def read(self, characteristic: str) -> bytes:
        """Answer a read."""
        if characteristic == CONFIGURATION:
            return encode_configuration(self.configuration)
        if characteristic == BATTERY_LEVEL:
            return bytes((round(self.battery_percent),))
        raise RefusedError(READ_NOT_PERMITTED)

    def write(self, characteristic: str, data: bytes, time_s: float) -> list[Notification]:  # noqa: ARG002
        """Take a configuration."""
        if characteristic != CONFIGURATION:
            raise RefusedError(WRITE_NOT_PERMITTED)
        try:
            wanted = decode_configuration(data, "emulated Thingy:52")
        except FrameError:
            raise RefusedError(WRONG_LENGTH) from None
        if not 5 <= wanted.motion_hz <= 200:
            raise RefusedError(OUT_OF_RANGE)
        self.configuration = wanted
        self.rate_hz = min(float(wanted.motion_hz), MAX_SENT_HZ)
        return []

    def subscribe(self, characteristic: str, on: bool) -> list[Notification]:
        """Start or end the stream, or notifications of the battery."""
        if on:
            self._subscribed.add(characteristic)
        else:
            self._subscribed.discard(characteristic)
        self.streaming = RAW in self._subscribed
        return []

    def encode(self, samples: Sequence[Sample], mtu: int) -> list[Notification]:  # noqa: ARG002
        """Turn samples into notifications of 18 bytes, which fit any MTU."""
        out = []
        if self.streaming:
            raws = (Raw(sample.acc_ms2, sample.gyr_rads, FIELD_UT) for sample in samples)
            out = [Notification(RAW, encode_raw(raw)) for raw in raws]
        percent = round(self.battery_percent)
        if percent != self._told_percent and BATTERY_LEVEL in self._subscribed:
            self._told_percent = percent
            out.append(Notification(BATTERY_LEVEL, bytes((percent,))))
        return out

    def unlink(self) -> None:
        """The link is gone, and the stream with it."""
        self._subscribed.clear()
        self.streaming = False
