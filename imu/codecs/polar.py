"""Polar Verity Sense: acceleration and angular rate in frames of their own, to be put together.

The Polar Measurement Data service, from the vendor's documentation and the tests of its software.
A frame has many samples and one stamp, at its last. Most are compressed: a first sample, then
blocks of differences as narrow as they can be.

One source each, so unsure: the unit of the gyroscope, deg/s after a factor; and what one owner's
sensor answered and sent: the gyroscope's factor (0.07, told only when the stream is started), none
for the accelerometer (mg as they are), 52.9 Hz where 52 Hz is nominal.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from itertools import accumulate
from math import inf
from typing import Any, NamedTuple

from imu.codecs.clocks import DeviceClock
from imu.codecs.dialogue import Ask, Dialogue, Read, Subscribe, Unsubscribe
from imu.codecs.merging import GAP_INTERVALS, Merger
from imu.codecs.protocol import NOTHING, Codec, Decoded, Identity, StreamSettings
from imu.errors import FrameError, LinkError
from imu.frames import BATTERY_LEVEL, FIRMWARE_REVISION, Advertisement, Frame, Vector, full_uuid
from imu.units import RAD_PER_DEG, STANDARD_GRAVITY_MS2

SERVICE = "fb005c80-02e7-f387-1cad-8acd2d8df0c8"
CONTROL = "fb005c81-02e7-f387-1cad-8acd2d8df0c8"
DATA = "fb005c82-02e7-f387-1cad-8acd2d8df0c8"
SOFTWARE_REVISION = full_uuid(0x2A28)  # the version people know; 2A26 has another
NAMES = ("Polar Sense", "Polar Verity Sense")  # the second from one source: unsure

ACC, GYRO = 2, 5
TELL, START, STOP = 1, 2, 3
ANSWER = 0xF0
RATE, RESOLUTION, RANGE, RANGE_MILLI, CHANNELS, FACTOR = 0, 1, 2, 3, 4, 5
VALUE = {RATE: "H", RESOLUTION: "H", RANGE: "H", RANGE_MILLI: "I", CHANNELS: "B", FACTOR: "f"}
IN_CHARGER = 13
ERRORS = {
    6: "it measures already",
    8: "it does not offer the rate",
    10: "its notifications are too short",
    12: "it is busy otherwise",
    IN_CHARGER: "it is in its charger",
}

FRAME = struct.Struct("<BQB")  # measurement, stamp [ns since 2000-01-01], type of the frame
TRIPLET = struct.Struct("<3h")
RAW_MG, COMPRESSED_G, COMPRESSED_MG, COMPRESSED_DEGS = 0x01, 0x80, 0x81, 0x80
COMPRESSED = 0x80
KINDS = {ACC: (RAW_MG, COMPRESSED_G, COMPRESSED_MG), GYRO: (COMPRESSED_DEGS,)}
MAX_BITS = 32

RATE_HZ = 52.0
RATE_ERROR = 0.1  # of a frame's length: less is the sensor's clock, more is a lost frame
HELD_S = 10.0  # for how long one stream is kept while the other does not come
ACC_MARGIN = 1.05
GYR_MARGIN = 1.15  # a full count of 16 bits is 2294 deg/s

Counts = tuple[int, int, int]
Parameters = dict[int, tuple[float, ...]]


class MotionFrame(NamedTuple):
    """A frame of either stream.

    Attributes
    ----------
    measurement : int
        `ACC` or `GYRO`.
    stamp_ns : int
        When the last of its samples was taken.
    kind : int
        How the samples are written, bit 7 set where compressed.
    counts : tuple of Counts
        The samples as numbers on the wire.
    """

    measurement: int
    stamp_ns: int
    kind: int
    counts: tuple[Counts, ...]


def decode_frame(payload: bytes, device: str) -> MotionFrame:
    """Decode one notification of the data characteristic.

    Raises
    ------
    FrameError
        Another measurement or type; bytes missing or left over.
    """
    if len(payload) < FRAME.size + TRIPLET.size:
        raise FrameError(device, "a stamp and samples", payload)
    measurement, stamp_ns, kind = FRAME.unpack_from(payload)
    if kind not in KINDS.get(measurement, ()):
        raise FrameError(device, "a frame of acceleration or angular rate", payload)
    if kind & COMPRESSED:
        return MotionFrame(measurement, stamp_ns, kind, _decompress(payload, device))
    if (len(payload) - FRAME.size) % TRIPLET.size:
        raise FrameError(device, f"a stamp and a multiple of {TRIPLET.size} bytes", payload)
    counts = tuple(TRIPLET.iter_unpack(payload[FRAME.size :]))
    return MotionFrame(measurement, stamp_ns, kind, counts)


def _decompress(payload: bytes, device: str) -> tuple[Counts, ...]:
    """Take the differences apart: blocks of ``[bits][count]`` and packed numbers, LSB first."""
    first: Counts = TRIPLET.unpack_from(payload, FRAME.size)
    axes = [[value] for value in first]
    at = FRAME.size + TRIPLET.size
    while at < len(payload):
        bits, count = payload[at], payload[at + 1] if at + 1 < len(payload) else 0
        start, at = at + 2, at + 2 + (bits * count * 3 + 7) // 8
        if count == 0 or bits > MAX_BITS or at > len(payload):
            raise FrameError(device, "whole blocks of differences", payload)
        packed = int.from_bytes(payload[start:at], "little")
        mask, sign = (1 << bits) - 1, (1 << bits) >> 1
        for position in range(count * 3):
            number = (packed >> (position * bits)) & mask
            axes[position % 3].append((number ^ sign) - sign)
    return tuple(zip(*(accumulate(axis) for axis in axes), strict=True))


def encode_frame(frame: MotionFrame, block: int = 8) -> bytes:
    """Write one notification; inverse of `decode_frame`.

    Parameters
    ----------
    frame : MotionFrame
        What to write.
    block : int
        Samples in one block of differences, at most 255.
    """
    head = FRAME.pack(frame.measurement, frame.stamp_ns, frame.kind)
    if not frame.kind & COMPRESSED:
        return head + b"".join(TRIPLET.pack(*one) for one in frame.counts)
    steps = [
        tuple(now - before for before, now in zip(one, other, strict=True))
        for one, other in zip(frame.counts, frame.counts[1:], strict=False)
    ]
    out = head + TRIPLET.pack(*frame.counts[0])
    for start in range(0, len(steps), block):
        out += _compress([value for step in steps[start : start + block] for value in step])
    return out


def _compress(numbers: Sequence[int]) -> bytes:
    """Pack one block of differences as narrow as they can be."""
    bits = 1 + max((number if number >= 0 else ~number).bit_length() for number in numbers)
    packed = 0
    for position, number in enumerate(numbers):
        packed |= (number & ((1 << bits) - 1)) << (position * bits)
    size = (bits * len(numbers) + 7) // 8
    return bytes((bits, len(numbers) // 3)) + packed.to_bytes(size, "little")


def decode_parameters(payload: bytes, device: str) -> Parameters:
    """Decode settings, ``[id][count][values]`` each, from a command or an answer's byte 5 on."""
    told: Parameters = {}
    at = 0
    while at < len(payload):
        layout = VALUE.get(payload[at])
        count = payload[at + 1] if at + 1 < len(payload) else 0
        values = struct.Struct(f"<{count}{layout or 'B'}")
        if layout is None or count == 0 or at + 2 + values.size > len(payload):
            raise FrameError(device, "whole settings", payload)
        told[payload[at]] = values.unpack_from(payload, at + 2)
        at += 2 + values.size
    return told


def encode_parameters(told: Parameters) -> bytes:
    """Write settings; inverse of `decode_parameters`."""
    return b"".join(
        bytes((name, len(values))) + struct.pack(f"<{len(values)}{VALUE[name]}", *values)
        for name, values in told.items()
    )


def encode_answer(command: int, measurement: int, error: int, told: Parameters) -> bytes:
    """Write the control point's answer; that of an error has no parameters."""
    head = bytes((ANSWER, command, measurement, error))
    return head if error else head + b"\0" + encode_parameters(told)


def read_answer(payload: bytes, device: str) -> Parameters:
    """Take the settings from the control point's answer.

    Raises
    ------
    LinkError
        It tells an error.
    FrameError
        It cannot be decoded.
    """
    if len(payload) < 4 or payload[0] != ANSWER:
        raise FrameError(device, "an answer of the control point", payload)
    if payload[3]:
        what = ERRORS.get(payload[3], f"error {payload[3]}")
        remedy = "Take it out" if payload[3] == IN_CHARGER else "Switch it off and on"
        raise LinkError(f"{device} refused to measure: {what}. {remedy}, then try again.")
    return decode_parameters(payload[5:], device)


class PolarDecoder:
    """Decoder of one Verity Sense: rows at the gyroscope's times, by the sensor's own clock.

    `Merger` puts the two streams together. Duplicates are counted by the gyroscope.
    """

    def __init__(self, device: str, settings: StreamSettings) -> None:
        self._device = device
        self._clock = DeviceClock(64, 1e-9)
        self._shift_s = 0.0  # times are pushed on where a restarted clock falls short
        self._ends_s: dict[int, float] = {}  # by stream: when its newest sample was taken
        self._set(settings)

    def _set(self, settings: StreamSettings) -> None:
        self._interval_s = 1.0 / settings["rate_hz"]
        self._merger = Merger(self._interval_s, round(HELD_S * settings["rate_hz"]))
        acc_factor: float = settings["acc_factor"]
        self._unit = {  # SI units of one count
            (ACC, RAW_MG): 1e-3 * STANDARD_GRAVITY_MS2,
            (ACC, COMPRESSED_MG): acc_factor * 1e-3 * STANDARD_GRAVITY_MS2,
            (ACC, COMPRESSED_G): acc_factor * STANDARD_GRAVITY_MS2,
            (GYRO, COMPRESSED_DEGS): settings["gyr_factor"] * RAD_PER_DEG,
        }
        self._limit = {
            ACC: settings["acc_range_g"] * STANDARD_GRAVITY_MS2 * ACC_MARGIN,
            GYRO: settings["gyr_range_degs"] * RAD_PER_DEG * GYR_MARGIN,
        }

    def relink(self, settings: StreamSettings) -> None:
        """Go on after a lost link; samples that wait for the other stream are dropped."""
        self._set(settings)
        self._clock.relink()

    def finish(self) -> Decoded:
        """Give nothing: the samples that wait have no acceleration after them."""
        self._merger.clear()
        return NOTHING

    def feed(self, frame: Frame) -> Decoded:
        """Take one frame."""
        payload = frame.payload
        try:
            if frame.characteristic == DATA:
                return self._take(decode_frame(payload, self._device), frame)
            if frame.characteristic == BATTERY_LEVEL:
                if len(payload) != 1 or payload[0] > 100:
                    raise FrameError(self._device, "1 byte of battery level", payload)
                return Decoded(battery_percent=float(payload[0]))
        except FrameError as error:
            return Decoded(refused=(error,))
        return NOTHING

    def _take(self, motion: MotionFrame, frame: Frame) -> Decoded:
        vectors = self._scale(motion, frame)
        restarts = self._clock.restarts
        end_s = self._clock.place(motion.stamp_ns, frame.arrival_s)
        if end_s is None:
            raise FrameError(self._device, "a time that goes with its arrival", frame.payload)
        restarts = self._clock.restarts - restarts
        if restarts:
            self._start_anew(end_s, len(vectors))
        end_s += self._shift_s
        count, is_acc = len(vectors), motion.measurement == ACC
        before_s = self._ends_s.get(motion.measurement)
        if before_s is not None and end_s <= before_s:
            return Decoded(duplicates=0 if is_acc else count)
        readings = zip(self._spread(before_s, end_s, count, frame), vectors, strict=True)
        self._ends_s[motion.measurement] = end_s
        add = self._merger.add_acceleration if is_acc else self._merger.add_rates
        if not add(readings):
            expected = f"both acceleration and angular rate within {HELD_S:g} s"
            raise FrameError(self._device, expected, frame.payload)
        return Decoded(self._merger.take(), restarts=restarts)

    def _scale(self, motion: MotionFrame, frame: Frame) -> list[Vector]:
        """Turn counts into SI units, and refuse those out of range."""
        unit = self._unit[motion.measurement, motion.kind]
        most = self._limit[motion.measurement] / unit
        for x, y, z in motion.counts:
            if not (-most <= x <= most and -most <= y <= most and -most <= z <= most):
                raise FrameError(self._device, "values within the sensor's range", frame.payload)
        return [(x * unit, y * unit, z * unit) for x, y, z in motion.counts]

    def _start_anew(self, end_s: float, count: int) -> None:
        """Make sure that the first frame of a restarted clock comes after all before it."""
        first_s = end_s + self._shift_s - (count - 1) * self._interval_s
        newest_s = max(self._ends_s.values(), default=first_s - self._interval_s)
        self._shift_s += max(0.0, newest_s + self._interval_s - first_s)
        self._ends_s.clear()
        self._merger.clear()

    def _spread(
        self, before_s: float | None, end_s: float, count: int, frame: Frame
    ) -> list[float]:
        """Times of a frame's samples, evenly since the last frame where none is missing."""
        step_s = self._interval_s
        if before_s is not None:
            intervals = (end_s - before_s) / step_s
            if intervals < 0.5 * count:
                raise FrameError(self._device, f"a time {count} samples later", frame.payload)
            if intervals - count < max(GAP_INTERVALS - 1.0, RATE_ERROR * count):
                step_s = (end_s - before_s) / count
        return [end_s - behind * step_s for behind in range(count - 1, -1, -1)]


class PolarCodec:
    """The family of the Polar Verity Sense, as it measures without the vendor's "SDK mode"."""

    name = "polar-verity"
    model = "Polar Verity Sense"
    rates_hz: tuple[float, ...] = (RATE_HZ,)
    default_rate_hz = RATE_HZ
    clock = "the sensor's clock, 1 ns, one stamp a frame"
    service = SERVICE
    can_identify = False

    def recognises(self, advertisement: Advertisement) -> bool:
        """By its name."""
        return advertisement.name.startswith(NAMES)

    def describe(self) -> Dialogue[Identity]:
        """Ask for firmware and battery."""
        firmware = yield Read(SOFTWARE_REVISION, optional=True)
        if not firmware:
            firmware = yield Read(FIRMWARE_REVISION, optional=True)
        level = yield Read(BATTERY_LEVEL, optional=True)
        text = firmware.rstrip(b"\0").decode("utf-8", "replace") or None
        percent = float(level[0]) if len(level) == 1 and level[0] <= 100 else None
        return Identity(self.model, text, percent)

    def identify(self) -> Dialogue[None]:
        """Do nothing: the sensor has no command for it."""
        yield from ()

    def prepare(self, rate_hz: float) -> Dialogue[StreamSettings]:
        """Stop what still runs, and find out factors by starting each stream for a moment."""
        yield Subscribe(CONTROL)
        yield Subscribe(BATTERY_LEVEL, optional=True)
        settings: dict[str, Any] = {"rate_hz": rate_hz}
        ranges = ((ACC, "acc_range_g", 8), (GYRO, "gyr_range_degs", 2000))
        for measurement, name, usual in ranges:
            yield _ask(STOP, measurement, optional=True)
            answer = yield _ask(TELL, measurement, optional=True)
            told = read_answer(answer, self.model) if answer else {}
            settings[name] = int(max(told.get(RANGE, (usual,))))
        for measurement, name in ((ACC, "acc_factor"), (GYRO, "gyr_factor")):
            settings[name] = yield from self._start(measurement, settings)
            yield _ask(STOP, measurement)
        yield Subscribe(DATA)
        return settings

    def _start(self, measurement: int, settings: StreamSettings) -> Dialogue[float]:
        """Start one stream; its factor, 1 where none is told."""
        largest = settings["acc_range_g" if measurement == ACC else "gyr_range_degs"]
        rate = (round(settings["rate_hz"]),)
        wanted: Parameters = {RATE: rate, RESOLUTION: (16,), RANGE: (largest,), CHANNELS: (3,)}
        answer = yield _ask(START, measurement, encode_parameters(wanted))
        factor = read_answer(answer, self.model).get(FACTOR, (1.0,))[0]
        if not 0.0 < factor < inf:
            raise FrameError(self.model, "a positive factor", answer)
        return factor

    def begin(self, settings: StreamSettings) -> Dialogue[None]:
        """Start both streams; their factors must be those the decoder was told."""
        for measurement, name in ((ACC, "acc_factor"), (GYRO, "gyr_factor")):
            factor = yield from self._start(measurement, settings)
            if factor != settings[name]:
                what = f"{self.model}: {name} is {factor:g}, was {settings[name]:g} before"
                raise LinkError(f"{what}. Switch the sensor off and on, then try again.")

    def end(self, settings: StreamSettings) -> Dialogue[None]:  # noqa: ARG002  the same for all
        """Stop both streams."""
        for measurement in (ACC, GYRO):
            yield _ask(STOP, measurement, optional=True)
        yield Unsubscribe(DATA)
        yield Unsubscribe(CONTROL)

    def decoder(self, device: str, settings: StreamSettings) -> PolarDecoder:
        """Make a decoder for one sensor."""
        return PolarDecoder(device, settings)


def _ask(command: int, measurement: int, wanted: bytes = b"", optional: bool = False) -> Ask:
    data = bytes((command, measurement)) + wanted
    return Ask(CONTROL, data, CONTROL, _answers(command, measurement), optional=optional)


def _answers(command: int, measurement: int) -> Callable[[bytes], bool]:
    """Tell the answer to a command from answers to others."""
    return lambda payload: payload[:3] == bytes((ANSWER, command, measurement))


CODEC: Codec = PolarCodec()
