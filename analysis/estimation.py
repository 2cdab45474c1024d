"""One set's grid streams -> hip and pelvis angles and the repetitions' phases.

The stages need each other: the bias needs the rests between repetitions, the repetitions need the
angle, the angle needs the axis, the axis needs the bias. One coarse round from the stillness
alone finds the rests and the repetitions; a second uses them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.angles import HipAngles, hip_angles
from analysis.axis import straighten_axis
from analysis.calibration import (
    AxisQuality,
    Sensor,
    axis_to_level,
    pelvis_axes,
    thigh_axes,
    thigh_axis,
)
from analysis.errors import AnalysisError
from analysis.heading import HeadingDrift, StillBias, heading_drift, refined_bias, still_bias
from analysis.orientation import level, mean_orientation, turn_heading
from analysis.repetitions import Phases, find_repetitions
from analysis.stillness import find_still_spans
from analysis.streams import GRID_HZ, EvenSet, EvenStream

Array = NDArray[np.float64]
Span = tuple[int, int]

SHORTEST_REST = int(0.2 * GRID_HZ)


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """What was found in one set.

    Attributes
    ----------
    angles : HipAngles
        On the grid.
    phases : tuple of Phases
        The repetitions, times from the grid's first instant.
    neutral : tuple of int
        Half-open span of the neutral stillness.
    still : ndarray of int, shape (k, 2)
        All still spans.
    axis : AxisQuality
        Of the femur's axis.
    pelvis, thigh : StillBias
        Bias of both gyroscopes, refined.
    """

    angles: HipAngles
    phases: tuple[Phases, ...]
    neutral: Span
    still: NDArray[np.int64]
    axis: AxisQuality
    pelvis: StillBias
    thigh: StillBias


def estimate_set(even: EvenSet, side: str, where: str) -> Estimate:
    """Angles and repetitions of one set.

    Parameters
    ----------
    even : EvenSet
        Both sensors on the grid.
    side : str
        ``left`` or ``right``.
    where : str
        The file, for messages.

    Raises
    ------
    AnalysisError
        No still moment, or no repetition.
    """
    still = find_still_spans(even)
    if len(still) == 0:
        raise AnalysisError(
            where, "no still moment of 1 s or more", "Sit still for 3 s before the first turn."
        )
    neutral = (int(still[0][0]), int(still[0][1]))
    biases = still_bias(even.pelvis, neutral), still_bias(even.thigh, neutral)
    sensors = (
        _sensor(even.pelvis, biases[0], neutral),
        _sensor(even.thigh, biases[1], neutral),
    )
    moving = slice(neutral[1], len(even.time_s))
    inward = 1.0 if side == "right" else -1.0
    axis, _ = thigh_axis(*sensors, pelvis_axes(sensors[0]), moving, inward)
    angles = _angles(even, sensors, axis, side)
    phases = find_repetitions(np.deg2rad(angles.ir_deg), neutral[1])
    if not phases:
        raise AnalysisError(
            where,
            "no repetition: the thigh never turned inward by 4.5 degrees and back",
            "Record the inward turns after a still moment.",
        )
    neutral = (neutral[0], max(min(neutral[1], int(phases[0].start_s * GRID_HZ)), neutral[0] + 20))
    rests = _rests(neutral, phases, len(even.time_s))
    refined = [
        _refine(stream, bias, neutral, rests, even)
        for stream, bias in zip((even.pelvis, even.thigh), biases, strict=True)
    ]
    sensors = (refined[0][1], refined[1][1])
    moving = slice(neutral[1], int(phases[-1].end_s * GRID_HZ) + 1)
    axis, explained = thigh_axis(*sensors, pelvis_axes(sensors[0]), moving, inward)
    spans = [(int(p.start_s * GRID_HZ), int(p.end_s * GRID_HZ) + 1) for p in phases]
    axis = straighten_axis((sensors[0], pelvis_axes(sensors[0])), sensors[1], axis, spans)
    angles = _angles(even, sensors, axis, side)
    phases = find_repetitions(np.deg2rad(angles.ir_deg), neutral[1])
    quality = AxisQuality(explained, axis_to_level(sensors[1], axis))
    return Estimate(
        angles, tuple(phases), neutral, still, quality, refined[0][0], refined[1][0]
    )


def _sensor(stream: EvenStream, bias: StillBias, neutral: Span) -> Sensor:
    quat = level(stream, bias.bias_rads).quat
    turn = stream.turn_rad - bias.bias_rads / GRID_HZ
    return Sensor(quat, turn, mean_orientation(quat[slice(*neutral)]))


def _refine(
    stream: EvenStream, bias: StillBias, neutral: Span, rests: Array, even: EvenSet
) -> tuple[StillBias, Sensor]:
    """Bias from the whole set, and the orientation with its heading held."""
    lost_at = np.flatnonzero(np.diff(stream.lost.astype(int)) > 0)
    levelled = level(stream, bias.bias_rads)
    drift = heading_drift(levelled.quat, neutral, rests, bias, lost_at)
    bias = refined_bias(bias, levelled, drift, ~stream.lost)
    levelled = level(stream, bias.bias_rads)
    drift = heading_drift(levelled.quat, neutral, rests, bias, lost_at)
    quat = turn_heading(levelled.quat, drift.drift_rad)
    turn = stream.turn_rad - bias.bias_rads / GRID_HZ
    return bias, Sensor(quat, turn, mean_orientation(quat[slice(*neutral)]))


def _rests(neutral: Span, phases: list[Phases], count: int) -> NDArray[np.int64]:
    """Spans at neutral: the stillness and the pauses between repetitions."""
    ends = [int(p.end_s * GRID_HZ) + 1 for p in phases if not p.broken_off]
    starts = [int(p.start_s * GRID_HZ) for p in phases[1:]]
    tail = min(count, ends[-1] + int(1.0 * GRID_HZ)) if ends else count
    pauses = zip(ends, [*starts, tail], strict=False)
    spans = [neutral, *((a, b) for a, b in pauses if b - a >= SHORTEST_REST)]
    return np.array(spans)


def _angles(even: EvenSet, sensors: tuple[Sensor, Sensor], axis: Array, side: str) -> HipAngles:
    pelvis, thigh = sensors
    return hip_angles(even, (pelvis, pelvis_axes(pelvis)), (thigh, thigh_axes(thigh, axis)), side)
