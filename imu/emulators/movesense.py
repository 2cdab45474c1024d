"""A Movesense as its radio shows it, with the vendor's default firmware.

Whether a subscription outlasts the link is not documented (unsure): here it ends. The sensor's
known illness, a pool of requests that is used up and answers everything with 429 until the sensor
is restarted, is switched on by `Movesense.exhausted`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from imu.codecs.movesense import (
    ACCEPTED,
    BATTERY_PATH,
    COMMAND,
    CONFLICT,
    DATA,
    GET,
    HELLO,
    NOT_FOUND,
    OK,
    PACKETS_HZ,
    PUT_SYSTEM_MODE,
    RESTART_MODE,
    SERVICE,
    SUBSCRIBE,
    TOO_MANY_REQUESTS,
    UNSUBSCRIBE,
    Answer,
    Hello,
    Vectors,
    encode_answer,
    encode_data,
    encode_hello,
    encode_path,
    encode_vectors,
)
from imu.emulators.peripheral import Notification, RefusedError
from imu.frames import BATTERY_LEVEL, Advertisement, Sample, Vector, full_uuid
from imu.units import DEG_PER_RAD, STANDARD_GRAVITY_MS2

READ_NOT_PERMITTED, WRITE_NOT_PERMITTED, WRONG_LENGTH, APPLICATION_ERROR = 0x02, 0x03, 0x0D, 0x80
RATES_HZ = (13, 26, 52, 104, 208)
ACC_RANGE_MS2 = 16.0 * STANDARD_GRAVITY_MS2
GYR_RANGE_DEGS = 2000.0


class Movesense:
    """One Movesense.

    Attributes
    ----------
    exhausted : bool
        Whether subscriptions are answered with 429; a restart cures it.
    """

    services: Mapping[str, Mapping[str, str]] = {
        SERVICE: {COMMAND: "write", DATA: "notify"},
        full_uuid(0x180F): {BATTERY_LEVEL: "read,notify"},
    }
    keeps_measuring = False

    def __init__(self, address: str) -> None:
        self.rate_hz = 104.0
        self.battery_percent = 85.0
        self.exhausted = False
        self._address = address
        self._reference: int | None = None
        self._waiting: list[Sample] = []
        self._told_percent = 85

    @property
    def _serial(self) -> str:
        """Twelve digits, as on the sensor, made up from the address."""
        return f"{int.from_bytes(self._address.encode(), 'big') % 10**12:012d}"

    @property
    def streaming(self) -> bool:
        """Whether somebody subscribed to samples."""
        return self._reference is not None

    @property
    def per_notification(self) -> int:
        """Samples in one packet."""
        return round(self.rate_hz) // PACKETS_HZ

    def advertisement(self, address: str, rssi_dbm: int) -> Advertisement:
        """Say what it advertises; the service of its data is not among it."""
        services = frozenset({full_uuid(0xFDF3), full_uuid(0x180D)})
        return Advertisement(address, f"Movesense {self._serial}", rssi_dbm, services)

    def read(self, characteristic: str) -> bytes:
        """Answer a read."""
        if characteristic != BATTERY_LEVEL:
            raise RefusedError(READ_NOT_PERMITTED)
        return bytes((round(self.battery_percent),))

    def write(self, characteristic: str, data: bytes, time_s: float) -> list[Notification]:  # noqa: ARG002
        """Take a command, and answer."""
        if characteristic != COMMAND:
            raise RefusedError(WRITE_NOT_PERMITTED)
        if len(data) < 2:
            raise RefusedError(WRONG_LENGTH)
        command, reference, payload = data[0], data[1], data[2:]
        if command == HELLO:
            texts = (self._serial, "Movesense", "0C8CDC000000", "Movesense default", "2.3.1")
            return [Notification(DATA, encode_hello(Hello(1, texts), reference))]
        status, content = self._obey(command, reference, payload)
        answer = encode_answer(Answer(reference, status, content))
        return [Notification(DATA, answer)]

    def _obey(self, command: int, reference: int, payload: bytes) -> tuple[int, bytes]:
        """Carry out a command: status and data of the answer."""
        if command == SUBSCRIBE:
            return self._start(reference, payload), b""
        if command == UNSUBSCRIBE:
            found = reference == self._reference
            if found:
                self.unlink()
            return (OK if found else NOT_FOUND), b""
        if command == GET:
            if payload.rstrip(b"\0") == BATTERY_PATH.encode():  # the NUL may be left out
                return OK, bytes((round(self.battery_percent),))
            return NOT_FOUND, b""
        if command == PUT_SYSTEM_MODE and payload == bytes((RESTART_MODE,)):
            self.exhausted = False
            self.unlink()
            return ACCEPTED, b""
        raise RefusedError(APPLICATION_ERROR)

    def _start(self, reference: int, payload: bytes) -> int:
        """Subscribe to samples; the answer's status."""
        if self.exhausted:
            return TOO_MANY_REQUESTS
        if self.streaming:
            return CONFLICT
        for rate in RATES_HZ:
            if payload.rstrip(b"\0") + b"\0" == encode_path(f"/Meas/IMU6/{rate}"):
                self.rate_hz, self._reference = float(rate), reference
                return OK
        return NOT_FOUND

    def subscribe(self, characteristic: str, on: bool) -> list[Notification]:  # noqa: ARG002
        """Notifications of a characteristic are switched on or off."""
        return []

    def encode(self, samples: Sequence[Sample], mtu: int) -> list[Notification]:
        """Turn samples into packets, each as DATA and as many parts as the MTU asks for."""
        out: list[Notification] = []
        if self._reference is not None:
            self._waiting.extend(samples)
            size = self.per_notification
            while len(self._waiting) >= size:
                packet, self._waiting = self._waiting[:size], self._waiting[size:]
                body = encode_vectors(_packet(packet))
                parts = encode_data(self._reference, body, mtu)
                out.extend(Notification(DATA, part) for part in parts)
        if round(self.battery_percent) != self._told_percent:
            self._told_percent = round(self.battery_percent)
            out.append(Notification(BATTERY_LEVEL, bytes((self._told_percent,))))
        return out

    def unlink(self) -> None:
        """The link is gone, and the subscription with it."""
        self._reference = None
        self._waiting = []


def _packet(samples: Sequence[Sample]) -> Vectors:
    """Put samples into one packet, stamped at the first of them."""
    counter_ms = round(samples[0].time_s * 1e3) % 2**32
    acc = tuple(_saturate(sample.acc_ms2, 1.0, ACC_RANGE_MS2) for sample in samples)
    gyr = tuple(_saturate(sample.gyr_rads, DEG_PER_RAD, GYR_RANGE_DEGS) for sample in samples)
    return Vectors(counter_ms, (acc, gyr))


def _saturate(vector: Vector, factor: float, limit: float) -> Vector:
    x, y, z = (min(max(value * factor, -limit), limit) for value in vector)
    return x, y, z
