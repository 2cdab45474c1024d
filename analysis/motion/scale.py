"""Agreement of the two kinds of sensor over the range.

A gyroscope whose scale is off by a per cent turns 32 degrees into 32.3, an accelerometer whose
axes differ does likewise, and nothing else in the set knows better. Where the thigh is held at
the end range both have told how far it turned. Their disagreement is split between them: with
errors of like size that halves the variance, and its size tells what is left.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from analysis.motion.calibration import Sensor
from analysis.motion.grid import GRID_HZ
from analysis.motion.orientation import BIN, UP, GravityFit
from analysis.motion.quaternions import rotate
from imu.units import RAD_PER_DEG

Array = NDArray[np.float64]

SLOW_RADS = 5.0 * RAD_PER_DEG  # bins count that, with both neighbours, turn more slowly
MIN_BINS = 5.0  # of such at the end range, before anything is said
SCALE_SD = 0.002  # of either kind of sensor, before anything is seen; data sheets say up to 0.01
PRIOR_SETS = 1.0  # what that is worth, in sets seen


def scale_disagreement(
    fit: GravityFit, thigh: Sensor, axis: Array, moving: slice
) -> tuple[float, float]:
    """Relative excess of the gyroscope's turn about an axis over the accelerometer's.

    Parameters
    ----------
    fit : GravityFit
        Of the thigh sensor.
    thigh : Sensor
        Its orientation, on the grid.
    axis : ndarray, shape (3,)
        Sensor axes, unit length, about level.
    moving : slice
        Grid instants of the repetitions.

    Returns
    -------
    excess : float
        0.01 where the gyroscope turned 1 % further.
    sd : float
        Its standard deviation from the scatter.
    """
    bins = len(fit.weight)
    centres = np.minimum(np.arange(bins) * BIN + BIN // 2, len(thigh.quat) - 1)
    turned = fit.rest_of(np.cumsum(thigh.turn_rad @ axis)[centres])
    rate = uniform_filter1d(np.abs(thigh.turn_rad @ axis), BIN)[centres] * GRID_HZ
    tipped = np.sum(fit.residual * np.cross(rotate(thigh.quat[centres], axis), UP), axis=1)
    slow = maximum_filter1d(rate, 3) < SLOW_RADS
    use = fit.weight * (slow & (centres >= moving.start) & (centres < moving.stop))
    if use.sum() <= 0.0:
        return 0.0, 1.0
    extent = float(np.ptp(turned))
    turned, tipped = (value - np.average(value, weights=use) for value in (turned, tipped))
    squares = float((use * turned**2).sum())
    if squares < MIN_BINS * (0.5 * extent) ** 2:
        return 0.0, 1.0
    excess = float((use * turned * tipped).sum()) / squares
    left = tipped - excess * turned
    correlated = 10.0  # bins of one hold share their error: about a second
    variance = correlated * float((use**2 * turned**2 * left**2).sum()) / squares**2
    return excess, float(np.sqrt(variance))


def split(excess: float, sd: float) -> tuple[float, float]:
    """Share the disagreement out.

    Returns
    -------
    correction : float
        To be taken off the gyroscope's turn about the axis, relative.
    sd : float
        Relative error of the angle turned through that is left.
    """
    seen = max(0.5 * excess**2 - 0.5 * sd**2, 0.0)
    each = (PRIOR_SETS * SCALE_SD**2 + seen) / (PRIOR_SETS + 1.0)
    trust = 2.0 * each / (2.0 * each + sd**2)
    return 0.5 * trust * excess, float(np.sqrt(0.5 * each + 0.25 * trust * sd**2))
