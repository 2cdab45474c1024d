"""Trunk lean -> which way the pelvis sensor points.

A sensor strapped on a sacrum is not quite flat. Leaning the trunk forward and back turns the
pelvis about its own right-left axis, so the axis of that turn gives the pelvis' heading better
than the sensor's face does. A seated person is asked to lean forward first and cannot lean back
as far, so the first large turn tells forward from backward, too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.errors import AnalysisError
from analysis.motion.calibration import BACKWARD, BIN
from analysis.motion.grid import resample_set
from analysis.motion.heading import still_bias
from analysis.motion.stillness import find_still_spans
from imu.clock import align
from imu.recording import Recording

Array = NDArray[np.float64]

MIN_TURN_RAD = np.deg2rad(30.0)  # forward and back in all; three leans give far more
MIN_SHARE = 0.8  # of the turning about one axis
FAR_SHARE, BACK_SHARE = 0.5, 0.25  # of the largest lean: gone forward, and come back


@dataclass(frozen=True, slots=True, eq=False)
class Lean:
    """What a lean of the trunk says.

    Attributes
    ----------
    backward : ndarray, shape (3,)
        Pelvis sensor axis that points backward while the person sits still, unit length.
    leans : int
        How often the trunk went forward and came back.
    upright_at_end : bool
        Whether it has come back after the last one.
    """

    backward: Array
    leans: int
    upright_at_end: bool

    @property
    def off_deg(self) -> float:
        """Angle between that axis and the sensor's +z [deg]."""
        return float(np.rad2deg(np.arccos(np.clip(self.backward @ BACKWARD, -1.0, 1.0))))


def backward_axis(calibration: Recording) -> Array:
    """Pelvis sensor axis that points backward, horizontal while the person sits still.

    Parameters
    ----------
    calibration : Recording
        Still for 3 s, then the trunk leaned forward and back three times.

    Returns
    -------
    ndarray, shape (3,)
        Sensor axes, unit length, whichever way the sensor is worn: the first lean is forward.

    Raises
    ------
    AnalysisError
        No still moment, or no lean about one level axis.
    """
    return study_lean(calibration).backward


def study_lean(calibration: Recording) -> Lean:
    """Find the axis of the leans, their sense and their number; see `backward_axis`."""
    where = calibration.source
    leg = "thigh" if "thigh" in calibration.streams else "shank"
    even = resample_set(align(calibration).streams, where, leg)
    still = find_still_spans(even)
    if len(still) == 0:
        raise AnalysisError(where, "no still moment of 1 s or more", "Sit still before the lean.")
    span = (int(still[0][0]), int(still[0][1]))
    bias = still_bias(even.pelvis, span)
    turn = even.pelvis.turn_rad[span[1] :] - bias.bias_rads * (even.time_s[1] - even.time_s[0])
    turn = turn[: len(turn) // BIN * BIN].reshape(-1, BIN, 3).sum(axis=1)
    values, vectors = np.linalg.eigh(turn.T @ turn)
    axis, share = vectors[:, -1], values[-1] / max(values.sum(), 1e-30)
    if np.abs(turn @ axis).sum() < MIN_TURN_RAD or share < MIN_SHARE:
        raise AnalysisError(
            where,
            f"no trunk lean about one axis ({100 * share:.0f} % of the turning is about one)",
            "Lean forward and back three times, or remove the file.",
        )
    turned = np.cumsum(turn @ axis)
    forward = np.sign(turned[np.argmax(np.abs(turned) > FAR_SHARE * np.abs(turned).max())])
    up = even.pelvis.acc_ms2[slice(*span)].mean(axis=0)
    backward = np.cross(up, forward * axis)
    leans, upright = _count(turned * forward)
    return Lean(backward / np.linalg.norm(backward), leans, upright)


def _count(leaned: Array) -> tuple[int, bool]:
    """Count how often a course goes far forward and comes back, and whether it has at the end."""
    far = float(leaned.max())
    leans, forward = 0, False
    for at in leaned.tolist():
        if forward and at < BACK_SHARE * far:
            forward, leans = False, leans + 1
        elif at > FAR_SHARE * far:
            forward = True
    return leans, not forward
