"""One long recording -> its sets: what lies between two handlings of the sensors.

Walking to the bench, or moving the thigh sensor to the other leg, turns the sensors faster than the
drill does, and in all directions. A set is a stretch without such handling that begins with a still
moment and holds turns of the thigh.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, uniform_filter1d

from imu.samples import Array, Stream
from imu.units import RAD_PER_DEG

Mask = NDArray[np.bool_]

GRID_HZ = 50.0
HANDLED_PELVIS_RADS = 60.0 * RAD_PER_DEG
HANDLED_THIGH_RADS = 200.0 * RAD_PER_DEG
HANDLED_MS2 = 6.0  # of the specific force from gravity
AROUND_S = 1.0  # before and after a handling
QUIET_RADS = 6.0 * RAD_PER_DEG  # after the sensor's bias is taken off
STILL_S = 1.5
TURNING_RADS = 8.0 * RAD_PER_DEG
MIN_TURN_S = 0.4
MIN_TURNS = 4  # two repetitions, in and back
MIN_SET_S = 8.0
REST_S = 20.0  # stillness that ends a set
TAIL_S = 3.0


@dataclass(frozen=True, slots=True)
class Span:
    """One set within a recording.

    Attributes
    ----------
    start_s, end_s : float
        On the recording's clock.
    turns : int
        Bouts of turning of the thigh seen in it.
    """

    start_s: float
    end_s: float
    turns: int


def find_sets(pelvis: Stream, moving: Stream) -> list[Span]:
    """Find the sets of a recording.

    Parameters
    ----------
    pelvis, moving : Stream
        The pelvis sensor and the one on the leg, on one clock.

    Returns
    -------
    list of Span
        In order of time; empty where none is seen.
    """
    start_s = max(pelvis.time_s[0], moving.time_s[0])
    end_s = min(pelvis.time_s[-1], moving.time_s[-1])
    grid = np.arange(start_s, end_s, 1.0 / GRID_HZ)
    if len(grid) < MIN_SET_S * GRID_HZ:
        return []
    rates = [_smooth_rate(stream, grid) for stream in (pelvis, moving)]
    handled = (rates[0] > HANDLED_PELVIS_RADS) | (rates[1] > HANDLED_THIGH_RADS)
    for stream in (pelvis, moving):
        handled |= _jolted(stream, grid) | _missing(stream, grid)
    handled = binary_dilation(handled, iterations=round(AROUND_S * GRID_HZ))
    quiet = np.maximum(rates[0], rates[1]) < QUIET_RADS
    rest = _runs(quiet & ~handled, round(REST_S * GRID_HZ))
    free = ~handled
    for begin, end in rest:  # a long rest belongs to both neighbours' still moments
        middle = (begin + end) // 2
        free[middle : middle + 1] = False
    return [
        span
        for begin, end in _runs(free, round(MIN_SET_S * GRID_HZ))
        if (span := _set_within(grid, quiet, rates[1], begin, end)) is not None
    ]


def _set_within(grid: Array, quiet: Mask, turning: Array, begin: int, end: int) -> Span | None:
    """Take the set out of a stretch: from its last long stillness before the turns."""
    turns = [
        (first + begin, last + begin)
        for first, last in _runs(turning[begin:end] > TURNING_RADS, round(MIN_TURN_S * GRID_HZ))
    ]
    still = [
        (first + begin, last + begin)
        for first, last in _runs(quiet[begin:end], round(STILL_S * GRID_HZ))
    ]
    before = [one for one in still if turns and one[0] < turns[-1][0]]
    if not before:
        return None
    first_still = before[0]
    turns = [one for one in turns if one[0] >= first_still[1] - 1]
    if len(turns) < MIN_TURNS:
        return None
    stop = min(end, turns[-1][1] + round(TAIL_S * GRID_HZ))
    return Span(float(grid[first_still[0]]), float(grid[stop - 1]), len(turns))


def _smooth_rate(stream: Stream, grid: Array) -> Array:
    """Magnitude of the angular rate, its bias taken off, over a fifth of a second."""
    rate = stream.gyr_rads - np.median(stream.gyr_rads, axis=0)
    axes = [np.interp(grid, stream.time_s, rate[:, axis]) for axis in range(3)]
    smooth = uniform_filter1d(np.column_stack(axes), 10, axis=0, mode="nearest")
    magnitude: Array = np.linalg.norm(smooth, axis=1)
    return magnitude


def _jolted(stream: Stream, grid: Array) -> Mask:
    """Where the specific force is far from gravity."""
    force = np.linalg.norm(stream.acc_ms2, axis=1)
    off: Mask = np.abs(np.interp(grid, stream.time_s, force - np.median(force))) > HANDLED_MS2
    return off


def _missing(stream: Stream, grid: Array) -> Mask:
    """Where no sample is within two seconds."""
    after = np.searchsorted(stream.time_s, grid).clip(1, len(stream.time_s) - 1)
    gap: Mask = stream.time_s[after] - stream.time_s[after - 1] > 4.0
    return gap


def _runs(mask: Mask, least: int) -> list[tuple[int, int]]:
    """Half-open runs of True of at least so many samples."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    pairs = edges.reshape(-1, 2)
    return [(int(a), int(b)) for a, b in pairs if b - a >= least]
