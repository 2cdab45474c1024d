"""Repetition -> row of ``reps.csv``: range, speed, hold, smoothness, pelvis drift, verdict."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Repetition:
    """One repetition: the columns of ``reps.csv``, in their order and under their names.

    A number that could not be had is None. Angles in degrees, times in seconds on the set's
    common time. The ``*_uncertainty_deg`` fields are half-widths of 95 % intervals; they
    follow the contract's columns.
    """

    side: str
    set: str
    rep: int
    start_s: float
    end_s: float
    hold_start_s: float | None
    hold_end_s: float | None
    rom_deg: float | None
    peak_ir_deg: float | None
    return_error_deg: float | None
    inward_s: float | None
    hold_s: float | None
    return_s: float | None
    mean_inward_speed_deg_s: float | None
    peak_inward_speed_deg_s: float | None
    mean_return_speed_deg_s: float | None
    peak_return_speed_deg_s: float | None
    sparc_inward: float | None
    sparc_return: float | None
    pelvis_drift_deg: float | None
    pelvis_tilt_deg: float | None
    pelvis_obliquity_deg: float | None
    pelvis_rotation_deg: float | None
    pelvis_residual_deg: float | None
    hip_flexion_deg: float | None
    hip_adduction_deg: float | None
    verdict: str
    flags: tuple[str, ...]
    rom_uncertainty_deg: float | None = None
    pelvis_drift_uncertainty_deg: float | None = None
    pelvis_tilt_uncertainty_deg: float | None = None
    pelvis_obliquity_uncertainty_deg: float | None = None
    pelvis_rotation_uncertainty_deg: float | None = None

    @property
    def counts(self) -> bool:
        """Whether the repetition enters the summary and the comparison."""
        return self.verdict != "not_counted"
