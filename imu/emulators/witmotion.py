"""A WitMotion WT901BLE as its radio shows it.

As the vendor's pages and measuring users have it: the stream runs while it is subscribed, at 10 Hz
after switching on; a register is written after unlocking only, and not within 100 ms of the
command before.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

from imu.codecs.witmotion import (
    BATTERY,
    BATTERY_LEVELS,
    COMMAND,
    COMMAND_PAUSE_S,
    FRAME_BYTES,
    NOTIFY,
    OUTPUT,
    RATE,
    RATE_CODES,
    READ,
    SERVICE,
    UNLOCK,
    encode_frame,
    encode_reply,
)
from imu.emulators.peripheral import Notification, RefusedError
from imu.frames import Advertisement, Sample

READ_NOT_PERMITTED, WRITE_NOT_PERMITTED = 0x02, 0x03
SPLIT_BYTES = 33  # a split notification ends 13 bytes into a frame
ROUNDING_S = 1e-6


class WitMotion:
    """One WT901BLE.

    Attributes
    ----------
    split : bool
        Whether what is sent together is cut in the middle of frames.
    registers : dict of int to int
        Their values, where they are not 0.
    """

    services: Mapping[str, Mapping[str, str]] = {
        SERVICE: {NOTIFY: "notify", COMMAND: "write-without-response"}
    }
    keeps_measuring = False

    def __init__(self, address: str) -> None:
        self.address = address
        self.rate_hz = 10.0
        self.per_notification = 1
        self.streaming = False
        self.battery_percent = 90.0
        self.split = False
        self.registers = {RATE: RATE_CODES[10.0]}
        self._unlocked = False
        self._command_s = -COMMAND_PAUSE_S

    def advertisement(self, address: str, rssi_dbm: int) -> Advertisement:
        """Say what it advertises."""
        return Advertisement(address, "WT901BLE67", rssi_dbm, frozenset({SERVICE}))

    def read(self, characteristic: str) -> bytes:  # noqa: ARG002
        """Refuse: nothing can be read."""
        raise RefusedError(READ_NOT_PERMITTED)

    def write(self, characteristic: str, data: bytes, time_s: float) -> list[Notification]:
        """Take a command; what is none, or comes too soon, is ignored."""
        if characteristic != COMMAND:
            raise RefusedError(WRITE_NOT_PERMITTED)
        # a clock that stands still tells of no pause
        soon = 0.0 < time_s - self._command_s < COMMAND_PAUSE_S - ROUNDING_S
        self._command_s = time_s
        if soon or len(data) != 5 or data[:2] != UNLOCK[:2]:
            return []
        if data == UNLOCK:
            self._unlocked = True
        elif data[2] == READ:
            return self._answer(data[3])
        elif self._unlocked:
            self.registers[data[2]] = struct.unpack("<h", data[3:])[0]
            self._set_rate()
        return []

    def _answer(self, register: int) -> list[Notification]:
        values = [self.registers.get(register + i, 0) for i in range(4)]
        if register == BATTERY:
            values[0] = next(
                (least for least, percent in BATTERY_LEVELS if percent <= self.battery_percent), 300
            )
        reply = encode_reply(register, tuple(values))
        return [Notification(NOTIFY, reply)] if self.streaming else []

    def _set_rate(self) -> None:
        rates = [rate for rate, code in RATE_CODES.items() if code == self.registers[RATE]]
        self.rate_hz = rates[0] if rates else self.rate_hz
        self.per_notification = 4 if self.rate_hz >= 100.0 else 1

    def subscribe(self, characteristic: str, on: bool) -> list[Notification]:
        """Start or end the stream."""
        if characteristic == NOTIFY:
            self.streaming = on
        return []

    def encode(self, samples: Sequence[Sample], mtu: int) -> list[Notification]:
        """Turn samples into notifications of as many whole frames as fit, unless `split`."""
        if not self.streaming:
            return []
        stream = b"".join(encode_frame((s.acc_ms2, s.gyr_rads)) for s in samples)
        if self.registers.get(OUTPUT, 0) != 0:  # displacement and speed under the same header
            stream = b"".join(stream[i : i + 2] + bytes(18) for i in range(0, len(stream), 20))
        most = mtu - 3
        size = min(SPLIT_BYTES, most) if self.split else max(1, most // FRAME_BYTES) * FRAME_BYTES
        return [
            Notification(NOTIFY, stream[start : start + size])
            for start in range(0, len(stream), size)
        ]

    def unlink(self) -> None:
        """The link is gone, and the stream with it; the settings stay."""
        self.streaming = False
