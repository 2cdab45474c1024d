"""The femur's axis told apart from hip movement in step with the turn.

Where the thigh flexes or adducts a little in proportion to its rotation, the principal axis of
the rotation tilts, and the range comes out too large. The two cases differ in second order: seen
about the true axis, flexion and adduction follow the rotation along a straight line; seen about
a tilted one, along a curve. So the axis is sought about which they run straightest. For small
ranges the curve vanishes in the noise; then two priors decide: in-step movements are small, and
the thigh is supported about level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from analysis.motion.angles import joint_angles, seated_thigh
from analysis.motion.calibration import SegmentAxes, Sensor, thigh_axes
from analysis.motion.quaternions import conjugate, multiply, rotate
from imu.units import RAD_PER_DEG

Array = NDArray[np.float64]

STEP = 5  # grid instants between the samples used: 0.1 s
TILT_SD_RAD = 20.0 * RAD_PER_DEG  # of the principal axis off the femur's, at the smallest ranges
MIN_COSINE = 0.97  # an axis known worse than to 10 degrees shrinks nothing any further
MAX_SAMPLES = 4000
IN_STEP_SD_RAD = 3.0 * RAD_PER_DEG  # flexion and adduction that go along with a turn
LEVEL_SD_RAD = 8.0 * RAD_PER_DEG  # thighs supported on a bench, about the horizontal
PIECES = 5.0  # of a turn's course, both planes, that err independently
CURVE_SD_RAD = 0.015 * RAD_PER_DEG  # how straight in-step movement is at best


@dataclass(frozen=True, slots=True, eq=False)
class StraightAxis:
    """The femur's axis and how well it is known.

    Attributes
    ----------
    axis : ndarray, shape (3,)
        From knee to hip, thigh sensor axes, unit length.
    sd_rad : float
        Standard deviation of its direction, per plane.
    in_step_rad : float
        Flexion and adduction together that go along with a turn.
    """

    axis: Array
    sd_rad: float
    in_step_rad: float

    @property
    def expected_cosine(self) -> float:
        """What a turn about the true axis measures less than one about this axis, on average.

        An axis that errs towards the off-axis movement takes some of it for rotation, so that
        the range comes out too large whichever way it errs.
        """
        return float(max(1.0 - self.sd_rad**2, MIN_COSINE))


def straighten_axis(
    pelvis: tuple[Sensor, SegmentAxes],
    thigh: Sensor,
    axis: Array,
    spans: Sequence[tuple[int, int]],
) -> StraightAxis:
    """Axis of the femur about which the off-axis movement runs straight with the rotation.

    Parameters
    ----------
    pelvis : tuple of Sensor and SegmentAxes
        Orientation and axes of the pelvis.
    thigh : Sensor
        Orientation of the thigh.
    axis : ndarray, shape (3,)
        Principal axis from knee to hip, thigh sensor axes; the start of the search.
    spans : sequence of (int, int)
        Half-open spans of the turns in and back, grid indices; a person who ends elsewhere than
        where they began goes in along one line and back along another.

    Returns
    -------
    StraightAxis
        With its standard deviation.
    """
    course = _course(pelvis, thigh, axis, spans)
    spread = CURVE_SD_RAD
    tilt = np.zeros(2)
    for _ in range(2):
        weight = 1.0 / np.hypot(CURVE_SD_RAD, spread / np.sqrt(PIECES * len(spans)))
        fit = least_squares(_misfit, tilt, args=(course, weight), method="lm")
        tilt = fit.x
        residual, in_step = _straight_lines(course, tilt)
        spread = float(np.sqrt((residual**2).mean()))
    jacobian: Array = np.asarray(fit.jac)
    covariance = np.linalg.inv(jacobian.T @ jacobian)
    sd = float(np.sqrt(0.5 * np.trace(covariance)))
    return StraightAxis(_tilted(course, tilt), sd, float(np.linalg.norm(in_step)))


@dataclass(frozen=True, slots=True, eq=False)
class _Course:
    """Samples of the turns: k instants, the turns beginning at ``starts``."""

    pelvis_motion: Array
    thigh: Sensor
    axis: Array
    across: Array
    starts: NDArray[np.int64]


def _course(
    pelvis: tuple[Sensor, SegmentAxes],
    thigh: Sensor,
    axis: Array,
    spans: Sequence[tuple[int, int]],
) -> _Course:
    step = max(STEP, sum(b - a for a, b in spans) // MAX_SAMPLES)
    chosen = [np.arange(a, max(b, a + 3 * step), step) for a, b in spans]
    index = np.minimum(np.concatenate(chosen), len(thigh.quat) - 1)
    starts = np.cumsum([0, *(len(one) for one in chosen[:-1])])
    motion = pelvis[1].motion(replace(pelvis[0], quat=pelvis[0].quat[index]))
    across = np.linalg.svd(axis[None, :])[2][1:].T
    return _Course(motion, replace(thigh, quat=thigh.quat[index]), axis, across, starts)


def _tilted(course: _Course, tilt: Array) -> Array:
    axis = course.axis + course.across @ tilt
    unit: Array = axis / np.linalg.norm(axis)
    return unit


def _straight_lines(course: _Course, tilt: Array) -> tuple[Array, Array]:
    """Fit flexion and adduction to the rotation, a line per turn.

    Returns
    -------
    residual : ndarray, shape (k, 2)
        What the lines leave [rad].
    in_step : ndarray, shape (2,)
        Flexion and adduction along a whole turn of typical range [rad].
    """
    axes = thigh_axes(course.thigh, _tilted(course, tilt))
    femur = multiply(seated_thigh(axes), axes.motion(course.thigh))
    flexion, adduction, rotation = joint_angles(multiply(conjugate(course.pelvis_motion), femur))
    turn = _centred(rotation, course.starts)
    off_axis = np.column_stack([_centred(a, course.starts) for a in (flexion, adduction)])
    products = np.add.reduceat(turn[:, None] * off_axis, course.starts, axis=0)
    squares = np.add.reduceat(turn**2, course.starts)
    lengths = _lengths(course.starts, len(turn))
    slopes = np.repeat(products / squares[:, None], lengths, axis=0)
    extent = np.maximum.reduceat(turn, course.starts) - np.minimum.reduceat(turn, course.starts)
    in_step = products.sum(axis=0) / squares.sum() * np.median(extent)
    return off_axis - slopes * turn[:, None], in_step


def _misfit(tilt: Array, course: _Course, weight: float) -> Array:
    residual, in_step = _straight_lines(course, tilt)
    along = rotate(course.thigh.neutral, _tilted(course, tilt))
    level = np.arcsin(np.clip(along[2], -1.0, 1.0))
    curves = residual.ravel() * weight / np.sqrt(len(residual))
    priors = [*(in_step / IN_STEP_SD_RAD), *(tilt / TILT_SD_RAD), level / LEVEL_SD_RAD]
    return np.concatenate([curves, priors])


def _centred(value: Array, starts: NDArray[np.int64]) -> Array:
    lengths = _lengths(starts, len(value))
    return value - np.repeat(np.add.reduceat(value, starts) / lengths, lengths)


def _lengths(starts: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    return np.diff(np.append(starts, count))
