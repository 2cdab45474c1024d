"""A small sensor of nobody's, with its codec: what a third party's plug-in looks like.

A notification is a sample: its number, the sensor's microseconds, six floats in SI units. It
streams while anybody is subscribed.
"""

# ruff: noqa: ARG002  the protocols name the arguments, also those not needed here

from __future__ import annotations

import struct
from collections.abc import Mapping

from imu.codecs.clocks import DeviceClock
from imu.codecs.dialogue import Read, Subscribe, Unsubscribe, Write
from imu.codecs.protocol import NOTHING, Decoded, Identity
from imu.emulators.peripheral import Notification, RefusedError
from imu.errors import FrameError
from imu.frames import BATTERY_LEVEL, Advertisement, Frame, Sample, full_uuid

SERVICE = "7a0f0001-5f1e-4c8e-9d3b-0a1b2c3d4e5f"
DATA = "7a0f0002-5f1e-4c8e-9d3b-0a1b2c3d4e5f"
RATE = "7a0f0003-5f1e-4c8e-9d3b-0a1b2c3d4e5f"
BATTERY_SERVICE = full_uuid(0x180F)
COMPANY = 0xFFFF
LAYOUT = struct.Struct("<II6f")
RATES_HZ = (30.0, 60.0, 120.0)
READ_NOT_PERMITTED, WRITE_NOT_PERMITTED = 0x02, 0x03


class PlainDecoder:
    def __init__(self, device: str) -> None:
        self._device = device
        self._clock = DeviceClock(bits=32, unit_s=1e-6)
        self._last_s: float | None = None

    def feed(self, frame: Frame) -> Decoded:
        if frame.characteristic != DATA:
            return NOTHING
        if len(frame.payload) != LAYOUT.size:
            return self._refuse(f"{LAYOUT.size} bytes of a sample", frame.payload)
        _, micros, *six = LAYOUT.unpack(frame.payload)
        if not all(abs(value) < 1e4 for value in six):
            return self._refuse("a sample within 10000 m/s² and rad/s", frame.payload)
        before = self._clock.restarts
        time_s = self._clock.place(micros, frame.arrival_s)
        if time_s is None:
            return self._refuse("a time near the last one", frame.payload)
        if self._last_s is not None and time_s <= self._last_s:
            return Decoded(duplicates=1)
        self._last_s = time_s
        sample = Sample(time_s, tuple(six[:3]), tuple(six[3:]))
        return Decoded((sample,), restarts=self._clock.restarts - before)

    def _refuse(self, expected: str, payload: bytes) -> Decoded:
        return Decoded(refused=(FrameError(self._device, expected, payload),))

    def relink(self, settings) -> None:
        self._clock.relink()

    def finish(self) -> Decoded:
        return NOTHING


class PlainCodec:
    name = "plain"
    model = "Plain sensor"
    rates_hz = RATES_HZ
    default_rate_hz = RATES_HZ[-1]
    clock = "the sensor's microseconds"
    service = SERVICE
    can_identify = False

    def recognises(self, advertisement: Advertisement) -> bool:
        return SERVICE in advertisement.services

    def describe(self):
        level = yield Read(BATTERY_LEVEL, optional=True)
        return Identity(self.model, battery_percent=float(level[0]) if level else None)

    def identify(self):
        yield from ()

    def prepare(self, rate_hz: float):
        yield Unsubscribe(DATA)
        yield Write(RATE, bytes((round(rate_hz),)))
        answer = yield Read(RATE)
        if answer != bytes((round(rate_hz),)):
            raise FrameError(self.model, f"a rate of {rate_hz:g} Hz", answer)
        return {"rate_hz": rate_hz}

    def begin(self, settings):
        yield Subscribe(DATA)

    def end(self, settings):
        yield Unsubscribe(DATA)

    def decoder(self, device: str, settings) -> PlainDecoder:
        return PlainDecoder(device)


class PlainEmulator:
    services: Mapping[str, Mapping[str, str]] = {
        SERVICE: {DATA: "notify", RATE: "read,write"},
        BATTERY_SERVICE: {BATTERY_LEVEL: "read,notify"},
    }
    per_notification = 1
    keeps_measuring = False

    def __init__(self, address: str) -> None:
        self.rate_hz = RATES_HZ[-1]
        self.streaming = False
        self.battery_percent = 90.0
        self._number = 0

    def advertisement(self, address: str, rssi_dbm: int) -> Advertisement:
        maker = {COMPANY: bytes.fromhex(address.replace(":", ""))}
        return Advertisement(address, "Plain sensor", rssi_dbm, frozenset({SERVICE}), maker)

    def read(self, characteristic: str) -> bytes:
        if characteristic == BATTERY_LEVEL:
            return bytes((round(self.battery_percent),))
        if characteristic == RATE:
            return bytes((round(self.rate_hz),))
        raise RefusedError(READ_NOT_PERMITTED)

    def write(self, characteristic: str, data: bytes, time_s: float) -> list[Notification]:
        if characteristic != RATE or tuple(data) not in {(round(rate),) for rate in RATES_HZ}:
            raise RefusedError(WRITE_NOT_PERMITTED)
        self.rate_hz = float(data[0])
        return []

    def subscribe(self, characteristic: str, on: bool) -> list[Notification]:
        if characteristic == DATA:
            self.streaming = on
        return []

    def encode(self, samples, mtu: int) -> list[Notification]:
        sent = []
        for sample in samples:
            micros = round(sample.time_s * 1e6) % 2**32
            six = (*sample.acc_ms2, *sample.gyr_rads)
            sent.append(Notification(DATA, LAYOUT.pack(self._number % 2**32, micros, *six)))
            self._number += 1
        return sent

    def unlink(self) -> None:
        self.streaming = False


CODEC = PlainCodec()
