"""Recorded sets -> their angles, repetitions and quality: the stages in order, without I/O.

`analyse_sets` is the one entry: report, check and the count while a set is recorded come by it, so
that none of them can leave out the calibration or the settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.estimation import Estimate
from analysis.evidence import Evidence, gather
from analysis.integrity import copies
from analysis.legs import (
    BY_THIGH,
    Followed,
    LegCourses,
    follow_legs,
    leg_reasons,
    put_together,
    without_skin,
)
from analysis.motion.angles import HipAngles
from analysis.motion.lean import backward_axis
from analysis.quality import SetQuality, assess, sensors_of, with_reason
from analysis.reasons import Reason
from analysis.repetitions.detection import Phases
from analysis.repetitions.measures import Repetition, SetContext, measure_repetition
from analysis.sensor_quality import sensor_reasons
from analysis.settings import Settings
from analysis.skin import SkinShare
from imu.clock import AlignedSet, ClockFit
from imu.recording import Event, Recording

Array = NDArray[np.float64]

MEASURE = "measure"
UNMATCHED = Reason(
    "good", "exclude_unmatched", "a repetition was excluded at a time at which there is none"
)


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """What a set's figures were made of: for going on from there while it is recorded.

    Attributes
    ----------
    estimate : Estimate
        Orientations, axes and biases.
    clocks : Mapping of str to ClockFit or None
        How each sensor's clock was mapped onto the host's; None where it was the common one.
    origin_s : float
        The set's first instant by the host's clock.
    """

    estimate: Estimate
    clocks: Mapping[str, ClockFit | None]
    origin_s: float


@dataclass(frozen=True, slots=True, eq=False)
class SetAnalysis:
    """One set analysed.

    Attributes
    ----------
    name, side : str
        The file's stem and its side.
    angles : HipAngles
        On an even grid of m instants.
    rep_numbers : ndarray of int, shape (m,)
        The repetition each instant belongs to, 0 outside.
    reps : tuple of Repetition
        All repetitions, counted or not.
    quality : SetQuality
        Of the recording and the calibration.
    leg : LegCourses
        What each leg sensor shows, and the knee between them.
    basis : Basis or None
        What the figures were made of, where this was analysed and not read.
    """

    name: str
    side: str
    angles: HipAngles
    rep_numbers: NDArray[np.int64]
    reps: tuple[Repetition, ...]
    quality: SetQuality
    leg: LegCourses = BY_THIGH
    basis: Basis | None = None


def analyse_sets(
    recordings: Sequence[Recording],
    settings: Settings,
    calibration: Recording | None,
    events: Sequence[Event] = (),
    skin: Mapping[str, SkinShare] | None = None,
) -> tuple[SetAnalysis, ...]:
    """Analyse the sets of one session.

    Parameters
    ----------
    recordings : sequence of Recording
        The sets.
    settings : Settings
        Limits of verdicts and flags.
    calibration : Recording or None
        The trunk lean, where the session has one: the pelvis' axes for all sets.
    events : sequence of Event
        The session's markers: those of a lift are used.
    skin : Mapping of str to SkinShare, optional
        By side, from another session: sets with a thigh sensor alone are made up for it.

    Raises
    ------
    RecordingError
        The lean or a set cannot support the answer; says where and why.
    """
    backward = None if calibration is None else backward_axis(calibration)
    twins = copies(recordings)
    found = [
        analyse_set(
            recording,
            settings,
            backward,
            tuple(event for event in events if event.set_name == recording.name),
            (skin or {}).get(recording.side),
        )
        for recording in recordings
    ]
    return tuple(_told_apart(one, found, twins) for one in found)


def in_measure(sets: Sequence[SetAnalysis], modes: Mapping[str, str]) -> tuple[SetAnalysis, ...]:
    """Choose the sets that figures are compared by: those that coaching did not steer.

    Parameters
    ----------
    sets : sequence of SetAnalysis
        All sets of a session.
    modes : Mapping of str to str
        How each was coached; absent: ``measure``.

    Returns
    -------
    tuple of SetAnalysis
        Of each side the sets in ``measure``; where a side has none, all of that side.
    """
    measured = {one.side for one in sets if modes.get(one.name, MEASURE) == MEASURE}
    return tuple(
        one for one in sets if one.side not in measured or modes.get(one.name, MEASURE) == MEASURE
    )


def _told_apart(
    one: SetAnalysis, sets: Sequence[SetAnalysis], twins: Mapping[str, str]
) -> SetAnalysis:
    """Mark a set that holds another's samples; of two of one side the later does not count."""
    sides = {other.name: other.side for other in sets}
    original = twins.get(one.name)
    alike = [name for name, other in twins.items() if other == one.name and sides[name] != one.side]
    if original is not None and sides[original] == one.side:
        text = f"the same samples as in {original}: a copy, counted once"
        reps = tuple(
            replace(rep, verdict="not_counted", flags=("copied", *rep.flags)) for rep in one.reps
        )
        copied = Reason("fair", "same_recording", text)
        return replace(one, reps=reps, quality=with_reason(one.quality, copied))
    if original is None and not alike:
        return one
    text = f"the same samples as in {original or alike[0]}: one of the two sides is false"
    same = Reason("poor", "same_recording", text)
    return replace(one, quality=with_reason(one.quality, same))


def analyse_set(
    recording: Recording,
    settings: Settings,
    backward: Array | None = None,
    events: Sequence[Event] = (),
    skin: SkinShare | None = None,
) -> SetAnalysis:
    """Analyse one set.

    Parameters
    ----------
    recording : Recording
        The set.
    settings : Settings
        Limits of verdicts and flags.
    backward : ndarray, shape (3,), optional
        Pelvis sensor axis that points backward, from a trunk lean.
    events : sequence of Event
        The set's markers.
    skin : SkinShare, optional
        Of this side, from another session.
    """
    lift_s = min((event.time_s for event in events if event.kind == "lift"), default=None)
    found, left_out = follow_legs(recording, backward, lift_s)
    first = next(iter(found.values()))
    estimate = first.estimate
    angles, leg = put_together(found, recording.side)
    error = estimate.error
    if skin is not None and "shank" not in found:
        angles, error, applied = without_skin(angles, error, recording.side, skin)
        left_out = [*left_out, applied]
    quality = _quality(found, recording.side, lift_s is not None, backward)
    context = SetContext(
        name=recording.name,
        side=recording.side,
        angles=angles,
        error=error,
        gaps_s=first.even.gaps_s,
        settings=settings,
        source=leg.source,
        turns_deg=leg.turns_deg,
        knee=leg.knee,
    )
    reps, unmatched = _without_excluded(_measured(context, estimate.phases), events)
    told = (*left_out, *leg_reasons(leg, reps), *([UNMATCHED] if unmatched else []))
    for reason in told:
        quality = with_reason(quality, reason)
    return SetAnalysis(
        name=recording.name,
        side=recording.side,
        angles=angles,
        rep_numbers=_rep_numbers(estimate),
        reps=reps,
        quality=replace(quality, skin_share=leg.skin),
        leg=leg,
        basis=_basis(found.get("thigh", first)),
    )


def _measured(context: SetContext, phases: Sequence[Phases]) -> tuple[Repetition, ...]:
    """Measure every repetition, each up to where the next one starts."""
    untils_s = [one.start_s for one in phases[1:]] + [np.inf]
    numbered = enumerate(zip(phases, untils_s, strict=True), start=1)
    return tuple(
        measure_repetition(context, one, number, until_s) for number, (one, until_s) in numbered
    )


def _quality(
    found: Mapping[str, Followed], side: str, lift_asked: bool, backward: Array | None
) -> SetQuality:
    """Grade a set by the source of its range; the other leg sensor's reasons come behind.

    The shank hangs while the knee is lifted: only a thigh sensor can prove the direction.
    """
    legs = list(found.items())
    evidences = {
        leg: gather(one.estimate, side, lift_asked and leg == "thigh", backward)
        for leg, one in legs
    }
    proving = "thigh" if lift_asked and "thigh" in found else legs[0][0]
    told = dict.fromkeys(reason for one in evidences.values() for reason in one.reasons)
    evidence = Evidence(evidences[proving].direction, tuple(told))
    (_, first), *others = legs
    recording = first.clean.recording
    leaned = backward is not None
    quality = assess(recording, first.aligned, first.even, first.estimate, evidence, leaned)
    reasons = dict.fromkeys(first.clean.reasons)
    for leg, one in others:
        sensors = sensors_of(one.aligned, one.even, one.estimate)
        quality = replace(quality, sensors={**sensors, **quality.sensors})
        reasons |= dict.fromkeys(one.clean.reasons)
        reasons |= dict.fromkeys(sensor_reasons(sensors[leg], one.aligned.streams[leg]))
    for reason in reasons:
        quality = with_reason(quality, reason)
    return quality


def _basis(one: Followed) -> Basis:
    """What the set is followed by while it is recorded: the thigh, where it has a sensor."""
    return Basis(one.estimate, one.aligned.fits, _origin_s(one.clean.recording, one.aligned))


def _origin_s(recording: Recording, aligned: AlignedSet) -> float:
    """Tell the host's time at the set's first sample."""
    name = next(iter(recording.streams))
    first_s, fit = recording.streams[name].time_s[:1], aligned.fits[name]
    host_s = first_s if fit is None else fit.to_host(first_s)
    return float(host_s[0] - aligned.streams[name].time_s[0])


def _without_excluded(
    reps: tuple[Repetition, ...], events: Sequence[Event]
) -> tuple[tuple[Repetition, ...], bool]:
    """Take out of the count what a person excluded; and whether a marker met no repetition."""
    times_s = [event.time_s for event in events if event.kind == "exclude"]
    met = [any(rep.start_s <= time_s <= rep.end_s for rep in reps) for time_s in times_s]
    changed = tuple(
        replace(rep, verdict="not_counted", flags=("excluded", *rep.flags))
        if any(rep.start_s <= time_s <= rep.end_s for time_s in times_s)
        else rep
        for rep in reps
    )
    return changed, not all(met)


def _rep_numbers(estimate: Estimate) -> NDArray[np.int64]:
    """Number of the repetition each instant of the grid belongs to, 0 outside."""
    numbers = np.zeros(len(estimate.angles.time_s), dtype=np.int64)
    for number, phases in enumerate(estimate.phases, start=1):
        numbers[phases.span()] = number
    return numbers


def fitness(found: SetAnalysis) -> str:
    """Say in one line whether a set is fit, and if not, what to do again."""
    counted = sum(rep.counts for rep in found.reps)
    turns = "1 repetition" if counted == 1 else f"{counted} repetitions"
    quality = found.quality
    if quality.grade == "good":
        return f"Fit: {turns}, data good."
    return f"{quality.grade.capitalize()}: {turns}; {quality.reasons[0]}."
