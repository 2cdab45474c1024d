"""A second look at both sensors, once the repetitions are known.

The bias by the rests between them, the heading held there, and the disagreement of gyroscope and
accelerometer split between the two.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from analysis.coarse import Coarse, Tracked, track
from analysis.motion.grid import GRID_HZ
from analysis.motion.heading import HeadingDrift, heading_drift, refined_bias
from analysis.motion.orientation import mean_orientation, turn_heading
from analysis.motion.scale import scale_disagreement, split
from imu.units import RAD_PER_DEG, STANDARD_GRAVITY_MS2

Array = NDArray[np.float64]
Span = tuple[int, int]

MIN_REST = int(0.2 * GRID_HZ)
MAX_TAIL = int(1.0 * GRID_HZ)
NEGLIGIBLE_BIAS_RADS = 0.02 * RAD_PER_DEG  # with gravity and heading held, 0.02 degrees
NEGLIGIBLE_SCALE = 0.0003  # 0.01 degrees in 32


def refine(tracked: Tracked, neutral: Span, rests: NDArray[np.int64]) -> Tracked:
    """Find the bias from the whole set, and hold the heading."""
    stream = tracked.stream
    drift = _drift(tracked, neutral, rests)
    excess = refined_bias(tracked.bias, tracked.levelled, drift, ~stream.lost)
    refined = replace(excess, bias_rads=tracked.bias.bias_rads + excess.bias_rads)
    if np.linalg.norm(excess.bias_rads) < NEGLIGIBLE_BIAS_RADS:
        return _hold_heading(replace(tracked, bias=refined), drift, neutral)
    again = replace(track(stream, excess, neutral), bias=refined)
    return _hold_heading(again, _drift(again, neutral, rests), neutral)


def _drift(tracked: Tracked, neutral: Span, rests: NDArray[np.int64]) -> HeadingDrift:
    lost_at = np.flatnonzero(np.diff(tracked.stream.lost.astype(int)) > 0)
    return heading_drift(tracked.levelled.quat, neutral, rests, tracked.bias, lost_at)


def _hold_heading(tracked: Tracked, drift: HeadingDrift, neutral: Span) -> Tracked:
    quat = turn_heading(tracked.levelled.quat, drift.drift_rad)
    sensor = replace(tracked.sensor, quat=quat, neutral=mean_orientation(quat[slice(*neutral)]))
    return replace(tracked, sensor=sensor)


def agree(
    thigh: Tracked, axis: Array, moving: slice, neutral: Span, rests: NDArray[np.int64]
) -> tuple[Tracked, float]:
    """Split the disagreement of gyroscope and accelerometer about the axis between them."""
    acc = thigh.stream.acc_ms2
    seen = scale_disagreement(acc, thigh.levelled.fit, thigh.sensor, axis, moving)
    gyroscope, accelerometer, left = split(seen)
    if max(abs(gyroscope), abs(accelerometer)) < NEGLIGIBLE_SCALE:
        return thigh, left
    turn = thigh.stream.turn_rad
    turn = turn - gyroscope * (turn @ axis)[:, None] * axis
    acc = acc + accelerometer * STANDARD_GRAVITY_MS2 * seen.up
    none = replace(thigh.bias, bias_rads=np.zeros(3))
    again = track(replace(thigh.stream, turn_rad=turn, acc_ms2=acc), none, neutral)
    again = replace(again, bias=thigh.bias)
    return _hold_heading(again, _drift(again, neutral, rests), neutral), left


def rests_of(coarse: Coarse, count: int) -> NDArray[np.int64]:
    """Spans at neutral: the stillness and the pauses between repetitions."""
    ends = [one.span().stop for one in coarse.phases]
    starts = [one.span().start for one in coarse.phases[1:]]
    tail = min(count, ends[-1] + MAX_TAIL)
    pauses = zip(ends, [*starts, tail], strict=True)
    return np.array([coarse.neutral, *((a, b) for a, b in pauses if b - a >= MIN_REST)])
