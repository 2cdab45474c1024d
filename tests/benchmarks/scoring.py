"""What was found in a simulated set, held against its truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.repetitions.measures import Repetition
from analysis.sets import SetAnalysis, analyse_set
from analysis.settings import Settings
from imu.errors import RecordingError
from imu.recording import Event, Recording
from imu.simulator import Truth
from imu.simulator.truth import TrueRep

LIMITS = ("start_s", "hold_start_s", "hold_end_s", "end_s")
PEAKS = ("peak_inward_speed_deg_s", "peak_return_speed_deg_s")
COMPARED = (
    *("rom_deg", "hold_s", *LIMITS, *PEAKS, "return_error_deg", "sparc_inward", "sparc_return"),
    *("pelvis_drift_deg", "pelvis_residual_deg", "hip_flexion_deg", "hip_adduction_deg"),
    *("pelvis_tilt_deg", "pelvis_obliquity_deg", "pelvis_rotation_deg"),
)
AROUND_S = 1.0  # of the course before the first repetition and after the last


@dataclass(frozen=True, slots=True)
class Pair:
    """A repetition found and the true one that it overlaps most."""

    found: Repetition
    true: TrueRep

    def error(self, name: str) -> float:
        """Found minus true; NaN where either could not be had."""
        value = getattr(self.found, name)
        return np.nan if value is None else float(value) - float(getattr(self.true, name))

    def within(self, name: str) -> bool | None:
        """Whether the truth lies in the stated interval; None where none is stated."""
        half_width = getattr(self.found, name.replace("_deg", "_uncertainty_deg"), None)
        return None if half_width is None else bool(abs(self.error(name)) <= half_width)


@dataclass(frozen=True, slots=True)
class Score:
    """One set's result.

    Attributes
    ----------
    pairs : tuple of Pair
        Repetitions found that are true ones.
    missed : tuple of TrueRep
        True ones that were not found.
    invented : tuple of Repetition
        Found where there is none.
    ir_rmse_deg : float
        Of the IR angle, from 1 s before the first true repetition to 1 s after the last.
    refusal : str
        Why the set was refused; empty where it was analysed.
    """

    pairs: tuple[Pair, ...]
    missed: tuple[TrueRep, ...]
    invented: tuple[Repetition, ...]
    ir_rmse_deg: float
    refusal: str = ""

    @property
    def counted(self) -> list[Pair]:
        """Pairs whose true repetition is whole and was measured throughout."""
        return [pair for pair in self.pairs if pair.true.verdict != "not_counted"]

    def errors(self, name: str) -> list[float]:
        """Errors of one column over the counted pairs, those that could be had."""
        errors = [pair.error(name) for pair in self.counted]
        return [error for error in errors if np.isfinite(error)]


def score_set(
    recording: Recording,
    truth: Truth,
    settings: Settings | None = None,
    events: Sequence[Event] = (),
) -> Score:
    """Analyse a simulated set as the product does, with its markers, and compare."""
    try:
        analysis = analyse_set(recording, settings or Settings(), events=events)
    except RecordingError as error:
        return Score((), truth.reps, (), np.nan, str(error))
    pairs, missed, invented = match(analysis.reps, truth.reps)
    return Score(pairs, missed, invented, ir_rmse_deg(analysis, truth))


def match(
    found: Sequence[Repetition], true: Sequence[TrueRep]
) -> tuple[tuple[Pair, ...], tuple[TrueRep, ...], tuple[Repetition, ...]]:
    """Pair repetitions by overlap in time, each at most once; what is left over on both sides."""
    pairs, missed, taken = [], [], set()
    for one in true:
        overlaps = [min(one.end_s, f.end_s) - max(one.start_s, f.start_s) for f in found]
        best = int(np.argmax(overlaps)) if overlaps else -1
        whole_s = one.end_s - one.start_s
        if best < 0 or best in taken or overlaps[best] < 0.5 * whole_s:
            missed.append(one)
            continue
        taken.add(best)
        pairs.append(Pair(found[best], one))
    invented = [f for k, f in enumerate(found) if k not in taken]
    return tuple(pairs), tuple(missed), tuple(invented)


def ir_rmse_deg(analysis: SetAnalysis, truth: Truth) -> float:
    """Root mean square error of the IR angle over the repetitions and 1 s around."""
    time_s = analysis.angles.time_s
    begin_s = truth.reps[0].start_s - AROUND_S
    end_s = truth.reps[-1].end_s + AROUND_S
    inside = (time_s >= begin_s) & (time_s <= end_s)
    true = np.interp(time_s[inside], truth.angles.time_s, truth.angles.columns["ir_deg"])
    return float(np.sqrt(((analysis.angles.ir_deg[inside] - true) ** 2).mean()))
