"""A Movella DOT as its radio shows it.

As the vendor's document has it, unless marked: notifications start only where the payload was
subscribed before the start; measuring outlasts the link; rate and filter hold while measuring or
synchronised. How a real sensor refuses is not documented (unsure): a rate is left as it was,
without an error, which is the harder case for the other end.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

from imu.codecs.movella_dot import (
    BATTERY,
    BATTERY_SERVICE,
    COMPANY,
    CONFIGURATION_SERVICE,
    DEVICE_CONTROL,
    DEVICE_CONTROL_LAYOUT,
    DEVICE_INFO,
    MEASUREMENT_CONTROL,
    MEASUREMENT_SERVICE,
    MEDIUM_PAYLOAD,
    MESSAGE_ACKNOWLEDGE,
    MESSAGE_CONTROL,
    MESSAGE_NOTIFICATION,
    MESSAGE_SERVICE,
    RATE_QUANTITIES_MODE,
    START_SYNC,
    STOP_SYNC,
    SYNC,
    SYNC_RESULT,
    SYNC_STATE,
    SYNC_STATUS,
    SYNC_STOPPED,
    VISIT_IDENTIFY,
    VISIT_RATE,
    DeviceInfo,
    Message,
    RateQuantities,
    decode_message,
    encode_battery,
    encode_device_info,
    encode_message,
    encode_rate_quantities,
)
from imu.emulators.peripheral import Notification, RefusedError
from imu.errors import FrameError
from imu.frames import Advertisement, Sample, Vector
from imu.units import RAD_PER_DEG, STANDARD_GRAVITY_MS2

READ_NOT_PERMITTED, WRITE_NOT_PERMITTED, WRONG_LENGTH, APPLICATION_ERROR = 0x02, 0x03, 0x0D, 0x80
RATES_HZ = (1, 4, 10, 12, 15, 20, 30, 60, 120)
MAX_STREAMED_HZ = 60  # 120 Hz is for recording on the sensor
ACC_RANGE_MS2 = 16.0 * STANDARD_GRAVITY_MS2
GYR_RANGE_RADS = 2000.0 * RAD_PER_DEG


class MovellaDot:
    """One DOT of the second version.

    Attributes
    ----------
    identified : int
        How often it was asked to blink.
    synchronised : bool
        Whether it is on a common clock.
    root : str or None
        Address of the sensor whose clock that is.
    """

    services: Mapping[str, Mapping[str, str]] = {
        CONFIGURATION_SERVICE: {DEVICE_INFO: "read", DEVICE_CONTROL: "read,write"},
        MEASUREMENT_SERVICE: {MEASUREMENT_CONTROL: "read,write", MEDIUM_PAYLOAD: "notify"},
        BATTERY_SERVICE: {BATTERY: "read,notify"},
        MESSAGE_SERVICE: {
            MESSAGE_CONTROL: "write",
            MESSAGE_ACKNOWLEDGE: "read",
            MESSAGE_NOTIFICATION: "notify",
        },
    }
    per_notification = 1
    keeps_measuring = True

    def __init__(self, address: str) -> None:
        self.rate_hz = 60.0
        self.streaming = False
        self.battery_percent = 90.0
        self.identified = 0
        self.synchronised = False
        self.root: str | None = None
        self._info = DeviceInfo(_mac_of(address), "3.0.0", "XS-T02")
        self._subscribed: set[str] = set()
        self._sends = False
        self._told_percent = 90
        self._acknowledge = b""

    def advertisement(self, address: str, rssi_dbm: int) -> Advertisement:
        """Say what it advertises."""
        maker = {COMPANY: bytes.fromhex(self._info.address.replace(":", ""))[::-1]}
        return Advertisement(address, "Movella DOT", rssi_dbm, manufacturer_data=maker)

    def read(self, characteristic: str) -> bytes:
        """Answer a read."""
        answers = {
            DEVICE_INFO: encode_device_info(self._info),
            DEVICE_CONTROL: DEVICE_CONTROL_LAYOUT.pack(0, round(self.rate_hz), 0),
            MEASUREMENT_CONTROL: bytes((1, int(self.streaming), RATE_QUANTITIES_MODE)),
            BATTERY: encode_battery(self.battery_percent),
            MESSAGE_ACKNOWLEDGE: self._acknowledge,
        }
        if characteristic not in answers:
            raise RefusedError(READ_NOT_PERMITTED)
        return answers[characteristic]

    def write(self, characteristic: str, data: bytes, time_s: float) -> list[Notification]:  # noqa: ARG002
        """Take a write."""
        if characteristic == MEASUREMENT_CONTROL:
            self._measure(data)
        elif characteristic == DEVICE_CONTROL:
            self._control(data)
        elif characteristic == MESSAGE_CONTROL:
            return self._order(data)
        else:
            raise RefusedError(WRITE_NOT_PERMITTED)
        return []

    def _measure(self, data: bytes) -> None:
        if len(data) != 3:
            raise RefusedError(WRONG_LENGTH)
        kind, action, mode = data
        if kind != 1 or action > 1 or (action == 1 and mode != RATE_QUANTITIES_MODE):
            raise RefusedError(APPLICATION_ERROR)
        if action == 1 and self.rate_hz > MAX_STREAMED_HZ:
            raise RefusedError(APPLICATION_ERROR)
        if action == 0 or not self.streaming:
            self._sends = MEDIUM_PAYLOAD in self._subscribed
        self.streaming = action == 1

    def _control(self, data: bytes) -> None:
        if len(data) != DEVICE_CONTROL_LAYOUT.size:
            raise RefusedError(WRONG_LENGTH)
        visited, rate_hz, _ = DEVICE_CONTROL_LAYOUT.unpack(data)
        if visited & VISIT_IDENTIFY and data[1]:
            self.identified += 1
        free = not self.streaming and not self.synchronised
        if visited & VISIT_RATE and rate_hz in RATES_HZ and free:
            self.rate_hz = float(rate_hz)

    def _order(self, data: bytes) -> list[Notification]:
        try:
            kind, content = decode_message(data, "emulated Movella DOT")
        except FrameError:
            raise RefusedError(APPLICATION_ERROR) from None
        if kind != SYNC or not content:
            raise RefusedError(APPLICATION_ERROR)
        if content[0] == START_SYNC and len(content) == 7:
            fails = self.streaming or self.synchronised
            self.root = None if fails else content[:0:-1].hex(":").upper()
            self._acknowledge = encode_message(Message(SYNC, bytes((SYNC_RESULT, 9))))
            return []
        if content == bytes((STOP_SYNC,)):
            self.synchronised, self.root = False, None
            return self._tell(bytes((SYNC_STOPPED, 0)))
        if content == bytes((SYNC_STATUS,)):
            return self._tell(bytes((SYNC_STATE, 4 if self.synchronised else 9)))
        raise RefusedError(APPLICATION_ERROR)

    def _tell(self, data: bytes) -> list[Notification]:
        return [Notification(MESSAGE_NOTIFICATION, encode_message(Message(SYNC, data)))]

    def subscribe(self, characteristic: str, on: bool) -> list[Notification]:
        """Notifications of a characteristic are switched on or off."""
        if on:
            self._subscribed.add(characteristic)
        else:
            self._subscribed.discard(characteristic)
        return []

    def encode(self, samples: Sequence[Sample], mtu: int) -> list[Notification]:
        """Turn samples into notifications of 40 bytes, or what a smaller MTU leaves of them."""
        out = []
        if self._sends and MEDIUM_PAYLOAD in self._subscribed:
            for sample in samples:
                counter_us = round(sample.time_s * 1e6) % 2**32
                acc_ms2 = _saturate(sample.acc_ms2, ACC_RANGE_MS2)
                gyr_rads = _saturate(sample.gyr_rads, GYR_RANGE_RADS)
                values = RateQuantities(counter_us, acc_ms2, gyr_rads)
                payload = encode_rate_quantities(values)[: mtu - 3]
                out.append(Notification(MEDIUM_PAYLOAD, payload))
        if round(self.battery_percent) != self._told_percent:
            self._told_percent = round(self.battery_percent)
            out.append(Notification(BATTERY, encode_battery(self.battery_percent)))
        return out

    def unlink(self) -> None:
        """The link is gone: measuring goes on, and a synchronisation that was ordered is done."""
        self._subscribed.clear()
        self._sends = False
        if self.root is not None and not self.synchronised:
            self.synchronised = True
            self._acknowledge = encode_message(Message(SYNC, bytes((SYNC_RESULT, 0))))


def _saturate(vector: Vector, limit: float) -> Vector:
    x, y, z = (min(max(value, -limit), limit) for value in vector)
    return x, y, z


def _mac_of(address: str) -> str:
    """Take the address as the MAC where it is one; else make one up from it."""
    digits = address.replace(":", "")
    if len(digits) == 12 and all(one in "0123456789abcdefABCDEF" for one in digits):
        return bytes.fromhex(digits).hex(":").upper()
    made_up = zlib.crc32(address.encode()).to_bytes(4, "big")[1:]
    return (b"\xd4\x22\xcd" + made_up).hex(":").upper()
