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
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d
from scipy.signal import find_peaks, savgol_coeffs

from analysis.motion.grid import GRID_HZ, grid_span
from imu.units import RAD_PER_DEG

Array = NDArray[np.float64]

TWITCH_RAD = 4.5 * RAD_PER_DEG  # smaller excursions are no repetitions
MAX_LIMIT_RAD = 7.0 * RAD_PER_DEG  # whatever the set's size, an excursion this large is one
SIZE_SHARE = 0.2  # of the set's typical excursion, between these two
WOBBLE_RAD = 1.0 * RAD_PER_DEG
BACK = 0.45  # a fall below this share of the rise is a return; a smaller one is a bounce
REST_SHARE = 0.2  # of the rise: a fall by so much that ends in a rest is a return as well
REST_RAD = 1.5 * RAD_PER_DEG  # and by so much
DWELL_SHARE = 0.05  # of the rise's speed: slower is rest
DWELL_RADS = 2.0 * RAD_PER_DEG  # and slower than this: the bottom of an overshoot is no rest
REST_BELOW = 0.35  # of the rise: a stop half-way in is no rest
STOP_BELOW = 0.65  # of the rise: what is higher belongs to the end range
LAST_SHARE = 0.75  # of the limit: so far it rises above where it dwelt last, or it is a twitch
DWELL_S = 0.5  # so long at least
NEAR = 0.15  # share of the range that counts as near the neutral and near the end range
SPEED_SHARE = 0.05  # the 5 % rule
WINDOW_SHARE = 0.25  # smoothing window, of the phase's duration
WINDOW_S = (0.15, 1.0)  # its limits
FIRST_WINDOW_S = 0.25
MARGIN_S = 0.5  # of course around a turn, for its second smoothing


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

    def span(self) -> slice:
        """Grid instants of the whole repetition, both ends included."""
        return grid_span(self.start_s, self.end_s)

    def turns(self) -> list[slice]:
        """Grid instants of the turn in and of the turn back, the hold shared out between them."""
        middle_s = 0.5 * (self.hold_start_s + self.hold_end_s)
        if not np.isfinite(middle_s):
            return [self.span()]
        return [grid_span(self.start_s, middle_s), grid_span(middle_s, self.end_s)]


def find_repetitions(ir_rad: Array, first: int, coarse: bool = False) -> list[Phases]:
    """Find the repetitions of a set.

    Parameters
    ----------
    ir_rad : ndarray, shape (m,)
        Internal rotation on the grid, 0 at neutral [rad].
    first : int
        Grid index where the neutral stillness begins; nothing before it counts.
    coarse : bool
        Leave the limits as the first smoothing gives them: for finding the rests.

    Returns
    -------
    list of Phases
        In order of time.
    """
    turning = _turning_points(ir_rad, first)
    small = _excursions(ir_rad, turning, TWITCH_RAD)
    if not small:
        return []
    heights = np.array([ir_rad[one.top] - one.base for one in small])
    limit = np.clip(SIZE_SHARE * np.median(heights), TWITCH_RAD, MAX_LIMIT_RAD)
    if heights.min() < limit:
        small = _excursions(ir_rad, turning, float(limit))
    rate = speed(ir_rad, FIRST_WINDOW_S)
    return [_limits(ir_rad, rate, one, coarse) for one in small]


def speed(ir_rad: Array, window_s: float) -> Array:
    """IR speed (m,) [rad/s]: derivative of a local polynomial of fourth degree."""
    half = max(round(0.5 * window_s * GRID_HZ), 3)
    result: Array = correlate1d(ir_rad, _derivative(half), mode="nearest")
    return result


@cache
def _derivative(half: int) -> Array:
    """Weights of the samples around one: the derivative per second."""
    weights: Array = savgol_coeffs(2 * half + 1, 4, deriv=1, delta=1.0 / GRID_HZ, use="dot")
    return weights


def phase_window_s(duration_s: float) -> float:
    """Smoothing window for the speed of a phase of some duration [s]."""
    return float(np.clip(WINDOW_SHARE * duration_s, *WINDOW_S))


class _Excursion(NamedTuple):
    """The level before it [rad]; grid indices of its top and of what must not be crossed."""

    base: float
    low: int
    top: int
    high: int


class _Phase(NamedTuple):
    """One turn: where it begins and ends [grid steps, with fractions], and its peak speed."""

    begin: float
    end: float
    peak_rads: float


def _turning_points(ir: Array, first: int) -> list[int]:
    """Grid indices at which the course turns by more than a wobble, both ends included."""
    course = ir[first:]
    tops = find_peaks(course, prominence=WOBBLE_RAD)[0]
    valleys = find_peaks(-course, prominence=WOBBLE_RAD)[0]
    inner = np.sort(np.concatenate([tops, valleys]))
    return [first, *(inner + first).tolist(), len(ir) - 1]


def _excursions(ir: Array, turning: list[int], limit: float) -> list[_Excursion]:
    """Rises above the neutral by more than a limit, each with most of its way back."""
    found: list[_Excursion] = []
    low = turning[0]
    neutral = float(ir[low])
    top: int | None = None
    for at in turning[1:]:
        if top is None:
            base, last = _rests_before(ir[low : at + 1], neutral)
            if ir[at] - base > limit and ir[at] - last > LAST_SHARE * limit:
                top = at
        elif ir[at] > ir[top]:
            top = at
        elif ir[at] < base + BACK * (ir[top] - base) or _rests(ir, at, ir[top], base):
            found.append(_Excursion(base, low, top, at))
            neutral, low, top = base, top, None
    if top is not None:
        found.append(_Excursion(base, low, top, len(ir) - 1))
    highs = [one.top for one in found[1:]] + [len(ir) - 1] * bool(found)
    return [one._replace(high=high) for one, high in zip(found, highs, strict=True)]


def _rests(ir: Array, valley: int, top: float, base: float) -> bool:
    """Whether a fall that ends above half-way is a return to another place of rest: it stays."""
    if top - ir[valley] < max(REST_SHARE * (top - base), REST_RAD):
        return False
    near = np.abs(ir - ir[valley]) < 0.5 * WOBBLE_RAD
    before = valley - _last(~near[: valley + 1])
    after = _first(~near[valley:])
    return bool(before + after >= DWELL_S * GRID_HZ)


def _rests_before(course: Array, neutral: float) -> tuple[float, float]:
    """Levels from which a course since the last top rose to its last value.

    Returns
    -------
    base : float
        Where it dwelt lowest, if it did; otherwise the neutral it last rested at, so that an
        overshoot that swings back to neutral has risen by nothing. A stop half-way in is no rest.
    last : float
        Where it dwelt last, a stop half-way in included; the base if it did not.
    """
    usual = max(float(course.min()), min(neutral, float(course[-1])))
    height = (course - usual) / max(float(course[-1]) - usual, 1e-9)
    rate = np.abs(np.diff(course, prepend=course[0]))
    limit = min(DWELL_SHARE * float(rate.max()), DWELL_RADS / GRID_HZ)
    slow = (rate < limit) & (height < STOP_BELOW)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], slow.astype(int), [0]])))
    long = [span for span in edges.reshape(-1, 2) if span[1] - span[0] >= DWELL_S * GRID_HZ]
    low = [float(course[a:b].mean()) for a, b in long if height[a:b].mean() < REST_BELOW]
    base = min(low, default=usual)
    return base, float(course[slice(*long[-1])].mean()) if long else base


def _limits(ir: Array, rate: Array, excursion: _Excursion, coarse: bool) -> Phases:
    """Phases of one excursion, given the angle and its coarse rate."""
    phase = _coarse_phase if coarse else _phase
    base, low, top, high = excursion
    within = (low, high + 1)
    rise = float(ir[top]) - base
    leave = low + _last(ir[low : top + 1] < base + NEAR * rise)
    arrive = leave + _first(ir[leave : top + 1] > ir[top] - NEAR * rise)
    inward = phase(ir, rate, (leave, arrive), within)
    back = max(float(ir[top : high + 1].min()), base)
    drop = float(ir[top]) - back
    if high == len(ir) - 1 and drop < 0.5 * rise:
        return _broken_off(inward, high)
    near = top + _first(ir[top : high + 1] < back + NEAR * drop)
    far = top + _last(ir[top : near + 1] > ir[top] - NEAR * drop)
    outward = phase(-ir, -rate, (far, near), within)
    return Phases(
        start_s=inward.begin / GRID_HZ,
        hold_start_s=inward.end / GRID_HZ,
        hold_end_s=max(inward.end, outward.begin) / GRID_HZ,
        end_s=outward.end / GRID_HZ,
        peak_inward_rads=inward.peak_rads,
        peak_return_rads=outward.peak_rads,
        broken_off=outward.end >= len(ir) - 1,
    )


def _broken_off(inward: _Phase, high: int) -> Phases:
    """Phases of a repetition whose return was not recorded."""
    hold_s = inward.end / GRID_HZ if inward.end < high else np.nan
    return Phases(
        start_s=inward.begin / GRID_HZ,
        hold_start_s=hold_s,
        hold_end_s=np.nan,
        end_s=high / GRID_HZ,
        peak_inward_rads=inward.peak_rads,
        peak_return_rads=np.nan,
        broken_off=True,
    )


def _phase(ir: Array, rate: Array, turn: tuple[int, int], within: tuple[int, int]) -> _Phase:
    """Limits of one turn by the 5 % rule.

    Parameters
    ----------
    ir, rate : ndarray, shape (m,)
        Angle that grows in this turn [rad], and its coarse rate.
    turn : tuple of int
        Where it has left the one level and is about to reach the other.
    within : tuple of int
        Half-open span that it does not leave.
    """
    coarse = _coarse_phase(ir, rate, turn, within)
    window_s = phase_window_s((coarse.end - coarse.begin) / GRID_HZ)
    margin = int((window_s + MARGIN_S) * GRID_HZ)
    low = max(int(coarse.begin) - margin, within[0])
    high = min(int(coarse.end) + margin, within[1])
    return _five_percent(speed(ir[low:high], window_s), turn, low)


def _coarse_phase(ir: Array, rate: Array, turn: tuple[int, int], within: tuple[int, int]) -> _Phase:
    """Limits of one turn from its coarse rate."""
    del ir
    return _five_percent(rate[slice(*within)], turn, within[0])


def _five_percent(rate: Array, turn: tuple[int, int], first: int) -> _Phase:
    """Where the rate, given from instant ``first`` on, leaves and falls below 5 % of its peak."""
    leave, arrive = turn[0] - first, turn[1] - first
    peak = float(rate[leave : arrive + 1].max())
    begin = _crossing_before(rate, leave, SPEED_SHARE * peak)
    end = _crossing_after(rate, arrive, SPEED_SHARE * peak)
    return _Phase(first + begin, first + end, peak)


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
