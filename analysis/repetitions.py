"""IR angle -> repetitions with their phases.

A repetition is an inward excursion that rises far above the neutral before it and comes back
most of the way. Its size limit follows the set (people turn 6 or 60 degrees), its neutral follows
the person from repetition to repetition, and levels rather than stops decide what belongs to it:
a pause half-way in, a bounce at the end range and an overshoot past neutral leave its limits
where they are. The limits are then read off the speed by the 5 % rule. The speed comes from a
local polynomial of fourth degree, whose smoothing leaves any cubic course of the speed
untouched (Savitzky & Golay 1964): an onset that grows with the square of time is not moved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks, savgol_filter

from analysis.streams import GRID_HZ

Array = NDArray[np.float64]

TWITCH_DEG = 4.5  # smaller excursions are no repetitions
LARGEST_LIMIT_DEG = 12.0  # whatever the set's size, an excursion this large is one
SIZE_SHARE = 0.4  # of the set's typical excursion, between these two
NEAR = 0.15  # share of the range that counts as near the neutral and near the end range
SPEED_SHARE = 0.05  # the 5 % rule
WINDOW_SHARE = 0.25  # smoothing window, of the phase's duration
WINDOW_S = (0.15, 1.0)  # its limits
FIRST_WINDOW_S = 0.25


@dataclass(frozen=True, slots=True)
class Phases:
    """One repetition on the grid; times in s from the grid's first instant.

    Attributes
    ----------
    start_s, hold_start_s, hold_end_s, end_s : float
        By the 5 % rule; for a broken-off repetition the later ones may be NaN and the end is the
        recording's.
    peak_inward_rads, peak_return_rads : float
        Largest speeds of both phases [rad/s], magnitudes; NaN where the phase is missing.
    broken_off : bool
        The recording ended before the return did.
    """

    start_s: float
    hold_start_s: float
    hold_end_s: float
    end_s: float
    peak_inward_rads: float
    peak_return_rads: float
    broken_off: bool


def find_repetitions(ir_rad: Array, first: int) -> list[Phases]:
    """Find the repetitions of a set.

    Parameters
    ----------
    ir_rad : ndarray, shape (m,)
        Internal rotation on the grid, 0 at neutral [rad].
    first : int
        Grid index where the neutral stillness ends; nothing before it counts.

    Returns
    -------
    list of Phases
        In order of time.
    """
    found = []
    neutral = float(ir_rad[first])
    for excursion in _excursions(ir_rad, first):
        phases = _limit(ir_rad, excursion, neutral)
        if phases is not None:
            found.append(phases)
            neutral = float(ir_rad[int(phases.start_s * GRID_HZ)])
    return found


def speed(ir_rad: Array, window_s: float) -> Array:
    """IR speed (m,) [rad/s]: derivative of a local polynomial of fourth degree."""
    size = 2 * round(0.5 * window_s * GRID_HZ) + 1
    size = max(min(size, (len(ir_rad) - 1) // 2 * 2 - 1), 7)
    result: Array = savgol_filter(ir_rad, size, 4, deriv=1, delta=1.0 / GRID_HZ)
    return result


def phase_window_s(duration_s: float) -> float:
    """Smoothing window for the speed of a phase of some duration [s]."""
    return float(np.clip(WINDOW_SHARE * duration_s, *WINDOW_S))


class _Excursion(NamedTuple):
    """Grid indices: the top, and the neighbouring tops (or the ends of the course)."""

    low: int
    top: int
    high: int


class _Phase(NamedTuple):
    """One turn: where it begins and ends [grid steps, with fractions], and its peak speed."""

    begin: float
    end: float
    peak_rads: float


def _excursions(ir_rad: Array, first: int) -> list[_Excursion]:
    """Candidates: tops that rise and fall by enough of the set's typical excursion."""
    course = np.rad2deg(ir_rad[first:])
    tops, properties = find_peaks(course, prominence=TWITCH_DEG)
    prominence = properties["prominences"]
    limit = TWITCH_DEG
    if len(tops):
        limit = float(np.clip(SIZE_SHARE * np.median(prominence), TWITCH_DEG, LARGEST_LIMIT_DEG))
    tops = tops[prominence >= limit]
    tail = _unfinished(course, int(tops[-1]) if len(tops) else 0, limit)
    if tail is not None:
        tops = np.append(tops, tail)
    bounds = np.concatenate([[0], tops, [len(course) - 1]]) + first
    return [_Excursion(*(int(i) for i in bounds[k : k + 3])) for k in range(len(tops))]


def _unfinished(course: Array, begin: int, limit: float) -> int | None:
    """Top of an excursion that the end of the recording cut off."""
    valley = begin + int(np.argmin(course[begin:]))
    top = valley + int(np.argmax(course[valley:]))
    return top if course[top] - max(course[valley], course[0]) >= limit else None


def _limit(ir: Array, excursion: _Excursion, neutral: float) -> Phases | None:
    """Phases of one excursion; None where it does not rise far enough above the neutral."""
    low, top, high = excursion
    base = max(float(ir[low : top + 1].min()), min(neutral, float(ir[top])))
    rise = float(ir[top]) - base
    if rise < np.deg2rad(TWITCH_DEG):
        return None
    leave = low + _last(ir[low : top + 1] < base + NEAR * rise)
    arrive = leave + _first(ir[leave : top + 1] > ir[top] - NEAR * rise)
    inward = _phase(ir[low : high + 1], leave - low, arrive - low)
    back = max(float(ir[top : high + 1].min()), base)
    drop = float(ir[top]) - back
    if high == len(ir) - 1 and drop < 0.5 * rise:
        return _broken_off(inward, low, high)
    near = top + _first(ir[top : high + 1] < back + NEAR * drop)
    far = top + _last(ir[top : near + 1] > ir[top] - NEAR * drop)
    outward = _phase(-ir[low : high + 1], far - low, near - low)
    ended = low + outward.end < len(ir) - 1
    return Phases(
        start_s=(low + inward.begin) / GRID_HZ,
        hold_start_s=(low + inward.end) / GRID_HZ,
        hold_end_s=(low + max(inward.end, outward.begin)) / GRID_HZ,
        end_s=(low + outward.end) / GRID_HZ,
        peak_inward_rads=inward.peak_rads,
        peak_return_rads=outward.peak_rads,
        broken_off=not ended,
    )


def _broken_off(inward: _Phase, low: int, high: int) -> Phases:
    """Phases of a repetition whose return was not recorded."""
    held = low + inward.end < high
    hold_s = (low + inward.end) / GRID_HZ if held else np.nan
    start_s = (low + inward.begin) / GRID_HZ
    return Phases(start_s, hold_s, np.nan, high / GRID_HZ, inward.peak_rads, np.nan, True)


def _phase(course: Array, leave: int, arrive: int) -> _Phase:
    """Limits of one turn by the 5 % rule.

    Parameters
    ----------
    course : ndarray
        Angle that grows in this turn [rad].
    leave, arrive : int
        Where it has left the one level and is about to reach the other.
    """
    window_s = FIRST_WINDOW_S
    for _ in range(2):
        rate = speed(course, window_s)
        peak = float(rate[leave : arrive + 1].max())
        begin = _crossing_before(rate, leave, SPEED_SHARE * peak)
        end = _crossing_after(rate, arrive, SPEED_SHARE * peak)
        window_s = phase_window_s((end - begin) / GRID_HZ)
    return _Phase(begin, end, peak)


def _crossing_before(rate: Array, at: int, limit: float) -> float:
    """Last instant before ``at`` at which the rate is below the limit [steps, interpolated]."""
    k = _last(rate[: at + 1] < limit)
    if k >= at or rate[k] >= limit:
        return float(k)
    return k + float((limit - rate[k]) / (rate[k + 1] - rate[k]))


def _crossing_after(rate: Array, at: int, limit: float) -> float:
    """First instant after ``at`` at which the rate is below the limit [steps, interpolated]."""
    k = at + _first(rate[at:] < limit)
    if k <= at or rate[k] >= limit:
        return float(k)
    return k - float((limit - rate[k]) / (rate[k - 1] - rate[k]))


def _last(mask: NDArray[np.bool_]) -> int:
    """Index of the last True; 0 where there is none."""
    at = np.flatnonzero(mask)
    return int(at[-1]) if len(at) else 0


def _first(mask: NDArray[np.bool_]) -> int:
    """Index of the first True; the last index where there is none."""
    at = np.flatnonzero(mask)
    return int(at[0]) if len(at) else len(mask) - 1
