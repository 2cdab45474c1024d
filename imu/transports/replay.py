"""A recorded set, at the pace it was recorded or faster: samples as if they came from sensors."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import islice, pairwise

import numpy as np

from imu.frames import Batch, Sample
from imu.recording import Recording
from imu.samples import Array, Stream

BLOCK_ROWS = 10_000
BREATHE_S = 0.02  # without a wait for so long, others get their turn


def batches(recording: Recording) -> Iterator[Batch]:
    """Yield a set's samples in the order they arrived.

    Yields
    ------
    Batch
        The samples of one sensor with one arrival. Where the set has no ``arrival_s``, ``time_s``
        stands for it. All values are the recording's own, to the last bit; the magnetic field is
        left out.

    Notes
    -----
    Live, the times of one sensor always increase. So what overtook an earlier packet waits for it.
    """
    streams = list(recording.streams.values())
    arrivals_s = [_arrival_s(stream) for stream in streams]
    samples = [_samples(stream) for stream in streams]
    owner = np.repeat(np.arange(len(streams)), [len(one) for one in arrivals_s])
    due_s = np.concatenate([np.maximum.accumulate(one) for one in arrivals_s])
    order = due_s.argsort(kind="stable")
    owner, arrival_s = owner[order], np.concatenate(arrivals_s)[order]
    starts = np.flatnonzero((np.diff(arrival_s) != 0) | (np.diff(owner) != 0)) + 1
    for start, end in pairwise([0, *starts.tolist(), len(owner)]):
        own = int(owner[start])
        together = tuple(islice(samples[own], end - start))
        yield Batch(streams[own].segment, float(arrival_s[start]), together)


def arrival_span_s(recording: Recording) -> tuple[float, float]:
    """Tell the first and the last arrival of a set, as its `batches` have them."""
    arrivals_s = [_arrival_s(stream) for stream in recording.streams.values()]
    first_s = min(float(arrival_s.min()) for arrival_s in arrivals_s)
    return first_s, max(float(arrival_s.max()) for arrival_s in arrivals_s)


def _arrival_s(stream: Stream) -> Array:
    return stream.time_s if stream.arrival_s is None else stream.arrival_s


def _samples(stream: Stream) -> Iterator[Sample]:
    """Yield a stream's samples, some thousands made at a time."""
    for start in range(0, len(stream.time_s), BLOCK_ROWS):
        block = slice(start, start + BLOCK_ROWS)
        columns = (stream.time_s[block], stream.acc_ms2[block], stream.gyr_rads[block])
        for time_s, acc, gyr in zip(*(column.tolist() for column in columns), strict=True):
            yield Sample(time_s, tuple(acc), tuple(gyr))


async def play(
    recording: Recording,
    speed: float | None = 1.0,
    *,
    now_s: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[Batch]:
    """Play a set: its `batches`, each when it is due.

    Parameters
    ----------
    recording : Recording
        What is played.
    speed : float or None
        How many times as fast as it was recorded, above 0; None as fast as possible. Who is too
        slow for it gets everything, later.
    now_s, sleep : callable
        The clock, and how to wait.

    Yields
    ------
    Batch
        See `batches`.
    """
    begin_s = breathed_s = now_s()
    first_s: float | None = None
    for batch in batches(recording):
        first_s = batch.arrival_s if first_s is None else first_s
        due_s = begin_s + (batch.arrival_s - first_s) / speed if speed else begin_s
        wait_s = due_s - now_s()
        if wait_s > 0 or now_s() - breathed_s > BREATHE_S:
            await sleep(max(wait_s, 0.0))
            breathed_s = now_s()
        yield batch
