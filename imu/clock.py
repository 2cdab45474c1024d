"""Every sensor's clock mapped onto the host's; nominal rates and gaps.

A packet can be late but never early, so a sensor's clock is the line through the *earliest*
arrivals, not through their mean, which bursts of retransmission pull late. Of all lines below
the points the one with the smallest summed delay is taken: the edge of the lower convex hull
above the mean time. Refused: a least-squares line, and the median of differences as the rate (a
lossy take at 60 Hz has a median step of 33 ms).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from imu.errors import RecordingError
from imu.recording import Recording
from imu.samples import Array, Stream

MIN_RATE_HZ = 20.0  # the 5 % onsets of a slow turn need 10 Hz of bandwidth
MIN_OVERLAP_S = 1.0
MAX_SPAN_S = 6 * 3600.0
MAX_RATE_ERROR = 0.05  # cheap sensors stamp a nominal rate that is off by up to some percent
RATE_ONE_WITHIN_S = 1.0  # see fit_clock
MAX_CHORDS = 200  # a dozen is usual; a bound against rounding
ROUNDED_ROWS, ROUNDED_SHARE = 30, 0.2  # see _unrounded_rate
GAP_S, GAP_INTERVALS = 0.1, 3.0


@dataclass(frozen=True, slots=True)
class ClockFit:
    """A sensor's clock on the host's: host = host_s + rate * (device - device_s).

    Attributes
    ----------
    device_s, host_s : float
        One instant on both clocks.
    rate : float
        Seconds of the host in one second of the sensor.
    """

    device_s: float
    host_s: float
    rate: float

    @property
    def skew_ppm(self) -> float:
        """Rate of the sensor's clock against the host's; positive where it runs fast."""
        return (1.0 / self.rate - 1.0) * 1e6

    def to_host(self, time_s: Array) -> Array:
        """Turn times by the sensor's clock into times by the host's."""
        host: Array = self.host_s + self.rate * (time_s - self.device_s)
        return host


@dataclass(frozen=True, slots=True)
class Gaps:
    """What is missing between a sensor's first and last sample.

    Attributes
    ----------
    lost : int
        Samples missing against the nominal rate.
    longest_s : float
        Longest time between two samples.
    count : int
        Gaps longer than 0.1 s, or than 3 intervals where that is longer.
    """

    lost: int
    longest_s: float
    count: int


@dataclass(frozen=True, slots=True, eq=False)
class AlignedSet:
    """A set on one clock.

    Attributes
    ----------
    streams : Mapping of str to Stream
        By segment; ``time_s`` on the set's common time, 0 at its first sample.
    fits : Mapping of str to ClockFit or None
        How each clock was mapped; None where all ``time_s`` were of one clock already.
    """

    streams: Mapping[str, Stream]
    fits: Mapping[str, ClockFit | None]


def fit_clock(time_s: Array, arrival_s: Array) -> ClockFit:
    """Map a sensor's clock onto the host's by the line below all arrivals.

    Parameters
    ----------
    time_s : ndarray, shape (n,)
        By the sensor's clock, n >= 1.
    arrival_s : ndarray, shape (n,)
        When the host received each sample.

    Returns
    -------
    ClockFit
        No delay against it is negative. The smallest delay itself cannot be seen: it stays in
        the offset, alike for sensors of one kind.

    Notes
    -----
    The sum of delays is a convex function of the rate, and ``RATE_ONE_WITHIN_S * n * |rate - 1|``
    is added to it: takes shorter than twice that time keep the rate 1 exactly, since a second of
    arrivals tells milliseconds of offset but nothing of a skew; takes of a minute do not notice.

    Examples
    --------
    >>> fit = fit_clock(np.array([0.0, 10.0, 20.0, 30.0]), np.array([5.0, 15.3, 25.0, 35.0]))
    >>> float(fit.to_host(np.array(10.0))), fit.rate
    (15.0, 1.0)
    """
    device, host = time_s - time_s[0], arrival_s - arrival_s[0]
    delay = host - device
    middle = float(device.mean())
    slowest = _edge_slope(device, delay, middle - RATE_ONE_WITHIN_S)
    fastest = _edge_slope(device, delay, middle + RATE_ONE_WITHIN_S)
    excess = min(max(0.0, slowest), fastest)
    earliest = float((delay - excess * device).min())
    return ClockFit(float(time_s[0]), float(arrival_s[0]) + earliest, 1.0 + excess)


def _edge_slope(x: Array, y: Array, at: float) -> float:
    """Slope of the lower convex hull of points at one abscissa; infinite beyond its ends.

    Walks to the edge from any chord across: the point furthest below the chord replaces the end
    on its side, until none is below.
    """
    left = np.flatnonzero(x < at)
    right = np.flatnonzero(x >= at)
    if len(left) == 0 or len(right) == 0:
        return -np.inf if len(left) == 0 else np.inf
    i, k = left[y[left].argmin()], right[y[right].argmin()]
    slope = 0.0
    tolerance_s = 1e-9 + 1e-12 * float(np.abs(y).max())
    for _ in range(MAX_CHORDS):
        slope = float((y[k] - y[i]) / (x[k] - x[i]))
        below = y - slope * x
        lowest = below.argmin()
        if below[lowest] >= min(below[i], below[k]) - tolerance_s:
            break
        if x[lowest] < at:
            i = lowest
        else:
            k = lowest
    return slope


def rate_of(time_s: Array) -> float:
    """Nominal sampling rate [Hz]: the longest interval whose multiples the steps are.

    Parameters
    ----------
    time_s : ndarray, shape (n,)
        Strictly increasing, n >= 2. Samples may be missing, singly or by the packet.

    Notes
    -----
    The mean cosine of the steps' phases is 1 where every step is a whole number of intervals;
    it is searched from half to five times the median step's rate. Where the times jitter so much
    that no interval fits, the mean rate outside long gaps is returned.

    Examples
    --------
    >>> kept = np.sort(np.random.default_rng(1).choice(3000, 1200, replace=False))
    >>> round(rate_of(kept / 60.0), 6)
    60.0
    """
    steps = np.diff(time_s)
    typical = float(np.median(steps))
    near = steps[steps < 6.0 * typical]
    some = near[:: len(near) // 1001 | 1]  # an odd stride, as packets are often of two
    rates = np.arange(0.5, 5.0, 0.02) / typical
    match = np.cos(2.0 * np.pi * some[:, None] * rates).mean(axis=0)
    if match.max() < 0.5:
        return 1.0 / float(near.mean())
    best = int(np.flatnonzero(match >= match.max() - 0.1)[0])
    while best + 1 < len(match) and match[best + 1] > match[best]:
        best += 1
    intervals = np.round(near * rates[best])
    rate_hz = float((intervals**2).sum() / (intervals * near).sum())
    return _unrounded_rate(time_s, 1.0 / rate_hz) or rate_hz


def _unrounded_rate(time_s: Array, step_s: float) -> float | None:
    """Rate of samples whose times were rounded to a multiple of a step; None where they were not.

    Times rounded to whole ms look like a faster stream with losses. But losses add up, and
    rounding does not: within some windows of samples every time then lies within a step of a line.
    """
    windows = time_s[: len(time_s) // ROUNDED_ROWS * ROUNDED_ROWS].reshape(-1, ROUNDED_ROWS)
    windows = windows[:: len(windows) // 200 + 1]
    if len(windows) == 0 or np.median(np.diff(time_s)) < 1.3 * step_s:
        return None
    at = np.arange(ROUNDED_ROWS) - 0.5 * (ROUNDED_ROWS - 1)
    slopes = (windows - windows.mean(axis=1, keepdims=True)) @ at / (at @ at)
    off = windows - windows.mean(axis=1, keepdims=True) - slopes[:, None] * at
    even = np.ptp(off, axis=1) < 1.2 * step_s
    steps = np.ptp(np.diff(windows, axis=1), axis=1) > 0.5 * step_s
    if (even & steps).mean() < ROUNDED_SHARE:
        return None
    return 1.0 / float(np.median(slopes[even]))


def gaps_of(time_s: Array, rate_hz: float) -> Gaps:
    """Count what is missing against a nominal rate.

    Parameters
    ----------
    time_s : ndarray, shape (n,)
        Strictly increasing, n >= 2.
    rate_hz : float
        Nominal rate, see `rate_of`.
    """
    steps = np.diff(time_s)
    lost = int(np.maximum(np.round(steps * rate_hz) - 1.0, 0.0).sum())
    limit_s = max(GAP_S, GAP_INTERVALS / rate_hz)
    # a hair above, so that a step of exactly the limit is not a gap by rounding
    return Gaps(lost, float(steps.max()), int((steps > limit_s * (1.0 + 1e-6)).sum()))


def align(recording: Recording) -> AlignedSet:
    """Put all sensors of a set on one clock.

    Returns
    -------
    AlignedSet
        With ``arrival_s`` on the host's clock; without, the times are of one clock already.
        Either way 0 is the set's first sample, of whichever sensor.

    Raises
    ------
    RecordingError
        ``arrival_s`` for some sensors only; arrivals that do not go with the times; a sensor
        with too few samples or below 20 Hz; pelvis and thigh that do not overlap in time.
    """
    streams = recording.streams
    having = [name for name, stream in streams.items() if stream.arrival_s is not None]
    if having and len(having) < len(streams):
        missing = sorted(set(streams) - set(having))[0]
        raise RecordingError(
            f"{recording.source}, {missing}",
            f"arrival_s is given for {having[0]} only",
            "Give it for every sensor or for none.",
        )
    fits: dict[str, ClockFit | None] = {}
    times: dict[str, Array] = {}
    for name, stream in streams.items():
        where = f"{recording.source}, {name}"
        _refuse_slow(stream.time_s, where)
        fits[name], times[name] = _on_host(stream, where)
    _refuse_apart(times, recording.source)
    first_s = min(float(time_s[0]) for time_s in times.values())
    aligned = {name: replace(s, time_s=times[name] - first_s) for name, s in streams.items()}
    return AlignedSet(aligned, fits)


def fit_plausible_clock(time_s: Array, arrival_s: Array, where: str) -> ClockFit:
    """Fit a clock as `fit_clock` does, and refuse one that no sensor has.

    Raises
    ------
    RecordingError
        The rate is off by more than 5 %: one of the columns is not what its name says.
    """
    fit = fit_clock(time_s, arrival_s)
    if abs(fit.rate - 1.0) > MAX_RATE_ERROR:
        raise RecordingError(
            where,
            f"arrival_s advances {fit.rate:.3g} s in 1 s of time_s",
            "Both are in seconds, by two clocks; check which columns were written.",
        )
    return fit


def _on_host(stream: Stream, where: str) -> tuple[ClockFit | None, Array]:
    """Map one stream's times onto the host's clock, where arrivals are given."""
    if stream.arrival_s is None:
        return None, stream.time_s
    fit = fit_plausible_clock(stream.time_s, stream.arrival_s, where)
    return fit, fit.to_host(stream.time_s)


def _refuse_slow(time_s: Array, where: str) -> None:
    """Refuse a stream too short or too slow to be analysed."""
    span_s = float(time_s[-1] - time_s[0]) if len(time_s) else 0.0
    if len(time_s) < 3 or (span_s < MIN_OVERLAP_S and len(time_s) < MIN_RATE_HZ):
        found = f"{len(time_s)} samples over {span_s:.3g} s"
        raise RecordingError(where, found, "Record the whole set again.")
    rate_hz = rate_of(time_s)
    if rate_hz >= 0.99 * MIN_RATE_HZ:  # a 20 Hz sensor whose clock runs a little slow
        return
    remedy = f"At least {MIN_RATE_HZ:.0f} Hz are needed; set a higher rate and record again."
    for factor, unit in ((1e3, "milliseconds"), (1e6, "microseconds")):
        if MIN_RATE_HZ <= rate_hz * factor <= 4000.0:
            remedy = f"If time_s is in {unit}, divide it by {factor:.0f}."
    raise RecordingError(where, f"the rate is {rate_hz:.3g} Hz by time_s", remedy)


def _refuse_apart(times: Mapping[str, Array], source: str) -> None:
    """Refuse sensors that did not measure at the same time."""
    needed = ("pelvis", "thigh" if "thigh" in times else "shank")  # a third one may be off
    measured = [times[name] for name in needed]
    start_s = max(float(time_s[0]) for time_s in measured)
    end_s = min(float(time_s[-1]) for time_s in measured)
    if end_s - start_s >= MIN_OVERLAP_S:
        return
    spans = ", ".join(f"{name} {t[0]:.1f} to {t[-1]:.1f} s" for name, t in sorted(times.items()))
    raise RecordingError(
        source,
        f"the sensors were not measuring at the same time ({spans})",
        "If each has its own clock, record arrival_s too; else record again.",
    )
