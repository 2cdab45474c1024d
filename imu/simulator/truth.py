"""Motion and plan -> the truth: the contract's rows of repetitions and of angles.

By the definitions alone, from the noise-free movement on a grid of 1 ms; shares nothing with the
analysis, so that it can disagree with it.

- Neutral: the mean orientation over the still moment before the first repetition. The pelvis axes
  are levelled there, with X along the thigh's heading.
- A phase begins at the last instant before its speed first rises beyond 5 % of its peak, and ends
  at the first instant after its speed has last been beyond it; a two-stage turn is one phase,
  bounces belong to the hold, and a return that runs on outward ends at the outward turning point.
- Speed is the derivative of the IR angle; means are of its magnitude over the phase; SPARC is taken
  of the speed at 1 kHz.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

from imu.samples import Array
from imu.simulator.drill import Plan, PlannedRep
from imu.simulator.motion import Motion
from imu.units import DEG_PER_RAD

Gap = tuple[float, float]

STEP_S = 0.001
PHASE_EDGE = 0.05
ANGLE_COLUMNS = (
    *("ir_deg", "flexion_deg", "adduction_deg"),
    *("pelvis_tilt_deg", "pelvis_obliquity_deg", "pelvis_rotation_deg"),
)
SENSED_COLUMNS = ("thigh_turn_deg", "shank_turn_deg")  # about the femur's axis, through the skin
KNEE_COLUMNS = ("knee_flexion_deg", "knee_rotation_deg")
PELVIS_LIMIT_DEG = 5.0
HIP_LIMIT_DEG = 10.0
MIN_HOLD_S = 0.5
BOUNCE_LIMIT_DEG = 1.5
RETURN_ERROR_LIMIT_DEG = 3.0
OVERSHOOT_LIMIT_DEG = 4.0
OVERSHOOT_WITHIN_S = 1.5
MAX_SPEED_DEG_S = 60.0
RETURN_SPEED_RATIO = 1.5
MAX_GAP_S = 0.5


@dataclass(frozen=True, slots=True)
class TrueRep:
    """One repetition: the columns of ``reps.csv``; NaN where a phase was broken off.

    What a sensor on the thigh and one on the shank turn, and what the knee does, come last.
    """

    side: str
    set: str
    rep: int
    start_s: float
    end_s: float
    hold_start_s: float
    hold_end_s: float
    rom_deg: float
    peak_ir_deg: float
    return_error_deg: float
    inward_s: float
    hold_s: float
    return_s: float
    mean_inward_speed_deg_s: float
    peak_inward_speed_deg_s: float
    mean_return_speed_deg_s: float
    peak_return_speed_deg_s: float
    sparc_inward: float
    sparc_return: float
    pelvis_drift_deg: float
    pelvis_tilt_deg: float
    pelvis_obliquity_deg: float
    pelvis_rotation_deg: float
    pelvis_residual_deg: float
    hip_flexion_deg: float
    hip_adduction_deg: float
    verdict: str
    flags: str
    rom_thigh_deg: float = math.nan
    rom_shank_deg: float = math.nan
    knee_flexion_deg: float = math.nan
    knee_rotation_deg: float = math.nan


@dataclass(frozen=True, slots=True, eq=False)
class TrueAngles:
    """The contract's angles on an even grid of 1 ms from the set's first sample.

    Attributes
    ----------
    time_s : ndarray, shape (m,)
        On the set's common time.
    columns : Mapping of str to ndarray, shape (m,)
        By name (``ir_deg``, …, ``pelvis_rotation_deg``; what the sensors turn through the skin, and
        the knee), in degrees.
    pelvis : Rotation
        Levelled pelvis axes to those at neutral, m of them.
    """

    time_s: Array
    columns: Mapping[str, Array]
    pelvis: Rotation


def true_angles(motion: Motion, plan: Plan, first_s: float, last_s: float) -> TrueAngles:
    """Angles against the set's neutral, from its first sample to its last (true time)."""
    time_s = np.arange(0, last_s - first_s + STEP_S / 2, STEP_S)
    poses = motion.poses(first_s + time_s)
    still = motion.poses(np.arange(*plan.still_s, STEP_S))
    pelvis_still, femur_still = still["pelvis"][0].mean(), still["thigh"][0].mean()
    level = _levelled(femur_still)
    to_axes = pelvis_still.inv() * level  # levelled pelvis axes in those of the model, constant
    pelvis = level.inv() * poses["pelvis"][0] * to_axes
    hip = to_axes.inv() * poses["pelvis"][0].inv() * poses["thigh"][0]
    hip_still = level.inv() * femur_still
    sign = motion.sign
    hip_angles = (hip.as_euler("ZXY") - hip_still.as_euler("ZXY")) * [1.0, sign, sign]
    pelvis_angles = pelvis.as_euler("ZXY") * [-1.0, -sign, sign]
    table = np.column_stack([hip_angles[:, [2, 0, 1]], pelvis_angles]) * DEG_PER_RAD
    columns = {name: table[:, column] for column, name in enumerate(ANGLE_COLUMNS)}
    return TrueAngles(time_s, columns | _leg(motion, first_s + time_s, columns["ir_deg"]), pelvis)


def _leg(motion: Motion, time_s: Array, ir_deg: Array) -> dict[str, Array]:
    """Turns that sensors on thigh and shank make about the femur's axis, and the knee's."""
    slip = {name: motion.skin[name](time_s) if name in motion.skin else 0.0 for name in _LEG}
    bend, give, twist = (motion.tracks[name].at(time_s) for name in ("knee", "give", "twist"))
    return {
        "thigh_turn_deg": ir_deg + slip["thigh"],
        "shank_turn_deg": ir_deg + give + slip["shank"],
        "knee_flexion_deg": bend,
        "knee_rotation_deg": twist,
    }


_LEG = ("thigh", "shank")


def _levelled(femur: Rotation) -> Rotation:
    """Axes with Y vertical and X where the thigh points, as a rotation to the world."""
    forward = -femur.as_matrix()[:, 1]
    up = np.array([0.0, 0.0, 1.0])
    forward = forward - forward @ up * up
    forward /= np.linalg.norm(forward)
    return Rotation.from_matrix(np.column_stack([forward, up, np.cross(forward, up)]))


@dataclass(frozen=True, slots=True)
class Phase:
    """One turn by the 5 % rule, its peak speed and how smooth it is."""

    start_s: float
    end_s: float
    peak_deg_s: float
    mean_deg_s: float
    sparc: float


def find_phase(time_s: Array, speed_deg_s: Array, start_s: float, end_s: float) -> Phase:
    """Narrow a turn planned from rest to rest down to where its speed exceeds 5 % of its peak.

    Parameters
    ----------
    time_s, speed_deg_s : ndarray, shape (m,)
        Even grid and the IR speed on it.
    start_s, end_s : float
        Where the turn runs in the plan.
    """
    first, last = np.searchsorted(time_s, [start_s, end_s])
    magnitude = np.abs(speed_deg_s[first : last + 1])
    peak = float(magnitude.max())
    edge = PHASE_EDGE * peak
    beyond = np.flatnonzero(magnitude > edge)
    a, b = first + int(beyond[0]), first + int(beyond[-1])
    begins = _crossing(time_s, np.abs(speed_deg_s), max(a - 1, 0), edge)
    ends = _crossing(time_s, np.abs(speed_deg_s), min(b, len(time_s) - 2), edge)
    inside = np.abs(speed_deg_s[a : b + 1])
    return Phase(begins, ends, peak, float(inside.mean()), sparc(inside, 1 / STEP_S))


def _crossing(time_s: Array, value: Array, index: int, level: float) -> float:
    """Instant between ``index`` and the next at which ``value`` crosses ``level``."""
    step = value[index + 1] - value[index]
    fraction = (level - value[index]) / step if step != 0 else 0.0
    return float(time_s[index] + np.clip(fraction, 0, 1) * STEP_S)


def sparc(speed: Array, rate_hz: float) -> float:
    """Spectral arc length of a speed profile; closer to 0 is smoother.

    References
    ----------
    Balasubramanian et al. (2012), IEEE Trans Biomed Eng 59:2126; (2015), J NeuroEng Rehabil
    12:112: zero-padding level 4, cut-off 10 Hz, amplitude threshold 0.05.
    """
    points = 2 ** (int(np.ceil(np.log2(len(speed)))) + 4)
    frequency = np.fft.rfftfreq(points, 1 / rate_hz)
    spectrum = np.abs(np.fft.rfft(speed, points))
    spectrum = spectrum[frequency <= 10.0] / spectrum.max()
    frequency = frequency[frequency <= 10.0]
    loud = np.flatnonzero(spectrum >= 0.05)
    chosen = slice(int(loud[0]), int(loud[-1]) + 1)
    band = frequency[chosen][-1] - frequency[chosen][0]
    along = np.diff(frequency[chosen]) / band
    return -float(np.sum(np.hypot(along, np.diff(spectrum[chosen]))))


def true_reps(
    name: str, side: str, plan: tuple[PlannedRep, ...], angles: TrueAngles, gaps: list[Gap]
) -> tuple[TrueRep, ...]:
    """Measure the planned repetitions.

    Parameters
    ----------
    name, side : str
        The set's name; ``left`` or ``right``.
    plan : tuple of PlannedRep
        On the set's common time.
    angles : TrueAngles
        Of the whole set.
    gaps : list of (start, end)
        Times on the set's common time in which one of the sensors has no sample.
    """
    speed = np.gradient(angles.columns["ir_deg"], STEP_S)
    rows = []
    for number, planned in enumerate(plan, start=1):
        inward = _phase(angles.time_s, speed, planned.inward_start_s, planned.inward_end_s)
        back = _phase(angles.time_s, speed, planned.return_start_s, planned.return_end_s)
        if inward is not None:
            rows.append(_row(name, side, number, inward, back, angles, gaps))
    return tuple(rows)


def _phase(time_s: Array, speed: Array, start_s: float, end_s: float) -> Phase | None:
    """Find a phase; None where the recording ended before it moved, ``end_s`` NaN within it."""
    if start_s > time_s[-1] - 2 * STEP_S:
        return None
    phase = find_phase(time_s, speed, start_s, end_s)
    done = end_s < time_s[-1] + 0.15 and phase.end_s < time_s[-1] - STEP_S
    return phase if done else replace(phase, end_s=math.nan, mean_deg_s=math.nan, sparc=math.nan)


def _row(
    name: str,
    side: str,
    number: int,
    inward: Phase,
    back: Phase | None,
    angles: TrueAngles,
    gaps: list[Gap],
) -> TrueRep:
    back = back or Phase(*[math.nan] * 5)
    start_s = inward.start_s
    end_s = float(angles.time_s[-1]) if math.isnan(back.end_s) else back.end_s
    ir = _at(angles.time_s, angles.columns["ir_deg"])
    measures = _measures(angles, start_s, end_s)
    row = TrueRep(
        side=side,
        set=name,
        rep=number,
        start_s=start_s,
        end_s=end_s,
        hold_start_s=inward.end_s,
        hold_end_s=back.start_s,
        return_error_deg=ir(back.end_s) - ir(start_s),
        inward_s=inward.end_s - start_s,
        hold_s=back.start_s - inward.end_s,
        return_s=back.end_s - back.start_s,
        mean_inward_speed_deg_s=inward.mean_deg_s,
        peak_inward_speed_deg_s=inward.peak_deg_s,
        mean_return_speed_deg_s=back.mean_deg_s,
        peak_return_speed_deg_s=back.peak_deg_s,
        sparc_inward=inward.sparc,
        sparc_return=back.sparc,
        verdict="",
        flags="",
        **measures,
    )
    return _judged(row, _flags_of_shape(angles, row), gaps)


def _at(time_s: Array, value: Array) -> Callable[[float], float]:
    """Linear interpolation on the 1 ms grid; NaN stays NaN."""
    return lambda instant: (
        math.nan if math.isnan(instant) else float(np.interp(instant, time_s, value))
    )


def _measures(angles: TrueAngles, start_s: float, end_s: float) -> dict[str, float]:
    """Range, pelvis and off-axis movement of a repetition, all against its start."""
    first, last = np.round(np.array([start_s, end_s]) / STEP_S).astype(int)
    inside = slice(first, last + 1)
    pelvis = angles.pelvis[inside]
    turned_deg = np.atleast_1d((pelvis[0].inv() * pelvis).magnitude()) * DEG_PER_RAD
    moved = {
        name: column[inside] - _at(angles.time_s, column)(start_s)
        for name, column in angles.columns.items()
    }
    renamed = {"flexion_deg": "hip_flexion_deg", "adduction_deg": "hip_adduction_deg"}
    extremes = {
        renamed.get(name, name): float(moved[name][np.argmax(np.abs(moved[name]))])
        for name in (*ANGLE_COLUMNS[1:], *KNEE_COLUMNS)
    }
    return {
        "rom_deg": float(moved["ir_deg"].max()),
        "peak_ir_deg": float(angles.columns["ir_deg"][inside].max()),
        "pelvis_drift_deg": float(turned_deg.max()),
        "pelvis_residual_deg": float(turned_deg[-1]),
        **{f"rom_{name}_deg": float(moved[f"{name}_turn_deg"].max()) for name in _LEG},
        **extremes,
    }


def _deepest_dip(angles: TrueAngles, start_s: float, end_s: float) -> float:
    """Depth of the deepest reversal between two higher angles at the end range [deg]."""
    if math.isnan(start_s) or math.isnan(end_s):
        return 0.0
    first, last = np.searchsorted(angles.time_s, [start_s, end_s])
    ir = angles.columns["ir_deg"][first : last + 1]
    before = np.maximum.accumulate(ir)
    after = np.maximum.accumulate(ir[::-1])[::-1]
    return float((np.minimum(before, after) - ir).max())


def _flags_of_shape(angles: TrueAngles, row: TrueRep) -> list[str]:
    """Name what the course of the angle shows: a bounce, two stages, an outward overshoot."""
    flags = []
    if _deepest_dip(angles, row.hold_start_s, row.hold_end_s) >= BOUNCE_LIMIT_DEG:
        flags.append("bounce")
    if math.isfinite(row.hold_start_s):
        first, last = np.searchsorted(angles.time_s, [row.start_s, row.hold_start_s])
        turn = angles.columns["ir_deg"][first + 2 : last - 2]
        if np.abs(np.gradient(turn, STEP_S)).min() < PHASE_EDGE * row.peak_inward_speed_deg_s:
            flags.append("two_stage")
    if math.isfinite(row.return_s):
        ends = (row.end_s, row.end_s + OVERSHOOT_WITHIN_S)
        first, last = np.searchsorted(angles.time_s, ends)
        lowest = angles.columns["ir_deg"][first - 1 : last].min()
        if row.peak_ir_deg - row.rom_deg - lowest > OVERSHOOT_LIMIT_DEG:
            flags.append("overshoot")
    return flags


def _judged(row: TrueRep, shape: list[str], gaps: list[Gap]) -> TrueRep:
    """Add verdict and flags by the limits above."""
    pelvis = ("pelvis_tilt", "pelvis_obliquity", "pelvis_rotation")
    over = [name for name in pelvis if abs(getattr(row, f"{name}_deg")) > PELVIS_LIMIT_DEG]
    hip = ("hip_flexion", "hip_adduction")
    over += [name for name in hip if abs(getattr(row, f"{name}_deg")) > HIP_LIMIT_DEG]
    missing = [min(end, row.end_s) - max(start, row.start_s) for start, end in gaps]
    void = {
        "broken_off": math.isnan(row.return_s),
        "gap": max(missing, default=0.0) > MAX_GAP_S,
    }
    back, inward = row.peak_return_speed_deg_s, row.peak_inward_speed_deg_s
    other = {
        "no_hold": row.hold_s < MIN_HOLD_S,
        "bounce": "bounce" in shape,
        "two_stage": "two_stage" in shape,
        "fast": max(inward, 0.0 if math.isnan(back) else back) > MAX_SPEED_DEG_S,
        "dropped": back > RETURN_SPEED_RATIO * inward,
        "return_error": abs(row.return_error_deg) > RETURN_ERROR_LIMIT_DEG,
        "overshoot": "overshoot" in shape,
    }
    flags = [*(code for code, set_ in void.items() if set_), *over]
    flags += [code for code, set_ in other.items() if set_]
    verdict = "not_counted" if any(void.values()) else "compensated" if over else "clean"
    return replace(row, verdict=verdict, flags=";".join(flags))
