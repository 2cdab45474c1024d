"""Thigh and shank sensor -> what the knee does, the thigh's skin taken out.

Both sensors follow the femur, each as far as what lies between lets it: skin over the thigh hides
part of the turn about the femur's axis; the knee bends, straightens and twists below. The shank
hangs across the femur, so these are turns about three different axes, and one decomposition parts
them::

    shank in the thigh's axes = Ry(hidden turn) Rz(-flexion) Ry(twist)

(X anterior, Y from knee to hip, Z right; the last Y is the shank's own). It is far from its
singularity wherever the knee is bent. Where the knee opens sideways instead (2 to 4 degrees), that
is a turn about the femur's axis too and cannot be told from skin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from analysis.motion.quaternions import conjugate, multiply

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class KneeCourse:
    """What lies between thigh sensor and shank, against neutral, in degrees.

    Attributes
    ----------
    hidden_deg : ndarray, shape (m,)
        Turn about the femur's axis that the shank made and the thigh sensor did not; + inward.
    flexion_deg : ndarray, shape (m,)
        + bending of the knee.
    rotation_deg : ndarray, shape (m,)
        The shank's turn about its own long axis; + inward, on both sides.
    """

    hidden_deg: Array
    flexion_deg: Array
    rotation_deg: Array


def knee_course(thigh: Array, shank: Array, neutral_flexion_rad: float, side: str) -> KneeCourse:
    """Part what skin hides from what the knee does.

    Parameters
    ----------
    thigh, shank : ndarray, shape (m, 4)
        The femur as the thigh's and the shank's sensor tell it (`HipAngles.femur_quat`), both in
        the levelled pelvis' frame.
    neutral_flexion_rad : float
        Knee flexion at neutral: a hanging shank below a level thigh has 90 degrees. An error of 20
        degrees changes what is told by a tenth at most.
    side : str
        ``left`` or ``right``.
    """
    inward = 1.0 if side == "right" else -1.0
    between = multiply(conjugate(thigh), shank)
    hidden, flexion, twist = knee_angles(between, neutral_flexion_rad)
    return KneeCourse(
        hidden_deg=np.rad2deg(hidden) * inward,
        flexion_deg=np.rad2deg(flexion),
        rotation_deg=np.rad2deg(twist) * inward,
    )


def knee_angles(between: Array, neutral_flexion_rad: float) -> tuple[Array, Array, Array]:
    """Turn about the femur, bend and twist (m,) of the shank against the thigh's axes [rad].

    Right-handed turns about the femur's Y (up the bone) and the shank's, for the right leg inward;
    the bend is against neutral, + more bent.

    Parameters
    ----------
    between : ndarray, shape (m, 4)
        The femur as the shank tells it, in the thigh's axes.
    neutral_flexion_rad : float
        Knee flexion at neutral.
    """
    hang = Rotation.from_rotvec([0.0, 0.0, -neutral_flexion_rad])
    turned = Rotation.from_quat(between, scalar_first=True) * hang
    about, flexion, twist = turned.as_euler("YZY").T  # flexion 0 to pi: half a turn about both Y
    about, twist = (np.unwrap(one) - np.copysign(np.pi, one[0]) for one in (about, twist))
    return about, flexion - neutral_flexion_rad, twist
