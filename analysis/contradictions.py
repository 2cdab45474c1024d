"""Comparison and findings -> the comparison without a ``matched`` that the findings contradict.

A mean can hide what a person sees: a pelvis that hikes in two repetitions of eight hardly moves the
mean drift. Where findings tell a fault of one side alone, or of one side far more often, what that
fault is about is not matched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from analysis.advice import KINDS
from analysis.comparison import UNLIKE_SHARE, Comparison
from analysis.findings import Finding
from analysis.sets import SetAnalysis
from imu.units import SIDES

_PELVIS = ("pelvis_drift_deg", "clean_share")
ABOUT = {  # finding -> the measures that show the same thing
    "pelvis_hikes": _PELVIS,
    "pelvis_drops": _PELVIS,
    "pelvis_tilts_forward": _PELVIS,
    "pelvis_tilts_back": _PELVIS,
    "pelvis_rotates": _PELVIS,
    "tilt_grows": ("pelvis_drift_deg",),
    "posture_shifts": ("pelvis_drift_deg",),
    "leg_swings": ("clean_share",),
    "thrown": ("inward_s", "peak_inward_share_percent_s", "peak_return_share_percent_s"),
    "bounce": ("hold_s",),
    "dropped_return": ("return_s", "peak_return_share_percent_s"),
    "no_hold": ("hold_s",),
    "two_stage": ("sparc_inward",),
    "return_error": ("return_error_deg",),
    "overshoot": ("return_error_deg",),
    "range_fades": ("rom_sd_deg",),
    "uneven_range": ("rom_sd_deg",),
    "uneven_duration": ("duration_sd_s",),
}


def without_contradictions(
    comparisons: Sequence[Comparison], findings: Sequence[Finding], sets: Sequence[SetAnalysis]
) -> tuple[Comparison, ...]:
    """Withdraw every ``matched`` beside which a finding tells a fault of one side.

    Parameters
    ----------
    comparisons : sequence of Comparison
        As compared.
    findings : sequence of Finding
        All of them.
    sets : sequence of SetAnalysis
        For how many repetitions each side has.

    Returns
    -------
    tuple of Comparison
        The same, with ``inconclusive`` and the fault as reason in place of those.
    """
    counted = {
        side: sum(rep.counts for one in sets if one.side == side for rep in one.reps)
        for side in SIDES
    }
    against = _one_sided(findings, counted)
    return tuple(_told(one, against.get(one.measure, "")) for one in comparisons)


def _told(one: Comparison, fault: str) -> Comparison:
    """Return the comparison with the fault; ``different`` says enough by itself."""
    if not fault or not one.judged or one.verdict == "different":
        return one
    reason = fault if one.verdict == "matched" else one.reason
    return replace(one, verdict="inconclusive", reason=reason, fault=fault)


def _one_sided(findings: Sequence[Finding], counted: Mapping[str, int]) -> dict[str, str]:
    """Return measure -> the fault that one side alone has, or far more often, in words."""
    against: dict[str, str] = {}
    for code, measures in ABOUT.items():
        shares = {
            side: sum(len(one.reps) for one in findings if (one.code, one.side) == (code, side))
            / max(counted[side], 1)
            for side in SIDES
        }
        side, other = sorted(SIDES, key=lambda one: -shares[one])
        if shares[side] > 0 and (
            shares[other] == 0 or shares[side] - shares[other] >= UNLIKE_SHARE
        ):
            for measure in measures:
                against.setdefault(measure, f"{side}: {KINDS[code].seen}")
    return against
