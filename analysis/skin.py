"""How much of the femur's turn the skin below the thigh sensor follows: its slope on the shank's.

In an isolated turn of the femur, clusters of markers on the thigh's skin saw at best 60 % of it
(Gait Posture 2008, 20 adults). The shank, hanging from a bent knee, does not care. Skin trails, so
the two courses are first laid over each other at the lag at which they go together best. The slope
of each repetition is one observation; what the axes of both sensors leave open comes on top.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from analysis.motion.grid import GRID_HZ

Array = NDArray[np.float64]

MAX_LAG = int(0.4 * GRID_HZ)
MIN_TURN_DEG = 3.0  # of the shank in a repetition: a slope of less is noise
MIN_COVERED = 0.5  # of a repetition's instants with both courses
ONE_SPREAD = 0.03  # of the share from turn to turn, where a single turn shows none


@dataclass(frozen=True, slots=True)
class SkinShare:
    """What the thigh sensor saw of the turn that the shank made.

    Attributes
    ----------
    share : float
        1: all of it.
    low, high : float
        95 % interval.
    lag_s : float
        By how much the thigh sensor trailed.
    n : int
        Repetitions.
    """

    share: float
    low: float
    high: float
    lag_s: float
    n: int

    @property
    def sd(self) -> float:
        """Standard error of the share."""
        return (self.high - self.low) / (2.0 * 1.96)


def skin_share(
    thigh_deg: Array, shank_deg: Array, spans: Sequence[slice], relative_sd: float
) -> SkinShare | None:
    """Slope of the thigh's turn on the shank's over a set.

    Parameters
    ----------
    thigh_deg, shank_deg : ndarray, shape (m,)
        Turns about the femur's axis on the same grid; NaN where there is none.
    spans : sequence of slice
        The repetitions.
    relative_sd : float
        Relative error of the ratio of both by what is left open of the axes.

    Returns
    -------
    SkinShare or None
        None where no repetition shows both.
    """
    lags = range(-MAX_LAG // 4, MAX_LAG + 1)
    fits = [_slopes(thigh_deg, shank_deg, spans, lag) for lag in lags]
    left = [misfit for _, misfit in fits]
    if not np.isfinite(left).any():
        return None
    best = int(np.nanargmin(left))
    slopes = fits[best][0]
    share = float(np.mean(slopes))
    spread = float(np.std(slopes, ddof=1)) if len(slopes) > 1 else ONE_SPREAD
    by_chance = float(student.ppf(0.975, max(len(slopes) - 1, 2))) * spread / len(slopes) ** 0.5
    half = math.hypot(by_chance, 1.96 * share * relative_sd)
    return SkinShare(share, share - half, share + half, lags[best] / GRID_HZ, len(slopes))


def _slopes(
    thigh_deg: Array, shank_deg: Array, spans: Sequence[slice], lag: int
) -> tuple[list[float], float]:
    """Slope of each repetition at a lag of the thigh, and what the slopes leave unexplained."""
    shifted = np.full_like(thigh_deg, np.nan)
    last = len(thigh_deg) - max(lag, 0)
    shifted[max(-lag, 0) : last] = thigh_deg[max(lag, 0) : len(thigh_deg) + min(lag, 0)]
    slopes, left, count = [], 0.0, 0
    for span in spans:
        x, y = shank_deg[span], shifted[span]
        seen = np.isfinite(x) & np.isfinite(y)
        if seen.mean() < MIN_COVERED or np.ptp(x[seen]) < MIN_TURN_DEG:
            continue
        x, y = x[seen] - x[seen].mean(), y[seen] - y[seen].mean()
        slope = float(x @ y / (x @ x))
        slopes.append(slope)
        left += float(((y - slope * x) ** 2).sum())
        count += len(x)
    return slopes, left / count if count else math.nan
