"""Two visits -> change: difference, interval, threshold, verdict.

The sensors were put on anew in between, and the person has better and worse days. Repetitions of
one visit know nothing of either, so that the interval, which comes from them and from the sensors'
own error, is held against the threshold of a repeated measurement: one's own minimal detectable
change (`analysis.reliability`) or, for the range, the literature's. A change is told where the
whole interval lies beyond the threshold, ``no_detectable_change`` where it lies wholly within.
Measures without a published figure take the rule of `analysis.comparison` with the two visits in
place of the two sides: how far two single repetitions of the steadier visit can differ, which for
means of eight leaves room for a day's difference of nearly one standard deviation of repetitions.

An asymmetry is a difference of two hips of which each was measured anew, so that its threshold is
sqrt(2) times that of one hip. How often which verdict: ``tests/benchmarks/courses.py``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.compared import Measure
from analysis.comparison import (
    ACROSS,
    EXACT_SOURCE,
    MIN_REPETITIONS,
    NOT_JUDGED,
    OWN_SOURCE,
    SPREAD_SOURCE,
    UNLIKE_SHARE,
    threshold_of,
)
from analysis.intervals import difference_interval, shares_differ, verdict_of, widened
from analysis.settings import Settings
from analysis.visits import BY_NAME, SideVisit, Visit

CLEAN = "clean_share"
TOO_FEW = f"fewer than {MIN_REPETITIONS} counted repetitions"
CHANCE = "unlike, but chance could make it so"
ASYMMETRY_SOURCE = "√2 times that of one hip, since both were measured anew"
BETWEEN_SESSIONS = {
    OWN_SOURCE: "own repetition-to-repetition error, 1.96 · √2 · SD of the steadier session",
    SPREAD_SOURCE: "the steadier session's own spread",
}
# 1: more is better, -1: less is better; where neither is, a change is told without praise.
BETTER = {
    "rom_deg": 1,
    "peak_ir_deg": 1,
    "peak_inward_share_percent_s": -1,
    "peak_return_share_percent_s": -1,
    "pelvis_drift_deg": -1,
    "return_error_deg": -1,
    "rom_sd_deg": -1,
    "duration_sd_s": -1,
    "sparc_inward": 1,
    "sparc_return": 1,
    CLEAN: 1,
}


@dataclass(frozen=True, slots=True)
class Change:
    """One measure's change from one session to a later one.

    Attributes
    ----------
    against : str
        The earlier session.
    difference : float or None
        Later minus earlier, in the measure's unit; of an asymmetry, right minus left each.
    ci95 : tuple of float, or None
        95 % interval, by the repetitions and the sensors' own error.
    threshold : float or None
        What it must exceed.
    threshold_source : str
        Where that comes from.
    verdict : str
        ``improved``, ``worse``, ``changed``, ``no_detectable_change`` or ``inconclusive``.
    reason : str
        Why it is inconclusive; otherwise empty.
    """

    against: str
    difference: float | None
    ci95: tuple[float, float] | None
    threshold: float | None
    threshold_source: str
    verdict: str
    reason: str = ""


def side_change(
    measure: str, before: Visit, after: Visit, side: str, settings: Settings
) -> Change | None:
    """Hold one side's figure against an earlier session's; None where a session has no such side.

    Parameters
    ----------
    measure : str
        A name of `analysis.comparison.MEASURES`, or ``clean_share``.
    before, after : Visit
        The earlier session and the later.
    side : str
        ``left`` or ``right``.
    settings : Settings
        For the minimal detectable changes.
    """
    if side not in before.sides or side not in after.sides:
        return None
    pair = (before.sides[side], after.sides[side])
    if measure == CLEAN:
        return _clean_change(before.name, *pair)
    one = BY_NAME[measure]
    means = [visit.mean(measure) for visit in pair]
    if None in means:
        return None
    difference = float(means[1] or 0.0) - float(means[0] or 0.0)
    values = [visit.values[measure] for visit in pair]
    threshold, source = threshold_of(one, values, settings)
    source = BETWEEN_SESSIONS.get(source, source)
    ci95 = _interval(one, *pair)
    verdict, reason = _judge(measure, ci95, threshold, BETTER.get(measure, 0))
    return Change(before.name, difference, ci95, threshold, source, verdict, reason)


def asymmetry_change(
    measure: str, before: Visit, after: Visit, settings: Settings
) -> Change | None:
    """Hold the difference of the sides against an earlier session's; less of it is better."""
    then, now = asymmetry(measure, before), asymmetry(measure, after)
    if then is None or now is None:
        return None
    one = BY_NAME[measure]
    sides = [visit.sides[side] for visit in (before, after) for side in ("left", "right")]
    threshold, source = threshold_of(one, [side.values[measure] for side in sides], settings)
    if threshold is not None:
        threshold, source = math.sqrt(2.0) * threshold, ASYMMETRY_SOURCE
    both = [_interval(one, *pair) for pair in (sides[:2], sides[2:])]
    ci95 = None
    if both[0] is not None and both[1] is not None:
        halves = [(high - low) / 2.0 for low, high in (both[0], both[1])]
        ci95 = widened((now - then, now - then), math.hypot(*halves))
    better = int(abs(now) > abs(then)) - int(abs(now) < abs(then))
    sign = -better if now > then else better
    verdict, reason = _judge(measure, ci95, threshold, sign)
    return Change(before.name, now - then, ci95, threshold, source, verdict, reason)


def asymmetry(measure: str, visit: Visit) -> float | None:
    """Right minus left of one session; None where a side or its figure is missing."""
    if len(visit.sides) < 2:
        return None
    left, right = (visit.sides[side].mean(measure) for side in ("left", "right"))
    return None if left is None or right is None else right - left


def _interval(measure: Measure, before: SideVisit, after: SideVisit) -> tuple[float, float] | None:
    """95 % interval of the second figure minus the first; None for too few repetitions."""
    values = [visit.values[measure.name] for visit in (before, after)]
    if min(map(len, values)) < MIN_REPETITIONS:
        return None
    instrument = math.hypot(*(visit.instrument.get(measure.name, 0.0) for visit in (before, after)))
    return widened(difference_interval(*values, spread=measure.spread), instrument)


def _judge(
    measure: str, ci95: Sequence[float] | None, threshold: float | None, better: int
) -> tuple[str, str]:
    """Verdict and reason; ``better`` says which way of change is the better one."""
    if ci95 is None:
        return "inconclusive", TOO_FEW
    if threshold is None:
        return "inconclusive", TOO_FEW if BY_NAME[measure].judged else NOT_JUDGED
    low, high = ci95
    match verdict_of((low, high), threshold):
        case "matched":
            return "no_detectable_change", ""
        case "different":
            return _praise(better * (1 if low > 0 else -1)), ""
    return "inconclusive", ACROSS


def _praise(way: int) -> str:
    return {1: "improved", -1: "worse"}.get(way, "changed")


def _clean_change(against: str, before: SideVisit, after: SideVisit) -> Change:
    """Hold shares of clean repetitions against each other by the exact test."""
    if min(before.counted, after.counted) == 0:
        return Change(against, None, None, None, EXACT_SOURCE, "inconclusive", TOO_FEW)
    difference = after.clean / after.counted - before.clean / before.counted
    verdict, reason = "inconclusive", CHANCE
    if min(before.counted, after.counted) < MIN_REPETITIONS:
        reason = TOO_FEW
    elif shares_differ(before.clean, before.counted, after.clean, after.counted):
        verdict, reason = _praise(1 if difference > 0 else -1), ""
    elif abs(difference) < UNLIKE_SHARE:
        verdict, reason = "no_detectable_change", ""
    return Change(against, difference, None, None, EXACT_SOURCE, verdict, reason)
