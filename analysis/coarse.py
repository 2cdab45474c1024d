"""The coarse round: both sensors tracked, the neutral, the femur's axis and the repetitions.

From the stillness alone, before biases are refined and the axis is straightened; what slipped on
the body is taken out here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.motion.angles import HipAngles, hip_angles
from analysis.motion.calibration import (
    SegmentAxes,
    Sensor,
    first_axis,
    pelvis_axes,
    thigh_axes,
    thigh_axis,
)
from analysis.motion.grid import GRID_HZ, EvenSet, EvenStream
from analysis.motion.heading import StillBias, still_bias
from analysis.motion.lift import Lift, find_lift
from analysis.motion.orientation import Levelled, level, mean_orientation
from analysis.motion.slips import (
    MAX_SLIPS,
    Slip,
    find_slips,
    pauses,
    without_slip,
)
from analysis.motion.uncertainty import SensorError
from analysis.repetitions.detection import Phases, find_repetitions
from analysis.repetitions.outliers import without_outliers

Array = NDArray[np.float64]
Span = tuple[int, int]

MIN_NEUTRAL = int(0.2 * GRID_HZ)
NEXT_NEUTRAL = int(1.8 * GRID_HZ)  # the drill asks for 2 s of stillness
MAX_NEUTRALS = 4  # still moments tried where the first is not the set's
SECOND = int(GRID_HZ)
MAX_LIFT = int(8.0 * GRID_HZ)  # done within 6 s of the marker, and then still
FIRST_LARGE_SHARE = 0.3  # of the set's largest turns: before a drift can reach it
CLEARLY_MORE = 0.02  # of the turning explained: the heading of the other guess was found
FAR_MORE = 0.1  # the other guess explains so little that no first movement can speak for it
MIN_MOVING = int(1.0 * GRID_HZ)


@dataclass(frozen=True, slots=True, eq=False)
class Tracked:
    """One sensor: its debiased stream, bias, levelled orientation, and that with heading held."""

    stream: EvenStream
    bias: StillBias
    levelled: Levelled
    sensor: Sensor

    @property
    def error(self) -> SensorError:
        """What limits its orientation."""
        scatter = self.levelled.fit.scatter_rad
        return SensorError(self.bias.noise_rads, self.bias.sd_rads, scatter)


@dataclass(frozen=True, slots=True, eq=False)
class Coarse:
    """The coarse round: both sensors, the neutral, the femur's axis, the repetitions."""

    pelvis: Tracked
    thigh: Tracked
    neutral: Span
    axis: Array
    phases: tuple[Phases, ...]

    @property
    def moving(self) -> slice:
        """From the neutral's end to that of the last repetition."""
        return slice(self.neutral[1], self.phases[-1].span().stop)


def lift_behind(even: EvenSet, still: NDArray[np.int64], lift_s: float) -> Lift | None:
    """Find the lift behind its marker."""
    first = (int(still[0][0]), int(still[0][1]))
    thigh = track(even.thigh, still_bias(even.thigh, first), first)
    lift = find_lift(thigh.sensor, still, round((lift_s - even.time_s[0]) * GRID_HZ))
    return lift if lift and len(after(still, lift)) else None


def behind_lift(even: EvenSet, still: NDArray[np.int64], lift_s: float) -> NDArray[np.int64]:
    """Stillness behind a lift that the shank does not show: it hangs on while the knee rises."""
    marker = round((lift_s - even.time_s[0]) * GRID_HZ)
    begun = still[(still[:, 0] > marker) & (still[:, 0] < marker + MAX_LIFT)]
    return still if len(begun) == 0 else still[still[:, 0] >= begun[0, 0]]


def after(still: NDArray[np.int64], lift: Lift | None) -> NDArray[np.int64]:
    """Stillness behind the lift, all of it where there is none."""
    return still if lift is None else still[still[:, 0] >= lift.span[1]]


def coarse_without_slips(
    even: EvenSet, side: str, still: NDArray[np.int64], backward: Array
) -> tuple[EvenSet, Coarse | None, tuple[Slip, ...]]:
    """Find what slipped and take it out, the largest slip first."""
    slips: list[Slip] = []
    coarse = _coarse(even, side, still, backward)
    while coarse is not None and len(slips) < MAX_SLIPS:
        tracked = {"pelvis": coarse.pelvis, even.leg: coarse.thigh}
        turns = [one.sensor.turn_rad for one in tracked.values()]
        found = find_slips(
            {name: one.sensor.quat for name, one in tracked.items()},
            {name: one.stream.lost for name, one in tracked.items()},
            pauses(*turns),
        )
        if not found:
            break
        slips += found
        even = without_slip(even, found[0])
        coarse = _coarse(even, side, still, backward)
    return even, coarse, tuple(sorted(slips, key=lambda one: one.span))


def _coarse(even: EvenSet, side: str, still: NDArray[np.int64], backward: Array) -> Coarse | None:
    """Sensors, neutral, axis and repetitions from the stillness alone.

    The neutral is the first still moment, unless what follows it is fidgeting: then the one of
    the next long ones with the most repetitions behind it.
    """
    long = [span for span in still[1:] if span[1] - span[0] >= NEXT_NEUTRAL]
    best: Coarse | None = None
    for begin, end in [still[0], *long[:MAX_NEUTRALS]]:
        if len(even.time_s) - end < MIN_MOVING:
            break
        one, found = _coarse_from(even, side, (int(begin), int(end)), backward)
        if best is None or len(one.phases) > len(best.phases):
            best = one
        if one.phases and one.phases[0] == found[0]:
            break
    if best is None or not best.phases or best.phases[0].span().start >= best.neutral[1]:
        return best
    neutral = _before(best.neutral, best.phases[0])
    pelvis, thigh = track_still(even, neutral)
    return replace(best, neutral=neutral, pelvis=pelvis, thigh=thigh)


def _coarse_from(
    even: EvenSet, side: str, neutral: Span, backward: Array
) -> tuple[Coarse, list[Phases]]:
    """What one neutral gives, and all that was found behind it, fidgeting included."""
    pelvis, thigh = track_still(even, neutral)
    moving = slice(neutral[1], len(even.time_s))
    frame = pelvis_axes(pelvis.sensor, backward)
    inward = 1.0 if side == "right" else -1.0
    guess = first_axis(thigh.sensor, moving) * inward
    axes = [
        thigh_axis(pelvis.sensor, thigh.sensor, frame, moving, sign * guess) for sign in (1.0, -1.0)
    ]
    if axes[1][1] > axes[0][1] + CLEARLY_MORE:
        axes.reverse()
    (axis, explained), (other, other_explained) = axes
    angles = angles_of(even, pelvis, thigh, frame, axis, side)
    if first_is_outward(angles, neutral) and explained < other_explained + FAR_MORE:
        axis = other
        angles = angles_of(even, pelvis, thigh, frame, axis, side)
    found = find_repetitions(np.deg2rad(angles.ir_deg), neutral[0], coarse=True)
    phases = tuple(without_outliers(angles, found))
    return Coarse(pelvis, thigh, neutral, axis, phases), found


def first_is_outward(angles: HipAngles, neutral: Span) -> bool:
    """Whether the first large movement goes outward: the axis has the wrong sign.

    The rates alone told its sign, and a very slow turn may have hidden in the stillness that gave
    their bias; gravity tells better.
    """
    course = angles.ir_deg[neutral[0] :] - angles.ir_deg[neutral[0] : neutral[0] + SECOND].mean()
    large = np.abs(course) > FIRST_LARGE_SHARE * np.percentile(np.abs(course), 95)
    return bool(course[np.argmax(large)] < 0.0)


def track_still(even: EvenSet, neutral: Span) -> tuple[Tracked, Tracked]:
    """Track both sensors with their biases in the neutral stillness."""
    pelvis = track(even.pelvis, still_bias(even.pelvis, neutral), neutral)
    return pelvis, track(even.thigh, still_bias(even.thigh, neutral), neutral)


def track(stream: EvenStream, bias: StillBias, neutral: Span) -> Tracked:
    """Orientation of one sensor with what is known of its bias."""
    turn = stream.turn_rad - bias.bias_rads / GRID_HZ
    turn[0] = 0.0
    stream = replace(stream, turn_rad=turn)
    levelled = level(stream)
    sensor = Sensor(levelled.quat, turn, mean_orientation(levelled.quat[slice(*neutral)]))
    return Tracked(stream, bias, levelled, sensor)


def angles_of(
    even: EvenSet, pelvis: Tracked, thigh: Tracked, frame: SegmentAxes, axis: Array, side: str
) -> HipAngles:
    """Angles of a set about an axis of the femur, thigh sensor axes."""
    femur = thigh_axes(thigh.sensor, axis)
    return hip_angles(even, (pelvis.sensor, frame), (thigh.sensor, femur), side)


def _before(neutral: Span, first: Phases) -> Span:
    """Part of the stillness that lies before the first repetition."""
    end = min(neutral[1], first.span().start)
    return neutral[0], max(end, neutral[0] + MIN_NEUTRAL)
