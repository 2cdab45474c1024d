"""A recording played: everything of it, in the order it arrived, when it is due."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imu.frames import Batch
from imu.recording import Recording
from imu.samples import Stream
from imu.storage.session import read_session
from imu.transports.replay import batches, play

ROOT = Path(__file__).parents[3]


class Clock:
    """A clock that only waiting moves on, and as much as a slow consumer says."""

    def __init__(self, start_s: float = 500.0) -> None:
        self.at_s = start_s
        self.waits_s: list[float] = []

    def now_s(self) -> float:
        return self.at_s

    async def sleep(self, seconds: float) -> None:
        self.waits_s.append(seconds)
        self.at_s += seconds


async def played(
    recording: Recording, speed: float | None, clock: Clock, each_s: float = 0.0
) -> list[tuple[float, Batch]]:
    """What comes out, with the moment it did; whoever takes it needs some time for each."""
    found = []
    async for batch in play(recording, speed, now_s=clock.now_s, sleep=clock.sleep):
        found.append((clock.at_s, batch))
        clock.at_s += each_s
    return found


@st.composite
def recordings(draw) -> Recording:
    """Packets, late and overtaken ones among them; or no arrivals at all."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    with_arrival = draw(st.booleans())
    streams = {}
    for segment in ("pelvis", "thigh", "shank")[: draw(st.integers(1, 3))]:
        n = draw(st.integers(1, 40))
        time_s = rng.uniform(0, 9) + np.cumsum(rng.choice([0.01, 0.02, 0.5], n))
        packet = np.arange(n) // draw(st.integers(1, 4))
        arrival_s = 1000.0 + packet * 0.04 + rng.choice([0.0, 0.0, 0.1], packet[-1] + 1)[packet]
        values = rng.normal(0, 5, (n, 6))
        streams[segment] = Stream(
            segment, time_s, values[:, :3], values[:, 3:], arrival_s if with_arrival else None
        )
    return Recording("left", "left", "left.csv", streams)


def assert_equal(found: list[Batch], recording: Recording) -> None:
    """Every sample of the recording came out once, to the last bit."""
    assert {batch.segment for batch in found} == set(recording.streams)
    for segment, stream in recording.streams.items():
        rows = [
            (sample.time_s, *sample.acc_ms2, *sample.gyr_rads, batch.arrival_s)
            for batch in found
            if batch.segment == segment
            for sample in batch.samples
        ]
        arrival_s = stream.time_s if stream.arrival_s is None else stream.arrival_s
        expected = np.column_stack([stream.time_s, stream.acc_ms2, stream.gyr_rads, arrival_s])
        np.testing.assert_array_equal(np.array(sorted(rows)), expected)


@given(recordings())
def test_all_samples_come_out_in_the_order_they_arrived(recording):
    found = list(batches(recording))
    assert_equal(found, recording)
    latest_s = dict.fromkeys(recording.streams, -np.inf)
    taken_s = dict.fromkeys(recording.streams, -np.inf)
    delivered_s = -np.inf
    for batch in found:
        latest_s[batch.segment] = max(latest_s[batch.segment], batch.arrival_s)
        assert latest_s[batch.segment] >= delivered_s
        delivered_s = latest_s[batch.segment]
        for sample in batch.samples:
            assert sample.time_s > taken_s[batch.segment]
            taken_s[batch.segment] = sample.time_s
    for one, two in pairwise(found):
        assert (one.segment, one.arrival_s) != (two.segment, two.arrival_s)


@given(recordings(), st.sampled_from([0.5, 1.0, 8.0]), st.sampled_from([0.0, 0.003]))
def test_batches_come_when_they_are_due_and_late_only_behind_a_slow_consumer(
    recording, speed, each_s
):
    clock = Clock()
    found = asyncio.run(played(recording, speed, clock, each_s))
    assert [batch for _, batch in found] == list(batches(recording))
    first_s = found[0][1].arrival_s
    busy_until_s = 0.0
    for at_s, batch in found:
        due_s = 500.0 + (batch.arrival_s - first_s) / speed
        assert at_s >= due_s - 1e-9
        assert at_s <= max(due_s, busy_until_s) + 1e-9
        busy_until_s = at_s + each_s


@given(recordings())
def test_as_fast_as_possible_never_waits(recording):
    clock = Clock()
    found = asyncio.run(played(recording, None, clock))
    assert [batch for _, batch in found] == list(batches(recording))
    assert clock.waits_s == []


def test_others_get_their_turn_even_without_a_wait():
    recording = read_session(ROOT / "recordings" / "matched").recordings[0]

    async def count() -> tuple[int, int]:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(other())
        total = 0
        async for batch in play(recording, None):
            total += len(batch.samples)
            if total % 500 == 0:
                time.sleep(0.03)
        task.cancel()
        return total, turns

    total, turns = asyncio.run(count())
    assert total == sum(len(stream.time_s) for stream in recording.streams.values())
    assert turns >= 5


@pytest.mark.parametrize("name", ["matched", "bluetooth"])
def test_samples_of_the_recordings_come_out_as_they_are(name):
    for recording in read_session(ROOT / "recordings" / name).recordings:
        assert_equal(list(batches(recording)), recording)


def test_a_packets_samples_come_together():
    (recording, *_) = read_session(ROOT / "recordings" / "bluetooth").recordings
    arrivals = sum(len(np.unique(stream.arrival_s)) for stream in recording.streams.values())
    assert len(list(batches(recording))) == arrivals
    single = {name: replace(one, arrival_s=None) for name, one in recording.streams.items()}
    alone = list(batches(replace(recording, streams=single)))
    assert all(batch.arrival_s == batch.samples[0].time_s for batch in alone)


def test_it_keeps_to_the_real_clock():
    time_s = np.arange(20) / 100
    zeros = np.zeros((20, 3))
    recording = Recording("left", "left", "left.csv", {"thigh": Stream("t", time_s, zeros, zeros)})

    async def late_s() -> list[float]:
        begin_s = time.monotonic()
        return [
            time.monotonic() - begin_s - batch.arrival_s / 2 async for batch in play(recording, 2.0)
        ]

    late = asyncio.run(late_s())
    assert min(late) >= -0.001
    assert np.median(late) < 0.05
