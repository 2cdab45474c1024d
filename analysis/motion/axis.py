"""The femur's axis told apart from hip movement in step with the turn.

Where the thigh flexes or adducts a little in proportion to its rotation, the principal axis of
the rotation tilts, and the range comes out too large. The two cases differ in second order: seen
about the true axis, flexion and adduction follow the rotation along a straight line; seen about
a tilted one, along a bow. So the axis is sought about which they run straightest. What else is
known is weighed against that, each by its error: in-step movements are small; the thigh is
supported about level; the pelvis sensor lies about flat on the sacrum, and where pelvis and thigh
were seen to move as one body their headings are known to each other, so that the femur's
direction follows from the pelvis'; a lift of the knee gives it at once.

For small ranges the bow vanishes in the noise and the axis stays wide. A range is its mean over
all axes that are left, not the range about the likeliest one: an axis that errs towards the
off-axis movement takes some of it for rotation, whichever way it errs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from analysis.motion.angles import joint_angles, seated_thigh
from analysis.motion.calibration import SegmentAxes, Sensor, thigh_axes
from analysis.motion.quaternions import conjugate, from_rotvec, multiply, rotate
from imu.units import RAD_PER_DEG

Array = NDArray[np.float64]

STEP = 5  # grid instants between the samples used, at most: 0.1 s
SAMPLES_A_TURN = 20
MAX_SAMPLES = 4000
IN_STEP_SD_RAD = 4.0 * RAD_PER_DEG  # flexion, adduction along a turn; 10 are told as a fault
LEVEL_SD_RAD = 8.0 * RAD_PER_DEG  # thighs supported on a bench, about the horizontal
FREEDOM = 4.0  # of the Student t that a pelvis sensor's placement follows
TILT_SD = 1.0  # of the principal axis off the femur's [rad]: nothing is known
BOW_SD_RAD = 0.01 * RAD_PER_DEG  # of in-step movement at its straightest
BOW_TO_SKEW = 4.0  # courses like powers of the turn, of 0.5 to 3, have a bow of 2 to 8 skews
SKEW_BY_CHANCE = 3.0  # times its variance: a mean skew below that is none
ROUNDS = 3  # of fit and noise in turn
NODES = np.linspace(-3.0, 3.0, 9)  # standard deviations over which the axes left are averaged
COVERED = (0.025, 0.975)  # of the axes left
NORMAL = 1.96  # the same of a normal distribution


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is known of the axes from elsewhere than the turns.

    Attributes
    ----------
    placement_sd_rad : float
        Turn of the pelvis sensor about the vertical against the pelvis.
    level_rad, level_sd_rad : float
        Slope of the femur's axis at neutral, + where the knee is below the hip.
    heading_rad, heading_sd_rad : float
        Heading of the thigh sensor's frame against the pelvis sensor's, from movements that both
        made as one body; a standard deviation of inf where there were none.
    hip_to_knee : ndarray, shape (3,), optional
        From a lift: horizontal direction at neutral, thigh sensor axes, unit length.
    hip_to_knee_sd_rad : float
        Its standard deviation about the vertical.
    """

    placement_sd_rad: float
    level_rad: float = 0.0
    level_sd_rad: float = LEVEL_SD_RAD
    heading_rad: float = 0.0
    heading_sd_rad: float = np.inf
    hip_to_knee: Array | None = None
    hip_to_knee_sd_rad: float = np.inf


@dataclass(frozen=True, slots=True, eq=False)
class StraightAxis:
    """The femur's axis, the pelvis sensor's placement, and how well they are known.

    Attributes
    ----------
    axis : ndarray, shape (3,)
        From knee to hip, thigh sensor axes, unit length; the likeliest.
    sd_rad : float
        Standard deviation of its direction, per plane.
    in_step_rad : float
        Flexion and adduction together that go along with a turn.
    share : float
        What a turn measures over all axes left, on average, of what it does about this one.
    share_sd : float
        Its standard deviation: a relative error of every range of the set.
    placement_rad : float
        Turn of the pelvis axes about the vertical, to be added; + to the left.
    placement_sd_rad : float
        What is left of it.
    """

    axis: Array
    sd_rad: float
    in_step_rad: float
    share: float
    share_sd: float
    placement_rad: float
    placement_sd_rad: float


def straighten_axis(
    pelvis: tuple[Sensor, SegmentAxes],
    thigh: Sensor,
    axis: Array,
    spans: Sequence[tuple[int, int]],
    known: Known,
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
    known : Known
        What else is known.
    """
    course = _course(pelvis, thigh, axis, spans)
    guess, bow_sd = np.zeros(3), BOW_SD_RAD
    for _ in range(ROUNDS):
        fit = least_squares(_misfit, guess, args=(course, known, bow_sd), method="lm")
        guess = fit.x
        bow_sd = bow_deviation(_lines(course, guess))
    jacobian: Array = np.asarray(fit.jac)
    covariance = np.asarray(np.linalg.inv(jacobian.T @ jacobian), dtype=np.float64)
    share, share_sd = _share(course, known, bow_sd, guess, covariance)
    return StraightAxis(
        axis=_tilted(course, guess),
        sd_rad=float(np.sqrt(0.5 * np.trace(covariance[:2, :2]))),
        in_step_rad=float(np.linalg.norm(_lines(course, guess).in_step)),
        share=share,
        share_sd=share_sd,
        placement_rad=float(guess[2]),
        placement_sd_rad=float(np.sqrt(covariance[2, 2])),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Course:
    """Samples of the turns: k instants, the turns beginning at ``starts``.

    ``across`` (3, 2) spans the plane across the axis: level at neutral, and the rest.
    ``backward_rad`` is the heading of the pelvis' backward in its sensor's frame.
    """

    pelvis_motion: Array
    thigh: Sensor
    axis: Array
    across: Array
    starts: NDArray[np.int64]
    backward_rad: float


class Lines:
    """Off-axis movement in two planes fitted by polynomials of the rotation, turn by turn.

    Attributes
    ----------
    in_step : ndarray, shape (2,)
        Flexion and adduction along a whole turn of typical range [rad].
    bow, skew : ndarray, shape (n, 2)
        Second and third Legendre coefficient of each turn [rad].
    extent : float
        Typical range of a turn [rad].
    """

    def __init__(self, turn: Array, off_axis: Array, starts: NDArray[np.int64]) -> None:
        low, high = np.minimum.reduceat(turn, starts), np.maximum.reduceat(turn, starts)
        lengths = np.diff(np.append(starts, len(turn)))
        half = 0.5 * np.maximum(high - low, 1e-6)
        x = (turn - np.repeat(0.5 * (high + low), lengths)) / np.repeat(half, lengths)
        basis = np.column_stack([np.ones_like(x), x, 1.5 * x**2 - 0.5, 2.5 * x**3 - 1.5 * x])
        squares = np.add.reduceat(basis[:, :, None] * basis[:, None, :], starts, axis=0)
        products = np.add.reduceat(basis[:, :, None] * off_axis[:, None, :], starts, axis=0)
        ridge = 1e-6 * lengths[:, None, None] * np.eye(4)
        coefficients = np.linalg.solve(squares + ridge, products)
        slopes = (coefficients[:, 1] * half[:, None]).sum(axis=0) / (half**2).sum()
        self.extent = float(2.0 * np.median(half))
        self.in_step = slopes * self.extent
        self.bow, self.skew = coefficients[:, 2], coefficients[:, 3]


def turn_samples(
    spans: Sequence[tuple[int, int]], count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Instants of the turns that are looked at, and where each turn begins among them."""
    typical = int(np.median([b - a for a, b in spans]))
    step = int(np.clip(typical // SAMPLES_A_TURN, 1, STEP))
    step = max(step, sum(b - a for a, b in spans) // MAX_SAMPLES)
    chosen = [np.arange(a, max(b, a + 4 * step), step) for a, b in spans]
    starts = np.cumsum([0, *(len(one) for one in chosen[:-1])])
    return np.minimum(np.concatenate(chosen), count - 1), starts


def _course(
    pelvis: tuple[Sensor, SegmentAxes],
    thigh: Sensor,
    axis: Array,
    spans: Sequence[tuple[int, int]],
) -> _Course:
    index, starts = turn_samples(spans, len(thigh.quat))
    motion = pelvis[1].motion(replace(pelvis[0], quat=pelvis[0].quat[index]))
    up = rotate(conjugate(thigh.neutral), np.array([0.0, 0.0, 1.0]))
    level = np.cross(up, axis)
    level /= np.linalg.norm(level)
    across = np.column_stack([level, np.cross(axis, level)])
    back = -rotate(pelvis[1].to_level, np.array([1.0, 0.0, 0.0]))
    backward_rad = float(np.arctan2(back[1], back[0]))
    thigh = replace(thigh, quat=thigh.quat[index])
    return _Course(motion, thigh, axis, across, starts, backward_rad)


def _tilted(course: _Course, guess: Array) -> Array:
    axis = course.axis + course.across @ guess[:2]
    unit: Array = axis / np.linalg.norm(axis)
    return unit


def _lines(course: _Course, guess: Array) -> Lines:
    """Lines of the off-axis movement about a tilted axis, the pelvis axes turned."""
    axes = thigh_axes(course.thigh, _tilted(course, guess))
    femur = multiply(seated_thigh(axes), axes.motion(course.thigh))
    turn = from_rotvec(np.array([0.0, guess[2], 0.0]))
    pelvis = multiply(conjugate(turn), multiply(course.pelvis_motion, turn))
    flexion, adduction, rotation = joint_angles(multiply(conjugate(pelvis), femur))
    return Lines(rotation, np.column_stack([flexion, adduction]), course.starts)


def bow_deviation(lines: Lines) -> float:
    """Standard deviation of the mean bow, of either plane [rad].

    From its scatter between the turns and from the mean skew, which no axis explains: movement
    that is crooked in third order is crooked in second.
    """
    n = len(lines.bow)
    scatter = lines.bow.var(axis=0).sum() / max(n - 1, 1)
    chance = SKEW_BY_CHANCE * lines.skew.var(axis=0).sum() / max(n - 1, 1)
    skew = max(float((lines.skew.mean(axis=0) ** 2).sum() - chance), 0.0)
    return float(np.sqrt(BOW_SD_RAD**2 + 0.5 * scatter + 0.5 * BOW_TO_SKEW**2 * skew))


def _misfit(guess: Array, course: _Course, known: Known, bow_sd: float) -> Array:
    """What speaks against an axis (level and upward tilt) and a placement, in standard errors."""
    lines = _lines(course, guess)
    along = rotate(course.thigh.neutral, _tilted(course, guess))
    level = np.arcsin(np.clip(along[2], -1.0, 1.0))
    heading = np.arctan2(along[1], along[0])
    forward = heading - known.heading_rad - course.backward_rad - guess[2]
    against = [
        *(lines.bow.mean(axis=0) / bow_sd),
        *(lines.in_step / IN_STEP_SD_RAD),
        *(guess[:2] / TILT_SD),
        (level - known.level_rad) / known.level_sd_rad,
        _student(guess[2] / known.placement_sd_rad),
        _wrapped(forward) / known.heading_sd_rad,
    ]
    if known.hip_to_knee is not None:
        knee = -rotate(course.thigh.neutral, known.hip_to_knee)
        turned = _wrapped(heading - np.arctan2(knee[1], knee[0]))
        against.append(turned / known.hip_to_knee_sd_rad)
    return np.array(against)


def _share(
    course: _Course, known: Known, bow_sd: float, guess: Array, covariance: Array
) -> tuple[float, float]:
    """Mean range over the axes left against that about the likeliest, and its deviation.

    The axes are taken on a grid along the main directions of their covariance, weighted by what
    speaks against each, the placement following the axis.
    """
    values, vectors = np.linalg.eigh(covariance[:2, :2])
    tilts = [vectors @ (np.sqrt(values) * [a, b]) for a in NODES for b in NODES]
    follows = covariance[2, :2] @ np.linalg.inv(covariance[:2, :2])
    best = _misfit(guess, course, known, bow_sd)
    weights, extents = [], []
    for tilt in tilts:
        node = guess + np.array([*tilt, follows @ tilt])
        against = _misfit(node, course, known, bow_sd)
        weights.append(np.exp(-0.5 * (against @ against - best @ best)))
        extents.append(_lines(course, node).extent)
    ratio = np.array(extents) / _lines(course, guess).extent
    weight = np.array(weights) / np.sum(weights)
    mean = float(weight @ ratio)
    order = np.argsort(ratio)
    below = np.cumsum(weight[order]) - 0.5 * weight[order]
    low, high = np.interp(COVERED, below, ratio[order])
    return mean, float(max(high - mean, mean - low) / NORMAL)


def _student(error: float) -> float:
    """Standard errors that count like a Student t's: a sensor may sit far from where it should."""
    size = np.sqrt((FREEDOM + 1.0) * np.log1p(error**2 / FREEDOM))
    return float(np.copysign(size, error))


def _wrapped(angle: float) -> float:
    return float((angle + np.pi) % (2.0 * np.pi) - np.pi)
