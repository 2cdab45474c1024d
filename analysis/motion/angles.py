"""Segment orientations -> hip and pelvis angles, signs per side."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.motion.calibration import SegmentAxes, Sensor
from analysis.motion.grid import EvenSet
from analysis.motion.quaternions import conjugate, from_rotvec, multiply, rotate

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
    femur_quat : ndarray, shape (m, 4), or None
        Femur in the same frame as the pelvis, X anterior, Y from knee to hip, Z right; as the
        sensor that follows it tells.
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
    femur_quat: Array | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Posed:
    """One segment: its sensor's orientation over a set, and its axes at neutral."""

    sensor: Sensor
    axes: SegmentAxes


def hip_angles(
    even: EvenSet,
    pelvis: tuple[Sensor, SegmentAxes],
    thigh: tuple[Sensor, SegmentAxes],
    side: str,
) -> HipAngles:
    """Angles of a set, from both sensors and their segments' axes.

    Parameters
    ----------
    even : EvenSet
        For the grid and where it was measured.
    pelvis, thigh : tuple of Sensor and SegmentAxes
        Orientation over the set (headings freed of their drift) and axes at neutral.
    side : str
        ``left`` or ``right``.
    """
    inward = 1.0 if side == "right" else -1.0
    pelvis_quat = pelvis[1].motion(pelvis[0])
    seat = seated_thigh(thigh[1])
    thigh_quat = multiply(seat, thigh[1].motion(thigh[0]))
    flexion, adduction, rotation = joint_angles(multiply(conjugate(pelvis_quat), thigh_quat))
    backward_tilt, lean, turn = joint_angles(pelvis_quat)
    neutral_flexion = joint_angles(seat[None, :])[0]
    return HipAngles(
        time_s=even.time_s,
        ir_deg=np.rad2deg(np.unwrap(rotation)) * inward,
        flexion_deg=np.rad2deg(flexion - neutral_flexion),
        adduction_deg=np.rad2deg(adduction) * inward,
        pelvis_tilt_deg=-np.rad2deg(backward_tilt),
        pelvis_obliquity_deg=-np.rad2deg(lean) * inward,
        pelvis_rotation_deg=np.rad2deg(turn) * inward,
        pelvis_quat=pelvis_quat,
        measured=even.measured,
        femur_quat=thigh_quat,
    )


def scaled_rotation(angles: HipAngles, share: float, side: str) -> HipAngles:
    """Angles with the internal rotation times a share, and the femur turned along.

    A further turn about the femur's own Y adds to the last angle of the sequence alone.
    """
    scaled = replace(angles, ir_deg=angles.ir_deg * share)
    if angles.femur_quat is None:
        return scaled
    inward = 1.0 if side == "right" else -1.0
    further_rad = np.deg2rad(angles.ir_deg) * (share - 1.0) * inward
    about_y = from_rotvec(np.outer(further_rad, [0.0, 1.0, 0.0]))
    return replace(scaled, femur_quat=multiply(angles.femur_quat, about_y))


def seated_thigh(thigh: SegmentAxes) -> Array:
    """Femur at neutral in the levelled pelvis (4,): pointing forward, as level as it was seen.

    A thigh that points straight forward and level is flexed by 90 degrees.
    """
    along_up = rotate(thigh.to_level, np.array([0.0, 1.0, 0.0]))[2]
    flexion = 0.5 * np.pi - np.arcsin(np.clip(along_up, -1.0, 1.0))
    return from_rotvec(np.array([0.0, 0.0, flexion]))


def joint_angles(relative: Array) -> tuple[Array, Array, Array]:
    """Angles of a distal segment in a proximal one, ISB sequence Z-X-Y.

    Parameters
    ----------
    relative : ndarray, shape (m, 4)
        Distal axes to proximal axes, unit quaternions (w, x, y, z); X anterior, Y up, Z right.

    Returns
    -------
    tuple of ndarray, each of shape (m,)
        Right-handed turns [rad] about the proximal Z, the floating X and the distal Y:
        for the right hip flexion, adduction and internal rotation.

    References
    ----------
    Wu et al. (2002), J Biomech 35:543, doi:10.1016/S0021-9290(01)00222-6.

    Examples
    --------
    >>> import numpy as np
    >>> half = np.deg2rad(30) / 2
    >>> about_y = np.array([[np.cos(half), 0.0, np.sin(half), 0.0]])
    >>> [round(float(np.rad2deg(a[0])), 9) for a in joint_angles(about_y)]
    [0.0, 0.0, 30.0]
    """
    w, x, y, z = relative.T
    about_z = np.arctan2(2.0 * (w * z - x * y), 1.0 - 2.0 * (x * x + z * z))
    about_x = np.arcsin(np.clip(2.0 * (w * x + y * z), -1.0, 1.0))
    about_y = np.arctan2(2.0 * (w * y - x * z), 1.0 - 2.0 * (x * x + y * y))
    return about_z, about_x, about_y
