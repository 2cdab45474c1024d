"""Streams -> is the recording fit for analysis: per sensor and per set, with reasons.

A grade is the worst of its reasons: ``good`` where there is none, ``fair`` where the figures are
to be read with care, ``poor`` where they may be wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.errors import AnalysisError
from analysis.estimation import Estimate
from analysis.plausibility import gyroscope_against_gravity, rest_ms2
from analysis.streams import GRID_HZ, EvenSet
from imu.clock import AlignedSet, ClockFit, gaps_of, rate_of
from imu.recording import Recording
from imu.samples import Array, Stream
from imu.units import RAD_PER_DEG, STANDARD_GRAVITY_MS2

GRADES = ("good", "fair", "poor")

# (fair above, poor above)
LOST_PERCENT = (5.0, 20.0)  # single losses are bridged well; every fifth is a bad link
LONGEST_GAP_S = (0.5, 2.0)  # a longer one makes a repetition not counted; then several
SATURATED = (0, 20)
SKEW_PPM = (500.0, 5000.0)  # crystals keep 100; beyond 0.5 % the stamps are counted, not measured
BIAS_DEG_S = (10.0, 50.0)  # cheap sensors reach some degrees per second; bias is taken out
REST_OFF_PERCENT = (3.0, 8.0)  # scale and offset of an uncalibrated accelerometer: 2 to 3 %
GAIN_OFF_PERCENT = (15.0, 40.0)  # accelerations of fast turns make up to 10 %
Z_TO_LEVEL_DEG = (40.0, 60.0)  # a sacrum slopes by 10 to 30 degrees in sitting
AXIS_TO_LEVEL_DEG = (20.0, 30.0)  # the sine of it is the share of heading errors in IR
AXIS_MISSED_PERCENT = (15.0, 25.0)
ANGLE_ERROR_DEG = (2.7, 5.4)  # half and whole of what a range must change by to be seen
MOST_Z_TO_LEVEL_DEG = 70.0
FAIR_RATE_HZ = 40.0  # 25 ms resolve the phases of a repetition of 1 s
FAIR_STILL_S = 2.0  # asked for by the protocol
FAIR_COVERED_PERCENT = 95.0
ARRIVAL_SPREAD_S = 0.03  # what a connection interval leaves open of the skew

FROZEN_S = (0.25, 1.0)
FROZEN_RADS = 3.0 * RAD_PER_DEG  # a sensor at rest may well repeat itself

FULL_SCALES_RADS = np.array([125, 250, 500, 1000, 2000, 4000]) * RAD_PER_DEG
FULL_SCALES_MS2 = np.array([2, 4, 8, 16, 32]) * STANDARD_GRAVITY_MS2
LEAST_CLIPPED_RADS = 20.0 * RAD_PER_DEG
LEAST_CLIPPED_MS2 = 1.2 * STANDARD_GRAVITY_MS2

Reason = tuple[str, str]  # grade and plain sentence


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
    bias_deg_s : float or None
        Magnitude of the gyroscope bias seen in the stillness [°/s]; None where none was sought.
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
    bias_deg_s: float | None


@dataclass(frozen=True, slots=True)
class SetQuality:
    """Whether one set can be trusted, and why not.

    Attributes
    ----------
    grade : str
        ``good``, ``fair`` or ``poor``.
    reasons : tuple of str
        Plain sentences, worst first.
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
    direction, pelvis_axes : str
        Inward is ``proven``, ``assumed`` or ``doubtful``; the axes by ``lean`` or ``assumed``.
    """

    grade: str
    reasons: tuple[str, ...]
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
    direction: str = "assumed"
    pelvis_axes: str = "assumed"


def assess(
    recording: Recording,
    aligned: AlignedSet,
    even: EvenSet,
    estimate: Estimate,
    leaned: bool = False,
) -> SetQuality:
    """Grade one set.

    Parameters
    ----------
    recording : Recording
        As read: faults and cut rows.
    aligned : AlignedSet
        The same on one clock: rates, gaps, skews.
    even : EvenSet
        The same on the grid.
    estimate : Estimate
        Stillness, axis, repetitions and errors.
    leaned : bool
        Whether the pelvis axes came from a trunk lean, not from the sensor's +z.

    Raises
    ------
    AnalysisError
        The pelvis sensor's +z points up or down, so it cannot point backward.
    """
    z_deg = float(np.rad2deg(estimate.pelvis_z_to_level_rad))
    if not leaned:
        _refuse_upright(z_deg, recording.source)
    still = _still_s(estimate, float(even.time_s[-1] - even.time_s[0]))
    biases = {"pelvis": estimate.pelvis.bias_rads, "thigh": estimate.thigh.bias_rads}
    sensors = {
        name: sensor_quality(stream, aligned.fits[name], still, biases.get(name))
        for name, stream in aligned.streams.items()
    }
    reasons = [
        *_set_reasons(recording, estimate, z_deg, still[0], leaned),
        *_coverage_reasons(aligned),
    ]
    for name in ("pelvis", "thigh"):  # the shank enters no angle
        reasons += _sensor_reasons(sensors[name], aligned.streams[name])
    reasons.sort(key=lambda reason: -GRADES.index(reason[0]))
    errors = _angle_errors_deg(estimate)
    return SetQuality(
        grade=reasons[0][0] if reasons else "good",
        reasons=tuple(text for _, text in reasons),
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
        direction="assumed" if still[0] >= FAIR_STILL_S else "doubtful",
        pelvis_axes="lean" if leaned else "assumed",
    )


def worst_grade(grades: Iterable[str]) -> str:
    """Return the worst of several grades."""
    return max(grades, key=GRADES.index)


def _refuse_upright(z_deg: float, source: str) -> None:
    """Refuse a pelvis sensor whose +z points up or down."""
    if z_deg > MOST_Z_TO_LEVEL_DEG:
        raise AnalysisError(
            f"{source}, pelvis",
            f"the sensor's +z axis is {z_deg:.0f} degrees from level, expected to point backward",
            "Wear it flat on the sacrum, +z away from the body, or record a calibration.csv.",
        )


def sensor_quality(
    stream: Stream, fit: ClockFit | None, still_s: tuple[float, float], bias_rads: Array | None
) -> SensorQuality:
    """Describe one sensor's samples.

    Parameters
    ----------
    stream : Stream
        On the common clock.
    fit : ClockFit or None
        How its clock was mapped.
    still_s : tuple of float
        Length of the stillness before the first and after the last movement.
    bias_rads : ndarray, shape (3,), or None
        Bias of its gyroscope; None where none was sought.
    """
    rate_hz = rate_of(stream.time_s)
    gaps = gaps_of(stream.time_s, rate_hz)
    samples = len(stream.time_s)
    bias_deg_s = None if bias_rads is None else float(np.linalg.norm(bias_rads)) / RAD_PER_DEG
    return SensorQuality(
        segment=stream.segment,
        samples=samples,
        rate_hz=rate_hz,
        lost_percent=100.0 * gaps.lost / (gaps.lost + samples),
        longest_gap_s=gaps.longest_s,
        gaps=gaps.count,
        duplicates=stream.faults.duplicates,
        steps_back=stream.faults.steps_back,
        clock_skew_ppm=None if fit is None else fit.skew_ppm,
        saturated=count_saturated(stream),
        still_start_s=still_s[0],
        still_end_s=still_s[1],
        bias_deg_s=bias_deg_s,
    )


def count_saturated(stream: Stream) -> int:
    """Count the samples at full scale, on any axis.

    Full scale is a known one, to 0.1 %, or an axis' own largest value, if the signal runs into
    it steeply and keeps it for three samples or more: a slow peak, rounded to the sensor's steps,
    keeps its largest value too.
    """
    clipped = np.zeros(len(stream.time_s), dtype=bool)
    kinds = (
        (stream.acc_ms2, FULL_SCALES_MS2, LEAST_CLIPPED_MS2),
        (stream.gyr_rads, FULL_SCALES_RADS, LEAST_CLIPPED_RADS),
    )
    for values, full_scales, least in kinds:
        for axis in values.T:
            for signed in (axis, -axis):
                clipped |= _clipped(signed, full_scales, least)
    return int(clipped.sum())


def _clipped(values: Array, full_scales: Array, least: float) -> NDArray[np.bool_]:
    """Which values are cut off at their largest, shape (n,)."""
    top = float(values.max())
    at_top = values >= top - 1e-6 * abs(top)
    if top >= least and (np.abs(full_scales / top - 1.0) < 1e-3).any():
        return at_top
    if top < least:
        return np.zeros(len(values), dtype=bool)
    edges = np.flatnonzero(np.diff(at_top.astype(np.int8), prepend=0, append=0)).reshape(-1, 2)
    held = edges[np.diff(edges, axis=1)[:, 0] >= 3]
    step = float(np.diff(np.unique(values)).min(initial=np.inf)) if len(held) else np.inf
    for first, last in held:
        before, after = values[max(first - 3, 0)], values[min(last + 2, len(values) - 1)]
        drop = top - 0.5 * (before + after)
        round_top = 4.0 * step * ((last - first + 6) / (last - first)) ** 2  # of a parabola
        if drop > max(0.01 * top, round_top):
            return at_top
    return np.zeros(len(values), dtype=bool)


def longest_frozen_s(stream: Stream) -> float:
    """Longest time a sensor repeated the same values though it turned [s]."""
    same = np.ones(len(stream.time_s) - 1, dtype=bool)
    for axis in (*stream.acc_ms2.T, *stream.gyr_rads.T):
        same &= axis[1:] == axis[:-1]
        if not same.any():
            return 0.0
    turning = np.linalg.norm(stream.gyr_rads - np.median(stream.gyr_rads, axis=0), axis=1)
    same &= turning[1:] > FROZEN_RADS
    edges = np.flatnonzero(np.diff(same.astype(np.int8), prepend=0, append=0)).reshape(-1, 2)
    return float(np.diff(stream.time_s[edges], axis=1).max(initial=0.0))


def _still_s(estimate: Estimate, end_s: float) -> tuple[float, float]:
    """Length of the stillness before the first and after the last movement."""
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
        error.tilt_deg(lasted_s, 0.0),
        error.rotation_deg(lasted_s, 0.0),
    )


def _beyond(value: float, limits: tuple[float, float], text: str) -> Iterator[Reason]:
    """Give a reason where a value lies beyond the first limit, a worse one beyond the second."""
    if value > limits[0]:
        yield ("poor" if value > limits[1] else "fair"), text


def _set_reasons(
    recording: Recording, estimate: Estimate, z_deg: float, still_s: float, leaned: bool
) -> Iterator[Reason]:
    """What speaks against the set as a whole."""
    if still_s < FAIR_STILL_S:
        yield "fair", f"only {still_s:.1f} s of stillness before the first turn; sit still for 3 s"
    if estimate.left_out:
        movements = "movement" if estimate.left_out == 1 else "movements"
        text = f"{estimate.left_out} {movements} before or after the set left out, unlike the rest"
        yield "good", text
    if recording.cut_rows:
        yield "fair", "the file ends in the middle of a line, so the set may be incomplete"
    if not leaned:
        text = f"the pelvis sensor's +z is {z_deg:.0f}° from level; it should point backward"
        yield from _beyond(z_deg, Z_TO_LEVEL_DEG, text)
    level_deg = float(np.rad2deg(estimate.axis_to_level_rad))
    text = f"the thigh's axis is {level_deg:.0f}° from level, so heading errors leak into IR"
    yield from _beyond(level_deg, AXIS_TO_LEVEL_DEG, text)
    missed = 100.0 * (1.0 - estimate.axis_explained)
    text = f"one axis explains only {100.0 - missed:.0f} % of how the thigh turned"
    yield from _beyond(missed, AXIS_MISSED_PERCENT, text)
    ir_deg, _, rotation_deg = _angle_errors_deg(estimate)
    for name, error_deg in (("internal rotation", ir_deg), ("pelvis rotation", rotation_deg)):
        text = f"{name} is uncertain by {error_deg:.1f}° by the sensors alone"
        yield from _beyond(error_deg, ANGLE_ERROR_DEG, text)


def _coverage_reasons(aligned: AlignedSet) -> Iterator[Reason]:
    """What speaks against a sensor that measured for part of the set only."""
    spans = {name: float(s.time_s[-1] - s.time_s[0]) for name, s in aligned.streams.items()}
    longest = max(spans.values())
    for name in ("pelvis", "thigh"):
        if 100.0 * spans[name] < FAIR_COVERED_PERCENT * longest:
            yield "fair", f"{name}: measured for {spans[name]:.1f} of {longest:.1f} s only"


def _sensor_reasons(sensor: SensorQuality, stream: Stream) -> Iterator[Reason]:
    """What speaks against one sensor."""
    name = sensor.segment
    if sensor.rate_hz < FAIR_RATE_HZ:
        yield "fair", f"{name}: {sensor.rate_hz:.0f} Hz make short phases uncertain; use 60 Hz"
    text = f"{name}: {sensor.lost_percent:.0f} % of the samples are missing"
    yield from _beyond(sensor.lost_percent, LOST_PERCENT, text)
    text = f"{name}: no sample for {sensor.longest_gap_s:.1f} s"
    yield from _beyond(sensor.longest_gap_s, LONGEST_GAP_S, text)
    text = f"{name}: {sensor.saturated} samples at full scale; choose a larger range"
    yield from _beyond(sensor.saturated, SATURATED, text)
    if stream.faults.restarts:
        yield "fair", f"{name}: its clock restarted during the set; placed by arrival_s"
    bias_deg_s = sensor.bias_deg_s or 0.0
    text = f"{name}: a gyroscope bias of {bias_deg_s:.0f} °/s"
    yield from _beyond(bias_deg_s, BIAS_DEG_S, text)
    if sensor.clock_skew_ppm is not None:
        open_ppm = 1e6 * ARRIVAL_SPREAD_S / float(stream.time_s[-1] - stream.time_s[0])
        text = f"{name}: its clock is off by {sensor.clock_skew_ppm:.0f} ppm"
        yield from _beyond(abs(sensor.clock_skew_ppm) - open_ppm, SKEW_PPM, text)
    rest = rest_ms2(stream)
    text = f"{name}: acc reads {rest:.2f} m/s² at rest, expected 9.81"
    yield from _beyond(100.0 * abs(rest / STANDARD_GRAVITY_MS2 - 1.0), REST_OFF_PERCENT, text)
    frozen_s = longest_frozen_s(stream)
    text = f"{name}: the same values for {frozen_s:.1f} s while it turned"
    yield from _beyond(frozen_s, FROZEN_S, text)
    agreement = gyroscope_against_gravity(stream)
    off = 100.0 * (abs(agreement.gain - 1.0) - 3.0 * agreement.gain_sd)
    text = f"{name}: gyr and acc disagree on its turns by {max(off, 0.0):.0f} %"
    yield from _beyond(off, GAIN_OFF_PERCENT, text)
