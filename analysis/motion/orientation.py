"""Streams -> sensor orientations without a magnetometer, offline and zero-phase.

The gyroscope carries every movement; gravity corrects its slow inclination drift. The rates,
freed of their bias, are integrated into a frame that would stand still if they were perfect
(after Laidig & Seel 2023, Information Fusion 91:187). In it the specific force is gravity plus
the person's accelerations, and gravity moves only as slowly as the drift. It is found by a
penalised smoother (Eilers 2003, Anal Chem 75:3631) that looks both ways in time, lets a steadily
changing drift pass without lag, and gives gaps no weight. It penalises third differences: what is
slower than the cut-off passes, what is faster is left out, more sharply than by second ones (on 30
trials of BROAD 0.313° of inclination against 0.315°). Off-the-shelf filters estimate the bias while
the person moves slowly and so take slow movement for bias; here a bias is constant over a set
and comes from stillness, the drift of gravity and the returns to neutral.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solveh_banded
from scipy.ndimage import median_filter, uniform_filter1d

from analysis.motion.grid import GRID_HZ, EvenStream
from analysis.motion.quaternions import (
    between,
    conjugate,
    cross,
    from_rotvec,
    multiply,
    rotate,
    running_product,
)
from imu.units import STANDARD_GRAVITY_MS2

Array = NDArray[np.float64]

UP = np.array([0.0, 0.0, 1.0])
BIN = 5  # grid instants averaged before gravity is smoothed: 0.1 s
BIN_S = BIN / GRID_HZ
GRAVITY_CUTOFF_HZ = 0.075  # noise of both sensors is about least here, simulated and real
PENALTY = (1.0 / (2.0 * np.pi * GRAVITY_CUTOFF_HZ * BIN_S)) ** 6
KNOCK = 0.3  # of gravity, off the bins around: 0.3 m/s gained in 0.1 s, or lost with a sample
KNOCK_BINS = 2  # a knock is over in so many
AROUND_BINS = 21  # looked at for it, 2 s; half of them are within a tenth of it, or it is shaking
LEAD_S = 0.00175  # of accelerometers before gyroscopes: their filters are less slow


@dataclass(frozen=True, slots=True, eq=False)
class GravityFit:
    """How gravity was found in b bins of 0.1 s.

    Attributes
    ----------
    residual : ndarray, shape (b, 3)
        Specific force off gravity, in the frame with Z up, as a share of gravity.
    weight, penalty : ndarray, shapes (b,) and (b - 3,)
        Of the smoother, so that others can smooth likewise.
    """

    residual: Array
    weight: Array
    penalty: Array

    @property
    def scatter_rad(self) -> float:
        """Direction of single bins off gravity, per axis, root mean square."""
        seen = self.weight > 1e-6
        return float(np.sqrt((self.residual[seen, :2] ** 2).mean()))

    def rest_of(self, value: Array) -> Array:
        """What the smoother would leave of a course of values (b,)."""
        rest: Array = value - _whittaker(value[:, None], self.weight, self.penalty)[:, 0]
        return rest


@dataclass(frozen=True, slots=True, eq=False)
class Levelled:
    """Orientation of one sensor with gravity known and the heading as the gyroscope gives it.

    Attributes
    ----------
    quat : ndarray, shape (m, 4)
        Sensor to a frame with Z up; unit quaternions (w, x, y, z).
    drift_rads : ndarray, shape (b, 3)
        Rate error of the gyroscope seen in the drift of gravity, per bin, horizontal, in the
        frame with Z up.
    fit : GravityFit
        How gravity was found.
    """

    quat: Array
    drift_rads: Array
    fit: GravityFit


def level(stream: EvenStream) -> Levelled:
    """Orientation of one sensor, its inclination corrected by gravity.

    Parameters
    ----------
    stream : EvenStream
        m instants on the grid, the rates freed of their bias as far as it is known.

    Returns
    -------
    Levelled
        The heading is 0 at the first instant and drifts with what is left of the bias.
    """
    strapdown = running_product(from_rotvec(stream.turn_rad))
    mean, weight, penalty = _bins(strapdown, stream)
    gravity_bins = _unit(_whittaker(mean, weight, penalty))
    correction = _untwisted(gravity_bins)
    index = np.arange(len(strapdown))
    gravity = _unit(_column_wise(index.astype(float), _centres(len(index)), gravity_bins))
    coarse = correction[_bin_of(index, len(correction))]
    fine = between(rotate(coarse, gravity), np.broadcast_to(UP, gravity.shape))
    rate = np.gradient(gravity_bins, BIN_S, axis=0)
    drift = rotate(correction, np.cross(gravity_bins, rate))
    fit = GravityFit(rotate(correction, mean - gravity_bins), weight, penalty)
    return Levelled(multiply(multiply(fine, coarse), strapdown), drift, fit)


def turn_heading(quat: Array, heading_rad: Array) -> Array:
    """Orientations (m, 4) with their heading turned back by heading_rad (m,) about the vertical."""
    rotvec = np.zeros((len(heading_rad), 3))
    rotvec[:, 2] = -heading_rad
    return multiply(from_rotvec(rotvec), quat)


def heading_against(quat: Array, neutral: Array) -> Array:
    """Turn about the vertical (m,) [rad] of orientations (m, 4) against a neutral one (4,).

    The twist of the swing-twist decomposition, unwrapped.
    """
    relative = multiply(quat, conjugate(neutral))
    return np.unwrap(2.0 * np.arctan2(relative[:, 3], relative[:, 0]))


def mean_orientation(quat: Array) -> Array:
    """Mean of orientations that lie close together: (m, 4) -> (4,)."""
    aligned = quat * np.sign(quat @ quat[0])[:, None]
    mean = aligned.mean(axis=0)
    unit: Array = mean / np.linalg.norm(mean)
    return unit


def _bins(strapdown: Array, stream: EvenStream) -> tuple[Array, Array, Array]:
    """Specific force per bin as a share of gravity, and the smoother's weights and penalties.

    All that was measured counts alike, but for a knock against a quiet sensor: the accelerations
    of a person who stays in place cancel in the mean over some seconds, but not in a mean of
    chosen moments. Samples at full scale count, too: without them the rest of their strokes
    would tip gravity by more than what was cut off.
    """
    lead = LEAD_S * GRID_HZ * cross(stream.turn_rad, stream.acc_ms2)
    force = rotate(strapdown, stream.acc_ms2 + lead) * stream.measured[:, None]
    edges = _edges(len(force))
    width = np.diff(np.append(edges, len(force)))
    seen = np.add.reduceat(stream.measured.astype(float), edges)
    mean = np.add.reduceat(force, edges, axis=0) / np.maximum(seen, 1.0)[:, None]
    size = np.linalg.norm(mean, axis=1)
    typical = np.median(size[seen > 0]) if np.any(seen > 0) else STANDARD_GRAVITY_MS2
    lost = np.add.reduceat(stream.lost.astype(float), edges) > 0
    apart = lost[:-3] | lost[1:-2] | lost[2:-1] | lost[3:]
    mean /= typical
    weight = np.where(_knocked(mean), 0.0, seen / width) + 1e-9
    return mean, weight, PENALTY * np.where(apart, 1e-9, 1.0)


def _knocked(mean: Array) -> NDArray[np.bool_]:
    """Bins (b, 3) of a knock against a quiet sensor, too short for its samples to add up to zero.

    Whatever else is fast is kept: only over all of its samples does a movement cancel.
    """
    none = np.zeros(len(mean), dtype=bool)
    steps = np.abs(np.diff(mean, axis=0)).max(axis=1, initial=0.0)
    if steps.max(initial=0.0) < 0.5 * KNOCK:
        return none
    off = np.linalg.norm(mean - median_filter(mean, (AROUND_BINS, 1), mode="nearest"), axis=1)
    large = (off > KNOCK).astype(float)
    few = uniform_filter1d(large, AROUND_BINS, mode="nearest") * AROUND_BINS < KNOCK_BINS + 0.5
    quiet = median_filter(off, AROUND_BINS, mode="nearest") < 0.1 * KNOCK
    knocked: NDArray[np.bool_] = (large > 0.0) & few & quiet
    return knocked


def _edges(count: int) -> NDArray[np.int64]:
    """First instant of each bin; the last bin takes what is left over."""
    return np.arange(0, max(count - BIN + 1, 1), BIN)


def _centres(count: int) -> Array:
    """Middle of each bin, in instants."""
    edges = _edges(count)
    middle: Array = 0.5 * (edges + np.append(edges[1:], count) - 1)
    return middle


def _bin_of(index: NDArray[np.int64], bins: int) -> NDArray[np.int64]:
    return np.minimum(index // BIN, bins - 1)


def _column_wise(at: Array, points: Array, values: Array) -> Array:
    """Linear interpolation of each column of values (b, 3)."""
    return np.column_stack([np.interp(at, points, values[:, k]) for k in range(3)])


def _unit(vectors: Array) -> Array:
    length = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))[..., None]
    unit: Array = vectors / np.maximum(length, 1e-9)
    return unit


def _whittaker(values: Array, weight: Array, penalty: Array) -> Array:
    """Minimise sum w |x - y|^2 + sum p |third difference of x|^2.

    Values y (b, k), weights w (b,), penalties p (b - 3,); a quadratic course passes untouched.
    """
    n = len(values)
    bands = np.zeros((4, n))
    bands[3] = weight
    for at, diagonal in enumerate((1.0, 9.0, 9.0, 1.0)):
        bands[3, at : n - 3 + at] += diagonal * penalty
    for at, beside in enumerate((-3.0, -9.0, -3.0)):
        bands[2, at + 1 : n - 2 + at] += beside * penalty
    for at in range(2):
        bands[1, at + 2 : n - 1 + at] += 3.0 * penalty
    bands[0, 3:] -= penalty
    solution: Array = solveh_banded(bands, weight[:, None] * values)
    return solution


def _untwisted(direction: Array) -> Array:
    """Rotations (b, 4) that take each direction (b, 3) to `UP` without adding to the heading."""
    first = between(direction[0], UP)
    steps = between(direction[1:], direction[:-1])
    return running_product(np.vstack([first, steps]))
