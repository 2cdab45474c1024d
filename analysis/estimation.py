"""One set's grid streams -> hip and pelvis angles and the repetitions' phases.

The stages need each other: the bias needs the rests between repetitions, the repetitions need the
angle, the angle needs the axis, the axis needs the bias. A coarse round from the stillness alone
finds repetitions and rests; a second round uses them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.coarse import (
    Coarse,
    Tracked,
    after,
    angles_of,
    behind_lift,
    coarse_without_slips,
    lift_behind,
)
from analysis.errors import AnalysisError
from analysis.motion.angles import HipAngles, Posed, scaled_rotation
from analysis.motion.axis import LEVEL_SD_RAD, Known, StraightAxis, straighten_axis
from analysis.motion.below import Above, axis_below
from analysis.motion.calibration import (
    BACKWARD,
    SegmentAxes,
    Sensor,
    axis_to_level,
    heading_between,
    pelvis_axes,
    thigh_axes,
    thigh_axis,
    turned,
)
from analysis.motion.common import common_heading
from analysis.motion.grid import EvenSet
from analysis.motion.heading import StillBias
from analysis.motion.lift import Lift
from analysis.motion.slips import (
    Slip,
    slide_rad,
)
from analysis.motion.step import Step, steps_between
from analysis.motion.stillness import find_still_spans
from analysis.motion.uncertainty import LEANED_SD_RAD, PLACEMENT_SD_RAD, AngleError
from analysis.refining import agree, refine, rests_of
from analysis.repetitions.detection import Phases, find_repetitions
from analysis.repetitions.leftover import Leftover, leftover
from analysis.repetitions.outliers import without_outliers

Array = NDArray[np.float64]
Span = tuple[int, int]

UNKNOWN_SHARE_SD = 0.2  # of a range about an axis that explains nothing
LIFT_COSINE = 0.5  # between hip-to-knee by the lift and the femur's axis: less is no lift
MAX_RANGE_DEG = 90.0  # no hip turns further
SWAPPED_RATIO = 1.2  # the pelvis turns further than the thigh that it carries
SWAPPED = (
    "no repetition, and the pelvis sensor turned further than the thigh sensor: they are exchanged",
    "Run hiprot correct with --swap-sensors on this set, or record again.",
)
NO_REPETITION = (
    "no repetition: the thigh never turned inward by 4.5 degrees and back",
    "Record the inward turns after a still moment.",
)


@dataclass(frozen=True, slots=True, eq=False)
class OtherLeg:
    """What a second sensor on the leg tells; nothing by default.

    Attributes
    ----------
    slope_rad, slope_sd_rad : float
        Slope of the femur's axis at neutral by the shank, + where the knee is below the hip.
    above : Above or None
        The femur by the thigh.
    """

    slope_rad: float = 0.0
    slope_sd_rad: float = LEVEL_SD_RAD
    above: Above | None = None


NO_OTHER = OtherLeg()


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
        Half-open span of the neutral stillness, grid indices.
    still : ndarray of int, shape (k, 2)
        All still spans.
    left_out : int
        Movements before or after the set that were taken for fidgeting.
    axis_explained : float
        Share of the relative rotation that the femur's axis explains, 0 to 1.
    axis_to_level_rad, pelvis_z_to_level_rad : float
        Angle to the horizontal at neutral, of the femur's axis and of the pelvis sensor's +z.
    pelvis, thigh : StillBias
        Bias of both gyroscopes, refined.
    error : AngleError
        What limits the angles.
    axis : ndarray, shape (3,)
        The femur's, from knee to hip, thigh sensor axes.
    lift : Lift or None
        The guided lift, where one was asked for and found.
    slips : tuple of Slip
        What moved on the body and was taken out.
    leftover : Leftover
        Turning that no repetition explains.
    placement_rad : float
        Turn of the pelvis sensor about the vertical against the pelvis, as found and taken out.
    turned_deg : tuple of float
        How far the pelvis' and the thigh's sensor turned in the room in a typical repetition.
    slid_deg : tuple of float
        How far both tipped steadily from the first rest to the last.
    steps : tuple of Step
        How well movements common to both sensors coincide, in each half of the set.
    posed : tuple of Posed
        Pelvis and thigh, as the angles were made of them.
    share : float
        What the internal rotation about that axis was multiplied by.
    leg : str
        Where the sensor that followed the femur sat: ``thigh`` or ``shank``.
    axis_sd_rad : float
        Standard deviation of the axis' direction, per plane.
    """

    angles: HipAngles
    phases: tuple[Phases, ...]
    neutral: Span
    still: NDArray[np.int64]
    left_out: int
    axis_explained: float
    axis_to_level_rad: float
    pelvis_z_to_level_rad: float
    pelvis: StillBias
    thigh: StillBias
    error: AngleError
    axis: Array
    lift: Lift | None
    slips: tuple[Slip, ...]
    leftover: Leftover
    placement_rad: float
    turned_deg: tuple[float, float]
    slid_deg: tuple[float, float]
    steps: tuple[Step, ...]
    posed: tuple[Posed, Posed]
    share: float
    leg: str = "thigh"
    axis_sd_rad: float = 0.0


def estimate_set(
    even: EvenSet,
    side: str,
    where: str,
    backward: Array | None = None,
    lift_s: float | None = None,
    other: OtherLeg = NO_OTHER,
) -> Estimate:
    """Angles and repetitions of one set.

    Parameters
    ----------
    even : EvenSet
        Both sensors on the grid.
    side : str
        ``left`` or ``right``.
    where : str
        The file, for messages.
    backward : ndarray, shape (3,), optional
        Pelvis sensor axis that points backward, from a trunk lean; +z without.
    lift_s : float, optional
        The moment of the ``lift`` marker, on the grid's time.
    other : OtherLeg
        What a second sensor on the leg tells.

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
    still, lift = _behind_lift(even, still, lift_s)
    back = BACKWARD if backward is None else backward
    whole = even
    even, coarse, slips = coarse_without_slips(even, side, after(still, lift), back)
    if coarse is None or not coarse.phases:
        raise AnalysisError(where, *_no_repetition(even))
    rests = rests_of(coarse, len(even.time_s))
    known = _Told(after(still, lift), back, backward is not None, lift, other)
    solved = _solve(even, side, coarse, rests, known)
    if lift is not None and abs(lift.to_knee @ solved.straight.axis) < LIFT_COSINE:
        return estimate_set(whole, side, where, backward)  # a turn was taken for the lift
    found, phases = _repetitions(solved.angles, coarse.neutral)
    if not phases:  # the movement is not what the labels say: as it was found at first
        solved = _as_at_first(even, side, solved)
        found, phases = _repetitions(solved.angles, coarse.neutral)
    if not phases:
        raise AnalysisError(where, *_no_repetition(even))
    pelvis, thigh, straight = solved.pelvis, solved.thigh, solved.straight
    return Estimate(
        angles=solved.angles,
        phases=tuple(phases),
        neutral=coarse.neutral,
        still=still,
        left_out=len(found) - len(phases),
        axis_explained=solved.explained,
        axis_to_level_rad=axis_to_level(thigh.sensor, straight.axis),
        pelvis_z_to_level_rad=axis_to_level(pelvis.sensor, BACKWARD),
        pelvis=pelvis.bias,
        thigh=thigh.bias,
        error=_error(pelvis, thigh, straight, solved.scale_sd),
        axis=straight.axis,
        lift=lift,
        slips=slips,
        leftover=leftover(solved.angles.ir_deg, coarse.neutral[0], phases),
        placement_rad=straight.placement_rad,
        turned_deg=(_turned_deg(pelvis.sensor, phases), _turned_deg(thigh.sensor, phases)),
        steps=tuple(
            steps_between(pelvis.sensor, thigh.sensor, solved.frame, straight.axis, coarse.moving)
        ),
        slid_deg=(_slid_deg(pelvis.sensor, rests), _slid_deg(thigh.sensor, rests)),
        leg=even.leg,
        axis_sd_rad=straight.sd_rad,
        posed=(
            Posed(pelvis.sensor, solved.frame),
            Posed(thigh.sensor, thigh_axes(thigh.sensor, straight.axis)),
        ),
        share=straight.share,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Told:
    """What is known of a set besides its turns."""

    still: NDArray[np.int64]
    backward: Array
    leaned: bool
    lift: Lift | None
    other: OtherLeg


@dataclass(frozen=True, slots=True, eq=False)
class _Solved:
    """Both sensors with their biases refined, the axes, and the angles about them.

    ``principal`` is the femur's axis before it was straightened.
    """

    pelvis: Tracked
    thigh: Tracked
    frame: SegmentAxes
    principal: Array
    explained: float
    straight: StraightAxis
    scale_sd: float
    angles: HipAngles


def _behind_lift(
    even: EvenSet, still: NDArray[np.int64], lift_s: float | None
) -> tuple[NDArray[np.int64], Lift | None]:
    """Find the lift, where one was asked for; by the shank, only the stillness behind it."""
    if lift_s is None:
        return still, None
    if even.leg == "shank":
        return behind_lift(even, still, lift_s), None
    return still, lift_behind(even, still, lift_s)


def _solve(
    even: EvenSet, side: str, coarse: Coarse, rests: NDArray[np.int64], told: _Told
) -> _Solved:
    """Refine the biases, straighten the femur's axis, and take the angles about it."""
    neutral = coarse.neutral
    pelvis = refine(coarse.pelvis, neutral, rests)
    thigh = refine(coarse.thigh, neutral, rests)
    frame = pelvis_axes(pelvis.sensor, told.backward)
    axis, explained = thigh_axis(pelvis.sensor, thigh.sensor, frame, coarse.moving, coarse.axis)
    spans = [(turn.start, turn.stop) for one in coarse.phases for turn in one.turns()]
    straight = _straighten((pelvis.sensor, frame), thigh.sensor, axis, spans, told)
    frame = turned(frame, pelvis.sensor, straight.placement_rad)
    thigh, scale_sd = agree(thigh, straight.axis, coarse.moving, neutral, rests)
    angles = angles_of(even, pelvis, thigh, frame, straight.axis, side)
    angles = scaled_rotation(angles, straight.share, side)
    return _Solved(pelvis, thigh, frame, axis, explained, straight, scale_sd, angles)


def _as_at_first(even: EvenSet, side: str, solved: _Solved) -> _Solved:
    """Take the angles about the principal axis, as it was before anything known moved it."""
    axis = solved.principal
    straight = replace(solved.straight, axis=axis, share=1.0, share_sd=UNKNOWN_SHARE_SD)
    angles = angles_of(even, solved.pelvis, solved.thigh, solved.frame, axis, side)
    return replace(solved, straight=straight, angles=angles)


def _repetitions(angles: HipAngles, neutral: Span) -> tuple[list[Phases], list[Phases]]:
    """Movements found, and those of them that are repetitions."""
    found = find_repetitions(np.deg2rad(angles.ir_deg), neutral[0])
    possible = [one for one in found if np.ptp(angles.ir_deg[one.span()]) <= MAX_RANGE_DEG]
    return found, without_outliers(angles, possible)


def _no_repetition(even: EvenSet) -> tuple[str, str]:
    """Say why there may be none: exchanged sensors turn the wrong way round."""
    turns = (even.pelvis.turn_rad, even.thigh.turn_rad)
    pelvis, thigh = (float(np.linalg.norm(turn - np.median(turn, axis=0))) for turn in turns)
    return SWAPPED if pelvis > SWAPPED_RATIO * thigh else NO_REPETITION


def _slid_deg(sensor: Sensor, rests: NDArray[np.int64]) -> float:
    return float(np.rad2deg(slide_rad(sensor.quat, rests)))


def _turned_deg(sensor: Sensor, phases: Sequence[Phases]) -> float:
    """How far a sensor turns away from its orientation at the start of a typical repetition."""
    aligned = [np.abs(sensor.quat[p.span()] @ sensor.quat[p.span().start]).min() for p in phases]
    return float(np.rad2deg(2.0 * np.arccos(np.clip(np.median(aligned), 0.0, 1.0))))


def _straighten(
    pelvis: tuple[Sensor, SegmentAxes],
    thigh: Sensor,
    axis: Array,
    spans: Sequence[Span],
    told: _Told,
) -> StraightAxis:
    """Find the femur's axis by the turns and all that is told."""
    other, lift = told.other, told.lift
    if other.above is not None:
        return axis_below(thigh, axis, spans, other.above)
    known = _known(pelvis, thigh, axis, told.still, told.leaned)
    known = replace(known, level_rad=other.slope_rad, level_sd_rad=other.slope_sd_rad)
    if lift is not None and -lift.to_knee @ axis > LIFT_COSINE:
        known = replace(known, hip_to_knee=lift.to_knee, hip_to_knee_sd_rad=lift.sd_rad)
    return straighten_axis(pelvis, thigh, axis, spans, known)


def _known(
    pelvis: tuple[Sensor, SegmentAxes],
    thigh: Sensor,
    axis: Array,
    still: NDArray[np.int64],
    leaned: bool,
) -> Known:
    """What is known of the axes from movements that pelvis and thigh made as one body.

    Where these say that the knee lies behind the hip, a label is wrong, and no axis is right.
    """
    known = Known(LEANED_SD_RAD if leaned else PLACEMENT_SD_RAD)
    common = common_heading(pelvis[0], thigh, [(int(a), int(b)) for a, b in still])
    if common is None:
        return known
    apart = heading_between(pelvis[1], thigh, axis) - common.heading_rad
    if np.cos(apart) < LIFT_COSINE:
        return known
    return replace(known, heading_rad=common.heading_rad, heading_sd_rad=common.sd_rad)


def _error(pelvis: Tracked, thigh: Tracked, straight: StraightAxis, scale_sd: float) -> AngleError:
    return AngleError(
        pelvis=pelvis.error,
        thigh=thigh.error,
        axis_share_sd=straight.share_sd,
        scale_sd=scale_sd,
        placement_sd_rad=straight.placement_sd_rad,
    )
