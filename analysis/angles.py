"""Segment orientations -> hip and pelvis angles, signs per side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class HipAngles:
    """Angles of one set on an even time grid, all 0 at the set's neutral, in degrees.

    Attributes
    ----------
    time_s : ndarray, shape (m,)
        Even grid on the set's common time, 0 at the set's first sample.
    ir_deg, flexion_deg, adduction_deg : ndarray, shape (m,)
        Hip, ISB joint coordinate system; IR positive inward on both sides.
    pelvis_tilt_deg, pelvis_obliquity_deg, pelvis_rotation_deg : ndarray, shape (m,)
        Against the levelled pelvis at neutral: + anterior, + working side's hip rises,
        + working side's hip moves forward.
    pelvis_quat : ndarray, shape (m, 4)
        Pelvis against its levelled neutral, unit quaternion (w, x, y, z); X anterior, Y up,
        Z right.
    measured : ndarray of bool, shape (m,)
        False where no sample of one of the sensors lies near (a gap).
    """

    time_s: Array
    ir_deg: Array
    flexion_deg: Array
    adduction_deg: Array
    pelvis_tilt_deg: Array
    pelvis_obliquity_deg: Array
    pelvis_rotation_deg: Array
    pelvis_quat: Array
    measured: NDArray[np.bool_]
