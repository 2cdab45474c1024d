"""Recordings over the virtual radio, and what every sensor sent held against what was recorded.

Every sensor numbers its samples in its own angular rate, far above any sensor's resolution. So a
row tells which sample it is, whatever its time.
"""

from __future__ import annotations

import asyncio
import csv
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import count, pairwise
from pathlib import Path

from imu.codecs.table import load_codecs
from imu.collector.plans import Recorded, RecordPlan
from imu.collector.recorder import Recorder
from imu.collector.writing import SetPlan
from imu.emulators.peripheral import Emulator
from imu.emulators.table import make_emulator
from imu.formats.eventfile import parse_events
from imu.formats.framefile import KeptFrames, decode_frames
from imu.formats.setfile import SET_HEADER, format_batch
from imu.frames import Batch, Vector
from imu.recording import Event, SessionInfo
from tests.radio.sensor import Faults, Truth, VirtualSensor
from tests.radio.sources import GRAVITY, Source
from tests.radio.world import World

CODECS = load_codecs(plugins=())[0]
STARTED = "2026-01-01T09:00:00+00:00"
STEP_RADS = 0.02
RADIX = 100

# Half a count: acceleration in m/s², angular rate in rad/s; floats of 32 bits where there is none.
FLOATS = (1e-6, 2e-7)
RESOLUTION = {
    "movella-dot": FLOATS,
    "movesense": FLOATS,
    "witmotion": (16 * GRAVITY / 2**16, math.radians(2000 / 2**16)),
    "metamotion": (8 * GRAVITY / 2**16, math.radians(0.5 / 32.8)),
    "thingy52": (GRAVITY / 2048, math.radians(1 / 64)),
    "polar-verity": (0.5e-3 * GRAVITY, math.radians(0.035)),
}
UNASKED = ("witmotion", "metamotion")  # send once they are subscribed
# By how much a time may be off by the sensor's clock, where it has one.
CLOCK_S = {"movella-dot": 2e-6, "movesense": 1e-3, "polar-verity": 2e-3}


def numbered() -> Source:
    """A limb that swings; two axes of the angular rate count the samples."""
    numbers = count()

    def measure(elapsed_s: float) -> tuple[Vector, Vector]:
        high, low = divmod(next(numbers), RADIX)
        angle = 0.4 * math.sin(5.0 * elapsed_s)
        acc = (-GRAVITY * math.sin(angle), 0.5 * math.sin(elapsed_s), GRAVITY * math.cos(angle))
        return acc, (STEP_RADS * high, math.cos(5.0 * elapsed_s), STEP_RADS * low)

    return measure


def number_of(gyr_rads: Vector) -> int:
    return RADIX * round(gyr_rads[0] / STEP_RADS) + round(gyr_rads[2] / STEP_RADS)


def sensor(
    family: str,
    number: int,
    script: Sequence[Sequence] = (),
    adjust: Callable[[Emulator], None] = lambda _: None,
    **faults: float,
) -> VirtualSensor:
    address = f"D4:22:CD:00:00:{number:02X}"
    emulator = make_emulator(family, address)
    adjust(emulator)
    return VirtualSensor(emulator, address, numbered(), Faults(**faults), script)


@dataclass(frozen=True)
class Row:
    """One row of a set, as it stands in the file."""

    sensor: str
    time_s: float
    acc_ms2: Vector
    gyr_rads: Vector
    arrival_s: float

    @property
    def number(self) -> int:
        return number_of(self.gyr_rads)


def read_rows(path: Path) -> list[Row]:
    """Rows in the order of the file, read by nothing of ours."""
    rows = []
    with path.open(newline="") as file:
        for cells in csv.reader(file):
            if cells[0] != "sensor":
                time_s, *six, arrival_s = map(float, cells[1:])
                rows.append(Row(cells[0], time_s, tuple(six[:3]), tuple(six[3:]), arrival_s))
    return rows


@dataclass
class Person:
    """Who is told."""

    said: list[str] = field(default_factory=list)
    said_s: list[float] = field(default_factory=list)

    def say(self, text: str) -> None:
        self.said.append(text)
        self.said_s.append(time.monotonic())

    def show(self, sensors: Sequence, elapsed_s: float | None) -> None:
        """Nobody looks."""


@dataclass(frozen=True)
class Take:
    """A set that was recorded, by whom, and what became of it."""

    folder: Path
    sensors: Mapping[str, VirtualSensor]
    recorded: Recorded
    person: Person

    @property
    def said(self) -> list[str]:
        return self.person.said

    @property
    def path(self) -> Path:
        return self.folder / f"{self.recorded.set_name}.csv"

    def rows(self, segment: str) -> list[Row]:
        return [row for row in read_rows(self.path) if row.sensor == segment]

    def events(self) -> list[Event]:
        path = self.folder / "events.csv"
        names = {file.stem for file in self.folder.glob("*.csv")}
        return list(parse_events(path.read_bytes(), names)) if path.exists() else []

    def frames(self) -> KeptFrames:
        path = self.folder / f"{self.recorded.set_name}.frames.jsonl"
        return decode_frames(path.read_bytes(), path.name, CODECS)

    def status(self, segment: str):
        return next(one for one in self.recorded.sensors if one.segment == segment)


TOGETHER: ContextVar[asyncio.Barrier | None] = ContextVar("TOGETHER", default=None)


def together(folder: Path, *scenarios: Callable[[Path], Awaitable[None]]) -> None:
    """Run scenarios of one set each at the same time, each in a world and folder of its own."""

    async def run(scenario: Callable[[Path], Awaitable[None]], own: Path) -> None:
        try:
            await scenario(own)
        except BaseException:
            await TOGETHER.get().abort()
            raise

    async def go() -> list:
        TOGETHER.set(asyncio.Barrier(len(scenarios)))
        runs = [run(scenario, folder / str(number)) for number, scenario in enumerate(scenarios)]
        return await asyncio.gather(*runs, return_exceptions=True)

    failures = [one for one in asyncio.run(go()) if isinstance(one, Exception)]
    if failures:
        raise ExceptionGroup("scenarios", failures)


Meanwhile = Callable[[Recorder], Awaitable[None]]


async def take_set(
    sensors: Mapping[str, VirtualSensor],
    folder: Path,
    meanwhile: Meanwhile | None = None,
    consumers: Sequence[Callable[[Batch], None]] = (),
    **plan: object,
) -> Take:
    """Record a set from sensors in a world of their own; all frames are kept."""
    person = Person()
    set_plan = SetPlan(folder, "left", STARTED, keep_frames=True, consumers=consumers)
    usual = {"seconds": 3.0, "still_s": 0.0, "countdown_s": 0.0, "info": SessionInfo(subject="P")}
    async with World(sensors.values()) as world:
        roles = {segment: one.address for segment, one in sensors.items()}
        record_plan = RecordPlan(set_plan, roles, CODECS, **{**usual, **plan})
        recorder = Recorder(record_plan, world.radio(), person)
        beside = asyncio.create_task(meanwhile(recorder)) if meanwhile else None
        recorded = await recorder.record()
        if beside is not None:
            await beside
    others = TOGETHER.get()
    if others is not None:
        with suppress(asyncio.BrokenBarrierError):
            await others.wait()  # what is checked at once would hold up those who still record
    return Take(folder, sensors, recorded, person)


def in_trouble(*troubles: tuple) -> Meanwhile:
    """Troubles ``(seconds after the set began, sensor, order, arguments...)``, at their times."""

    async def meanwhile(recorder: Recorder) -> None:
        while not all(one.samples for one in recorder.statuses()) or not recorder.statuses():
            await asyncio.sleep(0.01)
        await asyncio.gather(*(befall(*trouble) for trouble in troubles))

    async def befall(after_s: float, sensor: VirtualSensor, order: str, *arguments) -> None:
        await asyncio.sleep(after_s)
        done = getattr(sensor, order)(*arguments)
        if done is not None:
            await done

    return meanwhile


def crossed(sensor: VirtualSensor, *fates: str) -> list[Truth]:
    return [truth for truth in sensor.truth if truth.fate in fates]


def check_whole(rows: Sequence[Row], sensor: VirtualSensor, family: str) -> None:
    """Every sample sent from the set's first to its last is there, once, in order, as it was.

    Excused are whole samples of a notification cut short, which may be there or not; what a
    sensor that needs no start sends before it is set up again; and a notification that crosses
    with the order to end, or two where the machine is busy.
    """
    numbers = [row.number for row in rows]
    truth = {number_of(one.gyr_rads): one for one in crossed(sensor, "sent", "truncated")}
    assert len(truth) == len(crossed(sensor, "sent", "truncated"))
    recorded = set(numbers)
    expected = [
        number
        for number, one in truth.items()
        if numbers[0] <= number <= numbers[-1] and (one.fate == "sent" or number in recorded)
    ]
    if family in UNASKED:
        away = [(last.number, back.number) for last, back in silences(rows)]
        expected = [n for n in expected if not any(last < n < back for last, back in away)]
    assert numbers == expected, f"{family}: {differences(numbers, expected)}"
    after = [one for number, one in truth.items() if number > numbers[-1] and one.fate == "sent"]
    assert len(after) <= 3 * sensor.emulator.per_notification, family
    check_values(rows, [truth[number] for number in numbers], family)
    assert all(before.time_s < after.time_s for before, after in pairwise(rows)), family


def silences(rows: Sequence[Row], longest_s: float = 0.9) -> list[tuple[Row, Row]]:
    """The rows around each time in which nothing arrived."""
    return [(a, b) for a, b in pairwise(rows) if b.arrival_s - a.arrival_s > longest_s]


def differences(found: Sequence[int], expected: Sequence[int]) -> str:
    missing = sorted(set(expected) - set(found))
    made_up = sorted(set(found) - set(expected))
    doubled = len(found) - len(set(found))
    return f"{len(found)} of {len(expected)}, missing {missing}, made up {made_up}, {doubled} twice"


def check_values(rows: Sequence[Row], truth: Sequence[Truth], family: str) -> None:
    acc, gyr = RESOLUTION[family]
    for row, one in zip(rows, truth, strict=True):
        off_acc = max(abs(a - b) for a, b in zip(row.acc_ms2, one.acc_ms2, strict=True))
        off_gyr = max(abs(a - b) for a, b in zip(row.gyr_rads, one.gyr_rads, strict=True))
        assert off_acc <= 1.001 * acc, (family, row, one)
        assert off_gyr <= 1.001 * gyr, (family, row, one)


def check_times(rows: Sequence[Row], sensor: VirtualSensor, family: str) -> None:
    """Times go with the sensor's clock; where it tells none, at an even pace."""
    if family not in CLOCK_S:
        steps = [after.time_s - before.time_s for before, after in pairwise(rows)]
        interval_s = 1.0 / sensor.emulator.rate_hz
        assert max(abs(step - interval_s) for step in steps) < 3e-6, family
        return
    truth = {number_of(one.gyr_rads): one.time_s for one in sensor.truth}
    offsets = [row.time_s - truth[row.number] for row in rows]
    assert max(offsets) - min(offsets) <= 2 * CLOCK_S[family], family


def check_frames(take: Take) -> None:
    """The kept frames give the rows again, byte for byte."""
    kept = take.frames()
    assert kept.ended
    text = "".join(format_batch(batch) for batch in kept.batches)
    assert f"{SET_HEADER}\n{text}" == take.path.read_text()
