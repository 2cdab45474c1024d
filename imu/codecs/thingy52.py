"""Nordic Thingy:52: raw values of its motion sensor, one sample a notification.

Source: the vendor's firmware and its clients for Node.js and Python, which agree on characteristics
and scales. That acceleration is positive along the axis that points *down*, against specific force,
is told by a comment in the firmware alone (single source), and is undone here.

A payload is 18 bytes without header, counter, time or check. Nothing tells that it was damaged but
values that no movement gives, and that is all that is checked: within plausible ranges a wrong
value cannot be told from a right one.

Set to 200 Hz, the device sends 50 to 70 samples a second by users' reports, and how it comes to
them is not documented; at 50 Hz it does what it is told. So that is the default.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from imu.codecs.counting import CountedClock, Reading, counting_rate
from imu.codecs.dialogue import Dialogue, Read, Subscribe, Unsubscribe, Write
from imu.codecs.protocol import NOTHING, Decoded, Identity, StreamSettings
from imu.errors import FrameError, LinkError
from imu.frames import BATTERY_LEVEL, Advertisement, Frame, Vector
from imu.units import RAD_PER_DEG, STANDARD_GRAVITY_MS2


def _uuid(short: int) -> str:
    return f"ef68{short:04x}-9b35-4933-9b10-52ffa9740042"


MOTION_SERVICE, CONFIGURATION, RAW = _uuid(0x0400), _uuid(0x0401), _uuid(0x0406)
CONFIGURATION_SERVICE = _uuid(0x0100)  # the one it advertises (unsure)

_RAW = struct.Struct("<9h")  # acceleration, angular rate, magnetic field
_CONFIGURATION = struct.Struct("<4HB")  # three intervals [ms], motion [Hz], wake on motion

MS2_PER_COUNT = -STANDARD_GRAVITY_MS2 / 1024.0  # the sign makes it specific force
RADS_PER_COUNT = RAD_PER_DEG / 32.0
UT_PER_COUNT = 1.0 / 16.0

ACC_LIMIT_MS2 = 16.0 * STANDARD_GRAVITY_MS2  # the sensor's largest range
MAG_LIMIT_UT = 1000.0  # 20 times the earth's
ACC_JUMP_MS2 = 8.0 * STANDARD_GRAVITY_MS2
GYR_JUMP_RADS = 500.0 * RAD_PER_DEG
AGREEING = 3  # so many suspects in a row that agree are a movement


class Raw(NamedTuple):
    """One notification, sensor axes.

    Attributes
    ----------
    acc_ms2, gyr_rads, mag_ut : tuple of 3 float
        Specific force, angular velocity, magnetic field [µT].
    """

    acc_ms2: Vector
    gyr_rads: Vector
    mag_ut: Vector


class Configuration(NamedTuple):
    """How the motion service is set; the device keeps it when switched off.

    Attributes
    ----------
    pedometer_ms, temperature_ms, magnetometer_ms : int
        Intervals of step counting and of two compensations.
    motion_hz : int
        Samples a second, 5 to 200.
    wake : int
        1 where a movement wakes it.
    """

    pedometer_ms: int
    temperature_ms: int
    magnetometer_ms: int
    motion_hz: int
    wake: int


def decode_raw(payload: bytes, device: str) -> Raw:
    """Decode a notification of raw values.

    Raises
    ------
    FrameError
        Not 18 bytes, or acceleration or magnetic field beyond any sensor of the kind.
    """
    if len(payload) != _RAW.size:
        raise FrameError(device, f"{_RAW.size} bytes of raw values", payload)
    ax, ay, az, gx, gy, gz, mx, my, mz = _RAW.unpack(payload)
    a, g, m = MS2_PER_COUNT, RADS_PER_COUNT, UT_PER_COUNT
    acc, mag = (ax * a, ay * a, az * a), (mx * m, my * m, mz * m)
    if max(acc) > ACC_LIMIT_MS2 or min(acc) < -ACC_LIMIT_MS2:
        raise FrameError(device, "accelerations within 16 g", payload)
    if max(mag) > MAG_LIMIT_UT or min(mag) < -MAG_LIMIT_UT:
        raise FrameError(device, "a magnetic field within 1000 uT", payload)
    return Raw(acc, (gx * g, gy * g, gz * g), mag)


def encode_raw(raw: Raw) -> bytes:
    """Inverse of `decode_raw`; what is out of range is clipped."""
    values = (
        *_counts(raw.acc_ms2, MS2_PER_COUNT, 16 * 1024),
        *_counts(raw.gyr_rads, RADS_PER_COUNT, 32767),
        *_counts(raw.mag_ut, UT_PER_COUNT, 16000),
    )
    return _RAW.pack(*values)


def _counts(values: Vector, unit: float, most: int) -> list[int]:
    return [max(-most, min(most, round(value / unit))) for value in values]


def decode_configuration(payload: bytes, device: str) -> Configuration:
    """Decode how the motion service is set.

    Raises
    ------
    FrameError
        Not 9 bytes.
    """
    if len(payload) != _CONFIGURATION.size:
        raise FrameError(device, f"{_CONFIGURATION.size} bytes of motion configuration", payload)
    return Configuration(*_CONFIGURATION.unpack(payload))


def encode_configuration(configuration: Configuration) -> bytes:
    """Inverse of `decode_configuration`."""
    return _CONFIGURATION.pack(*configuration)


def decode_battery(payload: bytes, device: str) -> float:
    """Decode Bluetooth's battery level [percent].

    Raises
    ------
    FrameError
        Not one byte of 0 to 100.
    """
    if len(payload) != 1 or payload[0] > 100:
        raise FrameError(device, "1 byte of 0 to 100 percent", payload)
    return float(payload[0])


class Thingy52Decoder:
    """Decodes the stream; times are counted.

    A headerless payload can only be checked for plausibility: ranges, and whether it jumps by more
    than 8 g and 500 deg/s at once from the last one taken, unless three in a row agree.

    Parameters
    ----------
    device : str
        Names the sensor in errors.
    settings : StreamSettings
        ``rate_hz``, and ``measured_rate_hz`` where it was measured.
    """

    def __init__(self, device: str, settings: StreamSettings) -> None:
        self.device = device
        self._clock = CountedClock(counting_rate(settings))
        self._last: Raw | None = None
        self._suspect: Raw | None = None
        self._suspects = 0

    def feed(self, frame: Frame) -> Decoded:
        """Take a notification; those of other characteristics give nothing."""
        try:
            if frame.characteristic == RAW:
                return self._take(decode_raw(frame.payload, self.device), frame)
            if frame.characteristic == BATTERY_LEVEL:
                return Decoded(battery_percent=decode_battery(frame.payload, self.device))
        except FrameError as error:
            return Decoded(refused=(error,))
        return NOTHING

    def relink(self, settings: StreamSettings) -> None:
        """Place what follows by its arrival."""
        self._last, self._suspect, self._suspects = None, None, 0
        self._clock.relink(counting_rate(settings))

    def finish(self) -> Decoded:
        """Give what the clock held back."""
        return Decoded(self._clock.finish())

    def _take(self, raw: Raw, frame: Frame) -> Decoded:
        if self._last is not None and _jumps(self._last, raw) and not self._agree(raw):
            # it was a sample all the same: the next one comes one interval later
            samples = self._clock.place([None], frame.arrival_s)
            expected = "no jump by more than 8 g and 500 deg/s from one sample to the next"
            return Decoded(samples, (FrameError(self.device, expected, frame.payload),))
        self._last, self._suspect, self._suspects = raw, None, 0
        reading: Reading = (raw.acc_ms2, raw.gyr_rads)
        return Decoded(self._clock.place([reading], frame.arrival_s))

    def _agree(self, raw: Raw) -> bool:
        """Whether this is the last of enough suspects that agree with each other."""
        agrees = self._suspect is not None and not _jumps(self._suspect, raw)
        self._suspects = self._suspects + 1 if agrees else 1
        self._suspect = raw
        return self._suspects >= AGREEING


def _jumps(before: Raw, now: Raw) -> bool:
    """Whether both quantities change by more than a movement does in one interval."""
    acc = zip(before.acc_ms2, now.acc_ms2, strict=True)
    if max(abs(b - a) for a, b in acc) <= ACC_JUMP_MS2:
        return False
    gyr = zip(before.gyr_rads, now.gyr_rads, strict=True)
    return max(abs(b - a) for a, b in gyr) > GYR_JUMP_RADS


class Thingy52Codec:
    """Nordic's Thingy:52; the Thingy:53 has no documented motion service."""

    name = "thingy52"
    model = "Nordic Thingy:52"
    rates_hz = (50.0, 100.0, 200.0)
    default_rate_hz = 50.0
    clock = "none; samples are counted and placed by their arrivals"
    service = RAW
    can_identify = False

    def recognises(self, advertisement: Advertisement) -> bool:
        """Recognise the services, or the name that the device comes with (unsure)."""
        if advertisement.services & {MOTION_SERVICE, CONFIGURATION_SERVICE}:
            return True
        return advertisement.name.startswith("Thingy") and "53" not in advertisement.name

    def describe(self) -> Dialogue[Identity]:
        """Ask for the battery."""
        answer = yield Read(BATTERY_LEVEL, optional=True)
        level = float(answer[0]) if len(answer) == 1 and answer[0] <= 100 else None
        return Identity(self.model, battery_percent=level)

    def identify(self) -> Dialogue[None]:
        """Do nothing: it cannot make itself seen."""
        yield from ()

    def prepare(self, rate_hz: float) -> Dialogue[StreamSettings]:
        """Set the rate, and leave everything else as it is; it is kept in flash, so only if new."""
        answer = yield Read(CONFIGURATION)
        try:
            found = decode_configuration(answer, self.model)
        except FrameError as error:
            raise LinkError(f"{error} Switch the device off and on.") from None
        if found.motion_hz != rate_hz:
            wanted = found._replace(motion_hz=round(rate_hz))
            yield Write(CONFIGURATION, encode_configuration(wanted))
        yield Subscribe(BATTERY_LEVEL, optional=True)
        return {"rate_hz": rate_hz}

    def begin(self, settings: StreamSettings) -> Dialogue[None]:  # noqa: ARG002
        """Subscribe, which starts the stream."""
        yield Subscribe(RAW)

    def end(self, settings: StreamSettings) -> Dialogue[None]:  # noqa: ARG002
        """Unsubscribe, which ends it."""
        yield Unsubscribe(RAW)

    def decoder(self, device: str, settings: StreamSettings) -> Thingy52Decoder:
        """Make a decoder for one sensor."""
        return Thingy52Decoder(device, settings)


CODEC = Thingy52Codec()
