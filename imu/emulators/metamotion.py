"""A MetaMotion as its radio shows it.

As the vendor's SDK and users have it: it goes on measuring when the link is lost, and sends on
when somebody connects and subscribes; configurations it does not know are ignored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from imu.codecs.metamotion import (
    ACC,
    ACC_RANGE_G,
    BATTERY,
    BMI160,
    BMI270,
    COMMAND,
    CONFIG,
    ENABLE,
    GYR,
    GYR_RANGE_CODES,
    GYR_RANGE_DEGS,
    INFO,
    NOTIFY,
    POWER,
    RATE_CODES,
    SERVICE,
    SETTINGS,
    Packet,
    acc_unit,
    encode_battery,
    encode_module_info,
    encode_packet,
    gyr_unit,
)
from imu.emulators.peripheral import Notification, RefusedError
from imu.frames import FIRMWARE_REVISION, MODEL_NUMBER, Advertisement, Sample, full_uuid

READ_NOT_PERMITTED, WRITE_NOT_PERMITTED = 0x02, 0x03
RATES_HZ = {code: rate for rate, code in RATE_CODES.items()}


class MetaMotion:
    """One MetaMotion R (BMI160) or S (BMI270).

    Attributes
    ----------
    chip : int
        160 or 270; may be set before use.
    revision : int
        Of the accelerometer's module; a BMI160's of revision 0 sends no packed data.
    has_gyroscope : bool
        Older boards have none.
    """

    services: Mapping[str, Mapping[str, str]] = {
        SERVICE: {COMMAND: "write-without-response", NOTIFY: "notify"},
        full_uuid(0x180A): {MODEL_NUMBER: "read", FIRMWARE_REVISION: "read"},
    }
    keeps_measuring = True

    def __init__(self, address: str) -> None:
        self.address = address
        self.chip = 160
        self.revision = 1
        self.has_gyroscope = True
        self.rate_hz = 100.0
        self.per_notification = 1
        self.streaming = False
        self.battery_percent = 90.0
        self._acc_range_g, self._gyr_range_degs = ACC_RANGE_G, GYR_RANGE_DEGS
        self._on: set[tuple[int, int]] = set()  # of each module: power, data, registers sent
        self._subscribed = False
        self._unsent: list[Sample] = []

    @property
    def _registers(self) -> tuple[tuple[int, int], tuple[int, int]]:
        chip = BMI160 if self.chip == 160 else BMI270
        return chip.acc_registers, chip.gyr_registers

    def advertisement(self, address: str, rssi_dbm: int) -> Advertisement:
        """Say what it advertises."""
        return Advertisement(address, "MetaWear", rssi_dbm, frozenset({SERVICE}))

    def read(self, characteristic: str) -> bytes:
        """Answer a read."""
        if characteristic == MODEL_NUMBER:
            return b"5" if self.chip == 160 else b"8"
        if characteristic == FIRMWARE_REVISION:
            return b"1.5.0" if self.chip == 160 else b"1.7.2"
        raise RefusedError(READ_NOT_PERMITTED)

    def write(self, characteristic: str, data: bytes, time_s: float) -> list[Notification]:  # noqa: ARG002
        """Take a command."""
        if characteristic != COMMAND:
            raise RefusedError(WRITE_NOT_PERMITTED)
        if len(data) == 2:
            return self._answer(data[0], data[1])
        if len(data) > 2 and data[0] in (ACC, GYR):
            self._order(data[0], data[1], data[2:])
        return []

    def _answer(self, module: int, register: int) -> list[Notification]:
        answer = b""
        if (module, register) == (SETTINGS, BATTERY):
            answer = encode_battery(self.battery_percent)
        elif (module, register) == (ACC, INFO):
            answer = encode_module_info(ACC, 1 if self.chip == 160 else 4, self.revision)
        elif (module, register) == (GYR, INFO):
            present = encode_module_info(GYR, 0 if self.chip == 160 else 1, 1)
            answer = present if self.has_gyroscope else bytes((GYR, INFO))
        return [Notification(NOTIFY, answer)] if answer and self._subscribed else []

    def _order(self, module: int, register: int, data: bytes) -> None:
        if register == CONFIG and len(data) == 2:
            self._configure(module, data[0], data[1])
        elif register == ENABLE and len(data) == 2:
            self._switch((module, ENABLE), bool(data[0]) or not data[1])
        elif len(data) == 1:
            self._switch((module, register), bool(data[0]))

    def _configure(self, module: int, conf: int, range_code: int) -> None:
        chip = BMI160 if self.chip == 160 else BMI270
        base = chip.acc_config if module == ACC else 0x20
        ranges = chip.acc_ranges if module == ACC else GYR_RANGE_CODES
        chosen = [value for value, code in ranges.items() if code == range_code]
        if conf - base not in RATES_HZ or not chosen:
            return
        self.rate_hz = RATES_HZ[conf - base]
        if module == ACC:
            self._acc_range_g = chosen[0]
        else:
            self._gyr_range_degs = chosen[0]

    def _switch(self, what: tuple[int, int], on: bool) -> None:
        if on:
            self._on.add(what)
        else:
            self._on.discard(what)
        needed = {(module, part) for module in (ACC, GYR) for part in (POWER, ENABLE)}
        self.streaming = needed <= self._on
        self.per_notification = 3 if self._sends_packed() else 1
        if not self.streaming:
            self._unsent = []

    def _sends_packed(self) -> bool:
        acc, gyr = self._registers
        able = self.chip != 160 or self.revision >= 1
        return able and (ACC, acc[1]) in self._on and (GYR, gyr[1]) in self._on

    def subscribe(self, characteristic: str, on: bool) -> list[Notification]:
        """Notifications are switched on or off; that does not start or stop the stream."""
        if characteristic == NOTIFY:
            self._subscribed = on
        return []

    def encode(self, samples: Sequence[Sample], mtu: int) -> list[Notification]:  # noqa: ARG002
        """Turn samples into packets of 8 or 20 bytes, which fit any MTU, in turn."""
        if not (self.streaming and self._subscribed):
            return []
        acc, gyr = self._registers
        packed = self._sends_packed()
        count = 3 if packed else 1
        halves = (
            Packet(ACC, acc[packed], count, acc_unit(self._acc_range_g)),
            Packet(GYR, gyr[packed], count, gyr_unit(self._gyr_range_degs)),
        )
        self._unsent.extend(samples)
        out = []
        while len(self._unsent) >= count:
            ready, self._unsent = self._unsent[:count], self._unsent[count:]
            values = ([s.acc_ms2 for s in ready], [s.gyr_rads for s in ready])
            for half, vectors in zip(halves, values, strict=True):
                if (half.module, half.register) in self._on:
                    out.append(Notification(NOTIFY, encode_packet(vectors, half)))
        return out

    def unlink(self) -> None:
        """The link is gone; measuring goes on, and what was to be sent is forgotten."""
        self._subscribed = False
        self._unsent = []
