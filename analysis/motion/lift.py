"""The guided lift of the knee -> which end of the thigh is the knee.

A seated person can only lift the knee, not lower it: so the sense of the thigh's first turn after
the marker is known. With w the axis of that turn and u up, the direction from hip to knee is
u x w, whatever the sensor's mounting and heading. It owes nothing to the turn inward, so both can
be held against each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from analysis.motion.calibration import Sensor
from analysis.motion.grid import GRID_HZ
from analysis.motion.quaternions import conjugate, multiply, rotate
from imu.units import RAD_PER_DEG

Array = NDArray[np.float64]

WITHIN_S = 6.0  # of the marker the lift begins
EARLY_S = 1.0  # a person may begin before the words are over
LASTS_S = 8.0  # one lift or two, set down again
MIN_LIFT_RAD = 3.0 * RAD_PER_DEG
MAX_LIFT_RAD = 45.0 * RAD_PER_DEG
MIN_SHARE = 0.7  # of the turning about one axis
MAX_SLOPE_RAD = (
    35.0 * RAD_PER_DEG
)  # of that axis: a knee lifted straight up turns about a level one
LIKE_COSINE = 0.8  # a second lift's axis against the first's; the turn inward is across it
SWAY_SD_RAD = 7.0 * RAD_PER_DEG  # of the lift's plane: no knee goes up quite straight


@dataclass(frozen=True, slots=True, eq=False)
class Lift:
    """A lift of the knee.

    Attributes
    ----------
    span : tuple of int
        Half-open span of grid instants.
    to_knee : ndarray, shape (3,)
        From hip to knee, level, thigh sensor axes, unit length.
    sd_rad : float
        Standard deviation of that direction about the vertical.
    size_rad : float
        How far the thigh rose.
    """

    span: tuple[int, int]
    to_knee: Array
    sd_rad: float
    size_rad: float


def find_lift(thigh: Sensor, still: NDArray[np.int64], marker: int) -> Lift | None:
    """Find the lift that a marker announces.

    Parameters
    ----------
    thigh : Sensor
        Of the thigh.
    still : ndarray of int, shape (k, 2)
        Half-open spans of stillness; the lift lies between two of them.
    marker : int
        Grid index of the marker.

    Returns
    -------
    Lift or None
        None where the thigh did not rise about one level axis.
    """
    early, late = marker - EARLY_S * GRID_HZ, marker + WITHIN_S * GRID_HZ
    between = [(int(a[1]), int(b[0])) for a, b in pairwise(still)]
    lifts = [
        _lift(thigh, span)
        for span in between
        if early <= span[0] <= late and 0 < span[1] - span[0] <= LASTS_S * GRID_HZ
    ]
    first = lifts[0] if lifts else None
    if first is None:
        return None
    alike = [lift for lift in lifts if lift and lift.to_knee @ first.to_knee > LIKE_COSINE]
    mean = np.mean([lift.to_knee for lift in alike], axis=0)
    return Lift(
        span=(first.span[0], alike[-1].span[1]),
        to_knee=mean / np.linalg.norm(mean),
        sd_rad=SWAY_SD_RAD / np.sqrt(len(alike)),
        size_rad=max(lift.size_rad for lift in alike),
    )


def _lift(thigh: Sensor, span: tuple[int, int]) -> Lift | None:
    """What one movement says, if it is a lift."""
    begin, end = span
    first = thigh.quat[begin]
    relative = multiply(conjugate(first), thigh.quat[begin:end])
    turned = 2.0 * relative[:, 1:] * np.sign(relative[:, :1])  # small: the rotation vector
    values, vectors = np.linalg.eigh(turned.T @ turned)
    axis, share = vectors[:, -1], float(values[-1] / max(values.sum(), 1e-30))
    along = turned @ axis
    size = float(np.abs(along).max())
    axis = axis * np.sign(along[np.argmax(np.abs(along) > 0.5 * size)])
    if not MIN_LIFT_RAD <= size <= MAX_LIFT_RAD or share < MIN_SHARE:
        return None
    up = rotate(conjugate(first), np.array([0.0, 0.0, 1.0]))
    if abs(float(axis @ up)) > np.sin(MAX_SLOPE_RAD):
        return None
    to_knee = np.cross(up, axis)
    return Lift(span, to_knee / np.linalg.norm(to_knee), SWAY_SD_RAD, size)
