"""The femur's axis in a shank sensor, where a thigh sensor tells the femur.

A knee that bends or twists in step with the turn tilts the principal axis of the shank's turning,
as hip movement in step does with the thigh's. The thigh sensor settles most of it: the femur's
slope is known, and what is left is the heading between the two sensors' frames. About the true
axis the knee's course runs straight with the turn; about a turned one the twist runs along a bow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from analysis.motion.angles import seated_thigh
from analysis.motion.axis import (
    BOW_SD_RAD,
    ROUNDS,
    Lines,
    StraightAxis,
    bow_deviation,
    turn_samples,
)
from analysis.motion.calibration import Sensor, thigh_axes
from analysis.motion.knee import knee_angles
from analysis.motion.quaternions import conjugate, multiply, rotate
from imu.units import RAD_PER_DEG

Array = NDArray[np.float64]

IN_STEP_SD_RAD = 5.0 * RAD_PER_DEG  # knee bend and twist along a turn; 8 to 10 are flagged
MIN_BOW_SD_RAD = 3.0 * BOW_SD_RAD  # two sensors' courses, and skin


@dataclass(frozen=True, slots=True, eq=False)
class Above:
    """What a thigh sensor tells of the femur, on the shank's grid.

    Attributes
    ----------
    femur_quat : ndarray, shape (m, 4)
        As in `HipAngles`; NaN where there is none.
    neutral : ndarray, shape (4,)
        The same at neutral.
    placement_rad, placement_sd_rad : float
        Of the pelvis sensor about the vertical, as found with the thigh.
    """

    femur_quat: Array
    neutral: Array
    placement_rad: float
    placement_sd_rad: float

    @property
    def along_up(self) -> float:
        """Sine of the femur's slope at neutral, + where the knee is below the hip."""
        return float(rotate(self.neutral, np.array([0.0, 1.0, 0.0]))[1])


def axis_below(
    shank: Sensor,
    axis: Array,
    spans: Sequence[tuple[int, int]],
    above: Above,
) -> StraightAxis:
    """Femur's axis in the shank sensor, about which the knee's course runs straight.

    Parameters
    ----------
    shank : Sensor
        Orientation of the shank.
    axis : ndarray, shape (3,)
        Principal axis from knee to hip, shank sensor axes; the start of the search.
    spans : sequence of (int, int)
        Half-open spans of the turns in and back, grid indices.
    above : Above
        What the thigh tells.
    """
    index, starts = turn_samples(spans, len(shank.quat))
    known = np.isfinite(above.femur_quat[index]).all(axis=1)
    index = np.where(known, index, index[known][0] if known.any() else 0)
    course = _Course(
        replace(shank, quat=shank.quat[index]), axis, starts, above, above.femur_quat[index]
    )
    guess, bow_sd = np.zeros(1), MIN_BOW_SD_RAD
    for _ in range(ROUNDS):
        fit = least_squares(_misfit, guess, args=(course, bow_sd), method="lm")
        guess = fit.x
        bow_sd = max(bow_deviation(_lines(course, guess)), MIN_BOW_SD_RAD)
    jacobian: Array = np.asarray(fit.jac)
    sd = float(1.0 / np.sqrt((jacobian**2).sum()))
    extents = [_lines(course, guess + side * sd).extent for side in (-1.0, 0.0, 1.0)]
    share_sd = max(abs(one / extents[1] - 1.0) for one in extents)
    return StraightAxis(
        axis=_turned_axis(course, guess),
        sd_rad=sd,
        in_step_rad=float(np.linalg.norm(_lines(course, guess).in_step)),
        share=1.0,
        share_sd=share_sd,
        placement_rad=above.placement_rad,
        placement_sd_rad=above.placement_sd_rad,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Course:
    """Samples of the turns: k instants, the turns beginning at ``starts``."""

    shank: Sensor
    axis: Array
    starts: NDArray[np.int64]
    above: Above
    femur_quat: Array


def _turned_axis(course: _Course, guess: Array) -> Array:
    """Axis of the femur's known slope, its heading turned from that of the principal axis."""
    along = rotate(course.shank.neutral, course.axis)
    heading = np.arctan2(along[1], along[0]) + guess[0]
    sine = course.above.along_up
    cosine = np.sqrt(1.0 - sine**2)
    world = np.array([cosine * np.cos(heading), cosine * np.sin(heading), sine])
    return rotate(conjugate(course.shank.neutral), world)


def _lines(course: _Course, guess: Array) -> Lines:
    """Knee bend and twist against the shank's turn about the femur's axis."""
    axes = thigh_axes(course.shank, _turned_axis(course, guess))
    lower = multiply(seated_thigh(axes), axes.motion(course.shank))
    turn, _, _ = knee_angles(multiply(conjugate(course.above.neutral), lower), np.pi / 2)
    _, flexion, twist = knee_angles(multiply(conjugate(course.femur_quat), lower), np.pi / 2)
    return Lines(turn, np.column_stack([flexion, twist]), course.starts)


def _misfit(guess: Array, course: _Course, bow_sd: float) -> Array:
    """What speaks against a heading, in standard errors."""
    lines = _lines(course, guess)
    against = [*(lines.bow.mean(axis=0) / bow_sd), *(lines.in_step / IN_STEP_SD_RAD)]
    return np.array(against)
