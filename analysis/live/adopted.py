"""A set so far, analysed as if it had ended: what the tracker takes over from it.

It is the report's own analysis, so that what is counted, and what a repetition measured, is what
the report will say. It takes some tens of milliseconds for a minute: the caller runs it beside its
loop, on a copy of what has arrived.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.live.pose import Worn
from analysis.live.turning import IDENTITY, product, quat_of, vector_of
from analysis.motion.angles import Posed
from analysis.motion.grid import GRID_HZ
from analysis.motion.heading import StillBias
from analysis.motion.slips import Slip
from analysis.repetitions.measures import Repetition
from analysis.sets import Basis, SetAnalysis, analyse_sets
from analysis.settings import Settings
from imu.clock import ClockFit
from imu.recording import Event, Recording

Array = NDArray[np.float64]

SETTLED_S = 0.4  # after a repetition's end, before it counts: an end is sure once it has passed
ASKED_STILL_S = 1.8  # before the first turn: the drill asks for 2 s
MOST_LIFTS = 2  # asked for: so many movements may be lifts
NEAR_S, FAR_S = 1.5, 4.0  # before the end of what has come: there the smoother saw both sides


@dataclass(frozen=True, slots=True, eq=False)
class Anchor:
    """One sensor: how it is worn, and its orientations a little before the end.

    Attributes
    ----------
    worn : Worn
        Bias and axes.
    times_s : ndarray, shape (k,)
        By the host's clock.
    quats : ndarray, shape (k, 4)
        Sensor to a frame with Z up.
    """

    worn: Worn
    times_s: Array
    quats: Array


@dataclass(frozen=True, slots=True, eq=False)
class Adopted:
    """What an analysis of a set so far gives the tracker.

    Attributes
    ----------
    found : SetAnalysis
        All of it; of the whole set once it has ended.
    ended : bool
        Whether the set had ended.
    clocks : Mapping of str to ClockFit
        By segment, where the clocks were mapped.
    origin_s : float
        The set's first instant by the host's clock.
    pelvis, thigh : Anchor
        Where to carry on from.
    share : float
        What the internal rotation is multiplied by.
    reps : tuple of Repetition
        Those that are over.
    counted : int
        How many of them count.
    turned_in : bool
        Whether one turn inward was seen to its end: angles rest on an axis of the person's own.
    begun : bool
        Whether the set has begun. One turn without the stillness that the drill asks for before it
        may be fidgeting, and the report will then leave it out.
    """

    found: SetAnalysis
    ended: bool
    clocks: Mapping[str, ClockFit]
    origin_s: float
    pelvis: Anchor
    thigh: Anchor
    share: float
    reps: tuple[Repetition, ...]
    counted: int
    turned_in: bool
    begun: bool


def reanalyse(
    recording: Recording,
    settings: Settings,
    calibration: Recording | None = None,
    events: Sequence[Event] = (),
    *,
    ended: bool = False,
) -> Adopted:
    """Analyse what has arrived of a set, for `Tracker.adopt`.

    Parameters
    ----------
    recording : Recording
        The set so far.
    settings : Settings
        Limits of verdicts and flags.
    calibration : Recording or None
        The session's trunk lean.
    events : sequence of Event
        The set's markers so far.
    ended : bool
        Whether this is the whole set: then everything counts as it will in the report.

    Raises
    ------
    RecordingError
        There is too little yet, or the set cannot be analysed; the tracker goes on without.
    """
    (found,) = analyse_sets([recording], settings, calibration, events)
    basis = found.basis
    if basis is None:
        raise ValueError("the analysis gave no basis")
    estimate = basis.estimate
    last_s = float(found.angles.time_s[-1])
    over = tuple(rep for rep in found.reps if ended or rep.end_s <= last_s - SETTLED_S)
    still_s = (estimate.neutral[1] - estimate.neutral[0]) / GRID_HZ
    unfound = estimate.lift is None and any(event.kind == "lift" for event in events)
    pelvis, thigh = estimate.posed
    return Adopted(
        found=found,
        ended=ended,
        clocks={name: fit for name, fit in basis.clocks.items() if fit is not None},
        origin_s=basis.origin_s,
        pelvis=_anchor(basis, "pelvis", pelvis, estimate.pelvis),
        thigh=_anchor(basis, "thigh", thigh, estimate.thigh),
        share=estimate.share,
        reps=over,
        counted=sum(rep.counts for rep in over),
        turned_in=any(rep.hold_start_s is not None for rep in found.reps),
        begun=ended or _begun(len(over), still_s, unfound),
    )


def _begun(over: int, still_s: float, lift_unfound: bool) -> bool:
    """Whether what was found is the set, and neither fidgeting nor a lift that is not over yet."""
    if lift_unfound:
        return over > MOST_LIFTS
    return over > 1 or still_s >= ASKED_STILL_S


def _anchor(basis: Basis, segment: str, posed: Posed, bias: StillBias) -> Anchor:
    estimate = basis.estimate
    times_s = estimate.angles.time_s
    far, near = (max(len(times_s) - round(s * GRID_HZ), 1) for s in (FAR_S, NEAR_S))
    some = slice(min(far, near - 1), near, 5)
    slipped = _slipped(estimate.slips, segment)
    worn = Worn(vector_of(bias.bias_rads), posed.axes, slipped)
    return Anchor(worn, basis.origin_s + times_s[some], posed.sensor.quat[some])


def _slipped(slips: Sequence[Slip], segment: str) -> tuple[float, float, float, float]:
    """Turn from a sensor's axes behind its slips to those before."""
    whole = IDENTITY
    for slip in slips:
        if slip.segment == segment:
            whole = product(quat_of(slip.turn), whole)
    return whole
