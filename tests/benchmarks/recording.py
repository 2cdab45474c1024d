"""The live side: ``python -m tests.benchmarks.recording [--minutes M]``.

- Decoding, samples a second of every family, and the share of a core that three sensors at 120 Hz
  take for it.
- Three sensors at 120 Hz recorded over the virtual radio in real time (10 minutes by default): the
  share of a core, for the whole process and for the recorder's own part; the memory after the first
  minute; every sample that crossed the air recorded once.

The process runs both ends: the emulated sensors, their Bluetooth stack and the recorder's. What
those take without a recorder (the same streams, frames thrown away) is measured in the same run and
taken off. Exit status 1 where a limit is exceeded.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
import tempfile
import time
from pathlib import Path

from imu.codecs.protocol import Codec
from imu.codecs.table import load_codecs
from imu.collector.plans import RecordPlan
from imu.collector.recorder import Recorder
from imu.collector.writing import SetPlan
from imu.emulators.table import make_emulator
from imu.formats.setfile import parse_set
from imu.frames import Frame, Sample
from tests.imu.codecs.driving import HandLink
from tests.radio.plain import CODEC, DATA, PlainEmulator
from tests.radio.sensor import VirtualSensor
from tests.radio.sources import swing
from tests.radio.world import World

RATE_HZ, SENSORS = 120.0, 3
CPU_LIMIT = 0.15  # of a core
MEMORY_LIMIT_MB = 5.0  # after the first minute
SEGMENTS = ("pelvis", "thigh", "shank")
DECODED = 20_000


class Silent:
    """Nobody looks."""

    def say(self, text: str) -> None:
        del text

    def show(self, *_: object) -> None:
        pass


class Counted(VirtualSensor):
    """A sensor whose truth is counted, not kept: ten minutes of it would fill the memory."""

    sent = 0

    def count(self, fate: str) -> None:
        self.sent += fate == "sent"
        self.truth.clear()


def sensor(segment: str, number: int) -> Counted:
    address = f"C0:DE:00:00:00:{number:02X}"
    made = Counted(PlainEmulator(address), address, swing(float(number)))
    made._record = lambda truth: made.count(truth.fate)
    made.segment = segment
    return made


def frames_of(name: str, codec: Codec) -> tuple[list[Frame], dict, int]:
    """Frames of one emulated sensor at its usual rate, as they would come."""
    emulator = make_emulator(name, "D4:22:CD:00:00:01")
    link = HandLink(emulator)
    settings = link.converse(codec.prepare(codec.default_rate_hz))
    link.converse(codec.begin(settings))
    rate_hz, together = emulator.rate_hz, emulator.per_notification
    frames: list[Frame] = []
    for first in range(0, DECODED, together):
        samples = [_sample(index, rate_hz) for index in range(first, first + together)]
        now_s = 1000.0 + samples[-1].time_s
        frames += [Frame(uuid, now_s, data) for uuid, data in emulator.encode(samples, 247)]
    return frames, settings, DECODED


def _sample(index: int, rate_hz: float) -> Sample:
    time_s = index / rate_hz
    angle = 0.4 * math.sin(time_s)
    acc = (9.8 * math.sin(angle), 0.1, 9.8 * math.cos(angle))
    return Sample(time_s, acc, (0.1, 0.4 * math.cos(time_s), -0.2))


def decoding() -> bool:
    """Print the throughput of every family; whether three sensors leave room for all else."""
    slowest = math.inf
    for name, codec in load_codecs(plugins=())[0].items():
        frames, settings, count = frames_of(name, codec)
        best_s = math.inf
        for _ in range(3):
            decoder = codec.decoder("benchmark", settings)
            begun_s = time.perf_counter()
            got = sum(len(decoder.feed(frame).samples) for frame in frames)
            best_s = min(best_s, time.perf_counter() - begun_s)
        slowest = min(slowest, got / best_s)
        print(f"  {name:14s} {got / best_s:9.0f} samples/s ({got} of {count})")
    share = SENSORS * RATE_HZ / slowest
    print(f"  3 x 120 Hz take {100 * share:.2f} % of a core, by the slowest family")
    return share < CPU_LIMIT


def resident_mb() -> float:
    """Memory of this process now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


async def drain(seconds: float) -> float:
    """Receive the same streams without a recorder; the share of a core both ends take."""
    async with World([sensor(segment, n) for n, segment in enumerate(SEGMENTS, 1)]) as world:
        radio = world.radio()
        async for _ in radio.scan(0.5):
            pass
        links = []
        for one in world.sensors:
            link = await radio.connect(one.address, lambda _: None, lambda: None, 5.0)
            await link.subscribe(DATA)
            links.append(link)
        cpu_s, begun_s = time.process_time(), time.monotonic()
        await asyncio.sleep(seconds)
        share = (time.process_time() - cpu_s) / (time.monotonic() - begun_s)
        for link in links:
            await link.close()
    return share


async def record(folder: Path, seconds: float) -> tuple[float, list[float], int, int]:
    """Record; the share of a core, memory every 5 s, samples sent and written."""
    sensors = [sensor(segment, n) for n, segment in enumerate(SEGMENTS, 1)]
    memory_mb: list[float] = []
    async with World(sensors) as world:
        plan = RecordPlan(
            SetPlan(folder, "left", "2026-01-01T00:00:00+00:00"),
            {one.segment: one.address for one in sensors},
            {CODEC.name: CODEC},
            seconds=seconds,
            countdown_s=0.0,
            still_s=0.1,
        )
        recorder = Recorder(plan, world.radio(), Silent())
        task = asyncio.create_task(recorder.record())
        while recorder.statuses() == () or not recorder.statuses()[0].samples:
            await asyncio.sleep(0.1)
        cpu_s, begun_s = time.process_time(), time.monotonic()
        while not task.done():
            memory_mb.append(resident_mb())
            await asyncio.wait([task], timeout=5.0)
        share = (time.process_time() - cpu_s) / (time.monotonic() - begun_s)
        recorded = task.result()
        assert recorded.failure is None, recorded.failure
    lost = sum(one.lost + one.refused + one.duplicates for one in recorded.sensors)
    return share, memory_mb, lost, sum(one.samples for one in recorded.sensors)


def soak(minutes: float) -> bool:
    """Record for minutes and look at everything."""
    idle = asyncio.run(drain(15.0))
    with tempfile.TemporaryDirectory() as folder:
        share, memory_mb, lost, samples = asyncio.run(record(Path(folder), 60.0 * minutes))
        data = Path(folder, "left.csv").read_bytes()
    recording = parse_set(data, "left", "left.csv")
    rows = sum(len(stream.time_s) for stream in recording.streams.values())
    own = share - idle
    print(f"  {minutes:g} min, {samples} samples, {rows} rows, lost or doubled {lost}")
    print(f"  a core: {100 * share:.1f} % with both ends of the radio, {100 * own:.1f} % without")
    settled = memory_mb[12:] or memory_mb
    spread = max(settled) - min(settled)
    print(f"  memory after the first minute: {settled[0]:.1f} MB, spread {spread:.1f} MB")
    enough = samples >= SENSORS * RATE_HZ * 60.0 * minutes
    return lost == 0 and rows == samples and enough and own < CPU_LIMIT and spread < MEMORY_LIMIT_MB


def main() -> int:
    """Run both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    minutes = parser.parse_args().minutes
    print("decoding")
    fine = decoding()
    print("recording, 3 x 120 Hz")
    return 0 if soak(minutes) and fine else 1


if __name__ == "__main__":
    sys.exit(main())
