"""Specific force and angular rate out of what a sensor's own filter made of them."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from imu.errors import RecordingError
from imu.importers.values import Signal
from imu.samples import Array
from imu.units import STANDARD_GRAVITY_MS2

MAX_STEP_S = 0.25  # the mean rate over longer says nothing of the moment


def unit_quaternions(quat: Array, source: str) -> Rotation:
    """Take quaternions (w, x, y, z), shape (n, 4), as rotations.

    Raises
    ------
    RecordingError
        One is not of length 1, within what six decimals allow.
    """
    length = np.linalg.norm(quat, axis=1)
    off = np.abs(length - 1.0)
    if off.max(initial=0.0) > 0.01:
        what = f"a quaternion has the length {length[off.argmax()]:.4g}, not 1"
        raise RecordingError(source, what, "Export it again.")
    return Rotation.from_quat(quat[:, [1, 2, 3, 0]])


def from_orientation(time_s: Array, turn: Rotation, free_ms2: Array) -> tuple[Signal, Signal]:
    """Give back what a filter had: specific force and angular rate, in sensor axes.

    Parameters
    ----------
    time_s : ndarray, shape (n,)
        Strictly increasing, n >= 3.
    turn : Rotation
        Sensor axes to a level world, z up; n of them.
    free_ms2 : ndarray, shape (n, 3)
        Acceleration without gravity, in the world.

    Returns
    -------
    acc, gyr : Signal
        The rate is the central difference of the orientations, so without a delay; it is left out
        where its neighbours are more than 0.25 s apart, and at the first and last sample.

    Notes
    -----
    What the filter smoothed stays smooth; its corrections count as turning. Ranges of some seconds
    agree with those of the sensor's own rates within 0.3°.
    """
    force = turn.inv().apply(free_ms2 + np.array([0.0, 0.0, STANDARD_GRAVITY_MS2]))
    apart_s = time_s[2:] - time_s[:-2]
    vector = (turn[:-2].inv() * turn[2:]).as_rotvec() / apart_s[:, None]
    # a difference before and after in the axes of the moment between them
    near = apart_s <= MAX_STEP_S
    return Signal(time_s, force), Signal(time_s[1:-1][near], vector[near])


def from_increments(dq: Array, dv_ms: Array, rate_hz: float, source: str) -> tuple[Array, Array]:
    """Mean specific force and angular rate over one sample's interval.

    Parameters
    ----------
    dq : ndarray, shape (n, 4)
        Turn of the sensor over the interval (w, x, y, z).
    dv_ms : ndarray, shape (n, 3)
        Velocity gained, gravity included [m/s].
    rate_hz : float
        Intervals a second.

    Returns
    -------
    acc_ms2, gyr_rads : ndarray, shape (n, 3)
        In sensor axes.
    """
    return dv_ms * rate_hz, unit_quaternions(dq, source).as_rotvec() * rate_hz
