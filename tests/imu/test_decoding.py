"""One decoder a sensor: begun, linked again, finished under the last frame that gave samples."""

from __future__ import annotations

from types import SimpleNamespace

from imu.codecs.protocol import Decoded
from imu.decoding import SensorDecoding
from imu.frames import Frame, Sample


class Fake:
    """A decoder that writes down its calls; a frame of b"s" gives a sample."""

    def __init__(self, log: list[object]) -> None:
        self.log = log

    def feed(self, frame: Frame) -> Decoded:
        self.log.append(frame.payload)
        sample = Sample(frame.arrival_s, (0.0, 0.0, 9.8), (0.0, 0.0, 0.0))
        return Decoded((sample,) if frame.payload == b"s" else ())

    def relink(self, settings: object) -> None:
        self.log.append(("relink", settings))

    def finish(self) -> Decoded:
        self.log.append("finish")
        return Decoded((Sample(9.0, (0.0, 0.0, 9.8), (0.0, 0.0, 0.0)),))


def made() -> tuple[SensorDecoding, list[object]]:
    log: list[object] = []

    def decoder(device: str, settings: object) -> Fake:
        log.append((device, settings))
        return Fake(log)

    return SensorDecoding(SimpleNamespace(model="Dot", decoder=decoder), "AA"), log


def frame(at_s: float, payload: bytes = b"s") -> Frame:
    return Frame("uuid", at_s, payload)


def test_without_a_stream_frames_give_nothing():
    decoding, log = made()
    assert not decoding.linked
    assert decoding.feed(frame(1.0)) == Decoded()
    assert decoding.finish() == Decoded()
    assert log == []


def test_a_stream_that_starts_again_keeps_its_decoder():
    decoding, log = made()
    decoding.link({"rate_hz": 60})
    decoding.feed(frame(1.0))
    decoding.link({"rate_hz": 30})
    assert log == [("Dot AA", {"rate_hz": 60}), b"s", ("relink", {"rate_hz": 30})]


def test_begun_afresh_nothing_from_before_counts():
    decoding, log = made()
    decoding.begin({"rate_hz": 60})
    decoding.feed(frame(1.0))
    decoding.begin({"rate_hz": 60})
    assert decoding.last_arrival_s is None
    assert decoding.finish() == Decoded()
    assert log.count(("Dot AA", {"rate_hz": 60})) == 2


def test_what_was_held_back_is_finished_under_the_last_frame_with_samples():
    decoding, _ = made()
    decoding.link({})
    decoding.feed(frame(1.0))
    decoding.feed(frame(2.0, b"battery"))
    assert decoding.last_arrival_s == 1.0
    assert [sample.time_s for sample in decoding.finish().samples] == [9.0]
