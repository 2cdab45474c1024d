"""One set's leg sensors, each followed for itself, and what they say together.

A sensor on the shank follows the femur as one on the thigh does, as long as the knee keeps its
bend, and sits on less skin; so with both the shank gives the range and the thigh what the skin
hides and what the knee does. A sensor that is not fit is left out and said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.errors import AnalysisError
from analysis.estimation import NO_OTHER, Estimate, OtherLeg, estimate_set
from analysis.integrity import Cleaned, cleaned
from analysis.motion.angles import HipAngles, joint_angles, scaled_rotation
from analysis.motion.below import IN_STEP_SD_RAD, Above
from analysis.motion.grid import GRID_HZ, EvenSet, resample_set
from analysis.motion.knee import KneeCourse, knee_course
from analysis.motion.orientation import mean_orientation
from analysis.motion.plausibility import refuse_implausible
from analysis.motion.quaternions import rotate
from analysis.motion.uncertainty import AngleError
from analysis.reasons import Reason
from analysis.repetitions.measures import Repetition
from analysis.skin import SkinShare, skin_share
from imu.clock import AlignedSet, align
from imu.errors import RecordingError
from imu.recording import Recording

Array = NDArray[np.float64]

LEGS = ("shank", "thigh")  # the source of the range first
UNCLEAR = 0.75  # of the relative turning about one axis: less is no femur's (see `quality`)
FEW_SHARE = 0.6  # of the other sensor's repetitions
MUCH_SKIN = 0.8  # told below; straps on firm thighs see more
SWAPPED_SHARE = 1.1  # skin hides turn and adds none


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """Pelvis and one leg sensor, followed through a set.

    Attributes
    ----------
    clean : Cleaned
        Both without the rows that were not measured.
    aligned : AlignedSet
        Both on the set's common clock.
    even : EvenSet
        Both on the grid.
    estimate : Estimate
        Angles and repetitions.
    """

    clean: Cleaned
    aligned: AlignedSet
    even: EvenSet
    estimate: Estimate


@dataclass(frozen=True, slots=True, eq=False)
class LegCourses:
    """What thigh and shank show on one grid, in degrees.

    Attributes
    ----------
    source : str
        ``thigh`` or ``shank``: what the range and the IR angle were measured by.
    turns_deg : Mapping of str to ndarray, shape (m,)
        Turn about the femur's axis by segment; NaN where it was not measured.
    knee : KneeCourse or None
        With both sensors.
    skin : SkinShare or None
        With both sensors.
    """

    source: str
    turns_deg: Mapping[str, Array]
    knee: KneeCourse | None = None
    skin: SkinShare | None = None


BY_THIGH = LegCourses("thigh", {})


def follow_legs(
    recording: Recording, backward: Array | None, lift_s: float | None
) -> tuple[dict[str, Followed], list[Reason]]:
    """Follow every leg sensor of a set.

    Parameters
    ----------
    recording : Recording
        As read.
    backward : ndarray, shape (3,), or None
        Pelvis sensor axis that points backward, by a trunk lean.
    lift_s : float or None
        The moment of the ``lift`` marker.

    Returns
    -------
    dict of str to Followed
        By segment, the source of the range first; never empty.
    list of Reason
        What was left out, and why.

    Raises
    ------
    RecordingError
        The set's only leg sensor cannot support the answer, or neither of two can.
    """
    prepared: dict[str, tuple[Cleaned, AlignedSet]] = {}
    refused: dict[str, RecordingError] = {}
    for leg in (name for name in LEGS if name in recording.streams):
        try:
            prepared[leg] = _prepared(_only(recording, leg), leg)
        except RecordingError as error:
            refused[leg] = error
    zero_s = max((_pelvis_first_s(aligned) for _, aligned in prepared.values()), default=0.0)
    found: dict[str, Followed] = {}
    for leg, (clean, aligned) in prepared.items():
        shifted = _shifted(aligned, zero_s - _pelvis_first_s(aligned))
        try:
            even = resample_set(shifted.streams, recording.source, leg)
            other = _by_shank(found["shank"].estimate) if found else NO_OTHER
            estimate = estimate_set(even, recording.side, recording.source, backward, lift_s, other)
            found[leg] = Followed(clean, shifted, even, estimate)
        except AnalysisError as error:
            refused[leg] = error
    if len(found) == len(LEGS):
        _again(found, recording, backward, lift_s)
    if not found:
        raise refused["thigh" if "thigh" in refused else "shank"]
    reasons = [_unfit(leg, error.what) for leg, error in refused.items()]
    why = _against_shank(found)
    if why:
        del found["shank"]
        reasons.append(_unfit("shank", why))
    return found, reasons


def _by_shank(shank: Estimate) -> OtherLeg:
    """The femur's slope as the shank alone tells it; a twist of the knee in step tilts it."""
    femur = shank.angles.femur_quat
    if femur is None or shank.axis_explained < UNCLEAR:
        return NO_OTHER
    along = rotate(mean_orientation(femur[slice(*shank.neutral)]), np.array([0.0, 1.0, 0.0]))
    turned_rad = np.deg2rad(
        np.median([np.ptp(shank.angles.ir_deg[p.span()]) for p in shank.phases])
    )
    twisted = np.arctan2(IN_STEP_SD_RAD, turned_rad)
    return OtherLeg(float(np.arcsin(along[1])), float(np.hypot(shank.axis_sd_rad, twisted)))


def _again(
    found: dict[str, Followed], recording: Recording, backward: Array | None, lift_s: float | None
) -> None:
    """Follow the shank once more, now that the thigh tells the femur."""
    even = found["shank"].even
    above = _above(found["thigh"].estimate, even)
    other = OtherLeg(above=above)
    try:
        again = estimate_set(even, recording.side, recording.source, backward, lift_s, other)
    except AnalysisError:
        return
    found["shank"] = replace(found["shank"], estimate=again)


def _above(thigh: Estimate, even: EvenSet) -> Above | None:
    """What the thigh sensor tells of the femur, on the shank's grid."""
    femur = thigh.angles.femur_quat
    if femur is None or thigh.axis_explained < UNCLEAR:
        return None
    placed = Placed(thigh.angles.time_s, even.time_s)
    return Above(
        femur_quat=placed.read(femur),
        neutral=mean_orientation(femur[slice(*thigh.neutral)]),
        placement_rad=thigh.placement_rad,
        placement_sd_rad=thigh.error.placement_sd_rad,
    )


def _only(recording: Recording, leg: str) -> Recording:
    """Pelvis and one leg sensor of a set."""
    streams = {name: recording.streams[name] for name in ("pelvis", leg)}
    return replace(recording, streams=streams)


def _prepared(recording: Recording, leg: str) -> tuple[Cleaned, AlignedSet]:
    clean = cleaned(recording)
    aligned = align(clean.recording)
    refuse_implausible(clean.recording, leg)
    return clean, aligned


def _pelvis_first_s(aligned: AlignedSet) -> float:
    return float(aligned.streams["pelvis"].time_s[0])


def _shifted(aligned: AlignedSet, by_s: float) -> AlignedSet:
    """Move the origin to the first sample of the whole set."""
    if by_s == 0.0:
        return aligned
    streams = {
        name: replace(stream, time_s=stream.time_s + by_s)
        for name, stream in aligned.streams.items()
    }
    return replace(aligned, streams=streams)


def _against_shank(found: Mapping[str, Followed]) -> str:
    """Say why the shank sensor, beside the thigh's, cannot give the range; empty where it can."""
    if len(found) < len(LEGS):
        return ""
    shank, thigh = (found[leg].estimate for leg in LEGS)
    if shank.axis_explained < UNCLEAR < thigh.axis_explained:
        return f"one axis explains only {100.0 * shank.axis_explained:.0f} % of its turning"
    if len(shank.phases) < FEW_SHARE * len(thigh.phases):
        return f"it shows {len(shank.phases)} repetitions and the thigh {len(thigh.phases)}"
    return ""


def _unfit(leg: str, why: str) -> Reason:
    if leg == "thigh":
        text = f"the thigh sensor is not fit ({why}); the figures are by the shank sensor alone"
        return Reason("fair", "thigh_unfit", text)
    text = f"the shank sensor is not fit ({why}); the figures are by the thigh sensor alone"
    return Reason("fair", "shank_unfit", text)


def put_together(found: Mapping[str, Followed], side: str) -> tuple[HipAngles, LegCourses]:
    """Angles of a set by its source, and what both leg sensors show.

    Parameters
    ----------
    found : Mapping of str to Followed
        The source first.
    side : str
        ``left`` or ``right``.

    Returns
    -------
    HipAngles
        On the source's grid; flexion and adduction by the thigh sensor, NaN without one: the shank
        moves with the knee too.
    LegCourses
        On the same grid.
    """
    source, first = next(iter(found.items()))
    angles = first.estimate.angles
    if source == "thigh":
        return angles, LegCourses(source, {"thigh": angles.ir_deg})
    if "thigh" not in found:
        nothing = np.full_like(angles.ir_deg, np.nan)
        angles = replace(angles, flexion_deg=nothing, adduction_deg=nothing)
        return angles, LegCourses(source, {"shank": angles.ir_deg})
    thigh = found["thigh"].estimate
    at = Placed(thigh.angles.time_s, angles.time_s)
    turns = {"thigh": at.read(thigh.angles.ir_deg), "shank": angles.ir_deg}
    spans = [phases.span() for phases in first.estimate.phases]
    relative_sd = float(np.hypot(thigh.error.axis_share_sd, first.estimate.error.axis_share_sd))
    courses = LegCourses(
        source=source,
        turns_deg=turns,
        knee=_knee(thigh, first.estimate, at, side),
        skin=skin_share(turns["thigh"], turns["shank"], spans, relative_sd),
    )
    flexion, adduction = at.read(thigh.angles.flexion_deg), at.read(thigh.angles.adduction_deg)
    return replace(angles, flexion_deg=flexion, adduction_deg=adduction), courses


class Placed:
    """One grid's instants on another; both are multiples of the same step."""

    def __init__(self, own_s: Array, other_s: Array) -> None:
        first = round(float(own_s[0] - other_s[0]) * GRID_HZ)
        index = np.arange(len(other_s)) - first
        self.inside = (index >= 0) & (index < len(own_s))
        self.index = index[self.inside]

    def read(self, course: Array) -> Array:
        """Put a course (m, ...) onto the other grid, NaN where there is none."""
        placed = np.full((len(self.inside), *course.shape[1:]), np.nan)
        placed[self.inside] = course[self.index]
        return placed


def _knee(thigh: Estimate, shank: Estimate, at: Placed, side: str) -> KneeCourse | None:
    upper, lower = thigh.angles.femur_quat, shank.angles.femur_quat
    if upper is None or lower is None:
        return None
    begin, end = thigh.neutral
    neutral_flexion = float(joint_angles(upper[begin:end])[0].mean())
    both = knee_course(upper[at.index], lower[at.inside], neutral_flexion, side)
    count = len(at.inside)
    courses = []
    for course in (both.hidden_deg, both.flexion_deg, both.rotation_deg):
        placed = np.full(count, np.nan)
        placed[at.inside] = course
        courses.append(placed - np.nanmean(placed[slice(*shank.neutral)]))
    return KneeCourse(*courses)


def without_skin(
    angles: HipAngles, error: AngleError, side: str, skin: SkinShare
) -> tuple[HipAngles, AngleError, Reason]:
    """Make up for the skin by a person's share from another session, its error carried along.

    Parameters
    ----------
    angles, error : HipAngles, AngleError
        Of a set with a thigh sensor alone.
    side : str
        ``left`` or ``right``.
    skin : SkinShare
        Of that side.
    """
    scaled = scaled_rotation(angles, 1.0 / skin.share, side)
    share_sd = float(np.hypot(error.axis_share_sd, skin.sd / skin.share))
    text = (
        f"internal rotation divided by {skin.share:.2f} ({skin.low:.2f} to {skin.high:.2f}), what "
        "the thigh sensor saw of the shank's turn in an earlier session"
    )
    return scaled, replace(error, axis_share_sd=share_sd), Reason("good", "skin_applied", text)


def leg_reasons(courses: LegCourses, reps: Sequence[Repetition]) -> Iterator[Reason]:
    """What both leg sensors together say against a set, or of it."""
    skin = courses.skin
    if skin is not None and skin.high < 0.0:
        text = "thigh and shank sensor turned opposite ways: record again, with the lift"
        yield Reason("poor", "direction_doubtful", text)
    elif skin is not None and skin.low > SWAPPED_SHARE:
        text = (
            f"the thigh sensor turned {skin.share:.2f} times as far as the shank sensor: "
            "they may be exchanged"
        )
        yield Reason("fair", "sensors_swapped", text)
    elif skin is not None and skin.share < MUCH_SKIN:
        text = (
            f"the thigh sensor saw {100.0 * skin.share:.0f} % of the turn that the shank made "
            f"({100.0 * skin.low:.0f} to {100.0 * skin.high:.0f} %); skin hid the rest"
        )
        yield Reason("good", "skin", text)
    turned, straightened = (
        sum(flag in rep.flags for rep in reps) for flag in ("knee_turns", "knee_straightens")
    )
    if turned:
        text = "the shank turned about its own axis (the knee, or a foot that pushes)"
        yield Reason("fair", "knee_turns", f"{text} in {turned} of {len(reps)} repetitions")
    if straightened:
        text = "the knee straightened, which makes it another drill,"
        told = f"{text} in {straightened} of {len(reps)} repetitions"
        yield Reason("fair", "knee_straightens", told)
