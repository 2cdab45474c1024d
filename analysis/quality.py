"""Streams -> is the recording fit for analysis: per sensor and per set, with reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SensorQuality:
    """What one sensor's samples look like in one set.

    Attributes
    ----------
    samples : int
        Rows used.
    rate_hz : float
        Nominal rate on the common clock (not from the median step alone: losses bias it).
    lost_percent : float
        Samples missing against the nominal rate between first and last sample.
    longest_gap_s : float
        Longest time without a sample.
    gaps : int
        Gaps longer than 0.1 s (or 3 sample intervals where that is longer).
    duplicates, steps_back : int
        Counted by the reader.
    clock_skew_ppm : float or None
        Rate of the sensor's clock against the host's; None without ``arrival_s``.
    saturated : int
        Samples at the sensor's full scale.
    still_start_s, still_end_s : float
        Length of the stillness before the first and after the last movement; 0 where none.
    bias_deg_s : float
        Magnitude of the gyroscope bias seen in the stillness [°/s].
    """

    segment: str
    samples: int
    rate_hz: float
    lost_percent: float
    longest_gap_s: float
    gaps: int
    duplicates: int
    steps_back: int
    clock_skew_ppm: float | None
    saturated: int
    still_start_s: float
    still_end_s: float
    bias_deg_s: float


@dataclass(frozen=True, slots=True)
class SetQuality:
    """Whether one set can be trusted, and why not.

    Attributes
    ----------
    grade : str
        ``good``, ``fair`` or ``poor``.
    reasons : tuple of str
        Plain sentences, worst first; empty for ``good``.
    sensors : Mapping of str to SensorQuality
        By segment.
    cut_rows : int
        Rows dropped because the file ended in the middle of a line.
    axis_explained_percent : float or None
        Share of the relative rotation that the thigh's axis explains.
    axis_to_level_deg : float or None
        Angle of the thigh's axis to the horizontal at neutral.
    pelvis_z_to_level_deg : float or None
        Angle of the pelvis sensor's +z to the horizontal at neutral (flat on the sacrum: small).
    ir_uncertainty_deg, tilt_uncertainty_deg, obliquity_uncertainty_deg,
    rotation_uncertainty_deg : float or None
        Half-widths of 95 % intervals of one angle in this set, instrument only.
    """

    grade: str
    reasons: tuple[str, ...]
    sensors: Mapping[str, SensorQuality]
    cut_rows: int = 0
    axis_explained_percent: float | None = None
    axis_to_level_deg: float | None = None
    pelvis_z_to_level_deg: float | None = None
    ir_uncertainty_deg: float | None = None
    tilt_uncertainty_deg: float | None = None
    obliquity_uncertainty_deg: float | None = None
    rotation_uncertainty_deg: float | None = None
