"""Sensors of clocks of their own put on one clock, by movements that both made.

Two sensors held together and shaken turn alike: the magnitudes of their angular rates, whatever way
each lies in the hand, are equal at one shift and at no other. Only turning faster than the drill's
is looked at. In the drill, too, the pelvis moves in step with the thigh, but it may trail it by a
tenth of a second, which is no clock's; and eight even repetitions match at each other's place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import correlate

from imu.samples import Array

GRID_HZ = 200.0
MIN_OVERLAP_S = 8.0
STRONG_RADS = 1.2  # 70 deg/s: the pelvis does not turn so fast in the drill
MIN_STRONG_S = 1.0  # of such turning, by either sensor
MIN_CORRELATION = 0.9
MIN_LEAD = 0.05  # over the best shift elsewhere
LIKE = (0.7, 1.4)  # how alike the magnitudes must be
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
    ratio : float
        How strongly the second sensor turned, where the first turned by 1.
    """

    shift_s: float
    correlation: float
    next_best: float
    ratio: float = 1.0

    @property
    def certain(self) -> bool:
        """Whether both turned as one, and no other shift comes near."""
        lead = self.correlation - self.next_best
        alike = LIKE[0] <= self.ratio <= LIKE[1]
        return alike and self.correlation >= MIN_CORRELATION and lead >= MIN_LEAD

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
        None where too little was recorded, or nobody shook them.
    """
    first, second = _turning(first_s, first_rads), _turning(second_s, second_rads)
    least = round(MIN_OVERLAP_S * GRID_HZ)
    if min(len(first), len(second)) < least or max(len(first), len(second)) > MAX_GRID:
        return None
    if min(np.count_nonzero(first), np.count_nonzero(second)) < MIN_STRONG_S * GRID_HZ:
        return None
    score = _correlations(first, second, least)
    best = int(np.nanargmax(score)) if np.isfinite(score).any() else -1
    if best < 0 or not score[best] > 0:
        return None
    lag = best - (len(second) - 1) + _between(score, best)
    shift_s = float(first_s[0] - second_s[0] + lag / GRID_HZ)
    ratio = float(np.sqrt((second**2).sum() / (first**2).sum()))
    return Shift(shift_s, float(score[best]), _elsewhere(score, best), ratio)


def _elsewhere(score: Array, best: int) -> float:
    """Find the best score beyond the slopes of the highest peak."""
    score = np.nan_to_num(score, nan=-1.0)
    rising = np.diff(score) > 0
    left = best - 1
    while left > 0 and rising[left - 1]:
        left -= 1
    right = best + 1
    while right < len(score) - 1 and not rising[right]:
        right += 1
    others = np.concatenate([score[: max(left, 0)], score[right + 1 :]])
    return float(others.max(initial=0.0))


def _turning(time_s: Array, rate_rads: Array) -> Array:
    """Strong turning on an even grid: what of its magnitude is beyond the drill's."""
    count = int((time_s[-1] - time_s[0]) * GRID_HZ) + 1
    if count > MAX_GRID:
        return np.zeros(0)
    grid = time_s[0] + np.arange(count) / GRID_HZ
    magnitude: Array = np.interp(grid, time_s, np.linalg.norm(rate_rads, axis=1))
    return np.where(magnitude > STRONG_RADS, magnitude, 0.0)


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
