"""Streams on the common clock -> both sensors on one even time grid; gaps known.

Rates are integrated at the sensor's own instants and read off on the grid, so that any native
rate, jitter and lost samples give the same angle, and faster sensors are averaged, not picked.
Short gaps are bridged by a cubic fitted to the samples on both sides, and stay marked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.errors import AnalysisError
from analysis.motion.quaternions import cross
from imu.samples import Stream

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

GRID_HZ = 50.0  # 20 ms, interpolated, resolve the phases of a 1 s repetition
BRIDGED_FROM_S = 0.1  # a pause between samples longer than this is a gap, bridged and marked
LOST_AFTER_S = 0.5  # a longer gap loses the orientation; it is found anew behind it
BRIDGE_SUPPORT_S = 0.25  # samples this far on both sides of a gap shape its bridge


@dataclass(frozen=True, slots=True, eq=False)
class EvenStream:
    """One sensor on the grid: m instants, sensor axes.

    Attributes
    ----------
    segment : str
        ``pelvis``, ``thigh`` or ``shank``.
    turn_rad : ndarray, shape (m, 3)
        Rate integrated from the previous instant to this one [rad]; the first row is 0.
    acc_ms2 : ndarray, shape (m, 3)
        Specific force averaged around each instant, in the sensor axes of that instant.
    measured : ndarray of bool, shape (m,)
        False inside gaps.
    lost : ndarray of bool, shape (m,)
        True inside gaps longer than `LOST_AFTER_S`.
    gaps_s : ndarray, shape (k, 2)
        Start and end of each gap longer than `BRIDGED_FROM_S`.
    """

    segment: str
    turn_rad: Array
    acc_ms2: Array
    measured: Mask
    lost: Mask
    gaps_s: Array


@dataclass(frozen=True, slots=True, eq=False)
class EvenSet:
    """Pelvis and leg on one grid.

    Attributes
    ----------
    time_s : ndarray, shape (m,)
        Even grid on the set's common time; it covers where both sensors measured.
    pelvis, thigh : EvenStream
        On that grid. The thigh's is that of whichever sensor follows the femur: with the knee kept
        bent the shank turns with it, and one on the shank takes this place.
    """

    time_s: Array
    pelvis: EvenStream
    thigh: EvenStream

    @property
    def leg(self) -> str:
        """Where the sensor that follows the femur sits: ``thigh`` or ``shank``."""
        return self.thigh.segment

    @property
    def measured(self) -> Mask:
        """Where both sensors measured, shape (m,)."""
        return self.pelvis.measured & self.thigh.measured

    @property
    def gaps_s(self) -> Array:
        """All gaps of both sensors, shape (k, 2)."""
        return np.concatenate([self.pelvis.gaps_s, self.thigh.gaps_s])


def grid_span(begin_s: float, end_s: float) -> slice:
    """Grid instants from the one nearest to ``begin_s`` to the one nearest to ``end_s``.

    Times from the grid's first instant; both ends are included.

    >>> grid_span(1.004, 1.05)
    slice(50, 53, None)
    """
    return slice(round(begin_s * GRID_HZ), round(end_s * GRID_HZ) + 1)


def resample_set(streams: Mapping[str, Stream], where: str, leg: str = "thigh") -> EvenSet:
    """Put pelvis and leg on one even grid over the time both of them cover.

    Parameters
    ----------
    streams : Mapping of str to Stream
        By segment, on the common clock.
    where : str
        The file, for messages.
    leg : str
        ``thigh`` or ``shank``: the sensor that follows the femur.

    Raises
    ------
    AnalysisError
        The sensors do not overlap for at least 3 s.
    """
    pelvis, thigh = streams["pelvis"], streams[leg]
    first = max(pelvis.time_s[0], thigh.time_s[0])
    last = min(pelvis.time_s[-1], thigh.time_s[-1])
    if last - first < 3.0:
        raise AnalysisError(
            where,
            f"pelvis and {leg} overlap for {max(last - first, 0.0):.1f} s, expected 3 s or more",
            "Record both sensors at the same time.",
        )
    start = np.ceil(first * GRID_HZ)
    time_s = np.arange(start, np.floor(last * GRID_HZ) + 1) / GRID_HZ
    return EvenSet(time_s, resample(pelvis, time_s), resample(thigh, time_s))


def resample(stream: Stream, time_s: Array) -> EvenStream:
    """Put one sensor on an even grid that its samples cover.

    Parameters
    ----------
    stream : Stream
        On the common clock.
    time_s : ndarray, shape (m,)
        The grid.
    """
    gaps_s = find_gaps(stream.time_s)
    native_s, values = _bridge(stream, gaps_s)
    steps = np.diff(native_s)[:, None]
    areas = np.cumsum(0.5 * (values[1:] + values[:-1]) * steps, axis=0)
    integral = np.vstack([np.zeros(6), areas])
    half_s = 0.5 / GRID_HZ
    edges_s = np.concatenate([time_s - half_s, time_s[-1:] + half_s])
    edges_s = np.clip(edges_s, native_s[0], native_s[-1])
    angle = _hermite(time_s, native_s, integral[:, 3:], values[:, 3:])
    force = _force(time_s, edges_s, native_s, integral)
    turn = np.diff(angle, axis=0, prepend=angle[:1]) + _coning(time_s, native_s, integral[:, 3:])
    lost_s = gaps_s[np.diff(gaps_s, axis=1)[:, 0] > LOST_AFTER_S]
    return EvenStream(
        stream.segment, turn, force, ~_inside(time_s, gaps_s), _inside(time_s, lost_s), gaps_s
    )


def _force(time_s: Array, edges_s: Array, native_s: Array, integral: Array) -> Array:
    """Specific force averaged around each instant, in the sensor axes of that instant, (m, 3).

    A sensor that turns while it accelerates would leave some of the acceleration in the mean of its
    readings (sculling); so each reading is first turned by how far the sensor is from its
    orientation at the instant, to first order.
    """
    impulse, angle = integral[:, :3], integral[:, 3:]
    pushed, turned = np.diff(impulse, axis=0), np.diff(angle, axis=0)
    linear, square = cross(angle[:-1], pushed), 0.5 * cross(turned, pushed)
    total = np.vstack([np.zeros(3), np.cumsum(linear + square, axis=0)])
    k = np.clip(np.searchsorted(native_s, edges_s, "right") - 1, 0, len(pushed) - 1)
    share = ((edges_s - native_s[k]) / (native_s[k + 1] - native_s[k]))[:, None]
    swung = np.diff(total[k] + share * (linear[k] + share * square[k]), axis=0)
    push = np.diff(impulse[k] + share * pushed[k], axis=0)
    at = np.column_stack([np.interp(time_s, native_s, column) for column in angle.T])
    force: Array = (push + swung - cross(at, push)) / np.diff(edges_s)[:, None]
    return force


def _coning(time_s: Array, native_s: Array, integral: Array) -> Array:
    """What the order of turns within each grid step adds to their sum, shape (m, 3) [rad].

    Half the integral of (turn so far) x rate (Bortz 1971, IEEE Trans Aerosp Electron Syst 7:61):
    a sensor that turns fast about changing axes ends up elsewhere than the sum of its turns.
    """
    swept = np.cumsum(cross(integral[:-1], np.diff(integral, axis=0)), axis=0)
    courses = np.hstack([integral, np.vstack([np.zeros(3), swept])])
    read = np.column_stack([np.interp(time_s, native_s, column) for column in courses.T])
    angle, total = read[:, :3], read[:, 3:]
    step = np.diff(total, axis=0) - cross(angle[:-1], np.diff(angle, axis=0))
    return np.vstack([np.zeros(3), 0.5 * step])


def _hermite(at: Array, points: Array, values: Array, slopes: Array) -> Array:
    """Cubic through values (n, 3) with slopes (n, 3) at points (n,), read off at (m,)."""
    k = np.clip(np.searchsorted(points, at, "right") - 1, 0, len(points) - 2)
    width = (points[k + 1] - points[k])[:, None]
    s = (at - points[k])[:, None] / width
    rise = values[k + 1] - values[k]
    early, late = width * slopes[k] - rise, rise - width * slopes[k + 1]
    cubic: Array = values[k] + s * (rise + (1.0 - s) * ((1.0 - s) * early + s * late))
    return cubic


def find_gaps(time_s: Array, longer_than_s: float = BRIDGED_FROM_S) -> Array:
    """Start and end of every pause between samples longer than a limit, shape (k, 2)."""
    at = np.flatnonzero(np.diff(time_s) > longer_than_s)
    return np.column_stack([time_s[at], time_s[at + 1]])


def _inside(time_s: Array, spans_s: Array) -> Mask:
    """Which instants (m,) lie strictly inside any of the spans (k, 2)."""
    inside = np.zeros(len(time_s), dtype=bool)
    for begin, end in spans_s:
        inside[np.searchsorted(time_s, begin, "right") : np.searchsorted(time_s, end)] = True
    return inside


def _bridge(stream: Stream, gaps_s: Array) -> tuple[Array, Array]:
    """Samples (acc, gyr) with every gap filled at 50 Hz by a cubic through its surroundings."""
    time_s = stream.time_s
    values = np.hstack([stream.acc_ms2, stream.gyr_rads])
    times, rows = [time_s], [values]
    for begin, end in gaps_s:
        fill_s = np.arange(begin + 0.02, end - 0.01, 0.02)
        low = np.searchsorted(time_s, begin - BRIDGE_SUPPORT_S)
        high = np.searchsorted(time_s, end + BRIDGE_SUPPORT_S, "right")
        if end - begin > 1.0 or high - low < 8:  # too long to shape: a straight line
            support_s, support = (
                np.array([begin, end]),
                values[np.searchsorted(time_s, [begin, end])],
            )
            degree = 1
        else:
            support_s, support, degree = time_s[low:high], values[low:high], 3
        middle, scale = 0.5 * (begin + end), 0.5 * (end - begin) + BRIDGE_SUPPORT_S
        powers = np.vander((support_s - middle) / scale, degree + 1)
        coefficients = np.linalg.lstsq(powers, support, rcond=None)[0]
        times.append(fill_s)
        rows.append(np.vander((fill_s - middle) / scale, degree + 1) @ coefficients)
    if len(times) == 1:
        return time_s, values
    merged = np.concatenate(times)
    order = np.argsort(merged, kind="stable")
    return merged[order], np.concatenate(rows)[order]
