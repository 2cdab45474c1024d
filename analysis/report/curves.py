"""Repetitions on one scale, 0 to 100 % of their time, so that they can be laid over each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.sets import SetAnalysis

Array = NDArray[np.float64]
POINTS = 101


@dataclass(frozen=True, slots=True, eq=False)
class SideCurves:
    """The counted repetitions of one side that were measured throughout.

    Attributes
    ----------
    percent : ndarray, shape (p,)
        0 at ``start_s``, 100 at ``end_s``.
    ir_deg, speed_deg_s : ndarray, shape (n, p)
        IR against the set's neutral, and its speed, positive inward.
    """

    percent: Array
    ir_deg: Array
    speed_deg_s: Array

    def mean(self) -> tuple[Array, Array]:
        """Return the mean curve of IR and of its speed, each of shape (p,)."""
        return self.ir_deg.mean(axis=0), self.speed_deg_s.mean(axis=0)

    def spread_deg(self) -> Array:
        """Return the standard deviation of IR at each point, 0 for a single repetition."""
        one = len(self.ir_deg) < 2
        return np.zeros(len(self.percent)) if one else np.std(self.ir_deg, axis=0, ddof=1)


def side_curves(sets: Sequence[SetAnalysis], side: str) -> SideCurves:
    """Resample the counted repetitions of one side's sets; those with gaps are left out.

    The speed is the slope over 2 % of the repetition, which smooths less than 0.2 s.
    """
    percent = np.linspace(0.0, 100.0, POINTS)
    curves, speeds = [], []
    for one in sets:
        if one.side != side:
            continue
        for rep in one.reps:
            if not rep.counts or rep.end_s <= rep.start_s:
                continue
            at = np.linspace(rep.start_s, rep.end_s, POINTS)
            ir = np.interp(at, one.angles.time_s, one.angles.ir_deg)
            if np.isfinite(ir).all():
                curves.append(ir)
                speeds.append(np.gradient(ir, at))
    shape = (len(curves), POINTS)
    return SideCurves(percent, np.reshape(curves, shape), np.reshape(speeds, shape))


def evenly(count: int, most: int) -> NDArray[np.int64]:
    """Choose at most that many indices, evenly over all, first and last among them."""
    if count <= most:
        return np.arange(count)
    return np.unique(np.linspace(0, count - 1, most).round().astype(np.int64))
