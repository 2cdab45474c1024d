"""Repetition -> row of ``reps.csv``: range, speed, hold, smoothness, pelvis drift, verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from analysis.motion.angles import HipAngles
from analysis.motion.grid import GRID_HZ, grid_span
from analysis.motion.knee import KneeCourse
from analysis.motion.quaternions import conjugate, multiply
from analysis.motion.uncertainty import AngleError
from analysis.repetitions.detection import Phases, phase_window_s, speed
from analysis.repetitions.smoothness import spectral_arc_length
from analysis.settings import Settings

Array = NDArray[np.float64]

MARGIN_S = 1.0  # of course around a phase, so that its speed is not cut at the edges
STAGE_SHARE = 0.25  # of the peak speed: a dip below it within the inward turn makes two stages
AFTER_S = 2.5  # an outward movement this soon after a return belongs to it
PLANES = ("pelvis_tilt", "pelvis_obliquity", "pelvis_rotation")
OFF_AXIS = ("hip_flexion", "hip_adduction")


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
    rom_source: str = "thigh"
    rom_thigh_deg: float | None = None
    rom_shank_deg: float | None = None
    knee_flexion_deg: float | None = None
    knee_rotation_deg: float | None = None

    @property
    def counts(self) -> bool:
        """Whether the repetition enters the summary and the comparison."""
        return self.verdict != "not_counted"


MEASURED = frozenset(one.name for one in fields(Repetition)) - {
    *("side", "set", "rep", "start_s", "end_s", "verdict", "flags", "rom_source"),
}


@dataclass(frozen=True, slots=True, eq=False)
class SetContext:
    """What the measures of every repetition of a set share.

    Attributes
    ----------
    name, side : str
        The set's name and side.
    angles : HipAngles
        On the grid.
    error : AngleError
        What limits them.
    gaps_s : ndarray, shape (k, 2)
        Gaps of either sensor, on the set's common time.
    settings : Settings
        Limits of verdicts and flags.
    source : str
        ``thigh`` or ``shank``: the sensor behind the IR angle.
    turns_deg : Mapping of str to ndarray, shape (m,)
        Turn about the femur's axis by each leg sensor.
    knee : KneeCourse or None
        With both of them.
    """

    name: str
    side: str
    angles: HipAngles
    error: AngleError
    gaps_s: Array
    settings: Settings
    source: str = "thigh"
    turns_deg: Mapping[str, Array] = field(default_factory=dict)
    knee: KneeCourse | None = None


def measure_repetition(
    context: SetContext, phases: Phases, number: int, until_s: float
) -> Repetition:
    """Measure one repetition.

    Parameters
    ----------
    context : SetContext
        The set.
    phases : Phases
        Times from the grid's first instant.
    number : int
        From 1 within the set.
    until_s : float
        Start of the next repetition, from the grid's first instant.
    """
    origin_s = float(context.angles.time_s[0])
    span_s = (origin_s + phases.start_s, origin_s + phases.end_s)
    gap = _longest_within(context.gaps_s, span_s) > context.settings.max_gap_s
    values = {
        "hold_start_s": origin_s + phases.hold_start_s,
        "hold_end_s": origin_s + phases.hold_end_s,
        "inward_s": phases.hold_start_s - phases.start_s,
        "hold_s": phases.hold_end_s - phases.hold_start_s,
        "return_s": phases.end_s - phases.hold_end_s,
    }
    if not gap:
        values |= _range(context, phases) | _speeds(context.angles, phases)
        values |= _pelvis(context, phases) | _off_axis(context.angles, phases)
        values |= _leg(context, phases)
    if phases.broken_off:
        values |= dict.fromkeys(("return_error_deg", "pelvis_residual_deg"), math.nan)
    flags = _flags(context, phases, values, gap, until_s)
    numbers = {name: value if math.isfinite(value) else None for name, value in values.items()}
    missing = dict.fromkeys(MEASURED - numbers.keys())
    return Repetition(
        side=context.side,
        set=context.name,
        rep=number,
        start_s=span_s[0],
        end_s=span_s[1],
        verdict=_verdict(flags),
        flags=flags,
        rom_source=context.source,
        **numbers,
        **missing,
    )


def _range(context: SetContext, phases: Phases) -> dict[str, float]:
    ir = context.angles.ir_deg
    inside = ir[phases.span()]
    first, last = _at(ir, phases.start_s), _at(ir, phases.end_s)
    top = float(max(inside.max(), first))
    to_top_s = float(np.argmax(inside)) / GRID_HZ
    turned = context.angles.pelvis_quat[phases.span()]
    half_width = context.error.range_deg(top - first, to_top_s, float(_turned_deg(turned).max()))
    return {
        "rom_deg": top - first,
        "peak_ir_deg": top,
        "return_error_deg": last - first,
        "rom_uncertainty_deg": half_width,
    }


def _speeds(angles: HipAngles, phases: Phases) -> dict[str, float]:
    inward = (phases.start_s, phases.hold_start_s)
    back = (phases.hold_end_s, phases.end_s)
    values: dict[str, float] = {}
    for name, (begin_s, end_s) in {"inward": inward, "return": back}.items():
        rate = phase_speed(angles.ir_deg, begin_s, end_s)
        if len(rate) < 4:
            continue
        values[f"mean_{name}_speed_deg_s"] = float(np.abs(rate).mean())
        values[f"peak_{name}_speed_deg_s"] = float(np.abs(rate).max())
        values[f"sparc_{name}"] = spectral_arc_length(rate, GRID_HZ)
    if phases.broken_off:
        values = {name: value for name, value in values.items() if "return" not in name}
    return values


def phase_speed(ir_deg: Array, begin_s: float, end_s: float) -> Array:
    """IR speed [deg/s] on the grid within one phase; empty where the phase is not known."""
    if not (math.isfinite(begin_s) and math.isfinite(end_s)):
        return np.empty(0)
    around = grid_span(begin_s - MARGIN_S, end_s + MARGIN_S)
    around = slice(max(around.start, 0), around.stop)
    rate = speed(ir_deg[around], phase_window_s(end_s - begin_s))
    inside = grid_span(begin_s, end_s)
    return rate[inside.start - around.start : inside.stop - around.start]


def _pelvis(context: SetContext, phases: Phases) -> dict[str, float]:
    inside = phases.span()
    turned = _turned_deg(context.angles.pelvis_quat[inside])
    planes = {
        f"{plane}_deg": _signed_extreme(getattr(context.angles, f"{plane}_deg")[inside])
        for plane in PLANES
    }
    tilt, obliquity, rotation = planes.values()
    lasted_s = phases.end_s - phases.start_s
    to_top_s = float(np.argmax(turned)) / GRID_HZ
    held_s = phases.hold_end_s - phases.start_s  # the extreme may come at any time of the hold
    held_s = held_s if math.isfinite(held_s) else lasted_s
    error = context.error
    return {
        "pelvis_drift_deg": float(turned.max()),
        **planes,
        "pelvis_residual_deg": float(turned[-1]),
        "pelvis_drift_uncertainty_deg": error.drift_deg(to_top_s, (tilt, obliquity, rotation)),
        "pelvis_tilt_uncertainty_deg": error.tilt_deg(lasted_s, (tilt, obliquity, rotation)),
        "pelvis_obliquity_uncertainty_deg": error.tilt_deg(lasted_s, (obliquity, tilt, rotation)),
        "pelvis_rotation_uncertainty_deg": error.rotation_deg(held_s, (rotation, tilt, obliquity)),
    }


def _off_axis(angles: HipAngles, phases: Phases) -> dict[str, float]:
    inside = phases.span()
    return {
        "hip_flexion_deg": _signed_extreme(angles.flexion_deg[inside]),
        "hip_adduction_deg": _signed_extreme(angles.adduction_deg[inside]),
    }


def _leg(context: SetContext, phases: Phases) -> dict[str, float]:
    """What each leg sensor turned, and what the knee did between them."""
    inside = phases.span()
    values = {}
    for name, turn in context.turns_deg.items():
        first = _at(turn, phases.start_s)
        values[f"rom_{name}_deg"] = float(max(turn[inside].max(), first)) - first
    if context.knee is not None:
        values["knee_flexion_deg"] = _signed_extreme(context.knee.flexion_deg[inside])
        values["knee_rotation_deg"] = _signed_extreme(context.knee.rotation_deg[inside])
    return values


def _flags(
    context: SetContext, phases: Phases, values: dict[str, float], gap: bool, until_s: float
) -> tuple[str, ...]:
    """Reasons of the verdict first, then what is worth knowing."""
    limits = context.settings
    ir = context.angles.ir_deg
    seen = {"broken_off": phases.broken_off, "gap": gap}
    for name in (*PLANES, *OFF_AXIS):
        seen[name] = abs(values.get(f"{name}_deg", 0.0)) > getattr(limits, f"{name}_limit_deg")
    knee = (values.get("knee_flexion_deg", 0.0), values.get("knee_rotation_deg", 0.0))
    inward = values.get("peak_inward_speed_deg_s", 0.0)
    back = values.get("peak_return_speed_deg_s", 0.0)
    seen |= {
        "knee_straightens": -knee[0] > limits.knee_flexion_limit_deg,
        "knee_turns": abs(knee[1]) > limits.knee_rotation_limit_deg,
        "no_hold": values["hold_s"] < limits.min_hold_s,
        "bounce": _deepest_dip(ir, phases.hold_start_s, phases.hold_end_s)
        >= limits.bounce_limit_deg,
        "two_stage": _dips(phase_speed(ir, phases.start_s, phases.hold_start_s)),
        "fast": max(inward, back) > limits.max_speed_deg_s,
        "dropped": back > limits.return_speed_ratio * inward > 0.0,
        "return_error": abs(values.get("return_error_deg", 0.0)) > limits.return_error_limit_deg,
        "overshoot": not phases.broken_off
        and _beyond(ir, phases, until_s) > limits.overshoot_limit_deg,
    }
    return tuple(name for name, present in seen.items() if present)


def _verdict(flags: tuple[str, ...]) -> str:
    if {"broken_off", "gap"} & set(flags):
        return "not_counted"
    return "compensated" if {*PLANES, *OFF_AXIS} & set(flags) else "clean"


def _deepest_dip(ir_deg: Array, begin_s: float, end_s: float) -> float:
    """Deepest reversal between two higher angles in the hold [deg]."""
    if not (math.isfinite(begin_s) and math.isfinite(end_s)):
        return 0.0
    hold = ir_deg[grid_span(begin_s, end_s)]
    if len(hold) < 3:
        return 0.0
    before = np.maximum.accumulate(hold)
    after = np.maximum.accumulate(hold[::-1])[::-1]
    return float((np.minimum(before, after) - hold).max())


def _dips(rate: Array) -> bool:
    """Whether a speed has a slow stretch between two fast ones."""
    if len(rate) < 4:
        return False
    fast = np.flatnonzero(rate > 2.0 * STAGE_SHARE * rate.max())
    return bool(rate[fast[0] : fast[-1] + 1].min() < STAGE_SHARE * rate.max())


def _beyond(ir_deg: Array, phases: Phases, until_s: float) -> float:
    """How far the thigh goes outward past where the repetition began, by or after its end [deg]."""
    last_s = min(phases.end_s + AFTER_S, until_s)
    after = ir_deg[grid_span(phases.end_s, max(last_s, phases.end_s + 0.02))]
    return _at(ir_deg, phases.start_s) - float(after.min()) if len(after) else 0.0


def _turned_deg(quat: Array) -> Array:
    """Angle (m,) between each orientation (m, 4) and the first [deg]."""
    relative = multiply(conjugate(quat[0]), quat)
    sine = np.linalg.norm(relative[:, 1:], axis=1)
    turned: Array = np.rad2deg(2.0 * np.arctan2(sine, np.abs(relative[:, 0])))
    return turned


def _signed_extreme(angle_deg: Array) -> float:
    moved = angle_deg - angle_deg[0]
    return float(moved[np.argmax(np.abs(moved))])


def _at(angle_deg: Array, time_s: float) -> float:
    at = min(max(time_s * GRID_HZ, 0.0), len(angle_deg) - 1.0)
    before = min(int(at), len(angle_deg) - 2)
    return float(angle_deg[before] + (at - before) * (angle_deg[before + 1] - angle_deg[before]))


def _longest_within(gaps_s: Array, span_s: tuple[float, float]) -> float:
    """Longest part of any gap (k, 2) that lies within a span [s]."""
    if len(gaps_s) == 0:
        return 0.0
    shared = np.minimum(gaps_s[:, 1], span_s[1]) - np.maximum(gaps_s[:, 0], span_s[0])
    return float(max(shared.max(), 0.0))
