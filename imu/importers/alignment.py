"""Sensors of clocks of their own put on one clock, by movements that both made.

Two sensors held together and shaken, or a person who bounces twice on the bench, turn alike: the
magnitudes of their angular rates, whatever way each is strapped on, match at one shift and at no
other. The shift is the maximum of their correlation, and it is certain where no other comes near;
eight even repetitions match at each other's place too, and are refused.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import correlate

from imu.samples import Array

GRID_HZ = 200.0
MIN_OVERLAP_S = 8.0
MIN_CORRELATION = 0.6
MIN_LEAD = 0.15  # over the best shift elsewhere
APART_S = 0.4  # what counts as elsewhere
MAX_GRID = 2_000_000


@dataclass(frozen=True, slots=True)
class Shift:
    """How one clock lies on another.

    Attributes
    ----------
    shift_s : float
        To add to the second sensor's times.
    correlation : float
        Of both sensors' turning at this shift.
    next_best : float
        The best correlation at any other shift.
    """

    shift_s: float
    correlation: float
    next_best: float

    @property
    def certain(self) -> bool:
        """Whether no other shift comes near."""
        lead = self.correlation - self.next_best
        return self.correlation >= MIN_CORRELATION and lead >= MIN_LEAD

    def told(self) -> str:
        """Say it in words."""
        return (
            f"{self.shift_s:+.3f} s (their turning correlates by {self.correlation:.2f}, "
            f"at the next best shift by {self.next_best:.2f})"
        )


def find_shift(
    first_s: Array, first_rads: Array, second_s: Array, second_rads: Array
) -> Shift | None:
    """Find the shift of a second sensor's clock by movements common to both.

    Parameters
    ----------
    first_s, second_s : ndarray, shape (n,), (m,)
        Each by its own clock, strictly increasing.
    first_rads, second_rads : ndarray, shape (n, 3), (m, 3)
        Angular rates; in sensor axes, however strapped.

    Returns
    -------
    Shift or None
        None where too little was recorded, or nobody moved.
    """
    first, second = _turning(first_s, first_rads), _turning(second_s, second_rads)
    least = round(MIN_OVERLAP_S * GRID_HZ)
    if min(len(first), len(second)) < least or max(len(first), len(second)) > MAX_GRID:
        return None
    score = _correlations(first, second, least)
    best = int(np.nanargmax(score)) if np.isfinite(score).any() else -1
    if best < 0 or not score[best] > 0:
        return None
    around = round(APART_S * GRID_HZ)
    others = np.delete(score, np.s_[max(0, best - around) : best + around + 1])
    next_best = float(np.nanmax(others)) if np.isfinite(others).any() else 0.0
    lag = best - (len(second) - 1) + _between(score, best)
    shift_s = float(first_s[0] - second_s[0] + lag / GRID_HZ)
    return Shift(shift_s, float(score[best]), next_best)


def _turning(time_s: Array, rate_rads: Array) -> Array:
    """Magnitude of the angular rate on an even grid."""
    count = int((time_s[-1] - time_s[0]) * GRID_HZ) + 1
    if count > MAX_GRID:
        return np.zeros(0)
    grid = time_s[0] + np.arange(count) / GRID_HZ
    magnitude: Array = np.interp(grid, time_s, np.linalg.norm(rate_rads, axis=1))
    return magnitude


def _correlations(first: Array, second: Array, least: int) -> Array:
    """Correlation of the overlapping parts at every lag; NaN where they overlap too little."""
    first, second = first - first.mean(), second - second.mean()  # against rounding
    ones_first, ones_second = np.ones(len(first)), np.ones(len(second))
    n = np.round(correlate(ones_first, ones_second, method="fft"))
    sum_first = correlate(first, ones_second, method="fft")
    sum_second = correlate(ones_first, second, method="fft")
    square_first = correlate(first**2, ones_second, method="fft")
    square_second = correlate(ones_first, second**2, method="fft")
    both = correlate(first, second, method="fft")
    with np.errstate(invalid="ignore", divide="ignore"):
        spread_first = square_first - sum_first**2 / n
        spread_second = square_second - sum_second**2 / n
        score: Array = (both - sum_first * sum_second / n) / np.sqrt(spread_first * spread_second)
    floor_first, floor_second = (1e-3 * float((one**2).sum()) for one in (first, second))
    still = (spread_first <= floor_first) | (spread_second <= floor_second)
    score[(n < least) | still] = np.nan
    return score


def _between(score: Array, best: int) -> float:
    """Where the maximum lies between samples: the vertex of a parabola."""
    if not 0 < best < len(score) - 1:
        return 0.0
    left, middle, right = score[best - 1 : best + 2]
    bend = left - 2.0 * middle + right
    return float(0.5 * (left - right) / bend) if np.isfinite(bend) and bend < 0 else 0.0
