"""What is compared: the measures, and what the repetitions of a side come to in each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.repetitions.measures import Repetition

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Measure:
    """One thing that is compared: a column of the repetitions, and how to read it.

    Attributes
    ----------
    name, label, unit, group : str
        As in `Comparison`.
    column : str
        The field of `Repetition`; ``duration_s`` for end minus start; of a column of `OF_RANGE`
        the percentage of the repetition's own range.
    resolution : float
        Differences below it are not told, however steady the repetitions, in ``unit``.
    spread : bool
        Whether the standard deviation is compared instead of the mean.
    literature : bool
        Whether the threshold is `Settings.mdc_range_deg`.
    uncertainty : str
        The field with the instrument's 95 % half-width, or empty.
    less_is_better : bool
        For drift, errors, spreads and speed beyond what the range asks for.
    judged : bool
        Whether it gets a verdict; raw speeds do not.
    """

    name: str
    label: str
    unit: str
    group: str
    column: str
    resolution: float
    spread: bool = False
    literature: bool = False
    uncertainty: str = ""
    less_is_better: bool = False
    judged: bool = True


OF_RANGE = {
    "peak_inward_share_percent_s": "peak_inward_speed_deg_s",
    "peak_return_share_percent_s": "peak_return_speed_deg_s",
}


def _mean(name: str, label: str, unit: str, group: str, resolution: float) -> Measure:
    return Measure(name, label, unit, group, name, resolution)


def _raw_speed(name: str, label: str, resolution: float) -> Measure:
    return Measure(name, label, "°/s", "speed", name, resolution, judged=False)


def _speed_share(name: str, label: str) -> Measure:
    return Measure(name, label, "%/s", "speed", name, 10.0, less_is_better=True)


MEASURES = (
    Measure(
        "rom_deg", "Range of motion", "°", "range", "rom_deg", 1.0,
        literature=True, uncertainty="rom_uncertainty_deg",
    ),
    Measure(
        "peak_ir_deg", "Peak internal rotation", "°", "range", "peak_ir_deg", 1.0,
        literature=True, uncertainty="rom_uncertainty_deg",
    ),
    _mean("inward_s", "Duration inward", "s", "speed", 0.2),
    _mean("return_s", "Duration back", "s", "speed", 0.2),
    _speed_share("peak_inward_share_percent_s", "Peak speed inward, of range"),
    _speed_share("peak_return_share_percent_s", "Peak speed back, of range"),
    _raw_speed("mean_inward_speed_deg_s", "Mean speed inward", 1.0),
    _raw_speed("peak_inward_speed_deg_s", "Peak speed inward", 2.0),
    _raw_speed("mean_return_speed_deg_s", "Mean speed back", 1.0),
    _raw_speed("peak_return_speed_deg_s", "Peak speed back", 2.0),
    Measure(
        "pelvis_drift_deg", "Pelvis drift", "°", "control", "pelvis_drift_deg", 1.0,
        uncertainty="pelvis_drift_uncertainty_deg", less_is_better=True,
    ),
    Measure(
        "return_error_deg", "Return error (magnitude)", "°", "control", "return_error_deg", 1.0,
        less_is_better=True,
    ),
    _mean("hold_s", "End-range hold", "s", "control", 0.2),
    Measure(
        "rom_sd_deg", "Spread of range (SD)", "°", "control", "rom_deg", 0.5,
        spread=True, less_is_better=True,
    ),
    Measure(
        "duration_sd_s", "Spread of duration (SD)", "s", "control", "duration_s", 0.2,
        spread=True, less_is_better=True,
    ),
    _mean("sparc_inward", "Smoothness inward (SPARC)", "", "control", 0.1),
    _mean("sparc_return", "Smoothness back (SPARC)", "", "control", 0.1),
)  # fmt: skip


SPREADS = frozenset(measure.name for measure in MEASURES if measure.spread)


def values_of(reps: Sequence[Repetition], measure: Measure) -> Array:
    """Return the measure's values of those repetitions that have one, shape (n,).

    Errors are taken as magnitudes: a return that ends 2° short is as wrong as one 2° beyond.
    """
    if measure.column == "duration_s":
        return np.array([rep.end_s - rep.start_s for rep in reps])
    table = _column(reps, OF_RANGE.get(measure.column, measure.column))
    if measure.column in OF_RANGE:
        rom = _column(reps, "rom_deg")
        table = np.divide(100.0 * table, rom, out=np.full(len(reps), np.nan), where=rom > 0)
    values: Array = table[np.isfinite(table)]
    return np.abs(values) if measure.column == "return_error_deg" else values


def _column(reps: Sequence[Repetition], name: str) -> Array:
    found = [getattr(rep, name) for rep in reps]
    return np.array([np.nan if value is None else value for value in found], dtype=float)


def figure_of(values: Array, measure: Measure) -> float | None:
    """Return the mean of the values, of a spread their standard deviation; None for too few."""
    if measure.spread:
        return float(np.std(values, ddof=1)) if len(values) > 1 else None
    return float(values.mean()) if len(values) else None


def instrument_error(reps: Sequence[Repetition], measure: Measure) -> float:
    """95 % half-width of the side's figure that repeating within a set does not average out.

    Axis and calibration are the same for all repetitions of a set, and independent between sets.
    """
    by_set: dict[str, list[float]] = {}
    for rep in reps:
        half_width = getattr(rep, measure.uncertainty) if measure.uncertainty else None
        by_set.setdefault(rep.set, []).append(0.0 if half_width is None else half_width)
    return math.hypot(*(sum(one) / len(reps) for one in by_set.values()))
