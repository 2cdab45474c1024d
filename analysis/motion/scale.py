"""Agreement of the two kinds of sensor over the range.

A gyroscope whose scale is off by a per cent turns 32 degrees into 32.3. An accelerometer does
likewise: a bias b along gravity, seen at both ends of a turn, makes the turn too small by b/g, and
so do axes of different scale. The bias shows in the magnitude: at rest the specific force should
be 1 g, and its surplus, bias and scale together, is the very amount by which the turn comes out
too small; what stays hidden is the scale of the axis across. Where the thigh is held at the end
range, both have told how far it turned. What is left of their disagreement is split between them
by their errors, and its size tells what is left in doubt.

With s the scale errors (of the gyroscope about the axis, of the accelerometer across gravity), m
the surplus: gyroscope 1 + s_g, accelerometer 1 + s_a - m, relative to the true turn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from analysis.motion.calibration import Sensor
from analysis.motion.grid import GRID_HZ
from analysis.motion.orientation import BIN, UP, GravityFit
from analysis.motion.quaternions import rotate
from imu.units import RAD_PER_DEG, STANDARD_GRAVITY_MS2

Array = NDArray[np.float64]

SLOW_RADS = 5.0 * RAD_PER_DEG  # bins count that, with both neighbours, turn more slowly
MIN_BINS = 5.0  # of such at the end range, before anything is said
SCALE_SD = 0.007  # of either kind of sensor, before anything is seen; data sheets say 0.4 to 1 %
PRIOR_SETS = 3.0  # what that is worth, in sets seen
MAX_SURPLUS = 0.06  # of the specific force at rest; a larger one is no bias
CORRELATED = 10.0  # bins of one hold share their error: about a second


@dataclass(frozen=True, slots=True, eq=False)
class Disagreement:
    """What both kinds of sensor say of one turning.

    Attributes
    ----------
    excess, sd : float
        Of the gyroscope's turn over the accelerometer's, relative, and its standard deviation
        from the scatter; 0 and 1 where it was not seen.
    surplus : float
        Of the specific force at rest over standard gravity, relative, in the middle of the range.
    up : ndarray, shape (3,)
        Its direction there, sensor axes, unit length.
    """

    excess: float
    sd: float
    surplus: float
    up: Array


def scale_disagreement(
    acc_ms2: Array, fit: GravityFit, thigh: Sensor, axis: Array, moving: slice
) -> Disagreement:
    """Compare the turns about an axis as both kinds of sensor saw them.

    Parameters
    ----------
    acc_ms2 : ndarray, shape (m, 3)
        Specific force on the grid, sensor axes.
    fit : GravityFit
        Of the thigh sensor.
    thigh : Sensor
        Its orientation, on the grid.
    axis : ndarray, shape (3,)
        Sensor axes, unit length, about level.
    moving : slice
        Grid instants of the repetitions.
    """
    bins = len(fit.weight)
    centres = np.minimum(np.arange(bins) * BIN + BIN // 2, len(thigh.quat) - 1)
    course = np.cumsum(thigh.turn_rad @ axis)[centres]
    rate = uniform_filter1d(np.abs(thigh.turn_rad @ axis), BIN)[centres] * GRID_HZ
    slow = maximum_filter1d(rate, 3) < SLOW_RADS
    use = fit.weight * (slow & (centres >= moving.start) & (centres < moving.stop))
    force = uniform_filter1d(acc_ms2, BIN, axis=0)[centres] / STANDARD_GRAVITY_MS2
    if use.sum() <= 0.0:
        return Disagreement(0.0, 1.0, 0.0, UP)
    surplus, up = _in_the_middle(force, course, use)
    turned = fit.rest_of(course)
    tipped = np.sum(fit.residual * np.cross(rotate(thigh.quat[centres], axis), UP), axis=1)
    extent = float(np.ptp(turned))
    turned, tipped = (value - np.average(value, weights=use) for value in (turned, tipped))
    squares = float((use * turned**2).sum())
    if squares < MIN_BINS * (0.5 * extent) ** 2:
        return Disagreement(0.0, 1.0, surplus, up)
    excess = float((use * turned * tipped).sum()) / squares
    left = tipped - excess * turned
    variance = CORRELATED * float((use**2 * turned**2 * left**2).sum()) / squares**2
    return Disagreement(excess, float(np.sqrt(variance)), surplus, up)


def _in_the_middle(force: Array, course: Array, use: Array) -> tuple[float, Array]:
    """Surplus and direction of the specific force [g], half-way between both ends of the range."""
    low, high = np.percentile(course[use > 0.0], [5.0, 95.0])
    near = np.clip((course - low) / max(high - low, 1e-6), 0.0, 1.0)
    weights = [use * part + 1e-12 for part in (1.0 - near, near)]
    size = np.linalg.norm(force, axis=1)
    surplus = float(np.mean([np.average(size, weights=one) for one in weights])) - 1.0
    ends = [np.average(force, axis=0, weights=one) for one in weights]
    middle = ends[0] + ends[1]
    if abs(surplus) > MAX_SURPLUS:
        surplus = 0.0
    return surplus, np.asarray(middle / np.linalg.norm(middle))


def split(seen: Disagreement) -> tuple[float, float, float]:
    """Share the disagreement out.

    Returns
    -------
    gyroscope, accelerometer : float
        Relative errors of the turn as either saw it, to be taken off.
    sd : float
        Relative error of the angle turned through that is left.
    """
    apart = seen.excess - seen.surplus if seen.sd < 1.0 else 0.0
    shown = max(0.5 * apart**2 - 0.5 * seen.sd**2, 0.0)
    each = (PRIOR_SETS * SCALE_SD**2 + shown) / (PRIOR_SETS + 1.0)
    trust = 2.0 * each / (2.0 * each + seen.sd**2)
    half = 0.5 * trust * apart
    return half, -half - seen.surplus, float(np.sqrt(0.5 * each + 0.25 * trust * seen.sd**2))
