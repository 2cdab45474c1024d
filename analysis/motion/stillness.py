"""Grid streams -> the moments in which neither sensor moves.

A gyroscope's bias may be several degrees per second, so stillness is a steady rate, not a small
one. The limit follows the quietest second of the set: people breathe and sway, sensors differ. A
very slow turn is steady too; so gravity must not wander off either.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from analysis.motion.grid import GRID_HZ, EvenSet
from imu.units import RAD_PER_DEG

Array = NDArray[np.float64]

WINDOW_S = 0.5
QUIET_FACTOR = 3.0  # times the quietest second
MIN_LIMIT_RADS = 0.6 * RAD_PER_DEG
MAX_LIMIT_RADS = 6.0 * RAD_PER_DEG
MIN_S = 1.0
WANDER_RAD = 2.5 * RAD_PER_DEG  # of gravity in either sensor, from a stillness' first second


def find_still_spans(even: EvenSet) -> NDArray[np.int64]:
    """Spans of at least 1 s in which both sensors turn steadily, if at all, and stay level.

    Parameters
    ----------
    even : EvenSet
        m instants.

    Returns
    -------
    ndarray of int, shape (k, 2)
        Half-open spans of grid indices, in order of time.
    """
    activity = np.maximum(_unsteadiness(even.pelvis.turn_rad), _unsteadiness(even.thigh.turn_rad))
    second = uniform_filter1d(activity, int(GRID_HZ), mode="nearest")
    limit = np.clip(QUIET_FACTOR * second.min(), MIN_LIMIT_RADS, MAX_LIMIT_RADS)
    quiet = (activity < limit) & even.measured
    edges = np.flatnonzero(np.diff(np.concatenate([[0], quiet.astype(int), [0]])))
    gravity = [_direction(even.pelvis.acc_ms2), _direction(even.thigh.acc_ms2)]
    spans = [piece for begin, end in edges.reshape(-1, 2) for piece in _pieces(gravity, begin, end)]
    return np.array(spans, dtype=np.int64).reshape(-1, 2)


def _pieces(gravity: list[Array], begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Parts of a steady span within which gravity stays where it was in the part's first second."""
    shortest = int(MIN_S * GRID_HZ)
    while end - begin >= shortest:
        away = np.zeros(end - begin, dtype=bool)
        for direction in gravity:
            first = direction[begin : begin + shortest].mean(axis=0)
            away |= direction[begin:end] @ (first / np.linalg.norm(first)) < np.cos(WANDER_RAD)
        away[:shortest] = False
        stop = begin + int(np.argmax(away)) if away.any() else end
        yield begin, stop
        begin = stop


def _direction(acc_ms2: Array) -> Array:
    """Direction of the specific force (m, 3), averaged over a sliding window."""
    mean = uniform_filter1d(acc_ms2, int(WINDOW_S * GRID_HZ), axis=0, mode="nearest")
    unit: Array = mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-9)
    return unit


def _unsteadiness(turn_rad: Array) -> Array:
    """Standard deviation of the rate over a sliding window, all axes, shape (m,) [rad/s]."""
    rate = turn_rad * GRID_HZ
    rate = rate - rate.mean(axis=0)
    size = int(WINDOW_S * GRID_HZ)
    mean = uniform_filter1d(rate, size, axis=0, mode="nearest")
    square = uniform_filter1d(rate**2, size, axis=0, mode="nearest")
    deviation: Array = np.sqrt(np.maximum((square - mean**2).sum(axis=1), 0.0))
    return deviation
