"""Streams -> is the recording fit for analysis: per sensor and per set, with reasons.

A grade is the worst of its reasons: ``good`` where there is none, ``fair`` where the figures are
to be read with care, ``poor`` where they may be wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from analysis.errors import AnalysisError
from analysis.estimation import Estimate
from analysis.evidence import Evidence
from analysis.motion.grid import GRID_HZ, EvenSet
from analysis.reasons import GRADES, WRONG_LABELS, Reason, beyond, worst_grade
from analysis.sensor_quality import SensorQuality, coverage_reasons, sensor_quality, sensor_reasons
from analysis.skin import SkinShare
from imu.clock import AlignedSet
from imu.recording import Recording

# (fair above, poor above)
Z_TO_LEVEL_DEG = (40.0, 60.0)  # a sacrum slopes by 10 to 30 degrees in sitting
AXIS_TO_LEVEL_DEG = (20.0, 30.0)  # the sine of it is the share of heading errors in IR
AXIS_MISSED_PERCENT = (15.0, 25.0)
LEFTOVER_PERCENT = (40.0, 100.0)  # of the turning inward; twitches of 3 in 10 degrees make 30
PLACED_DEG = (15.0, 60.0)  # about the vertical; a strap sits within 5 of where it should
ANGLE_ERROR_DEG = (2.7, 5.4)  # half and whole of what a range must change by to be seen
MAX_Z_TO_LEVEL_DEG = 80.0  # beyond, forward is a matter of chance
MANY_LEFT_OUT = 2  # and half as many as counted: there may be a second set among them
FAIR_STILL_S = 2.0  # asked for by the protocol


@dataclass(frozen=True, slots=True)
class SetQuality:
    """Whether one set can be trusted, and why not.

    Attributes
    ----------
    grade : str
        ``good``, ``fair`` or ``poor``.
    reasons : tuple of str
        Plain sentences, worst first.
    codes : tuple of str
        The same as stable codes, each once (``reference/quality.md``).
    direction : str
        Of the first turn: ``proven``, ``assumed`` to be inward, or ``doubtful``.
    pelvis_axes : str
        ``lean`` where a trunk lean gave them, ``assumed`` where the way the sensor is worn did.
    sensors : Mapping of str to SensorQuality
        By segment.
    cut_rows : int
        Rows dropped because the file ended in the middle of a line.
    left_out : int
        Movements before or after the set that were taken for fidgeting, not for repetitions.
    axis_explained_percent : float or None
        Share of the relative rotation that the thigh's axis explains.
    axis_to_level_deg : float or None
        Angle of the thigh's axis to the horizontal at neutral.
    pelvis_z_to_level_deg : float or None
        Angle of the pelvis sensor's +z to the horizontal at neutral (flat on the sacrum: small).
    ir_uncertainty_deg, tilt_uncertainty_deg, obliquity_uncertainty_deg,
    rotation_uncertainty_deg : float or None
        Half-widths of 95 % intervals of one angle in this set, instrument only.
    skin_share : SkinShare or None
        What the thigh sensor saw of the turn that the shank made, with both.
    """

    grade: str
    reasons: tuple[str, ...]
    codes: tuple[str, ...]
    direction: str
    pelvis_axes: str
    sensors: Mapping[str, SensorQuality]
    cut_rows: int = 0
    left_out: int = 0
    axis_explained_percent: float | None = None
    axis_to_level_deg: float | None = None
    pelvis_z_to_level_deg: float | None = None
    ir_uncertainty_deg: float | None = None
    tilt_uncertainty_deg: float | None = None
    obliquity_uncertainty_deg: float | None = None
    rotation_uncertainty_deg: float | None = None
    skin_share: SkinShare | None = None

    @property
    def mislabelled(self) -> bool:
        """Whether side, direction or sensors are not what they are said to be."""
        return self.grade == "poor" and not WRONG_LABELS.isdisjoint(self.codes)


def assess(
    recording: Recording,
    aligned: AlignedSet,
    even: EvenSet,
    estimate: Estimate,
    evidence: Evidence,
    leaned: bool = False,
) -> SetQuality:
    """Grade one set.

    Parameters
    ----------
    recording : Recording
        As read: faults and cut rows.
    aligned : AlignedSet
        Pelvis and leg sensor on one clock: rates, gaps, skews.
    even : EvenSet
        The same on the grid.
    estimate : Estimate
        Stillness, axis, repetitions and errors.
    evidence : Evidence
        What the movement says of the labels.
    leaned : bool
        Whether the pelvis axes came from a trunk lean, not from the sensor's +z.

    Raises
    ------
    AnalysisError
        The pelvis sensor's +z points up or down, so it cannot point backward.
    """
    z_deg = float(np.rad2deg(estimate.pelvis_z_to_level_rad))
    swapped = any(reason.code == "sensors_swapped" for reason in evidence.reasons)
    if not leaned and not swapped:
        _refuse_upright(z_deg, recording.source)
    sensors = sensors_of(aligned, even, estimate)
    reasons = [
        *evidence.reasons,
        *_set_reasons(recording, estimate, z_deg, _still_s(even, estimate)[0], leaned),
        *coverage_reasons(aligned),
    ]
    for name in sensors:
        reasons += sensor_reasons(sensors[name], aligned.streams[name])
    reasons.sort(key=lambda reason: -GRADES.index(reason.grade))
    errors = _angle_errors_deg(estimate)
    return SetQuality(
        grade=reasons[0].grade if reasons else "good",
        reasons=tuple(reason.text for reason in reasons),
        codes=tuple(dict.fromkeys(reason.code for reason in reasons)),
        direction=evidence.direction,
        pelvis_axes="lean" if leaned else "assumed",
        sensors=sensors,
        cut_rows=recording.cut_rows,
        left_out=estimate.left_out,
        axis_explained_percent=100.0 * estimate.axis_explained,
        axis_to_level_deg=float(np.rad2deg(estimate.axis_to_level_rad)),
        pelvis_z_to_level_deg=z_deg,
        ir_uncertainty_deg=errors[0],
        tilt_uncertainty_deg=errors[1],
        obliquity_uncertainty_deg=errors[1],
        rotation_uncertainty_deg=errors[2],
    )


def sensors_of(aligned: AlignedSet, even: EvenSet, estimate: Estimate) -> dict[str, SensorQuality]:
    """Tell how each sensor of a set measured, by segment; parameters as in `assess`."""
    still_s = _still_s(even, estimate)
    biases = {"pelvis": estimate.pelvis.bias_rads, even.leg: estimate.thigh.bias_rads}
    return {
        name: sensor_quality(stream, aligned.fits[name], still_s, biases[name])
        for name, stream in aligned.streams.items()
    }


def with_reason(quality: SetQuality, reason: Reason) -> SetQuality:
    """Add a reason: in front where it makes the grade worse, behind the others where not."""
    worse = GRADES.index(reason.grade) > GRADES.index(quality.grade)
    texts = (reason.text, *quality.reasons) if worse else (*quality.reasons, reason.text)
    codes = (reason.code, *quality.codes) if worse else (*quality.codes, reason.code)
    return replace(
        quality,
        grade=worst_grade([quality.grade, reason.grade]),
        reasons=texts,
        codes=tuple(dict.fromkeys(codes)),
    )


def _refuse_upright(z_deg: float, source: str) -> None:
    """Refuse a pelvis sensor whose +z points up or down."""
    if z_deg > MAX_Z_TO_LEVEL_DEG:
        raise AnalysisError(
            f"{source}, pelvis",
            f"the sensor's +z axis is {z_deg:.0f} degrees from level, expected to point backward",
            "Wear it flat on the sacrum, +z away from the body, or record a calibration.csv.",
        )


def _still_s(even: EvenSet, estimate: Estimate) -> tuple[float, float]:
    """Length of the stillness before the first and after the last movement."""
    end_s = float(even.time_s[-1] - even.time_s[0])
    first, last = estimate.phases[0].start_s, estimate.phases[-1].end_s
    spans = [(begin / GRID_HZ, end / GRID_HZ) for begin, end in estimate.still]
    before = [min(end, first) - begin for begin, end in spans if begin < first]
    after = [min(end, end_s) - max(begin, last) for begin, end in spans if end > last]
    return max(before, default=0.0), max(after, default=0.0)


def _angle_errors_deg(estimate: Estimate) -> tuple[float, float, float]:
    """Half-widths of 95 % intervals in a typical repetition: IR, tilt, pelvis rotation."""
    ir_deg = estimate.angles.ir_deg
    inside = [ir_deg[one.span()] for one in estimate.phases]
    rom_deg = float(np.median([one.max() - one[0] for one in inside]))
    lasted_s = float(np.median([len(one) for one in inside])) / GRID_HZ
    error = estimate.error
    return (
        error.range_deg(rom_deg, 0.5 * lasted_s, 0.0),
        error.tilt_deg(lasted_s, (0.0, 0.0, 0.0)),
        error.rotation_deg(lasted_s, (0.0, 0.0, 0.0)),
    )


def _leftover_reasons(estimate: Estimate) -> Iterator[Reason]:
    """What turned and is no repetition."""
    small = estimate.leftover.small_turns
    if small:
        turns = "turn" if small == 1 else "turns"
        text = f"{small} {turns} too small to count passed over; the count and the means leave"
        yield Reason("fair", "small_turns", f"{text} them out")
    percent = 100.0 * estimate.leftover.share
    text = f"{percent:.0f} % as much turning again lies outside the repetitions; some may be missed"
    yield from beyond(percent, LEFTOVER_PERCENT, "unexplained_turning", text)


def _set_reasons(
    recording: Recording, estimate: Estimate, z_deg: float, still_s: float, leaned: bool
) -> Iterator[Reason]:
    """What speaks against the set as a whole."""
    if still_s < FAIR_STILL_S:
        text = f"only {still_s:.1f} s of stillness before the first turn; sit still for 3 s"
        yield Reason("fair", "short_stillness", text)
    if estimate.left_out:
        movements = "movement" if estimate.left_out == 1 else "movements"
        text = f"{estimate.left_out} {movements} before or after the set left out, unlike the rest"
        many = estimate.left_out > max(MANY_LEFT_OUT, 0.5 * len(estimate.phases))
        yield Reason("fair" if many else "good", "left_out", text)
    yield from _leftover_reasons(estimate)
    if recording.cut_rows:
        text = "the file ends in the middle of a line, so the set may be incomplete"
        yield Reason("fair", "cut", text)
    if not leaned:
        text = f"the pelvis sensor's +z is {z_deg:.0f}° from level; it should point backward"
        yield from beyond(z_deg, Z_TO_LEVEL_DEG, "placement", text)
    placed_deg = abs(float(np.rad2deg(estimate.placement_rad)))
    text = (
        f"the pelvis sensor sits {placed_deg:.0f}° round from where it should, as the movement "
        "shows; taken out"
    )
    yield from beyond(placed_deg, PLACED_DEG, "pelvis_placed", text)
    level_deg = float(np.rad2deg(estimate.axis_to_level_rad))
    text = f"the femur's axis is {level_deg:.0f}° from level, so heading errors leak into IR"
    yield from beyond(level_deg, AXIS_TO_LEVEL_DEG, "axis_steep", text)
    missed = 100.0 * (1.0 - estimate.axis_explained)
    text = f"one axis explains only {100.0 - missed:.0f} % of how the {estimate.leg} turned"
    yield from beyond(missed, AXIS_MISSED_PERCENT, "axis_unclear", text)
    ir_deg, _, rotation_deg = _angle_errors_deg(estimate)
    for name, error_deg in (("internal rotation", ir_deg), ("pelvis rotation", rotation_deg)):
        text = f"{name} is uncertain by {error_deg:.1f}° by the sensors alone"
        yield from beyond(error_deg, ANGLE_ERROR_DEG, "uncertain", text)
