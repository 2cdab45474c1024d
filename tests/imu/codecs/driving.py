"""Both ends of a codec without a radio: a link by hand, answered by an emulator."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from imu.codecs.dialogue import Ask, Dialogue, Pause, Read, Subscribe, Unsubscribe, Write
from imu.codecs.protocol import Codec, Decoded, Decoder, StreamSettings
from imu.emulators.peripheral import Emulator, Notification, RefusedError
from imu.errors import FrameError, LinkError
from imu.frames import Frame, Sample

ADDRESS = "00:00:5E:00:53:01"


@dataclass
class HandLink:
    """Carries out dialogues as the collector does, and keeps what the sensor sent."""

    emulator: Emulator
    subscribed: set[str] = field(default_factory=set)
    received: list[Notification] = field(default_factory=list)
    paused_s: float = 0.0
    lacking: set[str] = field(default_factory=set)  # characteristics the sensor does not have

    def converse(self, dialogue: Dialogue[Any]) -> Any:
        answer: bytes | None = None
        try:
            while True:
                step = next(dialogue) if answer is None else dialogue.send(answer)
                answer = self.answer(step)
        except StopIteration as end:
            return end.value
        except FrameError as error:
            raise LinkError(str(error)) from None
        finally:
            dialogue.close()

    def answer(self, step: object) -> bytes:
        match step:
            case Pause():
                self.paused_s += step.seconds
            case Write():
                self._write(step.characteristic, step.data)
            case Read():
                return self._read(step)
            case Subscribe():
                self._subscribe(step)
            case Unsubscribe():
                self.subscribed.discard(step.characteristic)
                self.emulator.subscribe(step.characteristic, on=False)
            case Ask():
                return self._ask(step)
            case _:
                raise AssertionError(step)
        return b""

    def _subscribe(self, step: Subscribe) -> None:
        if self.has(step.characteristic):
            self.subscribed.add(step.characteristic)
            self._deliver(self.emulator.subscribe(step.characteristic, on=True))
        elif not step.optional:
            raise LinkError(f"there is no {step.characteristic}")

    def has(self, uuid: str) -> bool:
        services = self.emulator.services
        known = set(services) | {one for inside in services.values() for one in inside}
        return uuid in known - self.lacking

    def _write(self, characteristic: str, data: bytes) -> list[Notification]:
        try:
            return self._deliver(self.emulator.write(characteristic, data, 0.0))
        except RefusedError as error:
            raise LinkError(f"writing was refused: {error}") from None

    def _read(self, step: Read) -> bytes:
        try:
            if not self.has(step.characteristic):
                raise RefusedError(0x0A)
            return self.emulator.read(step.characteristic)
        except RefusedError as error:
            if step.optional:
                return b""
            raise LinkError(f"reading was refused: {error}") from None

    def _ask(self, step: Ask) -> bytes:
        for one in self._write(step.characteristic, step.data):
            if one.characteristic == step.answers_on and step.matches(one.payload):
                return one.payload
        if step.optional:
            return b""
        raise LinkError("no answer")

    def _deliver(self, notifications: Iterable[Notification]) -> list[Notification]:
        heard = [one for one in notifications if one.characteristic in self.subscribed]
        self.received += heard
        return heard

    def stream(
        self, samples: Sequence[Sample], mtu: int = 247, chunk: int | None = None
    ) -> list[Frame]:
        """What is received of samples measured one after the other, without any delay."""
        frames: list[Frame] = []
        for batch in batches(samples, chunk or self.emulator.per_notification):
            arrival_s = 1000.0 + batch[-1].time_s
            heard = self._deliver(self.emulator.encode(batch, mtu))
            frames += [Frame(one.characteristic, arrival_s, one.payload) for one in heard]
        return frames

    def lose(self) -> None:
        """The link is gone."""
        self.subscribed.clear()
        self.emulator.unlink()


def batches(samples: Sequence[Sample], size: int) -> Iterator[Sequence[Sample]]:
    for start in range(0, len(samples), size):
        yield samples[start : start + size]


def streaming(
    codec: Codec, emulator: Emulator, rate_hz: float | None = None
) -> tuple[HandLink, StreamSettings, Decoder]:
    """Set a sensor up and start it; the settings as if read back from a file."""
    link = HandLink(emulator)
    settings = link.converse(codec.prepare(rate_hz or codec.default_rate_hz))
    link.converse(codec.begin(settings))
    settings = json.loads(json.dumps(settings))
    return link, settings, codec.decoder("sensor", settings)


def motion(count: int, rate_hz: float, start_s: float = 100.0) -> list[Sample]:
    """A smooth movement well within every sensor's range."""
    rows = []
    for index in range(count):
        t = index / rate_hz
        acc = (3.0 * math.sin(t), 2.0 * math.cos(1.3 * t), 9.8 + math.sin(2.1 * t))
        gyr = (1.5 * math.sin(1.7 * t), -0.8 * math.cos(t), 0.3 * math.sin(3.0 * t))
        rows.append(Sample(start_s + t, acc, gyr))
    return rows


def decode(decoder: Decoder, frames: Iterable[Frame]) -> Decoded:
    """Feed frames and sum up what came out; times must increase, errors keep their bytes."""
    return total(decoder.feed(frame) for frame in frames)


def total(results: Iterable[Decoded]) -> Decoded:
    samples: list[Sample] = []
    refused: list[FrameError] = []
    duplicates = restarts = 0
    battery: float | None = None
    for one in results:
        samples += one.samples
        refused += one.refused
        duplicates += one.duplicates
        restarts += one.restarts
        battery = battery if one.battery_percent is None else one.battery_percent
    for error in refused:
        assert isinstance(error.payload, bytes)
        assert "\n" not in str(error)
    times = [sample.time_s for sample in samples]
    assert all(before < after for before, after in itertools.pairwise(times))
    return Decoded(tuple(samples), tuple(refused), duplicates, restarts, battery)


def worst(samples: Sequence[Sample], truth: Sequence[Sample]) -> tuple[float, float]:
    """Largest differences of acceleration [m/s²] and angular rate [rad/s]."""
    assert len(samples) == len(truth)
    pairs = list(zip(samples, truth, strict=True))
    acc = max(math.dist(one.acc_ms2, other.acc_ms2) for one, other in pairs)
    gyr = max(math.dist(one.gyr_rads, other.gyr_rads) for one, other in pairs)
    return acc, gyr


def time_errors(samples: Sequence[Sample], truth: Sequence[Sample]) -> list[float]:
    """Errors of the times [s], whatever the origin of the sensor's clock."""
    origin_s = samples[0].time_s - truth[0].time_s
    pairs = zip(samples, truth, strict=True)
    return [one.time_s - other.time_s - origin_s for one, other in pairs]
