"""Are the two sensors in step: told by what both of them do as one body.

A thigh is carried by its pelvis. But for its turn about the femur's axis it moves as the pelvis
does, at the same moment; so where the rates across that axis resemble each other at some lag far
better than at none, one sensor's times are late. A thigh that rests heavily on the bench does not
go along; then nothing resembles anything, and nothing is said.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from analysis.motion.calibration import SegmentAxes, Sensor, heading_between
from analysis.motion.grid import GRID_HZ
from analysis.motion.quaternions import from_rotvec, rotate

Array = NDArray[np.float64]

MAX_LAG_S = 2.0
SMOOTH_S = 0.18
STRIDE = 2  # grid instants between the lags tried
MIN_SPAN_S = 6.0


@dataclass(frozen=True, slots=True)
class Step:
    """How the sensors' common movement fits.

    Attributes
    ----------
    lag_s : float
        By how much the thigh's times are late against the pelvis'.
    alike : float
        Correlation of the rates at that lag.
    alike_now : float
        The same without a lag.
    """

    lag_s: float
    alike: float
    alike_now: float


def steps_between(
    pelvis: Sensor, thigh: Sensor, frame: SegmentAxes, axis: Array, moving: slice
) -> list[Step]:
    """Compare the common movement at all lags, in each half of a set.

    Parameters
    ----------
    pelvis, thigh : Sensor
        Both sensors over the set.
    frame : SegmentAxes
        Of the pelvis, for the heading between the two.
    axis : ndarray, shape (3,)
        The femur's, thigh sensor axes.
    moving : slice
        Grid instants of the repetitions.

    Returns
    -------
    list of Step
        Empty where the set is too short.
    """
    own, other = _across(pelvis, thigh, frame, axis, moving)
    middle = len(own) // 2
    if middle < MIN_SPAN_S * GRID_HZ:
        return []
    return [_step(own[part], other[part]) for part in (slice(0, middle), slice(middle, None))]


def _across(
    pelvis: Sensor, thigh: Sensor, frame: SegmentAxes, axis: Array, moving: slice
) -> tuple[Array, Array]:
    """Rates of both across the femur's axis, in the thigh's level frame (m, 3)."""
    heading = from_rotvec(np.array([0.0, 0.0, heading_between(frame, thigh, axis)]))
    along = rotate(thigh.quat[moving], axis)
    size = int(SMOOTH_S * GRID_HZ)
    found = []
    for sensor, turn in ((pelvis, heading), (thigh, None)):
        rate = rotate(sensor.quat[moving], sensor.turn_rad[moving])
        rate = rate if turn is None else rotate(turn, rate)
        rate = rate - np.einsum("ij,ij->i", rate, along)[:, None] * along
        found.append(uniform_filter1d(rate, size, axis=0))
    return found[0], found[1]


def _step(own: Array, other: Array) -> Step:
    """Find the lag at which two courses (m, 3) resemble each other most."""
    reach = min(int(MAX_LAG_S * GRID_HZ), len(own) // 3) // STRIDE * STRIDE
    lags = np.arange(-reach, reach + 1, STRIDE)
    alike = np.array([_alike(own, other, int(lag)) for lag in lags])
    best = int(alike.argmax())
    return Step(float(lags[best]) / GRID_HZ, float(alike[best]), float(alike[reach // STRIDE]))


def _alike(own: Array, other: Array, lag: int) -> float:
    """Correlation of one course with the other, so many instants later."""
    first = own[: len(own) - lag] if lag >= 0 else own[-lag:]
    second = other[lag:] if lag >= 0 else other[:lag]
    size = np.sqrt(float((first**2).sum()) * float((second**2).sum()))
    return float((first * second).sum() / max(size, 1e-30))
