"""Whole recordings in made time: minutes of a simulated person in a second, and always the same."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.commands.watching import LIFT, LeanWatcher, RepCounter, Watcher, guide_lift
from analysis.pipeline import analyse
from analysis.settings import Settings
from imu.codecs.table import load_codecs
from imu.collector.plans import Recorded, RecordPlan
from imu.collector.recorder import Recorder
from imu.collector.writing import SetPlan
from imu.formats.setfile import parse_set
from imu.recording import Event, SessionInfo
from imu.storage.session import read_calibration, read_session
from imu.transports.simulated import SimulatedRadio
from tests import virtual_time

CODECS, _ = load_codecs()


class Listener:
    """What the person is told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.times_s: list[float] = []

    def say(self, text: str) -> None:
        self.said.append(text)
        self.times_s.append(asyncio.get_running_loop().time())

    def show(self, sensors: object, elapsed_s: float | None) -> None:
        pass


def plan(folder: Path, radio: SimulatedRadio, side: str = "left", **more: object) -> RecordPlan:
    set_plan = SetPlan(folder, side, "2026-01-01T10:00:00+00:00")
    made = RecordPlan(set_plan, dict(radio.addresses), CODECS, info=SessionInfo(subject="P"))
    return replace(made, **more)


async def lifted(recorder: Recorder, listener: Listener, watcher: Watcher | None) -> None:
    """Ask for the lift, and let the count know of it, as the command does."""

    def told() -> None:
        assert isinstance(watcher, RepCounter)
        assert watcher.first_arrival_s is not None
        since_s = asyncio.get_running_loop().time() - watcher.first_arrival_s
        watcher.events.append(Event(watcher.name, since_s, "lift"))

    await guide_lift(lambda: recorder.mark("lift"), listener.say, told)


def record(
    made: RecordPlan,
    radio: SimulatedRadio,
    watcher: Watcher | None = None,
    lift: bool = False,
    stop_after_s: float | None = None,
) -> tuple[Recorded, Listener]:
    listener = Listener()

    async def work() -> Recorded:
        consumers = () if watcher is None else (watcher.take,)
        recorder = Recorder(
            replace(made, set_plan=replace(made.set_plan, consumers=consumers)), radio, listener
        )
        tasks = []
        if watcher is not None:
            tasks.append(asyncio.create_task(watcher.watch(recorder.stop, listener.say)))
        if lift:
            tasks.append(asyncio.create_task(lifted(recorder, listener, watcher)))
        if stop_after_s is not None:
            asyncio.get_running_loop().call_later(stop_after_s, recorder.stop.set)
        try:
            return await recorder.record()
        finally:
            for task in tasks:
                task.cancel()

    return virtual_time.run(work()), listener


def person(name: str = "movella-dot", does: str = "", side: str = "left") -> SimulatedRadio:
    return SimulatedRadio(CODECS[name], ["pelvis", "thigh"], side, None, 3, does=does)


@pytest.mark.parametrize("name", sorted(CODECS))
def test_every_family_is_recorded_whole_for_as_long_as_asked(tmp_path, name):
    radio = person(name)
    recorded, listener = record(plan(tmp_path, radio, seconds=20.0), radio)
    assert (recorded.set_name, recorded.failure) == ("left", None)
    assert listener.said[-4:] == ["3", "2", "1", "Go."]
    steps = [b - a for a, b in zip(listener.times_s[-4:], listener.times_s[-3:], strict=False)]
    assert steps == pytest.approx([1.0] * 3, abs=0.11)
    found = parse_set((tmp_path / "left.csv").read_bytes(), "left", "left.csv")
    for status in recorded.sensors:
        stream = found.streams[status.segment]
        assert (len(stream.time_s), status.lost) == (status.samples, 0)
        lasted_s = float(stream.time_s[-1] - stream.time_s[0])
        assert 23.0 < lasted_s < 27.0  # stillness and countdown belong to it


def test_a_set_ends_with_the_repetition_asked_for(tmp_path):
    radio = person()
    watcher = RepCounter("left", 2, Settings())
    recorded, listener = record(plan(tmp_path, radio), radio, watcher)
    assert recorded.failure is None
    assert "2 of 2 repetitions." in listener.said
    (found,) = analyse(read_session(tmp_path), Settings()).sets
    truth = radio.person.truth.reps
    assert sum(rep.counts for rep in found.reps) in (2, 3)  # the next one may have begun
    for measured, true in zip(found.reps[:2], truth[:2], strict=True):
        assert measured.rom_deg == pytest.approx(true.rom_deg, abs=0.6)


def test_a_lean_ends_by_itself_and_says_where_the_sensor_faces(tmp_path):
    radio = person(does="lean")
    recorded, listener = record(plan(tmp_path, radio, "calibration"), radio, LeanWatcher())
    assert (recorded.set_name, recorded.failure) == ("calibration", None)
    assert "3 of 3 leans." in listener.said
    assert read_calibration(tmp_path) is not None


def test_a_lift_is_asked_for_marked_and_proves_the_direction(tmp_path):
    radio = person(does="lift")
    made = plan(tmp_path, radio, countdown_s=8.0)
    _, listener = record(made, radio, RepCounter("left", 1, Settings()), lift=True)
    assert LIFT in listener.said
    session = read_session(tmp_path)
    assert [event.kind for event in session.events] == ["lift"]
    (found,) = analyse(session, Settings()).sets
    assert (found.quality.direction, found.quality.grade) == ("proven", "good")


def test_stopped_before_it_begins_nothing_is_left_behind(tmp_path):
    radio = person()
    recorded, _ = record(plan(tmp_path / "s", radio), radio, stop_after_s=0.5)
    assert recorded.set_name is None
    assert not list(tmp_path.rglob("*.csv"))


def test_the_same_person_gives_the_same_bytes(tmp_path):
    texts = []
    for name in ("one", "two"):
        radio = person()
        record(plan(tmp_path / name, radio, seconds=5.0), radio)
        texts.append((tmp_path / name / "left.csv").read_bytes())
    assert texts[0] == texts[1]
