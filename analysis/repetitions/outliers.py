"""Repetitions told apart from fidgeting before and after the set.

People shift on the bench before they sit still and stand up when they are done, and now and then
the thigh happens to turn in and out. Such movement is about other axes, or moves the pelvis, or
comes after a long rest and does not resemble the set. It is looked for at both ends of a set only:
what lies between repetitions belongs to the set and is judged, not dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from analysis.motion.angles import HipAngles
from analysis.repetitions.detection import Phases

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

STEP = 5  # grid instants between the angles compared: 0.1 s
ODD_COST = 1.5  # an odd one ends the set unless so many good ones follow
OFF_AXIS_SHARE = 0.25  # of the squared turning; large in-step compensation reaches 0.15
PELVIS_TURN_DEG = 20.0
LONG_REST_S = 1.4  # and this many times the set's typical rest
UNLIKE_FEATURES = 2  # so many, after a long rest, make an odd one
UNLIKE_OFF_AXIS_SHARE = 0.03
UNLIKE_PELVIS_DEG = 3.0
UNLIKE_RANGE = (0.7, 1.4)  # times the set's typical range
UNLIKE_DURATION = (0.6, 1.7)
FAR_UNLIKE_DURATION = (0.35, 3.0)  # counts twice
STRAY_DEG = 6.0  # apart: not where the one before ended, or not back; and this share of the range
STRAY_SHARE = 0.25


def without_outliers(angles: HipAngles, phases: Sequence[Phases]) -> list[Phases]:
    """Leave out what is fidgeting at the beginning and the end.

    Parameters
    ----------
    angles : HipAngles
        On the grid.
    phases : sequence of Phases
        Candidates, in order of time; times from the grid's first instant.
    """
    first, last = _best_run(np.where(odd_ones(angles, phases), -ODD_COST, 1.0))
    return list(phases[first:last])


def _best_run(score: Array) -> tuple[int, int]:
    """Half-open run with the largest sum; empty where nothing is above 0."""
    best, run, total, begin = 0.0, (0, 0), 0.0, 0
    for at, one in enumerate(score.tolist()):
        if total <= 0.0:
            total, begin = 0.0, at
        total += one
        if total > best:
            best, run = total, (begin, at + 1)
    return run


def odd_ones(angles: HipAngles, phases: Sequence[Phases]) -> Mask:
    """Which candidates do not move like the rest of the set, shape (k,)."""
    if len(phases) == 0:
        return np.zeros(0, dtype=bool)
    off_axis = np.array([_off_axis_share(angles, p) for p in phases])
    pelvis_deg = np.array([_pelvis_turn_deg(angles, p) for p in phases])
    range_deg = np.array([float(np.ptp(angles.ir_deg[p.span()])) for p in phases])
    duration_s = np.array([p.end_s - p.start_s for p in phases])
    odd = off_axis > max(OFF_AXIS_SHARE, 3.0 * _low(off_axis))
    odd |= pelvis_deg > max(PELVIS_TURN_DEG, 3.0 * _low(pelvis_deg))
    unlike = np.zeros(len(phases), dtype=int)
    unlike += off_axis > max(UNLIKE_OFF_AXIS_SHARE, 3.0 * _low(off_axis))
    unlike += pelvis_deg > max(UNLIKE_PELVIS_DEG, 1.7 * _low(pelvis_deg))
    unlike += _outside(range_deg, UNLIKE_RANGE)
    whole = ~np.array([p.broken_off for p in phases])  # how long one broken off lasts says nothing
    unlike += _outside(duration_s, UNLIKE_DURATION) & whole
    unlike += _outside(duration_s, FAR_UNLIKE_DURATION) & whole
    stray = _stray(angles, phases, STRAY_SHARE * float(np.median(range_deg)))
    unlike += stray
    crooked = off_axis > max(UNLIKE_OFF_AXIS_SHARE, 2.0 * _low(off_axis))
    surely = (unlike > UNLIKE_FEATURES) | (crooked & stray)
    result: Mask = odd | surely | ((unlike >= UNLIKE_FEATURES) & _after_long_rest(phases))
    return result


def _stray(angles: HipAngles, phases: Sequence[Phases], limit_deg: float) -> Mask:
    """Which begin far from where the one before ended, or end far from where they began."""
    spans = [p.span() for p in phases]
    begin = np.array([angles.ir_deg[span][0] for span in spans])
    end = np.array([angles.ir_deg[span][-1] for span in spans])
    limit_deg = max(limit_deg, STRAY_DEG)
    before = np.concatenate([[0.0], end[:-1]])
    whole = ~np.array([p.broken_off for p in phases])
    astray = (np.abs(end - begin) > limit_deg) & whole
    result: Mask = (np.abs(begin - before) > limit_deg) | astray
    return result


def _low(values: Array) -> float:
    """Lower quartile: what the quieter repetitions have."""
    return float(np.percentile(values, 25))


def _outside(values: Array, factors: tuple[float, float]) -> Mask:
    """Which values lie outside some multiples of the first half's median."""
    typical = np.median(values[: (len(values) + 1) // 2])
    result: Mask = (values < factors[0] * typical) | (values > factors[1] * typical)
    return result


def _after_long_rest(phases: Sequence[Phases]) -> Mask:
    """Which come after a rest that is long for the set."""
    rest_s = np.array([b.start_s - a.end_s for a, b in pairwise(phases)])
    typical = float(np.median(rest_s)) if len(rest_s) > 1 else 0.0
    result: Mask = np.concatenate([[False], rest_s > LONG_REST_S * max(1.0, typical)])
    return result


def _off_axis_share(angles: HipAngles, phases: Phases) -> float:
    """Share of the squared turning that is flexion and adduction."""
    inside = phases.span()
    turned = [
        float((np.diff(angle[inside][::STEP]) ** 2).sum())
        for angle in (angles.flexion_deg, angles.adduction_deg, angles.ir_deg)
    ]
    return (turned[0] + turned[1]) / max(sum(turned), 1e-12)


def _pelvis_turn_deg(angles: HipAngles, phases: Phases) -> float:
    quat = angles.pelvis_quat[phases.span()]
    aligned = np.abs(quat @ quat[0]).min()
    return float(np.rad2deg(2.0 * np.arccos(np.clip(aligned, 0.0, 1.0))))
