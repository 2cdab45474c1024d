"""Streams -> which reading of a gyroscope's axes and unit agrees with its accelerometer.

Turned back by the right rates, the specific force of a sensor stands still in the world but for
the person's own accelerations; by rates with an axis reversed, two exchanged or in degrees it
sways with every turn. Accelerations alone never prove a reading wrong: they spoil all of them
alike. So one is called wrong only where another fits well, and several times as well.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import cumulative_trapezoid
from scipy.ndimage import uniform_filter1d

from analysis.motion.quaternions import from_rotvec, rotate, running_product
from imu.samples import Stream
from imu.units import DEG_PER_RAD, RAD_PER_DEG

Array = NDArray[np.float64]

STEP_S = 0.1
LOOKED_AT_S = 120.0  # units do not change within a recording; a set of ten turns takes 60 s
FAST_STEPS, SLOW_STEPS = 5, 41  # the band looked at: between 0.5 and 4 s
QUIET_STEPS = 21  # the quietest 2 s tell the bias
FITS = 0.004  # (0.06 of gravity)²: the force stands still; beyond, part of it is movement
FITS_WELL = 2e-5  # 0.25 degrees: no other reading is asked for
AXES = "xyz"


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """How well the rates as they are explain the force, and the reading that does it best.

    Attributes
    ----------
    misfit : float
        Mean square of what sways of the force, as a share of gravity, with the rates as written.
    best_misfit : float
        The same with the best reading.
    axes : ndarray, shape (3, 3)
        Of the best reading: signed permutation that takes the rates to those that fit.
    scale : float
        Its factor: 1, or that of degrees and radians.
    """

    misfit: float
    best_misfit: float
    axes: Array
    scale: float

    def proves_wrong(self, times: float) -> bool:
        """Whether another reading fits so many times as well as the one as written.

        The more is movement even with the best one, the more it must be better.
        """
        return self.misfit > times * self.best_misfit * max(1.0, self.best_misfit / FITS)

    @property
    def words(self) -> str:
        """The best reading, such as ``gyr (y, x, -z)``."""
        rows = [(int(np.argmax(np.abs(row))), row) for row in self.axes]
        signed = [("-" if row[k] < 0 else "") + AXES[k] for k, row in rows]
        return f"gyr ({', '.join(signed)})"


def best_reading(stream: Stream) -> Reading:
    """Find the reading of the rates that explains best how gravity moves in sensor axes.

    Parameters
    ----------
    stream : Stream
        n samples of one sensor; its first two minutes are looked at.

    Returns
    -------
    Reading
        That as written where it fits well, where nothing fits better, or where the stream is
        too short to tell.
    """
    turn, force = _steps(stream)
    if len(turn) < SLOW_STEPS:
        return Reading(0.0, 0.0, np.eye(3), 1.0)
    written = _misfit(turn, force)
    best = Reading(written, written, np.eye(3), 1.0)
    if written < FITS_WELL:
        return best
    for axes, scale in _candidates():
        misfit = _misfit(scale * turn @ axes.T, force)
        if misfit < best.best_misfit:
            best = Reading(written, misfit, axes, scale)
    return best


def _candidates() -> Iterator[tuple[Array, float]]:
    """All 48 ways to name and sign three axes, and the wrong units."""
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1.0, -1.0), repeat=3):
            yield np.eye(3)[list(order)] * np.array(signs)[:, None], 1.0
    yield np.eye(3), RAD_PER_DEG
    yield np.eye(3), DEG_PER_RAD


def _steps(stream: Stream) -> tuple[Array, Array]:
    """Turns (k, 3) [rad] freed of their bias, and specific force as a share, in steps of 0.1 s."""
    time_s = stream.time_s - stream.time_s[0]
    some = time_s < LOOKED_AT_S
    time_s = time_s[some]
    both = np.hstack([stream.gyr_rads[some], stream.acc_ms2[some]])
    edges_s = np.arange(0.0, time_s[-1], STEP_S)
    if len(edges_s) <= QUIET_STEPS:
        return np.empty((0, 3)), np.empty((0, 3))
    integral = cumulative_trapezoid(both, time_s, axis=0, initial=0)
    middle_s = edges_s[:-1] + 0.5 * STEP_S
    angle = np.column_stack([np.interp(middle_s, time_s, one) for one in integral[:, :3].T])
    impulse = np.column_stack([np.interp(edges_s, time_s, one) for one in integral[:, 3:].T])
    turn = np.diff(angle, axis=0, prepend=angle[:1])
    force = np.diff(impulse, axis=0) / STEP_S
    mean = uniform_filter1d(turn, QUIET_STEPS, axis=0)
    unrest = (uniform_filter1d(turn**2, QUIET_STEPS, axis=0) - mean**2).sum(axis=1)
    half = QUIET_STEPS // 2
    quietest = half + int(np.argmin(unrest[half : len(unrest) - half]))
    typical = max(float(np.median(np.linalg.norm(force, axis=1))), 1e-9)
    return turn - mean[quietest], force / typical


def _misfit(turn: Array, force: Array) -> float:
    """Mean square of how the force (k, 3) sways, turned into a frame at rest by turns (k, 3)."""
    still = rotate(running_product(from_rotvec(turn)), force)
    sway = uniform_filter1d(still, FAST_STEPS, axis=0) - uniform_filter1d(still, SLOW_STEPS, axis=0)
    return float((sway**2).sum(axis=1).mean())
