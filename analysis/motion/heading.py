"""Drift of the heading, held where the person returns to neutral; the bias behind it.

Nothing but the gyroscope sees the turn about the vertical. What is known besides: the bias in the
stillness before the set, and that a person who sits on a bench comes back to about the same
heading whenever they rest. Both are weighed by their errors (a Gaussian process: constant bias,
its walk, the noise of the rate, and a person who does not return exactly), so that a swaying
person's poor stillness counts little, and a short set's few returns too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.motion.grid import GRID_HZ, EvenStream
from analysis.motion.orientation import BIN, BIN_S, Levelled, heading_against, mean_orientation
from analysis.motion.quaternions import conjugate, rotate
from imu.units import RAD_PER_DEG

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

RETURN_SD_RAD = 0.5 * RAD_PER_DEG  # a person's heading at rest, from rest to rest
WALK_RADS2 = 0.0005 * RAD_PER_DEG  # bias walk per root second [rad/s/sqrt(s)], consumer sensors
JUMP_SD_RAD = 20.0 * RAD_PER_DEG  # heading lost in a long gap
MIN_TIP_RAD = 0.5 * RAD_PER_DEG  # gravity moved further: a slow turn or a sway, not the bias
MAX_RESTS = 120  # weighed one by one; a longer set's are averaged in groups
INCLINATION_SD_RAD = 0.3 * RAD_PER_DEG  # of gravity's direction between both ends of a set


@dataclass(frozen=True, slots=True, eq=False)
class StillBias:
    """Gyroscope bias in a stillness.

    Attributes
    ----------
    bias_rads : ndarray, shape (3,)
        Mean rate, sensor axes.
    sd_rads : float
        Standard deviation of each component, from the unsteadiness seen.
    noise_rads : float
        Noise density of the rate, per root hertz, from its fastest changes.
    """

    bias_rads: Array
    sd_rads: float
    noise_rads: float


@dataclass(frozen=True, slots=True, eq=False)
class HeadingDrift:
    """Drift of one sensor's heading.

    Attributes
    ----------
    drift_rad : ndarray, shape (m,)
        To be taken off the heading.
    rate_rads : float
        Its constant part: the bias about the vertical that the stillness missed.
    rate_sd_rads : float
        Its standard deviation.
    """

    drift_rad: Array
    rate_rads: float
    rate_sd_rads: float


def still_bias(stream: EvenStream, span: tuple[int, int]) -> StillBias:
    """Bias of one sensor from a stillness given as a half-open span of grid indices."""
    rate = stream.turn_rad[slice(*span)] * GRID_HZ
    block, half = int(0.1 * GRID_HZ), int(0.5 * GRID_HZ)
    blocks = rate[: len(rate) // block * block].reshape(-1, block, 3).mean(axis=1)
    if len(blocks) > 3:
        fast = np.diff(
            blocks, n=3, axis=0
        )  # sways and breath are gone, of white noise 20 parts left
        noise = float(np.sqrt((fast**2).mean() / 20.0 * 0.1))
    else:
        noise = float(np.sqrt((np.diff(rate, n=3, axis=0) ** 2).mean() / 20.0 / GRID_HZ))
    slow = rate[: len(rate) // half * half].reshape(-1, half, 3).mean(axis=1)
    sway = float(np.sqrt(slow.var(axis=0, ddof=1).mean())) if len(slow) > 1 else 0.0
    length_s = len(rate) / GRID_HZ
    sd = float(np.hypot(noise / np.sqrt(length_s), sway * np.sqrt(1.0 / length_s)))
    tipped = _tipped(stream.acc_ms2[slice(*span)])
    if np.linalg.norm(tipped) < MIN_TIP_RAD:
        return StillBias(rate.mean(axis=0), sd, noise)
    sd = float(np.hypot(sd, MIN_TIP_RAD / length_s))
    return StillBias(rate.mean(axis=0) - tipped / length_s, sd, noise)


def _tipped(acc_ms2: Array) -> Array:
    """Turn of a sensor from the first to the last half second of a span, as gravity saw it [rad].

    Sensor axes; a direction u at rest in the world changes by du = u x turn.
    """
    half = int(0.5 * GRID_HZ)
    first, last = (part.mean(axis=0) for part in (acc_ms2[:half], acc_ms2[-half:]))
    first, last = first / np.linalg.norm(first), last / np.linalg.norm(last)
    turn: Array = np.cross(last - first, 0.5 * (first + last))
    return turn


def heading_drift(
    quat: Array, neutral: tuple[int, int], rests: Indices, still: StillBias, lost_at: Indices
) -> HeadingDrift:
    """Drift of a heading, from the rests.

    Parameters
    ----------
    quat : ndarray, shape (m, 4)
        Orientation of the sensor in a frame with Z up.
    neutral : tuple of int
        Half-open span of the neutral stillness.
    rests : ndarray of int, shape (k, 2)
        Half-open spans in which the person rests at neutral, the neutral stillness among them.
    still : StillBias
        For the size of what may be left of the bias and of the noise.
    lost_at : ndarray of int, shape (j,)
        Instants at which the orientation was lost.
    """
    heading = heading_against(quat, mean_orientation(quat[slice(*neutral)]))
    middle, seen, grouped = _grouped(rests, np.array([heading[a:b].mean() for a, b in rests]))
    noise = np.eye(len(middle)) * RETURN_SD_RAD**2 / grouped
    origin = 0.5 * (neutral[0] + neutral[1])
    t = (middle - origin) / GRID_HZ
    steps = [_step(t, (at - origin) / GRID_HZ) for at in lost_at]
    linear = np.outer(t, t) * still.sd_rads**2
    prior = linear + _walks(t, still.noise_rads)
    prior = prior + JUMP_SD_RAD**2 * sum((np.outer(s, s) for s in steps), np.zeros_like(linear))
    solved = np.linalg.solve(prior + noise, np.column_stack([seen, t * still.sd_rads**2]))
    estimate = prior @ solved[:, 0]
    weights = solved[:, 1]
    rate = float(weights @ seen)
    rate_var = still.sd_rads**2 - float(weights @ t) * still.sd_rads**2
    drift = np.interp(np.arange(len(quat)), middle, estimate)
    drift += _beyond(middle, rate, len(quat))
    return HeadingDrift(drift, rate, float(np.sqrt(max(rate_var, 0.0))))


def refined_bias(
    still: StillBias, levelled: Levelled, heading: HeadingDrift, usable: NDArray[np.bool_]
) -> StillBias:
    """What is left of the bias, from the drift of gravity and of the heading together.

    Parameters
    ----------
    still : StillBias
        From the stillness; its standard deviation says how much may be left.
    levelled : Levelled
        Orientation made with that bias taken off.
    heading : HeadingDrift
        Found in it.
    usable : ndarray of bool, shape (m,)
        Instants at which the orientation is known.

    Returns
    -------
    StillBias
        To be added to the bias taken off; its standard deviation is that of the sum.
    """
    centres = np.arange(len(levelled.drift_rads)) * BIN + BIN // 2
    centres = np.minimum(centres, len(levelled.quat) - 1)
    use = usable[centres]
    back = conjugate(levelled.quat[centres[use]])
    drift = rotate(back, levelled.drift_rads[use]).mean(axis=0)
    up = rotate(back, np.array([0.0, 0.0, 1.0]))
    duration_s = max(len(levelled.drift_rads) * BIN_S, 1.0)
    inclination_sd = 2.0 * INCLINATION_SD_RAD / duration_s
    vertical = up.T @ up / len(up)
    information = np.eye(3) / still.sd_rads**2
    information = information + (np.eye(3) - vertical) / inclination_sd**2
    right = drift / inclination_sd**2
    gain = 1.0 / max(heading.rate_sd_rads, 1e-9) ** 2 - 1.0 / still.sd_rads**2
    information = information + vertical * gain
    right = right + up.mean(axis=0) * heading.rate_rads / heading.rate_sd_rads**2
    error = np.linalg.solve(information, right)
    sd = float(np.sqrt(np.trace(np.linalg.inv(information)) / 3.0))
    return StillBias(error, sd, still.noise_rads)


def _grouped(rests: Indices, seen: Array) -> tuple[Array, Array, int]:
    """Middles and values of the rests, neighbours averaged where there are very many."""
    middle = rests.mean(axis=1)
    grouped = -(-len(rests) // MAX_RESTS)
    if grouped == 1:
        return middle, seen, 1
    starts = np.arange(0, len(rests), grouped)
    counts = np.diff(np.append(starts, len(rests)))
    return np.add.reduceat(middle, starts) / counts, np.add.reduceat(seen, starts) / counts, grouped


def _walks(t: Array, noise: float) -> Array:
    """Covariance [rad²] of the integrated noise and bias walk at times t from the neutral."""
    size = np.abs(t)
    least = np.minimum.outer(size, size) * (np.sign(t)[:, None] == np.sign(t)[None, :])
    most = np.maximum.outer(size, size)
    walk: Array = noise**2 * least + WALK_RADS2**2 * least**2 * (most / 2.0 - least / 6.0)
    return walk


def _step(t: Array, at: float) -> Array:
    """1 on the side of a loss that lies away from the neutral (at t = 0)."""
    return ((t > at) if at > 0 else (t < at)).astype(float)


def _beyond(middle: Array, rate: float, count: int) -> Array:
    """What the constant rate adds before the first and after the last rest."""
    index = np.arange(count)
    outside: Array = np.minimum(index - middle[0], 0.0) + np.maximum(index - middle[-1], 0.0)
    return outside * rate / GRID_HZ
