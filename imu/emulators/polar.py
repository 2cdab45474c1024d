"""A Polar Verity Sense as its radio shows it, outside of the vendor's "SDK mode".

That frames hold 20 samples, that the gyroscope's factor is 0.07 and comes with the start's answer,
and that the accelerometer has none, is from one owner's sensor (unsure). Whether streams outlast
the link is not documented for this model (unsure): here they do, as with the vendor's chest strap.
The control point indicates, which this side does not tell from notifying.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from imu.codecs.polar import (
    ACC,
    CHANNELS,
    COMPRESSED_DEGS,
    COMPRESSED_MG,
    CONTROL,
    DATA,
    FACTOR,
    GYRO,
    IN_CHARGER,
    RANGE,
    RATE,
    RATE_HZ,
    RESOLUTION,
    SERVICE,
    SOFTWARE_REVISION,
    START,
    STOP,
    TELL,
    MotionFrame,
    Parameters,
    decode_parameters,
    encode_answer,
    encode_frame,
)
from imu.emulators.peripheral import Notification, RefusedError
from imu.errors import FrameError
from imu.frames import BATTERY_LEVEL, Advertisement, Sample, Vector, full_uuid
from imu.units import RAD_PER_DEG, STANDARD_GRAVITY_MS2

READ_NOT_PERMITTED, WRITE_NOT_PERMITTED = 0x02, 0x03
UNKNOWN_COMMAND, UNKNOWN_MEASUREMENT, WRONG_LENGTH, WRONG_PARAMETER = 1, 2, 4, 5
RUNNING_ALREADY, WRONG_RESOLUTION, WRONG_RATE, WRONG_RANGE, WRONG_CHANNELS = 6, 7, 8, 9, 11
WRONG_SETTING = {
    RESOLUTION: WRONG_RESOLUTION,
    RATE: WRONG_RATE,
    RANGE: WRONG_RANGE,
    CHANNELS: WRONG_CHANNELS,
}
OFFERED: Mapping[int, Parameters] = {
    ACC: {RATE: (52,), RESOLUTION: (16,), RANGE: (8,), CHANNELS: (3,)},
    GYRO: {RATE: (52,), RESOLUTION: (16,), RANGE: (2000,), CHANNELS: (3,)},
}
GYR_FACTOR = 0.07
ACC_UNIT_MS2 = 1e-3 * STANDARD_GRAVITY_MS2
GYR_UNIT_RADS = GYR_FACTOR * RAD_PER_DEG
MAX_MG = 8000
FEATURES = bytes.fromhex("0f6e62") + bytes(14)  # as one owner's sensor answered
CLOCK_SET_S = 800_000_000.0  # since 2000-01-01: the clock was set to the time of day once


class VeritySense:
    """One Verity Sense.

    Attributes
    ----------
    charging : bool
        Whether it is in its charger, where it refuses to measure.
    """

    services: Mapping[str, Mapping[str, str]] = {
        SERVICE: {CONTROL: "read,write,notify", DATA: "notify"},
        full_uuid(0x180F): {BATTERY_LEVEL: "read,notify"},
        full_uuid(0x180A): {SOFTWARE_REVISION: "read"},
    }
    rate_hz = RATE_HZ
    per_notification = 20
    keeps_measuring = True

    def __init__(self, address: str) -> None:
        self.battery_percent = 80.0
        self.charging = False
        self._address = address
        self._running: set[int] = set()
        self._told_percent = 80

    @property
    def streaming(self) -> bool:
        """Whether either stream runs."""
        return bool(self._running)

    def advertisement(self, address: str, rssi_dbm: int) -> Advertisement:
        """Say what it advertises."""
        identity = f"{int.from_bytes(self._address.encode(), 'big') % 2**32:08X}"
        return Advertisement(
            address, f"Polar Sense {identity}", rssi_dbm, frozenset({full_uuid(0x180D)})
        )

    def read(self, characteristic: str) -> bytes:
        """Answer a read."""
        answers = {
            CONTROL: FEATURES,
            BATTERY_LEVEL: bytes((round(self.battery_percent),)),
            SOFTWARE_REVISION: b"3.0.16",
        }
        if characteristic not in answers:
            raise RefusedError(READ_NOT_PERMITTED)
        return answers[characteristic]

    def write(self, characteristic: str, data: bytes, time_s: float) -> list[Notification]:  # noqa: ARG002
        """Take a command of the control point, and answer."""
        if characteristic != CONTROL:
            raise RefusedError(WRITE_NOT_PERMITTED)
        command, measurement = (*data[:2], 0, 0)[:2]
        error, told = self._obey(command, measurement, data[2:])
        if len(data) < 2:
            error = WRONG_LENGTH
        return [Notification(CONTROL, encode_answer(command, measurement, error, told))]

    def _obey(self, command: int, measurement: int, wanted: bytes) -> tuple[int, Parameters]:
        """Carry out a command: error and parameters of the answer."""
        if command not in (TELL, START, STOP):
            return UNKNOWN_COMMAND, {}
        if measurement not in OFFERED:
            return UNKNOWN_MEASUREMENT, {}
        if command == TELL:
            return 0, OFFERED[measurement]
        if command == STOP:
            self._running.discard(measurement)
            return 0, {}
        error = self._refusal(measurement, wanted)
        if error:
            return error, {}
        self._running.add(measurement)
        return 0, {FACTOR: (GYR_FACTOR,)} if measurement == GYRO else {}

    def _refusal(self, measurement: int, wanted: bytes) -> int:
        """Why a stream is not started; 0 where it is."""
        if self.charging:
            return IN_CHARGER
        if measurement in self._running:
            return RUNNING_ALREADY
        try:
            asked = decode_parameters(wanted, "emulated Verity Sense")
        except FrameError:
            return WRONG_PARAMETER
        offered = OFFERED[measurement]
        for name in (RATE, RESOLUTION, RANGE):
            if name not in asked:
                return WRONG_PARAMETER
        for name, values in asked.items():
            if values != offered.get(name):
                return WRONG_SETTING.get(name, WRONG_PARAMETER)
        return 0

    def subscribe(self, characteristic: str, on: bool) -> list[Notification]:  # noqa: ARG002
        """Notifications of a characteristic are switched on or off."""
        return []

    def encode(self, samples: Sequence[Sample], mtu: int) -> list[Notification]:
        """Turn samples into frames of both streams, each as long as the MTU allows."""
        out: list[Notification] = []
        if samples and ACC in self._running:
            counts = [_counts(one.acc_ms2, ACC_UNIT_MS2, MAX_MG) for one in samples]
            out += _frames(ACC, COMPRESSED_MG, samples, counts, mtu)
        if samples and GYRO in self._running:
            counts = [_counts(one.gyr_rads, GYR_UNIT_RADS, 2**15 - 1) for one in samples]
            out += _frames(GYRO, COMPRESSED_DEGS, samples, counts, mtu)
        if round(self.battery_percent) != self._told_percent:
            self._told_percent = round(self.battery_percent)
            out.append(Notification(BATTERY_LEVEL, bytes((self._told_percent,))))
        return out

    def unlink(self) -> None:
        """The link is gone; measuring goes on."""


def _counts(vector: Vector, unit: float, most: int) -> tuple[int, int, int]:
    x, y, z = (min(max(round(value / unit), -most), most) for value in vector)
    return x, y, z


def _frames(
    measurement: int,
    kind: int,
    samples: Sequence[Sample],
    counts: Sequence[tuple[int, int, int]],
    mtu: int,
) -> list[Notification]:
    """Write samples as few frames, each stamped at its last."""
    out = []
    start, end = 0, len(samples)
    while start < len(samples):
        stamp_ns = round((CLOCK_SET_S + samples[end - 1].time_s) * 1e9) % 2**64
        frame = encode_frame(MotionFrame(measurement, stamp_ns, kind, tuple(counts[start:end])))
        if len(frame) > mtu - 3 and end - start > 1:
            end = start + (end - start + 1) // 2
            continue
        out.append(Notification(DATA, frame))
        start, end = end, len(samples)
    return out
