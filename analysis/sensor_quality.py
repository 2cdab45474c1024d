"""One sensor's samples -> what they look like, and what speaks against them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.motion.plausibility import gyroscope_against_gravity, rest_ms2
from analysis.reasons import Reason, beyond
from imu.clock import AlignedSet, ClockFit, gaps_of, rate_of
from imu.samples import Array, Stream
from imu.units import RAD_PER_DEG, STANDARD_GRAVITY_MS2

# (fair above, poor above)
LOST_PERCENT = (5.0, 20.0)  # single losses are bridged well; every fifth is a bad link
MAX_GAP_S = (0.5, 2.0)  # a longer one makes a repetition not counted; then several
SATURATED = (0, 20)
SKEW_PPM = (500.0, 5000.0)  # crystals keep 100; beyond 0.5 % the stamps are counted, not measured
BIAS_DEG_S = (10.0, 50.0)  # cheap sensors reach some degrees per second; bias is taken out
REST_OFF_PERCENT = (3.0, 8.0)  # scale and offset of an uncalibrated accelerometer: 2 to 3 %
GAIN_OFF_PERCENT = (7.0, 25.0)  # of 100 sound simulated sets the worst has 6 %
FAIR_RATE_HZ = 40.0  # 25 ms resolve the phases of a repetition of 1 s
FAIR_COVERED_PERCENT = 95.0
ARRIVAL_SPREAD_S = 0.03  # what a connection interval leaves open of the skew
FULL_SCALES_RADS = np.array([125, 250, 500, 1000, 2000, 4000]) * RAD_PER_DEG
FULL_SCALES_MS2 = np.array([2, 4, 8, 16, 32]) * STANDARD_GRAVITY_MS2
MIN_CLIPPED_RADS = 20.0 * RAD_PER_DEG
MIN_CLIPPED_MS2 = 1.2 * STANDARD_GRAVITY_MS2


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
        (stream.acc_ms2, FULL_SCALES_MS2, MIN_CLIPPED_MS2),
        (stream.gyr_rads, FULL_SCALES_RADS, MIN_CLIPPED_RADS),
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


def coverage_reasons(aligned: AlignedSet) -> Iterator[Reason]:
    """What speaks against a sensor that measured for part of the set only."""
    spans = {name: float(s.time_s[-1] - s.time_s[0]) for name, s in aligned.streams.items()}
    longest = max(spans.values())
    for name in spans:
        if 100.0 * spans[name] < FAIR_COVERED_PERCENT * longest:
            text = f"{name}: measured for {spans[name]:.1f} of {longest:.1f} s only"
            yield Reason("fair", "coverage", text)


def sensor_reasons(sensor: SensorQuality, stream: Stream) -> Iterator[Reason]:
    """What speaks against one sensor."""
    name = sensor.segment
    if sensor.rate_hz < FAIR_RATE_HZ:
        text = f"{name}: {sensor.rate_hz:.0f} Hz make short phases uncertain; use 60 Hz"
        yield Reason("fair", "low_rate", text)
    text = f"{name}: {sensor.lost_percent:.0f} % of the samples are missing"
    yield from beyond(sensor.lost_percent, LOST_PERCENT, "losses", text)
    text = f"{name}: no sample for {sensor.longest_gap_s:.1f} s"
    yield from beyond(sensor.longest_gap_s, MAX_GAP_S, "gap", text)
    text = f"{name}: {sensor.saturated} samples at full scale; choose a larger range"
    yield from beyond(sensor.saturated, SATURATED, "clipped", text)
    if stream.faults.restarts:
        text = f"{name}: its clock restarted during the set; placed by arrival_s"
        yield Reason("fair", "clock", text)
    bias_deg_s = sensor.bias_deg_s or 0.0
    text = f"{name}: a gyroscope bias of {bias_deg_s:.0f} °/s"
    yield from beyond(bias_deg_s, BIAS_DEG_S, "bias", text)
    if sensor.clock_skew_ppm is not None:
        open_ppm = 1e6 * ARRIVAL_SPREAD_S / float(stream.time_s[-1] - stream.time_s[0])
        text = f"{name}: its clock is off by {sensor.clock_skew_ppm:.0f} ppm"
        yield from beyond(abs(sensor.clock_skew_ppm) - open_ppm, SKEW_PPM, "clock", text)
    rest = rest_ms2(stream)
    text = f"{name}: acc reads {rest:.2f} m/s² at rest, expected 9.81"
    yield from beyond(
        100.0 * abs(rest / STANDARD_GRAVITY_MS2 - 1.0), REST_OFF_PERCENT, "acc_scale", text
    )
    agreement = gyroscope_against_gravity(stream)
    if agreement.off:
        text = f"{name}: gyr and acc disagree on how it turned; check the axes and their signs"
        yield Reason("poor", "axes_odd", text)
        return
    told = 1.0 / max(agreement.gain, 1e-6)  # by the gyroscope, of what gravity shows
    off = 100.0 * (max(told, 1.0 / told) - 1.0 - 3.0 * agreement.gain_sd)
    more, clock = ("more", "fast") if told > 1.0 else ("less", "slow")
    text = (
        f"{name}: gyr tells {100.0 * abs(told - 1.0):.0f} % {more} of its turns than acc shows: "
        f"the gyroscope's scale, or a clock (time_s) too {clock}"
    )
    yield from beyond(off, GAIN_OFF_PERCENT, "scale", text)
