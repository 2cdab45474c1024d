"""Movesense: several samples a notification, the first of them stamped by the sensor's clock.

The GATT SensorData protocol (vendor's document GD-77, firmware 2.3 and later). Everything begins
with ``[type][reference]``; the reference is any byte the asker chooses, and is echoed. What is
longer than one notification goes on in a second one, "part 2", which has no stamp of its own.

One source each, so unsure: that the stamp is the first sample's; 208 Hz, which sends 16 samples at
a time as 104 Hz sends 8; more than one part 2, as small MTUs would need. The ranges cannot be set
and their defaults are not documented: values are refused beyond the largest of them.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from math import inf
from typing import NamedTuple

from imu.codecs.clocks import DeviceClock
from imu.codecs.dialogue import Ask, Dialogue, Read, Subscribe, Unsubscribe
from imu.codecs.protocol import NOTHING, Codec, Decoded, Identity, StreamSettings
from imu.errors import FrameError, LinkError
from imu.frames import BATTERY_LEVEL, Advertisement, Frame, Sample, Vector
from imu.units import RAD_PER_DEG, STANDARD_GRAVITY_MS2

SERVICE = "34802252-7185-4d5d-b431-630e7050e8f0"
COMMAND = "34800001-7185-4d5d-b431-630e7050e8f0"
DATA = "34800002-7185-4d5d-b431-630e7050e8f0"

HELLO, SUBSCRIBE, UNSUBSCRIBE, GET, PUT_SYSTEM_MODE = 0, 1, 2, 4, 7
ANSWER, DATA_PART_1, DATA_PART_2 = 1, 2, 3
OK, ACCEPTED, NOT_FOUND, CONFLICT, TOO_MANY_REQUESTS = 200, 202, 404, 409, 429
RESTART_MODE = 5
STREAM_REFERENCE, HELLO_REFERENCE, BATTERY_REFERENCE = 99, 100, 101
BATTERY_PATH = "/System/Energy/Level"

HEADER = struct.Struct("<BB")  # type or command, reference
STATUS = struct.Struct("<H")
PACKETS_HZ = 13  # packets per second, whatever the rate: 104 Hz comes as 8 samples each
ACC_LIMIT_MS2 = 16.0 * STANDARD_GRAVITY_MS2 * 1.05
GYR_LIMIT_DEGS = 2000.0 * 1.15  # 0.07 deg/s a count, as captures show: a full count is 2294

GROUPS_IMU6 = 2


class Vectors(NamedTuple):
    """A packet of arrays: /Meas/Acc has one group, /Meas/IMU6 two, /Meas/IMU9 three.

    Attributes
    ----------
    counter_ms : int
        The sensor's clock at the first sample, 32 bits.
    groups : tuple of tuple of Vector
        Accelerations [m/s^2], rates [deg/s] and fields [uT], as on the wire; alike long.
    """

    counter_ms: int
    groups: tuple[tuple[Vector, ...], ...]


class Answer(NamedTuple):
    """The answer to a command other than HELLO."""

    reference: int
    status: int
    data: bytes


class Hello(NamedTuple):
    """The answer to HELLO: texts of the sensor."""

    protocol: int
    texts: tuple[str, ...]  # serial, product, address for updates, application, its version


@lru_cache(maxsize=64)
def _layout(vectors: int) -> struct.Struct:
    return struct.Struct(f"<I{3 * vectors}f")


def decode_vectors(body: bytes, groups: int, device: str) -> Vectors:
    """Decode the body of a packet, header taken off and parts put together.

    Parameters
    ----------
    body : bytes
        u32 stamp [ms], then ``groups`` arrays of as many triplets of f32 each.
    groups : int
        How many arrays.
    device : str
        Names the sensor in errors.

    Raises
    ------
    FrameError
        No whole number of samples, or none.
    """
    count, rest = divmod(len(body) - 4, 12 * groups)
    if count < 1 or rest:
        raise FrameError(device, f"4 bytes and a multiple of {12 * groups}", body)
    counter_ms, *values = _layout(groups * count).unpack(body)
    it = iter(values)
    vectors = list(zip(it, it, it, strict=True))
    arrays = (tuple(vectors[start : start + count]) for start in range(0, len(vectors), count))
    return Vectors(counter_ms, tuple(arrays))


def encode_vectors(values: Vectors) -> bytes:
    """Write the body of a packet; inverse of `decode_vectors`."""
    vectors = [vector for group in values.groups for vector in group]
    numbers = (number for vector in vectors for number in vector)
    return _layout(len(vectors)).pack(values.counter_ms, *numbers)


def encode_data(reference: int, body: bytes, mtu: int) -> list[bytes]:
    """Write the notifications of one body: DATA and, as far as needed, part 2."""
    room = mtu - 3 - HEADER.size
    starts = range(0, len(body), room)
    kinds = [DATA_PART_1] + [DATA_PART_2] * (len(starts) - 1)
    return [
        HEADER.pack(kind, reference) + body[start : start + room]
        for kind, start in zip(kinds, starts, strict=True)
    ]


def encode_command(command: int, reference: int, payload: bytes = b"") -> bytes:
    """Write a command."""
    return HEADER.pack(command, reference) + payload


def encode_path(path: str) -> bytes:
    """Write a resource path as SUBSCRIBE and GET take it."""
    return path.encode() + b"\0"


def decode_answer(payload: bytes, device: str) -> Answer:
    """Decode the answer to a command other than HELLO."""
    if len(payload) < 4 or payload[0] != ANSWER:
        raise FrameError(device, "an answer with a status", payload)
    return Answer(payload[1], STATUS.unpack_from(payload, 2)[0], payload[4:])


def encode_answer(answer: Answer) -> bytes:
    """Write the answer to a command; inverse of `decode_answer`."""
    return HEADER.pack(ANSWER, answer.reference) + STATUS.pack(answer.status) + answer.data


def decode_hello(payload: bytes, device: str) -> Hello:
    """Decode the answer to HELLO, which has no status but texts that end in NUL."""
    if len(payload) < 3 or payload[0] != ANSWER:
        raise FrameError(device, "an answer to HELLO", payload)
    texts = payload[3:].removesuffix(b"\0").split(b"\0")
    return Hello(payload[2], tuple(text.decode("utf-8", "replace") for text in texts))


def encode_hello(hello: Hello, reference: int) -> bytes:
    """Write the answer to HELLO."""
    texts = b"".join(text.encode() + b"\0" for text in hello.texts)
    return HEADER.pack(ANSWER, reference) + bytes((hello.protocol,)) + texts


class MovesenseDecoder:
    """Decoder of one Movesense; the times are its own clock's, 1 ms, unwrapped.

    Sample i of a packet is taken i intervals of the nominal rate after the stamp. Where the sensor
    is faster than that, or the stamp is rounded down, a packet can seem to begin before the last
    one ended: its samples are then spread over what is left, so that times increase.
    """

    def __init__(self, device: str, settings: StreamSettings) -> None:
        self._device = device
        self._clock = DeviceClock(32, 1e-3)
        self._shift_s = 0.0  # times are pushed on where a restarted clock falls short
        self._packet_s, self._last_s = -inf, -inf  # the last packet's stamp, its last sample
        self._set(settings)

    def _set(self, settings: StreamSettings) -> None:
        self._interval_s = 1.0 / settings["rate_hz"]
        self._count = max(1, round(settings["rate_hz"]) // PACKETS_HZ)
        self._size = 4 + 12 * GROUPS_IMU6 * self._count
        self._reference: int = settings["reference"]
        self._half: bytes | None = None
        self._begun = False

    def relink(self, settings: StreamSettings) -> None:
        """Go on after a lost link; what is left of a packet that was cut off is dropped."""
        self._set(settings)
        self._clock.relink()

    def finish(self) -> Decoded:
        """Refuse half a packet that was never completed."""
        return Decoded(refused=self._give_up())

    def feed(self, frame: Frame) -> Decoded:
        """Take one frame."""
        payload = frame.payload
        if frame.characteristic == BATTERY_LEVEL:
            if len(payload) == 1 and payload[0] <= 100:
                return Decoded(battery_percent=float(payload[0]))
            return self._refuse("1 byte of battery level", payload)
        if frame.characteristic != DATA or (len(payload) > 2 and payload[0] == ANSWER):
            return NOTHING
        if len(payload) < 3 or payload[1] != self._reference:
            return self._refuse(f"data of subscription {self._reference}", payload)
        return self._part(payload[0], payload, frame.arrival_s)

    def _part(self, kind: int, payload: bytes, arrival_s: float) -> Decoded:
        """Take a first part, or one that belongs to the half that waits for it."""
        if kind == DATA_PART_1:
            self._begun = True
            refused = self._give_up()
            return self._put_together(payload[2:], arrival_s, refused)
        if kind == DATA_PART_2 and self._half is not None:
            return self._put_together(self._half + payload[2:], arrival_s)
        if kind == DATA_PART_2 and not self._begun:
            return NOTHING  # the first part was cut off
        return self._refuse(f"data of subscription {self._reference}", payload)

    def _put_together(
        self, body: bytes, arrival_s: float, refused: tuple[FrameError, ...] = ()
    ) -> Decoded:
        """Decode a body once it is whole; ``refused`` is what was given up for it."""
        self._half = None
        if len(body) < self._size:
            self._half = body
            return Decoded(refused=refused)
        try:
            if len(body) > self._size:
                raise FrameError(self._device, f"{self._count} samples", self._whole(body))
            decoded = self._take(body, arrival_s)
        except FrameError as error:
            return Decoded(refused=(*refused, error))
        return Decoded(decoded.samples, refused, decoded.duplicates, decoded.restarts)

    def _take(self, body: bytes, arrival_s: float) -> Decoded:
        counter_ms, (acc_ms2, gyr_degs) = decode_vectors(body, GROUPS_IMU6, self._device)
        if not (_within(acc_ms2, ACC_LIMIT_MS2) and _within(gyr_degs, GYR_LIMIT_DEGS)):
            expected = "values within +-16 g and +-2000 deg/s"
            raise FrameError(self._device, expected, self._whole(body))
        restarts = self._clock.restarts
        placed_s = self._clock.place(counter_ms, arrival_s)
        if placed_s is None:
            expected = "a time that goes with its arrival"
            raise FrameError(self._device, expected, self._whole(body))
        restarts = self._clock.restarts - restarts
        if restarts and placed_s + self._shift_s < self._last_s + self._interval_s:
            self._shift_s = self._last_s + self._interval_s - placed_s
        time_s = placed_s + self._shift_s
        if time_s <= self._packet_s:
            return Decoded(duplicates=self._count)
        if time_s - self._packet_s < 0.5 * self._count * self._interval_s and not restarts:
            expected = f"a time {self._count} samples after the last one"
            raise FrameError(self._device, expected, self._whole(body))
        samples = self._samples(time_s, acc_ms2, gyr_degs)
        return Decoded(samples, restarts=restarts)

    def _samples(
        self, time_s: float, acc_ms2: Sequence[Vector], gyr_degs: Sequence[Vector]
    ) -> tuple[Sample, ...]:
        end_s = time_s + self._count * self._interval_s
        begin_s = max(time_s, self._last_s + 0.25 * self._interval_s)
        step_s = (end_s - begin_s) / self._count
        samples = tuple(
            Sample(begin_s + i * step_s, acc, (x * RAD_PER_DEG, y * RAD_PER_DEG, z * RAD_PER_DEG))
            for i, (acc, (x, y, z)) in enumerate(zip(acc_ms2, gyr_degs, strict=True))
        )
        self._packet_s, self._last_s = time_s, samples[-1].time_s
        return samples

    def _give_up(self) -> tuple[FrameError, ...]:
        """Refuse a half whose other half did not come."""
        half, self._half = self._half, None
        if half is None:
            return ()
        expected = f"{self._size} bytes of {self._count} samples"
        return (FrameError(self._device, expected, self._whole(half)),)

    def _whole(self, body: bytes) -> bytes:
        """Put the header before a body again, for the record."""
        return HEADER.pack(DATA_PART_1, self._reference) + body

    def _refuse(self, expected: str, payload: bytes) -> Decoded:
        return Decoded(refused=(FrameError(self._device, expected, payload),))


def _within(vectors: Sequence[Vector], limit: float) -> bool:
    """Whether all numbers are within a limit; a NaN is not."""
    return all(
        -limit <= x <= limit and -limit <= y <= limit and -limit <= z <= limit
        for x, y, z in vectors
    )


class MovesenseCodec:
    """The family of the Movesense sensors that run the vendor's default firmware."""

    name = "movesense"
    model = "Movesense"
    rates_hz: tuple[float, ...] = (13.0, 26.0, 52.0, 104.0, 208.0)
    default_rate_hz = 104.0
    clock = "the sensor's clock, 1 ms"
    service = SERVICE
    can_identify = False

    def recognises(self, advertisement: Advertisement) -> bool:
        """By its name: the service is not advertised."""
        return advertisement.name.startswith("Movesense")

    def describe(self) -> Dialogue[Identity]:
        """Ask for product, firmware and battery."""
        yield Subscribe(DATA)
        hello = decode_hello((yield _ask(HELLO, HELLO_REFERENCE)), self.model)
        product, firmware = self.model, None
        if len(hello.texts) >= 5:
            product, firmware = hello.texts[1], hello.texts[4]
        answer = yield _ask(GET, BATTERY_REFERENCE, encode_path(BATTERY_PATH), optional=True)
        level = b""
        if answer and decode_answer(answer, self.model).status == OK:
            level = answer[4:]
        if not level:
            level = yield Read(BATTERY_LEVEL, optional=True)
        yield Unsubscribe(DATA)
        percent = float(level[0]) if level and level[0] <= 100 else None
        return Identity(product, firmware, percent)

    def identify(self) -> Dialogue[None]:
        """Do nothing: the sensor has no command for it."""
        yield from ()

    def prepare(self, rate_hz: float) -> Dialogue[StreamSettings]:
        """Subscribe to the answers and end a subscription that may be left."""
        yield Subscribe(DATA)
        yield _ask(UNSUBSCRIBE, STREAM_REFERENCE, optional=True)
        yield Subscribe(BATTERY_LEVEL, optional=True)
        path = f"/Meas/IMU6/{round(rate_hz)}"
        return {"rate_hz": float(rate_hz), "reference": STREAM_REFERENCE, "path": path}

    def begin(self, settings: StreamSettings) -> Dialogue[None]:
        """Subscribe to the samples."""
        path = settings["path"]
        answer = yield _ask(SUBSCRIBE, settings["reference"], encode_path(path))
        status = decode_answer(answer, self.model).status
        if status != OK:
            remedy = "Choose another rate"
            if status == TOO_MANY_REQUESTS:  # too many subscriptions were left open by lost links
                remedy = "Restart the sensor: take it off its strap, or its battery out, and back"
            what = f"{self.model}: {path} was answered with status {status}, expected {OK}"
            raise LinkError(f"{what}. {remedy}, then try again.")

    def end(self, settings: StreamSettings) -> Dialogue[None]:
        """End the subscription; one left open costs the sensor a place for good."""
        yield _ask(UNSUBSCRIBE, settings["reference"], optional=True)
        yield Unsubscribe(DATA)

    def decoder(self, device: str, settings: StreamSettings) -> MovesenseDecoder:
        """Make a decoder for one sensor."""
        return MovesenseDecoder(device, settings)


def _ask(command: int, reference: int, payload: bytes = b"", optional: bool = False) -> Ask:
    data = encode_command(command, reference, payload)
    return Ask(COMMAND, data, DATA, _answers(reference), optional=optional)


def _answers(reference: int) -> Callable[[bytes], bool]:
    """Tell the answer to a command from data and from other answers."""
    return lambda payload: payload[:2] == bytes((ANSWER, reference))


CODEC: Codec = MovesenseCodec()
