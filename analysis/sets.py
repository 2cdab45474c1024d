"""Recorded sets -> their angles, repetitions and quality: the stages in order, without I/O.

`analyse_sets` is the one entry: report, check and the count while a set is recorded come by it, so
that none of them can leave out the calibration or the settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.estimation import Estimate, estimate_set
from analysis.evidence import gather
from analysis.motion.angles import HipAngles
from analysis.motion.grid import resample_set
from analysis.motion.lean import backward_axis
from analysis.motion.plausibility import refuse_implausible
from analysis.quality import SetQuality, assess
from analysis.repetitions.measures import Repetition, SetContext, measure_repetition
from analysis.settings import Settings
from imu.clock import align
from imu.recording import Event, Recording

Array = NDArray[np.float64]


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
    """

    name: str
    side: str
    angles: HipAngles
    rep_numbers: NDArray[np.int64]
    reps: tuple[Repetition, ...]
    quality: SetQuality


def analyse_sets(
    recordings: Sequence[Recording],
    settings: Settings,
    calibration: Recording | None,
    events: Sequence[Event] = (),
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

    Raises
    ------
    RecordingError
        The lean or a set cannot support the answer; says where and why.
    """
    backward = None if calibration is None else backward_axis(calibration)
    return tuple(
        analyse_set(
            recording,
            settings,
            backward,
            tuple(event for event in events if event.set_name == recording.name),
        )
        for recording in recordings
    )


def analyse_set(
    recording: Recording,
    settings: Settings,
    backward: Array | None = None,
    events: Sequence[Event] = (),
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
    """
    aligned = align(recording)
    refuse_implausible(recording)
    even = resample_set(aligned.streams, recording.source)
    lift_s = min((event.time_s for event in events if event.kind == "lift"), default=None)
    estimate = estimate_set(even, recording.side, recording.source, backward, lift_s)
    evidence = gather(estimate, recording.side, lift_s is not None, backward)
    quality = assess(recording, aligned, even, estimate, evidence, backward is not None)
    context = SetContext(
        recording.name, recording.side, estimate.angles, estimate.error, even.gaps_s, settings
    )
    untils_s = [p.start_s for p in estimate.phases[1:]] + [np.inf]
    reps = tuple(
        measure_repetition(context, phases, number, until_s)
        for number, (phases, until_s) in enumerate(
            zip(estimate.phases, untils_s, strict=True), start=1
        )
    )
    return SetAnalysis(
        name=recording.name,
        side=recording.side,
        angles=estimate.angles,
        rep_numbers=_rep_numbers(estimate),
        reps=reps,
        quality=quality,
    )


def _rep_numbers(estimate: Estimate) -> NDArray[np.int64]:
    """Number of the repetition each instant of the grid belongs to, 0 outside."""
    numbers = np.zeros(len(estimate.angles.time_s), dtype=np.int64)
    for number, phases in enumerate(estimate.phases, start=1):
        numbers[phases.span()] = number
    return numbers
